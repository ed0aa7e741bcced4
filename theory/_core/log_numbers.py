"""Linear forms in logarithms: ``c + sum_n a_n log n`` with rational ``c`` and ``a_n``.

Entropies of rational tables are such numbers. They are kept as integer coefficients over one
common denominator, so adding two of them is adding dictionaries, some hundred times faster than
adding expressions.

In the logarithms of *primes* the form is unique: ``sum_p a_p log p = 0`` with rational ``a_p``
means ``prod p^{a_p} = 1`` and hence every ``a_p = 0``; and with a constant ``c`` that is not zero
the sum cannot vanish, because ``e^c`` is transcendental (Hermite) and ``prod p^{a_p}`` is not.
Integers that were not factored completely are compared over a coprime base, which takes greatest
common divisors only, so equality is decided for them, too.

Symbols of SymPy can take the place of logarithms: free numbers, of which no combination vanishes.

Mixed with other expressions of SymPy, and in every operation that leaves these numbers (products
of two logarithms, powers), they become expressions of SymPy.
"""

import math
import operator
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from numbers import Rational
from typing import Any

import numpy as np

from theory._core.factors import FACTORED, coprime, factors

__all__ = ["LinearForm", "as_fraction", "logarithm"]

ONE = 1
"""The key of the rational constant: its logarithm would be zero."""

SIGN_TOL = 0.01
"""A float sum below this share of its largest terms is computed again with more digits."""


class LinearForm:
    """``(n_1 + sum_k n_k log k) / d``: `numerators` maps ``k`` to ``n_k``, and 1 to the constant.

    The keys are primes, or coprime to all primes up to a limit; or symbols, which stand for
    themselves.

    >>> LinearForm({2: 3, 5: -1}, 2)
    -log(5)/2 + 3*log(2)/2
    >>> LinearForm({2: 1}) + LinearForm({2: -1}) == 0
    True
    """

    __slots__ = ("denominator", "numerators")

    def __init__(self, numerators: dict[Any, int], denominator: int = 1) -> None:
        self.numerators = numerators
        self.denominator = denominator

    def _sympy_(self) -> Any:
        """SymPy's expression of the number."""
        import sympy

        terms = [
            sympy.Rational(n, self.denominator) * _value_of(k, sympy.log)
            for k, n in self.numerators.items()
        ]
        return sympy.Add(*terms)

    def __getattr__(self, name: str) -> Any:
        """Look up what SymPy's expressions have (``evalf``, ``subs``, ...)."""
        if name.startswith("_") or name in ("shape", "dtype"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self._sympy_(), name)

    def __reduce__(self) -> tuple[Any, ...]:
        return LinearForm, (self.numerators, self.denominator)

    def __repr__(self) -> str:
        return str(self._sympy_())

    @property
    def free_symbols(self) -> frozenset[Any]:
        """The symbols among the keys, as SymPy's expressions give theirs."""
        return frozenset(k for k in self.numerators if type(k) is not int)

    def coefficient(self, key: Any) -> Fraction:
        """What a symbol, or the logarithm of a prime, is multiplied by; the constant for 1.

        >>> LinearForm({1: 3, 2: -1}, 2).coefficient(2)
        Fraction(-1, 2)
        """
        return Fraction(self.numerators.get(key, 0), self.denominator)

    @property
    def constant(self) -> Fraction | None:
        """The number as a Fraction if it has no logarithms and symbols, else None."""
        if any(k != ONE for k in self.numerators):
            return None
        return Fraction(self.numerators.get(ONE, 0), self.denominator)

    # -- arithmetic -------------------------------------------------------------------------------

    def _scaled(self, numerator: int, denominator: int) -> "LinearForm":
        """The form times a rational number."""
        if numerator == 0:
            return LinearForm({})
        if denominator < 0:
            numerator, denominator = -numerator, -denominator
        numerators = {k: n * numerator for k, n in self.numerators.items()}
        denominator *= self.denominator
        if denominator > 1:
            shared = math.gcd(denominator, *numerators.values())
            if shared > 1:
                numerators = {k: n // shared for k, n in numerators.items()}
                denominator //= shared
        return LinearForm(numerators, denominator)

    def __neg__(self) -> "LinearForm":
        return LinearForm({k: -n for k, n in self.numerators.items()}, self.denominator)

    def __pos__(self) -> "LinearForm":
        return self

    def __abs__(self) -> "LinearForm":
        return -self if self.sign() < 0 else self

    def _plus(self, other: "LinearForm", sign: int) -> "LinearForm":
        a, b = self.denominator, other.denominator
        if a == b:
            total = dict(self.numerators)
            factor = sign
        else:
            shared = math.gcd(a, b)
            up = b // shared
            total = {k: n * up for k, n in self.numerators.items()}
            factor, a = sign * (a // shared), a * up
        for k, n in other.numerators.items():
            value = total.get(k, 0) + factor * n
            if value:
                total[k] = value
            else:
                total.pop(k, None)
        return LinearForm(total, a if total else 1)

    def __add__(self, other: Any) -> Any:
        form = _as_form(other)
        return _leave(operator.add, self, other) if form is None else self._plus(form, 1)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        form = _as_form(other)
        return _leave(operator.sub, self, other) if form is None else self._plus(form, -1)

    def __rsub__(self, other: Any) -> Any:
        return (-self).__add__(other)

    def __mul__(self, other: Any) -> Any:
        value = as_fraction(other)
        if value is not None:
            return self._scaled(value.numerator, value.denominator)
        if isinstance(other, LinearForm) and (own := self.constant) is not None:
            return other._scaled(own.numerator, own.denominator)
        return _leave(operator.mul, self, other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        value = as_fraction(other)
        if value == 0:
            raise ZeroDivisionError(f"{self} / 0")
        if value is not None:
            return self._scaled(value.denominator, value.numerator)
        if isinstance(other, LinearForm) and (quotient := self._over(other)) is not None:
            return _form_of(quotient)
        return _leave(operator.truediv, self, other)

    def _over(self, other: "LinearForm") -> Fraction | None:
        """The quotient if it is rational term by term."""
        if not other.numerators or self.numerators.keys() - other.numerators.keys():
            return None
        key, divisor = next(iter(other.numerators.items()))
        first = Fraction(self.numerators.get(key, 0), divisor)
        same = all(self.numerators.get(k, 0) == first * n for k, n in other.numerators.items())
        return first * Fraction(other.denominator, self.denominator) if same else None

    def __rtruediv__(self, other: Any) -> Any:
        form = _as_form(other)
        if form is not None and (quotient := form._over(self)) is not None:
            return _form_of(quotient)
        return _leave(operator.truediv, other, self)

    def __pow__(self, other: Any) -> Any:
        return _leave(operator.pow, self, other)

    def __rpow__(self, other: Any) -> Any:
        return _leave(operator.pow, other, self)

    # -- comparison and value ---------------------------------------------------------------------

    def __bool__(self) -> bool:
        return not _vanishes(self.numerators)

    def __hash__(self) -> int:
        value = self.constant
        return hash(self._sympy_() if value is None else value)

    def __eq__(self, other: object) -> bool:
        form = _as_form(other)
        if form is not None:
            return not self._plus(form, -1)
        if isinstance(other, (float, np.floating)):
            return self.constant == other
        return bool(self._sympy_() == other) if _has_sympy(other) else NotImplemented

    def sign(self) -> int:
        """-1, 0 or 1.

        >>> (LinearForm({2: 1}) - Fraction(693147, 10**6)).sign()    # log 2 = 0.69314718...
        1
        """
        value = float(self)
        return (value > 0) - (value < 0)

    def __float__(self) -> float:
        """The value to some units in the last digit of a double; 0.0 only for zero itself."""
        terms = [
            (n / self.denominator) * _value_of(k, math.log) for k, n in self.numerators.items()
        ]
        total = math.fsum(terms)
        if not terms or abs(total) > SIGN_TOL * max(map(abs, terms)):
            return total
        return self._in_more_digits() if self else 0.0

    def _in_more_digits(self) -> float:
        """The value of a form that is not zero, from as many bits as it takes to see that."""
        bits = 128
        while True:
            context = _context(bits)
            terms = [n * _value_of(k, context.log) for k, n in self.numerators.items()]
            total = context.fsum(terms)
            if abs(total) > context.ldexp(max(map(abs, terms)), 64 - bits):
                value = float(total / self.denominator)
                return value or math.copysign(math.ulp(0.0), total)
            bits *= 2


@cache
def _context(bits: int) -> Any:
    """Arithmetic in so many bits, kept because setting it up is slow."""
    import mpmath

    context = mpmath.mp.clone()
    context.prec = bits
    return context


def _compare(name: str) -> Callable[[LinearForm, Any], Any]:
    decide = getattr(operator, name)

    def compare(self: LinearForm, other: Any) -> Any:
        form = _as_form(other)
        if form is not None:
            return decide(self._plus(form, -1).sign(), 0)
        if isinstance(other, (float, np.floating)):
            if math.isfinite(other):
                return decide(self._plus(_form_of(Fraction(float(other))), -1).sign(), 0)
            return decide(0.0, other)
        return decide(self._sympy_(), other) if _has_sympy(other) else NotImplemented

    return compare


for _name in ("lt", "le", "gt", "ge"):
    setattr(LinearForm, f"__{_name}__", _compare(_name))


def as_fraction(value: Any) -> Fraction | None:
    """Return a rational number, also SymPy's or a form without logarithms, as a Fraction.

    >>> as_fraction(3), as_fraction(LinearForm({1: 1}, 2)), as_fraction(LinearForm({2: 1}))
    (Fraction(3, 1), Fraction(1, 2), None)
    """
    kind = type(value)
    if kind is Fraction:
        return value
    if kind is int:
        return Fraction(value)
    if kind is LinearForm:
        return value.constant
    if isinstance(value, np.integer):
        return Fraction(int(value))
    if isinstance(value, Rational):
        return Fraction(value)
    if getattr(value, "is_Rational", False):
        return Fraction(int(value.p), int(value.q))
    return None


def logarithm(value: Fraction) -> LinearForm:
    """Natural logarithm of a positive rational number.

    >>> logarithm(Fraction(3, 8))
    -3*log(2) + log(3)
    """
    above, below = factors(value.numerator), factors(value.denominator)
    return LinearForm({**above, **{p: -k for p, k in below.items()}})


def _form_of(value: Fraction) -> LinearForm:
    return LinearForm({ONE: value.numerator} if value else {}, value.denominator)


def _as_form(value: Any) -> LinearForm | None:
    if type(value) is LinearForm:
        return value
    fraction = as_fraction(value)
    return None if fraction is None else _form_of(fraction)


def _has_sympy(value: Any) -> bool:
    return hasattr(value, "free_symbols")


def _leave(operation: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
    """An operation whose result is no linear form: a float, or an expression of SymPy."""
    for value in (a, b):
        if isinstance(value, (float, np.floating)):
            return operation(float(a), float(b))
        if not isinstance(value, (LinearForm, Rational, np.integer)) and not _has_sympy(value):
            return NotImplemented
    import sympy

    return operation(sympy.sympify(a), sympy.sympify(b))


def _value_of(key: Any, log: Callable[[int], Any]) -> Any:
    """What a key stands for: itself for 1 and for symbols."""
    return log(key) if type(key) is int and key != ONE else key


def _vanishes(numerators: dict[Any, int]) -> bool:
    """Tell whether a form is zero."""
    if not numerators:
        return True
    if ONE in numerators or any(type(k) is not int for k in numerators):
        return False
    if all(k <= FACTORED for k in numerators):
        return False
    powers = dict.fromkeys(base := coprime(numerators), 0)
    for k, n in numerators.items():
        for b in base:
            while k % b == 0:
                powers[b], k = powers[b] + n, k // b
    return not any(powers.values())
