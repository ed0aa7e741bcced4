"""The best decoder in at most R rounds, against every policy one by one and against recursions."""

import functools
import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given

from sims import InRounds, decode, estimate_path_kl, frontier, output_distribution
from sims.policies import CountTabulated, FixedOrder, GapTabulated, Tabulated
from tests import oracles
from tests.cases import (
    EXACT_CASES,
    build_exact,
    each_case,
    each_of,
    random_weights,
    table,
)
from tests.noted import each, refusals
from tests.sims.optimal_oracle import SLACK, Game, all_policies
from tests.sims.test_optimal import BITS, as_joint
from theory import (
    MASK,
    Exchangeable,
    JointTable,
    Permutations,
    ReedSolomon,
    TooLarge,
    closed_forms,
    gallery,
    information,
    schedules,
    strategies,
)
from theory._core.log_numbers import logarithm

best_of: Any = frontier  # whose policies are of many kinds, and whose arguments are refused

game_of = functools.cache(lambda case: Game(case.joint))


def close(expected):
    return pytest.approx(float(expected), rel=SLACK, abs=SLACK)


# Every policy, one by one


def followed(support, policy, predict):
    """Most rounds of a path with the data, and ``exp(D KL)`` of a joint with denominator D.

    Every sequence has one path, on which it is written with the product of its predictions q:
    ``D KL`` is the sum of ``D p log(p / q)`` with integers ``D p``.
    """
    total = math.lcm(*(p.denominator for p in support.values()))
    most, power = 0, Fraction(1)
    for x, p in support.items():
        pattern, rounds, q = (MASK,) * len(x), 0, Fraction(1)
        while MASK in pattern:
            rows, sites = predict(pattern), policy[pattern]
            q *= math.prod(rows[i][x[i]] for i in sites)
            pattern = oracles.reveal(pattern, sites, [x[i] for i in sites])
            rounds += 1
        most, power = max(most, rounds), power * (p / q) ** int(total * p)
    return most, power, total


@functools.cache
def least_of_all_policies(case):
    """``exp(D KL)`` of the best policy that needs at most 1, ..., L rounds; and D."""
    support = {x: Fraction(p) for x, p in case.joint.items() if p != 0}
    predict = functools.cache(oracles.zero_loss(case.joint, case.vocab))
    every = [followed(support, policy, predict) for policy in all_policies(case.joint)]
    rounds = range(1, case.length + 1)
    return [min(power for most, power, _ in every if most <= r) for r in rounds], every[0][2]


FOUR_BITS = [table("four bits", random_weights(seed, (2,) * 4, 0.4)) for seed in (3, 5)]


@each_of([*BITS.values(), *FOUR_BITS])
def test_the_least_of_all_policies(case):
    """In exact arithmetic the same number, in floats close; and no path takes more rounds."""
    powers, total = least_of_all_policies(case)
    exact, floats = build_exact(case), case.build()
    for r, (power, ours, rounded) in enumerate(
        zip(
            powers,
            frontier(exact, rounds=case.length),
            frontier(floats, rounds=case.length),
            strict=True,
        ),
        1,
    ):
        assert ours.rounds == rounded.rounds == r
        assert ours.kl == logarithm(power) / total
        assert (ours.kl == 0) == (power == 1)
        assert rounded.kl == close(math.log(power) / total)
        assert_written(exact, ours)
        assert_written(floats, rounded)


def assert_written(p, point, prompt=None):
    """A policy takes no more rounds than it says, and its path KL is what is promised."""
    q = output_distribution(p, point.policy, prompt=prompt)
    assert max(q.rounds) <= point.rounds
    if p.exact:
        assert q.path_kl == point.kl
        assert not isinstance(point.kl, float)
    else:
        assert float(q.path_kl) == close(point.kl)
        assert isinstance(point.kl, float)


# A recursion over patterns and rounds


def least_kl(game, rounds):
    """From the definition: total correlations of what is revealed, in floats."""

    @functools.cache
    def least(pattern, left):
        if MASK not in pattern:
            return 0.0
        moves = game.moves(pattern)
        if left == 1:
            return moves[-1].cost  # all that is masked
        return min(
            m.cost
            + math.fsum(p * least(x, left - 1) for p, (_, x) in zip(m.floats, m.after, strict=True))
            for m in moves
        )

    return [least(game.start, r) for r in range(1, rounds + 1)]


def assert_best(p, game, prompt=None):
    """As good as the recursion says, never worse with a round more, and what is promised."""
    rounds = min(len(game.start), 6) + 1
    found = frontier(p, rounds=rounds, prompt=prompt)
    assert [point.rounds for point in found] == list(range(1, rounds + 1))
    assert [float(point.kl) for point in found] == [close(kl) for kl in least_kl(game, rounds)]
    for fewer, more in itertools.pairwise(found):
        assert more.kl <= fewer.kl
    assert found[-1].kl == 0
    for point in found:
        assert isinstance(point, InRounds)
        assert_written(p, point, prompt)
    return found


@each_case
def test_every_case(case):
    found = assert_best(case.build(), game_of(case))
    assert float(found[0].kl) == close(game_of(case).total_correlation())


@each_of(EXACT_CASES)
def test_every_exact_case(case):
    p = build_exact(case)
    found = assert_best(p, game_of(case))
    assert found[0].kl == information.total_correlation(p)
    assert found[-1].kl == 0


@given(strategies.joint_tables(lengths=(1, 3), vocabs=(1, 3), exact=True))
def test_any_table(p):
    assert_best(p, Game(as_joint(p)))


@each("seed", range(3))
def test_five_bits_and_a_long_table(seed):
    for shape in [(2,) * 5, (3,) * 4]:
        case = table("", random_weights(seed, shape, zeros=0.3))
        assert_best(case.build(), Game(case.joint))


def test_a_loss_that_no_double_can_tell():
    """Two bits of which one tells 10^-40 nats of the other."""
    eps = Fraction(1, 10**20)
    weak = JointTable([[1 + eps, 1 - eps], [1 - eps, 1 + eps]], exact=True)
    one, two = frontier(weak, rounds=2)
    assert one.kl > 0
    assert two.kl == 0
    assert one.kl == information.total_correlation(weak)
    assert float(one.kl) == pytest.approx(float(eps) ** 2 / 2)


# What it says of known distributions


@each(
    ("p", "rounds"),
    [
        (gallery.parity(4, exact=True), 2),
        (gallery.permutations(4, exact=True), 4),
        (gallery.coupled_pairs(2, exact=True), 2),
        (gallery.binary_symmetric(6, Fraction(1, 10), exact=True), 3),
        (gallery.walk(4, exact=True), 3),
        (JointTable(np.ones((2, 2, 2), dtype=np.int64), exact=True), 1),
    ],
)
def test_the_fewest_rounds_without_a_loss(p, rounds):
    """No fewer than expected rounds of the best lossless decoder, which may vary."""
    found = frontier(p, rounds=p.length)
    assert next(point.rounds for point in found if point.kl == 0) == rounds
    depth = frontier(p, [math.inf])[0].rounds
    assert rounds - 1 < depth <= rounds


def test_no_round_is_taken_that_gains_nothing():
    """Of parity and of a product: everything that is free is revealed at once."""
    q = output_distribution(gallery.parity(4), frontier(gallery.parity(4), rounds=4)[-1].policy)
    assert dict(q.rounds) == {2: 1.0}
    p = JointTable(np.ones((2, 2, 2)))
    assert all(point.policy.steps == 1 for point in frontier(p, rounds=3))


def test_flipped_bits():
    found = frontier(gallery.binary_symmetric(16, 0.1), rounds=5)
    expected = [5.521, 0.8755, 0.1936, 0.0141, 0]
    assert [point.kl for point in found] == pytest.approx(expected, rel=4e-3, abs=1e-12)
    assert all(isinstance(point.policy, GapTabulated) for point in found)


# By counts


BY_COUNTS = {
    "bits": Exchangeable(random_weights(1, (6,)), exact=True),
    "bits, zeros": Exchangeable([3, 0, 2, 0, 0, 4], exact=True),
    "parity": Exchangeable([1, 0, 6, 0, 1], exact=True),
    "one bit": Exchangeable([1, 2], exact=True),
    "permutations": Permutations(4, exact=True),
    "one token": Permutations(1, exact=True),
    "code": ReedSolomon(4, 2, 3, exact=True),
    "repeated": ReedSolomon(5, 1, 2, exact=True),
    "constant": ReedSolomon(3, 0, 2, exact=True),
    "anything": ReedSolomon(3, 3, 2, exact=True),
}


def in_floats(p):
    if isinstance(p, Exchangeable):
        return Exchangeable(np.asarray([float(w) for w in p.count_weights]))
    if isinstance(p, Permutations):
        return Permutations(p.length)
    return ReedSolomon(p.length, p.dimension, p.vocab)


def prompts_of(p):
    """Nothing, one token, two of them, and all, as some sequence has them."""
    x = p.sample(np.random.default_rng(4), 1)[0]
    for shown in (0, 1, 2, p.length):
        if shown <= p.length:
            prompt = np.full(p.length, MASK)
            prompt[np.arange(shown) * 2 % p.length] = x[np.arange(shown) * 2 % p.length]
            prompt[: shown // p.length * p.length] = x[: shown // p.length * p.length]
            yield prompt


@each("name", BY_COUNTS)
def test_counts_are_as_good_as_the_table(name):
    """With a prompt, and conditioned on it without one; exact numbers are the same."""
    exact = BY_COUNTS[name]
    rounds = exact.length + 1
    for p in (exact, in_floats(exact)):
        whole = JointTable(p.table(), exact=p.exact)
        for prompt in prompts_of(exact):
            expected = frontier(whole.given(prompt), rounds=rounds)
            ways: list[Any] = [(frontier(p.given(prompt), rounds=rounds), p.given(prompt), None)]
            if (prompt == MASK).any():
                ways.append((frontier(p, rounds=rounds, prompt=prompt), p, prompt))
            for found, data, shown in ways:
                for point, other in zip(found, expected, strict=True):
                    assert isinstance(point.policy, CountTabulated | FixedOrder)
                    assert point.kl == (other.kl if p.exact else close(other.kl))
                    assert_written(data, point, shown)


def least_by_counts(weights, rounds):
    """Exchangeable bits from the definition, by the numbers of known zeros and ones."""
    length = len(weights) - 1
    each_of_count = [w / math.comb(length, k) / sum(weights) for k, w in enumerate(weights)]

    @functools.cache
    def evidence(zeros, ones):
        left = length - zeros - ones
        return sum(math.comb(left, k) * each_of_count[ones + k] for k in range(left + 1))

    @functools.cache
    def entropy(zeros, ones, size):
        total = 0.0
        for k in range(size + 1):
            share = evidence(zeros + size - k, ones + k) / evidence(zeros, ones)
            total -= math.comb(size, k) * float(share) * math.log(share) if share else 0
        return total

    @functools.cache
    def least(zeros, ones, rounds):
        left = length - zeros - ones
        values = [] if left or rounds else [0.0]
        for size in [left] if rounds == 1 else range(1, left + 1):
            value = size * entropy(zeros, ones, 1) - entropy(zeros, ones, size)
            for k in range(size + 1):
                after = (zeros + size - k, ones + k)
                share = math.comb(size, k) * evidence(*after) / evidence(zeros, ones)
                if share and size < left:
                    value += float(share) * least(*after, rounds - 1)
            values.append(value)
        return min(values, default=0.0)

    return [least(0, 0, r) for r in range(1, rounds + 1)]


@each("seed", range(4))
def test_bits_by_counts_from_the_definition(seed):
    weights = [Fraction(w) for w in random_weights(seed, (15,), zeros=0.2 * seed)]
    expected = least_by_counts(weights, 6)
    found = frontier(Exchangeable([float(w) for w in weights]), rounds=6)
    assert [point.kl for point in found] == [close(kl) for kl in expected]


def test_counts_at_length():
    """At once it is the total correlation; batches of permutations are those of the profile."""
    rng = np.random.default_rng(0)
    p = Exchangeable(rng.random(101))
    found = frontier(p, rounds=3)
    assert found[0].kl == close(information.total_correlation(p))
    best = closed_forms.permutation_frontier(240)
    found = frontier(Permutations(240), rounds=12)
    assert [point.kl for point in found] == [close(kl) for kl in best[:12]]
    p = Permutations(120)
    for point in best_of(p, rounds=5):
        assert point.kl == close(information.path_cost(p, point.policy.sizes))
        best = schedules.optimal(p, point.rounds)
        assert point.kl == close(information.path_cost(p, best))
    words = ReedSolomon(60, 17, 61, exact=True)
    one, two, three = best_of(words, rounds=3)
    assert (one.kl, two.kl, three.kl) == (43 * logarithm(Fraction(61)), 0, 0)
    assert two.policy.sizes == three.policy.sizes == (17, 43)


@each(
    ("p", "rounded"),
    [
        (Exchangeable([1, *[0] * 40, 3], exact=True), Exchangeable([1, *[0] * 40, 3])),
        (Permutations(256, exact=True), Permutations(256)),
    ],
)
def test_long_exact_ones_are_in_floats(p, rounded):
    """But for what a prompt leaves of them, if it is short."""
    found = frontier(p, rounds=2)
    assert all(isinstance(point.kl, float) for point in found)
    expected = frontier(rounded, rounds=2)
    assert [point.kl for point in found] == [close(point.kl) for point in expected]
    prompt = [*p.sample(np.random.default_rng(0), 1)[0][:-2], MASK, MASK]
    for point in frontier(p, rounds=2, prompt=prompt):
        assert not isinstance(point.kl, float)


def test_independent_bits_lose_nothing_at_length():
    weights = [math.comb(300, k) * 0.3**k * 0.7 ** (300 - k) for k in range(301)]
    assert [point.kl for point in frontier(Exchangeable(weights), rounds=2)] == [0, 0]


def test_bits_are_decoded_at_length():
    """What is promised is what sequences lose on average, within five standard errors."""
    p = Exchangeable(np.random.default_rng(2).random(61) ** 4)
    for r, point in enumerate(frontier(p, rounds=4), 1):
        rng = np.random.default_rng(r)
        mean, error = estimate_path_kl(p, point.policy, rng, 400, progress=False).kl
        assert abs(mean - point.kl) < 5 * error + SLACK
        assert decode(p, point.policy, rng, 5, progress=False).rounds.max() <= r


# Prompts


PROMPTED = table("", random_weights(9, (2,) * 5, zeros=0.2))


@each("exact", [False, True])
@each("prompt", [(0, MASK, MASK, MASK, MASK), (MASK, 1, MASK, 0, MASK), (MASK, 0, 1, 1, 0)])
def test_a_prompt_leaves_the_other_sites(prompt, exact):
    """As good as the recursion says of the joint of the masked sites."""
    p = build_exact(PROMPTED) if exact else PROMPTED.build()
    joint = oracles.condition({x: Fraction(w) for x, w in PROMPTED.joint.items()}, prompt)
    masked = [site for site, token in enumerate(prompt) if token == MASK]
    assert_best(p, Game(oracles.marginal(joint, masked)), prompt)


@each("prompt", [(MASK, 1, MASK, MASK, MASK), (0, MASK, MASK, MASK, 1), (MASK, MASK, MASK, 0, 0)])
def test_chains_by_gaps_and_by_tables(prompt):
    """With a prompt, or conditioned on it; only the exact chain goes by its table."""
    chains = [
        gallery.binary_symmetric(5, 0.1),
        gallery.binary_symmetric(5, Fraction(1, 10), exact=True),
    ]
    for p, kind in zip(chains, (GapTabulated, Tabulated), strict=True):
        expected = frontier(JointTable(p.table(), exact=p.exact).given(prompt), rounds=4)
        ways = [
            (p, frontier(p, rounds=4, prompt=prompt), prompt),
            (p.given(prompt), frontier(p.given(prompt), rounds=4), None),
        ]
        for data, found, shown in ways:
            for point, other in zip(found, expected, strict=True):
                assert isinstance(point.policy, kind)
                assert float(point.kl) == close(other.kl)
                assert_written(data, point, shown)


def test_a_long_exact_chain_goes_by_gaps():
    p = gallery.binary_symmetric(20, Fraction(1, 10), exact=True)
    one, two = frontier(p, rounds=2)
    assert isinstance(one.policy, GapTabulated)
    assert one.kl == close(float(information.total_correlation(p)))
    assert two.kl == close(frontier(gallery.binary_symmetric(20, 0.1), rounds=2)[1].kl)
    prompt = [MASK, *[0] * 18, MASK]
    assert isinstance(frontier(p, rounds=2, prompt=prompt)[0].policy, Tabulated)


# What it refuses


NO_ROUNDS = [0, -1, 1.5, 2.0, True, [1]]
ONES = np.ones((1, 3, 3), dtype=np.int64)
BAD_COUNTS = [
    np.ones((1, 3, 3)),
    np.ones((3, 3), int),
    np.ones((1, 3, 2), int),
    np.ones((0, 3, 3), int),
]
PAIRS = gallery.coupled_pairs(2)
SYMBOLS = sympy.symbols("a b", positive=True)

test_refusals = refusals(
    (
        "rounds must be an integer of at least 1, got {}",
        lambda r: best_of(PAIRS, rounds=r),
        NO_ROUNDS,
    ),
    (
        "give rounds alone.*rounds=2, multipliers=.1., target=None",
        lambda: best_of(PAIRS, [1], rounds=2),
    ),
    ("give rounds alone.*target=0.1", lambda: best_of(PAIRS, rounds=2, target=0.1)),
    ("progress goes with rounds", lambda: best_of(PAIRS, progress=True)),
    ("must be a Distribution", lambda: best_of(np.eye(2), rounds=2)),
    ("nothing is left to write", lambda: best_of(PAIRS, rounds=2, prompt=[0, 0, 1, 1])),
    ("free symbols", lambda: frontier(JointTable(SYMBOLS, exact=True), rounds=1)),
    ("free symbols", lambda: frontier(Exchangeable(SYMBOLS, exact=True), rounds=1)),
)

test_choices_that_are_refused = refusals(
    ("choices must be integers of shape .R, L.1, L.1.", CountTabulated, BAD_COUNTS),
    (
        "tokens must be integers|known must be one",
        lambda known: CountTabulated(ONES, known),
        [[0.5] * 2, [[0, 1]]],
    ),
    (
        "tabulated for 2 sites; the sequences have 4",
        lambda: output_distribution(PAIRS, CountTabulated(ONES)),
    ),
    (
        "choices must be integers of shape .R,. . .V.1.",
        lambda c: Tabulated(c, rounds=1),
        [np.ones((3, 3)), np.ones((2, 3, 2), int)],
    ),
    ("choices have 1 table for 2 rounds", lambda: Tabulated(np.ones((1, 3, 3), int), rounds=2)),
    (
        "rounds must be an integer of at least 1",
        lambda: Tabulated(np.ones((1, 3, 3), int), rounds=0),
    ),
    ("rounds_left must be", lambda: Tabulated(np.ones((1, 3), int), rounds=1).sites([MASK], 0)),
)


@each(
    ("p", "rounds", "complaint"),
    [
        (
            JointTable(np.ones((2,) * 13)),
            3,
            r"13 sites over 2 tokens in 3 rounds, with 7 numbers .* 3 tables of .2 . 1..13",
        ),
        (
            JointTable(np.ones((2,) * 9, dtype=np.int64), exact=True),
            20,
            "in 9 rounds, with 207 numbers",
        ),
        (Exchangeable(np.ones(2001)), 2, "2000 exchangeable bits in 2 rounds, with 12 numbers"),
        (gallery.binary_symmetric(4, 0.1), 10**7, "list of 10000000 points"),
    ],
)
def test_what_is_too_large_is_refused_first(p, rounds, complaint, monkeypatch):
    monkeypatch.setenv("ZEROLOSS_MEMORY", "200 MB")
    with pytest.raises(TooLarge, match=complaint):
        frontier(p, rounds=rounds)


# What it looks like


def test_reprs():
    one, two = frontier(gallery.coupled_pairs(2, exact=True), rounds=2)
    assert repr(one) == "InRounds(rounds=1, kl=1.38629)"
    assert repr(two.policy) == "<Tabulated policy of 4 sites over 2 tokens in 2 rounds>"
    bits = frontier(Exchangeable([1, 2, 3]), rounds=2)[1]
    assert repr(bits.policy) == "<CountTabulated policy of 2 sites in 2 rounds>"


def test_tables_are_shared_between_numbers_of_rounds():
    found = best_of(gallery.parity(4), rounds=2)
    assert found[0].policy.choices is found[1].policy.choices
    assert found[1].policy.sites([MASK] * 4) == (0, 1, 2)
    assert found[1].policy.sites([MASK] * 4, rounds_left=1) == (0, 1, 2, 3)


def test_progress_is_shown_on_demand(capsys):
    for p in (gallery.parity(3), Exchangeable([1, 2, 3]), gallery.permutations(12)):
        frontier(p, rounds=2, progress=True)
        assert "looking for the best decoder" in capsys.readouterr().err
        frontier(p, rounds=2, progress=False)
        assert capsys.readouterr().err == ""
