"""Tokens of a round drawn together, against decoders written from the definition."""

import functools
import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from sims import Perturbed, decode, joints, output_distribution, policies
from sims.policies import JointDraw, LeftToRight
from sims.policies.base import Policy
from tests import oracles
from tests.cases import EXACT_CASES, build_exact, each_of
from tests.noted import each, refusals
from tests.sims import policy_oracles as slow
from tests.sims.policy_table import both, zero_loss
from theory import gallery

SMALL = [case for case in EXACT_CASES if case.length <= 4 and len(case.patterns) <= 81]
each_small = each_of(SMALL)


def true_joint(joint, pattern, sites, rows):
    """The joint conditional where there is one."""
    if oracles.evidence(joint, pattern) == 0:
        return slow.product_of(pattern, sites, rows)
    return oracles.marginal(oracles.condition(joint, pattern), sites)


def two_candidates(joint, pattern, sites, rows):
    """From two draws of the product, one in proportion to p(x_S | c) over it."""
    alone = slow.product_of(pattern, sites, rows)
    if len(sites) == 1 or oracles.evidence(joint, pattern) == 0:
        return alone
    given = oracles.marginal(oracles.condition(joint, pattern), sites)
    weight = {v: given.get(v, 0) / q if q else 0 for v, q in alone.items()}
    probabilities: dict[Any, Any] = dict.fromkeys(alone, Fraction(0))
    for a, b in itertools.product(alone, repeat=2):
        total = weight[a] + weight[b]
        share = weight[a] / total if total else Fraction(1)
        probabilities[a] += alone[a] * alone[b] * share
        probabilities[b] += alone[a] * alone[b] * (1 - share)
    return probabilities


JOINTS = {
    "product": (lambda p: joints.Product(), lambda joint, *given: slow.product_of(*given), 0),
    "energy": (joints.ResidualEnergy, true_joint, 0),
    "two candidates": (lambda p: joints.Resampled(p, 2), two_candidates, 1),
}


def sizes_of(length):
    return (length // 2, length - length // 2) if length > 1 else (1,)


def inners(length):
    return [
        both(LeftToRight, 2),
        both(policies.TopK, 2, "margin"),
        both(policies.RandomOrder, sizes_of(length)),
        both(policies.Blocks, 3, both(LeftToRight, 2)),
        both(policies.Threshold, 0.7),
    ]


@pytest.mark.parametrize("kind", JOINTS)
@each("number", range(5))
@each_small
def test_what_is_written_against_the_definition(case, number, kind):
    p = build_exact(case)
    make, of_sites, extra = JOINTS[kind]
    inner, oracle = inners(case.length)[number]
    together = slow.joint_draw(oracle.choice, functools.partial(of_sites, case.joint), extra)
    q = output_distribution(p, JointDraw(inner, make(p)))
    expected = slow.expected_output(
        case.joint, case.vocab, slow.Drawing(together), zero_loss(case), exact=True
    )
    assert {x: q.table[x] for x in expected.table} == expected.table
    assert q.rounds == expected.rounds


def test_within_blocks_and_at_a_temperature_and_with_a_wrong_denoiser():
    p = gallery.parity(4, exact=True)
    energy = joints.ResidualEnergy(p)
    inside = policies.Blocks(2, JointDraw(LeftToRight(2), energy))
    assert output_distribution(p, inside).table.tolist() == p.table().tolist()
    blunt = Perturbed(p, smoothing=Fraction(1, 4))
    q = output_distribution(p, JointDraw(LeftToRight(2), energy), denoiser=blunt)
    assert q.valid_mass == 1  # the weights forbid what is odd
    cold = output_distribution(p, JointDraw(LeftToRight(2), joints.Product()), temperature=0)
    assert (cold.table == output_distribution(p, LeftToRight(2), temperature=0).table).all()


def test_candidates_are_drawn_at_a_length_that_has_no_table():
    p = gallery.binary_symmetric(200, 0.05)
    decoder = JointDraw(LeftToRight(50), joints.Resampled(p, 64))
    written = decode(p, decoder, np.random.default_rng(0), 50)
    alone = decode(p, LeftToRight(50), np.random.default_rng(0), 50)
    flips = [(w.tokens[:, 1:] != w.tokens[:, :-1]).mean() for w in (written, alone)]
    assert written.rounds.tolist() == [8] * 50
    assert flips[0] < flips[1]


def test_calls_of_rows_that_reveal_different_numbers_of_sites():
    """Three equal bits, then a pair at once (two calls) if they are ones, else one by one."""

    def select(x, predictions):
        masked = x == oracles.MASK
        first = masked & (np.cumsum(masked, axis=1) == 1)
        return np.where((x[:, :1] == 1), masked, first)

    p = gallery.repeated_bit(3, noise=0.1)
    decoder = JointDraw(select, joints.Resampled(p, 2))
    assert output_distribution(p, decoder).rounds == {3: 1.0}
    assert decode(p, decoder, np.random.default_rng(0), 20).rounds.tolist() == [3] * 20


class Clock(Policy):
    @property
    def steps(self):
        return 2

    def reveal_distribution(self, x, predictions, round_index):
        yield 1, x == oracles.MASK


test_bad_input = refusals(
    ("selects before it draws, got {}", lambda inner: JointDraw(inner, joints.Product()), [7]),
    (
        "selects before it draws",
        lambda inner: JointDraw(inner, joints.Product()),
        [policies.TokenConfidence(1)],
    ),
    ("has a clock", lambda: JointDraw(policies.Bernoulli([0, 1]), joints.Product())),
    ("has a clock", lambda: JointDraw(Clock(), joints.Product())),
    ("must be a Joint of sims.joints, got '{}'", lambda j: JointDraw(LeftToRight(2), j), ["mix"]),
)


class Short(joints.Joint):
    knows = "too little"

    def distribution(self, x, sites, marginals):
        return marginals[:, 0]


P, FIVE, CHAIN = gallery.parity(3), gallery.parity(5), gallery.binary_symmetric(3, 0.2)
OF_PERMUTATIONS = JointDraw(LeftToRight(2), joints.ResidualEnergy(gallery.permutations(3)))
OF_A_CHAIN = JointDraw(LeftToRight(2), joints.Projection(gallery.binary_symmetric(5, 0.1)))
OF_FIVE = JointDraw(LeftToRight(3), joints.ResidualEnergy(FIVE))
EXACT_FIVE, RNG = gallery.parity(5, exact=True), np.random.default_rng(0)


def written(decoder, p=P):
    return output_distribution(p, decoder)


test_joints_of_other_data_are_refused = refusals(
    ("knows data of 3 sites and 3 tokens, not of 3 and 2", written, [OF_PERMUTATIONS]),
    ("knows data of 5 sites, not of 3", written, [OF_FIVE, policies.Blocks(2, OF_FIVE)]),
    ("knows data of 5 sites, not of 3", lambda: output_distribution(CHAIN, OF_A_CHAIN)),
    ("knows data of 5 sites, not of 3", lambda: decode(CHAIN, OF_A_CHAIN, RNG, 2)),
    (r"needs exact joints, ResidualEnergy\(\) gave 0\.\d", lambda: written(OF_FIVE, EXACT_FIVE)),
    (r"shape \(1, 2\); expected \(1, 4\)", written, [JointDraw(LeftToRight(2), Short())]),
)


def test_what_is_observed_counts_for_the_joint():
    """Three of five sites are left, and the data fit."""
    assert abs(output_distribution(FIVE, OF_FIVE, observed=[0, 3]).kl) < 1e-12


def test_its_name():
    decoder = JointDraw(LeftToRight(2), joints.Projection(gallery.parity(3), "pairs"))
    assert repr(decoder) == "JointDraw(LeftToRight(2), Projection('pairs'))"
