"""Bounds on the cost of batches and of grids: their two sides, and that they hold."""

import functools
import itertools
import math
from fractions import Fraction
from typing import Any

from tests import oracles
from tests.cases import BAD_LEVELS, BAD_SIZES, BAD_TIMES, build_exact, each_case, each_factored
from tests.noted import refusals
from tests.theory import information_oracle as slow
from tests.theory.information_oracle import close, same
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


def check(bound, quantity, limit, upper, equal):
    """Both sides, and the slack and the ratio of them."""
    assert bound.upper is upper
    assert equal(bound.quantity, quantity)
    assert equal(bound.bound, limit)
    larger, smaller = (limit, quantity) if upper else (quantity, limit)
    assert equal(bound.slack, larger - smaller)
    if abs(float(larger)) > 1e-6:
        assert float(bound.ratio) == close(float(smaller) / float(larger), 1e-8)


def in_floats(actual, expected):
    return actual == close(expected)


# Both sides against the sums over the joint


@each_case
def test_bounds_for_sizes(case):
    p, f = case.build(), slow.profile_of(case)
    h = slow.gains(f)
    chosen = oracles.compositions(case.length)
    for (bound, oracle), sizes in itertools.product(OF_SIZES, chosen[:: len(chosen) // 6 + 1]):
        cost = slow.path_cost(f, sizes)
        upper = bound is not bounds.least_drops
        check(bound(p, sizes), cost, oracle(f, h, sizes, False), upper, in_floats)


@each_case
def test_bounds_for_times(case):
    p, curve = case.build(), slow.curve_of(case)
    for (bound, oracle), times in itertools.product(OF_TIMES, GRIDS):
        cost = curve.grid_cost(times)
        floats = [float(t) for t in times]
        check(bound(p, floats), cost, oracle(curve, times), True, in_floats)


@each_case
def test_bounds_for_ratios_and_numbers_of_steps(case):
    p, f = case.build(), slow.profile_of(case)
    curve, length = slow.curve_of(case), case.length
    tc, dtc = slow.correlations_of(case)
    for ratio in (0, 0.5, 2):
        cost = slow.path_cost(f, schedules.total_correlation(length, ratio))
        actual = bounds.total_correlation_schedule(p, ratio)
        check(actual, cost, ratio * tc, True, in_floats)
        cost = slow.path_cost(f, schedules.dual_total_correlation(length, ratio))
        actual = bounds.dual_total_correlation_schedule(p, ratio)
        check(actual, cost, ratio * dtc, True, in_floats)
    for steps in (1, 2, 5):
        cost = curve.grid_cost(equal_grid(steps))
        check(bounds.equal_steps(p, steps), cost, (tc + dtc) / steps, True, in_floats)


@each_case
def test_bounds_on_complexities(case):
    p, curve = case.build(), slow.curve_of(case)
    tc, dtc = slow.correlations_of(case)
    check(bounds.growth_complexity(p), curve.growth(), min(tc, dtc), True, in_floats)

    def up_to_roots(actual, expected):
        return actual == close(expected, ROOTS)

    check(bounds.continuum(p), curve.root_mass() ** 2, tc + dtc, True, up_to_roots)
    levels = [0.125, 0.5, 0.875]
    least, blocks = curve.root_mass(0.125, 0.875) ** 2, curve.block_complexity(levels)
    check(bounds.block_complexity(p, levels), least, blocks, True, up_to_roots)


@each_factored
def test_exact_bounds_for_sizes(case):
    """As expressions."""
    p, f = build_exact(case), slow.profile_of(case, exact=True)
    h = slow.gains(f, exact=True)
    chosen = oracles.compositions(case.length)
    for (bound, oracle), sizes in itertools.product(OF_SIZES, chosen[:: len(chosen) // 4 + 1]):
        cost = slow.path_cost(f, sizes, exact=True)
        upper = bound is not bounds.least_drops
        check(bound(p, sizes), cost, oracle(f, h, sizes, True), upper, same)


@each_factored
def test_exact_bounds_for_times_and_ratios(case):
    p, f = build_exact(case), slow.profile_of(case, exact=True)
    curve, length = slow.curve_of(case, exact=True), case.length
    for bound, oracle in OF_TIMES:
        times = GRIDS[-1]
        check(bound(p, times), curve.grid_cost(times), oracle(curve, times), True, same)
    tc, dtc = slow.correlations_of(case, exact=True)
    half: Any = Fraction(1, 2)
    cost = slow.path_cost(f, schedules.total_correlation(length, half), exact=True)
    check(bounds.total_correlation_schedule(p, half), cost, tc / 2, True, same)
    cost = slow.path_cost(f, schedules.dual_total_correlation(length, half), exact=True)
    check(bounds.dual_total_correlation_schedule(p, half), cost, dtc / 2, True, same)
    check(bounds.equal_steps(p, 3), curve.grid_cost(equal_grid(3)), (tc + dtc) / 3, True, same)
    least = min(tc, dtc, key=float)
    check(bounds.growth_complexity(p), curve.growth(), least, True, same)


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
