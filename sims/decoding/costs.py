"""What a round costs: ``sum_x w(x) log(share(x) / factor(x))`` over the values that it may write.

The share of a value is ``p(x_S | c)``, its factor the product that it is drawn from.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from theory._core.arrays import array_namespace, is_exact, log, times_log
from theory._core.exact import ratio
from theory._core.segments import any_true

__all__ = ["TINY", "log_ratio", "quotient", "times_logs"]

TINY = float(np.finfo(np.float64).tiny)
"""Floats below this have lost digits, down to 0: their logarithms have to come from elsewhere."""


def quotient(a: Any, b: Any) -> Any:
    """``a / b`` for 0 <= a <= b, and 0 where nothing can happen.

    >>> quotient(np.asarray([0.5, 0.0]), np.asarray([1.0, 0.0])).tolist()
    [0.5, 0.0]
    """
    if is_exact(a):
        return np.where(b == 0, 0, ratio(a, b))
    return a / array_namespace(a).where(b > 0, b, 1.0)


def log_ratio(weights: Any, share: Any, factor: Any, logs: Callable[[], Any]) -> Any:
    """``sum weights log(share / factor)``; infinite where something that happens is not drawn.

    `logs` returns the logarithms of the factors, for those that are too small for a float.

    >>> one, half = np.ones((1, 1)), np.full((1, 1), 0.5)
    >>> float(log_ratio(one, half, half, lambda: np.log(half)))
    0.0
    >>> float(log_ratio(one, one, 0 * one, lambda: -1000 * one))
    1000.0
    """
    if is_exact(weights):
        return times_log(weights, share).sum() - times_log(weights, factor).sum()
    xp, used = array_namespace(weights), weights > 0
    small = used & (factor < TINY)
    plain = used & ~small
    costs = xp.log(xp.where(plain, share, 1.0) / xp.where(plain, factor, 1.0))
    if any_true(small):
        costs = xp.where(small, log(xp.where(small, share, 1.0)) - logs(), costs)
    return xp.sum(weights * costs)


def times_logs(weights: Any, logs: Any) -> Any:
    """``weights * logs`` with 0 where the weight is 0.

    >>> times_logs(np.asarray([0.0, 2.0]), np.asarray([-np.inf, 3.0])).tolist()
    [0.0, 6.0]
    """
    return weights * array_namespace(weights).where(weights > 0, logs, 0.0)
