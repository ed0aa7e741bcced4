"""D8: what single predictions say about a whole block: Frechet and Bonferroni."""

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis.strategies as st
import numpy as np

from theory import strategies
from theory._core.arrays import MASK, to_host
from theory._core.bound import Bound
from theory.claims.kit.claim import Check, Claim, Provenance, Verdict
from theory.claims.kit.generators import named_distributions, symbolic_table
from theory.claims.kit.inequality import bound_closeness, closeness, excess
from theory.claims.kit.result import DoesNotApply, Level
from theory.claims.kit.simplify import fraction_field
from theory.distributions import Distribution, JointTable
from theory.homogenization.envelopes import bonferroni, frechet

__all__ = ["JOINT_BOUNDS"]

Library = Callable[..., Bound]


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


def _upper(p: Distribution, x: Any, block: dict[int, int], bound: Library = frechet) -> list[Any]:
    """The chance of the block, and how far below the least one: some other site deviates."""
    found = bound(p, x, block, tuple(block.values()))
    cases = _deviating(p, x, block)
    together = sum(c for others, c in cases if not others)
    slack = min(sum(c for others, c in cases if others and i not in others) for i in block)
    return [found.quantity - together, found.slack - slack]


def _lower(
    p: Distribution, x: Any, block: dict[int, int], bound: Library = bonferroni
) -> list[Any]:
    """The chance of the block, and how far above: the deviating sites that are not the first."""
    found = bound(p, x, block, tuple(block.values()))
    cases = _deviating(p, x, block)
    together = sum(c for others, c in cases if not others)
    slack = sum(c * max(len(others) - 1, 0) for others, c in cases)
    return [found.quantity - together, found.slack - slack]


def _independent(p: Distribution, x: Any, sites: Any, tokens: Any) -> Any:
    predictions = to_host(p.denoise(x))
    return math.prod(predictions[i, v] for i, v in zip(sites, tokens, strict=True))


def _product_below(p: Distribution, x: Any, sites: Any, tokens: Any) -> Bound:
    """Planted: the chance as if sites were independent."""
    return Bound(_independent(p, x, sites, tokens), frechet(p, x, sites, tokens).bound)


def _product_above(p: Distribution, x: Any, sites: Any, tokens: Any) -> Bound:
    """Planted: the same, with the lower bound."""
    bound = bonferroni(p, x, sites, tokens).bound
    return Bound(_independent(p, x, sites, tokens), bound, upper=False)


def _closest_above(p: Distribution, x: Any, block: dict[int, int]) -> float:
    return bound_closeness(frechet(p, x, block, tuple(block.values())))


def _closest_below(p: Distribution, x: Any, block: dict[int, int]) -> float:
    found = bonferroni(p, x, block, tuple(block.values()))
    return closeness(found.bound, found.quantity)


def _likeliest(p: Distribution, x: Any = None, bound: Library = frechet) -> Any:
    """By how much a continuation is likelier than the least top mass of its sites."""
    x = np.full(p.length, MASK) if x is None else x
    most = max(c for _, c in _sequences(p, x))
    return excess(most, bound(p, x).bound)


def _nearest(p: Distribution, x: Any = None) -> float:
    return bound_closeness(frechet(p, np.full(p.length, MASK) if x is None else x))


def _product_of_tops(p: Distribution, x: Any) -> Bound:
    """Planted: the product of the top masses, as if sites were independent."""
    tops = [max(row) for row, t in zip(to_host(p.denoise(x)), x, strict=True) if t == MASK]
    return Bound(frechet(p, x).quantity, math.prod(tops))


# ---- symbols: every table of its shape ------------------------------------------------------


def _least(chances: list[Any], together: Any) -> list[Any]:
    return [alone - together for alone in chances]


def _union(chances: list[Any], together: Any) -> list[Any]:
    return [together - (sum(chances) - len(chances) + 1)]


def _product(chances: list[Any], together: Any) -> list[Any]:
    """Planted, for both: as if the product were a bound."""
    return [math.prod(chances) - together]


def _product_less(chances: list[Any], together: Any) -> list[Any]:
    """Planted: as if it bounded from below."""
    return [together - math.prod(chances)]


def _free_tables(upper: Any = _least, lower: Any = _union) -> list[Any]:
    """Negative coefficients of the slacks on tables of symbols of two and three bits."""
    negative = []
    for length in (2, 3):
        p = symbolic_table(length)
        first = p.denoise(np.full(length, MASK))
        for tokens in itertools.product((0, 1), repeat=length):
            chances = [first[i, v] for i, v in enumerate(tokens)]
            for slack in (upper(chances, p.evidence(tokens)), lower(chances, p.evidence(tokens))):
                for one in slack:
                    quotient = fraction_field(one)
                    coefficients = (*quotient.numer.coeffs(), *quotient.denom.coeffs())
                    negative += [min(int(c), 0) for c in coefficients]
    return negative


# ---- where they are attained ----------------------------------------------------------------


def _nested(p: Distribution) -> bool:
    """Whether of any two possible sequences one has the ones of the other: copies of a level."""
    support = np.argwhere(to_host(p.table()) != 0) == 1
    return all((a <= b).all() or (b <= a).all() for a, b in itertools.combinations(support, 2))


def _exclusive(p: Distribution) -> bool:
    """Whether at most one site is ever not 1."""
    return bool(((np.argwhere(to_host(p.table()) != 0) != 1).sum(axis=1) <= 1).all())


def _always(p: Distribution) -> bool:
    """Planted: as if every distribution attained it."""
    return True


def _slack_of_ones(p: Distribution, bound: Library) -> Any:
    return bound(p, np.full(p.length, MASK), None, (1,) * p.length).slack


def _attained_above(p: Distribution, where: Callable[[Distribution], bool] = _nested) -> Any:
    if p.vocab < 2 or not where(p):
        raise DoesNotApply("attained by sequences of which one always has the ones of the other")
    return _slack_of_ones(p, frechet)


def _attained_below(p: Distribution, where: Callable[[Distribution], bool] = _exclusive) -> Any:
    if p.vocab < 2 or not where(p):
        raise DoesNotApply("attained where at most one site is ever not 1")
    return _slack_of_ones(p, bonferroni)


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


def _attaining() -> Any:
    thresholds = st.lists(st.integers(0, 6), min_size=2, max_size=4)
    chances = st.lists(st.integers(0, 4), min_size=3, max_size=5).filter(any)
    return st.one_of(thresholds.map(_levels), chances.map(_one_fails))


# ---- the claim ------------------------------------------------------------------------------


@st.composite
def _drawn_block(draw: st.DrawFn, p: Distribution) -> dict[str, Any]:
    """A possible pattern, and tokens for some of its masked sites."""
    x = draw(strategies.evidence(p, masked=(min(2, p.length), p.length)))
    masked = np.flatnonzero(x == MASK).tolist()
    least = min(2, len(masked))
    sites = draw(st.lists(st.sampled_from(masked), min_size=least, unique=True).map(sorted))
    tokens = st.integers(0, p.vocab - 1)
    return {"x": x, "block": {i: draw(tokens) for i in sites}}


def _pattern(p: Distribution) -> Any:
    return {"x": strategies.evidence(p, masked=(1, p.length))}


def _exact() -> Any:
    return strategies.joint_tables(lengths=(1, 3), exact=True)


def _floats() -> Any:
    return strategies.distributions(lengths=(1, 4))


JOINT_BOUNDS = Claim(
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
    checks=(
        Check(level=Level.SYMBOLIC, residual=_free_tables, planted={"upper": _product}),
        Check(level=Level.SYMBOLIC, residual=_free_tables, planted={"lower": _product_less}),
        Check(
            level=Level.EXACT,
            residual=_upper,
            distributions=_exact,
            parts=_drawn_block,
            planted={"bound": _product_below},
            tightness=_closest_above,
        ),
        Check(
            level=Level.EXACT,
            residual=_lower,
            distributions=_exact,
            parts=_drawn_block,
            planted={"bound": _product_above},
            tightness=_closest_below,
        ),
        Check(
            level=Level.EXACT,
            residual=_likeliest,
            distributions=_exact,
            parts=_pattern,
            planted={"bound": _product_of_tops},
            tightness=_nearest,
        ),
        Check(
            level=Level.EXACT,
            residual=_attained_above,
            distributions=_attaining,
            planted={"where": _always},
        ),
        Check(
            level=Level.EXACT,
            residual=_attained_below,
            distributions=_attaining,
            planted={"where": _always},
        ),
        Check(
            level=Level.PROPERTY,
            residual=_upper,
            distributions=_floats,
            parts=_drawn_block,
            planted={"bound": _product_below},
            tolerance=1e-12,
        ),
        Check(
            level=Level.PROPERTY,
            residual=_lower,
            distributions=_floats,
            parts=_drawn_block,
            planted={"bound": _product_above},
            tolerance=1e-12,
        ),
        Check(
            level=Level.NUMERIC,
            residual=_likeliest,
            named=named_distributions,
            planted={"bound": _product_of_tops},
            tolerance=1e-12,
            tightness=_nearest,
        ),
    ),
)
