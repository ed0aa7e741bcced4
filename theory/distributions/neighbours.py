"""The nearest observed sites of every site: all that a prediction of a chain depends on."""

from typing import NamedTuple

from theory._core.arrays import MASK, array_namespace, device
from theory._core.segments import cummax
from theory._core.types import Array

__all__ = ["Neighbours", "nearest_observed"]


class Neighbours(NamedTuple):
    """The nearest observed sites of every site, strictly on its left and right.

    Attributes
    ----------
    left, right : array of int64, shape (B, L)
        -1 and L where there is none.
    longest_gap : int
        Longest distance to one of them, at least 1.
    """

    left: Array
    right: Array
    longest_gap: int


def nearest_observed(x: Array) -> Neighbours:
    """Find the nearest observed sites in patterns (B, L).

    >>> import numpy as np
    >>> near = nearest_observed(np.asarray([[MASK, 0, MASK, MASK]]))
    >>> near.left.tolist(), near.right.tolist(), near.longest_gap
    ([[-1, -1, 1, 1]], [[1, 4, 4, 4]], 2)
    """
    xp, (_, length) = array_namespace(x), x.shape
    site = xp.arange(length, dtype=xp.int64, device=device(x))
    masked = x == MASK
    left = _last_observed(masked, site)
    right = length - 1 - xp.flip(_last_observed(xp.flip(masked, axis=1), site), axis=1)
    # a gap on the right is also one on the left of a later site, except before the first observed
    first = right[:, :1]
    gaps = (
        xp.where(left < 0, xp.zeros_like(site), site - left),
        xp.where(first >= length, xp.zeros_like(first), first),
    )
    return Neighbours(left, right, max(1, *(int(xp.max(gap)) for gap in gaps)))


def _last_observed(masked: Array, site: Array) -> Array:
    """Index of the last observed site strictly left of each site, -1 where there is none."""
    xp = array_namespace(masked)
    nowhere = xp.full((masked.shape[0], 1), -1, dtype=xp.int64, device=device(masked))
    observed = xp.where(masked[:, :-1], nowhere, site[:-1])
    return cummax(xp.concat([nowhere, observed], axis=1))
