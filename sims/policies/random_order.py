"""Random order: in every round a uniformly random set of masked sites, of a given size."""

from collections.abc import Sequence

import numpy as np

from sims.policies.base import Policy, Reveals
from sims.policies.site_sets import random_sites, site_count, uniform_sets
from theory import MASK
from theory._core.types import Array
from theory.errors import InvalidInput
from theory.validation.arguments import as_sizes

__all__ = ["RandomOrder"]


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

    def reveal_distribution(self, x: Array, predictions: Array, round_index: int) -> Reveals:
        """Yield every choice among the masked sites of each row."""
        count = site_count(x == MASK)
        yield from uniform_sets(x == MASK, int(self._size(np.asarray([count]))[0]))

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
