"""Ancestral sampling: in each step of a clock, every masked site is revealed or not by itself."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from sims.policies.base import Policy, Reveals
from sims.policies.site_sets import independent_sets
from theory import MASK
from theory._core.types import Array
from theory.validation.times import as_times, format_times

__all__ = ["Bernoulli"]


class Bernoulli(Policy, renamed={"chance": "probability"}):
    """In the step from time a to time b reveal each masked site with probability ``(b-a)/(1-a)``.

    The ancestral sampler of masked diffusion (MDLM, MD4, RADD) [memory], with the revealed fraction
    as time. Sites fall into one step at random, which costs what every parallel step costs. It
    depends neither on tokens nor on predictions. Not exact, however many steps there are.

    A step that reveals nothing needs no call of the denoiser and is not counted as a round.

    Parameters
    ----------
    times : sequence of numbers
        Revealed fractions that rise from 0 to 1, for instance ``np.linspace(0, 1, 5)``.
        Fractions give exact results for exact distributions.

    >>> from theory import gallery
    >>> from sims import output_distribution
    >>> q = output_distribution(gallery.coupled_pairs(1, exact=True), Bernoulli((0, 0.5, 1)))
    >>> q.valid_mass, q.expected_rounds       # both fall into one step with probability 1/2
    (Fraction(3, 4), Fraction(3, 2))
    """

    depends_on = "nothing"

    def __init__(self, times: Sequence[Any]) -> None:
        self.times = as_times(times)

    @property
    def steps(self) -> int:
        """One step between two times."""
        return len(self.times) - 1

    def probability(self, step: int) -> Fraction:
        """Probability that a site that is masked is revealed in this step.

        >>> Bernoulli((0, 0.5, 1)).probability(0)
        Fraction(1, 2)
        """
        a, b = self.times[step : step + 2]
        return (b - a) / (1 - a)

    def reveal_distribution(self, x: Array, predictions: Array, round_index: int) -> Reveals:
        """Yield every set of masked sites of each row, the empty one too."""
        yield from independent_sets(x == MASK, self.probability(round_index))

    def choose(
        self, x: np.ndarray, predictions: np.ndarray, round_index: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Draw for every site by itself."""
        return (x == MASK) & (rng.random(x.shape) < float(self.probability(round_index)))

    def __repr__(self) -> str:
        return f"Bernoulli({format_times(self.times)})"
