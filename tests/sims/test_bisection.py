"""Recursive halving in chains of any order: separation, rounds, and nothing lost."""

import itertools
import math
from typing import Any

import numpy as np
import pytest

from sims.policies import Bisection
from tests.noted import each
from tests.sims import policy_oracles as slow
from theory import MASK, InvalidInput

ORDERS = (1, 2, 3, 4)
each_order = pytest.mark.parametrize("order", ORDERS)


def revealed(policy, patterns):
    """The sites that the policy chooses; it looks at no token."""
    x = np.asarray(patterns, dtype=np.int64)
    ((probability, reveal),) = policy.reveal_distribution(x, np.zeros((*x.shape, 1)), 0)
    assert probability == 1
    return reveal


def rounds_from(policy, x):
    """The sets of sites chosen in each round, until nothing is masked."""
    x, rounds = np.array(x), []
    while (x == MASK).any():
        (chosen,) = revealed(policy, [x])
        rounds.append(np.flatnonzero(chosen).tolist())
        x[chosen] = 0
    return rounds


def separated(x, sites, order):
    """No path between two of the sites through masked ones, neighbours being up to m apart."""
    x = list(x)
    for start in sites:
        reached, queue = {start}, [start]
        while queue:
            i = queue.pop()
            for j in range(max(0, i - order), min(len(x), i + order + 1)):
                if x[j] == MASK and j not in reached:
                    reached.add(j)
                    queue.append(j)
        if reached & set(sites) != {start}:
            return False
    return True


@each_order
@pytest.mark.parametrize("length", range(1, 9))
def test_whatever_is_known_what_is_chosen_is_separated(order, length):
    """Every set of observed sites, also those that bisection itself never meets."""
    for observed in itertools.product((0, MASK), repeat=length):
        if MASK not in observed:
            continue
        (chosen,) = revealed(Bisection(order), [observed])
        sites = np.flatnonzero(chosen).tolist()
        assert sites
        assert all(observed[i] == MASK for i in sites)
        assert separated(observed, sites, order)


@each_order
@each("length", range(1, 65))
def test_every_round_is_separated_and_the_rounds_are_few(order, length):
    x = np.full(length, MASK)
    rounds = rounds_from(Bisection(order), x)
    for sites in rounds:
        assert separated(x, sites, order)
        x[sites] = 0
    if length < order:
        assert len(rounds) == length
    else:
        assert len(rounds) <= order * (math.ceil(math.log2(length / order)) + 1)


def test_one_site_does_not_separate_a_chain_of_order_two():
    """So the tests of separation can fail."""
    x = np.array([MASK, MASK, 0, MASK, MASK])
    sites = np.flatnonzero(revealed(Bisection(), [x])[0]).tolist()
    assert separated(x, sites, 1)
    assert not separated(x, sites, 2)


@pytest.mark.parametrize("length", range(1, 12))
def test_order_one_takes_the_middle_of_every_run(length):
    patterns = list(itertools.product((0, MASK), repeat=length))[1:]
    for pattern, chosen in zip(patterns, revealed(Bisection(), patterns), strict=True):
        ((_, expected),) = slow.bisection(pattern, slow.masked_sites(pattern), None, 0)
        assert np.flatnonzero(chosen).tolist() == list(expected)


def test_names_and_bad_orders():
    assert [repr(Bisection()), repr(Bisection(1)), repr(Bisection(3))] == [
        "Bisection()",
        "Bisection()",
        "Bisection(3)",
    ]
    orders: tuple[Any, ...] = (0, -1, 1.5, True, None)
    for order in orders:
        with pytest.raises(InvalidInput, match="order must be an integer of at least 1"):
            Bisection(order)
