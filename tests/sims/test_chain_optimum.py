"""The best decoder of a chain in at most R rounds, against enumeration and a recursion."""

import functools
import math
import random
import types
from typing import Any

import numpy as np
import pytest
import sympy

from sims import decode, estimate_path_kl, output_distribution
from sims.chains import Gaps, best_in_rounds
from sims.chains.best import BestGaps
from sims.policies import Blocks, GapTabulated
from tests import oracles
from tests.cases import (
    CASES,
    DEVICE1,
    chain,
    close,
    random_rows,
    random_weights,
    row,
    to_device1,
    to_host,
)
from tests.noted import each, refusals
from tests.sims.optimal_oracle import (
    all_policies,
    following,
    masked_sites,
    nonempty_subsets,
    rounds_and_kl,
)
from theory import MASK, MarkovChain, TooLarge, gallery

CLOSE = 1e-12  # of nats that are sums over some tens of sites

# By definition


class Recursion:
    """Every set of sites at every context, with the rounds that are left."""

    def __init__(self, joint):
        self.joint = {x: float(p) for x, p in joint.items() if p != 0}
        self.start = (MASK,) * oracles.length_of(joint)
        self.moves = functools.cache(lambda pattern: list(self._moves(pattern)))
        self.least = functools.cache(self._least)

    def _moves(self, pattern):
        for sites in nonempty_subsets(masked_sites(pattern)):
            lost = oracles.total_correlation(self.joint, sites, pattern)
            yield len(sites), float(lost), following(self.joint, pattern, sites)

    def _least(self, pattern, rounds):
        masked = pattern.count(MASK)
        if not masked:
            return 0.0
        return min(
            lost + math.fsum(p * self.least(after, rounds - 1) for p, after in ahead)
            for size, lost, ahead in self.moves(pattern)
            if rounds > 1 or size == masked
        )


def sparse_rows(seed, *shape):
    """Some of the entries are 0, of none of the rows all."""
    rng = random.Random(seed)
    if len(shape) > 1:
        return [sparse_rows(rng.random(), *shape[1:]) for _ in range(shape[0])]
    weights = random_weights(seed, shape, zeros=0.5)
    weights[rng.randrange(*shape)] += 3
    return row(*weights)


SMALL = [case for case in CASES if case.name.startswith("chain") and case.length > 1]
SMALL += [
    chain(f"random {vocab}^{length}", make(seed, vocab), make(seed + 1, vocab, vocab), length)
    for vocab, length, seeds in ((2, 5, (0, 2)), (2, 6, (4,)), (3, 4, (6, 8, 10)))
    for seed in seeds
    for make in (random_rows, sparse_rows)
]


@each("case", SMALL, ids=lambda case: case.name)
def test_the_least_of_all_policies_and_a_policy_that_loses_as_little(case):
    p, recursion = case.build(), Recursion(case.joint)
    points = best_in_rounds(p, 4)
    for rounds, (kl, policy) in enumerate(points, 1):
        assert kl == close(recursion.least(recursion.start, rounds))
        q = output_distribution(p, policy)
        assert q.path_kl == close(kl)
        assert max(q.rounds) <= rounds


def test_one_policy_after_the_other():
    """All 4335 of four bits, with the most rounds that each takes on the data."""
    case = chain("four", row(1, 2), [row(1, 3), row(3, 1)], 4)
    support = {x: p for x, p in case.joint.items() if p != 0}
    predict = oracles.zero_loss(case.joint, 2)

    @functools.cache
    def chance_of(pattern, sites, after):
        rows = predict(pattern)
        return math.prod(rows[i][after[i]] for i in sites)

    def depth(policy, x):
        pattern, count = (MASK,) * 4, 0
        while MASK in pattern:
            pattern = oracles.reveal(pattern, policy[pattern], [x[i] for i in policy[pattern]])
            count += 1
        return count

    least = [math.inf] * 5
    every = list(all_policies(case.joint))
    for policy in every:
        rounds = max(depth(policy, x) for x in support)
        kl = float(rounds_and_kl(support, policy, chance_of)[1])
        least[rounds:] = [min(kl, best) for best in least[rounds:]]
    assert len(every) == 4335
    assert [kl for kl, _ in best_in_rounds(case.build(), 4)] == pytest.approx(least[1:], abs=1e-12)


# Known values


SYMMETRIC = {16: "5.521 0.8755 0.1936 0.0141 0 0", 32: "11.41 1.9506 0.4899 0.0424 0.0004 0"}


@pytest.mark.parametrize("length", SYMMETRIC)
def test_a_bit_that_flips_with_probability_a_tenth(length):
    found = [kl for kl, _ in best_in_rounds(gallery.binary_symmetric(length, 0.1), 6)]
    for kl, printed in zip(found, SYMMETRIC[length].split(), strict=True):
        assert f"{kl:.{len(printed.partition('.')[2])}f}" == printed
    assert found[-1] == 0.0


def test_all_at_once_loses_the_total_correlation():
    """For two flips in a row the marginals stay uniform: ``log 2 - h(flip)`` for each neighbour."""
    flip = 0.1
    lost = math.log(2) + flip * math.log(flip) + (1 - flip) * math.log(1 - flip)
    (kl, policy), *_ = best_in_rounds(gallery.binary_symmetric(1000, flip), 1)
    assert kl == pytest.approx(999 * lost, rel=1e-12)
    assert policy.sites([MASK] * 1000, 1) == tuple(range(1000))


CHAINS = {
    "flip": gallery.binary_symmetric(24, 0.1),
    "golden mean": gallery.golden_mean_chain(24),
    "periodic": MarkovChain([1, 0, 0], [[0, 1, 0], [0, 0, 1], [0.5, 0.5, 0]], 24),
    "one way": MarkovChain([1, 0, 0], [[0.9, 0.1, 0], [0, 0.95, 0.05], [0, 0, 1]], 24),
    "two classes": MarkovChain([0.5, 0.2, 0.3], [[0.5, 0.5, 0], [0.25, 0.75, 0], [0, 0, 1]], 24),
    "constant": MarkovChain([0.5, 0.5], np.eye(2), 24),
    "cycle": MarkovChain([0.5, 0.25, 0.25], np.roll(np.eye(3), 1, axis=1), 24),
    "independent": MarkovChain([0.5, 0.5], [[0.25, 0.75]] * 2, 24),
    "rare": MarkovChain([0.5, 0.5], [[1 - 1e-9, 1e-9], [1e-12, 1 - 1e-12]], 24),
    "one token": MarkovChain([1], [[1]], 24),
    "random": MarkovChain(random_rows(1, 4), random_rows(2, 4, 4), 24),
}
each_chain = pytest.mark.parametrize("p", CHAINS.values(), ids=CHAINS)


@each_chain
def test_where_bisection_has_rounds_enough_it_is_chosen_and_nothing_is_lost(p):
    gaps = Gaps(p)
    best = BestGaps(gaps, 9)
    assert best.rounds == 5
    evidence = np.stack([gaps.evidence(n) for n in range(25)], axis=-1)
    sites = np.arange(25)
    for r, (kl, choices) in enumerate(zip(best.kl, best.choices, strict=True), 1):
        for n in range(25):
            inside, middle = sites < n, sites == (n - 1) // 2
            possible = evidence[..., n] > 0
            assert (choices[~possible, n] == inside).all()
            assert not choices[:, :, n][..., ~inside].any()
            assert choices[:, :, n].any(axis=-1).all() == (n > 0)
            if n < 2**r:
                assert (kl[..., n] == 0).all()
                expected = inside & (middle if r > 1 else True)
                assert (choices[possible, n] == expected).all()
        assert (kl[evidence == 0] == 0).all()


@each_chain
def test_more_rounds_and_shorter_gaps_lose_no_more(p):
    best = BestGaps(Gaps(p), 5)
    assert (best.kl >= 0).all()
    assert (np.diff(best.kl, axis=0) <= 0).all()
    whole = best.kl[:, -1, -1]
    assert (np.diff(whole, axis=1) >= -CLOSE).all()
    for length in (1, 2, 9, 20):
        shorter = MarkovChain(p.initial, p.transition, length)
        found = [kl for kl, _ in best_in_rounds(shorter, 5)]
        assert found == pytest.approx(whole[:, length].tolist(), abs=CLOSE)


@each_chain
@pytest.mark.skipif(bool(np.finfo(np.longdouble).eps > 1e-18), reason="no longer floats here")
def test_rounding(p):
    """The same in floats of 80 bits: to 1e-13, of the whole and of all gaps that are not rare."""
    parts = [np.asarray(part, dtype=np.longdouble) for part in (p.initial, p.transition)]
    parts = [part / part.sum(axis=-1, keepdims=True) for part in parts]
    wide: Any = types.SimpleNamespace(
        initial=parts[0], transition=parts[1], length=p.length, vocab=p.vocab, like=parts[1]
    )
    found, expected = BestGaps(Gaps(p), 5).kl, BestGaps(Gaps(wide), 5).kl
    assert expected.dtype == np.longdouble
    assert np.abs(found - expected)[:, -1, -1].max() < 1e-13
    assert np.abs(found - expected).max() < 1e-12


# Prompts and conditions


PROMPT = [MASK] * 5 + [1] + [MASK] * 9 + [0, 1] + [MASK] * 12 + [1]


@pytest.mark.parametrize("name", ["flip", "random"])
def test_what_is_lost_adds_up_over_the_gaps_of_a_prompt(name):
    p = MarkovChain(CHAINS[name].initial, CHAINS[name].transition, len(PROMPT))
    best, end = BestGaps(Gaps(p), 5), p.vocab
    points = best_in_rounds(p, 5, PROMPT)
    for r, (kl, policy) in enumerate(points, 1):
        index = min(r, best.rounds) - 1
        gaps = [(end, 1, 5), (1, 0, 9), (1, 1, 12)]
        assert kl == close(sum(best.kl[index, a, b, n] for a, b, n in gaps))
        assert policy.longest == 12
    assert points[3][0] == points[4][0] == 0
    assert points[4][1].rounds == 4


def test_a_prompt_and_a_condition_on_few_sites():
    """Without a prompt, tokens that are certain are ends of gaps while they are masked."""
    case = chain("random", random_rows(1, 3), random_rows(2, 3, 3), 5)
    p, pattern = case.build(), (MASK, MASK, 2, MASK, MASK)
    given = oracles.condition(case.joint, pattern)
    recursion = Recursion(given)
    for rounds in (1, 2):
        expected = close(recursion.least(pattern, rounds))
        for data, prompt in ((p, pattern), (p.given(pattern), pattern), (p.given(pattern), None)):
            kl, policy = best_in_rounds(data, rounds, prompt)[-1]
            assert kl == expected
            q = output_distribution(data, policy, prompt=prompt)
            assert q.path_kl == expected
            assert max(q.rounds) <= rounds
    kl, policy = best_in_rounds(p.given(pattern), 2)[-1]
    assert policy.sites([MASK] * 5, 2) == tuple(sorted((*policy.sites(pattern, 2), 2)))


def test_a_chain_of_which_everything_is_given():
    ((kl, policy),) = best_in_rounds(gallery.binary_symmetric(3, 0.1).given([0, 1, 0]), 1)
    assert kl == 0
    assert policy.sites([MASK] * 3, 1) == (0, 1, 2)


def test_a_condition_beside_a_prompt():
    p = gallery.binary_symmetric(30, 0.1).given([MASK] * 10 + [0] + [MASK] * 19)
    prompt = [MASK] * 20 + [1] + [MASK] * 9
    ((kl, policy),) = best_in_rounds(p, 2, prompt)[1:]
    assert policy.longest == 10
    found = estimate_path_kl(p, policy, np.random.default_rng(0), 400, prompt=prompt)
    assert abs(found.kl.mean - kl) < 4 * found.kl.error
    assert found.rounds.mean == 2


# Lengths that cannot be enumerated


@pytest.mark.parametrize("rounds", [2, 3, 4])
def test_data_that_follow_the_policy_lose_as_much(rounds):
    p = gallery.binary_symmetric(64, 0.1)
    kl, policy = best_in_rounds(p, rounds)[-1]
    found = estimate_path_kl(p, policy, np.random.default_rng(rounds), 1000)
    assert abs(found.kl.mean - kl) < 4 * found.kl.error
    assert found.rounds.mean == rounds


def test_what_is_drawn_takes_no_more_rounds():
    p = CHAINS["one way"]
    _, policy = best_in_rounds(p, 4)[-1]
    decoded = decode(p, policy, np.random.default_rng(0), 100, 1)
    assert decoded.rounds.max() <= 4
    assert (decoded.tokens != MASK).all()


def test_blocks_have_rounds_of_their_own():
    """A block is a gap that is open on the right: its losses are known from the table."""
    case = chain("random", random_rows(5, 2), random_rows(6, 2, 2), 7)
    p = case.build()
    best = BestGaps(Gaps(p, 4), 2)
    q = output_distribution(p, Blocks(4, GapTabulated(best.choices)))
    assert q.path_kl == close(best.kl[1, p.vocab, p.vocab, 4])  # two rounds are enough for three
    assert q.rounds == {4: close(1)}
    q = output_distribution(p, Blocks(4, GapTabulated(best.choices[:1])))
    second = sum(p.marginals[3, v] * best.kl[0, v, p.vocab, 3] for v in range(p.vocab))
    assert q.path_kl == close(best.kl[0, p.vocab, p.vocab, 4] + second)
    assert q.rounds == {2: close(1)}


# Where the arrays live, exact chains, what is refused


def test_where_the_chain_lives():
    host = CHAINS["one way"]
    there = MarkovChain(to_device1(host.initial), to_device1(host.transition), host.length)
    for (kl, policy), (expected, on_host) in zip(
        best_in_rounds(there, 4), best_in_rounds(host, 4), strict=True
    ):
        assert kl == pytest.approx(expected, rel=1e-12, abs=1e-14)
        assert policy.choices.device == DEVICE1
        assert (to_host(policy.choices) == on_host.choices).all()
        found = [
            estimate_path_kl(p, either, np.random.default_rng(0), 50).kl.mean
            for p in (host, there)
            for either in (policy, on_host)
        ]
        assert found == pytest.approx([found[0]] * 4, abs=1e-12)


def test_an_exact_chain_is_computed_in_floats():
    parts = random_rows(1, 3), random_rows(2, 3, 3)
    exact, inexact = (MarkovChain(*parts, 12, exact=exact) for exact in (True, False))
    for (kl, policy), (expected, other) in zip(
        best_in_rounds(exact, 4), best_in_rounds(inexact, 4), strict=True
    ):
        assert kl == close(expected)
        assert isinstance(kl, float)
        assert (policy.choices == other.choices).all()


def test_memory_is_asked_for_before_it_is_taken(monkeypatch):
    monkeypatch.setenv("ZEROLOSS_MEMORY", "1M")
    with pytest.raises(TooLarge, match="the best decoder of gaps of up to 512 sites over 2 tokens"):
        best_in_rounds(gallery.binary_symmetric(512, 0.1), 4)


def test_rounding_does_not_decide_between_equal_paths():
    """Both tokens are alike, so that a gap and the one with the other tokens have equal paths."""
    choices = BestGaps(Gaps(CHAINS["flip"]), 4).choices
    assert (choices[:, 0, 0] == choices[:, 1, 1]).all()
    assert (choices[:, 0, 1] == choices[:, 1, 0]).all()
    assert (choices[:, 0, 2] == choices[:, 1, 2]).all()
    assert (choices[:, 2, 0] == choices[:, 2, 1]).all()


def test_few_paths_at_once(monkeypatch):
    expected = BestGaps(Gaps(CHAINS["random"]), 4)
    for most in (1, 700):
        monkeypatch.setattr("sims.chains.best.AT_ONCE", most)
        found = BestGaps(Gaps(CHAINS["random"]), 4)
        assert np.abs(found.kl - expected.kl).max() < CLOSE
        assert (found.choices == expected.choices).all()


def test_progress(capsys):
    """Of sites that the first edge cannot reach for nothing: 18, 16 and 12 of 20."""
    best_in_rounds(gallery.binary_symmetric(20, 0.1), 4, progress=True)
    assert "best decoder: 46 of 46" in capsys.readouterr().err


FLIP = gallery.binary_symmetric(4, 0.1)
RARE = MarkovChain([1, 0], [[1 - 1e-300, 1e-300], [0, 1]], 9)
FLIP_8 = gallery.binary_symmetric(8, 0.1)
E = sympy.Symbol("e", positive=True)
UNKNOWN = MarkovChain([1, 0], [[1 - E, E], [0, 1]], 9, exact=True)

test_what_is_refused = refusals(
    (
        "rounds must be an integer of at least 1, got {}",
        lambda r: best_in_rounds(FLIP, r),
        [0, 1.5],
    ),
    ("p must be a Markov chain, got <JointTable", lambda: best_in_rounds(gallery.parity(3), 1)),
    (
        r"pattern must be one pattern of shape \(4,\)",
        lambda pattern: best_in_rounds(FLIP, 1, pattern),
        [[0, 1], [[MASK] * 4]],
    ),
    ("pattern: tokens must lie in 0..1", lambda: best_in_rounds(FLIP, 1, [MASK, 2, MASK, MASK])),
    ("it depends on the free symbols e", lambda: best_in_rounds(UNKNOWN, 2)),
    (
        "a gap of 7 sites between the tokens 0 and 1 has probability 8e-300, too little",
        lambda: best_in_rounds(RARE, 2, [0, *[MASK] * 7, 1]),
    ),
)


# Tables over gaps

CHOICES = np.ones((3, 3, 3, 5, 5), dtype=bool)
CHOICES[1] = np.arange(5) == 0
CHOICES[2, 0, 1] = np.arange(5) == 1
CHOICES[2, 0, 1, 1] = np.arange(5) == 0
GAPS = GapTabulated(CHOICES)


def test_sites_by_ends_length_and_rounds_left():
    pattern = [0, MASK, MASK, MASK, 1, MASK, MASK, 0, MASK]
    assert GAPS.sites(pattern, 1) == (1, 2, 3, 5, 6, 8)
    assert GAPS.sites(pattern, 2) == (1, 5, 8)
    assert GAPS.sites(pattern, 3) == GAPS.sites(pattern, 7) == (2, 5, 6, 8)
    assert GAPS.sites([0, 1], 2) == ()
    assert (GAPS.rounds, GAPS.steps, GAPS.vocab, GAPS.longest) == (3, 3, 2, 4)
    assert "at most 3 rounds, for gaps of up to 4 sites over 2 tokens" in repr(GAPS)


def test_tokens_that_are_known_are_ends_and_are_revealed_first():
    policy = GapTabulated(CHOICES, known=[0, MASK, MASK, MASK, 1, MASK])
    assert policy.sites([MASK] * 6, 3) == (0, 2, 4, 5)
    assert policy.sites([0, MASK, 1, MASK, 1, MASK], 3) == (1, 3, 5)
    assert policy.sites([MASK] * 5, 3) == (0, 2, 4)  # of the beginning, as blocks show it


def test_only_gaps_between_what_is_given_have_to_be_in_the_table():
    GAPS.check(4, 2)
    GAPS.with_given((4, 7), 9).check(7, 2)
    GapTabulated(CHOICES, known=[MASK] * 4 + [0] + [MASK] * 4).check(9, 2)
    p = gallery.binary_symmetric(9, 0.1)
    q = output_distribution(p, Blocks(4, GAPS))
    assert max(q.rounds) <= 9


NONE = CHOICES.copy()
NONE[2, 1, 0, 3, :3] = False

test_which_tables_and_gaps_are_refused = refusals(
    (
        r"choices must be bool of shape \(R, V\+1, V\+1, n\+1, n\+1\)",
        GapTabulated,
        [
            *(CHOICES.astype(float), CHOICES[0], CHOICES[:, :2], CHOICES[..., :4], CHOICES[:0]),
            *(CHOICES[None], CHOICES[..., :1, :1], CHOICES[:, :1, :1], True),
        ],
    ),
    ("with 3 rounds left there is none in 3 sites between 1 and 0", lambda: GapTabulated(NONE)),
    ("tokens must lie in 0..1", lambda: GapTabulated(CHOICES, [2])),
    (
        "known must be one pattern",
        lambda known: GapTabulated(CHOICES, known),
        [0, [[0, 1], [1, 0]]],
    ),
    ("one pattern", lambda x: GAPS.sites(x, 1), [MASK, [[MASK]]]),
    ("rounds_left must be an integer of at least 1", lambda: GAPS.sites([MASK], 0)),
    (
        "gaps of up to 4 sites over 2 tokens; the sequences have gaps of 5 over 2",
        lambda call: call(),
        [
            lambda: GAPS.sites([0, *[MASK] * 5], 1),
            lambda: output_distribution(gallery.binary_symmetric(5, 0.1), GAPS),
            lambda: decode(
                FLIP_8, GAPS, np.random.default_rng(0), 1, 1, prompt=[*[MASK] * 5, 0, 0, 0]
            ),
            lambda: output_distribution(FLIP_8, Blocks(5, GAPS)),
        ],
    ),
    (
        "the sequences have gaps of 2 over 3",
        lambda: output_distribution(gallery.permutations(3), Blocks(2, GAPS)),
    ),
    (
        "knows tokens of 3 sites; the sequences have 4",
        lambda: output_distribution(FLIP, GapTabulated(CHOICES, [MASK, 0, MASK])),
    ),
)
