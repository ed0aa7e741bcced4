"""A2: the least training loss is the entropy of the data plus a discretisation gap."""

import itertools
import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from theory import strategies
from theory._core.bound import Bound
from theory._core.types import Number
from theory.claims.kit.claim import Claim, Provenance, Verdict
from theory.claims.kit.every_length import StepSlack, never_negative, shares
from theory.claims.kit.generators import (
    grids,
    named_distributions,
    symbolic_table,
)
from theory.claims.kit.inequality import excess
from theory.claims.kit.mutants import DenoiserOf, smoothed, zero_loss
from theory.distributions import Distribution
from theory.information import (
    dual_total_correlation,
    entropy,
    gain_curve,
    profile,
    total_correlation,
)
from theory.loss.forward import continuous_nelbo, loss_by_pattern, loss_on_grid, nelbo
from theory.proofs.free_entropies import FreeProfile

__all__ = ["A2"]

MAX_SITES, MAX_STEPS = 6, 4
"""Lengths, and equal steps of a grid, up to which gaps are proved for every profile."""

TABLES = strategies.joint_tables(lengths=(1, 3), exact=True)
GRIDS = {"levels": lambda size: grids(size, 3)}
POOLS: dict[str, Any] = {
    "exact": TABLES,
    "floats": strategies.distributions(lengths=(1, 3)),
    "parts": GRIDS,
    "tolerance": 1e-11,
}

A2 = Claim(
    id="A2",
    title="Training cannot go below the data entropy, and reaches it in continuous time",
    statement=(
        "On a grid of steps the minimum of the expected loss is H(p) plus a gap. One step has "
        "the gap TC(p); refining the grid never raises it; on T equal steps it is at most "
        "(TC + DTC)/T; in continuous time the minimum is exactly H(p). So zero loss means zero "
        "excess loss."
    ),
    latex=(
        r"\min_f \mathcal L_T(f) = H(p) + \mathrm{gap}_T, \quad \mathrm{gap}_1 = \mathrm{TC}(p),"
        r"\quad 0 \le \mathrm{gap}_T \le (\mathrm{TC} + \mathrm{DTC})/T"
    ),
    says=(
        "Kim et al.: the loss as an average over orders, least at the entropy; the seed speaks of "
        "training to zero loss (restated)"
    ),
    note=(
        "A gap is an integral over the growth h' of the gain curve, which is never negative, and "
        "TC + DTC is the integral of h' (I1): that it is at most (TC + DTC)/T, and never more on a "
        "refined grid, is proved by the factors in front of h'. That the least loss is H(p) plus "
        "that gap is checked on symbols and instances."
    ),
    source="order-averaged form: Kim et al., arXiv 2502.06768, Prop. 2.1 (read); the rest here",
    provenance=Provenance.OURS,
    verdict=Verdict.HOLDS,
)


def _one_level() -> list[dict[str, Any]]:
    """A 2 x 2 table of symbols and a grid of two steps, with a symbol between them."""
    import sympy

    return [{"p": symbolic_table(), "levels": [1, sympy.Symbol("u", positive=True), 0]}]


@A2.residual(
    "the loss in continuous time, in one step, on a grid",
    symbols=_one_level,
    exact=TABLES,
    floats=strategies.distributions(lengths=(1, 4)),
    parts=GRIDS,
    optimum=smoothed,
)
def least_loss(
    p: Distribution, levels: Sequence[Number], optimum: DenoiserOf = zero_loss
) -> list[Number]:
    """Three residuals.

    Continuous time gives ``H``; one step gives ``H + TC``; a grid gives the left-Riemann sum of
    the profile.
    """
    f, data = optimum(p), entropy(p)
    return [
        continuous_nelbo(p, f) - data,
        nelbo(p, [1, 0], f) - data - total_correlation(p),
        nelbo(p, levels, f) - _riemann(p, levels),
    ]


def _riemann(p: Distribution, levels: Sequence[Number]) -> Number:
    """``sum (alpha_s - alpha_t) d E f(J)`` with J binomial: how many others are observed."""
    f, others = profile(p), p.length - 1
    total: Any = 0
    for s, t in itertools.pairwise(levels):
        for j in range(p.length):
            binomial = math.comb(others, j) * t**j * (1 - t) ** (others - j)
            total = total + (s - t) * p.length * binomial * f[j]
    return total


def _refined(levels: Sequence[Number]) -> list[Number]:
    middles = [(s + t) * Fraction(1, 2) for s, t in itertools.pairwise(levels)]
    return sorted({*levels, *middles}, reverse=True)


@A2.proved("the gap of equal and of refined steps", scope="every length", share=2)
def gap_at_every_length(share: int = 1) -> list[StepSlack]:
    """Of a step from s/N to t/N the factor in front of ``h'`` at u/N, as a gap is linear in it."""
    import sympy

    (s, u, t, n), region = shares()
    v = sympy.Symbol("v", integer=True)
    gap = share * (t - u) / n
    return [
        never_negative("0 <= gap", gap, region),
        never_negative("gap <= (t - s)/N (TC + DTC)", (t - s) / n - gap, region),
        never_negative(
            "with v after u the gap is no more", gap - (v - u) / n, [*region, u <= v, v <= t]
        ),
        never_negative("with v before u the gap is no more", gap - (t - u) / n, [*region, v <= u]),
    ]


@A2.residual(
    "the gap of one, of equal and of refined steps for every profile",
    symbols=lambda: [{"p": FreeProfile(n)} for n in range(2, MAX_SITES + 1)],
    scope=f"up to {MAX_SITES} sites, in up to {MAX_STEPS} steps",
    share=Fraction(1, 2),
)
def every_gap(p: FreeProfile, share: Number = 1) -> list[Any]:
    """Each grid of equal steps, and the one with another level in the middle of each.

    The gap is the left-Riemann sum of the profile less the entropy, and what `theory.information`
    has as the cost of these ancestral steps.
    """
    curve = gain_curve(p)
    both, answers = total_correlation(p) + dual_total_correlation(p), []
    for steps in range(1, MAX_STEPS + 1):
        levels: list[Any] = [Fraction(steps - k, steps) for k in range(steps + 1)]
        grids = levels, _refined(levels)
        gap, finer = (curve.grid_cost([1 - level for level in grid]) for grid in grids)
        answers += [_riemann(p, levels) - entropy(p) - gap, Bound(0, gap)]
        answers += [Bound(gap, share * both / steps), Bound(finer, share * gap)]
    return [curve.grid_cost([0, 1]) - total_correlation(p), *answers]


@A2.residual(
    "refining a grid never raises the loss",
    **POOLS,
    refine=lambda levels: [1, 0],  # makes the grid coarser
)
def refining(
    p: Distribution,
    levels: Sequence[Number],
    refine: Callable[[Sequence[Number]], list[Any]] = _refined,
) -> Number:
    losses = loss_by_pattern(p)
    return excess(loss_on_grid(losses, refine(levels)), loss_on_grid(losses, levels))


@A2.residual(
    "no loss on a grid is below the entropy",
    **POOLS,
    # the sum of the entropies of all sites, which is more, unless they are independent
    least=lambda p: entropy(p) + total_correlation(p),
)
def entropy_is_least(
    p: Distribution,
    levels: Sequence[Number],
    least: Callable[[Distribution], Number] = entropy,
) -> Number:
    return excess(least(p), nelbo(p, levels))


@A2.residual("the gap of equal steps vanishes", named=named_distributions, optimum=smoothed)
def vanishing_gap(p: Distribution, optimum: DenoiserOf = zero_loss) -> list[Any]:
    """On T equal steps the gap lies between 0 and ``(TC + DTC) / T``."""
    most, least = float(total_correlation(p) + dual_total_correlation(p)), float(entropy(p))
    losses = loss_by_pattern(p, optimum(p))
    residuals: list[Any] = []
    for steps in (1, 2, 4, 8, 16, 64, 256):
        levels = [1 - k / steps for k in range(steps)] + [0.0]
        gap = float(loss_on_grid(losses, levels)) - least
        residuals += [max(0.0, -gap), Bound(gap, most / steps)]
    return residuals
