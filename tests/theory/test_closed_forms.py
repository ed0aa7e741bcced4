"""Closed forms against enumeration of the joint and of all orders, from the definitions."""

import functools
import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from tests import oracles
from tests.noted import each, refusals
from theory import closed_forms as cf


def permutations(n):
    return joint_of(itertools.permutations(range(n)), n)


def one_hot(n):
    return joint_of((tuple(int(i == k) for i in range(n)) for k in range(n)), 2)


def walk(n):
    steps = itertools.product((0, 1), repeat=n)
    return joint_of((tuple(itertools.accumulate(s)) for s in steps), n + 1)


def joint_of(sequences, vocab):
    """Uniform over these sequences."""
    support = list(sequences)
    every = dict.fromkeys(oracles.all_sequences(len(support[0]), vocab), 0)
    return oracles.normalised(every | dict.fromkeys(support, 1))


def log(value):
    return oracles.log_in_primes(Fraction(value))


def left_to_right(sizes):
    start = 0
    for size in sizes:
        yield tuple(range(start, start + size))
        start += size


def path_cost(joint, vocab, partition):
    """KL(p || q) of revealing these batches one after the other, exactly."""
    predict = oracles.zero_loss(joint, vocab)
    support = {x: p for x, p in joint.items() if p != 0}
    q = {x: oracles.partition_probability(x, partition, predict) for x in support}
    return oracles.kl_divergence(support, q, exact=True)


def one_round_accuracy(joint, vocab):
    """The mass that the product of the marginals puts on the support."""
    marginals = oracles.site_marginals(joint, vocab)
    return sum(
        math.prod(row[v] for row, v in zip(marginals, x, strict=True))
        for x, p in joint.items()
        if p != 0
    )


EVERY_SIZES = [sizes for n in range(1, 6) for sizes in oracles.compositions(n)]
each_sizes = each("sizes", EVERY_SIZES, ids=str)


# Permutations


@each("sizes", [s for s in EVERY_SIZES if sum(s) <= 4], ids=str)
def test_permutations_cost_the_same_in_every_order(sizes):
    """Every ordered partition into these batches, and every permutation, exactly."""
    n = sum(sizes)
    joint, cost = permutations(n), cf.permutation_cost(n, sizes, exact=True)
    for partition in oracles.ordered_partitions(range(n), sizes):
        assert path_cost(joint, n, partition) == cost


@given(st.integers(1, 12), st.data())
def test_the_cost_of_permutations_is_a_product_of_falling_factorials(n, data):
    sizes = data.draw(st.sampled_from(list(oracles.compositions(min(n, 8)))))
    n, left, ratio = sum(sizes), sum(sizes), Fraction(1)
    for size in sizes:
        ratio *= Fraction(left**size, math.perm(left, size))
        left -= size
    assert cf.permutation_cost(n, sizes, exact=True) == log(ratio)
    assert cf.permutation_cost(n, sizes) == pytest.approx(oracles.log(ratio), rel=1e-13, abs=1e-15)


@pytest.mark.parametrize("n", range(1, 10))
def test_the_frontier_of_permutations_is_the_least_over_all_compositions(n):
    """And the schedule attains it, exactly; of equal ones its last batches are the largest."""
    for rounds, least in enumerate(cf.permutation_frontier(n), start=1):
        ratios = {}
        for sizes in oracles.compositions(n, rounds):
            starts = itertools.accumulate((0, *sizes[:-1]))
            parts = [(n - a) ** s for a, s in zip(starts, sizes, strict=True)]
            ratios[sizes] = Fraction(math.prod(parts), math.factorial(n))
        best = min(ratios.values())
        ties = [sizes for sizes, ratio in ratios.items() if ratio == best]
        assert least == pytest.approx(oracles.log(best), rel=1e-13, abs=1e-15)
        assert cf.permutation_schedule(n, rounds) == max(ties, key=lambda sizes: sizes[::-1])


@pytest.mark.parametrize("n", range(1, 6))
def test_shuffling_in_one_round(n):
    joint = permutations(n)
    assert cf.shuffle_cost(n, exact=True) == oracles.total_correlation(joint, exact=True)
    assert cf.shuffle_cost(n, exact=True) == n * log(n) - log(math.factorial(n))
    assert cf.shuffle_accuracy(n, exact=True) == one_round_accuracy(joint, n)
    assert cf.shuffle_accuracy(n) == float(cf.shuffle_accuracy(n, exact=True))


def test_shuffling_in_pairs():
    for n in range(2, 21, 2):
        evens, odds = math.prod(range(2, n + 1, 2)), math.prod(range(1, n, 2))
        assert cf.shuffle_pairs_cost(n, exact=True) == log(Fraction(evens, odds))
    at_once = path_cost(permutations(4), 4, ((0, 3), (1, 2)))
    assert cf.shuffle_pairs_cost(4, exact=True) == at_once


# One-hot strings


@each_sizes
def test_one_hot_strings_cost_the_same_in_every_order(sizes):
    n = sum(sizes)
    joint, cost = one_hot(n), cf.one_hot_cost(n, sizes, exact=True)
    for partition in oracles.ordered_partitions(range(n), sizes):
        assert path_cost(joint, 2, partition) == cost
    assert cf.one_hot_cost(n, sizes) == pytest.approx(float(cost), rel=1e-13, abs=1e-15)


@pytest.mark.parametrize("n", range(1, 8))
def test_one_hot_strings_in_one_round(n):
    joint, cost = one_hot(n), cf.one_hot_cost(n, (n,), exact=True)
    assert cost == oracles.total_correlation(joint, exact=True)
    assert cost == (0 if n == 1 else (n - 1) * (log(n) - log(n - 1)))
    assert cf.one_hot_accuracy(n, exact=True) == one_round_accuracy(joint, 2)
    assert cf.one_hot_accuracy(n) == pytest.approx(float(cf.one_hot_accuracy(n, exact=True)))


# Walks


@each("sizes", [s for s in EVERY_SIZES if sum(s) <= 4], ids=str)
def test_scanning_a_walk(sizes):
    n = sum(sizes)
    cost = cf.walk_scan_cost(sizes, exact=True)
    assert path_cost(walk(n), n + 1, tuple(left_to_right(sizes))) == cost
    assert cf.walk_scan_cost(sizes) == pytest.approx(float(cost), rel=1e-13, abs=1e-14)


def test_a_long_walk():
    """The marginals of 300 steps, by convolution: float masses sum to 1 within 1e-13."""
    mass, bits = np.ones(1), -300.0
    for _ in range(300):
        mass = (np.append(mass, 0) + np.append(0, mass)) / 2
        seen = mass[mass > 0]
        bits -= float(np.sum(seen * np.log2(seen)))
    assert cf.walk_scan_cost((300,), base=2) == pytest.approx(bits, rel=1e-11)


# Calls


@pytest.mark.parametrize("length", [1, 2, 3])
@pytest.mark.parametrize("times", [(0, 1), (0, 0.25, 1), (0, Fraction(1, 3), Fraction(1, 2), 1)])
def test_calls_are_the_steps_into_which_some_site_falls(length, times):
    """Every way in which the sites fall into the steps."""
    widths = [Fraction(b) - Fraction(a) for a, b in itertools.pairwise(times)]
    expected = Fraction(0)
    for steps in itertools.product(range(len(widths)), repeat=length):
        expected += math.prod(widths[k] for k in steps) * len(set(steps))
    assert cf.expected_calls_on(length, times, exact=True) == expected
    assert cf.expected_calls_on(length, times) == pytest.approx(float(expected), rel=1e-14)


@each("length", [1, 2, 7, 64])
@each("steps", [1, 2, 5, 64])
def test_calls_on_equal_steps(length, steps):
    times = tuple(Fraction(k, steps) for k in range(steps + 1))
    calls = cf.expected_calls(length, steps, exact=True)
    assert calls == cf.expected_calls_on(length, times, exact=True)
    assert calls == steps * (1 - (1 - Fraction(1, steps)) ** length)
    assert calls <= min(length, steps)
    assert cf.expected_calls(length, steps) == pytest.approx(float(calls), rel=1e-14)


def test_calls_with_many_steps():
    """``length - length (length-1) / (2 steps)`` and smaller terms, without cancellation."""
    missing = 1000 - cf.expected_calls(1000, 10**9)
    assert missing == pytest.approx(1000 * 999 / 2 / 10**9, rel=1e-5)


COSTS = [
    lambda **options: cf.permutation_cost(5, (2, 3), **options),
    lambda **options: cf.shuffle_cost(4, **options),
    lambda **options: cf.shuffle_pairs_cost(6, **options),
    lambda **options: cf.one_hot_cost(5, (3, 2), **options),
    lambda **options: cf.walk_scan_cost((2, 3), **options),
]


@pytest.mark.parametrize("cost", COSTS)
def test_units_and_types(cost):
    nats = cost()
    assert type(nats) is float
    assert cost(base=2) == pytest.approx(nats / math.log(2), rel=1e-15)
    assert cost(base=2, exact=True) == cost(exact=True) / sympy.log(2)
    assert float(cost(exact=True)) == pytest.approx(nats, rel=1e-13)


def test_units_and_types_of_the_rest():
    bits = cf.permutation_frontier(5, base=2)
    np.testing.assert_allclose(bits * math.log(2), cf.permutation_frontier(5), rtol=1e-15)
    for number in (
        cf.one_hot_accuracy(1),
        cf.shuffle_accuracy(1),
        cf.expected_calls(3, 1),
        cf.expected_calls_on(3, (0, 1)),
    ):
        assert type(number) is float
        assert number == 1


OF_NUMBERS = [
    lambda n: cf.permutation_cost(n, (1,)),
    cf.permutation_frontier,
    lambda n: cf.permutation_schedule(n, 1),
    cf.shuffle_cost,
    cf.shuffle_pairs_cost,
    cf.shuffle_accuracy,
    lambda n: cf.one_hot_cost(n, (1,)),
    cf.one_hot_accuracy,
    lambda n: cf.expected_calls(n, 1),
    lambda n: cf.expected_calls(1, n),
    lambda n: cf.expected_calls_on(n, (0, 1)),
]
BAD_SIZES = [(), (1, 1), (4,), (3, 0), (2.0, 1), 3, None]

test_what_is_refused = refusals(
    *(("at least", call, [0, -1, 2.0, "3", None, True]) for call in OF_NUMBERS),
    ("size", functools.partial(cf.permutation_cost, 3), BAD_SIZES),
    ("size", functools.partial(cf.one_hot_cost, 3), BAD_SIZES),
    ("size", cf.walk_scan_cost, [(), (1, 0), (1.5,), 3, None]),
    *(("base", functools.partial(cost, base=1)) for cost in COSTS),
    *(("base", functools.partial(cost, base=1, exact=True)) for cost in COSTS),
    ("base", lambda: cf.permutation_frontier(3, base=0)),
    ("even", lambda: cf.shuffle_pairs_cost(5)),
    ("rounds", lambda: cf.permutation_schedule(3, 4)),
    ("rise", lambda: cf.expected_calls_on(3, (0, 0.5))),
)
