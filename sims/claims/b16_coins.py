"""B16: randomised policies save rounds at zero divergence."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st

from sims.claims.kit.families import as_rational, is_table
from sims.decoding.exact import output_distribution
from sims.open_questions.depths import fixed
from sims.open_questions.moves import Moves
from sims.open_questions.randomised import (
    Adaptive,
    RandomSets,
    best_orders,
    best_randomised,
)
from sims.optimal.frontier import frontier
from sims.policies import Policy, RandomOrder
from theory import JointTable, gallery, information, strategies
from theory.claims import Claim, DoesNotApply, Provenance, Verdict
from theory.claims.kit.inequality import excess
from theory.distributions import Distribution
from theory.gallery.uniform import uniform_by_ones

__all__ = ["B16"]

TOO_RARE = 1e-9
"""The linear program is solved in floats before it is certified; it does not see such entries."""

NOT_ALL_EQUAL = uniform_by_ones(3, range(1, 3), exact=True)
BALANCED = gallery.balanced(4, exact=True)
WITNESSES = st.sampled_from([NOT_ALL_EQUAL, BALANCED])

B16 = Claim(
    id="B16",
    title="Randomised policies save rounds at zero divergence",
    statement=(
        "A randomised policy can write exactly the data although none of its paths does, in fewer "
        "rounds than any lossless deterministic one. Three bits that are not all equal: two random "
        "ones together and then the third take two rounds, always; a deterministic policy takes "
        "three, even on average. Balanced strings of four bits: 5/2 against 11/3. The fewest "
        "expected rounds of randomised policies are the optimum of a linear program."
    ),
    latex=(
        r"\min_y \sum_{c, S} y(c, S) \quad\text{subject to}\quad \sum_S y(c, S) = [c = \emptyset] "
        r"+ \sum_{c', S} y(c', S) \prod_{i \in S} p(c_i \mid c'),\quad q = p,\quad y \ge 0"
    ),
    says="whether randomised policies have a smaller depth at zero error is called open",
    note=(
        "What is exact is the mixture, not each path: the path KL is not 0. Only the question was "
        "seen of this, so it may not be the notion that the paper means; if every path has to be "
        "exact, randomising is no use. Among the uniform distributions on sets of sequences of 4 "
        "bits, up to symmetry 401, it saves rounds for 52, and for 16 even where one only draws an "
        "order of sets; of 3 bits, 21, for one; of 2 bits for none (python -m sims.open_questions "
        "depths)."
    ),
    source="question: Wen, Liang, Lu, arXiv 2608.25505 (restated); definitions and answer ours",
    provenance=Provenance.OURS,
    verdict=Verdict.HOLDS,
)


def _carried(p: Distribution) -> JointTable:
    """Return `p` in fractions that the linear program can carry."""
    table = as_rational(p)
    least = min(v for v in table.table().reshape(-1).tolist() if v > 0)
    if least < TOO_RARE:
        raise DoesNotApply(f"a probability of {float(least):.3g} is lost in the linear program")
    return table


def _drawn(best: Adaptive) -> Policy:
    """The policy of the optimum."""
    return RandomSets(best.choices)


def _not_drawn(best: Adaptive) -> Policy:
    """Planted: always takes the first of the sets."""
    return RandomSets({c: {min(sets): 1} for c, sets in best.choices.items()})


@B16.residual(
    "optimum of randomised policies",
    exact=st.one_of(
        strategies.joint_tables(lengths=(1, 3), vocabs=(1, 2), most=2, exact=True), WITNESSES
    ),
    policy=_not_drawn,
)
def randomised_optimum(p: Distribution, policy: Callable[[Adaptive], Policy] = _drawn) -> list[Any]:
    """The optimum against what its policy writes, and against the other kinds of policies."""
    p = _carried(p)
    moves = Moves(p)
    best, orders = best_randomised(moves), best_orders(moves)
    q = output_distribution(p, policy(best))
    (mean,) = frontier(p, [math.inf])
    return [
        q.tv,
        best.rounds - q.expected_rounds,
        excess(best.rounds, mean.rounds),
        excess(best.rounds, orders.rounds),
        excess(orders.rounds, len(fixed(moves))),
    ]


def _known_savings(p: Distribution) -> Any:
    """What is claimed of the witnesses; of anything else, that randomising does no harm."""
    if is_table(p, NOT_ALL_EQUAL):
        return st.just({"rounds": 1, "policy": RandomOrder((2, 1))})
    if is_table(p, BALANCED):
        return st.just({"rounds": Fraction(7, 6), "policy": None})
    return st.just({"rounds": None, "policy": None})


@B16.residual("what randomising saves", exact=WITNESSES, parts=_known_savings, rounds=2)
def savings(p: Distribution, rounds: Any = None, policy: Policy | None = None) -> list[Any]:
    """What randomising saves, minus so many rounds; if none are given, the harm that it does."""
    p = _carried(p)
    q = output_distribution(p, policy or _drawn(best_randomised(Moves(p))))
    (mean,) = frontier(p, [math.inf])
    saved = mean.rounds - q.expected_rounds
    return [q.tv, excess(0, saved) if rounds is None else saved - rounds]


@B16.residual(
    "what each order loses and their mixture does not, of three bits that are not all equal",
    exact=st.just(NOT_ALL_EQUAL),
    sizes=(1, 2),
)
def only_together(p: Distribution, sizes: tuple[int, ...] = (2, 1)) -> list[Any]:
    """Two bits are told 5/3 log 2 - log 3 of each other, which each order loses with them."""
    if not is_table(p, NOT_ALL_EQUAL):
        raise DoesNotApply("it is about three bits that are not all equal")
    q = output_distribution(p, RandomOrder(sizes))
    return [q.tv, q.path_kl - information.total_correlation(p, (0, 1))]
