"""Deterministic decoders on chains: gap by gap, and sequence by sequence."""

import functools
import itertools
import math
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sims import decode, estimate_path_kl, on_chain, output_distribution, policies
from sims.policies import (
    Bisection,
    Blocks,
    EntropyBounded,
    Factor,
    FixedOrder,
    LeftToRight,
    Mirrored,
    Policy,
    RandomOrder,
    Rule,
    Threshold,
    TopK,
)
from sims.policies.scores import best, confidence
from tests import oracles
from tests.cases import ABSORBING, CYCLE, LEFT_TO_RIGHT, floats, random_rows, row, rows, to_device1
from tests.noted import each
from tests.sims import policy_oracles as slow
from tests.sims.policy_table import one_of_each
from theory import MASK, InvalidInput, MarkovChain, gallery

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "chains.md"

# Sequence by sequence, from the definition


def followed(joint, choice, vocab, start):
    """{x: (the probability that it is written, rounds)} of all sequences that are possible."""
    predictions = functools.cache(lambda c: oracles.conditional_marginals(joint, c, vocab))
    given = oracles.condition(joint, start)
    found = {}
    for x in (x for x, p in given.items() if p):
        pattern, written, rounds = start, Fraction(1), 0
        while sites := slow.masked_sites(pattern):
            rows = predictions(pattern)
            ((_, chosen),) = choice(pattern, sites, rows, rounds)
            for i in chosen:
                written *= rows[i][x[i]]
            pattern = tuple(x[i] if i in chosen else o for i, o in enumerate(pattern))
            rounds += 1
        found[x] = written, rounds
    return given, found


def assert_as_followed(chain, length, policy, choice, start=None, also_exact=True):
    """Path KL, valid mass, every probability and the rounds; exactly, and in floats."""
    vocab, start = len(chain[0]), start or (MASK,) * length
    joint = oracles.chain_joint(chain[0], chain[1], length)
    data, found = followed(joint, choice, vocab, start)
    kl = math.fsum(float(data[x]) * math.log(data[x] / q) for x, (q, _) in found.items())
    mass = sum(q for q, _ in found.values())
    rounds = {}
    for x, (_, count) in found.items():
        rounds[count] = rounds.get(count, 0) + data[x]
    sequences = np.asarray(list(found), dtype=np.int64)
    for exact in {False, also_exact}:
        initial, transition = chain
        if not exact:
            initial, transition = floats(initial), floats(transition)
        p = MarkovChain(initial, transition, length, exact=exact)
        q = on_chain(p, policy, prompt=start)
        assert float(q.path_kl) == pytest.approx(kl, abs=1e-11)
        logs = [float(v) for v in q.log_probability(sequences)]
        assert logs == pytest.approx([math.log(q) for q, _ in found.values()], abs=1e-10)
        if exact:
            assert q.valid_mass == mass
            assert q.rounds_on_data == rounds
        else:
            assert q.valid_mass == pytest.approx(float(mass), abs=1e-12)
            assert q.rounds_on_data == pytest.approx(floats_of(rounds), abs=1e-12)


def floats_of(mapping):
    return {key: float(value) for key, value in mapping.items()}


NOISY_CYCLE = rows((1, 7, 2), (1, 1, 8), (6, 3, 1))
CHAINS = {
    "symmetric": ((row(1, 1), rows((3, 1), (1, 3))), 5),
    "not stationary": ((row(1, 9), rows((9, 1), (2, 3))), 5),
    "no two ones": ((row(3, 1), rows((2, 1), (1, 0))), 6),
    "alternating": ((row(1, 4), rows((0, 1), (1, 0))), 6),
    "cycle": ((row(1, 2, 0), CYCLE), 4),
    "absorbing": ((row(3, 2, 1), ABSORBING), 4),
    "left to right": ((row(4, 1, 0), LEFT_TO_RIGHT), 5),
    "noisy cycle": ((row(2, 1, 1), NOISY_CYCLE), 4),
    "three tokens": ((random_rows(1, 3), random_rows(2, 3, 3)), 4),
}
GAMMAS = (Fraction(0), Fraction(5, 8), Fraction(2, 3), Fraction(3, 4), Fraction(9, 10), Fraction(1))


@each("name", CHAINS)
def test_thresholds_in_gaps_do_what_they_do_in_sequences(name):
    """Among the gammas are confidences that occur, which do not exceed themselves."""
    chain, length = CHAINS[name]
    for gamma in GAMMAS:
        policy, choice = Threshold(float(gamma)), slow.threshold(gamma)
        assert_as_followed(chain, length, policy, choice, also_exact=gamma.denominator > 4)


OTHERS = {
    "one site": (TopK(1), slow.top_k(1)),
    "one site by entropy": (TopK(1, "entropy"), slow.top_k(1, "entropy")),
    "mirrored": (Mirrored(Threshold(0.7)), slow.mirrored(slow.threshold(Fraction(7, 10)))),
    "in blocks": (Blocks(2, Threshold(0.7)), slow.blocks(2, slow.threshold(Fraction(7, 10)))),
    "pairs": (LeftToRight(2), slow.left_to_right(2)),
    "halves": (Bisection(), slow.bisection),
    "halves in blocks": (Blocks(3, Bisection()), slow.blocks(3, slow.bisection)),
}


@each("name", OTHERS)
def test_other_decoders_in_gaps_do_what_they_do_in_sequences(name):
    for chain, length in (CHAINS["not stationary"], CHAINS["no two ones"], CHAINS["noisy cycle"]):
        assert_as_followed(chain, length, *OTHERS[name])


def test_a_fixed_order_that_waits_in_some_gaps():
    order, sizes = (4, 0, 5, 2, 1, 3), (2, 1, 3)
    policy, choice = FixedOrder(order, sizes), slow.fixed_order(order, sizes)
    for name in ("not stationary", "no two ones"):
        assert_as_followed(CHAINS[name][0], 6, policy, choice)


@each("name", ["not stationary", "no two ones"])
def test_after_every_prompt(name):
    chain, length = CHAINS[name][0], 4
    joint = oracles.chain_joint(chain[0], chain[1], length)
    for start in oracles.all_patterns(length, 2):
        if MASK in start and oracles.evidence(joint, start):
            policy, choice = Threshold(0.7), slow.threshold(Fraction(7, 10))
            assert_as_followed(chain, length, policy, choice, start, also_exact=False)
            policy, choice = FixedOrder((2, 0, 1, 3)), slow.fixed_order((2, 0, 1, 3))
            assert_as_followed(chain, length, policy, choice, start, also_exact=False)


@each("gamma", GAMMAS)
def test_rounds_as_tokens_are_drawn(gamma):
    for name in ("symmetric", "not stationary", "noisy cycle"):
        chain, length = CHAINS[name]
        p = MarkovChain(floats(chain[0]), floats(chain[1]), length)
        q, whole = (f(p, Threshold(float(gamma))) for f in (on_chain, output_distribution))
        assert q.rounds == pytest.approx(floats_of(whole.rounds), abs=1e-12)
        assert q.expected_rounds_on_data == pytest.approx(whole.expected_rounds_on_data, abs=1e-12)


def test_exact_logarithms():
    p = MarkovChain(row(1, 9), rows((9, 1), (2, 3)), 5, exact=True)
    for policy in (Threshold(0.7), LeftToRight(2)):
        assert on_chain(p, policy).path_kl == output_distribution(p, policy).path_kl


# At length

NEVER_TWICE = rows((0, 7, 2), (1, 1, 8), (6, 3, 0))
LONG = {
    "symmetric": (lambda length: gallery.binary_symmetric(length, 0.1), 0.6),
    "no two ones": (gallery.golden_mean_chain, 0.75),
    "never twice": (
        lambda length: MarkovChain(floats(row(2, 1, 1)), floats(NEVER_TWICE), length),
        0.6,
    ),
}


@each("name", LONG)
def test_a_threshold_at_64_sites_agrees_with_samples(name):
    chain, gamma = LONG[name]
    p, policy, size = chain(64), Threshold(gamma), 400
    q = on_chain(p, policy)
    found = estimate_path_kl(p, policy, np.random.default_rng(0), size)
    assert abs(q.path_kl - found.kl.mean) <= 4 * found.kl.error + 1e-9
    rounds = q.rounds_on_data
    assert sum(rounds.values()) == pytest.approx(1, abs=1e-11)
    mean, error = found.rounds.mean, found.rounds.error
    assert abs(q.expected_rounds_on_data - mean) <= 4 * error + 1e-9
    written = decode(p, policy, np.random.default_rng(1), size)
    share = np.isfinite(p.log_evidence(written.tokens)).mean()
    assert abs(q.valid_mass - share) <= 4 * math.sqrt(share * (1 - share) / size) + 1e-9
    x = p.sample(np.random.default_rng(2), 400)
    differences = p.log_evidence(x) - q.log_probability(x)
    error = differences.std() / 20
    assert abs(differences.mean() - q.path_kl) <= 4 * error + 1e-9


def test_lengths_of_real_models():
    """One round loses the total correlation; many rounds lose nothing, and end one by one."""
    for length in (256, 1024):
        p = gallery.binary_symmetric(length, 0.1)
        bit = math.log(2) + 0.1 * math.log(0.1) + 0.9 * math.log(0.9)
        q = on_chain(p, Threshold(0.4))
        assert q.path_kl == pytest.approx((length - 1) * bit, rel=1e-11)
        assert q.rounds_on_data == {1: 1.0}
        assert on_chain(p, Bisection()).path_kl == pytest.approx(0, abs=1e-9)
        pairs = on_chain(p, LeftToRight(2)).path_kl
        twice = (length // 2 - 1) * (entropy_of(0.18) - entropy_of(0.1)) + bit
        assert pairs == pytest.approx(twice, rel=1e-11)
    q = on_chain(gallery.golden_mean_chain(256), Threshold(1))
    assert q.expected_rounds_on_data == pytest.approx(256)
    assert q.path_kl == pytest.approx(0, abs=1e-9)
    assert q.sequence_error_rate == pytest.approx(0, abs=1e-9)


def entropy_of(flip):
    return -flip * math.log(flip) - (1 - flip) * math.log(1 - flip)


def test_a_chain_on_a_device_is_followed_on_the_host():
    initial, transition = floats(row(1, 9)), floats(rows((9, 1), (2, 3)))
    p = MarkovChain(initial, transition, 6)
    there = MarkovChain(to_device1(initial), to_device1(transition), 6)
    for policy in (Threshold(0.7), Bisection(), LeftToRight(2)):
        q, found = on_chain(p, policy), on_chain(there, policy)
        assert found.path_kl == pytest.approx(q.path_kl, abs=1e-12)
        assert found.valid_mass == pytest.approx(q.valid_mass, abs=1e-12)
        assert found.rounds_on_data == pytest.approx(q.rounds_on_data, abs=1e-12)


# Policies of the user's


class Middle(Policy):
    """The middle site of every gap, however uncertain it is."""

    depends_on = "revealed"
    randomised = False
    gapwise = True

    def reveal_distribution(self, x, predictions, round_index):
        yield from Bisection().reveal_distribution(x, predictions, round_index)


class Surprising(Policy):
    """All sites that are rather uncertain; if there are none, the most uncertain one."""

    randomised = False
    gapwise = True

    def reveal_distribution(self, x, predictions, round_index):
        masked, doubt = x == MASK, -confidence(predictions)
        some = masked & (doubt > -0.7)
        yield 1, np.where(some.any(axis=1, keepdims=True), some, best(doubt, masked))


def test_a_policy_of_the_users_that_says_so_is_followed():
    p = gallery.binary_symmetric(7, 0.1)
    for policy in (Middle(), Surprising()):
        q, whole = (f(p, policy) for f in (on_chain, output_distribution))
        assert q.path_kl == pytest.approx(whole.path_kl, abs=1e-12)
        assert q.expected_rounds_on_data == pytest.approx(whole.expected_rounds_on_data)
        assert q.rounds == pytest.approx(floats_of(whole.rounds))


def test_what_is_declared_is_not_inherited_by_another_choice():
    class Twice(Threshold):
        def reveal_distribution(self, x, predictions, round_index):
            yield from TopK(2).reveal_distribution(x, predictions, round_index)

    class Named(Threshold):
        pass

    assert [kind(0.5).gapwise for kind in (Threshold, Named, Twice)] == [True, True, False]


def claiming(policy):
    """The same policy, which says that it chooses gap by gap."""
    policy.gapwise = True
    return policy


def least_first(x, predictions):
    """Every gap moves, but only in even rounds is it the first site; a clock is not declared."""
    masked = x == MASK
    return masked & (masked.cumsum(axis=1) == 1 + (masked.sum(axis=1, keepdims=True) > 3))


WRONG = {
    "two sites of all": TopK(2),
    "as many as are confident together": Factor(0.9),
    "as much entropy as is allowed": EntropyBounded(0.7),
    "the second of many": Rule(least_first),
}


@each("name", WRONG)
def test_a_policy_that_says_so_wrongly_is_refused(name):
    p = gallery.binary_symmetric(8, 0.1)
    with pytest.raises(InvalidInput, match="is said to choose gap by gap, but"):
        on_chain(p, claiming(WRONG[name])).path_kl  # noqa: B018


class Halves(Policy):
    """The middle of every gap, and then all other sites."""

    randomised = False
    gapwise = True

    def __init__(self, steps):
        self._steps = steps

    @property
    def steps(self):
        return self._steps

    def reveal_distribution(self, x, predictions, round_index):
        if round_index:
            yield 1, x == MASK
        else:
            yield from Bisection().reveal_distribution(x, predictions, round_index)


def test_a_clock_that_ends_too_early_is_refused():
    p = gallery.binary_symmetric(5, 0.1)
    q = on_chain(p, Halves(2))
    whole = output_distribution(p, Halves(2))
    assert q.path_kl == pytest.approx(whole.path_kl, abs=1e-12)
    assert q.rounds_on_data == {2: pytest.approx(1)}
    with pytest.raises(InvalidInput, match="reveals nothing in a gap of 2 sites in round 1"):
        on_chain(p, Halves(1)).path_kl  # noqa: B018


def test_a_policy_that_is_random_after_all_is_refused():
    class Either(Policy):
        randomised = False
        gapwise = True

        def reveal_distribution(self, x, predictions, round_index):
            for inner in (LeftToRight(), Mirrored(LeftToRight())):
                ((_, reveal),) = inner.reveal_distribution(x, predictions, round_index)
                yield Fraction(1, 2), reveal

    with pytest.raises(InvalidInput, match="said not to be randomised, but has 2 outcomes"):
        on_chain(gallery.binary_symmetric(5, 0.1), Either()).path_kl  # noqa: B018


# Decoders that do not fall apart


def of_two_gaps(flip, policy, prompt):
    """Path KL after a prompt, and the sum over its two gaps if each is alone."""

    def path_kl(pattern):
        p = gallery.binary_symmetric(len(pattern), flip)
        return output_distribution(p, policy, prompt=pattern).path_kl

    (middle,) = (i for i in range(1, len(prompt) - 1) if prompt[i] != MASK)
    return path_kl(prompt), path_kl(prompt[: middle + 1]) + path_kl(prompt[middle:])


UNEVEN, EVEN = [0, MASK, MASK, MASK, 1, MASK, MASK, 0], [0, MASK, MASK, 0, MASK, MASK, 0]


@each("policy", [Threshold(0.8), TopK(1), Bisection(), LeftToRight(), Mirrored(Threshold(0.8))])
def test_two_gaps_lose_what_each_loses_alone(policy):
    for flip, prompt in itertools.product((0.1, 0.25), (UNEVEN, EVEN)):
        whole, alone = of_two_gaps(flip, policy, prompt)
        assert whole == pytest.approx(alone, abs=1e-12)


APART = {
    "two sites": (TopK(2), 0.1, UNEVEN),
    "factor": (Factor(0.8), 0.25, EVEN),
    "entropy bound": (EntropyBounded(0.7), 0.1, UNEVEN),
    "two from the left": (LeftToRight(2), 0.1, [0, MASK, 1, MASK, MASK, MASK, 0]),
}


@each("name", APART)
def test_where_sites_of_all_gaps_are_compared_one_gap_changes_what_another_loses(name):
    policy, flip, prompt = APART[name]
    whole, alone = of_two_gaps(flip, policy, prompt)
    assert abs(whole - alone) > 0.03
    if policy.depends_on != "nothing":  # a fixed order is followed by where its gaps are
        with pytest.raises(InvalidInput, match="does not fall apart into gaps"):
            on_chain(gallery.binary_symmetric(8, flip), policy)


def test_random_sets_of_given_sizes_do_not_fall_apart():
    """Where few sites are revealed in one gap, many are in the other: masses do not multiply."""
    p = gallery.golden_mean_chain(6)
    q = output_distribution(p, RandomOrder((3, 3)))
    apart = on_chain(p, Rule(lambda x, predictions: x == MASK, depends_on="nothing"))
    assert q.valid_mass > apart.valid_mass
    with pytest.raises(InvalidInput, match="does not fall apart into gaps"):
        on_chain(p, RandomOrder((3, 3)))


# What the guide says


def table_of_the_guide():
    """{name: whether decoders of this kind fall apart} as the guide has it."""
    found = {}
    for line in GUIDE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == 5 and cells[2] in ("yes", "no", "if it says so"):
            for name in re.findall(r"`(\w+)[`(]", cells[1]):
                found.setdefault(name, set()).add(cells[2])
    return found


def test_the_guide_says_of_every_decoder_whether_it_falls_apart():
    abstract = {"Decoder", "Policy", "TokenPolicy"}
    assert table_of_the_guide().keys() == set(policies.__all__) - abstract


def followed_or_refused(p, policy):
    try:
        return on_chain(p, policy)
    except InvalidInput as error:
        return str(error)


def test_what_the_guide_says_is_what_is_done():
    """Those that fall apart have the numbers of the whole distribution; others are refused."""
    said, p = table_of_the_guide(), gallery.binary_symmetric(5, 0.2)
    done = {name: set() for name in said}
    for policy, _ in one_of_each(5):
        inside: Any = policy
        while isinstance(inside, Blocks | Mirrored):
            inside = inside.inner
        name = type(inside).__name__
        if name not in said:
            continue
        q = followed_or_refused(p, policy)
        if isinstance(q, str):
            assert "does not fall apart into gaps" in q
            done[name].add("no")
            continue
        done[name].add("yes")
        whole = output_distribution(p, policy)
        found = (q.path_kl, q.valid_mass, q.expected_rounds, q.expected_rounds_on_data)
        assert found == pytest.approx(
            (whole.path_kl, 1.0, whole.expected_rounds, whole.expected_rounds_on_data), abs=1e-11
        )
    for name, answers in done.items():
        assert answers <= said[name] or name in ("Blocks", "Mirrored", "Rule")
        assert answers or name in ("Blocks", "Mirrored", "Rule", "Corrector")
