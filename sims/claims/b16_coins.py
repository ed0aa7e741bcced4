"""B16: tossing coins saves rounds where nothing may be lost."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np

from sims.claims.kit.recognise import as_rational, is_table
from sims.decoding.exact import output_distribution
from sims.open_questions.coins import Coins, best_coins, best_orders
from sims.open_questions.depths import fixed
from sims.open_questions.moves import Moves
from sims.open_questions.tossing import Tossing
from sims.optimal.frontier import frontier
from sims.policies import Policy, RandomOrder
from theory import JointTable, gallery, strategies
from theory.claims import Check, Claim, Level, Provenance, Verdict
from theory.claims.kit.inequality import excess
from theory.claims.kit.result import DoesNotApply
from theory.distributions import Distribution

__all__ = ["COINS"]

TOO_RARE = 1e-9
"""The linear program is solved in floats before it is certified; it does not see such cells."""


def _carried(p: Distribution) -> JointTable:
    """Return `p` in fractions that the linear program can carry."""
    table = as_rational(p)
    least = min(v for v in table.table().reshape(-1).tolist() if v > 0)
    if least < TOO_RARE:
        raise DoesNotApply(f"a probability of {float(least):.3g} is lost in the linear program")
    return table


def _tossed(coins: Coins) -> Policy:
    return Tossing(coins.choices)


def _not_tossed(coins: Coins) -> Policy:
    """Planted: always takes the first of the sets."""
    return Tossing({c: {min(chances): 1} for c, chances in coins.choices.items()})


def _written(p: Distribution, policy: Callable[[Coins], Policy] = _tossed) -> list[Any]:
    """The optimum against what its policy writes, and against the other kinds of policies."""
    p = _carried(p)
    moves = Moves(p)
    coins, orders = best_coins(moves), best_orders(moves)
    q = output_distribution(p, policy(coins))
    (mean,) = frontier(p, [math.inf])
    return [
        q.tv,
        coins.rounds - q.expected_rounds,
        excess(coins.rounds, mean.rounds),
        excess(coins.rounds, orders.rounds),
        excess(orders.rounds, len(fixed(moves))),
    ]


def _saves(p: Distribution, rounds: Any = None, policy: Policy | None = None) -> list[Any]:
    """What coins save, minus so many rounds; if none are given, by how much they do harm."""
    p = _carried(p)
    q = output_distribution(p, policy or Tossing(best_coins(Moves(p)).choices))
    (mean,) = frontier(p, [math.inf])
    saved = mean.rounds - q.expected_rounds
    return [q.tv, excess(0, saved) if rounds is None else saved - rounds]


def _not_all_equal() -> JointTable:
    table = np.ones((2, 2, 2), dtype=np.int64)
    table[0, 0, 0] = table[1, 1, 1] = 0
    return JointTable(table, exact=True)


def _witnesses() -> Any:
    return st.sampled_from([_not_all_equal(), gallery.balanced(4, exact=True)])


def _known_savings(p: Distribution) -> Any:
    """What is claimed of the witnesses; of anything else, that coins do no harm."""
    saved: dict[str, Any] = {"rounds": None, "policy": None}
    if is_table(p, _not_all_equal()):
        saved = {"rounds": 1, "policy": RandomOrder((2, 1))}
    if is_table(p, gallery.balanced(4, exact=True)):
        saved["rounds"] = Fraction(7, 6)
    return st.just(saved)


COINS = Claim(
    id="B16",
    title="Tossing coins saves rounds where nothing may be lost",
    statement=(
        "A policy with coins can write exactly the data although none of its paths does, in fewer "
        "rounds than any policy without coins that loses nothing. Three bits that are not all "
        "equal: two random ones together and then the third take two rounds, always; without "
        "coins it takes three, even on average. Balanced strings of four bits: 5/2 against 11/3. "
        "The fewest expected rounds with coins are the optimum of a linear program."
    ),
    latex=(
        r"\min_y \sum_{c, S} y(c, S) \quad\text{subject to}\quad \sum_S y(c, S) = [c = \emptyset] "
        r"+ \sum_{c', S} y(c', S) \prod_{i \in S} p(c_i \mid c'),\quad q = p,\quad y \ge 0"
    ),
    says="whether randomised policies have a smaller depth at zero error is called open",
    note=(
        "What is exact is the mixture, not each path: the path KL is not 0. Only the question was "
        "seen of this, so it may not be the notion that the paper means; if every path has to be "
        "exact, coins are no use. Among the uniform distributions on sets of sequences of 4 bits, "
        "up to symmetry 401, coins save rounds for 52, and for 16 even where one only draws an "
        "order of sets; of 3 bits, 21, for one; of 2 bits for none (python -m sims.open_questions "
        "depths)."
    ),
    source="question: Wen, Liang, Lu, arXiv 2608.25505 (restated); definitions and answer ours",
    provenance=Provenance.OURS,
    verdict=Verdict.HOLDS,
    checks=(
        Check(
            level=Level.EXACT,
            residual=_written,
            distributions=lambda: st.one_of(
                strategies.joint_tables(lengths=(1, 3), vocabs=(1, 2), most=2, exact=True),
                _witnesses(),
            ),
            planted={"policy": _not_tossed},
        ),
        Check(
            level=Level.EXACT,
            residual=_saves,
            distributions=_witnesses,
            parts=_known_savings,
            planted={"rounds": 2},
        ),
    ),
)
