"""Batch sizes whose worst loss over all distributions is least, fixed or random, exactly.

The profile of every distribution is a nonnegative combination of steps ``f(j) = 1{j < r}``, and a
step is the profile of a Reed-Solomon code of dimension r (Han 1978, from memory). So what a
schedule loses in random order, as a share of TC, DTC or TC + DTC, is greatest on one of the codes
with r = 1..L-1. A code has ``TC = L - r`` and ``DTC = r`` in units of the entropy of a site, and
loses ``(end of the batch that straddles r) - r``, or nothing if a batch begins at r. [ours]

**Fixed sizes.** A batch from a to b has the share ``(b-a-1)/B(a+1)`` at most, B being L - r, r or
L. No batch after a later start ends earlier for the same share, and to cut a batch in two never
costs more: so the longest batches that a share allows tell whether it can be kept in so many
rounds.

**Random sizes.** Let n(a) be the probability that a batch begins after a sites, so that they sum
to the number of rounds. The code of dimension r loses on average ::

    sum over t = r..L-1 of  P(no batch begins at r, ..., t)  >=  sum_t max(0, 1 - n(r) - ... - n(t))

and systematic sampling of the boundaries attains this for all r at once. What is left is convex:
with ``S(r) = n(r) + ... + n(L-1)``, going back from r = L-1, the least S(r) that keeps the share v
is the best for all that comes before, and ``1 + S(1)`` is the least number of rounds for v. It is
convex and piecewise linear in v, so Newton's method ends in finitely many steps, in Fractions. Its
slopes are the probabilities of the codes against which no random sizes do better. [ours]
"""

import bisect
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal, overload

import numpy as np

from theory._core.plurals import counted
from theory.errors import InvalidInput, TooLarge
from theory.schedules.drawn_sizes import RandomSizes
from theory.validation.arguments import as_integer, as_rounds

__all__ = ["MinimaxSizes", "Of", "as_budgets", "minimax", "shares_lost"]

Of = Literal["tc", "dtc", "both"]
"""What losses are a share of: TC, DTC or TC + DTC."""

MAX_LENGTH = {False: 2**20, True: 1024}
"""Of fixed and of random sizes; the Fractions of the latter have about as many digits."""


@overload
def minimax(
    length: int, rounds: int, *, of: Of = ..., random: Literal[False] = ...
) -> tuple[int, ...]: ...
@overload
def minimax(length: int, rounds: int, *, of: Of = ..., random: Literal[True]) -> "MinimaxSizes": ...
def minimax(
    length: int, rounds: int, *, of: Of = "tc", random: bool = False
) -> "tuple[int, ...] | MinimaxSizes":
    """Batch sizes whose worst loss over all distributions is least.

    The loss is the path cost of random-order decoding as a share of TC, DTC or TC + DTC, and
    worst over all distributions of so many sites over any vocabulary; `theory.bounds.worst_case`
    returns it. Of fixed sizes that are equally good, those whose first batches are largest are
    returned. Equalising the shares is minimax [ours, on arXiv 2511.04647 (restated) and Han 1978
    (memory)].

    Parameters
    ----------
    length, rounds : int
    of : {"tc", "dtc", "both"}
    random : bool
        Whether the sizes are drawn anew for each sequence: the worst distribution is then one for
        all draws, and the loss a mean over them.

    Returns
    -------
    tuple of int, or MinimaxSizes
        The latter are `RandomSizes`, which ``policies.RandomOrder`` of package `sims` takes.

    Raises
    ------
    InvalidInput
    TooLarge
        For more than 2^20 sites, or 1024 with random sizes.

    >>> minimax(16, 5), minimax(16, 5, of="dtc"), minimax(16, 5, of="both")
    ((8, 4, 2, 1, 1), (1, 2, 3, 4, 6), (4, 4, 4, 3, 1))

    Of three sites in two rounds, (1, 2) loses all of TC where the code has dimension 2, and (2, 1)
    half of it where it has dimension 1. Two thirds of the latter make both 1/3:

    >>> sizes = minimax(3, 2, random=True)
    >>> sizes.value, [(str(probability), each) for probability, each in sizes.choices]
    (Fraction(1, 3), [('1/3', (1, 2)), ('2/3', (2, 1))])
    """
    length = as_integer(length, "length", 1)
    rounds = as_rounds(rounds, length)
    if length > MAX_LENGTH[random]:
        which = "random" if random else "fixed"
        raise TooLarge(
            f"{which} sizes of {counted(length, 'site')} would be found; they are up to "
            f"{MAX_LENGTH[random]}"
        )
    budgets = as_budgets(length, of)
    if random:
        return _best_random(length, rounds, of)
    # two shares differ by more than the step, so that nothing is between the least and its multiple
    step = length * length
    least = bisect.bisect_left(
        range(step * length),
        True,
        key=lambda share: sum(_longest(rounds, share, step, budgets)) == length,
    )
    return _longest(rounds, least, step, budgets)


def as_budgets(length: int, of: Of) -> list[int]:
    """TC, DTC or their sum of the codes of dimension 0..L, in entropies of a site.

    >>> as_budgets(3, "tc"), as_budgets(3, "dtc"), as_budgets(3, "both")
    ([3, 2, 1, 0], [0, 1, 2, 3], [3, 3, 3, 3])
    """
    every = {
        "tc": list(range(length, -1, -1)),
        "dtc": list(range(length + 1)),
        "both": [length] * (length + 1),
    }
    if of not in every:
        raise InvalidInput(f"of must be one of {', '.join(map(repr, every))}, got {of!r}")
    return every[of]


def shares_lost(mean_sizes: Sequence[Fraction | int], of: Of) -> list[Fraction]:
    """What is lost of the codes of dimension 1..L-1 on average, as a share.

    Parameters
    ----------
    mean_sizes : sequence of rational numbers, length L
        Mean size of a batch that begins after so many sites, 0 where none does.
    of : {"tc", "dtc", "both"}

    All three sites at once:

    >>> [str(share) for share in shares_lost([3, 0, 0], "dtc")]
    ['2', '1/2']
    """
    budgets = as_budgets(len(mean_sizes), of)
    shares, end = [], Fraction(0)  # where the batch that straddles r ends on average
    for r in range(1, len(mean_sizes)):
        end += mean_sizes[r - 1]
        shares.append((end - r) / budgets[r])
    return shares


@dataclass(frozen=True, repr=False)
class MinimaxSizes(RandomSizes):
    """Random sizes whose worst loss is least, with the codes against which none do better.

    Attributes
    ----------
    of : {"tc", "dtc", "both"}
    value : Fraction
        What they lose at most of any distribution, as a share.
    adversary : dict of int to Fraction
        Probabilities of codes by dimension: whatever the sizes in so many rounds, the loss of a
        code that is drawn so is this share at least, on average.

    >>> sizes = minimax(3, 2, random=True)
    >>> sizes.adversary, sizes.check()
    ({1: Fraction(2, 3), 2: Fraction(1, 3)}, True)
    """

    of: Of
    value: Fraction
    adversary: dict[int, Fraction] = field(hash=False)

    def check(self) -> bool:
        """Compute in Fractions what these sizes lose at most, and any others at least.

        Returns
        -------
        bool
            True if both are the value, which is then the least, and if the adversary has
            probabilities.
        """
        drawn = self.adversary.items()
        codes = all(0 < r < self.length and probability >= 0 for r, probability in drawn)
        if not codes or sum(self.adversary.values()) != int(self.length > 1):
            return False
        most = max(shares_lost(self.mean_sizes, self.of), default=Fraction(0))
        return most == self.value == self._least_of_any()

    def _least_of_any(self) -> Fraction:
        """The least mean loss of fixed sizes in so many rounds, where the adversary draws a code.

        A shortest path over boundaries, in whole numbers over a common denominator.
        """
        budgets, length = as_budgets(self.length, self.of), self.length
        weights = [self.adversary.get(r, Fraction(0)) / (budgets[r] or 1) for r in range(length)]
        common = math.lcm(*(weight.denominator for weight in weights))
        whole = [weight.numerator * (common // weight.denominator) for weight in weights]
        mass = np.asarray(list(itertools.accumulate(whole, initial=0)), dtype=object)
        moments = (r * weight for r, weight in enumerate(whole))
        moment = np.asarray(list(itertools.accumulate(moments, initial=0)), dtype=object)
        places = np.arange(length + 1, dtype=np.int64)
        start, stop = places[:-1, None], places[None, :]
        inside = np.minimum(start + 1, stop)
        lost = stop * (mass[stop] - mass[inside]) - (moment[stop] - moment[inside])
        beyond = length * length * (1 + sum(whole))  # more than any schedule loses
        lost = np.where(stop > start, lost, beyond)
        least = np.asarray([0, *[beyond] * (length - 1)], dtype=object)
        for _ in range(self.rounds - 1):
            least = (least[:, None] + lost[:, :-1]).min(axis=0)
        return Fraction(int((least + lost[:, -1]).min()), common)


def _longest(rounds: int, share: int, step: int, budgets: Sequence[int]) -> tuple[int, ...]:
    """The longest batches with ``b - a - 1 <= share/step budgets[a+1]``, one site a round at least.

    They sum to less than the length if they are too short.
    """
    length, start, sizes = len(budgets) - 1, 0, []
    for later in range(rounds - 1, -1, -1):
        size = min(1 + share * budgets[start + 1] // step, length - start - later)
        sizes.append(size)
        start += size
    return tuple(sizes)


def _best_random(length: int, rounds: int, of: Of) -> MinimaxSizes:
    """Newton's method for the least share whose number of rounds is `rounds`."""
    budgets = as_budgets(length, of)
    # floats come near; then from either side, in Fractions, a step does not pass the solution
    share: Any = 0.0
    for _ in range(length):
        sums, slope, _ = _least_sums(share, budgets)
        if 1 + sums[1] - rounds <= 1e-12 * rounds:
            break
        share -= (1 + sums[1] - rounds) / slope
    share = Fraction(share if rounds > 1 else 0)  # one round is enough for greater shares, too
    while True:
        sums, slope, windows = _least_sums(share, budgets)
        if 1 + sums[1] == rounds:
            break
        share -= (1 + sums[1] - rounds) / slope
    boundaries = [Fraction(1), *(sums[r] - sums[r + 1] for r in range(1, length))]
    prices = [price * budgets[r] for r, price in enumerate(_prices(windows))]
    total = sum(prices)
    adversary = {r: price / total for r, price in enumerate(prices) if price}
    return MinimaxSizes(RandomSizes.from_boundaries(boundaries).choices, of, share, adversary)


def _least_sums(share: Any, budgets: Sequence[int]) -> tuple[list[Any], Any, list[int]]:
    """The least sums S(0..L) of probabilities of boundaries that keep a share, in its arithmetic.

    Returns
    -------
    sums : list, length L + 1
        ``S(r)`` for r = 1..L-1, and 0.
    slope : number
        Derivative of ``S(1)`` by the share.
    windows : list of int, length L
        Over how many terms, not 0, the mean loss at r is a sum; 0 where nothing begins at r.
    """
    length = len(budgets) - 1
    zero = share * 0
    sums, slopes = [zero] * (length + 1), [zero] * (length + 1)
    above, steeper = [zero] * (length + 2), [zero] * (length + 2)  # sums from r on
    windows, stop = [0] * length, length
    for r in range(length - 1, 0, -1):
        while True:
            count = stop - r
            value = 1 + (above[r + 1] - above[stop + 1] - share * budgets[r]) / count
            if count == 1 or value < 1 + sums[stop]:
                break
            stop -= 1
        if value < sums[r + 1]:
            sums[r], slopes[r] = sums[r + 1], slopes[r + 1]
        else:
            windows[r], sums[r] = count, value
            slopes[r] = (steeper[r + 1] - steeper[stop + 1] - budgets[r]) / count
        above[r], steeper[r] = above[r + 1] + sums[r], steeper[r + 1] + slopes[r]
    return sums, slopes[min(1, length)], windows


def _prices(windows: Sequence[int]) -> list[Fraction]:
    """By how much S(1) rises if less may be lost at r: the chain rule, backwards, exactly."""
    length = len(windows)
    prices, rise = [Fraction(0)] * length, Fraction(0)
    changes = [Fraction(0)] * (length + 2)  # of the derivative by S(r), from one r to the next
    changes[1], changes[2] = Fraction(1), Fraction(-1)
    for r in range(1, length):
        rise += changes[r]
        window = windows[r]  # S(r) is S(r+1), or the mean of S(r+1), ..., S(r+window) and more
        if window:
            prices[r] = rise / window
        part = rise / (window or 1)
        changes[r + 1] += part
        changes[r + (window or 1) + 1] -= part
    return prices
