"""B5: with large batches first the divergence is a share of TC, with large ones last of DTC."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st

from theory import bounds, strategies
from theory._core.bound import Bound
from theory._core.types import Number
from theory.claims.kit.claim import Claim, Provenance, Verdict
from theory.claims.kit.every_length import StepSlack, batches, never_negative
from theory.claims.kit.generators import (
    equal_bits_and_parity,
    in_arithmetic_of,
    named_distributions,
)
from theory.distributions import Distribution
from theory.proofs.free_entropies import FreeProfile

__all__ = ["B5"]

MAX_LENGTH = 9
"""Lengths up to which the bounds are checked for every profile."""

Schedule = Callable[[Distribution, Any], Bound]

RIGHT = (bounds.total_correlation_schedule, bounds.dual_total_correlation_schedule)

SIXTHS = st.integers(0, 12).map(lambda k: Fraction(k, 6))


def _mixed(batches: Schedule, bound: Schedule) -> Schedule:
    """Planted: the batches of one with the bound of the other."""
    return lambda p, ratio: Bound(batches(p, ratio).quantity, bound(p, ratio).bound)


SWAPPED = (_mixed(*RIGHT), _mixed(*reversed(RIGHT)))

B5 = Claim(
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
        "The clean form is ours. Both sides are linear in the profile, so that codes decide (I2): "
        "the slack on them is a formula in the length, the code and the batch. What the library "
        f"computes is proved for every profile of up to {MAX_LENGTH} sites, at ratios of 1/6 to "
        "3/2."
    ),
    source="Chen, Cong, Li, arXiv 2511.04647 (restated); this form derived here",
    provenance=Provenance.RESTATED,
    verdict=Verdict.HOLDS,
)


def _largest_shares(a: Any, b: Any, n: Any) -> tuple[Any, Any]:
    """The least r of a batch from a to b, in the bound by r TC and in that by r DTC."""
    return (b - a - 1) / (n - a - 1), (b - a - 1) / (a + 1)


@B5.proved(
    "both bounds at any rational ratio",
    scope="every length",
    ratios=lambda a, b, n: tuple(reversed(_largest_shares(a, b, n))),
)
def at_every_length(ratios: Callable[..., tuple[Any, Any]] = _largest_shares) -> list[StepSlack]:
    """On the step r within a batch, with any ratio that is greater by k/m."""
    import sympy

    (a, r, b, n), region = batches()
    more = sympy.Symbol("k", integer=True, nonnegative=True)
    more = more / sympy.Symbol("m", integer=True, positive=True)
    of_tc, of_dtc = ratios(a, b, n)
    return [
        never_negative("KL <= (ratio + k/m) TC", (of_tc + more) * (n - r) - (b - r), region),
        never_negative("KL <= (ratio + k/m) DTC", (of_dtc + more) * r - (b - r), region),
    ]


@B5.residual(
    "both bounds",
    exact=st.one_of(
        strategies.joint_tables(lengths=(1, 4), vocabs=(2, 2), exact=True),
        equal_bits_and_parity(),
    ),
    floats=st.one_of(strategies.distributions(lengths=(1, 5)), equal_bits_and_parity(exact=False)),
    parts={"ratio": lambda size: in_arithmetic_of(size, SIXTHS)},
    named=named_distributions,
    at=[{"ratio": ratio} for ratio in (0.0, 0.25, 0.5, 1.0, 2.0)],
    schedules=SWAPPED,
)
@B5.residual(
    "both bounds for every profile",
    symbols=lambda: [
        {"p": FreeProfile(length), "ratio": Fraction(k, 6)}
        for length in range(2, MAX_LENGTH + 1)
        for k in range(1, 10)
    ],
    scope=f"up to {MAX_LENGTH} sites",
    schedules=SWAPPED,
)
def both_bounds(
    p: Distribution, ratio: Number, schedules: Sequence[Schedule] = RIGHT
) -> list[Bound]:
    return [schedule(p, ratio) for schedule in schedules]
