"""Second differences, in the number of rounds R, of the frontier of permutations.

Writing a permutation of n tokens in R rounds costs at least ``E(n, R) = F(n, R) - log n!`` nats,
with

    F(n, 1) = n log n,    F(n, R) = min over R-1 <= m <= n-1 of  (n - m) log n + F(m, R-1)

(Wen, Liang, Lu, arXiv 2608.25505 [source]). It is convex in R if
``D(n, R) = F(n, R-1) - 2 F(n, R) + F(n, R+1)`` is never negative.

It never is [ours; the general theorem about Monge weights: memory]. F(n, R) is the length of a
shortest path from 0 to n with R edges, where an edge from m to n has the length
``w(m, n) = (n - m) log n``. For a <= b < c <= d

    w(a, d) + w(b, c) - w(a, c) - w(b, d) = (b - a) (log d - log c) >= 0

Take shortest paths P with R-1 edges and Q with R+1 edges, and the first k with P_k >= Q_{k+1}.
The edge from a = P_{k-1} to d = P_k encloses that from b = Q_k to c = Q_{k+1}. Crossing over
there, along P to a, then to c and along Q, and the other way round, makes two paths of R edges
that are together not longer. So ``2 F(n, R) <= F(n, R-1) + F(n, R+1)``. The program computes
every difference without this argument.
"""

from collections.abc import Sequence
from decimal import Context, Decimal
from typing import Any

import numpy as np

from sims.open_questions.search import Record, Search
from theory.errors import TooLarge
from theory.validation.arguments import as_integer

__all__ = ["PermutationFrontier", "Permutations"]

UNITS = 2**40
"""A nat in the units of the fixed-point numbers."""

MOST = 2000
"""Above this the table of F is too large."""


class PermutationFrontier:
    """F(n, R) for all n up to `most`: in fixed point with an error bound, and exactly.

    Logarithms are rounded to units of 2^-40 nats; everything after that is integer arithmetic.
    F(n, R) is a sum of n logarithms, so it is off by at most n units. Integers decide what that
    leaves open, which up to 2000 is nothing.

    Parameters
    ----------
    most : int
        At most 2000.

    Raises
    ------
    InvalidInput
    TooLarge

    >>> frontier = PermutationFrontier(4)
    >>> [frontier.product(4, rounds) for rounds in (1, 2, 3, 4)]      # exp(F)
    [256, 64, 32, 24]
    >>> [frontier.sign(4, rounds) for rounds in (2, 3)]               # 256*32 > 64^2, 64*24 > 32^2
    [1, 1]
    """

    def __init__(self, most: int) -> None:
        self.most = as_integer(most, "most", 1)
        if self.most > MOST:
            raise TooLarge(f"permutations of up to {most} would be tabulated; at most {MOST} are")
        self.logs = [0, *(_fixed_log(n) for n in range(1, self.most + 1))]
        self.values = np.full((self.most + 1, self.most + 1), 2**61, dtype=np.int64)
        self.values[0, 0] = 0
        for n in range(1, self.most + 1):
            self.values[n, 1 : n + 1] = self._candidates(n, slice(n)).min(axis=0)

    def _candidates(self, n: int, before: Any) -> np.ndarray:
        """``(n - m) log n + F(m, before)`` for m < n."""
        last = (n - np.arange(n, dtype=np.int64)) * self.logs[n]
        return last.reshape((n,) + (1,) * isinstance(before, slice)) + self.values[:n, before]

    def differences(self, n: int) -> np.ndarray:
        """D(n, R) for R = 2, ..., n-1 in units, each off by at most ``4 n``."""
        return np.diff(self.values[n, 1 : n + 1], 2)

    def product(self, n: int, rounds: int) -> int:
        """``exp F(n, rounds)``, an integer."""
        near: list[dict[int, list[int]]] = []
        wanted = {n}
        for left in range(rounds, 0, -1):
            near.append({k: self._nearly_best(k, left) for k in wanted})
            wanted = {m for choices in near[-1].values() for m in choices}
        products = {0: 1}
        for choices in reversed(near):
            products = {
                k: min(k ** (k - m) * products[m] for m in some) for k, some in choices.items()
            }
        return products[n]

    def _nearly_best(self, n: int, rounds: int) -> list[int]:
        """Every m that the rounding may have kept from being the best."""
        values = self._candidates(n, rounds - 1)
        return np.flatnonzero(values <= values.min() + 2 * n).tolist()

    def sign(self, n: int, rounds: int) -> int:
        """The sign of D(n, rounds), in integers."""
        outer = self.product(n, rounds - 1) * self.product(n, rounds + 1)
        inner = self.product(n, rounds) ** 2
        return (outer > inner) - (outer < inner)


def _fixed_log(n: int) -> int:
    """``log n`` in units, off by less than one: decimal logarithms are rounded correctly."""
    context = Context(prec=40)
    return int(context.multiply(context.ln(Decimal(n)), Decimal(UNITS)).to_integral_value())


class Permutations(Search):
    """Every second difference of the frontier of permutations up to `most`; a case for each n.

    Parameters
    ----------
    most : int
        At least 3, at most 2000.

    >>> search = Permutations(5)
    >>> search.case(None, n=4)["differences"]        # R = 2 and 3
    2
    """

    def __init__(self, most: int) -> None:
        self.most = as_integer(most, "most", 3)
        self.frontier = PermutationFrontier(most)
        self.cases = [{"n": n} for n in range(3, most + 1)]

    def case(self, rng: np.random.Generator | None, /, **case: int) -> Record:
        n = case["n"]
        differences = self.frontier.differences(n)
        unclear = (np.flatnonzero(abs(differences) <= 4 * n) + 2).tolist()
        signs = {rounds: self.frontier.sign(n, rounds) for rounds in unclear}
        clear = np.flatnonzero(differences < -4 * n) + 2
        negative = [rounds for rounds, sign in signs.items() if sign < 0]
        return {
            "differences": len(differences),
            "exactly": len(unclear),
            "zero": [rounds for rounds, sign in signs.items() if sign == 0],
            "negative": sorted(negative + clear.tolist()),
            "least": int(differences.min()),
            "rounds": int(differences.argmin()) + 2,
        }

    def found(self, records: Sequence[Record]) -> bool:
        return any(record["negative"] for record in records)

    def report(self, records: Sequence[Record]) -> str:
        count = sum(record["differences"] for record in records)
        exactly = sum(record["exactly"] for record in records)
        zero, negative = _pairs(records, "zero"), _pairs(records, "negative")
        record = min(records, key=lambda record: record["least"])
        lines = [
            "Convexity in R of the frontier F(n, R) of permutations.",
            "Searched: every second difference D(n, R) = F(n, R-1) - 2 F(n, R) + F(n, R+1) with "
            f"2 <= R <= n-1 and 3 <= n <= {self.most}, {count} in all.",
            "Arithmetic: fixed point in units of 2^-40 nats, in which D(n, R) is off by at most "
            f"4n, decides {count - exactly}; comparing the integers exp(F) decides {exactly}.",
            f"Smallest: {record['least'] / UNITS:.6g} nats, within "
            f"{4 * record['n'] / UNITS:.1g}, at n = {record['n']}, R = {record['rounds']}.",
            f"Zero: {_spell(zero)}.",
            f"Negative: {_spell(negative)}.",
            f"Exhaustive over 3 <= n <= {self.most}: "
            + ("convexity is violated." if negative else "no violation of convexity."),
        ]
        return "\n".join(lines)


def _pairs(records: Sequence[Record], key: str) -> list[tuple[int, int]]:
    return [(record["n"], rounds) for record in records for rounds in record[key]]


def _spell(pairs: list[tuple[int, int]]) -> str:
    if not pairs:
        return "none"
    first = ", ".join(f"(n, R) = {pair}" for pair in pairs[:5])
    return f"{len(pairs)}, first {first}"
