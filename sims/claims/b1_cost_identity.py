"""B1: what parallel decoding costs is total correlation."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sims.claims.kit.policies import path_steps, selecting_policies
from sims.claims.kit.random_rules import any_rule, drawn_rules
from sims.decoding.exact import output_distribution
from sims.policies import LeftToRight, Policy
from theory import information, strategies
from theory._core.arrays import to_host
from theory.claims import Claim, Provenance, Verdict
from theory.claims.kit.generators import named_distributions, symbolic_table
from theory.distributions import Distribution

__all__ = ["B1"]

Cost = Callable[..., Any]

B1 = Claim(
    id="B1",
    title="What parallel decoding costs is total correlation",
    statement=(
        "For every deterministic policy, value-adaptive ones included, the divergence of what "
        "it writes from the data is the expected total correlation of the revealed sets given "
        "what was revealed before. It is zero if and only if every revealed set is "
        "conditionally independent. For a randomised policy this is the mean divergence over its "
        "paths, round by round."
    ),
    latex=(
        r"\mathrm{KL}(p \,\|\, q) = \mathbb E_p \sum_t "
        r"\mathrm{TC}\bigl(X_{S_t} \mid x_{C_t}\bigr)"
    ),
    says="Theorem 1: the divergence of an adaptive decoder is its expected total correlation",
    note=(
        "The theorem speaks of the divergence of what is written. If a policy is randomised, only "
        "the mean divergence of its paths is the sum; that of the mixture is at most as large."
    ),
    source="Wen, Liang, Lu, arXiv 2608.25505, Theorem 1",
    provenance=Provenance.SOURCE,
    verdict=Verdict.HOLDS,
)


def _expected_cost(p: Distribution, policy: Policy, cost: Cost) -> Any:
    """``E_p E_policy sum_t cost(S_t | x_{C_t})``: walk every sequence of rounds of the data."""
    return sum(mass * cost(p, sites, x) for mass, _, sites, x in path_steps(p, policy) if sites)


def _marginal_entropies(p: Distribution, sites: Sequence[int], given: np.ndarray) -> Any:
    """Planted: forgets to subtract the joint entropy."""
    return sum(information.entropy(p, [i], given) for i in sites)


@B1.symbolic("two bits at once and in turn", cost=_marginal_entropies)
def two_bits_at_once_and_in_turn(cost: Cost = information.total_correlation) -> Any:
    """``KL - E TC`` on a 2 x 2 table of symbols."""
    p = symbolic_table()
    return [
        output_distribution(p, policy).kl - _expected_cost(p, policy, cost)
        for policy in (LeftToRight(2), LeftToRight(1))
    ]


@B1.residual(
    "divergence of any adaptive rule",
    exact=strategies.joint_tables(lengths=(1, 3), exact=True),
    floats=strategies.distributions(lengths=(1, 4)),
    parts={"rule": drawn_rules()},
    named=lambda: named_distributions(words_of=2),
    at=[{"rule": rule} for rule in ((0, 1, 2), (3, 5, 7, 9), (4, 4, 1))],
    tolerance=1e-11,
    cost=_marginal_entropies,
)
def any_adaptive_rule(
    p: Distribution, rule: Sequence[int], cost: Cost = information.total_correlation
) -> Any:
    """``KL(p || q) - E_p sum_t TC(X_{S_t} | x_{C_t})``, and the same for the path cost."""
    policy = any_rule(rule)
    q = output_distribution(p, policy)
    expected = _expected_cost(p, policy, cost)
    return [q.kl - expected, q.path_kl - expected]


def _independent(p: Distribution, sites: Sequence[int], x: np.ndarray) -> bool:
    """Whether, given `x`, every joint value of `sites` has the product of its probabilities."""
    alone = to_host(p.denoise(x))
    for values in np.ndindex(*(p.vocab,) * len(sites)):
        after = x.copy()
        after[list(sites)] = values
        product = math.prod(alone[i, v] for i, v in zip(sites, values, strict=True))
        if p.evidence(after) != product * p.evidence(x):
            return False
    return True


def _nothing_is_excluded(p: Distribution, sites: Sequence[int], x: np.ndarray) -> bool:
    """Planted: mistakes "everything can happen" for independence."""
    return all((to_host(p.denoise(x))[list(sites)] > 0).reshape(-1))


@B1.residual(
    "no loss exactly where every revealed set is independent",
    exact=strategies.joint_tables(lengths=(1, 3), vocabs=(2, 2), most=2, exact=True),
    parts={"rule": drawn_rules()},
    independent=_nothing_is_excluded,
)
def zero_means_independent(
    p: Distribution, rule: Sequence[int], independent: Callable[..., bool] = _independent
) -> int:
    """1 if ``KL == 0`` and the independence of all revealed sets disagree, else 0."""
    policy = any_rule(rule)
    every = all(independent(p, sites, x) for _, _, sites, x in path_steps(p, policy))
    return int((output_distribution(p, policy).kl == 0) != every)


@B1.residual(
    "path cost of every kind of policy by rounds",
    exact=strategies.joint_tables(lengths=(1, 3), exact=True),
    floats=strategies.distributions(lengths=(1, 4)),
    parts={"policy": selecting_policies},
    tolerance=1e-10,
    cost=_marginal_entropies,
)
def every_kind_of_policy(
    p: Distribution, policy: Policy, cost: Cost = information.total_correlation
) -> Any:
    """The path cost of a policy, and its parts by rounds, against the walk."""
    q = output_distribution(p, policy)
    by_round = [0] * len(q.round_costs)
    for mass, index, sites, x in path_steps(p, policy):
        if sites:
            by_round[index] = by_round[index] + mass * cost(p, sites, x)
    parts = [a - b for a, b in zip(q.round_costs, by_round, strict=True)]
    return [q.path_kl - sum(by_round), *parts]
