"""Ancestral sampling that may mask observed tokens again, on the schedules of ReMDM."""

import itertools
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from sims.policies.steps import Steps, as_fraction
from theory.errors import InvalidInput
from theory.validation.arguments import as_integer
from theory.validation.times import as_times, format_times

__all__ = ["Remask", "RemaskLoop"]

DIGITS = 12
"""Times are compared to so many decimals."""


class Remask(Steps, renamed={"chances": "probabilities"}):
    """Ancestral steps in which an observed token is masked again with some probability.

    The posterior of ReMDM (arXiv 2503.00307) with its rescaled and its capped schedule [code run]:
    in the step from revealed fraction a to b an observed site is masked with probability
    ``sigma = min(cap, strength * min(1, (1-b)/a))``, and a masked one is revealed with probability
    ``(b - (1-sigma) a) / (1-a)``. For *one* site, or given the clean sequence, this keeps the
    probability b of being revealed whatever sigma is; for a decoder, which reveals sites
    together, it does not make the output exact. It depends neither on tokens nor on predictions.

    A step that reveals nothing needs no call of the denoiser and is not counted as a round.

    Parameters
    ----------
    times : sequence of numbers
        Revealed fractions that rise from 0 to 1.
    strength : float or Fraction
        0 (which is `Bernoulli`) to 1 (as much as the marginals allow): ReMDM-rescale.
    cap : float or Fraction
        At most so much: ReMDM-cap, at strength 1.
    switch : float or Fraction
        Nothing is masked again in the steps that begin before this fraction: ReMDM-switch [memory].

    >>> remask = Remask((0, Fraction(1, 2), Fraction(3, 4), 1), strength=1)
    >>> remask.probabilities(1)                # from 1/2 to 3/4: sigma = 1/2, reveal with 1
    (Fraction(1, 1), Fraction(1, 2))
    >>> Remask((0, 0.5, 0.75, 1), cap=0.25).probabilities(1)
    (Fraction(3, 4), Fraction(1, 4))
    """

    remasks = True
    probabilities = Steps.probabilities  # again, for its old name is an alias of what a class has

    def __init__(
        self, times: Sequence[Any], strength: Any = 1, cap: Any = 1, switch: Any = 0
    ) -> None:
        self.times = as_times(times)
        self.strength = as_fraction(strength, "strength")
        self.cap, self.switch = as_fraction(cap, "cap"), as_fraction(switch, "switch")
        reveal, remask = [], []
        for a, b in itertools.pairwise(self.times):
            sigma = min(self.cap, self.strength * (min(Fraction(1), (1 - b) / a) if a else 1))
            sigma = sigma * (round(a - self.switch, DIGITS) >= 0)
            remask.append(sigma)
            reveal.append((b - (1 - sigma) * a) / (1 - a))
        super().__init__(reveal, remask)

    def __repr__(self) -> str:
        others = [self.strength]
        if (self.cap, self.switch) != (1, 0):
            others += [self.cap, self.switch] if self.switch else [self.cap]
        return f"Remask({format_times(self.times)}, {format_times(others)[1:-1]})"


class RemaskLoop(Steps):
    """Reveal up to a fraction, stay there and mask and reveal again, then reveal the rest.

    ReMDM-loop [code run]. Time goes from 1 to 0 in equal steps, and a step belongs to the phase in
    which it begins. Before `t_on` the revealed fraction rises linearly to `alpha_on`, and from
    `t_off` on linearly to 1. Between them, in the loop, an observed site is masked with probability
    `eta`, and a masked one is revealed with ``eta alpha_on / (1 - alpha_on)``, so that the expected
    fraction stays.

    Parameters
    ----------
    steps : int
    t_on, t_off : float or Fraction
        Times from 1 to 0 between which the loop is, ``t_off < t_on``.
    alpha_on : float or Fraction
        The fraction that is revealed in the loop.
    eta : float or Fraction

    >>> loop = RemaskLoop(4, Fraction(3, 4), Fraction(1, 4), Fraction(1, 2), Fraction(1, 5))
    >>> [str(p) for p in loop.reveal], [str(p) for p in loop.remask]
    (['1/2', '1/5', '1/5', '1'], ['0', '1/5', '1/5', '0'])
    """

    def __init__(self, steps: int, t_on: Any, t_off: Any, alpha_on: Any, eta: Any) -> None:
        count = as_integer(steps, "steps", 1)
        self.t_on, self.t_off = as_fraction(t_on, "t_on"), as_fraction(t_off, "t_off")
        self.alpha_on, self.eta = as_fraction(alpha_on, "alpha_on"), as_fraction(eta, "eta")
        if not 0 < self.t_off < self.t_on < 1 or not 0 < self.alpha_on < 1:
            raise InvalidInput(
                f"0 < t_off < t_on < 1 and 0 < alpha_on < 1 are needed, got t_off = {t_off}, "
                f"t_on = {t_on} and alpha_on = {alpha_on}"
            )
        if round(self.t_off - Fraction(1, count), DIGITS) < 0:
            raise InvalidInput(f"none of {count} steps begins at t_off = {t_off} or later")
        step = Fraction(1, count)
        reveal, remask = [], []
        for k in range(count):
            t, sigma = 1 - k * step, Fraction(0)
            if round(t - self.t_on, DIGITS) > 0:
                rise = self.alpha_on / (1 - self.t_on)
                shown = step * rise / (1 - (1 - t) * rise)
            elif round(t - self.t_off, DIGITS) <= 0:
                shown = step / t
            else:
                sigma = self.eta
                shown = sigma * self.alpha_on / (1 - self.alpha_on)
            if round(shown - 1, DIGITS) > 0:
                raise InvalidInput(
                    f"step {k} of {count} would reveal with probability {float(shown):g}, which is "
                    f"above 1: alpha_on = {alpha_on} is too large for it"
                )
            reveal.append(min(shown, Fraction(1)))
            remask.append(sigma)
        super().__init__(reveal, remask)

    def __repr__(self) -> str:
        numbers = format_times((self.t_on, self.t_off, self.alpha_on, self.eta))
        return f"RemaskLoop({self.steps}, {numbers[1:-1]})"
