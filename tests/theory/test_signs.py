"""Signs on regions, against all of their points up to a limit."""

import dataclasses
import functools
import itertools
from fractions import Fraction

import pytest
import sympy

from tests.noted import each, refusals
from theory.proofs.polynomials import added, as_quotient, at, shifted, without
from theory.proofs.signs import Negative, Nonnegative, Undecided, nonnegative

a, b, r, L, n, s = sympy.symbols("a b r L n s", integer=True)
x, y = sympy.symbols("x y", real=True)
BETWEEN = [a >= 0, a < r, r < b, b <= L]

# expression, region
NEVER_NEGATIVE = [
    ((b - a - 1) * (L - r) - (b - r) * (L - a - 1), BETWEEN),
    ((b - a - 1) * r - (b - r) * (a + 1), BETWEEN),
    (s - 1 - (b - r), [*BETWEEN, b - a <= s]),
    (Fraction(1, 2) * (b - r) / (L - a) + r / n, [*BETWEEN, n >= 1]),
    ((n**2 - 3 * n + 2) / (n + 1), [n >= 0]),
    ((n - 20) ** 2, [n >= 1]),
    ((a - b) ** 2, [a >= 0, b >= 0]),
    (a**2 - a * b + b**2, [a >= 0, b >= 0]),
    (a**2 - a, [a >= 0]),
    ((a - 2 * b) ** 2 + 3 * a, [a >= 0, b >= 0]),
    (3 * b - 2 * a, [a >= 0, 2 * a <= 3 * b]),
    (n - 1, [n > 0]),
    (-1 / (1 - n), [n >= 2]),
]
# expression, region, one point where it is negative or has no sign
WRONG = [
    ((b - a - 2) * (L - r) - (b - r) * (L - a - 1), BETWEEN),
    (s - 2 - (b - r), [*BETWEEN, b - a <= s]),
    (n - 7, [n >= 0]),
    (1000 * n - n**2, [n >= 0]),
    (n**2 - 3 * n + 1, [n >= 1]),
    ((1 - n) / (n + 1), [n >= 0]),
    (2 * a - 3 * b, [a >= 0, 2 * a <= 3 * b]),
    (x - x**2, [x >= 0]),
]


def points(symbols, most):
    for values in itertools.product(range(-1, most), repeat=len(symbols)):
        yield dict(zip(symbols, values, strict=True))


def shown(expression, region):
    """The certificate, after its check."""
    answer = nonnegative(expression, region)
    assert isinstance(answer, Nonnegative)
    assert answer
    assert answer.check()
    return answer


@functools.cache
def compiled(expression):
    parts = sympy.fraction(sympy.together(expression))
    names = [str(symbol) for symbol in expression.free_symbols]
    return [compile(str(part), "part", "eval") for part in parts], names


def value(expression, where):
    """By Python's own integers."""
    parts, names = compiled(expression)
    values = {str(symbol): int(number) for symbol, number in where.items()}
    above, below = (eval(part, {}, {name: values[name] for name in names}) for part in parts)
    return Fraction(above, below)


@each(("expression", "region"), NEVER_NEGATIVE)
def test_what_is_shown_is_not_negative_at_any_point(expression, region):
    symbols = sorted(shown(expression, region).symbols, key=str)
    inside = 0
    sides = [
        (compile(str(r.lts), "", "eval"), compile(str(r.gts), "", "eval"), r.rel_op in "<>")
        for r in region
    ]
    for where in points(symbols, {1: 60, 2: 12, 3: 8, 4: 7}.get(len(symbols), 5)):
        names = {str(symbol): number for symbol, number in where.items()}
        if all(
            eval(low, {}, names) + strict <= eval(high, {}, names) for low, high, strict in sides
        ):
            inside += 1
            assert value(expression, where) >= 0
    assert inside > 3


@each(("expression", "region"), WRONG)
def test_a_point_refutes_what_is_negative(expression, region):
    answer = nonnegative(expression, region)
    assert isinstance(answer, Negative)
    assert not answer
    assert answer.check()
    assert value(expression, answer.point) == answer.value < 0
    assert all(relation.subs(answer.point) for relation in region)
    assert not dataclasses.replace(answer, value=answer.value - 1).check()


def test_real_symbols():
    shown((x + 1) * y, [x >= -1, y >= 0])
    shown(x * y / (1 + x), [x >= 0, y >= x])
    assert isinstance(nonnegative(x**2 - 2 * x + 1, [x >= 0]), Undecided)


def test_what_is_known_of_the_symbols_counts():
    m, k = sympy.Symbol("m", integer=True, positive=True), sympy.Symbol("k", integer=True)
    shown(k - m, [k >= m])
    shown((m - 1) * (k - m), [k >= m])
    assert not nonnegative(m - 2, [])


def test_an_expression_that_is_undefined_somewhere_is_not_shown():
    assert not nonnegative(1 / (n - 3) ** 2, [n >= 0])
    shown(1 / (n - 3) ** 2, [n >= 4])


def test_a_certificate_can_fail():
    """With less of the region, another expression or fewer cuts."""

    def holds(certificate, **changed):
        return dataclasses.replace(certificate, **changed).check()

    square = shown((n - 20) ** 2, [n >= 1])
    assert square.cuts is not None
    assert not holds(square, cuts=None)
    assert not holds(square, cuts=dataclasses.replace(square.cuts, j=5, parts=(None,) * 6))
    assert not holds(square, expression=square.expression - 1)
    assert not holds(shown((a - b) ** 2, [a >= 0, b >= 0]), cuts=None)
    between = shown((b - a - 1) * (L - r) - (b - r) * (L - a - 1), BETWEEN)
    wider = (*between.region[:1], between.region[1] + 1, *between.region[2:])
    assert not holds(between, region=wider)
    half = sympy.Symbol("h", real=True)  # between the integers it is negative
    whole = shown((2 * n - 1) * (2 * n - 3) + n, [n >= 0])
    assert holds(whole, region=(n,))
    real = {"expression": whole.expression.subs(n, half), "region": (half,), "symbols": (half,)}
    assert not holds(whole, **real)


def test_certificates_are_written_out():
    certificate = shown((n - 1) * (n - 2), [n >= 1])
    assert str(certificate).splitlines() == [
        "proved",
        "(n - 2)*(n - 1) = 0 with n = 1",
        "(n - 2)*(n - 1) = y0*(y0 + 1) with n = y0 + 2",
    ]
    assert "y0**3 + 1 with" in str(nonnegative(n**3 + 1, [n >= 0]))
    assert "n = y0 + 1" in str(nonnegative(n - 1, [n >= 1]))
    assert r"\quad" in certificate.latex
    assert str(nonnegative(n - 2, [n >= 1])) == "negative: -1 at n = 1"
    assert "undecided" in str(nonnegative(x**2 - 2 * x + 1, [x >= 0]))


test_what_is_no_region_is_refused = refusals(
    ("free", lambda: nonnegative(a + b, [a >= 0])),
    ("free", lambda: nonnegative(a + b, [a >= 0, a >= 3])),
    ("affine", lambda: nonnegative(a, [a**2 >= 0, a * a >= 1])),
    ("inequalities", lambda: nonnegative(a, [sympy.Eq(a, 1)])),
    ("quotient of polynomials", lambda: nonnegative(2**n, [n >= 0])),
    ("quotient of polynomials", lambda: nonnegative(sympy.sqrt(2) * n, [n >= 0])),
    ("needs integers", lambda: nonnegative(x, [x > 0])),
)


# The polynomials


POLYNOMIALS = [
    {(0, 0): Fraction(3), (2, 1): Fraction(-1, 2), (1, 3): Fraction(2)},
    {(4, 0): Fraction(1)},
    {},
]


@each("polynomial", POLYNOMIALS)
def test_changes_of_polynomials_are_changes_of_points(polynomial):
    for u, v in itertools.product(range(4), repeat=2):
        assert at(shifted(polynomial, 0), (u, v)) == at(polynomial, (u + 1, v))
        assert at(shifted(polynomial, 1, 3), (u, v)) == at(polynomial, (u, v + 3))
        assert at(added(polynomial, 0, 1), (u, v)) == at(polynomial, (u, v + u))
        assert at(added(polynomial, 1, 0), (u, v)) == at(polynomial, (u + v, v))
        assert at(without(polynomial, 1), (u, v)) == at(polynomial, (u, 0))


def test_quotients_are_those_of_sympy():
    expression = (a + Fraction(1, 3)) / (b + 1) - a**2 / (a + 2)
    quotient = as_quotient(expression, [a, b])
    assert quotient is not None
    for u, v in itertools.product(range(4), repeat=2):
        found = at(quotient[0], (u, v)) / at(quotient[1], (u, v))
        assert found == value(expression, {a: u, b: v})
    assert as_quotient(sympy.log(a), [a]) is None
    assert as_quotient(a * b, [a]) is None
    assert as_quotient(0, [a]) == ({}, {(0,): 1})


def test_a_repeated_form_of_the_region_counts_once():
    with pytest.raises(Exception, match="free"):
        nonnegative(a + b, [a >= 0, a >= 0])
