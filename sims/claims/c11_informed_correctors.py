"""C11: a corrector that chooses its site by what is written moves the data."""

import functools
import itertools
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np

from sims.claims.kit.families import is_table, scattered_tables
from sims.decoding.exact import output_distribution
from sims.policies import BlockCorrector, Decoder, InformedCorrector
from theory import MASK, JointTable, strategies
from theory._core.arrays import to_host
from theory._core.types import Array
from theory.claims import Claim, DoesNotApply, Provenance, Verdict
from theory.claims.kit.generators import every_pattern, symbolic_table
from theory.claims.kit.inequality import excess
from theory.distributions import Distribution

__all__ = ["C11"]

Means = Callable[[np.ndarray, np.ndarray, int], Any]
"""From the table, the probabilities of a site (V,)*L, and the site, to what is summed."""

INFORMED = ("confidence", "current", "margin")

C11 = Claim(
    id="C11",
    title="A corrector that chooses its site by what is written moves the data",
    statement=(
        "A site i is drawn again with probability w_i(x), from p(x_i | x_-i). One round takes p to "
        "p(x) sum_i E[w_i(X) | X_-i = x_-i]: it leaves p as it is iff that sum is 1 wherever p is "
        "positive. A random choice does; choosing by a low largest probability, by a low "
        "probability of the token that is there, or by a small log margin does not. Two exact "
        "repairs: probabilities w_i(x_-i) that do not look at the site itself and sum to at most "
        "1, with the rest staying; or taking the new sequence y with probability "
        "min(1, w_i(y) / w_i(x)). Two sites at once move the data even at random. Off the support "
        "the sum need not be 1. Two nearly equal bits, of which one is rare with a, end up with "
        "the odds squared under the second and the third choice. Of 00, 01 and 10, each with 1/3, "
        "one round makes 00 likelier: 7/18 under the first two, 1/2 under the third, where it "
        "stays. Under the third there are three "
        "bits that end up at a total variation distance of nearly 1."
    ),
    latex=(
        r"(pK)(x) = p(x) \sum_i \mathbb E[w_i(X) \mid X_{-i} = x_{-i}],\qquad "
        r"pK = p \iff \sum_i \mathbb E[w_i(X) \mid X_{-i} = x_{-i}] = 1 \text{ where } p(x) > 0"
    ),
    says=(
        "the documentation of the discrete DDIM scheduler of Diffusers 0.42.1 (read) says that its "
        "sweep keeps the distribution at its level of noise; its default is the log margin"
    ),
    note=(
        "It is true of a random choice of one site. Stationary total variation distances on 20 "
        "tables of 3 sites and 3 tokens, drawn uniformly from all tables, temperature 1: 0.053 by "
        "confidence, 0.128 by the token's probability, 0.201 (at most 0.318) by margin; two random "
        "sites at once 0.178. On two bits the distance under the second choice and on nearly equal "
        "bits reaches 0.150, at a = 0.257. Scores normalised over the sites are no repair even "
        "where each looks at the other sites only. Papers on such correctors: arXiv "
        "2407.21243 and 2605.22765 (abstracts seen)."
    ),
    source="derived here; code of Diffusers read",
    provenance=Provenance.OURS,
    verdict=Verdict.HOLDS,
)


class Weighted(InformedCorrector):
    """Probabilities of the sites that are given for every sequence, (V,)*L + (L,)."""

    def __init__(self, chosen: np.ndarray, steps: int = 1) -> None:
        super().__init__(None, steps)
        self.chosen = chosen

    def site_probabilities(self, tokens: Array, predictions: Array) -> Array:
        return self.chosen[tuple(to_host(tokens).T)]


def _mean(table: np.ndarray, chosen: np.ndarray, site: int) -> Any:
    """The mean given all other sites, times the probability of these."""
    total = (table * chosen).sum(axis=site, keepdims=True)
    return total * _conditional(table, site)


def _itself(table: np.ndarray, chosen: np.ndarray, site: int) -> Any:
    """Planted: without the mean."""
    return table * chosen


def _conditional(table: np.ndarray, site: int) -> np.ndarray:
    """``p(x_i | x_-i)`` for all x, 0 where x_-i is impossible."""
    rest = table.sum(axis=site, keepdims=True)
    return table / np.where(rest == 0, 1, rest)


def _scores(p: Distribution, selection: str, temperature: Any) -> np.ndarray:
    """Probabilities of all sites for all sequences, from the definition, one after the other."""
    power = round(1 / temperature)
    every = np.full((p.vocab,) * p.length + (p.length,), None, dtype=object)
    for x in every_pattern(p, masked=False):
        doubts = []
        for site in range(p.length):
            masked = np.where(np.arange(p.length) == site, MASK, x)
            row = p.denoise(masked, on_impossible="marginal")[site].tolist()
            own, others = row[x[site]], [row[v] for v in range(p.vocab) if v != x[site]]
            above = {"current": 1, "margin": max(others, default=0), "confidence": 1}[selection]
            below = max(row) if selection == "confidence" else own
            doubts.append(None if below == 0 else (above / below) ** power)
        if None in doubts:
            doubts = [int(d is None) for d in doubts]
        doubts = doubts if any(doubts) else [1] * p.length
        total = sum(doubts)
        every[tuple(x)] = [Fraction(d) / total if p.exact else d / total for d in doubts]
    return every if p.exact else every.astype(np.float64)


def _moved(p: Distribution, chosen: np.ndarray, mean: Means) -> Any:
    """Where a round takes p, by the statement."""
    table = to_host(p.table())
    return sum(mean(table, chosen[..., i], i) for i in range(p.length))


@C11.residual(
    "where a round takes the data, for any probabilities of sites",
    exact=strategies.joint_tables(lengths=(1, 3), exact=True),
    parts={"weights": st.lists(st.integers(0, 3), min_size=1, max_size=11)},
    mean=_itself,
)
def any_weights(p: Distribution, weights: Sequence[int], mean: Means = _mean) -> Any:
    """Rational ones that differ from sequence to sequence; alike where all weights are 0."""
    shape = (p.vocab,) * p.length + (p.length,)
    parts = np.resize(np.asarray([Fraction(w) for w in weights], dtype=object), shape)
    parts = np.where((parts != 0).any(axis=-1, keepdims=True), parts, parts * 0 + 1)
    chosen = parts / parts.sum(axis=-1, keepdims=True)
    if not p.exact:
        chosen = chosen.astype(np.float64)
    after = output_distribution(p, Weighted(chosen)).table
    return after - _moved(p, chosen, mean)


@C11.residual(
    "where a round of each choice takes the data",
    exact=strategies.joint_tables(lengths=(1, 3), exact=True),
    floats=strategies.distributions(lengths=(1, 3)),
    parts={
        "selection": st.sampled_from(INFORMED),
        "temperature": st.sampled_from((1, Fraction(1, 2))),
    },
    tolerance=1e-12,
    mean=_itself,
)
def each_choice(p: Distribution, selection: Any, temperature: Any, mean: Means = _mean) -> Any:
    after = output_distribution(p, InformedCorrector(None, 1, selection, temperature)).table
    return after - _moved(p, _scores(p, selection, temperature), mean)


@C11.symbolic("where a round takes two bits, for any probabilities of sites", mean=_itself)
def two_bits(mean: Means = _mean) -> Any:
    """Four free cells and four free probabilities of the first site; and by score, where it can."""
    import sympy

    p = symbolic_table()
    first = np.asarray(sympy.symbols("s t u v", positive=True), dtype=object).reshape(2, 2)
    chosen = np.stack([first, 1 - first], axis=-1)
    residuals = [output_distribution(p, Weighted(chosen)).table - _moved(p, chosen, mean)]
    table = to_host(p.table())
    own = [_conditional(table, i) for i in (0, 1)]
    for selection in ("current", "margin"):
        doubts = [(1 if selection == "current" else 1 - c) / c for c in own]
        chosen = np.stack([d / sum(doubts) for d in doubts], axis=-1)
        q = output_distribution(p, InformedCorrector(None, 1, selection))
        residuals.append(q.table - _moved(p, chosen, mean))
    return residuals


REPAIRED: tuple[tuple[Any, Any], ...] = (
    ("random", None),
    ("confidence", "stay"),
    ("random", "stay"),
    *((selection, "accept") for selection in INFORMED),
)
"""Choices with their repair."""


@C11.residual(
    "q = p after two rounds of a random choice, and of each repair",
    exact=strategies.joint_tables(lengths=(1, 3), exact=True),
    floats=strategies.distributions(lengths=(1, 4)),
    tolerance=1e-12,
    choices=(("confidence", None),),
)
def repaired(p: Distribution, choices: tuple[tuple[Any, Any], ...] = REPAIRED) -> list[Any]:
    before = to_host(p.table())
    return [
        output_distribution(p, InformedCorrector(None, 2, selection, repair=repair)).table - before
        for selection, repair in choices
    ]


def _in_pairs(p: Distribution, steps: int) -> Decoder:
    return BlockCorrector(None, 2, steps)


def _one_by_one(p: Distribution, steps: int) -> Decoder:
    """Planted: a random choice of one site."""
    return BlockCorrector(None, 1, steps)


def _by(selection: Any, p: Distribution, steps: int) -> Decoder:
    return InformedCorrector(None, steps, selection)


LEAST = {"confidence": 0.02, "current": 0.065, "margin": 0.08, "two sites at once": 0.05}
"""Distances that are exceeded after many rounds."""

MOVERS: dict[str, Callable[[Distribution, int], Decoder]] = {
    **{selection: functools.partial(_by, selection) for selection in INFORMED},
    "two sites at once": _in_pairs,
}


@C11.residual(
    "a total variation distance after a hundred rounds from the data",
    named=lambda: scattered_tables(((3, 2), (3, 3), (4, 2))),
    tolerance=1e-12,
    movers={"confidence": _one_by_one},
)
def moves(p: Distribution, movers: Any = None) -> list[Any]:
    return [
        excess(LEAST[name], output_distribution(p, mover(p, 100)).tv)
        for name, mover in (movers or MOVERS).items()
    ]


AT_MOST_ONE = JointTable([[1, 1], [1, 0]], exact=True)
"""The smallest data that each of the three choices moves: 00, 01 and 10."""

AT_00 = {"confidence": Fraction(7, 18), "current": Fraction(7, 18), "margin": Fraction(1, 2)}
"""With which probability they are 00 after one round."""


@C11.residual("where three strings of two bits go", exact=st.just(AT_MOST_ONE), repair="accept")
def three_strings(p: Distribution, repair: Any = None) -> list[Any]:
    """After one round of each choice; a second one by log margin changes nothing."""
    if not is_table(p, AT_MOST_ONE):
        raise DoesNotApply("it is about 00, 01 and 10, each with probability 1/3")
    residuals = []
    for selection in INFORMED:
        rounds = (1, 2) if selection == "margin" else (1,)
        for steps in rounds:
            q = output_distribution(p, InformedCorrector(None, steps, selection, repair=repair))
            rest = (1 - AT_00[selection]) / 2
            written = np.asarray([[AT_00[selection], rest], [rest, 0]], dtype=object)
            residuals.append(q.table - (written if p.exact else written.astype(np.float64)))
    return residuals


TWO_EQUAL = JointTable([[1, 0], [0, 1]], exact=True)


@C11.residual(
    "no change although the sum is 1 on the support only",
    exact=st.just(TWO_EQUAL),
    first=(Fraction(9, 10), Fraction(1, 2), Fraction(1, 2), Fraction(1, 2)),
)
def off_the_support(p: Distribution, first: Sequence[Fraction] = ()) -> list[Any]:
    """The first of two equal bits with 9/10 at 00, 1/5 at 11 and 1/2 else; planted: sums 1.

    The change of p, and the sums, which are 1, 3/10, 17/10 and 1 at 00, 01, 10 and 11.
    """
    if (p.length, p.vocab) != (2, 2) or (to_host(p.table()) != to_host(TWO_EQUAL.table())).any():
        raise DoesNotApply("it is about two bits that are equal, 0 or 1 alike")
    row = first or (Fraction(9, 10), Fraction(1, 2), Fraction(1, 2), Fraction(1, 5))
    one = np.asarray(row, dtype=object if p.exact else np.float64).reshape(2, 2)
    chosen = np.stack([one, 1 - one], axis=-1)
    table = to_host(p.table())
    after = output_distribution(p, Weighted(chosen)).table
    # the mean of w_1 given the second bit, and of w_2 given the first one
    means = np.asarray([[chosen[b, b, 0] + chosen[a, a, 1] for b in (0, 1)] for a in (0, 1)])
    sums = np.asarray([[1, Fraction(3, 10)], [Fraction(17, 10), 1]])
    return [after - table, means - (sums if p.exact else sums.astype(np.float64))]


def _stationary_shares(kernel: Any) -> list[Any]:
    """What a chain (n, n) is stationary in proportion to: minors of the identity minus it."""
    import sympy
    from sympy.polys.matrices import DomainMatrix

    laplacian = DomainMatrix.from_Matrix(sympy.eye(kernel.rows) - kernel).to_field()
    every = range(kernel.rows)
    rest = ([j for j in every if j != i] for i in every)
    return [laplacian.domain.to_sympy(laplacian.extract(kept, kept).det()) for kept in rest]


def _kernel(table: Any, selection: str) -> Any:
    """The chain of a corrector on the sequences of a positive table of bits, as a matrix."""
    import sympy

    sequences = list(itertools.product((0, 1), repeat=table.ndim))
    matrix = sympy.zeros(len(sequences), len(sequences))
    own = [_conditional(table, i) for i in range(table.ndim)]
    for row, x in enumerate(sequences):
        doubts = [(1 if selection == "current" else 1 - c[x]) / c[x] for c in own]
        for i, doubt in enumerate(doubts):
            for v in (0, 1):
                y = (*x[:i], v, *x[i + 1 :])
                matrix[row, sequences.index(y)] += doubt / sum(doubts) * own[i][y]
    return matrix.applyfunc(sympy.cancel)


@C11.symbolic("two nearly equal bits with their odds squared in the end", power=1)
def odds_squared(power: int = 2) -> list[Any]:
    """Bits that differ with probability 2 e and are 0 with probability a, as e tends to 0."""
    import sympy

    a, e = sympy.symbols("a e", positive=True)
    table = np.asarray([[a - e, e], [e, 1 - a - e]], dtype=object)
    residuals = []
    for selection in ("current", "margin"):
        shares = _stationary_shares(_kernel(table, selection))
        odds = sympy.cancel(shares[0] / shares[3]).subs(e, 0)
        residuals.append(sympy.cancel(odds - (a / (1 - a)) ** power))
    return residuals


@C11.residual(
    "three bits that the log margin takes far away, and a chain that is the corrector's",
    exact=st.sampled_from((10**4, 10**5)).map(lambda n: _trap(n)),
    selection="current",
)
def trap(p: Distribution, selection: Any = "margin") -> list[Any]:
    """Nine times in ten 110, else 001 or 101, and anything else only rarely.

    At 001 and 101 the first bit is drawn again and again, so that nothing else is reached from
    there. The stationary distribution is more than 0.85 away, and a round of the corrector on it
    changes nothing.
    """
    if p.length != 3 or p.vocab != 2 or not p.exact or (to_host(p.table()) == 0).any():
        raise DoesNotApply("it is about tables of three bits without zeros, in fractions")
    table = to_host(p.table())
    if not table[1, 1, 0] >= Fraction(89, 100) or table[0, 0, 1] != table[1, 0, 1]:
        raise DoesNotApply("it is about three bits that are 110 nine times in ten")
    matrix = _kernel(table, selection)
    kernel = np.asarray(matrix.tolist(), dtype=object)
    q = output_distribution(p, InformedCorrector(None, 1, selection)).table.reshape(-1)
    shares = _stationary_shares(matrix)
    stationary = [Fraction(int(s.p), int(s.q)) for s in (v / sum(shares) for v in shares)]
    pairs = zip(stationary, table.reshape(-1), strict=True)
    distance = sum(abs(s - t) for s, t in pairs) / 2
    one_round = (table.reshape(-1) @ kernel) - q
    return [*one_round.tolist(), excess(Fraction(17, 20), distance)]


def _trap(rarely: int) -> JointTable:
    weights = np.ones((2, 2, 2), dtype=np.int64)
    weights[0, 0, 1] = weights[1, 0, 1] = 5 * rarely
    weights[1, 1, 0] = 90 * rarely
    return JointTable(weights, exact=True)
