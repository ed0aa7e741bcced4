"""D8: the probability of a block of tokens between bounds from single predictions."""

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
from theory._core.types import Array, Number
from theory.claims.kit.claim import Claim, Provenance, Verdict
from theory.claims.kit.generators import named_distributions, symbolic_table
from theory.claims.kit.inequality import excess
from theory.claims.kit.result import DoesNotApply
from theory.distributions import Distribution, JointTable
from theory.homogenization.envelopes import bonferroni, frechet

__all__ = ["D8"]

D8 = Claim(
    id="D8",
    title="What single predictions say about a whole block",
    statement=(
        "Given any observation, masked sites hold some tokens together with at most the "
        "probability of the least likely one, and at least the sum of the probabilities minus "
        "k - 1. So a block whose predictions all have top mass at most m has no continuation of "
        "probability above m. The first slack is the probability that a given site is right and "
        "another is not, least over the sites; the second is how many sites beyond the first are "
        "wrong, on average. "
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


def _two_and_three_bits() -> list[dict[str, Any]]:
    return [{"p": symbolic_table(length)} for length in (2, 3)]


def _product(own: list[Any]) -> list[Number]:
    """Planted: as if the product of the probabilities were a bound."""
    return [math.prod(own)]


@D8.residual("the lower bound on every table of bits", symbols=_two_and_three_bits, lower=_product)
@D8.residual("the upper bounds on every table of bits", symbols=_two_and_three_bits, upper=_product)
def every_table(
    p: Distribution,
    upper: Callable = lambda own: own,
    lower: Callable = lambda own: [sum(own) - len(own) + 1],
) -> list[Number]:
    predictions, found = p.denoise(np.full(p.length, MASK)), []
    for tokens in itertools.product((0, 1), repeat=p.length):
        together, own = p.evidence(tokens), [predictions[i, v] for i, v in enumerate(tokens)]
        found += [excess(together, most) for most in upper(own)]
        found += [excess(least, together) for least in lower(own)]
    return found


def _sequences(p: Distribution, x: Array) -> Iterator[tuple[tuple[int, ...], Any]]:
    """Sequences that agree with a pattern, and their probabilities given it, from the table."""
    table = to_host(p.table())
    agree = [list(range(p.vocab)) if t == MASK else [int(t)] for t in x]
    total = table[np.ix_(*agree)].sum()
    for y in itertools.product(*agree):
        if table[y] != 0:
            yield y, table[y] / total


Block = dict[int, int]
"""Tokens by site."""

Deviations = list[tuple[set[int], Any]]
"""Sets of sites that deviate from a block, with their probabilities."""


def _slack_of_frechet(block: Block, cases: Deviations) -> Number:
    """The probability that a site holds its token and some other deviates, the least."""
    return min(sum(c for sites, c in cases if sites and i not in sites) for i in block)


def _slack_of_bonferroni(block: Block, cases: Deviations) -> Number:
    """How many of the deviating sites are not the first, on average."""
    return sum(c * max(len(sites) - 1, 0) for sites, c in cases)


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
    """Planted: the same bound of the product of the probabilities."""

    def planted(p: Distribution, x: Array, sites: Any, tokens: Any) -> Bound:
        predictions = to_host(p.denoise(x))
        product = math.prod(predictions[i, v] for i, v in zip(sites, tokens, strict=True))
        return dataclasses.replace(bound(p, x, sites, tokens), quantity=product)

    return planted


BLOCKS: dict[str, Any] = {
    "exact": EXACT,
    "floats": strategies.distributions(lengths=(1, 4)),
    "parts": _drawn_block,
    "tolerance": 1e-12,
}


def _compared(
    p: Distribution, x: Array, block: Block, bound: Callable, slack: Callable
) -> list[Any]:
    """The bound of a block, and what the library says of it against sums over sequences."""
    found = bound(p, x, block, tuple(block.values()))
    cases = [({i for i, v in block.items() if y[i] != v}, c) for y, c in _sequences(p, x)]
    together = sum(c for sites, c in cases if not sites)
    return [found, found.quantity - together, found.slack - slack(block, cases)]


@D8.residual(
    "the probability of a block and its upper bound", **BLOCKS, bound=_as_if_independent(frechet)
)
def at_most(p: Distribution, x: Array, block: Block, bound: Callable = frechet) -> list[Any]:
    return _compared(p, x, block, bound, _slack_of_frechet)


@D8.residual(
    "the probability of a block and its lower bound", **BLOCKS, bound=_as_if_independent(bonferroni)
)
def at_least(p: Distribution, x: Array, block: Block, bound: Callable = bonferroni) -> list[Any]:
    return _compared(p, x, block, bound, _slack_of_bonferroni)


def _product_of_tops(p: Distribution, x: Array) -> Bound:
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
def likeliest(p: Distribution, x: Array, bound: Callable = frechet) -> Bound:
    return Bound(max(c for _, c in _sequences(p, x)), bound(p, x).bound)


def _levels(thresholds: list[int]) -> JointTable:
    """A uniform level, and at each site whether it lies below the threshold there."""
    weights = np.zeros((2,) * len(thresholds), dtype=np.int64)
    for level in range(6):
        weights[tuple(int(level < t) for t in thresholds)] += 1
    return JointTable(weights, exact=True)


def _one_fails(weights: list[int]) -> JointTable:
    """All ones, or one site is 0; integer weights, that of all ones first."""
    sites = len(weights) - 1
    table = np.zeros((2,) * sites, dtype=np.int64)
    table[(1,) * sites] = weights[0]
    for i, weight in enumerate(weights[1:]):
        table[tuple(int(j != i) for j in range(sites))] = weight
    return JointTable(table, exact=True)


ATTAINING = st.one_of(
    st.lists(st.integers(0, 6), min_size=2, max_size=4).map(_levels),
    st.lists(st.integers(0, 4), min_size=3, max_size=5).filter(any).map(_one_fails),
)


def _nested(p: Distribution) -> bool:
    """Whether of any two possible sequences one has the ones of the other: copies of a level."""
    support = np.argwhere(to_host(p.table()) != 0) == 1
    return all((a <= b).all() or (b <= a).all() for a, b in itertools.combinations(support, 2))


@D8.residual("where the upper bound is attained", exact=ATTAINING, where=lambda p: True)
def attained_above(p: Distribution, where: Callable = _nested) -> Number:
    if p.vocab < 2 or not where(p):
        raise DoesNotApply("attained by sequences of which one always has the ones of the other")
    return frechet(p, np.full(p.length, MASK), None, (1,) * p.length).slack


def _exclusive(p: Distribution) -> bool:
    """Whether at most one site is ever not 1."""
    return bool(((np.argwhere(to_host(p.table()) != 0) != 1).sum(axis=1) <= 1).all())


@D8.residual("where the lower bound is attained", exact=ATTAINING, where=lambda p: True)
def attained_below(p: Distribution, where: Callable = _exclusive) -> Number:
    if p.vocab < 2 or not where(p):
        raise DoesNotApply("attained where at most one site is ever not 1")
    return bonferroni(p, np.full(p.length, MASK), None, (1,) * p.length).slack
