"""How probable it is that ancestral steps write a given sequence, over all their choices of sites.

Between two sites i < j of x that are known, with k steps left, let R_k(i, j) be the probability
that x is written there over that of the data. With e(i, j) = P^(j-i)(x_i, x_j), and g sites between
two that follow each other among i, the sites revealed next, and j,

    R_k(i, j) = e(i, j) sum over sets of sites:
        prod over sites s       of  b e(i, s) e(s, j) / e(i, j)
        prod over gaps (s', s)  of  (1 - b)^g R_(k-1)(s', s) / e(s', s)                       [ours]

The weight of a site depends on both ends of the gap that it is revealed in: that takes L^4 / 24
products for every step between the first and the last, nearly all of them in products of matrices.
Ratios to the data stay of the order of what a step loses. They are multiplied by a constant to the
power of the number of sites, which is taken from the whole sequence: its own value, the only one
that counts in the end, is found in logarithms.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sims.chains.gaps import Gaps
from theory._console.progress import tracked
from theory._core.arrays import array_namespace, device, from_host, log, require_memory
from theory._core.plurals import counted
from theory._core.segments import any_true, gather
from theory._core.special import log_sum_exp
from theory._core.types import Array
from theory.errors import TooLarge
from theory.lattice.lattice import quotient

__all__ = ["log_written"]

AT_ONCE = 2**22
"""Numbers of a table that are worked on at once."""


def log_written(
    gaps: Gaps,
    reveal: Sequence[Any],
    x: Array,
    left: Array,
    right: Array,
    progress: bool | None = None,
) -> Array:
    """Log probability that gaps with the ends (N,) are written as x, (N, n); shape (N,).

    Parameters
    ----------
    gaps : Gaps
    reveal : sequence of numbers
        Probability to reveal a masked site, for each step; 1 in the last one.
    x : array of int64, shape (N, n)
        Possible between its ends.
    left, right : array of int64, shape (N,)
        Tokens, or V where an end is open.
    progress : bool, optional
    """
    xp, sites = gaps.xp, x.shape[1] + 2
    between_any = gaps.exact or len(reveal) > 2
    held = (sites**3 // 2 if between_any else 0) + 8 * sites**2
    require_memory(held, f"what is between two of {counted(x.shape[1], 'site')}", gaps.like)
    table = xp.stack([gaps.evidence(n) for n in range(sites - 1)])
    count = max(1, AT_ONCE // (sites**3 if between_any else sites**2))
    parts = []
    for start in tracked(range(0, x.shape[0], count), progress, "sequences"):
        rows = slice(start, min(start + count, x.shape[0]))
        ends = left[rows][:, None], x[rows, :], right[rows][:, None]
        parts.append(_written(gaps, table, reveal, xp.concat(ends, axis=1)))
    return xp.concat(parts)


def _written(gaps: Gaps, table: Array, reveal: Sequence[Any], x: Array) -> Array:
    """`log_written` of some sequences with their ends, (N, n + 2)."""
    xp, last = gaps.xp, x.shape[1] - 1
    place = np.arange(last + 1, dtype=np.int64)
    apart = place - place[:, None]
    inside = from_host(apart > 0, gaps.like)
    base = gaps.vocab + 1
    offset = from_host(np.maximum(apart - 1, 0) * base**2, gaps.like)
    pairs = gather(xp.reshape(table, (-1,)), offset + x[:, :, None] * base + x[:, None, :])
    pairs = xp.where(inside, pairs, 0 * pairs + 1)
    steps = [pairs[:, k, k + 1] for k in range(last)]
    if gaps.exact:
        ratio = xp.where(from_host(apart == 1, gaps.like), 0 * pairs + 1, 0 * pairs)
        for b in reversed(reveal):
            factors = np.asarray([(1 - b) ** max(k - 1, 0) for k in range(last + 1)], dtype=object)
            between = quotient(ratio * factors[np.maximum(apart, 0)], pairs)
            ratio = pairs * _revealed(pairs, between, b)
        return log(math.prod(steps) * quotient(ratio[:, 0, last], pairs[:, 0, last]))
    logs = log(pairs)
    along = sum(log(step) for step in steps) - logs[:, 0, last]
    ratio = _all_at_once(gaps, logs, inside)
    whole = ratio[:, 0, last]
    for index, b in enumerate(reversed(reveal[:-1]), start=2):
        stay = from_host(np.maximum(apart - 1, 0) * math.log1p(-b), gaps.like)
        between = xp.where(inside, ratio + stay - logs, -math.inf)
        whole = _whole(logs, between, math.log(b))
        if index == len(reveal):
            break
        tilt = (whole / -last)[:, None, None] * from_host(apart.astype(np.float64), gaps.like)
        found = _revealed(pairs, xp.exp(between + tilt), b)
        ratio = xp.where(inside, logs + log(found) - tilt, -math.inf)
        if any_true(inside & ~xp.isfinite(ratio)):
            raise TooLarge(
                f"what is written between two of {counted(last - 1, 'site')} is too improbable, or "
                f"too probable, for a float beside what is written as a whole"
            )
    return along + whole


def _all_at_once(gaps: Gaps, logs: Array, inside: Array) -> Array:
    """Logarithms of R_1, where all sites between two are drawn given these, (N, n+2, n+2)."""
    xp, count = gaps.xp, logs.shape[1]
    from_left = xp.cumulative_sum(logs, axis=2) - logs  # to all sites before the right one
    to_right = xp.flip(xp.cumulative_sum(xp.flip(logs, axis=1), axis=1), axis=1) - logs
    edges = xp.stack([logs[:, k, k + 1] for k in range(count - 1)], axis=1)
    start = 0 * edges[:, :1]
    along = xp.concat([start, xp.cumulative_sum(edges, axis=1)], axis=1)
    along = along[:, None, :] - along[:, :, None]
    place = np.arange(count, dtype=np.int64)
    between = from_host(np.asarray(place - place[:, None] - 2, dtype=np.float64), gaps.like)
    drawn = from_left + to_right - between * logs
    return xp.where(inside, drawn - along, -math.inf)


def _whole(logs: Array, between: Array, log_b: float) -> Array:
    """The logarithm of R for the whole sequence, from those of what is between two sites; (N,)."""
    xp, last = array_namespace(logs), logs.shape[1] - 1
    up_to = 0 * logs[:, :1, 0]
    for site in range(1, last + 1):
        found = log_sum_exp(up_to + between[:, :site, site])
        if site == last:
            return found + logs[:, 0, last]
        weight = logs[:, 0, site] + logs[:, site, last] - logs[:, 0, last]
        up_to = xp.concat([up_to, (found + weight + log_b)[:, None]], axis=1)
    raise AssertionError("a sequence has two ends")


def _revealed(pairs: Array, between: Array, b: Any) -> Array:
    """R between any two sites over their e, from what is between two, (N, n+2, n+2).

    With f(s; l, r) the sum over sets of sites between l and r of which s is the last,

        f(s; l, r) = b e(l, s) e(s, r) / e(l, r) (between(l, s) + sum_s' f(s'; l, r) between(s', s))

    and what is in the brackets is the answer where s is r itself.
    """
    xp, last = array_namespace(pairs), pairs.shape[1] - 1
    share = quotient(0 * pairs + b, pairs)
    # for each s, over l < s and r >= s: what is in the brackets so far, then over r > s: f
    before = {s: between[:, :s, s, None] + 0 * pairs[:, :s, s:] for s in range(1, last + 1)}
    found: dict[int, Array] = {}
    answer = 0 * pairs

    def fill(low: int, high: int) -> None:
        """Find f of the sites low, ..., high - 1, half of them at a time."""
        if high - low == 1:
            whole = before.pop(low)
            answer[:, :low, low] = whole[:, :, 0]
            weight = pairs[:, :low, low, None] * share[:, :low, high:]
            found[low] = weight * pairs[:, low, None, high:] * whole[:, :, 1:]
            return
        middle = (low + high) // 2
        fill(low, middle)
        shape = (pairs.shape[0], middle - low, middle - 1, last + 1 - middle)
        known = xp.zeros(shape, dtype=pairs.dtype, device=device(pairs))
        for s in range(low, middle):
            known[:, s - low, :s, :] = found[s][:, :, middle - s - 1 :]
        step = xp.matrix_transpose(between[:, low:middle, middle:high])
        added = xp.matmul(step, xp.reshape(known, (*shape[:2], -1)))
        added = xp.reshape(added, (shape[0], high - middle, *shape[2:]))
        for s in range(middle, high):
            new = before[s][:, : middle - 1, :] + added[:, s - middle, :, s - middle :]
            before[s][:, : middle - 1, :] = new
        fill(middle, high)

    fill(1, last + 1)
    return answer
