"""Measures of predictions against the joint, by going through everything."""

import functools
import math
from fractions import Fraction
from numbers import Rational
from typing import Any

import numpy as np
import pytest
import sympy

from tests import oracles
from tests.cases import (
    NO_DISTRIBUTION,
    build_exact,
    each_case,
    each_factored,
    each_family,
    few,
    row,
    to_device1,
)
from tests.noted import refusals
from tests.theory import homogenization_oracle as oracle
from theory import (
    MASK,
    HiddenMarkovModel,
    ImpossibleEvidence,
    InvalidInput,
    MarkovChain,
    ProductMixture,
    TooLarge,
    gallery,
    homogenization,
)
from theory._core.arrays import to_host
from theory._core.log_numbers import LinearForm

measure: Any = homogenization.measure
average: Any = homogenization.average
worst: Any = homogenization.worst

NAMES = ["entropy", "top_mass", "neighbour_tv", "limit_tv", "information"]


def same(found, expected, log_base=1.0):
    """Floats that agree; `expected` is a dict of lists in nats."""
    assert to_host(found.sites).tolist() == expected["sites"]
    assert to_host(found.distance).tolist() == expected["distance"]
    for name in NAMES:
        scale = log_base if name in ("entropy", "information") else 1.0
        values = np.asarray(expected[name], dtype=float) / scale
        result = np.asarray(to_host(getattr(found, name)))
        assert result.shape == values.shape
        np.testing.assert_allclose(result, values, rtol=1e-10, atol=1e-11, err_msg=name)
    effective = np.exp(np.asarray(expected["entropy"], dtype=float))  # also of a mean entropy
    np.testing.assert_allclose(to_host(found.effective_vocabulary), effective, rtol=1e-10)


def patterns_of(case):
    return few((x for x in case.possible if MASK in x), 6)


def site_sets(case):
    """Some sets of observed sites that leave something masked."""
    sites = range(case.length)
    sets = [(), (0,), (case.length - 1,), (0, case.length - 1), tuple(sites[1:]), tuple(sites[::2])]
    return sorted({s for s in map(tuple, map(sorted, map(set, sets))) if len(s) < case.length})


# One pattern


@each_case
def test_measure(case):
    p = case.build()
    top = min(2, case.vocab)
    for x in patterns_of(case):
        expected = oracle.measures(case.joint, case.vocab, x, top=top)
        found = measure(p, list(x), top=top)
        same(found, expected)
        predictions = np.asarray(expected["predictions"], dtype=float)
        np.testing.assert_allclose(to_host(found.predictions), predictions, atol=1e-12)
        same(measure(p, list(x), top=top, base=2), expected, log_base=math.log(2))


@each_case
def test_a_limit_of_ones_own(case):
    p, length, vocab = case.build(), case.length, case.vocab
    dist = np.arange(1.0, vocab + 1) / (vocab * (vocab + 1) / 2)
    dists = np.stack([np.roll(dist, i) for i in range(length)])
    for x in patterns_of(case)[:3]:
        for limit, rows in ((dist, [dist] * length), (dists, dists)):
            expected = oracle.measures(case.joint, vocab, x, limit=[list(v) for v in rows])
            same(measure(p, list(x), limit=limit), expected)


def exactly(found, expected):
    """Equal numbers, none of them a float except nan."""
    for name in NAMES:
        for value, right in zip(
            np.asarray(getattr(found, name), object).reshape(-1),
            np.asarray(expected[name], object).reshape(-1),
            strict=True,
        ):
            if name == "neighbour_tv" and right != right:
                assert value != value or value is sympy.nan
                continue
            assert not isinstance(value, float)
            assert sympy.expand(as_sympy(value) - as_sympy(right)) == 0, name


def as_sympy(value) -> Any:
    return oracles.rational(value) if isinstance(value, Rational) else sympy.sympify(value)


@each_factored
def test_exact_measure(case):
    p = build_exact(case)
    for x in patterns_of(case)[:3]:
        expected = oracle.measures(case.joint, case.vocab, x, exact=True)
        exactly(measure(p, list(x)), expected)


@each_family
def test_impossible_evidence(case):
    p = case.build()
    for x in few((x for x in case.impossible if MASK in x), 2):
        with pytest.raises(ImpossibleEvidence):
            measure(p, list(x))


# Averages and extremes


@functools.cache
def contexts_of(case, observed, **options):
    """The probabilities of all contexts, and the measures of each."""
    every = list(oracle.contexts(case.joint, case.vocab, observed))
    each = [oracle.measures(case.joint, case.vocab, x, **options) for x, _ in every]
    return [prob for _, prob in every], each


def over_contexts(case, observed, combine, **options):
    """Combine the values of each measure with the probabilities of the contexts."""
    probs, each = contexts_of(case, observed, **options)
    out = {name: each[0][name] for name in ("sites", "distance")}
    for name in NAMES:
        columns = zip(*(m[name] for m in each), strict=True)
        if name == "top_mass":
            out[name] = [
                [combine(name, probs, list(v)) for v in zip(*site, strict=True)] for site in columns
            ]
        else:
            out[name] = [combine(name, probs, list(site)) for site in columns]
    return out


def mean(name, probs, values):
    if any(v != v for v in values):
        return math.nan
    if any(isinstance(v, (sympy.Basic, LinearForm)) for v in values):
        return sum(oracles.rational(c) * v for c, v in zip(probs, values, strict=True))
    return sum(c * v for c, v in zip(probs, values, strict=True))


def extreme(name, probs, values):
    if any(v != v for v in values):
        return math.nan
    return min(values) if name == "entropy" else max(values)


@each_case
def test_average_and_worst(case):
    p, top = case.build(), min(2, case.vocab)
    for observed in site_sets(case):
        expected = over_contexts(case, observed, mean, top=top)
        found = average(p, observed, top=top)
        same(found, expected)
        assert found.predictions is None
        for i, information in zip(expected["sites"], to_host(found.information), strict=True):
            shared = oracles.mutual_information(case.joint, [i], observed) if observed else 0
            assert information == pytest.approx(float(shared), rel=1e-9, abs=1e-11)
        same(average(p, observed, top=top, base=2), expected, math.log(2))
        same(worst(p, observed, top=top), over_contexts(case, observed, extreme, top=top))


@each_factored
def test_exact_average_and_worst(case):
    p = build_exact(case)
    for observed in few(site_sets(case), 2):
        expected = over_contexts(case, observed, mean, exact=True)
        exactly(average(p, observed), expected)
    observed = site_sets(case)[-1]
    found = worst(p, observed)
    top = over_contexts(case, observed, extreme)["top_mass"]
    assert np.asarray(found.top_mass, object).tolist() == top


@each_family
def test_of_some_sites_against_a_limit_and_in_any_order(case):
    p, length, vocab = case.build(), case.length, case.vocab
    limit = ((Fraction(1, vocab),) * vocab,) * length
    for observed, options, meant in (
        ((0,), {"sites": (length - 1,)}, {}),
        ((0,), {"sites": tuple(range(1, length))}, {}),
        ((length - 1,), {"limit": np.full(vocab, 1 / vocab)}, {"limit": limit}),
    ):
        for ask, combine in ((average, mean), (worst, extreme)):
            expected = over_contexts(case, observed, combine, **(options | meant))
            same(ask(p, observed, **options), expected)
    observed = (2, 0)[-length + 1 :]
    expected = over_contexts(case, tuple(sorted(observed)), mean)
    same(average(p, iter(observed)), expected)


@each_family
def test_estimates(case):
    """Within five standard errors of the mean, with the deviation of the measure from the joint."""
    p, size, observed = case.build(), 2000, (case.length - 1,)
    found = average(p, observed, rng=np.random.default_rng(0), size=size)
    first = over_contexts(case, observed, mean)
    probs, each = contexts_of(case, observed)
    probs = np.asarray(probs, dtype=float)
    for name in NAMES:
        values = np.asarray([m[name] for m in each], dtype=float)
        center = np.asarray(first[name], dtype=float)
        spread = np.tensordot(probs, (values - center) ** 2, axes=1)
        off = abs(np.asarray(to_host(getattr(found, name))) - center)
        assert ((off <= 5 * np.sqrt(spread / size) + 1e-10) | np.isnan(center)).all(), name
    again = average(p, observed, rng=np.random.default_rng(0), size=size)
    assert (to_host(again.entropy) == to_host(found.entropy)).all()


@each_family
def test_the_worst_of_many_contexts_is_the_worst(case):
    observed = (0,)
    rng = np.random.default_rng(1)
    found = worst(case.build(), observed, rng=rng, size=2000)
    same(found, over_contexts(case, observed, extreme))


# Long sequences


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_ten_thousand_sites(noise):
    """Correlations of a binary symmetric chain, seen through noise, shrink by 1 - 2e a step."""
    flip, length = 0.001, 10**4
    steps = [[1 - flip, flip], [flip, 1 - flip]]
    if noise:
        seen = [[1 - noise, noise], [noise, 1 - noise]]
        p = HiddenMarkovModel([0.5, 0.5], steps, seen, length)
    else:
        p = MarkovChain([0.5, 0.5], steps, length)
    n = np.arange(1, length)
    mass = (1 + (1 - 2 * noise) ** 2 * (1 - 2 * flip) ** n) / 2
    entropy = -mass * np.log(mass) - (1 - mass) * np.log1p(-mass)
    for m in (homogenization.average(p, [0]), homogenization.worst(p, [0])):
        np.testing.assert_allclose(m.top_mass[:, 0], mass, rtol=1e-9)
        np.testing.assert_allclose(m.entropy, entropy, rtol=1e-9)
        np.testing.assert_allclose(m.information, np.log(2) - entropy, atol=1e-9)
        np.testing.assert_allclose(m.limit_tv, mass - 0.5, atol=1e-9)
        np.testing.assert_array_equal(m.distance, n)


def test_between_two_distant_tokens():
    """After 0 and before 0: (1 + s)(1 + t) / (2 (1 + s t)), s and t the correlations."""
    length, rho = 10**4, 0.999
    p = gallery.binary_symmetric(length, (1 - rho) / 2)
    m = homogenization.measure(p, [0, *[MASK] * (length - 2), 0])
    n = np.arange(1, length - 1)
    s, t = rho**n, rho ** (length - 1.0 - n)
    np.testing.assert_allclose(m.predictions[:, 0], (1 + s) * (1 + t) / (2 * (1 + s * t)))
    np.testing.assert_array_equal(m.distance, np.minimum(n, length - 1 - n))


def test_exactly_in_bits():
    """After a fair bit that is kept with probability 3/4."""
    quarter = Fraction(1, 4)
    p = MarkovChain(row(1, 1), [[1 - quarter, quarter], [quarter, 1 - quarter]], 3, exact=True)
    m = homogenization.average(p, [0], base=2)
    three = sympy.log(3) / sympy.log(2)
    assert sympy.expand(m.entropy[0] - (2 - sympy.Rational(3, 4) * three)) == 0
    assert sympy.expand(m.information[0] - (sympy.Rational(3, 4) * three - 1)) == 0
    assert m.effective_vocabulary[0] == 4 / sympy.Integer(3) ** sympy.Rational(3, 4)
    assert m.top_mass[:, 0].tolist() == [Fraction(3, 4), Fraction(5, 8)]


@each_family
def test_another_backend(case):
    host, away = case.build(), case.build(to_device1)
    x = patterns_of(case)[-1]
    pairs: list[tuple] = [(measure(host, list(x)), measure(away, list(x)))]
    for function in (average, worst):
        pairs.append((function(host, [0]), function(away, [0])))
    for here, there in pairs:
        for name in ["sites", "distance", "effective_vocabulary", *NAMES]:
            values = to_host(getattr(there, name))
            np.testing.assert_allclose(values, to_host(getattr(here, name)), atol=1e-12)


CHAIN = gallery.binary_symmetric(4, 0.25)


def test_symbols():
    """Their order is not known, but the coefficient of a chain can be written down."""
    e = sympy.Symbol("e", positive=True)
    p = gallery.binary_symmetric(3, e, exact=True)
    assert sympy.simplify(homogenization.dobrushin(p) - sympy.Abs(1 - 2 * e)) == 0
    for ask in (lambda: homogenization.average(p, [0]), lambda: homogenization.birkhoff(p)):
        with pytest.raises(InvalidInput, match="which of these symbols is the"):
            ask()


def test_too_many_contexts():
    p = ProductMixture([1.0], np.full((1, 100, 2), 0.5))
    with pytest.raises(TooLarge, match="rng and size"):
        homogenization.average(p, range(60))
    m = homogenization.average(p, range(60), rng=np.random.default_rng(0), size=10)
    np.testing.assert_allclose(m.information, 0, atol=1e-12)


CALLS = [
    lambda options, f=f: f(**({"p": CHAIN, "observed": [0]} | options))
    for f in (homogenization.average, homogenization.worst)
]
BAD_OPTIONS: dict[str, list[dict[str, Any]]] = {
    "p must be a Distribution": [{"p": 3}, {"p": None}],
    "observed must be a list of sites, got 0": [{"observed": 0}],
    r"observed must lie in 0\.\.3, got 4": [{"observed": [4]}],
    r"observed must lie in 0\.\.3, got -1": [{"observed": [-1]}],
    "distinct": [{"observed": [0, 0]}],
    "no site is masked": [{"observed": range(4)}],
    "site 0 is observed": [{"sites": [0, 1]}, {"sites": [0]}],
    "masked sites": [{"sites": []}],
    "got 4": [{"sites": [4]}],
    r"limit must have shape \(2,\) or \(4, 2\)": [{"limit": np.ones((3, 2)) / 2}],
    "limit must not be negative": [{"limit": [-1, 2]}],
    "limit must sum to 1: it sums to 5": [{"limit": [2, 3]}],
    "rows of limit must sum to 1: row 3 sums to 2": [{"limit": [[0.5, 0.5]] * 3 + [[1, 1]]}],
    "top must be at most the vocabulary 2": [{"top": 3}],
    "top": [{"top": 0}],
    "base": [{"base": 1}],
    "both rng and size": [{"rng": np.random.default_rng(0)}, {"size": 3}],
    "size": [{"rng": np.random.default_rng(0), "size": 0}],
    "rng": [{"rng": 3, "size": 10}],
}
BAD_LIMITS = [[0.2, 0.3, 0.5], [[0.5, 0.5]] * 2, [0.5, 0.6]]
AFTER_0 = [0, MASK, MASK, MASK]

test_what_is_refused = refusals(
    *((says, call, bad) for call in CALLS for says, bad in BAD_OPTIONS.items()),
    ("limit", lambda limit: measure(CHAIN, AFTER_0, limit=limit), BAD_LIMITS),
    ("top", lambda top: measure(CHAIN, AFTER_0, top=top), [0, 3]),
    ("base", lambda: measure(CHAIN, AFTER_0, base=1)),
    ("Distribution", lambda p: measure(p, [MASK]), NO_DISTRIBUTION),
    (r"shape|token", lambda x: measure(CHAIN, x), [[0, MASK], [0, 2, MASK, MASK]]),
    (r"one pattern of shape \(4,\), got \(1, 4\)", lambda: measure(CHAIN, [AFTER_0])),
    ("no site is masked", lambda: measure(CHAIN, [0, 0, 0, 0])),
)
