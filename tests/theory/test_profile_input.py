"""Bad input of functions on profiles, gains and times: one clear error at the border."""

from typing import Any

import pytest
import sympy

from tests.noted import refusals
from theory import bounds, closed_forms, gallery, information
from theory.claims.kit.generators import symbolic_table

P = gallery.parity(3)
EXACT = gallery.parity(3, exact=True)
TEXT: Any = "abc"
FALLING: Any = [1, 0]


test_what_is_refused = refusals(
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
    ("must be a Distribution", lambda: information.effective_total_correlation(FALLING)),
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
