"""A denoiser that shares nothing: a table of counts for every partly masked sequence.

For every context c, that is a set of observed sites with their tokens, and every masked site i it
keeps a table of its own, from those training samples alone whose mask and tokens give just this
context:

    f_i(c)[v] = (N_i(c, v) + alpha) / (N(c) + alpha V)

the mean of the posterior under a symmetric Dirichlet prior with alpha per token [textbook]. Where
a context was never seen it answers 1 / V. It is the least biased learner, and the most wasteful:
what it is not shown it does not know.
"""

from fractions import Fraction

import numpy as np

from sims.training.masks import as_masks
from sims.training.samples import TrainingSet, as_prior
from theory._core.arrays import MASK, from_host, require_memory, to_host
from theory._core.types import Array, ArrayLike, Number
from theory.distributions.base import Distribution, check_distribution
from theory.errors import InvalidInput
from theory.lattice.codes import Codes
from theory.lattice.lattice import reveal_observed
from theory.validation.arguments import as_real, as_tokens

__all__ = ["Tabular"]


class Tabular:
    """One independent table for each partly masked sequence.

    Parameters
    ----------
    training : TrainingSet
    alpha : float or Fraction
        Dirichlet prior for each token, above 0.
    exact : bool
        Keep Fractions; `alpha` then has to be rational.

    Attributes
    ----------
    predictions : ndarray, shape ((V+1)^L, L, V)
        By code of the context (see `theory.lattice.codes`); rows of observed sites mean nothing.

    Raises
    ------
    InvalidInput
    TooLarge

    Examples
    --------
    Two sequences 00 with the first bit shown, and the prior of Laplace:

    >>> shown = np.asarray([[True, False]] * 2)
    >>> training = TrainingSet(np.zeros((2, 2), dtype=np.int64), shown, 2)
    >>> denoiser = Tabular(training, alpha=1, exact=True)
    >>> [denoiser([[first, -1]])[0, 1].tolist() for first in (0, 1)]    # 1 was never seen
    [[Fraction(3, 4), Fraction(1, 4)], [Fraction(1, 2), Fraction(1, 2)]]

    It goes wherever the right one goes:

    >>> from sims import output_distribution, policies
    >>> from theory import gallery
    >>> p = gallery.parity(2, exact=True)
    >>> output_distribution(p, policies.LeftToRight(), denoiser=denoiser).table.tolist()
    [[Fraction(3, 8), Fraction(1, 8)], [Fraction(1, 4), Fraction(1, 4)]]
    """

    def __init__(
        self, training: TrainingSet, alpha: Number | Fraction = 0.5, *, exact: bool = False
    ) -> None:
        if not isinstance(training, TrainingSet):
            raise InvalidInput(f"training must be a TrainingSet, got {training!r}")
        self.length, self.vocab = training.length, training.vocab
        codes, size = self._codes()
        context = codes.encode(np.where(training.shown, training.tokens, MASK))
        rows, sites = np.nonzero(~training.shown)
        entries = (context[rows] * self.length + sites) * self.vocab
        counts = np.bincount(entries + training.tokens[rows, sites], minlength=size)
        self._learn(counts.reshape(codes.cells, self.length, self.vocab), alpha, exact)

    @classmethod
    def expected(
        cls, p: Distribution, masks: ArrayLike, size: Number, alpha: Number | Fraction = 0
    ) -> "Tabular":
        """Learn from counts that are exactly as expected: ``size`` times each probability.

        With no prior that is what infinitely many samples teach: the population optimum of the
        loss under these masks, wherever they have mass; 1 / V elsewhere.

        Parameters
        ----------
        p : Distribution
        masks : array_like, shape (2,)*L
        size : int or number
            Above 0.
        alpha : number
            May be 0 here.

        >>> from sims.training.masks import uniform_time
        >>> from theory import gallery
        >>> p = gallery.parity(2, exact=True)
        >>> f = Tabular.expected(p, uniform_time(2, exact=True), 1)
        >>> f([[1, -1]])[0, 1].tolist()
        [Fraction(0, 1), Fraction(1, 1)]
        """
        check_distribution(p)
        as_real(size, "size", 0, np.inf, ends=False)
        self = cls.__new__(cls)
        self.length, self.vocab = p.length, p.vocab
        codes, _ = self._codes()
        x = codes.decode(np.arange(codes.cells))
        predictions, evidence = p.lattice().predict(x)
        predictions, evidence = to_host(predictions), to_host(p.evidence(x))
        weights = as_masks(masks, p.length)[tuple((x != MASK).astype(np.int64).T)]
        if p.exact:
            weights = np.asarray([Fraction(w) for w in weights.tolist()], dtype=object)
        else:
            weights = weights.astype(np.float64)
        possible = evidence != 0
        joint = np.where(possible[:, None, None], predictions, predictions[-1] * 0)
        counts = joint * (evidence * weights * size)[:, None, None]
        self._learn(counts, alpha, p.exact, zero=True)
        return self

    def _learn(
        self, counts: np.ndarray, alpha: Number | Fraction, exact: bool, zero: bool = False
    ) -> None:
        self.alpha = as_prior(alpha, exact, zero=zero)
        raised = counts.astype(object if exact else np.float64) + self.alpha
        total = raised.sum(axis=-1, keepdims=True)
        seen, one = total != 0, np.asarray(Fraction(1) if exact else 1.0)
        share = raised / np.where(seen, total, one)
        self.predictions = np.where(seen, share, one / self.vocab)
        self.predictions.flags.writeable = False
        self.exact = exact

    def __call__(self, x: ArrayLike) -> Array:
        """Predict from patterns (B, L) or (L,), shape (B, L, V) or (L, V), beside `x`."""
        like = x if hasattr(x, "shape") else np.zeros(0)
        x, single = as_tokens(x, self.length, self.vocab, like)
        host = to_host(x)
        codes = Codes(self.length, self.vocab).encode(host)
        predictions = reveal_observed(host, self.predictions[codes])
        if not self.exact:
            predictions = from_host(predictions, x)
        return predictions[0, ...] if single else predictions

    def _codes(self) -> tuple[Codes, int]:
        """The codes of contexts, and how many numbers the tables hold."""
        codes = Codes(self.length, self.vocab)
        size = codes.cells * self.length * self.vocab
        require_memory(3 * size, f"a table for each of ({self.vocab + 1})^{self.length} contexts")
        return codes, size

    def __repr__(self) -> str:
        return f"<Tabular: length {self.length}, vocab {self.vocab}, alpha {self.alpha}>"
