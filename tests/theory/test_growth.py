"""Growth complexities against polynomials in powers of t, quadrature and closed forms."""

import functools
import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cases import (
    BAD_LEVELS,
    FACTORED,
    build_exact,
    each_case,
    each_factored,
)
from tests.noted import refusals
from tests.theory import information_oracle as slow
from tests.theory.information_oracle import close, same
from theory import gallery, information, strategies

# Where h' is zero a rounding error of 1e-15 in the gains moves its root by 3e-8, on a short piece.
ROOTS = 1e-9
LEVELS = [Fraction(1, 8), Fraction(1, 3), Fraction(5, 8), Fraction(9, 10)]


SCALARS = [
    information.growth_complexity,
    information.cardinality_growth_complexity,
    information.tse_complexity,
    information.effective_total_correlation,
    information.continuum_complexity,
    lambda p: information.block_complexity(p, [0.25, 0.5]),
]


def ranges(length):
    """All pairs of counts, and the whole range by default."""
    return [(a, b) for a in range(length) for b in range(a + 1, length + 1)]


# Against sums over the joint


@each_case
def test_growth(case):
    p, curve = case.build(), slow.curve_of(case)
    assert information.growth_complexity(p) == close(curve.growth())
    for a, b in itertools.combinations([0, *LEVELS, 1], 2):
        actual = information.growth_complexity(p, float(a), float(b))
        assert actual == close(curve.growth(a, b))


@each_case
def test_cardinality_growth(case):
    p, h = case.build(), slow.curve_of(case).gains
    assert information.cardinality_growth_complexity(p) == close(slow.cardinality_growth(h))
    for a, b in ranges(case.length):
        actual = information.cardinality_growth_complexity(p, a, b)
        assert actual == close(slow.cardinality_growth(h, a, b)), (a, b)


@each_case
def test_tse_complexity(case):
    expected = slow.tse_complexity(slow.mean_entropies_of(case))
    assert information.tse_complexity(case.build()) == close(expected)


@each_case
def test_effective_total_correlation(case):
    expected = slow.curve_of(case).effective_total_correlation()
    assert information.effective_total_correlation(case.build()) == close(expected)


@each_case
def test_continuum_complexity(case):
    p, curve = case.build(), slow.curve_of(case)
    whole = information.continuum_complexity(p)
    assert whole == close(curve.root_mass() ** 2, ROOTS)
    for a, b in [(0, 0.25), (0.25, 0.75), (0.75, 1)]:
        actual = information.continuum_complexity(p, a, b)
        assert actual == close(curve.root_mass(a, b) ** 2, ROOTS), (a, b)


@each_case
def test_block_complexity(case):
    p, curve = case.build(), slow.curve_of(case)
    for levels in (LEVELS, LEVELS[1:3], LEVELS[::3]):
        expected = curve.block_complexity([float(t) for t in levels])
        actual = information.block_complexity(p, [float(t) for t in levels])
        assert actual == close(expected, ROOTS)


@each_factored
def test_exact_complexities(case):
    """At Fractions, as expressions."""
    p, curve = build_exact(case), slow.curve_of(case, exact=True)
    e = slow.mean_entropies_of(case, exact=True)
    assert same(information.growth_complexity(p), curve.growth())
    assert same(information.tse_complexity(p), slow.tse_complexity(e, exact=True))
    for a, b in itertools.combinations([0, *LEVELS, 1], 2):
        assert same(information.growth_complexity(p, a, b), curve.growth(a, b))
    for a, b in [(0, None), *ranges(case.length)]:
        expected = slow.cardinality_growth(curve.gains, a, b, exact=True)
        assert same(information.cardinality_growth_complexity(p, a, b), expected), (a, b)


@pytest.mark.parametrize("name", ["table parity", "table dense", "chain cycle from any state"])
def test_exact_distributions_where_roots_and_integrals_are_involved(name):
    """The same number as in floats, of whichever type."""
    case = next(case for case in FACTORED if case.name == name)
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


# Identities and inequalities


@given(strategies.joint_tables(exact=True))
@settings(max_examples=50)
def test_three_forms_of_the_growth(p):
    """G(0,1) = 2 / (L+1) TSE, and (L+1) / L times it is the form by cardinalities."""
    whole = information.growth_complexity(p)
    ratio = sympy.Rational(p.length + 1, p.length)
    assert same(information.cardinality_growth_complexity(p), ratio * whole)
    assert same(2 * information.tse_complexity(p) / (p.length + 1), whole)
    a = Fraction(2, 7)
    parts = information.growth_complexity(p, 0, a) + information.growth_complexity(p, a, 1)
    assert same(parts, whole)


@given(strategies.distributions())
@settings(max_examples=50)
def test_growth_is_at_most_both_correlations(p):
    """G <= effective TC <= min(DTC, e / (e-1) G), and (int sqrt h')^2 <= TC + DTC."""
    tc, dtc = information.total_correlation(p), information.dual_total_correlation(p)
    growth = information.growth_complexity(p)
    effective = information.effective_total_correlation(p)
    assert -1e-11 <= growth <= min(tc, dtc) + 1e-11
    assert growth - 1e-11 <= effective <= math.e / (math.e - 1) * growth + 1e-11
    assert effective <= dtc + 1e-11
    assert -1e-11 <= information.continuum_complexity(p) <= tc + dtc + ROOTS


levels = st.lists(strategies.rationals(most=12), min_size=3, unique=True).map(sorted)


@given(strategies.distributions(), levels, st.data())
@settings(max_examples=50)
def test_refining_the_blocks_lowers_the_complexity_towards_the_continuum(p, fine, data):
    """Cauchy-Schwarz, twice."""
    fine = [float(t) for t in fine]
    inner = data.draw(st.integers(1, len(fine) - 2))
    coarse = fine[:inner] + fine[inner + 1 :]
    finer, coarser = (information.block_complexity(p, t) for t in (fine, coarse))
    least = information.continuum_complexity(p, fine[0], fine[-1])
    assert least - ROOTS <= finer <= coarser + ROOTS


@pytest.mark.parametrize("name", ["repeated bit", "parity", "pairs", "chain"])
def test_many_blocks_attain_the_continuum(name):
    """With K blocks of equal log-odds length the excess falls like 1 / K^2."""
    p = {
        "repeated bit": gallery.repeated_bit(6),
        "parity": gallery.parity(6),
        "pairs": gallery.coupled_pairs(3),
        "chain": gallery.binary_symmetric(8, 0.1),
    }[name]
    excess = []
    least = information.continuum_complexity(p, 0.1, 0.9)
    for blocks in (10, 20, 40):
        odds = np.geomspace(1 / 9, 9, blocks + 1)
        excess.append(information.block_complexity(p, (odds / (1 + odds)).tolist()) / least - 1)
    assert excess[0] < 0.01
    assert excess[0] / excess[1] == pytest.approx(4, rel=0.1)
    assert excess[1] / excess[2] == pytest.approx(4, rel=0.1)


# Known values


@pytest.mark.parametrize("length", [2, 3, 6, 9])
def test_repeated_bit_and_parity(length):
    """Gains of L bits in one jump, at the first or at the last site.

    By the jump at j the growth is j (L - j) / (L + 1) / L times L, the same for j = 1 and L - 1.
    The slopes L (L-1) (1-t)^(L-2) and L (L-1) t^(L-2) have roots of mass 2 sqrt((L-1) / L).
    """
    d = length
    exact = information.growth_complexity(gallery.parity(d, exact=True), base=2)
    assert exact == sympy.Rational(d - 1, d + 1)
    exact = information.tse_complexity(gallery.parity(d, exact=True), base=2)
    assert exact == sympy.Rational(d - 1, 2)
    exact = information.cardinality_growth_complexity(gallery.parity(d, exact=True), base=2)
    assert exact == sympy.Rational(d - 1, d)
    for p in (gallery.repeated_bit(d), gallery.parity(d)):
        assert information.growth_complexity(p, base=2) == close((d - 1) / (d + 1))
        assert information.tse_complexity(p, base=2) == close((d - 1) / 2)
        assert information.cardinality_growth_complexity(p, base=2) == close((d - 1) / d)
        assert information.continuum_complexity(p, base=2) == close(4 * (d - 1) / d, ROOTS)
    first, rest = (
        information.cardinality_growth_complexity(gallery.repeated_bit(d), *counts, base=2)
        for counts in [(0, 1), (1, d)]
    )
    assert first == close((d - 1) / d)
    assert rest == close(0)


def test_effective_total_correlation_of_parity():
    """d (d-1) int min(1, log 1/t) t^(d-1) dt = (d-1) / d (1 - e^-d) bits."""
    for d in (2, 3, 6):
        actual = information.effective_total_correlation(gallery.parity(d), base=2)
        assert actual == close((d - 1) / d * (1 - math.exp(-d)))


@pytest.mark.parametrize("pairs", [1, 2, 3])
def test_coupled_pairs(pairs):
    """h' = d bits everywhere: G(a, b) = d (b^2/2 - b^3/3 - a^2/2 + a^3/3)."""
    d = 2 * pairs
    p, q = gallery.coupled_pairs(pairs, exact=True), gallery.coupled_pairs(pairs)
    assert information.growth_complexity(p, base=2) == sympy.Rational(d, 6)
    assert information.tse_complexity(p, base=2) == sympy.Rational(d * (d + 1), 12)
    quarter, rest = Fraction(1, 4), Fraction(3, 4)
    middle = information.growth_complexity(p, quarter, rest, base=2)
    assert middle == sympy.Rational(11 * d, 96)
    assert information.continuum_complexity(q, base=2) == close(d, ROOTS)
    assert information.continuum_complexity(q, 0.25, 0.75, base=2) == close(d / 4, ROOTS)
    blocks = information.block_complexity(q, [0.25, 0.75], base=2)
    assert blocks == close(math.log(9) * 11 * d / 96)
    effective = information.effective_total_correlation(q, base=2)
    assert effective == close(d * (1 - math.exp(-2)) / 4)


def test_independent_sites_have_no_complexity():
    for function in SCALARS:
        assert function(gallery.binary_symmetric(3, 0.5)) == pytest.approx(0, abs=1e-12)


def test_one_site():
    p = gallery.binary_symmetric(1, 0.25)
    for function in SCALARS[:5]:
        assert function(p) == pytest.approx(0, abs=1e-12)


# What is refused


P = gallery.parity(3)
OF_RANGES = (information.growth_complexity, information.continuum_complexity)

test_what_is_refused = refusals(
    *(("{}", functools.partial(f, P, stop=1), [-0.125, math.nan, "a"]) for f in OF_RANGES),
    *(("{}", functools.partial(f, P, 0), [1.125, None]) for f in OF_RANGES),
    *(
        ("start|stop", functools.partial(information.cardinality_growth_complexity, P, *ends))
        for ends in [(-1, 2), (0.5, 2), (0, 1.5), ("a", 2), (0, -1)]
    ),
    *(
        (
            named,
            functools.partial(information.block_complexity, gallery.parity(3, exact=exact)),
            bad,
        )
        for exact in (False, True)
        for named, bad in BAD_LEVELS.items()
    ),
)
