"""The profile, mean entropy of one more site given j random ones, and the costs that follow."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from theory._core.arrays import to_host
from theory._core.types import Array, ArrayLike, Number
from theory.distributions.base import Distribution
from theory.errors import InvalidInput
from theory.information.units import in_units, not_negative
from theory.validation.arguments import as_numbers, as_sizes

__all__ = [
    "Profile",
    "as_profile",
    "gains",
    "mean_entropies",
    "path_cost",
    "profile",
    "rounding",
    "with_profile",
]

ROUNDING = 1e-13
"""Relative to the greatest entropy of a site, and times L: what a profile may be off by."""


@dataclass(frozen=True, eq=False)
class Profile:
    """What is known of a distribution of which there is only the profile, such as an estimate.

    Attributes
    ----------
    values : ndarray, shape (L,)
        ``f(j)`` in nats, which never increases.
    """

    values: np.ndarray
    exact = False

    @property
    def length(self) -> int:
        """Number of sites."""
        return self.values.size

    @cached_property
    def mean_entropies(self) -> np.ndarray:
        """Mean entropy in nats of k random sites, shape (L+1,)."""
        return np.concatenate([[0.0], np.cumsum(self.values)])


def with_profile(p: Distribution | Profile | ArrayLike) -> Distribution | Profile:
    """Return what has a length and mean entropies: a distribution, or a profile after checks.

    Raises
    ------
    InvalidInput
        If what is given as a profile is none in nats, or increases by more than rounding.
    """
    if isinstance(p, (Distribution, Profile)):
        return p
    shape = np.shape(p) if isinstance(p, (list, tuple)) or hasattr(p, "shape") else None
    if shape is None or len(shape) != 1 or not shape[0]:
        what = type(p) if shape is None else f"an array of shape {tuple(shape)}"
        raise InvalidInput(
            f"p must be a Distribution such as JointTable(table), or a profile of shape (L,), "
            f"got {what}"
        )
    f = as_profile(p)
    if f[-1] < -rounding(f):
        raise InvalidInput(f"a profile must not be negative: entry {f.size - 1} is {f[-1]}")
    return Profile(f)


def mean_entropies(p: Distribution | Profile | ArrayLike, *, base: float | None = None) -> Array:
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
    p = with_profile(p)
    return in_units(not_negative(p.mean_entropies), base)


def profile(p: Distribution | Profile | ArrayLike, *, base: float | None = None) -> Array:
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
    p = with_profile(p)
    means = p.mean_entropies
    return in_units(not_negative(means[1:] - means[:-1]), base)


def gains(p: Distribution | Profile | ArrayLike, *, base: float | None = None) -> Array:
    """By how much the entropies of all sites fall when j random others are known, shape (L,).

    ``h_j = L (f(0) - f(j))``: it never decreases, and ends at ``TC + DTC``.

    >>> from theory import JointTable
    >>> same = JointTable([[[1, 0], [0, 0]], [[0, 0], [0, 1]]], exact=True)
    >>> gains(same, base=2).tolist()
    [0, 3, 3]
    """
    f = profile(p, base=base)
    return not_negative((f[0] - f) * f.shape[0])


def path_cost(
    p: Distribution | Profile | ArrayLike, sizes: Sequence[int], *, base: float | None = None
) -> Number:
    """Expected KL divergence of random-order decoding with these batch sizes.

    The mean of ``KL(p || q_path)`` over uniformly random ordered partitions of the sites into
    batches of these sizes, each batch drawn in parallel from the zero-loss predictions::

        sum_k [ s_k f(a_k) - (e_{a_k + s_k} - e_{a_k}) ],     a_k = s_0 + ... + s_{k-1}

    which is the left-Riemann error of the profile. Source: Chen, Cong, Li (arXiv 2511.04647)
    as restated by Wainwright (arXiv 2608.13520). It bounds ``KL(p || mean of q_path)``, which
    is what the decoder's user gets.

    Parameters
    ----------
    p : Distribution, or array_like of shape (L,)
        Or its profile in nats, such as the mean of `estimate_profile`.
    sizes : sequence of int
        Positive, summing to L.

    >>> from theory import JointTable
    >>> same = JointTable([[[1, 0], [0, 0]], [[0, 0], [0, 1]]], exact=True)
    >>> [path_cost(same, sizes, base=2) for sizes in [(3,), (2, 1), (1, 2)]]
    [2, 1, 0]
    """
    p = with_profile(p)
    sizes = as_sizes(sizes, p.length)
    means = p.mean_entropies
    cost: Any = 0
    start = 0
    for size in sizes:
        one_more = means[start + 1] - means[start]
        cost = cost + size * one_more - (means[start + size] - means[start])
        start += size
    return in_units(not_negative(cost), base)


def as_profile(p: Distribution | Profile | ArrayLike) -> np.ndarray:
    """Profile of a distribution, or a checked profile, as floats on the host.

    Raises
    ------
    InvalidInput
        If what is given as a profile increases by more than rounding.

    >>> as_profile([1, 0.5])
    array([1. , 0.5])
    """
    if isinstance(p, Profile):
        return p.values
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
