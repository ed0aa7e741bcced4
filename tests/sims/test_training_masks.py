"""Mask distributions against their definitions, and what decoders visit against all paths."""

import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy

from sims import policies
from sims.training import (
    block_by_block,
    fixed_count,
    last_to_first,
    left_to_right,
    mismatch,
    predicting,
    prefix_of_block,
    share_on_prefixes,
    uniform_time,
    visited,
)
from sims.training.masks import as_masks
from tests import oracles
from tests.noted import refusals
from tests.sims import policy_oracles as slow
from tests.sims.policy_table import both, one_of_each, over
from theory import MASK, JointTable, gallery

LENGTHS = (1, 2, 3, 5)
BLOCKS = [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (3, 5)]


def patterns(length) -> list[Any]:
    return list(itertools.product((0, 1), repeat=length))


def time_integral(k, hidden):
    """The integral of u^k (1 - u)^hidden over 0..1, term by term."""
    terms = (Fraction((-1) ** j * math.comb(hidden, j), k + j + 1) for j in range(hidden + 1))
    return sum(terms)


def by_blocks(length, size, within):
    """Tables of single blocks; ``within`` lists (probability, sites shown of the block)."""
    for start in range(0, length, size):
        block = list(range(start, min(start + size, length)))
        table = dict.fromkeys(patterns(length), Fraction(0))
        for probability, shown in within(block):
            known = {*range(start), *shown}
            table[tuple(int(i in known) for i in range(length))] += probability
        yield table


def at_uniform_time(block):
    for size in range(len(block) + 1):
        sets = list(itertools.combinations(block, size))
        for chosen in sets:
            yield Fraction(1, (len(block) + 1) * len(sets)), chosen


def hidden_from_the_right(block):
    for hidden in range(len(block) + 1):
        yield Fraction(1, len(block) + 1), block[: len(block) - hidden]


def mean(tables):
    return {s: sum(t[s] for t in tables) / len(tables) for s in tables[0]}


def same(table, expected):
    assert all(type(v) is Fraction for v in table.reshape(-1))
    assert {s: table[s] for s in patterns(table.ndim)} == expected


@pytest.mark.parametrize("length", LENGTHS)
def test_uniform_time_is_an_integral_over_time(length):
    expected = {s: time_integral(sum(s), length - sum(s)) for s in patterns(length)}
    same(uniform_time(length, exact=True), expected)


@pytest.mark.parametrize("length", LENGTHS)
def test_a_fixed_count_is_uniform_over_its_sets(length):
    for count in range(length + 1):
        sets = [s for s in patterns(length) if sum(s) == count]
        expected = {s: Fraction(s in sets, len(sets)) for s in patterns(length)}
        same(fixed_count(length, count, exact=True), expected)


@pytest.mark.parametrize("length", LENGTHS)
def test_left_to_right_is_uniform_over_prefixes(length):
    prefixes = [(1,) * k + (0,) * (length - k) for k in range(length + 1)]
    expected = {s: Fraction(s in prefixes, length + 1) for s in patterns(length)}
    same(left_to_right(length, exact=True), expected)


@pytest.mark.parametrize(("length", "size"), BLOCKS)
def test_blocks_by_definition(length, size):
    stages = list(by_blocks(length, size, at_uniform_time))
    same(block_by_block(length, size, exact=True), mean(stages))
    prefixes = list(by_blocks(length, size, hidden_from_the_right))
    same(prefix_of_block(length, size, exact=True), mean(prefixes))
    for k in range(1, len(stages) + 1):
        same(last_to_first(length, size, stages=k, exact=True), mean(stages[-k:]))


@pytest.mark.parametrize(
    "make",
    [
        uniform_time,
        left_to_right,
        lambda n, exact=False: fixed_count(n, n - 1, exact=exact),
        lambda n, exact=False: block_by_block(n, 2, exact=exact),
        lambda n, exact=False: prefix_of_block(n, 2, exact=exact),
        lambda n, exact=False: last_to_first(n, 2, stages=1, exact=exact),
    ],
)
def test_floats_are_the_fractions_and_hiding_something_is_conditioned_on(make):
    for length in LENGTHS:
        exact, floats = make(length, exact=True), make(length)
        assert exact.sum() == 1
        assert floats.dtype == np.float64
        assert np.allclose(floats, exact.astype(float), rtol=1e-14, atol=0)
        full = (1,) * length
        left = predicting(exact)
        for s in patterns(length):
            assert left[s] == (0 if s == full else exact[s] / (1 - exact[full]))
        assert not floats.flags.writeable


# What a decoder visits

JOINT = oracles.table_joint([[[1, 2], [0, 3]], [[4, 1], [2, 0]]])
TABLE = JointTable([[[1, 2], [0, 3]], [[4, 1], [2, 0]]], exact=True)
TIMES = (Fraction(0), Fraction(1, 3), Fraction(1))


def calls_by_pattern(start, decoder, ask, vocab, length):
    """Expected calls at each mask pattern: every path, and each of its calls, one by one."""
    found = dict.fromkeys(patterns(length), Fraction(0))

    def walk(decoder, pattern, mass, index):
        if index == decoder.steps or (decoder.steps is None and MASK not in pattern):
            return
        for probability, after, called in decoder.follow(pattern, ask, index, vocab):
            found[tuple(int(o != MASK) for o in pattern)] += mass * probability * called
            walk(decoder, after, mass * probability, index + 1)

    for pattern, mass in start:
        walk(slow.from_start(decoder, pattern), pattern, mass, 0)
    return found


def check_visited(table, found):
    total = sum(found.values())
    assert {s: table[s] for s in patterns(table.ndim)} == {s: c / total for s, c in found.items()}


def one_call(policy):
    """Whether it calls the denoiser once in a round, and corrects nothing."""
    several = policies.Speculative | policies.Corrector | policies.JointDraw
    rewrites = policy.remasks and policy.looks_at_tokens
    return not isinstance(policy, several) and not rewrites


ROWS = [(policy, oracle) for policy, oracle in one_of_each(3) if one_call(policy)]


@over(ROWS)
def test_what_is_visited_along_all_paths(policy, decoder):
    ask = slow.asking(oracles.zero_loss(JOINT, 2, "marginal"))
    start = [((MASK,) * 3, Fraction(1))]
    check_visited(visited(TABLE, policy), calls_by_pattern(start, decoder, ask, 2, 3))


@over([both(policies.LeftToRight), both(policies.TopK, 1), both(policies.TokenConfidence, 1)])
def test_what_is_visited_after_a_prompt(policy, decoder):
    ask = slow.asking(oracles.zero_loss(JOINT, 2, "marginal"))
    start = [((MASK, v, MASK), oracles.evidence(JOINT, (MASK, v, MASK))) for v in range(2)]
    found = calls_by_pattern(start, decoder, ask, 2, 3)
    check_visited(visited(TABLE, policy, observed=(1,)), found)


def test_what_is_visited_with_another_denoiser_and_at_temperature_0():
    """A denoiser that is more confident at the right end leads the decoder there."""

    def right_end(x):
        rows = np.full((*x.shape, 2), Fraction(1, 2))
        rows[:, -1] = [Fraction(1), Fraction(0)]
        return rows

    table = visited(TABLE, policies.TopK(1), 0, right_end)
    assert [table[s] for s in ((0, 0, 0), (0, 0, 1), (1, 0, 1))] == [Fraction(1, 3)] * 3


def test_mismatch_by_definition():
    rng = np.random.default_rng(0)
    for _ in range(5):
        weights = rng.integers(0, 4, size=(2, 2, 2, 2)).astype(object)
        weights[:, 0, 0, 0] += 1
        nu, pi = (w * Fraction(1, int(w.sum())) for w in weights)
        found = mismatch(nu, pi)
        every = patterns(3)
        assert found.tv == sum(max(nu[s] - pi[s], 0) for s in every)
        assert found.unused == sum(pi[s] for s in every if nu[s] == 0)
        assert found.untrained == sum(nu[s] for s in every if pi[s] == 0)
        p, q = ({s: Fraction(t[s]) for s in every} for t in (nu, pi))
        assert sympy.simplify(found.kl - oracles.kl_divergence(p, q, exact=True)) in (0, sympy.nan)
        floats = mismatch(nu.astype(float), pi)
        assert np.allclose(np.asarray(floats, dtype=float), np.asarray(found, dtype=float))


# Bad input

GIBBS = policies.GibbsCorrector(policies.FirstHitting(), 1)
test_refusals = refusals(
    ("sums to 0.75", as_masks, [[0.5, 0.25]]),
    ("entry 1 is -0.5", as_masks, [[1.5, -0.5]]),
    (r"shape \(2,\)\*L, got \(3,\)", as_masks, [[0.5, 0.25, 0.25]]),
    (r"got \(\)", as_masks, [1.0]),
    ("sums to 5/6", as_masks, [[Fraction(1, 2), Fraction(1, 3)]]),
    ("length must be an integer of at least 1, got {}", uniform_time, [0]),
    ("at most the length 2, got {}", lambda count: fixed_count(2, count), [3]),
    ("size must be an integer of at least 1, got {}", lambda n: block_by_block(3, n), [0]),
    ("at most the number of blocks, 2, got {}", lambda k: last_to_first(4, 2, stages=k), [3]),
    ("hide nothing", predicting, [[0.0, 1.0]]),
    (r"shape \(2,\)\*2, got \(2, 2, 2\)", lambda: mismatch(uniform_time(2), uniform_time(3))),
    ("at least 1, got {}", share_on_prefixes, [0]),
    ("asks more than once in a round", lambda: visited(TABLE, policies.Speculative())),
    ("draws sites again", lambda: visited(gallery.parity(2), GIBBS)),
)
