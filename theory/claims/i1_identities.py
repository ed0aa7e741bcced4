"""I1: total correlations and the curvature of the profile, in entropies of random subsets."""

import itertools
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np

from theory import gallery, information, strategies
from theory._core.arrays import log, to_host
from theory._core.bernstein import Bernstein
from theory._core.types import Number
from theory.claims.kit.claim import Claim, Provenance, Verdict
from theory.claims.kit.every_length import StepSlack, equal, steps
from theory.claims.kit.generators import named_distributions
from theory.claims.kit.result import DoesNotApply
from theory.distributions import Distribution
from theory.proofs.free_entropies import FreeEntropies

__all__ = ["I1", "MAX_SITES"]

MAX_SITES = 6
"""Lengths up to which identities are checked with free entropies."""

I1 = Claim(
    id="I1",
    title="Entropies of random subsets add up to the total correlations",
    statement=(
        "With gains h_j = L (f(0) - f(j)) and the gain curve h(t): TC is the mean of the gains "
        "and the integral of (1-t) h'; DTC is the mean of j (h_j - h_{j-1}) and the integral of "
        "t h'; together they are h(1), the sum of the information between each site and all "
        "others. The profile falls from j to j+1 by the mean of I(X_i; X_k | X_B) over "
        "sets B of j sites. So TC is at least 2/L of the sum of the informations between two "
        "sites, but not at most that sum: of three bits one of which is 1 it is log(4/3) more, and "
        "of bits of even parity log 2, where pairs tell nothing."
    ),
    latex=(
        r"\mathrm{TC} = \frac1L \sum_j h_j = \int (1-t)\, h',\quad \mathrm{DTC} = \frac1L "
        r"\sum_j j (h_j - h_{j-1}) = \int t\, h',\quad f(j) - f(j+1) = \mathbb E\, "
        r"I(X_i; X_k \mid X_B)"
    ),
    says="the identities on which costs of random orders rest; TC + DTC as a sum of informations",
    note="All of it is linear in the entropies of sets of sites.",
    source="Wainwright, arXiv 2608.13520; textbook",
    provenance=Provenance.MEMORY,
    verdict=Verdict.HOLDS,
)


@I1.proved(
    "total correlations in sums and integrals of the gains",
    scope="every length",
    first=1,  # one site too late
)
def totals_at_every_length(first: int = 0) -> list[StepSlack]:
    """On the step r, where a set of k sites has the entropy ``min(k, r)``; ``h_j = L 1{j >= r}``.

    There ``h'`` is L times the density of Beta(r, L-r), of which the mean is r/L.
    """
    import sympy

    (r, n), region = steps()
    j = sympy.Symbol("j", integer=True)
    mean_gain = sympy.summation(1, (j, r + first, n - 1))
    # TC = L e_1 - e_L and DTC = L e_{L-1} - (L-1) e_L, with e_k = min(k, r)
    tc, dtc, rise = n - r, n * r - (n - 1) * r, (r + first) * n / n
    return [
        equal("TC = mean of the gains", tc, mean_gain, region),
        equal("TC = int (1-t) h'", tc, n * (1 - r / n), region),
        equal("DTC = mean of j (h_j - h_{j-1})", dtc, rise, region),
        equal("DTC = int t h'", dtc, n * (r / n), region),
        equal("TC + DTC = h(1)", tc + dtc, n, region),
        equal("sum of f = H", sympy.summation(1, (j, 0, r - 1)), r, region),
    ]


def _entropy(p: Distribution, *sites: int) -> Number:
    return p.subset_entropy(tuple(sorted(sites)))


@I1.residual(
    "total correlations in sums and integrals of the gains",
    symbols=lambda: [{"p": FreeEntropies(d)} for d in range(1, MAX_SITES + 1)],
    scope=f"up to {MAX_SITES} sites",
    exact=strategies.joint_tables(lengths=(1, 3), exact=True),
    floats=strategies.distributions(lengths=(1, 4)),
    named=named_distributions,
    tolerance=1e-11,
    gains=lambda p: information.gains(p)[[0, *range(p.length - 1)]],  # one site too late
)
def totals(p: Distribution, gains: Callable = information.gains) -> list[Number]:
    h, length = gains(p), p.length
    whole = _entropy(p, *range(length))
    others = [[j for j in range(length) if j != i] for i in range(length)]
    tc = sum(_entropy(p, i) for i in range(length)) - whole
    dtc = sum(_entropy(p, *rest) for rest in others) - (length - 1) * whole
    mutual = sum(_entropy(p, i) + _entropy(p, *rest) - whole for i, rest in enumerate(others))
    slope = Bernstein(h).derivative()
    return [
        length * tc - sum(h),
        tc - slope.times_one_minus_t().antiderivative()(1),
        length * dtc - sum(j * (h[j] - h[j - 1]) for j in range(1, length)),
        dtc - slope.times_t().antiderivative()(1),
        mutual - h[-1],
        tc + dtc - mutual,
        sum(information.profile(p)) - whole,
        tc - information.total_correlation(p),
        dtc - information.dual_total_correlation(p),
    ]


@I1.residual(
    "how the profile falls",
    symbols=lambda: [{"p": FreeEntropies(d)} for d in range(2, MAX_SITES + 1)],
    scope=f"up to {MAX_SITES} sites",
    floats=strategies.distributions(lengths=(2, 4)),
    late=1,
)
def curvature(p: Distribution, late: int = 0) -> list[Number]:
    """``f(j) - f(j+1)`` against the mean of ``I(X_i; X_k | X_B)`` over ``|B| = j``."""
    f, length, residuals = information.profile(p), p.length, []
    for j in range(length - 1):
        total: Any = 0
        for i, k in itertools.permutations(range(length), 2):
            rest = [s for s in range(length) if s not in (i, k)]
            for known in itertools.combinations(rest, j):
                total = total + _entropy(p, i, *known) + _entropy(p, k, *known)
                total = total - _entropy(p, *known) - _entropy(p, i, k, *known)
        count = length * (length - 1) * math.comb(length - 2, j)
        residuals.append((f[j] - f[j + 1]) * (count + late) - total)
    return residuals


def _between_pairs(p: Distribution) -> Any:
    """The sum of ``I(X_i; X_k)`` over all pairs."""
    return sum(
        _entropy(p, i) + _entropy(p, k) - _entropy(p, i, k)
        for i, k in itertools.combinations(range(p.length), 2)
    )


@I1.residual(
    "total correlation above 2/L of the informations of pairs, in falls of the profile",
    symbols=lambda: [{"p": FreeEntropies(d)} for d in range(2, MAX_SITES + 1)],
    scope=f"up to {MAX_SITES} sites",
    exact=strategies.joint_tables(lengths=(2, 3), exact=True),
    share=1,
)
def above_pairs(p: Distribution, share: int = 2) -> Number:
    """The falls after the first one, none of which is negative."""
    if p.length < 2:
        raise DoesNotApply("it is about two sites or more")
    f, length = information.profile(p), p.length
    falls = sum((length - 1 - j) * (f[j] - f[j + 1]) for j in range(1, length - 1))
    tc = information.total_correlation(p)
    return tc * length - share * _between_pairs(p) - falls * length


ABOVE_ALL_PAIRS = (
    (gallery.one_hot(3, exact=True), Fraction(4, 3)),
    (gallery.parity(3, exact=True), Fraction(2)),
)
"""Three strings, the fewest, and parity; and of what number TC exceeds the pairs by the log."""


@I1.residual(
    "two kinds of three bits with a total correlation above the informations of all pairs",
    exact=st.sampled_from([p for p, _ in ABOVE_ALL_PAIRS]),
    pairs=lambda p: 2 * _between_pairs(p),
)
def pairs_are_no_bound(p: Distribution, pairs: Callable = _between_pairs) -> Number:
    for data, number in ABOVE_ALL_PAIRS:
        if p.exact and p.vocab == 2 and np.array_equal(to_host(p.table()), data.table()):
            gap = log(np.asarray([number], dtype=object))[0]
            return information.total_correlation(p) - pairs(p) - gap
    raise DoesNotApply("it is about three bits one of which is 1, or of even parity, in fractions")
