"""Arithmetic in finite fields GF(q), q = p^m, by tables.

The element with number ``c_0 + c_1 p + ... + c_{m-1} p^{m-1}`` is the polynomial ``c_0 + c_1 x +
...`` modulo a primitive polynomial of degree m over GF(p): one of which the powers of x are all
elements that are not zero. So for prime q elements are added and multiplied modulo q, and in
GF(2^m) numbers are added by exclusive or. (Textbook.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from theory._core.arrays import read_only
from theory._core.factors import factors
from theory.errors import InvalidInput, TooLarge

__all__ = ["MAX_SIZE", "FiniteField", "finite_field", "next_prime_power", "prime_power"]

MAX_SIZE = 1024
"""Greatest field that has tables: two of them with 2^20 entries (8 MiB)."""


@dataclass(frozen=True, eq=False)
class FiniteField:
    """GF(q), with elements ``0..q-1``, of which 0 is zero and 1 is one.

    Attributes
    ----------
    size, characteristic, degree : int
        ``q = p^m``, p and m.
    powers : array of int64, shape (q-1,)
        Powers 0, 1, ... of an element that generates all others but zero.
    logarithms : array of int64, shape (q,)
        Which power an element is; 0 for zero, which is none.

    >>> field = finite_field(4)              # 2 is x, 3 is x + 1 = x^2
    >>> field.addition.tolist()
    [[0, 1, 2, 3], [1, 0, 3, 2], [2, 3, 0, 1], [3, 2, 1, 0]]
    >>> field.multiplication.tolist()
    [[0, 0, 0, 0], [0, 1, 2, 3], [0, 2, 3, 1], [0, 3, 1, 2]]
    """

    size: int
    characteristic: int
    degree: int
    powers: np.ndarray
    logarithms: np.ndarray

    def __repr__(self) -> str:
        return f"GF({self.size})"

    @cached_property
    def addition(self) -> np.ndarray:
        """Sums of two elements, shape (q, q)."""
        sums = self._digits[:, None, :] + self._digits[None, :, :]
        return read_only(self._elements(sums))

    @cached_property
    def multiplication(self) -> np.ndarray:
        """Products of two elements, shape (q, q)."""
        sums = self.logarithms[:, None] + self.logarithms[None, :]
        products = self.powers[sums % len(self.powers)]
        products[0, :] = products[:, 0] = 0
        return read_only(products)

    @cached_property
    def negative(self) -> np.ndarray:
        """What each element adds up to zero with, shape (q,)."""
        return read_only(self._elements(-self._digits))

    @cached_property
    def inverse(self) -> np.ndarray:
        """What each element has the product one with, shape (q,); 0 for zero, which has none."""
        inverse = self.powers[-self.logarithms % len(self.powers)]
        inverse[0] = 0
        return read_only(inverse)

    def sum(self, x: np.ndarray, axis: int = -1) -> np.ndarray:
        """Add up elements along an axis.

        >>> finite_field(4).sum(np.asarray([[1, 2, 3], [1, 1, 3]])).tolist()
        [0, 3]
        """
        return self._elements(np.moveaxis(self._digits[x], axis - (axis < 0), -2).sum(axis=-2))

    def matmul(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Multiply two matrices (n, k) and (k, m).

        >>> finite_field(3).matmul(np.asarray([[1, 2]]), np.asarray([[2], [2]])).tolist()
        [[0]]
        """
        total = np.zeros((a.shape[0], b.shape[1]), dtype=np.int64)
        for column, row in zip(a.T, b, strict=True):
            total = self.addition[total, self.multiplication[column[:, None], row[None, :]]]
        return total

    @cached_property
    def _digits(self) -> np.ndarray:
        """Coefficients of the polynomials, shape (q, m)."""
        elements = np.arange(self.size, dtype=np.int64)
        return elements[:, None] // self._places % self.characteristic

    @cached_property
    def _places(self) -> np.ndarray:
        return self.characteristic ** np.arange(self.degree, dtype=np.int64)

    def _elements(self, digits: np.ndarray) -> np.ndarray:
        """Elements of polynomials whose coefficients are not reduced yet, shape (..., m)."""
        return digits % self.characteristic @ self._places


@cache
def finite_field(size: int) -> FiniteField:
    """Return GF(size).

    Raises
    ------
    InvalidInput
        If the size is no prime power.
    TooLarge
        If it is above `MAX_SIZE`.

    >>> finite_field(7).inverse.tolist()     # 2 * 4 = 8 = 1 modulo 7
    [0, 1, 4, 5, 2, 3, 6]
    >>> finite_field(6)
    Traceback (most recent call last):
    ...
    theory.errors.InvalidInput: a finite field has a prime power of elements, such as 7, got 6
    """
    found = prime_power(size)
    if found is None:
        raise InvalidInput(
            f"a finite field has a prime power of elements, such as {next_prime_power(size)}, "
            f"got {size}"
        )
    if size > MAX_SIZE:
        raise TooLarge(f"GF({size}) has tables of {size}^2 entries; the limit is GF({MAX_SIZE})")
    prime, degree = found
    for low in range(1, size):
        coefficients = [low // prime**i % prime for i in range(degree)]
        powers = _powers_of_x(coefficients, prime, size - 1)
        if powers is not None:
            break
    else:
        raise AssertionError("there is a primitive polynomial of every degree")
    logarithms = np.zeros(size, dtype=np.int64)
    logarithms[powers] = np.arange(size - 1, dtype=np.int64)
    return FiniteField(size, prime, degree, read_only(powers), read_only(logarithms))


def prime_power(n: int) -> tuple[int, int] | None:
    """The prime p and the exponent m >= 1 with ``n = p^m``, or None.

    >>> prime_power(27), prime_power(12), prime_power(1)
    ((3, 3), None, None)
    """
    powers = factors(n) if n > 1 else {}
    return next(iter(powers.items())) if len(powers) == 1 else None


def next_prime_power(n: int) -> int:
    """The least prime power that is at least n.

    >>> [next_prime_power(n) for n in (0, 2, 6, 10, 14, 33, 62)]
    [2, 2, 7, 11, 16, 37, 64]
    """
    size = max(n, 2)
    while prime_power(size) is None:
        size += 1
    return size


def _powers_of_x(coefficients: Sequence[int], prime: int, count: int) -> np.ndarray | None:
    """The first powers of x modulo ``x^m + sum_i c_i x^i``, or None if the period is another.

    >>> _powers_of_x([1, 1], 2, 3), _powers_of_x([1, 0], 2, 3)     # x^2 + 1 = (x + 1)^2
    (array([1, 2, 3]), None)
    """
    one = (1, *[0] * (len(coefficients) - 1))
    element, numbers = one, []
    for _ in range(count):
        numbers.append(sum(c * prime**i for i, c in enumerate(element)))
        last, shifted = element[-1], (0, *element[:-1])
        element = tuple((a - last * c) % prime for a, c in zip(shifted, coefficients, strict=True))
        if element == one:
            break
    periodic = element == one and len(numbers) == count
    return np.asarray(numbers, dtype=np.int64) if periodic else None
