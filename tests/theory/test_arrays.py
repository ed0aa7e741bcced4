"""The one door to the host, memory limits, and the small numerical helpers."""

import math
from fractions import Fraction
from typing import Any

import array_api_strict as strict
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from tests.cases import DEVICE1, to_device1
from theory import MASK, InvalidInput, JointTable, TooLarge
from theory._core.arrays import (
    as_array,
    format_pattern,
    free_memory,
    from_host,
    is_exact,
    log,
    on_one_device,
    read_only,
    require_memory,
    softmax,
    to_host,
    xlogx,
)

# Host and device


@pytest.mark.parametrize("dtype", ["float64", "int64", "bool"])
def test_an_array_comes_back_from_the_device(dtype):
    values = np.arange(6).reshape(2, 3).astype(dtype)
    there = from_host(values, to_device1([0.0]))
    assert there.device == DEVICE1
    back = to_host(there)
    assert isinstance(back, np.ndarray)
    assert back.dtype == values.dtype
    np.testing.assert_array_equal(back, values)


def test_scalars_and_lists_come_to_the_host_too():
    values: list[Any] = [3, 0.5, np.float64(0.5), [1, 2], to_device1(0.5)]
    for value in values:
        assert isinstance(to_host(value), np.ndarray)
    assert to_host(to_device1(0.5)).item() == 0.5


def test_a_host_array_is_not_copied():
    x = np.arange(3)
    assert to_host(x) is x
    assert as_array(x) is x
    there = to_device1([1.0])
    assert as_array(there) is there


def test_host_arrays_move_beside_those_on_a_device_and_alone_stay():
    x, y = np.arange(2), np.ones(1)
    assert on_one_device(x, y) == (x, y)
    a, b, c = on_one_device(np.arange(2), to_device1([0.5]), np.ones((1, 1)))
    assert [x.device for x in (a, b, c)] == [DEVICE1] * 3
    assert [to_host(x).tolist() for x in (a, b, c)] == [[0, 1], [0.5], [[1.0]]]


def test_two_devices_are_refused():
    elsewhere: Any = strict.asarray([1.0], device=strict.Device("device2"))
    with pytest.raises(InvalidInput, match=r"device1.*device2"):
        on_one_device(to_device1([1.0]), np.ones(1), elsewhere)


# Memory


def test_what_does_not_fit_is_refused_with_its_size(monkeypatch):
    monkeypatch.setenv("ZEROLOSS_MEMORY", str(2**31))
    assert free_memory() == 2**31
    require_memory(2**28, "just what fits")
    with pytest.raises(TooLarge):
        require_memory(2**28 + 1, "one entry more")
    with pytest.raises(TooLarge, match=r"^a table has 4.03e\+08 entries and needs 3 GiB; 2 GiB"):
        require_memory(3 * 2**27, "a table")
    require_memory(2**29, "half as wide", itemsize=4)
    with pytest.raises(TooLarge, match="4 GiB"):
        require_memory(2**28, "twice as wide", itemsize=16)
    with pytest.raises(TooLarge, match="1e5000"):
        require_memory(3 * 10**5000, "it")


def test_without_a_limit_the_memory_is_measured(monkeypatch):
    monkeypatch.delenv("ZEROLOSS_MEMORY", raising=False)
    assert free_memory() > 2**20
    assert free_memory(np.ones(1)) > 2**20


def test_read_only_arrays_cannot_be_written():
    x = np.zeros(3)
    view = read_only(x)
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 1
    x[0] = 1  # the array itself can
    assert view[0] == 1
    there = to_device1([1.0])
    assert read_only(there) is there


@pytest.mark.parametrize("exact", [False, True], ids=["floats", "exact"])
def test_the_table_and_lattice_of_a_distribution_are_read_only(exact):
    p = JointTable([[1, 2], [3, 4]], exact=exact)
    for shared in (p.table(), p.lattice().values):
        with pytest.raises(ValueError, match="read-only"):
            shared[0] = 1
    assert p.evidence([0, 0]) == pytest.approx(0.1)


def test_patterns_are_spelt_in_full_up_to_sixteen_sites():
    assert format_pattern(np.array([3, MASK, 0])) == "(3, MASK, 0)"
    assert format_pattern(to_device1([MASK, 1])) == "(MASK, 1)"
    assert format_pattern(np.array([MASK] * 16)).count("MASK") == 16


def test_of_long_patterns_only_what_is_observed_is_spelt():
    x = np.full(1000, MASK)
    x[[7, 900]] = [4, 0]
    assert format_pattern(x) == "(site 7: 4, site 900: 0; 1000 sites)"
    many = format_pattern(np.arange(20))
    assert many.startswith("(site 0: 0, site 1: 1, ")
    assert many.endswith(" and 4 more; 20 sites)")
    assert format_pattern(np.arange(20), most=20).count(",") == 19


# Logarithms


def test_log_of_zero_is_minus_infinity_without_a_warning():
    assert log(np.array([0.0, 1.0, math.e])).tolist() == [-math.inf, 0, 1]
    assert to_host(log(to_device1([0.0, 1.0]))).tolist() == [-math.inf, 0]
    assert log(np.array([0, 4])).tolist() == [-sympy.oo, 2 * sympy.log(2)]


@given(st.lists(st.floats(0, 1e300), min_size=1, max_size=5))
def test_xlogx_of_floats(values):
    expected = [x * math.log(x) if x > 0 else 0 for x in values]
    np.testing.assert_allclose(xlogx(np.array(values)), expected, rtol=1e-14)
    np.testing.assert_allclose(to_host(xlogx(to_device1(values))), expected, rtol=1e-14)


def test_xlogx_of_exact_numbers():
    assert xlogx(np.array([0, 1, 9])).tolist() == [0, 0, 18 * sympy.log(3)]
    assert xlogx(np.array([Fraction(1, 2)])).tolist() == [-sympy.log(2) / 2]


def test_what_is_exact():
    for x in ([1, 2], [Fraction(1, 2)], [sympy.Symbol("a")]):
        assert is_exact(np.array(x))
    for x in (np.array([0.5]), np.array([True]), to_device1([1]), to_device1([0.5])):
        assert not is_exact(x)


@given(st.lists(st.floats(-700, 700) | st.just(-math.inf), min_size=1, max_size=5))
def test_softmax(logits):
    """exp(l - top) / sum exp(l - top): rows sum to 1, also at the ends of the exponent range."""
    answer = softmax(np.array([logits]))[0]
    top = max(logits)
    if top == -math.inf:
        assert (answer == 0).all()
    else:
        raised = [math.exp(v - top) for v in logits]
        np.testing.assert_allclose(answer, np.array(raised) / math.fsum(raised), rtol=1e-13)


def test_softmax_of_huge_and_impossible_rows():
    logits = [[1e300, 1e300, -1e300], [-math.inf] * 3, [-1e5, -1e5 + math.log(3), -math.inf]]
    expected = [[0.5, 0.5, 0], [0, 0, 0], [0.25, 0.75, 0]]
    # 1e5 is rounded to 1e-11 of a unit in the exponent
    np.testing.assert_allclose(softmax(np.array(logits)), expected, rtol=1e-10)
    there = softmax(to_device1(logits))
    assert there.device == DEVICE1
    np.testing.assert_allclose(to_host(there), expected, rtol=1e-10)
