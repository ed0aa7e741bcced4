"""Communicating classes of a Markov chain, their periods and their cyclic phases.

All of this depends only on which transitions are possible, so it is decided without rounding,
also for floats.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from theory._core.exact import is_rational
from theory._core.types import Array

__all__ = ["Classes", "communicating_classes", "period", "phases", "possible", "reachable"]


class Classes(NamedTuple):
    """The communicating classes of the reachable tokens, ordered by their smallest token.

    Attributes
    ----------
    states : list of int arrays
    leads : (C, C) array of bool
        Whether a class can reach another one in any number of steps; a class reaches itself.
    periods : list of int
        Greatest common divisor of the return times; 0 for a token that never returns.
    """

    states: list[np.ndarray]
    leads: np.ndarray
    periods: list[int]

    @property
    def recurrent(self) -> list[int]:
        """The closed classes: those that reach no other."""
        return np.flatnonzero(self.leads.sum(axis=1) == 1).tolist()


def possible(x: Array) -> Array:
    """Tell which probabilities are positive; a symbol that is not identically zero counts as such.

    >>> import sympy
    >>> a = sympy.Symbol("a")
    >>> possible(np.asarray([a, 1 - a, (1 - a) - (1 - a), (a + 1) ** 2 - a**2 - 2 * a - 1]))
    array([ True,  True, False, False])
    """
    if not isinstance(x, np.ndarray) or x.dtype.kind != "O":  # from a device, too
        return x > 0
    flat = [v != 0 if is_rational(v) else _is_nonzero(v) for v in x.reshape(-1).tolist()]
    return np.asarray(flat, dtype=bool).reshape(x.shape)


def _is_nonzero(expression: Any) -> bool:
    import sympy

    return sympy.simplify(expression) != 0


def reachable(links: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Tell which tokens can be reached from those of `start` in any number of steps, shape (V,).

    >>> reachable(np.asarray([[False, True], [False, True]]), np.asarray([False, True]))
    array([False,  True])
    """
    seen, new = start.copy(), start
    while new.any():
        new = links[new].any(axis=0) & ~seen
        seen = seen | new
    return seen


def communicating_classes(links: np.ndarray, start: np.ndarray) -> Classes:
    """Find the communicating classes of the tokens that are reachable from those of `start` (V,).

    Both arguments are bools: `links` (V, V) holds which transitions are possible.

    >>> links = np.asarray([[1, 1, 0], [0, 0, 1], [0, 1, 0]], dtype=bool)  # 0 -> 0, 1; 1 <-> 2
    >>> found = communicating_classes(links, np.asarray([True, False, False]))
    >>> [states.tolist() for states in found.states], found.periods, found.recurrent
    ([[0], [1, 2]], [1, 2], [1])
    """
    from scipy.sparse.csgraph import connected_components

    tokens = np.flatnonzero(reachable(links, start))
    inside = links[np.ix_(tokens, tokens)]
    count, labels = connected_components(inside, directed=True, connection="strong")
    states = sorted((tokens[labels == c] for c in range(count)), key=lambda s: int(s[0]))
    member = np.zeros((count, len(links)))
    for c, tokens in enumerate(states):
        member[c, tokens] = 1
    leads = _transitive_closure(member @ links @ member.T > 0)
    return Classes(states, leads, [period(links[np.ix_(s, s)]) for s in states])


def _transitive_closure(leads: np.ndarray) -> np.ndarray:
    """What reaches what in any number of steps, none included: squared until nothing is new."""
    found = leads | np.eye(len(leads), dtype=bool)
    while True:
        wider = found.astype(np.float64) @ found > 0
        if (wider == found).all():
            return found
        found = wider


def period(links: Any) -> int:
    """Greatest common divisor of the lengths of all cycles of one class; 0 if there are none.

    The possible transitions of the class are an array, or a SciPy sparse array in rows.

    >>> period(np.asarray([[False, True], [True, False]])), period(np.asarray([[False]]))
    (2, 0)
    """
    level = _levels(links)
    # a transition between two levels closes cycles whose lengths differ by this much
    source, target = links.nonzero()
    return math.gcd(*np.unique(level[source] + 1 - level[target]).tolist())


def phases(links: np.ndarray, period: int) -> np.ndarray:
    """The cyclic phase of each token of a class: which of `period` subsets, visited in turn.

    >>> phases(np.asarray([[False, True], [True, False]]), 2)
    array([0, 1])
    """
    return _levels(links) % period


def _levels(links: Any) -> np.ndarray:
    """Shortest path lengths from the first token of a class."""
    level = np.full(links.shape[0], -1, dtype=np.int64)
    level[0], new, depth = 0, np.zeros(1, dtype=np.int64), 0
    while len(new):
        depth += 1
        targets = links[new].nonzero()[1]
        new = np.unique(targets[level[targets] < 0])
        level[new] = depth
    return level
