"""How many steps of a clock reveal anything, if every masked site falls into one by itself."""

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["occupied_steps"]


def occupied_steps(masked: int, reveal: Sequence[Any], dtype: Any) -> np.ndarray:
    """Probability that 0, 1, ... steps reveal a site, of so many masked ones; shape (K+1,).

    Parameters
    ----------
    masked : int
    reveal : sequence of numbers
        Probability to reveal a masked site, for each of K steps; 1 in the last.
    dtype : dtype
        float64, or object for exact numbers.

    Two sites fall into one of two steps with probability 1/2:

    >>> occupied_steps(2, (0.5, 1.0), np.float64).tolist()
    [0.0, 0.5, 0.5]
    """
    zero = reveal[0] * 0
    found = np.full((masked + 1, len(reveal) + 1), zero, dtype=dtype)  # by sites left, steps so far
    found[masked, 0] = zero + 1
    for step, probability in enumerate(reveal):
        left = _left_of(found, probability)
        stay = np.diagonal(left)[:, None] * found[:, : step + 2]
        fewer = left - np.diag(np.diagonal(left))
        stay[:, 1:] += np.matmul(fewer, found[:, : step + 1])
        found[:, : step + 2] = stay
    return found[0]


def _left_of(like: np.ndarray, probability: Any) -> np.ndarray:
    """Probability that k of n sites stay masked, at [k, n]: binomials, by Pascal's rule."""
    left = np.full((len(like), len(like)), probability * 0, dtype=like.dtype)
    left[0, 0] = probability * 0 + 1
    for n in range(1, len(like)):
        left[:n, n] = probability * left[:n, n - 1]
        left[1 : n + 1, n] += (1 - probability) * left[:n, n - 1]
    return left
