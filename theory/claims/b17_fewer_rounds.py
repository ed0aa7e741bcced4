"""B17: the divergence of the best schedules is convex in the number of rounds."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from theory import closed_forms, gallery, information, schedules, strategies
from theory._core.bound import Bound
from theory._core.types import Number
from theory.claims.kit.claim import Claim, Provenance, Verdict
from theory.claims.kit.every_length import StepSlack, never_negative
from theory.claims.kit.generators import named_distributions
from theory.claims.kit.result import DoesNotApply
from theory.distributions import Distribution
from theory.proofs.free_entropies import FreeProfile

__all__ = ["B17"]

MAX_SITES = 7
"""Lengths up to which the exchange of two batches is checked for every profile."""

Schedule = Callable[[Any, int], tuple[int, ...]]

B17 = Claim(
    id="B17",
    title="The best schedules never gain more with a further round",
    statement=(
        "The least path divergence of random-order decoding with batches of fixed size is convex "
        "in the number of rounds, for every distribution; so is the frontier of permutations, "
        "where the cost of any policy depends on the sizes alone. For boundaries a < b < c < d the "
        "cost w(a, b) = (b - a) f(a) of a batch obeys w(a, c) + w(b, d) <= w(a, d) + w(b, c), "
        "because the profile never increases, and shortest paths with such weights are convex in "
        "the number of their edges."
    ),
    latex=(
        r"w(a,d) + w(b,c) - w(a,c) - w(b,d) = (d-c)\bigl(f(a) - f(b)\bigr) \ge 0 \ \Rightarrow\ "
        r"E_{R-1} + E_{R+1} \ge 2 E_R"
    ),
    says="that the frontier of permutations is convex in the number of rounds is left open",
    note=(
        "Ours; that shortest paths with such weights (Monge) are convex in the number of edges is "
        "textbook, from memory. The inequality is linear in the profile, so that codes decide "
        "(I2). The divergence of what is written need not be "
        "convex: uniform on 0111, 1010, 1011, 1100 the least in 1 to 4 rounds is 1.1247, 0.1737, "
        "0.0870 and 0. The program of the open question finds no "
        "violation for permutations of up to 2000 (python -m sims.open_questions permutations)."
    ),
    source="question: Wen, Liang, Lu, arXiv 2608.25505 (restated); answered here",
    provenance=Provenance.OURS,
    verdict=Verdict.HOLDS,
)


def _batch_cost(p: Distribution, start: int, stop: int) -> Number:
    """The cost of a batch up to a constant: its size times the profile where it starts."""
    return (stop - start) * information.profile(p)[start]


@B17.proved(
    "the exchange of two batches",
    scope="every length",
    read=1,  # with the profile where the batch ends
)
def exchange_at_every_length(read: int = 0) -> list[StepSlack]:
    """``(stop - start) f(start)`` on a step r with so many of the boundaries below it."""
    import sympy

    a, b, c, d, r, n = sympy.symbols("a b c d r L", integer=True)
    boundaries, answers = (a, b, c, d), []
    for below in range(5):
        f = {boundary: int(k < below) for k, boundary in enumerate(boundaries)}

        def cost(*batch: Any, f: dict[Any, int] = f) -> Any:
            return (batch[1] - batch[0]) * f[batch[read]]

        slack = cost(a, d) + cost(b, c) - cost(a, c) - cost(b, d)
        region = [a >= 0, a < b, b < c, c < d, d <= n, r >= 1, r <= n]
        region += [boundaries[below - 1] < r] if below else []
        region += [r <= boundaries[below]] if below < 4 else []
        text = f"w(a,c) + w(b,d) <= w(a,d) + w(b,c), {below} of a, b, c, d below r"
        answers.append(never_negative(text, slack, region))
    return answers


@B17.residual(
    "the exchange of two batches for every profile",
    symbols=lambda: [{"p": FreeProfile(n)} for n in range(3, MAX_SITES + 1)],
    scope=f"up to {MAX_SITES} sites",
    # with the profile where the batch ends
    cost=lambda p, start, stop: (stop - start) * information.profile(p)[stop - 1],
)
def exchange(
    p: Distribution, cost: Callable[[Distribution, int, int], Number] = _batch_cost
) -> list[Bound]:
    """``w(a, c) + w(b, d) <= w(a, d) + w(b, c)`` for a < b < c < d."""
    return [
        Bound(cost(p, a, c) + cost(p, b, d), cost(p, a, d) + cost(p, b, c))
        for a, b, c, d in itertools.combinations(range(p.length + 1), 4)
    ]


@B17.residual(
    "no round gains more than the one before it",
    exact=strategies.joint_tables(lengths=(3, 4), vocabs=(2, 2), exact=True),
    floats=strategies.distributions(lengths=(3, 6)),
    named=named_distributions,
    # one site at a time, and the rest at once
    schedule=lambda f, rounds: (1,) * (rounds - 1) + (len(f) - rounds + 1,),
)
def convex(p: Distribution, schedule: Schedule = schedules.optimal) -> list[Bound]:
    if p.length < 3:
        raise DoesNotApply("a round gains after another in three rounds at least")
    f = information.profile(p)
    costs = [information.path_cost(p, schedule(f, r)) for r in range(1, p.length + 1)]
    gains = [before - after for before, after in itertools.pairwise(costs)]
    return [Bound(later, sooner) for sooner, later in itertools.pairwise(gains)]


def _equal_batches(n: int) -> np.ndarray:
    """Planted: batches as equal as possible."""
    every = (schedules.uniform(n, rounds) for rounds in range(1, n + 1))
    return np.asarray([closed_forms.permutation_cost(n, sizes) for sizes in every])


@B17.residual(
    "the frontier of permutations is convex, and what the best schedules cost",
    named=lambda: {"permutations(240)": gallery.permutations(240)},
    tolerance=1e-9,
    frontier=_equal_batches,
)
def permutations(
    p: Distribution, frontier: Callable[[int], np.ndarray] = closed_forms.permutation_frontier
) -> list[float]:
    """The frontier by its recursion, for as many tokens as `p` has sites: convex, and `p`'s own."""
    costs = frontier(p.length)
    own = {r: information.path_cost(p, schedules.optimal(p, r)) for r in (1, 2, 7, 60)}
    off = [abs(costs[r - 1] - cost) for r, cost in own.items()]
    return [float(np.max(-np.diff(costs, n=2), initial=0.0)), *off]
