"""Polynomials in Bernstein form: ``sum_j c_j C(n, j) t^j (1-t)^(n-j)`` on [0, 1].

If every site is revealed with probability t, the number of revealed ones among n is j with
probability ``C(n, j) t^j (1-t)^(n-j)``. So this is the mean of ``c_j``. Derivatives, integrals
and products with t and ``1 - t`` are again of this form, with coefficients that follow without
rounding, and sums of positive terms stay sums of positive terms.
"""

import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np

from theory._core import exact
from theory._core.arrays import array_namespace, device, from_host, is_exact

__all__ = ["Bernstein"]

CELLS = 2**18
"""Binomial chances held at a time (2 MiB)."""


class Bernstein:
    """The polynomial with these coefficients.

    Parameters
    ----------
    coefficients : array, shape (n+1,)
        Floats on any backend, or exact numbers.

    >>> round(Bernstein(np.asarray([0.0, 1.0, 1.0]))(0.5), 12)     # 2 t (1-t) + t^2
    np.float64(0.75)
    """

    def __init__(self, coefficients: Any) -> None:
        self.coefficients = coefficients

    @property
    def degree(self) -> int:
        """The number n of sites."""
        return self.coefficients.shape[0] - 1

    def __call__(self, t: Any) -> Any:
        """Value at t, a number or an array of numbers.

        Exact coefficients take Fractions or SymPy expressions.
        """
        n = self.degree
        if is_exact(self.coefficients):
            terms = zip(range(n + 1), self.coefficients.tolist(), strict=True)
            return sum(c * (math.comb(n, j) * t**j * (1 - t) ** (n - j)) for j, c in terms)
        t = np.asarray(t, dtype=np.float64)
        xp = array_namespace(self.coefficients)
        rows = max(1, CELLS // (n + 1))
        values = []
        for start in range(0, max(t.size, 1), rows):
            chances = _binomial_chances(n, t.reshape(-1)[start : start + rows])
            values.append(xp.matmul(from_host(chances, self.coefficients), self.coefficients))
        flat = xp.concat(values)
        return xp.reshape(flat, t.shape) if t.ndim else flat[0]

    def derivative(self) -> "Bernstein":
        """The derivative.

        >>> Bernstein(np.asarray([0.0, 1.0, 4.0])).derivative().coefficients
        array([2., 6.])
        """
        c = self.coefficients
        return Bernstein((c[1:] - c[:-1]) * self.degree if self.degree else c * 0)

    def antiderivative(self) -> "Bernstein":
        """The integral from 0.

        >>> Bernstein(np.asarray([3.0, 0.0, 3.0])).antiderivative().coefficients
        array([0., 1., 1., 2.])
        """
        c, n = self.coefficients, self.degree
        if is_exact(c):
            sums = itertools.accumulate(c.tolist(), initial=c[0] * 0)
            return Bernstein(_objects([s * Fraction(1, n + 1) for s in sums]))
        xp = array_namespace(c)
        nothing = xp.zeros((1,), dtype=c.dtype, device=device(c))
        return Bernstein(xp.concat([nothing, xp.cumulative_sum(c)]) / (n + 1))

    def times_t(self) -> "Bernstein":
        """The product with t.

        >>> Bernstein(np.asarray([1.0, 1.0])).times_t().coefficients
        array([0. , 0.5, 1. ])
        """
        return self._raised(np.arange(1, self.degree + 2), shift=1)

    def times_one_minus_t(self) -> "Bernstein":
        """The product with ``1 - t``.

        >>> Bernstein(np.asarray([1.0, 1.0])).times_one_minus_t().coefficients
        array([1. , 0.5, 0. ])
        """
        return self._raised(np.arange(self.degree + 1, 0, -1), shift=0)

    def _raised(self, numerators: np.ndarray, shift: int) -> "Bernstein":
        """Coefficients times ``numerators / (n + 1)``, with a zero before or behind them."""
        c, n = self.coefficients, self.degree
        if is_exact(c):
            shares = exact.ratio(numerators, n + 1)
            raised = [v * s for v, s in zip(c.tolist(), shares.tolist(), strict=True)]
            nothing = [raised[0] * 0]
            return Bernstein(_objects(nothing + raised if shift else raised + nothing))
        xp = array_namespace(c)
        raised = c * from_host(numerators / (n + 1), c)
        nothing = xp.zeros((1,), dtype=c.dtype, device=device(c))
        return Bernstein(xp.concat([nothing, raised] if shift else [raised, nothing]))


def _binomial_chances(n: int, t: np.ndarray) -> np.ndarray:
    """``C(n, j) t^j (1-t)^(n-j)`` for j = 0..n, shape (T, n+1).

    Neighbouring chances have the ratio ``(n-j+1)/j t/(1-t)``, which falls as j rises. So all
    follow from the largest one by factors of at most 1, upwards and downwards; it is 1 at first,
    and then all are divided by their sum. Nothing overflows, and nothing cancels.

    >>> _binomial_chances(2, np.asarray([0.5, 1.0]))
    array([[0.25, 0.5 , 0.25],
           [0.  , 0.  , 1.  ]])
    """
    j = np.arange(1.0, n + 1)
    with np.errstate(divide="ignore", over="ignore", under="ignore"):
        ratios = (n + 1 - j) / j * (t / (1 - t))[:, None]
        chances = np.ones((t.size, n + 1))
        np.cumprod(np.minimum(ratios, 1.0), axis=1, out=chances[:, 1:])
        falling = np.minimum(1 / ratios, 1.0)[:, ::-1]
        chances[:, :n] *= np.cumprod(falling, axis=1)[:, ::-1]
    return chances / chances.sum(axis=1, keepdims=True)


def _objects(values: list[Any]) -> np.ndarray:
    return np.asarray(values, dtype=object)
