"""Batches of policies that look at nothing, and what they lose, against what decoders write."""

from fractions import Fraction

import numpy as np
import pytest
import sympy

from sims import decode, output_distribution, policies
from sims.order.fixed_batches import fixed_batches
from tests.noted import each, refusals
from tests.sims.policy_table import one_of_each
from theory import MASK, gallery
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
each_fixed = each("policy", FIXED, ids=repr)
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

    for p in EXACT:
        cost = fixed_order_cost(p, fixed_batches(policy, p.length))
        assert sympy.expand(cost - output_distribution(p, policy).kl) == 0
    written = decode(gallery.binary_symmetric(60, 0.1), policy, np.random.default_rng(0), size=2)
    assert (written.rounds == len(fixed_batches(policy, 60))).all()


@each_fixed
def test_with_observed_sites(policy):
    p, observed = gallery.binary_symmetric(8, 0.2), (1, 4)
    batches = fixed_batches(policy, 8, observed=observed)
    cost = fixed_order_cost(p, batches, observed=observed)
    assert cost == pytest.approx(output_distribution(p, policy, observed=observed).kl, abs=1e-11)
    q = output_distribution(p, policy, observed=observed)
    assert len(batches) == pytest.approx(q.expected_rounds)


@pytest.mark.parametrize("p", [gallery.golden_mean(4), gallery.binary_symmetric(4, 0.2)], ids=repr)
def test_a_denoiser_that_goes_by_some_of_what_is_known(p):
    """Refreshed every second round; without the right context; without what is just written."""
    for order, seen in (
        ((0, 1, 2, 3), [(), (), (0, 1), (0, 1)]),
        ((3, 1, 0, 2), [(), (), (), (0, 1)]),
        ((0, 2, 1, 3), [(), (), (0,), (0, 2)]),
    ):

        def stale(x, seen=seen):
            shown = np.zeros(x.shape, dtype=bool)
            for row, count in zip(shown, (x != MASK).sum(axis=1), strict=True):
                row[list(seen[min(count, 3)])] = True
            stale_x = np.where(shown, x, MASK)
            predictions = p.denoise(stale_x, on_impossible="marginal")
            return np.where((x == MASK)[..., None], predictions, np.eye(p.vocab)[x])

        q = output_distribution(p, policies.FixedOrder(order), denoiser=stale)
        cost = fixed_order_cost(p, [(i,) for i in order], seen=seen)
        assert cost == pytest.approx(q.path_kl, abs=1e-11)
        assert cost == pytest.approx(q.kl, abs=1e-11)
        assert cost > 0.01


def test_by_hand():
    assert fixed_batches(policies.LeftToRight(2), 5) == ((0, 1), (2, 3), (4,))
    assert fixed_batches(policies.Blocks(3, policies.LeftToRight(2)), 5) == (
        (0, 1),
        (2,),
        (3, 4),
    )
    assert fixed_batches(policies.Mirrored(policies.Bisection()), 4) == ((2,), (1, 3), (0,))
    assert fixed_batches(policies.LeftToRight(2), 5, observed=[0, 3]) == ((1, 2), (4,))


class LooksLater(policies.LeftToRight):
    """A subclass may look."""

    def reveal_distribution(self, x, predictions, round_index):
        yield 1, (x == MASK) & (predictions.max(axis=-1) > 0)


def looks_or_is_random(policy):
    """As tests/sims/test_declared.py has found it."""
    return policy.depends_on != "nothing" or policy.randomised


def batches(policy):
    return fixed_batches(policy, 5)


L2R = policies.LeftToRight()
NOT_FIXED = [
    *(policy for policy, _ in one_of_each(5) if looks_or_is_random(policy)),
    policies.Mirrored(policies.Blocks(2, policies.TopK(1))),
    LooksLater(),
    lambda x, predictions: x == MASK,
]
test_refusals = refusals(
    ("has no fixed batches", batches, NOT_FIXED),
    ("policy must be", batches, [3]),
    ("length must be an integer of at least 1, got {}", lambda n: fixed_batches(L2R, n), [0]),
    ("nothing is left to write", lambda: fixed_batches(L2R, 2, observed=[0, 1])),
)
