"""Decoding by drawing, against the exact distribution of what is written."""

import itertools
import math
import os
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
import sympy
from scipy.stats import chi2

from sims import Decoded, Perturbed, decode, output_distribution, policies
from sims.joints import Product, Projection, Resampled, ResidualEnergy
from sims.joints.base import FromData, conditional, outer
from sims.policies import (
    Bernoulli,
    Bisection,
    BlockCorrector,
    Blocks,
    Corrector,
    Decoder,
    EntropyBounded,
    Factor,
    FirstHitting,
    GibbsCorrector,
    JointDraw,
    LeftToRight,
    Mirrored,
    Policy,
    RandomOrder,
    Remask,
    Rule,
    Speculative,
    Tabulated,
    Threshold,
    TokenConfidence,
    TokenPolicy,
    TopK,
)
from tests.cases import (
    CASES,
    DEVICE1,
    build_exact,
    each_family,
    random_rows,
    random_weights,
    to_device1,
    to_host,
)
from tests.noted import each
from tests.sims.test_output import Sometimes, looked_up, lookup_rule
from theory import (
    MASK,
    HiddenMarkovModel,
    InvalidInput,
    JointTable,
    MarkovChain,
    ProductMixture,
    gallery,
)

# The chi-square test. If seeds were not fixed, one run in 1500 would fail by chance, of some 600
# comparisons.

LEVEL = 1e-6
LEAST = 5  # expected in a cell; rarer ones are put into one
SIZE = 4000


def chi_square(counts, probabilities):
    """(statistic, degrees of freedom)."""
    expected = counts.sum() * probabilities
    often = expected >= LEAST
    cells = list(zip(expected[often], counts[often], strict=True))
    rare = expected[~often].sum(), counts[~often].sum()
    if rare[0] < LEAST:
        cells.sort()
        smallest = cells.pop(0)
        rare = rare[0] + smallest[0], rare[1] + smallest[1]
    cells.append(rare)
    return sum((n - e) ** 2 / e for e, n in cells), len(cells) - 1


def assert_drawn_from(counts, probabilities):
    """Whether counts are those of independent draws, at the error level above."""
    counts = np.asarray(counts, dtype=float).reshape(-1)
    probabilities = np.asarray(probabilities, dtype=float).reshape(-1)
    assert probabilities.sum() == pytest.approx(1)
    assert counts[probabilities < 1e-14].sum() == 0
    statistic, freedom = chi_square(counts, probabilities)
    if freedom > 0:
        assert statistic < chi2.isf(LEVEL, freedom)


def counted(tokens, vocab):
    """How often each sequence occurs, shape (V,)*L."""
    tokens = np.asarray(tokens)
    counts = np.zeros((vocab,) * tokens.shape[1], dtype=int)
    np.add.at(counts, tuple(tokens.T), 1)
    return counts


def assert_decoded(decoded, q, size=SIZE):
    """Sequences and calls, against the exact ones."""
    assert isinstance(decoded, Decoded)
    assert decoded.tokens.shape == (size, q.p.length)
    assert decoded.tokens.dtype == np.int64
    assert_drawn_from(counted(decoded.tokens, q.p.vocab), q.table.astype(float))
    assert decoded.rounds.shape == (size,)
    assert decoded.rounds.dtype == np.int64
    calls = range(max(max(q.rounds), int(decoded.rounds.max())) + 1)
    assert_drawn_from(
        [np.sum(decoded.rounds == n) for n in calls], [float(q.rounds.get(n, 0)) for n in calls]
    )


def test_the_chi_square_test_has_power():
    other = output_distribution(DENSE, LeftToRight(3))
    decoded = decode(DENSE, LeftToRight(4), np.random.default_rng(0), SIZE)
    with pytest.raises(AssertionError):
        assert_drawn_from(counted(decoded.tokens, 2), other.table)
    with pytest.raises(AssertionError):
        assert_drawn_from([SIZE - 1, 1], [1, 0])
    with pytest.raises(AssertionError):
        assert_drawn_from([2200, 1800], [0.5, 0.5])
    with pytest.raises(AssertionError):
        assert_drawn_from([3900, 50, 50], [0.998, 0.001, 0.001])
    assert_drawn_from([2050, 1950, 0], [0.5, 0.5, 0])
    assert_drawn_from([3999, 1], [0.9999, 0.0001])


# Decoders of four sites, two tokens each


class SurelyFirst(Policy):
    """One site, drawn in proportion to its confidence."""

    def reveal_distribution(self, x, predictions, round_index):
        weights = np.where(x == MASK, predictions.max(axis=-1), 0)
        weights = weights / weights.sum(axis=1, keepdims=True)
        for site in range(x.shape[1]):
            reveal = np.zeros(x.shape, dtype=bool)
            reveal[:, site] = True
            yield weights[:, site], reveal


class Ends(Corrector):
    """Draws again the first site, or more rarely the last two."""

    def sets(self, length):
        yield Fraction(3, 4), (0,)
        yield Fraction(1, 4), (length - 2, length - 1)

    def choose(self, size, length, rng):
        last, sites = rng.random(size) >= 0.75, np.arange(length)
        return np.where(last[:, None], sites >= length - 2, sites == 0)


def written_down():
    """All that lookup_rule(7) says, as a table."""
    choices = np.zeros((3,) * 4, dtype=np.int64)
    for index in np.ndindex(*choices.shape):
        pattern = tuple(MASK if v == 2 else v for v in index)
        if MASK in pattern:
            choices[index] = sum(1 << site for site in looked_up(7, pattern))
    return Tabulated(choices)


def of_your_own(x, predictions):
    """The last masked site, and all whose prediction is as sure."""
    masked = x == MASK
    sure = np.where(masked, np.round(predictions.max(axis=-1), 9), 0)
    last = x.shape[1] - 1 - np.argmax(masked[:, ::-1], axis=1)
    return masked & (sure >= sure[np.arange(len(x)), last][:, None])


QUARTERS = tuple(Fraction(k, 4) for k in range(5))

DECODERS = {
    "function": of_your_own,
    "rule": lookup_rule(1),
    "policy of your own": Sometimes(),
    "policy of your own that looks": SurelyFirst(),
    "left to right": LeftToRight(),
    "left to right, three": LeftToRight(3),
    "random order": RandomOrder((1, 2, 1)),
    "random order, at once": RandomOrder((4,)),
    "first hitting": FirstHitting(),
    "coins": Bernoulli(QUARTERS),
    "coins in uneven steps": Bernoulli((0, 0.7, 0.8, 1.0)),
    "bisection": Bisection(),
    "top two": TopK(2),
    "top by margin": TopK(1, "margin"),
    "top by entropy": TopK(3, "entropy"),
    "threshold": Threshold(0.7),
    "factor": Factor(0.8),
    "entropy bounded": EntropyBounded(0.4),
    "tabulated": written_down(),
    "drawn together": JointDraw(TopK(2), Product()),
    "blocks of what is drawn together": Blocks(2, JointDraw(LeftToRight(2), Product())),
    "mirrored": Mirrored(TopK(2)),
    "blocks of mirrored": Blocks(3, Mirrored(LeftToRight(2))),
    "remask": Remask(QUARTERS),
    "remask, less": Remask((0, Fraction(1, 3), Fraction(1, 2), 1), Fraction(1, 2)),
    "token confidence": TokenConfidence(1),
    "token confidence, three": TokenConfidence(3),
    "speculative": Speculative(),
    "speculative, one": Speculative(1),
    "speculative, two": Speculative(2),
    "blocks of left to right": Blocks(3, LeftToRight(2)),
    "blocks in random order": Blocks(2, RandomOrder((1, 1))),
    "blocks of first hitting": Blocks(3, FirstHitting()),
    "blocks of top": Blocks(3, TopK(2)),
    "blocks of threshold": Blocks(2, Threshold(0.6)),
    "blocks of factor": Blocks(2, Factor(0.8)),
    "blocks of entropy bounded": Blocks(3, EntropyBounded(0.4)),
    "blocks of bisection": Blocks(3, Bisection()),
    "blocks of a policy of your own": Blocks(3, SurelyFirst()),
    "blocks of token confidence": Blocks(3, TokenConfidence(2)),
    "blocks of speculative": Blocks(3, Speculative()),
    "blocks of blocks": Blocks(4, Blocks(2, LeftToRight(2))),
    "block larger than all": Blocks(9, Speculative(3)),
    "gibbs from the data": GibbsCorrector(None, 2),
    "block corrector from the data": BlockCorrector(None, 2, 1),
    "no correction of the data": GibbsCorrector(None, 0),
    "gibbs": GibbsCorrector(LeftToRight(4), 1),
    "no correction": GibbsCorrector(LeftToRight(4), 0),
    "block corrector": BlockCorrector(RandomOrder((2, 2)), 3, 2),
    "gibbs after remask": GibbsCorrector(Remask(QUARTERS), 1),
    "gibbs after coins": GibbsCorrector(Bernoulli(QUARTERS), 2),
    "gibbs after token confidence": GibbsCorrector(TokenConfidence(2), 1),
    "gibbs after speculative blocks": GibbsCorrector(Blocks(2, Speculative()), 1),
    "corrector of a corrector": GibbsCorrector(BlockCorrector(LeftToRight(4), 2, 1), 2),
    "corrector of a corrector of the data": BlockCorrector(GibbsCorrector(None, 1), 4, 1),
    "corrector of your own": Ends(LeftToRight(2), 2),
    "corrector of your own from the data": Ends(None, 2),
}
each_decoder = pytest.mark.parametrize("policy", DECODERS.values(), ids=DECODERS)


def parts(policy):
    """The policy and all inside it."""
    while policy is not None:
        yield policy
        policy = getattr(policy, "inner", None)


def starts_from_the_data(policy):
    return any(isinstance(part, Corrector) and part.inner is None for part in parts(policy))


def revises(policy):
    return isinstance(policy, Corrector | Remask)


def on_a_clock(policy):
    return isinstance(policy, Bernoulli | Remask)


def selects(policy):
    """Whether it only chooses sites, so that each round in which some are shown is a call."""
    if isinstance(policy, Corrector):
        return False
    return not getattr(policy, "looks_at_tokens", False)


def test_no_decoder_is_left_out():
    classes = {getattr(policies, name) for name in policies.__all__}
    abstract = {Corrector, Decoder, Policy, TokenPolicy}
    found = {type(part) for policy in DECODERS.values() for part in parts(policy)}
    assert classes - abstract <= found
    inside = {type(policy.inner) for policy in DECODERS.values() if isinstance(policy, Blocks)}
    fit_inside = {c for c in classes - abstract if issubclass(c, Policy | TokenPolicy)}
    assert fit_inside - {Bernoulli, Remask, Rule, Tabulated} <= inside


ZEROS = next(case for case in CASES if case.name == "table zeros")
DENSE = JointTable(random_weights(31, (2, 2, 2, 2)))


def as_lookup(rows):
    """A denoiser that reads its answers off an array of shape (V+1,)*L + (L, V)."""
    return lambda x: rows[tuple(np.moveaxis(x, -1, 0))]  # MASK is the last slot


WRONG = np.array(random_rows(41, 3, 3, 3, 3, 4, 2), dtype=float)
RULING_OUT = np.where(WRONG < 0.2, 0, np.where(WRONG > 0.8, 1, WRONG))

SETTINGS = {
    "dense": (DENSE, 1, None),
    "zeros": (ZEROS.build(), 1, None),
    "cool": (DENSE, 0.5, None),
    "cold": (ZEROS.build(), 0, None),
    "wrong": (DENSE, 1, as_lookup(RULING_OUT)),
    "wrong, cool": (DENSE, 0.5, as_lookup(RULING_OUT)),
}


@each(("p", "temperature", "denoiser"), SETTINGS.values(), ids=SETTINGS)
@each_decoder
def test_draws_are_those_of_the_exact_distribution(policy, p, temperature, denoiser):
    q = output_distribution(p, policy, temperature, denoiser)
    rng = np.random.default_rng(0)
    assert_decoded(decode(p, policy, rng, SIZE, temperature, denoiser), q)


class OfTheData(FromData):
    """Like a mixture that fits exactly: it looks neither at the temperature nor at the denoiser."""

    knows = "the joint"

    def distribution(self, x, sites, marginals):
        law, possible = conditional(self.p, x, sites)
        return np.where(possible[:, None], law, outer(marginals))


JOINTS = {
    "product": lambda p: Product(),
    "of the data": OfTheData,
    "energy": ResidualEnergy,
    "resampled": lambda p: Resampled(p, 2),
    "projection": lambda p: Projection(p, "chain"),
}


@each(("p", "temperature", "denoiser"), SETTINGS.values(), ids=SETTINGS)
@each("joint", JOINTS.values(), ids=JOINTS)
def test_draws_from_joints_are_those_of_the_exact_distribution(joint, p, temperature, denoiser):
    """Three sites together, and one alone, which no joint has a say in."""
    policy = JointDraw(LeftToRight(3), joint(p))
    q = output_distribution(p, policy, temperature, denoiser)
    rng = np.random.default_rng(0)
    assert_decoded(decode(p, policy, rng, SIZE, temperature, denoiser), q)


def test_a_round_of_one_site_by_hand():
    """At T = 1/2 the third bit is drawn from squares: 5^2 / (5^2 + 12^2) for weights 5 and 12."""
    p = JointTable(np.reshape([5, 12, 5, 28, 41, 26, 20, 2], (2, 2, 2)))
    policy = JointDraw(LeftToRight(2), OfTheData(p))
    by_hand = 25 / 169
    q = output_distribution(p, policy, 0.5)
    assert q.table[0, 0, 0] / q.table[0, 0].sum() == pytest.approx(by_hand, rel=1e-12)
    written = decode(p, policy, np.random.default_rng(0), 40_000, 0.5).tokens
    third = written[(written[:, :2] == 0).all(axis=1), 2]
    assert_drawn_from(np.bincount(third), [by_hand, 1 - by_hand])


@pytest.mark.parametrize(
    "name", ["speculative", "token confidence", "remask", "policy of your own", "gibbs", "coins"]
)
def test_more_draws(name):
    p = ZEROS.build()
    q = output_distribution(p, DECODERS[name])
    assert_decoded(decode(p, DECODERS[name], np.random.default_rng(3), 40_000), q, 40_000)


THREE = {
    "left to right": LeftToRight(2),
    "random order": RandomOrder((2, 1)),
    "remask": Remask(QUARTERS),
    "token confidence": TokenConfidence(2),
    "speculative": Speculative(),
    "threshold": Threshold(0.5),
    "gibbs": GibbsCorrector(LeftToRight(3), 1),
    "block corrector": BlockCorrector(None, 2, 1),
}


@pytest.mark.parametrize("policy", THREE.values(), ids=THREE)
def test_every_family_is_drawn_from(policy):
    """Three sites, two to four tokens. Impossible contexts are answered with the marginals."""
    rng = np.random.default_rng(5)
    names = [
        "table dense",
        "hmm shown states",
        "mixture some zeros",
        "mixture disjoint",
        "empirical tokens never seen",
    ]
    family = [next(case for case in CASES if case.name == name).build() for name in names]
    family.append(MarkovChain([0.5, 0.5, 0], [[0.1, 0.9, 0], [0, 0.5, 0.5], [1, 0, 0]], 3))
    for p in family:
        assert_decoded(decode(p, policy, rng, SIZE), output_distribution(p, policy))


@pytest.mark.parametrize("length", [1, 2])
@pytest.mark.parametrize("vocab", [1, 3])
def test_one_site_and_one_token(length, vocab):
    p = JointTable(np.ones((vocab,) * length))
    for policy in (LeftToRight(), TokenConfidence(1), Speculative(), GibbsCorrector(None, 1)):
        decoded = decode(p, policy, np.random.default_rng(0), SIZE)
        assert_decoded(decoded, output_distribution(p, policy))


def test_exact_distributions_are_drawn_from_in_floats():
    p = build_exact(ZEROS)
    for policy in (LeftToRight(2), Bernoulli(QUARTERS), GibbsCorrector(None, 1), Speculative()):
        q = output_distribution(p, policy)
        assert_decoded(decode(p, policy, np.random.default_rng(1), 500), q, 500)
        cold = decode(p, policy, np.random.default_rng(1), 50, 0)
        assert_decoded(cold, output_distribution(p, policy, 0), 50)
        decoded = decode(p, policy, np.random.default_rng(1), 20)
        again = decode(ZEROS.build(), policy, np.random.default_rng(1), 20)
        np.testing.assert_array_equal(decoded.tokens, again.tokens)


def test_an_exact_denoiser():
    p = build_exact(ZEROS)
    rows = np.array(random_rows(41, 3, 3, 3, 3, 4, 2), dtype=object)
    q = output_distribution(p, LeftToRight(2), denoiser=as_lookup(rows))
    decoded = decode(p, LeftToRight(2), np.random.default_rng(1), 500, denoiser=as_lookup(rows))
    assert_decoded(decoded, q, 500)


# Seeds and batches


@each_decoder
def test_equal_seeds_write_equal_sequences(policy):
    p = ZEROS.build()
    first, again = (decode(p, policy, np.random.default_rng(9), 50) for _ in range(2))
    np.testing.assert_array_equal(first.tokens, again.tokens)
    np.testing.assert_array_equal(first.rounds, again.rounds)
    other = decode(p, policy, np.random.default_rng(10), 50)
    assert (first.tokens != other.tokens).any()
    kept = decode(p, policy, np.random.default_rng(9), 50, trajectory=True)
    np.testing.assert_array_equal(first.tokens, kept.tokens)
    np.testing.assert_array_equal(first.rounds, kept.rounds)


@each("batch", [1, 3, 10])
@each_decoder
def test_all_batches_are_filled(policy, batch):
    p = ZEROS.build()
    decoded = decode(p, policy, np.random.default_rng(2), 10, batch=batch, trajectory=True)
    assert decoded.tokens.shape == (10, 4)
    assert ((decoded.tokens == 0) | (decoded.tokens == 1)).all()
    assert decoded.rounds.shape == (10,)
    assert decoded.states is not None
    assert decoded.states.shape[1:] == (10, 4)
    np.testing.assert_array_equal(decoded.states[-1], decoded.tokens)
    if not starts_from_the_data(policy):
        assert (decoded.rounds >= 1).all()


@pytest.mark.parametrize("batch", [7, 1999])
@pytest.mark.parametrize("name", ["left to right, three", "coins", "speculative, two", "gibbs"])
def test_sequences_are_independent(name, batch):
    """Of their neighbours in the batch, and of those at the same place in the next one."""
    q = output_distribution(DENSE, DECODERS[name])
    decoded = decode(DENSE, DECODERS[name], np.random.default_rng(4), SIZE, batch=batch)
    assert_decoded(decoded, q)
    halves = q.table.reshape(4, 4).sum(axis=1)  # of the first two sites
    first = decoded.tokens[:, :2] @ [2, 1]
    for apart in (1, batch):
        starts = np.array([n for n in range(SIZE - apart) if n // apart % 2 == 0])
        pairs = np.zeros((4, 4))
        np.add.at(pairs, (first[starts], first[starts + apart]), 1)
        assert_drawn_from(pairs, np.outer(halves, halves))


def test_batches_keep_to_their_size():
    asked = []

    def denoiser(x):
        asked.append(len(x))
        return DENSE.denoise(x)

    for batch in (1, 7, 64):
        asked.clear()
        decode(DENSE, RandomOrder((2, 2)), np.random.default_rng(0), 100, 1, denoiser, batch=batch)
        assert max(asked) == batch
        assert len(asked) == 2 * math.ceil(100 / batch)


def test_the_default_batch_keeps_predictions_within_32_mebibytes():
    """Each sequence of 1000 sites takes 1000 * 50 * 8 bytes."""
    p = ProductMixture([1.0], np.full((1, 1000, 50), 0.02))
    asked = []

    def denoiser(x):
        asked.append(len(x))
        return np.full((*x.shape, 50), 0.02)

    decoded = decode(p, LeftToRight(1000), np.random.default_rng(0), 200, 1, denoiser)
    assert max(asked) * 1000 * 50 * 8 <= 32 * 2**20
    assert len(asked) == 3
    assert decoded.tokens.shape == (200, 1000)
    assert len(np.unique(decoded.tokens)) == 50


def test_one_sequence_that_is_larger_than_that_is_a_batch():
    """8192 sites of 1024 tokens take 64 MiB."""
    p = ProductMixture([1.0], np.full((1, 2**13, 2**10), 2.0**-10))
    asked = []

    def denoiser(x):
        asked.append(len(x))
        return np.full((*x.shape, 2**10), 2.0**-10)

    decoded = decode(p, LeftToRight(2**13), np.random.default_rng(0), 2, 1, denoiser)
    assert asked == [1, 1]
    assert (decoded.tokens[0] != decoded.tokens[1]).any()


@each_decoder
def test_rounds_are_calls_of_the_denoiser(policy):
    """One sequence at a time.

    Steps that reveal nothing need no call, and contexts that are verified together are one: there
    the number of calls made is no less.
    """
    calls = 0

    def denoiser(x):
        nonlocal calls
        calls += 1
        return DENSE.denoise(x)

    kinds = {type(part) for part in parts(policy)}
    for seed in range(5):
        calls = 0
        decoded = decode(DENSE, policy, np.random.default_rng(seed), 1, 1, denoiser)
        if kinds & {Bernoulli, Remask, Speculative}:
            assert decoded.rounds[0] <= calls
        else:
            assert decoded.rounds.tolist() == [calls]


def test_steps_that_reveal_nothing_call_nothing():
    """Of a thousand steps at most four reveal something, rarely two sites at once."""
    times = tuple(Fraction(k, 1000) for k in range(1001))
    decoded = decode(DENSE, Bernoulli(times), np.random.default_rng(0), 200)
    assert decoded.rounds.max() == 4
    assert decoded.rounds.mean() > 3.9


# Trajectories


def last_changes(states):
    """The last step in which each token changed; -1 where none did."""
    _, size, length = states.shape
    out = np.full((size, length), -1)
    for t, (before, after) in enumerate(itertools.pairwise(states)):
        for n in range(size):
            for i in range(length):
                if before[n, i] != after[n, i]:
                    out[n, i] = t
    return out


@each("batch", [None, 7], ids=["one batch", "batches"])
@each_decoder
def test_trajectories(policy, batch):
    p, size = ZEROS.build(), 25
    rng = np.random.default_rng(6)
    decoded = decode(p, policy, rng, size, batch=batch, trajectory=True)
    states, tokens = decoded.states, decoded.tokens
    assert isinstance(states, np.ndarray)
    assert states.dtype == np.int64
    assert states.shape[1:] == (size, 4)
    np.testing.assert_array_equal(states[-1], tokens)
    assert (tokens != MASK).all()
    if starts_from_the_data(policy):
        assert (p.table()[tuple(states[0].T)] > 0).all()
    else:
        assert (states[0] == MASK).all()
    if not revises(policy):
        known = states[:-1] != MASK
        np.testing.assert_array_equal(states[1:][known], states[:-1][known])
        if not on_a_clock(policy):
            unfinished = (states[:-1] == MASK).any(axis=2)
            np.testing.assert_array_equal((states[1:] != states[:-1]).any(axis=2), unfinished)
            assert unfinished[-1].any()  # there is no step in which nothing happens
    if selects(policy):
        shown = ((states[:-1] == MASK) & (states[1:] != MASK)).any(axis=2)
        np.testing.assert_array_equal(shown.sum(axis=0), decoded.rounds)
    changes = last_changes(states)
    np.testing.assert_array_equal(decoded.revealed_at, changes)
    order = [sorted(range(4), key=lambda i, steps=steps: (steps[i], i)) for steps in changes]
    np.testing.assert_array_equal(decoded.order, order)


def test_the_trajectory_of_a_tabulated_policy():
    """Each state follows from the one before."""
    policy = written_down()
    decoded = decode(DENSE, policy, np.random.default_rng(0), 30, trajectory=True)
    assert decoded.states is not None
    for before, after in itertools.pairwise(decoded.states):
        for a, b in zip(before, after, strict=True):
            expected = policy.sites(a) if (a == MASK).any() else ()
            assert tuple(np.flatnonzero(a != b)) == expected


def test_orders_by_hand():
    decoded = decode(DENSE, LeftToRight(), np.random.default_rng(0), 2, trajectory=True)
    assert decoded.revealed_at.tolist() == [[0, 1, 2, 3]] * 2
    assert decoded.order.tolist() == [[0, 1, 2, 3]] * 2
    decoded = decode(DENSE, Bisection(), np.random.default_rng(0), 1, trajectory=True)
    assert decoded.revealed_at.tolist() == [[1, 0, 1, 2]]
    assert decoded.order.tolist() == [[1, 0, 2, 3]]


def test_the_order_of_first_hitting_is_uniform():
    decoded = decode(DENSE, FirstHitting(), np.random.default_rng(0), SIZE, trajectory=True)
    expected = [1 / 24 if len(set(order)) == 4 else 0 for order in np.ndindex(4, 4, 4, 4)]
    assert_drawn_from(counted(decoded.order, 4), expected)


# Long sequences


def golden_mean(length):
    """Binary sequences without two adjacent ones, and a one after a zero with chance 2/5."""
    return MarkovChain([5 / 7, 2 / 7], [[0.6, 0.4], [1, 0]], length)


def has_adjacent_ones(tokens):
    return (tokens[:, 1:] & tokens[:, :-1]).any(axis=1)


def test_a_chain_of_2000_sites_one_by_one():
    p = golden_mean(2000)
    decoded = decode(p, LeftToRight(), np.random.default_rng(0), 1)
    assert decoded.rounds.tolist() == [2000]
    assert not has_adjacent_ones(decoded.tokens).any()
    assert np.isfinite(p.log_evidence(decoded.tokens)).all()
    assert 400 < decoded.tokens.sum() < 750  # 571 on average


def test_a_chain_of_2000_sites_in_few_rounds():
    """Bisection is exact, so the number of ones varies as it does in the data (+- 5 sigma)."""
    p = golden_mean(2000)
    decoded = decode(p, Bisection(), np.random.default_rng(0), 200)
    assert set(decoded.rounds.tolist()) == {11}
    assert not has_adjacent_ones(decoded.tokens).any()
    ones = decoded.tokens.sum(axis=1)
    sampled = p.sample(np.random.default_rng(1), 200).sum(axis=1)
    assert abs(ones.mean() - 2000 * 2 / 7) < 5 * ones.std() / math.sqrt(200)
    assert abs(math.log(ones.std() / sampled.std())) < 5 / math.sqrt(200)
    at_once = decode(p, RandomOrder((1000, 1000)), np.random.default_rng(0), 20)
    assert has_adjacent_ones(at_once.tokens).all()


def test_a_chain_of_200_sites_by_speculation():
    p = golden_mean(200)
    for k in (None, 20):
        decoded = decode(p, Speculative(k), np.random.default_rng(0), 3)
        assert not has_adjacent_ones(decoded.tokens).any()
        assert (decoded.rounds < 200).all()


def two_halves(length):
    """Tokens 0 and 1 throughout, or 2 and 3."""
    rows = [[0.98, 0.02, 0, 0], [0, 0, 0.99, 0.01]]
    return ProductMixture([0.5, 0.5], [[row] * length for row in rows])


LONG = [
    Threshold(0.95),
    TopK(100, "entropy"),
    EntropyBounded(10.0),
    Factor(0.9),
    RandomOrder((1, 499, 500)),
    Bernoulli((0, 0.001, 0.5, 1)),
    Remask((0, 0.5, 0.75, 1)),
    TokenConfidence(250),
    Blocks(250, LeftToRight(125)),
    GibbsCorrector(LeftToRight(100), 5),
    BlockCorrector(None, 100, 5),
]


@pytest.mark.parametrize("policy", LONG, ids=lambda policy: type(policy).__name__)
def test_a_mixture_of_1000_sites(policy):
    """It is valid if the first step reveals one site, or does not write it together."""
    p = two_halves(1000)
    decoded = decode(p, policy, np.random.default_rng(0), 3, trajectory=True)
    assert decoded.tokens.shape == (3, 1000)
    assert ((decoded.tokens >= 0) & (decoded.tokens < 4)).all()
    if type(policy) in (Threshold, RandomOrder, BlockCorrector):
        halves = decoded.tokens // 2
        assert (halves == halves[:, :1]).all()
        assert np.isfinite(p.log_evidence(decoded.tokens)).all()


def test_a_mixture_of_1000_sites_at_once_is_mixed():
    decoded = decode(two_halves(1000), LeftToRight(1000), np.random.default_rng(0), 20)
    low = (decoded.tokens < 2).sum(axis=1)
    assert abs(low - 500).max() < 6 * math.sqrt(250)


def test_a_hidden_markov_model_of_300_sites():
    """A hidden cycle that shows itself: the first token decides on all others."""
    cycle = np.roll(np.eye(3), 1, axis=1)
    p = HiddenMarkovModel([0.2, 0.3, 0.5], cycle, np.eye(3), 300)
    for policy in (EntropyBounded(0.0), Threshold(0.9), Bisection(), GibbsCorrector(None, 20)):
        decoded = decode(p, policy, np.random.default_rng(0), 5)
        phases = (decoded.tokens - np.arange(300)) % 3
        assert (phases == phases[:, :1]).all()


def test_a_noisy_hidden_markov_model_of_300_sites():
    """It begins with a zero, and once there is a two all others are."""
    transition = [[0.98, 0.02, 0], [0, 0.98, 0.02], [0, 0, 1]]
    emission = [[1, 0, 0], [0.5, 0.5, 0], [0, 0, 1]]
    p = HiddenMarkovModel([1, 0, 0], transition, emission, 300)
    for policy in (LeftToRight(), GibbsCorrector(None, 20)):
        decoded = decode(p, policy, np.random.default_rng(0), 1)
        assert np.isfinite(p.log_evidence(decoded.tokens)).all()
        assert (np.diff((decoded.tokens == 2).astype(int), axis=1) >= 0).all()
        assert (decoded.tokens[:, 0] == 0).all()


# Backends

ON_DEVICE = {
    "threshold": Threshold(0.6),
    "coins": Bernoulli(QUARTERS),
    "remask": Remask(QUARTERS),
    "speculative": Speculative(),
    "token confidence": TokenConfidence(1),
    "gibbs": GibbsCorrector(LeftToRight(2), 2),
    "from the data": BlockCorrector(None, 2, 1),
}


@each("policy", ON_DEVICE.values(), ids=ON_DEVICE)
@each_family
def test_distributions_on_a_device(case, policy):
    """Tokens stay there; what is counted comes to the host."""
    host, there = case.build(), case.build(to_device1)
    for temperature in (1, 0.5, 0):
        expected = decode(host, policy, np.random.default_rng(1), 20, temperature, trajectory=True)
        found = decode(there, policy, np.random.default_rng(1), 20, temperature, trajectory=True)
        assert found.tokens.device == DEVICE1
        np.testing.assert_array_equal(to_host(found.tokens), expected.tokens)
        for name in ("rounds", "states", "revealed_at", "order"):
            values = getattr(found, name)
            assert isinstance(values, np.ndarray)
            np.testing.assert_array_equal(values, getattr(expected, name))


def test_denoisers_are_asked_on_the_device():
    there = ZEROS.build(to_device1)

    def denoiser(x):
        assert x.device == DEVICE1
        return there.denoise(x, on_impossible="marginal")

    for policy in (LeftToRight(2), Speculative(), GibbsCorrector(None, 1)):
        found = decode(there, policy, np.random.default_rng(1), 20, 1, denoiser)
        expected = decode(ZEROS.build(), policy, np.random.default_rng(1), 20)
        np.testing.assert_array_equal(to_host(found.tokens), expected.tokens)


def test_a_perturbed_denoiser_on_a_device():
    host, there = ZEROS.build(), ZEROS.build(to_device1)
    rng = np.random.default_rng
    for policy in (LeftToRight(2), Speculative()):
        expected = decode(host, policy, rng(1), 50, 1, Perturbed(host, noise=1, seed=3))
        found = decode(there, policy, rng(1), 50, 1, Perturbed(there, noise=1, seed=3))
        assert found.tokens.device == DEVICE1
        np.testing.assert_array_equal(to_host(found.tokens), expected.tokens)


# Progress


def test_no_progress_bar_without_a_terminal(capfd):
    for progress in (None, False):
        decode(DENSE, LeftToRight(), np.random.default_rng(0), 10, batch=2, progress=progress)
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_a_progress_bar_on_demand(capfd):
    decode(DENSE, LeftToRight(), np.random.default_rng(0), 10, batch=2, progress=True)
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err == "decoding: 5 of 5 after 0 s\n"  # no terminal: a line at the end


SCRIPT = """
import sys
import numpy as np
from sims import decode, policies
from theory import gallery
p = gallery.coupled_pairs(2)
for progress in (False, None):
    decode(p, policies.LeftToRight(), np.random.default_rng(0), 10, batch=2, progress=progress)
    print("THEN", file=sys.stderr, flush=True)
"""


def test_a_progress_bar_on_a_terminal():
    """None with ``progress=False``, one by default."""
    pty = pytest.importorskip("pty")  # not on Windows
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            stderr=theirs,
            stdout=subprocess.PIPE,
            env=os.environ | {"TERM": "xterm-256color"},
            timeout=60,
            check=False,
        )
        os.set_blocking(ours, False)
        try:
            err = os.read(ours, 10**6)
        except BlockingIOError:
            err = b""
    finally:
        os.close(theirs)
        os.close(ours)
    assert done.returncode == 0, err
    assert done.stdout == b""
    without, shown, _ = err.split(b"THEN")
    assert without == b""
    assert shown.strip() != b""


# What is refused


def drawing(**changes):
    rng = np.random.default_rng(0)
    arguments = {"p": DENSE, "policy": LeftToRight(), "rng": rng, "size": 3} | changes
    return decode(**arguments)


@pytest.mark.parametrize(
    "rng", [None, 0, np.random, np.random.RandomState(0), np.random.PCG64(0), "rng"]
)
def test_rng_is_a_generator(rng):
    with pytest.raises(InvalidInput, match="rng"):
        drawing(rng=rng)


@pytest.mark.parametrize("size", [0, -1, 1.5, 3.0, "3", None, True])
def test_size_is_a_positive_integer(size):
    with pytest.raises(InvalidInput, match="size"):
        drawing(size=size)


@pytest.mark.parametrize("batch", [0, -1, 1.5, 2.0, "3", True])
def test_batch_is_a_positive_integer(batch):
    with pytest.raises(InvalidInput, match="batch"):
        drawing(batch=batch)


@pytest.mark.parametrize("number", [np.int64(3), np.int32(3)])
def test_integers_of_numpy_are_integers(number):
    assert drawing(size=number, batch=number).tokens.shape == (3, 4)


def test_states_that_were_not_kept():
    decoded = drawing()
    assert decoded.states is None
    for name in ("revealed_at", "order"):
        with pytest.raises(InvalidInput, match="trajectory"):
            getattr(decoded, name)


def first_site(x):
    return np.zeros(x.shape, dtype=np.int64) + np.arange(x.shape[1]) == 0


BAD_RULES = {
    "none": (lambda x, f: np.zeros(x.shape, dtype=bool), "no site"),
    "always the first": (lambda x, f: first_site(x), "an observed site"),
    "twice": (lambda x, f: np.where((x == MASK).all(), first_site(x), True), "an observed site"),
    "too few rows": (lambda x, f: np.ones((len(x) + 1, 4), dtype=bool), "shape"),
    "too few sites": (lambda x, f: np.ones((len(x), 3), dtype=bool), "shape"),
    "numbers": (lambda x, f: np.ones(x.shape), "float64"),
    "list": (lambda x, f: [[True] * 4], "list"),
    "nothing": (lambda x, f: None, "None"),
}
WAYS = {
    "rule": Rule,
    "function": lambda f: f,
    "block": lambda f: Blocks(4, Rule(f)),
    "corrector": lambda f: GibbsCorrector(Rule(f), 1),
}


@each(("select", "match"), BAD_RULES.values(), ids=BAD_RULES)
@each("way", WAYS.values(), ids=WAYS)
def test_rules_that_select_wrongly(select, match, way):
    with pytest.raises(InvalidInput, match=match):
        drawing(policy=way(select))


def test_no_row_may_be_left_out():
    """Of ten sequences that begin with 0 or 1, those with 1 never go on."""

    def select(x, predictions):
        return np.where(x[:, :1] == 1, False, (x == MASK) & ((x == MASK).cumsum(axis=1) == 1))

    with pytest.raises(InvalidInput, match="no site"):
        drawing(policy=select, size=100)


@pytest.mark.parametrize("chances", [[], [0.5], [0.5, 0.25], [1, 1]])
def test_chances_that_do_not_sum_to_one(chances):
    class Odd(Policy):
        def reveal_distribution(self, x, predictions, round_index):
            for chance in chances:
                yield chance, x == MASK

    with pytest.raises(InvalidInput):
        drawing(policy=Odd(), size=200)


@pytest.mark.parametrize("policy", [None, 1, "left to right", object()])
def test_policies_are_decoders_or_functions(policy):
    with pytest.raises(InvalidInput):
        drawing(policy=policy)


@pytest.mark.parametrize(
    "policy",
    [
        RandomOrder((1, 1)),
        Blocks(3, RandomOrder((3,))),
        Tabulated(np.ones((3, 3), dtype=int)),
        BlockCorrector(LeftToRight(), 5, 1),
        GibbsCorrector(RandomOrder((5,)), 1),
    ],
    ids=repr,
)
def test_policies_have_to_fit(policy):
    with pytest.raises(InvalidInput):
        drawing(policy=policy)


@pytest.mark.parametrize("temperature", [-1, -0.001, math.nan, math.inf, "1", None])
def test_temperatures_are_finite_and_not_negative(temperature):
    with pytest.raises(InvalidInput, match="temperature"):
        drawing(temperature=temperature)


def test_exact_distributions_take_temperature_zero_or_one():
    with pytest.raises(InvalidInput, match="exact"):
        drawing(p=build_exact(ZEROS), temperature=0.5)


BAD_DENOISERS = {
    "vocabulary": lambda x: np.full((*x.shape, 3), 1 / 3),
    "no vocabulary": lambda x: np.full(x.shape, 0.5),
    "rows": lambda x: np.full((len(x) + 1, 4, 2), 0.5),
    "sum": lambda x: np.full((*x.shape, 2), 0.6),
    "nan": lambda x: np.full((*x.shape, 2), math.nan),
    "sign": lambda x: np.broadcast_to([1.5, -0.5], (*x.shape, 2)),
    "number": lambda x: 0.5,
    "none": lambda x: None,
    "no function": 0.5,
}


@each("denoiser", BAD_DENOISERS.values(), ids=BAD_DENOISERS)
@each("policy", [LeftToRight(), Speculative(), GibbsCorrector(None, 1)], ids=repr)
def test_denoisers_that_answer_wrongly(denoiser, policy):
    """As `output_distribution` does."""
    for call in (
        lambda: drawing(denoiser=denoiser, policy=policy),
        lambda: output_distribution(DENSE, policy, denoiser=denoiser),
    ):
        with pytest.raises(InvalidInput):
            call()


def test_free_symbols_cannot_be_drawn_from():
    a = sympy.Symbol("a", positive=True)
    p = JointTable([[1 - a, 0], [0, a]], exact=True)
    for policy in (LeftToRight(), GibbsCorrector(None, 1), Speculative()):
        with pytest.raises(InvalidInput, match="symbol"):
            drawing(p=p, policy=policy)


def test_what_comes_in_is_left_alone():
    rows = WRONG.copy()
    given = []

    def select(x, predictions):
        given.append((predictions, predictions.copy()))
        return (x == MASK) & ((x == MASK).cumsum(axis=1) == 1)

    decode(DENSE, select, np.random.default_rng(0), 20, 0.5, as_lookup(rows))
    np.testing.assert_array_equal(rows, WRONG)
    assert len(given) == 4
    assert all((predictions == copy).all() for predictions, copy in given)


def test_the_gallery_is_decoded():
    for p in (gallery.words(4), gallery.cities(), gallery.permutations(5)):
        decoded = decode(p, LeftToRight(), np.random.default_rng(0), 30)
        assert (p.evidence(decoded.tokens) > 0).all()


class Idle(policies.TokenPolicy):
    """A token policy that writes nothing."""

    def outcomes(self, x, call_denoiser, round_index, /):
        rows = np.arange(len(x), dtype=np.int64)
        yield rows, np.ones(len(x)), x, 1

    def write(self, x, call_denoiser, round_index, rng, /):
        return x, 1


def test_a_token_policy_that_writes_nothing_is_refused():
    """Exactly and by drawing, which would never end."""
    p = gallery.parity(3)
    with pytest.raises(InvalidInput, match="wrote none"):
        output_distribution(p, Idle())
    with pytest.raises(InvalidInput, match="wrote none"):
        decode(p, Idle(), np.random.default_rng(0), 2)
