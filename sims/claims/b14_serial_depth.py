"""B14: how many rounds it takes to lose no more than so much."""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import hypothesis.strategies as st
import numpy as np

from sims.claims.kit.random_rules import any_rule, drawn_rules
from sims.decoding.exact import output_distribution
from sims.optimal.frontier import frontier
from theory import MASK, gallery, information, strategies
from theory.claims import Check, Claim, Level, Provenance, Verdict
from theory.claims.kit.generators import Size, by_size
from theory.claims.kit.inequality import excess
from theory.distributions import Distribution

__all__ = ["SERIAL_DEPTH"]

Sets = Callable[[Sequence[int]], Iterator[tuple[int, ...]]]


def _every_set(masked: Sequence[int]) -> Iterator[tuple[int, ...]]:
    for count in range(1, len(masked) + 1):
        yield from itertools.combinations(masked, count)


def _first_ones(masked: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Planted: only goes from left to right."""
    for count in range(1, len(masked) + 1):
        yield tuple(masked[:count])


def _single_sites(masked: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Planted: never reveals two sites together."""
    for site in masked:
        yield (site,)


def _least(p: Distribution, x: np.ndarray, multiplier: Any, sets: Sets) -> Any:
    """``min_S 1 + multiplier TC(X_S | x) + E[least after]``, set by set and value by value."""
    masked = np.flatnonzero(x == MASK).tolist()
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


def _depth(p: Distribution, sets: Sets = _every_set) -> Any:
    """The serial depth at zero divergence, against the recursion."""
    (point,) = frontier(p, [math.inf])
    least = _least(p, np.full(p.length, MASK), math.inf, sets)
    return [point.rounds - least, float(point.kl)]


def _value(p: Distribution, multiplier: float, sets: Sets = _every_set) -> Any:
    """How far the optimum, and what its policy reaches, are from the recursion on either side."""
    (point,) = frontier(p, [multiplier])
    q = output_distribution(p, point.policy)
    reached = float(q.expected_rounds_on_data + multiplier * q.kl)
    found = float(point.rounds + multiplier * point.kl)
    least = float(_least(p, np.full(p.length, MASK), multiplier, sets))
    return [excess(a, b) for v in (found, reached) for a, b in ((v, least), (least, v))]


def _nobody_is_better(
    p: Distribution, multiplier: float, rule: Sequence[int], handicap: float = 0.0
) -> Any:
    """By how much a policy drawn at random beats the optimum."""
    (point,) = frontier(p, [multiplier])
    q = output_distribution(p, any_rule(rule))
    value = q.expected_rounds_on_data + multiplier * q.kl
    return excess(point.rounds + multiplier * point.kl + handicap, float(value))


WALK = {1: 1.0, 2: 2.0, 3: 2.0, 4: 2.75, 5: 2.875}
"""Least expected rounds at zero error of the Bernoulli walk, by its length."""


def _known_walk(p: Distribution, late: float = 0.0) -> Any:
    """The published values."""
    return frontier(p, [math.inf])[0].rounds - WALK[p.length] - late


@by_size
def _multiplier(p: Size) -> dict[str, Any]:
    return {"multiplier": st.integers(1, 40).map(lambda k: k / 4)}


@by_size
def _rule(p: Size) -> dict[str, Any]:
    multipliers = st.integers(1, 40).map(lambda k: k / 4)
    return {"multiplier": multipliers, "rule": drawn_rules()}


SERIAL_DEPTH = Claim(
    id="B14",
    title="The least number of rounds for a given loss can be computed",
    statement=(
        "Dynamic programming over evidence and sets finds the least of expected rounds plus a "
        "multiple of the divergence, over all value-adaptive policies without coins: none does "
        "better, and the one that is returned does as well. With coins, none does better by its "
        "path divergence. At zero divergence this is the serial depth; for "
        "the Bernoulli walk of 1 to 5 steps it is 1, 2, 2, 2.75 and 2.875."
    ),
    latex=(
        r"D_\varepsilon(p) = \min_{\pi\ \text{without coins}} \{\mathbb E_p[\text{rounds}] : "
        r"\mathrm{KL}(p \,\|\, q_\pi) \le \varepsilon\},\qquad U(c) = \min_S 1 + \lambda\, "
        r"\mathrm{TC}(X_S \mid c) + \mathbb E[U(c, X_S) \mid c]"
    ),
    says="the notion of rounds at zero error, and the values of the walk",
    note=(
        "Policies that toss coins compete by their mean divergence over the coins. What they "
        "write, the mixture, can be nearer to the data than the optimum with as many rounds: two "
        "random halves of a four-letter word lose 1.13 nats, the best adaptive two rounds 1.26. "
        "With coins even the rounds at zero divergence can be fewer (B16)."
    ),
    source="values of the walk: Wen, Liang, Lu, arXiv 2608.25505 (read); the computation is ours",
    provenance=Provenance.OURS,
    verdict=Verdict.HOLDS,
    checks=(
        Check(
            level=Level.EXACT,
            residual=_depth,
            distributions=lambda: strategies.joint_tables(
                lengths=(1, 3), vocabs=(1, 2), most=2, exact=True
            ),
            planted={"sets": _first_ones},
        ),
        Check(
            level=Level.PROPERTY,
            residual=_value,
            distributions=lambda: strategies.distributions(lengths=(1, 3), vocabs=(1, 2)),
            parts=_multiplier,
            planted={"sets": _single_sites},
            tolerance=1e-9,
        ),
        Check(
            level=Level.PROPERTY,
            residual=_nobody_is_better,
            distributions=lambda: strategies.distributions(lengths=(1, 4)),
            parts=_rule,
            planted={"handicap": 0.5},
            tolerance=1e-9,
        ),
        Check(
            level=Level.NUMERIC,
            residual=_known_walk,
            named=lambda: {f"walk({n})": gallery.walk(n) for n in WALK},
            planted={"late": 1.0},
            tolerance=1e-11,
        ),
    ),
)
