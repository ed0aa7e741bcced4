"""Until when the powers of a transition matrix have to be computed.

Of a chain of L sites the powers ``T^g``, g < L, are needed, or their products with an emission
matrix E. As a rule they repeat long before: with d the common period of the recurrent classes,
``T^(g + m d)`` tends to one of d limits. Nothing is extrapolated. A matrix ``A = T^d`` whose rows
sum to 1 brings rows no further apart, and ``A^m - 1`` is a sum over the binary digits of m, of
``A^(2^j) - 1`` times powers of A. So for every m up to M, with the largest total variation
between rows as the distance,

    | A^m T^g E - T^g E |  <=  sum_j | A^(2^j) T^g E - T^g E |,    j = 0..log2 M       [ours]

The right-hand side is computed, from some ten squarings. Where it is at most `SETTLED`, the
products of the last d gaps stand for all longer ones. Chains that forget slowly are walked to the
end.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from theory._core.arrays import array_namespace, device, to_host
from theory._markov.classes import communicating_classes

__all__ = [
    "SETTLED",
    "Settled",
    "common_period",
    "conditional_entropy_error",
    "entropy_error",
    "farthest",
    "stochastic",
    "until_settled",
]

SETTLED = 1e-13
"""Total variation below which rows of powers are taken for equal."""

EVERY = 32
"""At how many gaps one looks whether the powers have settled."""


class Settled(NamedTuple):
    """What is asked of ``T^g E``, for as many gaps g = 1, 2, ... as differ.

    Attributes
    ----------
    values : array, shape (G, ...)
        Entry ``g - 1`` belongs to gap g.
    period : int
        Longer gaps repeat the last so many entries.
    error : float
        Bound of the total variation between a row of a longer gap and what stands for it.
    """

    values: Any
    period: int
    error: float

    @property
    def computed(self) -> int:
        """The number G of gaps that have an entry of their own."""
        return int(self.values.shape[0])

    def entries(self, gaps: np.ndarray) -> np.ndarray:
        """Which entry stands for each gap.

        >>> Settled(np.zeros(5), 2, 0.0).entries(np.arange(1, 10)).tolist()
        [0, 1, 2, 3, 4, 3, 4, 3, 4]
        """
        start = self.computed - self.period
        index = np.asarray(gaps, dtype=np.int64) - 1
        return np.where(index < start, index, start + (index - start) % self.period)


def until_settled(
    transition: Any, product: Any, steps: int, ask: Callable[[Any], Any] | None = None
) -> Settled:
    """Ask something of ``T^g E`` for g = 1, 2, ..., until it repeats or `steps` are done.

    Parameters
    ----------
    transition : array of float64, shape (H, H)
        T; its rows sum to 1.
    product : array, shape (H, V)
        E, whose rows sum to 1, for instance the identity.
    steps : int
        At least 1.
    ask : callable, optional
        From ``T^g E``, shape (H, V), to an array; the product itself if not given.

    Returns
    -------
    Settled

    The square of a matrix that mixes at once is the matrix itself:

    >>> mixing = np.asarray([[0.5, 0.5], [0.5, 0.5]])
    >>> until_settled(mixing, np.eye(2), 1000).values.shape
    (32, 2, 2)

    Two states that take turns come back at every second gap:

    >>> turns = until_settled(np.asarray([[0.0, 1.0], [1.0, 0.0]]), np.eye(2), 1000)
    >>> turns.period, turns.entries(np.asarray([999, 1000])).tolist()
    (2, [32, 31])
    """
    xp, values, squares = array_namespace(transition), [], None
    last, period, error = steps, 1, 0.0
    for gap in range(1, steps + 1):
        product = stochastic(xp.matmul(transition, product))
        values.append(product if ask is None else ask(product))
        if last == steps and gap % EVERY == 0 and gap < steps - EVERY:
            if squares is None:
                period = common_period(to_host(transition) > 0)
                squares = _squares(transition, period, steps)
            off = _wander(squares, product)
            if off <= SETTLED:
                last, error = gap + period - 1, off
        if gap == last:
            break
    return Settled(xp.stack(values), period if last < steps else 1, error)


def _squares(transition: Any, period: int, steps: int) -> list[Any]:
    """``A, A^2, A^4, ...`` with A the power `period`, as many as reach `steps`; lazily none."""
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


def _wander(squares: list[Any], product: Any) -> float:
    """The right-hand side of the bound, given up where it is above `SETTLED`; inf without squares.

    What repeats has to be close to its own next period first, which rules most gaps out.
    """
    if not squares:
        return math.inf
    xp, off = array_namespace(product), 0.0
    for power in squares:
        off += farthest(xp.matmul(power, product), product)
        if off > SETTLED:
            break
    return off


def farthest(x: Any, y: Any) -> float:
    """Largest total variation between rows of x and the rows of y in the same places.

    >>> farthest(np.asarray([[1.0, 0.0], [0.5, 0.5]]), np.asarray([[1.0, 0.0], [0.25, 0.75]]))
    0.25
    """
    xp = array_namespace(x)
    return float(xp.max(xp.sum(xp.abs(x - y), axis=-1))) / 2


def stochastic(x: Any) -> Any:
    """Divide rows by their sums, from which rounding takes them away a little at each product."""
    return x / array_namespace(x).sum(x, axis=-1, keepdims=True)


def common_period(links: np.ndarray) -> int:
    """Least common multiple of the periods of the recurrent classes.

    Parameters
    ----------
    links : (H, H) array of bool
        Which transitions are possible.

    A circle of two states beside one of three:

    >>> circles = np.zeros((5, 5), dtype=bool)
    >>> circles[[0, 1, 2, 3, 4], [1, 0, 3, 4, 2]] = True
    >>> common_period(circles)
    6
    """
    classes = communicating_classes(links, np.ones(len(links), dtype=bool))
    return math.lcm(*(classes.periods[c] for c in classes.recurrent))


def entropy_error(distance: float, tokens: int) -> float:
    """How far apart the entropies of two distributions of this total variation are at most, nats.

    ``t log(V - 1) + h(t)``, which is sharp; rows of the two of a transition matrix differ by no
    more, averaged with any weights, for it is concave and increasing up to ``1 - 1/V``. Source:
    Audenaert (2007), for quantum states [memory].

    >>> round(entropy_error(0.5, 2) / math.log(2), 12), entropy_error(0.0, 2)
    (1.0, 0.0)
    """
    t = min(distance, 1 - 1 / tokens)
    if t <= 0.0:
        return 0.0
    return t * math.log(max(tokens - 1, 1)) - t * math.log(t) - (1 - t) * math.log1p(-t)


def conditional_entropy_error(distance: float, tokens: int) -> float:
    """The same for ``H(Y | X)`` of two joints of this total variation, X and Y of V tokens each.

    As ``H(X, Y) - H(X)``, each of which moves by no more than `entropy_error`.

    >>> conditional_entropy_error(0.0, 2)
    0.0
    """
    return entropy_error(distance, tokens**2) + entropy_error(distance, tokens)
