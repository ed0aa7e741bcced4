"""The best sites by their scores: what becomes of ties, and Gumbel noise on the scores.

Scores that are equal to 12 decimals tie, and go to the lowest or highest index or are drawn from
uniformly. Gumbel noise of size a on scores s chooses sites without replacement, the next one
always in proportion to ``exp(s / a)`` (Plackett and Luce); on logarithms that is ``s^(1/a)``.
"""

import functools
import itertools
import math
import operator
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from sims.policies.batches import Batches
from sims.policies.scores import TIES, Ties, ranks, rounded
from theory._core.arrays import array_namespace, from_host
from theory._core.segments import any_true, gather
from theory._core.types import Array
from theory.errors import InvalidInput
from theory.validation.arguments import as_real

__all__ = ["BestSites", "NoiseOn", "deterministic_ranks"]

NoiseOn = Literal["log", "score"]

LEAST = 800
"""The exponential of minus that is 0 in floats."""


class BestSites:
    """Chooses so many sites of the best scores.

    Parameters
    ----------
    batches : Batches
    ties : {"lowest", "highest", "random"}
    noise : float, or sequence of float
        Size of the noise, or one for each of the batch sizes; 0 is none.
    noise_on : {"log", "score"}
        What the noise is added to.
    logarithms : bool
        Whether the scores are probabilities that have logarithms.
    """

    def __init__(
        self,
        batches: Batches,
        ties: Ties,
        noise: float | Sequence[float],
        noise_on: NoiseOn,
        logarithms: bool,
    ) -> None:
        if ties not in TIES:
            raise InvalidInput(f"ties must be one of {', '.join(TIES)}, got {ties!r}")
        if noise_on not in ("log", "score"):
            raise InvalidInput(f"noise_on must be one of log, score, got {noise_on!r}")
        values = [noise] if np.ndim(noise) == 0 else list(noise)  # pyright: ignore
        each = [as_real(value, "noise", 0, math.inf) for value in values]
        if np.ndim(noise) and len(each) != len(batches.sizes or ()):
            raise InvalidInput(
                f"noise must be one number, or one for each of sizes={batches.sizes}: got {noise!r}"
            )
        if any(each) and noise_on == "log" and not logarithms:
            raise InvalidInput(
                "only probabilities have logarithms to which noise can be added; noise on this "
                "score itself is noise_on='score'"
            )
        self.ties, self.noise_on = ties, noise_on
        self.noise = tuple(each) if np.ndim(noise) else each[0]
        self._noise = np.asarray(each if np.ndim(noise) else each * len(batches.sizes or (0,)))
        self.randomised = ties == "random" or any(each)

    def random_at(self, step: int) -> bool:
        """Whether the choice is random in a step, given the scores."""
        return self.ties == "random" or bool(self._noise[step])

    def sets(
        self, scores: Sequence[Array], number: Any, step: int, exact: bool = False
    ) -> Iterator[tuple[tuple[int, ...], Any]]:
        """Yield sets of places and their probabilities.

        Parameters
        ----------
        scores : sequence of arrays
            Those at the n places. They are broadcast against each other, and so is what comes out.
        number : int or array of int64
            How many places are chosen; different numbers only without noise.
        step : int
        exact : bool
            Whether probabilities have to be Fractions.

        Yields
        ------
        places : tuple of int, increasing
        probability : number or array
            Bools where it is 0 or 1.
        """
        if isinstance(number, int) and number == len(scores):
            yield tuple(range(number)), 1
        elif self._noise[step]:
            if exact:
                raise InvalidInput(
                    "Gumbel noise has no exact probabilities: give a distribution in floats"
                )
            logs = [self._noisy(score) for score in scores]
            yield from _without_replacement(logs, number, float(self._noise[step])).items()
        elif self.ties == "random":
            yield from _with_random_ties([rounded(s) for s in scores], number, exact)
        else:
            highest = self.ties == "highest"
            rank = deterministic_ranks([rounded(s) for s in scores], highest=highest)
            kept = [r < number for r in rank]
            for places in _subsets(len(scores), number):
                others = (~kept[i] for i in range(len(kept)) if i not in places)
                inside = functools.reduce(operator.and_, (kept[i] for i in places))
                if not isinstance(number, int):
                    inside = functools.reduce(operator.and_, others, inside)
                if any_true(inside):
                    yield places, inside

    def held(self, count: int, size: int) -> int:
        """Numbers that `sets` of so many of the places holds at once, for each value of scores."""
        noisy = math.comb(count, size) + math.comb(count, size - 1) if self._noise.any() else 0
        return noisy + 4 * count

    def draw(
        self,
        scores: np.ndarray,
        eligible: np.ndarray,
        number: np.ndarray,
        steps: np.ndarray,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Draw ``number[b]`` eligible sites of each row, on the host; bool (B, L)."""
        noise, best = self._noise[steps][:, None], rounded(scores)
        if noise.any():
            noisy = self._noisy(scores) + noise * rng.gumbel(size=scores.shape)
            best = np.where(noise > 0, noisy, best)
        if self.ties == "random":
            order = np.lexsort((rng.random(best.shape), np.where(eligible, -best, math.inf)))
            rank = np.argsort(order, axis=1)
        else:
            rank = ranks(best, eligible, highest=self.ties == "highest")
        return eligible & (rank < number[:, None])

    def _noisy(self, scores: Array) -> Array:
        """What noise is added to."""
        if self.noise_on == "score":
            return scores
        xp = array_namespace(scores)  # a token of probability 0 is never drawn
        return xp.log(xp.where(scores > 0, scores, 1.0))


def deterministic_ranks(scores: Sequence[Array], *, highest: bool) -> list[Array]:
    """How many places come before each: those of larger scores; of equal ones the lower, or higher.

    >>> pair = [np.asarray([0.5, 0.7]), np.asarray([0.5])]
    >>> [rank.tolist() for rank in deterministic_ranks(pair, highest=False)]
    [[0, 0], [1, 1]]
    """
    xp, found = array_namespace(*scores), []
    for i, score in enumerate(scores):
        before = xp.zeros_like(score, dtype=xp.int64)
        for j, other in enumerate(scores):
            if j != i:
                wins_ties = (j > i) if highest else (j < i)
                comes_before = other >= score if wins_ties else other > score
                before = before + xp.astype(comes_before, xp.int64)
        found.append(before)
    return found


def _subsets(count: int, number: Any) -> Iterator[tuple[int, ...]]:
    """The sets of the sizes that occur."""
    sizes = [number] if isinstance(number, int) else range(1, count + 1)
    for size in sizes:
        if isinstance(number, int) or any_true(number == size):
            yield from itertools.combinations(range(count), size)


def _with_random_ties(
    scores: Sequence[Array], number: Any, exact: bool
) -> Iterator[tuple[tuple[int, ...], Array]]:
    """Places that are certainly chosen, and some of those that tie for what is left."""
    xp, count = array_namespace(*scores), len(scores)
    above, least = [], []
    for score in scores:
        above.append(_total([other > score for other in scores]))
        least.append(_total([other >= score for other in scores]))
    certain = [n <= number for n in least]
    possible = [n < number for n in above]
    tied = _total([p & ~c for p, c in zip(possible, certain, strict=True)])
    left = number - _total(certain)
    table = [[math.comb(n, k) for k in range(count + 1)] for n in range(count + 1)]
    binomials = from_host(np.asarray(table, dtype=np.int64).reshape(-1), scores[0])
    ways = gather(binomials, tied * (count + 1) + left)
    if exact:
        share: Any = np.frompyfunc(lambda n: Fraction(1, n), 1, 1)(ways)
    else:
        share = 1 / xp.astype(ways, xp.float64)
    for places in _subsets(count, number):
        others = (~certain[i] for i in range(count) if i not in places)
        inside = functools.reduce(operator.and_, (possible[i] for i in places))
        inside = functools.reduce(operator.and_, others, inside)
        if not isinstance(number, int):
            inside = inside & (number == len(places))
        if any_true(inside):
            yield places, xp.astype(inside, share.dtype) * share


def _total(bools: Sequence[Array]) -> Array:
    xp = array_namespace(*bools)
    total: Any = 0
    for some in bools:
        total = total + xp.astype(some, xp.int64)
    return total


def _without_replacement(
    scores: Sequence[Array], number: int, noise: float
) -> dict[tuple[int, ...], Array]:
    """Probabilities of the sets that are drawn one place after another.

    >>> even = [np.zeros(1), np.zeros(1), np.log(np.full(1, 2.0))]     # in proportion to 1, 1, 2
    >>> found = _without_replacement(even, 2, 1.0)
    >>> {places: round(float(p[0]), 12) for places, p in found.items()}
    {(0, 1): 0.166666666667, (0, 2): 0.416666666667, (1, 2): 0.416666666667}
    """
    xp = array_namespace(*scores)
    sets: dict[tuple[int, ...], Any] = {(): 1.0}
    for _ in range(number):
        longer: dict[tuple[int, ...], Any] = {}
        for places, probability in sets.items():
            rest = [i for i in range(len(scores)) if i not in places]
            top = scores[rest[0]]
            for i in rest[1:]:
                top = xp.maximum(top, scores[i])
            differences = (xp.maximum(scores[i] - top, -LEAST * noise) for i in rest)
            weights = [xp.exp(d / noise) for d in differences]
            whole: Any = 0
            for weight in weights:
                whole = whole + weight
            for i, weight in zip(rest, weights, strict=True):
                key = tuple(sorted((*places, i)))
                longer[key] = longer.get(key, 0) + probability * weight / whole
        sets = longer
    return sets
