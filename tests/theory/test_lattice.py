"""The lattice of all evidences, against the sums that define it."""

import random
from fractions import Fraction

import numpy as np
import pytest
import sympy

from tests import oracles
from tests.cases import DEVICE1, to_device1, to_host
from tests.noted import each
from theory import MASK, EvidenceLattice, MarkovChain
from theory.errors import TooLarge

SIZES = [(1, 1), (1, 4), (4, 1), (2, 2), (2, 5), (3, 2), (3, 3), (4, 3), (6, 2), (2, 9)]


def integer_weights(length, vocab, seed=0, zeros=0.3):
    rng = random.Random(seed)
    flat = [0 if rng.random() < zeros else rng.randint(1, 9) for _ in range(vocab**length)]
    flat[-1] = 1
    return np.array(flat).reshape((vocab,) * length)


def index_of(pattern, vocab):
    return tuple(vocab if v == MASK else v for v in pattern)


def summed(weights):
    """{pattern: its share of all weights}, in Fractions."""
    joint = oracles.table_joint(np.asarray(weights).tolist())
    return oracles.lattice(joint, np.ndim(weights), len(weights))


def values_dict(lattice, length, vocab):
    values = np.asarray(lattice.values)
    assert values.shape == (vocab + 1,) * length
    return {x: values[index_of(x, vocab)] for x in oracles.all_patterns(length, vocab)}


each_size = each(("length", "vocab"), SIZES)


@each_size
def test_values_of_integer_weights_are_exact_fractions(length, vocab):
    weights = integer_weights(length, vocab)
    lattice = EvidenceLattice(weights)
    expected = summed(weights)
    assert values_dict(lattice, length, vocab) == expected
    assert lattice.denominator == weights.sum()
    assert (lattice.numerators == lattice.values * lattice.denominator).all()


@each_size
def test_values_of_a_float_table_are_its_evidences(length, vocab):
    weights = integer_weights(length, vocab, seed=1)
    joint = oracles.table_joint(weights.tolist())
    expected = oracles.lattice(joint, length, vocab)
    lattice = EvidenceLattice(weights / weights.sum())
    actual, evidence = values_dict(lattice, length, vocab), lattice.evidence(list(expected))
    for (x, z), found in zip(expected.items(), evidence, strict=True):
        assert actual[x] == found == pytest.approx(float(z), rel=1e-12, abs=0)
    assert np.shape(lattice.evidence([MASK] * length)) == ()


@pytest.mark.parametrize(("length", "vocab"), [(1, 3), (2, 2), (3, 2), (2, 4)])
def test_values_of_fractions_are_fractions(length, vocab):
    weights = integer_weights(length, vocab, seed=2).astype(object)
    for i, x in enumerate(np.ndindex(weights.shape)):
        weights[x] = Fraction(int(weights[x]), i + 3)
    actual = values_dict(EvidenceLattice(weights), length, vocab)
    assert actual == summed(weights)
    assert all(isinstance(z, Fraction) for z in actual.values())


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32])
def test_sums_of_narrow_integers_do_not_overflow(dtype):
    weights = np.full((3, 3, 3), 120, dtype=dtype)
    assert values_dict(EvidenceLattice(weights), 3, 3) == summed(np.full((3, 3, 3), 120))


def test_values_of_symbols_are_symbolic_sums():
    a, b, c, d = sympy.symbols("a b c d", positive=True)
    lattice = EvidenceLattice(np.array([[a, b], [c, d]], dtype=object))
    sums = [[a, b, a + b], [c, d, c + d], [a + c, b + d, a + b + c + d]]
    for value, numerator, wanted in zip(
        *(np.ravel(array) for array in (lattice.values, lattice.numerators, sums)), strict=True
    ):
        assert sympy.expand(numerator - wanted) == 0
        assert sympy.simplify(value - wanted / (a + b + c + d)) == 0
    answer = lattice.denoise(np.array([[0, MASK], [MASK, 1]]))
    assert sympy.simplify(answer[0, 1, 1] - b / (a + b)) == 0
    assert sympy.simplify(answer[1, 0, 1] - d / (b + d)) == 0


def test_denoise_has_no_answer_to_impossible_patterns():
    lattice = EvidenceLattice(np.array([[0.5, 0.0], [0.5, 0.0]]))
    answer = lattice.denoise(np.array([[0, MASK], [MASK, 1]]))
    np.testing.assert_array_equal(answer[0], [[1, 0], [1, 0]])
    assert np.isnan(answer[1, 0]).all()


@each_size
def test_conditionals_of_a_site_given_every_pattern_of_the_others(length, vocab):
    """Nan where the pattern is impossible, and nowhere else."""
    weights = integer_weights(length, vocab, seed=5, zeros=0.6)
    joint = oracles.table_joint(weights.tolist())
    evidence = oracles.lattice(joint, length, vocab)
    lattice = EvidenceLattice(weights / weights.sum())
    for site in range(length):
        actual = lattice.conditionals(site)
        rest = length - site - 1
        assert actual.shape == (vocab + 1,) * site + (vocab,) + (vocab + 1,) * rest
        expected = np.full(actual.shape, np.nan)
        for others in oracles.all_patterns(length - 1, vocab):
            pattern = (*others[:site], MASK, *others[site:])
            if evidence[pattern] == 0:
                continue
            for v in range(vocab):
                both = (*others[:site], v, *others[site:])
                ratio = evidence[both] / evidence[pattern]
                expected[(*index_of(both[:site], vocab), v, *index_of(both[site + 1 :], vocab))] = (
                    ratio
                )
        np.testing.assert_array_equal(np.isnan(actual), np.isnan(expected))
        np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=0)


def test_conditionals_of_fractions_are_exact():
    actual = EvidenceLattice([[1, 0], [2, 0]]).conditionals(0)
    assert actual[:, 0].tolist() == [Fraction(1, 3), Fraction(2, 3)]
    assert actual[:, 2].tolist() == [Fraction(1, 3), Fraction(2, 3)]
    assert all(np.isnan(float(v)) for v in actual[:, 1])


@pytest.mark.parametrize(("length", "vocab"), [(1, 3), (3, 2), (2, 4), (4, 3)])
def test_a_lattice_on_a_device_stays_on_it(length, vocab):
    weights = integer_weights(length, vocab, seed=8, zeros=0.5)
    host, device = (
        EvidenceLattice(convert(weights / weights.sum())) for convert in (np.asarray, to_device1)
    )
    positive = [x for x, z in summed(weights).items() if z != 0]
    pairs = [
        (host.values, device.values),
        (host.evidence(positive), device.evidence(to_device1(positive))),
        (host.denoise(positive), device.denoise(to_device1(positive))),
        (host.subset_entropies(), device.subset_entropies()),
        *((host.conditionals(i), device.conditionals(i)) for i in range(length)),
    ]
    for expected, actual in pairs:
        assert actual.device == DEVICE1
        np.testing.assert_allclose(to_host(actual), expected, rtol=1e-12, atol=1e-15)


def test_integer_weights_on_a_device():
    weights = integer_weights(3, 2, seed=9)
    lattice = EvidenceLattice(to_device1(weights))
    assert lattice.values.device == DEVICE1
    values = to_host(lattice.values)
    for x, z in summed(weights).items():
        assert values[index_of(x, 2)] == pytest.approx(float(z), rel=1e-12, abs=0)


def test_weights_are_not_modified():
    weights = integer_weights(3, 3)
    before = weights.copy()
    weights.flags.writeable = False
    lattice = EvidenceLattice(weights)
    lattice.subset_entropies()
    lattice.conditionals(1)
    lattice.denoise([MASK, MASK, MASK])
    np.testing.assert_array_equal(weights, before)


@pytest.mark.parametrize("length", [40, 63, 2000])
def test_a_table_that_no_machine_holds_is_refused(length):
    """Also where numpy has not the axes, and where the size overflows 64 bits."""
    p = MarkovChain([0.5, 0.5], [[0.9, 0.1], [0.3, 0.7]], length)
    with pytest.raises(TooLarge):
        p.table()
