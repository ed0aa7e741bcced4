"""A uniformly random set of masked sites in every round, of a size fixed beforehand."""

import itertools
import math
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from sims.policies.base import Law, Policy
from theory import MASK
from theory.errors import InvalidInput
from theory.validation import as_sizes

__all__ = ["RandomOrder", "random_sites", "sets_of_sites"]


class RandomOrder(Policy):
    """Reveal ``sizes[t]`` masked sites, uniformly at random, in round t.

    The order that most of the theory is about; LLaDA's "random" remasking [memory]. It looks
    neither at tokens nor at predictions. Exact at one site per round.

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

    def __init__(self, sizes: Sequence[int]) -> None:
        self.sizes = as_sizes(sizes, None)

    def check(self, length: int, vocab: int) -> None:
        """Raise `InvalidInput` if the sizes do not sum to the length."""
        as_sizes(self.sizes, length)

    def law(self, x: np.ndarray, predictions: np.ndarray, round_index: int) -> Law:
        """Yield every choice among the masked sites of each row."""
        count = int((x[0] == MASK).sum())
        size = int(self._size(np.asarray([count]))[0])
        chance = Fraction(1, math.comb(count, size))
        for reveal in sets_of_sites(x == MASK, size):
            yield chance, reveal

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


def sets_of_sites(allowed: np.ndarray, size: int) -> Iterator[np.ndarray]:
    """Every set of `size` of the allowed sites, for rows (B, L) with equally many of them.

    >>> [s.tolist() for s in sets_of_sites(np.asarray([[True, False, True]]), 1)]
    [[[True, False, False]], [[False, False, True]]]
    """
    count = int(allowed[0].sum())
    sites = np.nonzero(allowed)[1].reshape(len(allowed), count)
    for chosen in itertools.combinations(range(count), size):
        reveal = np.zeros_like(allowed)
        np.put_along_axis(reveal, sites[:, list(chosen)], True, axis=1)
        yield reveal


def random_sites(allowed: np.ndarray, size: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw ``size[b]`` of the allowed sites of each row, uniformly; bool (B, L)."""
    keys = np.where(allowed, rng.random(allowed.shape), np.inf)
    places = np.argsort(np.argsort(keys, axis=1), axis=1)
    return allowed & (places < np.asarray(size)[:, None])
