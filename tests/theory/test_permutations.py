"""Uniform permutations at lengths beyond a table, by closed forms; small ones are cases of all."""

import math
from fractions import Fraction

import numpy as np
import pytest
import sympy

from theory import MASK, ImpossibleEvidence, Permutations, TooLarge, information


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
