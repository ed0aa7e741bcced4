"""E6: beyond zero loss, what a decoder loses has a learning and a factorisation part."""

import itertools
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np

from sims import policies
from sims.claims.kit.policies import some_selecting_policy
from sims.decoding.exact import output_distribution
from sims.imperfect.decomposition import excess_loss, split
from sims.imperfect.perturbed import Perturbed
from sims.order.order_costs import AnyOrder
from sims.policies import Policy, Rule
from theory import MASK, information, schedules, strategies
from theory._core.arrays import times_log, to_host
from theory.claims import Check, Claim, Level, Provenance, Verdict
from theory.claims.kit.generators import (
    Size,
    by_size,
    challengers,
    inner_levels,
    named_distributions,
    symbolic_table,
)
from theory.claims.kit.inequality import closeness, excess
from theory.claims.kit.mutants import smoothed
from theory.claims.kit.result import DoesNotApply
from theory.distributions import Distribution, JointTable
from theory.loss.forward import Denoiser, continuous_nelbo, nelbo

__all__ = ["IMPERFECT_DENOISERS"]

Parts = Callable[[Distribution, Policy, Denoiser], list[tuple[Any, Any]]]


def _own_way(p: Distribution, policy: Policy, model: Denoiser) -> list[tuple[Any, Any]]:
    """Learning and factorisation of every round."""
    return list(split(p, policy, model).by_round)


def _perfect_way(p: Distribution, policy: Policy, model: Denoiser) -> list[tuple[Any, Any]]:
    """Planted: the factorisation part of the perfect model, which may go another way."""
    mine, theirs = split(p, policy, model).by_round, split(p, policy).by_round
    pairs = itertools.zip_longest(mine, theirs, fillvalue=(0, 0))
    return [(learning, factor) for (learning, _), (_, factor) in pairs]


def _nothing_to_learn(p: Distribution, policy: Policy, model: Denoiser) -> list[tuple[Any, Any]]:
    """Planted: the picture of the perfect model."""
    return [(0, factor) for _, factor in split(p, policy, model).by_round]


def _sum(p: Distribution, policy: Policy, model: Denoiser, parts: Parts) -> list[Any]:
    """The path KL that the decoder is followed for, against the two parts, round by round."""
    costs = output_distribution(p, policy, denoiser=model).round_costs
    sums = [learning + factorisation for learning, factorisation in parts(p, policy, model)]
    return [a - b for a, b in itertools.zip_longest(costs, sums, fillvalue=0)]


def _parts_add_up(
    p: Distribution, policy: Policy, challenger: JointTable, parts: Parts = _own_way
) -> list[Any]:
    return _sum(p, policy, smoothed(challenger), parts)


def _same_way(p: Distribution, policy: Policy, challenger: JointTable) -> list[Any]:
    """Factorisation parts with a model, against the costs of the perfect one."""
    costs = output_distribution(p, policy).round_costs
    by_round = split(p, policy, smoothed(challenger)).by_round
    return [cost - factor for cost, (_, factor) in zip(costs, by_round, strict=False)]


def _ancestral(
    p: Distribution, inner: Sequence[Any], challenger: JointTable, loss: Callable[..., Any] = nelbo
) -> list[Any]:
    """Bernoulli steps against the training loss on their grid."""
    times, model = [0, *sorted(inner), 1], smoothed(challenger)
    policy = policies.Bernoulli(times)
    theirs, least = loss(p, times[::-1], model), nelbo(p, times[::-1])
    cost = output_distribution(p, policy, denoiser=model).path_kl
    learning = split(p, policy, model).learning
    return [cost - (theirs - information.entropy(p)), learning - (theirs - least)]


def _in_continuous_time(p: Distribution, levels: Sequence[Any], denoiser: Denoiser) -> Any:
    """Planted: the loss of the finest grid."""
    return continuous_nelbo(p, denoiser)


def _one_at_a_time(p: Distribution, challenger: JointTable, share: Any = 1) -> list[Any]:
    """Random order, one site at a time: the loss in continuous time and nothing else."""
    model = smoothed(challenger)
    cost = output_distribution(p, policies.FirstHitting(), denoiser=model).path_kl
    return [cost - share * excess_loss(p, model), cost - share * AnyOrder(p, model).mean]


def _in_order(order: Sequence[int]) -> Rule:
    """One site at a time in a fixed order."""
    ranks = np.argsort(order)

    def select(x: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        rank = np.where(x == MASK, ranks, len(ranks))
        return rank == rank.min(axis=1, keepdims=True)

    return Rule(select)


def _signed(values: np.ndarray) -> np.ndarray:
    return values


def _swap(
    p: Distribution,
    challenger: JointTable,
    order: Sequence[int],
    size: Callable[[np.ndarray], np.ndarray] = _signed,
) -> list[Any]:
    """Every swap of neighbours in an order, against the mean circulation around it."""
    if p.length < 2:
        raise DoesNotApply("it swaps two sites")
    model = smoothed(challenger)
    costs = {o: output_distribution(p, _in_order(o), denoiser=model).kl for o in _swapped(order)}
    table = to_host(p.table())
    sequences, chances = np.argwhere(table != 0), table[table != 0]

    def mean_log(known: Sequence[int], site: int) -> Any:
        seen = np.isin(np.arange(p.length), known)
        answers = to_host(model(np.where(seen, sequences, MASK)))[:, site]
        drawn = np.take_along_axis(answers, sequences[:, [site]], axis=1)[:, 0]
        return times_log(chances, drawn).sum()

    found = []
    for k, swapped in enumerate(itertools.islice(costs, 1, None)):
        known, i, j = list(order[:k]), order[k], order[k + 1]
        circulation = mean_log(known, i) + mean_log([*known, i], j)
        circulation = circulation - mean_log(known, j) - mean_log([*known, j], i)
        found.append(costs[tuple(order)] - costs[swapped] + size(circulation))
    return found


def _swapped(order: Sequence[int]) -> list[tuple[int, ...]]:
    """The order, and then it with sites k and k + 1 swapped."""
    orders = [tuple(order)]
    for k in range(len(order) - 1):
        swapped = list(order)
        swapped[k : k + 2] = swapped[k + 1], swapped[k]
        orders.append(tuple(swapped))
    return orders


def _spread(p: Distribution, challenger: JointTable, swaps: int | None = None) -> list[Any]:
    """By how much the spread over all orders leaves its bounds."""
    orders = AnyOrder(p, smoothed(challenger))
    most = p.length * (p.length - 1) // 2 if swaps is None else swaps
    swap = orders.circulation.swap
    return [excess(swap, orders.spread), excess(orders.spread, most * swap)]


def _share_of_the_bound(p: Distribution, challenger: JointTable) -> float:
    orders = AnyOrder(p, smoothed(challenger))
    return closeness(orders.spread, p.length * (p.length - 1) // 2 * orders.circulation.swap)


def _two_by_two(parts: Parts = _own_way) -> list[Any]:
    """Both sites at once on a 2 x 2 table of symbols."""
    p = symbolic_table()
    return _sum(p, policies.LeftToRight(2), smoothed(p), parts)


def _named(p: Distribution, parts: Parts = _own_way) -> list[Any]:
    model = Perturbed(p, noise=0.7, temperature=0.8, smoothing=0.05, seed=3)
    halves = policies.RandomOrder(schedules.uniform(p.length, 2))
    chosen = (halves, policies.TopK(2), policies.Threshold(0.8), policies.Bisection())
    return [r for policy in chosen for r in _sum(p, policy, model, parts)]


def _blind(length: int) -> list[Policy]:
    """Policies that do not look at predictions."""
    return [
        policies.RandomOrder(schedules.uniform(length, min(2, length))),
        policies.LeftToRight(2),
        policies.Bisection(),
        policies.Bernoulli((0, Fraction(1, 3), 1)),
        policies.FirstHitting(),
        policies.Blocks(2, policies.LeftToRight(2)),
    ]


@by_size
def _any_policy(p: Size) -> dict[str, Any]:
    return {"policy": some_selecting_policy(p.length), "challenger": challengers(p)}


@by_size
def _blind_policy(p: Size) -> dict[str, Any]:
    blind = st.sampled_from(_blind(p.length))
    return {"policy": blind, "challenger": challengers(p)}


@by_size
def _grid(p: Size) -> dict[str, Any]:
    return {"inner": inner_levels(p, 2), "challenger": challengers(p)}


@by_size
def _challenger(p: Size) -> dict[str, Any]:
    return {"challenger": challengers(p)}


@by_size
def _order(p: Size) -> dict[str, Any]:
    orders = st.permutations(range(p.length))
    return {"order": orders, "challenger": challengers(p)}


def _tables(most: int = 3) -> Any:
    return strategies.joint_tables(lengths=(1, most), exact=True)


def _bits() -> Any:
    return strategies.joint_tables(lengths=(1, 3), vocabs=(2, 2), exact=True)


IMPERFECT_DENOISERS = Claim(
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
        "mean over all orders is the loss in continuous time above the entropy."
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
    checks=(
        Check(level=Level.SYMBOLIC, residual=_two_by_two, planted={"parts": _nothing_to_learn}),
        Check(
            level=Level.EXACT,
            residual=_parts_add_up,
            distributions=_bits,
            parts=_any_policy,
            planted={"parts": _perfect_way, "policy": policies.TopK(2)},
        ),
        Check(
            level=Level.EXACT,
            residual=_same_way,
            distributions=_bits,
            parts=_blind_policy,
            planted={"policy": policies.TopK(2)},
        ),
        Check(
            level=Level.EXACT,
            residual=_ancestral,
            distributions=_tables,
            parts=_grid,
            planted={"loss": _in_continuous_time},
        ),
        Check(
            level=Level.EXACT,
            residual=_one_at_a_time,
            distributions=_tables,
            parts=_challenger,
            planted={"share": 2},
        ),
        Check(
            level=Level.EXACT,
            residual=_swap,
            distributions=_tables,
            parts=_order,
            planted={"size": abs},
        ),
        Check(
            level=Level.EXACT,
            residual=_spread,
            distributions=_bits,
            parts=_challenger,
            planted={"swaps": 1},
            tightness=_share_of_the_bound,
        ),
        Check(
            level=Level.PROPERTY,
            residual=_parts_add_up,
            distributions=lambda: strategies.distributions(lengths=(1, 4)),
            parts=_any_policy,
            planted={"parts": _perfect_way},
            tolerance=1e-10,
        ),
        Check(
            level=Level.NUMERIC,
            residual=_named,
            named=lambda: named_distributions(words_of=2),
            planted={"parts": _nothing_to_learn},
            tolerance=1e-9,
        ),
    ),
)
