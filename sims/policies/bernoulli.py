"""Ancestral sampling: in each step of a clock, every masked site is revealed or not by itself."""

import itertools
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from sims.policies.steps import Steps
from theory.validation.times import as_times, format_times

__all__ = ["Bernoulli"]


class Bernoulli(Steps, renamed={"chance": "probability"}):
    """In the step from time a to time b reveal each masked site with probability ``(b-a)/(1-a)``.

    The ancestral sampler of masked diffusion (MDLM, RADD, Dream's "origin" [code run]; MD4
    [memory]), with the revealed fraction as time. Sites fall into one step at
    random, which costs what every parallel step costs. It depends neither on tokens nor on
    predictions. Not exact, however many steps there are.

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

    def __init__(self, times: Sequence[Any]) -> None:
        self.times = as_times(times)
        super().__init__([(b - a) / (1 - a) for a, b in itertools.pairwise(self.times)])

    def probability(self, step: int) -> Fraction:
        """Probability that a site that is masked is revealed in this step.

        >>> Bernoulli((0, 0.5, 1)).probability(0)
        Fraction(1, 2)
        """
        return self.reveal[step]

    def __repr__(self) -> str:
        return f"Bernoulli({format_times(self.times)})"
