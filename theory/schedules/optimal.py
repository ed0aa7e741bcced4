"""The best batch sizes for random-order decoding, by dynamic programming."""

import math
from typing import Any

import numpy as np

from theory.errors import InvalidInput
from theory.information.profile import as_profile, rounding
from theory.validation import as_real, as_rounds

__all__ = ["optimal"]

ROUNDING = 1e-12
"""Relative to the cost of a single round: by how much rounding may miss a target."""


def optimal(
    profile: Any, rounds: int | None = None, *, target: float | None = None
) -> tuple[int, ...]:
    """Batch sizes of least expected cost for random-order decoding.

    The cost is the left-Riemann error of the profile (`theory.information.path_cost`), so the
    best schedule is a shortest path over boundaries, found in ``O(rounds * L^2)`` steps.
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

    Returns
    -------
    tuple of int

    Raises
    ------
    InvalidInput
        If not exactly one of `rounds` and `target` is given, or if the profile increases.

    Examples
    --------
    A repeated bit is known after one site: one site first, then all others.

    >>> optimal([1, 0, 0, 0], rounds=2)
    (1, 3)

    Even parity is free until the last site:

    >>> optimal([1, 1, 1, 0], rounds=2)
    (3, 1)

    How many rounds do three pairs of equal bits take if one bit may be lost?

    >>> from theory import gallery
    >>> optimal(gallery.coupled_pairs(3), target=math.log(2))
    (2, 2, 2)
    """
    if rounds is None and target is None:
        raise InvalidInput("give rounds or target: neither is there")
    if rounds is not None and target is not None:
        raise InvalidInput(f"give rounds or target, not both: {rounds=}, {target=}")
    f = as_profile(profile)
    if rounds is not None:
        most, enough = as_rounds(rounds, f.size), -math.inf
    else:
        most, enough = f.size, as_real(target, "target", 0, math.inf)
    lost = f[0] - f  # in these nothing cancels where the profile is nearly flat
    enough += ROUNDING * float(lost.sum())
    sizes = _shortest(lost, most, enough, tie=rounding(f))
    if _cost(lost, sizes) > enough > 0:
        sizes = _shortest(lost, most, enough, tie=0.0)
    return sizes


def _shortest(lost: np.ndarray, most: int, enough: float, tie: float) -> tuple[int, ...]:
    """Batch sizes of the shortest path over boundaries, in as few rounds as are enough."""
    # All schedules reveal the same total, so that only sum_k s_k f(a_k) differs between them.
    length = lost.size
    cost = np.full(length + 1, np.inf)
    cost[length] = 0.0
    boundaries = np.arange(length + 1, dtype=np.int64)
    ahead = boundaries[None, :] - boundaries[:length, None]
    prices = np.where(ahead > 0, -ahead * lost[:, None], np.inf)
    total_lost = float(lost.sum())
    choices: list[np.ndarray] = []  # choices[r][a]: where the next batch ends if r more follow it
    while len(choices) < most and cost[0] + total_lost > enough:
        total = cost[None, :] + prices
        least = total.min(axis=1)
        choices.append(np.argmax(total <= least[:, None] + tie, axis=1))
        cost = np.append(least, np.inf)
    sizes, start = [], 0
    for choice in reversed(choices):
        stop = int(choice[start])
        sizes.append(stop - start)
        start = stop
    return tuple(sizes)


def _cost(lost: np.ndarray, sizes: tuple[int, ...]) -> float:
    """The path cost, from how far the profile lies below its start."""
    starts = np.cumsum((0, *sizes[:-1]))
    return float(lost.sum() - (np.asarray(sizes) * lost[starts]).sum())
