"""D5: the mean entropy of predictions grows with the distance from what is observed."""

import itertools
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np

from theory import JointTable, MarkovChain, homogenization, strategies
from theory._core.bound import Bound
from theory._core.types import Number
from theory.claims.kit.claim import Claim, Provenance, Verdict
from theory.claims.kit.generators import bit_entropy, start_as_it_is, stationary_start
from theory.claims.kit.inequality import excess
from theory.claims.kit.result import as_chain
from theory.distributions import Distribution

__all__ = ["D5"]

SITES = 5  # length of the chains that are looked at

CHAINS: dict[str, Any] = {
    "exact": strategies.chains(lengths=(1, 1), most=2, exact=True),
    "floats": strategies.chains(lengths=(1, 1), vocabs=(1, 4)),
}

D5 = Claim(
    id="D5",
    title="Predictions get smoother with distance, on average",
    statement=(
        "For stationary data with the past revealed, the mean entropy of the prediction never "
        "falls with the distance and the mean top mass never grows: a prediction one site further "
        "is in distribution the mean of predictions that know one token more, entropy is concave "
        "and the maximum convex. Revealed must be as much of the past as matters: all of it, or m "
        "tokens of a chain of order m. For one context it is false: after a, b or c and then "
        "e, the top mass is 1/2 and then 1; of bits of which no two in a row are 1, after 0 it is "
        "1/2 and then 3/4. So it is where less of the past is revealed: of two "
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
)


def _less_one(x: Any) -> Any:
    import sympy

    return x * sympy.log(x) - x + 1


@D5.symbolic(
    "the gap in entropy is a mean divergence",
    term=lambda x: _less_one(x) + 2 * x,  # the wrong sign
)
def entropy_gap(term: Callable = _less_one) -> list[Any]:
    """Its terms have their minimum 0 where x is 1.

    The divergence of q from a mean m is ``sum m f(q / m)`` with ``f(x) = x ln x - x + 1``, if
    both sum to the same. So it is not negative if f is 0 and flat at 1, and convex.
    """
    import sympy

    w, v, a, b, c, d, x = sympy.symbols("w v a b c d x", positive=True)
    gap: Any = 0
    for columns in ((a, c), (b, d)):  # what each of two predictions gives a token
        mean = w * columns[0] + v * columns[1]
        gap -= mean * sympy.log(mean)
        for share, q in zip((w, v), columns, strict=True):
            gap += share * (q * sympy.log(q) - mean * term(q / mean) - q + mean)
    slope = sympy.diff(term(x), x)
    return [sympy.expand_log(gap.expand()), term(sympy.Integer(1)), slope.subs(x, 1)]


@D5.symbolic("its terms are convex", power=2)
def convex(power: int = 1) -> Any:
    """The second derivative of such a term is 1/x, which is positive."""
    import sympy

    x = sympy.Symbol("x", positive=True)
    return sympy.diff(_less_one(x), x, 2) - x**-power


@D5.symbolic("the gap in top mass has no negative term", sign=-1)
def top_mass_gap(sign: int = 1) -> Number:
    """What a mean lacks of the mean of the maxima is a sum of what each q lacks.

    With ``max q_k = q_k(v) + lack_k``.
    """
    import sympy

    shares = sympy.symbols("w:3", positive=True)
    lacks = sympy.symbols("lack:3", nonnegative=True)
    tokens = sympy.symbols("q:3", nonnegative=True)
    maxima = [q + sign * lack for q, lack in zip(tokens, lacks, strict=True)]
    gap = sum(w * (top - q) for w, top, q in zip(shares, maxima, tokens, strict=True))
    return excess(0, gap)


def _from_the_first(p: Distribution, start: Callable) -> homogenization.Measures:
    """Means at all distances from the first token, of the same steps from another start."""
    p = as_chain(p)
    chain = MarkovChain(start(p), p.transition, SITES, exact=p.exact)
    return homogenization.average(chain, [0])


def _falls(values: Any) -> list[Number]:
    return [excess(before, after) for before, after in itertools.pairwise(values.tolist())]


@D5.residual(
    "mean entropy never falls with the distance",
    **CHAINS,
    start=start_as_it_is,
)
def entropy_grows(p: Distribution, start: Callable = stationary_start) -> list[Number]:
    return _falls(_from_the_first(p, start).entropy)


@D5.residual(
    "mean top mass never grows with the distance",
    **CHAINS,
    start=start_as_it_is,
)
def top_mass_falls(p: Distribution, start: Callable = stationary_start) -> list[Any]:
    top = _from_the_first(p, start).top_mass[:, 0]
    near, farther = top[:2].tolist()  # beyond, the means hardly move: that says little of tightness
    return [Bound(farther, near), *_falls(top[::-1])]


ANY_TABLE = strategies.joint_tables(lengths=(1, 1), vocabs=(2, 2), exact=True)


@D5.residual(
    "after two tokens, where each depends on two",
    exact=ANY_TABLE,
    of_its_own=True,
    parts={"weights": st.lists(st.sampled_from((1, 4)), min_size=4, max_size=4)},
    start=start_as_it_is,
)
def second_order(
    p: Distribution, weights: Sequence[int], start: Callable = stationary_start
) -> list[Number]:
    """Four stationary bits; `weights` are eighths of a 1 after 00, 01, 10 and 11."""
    steps = np.full((2, 2, 2, 2), Fraction(0), dtype=object)  # from a pair to the next one
    for a, b, c in itertools.product((0, 1), repeat=3):
        one = Fraction(weights[2 * a + b], 8)
        steps[a, b, b, c] = one if c else 1 - one
    pairs = start(MarkovChain([1, 0, 0, 0], steps.reshape(4, 4), 2, exact=True)).reshape(2, 2)
    table = np.empty((2,) * 4, dtype=object)
    for a, b, c, d in itertools.product((0, 1), repeat=4):
        table[a, b, c, d] = pairs[a, b] * steps[a, b, b, c] * steps[b, c, c, d]
    seen = homogenization.average(JointTable(table, exact=True), [0, 1])
    return [*_falls(seen.entropy), *_falls(seen.top_mass[::-1, 0])]


@D5.residual(
    "two chains in turn",
    exact=ANY_TABLE,
    of_its_own=True,
    parts={"flip": strategies.rationals()},
    near=2,
)
def interleaved(p: Distribution, flip: Fraction, near: int = 0) -> list[Number]:
    """Of two chains of bits, one token back tells nothing, two back tells something.

    Entropies at distances 1 and 2 from one revealed token, which fall: ln 2 and h(flip).
    """
    half, other = Fraction(1, 2), 1 - flip
    weights = [[[other, flip], [flip, other]]] * 2  # x0, x2 first, then the free bit between
    table = np.asarray(weights, dtype=object).transpose(1, 0, 2) / 4
    seen = homogenization.average(JointTable(table, exact=True), [near])
    return list(seen.entropy - np.asarray([bit_entropy(half), bit_entropy(flip)]))


@D5.residual("one context: a, then b or c, then e", exact=ANY_TABLE, of_its_own=True, start=3)
def after_a(p: Distribution, start: int = 0) -> Any:
    """After a the next token is b or c, and after these e: top mass 1/2, then 1."""
    half, one = Fraction(1, 2), Fraction(1)
    steps = [[0, half, half, 0], [0, 0, 0, one], [0, 0, 0, one], [one, 0, 0, 0]]
    chain = MarkovChain([Fraction(1, 4)] * 4, steps, 3, exact=True)
    top = homogenization.measure(chain, [start, -1, -1]).top_mass[:, 0]
    return top - np.asarray([half, one])


@D5.residual("one context: 0, if no two in a row are 1", exact=ANY_TABLE, of_its_own=True, seen=1)
def after_0(p: Distribution, seen: int = 0) -> Any:
    """After 0 a fair bit, after 1 always 0: top mass 1/2, then 3/4."""
    half, third = Fraction(1, 2), Fraction(1, 3)
    chain = MarkovChain([2 * third, third], [[half, half], [1, 0]], 3, exact=True)
    top = homogenization.measure(chain, [seen, -1, -1]).top_mass[:, 0]
    return top - np.asarray([half, Fraction(3, 4)])
