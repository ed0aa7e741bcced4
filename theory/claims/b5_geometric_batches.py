"""B5: large batches first cost a share of TC, large batches last a share of DTC."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st

from theory import bounds, strategies
from theory._core.bound import Bound
from theory.claims.kit.claim import Check, Claim, Provenance, Verdict
from theory.claims.kit.free_entropies import FreeProfile, negative_coefficients
from theory.claims.kit.generators import Size, by_size, equal_bits_and_parity, named_distributions
from theory.claims.kit.inequality import bound_closeness, bound_excess
from theory.claims.kit.result import Level
from theory.distributions import Distribution

__all__ = ["GEOMETRIC_BATCHES"]

MOST_SITES = 9
"""Lengths up to which the bounds are checked for every profile."""

Schedule = Callable[[Distribution, Any], Bound]
Pair = tuple[Schedule, Schedule]

RIGHT: Pair = (bounds.total_correlation_schedule, bounds.dual_total_correlation_schedule)
SWAPPED: Pair = (
    lambda p, ratio: _mixed(p, ratio, 0, 1),
    lambda p, ratio: _mixed(p, ratio, 1, 0),
)
"""Planted: the batches of one with the bound of the other."""


def _mixed(p: Distribution, ratio: Any, batches: int, bound: int) -> Bound:
    return Bound(RIGHT[batches](p, ratio).quantity, RIGHT[bound](p, ratio).bound)


def _violation(p: Distribution, ratio: Any, schedules: Pair = RIGHT) -> list[Any]:
    """By how much the path cost exceeds the share of TC, and that of DTC."""
    return [bound_excess(schedule(p, ratio)) for schedule in schedules]


def _closest(p: Distribution, ratio: Any) -> float:
    ratios = [bound_closeness(schedule(p, ratio)) for schedule in RIGHT]
    return max(ratios, key=lambda r: (r == r, r))


def _every_profile(schedules: Pair = RIGHT) -> list[Any]:
    """Negative coefficients of the slack, for every length and many ratios."""
    negative = []
    for length in range(2, MOST_SITES + 1):
        p = FreeProfile(length)
        for ratio in (Fraction(k, 6) for k in range(1, 10)):
            for schedule in schedules:
                negative += negative_coefficients(schedule(p, ratio).slack, p)
    return negative


def _every_ratio(p: Distribution, schedules: Pair = RIGHT) -> list[Any]:
    return [_violation(p, ratio, schedules) for ratio in (0.0, 0.25, 0.5, 1.0, 2.0)]


def _closest_ratio(p: Distribution) -> float:
    return max((_closest(p, r) for r in (0.25, 0.5, 1.0, 2.0)), key=lambda r: (r == r, r))


@by_size
def _ratio(p: Size) -> dict[str, Any]:
    ratios = st.integers(0, 12).map(lambda k: Fraction(k, 6) if p.exact else k / 6)
    return {"ratio": ratios}


GEOMETRIC_BATCHES = Claim(
    id="B5",
    title="Large batches first cost a share of TC, large batches last a share of DTC",
    statement=(
        "Batches from a to b with b - a - 1 <= r (L - a - 1) cost at most r TC in random order, "
        "batches with b - a - 1 <= r (a + 1) at most r DTC."
    ),
    latex=(
        r"\frac{b-a-1}{L-a-1} \le r \Rightarrow \mathrm{KL} \le r\, \mathrm{TC},\qquad "
        r"\frac{b-a-1}{a+1} \le r \Rightarrow \mathrm{KL} \le r\, \mathrm{DTC}"
    ),
    says="schedules with O(log L) rounds whose divergence is a small share of TC, or of DTC",
    note=(
        "The clean form is ours. Both sides are linear in what the profile falls, with slack of "
        f"no negative coefficient: up to {MOST_SITES} sites this is checked for every profile at "
        "once, at ratios of 1/6 to 3/2."
    ),
    source="Chen, Cong, Li, arXiv 2511.04647 (restated); this form derived here",
    provenance=Provenance.RESTATED,
    verdict=Verdict.HOLDS,
    checks=(
        Check(level=Level.SYMBOLIC, residual=_every_profile, planted={"schedules": SWAPPED}),
        Check(
            level=Level.EXACT,
            residual=_violation,
            distributions=lambda: st.one_of(
                strategies.joint_tables(lengths=(1, 4), vocabs=(2, 2), exact=True),
                equal_bits_and_parity(),
            ),
            parts=_ratio,
            planted={"schedules": SWAPPED},
            tightness=_closest,
        ),
        Check(
            level=Level.PROPERTY,
            residual=_violation,
            distributions=lambda: st.one_of(
                strategies.distributions(lengths=(1, 5)), equal_bits_and_parity(exact=False)
            ),
            parts=_ratio,
            planted={"schedules": SWAPPED},
            tolerance=1e-10,
            tightness=_closest,
        ),
        Check(
            level=Level.NUMERIC,
            residual=_every_ratio,
            named=named_distributions,
            planted={"schedules": SWAPPED},
            tolerance=1e-10,
            tightness=_closest_ratio,
        ),
    ),
)
