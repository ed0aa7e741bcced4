"""Limits of predictions in the middle, far from both ends, where classes or phases share it.

Let c be one of the dominant classes (`theory.homogenization.middle`), with Perron root rho, right
and left Perron vectors h and nu, ``nu h`` equal to its period d, and phases 0 .. d-1 through which
it passes in turn. A chain that is in phase k at distance a from the token l on the left has entered
c before; that weighs ``rho^a e(l, a - k)``, where

    e(x, m) = h(x) 1[m = -phase(x) mod d]        for x in c,
    e(x, m) = sum_y P(x, y) e(y, m - 1) / rho    for x that leads to c.

The same along the steps taken backwards gives ``f(r, b + k)`` for the token r at distance b on the
right, and the limit is proportional to ``e(l, a - k) h(x) nu(x) f(r, b + k)``, over all dominant
classes. It depends on a and b through their phases alone. [ours, from Perron and Frobenius]
"""

import itertools
import math
from typing import Any, NamedTuple

import numpy as np

from theory._core.types import Number
from theory._markov.classes import phases
from theory._markov.number_fields import Algebraic, Floats, field_of
from theory.homogenization.structure import Structure

__all__ = ["MiddleLimits", "all_equal", "middle_limits", "quasi_stationary"]

EQUAL_TOL = 1e-9
"""Distributions of floats that differ by less are taken for equal."""


class MiddleLimits(NamedTuple):
    """Limits in the middle between all tokens of two classes.

    Attributes
    ----------
    cycle : int
        The phases of a distance are counted modulo this.
    limits : list of dict
        For each pair of tokens at the ends: the limit (V,) for each pair of phases of the distances
        for which there is a way through the dominant classes.
    """

    cycle: int
    limits: list[dict[tuple[int, int], np.ndarray]]

    @property
    def every(self) -> list[np.ndarray]:
        """All of them."""
        return [limit for by_phase in self.limits for limit in by_phase.values()]

    @property
    def homogenize(self) -> bool:
        """Whether the limit is the same one site further.

        Then all phases of each dominant class weigh the same, so that it is entered and left in all
        of them, and there is a way through these classes at all distances.
        """
        return all(
            all_equal([limit, by_phase[(a + 1) % self.cycle, (b - 1) % self.cycle]])
            for by_phase in self.limits
            for (a, b), limit in by_phase.items()
        )


def all_equal(distributions: list[np.ndarray]) -> bool:
    """Whether all distributions are equal; those of floats but for rounding."""
    first, *others = distributions
    if first.dtype.kind == "O":
        return all(other.tolist() == first.tolist() for other in others)
    return all(bool(np.max(np.abs(other - first)) < EQUAL_TOL) for other in others)


def quasi_stationary(s: Structure, root: Number, c: int) -> np.ndarray:
    """Distribution in a class on condition that it has not been left yet, shape (V,).

    >>> from theory import gallery
    >>> from theory.homogenization.structure import structure
    >>> quasi_stationary(structure(gallery.end_of_text(5, 0.25)), 0.75, 0)     # fair words
    array([0.5, 0.5, 0. ])
    """
    recurrent = s.classes.recurrent
    if c in recurrent:
        return s.recurrent[recurrent.index(c)].stationary
    steps = s.block(c)
    field = field_of(steps, root)
    steps, root = field.convert(steps), field.convert(root).item()
    weights = field.null_vector(steps, root) * field.null_vector(steps.T, root)
    found = s.steps[0] * 0
    found[s.classes.states[c]] = field.shown(field.normalised(weights))
    return found


def middle_limits(
    s: Structure, root: Number, dominant: list[int], path: list[int], ends: tuple[int, int]
) -> MiddleLimits:
    """Limits in the middle between the tokens of two classes.

    Parameters
    ----------
    s : Structure
    root : number
        The Perron root of the dominant classes; no symbols.
    dominant : list of int
        Classes of which none leads to another one.
    path : list of int
        All classes between the ends.
    ends : (int, int)
        The classes of the tokens at the ends.

    From 0 over 1 or over 2, each of which is left one time in two, to 3, where it ends:

    >>> from theory import MarkovChain
    >>> from theory.homogenization.structure import structure
    >>> go = 0.5
    >>> p = MarkovChain([1, 0, 0, 0, 0], [[0, 0.75, 0.25, 0, 0], [0, go, 0, go, 0],
    ...                                   [0, 0, go, go, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 1]], 5)
    >>> middle_limits(structure(p), 0.5, [1, 2], [0, 1, 2, 3], (0, 3)).limits
    [{(0, 0): array([0.  , 0.75, 0.25, 0.  , 0.  ])}]
    """
    field = field_of(s.steps, root)
    steps, root = field.convert(s.steps), field.convert(root).item()
    parts = [_Dominant(s, field, steps, root, c, path) for c in dominant]
    cycle = math.lcm(*(part.period for part in parts))
    every = []
    for left, right in itertools.product(*(s.classes.states[c].tolist() for c in ends)):
        by_phase = {}
        for a, b in itertools.product(range(cycle), repeat=2):
            weights: Any = sum(part.weights(left, a, right, b) for part in parts)
            if field.nonzero(weights).any():
                by_phase[a, b] = field.shown(field.normalised(weights))
        every.append(by_phase)
    return MiddleLimits(cycle, [by_phase for by_phase in every if by_phase])


class _Dominant:
    """A dominant class: the weights of entering it, of its tokens, and of leaving it."""

    def __init__(
        self,
        s: Structure,
        field: Floats | Algebraic,
        steps: np.ndarray,
        root: Any,
        c: int,
        path: list[int],
    ) -> None:
        self.states, self.period = s.classes.states[c], s.classes.periods[c]
        self.field, self.root = field, root
        block = steps[np.ix_(self.states, self.states)]
        self.phase = phases(field.nonzero(block), self.period)
        right, left = field.null_vector(block, root), field.null_vector(block.T, root)
        right = right * self.period / (left * right).sum()
        leads = s.classes.leads
        before = _states(s, [d for d in path if leads[d, c] and d != c])
        after = _states(s, [d for d in path if leads[c, d] and d != c])
        self.inside = right * left
        self.enters = self._passing(steps, right, self.phase, before)
        self.leaves = self._passing(steps.T, left, -self.phase, after)

    def _passing(
        self, steps: np.ndarray, inside: np.ndarray, phase: np.ndarray, outside: np.ndarray
    ) -> np.ndarray:
        """The weights e(x, m), shape (V, d)."""
        zero = steps[0, 0] - steps[0, 0]
        weights = np.full((len(steps), self.period), zero)
        weights[self.states, -phase % self.period] = inside
        if len(outside):
            known = np.roll(steps[np.ix_(outside, self.states)] @ weights[self.states], 1, axis=1)
            size = len(outside) * self.period
            turn = np.roll(np.eye(self.period, dtype=int), 1, axis=0).astype(object).tolist()
            among: Any = np.kron(steps[np.ix_(outside, outside)], np.asarray(turn, steps.dtype))
            np.fill_diagonal(among, among.diagonal() - self.root)
            found = self.field.solve(-among, known.reshape(size))
            weights[outside] = found.reshape(len(outside), self.period)
        return weights

    def weights(self, left: int, a: int, right: int, b: int) -> np.ndarray:
        """Of the tokens of a site at phases a and b from the ends, shape (V,)."""
        weights = self.enters[:, 0] - self.enters[:, 0]
        enters = self.enters[left, (a - self.phase) % self.period]
        leaves = self.leaves[right, (b + self.phase) % self.period]
        weights[self.states] = enters * self.inside * leaves
        return weights


def _states(s: Structure, classes: list[int]) -> np.ndarray:
    return np.concatenate([np.empty(0, dtype=np.int64), *(s.classes.states[c] for c in classes)])
