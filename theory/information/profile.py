"""The profile, mean entropy of one more site given j random ones, and the costs that follow."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from theory._core.arrays import to_host
from theory._core.types import Array, ArrayLike, Number
from theory.distributions.base import Distribution, check_distribution
from theory.errors import InvalidInput
from theory.information.units import in_units, not_negative
from theory.validation.arguments import as_numbers, as_sizes

__all__ = ["as_profile", "gains", "mean_entropies", "path_cost", "profile", "rounding"]

ROUNDING = 1e-13
"""Relative to the greatest entropy of a site, and times L: what a profile may be off by."""


def mean_entropies(p: Distribution, *, base: float | None = None) -> Array:
    """Mean entropy ``e_k`` of k random sites, shape (L+1,), k = 0..L.

    Raises
    ------
    TooLarge
        If the family needs all subset entropies and they would not fit.

    >>> from theory import JointTable
    >>> same = JointTable([[[1, 0], [0, 0]], [[0, 0], [0, 1]]], exact=True)
    >>> mean_entropies(same, base=2).tolist()
    [0, 1, 1, 1]
    """
    check_distribution(p)
    return in_units(not_negative(p.mean_entropies), base)


def profile(p: Distribution, *, base: float | None = None) -> Array:
    """Mean entropy of one more site given j random ones, shape (L,), j = 0..L-1.

    Raises
    ------
    TooLarge
        If the family needs all subset entropies and they would not fit.

    >>> from theory import JointTable
    >>> same = JointTable([[[1, 0], [0, 0]], [[0, 0], [0, 1]]], exact=True)
    >>> profile(same, base=2).tolist()
    [1, 0, 0]
    """
    check_distribution(p)
    means = p.mean_entropies
    return in_units(not_negative(means[1:] - means[:-1]), base)


def gains(p: Distribution, *, base: float | None = None) -> Array:
    """By how much the entropies of all sites fall when j random others are known, shape (L,).

    ``h_j = L (f(0) - f(j))``: it never decreases, and ends at ``TC + DTC``.

    >>> from theory import JointTable
    >>> same = JointTable([[[1, 0], [0, 0]], [[0, 0], [0, 1]]], exact=True)
    >>> gains(same, base=2).tolist()
    [0, 3, 3]
    """
    f = profile(p, base=base)
    return not_negative((f[0] - f) * p.length)


def path_cost(p: Distribution, sizes: Sequence[int], *, base: float | None = None) -> Number:
    """Expected KL divergence of random-order decoding with these batch sizes.

    The mean of ``KL(p || q_path)`` over uniformly random ordered partitions of the sites into
    batches of these sizes, each batch drawn in parallel from the zero-loss predictions::

        sum_k [ s_k f(a_k) - (e_{a_k + s_k} - e_{a_k}) ],     a_k = s_0 + ... + s_{k-1}

    which is the left-Riemann error of the profile. Source: Chen, Cong, Li (arXiv 2511.04647)
    as restated by Wainwright (arXiv 2608.13520). It bounds ``KL(p || mean of q_path)``, which
    is what the decoder's user gets.

    Parameters
    ----------
    sizes : sequence of int
        Positive, summing to L.

    >>> from theory import JointTable
    >>> same = JointTable([[[1, 0], [0, 0]], [[0, 0], [0, 1]]], exact=True)
    >>> [path_cost(same, sizes, base=2) for sizes in [(3,), (2, 1), (1, 2)]]
    [2, 1, 0]
    """
    check_distribution(p)
    sizes = as_sizes(sizes, p.length)
    means = p.mean_entropies
    cost: Any = 0
    start = 0
    for size in sizes:
        one_more = means[start + 1] - means[start]
        cost = cost + size * one_more - (means[start + size] - means[start])
        start += size
    return in_units(not_negative(cost), base)


def as_profile(p: Distribution | ArrayLike) -> np.ndarray:
    """Profile of a distribution, or a checked profile, as floats on the host.

    Raises
    ------
    InvalidInput
        If what is given as a profile increases by more than rounding.

    >>> as_profile([1, 0.5])
    array([1. , 0.5])
    """
    f = to_host(as_numbers(profile(p) if isinstance(p, Distribution) else p, "profile"))
    if f.ndim != 1 or f.size == 0:
        raise InvalidInput(f"profile must hold L numbers, got shape {f.shape}")
    above = f - np.minimum.accumulate(f)
    if not isinstance(p, Distribution) and above.max() > rounding(f):
        j = int(np.argmax(above))
        raise InvalidInput(f"a profile must not increase: entry {j} is {f[j]}, after {min(f[:j])}")
    return f


def rounding(f: np.ndarray) -> float:
    """What a profile, a difference of mean entropies, may be off by."""
    return ROUNDING * f.size * float(np.abs(f).max())
