"""D5: predictions get smoother with the distance from a known past, on average."""

import itertools
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np

from theory import JointTable, MarkovChain, homogenization, strategies
from theory._core.arrays import to_host, xlogx
from theory.claims.kit.claim import Check, Claim, Provenance, Verdict
from theory.claims.kit.generators import start_as_it_is, stationary_start
from theory.claims.kit.inequality import closeness, excess
from theory.claims.kit.result import Level, as_chain
from theory.distributions import Distribution

__all__ = ["SMOOTHING"]

SITES = 5
"""Length of the chains that are looked at."""


# ---- convexity ------------------------------------------------------------------------------


def _less_one(x: Any) -> Any:
    import sympy

    return x * sympy.log(x) - x + 1


def _plus_one(x: Any) -> Any:
    """Planted: the wrong sign."""
    import sympy

    return x * sympy.log(x) + x + 1


def _convex(term: Callable[[Any], Any] = _less_one) -> list[Any]:
    """Entropy: the gap is a mean divergence, and its terms have their minimum 0 where x is 1.

    The divergence of q from a mean m is ``sum m f(q / m)`` with ``f(x) = x ln x - x + 1``, if
    both sum to the same. So it is not negative if f is 0 and flat at 1, and convex.
    """
    import sympy

    w, v, a, b, c, d, x = sympy.symbols("w v a b c d x", positive=True)
    told, mean = ((a, b), (c, d)), (w * a + v * c, w * b + v * d)
    gap: Any = sum(-m * sympy.log(m) for m in mean)
    gap += sum(s * q * sympy.log(q) for s, row in zip((w, v), told, strict=True) for q in row)
    for share, row in zip((w, v), told, strict=True):
        for q, m in zip(row, mean, strict=True):
            gap -= share * (m * term(q / m) + q - m)
    slope = sympy.diff(term(x), x)
    return [sympy.expand_log(gap.expand()), term(sympy.Integer(1)), slope.subs(x, 1)]


def _curved(power: int = 1) -> Any:
    """The second derivative of that term is 1/x, which is positive."""
    import sympy

    x = sympy.Symbol("x", positive=True)
    return sympy.diff(_less_one(x), x, 2) - x**-power


def _top_of_mean(sign: int = 1) -> list[Any]:
    """Top mass: what a mean lacks of the mean of the maxima is a sum of what each q lacks.

    With ``max q_k = q_k(v) + lack_k``; returned are coefficients that are negative.
    """
    import sympy

    shares = sympy.symbols("w:3", positive=True)
    lacks = sympy.symbols("lack:3", nonnegative=True)
    tokens = sympy.symbols("q:3", nonnegative=True)
    maxima = [q + sign * lack for q, lack in zip(tokens, lacks, strict=True)]
    gap = sum(w * (top - q) for w, top, q in zip(shares, maxima, tokens, strict=True))
    return [c for c in sympy.Poly(gap, *shares, *lacks, *tokens).coeffs() if c < 0]


# ---- stationary chains ----------------------------------------------------------------------


Start = Callable[[MarkovChain], np.ndarray]


def _falls(values: Sequence[Any]) -> list[Any]:
    return [excess(before, after) for before, after in itertools.pairwise(values)]


def _from_the_first(p: MarkovChain, start: Start) -> homogenization.Measures:
    """Means at all distances from the first token, of the same steps from another start."""
    steps = to_host(p.transition)
    return homogenization.average(MarkovChain(start(p), steps, SITES, exact=p.exact), [0])


def _entropy_falls(p: Distribution, start: Start = stationary_start) -> list[Any]:
    """By how much mean entropy falls from one distance to the next."""
    p = as_chain(p)
    return _falls(_from_the_first(p, start).entropy.tolist())


def _top_grows(p: Distribution, start: Start = stationary_start) -> list[Any]:
    """By how much mean top mass grows from one distance to the next."""
    p = as_chain(p)
    return _falls(_from_the_first(p, start).top_mass[::-1, 0].tolist())


def _nearest(p: Distribution) -> float:
    """The share of the mean top mass that is left at the next distance."""
    if not isinstance(p, MarkovChain):
        return float("nan")
    top = _from_the_first(p, stationary_start).top_mass[:, 0].tolist()
    return closeness(top[1], top[0])


# ---- two tokens of the past, and why one is not enough --------------------------------------


def _second_order(weights: Sequence[int], start: Start = stationary_start) -> JointTable:
    """Four stationary bits, of which each depends on the two before it."""
    chances = [Fraction(w, 8) for w in weights]  # of a 1, after 00, 01, 10, 11
    steps = np.full((4, 4), Fraction(0), dtype=object)
    for pair, one in enumerate(chances):
        for bit, chance in ((0, 1 - one), (1, one)):
            steps[pair, pair % 2 * 2 + bit] = chance
    pairs = MarkovChain([1, 0, 0, 0], steps, 2, exact=True)
    law, table = start(pairs), np.empty((2,) * 4, dtype=object)
    for x in itertools.product((0, 1), repeat=4):
        chance = law[2 * x[0] + x[1]]
        for i in (2, 3):
            chance = chance * steps[2 * x[i - 2] + x[i - 1], 2 * x[i - 1] + x[i]]
        table[x] = chance
    return JointTable(table, exact=True)


def _two_known(
    p: Distribution, weights: Sequence[int], start: Start = stationary_start
) -> list[Any]:
    """The same with two tokens revealed, where each depends on the two before it."""
    seen = homogenization.average(_second_order(weights, start), [0, 1])
    return [*_falls(seen.entropy.tolist()), *_falls(seen.top_mass[::-1, 0].tolist())]


def _interleaved(p: Distribution, flip: Fraction, near: int = 0) -> list[Any]:
    """Two chains of bits in turn: one token back tells nothing, two back tells something.

    Entropies at distances 1 and 2 from one revealed token, which fall: ln 2 and h(flip).
    """
    half, other = Fraction(1, 2), 1 - flip
    weights = [[[other, flip], [flip, other]]] * 2  # x0, x2 first, then the free bit between
    table = np.asarray(weights, dtype=object).transpose(1, 0, 2) / 4
    seen = homogenization.average(JointTable(table, exact=True), [near])
    expected = [-2 * xlogx(np.asarray([half]))[0], -xlogx(np.asarray([flip, other])).sum()]
    return [a - b for a, b in zip(seen.entropy, expected, strict=True)]


def _after_a(p: Distribution, start: int = 0) -> Any:
    """After a the next token is b or c, and after these e: top mass 1/2, then 1."""
    half, one = Fraction(1, 2), Fraction(1)
    steps = [[0, half, half, 0], [0, 0, 0, one], [0, 0, 0, one], [one, 0, 0, 0]]
    chain = MarkovChain([Fraction(1, 4)] * 4, steps, 3, exact=True)
    top = homogenization.measure(chain, [start, -1, -1]).top_mass[:, 0]
    return top - np.asarray([half, one])


def _any_table() -> Any:
    return strategies.joint_tables(lengths=(1, 1), vocabs=(2, 2), exact=True)


SMOOTHING = Claim(
    id="D5",
    title="Predictions get smoother with distance, on average",
    statement=(
        "For stationary data with the past revealed, the mean entropy of the prediction never "
        "falls with the distance and the mean top mass never grows: a prediction one site further "
        "is in law the mean of predictions that know one token more, entropy is concave and "
        "the maximum convex. Revealed must be as much of the past as matters: all of it, or m "
        "tokens of a chain of order m. For one context it is false: after a, b or c and then "
        "e, the top mass is 1/2 and then 1. So it is where less of the past is revealed: of two "
        "chains in turn the nearest token tells nothing, the one before it does."
    ),
    latex=(
        r"H(X_{n+1} \mid X_{\le 0}) \ge H(X_{n+1} \mid X_{\le 1}) = H(X_n \mid X_{\le 0});\quad "
        r"\mathbb E \max_v p(X_{n+1} = v \mid X_{\le 0}) \le "
        r"\mathbb E \max_v p(X_n = v \mid X_{\le 0})"
    ),
    says="far masks get smooth predictions with little information (R2, restated); this is ours",
    note=(
        "The symbolic checks are of what the argument rests on: the gap in entropy is a mean "
        "divergence, which is not negative, and the gap in top mass is a sum of terms that are "
        "not. The argument needs a stationary start; the planted violation is any other."
    ),
    source="derived here",
    provenance=Provenance.OURS,
    verdict=Verdict.CONDITIONAL,
    checks=(
        Check(level=Level.SYMBOLIC, residual=_convex, planted={"term": _plus_one}),
        Check(level=Level.SYMBOLIC, residual=_curved, planted={"power": 2}),
        Check(level=Level.SYMBOLIC, residual=_top_of_mean, planted={"sign": -1}),
        Check(
            level=Level.EXACT,
            residual=_entropy_falls,
            distributions=lambda: strategies.chains(lengths=(1, 1), most=2, exact=True),
            planted={"start": start_as_it_is},
        ),
        Check(
            level=Level.EXACT,
            residual=_top_grows,
            distributions=lambda: strategies.chains(lengths=(1, 1), most=2, exact=True),
            planted={"start": start_as_it_is},
            tightness=_nearest,
        ),
        Check(
            level=Level.EXACT,
            residual=_two_known,
            of_its_own=True,
            distributions=_any_table,
            parts=lambda p: {"weights": st.lists(st.sampled_from((1, 4)), min_size=4, max_size=4)},
            planted={"start": start_as_it_is},
        ),
        Check(
            level=Level.EXACT,
            residual=_interleaved,
            of_its_own=True,
            distributions=_any_table,
            parts=lambda p: {"flip": strategies.rationals()},
            planted={"near": 2},
        ),
        Check(
            level=Level.EXACT,
            residual=_after_a,
            of_its_own=True,
            distributions=_any_table,
            planted={"start": 3},
        ),
        Check(
            level=Level.PROPERTY,
            residual=_entropy_falls,
            distributions=lambda: strategies.chains(lengths=(1, 1), vocabs=(1, 4)),
            planted={"start": start_as_it_is},
            tolerance=1e-10,
        ),
        Check(
            level=Level.PROPERTY,
            residual=_top_grows,
            distributions=lambda: strategies.chains(lengths=(1, 1), vocabs=(1, 4)),
            planted={"start": start_as_it_is},
            tolerance=1e-10,
            tightness=_nearest,
        ),
    ),
)
