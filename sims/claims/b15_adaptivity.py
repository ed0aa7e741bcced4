"""B15: looking at values saves rounds at zero divergence."""

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st

from sims.claims.kit.families import as_rational, is_table
from sims.claims.kit.random_rules import in_order
from sims.decoding.exact import output_distribution
from sims.open_questions.depths import fixed, worst
from sims.open_questions.moves import Moves, subsets
from sims.open_questions.randomised import RandomSets
from sims.optimal.frontier import frontier
from theory import JointTable, gallery, strategies
from theory.claims import Claim, Provenance, Verdict
from theory.claims.kit.inequality import excess
from theory.distributions import Distribution
from theory.gallery.uniform import uniform

__all__ = ["B15"]

Blocks = tuple[tuple[int, ...], ...]
Orders = Callable[[tuple[int, ...]], Iterator[Blocks]]

ONE_HOT = gallery.one_hot(3, exact=True)

SEVEN = uniform(map(list, ("0001", "0010", "0011", "0100", "0101", "0110", "1000")), 2, True)
"""A 0 and then three bits that are not all equal, or 1000."""

B15 = Claim(
    id="B15",
    title="Looking at values saves rounds at zero divergence",
    statement=(
        "Of the deterministic policies that write exactly the data, the one with the fewest "
        "expected rounds needs at most as many as the one with the fewest in the worst case, and "
        "that at most as many as the shortest fixed order of sets. Both can be strict: three bits "
        "of which one is set take 8/3 rounds on average and 3 in any fixed order; for 0001, 0010, "
        "0011, 0100, 0101, 0110, 1000, equally likely, three adaptive rounds always suffice, and "
        "fixed orders need four."
    ),
    latex=(
        r"\min_\pi \mathbb E_p[\text{rounds}] \le \min_\pi \max_x \text{rounds}(x) \le "
        r"\min_{S_1, \dots, S_R} R \quad\text{subject to}\quad q = p"
    ),
    says="whether adaptive policies have a smaller depth at zero error is called open",
    note=(
        "Only the question was seen of this; the three depths are as defined here. Among "
        "the uniform distributions on sets of sequences of 4 bits, up to symmetry 401, the worst "
        "case is smaller for 53 and the mean for 249; of 3 bits, 21, for none and 4; of 2 bits for "
        "none (python -m sims.open_questions depths)."
    ),
    source="question: Wen, Liang, Lu, arXiv 2608.25505 (restated); definitions and answer ours",
    provenance=Provenance.OURS,
    verdict=Verdict.HOLDS,
)


def _every_order(sites: tuple[int, ...]) -> Iterator[Blocks]:
    """All ordered partitions."""
    if not sites:
        yield ()
    for first in subsets(sites):
        for rest in _every_order(tuple(site for site in sites if site not in first)):
            yield (first, *rest)


def _left_to_right(sites: tuple[int, ...]) -> Iterator[Blocks]:
    """Planted: only cuts the sites from left to right."""
    return (blocks for blocks in _every_order(sites) if sum(blocks, ()) == sites)


def _fewest(p: JointTable, orders: Orders = _every_order) -> int:
    """Rounds of the shortest order of sets whose output is `p`, by what each of them writes."""
    return min(
        len(blocks)
        for blocks in orders(tuple(range(p.length)))
        if (output_distribution(p, in_order(blocks)).table == p.table()).all()
    )


def _longest(p: JointTable) -> tuple[int, float]:
    """The most rounds that the best adaptive policy takes, and its distance from the data."""
    best = worst(Moves(p))
    q = output_distribution(p, RandomSets(best.choices))
    return max(q.rounds), q.tv


@B15.residual(
    "three depths and their order",
    exact=strategies.joint_tables(lengths=(1, 3), vocabs=(1, 2), most=2, exact=True),
    orders=_left_to_right,
)
def three_depths(p: Distribution, orders: Orders = _every_order) -> list[Any]:
    """Both programs against what their policies write, and the order of the three depths."""
    p = as_rational(p)
    moves = Moves(p)
    rounds, distance = _longest(p)
    (mean,) = frontier(p, [math.inf])
    least = _fewest(p, orders)
    return [
        len(fixed(moves)) - least,
        worst(moves).rounds - rounds,
        distance,
        excess(mean.rounds, rounds),
        excess(rounds, least),
    ]


def _known_savings(p: Distribution) -> Any:
    """What is claimed of the witnesses; of anything else, that looking does no harm."""
    if is_table(p, ONE_HOT):
        return st.just({"mean": Fraction(1, 3), "longest": 0})
    if is_table(p, SEVEN):
        return st.just({"mean": Fraction(1), "longest": 1})
    return st.just({"mean": None, "longest": None})


@B15.residual(
    "what looking at values saves",
    exact=st.sampled_from([ONE_HOT, SEVEN]),
    parts=_known_savings,
    longest=2,
)
def savings(p: Distribution, mean: Any = None, longest: int | None = None) -> list[Any]:
    """What looking at values saves, minus so many rounds; if none are given, the harm it does."""
    p = as_rational(p)
    least = _fewest(p)
    (best,) = frontier(p, [math.inf])
    rounds, distance = _longest(p)
    saved = ((least - best.rounds, mean), (least - rounds, longest))
    return [distance, *(excess(0, a) if b is None else a - b for a, b in saved)]
