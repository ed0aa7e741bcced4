"""Every decoding policy, against slow oracles written from the definitions."""

import functools
import itertools
import math
import random
import re
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
import scipy.stats
import sympy

from sims import output_distribution
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
    LeftToRight,
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
    CASES,
    XOR,
    build_exact,
    chain,
    each_family,
    empirical,
    floats,
    random_rows,
    random_weights,
    row,
    rows,
    table,
)
from tests.noted import each
from tests.sims import policy_oracles as slow
from theory import MASK, InvalidInput, JointTable, ProductMixture

TOLERANCE = 1e-12  # of sums of at most a few thousand products of probabilities
HALF, THIRD = Fraction(1, 2), Fraction(1, 3)
TIMES = (Fraction(0), Fraction(1, 4), HALF, Fraction(1))


def close(expected):
    return pytest.approx(float(expected), rel=TOLERANCE, abs=TOLERANCE)


def named(name):
    return next(case for case in CASES if case.name == name)


# Policies: ours, and the same for the oracle


class SurelyFirst(Policy):
    """One site, drawn in proportion to its confidence: chances that differ between rows."""

    def reveal_distribution(self, x, predictions, round_index):
        weights = np.where(x == MASK, predictions.max(axis=-1), 0)
        weights = weights / weights.sum(axis=1, keepdims=True)
        for site in range(x.shape[1]):
            yield weights[:, site], np.broadcast_to(np.arange(x.shape[1]) == site, x.shape)


class Hesitant(Policy):
    """A clock of one's own: first nothing, or two sites; then one more, or none; then all.

    The chances depend on the first site, row by row.
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


class Ends(Corrector):
    """Draws the first site again, or twice as often the last one."""

    def sets(self, length):
        yield THIRD, (0,)
        yield 1 - THIRD, (length - 1,)

    def choose(self, size, length, rng):
        raise NotImplementedError


def ends(inner, steps):
    return slow.Correcting(inner, lambda length: [(THIRD, (0,)), (2 * THIRD, (length - 1,))], steps)


def looked_up(seed, length, vocab):
    """A non-empty set of masked sites for every pattern that has some."""
    choices = {}
    for pattern in oracles.all_patterns(length, vocab):
        masked, rng = slow.masked_sites(pattern), random.Random(f"{seed} {pattern}")
        if masked:
            choices[pattern] = tuple(sorted(rng.sample(masked, k=rng.randint(1, len(masked)))))
    return choices


def tabulated(seed, length, vocab):
    choices = looked_up(seed, length, vocab)
    bits = np.zeros((vocab + 1,) * length, dtype=np.int64)
    for pattern, sites in choices.items():
        bits[pattern] = sum(2**i for i in sites)  # MASK is -1, the last index
    return Tabulated(bits), slow.tabulated(choices)


def compositions(length):
    if length == 0:
        return [()]
    return [(k, *rest) for k in range(1, length + 1) for rest in compositions(length - k)]


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
    pairs += [(SurelyFirst(), slow.surely_first), (Rule(everything), all_sites)]
    return pairs


def selecting(length, vocab):
    """(policy, decoder for the oracle) of those that select before any token is drawn."""
    pairs = [(RandomOrder(sizes), slow.random_order(sizes)) for sizes in compositions(length)]
    pairs += laws(length)
    pairs += [(LeftToRight(length + 1), slow.left_to_right(length + 1))]
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
    pairs = [(policy, slow.Selecting(law)) for policy, law in pairs]
    for times in ((0, 1), (0, HALF, 1), TIMES, (0, 0.125, 0.25, 0.75, 1)):
        exact = tuple(Fraction(t) for t in times)
        pairs += [(Bernoulli(times), slow.Selecting(slow.bernoulli(exact), len(times) - 1))]
    return [*pairs, (Hesitant(), slow.Selecting(hesitant, 3))]


def drawing(length):
    """(policy, decoder for the oracle) of those that look at drawn tokens."""
    pairs = [(TokenConfidence(k), slow.token_confidence(k)) for k in range(1, length + 2)]
    pairs += [(Speculative(), slow.speculative())]
    pairs += [(Speculative(k), slow.speculative(k)) for k in range(1, length + 2)]
    for size in range(1, length + 1):
        pairs += [
            (Blocks(size, policy), slow.blocks_of_draws(size, draw)) for policy, draw in pairs[:4]
        ]
    return [(policy, slow.Drawing(draw)) for policy, draw in pairs]


def revising(length):
    """(policy, decoder for the oracle) of those that draw observed sites again."""
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
    for size in range(1, length + 1):
        for inner, decoder in inners[:2]:
            corrector = slow.block_corrector(decoder, size, 2)
            pairs.append((BlockCorrector(inner, size, 2), corrector))
    for inner, decoder in inners[:2]:
        pairs.append((GibbsCorrector(inner, 0), slow.gibbs_corrector(decoder, 0)))
        pairs.append((Ends(inner, 2), ends(decoder, 2)))
    twice = slow.gibbs_corrector(slow.block_corrector(None, 1, 1), 1)
    pairs.append((GibbsCorrector(BlockCorrector(None, 1, 1), 1), twice))
    return pairs


# Distributions


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
KINDS = {
    "selecting": (selecting, 4),
    "drawing": (lambda length, vocab: drawing(length), 3),
    "revising": (lambda length, vocab: revising(length), 3),
}


def pairs_for(case):
    """Those of every kind that the oracle can follow in good time."""
    for build, longest in KINDS.values():
        if case.length <= longest:
            yield from build(case.length, case.vocab)


def over(pairs):
    """One test for all these pairs of a policy and its oracle."""
    return each(("policy", "decoder"), pairs, ids=[repr(policy) for policy, _ in pairs])


def each_pair(strides):
    """One test a case, over all pairs of a policy and its oracle, or over every so manieth."""

    def decorated(test):
        def of_a_case(name):
            stride, offset = strides[name], list(strides).index(name)
            pairs = list(pairs_for(SMALL[name]))[offset % stride :: stride]
            over(pairs)(test)(case=SMALL[name])

        of_a_case.__name__, of_a_case.__doc__ = test.__name__, test.__doc__
        return pytest.mark.parametrize("name", strides)(of_a_case)

    return decorated


@functools.cache
def zero_loss(case):
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


# What is compared


def as_table(joint, vocab):
    out = np.zeros((vocab,) * oracles.length_of(joint))
    for x, p in joint.items():
        out[x] = p
    return out


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
        actual = [float(cost) for cost in q.round_costs]
        for cost, other in itertools.zip_longest(actual, expected.costs, fillvalue=0):
            assert cost == close(other)
        assert sum(actual) == close(sum(expected.costs))


def assert_output(q, case, expected, decoder):
    """Everything about an output in floats."""
    joint = case.joint
    np.testing.assert_allclose(
        q.table, as_table(expected.table, case.vocab), rtol=1e-11, atol=1e-15
    )
    assert_same_numbers(q.rounds, expected.rounds)
    assert q.expected_rounds == close(expected.expected_rounds)
    assert q.tv == close(slow.total_variation(joint, expected.table))
    assert q.valid_mass == close(slow.possible_mass(joint, expected.table))
    assert_divergences(q, joint, expected, decoder)
    if expected.on_data is None:
        assert math.isnan(q.expected_rounds_on_data)
    else:
        assert q.expected_rounds_on_data == close(expected.on_data)


def assert_exact_output(q, case, expected, decoder):
    """Fractions are equal; divergences as floats."""
    joint = case.joint
    assert {x: q.table[x] for x in joint} == expected.table
    assert dict(q.rounds) == expected.rounds
    assert q.expected_rounds == expected.expected_rounds
    assert q.tv == slow.total_variation(joint, expected.table)
    assert q.valid_mass == slow.possible_mass(joint, expected.table)
    for number in (q.tv, q.valid_mass, *q.rounds.values()):
        assert not isinstance(number, float)
    assert_divergences(q, joint, expected, decoder)
    if expected.on_data is None:
        assert math.isnan(q.expected_rounds_on_data)
    else:
        assert q.expected_rounds_on_data == expected.on_data
        assert not isinstance(q.expected_rounds_on_data, float)


# The zero-loss denoiser, which answers with the marginals where the context is impossible


@each_pair(
    {
        "dense": 2,
        "zeros": 1,
        "parity": 3,
        "all equal": 4,
        "three tokens": 2,
        "four sites": 4,
        "chain": 3,
        "one site": 2,
        "one possible": 5,
        "one token": 3,
        "one site, one token": 5,
    }
)
def test_exact_distributions_are_written_exactly(case, policy, decoder):
    expected = slow.expected_output(case.joint, case.vocab, decoder, zero_loss(case))
    q = output_distribution(build_exact(case), policy)
    assert_exact_output(q, case, expected, decoder)


@each_pair(
    {
        "dense, three tokens": 3,
        "hmm": 4,
        "mixture": 3,
        "empirical": 3,
        "zeros": 4,
        "four sites": 5,
        "one token": 5,
    }
)
def test_floats(case, policy, decoder):
    expected = slow.expected_output(case.joint, case.vocab, decoder, zero_loss(case))
    q = output_distribution(case.build(), policy)
    assert q.table.dtype == np.float64
    assert_output(q, case, expected, decoder)


def assert_same_expression(a, b):
    """Logarithms of primes are independent: equal numbers are equal expressions."""
    assert a == b if b == sympy.oo else sympy.expand(a - b) == 0


@each_pair({"zeros": 4, "parity": 4, "three tokens": 4})
def test_divergences_of_exact_distributions_as_expressions(case, policy, decoder):
    expected = slow.expected_output(case.joint, case.vocab, decoder, zero_loss(case), exact=True)
    q = output_distribution(build_exact(case), policy)
    assert_same_expression(q.kl, oracles.kl_divergence(case.joint, expected.table, exact=True))
    reverse = oracles.kl_divergence(expected.table, case.joint, exact=True)
    assert_same_expression(q.reverse_kl, reverse)
    if expected.costs is not None:
        assert_same_expression(q.path_kl, sum(expected.costs))
        for cost, other in itertools.zip_longest(q.round_costs, expected.costs, fillvalue=0):
            assert_same_expression(cost, other)


def seen(decoder):
    """The law as the oracle of a path wants it."""

    def law(pattern, prediction, index):
        return decoder.law(pattern, slow.masked_sites(pattern), prediction, index)

    return law


@pytest.mark.parametrize("temperature", [1, 0.5])
def test_the_cost_of_the_path_by_every_path(temperature):
    """Another oracle: the mean of log p(x) / q_path(x)."""
    for name in ("zeros", "three tokens", "mixture"):
        case, temper = SMALL[name], tempering(temperature)
        for policy, decoder in selecting(case.length, case.vocab)[::5]:
            q = output_distribution(case.build(), policy, temperature)
            cost = oracles.mean_path_kl(case.joint, seen(decoder), zero_loss(case), temper)
            assert q.path_kl == close(cost)


def test_the_costs_are_total_correlations_with_the_zero_loss_denoiser():
    """Of the data's own sets, in the contexts to which the data lead: from the definition."""
    case = SMALL["zeros"]
    for policy, decoder in selecting(case.length, case.vocab)[::7]:
        q = output_distribution(case.build(), policy)
        layer, index = {(MASK,) * case.length: Fraction(1)}, 0
        for cost in q.round_costs:
            after, expected = {}, []
            for pattern, mass in layer.items():
                if MASK not in pattern:
                    continue
                prediction = zero_loss(case)(pattern)
                for chance, sites in seen(decoder)(pattern, prediction, index):
                    correlation = oracles.total_correlation(case.joint, sites, pattern)
                    expected.append(float(mass * chance) * correlation)
                    given = oracles.marginal(oracles.condition(case.joint, pattern), sites)
                    for tokens, share in given.items():
                        key = oracles.reveal(pattern, sites, tokens)
                        if share * chance != 0:
                            after[key] = after.get(key, 0) + mass * chance * share
            assert cost == close(math.fsum(expected))
            layer, index = after, index + 1
        assert not [pattern for pattern in layer if MASK in pattern]


DETERMINISTIC = (LeftToRight, TopK, Threshold, Factor, EntropyBounded, Bisection, Tabulated, Rule)


@pytest.mark.parametrize("temperature", [1, 0.5])
def test_a_deterministic_policy_has_one_path_to_each_sequence(temperature):
    """And one that decides by chance has several, which together do better than their mean."""
    case = SMALL["dense"]
    for policy, _ in selecting(case.length, case.vocab):
        q = output_distribution(case.build(), policy, temperature)
        if isinstance(policy, DETERMINISTIC):
            assert q.kl == close(q.path_kl)
        else:
            assert q.kl <= q.path_kl + TOLERANCE
    q = output_distribution(case.build(), RandomOrder((1, case.length - 1)))
    assert q.kl < q.path_kl - 1e-4


# Temperature


@each_pair({"dense": 3, "zeros": 4, "parity": 4, "three tokens": 3, "chain": 6, "all equal": 5})
def test_temperature_zero_of_exact_distributions(case, policy, decoder):
    temper = tempering(0)
    expected = slow.expected_output(case.joint, case.vocab, decoder, zero_loss(case), temper)
    q = output_distribution(build_exact(case), policy, 0)
    assert_exact_output(q, case, expected, decoder)


@each_pair({"zeros": 5, "dense, three tokens": 5, "hmm": 5, "mixture": 3, "all equal": 5})
def test_temperature_zero_of_floats(case, policy, decoder):
    temper = tempering(0)
    expected = slow.expected_output(case.joint, case.vocab, decoder, zero_loss(case), temper)
    q = output_distribution(case.build(), policy, 0)
    assert_output(q, case, expected, decoder)


@each_pair({"zeros": 4, "dense": 4, "three tokens": 2, "hmm": 6, "empirical": 3})
def test_temperature_one_half(case, policy, decoder):
    temper = tempering(0.5)
    expected = slow.expected_output(case.joint, case.vocab, decoder, zero_loss(case), temper)
    q = output_distribution(case.build(), policy, 0.5)
    assert_output(q, case, expected, decoder)


# Other denoisers


@each_pair({"dense": 4, "zeros": 4, "three tokens": 2, "four sites": 5, "hmm": 5, "one site": 2})
def test_a_wrong_denoiser(case, policy, decoder):
    predict = wrong(case.length, case.vocab)
    expected = slow.expected_output(case.joint, case.vocab, decoder, predict)
    q = output_distribution(case.build(), policy, denoiser=as_denoiser(predict, case.vocab))
    assert_output(q, case, expected, decoder)


@each_pair({"zeros": 4, "dense": 5, "three tokens": 3, "chain": 6})
def test_an_exact_denoiser_with_ties_and_zeros(case, policy, decoder):
    predict = blunt(case.length, case.vocab)
    expected = slow.expected_output(case.joint, case.vocab, decoder, predict)
    q = output_distribution(
        build_exact(case), policy, denoiser=as_denoiser(predict, case.vocab, exact=True)
    )
    assert_exact_output(q, case, expected, decoder)


@each_pair({"zeros": 5, "dense": 4, "three tokens": 3, "one site": 2})
def test_a_wrong_denoiser_at_a_temperature(case, policy, decoder):
    predictors = wrong(case.length, case.vocab), blunt(case.length, case.vocab)
    for predict, temperature in itertools.product(predictors, (0, 0.5)):
        temper = tempering(temperature)
        expected = slow.expected_output(case.joint, case.vocab, decoder, predict, temper)
        q = output_distribution(
            case.build(), policy, temperature, denoiser=as_denoiser(predict, case.vocab)
        )
        assert_output(q, case, expected, decoder)


# The choice itself, by law and by draws


LENGTH, VOCAB = 4, 2


def predictions_of(patterns, temperature=1):
    """Of a wrong denoiser, as an array."""
    temper, predict = tempering(temperature), wrong(LENGTH, VOCAB)
    return np.array(floats([[temper(r) for r in predict(x)] for x in patterns]), dtype=float)


def ask_at(temperature):
    def ask(x):
        patterns = [tuple(pattern) for pattern in x.tolist()]
        return predictions_of(patterns), predictions_of(patterns, temperature)

    return ask


@functools.cache
def rows_of_all_patterns(temperature):
    """The same at every pattern, which is an index: MASK is -1, the last one."""
    tokens = np.array([*range(VOCAB), MASK])
    every = tokens[np.indices((VOCAB + 1,) * LENGTH)].reshape(LENGTH, -1).T
    answers = ask_at(temperature)(every)
    return [rows.reshape(*(VOCAB + 1,) * LENGTH, LENGTH, VOCAB) for rows in answers]


def chances_of_sites(decoder, pattern, index):
    chances = {}
    for chance, sites in seen(decoder)(pattern, wrong(LENGTH, VOCAB)(pattern), index):
        key = tuple(i in sites for i in range(LENGTH))
        chances[key] = chances.get(key, 0) + chance
    return {key: chance for key, chance in chances.items() if chance != 0}


def chances_of_sequences(decoder, pattern, temperature):
    """From the sequence after a round, and its calls, to its chance."""
    ask, chances = slow.asking(wrong(LENGTH, VOCAB), tempering(temperature)), {}
    for chance, after, calls in decoder.follow(pattern, ask, 0, VOCAB):
        chances[after, calls] = chances.get((after, calls), 0) + chance
    return {key: chance for key, chance in chances.items() if chance > 1e-15}


def fits(policy, pattern):
    """Whether the policy ever meets a sequence with these masked sites."""
    masked = [o == MASK for o in pattern]
    if isinstance(policy, RandomOrder):
        return sum(masked) in [sum(policy.sizes[t:]) for t in range(len(policy.sizes))]
    if isinstance(policy, Blocks):
        start = masked.index(True) // policy.size * policy.size
        block = pattern[start : start + policy.size]
        return all(masked[start + len(block) :]) and fits(policy.inner, block)
    return True


def patterns_for(policy, count):
    every = oracles.all_patterns(LENGTH, VOCAB)
    return [x for x in every if x.count(MASK) == count and fits(policy, x)]


def each_choice(stride=1, revising_too=True):
    pairs = selecting(LENGTH, VOCAB)[::stride]
    if revising_too:
        pairs += [pair for pair in revising(LENGTH) if isinstance(pair[0], Remask)]
    return over(pairs)


def each_draw(stride=1):
    return over(drawing(LENGTH)[::stride])


@each_choice()
def test_laws_row_by_row(policy, decoder):
    """Of all patterns with equally many masked sites at once."""
    for count in range(1, LENGTH + 1):
        patterns = patterns_for(policy, count)
        if not patterns:
            continue
        index = (policy.steps or 1) - 1
        found = [{} for _ in patterns]
        x, predictions = np.array(patterns), predictions_of(patterns)
        for chance, flip in policy.reveal_distribution(x, predictions, index):
            assert flip.shape == x.shape
            assert flip.dtype == bool
            chances = np.broadcast_to(np.asarray(chance, dtype=float), len(patterns))
            for row_chances, p, sites in zip(found, chances.tolist(), flip.tolist(), strict=True):
                if p != 0:
                    row_chances[tuple(sites)] = row_chances.get(tuple(sites), 0) + p
        assert x.tolist() == [list(pattern) for pattern in patterns]
        for pattern, row_chances in zip(patterns, found, strict=True):
            expected = chances_of_sites(decoder, pattern, index)
            assert row_chances.keys() == expected.keys()
            assert_same_numbers(row_chances, expected)


@each_draw()
@pytest.mark.parametrize("temperature", [1, 0.5])
def test_outcomes_row_by_row(policy, decoder, temperature):
    for count in range(1, LENGTH + 1):
        patterns = patterns_for(policy, count)
        found, x = [{} for _ in patterns], np.array(patterns)
        for which, chance, after, calls in policy.outcomes(x, ask_at(temperature), 0):
            for b, p, y in zip(which.tolist(), chance.tolist(), after.tolist(), strict=True):
                found[b][tuple(y), calls] = found[b].get((tuple(y), calls), 0) + p
        for pattern, row_chances in zip(patterns, found, strict=True):
            assert_same_numbers(row_chances, chances_of_sequences(decoder, pattern, temperature))


def counted(rows):
    """How often each sequence of bits and masks is among the rows."""
    shape = (VOCAB + 1,) * LENGTH
    numbers = np.ravel_multi_index(tuple(rows.T - MASK), shape)
    every = itertools.product((MASK, *range(VOCAB)), repeat=LENGTH)
    counts = np.bincount(numbers, minlength=math.prod(shape)).tolist()
    return Counter({x: count for x, count in zip(every, counts, strict=True) if count})


def assert_drawn_from(chances, counts):
    """Chi-square. Nothing that has no chance is ever drawn; what is rare counts together."""
    assert counts.keys() <= chances.keys()
    likely = {k: float(p) * counts.total() for k, p in chances.items()}
    rare = [k for k, mean in likely.items() if mean < 5]
    bins = [(likely[k], counts[k]) for k in likely if k not in rare]
    if sum(likely[k] for k in rare) >= 5:
        bins.append((sum(likely[k] for k in rare), sum(counts[k] for k in rare)))
    if len(bins) > 1:
        statistic = sum((count - mean) ** 2 / mean for mean, count in bins)
        assert statistic < scipy.stats.chi2.isf(1e-6, len(bins) - 1)


PATTERNS = [
    (MASK, MASK, MASK, MASK),
    (1, MASK, MASK, MASK),
    (MASK, 0, MASK, MASK),
    (MASK, MASK, 1, 0),
    (0, 1, MASK, 1),
]
COPIES = 4000


def shuffled_batch(patterns, seed=0):
    """Copies of all patterns in one batch, in no order, and where each of them went."""
    batch = np.repeat(np.array(patterns), COPIES, axis=0)
    places = np.repeat(np.arange(len(patterns)), COPIES)
    order = np.random.default_rng(seed).permutation(len(batch))
    return batch[order], places[order]


@each_choice(stride=3)
def test_draws_of_sets(policy, decoder):
    """In one batch with patterns that have different numbers of masked sites."""
    patterns = [x for x in PATTERNS if fits(policy, x)]
    index = 0
    if policy.steps is not None:  # at the clock's second step anything is possible
        patterns, index = [*patterns, (1, 0, 0, 1)], min(1, policy.steps - 1)
    x, which = shuffled_batch(patterns)
    predictions = predictions_of(patterns)[which]
    before = x.copy(), predictions.copy()
    chosen = policy.choose(x, predictions, index, np.random.default_rng(1))
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(predictions, before[1])
    assert chosen.shape == x.shape
    assert chosen.dtype == bool
    if not policy.remasks:
        assert not (chosen & (x != MASK)).any()
    for place, pattern in enumerate(patterns):
        drawn = counted(chosen[which == place])
        assert_drawn_from(chances_of_sites(decoder, pattern, index), drawn)
    again = policy.choose(x, predictions, index, np.random.default_rng(1))
    np.testing.assert_array_equal(again, chosen)


@each_draw(stride=2)
@pytest.mark.parametrize("temperature", [1, 0.5, 0])
def test_draws_of_tokens(policy, decoder, temperature):
    """Pattern by pattern, where the calls are known, and in one batch of all."""

    rows_of = rows_of_all_patterns(temperature)

    def ask(x):
        return tuple(rows[tuple(x.T)] for rows in rows_of)

    for pattern in (PATTERNS[0], PATTERNS[4]):
        x = np.array([pattern] * COPIES)
        after, calls = policy.write(x, ask, 0, np.random.default_rng(2))
        assert (x == pattern).all()
        outcomes = Counter({(y, calls): count for y, count in counted(after).items()})
        assert_drawn_from(chances_of_sequences(decoder, pattern, temperature), outcomes)
    patterns = [x for x in PATTERNS if fits(policy, x)]
    x, which = shuffled_batch(patterns)
    after, calls = policy.write(x, ask, 0, np.random.default_rng(3))
    np.testing.assert_array_equal(after[x != MASK], x[x != MASK])
    for place, pattern in enumerate(patterns):
        expected = chances_of_sequences(decoder, pattern, temperature)
        drawn = counted(after[which == place])
        assert_drawn_from({y: p for (y, _), p in expected.items()}, drawn)
    assert calls == max(calls for _, calls in chances_of_sequences(decoder, PATTERNS[0], 1))


@pytest.mark.parametrize("size", [1, 2, 4])
def test_draws_of_what_correctors_draw_again(size):
    corrector = BlockCorrector(None, size, 1)
    drawn = corrector.choose(COPIES, LENGTH, np.random.default_rng(4))
    assert drawn.shape == (COPIES, LENGTH)
    assert drawn.dtype == bool
    sets = slow.subsets_of(range(LENGTH), size)
    chances = {tuple(i in sites for i in range(LENGTH)): chance for chance, sites in sets}
    assert_drawn_from(chances, counted(drawn))
    if size == 1:
        drawn = GibbsCorrector(None, 1).choose(COPIES, LENGTH, np.random.default_rng(5))
        assert_drawn_from(chances, counted(drawn))


# Limits and identities


def assert_same(a, b):
    """Of exact outputs."""
    assert a.table.tolist() == b.table.tolist()
    assert dict(a.rounds) == dict(b.rounds)
    assert a.path_kl == b.path_kl or (math.isnan(a.path_kl) and math.isnan(b.path_kl))
    assert tuple(a.round_costs) == tuple(b.round_costs)


IDENTITIES = ["zeros", "dense", "three tokens", "one token", "one possible"]
each_identity = pytest.mark.parametrize("case", [SMALL[n] for n in IDENTITIES], ids=IDENTITIES)


def any_inner(length):
    return [policy for policy, _ in laws(length)[::2] + drawing(length)]


@each_identity
def test_a_block_as_long_as_the_sequence_changes_nothing(case):
    p = build_exact(case)
    for policy in any_inner(case.length):
        for size in (case.length, case.length + 3):
            assert_same(
                output_distribution(p, Blocks(size, policy)), output_distribution(p, policy)
            )


@each_identity
def test_blocks_of_one_site_are_exact(case):
    p = build_exact(case)
    for policy in any_inner(case.length):
        q = output_distribution(p, Blocks(1, policy))
        assert q.table.tolist() == p.table().tolist()
        assert dict(q.rounds) == {case.length: 1}
        assert (q.kl, q.reverse_kl, q.tv, q.path_kl) == (0, 0, 0, 0)


def test_what_is_inside_of_blocks_sees_the_tokens_before_them():
    """All at once behind a 0, else one by one."""

    def select(x, predictions):
        masked = x == MASK
        return np.where(x[:, :1] == 0, masked, masked & (masked.cumsum(axis=1) == 1))

    def law(pattern, sites, prediction, index):
        return [(Fraction(1), tuple(sites if pattern[0] == 0 else sites[:1]))]

    case = SMALL["chain"]
    for size in (1, 2, 3, 4):
        decoder = slow.Selecting(slow.blocks(size, law))
        expected = slow.expected_output(case.joint, case.vocab, decoder, zero_loss(case))
        q = output_distribution(build_exact(case), Blocks(size, Rule(select)))
        assert_exact_output(q, case, expected, decoder)


ONE_BY_ONE = [
    LeftToRight(1),
    FirstHitting(),
    *(TopK(1, score) for score in slow.SCORES),
    Threshold(1.0),
    SurelyFirst(),
    Blocks(2, FirstHitting()),
    Blocks(2, TopK(1, "margin")),
    Speculative(1),
]


@each_identity
def test_one_site_per_round_is_exact(case):
    p = build_exact(case)
    for policy in [*ONE_BY_ONE, RandomOrder((1,) * case.length)]:
        q = output_distribution(p, policy)
        assert q.table.tolist() == p.table().tolist()
        assert dict(q.rounds) == {case.length: 1}
        assert (q.kl, q.path_kl, q.expected_rounds_on_data) == (0, 0, case.length)
    for policy in (EntropyBounded(0.0), Factor(1e-6)):  # or several, of which all but one are sure
        q = output_distribution(p, policy)
        assert q.table.tolist() == p.table().tolist()
        assert q.kl == 0


@each_family
def test_one_site_per_round_is_exact_in_floats(case):
    p = case.build()
    for policy in [*ONE_BY_ONE, RandomOrder((1,) * case.length), Speculative(), Speculative(2)]:
        q = output_distribution(p, policy)
        np.testing.assert_allclose(q.table, p.table(), rtol=1e-11, atol=1e-15)
        assert q.path_kl == close(0)
        assert q.reverse_kl == close(0)
        assert q.valid_mass == close(1)
        if not isinstance(policy, Speculative) or policy.k == 1:
            assert_same_numbers(q.rounds, {case.length: 1})


@each_identity
def test_everything_at_once(case):
    """The product of the marginals, by many names."""
    p, length = build_exact(case), case.length
    once = output_distribution(p, LeftToRight(length))
    marginals = oracles.site_marginals(case.joint, case.vocab)
    for x in case.joint:
        assert once.table[x] == math.prod(marginals[i][v] for i, v in enumerate(x))
    for policy in [
        *(TopK(length, score) for score in slow.SCORES),
        RandomOrder((length,)),
        Bernoulli((0, 1)),
        EntropyBounded(100.0),
        Factor(100.0),
        Threshold(0.0),
        Rule(everything),
    ]:
        assert_same(output_distribution(p, policy), once)
    for policy in (
        TokenConfidence(length),
        Remask((0, 1), 1),
        BlockCorrector(None, length, 1),
        BlockCorrector(LeftToRight(1), length, 2),
    ):
        q = output_distribution(p, policy)
        assert q.table.tolist() == once.table.tolist()
        assert q.kl == once.kl


@each_identity
def test_remasking_nothing_is_bernoulli(case):
    p = build_exact(case)
    for times in ((0, 1), TIMES):
        q = output_distribution(p, Remask(times, 0))
        other = output_distribution(p, Bernoulli(times))
        assert q.table.tolist() == other.table.tolist()
        assert dict(q.rounds) == dict(other.rounds)
        assert math.isnan(q.path_kl)
        assert tuple(q.round_costs) == ()


def test_remasking_a_single_site_keeps_its_distribution():
    for name in ("one site", "one possible"):
        p = build_exact(SMALL[name])
        q = output_distribution(p, Remask(TIMES, 1))
        assert q.table.tolist() == p.table().tolist()
        assert q.expected_rounds > 1 if name == "one site" else True


@each_identity
def test_drawing_single_sites_again_is_gibbs_sampling_and_keeps_the_data(case):
    p = build_exact(case)
    for steps in (1, 3):
        gibbs = output_distribution(p, GibbsCorrector(None, steps))
        assert gibbs.table.tolist() == p.table().tolist()
        assert dict(gibbs.rounds) == {steps: 1}
        assert_same(output_distribution(p, BlockCorrector(None, 1, steps)), gibbs)
        for inner in (LeftToRight(case.length), TokenConfidence(1)):
            a = output_distribution(p, BlockCorrector(inner, 1, steps))
            assert_same(a, output_distribution(p, GibbsCorrector(inner, steps)))


@each_identity
def test_gibbs_sampling_never_takes_the_output_away_from_the_data(case):
    p = build_exact(case)
    inner = LeftToRight(case.length)
    start = output_distribution(p, inner)
    outputs = [output_distribution(p, GibbsCorrector(inner, steps)) for steps in range(4)]
    assert outputs[0].table.tolist() == start.table.tolist()
    assert dict(outputs[0].rounds) == dict(start.rounds)
    for steps, (before, after) in enumerate(itertools.pairwise(outputs)):
        assert after.tv <= before.tv
        assert float(after.kl) <= float(before.kl) + TOLERANCE
        assert dict(after.rounds) == {count + steps + 1: m for count, m in start.rounds.items()}
    if start.tv != 0 and case.length > 1:
        assert outputs[-1].tv < start.tv


def test_drawing_several_sites_again_does_not_keep_the_data():
    """A parity of three bits is right with chance 1/2 as soon as two are drawn apart."""
    p = build_exact(SMALL["parity"])
    for size in (2, 3):
        assert output_distribution(p, BlockCorrector(None, size, 1)).valid_mass == HALF


@each_identity
def test_speculative_decoding_is_exact(case):
    p = build_exact(case)
    for policy in [
        *(Speculative(k) for k in range(1, case.length + 2)),
        Speculative(),
        Blocks(2, Speculative()),
        Blocks(3, Speculative(2)),
    ]:
        q = output_distribution(p, policy)
        assert q.table.tolist() == p.table().tolist()
        assert (q.kl, q.valid_mass) == (0, 1)


@pytest.mark.parametrize("temperature", [0, 0.5, 0.9, 3])
def test_speculative_decoding_at_a_temperature_is_left_to_right_decoding_at_it(temperature):
    for name in ("dense", "zeros", "three tokens", "hmm", "mixture", "four sites"):
        case = SMALL[name]
        p = case.build()
        denoiser = as_denoiser(wrong(case.length, case.vocab), case.vocab)
        for answer in (None, denoiser):
            one_by_one = output_distribution(p, LeftToRight(1), temperature, denoiser=answer)
            for k in (None, 2, 3):
                q = output_distribution(p, Speculative(k), temperature, denoiser=answer)
                np.testing.assert_allclose(q.table, one_by_one.table, rtol=1e-11, atol=1e-15)


def test_speculative_decoding_saves_calls_only_where_drafts_are_good():
    """Independent sites: two calls. Two equal fair bits: 2, and with 1/2 one more."""
    independent = JointTable([[1, 2], [2, 4]], exact=True)
    q = output_distribution(independent, Speculative())
    assert (dict(q.rounds), q.expected_rounds_on_data) == ({2: 1}, 2)
    bits = JointTable([[1, 0], [0, 1]], exact=True)
    q = output_distribution(bits, Speculative())
    assert dict(q.rounds) == {2: 1}  # the refused token is written, too
    three = JointTable([[[1, 0], [0, 0]], [[0, 0], [0, 1]]], exact=True)
    q = output_distribution(three, Speculative())
    assert dict(q.rounds) == {2: HALF, 3: HALF}  # the second is refused with chance 1/2
    assert math.isnan(q.expected_rounds_on_data)
    assert q.path_kl == 0


def test_the_number_of_calls_is_constant_although_refusals_have_a_chance_of_rounding_errors():
    """Independent sites, in floats: nothing is refused, so that there are always two calls."""
    for seed in range(5):
        sites = np.array(floats(random_rows(seed, 1, 3, 3)))
        q = output_distribution(ProductMixture([1.0], sites), Speculative())
        assert q.expected_rounds == close(2)
        assert q.expected_rounds_on_data == close(2)


def test_calls_on_data_differ_from_calls_of_the_decoder():
    """Known values: three coupled bits, by a rule that looks at the first one.

    After a 0 all at once, after a 1 one by one. The data have P(first = 0) = 1/4, a denoiser of
    the user's says 3/4.
    """
    p = JointTable([[[1, 0], [0, 0]], [[0, 0], [0, 3]]], exact=True)

    def select(x, predictions):
        masked = x == MASK
        return np.where(x[:, :1] == 0, masked, masked & (masked.cumsum(axis=1) == 1))

    def mostly_zero(x):
        return np.broadcast_to(np.array([Fraction(3, 4), Fraction(1, 4)]), (*x.shape, 2))

    q = output_distribution(p, Rule(select), denoiser=mostly_zero)
    assert dict(q.rounds) == {2: Fraction(3, 4), 3: Fraction(1, 4)}
    assert q.expected_rounds == Fraction(9, 4)
    assert q.expected_rounds_on_data == Fraction(11, 4)
    q = output_distribution(p, Rule(select))
    assert q.expected_rounds == q.expected_rounds_on_data == Fraction(11, 4)


def test_calls_on_data_where_there_is_no_path():
    p = build_exact(SMALL["zeros"])
    for policy in (
        Speculative(),
        Remask(TIMES, 1),
        GibbsCorrector(Bernoulli(TIMES), 1),
        GibbsCorrector(Speculative(), 1),
    ):
        q = output_distribution(p, policy)
        assert len(q.rounds) > 1
        assert math.isnan(q.expected_rounds_on_data)
    for policy, calls in [
        (TokenConfidence(2), 2),
        (Speculative(1), 3),
        (Blocks(1, Speculative()), 3),
        (Remask((0, 1), 1), 1),
        (GibbsCorrector(None, 4), 4),
        (GibbsCorrector(LeftToRight(2), 1), 3),
        (BlockCorrector(TokenConfidence(1), 2, 2), 5),
    ]:
        q = output_distribution(p, policy)
        assert dict(q.rounds) == {calls: 1}
        assert q.expected_rounds_on_data == calls


def test_bernoulli_counts_the_steps_that_reveal_something():
    """One site: always one call. Two sites and two halves: one with chance 1/2."""
    q = output_distribution(build_exact(SMALL["one site"]), Bernoulli(TIMES))
    assert dict(q.rounds) == {1: 1}
    q = output_distribution(build_exact(SMALL["three tokens"]), Bernoulli((0, HALF, 1)))
    assert dict(q.rounds) == {1: HALF, 2: HALF}
    assert q.expected_rounds_on_data == Fraction(3, 2)


@pytest.mark.parametrize("name", ["dense", "three tokens", "dense, three tokens"])
def test_visited_sequences_are_counted(name):
    """All that are reached, in every round; at least the most of a round are held at once."""
    case = SMALL[name]
    ask = slow.asking(zero_loss(case))
    for policy, decoder in selecting(case.length, case.vocab)[::4] + drawing(case.length):
        if decoder.steps is None:
            q = output_distribution(case.build(), policy)
            counts = slow.pattern_counts(case.joint, case.vocab, decoder, ask)
            assert q.states == sum(counts), policy
            assert q.widest >= max(counts)


# Ties


def chosen_sites(policy, prediction):
    """What a deterministic policy selects first."""
    x = np.full((1, len(prediction)), MASK)
    array = np.array(prediction)[None]
    ((chance, flip),) = list(policy.reveal_distribution(x, array, 0))
    assert chance == 1
    return tuple(np.flatnonzero(flip[0]).tolist())


def independent(prediction, exact):
    """Rows as they are, or as floats."""
    return prediction if exact else floats(prediction)


each_kind = pytest.mark.parametrize("exact", [False, True], ids=["floats", "exact"])


@each_kind
@pytest.mark.parametrize("score", slow.SCORES)
def test_equal_scores_go_to_the_lowest_index(score, exact):
    """Also where the sums of floats are not quite equal."""
    weights = [(2, 5, 3), (1, 6, 3), (3, 1, 6), (6, 3, 1), (5, 2, 3), (1, 3, 6), (3, 6, 1)]
    prediction = independent(rows(*weights), exact)
    order = (1, 2, 3, 5, 6, 0, 4)  # the surest first
    for k in range(1, 8):
        assert chosen_sites(TopK(k, score), prediction) == tuple(sorted(order[:k]))


def test_scores_are_equal_to_twelve_decimals():
    for score in slow.SCORES:
        apart = [[0.3, 0.7], [0.3 - 1e-14, 0.7 + 1e-14]]
        assert chosen_sites(TopK(1, score), apart) == (0,)
        apart = [[0.3, 0.7], [0.3 - 1e-10, 0.7 + 1e-10]]
        assert chosen_sites(TopK(1, score), apart) == (1,)


def test_margin_and_entropy_and_confidence_differ():
    prediction = rows((50, 25, 25), (49, 48, 3), (51, 40, 9))
    assert chosen_sites(TopK(1, "confidence"), prediction) == (2,)
    assert chosen_sites(TopK(1, "margin"), prediction) == (0,)
    assert chosen_sites(TopK(1, "entropy"), prediction) == (1,)


@each_kind
@pytest.mark.parametrize("top", [THIRD, Fraction(3, 7), HALF, Fraction(2, 3), Fraction(9, 10)])
def test_a_site_that_is_as_sure_as_the_threshold_does_not_exceed_it(top, exact):
    vocab = math.ceil(1 / top)
    rest = (1 - top) / (vocab - 1)
    prediction = independent([[top] + [rest] * (vocab - 1)] * 3, exact)
    for gamma in (top, float(top)):
        assert chosen_sites(Threshold(gamma), prediction) == (0,)
    assert chosen_sites(Threshold(float(top) + 1e-6), prediction) == (0,)
    assert chosen_sites(Threshold(float(top) - 1e-6), prediction) == (0, 1, 2)


@each_kind
@pytest.mark.parametrize("top", [HALF, Fraction(2, 3), Fraction(7, 10), Fraction(9, 10)])
def test_a_factor_that_is_just_reached_is_not_enough(top, exact):
    """(n + 1) (1 - c) < f fails at equality, so one site fewer is revealed."""
    prediction = independent([[top, 1 - top]] * 5, exact)
    for n in (2, 3, 4, 5):
        f = (n + 1) * (1 - top)
        for value in (f, float(f)):
            assert chosen_sites(Factor(value), prediction) == tuple(range(n - 1))
        assert chosen_sites(Factor(float(f) + 1e-6), prediction) == tuple(range(n))


@each_kind
@pytest.mark.parametrize("vocab", [2, 3, 5])
def test_an_entropy_that_just_fits_is_within_the_bound(vocab, exact):
    """m + 1 uniform sites: their entropies without the largest are m log V."""
    prediction = independent([[Fraction(1, vocab)] * vocab] * 5, exact)
    for m in range(5):
        gamma = m * math.log(vocab)
        assert chosen_sites(EntropyBounded(gamma), prediction) == tuple(range(m + 1))
        if m > 0:
            assert chosen_sites(EntropyBounded(gamma - 1e-6), prediction) == tuple(range(m))


def test_equal_probabilities_are_equal_at_temperature_zero():
    """The lowest token, although another one is larger by a rounding error."""

    def noisy(x):
        return np.broadcast_to([0.5 - 1e-15, 0.5 + 1e-15], (*x.shape, 2))

    p = SMALL["dense"].build()
    for policy in (LeftToRight(1), TokenConfidence(2), Speculative(), GibbsCorrector(None, 60)):
        q = output_distribution(p, policy, 0, denoiser=noisy)
        assert q.table[0, 0, 0] == pytest.approx(1, abs=1e-6)


# What is refused, and what a denoiser is asked


def contrary(x):
    """Changes its mind with every token; it stacks its answers, so no pattern has no shape."""
    assert len(x) > 0
    sure = (x != MASK).sum(axis=1) % 2
    return np.array([np.tile([1.0 - s, s], (x.shape[1], 1)) for s in sure.tolist()])


@pytest.mark.parametrize("temperature", [0, 1])
def test_a_denoiser_is_never_asked_about_no_pattern(temperature):
    """Where every draft is refused, none is left to be verified."""

    def ask(x):
        return contrary(x), contrary(x)

    p = SMALL["zeros"].build()
    for policy, _ in [*drawing(3), *selecting(3, 2)[::5], *revising(3)[::2]]:
        q = output_distribution(p, policy, temperature, denoiser=contrary)
        assert q.table.sum() == close(1)
    for policy, _ in drawing(3):
        x = np.full((2, 3), MASK)
        after, _ = policy.write(x, ask, 0, np.random.default_rng(0))
        assert (after != MASK).any(axis=1).all()


@each_kind
def test_speculative_decoding_where_every_draft_is_refused(exact):
    """Equally likely 011 and 101. The likeliest draft is 001, after a 0 comes a 1."""
    p = JointTable([[[0, 0], [0, 1]], [[0, 1], [0, 0]]], exact=exact)
    for k in (None, 2, 3):
        q = output_distribution(p, Speculative(k), 0)
        assert q.table.tolist() == [[[0, 0], [0, 1]], [[0, 0], [0, 0]]]
        assert dict(q.rounds) == {3: 1}


@each(
    "policy",
    [
        TopK,
        TokenConfidence,
        Speculative,
        LeftToRight,
        lambda k: Blocks(k, LeftToRight()),
        lambda k: BlockCorrector(None, k, 1),
    ],
)
@each("value", [0, -7, 2.5, "3", True])
def test_counts_are_positive_integers(policy, value):
    with pytest.raises(InvalidInput, match=rf"at least 1, got {value!r}$"):
        policy(value)


@pytest.mark.parametrize("policy", [TopK, TokenConfidence, lambda k: Blocks(k, LeftToRight())])
def test_counts_may_not_be_left_out(policy):
    with pytest.raises(InvalidInput, match="None"):
        policy(None)


@pytest.mark.parametrize(
    "policy", [lambda n: GibbsCorrector(None, n), lambda n: BlockCorrector(None, 2, n)]
)
@pytest.mark.parametrize("value", [-7, 1.5, "3", None])
def test_steps_of_correction_are_not_negative(policy, value):
    with pytest.raises(InvalidInput, match=rf"steps must .* at least 0, got {value!r}"):
        policy(value)


@pytest.mark.parametrize("score", ["sure", "Entropy", "", None, 3])
def test_scores_are_known(score):
    with pytest.raises(InvalidInput, match=rf"confidence, margin.* got {score!r}"):
        TopK(1, score)


@each(
    ("policy", "name", "value"),
    [
        *((Threshold, "gamma", value) for value in (1.25, -0.125, math.nan, math.inf, "x", None)),
        *((Factor, "f", value) for value in (0, 0.0, -1.5, math.nan, "x", None)),
        *((EntropyBounded, "gamma", value) for value in (-0.5, math.nan, "x", None)),
        *((lambda s: Remask((0, 1), s), "strength", v) for v in (1.25, -0.125, math.nan, "x")),
    ],
)
def test_bounds_are_numbers_in_their_range(policy, name, value):
    with pytest.raises(InvalidInput, match=rf"^{name} must .*got {value!r}$"):
        policy(value)


@each(
    ("times", "match"),
    [
        ((0, 0.7, 0.3, 1), r"0\.3 after 0\.7"),
        ((0, 0.5, 0.5, 1), r"0\.5 after 0\.5"),
        ((0, 1.5, 1), r"1 after 1\.5"),
        ((0, -0.5, 1), r"-0\.5 after 0"),
        ((0.25, 1), r"0\.25"),
        ((0, 0.75), r"0\.75"),
        ((0, 2), r"2"),
        ((1, 0), r"1"),
        ((1,), r"from 0 to 1, got"),
        ((0,), r"from 0 to 1, got"),
        ((), r"from 0 to 1, got"),
        ((0, "a", 1), "numbers.*'a'"),
        ((0, None, 1), "numbers.*None"),
        ((0, math.nan, 1), "nan"),
        ((0, math.inf, 1), "inf"),
        ("01", "numbers.*0.*1"),
        (3, "3"),
        (None, "None"),
    ],
)
@each("policy", [Bernoulli, Remask])
def test_times_rise_from_0_to_1(policy, times, match):
    with pytest.raises(InvalidInput, match=rf"times must .*{match}"):
        policy(times)


@pytest.mark.parametrize(
    "inner",
    [Bernoulli((0, 1)), Remask((0, 1), 1), Hesitant(), GibbsCorrector(None, 1), None, 3],
)
def test_blocks_take_a_policy_without_a_clock(inner):
    with pytest.raises(InvalidInput, match=r"clock|inner must be"):
        Blocks(2, inner)


@pytest.mark.parametrize("inner", [3, "LeftToRight"])
def test_correctors_take_a_decoder_or_none(inner):
    with pytest.raises(InvalidInput, match="inner must be"):
        GibbsCorrector(inner, 1)


def test_a_function_may_stand_for_its_rule():
    p = build_exact(SMALL["zeros"])
    for outer in (lambda inner: Blocks(2, inner), lambda inner: GibbsCorrector(inner, 1)):
        q = output_distribution(p, outer(everything))
        other = output_distribution(p, outer(Rule(everything)))
        assert q.table.tolist() == other.table.tolist()
        assert dict(q.rounds) == dict(other.rounds)


@pytest.mark.parametrize(
    ("policy", "match"),
    [
        (BlockCorrector(None, 5, 1), r"size .* length 3, got 5"),
        (Blocks(2, RandomOrder((1, 1))), r"length 1"),  # the last block
        (Blocks(3, RandomOrder((1, 1))), r"length 3.*sums to 2"),
        (GibbsCorrector(RandomOrder((1, 3)), 1), r"length 3.*sums to 4"),
        (GibbsCorrector(BlockCorrector(None, 5, 1), 1), r"length 3, got 5"),
        (tabulated(0, 2, 2)[0], r"2 sites.* 3"),
        (tabulated(0, 4, 2)[0], r"4 sites.* 3"),
        (tabulated(0, 3, 3)[0], r"3 tokens.* 2"),
        (Tabulated(np.zeros((3, 3, 3), dtype=np.int64)), r"no site"),
        (Tabulated(np.full((3, 3, 3), 8)), r"no site"),
        (Tabulated(np.full((3, 3, 3), 1)), r"no site|observed site"),
    ],
)
def test_decoders_that_do_not_fit_the_data(policy, match):
    with pytest.raises(InvalidInput, match=match):
        output_distribution(SMALL["zeros"].build(), policy)


@each("exact", [False, True], ids=["floats", "exact"])
@each(
    ("chances", "match"),
    [
        (lambda n: np.full((n, 1), Fraction(1)), r"shape \(1, 1\)"),
        (lambda n: np.full(n + 1, Fraction(1)), r"shape \(2,\)"),
        (lambda n: np.full((n, 3), Fraction(1)), r"shape \(1, 3\)"),
        (lambda n: np.full(n, 0.75), r"0\.75"),
        (lambda n: np.full(n, Fraction(3, 4)), r"3/4|0\.75"),
        (lambda n: 1.25, r"1\.25"),
    ],
)
def test_chances_of_rows(chances, match, exact):
    class Odd(Policy):
        def reveal_distribution(self, x, predictions, round_index):
            yield chances(len(x)), x == MASK

    p = build_exact(SMALL["zeros"]) if exact else SMALL["zeros"].build()
    with pytest.raises(InvalidInput, match=rf"probabilities.*{match}"):
        output_distribution(p, Odd())


def test_a_row_whose_chance_is_zero_may_reveal_anything():
    class Two(Policy):
        """Where the first site is 0 everything, else one by one; nonsense for other rows."""

        def reveal_distribution(self, x, predictions, round_index):
            masked, zero = x == MASK, x[:, 0] == 0
            yield zero * 1, np.where(zero[:, None], masked, x != MASK)
            first = masked & (masked.cumsum(axis=1) == 1)
            yield 1 - zero, np.where(zero[:, None], False, first)

    case = SMALL["zeros"]
    law = slow.Selecting(
        lambda pattern, sites, prediction, index: [
            (Fraction(1), tuple(sites if pattern[0] == 0 else sites[:1]))
        ]
    )
    expected = slow.expected_output(case.joint, case.vocab, law, zero_loss(case))
    assert len(expected.rounds) == 2
    assert_exact_output(output_distribution(build_exact(case), Two()), case, expected, law)


def test_a_clock_that_ends_too_early():
    class Short(Policy):
        @property
        def steps(self):
            return 1

        def reveal_distribution(self, x, predictions, round_index):
            masked = x == MASK
            yield 1, masked & (masked.cumsum(axis=1) == 1)

    with pytest.raises(InvalidInput, match="masked at the end"):
        output_distribution(SMALL["zeros"].build(), Short())


BAD_ANSWERS = {
    "vocabulary": (lambda x: np.full((*x.shape, 3), 1 / 3), r"shape.*\(1, 3, 3\)"),
    "no vocabulary": (lambda x: np.full(x.shape, 0.5), r"shape.*\(1, 3\)"),
    "too few": (lambda x: np.full((*x.shape, 2), 0.4), r"sum to 1.*0\.4"),
    "too much": (lambda x: np.full((*x.shape, 2), 0.6), r"sum to 1.*0\.6"),
    "negative": (lambda x: np.broadcast_to([1.5, -0.5], (*x.shape, 2)), r"-0\.5"),
    "nan": (lambda x: np.full((*x.shape, 2), np.nan), "nan"),
}


@each(("denoiser", "match"), BAD_ANSWERS.values(), ids=BAD_ANSWERS)
@each(
    "policy",
    [LeftToRight(), TokenConfidence(2), Speculative(), Remask((0, 1), 1), TopK(2)],
    ids=repr,
)
def test_denoisers_that_answer_no_probabilities(policy, denoiser, match):
    with pytest.raises(InvalidInput, match=match):
        output_distribution(SMALL["zeros"].build(), policy, denoiser=denoiser)


@pytest.mark.parametrize("value", [Fraction(2, 5), Fraction(3, 5)])
def test_exact_denoisers_that_answer_no_probabilities(value):
    def denoiser(x):
        return np.full((*x.shape, 2), value, dtype=object)

    for policy in (LeftToRight(), Speculative(), GibbsCorrector(None, 1)):
        with pytest.raises(InvalidInput, match=rf"{value}|{re.escape(repr(value))}"):
            output_distribution(build_exact(SMALL["zeros"]), policy, denoiser=denoiser)


def test_a_correctors_denoiser_is_checked_too():
    for answer, match in BAD_ANSWERS.values():
        with pytest.raises(InvalidInput, match=match.replace("(1, 3", r"(\d+, 3")):
            output_distribution(SMALL["zeros"].build(), GibbsCorrector(None, 1), denoiser=answer)
