"""Whether a hidden Markov model's far predictions become alike, from the modes that tokens show.

After a context the hidden state has some distribution b, its filter, and the prediction at distance
n is ``b P^n E``. The filters of all contexts span a space W that steps do not leave, and what the
emission shows, at any distance, spans another one of functions of the state. So a mode of P counts
only if some filter holds it *and* the emission shows it: a period is invisible if its phases emit
alike, or if no context ever tells the phase.

The modes that do not fade are those of the recurrent classes: a class of period d has one for each
d-th root of unity w. Neighbouring predictions approach each other if and only if no w other than 1
counts; all contexts have one limit if and only if moreover the filters tell nothing of the class
that the emission shows. The rate is the spectral radius of all other modes that count. [ours]

If everything is held and shown, the decision is that of the hidden chain. If not, both spaces are
bases in echelon form: the steps on them are those of the states that are left, so that states that
do not lead to each other still do not, and eigenvalues are those of blocks. Whether something is
zero is decided in floats, by whether rounding can account for it; how likely the context of a
filter is does not matter.
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from theory._core.arrays import to_host
from theory._markov.classes import communicating_classes, phases
from theory._markov.rounded import Rounded, closure
from theory._markov.spectrum import radius
from theory.distributions import HiddenMarkovModel
from theory.homogenization.decision import Decision, RecurrentClass, format_rate
from theory.homogenization.structure import Structure, structure

__all__ = ["decide_hidden"]

ELIMINATED = 10.0
"""By how many times the rounding of one operation the results of an elimination are off."""


def decide_hidden(p: HiddenMarkovModel) -> Decision:
    """`decide` for the tokens of a hidden Markov model."""
    s = structure(p, hidden=True)
    steps, limit = s.among_reached(s.steps), s.among_reached(s.limits())
    start, emission = s.initial[s.reached], to_host(p.emission)[s.reached]
    show = Rounded.of(emission)
    seen = _Seen(start, steps, show)
    if seen.everything:
        homogenizes = all(r.period == 1 for r in s.recurrent)
        forgets = homogenizes and len(s.recurrent) == 1
        rate = s.fading_rate(steps - limit) if homogenizes else 1.0
    else:
        # of conjugate roots of unity one is enough
        turns = {Fraction(k, r.period) for r in s.recurrent for k in range(1, r.period // 2 + 1)}
        modes = (_modes(s, turn) for turn in sorted(turns))
        homogenizes = not any(
            (seen.held @ holds @ (shown @ show)).value.any() for holds, shown in modes
        )
        forgets = homogenizes and _one_limit(s, start, seen.held, show)
        fading = Rounded.of(steps) - Rounded.of(limit, ELIMINATED)
        rate = _radius(seen.part(fading)) if homogenizes else 1.0
    return Decision(
        homogenizes,
        forgets,
        rate,
        start @ limit @ emission if forgets else None,
        None,
        s.recurrent,
        _reason(s.recurrent, homogenizes, forgets, rate),
    )


class _Seen:
    """The part of the space of hidden states that filters hold and the emission shows.

    Attributes
    ----------
    held : Rounded
        A basis of the filters of all contexts, as rows.
    everything : bool
        Whether all is held and shown.
    """

    def __init__(self, start: np.ndarray, steps: np.ndarray, show: Rounded) -> None:
        # a space that P does not leave is one that I - P does not leave, whose entries are small
        # where steps are rare, and known as well as they are
        links = steps - np.diag(np.diag(steps))
        moves = Rounded.of(np.diag(links.sum(axis=1)) - links)
        reads = [Rounded.of(np.diag(column)) for column in show.value.T]
        step, first = Rounded.of(steps), Rounded.of(start[None, :])
        filters = closure([first @ read for read in reads], [moves, *(step @ r for r in reads)])
        self.held = filters.rows
        self._shown = closure([show.T], [moves.T])
        self._both = closure([self.held @ self._shown.rows.T], [])
        self.everything = len(self._both.columns) == len(steps)

    def part(self, matrix: Rounded) -> Rounded:
        """What a matrix does on what is held and shown."""
        on_shown = (matrix @ self._shown.rows.T)[self._shown.columns]
        return (self._both.rows @ on_shown)[:, self._both.columns]


def _modes(s: Structure, turn: Fraction) -> tuple[Rounded, Rounded]:
    """The modes of the root of unity w at this part of a turn.

    A pair ``(U, L)`` of matrices (H, m) and (m, H), with ``P U = w U`` and ``L P = w L``.
    """
    inside, steps = s.reached, s.among_reached(s.steps)
    root = np.exp(2j * np.pi * float(turn))
    holds, sizes, shown = [], [], []
    passing = np.flatnonzero(~np.isin(inside, [h for r in s.recurrent for h in r.states]))
    within = steps[np.ix_(passing, passing)]
    apart = root * np.eye(len(passing)) - within
    bound = np.diag(np.abs(np.diag(apart))) - (within - np.diag(np.diag(within)))
    for r in s.recurrent:
        if (turn * r.period).denominator > 1:
            continue
        states = np.asarray(r.states)
        phase = root ** phases(s.steps[np.ix_(states, states)] > 0, r.period)
        where = np.searchsorted(inside, states)
        mode, size, left = (np.zeros(len(inside), kind) for kind in (complex, float, complex))
        mode[where], size[where] = phase, 1.0
        arriving = steps[np.ix_(passing, where)]
        mode[passing] = np.linalg.solve(apart, arriving @ phase)
        size[passing] = np.abs(np.linalg.solve(bound, arriving.sum(axis=1)))
        left[where] = r.stationary[states] / phase
        holds.append(mode)
        sizes.append(size)
        shown.append(left)
    off = ELIMINATED * Rounded.of(np.stack(sizes, axis=1)).error
    return Rounded(np.stack(holds, axis=1), off), Rounded.of(np.stack(shown), ELIMINATED)


def _one_limit(s: Structure, start: np.ndarray, held: Rounded, show: Rounded) -> bool:
    """Whether far predictions are those of the start after every context."""
    stationary = np.stack([r.stationary[s.reached] for r in s.recurrent])
    limits = Rounded.of(stationary, ELIMINATED) @ show
    apart = limits - limits[:1]
    ends = Rounded.of(s.absorbed()[s.reached], ELIMINATED) @ apart
    masses = held @ Rounded.of(np.ones((len(start), 1)))
    expected = masses @ (Rounded.of(start[None, :]) @ ends)
    return not (held @ ends - expected).value.any()


def _radius(matrix: Rounded) -> float:
    """The spectral radius, as the largest of those of the classes."""
    parts = communicating_classes(matrix.value != 0, np.ones(len(matrix.value), dtype=bool)).states
    found = max(radius(matrix.value[np.ix_(part, part)]) for part in parts)
    return min(found, 1.0)  # rounding may have put it above 1


def _reason(hidden: Sequence[RecurrentClass], homogenizes: bool, forgets: bool, rate: float) -> str:
    """What tokens far from a context become."""
    periods = sorted({r.period for r in hidden if r.period > 1})
    which = " or ".join(map(str, periods))
    if not homogenizes:
        return (
            f"The hidden states have a class of period {which}, and the tokens show its phase: "
            f"predictions at neighbouring distances from some context stay apart."
        )
    unseen = f"The period {which} of the hidden states does not show in the tokens. "
    several = f"There are {len(hidden)} classes of hidden states. "
    start = (unseen if periods else "") + (several if len(hidden) > 1 else "")
    if not forgets:
        return (
            f"{start}Far predictions approach a limit {format_rate(rate)}, so that neighbours "
            f"become alike, but the context decides which limit it is."
        )
    return f"{start}Far predictions approach one limit after every context {format_rate(rate)}."
