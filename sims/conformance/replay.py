"""The tree of random choices that a sampler makes, gone through by running it again and again.

A run of a sampler on B rows is B paths through its choices. Each row is given the first choices of
its path, a prefix; beyond the prefix it takes the most probable option, and every other option is
the prefix of a path still to be run. What intercepts a sampler's random calls (`generator` for
NumPy, `torch` for torch) puts its questions to the `Replay` of the run.

Prefixes are run heaviest first. So when there are more paths than one is willing to run, what is
left out is as little as can be, and its mass is known.
"""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

import numpy as np

__all__ = ["END", "Paths", "Replay", "replaying", "running"]

END = -1
"""Fills the columns of a prefix beyond its end."""


class Replay:
    """One run of a sampler on as many rows as there are prefixes.

    Attributes
    ----------
    rows : int
        B, the rows of the run.
    mass : ndarray, shape (B,)
        The probability of all choices that a row has made so far.
    calls : ndarray of int64, shape (B,)
        Calls of a model that each row took part in.

    >>> run = Replay(np.asarray([[END], [1]]))      # two rows: nothing decided, and option 1
    >>> run.choose(np.asarray([[[0.75, 0.25]], [[0.75, 0.25]]])).tolist(), run.mass.tolist()
    ([[0], [1]], [0.75, 0.25])
    >>> run.others()                                # the first row could have taken option 1
    (array([[1]], dtype=int32), array([0.25]))
    """

    def __init__(self, prefixes: np.ndarray) -> None:
        self.rows = len(prefixes)
        self.mass = np.ones(self.rows)
        self.calls = np.zeros(self.rows, dtype=np.int64)
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
        weights = np.asarray(weights, dtype=np.float64)
        chosen = [self._choose(weights[:, j]) for j in range(weights.shape[1])]
        return np.stack(chosen, axis=1) if chosen else np.zeros((self.rows, 0), dtype=np.int64)

    def _choose(self, weights: np.ndarray) -> np.ndarray:
        chances = weights / weights.sum(axis=1, keepdims=True)
        chosen = chances.argmax(axis=1)
        rows = np.flatnonzero((chances > 0).sum(axis=1) > 1)
        if not len(rows):
            return chosen
        depth = self._depth[rows]
        if depth.max() >= self._path.shape[1]:
            room = np.full((self.rows, max(8, self._path.shape[1])), END, dtype=np.int32)
            self._path = np.concatenate([self._path, room], axis=1)
        given = depth < self._known[rows]
        chosen[rows[given]] = self._path[rows[given], depth[given]]
        new = rows[~given]
        for option in np.flatnonzero((chances[new] > 0).any(axis=0)):
            also = new[(chances[new, option] > 0) & (chosen[new] != option)]
            if len(also):
                prefixes = self._path[also]
                prefixes[np.arange(len(also)), self._depth[also]] = option
                self._others.append((prefixes, self.mass[also] * chances[also, option]))
        self._path[rows, depth] = chosen[rows]
        self._depth[rows] += 1
        self.mass[rows] *= chances[rows, chosen[rows]]
        return chosen

    def others(self) -> tuple[np.ndarray, np.ndarray]:
        """Prefixes (N, depth) of the paths that branch off beyond those given, and their masses."""
        if not self._others:
            return np.zeros((0, 0), dtype=np.int32), np.zeros(0)
        width = max(prefixes.shape[1] for prefixes, _ in self._others)
        prefixes = np.concatenate([_widened(prefixes, width) for prefixes, _ in self._others])
        return prefixes, np.concatenate([mass for _, mass in self._others])


class Paths:
    """The prefixes that are still to be run, the heaviest first.

    Parameters
    ----------
    most : int
        Paths that may be run. Of the prefixes no more are kept than may still be run.

    Attributes
    ----------
    run : int
        Paths that have been run.
    missing : float
        Mass of the prefixes that were dropped.
    """

    def __init__(self, most: int) -> None:
        self.most, self.run, self.missing = most, 0, 0.0
        self._prefixes = np.full((1, 1), END, dtype=np.int32)
        self._mass = np.ones(1)

    def take(self, size: int) -> Replay | None:
        """The next run, of at most `size` rows; None if nothing is left."""
        if not len(self._mass):
            return None
        first = np.argsort(-self._mass, kind="stable")
        now, later = first[:size], first[size:]
        replay = Replay(self._prefixes[now])
        self._prefixes, self._mass = self._prefixes[later], self._mass[later]
        self.run += len(now)
        return replay

    def add(self, replay: Replay) -> None:
        """Add what branched off in a run."""
        prefixes, mass = replay.others()
        width = max(prefixes.shape[1], self._prefixes.shape[1])
        prefixes = np.concatenate([_widened(self._prefixes, width), _widened(prefixes, width)])
        mass = np.concatenate([self._mass, mass])
        kept = np.argsort(-mass, kind="stable")
        kept, dropped = np.split(kept, [self.most - self.run])
        self.missing += float(mass[dropped].sum())
        self._prefixes, self._mass = prefixes[kept], mass[kept]


def _widened(prefixes: np.ndarray, width: int) -> np.ndarray:
    missing = ((0, 0), (0, width - prefixes.shape[1]))
    return np.pad(prefixes, missing, constant_values=END)


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
