"""A clock with two probabilities for each step: to reveal a site, and to mask one again."""

import copy
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Self

import numpy as np

from sims.policies.base import Policy, Reveals
from sims.policies.eligible import Shown
from sims.policies.site_sets import independent_sets
from theory import MASK
from theory._core.plurals import counted
from theory._core.types import Array
from theory.errors import InvalidInput
from theory.validation.arguments import as_real
from theory.validation.times import format_times

__all__ = ["Steps", "as_fraction"]


class Steps(Policy):
    """In each step reveal every masked site, and mask every other one again, with a probability.

    All ancestral samplers with a schedule of their own: `Bernoulli` and `Remask` are those that
    follow revealed fractions, `RemaskLoop` stays at one of them for a while. Each site is moved by
    itself, and nothing depends on tokens or predictions. Several sites that fall into one step are
    drawn independently, which costs what every parallel step costs.

    A step that reveals nothing needs no call of the denoiser and is not counted as a round.

    Parameters
    ----------
    reveal : sequence of numbers
        Probability to reveal a masked site, for each step; 1 in the last one.
    remask : sequence of numbers, optional
        Probability to mask an observed site again; 0 in the last of several. Never if not given.
        Fractions give exact results for exact distributions.

    >>> from theory import gallery
    >>> from sims import output_distribution
    >>> p = gallery.coupled_pairs(1, exact=True)
    >>> output_distribution(p, Steps((1, 1), (0, 0))).valid_mass      # both at once
    Fraction(1, 2)
    >>> q = output_distribution(p, Steps((1, 0, 1), (0, Fraction(1, 2), 0)))
    >>> q.valid_mass            # with probability 1/2 one of two is then drawn given the other
    Fraction(3, 4)
    """

    depends_on = "nothing"
    _given: tuple[int, ...] = ()

    def __init__(self, reveal: Sequence[Any], remask: Sequence[Any] | None = None) -> None:
        self.reveal = _probabilities(reveal, "reveal")
        remask = (0,) * len(self.reveal) if remask is None else remask
        self.remask = _probabilities(remask, "remask")
        if len(self.reveal) != len(self.remask):
            raise InvalidInput(
                f"reveal has {counted(len(self.reveal), 'step')} and remask {len(self.remask)}"
            )
        if self.reveal[-1:] != (1,) or any(self.remask[1:][-1:]):
            last = " and ".join(f"{float(p):g}" for p in self.reveal[-1:] + self.remask[-1:])
            raise InvalidInput(
                f"the last step has to reveal with probability 1 and to mask nothing again, got "
                f"{last or 'none'}"
            )
        if any(self.remask):
            self.remasks = True

    def with_given(self, sites: tuple[int, ...], length: int) -> Self:
        """Given sites are never masked again: no coin is tossed for them."""
        known = copy.copy(self)
        known._given = sites
        return known

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return len(self.reveal)

    def probabilities(self, step: int) -> tuple[Fraction, Fraction]:
        """Probabilities to reveal a masked site and to mask an observed one in this step.

        >>> Steps((0.25, 1)).probabilities(0)
        (Fraction(1, 4), Fraction(0, 1))
        """
        return self.reveal[step], self.remask[step]

    def reveal_distribution(self, x: Array, predictions: Array, round_index: int) -> Reveals:
        """Yield every set of sites to flip, the empty one too."""
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
        lists = [self.reveal, self.remask] if self.remasks else [self.reveal]
        shown = (f"({v[0]},)" if len(v) == 1 else format_times(v) for v in lists)
        return f"Steps({', '.join(shown)})"


def _probabilities(values: Sequence[Any], name: str) -> tuple[Fraction, ...]:
    try:
        return tuple(as_fraction(value, f"a probability to {name}") for value in values)
    except TypeError:
        raise InvalidInput(f"{name} must be a sequence of numbers, got {values!r}") from None


def as_fraction(value: Any, name: str) -> Fraction:
    """A number from 0 to 1 as a Fraction.

    >>> as_fraction(0.5, "cap")
    Fraction(1, 2)
    """
    as_real(value, name, 0, 1)
    return Fraction(value.item() if isinstance(value, np.generic) else value)
