"""Batch sizes that do not depend on the data: how many sites each round of decoding reveals."""

import itertools
import math
from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np

from theory.errors import InvalidInput
from theory.schedules.noise import NoiseSchedule
from theory.validation.arguments import as_integer, as_real, as_rounds

__all__ = ["batch_sizes", "dual_total_correlation", "every", "total_correlation", "uniform"]


def every(length: int, rounds: int | None = None) -> Iterator[tuple[int, ...]]:
    """All batch sizes for a length, ``2^(length - 1)`` of them, or those of so many rounds.

    >>> list(every(3)), list(every(4, rounds=2))
    ([(1, 1, 1), (1, 2), (2, 1), (3,)], [(1, 3), (2, 2), (3, 1)])
    """
    length = as_integer(length, "length", 1)
    inside = range(1, length)
    if rounds is None:
        chosen = itertools.product((True, False), repeat=length - 1)
        every_cuts = (itertools.compress(inside, some) for some in chosen)
    else:
        every_cuts = itertools.combinations(inside, as_rounds(rounds, length) - 1)
    for cuts in every_cuts:
        yield tuple(b - a for a, b in itertools.pairwise([0, *cuts, length]))


def uniform(length: int, rounds: int) -> tuple[int, ...]:
    """Batch sizes as equal as possible, the larger ones first.

    >>> uniform(10, 4)
    (3, 3, 2, 2)
    """
    length = as_integer(length, "length", 1)
    rounds = as_rounds(rounds, length)
    small, extra = divmod(length, rounds)
    return (small + 1,) * extra + (small,) * (rounds - extra)


def total_correlation(length: int, ratio: float) -> tuple[int, ...]:
    """Large batches first: random-order decoding costs at most ``ratio * TC``.

    Each batch from a to b is the longest with ``b - a - 1 <= ratio (d - a - 1)``. Bounds of
    Chen, Cong, Li (arXiv 2511.04647), restated; this clean form is ours.

    >>> total_correlation(16, 0.5)
    (8, 4, 2, 1, 1)
    """
    return _geometric(length, ratio, lambda start: length - start - 1)


def dual_total_correlation(length: int, ratio: float) -> tuple[int, ...]:
    """Large batches last: random-order decoding costs at most ``ratio * DTC``.

    Each batch from a to b is the longest with ``b - a - 1 <= ratio (a + 1)``. Bounds of
    Chen, Cong, Li (arXiv 2511.04647), restated; this clean form is ours.

    >>> dual_total_correlation(16, 0.5)
    (1, 2, 3, 4, 6)
    """
    return _geometric(length, ratio, lambda start: start + 1)


def _geometric(length: int, ratio: float, scale: Callable[[int], int]) -> tuple[int, ...]:
    length = as_integer(length, "length", 1)
    as_real(ratio, "ratio", 0, math.inf)
    exact_ratio = Fraction(str(ratio))  # as written: 0.3 * 10 is 3
    sizes, start = [], 0
    while start < length:
        size = min(1 + math.floor(exact_ratio * scale(start)), length - start)
        sizes.append(size)
        start += size
    return tuple(sizes)


def batch_sizes(noise: NoiseSchedule, length: int, rounds: int) -> tuple[int, ...]:
    """Batch sizes of a noise schedule: its revealed shares, rounded to whole sites.

    Decoding goes backwards in time. After round k of N, ``L alpha(1 - k/N)`` sites are revealed,
    rounded to the nearest number (halves up) that leaves at least one site for every round.

    >>> from theory.schedules import Cosine, Linear
    >>> batch_sizes(Cosine(), 16, 4), batch_sizes(Linear(), 10, 4)
    ((2, 6, 6, 2), (3, 2, 3, 2))
    """
    if not isinstance(noise, NoiseSchedule):
        raise InvalidInput(f"noise must be a NoiseSchedule such as Cosine(), got {noise!r}")
    length = as_integer(length, "length", 1)
    rounds = as_rounds(rounds, length)
    shares = noise.levels(rounds)[::-1]
    stops = [0]
    for k in range(1, rounds + 1):
        nearest = math.floor(length * float(shares[k]) + 0.5)
        stops.append(min(max(nearest, stops[-1] + 1), length - (rounds - k)))
    return tuple(np.diff(stops).tolist())
