"""Exact numbers: logarithms in primes, sums without overflow, quotients without rounding."""

import math
from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from tests import oracles
from theory._core import exact
from theory._core.exact import elementwise, integers, is_rational, over_common_denominator, ratio

# Products of two of these have numerators and denominators up to 10^10, which are factored.
positive = st.builds(Fraction, st.integers(1, 10**5), st.integers(1, 10**5))


def one(function, value):
    array = np.empty(1, dtype=object)
    array[0] = value
    return function(array)[0]


def log(value):
    return one(exact.log, value)


def arguments(expression):
    return [int(node.args[0]) for node in expression.atoms(sympy.log)]


# Logarithms


@given(positive)
def test_a_logarithm_is_its_prime_factorisation(value):
    assert log(value) == oracles.log_in_primes(value)
    assert float(log(value)) == pytest.approx(math.log(value), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    "n", [99991 * 99989, 99991**2, 10**10 - 1, 9999999967, 2**33 - 1, 10**10, 2 * 4999999937]
)
def test_integers_up_to_ten_to_the_ten_are_factored_completely(n):
    """99991 is the greatest prime below 10^5; 9999999967 and 4999999937 are primes."""
    found = arguments(log(n))
    assert found
    assert all(sympy.isprime(p) for p in found)
    assert sympy.exp(log(n)).simplify() == n


def test_the_logarithm_of_a_huge_integer_is_right_even_where_it_is_not_factored():
    n = (10**40 + 121) * 7**5  # 10^40 + 121 is prime
    assert float(log(n)) == pytest.approx(math.log(n), rel=1e-15)
    assert log(n).coeff(sympy.log(7)) == 5


@pytest.mark.parametrize("value", [2, Fraction(2), np.int64(2), sympy.Integer(2), True + 1])
def test_the_type_of_a_number_does_not_matter(value):
    assert log(value) == sympy.log(2)
    assert one(exact.xlogx, value) == 2 * sympy.log(2)


def test_logarithms_of_zero_one_and_symbols():
    a = sympy.Symbol("a", positive=True)
    assert log(0) == -sympy.oo
    assert log(Fraction(0)) == -sympy.oo
    assert log(1) == 0
    assert log(a) == sympy.log(a)
    assert log(sympy.Rational(3, 4)) == sympy.log(3) - 2 * sympy.log(2)


def test_logarithms_keep_the_shape():
    assert exact.log(np.array([[1, 2], [4, 8]])).tolist() == [
        [0, sympy.log(2)],
        [2 * sympy.log(2), 3 * sympy.log(2)],
    ]
    assert exact.log(np.zeros((0, 3), dtype=np.int64)).shape == (0, 3)


@given(st.fractions(0, 10, max_denominator=100))
def test_xlogx(value):
    """x log x, and 0 at 0."""
    expected = 0 if value == 0 else sympy.Rational(value.numerator, value.denominator) * log(value)
    assert one(exact.xlogx, value) == sympy.expand(expected)


@given(st.integers(-(10**30), 10**30), st.integers(-(10**30), 10**30))
def test_ratio_is_the_fraction(a, b):
    answer = ratio(np.array([a], dtype=object), b)[0]
    if b == 0:
        assert math.isnan(answer)
    else:
        assert answer == Fraction(a, b)
        assert isinstance(answer, Fraction)


def test_ratio_broadcasts_and_is_nan_over_zero():
    answer = ratio(np.array([[1, 2], [3, 4]]), np.array([2, 0]))
    assert answer[:, 0].tolist() == [Fraction(1, 2), Fraction(3, 2)]
    assert all(math.isnan(v) for v in answer[:, 1])
    a = sympy.Symbol("a")
    assert ratio(np.array([a]), a + 1).tolist() == [a / (a + 1)]


# Integers


def test_integers_are_machine_words_while_all_their_sums_fit():
    assert integers([2**62, 2**62 - 1]).dtype == np.int64
    assert integers([-(2**62), 5]).dtype == np.int64
    for values in ([2**62, 2**62], [2**63], [-(2**62), -(2**62)], [10**40, 1]):
        packed = integers(values)
        assert packed.dtype == object
        assert packed.tolist() == values
        assert all(type(v) is int for v in packed)


@given(st.lists(st.integers(-(2**70), 2**70), min_size=1, max_size=5))
def test_sums_of_packed_integers_do_not_overflow(values):
    packed = integers(values)
    assert packed.tolist() == values
    assert int(packed.sum()) == sum(values)
    assert int(np.abs(packed).sum()) == sum(map(abs, values))


@given(st.lists(st.fractions(0, 5, max_denominator=50), min_size=4, max_size=4))
def test_a_common_denominator_leaves_the_values(values):
    numerators, denominator = over_common_denominator(np.array(values, dtype=object).reshape(2, 2))
    assert numerators.shape == (2, 2)
    assert [Fraction(int(n), denominator) for n in numerators.ravel()] == values
    assert denominator == math.lcm(*(v.denominator for v in values))


def test_a_common_denominator_may_be_larger_than_any_machine_integer():
    values = [Fraction(1, 2**61 - 1), Fraction(1, 2**89 - 1)]  # two Mersenne primes
    numerators, denominator = over_common_denominator(np.array(values, dtype=object))
    assert denominator == (2**61 - 1) * (2**89 - 1)
    assert numerators.tolist() == [2**89 - 1, 2**61 - 1]


def test_what_is_rational():
    for value in (0, -3, Fraction(1, 3), np.int8(1), np.uint64(7)):
        assert is_rational(value)
    for value in (True, 0.5, np.float64(1), "1", None, 1j, sympy.Symbol("a"), sympy.sqrt(2)):
        assert not is_rational(value)


def test_elementwise_broadcasts_and_holds_objects():
    out = elementwise(lambda a, b: (a, b), np.arange(2)[:, None], np.arange(3))
    assert out.shape == (2, 3)
    assert out.dtype == object
    assert out[1, 2] == (1, 2)
    assert elementwise(abs, np.array(-3)).item() == 3
    assert elementwise(abs, np.zeros(0)).shape == (0,)
