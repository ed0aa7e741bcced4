"""Uniform permutations: against their joint for small n, by closed forms for large."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import sympy

from tests import oracles
from theory import MASK, ImpossibleEvidence, Permutations, TooLarge, information

SIZES = range(1, 5)


def joint(n):
    return oracles.empirical_joint(list(itertools.permutations(range(n))), n)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("exact", [False, True], ids=["floats", "exact"])
def test_every_pattern_against_the_joint(n, exact):
    p = Permutations(n, exact=exact)
    assert (p.length, p.vocab, p.exact) == (n, n, exact)
    everything = joint(n)
    patterns = oracles.all_patterns(n, n)
    table = p.table()
    assert table.shape == (n,) * n
    assert p.evidence(np.asarray(patterns)).dtype == (object if exact else np.float64)
    for x, found, logarithm in zip(
        patterns,
        p.evidence(np.asarray(patterns)),
        p.log_evidence(np.asarray(patterns)),
        strict=True,
    ):
        chance = oracles.evidence(everything, x)
        assert found == (chance if exact else pytest.approx(float(chance), rel=1e-12, abs=0))
        expected = oracles.log(chance)
        assert float(logarithm) == pytest.approx(expected, rel=1e-12, abs=1e-13)
        if MASK not in x:
            assert table[x] == (chance if exact else pytest.approx(float(chance), abs=0))
        if chance == 0:
            with pytest.raises(ImpossibleEvidence) as caught:
                p.denoise(x)
            assert caught.value.pattern == x
        expected = oracles.conditional_marginals(everything, x, n, "uniform")
        predictions = p.denoise(x, on_impossible="uniform")
        if exact:
            assert predictions.tolist() == expected
            assert all(isinstance(v, Fraction) for v in predictions.ravel())
        else:
            np.testing.assert_allclose(predictions, np.asarray(expected, dtype=float), rtol=1e-14)


@pytest.mark.parametrize("n", SIZES)
def test_entropies_of_all_sets_given_all_patterns(n):
    p, exact = Permutations(n), Permutations(n, exact=True)
    everything = joint(n)
    for x in oracles.all_patterns(n, n):
        if oracles.evidence(everything, x) == 0:
            continue
        conditioned = oracles.condition(everything, x)
        for k in range(n + 1):
            sites = tuple(range(n))[n - k :]
            expected = oracles.entropy(conditioned, sites, exact=True)
            assert information.entropy(exact, sites, x) == expected
            found = information.entropy(p, sites, x)
            assert found == pytest.approx(float(expected), abs=1e-13)


@pytest.mark.parametrize("n", SIZES)
def test_mean_entropies_of_k_sites(n):
    expected = oracles.mean_subset_entropies(joint(n), exact=True)
    assert Permutations(n, exact=True).mean_entropies.tolist() == expected
    found = Permutations(n).mean_entropies
    np.testing.assert_allclose(found, np.asarray(expected, dtype=float), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("n", SIZES)
def test_samples_are_permutations_equally_often(n):
    drawn = Permutations(n).sample(np.random.default_rng(0), 4000)
    assert drawn.dtype == np.int64
    orders, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(orders) == math.factorial(n)
    assert all(sorted(order) == list(range(n)) for order in orders.tolist())
    expected = 4000 / math.factorial(n)
    statistic = ((counts - expected) ** 2 / expected).sum()
    freedom = math.factorial(n) - 1
    assert statistic <= freedom + 5 * math.sqrt(2 * freedom) + 1e-9


def test_a_thousand_tokens():
    p = Permutations(1000)
    x = np.full(1000, MASK)
    x[:998] = np.arange(2, 1000)
    answer = p.denoise(x)
    assert answer[998, :3].tolist() == [0.5, 0.5, 0]
    assert answer[5].tolist() == np.eye(1000)[7].tolist()
    assert p.log_evidence(x) == pytest.approx(math.log(2) - math.lgamma(1001), rel=1e-14)
    assert p.evidence(x) == 0.0
    x[999] = 2
    assert p.log_evidence(x) == -math.inf
    with pytest.raises(ImpossibleEvidence):
        p.denoise(x)
    drawn = p.sample(np.random.default_rng(0), 3)
    assert (np.sort(drawn, axis=1) == np.arange(1000)).all()
    profile = information.profile(p)
    np.testing.assert_allclose(profile, np.log(np.arange(1000, 0, -1)), rtol=1e-9, atol=1e-11)


def test_a_long_exact_permutation():
    p = Permutations(50, exact=True)
    x = [3, 1, 4, *[MASK] * 47]
    assert p.evidence(x) == Fraction(1, 50 * 49 * 48)
    assert p.denoise(x)[10].tolist() == [Fraction(int(v not in (1, 3, 4)), 47) for v in range(50)]
    assert information.entropy(p, [3, 4], x) == sympy.log(47) + sympy.log(23) + sympy.log(2)
    # n log n - log n!: what revealing all at once loses
    expected = 50 * math.log(50) - math.lgamma(51)
    assert float(information.total_correlation(p)) == pytest.approx(expected, rel=1e-12)


def test_long_tables_are_refused():
    with pytest.raises(TooLarge, match=r"\(100,\)\*100"):
        Permutations(100).table()


def test_symbols_spell_permutations():
    assert Permutations(3, symbols="abc").spell([[2, MASK, 0]]) == ["c·a"]
