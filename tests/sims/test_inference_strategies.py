"""The families of inference strategies, and what they lose on known data."""

import itertools
import math

import numpy as np
import pytest

from sims import output_distribution
from sims.comparison.compare import compare
from sims.comparison.strategies import (
    BLOCKS,
    FAMILIES,
    JOINTS,
    SELECTING,
    SpreadOut,
    strategies,
)
from tests import oracles
from tests.sims import policy_oracles as slow
from theory import JointTable, gallery
from theory.errors import InvalidInput


@pytest.fixture(scope="module")
def charts():
    clauses = [(0, 1, 2), (1, 2, 3), (0, 2, 3), (0, 1, 3)]
    data = {
        "chain": gallery.binary_symmetric(7, 0.1),
        "permutations": gallery.permutations(4),
        "latents": gallery.nae_sat(4, clauses),
        "pairs": gallery.coupled_pairs(2),
    }
    return {name: chart(p) for name, p in data.items()}


def _strategies(p):
    return list(strategies(p, np.random.default_rng(0)))


def chart(p):
    """Every strategy with its row, and the optimum."""
    every = _strategies(p)
    found = compare(p, [s.decoder for s in every])
    return list(zip(every, found.rows, strict=True)), found.serial


def test_joints_draw_blocks_of_every_size_from_two(charts):
    rows, _ = charts["permutations"]
    sizes = {s.decoder.inner.k for s, _ in rows if s.family == "energy"}
    assert sizes == set(range(2, 5))


def least(rows, family, rounds):
    within = [r.judged for s, r in rows if s.family == family and r.rounds <= rounds + 1e-9]
    return min(within, default=math.inf)


@pytest.mark.parametrize("name", ["chain", "permutations", "latents", "pairs"])
def test_no_policy_that_selects_first_is_below_the_optimum(charts, name):
    rows, _ = charts[name]
    coins = {"ancestral steps"} if name == "latents" else set()
    assert {s.family for s, _ in rows} == set(FAMILIES) - coins
    for strategy, row in rows:
        if strategy.family in SELECTING:
            assert row.regret >= -1e-9
            assert strategy.knows == "nothing"
        if strategy.family == "energy":
            assert row.kl == pytest.approx(0, abs=1e-12)
        if strategy.family in JOINTS:
            assert strategy.knows != "nothing"
    assert any(row.regret < -1e-3 for strategy, row in rows if strategy.family in JOINTS)


def test_what_small_blocks_are_worth_depends_on_the_data(charts):
    """A chain of 7: ln 2 - h(.1) for the first pair, h(.18) - h(.1) for two, one bit alone."""

    def h(e):
        return -e * math.log(e) - (1 - e) * math.log(1 - e)

    chain, permutations, latents = (
        {row.decoder: row for s, row in charts[name][0] if s.family == BLOCKS}
        for name in ("chain", "permutations", "latents")
    )
    pairs = chain["LeftToRight(2)"]
    assert pairs.rounds == 4
    assert pairs.judged == pytest.approx(math.log(2) - h(0.1) + 2 * (h(0.18) - h(0.1)))
    rows, serial = charts["chain"]
    assert least(rows, "bisection", 3) == pytest.approx(0, abs=1e-12)
    assert serial.rounds == pytest.approx(3)
    assert 0 < least(rows, "spread out", 4) < pairs.judged / 2
    assert min(row.rounds for row in chain.values() if row.judged < 1e-9) == pytest.approx(7)
    pairs = permutations["LeftToRight(2)"]
    lost = 4 * math.log(4) - 2 * math.log(4) + 2 * math.log(2) - math.log(24)
    assert pairs.judged == pytest.approx(lost)
    for family in SELECTING:
        assert least(charts["permutations"][0], family, 2) >= lost - 1e-9
    assert least(charts["permutations"][0], "projection", 2) == pytest.approx(0, abs=1e-9)
    losses = [latents[f"LeftToRight({b})"].judged for b in range(1, 9)]
    expected = [0, 0, 0.347, 0, 0.562, 1.12, 1.687, 2.25]
    assert losses == pytest.approx(expected, abs=5e-3)
    assert charts["latents"][1].rounds == pytest.approx(latents["LeftToRight(4)"].rounds) == 2


@pytest.mark.parametrize("rounds", range(1, 7))
def test_spread_out_batches(rounds):
    """Sites of one remainder at a time, in the order of their reversed bits."""
    bits = max(1, math.ceil(math.log2(rounds))) if rounds > 1 else 1
    order = sorted(range(rounds), key=lambda k: f"{k:0{bits}b}"[::-1])

    def choice(pattern, sites, prediction, index):
        first = next(r for r in order if any(i % rounds == r for i in sites))
        return [(slow.ONE, tuple(i for i in sites if i % rounds == first))]

    weights = np.random.default_rng(0).integers(1, 5, size=(2,) * 5)
    joint = oracles.table_joint(weights.tolist())
    p = JointTable(weights, exact=True)
    q = output_distribution(p, SpreadOut(rounds))
    expected = slow.expected_output(
        joint, 2, slow.Selecting(choice), lambda x: oracles.conditional_marginals(joint, x, 2)
    )
    assert {x: q.table[x] for x in itertools.product(range(2), repeat=5)} == expected.table
    assert q.rounds == expected.rounds


def test_exact_distributions_have_nothing_that_is_fitted_and_no_coins():
    every = _strategies(gallery.parity(4, exact=True))
    assert {s.family for s in every} == set(FAMILIES) - {"mixture", "projection", "ancestral steps"}


def test_wrong_arguments():
    with pytest.raises(InvalidInput, match="p must be a Distribution"):
        _strategies([[0.5, 0.5]])
    with pytest.raises(InvalidInput, match="rounds must be"):
        SpreadOut(0)
