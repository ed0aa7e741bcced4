"""A statement's forms in integers, evaluated on many vectors of entropies at once.

Vectors are tried in all orders of the sites: it is the forms that are permuted, and orders that
leave them as they are count once.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from theory.distributions.base import Distribution
from theory.distributions.empirical import EmpiricalDistribution
from theory.distributions.table import JointTable
from theory.proofs.answers import Refutation
from theory.proofs.quantities import Form
from theory.proofs.statement import Conclusion, Statement, value_at

__all__ = ["Question", "moved_sets", "numbered", "weighted"]

MAX_FORMS = 2**22
"""Coefficients of the forms in all orders of the sites that are tried (32 MiB)."""

CHUNK = 2**22
"""Entries of the largest temporary array (32 MiB)."""

ROUNDING = 1e-10
"""Of a form in floats, as a share of the sum of its coefficients."""

MAX_CELLS = 2**14
"""Distributions are tables up to this size, and lists of words beyond."""


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked of a distribution: a negative slack, while all assumptions are met.

    Attributes
    ----------
    forms : array of int64 or of Python's integers, shape (P, 1 + M, 2**L)
        The slack and the M assumptions by the bits of a set, in P orders of the sites.
    orders : list of tuple
        The sites of a vector that those of the statement stand for.
    equal : array of bool, shape (M,)
        Which assumptions are equalities.
    complete : bool
        False if there are more orders that change the forms.
    """

    statement: Statement
    conclusion: Conclusion
    forms: np.ndarray
    orders: list[tuple[int, ...]]
    equal: np.ndarray
    complete: bool

    @classmethod
    def of(cls, statement: Statement, conclusion: Conclusion) -> "Question":
        """The forms of a conclusion and of the assumptions, in all orders that change them.

        >>> from theory.proofs.text import parse
        >>> statement = parse("I(0;1) <= H(2)", 3)
        >>> question = Question.of(statement, statement.conclusions[0])
        >>> question.orders, question.forms[0].tolist()
        ([(0, 1, 2), (0, 2, 1), (1, 2, 0)], [[0, -1, -1, 1, 1, 0, 0, 0]])
        """
        sites, given = statement.sites, statement.assumptions
        forms = (conclusion.slack, *(a.form for a in given))
        start = np.asarray([_in_integers(form, sites) for form in forms])
        identity = tuple(range(sites))
        swaps = [(*identity[:i], i + 1, i, *identity[i + 2 :]) for i in range(sites - 1)]
        sets = [moved_sets(swap) for swap in swaps]
        equal = [a.equal for a in given]
        most = max(1, MAX_FORMS // start.size)
        found, orders, seen, complete = [start], [identity], {_key(start, equal)}, True
        for form, order in zip(found, orders, strict=False):  # they grow
            for swap, moved in zip(swaps, sets, strict=True):
                other = form[:, moved]
                key = _key(other, equal)
                if key in seen:
                    continue
                if len(found) >= most:
                    complete = False
                    break
                seen.add(key)
                found.append(other)
                orders.append(tuple(swap[i] for i in order))
        stacked = np.stack(found)
        return cls(statement, conclusion, stacked, orders, np.asarray(equal, dtype=bool), complete)

    @property
    def sites(self) -> int:
        """The number of sites L."""
        return self.statement.sites

    @property
    def how_moved(self) -> str:
        """In how many orders vectors are tried, if not in all."""
        return "" if self.complete else f" in {len(self.orders):,} orders of the sites"

    def exact(self, ranks: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """All forms on vectors of integers (N, 2**L), as a start and integers (n, P, 1 + M)."""
        shape = self.forms.shape
        flat = self.forms.reshape(-1, shape[-1]).T
        # sums of integers in floats are exact, and much faster, as long as they are small
        small = int(abs(flat).sum(axis=0).max()) * max(1, int(ranks.max())) < 2**53
        kind = np.float64 if small else object
        for start, some in self._chunks(ranks):
            found = some.astype(kind) @ flat.astype(kind)
            whole = np.rint(found).astype(np.int64) if small else found
            yield start, whole.reshape(-1, *shape[:2])

    def meets(self, values: np.ndarray) -> np.ndarray:
        """Where all assumptions hold and the slack is negative, shape (n, P)."""
        given = values[..., 1:]
        held = np.where(self.equal, given == 0, given >= 0).all(axis=-1)
        return held & (values[..., 0] < 0)

    def near(self, entropies: np.ndarray) -> Iterator[tuple[int, int, float]]:
        """Vectors of floats (N, 2**L) that seem to refute: their number, order and slack."""
        shape = self.forms.shape
        flat = self.forms.reshape(-1, shape[-1]).T.astype(np.float64)
        rounding = ROUNDING * (1 + abs(self.forms[0]).sum(axis=1).astype(np.float64))
        for start, some in self._chunks(entropies):
            values = (some @ flat).reshape(-1, *shape[:2])
            given = np.where(self.equal, -abs(values[..., 1:]), values[..., 1:])
            held = (given >= -rounding[1:]).all(axis=-1) & (values[..., 0] < -rounding[0])
            for number, order in np.argwhere(held).tolist():
                yield start + number, order, float(values[number, order, 0])

    def _chunks(self, vectors: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        chunk = max(1, CHUNK // max(self.forms.shape[0] * self.forms.shape[1], vectors.shape[1]))
        for start in range(0, len(vectors), chunk):
            yield start, vectors[start : start + chunk]

    def refuted(self, p: Distribution, found_by: str) -> Refutation | None:
        """The refutation by a distribution, if it is one in exact arithmetic."""
        slack = value_at(self.conclusion.slack, p)
        found = Refutation(self.statement, self.conclusion, p, slack, found_by)
        return found if found.check() else None


def moved_sets(order: Sequence[int]) -> np.ndarray:
    """The bits of ``{order[i] : i in S}`` by the bits of S, shape (2**L,), int64.

    >>> moved_sets((1, 2, 0)).tolist()
    [0, 2, 4, 6, 1, 3, 5, 7]
    """
    found = np.zeros(1, dtype=np.int64)
    for site in order:
        found = np.concatenate([found, found | (1 << site)])
    return found


def numbered(words: np.ndarray) -> np.ndarray:
    """Tokens ``0..V-1`` at each site, in the order in which they were.

    >>> numbered(np.asarray([[5, 1], [7, 1]])).tolist()
    [[0, 0], [1, 0]]
    """
    columns = [np.unique(column, return_inverse=True)[1] for column in words.T]
    return np.stack(columns, axis=1).astype(np.int64)


def weighted(words: np.ndarray, weights: Sequence[int] | None = None) -> Distribution:
    """The exact distribution of words (N, L) with integer weights, as a table where it is small.

    >>> weighted(np.asarray([[0, 0], [0, 2]]), (1, 2)).table().tolist()
    [[Fraction(1, 3), Fraction(2, 3)], [Fraction(0, 1), Fraction(0, 1)]]
    """
    words = numbered(words)
    counts = np.ones(len(words), dtype=np.int64) if weights is None else np.asarray(weights)
    vocab, length = int(words.max()) + 1, words.shape[1]
    if vocab**length > MAX_CELLS:
        return EmpiricalDistribution(words, counts, exact=True)
    table = np.zeros((vocab,) * length, dtype=np.int64)
    np.add.at(table, tuple(words.T), counts)
    return JointTable(table, exact=True)


def _in_integers(form: Form, sites: int) -> np.ndarray:
    """A form times a positive number, shape (2**L,): int64 where all sums fit."""
    common = math.lcm(*(Fraction(c).denominator for c in form.values()))
    row = [0] * (1 << sites)
    for bits, coefficient in form.items():
        row[bits] = int(coefficient * common)
    row[0] = 0  # the empty set has no entropy
    divisor = math.gcd(*row) or 1
    small = sum(map(abs, row)) < 2**62
    return np.asarray([c // divisor for c in row], dtype=np.int64 if small else object)


def _key(forms: np.ndarray, equal: Sequence[bool]) -> Any:
    """The slack and the assumptions, in whatever order these are."""
    rows = [row.tobytes() if row.dtype != object else tuple(row.tolist()) for row in forms]
    return rows[0], frozenset(zip(rows[1:], equal, strict=True))
