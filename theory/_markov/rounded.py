"""Products and row spaces of float matrices that carry a bound of each entry's rounding error.

No single threshold decides whether a float is zero: where transitions of probability 1e-9 follow
each other, 1e-27 may be exact to fifteen digits, and where two numbers cancel, 1e-15 may be
nothing but rounding. So what rounding can account for is zero here, and nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Echelon", "Rounded", "closure"]

UNIT_ROUNDOFF = 1e-15
"""Relative error that is assumed of a probability, and of the result of one operation."""

CANCELLED = 1e-6
"""What cancels to less than this part of its terms is zero if rounding may account for it; a
larger remainder never is, however pessimistic the bound of its error has become."""

PIVOT_ERROR = 10.0
"""The relative error of a pivot is at most so many times the least one."""


@dataclass(frozen=True)
class Rounded:
    """A matrix, and a bound of the error of each entry.

    >>> third = Rounded.of(np.asarray([[1 / 3, 1 / 3]]))
    >>> (third - Rounded.of(np.asarray([[0.1 / 0.3, 1e-9]]))).value.round(6).tolist()
    [[0.0, 0.333333]]
    """

    value: np.ndarray
    error: np.ndarray

    @classmethod
    def of(cls, value: np.ndarray, off: float = 1.0) -> "Rounded":
        """Numbers with a relative error of `off` times `UNIT_ROUNDOFF`."""
        return cls(value, off * UNIT_ROUNDOFF * np.abs(value))

    def __matmul__(self, other: "Rounded") -> "Rounded":
        terms = np.abs(self.value) @ np.abs(other.value)
        error = self.error @ np.abs(other.value) + np.abs(self.value) @ other.error
        return _zeroed(self.value @ other.value, error, terms)

    def __sub__(self, other: "Rounded") -> "Rounded":
        terms = np.abs(self.value) + np.abs(other.value)
        return _zeroed(self.value - other.value, self.error + other.error, terms)

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


def _zeroed(value: np.ndarray, error: np.ndarray, terms: np.ndarray) -> Rounded:
    """A result of which some entries are zero, given the sums of the sizes of their terms."""
    error = error + UNIT_ROUNDOFF * terms
    zero = np.abs(value) <= np.minimum(error, CANCELLED * terms)
    return Rounded(np.where(zero, 0.0, value), np.where(zero, 0.0, error))


@dataclass(frozen=True)
class Echelon:
    """A basis in reduced echelon form: each row is 1 at one column, where all others are 0.

    Attributes
    ----------
    rows : Rounded
    columns : list of int
    """

    rows: Rounded
    columns: list[int]

    def without(self, rows: Rounded) -> Rounded:
        """Rows reduced by the basis: 0 at its pivot columns."""
        if not self.columns:
            return rows
        left = rows - rows[:, self.columns] @ self.rows
        left.value[:, self.columns] = 0.0
        return left

    def with_row(self, row: Rounded, column: int) -> "Echelon":
        """The basis with one more reduced row, which is 1 at `column`."""
        others = self.rows - self.rows[:, [column]] @ row
        others.value[:, column] = 0.0
        return Echelon(_stacked([others, row]), [*self.columns, column])


def closure(parts: Sequence[Rounded], maps: Sequence[Rounded]) -> Echelon:
    """A basis of the smallest invariant space of the `maps` that holds the rows of `parts`.

    Only the reduced part of a new direction is mapped: so the small steps by which a space grows
    do not have to be found again beside large ones.

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
    """Row and column of the largest entry among those with nearly the least relative error."""
    size = np.abs(rows.value)
    off = np.where(size > 0, rows.error / np.where(size > 0, size, 1.0), np.inf)
    size = np.where(off <= PIVOT_ERROR * off.min(), size, 0.0)
    which, column = np.unravel_index(np.argmax(size), size.shape)
    return int(which), int(column)
