"""Reveal orders against all paths of a decoder, one by one, with ties in all orders."""

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
from tests.noted import each
from tests.sims import policy_oracles as slow
from theory import (
    MASK,
    EmpiricalDistribution,
    InvalidInput,
    JointTable,
    MarkovChain,
    gallery,
)

HALF, THIRD = Fraction(1, 2), Fraction(1, 3)


def paths(pattern, decoder, ask, vocab, index=0):
    """(chance, list of the sets that are revealed) of everything that can happen."""
    if MASK not in pattern:
        yield Fraction(1), []
        return
    for chance, after, _ in decoder.follow(pattern, ask, index, vocab):
        if chance == 0:
            continue
        revealed = [i for i, v in enumerate(after) if v != MASK and pattern[i] == MASK]
        for share, rest in paths(after, decoder, ask, vocab, index + 1):
            yield chance * share, [revealed, *rest]


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


def expected(joint, vocab, decoder, observed):
    """Means over all paths from all prompts."""
    length = oracles.length_of(joint)
    sites = [i for i in range(length) if i not in observed]

    def predict(pattern):
        if oracles.evidence(joint, pattern) == 0:
            return oracles.site_marginals(joint, vocab)
        return oracles.conditional_marginals(joint, pattern, vocab)

    ask = slow.asking(predict)
    weighted = []
    for tokens, chance in oracles.marginal(joint, observed).items():
        start = oracles.reveal((MASK,) * length, observed, tokens)
        if chance:
            weighted += [(chance * s, of_path(sets, sites, observed))
                         for s, sets in paths(start, decoder, ask, vocab)]  # fmt: skip
    rounds = max(len(found["revealed"]) for _, found in weighted)
    totals = dict.fromkeys(("kendall", "spearman", "adjacent", "left_to_right"), 0)
    islands, revealed = [0] * (rounds + 1), np.zeros((rounds, len(sites)), dtype=object)
    for chance, found in weighted:
        for name in totals:
            totals[name] += chance * (0 if found[name] is None else found[name])
        last = found["runs"][-1]
        for t in range(rounds + 1):
            islands[t] += chance * (found["runs"][t] if t < len(found["runs"]) else last)
        for t, row in enumerate(found["revealed"]):
            revealed[t] += chance * np.asarray(row, dtype=object)
    return totals, islands, revealed


DECODERS = [
    (policies.LeftToRight(), slow.Selecting(slow.left_to_right(1))),
    (policies.LeftToRight(2), slow.Selecting(slow.left_to_right(2))),
    (policies.FirstHitting(), slow.Selecting(slow.first_hitting)),
    (policies.TopK(1), slow.Selecting(slow.top_k(1, "confidence"))),
    (policies.TopK(2, "margin"), slow.Selecting(slow.top_k(2, "margin"))),
    (policies.Threshold(0.6), slow.Selecting(slow.threshold(0.6))),
    (policies.Bisection(), slow.Selecting(slow.bisection)),
    (policies.Bernoulli((0, THIRD, 1)), slow.Selecting(slow.bernoulli((0, THIRD, 1)), steps=2)),
    (policies.TokenConfidence(1), slow.Drawing(slow.token_confidence(1))),
    (policies.TokenConfidence(2), slow.Drawing(slow.token_confidence(2))),
    (policies.Speculative(), slow.Drawing(slow.speculative())),
]
each_decoder = pytest.mark.parametrize("pair", DECODERS, ids=lambda pair: repr(pair[0]))


def data(name):
    """(distribution, joint, vocabulary), exact."""
    if name == "chain":
        steps = [[Fraction(1, 4), Fraction(3, 4)], [HALF, HALF]]
        p = MarkovChain([THIRD, 2 * THIRD], steps, 4, exact=True)
    elif name == "table":
        weights = np.asarray([3, 1, 2, 5, 1, 1, 4, 2]).reshape(2, 2, 2)
        p = JointTable(weights, exact=True)
    else:
        p = {"xor": gallery.parity(3, exact=True), "walk": gallery.walk(2, exact=True)}[name]
    return p, {x: Fraction(v) for x, v in np.ndenumerate(p.table())}, p.vocab


@each_decoder
@each("name", ["xor", "walk", "table", "chain"])
@each("observed", [(), (0,), (1,)])
def test_against_all_paths(pair, name, observed):
    ours, theirs = pair
    p, joint, vocab = data(name)
    found = order(p, ours, observed=observed)
    totals, islands, revealed = expected(joint, vocab, theirs, observed)
    count = p.length - len(observed)
    assert found.sites == tuple(i for i in range(p.length) if i not in observed)
    assert (found.adjacent, found.left_to_right) == (totals["adjacent"], totals["left_to_right"])
    if count > 1:
        assert (found.kendall, found.spearman) == (totals["kendall"], totals["spearman"])
    else:
        assert math.isnan(found.kendall)
        assert math.isnan(found.spearman)
    assert found.runs.tolist() == islands[: len(found.runs)]
    assert len(set(islands[len(found.runs) - 1 :])) == 1
    assert found.revealed.tolist() == revealed[: len(found.revealed)].tolist()
    assert not revealed[len(found.revealed) :].any()


@pytest.mark.parametrize("policy", [policies.LeftToRight(), policies.LeftToRight(3)])
def test_left_to_right_in_floats(policy):
    """In one round all orders are equally likely, and yet nothing but the left is revealed."""
    found = order(gallery.walk(3), policy)
    assert found.left_to_right == pytest.approx(1, abs=1e-12)
    one_by_one = float(policy.k == 1)
    assert found.kendall == pytest.approx(one_by_one, abs=1e-12)
    assert found.spearman == pytest.approx(one_by_one, abs=1e-12)


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


def test_prompts_are_drawn_from_the_data():
    """A bit in the middle decides all others; it is given, so it is not written."""
    p = gallery.repeated_bit(5)
    written = decode(p, policies.LeftToRight(), np.random.default_rng(0), 50, observed=[2])
    assert (written.tokens == written.tokens[:, :1]).all()
    assert 10 < written.tokens[:, 0].sum() < 40
    assert (written.rounds == 4).all()


@pytest.mark.parametrize(
    ("ask", "match"),
    [
        (lambda p: order(p, policies.Remask((0, HALF, 1), 1)), "remasks"),
        (lambda p: order(p, policies.GibbsCorrector(policies.LeftToRight(), 1)), "remasks"),
        (lambda p: order(p, policies.TopK(1), observed=range(3)), "nothing is left to write"),
        (lambda p: order(p, policies.TopK(1), observed=[3]), "observed must lie in"),
        (lambda p: order(p, policies.RandomOrder((3,)), observed=[0]), "sum to the length 2"),
        (lambda p: order(p.table(), policies.TopK(1)), "Distribution"),
        (
            lambda p: order_of(decode(p, policies.TopK(1), np.random.default_rng(0), 2)),
            "states were not kept",
        ),
        (
            lambda p: order_of(
                decode(
                    p,
                    policies.Remask((0, THIRD, 2 * THIRD, 1), 1),
                    np.random.default_rng(0),
                    50,
                    trajectory=True,
                )
            ),
            "remasked",
        ),
        (
            lambda p: decode(
                p, policies.Remask((0, HALF, 1), 1), np.random.default_rng(0), 2, observed=[0]
            ),
            "remasks",
        ),
    ],
)
def test_refusals(ask, match):
    with pytest.raises(InvalidInput, match=match):
        ask(gallery.parity(3))


@each_decoder
@each("name", ["xor", "walk", "table", "chain"])
@each("observed", [(), (1,)])
def test_the_distribution_of_orders(pair, name, observed):
    """Every sequence of sets with its chance; steps that reveal nothing leave no set."""
    ours, theirs = pair
    p, joint, vocab = data(name)

    def predict(pattern):
        if oracles.evidence(joint, pattern) == 0:
            return oracles.site_marginals(joint, vocab)
        return oracles.conditional_marginals(joint, pattern, vocab)

    chances = {}
    for tokens, chance in oracles.marginal(joint, observed).items():
        start = oracles.reveal((MASK,) * p.length, observed, tokens)
        if chance:
            for share, sets in paths(start, theirs, slow.asking(predict), vocab):
                key = tuple(tuple(part) for part in sets if part)
                chances[key] = chances.get(key, 0) + chance * share
    found = all_orders(p, ours, observed=observed)
    assert found == chances
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_orders_in_floats_and_refusals():
    p = gallery.walk(3)
    found = all_orders(p, policies.TopK(1))
    assert sum(found.values()) == pytest.approx(1)
    assert {type(chance) for chance in found.values()} == {float}
    with pytest.raises(InvalidInput, match="remasks"):
        all_orders(p, policies.GibbsCorrector(policies.LeftToRight(), 1))
    with pytest.raises(InvalidInput, match="nothing is left"):
        all_orders(p, policies.TopK(1), observed=range(3))


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
