"""How often a random set of sites has a given first site, or two given sites as neighbours.

Of k random sites out of L, ``i`` is the first with probability ``C(L-1-i, k-1) / C(L, k)``, and
``i`` and ``i + g`` are neighbours with probability ``C(L-g-1, k-2) / C(L, k)``. Both follow from
the one before by a factor between 0 and 1, so nothing overflows. [ours]

The mean over random sets of a quantity of first sites and neighbours is a sum over those chances.
Neighbours among k sites are some ``L / k`` apart, so all but about ``L log L`` of the ``L^2``
chances are far below what a double resolves.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

__all__ = ["first_chances", "over_first_sites", "over_pairs", "pair_chances"]

NEGLIGIBLE = 1e-40
"""Chances below this are left out of sums of floats."""


def first_chances(length: int, number: Callable[[int], Any]) -> Iterator[np.ndarray]:
    """For each site, the chance that it is the first of k random ones, k = 0..L.

    >>> [chance.tolist() for chance in first_chances(2, float)]
    [[0.0, 0.5, 1.0], [0.0, 0.5, 0.0]]
    """
    size = np.asarray([number(k) for k in range(length + 1)])
    chance = size / length
    for i in range(length):
        yield chance
        chance = chance * np.maximum(length - i - size, 0) / max(length - 1 - i, 1)


def pair_chances(length: int, number: Callable[[int], Any]) -> Iterator[np.ndarray]:
    """For each gap 1, 2, ..., the chance that two sites so far apart are neighbours, k = 0..L.

    >>> from fractions import Fraction
    >>> [list(map(str, chance)) for chance in pair_chances(3, Fraction)]
    [['0', '0', '1/3', '1'], ['0', '0', '1/3', '0']]
    """
    size = np.asarray([number(k) for k in range(length + 1)])
    chance = size * (size - 1) / max(length * (length - 1), 1)
    for gap in range(1, length):
        yield chance
        chance = chance * np.maximum(length - gap + 1 - size, 0) / max(length - gap - 1, 1)


def over_first_sites(values: np.ndarray) -> np.ndarray:
    """Mean of a value at the first of k random sites, k = 0..L; 0 for none.

    Parameters
    ----------
    values : (L,) array of float64
        One for each site.

    >>> over_first_sites(np.asarray([1.0, 3.0])).tolist()
    [0.0, 2.0, 1.0]
    """
    length = len(values)
    return _summed(values, np.arange(length + 1) / length, length - 1)


def over_pairs(values: np.ndarray) -> np.ndarray:
    """Mean sum over the neighbours among k random sites, k = 0..L.

    Parameters
    ----------
    values : (L-1,) array of float64
        For each gap 1, 2, ..., the sum over all pairs of sites that far apart.

    Of two or three sites among three, one or two pairs are neighbours; ``(2 + 2 + 1) / 3`` says
    how far apart two of them are next to each other:

    >>> over_pairs(np.asarray([2.0, 1.0])).round(12).tolist()
    [0.0, 0.0, 1.0, 2.0]
    """
    length = len(values) + 1
    size = np.arange(length + 1, dtype=np.int64)
    chance = size * (size - 1) / max(length * (length - 1), 1)
    return _summed(values, chance, length - 2)


def _summed(values: np.ndarray, chance: np.ndarray, others: int) -> np.ndarray:
    """``sum_n values[n] chance_n`` for each size, with the two recursions above.

    Chances only fall, and from some size on they are negligible for good.
    """
    most = len(chance)
    free, total = most - 1 - np.arange(most, dtype=np.int64), np.zeros(most)
    for n, value in enumerate(values.tolist()):
        total[:most] += value * chance
        chance = chance * np.maximum(free[:most] - n, 0) / max(others - n, 1)
        while most and chance[most - 1] <= NEGLIGIBLE:
            most -= 1
        chance = chance[:most]
    return total
