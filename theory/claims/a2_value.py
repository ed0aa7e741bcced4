"""A2: the least loss is the entropy of the data plus a discretisation gap."""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any

from theory import strategies
from theory.claims.kit.claim import Check, Claim, Provenance, Verdict
from theory.claims.kit.generators import (
    Size,
    by_size,
    fractions_from_one_to_zero,
    inner_levels,
    named_distributions,
    symbolic_table,
)
from theory.claims.kit.inequality import closeness, excess
from theory.claims.kit.mutants import smoothed, zero_loss
from theory.claims.kit.result import Level
from theory.distributions import Distribution
from theory.information import (
    dual_total_correlation,
    entropy,
    profile,
    total_correlation,
)
from theory.loss.forward import Denoiser, continuous_nelbo, loss_by_pattern, loss_on_grid, nelbo

__all__ = ["VALUE"]

Factory = Callable[[Distribution], Denoiser]


def _value(p: Distribution, inner_levels: Sequence[Any], optimum: Factory = zero_loss) -> list[Any]:
    """Three residuals.

    Continuous time gives ``H``; one step gives ``H + TC``; a grid gives the left-Riemann sum of
    the profile.
    """
    f, data = optimum(p), entropy(p)
    levels = fractions_from_one_to_zero(inner_levels)
    return [
        continuous_nelbo(p, f) - data,
        nelbo(p, [1, 0], f) - data - total_correlation(p),
        nelbo(p, levels, f) - _riemann(p, levels),
    ]


def _refined(levels: Sequence[Any]) -> list[Any]:
    middles = [_middle(s, t) for s, t in itertools.pairwise(levels)]
    return sorted({*levels, *middles}, reverse=True)


def _ends_only(levels: Sequence[Any]) -> list[Any]:
    """Planted: makes the grid coarser."""
    return [1, 0]


def _refining(
    p: Distribution,
    inner_levels: Sequence[Any],
    refine: Callable[[Sequence[Any]], list[Any]] = _refined,
) -> Any:
    """By how much refining a grid raises the loss."""
    levels, losses = fractions_from_one_to_zero(inner_levels), loss_by_pattern(p)
    return excess(loss_on_grid(losses, refine(levels)), loss_on_grid(losses, levels))


def _sum_of_marginal_entropies(p: Distribution) -> Any:
    """Planted: more than the entropy, unless sites are independent."""
    return entropy(p) + total_correlation(p)


def _entropy_is_least(
    p: Distribution,
    inner_levels: Sequence[Any],
    least: Callable[[Distribution], Any] = entropy,
) -> Any:
    """By how much the loss on a grid falls below the entropy."""
    return excess(least(p), nelbo(p, fractions_from_one_to_zero(inner_levels)))


def _middle(s: Any, t: Any) -> Any:
    return Fraction(s + t) / 2 if isinstance(s + t, (int, Fraction)) else (s + t) / 2


def _riemann(p: Distribution, levels: Sequence[Any]) -> Any:
    """``sum (alpha_s - alpha_t) d E f(J)`` with J binomial: how many others are observed."""
    f, others = profile(p), p.length - 1
    total: Any = 0
    for s, t in itertools.pairwise(levels):
        for j in range(p.length):
            chance = math.comb(others, j) * t**j * (1 - t) ** (others - j)
            total = total + (s - t) * p.length * chance * f[j]
    return total


def _vanishing_gap(p: Distribution, optimum: Factory = zero_loss) -> list[float]:
    """On T equal steps the gap lies between 0 and ``(TC + DTC) / T``."""
    return [max(0.0, -gap, gap - most) for gap, most in _gaps(p, optimum)]


def _gaps(p: Distribution, optimum: Factory = zero_loss) -> Iterator[tuple[float, float]]:
    """The gap on some numbers of equal steps, and its bound."""
    most, least = float(total_correlation(p) + dual_total_correlation(p)), float(entropy(p))
    losses = loss_by_pattern(p, optimum(p))
    for steps in (1, 2, 4, 8, 16, 64, 256):
        levels = [1 - k / steps for k in range(steps)] + [0.0]
        yield float(loss_on_grid(losses, levels)) - least, most / steps


def _share_of_bound(p: Distribution) -> float:
    """The largest share that the gap has of its bound."""
    return max(closeness(gap, most) for gap, most in _gaps(p))


def _two_by_two(optimum: Factory = zero_loss) -> list[Any]:
    """The three equalities on a 2 x 2 table of symbols and a two-step grid at level u."""
    import sympy

    u = sympy.Symbol("u", positive=True)
    p = symbolic_table()
    f = optimum(p)
    return [
        continuous_nelbo(p, f) - entropy(p),
        nelbo(p, [1, 0], f) - entropy(p) - total_correlation(p),
        nelbo(p, [1, u, 0], f) - _riemann(p, [1, u, 0]),
    ]


@by_size
def _grids(p: Size) -> dict[str, Any]:
    return {"inner_levels": inner_levels(p, 3)}


VALUE = Claim(
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
    source="order-averaged form: Kim et al., arXiv 2502.06768, Prop. 2.1 (read); the rest here",
    provenance=Provenance.OURS,
    verdict=Verdict.HOLDS,
    checks=(
        Check(level=Level.SYMBOLIC, residual=_two_by_two, planted={"optimum": smoothed}),
        Check(
            level=Level.EXACT,
            residual=_value,
            distributions=lambda: strategies.joint_tables(lengths=(1, 3), exact=True),
            parts=_grids,
            planted={"optimum": smoothed},
        ),
        Check(
            level=Level.EXACT,
            residual=_refining,
            distributions=lambda: strategies.joint_tables(lengths=(1, 3), exact=True),
            parts=_grids,
            planted={"refine": _ends_only},
        ),
        Check(
            level=Level.EXACT,
            residual=_entropy_is_least,
            distributions=lambda: strategies.joint_tables(lengths=(1, 3), exact=True),
            parts=_grids,
            planted={"least": _sum_of_marginal_entropies},
        ),
        Check(
            level=Level.PROPERTY,
            residual=_entropy_is_least,
            distributions=lambda: strategies.distributions(lengths=(1, 3)),
            parts=_grids,
            planted={"least": _sum_of_marginal_entropies},
            tolerance=1e-11,
        ),
        Check(
            level=Level.PROPERTY,
            residual=_refining,
            distributions=lambda: strategies.distributions(lengths=(1, 3)),
            parts=_grids,
            planted={"refine": _ends_only},
            tolerance=1e-11,
        ),
        Check(
            level=Level.PROPERTY,
            residual=_value,
            distributions=lambda: strategies.distributions(lengths=(1, 4)),
            parts=_grids,
            planted={"optimum": smoothed},
            tolerance=1e-10,
        ),
        Check(
            level=Level.NUMERIC,
            residual=_vanishing_gap,
            named=named_distributions,
            planted={"optimum": smoothed},
            tolerance=1e-10,
            tightness=_share_of_bound,
        ),
    ),
)
