"""Growth complexities against polynomials in powers of t, quadrature and closed forms."""

import functools
import itertools
import math
from fractions import Fraction
from typing import Any

import pytest
import sympy

from tests.cases import (
    BAD_LEVELS,
    build_exact,
    built,
    each_case,
    each_either,
    named,
)
from tests.noted import refusals
from tests.theory import information_oracle as slow
from tests.theory.information_oracle import agree, close
from theory import bounds, closed_forms, gallery, information
from theory.claims.kit.generators import symbolic_table

# Where h' is zero a rounding error of 1e-15 in the gains moves its root by 3e-8, on a short piece.
ROOTS = 1e-9
LEVELS = [Fraction(1, 8), Fraction(1, 3), Fraction(5, 8), Fraction(9, 10)]


@each_either
def test_growth_and_tse_complexities(case, exact):
    p, curve, number = built(case, exact), slow.curve_of(case, exact), Fraction if exact else float
    e = slow.mean_entropies_of(case, exact)
    agree(information.tse_complexity(p), slow.tse_complexity(e, exact), exact)
    agree(information.growth_complexity(p), curve.growth(), exact)
    for a, b in itertools.combinations([0, *LEVELS, 1], 2):
        found = information.growth_complexity(p, number(a), number(b))
        agree(found, curve.growth(a, b), exact)
    for a, b in [(0, None), *itertools.combinations(range(case.length + 1), 2)]:
        expected = slow.cardinality_growth(curve.gains, a, b, exact)
        agree(information.cardinality_growth_complexity(p, a, b), expected, exact)


@each_case
def test_complexities_with_integrals_and_roots(case):
    p, curve = case.build(), slow.curve_of(case)
    expected = curve.effective_total_correlation()
    assert information.effective_total_correlation(p) == close(expected)
    assert information.continuum_complexity(p) == close(curve.root_mass() ** 2, ROOTS)
    for a, b in [(0, 0.25), (0.25, 0.75), (0.75, 1)]:
        actual = information.continuum_complexity(p, a, b)
        assert actual == close(curve.root_mass(a, b) ** 2, ROOTS), (a, b)
    for levels in (LEVELS, LEVELS[1:3], LEVELS[::3]):
        floats = [float(t) for t in levels]
        actual = information.block_complexity(p, floats)
        assert actual == close(curve.block_complexity(floats), ROOTS)


@pytest.mark.parametrize("name", ["table parity", "table dense", "chain cycle from any state"])
def test_exact_distributions_where_roots_and_integrals_are_involved(name):
    """The same number as in floats, of whichever type."""
    case = named(name)
    p, curve = build_exact(case), slow.curve_of(case, exact=True)
    effective = information.effective_total_correlation(p)
    assert float(effective) == close(curve.effective_total_correlation())
    assert float(information.continuum_complexity(p)) == close(curve.root_mass() ** 2, ROOTS)
    middle = information.continuum_complexity(p, Fraction(1, 4), Fraction(3, 4))
    assert float(middle) == close(curve.root_mass(0.25, 0.75) ** 2, ROOTS)
    blocks = information.block_complexity(p, LEVELS)
    assert float(blocks) == close(curve.block_complexity(LEVELS), ROOTS)


def test_a_long_chain():
    p = gallery.binary_symmetric(60, 0.05)
    f = information.profile(p).tolist()
    curve, h = slow.Curve(slow.gains(f)), slow.gains(f)
    for a, b in [(0, 1), (0.1, 0.2), (0.9, 1)]:
        assert information.growth_complexity(p, a, b) == close(curve.growth(a, b), 1e-10)
    actual = information.cardinality_growth_complexity(p, 3, 50)
    assert actual == close(slow.cardinality_growth(h, 3, 50), 1e-10)
    actual = information.effective_total_correlation(p)
    assert actual == close(curve.effective_total_correlation(), 1e-10)
    actual = information.continuum_complexity(p)
    assert actual == close(curve.root_mass() ** 2, 1e-8)
    levels = [0.02, 0.3, 0.97]
    actual = information.block_complexity(p, levels)
    assert actual == close(curve.block_complexity(levels), 1e-10)


P, EXACT = (gallery.parity(3, exact=exact) for exact in (False, True))
OF_RANGES = (information.growth_complexity, information.continuum_complexity)
TEXT: Any = "abc"
FALLING: Any = [1, 0]

test_what_is_refused = refusals(
    *(("{}", functools.partial(f, P, stop=1), [-0.125, math.nan, "a"]) for f in OF_RANGES),
    *(("{}", functools.partial(f, P, 0), [1.125, None]) for f in OF_RANGES),
    *(
        ("start|stop", functools.partial(information.cardinality_growth_complexity, P, *ends))
        for ends in [(-1, 2), (0.5, 2), (0, 1.5), ("a", 2), (0, -1)]
    ),
    *(
        (named, functools.partial(information.block_complexity, p), bad)
        for p in (P, EXACT)
        for named, bad in BAD_LEVELS.items()
    ),
    ("0 to 1, got 2", lambda: information.growth_complexity(EXACT, 0, sympy.Integer(2))),
    ("got -sqrt", lambda: information.growth_complexity(EXACT, 0, -sympy.sqrt(2))),
    ("got x", lambda: information.continuum_complexity(EXACT, 0, sympy.Symbol("x"))),
    ("0.2 is before 0.8", lambda: information.growth_complexity(P, 0.8, 0.2)),
    ("0.2 is before 0.8", lambda: information.continuum_complexity(P, 0.8, 0.2)),
    ("got 99 and 3", lambda: information.cardinality_growth_complexity(P, 99)),
    ("got True", lambda: information.gain_curve(P)(True)),
    ("got 1.5", lambda: information.gain_curve(P)([0.5, 1.5])),
    (r"got shape \(1, 2\)", lambda: information.GainCurve([[0, 1]])),
    (r"got shape \(0,\)", lambda: information.GainCurve([])),
    ("at least two numbers", lambda: information.block_complexity(P, [0.5])),
    (r"got \(0.5, 0.25\)", lambda: information.block_complexity(P, iter((0.5, 0.25)))),
    ("got ", lambda: information.block_complexity(P, (sympy.Symbol("x"), 0.5))),
    ("must be a Distribution", lambda: information.effective_total_correlation([FALLING])),
    ("must be a Distribution", lambda: bounds.drops(TEXT, (2, 1))),
    ("sums to 4", lambda: bounds.li_cai(P, (2, 2))),
    ("steps must be an integer of at least 1, got 0", lambda: bounds.equal_steps(P, 0)),
)


def test_irrational_times_stay_exact():
    """Of h(t) = 3 t^2 bits, G(0, s) is the integral of 6 t^2 (1 - t)."""
    s = sympy.sqrt(2) / 2
    growth = information.growth_complexity(EXACT, 0, s, base=2)
    assert sympy.simplify(growth - (2 * s**3 - sympy.Rational(3, 2) * s**4)) == 0


@pytest.mark.parametrize("t", [0, 5e-324, 1e-308, 1e-301])
def test_the_smallest_times(t):
    assert information.gain_curve(gallery.repeated_bit(9))(t) == pytest.approx(0, abs=1e-12)


def test_the_least_of_two_symbolic_correlations():
    bound = bounds.growth_complexity(symbolic_table(3))
    assert isinstance(bound.bound, sympy.Min)


def test_bounds_of_nothing_have_no_ratio():
    p = gallery.affine_code([[1, 0], [0, 1]])  # two independent bits
    assert bounds.growth_complexity(p).ratio != bounds.growth_complexity(p).ratio


def test_steps_that_floats_cannot_tell_from_0_and_1():
    assert closed_forms.expected_calls_on(2, [0, 1e-300, 1]) == pytest.approx(1)
