"""The G-test against all outcomes of few draws, enumerated."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from sims.conformance.g_test import g_test, tail_bound
from tests.noted import each

THIRDS = [Fraction(1, 6), Fraction(1, 3), Fraction(1, 2)]


def outcomes(draws, chances):
    """{counts: probability}, exactly."""
    found = {}
    for counts in itertools.product(range(draws + 1), repeat=len(chances)):
        if sum(counts) == draws:
            ways = math.factorial(draws)
            mass = Fraction(1)
            for count, chance in zip(counts, chances, strict=True):
                ways //= math.factorial(count)
                mass *= chance**count
            found[counts] = ways * mass
    assert sum(found.values()) == 1
    return found


def statistic(counts, chances):
    """Written from the definition."""
    draws = sum(counts)
    return 2 * math.fsum(
        count * math.log(count / (draws * chance))
        for count, chance in zip(counts, chances, strict=True)
        if count
    )


def test_the_statistic_and_its_p_value_are_those_of_all_outcomes():
    known = outcomes(7, THIRDS)
    values = {counts: statistic(counts, THIRDS) for counts in known}
    rng = np.random.default_rng(0)
    looked_at = [counts for counts, mass in known.items() if mass > Fraction(1, 200)]
    assert len(looked_at) > 20
    for counts in looked_at:
        found = g_test(np.asarray(counts), np.asarray(THIRDS, dtype=float), 1e-3, rng)
        assert found.g == pytest.approx(values[counts], abs=1e-12)
        tail = sum(mass for other, mass in known.items() if values[other] > found.g - 1e-9)
        # Drawing ends after ten larger values, when the relative error is a third.
        assert 0.25 < found.p_value / float(tail) < 4


def test_p_values_of_small_counts_are_not_too_small():
    """With eight draws; a right test passes this bound once in a thousand times."""
    rng = np.random.default_rng(1)
    chances = np.asarray(THIRDS, dtype=float)
    alpha, repeats = 0.05, 600
    small = sum(
        g_test(rng.multinomial(8, chances), chances, alpha, rng).p_value <= alpha
        for _ in range(repeats)
    )
    assert small <= repeats * alpha + 3.1 * math.sqrt(repeats * alpha * (1 - alpha))
    assert small > 0.3 * repeats * alpha  # and it can be passed at all


@each("draws", [1, 3, 12])
def test_the_bound_is_one(draws):
    """For every value that the statistic can take, in exact probabilities."""
    known = outcomes(draws, THIRDS)
    values = {counts: statistic(counts, THIRDS) for counts in known}
    for value in values.values():
        tail = sum(mass for counts, mass in known.items() if values[counts] >= value - 1e-12)
        assert float(tail) <= tail_bound(value, len(THIRDS)) * (1 + 1e-9)
    if draws == 12:  # where it says something
        assert min(tail_bound(value, len(THIRDS)) for value in values.values()) < 1e-3


def test_the_noise_is_that_of_all_outcomes():
    known = outcomes(6, THIRDS)
    tv = {
        counts: sum(abs(Fraction(c, 6) - p) for c, p in zip(counts, THIRDS, strict=True)) / 2
        for counts in known
    }
    mean = float(sum(mass * tv[counts] for counts, mass in known.items()))
    square = float(sum(mass * tv[counts] ** 2 for counts, mass in known.items()))
    rng = np.random.default_rng(2)
    found = g_test(np.asarray([1, 2, 3]), np.asarray(THIRDS, dtype=float), 0.01, rng)
    assert abs(found.noise.mean - mean) < 4 * math.sqrt((square - mean**2) / 300)
    below = [float(mass) for counts, mass in known.items() if tv[counts] <= found.noise.quantile]
    assert sum(below) > 0.97


def test_a_draw_of_what_is_impossible_decides():
    rng = np.random.default_rng(3)
    stated = np.asarray([0.5, 0.5, 0.0])
    assert g_test(np.asarray([50, 49, 1]), stated, 0.01, rng).p_value == 0
    assert g_test(np.asarray([50, 50, 0]), stated, 0.01, rng).p_value > 0.5
    certain = g_test(np.asarray([9, 0]), np.asarray([1.0, 0.0]), 0.01, rng)
    assert (certain.p_value, certain.noise.mean) == (1, 0)


def test_what_keeps_to_likely_sequences_is_found_where_most_are_rare():
    """There G is smaller than by chance: the rare ones, each of which adds much to it, are missing.

    And it is not called so when it is right.
    """
    rng = np.random.default_rng(4)
    stated = rng.gamma(0.5, size=3**6)
    stated /= stated.sum()
    sharp = stated**1.4 / (stated**1.4).sum()
    draws = 500
    counts = rng.multinomial(draws, sharp)
    typical = np.median([statistic_of(rng.multinomial(draws, stated), stated) for _ in range(9)])
    assert statistic_of(counts, stated) < typical
    assert g_test(counts, stated, 1e-3, rng).p_value < 1e-3
    right = [g_test(rng.multinomial(draws, stated), stated, 0.1, rng).p_value for _ in range(40)]
    assert 0 <= sum(p <= 0.1 for p in right) <= 11  # more, once in a thousand times


def statistic_of(counts, stated):
    some = counts > 0
    return 2 * (counts[some] * np.log(counts[some] / (counts.sum() * stated[some]))).sum()
