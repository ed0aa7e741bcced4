"""Exchangeable bits: entropies by definition, closed forms at any length, zeros that stay zeros."""

import math
import random
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy

from tests import oracles
from tests.cases import to_device1
from tests.noted import each
from theory import (
    MASK,
    Exchangeable,
    JointTable,
    ProductMixture,
    gallery,
    information,
)
from theory._core.arrays import to_host
from theory._core.special import log_binomials
from theory.lattice.entropy_sums import mean_by_size


def test_weights_may_be_symbols():
    """With weights a, b, c of 0, 1 and 2 ones, 01 and 10 have b/2 each."""
    a, b, c = sympy.symbols("a b c", positive=True)
    p: Any = Exchangeable([a, b, c], exact=True)
    table: Any = JointTable([[a, b / 2], [b / 2, c]], exact=True)
    for x in ([MASK, MASK], [0, MASK], [MASK, 1], [1, 1]):
        assert sympy.simplify(p.evidence(x) - table.evidence(x)) == 0
        for ours, expected in zip(p.denoise(x).ravel(), table.denoise(x).ravel(), strict=True):
            assert sympy.simplify(ours - expected) == 0
    values = {a: Fraction(1, 2), b: Fraction(1, 3), c: Fraction(1, 6)}
    difference: Any = information.entropy(p) - information.entropy(table)
    assert float(difference.subs(values)) == pytest.approx(0, abs=1e-14)


def test_weights_of_counts_are_read_back():
    assert Exchangeable([1, 0, 3], exact=True).count_weights.tolist() == [
        Fraction(1, 4),
        Fraction(0),
        Fraction(3, 4),
    ]
    p = Exchangeable.from_logarithms(np.log([2.0, 6.0]))
    np.testing.assert_allclose(p.count_weights, [0.25, 0.75], rtol=1e-15)
    assert Exchangeable([1, 1], symbols="HT").spell([[0], [1]]) == ["H", "T"]


# Long sequences, by sums of Fractions and by closed forms


def pattern(length, zeros, ones):
    return np.asarray([0] * zeros + [1] * ones + [MASK] * (length - zeros - ones))


def slow_evidence(weights, zeros, ones):
    """Sum over the number n of ones: of C(L, n) places, C(R, n - ones) agree."""
    length, masked = len(weights) - 1, len(weights) - 1 - zeros - ones
    return sum(
        Fraction(w) * math.comb(masked, n - ones) / math.comb(length, n)
        for n, w in enumerate(weights)
        if ones <= n <= length - zeros
    ) / sum(weights)


@each("zeros", [0, 1, 150, 299])
@each("ones", [0, 1, 100])
def test_three_hundred_sites_against_fractions(zeros, ones):
    if zeros + ones >= 300:
        ones = 0
    rng = random.Random(1)
    weights = [rng.choice([0, 1, 10**6]) * rng.randint(1, 9) for _ in range(301)]
    p, exact = Exchangeable(weights), Exchangeable(weights, exact=True)
    here = slow_evidence(weights, zeros, ones)
    x = pattern(300, zeros, ones)
    assert exact.evidence(x) == here
    assert p.log_evidence(x) == pytest.approx(oracles.log(here), rel=1e-12, abs=1e-12)
    if here != 0:
        share = [
            slow_evidence(weights, zeros + 1, ones) / here,
            slow_evidence(weights, zeros, ones + 1) / here,
        ]
        assert exact.denoise(x)[-1].tolist() == share
        np.testing.assert_allclose(p.denoise(x)[-1], np.asarray(share, dtype=float), rtol=1e-11)


@pytest.mark.parametrize("length", [1, 10, 1000, 10_000])
def test_equally_likely_counts_follow_the_rule_of_succession(length):
    """P(o, z) = o! z! / (o + z + 1)!; then a one has probability (o + 1) / (o + z + 2)."""
    p = Exchangeable([1] * (length + 1))
    for share in (0, 0.3, 0.5, 1):
        for observed in {0, length // 2, length - 1}:
            ones = int(share * observed)
            zeros = observed - ones
            x = pattern(length, zeros, ones)
            expected = math.lgamma(ones + 1) + math.lgamma(zeros + 1) - math.lgamma(observed + 2)
            assert p.log_evidence(x) == pytest.approx(expected, rel=1e-11, abs=1e-10)
            rows = np.asarray([zeros + 1, ones + 1]) / (observed + 2)
            np.testing.assert_allclose(p.denoise(x)[-1], rows, rtol=1e-10)


@pytest.mark.parametrize("prob", [0.5, 1e-3, 1e-300])
def test_independent_coins_at_ten_thousand_sites(prob):
    """Evidence far below the smallest double, and predictions that do not change."""
    length = 10_000
    number = np.arange(length + 1)
    logarithms = number * math.log(prob) + (length - number) * math.log1p(-prob)
    p = Exchangeable.from_logarithms(log_binomials(length) + logarithms)
    for zeros, ones in [(0, 0), (9999, 0), (0, 9999), (3000, 3000)]:
        x = pattern(length, zeros, ones)
        expected = ones * math.log(prob) + zeros * math.log1p(-prob)
        assert p.log_evidence(x) == pytest.approx(expected, rel=1e-10, abs=1e-9)
        np.testing.assert_allclose(p.denoise(x)[-1], [1 - prob, prob], rtol=1e-9)
    assert p.evidence(pattern(length, 0, 10_000)) == 0.0
    assert p.log_evidence(pattern(length, 0, 10_000)) > -math.inf


def test_weights_further_apart_than_floats_can_divide():
    p = Exchangeable([1e-320, 0, 1e300])
    assert p.log_evidence([0, 0]) == pytest.approx(math.log(1e-320) - math.log(1e300), rel=1e-12)
    assert p.denoise([0, MASK]).tolist() == [[1, 0], [1, 0]]
    assert p.log_evidence([0, 1]) == -math.inf
    nothing = p.denoise([MASK, MASK])[0]
    assert nothing.tolist() == [0, 1]  # 1e-620 is no double


def test_the_smaller_prediction_keeps_its_digits():
    """One of 10^4 sites is a one: each with probability 1e-4; given 9998 zeros, with 1/2."""
    p = gallery.one_hot(10_000)
    assert p.denoise(pattern(10_000, 0, 0))[0] == pytest.approx([1 - 1e-4, 1e-4], rel=1e-9)
    assert p.denoise(pattern(10_000, 9998, 0))[-1] == pytest.approx([0.5, 0.5], rel=1e-12)
    assert p.denoise(pattern(10_000, 0, 1))[-1].tolist() == [1, 0]
    rare = Exchangeable([1, 1e-200])
    assert rare.denoise([MASK])[0] == pytest.approx([1, 1e-200], rel=1e-12)


def test_long_samples_have_allowed_counts_in_every_place():
    p = Exchangeable.from_logarithms([0.0 if n in (100, 300) else -math.inf for n in range(1001)])
    drawn = p.sample(np.random.default_rng(0), 400)
    assert set(drawn.sum(axis=1).tolist()) == {100, 300}
    assert (drawn.sum(axis=1) == 100).mean() == pytest.approx(0.5, abs=5 * 0.5 / 20)
    # each site is a one with probability 0.2; five standard deviations, of 1000 sites
    assert abs(drawn.mean(axis=0) - 0.2).max() < 5 * math.sqrt(0.2 * 0.8 / 400)


# Long entropies


def test_entropies_of_equally_likely_counts():
    """H_m = log(m + 1) + sum_k log C(m, k) / (m + 1), at every size up to 1000."""
    found = Exchangeable([1] * 1001).mean_entropies
    for m in (0, 1, 2, 17, 500, 999, 1000):
        inside = math.fsum(math.log(math.comb(m, k)) for k in range(m + 1)) / (m + 1)
        assert found[m] == pytest.approx(math.log(m + 1) + inside, rel=1e-12)


def test_entropies_of_long_parity_and_one_hot():
    f = information.profile(gallery.parity(1000), base=2)
    np.testing.assert_allclose(f[:-1], 1, rtol=1e-11)
    assert abs(f[-1]) < 1e-10
    share = np.arange(1001) / 1000
    rest = np.where(share < 1, 1 - share, 1)
    expected = share * math.log(1000) - (1 - share) * np.log(rest)
    np.testing.assert_allclose(gallery.one_hot(1000).mean_entropies, expected, rtol=1e-11)
    assert information.total_correlation(gallery.parity(1000), base=2) == pytest.approx(1)
    assert information.dual_total_correlation(gallery.parity(500), base=2) == pytest.approx(499)


def test_entropy_given_a_long_pattern():
    """After o ones and z zeros the rule of succession holds for two more sites."""
    p = Exchangeable([1] * 1001)
    x = pattern(1000, 300, 500)
    zero, one = 301 / 802, 501 / 802
    cells = [zero * 302 / 803, zero * 501 / 803, one * 301 / 803, one * 502 / 803]
    expected = -math.fsum(c * math.log(c) for c in cells)
    assert information.entropy(p, [900, 999], x) == pytest.approx(expected, rel=1e-10)
    assert information.entropy(p, [0, 999], x) == pytest.approx(
        -zero * math.log(zero) - one * math.log(one), rel=1e-10
    )
    assert information.entropy(p, [0, 1], x) == 0


@pytest.mark.parametrize("place", [np.asarray, to_device1], ids=["host", "device1"])
def test_a_mixture_of_coins_is_exchangeable(place):
    """Against the lattice of all subsets, with coins that never or always fall on one."""
    rng = np.random.default_rng(0)
    for coins in ([0.25], [0, 1], [0.3, 1, 0.9], rng.random(4).tolist()):
        rows = np.asarray([[[1 - c, c]] * 6 for c in coins])
        p = ProductMixture(place(rng.random(len(coins))), place(rows))
        expected = to_host(mean_by_size(p.lattice().subset_entropies()))
        np.testing.assert_allclose(to_host(p.mean_entropies), expected, rtol=1e-11, atol=1e-13)
        table = JointTable(to_host(p.table()))
        for x in ([MASK] * 6, [1] + [MASK] * 5):
            if table.evidence(x) > 0:
                for sites in ([0, 1], [1, 3, 5], [1, 2, 3, 4, 5]):
                    assert float(information.entropy(p, sites, x)) == pytest.approx(
                        information.entropy(table, sites, x), abs=1e-12
                    )
