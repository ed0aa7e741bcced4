"""B6: the largest batch and TC + DTC bound the divergence of any schedule in random order."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from theory import bounds, information, schedules, strategies
from theory._core.bound import Bound
from theory._core.types import Number
from theory.claims.kit.claim import Claim, Provenance, Verdict
from theory.claims.kit.every_length import StepSlack, batches, never_negative
from theory.claims.kit.generators import equal_bits_and_parity
from theory.claims.kit.inequality import bound_closeness
from theory.claims.kit.result import DoesNotApply
from theory.distributions import Distribution
from theory.proofs.free_entropies import profiles_and_schedules

__all__ = ["B6"]

MAX_SITES = 7
"""Lengths up to which the bounds are checked for every profile and every schedule."""

Chain = Sequence[Callable[..., Bound]]

CHAIN: Chain = (bounds.drops, bounds.largest_batch, bounds.li_cai)
"""Bounds of the path cost, each at most the next."""


def _too_small(p: Distribution, sizes: Sequence[int]) -> Bound:
    """Planted: one site fewer in the largest batch."""
    bound = bounds.largest_batch(p, sizes)
    most = max(sizes)
    return Bound(bound.quantity, bound.bound * max(most - 2, 0) / max(most - 1, 1))


PLANTED: Chain = (bounds.drops, _too_small, bounds.li_cai)


B6 = Claim(
    id="B6",
    title="The largest batch and TC + DTC bound the cost of any schedule",
    statement=(
        "With s the largest batch, random-order decoding costs at most (s-1)/L (TC + DTC), hence "
        "at most (2^ceil(log2 s) - 1)/L (TC + DTC). Batch by batch it costs at most (s_k - 1) "
        "times what the profile falls within the batch, and at least that fall. A repeated bit "
        "attains the bound if the largest batch comes first, parity if it holds two sites and "
        "comes last."
    ),
    latex=(
        r"\mathrm{KL} \le \sum_k (s_k - 1)\bigl(f(a_k) - f(a_k + s_k - 1)\bigr) \le "
        r"\frac{s_{\max} - 1}{L} (\mathrm{TC} + \mathrm{DTC}) \le "
        r"\frac{2^{\lceil \log_2 s_{\max} \rceil} - 1}{L} (\mathrm{TC} + \mathrm{DTC})"
    ),
    says="the last bound; its constant is from memory",
    note=(
        "The first two bounds, and the lower one, are ours. All slacks are linear in the profile, "
        "so that codes decide (I2). What the library computes is proved for every profile and "
        f"every schedule of up to {MAX_SITES} sites. Parity attains the bound only with batches of "
        "at most two sites."
    ),
    source="Li, Cai, arXiv 2505.21400 (the constant from memory); sharpened here",
    provenance=Provenance.MEMORY,
    verdict=Verdict.HOLDS,
)


@B6.proved("the chain of bounds, batch by batch", scope="every length", largest=1)
def at_every_length(largest: int = 0) -> list[StepSlack]:
    """On the step r within a batch of at most s sites, and with s at most P, a power of two."""
    import sympy

    (a, r, b, _), region = batches()
    s, power = sympy.symbols("s P", integer=True)
    within, rounded = [*region, b - a <= s], [*region, b - a <= s, s <= power]
    return [
        never_negative("fall within the batch <= KL", (b - r) - 1, region),
        never_negative("KL <= (b-a-1) fall within the batch", (b - a - 1) - (b - r), region),
        never_negative("KL <= (s-1)/L (TC + DTC)", (s - largest - 1) - (b - r), within),
        never_negative("(s-1)/L (TC + DTC) <= (P-1)/L (TC + DTC)", (power - 1) - (s - 1), rounded),
    ]


@B6.residual(
    "the chain of bounds",
    exact=strategies.joint_tables(lengths=(1, 4), vocabs=(2, 2), exact=True),
    floats=strategies.distributions(lengths=(1, 5)),
    parts={"sizes": lambda size: strategies.schedules(size.length)},
    # the share of the sharpened bound that is paid; some other steps are always equalities
    tightness=lambda p, sizes: bound_closeness(bounds.largest_batch(p, sizes)),
    chain=PLANTED,
)
@B6.residual(
    "the chain of bounds for every profile and every schedule",
    symbols=lambda: profiles_and_schedules(MAX_SITES),
    scope=f"up to {MAX_SITES} sites",
    chain=PLANTED,
)
def chain_of_bounds(p: Distribution, sizes: Sequence[int], chain: Chain = CHAIN) -> list[Bound]:
    lower = bounds.least_drops(p, sizes)
    values = [lower.bound, lower.quantity, *(bound(p, sizes).bound for bound in chain)]
    return [Bound(least, most) for least, most in itertools.pairwise(values)]


def _attaining(p: Distribution) -> list[tuple[int, ...]]:
    """Schedules that attain the bound, where the profile falls only once, first or last."""
    f = information.profile(p)
    falls = [j for j in range(p.length - 1) if f[j] != f[j + 1]]
    every = list(schedules.every(p.length)) if p.length <= MAX_SITES else []
    if falls == [0]:
        return [sizes for sizes in every if sizes[0] == max(sizes)]
    if falls == [p.length - 2]:
        return [sizes for sizes in every if sizes[-1] == max(sizes) == 2]
    return []


@B6.residual(
    "attained where the profile falls once",
    exact=equal_bits_and_parity(),
    chosen=lambda p: list(schedules.every(p.length)),  # as if every schedule attained it
)
def attained(p: Distribution, chosen: Any = _attaining) -> list[Number]:
    slacks = [bounds.largest_batch(p, sizes).slack for sizes in chosen(p)]
    if not slacks:
        raise DoesNotApply("attained where the profile falls once, first or last")
    return slacks
