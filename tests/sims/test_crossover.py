"""Crossings where they are known in closed form."""

import math

import numpy as np
import pytest
from scipy.optimize import brentq

from sims import Perturbed, policies
from sims.imperfect.crossover import crossover
from sims.imperfect.decomposition import excess_loss
from tests.noted import refusals
from theory import gallery


def entropy(e):
    return -e * math.log(e) - (1 - e) * math.log(1 - e)


def crossed(e, y):
    """Cross-entropy of a flip e that is expected to be y."""
    return -e * math.log(y) - (1 - e) * math.log(1 - y)


def too_sure(p):
    return lambda size: Perturbed(p, temperature=1 / (1 + size))


def test_the_part_that_overtakes():
    p = gallery.binary_symmetric(2, 0.1)
    policy = policies.Bernoulli((0, 0.25, 1))  # both at once: in one step or the other
    at_once = 0.25**2 + 0.75**2
    found = crossover(p, policy, too_sure(p), largest=9)

    def difference(sharpness):
        odds = (0.1 / 0.9) ** sharpness
        learning = crossed(0.1, odds / (1 + odds)) - entropy(0.1)
        return (1 - at_once) * learning - at_once * (math.log(2) - entropy(0.1))

    assert 1 + found.size == pytest.approx(brentq(difference, 1, 10), rel=1e-8)
    assert found.parts.learning == pytest.approx(found.parts.factorisation, rel=1e-8)
    assert found.loss == pytest.approx(excess_loss(p, too_sure(p)(found.size)), rel=1e-12)


def test_it_is_the_first_one_that_is_found():
    """An error that comes, goes and comes again: 1/4 of the way up and down, three times."""
    p = gallery.binary_symmetric(2, 0.1)
    policy = policies.Bernoulli((0, 0.5, 1))

    def wave(size):
        return too_sure(p)(4 * math.sin(math.pi * size) ** 2)

    found = crossover(p, policy, wave, largest=3)
    height = crossover(p, policy, too_sure(p), largest=4).size
    assert found.size == pytest.approx(math.asin(math.sqrt(height / 4)) / math.pi, rel=1e-8)


def test_parts_that_jump_past_each_other():
    """A denoiser that knows all or nothing."""
    p = gallery.binary_symmetric(2, 0.1)
    blank = np.full((1, 2), -1)

    def family(size):
        hopeless = Perturbed(p, temperature=0.01)
        return p.denoise if size < 0.3 else hopeless

    found = crossover(p, policies.Bernoulli((0, 0.5, 1)), family)
    assert found.size == pytest.approx(0.3, rel=1e-9)
    assert family(0.3)(blank).tolist() == [[[0.5, 0.5], [0.5, 0.5]]]


P, AT_ONCE, L2R = (
    gallery.binary_symmetric(3, 0.1),
    policies.RandomOrder((3,)),
    policies.LeftToRight(),
)
NO_SIZES = [0, -1, math.inf, math.nan, "1"]


def crossed_at(largest):
    return crossover(P, AT_ONCE, too_sure(P), largest=largest)


test_refusals = refusals(
    ("not the smaller one", lambda: crossover(P, L2R, too_sure(P))),  # any error is more
    ("not larger up to the size", crossed_at, [0.5]),
    ("largest", crossed_at, NO_SIZES),
    ("steps", lambda n: crossover(P, AT_ONCE, too_sure(P), steps=n), [0, 1.5, None]),
    ("floats", lambda p: crossover(p, L2R, too_sure(P)), [gallery.parity(3, exact=True)]),
    ("Distribution", lambda p: crossover(p, L2R, too_sure(P)), [None]),
)
