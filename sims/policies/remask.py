"""Ancestral sampling that may mask observed tokens again."""

import copy
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, ClassVar, Self

import numpy as np

from sims.policies.base import Policy, Reveals
from sims.policies.eligible import Shown
from sims.policies.site_sets import independent_sets
from theory import MASK
from theory._core.types import Array
from theory.validation.arguments import as_real
from theory.validation.times import as_times, format_times

__all__ = ["Remask"]


class Remask(Policy, renamed={"chances": "probabilities"}):
    """Ancestral steps in which an observed token is masked again with some probability.

    The posterior of ReMDM with its rescaled schedule (arXiv 2503.00307) [memory]: in the step
    from revealed fraction a to b an observed site is masked with probability
    ``sigma = strength * min(1, (1-b)/a)``, and a masked one is revealed with probability
    ``(b - (1-sigma) a) / (1-a)``. For *one* site, or given the clean sequence, this keeps the
    probability b of being revealed whatever sigma is; for a decoder, which reveals sites
    together, it does not make the output exact. It depends neither on tokens nor on predictions.

    A step that reveals nothing needs no call of the denoiser and is not counted as a round.

    Parameters
    ----------
    times : sequence of numbers
        Revealed fractions that rise from 0 to 1.
    strength : float or Fraction
        0 (which is `Bernoulli`) to 1 (as much as the marginals allow).

    >>> remask = Remask((0, Fraction(1, 2), Fraction(3, 4), 1), strength=1)
    >>> remask.probabilities(1)                # from 1/2 to 3/4: sigma = 1/2, reveal with 1
    (Fraction(1, 1), Fraction(1, 2))
    """

    depends_on = "nothing"
    remasks: ClassVar[bool] = True
    _given: tuple[int, ...] = ()

    def __init__(self, times: Sequence[Any], strength: Any = 1) -> None:
        self.times = as_times(times)
        as_real(strength, "strength", 0, 1)
        self.strength = Fraction(strength)

    def with_given(self, sites: tuple[int, ...], length: int) -> Self:
        """Given sites are never masked again: no coin is tossed for them."""
        known = copy.copy(self)
        known._given = sites
        return known

    @property
    def steps(self) -> int:
        """One step between two times."""
        return len(self.times) - 1

    def probabilities(self, step: int) -> tuple[Fraction, Fraction]:
        """Probabilities to reveal a masked site and to mask an observed one in this step."""
        a, b = self.times[step : step + 2]
        sigma = self.strength * (min(Fraction(1), (1 - b) / a) if a else 1)
        return (b - (1 - sigma) * a) / (1 - a), sigma

    def reveal_distribution(self, x: Array, predictions: Array, round_index: int) -> Reveals:
        """Yield every set of sites to flip."""
        reveal, mask = self.probabilities(round_index)
        given = np.isin(np.arange(x.shape[1], dtype=np.int64), self._given)
        others = Shown(given, x)
        for probability, sets in independent_sets(others.part(x) == MASK, reveal, mask):
            yield probability, others.whole(sets, False)

    def choose(
        self, x: np.ndarray, predictions: np.ndarray, round_index: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Draw for every site by itself."""
        reveal, mask = map(float, self.probabilities(round_index))
        chosen = rng.random(x.shape) < np.where(x == MASK, reveal, mask)
        chosen[:, list(self._given)] = False
        return chosen

    def __repr__(self) -> str:
        return f"Remask({format_times(self.times)}, {self.strength})"
