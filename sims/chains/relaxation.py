"""Expected rounds plus a multiple of the KL: what no decoder of a chain is below, by a relaxation.

After its first round a policy leaves gaps, and needs T_g more rounds in gap g. It needs
``1 + max T_g`` in all, at least ``1 + t`` on average with ``t = max E[T_g]``. What it does in g may
depend on tokens beyond, which are independent of the inside given both ends: it is one of the
policies of that gap alone, drawn at random. So if F(g, mu) is nowhere above the least
``E[rounds] + mu KL`` of g between given ends, at least ``(E F(g, mu) - t) / mu`` nats are lost in
g, for every mu. A set of sites being a path from 0 to n + 1 [ours],

    F(gap, mu) = 1 + min over t of t + mu min over paths of sum over edges (i, j) of
                 I(X_i; X_j | ends) + max over nu of (E[F(gap between i and j, nu)] - t)+ / nu

for gaps of n sites from shorter ones, or ``1 + mu TC`` if all sites are revealed at once. Any set
of values nu will do. Between two values of t the largest line at the later one is followed back to
the earlier one: below the maximum, and linear, so that the ends of such intervals decide.
"""

from collections.abc import Sequence

import numpy as np

from sims.chains.edges import Edges
from sims.chains.gaps import Gaps
from theory._console.progress import tracked
from theory._core.arrays import require_memory
from theory._core.plurals import counted

__all__ = ["least_costs"]

STEPS = 64
"""Values of t for each round."""

VALUES = 80
"""Multipliers at which gaps are bounded, in a geometric sequence."""

LOWEST, HIGHEST = 8.0, 1e4
"""How far below and above those asked for they go."""

TIE = 1e-12
"""Rounds by which lines may meet too early: a steeper one is as large as the next there."""


def least_costs(
    gaps: Gaps, multipliers: Sequence[float], progress: bool | None = None
) -> np.ndarray:
    """Lower bounds of ``E[rounds] + multiplier KL`` over all policies, for each multiplier.

    Parameters
    ----------
    gaps : Gaps
        In floats on the host, for gaps as long as the chain.
    multipliers : sequence of float
        Above 0.
    progress : bool, optional
    """
    length, v = gaps.longest, gaps.vocab
    wanted = np.asarray(multipliers, dtype=np.float64)
    values = np.geomspace(wanted.min() / LOWEST, HIGHEST * wanted.max(), VALUES)
    require_memory(
        length * (v + 1) ** 2 * (VALUES + 8 * (VALUES + STEPS * length.bit_length())),
        f"the lower bounds of gaps of up to {counted(length, 'site')} over {counted(v, 'token')}",
    )
    bounds = np.zeros((length, v + 1, v + 1, VALUES))
    for n in tracked(range(1, length), progress, "lower bound"):
        bounds[n] = _least(Edges(gaps, n), bounds, values, values)
    return _least(Edges(gaps, length, slice(v, None)), bounds, values, wanted)[0, 0]


def _least(edges: Edges, bounds: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The bounds (A, A, M) of the gaps of one length, from those of all that are shorter."""
    n = edges.length
    times = 1 + np.arange(0, max(n.bit_length() - 2, 0) + 0.5 / STEPS, 1 / STEPS)
    shortest = np.zeros((1, *edges.possible.shape, len(times)))  # from the left end to each site
    at_once = np.zeros(edges.possible.shape)
    for j in range(1, n + 2):
        lost = _lines(edges.expected(j, bounds[:n]), values, times)
        lost[j - 1] = 0.0  # no gap
        if j <= n:
            information = edges.information(j)
            at_once += information[-1] if j > 1 else 0.0
            lost[1:] += information[..., None]
        start = 1 if j > n else 0  # a path has a site
        lost = (lost + shortest)[start:].min(axis=0)
        shortest = np.concatenate([shortest, lost[None]])
    several = (times + wanted[:, None] * shortest[-1, ..., None, :]).min(axis=-1)
    found = 1 + np.minimum(several, wanted * at_once[..., None])
    return np.where(edges.possible[..., None], found, 0.0)


def _lines(costs: np.ndarray, values: np.ndarray, times: np.ndarray) -> np.ndarray:
    """The largest of the lines ``(costs - t) / values`` and 0 at the next time, at each time.

    The costs are concave in the values, so that each line is the largest one between where it
    meets its neighbours.
    """
    slopes = np.append(1 / values, 0.0)
    heights = np.concatenate([costs / values, np.zeros_like(costs[..., :1])], axis=-1)
    meet = (heights[..., :-1] - heights[..., 1:]) / (slopes[:-1] - slopes[1:])
    after = np.floor((meet + TIE - times[0]) * STEPS).clip(0, len(times)).astype(np.int64)
    after = (
        after.reshape(-1, len(values))
        + (len(times) + 1) * np.arange(meet[..., 0].size, dtype=np.int64)[:, None]
    )
    passed = np.bincount(after.reshape(-1), minlength=meet[..., 0].size * (len(times) + 1))
    k = passed.reshape(*meet.shape[:-1], -1).cumsum(axis=-1)[..., :-1]
    return np.maximum(np.take_along_axis(heights, k, axis=-1) - slopes[k] * times, 0.0)
