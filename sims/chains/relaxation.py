"""No decoder of a chain has fewer expected rounds plus a multiple of its KL: a relaxation.

Rounds are a maximum over gaps, which does not fall apart. But a maximum has no smaller a mean than
any of its terms. With F(gap, mu) at most ``min E[rounds] + mu KL`` of a gap, a policy that needs t
rounds on average after its first one loses in each gap that it leaves, at any mu, at least
``(E F(gap, mu) - t) / mu`` nats, with the mean over the tokens at the ends of the gap. So [ours]

    F(gap, mu) = 1 + min over t, over sets of sites of
                 t + mu sum over edges (i, j) of I(X_i; X_j | ends) + max over nu (E F - t)+ / nu

is at most what that gap costs, for any set of values nu; a set of sites is a path, for each t a
shortest one. Between two values of t the largest line at the later one is followed back to the
earlier one: lower than the maximum, and linear, so that the ends of such intervals decide.
"""

import math
from collections.abc import Sequence

import numpy as np

from sims.chains.edges import Edges
from sims.chains.gaps import Gaps
from theory._console.progress import tracked

__all__ = ["least_costs"]

STEPS = 16
"""Values of t for each round."""

VALUES = 48
"""Multipliers at which gaps are bounded, beside those asked for."""

TIE = 1e-12
"""Nats by which a line must be above another one to be taken."""


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
    grid = np.geomspace(min(multipliers) / 8, 1e4 * max(multipliers), VALUES)
    values = np.unique(np.concatenate([grid, np.asarray(multipliers)]))
    bounds = np.zeros((length, v + 1, v + 1, len(values)))
    for n in tracked(range(1, length + 1), progress, "lower bound"):
        ends = slice(v, None) if n == length else slice(None)
        edges = Edges(gaps, n, ends)
        found = _least(edges, bounds, values)
        if n < length:
            bounds[n] = found
    return found[0, 0, np.searchsorted(values, multipliers)]


def _least(edges: Edges, bounds: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The bounds (A, A, M) of the gaps of one length, from those of all that are shorter."""
    n = edges.length
    times = np.arange(STEPS * max(n.bit_length() - 2, 0) + 1) / STEPS + 1
    lost = np.zeros((1, *edges.possible.shape, len(times)))  # on the shortest path to each site
    at_once = np.zeros(edges.possible.shape)
    for j in range(1, n + 2):
        here = _lines(edges.expected(j, bounds[:n]), values, times)
        here[j - 1] = 0.0  # the next site: no gap
        if j <= n:
            information = edges.information(j)
            at_once += information[-1] if j > 1 else 0.0
            here[1:] += information[..., None]
            here += lost
            lost = np.concatenate([lost, here.min(axis=0)[None]])
        else:
            best = (here[1:] + lost[1:]).min(axis=0)
    together = (times + values[:, None] * best[..., None, :]).min(axis=-1)
    found = 1 + np.minimum(together, values * at_once[..., None])
    return np.where(edges.possible[..., None], found, 0.0)


def _lines(costs: np.ndarray, values: np.ndarray, times: np.ndarray) -> np.ndarray:
    """The largest of the lines ``(costs - t) / values`` and 0 at the next time, at each time."""
    later = np.append(times[1:], times[-1])
    highest = np.full((*costs.shape[:-1], len(times)), -2 * TIE)
    here = np.zeros_like(highest)
    for k, value in enumerate(values):  # steep ones first
        line = costs[..., k, None] / value - later / value
        higher = line > highest + TIE
        highest = np.where(higher, line, highest)
        here = np.where(higher, line + (later - times) / value, here)
    return np.maximum(here, 0.0)
