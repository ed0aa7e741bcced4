"""Sets of the sites that are allowed, bool (B, L): every set, all of a size, one at random.

Where sets are enumerated, as many sites are allowed in each row: a set is one of their numbers,
first to last, whatever sites these are in a row.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from theory._core.arrays import array_namespace, from_host
from theory._core.segments import gather, row_counts

__all__ = ["coin_tosses", "random_sites", "sets_of_sites", "site_count"]


def site_count(allowed: Any) -> int:
    """How many sites of each row (B, L) are allowed, where that is the same number."""
    return int(row_counts(allowed[:1, :])[0])


def sets_of_sites(allowed: Any, size: int) -> Iterator[Any]:
    """Every set of `size` of the allowed sites.

    >>> [s.tolist() for s in sets_of_sites(np.asarray([[True, False, True]]), 1)]
    [[[True, False, False]], [[False, False, True]]]
    """
    xp, count = array_namespace(allowed), site_count(allowed)
    number = xp.cumulative_sum(xp.astype(allowed, xp.int64), axis=1) - 1
    number = xp.where(allowed, number, 0)
    for chosen in itertools.combinations(range(count), size):
        among = np.zeros(max(count, 1), dtype=bool)
        among[list(chosen)] = True
        yield allowed & gather(from_host(among, allowed), number)


def coin_tosses(allowed: Any, probability: Any) -> Iterator[tuple[Any, Any]]:
    """Every set of the allowed sites, each of which is in it with a probability of its own.

    >>> [(p, s.tolist()) for p, s in coin_tosses(np.asarray([[True, False]]), 0.25)]
    [(0.75, [[False, False]]), (0.25, [[True, False]])]
    """
    count = site_count(allowed)
    for size in range(count + 1):
        weight = probability**size * (1 - probability) ** (count - size)
        if weight:
            for chosen in sets_of_sites(allowed, size):
                yield weight, chosen


def random_sites(allowed: np.ndarray, size: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw ``size[b]`` of the allowed sites of each row, uniformly; bool (B, L)."""
    keys = np.where(allowed, rng.random(allowed.shape), np.inf)
    places = np.argsort(np.argsort(keys, axis=1), axis=1)
    return allowed & (places < np.asarray(size)[:, None])
