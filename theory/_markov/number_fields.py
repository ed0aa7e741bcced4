"""Linear algebra in floats, or without rounding in the number field that some exact numbers span.

Roots of polynomials, such as the Perron roots of rational matrices, live in an algebraic extension
of the rational numbers, in which sums, quotients and null spaces are again exact.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from theory._core.exact import as_sympy, elementwise, from_sympy
from theory._core.types import ArrayLike, Number

__all__ = ["Algebraic", "Floats", "field_of"]


class Floats:
    """Arithmetic in float64."""

    def convert(self, x: ArrayLike) -> np.ndarray:
        """Numbers of this field, in an array."""
        return np.asarray(x).astype(np.float64)

    def shown(self, x: np.ndarray) -> np.ndarray:
        """Numbers in the type that users are given."""
        return x

    def normalised(self, x: np.ndarray) -> np.ndarray:
        """Numbers divided by their sum."""
        return x / x.sum()

    def nonzero(self, x: np.ndarray) -> np.ndarray:
        """Which entries are not zero."""
        return x != 0

    def null_vector(self, matrix: np.ndarray, root: Number) -> np.ndarray:
        """The Perron vector of an irreducible non-negative matrix, given its Perron root."""
        values, vectors = np.linalg.eig(matrix)
        return np.abs(vectors[:, np.argmin(np.abs(values - root))])

    def solve(self, matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Solve a square system for one right side (n,)."""
        return np.linalg.solve(matrix, right)


class Algebraic:
    """Exact arithmetic in the smallest field that holds some numbers.

    These are integers, Fractions or algebraic numbers of SymPy.

    >>> import sympy
    >>> field = Algebraic([sympy.sqrt(5)])
    >>> x = field.convert([sympy.sqrt(5), 2])
    >>> field.shown(x / x[0]).tolist()
    [Fraction(1, 1), 2*sqrt(5)/5]
    """

    def __init__(self, numbers: Iterable[Any]) -> None:
        from sympy.polys.constructor import construct_domain

        values = list({as_sympy(v) for v in numbers})
        self.domain: Any
        self.domain, elements = construct_domain(values, field=True, extension=True)
        self._known = dict(zip(values, elements, strict=True))

    def convert(self, x: ArrayLike) -> np.ndarray:
        """Numbers of this field, in an array."""
        return elementwise(self._element, np.asarray(x, dtype=object))

    def _element(self, value: Any) -> Any:
        value = as_sympy(value)
        known = self._known.get(value)  # writing an irrational number in a field is slow
        return self.domain.from_sympy(value) if known is None else known

    def shown(self, x: np.ndarray) -> np.ndarray:
        """Fractions where numbers are rational, else SymPy expressions."""
        return elementwise(lambda v: from_sympy(self.domain.to_sympy(v)), x)

    def normalised(self, x: np.ndarray) -> np.ndarray:
        """Numbers divided by their sum."""
        return x * (self.domain.one / x.sum())  # a single division, because they are slow

    def nonzero(self, x: np.ndarray) -> np.ndarray:
        """Which entries are not zero."""
        return elementwise(bool, x).astype(bool)

    def null_vectors(self, matrix: np.ndarray, root: Any) -> np.ndarray:
        """Columns that span the null space of ``matrix - root``, shape (n, k).

        >>> from fractions import Fraction
        >>> field = Algebraic([])
        >>> steps, one = field.convert([[Fraction(1, 2), Fraction(1, 2)], [1, 0]]), field.convert(1)
        >>> field.shown(field.null_vectors(steps, one.item())).tolist()
        [[Fraction(1, 1)], [Fraction(1, 1)]]
        """
        shifted = matrix.copy()
        np.fill_diagonal(shifted, matrix.diagonal() - root)
        rows = self._matrix(shifted).nullspace().to_list()
        return self._array(rows, (len(rows), len(matrix))).T

    def null_vector(self, matrix: np.ndarray, root: Number) -> np.ndarray:
        """The Perron vector of an irreducible non-negative matrix, given its Perron root."""
        return self.null_vectors(matrix, root)[:, 0]

    def solve(self, matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Solve a square system for one right side (n,)."""
        found = self._matrix(matrix).lu_solve(self._matrix(right[:, None])).to_list()
        return self._array(found, matrix.shape[:1])

    def _matrix(self, x: np.ndarray) -> Any:
        from sympy.polys.matrices import DomainMatrix

        return DomainMatrix(x.tolist(), x.shape, self.domain)

    def _array(self, rows: list[list[Any]], shape: tuple[int, ...]) -> np.ndarray:
        found = np.empty(len(rows) * len(rows[0]) if rows else 0, dtype=object)
        found[:] = [v for row in rows for v in row]
        return found.reshape(shape)


def field_of(x: np.ndarray, *others: Any) -> Floats | Algebraic:
    """Floats for float arrays, else the smallest field with the entries of `x` and the others."""
    if x.dtype.kind != "O":
        return Floats()
    return Algebraic([*x.reshape(-1).tolist(), *others])
