"""B18: codes are the worst data for batches in random order, and equal shares are minimax."""

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st

from theory import bounds, gallery, information, schedules, strategies
from theory._core.bound import Bound
from theory._core.types import Number
from theory.claims.kit.claim import Claim, Provenance, Verdict
from theory.claims.kit.inequality import excess
from theory.claims.kit.result import DoesNotApply
from theory.distributions import Distribution
from theory.proofs.free_entropies import FreeProfile, profiles_and_schedules
from theory.schedules import MinimaxSizes, RandomSizes
from theory.schedules.minimax import Of

__all__ = ["B18"]

MAX_SITES = 7
"""Lengths up to which the bounds are checked for every profile and every schedule."""

OFS: tuple[Of, ...] = ("tc", "dtc", "both")

B18 = Claim(
    id="B18",
    title="Codes are the worst data, and equal shares are minimax",
    statement=(
        "Over all distributions and vocabularies, batches from a to b in random order cost at most "
        "the greatest (b-a-1)/(L-a-1) of TC, (b-a-1)/(a+1) of DTC and (b-a-1)/L of TC + DTC, and "
        "a Reed-Solomon code attains each of the three. In so many rounds the longest batches that "
        "one share allows have the least of them. Sizes that are drawn for each sequence have a "
        "smaller one: only the probabilities that a batch begins after a sites matter, boundaries "
        "drawn with them by systematic sampling are best for every distribution at once, and no "
        "sizes lose less of a code that is drawn by the dual prices."
    ),
    latex=(
        r"\sup_p \frac{\mathrm{KL}}{\mathrm{TC}} = \max_k \frac{s_k - 1}{L - a_k - 1},\quad "
        r"\sup_p \frac{\mathrm{KL}}{\mathrm{DTC}} = \max_k \frac{s_k - 1}{a_k + 1},\quad "
        r"\sup_p \frac{\mathrm{KL}}{\mathrm{TC} + \mathrm{DTC}} = \max_k \frac{s_k - 1}{L},\quad "
        r"P(\text{no boundary in } r..t) \ge \Bigl(1 - \sum_{a=r}^t \nu_a\Bigr)_+"
    ),
    says="that every profile is a sum of steps, from memory; no source for the rest is known to us",
    note=(
        "The suprema make the bounds of B5 and B6 best possible. Every slack is linear in what the "
        f"profile falls: up to {MAX_SITES} sites every schedule is checked for every profile at "
        "once. The argument for random sizes: a code of dimension r loses the sum over t >= r of "
        "the probability that no batch begins at r, ..., t, which no sizes can make smaller than "
        "systematic sampling does; the least probabilities that keep a share follow site by site "
        "from the last one. Each value comes with a certificate in Fractions from both sides "
        "(schedules.minimax). Of 32 sites in 8 rounds random sizes lose 0.1558 of TC instead of "
        "1/3."
    ),
    source="derived here, on Han 1978 (from memory)",
    provenance=Provenance.OURS,
    verdict=Verdict.HOLDS,
)


def _budgets(p: Distribution) -> dict[Of, Number]:
    """TC, DTC and their sum, from the profile."""
    if p.length < 2:
        raise DoesNotApply("one site has no correlation")
    f = information.profile(p)
    tc, both = p.length * f[0] - sum(f), information.gains(p)[-1]
    return {"tc": tc, "dtc": both - tc, "both": both}


def _supremum(sizes: Sequence[int], of: Of) -> Fraction:
    return bounds.worst_case(sizes, of=of).share


def _of_the_first_batch(sizes: Sequence[int], of: Of) -> Fraction:
    """Planted: as if one site were revealed at a time after the first batch."""
    return _supremum((sizes[0], *[1] * sum(sizes[1:])), of)


@B18.residual(
    "no distribution loses a greater share",
    exact=strategies.joint_tables(lengths=(2, 4), vocabs=(2, 3), exact=True),
    floats=strategies.distributions(lengths=(2, 5)),
    parts={"sizes": lambda size: strategies.schedules(size.length)},
    share=_of_the_first_batch,
)
@B18.residual(
    "no profile loses a greater share, with any schedule",
    symbols=lambda: profiles_and_schedules(MAX_SITES),
    share=_of_the_first_batch,
)
def bounded(
    p: Distribution, sizes: Sequence[int], share: Callable[..., Fraction] = _supremum
) -> list[Bound]:
    cost = information.path_cost(p, sizes)
    return [Bound(cost, share(sizes, of) * budget) for of, budget in _budgets(p).items()]


def _codes() -> st.SearchStrategy[Distribution]:
    """Codes of two to six sites over GF(2), GF(4) and GF(5), of every dimension."""
    every = [
        gallery.reed_solomon(length, r, 2 if r in (1, length - 1) else field, exact=True)
        for length, field in ((2, 2), (3, 2), (4, 4), (5, 4), (6, 5))
        for r in range(1, length)
    ]
    return st.sampled_from(every)


def _attained(p: Distribution, of: Of) -> list[tuple[int, ...]]:
    """Schedules whose worst code has the profile of `p`."""
    f = information.profile(p)
    falls = [j + 1 for j in range(p.length - 1) if f[j] != f[j + 1]]
    if len(falls) != 1 or f[-1] != 0 or p.length > MAX_SITES:
        raise DoesNotApply(f"codes of up to {MAX_SITES} sites attain it")
    every = schedules.every(p.length)
    return [s for s in every if falls[0] in bounds.worst_case(s, of=of).dimensions]


@B18.residual(
    "codes attain it",
    exact=_codes,
    schedules_of=lambda p, of: list(schedules.every(p.length)),  # as if any code were the worst
)
def attained(
    p: Distribution, schedules_of: Callable[..., Sequence[tuple[int, ...]]] = _attained
) -> list[Number]:
    return [
        bounds.worst_case(sizes, of=of).share * budget - information.path_cost(p, sizes)
        for of, budget in _budgets(p).items()
        for sizes in schedules_of(p, of)
    ]


def _profiles_and_rounds() -> list[dict[str, Any]]:
    lengths = range(2, MAX_SITES + 1)
    return [{"p": FreeProfile(n), "rounds": k} for n in lengths for k in range(1, n + 1)]


@B18.residual(
    "an equal share is the least of all schedules",
    symbols=_profiles_and_rounds,
    best=lambda length, rounds, of: schedules.uniform(length, rounds),
)
def equalised(
    p: Distribution, rounds: int, best: Callable[..., tuple[int, ...]] = schedules.minimax
) -> list[Any]:
    """At most the share of any distribution, and no other schedule has a smaller one."""
    residuals: list[Any] = []
    for of, budget in _budgets(p).items():
        sizes = best(p.length, rounds, of=of)
        share = _supremum(sizes, of)
        every = schedules.every(p.length, rounds)
        residuals += [Bound(information.path_cost(p, sizes), share * budget)]
        residuals += [excess(share, _supremum(other, of)) for other in every]
    return residuals


def _random(length: int, rounds: int, of: Of) -> MinimaxSizes:
    return schedules.minimax(length, rounds, of=of, random=True)


def _too_good(length: int, rounds: int, of: Of) -> MinimaxSizes:
    """Planted: with nine tenths of the value."""
    sizes = _random(length, rounds, of)
    return dataclasses.replace(sizes, value=sizes.value * Fraction(9, 10))


@B18.residual(
    "random sizes lose their value at most, which is the least",
    symbols=_profiles_and_rounds,
    best=_too_good,
)
@B18.residual(
    "random sizes lose their value at most, which is the least",
    exact=strategies.joint_tables(lengths=(2, 4), vocabs=(2, 3), exact=True),
    parts={"rounds": lambda size: st.integers(1, size.length)},
    best=_too_good,
)
def random_sizes(
    p: Distribution, rounds: int, best: Callable[..., MinimaxSizes] = _random
) -> list[Any]:
    residuals: list[Any] = []
    for of, budget in _budgets(p).items():
        sizes = best(p.length, rounds, of=of)
        fixed = _supremum(schedules.minimax(p.length, rounds, of=of), of)
        residuals += [Bound(sizes.path_cost(p), sizes.value * budget)]
        residuals += [excess(sizes.value, fixed), int(not sizes.check())]
    return residuals


def _two_schedules() -> list[dict[str, Any]]:
    """Two schedules of as many rounds, the first with a third of the probability."""
    third = Fraction(1, 3)
    return [
        {"p": FreeProfile(n), "sizes": RandomSizes([(third, one), (1 - third, other)])}
        for n in range(3, MAX_SITES)
        for k in range(1, n + 1)
        for one, other in itertools.permutations(schedules.every(n, k), 2)
    ]


def _mirrored(probabilities: Sequence[Fraction]) -> RandomSizes:
    """Planted: the boundaries in reverse order."""
    return RandomSizes.from_boundaries([probabilities[0], *reversed(probabilities[1:])])


@B18.residual(
    "systematic sampling of the boundaries is the best for every profile",
    symbols=_two_schedules,
    arranged=_mirrored,
)
def systematic(
    p: Distribution,
    sizes: RandomSizes,
    arranged: Callable[..., RandomSizes] = RandomSizes.from_boundaries,
) -> Bound:
    begun = [Fraction(0)] * p.length
    for probability, each in sizes.choices:
        for start in itertools.accumulate((0, *each[:-1])):
            begun[start] += probability
    return Bound(arranged(begun).path_cost(p), sizes.path_cost(p))
