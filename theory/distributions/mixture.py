"""Mixtures of product distributions: a latent component is drawn, then every site on its own.

The posterior of the component given the observed tokens is computed in logarithms, so it holds
at any length; the prediction is the mixture of the components' site distributions under it.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from theory._core.arrays import (
    MASK,
    array_namespace,
    from_host,
    log,
    on_one_device,
    softmax,
    within_memory,
    xlogx,
    xlogy,
)
from theory._core.special import log_binomials, log_sum_exp
from theory._core.types import Array, ArrayLike, Number
from theory.distributions.base import Distribution
from theory.distributions.exchangeable import Exchangeable
from theory.distributions.sampling import check_draw, draw_tokens
from theory.errors import InvalidInput
from theory.lattice.lattice import reveal_observed
from theory.validation.probabilities import as_rows, as_weights

__all__ = ["ProductMixture"]


class ProductMixture(Distribution):
    """With probability ``weights[r]``, independent tokens with distributions ``sites[r, i]``.

    Parameters
    ----------
    weights : array_like, shape (R,)
        Non-negative, normalised here.
    sites : array_like, shape (R, L, V)
        Rows sum to 1.
    symbols : sequence of str, optional

    Raises
    ------
    InvalidInput
        If shapes disagree, weights are negative, or a row does not sum to 1.

    Examples
    --------
    All zeros or all ones, each with probability 1/2:

    >>> from theory import MASK
    >>> p = ProductMixture([1, 1], [[[1, 0], [1, 0]], [[0, 1], [0, 1]]])
    >>> p.denoise([[MASK, MASK], [1, MASK]])[:, 1]
    array([[0.5, 0.5],
           [0. , 1. ]])
    """

    @within_memory("a mixture")
    def __init__(
        self, weights: ArrayLike, sites: ArrayLike, symbols: Sequence[str] | None = None
    ) -> None:
        self.weights = as_weights(weights).values
        self.sites = as_rows(sites, "sites", 3)
        self.weights, self.sites = on_one_device(self.weights, self.sites)
        if self.weights.ndim != 1 or self.sites.shape[0] != self.weights.shape[0]:
            raise InvalidInput(
                f"weights must have shape (R,) and sites (R, L, V), got "
                f"{tuple(self.weights.shape)} and {tuple(self.sites.shape)}"
            )
        self._describe(self.sites.shape[1], self.sites.shape[2], symbols)
        xp = array_namespace(self.sites)
        # (L, V + 1, R): the last token is MASK, which says nothing about the component
        tables = xp.permute_dims(log(self.sites), (1, 2, 0))
        self._log_sites = xp.concat([tables, xp.zeros_like(tables[:, :1, :])], axis=1)
        self._log_weights = log(self.weights)

    @property
    def like(self) -> Array:
        return self.sites

    def _log_joint(self, x: Array) -> Array:
        """``log(weights[r] p(x_S | r))``, shape (B, R)."""
        xp = array_namespace(x)
        logarithm = self._log_weights[None, :]
        slots = xp.where(x == MASK, xp.full_like(x, self.vocab), x)
        for i in range(self.length):
            logarithm = logarithm + xp.take(self._log_sites[i, ...], slots[:, i], axis=0)
        return logarithm

    def _predict(self, x: Array) -> tuple[Array, Array]:
        logarithm = self._log_joint(x)
        xp = array_namespace(logarithm)
        posterior = softmax(logarithm)
        flat = xp.reshape(self.sites, (self.weights.shape[0], -1))
        predictions = xp.reshape(xp.matmul(posterior, flat), (*x.shape, self.vocab))
        return predictions, xp.any(xp.isfinite(logarithm), axis=1)

    def _log_evidence(self, x: Array) -> Array:
        return log_sum_exp(self._log_joint(x))

    def _given(self, pattern: Array) -> "ProductMixture":
        xp = array_namespace(self.sites)
        posterior = softmax(self._log_joint(pattern[None, :]))[0, ...]
        shown = xp.broadcast_to(pattern[None, :], self.sites.shape[:2])
        sites = reveal_observed(shown, xp.asarray(self.sites, copy=True))
        return ProductMixture(posterior, sites, symbols=self.symbols)

    @cached_property
    def _exchangeable(self) -> Exchangeable | None:
        """The same distribution if the sites are bits, identically distributed given r."""
        xp = array_namespace(self.sites)
        if self.vocab != 2 or not bool(xp.all(self.sites == self.sites[:, :1, :])):
            return None
        ones = from_host(np.arange(self.length + 1.0)[:, None], self.sites)
        zero, one = self.sites[:, 0, 0], self.sites[:, 0, 1]
        likelihood = xlogy(ones, one) + xlogy(self.length - ones, zero)
        counts = log_sum_exp(likelihood + self._log_weights)
        return Exchangeable.from_logarithms(
            counts + from_host(log_binomials(self.length), self.sites)
        )

    def subset_entropy(self, sites: tuple[int, ...], given: Array | None = None) -> Number:
        """Entropy in nats of a set of sites; see `mean_subset_entropies`."""
        if self._exchangeable is None:
            return super().subset_entropy(sites, given)
        return self._exchangeable.subset_entropy(sites, given)

    def mean_subset_entropies(self) -> Array:
        """Mean entropy in nats of k random sites, k = 0..L.

        Where the sites are bits, identically distributed in each component, the number of ones is
        a mixture of binomials, and `Exchangeable` takes O(L^2) steps. Otherwise by the lattice.
        """
        if self._exchangeable is None:
            return super().mean_subset_entropies()
        return self._exchangeable.mean_subset_entropies()

    def mean_entropy_bracket(self) -> tuple[Array, Array]:
        """Bounds of the mean entropy of k random sites in nats, k = 0..L, in closed form.

        Given the component the sites are independent. Their entropy exceeds that conditional one
        by at most the entropy of the component, and is at most the sum of their own entropies.
        [ours]
        """
        xp = array_namespace(self.sites)
        size = from_host(np.arange(self.length + 1) / self.length, self.sites)  # k / L
        conditional = size * xp.sum(-xp.sum(xlogx(self.sites), axis=(1, 2)) * self.weights)
        marginal = size * -xp.sum(xlogx(self.marginals))
        component = xp.where(size > 0, -xp.sum(xlogx(self.weights)), xp.zeros_like(size))
        return conditional, xp.minimum(conditional + component, marginal)

    @within_memory("a sample")
    def sample(self, rng: np.random.Generator, size: int) -> Array:
        """Draw sequences, shape (size, L): a component, then every site."""
        size = check_draw(rng, size)
        xp = array_namespace(self.sites)
        chosen = draw_tokens(rng, xp.broadcast_to(self.weights, (size, *self.weights.shape)))
        tokens = [
            draw_tokens(rng, xp.take(self.sites[:, i, :], chosen, axis=0))
            for i in range(self.length)
        ]
        return xp.stack(tokens, axis=1)
