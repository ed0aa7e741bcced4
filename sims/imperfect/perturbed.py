"""Imperfect denoisers: the zero-loss one with noise, a temperature, or smoothing."""

import math
from fractions import Fraction
from typing import Any

import numpy as np

from sims.decoding.sampling import temper
from theory import MASK
from theory._core.arrays import from_host, log, softmax, to_host
from theory._core.exact import is_rational
from theory._core.types import Array, ArrayLike
from theory.distributions.base import Distribution, check_distribution
from theory.errors import InvalidInput
from theory.lattice.lattice import reveal_observed
from theory.validation.arguments import as_integer, as_real, as_tokens

__all__ = ["Perturbed"]


class Perturbed:
    """The zero-loss denoiser of `p` with three kinds of errors, in this order.

    Parameters
    ----------
    p : Distribution
    noise : float
        Standard deviation of Gaussian noise on every logit. The noise is a function of the seed,
        the pattern, the site and the token: equal patterns get equal predictions. Tokens that
        are impossible stay impossible.
    temperature : float
        Predictions to the power ``1 / temperature``, renormalised; below 1 it is overconfident.
    smoothing : float or Fraction
        Weight of the uniform distribution that is mixed in.
    seed : int

    Raises
    ------
    InvalidInput
        If a value is out of range, or if `p` is exact and anything but rational smoothing is
        given.

    Examples
    --------
    >>> from theory import MASK, gallery
    >>> denoiser = Perturbed(gallery.parity(2, exact=True), smoothing=Fraction(1, 5))
    >>> denoiser(np.asarray([[0, MASK]]))[0, 1].tolist()
    [Fraction(9, 10), Fraction(1, 10)]

    A wrapped denoiser goes wherever the right one goes:

    >>> from sims import output_distribution, policies
    >>> p = gallery.parity(4)
    >>> q = output_distribution(p, policies.LeftToRight(), denoiser=Perturbed(p, smoothing=0.2))
    >>> round(q.valid_mass, 12)                     # only the last bit can break the parity
    0.9
    """

    def __init__(
        self,
        p: Distribution,
        *,
        noise: float = 0.0,
        temperature: float = 1.0,
        smoothing: float | Fraction = 0,
        seed: int = 0,
    ) -> None:
        check_distribution(p)
        self.p = p
        self.noise = as_real(noise, "noise", 0, math.inf)
        self.temperature = as_real(temperature, "temperature", 0, math.inf, ends=False)
        as_real(smoothing, "smoothing", 0, 1)
        self.smoothing: Any = smoothing if p.exact else float(smoothing)
        self.seed = as_integer(seed, "seed", 0)
        if p.exact and (self.noise or self.temperature != 1 or not is_rational(smoothing)):
            raise InvalidInput("an exact distribution allows rational smoothing only")

    def __call__(self, x: ArrayLike) -> Array:
        """Predict from patterns (B, L) or (L,), shape (B, L, V) or (L, V), beside `p`."""
        x, single = as_tokens(x, self.p.length, self.p.vocab, self.p.like)
        host = to_host(x)
        predictions = to_host(self.p.denoise(x, on_impossible="marginal"))
        if self.noise:
            predictions = softmax(log(predictions) + self.noise * self._gaussian(host))
        predictions = temper(predictions, self.temperature)
        if self.smoothing:
            share = self.smoothing * Fraction(1, self.p.vocab)
            predictions = (1 - self.smoothing) * predictions + share
        predictions = reveal_observed(host, predictions)
        if not self.p.exact:
            predictions = from_host(predictions, self.p.like)
        return predictions[0, ...] if single else predictions

    def _gaussian(self, x: np.ndarray) -> np.ndarray:
        """Standard normal numbers, shape (B, L, V), from a hash of the pattern."""
        from scipy.special import ndtri

        state, seed = np.zeros(len(x), dtype=np.uint64), self.seed
        while True:
            state, seed = _mixed(state ^ np.uint64(seed % 2**64)), seed // 2**64
            if not seed:
                break
        for site in range(x.shape[1]):
            state = _mixed(state ^ (x[:, site] - MASK).astype(np.uint64))
        index = np.arange(x.shape[1] * self.p.vocab, dtype=np.uint64)
        bits = _mixed(_mixed(state)[:, None] ^ _mixed(index))
        uniform = ((bits >> np.uint64(11)).astype(np.float64) + 0.5) / 2**53
        return ndtri(uniform).reshape(*x.shape, self.p.vocab)

    def __repr__(self) -> str:
        return (
            f"Perturbed({self.p!r}, noise={self.noise}, temperature={self.temperature}, "
            f"smoothing={self.smoothing}, seed={self.seed})"
        )


def _mixed(x: np.ndarray) -> np.ndarray:
    """The finaliser of SplitMix64: every bit of the input moves half of the output's bits."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
