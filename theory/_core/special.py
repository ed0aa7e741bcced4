"""Logarithms of factorials, of binomial coefficients, and of sums of exponentials."""

import math

import numpy as np

from theory._core.arrays import array_namespace, log
from theory._core.types import Array

__all__ = ["log_binomials", "log_factorials", "log_sum_exp"]


def log_factorials(n: int) -> np.ndarray:
    """``log k!`` for k = 0..n, on the host, shape (n+1,).

    >>> log_factorials(3).round(6).tolist()      # log of 1, 1, 2 and 6
    [0.0, 0.0, 0.693147, 1.791759]
    """
    return np.asarray([math.lgamma(k + 1) for k in range(n + 1)])


def log_binomials(n: int) -> np.ndarray:
    """``log C(n, k)`` for k = 0..n, on the host, shape (n+1,).

    >>> np.exp(log_binomials(4)).round(6).tolist()
    [1.0, 4.0, 6.0, 4.0, 1.0]
    """
    factorials = log_factorials(n)
    return factorials[-1] - factorials - factorials[::-1]


def log_sum_exp(x: Array, axis: int = -1) -> Array:
    """Logarithm of the sum of exponentials along an axis; ``-inf`` where all are ``-inf``.

    >>> float(np.exp(log_sum_exp(np.log([1.0, 3.0]))).round(12))
    4.0
    """
    xp = array_namespace(x)
    top = xp.max(x, axis=axis, keepdims=True)
    top = xp.where(xp.isfinite(top), top, xp.zeros_like(top))
    return log(xp.sum(xp.exp(x - top), axis=axis)) + xp.squeeze(top, axis=axis)
