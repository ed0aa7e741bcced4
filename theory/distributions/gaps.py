"""How often a random set of sites has a given first site, or two given sites as neighbours.

Of k random sites out of L, ``i`` is the first with probability ``C(L-1-i, k-1) / C(L, k)``, and
``i`` and ``i + g`` are neighbours with probability ``C(L-g-1, k-2) / C(L, k)``. Both follow from
the one before by a factor between 0 and 1, so nothing overflows. [ours]
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

__all__ = ["first_chances", "pair_chances"]


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
