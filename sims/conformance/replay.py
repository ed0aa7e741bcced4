"""The tree of random choices that a sampler makes, gone through by running it again and again.

A run of a sampler on B rows is B paths through its choices. Each row is given the first choices of
its path, a prefix; beyond the prefix it takes the most probable option, and every other option is
the prefix of a path still to be run. What intercepts a sampler's random calls (`generator` for
NumPy, `torch` for torch) puts its questions to the `Replay` of the run.

Prefixes are run heaviest first. So when there are more paths than one is willing to run, what is
left out is as little as can be, and its mass is known.
"""

import contextlib
import heapq
import math
import sys
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from pathlib import Path

import numpy as np

from theory.errors import InvalidInput, ZerolossError

__all__ = [
    "END",
    "AmbiguousRows",
    "NotEnumerable",
    "Paths",
    "Replay",
    "replaying",
    "running",
]

END = -1
"""Fills the columns of a prefix beyond its end."""


class NotEnumerable(ZerolossError):
    """Random numbers whose outcomes cannot be enumerated; names the call and where it was made.

    >>> str(NotEnumerable("the sum of noise", where="sampler.py:12"))
    'the sum of noise cannot be enumerated (sampler.py:12)'
    """

    def __init__(self, what: str, *, where: str = "", because: str = "") -> None:
        where = where or _place()
        because = f": {because}" if because else ""
        super().__init__(f"{what} cannot be enumerated{because} ({where})")
        if replay := running():
            replay.failure = replay.failure or self


class AmbiguousRows(NotEnumerable):
    """It cannot be said to which row of a run a random number belongs; run alone, it can."""


def _place() -> str:
    """File and line of the innermost frame that is neither this package's nor an array library's.

    >>> _place().startswith("<doctest")
    True
    """
    inner = [str(Path(__file__).parent)]
    for name in ("numpy", "torch"):
        if path := getattr(sys.modules.get(name), "__file__", None):
            inner.append(str(Path(path).parent))
    frame = sys._getframe()
    while frame.f_back and frame.f_code.co_filename.startswith(tuple(inner)):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


class Replay:
    """One run of a sampler on as many rows as there are prefixes.

    Parameters
    ----------
    prefixes : ndarray of int32, shape (B, depth)
        The first choices of each row, `END` beyond them.
    sites : sequence of int
        Sites of a row, as a sampler may have flattened them: with the prompt, and without.

    Attributes
    ----------
    rows : int
        B, the rows of the run.
    mass : ndarray, shape (B,)
        The probability of all choices that a row has made so far.
    calls : ndarray of int64, shape (B,)
        Calls of a model that each row took part in; without those that only showed what it then
        returned, once `finish` was given that.
    cells : int
        Numbers per row that the largest random call asked for.
    failure : NotEnumerable or None
        The first that was raised in the run, which a sampler may have caught.
    remasks : bool
        Whether a model was shown a token at a site where another, or none, was later.

    >>> run = Replay(np.asarray([[END], [1]]))      # two rows: nothing decided, and option 1
    >>> run.choose(np.asarray([[[0.75, 0.25]], [[0.75, 0.25]]])).tolist(), run.mass.tolist()
    ([[0], [1]], [0.75, 0.25])
    >>> run.others()                                # the first row could have taken option 1
    (array([[1]], dtype=int32), array([0.25]))
    """

    def __init__(self, prefixes: np.ndarray, sites: Sequence[int] = ()) -> None:
        self.rows, self.sites = len(prefixes), tuple(sites)
        self.mass = np.ones(self.rows)
        self.calls = np.zeros(self.rows, dtype=np.int64)
        self.cells, self.remasks = 0, False
        self.failure: NotEnumerable | None = None
        self._shown: np.ndarray | None = None
        self._since = np.zeros(self.rows, dtype=np.int64)
        self._known = (prefixes != END).sum(axis=1)
        self._path = np.asarray(prefixes, dtype=np.int32)
        self._depth = np.zeros(self.rows, dtype=np.int64)
        self._others: list[tuple[np.ndarray, np.ndarray]] = []

    def choose(self, weights: np.ndarray) -> np.ndarray:
        """Make m choices among K options in each row, one after the other.

        Parameters
        ----------
        weights : ndarray, shape (B, m, K)
            Not negative, some positive in each choice; they need not sum to 1. A choice with
            one possible option is none.

        Returns
        -------
        ndarray of int64, shape (B, m)
        """
        return self._choose_in(np.arange(self.rows, dtype=np.int64), weights)

    def decide(self, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Make N choices among K options, each in a row of its own; in a row, one after the other.

        Parameters
        ----------
        rows : ndarray of int64, shape (N,)
        weights : ndarray, shape (N, K)

        Returns
        -------
        ndarray of int64, shape (N,)

        >>> run = Replay(np.asarray([[END], [END]]))
        >>> run.decide(np.asarray([1, 0, 1]), np.asarray([[1, 3], [2, 1], [0, 1]])).tolist()
        [1, 0, 1]
        >>> run.mass.round(3).tolist()
        [0.667, 0.75]
        """
        if len(rows) == self.rows and (rows[1:] > rows[:-1]).all():
            return self._choose_in(rows, np.asarray(weights)[:, None])[:, 0]
        order = np.argsort(rows, kind="stable")
        asked, start, counts = np.unique(rows[order], return_index=True, return_counts=True)
        line = np.repeat(np.arange(len(asked), dtype=np.int64), counts)
        turn = np.arange(len(rows), dtype=np.int64) - np.repeat(start, counts)
        # Where a row has fewer, it is asked what has only one answer.
        questions = np.zeros((len(asked), counts.max(initial=0), weights.shape[1]))
        questions[..., 0] = 1
        questions[line, turn] = weights[order]
        chosen = np.empty(len(rows), dtype=np.int64)
        chosen[order] = self._choose_in(asked, questions)[line, turn]
        return chosen

    def rows_of(self, shape: Sequence[int]) -> np.ndarray:
        """The rows that the numbers of one random call belong to, flattened, (N,).

        They are the leading dimension, whole rows of sites flattened into it included. With
        anything else a sampler has to be run with one row, to which all belongs.

        >>> Replay(np.asarray([[END], [END]]), sites=(3,)).rows_of((6,)).tolist()
        [0, 0, 0, 1, 1, 1]
        """
        size = math.prod(shape)
        if self.rows > 1 and not (shape and self.by_rows(shape[0])):
            raise AmbiguousRows(f"a random call of shape {tuple(shape)} in {self.rows} rows")
        self.cells = max(self.cells, size // self.rows)
        return np.repeat(np.arange(self.rows, dtype=np.int64), size // self.rows)

    def by_rows(self, leading: int) -> bool:
        """Whether a leading dimension is that of the rows, or of the sites of all rows."""
        return leading in {self.rows * m for m in (1, *self.sites)}

    def called(self, x: np.ndarray) -> None:
        """A model was called with patterns (N, m), the rows of the run first among N."""
        if len(x) % self.rows or not len(x):
            raise AmbiguousRows(f"a model's call with {len(x)} sequences in {self.rows} rows")
        x = np.asarray(x)[: self.rows]
        changed = self._differs(x)
        self.calls += 1
        self._since = np.where(changed, self.calls, self._since)
        self._shown = x.copy()

    def finish(self, tokens: np.ndarray) -> None:
        """The sampler returned these tokens (B, L).

        Calls since a row was first shown just that could change nothing more: a sampler that runs
        on a row alone may stop there, while with many rows it goes on for the others.
        """
        if self._shown is not None:
            self.calls = np.where(self._differs(tokens), self.calls, self._since - 1)
        left = self._known > self._depth
        if left.any():
            self._astray(int(left.argmax()))

    def _differs(self, x: np.ndarray) -> np.ndarray:
        """Which rows are not what was last shown, (B,)."""
        if self._shown is None or self._shown.shape != x.shape:
            return np.ones(self.rows, dtype=bool)
        differs = self._shown != x
        self.remasks |= bool((differs & (self._shown >= 0)).any())
        return differs.any(axis=1)

    def _astray(self, row: int) -> None:
        what = f"row {row} of {self.rows}"
        because = "run again it made other choices; it draws from another source of random numbers"
        if self.rows > 1:
            raise AmbiguousRows(what, because=because + ", or rows depend on each other")
        raise NotEnumerable(what, because=because)

    def _choose_in(self, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """`choose` for some of the rows (R,), with weights (R, m, K)."""
        weights = np.asarray(weights, dtype=np.float64)
        total = weights.sum(axis=2, keepdims=True)
        if not ((total > 0) & (total < math.inf)).all():
            bad = weights[~((total > 0) & (total < math.inf))[..., 0]][0].tolist()
            raise InvalidInput(
                f"weights of shape {weights.shape} must be finite, and some positive in each "
                f"choice: {bad}"
            )
        chances = weights / total
        chosen = chances.argmax(axis=2)
        several = (chances > 0).sum(axis=2) > 1
        for j in np.flatnonzero(several.any(axis=0)):
            some = np.flatnonzero(several[:, j])
            chosen[some, j] = self._choose(rows[some], chances[some, j], chosen[some, j])
        return chosen

    def _choose(self, rows: np.ndarray, chances: np.ndarray, likely: np.ndarray) -> np.ndarray:
        """One choice among several possible options in some rows (R,), of chances (R, K)."""
        chosen, depth = likely.copy(), self._depth[rows]
        if depth.max() >= self._path.shape[1]:
            room = np.full((self.rows, max(8, self._path.shape[1])), END, dtype=np.int32)
            self._path = np.concatenate([self._path, room], axis=1)
        given = depth < self._known[rows]
        chosen[given] = self._path[rows[given], depth[given]]
        every = np.arange(len(rows), dtype=np.int64)
        impossible = (chosen >= chances.shape[1]) | (chances[every, chosen % chances.shape[1]] <= 0)
        if impossible.any():
            self._astray(int(rows[impossible][0]))
        also = chances > 0
        also[every, chosen] = False
        also[given] = False
        branching, option = np.nonzero(also)
        if len(branching):
            prefixes = self._path[rows[branching]]
            prefixes[np.arange(len(option), dtype=np.int64), depth[branching]] = option
            mass = self.mass[rows[branching]] * chances[branching, option]
            self._others.append((prefixes, mass))
        self._path[rows, depth] = chosen
        self._depth[rows] += 1
        self.mass[rows] *= chances[every, chosen]
        return chosen

    def alone(self, row: int, copies: int = 1) -> "Replay":
        """A run of one row, or of copies of it, along the path that a row of this run took."""
        path = self._path[row : row + 1, : self._depth[row]]
        return Replay(np.repeat(path, copies, axis=0), self.sites)

    def others(self) -> tuple[np.ndarray, np.ndarray]:
        """Prefixes (N, depth) of the paths that branch off beyond those given, and their masses."""
        if not self._others:
            return np.zeros((0, 0), dtype=np.int32), np.zeros(0)
        prefixes = _stacked([prefixes for prefixes, _ in self._others])
        return prefixes, np.concatenate([mass for _, mass in self._others])


class Paths:
    """The prefixes that are still to be run, the heaviest first.

    Parameters
    ----------
    most : int
        Paths that may be run. About twice as many prefixes as may still be run are held at most.

    Attributes
    ----------
    run : int
        Paths that have been run.
    missing : float
        Mass of the prefixes that were dropped.

    >>> paths = Paths(2)
    >>> while (run := paths.take(1)) is not None:
    ...     _ = run.choose(np.asarray([[[0.5, 0.125, 0.375]]]))
    ...     print(run.mass, paths.missing)
    ...     paths.add(run)
    [0.5] 0.0
    [0.375] 0.0
    >>> paths.missing
    0.125
    """

    def __init__(self, most: int) -> None:
        self.most, self.run, self.missing = most, 0, 0.0
        # Blocks of prefixes and their negative masses, in this order, and how many are taken.
        self._blocks = {0: (np.full((1, 1), END, dtype=np.int32), -np.ones(1), 0)}
        self._heaviest = [(-1.0, 0)]
        self._waiting, self._next = 1, 1

    def take(self, size: int, sites: Sequence[int] = ()) -> Replay | None:
        """The next run, of at most `size` rows; None if nothing is left."""
        left = min(size, self.most - self.run, self._waiting)
        if not left:
            self._keep(0)
            return None
        self.run += left
        self._waiting -= left
        parts = []
        while left:
            _, block = heapq.heappop(self._heaviest)
            prefixes, minus, start = self._blocks.pop(block)
            end = len(minus)
            if self._heaviest:  # up to the next that is heavier in another block
                end = int(np.searchsorted(minus, self._heaviest[0][0], side="right"))
            end = min(max(end, start + 1), start + left)
            parts.append(prefixes[start:end])
            left -= end - start
            self._hold(block, prefixes, minus, end)
        return Replay(_stacked(parts), sites)

    def add(self, replay: Replay) -> None:
        """Add what branched off in a run."""
        prefixes, mass = replay.others()
        order = np.argsort(-mass, kind="stable")
        self._waiting += len(order)
        self._hold(self._next, prefixes[order], -mass[order], 0)
        self._next += 1
        if self._waiting > 2 * (self.most - self.run):
            self._keep(self.most - self.run)

    def _hold(self, block: int, prefixes: np.ndarray, minus: np.ndarray, start: int) -> None:
        if start < len(minus):
            self._blocks[block] = prefixes, minus, start
            heapq.heappush(self._heaviest, (float(minus[start]), block))

    def _keep(self, count: int) -> None:
        """Drop all but the heaviest."""
        if self._waiting <= count:
            return
        blocks = list(self._blocks.items())
        left = [minus[start:] for _, (_, minus, start) in blocks]
        which = np.repeat(np.arange(len(blocks), dtype=np.int64), list(map(len, left)))
        heaviest = np.argsort(np.concatenate(left), kind="stable")[:count]
        kept = np.bincount(which[heaviest], minlength=len(blocks)).tolist()
        self._blocks, self._heaviest, self._waiting = {}, [], count
        for (block, (prefixes, minus, start)), more in zip(blocks, kept, strict=True):
            self.missing -= float(minus[start + more :].sum())
            self._hold(block, prefixes[: start + more], minus[: start + more], start)


def _stacked(parts: list[np.ndarray]) -> np.ndarray:
    """Prefixes of several lengths in one array."""
    size, width = sum(map(len, parts)), max(part.shape[1] for part in parts)
    stacked, start = np.full((size, width), END, dtype=np.int32), 0
    for part in parts:
        stacked[start : start + len(part), : part.shape[1]] = part
        start += len(part)
    return stacked


_running: ContextVar[Replay | None] = ContextVar("running", default=None)


@contextlib.contextmanager
def replaying(replay: Replay) -> Iterator[Replay]:
    """Let what is intercepted within be decided by a replay."""
    token = _running.set(replay)
    try:
        yield replay
    finally:
        _running.reset(token)


def running() -> Replay | None:
    """The replay under way, if there is one."""
    return _running.get()
