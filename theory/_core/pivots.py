"""The first phase of the simplex method in integers, for what floats cannot decide.

Each equation has an artificial variable, and their sum is made as small as it can be. Rows of the
tableau are multiples by positive integers, and so is the row of reduced costs. The steepest column
enters, or the first one as long as nothing is gained (Bland 1977, [memory]: no cycles).
"""

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

__all__ = ["Terms", "in_integers", "phase_one"]

Terms = Mapping[int, Fraction | int]
"""From an index to a coefficient that is not zero."""


def phase_one(
    columns: Mapping[int, Terms], total: Terms, rows: Sequence[int]
) -> tuple[dict[int, Fraction], dict[int, Fraction] | None]:
    """Combine columns to a total, or find a direction in which only the total is negative.

    Parameters
    ----------
    columns : mapping
        By any number that is not negative.
    total : mapping
    rows : sequence of int
        All rows of both.

    Returns
    -------
    multipliers, direction : dict, dict or None
        Positive multipliers if there is no direction.

    Examples
    --------
    >>> phase_one({0: {0: 1}, 1: {0: 1, 1: 2}}, {0: 2, 1: 3}, (0, 1))
    ({0: Fraction(1, 2), 1: Fraction(3, 2)}, None)
    >>> phase_one({0: {0: 1}}, {0: -2}, (0,))
    ({}, {0: Fraction(1, 1)})
    """
    signs = [-1 if total.get(i, 0) < 0 else 1 for i in rows]
    table: list[dict[int, int]] = []
    right: list[int] = []
    across: dict[int, dict[int, Fraction | int]] = {i: {} for i in rows}
    for j, column in columns.items():
        for i, value in column.items():
            across[i][j] = value
    for k, (i, sign) in enumerate(zip(rows, signs, strict=True)):
        terms = {j: sign * v for j, v in across[i].items()}
        row, known = in_integers({**terms, -1 - k: 1}, sign * total.get(i, 0))
        table.append(row)
        right.append(known)
    scale, costs = math.lcm(*(row[-1 - k] for k, row in enumerate(table))), dict[int, int]()
    for k, row in enumerate(table):
        for j, value in row.items():
            if j >= 0:
                costs[j] = costs.get(j, 0) - value * (scale // row[-1 - k])
    basis = [-1 - k for k in range(len(rows))]
    stalled = False
    while any(known for j, known in zip(basis, right, strict=True) if j < 0):
        entering = [(c, j) for j, c in costs.items() if c < 0 and j >= 0]
        if not entering:
            prices = [1 - Fraction(costs.get(-1 - k, 0), scale) for k in range(len(rows))]
            signed = zip(rows, signs, prices, strict=True)
            return {}, {i: -sign * price for i, sign, price in signed if price}
        enter = min(j for _, j in entering) if stalled else min(entering)[1]
        leaving = [
            (Fraction(right[k], row[enter]), basis[k], k)
            for k, row in enumerate(table)
            if row.get(enter, 0) > 0
        ]
        step, _, leave = min(leaving)
        stalled = step == 0
        pivot, known, lead = table[leave], right[leave], table[leave][enter]
        for k, row in enumerate(table):
            if k != leave and (factor := row.get(enter)):
                table[k], right[k] = _cleared(row, right[k], factor, lead, pivot, known)
        costs, scale = _cleared(costs, scale, costs[enter], lead, pivot, 0)
        basis[leave] = enter
    solved = sorted(zip(basis, right, table, strict=True), key=lambda row: row[0])
    return {j: Fraction(known, row[j]) for j, known, row in solved if known}, None


def _cleared(
    row: dict[int, int], right: int, factor: int, lead: int, pivot: dict[int, int], known: int
) -> tuple[dict[int, int], int]:
    """A row of the tableau without the entering variable, divided by what its numbers share."""
    cleared = {j: v * lead for j, v in row.items()}
    for j, value in pivot.items():
        cleared[j] = cleared.get(j, 0) - factor * value
    right = right * lead - factor * known
    common = math.gcd(right, *cleared.values())
    return {j: v // common for j, v in cleared.items() if v}, right // common


def in_integers(terms: Terms, constant: Fraction | int) -> tuple[dict[int, int], int]:
    """An equation times the common denominator of its numbers."""
    common = math.lcm(*(v.denominator for v in (constant, *terms.values())))
    row = {k: v.numerator * (common // v.denominator) for k, v in terms.items()}
    return row, constant.numerator * (common // constant.denominator)
