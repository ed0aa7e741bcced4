"""Bounds on the cost of batches and of grids: their two sides, and that they hold."""

import functools
import itertools
import math
from fractions import Fraction
from typing import Any

from tests import oracles
from tests.cases import BAD_LEVELS, BAD_SIZES, BAD_TIMES, built, each_case, each_either
from tests.noted import refusals
from tests.theory import information_oracle as slow
from tests.theory.information_oracle import agree, close
from theory import bounds, gallery, schedules

ROOTS = 1e-9  # a rounding error of 1e-15 in h' moves its root by 3e-8 where h' is zero
GRIDS = [
    (Fraction(0), Fraction(1)),
    (Fraction(0), Fraction(1, 3), Fraction(1)),
    (Fraction(0), Fraction(1, 8), Fraction(1, 2), Fraction(3, 4), Fraction(1)),
]


# The bounds by their formulas, from the profile
#
# With ``exact`` the profile holds expressions, else floats. ``h[-1]`` is TC + DTC.


def starts(sizes):
    return list(itertools.accumulate((0, *sizes[:-1])))


def li_cai(f, h, sizes, exact):
    power = 1
    while power < max(sizes):
        power *= 2
    return slow.combine([Fraction(power - 1, len(f))], [h[-1]], exact)


def largest_batch(f, h, sizes, exact):
    return slow.combine([Fraction(max(sizes) - 1, len(f))], [h[-1]], exact)


def drops(f, h, sizes, exact):
    pairs = list(zip(starts(sizes), sizes, strict=True))
    fallen = [f[a] - f[a + s - 1] for a, s in pairs]
    return slow.combine([Fraction(s - 1) for s in sizes], fallen, exact)


def least_drops(f, h, sizes, exact):
    pairs = list(zip(starts(sizes), sizes, strict=True))
    return slow.combine(
        [Fraction(1) for _ in sizes], [f[a] - f[a + s - 1] for a, s in pairs], exact
    )


def cardinality_growth(f, h, sizes, exact):
    length = len(f)
    weights, parts = [], []
    for a, s in zip(starts(sizes), sizes, strict=True):
        if s > 1:
            weights.append(Fraction((s - 1) * length, (a + 1) * (length - a - 1)))
            parts.append(slow.cardinality_growth(h, a, a + s, exact))
    return slow.combine(weights, parts, exact)


OF_SIZES = [
    (bounds.li_cai, li_cai),
    (bounds.largest_batch, largest_batch),
    (bounds.drops, drops),
    (bounds.least_drops, least_drops),
    (bounds.cardinality_growth, cardinality_growth),
]


def of_times(curve, times, factor, exact_steps):
    """`factor(a, b)` times the growth of every step; the steps in `exact_steps` their own cost."""
    steps = list(itertools.pairwise(times))
    chosen = {k % len(steps) for k in exact_steps}
    terms = []
    for k, (a, b) in enumerate(steps):
        if k in chosen:
            terms.append(curve.step_cost(a, b))
        else:
            terms.append(slow.combine([factor(a, b)], [curve.growth(a, b)], curve.exact))
    return sum(terms)


def growth(curve, times):
    return of_times(curve, times, lambda a, b: slow.odds(b) / slow.odds(a) - 1, [0, -1])


def sharp_growth(curve, times):
    return of_times(curve, times, lambda a, b: (b - a) / (a * (1 - a)), [0])


OF_TIMES = [(bounds.growth, growth), (bounds.sharp_growth, sharp_growth)]


def equal_grid(steps):
    return [Fraction(k, steps) for k in range(steps + 1)]


def check(bound, quantity, limit, exact=False, upper=True, tolerance=slow.TOLERANCE):
    """Both sides, and the slack and the ratio of them."""
    assert bound.upper is upper
    agree(bound.quantity, quantity, exact, tolerance)
    agree(bound.bound, limit, exact, tolerance)
    larger, smaller = (limit, quantity) if upper else (quantity, limit)
    agree(bound.slack, larger - smaller, exact, tolerance)
    if abs(float(larger)) > 1e-6:
        assert float(bound.ratio) == close(float(smaller) / float(larger), 1e-8)


@each_either
def test_bounds_for_sizes(case, exact):
    p, f = built(case, exact), slow.profile_of(case, exact)
    h, chosen = slow.gains(f, exact), oracles.compositions(case.length)
    some = chosen[:: len(chosen) // (4 if exact else 6) + 1]
    for (bound, oracle), sizes in itertools.product(OF_SIZES, some):
        cost, limit = slow.path_cost(f, sizes, exact), oracle(f, h, sizes, exact)
        check(bound(p, sizes), cost, limit, exact, upper=bound is not bounds.least_drops)


@each_either
def test_bounds_for_times(case, exact):
    p, curve, number = built(case, exact), slow.curve_of(case, exact), Fraction if exact else float
    for (bound, oracle), times in itertools.product(OF_TIMES, GRIDS[-1:] if exact else GRIDS):
        found = bound(p, [number(t) for t in times])
        check(found, curve.grid_cost(times), oracle(curve, times), exact)


@each_either
def test_bounds_by_both_correlations(case, exact):
    p, f, curve = built(case, exact), slow.profile_of(case, exact), slow.curve_of(case, exact)
    tc, dtc = slow.correlations_of(case, exact)
    ratios: Any = [Fraction(1, 2)] if exact else [0, 0.5, 2]
    for ratio in ratios:
        for bound, schedule, of in (
            (bounds.total_correlation_schedule, schedules.total_correlation, tc),
            (bounds.dual_total_correlation_schedule, schedules.dual_total_correlation, dtc),
        ):
            cost = slow.path_cost(f, schedule(case.length, ratio), exact)
            check(bound(p, ratio), cost, slow.combine([Fraction(ratio)], [of], exact), exact)
    for steps in [3] if exact else [1, 2, 5]:
        cost = curve.grid_cost([Fraction(k, steps) for k in range(steps + 1)])
        check(bounds.equal_steps(p, steps), cost, (tc + dtc) / steps, exact)
    check(bounds.growth_complexity(p), curve.growth(), min(tc, dtc, key=float), exact)


@each_case
def test_bounds_on_the_continuum(case):
    p, curve = case.build(), slow.curve_of(case)
    tc, dtc = slow.correlations_of(case)
    check(bounds.continuum(p), curve.root_mass() ** 2, tc + dtc, tolerance=ROOTS)
    levels = [0.125, 0.5, 0.875]
    least, blocks = curve.root_mass(0.125, 0.875) ** 2, curve.block_complexity(levels)
    check(bounds.block_complexity(p, levels), least, blocks, tolerance=ROOTS)


def test_a_bound_that_does_not_hold_has_negative_slack():
    """One half of the largest batch: the check would see it."""
    bound = bounds.largest_batch(gallery.repeated_bit(6), (6,), base=2)
    halved = bounds.Bound(bound.quantity, bound.bound / 2)
    assert halved.upper is True
    assert halved.slack == close(-2.5)
    assert halved.ratio == close(2)
    lower = bounds.Bound(3.0, 2.0, upper=False)
    assert (lower.slack, lower.ratio) == (1, close(2 / 3))


P = gallery.parity(4)
BAD_RATIOS = [-0.125, math.nan, math.inf, "0.5", None, True]

test_what_is_refused = refusals(
    *(("size", functools.partial(bound, P), BAD_SIZES) for bound, _ in OF_SIZES),
    *(
        (named, functools.partial(bound, P), bad)
        for bound, _ in OF_TIMES
        for named, bad in BAD_TIMES.items()
    ),
    ("ratio.*{}", functools.partial(bounds.total_correlation_schedule, P), BAD_RATIOS),
    ("ratio.*{}", functools.partial(bounds.dual_total_correlation_schedule, P), BAD_RATIOS),
    ("steps.*{}", functools.partial(bounds.equal_steps, P), [0, -1, 2.0, None, True]),
    *(
        (named, functools.partial(bounds.block_complexity, P), bad)
        for named, bad in BAD_LEVELS.items()
    ),
)
