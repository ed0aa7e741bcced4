"""B2: random order costs the left-Riemann error of the profile."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from sims.decoding.exact import output_distribution
from sims.policies import RandomOrder
from theory import MASK, information, schedules, strategies
from theory._core.arrays import log, to_host
from theory._core.bound import Bound
from theory.claims import Claim, Provenance, Verdict
from theory.claims.kit.generators import named_distributions, symbolic_table
from theory.claims.kit.inequality import bound_excess
from theory.distributions import Distribution
from theory.proofs.free_entropies import FreeEntropies

__all__ = ["B2"]

MAX_SITES = 5
"""Lengths up to which every schedule is checked with free entropies."""

Formula = Callable[[Distribution, Sequence[int]], Any]

B2 = Claim(
    id="B2",
    title="Random order costs the left-Riemann error of the profile",
    statement=(
        "When every round reveals a uniformly random set of sites of fixed size, the mean over "
        "orders of KL(p || q_order) is the left-Riemann error of the profile f(j) = e_{j+1} - "
        "e_j with the rounds as intervals. The divergence of the output distribution, the "
        "mixture over orders, is at most that."
    ),
    latex=(
        r"\mathbb E_M \mathrm{KL}(p \,\|\, q_M) = \sum_k \bigl[(a_{k+1} - a_k) f(a_k) - "
        r"(e_{a_{k+1}} - e_{a_k})\bigr] \ge \mathrm{KL}(p \,\|\, \mathbb E_M q_M)"
    ),
    says=(
        "the expected divergence of decoding with random sets of fixed sizes is the left-Riemann "
        "error of the information profile"
    ),
    note=(
        f"Every schedule of up to {MAX_SITES} sites is checked for every distribution at once, "
        "with the entropies of sets as free symbols."
    ),
    source="Chen, Cong, Li, arXiv 2511.04647, as restated by Wainwright, arXiv 2608.13520",
    provenance=Provenance.RESTATED,
    verdict=Verdict.HOLDS,
)


def _partitions(sites: tuple[int, ...], sizes: Sequence[int]) -> Iterator[list[tuple[int, ...]]]:
    """All ordered partitions of the sites into batches of these sizes."""
    if not sizes:
        yield []
        return
    for batch in itertools.combinations(sites, sizes[0]):
        rest = tuple(s for s in sites if s not in batch)
        for later in _partitions(rest, sizes[1:]):
            yield [batch, *later]


def _mean_kl(p: Distribution, sizes: Sequence[int]) -> Any:
    """``E_path KL(p || q_path)`` from the definition: every partition, every sequence."""
    table = to_host(p.table())
    sequences = np.argwhere(table != 0)
    mass, rows = table[tuple(sequences.T)], np.arange(len(sequences))
    paths = list(_partitions(tuple(range(p.length)), sizes))
    total = len(paths) * (mass * log(mass)).sum()
    for path in paths:
        x = np.full(sequences.shape, MASK)
        for batch in path:
            predictions = to_host(p.denoise(x))
            for i in batch:
                total = total - (mass * log(predictions[rows, i, sequences[:, i]])).sum()
            x[:, batch] = sequences[:, batch]
    return total / len(paths)


def _right_riemann(p: Distribution, sizes: Sequence[int]) -> Any:
    """Planted: reads the profile at the wrong end of each batch."""
    f, start, cost = information.profile(p), 0, 0
    for size in sizes:
        cost = cost + size * f[start + size - 1] - f[start : start + size].sum()
        start += size
    return cost


@B2.residual(
    "every schedule for all distributions at once",
    symbols=lambda: [
        {"p": FreeEntropies(n), "sizes": sizes}
        for n in range(1, MAX_SITES + 1)
        for sizes in schedules.every(n)
    ],
    scope=f"up to {MAX_SITES} sites",
    formula=_right_riemann,
)
def every_distribution(
    p: FreeEntropies, sizes: Sequence[int], formula: Formula = information.path_cost
) -> Any:
    """The formula against the mean of all paths, with the entropies of sets as free symbols."""
    paths = list(_partitions(tuple(range(p.length)), sizes))
    total: Any = 0
    for path in paths:
        known: tuple[int, ...] = ()
        for batch in path:
            total = total + p.conditional_total_correlation(batch, known)
            known += batch
    return formula(p, sizes) * len(paths) - total


@B2.residual(
    "mean over orders",
    symbols=lambda: [{"p": symbolic_table(), "sizes": sizes} for sizes in schedules.every(2)],
    exact=strategies.joint_tables(lengths=(1, 3), exact=True),
    floats=strategies.distributions(lengths=(1, 4)),
    parts={"sizes": lambda size: strategies.schedules(size.length)},
    tolerance=1e-11,
    formula=_right_riemann,
)
def mean_over_orders(
    p: Distribution, sizes: Sequence[int], formula: Formula = information.path_cost
) -> list[Any]:
    """The formula against the definition, and against the decoder's own path cost."""
    cost = formula(p, sizes)
    q = output_distribution(p, RandomOrder(sizes))
    return [cost - _mean_kl(p, sizes), cost - q.path_kl]


@B2.residual(
    "mixture over orders",
    exact=strategies.joint_tables(lengths=(1, 3), exact=True),
    floats=strategies.distributions(lengths=(1, 3)),
    parts={"sizes": lambda size: strategies.schedules(size.length)},
    tolerance=1e-11,
    share=Fraction(1, 2),
)
def mixture_over_orders(p: Distribution, sizes: Sequence[int], share: Any = 1) -> Any:
    """The output's divergence is at most (a share of) the path cost."""
    q = output_distribution(p, RandomOrder(sizes))
    bound = Bound(q.kl, share * q.path_kl)
    return bound if len(sizes) > 1 else bound_excess(bound)  # one round has one path only


@B2.residual(
    "path cost of every schedule of up to three rounds",
    named=named_distributions,
    tolerance=1e-10,
    formula=_right_riemann,
)
def three_rounds(p: Distribution, formula: Formula = information.path_cost) -> list[Any]:
    """The formula against the decoder's path cost."""
    return [
        formula(p, sizes) - output_distribution(p, RandomOrder(sizes)).path_kl
        for rounds in range(1, min(3, p.length) + 1)
        for sizes in schedules.every(p.length, rounds)
    ]
