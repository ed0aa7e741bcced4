"""Small probabilities that rescaling, subtraction or products lose, and zeros that stay zeros."""

import math
from fractions import Fraction

import numpy as np
import pytest

from theory import (
    MASK,
    EmpiricalDistribution,
    HiddenMarkovModel,
    JointTable,
    MarkovChain,
    ProductMixture,
    information,
)
from theory._markov.forward_backward import forward_backward, smooth_in_logarithms
from theory.errors import InvalidInput


def test_a_detour_that_explains_the_evidence_but_cannot_be_reached():
    """Of 2 and 3 both lead to the end 6 with 1e-400; only 7, never reached, leads there easily.

    Given the end, sites 2 and 3 of the path 0, 1, {2 or 3}, 4, 6 hold one fair bit together.
    """
    eps = 1e-200
    step = np.zeros((8, 8))
    step[0, 1] = step[5, 5] = step[6, 6] = 1.0
    step[1, 2] = step[1, 3] = step[7, 6] = step[7, 7] = 0.5
    for state in (2, 3):
        step[state, 4], step[state, 5] = eps, 1 - eps
    step[4, 6], step[4, 5] = eps, 1 - eps
    p = MarkovChain([1, 0, 0, 0, 0, 0, 0, 0], step, 5)
    end = [MASK, MASK, MASK, MASK, 6]
    assert p.denoise(end)[2].tolist() == [0, 0, 0.5, 0.5, 0, 0, 0, 0]
    assert math.isclose(p.log_evidence(end), 2 * math.log(eps), rel_tol=1e-12)
    assert math.isclose(information.entropy(p, [1, 2], end), math.log(2), rel_tol=1e-12)
    assert information.total_correlation(p, given=end) == pytest.approx(0, abs=1e-12)


def two_coins(length):
    """All tokens from one coin or all from the other: as a mixture and as a hidden Markov model."""
    read = [[0.6, 0.4], [0.4, 0.6]]
    yield ProductMixture([1, 1], [[row] * length for row in read])
    yield HiddenMarkovModel([0.5, 0.5], np.eye(2), read, length)


@pytest.mark.parametrize("zeros", [0, 1498, 1499, 2998])
def test_entropy_given_evidence_whose_probability_underflows(zeros):
    """Two masked sites; the posterior odds of the coins are (3/2)^(zeros - ones)."""
    x = np.ones(3000, dtype=np.int64)
    x[:zeros] = 0
    x[-2:] = MASK
    ones = 2998 - zeros
    first = 1 / (1 + math.exp(min((ones - zeros) * math.log(1.5), 700)))
    joint = first * np.outer([0.6, 0.4], [0.6, 0.4]) + (1 - first) * np.outer(
        [0.4, 0.6], [0.4, 0.6]
    )
    expected = -(joint * np.log(joint)).sum()
    for p in two_coins(3000):
        assert p.evidence(x) == 0.0  # below every double
        assert math.isclose(information.entropy(p, given=x), expected, rel_tol=1e-9)


def test_a_small_weight_beside_a_large_group_of_equal_rows():
    p = EmpiricalDistribution([[0], [0], [1]], [0.5, 0.5, 1e-20])
    assert p.table().tolist() == [1.0, 1e-20]
    assert p.evidence([[0], [1]]).tolist() == [1.0, 1e-20]
    assert math.isclose(information.entropy(p), 1e-20 * math.log(1e20), rel_tol=1e-12)


def test_a_ratio_that_is_not_asked_for_may_overflow():
    """At the observed site the neighbours' ratio is 1e320; the answer there is one-hot."""
    p = JointTable([[1e-320, 1e-320], [1, 1]])
    assert p.denoise([0, MASK]).tolist() == [[1, 0], [0.5, 0.5]]


def test_silences_of_all_lengths():
    """Many steps at once are the steps one by one, as logarithms take them."""
    rng = np.random.default_rng(0)
    start, steps, shows = (rng.dirichlet(np.ones(3), size) for size in (1, 3, 3))
    p = HiddenMarkovModel(start[0], steps, shows, 400)
    x = np.full((3, 400), MASK)
    x[:, [0, 1, 3, 66, 130, 259, 399]] = rng.integers(0, 3, (3, 7))
    x[1, 200] = 1  # seen in one row only
    likelihood = np.where(x[..., None] == MASK, 1.0, shows.T[x])
    fast, slow = (f(start[0], steps, likelihood) for f in (forward_backward, smooth_in_logarithms))
    np.testing.assert_allclose(fast.posterior, slow.posterior, rtol=1e-10)
    np.testing.assert_allclose(fast.log_evidence, slow.log_evidence, rtol=1e-12)
    np.testing.assert_allclose(p.log_evidence(x), slow.log_evidence, rtol=1e-12)
    silent = np.full(400, MASK)
    assert p.log_evidence(silent) == pytest.approx(0, abs=1e-12)


def test_divergences_are_of_distributions():
    for bad in ([0.5, 0.6], [0.5, 0.4], [1.5, -0.5], []):
        for pair in (([0.5, 0.5], bad), (bad, [0.5, 0.5])):
            with pytest.raises(InvalidInput):
                information.kl_divergence(*pair)
    with pytest.raises(InvalidInput, match="sums to 3/2"):
        information.kl_divergence([Fraction(1, 2), 1], [Fraction(1, 2), Fraction(1, 2)])


def test_rounding_never_makes_an_information_negative():
    rng = np.random.default_rng(0)
    for _ in range(100):
        sites = [rng.dirichlet(np.ones(3)) for _ in range(3)]
        p = JointTable(np.einsum("i,j,k->ijk", *sites))
        values = [
            information.total_correlation(p),
            information.total_correlation(p, [0]),
            information.dual_total_correlation(p),
            information.kl_divergence(p.table(), p.table() * (1 + 1e-16)),
            information.information_from_right(p, 0),
            information.infilling(p, [0]).price,
            information.fixed_order_cost(p, [(0, 1), (2,)]),
            information.path_cost(p, (1, 2)),
            information.growth_complexity(p),
            information.tse_complexity(p),
            information.cardinality_growth_complexity(p),
            *information.gains(p),
        ]
        assert min(values) >= 0
