"""What comes in: accepted in every form that makes sense, and changed into one."""

import math
from fractions import Fraction

import array_api_strict as strict
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from tests.cases import DEVICE1, to_device1, to_host
from tests.noted import refusals
from theory import (
    MASK,
    HiddenMarkovModel,
    InvalidInput,
    JointTable,
    MarkovChain,
    ProductMixture,
    TooLarge,
)
from theory.validation.arguments import as_base, as_integer, as_sites, as_sizes, as_tokens
from theory.validation.probabilities import as_rows, as_weights

HOST = np.zeros(0)


# Integers, units, sites, sizes


@pytest.mark.parametrize("value", [3, np.int8(3), np.uint64(3), np.array(3), sympy.Integer(3)])
def test_integers_of_any_kind(value):
    answer = as_integer(value, "n", 3)
    assert answer == 3
    assert type(answer) is int


@pytest.mark.parametrize("value", [2, -3, 3.0, "3", None, True, np.True_, [3], math.nan])
def test_what_is_no_integer_of_at_least_three(value):
    with pytest.raises(InvalidInput, match="n must be an integer"):
        as_integer(value, "n", 3)


def test_units():
    assert as_base(None) == 1
    assert as_base(2) == math.log(2)
    assert as_base(10.0) == math.log(10)


@given(st.sets(st.integers(0, 9)), st.randoms())
def test_sites_are_put_in_order(sites, rng):
    shuffled = list(sites)
    rng.shuffle(shuffled)
    assert as_sites(shuffled, 10) == tuple(sorted(sites))
    assert as_sites(np.array(shuffled, dtype=np.int32), 10) == tuple(sorted(sites))
    assert all(type(i) is int for i in as_sites(np.array(shuffled, dtype=np.int8), 10))


def test_a_mask_is_no_list_of_sites():
    """True is 1 to Python, but who passes a mask means something else."""
    for mask in ([True, False], [False, True], np.array([True, False]), (True,)):
        with pytest.raises(InvalidInput, match="sites"):
            as_sites(mask, 2)


def test_sizes():
    assert as_sizes([1, np.int64(2)], 3) == (1, 2)
    assert as_sizes(np.array([2, 2]), None) == (2, 2)
    assert as_sizes(iter([4]), 4) == (4,)
    for sizes, match in (((1, 2), "4.*3"), ((0, 4), "0"), ((5,), "5"), ((1.5, 2.5), "1.5")):
        with pytest.raises(InvalidInput, match=match):
            as_sizes(sizes, 4)
    with pytest.raises(InvalidInput, match="sizes"):
        as_sizes(4, 4)


# Weights and rows


@given(st.lists(st.floats(0, 1e308), min_size=1, max_size=6).filter(any))
def test_float_weights_are_divided_by_their_sum(weights):
    values, total = as_weights(weights)
    assert total == 1
    assert values.dtype == np.float64
    # where a weight is below 1e-300 of the largest, its share is subnormal and rounded coarsely
    shares = [Fraction(w) / sum(map(Fraction, weights)) for w in weights]
    np.testing.assert_allclose(values, [float(s) for s in shares], rtol=1e-12, atol=1e-300)


@given(st.lists(st.fractions(0, 10, max_denominator=20), min_size=1, max_size=6).filter(any))
def test_exact_weights_are_integers_over_their_sum(weights):
    values, total = as_weights(np.array(weights, dtype=object), exact=True)
    assert total == sum(values.tolist())
    assert [Fraction(int(v), int(total)) for v in values] == [w / sum(weights) for w in weights]


def test_weights_may_decide_themselves_whether_they_are_exact():
    assert as_weights([1, 3], exact=None).total == 4
    assert as_weights([Fraction(1, 2), Fraction(1, 3)], exact=None).total == 5
    assert as_weights([0.5, 1.5], exact=None).values.tolist() == [0.25, 0.75]


def test_symbolic_weights_are_kept_over_their_sum():
    a, b = sympy.symbols("a b", positive=True)
    values, total = as_weights([a, 2 * b], exact=True)
    assert values.tolist() == [a, 2 * b]
    assert total == a + 2 * b


@pytest.mark.parametrize(("dtype", "off"), [(np.float64, 1e-9), (np.float32, 1e-6)])
def test_rows_nearly_sum_to_one_and_then_do(dtype, off):
    """Up to 1e-8 in float64; float32 rounds earlier, up to 1e-4."""
    rows = np.array([[0.25, 0.75 + off], [1.0, 0.0]], dtype=dtype)
    answer = as_rows(rows, "rows", 2)
    assert answer.dtype == np.float64
    np.testing.assert_allclose(answer.sum(axis=1), 1, rtol=1e-15)
    with pytest.raises(InvalidInput, match="rows of rows must sum to 1: row 0 sums to"):
        as_rows(rows + dtype([[1e4 * off], [0]]), "rows", 2)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_distributions_take_rows_of_single_precision(dtype):
    """A third in float16 is a third to 3 digits."""
    third = np.full((3, 3), 1 / 3, dtype=dtype)
    half = np.array([0.5, 0.25, 0.25], dtype=dtype)
    p = MarkovChain(half, third, 3)
    np.testing.assert_allclose(p.denoise([0, MASK, MASK])[1:], 1 / 3, rtol=1e-12)
    p = HiddenMarkovModel(half, third, third, 3)
    np.testing.assert_allclose(p.denoise([0, MASK, MASK])[1:], 1 / 3, rtol=1e-12)
    p = ProductMixture(half, third[:, None, :])
    np.testing.assert_allclose(p.denoise([MASK]), 1 / 3, rtol=1e-12)
    p = JointTable(third)
    np.testing.assert_allclose(p.table(), 1 / 9, rtol=1e-12)


def test_rows_of_single_precision_on_a_device():
    rows = strict.asarray(np.full((3, 3), 1 / 3, dtype=np.float32), device=DEVICE1)
    answer = as_rows(rows, "rows", 2)
    assert answer.device == DEVICE1
    np.testing.assert_allclose(to_host(answer).sum(axis=1), 1, rtol=1e-15)


def test_exact_rows_sum_to_one_exactly():
    third = Fraction(1, 3)
    assert as_rows([third, 2 * third], "row", 1, exact=True).tolist() == [third, 2 * third]
    with pytest.raises(InvalidInput, match="sums to 2/3"):
        as_rows([third, third], "row", 1, exact=True)
    a = sympy.Symbol("a", positive=True)
    assert as_rows([a, 1 - a], "row", 1, exact=True).tolist() == [a, 1 - a]
    with pytest.raises(InvalidInput, match="sum to 1"):
        as_rows([a, a], "row", 1, exact=True)


# Tokens


def test_one_sequence_becomes_a_batch():
    x, single = as_tokens([0, MASK], 2, 2, HOST)
    assert single
    assert x.tolist() == [[0, MASK]]
    assert x.dtype == np.int64
    x, single = as_tokens([[0, MASK]], 2, 2, HOST)
    assert not single
    assert x.shape == (1, 2)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint64])
def test_tokens_of_any_integer_type_become_int64(dtype):
    x, _ = as_tokens(np.array([1, 0], dtype=dtype), 2, 2, HOST)
    assert x.dtype == np.int64
    x, _ = as_tokens(np.array([1, 0], dtype=dtype), 2, 2, to_device1([0.0]))
    assert x.device == DEVICE1


SECOND = strict.Device("device2")
ROWS, INITIAL = strict.asarray([[0.5, 0.5]] * 2, device=SECOND), to_device1([0.5, 0.5])
TABLE = JointTable(to_device1([[0.25, 0.25], [0.25, 0.25]]))

test_tokens_from_another_device_are_refused = refusals(
    ("device1", lambda: as_tokens(to_device1([0, 1]), 2, 2, HOST)),
    ("device1", lambda: JointTable([[1, 1], [1, 1]]).denoise(to_device1([0, 1]))),
    (r"device2.*device1", lambda: TABLE.denoise(strict.asarray([0, 1], device=SECOND))),
)
test_parameters_on_two_devices_are_refused = refusals(
    (r"different devices.*device1.*device2", lambda: MarkovChain(INITIAL, ROWS, 3)),
    (r"different devices.*device1.*device2", lambda: HiddenMarkovModel(INITIAL, ROWS, ROWS, 3)),
    (r"different devices.*device1.*device2", lambda: ProductMixture(INITIAL, ROWS[:, None, :])),
)


def test_parameters_on_the_host_join_those_on_a_device():
    p = MarkovChain([0.5, 0.5], to_device1([[0.5, 0.5]] * 2), 3)
    assert p.denoise([0, MASK, MASK]).device == DEVICE1


@pytest.mark.parametrize("pattern", [[0, 2], [-2, 0]])
def test_the_offending_token_is_named(pattern):
    bad = next(v for v in pattern if v)
    for like, x in ((HOST, pattern), (to_device1([0.0]), to_device1(pattern))):
        with pytest.raises(InvalidInput, match=rf"0\.\.1.*entry {pattern.index(bad)} is {bad}"):
            as_tokens(x, 2, 2, like)
    with pytest.raises(InvalidInput, match=r"entry 0 is -1"):
        as_tokens([MASK, 0], 2, 2, HOST, masked=False)


def test_what_does_not_fit_is_refused_before_it_is_made(monkeypatch):
    monkeypatch.setenv("ZEROLOSS_MEMORY", "10000")  # of the 8-byte cells, 1250
    assert JointTable(np.ones((2,) * 5)).lattice().values.shape == (3,) * 5
    with pytest.raises(TooLarge, match=r"\(3,\)\*7 has 2187 entries"):
        JointTable(np.ones((2,) * 7)).lattice()
    chain = MarkovChain([0.5, 0.5], [[0.5, 0.5]] * 2, 100)
    with pytest.raises(TooLarge, match="100 sites over 2 tokens"):
        chain.table()
    with pytest.raises(TooLarge, match=r"\(3,\)\*100 has 5\.15e\+47 entries"):
        chain.lattice()
    assert chain.denoise([MASK] * 100).shape == (100, 2)
