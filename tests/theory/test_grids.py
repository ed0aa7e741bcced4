"""Grids of times: equal mass, the best of all, geometric blocks; and the batches they reveal."""

import functools
import itertools
import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cases import BAD_LEVELS, BAD_TIMES, NO_PROFILES, each_case, each_family, to_device1
from tests.noted import each, refusals
from tests.theory import information_oracle as slow
from theory import gallery, information, schedules, strategies

SHAPES = {
    "repeated bit": [1, 0, 0, 0, 0, 0],
    "parity": [1, 1, 1, 1, 1, 0],
    "coupled pairs": [5, 4, 3, 2, 1, 0],
    "steep and flat": [9, 4, 4, 4, 1, 0],
    "two sites": [2, 1],
}
each_shape = each("f", SHAPES.values(), ids=SHAPES)


def slow_curve(f):
    return slow.Curve(slow.gains(f))


def check_grid(times, steps):
    assert isinstance(times, np.ndarray)
    assert times.dtype == np.float64
    assert times.shape == (steps + 1,)
    assert (times[0], times[-1]) == (0, 1)
    assert (np.diff(times) > 0).all()


def pieces(times):
    return list(itertools.pairwise(times.tolist()))


@each_shape
@pytest.mark.parametrize("steps", [1, 2, 5])
def test_equal_mass_divides_the_root_of_the_slope_evenly(f, steps):
    curve, times = slow_curve(f), schedules.equal_mass(f, steps)
    check_grid(times, steps)
    for a, b in pieces(times):
        assert curve.root_mass(a, b) == pytest.approx(curve.root_mass() / steps, rel=1e-6)


@each_case
def test_a_grid_for_every_distribution(case):
    """Also where every gain is zero; from the distribution or from its profile."""
    p = case.build()
    for steps in (1, 4):
        check_grid(schedules.equal_mass(p, steps), steps)
        check_grid(schedules.best_grid(p, steps, resolution=16), steps)
        check_grid(schedules.block_grid(p, [0.25, 0.75], steps + 2), steps + 2)
    f = information.profile(p)
    same = (
        (schedules.equal_mass(p, 4), schedules.equal_mass(f, 4)),
        (schedules.best_grid(p, 4, 16), schedules.best_grid(f, 4, 16)),
        (schedules.block_grid(p, [0.25, 0.75], 6), schedules.block_grid(f, [0.25, 0.75], 6)),
    )
    for of_p, of_f in same:
        np.testing.assert_allclose(of_p, of_f, atol=1e-12)


@each_shape
@pytest.mark.parametrize("resolution", [1, 5, 9])
def test_no_grid_on_the_multiples_costs_less(f, resolution):
    """Against all of them."""
    curve = slow_curve(f)
    cost = {
        (a, b): curve.step_cost(Fraction(a, resolution), Fraction(b, resolution))
        for a, b in itertools.combinations(range(resolution + 1), 2)
    }
    for steps in range(1, min(resolution, 4) + 1):
        inner = itertools.combinations(range(1, resolution), steps - 1)
        least = min(
            sum(cost[pair] for pair in itertools.pairwise((0, *points, resolution)))
            for points in inner
        )
        times = schedules.best_grid(f, steps, resolution=resolution)
        check_grid(times, steps)
        multiples = times * resolution
        np.testing.assert_allclose(multiples, np.rint(multiples), rtol=0, atol=1e-12)
        assert curve.grid_cost(times.tolist()) == pytest.approx(least, rel=1e-12, abs=1e-12)


# Geometric blocks


@each_shape
@pytest.mark.parametrize("levels", [[0.25, 0.75], [0.1, 0.5, 0.9], [0.05, 0.1, 0.3, 0.98]])
def test_blocks_have_geometric_odds_and_their_shares_of_the_steps(f, levels):
    curve = slow_curve(f)
    blocks = list(itertools.pairwise(levels))
    roots = [math.sqrt(slow.odds_length(a, b) * curve.growth(a, b)) for a, b in blocks]
    for steps in (len(blocks) + 2, 12, 60):
        times = schedules.block_grid(f, levels, steps)
        check_grid(times, steps)
        ends = [int(np.argmin(abs(times - level))) for level in levels]
        np.testing.assert_allclose(times[ends], levels, rtol=0, atol=1e-12)
        assert (ends[0], ends[-1]) == (1, steps - 1)
        odds = times[1:-1] / (1 - times[1:-1])
        for (a, b), root in zip(itertools.pairwise(ends), roots, strict=True):
            assert b > a
            ratios = odds[a:b] / odds[a - 1 : b - 1]
            np.testing.assert_allclose(ratios, ratios[0], rtol=1e-9)
            # at least one step for each block can take from another as many as there are blocks
            assert abs(b - a - (steps - 2) * root / sum(roots)) <= len(blocks)


def test_levels_as_fractions():
    fractions = [Fraction(1, 5), Fraction(4, 5)]
    expected = schedules.block_grid([2, 1, 0], [0.2, 0.8], 5)
    actual = schedules.block_grid(gallery.coupled_pairs(1, exact=True), fractions, 5)
    check_grid(actual, 5)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-12)


GRIDS = [
    functools.partial(schedules.equal_mass, steps=4),
    functools.partial(schedules.best_grid, steps=4, resolution=16),
    functools.partial(schedules.block_grid, levels=[0.25, 0.75], steps=5),
]


@each_family
@each("grid", GRIDS)
def test_on_a_device(case, grid):
    np.testing.assert_allclose(grid(case.build(to_device1)), grid(case.build()), rtol=0, atol=1e-9)


@each("grid", GRIDS)
def test_profiles_in_any_form(grid):
    f = [3, 1, 1, 0]
    for same in (np.array(f), [Fraction(v) for v in f], to_device1([float(v) for v in f])):
        np.testing.assert_allclose(grid(same), grid(f), rtol=0, atol=1e-12)


def test_as_many_steps_as_there_are_multiples_or_blocks_and_ends():
    check_grid(schedules.best_grid([1, 0], 8, resolution=8), 8)
    check_grid(schedules.block_grid([1, 0], [0.25, 0.5, 0.75], 4), 4)


@given(st.integers(1, 30), st.lists(strategies.rationals(), unique=True), st.integers(0, 99))
def test_random_sizes_are_batches(length, inner, seed):
    times = [0, *sorted(inner), 1]
    sizes = schedules.random_sizes(times, length, np.random.default_rng(seed))
    assert isinstance(sizes, tuple)
    assert all(type(s) is int and s >= 1 for s in sizes)
    assert sum(sizes) == length
    assert len(sizes) < len(times)


@pytest.mark.parametrize(
    ("times", "length"),
    [
        ((0, Fraction(1, 2), 1), 3),
        ((0, Fraction(1, 5), Fraction(3, 5), 1), 3),
        ((0, Fraction(1, 2), Fraction(3, 4), Fraction(7, 8), 1), 2),
    ],
)
def test_law_of_random_sizes(times, length):
    """Chi-square of 3000 draws with a fixed seed, below the quantile that one in 1e5 exceeds."""
    from scipy.special import chdtri

    dist, draws = slow.distribution_of_sizes(times, length), 3000
    assert sum(dist.values()) == 1
    rng = np.random.default_rng(0)
    grid = [float(t) for t in times]
    counts = Counter(schedules.random_sizes(grid, length, rng) for _ in range(draws))
    assert set(counts) <= set(dist)
    expected = {sizes: draws * float(prob) for sizes, prob in dist.items()}
    statistic = sum((counts[sizes] - n) ** 2 / n for sizes, n in expected.items())
    assert statistic < chdtri(len(dist) - 1, 1e-5)


COUNTS = [0, -1, 2.0, None, True]
STEPS = [
    functools.partial(schedules.equal_mass, [1, 0]),
    functools.partial(schedules.best_grid, [1, 0]),
    functools.partial(schedules.block_grid, [1, 0], [0.25, 0.75]),
]
RNG = np.random.default_rng(0)

test_what_is_refused = refusals(
    *(("steps.*{}", call, COUNTS) for call in STEPS),
    ("9", lambda: schedules.best_grid([1, 0], 9, resolution=8)),
    ("3", lambda: schedules.block_grid([1, 0], [0.25, 0.5, 0.75], 3)),
    (
        "resolution.*{}",
        functools.partial(schedules.best_grid, [1, 0], 1),
        [0, -1, 2.5, None, True],
    ),
    *(
        (named, functools.partial(schedules.block_grid, [1, 0], steps=9), bad)
        for named, bad in BAD_LEVELS.items()
    ),
    *(("profile", grid, NO_PROFILES) for grid in GRIDS),
    *(
        (named, lambda times: schedules.random_sizes(times, 4, RNG), bad)
        for named, bad in BAD_TIMES.items()
    ),
    ("length", lambda n: schedules.random_sizes([0.0, 1.0], n, RNG), [*COUNTS, -3, "4"]),
    (
        r"rng|Generator",
        functools.partial(schedules.random_sizes, [0.0, 0.5, 1.0], 4),
        [None, 0, np.random],
    ),
)
