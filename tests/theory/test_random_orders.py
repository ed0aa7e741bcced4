"""Entropies along random orders: each family's own way against predictions of whole patterns."""

import itertools
import math

import numpy as np
import pytest

from tests.cases import CASES, EXACT_CASES, build_exact, each_case, each_of, few, to_device1
from tests.noted import each
from theory import (
    MASK,
    EmpiricalDistribution,
    HiddenMarkovModel,
    MarkovChain,
    information,
)
from theory._markov.random_orders import states_along
from theory.distributions.random_orders import entropies_along, neighbours_along

ORDERS = {n: few(itertools.permutations(range(n)), 8) for n in range(1, 7)}


def questions(case):
    """Sequences that are possible, each with some orders."""
    sequences = few([x for x in case.possible if MASK not in x], 12)
    pairs = list(itertools.product(sequences, ORDERS[case.length]))
    return tuple(np.array(part, dtype=np.int64) for part in zip(*pairs, strict=True))


def by_definition(case, sequences, order):
    """The entropy of the conditional marginal at the next site, from the joint."""
    found = []
    for x, sites in zip(sequences.tolist(), order.tolist(), strict=True):
        for j, site in enumerate(sites):
            seen = tuple(v if i in sites[:j] else MASK for i, v in enumerate(x))
            row = case.conditionals[seen][site]
            found.append(-sum(float(v) * math.log(v) for v in row if v))
    return np.reshape(found, order.shape)


def with_whole_predictions(p, sequences, order):
    """What it replaced: predictions of all sites, of which one is looked at."""
    rank = np.argsort(order, axis=1)
    found, rows = np.empty(order.shape), np.arange(len(order))
    for j in range(p.length):
        x = np.where(rank < j, sequences, MASK)
        predicted = np.asarray(p.denoise(x), dtype=float)[rows, order[:, j]]
        logs = np.log(predicted, where=predicted > 0, out=np.zeros_like(predicted))
        found[:, j] = -(predicted * logs).sum(axis=1)
    return found


@each_case
def test_every_family_by_definition(case):
    sequences, order = questions(case)
    expected = by_definition(case, sequences, order)
    found = entropies_along(case.build(), sequences, order)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@each_of(EXACT_CASES)
def test_every_exact_family(case):
    sequences, order = questions(case)
    found = entropies_along(build_exact(case), sequences, order)
    np.testing.assert_allclose(found, by_definition(case, sequences, order), rtol=0, atol=1e-12)


@each_of(CASES[::2])
def test_on_another_device(case):
    sequences, order = questions(case)
    found = entropies_along(case.build(to_device1), sequences, order)
    assert isinstance(found, np.ndarray)
    expected = entropies_along(case.build(), sequences, order)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def chain_of(length, vocab, rng):
    return MarkovChain(rng.dirichlet(np.ones(vocab)), rng.dirichlet(np.ones(vocab), vocab), length)


def hidden(length, states, vocab, rng, zeros):
    """With zeros in the transition matrix it steps to the next state or stays."""
    transition = rng.dirichlet(np.ones(states), states)
    if zeros:
        transition = np.eye(states) * 0.75 + np.roll(np.eye(states), 1, axis=1) * 0.25
    emission = rng.dirichlet(np.ones(vocab), states)
    return HiddenMarkovModel(rng.dirichlet(np.ones(states)), transition, emission, length)


RNG = np.random.default_rng(0)
LONG = {
    "chain": chain_of(40, 5, RNG),
    "golden mean": MarkovChain([0.5, 0.5], [[0.6, 0.4], [1, 0]], 30),
    "hidden": hidden(40, 3, 4, RNG, zeros=False),
    "hidden with zeros": hidden(40, 3, 4, RNG, zeros=True),
    "data": EmpiricalDistribution(RNG.integers(0, 3, (60, 20)), RNG.integers(0, 4, 60)),
    "given": chain_of(30, 3, RNG).given([0, MASK, MASK, 1] + [MASK] * 26),
    "hidden given": hidden(20, 3, 3, RNG, zeros=True).given([MASK] * 9 + [1] + [MASK] * 10),
}


@each("name", LONG)
@each("size", [1, 2, 50])
def test_longer_sequences(name, size):
    p, rng = LONG[name], np.random.default_rng(1)
    sequences = np.asarray(p.sample(rng, size))
    order = rng.permuted(np.broadcast_to(np.arange(p.length), sequences.shape), axis=1)
    found = entropies_along(p, sequences, order)
    expected = with_whole_predictions(p, sequences, order)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@each("name", [name for name in LONG if "given" not in name])
def test_small_batches_give_the_same(name, monkeypatch):
    p, rng = LONG[name], np.random.default_rng(2)
    sequences = np.asarray(p.sample(rng, 9))
    order = rng.permuted(np.broadcast_to(np.arange(p.length), sequences.shape), axis=1)
    expected = entropies_along(p, sequences, order)
    for module in ("theory.distributions.random_orders", "theory._markov.random_orders"):
        monkeypatch.setattr(f"{module}.WORKSPACE", 700)
    monkeypatch.setattr("theory._markov.random_orders.LEAST", 5)
    found = entropies_along(p, sequences, order)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@each("name", ["chain", "hidden", "hidden with zeros", "data"])
def test_whole_patterns_are_not_predicted(name, monkeypatch):
    def whole(self, x):
        raise AssertionError(f"all sites of {x.shape} were predicted")

    p = LONG[name]
    monkeypatch.setattr(type(p), "_predict", whole)
    estimate = information.estimate_profile(p, np.random.default_rng(0), 3)
    assert estimate.mean.shape == (p.length,)


def test_powers_that_do_not_fit_are_gone_without(monkeypatch):
    p, rng = chain_of(12, 4, np.random.default_rng(3)), np.random.default_rng(3)
    sequences = np.asarray(p.sample(rng, 5))
    order = rng.permuted(np.broadcast_to(np.arange(12), sequences.shape), axis=1)
    expected = entropies_along(p, sequences, order)
    monkeypatch.setattr("theory.distributions.markov.POWERS_SIZE", 3 * 4**2)
    other = MarkovChain(p.initial, p.transition, 12)
    np.testing.assert_allclose(entropies_along(other, sequences, order), expected, atol=1e-12)
    assert other._tabulated < 11


def two_coins(length):
    """A hidden coin for the whole sequence: its odds change by 9 with every token."""
    read = [[0.9, 0.1], [0.1, 0.9]]
    return HiddenMarkovModel([0.5, 0.5], np.eye(2), read, length)


def test_states_that_underflow_are_computed_in_logarithms():
    """400 zeros and as many ones: what the first half rules out, 1e-381, the second brings back."""
    p = two_coins(800)
    sequences = np.repeat([[0, 1]], 400, axis=1)
    sequences = np.concatenate([sequences, sequences[:, ::-1]])
    order = np.stack([np.arange(800), np.arange(800)[::-1]])
    unsure = [u for *_, u in states_along(p.initial, p.transition, p.emission, sequences, order)]
    assert any(u.any() for u in unsure)
    found = entropies_along(p, sequences, order)
    ahead = np.minimum(np.arange(800), 800 - np.arange(800))  # zeros more than ones, or the reverse
    first = 1 / (1 + 9.0**-ahead)
    zero = first * 0.9 + (1 - first) * 0.1
    expected = -(zero * np.log(zero) + (1 - zero) * np.log1p(-zero))
    np.testing.assert_allclose(found, [expected, expected], rtol=0, atol=1e-9)


def test_bridges_that_underflow_are_computed_in_logarithms():
    """Rows of 1e-200: the way from 0 to 3 leads over 1 or 2, each as likely, 1e-400 in all."""
    eps = 1e-200
    step = [[0, 0.5, 0.5, 0, 0], *[[0, 0, 0, eps, 1 - eps]] * 2, [0, 0, 0, 1, 0], [0, 0, 0, 0, 1]]
    step[0] = [1 - 2 * eps, eps, eps, 0, 0]
    p = MarkovChain([1, 0, 0, 0, 0], step, 3)
    sequences, order = np.array([[0, 1, 3]]), np.array([[0, 2, 1]])
    assert entropies_along(p, sequences, order)[0, 2] == pytest.approx(math.log(2), abs=1e-12)


@each("length", [1, 2, 5, 9])
def test_the_nearest_known_neighbours(length):
    rng = np.random.default_rng(length)
    order = rng.permuted(np.broadcast_to(np.arange(length), (20, length)), axis=1)
    near = neighbours_along(order)
    longest = 1
    for row, sites in enumerate(order.tolist()):
        for j, site in enumerate(sites):
            left = max((i for i in sites[:j] if i < site), default=-1)
            right = min((i for i in sites[:j] if i > site), default=length)
            assert (near.left[row, j], near.right[row, j]) == (left, right)
            longest = max([longest, *[abs(i - site) for i in (left, right) if 0 <= i < length]])
    assert near.longest_gap == longest
