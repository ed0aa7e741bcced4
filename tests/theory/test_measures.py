"""Predictions against distance, measured: all contexts one by one, closed forms, refusals."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
import sympy

from tests import oracles
from tests.cases import (
    CASES,
    EXACT_CASES,
    build_exact,
    each_case,
    each_family,
    random_rows,
    row,
    to_device1,
    to_host,
)
from tests.theory import measures_oracle as slow
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
from theory.arrays import array_namespace, device

CHAINS = [case for case in CASES if case.family is MarkovChain]
# Integers beyond 10^10 stay unfactored inside, so that equal expressions may differ in form.
FACTORED = [case for case in EXACT_CASES if case.name != "chain dense"]
each_factored = pytest.mark.parametrize("case", FACTORED, ids=lambda case: case.name)
each_chain = pytest.mark.parametrize("case", CHAINS, ids=lambda case: case.name)


def few(items, most=10):
    items = list(items)
    return items[:: len(items) // most + 1]


def observations(case, most=10):
    """Some proper subsets of the sites, the empty one first."""
    sizes = range(case.length)
    return few((s for k in sizes for s in itertools.combinations(range(case.length), k)), most)


def predictions(case, observed, limit=None, top=1, exact=False):
    """(chances of the contexts, {name: (contexts, values)})."""
    alone = oracles.site_marginals(case.joint, case.vocab)
    found = [
        (
            chance,
            slow.of_pattern(
                oracles.conditional_marginals(case.joint, x, case.vocab),
                alone,
                x,
                alone if limit is None else limit,
                top,
                exact,
            ),
        )
        for x, chance in slow.contexts(case.joint, observed, case.vocab)
    ]
    columns = {n: list(zip(*(m[n] for _, m in found), strict=True)) for n in slow.NAMES}
    return [chance for chance, _ in found], columns


def agree(measures, expected):
    """Floats: ``expected`` maps names to lists, where None is nan."""
    for name in slow.NAMES:
        values = np.array([np.nan if v is None else float(v) for v in expected[name]])
        found = getattr(measures, name).astype(float).reshape(-1)
        np.testing.assert_allclose(found, values, rtol=1e-10, atol=1e-12, err_msg=name)


def agree_exactly(measures, expected):
    for name in slow.NAMES:
        for found, value in zip(getattr(measures, name).ravel(), expected[name], strict=True):
            if value is None:
                assert found != found
            else:
                value = oracles.rational(value) if isinstance(value, (Fraction, int)) else value
                found = oracles.rational(found) if isinstance(found, (Fraction, int)) else found
                assert sympy.expand(found) == sympy.expand(value), name


def folded(chances, columns, exact=False):
    means = {n: [slow.mean(v, chances, exact) for v in c] for n, c in columns.items()}
    ends = {n: [slow.extreme(v, n) for v in c] for n, c in columns.items()}
    return means, ends


@each_case
def test_mean_and_worst_over_all_contexts(case):
    p, top = case.build(), min(2, case.vocab)
    for observed in observations(case):
        means, ends = folded(*predictions(case, observed, top=top))
        agree(homogenization.average(p, observed, top=top), means)
        agree(homogenization.worst(p, observed, top=top), ends)


@each_factored
def test_mean_and_worst_exactly(case):
    p = build_exact(case)
    for observed in observations(case, 3):
        means, ends = folded(*predictions(case, observed, exact=True), exact=True)
        agree_exactly(homogenization.average(p, observed), means)
        agree_exactly(homogenization.worst(p, observed), ends)


@each_case
def test_one_pattern(case):
    p, alone = case.build(), oracles.site_marginals(case.joint, case.vocab)
    limits = random_rows(1, case.length, case.vocab)
    for x in few(x for x in case.possible if MASK in x):
        rows = oracles.conditional_marginals(case.joint, x, case.vocab)
        sites = [i for i, o in enumerate(x) if o == MASK]
        seen = [i for i in range(case.length) if i not in sites]
        for limit in (limits[0], limits):
            each = [limit] * case.length if limit is limits[0] else limit
            m = homogenization.measure(p, x, limit=np.array(limit, float), top=case.vocab)
            agree(m, slow.of_pattern(rows, alone, x, each, case.vocab))
            np.testing.assert_allclose(m.predictions, [list(map(float, rows[i])) for i in sites])
            np.testing.assert_allclose(m.effective_vocabulary, np.exp(m.entropy))
            assert m.sites.tolist() == sites
            nearest = [min((abs(i - j) for j in seen), default=case.length) for i in sites]
            assert m.distance.tolist() == nearest


@each_family
def test_some_sites_in_bits_against_a_limit(case):
    p, limit = case.build(), np.array(random_rows(2, case.length, case.vocab), float)
    options = {"limit": limit, "top": case.vocab}
    for function in (homogenization.average, homogenization.worst):
        whole = function(p, [0], **options)
        part = function(p, [0], sites=[case.length - 1], base=2, **options)
        assert part.sites.tolist() == [case.length - 1]
        for name, unit in zip(slow.NAMES, (np.log(2), 1, 1, 1, np.log(2)), strict=True):
            found, full = getattr(part, name)[0] * unit, getattr(whole, name)[-1]
            np.testing.assert_allclose(found, full, rtol=1e-12, atol=1e-14)
        assert part.effective_vocabulary[0] == pytest.approx(whole.effective_vocabulary[-1])


@each_family
def test_information_is_mutual_information(case):
    for observed in observations(case):
        m = homogenization.average(case.build(), observed)
        for site, found in zip(m.sites.tolist(), m.information, strict=True):
            expected = oracles.mutual_information(case.joint, [site], observed)
            assert found == pytest.approx(expected, abs=1e-12)


@each_family
def test_estimates_are_near_and_reproducible(case):
    p, size = case.build(), 4000
    chances, columns = predictions(case, (0,))
    means, ends = folded(chances, columns)
    first, again = (
        homogenization.average(p, [0], rng=np.random.default_rng(5), size=size) for _ in range(2)
    )
    most = homogenization.worst(p, [0], rng=np.random.default_rng(5), size=size)
    agree(most, ends)
    for name in slow.NAMES:
        found = getattr(first, name).ravel()
        np.testing.assert_array_equal(found, getattr(again, name).ravel())
        for value, center, over in zip(found, means[name], columns[name], strict=True):
            if center is not None:
                error = slow.deviation(over, chances) / size**0.5
                assert abs(value - center) <= 5 * error + 1e-12


@each_family
def test_another_device(case):
    host, away = case.build(), case.build(to_device1)
    x = next(x for x in case.possible if x.count(MASK) == 1)
    for function, given in [
        (homogenization.measure, x),
        (homogenization.average, [0]),
        (homogenization.worst, [0]),
    ]:
        here, there = function(host, given), function(away, given)
        for name in ("sites", "distance", "effective_vocabulary", *slow.NAMES):
            found = getattr(there, name)
            assert array_namespace(found) is array_namespace(away.like)
            assert device(found) == device(away.like)
            np.testing.assert_allclose(to_host(found), getattr(here, name), atol=1e-12)


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


CHAIN = gallery.binary_symmetric(4, 0.25)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"p": 3}, "p must be a Distribution"),
        ({"observed": [4]}, r"observed must lie in 0\.\.3, got 4"),
        ({"observed": range(4)}, "no site is masked"),
        ({"sites": [0, 1]}, "site 0 is observed"),
        ({"sites": []}, "masked sites"),
        ({"limit": np.ones((3, 2)) / 2}, r"limit must have shape \(2,\) or \(4, 2\)"),
        ({"limit": [-1, 2]}, "limit must not be negative"),
        ({"limit": [2, 3]}, "limit must sum to 1: it sums to 5"),
        ({"limit": [[0.5, 0.5]] * 3 + [[1, 1]]}, "rows of limit must sum to 1: row 3 sums to 2"),
        ({"top": 3}, "top must be at most the vocabulary 2"),
        ({"top": 0}, "top"),
        ({"base": 1}, "base"),
        ({"rng": np.random.default_rng(0)}, "both rng and size"),
        ({"size": 3}, "both rng and size"),
    ],
)
@pytest.mark.parametrize("function", [homogenization.average, homogenization.worst])
def test_bad_input(function, options, match):
    with pytest.raises(InvalidInput, match=match):
        function(**({"p": CHAIN, "observed": [0]} | options))


def test_bad_patterns():
    with pytest.raises(InvalidInput, match=r"one pattern of shape \(4,\), got \(1, 4\)"):
        homogenization.measure(CHAIN, [[0, MASK, MASK, MASK]])
    with pytest.raises(InvalidInput, match="no site is masked"):
        homogenization.measure(CHAIN, [0, 0, 0, 0])
    with pytest.raises(ImpossibleEvidence, match=r"pattern 0 is \(1, 1, MASK\)$"):
        homogenization.measure(gallery.golden_mean(3), [1, 1, MASK])


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


@each_chain
def test_coefficients_and_stationary_law(case):
    initial, transition = case.arrays["initial"], case.arrays["transition"]
    states = slow.reached(initial, transition)
    steps = [transition[i] for i in states]
    exact = build_exact(case)
    farthest = max(slow.variation(a, b) for a, b in itertools.product(steps, repeat=2))
    assert homogenization.dobrushin(exact) == farthest
    assert homogenization.dobrushin(case.build()) == pytest.approx(float(farthest))
    columns = [j for j in states if any(r[j] != 0 for r in steps)]
    inside = [[r[j] for j in columns] for r in steps]
    zero = any(v == 0 for r in inside for v in r)
    expected = 1.0 if zero else slow.birkhoff(inside)
    for p in (exact, case.build()):
        assert homogenization.birkhoff(p) == pytest.approx(expected, abs=1e-12)
    closed = {frozenset(slow.reached([int(j == i) for j in range(len(initial))], transition))
              for i in states}  # fmt: skip
    recurrent = [c for c in closed if not any(d < c for d in closed)]
    if len(recurrent) > 1:
        with pytest.raises(InvalidInput, match="recurrent classes"):
            homogenization.stationary(exact)
        return
    law = homogenization.stationary(exact)
    assert sum(law) == 1
    assert {i for i, v in enumerate(law) if v != 0} == set(recurrent[0])
    assert (law @ np.array(transition, dtype=object) == law).all()
    np.testing.assert_allclose(homogenization.stationary(case.build()), law.astype(float))


def test_coefficients_of_a_hidden_chain():
    steps = random_rows(3, 3, 3)
    p = HiddenMarkovModel(row(1, 1, 1), np.array(steps, float), np.eye(3), 4)
    assert homogenization.birkhoff(p) == pytest.approx(slow.birkhoff(steps))
    farthest = max(slow.variation(a, b) for a, b in itertools.product(steps, repeat=2))
    assert homogenization.dobrushin(p) == pytest.approx(float(farthest))


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
