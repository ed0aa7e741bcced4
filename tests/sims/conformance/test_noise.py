"""Open random numbers: every answer has the probability that its definition gives it."""

import itertools
import math
import re

import numpy as np
import pytest

from sims.conformance.noise import GUARD, Noise
from sims.conformance.replay import NotEnumerable
from tests.noted import each
from tests.sims.conformance.enumerated import outcomes, rows

CLOSE = 1e-14  # a few products of probabilities

WEIGHTS = np.asarray([3.0, 1.0, 0.0, 4.0])
T = 0.5


def uniform(run, *shape):
    return Noise.uniform(run, (run.rows, *shape))


def exponential(noise):
    return noise.log().times(-1)


def gumbel(noise):
    return exponential(noise).log().times(-1)


def with_logits(noise):
    with np.errstate(divide="ignore"):
        return gumbel(noise).plus(np.log(WEIGHTS))


SCORES = {
    "logits + Gumbel": (with_logits, True, 1.0),
    "-logits - Gumbel": (lambda u: with_logits(u).times(-1), False, 1.0),
    "logits / T + Gumbel": (lambda u: gumbel(u).times(T).plus(np.log(WEIGHTS + 1e-300)), True, T),
    "exp(logits) / E**T": (
        lambda u: exponential(u).to_the(T).reciprocal().times(WEIGHTS),
        True,
        T,
    ),
    "E / weights": (
        lambda u: (
            exponential(u)
            .times(1 / np.where(WEIGHTS > 0, WEIGHTS, 1.0))
            .where(WEIGHTS > 0, math.inf)
        ),
        False,
        1.0,
    ),
    "log U / weights": (
        lambda u: (
            u.log().times(1 / np.where(WEIGHTS > 0, WEIGHTS, 1)).where(WEIGHTS > 0, -math.inf)
        ),
        True,
        1.0,
    ),
    "U**(1 / weights)": (
        lambda u: u.to_the(1 / np.where(WEIGHTS > 0, WEIGHTS, 1.0)).where(WEIGHTS > 0, 0.0),
        True,
        1.0,
    ),
    "-2 U**(1 / weights)": (
        lambda u: (
            u.to_the(1 / np.where(WEIGHTS > 0, WEIGHTS, 1.0)).times(-2).where(WEIGHTS > 0, 0.0)
        ),
        False,
        1.0,
    ),
    "2 exp(E / weights)": (
        lambda u: (
            exponential(u)
            .times(1 / np.where(WEIGHTS > 0, WEIGHTS, 1.0))
            .exp()
            .times(2)
            .where(WEIGHTS > 0, math.inf)
        ),
        False,
        1.0,
    ),
    "log(1 - U)": (
        lambda u: u.times(-1).plus(1).log().times(1 / (WEIGHTS + 1e-300)),
        True,
        1.0,
    ),
    "exp(logits + Gumbel)": (lambda u: with_logits(u).exp(), True, 1.0),
    "guarded": (
        lambda u: (
            exponential(u.plus(1e-20)).plus(1e-20).log().times(-1).plus(np.log(WEIGHTS + 1e-300))
        ),
        True,
        1.0,
    ),
}


def plackett_luce(weights, count):
    """{indices: probability}, drawn one after the other without replacement."""
    found = {}
    for picked in itertools.permutations(range(len(weights)), count):
        left, mass = sum(weights), 1.0
        for i in picked:
            mass *= weights[i] / left if left > 1e-9 else 0.0
            left -= weights[i]
        if mass > 0:
            found[picked] = mass
    return found


def assert_same(found, expected):
    found = {key: mass for key, mass in found.items() if mass > 1e-100}
    assert found == pytest.approx(expected, abs=CLOSE)


@pytest.mark.parametrize("name", SCORES)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_races_are_plackett_luce(name, count):
    scores, largest, temperature = SCORES[name]

    def ask(run):
        return rows(scores(uniform(run, 4)).order(-1, count, largest=largest))

    weights = WEIGHTS ** (1 / temperature)
    assert_same(outcomes(ask), plackett_luce(weights, count))


@pytest.mark.parametrize("name", SCORES)
def test_the_last_of_a_race_are_those_that_all_others_leave(name):
    scores, largest, temperature = SCORES[name]

    def ask(run):
        return rows(scores(uniform(run, 4)).order(-1, 4, largest=not largest))

    expected = plackett_luce((WEIGHTS ** (1 / temperature))[[0, 1, 3]], 3)
    place = {0: 0, 1: 1, 2: 3}
    expected = {(2, *(place[i] for i in key[::-1])): mass for key, mass in expected.items()}
    assert_same(outcomes(ask), expected)


def test_a_coin_is_asked_for_once():
    """Compared again, a number answers as it did, and with another number as it must."""

    def ask(run):
        u = uniform(run, 2)
        first, again, more = u.below([0.25, 0.5]), u.below([0.25, 0.5]), u.below([0.5, 0.75])
        return rows(np.stack([first, again, more], axis=1).astype(int))

    expected = {}
    for (a, p), (b, q) in itertools.product(
        [((1, 1, 1), 0.25), ((0, 0, 1), 0.25), ((0, 0, 0), 0.5)],
        [((1, 1, 1), 0.5), ((0, 0, 1), 0.25), ((0, 0, 0), 0.25)],
    ):
        expected[tuple(itertools.chain(*zip(a, b, strict=True)))] = p * q
    assert_same(outcomes(ask), expected)


def test_cells_of_one_number_are_one_choice():
    """The inverse of a distribution function, with an impossible token and one repeated edge."""
    edges = np.cumsum([0.2, 0.0, 0.5, 0.3])

    def ask(run):
        u = uniform(run, 1)
        return rows(4 - u.mapped(lambda v: v[:, :, None]).below(edges).sum(axis=-1))

    assert_same(outcomes(ask), {(0,): 0.2, (2,): 0.5, (3,): 0.3})


X, C = 0.7, 1.5
MADE = {
    "uniform": (lambda u: u.times(C).plus(0.1), (X - 0.1) / C),
    "exponential": (lambda u: exponential(u).times(C), 1 - math.exp(-X / C)),
    "Weibull": (lambda u: exponential(u).to_the(2), 1 - math.exp(-math.sqrt(X))),
    "Frechet": (lambda u: exponential(u).to_the(2).reciprocal(), math.exp(-(X**-0.5))),
    "Gumbel": (lambda u: gumbel(u).times(C).plus(0.1), math.exp(-math.exp(-(X - 0.1) / C))),
    "power": (lambda u: u.to_the(3), X ** (1 / 3)),
    "Pareto": (lambda u: u.to_the(-3).plus(0), 0.0),
    "a part of a power": (lambda u: u.to_the(3).times(C), (X / C) ** (1 / 3)),
    "1 / power": (lambda u: u.to_the(-1 / 3).reciprocal(), X**3),
}


@each("name, flipped, negated", itertools.product(MADE, [False, True], [False, True]))
def test_every_kind_is_compared_by_its_distribution_function(name, flipped, negated):
    """Written out: F(x) of exponential, Gumbel, Frechet, Weibull and power distributions."""
    make, below = MADE[name]

    def ask(run):
        u = uniform(run, 1)
        value = make(u.times(-1).plus(1) if flipped else u)
        if negated:
            return rows(~value.times(-1).below(-X))
        return rows(value.below(X))

    expected = {(True,): below, (False,): 1 - below}
    assert_same(outcomes(ask), {key: mass for key, mass in expected.items() if mass})


def test_uniform_numbers_are_ordered_in_groups():
    """Raised by 1, or masked out with any number beside their range."""

    def raised(run):
        return rows(uniform(run, 3).plus([0, 1, 1]).order(-1, 3, largest=True))

    def hidden(run):
        u = uniform(run, 3).where(np.asarray([False, True, True]), -1.0)
        return rows(u.order(-1, 2, largest=True))

    def by_factor(run):
        return rows(uniform(run, 3).times([0, 1, 1]).order(-1, 3, largest=False))

    assert_same(outcomes(raised), {(1, 2, 0): 0.5, (2, 1, 0): 0.5})
    assert_same(outcomes(hidden), {(1, 2): 0.5, (2, 1): 0.5})
    assert_same(outcomes(by_factor), {(0, 1, 2): 0.5, (0, 2, 1): 0.5})


MAKE = {
    "gumbel": gumbel,
    "reciprocal": lambda u: exponential(u).reciprocal(),
    "negative": lambda u: u.log(),
    "power": lambda u: u.to_the(2),
}


@each("name", MAKE)
def test_lines_without_noise_among_others(name):
    """The first of the largest numbers where nothing is open, and no number where something is."""
    lines = np.full((3, 3), -math.inf)
    lines[1] = [-2, -1, -1]
    keep = np.asarray([[True, False, True], [False] * 3, [False, True, False]])

    def ask(run):
        return rows(MAKE[name](uniform(run, 3, 3)).where(keep, lines).order(-1, 1, largest=True))

    assert_same(outcomes(ask), {(0, 1, 1): 0.5, (2, 1, 1): 0.5})


NO_CLOSED_FORM = {
    "overlap": lambda u: u.plus([0, 0.5, 1]).order(-1, 1, largest=True),
    "several temperatures": lambda u: gumbel(u).times([1, 1, 2]).order(-1, 1, largest=True),
    "overlap (of powers)": lambda u: u.to_the(2).times([1, 2, 3]).order(-1, 1, largest=True),
    "the logarithm of power": lambda u: u.to_the(2).times(2).log(),
    "overlap (a number)": lambda u: (
        gumbel(u).where([True, True, False], 0).order(-1, 1, largest=True)
    ),
    "asked for before": lambda u: [u.order(-1, 1, largest=True) for _ in range(2)],
    "after a race": lambda u: (u.order(-1, 1, largest=True), u.below(0.5)),
    "compared with numbers": lambda u: (u.below(0.5), gumbel(u).order(-1, 1, largest=True)),
    "the sum of exponential noise": lambda u: exponential(u).plus(2 * GUARD),
    "logarithm or power of uniform noise": lambda u: u.times(2).log(),
    "the reciprocal of uniform": lambda u: u.reciprocal(),
    "between bounds": lambda u: u.clipped(0.1, 1.0),
    "together with nan": lambda u: u.plus(math.nan),
    "takes part twice": lambda u: u.mapped(lambda v: v[:, [0, 0, 1]]).order(-1, 1, largest=True),
    "takes part twice (in two lines)": lambda u: gumbel(
        u.mapped(lambda v: np.stack([v, v], axis=1))
    ).order(-1, 1, largest=True),
    "together with nan (a logarithm)": lambda u: u.where(np.asarray([True, True, False]), -1).log(),
    "together with nan (in its place)": lambda u: u.where(
        np.asarray([True, True, False]), math.nan
    ),
    "both signs": lambda u: gumbel(u).times([1, -1, 1]).order(-1, 1, largest=True),
    "undefined shift or scale": lambda u: exponential(u).times([1, 1, -1]).log(),
}


@each("what", NO_CLOSED_FORM)
def test_what_has_no_closed_form_is_named_with_its_place(what):
    with pytest.raises(NotEnumerable, match=what.split(" (")[0]) as refused:
        outcomes(lambda run: NO_CLOSED_FORM[what](uniform(run, 3)))
    assert re.search(r"cannot be enumerated.*\(.*test_noise.py:\d+\)$", str(refused.value))
