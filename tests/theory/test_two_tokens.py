"""What is best possible with two tokens: common shocks come near every code, also where none is."""

import functools
import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from tests import oracles
from tests.noted import each
from theory import MASK, JointTable, gallery, information, schedules
from theory.proofs import Refutation
from theory.proofs.codes import Shape, library
from theory.proofs.profiles import decide
from theory.proofs.statement import value_at
from theory.proofs.steps import on_steps
from theory.proofs.text import from_function

# The distribution


def shock_joint(length, rate, shock):
    """Of independent bits, and of all ones, by definition."""
    joint = {}
    for x in oracles.all_sequences(length, 2):
        alone = math.prod(rate if v else 1 - rate for v in x)
        joint[x] = (1 - shock) * alone + shock * all(x)
    return joint


SHOCKS = [
    (1, Fraction(1, 4), Fraction(1, 2)),
    (3, Fraction(1, 3), Fraction(0)),
    (4, Fraction(0), Fraction(1, 5)),
    (3, Fraction(2, 3), Fraction(1)),
    (4, Fraction(1), Fraction(1, 2)),
    (5, Fraction(1, 8), Fraction(1, 64)),
]


@each(("length", "rate", "shock"), SHOCKS)
def test_common_shocks_are_a_mixture(length, rate, shock):
    joint = shock_joint(length, rate, shock)
    p = gallery.common_shock(length, rate, shock, exact=True)
    floats = gallery.common_shock(length, float(rate), float(shock))
    for x in oracles.all_sequences(length, 2):
        assert p.evidence(x) == joint[x]
        assert floats.evidence(x) == pytest.approx(float(joint[x]), rel=1e-12)
    first = (1, *[MASK] * (length - 1))
    if oracles.evidence(joint, first):
        assert p.denoise(first).tolist() == oracles.conditional_marginals(joint, first, 2)


# Its limit


@functools.cache
def rare(length, r, bits):
    rate = Fraction(1, 2**bits)
    return gallery.common_shock(length, rate, rate**r, exact=True)


@functools.cache
def dependence(length, r, bits):
    """Entropies of k sites less those of k independent ones, over ``shock log(1 / rate)``."""
    means = rare(length, r, bits).mean_entropies
    over = [(means[k] - k * means[1]) * Fraction(2 ** (bits * r), bits) for k in range(length + 1)]
    return [float(value) / math.log(2) for value in over]


@each(("length", "r"), [(n, r) for n in range(2, 7) for r in range(1, n)])
def test_total_correlations_tend_to_those_of_a_code(length, r):
    """Up to a multiple of ``1 / log(1 / rate)``."""
    for k in range(2, length + 1):
        limit = max(k - r, 0)
        near, nearer = (abs(-dependence(length, r, m)[k] - limit) for m in (50, 200))
        assert near < 2 * length / 50
        assert nearer == pytest.approx(near / 4, rel=0.01, abs=1e-9)


# Ratios of what schedules cost


def best_ratio(sizes, budget, profiles):
    """Greatest cost over budget; profiles are given by the mean entropies of k sites."""
    best: Any = Fraction(0)
    for means in profiles:
        length = len(means) - 1
        f = [b - a for a, b in itertools.pairwise(means)]
        cost, start = 0, 0
        for size in sizes:
            cost += size * f[start] - sum(f[start : start + size])
            start += size
        tc, dtc = length * f[0] - means[-1], means[-1] - length * f[-1]
        of = {"TC": tc, "DTC": dtc, "TC + DTC": tc + dtc, "H": means[-1]}[budget]
        best = max(best, cost / of) if of else best
    return best


def steps(length):
    return [[Fraction(min(k, r)) for k in range(length + 1)] for r in range(1, length + 1)]


@functools.cache
def binary_codes(length):
    """Mean ranks of k sites of all linear codes over GF(2)."""
    found = set()
    for dimension in range(1, length + 1):
        for ranks in library(length, Shape(2, dimension)).ranks.tolist():
            sums = [Fraction(0)] * (length + 1)
            for bits, rank in enumerate(ranks):
                sums[bits.bit_count()] += rank
            found.add(tuple(s / math.comb(length, k) for k, s in enumerate(sums)))
    return found


SCHEDULES = [sizes for n in (3, 4, 5) for sizes in schedules.every(n)]


@each(("sizes", "budget"), itertools.product(SCHEDULES, ["TC", "DTC", "TC + DTC"]))
def test_bits_come_near_every_supremum_of_what_vanishes_without_dependence(sizes, budget):
    """What is left falls like one over the logarithm of the rate."""
    length = sum(sizes)
    most = float(best_ratio(sizes, budget, steps(length)))
    left = []
    for m in (50, 200):
        shocks = [dependence(length, r, m) for r in range(1, length)]
        left.append(most - best_ratio(sizes, budget, shocks))
    assert left[0] > -1e-12
    assert left[0] <= 0.12 * most
    assert left[1] == pytest.approx(left[0] / 4, rel=0.1, abs=1e-9)


def test_no_linear_code_over_two_tokens_reaches_them_all():
    below = [
        (sizes, budget)
        for sizes, budget in itertools.product(SCHEDULES, ["TC", "DTC", "TC + DTC"])
        if best_ratio(sizes, budget, binary_codes(sum(sizes)))
        < best_ratio(sizes, budget, steps(sum(sizes)))
    ]
    assert ((1, 2, 1), "TC") in below
    assert ((2, 1), "TC") not in below
    assert best_ratio((1, 2, 1), "TC", binary_codes(4)) == Fraction(1, 3)
    assert best_ratio((1, 2, 1), "TC", steps(4)) == Fraction(1, 2)


def test_a_statement_that_holds_on_codes_of_bits_and_not_on_all_bits():
    """The cost of (1, 2, 1) is at most 2/5 TC: up to 1/3 on codes, and up to 1/2 on bits."""
    statement = from_function(
        lambda p: (
            Fraction(2, 5) * information.total_correlation(p) - information.path_cost(p, (1, 2, 1))
        ),
        4,
        profile=True,
    )
    slack = statement.conclusions[0].slack
    for means in binary_codes(4):
        f = [after - before for before, after in itertools.pairwise(means)]
        assert sum(c * f[j] for j, c in slack.items()) >= 0
    assert on_steps(slack, 4)[-1] == 0
    assert value_at(slack, rare(4, 2, 100), "profile") < 0
    refuted = decide(statement)
    assert isinstance(refuted, Refutation)
    assert refuted.distribution.vocab == 3


# With the entropy as the budget constants do shrink


LEAST_BY_CODES = {
    (1, 3): Fraction(3, 4),
    (1, 2, 1): Fraction(1, 3),
    (1, 4): Fraction(11, 10),
    (1, 1, 3): Fraction(7, 15),
    (1, 2, 2): Fraction(3, 10),
    (1, 3, 1): Fraction(7, 10),
    (1, 1, 2, 1): Fraction(1, 5),
    (1, 2, 1, 1): Fraction(3, 10),
}


@each("sizes", [sizes for sizes in SCHEDULES if sum(sizes) > 3])
def test_what_linear_codes_of_bits_lose_as_a_share_of_their_entropy(sizes):
    length = sum(sizes)
    over_all = best_ratio(sizes, "H", steps(length))
    assert best_ratio(sizes, "H", binary_codes(length)) == LEAST_BY_CODES.get(sizes, over_all)
    assert (sizes in LEAST_BY_CODES) == (best_ratio(sizes, "H", binary_codes(length)) < over_all)


@each("sizes", [sizes for sizes in LEAST_BY_CODES if sum(sizes) == 4])
def test_no_drawn_table_of_bits_loses_more(sizes):
    """A search of few tables: nothing is proved by it."""
    rng = np.random.default_rng(0)
    for _ in range(300):
        weights = rng.dirichlet(np.full(16, rng.choice([0.05, 0.2, 1.0])))
        p = JointTable(weights.reshape(2, 2, 2, 2))
        cost = float(information.path_cost(p, sizes))
        assert cost <= float(LEAST_BY_CODES[sizes]) * float(information.entropy(p)) + 1e-12
