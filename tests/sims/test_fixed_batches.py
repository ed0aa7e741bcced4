"""Batches of policies that look at nothing, and what they lose, against what decoders write."""

import inspect
from fractions import Fraction

import numpy as np
import pytest
import sympy

from sims import decode, output_distribution, policies
from sims.order.fixed_batches import fixed_batches
from tests.noted import each
from theory import MASK, InvalidInput, gallery, information
from theory.information.fixed_order import fixed_order_cost

FIXED = [
    policies.LeftToRight(),
    policies.LeftToRight(3),
    policies.Bisection(),
    policies.Bisection(2),
    policies.Blocks(3, policies.LeftToRight(2)),
    policies.Blocks(4, policies.Bisection()),
    policies.Mirrored(policies.LeftToRight(2)),
    policies.Mirrored(policies.Blocks(3, policies.Bisection())),
    policies.Blocks(4, policies.Mirrored(policies.Blocks(3, policies.LeftToRight(2)))),
]
each_fixed = pytest.mark.parametrize("policy", FIXED, ids=repr)
DATA = [
    gallery.binary_symmetric(7, 0.2),
    gallery.golden_mean(7),
    gallery.words(4),
    gallery.permutations(4),
    gallery.repeated_bit(6, 0.1),
]
EXACT = [gallery.binary_symmetric(6, Fraction(1, 5), exact=True), gallery.parity(5, exact=True)]


@each_fixed
def test_the_cost_is_what_the_decoder_loses(policy):
    for p in DATA:
        cost = fixed_order_cost(p, fixed_batches(policy, p.length))
        q = output_distribution(p, policy)
        assert cost == pytest.approx(q.kl, abs=1e-11)
        assert cost == pytest.approx(q.path_kl, abs=1e-11)


@each_fixed
def test_exactly(policy):
    for p in EXACT:
        cost = fixed_order_cost(p, fixed_batches(policy, p.length))
        assert sympy.expand(cost - output_distribution(p, policy).kl) == 0


@each_fixed
def test_with_observed_sites(policy):
    p, observed = gallery.binary_symmetric(8, 0.2), (1, 4)
    batches = fixed_batches(policy, 8, observed=observed)
    cost = fixed_order_cost(p, batches, observed=observed)
    assert cost == pytest.approx(output_distribution(p, policy, observed=observed).kl, abs=1e-11)
    q = output_distribution(p, policy, observed=observed)
    assert len(batches) == pytest.approx(q.expected_rounds)


@each_fixed
def test_as_many_rounds_as_are_drawn(policy):
    written = decode(gallery.binary_symmetric(60, 0.1), policy, np.random.default_rng(0), size=2)
    assert (written.rounds == len(fixed_batches(policy, 60))).all()


def test_by_hand():
    assert fixed_batches(policies.LeftToRight(2), 5) == ((0, 1), (2, 3), (4,))
    assert fixed_batches(policies.Blocks(3, policies.LeftToRight(2)), 5) == (
        (0, 1),
        (2,),
        (3, 4),
    )
    assert fixed_batches(policies.Mirrored(policies.Bisection()), 4) == ((2,), (1, 3), (0,))
    assert fixed_batches(policies.LeftToRight(2), 5, observed=[0, 3]) == ((1, 2), (4,))


def test_halving_loses_nothing_on_a_chain_of_any_length():
    p = gallery.binary_symmetric(10_000, 0.01)
    batches = fixed_batches(policies.Bisection(), 10_000)
    assert len(batches) == 14
    assert fixed_order_cost(p, batches) == 0.0
    # a second-order placement reveals neighbours one by one and is exact as well
    assert fixed_order_cost(p, fixed_batches(policies.Bisection(2), 10_000)) == 0.0


def test_the_best_fixed_order_is_not_worse_than_the_mean():
    """Pairs of neighbours cost more than random pairs, pairs that lie far apart cost less."""
    length = 1000
    p = gallery.binary_symmetric(length, 0.1)
    neighbours = fixed_order_cost(p, fixed_batches(policies.LeftToRight(2), length))
    random = information.path_cost(p, (2,) * (length // 2))
    apart = fixed_order_cost(p, [(i, i + length // 2) for i in range(length // 2)])
    assert apart < random < neighbours


class LooksLater(policies.LeftToRight):
    """A subclass may look."""

    def reveal_distribution(self, x, predictions, round_index):
        yield 1, (x == MASK) & (predictions.max(axis=-1) > 0)


@each(
    "policy",
    [
        policies.TopK(1),
        policies.Threshold(0.9),
        policies.EntropyBounded(0.1),
        policies.Factor(1.0),
        policies.RandomOrder((2, 3)),
        policies.FirstHitting(),
        policies.Bernoulli((0, 0.5, 1)),
        policies.TokenConfidence(1),
        policies.Speculative(2),
        policies.Remask((0, 0.5, 1), 0.5),
        policies.GibbsCorrector(policies.LeftToRight(), 1),
        policies.Blocks(2, policies.TopK(1)),
        policies.Blocks(2, policies.TokenConfidence(1)),
        policies.Mirrored(policies.Blocks(2, policies.TopK(1))),
        LooksLater(),
        lambda x, predictions: x == MASK,
    ],
    ids=lambda policy: "function" if inspect.isfunction(policy) else repr(policy),
)
def test_what_looks_or_tosses_is_refused(policy):
    with pytest.raises(InvalidInput, match="has no fixed batches"):
        fixed_batches(policy, 5)


def test_bad_lengths_and_observed_sites():
    with pytest.raises(InvalidInput, match="length must be an integer of at least 1, got 0"):
        fixed_batches(policies.LeftToRight(), 0)
    with pytest.raises(InvalidInput, match="nothing is left to write"):
        fixed_batches(policies.LeftToRight(), 2, observed=[0, 1])
    with pytest.raises(InvalidInput, match="policy must be"):
        fixed_batches(3, 2)  # pyright: ignore[reportArgumentType]
