"""A climb to a table where a function of tables is large, also along the edges of its jumps.

What a decoder loses is smooth where its choices of sites stay the same, and jumps where a
prediction crosses a threshold or two are tied. The worst tables lie on such an edge, often on many
at once, and near a corner almost every way ahead crosses one: a climb that moves mass from sequence
to sequence may stop there. So

- a step is the best point of a whole segment; the neighbourhood of the best of some points is
  looked at again and again, which finds the end of a piece just before a jump;
- sequences *exchange* tokens, ``x, y -> x', y'``, at some sites, so that no prediction of a single
  site changes: that slides along the edges of a threshold;
- all mass moves towards a single sequence, which leads from one piece to the next;
- half of the segments begin off the table, at one that has been moved a little and may lie beyond
  an edge, and lead on by another move: two moves together slide along an edge that each crosses.
"""

import itertools
import math
from collections.abc import Callable, Iterator

import numpy as np

from theory.lattice.codes import digits

__all__ = ["Climb", "roundings"]

MOVES, KEPT = 32, 4
"""Segments that are looked at in a step, and how many of them more closely."""

CLOSER = 8
"""How often the neighbourhood of the best point is looked at again, each time a third of it."""

SEGMENT = np.unique(
    [*np.linspace(0, 1, 5), *2.0 ** -np.arange(3, 40, 4), 1 - 2.0**-3, 1 - 2.0**-11]
)
"""Where a segment is looked at first: also near its start, as the last steps are short."""

OFTEN = (0.4, 0.4, 0.2)
"""How often mass is given to another sequence, tokens are exchanged, and all mass is moved."""

NOTHING = 1e-6
"""Drawn sequences that are less likely than this, beside the likeliest one, are left out."""

NEAR = 20
"""Segments begin up to ``2^-NEAR`` of a move off the table."""

GAIN = 1e-7
"""A smaller share of the value is no progress."""

PATIENCE = 8
"""Steps without progress after which a climb ends."""

SMALL = 16
"""Weights of a small sum, up to this one, are tried before a climb ends."""


class Climb:
    """The tables of one shape, as vectors of ``V^L`` probabilities, and moves between them.

    Parameters
    ----------
    value : callable
        From tables (M, V^L) to numbers (M,).
    length, vocab : int
    rng : numpy.random.Generator

    Attributes
    ----------
    tried : int
        How many have been.
    """

    def __init__(
        self,
        value: Callable[[np.ndarray], np.ndarray],
        length: int,
        vocab: int,
        rng: np.random.Generator,
    ) -> None:
        self._value, self.rng, self.tried = value, rng, 0
        self.count = vocab**length
        self._words = digits(np.arange(self.count, dtype=np.int64), length, vocab)
        self._strides = vocab ** np.arange(length - 1, -1, -1, dtype=np.int64)

    def values(self, tables: np.ndarray) -> np.ndarray:
        """The values of tables (..., V^L); ``-inf`` where they are not known."""
        rows = tables.reshape(-1, self.count)
        self.tried += len(rows)
        found = self._value(rows)
        return np.where(np.isnan(found), -math.inf, found).reshape(tables.shape[:-1])

    def drawn(self, size: int) -> np.ndarray:
        """Tables of which some are spread out and some have few sequences; the best of so many."""
        fewest = -2 - math.ceil(math.log2(self.count))  # then hardly more than one
        spread = 2.0 ** self.rng.integers(fewest, 2, (size, 1))
        weights = self.rng.gamma(np.broadcast_to(spread, (size, self.count)))
        weights[weights < NOTHING * weights.max(axis=1, keepdims=True)] = 0.0
        tables = weights / weights.sum(axis=1, keepdims=True)
        return tables[self.values(tables).argmax()]

    def climb(self, table: np.ndarray, tables: int) -> tuple[np.ndarray, float]:
        """Go up from a table until nothing is gained any more, or so many were looked at."""
        value, idle, last = float(self.values(table[None])[0]), 0, self.tried + tables
        while self.tried < last and value < math.inf:
            ahead, there = self._step(table) if idle < PATIENCE else self._small(table)
            gained = there > value + GAIN * abs(value)
            if there > value:
                table, value = ahead, there
            if not gained and idle == PATIENCE:
                break
            idle = 0 if gained else idle + 1
        return table, value

    def _small(self, table: np.ndarray) -> tuple[np.ndarray, float]:
        """The best table near this one of small integer weights, and its value."""
        near = [w / w[0].sum() for w in itertools.islice(roundings(table), SMALL)]
        points = np.concatenate(near)
        values = self.values(points)
        return points[values.argmax()], float(values.max())

    def _step(self, table: np.ndarray) -> tuple[np.ndarray, float]:
        """The best point of some segments, and its value."""
        begin = np.asarray([self._beside(table) for _ in range(MOVES)])
        end = np.asarray([self.moved(one) for one in begin])
        shares = np.broadcast_to(SEGMENT, (MOVES, len(SEGMENT)))
        points, values = self._along(begin, end, shares)
        kept = np.argsort(-values.max(axis=1), kind="stable")[:KEPT]
        begin, end, shares, points, values = (a[kept] for a in (begin, end, shares, points, values))
        rows = np.arange(len(kept))
        for _ in range(CLOSER):
            best = values.argmax(axis=1)
            low = shares[rows, np.maximum(best - 1, 0)]
            here = shares[rows, best]
            high = shares[rows, np.minimum(best + 1, shares.shape[1] - 1)]
            shares = np.concatenate([np.linspace(low, here, 4), np.linspace(here, high, 4)[1:]]).T
            points, values = self._along(begin, end, shares)
        row, best = np.unravel_index(values.argmax(), values.shape)
        return points[row, best], float(values[row, best])

    def _along(
        self, begin: np.ndarray, end: np.ndarray, shares: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Points (K, G, V^L) at shares (K, G) of K segments, and their values."""
        points = begin[:, None] + shares[..., None] * (end - begin)[:, None]
        points = np.maximum(points, 0.0)
        points /= points.sum(axis=-1, keepdims=True)
        return points, self.values(points)

    def _beside(self, table: np.ndarray) -> np.ndarray:
        """The table itself, or one that lies a little off."""
        if self.rng.random() < 0.5:
            return table
        return table + 2.0 ** -self.rng.uniform(0, NEAR) * (self.moved(table) - table)

    def moved(self, table: np.ndarray) -> np.ndarray:
        """Where a segment leads to."""
        move = (self._transferred, self._exchanged, self._towards)[self.rng.choice(3, p=OFTEN)]
        return move(table)

    def _transferred(self, table: np.ndarray) -> np.ndarray:
        """All mass of one sequence is given to another."""
        end, giver = table.copy(), self._some(table)
        end[self.rng.integers(self.count)] += end[giver]
        end[giver] -= table[giver]
        return end

    def _exchanged(self, table: np.ndarray) -> np.ndarray:
        """Two sequences exchange their tokens at some sites, as far as their mass goes."""
        end, x, y = table.copy(), self._some(table), self._some(table)
        swap = self.rng.random(self._words.shape[1]) < 0.5
        mass = min(table[x], table[y]) if x != y else 0.0
        for one, other in ((x, y), (y, x)):
            end[one] -= mass
            end[np.where(swap, self._words[other], self._words[one]) @ self._strides] += mass
        return end

    def _towards(self, table: np.ndarray) -> np.ndarray:
        """A single sequence has all mass."""
        return np.eye(self.count)[self.rng.integers(self.count)]

    def _some(self, table: np.ndarray) -> int:
        """One of the sequences that have mass."""
        return int(self.rng.choice(np.flatnonzero(table > 0)))


def roundings(table: np.ndarray) -> Iterator[np.ndarray]:
    """Integer weights near a table, (M, V^L) of the same sum, for sums that grow.

    Beside the nearest ones a unit is moved between any two sequences that have mass, or where these
    are many between the likeliest one and some others: the nearest may lie beyond the edge of a
    jump.

    >>> next(roundings(np.asarray([0.4, 0.0, 0.6]))).tolist()
    [[0, 0, 1], [1, 0, 0]]
    """
    used, total = np.flatnonzero(table > 0), 1
    order = used[np.argsort(-table[used], kind="stable")].tolist()
    several = order[:MANY]
    pairs = [
        (x, y)
        for x in several
        for y in several
        if x != y and (len(order) <= FEW or order[0] in (x, y))
    ]
    while total <= LARGEST:
        exact = table * total
        weights = np.floor(exact).astype(np.int64)
        left = total - int(weights.sum())
        weights[np.argsort(weights - exact, kind="stable")[:left]] += 1
        moved = [weights]
        for x, y in pairs:
            if weights[x] > 0:
                moved.append(weights.copy())
                moved[-1][x] -= 1
                moved[-1][y] += 1
        yield np.asarray(moved)
        total = max(total + 1, math.ceil(total * GROWTH))


FEW, MANY = 5, 17
"""Between how many sequences units are moved in pairs, and between the likeliest and how many."""

LARGEST = 10**7
"""The largest sum of weights."""

GROWTH = 1.02
"""Sums of weights grow by this factor, or by one."""
