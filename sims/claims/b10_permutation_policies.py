"""B10: permutations cost the same in every order, so that only batch sizes matter."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import hypothesis.strategies as st
import numpy as np

from sims.claims.kit.families import is_permutation
from sims.claims.kit.policies import path_steps
from sims.claims.kit.random_rules import any_rule, drawn_rules
from sims.decoding.exact import output_distribution
from sims.optimal.frontier import regret
from sims.policies import RandomOrder
from theory import MASK, closed_forms, gallery, information, schedules, strategies
from theory._core.arrays import log
from theory._core.bound import Bound
from theory.claims import Claim, DoesNotApply, Provenance, Verdict
from theory.claims.kit.inequality import excess
from theory.distributions import Distribution

__all__ = ["B10"]

Best = Callable[[int, int], tuple[int, ...]]

PUBLISHED = {(3, 2, 2, 1): 1.51457, (2, 2, 2, 2): 1.87072}
"""Bits that eight tokens cost in these four batches."""

B10 = Claim(
    id="B10",
    title="For permutations only the sizes of the batches matter",
    statement=(
        "Every policy, value-adaptive ones included, pays log(M^B/(M)_B) to reveal B of the M "
        "sites that are left of a uniform permutation, whichever they are. The least cost in R "
        "rounds follows from a recursion over M. Eight tokens in four rounds are best written in "
        "batches of 3, 2, 2 and 1: 1.51457 bits, and 1.87072 with equal sizes."
    ),
    latex=(
        r"\mathrm{TC} = \log\frac{M^B}{(M)_B},\qquad F_{n,1} = n \log n,\quad F_{n,R} = "
        r"\min_{R-1 \le m \le n-1} (n-m) \log n + F_{m,R-1},\quad E_{n,R} = F_{n,R} - \log n!"
    ),
    says="Theorems 6 to 9: the cost of a batch, and the recursion for the best sizes",
    note=(
        "For up to five tokens the optimum over all value-adaptive policies (B14) has its corners "
        "exactly at these costs: computed here, not read. The costs are convex in the number of "
        "rounds (B17), so that mixing two schedules never beats a third."
    ),
    source="Wen, Liang, Lu, arXiv 2608.25505, Theorems 6 to 9",
    provenance=Provenance.SOURCE,
    verdict=Verdict.HOLDS,
)


def _permutations(most: int, exact: bool = False) -> Any:
    return st.integers(1, most).map(lambda n: gallery.permutations(n, exact=exact))


def _require_permutation(p: Distribution) -> None:
    if not is_permutation(p):
        raise DoesNotApply("it is about permutations, all equally likely")


def _reversed_sizes(n: int, rounds: int) -> tuple[int, ...]:
    """Planted: the best batches in the wrong order."""
    return closed_forms.permutation_schedule(n, rounds)[::-1]


def _frontier_of_equal_sizes(n: int) -> np.ndarray:
    """Planted: batches as equal as possible."""
    sizes = (schedules.uniform(n, rounds) for rounds in range(1, n + 1))
    return np.asarray([closed_forms.permutation_cost(n, s) for s in sizes])


@B10.residual(
    "batches of any adaptive rule",
    exact=_permutations(4, exact=True),
    floats=_permutations(4),
    parts={"rule": drawn_rules()},
    tolerance=1e-11,
    ways=pow,  # as if the tokens were independent
)
def any_adaptive_rule(
    p: Distribution, rule: Sequence[int], ways: Callable[[int, int], int] = math.perm
) -> list[Any]:
    """The divergence of any rule is the expected sum of the costs of its batches.

    A batch costs its total correlation, ``log(M^B / (M)_B)``: in ``(M)_B`` ways so many of the
    tokens that are left can be written.
    """
    _require_permutation(p)
    policy, expected, residuals = any_rule(rule), 0, []
    for mass, _, sites, x in path_steps(p, policy):
        cost = information.total_correlation(p, sites, given=x)
        left = int((x == MASK).sum())
        powers = np.asarray([left ** len(sites), ways(left, len(sites))], dtype=np.int64)
        of_power, of_ways = log(powers if p.exact else powers.astype(np.float64))
        residuals.append(cost - (of_power - of_ways))
        expected = expected + mass * cost
    return [output_distribution(p, policy).kl - expected, *residuals]


@B10.residual(
    "best schedule",
    exact=_permutations(4, exact=True),
    parts={"sizes": lambda size: strategies.schedules(size.length)},
    best=_reversed_sizes,
)
def schedules_in_random_order(
    p: Distribution, sizes: Sequence[int], best: Best = closed_forms.permutation_schedule
) -> list[Any]:
    """A schedule costs what the formula says, and no less than the best with as many rounds."""
    _require_permutation(p)
    n = p.length
    cost = output_distribution(p, RandomOrder(sizes)).path_kl
    least = closed_forms.permutation_cost(n, best(n, len(sizes)), exact=p.exact)
    formula = closed_forms.permutation_cost(n, sizes, exact=p.exact)
    return [cost - formula, Bound(least, cost)]


@B10.residual(
    "no adaptive policy is better",
    floats=_permutations(4),
    named=lambda: {"permutations(5)": gallery.permutations(5)},
    tolerance=1e-9,
    best=_reversed_sizes,
)
def no_adaptive_policy_is_better(
    p: Distribution, best: Best = closed_forms.permutation_schedule
) -> list[Any]:
    """Regret of the schedules against all value-adaptive policies is 0."""
    _require_permutation(p)
    sizes = (best(p.length, rounds) for rounds in range(1, p.length + 1))
    return [excess(abs(regret(p, RandomOrder(s))), 0.0) for s in sizes]


@B10.residual(
    "recursion against all schedules",
    named=lambda: {f"permutations({n})": gallery.permutations(n) for n in range(1, 9)},
    tolerance=1e-11,
    frontier=_frontier_of_equal_sizes,
)
def recursion(
    p: Distribution, frontier: Callable[[int], np.ndarray] = closed_forms.permutation_frontier
) -> list[Any]:
    """The recursion against the path costs of all schedules."""
    least = [
        min(information.path_cost(p, sizes) for sizes in schedules.every(p.length, rounds))
        for rounds in range(1, p.length + 1)
    ]
    return [a - b for a, b in zip(frontier(p.length), least, strict=True)]


@B10.residual(
    "published bits",
    named=lambda: {"permutations(8)": gallery.permutations(8)},
    tolerance=1e-12,
    more=1e-5,
)
def published_costs(p: Distribution, more: float = 0.0) -> list[Any]:
    """By how much the published bits are off beyond their last digit, and the best sizes."""
    off = [
        excess(abs(information.path_cost(p, sizes, base=2) - bits - more), 5e-6)
        for sizes, bits in PUBLISHED.items()
    ]
    return [*off, float(closed_forms.permutation_schedule(8, 4) != (3, 2, 2, 1))]
