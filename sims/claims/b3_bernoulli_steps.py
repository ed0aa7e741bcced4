"""B3: an ancestral step loses the area above the gain curve's height at its start."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from sims.decoding.exact import output_distribution
from sims.policies import Bernoulli
from theory import information, strategies
from theory._core.bound import Bound
from theory.claims import Claim, Provenance, Verdict
from theory.claims.kit.generators import inner_levels, named_distributions, symbolic_table
from theory.distributions import Distribution
from theory.information import GainCurve
from theory.loss.forward import nelbo
from theory.proofs.free_entropies import FreeEntropies

__all__ = ["B3"]

MAX_SITES = 4
"""Lengths up to which a step is checked with free entropies."""

Step = Callable[[GainCurve, Any, Any], Any]

B3 = Claim(
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
        f"The step is checked for every distribution of up to {MAX_SITES} sites and all a, b at "
        "once, with the entropies of sets as free symbols."
    ),
    source="Wainwright, arXiv 2608.13520 (read)",
    provenance=Provenance.SOURCE,
    verdict=Verdict.HOLDS,
)


def _from_the_end(curve: GainCurve, start: Any, stop: Any) -> Any:
    """Planted: the height at the end of the step."""
    return (stop - start) * curve(stop) - curve.integral(start, stop)


def _doubled(curve: GainCurve, start: Any, stop: Any) -> Any:
    """Planted: twice the area; on two sites h is linear, and both ends of a step give the same."""
    return 2 * curve.step_cost(start, stop)


@B3.symbolic("one step for all distributions at once", step=_from_the_end)
def every_distribution(step: Step = GainCurve.step_cost) -> list[Any]:
    """One step from share a to share b: the mean over all sets before and within it.

    A site is revealed before with probability a, in the step with ``b - a``.
    """
    import sympy

    a, b = sympy.symbols("a b", positive=True)
    residuals = []
    for length in range(1, MAX_SITES + 1):
        p = FreeEntropies(length)
        mean: Any = 0
        for fate in itertools.product(("before", "now", "later"), repeat=length):
            known = [i for i in range(length) if fate[i] == "before"]
            now = [i for i in range(length) if fate[i] == "now"]
            probability = a ** len(known) * (b - a) ** len(now)
            probability *= (1 - b) ** (length - len(known) - len(now))
            mean += probability * p.conditional_total_correlation(now, known)
        residuals.append(step(information.gain_curve(p), a, b) - mean)
    return residuals


@B3.symbolic("training loss of two bits", step=_doubled)
def training_loss_of_two_bits(step: Step = GainCurve.step_cost) -> Any:
    """On a 2 x 2 table of symbols, along a grid with an inner time u."""
    import sympy

    u = sympy.Symbol("u", positive=True)
    p, curve = symbolic_table(), information.gain_curve(symbolic_table())
    loss = nelbo(p, [1, u, 0], lambda x: p.denoise(x))
    return step(curve, 0, u) + step(curve, u, 1) - (loss - information.entropy(p))


@B3.residual(
    "path divergence and training loss of equal steps",
    named=lambda: named_distributions(words_of=2),
    at=[{"inner": [k / n for k in range(1, n)]} for n in (1, 2, 3)],
    tolerance=1e-9,
    step=_from_the_end,
)
@B3.residual(
    "path divergence and training loss",
    exact=strategies.joint_tables(lengths=(1, 3), exact=True),
    floats=strategies.distributions(lengths=(1, 4)),
    parts={"inner": lambda size: inner_levels(size, 2)},
    step=_from_the_end,
)
def path_and_training_loss(
    p: Distribution, inner: Sequence[Any], step: Step = GainCurve.step_cost
) -> list[Any]:
    """The areas against the decoder's path cost, and against the training loss minus H."""
    times = [0, *sorted(inner), 1]
    curve = information.gain_curve(p)
    cost = sum(step(curve, a, b) for a, b in itertools.pairwise(times))
    loss = nelbo(p, times[::-1], lambda x: p.denoise(x))
    path_kl = output_distribution(p, Bernoulli(times)).path_kl
    return [cost - path_kl, cost - (loss - information.entropy(p))]


@B3.residual(
    "mixture over paths",
    exact=strategies.joint_tables(lengths=(1, 3), exact=True),
    parts={"inner": lambda size: inner_levels(size, 2)},
    share=0,
)
def mixture_over_paths(p: Distribution, inner: Sequence[Any], share: Any = 1) -> Bound:
    """The output's divergence is at most (a share of) the path cost."""
    q = output_distribution(p, Bernoulli([0, *sorted(inner), 1]))
    return Bound(q.kl, share * q.path_kl)
