"""What decoding refuses, followed exactly and by drawing."""

import math
from fractions import Fraction

import numpy as np
import pytest
import sympy

from sims import decode, output_distribution
from sims.policies import (
    BlockCorrector,
    Blocks,
    GibbsCorrector,
    LeftToRight,
    Policy,
    RandomOrder,
    Remask,
    Rule,
    Speculative,
    Tabulated,
    TokenConfidence,
    TokenPolicy,
    TopK,
)
from tests.cases import build_exact
from tests.noted import each
from tests.sims.policy_table import SMALL
from theory import MASK, InvalidInput, JointTable


def drawn(p, policy, temperature=1, denoiser=None):
    return decode(p, policy, np.random.default_rng(0), 30, temperature, denoiser)


each_way = pytest.mark.parametrize("decoded", [output_distribution, drawn], ids=["exact", "drawn"])
P, EXACT = SMALL["zeros"].build(), build_exact(SMALL["zeros"])
each_arithmetic = each("p", [P, EXACT], ids=["floats", "exact"])

# Rules


def first_site(x):
    return np.zeros(x.shape, dtype=np.int64) + np.arange(x.shape[1]) == 0


BAD_RULES = {
    "none": (lambda x, f: np.zeros(x.shape, dtype=bool), "no site"),
    "an observed one": (lambda x, f: first_site(x), "an observed site"),
    "twice": (lambda x, f: np.where((x == MASK).all(), first_site(x), True), "an observed site"),
    "no row left out": (
        lambda x, f: (x == MASK) & (x[:, :1] != 1) & ((x == MASK).cumsum(axis=1) == 1),
        "no site",
    ),
    "too few rows": (lambda x, f: np.ones((len(x) + 1, 3), dtype=bool), "shape"),
    "too few sites": (lambda x, f: np.ones((len(x), 2), dtype=bool), "shape"),
    "flat": (lambda x, f: np.ones(3, dtype=bool), r"shape \(3,\)"),
    "numbers": (lambda x, f: np.ones(x.shape), "float64"),
    "integers": (lambda x, f: np.ones(x.shape, dtype=np.int64), "int64"),
    "list": (lambda x, f: [[True] * 3], "list"),
    "nothing": (lambda x, f: None, "None"),
}
WAYS = {
    "rule": Rule,
    "function": lambda f: f,
    "block": lambda f: Blocks(3, Rule(f)),
    "corrector": lambda f: GibbsCorrector(Rule(f), 1),
}


@each_way
@each(("select", "match"), BAD_RULES.values(), ids=BAD_RULES)
@each("way", WAYS.values(), ids=WAYS)
@each_arithmetic
def test_rules_that_select_wrongly(p, way, select, match, decoded):
    with pytest.raises(InvalidInput, match=match):
        decoded(p, way(select))


# Probabilities of a policy


class Given(Policy):
    """Everything, with these probabilities."""

    def __init__(self, *probabilities, steps=None):
        self.probabilities, self._steps = probabilities, steps

    @property
    def steps(self):
        return self._steps

    def reveal_distribution(self, x, predictions, round_index):
        for given in self.probabilities:
            yield given(len(x)) if callable(given) else given, x == MASK


@each_way
@each("probabilities", [[], [0.5], [1, 1], [0.5, 0.25], [1.5, -0.5], [1.25], [Fraction(3, 4)]])
@each_arithmetic
def test_probabilities_sum_to_one(p, probabilities, decoded):
    with pytest.raises(InvalidInput, match="probabilities"):
        decoded(p, Given(*probabilities))


@each(
    ("given", "match"),
    [
        (lambda n: np.full((n, 1), Fraction(1)), r"shape \(1, 1\)"),
        (lambda n: np.full(n + 1, Fraction(1)), r"shape \(2,\)"),
        (lambda n: np.full((n, 3), Fraction(1)), r"shape \(1, 3\)"),
        (lambda n: np.full(n, 0.75), r"0\.75"),
        (lambda n: np.full(n, Fraction(3, 4)), r"3/4|0\.75"),
        (lambda n: 1.25, r"1\.25"),
    ],
)
@each_arithmetic
def test_probabilities_of_rows(p, given, match):
    with pytest.raises(InvalidInput, match=rf"probabilities.*{match}"):
        output_distribution(p, Given(given))


class Short(Policy):
    """A clock that ends too early."""

    steps = 1  # pyright: ignore

    def reveal_distribution(self, x, predictions, round_index):
        yield 1, first_site(x)


class Idle(TokenPolicy):
    """A token policy that writes nothing."""

    def outcomes(self, x, call_denoiser, round_index, /):
        yield np.arange(len(x), dtype=np.int64), np.ones(len(x)), x, 1

    def write(self, x, call_denoiser, round_index, rng, /):
        return x, 1


@each_way
@each(
    ("policy", "match"),
    [
        (Short(), "masked at the end"),
        (Idle(), "wrote none"),
        (RandomOrder((1, 1)), "sums to 2"),
        (Blocks(2, RandomOrder((2,))), "length 1"),
        (Tabulated(np.ones((3, 3), dtype=np.int64)), "2 sites"),
        (BlockCorrector(LeftToRight(), 5, 1), "length 3, got 5"),
        (GibbsCorrector(RandomOrder((5,)), 1), "sums to 5"),
        *((policy, "policy must be") for policy in (None, 1, "left to right", object())),
    ],
)
def test_policies_that_do_not_fit(policy, match, decoded):
    with pytest.raises(InvalidInput, match=match):
        decoded(P, policy)


# Temperatures and denoisers


@each_way
@each("temperature", [-1, -0.001, math.nan, math.inf, "1", None])
@each_arithmetic
def test_temperatures_are_finite_and_not_negative(p, temperature, decoded):
    with pytest.raises(InvalidInput, match="temperature"):
        decoded(p, LeftToRight(), temperature)


@each_way
def test_exact_distributions_take_temperature_zero_or_one(decoded):
    with pytest.raises(InvalidInput, match="exact"):
        decoded(EXACT, LeftToRight(), 0.5)


BAD_ANSWERS = {
    "vocabulary": (lambda x: np.full((*x.shape, 3), 1 / 3), r"shape.*\(\d+, 3, 3\)"),
    "no vocabulary": (lambda x: np.full(x.shape, 0.5), r"shape.*\(\d+, 3\)"),
    "rows": (lambda x: np.full((len(x) + 1, 3, 2), 0.5), "shape"),
    "too few": (lambda x: np.full((*x.shape, 2), 0.4), r"sum to 1: .* sum to 0\.8 "),
    "too much": (lambda x: np.full((*x.shape, 2), 0.6), r"sum to 1: .* sum to 1\.2 "),
    "negative": (lambda x: np.broadcast_to([1.5, -0.5], (*x.shape, 2)), r"hold -0\.5 "),
    "nan": (lambda x: np.full((*x.shape, 2), math.nan), "nan"),
    "number": (lambda x: 0.5, "shape|float"),
    "none": (lambda x: None, "None"),
    "no function": (0.5, "denoiser"),
}
ASKING = [LeftToRight(), TopK(2), TokenConfidence(2), Speculative(), Remask((0, 1), 1)]


@each_way
@each(("denoiser", "match"), BAD_ANSWERS.values(), ids=BAD_ANSWERS)
@each("policy", [*ASKING, GibbsCorrector(None, 1)], ids=repr)
def test_denoisers_that_answer_no_probabilities(policy, denoiser, match, decoded):
    with pytest.raises(InvalidInput, match=match):
        decoded(P, policy, denoiser=denoiser)


@each_way
@each("value", [Fraction(2, 5), Fraction(3, 5)])
@each("policy", [LeftToRight(), Speculative(), GibbsCorrector(None, 1)], ids=repr)
def test_exact_denoisers_that_answer_no_probabilities(policy, value, decoded):
    with pytest.raises(InvalidInput, match=f"sum to {2 * value} "):
        decoded(EXACT, policy, denoiser=lambda x: np.full((*x.shape, 2), value, dtype=object))


@each("policy", [LeftToRight(), GibbsCorrector(None, 1), Speculative()], ids=repr)
def test_free_symbols_cannot_be_drawn_from(policy):
    a = sympy.Symbol("a", positive=True)
    with pytest.raises(InvalidInput, match="symbol"):
        drawn(JointTable([[1 - a, 0], [0, a]], exact=True), policy)
