"""Random order: in every round a uniformly random set of masked sites, of a given size."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from sims.policies.base import Policy, Reveals
from sims.policies.batches import Batches
from sims.policies.site_sets import random_sites, site_count, uniform_sets
from theory import MASK
from theory._core.types import Array
from theory.errors import InvalidInput
from theory.schedules import RandomSizes

__all__ = ["RandomOrder"]


class RandomOrder(Policy):
    """Reveal ``sizes[t]`` masked sites, uniformly at random, in round t.

    The order that most of the theory is about; LLaDA's "random" remasking [code run]. It depends
    neither on tokens nor on predictions. Exact at one site per round.

    Parameters
    ----------
    sizes : sequence of int, or RandomSizes
        Batch sizes that sum to the length, for instance ``schedules.uniform(16, 4)``. A size of 0
        is a step that reveals nothing. Random sizes, such as those of ``schedules.minimax(16, 4,
        random=True)``, are drawn for each sequence, and counted by a clock.

    >>> from theory import gallery, schedules
    >>> from sims import output_distribution
    >>> q = output_distribution(gallery.permutations(3), RandomOrder((3,)))
    >>> round(q.valid_mass, 12)                                     # 3! / 3^3
    0.222222222222

    Random sizes lose 1/3 of TC at most: even parity of three, of which TC is log 2, loses all of it
    in (1, 2), drawn with probability 1/3, and nothing in (2, 1):

    >>> policy = RandomOrder(schedules.minimax(3, 2, random=True))
    >>> output_distribution(gallery.parity(3, exact=True), policy).path_kl
    log(2)/3
    """

    depends_on = "nothing"

    def __init__(self, sizes: Sequence[int] | RandomSizes) -> None:
        self._batches = sizes if isinstance(sizes, RandomSizes) else Batches(None, sizes)
        self.sizes = self._batches.sizes if isinstance(self._batches, Batches) else sizes

    @property
    def steps(self) -> int | None:
        """The rounds of random sizes; None for others, whose rounds need not be counted."""
        return None if isinstance(self._batches, Batches) else self._batches.rounds

    def check(self, length: int, vocab: int) -> None:
        """Raise `InvalidInput` if the sizes do not sum to the length."""
        if isinstance(self._batches, Batches):
            self._batches.check(length)
        elif self._batches.length != length:
            raise InvalidInput(f"{self._batches!r} do not fit {length} sites to write")

    def reveal_distribution(self, x: Array, predictions: Array, round_index: int) -> Reveals:
        """Yield every choice among the masked sites of each row."""
        masked = x == MASK
        for size, weight in self._next(site_count(masked), round_index).items():
            for probability, reveal in uniform_sets(masked, size):
                yield weight * probability, reveal

    def choose(
        self, x: np.ndarray, predictions: np.ndarray, round_index: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Draw the sets."""
        left = (x == MASK).sum(axis=1)
        if isinstance(self._batches, Batches):
            sizes, _ = self._batches.at(left)
            return random_sites(x == MASK, sizes, rng)
        sizes = np.zeros_like(left)
        for count in np.unique(left[left > 0]).tolist():
            rows, revealed = left == count, self._batches.length - count
            sizes[rows] = self._batches.draw_next(round_index, revealed, rng, int(rows.sum()))
        return random_sites(x == MASK, sizes, rng)

    def _next(self, left: int, round_index: int) -> dict[int, Fraction]:
        """Probabilities of the sizes of the next batch, where so many sites are left to write."""
        if isinstance(self._batches, Batches):
            sizes, _ = self._batches.at(np.asarray([left], dtype=np.int64))
            return {int(sizes[0]): Fraction(1)}
        if not left:  # all is written before the clock ends
            return {0: Fraction(1)}
        return self._batches.next_sizes(round_index, self._batches.length - left)
