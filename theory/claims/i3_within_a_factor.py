"""I3: total and dual total correlation are within a factor L - 1 of each other."""

import itertools
from typing import Any

from theory import information, strategies
from theory._core.bound import Bound
from theory._core.types import Number
from theory.claims.kit.claim import Claim, Provenance, Verdict
from theory.claims.kit.generators import equal_bits_and_parity, named_distributions
from theory.claims.kit.result import DoesNotApply
from theory.distributions import Distribution
from theory.proofs.decide import prove

__all__ = ["I3"]

MAX_SITES = 7
"""Lengths up to which the bounds are proved from Shannon's inequalities."""

I3 = Claim(
    id="I3",
    title="TC and DTC are within a factor L - 1 of each other",
    statement=(
        "TC is at most (L-1) DTC, with equality for equal bits, and DTC is at most (L-1) TC, with "
        "equality for bits of even parity: so no smaller factor will do."
    ),
    latex=(r"\mathrm{TC} \le (L-1)\, \mathrm{DTC},\qquad \mathrm{DTC} \le (L-1)\, \mathrm{TC}"),
    says="both inequalities",
    note=(
        "On the step r of the profile (I2) the slacks are L (r - 1) and L (L - 1 - r). Up to "
        f"{MAX_SITES} sites sums of conditional informations prove them, found by a linear program "
        "and added up again in fractions."
    ),
    source="Austin, on multi-variate correlation, 2018 (from memory); proofs by machine here",
    provenance=Provenance.MEMORY,
    verdict=Verdict.HOLDS,
)


def _statements(factor: str) -> list[str]:
    return [f"TC <= {factor} DTC", f"DTC <= {factor} TC"]


@I3.proved("both bounds", scope="every length", factor="(n-1-1/100)")
def at_every_length(factor: str = "(n-1)") -> list[Any]:
    return [prove(statement, profile=True) for statement in _statements(factor)]


@I3.proved(
    "both bounds by informations between two sites",
    scope=f"up to {MAX_SITES} sites",
    factor="(n-1-1/100)",
)
def by_informations(factor: str = "(n-1)") -> list[Any]:
    lengths = range(2, MAX_SITES + 1)
    return [prove(statement, sites=n) for n in lengths for statement in _statements(factor)]


def _correlations(p: Distribution) -> tuple[Number, Number]:
    return information.total_correlation(p), information.dual_total_correlation(p)


@I3.residual(
    "both bounds",
    exact=strategies.joint_tables(lengths=(1, 4), vocabs=(2, 3), exact=True),
    floats=strategies.distributions(lengths=(1, 5)),
    named=named_distributions,
    factor=2,
)
def both_bounds(p: Distribution, factor: int = 1) -> list[Bound]:
    tc, dtc = _correlations(p)
    most = max(p.length - factor, 0)
    return [Bound(tc, most * dtc), Bound(dtc, most * tc)]


@I3.residual("attained by equal bits and by parity", exact=equal_bits_and_parity(), less=1)
def attained(p: Distribution, less: int = 0) -> list[Any]:
    f = information.profile(p)
    falls = [r for r, (a, b) in enumerate(itertools.pairwise(f), 1) if a != b]
    tc, dtc = _correlations(p)
    equal = {1: (tc, dtc), p.length - 1: (dtc, tc)}
    found = [equal[r] for r in falls if len(falls) == 1 and r in equal]
    if not found:
        raise DoesNotApply("attained where the profile falls once, first or last")
    return [greater - (p.length - 1 - less) * other for greater, other in found]
