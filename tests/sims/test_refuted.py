"""Refuted statements: their data refute them and no shorter list does, by slow oracles.

Nothing of the library decodes or measures here; the page of the guide does the same with it.
"""

import itertools
import math
from fractions import Fraction
from typing import Any

import pytest

from tests import oracles
from tests.noted import each
from tests.sims import policy_oracles as slow

TOL = 1e-12


def words(length):
    return ["".join(bits) for bits in itertools.product("01", repeat=length)]


def joint_of(*strings):
    """The probabilities of all sequences, those that do not occur among them."""
    return {
        tuple(map(int, word)): Fraction(strings.count(word), len(strings))
        for word in words(len(strings[0]))
    }


def perfect(joint):
    return oracles.zero_loss(joint, 2, "marginal")


def overconfident(joint):
    """Each prediction squared and normalised."""

    def predict(pattern):
        squares = [[v**2 for v in row] for row in perfect(joint)(pattern)]
        return [[v / sum(row) for v in row] for row in squares]

    return predict


def written(joint, decoder):
    return slow.expected_output(joint, 2, decoder, perfect(joint)).table


def distance(decoder):
    """How far the decoder moves the data, or writes something else, in total variation."""
    return lambda joint: slow.total_variation(joint, written(joint, decoder))


def masked_again(strength):
    """At random, in the steps 0, 1/2, 3/4, 1; at strength 0 nothing is."""
    times = (Fraction(0), Fraction(1, 2), Fraction(3, 4), Fraction(1))
    return slow.Selecting(slow.remask(times, Fraction(strength)), 3, remasks=True)


def above_pairs(joint):
    pairs = itertools.combinations(range(oracles.length_of(joint)), 2)
    told = sum(oracles.total_correlation(joint, pair) for pair in pairs)
    return oracles.total_correlation(joint) - told


def lost(joint, choice, predict):
    """The path KL, along the data."""
    costs, _ = slow.along_the_data(joint, slow.Selecting(choice), slow.asking(predict))
    return math.fsum(costs)


def loses_more(size, larger):
    """By how much blocks of a size lose more than larger ones."""

    def more(joint):
        costs = [lost(joint, slow.left_to_right(k), perfect(joint)) for k in (size, larger)]
        return costs[0] - costs[1]

    return more


def above_the_loss(choice):
    """By how much an order loses more than the training loss says, of the overconfident model."""

    def more(joint):
        predict = overconfident(joint)
        stated = oracles.expected_continuous_nelbo(joint, predict) - oracles.entropy(joint)
        return lost(joint, choice, predict) - stated

    return more


EXCESS = math.log(5**7 / 6**6) / 8
"""The loss of the overconfident model on 00 twice, 01 and 11, above the entropy."""

THREE = ("00", "01", "10")
CASES = [
    ("two bits at once", distance(slow.Selecting(slow.left_to_right(2))), ("00", "11"), 1 / 2),
    ("pairs", above_pairs, ("001", "010", "100"), math.log(4 / 3)),
    ("two sites again", distance(slow.block_corrector(None, 2, 1)), ("00", "11"), 1 / 2),
    *(
        (f"again by {kind}", distance(slow.Informed(None, 1, kind)), THREE, tv)
        for kind, tv in (("confidence", 1 / 18), ("current", 1 / 18), ("margin", 1 / 6))
    ),
    *(
        (
            f"kept, {ties}",
            distance(slow.Drawing(slow.token_confidence(1, ties=ties))),
            ("00", "00", "11"),
            2 / 9,
        )
        for ties in ("lowest", "highest", "random")
    ),
    *(
        (f"planned, {seen}", distance(slow.path_planning(2, seen)), ("00", "00", "11"), 2 / 9)
        for seen in ("one-hot", "leave-one-out", "flat")
    ),
    *(
        (f"masked again, {strength}", distance(masked_again(strength)), ("00", "11"), 3 / 16)
        for strength in (0, 1)
    ),
    (
        "a threshold",
        lambda joint: lost(joint, slow.threshold(0.6), perfect(joint)),
        ("00", "00", "11"),
        math.log(3) - 2 * math.log(2) / 3,
    ),
    ("smaller blocks", loses_more(2, 3), ("0000", "0011"), math.log(2)),
    ("confident order", above_the_loss(slow.top_k(1)), ("00", "00", "01", "11"), EXCESS),
    ("blocks of one", above_the_loss(slow.left_to_right(1)), ("00", "00", "01", "11"), EXCESS),
]


@each(("name", "excess", "strings", "number"), CASES)
def test_the_data_refute_by_the_number_that_is_said(name, excess, strings, number):
    assert excess(joint_of(*strings)) == pytest.approx(number, rel=1e-12)


@each(("name", "excess", "strings", "number"), CASES)
def test_no_shorter_list_refutes(name, excess, strings, number):
    looked_at = 0
    for count in range(1, len(strings)):
        for shorter in itertools.combinations_with_replacement(words(len(strings[0])), count):
            assert excess(joint_of(*shorter)) <= TOL, shorter
            looked_at += 1
    assert looked_at == math.comb(2 ** len(strings[0]) + len(strings) - 1, len(strings) - 1) - 1


@pytest.mark.parametrize("smaller", [(1, 2), (1, 3), (2, 3)])
def test_of_three_sites_smaller_blocks_lose_no_more(smaller):
    """On all lists of up to three strings; and by the chain rule on everything."""
    excess: Any = loses_more(*smaller)
    for count in (1, 2, 3):
        for strings in itertools.combinations_with_replacement(words(3), count):
            assert excess(joint_of(*strings)) <= TOL, strings


def test_a_mixture_of_orders_is_right_and_no_order_is():
    """Three bits that are not all equal, two random ones and then the third."""
    joint = joint_of("001", "010", "011", "100", "101", "110")
    assert oracles.output_distribution(joint, (2, 1), 2, "marginal") == joint
    predict = perfect(joint)
    for partition in oracles.ordered_partitions(range(3), (2, 1)):
        assert any(oracles.partition_probability(x, partition, predict) != joint[x] for x in joint)
    cost = oracles.mean_path_cost(joint, (2, 1), 2)
    assert cost == pytest.approx(5 * math.log(2) / 3 - math.log(3), rel=1e-12)


def test_no_mixture_of_orders_of_fewer_strings_is_right_where_an_order_is_not():
    """Of lists with 000 in them, which all others become if bits are flipped."""
    looked_at = 0
    for count in range(5):
        for strings in itertools.combinations_with_replacement(words(3), count):
            joint = joint_of("000", *strings)
            if oracles.mean_path_cost(joint, (2, 1), 2) > TOL:
                looked_at += 1
                assert oracles.output_distribution(joint, (2, 1), 2, "marginal") != joint, strings
    assert looked_at > 200
