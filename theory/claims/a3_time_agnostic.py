"""A3: neither the best denoiser nor the loss in continuous time depends on the noise schedule."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np

from theory import gallery, schedules, strategies
from theory._core.types import Number
from theory.claims.kit.claim import Claim, Provenance, Verdict
from theory.claims.kit.generators import challengers, symbolic_table
from theory.claims.kit.mutants import DenoiserOf, smoothed, zero_loss
from theory.distributions import Distribution, JointTable
from theory.loss.forward import continuous_nelbo, loss_by_pattern

__all__ = ["A3"]


def _right_weight(fall: Any, alpha: Any) -> Any:
    """The rate at which masked sites are revealed: ``-alpha' / (1 - alpha)``."""
    return fall / (1 - alpha)


def _losses_by_count(p: Distribution) -> list[Number]:
    """Total loss over the patterns with k observed sites, k = 0..L."""
    losses = loss_by_pattern(p)
    sizes = np.indices((2,) * p.length).sum(axis=0)
    return [losses[sizes == k].sum() for k in range(p.length + 1)]


A3 = Claim(
    id="A3",
    title="Neither the optimum nor the continuous loss depends on the schedule",
    statement=(
        "The zero-loss denoiser is best on every single mask pattern, so it does not depend on "
        "time. The loss in continuous time depends on the schedule only through its two end "
        "levels."
    ),
    latex=(
        r"\int_{t_0}^{t_1} \frac{-\alpha'(t)}{1-\alpha(t)}\, \ell(\alpha(t))\, dt = "
        r"\int_{\alpha(t_1)}^{\alpha(t_0)} \frac{\ell(u)}{1-u}\, du"
    ),
    says=(
        "the objective in continuous time does not change with the noise schedule, and the best "
        "model need not be told the time"
    ),
    note=(
        "Symbolic and exact checks are about the loss. That one denoiser is best at every level "
        "is checked on floats here, and pattern by pattern, on symbols, in A1."
    ),
    source="MDLM, MD4, RADD, Zheng et al. (arXiv 2409.02908)",
    provenance=Provenance.MEMORY,
    verdict=Verdict.HOLDS,
)


def _times(p: Distribution) -> Any:
    powers = st.lists(st.integers(1, 3), min_size=1, max_size=2).map(tuple)
    interval = st.lists(strategies.rationals(), min_size=2, max_size=2, unique=True).map(sorted)
    return st.builds(
        lambda m, ends: {"powers": m, "start": ends[0], "stop": ends[1]}, powers, interval
    )


def _three_schedules() -> list[dict[str, Any]]:
    between = {"start": Fraction(1, 3), "stop": Fraction(1, 2)}
    return [{"p": symbolic_table(), "powers": m, **between} for m in ((1,), (2,), (1, 3))]


@A3.residual(
    "schedules that are polynomials in time have the loss of the linear one",
    symbols=_three_schedules,
    exact=strategies.joint_tables(lengths=(1, 3), exact=True),
    parts=_times,
    weight=lambda fall, alpha: fall,  # the denominator is forgotten
)
def polynomial_schedule(
    p: Distribution,
    powers: Sequence[int],
    start: Fraction,
    stop: Fraction,
    weight: Callable[[Any, Any], Any] = _right_weight,
) -> list[Number]:
    """Integrate the loss over time for ``alpha = mean of (1 - t^m)``, exactly.

    From the time `start` to `stop`, and compared with the linear schedule between the same two
    levels; over all times, compared with the closed form.
    """
    import sympy

    t: Any
    u: Any
    t, u = sympy.symbols("t u")
    alpha: Any = sum((1 - t**m for m in powers), start=sympy.Integer(0)) / len(powers)
    begin, end = (sympy.Rational(v.numerator, v.denominator) for v in (start, stop))
    counts = _losses_by_count(p)

    def integral(level: Any, variable: Any, low: Any, high: Any) -> Any:
        rate = weight(-sympy.diff(level, variable), level)
        total: Any = 0
        for k, loss in enumerate(counts[:-1]):
            masked = level**k * (1 - level) ** (p.length - k)
            primitive = sympy.Poly(sympy.cancel(rate * masked), variable).integrate()
            total = total + (primitive.eval(high) - primitive.eval(low)) * loss
        return total

    level_begin, level_end = alpha.subs(t, begin), alpha.subs(t, end)
    part = integral(alpha, t, begin, end)
    linear = integral(1 - u, u, 1 - level_begin, 1 - level_end)
    return [part - linear, integral(alpha, t, 0, 1) - continuous_nelbo(p)]


@A3.residual(
    "no challenger is better on any pattern, hence at any noise level",
    floats=strategies.joint_tables(lengths=(1, 3)),
    parts={"challenger": challengers},
    tolerance=1e-12,
    optimum=smoothed,
)
def one_minimiser_for_all_levels(
    p: Distribution, challenger: JointTable, optimum: DenoiserOf = zero_loss
) -> Any:
    best, other = loss_by_pattern(p, optimum(p)), loss_by_pattern(p, challenger.denoise)
    over = np.asarray(best - other, dtype=np.float64)
    return np.where(over > 1e-12, over, 0.0)


SCHEDULES: tuple[schedules.NoiseSchedule, ...] = (
    schedules.Linear(),
    schedules.Cosine(),
    schedules.LogLinear(end=0.1),
    schedules.GeometricOdds(end=0.05),
)


@A3.residual(
    "quadrature over time is the integral over levels, for each schedule",
    named=lambda: {
        "repeated_bit(4, noise=0.1)": gallery.repeated_bit(4, noise=0.1),
        "parity(4)": gallery.parity(4),
        "permutations(3)": gallery.permutations(3),
        "binary_symmetric(5, 0.1)": gallery.binary_symmetric(5, 0.1),
    },
    tolerance=1e-9,
    weight=lambda fall, alpha: fall,  # the denominator is forgotten
)
def schedule_objects(
    p: Distribution, weight: Callable[[Any, Any], Any] = _right_weight
) -> list[float]:
    from scipy.integrate import quad

    counts = [float(c) for c in _losses_by_count(p)]

    def loss_at(alpha: float) -> float:
        return sum(alpha**k * (1 - alpha) ** (p.length - k) * counts[k] for k in range(p.length))

    residuals = []
    for schedule in SCHEDULES:
        first, last = float(schedule.alpha(0.0)), float(schedule.alpha(1.0))

        def over_time(t: float, s: schedules.NoiseSchedule = schedule) -> float:
            alpha = float(s.alpha(t))
            if alpha == 1.0:  # the integrand's limit at t = 0 is finite; quad avoids the end
                return 0.0
            return float(weight(-s.slope(t), alpha)) * loss_at(alpha)

        in_time = quad(over_time, 0.0, 1.0, epsabs=1e-12, epsrel=1e-12)[0]
        in_level = quad(lambda u: loss_at(u) / (1 - u), last, first, epsabs=1e-12, epsrel=1e-12)[0]
        residuals.append(in_time - in_level)
    return residuals
