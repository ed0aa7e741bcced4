"""Arrays of exact numbers: quotients, logarithms and exponentials without rounding.

The entropy of a rational table is a rational combination of logarithms of integers: a
`LinearForm`. Equality of such forms is decidable, so an identity between entropies is checked
without any tolerance. Logarithms of expressions stay expressions of SymPy.
"""

import functools
import math
from collections.abc import Callable
from fractions import Fraction
from numbers import Rational
from typing import Any

import numpy as np

from theory._core.log_numbers import as_fraction, logarithm
from theory._core.types import ArrayLike
from theory.errors import InvalidInput

__all__ = [
    "all_rational",
    "as_sympy",
    "elementwise",
    "exp",
    "floats",
    "from_sympy",
    "integers",
    "is_rational",
    "log",
    "over_common_denominator",
    "ratio",
    "short",
    "xlogx",
    "xlogy",
]


def is_rational(value: Any) -> bool:
    """Tell whether `value` is an integer or a Fraction (not a SymPy expression)."""
    if type(value) in (int, Fraction):  # the test of an abstract class is slow
        return True
    return isinstance(value, (Rational, np.integer)) and not isinstance(value, bool)


def all_rational(x: np.ndarray) -> bool:
    """Tell whether every entry is an integer or a Fraction.

    >>> all_rational(np.asarray([Fraction(1, 2), 1], dtype=object))
    True
    """
    return all(map(is_rational, x.reshape(-1).tolist()))


def xlogy(weights: np.ndarray, x: np.ndarray) -> np.ndarray:
    """``weights log x``, with 0 where the weight is 0.

    >>> xlogy(np.asarray([0, 2]), np.asarray([0, 3])).tolist()
    [0, 2*log(3)]
    """
    return elementwise(_times_log, weights, x)


def elementwise(function: Callable[..., Any], *arrays: np.ndarray) -> np.ndarray:
    """Apply a Python function to every entry, with broadcasting; the result holds objects.

    >>> elementwise(abs, np.asarray([-1, 2])).tolist()
    [1, 2]
    """
    with np.errstate(all="ignore"):  # NumPy would report flags that the function left behind
        result = np.frompyfunc(function, len(arrays), 1)(*arrays)
    return np.asarray(result, dtype=object)


def integers(values: list[int]) -> np.ndarray:
    """Pack integers as ``int64`` where all their sums fit, as Python integers otherwise.

    >>> integers([2**70, 1]).dtype
    dtype('O')
    """
    fits = sum(abs(v) for v in values) < 2**63
    return np.array(values, dtype=np.int64 if fits else object)


def over_common_denominator(values: np.ndarray) -> tuple[np.ndarray, int]:
    """Integers ``n`` and one integer ``d`` with ``values = n / d``.

    >>> over_common_denominator(np.asarray([Fraction(1, 2), Fraction(1, 3)]))
    (array([3, 2]), 6)
    """
    fractions = [Fraction(v) for v in values.reshape(-1).tolist()]
    denominator = math.lcm(*(f.denominator for f in fractions))
    numerators = [f.numerator * (denominator // f.denominator) for f in fractions]
    return integers(numerators).reshape(values.shape), denominator


def floats(x: ArrayLike, problem: str) -> np.ndarray:
    """Exact numbers as floats, to be ordered; what depends on free symbols is refused.

    The error message begins with `problem`, what the symbols leave undecided, and names them.

    >>> floats([Fraction(1, 2), logarithm(Fraction(1))], "").tolist()
    [0.5, 0.0]
    """
    x = np.asarray(x)
    try:
        return x.astype(np.float64)
    except TypeError:  # what is constant may not look so before it is simplified
        import sympy

        plain = elementwise(lambda v: sympy.simplify(as_sympy(v)), x)
        symbols = set().union(*(v.free_symbols for v in plain.reshape(-1).tolist()))
        if not symbols:
            return plain.astype(np.float64)
        names = ", ".join(sorted(map(str, symbols)))
        raise InvalidInput(f"{problem}: it depends on the free symbols {names}") from None


def ratio(numerators: np.ndarray, denominators: Any) -> np.ndarray:
    """Exact quotients, elementwise with broadcasting; ``nan`` where the denominator is zero.

    >>> ratio(np.asarray([1, 2]), 4).tolist()
    [Fraction(1, 4), Fraction(1, 2)]
    """
    return elementwise(_divide, np.asarray(numerators), np.asarray(denominators))


def short(value: Any) -> str:
    """A number to four digits, for a `repr`; with free symbols the expression.

    >>> short(Fraction(1, 3))
    '0.3333'
    """
    return str(value) if getattr(value, "free_symbols", None) else f"{float(value):.4g}"


def log(x: np.ndarray) -> np.ndarray:
    """Logarithms of exact numbers, in the logarithms of primes; ``-oo`` at zero.

    >>> log(np.asarray([12])).tolist()
    [log(3) + 2*log(2)]
    """
    return elementwise(_log, x)


def exp(x: np.ndarray) -> np.ndarray:
    """Exponentials of exact numbers.

    >>> exp(log(np.asarray([2, 3]))).tolist()
    [2, 3]
    """
    return elementwise(_exp, x)


def xlogx(x: np.ndarray) -> np.ndarray:
    """``x log x`` of exact numbers, with ``0 log 0 = 0``.

    >>> xlogx(np.asarray([Fraction(1, 2), Fraction(0)], dtype=object)).tolist()
    [-log(2)/2, 0]
    """
    return xlogy(x, x)


def _exp(value: Any) -> Any:
    import sympy

    return sympy.Integer(1) if value == 0 else sympy.exp(as_sympy(value))


@functools.lru_cache(maxsize=2**12)
def _quotient(numerator: int, denominator: int) -> Fraction:
    """Kept, because a few different ones occur many times, and reducing one is slow."""
    return Fraction(numerator, denominator)


def _divide(numerator: Any, denominator: Any) -> Any:
    if denominator == 0:
        return math.nan
    if type(numerator) is int and type(denominator) is int:
        return _quotient(numerator, denominator)
    if type(numerator) is Fraction and type(denominator) in (int, Fraction):
        return numerator / denominator
    if is_rational(numerator) and is_rational(denominator):
        return Fraction(_plain(numerator), _plain(denominator))
    return numerator / denominator


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, np.integer) else value


def as_sympy(value: Any) -> Any:
    """Turn an exact number into SymPy's.

    >>> as_sympy(Fraction(1, 2))
    1/2
    """
    import sympy

    if isinstance(value, Fraction):
        return sympy.Rational(value.numerator, value.denominator)
    return sympy.sympify(int(value) if isinstance(value, np.integer) else value)


def from_sympy(value: Any) -> Any:
    """Turn SymPy's number into a Fraction if it is rational, and leave it else.

    >>> import sympy
    >>> from_sympy(sympy.Rational(1, 2)), from_sympy(sympy.sqrt(2))
    (Fraction(1, 2), sqrt(2))
    """
    return Fraction(int(value.p), int(value.q)) if value.is_Rational else value


def _times_log(weight: Any, value: Any) -> Any:
    return 0 if weight == 0 else _log(value) * (weight if is_rational(weight) else as_sympy(weight))


def _log(value: Any) -> Any:
    fraction = as_fraction(value)
    if fraction is not None and fraction > 0:
        return logarithm(fraction)
    import sympy

    return -sympy.oo if fraction == 0 else sympy.log(value)
