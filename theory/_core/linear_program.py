"""Exact answers of linear programs: optima with dual prices, and cones with separations.

HiGHS finds a basic solution in floats. Only which variables are positive in it, and which dual
constraints are tight, is used: both solutions are found again in Fractions, then every constraint
and the equality of the two values is checked. By weak duality the result is the optimum, whatever
the floats did.

Whether a vector is a nonnegative combination of others is decided the same way: either there are
multipliers, or there is a direction in which no column is negative and the vector is (Farkas). One
of the two is found in floats and checked in Fractions; where floats mislead, a simplex method in
integers has the last word.
"""

import math
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from theory._core.pivots import Terms, in_integers, phase_one
from theory.errors import ZerolossError

__all__ = ["Optimum", "Separation", "Uncertified", "combination", "least", "solve"]

ZERO = 1e-9
"""Floats of the basic solution up to this are taken for zero."""

REPAIRS = 3
"""How often floats are asked again for what they left over."""

TRIALS = 6
"""Orders of preference among the columns that are tried for a combination of few."""

DENSE = 1_000_000
"""Cells, rows times columns, up to which the simplex method is faster than interior points."""

PIVOTED = 100_000
"""Cells up to which pivots are made in integers."""


class Uncertified(ZerolossError):
    """The solution in floats did not lead to an exact one."""


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
    matrix = _matrix(columns, range(len(totals)))
    prices_of = np.asarray([float(c) for c in costs])
    found = _highs(prices_of, A_eq=matrix, b_eq=[float(t) for t in totals])
    if found.status != 0:
        raise Uncertified(f"no solution: {found.message}")
    slack = prices_of - matrix.T @ found.eqlin.marginals
    used = set(np.flatnonzero(found.x > ZERO).tolist())
    priced = set(np.flatnonzero(abs(found.eqlin.marginals) > ZERO).tolist())
    tight = np.flatnonzero(abs(slack) <= ZERO).tolist()
    rows: list[dict[int, Fraction | int]] = [{} for _ in totals]
    for j in used:
        for i, value in columns[j].items():
            rows[i][j] = value
    equations = [in_integers(row, total) for row, total in zip(rows, totals, strict=True)]
    bounds = [in_integers(column, cost) for column, cost in zip(columns, costs, strict=True)]
    solution = solve(equations)
    prices = solve(
        ({i: v for i, v in column.items() if i in priced}, cost)
        for column, cost in (bounds[j] for j in tight)
    )
    value = sum((costs[j] * y for j, y in solution.items()), Fraction(0))
    bound = sum((totals[i] * price for i, price in prices.items()), Fraction(0))
    shares, whole = in_integers(solution, 1)
    served = all(
        sum(v * shares[j] for j, v in row.items() if j in shares) == total * whole
        for row, total in equations
    )
    shares, whole = in_integers(prices, 1)
    fair = all(
        sum(shares[i] * v for i, v in column.items() if i in shares) <= cost * whole
        for column, cost in bounds
    )
    positive = min(solution.values(), default=0) >= 0
    if not (positive and served and fair and value == bound):
        raise Uncertified(f"bounds {float(bound)} and {float(value)} are not shown to meet")
    return Optimum(value, solution, prices)


@dataclass(frozen=True)
class Separation:
    """A direction in which no column is negative, but the total is.

    Attributes
    ----------
    direction : dict
        From a row to its number, where that is not zero.
    value : Fraction
        What the total is in that direction: a negative number.
    """

    direction: dict[int, Fraction]
    value: Fraction


def combination(
    columns: Sequence[Terms], total: Terms, trials: int = TRIALS, free: Container[int] = ()
) -> dict[int, Fraction] | Separation:
    """Write a vector as a sum of positive multiples of few columns, or separate it from them.

    Parameters
    ----------
    columns : sequence of mappings
        From a row to the entry there.
    total : mapping
    trials : int
        How many orders of preference among the columns are tried, fewer if they are many. With
        more than one, so are twice as many ways to do without a single column.
    free : container of int
        Columns whose multiples may be negative, too; a separation is zero on these.

    Returns
    -------
    dict or Separation
        The multipliers by the number of the column, verified. The fewest columns found are not
        always the fewest that there are.

    Raises
    ------
    Uncertified
        If floats misled, and there are too many columns to pivot in integers.

    Examples
    --------
    >>> combination([{0: 1}, {1: 1}, {0: 1, 1: 1}], {0: 2, 1: 3})
    {1: Fraction(1, 1), 2: Fraction(2, 1)}
    >>> combination([{0: 1}, {0: 1, 1: 1}], {0: 2, 1: 3})
    Separation(direction={0: Fraction(1, 1), 1: Fraction(-1, 1)}, value=Fraction(-1, 1))
    >>> combination([{0: 1}, {0: 1, 1: 1}], {0: 2, 1: 3}, free={0})
    {0: Fraction(-1, 1), 1: Fraction(3, 1)}
    """
    signed = [(j, sign) for j in range(len(columns)) for sign in ((1, -1) if j in free else (1,))]
    offered = [columns[j] if sign > 0 else _negative(columns[j]) for j, sign in signed]
    found = _combination(offered, total, trials, REPAIRS)
    if isinstance(found, Separation):
        return found
    multipliers: dict[int, Fraction] = {}
    for number, multiplier in found.items():
        j, sign = signed[number]
        multipliers[j] = multipliers.get(j, Fraction(0)) + sign * multiplier
    return {j: multiplier for j, multiplier in multipliers.items() if multiplier}


def _negative(column: Terms) -> Terms:
    return {i: -v for i, v in column.items()}


def _combination(
    columns: Sequence[Terms], total: Terms, trials: int, repairs: int
) -> dict[int, Fraction] | Separation:
    """The answer by floats, by floats for what they left over, or by pivots."""
    total = {i: v for i, v in total.items() if v}
    if not total:
        return {}
    rows = sorted({*total, *(i for column in columns for i in column)})
    if not columns:
        return _pivoted(columns, total, rows, [])
    matrix = _matrix(columns, rows)
    largest = Fraction(max(abs(v) for v in total.values()))
    target = np.asarray([float(total.get(i, 0) / largest) for i in rows])
    supports = _supports(matrix, target, trials)
    for support in supports:
        if (multipliers := _multipliers(columns, total, support)) is not None:
            return multipliers
    if supports and repairs:
        start = {j: Fraction(x).limit_denominator(1000) for j, x in supports[0].items()}
        start = {j: x * largest for j, x in start.items() if x}
        if (found := _refined(columns, total, start, repairs - 1)) is not None:
            return found
    found = _highs(target, A_ub=-matrix.T, b_ub=np.zeros(matrix.shape[1]), bounds=(-1, 1))
    first: list[int] = []
    if found.status == 0:
        for direction in _directions(columns, rows, found.x, matrix.T @ found.x):
            if (separation := _separated(columns, total, direction)) is not None:
                return separation
        first = np.flatnonzero(matrix.T @ found.x <= math.sqrt(ZERO)).tolist()
    return _pivoted(columns, total, rows, first)


def _refined(
    columns: Sequence[Terms], total: Terms, start: dict[int, Fraction], repairs: int
) -> dict[int, Fraction] | Separation | None:
    """Decide for what a combination leaves of the total; its columns can be taken back."""
    left = {i: Fraction(v) for i, v in total.items()}
    for j, x in start.items():
        for i, v in columns[j].items():
            left[i] = left.get(i, Fraction(0)) - x * v
    if 100 * max(map(abs, left.values())) > max(map(abs, total.values())):
        return None
    back = list(start)
    offered = [*columns, *(_negative(columns[j]) for j in back)]
    found = _combination(offered, left, 1, repairs)
    if isinstance(found, Separation):
        return _separated(columns, total, found.direction)
    for j, x in found.items():
        j, x = (j, x) if j < len(columns) else (back[j - len(columns)], -x)
        start[j] = start.get(j, Fraction(0)) + x
    support = sorted(j for j, x in start.items() if x)
    met = min(start.values()) >= 0
    return _multipliers(columns, total, support) or (
        {j: start[j] for j in support} if met else None
    )


def _matrix(columns: Sequence[Terms], rows: Sequence[int]) -> Any:
    """The columns as a sparse matrix of floats."""
    from scipy import sparse

    place = {row: k for k, row in enumerate(rows)}
    cells = [(place[i], j, float(v)) for j, column in enumerate(columns) for i, v in column.items()]
    i, j, values = np.asarray(cells).reshape(-1, 3).T
    shape = len(rows), len(columns)
    return sparse.csc_matrix((values, (i.astype(np.int64), j.astype(np.int64))), shape=shape)


def _highs(costs: Any, **constraints: Any) -> Any:
    """A basic solution in floats; on many cells by interior points and then to a corner."""
    from scipy import optimize

    linprog: Any = optimize.linprog  # type checkers would have to infer it from its body
    matrix = constraints["A_eq"] if "A_eq" in constraints else constraints["A_ub"]
    few = math.prod(matrix.shape) <= DENSE
    found = linprog(costs, method="highs-ds" if few else "highs-ipm", **constraints)
    if not few and found.status == 4:  # numerical trouble
        found = linprog(costs, method="highs-ds", **constraints)
    return found


def _supports(matrix: Any, target: Any, trials: int) -> list[dict[int, float]]:
    """Columns that seem to combine to the target, with multipliers; the fewest first."""
    trials = max(1, min(trials, round((DENSE / math.prod(matrix.shape)) ** (1 / 3))))
    number, found = np.arange(1, matrix.shape[1] + 1, dtype=np.int64), []
    for trial in range(trials):
        preference = 1 + (number * trial * (math.sqrt(5) - 1) / 2) % 1 / 2  # equidistributed
        if (support := _support(preference, matrix, target)) is None:
            break
        found.append(support)
        if len(support) <= 2:
            break
    best = min(found, key=len, default={})
    fewer = 2 * trials if trials > 1 and len(best) > 2 else 0
    for without in list(best)[:fewer]:
        costs = np.where(np.isin(number - 1, list(best)), 0.1, 1.0)
        support = _support(costs, matrix, target, np.where(number - 1 == without, 0.0, np.inf))
        if support is not None:
            found.append(support)
    return sorted(found, key=len)


def _support(costs: Any, matrix: Any, target: Any, upper: Any = np.inf) -> dict[int, float] | None:
    """Which columns a basic solution takes, and how much; None if there is no solution."""
    from scipy import optimize

    if math.prod(matrix.shape) > DENSE:
        found = _highs(costs, A_eq=matrix, b_eq=target)
    else:  # the same solver with half of the preparations
        equal: Any = optimize.LinearConstraint(matrix, target, target)
        found = optimize.milp(costs, constraints=equal, bounds=optimize.Bounds(0, upper))
    return {j: x for j, x in enumerate(found.x.tolist()) if x > ZERO} if found.status == 0 else None


def _multipliers(
    columns: Sequence[Terms], total: Terms, support: Iterable[int]
) -> dict[int, Fraction] | None:
    """The multipliers of these columns, exactly; None if they do not combine to the total."""
    equations: dict[int, dict[int, Fraction | int]] = {i: {} for i in total}
    for j in support:
        for i, value in columns[j].items():
            equations.setdefault(i, {})[j] = value
    try:
        multipliers = solve((terms, total.get(i, 0)) for i, terms in equations.items())
    except Uncertified:
        return None
    sums = {
        i: sum((v * multipliers.get(j, 0) for j, v in terms.items()), Fraction(0))
        for i, terms in equations.items()
    }
    met = all(value == total.get(i, 0) for i, value in sums.items())
    return multipliers if met and min(multipliers.values(), default=0) >= 0 else None


def _directions(
    columns: Sequence[Terms], rows: Sequence[int], point: Any, slack: Any
) -> Iterator[dict[int, Fraction]]:
    """Rational points near one in floats: rounded, then solved for from what is tight there."""
    for most in (60, 10_000):
        near = (Fraction(x).limit_denominator(most) for x in point.tolist())
        yield {i: x for i, x in zip(rows, near, strict=True) if x}
    tight, ends = np.flatnonzero(abs(slack) <= ZERO), np.flatnonzero(abs(abs(point) - 1) <= ZERO)
    equations: list[tuple[Terms, int]] = [({rows[k]: 1}, round(point[k])) for k in ends.tolist()]
    try:
        yield solve([*equations, *((columns[j], 0) for j in tight.tolist())])
    except Uncertified:
        return


def _separated(
    columns: Iterable[Terms], total: Terms, direction: dict[int, Fraction]
) -> Separation | None:
    """The direction as a separation, if it is one."""
    numbers, whole = in_integers(direction, 1)
    value = Fraction(sum(v * numbers.get(i, 0) for i, v in total.items())) / whole
    if value >= 0 or any(
        sum(v * numbers[i] for i, v in column.items() if i in numbers) < 0 for column in columns
    ):
        return None
    return Separation(direction, value)


def _pivoted(
    columns: Sequence[Terms], total: Terms, rows: Sequence[int], first: Iterable[int]
) -> dict[int, Fraction] | Separation:
    """Decide by pivots in integers; columns join where they contradict a separation."""
    chosen = list(first)
    while True:
        if len(rows) * (len(chosen) + len(rows)) > PIVOTED:
            raise Uncertified(
                f"floats could not tell whether {len(columns)} columns of {len(rows)} rows combine "
                "to the total, and these are too many to pivot in integers"
            )
        multipliers, direction = phase_one({j: columns[j] for j in chosen}, total, rows)
        if direction is None:
            return multipliers
        inside = [
            sum((v * direction[i] for i, v in column.items() if i in direction), Fraction(0))
            for column in columns
        ]
        worst = sorted((v, j) for j, v in enumerate(inside) if v < 0)
        if not worst:
            value = sum(v * direction.get(i, 0) for i, v in total.items())
            return Separation(direction, Fraction(value))
        chosen += [j for _, j in worst[: len(rows)]]


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
        row, right = in_integers(terms, constant)
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
