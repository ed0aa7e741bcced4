"""I2: what is linear in the profile holds for all distributions if it holds for L codes."""

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st

from theory import gallery, information, schedules, strategies
from theory._core.bound import Bound
from theory._core.log_numbers import LinearForm, logarithm
from theory._core.types import Number
from theory.claims.kit.claim import Claim, Provenance, Verdict
from theory.claims.kit.generators import named_distributions
from theory.claims.kit.result import DoesNotApply
from theory.distributions import Distribution, JointTable
from theory.distributions.reed_solomon import ReedSolomon, smallest_field
from theory.proofs.decide import prove
from theory.proofs.free_entropies import FreeProfile

__all__ = ["I2"]

MAX_SITES = 6
"""Lengths up to which it is proved that the profile never rises."""

MAX_LENGTH = 8
"""Lengths up to which the library's costs are looked at on every step."""

MAX_CELLS = 1024
"""Codes with tables of up to so many cells are counted through."""

I2 = Claim(
    id="I2",
    title="Codes decide what is linear in the profile",
    statement=(
        "The profile never rises (Han), so it is a sum of the steps 1{j < r}, r = 1..L, each times "
        "what it falls there, f(r-1) - f(r), with f(L) = 0. The step r, times log q, is the "
        "profile of a Reed-Solomon code of dimension r over q letters, a prime power of at least "
        "L - 1. So a homogeneous linear inequality in the profile holds for every distribution "
        "over every alphabet if and only if it holds for these L codes. On the step r random-order "
        "decoding costs b - r, with b the end of the batch that straddles r, TC is L - r and DTC "
        "is r, for r < L. Of bits only the steps 1, L - 1 and L are profiles, at L = 4 and 5."
    ),
    latex=(
        r"f(j) = \sum_{r=1}^L \bigl(f(r-1) - f(r)\bigr) 1_{j < r},\qquad \sum_j c_j f(j) \ge 0\ "
        r"\text{for all } p \iff \sum_{j<r} c_j \ge 0,\ r = 1, \dots, L"
    ),
    says="that mean entropies of random sets, each divided by its size, never rise with the size",
    note=(
        "That codes decide is ours. For an alphabet of fewer letters, what holds for the codes "
        "holds for all data. Conversely, what holds for bits holds for the codes if it is an "
        "equality on independent sites, for rare common shocks come as near as one likes; in "
        "general it need not. Inequalities in more than the profile, such as in the entropies of "
        "single sets, are not decided by codes."
    ),
    source="Han, Information and Control 36 (1978), from memory; the rest derived here",
    provenance=Provenance.OURS,
    verdict=Verdict.HOLDS,
)


@I2.proved(
    "the profile never rises",
    scope=f"up to {MAX_SITES} sites",
    relation="<=",
)
def never_rises(relation: str = ">=") -> list[Any]:
    return [
        prove(f"f({j}) {relation} f({j + 1})", sites=n)
        for n in range(2, MAX_SITES + 1)
        for j in range(n - 1)
    ]


def _below(r: int, j: int) -> int:
    """The step: 1 up to j = r - 1."""
    return int(j < r)


@I2.residual(
    "a profile is a sum of steps, with weights that are not negative",
    exact=strategies.joint_tables(lengths=(1, 4), vocabs=(2, 2), exact=True),
    floats=strategies.distributions(lengths=(1, 5)),
    named=named_distributions,
    step=lambda r, j: int(j <= r),
)
def sum_of_steps(p: Distribution, step: Callable[[int, int], int] = _below) -> list[Any]:
    f, length = information.profile(p), p.length
    falls = [f[r - 1] - (f[r] if r < length else 0) for r in range(1, length + 1)]
    sums = [sum(d * step(r, j) for r, d in enumerate(falls, 1)) for j in range(length)]
    bounds = [Bound(d * 0, d) for d in falls]
    return [bounds, [total - value for total, value in zip(sums, f, strict=True)]]


@functools.cache
def _codes() -> list[ReedSolomon]:
    """Codes that can be counted through, with as few letters as there are."""
    sizes = [(n, r, smallest_field(n, r)) for n in range(2, 7) for r in range(1, n + 1)]
    return [
        gallery.reed_solomon(n, r, letters, exact=True)
        for n, r, letters in sizes
        if letters**n <= MAX_CELLS
    ]


@I2.residual(
    "a step is the profile of a Reed-Solomon code",
    exact=lambda: st.sampled_from(_codes()),
    named=lambda: {
        f"reed_solomon({n}, {r}, {q})": gallery.reed_solomon(n, r, q)
        for n, r, q in ((6, 3, 5), (8, 2, 7), (10, 5, 9), (64, 20, 64))
    },
    late=1,
)
def codes_are_steps(p: Distribution, late: int = 0) -> list[Number]:
    if not isinstance(p, ReedSolomon):
        raise DoesNotApply(f"it is about Reed-Solomon codes, and this is a {type(p).__name__}")
    height: Any = logarithm(Fraction(p.vocab)) if p.exact else math.log(p.vocab)
    steps = [height * _below(p.dimension + late, j) for j in range(p.length)]
    profiles = [information.profile(p)]
    if p.vocab**p.length <= MAX_CELLS:
        profiles.append(information.profile(JointTable(p.table(), exact=p.exact)))
    return [found - step for f in profiles for found, step in zip(f, steps, strict=True)]


def _least_on_codes(form: Sequence[int]) -> int:
    """The least value of a form on the steps."""
    return min(itertools.accumulate(form))


@I2.residual(
    "what is never negative on the codes is never negative on a distribution",
    exact=strategies.joint_tables(lengths=(1, 4), vocabs=(2, 3), exact=True),
    floats=strategies.distributions(lengths=(1, 5)),
    parts={
        "form": lambda size: st.lists(
            st.integers(-9, 9), min_size=size.length, max_size=size.length
        )
    },
    least=lambda form: _least_on_codes(form) + 1,
)
def codes_decide(
    p: Distribution, form: Sequence[int], least: Callable[[Sequence[int]], int] = _least_on_codes
) -> Bound:
    """A form less its least value on the codes times f(0), so that a code attains 0."""
    f = information.profile(p)
    return Bound(least(form) * f[0], sum(c * v for c, v in zip(form, f, strict=True)))


def _to_the_end(r: int, boundaries: Sequence[int]) -> int:
    """How far it is from r to the end of the batch that straddles it, or 0."""
    return next(b for b in boundaries if b >= r) - r


def _from_the_start(r: int, boundaries: Sequence[int]) -> int:
    """Planted: how far it is from the start of that batch."""
    return r - max(a for a in (0, *boundaries) if a <= r)


@I2.residual(
    "what the library computes on every step, for every schedule",
    symbols=[{"length": n} for n in range(2, MAX_LENGTH + 1)],
    cost=_from_the_start,
)
def on_every_step(length: int, cost: Callable[..., int] = _to_the_end) -> list[Any]:
    """The number on the step r is what the fall from r - 1 to r is multiplied by."""
    p = FreeProfile(length)

    def on_step(number: Any, r: int) -> Fraction:
        return (LinearForm({}) + number).coefficient(p.falls[r - 1])

    tc, dtc = information.total_correlation(p), information.dual_total_correlation(p)
    growth, tse = information.growth_complexity(p), information.tse_complexity(p)
    residuals: list[Any] = []
    for r in range(1, length):
        residuals += [
            on_step(tc, r) - (length - r),
            on_step(dtc, r) - r,
            on_step(growth, r) - Fraction(r * (length - r), length + 1),
            on_step(tse, r) - Fraction(r * (length - r), 2),
        ]
    for sizes in schedules.every(length):
        boundaries, total = list(itertools.accumulate(sizes)), information.path_cost(p, sizes)
        residuals += [on_step(total, r) - cost(r, boundaries) for r in range(1, length)]
    return residuals


def _step_supports(length: int, r: int) -> int:
    """How many sets of bit strings could carry a distribution with the step r < L for its profile.

    Any r sites take every value, as they are independent, and determine the others: so they are
    the words (x, g_1(x), ..., g_{L-r}(x)) of all strings x of r bits.
    """
    strings = list(itertools.product((0, 1), repeat=r))
    functions = itertools.product((0, 1), repeat=len(strings))

    def fits(columns: Sequence[Sequence[int]]) -> bool:
        sites = [*zip(*strings, strict=True), *columns]
        chosen = itertools.combinations(sites, r)
        return all(len(set(zip(*some, strict=True))) == len(strings) for some in chosen)

    alone = [g for g in functions if fits([g])]
    return sum(fits(columns) for columns in itertools.product(alone, repeat=length - r))


@I2.residual(
    "of bits no other steps are profiles than the first and the last two",
    symbols=[{"length": 4}, {"length": 5}],
    others=lambda length: range(1, length),
)
def bits_have_few(
    length: int, others: Callable[[int], Sequence[int]] = lambda length: range(2, length - 1)
) -> list[int]:
    found = [_step_supports(length, r) for r in others(length)]
    ends = [_step_supports(length, r) for r in (1, length - 1)]
    return [*found, sum(count == 0 for count in ends)]
