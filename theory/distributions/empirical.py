"""The empirical distribution of given sequences, with weights.

The prediction given observed tokens is the weighted share of each token among the sequences that
agree with them.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np

from theory._core import exact as exact_numbers
from theory._core.arrays import (
    MASK,
    array_namespace,
    as_array,
    device,
    from_host,
    log,
    on_one_device,
    read_only,
    require_memory,
    to_host,
    within_memory,
    xlogx,
)
from theory._core.plurals import counted
from theory._core.segments import scatter
from theory._core.types import Array, ArrayLike, Number
from theory._core.work import require_steps
from theory.distributions.base import Distribution
from theory.distributions.sampling import as_floats, check_draw
from theory.distributions.strings import tokens_of
from theory.errors import InvalidInput
from theory.lattice.entropy_sums import mean_by_size
from theory.lattice.lattice import quotient
from theory.validation.arguments import as_integer, as_tokens
from theory.validation.probabilities import as_weights

__all__ = ["EmpiricalDistribution"]

WORKSPACE = 2**22
"""Entries of the largest temporary array (32 MiB); batches and sequences are cut to fit."""

MANY_SEQUENCES = 4096
"""Fewer sequences are compared with all patterns at once; more, on the host, pattern by pattern."""

MAX_COMPARISONS = 2**33
"""For the entropies of all subsets: some minutes."""

COMPARISONS_PER_SUBSET = 2**12
"""What grouping a few sequences by a set of sites costs, in comparisons."""


class EmpiricalDistribution(Distribution):
    """Given sequences, drawn with probabilities in proportion to their weights.

    Parameters
    ----------
    sequences : array_like of int, shape (N, L)
        Rows may repeat.
    weights : array_like, shape (N,), optional
        Non-negative, normalised here; uniform if not given.
    vocab : int, optional
        One more than the largest token if not given.
    symbols : sequence of str, optional
    exact : bool
        Keep weights that are integers or Fractions exact.

    Attributes
    ----------
    sequences : array of int64, shape (N, L)
    weights : array, shape (N,)
        Normalised.

    Raises
    ------
    InvalidInput
        If shapes disagree, tokens are no integers or out of range, or weights cannot be
        normalised.

    Examples
    --------
    Three sequences; after a 0, the second token is 0 or 1 equally often:

    >>> from theory import MASK
    >>> p = EmpiricalDistribution([[0, 0], [0, 1], [1, 1]])
    >>> p.denoise([0, MASK])[1]
    array([0.5, 0.5])
    >>> float(p.evidence([MASK, 1])) * 3
    2.0
    >>> EmpiricalDistribution([[0, 0], [0, 1], [1, 1]], exact=True).evidence([MASK, 1])
    Fraction(2, 3)
    """

    @within_memory("a data set")
    def __init__(
        self,
        sequences: ArrayLike,
        weights: ArrayLike | None = None,
        vocab: int | None = None,
        symbols: Sequence[str] | None = None,
        exact: bool = False,
    ) -> None:
        sequences = as_array(sequences, "sequences must have the same length")
        if sequences.ndim != 2 or 0 in sequences.shape:
            raise InvalidInput(
                f"sequences must have shape (N, L) with N, L >= 1, got {tuple(sequences.shape)}"
            )
        xp = array_namespace(sequences)
        length = sequences.shape[1]
        known = np.iinfo(np.int64).max if vocab is None else as_integer(vocab, "vocab", 1)
        tokens, _ = as_tokens(sequences, length, known, sequences, masked=False)
        if weights is None:
            weights = xp.ones(tokens.shape[0], dtype=xp.float64, device=device(tokens))
            weights = np.ones(tokens.shape[0], dtype=np.int64) if exact else weights
        self._counts = as_weights(weights, exact=exact)
        values, total = self._counts
        self.exact, normalised = exact, exact_numbers.ratio(values, total) if exact else values
        self.weights, tokens = on_one_device(normalised, tokens)
        if self.weights.shape != tokens.shape[:1]:
            raise InvalidInput(
                f"weights must have shape ({tokens.shape[0]},), one per sequence, "
                f"got {tuple(self.weights.shape)}"
            )
        self.sequences = tokens
        self._describe(length, int(xp.max(tokens)) + 1 if vocab is None else known, symbols)

    @classmethod
    def from_strings(
        cls, strings: Iterable[str | Sequence[str]], *, symbols: Iterable[str] | None = None
    ) -> "EmpiricalDistribution":
        """Given strings of one length, each with the same weight; they may repeat.

        Parameters
        ----------
        strings : list of str, or of lists of str
            One character a token, or one word.
        symbols : sequence of str, optional
            In the order of the tokens; if not given all that occur, in sorted order.

        Raises
        ------
        InvalidInput
            If lengths differ, or something is no symbol; it says in which string.

        >>> p = EmpiricalDistribution.from_strings(["cat", "cot", "cut", "cut"])
        >>> p.denoise(p.read("c_t"))[1], p.symbols
        (array([0.25, 0.  , 0.25, 0.  , 0.5 ]), ('a', 'c', 'o', 't', 'u'))
        """
        tokens, known = tokens_of(strings, symbols)
        for number, row in enumerate(tokens):
            if len(row) != len(tokens[0]):
                raise InvalidInput(
                    f"strings must have the same length: string 0 has "
                    f"{counted(len(tokens[0]), 'token')}, string {number} has {len(row)}"
                )
        return cls(np.asarray(tokens, dtype=np.int64), vocab=len(known), symbols=known)

    @property
    def like(self) -> Array:
        return self.weights

    # ---- prediction: matching sequences -------------------------------------------------

    def _matching(self, x: Array, start: int, stop: int) -> Array:
        """Weight of each sequence in start..stop-1 that agrees with each pattern, else 0."""
        xp = array_namespace(x)
        sequences = self.sequences[start:stop, :]
        agrees = xp.ones((x.shape[0], sequences.shape[0]), dtype=xp.bool, device=device(x))
        for i in range(self.length):
            pattern = x[:, i][:, None]
            agrees = agrees & ((pattern == MASK) | (pattern == sequences[:, i][None, :]))
        weights = self.weights[None, start:stop]
        return xp.where(agrees, weights, xp.zeros_like(weights))

    def _batches(self, x: Array, width: int) -> list[Array]:
        """Cut patterns into batches whose comparison with `width` sequences fits the workspace."""
        rows, count = max(1, WORKSPACE // width), x.shape[0]
        return [x[k : min(k + rows, count), ...] for k in range(0, count, rows)]

    def _predict(self, x: Array) -> tuple[Array, Array]:
        xp = array_namespace(x)
        if self._columns is not None:
            shares = np.stack([self._narrowed_shares(pattern) for pattern in x])
        else:
            entries = self.length * self.vocab
            chunk = min(self.sequences.shape[0], max(1, WORKSPACE // entries))
            parts = [self._shares(rows, chunk) for rows in self._batches(x, chunk)]
            shares = xp.reshape(xp.concat(parts), (*x.shape, self.vocab))
        total = xp.sum(shares[:, 0, :], axis=-1)
        return quotient(shares, total[:, None, None]), total > 0

    @cached_property
    def _columns(self) -> np.ndarray | None:
        """Tokens site by site in the smallest type, for many sequences on the host."""
        many = self.sequences.shape[0] >= MANY_SEQUENCES
        if not many or self.exact or not isinstance(self.sequences, np.ndarray):
            return None
        return np.ascontiguousarray(self.sequences.T, dtype=np.min_scalar_type(self.vocab - 1))

    def _narrowed(self, pattern: np.ndarray) -> np.ndarray | slice:
        """Indices of the sequences that agree with one pattern, narrowed down site by site."""
        assert self._columns is not None
        rows: np.ndarray | slice = slice(None)
        for i in np.flatnonzero(pattern != MASK):
            agrees = np.flatnonzero(self._columns[i][rows] == pattern[i])
            rows = agrees if isinstance(rows, slice) else rows[agrees]
        return rows

    def _narrowed_shares(self, pattern: np.ndarray) -> np.ndarray:
        """Matching weight of every token at every site, shape (L, V)."""
        assert self._columns is not None
        rows = self._narrowed(pattern)
        weights = self.weights[rows]
        return np.stack(
            [np.bincount(column[rows], weights, minlength=self.vocab) for column in self._columns]
        )

    def _shares(self, x: Array, chunk: int) -> Array:
        """Matching weight of every token at every site, shape (B, L * V)."""
        xp = array_namespace(x)
        tokens = xp.arange(self.vocab, dtype=xp.int64, device=device(x))
        count = self.sequences.shape[0]
        shares = xp.zeros_like(self.weights[:1])
        for start in range(0, count, chunk):
            stop = min(start + chunk, count)
            one_hot = self.sequences[start:stop, :][..., None] == tokens
            one_hot = xp.astype(xp.reshape(one_hot, (stop - start, -1)), self.weights.dtype)
            shares = xp.matmul(self._matching(x, start, stop), one_hot) + shares
        return shares

    def _evidence(self, x: Array) -> Array:
        xp = array_namespace(x)
        if self._columns is not None:
            return np.asarray([self.weights[self._narrowed(pattern)].sum() for pattern in x])
        count = self.sequences.shape[0]
        parts = [xp.sum(self._matching(r, 0, count), axis=1) for r in self._batches(x, count)]
        return xp.concat(parts)

    def _log_evidence(self, x: Array) -> Array:
        return log(self._evidence(x))

    def _given(self, pattern: Array) -> "EmpiricalDistribution":
        xp = array_namespace(self.sequences)
        (rows,) = xp.nonzero(self._matching(pattern[None, :], 0, self.sequences.shape[0])[0, :])
        kept = xp.take(self.sequences, rows, axis=0)
        weights = xp.take(self.weights, rows)
        return EmpiricalDistribution(kept, weights, self.vocab, self.symbols, self.exact)

    @within_memory("a sample")
    def sample(self, rng: np.random.Generator, size: int) -> Array:
        """Draw sequences with replacement by weight, shape (size, L)."""
        size = check_draw(rng, size)
        weights = as_floats(to_host(self.weights))
        rows = rng.choice(weights.shape[0], size=size, p=weights / weights.sum())
        chosen = from_host(rows.astype(np.int64), self.sequences)
        return array_namespace(self.sequences).take(self.sequences, chosen, axis=0)

    # ---- tables and entropies: grouping -------------------------------------------------

    def _groups(self, sites: tuple[int, ...], weights: Array) -> tuple[Array, Array]:
        """One example of each distinct row at `sites`, by its index, and the weight of them all.

        Codes are renumbered after each site, so that they stay small at any length. Weights are
        summed within the sorted groups alone, by doubling, so that a small group keeps its
        weight beside a large one.
        """
        xp = array_namespace(self.sequences)
        group = xp.zeros_like(self.sequences[:, 0])
        for site in sites:
            codes = group * self.vocab + self.sequences[:, site]
            group = xp.astype(xp.unique_inverse(codes).inverse_indices, xp.int64)
        order = xp.argsort(group)
        group, weights = xp.take(group, order), xp.take(weights, order)
        reach, count = 1, group.shape[0]
        while reach < count:
            same = group[reach:] == group[: count - reach]
            if not bool(xp.any(same)):
                break
            earlier = xp.where(same, weights[: count - reach], xp.zeros_like(weights[reach:]))
            weights = xp.concat([weights[:reach], weights[reach:] + earlier])
            reach *= 2
        last = xp.concat([group[1:] != group[:-1], xp.ones_like(group[:1]) > 0])
        return order[last], weights[last]

    def table(self) -> Array:
        """All probabilities, shape (V,)*L: the weights of equal sequences, zero elsewhere."""
        size = self.vocab**self.length
        what = f"the table of shape ({self.vocab},)*{self.length}"
        require_memory(size, what, self.like, itemsize=24)
        xp = array_namespace(self.sequences)
        example, weight = self._groups(tuple(range(self.length)), self.weights)
        code = xp.zeros_like(example)
        for i in range(self.length):
            code = code * self.vocab + xp.take(self.sequences[:, i], example)
        return read_only(xp.reshape(scatter(code, weight, size), (self.vocab,) * self.length))

    def subset_entropy(self, sites: tuple[int, ...], given: Array | None = None) -> Number:
        """Entropy in nats of a set of sites, by grouping equal rows; no table."""
        xp = array_namespace(self.sequences)
        weights = self._counts.values if self.exact else self.weights
        if given is not None:
            agrees = self._matching(given[None, :], 0, weights.shape[0])[0, :] > 0
            weights = xp.where(agrees, weights, xp.zeros_like(weights))
        shares = quotient(self._groups(sites, weights)[1], xp.sum(weights))
        return -xp.sum(xlogx(shares))

    def mean_subset_entropies(self) -> Array:
        """Mean entropy in nats of k random sites, k = 0..L, by grouping for every subset."""
        count = self.sequences.shape[0]
        require_steps(
            (count + COMPARISONS_PER_SUBSET) * 2**self.length,
            MAX_COMPARISONS,
            f"grouping {counted(count, 'sequence')} of length {self.length} by every set of sites",
        )
        xp = array_namespace(self.weights)
        subsets = np.ndindex(*(2,) * self.length)
        flat = [self.subset_entropy(tuple(np.flatnonzero(s).tolist())) for s in subsets]
        return mean_by_size(xp.reshape(xp.stack(flat), (2,) * self.length))
