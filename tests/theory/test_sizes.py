"""What would not fit or not end is refused before it is begun, with its size."""

import math

import numpy as np
import pytest

from theory import MASK, EmpiricalDistribution, ProductMixture, TooLarge, gallery

FAR = EmpiricalDistribution([[0, 10**13]])


def test_predictions_over_a_huge_vocabulary_are_refused_with_their_shape():
    shape = r"a table of predictions of shape \(1, 2, 10000000000001\) has 2e\+13 entries"
    with pytest.raises(TooLarge, match=shape):
        FAR.denoise([MASK, MASK])
    with pytest.raises(TooLarge, match=shape):
        _ = FAR.marginals
    assert FAR.evidence([MASK, 10**13]) == 1


def test_predictions_for_many_patterns_are_refused_with_their_shape(monkeypatch):
    p = ProductMixture([1.0], np.full((1, 4, 2), 0.5))
    x = np.full((3, 4), MASK)
    monkeypatch.setenv("ZEROLOSS_MEMORY", str(3 * 4 * 2 * 8))
    assert p.denoise(x).shape == (3, 4, 2)
    monkeypatch.setenv("ZEROLOSS_MEMORY", str(3 * 4 * 2 * 8 - 1))
    with pytest.raises(TooLarge, match=r"shape \(3, 4, 2\) has 24 entries"):
        p.denoise(x)


def test_a_huge_vocabulary_is_spelled_without_being_listed():
    assert FAR.spell([[0, 10**13], [MASK, 7]]) == ["0 10000000000000", "· 7"]
    for vocab, spelled in ((10, "19"), (11, "1 9")):
        assert EmpiricalDistribution([[1, 9]], vocab=vocab).spell([1, 9]) == [spelled]


def test_grouping_counts_the_sets_of_sites_and_not_the_sequences_alone():
    """Two sequences and 2^30 sets; and of 20 sites, one entropy log 2 for every other set."""
    two = EmpiricalDistribution([[0] * 30, [1] * 30])
    with pytest.raises(TooLarge, match=r"2 sequences of length 30 .* about 4.4e\+12 steps"):
        _ = two.mean_entropies
    few = EmpiricalDistribution([[0] * 6, [1] * 6])
    np.testing.assert_allclose(few.mean_entropies, [0, *[math.log(2)] * 6], atol=1e-12)


def test_the_lattice_is_refused_before_the_table_is_made(monkeypatch):
    p = gallery.permutations(9)
    monkeypatch.setattr(type(p), "table", lambda self: pytest.fail("the table was made"))
    monkeypatch.setenv("ZEROLOSS_MEMORY", str(9**9 * 8))  # enough for the table
    with pytest.raises(TooLarge, match=r"lattice of shape \(10,\)\*9 has 1e\+09 entries"):
        p.lattice()


def test_the_sites_of_clauses_count_too(monkeypatch):
    """Eight strings of 3 latents and one clause: 64 bytes and 8 for each site."""
    clauses = [(0, 1, 2)]
    monkeypatch.setenv("ZEROLOSS_MEMORY", str(8 * (64 + 8 * 4) - 1))
    with pytest.raises(TooLarge, match="list of 4-site sequences has 8 entries"):
        gallery.nae_sat(3, clauses)
