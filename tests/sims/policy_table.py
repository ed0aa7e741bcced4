"""The table of decoders, each beside its slow oracle, and the data on which all are compared.

`one_of_each` has a row for every kind of decoder, `rows_for` has every setting. An output is that
of the oracle if `assert_output` says so.
"""

import functools
import itertools
import math
import random
from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import chi2

from sims.joints import Product
from sims.policies import (
    Bernoulli,
    Bisection,
    BlockCorrector,
    Blocks,
    Corrector,
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
    TopK,
)
from tests import oracles
from tests.cases import (
    XOR,
    chain,
    close,
    empirical,
    floats,
    named,
    random_rows,
    random_weights,
    row,
    rows,
    table,
)
from tests.noted import each
from tests.sims import policy_oracles as slow
from theory import MASK

HALF, THIRD = Fraction(1, 2), Fraction(1, 3)
TIMES = (Fraction(0), Fraction(1, 4), HALF, Fraction(1))

# Decoders of the user's


class ByConfidence(Policy):
    """One site, drawn in proportion to its confidence: probabilities that differ between rows."""

    def reveal_distribution(self, x, predictions, round_index):
        weights = np.where(x == MASK, predictions.max(axis=-1), 0)
        weights = weights / weights.sum(axis=1, keepdims=True)
        for site in range(x.shape[1]):
            yield weights[:, site], np.broadcast_to(np.arange(x.shape[1]) == site, x.shape)


class Hesitant(Policy):
    """A clock of one's own: first nothing, or two sites; then one more, or none; then all.

    The probabilities depend on the first site, row by row.
    """

    @property
    def steps(self):
        return 3

    def reveal_distribution(self, x, predictions, round_index):
        masked = x == MASK
        if round_index == 2:
            yield 1, masked
            return
        nothing = np.array([THIRD if first == 0 else HALF for first in x[:, 0]])
        yield nothing, np.zeros(x.shape, dtype=bool)
        yield 1 - nothing, masked & (masked.cumsum(axis=1) <= 2 - round_index)


def hesitant(pattern, sites, prediction, index):
    if index == 2:
        return [(Fraction(1), tuple(sites))]
    nothing = THIRD if pattern[0] == 0 else HALF
    return [(nothing, ()), (1 - nothing, tuple(sites[: 2 - index]))]


def everything(x, predictions):
    return x == MASK


def all_sites(pattern, sites, prediction, index):
    return [(Fraction(1), tuple(sites))]


def all_after_zero(x, predictions):
    """One site, and all others at once if the first holds a 0."""
    masked = x == MASK
    return np.where(x[:, :1] == 0, masked, masked & (masked.cumsum(axis=1) == 1))


def all_sites_after_zero(pattern, sites, prediction, index):
    return [(Fraction(1), tuple(sites if pattern[0] == 0 else sites[:1]))]


@functools.cache
def looked_up(seed, pattern):
    """A non-empty set of masked sites for every pattern, which depends on its tokens."""
    masked, rng = slow.masked_sites(pattern), random.Random(f"{seed} {pattern}")
    return tuple(sorted(rng.sample(masked, k=rng.randint(1, len(masked)))))


def lookup_rule(seed):
    def select(x, predictions):
        reveal = np.zeros(x.shape, dtype=bool)
        for chosen, pattern in zip(reveal, x.tolist(), strict=True):
            chosen[list(looked_up(seed, tuple(pattern)))] = True
        return reveal

    return Rule(select)


class Sometimes(Policy):
    """With probability 1/3 what one lookup says, else what the next one says."""

    def reveal_distribution(self, x, predictions, round_index):
        yield THIRD, lookup_rule(round_index).select(x, predictions)
        yield 1 - THIRD, lookup_rule(round_index + 1).select(x, predictions)


def sometimes(pattern, sites, prediction, index):
    return [(THIRD, looked_up(index, pattern)), (1 - THIRD, looked_up(index + 1, pattern))]


def tabulated(seed, length, vocab):
    """(policy, law) of a lookup that is written down."""
    patterns = [x for x in oracles.all_patterns(length, vocab) if MASK in x]
    choices = {pattern: looked_up(seed, pattern) for pattern in patterns}
    bits = np.zeros((vocab + 1,) * length, dtype=np.int64)
    for pattern, sites in choices.items():
        bits[pattern] = sum(2**i for i in sites)  # MASK is -1, the last index
    return Tabulated(bits), slow.tabulated(choices)


class Ends(Corrector):
    """Draws the first site again, or twice as often the last one."""

    def sets(self, length):
        yield THIRD, (0,)
        yield 1 - THIRD, (length - 1,)

    def choose(self, size, length, rng):
        first, sites = rng.random(size) < 1 / 3, np.arange(length)
        return np.where(first[:, None], sites == 0, sites == length - 1)


def ends(inner, steps):
    return slow.Correcting(inner, lambda length: [(THIRD, (0,)), (2 * THIRD, (length - 1,))], steps)


# The table: (policy, oracle)


def one_of_each(length, vocab=2, masked=None):
    """A row for every kind of decoder; so many sites are `masked` at first, or all."""
    masked = masked or length
    sizes = (1, masked - 1) if masked > 1 else (1,)
    confident = slow.top_k(1, "confidence")
    laws = [
        (RandomOrder(sizes), slow.random_order(sizes)),
        (RandomOrder((masked,)), slow.random_order((masked,))),
        (FirstHitting(), slow.first_hitting),
        (LeftToRight(), slow.left_to_right(1)),
        (LeftToRight(2), slow.left_to_right(2)),
        (Bisection(), slow.bisection),
        (TopK(1), confident),
        (TopK(2, "margin"), slow.top_k(2, "margin")),
        (TopK(1, "entropy"), slow.top_k(1, "entropy")),
        (Threshold(0.6), slow.threshold(0.6)),
        (Factor(1.0), slow.factor(1.0)),
        (EntropyBounded(0.5), slow.entropy_bounded(0.5)),
        (Blocks(2, TopK(1)), slow.blocks(2, confident)),
        (Blocks(2, FirstHitting()), slow.blocks(2, slow.first_hitting)),
        (Blocks(3, Threshold(0.6)), slow.blocks(3, slow.threshold(0.6))),
        (Mirrored(EntropyBounded(0.3)), slow.mirrored(slow.entropy_bounded(0.3))),
        (Blocks(3, Mirrored(LeftToRight(2))), slow.blocks(3, slow.mirrored(slow.left_to_right(2)))),
        (Rule(all_after_zero), all_sites_after_zero),
        (ByConfidence(), slow.by_confidence),
        tabulated(7, length, vocab),
    ]
    times = (Fraction(0), THIRD, Fraction(1))
    two = slow.Selecting(slow.left_to_right(2))
    drawn_together = slow.joint_draw(slow.top_k(2, "confidence"), slow.product_of)
    draws = [
        (TokenConfidence(1), slow.token_confidence(1)),
        (TokenConfidence(2), slow.token_confidence(2)),
        (Speculative(), slow.speculative()),
        (Speculative(2), slow.speculative(2)),
        (Blocks(2, TokenConfidence(1)), slow.blocks_of_draws(2, slow.token_confidence(1))),
        (JointDraw(TopK(2), Product()), drawn_together),
    ]
    return [
        *((policy, slow.Selecting(law)) for policy, law in laws),
        (Bernoulli(times), slow.Selecting(slow.bernoulli(times), 2)),
        *((policy, slow.Drawing(draw)) for policy, draw in draws),
        (Remask(times, HALF), slow.Selecting(slow.remask(times, HALF), 2, revises=True)),
        (GibbsCorrector(LeftToRight(2), 2), slow.gibbs_corrector(two, 2)),
        (BlockCorrector(None, min(2, length), 2), slow.block_corrector(None, min(2, length), 2)),
    ]


def laws(length):
    """(policy, law) of those that may work inside of blocks."""
    pairs = [(LeftToRight(k), slow.left_to_right(k)) for k in (1, 2, 3)]
    pairs += [(FirstHitting(), slow.first_hitting), (Bisection(), slow.bisection)]
    pairs += [(TopK(k, s), slow.top_k(k, s)) for k in (1, 2, 3) for s in slow.SCORES]
    gammas = (0.0, 0.4, 0.5, 0.55, 0.7, 0.9, 1.0)
    pairs += [(Threshold(gamma), slow.threshold(gamma)) for gamma in gammas]
    pairs += [(Factor(f), slow.factor(f)) for f in (0.01, 0.5, 1.0, 1.5, 2.5, 9.0)]
    gammas = (0.0, 0.3, 0.8, 1.0, 1.7, 9.0)
    pairs += [(EntropyBounded(gamma), slow.entropy_bounded(gamma)) for gamma in gammas]
    pairs += [(ByConfidence(), slow.by_confidence), (Rule(everything), all_sites)]
    return pairs


def selecting(length, vocab):
    """(policy, oracle) of those that select before any token is drawn."""
    compositions = oracles.compositions
    pairs = [(RandomOrder(sizes), slow.random_order(sizes)) for sizes in compositions(length)]
    pairs += laws(length)
    pairs += [(Mirrored(policy), slow.mirrored(law)) for policy, law in laws(length)[1::4]]
    pairs += [(LeftToRight(length + 1), slow.left_to_right(length + 1)), (Sometimes(), sometimes)]
    pairs += [tabulated(seed, length, vocab) for seed in range(2)]
    for size in (1, 2, 3):
        pairs += [(Blocks(size, policy), slow.blocks(size, law)) for policy, law in laws(size)[::3]]
    pairs += [
        (Blocks(size, RandomOrder(sizes)), slow.blocks(size, slow.random_order(sizes)))
        for size in (1, 2, 4)
        if length % size == 0
        for sizes in compositions(size)
    ]
    for size in (3, 4):
        nested = slow.blocks(size, slow.blocks(2, slow.first_hitting))
        pairs += [(Blocks(size, Blocks(2, FirstHitting())), nested)]
    after_zero = all_sites_after_zero
    pairs += [(Blocks(k, Rule(all_after_zero)), slow.blocks(k, after_zero)) for k in (1, 2, 3, 4)]
    pairs = [(policy, slow.Selecting(law)) for policy, law in pairs]
    for times in ((0, 1), (0, HALF, 1), TIMES, (0, 0.125, 0.25, 0.75, 1)):
        exact = tuple(Fraction(t) for t in times)
        pairs += [(Bernoulli(times), slow.Selecting(slow.bernoulli(exact), len(times) - 1))]
    return [*pairs, (Hesitant(), slow.Selecting(hesitant, 3))]


def drawing(length):
    """(policy, oracle) of those that look at drawn tokens."""
    pairs = [(TokenConfidence(k), slow.token_confidence(k)) for k in range(1, length + 2)]
    pairs += [(Speculative(), slow.speculative())]
    pairs += [(Speculative(k), slow.speculative(k)) for k in range(1, length + 2)]
    for size in range(1, length + 1):
        pairs += [
            (Blocks(size, policy), slow.blocks_of_draws(size, draw)) for policy, draw in pairs[:4]
        ]
    return [(policy, slow.Drawing(draw)) for policy, draw in pairs]


def revising(length):
    """(policy, oracle) of those that draw observed sites again."""
    pairs = []
    for times in ((0, 1), (0, HALF, 1), TIMES, (0, 0.125, 0.25, 0.75, 1)):
        exact = tuple(Fraction(t) for t in times)
        for strength in (0, THIRD, 1):
            law = slow.remask(exact, strength)
            decoder = slow.Selecting(law, len(times) - 1, revises=True)
            pairs.append((Remask(times, strength), decoder))
    inners = [
        (None, None),
        (LeftToRight(length), slow.Selecting(slow.left_to_right(length))),
        (TopK(2), slow.Selecting(slow.top_k(2, "confidence"))),
        (Threshold(0.6), slow.Selecting(slow.threshold(0.6))),
        (Bernoulli(TIMES), slow.Selecting(slow.bernoulli(TIMES), 3)),
        (Blocks(2, FirstHitting()), slow.Selecting(slow.blocks(2, slow.first_hitting))),
        (TokenConfidence(1), slow.Drawing(slow.token_confidence(1))),
        (Speculative(2), slow.Drawing(slow.speculative(2))),
        pairs[7],
    ]
    for inner, decoder in inners:
        pairs.append((GibbsCorrector(inner, 2), slow.gibbs_corrector(decoder, 2)))
        pairs.append((BlockCorrector(inner, length, 1), slow.block_corrector(decoder, length, 1)))
    for inner, decoder in inners[:2]:
        for size in range(1, length + 1):
            corrector = slow.block_corrector(decoder, size, 2)
            pairs.append((BlockCorrector(inner, size, 2), corrector))
        pairs.append((GibbsCorrector(inner, 0), slow.gibbs_corrector(decoder, 0)))
        pairs.append((Ends(inner, 2), ends(decoder, 2)))
    twice = slow.gibbs_corrector(slow.block_corrector(None, 1, 1), 1)
    pairs.append((GibbsCorrector(BlockCorrector(None, 1, 1), 1), twice))
    return pairs


# Distributions, exact ones first

EXACT = {
    "dense": table("", random_weights(5, (2, 2, 2))),
    "zeros": table("", [[[0, 1], [2, 0]], [[1, 0], [0, 3]]]),
    "parity": table("", XOR),
    "all equal": table("", [[[1, 1], [1, 1]], [[1, 1], [1, 1]]]),
    "three tokens": table("", [[0, 2, 1], [2, 1, 0], [4, 0, 2]]),
    "four sites": named("table zeros"),
    "chain": chain("", row(2, 1), rows((1, 3), (0, 1)), 4),
    "one site": named("table one site"),
    "one possible": named("table one site, one possible"),
    "one token": named("table one token"),
    "one site, one token": named("table one site, one token"),
}
FLOATS = {
    "dense, three tokens": named("table dense"),
    "hmm": named("hmm shown states"),
    "mixture": named("mixture some zeros"),
    "empirical": empirical("", [[0, 1, 1], [1, 0, 1], [0, 1, 1], [0, 0, 0]]),
}
SMALL = EXACT | FLOATS


def rows_for(case):
    """Those of every kind that the oracle can follow in good time."""
    if case.length <= 4:
        yield from selecting(case.length, case.vocab)
    if case.length <= 3:
        yield from drawing(case.length)
        yield from revising(case.length)


def over(pairs):
    """One test for all these pairs of a policy and its oracle."""
    return each(("policy", "decoder"), pairs, ids=[repr(policy) for policy, _ in pairs])


# Denoisers, as functions of a tuple


@functools.cache
def zero_loss(case):
    """Where a context is impossible it answers with the marginals."""
    return oracles.zero_loss(case.joint, case.vocab, "marginal")


def tempering(temperature):
    return lambda row: oracles.tempered(row, temperature)


def one_hot(token, vocab):
    return [Fraction(v == token) for v in range(vocab)]


@functools.cache
def wrong(length, vocab):
    """Predictions that have nothing to do with the data."""

    @functools.cache
    def predict(pattern):
        answer = random_rows(repr(pattern), length, vocab)
        return [r if o == MASK else one_hot(o, vocab) for o, r in zip(pattern, answer, strict=True)]

    return predict


@functools.cache
def blunt(length, vocab):
    """Few values, many ties, and zeros; at observed sites it does not answer one-hot."""

    @functools.cache
    def predict(pattern):
        weights = random_weights(f"blunt {pattern}", (length, vocab), zeros=0.3)
        return [row(*(min(w, 2) for w in r)) if any(r) else one_hot(0, vocab) for r in weights]

    return predict


def as_denoiser(predict, vocab, exact=False):
    def denoiser(x):
        answer = [predict(tuple(pattern)) for pattern in x.tolist()]
        out = np.array(answer, object) if exact else np.array(floats(answer), dtype=float)
        return out.reshape(*x.shape, vocab)

    return denoiser


def answers_of(case, denoiser):
    """The rows of a denoiser as an oracle's ``predict``."""
    answers = denoiser(np.asarray(case.patterns))
    return dict(zip(case.patterns, answers.tolist(), strict=True)).__getitem__


# What is compared

LEVEL = 1e-6  # of the chi-square tests; seeds are fixed
LEAST = 5  # expected in a cell; rarer ones are put into one


def assert_drawn_from(counts, chances):
    """Whether counts are those of independent draws: two mappings, or two arrays.

    Nothing that has no chance is ever drawn.
    """
    if isinstance(counts, dict):
        assert counts.keys() <= chances.keys()
        counts, chances = [counts[key] for key in chances], [*chances.values()]
    counts = np.asarray(counts, dtype=float).reshape(-1)
    chances = np.asarray(chances, dtype=float).reshape(-1)
    assert chances.sum() == pytest.approx(1)
    assert counts[chances < 1e-14].sum() == 0
    expected = counts.sum() * chances
    often = expected >= LEAST
    cells = list(zip(expected[often], counts[often], strict=True))
    rare = expected[~often].sum(), counts[~often].sum()
    if rare[0] < LEAST:
        cells.sort()
        smallest = cells.pop(0)
        rare = rare[0] + smallest[0], rare[1] + smallest[1]
    cells.append(rare)
    if len(cells) > 1:
        statistic = sum((n - e) ** 2 / e for e, n in cells)
        assert statistic < chi2.isf(LEVEL, len(cells) - 1)


def assert_same_numbers(actual, expected):
    """Of two mappings; what is missing counts as 0."""
    for key in {*actual, *expected}:
        assert float(actual.get(key, 0)) == close(expected.get(key, 0)), key


def assert_divergences(q, joint, expected, decoder):
    """In floats, whether the numbers are exact or not."""
    kl = oracles.kl_divergence(joint, expected.table)
    assert float(q.kl) == close(kl)
    assert float(q.reverse_kl) == close(oracles.kl_divergence(expected.table, joint))
    if expected.costs is None:
        assert len(q.round_costs) == 0
        looks = isinstance(decoder, slow.Drawing)
        assert float(q.path_kl) == (close(kl) if looks else pytest.approx(math.nan, nan_ok=True))
    else:
        assert float(q.path_kl) == close(sum(expected.costs))
        costs = [float(cost) for cost in q.round_costs]
        for cost, other in itertools.zip_longest(costs, expected.costs, fillvalue=0):
            assert cost == close(other)
        assert sum(costs) == close(sum(expected.costs))


def assert_output(q, case, expected, decoder):
    """Everything about an output: Fractions are equal, floats and divergences close."""
    joint, exact = case.joint, q.p.exact
    same = (lambda number: number) if exact else close
    table = {x: q.table[x] for x in joint}
    if exact:
        assert table == expected.table
        assert dict(q.rounds) == expected.rounds
        for number in (q.tv, q.valid_mass, *q.rounds.values()):
            assert not isinstance(number, float)
    else:
        assert q.table.dtype == np.float64
        values = [float(expected.table[x]) for x in table]
        np.testing.assert_allclose([*table.values()], values, rtol=1e-11, atol=1e-15)
        assert_same_numbers(q.rounds, expected.rounds)
    assert q.expected_rounds == same(expected.expected_rounds)
    assert q.tv == same(slow.total_variation(joint, expected.table))
    assert q.valid_mass == same(slow.possible_mass(joint, expected.table))
    assert_divergences(q, joint, expected, decoder)
    if expected.on_data is None:
        assert math.isnan(q.expected_rounds_on_data)
    else:
        assert q.expected_rounds_on_data == same(expected.on_data)
        assert not (exact and isinstance(q.expected_rounds_on_data, float))
