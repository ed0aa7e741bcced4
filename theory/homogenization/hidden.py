"""The decision for a hidden Markov model: what the contexts and the emission let through.

After a context the hidden state has some distribution b, its filter, and the prediction at distance
n is ``b P^n E``. The filters of all contexts span a space W that steps do not leave. So a mode of P
counts only if some filter holds it *and* the emission shows it: a period is invisible if its phases
emit alike, or if no context ever tells the phase.

With D a common multiple of all periods, ``P^(m D)`` tends to a limit Q, and neighbouring
predictions approach each other if and only if ``b Q (I - P) E = 0`` for all b in W; all contexts
have one limit if and only if moreover ``b Q E = 0`` for those b in W that sum to 0. The rate is the
spectral radius of ``P - P Q`` on what is both held and shown. [ours]

Whether something is zero is decided in floats here, to about ten digits of a filter; how likely the
context of a filter is does not matter.
"""

import math
from collections.abc import Callable

import numpy as np

from theory.arrays import to_host
from theory.distributions import HiddenMarkovModel
from theory.homogenization.decision import Decision
from theory.homogenization.sentences import far_tokens
from theory.homogenization.spectrum import radius
from theory.homogenization.structure import structure, taken_apart

__all__ = ["decide_hidden"]

SEEN = 1e-10
"""What changes a prediction by less does not show."""


def decide_hidden(p: HiddenMarkovModel) -> Decision:
    """`decide` for the tokens of a hidden Markov model."""
    s = structure(p)
    inside = s.reached
    steps, emission = s.steps[np.ix_(inside, inside)], to_host(p.emission)[inside]
    start = s.initial[inside]
    filters = _filters(start, steps, emission)
    apart = np.eye(len(inside)) - steps
    limit = _limit_of_powers(steps, [r.period for r in s.recurrent])
    homogenizes = _vanishes(filters @ limit @ apart @ emission)
    forgets = homogenizes and _vanishes(_without_mass(filters) @ limit @ emission)
    rate = _visible_radius(filters, steps - steps @ limit, emission) if homogenizes else 1.0
    return Decision(
        homogenizes,
        forgets,
        rate,
        start @ limit @ emission if forgets else None,
        None,
        s.recurrent,
        far_tokens(s.recurrent, homogenizes, forgets, rate),
    )


def _filters(start: np.ndarray, steps: np.ndarray, emission: np.ndarray) -> np.ndarray:
    """An orthonormal basis of the filters of all contexts, as rows.

    It grows by filters of contexts as they are, however rare: only products of probabilities are
    formed on the way to them, so that nothing small is lost.
    """
    basis, new = np.empty((0, len(start))), _observed(start[None, :], emission)
    while len(new):
        kept = []
        rest = _without(basis, new)
        while len(rest) and np.max(sizes := np.linalg.norm(rest, axis=1)) > SEEN:
            best = int(np.argmax(sizes))
            kept.append(new[best])
            basis = np.concatenate([basis, rest[best : best + 1] / sizes[best]])
            rest = _without(basis, new)
        new = _observed(np.stack(kept) @ steps, emission) if kept else new[:0]
    return basis


def _observed(priors: np.ndarray, emission: np.ndarray) -> np.ndarray:
    """What hidden laws become after each token that is possible."""
    rows = (priors[:, None, :] * emission.T[None, :, :]).reshape(-1, priors.shape[1])
    rows = rows / np.where((most := rows.max(axis=1, keepdims=True)) > 0, most, 1.0)
    return rows[most[:, 0] > 0]


def _without(basis: np.ndarray, rows: np.ndarray) -> np.ndarray:
    rows = rows - rows @ basis.T @ basis
    return rows - rows @ basis.T @ basis  # once more against rounding


def _closure(rows: np.ndarray, step: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """An orthonormal basis of the least space that holds `rows` and is closed under `step`."""
    basis = np.empty((0, rows.shape[1]))
    while len(rows):
        _, sizes, directions = np.linalg.svd(_without(basis, rows), full_matrices=False)
        new = directions[sizes > SEEN]
        basis = np.concatenate([basis, new])
        rows = step(new)
    return basis


def _vanishes(change: np.ndarray) -> bool:
    return float(np.max(np.abs(change), initial=0.0)) < SEEN


def _without_mass(filters: np.ndarray) -> np.ndarray:
    """A basis of those combinations of filters that sum to 0."""
    masses = filters.sum(axis=1)
    _, _, directions = np.linalg.svd(masses[None, :])
    return directions[1:] @ filters


def _limit_of_powers(steps: np.ndarray, periods: list[int]) -> np.ndarray:
    """The limit of ``steps^(m D)``, with D a common multiple of the periods."""
    common = math.lcm(*periods)
    return taken_apart(np.ones(len(steps)), np.linalg.matrix_power(steps, common)).limits()


def _visible_radius(filters: np.ndarray, fading: np.ndarray, emission: np.ndarray) -> float:
    """The spectral radius of `fading` on what filters hold and the emission shows."""
    shown = _closure(emission.T, lambda rows: rows @ fading.T)
    held = filters @ shown.T
    moves = shown @ fading @ shown.T
    basis = _closure(held, lambda rows: rows @ moves)
    return radius(basis @ moves @ basis.T)
