"""Polynomials in Fractions whose variables are never negative, and regions cut in two.

A polynomial is a mapping from exponents, one for each variable, to coefficients that are not 0.
"""

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

__all__ = ["Polynomial", "added", "as_quotient", "at", "shifted", "without"]

Exponents: TypeAlias = tuple[int, ...]
Polynomial: TypeAlias = Mapping[Exponents, Fraction]


def as_quotient(expression: Any, symbols: Sequence[Any]) -> tuple[Polynomial, Polynomial] | None:
    """Numerator and denominator of a SymPy expression, or None if it is no quotient of polynomials.

    Nothing is cancelled, so that the denominator is 0 wherever the expression is undefined.

    >>> import sympy
    >>> n = sympy.Symbol("n")
    >>> as_quotient(1 / n + n / 2, [n])
    ({(0,): Fraction(2, 1), (2,): Fraction(1, 1)}, {(1,): Fraction(2, 1)})
    """
    import sympy

    parts = sympy.fraction(sympy.together(sympy.sympify(expression)))
    try:
        numerator, denominator = (
            sympy.Poly(part, *symbols, domain="QQ").as_dict() for part in parts
        )
    except (sympy.PolynomialError, sympy.CoercionFailed):
        return None
    return _in_fractions(numerator), _in_fractions(denominator)


def _in_fractions(terms: Mapping[Exponents, Any]) -> Polynomial:
    return {e: Fraction(int(c.p), int(c.q)) for e, c in sorted(terms.items()) if c != 0}


def at(polynomial: Polynomial, point: Sequence[Fraction | int]) -> Fraction:
    """The value at a point.

    >>> at({(2, 0): Fraction(1), (0, 1): Fraction(-3)}, (2, 1))     # 4 - 3
    Fraction(1, 1)
    """
    total = Fraction(0)
    for exponents, coefficient in polynomial.items():
        total += coefficient * math.prod(x**e for x, e in zip(point, exponents, strict=True))
    return total


def shifted(polynomial: Polynomial, i: int, by: int = 1) -> Polynomial:
    """The polynomial with ``y_i + by`` in place of ``y_i``.

    >>> shifted({(2,): Fraction(1)}, 0) == {(2,): 1, (1,): 2, (0,): 1}
    True
    """
    found: dict[Exponents, Fraction] = {}
    for e, c in polynomial.items():
        for k in range(e[i] + 1):
            key = (*e[:i], k, *e[i + 1 :])
            found[key] = found.get(key, Fraction(0)) + c * math.comb(e[i], k) * by ** (e[i] - k)
    return {e: c for e, c in found.items() if c}


def added(polynomial: Polynomial, i: int, j: int) -> Polynomial:
    """The polynomial with ``y_i + y_j`` in place of ``y_j``.

    >>> added({(0, 2): Fraction(1), (1, 1): Fraction(-1)}, 0, 1) == {(0, 2): 1, (1, 1): 1}
    True
    """
    found: dict[Exponents, Fraction] = {}
    for e, c in polynomial.items():
        for k in range(e[j] + 1):
            new = list(e)
            new[i], new[j] = e[i] + e[j] - k, k
            key = tuple(new)
            found[key] = found.get(key, Fraction(0)) + c * math.comb(e[j], k)
    return {e: c for e, c in found.items() if c}


def without(polynomial: Polynomial, i: int) -> Polynomial:
    """The polynomial where ``y_i`` is 0.

    >>> without({(1, 1): Fraction(1), (0, 2): Fraction(3)}, 0)
    {(0, 2): Fraction(3, 1)}
    """
    return {e: c for e, c in polynomial.items() if e[i] == 0}
