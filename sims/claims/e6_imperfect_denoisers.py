"""E6: beyond zero loss, what a decoder loses has a learning and a factorisation part."""

import itertools
import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np

from sims import policies
from sims.claims.kit.families import is_table
from sims.claims.kit.policies import selecting_policies
from sims.claims.kit.random_rules import in_order
from sims.decoding.exact import output_distribution
from sims.decoding.path_kl import estimate_path_kl
from sims.imperfect.decomposition import excess_loss, split
from sims.imperfect.perturbed import Perturbed
from sims.order.order_costs import AnyOrder
from sims.policies import Policy
from theory import MASK, gallery, information, schedules, strategies
from theory._core.arrays import log, to_host, xlogx, xlogy
from theory._core.bound import Bound
from theory.claims import Claim, DoesNotApply, Provenance, Verdict
from theory.claims.kit.generators import (
    Size,
    challengers,
    inner_levels,
    named_distributions,
    symbolic_table,
)
from theory.claims.kit.inequality import excess
from theory.claims.kit.mutants import smoothed
from theory.distributions import Distribution, JointTable
from theory.loss.forward import Denoiser, continuous_nelbo, nelbo

__all__ = ["E6"]

RoundParts = Sequence[tuple[Any, Any]]
Parts = Callable[[Distribution, Policy, Denoiser], RoundParts]
"""Learning and factorisation of every round."""

E6 = Claim(
    id="E6",
    title="Beyond zero loss, divergence is a learning and a factorisation part",
    statement=(
        "For every denoiser and every policy that selects before it draws, path KL is a learning "
        "part, the expected divergences of the true conditional marginals of the revealed sites "
        "from what they are drawn from, and a factorisation part, the expected total "
        "correlations, both at the contexts that the policy visits with this denoiser. If it "
        "does not look at predictions, the second is what it loses with the perfect model. For "
        "ancestral steps path KL is the training loss on their grid minus the entropy, and the "
        "learning part is that loss above the least one. One site at a time there is only the "
        "learning part; it depends on the order by the mean circulation, swap by swap, and its "
        "mean over all orders is the loss in continuous time above the entropy. So that loss does "
        "not bound what an order chosen by confidence loses; nor is the loss of block diffusion, a "
        "mean over orders within blocks, always smaller in smaller blocks. Of 00 twice, 01 and 11, "
        "with all predictions squared and normalised, the confident order and blocks of one lose "
        "twice what the loss is above the entropy, log(5^7 / 6^6) / 8 = 0.064 nats, and the "
        "opposite order nothing."
    ),
    latex=(
        r"\mathbb E\, \mathrm{KL}(p \,\|\, q_M) = \mathbb E \sum_t \Bigl[\mathrm{TC}(X_{S_t} \mid "
        r"x_{C_t}) + \sum_{i \in S_t} \mathrm{KL}(\mu_i \,\|\, \hat\mu_i)\Bigr]"
    ),
    says="circulation (restated): how far a model is from being consistent; the rest is derived",
    note=(
        "For policies that look at predictions the factorisation part is not that of the perfect "
        "model: a wrong score may lead to worse sets of sites, or to better ones."
    ),
    source="derived here (chain rule); circulation: arXiv 2605.09303 (restated)",
    provenance=Provenance.OURS,
    verdict=Verdict.HOLDS,
)

TABLES = strategies.joint_tables(lengths=(1, 3), exact=True)
BITS = strategies.joint_tables(lengths=(1, 3), vocabs=(2, 2), exact=True)

# Every `challenger` is a table whose smoothed predictions are the denoiser.


# ---- the two parts of every round ------------------------------------------------------------


def _own_way(p: Distribution, policy: Policy, model: Denoiser) -> RoundParts:
    return split(p, policy, denoiser=model).by_round


def _perfect_way(p: Distribution, policy: Policy, model: Denoiser) -> RoundParts:
    """Planted: the factorisation part of the perfect model, which may go another way."""
    mine, theirs = split(p, policy, denoiser=model).by_round, split(p, policy).by_round
    pairs = itertools.zip_longest(mine, theirs, fillvalue=(0, 0))
    return [(learning, factor) for (learning, _), (_, factor) in pairs]


def _nothing_to_learn(p: Distribution, policy: Policy, model: Denoiser) -> RoundParts:
    """Planted: the picture of the perfect model."""
    return [(0, factor) for _, factor in split(p, policy, denoiser=model).by_round]


def _costs_minus_parts(p: Distribution, policy: Policy, model: Denoiser, parts: Parts) -> list[Any]:
    """The path KL that the decoder is followed for, against the two parts, round by round."""
    costs = output_distribution(p, policy, denoiser=model).round_costs
    sums = [learning + factorisation for learning, factorisation in parts(p, policy, model)]
    return [a - b for a, b in itertools.zip_longest(costs, sums, fillvalue=0)]


BOTH = policies.LeftToRight(2)
ANY_POLICY = {"policy": selecting_policies, "challenger": challengers}


@E6.residual(
    "path KL as the sum of its two parts in every round",
    symbols=lambda: [{"p": symbolic_table(), "policy": BOTH, "challenger": symbolic_table()}],
    planted={"parts": _nothing_to_learn},
)
@E6.residual(
    "path KL as the sum of its two parts in every round",
    floats=strategies.distributions(lengths=(1, 4)),
    parts=ANY_POLICY,
    planted={"parts": _perfect_way},
)
@E6.residual(
    "path KL as the sum of its two parts in every round",
    exact=BITS,
    parts=ANY_POLICY,
    planted={"parts": _perfect_way, "policy": policies.TopK(2)},
)
def parts_add_up(
    p: Distribution, policy: Policy, challenger: JointTable, parts: Parts = _own_way
) -> list[Any]:
    return _costs_minus_parts(p, policy, smoothed(challenger), parts)


@E6.residual(
    "the same for four policies and a perturbed denoiser",
    named=lambda: named_distributions(words_of=2),
    tolerance=1e-9,
    planted={"parts": _nothing_to_learn},
)
def parts_add_up_on_named(p: Distribution, parts: Parts = _own_way) -> list[Any]:
    model = Perturbed(p, noise=0.7, temperature=0.8, smoothing=0.05, seed=3)
    halves = policies.RandomOrder(schedules.uniform(p.length, 2))
    chosen = (halves, policies.TopK(2), policies.Threshold(0.8), policies.Bisection())
    return [_costs_minus_parts(p, policy, model, parts) for policy in chosen]


SITES, FLIP, LEARNT = 64, 0.1, 0.2
"""A chain of bits that flip, and a model that has learnt another rate."""


@E6.residual(
    "both parts at 64 sites, by following data, against flips over several steps",
    named=lambda: {"chain of 64 bits": gallery.binary_symmetric(SITES, FLIP)},
    planted={"parts": ("factorisation", "learning")},
)
def parts_at_length(
    p: Distribution, width: int = 4, parts: tuple[str, str] = ("learning", "factorisation")
) -> list[Bound]:
    """Four bits at a time: those of a batch are 1, 2, 3, 4 steps from the last known one."""
    learnt, data = gallery.binary_symmetric(SITES, LEARNT), np.random.default_rng(6)
    found = estimate_path_kl(
        p, policies.LeftToRight(width), data, 1000, denoiser=learnt.denoise, progress=False
    )
    apart, batches = range(1, width + 1), p.length // width - 1
    flips, believed = ([(1 - (1 - 2 * f) ** n) / 2 for n in apart] for f in (FLIP, LEARNT))
    entropies = sum(float(-xlogx(np.asarray([f, 1 - f])).sum()) for f in flips)
    crossed = sum(
        float(-xlogy(np.asarray([f, 1 - f]), np.asarray([g, 1 - g])).sum())
        for f, g in zip(flips, believed, strict=True)
    )
    first = width * math.log(2)  # of the first batch nothing is known: no model errs there
    exact = {
        "learning": batches * (crossed - entropies),
        "factorisation": first + batches * entropies - float(information.entropy(p)),
    }
    estimates = [getattr(found, part) for part in parts]
    return [
        Bound(abs(mean - exact[part]), 4 * error + 1e-9)
        for part, (mean, error) in zip(exact, estimates, strict=True)
    ]


def _blind_policies(size: Size) -> Any:
    """Policies that do not look at predictions."""
    return st.sampled_from(
        [
            policies.RandomOrder(schedules.uniform(size.length, min(2, size.length))),
            policies.LeftToRight(2),
            policies.Bisection(),
            policies.Bernoulli((0, Fraction(1, 3), 1)),
            policies.FirstHitting(),
            policies.Blocks(2, policies.LeftToRight(2)),
        ]
    )


@E6.residual(
    "the factorisation part as the perfect model's for policies that do not look",
    exact=BITS,
    parts={"policy": _blind_policies, "challenger": challengers},
    policy=policies.TopK(2),
)
def same_way(p: Distribution, policy: Policy, challenger: JointTable) -> list[Any]:
    costs = output_distribution(p, policy).round_costs
    by_round = split(p, policy, denoiser=smoothed(challenger)).by_round
    return [cost - factor for cost, (_, factor) in zip(costs, by_round, strict=False)]


# ---- training losses -------------------------------------------------------------------------


@E6.residual(
    "path KL of ancestral steps as the training loss minus the entropy",
    exact=TABLES,
    parts={"inner": lambda size: inner_levels(size, 2), "challenger": challengers},
    loss=lambda p, levels, denoiser: continuous_nelbo(p, denoiser),  # of the finest grid
)
def ancestral(
    p: Distribution, inner: Sequence[Any], challenger: JointTable, loss: Callable[..., Any] = nelbo
) -> list[Any]:
    times, model = [0, *sorted(inner), 1], smoothed(challenger)
    policy = policies.Bernoulli(times)
    theirs, least = loss(p, times[::-1], model), nelbo(p, times[::-1])
    cost = output_distribution(p, policy, denoiser=model).path_kl
    learning = split(p, policy, denoiser=model).learning
    return [cost - (theirs - information.entropy(p)), learning - (theirs - least)]


@E6.residual(
    "path KL of one site at a time as the loss in continuous time above the entropy",
    exact=TABLES,
    parts={"challenger": challengers},
    share=2,
)
def one_at_a_time(p: Distribution, challenger: JointTable, share: int = 1) -> list[Any]:
    model = smoothed(challenger)
    cost = output_distribution(p, policies.FirstHitting(), denoiser=model).path_kl
    return [cost - share * excess_loss(p, model), cost - share * AnyOrder(p, model).mean]


# ---- what depends on the order ---------------------------------------------------------------


@E6.residual(
    "a swap in an order by the mean circulation around it",
    exact=TABLES,
    parts={"order": lambda size: st.permutations(range(size.length)), "challenger": challengers},
    size=abs,
)
def swap(
    p: Distribution,
    challenger: JointTable,
    order: Sequence[int],
    size: Callable[[Any], Any] = lambda circulation: circulation,
) -> list[Any]:
    if p.length < 2:
        raise DoesNotApply("it swaps two sites")
    model, table = smoothed(challenger), to_host(p.table())
    sequences, masses = np.argwhere(table != 0), table[table != 0]

    def cost(order: Sequence[int]) -> Any:
        return output_distribution(p, in_order([[i] for i in order]), denoiser=model).kl

    def mean_log(known: list[int], site: int) -> Any:
        seen = np.isin(np.arange(p.length), known)
        answers = to_host(model(np.where(seen, sequences, MASK)))[:, site]
        drawn = np.take_along_axis(answers, sequences[:, [site]], axis=1)[:, 0]
        return xlogy(masses, drawn).sum()

    found, before = [], cost(order)
    for k in range(p.length - 1):
        known, (i, j), later = [*order[:k]], order[k : k + 2], order[k + 2 :]
        circulation = mean_log(known, i) + mean_log([*known, i], j)
        circulation = circulation - mean_log(known, j) - mean_log([*known, j], i)
        found.append(before - cost([*known, j, i, *later]) + size(circulation))
    return found


@E6.residual(
    "the bounds of the spread over orders by the largest swap",
    exact=BITS,
    parts={"challenger": challengers},
    swaps=1,
)
def spread(p: Distribution, challenger: JointTable, swaps: int | None = None) -> list[Any]:
    orders = AnyOrder(p, smoothed(challenger))
    most = p.length * (p.length - 1) // 2 if swaps is None else swaps
    largest = orders.circulation.swap
    return [excess(largest, orders.spread), Bound(orders.spread, most * largest)]


# ---- what the training loss does not bound ---------------------------------------------------


def _of_masks(masked: int, width: int) -> Fraction:
    """The weight of m masks in a block of b: the integral over t of ``t^(m-1) (1-t)^(b-m)``."""
    shown = width - masked
    return Fraction(math.factorial(masked - 1) * math.factorial(shown), math.factorial(width))


def _block_loss(p: Distribution, model: Denoiser, size: int, weight: Callable) -> Any:
    """Loss of block diffusion in continuous time: each block masked given the clean ones before."""
    table, sites = to_host(p.table()), np.arange(p.length)
    sequences, masses = np.argwhere(table != 0), table[table != 0]
    total: Any = 0
    for start in range(0, p.length, size):
        block = sites[start : start + size].tolist()
        for count in range(1, len(block) + 1):
            for masked in itertools.combinations(block, count):
                hidden = np.isin(sites, masked) | (sites > block[-1])
                answers = to_host(model(np.where(hidden, MASK, sequences)))
                for i in masked:
                    drawn = np.take_along_axis(answers[:, i], sequences[:, [i]], axis=1)[:, 0]
                    total = total - weight(count, len(block)) * xlogy(masses, drawn).sum()
    return total


@E6.residual(
    "path KL of one site at a time in blocks as the loss of block diffusion minus the entropy",
    exact=TABLES,
    parts={"block": lambda size: st.integers(1, size.length), "challenger": challengers},
    weight=lambda masked, width: Fraction(1, masked),
)
def block_diffusion(
    p: Distribution, challenger: JointTable, block: int, weight: Callable = _of_masks
) -> Any:
    model = smoothed(challenger)
    policy = policies.Blocks(block, policies.FirstHitting())
    cost = output_distribution(p, policy, denoiser=model).path_kl
    return cost - (_block_loss(p, model, block, weight) - information.entropy(p))


FOUR_STRINGS = JointTable([[2, 1], [0, 1]], exact=True)
"""00 twice, 01 and 11: the smallest data for what follows."""

CONFIDENT = policies.TopK(1)


def _overconfident(p: Distribution) -> Denoiser:
    """All predictions squared and normalised: a temperature of 1/2."""

    def denoise(x: Any) -> Any:
        squared = to_host(p.denoise(x, on_impossible="marginal")) ** 2
        return squared / squared.sum(axis=-1, keepdims=True)

    return denoise


@E6.residual(
    "a confident order and blocks of one that lose twice what the training loss says",
    exact=st.just(FOUR_STRINGS),
    policy=policies.FirstHitting(),
)
def not_bounded(p: Distribution, policy: Policy = CONFIDENT) -> list[Any]:
    """And the opposite order, of which the model knows everything."""
    if not is_table(p, FOUR_STRINGS):
        raise DoesNotApply("it is about 00 twice, 01 and 11")
    model = _overconfident(p)
    number: Any = log(np.asarray([Fraction(5**7, 6**6)], dtype=object))[0] * Fraction(1, 8)
    backwards = policies.Mirrored(policies.LeftToRight())
    one, two = (policies.Blocks(size, policies.FirstHitting()) for size in (1, 2))
    costs = [
        output_distribution(p, each, denoiser=model).path_kl
        for each in (policy, one, two, backwards)
    ]
    number = number if p.exact else float(number)
    losses = [2 * number, 2 * number, number, 0 * number]
    return [
        excess_loss(p, model) - number,
        *(cost - loss for cost, loss in zip(costs, losses, strict=True)),
    ]
