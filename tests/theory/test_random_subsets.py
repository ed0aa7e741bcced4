"""First sites and neighbours of random sets, against counting all sets."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from tests.noted import each
from theory._markov.random_subsets import first_site_probabilities, neighbour_probabilities

LENGTHS = range(1, 9)
each_length = each("length", LENGTHS)


def sets(length, size):
    """All sets of so many sites, as increasing tuples."""
    return list(itertools.combinations(range(length), size))


def share(hits, every):
    hits = list(hits)
    assert len(hits) == len(every)
    return Fraction(sum(hits), len(every))


def counted_first(length, site):
    """Share of the sets of each size whose first site this is."""
    return [
        share((chosen[:1] == (site,) for chosen in every), every)
        for every in (sets(length, size) for size in range(length + 1))
    ]


def counted_pair(length, left, right):
    """Share of the sets of each size that hold both sites and none between them."""
    return [
        share(((left, right) in itertools.pairwise(chosen) for chosen in every), every)
        for every in (sets(length, size) for size in range(length + 1))
    ]


def by_binomials(length, fixed, free):
    """Sets with `fixed` given sites, the others among `free`, out of all: k = 0..L."""
    return [
        Fraction(math.comb(free, size - fixed) if size >= fixed else 0, math.comb(length, size))
        for size in range(length + 1)
    ]


def floats(fractions):
    """Each rounded once."""
    return [float(c) for c in fractions]


# Against all sets


@each_length
def test_first_sites_exactly(length):
    probs = list(first_site_probabilities(length, Fraction))
    assert len(probs) == length
    for site, prob in enumerate(probs):
        assert prob.tolist() == counted_first(length, site)
        assert all(type(c) is Fraction for c in prob)


@each_length
def test_neighbours_exactly(length):
    """The same probability wherever the pair lies."""
    probs = list(neighbour_probabilities(length, Fraction))
    assert len(probs) == length - 1
    for gap, prob in enumerate(probs, start=1):
        for left in range(length - gap):
            assert prob.tolist() == counted_pair(length, left, left + gap)
        assert all(type(c) is Fraction for c in prob)


@each_length
@pytest.mark.parametrize("function", [first_site_probabilities, neighbour_probabilities])
def test_floats_are_the_rounded_fractions(function, length):
    exact = list(function(length, Fraction))
    rounded = list(function(length, float))
    assert len(rounded) == len(exact)
    for prob, expected in zip(rounded, exact, strict=True):
        assert prob.dtype == np.float64
        np.testing.assert_allclose(prob, floats(expected), rtol=1e-14, atol=0)


def test_binomials_at_a_hundred_sites():
    """Every probability with all its digits, though some are near 1e-29."""
    length = 100
    for site, prob in enumerate(first_site_probabilities(length, float)):
        expected = floats(by_binomials(length, 1, length - 1 - site))
        np.testing.assert_allclose(prob, expected, rtol=1e-13, atol=0)
    for gap, prob in enumerate(neighbour_probabilities(length, float), start=1):
        expected = floats(by_binomials(length, 2, length - gap - 1))
        np.testing.assert_allclose(prob, expected, rtol=1e-13, atol=0)
