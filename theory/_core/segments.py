"""Sums of the values that have the same index, scatter, gather and other indexing on any backend.

The array API standard has no segment sum. On the host ``bincount`` and ``ufunc.at`` do it.
Elsewhere only names of the standard are used: equal indices are brought together by sorting, and
within each the first value is added to the second, the third to the fourth, and so on, until one
is left. So the number of values is halved in every turn, the order of the additions is always the
same, and no sum is a difference of two cumulative sums, in which small values would be lost.

The other functions stand for more names that the standard lacks (assignment by index, ``take`` of
any shape, rows grouped by a number, ``maximum.accumulate``), or for which NumPy has faster ones
(``any``, sums of bools).
"""

from collections.abc import Iterator

import numpy as np

from theory._core.arrays import array_namespace, device
from theory._core.types import Array

__all__ = [
    "Sums",
    "any_true",
    "cummax",
    "distinct_rows",
    "gather",
    "groups",
    "row_counts",
    "scatter",
    "segment_sum",
    "sum_by_key",
]


PENDING = 2**20
"""Values that are collected before they are added up, beside those added up already."""


def sum_by_key(index: Array, *values: Array) -> tuple[Array, ...]:
    """Add up the values (N,) that have the same index (N,), an int64 that is not negative.

    Returns the K different indices in increasing order, and the sums (K,) of each array of values:
    floats, integers, or on the host objects.

    >>> [x.tolist() for x in sum_by_key(np.asarray([7, 3, 7]), np.asarray([0.5, 1.0, 2.0]))]
    [[3, 7], [1.0, 2.5]]
    """
    if not isinstance(index, np.ndarray):
        return _added_pairwise(index, *values)
    if not index.size:
        return index, *values
    span = int(index.max()) + 1
    if span <= 4 * len(index):  # most of the range is there: no need to sort
        unique = np.flatnonzero(np.bincount(index, minlength=span))
        return unique, *(segment_sum(index, v, span)[unique] for v in values)
    unique, inverse = np.unique(index, return_inverse=True)
    return unique, *(segment_sum(inverse, v, len(unique)) for v in values)


def _added_pairwise(index: Array, *values: Array) -> tuple[Array, ...]:
    xp = array_namespace(index)
    order = xp.argsort(index, stable=True)
    index, values = xp.take(index, order), tuple(xp.take(v, order) for v in values)
    while index.shape[0] > 1:
        first = xp.concat([xp.ones_like(index[:1]) > 0, index[1:] != index[:-1]])
        if bool(xp.all(first)):
            break
        starts = xp.nonzero(first)[0]
        run = xp.cumulative_sum(xp.astype(first, xp.int64)) - 1
        entries = xp.arange(index.shape[0], dtype=xp.int64, device=device(index))
        even = (entries - xp.take(starts, run)) % 2 == 0
        kept = xp.nonzero(even)[0]
        following = xp.minimum(kept + 1, entries[-1:])
        paired = ~xp.take(even, following)  # an odd entry follows the even one of its own run
        values = tuple(
            xp.take(v, kept) + xp.where(paired, xp.take(v, following), xp.zeros_like(v[:1]))
            for v in values
        )
        index = xp.take(index, kept)
    return index, *values


def segment_sum(index: Array, values: Array, count: int) -> Array:
    """Sums of the values that have the index 0, 1, ..., count - 1, shape (count,).

    >>> segment_sum(np.asarray([2, 0, 2]), np.asarray([0.5, 1.0, 2.0]), 4).tolist()
    [1.0, 0.0, 2.5, 0.0]
    """
    if isinstance(index, np.ndarray):
        if values.dtype == np.float64 and index.size:
            return np.bincount(index, weights=values, minlength=count)
        total = np.zeros(count, dtype=values.dtype)
        np.add.at(total, index, values)
        return total
    index, values = _added_pairwise(index, values)
    return _spread(index, values, count)


def scatter(index: Array, values: Array, count: int) -> Array:
    """Values (or rows of them) at different indices, and 0 elsewhere, shape (count, ...).

    >>> scatter(np.asarray([2, 0]), np.asarray([5, 6]), 4).tolist()
    [6, 0, 5, 0]
    """
    if isinstance(index, np.ndarray):
        table = np.zeros((count, *values.shape[1:]), dtype=values.dtype)
        table[index] = values
        return table
    xp = array_namespace(index)
    order = xp.argsort(index)
    return _spread(xp.take(index, order), xp.take(values, order, axis=0), count)


def _spread(index: Array, values: Array, count: int) -> Array:
    """Values at strictly increasing indices; 0 elsewhere."""
    xp = array_namespace(index)
    if not index.shape[0]:
        shape = (count, *values.shape[1:])
        return xp.zeros(shape, dtype=values.dtype, device=device(values))
    every = xp.arange(count, dtype=xp.int64, device=device(index))
    found = xp.minimum(xp.searchsorted(index, every), xp.full_like(every, index.shape[0] - 1))
    here = xp.reshape(xp.take(index, found) == every, (count, *[1] * (values.ndim - 1)))
    return xp.where(here, xp.take(values, found, axis=0), xp.zeros_like(values[:1, ...]))


class Sums:
    """A running `segment_sum`: a table of `count` entries to which values are added.

    The values have the dtype, backend and device of `like`.

    >>> sums = Sums(3, np.zeros(1))
    >>> sums.add(np.asarray([1, 1]), np.asarray([0.5, 0.25]))
    >>> sums.table().tolist()
    [0.0, 0.75, 0.0]
    """

    def __init__(self, count: int, like: Array) -> None:
        self.count, self.like = count, like
        self._whole = np.zeros(count, dtype=like.dtype) if isinstance(like, np.ndarray) else None
        self._parts: list[tuple[Array, ...]] = []
        self._pending = self._kept = 0

    def add(self, index: Array, values: Array) -> None:
        """Add ``values[k]`` to the entry ``index[k]``; an index may come more than once."""
        if self._whole is not None:
            np.add.at(self._whole, index, values)
            return
        self._parts.append((index, values))
        self._pending += index.shape[0]
        if self._pending > max(PENDING, self._kept):
            self._merge()

    def table(self) -> Array:
        """All sums so far, shape (count,)."""
        if self._whole is not None:
            return self._whole
        xp = array_namespace(self.like)
        if not self._parts:
            return xp.zeros(self.count, dtype=self.like.dtype, device=device(self.like))
        self._merge()
        index, values = self._parts[0]
        return _spread(index, values, self.count)

    def _merge(self) -> None:
        xp = array_namespace(self.like)
        together = [xp.concat(list(parts)) for parts in zip(*self._parts, strict=True)]
        self._parts = [_added_pairwise(*together)]
        self._kept, self._pending = self._parts[0][0].shape[0], 0


def cummax(x: Array) -> Array:
    """Cumulative maximum along the second axis of an array (B, L).

    >>> cummax(np.asarray([[1, 3, 2, 5]])).tolist()
    [[1, 3, 3, 5]]
    """
    if isinstance(x, np.ndarray):
        return np.maximum.accumulate(x, axis=1)
    xp = array_namespace(x)
    shift = 1
    while shift < x.shape[1]:  # each turn doubles how many entries the maximum is over
        x = xp.concat([x[:, :shift], xp.maximum(x[:, shift:], x[:, :-shift])], axis=1)
        shift *= 2
    return x


def groups(numbers: Array) -> Iterator[tuple[int, Array]]:
    """Different values among small integers (N,), N >= 1, each with the indices where it occurs.

    >>> [(value, index.tolist()) for value, index in groups(np.asarray([3, 1, 3]))]
    [(1, [1]), (3, [0, 2])]
    """
    xp, first = array_namespace(numbers), int(numbers[0])
    if not any_true(numbers != first):
        yield first, xp.arange(numbers.shape[0], dtype=xp.int64, device=device(numbers))
        return
    for value in range(int(xp.min(numbers)), int(xp.max(numbers)) + 1):
        index = xp.nonzero(numbers == value)[0]
        if index.shape[0]:
            yield value, index


def gather(values: Array, index: Array) -> Array:
    """Entries, or rows, of an array (N, ...) by an index array of any shape.

    >>> gather(np.asarray([5, 6]), np.asarray([[1, 0]])).tolist()
    [[6, 5]]
    >>> gather(np.asarray([[5, 6], [7, 8]]), np.asarray([1])).tolist()
    [[7, 8]]
    """
    if isinstance(index, np.ndarray):
        return values.take(index, axis=0)
    xp = array_namespace(index)
    found = xp.take(values, xp.reshape(index, (-1,)), axis=0)
    return xp.reshape(found, (*index.shape, *values.shape[1:]))


def distinct_rows(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Different rows of host integers (N, L), sorted, and the index of each row among them.

    Rows that fit are compared as one number each.

    >>> rows, which = distinct_rows(np.asarray([[1, 0], [-1, 1], [1, 0]]))
    >>> rows.tolist(), which.tolist()
    ([[-1, 1], [1, 0]], [1, 0, 1])
    """
    least = int(x.min(initial=0))
    base, length = int(x.max(initial=0)) - least + 1, x.shape[1]
    if base**length >= 2**63:
        rows, which = np.unique(x, axis=0, return_inverse=True)
        return rows, which.reshape(-1)
    codes = (x.astype(np.int64) - least) @ base ** np.arange(length - 1, -1, -1, dtype=np.int64)
    _, first, which = np.unique(codes, return_index=True, return_inverse=True)
    return x[first], which


def any_true(flags: Array) -> bool:
    """Whether any entry of an array of bools is True.

    >>> any_true(np.asarray([[False, True]]))
    True
    """
    return bool(array_namespace(flags).count_nonzero(flags))


def row_counts(flags: Array) -> Array:
    """Number of True entries in each row of an array of bools (B, L).

    >>> row_counts(np.asarray([[False, True], [True, True]])).tolist()
    [1, 2]
    """
    if isinstance(flags, np.ndarray):
        return np.add.reduce(flags, axis=1, dtype=np.int64)
    xp = array_namespace(flags)
    return xp.sum(xp.astype(flags, xp.int64), axis=1)
