"""B7: the growth complexity, and the divergences of schedules that it bounds."""

import itertools
import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st

from theory import bounds, gallery, information, schedules, strategies
from theory._core.bound import Bound
from theory._core.types import Number
from theory.claims.i1_identities import MAX_SITES
from theory.claims.kit.claim import Claim, Provenance, Verdict
from theory.claims.kit.every_length import (
    StepSlack,
    batches,
    equal,
    never_negative,
    shares,
    steps,
)
from theory.claims.kit.generators import equal_bits_and_parity, inner_levels, named_distributions
from theory.claims.kit.inequality import bound_closeness, excess
from theory.distributions import Distribution
from theory.proofs.free_entropies import FreeEntropies, FreeProfile, profiles_and_schedules

__all__ = ["B7"]

Complexity = Callable[[Distribution], Number]
Loss = Callable[..., Bound]

TABLES = st.one_of(
    strategies.joint_tables(lengths=(1, 4), vocabs=(2, 2), exact=True), equal_bits_and_parity()
)
FLOATS = st.one_of(
    strategies.distributions(lengths=(1, 5)), equal_bits_and_parity(lengths=(4, 5), exact=False)
)
SMALL = strategies.distributions(lengths=(2, 4))

B7 = Claim(
    id="B7",
    title="The growth complexity bounds what grids that are geometric in the odds lose",
    statement=(
        "G(a, b) = int t(1-t) h' between revealed shares a and b. G(0, 1) is 2/(L+1) times the TSE "
        "complexity, and at most TC and DTC. A step from a to b with odds psi loses at most "
        "(psi(b)/psi(a) - 1) G(a, b), and even (b-a)/(a(1-a)) G(a, b); batches of fixed size obey "
        "the same with G over numbers of sites, which is (L+1)/L times G in all. The K-block "
        "complexity (sum_k sqrt(S_k G_k))^2 never grows with more blocks, and its infimum is "
        "(int sqrt(h'))^2."
    ),
    latex=(
        r"\mathrm{KL} \le \sum_j \Bigl(\frac{\psi(t_{j+1})}{\psi(t_j)} - 1\Bigr) G(t_j, t_{j+1}) + "
        r"\text{ends},\quad G(0,1) = \frac{2}{L+1} \mathrm{TSE} \le \min(\mathrm{TC}, "
        r"\mathrm{DTC}),\quad \inf_{\text{blocks}} \Bigl(\sum_k \sqrt{S_k G_k}\Bigr)^2 = "
        r"\Bigl(\int \sqrt{h'}\Bigr)^2"
    ),
    says=(
        "Theorem 1 with end terms (not seen), G against TSE and against TC and DTC, the K-block "
        "bound and its infimum; for a repeated bit with noise 0.01 at 128 sites a ratio of 4.51"
    ),
    note=(
        "Ours: the sharper constant of a step, the version for batches of fixed size without end "
        "terms, and what the ratio 4.51 is: one block over the infimum, between 1/L and 1 - 1/L. "
        "The first and last steps of a grid enter Theorem 1 with what they lose exactly. The "
        "effective total correlation (from memory) lies between G and e/(e-1) G. What is linear in "
        "the profile is decided by codes (I2), what is linear in h' by the factor in front of it "
        "at each share. What the library computes is proved for every profile of up to "
        f"{MAX_SITES} sites, on all schedules and on grids of sixths. The K-block complexity and "
        "the effective total correlation are not linear, and are searched."
    ),
    source="Wainwright, arXiv 2608.13520 (read)",
    provenance=Provenance.SOURCE,
    verdict=Verdict.HOLDS,
)


# ---- the complexity itself ----------------------------------------------------------------------


def _on_step(r: Any, n: Any) -> Any:
    """``G`` of the step r: ``h'`` is L times the density of Beta(r, L-r), and t(1-t) has a mean."""
    return r * (n - r) / (n + 1)


@B7.proved(
    "G against the TSE complexity, TC and DTC",
    scope="every length",
    growth=lambda r, n: r * (n - r),
)
def totals_at_every_length(growth: Callable[[Any, Any], Any] = _on_step) -> list[StepSlack]:
    """On the step r, where a set of k sites has the entropy ``min(k, r)``."""
    import sympy

    (r, n), region = steps()
    k = sympy.Symbol("k", integer=True)
    tse = sympy.summation(k, (k, 0, r)) + r * (n - r) - r * sympy.summation(k, (k, 0, n)) / n
    g = growth(r, n)
    return [
        equal("(L+1) G = 2 TSE", (n + 1) * g, 2 * tse, region),
        equal("(L+1) G = L G over numbers of sites", (n + 1) * g, r * (n - r), region),
        never_negative("G <= TC", (n - r) - g, region),
        never_negative("G <= DTC", r - g, region),
    ]


@B7.residual(
    "G against the TSE complexity",
    symbols=lambda: [{"p": FreeEntropies(d)} for d in range(1, MAX_SITES + 1)],
    scope=f"up to {MAX_SITES} sites",
    exact=TABLES,
    # weight t instead of t (1 - t)
    growth=lambda p: information.gain_curve(p)(1) - information.gain_curve(p).integral(0, 1),
)
def identities(p: Distribution, growth: Complexity = information.growth_complexity) -> list[Number]:
    """``G`` against the TSE complexity, and against its version over numbers of sites."""
    return [
        growth(p) * (p.length + 1) - 2 * information.tse_complexity(p),
        growth(p) * (p.length + 1) - p.length * information.cardinality_growth_complexity(p),
    ]


@B7.residual(
    "G is at most TC and DTC",
    exact=TABLES,
    floats=FLOATS,
    growth=lambda p: 2 * information.growth_complexity(p),
)
def at_most_tc_and_dtc(
    p: Distribution, growth: Complexity = information.growth_complexity
) -> list[Bound]:
    tc, dtc = information.total_correlation(p), information.dual_total_correlation(p)
    return [Bound(growth(p), tc), Bound(growth(p), dtc)]


@B7.residual(
    "G is at most TC and DTC for every profile",
    symbols=lambda: [{"p": FreeProfile(n)} for n in range(2, MAX_SITES + 1)],
    scope=f"up to {MAX_SITES} sites",
    growth=lambda p: 2 * information.growth_complexity(p),
)
def at_most_integrals(
    p: Distribution, growth: Complexity = information.growth_complexity
) -> list[Bound]:
    """The same, with TC and DTC as integrals over the gain curve (I1)."""
    tc = information.gain_curve(p).integral(0, 1)
    return [Bound(growth(p), tc), Bound(growth(p), information.gains(p)[-1] - tc)]


@B7.residual(
    "the effective total correlation lies between G and e/(e-1) G, and below DTC",
    named=named_distributions,
    factor=1.0,
)
def effective(p: Distribution, factor: float = math.e / (math.e - 1)) -> list[float]:
    grow = float(information.growth_complexity(p))
    value = information.effective_total_correlation(p)
    dtc = float(information.dual_total_correlation(p))
    return [excess(grow, value), excess(value, factor * grow), excess(value, dtc)]


# ---- losses --------------------------------------------------------------------------------------


@B7.proved("bounds of what grids and batches lose", scope="every length", share=2)
def losses_at_every_length(share: int = 1) -> list[StepSlack]:
    """Of a step from s/N to t/N the factor in front of ``h'`` at u/N, and a batch on the step r."""
    (s, u, t, whole), within = shares()
    lost, grown = share * (t - u), u * (whole - u)
    (a, r, b, n), region = batches()
    constant = (b - a - 1) * n / ((a + 1) * (n - a - 1))
    return [
        never_negative(
            "s (1-t) KL <= (t-s) G(s, t)", (t - s) * grown - s * (whole - t) * lost, within
        ),
        never_negative(
            "s (1-s) KL <= (t-s) G(s, t)", (t - s) * grown - s * (whole - s) * lost, within
        ),
        never_negative(
            "KL <= (b-a-1) L/((a+1)(L-a-1)) G over a < j <= b",
            constant * r * (n - r) / n - share * (b - r),
            region,
        ),
    ]


def _half(bound: Loss) -> Loss:
    """Planted: half of the bound."""
    return lambda p, x: Bound(bound(p, x).quantity, bound(p, x).bound * Fraction(1, 2))


ON_GRIDS = (bounds.growth, bounds.sharp_growth)
ON_SIZES = (bounds.cardinality_growth,)


def _closest(p: Distribution, inner: Sequence[Number]) -> float:
    """Of the sharp bound; in the other one both end steps enter with what they lose."""
    if not inner:
        return math.nan  # as a single step does in either
    return bound_closeness(bounds.sharp_growth(p, [0, *sorted(inner), 1]))


@B7.residual(
    "bounds of what a grid loses",
    exact=TABLES,
    floats=FLOATS,
    parts={"inner": lambda size: inner_levels(size, 3)},
    tightness=_closest,
    losses=[_half(loss) for loss in ON_GRIDS],
)
@B7.residual(
    "bounds of what a grid loses for every profile",
    symbols=lambda: [
        {"p": FreeProfile(length), "inner": inner}
        for length in range(2, MAX_SITES + 1)
        for inner in itertools.combinations([Fraction(k, 6) for k in range(1, 6)], 2)
    ],
    scope=f"up to {MAX_SITES} sites",
    losses=[_half(loss) for loss in ON_GRIDS],
)
def on_grids(
    p: Distribution, inner: Sequence[Number], losses: Sequence[Loss] = ON_GRIDS
) -> list[Bound]:
    return [loss(p, [0, *sorted(inner), 1]) for loss in losses]


@B7.residual(
    "bound of what batches of fixed size lose",
    exact=TABLES,
    parts={"sizes": lambda size: strategies.schedules(size.length)},
    losses=[_half(loss) for loss in ON_SIZES],
)
@B7.residual(
    "bound of what batches of fixed size lose for every profile and every schedule",
    symbols=lambda: profiles_and_schedules(MAX_SITES),
    scope=f"up to {MAX_SITES} sites",
    losses=[_half(loss) for loss in ON_SIZES],
)
def on_sizes(
    p: Distribution, sizes: Sequence[int], losses: Sequence[Loss] = ON_SIZES
) -> list[Bound]:
    return [loss(p, sizes) for loss in losses]


# ---- blocks --------------------------------------------------------------------------------------


@B7.residual(
    "more levels never raise the K-block complexity",
    floats=SMALL,
    parts={"inner": st.lists(st.integers(1, 9).map(lambda k: k / 10), max_size=3, unique=True)},
    tolerance=1e-9,
    refined=2.0,
)
def blocks(p: Distribution, inner: Sequence[float], refined: float = 1.0) -> list[float]:
    """Nor do they bring it below the continuum's."""
    levels = [0.05, *sorted(0.05 + 0.9 * t for t in inner), 0.95]
    fine = information.block_complexity(p, levels)
    coarse = information.block_complexity(p, [levels[0], levels[-1]])
    least = information.continuum_complexity(p, levels[0], levels[-1])
    return [excess(fine * refined, coarse), excess(least, fine)]


@B7.residual(
    "Theorem 1 along the grid of geometric blocks",
    floats=SMALL,
    parts={"steps": st.integers(4, 20)},
    tolerance=1e-9,
    share=0.5,
)
def block_grid(p: Distribution, steps: int, share: float = 1.0) -> float:
    levels = [0.1, 0.5, 0.9]
    bound = bounds.growth(p, schedules.block_grid(p, levels, steps))
    return excess(bound.quantity, share * bound.bound)


@B7.residual(
    "the published ratio",
    named=lambda: {"repeated_bit(128, noise=0.01)": gallery.repeated_bit(128, noise=0.01)},
    tolerance=1e-9,
    digits=4.52,
)
def published(p: Distribution, digits: float = 4.51) -> float:
    """One block over the continuum, between 1/L and 1 - 1/L, for a noisy repeated bit."""
    ends = (1 / p.length, 1 - 1 / p.length)
    one_block = information.block_complexity(p, ends)
    return round(one_block / information.continuum_complexity(p, *ends), 2) - digits
