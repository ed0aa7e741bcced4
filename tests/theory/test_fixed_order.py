"""What a fixed order loses, against the product of predictions and against decoders' outputs."""

import functools
import itertools
import math
import random
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy

from tests import oracles
from tests.cases import (
    BAD_BASES,
    DEVICE1,
    NO_DISTRIBUTION,
    build_exact,
    each_case,
    each_factored,
    each_family,
    to_device1,
)
from tests.noted import refusals
from theory import (
    HiddenMarkovModel,
    MarkovChain,
    TooLarge,
    gallery,
)
from theory.information import fixed_order
from theory.information.fixed_order import fixed_order_cost

ROUNDING = 1e-12  # of sums of a few hundred entropies below 2


def orders(length, seed=0, number=4):
    """All at once, one by one, and some random ordered partitions, as lists of batches."""
    rng = random.Random(f"{length} {seed}")
    found = [[tuple(range(length))], [(i,) for i in range(length)]]
    for _ in range(number):
        sites = rng.sample(range(length), length)
        cuts = sorted(rng.sample(range(1, length), rng.randint(0, length - 1)))
        found.append([tuple(sites[a:b]) for a, b in itertools.pairwise([0, *cuts, length])])
    return found


def subsets(order, observed=(), seed=0):
    """For each batch, a random part of what is known before it."""
    rng, known, found = random.Random(f"{order} {seed}"), list(observed), []
    for batch in order:
        found.append(tuple(rng.sample(known, rng.randint(0, len(known)))))
        known += batch
    return found


def by_definition(joint, vocab, order, observed=(), exact=False, seen=None):
    """KL(p || q) with q(x) the product of the predictions in this order.

    On average over what the observed sites hold. Predictions are given what is seen alone.
    """
    predict = oracles.zero_loss(joint, vocab)
    terms = []
    for values, prob in oracles.marginal(joint, observed).items():
        if prob == 0:
            continue
        given = dict(zip(observed, values, strict=True))
        pattern = tuple(given.get(i, oracles.MASK) for i in range(oracles.length_of(joint)))
        inside = {x: p for x, p in oracles.condition(joint, pattern).items() if p != 0}
        q = {}
        for x in inside:
            context, q[x] = list(pattern), Fraction(1)
            for n, batch in enumerate(order):
                hidden = [i for i in range(len(x)) if seen is not None and i not in seen[n]]
                stale = [oracles.MASK if i in hidden else context[i] for i in range(len(x))]
                rows = predict(tuple(stale))
                for i in batch:
                    q[x] = q[x] * rows[i][x[i]]
                for i in batch:
                    context[i] = x[i]
        weight = oracles.rational(prob) if exact else float(prob)
        terms.append(weight * oracles.kl_divergence(inside, q, exact))
    return oracles.total(terms, exact)


# Against the definition


@each_case
def test_the_cost_is_the_divergence_of_the_product_of_predictions(case):
    p = case.build()
    for order in orders(case.length):
        expected = by_definition(case.joint, case.vocab, order)
        assert fixed_order_cost(p, order) == pytest.approx(expected, abs=ROUNDING)
        bits = fixed_order_cost(p, order, base=2)
        assert bits == pytest.approx(expected / math.log(2), abs=ROUNDING)


@each_case
def test_observed_sites(case):
    if case.length == 1:
        return
    p, rng = case.build(), random.Random(case.name)
    for _ in range(3):
        observed = sorted(rng.sample(range(case.length), rng.randint(1, case.length - 1)))
        rest = [i for i in range(case.length) if i not in observed]
        cut = rng.randint(0, len(rest) - 1)
        order = [tuple(b) for b in (rest[:cut], rest[cut:]) if b]
        expected = by_definition(case.joint, case.vocab, order, observed)
        actual = fixed_order_cost(p, order, observed=observed)
        assert actual == pytest.approx(expected, abs=ROUNDING)


@each_factored
def test_exact_costs_are_expressions(case):
    p = build_exact(case)
    for order in orders(case.length, seed=1, number=2):
        expected = by_definition(case.joint, case.vocab, order, exact=True)
        assert sympy.expand(fixed_order_cost(p, order) - expected) == 0


# Predictions that do not go by all that is known


@each_case
def test_stale_contexts_by_definition(case):
    p, observed = case.build(), tuple(range(0, case.length, 3))
    for given in ((), observed):
        for order in orders(case.length, seed=2, number=3):
            rest = [tuple(i for i in batch if i not in given) for batch in order]
            rest = [batch for batch in rest if batch]
            seen = subsets(rest, given)
            expected = by_definition(case.joint, case.vocab, rest, given, seen=seen)
            actual = fixed_order_cost(p, rest, observed=given, seen=seen)
            assert actual == pytest.approx(expected, abs=ROUNDING)


@each_factored
def test_exact_costs_of_stale_contexts(case):
    for order in orders(case.length, seed=4, number=2):
        seen = subsets(order)
        expected = by_definition(case.joint, case.vocab, order, exact=True, seen=seen)
        assert sympy.expand(fixed_order_cost(build_exact(case), order, seen=seen) - expected) == 0


def test_stale_contexts_of_longer_chains():
    for p in (longer_chain(40), gallery.periodic(40)):
        for order in orders(40, seed=5, number=3):
            seen = subsets(order)
            slow = fixed_order._cost(p, order, (), [tuple(sorted(sites)) for sites in seen])
            assert fixed_order_cost(p, order, seen=seen) == pytest.approx(slow, abs=1e-11)


def test_a_cache_loses_what_its_rounds_lose_at_once_at_2000_sites():
    p, batches = longer_chain(2000), [tuple(range(i, i + 10)) for i in range(0, 2000, 10)]
    one_by_one = [(i,) for i in range(2000)]
    seen = [range(i - i % 10) for i in range(2000)]
    lost = float(fixed_order_cost(p, one_by_one, seen=seen))
    assert lost == float(fixed_order_cost(p, batches)) > 1
    everything = [range(i) for i in range(2000)]
    assert fixed_order_cost(p, one_by_one, seen=everything) == 0.0


# Chains without a table


def longer_chain(length):
    """Three tokens, no symmetry, one step that cannot be made."""
    rows = np.array([[0.5, 0.5, 0.0], [0.1, 0.2, 0.7], [0.6, 0.3, 0.1]])
    return MarkovChain([0.2, 0.3, 0.5], rows, length)


@pytest.mark.parametrize("p", [longer_chain(40), gallery.periodic(40), gallery.end_of_text(40)])
def test_longer_chains_by_entropies_of_sets(p):
    """At 40 sites, by `subset_entropy`, which sums bridges and is tested by itself."""
    for order in orders(40, seed=3, number=3):
        slow = fixed_order._cost(p, order, ())
        assert fixed_order_cost(p, order) == pytest.approx(slow, abs=1e-11)
    observed = (3, 20, 21, 39)
    rest = [i for i in range(40) if i not in observed]
    order = [tuple(rest[::5]), tuple(i for i in rest if i not in rest[::5])]
    slow = fixed_order._cost(p, order, observed)
    assert fixed_order_cost(p, order, observed=observed) == pytest.approx(slow, abs=1e-11)


@pytest.mark.parametrize("length", [1000, 10_000])
def test_k_bits_at_a_time_in_closed_form(length):
    """From a known bit the i-th next is noise h((1 - (1-2f)^i) / 2); written as if alone."""
    flip, k = 0.05, 5

    def h(steps):
        q = (1 - (1 - 2 * flip) ** steps) / 2
        return -q * math.log(q) - (1 - q) * math.log1p(-q)

    p = gallery.binary_symmetric(length, flip)
    order = [tuple(range(i, i + k)) for i in range(0, length, k)]
    first = (k - 1) * (math.log(2) - h(1))
    later = sum(h(i) for i in range(1, k + 1)) - k * h(1)
    expected = first + (length // k - 1) * later
    assert fixed_order_cost(p, order) == pytest.approx(expected, rel=1e-11)


def test_far_apart_sites_of_a_slow_chain_by_squaring():
    """Both ends, then the middle third and its rest: three gaps, the longest of 9999 steps."""
    p = MarkovChain([1, 0], [[1 - 1e-4, 1e-4], [3e-4, 1 - 3e-4]], 10_000)
    dist = np.linalg.matrix_power(p.transition, 9999)
    joint = np.asarray(p.initial)[:, None] * dist
    alone = -sum(x * math.log(x) for x in joint.sum(axis=0))
    both = -sum(x * math.log(x) for x in joint.ravel() if x > 0)
    order = [(0, 9999), *((i,) for i in range(1, 9999))]
    assert fixed_order_cost(p, order) == pytest.approx(alone - both, abs=ROUNDING)  # H(X_0) = 0
    gaps = [1, 2, 700, 9000]
    one_by_one = p._row_entropies(9000)
    np.testing.assert_allclose(
        p.gap_entropies(gaps), one_by_one.values[np.array(gaps) - 1], rtol=1e-10
    )


def test_what_falls_apart_costs_nothing_at_all():
    p = longer_chain(10_000)
    assert fixed_order_cost(p, [(i,) for i in range(10_000)]) == 0.0
    odd = [tuple(range(1, 10_000, 2))]
    assert fixed_order_cost(p, odd, observed=range(0, 10_000, 2)) == 0.0


@each_family
def test_on_a_device(case):
    here, there = case.build(), case.build(to_device1)
    for order in orders(case.length, number=2):
        cost: Any = fixed_order_cost(there, order)
        if len(order) < case.length:  # one at a time costs nothing, and nothing is computed
            assert cost.device == DEVICE1
        expected = float(fixed_order_cost(here, order))
        assert float(cost) == pytest.approx(expected, abs=ROUNDING)
        seen = subsets(order)
        stale = float(fixed_order_cost(there, order, seen=seen))
        assert stale == pytest.approx(fixed_order_cost(here, order, seen=seen), abs=ROUNDING)


LONG = HiddenMarkovModel([0.5, 0.5], [[0.9, 0.1], [0.2, 0.8]], [[0.7, 0.3], [0.4, 0.6]], 200)
P = gallery.parity(3)
BAD_BATCHES: dict[str, Any] = {
    "batch 1 has site 1 again, which is in batch 0": [(0, 1), (1, 2)],
    "batch 1 is empty": [(0, 1), ()],
    "leave out 2 sites, site 1 first": [(0,)],
    r"batch 1 must lie in 0..2, got 3": [(0, 1), (2, 3)],
    "batch 0 must be distinct": [(0, 0), (1, 2)],
    "batch 0 must be a list of sites, got 0": [0, 1, 2],
    "batches must be a sequence of sets of sites, got 3": 3,
    "batch 0 must be integers": [(0.5, 1), (2,)],
}

BAD_CONTEXTS: dict[str, Any] = {
    "seen must have 2 sets, one for each batch, got 1": [()],
    "seen 1 has site 2, which is not known before batch 1": [(), (0, 2)],
    "seen 0 has site 0, which is not known before batch 0": [(0,), ()],
    "seen 1 must be distinct": [(), (0, 0)],
    "seen 0 must be a list of sites, got 0": [0, 0],
    "seen must be a sequence of sets of sites, got 2": 2,
}

test_no_closed_form_beyond_a_table = refusals(
    ("2", lambda: fixed_order_cost(LONG, [range(100), range(100, 200)])), error=TooLarge
)
test_what_is_refused = refusals(
    *((says, functools.partial(fixed_order_cost, P), [bad]) for says, bad in BAD_BATCHES.items()),
    (
        "batch 0 has site 0 again, which is observed",
        lambda: fixed_order_cost(P, [(0, 1), (2,)], observed=[0]),
    ),
    *(
        (says, functools.partial(fixed_order_cost, P, [(0, 1), (2,)], observed=(), seen=bad))
        for says, bad in BAD_CONTEXTS.items()
    ),
    ("base", lambda b: fixed_order_cost(P, [(0, 1, 2)], base=b), BAD_BASES),
    ("Distribution", lambda p: fixed_order_cost(p, [(0, 1)]), NO_DISTRIBUTION),
    ("a gap must be an integer of at least 1, got 0", gallery.periodic(3).gap_entropies, [[0]]),
)
