"""A uniformly random set of masked sites in every round, of a size fixed beforehand."""

import itertools
import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from sims.policies.base import Policy, Reveals
from theory import MASK
from theory._core.arrays import array_namespace, from_host
from theory._core.segments import lookup, row_counts
from theory.errors import InvalidInput
from theory.validation.arguments import as_sizes

__all__ = ["RandomOrder", "places_of", "random_sites", "sets_of_sites", "site_count"]


class RandomOrder(Policy):
    """Reveal ``sizes[t]`` masked sites, uniformly at random, in round t.

    The order that most of the theory is about; LLaDA's "random" remasking [memory]. It depends
    neither on tokens nor on predictions. Exact at one site per round.

    Parameters
    ----------
    sizes : sequence of int
        Positive batch sizes that sum to the length, for instance ``schedules.uniform(16, 4)``.

    >>> from theory import gallery
    >>> from sims import output_distribution
    >>> q = output_distribution(gallery.permutations(3), RandomOrder((3,)))
    >>> round(q.valid_mass, 12)                                     # 3! / 3^3
    0.222222222222
    """

    depends_on = "nothing"

    def __init__(self, sizes: Sequence[int]) -> None:
        self.sizes = as_sizes(sizes, None)

    def check(self, length: int, vocab: int) -> None:
        """Raise `InvalidInput` if the sizes do not sum to the length."""
        as_sizes(self.sizes, length)

    def reveal_distribution(self, x: Any, predictions: Any, round_index: int) -> Reveals:
        """Yield every choice among the masked sites of each row."""
        count = site_count(x == MASK)
        size = int(self._size(np.asarray([count]))[0])
        probability = Fraction(1, math.comb(count, size))
        for reveal in sets_of_sites(x == MASK, size):
            yield probability, reveal

    def choose(
        self, x: np.ndarray, predictions: np.ndarray, round_index: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Draw the sets."""
        return random_sites(x == MASK, self._size((x == MASK).sum(axis=1)), rng)

    def _size(self, masked: np.ndarray) -> np.ndarray:
        """The batch size to use where so many sites are masked."""
        starts, revealed = np.cumsum((0, *self.sizes[:-1])), sum(self.sizes) - masked
        index = np.searchsorted(starts, revealed)
        if (index == len(starts)).any() or (starts[index] != revealed).any():
            raise InvalidInput(
                f"batches of sizes {self.sizes} do not start at {revealed.max()} revealed sites"
            )
        return np.asarray(self.sizes)[index]


def site_count(allowed: Any) -> int:
    """How many sites of each row (B, L) are allowed, where that is the same number."""
    return int(row_counts(allowed[:1, :])[0])


def places_of(allowed: Any) -> Any:
    """Number of each allowed site among those of its row, (B, L); anything from 0 elsewhere."""
    xp = array_namespace(allowed)
    place = xp.cumulative_sum(xp.astype(allowed, xp.int64), axis=1) - 1
    return xp.where(place < 0, 0, place)


def sets_of_sites(allowed: Any, size: int) -> Iterator[Any]:
    """Every set of `size` of the allowed sites, for rows (B, L) with equally many of them.

    >>> [s.tolist() for s in sets_of_sites(np.asarray([[True, False, True]]), 1)]
    [[[True, False, False]], [[False, False, True]]]
    """
    count, place = site_count(allowed), places_of(allowed)
    for chosen in itertools.combinations(range(count), size):
        among = np.zeros(max(count, 1), dtype=bool)
        among[list(chosen)] = True
        yield allowed & lookup(from_host(among, allowed), place)


def random_sites(allowed: np.ndarray, size: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw ``size[b]`` of the allowed sites of each row, uniformly; bool (B, L)."""
    keys = np.where(allowed, rng.random(allowed.shape), np.inf)
    places = np.argsort(np.argsort(keys, axis=1), axis=1)
    return allowed & (places < np.asarray(size)[:, None])
