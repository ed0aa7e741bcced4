"""Bounds on the cost of batches and of grids: their two sides, and that they hold."""

import functools
import itertools
import math
from fractions import Fraction
from typing import Any

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import oracles
from tests.cases import BAD_LEVELS, BAD_SIZES, BAD_TIMES, build_exact, each_case, each_factored
from tests.noted import refusals
from tests.theory import information_oracle as slow
from tests.theory.information_oracle import close, same
from theory import bounds, gallery, information, schedules, strategies

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


# They hold


inner_times = st.lists(strategies.rationals(most=9), min_size=2, max_size=6, unique=True)


@given(strategies.distributions(), inner_times, st.integers(1, 9))
@settings(max_examples=60)
def test_they_hold_for_times(p, inner, steps):
    """And each sharper bound is at most the one it sharpens."""
    inner = sorted(map(float, inner))
    times = [0.0, *inner, 1.0]
    for bound, _ in OF_TIMES:
        assert bound(p, times).slack >= -1e-11, bound.__name__
    assert bounds.equal_steps(p, steps).slack >= -1e-11
    assert bounds.growth_complexity(p).slack >= -1e-11
    assert bounds.continuum(p).slack >= -ROOTS
    assert bounds.block_complexity(p, inner).slack >= -ROOTS


def test_a_bound_that_does_not_hold_has_negative_slack():
    """One half of the largest batch: the check would see it."""
    bound = bounds.largest_batch(gallery.repeated_bit(6), (6,), base=2)
    halved = bounds.Bound(bound.quantity, bound.bound / 2)
    assert halved.upper is True
    assert halved.slack == close(-2.5)
    assert halved.ratio == close(2)
    lower = bounds.Bound(3.0, 2.0, upper=False)
    assert (lower.slack, lower.ratio) == (1, close(2 / 3))


# Where they are tight, and known values


def test_the_largest_batch_is_tight_for_the_repeated_bit_and_for_parity():
    """L = 6, TC + DTC = 6 bits. Every batch of the repeated bit after the first costs nothing.

    So (6,) costs 5 = (5/6) 6 bits and (2, 2, 2) costs 1 = (1/6) 6. Of parity the last batch
    costs one bit, if it is not a single site.
    """
    repeated, parity = gallery.repeated_bit(6), gallery.parity(6, exact=True)
    for sizes, cost in [((6,), 5), ((4, 2), 3), ((2, 2, 2), 1)]:
        bound = bounds.largest_batch(repeated, sizes, base=2)
        assert (bound.quantity, bound.bound, bound.ratio) == (close(cost), close(cost), close(1))
    bound = bounds.largest_batch(parity, (2, 2, 2), base=2)
    assert (bound.quantity, bound.bound, bound.slack, bound.ratio) == (1, 1, 0, 1)


def test_powers_of_two():
    """2^ceil(log2 s) - 1 for s = 1, ..., 6 is 0, 1, 3, 3, 7, 7; a sixth of it times 6 bits."""
    p = gallery.parity(6, exact=True)
    for s, expected in zip(range(1, 7), [0, 1, 3, 3, 7, 7], strict=True):
        sizes = (s,) + (1,) * (6 - s)
        assert bounds.li_cai(p, sizes, base=2).bound == expected
        assert bounds.largest_batch(p, sizes, base=2).bound == s - 1


def test_drops_of_the_repeated_bit_and_of_parity():
    """The profiles 1, 0, ..., 0 and 1, ..., 1, 0 bits: one falls at once and one at last."""
    repeated = bounds.drops(gallery.repeated_bit(6), (4, 2), base=2)
    assert (repeated.quantity, repeated.bound) == (close(3), close(3))
    repeated = bounds.least_drops(gallery.repeated_bit(6), (4, 2), base=2)
    assert (repeated.quantity, repeated.bound) == (close(3), close(1))
    parity = gallery.parity(6, exact=True)
    upper = bounds.drops(parity, (2, 4), base=2)
    assert (upper.quantity, upper.bound) == (1, 3)
    lower = bounds.least_drops(parity, (2, 4), base=2)
    assert (lower.quantity, lower.bound, lower.slack, lower.ratio) == (1, 1, 0, 1)


@pytest.mark.parametrize("pairs", [2, 3])
def test_coupled_pairs(pairs):
    """A straight profile: s sites cost s(s-1)/2 drops of 1/(d-1), between s-1 and (s-1)^2."""
    d = 2 * pairs
    p = gallery.coupled_pairs(pairs, exact=True)
    for sizes in oracles.compositions(d):
        cost = sum(sympy.Rational(s * (s - 1), 2 * (d - 1)) for s in sizes)
        upper = bounds.drops(p, sizes, base=2)
        lower = bounds.least_drops(p, sizes, base=2)
        assert upper.quantity == lower.quantity == cost
        assert upper.bound == sum(sympy.Rational((s - 1) ** 2, d - 1) for s in sizes)
        assert lower.bound == sum(sympy.Rational(s - 1, d - 1) for s in sizes)


def test_equal_steps_of_coupled_pairs():
    """h' = 6 bits, so N steps cost 3 / N, half of the bound."""
    p = gallery.coupled_pairs(3, exact=True)
    for steps in (1, 2, 7):
        bound = bounds.equal_steps(p, steps, base=2)
        assert bound.quantity == sympy.Rational(3, steps)
        assert bound.bound == sympy.Rational(6, steps)
        assert float(bound.ratio) == 0.5
    assert bounds.continuum(p, base=2).ratio == close(1, ROOTS)


def test_growth_along_one_or_two_steps_is_the_cost_itself():
    """The first and the last step are counted once, exactly."""
    p = gallery.parity(4, exact=True)
    for times in ([0, 1], [0, Fraction(1, 3), 1]):
        bound = bounds.growth(p, times)
        assert bound.quantity != 0
        assert same(bound.quantity, bound.bound)
    one = bounds.sharp_growth(p, [0, 1])
    assert same(one.quantity, one.bound)
    assert same(one.bound, information.total_correlation(p))


def test_sharp_growth_is_sharper_step_by_step():
    """(b-a) / (a(1-a)) against (b-a) / (a(1-b)) of the inner step from 1/4 to 1/2: 4/3 and 2."""
    p = gallery.coupled_pairs(3, exact=True)
    times = [0, Fraction(1, 4), Fraction(1, 2), 1]
    inner = information.growth_complexity(p, Fraction(1, 4), Fraction(1, 2), base=2)
    curve = information.gain_curve(p, base=2)
    first, last = curve.step_cost(0, Fraction(1, 4)), curve.step_cost(Fraction(1, 2), 1)
    assert same(bounds.growth(p, times, base=2).bound, first + 2 * inner + last)
    end = information.growth_complexity(p, Fraction(1, 2), 1, base=2)
    expected = first + sympy.Rational(4, 3) * inner + 2 * end
    assert same(bounds.sharp_growth(p, times, base=2).bound, expected)


# What is refused


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
