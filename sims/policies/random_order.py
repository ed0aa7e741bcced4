"""Random order: in every round a uniformly random set of masked sites, of a given size."""

from collections.abc import Sequence

import numpy as np

from sims.policies.base import Policy, Reveals
from sims.policies.batches import Batches
from sims.policies.site_sets import random_sites, site_count, uniform_sets
from theory import MASK
from theory._core.types import Array

__all__ = ["RandomOrder"]


class RandomOrder(Policy):
    """Reveal ``sizes[t]`` masked sites, uniformly at random, in round t.

    The order that most of the theory is about; LLaDA's "random" remasking [code run]. It depends
    neither on tokens nor on predictions. Exact at one site per round.

    Parameters
    ----------
    sizes : sequence of int
        Batch sizes that sum to the length, for instance ``schedules.uniform(16, 4)``. A size of 0
        is a step that reveals nothing.

    >>> from theory import gallery
    >>> from sims import output_distribution
    >>> q = output_distribution(gallery.permutations(3), RandomOrder((3,)))
    >>> round(q.valid_mass, 12)                                     # 3! / 3^3
    0.222222222222
    """

    depends_on = "nothing"

    def __init__(self, sizes: Sequence[int]) -> None:
        self._batches = Batches(None, sizes)
        self.sizes = self._batches.sizes

    def check(self, length: int, vocab: int) -> None:
        """Raise `InvalidInput` if the sizes do not sum to the length."""
        self._batches.check(length)

    def reveal_distribution(self, x: Array, predictions: Array, round_index: int) -> Reveals:
        """Yield every choice among the masked sites of each row."""
        sizes, _ = self._batches.at(np.asarray([site_count(x == MASK)], dtype=np.int64))
        yield from uniform_sets(x == MASK, int(sizes[0]))

    def choose(
        self, x: np.ndarray, predictions: np.ndarray, round_index: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Draw the sets."""
        sizes, _ = self._batches.at((x == MASK).sum(axis=1))
        return random_sites(x == MASK, sizes, rng)
