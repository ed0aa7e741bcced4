"""Reveal orders against all paths of a decoder, one by one, with ties in all orders."""

import functools
import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import scipy.stats

from sims import decode, output_distribution, policies
from sims.order.distribution import orders as all_orders
from sims.order.statistics import order, order_of
from tests import oracles
from tests.cases import XOR, build_exact, chain, table
from tests.noted import each, refusals
from tests.sims import policy_oracles as slow
from tests.sims.policy_table import HALF, THIRD, one_of_each, zero_loss
from theory import (
    MASK,
    EmpiricalDistribution,
    InvalidInput,
    JointTable,
    gallery,
)


def prompts(case, observed):
    """(probability, pattern) of all that the data show at the observed sites."""
    for tokens, probability in oracles.marginal(case.joint, observed).items():
        if probability:
            yield probability, oracles.reveal((MASK,) * case.length, observed, tokens)


def paths(pattern, decoder, ask, vocab, index=0):
    """(probability, list of the sets that are revealed, sequence) of everything that can happen."""
    if MASK not in pattern:
        yield Fraction(1), [], pattern
        return
    decoder = slow.from_start(decoder, pattern) if index == 0 else decoder
    for probability, after, _ in decoder.follow(pattern, ask, index, vocab):
        if probability == 0:
            continue
        revealed = [i for i, v in enumerate(after) if v != MASK and pattern[i] == MASK]
        for share, rest, end in paths(after, decoder, ask, vocab, index + 1):
            yield probability * share, [revealed, *rest], end


@functools.cache
def all_paths(case, number, observed):
    """(policy, paths from all prompts) of a row of the table."""
    policy, decoder = rows_of(case, observed)[number]
    ask, counted_from = slow.asking(zero_loss(case)), isinstance(policy, policies.Blocks)
    return policy, [
        (probability * share, sets, end)
        for probability, start in prompts(case, observed)
        for share, sets, end in paths(
            start, slow.behind(decoder, start) if counted_from else decoder, ask, case.vocab
        )
    ]


def orders(sets):
    """All orders of the sites, those of one set in any order."""
    return [
        [i for part in parts for i in part]
        for parts in itertools.product(*(itertools.permutations(s) for s in sets))
    ]


def kendall(ranks):
    pairs = list(itertools.combinations(range(len(ranks)), 2))
    signs = sum(1 if ranks[a] < ranks[b] else -1 for a, b in pairs)
    return Fraction(signs, len(pairs))


def spearman(ranks):
    n, middle = len(ranks), Fraction(len(ranks) - 1, 2)
    products = sum((j - middle) * (r - middle) for j, r in enumerate(ranks))
    return products * 12 / (n * (n * n - 1))


def runs(known):
    return sum(1 for i in known if i - 1 not in known)


def of_path(sets, sites, observed):
    """The measures of one path."""
    every = orders(sets)
    ranks = [[found.index(i) for i in sites] for found in every]
    known, beside, orderly, islands = set(observed), 0, True, [runs(set(observed))]
    masked = list(sites)
    for part in sets:
        beside += sum(i - 1 in known or i + 1 in known for i in part)
        orderly &= set(part) == set(masked[: len(part)])
        masked = [i for i in masked if i not in part]
        known |= set(part)
        islands.append(runs(known))
    return {
        "kendall": Fraction(sum(map(kendall, ranks)), len(ranks)) if len(sites) > 1 else None,
        "spearman": sum(map(spearman, ranks)) / len(ranks) if len(sites) > 1 else None,
        "adjacent": Fraction(beside, len(sites)),
        "left_to_right": int(orderly),
        "runs": islands,
        "revealed": [[int(i in part) for i in sites] for part in sets],
    }


def expected(found, sites, observed):
    """Means over all paths."""
    weighted = [(probability, of_path(sets, sites, observed)) for probability, sets, _ in found]
    rounds = max(len(measures["revealed"]) for _, measures in weighted)
    totals = dict.fromkeys(("kendall", "spearman", "adjacent", "left_to_right"), 0)
    islands, revealed = [0] * (rounds + 1), np.zeros((rounds, len(sites)), dtype=object)
    for probability, measures in weighted:
        for name in totals:
            totals[name] += probability * (measures[name] or 0)
        last = measures["runs"][-1]
        for t in range(rounds + 1):
            islands[t] += probability * (measures["runs"][t] if t < len(measures["runs"]) else last)
        for t, row in enumerate(measures["revealed"]):
            revealed[t] += probability * np.asarray(row, dtype=object)
    return totals, islands, revealed


# Against all paths

STEPS = [[Fraction(1, 4), Fraction(3, 4)], [HALF, HALF]]
WALK = {x: Fraction(v) for x, v in np.ndenumerate(gallery.walk(2, exact=True).table())}
DATA = {
    "xor": table("", XOR),
    "walk": table("", [[WALK[a, b] for b in range(3)] for a in range(3)]),
    "table": table("", [[[3, 1], [2, 5]], [[1, 1], [4, 2]]]),
    "chain": chain("", [THIRD, 2 * THIRD], STEPS, 4),
}


def rows_of(case, observed):
    """Those that have an order, where so many sites are observed."""
    pairs = one_of_each(case.length, case.vocab, case.length - len(observed))
    return [(policy, decoder) for policy, decoder in pairs if has_an_order(policy)]


def has_an_order(policy):
    """None where tokens are drawn again; a table is for whole sequences, without a prompt."""
    return not policy.remasks and not isinstance(policy, policies.Tabulated)


COUNT = len(rows_of(DATA["xor"], ()))
TRIED = [(name, number) for k, name in enumerate(DATA) for number in range(k % 2, COUNT, 2)]


@each(("name", "number"), TRIED)
@each("observed", [(), (0,), (1,)])
def test_against_all_paths(name, number, observed):
    """The order, the distribution of orders, and what is written from prompts."""
    case = DATA[name]
    policy, found = all_paths(case, number, observed)
    p = build_exact(case)
    sites = tuple(i for i in range(p.length) if i not in observed)
    assert_order(order(p, policy, observed=observed), sites, *expected(found, sites, observed))
    probabilities, table = {}, np.zeros((p.vocab,) * p.length, dtype=object)
    for probability, sets, end in found:
        key = tuple(tuple(part) for part in sets if part)  # steps that reveal nothing leave no set
        probabilities[key] = probabilities.get(key, 0) + probability
        table[end] += probability
    distribution = all_orders(p, policy, observed=observed)
    assert distribution == probabilities
    assert list(distribution.values()) == sorted(distribution.values(), reverse=True)
    written = output_distribution(p, policy, observed=observed)
    assert (written.table == table).all()
    assert sum(written.rounds.values()) == 1


def assert_order(found, sites, totals, islands, revealed):
    assert found.sites == sites
    assert (found.adjacent, found.left_to_right) == (totals["adjacent"], totals["left_to_right"])
    if len(sites) > 1:
        assert (found.kendall, found.spearman) == (totals["kendall"], totals["spearman"])
    else:
        assert math.isnan(found.kendall)
        assert math.isnan(found.spearman)
    assert found.runs.tolist() == islands[: len(found.runs)]
    assert len(set(islands[len(found.runs) - 1 :])) == 1
    assert found.revealed.tolist() == revealed[: len(found.revealed)].tolist()
    assert not revealed[len(found.revealed) :].any()


def test_leaving_the_order_and_coming_back_counts_once():
    """Sites 1, 0, 3, 2: after two and after four rounds it looks like left to right."""

    def twisted(x, predictions):
        count = (x != MASK).sum(axis=1)
        return np.arange(4) == np.asarray([1, 0, 3, 2])[count][:, None]

    found = order(gallery.parity(4, exact=True), twisted)
    assert found.left_to_right == 0
    assert found.kendall == Fraction(1, 3)  # 4 of 6 pairs
    assert found.spearman == Fraction(3, 5)  # 1 - 6 * 4 / 60
    assert found.runs.tolist() == [0, 1, 1, 2, 1]


@pytest.mark.parametrize("observed", [(), range(2)])
def test_trajectories_are_drawn_from_the_exact_order(observed):
    p, policy = gallery.walk(4), policies.TopK(1)
    exact = order(p, policy, observed=observed)
    written = decode(p, policy, np.random.default_rng(0), 4000, trajectory=True, observed=observed)
    found = order_of(written, observed)
    for name in ("kendall", "spearman", "adjacent", "left_to_right"):
        assert getattr(found, name) == pytest.approx(getattr(exact, name), abs=0.05)
    np.testing.assert_allclose(found.revealed, exact.revealed, atol=0.05)
    np.testing.assert_allclose(found.runs, exact.runs, atol=0.05)


def test_trajectories_one_by_one():
    """Against SciPy's correlations of single sequences, whose ties are none."""
    p = gallery.binary_symmetric(30, 0.2)
    written = decode(p, policies.FirstHitting(), np.random.default_rng(0), 5, trajectory=True)
    ranks = np.argsort(written.order, axis=1)
    found = order_of(written)
    stats: Any = scipy.stats
    tau = np.mean([stats.kendalltau(range(30), r).statistic for r in ranks])
    rho = np.mean([stats.spearmanr(range(30), r).statistic for r in ranks])
    assert found.kendall == pytest.approx(tau)
    assert found.spearman == pytest.approx(rho)
    assert found.left_to_right == 0


def test_what_was_observed_has_to_fit_the_trajectories():
    p, rng = gallery.walk(3), np.random.default_rng(0)
    prompted = decode(p, policies.LeftToRight(), rng, 4, trajectory=True, observed=[2])
    blank = decode(p, policies.LeftToRight(), rng, 4, trajectory=True)
    for written, observed in [(prompted, ()), (prompted, [0]), (blank, [0, 1]), (blank, [0, 1, 2])]:
        with pytest.raises(InvalidInput, match="but a trajectory starts with"):
            order_of(written, observed)


def test_temperature_zero_stays_exact():
    """The likeliest tokens are 0 and 1, in the numbers of the predictions."""
    p = JointTable([[[2, 0], [0, 1]], [[1, 1], [0, 3]]], exact=True)
    found = order(p, policies.Speculative(), 0)
    assert (found.kendall, found.left_to_right) == (Fraction(2, 3), 1)
    assert not isinstance(found.kendall, float)
    assert output_distribution(p, policies.Speculative(), 0).table[1, 1, 1] == 1
    tables = {type(v) for v in output_distribution(p, policies.Speculative(), 0).table.ravel()}
    assert float not in tables


P = gallery.parity(3)
REMASK = policies.Remask((0, THIRD, 2 * THIRD, 1), 1)
GIBBS = policies.GibbsCorrector(policies.LeftToRight(), 1)


def decoded(policy, size=2, **options):
    return decode(P, policy, np.random.default_rng(0), size, **options)


test_refusals = refusals(
    ("takes tokens back|remasks", lambda policy: order(P, policy), [REMASK, GIBBS]),
    ("takes tokens back|remasks", lambda: all_orders(P, GIBBS)),
    ("taken back|remasked", lambda: order_of(decoded(REMASK, 50, trajectory=True))),
    ("nothing is left to write", lambda: order(P, policies.TopK(1), observed=range(3))),
    ("nothing is left", lambda: all_orders(P, policies.TopK(1), observed=range(3))),
    ("observed must lie in", lambda: order(P, policies.TopK(1), observed=[3])),
    ("sum to the length 2", lambda: order(P, policies.RandomOrder((3,)), observed=[0])),
    ("Distribution", lambda p: order(p, policies.TopK(1)), [P.table()]),
    ("states were not kept", lambda: order_of(decoded(policies.TopK(1)))),
)


def test_orders_in_floats():
    p = gallery.walk(3)
    found = all_orders(p, policies.TopK(1))
    assert sum(found.values()) == pytest.approx(1)
    assert {type(probability) for probability in found.values()} == {float}


def test_orders_of_a_table_whose_lattice_does_not_fit(monkeypatch):
    """Two ways to go on, by the bit that the first round reveals."""
    monkeypatch.setenv("ZEROLOSS_MEMORY", str(2**29))
    p = EmpiricalDistribution([[0] * 20, [1] * 20, [1] * 20, [1] * 20])

    def by_the_first(x, predictions):
        right = np.arange(20) > 9
        first = np.where(x[:, :1] == 1, right, ~right)
        masked = x == MASK
        chosen = masked & np.where(x[:, :1] == MASK, np.arange(20) == 0, first)
        return np.where(chosen.any(axis=1, keepdims=True), chosen, masked)

    left, right = tuple(range(1, 10)), tuple(range(10, 20))
    found = all_orders(p, by_the_first)
    assert found == {((0,), right, left): 0.75, ((0,), left, right): 0.25}


# Prompts


def test_drawn_from_prompts():
    p = gallery.walk(3)
    exact = output_distribution(p, policies.LeftToRight(2), observed=[1])
    drawn = decode(p, policies.LeftToRight(2), np.random.default_rng(0), 4000, observed=[1]).tokens
    counts = np.zeros(exact.table.shape)
    np.add.at(counts, tuple(drawn.T), 1 / len(drawn))
    np.testing.assert_allclose(counts, exact.table, atol=0.03)


def decoding(policy):
    return output_distribution(gallery.parity(3), policies.Mirrored(policy))


test_what_cannot_be_mirrored = refusals(
    ("must select sites before it draws", policies.Mirrored, [3]),
    ("must select sites before it draws", policies.Mirrored, [policies.TokenConfidence(1)]),
    ("must select sites before it draws", policies.Mirrored, [policies.Remask((0, 1))]),
    ("the policy returned list", decoding, [lambda x, predictions: [[True]]]),
    ("sum to the length", decoding, [policies.RandomOrder((2,))]),
)


@pytest.mark.parametrize("policy", [policies.LeftToRight(), policies.LeftToRight(3)])
def test_left_to_right_in_floats(policy):
    """In one round all orders are equally likely, and yet nothing but the left is revealed."""
    found = order(gallery.walk(3), policy)
    assert found.left_to_right == pytest.approx(1, abs=1e-12)
    one_by_one = float(policy.k == 1)
    assert found.kendall == pytest.approx(one_by_one, abs=1e-12)
    assert found.spearman == pytest.approx(one_by_one, abs=1e-12)
