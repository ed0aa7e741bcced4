"""Stationary distributions and absorption probabilities of finite chains, without cancellation.

Tokens are eliminated one by one (Grassmann, Taksar, Heyman): transitions through a token become
transitions from its predecessors to its successors. No number is ever subtracted, so the results
are accurate entry by entry in floats, and the same lines serve Fractions and symbols.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from theory._core.exact import all_rational, elementwise

__all__ = ["absorption", "stationary_distribution"]


def stationary_distribution(transition: np.ndarray) -> np.ndarray:
    """The stationary distribution of one class, shape (n,).

    >>> stationary_distribution(np.asarray([[0.5, 0.5], [0.25, 0.75]]))
    array([0.33333333, 0.66666667])
    """
    steps, simplify = transition.copy(), _simplifier(transition)
    for k in range(len(steps) - 1, 0, -1):
        steps[:k, k] = simplify(steps[:k, k] / steps[k, :k].sum())
        steps[:k, :k] = simplify(steps[:k, :k] + np.outer(steps[:k, k], steps[k, :k]))
    weights = steps[:, 0] * 0
    weights[0] = weights[0] + 1
    for k in range(1, len(steps)):
        weights[k] = (weights[:k] * steps[:k, k]).sum()
    return simplify(weights / weights.sum())


def absorption(inside: np.ndarray, leaving: np.ndarray) -> np.ndarray:
    """The probability of being absorbed by each exit, shape (n, E).

    From each of the tokens, with transitions `inside` (n, n) among them and `leaving` (n, E) to the
    exits, an exit must be reachable.

    >>> absorption(np.asarray([[0.5, 0.0], [0.5, 0.0]]), np.asarray([[0.25, 0.25], [0.0, 0.5]]))
    array([[0.5 , 0.5 ],
           [0.25, 0.75]])
    """
    simplify = _simplifier(leaving)
    steps, exits = inside.copy(), leaving.copy()
    for k in range(len(steps) - 1, -1, -1):
        total = steps[k, :k].sum() + exits[k].sum()
        steps[k, :k], exits[k] = simplify(steps[k, :k] / total), simplify(exits[k] / total)
        through = steps[:k, k]
        steps[:k, :k] = simplify(steps[:k, :k] + np.outer(through, steps[k, :k]))
        exits[:k] = simplify(exits[:k] + np.outer(through, exits[k]))
    for k in range(1, len(steps)):
        exits[k] = simplify(exits[k] + (steps[k, :k, None] * exits[:k]).sum(axis=0))
    return exits


def _simplifier(x: np.ndarray) -> Callable[[Any], Any]:
    """What keeps symbolic expressions small, and leaves floats and Fractions as they are."""
    if x.dtype.kind != "O" or all_rational(x):
        return lambda value: value
    import sympy

    return lambda value: elementwise(sympy.cancel, value)
