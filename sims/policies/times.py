"""The times of a clock: revealed fractions that rise from 0 to 1."""

import itertools
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from theory.errors import InvalidInput

__all__ = ["as_times", "spell_times"]


def as_times(times: Any) -> tuple[Fraction, ...]:
    """Return revealed fractions that rise strictly from 0 to 1, as Fractions.

    >>> as_times((0, 0.5, 1))
    (Fraction(0, 1), Fraction(1, 2), Fraction(1, 1))
    """
    given = times
    try:
        times = tuple(times)
        if any(isinstance(t, (str, bool, np.bool_)) for t in times):
            raise TypeError
        steps = tuple(Fraction(t.item() if isinstance(t, np.generic) else t) for t in times)
    except (TypeError, ValueError, OverflowError):
        raise InvalidInput(f"times must be a sequence of numbers, got {given!r}") from None
    if len(steps) < 2 or steps[0] != 0 or steps[-1] != 1:
        raise InvalidInput(f"times must rise from 0 to 1, got {_plain(times)}")
    for k, (a, b) in enumerate(itertools.pairwise(steps)):
        if a >= b:
            raise InvalidInput(
                f"times must rise strictly from 0 to 1: time {k + 1} is {times[k + 1]} "
                f"after {times[k]}"
            )
    return steps


def _plain(values: tuple[Any, ...]) -> str:
    """Write numbers without their types."""
    return f"({', '.join(map(str, values))})"


def spell_times(times: Sequence[Fraction]) -> str:
    """Write times as short as they are.

    >>> spell_times((Fraction(0), Fraction(1, 3), Fraction(1)))
    '(0, 1/3, 1)'
    """
    short = (str(t) if t.denominator < 10**6 else repr(float(t)) for t in times)
    return f"({', '.join(short)})"
