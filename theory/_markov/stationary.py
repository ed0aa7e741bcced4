"""Where a chain ends up: stationary distributions and chances of absorption.

Tokens are eliminated one by one (Grassmann, Taksar, Heyman): what a token would pass on goes
directly from its predecessors to its successors. No number is ever subtracted, so the results
are accurate entry by entry in floats, and the same lines serve Fractions and symbols.
"""

from typing import Any

import numpy as np

from theory._core.exact import all_rational, elementwise

__all__ = ["absorption", "stationary_law"]


def stationary_law(transition: np.ndarray) -> np.ndarray:
    """The distribution that one class keeps, shape (n,).

    >>> stationary_law(np.asarray([[0.5, 0.5], [0.25, 0.75]]))
    array([0.33333333, 0.66666667])
    """
    steps, tidy = transition.copy(), _tidy(transition)
    for k in range(len(steps) - 1, 0, -1):
        steps[:k, k] = tidy(steps[:k, k] / steps[k, :k].sum())
        steps[:k, :k] = tidy(steps[:k, :k] + np.outer(steps[:k, k], steps[k, :k]))
    weights = steps[:, 0] * 0
    weights[0] = weights[0] + 1
    for k in range(1, len(steps)):
        weights[k] = (weights[:k] * steps[:k, k]).sum()
    return tidy(weights / weights.sum())


def absorption(inside: np.ndarray, leaving: np.ndarray) -> np.ndarray:
    """The chance of leaving through each exit in the end, shape (n, E).

    Parameters
    ----------
    inside : (n, n) array
        Steps among tokens, from each of which an exit can be reached.
    leaving : (n, E) array
        Steps to the exits.

    >>> absorption(np.asarray([[0.5, 0.0], [0.5, 0.0]]), np.asarray([[0.25, 0.25], [0.0, 0.5]]))
    array([[0.5 , 0.5 ],
           [0.25, 0.75]])
    """
    tidy = _tidy(leaving)
    steps, exits = inside.copy(), leaving.copy()
    for k in range(len(steps) - 1, -1, -1):
        total = steps[k, :k].sum() + exits[k].sum()
        steps[k, :k], exits[k] = tidy(steps[k, :k] / total), tidy(exits[k] / total)
        through = steps[:k, k]
        steps[:k, :k] = tidy(steps[:k, :k] + np.outer(through, steps[k, :k]))
        exits[:k] = tidy(exits[:k] + np.outer(through, exits[k]))
    for k in range(1, len(steps)):
        exits[k] = tidy(exits[k] + (steps[k, :k, None] * exits[:k]).sum(axis=0))
    return exits


def _tidy(x: np.ndarray) -> Any:
    """What keeps symbolic expressions small; floats and Fractions stay as they are."""
    if x.dtype.kind != "O" or all_rational(x):
        return lambda value: value
    import sympy

    return lambda value: elementwise(sympy.cancel, value)
