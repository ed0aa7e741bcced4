"""Validation of times: revealed fractions that rise from 0 to 1."""

import itertools
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from theory.errors import InvalidInput
from theory.validation.tolerances import tolerance

__all__ = ["as_levels", "as_number", "as_span", "as_time", "as_times", "format_times", "is_end"]


def as_time(t: Any) -> Any:
    """Return a revealed fraction between 0 and 1 as a Fraction; SymPy expressions stay.

    A float that lies outside by rounding is 0 or 1.

    >>> as_time(0.5)
    Fraction(1, 2)
    """
    if getattr(t, "free_symbols", None):
        return t
    irrational = hasattr(t, "free_symbols") and not t.is_Rational
    try:
        time = t if irrational else _as_fraction(t)
    except (TypeError, ValueError, OverflowError):
        raise InvalidInput(f"a time must be a number from 0 to 1, got {t!r}") from None
    rounding = 0 if irrational else tolerance(t).entry
    if not -rounding <= time <= 1 + rounding:
        raise InvalidInput(f"a time must be a number from 0 to 1, got {t}")
    return time if 0 <= time <= 1 else Fraction(int(time > 0))


def _as_fraction(t: Any) -> Fraction:
    if isinstance(t, (str, bool, np.bool_)):
        raise TypeError
    return Fraction(t.item() if isinstance(t, np.generic) else t)


def as_number(time: Any) -> float:
    """Turn a checked time into a float.

    >>> as_number(as_time(0.5))
    0.5
    """
    try:
        return float(time)
    except TypeError:
        raise InvalidInput(f"a time must be a number from 0 to 1, got {time}") from None


def as_span(start: Any, stop: Any) -> tuple[Any, Any]:
    """Return two revealed fractions of which the second is not before the first.

    >>> as_span(0, 0.5)
    (Fraction(0, 1), Fraction(1, 2))
    """
    begin, end = as_time(start), as_time(stop)
    symbolic = any(getattr(t, "free_symbols", None) for t in (begin, end))
    if not symbolic and begin > end:
        raise InvalidInput(f"stop must not be before start: {stop} is before {start}")
    return begin, end


def as_levels(levels: Any) -> tuple[Fraction, ...]:
    """Return at least two revealed fractions that rise strictly, strictly between 0 and 1.

    >>> as_levels((0.25, 0.5))
    (Fraction(1, 4), Fraction(1, 2))
    """
    try:
        levels = tuple(levels)
        inner = tuple(Fraction(as_time(level)) for level in levels)
    except TypeError:
        raise InvalidInput(f"levels must be a sequence of numbers, got {levels!r}") from None
    rising = all(a < b for a, b in itertools.pairwise((Fraction(0), *inner, Fraction(1))))
    if len(inner) < 2 or not rising:
        raise InvalidInput(
            f"levels must be at least two numbers that rise strictly between 0 and 1, "
            f"got {_plain(levels)}"
        )
    return inner


def as_times(times: Any) -> tuple[Fraction, ...]:
    """Return revealed fractions that rise strictly from 0 to 1, as Fractions.

    Floats whose ends are off by rounding, as sums of steps are, begin at 0 and end at 1.

    >>> as_times((0, 0.5, 1))
    (Fraction(0, 1), Fraction(1, 2), Fraction(1, 1))
    """
    given = times
    try:
        times = tuple(times)
        steps = tuple(map(_as_fraction, times))
    except (TypeError, ValueError, OverflowError):
        raise InvalidInput(f"times must be a sequence of numbers, got {given!r}") from None
    if len(steps) < 2 or not (is_end(times[0], 0) and is_end(times[-1], 1)):
        raise InvalidInput(f"times must rise from 0 to 1, got {_plain(times)}")
    steps = (Fraction(0), *steps[1:-1], Fraction(1))
    for k, (a, b) in enumerate(itertools.pairwise(steps)):
        if a >= b:
            raise InvalidInput(
                f"times must rise strictly from 0 to 1: time {k + 1} is {times[k + 1]} "
                f"after {times[k]}"
            )
    return steps


def is_end(time: Any, end: int) -> bool:
    """Tell whether the first or last time of a grid is `end` (0 or 1), up to rounding.

    >>> is_end(0.1 + 0.2 + 0.7, 1), is_end(0.1 + 0.2, 1)
    (True, False)
    """
    near = isinstance(time, (float, np.floating)) and abs(time - end) <= tolerance(time).sum
    return bool(time == end or near)


def _plain(values: tuple[Any, ...]) -> str:
    """Write numbers without their types."""
    return f"({', '.join(map(str, values))})"


def format_times(times: Sequence[Fraction]) -> str:
    """Write times as fractions, or as decimals where the denominators are long.

    >>> format_times((Fraction(0), Fraction(1, 3), Fraction(1)))
    '(0, 1/3, 1)'
    """
    short = (str(t) if t.denominator < 10**6 else repr(float(t)) for t in times)
    return f"({', '.join(short)})"
