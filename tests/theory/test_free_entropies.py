"""Entropies as free symbols: at true entropies they give true numbers, and wrong bounds fail."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import oracles
from tests.noted import each
from theory import MASK, InvalidInput, bounds, information, strategies
from theory.claims.kit.inequality import excess
from theory.proofs.free_entropies import FreeEntropies, FreeProfile

few = settings(max_examples=10)
exact_tables = strategies.joint_tables(lengths=(1, 3), exact=True)


def joint_of(p):
    table = p.table()
    return {x: table[x] for x in oracles.all_sequences(p.length, p.vocab)}


def subsets(sites):
    sites = tuple(sites)
    sizes = range(len(sites) + 1)
    return [chosen for k in sizes for chosen in itertools.combinations(sites, k)]


def flat(answer):
    """Numbers and arrays as one list."""
    return [v for part in answer for v in np.asarray(part, dtype=object).reshape(-1).tolist()]


def assert_same(symbolic, values, expected):
    """As combinations of logarithms of primes, once the symbols have their values."""
    symbolic, expected = flat(symbolic), flat(expected)
    assert len(symbolic) == len(expected)
    for free, number in zip(symbolic, expected, strict=True):
        found = sympy.sympify(free).xreplace(values)
        assert sympy.expand(found - number) == 0


# What follows from the mean entropies, for both kinds of symbols
BY_SIZE = {
    "all sites": lambda p: [
        f(p)
        for f in (
            information.entropy,
            information.total_correlation,
            information.dual_total_correlation,
        )
    ],
    "mean_entropies": lambda p: [information.mean_entropies(p)],
    "profile": lambda p: [information.profile(p)],
    "gains": lambda p: [information.gains(p)],
    "in bits": lambda p: [information.gains(p, base=2)],
    "path_cost": lambda p: [
        information.path_cost(p, sizes) for sizes in oracles.compositions(p.length)
    ],
    "tse_complexity": lambda p: [information.tse_complexity(p)],
    "growth_complexity": lambda p: [information.growth_complexity(p)],
    "cardinality_growth": lambda p: [information.cardinality_growth_complexity(p)],
    "gain_curve": lambda p: [information.gain_curve(p)(t) for t in (0, Fraction(1, 3), 1)],
    "grid_cost": lambda p: [information.gain_curve(p).grid_cost([0, Fraction(1, 3), 1])],
    "bounds": lambda p: [
        number
        for sizes in oracles.compositions(p.length)
        for bound in (bounds.drops(p, sizes), bounds.least_drops(p, sizes), bounds.li_cai(p, sizes))
        for number in (bound.quantity, bound.bound)
    ],
}
# What needs the entropies of sets of sites
BY_SET = {
    "subset_entropies": lambda p: [information.subset_entropies(p)],
    "entropy": lambda p: [information.entropy(p, s) for s in subsets(range(p.length))],
    "total_correlation": lambda p: [
        information.total_correlation(p, s) for s in subsets(range(p.length))
    ],
    "dual_total_correlation": lambda p: [information.dual_total_correlation(p)],
}


# Every set of sites


@pytest.mark.parametrize("length", range(1, 7))
def test_every_set_has_its_own_symbol(length):
    p = FreeEntropies(length)
    table = information.subset_entropies(p)
    assert table.shape == (2,) * length
    symbols = table.reshape(-1).tolist()
    assert symbols[0] == 0
    assert all(s.is_Symbol for s in symbols[1:])
    assert len(set(symbols)) == 2**length
    for sites in subsets(range(length)):
        index = tuple(int(i in sites) for i in range(length))
        assert p.subset_entropy(sites) == table[index]
        assert p.subset_entropy(sites[::-1]) == table[index]


def true_entropies(p):
    """The symbol of each set, and the entropy of that set by summing over the joint."""
    joint, free = joint_of(p), FreeEntropies(p.length)
    return {
        free.subset_entropy(sites): sympy.sympify(oracles.entropy(joint, sites, exact=True))
        for sites in subsets(range(p.length))
        if sites
    }


@pytest.mark.parametrize("name", BY_SIZE | BY_SET)
@given(p=exact_tables)
@few
def test_at_true_entropies_of_sets_the_numbers_are_the_library_s(name, p):
    function = (BY_SIZE | BY_SET)[name]
    assert_same(function(FreeEntropies(p.length)), true_entropies(p), function(p))


@given(exact_tables)
@few
def test_conditional_total_correlations(p):
    """The mean over what is known, from the definition."""
    joint, free, values = joint_of(p), FreeEntropies(p.length), true_entropies(p)
    for known in subsets(range(p.length)):
        rest = [i for i in range(p.length) if i not in known]
        for sites in subsets(rest):
            symbolic = free.conditional_total_correlation(sites, known)
            assert_same([symbolic], values, [mean_total_correlation(joint, sites, known)])


def mean_total_correlation(joint, sites, known):
    mean = sympy.S.Zero
    for tokens, prob in oracles.marginal(joint, known).items():
        if prob != 0:
            pattern = [MASK] * oracles.length_of(joint)
            for site, token in zip(known, tokens, strict=True):
                pattern[site] = token
            part = oracles.total_correlation(joint, sites, tuple(pattern), exact=True)
            mean += oracles.rational(prob) * part
    return mean


@pytest.mark.parametrize("sizes", oracles.compositions(4), ids=str)
def test_the_path_cost_is_the_mean_over_partitions(sizes):
    """And it is not with the profile read one site too late, unless every batch is one site."""
    p = FreeEntropies(4)
    paths = list(oracles.ordered_partitions(range(4), sizes))
    total = sympy.S.Zero
    for path in paths:
        known = ()
        for batch in path:
            total += p.conditional_total_correlation(batch, known)
            known += batch
    cost = information.path_cost(p, sizes)
    assert cost - total / len(paths) == 0
    f, starts = information.profile(p), itertools.accumulate((0, *sizes[:-1]))
    late = sum(s * f[a + s - 1] - sum(f[a : a + s]) for a, s in zip(starts, sizes, strict=True))
    assert (late - total / len(paths) == 0) is (max(sizes) == 1)


def true_falls(p):
    """The symbols of a free profile, and what they are by summing over the joint."""
    f = oracles.profile(joint_of(p), exact=True)
    free = FreeProfile(p.length)
    values = {fall: a - b for fall, (a, b) in zip(free.falls, itertools.pairwise(f), strict=True)}
    return values | {sympy.Symbol("f", nonnegative=True): sympy.sympify(f[-1])}


@pytest.mark.parametrize("name", BY_SIZE)
@given(p=exact_tables)
@few
def test_at_true_falls_the_numbers_are_the_library_s(name, p):
    function = BY_SIZE[name]
    assert_same(function(FreeProfile(p.length)), true_falls(p), function(p))


@pytest.mark.parametrize("length", range(1, 8))
def test_a_free_profile_falls_by_its_falls(length):
    p = FreeProfile(length)
    assert len(p.falls) == len(set(p.falls)) == length - 1
    assert all(fall.is_nonnegative for fall in p.falls)
    f = information.profile(p)
    assert f.shape == (length,)
    assert [a - b for a, b in itertools.pairwise(f)] == list(p.falls)
    assert f[-1].is_nonnegative
    assert f[-1] not in p.falls
    assert information.mean_entropies(p)[0] == 0


# Slacks


@given(st.lists(st.fractions(-5, 5, max_denominator=6), min_size=1, max_size=6))
def test_a_linear_slack_is_judged_by_its_coefficients(coefficients):
    p = FreeProfile(len(coefficients) + 1)
    slack = sum(oracles.rational(c) * d for c, d in zip(coefficients, p.falls, strict=True))
    assert (excess(-slack, 0) > 0) is any(c < 0 for c in coefficients)
    assert excess(-slack, 0) == 0 or min(coefficients) < 0


def test_coefficients_are_collected_before_they_are_judged():
    a, b = FreeProfile(3).falls
    assert excess(a - 3 * b, 2 * (a - b)) == 0
    assert excess(a**2 + 2 * a * b + b**2 + a, (a + b) ** 2) == 1
    assert excess(3 * a * b, (a + b) ** 2) == 1  # which is not negative, but has such a coefficient
    assert excess(2 * b / sympy.log(2), a / sympy.log(2)) == 2
    assert excess(a / (1 + b), a) == 0
    assert excess(a - a, 0) == 0


@pytest.mark.parametrize(
    "slack",
    [
        lambda a: a + sympy.Symbol("x"),
        lambda a: a * sympy.Symbol("d_0"),  # another symbol of this name
        lambda a: a + sympy.log(a),
        lambda a: sympy.sqrt(sympy.Symbol("x", real=True)) * a,
    ],
)
def test_what_may_be_negative_in_other_ways_is_refused(slack):
    (a,) = FreeProfile(2).falls
    with pytest.raises(InvalidInput, match="not a quotient of polynomials in numbers"):
        excess(-slack(a), 0)


QUESTIONS = {
    "table": lambda p: p.table(),
    "lattice": lambda p: p.lattice(),
    "marginals": lambda p: p.marginals,
    "denoise": lambda p: p.denoise([0, MASK]),
    "evidence": lambda p: p.evidence([0, MASK]),
    "log_evidence": lambda p: p.log_evidence([[0, 1]]),
    "sample": lambda p: p.sample(np.random.default_rng(0), 1),
    "entropy given": lambda p: information.entropy(p, given=[0, MASK]),
    "estimate": lambda p: information.estimate_profile(p, np.random.default_rng(0), 2),
}


@each("question", QUESTIONS)
@each("kind", [FreeEntropies, FreeProfile])
def test_there_are_no_probabilities(kind, question):
    with pytest.raises(InvalidInput, match="free entropies have no probabilities"):
        QUESTIONS[question](kind(2))


def test_a_free_profile_has_no_entropies_of_sets():
    with pytest.raises(InvalidInput, match="free entropies have no probabilities"):
        information.subset_entropies(FreeProfile(2))
    for question in (information.entropy, information.total_correlation):
        with pytest.raises(InvalidInput, match=r"means over all sets .* of sites \(0, 2\)"):
            question(FreeProfile(3), [0, 2])
