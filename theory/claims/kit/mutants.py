"""Denoisers that are deliberately wrong: the planted violations of several claims."""

from collections.abc import Callable

from theory._core.arrays import MASK, array_namespace
from theory._core.types import Array
from theory.distributions.base import Distribution
from theory.lattice.lattice import quotient
from theory.loss.forward import Denoiser

__all__ = ["DenoiserOf", "marginals_only", "smoothed", "zero_loss"]

DenoiserOf = Callable[[Distribution], Denoiser]
"""How the denoiser of a distribution is made."""


def zero_loss(p: Distribution) -> Denoiser:
    """The right one: the conditional marginals of `p`."""
    return lambda x: p.denoise(x, on_impossible="marginal")


def smoothed(p: Distribution) -> Denoiser:
    """Half the right prediction, half the uniform one."""

    def denoise(x: Array) -> Array:
        right = zero_loss(p)(x)
        xp = array_namespace(right)
        ones = xp.ones_like(right)
        return quotient(right + quotient(ones, ones * p.vocab), ones * 2)

    return denoise


def marginals_only(p: Distribution) -> Denoiser:
    """The unconditional marginals, whatever is observed."""

    def denoise(x: Array) -> Array:
        return p.denoise(array_namespace(x).full_like(x, MASK))

    return denoise
