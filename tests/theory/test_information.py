"""Entropies and correlations against sums over the joint, and the identities of the theory."""

import functools
import itertools
import math
import random
from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from tests import oracles
from tests.cases import (
    BAD_BASES,
    BAD_SIZES,
    DEVICE1,
    EITHER,
    EXACT_CASES,
    FACTORED,
    FAMILIES,
    ON_HOST,
    build_exact,
    built,
    close,
    each_family,
    each_of_either,
    few,
    named,
    to_device1,
)
from tests.noted import refusals
from tests.theory import information_oracle as slow
from theory import (
    MASK,
    EmpiricalDistribution,
    HiddenMarkovModel,
    ImpossibleEvidence,
    JointTable,
    MarkovChain,
    TooLarge,
    gallery,
    strategies,
)
from theory.information import (
    dual_total_correlation,
    entropy,
    kl_divergence,
    path_cost,
    profile,
    total_correlation,
)


def oracle_entropy(joint, sites=None, pattern=None, exact=False):
    pattern = pattern or (MASK,) * oracles.length_of(joint)
    return oracles.entropy(oracles.condition(joint, pattern), sites, exact)


MEASURES = [
    (entropy, oracle_entropy),
    (total_correlation, oracles.total_correlation),
    (dual_total_correlation, oracles.dual_total_correlation),
]
each_measure = pytest.mark.parametrize(
    ("measure", "oracle"), MEASURES, ids=["entropy", "TC", "DTC"]
)


def questions(case):
    """Sets of sites, the observations that they are asked under, and what is meant by them.

    By default no observation, and all sites: the observed ones are constant, of the others the
    joint given the observation counts.
    """
    every = tuple(range(case.length))
    yield None, None, every
    for given_pattern in random.Random(0).sample(case.possible, k=min(3, len(case.possible))):
        yield None, list(given_pattern), every
    subsets = [s for k in range(case.length + 1) for s in itertools.combinations(every, k)]
    subsets = subsets if case in FAMILIES else few(subsets, 4)
    patterns = random.Random(0).sample(case.possible, k=min(8, len(case.possible)))
    for sites, given_pattern in zip(subsets[::-1], itertools.cycle(patterns), strict=False):
        yield sites, None, sites
        yield sites, np.array(given_pattern), sites


# Against sums over the joint


ON_THE_HOST = [(case, exact) for case in ON_HOST for exact in (False, True)]
each_either = each_of_either([*EITHER, *ON_THE_HOST])


@each_either
@each_measure
def test_of_sites_given_observations(case, exact, measure, oracle):
    p = built(case, exact)
    for sites, pattern, meant in questions(case):
        seen = None if pattern is None else tuple(pattern)
        expected = oracle(case.joint, meant, seen, exact)
        found = measure(p, sites, pattern)
        assert found == expected if exact else found == close(expected)
        if sites is None and not exact:  # what is observed adds nothing
            assert expected == close(oracle(case.joint, None, seen))


@each_family
@each_measure
def test_the_order_of_the_sites_does_not_matter(case, measure, oracle):
    p, sites = case.build(), tuple(range(case.length))
    expected = oracle(case.joint)
    for order in (sites[::-1], iter(sites), np.array(sites), set(sites)):
        assert measure(p, order) == close(expected)


@each_either
def test_profile_is_the_mean_gain_of_one_more_site(case, exact):
    actual, expected = profile(built(case, exact)), slow.profile_of(case, exact)
    if exact:
        assert tuple(actual) == expected
    else:
        assert actual.dtype == np.float64
        np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-12)


@each_measure
def test_exact_values_that_are_not_fully_factored_are_still_right(measure, oracle):
    """To thirty digits."""
    case = next(case for case in EXACT_CASES if case not in FACTORED)
    difference = measure(build_exact(case)) - oracle(case.joint, exact=True)
    assert abs(difference.evalf(40, chop=False, maxn=200)) < 1e-30


def test_path_cost_is_the_mean_divergence_over_ordered_partitions():
    """For every family and every schedule, by decoding in every order."""
    for case in FAMILIES:
        p = case.build()
        for sizes in (
            oracles.compositions(min(case.length, 4)) if case.length <= 4 else [(5,), (2, 3)]
        ):
            expected = oracles.mean_path_cost(case.joint, sizes, case.vocab)
            assert path_cost(p, sizes) == close(expected), (case.name, sizes)


@pytest.mark.parametrize("name", ["table parity", "table dense", "chain cycle from any state"])
def test_exact_path_cost(name):
    case = named(name)
    p = build_exact(case)
    for sizes in oracles.compositions(case.length):
        assert path_cost(p, sizes) == oracles.mean_path_cost(
            case.joint, sizes, case.vocab, exact=True
        )


def test_exact_bits():
    """Weights 1, 2 and 3 of 6: ``log2 6 - (2 log2 2 + 3 log2 3) / 6``."""
    log2, log3 = sympy.log(2), sympy.log(3)
    nats = (log2 + log3) - (2 * log2 + 3 * log3) / 6
    p = JointTable([1, 2, 3], exact=True)
    assert entropy(p) == nats
    for base in (2, 2.0, np.float64(2)):
        assert entropy(p, base=base) == nats / log2
    assert entropy(p, base=3) == nats / log3
    assert entropy(p, base=2.5) == nats / sympy.log(sympy.Rational(5, 2))
    assert profile(p, base=2).tolist() == [nats / log2]


# Divergence of tables


def test_divergence_is_the_sum_of_p_log_p_over_q():
    p, q = [[0.1, 0.2], [0.0, 0.7]], [[0.25, 0.25], [0.25, 0.25]]
    expected = math.fsum(a * math.log(a / 0.25) for a in (0.1, 0.2, 0.7))
    assert kl_divergence(p, q) == close(expected)
    assert kl_divergence(p, q, base=2) == close(expected / math.log(2))
    assert kl_divergence(np.array(p), np.array(p)) == 0


def test_divergence_is_infinite_outside_the_support():
    assert kl_divergence([0.5, 0.5], [0.0, 1.0]) == math.inf
    assert kl_divergence([0.5, 0.5], [0.0, 1.0], base=2) == math.inf
    assert kl_divergence([0.0, 1.0], [0.5, 0.5]) == close(math.log(2))
    half = Fraction(1, 2)
    assert kl_divergence([half, half], [Fraction(0), Fraction(1)]) == sympy.oo
    assert kl_divergence([half, half], [Fraction(0), Fraction(1)], base=2) == sympy.oo


weights = st.lists(st.integers(0, 6), min_size=3, max_size=3).filter(any)


@given(weights, weights)
def test_exact_divergence(p, q):
    """Against the definition, and infinite exactly where q misses the support of p."""
    p, q = ([Fraction(w, sum(v)) for w in v] for v in (p, q))
    expected = oracles.kl_divergence(dict(enumerate(p)), dict(enumerate(q)), exact=True)
    assert kl_divergence(p, q) == expected
    floating = kl_divergence([float(v) for v in p], [float(v) for v in q])
    assert floating == close(expected)


def test_divergence_on_a_device():
    p, q = [0.25, 0.75], [0.5, 0.5]
    expected = 0.25 * math.log(0.5) + 0.75 * math.log(1.5)
    assert kl_divergence(to_device1(p), to_device1(q)) == close(expected)
    assert kl_divergence(to_device1(p), to_device1([0.0, 1.0])) == math.inf


@each_family
def test_given_a_pattern_on_a_device(case):
    """The answers are scalars on the device of the distribution."""
    p, pattern, sites = case.build(to_device1), case.possible[-2], (0, case.length - 1)
    for measure, oracle in MEASURES:
        answer: Any = measure(p, sites, to_device1(pattern))
        assert answer.device == DEVICE1
        assert float(answer) == close(oracle(case.joint, sites, pattern))


# Large distributions, without a table


LENGTH, VOCAB = 300, 3


@pytest.fixture
def large_chain():
    rng = np.random.default_rng(0)
    return rng.dirichlet(np.ones(VOCAB)), rng.dirichlet(np.ones(VOCAB), size=VOCAB)


def test_entropy_of_a_large_chain_is_the_sum_of_its_transition_entropies(large_chain):
    """H(X) = H(X_0) + sum_i sum_a P(X_i = a) H(X_{i+1} | a)."""
    initial, transition = large_chain
    own = np.array([oracles.entropy_of(row) for row in transition])
    expected, marginal = oracles.entropy_of(initial), initial
    for _ in range(LENGTH - 1):
        expected += marginal @ own
        marginal = marginal @ transition
    p = MarkovChain(initial, transition, LENGTH)
    assert entropy(p) == pytest.approx(expected, rel=1e-12)
    alone = [entropy(p, [i]) for i in range(LENGTH)]
    assert total_correlation(p) == pytest.approx(math.fsum(alone) - expected, rel=1e-10)


def test_entropy_of_distant_sites_of_a_large_chain(large_chain):
    """H(X_a, X_b, X_c) by the powers of the transition matrix."""
    initial, transition = large_chain
    a, b, c = 5, 60, 299

    def step(n):
        return np.linalg.matrix_power(transition, n)

    first, early, late = initial @ step(a), step(b - a), step(c - b)
    joint = first[:, None, None] * early[:, :, None] * late[None, :, :]
    p = MarkovChain(initial, transition, LENGTH)
    assert entropy(p, [a, b, c]) == pytest.approx(oracles.entropy_of(joint.ravel()), rel=1e-12)


def test_dual_total_correlation_of_a_large_chain(large_chain):
    """H(X_i | all others) = H(X_i | its neighbours) = H(i-1, i, i+1) - H(i-1, i+1)."""
    length = 60
    initial, transition = large_chain
    p = MarkovChain(initial, transition, length)
    own = entropy(p, [0, 1]) - entropy(p, [1])
    own += entropy(p, [length - 2, length - 1]) - entropy(p, [length - 2])
    for i in range(1, length - 1):
        own += entropy(p, [i - 1, i, i + 1]) - entropy(p, [i - 1, i + 1])
    # DTC is the difference of sums near 60 * 60, rounded to 1e-15 of that
    assert dual_total_correlation(p) == pytest.approx(entropy(p) - own, abs=1e-10)


def test_entropy_of_a_chain_given_observations_is_that_of_its_posterior_pairs():
    """H(X | x_S) = H(X_0 | x_S) + sum_i H(X_i, X_{i+1} | x_S) - H(X_i | x_S)."""
    length, vocab = 40, 3
    rng = np.random.default_rng(1)
    initial, transition = rng.dirichlet(np.ones(vocab)), rng.dirichlet(np.ones(vocab), size=vocab)
    pattern = np.full(length, MASK)
    pattern[[3, 4, 17, 36]] = [0, 2, 1, 1]

    def log_evidence(x):
        return oracles.chain_forward_backward(initial, transition, x)[1]

    marginals, whole = oracles.chain_forward_backward(initial, transition, pattern)
    expected = oracles.entropy_of(marginals[0])
    for i in range(length - 1):
        pair = []
        for tokens in itertools.product(range(vocab), repeat=2):
            x = pattern.copy()
            x[i : i + 2] = tokens
            if all(o in (MASK, v) for o, v in zip(pattern[i : i + 2], tokens, strict=True)):
                pair.append(math.exp(log_evidence(x) - whole))
        expected += oracles.entropy_of(pair) - oracles.entropy_of(marginals[i])
    p = MarkovChain(initial, transition, length)
    assert entropy(p, given=pattern) == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("exact", [False, True], ids=["floats", "exact"])
def test_entropy_of_a_long_chain_between_two_equal_ends(exact):
    """n flips of probability e, given that their number K is even.

    P(even) = (1 + (1-2e)^n) / 2 and E[K; even] = n e (1 - (1-2e)^(n-1)) / 2, by the derivative
    of the generating function (1 - e + e z)^n at 1 and -1. Of the flips, H = log P(even)
    - E[K | even] log e - E[n - K | even] log(1 - e).
    """
    e, n = Fraction(1, 4), 300 if not exact else 30
    even = (1 + (1 - 2 * e) ** n) / 2
    flips = n * e * (1 - (1 - 2 * e) ** (n - 1)) / 2 / even
    expected = oracles.log(even) + float(flips) * math.log(4) - float(n - flips) * math.log(3 / 4)
    p = gallery.binary_symmetric(n + 1, e if exact else 0.25, exact=exact)
    pattern = [1, *[MASK] * (n - 1), 1]
    assert float(entropy(p, given=pattern)) == pytest.approx(expected, rel=1e-12)


def test_entropy_given_an_event_far_below_the_smallest_double():
    """State 0 is left with probability 1/2 a step; to be there after 2000 steps, never."""
    p = MarkovChain([0.5, 0.5], [[0.5, 0.5], [0.0, 1.0]], 2000)
    pattern = np.full(2000, MASK)
    pattern[-1] = 0
    assert entropy(p, given=pattern) == 0


def counted_entropy(rows, sites):
    counts = Counter(map(tuple, rows[:, list(sites)].tolist()))
    return oracles.entropy_of([c / len(rows) for c in counts.values()])


def test_a_large_data_set_needs_no_table():
    """10 000 sequences of 40 tokens out of 6; 6^40 cells would fit nowhere."""
    rng = np.random.default_rng(2)
    count, length, vocab = 10_000, 40, 6
    rows = rng.integers(0, 2, size=(count, length))
    rows[:, 20:] = rows[:, :20] * rng.integers(1, vocab, size=(count, 20))
    p = EmpiricalDistribution(rows, vocab=vocab)
    every = range(length)
    for sites in ([0], [3, 23], range(10), range(5, 30, 4), every):
        assert entropy(p, sites) == pytest.approx(counted_entropy(rows, sites), rel=1e-11)
    few = range(18, 26)
    alone = math.fsum(counted_entropy(rows, [i]) for i in few)
    together = counted_entropy(rows, few)
    without = math.fsum(counted_entropy(rows, [j for j in few if j != i]) for i in few)
    assert total_correlation(p, few) == pytest.approx(alone - together, rel=1e-10)
    assert dual_total_correlation(p, few) == pytest.approx(without - 7 * together, rel=1e-10)
    pattern = np.full(length, MASK)
    pattern[[0, 21]] = rows[0, [0, 21]]
    chosen = rows[((pattern == MASK) | (pattern == rows)).all(axis=1)]
    assert entropy(p, few, pattern) == pytest.approx(counted_entropy(chosen, few), rel=1e-11)


def test_profile_of_a_large_data_set():
    rng = np.random.default_rng(3)
    rows = rng.integers(0, 4, size=(10_000, 6))
    rows[:, 5] = rows[:, 0]
    means = []
    for k in range(7):
        values = [counted_entropy(rows, s) for s in itertools.combinations(range(6), k)]
        means.append(math.fsum(values) / len(values))
    actual = profile(EmpiricalDistribution(rows))
    np.testing.assert_allclose(actual, np.diff(means), rtol=0, atol=1e-10)


def test_a_profile_that_would_need_too_many_subsets_is_refused():
    with pytest.raises(TooLarge):
        profile(EmpiricalDistribution([[0, 1] * 32]))
    with pytest.raises(TooLarge):
        profile(HiddenMarkovModel([1.0], [[1.0]], [[0.5, 0.5]], 200))


@given(strategies.distributions(), st.data())
def test_any_distribution(p, data):
    """Every family agrees with the sums over its own table, given any evidence."""
    joint = {x: float(p.table()[x]) for x in oracles.all_sequences(p.length, p.vocab)}
    sites = data.draw(st.sets(st.integers(0, p.length - 1)))
    pattern = data.draw(strategies.evidence(p))
    for measure, oracle in MEASURES:
        # the entropy of a rounded zero: x log x of x near 1e-16 is near 4e-15
        assert measure(p, sites, pattern) == pytest.approx(
            oracle(joint, sorted(sites), tuple(pattern.tolist())), abs=1e-11
        )
    np.testing.assert_allclose(profile(p), oracles.profile(joint), rtol=0, atol=1e-11)


def test_entropy_of_a_symbolic_table():
    """-a log a - (1-a) log(1-a), whatever form it is written in."""
    a = sympy.Symbol("a", positive=True)
    answer: Any = entropy(JointTable([a, 1 - a], exact=True))
    for value in (sympy.Rational(1, 3), sympy.Rational(1, 10)):
        wanted = -value * sympy.log(value) - (1 - value) * sympy.log(1 - value)
        assert abs(sympy.N(answer.subs(a, value) - wanted)) < 1e-12


P = gallery.coupled_pairs(2)
BAD_SITES: dict[str, list[Any]] = {
    "4": [(0, 4)],
    "-1": [(-1, 0)],
    "distinct": [(0, 1, 0)],
    "integers": [(0.0, 1.0), ("0",)],
    "a list of sites": [2],
}
BAD_GIVEN = [[0, 1, 0], [[0, 0, MASK, MASK]], [0, 2, 0, 0], [0.0, 1.0, 0.0, 0.0], 3]

test_bad_input = refusals(
    *(
        (match, functools.partial(measure, p), sites)
        for measure, _ in MEASURES
        for p in (P, gallery.binary_symmetric(4, 0.1))
        for match, sites in BAD_SITES.items()
    ),
    *(
        ("token|shape|integer", functools.partial(measure, p, None), BAD_GIVEN)
        for measure, _ in MEASURES
        for p in (P, gallery.binary_symmetric(4, 0.1))
    ),
    ("size", functools.partial(path_cost, P), BAD_SIZES),
    (r"\(2,\).*\(3,\)", lambda: kl_divergence([0.5, 0.5], [0.5, 0.25, 0.25])),
    ("base", lambda base: kl_divergence([0.5, 0.5], [0.5, 0.5], base=base), BAD_BASES),
)


@each_family
@each_measure
def test_an_impossible_observation_raises_and_is_named(case, measure, oracle):
    with pytest.raises(oracles.Impossible):
        oracle(case.joint, None, case.impossible[0])
    with pytest.raises(ImpossibleEvidence) as caught:
        measure(case.build(), given=list(case.impossible[0]))
    assert caught.value.pattern == case.impossible[0]
