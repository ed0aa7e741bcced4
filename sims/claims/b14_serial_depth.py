"""B14: the fewest expected rounds at a given divergence, by dynamic programming."""

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import hypothesis.strategies as st
import numpy as np

from sims.claims.kit.random_rules import any_rule, drawn_rules
from sims.decoding.exact import output_distribution
from sims.open_questions.moves import subsets
from sims.optimal.frontier import frontier
from theory import MASK, gallery, information, strategies
from theory.claims import Claim, Provenance, Verdict
from theory.claims.kit.inequality import excess
from theory.distributions import Distribution

__all__ = ["B14"]

Sets = Callable[[tuple[int, ...]], Iterable[tuple[int, ...]]]

MULTIPLIERS = st.integers(1, 40).map(lambda k: k / 4)

WALK = {1: 1.0, 2: 2.0, 3: 2.0, 4: 2.75, 5: 2.875}
"""Least expected rounds at zero error of the Bernoulli walk, by its length."""

B14 = Claim(
    id="B14",
    title="The least number of rounds for a given loss can be computed",
    statement=(
        "Dynamic programming over evidence and sets finds the least of expected rounds plus a "
        "multiple of the divergence, over all deterministic value-adaptive policies: none does "
        "better, and the one that is returned does as well. No randomised one does better by its "
        "path divergence. At zero divergence this is the serial depth; for "
        "the Bernoulli walk of 1 to 5 steps it is 1, 2, 2, 2.75 and 2.875."
    ),
    latex=(
        r"D_\varepsilon(p) = \min_{\pi\ \text{deterministic}} \{\mathbb E_p[\text{rounds}] : "
        r"\mathrm{KL}(p \,\|\, q_\pi) \le \varepsilon\},\qquad U(c) = \min_S 1 + \lambda\, "
        r"\mathrm{TC}(X_S \mid c) + \mathbb E[U(c, X_S) \mid c]"
    ),
    says="the notion of rounds at zero error, and the values of the walk",
    note=(
        "Randomised policies compete by the mean divergence over their paths. What they "
        "write, the mixture, can be nearer to the data than the optimum with as many rounds: two "
        "random halves of a four-letter word lose 1.13 nats, the best adaptive two rounds 1.26. "
        "They can need fewer rounds even at zero divergence (B16)."
    ),
    source="values of the walk: Wen, Liang, Lu, arXiv 2608.25505 (read); the computation is ours",
    provenance=Provenance.OURS,
    verdict=Verdict.HOLDS,
)


def _least(p: Distribution, x: np.ndarray, multiplier: Any, sets: Sets) -> Any:
    """``min_S 1 + multiplier TC(X_S | x) + E[least after]``, set by set and value by value."""
    masked = tuple(np.flatnonzero(x == MASK).tolist())
    if not masked:
        return 0
    values = []
    for sites in sets(masked):
        cost = information.total_correlation(p, sites, given=x)
        if multiplier == math.inf:
            if cost != 0 if p.exact else cost > 1e-12:
                continue
            cost = 0
        else:
            cost = multiplier * cost
        for tokens in itertools.product(range(p.vocab), repeat=len(sites)):
            after = x.copy()
            after[list(sites)] = tokens
            share = p.evidence(after) / p.evidence(x)
            if share != 0:
                cost = cost + share * _least(p, after, multiplier, sets)
        values.append(1 + cost)
    return min(values)


def _from_left_to_right(masked: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Planted: only goes from left to right."""
    return [masked[:count] for count in range(1, len(masked) + 1)]


def _single_sites(masked: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Planted: never reveals two sites together."""
    return [(site,) for site in masked]


@B14.residual(
    "serial depth",
    exact=strategies.joint_tables(lengths=(1, 3), vocabs=(1, 2), most=2, exact=True),
    sets=_from_left_to_right,
)
def serial_depth(p: Distribution, sets: Sets = subsets) -> Any:
    """The serial depth at zero divergence, against the recursion."""
    (point,) = frontier(p, [math.inf])
    least = _least(p, np.full(p.length, MASK), math.inf, sets)
    return [point.rounds - least, float(point.kl)]


@B14.residual(
    "optimum against the recursion",
    floats=strategies.distributions(lengths=(1, 3), vocabs=(1, 2)),
    parts={"multiplier": MULTIPLIERS},
    tolerance=1e-9,
    sets=_single_sites,
)
def value_of_the_optimum(p: Distribution, multiplier: float, sets: Sets = subsets) -> Any:
    """How far the optimum, and what its policy reaches, are from the recursion on either side."""
    (point,) = frontier(p, [multiplier])
    q = output_distribution(p, point.policy)
    reached = float(q.expected_rounds_on_data + multiplier * q.kl)
    found = float(point.rounds + multiplier * point.kl)
    least = float(_least(p, np.full(p.length, MASK), multiplier, sets))
    return [excess(abs(value - least), 0.0) for value in (found, reached)]


@B14.residual(
    "no drawn rule is better",
    floats=strategies.distributions(lengths=(1, 4)),
    parts={"multiplier": MULTIPLIERS, "rule": drawn_rules()},
    tolerance=1e-9,
    handicap=0.5,
)
def no_drawn_rule_is_better(
    p: Distribution, multiplier: float, rule: Sequence[int], handicap: float = 0.0
) -> Any:
    """By how much a policy drawn at random beats the optimum."""
    (point,) = frontier(p, [multiplier])
    q = output_distribution(p, any_rule(rule))
    value = q.expected_rounds_on_data + multiplier * q.kl
    return excess(point.rounds + multiplier * point.kl + handicap, float(value))


@B14.residual(
    "published depths of walks",
    named=lambda: {f"walk({n})": gallery.walk(n) for n in WALK},
    tolerance=1e-11,
    late=1.0,
)
def published_walks(p: Distribution, late: float = 0.0) -> Any:
    """The published values."""
    return frontier(p, [math.inf])[0].rounds - WALK[p.length] - late
