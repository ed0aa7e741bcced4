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
    count, place = site_count(allowed), _places(allowed)
    for chosen in itertools.combinations(range(count), size):
        yield _at(chosen, allowed, place)


def coin_tosses(allowed: Any, probability: Any, otherwise: Any = 0) -> Iterator[tuple[Any, Any]]:
    """Every set of sites: an allowed one is in it with `probability`, others with `otherwise`.

    >>> [(p, s.tolist()) for p, s in coin_tosses(np.asarray([[True, False]]), 0.25)]
    [(0.75, [[False, False]]), (0.25, [[True, False]])]
    """
    count, length, place = site_count(allowed), allowed.shape[1], _places(allowed)
    others = length - count if otherwise else 0
    for size, more in itertools.product(range(count + 1), range(others + 1)):
        weight = probability**size * (1 - probability) ** (count - size)
        weight = weight * otherwise**more * (1 - otherwise) ** (others - more)
        if weight:
            some = itertools.combinations(range(count), size)
            rest = itertools.combinations(range(count, count + others), more)
            for chosen, also in itertools.product(some, rest):
                yield weight, _at(chosen + also, allowed, place)


def _places(allowed: Any) -> Any:
    """Where each site is in its row when the allowed ones are put first, (B, L)."""
    xp = array_namespace(allowed)
    allowed_before = xp.cumulative_sum(xp.astype(allowed, xp.int64), axis=1)
    others_before = xp.cumulative_sum(xp.astype(~allowed, xp.int64), axis=1)
    return xp.where(allowed, allowed_before, allowed_before[:, -1:] + others_before) - 1


def _at(places: tuple[int, ...], allowed: Any, place: Any) -> Any:
    among = np.zeros(allowed.shape[1], dtype=bool)
    among[list(places)] = True
    return gather(from_host(among, allowed), place)


def random_sites(allowed: np.ndarray, size: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw ``size[b]`` of the allowed sites of each row, uniformly; bool (B, L)."""
    keys = np.where(allowed, rng.random(allowed.shape), np.inf)
    places = np.argsort(np.argsort(keys, axis=1), axis=1)
    return allowed & (places < np.asarray(size)[:, None])
