"""Codes that refute together: a linear program over the cone that their entropies generate.

Independent codes side by side have the sum of their entropies. Codes over fields of one
characteristic p have entropies in multiples of ``log p``, so what they add up to is found in
integers. An equality that codes over several characteristics meet together is met by those of
each characteristic alone, because logarithms of primes are linearly independent. (Inequalities may
be met by codes over several characteristics together; those are not looked for.)
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from theory._core.finite_fields import finite_field
from theory._core.linear_program import Uncertified, least
from theory._core.pivots import in_integers
from theory.distributions.base import Distribution
from theory.distributions.side_by_side import SideBySide
from theory.proofs.codes import Codes
from theory.proofs.question import Question, numbered, weighted

__all__ = ["Part", "several", "single", "together"]

MAX_COLUMNS = 2**11
"""Variables of an integer program."""

MAX_NODES = 2**10
"""Branches of an integer program that are gone through."""

MAX_WORDS = 2**14
"""Independent codes are listed as words up to so many, and kept apart beyond."""

MAX_IMPROVED = 24
"""Costs up to which less is looked for; beyond, branches take long, and words are many anyway."""

POSITIVE = 1e-9
"""Floats of a basic solution up to this are taken for zero."""


@dataclass(frozen=True)
class Part:
    """A code, in which order its sites are taken, and how many independent copies of it."""

    codes: Codes
    number: int
    order: tuple[int, ...]
    times: int = 1

    @property
    def count(self) -> int:
        """The number of words of one copy."""
        return self.codes.shape.field ** int(self.codes.ranks[self.number, -1])

    def words(self) -> np.ndarray:
        """The words of one copy, shape (N, L)."""
        return self.codes.words(self.number)[:, list(self.order)]


def single(question: Question, codes: Codes) -> Part | None:
    """The first code of a library that refutes alone; the library begins with the smallest."""
    for start, values in question.exact(codes.ranks):
        found = np.argwhere(question.meets(values))
        if len(found):
            number, order = found[0].tolist()
            return Part(codes, start + number, question.orders[order])
    return None


def several(question: Question, libraries: Sequence[Codes]) -> list[Part] | None:
    """Codes that refute together, over fields of one characteristic."""
    columns, costs, parts = _columns(question, libraries)
    chosen = _least_integers(columns, costs, question.equal)
    if chosen is None:
        return None
    found = [(parts[j], times) for j, times in chosen.items()]
    return [Part(p.codes, p.number, p.order, times) for p, times in found]


def together(parts: Sequence[Part]) -> Distribution:
    """The distribution of independent codes, each site with the symbols of all of them."""
    lists = [part.words() for part in parts]
    if math.prod(len(w) ** part.times for w, part in zip(lists, parts, strict=True)) > MAX_WORDS:
        pairs = zip(map(weighted, lists), parts, strict=True)
        return SideBySide([p for p, part in pairs for _ in range(part.times)])
    words = np.zeros_like(lists[0][:1])
    for more, part in zip(lists, parts, strict=True):
        for _ in range(part.times):
            both = words[:, None, :] * (1 + more.max(axis=0)) + more[None, :, :]
            words = numbered(both.reshape(-1, both.shape[-1]))
    return weighted(words)


def _columns(
    question: Question, libraries: Sequence[Codes]
) -> tuple[np.ndarray, np.ndarray, list[Part]]:
    """Different values of slack and assumptions, the logarithms of words, and which they are.

    Where an assumption that is an equality has one sign on all codes, those are left on which it
    holds.
    """
    values, costs, parts = [], [], []
    for codes in libraries:
        degree = finite_field(codes.shape.field).degree
        for start, some in question.exact(codes.ranks):
            different, first = _different(some.reshape(-1, some.shape[-1]))
            number, order = np.divmod(first, len(question.orders))
            values.append(different * degree)
            costs.append(codes.ranks[start + number, -1] * degree)
            pairs = zip((start + number).tolist(), order.tolist(), strict=True)
            parts += [Part(codes, k, question.orders[o]) for k, o in pairs]
    columns, cost = np.concatenate(values), np.concatenate(costs)
    by_cost = np.argsort(cost, kind="stable")
    _, first = _different(columns[by_cost])
    kept = by_cost[np.sort(first)]
    while True:
        given = columns[kept][:, 1:]
        one_sign = question.equal & ((given >= 0).all(axis=0) | (given <= 0).all(axis=0))
        held = (given[:, one_sign] == 0).all(axis=1)
        if held.all():
            break
        kept = kept[held]
    kept = kept[(columns[kept] != 0).any(axis=1)]
    return columns[kept], cost[kept], [parts[j] for j in kept.tolist()]


def _different(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Different rows and the first place of each."""
    if rows.dtype != object:
        return np.unique(rows, axis=0, return_index=True)
    first: dict[tuple[int, ...], int] = {}
    for number, row in enumerate(map(tuple, rows.tolist())):
        first.setdefault(row, number)
    places = np.asarray(list(first.values()), dtype=np.int64)
    return rows[places], places


def _least_integers(
    columns: np.ndarray, costs: np.ndarray, equal: np.ndarray
) -> dict[int, int] | None:
    """Nonnegative integers ``y`` with ``sum_j y[j] columns[j]`` negative at 0 and as assumed.

    Of small cost: the best of a few linear programs that prefer small columns more or less, or
    what an integer program finds if that is less.
    """
    if not len(columns) or not (columns[:, 0] < 0).any():
        return None
    size = abs(columns).max(axis=1).astype(np.float64)
    corners = (_corner(columns, costs * size**power, equal) for power in range(3))
    best = min(filter(None, corners), key=lambda some: _cost(some, costs), default=None)
    if best is None or len(best) == 1 or _cost(best, costs) > MAX_IMPROVED:
        return best
    other = _fewer(columns, costs, equal)
    return other if other and _cost(other, costs) < _cost(best, costs) else best


def _corner(columns: np.ndarray, prices: np.ndarray, equal: np.ndarray) -> dict[int, int] | None:
    """The best of a linear program, in Fractions, times their denominators."""
    from scipy import optimize

    scale = np.maximum(abs(columns).max(axis=0), 1)  # else large coefficients make small numbers
    matrix = (columns / scale).T.astype(np.float64)
    fixed = np.concatenate([[True], equal])  # the slack to -1, equalities to 0
    linear: Any = optimize.linprog(
        prices.astype(np.float64),
        A_eq=matrix[fixed],
        b_eq=[-1.0, *[0.0] * int(equal.sum())],
        A_ub=-matrix[~fixed] if not fixed.all() else None,
        b_ub=np.zeros(int((~fixed).sum())) if not fixed.all() else None,
        method="highs-ds",
    )
    if linear.status != 0:
        return None
    (used,) = np.nonzero(linear.x > POSITIVE)
    # in Fractions over the columns that are used, with one variable more for each inequality
    terms = [
        {i: Fraction(int(v), int(scale[i])) for i, v in enumerate(columns[j]) if v}
        for j in used.tolist()
    ]
    spare = [{1 + i: -1} for i in np.flatnonzero(~equal).tolist()]
    price = [1] * len(used) + [0] * len(spare)
    try:
        exact = least(price, terms + spare, [-1] + [0] * len(equal)).solution
    except Uncertified:
        return None
    shares = {j: exact[k] for k, j in enumerate(used.tolist()) if k in exact}
    whole, _ = in_integers(shares, 1)
    return {j: times // math.gcd(*whole.values()) for j, times in whole.items()}


def _fewer(columns: np.ndarray, costs: np.ndarray, equal: np.ndarray) -> dict[int, int] | None:
    """What an integer program finds, verified."""
    from scipy import optimize

    if len(columns) > MAX_COLUMNS:
        return None
    low = np.concatenate([[-np.inf], np.zeros(len(equal))])
    high = np.where(np.concatenate([[True], equal]), 0.0, np.inf)
    high[0] = -1.0
    bounds: Any = optimize.LinearConstraint
    integral: Any = optimize.milp(
        costs.astype(np.float64),
        integrality=np.ones(len(columns)),
        constraints=bounds(columns.T.astype(np.float64), low, high),
        options={"node_limit": MAX_NODES},
    )
    if integral.x is None:
        return None
    found = {int(j): round(integral.x[j]) for j in np.flatnonzero(integral.x > 0.5)}
    total = columns[list(found)].T.astype(object) @ np.asarray([*found.values()], object)
    held = np.where(equal, total[1:] == 0, total[1:] >= 0).all() and total[0] < 0
    return found if held else None


def _cost(chosen: dict[int, int], costs: np.ndarray) -> int:
    return sum(int(costs[j]) * times for j, times in chosen.items())
