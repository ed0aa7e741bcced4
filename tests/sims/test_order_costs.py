"""All orders against what is written in each of them, and circulation by its definition."""

import itertools
import math
from fractions import Fraction

import pytest
import sympy

from sims import Perturbed
from sims.imperfect.decomposition import excess_loss
from sims.order.order_costs import AnyOrder
from tests import oracles
from tests.cases import FAMILIES, build_exact, each_of, table
from tests.noted import refusals
from tests.sims.policy_table import answers_of
from theory import MASK, JointTable, gallery

EXACT = [
    table("two sites", [[1, 2], [3, 4]]),
    table("zeros", [[[1, 0], [2, 3]], [[0, 4], [1, 1]]]),
    table("three tokens", [[1, 0, 2], [2, 5, 1], [0, 3, 3]]),
]
each_exact = each_of(EXACT)


def written(joint, order, predict):
    """The probability of every sequence, one site after the other."""
    out = {}
    for x in joint:
        pattern, probability = (MASK,) * len(x), Fraction(1)
        for i in order:
            probability = probability * predict(pattern)[i][x[i]]
            pattern = oracles.reveal(pattern, [i], [x[i]])
        out[x] = probability
    return out


def circulations(joint, predict, exact):
    """(C, i, j, probability of x, c) for all sets, pairs and sequences that can happen."""
    log = oracles.log_in_primes if exact else (lambda q: math.log(q))
    length = oracles.length_of(joint)
    for size in range(length - 1):
        for known in itertools.combinations(range(length), size):
            rest = [i for i in range(length) if i not in known]
            for i, j in itertools.combinations(rest, 2):
                for x, probability in joint.items():
                    if probability == 0:
                        continue
                    c = oracles.reveal((MASK,) * length, known, [x[k] for k in known])
                    with_i, with_j = (oracles.reveal(c, [k], [x[k]]) for k in (i, j))
                    one = predict(c)[i][x[i]] * predict(with_i)[j][x[j]]
                    other = predict(c)[j][x[j]] * predict(with_j)[i][x[i]]
                    yield known, i, j, probability, log(Fraction(one) / Fraction(other))


@each_exact
def test_every_order(case):
    p = build_exact(case)
    denoiser = Perturbed(p, smoothing=Fraction(1, 3))
    orders, predict = AnyOrder(p, denoiser), answers_of(case, denoiser)
    costs = {}
    for order in itertools.permutations(range(case.length)):
        q = written(case.joint, order, predict)
        costs[order] = oracles.kl_divergence(case.joint, q, exact=True)
        assert sympy.expand(orders.kl(order) - costs[order]) == 0
    floats = {order: float(cost) for order, cost in costs.items()}
    assert floats[orders.best_order] == pytest.approx(min(floats.values()), abs=1e-14)
    assert floats[orders.worst_order] == pytest.approx(max(floats.values()), abs=1e-14)
    assert sympy.expand(orders.worst - costs[orders.worst_order]) == 0
    assert sympy.expand(orders.spread - orders.worst + orders.best) == 0
    mean = sum(costs.values()) / len(costs)
    assert sympy.expand(orders.mean - mean) == 0
    assert sympy.expand(orders.mean - excess_loss(p, denoiser)) == 0


@each_exact
def test_circulation(case):
    p = build_exact(case)
    denoiser = Perturbed(p, smoothing=Fraction(1, 3))
    found, length = AnyOrder(p, denoiser).circulation, case.length
    every = list(circulations(case.joint, answers_of(case, denoiser), exact=True))
    assert float(found.largest) == pytest.approx(max(abs(float(c)) for *_, c in every), abs=1e-14)
    swaps, mean = {}, 0
    for known, i, j, probability, c in every:
        swaps[known, i, j] = swaps.get((known, i, j), 0) + float(probability) * float(c)
        sets = math.comb(length, len(known)) * math.comb(length - len(known), 2) * (length - 1)
        mean += float(probability) * abs(float(c)) / sets
    assert float(found.mean) == pytest.approx(mean, abs=1e-14)
    assert float(found.swap) == pytest.approx(max(map(abs, swaps.values())), abs=1e-14)


@pytest.mark.parametrize("temperature", [1, 0.7])
def test_in_floats(temperature):
    """All orders of four sites by the Held-Karp pass against all permutations."""
    for case in FAMILIES[:5]:
        p = case.build()
        denoiser = Perturbed(p, noise=0.9, smoothing=0.05, seed=2)
        orders = AnyOrder(p, denoiser, temperature)
        rows = answers_of(case, denoiser)

        def predict(pattern, rows=rows):
            return [oracles.tempered(row, temperature) for row in rows(pattern)]

        costs = [
            oracles.kl_divergence(case.joint, written(case.joint, order, predict))
            for order in itertools.permutations(range(case.length))
        ]
        assert orders.best == pytest.approx(min(costs), rel=1e-9)
        assert orders.worst == pytest.approx(max(costs), rel=1e-9)
        assert orders.mean == pytest.approx(sum(costs) / len(costs), rel=1e-9)
        every = [c for *_, c in circulations(case.joint, predict, exact=False)]
        largest = max(map(abs, every), default=0)
        assert orders.circulation.largest == pytest.approx(largest, rel=1e-9)


# Edge cases, and what is refused


def test_one_site_has_one_order():
    p = JointTable([1, 3], exact=True)
    orders = AnyOrder(p, Perturbed(p, smoothing=Fraction(1, 2)))
    assert orders.best_order == orders.worst_order == (0,)
    assert orders.spread == 0
    assert orders.circulation == type(orders.circulation)(0, 0, 0)
    assert orders.mean == orders.best > 0


P, PAIR = gallery.parity(3), gallery.coupled_pairs(1)
NO_ORDERS = [(0, 1), (0, 1, 1), (0, 1, 3), (0, 1, 2, 2), (0.0, 1, 2)]


def test_what_is_excluded_but_happens():
    orders = AnyOrder(PAIR, PAIR.denoise, temperature=0)
    assert orders.best == orders.mean == math.inf


test_refusals = refusals(
    ("probability 0", lambda: AnyOrder(PAIR, PAIR.denoise, temperature=0).circulation),
    ("order", AnyOrder(P, P.denoise).kl, NO_ORDERS),
    ("Distribution", lambda p: AnyOrder(p, P.denoise), [None]),
    ("temperature", lambda: AnyOrder(P, P.denoise, -1)),
    ("denoiser", lambda denoiser: AnyOrder(P, denoiser), [1]),
    ("exact denoiser", lambda: AnyOrder(gallery.parity(3, exact=True), P.denoise)),
)
