"""Exact optima of linear programs, certified by dual prices.

HiGHS finds a basic solution in floats. Only which variables are positive in it, and which dual
constraints are tight, is used: both solutions are found again in Fractions, then every constraint
and the equality of the two values is checked. By weak duality the result is the optimum, whatever
the floats did.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from theory.errors import ZerolossError

__all__ = ["Optimum", "Uncertified", "least", "solve"]

ZERO = 1e-9
"""Floats of the basic solution up to this are taken for zero."""

Terms = Mapping[int, Fraction | int]
"""From an index to a coefficient that is not zero."""


class Uncertified(ZerolossError):
    """The solution in floats did not lead to an exact optimum."""


@dataclass(frozen=True)
class Optimum:
    """A solution, and the dual prices that show that none is better.

    Attributes
    ----------
    value : Fraction
    solution, prices : dict
        From a variable, a constraint, to its number, where that is not zero.
    """

    value: Fraction
    solution: dict[int, Fraction]
    prices: dict[int, Fraction]


def least(
    costs: Sequence[Fraction | int], columns: Sequence[Terms], totals: Sequence[Fraction | int]
) -> Optimum:
    """Minimise ``sum_j costs[j] y[j]`` subject to ``sum_j columns[j][i] y[j] = totals[i], y >= 0``.

    Parameters
    ----------
    costs : sequence of rational numbers, length n
    columns : sequence of mappings, length n
        ``columns[j][i]`` is the coefficient of variable j in constraint i.
    totals : sequence of rational numbers, length m

    Raises
    ------
    Uncertified
        If there is no solution, or floats could not tell which basis is optimal.

    Examples
    --------
    Two coins that cost 3 and 1 and weigh 2 and 1, one in all, weighing 5/4: a quarter of the
    first.

    >>> optimum = least([3, 1], [{0: 1, 1: 2}, {0: 1, 1: 1}], [1, Fraction(5, 4)])
    >>> optimum.value, optimum.solution
    (Fraction(3, 2), {0: Fraction(1, 4), 1: Fraction(3, 4)})
    """
    from scipy import optimize

    linprog: Any = optimize.linprog  # type checkers would have to infer it from its body

    matrix = np.zeros((len(totals), len(columns)))
    for j, column in enumerate(columns):
        for i, value in column.items():
            matrix[i, j] = value.numerator / value.denominator
    found = linprog(
        [float(c) for c in costs],
        A_eq=matrix,
        b_eq=[float(t) for t in totals],
        method="highs-ds",  # a basic solution
    )
    if found.status != 0:
        raise Uncertified(f"no solution: {found.message}")
    slack = np.asarray([float(c) for c in costs]) - found.eqlin.marginals @ matrix
    used = set(np.flatnonzero(found.x > ZERO).tolist())
    priced = set(np.flatnonzero(abs(found.eqlin.marginals) > ZERO).tolist())
    tight = np.flatnonzero(abs(slack) <= ZERO).tolist()
    rows: list[dict[int, Fraction | int]] = [{} for _ in totals]
    for j in used:
        for i, value in columns[j].items():
            rows[i][j] = value
    equations = [_in_integers(row, total) for row, total in zip(rows, totals, strict=True)]
    bounds = [_in_integers(column, cost) for column, cost in zip(columns, costs, strict=True)]
    solution = solve(equations)
    prices = solve(
        ({i: v for i, v in column.items() if i in priced}, cost)
        for column, cost in (bounds[j] for j in tight)
    )
    value = sum((costs[j] * y for j, y in solution.items()), Fraction(0))
    bound = sum((totals[i] * price for i, price in prices.items()), Fraction(0))
    shares, whole = _in_integers(solution, 1)
    served = all(
        sum(v * shares[j] for j, v in row.items() if j in shares) == total * whole
        for row, total in equations
    )
    shares, whole = _in_integers(prices, 1)
    fair = all(
        sum(shares[i] * v for i, v in column.items() if i in shares) <= cost * whole
        for column, cost in bounds
    )
    positive = min(solution.values(), default=0) >= 0
    if not (positive and served and fair and value == bound):
        raise Uncertified(f"bounds {float(bound)} and {float(value)} are not shown to meet")
    return Optimum(value, solution, prices)


def solve(equations: Iterable[tuple[Terms, Fraction | int]]) -> dict[int, Fraction]:
    """Solve linear equations exactly; unknowns that they leave open are 0.

    Parameters
    ----------
    equations : iterable of (mapping, number)
        Coefficients by unknown, and the right-hand side.

    Returns
    -------
    dict
        The unknowns that are not 0.

    Raises
    ------
    Uncertified
        If they contradict each other.

    >>> solve([({0: 2, 1: 1}, 4), ({0: 1, 1: -1}, Fraction(1, 2))])
    {0: Fraction(3, 2), 1: Fraction(1, 1)}
    """
    pivots: dict[int, tuple[int, dict[int, int], int]] = {}
    for terms, constant in sorted(equations, key=lambda equation: len(equation[0])):
        row, right = _in_integers(terms, constant)
        for unknown, (lead, other, known) in pivots.items():
            if factor := row.pop(unknown, None):
                row, right = {k: v * lead for k, v in row.items()}, right * lead - factor * known
                for k, value in other.items():
                    row[k] = row.get(k, 0) - factor * value
        row = {k: value for k, value in row.items() if value}
        if row:
            common = math.gcd(right, *row.values())
            unknown, lead = row.popitem()
            other = {k: v // common for k, v in row.items()}
            pivots[unknown] = lead // common, other, right // common
        elif right:
            raise Uncertified("the equations contradict each other")
    solution: dict[int, Fraction] = {}
    for unknown, (lead, other, known) in reversed(pivots.items()):
        left = known - sum(v * solution[k] for k, v in other.items() if k in solution)
        if left:
            solution[unknown] = Fraction(left, lead)
    return dict(sorted(solution.items()))


def _in_integers(terms: Terms, constant: Fraction | int) -> tuple[dict[int, int], int]:
    """An equation times the common denominator of its numbers."""
    common = math.lcm(*(v.denominator for v in (constant, *terms.values())))
    row = {k: v.numerator * (common // v.denominator) for k, v in terms.items()}
    return row, constant.numerator * (common // constant.denominator)
