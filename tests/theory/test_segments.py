"""Sums by index against a dictionary, on the host and on another device."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cases import DEVICE1, to_device1
from theory._core.arrays import to_host
from theory._core.segments import Sums, cummax, distinct_rows, scatter, segment_sum, sum_by_key

PAIRS = st.lists(st.tuples(st.integers(0, 9), st.integers(-5, 9)), max_size=20)
WIDE = st.lists(st.tuples(st.integers(0, 10**12), st.integers(-5, 9)), max_size=20)

each_place = pytest.mark.parametrize("convert", [np.asarray, to_device1], ids=["host", "device1"])

few = settings(max_examples=25)


def by_hand(pairs):
    sums = {}
    for index, value in pairs:
        sums[index] = sums.get(index, 0) + value
    return sums


def columns(pairs, convert, dtype: Any = np.float64):
    index = np.asarray([i for i, _ in pairs], dtype=np.int64)
    return convert(index), convert(np.asarray([v for _, v in pairs], dtype=dtype))


@each_place
@few
@given(st.one_of(PAIRS, WIDE))
def test_merging_adds_up_equal_indices(convert, pairs):
    """Small integers as floats: no sum is rounded, whatever the order."""
    expected = sorted(by_hand(pairs).items())
    index, values = columns(pairs, convert)
    found, sums, twice = sum_by_key(index, values, 2 * values)
    assert to_host(found).tolist() == [i for i, _ in expected]
    assert to_host(sums).tolist() == [v for _, v in expected]
    assert to_host(twice).tolist() == [2 * v for _, v in expected]


@each_place
@few
@given(PAIRS)
def test_sums_at_every_index(convert, pairs):
    expected = [by_hand(pairs).get(i, 0) for i in range(12)]
    for dtype in (np.float64, np.int64):
        found = segment_sum(*columns(pairs, convert, dtype), 12)
        assert to_host(found).tolist() == expected
        assert to_host(found).dtype == dtype


@each_place
@few
@given(st.lists(PAIRS, max_size=5))
def test_a_table_of_sums(convert, parts):
    expected = [by_hand([pair for part in parts for pair in part]).get(i, 0) for i in range(12)]
    sums = Sums(12, convert(np.zeros(1)))
    for part in parts:
        sums.add(*columns(part, convert))
    assert to_host(sums.table()).tolist() == expected
    assert to_host(sums.table()).tolist() == expected  # asking changes nothing
    sums.add(*columns([(3, 1)], convert))
    expected[3] += 1
    assert to_host(sums.table()).tolist() == expected


@given(PAIRS)
def test_fractions_stay_exact(pairs):
    pairs = [(i, Fraction(v, 7)) for i, v in pairs]
    index, values = columns(pairs, np.asarray, object)
    found, sums = sum_by_key(index, values)
    assert dict(zip(found.tolist(), sums.tolist(), strict=True)) == by_hand(pairs)


@each_place
@few
@given(st.lists(st.integers(0, 9), unique=True))
def test_values_are_placed(convert, places):
    pairs = [(i, 10 * i + 1) for i in places]
    expected = [dict(pairs).get(i, 0) for i in range(10)]
    assert to_host(scatter(*columns(pairs, convert, np.int64), 10)).tolist() == expected


@each_place
@few
@given(
    st.integers(1, 9).flatmap(
        lambda n: st.lists(
            st.lists(st.integers(-5, 5), min_size=n, max_size=n), min_size=1, max_size=4
        )
    )
)
def test_running_maxima(convert, rows):
    expected = [[max(row[: i + 1]) for i in range(len(row))] for row in rows]
    assert to_host(cummax(convert(np.asarray(rows)))).tolist() == expected


def test_small_values_are_not_lost_behind_large_ones():
    """As they would be in a difference of cumulative sums: 1e20 + 1 - 1e20 = 0."""
    index, values = to_device1([0, 1, 1, 2]), to_device1([1e20, 1.0, 2.0, 1e-20])
    _, sums = sum_by_key(index, values)
    assert to_host(sums).tolist() == [1e20, 3.0, 1e-20]
    cumulative = np.cumsum([1e20, 1.0, 2.0, 1e-20])
    assert cumulative[2] - cumulative[0] != 3.0


def test_everything_stays_on_its_device():
    index, values = to_device1([2, 2, 0]), to_device1([0.5, 0.25, 1.0])
    sums = Sums(3, values)
    assert sums.table().device == DEVICE1  # of nothing
    sums.add(index, values)
    answers = [*sum_by_key(index, values), segment_sum(index, values, 3), sums.table()]
    answers += [scatter(index[1:], values[1:], 3), cummax(to_device1([[1, 0, 2]]))]
    assert all(x.device == DEVICE1 for x in answers)


# Rows


@few
@given(st.data())
def test_distinct_rows(data):
    """Against sorted tuples; also where a row is more than a number."""
    length, most = data.draw(st.integers(0, 5)), data.draw(st.sampled_from([1, 4, 2**40]))
    row = st.lists(st.integers(-most, most), min_size=length, max_size=length)
    drawn = data.draw(st.lists(row, max_size=12))
    x = np.asarray(drawn, dtype=np.int64).reshape(len(drawn), length)
    rows, which = distinct_rows(x)
    assert rows.tolist() == sorted(map(list, set(map(tuple, drawn))))
    assert rows[which].tolist() == drawn


def test_distinct_rows_of_bools():
    rows, which = distinct_rows(np.asarray([[True, False], [False, True], [True, False]]))
    assert rows.tolist() == [[False, True], [True, False]]
    assert which.tolist() == [1, 0, 1]


def test_distinct_rows_of_narrow_integers():
    x = np.asarray([[100, -100], [-100, 100]], dtype=np.int8)
    rows, which = distinct_rows(x)
    assert rows.tolist() == [[-100, 100], [100, -100]]
    assert which.tolist() == [1, 0]
