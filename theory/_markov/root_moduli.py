"""Moduli of the roots of a polynomial with rational coefficients, largest first, without rounding.

Roots are ordered by 30 digits. A modulus is then written as an exact number: a real root is one,
and of a complex root z the square of the modulus, ``z conj(z)``, is a real root of the polynomial
of all products of two roots, whose coefficients follow from Newton's identities.
"""

from fractions import Fraction
from typing import Any, NamedTuple

__all__ = ["Modulus", "moduli", "same_number"]

DIGITS = 30
"""To how many digits roots are compared."""

EQUAL_TOL = Fraction(1, 10 ** (DIGITS - 8))
"""Moduli that differ by less, relatively, are taken for equal."""

ZERO_TOL = Fraction(1, 10 ** (DIGITS // 2))
"""A polynomial that is smaller than this, relatively to its terms, is zero there."""


class Modulus(NamedTuple):
    """The modulus and the root to 30 digits, with the irreducible polynomial of the root."""

    value: Any
    factor: Any
    root: Any

    @property
    def real(self) -> bool:
        """Whether the root is real."""
        return bool(self.root.is_real)

    def near(self, other: "Modulus") -> bool:
        """Whether two moduli are equal, as far as 30 digits show."""
        return _near(self.value, other.value)

    def exact(self) -> Any:
        """The modulus as a SymPy number, the same one for equal moduli of real roots."""
        import sympy

        if self.value == 0:
            return sympy.Integer(0)
        if self.real:
            x = sympy.Poly(self.factor.gen, self.factor.gen)
            factor = self.factor if self.root > 0 else self.factor.compose(-x)
            return _real_root(factor, self.value)
        if self.factor.degree() == 2:
            return sympy.sqrt(self.factor.coeff_monomial(1) / self.factor.LC())
        square = self.value**2
        for factor, _ in _products(self.factor).factor_list()[1]:
            scale = sum(abs(c) * square**k for (k,), c in factor.terms())
            if abs(factor.eval(square)) < scale * ZERO_TOL:
                return sympy.sqrt(_real_root(factor, square))
        raise AssertionError("the square of a modulus is a product of two roots")


def moduli(polynomial: Any) -> list[Modulus]:
    """Moduli of all roots of a rational `sympy.Poly`, largest first, of equal ones the simplest.

    >>> import sympy
    >>> x = sympy.Symbol("x")
    >>> [m.exact() for m in moduli(sympy.Poly((x**2 + 4) * (x + 1) * x, x))]
    [2, 2, 1, 0]
    """
    import sympy

    found = []
    for factor, times in polynomial.factor_list()[1]:
        for root in factor.nroots(n=DIGITS, maxsteps=500):
            found += [Modulus(abs(root).evalf(DIGITS), factor, sympy.sympify(root))] * times
    found.sort(key=lambda m: -m.value)
    ranked: list[Modulus] = []
    while found:
        tied = [m for m in found if _near(m.value, found[0].value)]
        found = found[len(tied) :]
        ranked += sorted(tied, key=lambda m: (not m.real, m.factor.degree()))
    return ranked


def same_number(a: Any, b: Any) -> bool:
    """Whether two real algebraic numbers are equal, decided without rounding.

    >>> import sympy
    >>> same_number(sympy.sqrt(3 + 2 * sympy.sqrt(2)), 1 + sympy.sqrt(2))
    True
    """
    import sympy

    if a == b or a.free_symbols or b.free_symbols:
        return bool(a == b)
    if not _near(a.evalf(DIGITS), b.evalf(DIGITS)):
        return False
    x = sympy.Dummy("x")
    return sympy.minimal_polynomial(a, x) == sympy.minimal_polynomial(b, x)


def _near(a: Any, b: Any) -> bool:
    return bool(abs(a - b) <= EQUAL_TOL * max(abs(a), abs(b)))


def _real_root(factor: Any, value: Any) -> Any:
    """The real root of an irreducible polynomial that is near a value."""
    return min(factor.real_roots(), key=lambda root: abs(root.evalf(DIGITS) - value))


def _products(factor: Any) -> Any:
    """The polynomial of all products of two different roots of another one."""
    import sympy

    degree = factor.degree()
    monic = factor.monic().all_coeffs()
    size = degree * (degree - 1) // 2
    sums = _power_sums(monic, 2 * size)
    pairs = [(sums[k] ** 2 - sums[2 * k]) / 2 for k in range(size + 1)]
    elementary: list[Any] = [sympy.Integer(1)]
    for k in range(1, size + 1):
        terms = ((-1) ** (i - 1) * elementary[k - i] * pairs[i] for i in range(1, k + 1))
        elementary.append(sum(terms) / k)
    return sympy.Poly([(-1) ** k * e for k, e in enumerate(elementary)], factor.gen)


def _power_sums(monic: list[Any], most: int) -> list[Any]:
    """Sums of the powers 0 .. `most` of all roots."""
    degree = len(monic) - 1
    sums = [monic[0] * degree]
    for k in range(1, most + 1):
        known = sum(monic[i] * sums[k - i] for i in range(1, min(k, degree + 1)))
        sums.append(-known - (k * monic[k] if k <= degree else 0))
    return sums
