"""The Perron root and the next largest modulus of an eigenvalue, for one class of a chain.

The classes make the transition matrix block triangular, so its eigenvalues are those of the
blocks. A class of period d has d of the largest modulus: its Perron root, which is 1 if the class
is recurrent, times the d-th roots of unity. That number is known from what steps are possible, so
no number has to be compared with 1. Its characteristic polynomial is a power of x times g(x^d), and
of g the Perron root to the power d is the one root of largest modulus.
"""

from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from theory._core.exact import all_rational, as_sympy, from_sympy, is_rational
from theory._markov.number_fields import Floats
from theory._markov.root_moduli import DIGITS, moduli
from theory._markov.sparse_spectrum import converges_in_finite_time

__all__ = ["Spectrum", "class_spectrum", "is_nilpotent", "largest", "radius"]

ZERO_TOL = 1e-14
"""A float eigenvalue below this is indistinguishable from 0."""

VANISHED_TOL = 1e-13
"""If a power of a float matrix is smaller than the one before by this factor, it is zero."""

MAX_POWERS = 12
"""As many powers are tried: beyond, rounding hides whether they vanish."""


class Spectrum(NamedTuple):
    """The spectrum of one class.

    Attributes
    ----------
    root : number
        Its Perron root: 1 if it is recurrent, 0 if it is one token that never returns.
    second : number
        The largest modulus of all eigenvalues that are smaller, 0 if there are none. (Of a class
        of symbols that is not recurrent it is the Perron root, because symbols cannot be compared.)
    """

    root: Any
    second: Any


def largest(numbers: list[Any]) -> Any:
    """The largest of non-negative numbers, which may hold symbols.

    Algebraic numbers are compared to 30 digits; of equal ones the simplest is taken.

    >>> import sympy
    >>> largest([Fraction(1, 2), 2 * sympy.sqrt(2) / 3]), largest([sympy.Symbol("x"), 0])
    (2*sqrt(2)/3, x)
    """
    if all(isinstance(v, (float, np.floating)) or is_rational(v) for v in numbers):
        return max(numbers)
    import sympy

    numbers = [as_sympy(v) for v in numbers if v != 0]
    if sympy.nan in numbers:
        return sympy.nan
    if all(v.is_number for v in numbers):
        numbers.sort(key=sympy.count_ops)
        return from_sympy(max(numbers, key=lambda v: v.evalf(DIGITS), default=sympy.Integer(0)))
    return from_sympy(sympy.Max(*numbers))


def class_spectrum(block: np.ndarray, period: int, *, recurrent: bool) -> Spectrum:
    """Find the Perron root and the next modulus of the block of a class.

    >>> class_spectrum(np.asarray([[0.75, 0.25], [0.25, 0.75]]), 1, recurrent=True)
    Spectrum(root=1.0, second=0.5)
    >>> block = np.asarray([[Fraction(3, 4), Fraction(1, 4)], [1, 0]], dtype=object)
    >>> class_spectrum(block, 1, recurrent=True)
    Spectrum(root=Fraction(1, 1), second=Fraction(1, 4))
    """
    if len(block) == 1:
        return Spectrum(block[0, 0], block[0, 0] * 0)
    if block.dtype.kind != "O":
        return _of_floats(block, period, recurrent)
    if all_rational(block):
        return _of_rationals(block, period)
    return _of_expressions(block, period, recurrent)


def radius(matrix: np.ndarray) -> float:
    """The spectral radius of a float matrix; 0 if it is nilpotent but for rounding.

    Rounding moves the eigenvalue 0 of a nilpotent matrix to as much as its 1/n-th power.

    >>> radius(np.asarray([[0.1, 0.2], [-0.05, -0.1]]))
    0.0
    """
    if not len(matrix):
        return 0.0
    found = float(np.max(np.abs(np.linalg.eigvals(matrix))))
    return 0.0 if found < ZERO_TOL or is_nilpotent(matrix, found) else found


def is_nilpotent(matrix: np.ndarray, radius: float) -> bool:
    """Tell whether a float matrix is nilpotent but for rounding: whether some power vanishes."""
    if radius > VANISHED_TOL ** (1 / MAX_POWERS):
        return False
    power, size = matrix, np.abs(matrix).max()
    for _ in range(min(len(matrix), MAX_POWERS)):
        power = power @ matrix
        before, size = size, np.abs(power).max()
        if size <= VANISHED_TOL * before:
            return True
    return False


def _of_floats(block: np.ndarray, period: int, recurrent: bool) -> Spectrum:
    values = list(np.linalg.eigvals(block))
    root = 1.0 if recurrent else float(np.max(np.abs(values)))
    for k in range(period):
        unit = root * np.exp(2j * np.pi * k / period)
        values.pop(int(np.argmin(np.abs(np.asarray(values) - unit))))
    second = float(np.max(np.abs(values), initial=0.0))
    if period == 1 and second < root * VANISHED_TOL ** (1 / MAX_POWERS):
        right, left = (Floats().null_vector(m, root) for m in (block, block.T))
        second = radius(block - root * (np.outer(right, left) / (right @ left)))
    if period == 1 and second > ZERO_TOL and recurrent and _converges_in_finite_time(block):
        second = 0.0
    return Spectrum(root, second if second > ZERO_TOL else 0.0)


def _converges_in_finite_time(block: np.ndarray) -> bool:
    """As `sparse_spectrum.converges_in_finite_time`, of a dense block."""
    if abs(float((block * block.T).sum()) - float(np.trace(block)) ** 2) > ZERO_TOL * len(block):
        return False
    from scipy.sparse import csr_array

    return converges_in_finite_time(csr_array(block))


def _of_rationals(block: np.ndarray, period: int) -> Spectrum:
    import sympy

    x = sympy.Dummy("x")
    coefficients = sympy.Matrix(block.tolist()).applyfunc(as_sympy).charpoly(x).all_coeffs()
    of_power = coefficients[::period]  # all others are 0, but for a power of x at the end
    found = [m.exact() for m in moduli(sympy.Poly(of_power, x))[:2]] + [sympy.Integer(0)]
    return Spectrum(*(from_sympy(sympy.root(m, period)) for m in found[:2]))


def _of_expressions(block: np.ndarray, period: int, recurrent: bool) -> Spectrum:
    import sympy

    x = sympy.Dummy("x")
    matrix = sympy.Matrix(block.tolist()).applyfunc(as_sympy)
    polynomial = sympy.Poly(matrix.charpoly(x).as_expr(x), x)
    if recurrent:
        polynomial = sympy.quo(polynomial, sympy.Poly(x**period - 1, x))
    found = []
    for factor, multiplicity in sympy.factor_list(polynomial)[1]:
        found += _moduli(sympy.Poly(factor, x)) * multiplicity
    if recurrent:
        return Spectrum(Fraction(1), largest(found) if found else Fraction(0))
    if any(v.free_symbols for v in found):
        return Spectrum(largest(found), largest(found))
    found.sort(key=lambda v: -v.evalf(DIGITS))
    return Spectrum(from_sympy(found[0]), largest([*found[period:], 0]))


def _moduli(factor: Any) -> list[Any]:
    """Moduli of the roots of a factor whose coefficients are expressions."""
    import sympy

    if factor.degree() == 2 and factor.discriminant().is_negative:
        return [sympy.sqrt(factor.coeff_monomial(1) / factor.LC())] * 2
    roots = sympy.roots(factor)
    if sum(roots.values()) < factor.degree():  # no closed form
        return [sympy.nan] * factor.degree()
    return [sympy.Abs(root) for root, times in roots.items() for _ in range(times)]
