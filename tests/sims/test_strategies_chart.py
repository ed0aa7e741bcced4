"""The chart of inference strategies, and what is said about it."""

import dataclasses
import itertools
import math
from fractions import Fraction
from typing import Any, cast

import numpy as np
import pytest

from sims import frontier, joints, output_distribution, policies, regret
from sims.claims.e5_inference_strategies import (
    E5,
    _is_chain,
    any_sets_of_a_chain,
    blocks_of_a_chain,
)
from sims.claims.kit.joint_models import Independent
from sims.comparison.strategies import (
    FAMILIES,
    JOINTS,
    OPTIMUM,
    SELECTING,
    Row,
    SpreadOut,
    Strategy,
    chart,
    least,
    strategies,
)
from sims.comparison.verdict import verdict
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
    return {k: (p, *chart(p, _strategies(p))) for k, p in data.items()}


def _strategies(p):
    return list(strategies(p, np.random.default_rng(0)))


def test_every_row_is_what_the_decoder_gives(charts):
    p, rows, corners = charts["pairs"]
    decoders = {s.setting: s.decoder for s in _strategies(p)}
    found = frontier(p)
    assert [(float(c.rounds), float(c.kl)) for c in found] == [
        (float(c.rounds), float(c.kl)) for c in corners
    ]
    own = [row for row in rows if row.family == OPTIMUM]
    assert [(r.rounds, r.kl) for r in own] == [(float(c.rounds), float(c.kl)) for c in corners]
    assert {row.setting for row in rows if row.family != OPTIMUM} == set(decoders)
    for row in rows[len(own) :]:
        q = output_distribution(p, decoders[row.setting])
        assert row.kl == pytest.approx(q.kl, abs=1e-12)
        assert row.path_kl == pytest.approx(q.path_kl, abs=1e-12)
        assert row.regret == pytest.approx(regret(p, decoders[row.setting]), abs=1e-9)


@pytest.mark.parametrize("name", ["chain", "permutations", "latents", "pairs"])
def test_no_policy_that_selects_first_is_below_the_optimum(charts, name):
    rows = charts[name][1]
    coins = {"ancestral steps"} if name == "latents" else set()
    assert {row.family for row in rows} == set(FAMILIES) - {"others"} - coins
    for row in rows:
        if row.family in SELECTING:
            assert row.regret >= -1e-9
            assert row.knows == "nothing"
        if row.family == "energy":
            assert row.kl == pytest.approx(0, abs=1e-12)
        if row.family in JOINTS:
            assert row.knows != "nothing"
    assert any(row.regret < -1e-3 for row in rows if row.family in JOINTS)


def test_what_small_blocks_are_worth_depends_on_the_data(charts):
    chain, permutations, latents = (
        verdict(charts[name][1]) for name in ("chain", "permutations", "latents")
    )
    assert not chain.right
    assert chain.rivals["bisection"] == 0
    assert chain.rivals["spread out"] < chain.loss / 2
    assert chain.serial["bisection"] == 3
    assert chain.serial["small blocks"] == pytest.approx(7)
    assert permutations.right
    assert permutations.loss == pytest.approx(permutations.optimum)
    assert permutations.joints["projection"] == 0
    assert latents.right
    assert latents.loss == 0
    assert latents.serial["small blocks"] == latents.serial[OPTIMUM] == 2
    assert latents.larger_better == (3, 4)


def test_the_sentences_have_the_numbers(charts):
    """A chain of 7: ln 2 - h(.1) for the first pair, h(.18) - h(.1) for two, one bit alone."""

    def h(e):
        return -e * math.log(e) - (1 - e) * math.log(1 - e)

    loss = math.log(2) - h(0.1) + 2 * (h(0.18) - h(0.1))
    sentence = verdict(charts["chain"][1]).sentence
    assert sentence.startswith(
        f"Blocks of 2, each in one round, lose {loss:.3g} nats in 4 rounds; "
    )
    assert "bisection nothing" in sentence
    assert "without loss blocks of any kind need 7 rounds, bisection 3, the optimum 3" in sentence
    sentence = verdict(charts["permutations"][1]).sentence
    lost = 4 * math.log(4) - 2 * math.log(4) + 2 * math.log(2) - math.log(24)
    assert f"lose {lost:.3g} nats in 2 rounds; no family that selects first loses less" in sentence
    sentence = verdict(charts["latents"][1]).sentence
    assert sentence.endswith(
        "smaller is not always better, it counts where a block ends: blocks of 1, 2, 3, 4, 5, 6, 7 "
        "and 8 lose 0, 0, 0.347, 0, 0.562, 1.12, 1.69, 2.25 nats."
    )
    assert verdict(charts["latents"][1]).blocks[7] == pytest.approx(1.687, abs=5e-4)


def test_one_site_needs_one_round():
    p = gallery.binary_symmetric(1, 0.1)
    found = verdict(chart(p, _strategies(p))[0], 1)
    assert found.sentence == (
        "Blocks of 1, each in one round, lose nothing in 1 round; no family that selects first "
        "loses less, and the optimum is nothing; without loss blocks of any kind need 1 round, "
        "bisection 1, the optimum 1."
    )


def test_charts_that_say_nothing_about_blocks(charts):
    rows = charts["permutations"][1]
    anything: Any = [3]
    for wrong, size, match in (
        (rows, 9, "has blocks of 1, 2, 3 and 4 sites, not of 9"),
        (rows, 0, "size must be"),
        (anything, 2, "rows must be those of a chart, got 3"),
        ([], 2, "a chart of 0 rows that lacks optimum, small blocks, another family"),
        ([r for r in rows if r.family != OPTIMUM], 2, "lacks optimum says nothing"),
        ([r for r in rows if r.family != "small blocks"], 2, "lacks small blocks says"),
        (
            [r for r in rows if r.family in (OPTIMUM, "small blocks")],
            2,
            "lacks another family that selects first",
        ),
    ):
        with pytest.raises(InvalidInput, match=match):
            verdict(wrong, size)


def test_a_chart_without_what_loses_nothing():
    p = gallery.permutations(3)
    every = [s for s in _strategies(p) if s.setting in ("LeftToRight(2)", "TopK(2, 'confidence')")]
    rows, _ = chart(p, every)
    assert "without loss the optimum needs 3 rounds" in verdict(rows).sentence
    assert "drawn jointly" not in verdict(rows).sentence


def test_the_sentence_follows_the_numbers(charts):
    """Worse numbers for all others make blocks right, and better ones for blocks too."""
    rows = charts["chain"][1]
    worse = [
        dataclasses.replace(r, path_kl=r.path_kl + 10)
        if r.family in SELECTING and r.family != "small blocks"
        else r
        for r in rows
    ]
    assert verdict(worse).right
    assert "no family that selects first loses less" in verdict(worse).sentence
    assert not verdict(rows).right


def test_the_least_within_so_many_rounds():
    rows = [
        Row("position scores", "", rounds, kl, kl, 0.0, "") for rounds, kl in [(1, 3.0), (2, 1.0)]
    ]
    assert [least(rows, "position scores", r) for r in (0.5, 1, 1.5, 2)] == [math.inf, 3, 3, 1]
    assert least([Row("energy", "", 1, 1e-13, 1e-13, 0.0, "")], "energy", 1) == 0


@pytest.mark.parametrize("rounds", range(1, 7))
def test_spread_out_batches(rounds):
    """Sites of one remainder at a time, in the order of their reversed bits."""
    bits = max(1, math.ceil(math.log2(rounds))) if rounds > 1 else 1
    order = sorted(range(rounds), key=lambda k: f"{k:0{bits}b}"[::-1])

    def law(pattern, sites, prediction, index):
        first = next(r for r in order if any(i % rounds == r for i in sites))
        return [(slow.ONE, tuple(i for i in sites if i % rounds == first))]

    weights = np.random.default_rng(0).integers(1, 5, size=(2,) * 5)
    joint = oracles.table_joint(weights.tolist())
    p = JointTable(weights, exact=True)
    q = output_distribution(p, SpreadOut(rounds))
    expected = slow.expected_output(
        joint, 2, slow.Selecting(law), lambda x: oracles.conditional_marginals(joint, x, 2)
    )
    assert {x: q.table[x] for x in itertools.product(range(2), repeat=5)} == expected.table
    assert q.rounds == expected.rounds


def test_decoders_of_ones_own():
    p, table = gallery.coupled_pairs(1), cast(Any, [[0.5, 0.5]])
    rows, _ = chart(p, [policies.LeftToRight(2), lambda x, predictions: x == oracles.MASK])
    assert [(row.family, row.setting) for row in rows[-2:]] == [
        ("others", "LeftToRight(2)"),
        ("others", "Rule(<lambda>)"),
    ]
    with pytest.raises(InvalidInput, match="policy must be a Policy or a function"):
        chart(p, [3])
    with pytest.raises(InvalidInput, match="p must be a Distribution"):
        chart(table, [])
    with pytest.raises(InvalidInput, match="rounds must be"):
        SpreadOut(0)


@pytest.mark.parametrize(
    "build",
    [
        lambda exact: gallery.permutations(3, exact=exact),
        lambda exact: gallery.parity(4, exact=exact),
        lambda exact: gallery.binary_symmetric(4, Fraction(1, 10) if exact else 0.1, exact=exact),
    ],
)
def test_exact_distributions_have_no_laws_that_are_fitted_and_no_coins(build):
    """The whole chart of the others has the numbers of the floats."""
    p = build(True)
    every = _strategies(p)
    without = {OPTIMUM, "mixture", "projection", "ancestral steps", "others"}
    assert {s.family for s in every} == set(FAMILIES) - without
    assert all(isinstance(s, Strategy) for s in every)
    for s in every:
        if s.family == "energy":
            assert output_distribution(p, s.decoder).kl == 0
    rows, _ = chart(p, every)
    floats = {r.setting: r for r in chart(build(False), _strategies(build(False)))[0]}
    shared = [r for r in rows if r.setting in floats and r.family != OPTIMUM]
    assert len(shared) >= len(every) - p.length  # the schedules may differ
    for row in shared:
        assert row.path_kl == pytest.approx(floats[row.setting].path_kl, abs=1e-9)
        assert row.rounds == pytest.approx(floats[row.setting].rounds, abs=1e-9)
    assert verdict(rows).loss == pytest.approx(verdict(list(floats.values())).loss)


# The checks of the claim


@pytest.mark.parametrize("residual", [blocks_of_a_chain, any_sets_of_a_chain])
def test_a_wrong_projection_is_seen(monkeypatch, residual):
    """Links are left out in the class itself, not in one that is planted."""
    monkeypatch.setattr(joints.Projection, "_reference", Independent._reference)
    check = next(c for c in E5.checks if c.residual is residual)
    assert not E5.run(check, examples=60).passed


def test_which_tables_are_chains():
    tenth = Fraction(1, 10)
    for p, chain in (
        (gallery.binary_symmetric(4, tenth, exact=True), True),
        (gallery.binary_symmetric(1, tenth, exact=True), True),
        (gallery.binary_symmetric(4, 0.1), True),
        (gallery.permutations(2, exact=True), True),  # two sites always are
        (gallery.parity(3, exact=True), False),
        (gallery.permutations(3), False),
    ):
        assert _is_chain(p) is chain


@pytest.mark.parametrize("check", E5.checks, ids=lambda c: c.name)
def test_the_checks_of_the_claim_pass_and_reject(check):
    assert E5.run(check, examples=5).passed
    assert not E5.run(check, examples=200, planted=True).passed
