"""Worst cases and minimax sizes against all schedules, all codes and linear programs.

The oracles know nothing of boundaries: a code is its profile, a step, and what a schedule loses of
it, its TC and its DTC are computed from the profile by their definitions.
"""

import dataclasses
import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import oracles
from tests.noted import each, refusals
from theory import JointTable, TooLarge, bounds, closed_forms, information, schedules
from theory.schedules import RandomSizes

OFS = ("tc", "dtc", "both")
HALF = Fraction(1, 2)


def step(length, r):
    return [1] * r + [0] * (length - r)


def lost(f, sizes):
    """What the batches pay: f at their first site for each site, instead of f at the site."""
    starts = itertools.accumulate((0, *sizes[:-1]))
    return sum(f[a] - f[j] for a, s in zip(starts, sizes, strict=True) for j in range(a, a + s))


def budget(f, of):
    """TC is the sum of all entropies minus the joint one, DTC the joint one minus the residuals."""
    tc, dtc = len(f) * f[0] - sum(f), sum(f) - len(f) * f[-1]
    return {"tc": tc, "dtc": dtc, "both": tc + dtc}[of]


def shares(sizes, of):
    """Of every code with correlations."""
    codes = [step(sum(sizes), r) for r in range(1, sum(sizes))]
    return [Fraction(lost(f, sizes), budget(f, of)) for f in codes]


def linear_program(*arguments, **options):
    """The least value by HiGHS, in floats."""
    optimize = pytest.importorskip("scipy.optimize")
    found = optimize.linprog(*arguments, method="highs", **options)
    assert found.status == 0
    return found.fun


# The worst case of a schedule


@each("of", OFS)
def test_the_worst_case_is_that_of_the_worst_code(of):
    for sizes in (s for length in range(2, 9) for s in oracles.compositions(length)):
        found, expected = bounds.worst_case(sizes, of=of), shares(sizes, of)
        assert (found.of, found.length, found.share) == (of, sum(sizes), max(expected))
        assert found.dimensions == tuple(
            r for r, share in enumerate(expected, 1) if share == max(expected)
        )


def test_the_formulas_for_batches():
    """(b-a-1)/(L-a-1), (b-a-1)/(a+1), (b-a-1)/L; the last batch of one is left out."""
    for sizes in oracles.compositions(9):
        ends = list(itertools.accumulate(sizes, initial=0))
        pairs = [(a, b) for a, b in itertools.pairwise(ends) if a < 8]
        by_hand = {
            "tc": max(Fraction(b - a - 1, 8 - a) for a, b in pairs),
            "dtc": max(Fraction(b - a - 1, a + 1) for a, b in pairs),
            "both": Fraction(max(sizes) - 1, 9),
        }
        assert {of: bounds.worst_case(sizes, of=of).share for of in OFS} == by_hand


@settings(max_examples=30)
@given(st.lists(st.integers(0, 4), min_size=27, max_size=27).filter(any))
def test_no_distribution_loses_more(weights):
    p = JointTable(np.reshape(weights, (3, 3, 3)), exact=True)
    f = list(information.profile(p))
    for of, sizes in itertools.product(OFS, oracles.compositions(3)):
        assert lost(f, sizes) <= bounds.worst_case(sizes, of=of).share * budget(f, of)


@each("of", OFS)
def test_the_code_that_is_named_attains_it(of):
    for sizes in [(2,), (1, 2), (3, 1), (2, 1, 2), (1, 4), (4, 2), (1, 2, 3)]:
        case = bounds.worst_case(sizes, of=of)
        p = case.distribution
        assert p.exact
        assert p.vocab == (2 if case.dimensions[0] in (1, sum(sizes) - 1) else p.length - 1)
        tc = information.total_correlation(p)
        dtc = information.dual_total_correlation(p)
        budgets = {"tc": tc, "dtc": dtc, "both": tc + dtc}
        assert information.path_cost(p, sizes) == case.share * budgets[of]


def test_a_long_schedule():
    """The last 3 lose both letters of TC at dimension 510, the first 3 both of DTC at 2."""
    found = [bounds.worst_case((1, 3) * 128, of=of) for of in OFS]
    assert [one.share for one in found] == [1, 1, Fraction(2, 512)]
    assert [one.dimensions[0] for one in found] == [510, 2, 2]


def test_the_worst_case_of_random_sizes_is_a_mean():
    choices = [(HALF, (1, 3, 2)), (Fraction(1, 3), (3, 3)), (Fraction(1, 6), (2, 2, 1, 1))]
    for of in OFS:
        means = [
            sum(weight * share for (weight, _), share in zip(choices, column, strict=True))
            for column in zip(*(shares(sizes, of) for _, sizes in choices), strict=True)
        ]
        found = bounds.worst_case(RandomSizes(choices), of=of)
        assert found.share == max(means)
        assert found.dimensions[0] == 1 + means.index(max(means))


# Fixed sizes


@each("of", OFS)
def test_the_best_of_all_fixed_sizes(of):
    """Of those that are equally good, the ones whose first batches are largest."""
    for length in range(2, 11):
        worst = {sizes: max(shares(sizes, of)) for sizes in oracles.compositions(length)}
        for rounds in range(1, length + 1):
            here = {sizes: share for sizes, share in worst.items() if len(sizes) == rounds}
            least = min(here.values())
            best = max(sizes for sizes, share in here.items() if share == least)
            assert schedules.minimax(length, rounds, of=of) == best


def bottleneck(length, rounds, of):
    """The least greatest share, by a dynamic program over boundaries."""
    codes = [budget(step(length, r), of) for r in range(1, length)]
    worst = {
        (a, b): max([Fraction(b - r, codes[r - 1]) for r in range(a + 1, b)], default=Fraction(0))
        for a, b in itertools.combinations(range(length + 1), 2)
    }
    least = {0: Fraction(0)}
    for _ in range(rounds):
        least = {
            b: min(max(least[a], worst[a, b]) for a in least if a < b)
            for b in range(1 + min(least), length + 1)
        }
    return least[length]


@each(("length", "rounds"), [(30, 4), (30, 11), (41, 7), (41, 30)])
def test_longer_fixed_sizes(length, rounds):
    for of in OFS:
        sizes = schedules.minimax(length, rounds, of=of)
        assert (sum(sizes), len(sizes)) == (length, rounds)
        assert bounds.worst_case(sizes, of=of).share == bottleneck(length, rounds, of)


def test_sixteen_sites_in_five_rounds():
    assert schedules.minimax(16, 5) == schedules.total_correlation(16, 0.5) == (8, 4, 2, 1, 1)
    assert schedules.minimax(16, 5, of="dtc") == schedules.dual_total_correlation(16, 0.5)
    every = oracles.compositions(16, 5)
    worst = {sizes: max(shares(sizes, "tc")) for sizes in every}
    assert [sizes for sizes, share in worst.items() if share <= Fraction(7, 15)] == [
        (8, 4, 2, 1, 1)
    ]
    assert (
        max(shares((1, 2, 3, 4, 6), "dtc"))
        == HALF
        == min(max(shares(sizes, "dtc")) for sizes in every)
    )


def test_thousands_of_sites():
    """One more site, or one round fewer, costs more."""
    for of in OFS:
        share = bounds.worst_case(schedules.minimax(3000, 60, of=of), of=of).share
        more = bounds.worst_case(schedules.minimax(3000, 59, of=of), of=of).share
        assert share < more


# Random sizes


@each("of", OFS)
def test_the_best_random_sizes_as_a_matrix_game(of):
    """All schedules against all codes."""
    for length, rounds in [(2, 1), (3, 2), (5, 2), (6, 3), (7, 4), (8, 3), (8, 7)]:
        every = oracles.compositions(length, rounds)
        game = np.asarray([[float(share) for share in shares(sizes, of)] for sizes in every]).T
        value = linear_program(
            [0.0] * len(every) + [1.0],
            A_ub=np.hstack([game, -np.ones((length - 1, 1))]),
            b_ub=np.zeros(length - 1),
            A_eq=[[1.0] * len(every) + [0.0]],
            b_eq=[1.0],
        )
        sizes = schedules.minimax(length, rounds, of=of, random=True)
        assert float(sizes.value) == pytest.approx(value, abs=1e-9)


def flow(length, rounds, of):
    """The same as a flow from 0 to L of `rounds` arcs."""
    arcs = [
        (k, a, b)
        for k in range(rounds)
        for a, b in itertools.combinations(range(length + 1), 2)
        if (k == 0) == (a == 0) and (k == rounds - 1) == (b == length)
    ]
    places = {(0, 0): 0, (rounds, length): 1}
    for k, _, b in arcs:
        places.setdefault((k + 1, b), len(places))
    arcs = [arc for arc in arcs if arc[:2] in places]
    losses = np.zeros((length - 1, len(arcs) + 1))
    conserved = np.zeros((len(places), len(arcs) + 1))
    losses[:, -1] = -1
    for j, (k, a, b) in enumerate(arcs):
        for r in range(a + 1, b):
            losses[r - 1, j] = (b - r) / budget(step(length, r), of)
        conserved[places[k, a], j] += 1
        conserved[places[k + 1, b], j] -= 1
    total = np.zeros(len(places))
    total[:2] = 1, -1
    objective = np.zeros(len(arcs) + 1)
    objective[-1] = 1
    return linear_program(
        objective, A_ub=losses, b_ub=np.zeros(length - 1), A_eq=conserved, b_eq=total
    )


@each(("length", "rounds"), [(12, 4), (16, 5)])
def test_the_best_random_sizes_as_a_flow(length, rounds):
    for of in OFS:
        sizes = schedules.minimax(length, rounds, of=of, random=True)
        assert float(sizes.value) == pytest.approx(flow(length, rounds, of), abs=1e-9)


NAMED = {
    (32, 8): (0.1558, 0.1725, 0.0523),
    (64, 16): (0.0774, 0.0811, 0.0248),
}


@each(("setting", "values"), NAMED.items())
def test_known_values(setting, values):
    """By the linear program of a flow, in the notes from which this was built."""
    for of, value in zip(OFS, values, strict=True):
        assert round(float(schedules.minimax(*setting, of=of, random=True).value), 4) == value


@each("of", OFS)
def test_the_value_is_certified_from_both_sides(of):
    """By the sizes on the worst code, and by the codes against the best sizes, in Fractions."""
    settings = [(n, k) for n in (1, 2, 3, 7, 12, 23) for k in range(1, n + 1)]
    for length, rounds in [*settings, (40, 1), (128, 9), (96, 70)]:
        sizes = schedules.minimax(length, rounds, of=of, random=True)
        assert (sizes.length, sizes.rounds) == (length, rounds)
        assert {len(each) for _, each in sizes.choices} == {rounds}
        assert len(sizes.choices) <= length
        assert sum(sizes.adversary.values()) == (length > 1)
        assert min(sizes.adversary.values(), default=1) > 0
        assert sizes.check()


def test_the_check_of_a_value_can_fail():
    sizes = schedules.minimax(9, 3, random=True)
    worse = RandomSizes([(1, schedules.minimax(9, 3))])
    assert not dataclasses.replace(sizes, choices=worse.choices).check()
    assert not dataclasses.replace(sizes, value=sizes.value + Fraction(1, 10**9)).check()
    assert not dataclasses.replace(sizes, adversary={1: Fraction(1)}).check()

    share = bounds.worst_case(worse).share  # codes whose "probabilities" sum to more would lose it
    more = {r: share / sizes.value * probability for r, probability in sizes.adversary.items()}
    fixed = dataclasses.replace(sizes, choices=worse.choices, value=share, adversary=more)
    assert not fixed.check()
    for beyond in (0, 9):
        assert not dataclasses.replace(sizes, adversary={**sizes.adversary, beyond: 0}).check()
    negative = {1: Fraction(2), 2: Fraction(-1)}
    assert not dataclasses.replace(schedules.minimax(3, 3, random=True), adversary=negative).check()


@each("of", OFS)
def test_the_adversary_by_all_fixed_sizes(of):
    """Against the codes that it draws, the best of all fixed sizes lose the value."""
    sizes = schedules.minimax(9, 4, of=of, random=True)
    means = [
        sum(sizes.adversary.get(r, 0) * share for r, share in enumerate(shares(each, of), 1))
        for each in oracles.compositions(9, 4)
    ]
    assert min(means) == sizes.value


def test_many_rounds_by_hand():
    """A batch begins after a sites with probability 1 - v (L - a): L - 1 - v L (L - 1)/2 = K - 1.

    That holds as long as two sites that follow each other begin one at least: v (2 L - 3) <= 1.
    """
    for length, rounds in [(9, 8), (20, 17), (64, 48)]:
        value = Fraction(2 * (length - rounds), length * (length - 1))
        assert value * (2 * length - 3) <= 1
        for of in ("tc", "dtc"):
            assert schedules.minimax(length, rounds, of=of, random=True).value == value


# Limits


def begun(u, random):
    """The least share of sites that begin a batch, where u sites may be lost of the code there."""
    if not random:
        return 1 / (1 + np.floor(u))
    low, high = np.zeros_like(u), np.ones_like(u)
    terms = np.arange(1, 60, dtype=np.int64)[:, None]
    for _ in range(50):  # bisection: the mean loss falls with the share
        middle = (low + high) / 2
        fine = np.maximum(0, 1 - terms * middle).sum(axis=0) <= u
        low, high = np.where(fine, low, middle), np.where(fine, middle, high)
    return high


@each("random", [False, True])
def test_limits_of_rounds_times_shares(random):
    """``w = ratio Phi(w)``, and Phi by the midpoint rule: off by a step where the share jumps."""
    for ratio in (1.2, 1.5, 2.0, 3.7, 8.0):
        product = closed_forms.minimax_limit(ratio, random=random)
        assert product == closed_forms.minimax_limit(ratio, of="dtc", random=random)
        w, count = ratio * product, 4000
        middles = (np.arange(count, dtype=np.int64) + 0.5) * (w / count)
        assert begun(middles, random).mean() * w == pytest.approx(product, rel=1e-3)


@each(("ratio", "random"), itertools.product((2, 4), (False, True)))
def test_long_sequences_come_near_their_limits(ratio, random):
    for of in OFS:
        limit, off = closed_forms.minimax_limit(ratio, of=of, random=random), []
        for length in (32, 256) if random else (32, 2048):
            rounds = length // ratio
            sizes = schedules.minimax(length, rounds, of=of, random=random)
            off.append(abs(rounds * bounds.worst_case(sizes, of=of).share / limit - 1))
        assert off[1] < max(off[0] / 4, 1e-12)


def uniforms_to_exceed(s):
    """Mean number of uniform numbers whose sum exceeds s: the sum of P(the sum of n is <= s)."""
    return sum((k - s) ** k * math.exp(s - k) / math.factorial(k) for k in range(int(s) + 1))


def test_few_rounds_of_long_sequences():
    """At y sites from the end, in units of what may be lost, boundaries sum to s: y = M(s)."""
    assert uniforms_to_exceed(1) == math.e
    for rounds, length in itertools.product((2, 3, 5, 8), (64, 512)):
        value = schedules.minimax(length, rounds, of="both", random=True).value
        assert 0 < 1 / uniforms_to_exceed(rounds - 1) - value < 1 / length


# Systematic sampling of boundaries


@st.composite
def boundary_probabilities(draw):
    """One first, the others multiples of 1/12 that sum to an integer."""
    rounds = draw(st.integers(1, 4))
    cuts = draw(st.lists(st.integers(0, 12), min_size=3, max_size=6))
    left, probabilities = 12 * (rounds - 1), []
    for cut in cuts:
        probabilities.append(min(cut, left))
        left -= probabilities[-1]
    while left:
        probabilities.append(min(12, left))
        left -= probabilities[-1]
    return [Fraction(1), *(Fraction(p, 12) for p in probabilities)]


@given(boundary_probabilities())
def test_boundaries_are_drawn_with_their_probabilities_and_spread_out(probabilities):
    """A stretch has no boundary with probability ``max(0, 1 - sum)``: it cannot be less."""
    sizes = RandomSizes.from_boundaries(probabilities)
    length = len(probabilities)
    begun = [(w, set(itertools.accumulate((0, *each[:-1])))) for w, each in sizes.choices]
    assert {len(each) for _, each in sizes.choices} == {sum(probabilities)}
    assert len(sizes.choices) <= length
    for first in range(length):
        for stop in range(first + 1, length + 1):
            stretch = set(range(first, stop))
            none = sum(weight for weight, starts in begun if not starts & stretch)
            assert none == max(0, 1 - sum(probabilities[first:stop]))


def test_what_is_drawn_has_its_probabilities():
    """Sizes that meet go on as each other: (2, 1, 3) is drawn though it is no choice."""
    sizes = RandomSizes([(HALF, (1, 2, 3)), (HALF, (2, 1, 1, 2)), (0, (6,))])
    assert sizes.next_sizes(2, 3) == {1: HALF, 3: HALF}
    rng = np.random.default_rng(0)
    drawn = [sizes.draw(rng) for _ in range(4000)]
    expected = {(1, 2, 3), (2, 1, 1, 2), (2, 1, 3), (1, 2, 1, 2)}
    assert set(drawn) == expected
    for each_one in expected:  # 1000 on average, with a standard deviation of 27
        assert abs(drawn.count(each_one) - 1000) < 5 * 27


def test_random_sizes_cost_the_mean_of_what_their_choices_cost():
    choices = [(HALF, (1, 3)), (Fraction(1, 3), (2, 2)), (Fraction(1, 6), (4,))]
    sizes = RandomSizes(choices)
    p = JointTable(np.arange(16).reshape((2,) * 4), exact=True)
    mean = sum(weight * information.path_cost(p, each) for weight, each in choices)
    assert sizes.path_cost(p) == mean
    bits = sizes.path_cost(p, base=2)
    assert float(bits) == pytest.approx(float(mean) / np.log(2), rel=1e-12)
    f = information.profile(JointTable(np.arange(16).reshape((2,) * 4)))
    assert sizes.path_cost(f) == pytest.approx(float(mean), rel=1e-12)


def test_choices_with_the_same_sizes_are_one():
    once, twice = (
        RandomSizes([(1, (2, 1))]),
        RandomSizes([(HALF, (2, 1)), (HALF, (2, 1)), (0, (3,))]),
    )
    assert once == twice
    assert hash(once) == hash(twice)
    assert once.mean_sizes == (2, 0, 1)


WRONG: Any = "sum"
UNTYPED: Any = RandomSizes

test_bad_input = refusals(
    ("rounds must be at most the length 4, got 5", lambda: schedules.minimax(4, 5)),
    ("length must be", lambda: schedules.minimax(0, 1)),
    ("of must be one of 'tc', 'dtc', 'both', got 'sum'", lambda: schedules.minimax(4, 2, of=WRONG)),
    ("of must be one of", lambda: bounds.worst_case((2, 2), of=WRONG)),
    ("sites_per_round must be", closed_forms.minimax_limit, [0.5, float("nan"), 1e300]),
    ("sizes must sum to 2 at least", lambda: bounds.worst_case((1,))),
    ("batch size must be an integer of at least 1, got 0", lambda: bounds.worst_case((2, 0))),
    ("choices must be pairs", RandomSizes, [3, [1, 2], [(1, (2, 1), 3)]]),
    ("sizes must be a sequence", lambda: UNTYPED([(1, 3)])),
    ("must sum to the length 3", lambda: RandomSizes([(HALF, (2, 1)), (HALF, (2, 2))])),
    ("Fractions of at least 0, got 0.5", lambda: UNTYPED([(0.5, (2, 1)), (0.5, (1, 2))])),
    ("Fractions of at least 0, got", lambda: RandomSizes([(2, (2, 1)), (-1, (1, 2))])),
    ("must sum to 1, got 1/2", lambda: RandomSizes([(HALF, (2, 1))])),
    ("must sum to 1, got", RandomSizes, [[], [(1, ())]]),
    (
        "never have 1 sites revealed before round 2",
        lambda: RandomSizes([(1, (1, 2))]).next_sizes(2, 1),
    ),
    ("do not fit 2 sites", lambda: RandomSizes([(1, (1, 2))]).path_cost([1.0, 0.0])),
    (
        "between 0 and 1, and the first must be 1",
        RandomSizes.from_boundaries,
        [[], [HALF, HALF], [1, Fraction(3, 2), HALF], [1, -1, 1]],
    ),
    ("must sum to an integer, got 1.5", lambda: RandomSizes.from_boundaries([1, HALF])),
    (
        "probabilities must be integers or Fractions",
        RandomSizes.from_boundaries,
        [3, None, [1, "a"], [1, 0.5, 0.5]],
    ),
)


def test_sizes_of_too_many_sites_are_refused():
    with pytest.raises(TooLarge, match="random sizes of 1025 sites would be found; they are up to"):
        schedules.minimax(1025, 2, random=True)
    with pytest.raises(TooLarge, match="fixed sizes of 10000000 sites would be found"):
        schedules.minimax(10**7, 2)
