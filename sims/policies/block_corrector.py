"""A corrector that is not exact: several sites are drawn again at once."""

import itertools
import math
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from sims.policies.base import Decoder, Select
from sims.policies.corrector import Corrector
from sims.policies.site_sets import random_sites
from theory.errors import InvalidInput
from theory.validation.arguments import as_integer

__all__ = ["BlockCorrector"]


class BlockCorrector(Corrector):
    """After `inner` has written everything, draw random sets of `size` sites again, in parallel.

    The tempting fast version of `GibbsCorrector`: the sites of a set are drawn from a product
    of their conditionals given the rest. That does not leave the data invariant unless they are
    conditionally independent; kept for contrast.

    Parameters
    ----------
    inner : Decoder or None
    size : int
        Sites drawn again together; 1 is `GibbsCorrector`.
    steps : int

    >>> from sims import output_distribution
    >>> from theory import gallery
    >>> p = gallery.coupled_pairs(1, exact=True)    # start from the data
    >>> output_distribution(p, BlockCorrector(None, size=2, steps=1)).valid_mass
    Fraction(1, 2)
    """

    def __init__(self, inner: Decoder | Select | None, size: int, steps: int) -> None:
        super().__init__(inner, steps)
        self.size = as_integer(size, "size", 1)

    def check(self, length: int, vocab: int) -> None:
        """Raise `InvalidInput` if a set would be larger than the sequence."""
        super().check(length, vocab)
        if self.size > length:
            raise InvalidInput(f"size must be at most the length {length}, got {self.size}")

    def sets(self, length: int) -> Iterator[tuple[Fraction, Sequence[int]]]:
        """Yield all sets of this size."""
        probability = Fraction(1, math.comb(length, self.size))
        for sites in itertools.combinations(range(length), self.size):
            yield probability, sites

    def choose(self, size: int, length: int, rng: np.random.Generator) -> np.ndarray:
        """Draw sets of this size."""
        every = np.ones((size, length), dtype=bool)
        return random_sites(every, np.full(size, self.size), rng)
