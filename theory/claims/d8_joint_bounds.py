"""D8: what single predictions say about a whole block: Frechet and Bonferroni."""

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis.strategies as st
import numpy as np

from theory import strategies
from theory._core.arrays import MASK, to_host
from theory._core.bound import Bound
from theory.claims.kit.claim import Claim, Provenance, Verdict
from theory.claims.kit.generators import named_distributions, symbolic_table
from theory.claims.kit.result import DoesNotApply
from theory.claims.kit.simplify import fraction_field
from theory.distributions import Distribution, JointTable
from theory.homogenization.envelopes import bonferroni, frechet

__all__ = ["D8"]

D8 = Claim(
    id="D8",
    title="What single predictions say about a whole block",
    statement=(
        "Given any observation, masked sites hold some tokens together with at most the chance "
        "of the least likely one, and at least the sum of the chances minus k - 1. So a block "
        "whose predictions all have top mass at most m has no continuation of probability above "
        "m. The first slack is the chance that a given site is right and another is not, least "
        "over the sites; the second is how many sites beyond the first are wrong, on average. "
        "Sites that are thresholds of one level attain the first; sites of which at most one is "
        "ever wrong, the second."
    ),
    latex=(
        r"\sum_{i \in S} p(x_i \mid c) - |S| + 1 \le p(x_S \mid c) \le \min_{i \in S} p(x_i \mid c)"
    ),
    says=(
        "'upper-bound estimates for probability distributions' are announced (restated); no "
        "formula was seen"
    ),
    note=(
        "The inequalities are textbook, from memory (Frechet, Bonferroni). To read the first as a "
        "candidate for the upper bound of arXiv 2510.03289, and the exact slacks, is ours. The "
        "bounds need no assumption on the data, and distance plays no part in them."
    ),
    source="textbook: Frechet, Bonferroni (from memory); their use here is ours",
    provenance=Provenance.MEMORY,
    verdict=Verdict.HOLDS,
)


@D8.symbolic("the lower bound on every table of bits", lower=math.prod)
@D8.symbolic("the upper bounds on every table of bits", upper=lambda chances: [math.prod(chances)])
def every_table(
    upper: Callable = lambda chances: chances,
    lower: Callable = lambda chances: sum(chances) - len(chances) + 1,
) -> list[int]:
    """Negative coefficients of the slacks on tables of symbols of two and three bits.

    Planted is, for both, that the product of the chances is a bound.
    """
    negative = []
    for length in (2, 3):
        p = symbolic_table(length)
        first = p.denoise(np.full(length, MASK))
        for tokens in itertools.product((0, 1), repeat=length):
            together = p.evidence(tokens)
            chances = [first[i, v] for i, v in enumerate(tokens)]
            slacks = [*(most - together for most in upper(chances)), together - lower(chances)]
            for quotient in map(fraction_field, slacks):
                coefficients = (*quotient.numer.coeffs(), *quotient.denom.coeffs())
                negative += [min(int(c), 0) for c in coefficients]
    return negative


def _sequences(p: Distribution, x: Any) -> Iterator[tuple[tuple[int, ...], Any]]:
    """Sequences that agree with a pattern, and their chances given it, from the table."""
    table = to_host(p.table())
    agree = [list(range(p.vocab)) if t == MASK else [int(t)] for t in x]
    total = table[np.ix_(*agree)].sum()
    for y in itertools.product(*agree):
        if table[y] != 0:
            yield y, table[y] / total


def _deviating(p: Distribution, x: Any, block: dict[int, int]) -> list[tuple[set[int], Any]]:
    """Which sites of a block hold other tokens, with chances."""
    return [({i for i, v in block.items() if y[i] != v}, c) for y, c in _sequences(p, x)]


@st.composite
def _drawn_block(draw: st.DrawFn, p: Distribution) -> dict[str, Any]:
    """A possible pattern, and tokens for some of its masked sites."""
    x = draw(strategies.evidence(p, masked=(min(2, p.length), p.length)))
    masked = np.flatnonzero(x == MASK).tolist()
    least = min(2, len(masked))
    sites = draw(st.lists(st.sampled_from(masked), min_size=least, unique=True).map(sorted))
    tokens = st.integers(0, p.vocab - 1)
    return {"x": x, "block": {i: draw(tokens) for i in sites}}


EXACT = strategies.joint_tables(lengths=(1, 3), exact=True)


def _as_if_independent(bound: Callable) -> Callable:
    """Planted: the same bound of the product of the chances."""

    def planted(p: Distribution, x: Any, sites: Any, tokens: Any) -> Bound:
        predictions = to_host(p.denoise(x))
        product = math.prod(predictions[i, v] for i, v in zip(sites, tokens, strict=True))
        return dataclasses.replace(bound(p, x, sites, tokens), quantity=product)

    return planted


@D8.residual(
    "the chance of a block and its upper bound",
    exact=EXACT,
    floats=strategies.distributions(lengths=(1, 4)),
    parts=_drawn_block,
    tolerance=1e-12,
    bound=_as_if_independent(frechet),
)
def at_most(p: Distribution, x: Any, block: dict[int, int], bound: Callable = frechet) -> list:
    """The slack is the chance that a site holds its token and some other deviates, the least."""
    found, cases = bound(p, x, block, tuple(block.values())), _deviating(p, x, block)
    together = sum(c for others, c in cases if not others)
    slack = min(sum(c for others, c in cases if others and i not in others) for i in block)
    return [found, found.quantity - together, found.slack - slack]


@D8.residual(
    "the chance of a block and its lower bound",
    exact=EXACT,
    floats=strategies.distributions(lengths=(1, 4)),
    parts=_drawn_block,
    tolerance=1e-12,
    bound=_as_if_independent(bonferroni),
)
def at_least(p: Distribution, x: Any, block: dict[int, int], bound: Callable = bonferroni) -> list:
    """The slack is how many of the deviating sites are not the first, on average."""
    found, cases = bound(p, x, block, tuple(block.values())), _deviating(p, x, block)
    together = sum(c for others, c in cases if not others)
    slack = sum(c * max(len(others) - 1, 0) for others, c in cases)
    return [found, found.quantity - together, found.slack - slack]


def _product_of_tops(p: Distribution, x: Any) -> Bound:
    """Planted: the product of the top masses, as if sites were independent."""
    tops = [max(row) for row, t in zip(to_host(p.denoise(x)), x, strict=True) if t == MASK]
    return Bound(frechet(p, x).quantity, math.prod(tops))


@D8.residual(
    "the likeliest continuation and the least top mass",
    exact=EXACT,
    parts=lambda p: {"x": strategies.evidence(p, masked=(1, p.length))},
    named=named_distributions,
    at=lambda p: [{"x": np.full(p.length, MASK)}],
    tolerance=1e-12,
    bound=_product_of_tops,
)
def likeliest(p: Distribution, x: Any, bound: Callable = frechet) -> Bound:
    return Bound(max(c for _, c in _sequences(p, x)), bound(p, x).bound)


def _levels(thresholds: list[int]) -> JointTable:
    """A uniform level, and at each site whether it lies below the threshold there."""
    weights = np.zeros((2,) * len(thresholds), dtype=np.int64)
    for level in range(6):
        weights[tuple(int(level < t) for t in thresholds)] += 1
    return JointTable(weights, exact=True)


def _one_fails(chances: list[int]) -> JointTable:
    """All ones, or one site is 0; integer weights, that of all ones first."""
    sites = len(chances) - 1
    weights = np.zeros((2,) * sites, dtype=np.int64)
    weights[(1,) * sites] = chances[0]
    for i, chance in enumerate(chances[1:]):
        weights[tuple(int(j != i) for j in range(sites))] = chance
    return JointTable(weights, exact=True)


ATTAINING = st.one_of(
    st.lists(st.integers(0, 6), min_size=2, max_size=4).map(_levels),
    st.lists(st.integers(0, 4), min_size=3, max_size=5).filter(any).map(_one_fails),
)


def _nested(p: Distribution) -> bool:
    """Whether of any two possible sequences one has the ones of the other: copies of a level."""
    support = np.argwhere(to_host(p.table()) != 0) == 1
    return all((a <= b).all() or (b <= a).all() for a, b in itertools.combinations(support, 2))


@D8.residual("where the upper bound is attained", exact=ATTAINING, where=lambda p: True)
def attained_above(p: Distribution, where: Callable = _nested) -> Any:
    if p.vocab < 2 or not where(p):
        raise DoesNotApply("attained by sequences of which one always has the ones of the other")
    return frechet(p, np.full(p.length, MASK), None, (1,) * p.length).slack


def _exclusive(p: Distribution) -> bool:
    """Whether at most one site is ever not 1."""
    return bool(((np.argwhere(to_host(p.table()) != 0) != 1).sum(axis=1) <= 1).all())


@D8.residual("where the lower bound is attained", exact=ATTAINING, where=lambda p: True)
def attained_below(p: Distribution, where: Callable = _exclusive) -> Any:
    if p.vocab < 2 or not where(p):
        raise DoesNotApply("attained where at most one site is ever not 1")
    return bonferroni(p, np.full(p.length, MASK), None, (1,) * p.length).slack
