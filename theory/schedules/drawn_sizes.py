"""Random batch sizes: each batch drawn given the round and how many sites are revealed."""

import itertools
import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from theory._core.exact import is_rational
from theory._core.types import ArrayLike, Number
from theory.distributions.base import Distribution
from theory.distributions.sampling import check_draw
from theory.errors import InvalidInput
from theory.information.profile import Profile, profile, with_profile
from theory.information.units import not_negative
from theory.validation.arguments import as_sizes

__all__ = ["RandomSizes"]


@dataclass(frozen=True, repr=False)
class RandomSizes:
    """Batch sizes that are drawn anew for each sequence.

    The choices only say how likely each batch is: in which round, from how many revealed sites to
    how many. The next batch is drawn given the round and the number of sites revealed, not given
    how it came to that, so sizes that meet may be continued by each other's. What random-order
    decoding loses on average is the same, being a sum over batches.

    Parameters
    ----------
    choices : sequence of (probability, sizes)
        Probabilities sum to 1: integers or Fractions. All sizes sum to the same length.

    Attributes
    ----------
    choices : tuple of (Fraction, tuple of int)

    Raises
    ------
    InvalidInput

    Three sites, in halves with the larger one first or last:

    >>> sizes = RandomSizes([(Fraction(1, 2), (2, 1)), (Fraction(1, 2), (1, 2))])
    >>> sizes
    <RandomSizes of 3 sites in 2 rounds>
    >>> sizes.next_sizes(0, 0), sizes.next_sizes(1, 2)
    ({1: Fraction(1, 2), 2: Fraction(1, 2)}, {1: Fraction(1, 1)})
    >>> float(sizes.path_cost([2, 1, 0]))        # (2, 1) costs f(0) - f(1), (1, 2) f(1) - f(2)
    1.0
    """

    choices: Sequence[tuple[Fraction | int, Sequence[int]]]

    def __post_init__(self) -> None:
        object.__setattr__(self, "choices", _as_choices(self.choices))

    @staticmethod
    def from_boundaries(probabilities: Sequence[Fraction | int]) -> "RandomSizes":
        """Random sizes that begin a batch after `a` sites with a given probability, each `a`.

        Of all random sizes with these probabilities they cost least, whatever the distribution:
        so many boundaries are drawn by systematic sampling, evenly spaced in the sum of the
        probabilities from a random start. A stretch without a boundary is then as unlikely as it
        can be (see `theory.schedules.minimax`). [ours; systematic sampling is textbook, memory]

        Parameters
        ----------
        probabilities : sequence of rational numbers, length L
            Between 0 and 1, the first of them 1, with an integer as their sum: the rounds.

        >>> RandomSizes.from_boundaries([1, Fraction(1, 2), Fraction(1, 2)]).choices
        ((Fraction(1, 2), (1, 2)), (Fraction(1, 2), (2, 1)))
        """
        return RandomSizes(_systematic(probabilities))

    @property
    def length(self) -> int:
        """Number of sites."""
        return sum(self.choices[0][1])

    @property
    def rounds(self) -> int:
        """The most rounds that there may be."""
        return max(len(sizes) for _, sizes in self.choices)

    @cached_property
    def batches(self) -> Mapping[tuple[int, int], Mapping[int, Fraction]]:
        """By round and number of sites revealed: the probabilities of what is revealed then.

        They sum to the probability of that round with so many sites revealed.
        """
        found: Any = defaultdict(lambda: defaultdict(Fraction))
        for probability, sizes in self.choices:
            starts = itertools.accumulate((0, *sizes[:-1]))
            for k, (start, size) in enumerate(zip(starts, sizes, strict=True)):
                found[k, start][size] += probability
        return {place: dict(sorted(sizes.items())) for place, sizes in sorted(found.items())}

    @cached_property
    def mean_sizes(self) -> tuple[Fraction, ...]:
        """Mean size of a batch that begins after so many sites (0 if none does), L of them.

        >>> half = Fraction(1, 2)
        >>> [str(m) for m in RandomSizes([(half, (2, 1)), (half, (1, 2))]).mean_sizes]
        ['3/2', '1', '1/2']
        """
        means = [Fraction(0)] * self.length
        for (_, start), sizes in self.batches.items():
            means[start] += sum(size * probability for size, probability in sizes.items())
        return tuple(means)

    def next_sizes(self, round_index: int, revealed: int) -> dict[int, Fraction]:
        """Probabilities of the sizes of the next batch.

        Raises
        ------
        InvalidInput
            If so many sites are never revealed before this round.
        """
        found = self.batches.get((round_index, revealed))
        if found is None:
            raise InvalidInput(
                f"{self!r} never have {revealed} sites revealed before round {round_index}"
            )
        total = sum(found.values())
        return {size: probability / total for size, probability in found.items()}

    def draw_next(
        self, round_index: int, revealed: int, rng: np.random.Generator, count: int
    ) -> np.ndarray:
        """Draw the size of the next batch so many times, int64 (count,)."""
        following = self.next_sizes(round_index, revealed)
        below = np.cumsum([float(probability) for probability in following.values()])
        drawn = np.searchsorted(below, rng.random(count) * below[-1], side="right")
        return np.asarray(list(following), dtype=np.int64)[drawn]

    def draw(self, rng: np.random.Generator) -> tuple[int, ...]:
        """Draw batch sizes, one after the other."""
        check_draw(rng, 1)
        sizes: list[int] = []
        while (revealed := sum(sizes)) < self.length:
            sizes += self.draw_next(len(sizes), revealed, rng, 1).tolist()
        return tuple(sizes)

    def path_cost(
        self, p: Distribution | Profile | ArrayLike, *, base: float | None = None
    ) -> Number:
        """Expected KL divergence of random-order decoding, the sizes drawn: a mean over draws.

        The mean of `theory.information.path_cost`: ``sum_a (m(a) - 1) f(a)`` with the mean sizes
        m. Of an exact distribution it is exact.

        Parameters
        ----------
        p : Distribution, or array_like of shape (L,)
            Or its profile in nats.
        """
        p = with_profile(p)
        if p.length != self.length:
            raise InvalidInput(f"{self!r} do not fit {p.length} sites")
        cost: Any = 0
        for mean, value in zip(self.mean_sizes, profile(p, base=base), strict=True):
            cost = cost + (mean - 1 if p.exact else float(mean - 1)) * value
        return cost if p.exact else not_negative(cost)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.length} sites in {self.rounds} rounds>"


def _systematic(
    probabilities: Sequence[Fraction | int],
) -> tuple[tuple[Fraction, tuple[int, ...]], ...]:
    """At most L sizes with their probabilities; see `RandomSizes.from_boundaries`.

    >>> [str(weight) for weight, _ in _systematic([1, Fraction(1, 3), Fraction(2, 3)])]
    ['1/3', '2/3']
    """
    numbers: list[Any] = list(probabilities) if isinstance(probabilities, Iterable) else [None]
    if not all(map(is_rational, numbers)):
        raise InvalidInput(f"probabilities must be integers or Fractions, got {probabilities!r}")
    each = [Fraction(value) for value in numbers]
    total = sum(each)
    if not each or each[0] != 1 or not all(0 <= value <= 1 for value in each):
        raise InvalidInput("probabilities must lie between 0 and 1, and the first must be 1")
    if total.denominator != 1:
        raise InvalidInput(f"probabilities must sum to an integer, got {float(total)}")
    whole = math.lcm(*(value.denominator for value in each))
    numerators = [value.numerator * (whole // value.denominator) for value in each]
    below = list(itertools.accumulate(numerators[:-1]))  # where the part of each later site starts
    offsets = sorted({0, *(value % whole for value in below)})
    choices = []
    for offset, following in itertools.pairwise([*offsets, whole]):
        cuts = [bisect_right(below, offset + k * whole) for k in range(int(total))]
        sizes = tuple(b - a for a, b in itertools.pairwise([*cuts, len(each)]))
        choices.append((Fraction(following - offset, whole), sizes))
    return tuple(choices)


def _as_choices(choices: Any) -> tuple[tuple[Fraction, tuple[int, ...]], ...]:
    """Choices with the same sizes are one; those of probability 0 are none."""
    found: dict[tuple[int, ...], Fraction] = {}
    length = None
    try:
        pairs = [(probability, sizes) for probability, sizes in choices]
    except (TypeError, ValueError):
        raise InvalidInput(
            f"choices must be pairs of a probability and sizes, got {choices!r}"
        ) from None
    for probability, sizes in pairs:
        if not is_rational(probability) or probability < 0:
            raise InvalidInput(
                f"probabilities must be integers or Fractions of at least 0, got {probability!r}"
            )
        sizes = as_sizes(sizes, length)
        length = sum(sizes)
        if probability:
            found[sizes] = found.get(sizes, Fraction(0)) + probability
    if (total := sum(found.values())) != 1 or not length:
        raise InvalidInput(f"the probabilities of sizes must sum to 1, got {total}")
    return tuple((probability, sizes) for sizes, probability in found.items())
