"""Times of a clock: what is taken for one, in which type it comes back, and how it is written."""

import itertools
import math
import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from tests.noted import refusals
from theory import InvalidInput
from theory.validation.times import as_levels, as_span, as_time, as_times, format_times

HALF = Fraction(1, 2)
HALVES = [0.5, HALF, np.float64(0.5), np.float32(0.5), Decimal("0.5")]
each_half = pytest.mark.parametrize("half", HALVES, ids=lambda half: type(half).__name__)

inner = st.fractions(0, 1).filter(lambda t: 0 < t < 1)
rising = st.lists(inner, unique=True, max_size=8).map(sorted)
float_times = st.floats(0, 1, exclude_min=True, exclude_max=True)
integers = st.integers(-3, 3)


# One time


@each_half
def test_a_time_is_a_fraction_whatever_its_type(half):
    assert as_time(half) == HALF
    assert type(as_time(half)) is Fraction


@pytest.mark.parametrize("end", [0, 1, 0.0, 1.0, -0.0, np.int64(0), np.int64(1), Fraction(1)])
def test_both_ends_are_times(end):
    assert as_time(end) == Fraction(int(end))
    assert type(as_time(end)) is Fraction


@given(float_times)
def test_a_float_is_the_fraction_that_it_is(t):
    """Not the decimal that it is written as."""
    mantissa, exponent = math.frexp(t)
    assert as_time(t) == Fraction(int(mantissa * 2**53)) * Fraction(2) ** (exponent - 53)


def test_expressions_stay():
    t = sympy.Symbol("t")
    for expression in (t, 1 - t, sympy.sqrt(2) / 2):
        assert as_time(expression) is expression


# Times from 0 to 1


@given(rising)
def test_times_that_rise_come_back_as_they_are(inside):
    times = (Fraction(0), *inside, Fraction(1))
    for given_as in (times, list(times), iter(times)):
        answer = as_times(given_as)
        assert answer == times
        assert all(type(t) is Fraction for t in answer)


def test_times_of_an_array_and_of_expressions():
    assert as_times(np.linspace(0, 1, 5)) == tuple(Fraction(k, 4) for k in range(5))
    answer = as_times((0, sympy.Rational(1, 3), 1))
    assert answer == (0, Fraction(1, 3), 1)
    assert type(answer[1]) is Fraction


@given(st.lists(st.builds(Fraction, integers, st.just(2)), min_size=1, max_size=6))
def test_times_are_refused_at_the_first_that_does_not_rise(inside):
    times = (Fraction(0), *inside, Fraction(1))
    falls = [k for k in range(1, len(times)) if times[k] <= times[k - 1]]
    if not falls:
        assert as_times(times) == times
        return
    with pytest.raises(InvalidInput) as caught:
        as_times(times)
    k = falls[0]
    assert str(caught.value) == (
        f"times must rise strictly from 0 to 1: time {k} is {times[k]} after {times[k - 1]}"
    )


@given(rising.filter(lambda inside: len(inside) >= 2))
def test_levels_that_rise_come_back_as_they_are(inside):
    for given_as in (inside, tuple(inside), iter(inside)):
        answer = as_levels(given_as)
        assert answer == tuple(inside)
        assert all(type(t) is Fraction for t in answer)


# Two times


@given(st.fractions(0, 1), st.fractions(0, 1))
def test_a_span_does_not_end_before_it_starts(a, b):
    start, stop = sorted((a, b))
    assert as_span(start, stop) == (start, stop)
    if start < stop:
        with pytest.raises(InvalidInput) as caught:
            as_span(stop, start)
        assert str(caught.value) == f"stop must not be before start: {start} is before {stop}"


@each_half
def test_a_span_of_any_type(half):
    span = as_span(half, 1)
    assert span == (HALF, 1)
    assert [type(t) for t in span] == [Fraction, Fraction]


def test_spans_of_expressions_stay():
    a, b = sympy.symbols("a b")
    assert as_span(a, b) == (a, b)
    assert as_span(0.5, b) == (HALF, b)


# Writing them


@pytest.mark.parametrize(
    ("times", "written"),
    [
        ((0, 1), "(0, 1)"),
        ((0, 0.5, 1), "(0, 1/2, 1)"),
        ((0, 0.1, 1), "(0, 0.1, 1)"),
        ((0, Fraction(1, 10), 1), "(0, 1/10, 1)"),
        ((0, Fraction(1, 10**6 - 1), 1), "(0, 1/999999, 1)"),
        ((0, Fraction(1, 10**6), 1), "(0, 1e-06, 1)"),
    ],
)
def test_times_are_written_as_short_as_they_are(times, written):
    assert format_times(as_times(times)) == written


def read(written):
    """The numbers between the brackets."""
    assert (written[0], written[-1]) == ("(", ")")
    parts = written[1:-1].split(", ")
    return [Fraction(p) if "." not in p and "e" not in p else float(p) for p in parts]


@given(rising)
def test_other_fractions_are_written_as_the_nearest_float(inside):
    times = as_times((0, *inside, 1))
    for t, number in itertools.zip_longest(times, read(format_times(times))):
        assert number == (t if t.denominator < 10**6 else float(t))


NUMBERS = [-1e-11, 1.5, 2, Fraction(-1, 10**300), 1 + Fraction(1, 10**30), np.float64(1.25)]
NO_NUMBERS: list[Any] = [
    "0.5",
    b"0",
    True,
    np.True_,
    None,
    math.nan,
    math.inf,
    np.float64("nan"),
    0.5j,
    [0.5],
    {},
]
NO_TIMES: list[Any] = [
    None,
    0.5,
    "01",
    (0, "0.5", 1),
    (0, True),
    (np.False_, 1),
    (0, math.nan, 1),
    (0, math.inf, 1),
    (0, None, 1),
    (0, 0.5j, 1),
    ((0, 1), (0, 1)),
    (0, sympy.Symbol("t"), 1),
    np.array([[0, 1]]),
    np.array(0.5),
]
ELSEWHERE = {
    "()": (),
    "(0)": (0,),
    "(1)": (1,),
    "(0, 0.5)": (0, 0.5),
    "(0.5, 1)": (0.5, 1),
    "(1/7, 1)": (Fraction(1, 7), 1),
    "(0.25, 1.0)": np.array([0.25, 1.0]),
    "(1, 0)": (1, 0),
    "(0, 1, 2)": (0, 1, 2),
    f"(0, {10**20 - 1}/{10**20})": (0, 1 - Fraction(1, 10**20)),
}
NO_LEVELS = {
    "0.25, 0.75, 0.5": (0.25, 0.75, 0.5),
    "0.5, 0.5": (0.5, 0.5),
    "0, 0.5": (0, 0.5),
    "0.5, 1": (0.5, 1),
    "-0.5": (-0.5, 0.5),
    "1.25": (0.5, 1.25),
    "2/3, 1/3": (Fraction(2, 3), Fraction(1, 3)),
    "0.75, 0.5": [np.float64(0.75), np.float64(0.5)],
    "()": (),
    "(0.5)": (0.5,),
    "(1/3)": [Fraction(1, 3)],
}


def whole(message):
    return f"^{re.escape(message)}$"


test_what_is_refused = refusals(
    *((whole(f"a time must be a number from 0 to 1, got {t}"), as_time, [t]) for t in NUMBERS),
    *((whole(f"a time must be a number from 0 to 1, got {t!r}"), as_time, [t]) for t in NO_NUMBERS),
    *(
        (whole(f"times must rise from 0 to 1, got {written}"), as_times, [times])
        for written, times in ELSEWHERE.items()
    ),
    *(
        (whole(f"times must be a sequence of numbers, got {times!r}"), as_times, [times])
        for times in NO_TIMES
    ),
    (r"time 2 is 0\.25 after 0\.5$", as_times, [(0, np.float64(0.5), np.float64(0.25), 1)]),
    (r"time 2 is 1/3 after 1/2$", as_times, [(0, Fraction(1, 2), Fraction(1, 3), 1)]),
    *((f"must be.*{re.escape(named)}", as_levels, [levels]) for named, levels in NO_LEVELS.items()),
    *(
        (whole(f"levels must be a sequence of numbers, got {levels!r}"), as_levels, [levels])
        for levels in (None, 0.5, np.array(0.5))
    ),
    *(
        (re.escape(repr(bad)), as_levels, [(0.25, bad)])
        for bad in ("0.5", True, math.nan, None, 0.5j)
    ),
    ("from 0 to 1, got 1.5", lambda: as_span(0, 1.5)),
    ("from 0 to 1, got -0.25", lambda: as_span(-0.25, 1)),
)
