"""B10: permutations cost the same in every order, so that only batch sizes matter."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import hypothesis.strategies as st
import numpy as np

from sims.claims.kit.policies import path_steps
from sims.claims.kit.random_rules import any_rule, drawn_rules
from sims.claims.kit.recognise import is_permutation
from sims.decoding.exact import output_distribution
from sims.optimal.frontier import regret
from sims.policies import RandomOrder
from theory import MASK, closed_forms, gallery, information, schedules, strategies
from theory._core.arrays import log
from theory.claims import Check, Claim, Level, Provenance, Verdict
from theory.claims.kit.generators import Size, by_size
from theory.claims.kit.inequality import closeness, excess
from theory.claims.kit.result import DoesNotApply
from theory.distributions import Distribution

__all__ = ["PERMUTATION_POLICIES"]


def _check_permutation(p: Distribution) -> None:
    if not is_permutation(p):
        raise DoesNotApply("it is about permutations, all equally likely")


def _falling(left: int, size: int) -> int:
    """``(M)_B``: in how many ways so many of the tokens that are left can be written."""
    return math.perm(left, size)


def _independent(left: int, size: int) -> int:
    """Planted: takes the tokens for independent."""
    return left**size


def _any_rule(
    p: Distribution, rule: Sequence[int], ways: Callable[[int, int], int] = _falling
) -> list[Any]:
    """The divergence of any rule is the expected sum of the costs of its batches.

    A batch costs its total correlation, ``log(M^B / (M)_B)``.
    """
    _check_permutation(p)
    policy, expected, residuals = any_rule(rule), 0, []
    for chance, _, sites, x in path_steps(p, policy):
        cost = information.total_correlation(p, sites, given=x)
        left = int((x == MASK).sum())
        powers = np.asarray([left ** len(sites), ways(left, len(sites))], dtype=np.int64)
        of_power, of_ways = log(powers if p.exact else powers.astype(np.float64))
        residuals.append(cost - (of_power - of_ways))
        expected = expected + chance * cost
    return [output_distribution(p, policy).kl - expected, *residuals]


def _schedule(
    p: Distribution,
    sizes: Sequence[int],
    best: Callable[[int, int], tuple[int, ...]] = closed_forms.permutation_schedule,
) -> list[Any]:
    """A schedule costs what the formula says, and no less than the best with as many rounds."""
    _check_permutation(p)
    n = p.length
    cost = output_distribution(p, RandomOrder(sizes)).path_kl
    least = closed_forms.permutation_cost(n, best(n, len(sizes)), exact=p.exact)
    formula = closed_forms.permutation_cost(n, sizes, exact=p.exact)
    return [cost - formula, excess(least, cost)]


def _least_share(p: Distribution, sizes: Sequence[int]) -> float:
    """The least cost in as many rounds as a share of the cost."""
    n = p.length
    best = closed_forms.permutation_schedule(n, len(sizes))
    costs = (closed_forms.permutation_cost(n, s, exact=p.exact) for s in (best, sizes))
    return closeness(*costs)


def _reversed(n: int, rounds: int) -> tuple[int, ...]:
    """Planted: the best batches in the wrong order."""
    return closed_forms.permutation_schedule(n, rounds)[::-1]


def _no_policy_is_better(
    p: Distribution,
    best: Callable[[int, int], tuple[int, ...]] = closed_forms.permutation_schedule,
) -> list[Any]:
    """Regret of the schedules against all value-adaptive policies is 0."""
    _check_permutation(p)
    residuals = []
    for rounds in range(1, p.length + 1):
        above = regret(p, RandomOrder(best(p.length, rounds)))
        residuals += [excess(0.0, above), excess(above, 0.0)]
    return residuals


def _recursion(
    p: Distribution, frontier: Callable[[int], np.ndarray] = closed_forms.permutation_frontier
) -> list[Any]:
    """The recursion against the path costs of all schedules."""
    least = [
        min(information.path_cost(p, sizes) for sizes in schedules.every(p.length, rounds))
        for rounds in range(1, p.length + 1)
    ]
    return [a - b for a, b in zip(frontier(p.length), least, strict=True)]


def _equal_sizes(n: int) -> np.ndarray:
    """Planted: batches as equal as possible."""
    costs = [closed_forms.permutation_cost(n, _uniform(n, r)) for r in range(1, n + 1)]
    return np.asarray(costs)


def _uniform(n: int, rounds: int) -> tuple[int, ...]:
    return tuple(n // rounds + (k < n % rounds) for k in range(rounds))


PUBLISHED = {(3, 2, 2, 1): 1.51457, (2, 2, 2, 2): 1.87072}
"""Bits that eight tokens cost in these four batches."""


def _published(p: Distribution, more: float = 0.0) -> list[Any]:
    """By how much the published bits are off beyond their last digit, and the best sizes."""
    off = [
        excess(abs(information.path_cost(p, sizes, base=2) - bits - more), 5e-6)
        for sizes, bits in PUBLISHED.items()
    ]
    return [*off, float(closed_forms.permutation_schedule(8, 4) != (3, 2, 2, 1))]


@by_size
def _rule(p: Size) -> dict[str, Any]:
    return {"rule": drawn_rules()}


@by_size
def _sizes(p: Size) -> dict[str, Any]:
    return {"sizes": strategies.schedules(p.length)}


def _permutations(most: int, exact: bool) -> Any:
    return st.integers(1, most).map(lambda n: gallery.permutations(n, exact=exact))


PERMUTATION_POLICIES = Claim(
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
    checks=(
        Check(
            level=Level.EXACT,
            residual=_any_rule,
            distributions=lambda: _permutations(4, exact=True),
            parts=_rule,
            planted={"ways": _independent},
        ),
        Check(
            level=Level.EXACT,
            residual=_schedule,
            distributions=lambda: _permutations(4, exact=True),
            parts=_sizes,
            planted={"best": _reversed},
            tightness=_least_share,
        ),
        Check(
            level=Level.PROPERTY,
            residual=_any_rule,
            distributions=lambda: _permutations(4, exact=False),
            parts=_rule,
            planted={"ways": _independent},
            tolerance=1e-11,
        ),
        Check(
            level=Level.PROPERTY,
            residual=_no_policy_is_better,
            distributions=lambda: _permutations(4, exact=False),
            planted={"best": _reversed},
            tolerance=1e-9,
        ),
        Check(
            level=Level.NUMERIC,
            residual=_no_policy_is_better,
            named=lambda: {"permutations(5)": gallery.permutations(5)},
            planted={"best": _reversed},
            tolerance=1e-9,
        ),
        Check(
            level=Level.NUMERIC,
            residual=_recursion,
            named=lambda: {f"permutations({n})": gallery.permutations(n) for n in range(1, 9)},
            planted={"frontier": _equal_sizes},
            tolerance=1e-11,
        ),
        Check(
            level=Level.NUMERIC,
            residual=_published,
            named=lambda: {"permutations(8)": gallery.permutations(8)},
            planted={"more": 1e-5},
            tolerance=1e-12,
        ),
    ),
)
