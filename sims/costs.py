"""What a round costs: ``sum_x w(x) log(share(x) / factor(x))`` over the values that it may write.

The share of a value is ``p(x_S | c)``, its factor the product that it is drawn from.
"""

from typing import Any

import numpy as np

from theory.arrays import array_namespace, is_exact, times_log
from theory.exact import ratio

__all__ = ["log_ratio", "quotient"]


def quotient(a: Any, b: Any) -> Any:
    """``a / b`` for 0 <= a <= b, and 0 where nothing can happen.

    >>> quotient(np.asarray([0.5, 0.0]), np.asarray([1.0, 0.0])).tolist()
    [0.5, 0.0]
    """
    if is_exact(a):
        return np.where(b == 0, 0, ratio(a, b))
    return a / array_namespace(a).where(b > 0, b, 1.0)


def log_ratio(weights: Any, share: Any, factor: Any) -> Any:
    """``sum weights log(share / factor)``; infinite where something that happens is not drawn.

    >>> one, half = np.ones((1, 1)), np.full((1, 1), 0.5)
    >>> float(log_ratio(one, half, half)), float(log_ratio(one, one, 0 * one))
    (0.0, inf)
    """
    if is_exact(weights):
        return times_log(weights, share).sum() - times_log(weights, factor).sum()
    xp, used = array_namespace(weights), weights > 0
    with np.errstate(divide="ignore", over="ignore"):
        logs = xp.log(xp.where(used, share, 1.0) / xp.where(used, factor, 1.0))
    return xp.sum(weights * logs)
