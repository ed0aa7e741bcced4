"""Eigenvalues of a chain, class by class, and how strongly the slowest modes are felt.

The classes make the transition matrix block triangular, so its eigenvalues are those of the
blocks. A class of period d has d of the largest modulus: its Perron root, which is 1 if the class
is recurrent, times the d-th roots of unity. That number is known from what steps are possible, so
nothing has to be compared with 1.
"""

from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from theory.exact import as_sympy, is_rational

__all__ = ["Spectrum", "class_spectrum", "largest"]

DIGITS = 30
"""To how many digits exact numbers are compared."""

ROUNDING = 1e-14
"""An eigenvalue of floats below this cannot be told from 0."""


class Spectrum(NamedTuple):
    """The spectrum of one class.

    Attributes
    ----------
    root : number
        Its Perron root: 1 if it is recurrent, 0 if it is one token that never returns.
    others : list
        The moduli of the eigenvalues that are smaller, exact if the class is. (Of a class of
        symbols that is not recurrent all moduli, because symbols cannot be compared.)
    """

    root: Any
    others: list[Any]

    @property
    def second(self) -> Any:
        """The largest of the others, 0 if there are none."""
        return largest(self.others) if self.others else self.root * 0


def largest(numbers: list[Any]) -> Any:
    """The largest of non-negative numbers, which may hold symbols.

    >>> import sympy
    >>> largest([Fraction(1, 2), 2 * sympy.sqrt(2) / 3]), largest([sympy.Symbol("x"), 0])
    (2*sqrt(2)/3, x)
    """
    if all(isinstance(v, (float, np.floating)) or is_rational(v) for v in numbers):
        return max(numbers)
    import sympy

    numbers = [as_sympy(v) for v in numbers if v != 0]
    return _plain(sympy.Max(*numbers)) if numbers else Fraction(0)


def class_spectrum(block: np.ndarray, period: int, *, recurrent: bool) -> Spectrum:
    """Find the Perron root and the other moduli of the block of a class.

    >>> class_spectrum(np.asarray([[0.75, 0.25], [0.25, 0.75]]), 1, recurrent=True)
    Spectrum(root=1.0, others=[0.5])
    >>> block = np.asarray([[Fraction(3, 4), Fraction(1, 4)], [1, 0]], dtype=object)
    >>> class_spectrum(block, 1, recurrent=True)
    Spectrum(root=Fraction(1, 1), others=[Fraction(1, 4)])
    """
    if block.dtype.kind != "O":
        return _of_floats(block, period, recurrent)
    if len(block) == 1:
        return Spectrum(block[0, 0], [])
    return _of_exact(block, period, recurrent)


def _of_floats(block: np.ndarray, period: int, recurrent: bool) -> Spectrum:
    values = list(np.linalg.eigvals(block))
    root = 1.0 if recurrent else float(np.max(np.abs(values))) if period else 0.0
    for k in range(period):
        unit = root * np.exp(2j * np.pi * k / period)
        values.pop(int(np.argmin(np.abs(np.asarray(values) - unit))))
    moduli = [float(v) if v > ROUNDING else 0.0 for v in np.abs(np.asarray(values))]
    return Spectrum(root, sorted(moduli, reverse=True))


def _of_exact(block: np.ndarray, period: int, recurrent: bool) -> Spectrum:
    import sympy

    x = sympy.Dummy("x")
    matrix = sympy.Matrix(block.tolist()).applyfunc(as_sympy)
    polynomial = sympy.Poly(matrix.charpoly(x).as_expr(x), x)
    if recurrent:
        polynomial = sympy.quo(polynomial, sympy.Poly(x**period - 1, x))
    moduli = []
    for factor, multiplicity in sympy.factor_list(polynomial)[1]:
        moduli += _moduli(sympy.Poly(factor, x)) * multiplicity
    if all(v.is_number for v in moduli):
        moduli.sort(key=lambda v: (-v.evalf(DIGITS), sympy.count_ops(v)))
    moduli = [_plain(v) for v in moduli]
    if recurrent:
        return Spectrum(Fraction(1), moduli)
    symbols = any(getattr(v, "free_symbols", None) for v in moduli)
    return Spectrum(largest(moduli), moduli if symbols else moduli[period:])


def _moduli(factor: Any) -> list[Any]:
    """Moduli of the roots of an irreducible polynomial."""
    import sympy

    if factor.degree() == 2 and factor.discriminant().is_negative:
        return [sympy.sqrt(factor.coeff_monomial(1) / factor.LC())] * 2
    if factor.domain.is_QQ or factor.domain.is_ZZ:
        return [sympy.Abs(root) for root in factor.all_roots()]
    roots = sympy.roots(factor)
    if sum(roots.values()) < factor.degree():  # no closed form
        return [sympy.nan] * factor.degree()
    return [sympy.Abs(root) for root, times in roots.items() for _ in range(times)]


def _plain(value: Any) -> Any:
    """A Fraction where SymPy's number is rational."""
    return Fraction(int(value.p), int(value.q)) if value.is_Rational else value
