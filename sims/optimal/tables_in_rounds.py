"""The least KL(p || q) in at most R rounds on every path, of a table, by a dynamic program.

At an observed context c with masked sites M and r rounds left the value of going on does not
depend on how c was reached:

    W_1(c) = TC(X_M | c),    W_r(c) = min over S in M of  TC(X_S | c) + E[W_{r-1}(c, X_S) | c]

As in `sims.optimal.dynamic_program` everything is multiplied by ``Z(c)``, and the expectation is a
look-up of sums. ``W_r`` at a context needs ``W_{r-1}`` where fewer sites are masked, so one lattice
is enough: it is renewed with many masked sites first. With n masked sites nothing is lost in n
rounds, one site at a time.

Of equally good choices the one for fewer rounds is taken, so that no round is used that gains
nothing.
"""

import operator
from collections.abc import Iterable

import numpy as np

from sims.optimal.dynamic_program import NUMBERS_PER_PAIR, TIE, Level, Program
from sims.policies import Tabulated
from theory._console.progress import tracked
from theory._core.arrays import is_exact, require_memory
from theory._core.exact import elementwise, ratio
from theory._core.plurals import counted
from theory._core.segments import gather
from theory._core.types import Array, Number
from theory.distributions.base import Distribution

__all__ = ["NUMBERS_PER_FORM", "ProgramInRounds", "is_less"]

NUMBERS_PER_FORM = 200
"""Doubles that an exact sum of logarithms takes: a dictionary of some tens of integers."""


class ProgramInRounds(Program):
    """The dynamic program of one distribution in at most `rounds` rounds.

    Parameters
    ----------
    p : Distribution
    rounds : int
        No more than its sites are looked at.
    sites : iterable of int, optional
        As for `Program`.

    Raises
    ------
    TooLarge
        Before any memory is taken.
    InvalidInput
        If the distribution has free symbols.
    """

    def __init__(self, p: Distribution, rounds: int, sites: Iterable[int] | None = None) -> None:
        self.rounds = min(rounds, p.length)
        each = NUMBERS_PER_PAIR + (NUMBERS_PER_FORM if p.exact else 0)
        require_memory(
            each * (p.vocab + 2) ** p.length + self.rounds * (p.vocab + 1) ** p.length,
            f"the best decoder of {counted(p.length, 'site')} over {counted(p.vocab, 'token')} in "
            f"{counted(self.rounds, 'round')}, with {each} numbers for each of ({p.vocab} + 2)^"
            f"{p.length} pairs of a context and a set and {counted(self.rounds, 'table')} of "
            f"({p.vocab} + 1)^{p.length} choices,",
            p.like,
        )
        super().__init__(p, sites)

    def least(self, progress: bool | None = None) -> list[tuple[Number, Tabulated]]:
        """The least KL in at most 1, 2, ... rounds, and policies; up to the first that is 0."""
        xp, exact, levels = self.xp, self.exact, self._levels
        costs = self._costs_of(self.evidence) if exact else self._costs
        value = np.zeros(self._cells, dtype=object) if exact else self._zeros()
        best = [of_sets[-1] for of_sets in costs]
        chosen = [xp.broadcast_to(one.masks[:, None], one.codes.shape) for one in levels]
        losses, tables = [], []
        steps = [(r, k) for r in range(self.rounds) for k in reversed(range(r, self.length))]
        for r, k in tracked(steps, progress, "looking for the best decoder"):
            if losses and losses[-1] == 0:
                continue
            level = levels[k]  # of k + 1 masked sites: more than there are rounds already
            if r:
                best[k], chosen[k] = self._better(value, level, costs[k], best[k], chosen[k])
            self._write(level.size, value, best[k])
            if k == r:
                losses.append(ratio(value[-1:], self.total)[0] if exact else float(value[-1]))
                tables.append(self._table(chosen))
        shape = (len(tables), *(self.vocab + 1,) * self.length)
        policy = Tabulated(xp.reshape(xp.stack(tables), shape), self.sites, len(tables))
        return [(lost, policy.within(k)) for k, lost in enumerate(losses, 1)]

    def _better(
        self, value: Array, level: Level, costs: list[Array], best: Array, chosen: Array
    ) -> tuple[Array, Array]:
        """The least values of the masks of a size, and what is revealed, with one more round."""
        xp = self.xp
        for one, cost in zip(level.sets[:-1], costs[:-1], strict=True):
            after = cost + gather(value, one.index)
            better = is_less(after, best)
            best = xp.where(better, after, best)
            chosen = xp.where(better, one.sites[:, None], chosen)
        return best, chosen


def is_less(after: Array, best: Array) -> Array:
    """Whether values are less than the best ones so far: in floats by more than rounding.

    >>> is_less(np.asarray([1.0, 1.0]), np.asarray([1.0 + 1e-15, 2.0])).tolist()
    [False, True]
    """
    if is_exact(best):
        return elementwise(operator.lt, after, best).astype(bool)
    return after < best * (1 - TIE)
