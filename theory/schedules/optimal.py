"""Batch sizes of least expected cost for random-order decoding, by dynamic programming."""

import math

import numpy as np

from theory._core.plurals import counted
from theory._core.types import ArrayLike
from theory._core.work import require_steps
from theory.errors import InvalidInput, TooLarge
from theory.information.profile import as_profile, rounding
from theory.validation.arguments import as_real, as_rounds

__all__ = ["optimal"]

TARGET_TOL = 1e-12
"""By how much a cost may exceed a target, relative to the cost of a single round."""

MAX_STEPS = 2**32
"""Pairs of boundaries that are compared, in a minute or so: all rounds of 5,000 sites."""


def optimal(
    profile: ArrayLike, rounds: int | None = None, *, target: float | None = None
) -> tuple[int, ...]:
    """Batch sizes of least expected cost for random-order decoding.

    The cost is the left-Riemann error of the profile (`theory.information.path_cost`), so the
    best schedule is a shortest path over boundaries, found in ``O(rounds * L^1.5)`` steps.
    Of equally good schedules, the one whose last batches are largest is returned.

    Parameters
    ----------
    profile : Distribution, or array_like of shape (L,)
        ``f(j)``, as `theory.information.profile` returns it; any unit, exact or float.
    rounds : int, optional
        Between 1 and L.
    target : float, optional
        Instead of `rounds`: the cost to stay at or below, in the unit of the profile (nats for a
        distribution), in as few rounds as possible.

    Raises
    ------
    InvalidInput
        If not exactly one of `rounds` and `target` is given, or if the profile increases.
    TooLarge
        If it would take minutes: at once for `rounds`, for a `target` when it is not reached in as
        many rounds as can be computed.

    Examples
    --------
    A repeated bit is known after one site: one site first, then all others.

    >>> optimal([1, 0, 0, 0], rounds=2)
    (1, 3)

    Even parity is free until the last site:

    >>> optimal([1, 1, 1, 0], rounds=2)
    (3, 1)

    Three pairs of equal bits, at the cost of one bit at most:

    >>> from theory import gallery
    >>> optimal(gallery.coupled_pairs(3), target=math.log(2))
    (2, 2, 2)
    """
    if rounds is None and target is None:
        raise InvalidInput("give rounds or target: neither is given")
    if rounds is not None and target is not None:
        raise InvalidInput(f"give rounds or target, not both: {rounds=}, {target=}")
    f = as_profile(profile)
    if rounds is not None:
        most, limit = as_rounds(rounds, f.size), -math.inf
        what = f"the best {counted(most, 'round')} of {counted(f.size, 'site')}"
        require_steps(_steps(f.size, most), MAX_STEPS, what)
    else:
        most, limit = f.size, as_real(target, "target", 0, math.inf)
    drop = f[0] - f  # in these nothing cancels where the profile is nearly flat
    limit += TARGET_TOL * float(drop.sum())
    sizes = _shortest(drop, most, limit, tie=rounding(f))
    if _cost(drop, sizes) > limit > 0:
        sizes = _shortest(drop, most, limit, tie=0.0)
    return sizes


def _shortest(drop: np.ndarray, most: int, limit: float, tie: float) -> tuple[int, ...]:
    """Batch sizes of the shortest path, in as few rounds as cost at most `limit`."""
    # All schedules reveal the same total, so that only sum_k s_k f(a_k) differs between them.
    length = drop.size
    cost = -np.arange(length, 0, -1) * drop
    one_round = float(drop.sum())
    choices = [np.full(length, length)]  # choices[r][a]: where the next batch ends if r more follow
    affordable = max(1, MAX_STEPS // _steps(length, 1))
    while len(choices) < most and cost[0] + one_round > limit:
        if len(choices) == affordable:
            raise TooLarge(
                f"{counted(affordable, 'round')} cost {cost[0] + one_round:.4g}, more than the "
                f"target {limit:.4g}; more rounds of {counted(length, 'site')} are not computed"
            )
        cost, choice = _one_more(cost, drop[: len(cost) - 1], tie)
        choices.append(choice)
    sizes, start = [], 0
    for choice in reversed(choices):
        stop = int(choice[start])
        sizes.append(stop - start)
        start = stop
    return tuple(sizes)


def _one_more(cost: np.ndarray, drop: np.ndarray, tie: float) -> tuple[np.ndarray, np.ndarray]:
    """The least costs with one more batch, from every start, and where that batch ends.

    A later end saves ``drop[start]`` for each site, which rises with the start. So the best end
    rises with the start, and for starts between two whose ends are known, only the ends between
    theirs are compared.
    """
    count = drop.size
    least, choice = np.empty(count), np.empty(count, dtype=np.int64)
    coarse = np.arange(0, count, math.isqrt(count))
    least[coarse], choice[coarse], best = _best_ends(cost, drop, coarse, 1, count, tie)
    ends = np.append(best, count)
    for k, start in enumerate(coarse.tolist()):
        between = np.arange(start + 1, min(start + math.isqrt(count), count))
        if between.size:
            first, last = int(choice[start]), int(ends[k + 1])
            found = _best_ends(cost, drop, between, first, last, tie)
            least[between], choice[between], _ = found
    return least, choice


def _best_ends(
    cost: np.ndarray, drop: np.ndarray, starts: np.ndarray, first: int, last: int, tie: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Least costs from some starts, the first ends that are as good, and the best ends."""
    ahead = np.arange(first, last + 1, dtype=np.int64) - starts[:, None]
    total = np.where(ahead > 0, cost[first : last + 1] - ahead * drop[starts, None], np.inf)
    best = total.argmin(axis=1)
    least = total[np.arange(starts.size), best]
    return least, first + np.argmax(total <= least[:, None] + tie, axis=1), first + best


def _steps(length: int, rounds: int) -> int:
    """Pairs of boundaries that are compared."""
    return 2 * rounds * length * (math.isqrt(length) + 1)


def _cost(drop: np.ndarray, sizes: tuple[int, ...]) -> float:
    """The path cost, from the drop of the profile below its start."""
    starts = np.cumsum((0, *sizes[:-1]))
    return float(drop.sum() - (np.asarray(sizes) * drop[starts]).sum())
