"""Gibbs sampling: draw one site again, given all others."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from sims.policies.corrector import Corrector

__all__ = ["GibbsCorrector"]


class GibbsCorrector(Corrector):
    """After `inner` has written everything, draw uniformly random single sites again.

    Gibbs sampling with random scan, the corrector of discrete diffusion in its simplest form
    [memory]. With the zero-loss denoiser at temperature 1 each round draws one site from its exact
    conditional, so the data distribution is invariant, and the divergence between what is written
    and the data never grows.

    Parameters
    ----------
    inner : Decoder or None
    steps : int

    >>> from sims import output_distribution
    >>> from sims.policies import LeftToRight
    >>> from theory import gallery
    >>> p = gallery.permutations(3, exact=True)
    >>> [output_distribution(p, GibbsCorrector(LeftToRight(3), n)).valid_mass for n in (0, 1)]
    [Fraction(2, 9), Fraction(2, 3)]
    """

    def sets(self, length: int) -> Iterator[tuple[Fraction, Sequence[int]]]:
        """Yield single sites."""
        for site in range(length):
            yield Fraction(1, length), (site,)

    def choose(self, size: int, length: int, rng: np.random.Generator) -> np.ndarray:
        """Draw single sites."""
        return np.arange(length) == rng.integers(length, size=size)[:, None]
