"""Complexities of the gain curve: how hard a distribution is to decode in parallel, as a number.

The *growth complexity* is ``G(a, b) = int_a^b t (1-t) h'(t) dt``. With ``psi(t) = t / (1 - t)`` the
odds of being revealed, many steps that are geometric in the odds lose at most about
``log(psi(b)/psi(a)) G(a, b)`` divided by their number, in the limit half of it. It is small where
the curve grows near its ends only, as for a repeated bit (near 0) or parity (near 1). Source:
Wainwright (arXiv 2608.13520), read.
"""

import functools
import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from theory._core.arrays import read_only
from theory._core.types import ArrayLike, Number
from theory.distributions.base import Distribution
from theory.errors import InvalidInput
from theory.information.gain_curve import GainCurve, as_gain_curve, gain_curve
from theory.information.profile import Profile, gains, mean_entropies, with_profile
from theory.information.units import in_units, not_negative
from theory.validation.arguments import as_integer
from theory.validation.times import as_levels, as_number, as_span

__all__ = [
    "block_complexity",
    "block_parts",
    "cardinality_growth_complexity",
    "continuum_complexity",
    "effective_total_correlation",
    "growth_complexity",
    "integrate",
    "tse_complexity",
]

PRECISION = 1e-12
"""Relative change at which a quadrature stops doubling its points."""

MAX_POINTS = 4096


def growth_complexity(
    p: Distribution | Profile | ArrayLike,
    start: Any = 0,
    stop: Any = 1,
    *,
    base: float | None = None,
) -> Number:
    """Unmasking growth complexity ``G = int t (1-t) h'(t) dt`` between two revealed fractions.

    ``G(0, 1)`` is at most TC and at most DTC, and ``2/(L+1)`` times the TSE complexity.
    Source: Wainwright (arXiv 2608.13520), read.

    >>> from theory import gallery
    >>> growth_complexity(gallery.parity(3, exact=True), base=2)     # int t (1-t) 6 t dt
    1/2
    """
    return not_negative(gain_curve(p, base=base).growth(*as_span(start, stop)))


def cardinality_growth_complexity(
    p: Distribution | Profile | ArrayLike,
    start: int = 0,
    stop: int | None = None,
    *,
    base: float | None = None,
) -> Number:
    """Growth complexity over numbers of revealed sites, for batches of fixed size.

    ``sum (j/L)(1 - j/L)(h_j - h_{j-1})`` over ``start < j <= stop``. The whole sum is
    ``(L+1)/L`` times `growth_complexity`. [ours]

    >>> from theory import gallery
    >>> cardinality_growth_complexity(gallery.parity(3, exact=True), base=2)     # 2/9 of 3
    2/3
    """
    h = gains(p, base=base)
    length = int(h.shape[0])
    start = as_integer(start, "start", 0)
    stop = length if stop is None else as_integer(stop, "stop", 0)
    if not start <= stop <= length:
        raise InvalidInput(f"start and stop must rise from 0 to {length}, got {start} and {stop}")
    rises = range(start + 1, min(stop, length - 1) + 1)
    # an exact sum stays exact: integers come first, and one division last
    total = sum((j * (length - j) * (h[j] - h[j - 1]) for j in rises), h[0] * 0)
    return not_negative(total / length**2)


def tse_complexity(p: Distribution | Profile | ArrayLike, *, base: float | None = None) -> Number:
    """Complexity of Tononi, Sporns and Edelman: ``sum_k e_k - (k/L) e_L``.

    How far the mean entropies of random subsets lie above the line from 0 to the entropy of the
    whole. As used by Wainwright (arXiv 2608.13520), read; TSE's own paper from memory.

    >>> from theory import gallery
    >>> tse_complexity(gallery.parity(3, exact=True), base=2)     # 0, 1, 2, 2 above 0, 2/3, 4/3, 2
    1
    """
    e = mean_entropies(p, base=base)
    length = e.shape[0] - 1
    total = sum((length * e[k] - k * e[length] for k in range(length + 1)), e[0] * 0)
    return not_negative(total / length)


def effective_total_correlation(
    p: Distribution | Profile | ArrayLike, *, base: float | None = None
) -> float:
    """Effective total correlation ``int min(1, log(1/t)) t h'(t) dt``, in float64.

    In noise time ``s = log(1/t)``, at unit rate of masking, the weight is ``min(1, s)``. The value
    lies between ``G(0, 1)`` and ``e/(e-1)`` times that, and is at most DTC. The name is that of
    Dmitriev, Huang and Wei (2026); the formula is from memory, without the text at hand.

    >>> from theory import gallery
    >>> value = effective_total_correlation(gallery.parity(2), base=2)     # h(t) = 2 t
    >>> round(value, 9) == round(1 / 2 - 1 / (2 * math.e**2), 9)
    True
    """
    p = with_profile(p)
    curve = as_gain_curve(p)

    kink = 1 / math.e  # where log(1/t) = 1
    value = integrate(lambda t: t * curve.derivative(t), 0, kink)
    value += integrate(lambda t: -np.log(t) * (t * curve.derivative(t)), kink, 1)
    return in_units(value, base)


def continuum_complexity(
    p: Distribution | Profile | ArrayLike,
    start: Any = 0,
    stop: Any = 1,
    *,
    base: float | None = None,
) -> float:
    """Continuum complexity ``(int sqrt(h'(t)) dt)^2`` between two fractions, in float64.

    The infimum of `block_complexity` over all partitions. Half of it is what N times the loss
    on the best grid of N steps tends to. Source: Wainwright (arXiv 2608.13520), read; the limit
    is ours.

    >>> from theory import gallery
    >>> round(continuum_complexity(gallery.parity(3), base=2), 9)     # sqrt(6) int sqrt(t) dt
    2.666666667
    """
    p = with_profile(p)
    curve = as_gain_curve(p)
    bounds = map(as_number, as_span(start, stop))
    return in_units(integrate(lambda t: np.sqrt(curve.derivative(t)), *bounds) ** 2, base)


def block_complexity(
    p: Distribution | Profile | ArrayLike, levels: ArrayLike, *, base: float | None = None
) -> float:
    """K-block complexity ``(sum_k sqrt(S_k G_k))^2``, in float64.

    Block k lies between two neighbouring levels; ``S_k`` is its length in log-odds and ``G_k``
    its growth complexity. With the steps shared out in proportion to ``sqrt(S_k G_k)``, grids
    that are geometric in the odds within each block lose at most about this much over the
    number of steps, in the limit half of it. Source: Wainwright (arXiv 2608.13520), read.

    Parameters
    ----------
    levels : sequence of number
        At least two revealed fractions, increasing, strictly between 0 and 1.

    >>> from theory import gallery
    >>> value = block_complexity(gallery.parity(3), [0.25, 0.75], base=2)     # log(9) * 7/24
    >>> round(value, 9) == round(math.log(9) * (2 * (27 - 1) / 64 - (81 - 1) / 256 * 1.5), 9)
    True
    """
    p = with_profile(p)
    widths, growths = block_parts(as_gain_curve(p), levels)
    return in_units(float(np.sqrt(widths * growths).sum()) ** 2, base)


def block_parts(curve: GainCurve, levels: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Length in log-odds and growth complexity of each block between checked levels."""
    grid = [float(t) for t in as_levels(levels)]
    odds = np.asarray([t / (1 - t) for t in grid])
    growths = [float(curve.growth(a, b)) for a, b in itertools.pairwise(grid)]
    return np.diff(np.log(odds)), np.maximum(growths, 0.0)


def integrate(function: Callable[[np.ndarray], np.ndarray], start: float, stop: float) -> float:
    """Integral over part of [0, 1], by Gauss-Legendre in the angle ``t = sin(angle)^2``.

    In the angle, square roots of polynomials that vanish at the ends are smooth. The number of
    points doubles until the value has converged.

    >>> round(integrate(lambda t: np.sqrt(t), 0, 1), 12)
    0.666666666667
    """
    low, high = math.asin(math.sqrt(start)), math.asin(math.sqrt(stop))
    points, before = 64, math.inf
    while True:
        nodes, weights = _gauss_legendre(points)
        angle = low + (high - low) * (nodes + 1) / 2
        values = function(np.sin(angle) ** 2) * np.sin(2 * angle)
        value = float((weights * values).sum()) * (high - low) / 2
        if abs(value - before) <= PRECISION * abs(value) or points >= MAX_POINTS:
            return value
        points, before = 2 * points, value


@functools.cache
def _gauss_legendre(points: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes in [-1, 1] and weights of a quadrature, read-only.

    >>> _gauss_legendre(1)
    (array([0.]), array([2.]))
    """
    nodes, weights = np.polynomial.legendre.leggauss(points)
    return read_only(nodes), read_only(weights)
