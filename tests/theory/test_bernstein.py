"""Polynomials in Bernstein form against powers of t with Fractions, and against SymPy."""

import math
from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cases import DEVICE1, to_device1, to_host
from tests.noted import each
from tests.theory import information_oracle as slow
from theory._core import bernstein
from theory._core.bernstein import Bernstein

ROUNDING = 1e-13  # relative to the largest coefficient: up to 13 terms with weights that sum to 1
LONG = 1e-12  # at 3000 sites, whose weights are products of up to as many ratios

rationals = st.fractions(-20, 20, max_denominator=12)
rows = st.lists(rationals, min_size=1, max_size=7)
shares = st.fractions(0, 1, max_denominator=30)
float_rows = st.lists(st.floats(-10, 10, width=32), min_size=1, max_size=13)
float_shares = st.floats(0, 1)

few = settings(max_examples=30)

t = sympy.Symbol("t")


def objects(values):
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def powers(coefficients):
    """Coefficients of 1, t, t^2, ... from those of C(n, j) t^j (1-t)^(n-j)."""
    degree = len(coefficients) - 1
    columns = [slow.basis(degree, j) for j in range(degree + 1)]
    return [
        sum(Fraction(c) * column[n] for c, column in zip(coefficients, columns, strict=True))
        for n in range(degree + 1)
    ]


def powers_of(polynomial):
    return powers(polynomial.coefficients.tolist())


def trimmed(polynomial):
    """Without the highest powers whose coefficient is zero."""
    return polynomial if not polynomial or polynomial[-1] else trimmed(polynomial[:-1])


def antiderivative(polynomial):
    return [Fraction(0), *(c / (n + 1) for n, c in enumerate(polynomial))]


OPERATIONS = {
    "derivative": (Bernstein.derivative, slow.differentiate, lambda f: sympy.diff(f, t)),
    "antiderivative": (
        Bernstein.antiderivative,
        antiderivative,
        lambda f: sympy.integrate(f, (t, 0, t)),
    ),
    "times_t": (Bernstein.times_t, lambda c: [Fraction(0), *c], lambda f: f * t),
    "times_one_minus_t": (
        Bernstein.times_one_minus_t,
        lambda c: slow.multiply(c, [Fraction(1), Fraction(-1)]),
        lambda f: f * (1 - t),
    ),
}
DEGREES = {"derivative": -1, "antiderivative": 1, "times_t": 1, "times_one_minus_t": 1}
each_operation = each("name", OPERATIONS)


# Exact


@given(rows, shares)
def test_the_value_is_that_of_the_powers(coefficients, share):
    polynomial = Bernstein(objects(coefficients))
    assert polynomial.degree == len(coefficients) - 1
    assert polynomial(share) == slow.evaluate(powers(coefficients), share)


@each_operation
@given(coefficients=rows)
@few
def test_operations_on_powers(name, coefficients):
    """Equal as polynomials, so at every t."""
    operation, expected, _ = OPERATIONS[name]
    answer = operation(Bernstein(objects(coefficients)))
    assert trimmed(powers_of(answer)) == trimmed(expected(powers(coefficients)))
    assert answer.degree == max(len(coefficients) - 1 + DEGREES[name], 0)


@each_operation
@given(coefficients=st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=6))
@few
def test_machine_integers_stay_exact(name, coefficients):
    operation = OPERATIONS[name][0]
    packed = operation(Bernstein(np.array(coefficients, dtype=np.int64)))
    loose = operation(Bernstein(objects(list(map(Fraction, coefficients)))))
    assert packed.coefficients.tolist() == loose.coefficients.tolist()
    assert packed(Fraction(1, 3)) == loose(Fraction(1, 3))


def test_many_exact_times_at_once():
    polynomial = Bernstein(objects([Fraction(1), Fraction(0), Fraction(3)]))  # 1 - 2 t + 4 t^2
    times = objects([Fraction(1, 2), Fraction(1, 4)])
    assert polynomial(times).tolist() == [1, Fraction(3, 4)]


# Floats


def scale(coefficients):
    return max(1.0, *map(abs, coefficients))


@given(float_rows, float_shares)
def test_the_value_in_floats(coefficients, share):
    """Against the same floats as Fractions."""
    expected = slow.evaluate(powers(coefficients), share)
    actual = Bernstein(np.asarray(coefficients))(share)
    assert actual == pytest.approx(float(expected), rel=0, abs=ROUNDING * scale(coefficients))


@each_operation
@given(coefficients=float_rows)
@few
def test_operations_in_floats(name, coefficients):
    operation = OPERATIONS[name][0]
    actual = operation(Bernstein(np.asarray(coefficients))).coefficients
    exact = operation(Bernstein(objects(list(map(Fraction, coefficients))))).coefficients
    tolerance = ROUNDING * len(coefficients) * scale(coefficients)
    np.testing.assert_allclose(actual, exact.astype(float), rtol=0, atol=tolerance)


@given(st.lists(st.floats(0, 10), min_size=2, max_size=13), float_shares)
def test_positive_terms_do_not_cancel(coefficients, share):
    """So that even a tiny value has all its digits."""
    rising = Bernstein(np.cumsum([0.0, *coefficients]))
    exact = [Fraction(c) for c in rising.coefficients.tolist()]
    expected = float(slow.evaluate(powers(exact), share))
    if expected > 1e-300:  # weights below 1e-308 have fewer digits
        assert rising(share) == pytest.approx(expected, rel=1e-12, abs=0)


SHARES = [0.0, 1e-6, 0.01, 0.5, 0.93, 1.0]


@pytest.mark.parametrize("degree", [3, 100, 3000])
def test_high_degrees(degree):
    """1, t and t^2, whose powers would cancel; and integrals of them."""
    j = np.arange(degree + 1)
    one, first = Bernstein(np.ones(degree + 1)), Bernstein(j / degree)
    second = Bernstein(j * (j - 1) / (degree * (degree - 1)))
    for share in SHARES:
        assert one(share) == pytest.approx(1, rel=LONG, abs=0)
        assert first(share) == pytest.approx(share, rel=LONG, abs=0)
        assert second(share) == pytest.approx(share**2, rel=LONG, abs=0)
        assert second.antiderivative()(share) == pytest.approx(share**3 / 3, rel=LONG, abs=0)
        # differences of coefficients near 1, times the degree
        assert second.derivative()(share) == pytest.approx(2 * share, rel=LONG, abs=LONG)
        assert first.times_t()(share) == pytest.approx(share**2, rel=LONG, abs=0)
        product = first.times_one_minus_t()(share)
        assert product == pytest.approx(share * (1 - share), rel=LONG, abs=0)


@each("degree", [1, 40, 300])
@each("share", [1e-12, 0.01, 1 / 3, 0.5, 0.93, 1 - 2**-53])
def test_every_chance_has_all_its_digits(degree, share):
    """Against integers over one denominator."""
    ones, both = Fraction(share).as_integer_ratio()
    every, whole = range(degree + 1), both**degree
    exact = (math.comb(degree, j) * ones**j * (both - ones) ** (degree - j) for j in every)
    expected = [weight / whole for weight in exact]  # integers divide with one rounding
    actual = bernstein._binomial_probabilities(degree, np.asarray([share]))[0]
    np.testing.assert_allclose(actual, expected, rtol=1e-13, atol=1e-307)


@pytest.mark.parametrize("cells", [1, 7, 2**22])
def test_blocks_of_times_do_not_change_the_values(cells, monkeypatch):
    monkeypatch.setattr(bernstein, "WORKSPACE", cells)
    polynomial = Bernstein(np.asarray([1.0, 0.0, 3.0]))  # 1 - 2 t + 4 t^2
    times = np.linspace(0, 1, 12).reshape(3, 2, 2)
    values = polynomial(times)
    assert values.shape == times.shape
    np.testing.assert_allclose(values, 1 - 2 * times + 4 * times**2, rtol=0, atol=ROUNDING)


def test_values_on_a_device():
    polynomial = Bernstein(to_device1([1.0, 0.0, 3.0]))  # 1 - 2 t + 4 t^2
    times = np.array([[0.0, 0.25, 0.5], [0.75, 0.875, 1.0]])
    values = polynomial(times)
    assert values.device == DEVICE1
    assert values.shape == times.shape
    np.testing.assert_allclose(to_host(values), 1 - 2 * times + 4 * times**2, atol=ROUNDING)
    at_once = polynomial(0.25)
    assert at_once.device == DEVICE1
    assert at_once.shape == ()
    assert float(at_once) == pytest.approx(0.75, abs=ROUNDING)


@each_operation
@pytest.mark.parametrize("coefficients", [[2.0], [1.0, 0.0, 3.0, -2.0]])
def test_operations_on_a_device(name, coefficients):
    operation = OPERATIONS[name][0]
    there = operation(Bernstein(to_device1(coefficients))).coefficients
    here = operation(Bernstein(np.asarray(coefficients))).coefficients
    assert there.device == DEVICE1
    np.testing.assert_allclose(to_host(there), here, rtol=0, atol=ROUNDING)
