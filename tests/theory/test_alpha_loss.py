"""The sequence alpha-loss: scores by their definition, best products against grids and bounds."""

import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy

from tests.cases import CASES, build_exact, each_family, each_of, row, table, to_device1, to_host
from tests.noted import each, refusals
from theory import JointTable, gallery
from theory.loss.alpha_loss import best_product, best_share, sentences, sequence_alpha_objective

ALPHAS = (0.1, 0.3, 0.45, 0.5, 0.55, 0.6, 0.7, 0.9)
SMALL = [case for case in CASES if case.length <= 3 and case.vocab <= 3]
HALF = Fraction(1, 2)


def score(joint, sites, alpha):
    """Sequence by sequence."""
    total = 0.0
    for x, mass in joint.items():
        q = math.prod(float(sites[i][v]) for i, v in enumerate(x))
        total += float(mass) * (q**alpha if q else 0.0)
    return total


def random_products(rng, length, vocab, count):
    """Products of all kinds: even, uneven and with zeros."""
    spread = rng.choice([0.05, 0.3, 1.0, 3.0], size=(count, length, 1))
    weights = rng.gamma(np.broadcast_to(spread, (count, length, vocab))) + 1e-300
    return weights / weights.sum(axis=-1, keepdims=True)


def two_words(first, second, length):
    """The same token at every site: one of two."""
    weights = np.zeros((2,) * length)
    weights[(0,) * length], weights[(1,) * length] = first, second
    return JointTable(weights)


# Scores


@each_of(SMALL)
def test_the_score_is_its_definition(case):
    p = case.build()
    products = random_products(np.random.default_rng(0), case.length, case.vocab, 5)
    for alpha in (0, 0.2, 0.5, 1):
        expected = [score(case.joint, sites, alpha) for sites in products]
        actual = sequence_alpha_objective(p, products, alpha)
        assert actual.shape == (5,)
        np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-15)
        one = sequence_alpha_objective(p, products[0], alpha)
        assert one == pytest.approx(expected[0], rel=1e-12, abs=1e-15)


def test_exact_scores():
    case = table("", [[1, 2], [3, 0]])
    p = build_exact(case)
    sites = [row(1, 3), row(2, 1)]
    assert sequence_alpha_objective(p, sites, 1) == sympy.Rational(2 + 2 + 18, 6 * 12)
    root: Any = sequence_alpha_objective(p, sites, HALF)
    expected = sum(
        sympy.Rational(w, 6) * sympy.sqrt(sympy.Rational(a * b, 12))
        for w, a, b in [(1, 1, 2), (2, 1, 1), (3, 3, 2)]
    )
    assert sympy.simplify(root - expected) == 0
    batch = sequence_alpha_objective(p, np.asarray([sites, sites], dtype=object), 1)
    assert batch.tolist() == [sympy.Rational(22, 72)] * 2


def test_a_float_anywhere_gives_a_float():
    p = gallery.parity(2, exact=True)
    assert isinstance(float(sequence_alpha_objective(p, [[0.5, 0.5]] * 2, HALF)), float)
    value = sequence_alpha_objective(p, [[HALF, HALF]] * 2, 0.5)
    assert value.dtype == np.float64
    assert value == pytest.approx(0.5)


# Best products


def slope_bound(p, sites, alpha):
    """No product scores more where the score is concave: the tangent plane at its highest corner.

    Slopes by the chain rule, sequence by sequence.
    """
    length, vocab = sites.shape
    slopes = np.zeros((length, vocab))
    for x in itertools.product(range(vocab), repeat=length):
        q = math.prod(sites[i, v] for i, v in enumerate(x))
        for i, v in enumerate(x):
            if p[x]:
                slopes[i, v] += p[x] * alpha * q**alpha / sites[i, v]
    value = sequence_alpha_objective(JointTable(p), sites, alpha)
    return value + (slopes.max(axis=1) - (slopes * sites).sum(axis=1)).sum()


@each("seed", range(6))
@each("share", [0.1, 0.5, 0.9])
def test_below_one_over_the_length_the_tangent_plane_proves_the_maximum(seed, share):
    """All cells positive, so that no probability of the optimum is 0."""
    rng = np.random.default_rng(seed)
    length, vocab = [(2, 2), (2, 3), (3, 2), (3, 3), (4, 2), (1, 3)][seed]
    weights = rng.integers(1, 20, size=(vocab,) * length)
    p, alpha = weights / weights.sum(), share / length
    found = best_product(JointTable(p), alpha)
    assert slope_bound(p, found.sites, alpha) <= found.value + 1e-11


@pytest.mark.parametrize("seed", range(5))
def test_at_one_half_two_sites_reach_the_largest_singular_value(seed):
    """``sum p(x, y) u(x) v(y)`` over unit vectors u, v: the roots of the probabilities."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(0, 5, size=(seed + 2, seed + 2)) + 0.0
    weights[0, 0] = 1
    p = JointTable(weights)
    largest = np.linalg.svd(weights / weights.sum(), compute_uv=False)[0]
    assert best_product(p, 0.5).value == pytest.approx(largest, rel=1e-12)


@each_of(SMALL)
def test_no_product_drawn_at_random_scores_more(case):
    p = case.build()
    products = random_products(np.random.default_rng(2), case.length, case.vocab, 3000)
    for alpha in ALPHAS:
        found = best_product(p, alpha)
        np.testing.assert_allclose(found.sites.sum(axis=-1), 1, rtol=1e-13)
        assert found.value == pytest.approx(score(case.joint, found.sites, alpha), rel=1e-12)
        assert sequence_alpha_objective(p, products, alpha).max() <= found.value + 1e-12


def test_the_ends():
    for p in (sentences(), gallery.words(3), gallery.golden_mean(4)):
        np.testing.assert_allclose(best_product(p, 0).sites, p.marginals, rtol=1e-14)
    assert best_product(sentences(), 1).sites.tolist() == [[1, 0, 0, 0, 0], [0, 0, 0, 1, 0]]
    assert best_product(sentences(), 1).value == pytest.approx(0.4, rel=1e-15)


@each("length", [1, 2, 3, 4])
@each("alpha", [0.1, 0.2, 0.3, 0.4, 0.6, 1.0])
@each("first", [1, 2, 5])
def test_best_share_of_two_words(length, alpha, first):
    """Against a grid of equal shares, and against products of any shares."""
    share = best_share(first / 6, 1 - first / 6, length, alpha)
    a = np.linspace(0, 1, 10_001)
    n = length * alpha
    grid = first / 6 * a**n + (1 - first / 6) * (1 - a) ** n
    value = first / 6 * share**n + (1 - first / 6) * (1 - share) ** n
    assert grid.max() <= value + 1e-12
    assert grid.max() >= value - 1e-2
    found = best_product(two_words(first, 6 - first, length), alpha)
    assert found.value == pytest.approx(value, rel=1e-10)


def test_best_share_at_extreme_odds():
    assert best_share(1e-300, 1.0, 2, 0.4999) == pytest.approx(0, abs=1e-300)
    assert best_share(1.0, 1e-300, 2, 0.4999) == 1
    assert best_share(1, 1, 3, 0.9) == 1
    assert best_share(1, 1, 3, 0.1) == 0.5


@each_family
def test_on_a_device(case):
    p, moved = case.build(), case.build(to_device1)
    for alpha in (0.1, 0.6, 1):
        here, there = best_product(p, alpha), best_product(moved, alpha)
        assert there.value == pytest.approx(here.value, rel=1e-12)
        np.testing.assert_allclose(to_host(there.sites), here.sites, rtol=1e-9, atol=1e-12)
        value = sequence_alpha_objective(moved, there.sites, alpha)
        assert float(value) == pytest.approx(here.value, rel=1e-12)


P = gallery.parity(2)
FAIR = [[0.5, 0.5]] * 2
BAD_ALPHAS = [-0.1, 1.5, math.nan, "1", True]

test_what_is_refused = refusals(
    ("alpha must be", lambda alpha: best_product(P, alpha), BAD_ALPHAS),
    ("alpha must be", lambda alpha: sequence_alpha_objective(P, FAIR, alpha), BAD_ALPHAS),
    (
        "alpha must be a number from 0 to 1, got 2",
        lambda: sequence_alpha_objective(gallery.parity(2, exact=True), [[HALF, HALF]] * 2, 2),
    ),
    (
        r"shape \(2, 2\) or \(B, 2, 2\)",
        lambda: sequence_alpha_objective(P, [[0.5, 0.5]] * 3, 0.5),
    ),
    ("must sum to 1", lambda: sequence_alpha_objective(P, [[0.5, 0.6], [0.5, 0.5]], 0.5)),
    ("axes", lambda: sequence_alpha_objective(P, [0.5, 0.5], 0.5)),
    ("a weight", lambda: best_share(0, 1, 2, 0.5)),
)
