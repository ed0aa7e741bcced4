"""By how much an inequality fails, and how tight it is; exact where its numbers are exact."""

import math
from collections.abc import Iterable
from typing import Any

from theory._core.bound import Bound
from theory._core.log_numbers import LinearForm
from theory.claims.kit.simplify import fraction_field
from theory.errors import InvalidInput

__all__ = ["bound_closeness", "bound_excess", "closeness", "excess", "greatest", "sides"]

ROUNDING_TOL = 1e-12
"""Floats may miss an inequality by this much; exact numbers may not."""

MIN_FLOAT = 1e-6
"""Below this a quotient of floats has too few digits to be compared with 1."""


def closeness(least: Any, most: Any) -> float:
    """Return ``least / most``, which is 1 where ``least <= most`` is an equality.

    Where the inequality holds the quotient is at most 1, without rounding beyond it. It is nan
    where `most` is 0, or a float too small to say anything.

    >>> import sympy
    >>> closeness(sympy.log(2), 2 * sympy.log(2)), closeness(0, 0), closeness(1.0 + 1e-15, 1.0)
    (0.5, nan, 1.0)
    """
    if most <= (MIN_FLOAT if _is_float(most) else 0):
        return math.nan
    quotient = float(least) / float(most)
    return min(quotient, 1.0) if excess(least, most) == 0 else quotient


def excess(least: Any, most: Any) -> Any:
    """Return ``least - most`` where it is positive, else 0.

    The sign of a non-zero combination of logarithms is found by evaluating it with as many
    digits as it takes.

    >>> import sympy
    >>> excess(sympy.log(2), sympy.log(3)), excess(3, 1), excess(1.0 + 1e-16, 1.0)
    (0, 2, 0.0)
    >>> excess(math.nan, 1.0)
    nan

    With symbols that are not negative, it is 0 if no coefficient of ``most - least``, a quotient of
    polynomials, is negative: then the inequality holds for all their values. Else it is positive.

    >>> a, b = sympy.symbols("a b", nonnegative=True)
    >>> excess(a * b, (a + b) ** 2), excess(3 * a, a + b)
    (0, 2)
    """
    over = least - most
    if _is_float(over):
        return 0.0 if over <= ROUNDING_TOL else float(over)  # what is no number stays none
    if getattr(over, "free_symbols", None):
        return -sum(min(c, 0) for c in _coefficients(-over))
    return over if over > 0 else 0


def _coefficients(slack: Any) -> list[Any]:
    """The coefficients of a quotient of polynomials in numbers that are not negative."""
    if isinstance(slack, LinearForm):
        free = slack.free_symbols
        coefficients = [slack.coefficient(key) for key in slack.numerators]
    else:
        quotient = fraction_field(slack)
        free = quotient.field.symbols
        coefficients = [int(c) for c in (*quotient.numer.coeffs(), *quotient.denom.coeffs())]
    if not all(number.is_nonnegative for number in free):
        raise InvalidInput(f"not a quotient of polynomials in numbers that are never < 0: {slack}")
    return coefficients


def bound_excess(bound: Bound) -> Any:
    """By how much a bound fails, else 0.

    >>> bound_excess(Bound(quantity=3, bound=1)), bound_excess(Bound(quantity=1, bound=3))
    (2, 0)
    >>> bound_excess(Bound(quantity=1, bound=3, upper=False))
    2
    """
    return excess(*sides(bound))


def bound_closeness(bound: Bound) -> float:
    """How near a quantity comes to its bound: 1 where it is attained.

    >>> bound_closeness(Bound(quantity=1, bound=2))
    0.5
    """
    return closeness(*sides(bound))


def greatest(ratios: Iterable[float]) -> float:
    """Return the greatest of some ratios; nan ones say nothing, and of nothing it is nan."""
    return max((ratio for ratio in ratios if not math.isnan(ratio)), default=math.nan)


def sides(bound: Bound) -> tuple[Any, Any]:
    """What must be at most the other, first."""
    return (bound.quantity, bound.bound) if bound.upper else (bound.bound, bound.quantity)


def _is_float(value: Any) -> bool:
    return hasattr(value, "dtype") or isinstance(value, float)
