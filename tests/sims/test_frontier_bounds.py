"""Bounds of the best expected rounds on chains, against the optimum and against what is written."""

import functools
import math
from fractions import Fraction

import numpy as np
import pytest

from sims import frontier, frontier_bounds, output_distribution
from sims.chains import Gaps, relaxation
from sims.chains.relaxation import least_costs
from tests.cases import to_device1
from tests.noted import each, refusals
from theory import MarkovChain, TooLarge, gallery

MULTIPLIERS = [0.2, 1, 2, 5, 10, 30, 100, 1000]


def random_chain(seed, length, vocab, zeros=False):
    """Not stationary; the rows differ, so that it matters which tokens are at the ends."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 9, (vocab + 1, vocab)) ** 3.0
    if zeros:
        weights *= rng.random(weights.shape) < 0.6
        weights[np.arange(vocab + 1), rng.integers(0, vocab, vocab + 1)] += 1
    weights /= weights.sum(axis=1, keepdims=True)
    return MarkovChain(weights[0], weights[1:], length)


CHAINS = {
    "symmetric": gallery.binary_symmetric(8, 0.1),
    "golden": gallery.golden_mean_chain(7),
    "ends": gallery.end_of_text(5, 0.2),
    "cycle": gallery.periodic(5, 3),
    "sticky": MarkovChain([0.5, 0.5], [[0.5, 0.5], [0.01, 0.99]], 8),
    **{f"bits {n}-{s}": random_chain(s, n, 2) for n in (1, 2, 3, 4, 5, 6, 7) for s in (0, 1)},
    **{f"zeros {n}-{s}": random_chain(s, n, 2, zeros=True) for n in (4, 6) for s in (2, 3)},
    **{f"three {n}-{s}": random_chain(s, n, 3, zeros=s > 1) for n in (4, 5) for s in (0, 1, 2)},
}


@functools.cache
def optima(name):
    points = frontier(CHAINS[name], MULTIPLIERS)
    return np.asarray([point.rounds + point.multiplier * point.kl for point in points])


def rounded_up(costs):
    return costs * (1 + 1e-9)


@each("name", CHAINS)
def test_the_optimum_is_between_the_bounds(name):
    """And neither is far from it, so that they are not bounds of something else."""
    found = frontier_bounds(CHAINS[name], MULTIPLIERS)
    assert [point.multiplier for point in found] == MULTIPLIERS
    for point, best in zip(found, optima(name), strict=True):
        assert point.lower <= rounded_up(best)
        assert best <= rounded_up(point.upper)
        assert 0.9 * best < point.lower <= point.upper < 1.1 * best


def test_the_optimum_of_nine_bits_is_between_the_bounds():
    p = gallery.binary_symmetric(9, 0.2)
    (point,), (best,) = frontier_bounds(p, [10]), frontier(p, [10])
    assert point.lower <= best.rounds + 10 * best.kl <= rounded_up(point.upper)


@each("name", ["symmetric", "sticky", "bits 7-0", "zeros 6-3", "three 4-1"])
def test_the_decoders_cost_what_is_said(name):
    for point in frontier_bounds(CHAINS[name], MULTIPLIERS):
        q = output_distribution(CHAINS[name], point.policy)
        assert q.path_kl == pytest.approx(point.kl, abs=1e-12)
        assert q.expected_rounds_on_data == pytest.approx(point.rounds, abs=1e-12)
        assert point.upper == pytest.approx(point.rounds + point.multiplier * point.kl)


SOME = ["symmetric", "sticky", "bits 6-0", "bits 7-1", "zeros 6-3", "three 5-1"]


def too_high():
    """The chains for which a lower bound is above the optimum."""
    found = {name: least_costs(Gaps(CHAINS[name]), MULTIPLIERS) for name in SOME}
    return [name for name, bounds in found.items() if (bounds > rounded_up(optima(name))).any()]


@each(
    "wrong",
    [
        lambda costs, values, times: (costs + 0.1, values, times),  # gaps are said to cost more
        lambda costs, values, times: (costs, values, times - 0.1),  # or to have less time
        lambda costs, values, times: (costs, 0.9 * values, times),  # or to lose more
    ],
)
def test_relaxations_that_do_not_relax_are_found(wrong):
    lines = relaxation._lines
    assert too_high() == []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(relaxation, "_lines", lambda *given: lines(*wrong(*given)))
        assert too_high()


def test_rounds_of_gaps_that_are_added_are_found_to_be_no_bound(monkeypatch):
    """A sum of rounds falls apart into gaps, but is above their maximum."""

    def added(edges, bounds, values, wanted):
        n = edges.length
        costs = [np.zeros((*edges.possible.shape, len(wanted)))]
        at = np.searchsorted(values, wanted)
        for j in range(1, n + 2):
            here = edges.expected(j, bounds[:n])[..., np.minimum(at, len(values) - 1)]
            here += np.stack(costs)
            if j <= n:
                here[1:] += wanted * edges.information(j)[..., None]
            costs.append(here[1 if j > n else 0 :].min(axis=0))
        return np.where(edges.possible[..., None], 1 + costs[-1], 0.0)

    monkeypatch.setattr(relaxation, "_least", added)
    assert len(too_high()) >= 3


def test_the_lines_are_the_largest_ones():
    rng = np.random.default_rng(0)
    values = np.geomspace(0.1, 1e3, 20)
    costs = rng.uniform(1, 5, (9, 6, 1)) + rng.exponential(1, (9, 6, 1)) * values
    costs = costs.min(axis=1)  # concave
    times = 1 + np.arange(3 * relaxation.STEPS) / relaxation.STEPS
    found = relaxation._lines(costs, values, times)
    for k, t in enumerate(times):
        slope = np.append(-1 / values, 0)
        later = t + 1 / relaxation.STEPS
        heights = np.stack([np.append(cost / values, 0) + slope * later for cost in costs])
        steep = (heights >= heights.max(axis=1, keepdims=True) - 1e-12).argmax(axis=1)
        expected = heights[np.arange(9), steep] - slope[steep] / relaxation.STEPS
        np.testing.assert_allclose(found[:, k], np.maximum(expected, 0), rtol=0, atol=1e-11)


def test_on_sixteen_bits_the_optimum_is_known_where_the_bounds_meet():
    """There it is the best decoder in at most 4 rounds, with its known KL, or bisection."""
    some = frontier_bounds(gallery.binary_symmetric(16, 0.1), [30, 1000])
    for point, rounds, kl in zip(some, (4, 5), (0.0141, 0), strict=True):
        assert point.rounds == pytest.approx(rounds, rel=1e-12)
        assert point.kl == pytest.approx(kl, abs=5e-5)
        assert point.lower == pytest.approx(point.upper, rel=1e-9)


def test_exact_chains_and_those_on_a_device_are_taken_to_floats_on_the_host():
    p = gallery.binary_symmetric(5, 0.25)
    exact = gallery.binary_symmetric(5, Fraction(1, 4), exact=True)
    there = MarkovChain(to_device1(p.initial), to_device1(p.transition), 5)
    shown = [str(frontier_bounds(q, [3, 40])) for q in (p, exact, there)]
    assert shown == shown[:1] * 3


def test_memory_is_asked_for_before_it_is_taken(monkeypatch):
    monkeypatch.setenv("ZEROLOSS_MEMORY", "100000")
    with pytest.raises(TooLarge, match="gaps of up to 64 sites over 2 tokens"):
        frontier_bounds(gallery.binary_symmetric(64, 0.1), [1])


TWO = gallery.binary_symmetric(3, 0.1)


test_refused = refusals(
    ("p must be a Markov chain", lambda: frontier_bounds(gallery.parity(3), [1])),  # type: ignore
    ("multipliers must be a sequence, got 3", lambda: frontier_bounds(TWO, 3)),  # type: ignore
    (
        "multipliers must be a finite number between 1e-100 and 1e\\+100, got {}",
        lambda multiplier: frontier_bounds(TWO, [1, multiplier]),
        [0, -1, math.inf, True],
    ),
)


def test_prices_of_any_size():
    """Everything at once if a nat is worth nothing, the fewest rounds without loss if all."""
    cheap, dear = frontier_bounds(TWO, [1e-100, 1e100])
    assert (cheap.lower, cheap.upper, cheap.rounds) == (1, 1, 1)
    assert (dear.lower, dear.upper, dear.kl) == (2, 2, 0)


def test_no_multipliers_no_bounds():
    assert frontier_bounds(TWO, []) == []
