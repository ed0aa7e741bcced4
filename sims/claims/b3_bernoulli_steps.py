"""B3: an ancestral step loses the area above the gain curve's height at its start."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from sims.decoding.exact import output_distribution
from sims.policies import Bernoulli
from theory import information, strategies
from theory.claims import Check, Claim, Level, Provenance, Verdict
from theory.claims.kit.free_entropies import FreeEntropies, expanded
from theory.claims.kit.generators import (
    Size,
    by_size,
    inner_levels,
    named_distributions,
    symbolic_table,
)
from theory.claims.kit.inequality import closeness, excess
from theory.distributions import Distribution
from theory.information import GainCurve
from theory.loss.forward import nelbo

__all__ = ["BERNOULLI_STEPS"]

MOST_SITES = 4
"""Lengths up to which a step is checked with free entropies."""

Step = Callable[[GainCurve, Any, Any], Any]


def _step(curve: GainCurve, start: Any, stop: Any) -> Any:
    return curve.step_cost(start, stop)


def _from_the_end(curve: GainCurve, start: Any, stop: Any) -> Any:
    """Planted: the height at the end of the step."""
    return (stop - start) * curve(stop) - curve.integral(start, stop)


def _doubled(curve: GainCurve, start: Any, stop: Any) -> Any:
    """Planted: twice the area; on two sites h is linear, and both ends of a step give the same."""
    return 2 * curve.step_cost(start, stop)


def _grid_cost(p: Distribution, inner: Sequence[Any], step: Step) -> Any:
    curve = information.gain_curve(p)
    return sum(step(curve, a, b) for a, b in itertools.pairwise(_times(inner)))


def _times(inner: Sequence[Any]) -> list[Any]:
    return [0, *sorted(inner), 1]


def _losses(p: Distribution, inner: Sequence[Any], step: Step = _step) -> list[Any]:
    """The areas against the decoder's path cost, and against the training loss minus H."""
    cost = _grid_cost(p, inner, step)
    q = output_distribution(p, Bernoulli(_times(inner)))
    loss = nelbo(p, _times(inner)[::-1], lambda x: p.denoise(x))
    return [cost - q.path_kl, cost - (loss - information.entropy(p))]


def _output_is_less(p: Distribution, inner: Sequence[Any], share: Any = 1) -> Any:
    """By how much the output's divergence exceeds (a share of) the path cost."""
    q = output_distribution(p, Bernoulli(_times(inner)))
    return excess(q.kl, share * q.path_kl)


def _gained_by_mixing(p: Distribution, inner: Sequence[Any]) -> float:
    q = output_distribution(p, Bernoulli(_times(inner)))
    return closeness(q.kl, q.path_kl)


def _every_distribution(step: Step = _step) -> list[Any]:
    """One step from share a to share b: the mean over all sets before and within it.

    A site is revealed before with probability a, in the step with ``b - a``.
    """
    import sympy

    a, b = sympy.symbols("a b", positive=True)
    residuals = []
    for length in range(1, MOST_SITES + 1):
        p = FreeEntropies(length)
        mean: Any = 0
        for fate in itertools.product(("before", "now", "later"), repeat=length):
            known = [i for i in range(length) if fate[i] == "before"]
            now = [i for i in range(length) if fate[i] == "now"]
            chance = a ** len(known) * (b - a) ** len(now)
            chance *= (1 - b) ** (length - len(known) - len(now))
            mean += chance * p.conditional_total_correlation(now, known)
        residuals.append(step(information.gain_curve(p), a, b) - mean)
    return expanded(residuals)


def _two_by_two(step: Step = _step) -> Any:
    """The loss of training along a grid with an inner time u, on a 2 x 2 table of symbols."""
    import sympy

    u = sympy.Symbol("u", positive=True)
    p, curve = symbolic_table(), information.gain_curve(symbolic_table())
    loss = nelbo(p, [1, u, 0], lambda x: p.denoise(x))
    return step(curve, 0, u) + step(curve, u, 1) - (loss - information.entropy(p))


def _equal_grids(p: Distribution, step: Step = _step) -> list[Any]:
    return [_losses(p, [k / n for k in range(1, n)], step) for n in (1, 2, 3)]


@by_size
def _grid(p: Size) -> dict[str, Any]:
    return {"inner": inner_levels(p, 2)}


BERNOULLI_STEPS = Claim(
    id="B3",
    title="An ancestral step loses the area above the gain curve's height at its start",
    statement=(
        "Revealing every masked site with probability (b-a)/(1-a), from share a to share b, loses "
        "int_a^b (h(u) - h(a)) du in the mean over what is revealed. Summed over a grid this is "
        "the path divergence of the decoder, and the least training loss minus the entropy. What "
        "the decoder writes, the mixture, loses at most that."
    ),
    latex=(
        r"\mathbb E\, \mathrm{TC}(X_S \mid X_C) = \int_a^b (h(u) - h(a))\, du,\qquad "
        r"\sum_k \int_{t_k}^{t_{k+1}} (h - h(t_k)) = \min_f \mathcal L - H(p)"
    ),
    says="the cost of a step as this integral; summed, the training loss minus the entropy",
    note=(
        f"The step is checked for every distribution of up to {MOST_SITES} sites and all a, b at "
        "once, with the entropies of sets as free symbols."
    ),
    source="Wainwright, arXiv 2608.13520 (read)",
    provenance=Provenance.SOURCE,
    verdict=Verdict.HOLDS,
    checks=(
        Check(level=Level.SYMBOLIC, residual=_every_distribution, planted={"step": _from_the_end}),
        Check(level=Level.SYMBOLIC, residual=_two_by_two, planted={"step": _doubled}),
        Check(
            level=Level.EXACT,
            residual=_losses,
            distributions=lambda: strategies.joint_tables(lengths=(1, 3), exact=True),
            parts=_grid,
            planted={"step": _from_the_end},
        ),
        Check(
            level=Level.EXACT,
            residual=_output_is_less,
            distributions=lambda: strategies.joint_tables(lengths=(1, 3), exact=True),
            parts=_grid,
            planted={"share": 0},
            tightness=_gained_by_mixing,
        ),
        Check(
            level=Level.PROPERTY,
            residual=_losses,
            distributions=lambda: strategies.distributions(lengths=(1, 4)),
            parts=_grid,
            planted={"step": _from_the_end},
            tolerance=1e-10,
        ),
        Check(
            level=Level.NUMERIC,
            residual=_equal_grids,
            named=lambda: named_distributions(words_of=2),
            planted={"step": _from_the_end},
            tolerance=1e-9,
        ),
    ),
)
