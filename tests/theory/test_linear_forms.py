"""Linear forms in logarithms against SymPy and 60 digits, from the definition."""

import math
import operator
import pickle
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.noted import each
from theory._core import exact
from theory._core.log_numbers import LinearForm, as_fraction, logarithm

BIG = [(10**9 + 7) * (10**9 + 9), (10**9 + 7) * (10**9 + 21), 10**9 + 9, 10**9 + 21]
"""Products of primes beyond what is factored, and two of these primes."""

rationals = st.fractions(min_value=-3, max_value=3, max_denominator=12)
logarithms = st.lists(st.tuples(rationals, st.integers(1, 60)), max_size=4)
OPERATIONS = [operator.add, operator.sub, operator.mul, operator.truediv]


def form(terms, constant=Fraction(0)):
    logs = [w * exact.log(np.asarray(n)).item() for w, n in terms]
    return sum(logs, start=LinearForm({}) + constant)


def expression(terms, constant=Fraction(0)):
    """The same number of SymPy's, whose logarithms know nothing of each other."""
    total = sympy.Rational(constant.numerator, constant.denominator)
    for w, n in terms:
        total += sympy.Rational(w.numerator, w.denominator) * sympy.log(n)
    return total


def is_zero(value):
    return sympy.expand(sympy.expand_log(sympy.sympify(value), factor=True)) == 0


@settings(max_examples=50)
@given(logarithms, logarithms, rationals, rationals)
def test_sums_and_multiples_are_those_of_sympy(a, b, constant, factor):
    x, y = form(a, constant), form(b)
    s, t = expression(a, constant), expression(b)
    assert is_zero((x + y)._sympy_() - (s + t))
    assert is_zero((x - y)._sympy_() - (s - t))
    assert is_zero(
        (factor * x)._sympy_() - sympy.Rational(factor.numerator, factor.denominator) * s
    )
    assert is_zero((-x)._sympy_() + s)
    if factor:
        assert (x / factor) * factor == x


def assert_factored(n):
    found = logarithm(Fraction(n)).numerators
    assert all(sympy.isprime(p) for p in found), n
    assert math.prod(p**k for p, k in found.items()) == n


@given(st.integers(1, 10**10) | st.integers(1, 50).map(math.factorial))
def test_logarithms_are_those_of_primes(n):
    assert_factored(n)


@settings(max_examples=50)
@given(logarithms, logarithms, rationals)
def test_order_and_value_are_those_of_60_digits(a, b, constant):
    x, y = form(a, constant), form(b)
    with mpmath.workdps(60):
        terms = [*a, *((-w, n) for w, n in b)]
        gap = mpmath.mpf(constant.numerator) / constant.denominator + mpmath.fsum(
            mpmath.mpf(w.numerator) / w.denominator * mpmath.log(n) for w, n in terms
        )
        sign = 0 if abs(gap) < mpmath.mpf(10) ** -50 else int(mpmath.sign(gap))
        value = float(gap) if sign else 0.0
    assert (x - y).sign() == sign
    assert [x < y, x <= y, x > y, x >= y, x == y] == [
        sign < 0,
        sign <= 0,
        sign > 0,
        sign >= 0,
        sign == 0,
    ]
    assert bool(x - y) == (sign != 0)
    assert float(x - y) == pytest.approx(value, rel=1e-12, abs=0)
    assert abs(x - y) == (x - y if sign >= 0 else y - x)


def test_what_nearly_cancels_keeps_its_digits():
    """``q log 3 - p log 2`` for a convergent p/q of log 3 / log 2."""
    p, q = 6586818670, 4155805019
    x = q * exact.log(np.asarray(3)).item() - p * exact.log(np.asarray(2)).item()
    with mpmath.workdps(60):
        value = float(q * mpmath.log(3) - p * mpmath.log(2))
    assert float(x) == pytest.approx(value, rel=1e-12)
    naive = q * math.log(3) - p * math.log(2)
    assert abs(naive - value) > 1e-8  # in doubles all of it is lost
    assert (x > 0) == (value > 0)
    assert x != 0


def test_large_integers_are_compared_over_a_coprime_base():
    a, b, c, d = (exact.log(np.asarray([n], dtype=object))[0] for n in BIG)
    assert a - b == c - d
    assert not a - b - c + d
    assert float(a - b - c + d) == 0.0
    assert a != b
    assert a - b != c + d
    assert a + d != b


def test_a_product_of_near_integers_has_the_logarithms_of_both():
    """SymPy's factorint, told to stop at a limit, raises on such a product."""
    a = 1_000_273 * 1_000_289  # two primes that are not looked for
    whole = logarithm(Fraction(a * (a + 2)))
    assert whole == logarithm(Fraction(a)) + logarithm(Fraction(a + 2))
    assert float(whole) == pytest.approx(math.log(a) + math.log(a + 2), rel=1e-12)


@each("operation", OPERATIONS)
@each("other", [2, Fraction(2, 3), np.int64(3), sympy.Rational(3, 4)])
def test_rational_numbers_of_all_kinds_from_both_sides(operation, other):
    x = exact.log(np.asarray(6)).item()
    rational = sympy.Rational(str(other))
    assert is_zero(sympy.sympify(operation(x, other)) - operation(sympy.log(6), rational))
    assert is_zero(sympy.sympify(operation(other, x)) - operation(rational, sympy.log(6)))


def test_what_is_no_linear_form_is_an_expression():
    two, three = (exact.log(np.asarray(n)).item() for n in (2, 3))
    assert two * three == sympy.log(2) * sympy.log(3)
    assert three / two == sympy.log(3) / sympy.log(2)
    assert two**2 == sympy.log(2) ** 2
    symbol = sympy.Symbol("x", positive=True)
    assert two + symbol == symbol + two == symbol + sympy.log(2)
    assert isinstance(0.5 * two, float)
    assert 0.5 * two == two * 0.5 == 0.5 * math.log(2)
    assert (two < symbol).free_symbols == {symbol}


def test_quotients_that_are_rational_are_found():
    eight, two = (exact.log(np.asarray(n)).item() for n in (8, 2))
    assert eight / two == 3
    assert as_fraction(eight / two) == Fraction(3)
    assert (two - two) / two == 0
    with pytest.raises(ZeroDivisionError):
        _ = two / 0


def test_numbers_without_logarithms_are_the_rational_numbers():
    x = exact.log(np.asarray(5)).item()
    half = x - x + Fraction(1, 2)
    assert half == Fraction(1, 2) == half
    assert hash(half) == hash(Fraction(1, 2))
    assert half == 0.5
    assert x != 0.5
    assert half.constant == Fraction(1, 2)
    assert x.constant is None
    assert len({half, Fraction(1, 2), x, exact.log(np.asarray(5)).item()}) == 2
    assert x != "log(5)"


def test_they_travel_and_print_as_expressions():
    x = Fraction(3, 2) * exact.log(np.asarray(12)).item() - 1
    assert pickle.loads(pickle.dumps(x)) == x
    assert str(x) == str(sympy.Rational(3, 2) * sympy.log(3) + 3 * sympy.log(2) - 1)
    assert x.free_symbols == frozenset()
    assert abs(float(x.evalf(30)) - float(x)) < 1e-15
    with pytest.raises(AttributeError):
        _ = x.shape
    with pytest.raises(AttributeError):
        _ = x.no_such_name
    with pytest.raises(TypeError):
        _ = x + "1"
    with pytest.raises(TypeError):
        _ = x < "1"


def test_arrays_of_them_add_up():
    x = exact.log(np.asarray([2, 3, 4, 6]))
    assert x.sum() == exact.log(np.asarray(144)).item()
    assert (x @ np.asarray([1, 1, 0, -1])) == 0
    assert max(x) == x[3]


X, Y = sympy.symbols("x y")
combined = st.builds(
    lambda x, y, logs, d: (LinearForm({X: x, Y: y, 2: logs, 1: d}), (x, y, logs, d)),
    *[st.integers(-3, 3).filter(bool)] * 4,
)


@given(combined, combined, st.fractions(-3, 3))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_symbols_are_free_beside_logarithms(a, b, factor):
    (one, left), (other, right) = a, b
    total = one + factor * other
    for key, u, v in zip((X, Y, 2, 1), left, right, strict=True):
        assert total.coefficient(key) == u + factor * v
    expected = sympy.sympify(one) + sympy.Rational(str(factor)) * sympy.sympify(other)
    assert sympy.expand(sympy.sympify(total) - expected) == 0
    assert (total == 0) is (expected == 0)
    assert total.free_symbols == expected.free_symbols


def test_a_form_with_symbols():
    form = LinearForm({X: 2, 2: 1}, 3)
    assert str(form) == "2*x/3 + log(2)/3"
    assert form != LinearForm({X: 2, 3: 1}, 3)
    assert form - LinearForm({X: 2, 2: 1}, 3) == 0
    assert LinearForm({X: 1}) == X
    assert hash(LinearForm({X: 1})) == hash(X)
    assert form.constant is None
    assert pickle.loads(pickle.dumps(form)) == form
    assert sympy.expand(form * X).coeff(X**2) == sympy.Rational(2, 3)
    with pytest.raises(TypeError):
        float(form)
    with pytest.raises(TypeError):
        form.sign()
