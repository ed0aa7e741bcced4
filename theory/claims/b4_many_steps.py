"""B4: the divergence of many ancestral steps in the limit, and which grid of steps is best."""

import itertools
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np

from theory import information, schedules, strategies
from theory._core.bound import Bound
from theory._core.types import Number
from theory.claims.kit.claim import Claim, Provenance, Verdict
from theory.claims.kit.generators import inner_levels, named_distributions
from theory.claims.kit.inequality import excess
from theory.claims.kit.result import DoesNotApply
from theory.distributions import Distribution
from theory.information.growth import integrate

__all__ = ["B4"]

Grid = Callable[[Distribution, int], Any]
Limit = Callable[[Distribution], float]

STEPS = {"steps": st.integers(1, 12)}

THREE_SITES = strategies.distributions(lengths=(3, 3))
"""Their h' is linear, so that it grows or falls."""

B4 = Claim(
    id="B4",
    title="Many steps lose a constant over their number, and the best grid follows sqrt(h')",
    statement=(
        "N equal ancestral steps lose (TC + DTC)/(2N) up to max|h''|/(12 N^2). Steps of equal "
        "mass of sqrt(h') lose half the continuum complexity (int sqrt(h'))^2 over N in the "
        "limit, and if h' never grows, no grid of N steps loses less; if h' never falls, the "
        "equal-mass grid loses at most that. The cosine grid, which does not look at the data, "
        "loses (pi/2) int sqrt(t(1-t)) h' over N in the limit."
    ),
    latex=(
        r"N\, \mathrm{gap}_N \to \tfrac12 (\mathrm{TC} + \mathrm{DTC}) \text{ (equal steps)},\quad "
        r"\to \tfrac12 \Bigl(\int \sqrt{h'}\Bigr)^2 \text{ (equal mass)},\quad "
        r"\to \tfrac{\pi}{2} \int \sqrt{t(1-t)}\, h' \text{ (cosine)}"
    ),
    says=(
        "Theorem 3: with more and more blocks the complexity becomes (int sqrt(h'))^2; the "
        "cosine schedule is a geodesic in the metric of Fisher and Rao (restated)"
    ),
    note="The limits of the losses, with their factor 1/2, and the two inequalities are ours.",
    source=(
        "derived here; Wainwright, arXiv 2608.13520, Theorem 3 (read); cosine: arXiv 2508.04884 "
        "(restated)"
    ),
    provenance=Provenance.OURS,
    verdict=Verdict.HOLDS,
)


@B4.residual(
    "the loss of equal steps, up to the error of the trapezoidal rule",
    exact=strategies.joint_tables(lengths=(1, 4), vocabs=(2, 2), exact=True),
    floats=strategies.distributions(lengths=(1, 5)),
    parts=STEPS,
    tolerance=1e-9,
    share=Fraction(1, 3),
)
def equal_steps(p: Distribution, steps: int, share: Any = Fraction(1, 2)) -> Number:
    """By how much N times the loss of N equal steps is further from its limit than allowed.

    The loss is the left-Riemann error of -h; the trapezoidal rule is off by at most
    ``max |h''| / (12 N^2)``, and ``h''`` lies between its Bernstein coefficients.
    """
    curve, length = information.gain_curve(p), p.length
    second = np.diff(curve.gains, n=2) * (length - 1) * (length - 2) if length > 2 else []
    most = max((abs(c) for c in second), default=0)
    times = [Fraction(k, steps) for k in range(steps + 1)]
    off = steps * curve.grid_cost(times) - (share if p.exact else float(share)) * curve.gains[-1]
    return excess(abs(off) * 12 * steps, most)


def _half_the_continuum(p: Distribution) -> float:
    return information.continuum_complexity(p) / 2


def _bends(p: Distribution) -> np.ndarray:
    """How the slopes of the gain curve change from one number of sites to the next."""
    return np.diff(np.asarray(information.gains(p), dtype=float), n=2)


@B4.residual(
    "no grid is below half the continuum complexity, where h' never grows",
    floats=THREE_SITES,
    parts={"inner": lambda size: inner_levels(size, 4)},
    more=1.0,
)
def falling_slope(p: Distribution, inner: list[Any], more: float = 0.0) -> Bound:
    if (_bends(p) > 1e-12).any():
        raise DoesNotApply("it is about gain curves whose slope never grows")
    steps = len(inner) + 1
    loss = float(information.gain_curve(p).grid_cost([0, *sorted(inner), 1]))
    return Bound(_half_the_continuum(p) * (1 + more), steps * loss)


@B4.residual(
    "the equal-mass grid is at most half the continuum complexity, where h' never falls",
    floats=THREE_SITES,
    parts=STEPS,
    # all steps but one in the first half
    grid=lambda p, steps: [*np.linspace(0, 0.5, steps), 1.0] if steps > 1 else [0.0, 1.0],
)
def growing_slope(p: Distribution, steps: int, grid: Grid = schedules.equal_mass) -> float:
    if (_bends(p) < -1e-12).any():
        raise DoesNotApply("it is about gain curves whose slope never falls")
    cost = float(information.gain_curve(p).grid_cost(grid(p, steps)))
    over = steps * cost - _half_the_continuum(p)
    return over if over > 1e-6 * cost * steps else 0.0  # the grid is placed to about 1e-7


def _half_of_all(p: Distribution) -> float:
    return float(information.gains(p)[-1]) / 2


def _fisher_rao(p: Distribution) -> float:
    """``(pi/2) int sqrt(t (1-t)) h'(t) dt``."""
    curve = information.gain_curve(p)
    return integrate(lambda t: np.pi / 2 * np.sqrt(t * (1 - t)) * curve.derivative(t), 0, 1)


LIMITS: list[tuple[Grid, Limit]] = [
    (lambda p, steps: np.linspace(0, 1, steps + 1), _half_of_all),
    (schedules.equal_mass, _half_the_continuum),
    (lambda p, steps: schedules.Cosine().levels(steps)[::-1], _fisher_rao),
]


@B4.residual(
    "the losses of three grids approach their limits",
    named=named_distributions,
    tolerance=1e-12,
    # the limits of the first two exchanged
    limits=[(LIMITS[0][0], _half_the_continuum), (LIMITS[1][0], _half_of_all)],
)
def limits_of_grids(p: Distribution, limits: Sequence[tuple[Grid, Limit]] = LIMITS) -> list[float]:
    """How far four times as many steps are from halving the distance to the limit, at least."""
    curve = information.gain_curve(p)
    residuals = []
    for grid, limit in limits:
        goal = limit(p)
        off = [abs(n * float(curve.grid_cost(grid(p, n))) - goal) for n in (8, 32, 128, 512)]
        for before, after in itertools.pairwise(off):
            residuals.append(max(0.0, after - before / 2 - 1e-6 * goal))
    return residuals
