"""Gains, the gain curve and what is computed from it, slowly and from the definitions.

Joints are dicts as in `tests.oracles`. The basis polynomials of the gain curve are expanded in
powers of t with Fractions, so each quantity that is linear in the gains is a sum of gains times
Fractions, and floats are rounded once. Nothing here imports the package under test.
"""

import functools
import itertools
import math
from fractions import Fraction
from typing import Any

import mpmath
import pytest
import sympy

from tests import oracles
from theory._core.log_numbers import LinearForm

TOLERANCE = 1e-11
"""Of gains: differences of entropies near 10, times a length of at most 6."""


def close(expected, tolerance=TOLERANCE):
    return pytest.approx(float(expected), rel=tolerance, abs=tolerance)


def same(actual, expected):
    """As combinations of logarithms of primes."""
    return sympy.expand(actual - expected) == 0


def agree(actual, expected, exact, tolerance=TOLERANCE):
    assert same(actual, expected) if exact else actual == close(expected, tolerance)


# From the joint


def subset_entropies(joint, exact=False):
    """{which sites are in S: H(S)}, as tuples of ``length`` zeros and ones."""
    return {
        chosen: oracles.entropy(joint, [i for i, inside in enumerate(chosen) if inside], exact)
        for chosen in itertools.product([0, 1], repeat=oracles.length_of(joint))
    }


def gains(f, exact=False):
    """h_j = L (f(0) - f(j)) of a profile."""
    h = [len(f) * (f[0] - v) for v in f]
    return [sympy.expand(v) for v in h] if exact else h


@functools.cache
def mean_entropies_of(case, exact=False) -> Any:
    """The mean entropies of a `tests.cases.Case`, which many tests ask for."""
    return tuple(oracles.mean_subset_entropies(case.joint, exact))


@functools.cache
def profile_of(case, exact=False) -> Any:
    """Its profile f(j) = e_{j+1} - e_j."""
    return tuple(b - a for a, b in itertools.pairwise(mean_entropies_of(case, exact)))


@functools.cache
def curve_of(case, exact=False):
    """Its gain curve."""
    return Curve(gains(profile_of(case, exact), exact), exact)


@functools.cache
def correlations_of(case, exact=False) -> Any:
    """Its total and its dual total correlation."""
    return (
        oracles.total_correlation(case.joint, exact=exact),
        oracles.dual_total_correlation(case.joint, exact=exact),
    )


def tse_complexity(e, exact=False):
    """sum_k e_k - (k / L) e_L of the mean entropies."""
    length = len(e) - 1
    weights = [Fraction(1)] * length + [1 - sum(Fraction(k, length) for k in range(length + 1))]
    return combine(weights, e, exact)


def path_cost(f, sizes, exact=False) -> Any:
    """Every site of a batch pays f at the first site of the batch instead of its own."""
    starts = itertools.accumulate((0, *sizes[:-1]))
    terms = [f[a] - f[a + i] for a, s in zip(starts, sizes, strict=True) for i in range(s)]
    return sympy.expand(sympy.Add(*terms)) if exact else math.fsum(terms)


def combine(weights, values, exact=False):
    """sum_j w_j v_j with Fractions as weights."""
    if exact:
        terms = [oracles.rational(w) * v for w, v in zip(weights, values, strict=True)]
        return sympy.expand(sympy.Add(*terms))
    return float(sum(w * Fraction(float(v)) for w, v in zip(weights, values, strict=True)))


# Polynomials, as lists of Fractions: entry n is the coefficient of t^n


def basis(degree, j):
    """C(n, j) t^j (1 - t)^(n - j), with the power of 1 - t expanded."""
    out = [Fraction(0)] * (degree + 1)
    for i in range(degree - j + 1):
        out[j + i] += math.comb(degree, j) * math.comb(degree - j, i) * (-1) ** i
    return out


def evaluate(polynomial, t):
    """By Horner's rule, in integers over one denominator."""
    up, down = Fraction(t).as_integer_ratio()
    common = math.lcm(*(c.denominator for c in polynomial))
    value, scale = 0, 1
    for c in reversed(polynomial):
        value = value * up + c.numerator * (common // c.denominator) * scale
        scale *= down
    return Fraction(value * down, common * scale)


def differentiate(polynomial):
    return [n * c for n, c in enumerate(polynomial)][1:]


def multiply(left, right):
    out = [Fraction(0)] * (len(left) + len(right))
    for (i, a), (j, b) in itertools.product(enumerate(left), enumerate(right)):
        out[i + j] += a * b
    return out


def integrate(polynomial, a, b):
    antiderivative = [Fraction(0), *(c / (n + 1) for n, c in enumerate(polynomial))]
    return evaluate(antiderivative, b) - evaluate(antiderivative, a)


class Curve:
    """h(t) = sum_j C(L-1, j) t^j (1 - t)^(L-1-j) h_j, and integrals of it."""

    def __init__(self, h, exact=False):
        self.gains, self.exact = h, exact
        self.basis = [basis(len(h) - 1, j) for j in range(len(h))]
        self.digits = 30 + len(h)  # the powers of t cancel to 10^-(L/2)

    @functools.cached_property
    def _polynomials(self):
        """The curve as {logarithm: the polynomial that multiplies it}; of floats, {1: all}."""
        found = {}
        for h, basis_polynomial in zip(self.gains, self.basis, strict=True):
            for unit, weight in _weights(h) if self.exact else [(1, Fraction(float(h)))]:
                nothing = [Fraction(0)] * len(basis_polynomial)
                pairs = zip(found.get(unit, nothing), basis_polynomial, strict=True)
                found[unit] = [before + weight * c for before, c in pairs]
        return found

    def _total(self, functional) -> Any:
        """What a linear functional of polynomials makes of the curve."""
        values = {unit: functional(c) for unit, c in self._polynomials.items()}
        if self.exact:
            return sympy.Add(*(oracles.rational(v) * unit for unit, v in values.items()))
        return float(values[1])

    def value(self, t):
        return self._total(lambda c: evaluate(c, t))

    def slope(self, t):
        return self._total(lambda c: evaluate(differentiate(c), t))

    def integral(self, a, b):
        return self._total(lambda c: integrate(c, a, b))

    def step_cost(self, a, b):
        """int_a^b h(u) - h(a) du."""
        width = Fraction(b) - Fraction(a)
        return self._total(lambda c: integrate(c, a, b) - width * evaluate(c, a))

    def grid_cost(self, times):
        return sum(self.step_cost(a, b) for a, b in itertools.pairwise(times))

    def growth(self, a: Any = 0, b: Any = 1):
        """int_a^b t (1 - t) h'(t) dt."""
        between = [Fraction(0), Fraction(1), Fraction(-1)]
        return self._total(lambda c: integrate(multiply(between, differentiate(c)), a, b))

    def _slope_function(self):
        """h' as a function of mpmath's numbers, and zero where rounded gains make it negative."""
        slopes = [differentiate(c) for c in self.basis]
        coefficients = [
            sum(_mpf(c[n]) * _mpf(h) for c, h in zip(slopes, self.gains, strict=True))
            for n in reversed(range(len(self.gains) - 1))
        ]
        return lambda t: max(mpmath.mpf(0), mpmath.polyval(coefficients or [0], t))

    def root_mass(self, a: Any = 0, b: Any = 1):
        """int_a^b sqrt(h'(t)) dt by quadrature with many digits."""
        with mpmath.workdps(self.digits):
            slope = self._slope_function()
            return _float(mpmath.quad(lambda t: mpmath.sqrt(slope(t)), [_mpf(a), _mpf(b)]))

    def effective_total_correlation(self):
        """int_0^1 min(1, log(1/t)) t h'(t) dt by quadrature with many digits, in two pieces."""
        with mpmath.workdps(self.digits):
            slope, corner = self._slope_function(), mpmath.exp(-1)
            early = mpmath.quad(lambda t: t * slope(t), [0, corner])
            late = mpmath.quad(lambda t: -mpmath.log(t) * t * slope(t), [corner, 1])
            return _float(early + late)

    def block_complexity(self, levels):
        """(sum_k sqrt(S_k G_k))^2 of the odds t / (1 - t)."""
        blocks = list(itertools.pairwise(levels))
        terms = [math.sqrt(odds_length(a, b) * max(0, self.growth(a, b))) for a, b in blocks]
        return math.fsum(terms) ** 2


def _weights(value):
    """The terms of an expanded expression, as pairs of a unit and a Fraction."""
    for term in sympy.Add.make_args(sympy.expand(value)):
        weight, unit = term.as_coeff_Mul()
        yield unit, Fraction(str(weight))


def odds_length(a, b):
    """The logarithm of the odds at b over the odds at a."""
    return oracles.log(odds(b) / odds(a))


def odds(t):
    return Fraction(t) / (1 - Fraction(t))


def _float(value: Any) -> float:
    return float(value)


def _mpf(value):
    if isinstance(value, Fraction):
        return mpmath.mpf(value.numerator) / value.denominator
    if isinstance(value, (sympy.Expr, LinearForm)):
        return mpmath.mpf(value.evalf(30))
    return mpmath.mpf(float(value))


def cardinality_growth(h, start=0, stop=None, exact=False):
    """sum of (j/L)(1 - j/L)(h_j - h_{j-1}) over j = start+1 .. min(stop, L-1)."""
    length = len(h)
    last = length - 1 if stop is None else min(stop, length - 1)
    counts = range(start + 1, last + 1)
    weights = [Fraction(j, length) * (1 - Fraction(j, length)) for j in counts]
    return combine(weights, [h[j] - h[j - 1] for j in counts], exact)


# Batches that Bernoulli steps reveal


def distribution_of_sizes(times, length):
    """{sizes: probability}: every site falls into each step with the width of the step."""
    widths = [Fraction(b) - Fraction(a) for a, b in itertools.pairwise(times)]
    dist = {}
    for steps in itertools.product(range(len(widths)), repeat=length):
        counts = [steps.count(k) for k in range(len(widths))]
        sizes = tuple(count for count in counts if count)
        dist[sizes] = dist.get(sizes, 0) + math.prod(widths[k] for k in steps)
    return dist
