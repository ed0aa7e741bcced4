"""The best decoder, against every policy one by one and against a recursion over patterns."""

import functools
import itertools
import math
import tracemalloc
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from sims import Point, frontier, output_distribution, regret
from sims.policies import (
    Bisection,
    LeftToRight,
    RandomOrder,
    Tabulated,
)
from tests.cases import (
    CASES,
    EXACT_CASES,
    FAMILIES,
    build_exact,
    each_case,
    each_of,
    random_weights,
    table,
)
from tests.noted import each, refusals
from tests.sims.optimal_oracle import (
    SLACK,
    Game,
    all_policies,
    corners_of,
    count_of_policies,
    every_point,
    fewest_at,
    hull_at,
    uniform,
)
from tests.sims.policy_table import looked_up, lookup_rule, one_of_each
from theory import MASK, InvalidInput, JointTable, TooLarge, gallery, strategies

MULTIPLIERS = [0, 0.25, 0.7, 1, 1.5, 2.2, 3.7, 10, 1000, math.inf]

NOTHING = 1e-12  # nats

game_of = functools.cache(lambda case: Game(case.joint))


def close(expected):
    return pytest.approx(float(expected), rel=SLACK, abs=SLACK)


def as_joint(p):
    """Of a distribution with an exact table."""
    values = p.table()
    return {x: Fraction(values[x]) for x in itertools.product(range(p.vocab), repeat=p.length)}


def assert_is_optimum(value, multiplier, game, slack=NOTHING / 10):
    """The rounding of a divergence counts as often as the multiplier says."""
    rounding = SLACK + multiplier * slack
    assert float(value) == pytest.approx(game.optimum(multiplier), rel=SLACK, abs=rounding)


def assert_serial_depth(point, game):
    """Doubles cannot tell divergences below NOTHING nats from zero."""
    rounds, kl, free = game.measured(point.policy.sites)
    assert point.kl == pytest.approx(0, abs=NOTHING)
    if free:
        assert rounds == game.depth()
    else:
        assert rounds < game.depth()
        assert 0 < kl < NOTHING


def assert_optimal(points, game):
    """Each point is as good as the recursion says, and its policy reaches what it promises."""
    for point in points:
        assert isinstance(point, Point)
        assert isinstance(point.policy, Tabulated)
        rounds, kl, _ = game.measured(point.policy.sites)
        assert point.rounds == close(rounds)
        assert point.kl == close(kl)
        if point.multiplier == math.inf:
            assert_serial_depth(point, game)
        else:
            value = point.rounds + point.multiplier * point.kl
            assert_is_optimum(value, point.multiplier, game)


def assert_all_corners(corners, game):
    """From everything at once to no divergence; no policy is below an edge by SLACK nats."""
    assert corners[0].rounds == close(1)
    assert corners[0].kl == close(game.total_correlation())
    assert_serial_depth(corners[-1], game)
    slopes = [0.0]
    for a, b in itertools.pairwise(corners):
        assert a.rounds < b.rounds
        assert a.kl > b.kl
        slopes.append(float(b.rounds - a.rounds) / float(a.kl - b.kl))
        assert_is_optimum(float(a.rounds) + slopes[-1] * a.kl, slopes[-1], game, SLACK)
    assert slopes == sorted(set(slopes))  # strictly convex
    return slopes


def assert_written(p, point, tolerance=SLACK):
    q = output_distribution(p, point.policy)
    assert q.expected_rounds_on_data == pytest.approx(float(point.rounds), rel=tolerance)
    assert float(q.kl) == pytest.approx(point.kl, rel=tolerance, abs=tolerance)
    assert float(q.path_kl) == pytest.approx(point.kl, rel=tolerance, abs=tolerance)


# Every policy, one by one


BITS = {
    "dense": table("", random_weights(11, (2, 2, 2))),
    "dense as well": table("", random_weights(12, (2, 2, 2))),
    "sparse": table("", [[[0, 1], [2, 0]], [[1, 0], [0, 3]]]),
    "zeros": table("", random_weights(14, (2, 2, 2), zeros=0.3)),
    "parity": table("", [[[1, 0], [0, 1]], [[0, 1], [1, 0]]]),
    "product": table("", [[[2, 4], [6, 12]], [[3, 6], [9, 18]]]),
    "point mass": table("", [[[0, 0], [0, 0]], [[0, 5], [0, 0]]]),
    "value of the first": table("", [[[1, 1], [1, 1]], [[2, 0], [0, 2]]]),
    "pair": table("", [[1, 2], [3, 4]]),
    "three tokens": table("", random_weights(15, (3, 3))),
    "three tokens, zeros": table("", [[1, 0, 2], [0, 0, 0], [3, 0, 4]]),
    "one site": table("", [1, 2, 5]),
    "one token": table("", [[[7]]]),
    "one of each": table("", [3]),
    "sum": table("", [[[(a + b + c) ** 2 for c in range(2)] for b in range(2)] for a in range(2)]),
}
each_bits = pytest.mark.parametrize("case", BITS.values(), ids=BITS)

points_of = functools.cache(lambda case: every_point(case.joint, case.vocab))


@pytest.mark.parametrize(
    ("length", "vocab", "count"), [(1, 2, 1), (2, 2, 3), (3, 2, 31), (4, 2, 4335), (3, 3, 85)]
)
def test_the_number_of_policies(length, vocab, count):
    """Of a table without zeros. 3 * 3^2 + 3 * 1 + 1 = 31."""
    assert count_of_policies(length, vocab) == count
    joint = uniform(itertools.product(range(vocab), repeat=length))
    policies = list(all_policies(joint))
    assert len(policies) == count
    assert len({tuple(sorted(policy.items())) for policy in policies}) == count


@each_bits
def test_the_corners_of_all_policies(case):
    expected = corners_of(points_of(case))
    corners = frontier(case.build())
    assert [c.rounds for c in corners] == [close(r) for r, _ in expected]
    assert [c.kl for c in corners] == [close(kl) for _, kl in expected]
    for point in corners:
        assert_written(case.build(), point)


TARGETS = [0, 1e-6, 0.01, 0.05, 0.1, 0.3, 0.5, math.log(2), 1, 1.5, 10]


def mean_of(points, name):
    assert sum(point.share for point in points) == close(1)
    assert all(0 < point.share <= 1 for point in points)
    return sum(point.share * float(getattr(point, name)) for point in points)


@each_bits
def test_the_fewest_rounds_at_a_loss_of_all_policies_and_pairs_of_them(case):
    """At losses in between and at the corners themselves."""
    points = points_of(case)
    corners = corners_of(points)
    targets = TARGETS + [float(kl) + more for _, kl in corners for more in (0, 1e-7)]
    for p in (case.build(), build_exact(case)):
        for target in targets:
            found = frontier(p, target=target)
            assert 1 <= len(found) <= 2
            assert mean_of(found, "kl") <= target + SLACK
            expected = fewest_at(points, target + SLACK), fewest_at(points, max(target - SLACK, 0))
            assert expected[0] - SLACK <= mean_of(found, "rounds") <= expected[1] + SLACK
            for point in found:
                assert_written(p, point)


@each_case
def test_the_fewest_rounds_lie_on_the_hull(case):
    """On the line between the two corners around the target."""
    p = case.build()
    corners = [(float(c.rounds), float(c.kl)) for c in frontier(p)]
    for target in (0.0, 0.02, 0.2, 0.7, 2.0):
        found = frontier(p, target=target)
        expected = corners[0][0]
        if corners[0][1] > target:
            kls, rounds = [kl for _, kl in corners[::-1]], [r for r, _ in corners[::-1]]
            expected = np.interp(target, kls, rounds)
        assert mean_of(found, "rounds") == pytest.approx(expected, abs=1e-6)
        assert mean_of(found, "kl") <= target + SLACK


def test_a_mixture_writes_no_worse_than_its_target():
    """Its KL is at most the mean of the two, which is the target."""
    p, target = gallery.coupled_pairs(2), 1.5 * math.log(2)
    a, b = frontier(p, target=target)
    assert (a.share, b.share, a.kl) == (close(0.75), close(0.25), close(2 * math.log(2)))
    tables = [output_distribution(p, point.policy).table for point in (a, b)]
    q = a.share * tables[0] + b.share * tables[1]
    seen = p.table() > 0
    assert (p.table()[seen] * np.log(p.table()[seen] / q[seen])).sum() < target - 0.1
    assert "share=0.75" in repr(a)
    assert "share" not in repr(frontier(p, target=0)[0])


def test_a_target_at_a_prompt():
    p = gallery.coupled_pairs(2)
    (point,) = frontier(p, target=0.5 * math.log(2), prompt=[0, MASK, 1, MASK])
    assert (point.rounds, point.kl, point.share) == (1, close(0), 1)
    found = frontier(p, target=0.5 * math.log(2), prompt=[0, MASK, MASK, MASK])
    assert mean_of(found, "rounds") == close(1.5)


# A recursion over patterns


@each_case
def test_the_frontier_of_every_case(case):
    p, game = case.build(), game_of(case)
    found = frontier(p, MULTIPLIERS)
    assert_optimal(found, game)
    for a, b in itertools.pairwise(found):
        assert a.rounds <= b.rounds + SLACK
        assert a.kl >= b.kl - SLACK
    assert (found[0].rounds, found[0].multiplier) == (close(1), 0)
    corners = frontier(p)
    assert_optimal(corners, game)
    assert_all_corners(corners, game)


@each_of(EXACT_CASES)
def test_the_frontier_of_every_exact_case(case):
    p, game = build_exact(case), game_of(case)
    found = frontier(p, MULTIPLIERS)
    assert_optimal(found, game)
    assert isinstance(found[-1].rounds, Fraction | int)
    assert not isinstance(found[-1].kl, float)
    assert (found[-1].rounds, found[-1].kl) == (game.depth(), 0)
    corners = frontier(p)
    assert_optimal(corners, game)
    assert_all_corners(corners, game)
    assert (corners[-1].rounds, corners[-1].kl) == (game.depth(), 0)


@each_of([*CASES[::4], *FAMILIES])
def test_policies_of_the_frontier_write_what_is_promised(case):
    p = case.build()
    for point in frontier(p) + frontier(p, [0.8, math.inf]):
        assert_written(p, point, 1e-10)


@pytest.mark.parametrize("case", EXACT_CASES[::3], ids=lambda case: case.name)
def test_the_serial_depth_is_written_exactly(case):
    p = build_exact(case)
    point = frontier(p, [math.inf])[0]
    q = output_distribution(p, point.policy)
    assert q.expected_rounds_on_data == q.expected_rounds == point.rounds
    assert q.kl == 0
    assert sympy.expand(q.path_kl) == 0
    assert q.table.tolist() == p.table().tolist()


@given(
    strategies.joint_tables(lengths=(1, 3), vocabs=(1, 3), exact=True),
    st.lists(st.floats(0, 20), max_size=3),
)
def test_the_frontier_of_any_table(p, multipliers):
    game = Game(as_joint(p))
    assert_optimal(frontier(p, [*multipliers, math.inf]), game)
    corners = frontier(p)
    assert_optimal(corners, game)
    assert_all_corners(corners, game)


def test_order_and_repetition_of_multipliers_are_kept():
    p = gallery.coupled_pairs(2)
    found = frontier(p, [math.inf, 0, 1, 1, math.inf])
    assert [point.multiplier for point in found] == [math.inf, 0, 1, 1, math.inf]
    assert [point.rounds for point in found] == [2, 1, 2, 2, 2]  # a round is worth 2 log 2
    assert frontier(p, []) == []
    numbers: list[Any] = [Fraction(2), np.float64(2), np.int64(2), 1e6, 1e100, 1e300]
    for number in numbers:
        point = frontier(p, (number,))[0]
        assert (point.rounds, point.kl, point.multiplier) == (2, close(0), number)


def test_exact_zero_is_exact():
    """One in 10^12: no double tells the divergence (1e-24 / 2) from zero, Fractions do."""
    eps = Fraction(1, 10**12)
    p = JointTable([[1 + eps, 1 - eps], [1 - eps, 1 + eps]], exact=True)
    point = frontier(p, [math.inf])[0]
    assert (point.rounds, point.kl) == (2, 0)
    assert point.policy.sites([MASK, MASK]) in [(0,), (1,)]


# Known values


KNOWN = {
    "parity": (gallery.parity(4, exact=True), 2),
    "permutations of one": (gallery.permutations(1, exact=True), 1),
    "permutations of two": (gallery.permutations(2, exact=True), 2),
    "permutations of four": (gallery.permutations(4, exact=True), 4),
    "pair": (gallery.coupled_pairs(1, exact=True), 2),
    "three pairs": (gallery.coupled_pairs(3, exact=True), 2),
    "walk": (gallery.walk(4, exact=True), Fraction(11, 4)),
}


@each(("p", "depth"), KNOWN.values(), ids=KNOWN)
def test_depths_of_the_gallery(p, depth):
    """Permutations take a round for each site, pairs two in all.

    Parity: any proper subset of the bits is independent, so all but one and then the last.
    """
    point = frontier(p, [math.inf])[0]
    assert (point.rounds, point.kl, point.multiplier) == (depth, 0, math.inf)
    assert Game(as_joint(p)).depth() == depth


@pytest.mark.parametrize("length", range(2, 8))
def test_parity_and_the_repeated_bit_take_two_rounds(length):
    """All but one bit and then the last, which costs a bit at once; one bit and then all others."""
    for p, first, bits in (
        (gallery.parity(length, exact=True), length - 1, 1),
        (gallery.binary_symmetric(length, 0, exact=True), 1, length - 1),
    ):
        corners = frontier(p)
        assert (corners[0].rounds, corners[0].kl) == (1, close(bits * math.log(2)))
        assert (corners[-1].rounds, corners[-1].kl) == (2, 0)
        assert len(corners[-1].policy.sites([MASK] * length)) == first


def test_what_comes_next_depends_on_the_token():
    """After a 0 (12 in 19) two independent bits, after a 1 two equal ones: 2 rounds or 3."""
    p = JointTable([[[1, 2], [3, 6]], [[2, 0], [0, 5]]], exact=True)
    point = frontier(p, [math.inf])[0]
    assert (point.rounds, point.kl) == (Fraction(12 * 2 + 7 * 3, 19), 0)
    assert point.policy.sites([MASK] * 3) == (0,)
    assert point.policy.sites([0, MASK, MASK]) == (1, 2)
    assert len(point.policy.sites([1, MASK, MASK])) == 1


def test_impossible_contexts_are_finished_at_once():
    p = gallery.permutations(3, exact=True)
    for point in frontier(p):
        assert point.policy.sites([0, 0, MASK]) == (2,)
        assert point.policy.sites([1, 1, MASK]) == (2,)
    p = gallery.coupled_pairs(2, exact=True)
    for point in frontier(p) + frontier(p, [1, math.inf]):
        assert point.policy.sites([0, 1, MASK, MASK]) == (2, 3)


# Regret


@each("number", range(len(one_of_each(3))))
def test_regret_of_every_decoder(number):
    """Divergence minus the hull of all policies, which are enumerated.

    It is that along the path, or where there is none that of what is written; the rounds are
    those on the data, or where they are not defined those of what is written.
    """
    for name in ("dense", "zeros", "parity", "three tokens"):
        case = BITS[name]
        policy, _ = one_of_each(case.length, case.vocab)[number]
        q = output_distribution(case.build(), policy)
        rounds = q.expected_rounds if math.isnan(q.expected_rounds_on_data) else None
        rounds = float(rounds or q.expected_rounds_on_data)
        kl = float(q.kl if math.isnan(q.path_kl) else q.path_kl)
        expected = kl - hull_at(points_of(case), rounds)
        value = regret(case.build(), policy)
        assert isinstance(value, float)
        assert value == pytest.approx(expected, abs=SLACK)
        if name in ("parity", "three tokens"):
            assert regret(build_exact(case), policy) == pytest.approx(expected, abs=SLACK)


@given(strategies.joint_tables(lengths=(1, 3), vocabs=(2, 2), exact=True), st.integers(0, 1000))
def test_regret_of_a_random_rule_by_hand(p, seed):
    """Rounds and divergence by following every sequence through the lookup."""
    joint = as_joint(p)
    rounds, kl, _ = Game(joint).measured(lambda pattern: looked_up(seed, pattern))
    expected = kl - hull_at(every_point(joint, p.vocab), rounds)
    assert regret(p, lookup_rule(seed)) == pytest.approx(expected, abs=SLACK)


@each_of([*FAMILIES, *BITS.values()])
def test_the_best_policies_have_no_regret(case):
    p = case.build()
    for point in frontier(p) + frontier(p, [0, 0.3, 1, 2.5, math.inf]):
        assert regret(p, point.policy) == pytest.approx(0, abs=SLACK)


def test_nearly_independent_sites_are_not_independent():
    """A divergence of about 1e-6 nats costs a round if nothing may be lost."""
    eps = Fraction(1, 1000)
    weights = [[1 + eps, 1 - eps], [1 - eps, 1 + eps]]
    exact = frontier(JointTable(weights, exact=True), [1000, math.inf])
    assert (exact[0].rounds, exact[1].rounds) == (1, 2)
    assert 0 < exact[0].kl < 1e-6
    for p in (JointTable(weights, exact=True), JointTable(np.array(weights, dtype=float))):
        assert [c.rounds for c in frontier(p)] == [1, 2]
        assert frontier(p, [math.inf])[0].rounds == 2
        assert frontier(p, [1e7])[0].rounds == 2


# What is refused

P, SYMBOL, ROOT = gallery.coupled_pairs(1), sympy.Symbol("a", positive=True), sympy.sqrt(2)
FREE = JointTable([[1 - SYMBOL, 0], [0, SYMBOL]], exact=True)
NO_NUMBERS = [-1, -1e-12, -math.inf, math.nan, "1", None, 1j, [1], b"1", object(), True]


@each("exact", [False, True], ids=["floats", "exact"])
@each("multiplier", NO_NUMBERS)
def test_multipliers_are_numbers_that_are_not_negative(multiplier, exact):
    p = gallery.coupled_pairs(1, exact=exact)
    for multipliers in ([multiplier], [0, multiplier], [math.inf, multiplier]):
        with pytest.raises(InvalidInput, match="multiplier"):
            frontier(p, multipliers)


test_refusals = refusals(
    (
        "target must be a finite number of at least 0, got '?{}",
        lambda t: frontier(P, target=t),
        [-1, math.nan, math.inf, "0.1"],
    ),
    ("multipliers or target, not both", lambda: frontier(P, [1.0], target=0.1)),
    ("symbol", lambda: frontier(FREE, target=0.1)),
    ("multiplier", lambda one: frontier(P, one), [1, 0.5, math.inf]),
    ("symbol", lambda multipliers: frontier(FREE, multipliers), [None, [0], [1], [math.inf]]),
    ("symbol", lambda: regret(FREE, LeftToRight())),
    (".", lambda: frontier(JointTable([[ROOT, 1], [1, ROOT]], exact=True), [0])),  # no fraction
    ("sum to the length 2", lambda: regret(P, RandomOrder((1, 2)))),
)


def test_what_does_not_fit_is_refused_before_memory_is_taken(monkeypatch):
    """Of eight bits: 4^8 pairs of a pattern and a set of its masked sites."""
    table = np.ones((2,) * 8)
    p = JointTable(table)
    monkeypatch.setenv("ZEROLOSS_MEMORY", "60000")  # the lattice would fit
    tracemalloc.start()
    try:
        for multipliers in (None, [0.0], [math.inf]):
            with pytest.raises(TooLarge, match=r"8 sites|\*8"):
                frontier(p, multipliers)
        assert tracemalloc.get_traced_memory()[1] < 200_000
    finally:
        tracemalloc.stop()
    monkeypatch.setenv("ZEROLOSS_MEMORY", "1000000000")
    assert frontier(p, [math.inf])[0].rounds == 1


@pytest.mark.parametrize("length", [20, 60, 2000])
def test_what_no_machine_holds_is_refused(length):
    p = gallery.binary_symmetric(length, 0.25)
    for multipliers in (None, [1.0], [math.inf]):
        with pytest.raises(TooLarge, match=str(length)):
            frontier(p, multipliers)
    if length > 20:
        with pytest.raises(TooLarge):
            regret(p, Bisection())
