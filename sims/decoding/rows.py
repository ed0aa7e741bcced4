"""Rows of arrays: gathered until they are worth the work, and parted where they are too many."""

import itertools
import math
from collections.abc import Iterator
from typing import Any

from theory._core.segments import groups

__all__ = ["Stack", "batches", "split"]

Array = Any


class Stack:
    """Gathers arrays of rows until they are worth the work on them: small ones cost their calls."""

    def __init__(self, most: int, xp: Any) -> None:
        self.most, self.xp = most, xp
        self.parts: list[tuple[Array, ...]] = []
        self.count = 0

    def add(self, *part: Array) -> Iterator[tuple[Array, ...]]:
        """Take arrays of equally many rows; yield all so far, joined, once they are many."""
        rows = part[0].shape[0]
        if rows:
            self.parts.append(part)
            self.count += rows
        if self.count >= self.most:
            yield from self.rest()

    def rest(self) -> Iterator[tuple[Array, ...]]:
        """Yield what is still there, joined, if anything is."""
        parts, self.parts, self.count = self.parts, [], 0
        if len(parts) == 1:
            yield parts[0]
        elif parts:
            yield tuple(self.xp.concat(list(arrays)) for arrays in zip(*parts, strict=True))


def batches(masked: Array, most: int) -> Iterator[tuple[int, Array]]:
    """Rows with equally many masked sites, not too many at once, and that number.

    >>> import numpy as np
    >>> [(count, rows.tolist()) for count, rows in batches(np.asarray([2, 1, 2, 2]), 2)]
    [(1, [1]), (2, [0]), (2, [2, 3])]
    """
    for count, every in groups(masked):
        for rows in split(every, math.ceil(every.shape[0] / most)):
            yield count, rows


def split(rows: Array, parts: int) -> Iterator[Array]:
    """The rows in so many parts of about the same size."""
    ends = [k * rows.shape[0] // parts for k in range(parts + 1)]
    return (rows[a:b] for a, b in itertools.pairwise(ends))
