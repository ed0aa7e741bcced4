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
    built,
    each_either,
    each_family,
    to_device1,
    to_host,
)
from tests.noted import refusals
from tests.theory import information_oracle as slow
from tests.theory.information_oracle import TOLERANCE, agree
from theory import (
    JointTable,
    MarkovChain,
    TooLarge,
    gallery,
    information,
)

TIMES = [Fraction(0), Fraction(1, 7), Fraction(1, 3), Fraction(4, 5), Fraction(1)]
PAIRS = list(itertools.combinations(TIMES, 2))


@each_either
def test_entropies_of_sets_their_means_and_gains(case, exact):
    p = built(case, exact)
    every = information.subset_entropies(p)
    assert every.shape == (2,) * case.length
    for chosen, expected in slow.subset_entropies(case.joint, exact).items():
        agree(every[chosen], expected, exact)
    means, gains = slow.mean_entropies_of(case, exact), slow.curve_of(case, exact).gains
    for actual, wanted in (
        (information.mean_entropies(p), means),
        (information.gains(p), gains),
        (information.gain_curve(p).gains, gains),
    ):
        assert actual.shape == (len(wanted),)
        for found, expected in zip(actual, wanted, strict=True):
            agree(found, expected, exact)


@each_either
def test_the_curve_and_its_integrals(case, exact):
    """At floats, or at Fractions as expressions."""
    curve, expected = information.gain_curve(built(case, exact)), slow.curve_of(case, exact)
    number = Fraction if exact else float
    for t in TIMES[:-1] if exact else TIMES:
        agree(curve(number(t)), expected.value(t), exact)
        agree(curve.derivative(number(t)), expected.slope(t), exact)
    for a, b in PAIRS[::3] if exact else PAIRS:
        ends = number(a), number(b)
        agree(curve.integral(*ends), expected.integral(a, b), exact)
        agree(curve.step_cost(*ends), expected.step_cost(a, b), exact)
        agree(curve.growth(*ends), expected.growth(a, b), exact)
    for times in ([Fraction(0), Fraction(1)], TIMES):
        found = curve.grid_cost([number(t) for t in times])
        agree(found, expected.grid_cost(times), exact)


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


def test_lossless_steps_lose_no_less():
    """Independent bits have a flat curve, but for rounding: no step of it costs less than 0."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        bits = rng.random((4, 2))
        p = JointTable(np.einsum("a,b,c,d->abcd", *bits))
        curve = information.gain_curve(p)
        grid = [0, *np.sort(rng.random(3)).tolist(), 1]
        assert 0 <= curve.grid_cost(grid) < 1e-14
        assert all(0 <= curve.step_cost(a, b) < 1e-14 for a, b in itertools.pairwise(grid))
