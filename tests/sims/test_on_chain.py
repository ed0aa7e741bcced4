"""What decoders write on chains: gap by gap, and over every choice of steps one by one."""

import collections
import functools
import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from sims import decode, estimate_path_kl, on_chain, output_distribution
from sims.chains import best_in_rounds
from sims.chains.occupied import occupied_steps
from sims.policies import (
    Bernoulli,
    Bisection,
    BlockCorrector,
    Blocks,
    EntropyBounded,
    FirstHitting,
    LeftToRight,
    Mirrored,
    RandomOrder,
    Remask,
    Rule,
    Steps,
    Threshold,
    TokenConfidence,
    TopK,
)
from tests import oracles
from tests.cases import ABSORBING, CYCLE, LEFT_TO_RIGHT, floats, random_rows, row, rows, to_device1
from tests.noted import each, refusals
from tests.sims.test_devices import same_place
from theory import MASK, MarkovChain, gallery
from theory._core.arrays import log, to_host
from theory.errors import InvalidInput, TooLarge

HALF, THIRD, FIFTH = Fraction(1, 2), Fraction(1, 3), Fraction(1, 5)

CHAINS = {
    "symmetric": (row(1, 1), rows((3, 1), (1, 3))),
    "not stationary": (row(1, 9), rows((9, 1), (2, 3))),
    "no two ones": (row(3, 1), rows((2, 1), (1, 0))),
    "alternating": (row(1, 4), rows((0, 1), (1, 0))),
    "cycle": (row(1, 2, 0), CYCLE),
    "absorbing": (row(3, 2, 1), ABSORBING),
    "left to right": (row(4, 1, 0), LEFT_TO_RIGHT),
    "three tokens": (random_rows(1, 3), random_rows(2, 3, 3)),
}


def chain_of(name, length, exact) -> Any:
    initial, transition = CHAINS[name] if exact else map(floats, CHAINS[name])
    return MarkovChain(initial, transition, length, exact=exact)


def possible(p):
    """All sequences that the data contain, (N, L)."""
    return np.argwhere(np.asarray(p.table() > 0, dtype=bool))


# Every way in which sites fall into steps


def probability_by_step(reveal):
    """The probability that a site falls into each step."""
    left, found = Fraction(1), []
    for b in reveal:
        found.append(left * b)
        left *= 1 - b
    return found


def over_all_steps(joint, reveal, vocab, start):
    """Path KL, {x: q(x)} of what is possible, and {rounds: probability}."""
    predictions = functools.cache(lambda c: oracles.conditional_marginals(joint, c, vocab))
    data = {x: p for x, p in oracles.condition(joint, start).items() if p}
    masked = [i for i, o in enumerate(start) if o == MASK]
    of_step = {t: p for t, p in enumerate(probability_by_step(reveal)) if p}
    kl = 0.0
    q: dict[Any, Any] = collections.defaultdict(int)
    rounds: dict[int, Any] = collections.defaultdict(int)
    for steps in itertools.product(of_step, repeat=len(masked)):
        weight = math.prod(of_step[t] for t in steps)
        rounds[len(set(steps))] += weight
        when = dict(zip(masked, steps, strict=True))
        for x, p in data.items():
            written = Fraction(1)
            for i, t in when.items():
                context = tuple(v if when.get(j, -1) < t else MASK for j, v in enumerate(x))
                written *= predictions(context)[i][x[i]]
            q[x] += weight * written
            kl += float(weight * p) * math.log(p / written)
    return kl, q, rounds


STEPS = {
    "at once": Bernoulli((0, 1)),
    "three steps": Bernoulli((0, FIFTH, HALF, 1)),
    "empty and early steps": Steps((THIRD, 0, HALF, 1, HALF, 1)),
}


@each("name", CHAINS)
def test_ancestral_steps_are_those_of_every_way_to_fall_into_steps(name):
    length, vocab = (3, 3) if len(CHAINS[name][0]) == 3 else (4, 2)
    p = chain_of(name, length, exact=True)
    initial, transition = CHAINS[name]
    joint = oracles.chain_joint(initial, transition, length)
    last = max(x for x, probability in joint.items() if probability)
    for start in ((MASK,) * length, (MASK, last[1], *[MASK] * (length - 2))):
        for policy in STEPS.values():
            kl, written, rounds = over_all_steps(joint, policy.reveal, vocab, start)
            q = on_chain(p, policy, prompt=start)
            assert float(q.path_kl) == pytest.approx(kl, abs=1e-12)
            assert q.valid_mass == sum(written.values())
            assert q.sequence_error_rate == 1 - sum(written.values())
            assert q.rounds == q.rounds_on_data == dict(rounds)
            found = q.log_probability([*written])
            assert list(found) == list(log(np.asarray([*written.values()], dtype=object)))


# The exact output distribution of short sequences

DECODERS = [
    *STEPS.values(),
    Blocks(2, STEPS["three steps"]),
    Blocks(3, Mirrored(Bernoulli((0, THIRD, 1)))),
    Threshold(0.7),
    Blocks(2, Threshold(0.7)),
    Blocks(3, Threshold(0.6)),
    Blocks(2, TopK(1)),
    LeftToRight(2),
    Bisection(),
    Blocks(3, Bisection()),
]


def assert_same(p, policy, prompt=None):
    """All numbers are those of the output distribution; exactly, if p is exact."""
    q, expected = on_chain(p, policy, prompt=prompt), output_distribution(p, policy, prompt=prompt)
    same = (lambda v: v) if p.exact else functools.partial(pytest.approx, rel=1e-11, abs=1e-11)
    x = possible(expected.p)
    table = expected.table[tuple(x.T)]
    assert q.path_kl == same(expected.path_kl)
    assert q.valid_mass == same(expected.valid_mass)
    assert list(q.log_probability(x)) == same(list(log(table)))
    assert q.expected_rounds_on_data == same(expected.expected_rounds_on_data)
    if q.rounds is None:
        assert math.isnan(q.expected_rounds)
    else:
        assert dict(q.rounds) == same(dict(expected.rounds))
        assert q.expected_rounds == same(expected.expected_rounds)
    return q


@each("name", CHAINS)
def test_they_write_what_the_output_distribution_says(name):
    exact = name in ("no two ones", "cycle")
    length = (4 if exact else 5) - (len(CHAINS[name][0]) == 3)
    p = chain_of(name, length, exact)
    first = int(possible(p)[-1, 0])
    for policy in DECODERS:
        assert_same(p, policy)
        assert_same(p, policy, prompt=[first, *[MASK] * (length - 1)])


@each("name", ["not stationary", "no two ones", "three tokens"])
def test_tokens_given_in_between(name):
    """In blocks of 3, counted from the start, the token at site 3 ends a block."""
    p = chain_of(name, 6, exact=False)
    x = possible(p)[0]
    for policy in (STEPS["three steps"], Threshold(0.7), Blocks(3, Threshold(0.7)), Bisection()):
        assert_same(p, policy, prompt=np.where(np.arange(6) == 3, x, MASK))
        if not isinstance(policy, Blocks):
            assert_same(p, policy, prompt=np.where(np.isin(np.arange(6), (1, 4, 5)), x, MASK))


@each("name", ["symmetric", "no two ones", "absorbing"])
def test_data_given_tokens_that_are_still_to_be_written(name):
    """Certain sites take part in the rounds."""
    p = chain_of(name, 4, exact=True)
    given = p.given(np.where(np.arange(4) == 1, possible(p)[0], MASK))
    for policy in (STEPS["three steps"], Bisection(), LeftToRight(3)):
        assert_same(given, policy)
    first = p.given([possible(p)[0][0], MASK, MASK, MASK])
    assert_same(first, Blocks(2, Bernoulli((0, THIRD, 1))))


@each("exact", [False, True])
def test_data_of_which_all_tokens_are_certain(exact):
    p = chain_of("symmetric", 3, exact)
    given = p.given([0, 0, 1])
    best = best_in_rounds(given, 2)[1][1]
    for policy in (STEPS["three steps"], LeftToRight(2), Blocks(2, LeftToRight(1)), best):
        q = on_chain(given, policy)
        assert q.path_kl == 0
        assert q.valid_mass == 1
        assert q.log_probability([0, 0, 1]) == 0
        rounds = dict(output_distribution(given, policy).rounds)
        assert dict(q.rounds_on_data) == (rounds if exact else pytest.approx(rounds))


@each("seed", range(5))
def test_independent_tokens_lose_nothing_and_no_less(seed):
    p = MarkovChain(np.random.default_rng(seed).dirichlet(np.ones(3)), np.full((3, 3), 1 / 3), 6)
    for policy in (Threshold(0.2), LeftToRight(3), Blocks(3, Threshold(0.2)), equal_steps(1)):
        assert 0 <= on_chain(p, policy).path_kl < 1e-14


def test_what_is_shown_if_rounds_are_not_computed():
    p = chain_of("symmetric", 4, exact=False)
    q = on_chain(p, Blocks(3, TopK(1)), prompt=[MASK, 0, MASK, MASK])
    with pytest.raises(InvalidInput, match="rounds are not computed"):
        q.rounds_on_data  # noqa: B018
    assert repr(q) == "<OnChain of Blocks(3, TopK(1, 'confidence')): path KL 0 nats>"


def test_rounds_are_not_known_where_something_impossible_may_be_written():
    p = chain_of("no two ones", 6, exact=False)
    assert on_chain(p, Threshold(0.6)).rounds is None
    assert math.isnan(on_chain(p, Blocks(3, Threshold(0.6))).expected_rounds)
    assert on_chain(p, Bernoulli((0, 0.5, 1))).rounds is not None
    assert on_chain(chain_of("symmetric", 6, exact=False), Threshold(0.6)).rounds is not None


# Longer ones


def equal_steps(count):
    return Bernoulli([Fraction(k, count) for k in range(count + 1)])


SEQUENCE_ERROR_RATES = {
    32: (0.868, 0.642, 0.401, 0.226, 0.120, 0.062),
    64: (0.984, 0.875, 0.647, 0.405, 0.229, 0.122),
}


@each("length", SEQUENCE_ERROR_RATES)
def test_sequence_error_rates_of_the_parry_chain(length):
    p = gallery.golden_mean_chain(length)
    found = [on_chain(p, equal_steps(2**k)).sequence_error_rate for k in range(6)]
    assert found == pytest.approx(SEQUENCE_ERROR_RATES[length], abs=5e-4)


@each("name", ["not stationary", "no two ones"])
def test_floats_agree_with_fractions_where_sites_are_halved_several_times(name):
    """Lengths that are no powers of two, in three steps, so that all ways between are taken."""
    for length in (7, 9):
        exact, near = (on_chain(chain_of(name, length, e), STEPS["three steps"]) for e in (1, 0))
        x = np.asarray(near.p.sample(np.random.default_rng(length), 3))
        assert near.path_kl == pytest.approx(float(exact.path_kl), rel=1e-12)
        assert near.valid_mass == pytest.approx(float(exact.valid_mass), rel=1e-12)
        logs = [float(v) for v in exact.log_probability(x)]
        assert near.log_probability(x).tolist() == pytest.approx(logs, rel=1e-12)


@each(
    "policy",
    [equal_steps(8), Blocks(16, equal_steps(4)), Blocks(8, Threshold(0.7))],
)
@each("name", ["symmetric", "no two ones"])
def test_64_sites_agree_with_samples(name, policy):
    """Within 4.5 standard errors; the seeds are fixed."""
    size, p = 300, chain_of(name, 64, exact=False)
    q, rng = on_chain(p, policy), np.random.default_rng(2)
    follow, written = estimate_path_kl(p, policy, rng, size), decode(p, policy, rng, size)
    valid = np.isfinite(p.log_evidence(written.tokens)).mean()
    spread = math.sqrt(q.valid_mass * q.sequence_error_rate / size)
    assert abs(follow.kl.mean - q.path_kl) <= 4.5 * follow.kl.error + 1e-9
    assert abs(valid - q.valid_mass) <= 4.5 * spread + 1e-9
    error = follow.rounds.error
    assert abs(follow.rounds.mean - q.expected_rounds_on_data) <= 4.5 * error + 1e-9
    if q.rounds is not None:
        spread = np.std(written.rounds, ddof=1) / math.sqrt(size)
        assert abs(written.rounds.mean() - q.expected_rounds) <= 4.5 * spread + 1e-9


def test_what_is_written_at_once_is_a_product_however_small():
    """Of a thousand sites that all repeat one of eight tokens, each with probability 1/8."""
    stay = np.where(np.eye(8) > 0, 1 - 7e-5, 1e-5)
    q = on_chain(MarkovChain(np.full(8, 1 / 8), stay, 1024), Bernoulli((0, 1)))
    (logarithm,) = q.log_probability([[3] * 1024])
    assert logarithm == pytest.approx(-1024 * math.log(8), rel=1e-12)


def test_the_valid_mass_of_a_thousand_sites_at_once():
    """Independent bits without two neighbours that are ones, site by site: about 1e-29."""
    length, p = 1024, gallery.golden_mean_chain(1024)
    one = float(p.initial[1])
    mass = np.asarray([1 - one, one])
    for _ in range(length - 1):
        mass = np.asarray([(1 - one) * mass.sum(), one * mass[0]])
    assert on_chain(p, Bernoulli((0, 1))).valid_mass == pytest.approx(mass.sum(), rel=1e-11)
    assert 1e-30 < mass.sum() < 1e-28


@each(("length", "steps"), [(400, (Fraction(9, 10), 1)), (64, (Fraction(9, 10), HALF, 1))])
def test_probabilities_far_below_any_float(length, steps):
    """All sites repeat one of 16 tokens. What the first step reveals has probability 1/16 each.

    The rest is then certain, but for 1e-8 and for when the first step reveals nothing.
    """
    stay = np.where(np.eye(16) > 0, 1 - 15e-10, 1e-10)
    q = on_chain(MarkovChain(np.full(16, 1 / 16), stay, length), Steps(steps))
    (found,) = q.log_probability([[3] * length])
    assert found == pytest.approx(length * math.log(0.9 / 16 + 0.1), rel=1e-6)
    assert found < -700 or length < 400


# Estimates


@each("policy", [equal_steps(3), Blocks(2, Threshold(0.6)), LeftToRight(2)])
def test_the_mean_over_all_data_of_what_is_estimated_is_the_kl(policy):
    p = chain_of("three tokens", 4, exact=False)
    q, x = on_chain(p, policy), possible(p)
    of_data = p.log_evidence(x)
    mean = float(np.sum(np.exp(of_data) * (of_data - q.log_probability(x))))
    assert mean == pytest.approx(output_distribution(p, policy).kl, abs=1e-12)
    drawn = p.sample(np.random.default_rng(5), 400)
    differences = p.log_evidence(drawn) - q.log_probability(drawn)
    found = q.estimate_kl(np.random.default_rng(5), 400)
    assert found.mean == pytest.approx(differences.mean(), rel=1e-12)
    assert found.error == pytest.approx(differences.std(ddof=1) / 20, rel=1e-12)
    assert (found.size, mean <= q.path_kl + 1e-12) == (400, True)
    assert abs(found.mean - mean) < 4 * found.error + 1e-12


def test_the_kl_of_an_exact_chain_is_estimated_in_floats():
    exact, near = (on_chain(chain_of("no two ones", 4, e), equal_steps(2)) for e in (True, False))
    one, other = (q.estimate_kl(np.random.default_rng(1), 50) for q in (exact, near))
    assert one.mean == pytest.approx(other.mean, rel=1e-12)


# Rounds


def test_occupied_steps_are_those_of_counting():
    reveal, masked = (Fraction(1, 4), THIRD, Fraction(1)), 4
    expected = [Fraction(0)] * 4
    for steps in itertools.product(range(3), repeat=masked):
        weight = math.prod(probability_by_step(reveal)[t] for t in steps)
        expected[len(set(steps))] += weight
    assert occupied_steps(masked, reveal, object).tolist() == expected
    near = occupied_steps(masked, [float(b) for b in reveal], np.float64)
    assert near.tolist() == pytest.approx([float(v) for v in expected], abs=1e-15)


def test_mean_rounds_of_equal_steps():
    """Each of K steps is empty with probability (1 - 1/K)^L."""
    q = on_chain(gallery.golden_mean_chain(64), equal_steps(32))
    assert q.expected_rounds == pytest.approx(32 * (1 - (31 / 32) ** 64), rel=1e-12)
    assert sum(q.rounds_on_data.values()) == pytest.approx(1, abs=1e-12)


# Where the data live


@each("policy", [equal_steps(3), Blocks(2, equal_steps(2)), Threshold(0.7), Bisection()])
def test_everything_stays_where_the_chain_lives(policy):
    here = chain_of("not stationary", 6, exact=False)
    there = MarkovChain(to_device1(here.initial), to_device1(here.transition), 6)
    q, expected = on_chain(there, policy), on_chain(here, policy)
    x = here.sample(np.random.default_rng(0), 5)
    logs = q.log_probability(to_device1(x))
    assert same_place(logs, there.transition)
    np.testing.assert_allclose(to_host(logs), expected.log_probability(x), rtol=1e-12)
    assert q.path_kl == pytest.approx(expected.path_kl, abs=1e-12)
    assert q.valid_mass == pytest.approx(expected.valid_mass, rel=1e-12)
    assert q.rounds_on_data == pytest.approx(expected.rounds_on_data, abs=1e-12)
    one, other = (some.estimate_kl(np.random.default_rng(1), 20) for some in (q, expected))
    assert one.mean == pytest.approx(other.mean, rel=1e-9)


# Refusals

P = chain_of("no two ones", 5, exact=False)
ANCESTRAL = on_chain(P, equal_steps(2))


def with_policy(policy):
    return on_chain(P, policy)


def everything(x, predictions):
    return x == MASK


def bare_table() -> Any:
    return P.transition


def slow_chain():
    """It stays at its first token with a probability that vanishes in a float after 60 sites."""
    return MarkovChain([1, 0], [[1e-6, 1 - 1e-6], [0, 1]], 100)


test_what_does_not_fall_apart_is_refused_and_why = refusals(
    (
        "random choice is among the sites of all gaps.*estimate_path_kl",
        with_policy,
        [RandomOrder((2, 3)), FirstHitting(), Blocks(2, FirstHitting())],
    ),
    ("compares their sites", with_policy, [TopK(2), EntropyBounded(0.5), Rule(everything)]),
    ("draws tokens before", with_policy, [TokenConfidence(1)]),
    ("joins gaps", with_policy, [Remask((0, 0.5, 1), 0.5), BlockCorrector(TopK(1), 1, 1)]),
    ("policy must be a Policy or a function, got 3", with_policy, [3]),
    ("must be a MarkovChain", lambda: on_chain(gallery.permutations(3), equal_steps(2))),
    ("must be a Distribution", lambda: on_chain(bare_table(), equal_steps(2))),
    (
        "ends before site 2.*site 3",
        lambda: on_chain(P, Blocks(2, equal_steps(2)), prompt=[MASK, MASK, MASK, 0, MASK]),
    ),
    ("give them as a prompt", lambda: on_chain(P.given([0, *[MASK] * 4]), Threshold(0.7))),
    ("nothing is left to write", lambda: on_chain(P, equal_steps(2), prompt=[0] * 5)),
    (
        "sites apart go together with a probability below",
        lambda: on_chain(slow_chain(), equal_steps(2)),
    ),
    (
        r"row 1, \(0, 1, 1, 0, 0\)",
        lambda: ANCESTRAL.log_probability([[0, 0, 0, 0, 0], [0, 1, 1, 0, 0]]),
    ),
    (
        "row 0",
        lambda: on_chain(P, equal_steps(2), prompt=[1, *[MASK] * 4]).log_probability([0] * 5),
    ),
    ("tokens must lie in 0..1: entry", lambda: ANCESTRAL.log_probability([0, 0, 0, 0, MASK])),
    (r"shape \(5,\) or \(B, 5\)", lambda: ANCESTRAL.log_probability([0, 1])),
    (
        "size must be an integer of at least 2, got 1",
        lambda: ANCESTRAL.estimate_kl(np.random.default_rng(0), 1),
    ),
)


def test_memory_is_stated_before_it_is_taken(monkeypatch):
    q = on_chain(gallery.golden_mean_chain(300), equal_steps(3))
    monkeypatch.setenv("ZEROLOSS_MEMORY", "10M")
    with pytest.raises(TooLarge, match="300 sites"):
        q.log_probability([0] * 300)
