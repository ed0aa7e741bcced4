"""The mixture of k products that is nearest in KL to the joint of the revealed tokens.

A head that puts out k products and their weights, in place of one product, can be at best

    min over w, theta of KL(p(x_S | c) || sum_j w_j prod_i theta_{j,i}(x_i)).

k = 1 is the product of the marginals, for which the predictions are taken. If some of the tokens
make the others independent, the joint is exactly a mixture of as many products as they have
possible values together: two for a repeated bit or three neighbours of a binary chain,
``2^(d-1)`` for even parity of d bits. Between the two ends, EM from several starts finds a local
optimum: an upper bound on the minimum.

What such a head has learnt is the true joint: for k >= 2 neither the temperature nor a denoiser
that is not perfect changes the mixture. It is an ideal, not a way to draw from given predictions.
"""

import itertools
from typing import Any

import numpy as np

from sims.joints.base import FromData, conditional, marginal, outer, quotients
from theory._core.arrays import is_exact
from theory._markov.classes import possible
from theory.distributions.base import Distribution
from theory.errors import InvalidInput
from theory.lattice.codes import digits
from theory.validation.arguments import as_integer

__all__ = ["Mixture"]

Parts = tuple[np.ndarray, np.ndarray]
"""Weights (K,) and products (K, k, V)."""

MAX_STEPS = 500
"""EM stops here at the latest."""

GAIN = 1e-10
"""EM stops when no start gained this much in nats in its last step."""

ROUNDING = 1e-14
"""Floats are independent if no probability is off by more."""

START_WEIGHT = 0.8
"""A component that starts at one value gives each of its tokens this much beside its marginal."""


class Mixture(FromData):
    """The mixture of products nearest to the joint.

    One component is the product of the predictions, as `Product` is. From two on the true joint of
    the data is fitted, and the predictions are not used, tempered or not. In `JointDraw` the
    rounds of a single site are still drawn from them.

    Parameters
    ----------
    p : Distribution
        The data. Where a context is impossible there is no joint, and the product is left.
    components : int
    rng : numpy.random.Generator, optional
        Draws starts of EM, once: equal contexts get equal mixtures. Without it there is one start,
        with the components at the likeliest values.
    starts : int
        How many more are drawn.

    Notes
    -----
    Exact distributions are allowed where no EM is needed: for one component, and for so many that
    the mixture is the joint.

    >>> from theory import MASK, gallery
    >>> p = gallery.repeated_bit(3)
    >>> x, sites = np.full((1, 3), MASK), np.asarray([[0, 1, 2]])
    >>> probs = Mixture(p, 2).distribution(x, sites, p.denoise(x))
    >>> float(probs[0, 0]), float(probs[0, -1])
    (0.5, 0.5)
    """

    def __init__(
        self,
        p: Distribution,
        components: int,
        rng: np.random.Generator | None = None,
        starts: int = 7,
    ) -> None:
        super().__init__(p)
        self.components = as_integer(components, "components", 1)
        starts = as_integer(starts, "starts", 0)
        self.knows = (
            "the marginals"
            if components == 1
            else f"the {components} products nearest to the joint"
        )
        self._fitted: dict[bytes, Parts] = {}
        if rng is not None and not isinstance(rng, np.random.Generator):
            raise InvalidInput(f"rng must be a numpy.random.Generator, got {type(rng).__name__}")
        shape = (starts, self.components, p.length, p.vocab)
        self._noise = np.zeros((0, *shape[1:])) if rng is None else rng.exponential(size=shape) ** 2

    def __repr__(self) -> str:
        return f"Mixture({self.components})"

    def distribution(self, x: np.ndarray, sites: np.ndarray, marginals: np.ndarray) -> np.ndarray:
        """Return the mixture fitted at each context."""
        if self.components == 1:
            return outer(marginals)
        joint, possible = conditional(self.p, x, sites)
        shape = (*joint.shape[:1], *(self.p.vocab,) * sites.shape[1])
        rows = [
            _mixed(*self._nearest(target, x[row], sites[row]))
            if possible[row]
            else outer(marginals[row, None])[0]
            for row, target in enumerate(joint.reshape(shape))
        ]
        return np.asarray(rows)

    def parts(self, x: np.ndarray, sites: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weights and products of the mixture at one context.

        Parameters
        ----------
        x : ndarray of int64, shape (L,)
            A context that is possible.
        sites : ndarray of int64, shape (k,)

        Returns
        -------
        weights : ndarray, shape (K,)
            As many as there are components, or fewer if that is enough for the joint.
        products : ndarray, shape (K, k, V)

        >>> from theory import MASK, gallery
        >>> mixture = Mixture(gallery.repeated_bit(3), 2)
        >>> weights, products = mixture.parts(np.full(3, MASK), np.arange(3))
        >>> weights.tolist(), products[:, :, 1].tolist()        # all zeros or all ones
        ([0.5, 0.5], [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
        """
        joint, possible = conditional(self.p, x[None], sites[None])
        if not possible[0]:
            raise InvalidInput(f"the context {x.tolist()} is impossible")
        return self._nearest(joint.reshape((self.p.vocab,) * len(sites)), x, sites)

    def _nearest(self, joint: np.ndarray, x: np.ndarray, sites: np.ndarray) -> Parts:
        if self.components == 1:
            product = [marginal(joint, i) for i in range(joint.ndim)]
            return joint.sum(keepdims=True).reshape(1), np.asarray([product])
        for size in range(joint.ndim):
            for given in itertools.combinations(range(joint.ndim), size):
                found = _separated(joint, given, self.components)
                if found is not None:
                    return found
        if is_exact(joint):
            raise InvalidInput(
                f"EM fits {self.components} products in floats, not in exact numbers"
            )
        key = np.append(x, sites).tobytes()
        if key not in self._fitted:
            self._fitted[key] = self._em(joint.reshape(-1), sites)
        return self._fitted[key]

    def _em(self, joint: np.ndarray, sites: np.ndarray) -> Parts:
        """Expectation maximisation from all starts at once; the best of them."""
        vocab, size = self.p.vocab, self.components
        values = np.flatnonzero(joint)
        p = joint[values]
        one_hot = np.eye(vocab)[digits(values, len(sites), vocab)].transpose(1, 0, 2)  # (k, N, V)
        marginals = p @ one_hot  # (k, V)
        likeliest = one_hot[:, np.argsort(-p, kind="stable")[:size]].transpose(1, 0, 2)
        first = START_WEIGHT * likeliest + (1 - START_WEIGHT) * marginals
        theta = np.concatenate([first[None], marginals * self._noise[:, :, sites]])
        theta = theta / theta.sum(axis=-1, keepdims=True)
        weights = np.full((len(theta), size), 1 / size)
        before = np.full(len(theta), -np.inf)
        best = theta[0], weights[0]
        for _ in range(MAX_STEPS):
            parts = weights[:, :, None] * _products(theta, one_hot)
            mix = parts.sum(axis=1)
            value = np.log(np.maximum(mix, np.finfo(float).tiny)) @ p
            best = theta[np.argmax(value)], weights[np.argmax(value)]
            gained, before = (value - before).max(), value
            if gained < GAIN:
                break
            shares = parts / np.maximum(mix, np.finfo(float).tiny)[:, None] * p
            weights = shares.sum(axis=-1)
            theta = np.stack([shares @ site for site in one_hot], axis=2)
            theta = theta / np.maximum(weights, np.finfo(float).tiny)[:, :, None, None]
        theta, weights = best
        return weights, theta


def _separated(joint: np.ndarray, given: tuple[int, ...], most: int) -> Parts | None:
    """One product for each value of these axes; None if there are more, or it is not the joint."""
    count, vocab = joint.ndim, joint.shape[0]
    others = tuple(i for i in range(count) if i not in given)
    whole = np.asarray(marginal(joint, *given)).reshape(-1)
    values = np.flatnonzero(whole != 0)
    if len(values) > most:
        return None
    weights = whole[values]
    products = np.zeros((len(values), count, vocab), dtype=joint.dtype)
    tokens = digits(values, len(given), vocab)
    for k, axis in enumerate(given):
        products[np.arange(len(values)), axis, tokens[:, k]] = 1
    for i in others:
        axis = sum(g < i for g in given)  # of site i, once the others are summed out
        both = np.moveaxis(marginal(joint, i, *given), axis, -1)
        products[:, i] = quotients(both.reshape(-1, vocab)[values], weights[:, None])
    gap = _mixed(weights, products) - joint.reshape(-1)
    off = possible(gap) if is_exact(joint) else abs(gap) > ROUNDING
    return None if off.any() else (weights, products)


def _mixed(weights: np.ndarray, products: np.ndarray) -> np.ndarray:
    """The distribution of a mixture, (V^k,)."""
    return (weights[:, None] * outer(products)).sum(axis=0)


def _products(theta: np.ndarray, one_hot: np.ndarray) -> np.ndarray:
    """Probability of every possible value in every component, (R, K, N)."""
    probs: Any = 1.0
    for i, site in enumerate(one_hot):
        probs = probs * (theta[:, :, i] @ site.T)
    return probs
