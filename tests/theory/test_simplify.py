"""Whether expressions vanish, against rational points and against identities that are known."""

from fractions import Fraction

import hypothesis.strategies as st
import pytest
import sympy
from hypothesis import given, settings

from tests.noted import each
from theory.claims.kit.simplify import fraction_field, simplified, vanishes

A, B, C = SYMBOLS = sympy.symbols("a b c", positive=True)
N = sympy.Symbol("n", integer=True, positive=True)

leaves = st.one_of(
    st.sampled_from(SYMBOLS), st.integers(1, 4).map(sympy.Integer), st.just(sympy.Rational(2, 3))
)
positive = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda x, y: x + y, inner, inner),
        st.builds(lambda x, y: x * y, inner, inner),
        st.builds(lambda x, y: x / y, inner, inner),
    ),
    max_leaves=6,
)
"""Quotients of polynomials that are positive where the symbols are, so that none is a division
by zero."""


def at(expression, *values):
    point = dict(zip(SYMBOLS, map(sympy.Rational, values), strict=True))
    return Fraction(str(sympy.sympify(expression).subs(point)))


@given(positive, positive, positive)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_equalities_of_fields_vanish(x, y, z):
    assert vanishes(x * (y + z) - x * y - x * z)
    assert vanishes(x / y + z / y - (x + z) / y)
    assert vanishes(1 / (1 / x + 1 / y) - x * y / (x + y))
    assert simplified((x + y) ** 2 - x**2 - 2 * x * y - y**2) == 0


@given(positive, positive)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_point_where_they_differ_refutes(x, y):
    """Three points; where all agree, the sum of both with a symbol must still be distinguished."""
    points = [(2, 3, 5), (Fraction(1, 7), Fraction(2, 11), 13), (17, Fraction(19, 23), 29)]
    if any(at(x, *values) != at(y, *values) for values in points):
        assert not vanishes(x - y)
    assert not vanishes(x - y + sympy.Symbol("d", positive=True))


@given(positive, positive)
@settings(max_examples=25, deadline=None, derandomize=True)
def test_logarithms_of_products(x, y):
    assert vanishes(sympy.log(x * y) - sympy.log(x) - sympy.log(y))
    assert vanishes(sympy.log(x / y) * x + x * sympy.log(y / x))
    assert vanishes(x * sympy.log(x + y) - x * sympy.log(x) - x * sympy.log(1 + y / x))
    other = sympy.log(x * y) - sympy.log(x) - sympy.log(y) - y * sympy.log(A + B + C + sympy.pi)
    assert fraction_field(other) != 0


@each(
    "zero",
    [
        0,
        A - A,
        Fraction(1, 3) - sympy.Rational(1, 3),
        sympy.exp(-2 * A) - sympy.exp(-A) ** 2,
        sympy.exp(A) * sympy.exp(-A) - 1,
        sympy.exp(-A) / (1 - sympy.exp(-A)) - 1 / (sympy.exp(A) - 1),
        (1 - A - B) ** N * A / (A + B) + (1 - A - B) ** N * B / (A + B) - (1 - A - B) ** N,
        (1 - A) ** (N + 1) - (1 - A) * (1 - A) ** N,
        sympy.sqrt(A) ** 2 - A,
        sympy.sqrt(2) * sympy.sqrt(2) - 2,
        sympy.sin(A) ** 2 + sympy.cos(A) ** 2 - 1,
        sympy.log(8) - 3 * sympy.log(2),
    ],
    ids=str,
)
def test_what_vanishes(zero):
    assert vanishes(zero)
    assert simplified(zero) == 0


@pytest.mark.parametrize(
    "other",
    [
        1,
        A,
        A - B,
        sympy.exp(-A) - sympy.exp(-2 * A),
        sympy.log(A + B) - sympy.log(A) - sympy.log(B),
        sympy.log(2) - 1,
        sympy.sqrt(A) - A,
        (1 - A) ** N - (1 - B) ** N,
        sympy.sin(A) ** 2 - sympy.cos(A) ** 2,
    ],
    ids=str,
)
def test_what_does_not_vanish(other):
    assert not vanishes(other)
    assert simplified(other) != 0


def test_a_division_by_zero_is_no_zero():
    """Its denominator only cancels when it is multiplied out."""
    assert not vanishes(A / ((A + B) ** 2 - A**2 - 2 * A * B - B**2))


def test_numerator_and_denominator_are_coprime():
    quotient = fraction_field((A**2 - B**2) / (A**2 + 2 * A * B + B**2))
    assert sympy.expand(quotient.numer.as_expr() - (A - B)) == 0
    assert sympy.expand(quotient.denom.as_expr() - (A + B)) == 0
