"""Distributions with free symbols: the value, which a number may replace, or one clear refusal."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
import sympy

from sims import (
    AnyOrder,
    Perturbed,
    decode,
    excess_loss,
    frontier,
    order,
    orders,
    output_distribution,
    policies,
    regret,
    split,
)
from sims.joints import Mixture, Product, Projection, Resampled, ResidualEnergy
from sims.training import best_masks, expected_excess, rate, uniform_time, visited
from tests.noted import each
from theory import InvalidInput, JointTable, MarkovChain, bounds, forward, information

HALF, EIGHTH = Fraction(1, 2), Fraction(1, 8)
SYMBOLS = (sympy.Symbol("a", positive=True), sympy.Symbol("a"))


def pair(a):
    return JointTable([[a, HALF - a], [HALF - a, a]], exact=True)


def three(a):
    """With cells that are impossible."""
    cells = [[[a, 0], [HALF - a, 0]], [[Fraction(1, 4), Fraction(1, 4)], [0, 0]]]
    return JointTable(cells, exact=True)


def chain(a):
    return MarkovChain([HALF, HALF], [[2 * a, 1 - 2 * a], [1 - 2 * a, 2 * a]], 3, exact=True)


def model(p):
    return Perturbed(p, smoothing=HALF)


def written(p, size=2):
    return output_distribution(p, policies.LeftToRight(size))


def joint(p, make):
    return output_distribution(p, policies.JointDraw(policies.LeftToRight(2), make(p)))


def masks(p):
    return uniform_time(p.length, exact=True)


TWICE = policies.LeftToRight(2)

ANSWERED = {
    "entropy": information.entropy,
    "profile": information.profile,
    "nelbo": lambda p: forward.continuous_nelbo(p, model(p)),
    "bound": lambda p: bounds.growth_complexity(p).bound,
    "table": lambda p: written(p).table,
    "kl": lambda p: written(p).kl,
    "path_kl": lambda p: written(p).path_kl,
    "reverse_kl of one site": lambda p: written(p, 1).reverse_kl,
    "tv": lambda p: written(p).tv,
    "valid_mass": lambda p: written(p).valid_mass,
    "expected_rounds": lambda p: written(p).expected_rounds,
    "corrector": lambda p: output_distribution(p, policies.GibbsCorrector(TWICE, 1)).valid_mass,
    "split": lambda p: dataclasses.astuple(split(p, TWICE, denoiser=model(p))),
    "orders": lambda p: sorted(orders(p, policies.FirstHitting()).items()),
    "orders of a clock": lambda p: sorted(orders(p, policies.Bernoulli([0, HALF, 1])).items()),
    "order": lambda p: dataclasses.astuple(order(p, policies.FirstHitting())),
    "any order": lambda p: [AnyOrder(p, model(p)).mean, AnyOrder(p, model(p)).kl(range(p.length))],
    "excess_loss": lambda p: excess_loss(p, model(p)),
    "visited": lambda p: visited(p, policies.FirstHitting()),
    "rate": lambda p: rate(p, TWICE, masks(p), HALF),
    "product": lambda p: joint(p, lambda _: Product()).table,
    "mixture": lambda p: joint(p, lambda p: Mixture(p, 2)).table,
    "projection": lambda p: joint(p, Projection).valid_mass,
    "energy": lambda p: joint(p, ResidualEnergy).table,
}

REFUSED = {
    "the best order": lambda p: AnyOrder(p, model(p)).best_order,
    "its divergence": lambda p: AnyOrder(p, model(p)).worst,
    "the spread": lambda p: AnyOrder(p, model(p)).spread,
    "the circulation": lambda p: AnyOrder(p, model(p)).circulation,
    "how tight": lambda p: bounds.growth_complexity(p).ratio,
    "the surest": lambda p: output_distribution(p, policies.TopK(1)),
    "the surest, orders": lambda p: orders(p, policies.TopK(1)),
    "the likeliest": lambda p: output_distribution(p, policies.LeftToRight(), 0),
    "speculation": lambda p: output_distribution(p, policies.Speculative()),
    "draws": lambda p: decode(p, policies.LeftToRight(), np.random.default_rng(0), 1),
    "the best": frontier,
    "regret": lambda p: regret(p, TWICE),
    "the excess": lambda p: expected_excess(p, policies.FirstHitting(), masks(p), 10),
    "candidates": lambda p: joint(p, lambda p: Resampled(p, 2)),
}


def numbers(found):
    """All numbers of a nested answer, one after the other."""
    if isinstance(found, np.ndarray):
        found = found.reshape(-1).tolist()
    return [v for x in found for v in numbers(x)] if isinstance(found, (list, tuple)) else [found]


@each("ask", ANSWERED.values(), ids=ANSWERED.keys())
@pytest.mark.parametrize(
    ("make", "a"), [(pair, SYMBOLS[0]), (pair, SYMBOLS[1]), (three, SYMBOLS[0])]
)
def test_what_is_answered_is_the_number_where_a_number_replaces_the_symbol(ask, make, a):
    found, right = numbers(ask(make(a))), numbers(ask(make(EIGHTH)))
    assert len(found) == len(right)
    for f, r in zip(found, right, strict=True):
        at = complex(sympy.sympify(f).subs(a, sympy.Rational(1, 8)))
        assert abs(at - float(r)) < 1e-12


@each("ask", REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.parametrize("a", SYMBOLS)
def test_what_needs_an_order_is_refused(ask, a):
    with pytest.raises(InvalidInput, match=r"free symbol|real numbers"):
        ask(pair(a))


def test_what_is_valid_is_what_is_not_identically_zero():
    """Three bits: 1/2 - a and a each need a half of 1/2, the last bit of the second row is even."""
    a = SYMBOLS[0]
    assert sympy.simplify(written(three(a)).valid_mass - (a / 2 + Fraction(3, 4))) == 0
    zero = (a + 1) ** 2 - a**2 - 2 * a - 1
    p = JointTable([[a, zero], [zero, 1 - a]], exact=True)
    mass = written(p).valid_mass  # a^2 + (1 - a)^2
    assert sympy.simplify(mass - (a**2 + (1 - a) ** 2)) == 0


def test_chances_of_unknown_sum_are_refused():
    a = SYMBOLS[1]

    class Doubtful(policies.Policy):
        def reveal_distribution(self, x, predictions, round_index):
            yield a, x < 0

    with pytest.raises(
        InvalidInput, match="sum to 1 is not known: it depends on the free symbols a"
    ):
        output_distribution(pair(EIGHTH), Doubtful())


def test_training_masks_of_symbols_are_found_where_what_is_uniform_is_known():
    found = best_masks(pair(SYMBOLS[0]), policies.LeftToRight())
    assert found.tolist() == best_masks(pair(EIGHTH), policies.LeftToRight()).tolist()
