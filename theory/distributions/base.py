"""The base class of data distributions: evidence, zero-loss denoiser, samples, entropies.

A family writes two methods, `_predict` and `_log_evidence`, for checked batches of patterns; the
base class does the rest: shapes, one-hot rows where a token is observed, and what to answer when
the evidence is impossible.

======================  =====================================================================
call                    given evidence of probability zero
======================  =====================================================================
``evidence``            returns 0
``log_evidence``        returns ``-inf``
``denoise``             raises `ImpossibleEvidence`, which names the pattern
``denoise(...,          the unconditional marginals at masked sites
on_impossible=
"marginal")``
``denoise(...,          ``1/V`` at masked sites
on_impossible=
"uniform")``
======================  =====================================================================

Observed sites are one-hot in every case. No probability is raised to a small positive number.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, Literal

import numpy as np

from theory._core.arrays import (
    MASK,
    array_namespace,
    as_array,
    device,
    format_pattern,
    from_host,
    read_only,
    require_memory,
    to_host,
    within_memory,
    xlogx,
)
from theory._core.plurals import counted
from theory._core.types import Array, ArrayLike, Number
from theory.distributions.sampling import as_floats, draw_tokens
from theory.distributions.spelling import read_pattern, spell_pattern
from theory.errors import ImpossibleEvidence, InvalidInput, TooLarge
from theory.lattice.codes import digits
from theory.lattice.entropy_sums import mean_by_size
from theory.lattice.lattice import EvidenceLattice, quotient, require_lattice, reveal_observed
from theory.validation.arguments import as_tokens

__all__ = ["Distribution", "OnImpossible", "as_possible", "check_distribution"]

OnImpossible = Literal["raise", "marginal", "uniform"]

INSTEAD = (
    "Instead, information.bracket bounds the mean entropies of hidden Markov models and mixtures, "
    "and information.estimate_profile estimates those of any distribution"
)


class Distribution(ABC):
    """A distribution of sequences of `length` tokens out of ``0..vocab-1``.

    Attributes
    ----------
    length : int
    vocab : int
    symbols : tuple of str or None
        What the tokens stand for (letters, words); used by `spell`.
    exact : bool
        Whether probabilities are Fractions or SymPy expressions instead of float64.
    """

    length: int
    vocab: int
    symbols: tuple[str, ...] | None = None
    exact: bool = False

    def _describe(self, length: int, vocab: int, symbols: Sequence[str] | None) -> None:
        self.length, self.vocab = length, vocab
        if symbols is not None:
            if len(symbols) != vocab:
                raise InvalidInput(f"{counted(len(symbols), 'symbol')} for a vocabulary of {vocab}")
            self.symbols = tuple(map(str, symbols))

    def __repr__(self) -> str:
        exact = ", exact=True" if self.exact else ""
        return f"<{type(self).__name__}: length {self.length}, vocab {self.vocab}{exact}>"

    @property
    @abstractmethod
    def like(self) -> Array:
        """An array whose backend and device the answers share."""

    @abstractmethod
    def _predict(self, x: Array) -> tuple[Array, Array]:
        """Predictions (B, L, V) for checked patterns (B, L), and whether each is possible (B,).

        Rows of observed sites and of impossible patterns may hold anything.
        """

    @abstractmethod
    def _log_evidence(self, x: Array) -> Array:
        """Logarithms of the evidence (B,) of checked patterns; ``-inf`` where impossible."""

    @abstractmethod
    def sample(self, rng: np.random.Generator, size: int) -> Array:
        """Draw `size` sequences, shape (size, L), int64, with the host generator `rng`."""

    def _evidence(self, x: Array) -> Array:
        return array_namespace(self.like).exp(self._log_evidence(x))

    # ---- a prompt -----------------------------------------------------------------------

    def given(self, x: ArrayLike) -> "Distribution":
        """The distribution on condition of observed tokens, of the same length.

        Parameters
        ----------
        x : array_like of int, shape (L,), or str
            Tokens, with ``MASK`` where nothing is observed; or spelled as for `read`.

        Returns
        -------
        Distribution
            A table, a mixture or an empirical distribution of the same kind; of any other family
            a wrapper that writes the tokens into all patterns. Exact if this one is.

        Raises
        ------
        ImpossibleEvidence
            If the observed tokens have probability 0.
        InvalidInput

        >>> from theory import MASK, gallery
        >>> p = gallery.permutations(3, exact=True).given([2, MASK, MASK])
        >>> p.denoise([MASK, 0, MASK])[2].tolist()
        [Fraction(0, 1), Fraction(1, 1), Fraction(0, 1)]
        """
        return self._given(as_possible(self, x, "given"))

    def _given(self, pattern: Array) -> "Distribution":
        """`given` for a checked pattern (L,) that is possible; families override it."""
        from theory.distributions.conditioned import Conditioned  # built on this class

        return Conditioned(self, pattern)

    def _sample_given(self, rng: np.random.Generator, size: int, pattern: Array) -> Array:
        """Sequences (size, L) drawn given a pattern: one masked site after the other."""
        xp = array_namespace(pattern)
        x = xp.broadcast_to(pattern[None, :], (size, self.length))
        sites = xp.arange(self.length, dtype=xp.int64, device=device(pattern))
        for site in np.flatnonzero(to_host(pattern) == MASK).tolist():
            predictions = as_floats(self._predicted(x)[0][:, site, :])
            x = xp.where(sites == site, draw_tokens(rng, predictions)[:, None], x)
        return x

    # ---- prediction ---------------------------------------------------------------------

    @within_memory("a batch of predictions")
    def denoise(self, x: ArrayLike, *, on_impossible: OnImpossible = "raise") -> Array:
        """Predict every masked site given the observed ones: ``p(x_i = v | x_S)``.

        Parameters
        ----------
        x : array_like of int, shape (B, L) or (L,)
            Tokens, with ``MASK`` where nothing is observed.
        on_impossible : {"raise", "marginal", "uniform"}
            What to answer where the observed tokens have probability zero.

        Returns
        -------
        array, shape (B, L, V) or (L, V)
            One-hot where a token is observed.

        Raises
        ------
        ImpossibleEvidence
        InvalidInput
        TooLarge
            If the predictions would not fit; the message names their shape.
        """
        if on_impossible not in ("raise", "marginal", "uniform"):
            raise InvalidInput(
                f'on_impossible must be "raise", "marginal" or "uniform", got {on_impossible!r}'
            )
        x, single = as_tokens(x, self.length, self.vocab, self.like)
        xp = array_namespace(x)
        predictions, possible = self._predicted(x)
        if not bool(xp.all(possible)):
            predictions = self._replace(x, predictions, possible, on_impossible)
        predictions = reveal_observed(x, predictions)
        return predictions[0, ...] if single else predictions

    def _predicted(self, x: Array) -> tuple[Array, Array]:
        """`_predict`, refused where its answer would not fit in memory."""
        shape = (x.shape[0], self.length, self.vocab)
        require_memory(math.prod(shape), f"a table of predictions of shape {shape}", self.like)
        return self._predict(x)

    def _replace(self, x: Array, predictions: Array, possible: Array, on_impossible: str) -> Array:
        """Answer as asked where the observed tokens have probability zero."""
        xp = array_namespace(x)
        if on_impossible == "raise":
            row = int(xp.argmin(xp.astype(possible, xp.int64)))
            pattern = tuple(int(v) for v in to_host(x[row, ...]))
            spelled = format_pattern(x[row, ...])
            raise ImpossibleEvidence(
                f"the observed tokens have probability 0: pattern {row} is {spelled}. "
                f'Choose on_impossible="marginal" or "uniform" to go on.',
                pattern,
            )
        if on_impossible == "marginal":
            instead = self.marginals
        else:
            ones = xp.ones_like(self.marginals)
            instead = quotient(ones, ones * self.vocab)
        return xp.where(possible[:, None, None], predictions, instead[None, ...])

    @cached_property
    def marginals(self) -> Array:
        """The prediction when nothing is observed: unconditional marginals, shape (L, V)."""
        xp = array_namespace(self.like)
        all_masked = xp.full((1, self.length), MASK, dtype=xp.int64, device=device(self.like))
        return self._predicted(all_masked)[0][0, ...]

    @within_memory("the evidence of a batch")
    def evidence(self, x: ArrayLike) -> Array:
        """Probability that a sequence agrees with `x` wherever a token is observed.

        Parameters
        ----------
        x : array_like of int, shape (B, L) or (L,)

        Returns
        -------
        array, shape (B,), or a scalar
            Underflows to 0 on very long evidence; `log_evidence` does not.
        """
        x, single = as_tokens(x, self.length, self.vocab, self.like)
        probability = self._evidence(x)
        return probability[0] if single else probability

    @within_memory("the evidence of a batch")
    def log_evidence(self, x: ArrayLike) -> Array:
        """Natural logarithm of `evidence`; ``-inf`` where it is impossible.

        Parameters
        ----------
        x : array_like of int, shape (B, L) or (L,)

        Returns
        -------
        array, shape (B,), or a scalar
        """
        x, single = as_tokens(x, self.length, self.vocab, self.like)
        logarithm = self._log_evidence(x)
        return logarithm[0] if single else logarithm

    # ---- the whole table ----------------------------------------------------------------

    @within_memory("the table")
    def table(self) -> Array:
        """All probabilities, shape (V,)*L.

        Raises
        ------
        TooLarge
            If the table would not fit; the message names its size.
        """
        every_site = tuple(range(self.length))
        xp = array_namespace(self.like)
        return xp.reshape(self._joint(every_site, None), (self.vocab,) * self.length)

    @within_memory("the evidence lattice")
    def lattice(self) -> EvidenceLattice:
        """Return the evidence lattice of the table."""
        require_lattice(self.vocab, self.length, self.like)
        return EvidenceLattice(self.table())

    def assignments(self, sites: tuple[int, ...], given: Array | None = None) -> Array:
        """All V^k patterns that observe `sites`, on top of a checked pattern, shape (V^k, L).

        >>> from theory import JointTable
        >>> JointTable([[1, 0], [0, 1]]).assignments((1,))
        array([[-1,  0],
               [-1,  1]])
        """
        count = self.vocab ** len(sites)
        what = f"the table of {counted(len(sites), 'site')} over {counted(self.vocab, 'token')}"
        # every pattern is held with all its tokens, once as columns and once stacked
        require_memory(count, what, self.like, itemsize=8 * (len(sites) + self.length + 2))
        if len(sites) > 64:
            raise TooLarge(f"{what} has {self.vocab}^{len(sites)} entries")
        xp = array_namespace(self.like)
        codes = xp.arange(count, dtype=xp.int64, device=device(self.like))
        tokens = digits(codes, len(sites), self.vocab)
        columns = {site: tokens[:, k] for k, site in enumerate(sites)}
        free = xp.full((count,), MASK, dtype=xp.int64, device=device(self.like))
        fixed = [free if given is None else free * 0 + int(given[i]) for i in range(self.length)]
        return xp.stack([columns.get(i, fixed[i]) for i in range(self.length)], axis=1)

    def _joint(self, sites: tuple[int, ...], given: Array | None) -> Array:
        """Probabilities of all V^k values of `sites`, given the tokens of a pattern (L,)."""
        xp = array_namespace(self.like)
        patterns = self.assignments(sites, given)
        if given is None:
            return self._evidence(patterns)
        if self.exact:
            return quotient(self._evidence(patterns), self._evidence(given[None, :]))
        return xp.exp(self._log_evidence(patterns) - self._log_evidence(given[None, :]))

    # ---- entropies ----------------------------------------------------------------------

    def subset_entropy(self, sites: tuple[int, ...], given: Array | None = None) -> Number:
        """Entropy in nats of the tokens at `sites`, given the tokens of a checked pattern (L,).

        The general way sums over all ``V^k`` values of the sites; families override it.
        Users call `theory.information.entropy`, which checks its arguments.
        """
        return -array_namespace(self.like).sum(xlogx(self._joint(sites, given)))

    def sum_of_entropies(self, sites: tuple[int, ...], given: Array | None = None) -> Number:
        """Sum of the entropies in nats of single sites, given a checked pattern (L,)."""
        predictions = self.marginals if given is None else self.denoise(given)
        xp = array_namespace(predictions)
        chosen = xp.asarray(sites, dtype=xp.int64, device=device(predictions))
        return -xp.sum(xlogx(xp.take(predictions, chosen, axis=0)))

    def sum_of_entropies_without_one(self) -> Number:
        """Sum over all sites of the entropy in nats of the others; families override it."""
        every_site = range(self.length)
        return sum(self.subset_entropy(tuple(j for j in every_site if j != i)) for i in every_site)

    def subset_entropies(self) -> Array:
        """Entropy in nats of every set of sites, shape (2,)*L, from the evidence lattice."""
        return self.lattice().subset_entropies()

    def mean_subset_entropies(self) -> Array:
        """Mean entropy in nats of a uniformly random set of k sites, shape (L+1,), k = 0..L.

        The general way takes them from the evidence lattice; families override it.
        """
        try:
            return mean_by_size(self.subset_entropies())
        except TooLarge as error:
            raise TooLarge(f"{error}. {INSTEAD}") from None

    def mean_entropy_bracket(self) -> tuple[Array, Array]:
        """Lower and upper bounds of `mean_subset_entropies`; equal where they are computed."""
        return self.mean_entropies, self.mean_entropies

    @cached_property
    def mean_entropies(self) -> Array:
        """`mean_subset_entropies`, computed once."""
        return read_only(self.mean_subset_entropies())

    # ---- reading ------------------------------------------------------------------------

    def spell(self, x: ArrayLike) -> list[str]:
        """Write sequences in the distribution's symbols, a masked site as ``·`` (see `read`).

        Parameters
        ----------
        x : array_like of int, shape (B, L) or (L,)

        Returns
        -------
        list of str
            Joined without spaces where every symbol is one character.
        """
        rows = to_host(as_tokens(x, self.length, self.vocab, self.like)[0]).tolist()
        return [spell_pattern(row, *self._spelling(row)) for row in rows]

    def read(self, text: str) -> Array:
        """Read one pattern in the distribution's symbols, the opposite of `spell`.

        Parameters
        ----------
        text : str
            ``·``, ``_`` or ``□`` is a masked site, unless it is a symbol. With symbols of more than
            one character they are separated by spaces. Sites left out at the end are masked.

        Returns
        -------
        array of int64, shape (L,)

        Raises
        ------
        InvalidInput
            If something is no symbol, or if there are more than L.

        >>> from theory import gallery
        >>> gallery.words(4).read("t_e").tolist()
        [19, -1, 4, -1]
        """
        numbers = [int(part) for part in text.split() if part.isdecimal()]
        tokens = read_pattern(text, *self._spelling([*range(31), *numbers]), self.length)
        return from_host(np.asarray(tokens, dtype=np.int64), self.like)

    def _spelling(self, tokens: Iterable[int]) -> tuple[dict[int, str], bool]:
        """Symbols, of these tokens at least, and whether spaces are between them."""
        if self.symbols is not None:
            return dict(enumerate(self.symbols)), any(len(s) != 1 for s in self.symbols)
        return {v: str(v) for v in tokens if v < self.vocab}, self.vocab > 10


def check_distribution(p: Any) -> None:
    """Refuse anything that is no `Distribution`, such as a bare table."""
    if not isinstance(p, Distribution):
        raise InvalidInput(f"p must be a Distribution such as JointTable(table), got {type(p)}")


def as_possible(p: Distribution, x: ArrayLike, name: str) -> Array:
    """Return one pattern, shape (L,), after checks: of this length, and not impossible."""
    x = p.read(x) if isinstance(x, str) else x
    shape = tuple(as_array(x, f"{name} must be one pattern of tokens").shape)
    if shape != (p.length,):
        raise InvalidInput(f"{name} must be one pattern of shape ({p.length},), got shape {shape}")
    try:
        patterns, _ = as_tokens(x, p.length, p.vocab, p.like)
    except InvalidInput as error:
        raise InvalidInput(f"{name}: {error}") from None
    pattern = patterns[0, ...]
    if p.log_evidence(pattern) == -math.inf:
        raise ImpossibleEvidence(
            f"the observed tokens have probability 0: "
            f"{p.spell(pattern)[0] if p.symbols else format_pattern(pattern)}",
            tuple(to_host(pattern).tolist()),
        )
    return pattern
