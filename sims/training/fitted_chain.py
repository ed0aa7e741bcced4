"""A denoiser that shares everything: one Markov chain, fitted to what all masks show.

A homogeneous chain of initial probabilities and a transition matrix P predicts every masked site
given the nearest observed ones. It is fitted to neighbouring pairs (i, i + 1) of which the mask
hides one and shows the other, at all sites and under all masks: in each of them the learner
predicts a token next to one that it sees. With M(a, b) the number of such pairs with tokens a and
b, and m(a) the number of samples that hide site 0 and have token a there,

    P(b | a) = (M(a, b) + alpha) / (sum_b' M(a, b') + alpha V)
    initial(a) = (m(a) + alpha) / (sum_a' m(a') + alpha V)

Pairs that are both shown ask nothing of a learner, and of pairs that are both hidden one call
tells the marginals only; neither is counted. Masks are drawn without looking at the tokens, so
for data from a homogeneous chain the counted pairs are fair draws of (x_i, x_{i+1}) and the fit
is consistent. Other data it cannot learn: what it then converges to is the chain with the pooled
pairs of neighbours. One pair in three is counted on average at uniform time, one in L from left
to right. The estimator is ours.
"""

from fractions import Fraction

import numpy as np

from sims.training.samples import TrainingSet, as_prior
from theory import MarkovChain
from theory._core.arrays import from_host, to_host
from theory._core.types import Array, ArrayLike, Number
from theory.errors import InvalidInput

__all__ = ["FittedChain"]


class FittedChain:
    """A homogeneous chain, fitted to pairs of which the mask hides one and shows the other.

    Parameters
    ----------
    training : TrainingSet
    alpha : float or Fraction
        Dirichlet prior for each token, above 0. So every context is possible.
    exact : bool

    Attributes
    ----------
    chain : MarkovChain
    pairs : ndarray of int64, shape (V, V)
        The pairs that were counted.

    Raises
    ------
    InvalidInput

    Examples
    --------
    The first mask shows the first of two bits, the second hides both:

    >>> shown = np.asarray([[True, False], [False, False]])
    >>> training = TrainingSet(np.asarray([[0, 1], [0, 0]]), shown, 2)
    >>> denoiser = FittedChain(training, alpha=1, exact=True)
    >>> denoiser.pairs.tolist(), denoiser.chain.initial.tolist()
    ([[0, 1], [0, 0]], [Fraction(2, 3), Fraction(1, 3)])
    >>> denoiser([[0, -1]])[0, 1].tolist()
    [Fraction(1, 3), Fraction(2, 3)]
    """

    def __init__(
        self, training: TrainingSet, alpha: Number | Fraction = 0.5, *, exact: bool = False
    ) -> None:
        if not isinstance(training, TrainingSet):
            raise InvalidInput(f"training must be a TrainingSet, got {training!r}")
        self.alpha = as_prior(alpha, exact)
        tokens, shown, vocab = training.tokens, training.shown, training.vocab
        rows, left = np.nonzero(shown[:, :-1] != shown[:, 1:])
        codes = tokens[rows, left] * vocab + tokens[rows, left + 1]
        self.pairs = np.bincount(codes, minlength=vocab**2).reshape(vocab, vocab)
        first = np.bincount(tokens[~shown[:, 0], 0], minlength=vocab)
        self.chain = MarkovChain(
            self._shares(first), self._shares(self.pairs), training.length, exact=exact
        )

    def _shares(self, counts: np.ndarray) -> np.ndarray:
        exact = isinstance(self.alpha, Fraction)
        raised = counts.astype(object if exact else np.float64) + self.alpha
        return raised / raised.sum(axis=-1, keepdims=True)

    def __call__(self, x: ArrayLike) -> Array:
        """Predict from patterns (B, L) or (L,), shape (B, L, V) or (L, V), beside `x`."""
        predictions = self.chain.denoise(to_host(x))
        here = self.chain.exact or not hasattr(x, "shape")
        return predictions if here else from_host(predictions, x)

    def __repr__(self) -> str:
        return f"<FittedChain: {int(self.pairs.sum())} pairs, alpha {self.alpha}>"
