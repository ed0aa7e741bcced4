"""The decision on chains against brute force: what far predictions do, by taking them far."""

import itertools
import math
import random
from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.cases import row, rows, to_device1
from tests.noted import refusals
from tests.theory import homogenization_oracle as oracle
from theory import InvalidInput, JointTable, MarkovChain, gallery, homogenization

decide: Any = homogenization.decide
decide_middle: Any = homogenization.decide_middle
HALF, QUARTER = Fraction(1, 2), Fraction(1, 4)


def random_chain(seed, most):
    """(initial, transition) in Fractions, with few ways to go on from each token."""
    rng = random.Random(seed)
    size, share = rng.randint(1, most), rng.random()

    def weights(share):
        some = [rng.choice([1, 1, 2]) * (rng.random() < share) for _ in range(size)]
        return (
            some
            if any(some)
            else [int(b == at) for at in [rng.randrange(size)] for b in range(size)]
        )

    return row(*weights(rng.random())), rows(*(weights(share * 0.6) for _ in range(size)))


def chains(most=5):
    return st.builds(random_chain, st.integers(0, 2**32), st.just(most))


def build(chain, exact=False):
    initial, transition = chain
    if exact:
        return MarkovChain(initial, transition, 2, exact=True)
    return MarkovChain(np.asarray(initial, float), np.asarray(transition, float), 2)


def kinds(chain):
    """Words for what the chain is like, from the definitions."""
    initial, transition = chain
    tokens = oracle.reachable(initial, transition)
    classes = oracle.recurrent_classes(initial, transition)
    inside = {a for states, _ in classes for a in states}
    moduli = oracle.reached_moduli(initial, transition)
    everywhere = oracle.recurrent_classes([1] * len(initial), transition)
    yield f"{min(len(classes), 3)} classes"
    if any(period > 1 for _, period in classes):
        yield "periodic"
        yield from ["transient into periodic"] * (len(inside) < len(tokens))
    elif any(period > 1 for _, period in everywhere):
        yield "periodic elsewhere"
    if any(len(states) == 1 for states, _ in classes) and len(tokens) > 1:
        yield "absorbing"
    if len(inside) < len(tokens):
        yield "transient"
    if len(tokens) < len(initial):
        yield "not all reached"
    if len(tokens) > 1 and not any(moduli):
        yield "at once"
    if len(moduli) > 1 and 0 < moduli[0] == moduli[1] < 1:
        yield "several dominate"


def near(value, places=9):
    return pytest.approx(float(value), rel=10.0**-places, abs=1e-12)


# All of the decision, on random chains


def test_every_kind_of_chain_is_drawn():
    counts = Counter(k for seed in range(600) for k in kinds(random_chain(seed, 5)))
    expected = {"1 classes", "2 classes", "3 classes", "periodic", "transient into periodic"}
    expected |= {"periodic elsewhere", "absorbing", "transient", "not all reached", "at once"}
    assert set(counts) == expected | {"several dominate"}
    assert min(counts.values()) >= 4, counts


@given(chains())
def test_decision(chain):
    for kind in kinds(chain):
        event(kind)
    check_decision(chain, exact=False)


def as_floats_see(initial, transition):
    """How far rounding moves an eigenvalue that is several times a root."""
    moduli = [float(v) for v in oracle.reached_moduli(initial, transition)] or [0.0]
    times = sum(v > moduli[0] - 1e-12 for v in moduli)
    return 20 * 2.2e-16 ** (1 / times)


@settings(max_examples=50)
@given(chains(4))
def test_exact_decision(chain):
    found = check_decision(chain, exact=True)
    floats = decide(build(chain))
    assert (found.homogenizes, found.forgets) == (floats.homogenizes, floats.forgets)
    assert [(c.states, c.period) for c in found.classes] == [
        (c.states, c.period) for c in floats.classes
    ]
    assert not isinstance(found.rate, float)
    steps = sympy.Matrix(np.asarray(chain[1], object))
    for dist in [c.stationary for c in found.classes]:
        assert (dist @ np.asarray(chain[1], object) == dist).all()
        assert sum(dist) == 1
    if found.limits is not None:
        limits = np.asarray(found.limits)[oracle.reachable(*chain), :]
        assert sympy.Matrix(limits) * steps == sympy.Matrix(limits)


def check_decision(chain, exact):
    found = decide(build(chain, exact))
    tokens = oracle.reachable(*chain)
    assert found.homogenizes is oracle.homogenizes(*chain)
    assert found.forgets is oracle.forgets(*chain)
    assert [(c.states, c.period) for c in found.classes] == oracle.recurrent_classes(*chain)
    for dist in (np.asarray(c.stationary, float) for c in found.classes):
        assert dist.sum() == near(1)
        np.testing.assert_allclose(dist @ np.asarray(chain[1], float), dist, atol=1e-12)
    for c in found.classes:
        assert tuple(np.nonzero(np.asarray(c.stationary, float) > 0)[0]) == c.states
    second = oracle.second_modulus(*chain)
    if exact:
        assert abs(sympy.N(found.rate, 40) - second) < 1e-30
    else:
        assert found.rate == pytest.approx(float(second), abs=as_floats_see(*chain))
    assert isinstance(found.reason, str)
    far = oracle.far_rows(chain[1])
    if found.homogenizes:
        limits = np.asarray(found.limits, float)
        np.testing.assert_allclose(limits[tokens], far[tokens], atol=1e-9)
    else:
        assert found.limits is None
        assert math.isnan(found.constant)
    if found.forgets:
        np.testing.assert_allclose(np.asarray(found.limit, float), far[tokens[0]], atol=1e-9)
        dist = homogenization.stationary(build(chain, exact))
        assert (dist == found.limit).all()
    else:
        assert found.limit is None
    return found


@settings(max_examples=50)
@given(chains(4))
def test_the_rate_is_the_root_of_a_far_distance(chain):
    rate, measured = decide(build(chain)).rate, oracle.rate_by_powers(*chain)
    # a power n^k on top adds a factor of 2^(k/1024)
    assert rate == pytest.approx(measured, rel=4e-3, abs=as_floats_see(*chain))


@settings(max_examples=25)
@given(chains(4))
def test_constant(chain):
    """Where the next modulus is small enough for powers of a few hundred to settle it."""
    found = decide(build(chain, exact=True))
    moduli = oracle.reached_moduli(*chain)
    if not found.homogenizes:
        return
    if not any(moduli):
        assert found.constant == 0
        return
    rate = moduli[0]
    below = [v for v in moduli if v < rate * (1 - sympy.Rational(1, 10**25))]
    if below and below[0] > 0.9 * rate:
        return
    initial, transition = chain
    first, second = oracle.constants(initial, transition, rate, n=256, window=120)
    if second > 1.5 * first:
        event("a power of n on top")
        assert found.constant == math.inf
    else:
        event(f"{len(moduli) - len(below)} dominate")
        # whatever the phases are: a window that is long enough comes near to all of them
        assert float(found.constant) == pytest.approx(second, rel=1e-2)
        assert float(found.constant) >= second * (1 - 1e-9)
        floats = decide(build(chain))
        assert float(floats.constant) == pytest.approx(float(found.constant), rel=1e-6)
        if all(v == rate for v in moduli[: len(moduli) - len(below)]) and not isinstance(
            found.constant, float
        ):
            event("exact")
            assert float(found.constant) == pytest.approx(second, rel=1e-9)


@given(chains())
def test_dobrushin(chain):
    tokens, steps = oracle.reachable(*chain), chain[1]
    tau = max(oracle.apart(steps[a], steps[b]) for a in tokens for b in tokens)
    assert homogenization.dobrushin(build(chain, exact=True)) == tau
    assert homogenization.dobrushin(build(chain)) == near(tau)
    if oracle.forgets(*chain):
        assert float(tau) + 1e-9 >= oracle.second_modulus(*chain)


@given(chains(3))
def test_birkhoff(chain):
    """States that never follow are no columns."""
    steps, tokens = chain[1], oracle.reachable(*chain)
    follow = [k for k in tokens if any(steps[i][k] for i in tokens)]
    expected = 1.0
    if all(steps[i][k] for i in tokens for k in follow):
        cells = itertools.product(tokens, tokens, follow, follow)
        ratios = [steps[i][k] * steps[j][m] / (steps[i][m] * steps[j][k]) for i, j, k, m in cells]
        expected = (1 - math.sqrt(min(ratios))) / (1 + math.sqrt(min(ratios)))
        event("positive")
    assert homogenization.birkhoff(build(chain)) == near(expected)


# Chains by name


def decided(initial, transition, exact=True):
    return decide(build((initial, transition), exact))


def test_two_classes():
    found = decide(gallery.two_classes(9, Fraction(1, 8), exact=True))
    assert (found.homogenizes, found.forgets) == (True, False)
    assert found.rate == Fraction(3, 4)
    assert found.constant == HALF
    assert found.limit is None
    assert found.limits.tolist() == [[HALF, HALF, 0, 0]] * 2 + [[0, 0, HALF, HALF]] * 2
    with pytest.raises(InvalidInput, match="class"):
        homogenization.stationary(gallery.two_classes(9))


@pytest.mark.parametrize("exact", [False, True])
def test_limits_reached_at_once(exact):
    independent = decided(row(1, 1), rows((1, 3), (1, 3)), exact)
    nilpotent = decided(row(1, 0, 0), rows((0, 1, 0), (0, 0, 1), (0, 0, 1)), exact)
    alone = decided(row(1), rows((1,)), exact)
    for found in (independent, nilpotent, alone):
        assert (found.homogenizes, found.forgets) == (True, True)
        assert (found.rate, found.constant) == (0, 0)
    assert nilpotent.limit.tolist() == [0, 0, 1]


@pytest.mark.parametrize("exact", [False, True])
def test_a_defective_eigenvalue(exact):
    found = decided(row(1, 0, 0), rows((1, 1, 0), (0, 1, 1), (0, 0, 1)), exact)
    assert float(found.rate) == near(HALF, 6)
    assert found.constant == math.inf


@pytest.mark.parametrize("exact", [False, True])
def test_complex_eigenvalues(exact):
    """Around a cycle of three, or staying: 1/2 + w/2 has modulus 1/2, at an angle of 60 degrees.

    P^n(l, l + j) = 1/3 + 2/3 2^-n cos(pi n/3 - 2 pi j/3), and the cosines at 0, 120, 240 degrees
    add up to 2, as they do at 60, 180, 300.
    """
    found = decided(row(1, 0, 0), rows((1, 1, 0), (0, 1, 1), (1, 0, 1)), exact)
    assert found.rate == near(HALF)
    assert np.asarray(found.limit, float) == pytest.approx(1 / 3)
    assert float(found.constant) == near(Fraction(2, 3))
    assert found.constant == Fraction(2, 3) or not exact


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize(("size", "constant"), [(2, 2), (3, 4), (4, 8), (6, 32)])
def test_a_transient_cycle_is_left_at_one_place(size, constant, exact):
    """After the last place there are k - 1 certain steps until the next one of 2^-k to stay."""
    steps = np.roll(np.eye(size + 1, dtype=object), 1, axis=1).astype(int)
    steps[size - 1], steps[size] = 0, 0
    steps[size, size] = 1
    steps[size - 1, 0], steps[size - 1, size] = 1, 2**size - 1
    found = decided(row(1, *[0] * size), rows(*steps.tolist()), exact)
    assert float(found.rate) == near(HALF)
    assert float(found.constant) == near(constant)
    assert (found.rate, found.constant) == (HALF, constant) or not exact


def test_a_turn_by_an_irrational_angle():
    """(1 + 2i)/5 and its conjugate: every phase is approached, none is reached twice."""
    steps = rows((6, 1, 8), (8, 6, 1), (1, 8, 6))
    values = np.linalg.eigvals(np.asarray(steps, float))
    found = decided(row(1, 0, 0), steps)
    assert float(found.rate) == near(Fraction(sorted(abs(values))[0]).limit_denominator(10**12), 6)
    turns = np.linspace(0, 2 * np.pi, 60001)[:, None] - 2 * np.pi / 3 * np.arange(3)
    assert float(found.constant) == near((abs(np.cos(turns)).sum(axis=1) / 3).max(), 6)


def test_a_second_eigenvalue_that_is_small():
    """Of eight tokens: 0.02^8 is next to nothing, and yet it is no zero."""
    steps = np.full((8, 8), 0.98 / 8) + 0.02 * np.eye(8)
    assert decide(MarkovChain([1 / 8] * 8, steps, 2)).rate == near(0.02)


def test_large_exact_chains():
    """Ten tokens without any structure."""
    rng = random.Random(0)
    chain = row(*[1] * 10), rows(*[[rng.randint(1, 9) for _ in range(10)] for _ in range(10)])
    found = decided(*chain)
    moduli = sorted(abs(np.linalg.eigvals(np.asarray(chain[1], float))))
    assert float(found.rate) == near(Fraction(moduli[-2]).limit_denominator(10**12))
    assert len(repr(found)) < 100


def test_transient_cycles_do_no_harm():
    found = decided(row(1, 0, 0), rows((0, 1, 0), (1, 0, 1), (0, 0, 1)))
    assert found.forgets
    assert found.limit.tolist() == [0, 0, 1]
    assert found.rate == sympy.sqrt(2) / 2


def test_two_symbols():
    a, b = sympy.symbols("a b", positive=True)
    p = MarkovChain([a, 1 - a], [[1 - a, a], [b, 1 - b]], 2, exact=True)
    found, between = decide(p), decide_middle(p)
    values = {a: Fraction(1, 3), b: Fraction(5, 6)}
    for decision in (found, between):
        assert (decision.homogenizes, decision.forgets) == (True, True)
        assert sympy.sympify(decision.rate).subs(values) == Fraction(1, 6)
    dist = [b / (a + b), a / (a + b)]
    for limit in (found.limit, between.limit, homogenization.stationary(p), found.limits[1, :]):
        assert [sympy.simplify(v - w) for v, w in zip(limit, dist, strict=True)] == [0, 0]
    largest = sympy.sympify(found.constant).subs(values)
    assert largest == Fraction(5, 7)  # after token 0 resp. 1 it is a/(a+b) = 2/7 resp. 5/7


@pytest.mark.parametrize("ask", [decide, decide_middle])
def test_another_backend(ask):
    chain = row(1, 2, 1), rows((1, 2, 0), (0, 1, 1), (3, 0, 1))
    host = ask(build(chain))
    initial, transition = (to_device1(np.asarray(v, float)) for v in chain)
    away = ask(MarkovChain(initial, transition, 2))
    assert (away.homogenizes, away.forgets) == (True, True)
    assert float(away.rate) == near(host.rate)
    for name in ("limit", "limits") if ask is decide else ("limit",):
        np.testing.assert_allclose(getattr(away, name), getattr(host, name), rtol=1e-12)


NO_CHAINS: list[Any] = [JointTable([[1, 2], [3, 4]]), gallery.template(4), [[1, 0]], None]
test_what_is_no_chain = refusals(
    *(
        (r"MarkovChain|chain", function, NO_CHAINS)
        for function in (decide, homogenization.stationary, homogenization.dobrushin)
    )
)


@pytest.mark.parametrize("most", [5, 30, 60])
def test_heads_in_a_row_are_forgotten_after_as_many_coins(most):
    """Counted up to a most: after so many coins the start does not matter. All others are 0."""
    steps = np.zeros((most + 1, most + 1))
    for heads in range(most + 1):
        steps[heads, 0] += 0.5
        steps[heads, min(heads + 1, most)] += 0.5
    dist = np.linalg.matrix_power(steps, most)
    assert (dist == dist[0]).all()
    assert not (np.linalg.matrix_power(steps, most - 1) == dist).all()
    found = homogenization.decide(MarkovChain(dist[0], steps, 3))
    assert found.homogenizes
    assert found.forgets
    assert found.rate == 0
    loaded = np.where(steps == 0.5, 0.5, steps)
    loaded[0, 0], loaded[0, 1] = 0.625, 0.375  # not quite a coin at the start
    assert homogenization.decide(MarkovChain(dist[0], loaded, 3)).rate > 0.01
