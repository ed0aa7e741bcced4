"""Uniform distributions over permutations, Latin squares and Sudokus of 4 x 4."""

import itertools
from collections.abc import Callable

import numpy as np

from theory.distributions.base import Distribution
from theory.distributions.permutations import Permutations
from theory.errors import TooLarge
from theory.gallery.uniform import TABLE_CELLS, grown, uniform
from theory.validation.arguments import as_integer

__all__ = ["latin_squares", "permutations", "sudoku"]

MAX_ORDER = 5
"""Latin squares are listed up to this order: there are 161280 of order 5, 8 * 10^8 of order 6."""


def permutations(n: int, *, exact: bool = False) -> Distribution:
    """Uniform over the orders of n different tokens ("shuffle").

    A product of its marginals is a permutation with probability ``n! / n^n``.

    >>> permutations(3).denoise([2, -1, -1])[1]
    array([0.5, 0.5, 0. ])
    """
    n = as_integer(n, "n", 1)
    if (n + 1) ** n > TABLE_CELLS:
        return Permutations(n, exact=exact)
    return uniform(itertools.permutations(range(n)), n, exact)


def latin_squares(order: int, *, exact: bool = False) -> Distribution:
    """Uniform over Latin squares: every token once in each row and column; read row by row.

    >>> latin_squares(2).spell([[0, 1, 1, 0]]), round(1 / latin_squares(3).evidence([-1] * 9))
    (['0110'], 1)
    >>> round(1 / latin_squares(4).evidence([0, 1, 2, 3, 1, 0, 3, 2, 2, 3, 0, 1, 3, 2, 1, 0]))
    576
    """
    order = as_integer(order, "order", 1)
    if order > MAX_ORDER:
        raise TooLarge(
            f"there are more than 8e8 Latin squares of order {order}; they are listed up to order "
            f"{MAX_ORDER}"
        )
    squares = _squares(order, lambda row, column: (("row", row), ("column", column)))
    return uniform(squares, order, exact)


def sudoku() -> Distribution:
    """Uniform over the 288 Sudokus of 4 x 4 cells, row by row: rows, columns and 2 x 2 boxes.

    >>> x = [0, 1, -1, -1, 2, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1]
    >>> sudoku().denoise(x)[5]      # the last cell of the first box
    array([0., 0., 0., 1.])
    """

    def units(row: int, column: int) -> tuple[tuple[str, int], ...]:
        return ("row", row), ("column", column), ("box", row // 2 * 2 + column // 2)

    return uniform(_squares(4, units), 4, exact=False)


def _squares(n: int, units: Callable[[int, int], tuple[tuple[str, int], ...]]) -> np.ndarray:
    """All n x n squares, shape (N, n * n), in which no token occurs twice in a unit."""
    cells = [set(units(row, column)) for row in range(n) for column in range(n)]

    def may_follow(rows: np.ndarray, token: int) -> np.ndarray:
        here = rows.shape[1]
        seen = [site for site in range(here) if cells[site] & cells[here]]
        return (rows[:, seen] != token).all(axis=1)

    return grown(n * n, n, may_follow)
