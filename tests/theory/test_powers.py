"""Powers until they repeat, and entropies at lengths of thousands of sites."""

import functools
import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import oracles
from tests.cases import DEVICE1, to_device1, to_host
from theory import (
    HiddenMarkovModel,
    JointTable,
    MarkovChain,
    gallery,
    information,
    strategies,
)
from theory._markov import powers
from theory._markov.powers import (
    common_period,
    conditional_entropy_error,
    converged_powers,
    entropy_error,
)
from theory._markov.random_subsets import (
    first_site_probabilities,
    neighbour_probabilities,
    over_first_sites,
    over_pairs,
)
from theory.distributions import hidden_markov_bounds as hidden_bracket
from theory.distributions.hidden_markov_bounds import WORK

ROUNDING = 1e-11


def blocks(*matrices):
    """Chains beside each other that never meet."""
    size = sum(len(m) for m in matrices)
    out, start = np.zeros((size, size)), 0
    for m in matrices:
        out[start : start + len(m), start : start + len(m)] = m
        start += len(m)
    return out


def turning(*phases):
    """Steps from each group of tokens to the next one, and from the last to the first."""
    size = sum(phases)
    starts = np.cumsum([0, *phases])
    out, rng = np.zeros((size, size)), np.random.default_rng(size)
    for n, here in enumerate(phases):
        there = (n + 1) % len(phases)
        columns = slice(starts[there], starts[there] + phases[there])
        out[starts[n] : starts[n] + here, columns] = rng.dirichlet(np.ones(phases[there]), here)
    return out


MIXING = np.array([[0.5, 0.3, 0.2], [0.1, 0.6, 0.3], [0.3, 0.3, 0.4]])
STICKY = np.array([[0.999, 0.001], [0.002, 0.998]])
TRANSIENT = np.array([[0.5, 0.2, 0.2, 0.1], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1.0]])
MATRICES = {
    "mixing": (MIXING, 1),
    "sticky": (STICKY, 1),
    "identity": (np.eye(3), 1),
    "turns": (turning(1, 1), 2),
    "three phases": (turning(2, 1, 3), 3),
    "two and three": (blocks(turning(1, 2), turning(1, 1, 1)), 6),
    "mixing and turns": (blocks(MIXING, turning(2, 2)), 2),
    "transient": (TRANSIENT, 2),
    "one token": (np.eye(1), 1),
}
each_matrix = pytest.mark.parametrize(("matrix", "period"), MATRICES.values(), ids=MATRICES)


# Periods and distances


@each_matrix
def test_common_periods(matrix, period):
    """Against the times at which each token that comes back can come back."""
    links = matrix > 0
    assert common_period(links) == period
    size, power, returns = len(links), np.eye(len(links), dtype=bool), [0] * len(links)
    reach = np.linalg.matrix_power(links.astype(float) + np.eye(size), size) > 0
    for steps in range(1, 4 * size * size):
        power = (power.astype(float) @ links) > 0
        returns = [math.gcd(r, steps) if power[a, a] else r for a, r in enumerate(returns)]
    stays = [a for a in range(size) if all(reach[b, a] for b in range(size) if reach[a, b])]
    assert math.lcm(*(returns[a] for a in stays)) == period


@each_matrix
@pytest.mark.parametrize("tolerance", [1e-13, 1e-6, 1e-2])
def test_what_stands_for_a_power_is_as_near_as_promised(matrix, period, tolerance, monkeypatch):
    monkeypatch.setattr(powers, "CONVERGED_TOL", tolerance)
    steps = 400
    found = converged_powers(matrix, np.eye(len(matrix)), steps)
    assert found.error <= tolerance
    assert found.period in (1, period)
    power = np.eye(len(matrix))
    for gap, entry in enumerate(found.entries(np.arange(1, steps + 1)), start=1):
        power = power @ matrix
        away = np.abs(power - found.values[entry]).sum(axis=1).max() / 2
        assert away <= (found.error if gap > found.computed else 0) + 1e-13


def test_it_ends_early_where_it_can():
    for name in ("mixing", "turns", "two and three", "mixing and turns", "identity"):
        matrix, period = MATRICES[name]
        found = converged_powers(matrix, np.eye(len(matrix)), 10_000)
        assert found.computed < 100 + period
        assert found.period == period


def test_a_creeping_chain_is_not_taken_for_converged():
    """What is planted: each step moves by 2e-15, below the tolerance, but 10,000 steps add up."""
    creeping = np.array([[1 - 2e-15, 2e-15], [2e-15, 1 - 2e-15]])
    near = converged_powers(creeping, np.eye(2), 10_000)
    assert np.abs(near.values[1] - near.values[0]).max() < powers.CONVERGED_TOL
    assert near.computed == 10_000
    assert converged_powers(creeping, np.eye(2), 40).computed == 40  # and no longer than asked
    assert converged_powers(np.eye(2), np.eye(2), 10_000).computed < 50


def test_more_phases_than_steps():
    found = converged_powers(turning(*[1] * 70), np.eye(70), 100)
    assert (found.computed, found.period, found.error) == (100, 1, 0.0)
    found = converged_powers(turning(*[1] * 45), np.eye(45), 100)
    assert (found.computed, found.period, found.error) == (32 + 44, 45, 0.0)


@given(st.integers(2, 6), st.integers(0, 10**6), st.sampled_from([1e-12, 1e-3, 0.1, 0.7]))
@settings(max_examples=100)
def test_entropies_move_no_further_than_stated(tokens, seed, distance):
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.full(tokens, 0.3))
    q = rng.dirichlet(np.full(tokens, 0.3))
    tv = np.abs(p - q).sum() / 2
    if tv > distance:
        q = p + (q - p) * distance / tv
    tv = np.abs(p - q).sum() / 2

    h = oracles.entropy_of
    assert abs(h(p) - h(q)) <= entropy_error(tv, tokens) + 1e-14
    joint, other = (rng.dirichlet(np.full(tokens**2, 0.3)).reshape(tokens, tokens) for _ in "pq")
    tv = np.abs(joint - other).sum() / 2
    here, there = (h(x) - h(x.sum(axis=1)) for x in (joint, other))
    assert abs(here - there) <= conditional_entropy_error(tv, tokens) + 1e-14


def test_the_bound_of_entropies_is_sharp():
    """A point against the point that lost t to all others alike."""
    for tokens, t in itertools.product([2, 3, 5], [1e-9, 0.01, 0.4]):
        spread = [1 - t] + [t / (tokens - 1)] * (tokens - 1)
        exactly = -math.fsum(x * math.log(x) for x in spread)
        assert entropy_error(t, tokens) == pytest.approx(exactly, rel=1e-12)


@pytest.mark.parametrize("length", [1, 2, 3, 9, 400])
def test_sums_over_chances(length):
    values = np.random.default_rng(length).random(length)
    pairs = values[: length - 1]
    alone, both = (f(length, float) for f in (first_site_probabilities, neighbour_probabilities))
    first = sum(v * c for v, c in zip(values, alone, strict=True))
    gaps = sum((v * c for v, c in zip(pairs, both, strict=True)), 0.0)
    np.testing.assert_allclose(over_first_sites(values), first, rtol=1e-12)
    np.testing.assert_allclose(over_pairs(pairs), gaps + np.zeros(length + 1), rtol=1e-12)


# Long chains


def gapwise(initial, transition, length, sizes):
    """e_k of a few sizes with every power in long double; integers divide with one rounding."""
    initial = np.asarray(initial, dtype=np.longdouble)
    transition = np.asarray(transition, dtype=np.longdouble)

    def h(x):
        return -np.where(x > 0, x * np.log(np.where(x > 0, x, 1)), 0).sum(axis=-1)

    dists = [initial]
    for _ in range(length - 1):
        dists.append(dists[-1] @ transition)
    dists = np.array(dists)
    before, power, told = np.cumsum(dists, axis=0), transition, []
    for gap in range(1, length):
        told.append((before[length - gap - 1] * h(power)).sum())
        power = power @ transition
    alone, found = h(dists), []
    for k in sizes:
        total = np.longdouble(0)
        for i in range(length if k else 0):
            total += alone[i] * (math.comb(length - 1 - i, k - 1) / math.comb(length, k))
        for gap in range(1, length if k > 1 else 0):
            ways = math.comb(length - gap - 1, k - 2)
            if not ways:
                break
            total += told[gap - 1] * (ways / math.comb(length, k))
        found.append(float(total))
    return found


LONG = {
    "mixing": (np.array([1, 2, 3]) / 6, MIXING),
    "sticky": (np.eye(2)[0], STICKY),
    "three phases": (np.eye(6)[0], turning(2, 1, 3)),
    "two and three": (np.array([1, 2, 1, 1, 1, 1]) / 7, blocks(turning(1, 2), turning(1, 1, 1))),
    "transient": (np.eye(4)[0], TRANSIENT),
}


@pytest.mark.parametrize("name", LONG)
def test_a_thousand_sites_in_long_double(name):
    initial, transition = LONG[name]
    sizes = [0, 1, 2, 3, 10, 100, 500, 999, 1000]
    expected = gapwise(initial, transition, 1000, sizes)
    p = MarkovChain(initial, transition, 1000)
    np.testing.assert_allclose(
        information.mean_entropies(p)[sizes], expected, rtol=2e-13, atol=1e-12
    )


def test_the_error_of_a_truncation_is_within_what_is_stated(monkeypatch):
    """With a tolerance of 1e-3 it can be seen, and is no more than the sum of its parts."""
    for matrix, _ in (MATRICES["mixing"], MATRICES["mixing and turns"], MATRICES["transient"]):
        size, length = len(matrix), 300
        p = MarkovChain(np.eye(size)[0], matrix, length)
        exactly = np.array(p.mean_subset_entropies())
        monkeypatch.setattr(powers, "CONVERGED_TOL", 1e-3)
        monkeypatch.setattr(powers, "CHECK_EVERY", 2)
        rough, found = p.mean_subset_entropies(), p._row_entropies(length - 1)
        monkeypatch.undo()
        gaps = np.arange(1, length)
        later = np.where(gaps > found.computed, length - gaps, 0).astype(float)
        stated = over_pairs(later * entropy_error(found.error, size))
        assert np.abs(rough - exactly).max() > 0
        assert (np.abs(rough - exactly) <= stated + ROUNDING).all()
        # the docstring's: so many neighbours are further apart than G
        assert (over_pairs(later) <= length / (math.e * found.computed) * 1.2).all()


def test_truncated_chains_by_enumeration(monkeypatch):
    """Short chains that forget in two steps, all subsets, with the powers stopped on the way."""
    monkeypatch.setattr(powers, "CHECK_EVERY", 1)
    small = Fraction(1, 2**48)
    half = Fraction(1, 2)
    mixing = [[half + small, half - small], [half - small, half + small]]
    turns = [[0, 0, 1, 0], [0, 0, half, half], [half + small, half - small, 0, 0]]
    turns.append([half, half, 0, 0])
    for initial, transition, length in [((1, 2), mixing, 8), ((1, 0, 0, 0), turns, 5)]:
        dist = [Fraction(w, sum(initial)) for w in initial]
        joint = oracles.chain_joint(dist, transition, length)
        p = MarkovChain(np.array(dist, dtype=float), np.array(transition, dtype=float), length)
        assert p._row_entropies(length - 1).computed < length - 1
        e = oracles.mean_subset_entropies(joint)
        np.testing.assert_allclose(information.mean_entropies(p), e, rtol=0, atol=1e-12)
        cost = oracles.mean_path_cost(joint, (2, length - 2), len(dist)) if length == 5 else None
        if cost is not None:
            assert information.path_cost(p, (2, length - 2)) == pytest.approx(cost, abs=1e-12)


def test_long_chains_on_a_device():
    p, there = (
        MarkovChain(convert([0.2, 0.3, 0.5]), convert(MIXING), 500)
        for convert in (np.array, lambda x: to_device1(np.array(x)))
    )
    e = information.mean_entropies(there)
    assert e.device == DEVICE1
    np.testing.assert_allclose(to_host(e), information.mean_entropies(p), rtol=1e-13)
    assert there.gap_entropies([3, 400]).device == DEVICE1


# Long hidden chains


@functools.cache
def pair_by_pair(p):
    """Both bounds by their definition, over all pairs of sites."""
    initial, step, emission = (np.asarray(x) for x in (p.initial, p.transition, p.emission))
    length = p.length

    h = oracles.entropy_of
    dists = [initial @ np.linalg.matrix_power(step, i) for i in range(length)]
    lower, upper = np.zeros(length + 1), np.zeros(length + 1)
    for i, prob in enumerate(first_site_probabilities(length, float)):
        lower += prob * h(dists[i] @ emission)
        upper += prob * h(dists[i] @ emission)
    for gap, prob in enumerate(neighbour_probabilities(length, float), start=1):
        read = np.linalg.matrix_power(step, gap) @ emission
        each = [h(row) for row in read]
        for r in range(length - gap):
            lower += prob * sum(m * v for m, v in zip(dists[r], each, strict=True))
            joint = emission.T @ (dists[r][:, None] * read)
            upper += prob * (h(joint) - h(joint.sum(axis=1)))
    return lower, upper


HIDDEN = [
    HiddenMarkovModel([1, 0], STICKY, [[0.9, 0.1], [0.3, 0.7]], 90),
    HiddenMarkovModel([1, 0, 0], MIXING, np.eye(2)[[0, 1, 1]], 90),
    HiddenMarkovModel([1, 0, 0, 0], turning(2, 2), MIXING[[0, 1, 2, 0]], 90),
    gallery.hidden_periodic(90, 0.3),
]


@pytest.mark.parametrize("p", HIDDEN, ids=["sticky", "mixing", "turning", "two"])
def test_the_bracket_pair_by_pair(p, monkeypatch):
    lower, upper = pair_by_pair(p)
    bracket = information.bracket(p)
    np.testing.assert_allclose(bracket.lower, lower, rtol=0, atol=1e-9)
    np.testing.assert_allclose(bracket.upper, upper, rtol=0, atol=1e-9)
    assert (bracket.lower <= lower + ROUNDING).all()
    assert (bracket.upper >= upper - ROUNDING).all()
    # sites joined, down to one group: wider, and still on the right sides
    for work in (WORK // 10**6, 1):
        monkeypatch.setattr(hidden_bracket, "WORK", work)
        joined = information.bracket(p)
        np.testing.assert_array_equal(joined.lower, bracket.lower)
        assert (joined.upper >= upper - ROUNDING).all()
        assert (joined.upper <= information.bracket(p).upper[1] * np.arange(91) + ROUNDING).all()


@pytest.mark.parametrize("p", HIDDEN, ids=["sticky", "mixing", "turning", "two"])
def test_the_bracket_stays_outside_whatever_is_left_out(p, monkeypatch):
    """With a tolerance of 1e-3; without the errors that are added, some bounds fall inside."""
    lower, upper = pair_by_pair(p)
    for module in (powers, hidden_bracket):
        monkeypatch.setattr(module, "CONVERGED_TOL", 1e-3)
    monkeypatch.setattr(powers, "CHECK_EVERY", 2)
    rough = information.bracket(p)
    assert (rough.lower <= lower + ROUNDING).all()
    assert (rough.upper >= upper - ROUNDING).all()
    for name in ("entropy_error", "conditional_entropy_error"):
        monkeypatch.setattr(hidden_bracket, name, lambda *_: 0.0)
    bare = information.bracket(p)
    if p is HIDDEN[1]:  # what is planted
        assert (bare.lower > lower + ROUNDING).any() or (bare.upper < upper - ROUNDING).any()


@given(strategies.hidden_markov_models(lengths=(4, 6), states=(1, 3)))
@settings(max_examples=40)
def test_rough_brackets_contain_the_mean_entropies(p):
    e = information.mean_entropies(JointTable(p.table()))
    with pytest.MonkeyPatch.context() as patch:
        for module in (powers, hidden_bracket):
            patch.setattr(module, "CONVERGED_TOL", 1e-2)
        patch.setattr(powers, "CHECK_EVERY", 1)
        patch.setattr(hidden_bracket, "WORK", 1)
        lower, upper = p.mean_entropy_bracket()
    assert (lower <= e + ROUNDING).all()
    assert (e <= upper + ROUNDING).all()


def test_a_long_hidden_chain_that_shows_its_state_is_a_chain():
    initial, transition = [0.2, 0.3, 0.5], MIXING
    e = information.mean_entropies(MarkovChain(initial, transition, 3000))
    lower, upper = information.bracket(HiddenMarkovModel(initial, transition, np.eye(3), 3000))
    np.testing.assert_allclose(lower, e, rtol=1e-11)
    np.testing.assert_allclose(upper, e, rtol=1e-11)
