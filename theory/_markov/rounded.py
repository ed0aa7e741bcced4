"""Matrices of floats that carry a bound of their rounding error, entry by entry.

Whether a number is zero cannot be asked of floats with one threshold: where steps of probability
1e-9 follow each other, 1e-27 may be exact to fifteen digits, and where two such numbers cancel,
1e-15 may be nothing but rounding. So what rounding can account for is zero here, and nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Echelon", "Rounded", "closure"]

UNIT = 1e-15
"""By how much, relatively, a probability is taken to be off, and the result of one operation."""

LOST = 1e-6
"""What cancels to less than this part of its terms is zero if rounding may account for it; a
larger remainder never is, however pessimistic the bound has become on the way to it."""

KNOWN = 10.0
"""How much less well than the best a number may be known that a row is divided by."""


@dataclass(frozen=True)
class Rounded:
    """A matrix, and by how much each entry may be off.

    >>> third = Rounded.of(np.asarray([[1 / 3, 1 / 3]]))
    >>> (third - Rounded.of(np.asarray([[0.1 / 0.3, 1e-9]]))).value.round(6).tolist()
    [[0.0, 0.333333]]
    """

    value: np.ndarray
    error: np.ndarray

    @classmethod
    def of(cls, value: np.ndarray, off: float = 1.0) -> "Rounded":
        """Numbers that are off by `off` times `UNIT` of themselves."""
        return cls(value, off * UNIT * np.abs(value))

    def __matmul__(self, other: "Rounded") -> "Rounded":
        terms = np.abs(self.value) @ np.abs(other.value)
        error = self.error @ np.abs(other.value) + np.abs(self.value) @ other.error
        return _settled(self.value @ other.value, error, terms)

    def __sub__(self, other: "Rounded") -> "Rounded":
        terms = np.abs(self.value) + np.abs(other.value)
        return _settled(self.value - other.value, self.error + other.error, terms)

    def __getitem__(self, where: Any) -> "Rounded":
        return Rounded(self.value[where], self.error[where])

    @property
    def T(self) -> "Rounded":
        """The transposed matrix."""
        return Rounded(self.value.T, self.error.T)

    def scaled(self) -> "Rounded":
        """Each row, none of which is 0, over its largest entry."""
        most = np.abs(self.value).max(axis=1, keepdims=True)
        return Rounded(self.value / most, self.error / most)


def _settled(value: np.ndarray, error: np.ndarray, terms: np.ndarray) -> Rounded:
    """A result of which some entries are zero, given the sums of the sizes of their terms."""
    error = error + UNIT * terms
    zero = np.abs(value) <= np.minimum(error, LOST * terms)
    return Rounded(np.where(zero, 0.0, value), np.where(zero, 0.0, error))


@dataclass(frozen=True)
class Echelon:
    """A basis whose rows are 1 at one column each, where all others are 0.

    Attributes
    ----------
    rows : Rounded
    columns : list of int
    """

    rows: Rounded
    columns: list[int]

    def without(self, rows: Rounded) -> Rounded:
        """What is left of rows when the basis is taken off them."""
        if not self.columns:
            return rows
        left = rows - rows[:, self.columns] @ self.rows
        left.value[:, self.columns] = 0.0
        return left

    def with_row(self, row: Rounded, column: int) -> "Echelon":
        """The basis with one row more, which it was taken off and which is 1 at `column`."""
        others = self.rows - self.rows[:, [column]] @ row
        others.value[:, column] = 0.0
        return Echelon(_stacked([others, row]), [*self.columns, column])


def closure(parts: Sequence[Rounded], maps: Sequence[Rounded]) -> Echelon:
    """A basis of the least space that holds the rows of `parts` and that the `maps` do not leave.

    What is mapped is what a direction has that those before it have not: so the small steps by
    which a space grows do not have to be found again beside large ones.

    >>> turn = Rounded.of(np.asarray([[1, 1e-9, 0], [0, 1, 1e-9], [0, 0, 1]]))
    >>> found = closure([Rounded.of(np.asarray([[1.0, 0, 0]]))], [turn])
    >>> found.columns, found.rows.value.tolist()
    ([0, 1, 2], [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    """
    new = _stacked(parts)
    width = new.value.shape[1]
    found = Echelon(new[:0], [])
    for _ in range(width):
        added = []
        left = _nonzero(found.without(_nonzero(new)))
        while len(left.value) and len(found.columns) < width:
            which, column = _pivot(left)
            row = left[[which]]
            row = Rounded(row.value / row.value[0, column], row.error / abs(row.value[0, column]))
            row.value[0, column], row.error[0, column] = 1.0, 0.0
            found = found.with_row(row, column)
            added.append(row.scaled())
            left = _nonzero(found.without(left))
        mapped = [row @ step for row in added for step in maps]
        if not mapped:
            break
        new = _stacked(mapped)
    order = np.argsort(found.columns)
    return Echelon(found.rows[order], sorted(found.columns))


def _nonzero(rows: Rounded) -> Rounded:
    some = rows[(rows.value != 0).any(axis=1)]
    return some.scaled() if len(some.value) else some


def _stacked(parts: Sequence[Rounded]) -> Rounded:
    value, error = ([getattr(p, name) for p in parts] for name in ("value", "error"))
    return Rounded(np.concatenate(value), np.concatenate(error))


def _pivot(rows: Rounded) -> tuple[int, int]:
    """Where the largest entry is, of those that are known nearly as well as the best."""
    size = np.abs(rows.value)
    off = np.where(size > 0, rows.error / np.where(size > 0, size, 1.0), np.inf)
    size = np.where(off <= KNOWN * off.min(), size, 0.0)
    which, column = np.unravel_index(np.argmax(size), size.shape)
    return int(which), int(column)
