"""Mean entropies, gains and the gain curve against polynomials in powers of t."""

import functools
import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import sympy

from tests.cases import (
    BAD_TIMES,
    DEVICE1,
    build_exact,
    each_case,
    each_factored,
    each_family,
    to_device1,
    to_host,
)
from tests.noted import refusals
from tests.theory import information_oracle as slow
from tests.theory.information_oracle import TOLERANCE, close, same
from theory import (
    JointTable,
    MarkovChain,
    TooLarge,
    gallery,
    information,
)

TIMES = [Fraction(0), Fraction(1, 7), Fraction(1, 3), Fraction(4, 5), Fraction(1)]
PAIRS = list(itertools.combinations(TIMES, 2))


# Against sums over the joint


@each_case
def test_mean_entropies_are_means_over_all_sets_of_each_size(case):
    actual = information.mean_entropies(case.build())
    assert actual.shape == (case.length + 1,)
    expected = slow.mean_entropies_of(case)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=TOLERANCE)


@each_case
def test_subset_entropies(case):
    actual = information.subset_entropies(case.build())
    assert actual.shape == (2,) * case.length
    for chosen, expected in slow.subset_entropies(case.joint).items():
        assert actual[chosen] == close(expected)


@each_case
def test_gains(case):
    p, expected = case.build(), slow.curve_of(case).gains
    for actual in (information.gains(p), information.gain_curve(p).gains):
        assert actual.shape == (case.length,)
        np.testing.assert_allclose(actual, expected, rtol=0, atol=TOLERANCE)


@each_case
def test_the_curve_and_its_integrals(case):
    curve, expected = information.gain_curve(case.build()), slow.curve_of(case)
    for t in TIMES:
        assert curve(float(t)) == close(expected.value(t))
        assert curve.derivative(float(t)) == close(expected.slope(t))
    for a, b in PAIRS:
        ends = float(a), float(b)
        assert curve.integral(*ends) == close(expected.integral(a, b))
        assert curve.step_cost(*ends) == close(expected.step_cost(a, b))
        assert curve.growth(*ends) == close(expected.growth(a, b))
    for times in ([0, 1], TIMES):
        assert curve.grid_cost([float(t) for t in times]) == close(expected.grid_cost(times))


@each_factored
def test_exact_entropies_and_gains(case):
    p = build_exact(case)
    expected = slow.mean_entropies_of(case, exact=True)
    actual = information.mean_entropies(p).tolist()
    assert len(actual) == case.length + 1
    assert all(map(same, actual, expected))
    every = information.subset_entropies(p)
    assert every.shape == (2,) * case.length
    for chosen, entropy in slow.subset_entropies(case.joint, exact=True).items():
        assert same(every[chosen], entropy)
    gains = slow.curve_of(case, exact=True).gains
    for actual in (information.gains(p), information.gain_curve(p).gains):
        assert len(actual) == case.length
        assert all(map(same, actual.tolist(), gains))


@each_factored
def test_the_exact_curve_and_its_integrals(case):
    """At Fractions, as expressions."""
    curve, expected = information.gain_curve(build_exact(case)), slow.curve_of(case, exact=True)
    for t in TIMES[:-1]:
        assert same(curve(t), expected.value(t))
        assert same(curve.derivative(t), expected.slope(t))
    for a, b in PAIRS[::3]:
        assert same(curve.integral(a, b), expected.integral(a, b))
        assert same(curve.step_cost(a, b), expected.step_cost(a, b))
        assert same(curve.growth(a, b), expected.growth(a, b))
    assert same(curve.grid_cost(TIMES), expected.grid_cost(TIMES))


def test_a_long_chain():
    """Sixty sites: the powers of t cancel to nothing in floats, and not in Fractions."""
    p = gallery.binary_symmetric(60, 0.05)
    expected = slow.Curve(slow.gains(information.profile(p).tolist()))
    curve = information.gain_curve(p)
    for t in (0.0, 0.01, 0.5, 0.93, 1.0):
        assert curve(t) == pytest.approx(expected.value(t), rel=1e-11, abs=1e-11)
        assert curve.derivative(t) == pytest.approx(expected.slope(t), rel=1e-9, abs=1e-9)
    for a, b in [(0, 1), (0, 0.25), (0.25, 0.75), (0.9, 1)]:
        assert curve.integral(a, b) == pytest.approx(expected.integral(a, b), rel=1e-11, abs=1e-11)
        assert curve.growth(a, b) == pytest.approx(expected.growth(a, b), rel=1e-10, abs=1e-11)
        assert curve.step_cost(a, b) == pytest.approx(expected.step_cost(a, b), rel=1e-9, abs=1e-11)


# Arrays of times, devices, units


@each_family
def test_many_times_at_once(case):
    curve = information.gain_curve(case.build())
    times = np.array([[0.0, 0.1, 0.5], [0.75, 0.9, 1.0]])
    for function in (curve, curve.derivative):
        expected = [[float(function(float(t))) for t in row] for row in times]
        actual = function(times)
        assert actual.shape == times.shape
        np.testing.assert_allclose(actual, expected, rtol=0, atol=TOLERANCE)


def test_many_exact_times_at_once():
    curve = information.gain_curve(gallery.parity(4, exact=True), base=2)
    times = np.array([Fraction(1, 2), Fraction(1, 3)], dtype=object)
    assert [sympy.sympify(v) for v in curve(times)] == [sympy.Rational(1, 2), sympy.Rational(4, 27)]


@each_family
def test_many_times_on_a_device(case):
    curve, expected = information.gain_curve(case.build(to_device1)), slow.curve_of(case)
    for function, of_one in ((curve, expected.value), (curve.derivative, expected.slope)):
        actual = function(to_device1([0.25, 1.0]))
        assert actual.device == DEVICE1
        np.testing.assert_allclose(to_host(actual), [of_one(t) for t in (0.25, 1)], atol=TOLERANCE)


CURVES = [information.gain_curve(gallery.parity(3, exact=exact)) for exact in (False, True)]

test_bad_times = refusals(
    *((named, curve.grid_cost, bad) for curve in CURVES for named, bad in BAD_TIMES.items()),
    *(
        ("{}", call, [-0.125, 1.25, math.nan, "x", None])
        for curve in CURVES
        for call in (
            curve,
            curve.derivative,
            functools.partial(curve.integral, 0),
            functools.partial(curve.step_cost, 0),
            functools.partial(curve.growth, stop=1),
        )
    ),
)


def test_a_curve_of_a_long_chain_is_quick_and_its_subsets_do_not_fit():
    p = MarkovChain([0.5, 0.5], [[0.9, 0.1], [0.2, 0.8]], 200)
    assert information.mean_entropies(p).shape == (201,)
    with pytest.raises(TooLarge):
        information.subset_entropies(p)


def test_steps_that_lose_nothing_lose_no_less():
    """Independent bits have a flat curve, but for rounding: no step of it costs less than 0."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        bits = rng.random((4, 2))
        p = JointTable(np.einsum("a,b,c,d->abcd", *bits))
        curve = information.gain_curve(p)
        grid = [0, *np.sort(rng.random(3)).tolist(), 1]
        assert 0 <= curve.grid_cost(grid) < 1e-14
        assert all(0 <= curve.step_cost(a, b) < 1e-14 for a, b in itertools.pairwise(grid))
