"""Noise levels, and batch sizes against all compositions of the length."""

import functools
import importlib
import itertools
import math
from fractions import Fraction

import array_api_strict as strict
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from tests import oracles
from tests.cases import NO_PROFILES, to_device1
from tests.noted import each, refusals
from theory import (
    InvalidInput,
    MarkovChain,
    TooLarge,
    gallery,
    information,
    schedules,
)
from theory.information import path_cost, profile

NOISE = [
    schedules.Linear(),
    schedules.Cosine(),
    schedules.LogLinear(),
    schedules.LogLinear(end=0.25),
    schedules.GeometricOdds(),
    schedules.GeometricOdds(end=0.3),
]
each_noise = each("noise", NOISE, ids=lambda noise: type(noise).__name__)


def riemann_error(f, sizes):
    """What the batches pay: f at their first site for each site, instead of f at the site."""
    starts = itertools.accumulate((0, *sizes[:-1]))
    return sum(
        f[a] - f[j] for a, size in zip(starts, sizes, strict=True) for j in range(a, a + size)
    )


# Noise levels


@each_noise
def test_slope_is_the_derivative(noise):
    """Against central differences: h^2 / 6 times a third derivative below 1000, with h = 1e-5."""
    t, h = np.linspace(0.01, 0.99, 99), 1e-5
    numerical = (noise.alpha(t + h) - noise.alpha(t - h)) / (2 * h)
    np.testing.assert_allclose(noise.slope(t), numerical, rtol=1e-7, atol=1e-7)
    assert np.shape(noise.slope(t)) == t.shape


def test_levels_by_their_formulas():
    t = np.linspace(0, 1, 11)
    np.testing.assert_allclose(schedules.Linear().alpha(t), 1 - t, rtol=1e-15)
    angles = schedules.Cosine().alpha(t)
    np.testing.assert_allclose(np.arccos(np.sqrt(angles)), np.pi * t / 2, atol=1e-12)
    masked = 1 - schedules.LogLinear(0.2).alpha(t)
    np.testing.assert_allclose(masked, 0.8 * t, atol=1e-15)
    level = schedules.GeometricOdds(0.2).alpha(t)
    odds = level / (1 - level)
    np.testing.assert_allclose(odds, 4.0 ** (1 - 2 * t), rtol=1e-12)


@each_noise
@pytest.mark.parametrize("steps", [1, 2, 7])
def test_a_grid_of_levels_runs_from_one_to_zero(noise, steps):
    levels = noise.levels(steps)
    assert levels.shape == (steps + 1,)
    assert levels.dtype == np.float64
    assert (levels[0], levels[-1]) == (1, 0)
    expected = [noise.alpha(k / steps) for k in range(1, steps)]
    np.testing.assert_allclose(levels[1:-1], expected, rtol=1e-15)


def test_levels_on_a_device():
    t = to_device1([0.0, 0.25, 1.0])
    assert isinstance(schedules.Linear().alpha(t), type(strict.ones(1)))
    assert schedules.Linear().alpha(t).device == t.device


@given(st.integers(1, 200), st.data())
def test_uniform_sizes_are_as_equal_as_possible_and_fall(length, data):
    rounds = data.draw(st.integers(1, length))
    sizes = schedules.uniform(length, rounds)
    assert len(sizes) == rounds
    assert sum(sizes) == length
    assert set(sizes) <= {length // rounds, -(-length // rounds)}
    assert list(sizes) == sorted(sizes, reverse=True)
    assert all(type(s) is int for s in sizes)


RATIOS = [0, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 3, 100]
lengths_and_ratios = each(
    ("length", "ratio"), list(itertools.product([1, 2, 3, 10, 16, 31, 100, 300], RATIOS))
)


def longest(length, start, allowed):
    """The last b with b - a - 1 <= allowed, by trying every one."""
    return max(b for b in range(start + 1, length + 1) if b - start - 1 <= allowed)


@lengths_and_ratios
def test_each_batch_is_the_longest_that_its_rule_allows(length, ratio):
    """``b - a - 1 <= ratio (d - a - 1)``, or ``<= ratio (a + 1)``; 0.3 means 3/10."""
    exact = Fraction(str(ratio))
    for schedule, scale in (
        (schedules.total_correlation, lambda a: length - a - 1),
        (schedules.dual_total_correlation, lambda a: a + 1),
    ):
        sizes = schedule(length, ratio)
        assert sum(sizes) == length
        start = 0
        for size in sizes:
            assert start + size == longest(length, start, exact * scale(start))
            start += size
        assert all(type(s) is int for s in sizes)


# The best batch sizes


GALLERY = {
    "permutations": gallery.permutations(4, exact=True),
    "parity": gallery.parity(5, exact=True),
    "pairs": gallery.coupled_pairs(3, exact=True),
    "one hot": gallery.one_hot(6, exact=True),
    "balanced": gallery.balanced(6, exact=True),
    "golden mean": gallery.golden_mean(6, exact=True),
}


@given(st.lists(st.integers(0, 12), min_size=1, max_size=8), st.data())
def test_optimal_sizes_attain_the_least_riemann_error(f, data):
    """For any falling integers. Of equally good ones, the one whose last batches are largest."""
    f = sorted(f, reverse=True)
    rounds = data.draw(st.integers(1, len(f)))
    every = list(oracles.compositions(len(f), rounds))
    least = min(riemann_error(f, sizes) for sizes in every)
    best = [sizes for sizes in every if riemann_error(f, sizes) == least]
    assert schedules.optimal(f, rounds) == max(best, key=lambda sizes: sizes[::-1])


def test_ties_between_exact_profiles_do_not_depend_on_rounding():
    """Coupled pairs: the cost is a sum of s(s-1), so every order of the same sizes is as good."""
    for pairs in range(1, 9):
        d = 2 * pairs
        f = [Fraction(d - 1 - j, d - 1) for j in range(d)]
        for rounds in range(1, d + 1):
            assert schedules.optimal(f, rounds) == schedules.uniform(d, rounds)[::-1]


def test_profiles_in_any_form():
    """Lists, integers, Fractions, SymPy expressions and arrays on a device."""
    f = [3, 1, 1, 0]
    expected = schedules.optimal(f, 2)
    for same in (
        np.array(f),
        np.array(f, dtype=np.float32),
        [Fraction(v) for v in f],
        [sympy.log(2) * v for v in f],
        to_device1([float(v) for v in f]),
    ):
        assert schedules.optimal(same, 2) == expected
    assert all(type(s) is int for s in expected)


# The fewest rounds within a target


@pytest.mark.parametrize("name", GALLERY)
def test_no_fewer_rounds_reach_the_target(name):
    """Targets at, just below and just above every cost that a composition has; in nats."""
    p = GALLERY[name]
    costs = {sizes: float(path_cost(p, sizes)) for sizes in oracles.compositions(p.length)}
    for cost in sorted(set(costs.values())):
        for target in (0.99 * cost, 1.01 * cost + 1e-9):
            fewest = min(len(sizes) for sizes, c in costs.items() if c <= target + 1e-12)
            for given_form in (p, profile(p)):
                chosen = schedules.optimal(given_form, target=target)
                assert sum(chosen) == p.length
                assert len(chosen) == fewest, target
                assert costs[chosen] <= target + 1e-12
                assert chosen == schedules.optimal(given_form, fewest)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=6), st.integers(0, 40))
def test_a_target_that_is_met_exactly(drops, target):
    """In integers, for profiles that never increase: ``<=`` and not ``<``."""
    f = [sum(drops[j:]) for j in range(len(drops))]
    costs = {sizes: riemann_error(f, sizes) for sizes in oracles.compositions(len(f))}
    fewest = min(len(sizes) for sizes, cost in costs.items() if cost <= target)
    for same in (f, [Fraction(v) for v in f], [sympy.Integer(v) for v in f]):
        chosen = schedules.optimal(same, target=target)
        assert len(chosen) == fewest
        assert costs[chosen] <= target
        assert costs[chosen] == min(c for sizes, c in costs.items() if len(sizes) == fewest)


# Batches along a noise schedule


@each_noise
@pytest.mark.parametrize("length", [1, 2, 7, 30, 200])
def test_batches_along_a_noise_schedule(noise, length):
    """From all masked to all revealed: the levels of clean sites backwards, in whole sites.

    A boundary is rounded, so at most half a site away, unless a batch would be empty.
    """
    for rounds in {1, 2, min(length, 6), length} & set(range(length + 1)):
        sizes = schedules.batch_sizes(noise, length, rounds)
        assert all(type(s) is int and s >= 1 for s in sizes)
        assert (len(sizes), sum(sizes)) == (rounds, length)
        boundaries = np.cumsum((0, *sizes))
        ideal = length * noise.levels(rounds)[::-1]
        if (np.diff(ideal) >= 1).all():
            assert (abs(boundaries - ideal) <= 0.5 + 1e-9).all()


def test_known_batches_along_noise_schedules():
    """The log-linear one ends with 1/4 clean, so decoding begins with a large batch.

    Its levels 0, 7/16, 10/16, 13/16, 1 on 16 sites. A cosine begins and ends slowly:
    cos^2(3 pi / 8) = 0.1464 and 1/2, on 20 sites 2.93 and 10.
    """
    assert schedules.batch_sizes(schedules.Linear(), 12, 4) == (3, 3, 3, 3)
    assert schedules.batch_sizes(schedules.LogLinear(end=0.25), 16, 4) == (7, 3, 3, 3)
    assert schedules.batch_sizes(schedules.Cosine(), 20, 4) == (3, 7, 7, 3)
    for noise in NOISE:
        assert schedules.batch_sizes(noise, 5, 5) == (1,) * 5
        assert schedules.batch_sizes(noise, 5, 1) == (5,)


@pytest.mark.parametrize("length", [1024, 4096])
def test_long_sequences_of_independent_sites_have_no_gains(length):
    """Their profile falls and rises by rounding, which is no bad input."""
    row = np.asarray([0.13, 0.29, 0.58])
    p = MarkovChain(row, np.tile(row, (3, 1)), length)
    assert schedules.equal_mass(p, 4) == pytest.approx([0, 0.25, 0.5, 0.75, 1])
    assert information.continuum_complexity(p) == 0
    assert schedules.optimal(p, target=1e-6) == (length,)


def test_a_target_is_kept_where_the_profile_is_nearly_flat():
    f = np.r_[np.ones(512), np.full(512, 1 - 1e-13)]
    sizes = schedules.optimal(f, target=1e-12)
    starts = np.cumsum([0, *sizes[:-1]])
    terms = [f[a] - f[j] for a, s in zip(starts, sizes, strict=True) for j in range(a, a + s)]
    assert math.fsum(terms) <= 1e-12
    assert len(sizes) == 2


def test_every_schedule_once():
    for length in range(1, 8):
        found = list(schedules.every(length))
        assert len(found) == len(set(found)) == 2 ** (length - 1)
        assert all(sum(sizes) == length and min(sizes) > 0 for sizes in found)
        by_rounds = [s for r in range(1, length + 1) for s in schedules.every(length, r)]
        assert sorted(by_rounds) == sorted(found)
    assert list(schedules.every(40, 2)) == [(k, 40 - k) for k in range(1, 40)]
    with pytest.raises(InvalidInput, match="at most the length 3, got 4"):
        list(schedules.every(3, 4))


def least_costs(f, rounds):
    """Cost of the best batches in 1, 2, ... rounds, from the definition, over all boundaries."""
    length, costs = len(f), []
    best = {length: Fraction(0)}
    for _ in range(rounds):
        best = {
            a: min(
                cost + sum(f[a] - f[j] for j in range(a, b)) for b, cost in best.items() if b > a
            )
            for a in range(min(length, max(best)))
        }
        costs.append(best[0])
    return costs


def test_the_best_sizes_of_steps_and_of_steep_profiles():
    """Long enough for starts between those whose ends are looked for first; all in integers."""
    rng = np.random.default_rng(0)
    for length, rounds in ((17, 6), (26, 9)):
        for falls in (rng.integers(0, 3, length), rng.integers(0, 2, length) * 2 ** (length % 9)):
            f = np.cumsum(falls)[::-1].tolist()
            costs = least_costs(f, rounds)
            for count, least in enumerate(costs, start=1):
                sizes = schedules.optimal(f, count)
                assert len(sizes) == count
                assert riemann_error(f, sizes) == least
                aimed = schedules.optimal(f, target=float(least))
                assert len(aimed) == 1 + next(k for k, c in enumerate(costs) if c <= least)


def test_schedules_of_too_many_rounds_are_refused_at_once():
    f = np.arange(30_000, 0, -1.0)
    with pytest.raises(TooLarge, match=r"30000 rounds of 30000 sites takes about 3.1e\+11 steps"):
        schedules.optimal(f, rounds=30_000)
    assert schedules.optimal(f, rounds=2) == (15_000, 15_000)


def test_a_target_that_takes_too_many_rounds_names_what_is_reached(monkeypatch):
    """The profile 100, 99, ..., 1 costs 4950 in one round and 2 * 1225 in two."""
    module = importlib.import_module("theory.schedules.optimal")
    monkeypatch.setattr(module, "MAX_STEPS", 2 * 2 * 100 * 11)
    f = np.arange(100, 0, -1.0)
    assert schedules.optimal(f, target=2450) == (50, 50)
    with pytest.raises(TooLarge, match=r"2 rounds cost 2450, more than the target 2449; .*100 si"):
        schedules.optimal(f, target=2449)


COUNTS = [0, -1, 2.0, None, True]
RISING = [[0, 1], [1, 1, 1 + 1e-6], [3, 1, 2]]
RATES = (schedules.total_correlation, schedules.dual_total_correlation)

test_what_is_refused = refusals(
    ("steps", schedules.Linear().levels, COUNTS),
    ("end", schedules.LogLinear, [0, 1, -0.1, 1.5, math.nan]),
    ("end", schedules.GeometricOdds, [0, 1, -0.1, 1.5, math.nan, 0.5]),  # 0.5 does not fall
    ("length", lambda length: schedules.uniform(length, 1), [*COUNTS, -3, "4"]),
    *(("length", functools.partial(rate, ratio=0.5), [*COUNTS, -3, "4"]) for rate in RATES),
    *(
        ("ratio", functools.partial(rate, 4), [-0.1, math.nan, math.inf, "0.5", None, True])
        for rate in RATES
    ),
    ("rounds", lambda rounds: schedules.uniform(4, rounds), [*COUNTS, 5]),
    ("rounds", lambda rounds: schedules.optimal([4, 3, 2, 1], rounds), [*COUNTS, 5]),
    (r"(?s)rounds.*target|target.*rounds", lambda: schedules.optimal([2, 1, 0])),
    (
        r"(?s)rounds.*target|target.*rounds",
        lambda: schedules.optimal([2, 1, 0], rounds=2, target=1.0),
    ),
    (
        "target.*{}",
        lambda target: schedules.optimal([2, 1, 0], target=target),
        [-0.125, math.nan, math.inf, "1", True],
    ),
    ("profile", lambda f: schedules.optimal(f, 1), NO_PROFILES),
    *(
        ("must not increase: entry", functools.partial(ask, **options), RISING)
        for ask, options in (
            (schedules.optimal, {"rounds": 1}),
            (schedules.equal_mass, {"steps": 1}),
            (schedules.best_grid, {"steps": 1}),
        )
    ),
    ("length.*{}", lambda length: schedules.batch_sizes(schedules.Cosine(), length, 1), [0, 2.5]),
    (
        "rounds.*{}",
        lambda rounds: schedules.batch_sizes(schedules.Cosine(), 4, rounds),
        [0, 5, True],
    ),
    (
        "noise must be",
        lambda noise: schedules.batch_sizes(noise, 4, 2),
        ["cosine", None, 0.5, schedules.Cosine],
    ),
)
