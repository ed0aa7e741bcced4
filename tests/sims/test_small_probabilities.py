"""What a decoder writes with a probability too small for a float."""

import math

import numpy as np
import pytest

from sims import output_distribution, policies, regret
from sims.imperfect.decomposition import split
from sims.order.order_costs import AnyOrder
from theory import JointTable, MarkovChain

BIT = JointTable([0.01, 0.99])


def test_a_cold_bit_is_not_impossible():
    """(1/99)^200 is 1e-399: KL = -h + .01 * 200 ln 99, with the rest 1 but for 1e-399."""
    entropy = -0.01 * math.log(0.01) - 0.99 * math.log(0.99)
    expected = 0.01 * 200 * math.log(99) - entropy  # 9.13424
    q = output_distribution(BIT, policies.LeftToRight(), 1 / 200)
    assert q.table[0] == 0.0
    assert q.kl == pytest.approx(expected, rel=1e-12)
    assert q.path_kl == pytest.approx(expected, rel=1e-12)
    assert q.reverse_kl == pytest.approx(-math.log(0.99), rel=1e-12)
    assert regret(BIT, policies.LeftToRight()) == 0
    parts = split(BIT, policies.LeftToRight(), temperature=1 / 200)
    assert parts.path_kl == pytest.approx(expected, rel=1e-12)
    assert parts.learning == pytest.approx(expected, rel=1e-12)
    assert AnyOrder(BIT, BIT.denoise, 1 / 200).kl((0,)) == pytest.approx(expected, rel=1e-12)
    assert output_distribution(BIT, policies.LeftToRight(), 0).kl == math.inf


def test_what_cannot_be_carried_is_said():
    """Drawn tokens decide there, so that no logarithm is known: nan, and not impossible."""
    q = output_distribution(BIT, policies.TokenConfidence(1), 1 / 200)
    assert math.isnan(q.kl)
    assert output_distribution(BIT, policies.TokenConfidence(1), 0).kl == math.inf


def test_a_product_below_every_float():
    """Both bits are 0 with 1e-200, drawn apart with 1e-400: KL is their entropy, some 4.6e-198."""
    q = output_distribution(JointTable([[1e-200, 0], [0, 1]]), policies.RandomOrder((2,)))
    expected = 1e-200 * 200 * math.log(10)
    assert q.kl == pytest.approx(expected, rel=1e-12, abs=0)
    assert q.path_kl == pytest.approx(expected, rel=1e-12, abs=0)
    assert q.reverse_kl == math.inf  # 01 is impossible


def test_the_coins_of_a_policy_below_every_float():
    """Two independent cold bits in a random order are written as in a fixed one: twice the KL."""
    p = JointTable(np.outer([0.01, 0.99], [0.01, 0.99]))
    entropy = -0.01 * math.log(0.01) - 0.99 * math.log(0.99)
    one = 0.01 * 200 * math.log(99) - entropy
    q = output_distribution(p, policies.RandomOrder((1, 1)), 1 / 200)
    assert q.kl == pytest.approx(2 * one, rel=1e-12)
    given = output_distribution(p, policies.LeftToRight(), 1 / 200, observed=[1])
    assert given.kl == pytest.approx(one, rel=1e-12)


def test_data_below_every_float_are_not_impossible():
    """A chain that leaves 0 and then 1 with 1e-200 each; the decoder writes just that."""
    eps = 1e-200
    p = MarkovChain([1, 0, 0], [[1 - eps, eps, 0], [0, 1 - eps, eps], [0, 0, 1]], 3)
    assert p.table()[0, 1, 2] == 0.0

    def steps(x):
        f = np.zeros((*x.shape, 3))
        f[:, 0, 0] = f[:, 1, 1] = f[:, 2, 2] = 1
        return f

    q = output_distribution(p, policies.RandomOrder((3,)), denoiser=steps)
    assert q.reverse_kl == pytest.approx(400 * math.log(10), rel=1e-12)
