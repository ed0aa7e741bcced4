"""Figures of chains at real lengths: their numbers by hand, and against each other."""

import itertools
import math

import numpy as np
import pytest

from tests.noted import each

FLIP = 0.1
SITES = {
    "symmetric chain, 64 sites": 64,
    "symmetric chain, 256 sites": 256,
    "English, 64 words": 64,
    "golden-mean chain, 256 sites": 256,
}
SYMMETRIC = list(SITES)[:2]
AT_MOST = ("blocks", "spread out", "random order, equal sizes", "random order, best sizes")
AT_MOST += ("grid, then halves", "bisection")
"""Of these the rounds are what no path takes more of."""

DIGITS = 1e-9


def rows(panel, **those):
    table = [dict(zip(panel, row, strict=True)) for row in zip(*panel.values(), strict=True)]
    return [row for row in table if all(row[name] == value for name, value in those.items())]


def bits(share):
    """Entropy of a bit in nats."""
    return -sum(q * math.log(q) for q in (share, 1 - share) if q)


def flipped(distance):
    return (1 - (1 - 2 * FLIP) ** distance) / 2


def optimum(data, chain):
    found = rows(data["best_at_length"]["points"], chain=chain, family="optimum")
    return {row["rounds"]: row["nats"] for row in found}


# ---- the best possible decoder at 64 and 256 sites --------------------------------------------


@each("chain", SITES)
def test_no_decoder_loses_less_than_the_best_in_as_many_rounds(data, chain):
    best = optimum(data, chain)
    assert list(best.values()) == sorted(best.values(), reverse=True)
    assert list(best) == list(range(1, SITES[chain].bit_length() + 1))
    assert best[SITES[chain].bit_length()] == 0
    compared = 0
    for row in rows(data["best_at_length"]["points"], chain=chain):
        steps = row["setting"] if row["family"] == "ancestral steps" else row["rounds"]
        if row["family"] in (*AT_MOST, "ancestral steps") and steps <= len(best):
            assert row["nats"] >= best[steps] - 2 * DIGITS
            compared += 1
    assert compared > 50
    assert (
        best[1] == rows(data["best_at_length"]["points"], chain=chain, family="blocks")[-1]["nats"]
    )


@each("chain", SYMMETRIC)
def test_blocks_of_bits_by_hand(data, chain):
    """In the first block each further bit should know its neighbour; in later ones all but one."""
    for row in rows(data["best_at_length"]["points"], chain=chain, family="blocks"):
        size, sites = row["setting"], SITES[chain]
        later = [min(size, sites - start) for start in range(size, sites, size)]
        nats = (size - 1) * (math.log(2) - bits(FLIP))
        nats += sum(bits(flipped(j)) - bits(FLIP) for n in later for j in range(1, n + 1))
        assert row["nats"] == pytest.approx(nats, abs=DIGITS)
        assert row["rounds"] == 1 + len(later)


@each("chain", SYMMETRIC)
def test_a_grid_and_halves_by_hand_and_how_near_they_are_to_the_best(data, chain):
    best = optimum(data, chain)
    for row in rows(data["best_at_length"]["points"], chain=chain, family="grid, then halves"):
        gap, rounds = row["setting"], row["rounds"]
        assert gap == 2 ** (rounds - 1)
        pairs = SITES[chain] // gap - 1
        nats = pairs * (math.log(2) - bits(flipped(gap)))
        assert row["nats"] == pytest.approx(nats, abs=DIGITS)
        assert (row["nats"] <= best[rounds] + DIGITS) == (rounds not in (2, 3))


@each("chain", list(SITES)[2:])
def test_in_english_and_the_golden_mean_a_grid_and_halves_are_the_best_from_two_rounds_on(
    data, chain
):
    best = optimum(data, chain)
    grids = rows(data["best_at_length"]["points"], chain=chain, family="grid, then halves")
    for row in grids:
        assert row["nats"] == pytest.approx(best[row["rounds"]], abs=DIGITS)
    assert sum(row["nats"] > 1e-6 for row in grids) >= 3


@each("chain", SYMMETRIC)
def test_a_threshold_and_a_bound_on_bits_by_hand(data, chain):
    """Above 0.76 are the two bits after what is known. A nat are three, and two at first."""
    points, sites = data["best_at_length"]["points"], SITES[chain]
    (row,) = rows(points, chain=chain, family="threshold", setting=0.76)
    two, three = (bits(flipped(k)) - bits(FLIP) for k in (2, 3))
    assert row["rounds"] == pytest.approx(1 + math.ceil((sites - 1) / 2), abs=DIGITS)
    assert row["nats"] == pytest.approx((sites - 1) // 2 * two, abs=DIGITS)
    (row,) = rows(points, chain=chain, family="entropy bound", setting=1.0)
    triples, left = divmod(sites - 2, 3)
    assert left == 2
    nats = math.log(2) - bits(FLIP) + triples * (two + three) + two
    assert (row["rounds"], row["rounds_error"]) == (2 + triples, 0)
    assert 0 < row["nats_error"] < 0.05 * nats
    assert abs(row["nats"] - nats) < 4 * row["nats_error"]


def test_what_the_caption_says(data):
    compared = data["best_at_length"]["compared"]
    (name, *_) = SITES
    least = {(r["rounds"], r["family"]): r["least_nats"] for r in rows(compared, chain=name)}
    assert round(least[8, "blocks"], 1) == 16.6
    assert round(least[8, "random order, best sizes"], 2) == 1.60
    assert round(least[4, "optimum"], 3) == 0.099
    assert optimum(data, name)[7] == 0 < optimum(data, name)[6]


# ---- two errors --------------------------------------------------------------------------------

RATES = {
    64: (0.984, 0.875, 0.647, 0.405, 0.229, 0.122),
    32: (0.868, 0.642, 0.401, 0.226, 0.120, 0.062),
}
STEPS = (1, 2, 4, 8, 16, 32)
PHI = (1 + math.sqrt(5)) / 2
ONES = 1 / (1 + PHI**2)


def test_sequence_error_rates_at_length(data):
    """Three digits that were found by plain loops over gaps."""
    errors = data["two_errors"]["errors"]
    for sites, expected in RATES.items():
        found = [row["ser"] for row in rows(errors, sites=sites)]
        assert [round(rate, 3) for rate in found] == list(expected)
    for row in rows(errors, sites=64):
        assert 0.0641 < row["minus_log_valid"] / row["sites_over_steps"] < 0.0651


def test_one_step_writes_independent_bits(data):
    """Those without two adjacent ones are counted by powers of a matrix; entropies by hand."""
    for row in rows(data["two_errors"]["errors"], steps=1):
        sites = row["sites"]
        step = np.asarray([[1 - ONES, ONES], [1 - ONES, 0]])
        valid = np.asarray([1 - ONES, ONES]) @ np.linalg.matrix_power(step, sites - 1) @ np.ones(2)
        assert row["minus_log_valid"] == pytest.approx(-math.log(valid), rel=1e-8)
        lost = (sites - 1) * (bits(ONES) - (1 - ONES) * bits(1 / PHI))
        assert row["nats_per_token"] == pytest.approx(lost / sites, rel=1e-8)


def test_one_error_goes_by_sites_over_steps_and_the_other_by_steps(data):
    errors, (_, at_256) = (
        data["two_errors"]["errors"],
        data["two_errors"]["rate"]["minus_log_valid"],
    )
    for row in rows(errors):
        neighbours = (row["sites"] - 1) / row["steps"]
        assert row["minus_log_valid"] / neighbours == pytest.approx(at_256 / 256, rel=0.01)
        assert row["ser"] == pytest.approx(-math.expm1(-row["minus_log_valid"]), abs=1e-9)
    for steps in STEPS:
        nats = [row["nats_per_token"] for row in rows(errors, steps=steps)]
        assert nats == sorted(nats)
        assert nats[-1] < 1.03 * nats[0]


def test_the_rate_by_integration_over_time(data):
    """Two neighbours in one step at a uniform time t; the nearest known sites are geometric."""
    step = np.asarray([[1 / PHI, 1 / PHI**2], [1, 0]])
    power = [np.linalg.matrix_power(step, k) for k in range(100)]
    both = {}
    for a, b in itertools.product(range(1, 40), repeat=2):
        left, right = power[a][:, 1, None], power[b][None, 1, :]
        ends = np.asarray([1 - ONES, ONES])[:, None]
        across = power[a + 1 + b]
        first = left * power[b + 1][None, 1, :]
        second = power[a + 1][:, 1, None] * right
        both[a, b] = float(np.sum(ends * first * second / np.where(across > 0, across, 1)))
    nodes, weights = np.polynomial.legendre.leggauss(40)
    rate = 0.0
    for t, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        near = t * (1 - t) ** np.arange(39)
        near[-1] += (1 - t) ** 39  # from so far off a known site says nothing
        rate += weight * sum(near[a - 1] * near[b - 1] * lost for (a, b), lost in both.items())
    assert data["two_errors"]["rate"]["minus_log_valid"][0] == pytest.approx(rate, abs=2e-6)


def test_steps_that_are_needed(data):
    needed = data["two_errors"]["needed"]
    found = {(row["asked"], row["sites"]): row["steps"] for row in rows(needed)}
    for asked, expected in (
        ("sequences", (10, 20, 40, 80)),
        ("tokens", (10, 11, 11, 11)),
        ("bisection", (5, 6, 7, 8)),
    ):
        assert tuple(found[asked, sites] for sites in (16, 32, 64, 128)) == expected
    for row in rows(data["two_errors"]["errors"]):
        if ("sequences", row["sites"]) in found:
            enough = row["steps"] >= found["sequences", row["sites"]]
            assert (row["ser"] <= 0.1) == enough
            assert (row["nats_per_token"] <= 0.01) == (
                row["steps"] >= found["tokens", row["sites"]]
            )
