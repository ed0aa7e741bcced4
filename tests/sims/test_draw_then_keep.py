"""Draw, then keep: which settings are the same decoder, ties and noise by hand, what is refused.

Every setting is compared with a slow oracle where all decoders are, see `policy_table`.
"""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from sims import decode, output_distribution
from sims.policies import (
    Blocks,
    DrawThenKeep,
    FixedOrder,
    LeftToRight,
    Mirrored,
    RandomOrder,
    Threshold,
    TokenConfidence,
    TopK,
)
from tests.cases import build_exact, close
from tests.noted import each, refusals
from tests.sims.policy_table import SMALL
from theory import MASK, JointTable, TooLarge, gallery

NAMES = ("dense", "zeros", "three tokens", "all equal")
TIES = ("lowest", "highest", "random")
CHAIN = gallery.binary_symmetric(4, Fraction(1, 10), exact=True)


def total_variation(a, b):
    return abs(a - b).sum() / 2


def assert_same_output(p, policy, other, temperature=1):
    found, expected = (output_distribution(p, d, temperature) for d in (policy, other))
    assert (found.table == expected.table).all()
    assert found.rounds == expected.rounds


# Settings that are the same decoder, in exact arithmetic


@each("name", NAMES)
@each("ties", TIES)
def test_scores_of_sites_do_not_care_what_was_drawn(ties, name):
    p = build_exact(SMALL[name])
    for score in ("margin", "entropy"):
        for k in (1, 2):
            assert_same_output(p, DrawThenKeep(k, score, ties=ties), TopK(k, score, ties=ties))


@each("name", NAMES)
def test_uniform_scores_are_a_random_order(name):
    p = build_exact(SMALL[name])
    for sizes in ((1, 0, p.length - 1), (p.length,), (0, p.length - 1, 1)):
        uniform = DrawThenKeep(score="uniform", sizes=sizes)
        assert_same_output(p, uniform, RandomOrder(sizes))


@each("name", NAMES)
@each("ties", TIES)
def test_a_threshold_that_nothing_exceeds_leaves_the_best(ties, name):
    """So what `TokenConfidence` sums up is what the enumeration of all draws finds."""
    p = build_exact(SMALL[name])
    for k in (1, 2, 5):
        enumerated = DrawThenKeep(k, threshold=1, ties=ties)
        assert_same_output(p, enumerated, TokenConfidence(k, ties=ties))
        assert_same_output(p, enumerated, DrawThenKeep(k, ties=ties))
        if name != "zeros":  # where (n+1) (1-p) is 0 for every n
            assert_same_output(p, DrawThenKeep(k, factor=1e-9, ties=ties), enumerated)


@each("name", NAMES)
def test_a_threshold_that_everything_exceeds_keeps_all(name):
    p = build_exact(SMALL[name])
    assert_same_output(p, DrawThenKeep(threshold=0), LeftToRight(p.length))
    assert_same_output(p, DrawThenKeep(factor=99), LeftToRight(p.length))
    assert_same_output(p, DrawThenKeep(99), LeftToRight(p.length))


@each("name", NAMES)
def test_at_temperature_zero_the_likeliest_tokens_are_drawn(name):
    p = build_exact(SMALL[name])
    assert_same_output(p, DrawThenKeep(2), TopK(2), 0)
    assert_same_output(p, DrawThenKeep(threshold=0.6), Threshold(0.6), 0)
    assert_same_output(p, DrawThenKeep(1, "tempered"), LeftToRight(1), 0)  # all are certain
    assert_same_output(p, DrawThenKeep(1, "tempered", ties="highest"), Mirrored(LeftToRight(1)), 0)


@each("name", NAMES)
def test_steps_that_reveal_nothing_change_nothing(name):
    p = build_exact(SMALL[name])
    plain, zeros = (1, p.length - 1), (0, 1, 0, 0, p.length - 1, 0)
    for make in (TopK, TokenConfidence):
        assert_same_output(p, make(sizes=zeros), make(sizes=plain))
    assert_same_output(p, RandomOrder(zeros), RandomOrder(plain))
    order = tuple(range(p.length))[::-1]
    assert_same_output(p, FixedOrder(order, zeros), FixedOrder(order, plain))
    assert_same_output(p, FixedOrder(order), Mirrored(LeftToRight()))


def test_sizes_hold_in_every_block_and_after_a_prompt():
    p = gallery.binary_symmetric(5, Fraction(1, 4), exact=True)
    for make in (TopK, TokenConfidence):
        in_blocks = Blocks(2, make(sizes=(1, 0, 1)))
        for prompt in ([0] + [MASK] * 4, [1, MASK, MASK, MASK, MASK]):
            found = output_distribution(p, in_blocks, prompt=prompt)
            expected = output_distribution(p, Blocks(2, make(1)), prompt=prompt)
            assert (found.table == expected.table).all()
            assert found.rounds == expected.rounds == {4: 1}
        found = output_distribution(p, make(sizes=(2, 1)), observed=(1, 3))
        assert found.rounds == {2: 1}


# Ties


def test_how_much_ties_matter_on_symmetric_data():
    """A chain of four bits, each another one than before in a tenth of cases.

    Two sites at first: the lowest two are (0, 1), the highest (2, 3), and all pairs are as likely.
    """
    for make in (TopK, TokenConfidence):
        low, high, drawn = (output_distribution(CHAIN, make(2, ties=ties)) for ties in TIES)
        assert low.tv == high.tv == Fraction(54, 125)
        assert total_variation(low.table, high.table) == Fraction(8, 25)
        assert float(drawn.tv) == pytest.approx(0.3109, abs=1e-4)
        assert float(total_variation(low.table, drawn.table)) == pytest.approx(0.302, abs=1e-4)
    low, high, drawn = (output_distribution(CHAIN, TokenConfidence(1, ties=t)) for t in TIES)
    between = [float(total_variation(low.table, q.table)) for q in (high, drawn)]
    assert between == pytest.approx([0.0988, 0.0508], abs=1e-4)
    assert [float(q.tv) for q in (low, drawn)] == pytest.approx([0.1779, 0.1603], abs=1e-4)


def test_the_highest_index_is_the_lowest_of_the_mirror_image():
    p = build_exact(SMALL["all equal"])
    for k in (1, 2):
        assert_same_output(p, TopK(k, ties="highest"), Mirrored(TopK(k)))
    dense = build_exact(SMALL["dense"])
    turned = JointTable(dense.table().transpose(), exact=True)
    for k in (1, 2):
        found = output_distribution(dense, TokenConfidence(k, ties="highest"))
        expected = output_distribution(turned, TokenConfidence(k))
        assert (found.table == expected.table.transpose()).all()


def test_a_repeated_bit_by_hand():
    """All draws tie, and the first two sites are fair bits: equal ones are copied by all others.

    After unequal ones all is fair. So 0 and 1 at the first two sites are followed by anything, or
    at the last two preceded by it: 8 of 16 sequences each, 1/16 each, of which 4 are in both.
    """
    p = gallery.repeated_bit(4)
    low, high, drawn = (output_distribution(p, TokenConfidence(2, ties=ties)) for ties in TIES)
    assert [q.valid_mass for q in (low, high, drawn)] == [close(0.5)] * 3
    assert total_variation(low.table, high.table) == close(1 / 4)


# Noise


def independent(*rows):
    """A product of bits that are 1 with these probabilities."""
    table = np.ones(1)
    for one in rows:
        table = np.multiply.outer(table, [1 - one, one])
    return JointTable(table.reshape((2,) * len(rows)))


def test_the_first_token_by_hand():
    """In proportion to p^(1/a) of what was drawn, or to exp(p/a)."""
    p = independent(0.5, 0.1)
    settings: list[Any] = [(1.0, "log"), (0.5, "log"), (0.25, "score"), (4.5, "log")]
    for noise, noise_on in settings:
        rare = 0.0
        for drawn, value in ((0.1, 1), (0.9, 0)):
            if noise_on == "score":
                weight, other = math.exp(drawn / noise), math.exp(0.5 / noise)
            else:
                weight, other = drawn ** (1 / noise), 0.5 ** (1 / noise)
            kept = weight / (weight + other)
            rare += drawn * (kept * value + (1 - kept) * 0.1)
        q = output_distribution(p, DrawThenKeep(1, noise=noise, noise_on=noise_on))
        assert q.table[:, 1].sum() == close(rare)


@each("make", (TopK, DrawThenKeep))
def test_much_noise_is_a_random_order_and_hardly_any_is_none(make):
    p = JointTable(np.random.default_rng(1).gamma(1.0, size=(2, 2, 2)))  # without ties
    for k, sizes in ((1, (1, 1, 1)), (2, (2, 1))):
        for noise in (1e12, 1e300):
            found = output_distribution(p, make(k, noise=noise)).table
            np.testing.assert_allclose(
                found, output_distribution(p, RandomOrder(sizes)).table, atol=1e-11
            )
        for noise in (1e-4, 1e-300, 5e-324):
            for noise_on in ("log", "score"):
                found = output_distribution(p, make(k, noise=noise, noise_on=noise_on)).table
                np.testing.assert_allclose(found, output_distribution(p, make(k)).table, atol=1e-11)


def test_hardly_any_noise_breaks_ties_at_random():
    p = gallery.binary_symmetric(4, 0.1)
    for make in (TopK, TokenConfidence):
        expected = output_distribution(p, make(2, ties="random")).table
        noisy = TopK(2, noise=1e-9) if make is TopK else DrawThenKeep(2, noise=1e-9)
        np.testing.assert_allclose(output_distribution(p, noisy).table, expected, atol=1e-6)


def test_noise_of_maskgit_falls_to_nothing():
    """Its best size is far from both ends: with none, or at random, two tokens at the end."""
    p = JointTable(np.random.default_rng(3).gamma(0.5, size=(3, 3, 3, 3)))
    kl = {}
    for r in (0.0, 1.0, 4.5):
        noise = tuple(r * (1 - t / 3) for t in range(4))
        policy = DrawThenKeep(score="tempered", sizes=(1, 1, 1, 1), noise=noise)
        assert not policy.randomised or r
        kl[r] = output_distribution(p, policy).kl
    assert kl[4.5] < kl[1.0] / 5 < kl[0.0] / 50


# Draws


def test_equal_seeds_draw_equal_tokens():
    p = gallery.binary_symmetric(60, 0.1)
    for k in (1, 7):
        pair = (TokenConfidence(k), DrawThenKeep(k))
        a, b = (decode(p, policy, np.random.default_rng(0), 50).tokens for policy in pair)
        assert (a == b).all()


@each(
    "policy",
    [
        TopK(100, ties="random"),
        TopK(sizes=(0, 500, 0, 250, 250), noise=(1.0, 1.0, 0.5, 0.1, 0.0)),
        DrawThenKeep(250, noise=2.0, noise_on="score"),
        DrawThenKeep(250, "uniform"),
        DrawThenKeep(50, threshold=0.9, ties="random"),
        DrawThenKeep(300, factor=1.0, ties="highest"),
        FixedOrder(range(999, -1, -1), (500, 0, 500)),
        Blocks(100, DrawThenKeep(sizes=(50, 0, 50), noise=(1.0, 0.0, 0.0))),
    ],
    ids=repr,
)
def test_a_thousand_sites(policy):
    p = gallery.binary_symmetric(1000, 0.1)
    written = decode(p, policy, np.random.default_rng(0), 3)
    assert ((written.tokens == 0) | (written.tokens == 1)).all()
    assert (written.rounds <= 20).all()


def test_exact_data_are_drawn_from_with_noise():
    written = decode(CHAIN, DrawThenKeep(2, noise=1.0), np.random.default_rng(0), 20)
    assert written.rounds.tolist() == [2] * 20


# What is refused

P = gallery.binary_symmetric(3, 0.2)


def written(policy, p=P):
    return output_distribution(p, policy)


def exactly(policy):
    return output_distribution(CHAIN, policy)


test_refusals = refusals(
    *(
        (f"^{make.__name__} takes either k.* sizes .*: got k=None and sizes=None", make)
        for make in (TopK, TokenConfidence, DrawThenKeep)
    ),
    *(
        (r"got k=2 and sizes=\(1, 2\)", lambda make: make(2, sizes=(1, 2)), [make])
        for make in (TopK, TokenConfidence, DrawThenKeep)
    ),
    (r"k=2 and sizes=\(1, 2\)", lambda: DrawThenKeep(2, sizes=(1, 2), threshold=0.5)),
    ("give k, the least .* got sizes=.1, 2", lambda: DrawThenKeep(sizes=(1, 2), threshold=0.5)),
    ("batch size must .* at least 0, got -1", lambda: TopK(sizes=(1, -1))),
    ("batch size must .* at least 0, got 0.5", lambda: RandomOrder((0.5, 1))),  # pyright: ignore
    ("sizes must be a sequence", lambda: TopK(sizes=3)),  # pyright: ignore
    (r"length 3: \(2, 0, 2\) sums to 4", written, [TopK(sizes=(2, 0, 2))]),
    ("length 3: .* sums to 2", written, [TokenConfidence(sizes=(1, 1)), RandomOrder((0, 2))]),
    ("length 1: .* sums to 2", written, [Blocks(2, TopK(sizes=(1, 1)))]),
    ("length 1: .* sums to 2", written, [Blocks(2, TokenConfidence(sizes=(1, 1)))]),
    ("length 3: .* sums to 2", written, [FixedOrder((0, 1, 2), (1, 1))]),
    ("lacks site 1", written, [FixedOrder((0, 2))]),
    ("has site 3; the sites are 0 to 2", written, [FixedOrder((0, 1, 2, 3))]),
    ("it has 1 twice", FixedOrder, [(0, 1, 1)]),
    ("site of the order must be an integer of at least 0, got -1", FixedOrder, [(0, -1)]),
    ("order must be a sequence of sites, got 3", FixedOrder, [3]),
    *(
        ("lowest, highest, random, got '{}'", lambda ties, make=make: make(1, ties=ties), ["first"])
        for make in (TopK, TokenConfidence, DrawThenKeep)
    ),
    ("noise must .* at least 0, got '?{}'?", lambda n: TopK(1, noise=n), [-1, math.inf, "x", None]),
    ("noise must .* at least 0, got -1", lambda: TopK(sizes=(1, 2), noise=(1, -1))),
    (r"one number, or one for each of sizes=None: got \(1, 0\)", lambda: TopK(1, noise=(1, 0))),
    (r"each of sizes=\(1, 2\): got \(1,\)", lambda: DrawThenKeep(sizes=(1, 2), noise=(1,))),
    ("noise_on must .* log, score, got '{}'", lambda o: TopK(1, noise=1, noise_on=o), ["logit"]),
    *(
        ("logarithms .* noise_on='score'", lambda s: DrawThenKeep(1, s, noise=1), [score])
        for score in ("margin", "entropy", "tempered entropy", "uniform")
    ),
    ("logarithms .* noise_on='score'", lambda s: TopK(1, s, noise=1), ["margin", "entropy"]),
    (
        "score must be one of probability, .* got '?{}'?",
        lambda s: DrawThenKeep(1, s),
        ["sure", None],
    ),
    ("threshold must be .* between 0 and 1, got {}", lambda t: DrawThenKeep(threshold=t), [2, -1]),
    ("factor must be a finite number above 0, got {}", lambda f: DrawThenKeep(factor=f), [0, -1]),
    ("threshold or a factor", lambda: DrawThenKeep(threshold=0.5, factor=1.0)),
    ("a threshold is for .* got '{}'", lambda s: DrawThenKeep(1, s, threshold=0.5), ["margin"]),
    ("a factor is for .* got '{}'", lambda s: DrawThenKeep(1, s, factor=0.5), ["uniform"]),
    ("none by a threshold", lambda: DrawThenKeep(threshold=0.5, noise=1.0)),
    ("no exact probabilities", exactly, [TopK(1, noise=1), DrawThenKeep(2, noise=1)]),
)


def test_a_round_that_does_not_fit_is_refused_before_it_is_computed(monkeypatch):
    p = gallery.repeated_bit(9)
    assert output_distribution(p, DrawThenKeep(4, noise=1.0)).rounds == pytest.approx({3: 1})
    monkeypatch.setenv("ZEROLOSS_MEMORY", "600000")
    assert output_distribution(p, TokenConfidence(4)).rounds == pytest.approx({3: 1})
    with pytest.raises(TooLarge, match="what is drawn at 9 sites over 2 tokens"):
        output_distribution(p, DrawThenKeep(4, noise=1.0))
    sequences = np.full((200, 10), MASK), np.full((200, 10, 2), 0.5)
    with pytest.raises(TooLarge, match="sets of sites"):
        list(TopK(5, noise=1.0).reveal_distribution(*sequences, 0))
