"""What decoders write: known values and what comes back. The oracles are in test_policies.py."""

import math
from fractions import Fraction

import numpy as np
import pytest
import sympy

from sims import output_distribution
from sims.policies import LeftToRight, RandomOrder
from tests.cases import close
from tests.noted import refusals
from theory import MASK, JointTable, TooLarge, gallery

# Properties


def test_a_policy_is_told_the_round_and_asked_only_about_masked_sequences():
    seen = []

    class Watch(LeftToRight):
        def reveal_distribution(self, x, predictions, round_index):
            seen.append(round_index)
            assert (x == MASK).any(axis=1).all()
            assert ((x != MASK).sum(axis=1) == round_index).all()
            assert len(np.unique(x, axis=0)) == len(x)
            assert predictions.shape == (*x.shape, 2)
            return super().reveal_distribution(x, predictions, round_index)

    output_distribution(gallery.parity(4), Watch())
    assert seen == [0, 1, 2, 3]


# Known values


def test_extreme_temperatures_approach_their_limits():
    """The likeliest token as T falls, every possible one alike as T grows."""
    p = JointTable([3, 1, 0, 2])
    cold = output_distribution(p, LeftToRight(), 1e-3).table
    assert cold == pytest.approx([1, 0, 0, 0], abs=1e-100)  # (2/3)^1000 is 1e-176
    hot = output_distribution(p, LeftToRight(), 1e9).table
    assert hot == pytest.approx([1 / 3, 1 / 3, 0, 1 / 3], abs=1e-8)
    assert hot[2] == 0
    for exact in (False, True):
        p = JointTable([[0, 1], [0, 0]], exact=exact)
        q = output_distribution(p, RandomOrder((2,)), 0)
        assert q.table.tolist() == [[0, 1], [0, 0]]
        assert (q.kl, q.path_kl, q.valid_mass) == (0, 0, 1)


def never_one(x):
    answer = np.zeros((*x.shape, 2))
    answer[..., 0] = 1
    return answer


def test_a_denoiser_that_rules_out_what_happens_loses_infinitely():
    """The data pass where the decoder never comes."""
    for policy in (LeftToRight(), RandomOrder((2,)), RandomOrder((1, 1))):
        q = output_distribution(gallery.coupled_pairs(1), policy, denoiser=never_one)
        assert q.table.tolist() == [[1, 0], [0, 0]]
        assert (q.kl, q.path_kl, q.valid_mass) == (math.inf, math.inf, 1)
        exact = output_distribution(
            gallery.coupled_pairs(1, exact=True),
            policy,
            denoiser=lambda x: never_one(x).astype(int).astype(object),
        )
        assert (exact.kl, exact.path_kl) == (sympy.oo, sympy.oo)


@pytest.mark.parametrize("pairs", [1, 2, 3])
def test_coupled_pairs_in_one_round(pairs):
    """New York and Los Angeles: each pair agrees with probability 1/2 and costs one bit."""
    q = output_distribution(gallery.coupled_pairs(pairs, exact=True), RandomOrder((2 * pairs,)))
    assert q.valid_mass == Fraction(1, 2**pairs)
    assert q.path_kl == q.kl == pairs * sympy.log(2)
    floats = output_distribution(gallery.coupled_pairs(pairs), RandomOrder((2 * pairs,)))
    assert (floats.valid_mass, floats.kl) == (close(0.5**pairs), close(pairs * math.log(2)))


@pytest.mark.parametrize("n", range(1, 8))
def test_one_hot_at_once(n):
    """One of n sites is 1, each with probability 1/n: n (1/n) ((n-1)/n)^(n-1)."""
    q = output_distribution(gallery.one_hot(n, exact=True), RandomOrder((n,)))
    assert q.valid_mass == Fraction(n - 1, n) ** (n - 1)
    assert output_distribution(gallery.one_hot(n), LeftToRight(n)).valid_mass == close(q.valid_mass)


# What comes back


def test_the_output_is_a_distribution_with_the_symbols_of_the_data():
    p = gallery.cities()
    q = output_distribution(p, RandomOrder((2,)))
    assert q.p is p
    assert isinstance(q.distribution, JointTable)
    assert q.distribution.symbols == p.symbols
    np.testing.assert_allclose(q.distribution.table(), q.table, rtol=1e-12)
    exact = output_distribution(gallery.cities(exact=True), RandomOrder((2,)))
    assert exact.distribution.exact
    assert exact.distribution.table().tolist() == exact.table.tolist()


def test_outputs_are_drawn_from_the_output_distribution():
    """Chi-square over the 4 strings of two coupled bits written at once: 1/4 each."""
    q = output_distribution(gallery.coupled_pairs(1), RandomOrder((2,)))
    drawn = q.sample(np.random.default_rng(0), 4000)
    assert drawn.shape == (4000, 2)
    counts = np.bincount(drawn @ [2, 1], minlength=4)
    assert ((counts - 1000) ** 2 / 1000).sum() < 3 + 5 * math.sqrt(6)
    again = q.sample(np.random.default_rng(0), 4000)
    np.testing.assert_array_equal(drawn, again)


def random_order(sizes):
    return output_distribution(gallery.coupled_pairs(1), RandomOrder(sizes))


test_refusals = refusals(
    ("sum to the length 2", random_order, [(1,), (3,), (1, 2), (2, 1, 1)]),
    ("size", random_order, [(-1, 3), (1, -1), (1.0, 1.0), "11", 2, None, (True, 1)]),
    ("k must be", LeftToRight, [0, -1, 1.0, "1", None, True]),
)
test_what_does_not_fit_is_refused = refusals(
    (".", lambda: output_distribution(gallery.binary_symmetric(60, 0.25), LeftToRight())),
    error=TooLarge,
)
