"""Probabilities that a site is the first, or two sites are neighbours, of a uniformly random set.

Of k random sites out of L, ``i`` is the first with probability ``C(L-1-i, k-1) / C(L, k)``, and
``i`` and ``i + g`` are neighbours with probability ``C(L-g-1, k-2) / C(L, k)``. Both follow from
the one before by a factor between 0 and 1, so nothing overflows. [ours]

The mean over random sets of a quantity of first sites and neighbours is a sum with these weights.
Neighbours among k sites are some ``L / k`` apart, so all but about ``L log L`` of the ``L^2``
probabilities are far below what a double resolves.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

__all__ = ["first_site_probabilities", "neighbour_probabilities", "over_first_sites", "over_pairs"]

NEGLIGIBLE = 1e-40
"""Probabilities up to this are left out of sums of floats."""


def first_site_probabilities(length: int, number: Callable[[int], Any]) -> Iterator[np.ndarray]:
    """For each site, the probability that it is the first of k random ones, k = 0..L.

    >>> [share.tolist() for share in first_site_probabilities(2, float)]
    [[0.0, 0.5, 1.0], [0.0, 0.5, 0.0]]
    """
    size = np.asarray([number(k) for k in range(length + 1)])
    return _successive(size / length, size, length - 1)


def neighbour_probabilities(length: int, number: Callable[[int], Any]) -> Iterator[np.ndarray]:
    """For each gap 1, 2, ..., the probability that two sites so far apart are neighbours, k = 0..L.

    >>> from fractions import Fraction
    >>> [list(map(str, share)) for share in neighbour_probabilities(3, Fraction)]
    [['0', '0', '1/3', '1'], ['0', '0', '1/3', '0']]
    """
    size = np.asarray([number(k) for k in range(length + 1)])
    return _successive(_share_of_pairs(size), size, length - 2)


def over_first_sites(values: np.ndarray) -> np.ndarray:
    """Mean of the value (L,) at the first of k random sites, k = 0..L; 0 for none.

    >>> over_first_sites(np.asarray([1.0, 3.0])).tolist()
    [0.0, 2.0, 1.0]
    """
    length = len(values)
    return _summed(values, np.arange(length + 1) / length, length - 1)


def over_pairs(values: np.ndarray) -> np.ndarray:
    """Mean sum over the neighbours among k random sites, k = 0..L.

    The values (L-1,) are, for each gap 1, 2, ..., the sum over all pairs of sites that far apart.

    Of two or three sites among three, one or two pairs are neighbours; ``(2 + 2 + 1) / 3`` says
    how far apart two of them are next to each other:

    >>> over_pairs(np.asarray([2.0, 1.0])).round(12).tolist()
    [0.0, 0.0, 1.0, 2.0]
    """
    size = np.arange(len(values) + 2, dtype=np.int64)
    return _summed(values, _share_of_pairs(size), len(values) - 1)


def _share_of_pairs(size: np.ndarray) -> np.ndarray:
    """The probability that k = 0..L random sites hold two given ones."""
    length = len(size) - 1
    return size * (size - 1) / max(length * (length - 1), 1)


def _successive(share: np.ndarray, size: np.ndarray, others: int) -> Iterator[np.ndarray]:
    """The probabilities for n = 0, 1, ..., `others` sites passed over, each from the one before."""
    length = len(size) - 1
    for n in range(others + 1):
        yield share
        share = share * np.maximum(length - n - size, 0) / max(others - n, 1)


def _summed(values: np.ndarray, share: np.ndarray, others: int) -> np.ndarray:
    """``sum_n values[n] share_n`` for each size, with the same recursion.

    Probabilities only fall, and from some size on they are negligible for good.
    """
    most = len(share)
    free, total = most - 1 - np.arange(most, dtype=np.int64), np.zeros(most)
    for n, value in enumerate(values.tolist()):
        total[:most] += value * share
        share = share * np.maximum(free[:most] - n, 0) / max(others - n, 1)
        while most and share[most - 1] <= NEGLIGIBLE:
            most -= 1
        share = share[:most]
    return total
