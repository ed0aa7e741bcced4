"""Codes of which any k sites determine the others; small ones are cases of all families, too."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from tests import oracles
from tests.cases import code, code_words
from tests.noted import each, refusals
from theory import (
    MASK,
    ImpossibleEvidence,
    LinearForm,
    ReedSolomon,
    TooLarge,
    gallery,
    information,
)
from theory._core.finite_fields import finite_field

LONG = [(5, 2, 4), (5, 3, 4), (6, 3, 5), (5, 2, 5), (4, 2, 4), (6, 5, 3)]


@each(("length", "dimension", "field"), LONG)
def test_the_table_is_uniform_over_the_words(length, dimension, field):
    words = set(code_words(length, dimension, field))
    assert len(words) == field**dimension
    p = gallery.reed_solomon(length, dimension, field, exact=True)
    found = p.table()
    for x in oracles.all_sequences(length, field):
        assert found[x] == Fraction(x in words, len(words))
    floats = gallery.reed_solomon(length, dimension, field).table()
    np.testing.assert_array_equal(floats, found.astype(float))


@each(("length", "dimension", "field"), [(8, 3, 7), (9, 4, 8), (10, 2, 9), (17, 3, 16), (8, 3, 9)])
def test_any_k_sites_determine_the_others_in_every_field(length, dimension, field):
    """Horner's rule on the tables of the field; and any k columns hold every k tokens once."""
    gf = finite_field(field)
    p = ReedSolomon(length, dimension, field)
    messages = np.array(list(itertools.product(range(field), repeat=dimension)))
    words = np.zeros((len(messages), length), dtype=np.int64)
    for site in range(length):
        if site == field:
            words[:, site] = messages[:, -1]
            continue
        for k in range(dimension - 1, -1, -1):
            words[:, site] = gf.addition[gf.multiplication[words[:, site], site], messages[:, k]]
    rng = np.random.default_rng(0)
    for _ in range(10):
        sites = rng.choice(length, dimension, replace=False)
        assert len(np.unique(words[:, sites], axis=0)) == field**dimension
        chosen = words[rng.integers(0, len(words), 20)]
        x = np.full_like(chosen, MASK)
        x[:, sites] = chosen[:, sites]
        np.testing.assert_array_equal(p.denoise(x).argmax(axis=2), chosen)
        assert p.denoise(x).max(axis=2).min() == 1
        np.testing.assert_allclose(p.log_evidence(x), -dimension * math.log(field), rtol=1e-14)
        hidden = x.copy()
        hidden[:, sites[0]] = MASK
        others = p.denoise(hidden)[:, sites[0]]
        np.testing.assert_allclose(others, 1 / field)


@each("exact", [False, True])
def test_at_length_one_more_site_decides_or_contradicts(exact):
    length, dimension, field = 200, 80, 256
    p = gallery.reed_solomon(length, dimension, field, exact=exact)
    word = p.sample(np.random.default_rng(1), 1)[0]
    sites = np.random.default_rng(2).permutation(length)
    x = np.full(length, MASK)
    x[sites[: dimension - 1]] = word[sites[: dimension - 1]]
    assert (p.denoise(x)[sites[-1]] == (Fraction(1, 256) if exact else 1 / 256)).all()
    assert float(p.log_evidence(x)) == pytest.approx(-79 * math.log(256), rel=1e-14)
    x[sites[: dimension + 1]] = word[sites[: dimension + 1]]
    assert p.denoise(x).argmax(axis=1).tolist() == word.tolist()
    assert float(p.log_evidence(x)) == pytest.approx(-80 * math.log(256), rel=1e-14)
    x[sites[0]] ^= 1
    assert p.evidence(x) == 0
    assert p.log_evidence(x) == -math.inf
    with pytest.raises(ImpossibleEvidence):
        p.denoise(x)


@each("dimension", [0, 1, 30, 59, 60])
def test_entropies_count_sites_up_to_the_dimension(dimension):
    length, field = 60, 59
    p = gallery.reed_solomon(length, dimension, field, exact=True)
    token = LinearForm({59: 1})
    assert list(information.profile(p)) == [token * (j < dimension) for j in range(length)]
    assert information.entropy(p) == dimension * token
    assert information.total_correlation(p) == (length - dimension) * token * (dimension > 0)
    dual = 0 if dimension == length else dimension
    assert information.dual_total_correlation(p) == dual * token
    known = p.sample(np.random.default_rng(0), 1)[0]
    known[29:] = MASK
    left = min(max(dimension - 29, 0), 3)
    assert information.entropy(p, [29, 40, 59], known) == left * token
    floats = gallery.reed_solomon(length, dimension, field)
    np.testing.assert_allclose(
        information.profile(floats), information.profile(p).astype(float), rtol=1e-13
    )


@each(("dimension", "length"), [(0, 1000), (1, 1000), (999, 1000), (1000, 1000), (1, 1)])
def test_repetition_and_a_sum_need_no_more_than_two_tokens(dimension, length):
    p = gallery.reed_solomon(length, dimension, 2)
    drawn = p.sample(np.random.default_rng(0), 50)
    if dimension == 0:
        assert (drawn == 0).all()
    elif dimension == 1:
        assert (drawn == drawn[:, :1]).all()
        assert 0 < drawn.mean() < 1
    elif dimension < length:
        assert (drawn.sum(axis=1) % 2 == 0).all()
    assert np.isfinite(p.log_evidence(drawn)).all()


def test_parity_and_repetition_are_those_of_the_gallery():
    for length in range(3, 7):
        parity = gallery.reed_solomon(length, length - 1, 2, exact=True)
        assert (parity.table() == gallery.parity(length, exact=True).table()).all()
        repeated = gallery.reed_solomon(length, 1, 2)
        assert (repeated.table() == gallery.repeated_bit(length).table()).all()


def test_batches_mix_patterns_that_observe_different_sites():
    case = code(4, 2, 3)
    p = case.build()
    x = np.array(case.possible)[np.random.default_rng(0).permutation(len(case.possible))]
    np.testing.assert_allclose(p.denoise(x), case.expected(list(map(tuple, x.tolist()))))


test_what_is_no_code_is_refused = refusals(
    ("length must .*{}", lambda n: ReedSolomon(n, 1, 2), [0, -1, 2.0, "2", None, True]),
    ("dimension must .*{}", lambda k: ReedSolomon(4, k, 5), [-1, 5, 1.0, None]),
    ("field must .*{}", lambda q: ReedSolomon(4, 2, q), [1, 0, 3.0, None]),
    ("prime power .* such as 7, got 6", lambda: ReedSolomon(4, 2, 6)),
    ("at least 6 elements, such as 7, got 5", lambda: ReedSolomon(7, 3, 5)),
)


def test_large_fields_and_tables_are_refused():
    with pytest.raises(TooLarge, match=r"GF\(2048\)"):
        ReedSolomon(1500, 2, 2048)
    with pytest.raises(TooLarge, match=r"\(64,\)\*64"):
        ReedSolomon(64, 10, 64).table()


def test_it_says_what_it_is():
    p = ReedSolomon(5, 2, 5, exact=True)
    assert repr(p) == "<ReedSolomon: length 5, vocab 5, exact=True, dimension 2>"
