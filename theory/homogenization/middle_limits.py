"""What the middle tends to, far from both ends, where several ways of staying there compete.

Let c be one of the classes that win (`theory.homogenization.middle`), with Perron root rho, right
and left Perron vectors h and nu, ``nu h`` equal to its period d, and phases 0 .. d-1 through which
it passes in turn. A chain that is in phase k at distance a from the token l on the left has entered
c before; that weighs ``rho^a e(l, a - k)``, where

    e(x, m) = h(x) 1[m = -phase(x) mod d]        for x in c,
    e(x, m) = sum_y P(x, y) e(y, m - 1) / rho    for x that leads to c.

The same along the steps taken backwards gives ``f(r, b + k)`` for the token r at distance b on the
right, and the law in the middle is proportional to ``e(l, a - k) h(x) nu(x) f(r, b + k)``, over
all winners. It depends on a and b through their phases alone. [ours, from Perron and Frobenius]
"""

import itertools
import math
from typing import Any, NamedTuple

import numpy as np

from theory._markov.classes import phases
from theory._markov.number_fields import field_of
from theory.homogenization.structure import Structure

__all__ = ["MiddleLaws", "alike", "middle_laws", "quasi_stationary"]

ALIKE = 1e-9
"""Laws of floats that differ by less are taken for equal."""


class MiddleLaws(NamedTuple):
    """What the middle tends to between all tokens of two classes.

    Attributes
    ----------
    cycle : int
        The phases of a distance are counted modulo this.
    laws : list of dict
        For each pair of tokens at the ends: the law (V,) for each pair of phases of the distances
        for which there is a way through the winners.
    """

    cycle: int
    laws: list[dict[tuple[int, int], np.ndarray]]

    @property
    def every(self) -> list[np.ndarray]:
        """All of them."""
        return [law for laws in self.laws for law in laws.values()]

    @property
    def homogenize(self) -> bool:
        """Whether the law is the same one site further.

        Then all phases of each winner weigh the same, so that it is entered and left in all of
        them, and there is a way through the winners at all distances.
        """
        return all(
            alike([law, laws[(a + 1) % self.cycle, (b - 1) % self.cycle]])
            for laws in self.laws
            for (a, b), law in laws.items()
        )


def alike(laws: list[np.ndarray]) -> bool:
    """Whether all laws are equal; those of floats but for rounding."""
    first, *others = laws
    if first.dtype.kind == "O":
        return all(law.tolist() == first.tolist() for law in others)
    return all(bool(np.max(np.abs(law - first)) < ALIKE) for law in others)


def quasi_stationary(s: Structure, root: Any, c: int) -> np.ndarray:
    """What a class does on condition that it has not been left yet, shape (V,).

    >>> from theory import gallery
    >>> from theory.homogenization.structure import structure
    >>> quasi_stationary(structure(gallery.end_of_text(5, 0.25)), 0.75, 0)     # fair words
    array([0.5, 0.5, 0. ])
    """
    for r in s.recurrent:
        if r.states[0] == s.classes.states[c][0]:
            return r.stationary
    steps = s.block(c)
    field = field_of(steps, root)
    steps, root = field.convert(steps), field.convert(root).item()
    law = field.null_vector(steps, root) * field.null_vector(steps.T, root)
    found = s.steps[0] * 0
    found[s.classes.states[c]] = field.shown(field.normalised(law))
    return found


def middle_laws(
    s: Structure, root: Any, winners: list[int], path: list[int], ends: tuple[int, int]
) -> MiddleLaws:
    """Find what the middle tends to.

    Parameters
    ----------
    s : Structure
    root : number
        The Perron root of the winners; no symbols.
    winners : list of int
        Classes of which none leads to another one.
    path : list of int
        All classes between the ends.
    ends : (int, int)
        The classes of the tokens at the ends.

    Examples
    --------
    From 0 over 1 or over 2, each of which is left one time in two, to 3, where it ends:

    >>> from theory import MarkovChain
    >>> from theory.homogenization.structure import structure
    >>> go = 0.5
    >>> p = MarkovChain([1, 0, 0, 0, 0], [[0, 0.75, 0.25, 0, 0], [0, go, 0, go, 0],
    ...                                   [0, 0, go, go, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 1]], 5)
    >>> middle_laws(structure(p), 0.5, [1, 2], [0, 1, 2, 3], (0, 3)).laws
    [{(0, 0): array([0.  , 0.75, 0.25, 0.  , 0.  ])}]
    """
    field = field_of(s.steps, root)
    steps, root = field.convert(s.steps), field.convert(root).item()
    parts = [_Winner(s, field, steps, root, c, path) for c in winners]
    cycle = math.lcm(*(part.period for part in parts))
    every = []
    for left, right in itertools.product(*(s.classes.states[c].tolist() for c in ends)):
        laws = {}
        for a, b in itertools.product(range(cycle), repeat=2):
            law: Any = sum(part.weights(left, a, right, b) for part in parts)
            if field.nonzero(law).any():
                laws[a, b] = field.shown(field.normalised(law))
        every.append(laws)
    return MiddleLaws(cycle, [laws for laws in every if laws])


class _Winner:
    """One of the classes that win: how much weighs what enters and leaves it, and its own law."""

    def __init__(self, s: Structure, field: Any, steps: Any, root: Any, c: int, path: list[int]):
        self.states, self.period = s.classes.states[c], s.classes.periods[c]
        self.phase = phases(field.nonzero(steps[np.ix_(self.states, self.states)]), self.period)
        self.field, self.root = field, root
        block = steps[np.ix_(self.states, self.states)]
        right, left = field.null_vector(block, root), field.null_vector(block.T, root)
        right = right * self.period / (left * right).sum()
        leads = s.classes.leads
        before = _states(s, [d for d in path if leads[d, c] and d != c])
        after = _states(s, [d for d in path if leads[c, d] and d != c])
        self.law = right * left
        self.enters = self._passing(steps, right, self.phase, before)
        self.leaves = self._passing(steps.T, left, -self.phase, after)

    def _passing(self, steps: Any, inside: Any, phase: np.ndarray, outside: np.ndarray) -> Any:
        """The weights e(x, m), shape (V, d)."""
        zero = steps[0, 0] - steps[0, 0]
        weights = np.full((len(steps), self.period), zero)
        weights[self.states, -phase % self.period] = inside
        if len(outside):
            known = np.roll(steps[np.ix_(outside, self.states)] @ weights[self.states], 1, axis=1)
            size = len(outside) * self.period
            turn = np.roll(np.eye(self.period, dtype=int), 1, axis=0).astype(object).tolist()
            among = np.kron(steps[np.ix_(outside, outside)], np.asarray(turn, steps.dtype))
            np.fill_diagonal(among, among.diagonal() - self.root)
            found = self.field.solve(-among, known.reshape(size))
            weights[outside] = found.reshape(len(outside), self.period)
        return weights

    def weights(self, left: int, a: int, right: int, b: int) -> Any:
        """The law of a site at phases a and b from the ends, not normalised, shape (V,)."""
        law = self.enters[:, 0] - self.enters[:, 0]
        enters = self.enters[left, (a - self.phase) % self.period]
        law[self.states] = enters * self.law * self.leaves[right, (b + self.phase) % self.period]
        return law


def _states(s: Structure, classes: list[int]) -> np.ndarray:
    return np.concatenate([np.empty(0, dtype=np.int64), *(s.classes.states[c] for c in classes)])
