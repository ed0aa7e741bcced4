"""Powers of a transition matrix up to the one from which they repeat, with a bound of the error.

Of a chain of L sites the powers ``T^g``, g < L, are needed, or their products with an emission
matrix E. As a rule they repeat long before: with d the common period of the recurrent classes,
``T^(g + m d)`` tends to one of d limits. Nothing is extrapolated. A matrix ``A = T^d`` whose rows
sum to 1 brings rows no further apart, and ``A^m - 1`` is a sum over the binary digits of m, of
``A^(2^j) - 1`` times powers of A. So for every m up to M, with the largest total variation
between rows as the distance,

    | A^m T^g E - T^g E |  <=  sum_j | A^(2^j) T^g E - T^g E |,    j = 0..log2 M       [ours]

The right-hand side is computed, from some ten squarings. Where it is at most `CONVERGED_TOL`, the
products of the last d gaps stand for all longer ones. Of chains that forget slowly all powers are
computed.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from theory._core.arrays import array_namespace, device, to_host
from theory._core.types import Array
from theory._markov.classes import communicating_classes

__all__ = [
    "CONVERGED_TOL",
    "ConvergedPowers",
    "common_period",
    "conditional_entropy_error",
    "converged_powers",
    "entropy_error",
    "max_total_variation",
    "stochastic",
]

CONVERGED_TOL = 1e-13
"""Total variation up to which rows of powers are taken for equal."""

CHECK_EVERY = 32
"""Convergence is tested at every so many gaps."""


class ConvergedPowers(NamedTuple):
    """A function of ``T^g E``, for as many gaps g = 1, 2, ... as differ.

    Attributes
    ----------
    values : array, shape (G, ...)
        Entry ``g - 1`` belongs to gap g.
    period : int
        Longer gaps repeat the last so many entries.
    error : float
        Bound of the total variation between a row of a longer gap and the row that stands for it.
    """

    values: Array
    period: int
    error: float

    @property
    def computed(self) -> int:
        """The number G of gaps that have an entry of their own."""
        return int(self.values.shape[0])

    def entries(self, gaps: np.ndarray) -> np.ndarray:
        """Which entry stands for each gap.

        >>> ConvergedPowers(np.zeros(5), 2, 0.0).entries(np.arange(1, 10)).tolist()
        [0, 1, 2, 3, 4, 3, 4, 3, 4]
        """
        start = self.computed - self.period
        index = np.asarray(gaps, dtype=np.int64) - 1
        return np.where(index < start, index, start + (index - start) % self.period)


def converged_powers(
    transition: Array, product: Array, steps: int, function: Callable[[Array], Array] | None = None
) -> ConvergedPowers:
    """Evaluate a function of ``T^g E`` for g = 1, 2, ..., until it repeats or `steps` are done.

    The rows of `transition` T (H, H) and of `product` E (H, V), for instance the identity, sum to
    1. The function goes from (H, V) to an array; if not given, it is the product itself.

    The square of a matrix that mixes at once is the matrix itself:

    >>> mixing = np.asarray([[0.5, 0.5], [0.5, 0.5]])
    >>> converged_powers(mixing, np.eye(2), 1000).values.shape
    (32, 2, 2)

    Two states that take turns come back at every second gap:

    >>> turns = converged_powers(np.asarray([[0.0, 1.0], [1.0, 0.0]]), np.eye(2), 1000)
    >>> turns.period, turns.entries(np.asarray([999, 1000])).tolist()
    (2, [32, 31])
    """
    xp, values, squares = array_namespace(transition), [], None
    last, period, error = steps, 1, 0.0
    for gap in range(1, steps + 1):
        product = stochastic(xp.matmul(transition, product))
        values.append(product if function is None else function(product))
        if last == steps and gap % CHECK_EVERY == 0 and gap < steps - CHECK_EVERY:
            if squares is None:
                period = common_period(to_host(transition) > 0)
                squares = _squares(transition, period, steps)
            off = _error_bound(squares, product)
            if off <= CONVERGED_TOL:
                last, error = gap + period - 1, off
        if gap == last:
            break
    return ConvergedPowers(xp.stack(values), period if last < steps else 1, error)


def _squares(transition: Array, period: int, steps: int) -> list[Array]:
    """``A, A^2, A^4, ...`` with A the power `period`, as many as reach `steps`, perhaps none."""
    if 2 * period > steps:
        return []
    xp = array_namespace(transition)
    power = xp.eye(transition.shape[0], dtype=transition.dtype, device=device(transition))
    for digit in bin(period)[2:]:
        power = stochastic(xp.matmul(power, power))
        if digit == "1":
            power = stochastic(xp.matmul(power, transition))
    squares = [power]
    while period * 2 ** len(squares) <= steps:
        power = stochastic(xp.matmul(power, power))
        squares.append(power)
    return squares


def _error_bound(squares: list[Array], product: Array) -> float:
    """The right-hand side of the bound, or a part above `CONVERGED_TOL`; inf without squares.

    What repeats has to be close to its own next period first, which rules most gaps out.
    """
    if not squares:
        return math.inf
    xp, off = array_namespace(product), 0.0
    for power in squares:
        off += max_total_variation(xp.matmul(power, product), product)
        if off > CONVERGED_TOL:
            break
    return off


def max_total_variation(x: Array, y: Array) -> float:
    """Largest total variation between a row of x and the same row of y.

    >>> max_total_variation(np.asarray([[1.0, 0.0]]), np.asarray([[0.75, 0.25]]))
    0.25
    """
    xp = array_namespace(x)
    return float(xp.max(xp.sum(xp.abs(x - y), axis=-1))) / 2


def stochastic(x: Array) -> Array:
    """Divide rows by their sums, which every product moves away from 1 a little by rounding."""
    return x / array_namespace(x).sum(x, axis=-1, keepdims=True)


def common_period(links: np.ndarray) -> int:
    """Least common multiple of the periods of the recurrent classes, from the possible transitions.

    A cycle of two states beside one of three:

    >>> circles = np.zeros((5, 5), dtype=bool)
    >>> circles[[0, 1, 2, 3, 4], [1, 0, 3, 4, 2]] = True
    >>> common_period(circles)
    6
    """
    classes = communicating_classes(links, np.ones(len(links), dtype=bool))
    return math.lcm(*(classes.periods[c] for c in classes.recurrent))


def entropy_error(distance: float, tokens: int) -> float:
    """Largest difference in nats of the entropies of two distributions at this total variation.

    ``t log(V - 1) + h(t)``, which is sharp. It is concave, and increasing up to ``1 - 1/V``, so it
    also bounds the difference of mean row entropies of two transition matrices, with any weights.
    Source: Audenaert (2007), for quantum states [memory].

    >>> round(entropy_error(0.5, 2) / math.log(2), 12), entropy_error(0.0, 2)
    (1.0, 0.0)
    """
    t = min(distance, 1 - 1 / tokens)
    if t <= 0.0:
        return 0.0
    return t * math.log(max(tokens - 1, 1)) - t * math.log(t) - (1 - t) * math.log1p(-t)


def conditional_entropy_error(distance: float, tokens: int) -> float:
    """The same for ``H(Y | X)`` of two joint distributions, X and Y of V tokens each.

    By ``H(X, Y) - H(X)``, both of which differ by no more than `entropy_error`.

    >>> conditional_entropy_error(0.0, 2)
    0.0
    """
    return entropy_error(distance, tokens**2) + entropy_error(distance, tokens)
