"""Every decoding policy, against slow oracles written from the definitions."""

import itertools
import math
import random
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
from tests.sims import policy_oracles as slow
from theory import MASK, InvalidInput, JointTable, ProductMixture, gallery

TOLERANCE = 1e-12  # of sums of at most a few thousand products of probabilities
HALF, THIRD = Fraction(1, 2), Fraction(1, 3)
TIMES = (Fraction(0), Fraction(1, 4), HALF, Fraction(1))
LOG2 = math.log(2)


def close(expected):
    return pytest.approx(float(expected), rel=TOLERANCE, abs=TOLERANCE)


def named(name):
    return next(case for case in CASES if case.name == name)


# Policies: ours, and the same for the oracle


class SurelyFirst(Policy):
    """One site, drawn in proportion to its confidence: chances that differ between rows."""

    def law(self, x, predictions, round_index):
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

    def law(self, x, predictions, round_index):
        masked = x == MASK
        if round_index == 2:
            yield 1, masked
            return
        nothing = np.where(x[:, 0] == 0, THIRD, HALF)
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
    gammas = (0, THIRD, 0.5, 0.6, Fraction(2, 3), 0.9, 1)
    pairs += [(Threshold(float(gamma)), slow.threshold(gamma)) for gamma in gammas]
    pairs += [(Factor(float(f)), slow.factor(f)) for f in (0.01, HALF, 1, 1.5, 2.5, 9)]
    gammas = (0.0, 0.3, LOG2, 1.0, 1.7, 9.0)
    pairs += [(EntropyBounded(gamma), slow.entropy_bounded(gamma)) for gamma in gammas]
    pairs += [(SurelyFirst(), slow.surely_first), (Rule(everything), all_sites)]
    return pairs


def selecting(length, vocab):
    """(policy, decoder for the oracle) of those that select before any token is drawn."""
    pairs = [(RandomOrder(sizes), slow.random_order(sizes)) for sizes in compositions(length)]
    pairs += laws(length)
    pairs += [(LeftToRight(length + 1), slow.left_to_right(length + 1))]
    pairs += [tabulated(seed, length, vocab) for seed in range(2)]
    for size in (1, 2, 3, length + 1):
        pairs += [(Blocks(size, policy), slow.blocks(size, law)) for policy, law in laws(size)[::3]]
    pairs += [
        (Blocks(size, RandomOrder(sizes)), slow.blocks(size, slow.random_order(sizes)))
        for size in (1, 2, 4)
        if length % size == 0
        for sizes in compositions(size)
    ]
    nested = slow.blocks(3, slow.blocks(2, slow.first_hitting))
    pairs += [(Blocks(3, Blocks(2, FirstHitting())), nested)]
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


def each_pair(strides):
    """Pairs of a case and a policy: of each case all, or every so manieth."""
    pairs = []
    for offset, (name, stride) in enumerate(strides.items()):
        some = list(pairs_for(SMALL[name]))[offset % stride :: stride]
        pairs += [pytest.param(SMALL[name], *pair, id=f"{name}-{pair[0]!r}") for pair in some]
    return pytest.mark.parametrize(("case", "policy", "decoder"), pairs)


def zero_loss(case):
    return oracles.zero_loss(case.joint, case.vocab, "marginal")


def tempering(temperature):
    return lambda row: oracles.tempered(row, temperature)


def one_hot(token, vocab):
    return [Fraction(v == token) for v in range(vocab)]


def wrong(length, vocab):
    """Predictions that have nothing to do with the data."""

    def predict(pattern):
        answer = random_rows(repr(pattern), length, vocab)
        return [r if o == MASK else one_hot(o, vocab) for o, r in zip(pattern, answer, strict=True)]

    return predict


def blunt(length, vocab):
    """Few values, many ties, and zeros; at observed sites it does not answer one-hot."""

    def predict(pattern):
        weights = random_weights(f"blunt {pattern}", (length, vocab), zeros=0.3)
        return [row(*(min(w, 2) for w in r)) if any(r) else one_hot(0, vocab) for r in weights]

    return predict


def as_denoiser(predict, exact=False):
    def denoiser(x):
        answer = [predict(tuple(pattern)) for pattern in x.tolist()]
        return np.array(answer, object) if exact else np.array(floats(answer), dtype=float)

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
        "dense": 1,
        "zeros": 1,
        "parity": 2,
        "all equal": 2,
        "three tokens": 1,
        "four sites": 3,
        "chain": 2,
        "one site": 1,
        "one possible": 3,
        "one token": 2,
        "one site, one token": 3,
    }
)
def test_exact_distributions_are_written_exactly(case, policy, decoder):
    expected = slow.expected_output(case.joint, case.vocab, decoder, zero_loss(case))
    q = output_distribution(build_exact(case), policy)
    assert_exact_output(q, case, expected, decoder)


@each_pair(
    {
        "dense, three tokens": 3,
        "hmm": 3,
        "mixture": 2,
        "empirical": 2,
        "zeros": 3,
        "four sites": 4,
        "one token": 4,
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
    for policy, decoder in selecting(case.length, case.vocab):
        q = output_distribution(case.build(), policy, temperature)
        if isinstance(policy, DETERMINISTIC):
            assert q.kl == close(q.path_kl)
        else:
            assert q.kl <= q.path_kl + TOLERANCE
    q = output_distribution(case.build(), RandomOrder((1, case.length - 1)))
    assert q.kl < q.path_kl - 1e-4


# Temperature


@each_pair(
    {"dense": 3, "zeros": 4, "parity": 4, "three tokens": 3, "chain": 6, "all equal": 5}
)
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
    q = output_distribution(case.build(), policy, denoiser=as_denoiser(predict))
    assert_output(q, case, expected, decoder)


@each_pair({"zeros": 4, "dense": 5, "three tokens": 3, "chain": 6})
def test_an_exact_denoiser_with_ties_and_zeros(case, policy, decoder):
    predict = blunt(case.length, case.vocab)
    expected = slow.expected_output(case.joint, case.vocab, decoder, predict)
    q = output_distribution(build_exact(case), policy, denoiser=as_denoiser(predict, exact=True))
    assert_exact_output(q, case, expected, decoder)


@each_pair({"zeros": 5, "dense": 4, "three tokens": 3, "one site": 2})
@pytest.mark.parametrize("temperature", [0, 0.5])
def test_a_wrong_denoiser_at_a_temperature(case, policy, decoder, temperature):
    for predict in (wrong(case.length, case.vocab), blunt(case.length, case.vocab)):
        temper = tempering(temperature)
        expected = slow.expected_output(case.joint, case.vocab, decoder, predict, temper)
        q = output_distribution(
            case.build(), policy, temperature, denoiser=as_denoiser(predict)
        )
        assert_output(q, case, expected, decoder)
