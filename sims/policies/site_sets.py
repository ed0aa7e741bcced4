"""Sets of allowed sites, bool (B, L): every set, all of a size, one at random.

Where sets are enumerated, as many sites are allowed in each row: a set is one of their numbers,
first to last, whatever sites these are in a row.
"""

import itertools
import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from theory._core.arrays import array_namespace, device, from_host
from theory._core.segments import gather, row_counts
from theory._core.types import Array

__all__ = [
    "each_token",
    "independent_sets",
    "random_sites",
    "site_count",
    "site_numbers",
    "sites_at",
    "uniform_sets",
]


def site_count(allowed: Array) -> int:
    """How many sites of each row (B, L) are allowed, where that is the same number."""
    return int(row_counts(allowed[:1, :])[0])


def uniform_sets(allowed: Array, size: int) -> Iterator[tuple[Fraction, Array]]:
    """Every set of `size` of the allowed sites, all equally likely.

    >>> [(str(p), s.tolist()) for p, s in uniform_sets(np.asarray([[True, False, True]]), 1)]
    [('1/2', [[True, False, False]]), ('1/2', [[False, False, True]])]
    """
    count, position = site_count(allowed), site_numbers(allowed)
    probability = Fraction(1, math.comb(count, size))
    for chosen in itertools.combinations(range(count), size):
        yield probability, sites_at(chosen, position)


def independent_sets(
    allowed: Array, probability: Any, otherwise: Any = 0
) -> Iterator[tuple[Any, Array]]:
    """Every set of sites: an allowed one is in it with `probability`, others with `otherwise`.

    >>> [(p, s.tolist()) for p, s in independent_sets(np.asarray([[True, False]]), 0.25)]
    [(0.75, [[False, False]]), (0.25, [[True, False]])]
    """
    count, length, position = site_count(allowed), allowed.shape[1], site_numbers(allowed)
    others = length - count if otherwise else 0
    for size, more in itertools.product(range(count + 1), range(others + 1)):
        weight = probability**size * (1 - probability) ** (count - size)
        weight = weight * otherwise**more * (1 - otherwise) ** (others - more)
        if weight:
            some = itertools.combinations(range(count), size)
            rest = itertools.combinations(range(count, count + others), more)
            for chosen, also in itertools.product(some, rest):
                yield weight, sites_at(chosen + also, position)


def site_numbers(allowed: Array) -> Array:
    """The number of each site in its row (B, L), if the allowed ones are numbered first."""
    xp = array_namespace(allowed)
    allowed_before = xp.cumulative_sum(xp.astype(allowed, xp.int64), axis=1)
    others_before = xp.cumulative_sum(xp.astype(~allowed, xp.int64), axis=1)
    return xp.where(allowed, allowed_before, allowed_before[:, -1:] + others_before) - 1


def sites_at(chosen: tuple[int, ...], numbers: Array) -> Array:
    """The sites of each row that have these numbers, bool (B, L)."""
    among = np.zeros(numbers.shape[1], dtype=bool)
    among[list(chosen)] = True
    return gather(from_host(among, numbers), numbers)


def random_sites(allowed: np.ndarray, size: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw ``size[b]`` of the allowed sites of each row, uniformly; bool (B, L)."""
    keys = np.where(allowed, rng.random(allowed.shape), np.inf)
    ranks = np.argsort(np.argsort(keys, axis=1), axis=1)
    return allowed & (ranks < np.asarray(size)[:, None])


def each_token(
    x: Array, site: Array, probability: Array, shares: Array
) -> tuple[Array, Array, Array]:
    """Give every token (N, V) at a site of each row its share.

    Returns the rows, the probabilities, and the sequences with the token.

    >>> x, half = np.asarray([[5, 5]]), np.asarray([0.5])
    >>> [v.tolist() for v in each_token(x, np.asarray([1]), half, np.asarray([[0.0, 1.0]]))]
    [[0], [0.5], [[5, 1]]]
    """
    xp, mass = array_namespace(x), probability[:, None] * shares
    at, token = xp.nonzero(mass != 0)
    sites = xp.arange(x.shape[1], dtype=xp.int64, device=device(x))
    here = sites == xp.take(site, at)[:, None]
    after = xp.where(here, token[:, None], xp.take(x, at, axis=0))
    return at, xp.take(xp.reshape(mass, (-1,)), at * mass.shape[1] + token), after
