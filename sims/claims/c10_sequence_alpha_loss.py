"""C10: a loss on whole sequences gives up one sentence to write valid ones."""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np

from sims.decoding.exact import output_distribution
from sims.policies import LeftToRight
from theory import JointTable, strategies
from theory._core.arrays import log, to_host
from theory.claims import Check, Claim, Level, Provenance, Verdict
from theory.claims.kit.generators import Size, by_size
from theory.claims.kit.inequality import excess
from theory.claims.kit.result import DoesNotApply
from theory.distributions import Distribution
from theory.loss.alpha_loss import best_product, best_share, sentences, sequence_alpha_objective

__all__ = ["SEQUENCE_ALPHA_LOSS"]

SWITCH = math.log2(1.5)


def _some_product(p: Distribution, weights: Sequence[int]) -> Any:
    """A product (L, V) with rows from integers, exact if p is; no entry is 0."""
    size = p.length * p.vocab
    numbers = np.resize(np.asarray(weights, dtype=object), size).reshape(p.length, p.vocab)
    rows = [[Fraction(int(w), int(sum(row))) for w in row] for row in numbers]
    product = np.asarray(rows, dtype=object)
    return product if p.exact else product.astype(np.float64)


def _ends(p: Distribution, weights: Sequence[int], swapped: bool = False) -> list[Any]:
    """By how much a product beats the likeliest sequence at 1, and the marginals at 0.

    At 0 it is the mean logarithm that counts.
    """
    product, table = _some_product(p, weights), to_host(p.table())
    at_one = sequence_alpha_objective(p, product, 1)
    marginals = to_host(p.marginals)
    better, best = (marginals, product) if swapped else (product, marginals)
    happens = np.argwhere(table != 0)
    gain: Any = 0
    for x in happens:
        for i, v in enumerate(x):
            pair = log(np.asarray([better[i, v], best[i, v]]))
            gain = gain + table[tuple(x)] * (pair[0] - pair[1])
    return [excess(at_one, table.max()), excess(gain, 0)]


def _nobody_is_better(
    p: Distribution, weights: Sequence[int], alpha: float, share: float = 1.0
) -> Any:
    """By how much a product beats (a share of) the best one that was found."""
    product = _some_product(p, weights).astype(np.float64)
    value = float(sequence_alpha_objective(p, product, alpha))
    return excess(value, share * best_product(p, alpha).value)


def _family(p: Distribution) -> Any:
    """Probability w of a sentence of two words; all others, equally likely, share the second.

    Returns w, the number of others and the sentences, that of probability w first; None if p is
    no such distribution.
    """
    support = np.argwhere(to_host(p.table()) != 0).tolist()
    if p.length != 2 or len(support) < 3 or len({first for first, _ in support}) < len(support):
        return None
    lasts = [last for _, last in support]
    alone = [x for x in support if lasts.count(x[1]) == 1]
    if len(alone) != 1 or len(set(lasts)) != 2:
        return None
    others = [x for x in support if x != alone[0]]
    values = [to_host(p.table())[tuple(x)] for x in others]
    if any(abs(v - values[0]) > (0 if p.exact else 1e-12) for v in values):
        return None
    return to_host(p.table())[tuple(alone[0])], len(others), [*alone, *others]


def _switch(p: Distribution, groups: int = 1) -> list[Any]:
    """Cross-entropy's invalid mass ``2 w (1-w)``; equal scores at ``log_m((1-w) / w)``."""
    found = _family(p)
    if found is None:
        raise DoesNotApply("it is about one sequence of its own and equally likely others")
    w, m, sequences = found
    q = output_distribution(p, LeftToRight(2))
    invalid = 1 - q.valid_mass - 2 * w * (1 - w)
    if not p.exact or not w < 1 - w <= m * w:  # else the switch is not between 0 and 1
        return [invalid]
    import sympy

    one, every = Fraction(1), Fraction(1, m * groups)
    first, third = (np.full((2, p.vocab), Fraction(0), dtype=object) for _ in range(2))
    first[[0, 1], sequences[0]] = one
    third[0, [x for x, _ in sequences[1:]]] = every
    third[0, sequences[1][0]] += 1 - m * every
    third[1, sequences[1][1]] = one
    odds = (1 - w) / w
    alpha = sympy.log(sympy.Rational(odds.numerator, odds.denominator)) / sympy.log(m)
    scores = [sequence_alpha_objective(p, product, alpha) for product in (first, third)]
    return [invalid, sympy.simplify(scores[0] - w), sympy.simplify(scores[1] - w)]


def _sentences_like() -> Any:
    """One sentence, and two to four equally likely others."""

    def build(drawn: tuple[int, int, int]) -> JointTable:
        m, alone, each = drawn
        weights = np.zeros((m + 2, m + 2), dtype=np.int64)
        weights[m, m], weights[:m, m + 1] = alone, each
        return JointTable(weights, exact=True)

    return st.tuples(st.integers(2, 4), st.integers(1, 6), st.integers(1, 6)).map(build)


def _stationary(power: int = 1) -> list[Any]:
    """Slopes of the score of two sentences at the closed form, which has odds r.

    The first weighs ``r^(1 - 2 alpha)`` times the second.
    """
    import sympy

    alpha, r = sympy.symbols("alpha r", positive=True)
    a = r / (1 + r)
    first, second = r ** (power - 2 * alpha), 1
    slope = first * a ** (2 * alpha - 1) - second * (1 - a) ** (2 * alpha - 1)
    return [sympy.simplify(sympy.powsimp(sympy.expand_power_base(slope, force=True)))]


def _picture(p: Distribution, late: float = 0.0) -> list[float]:
    """The three sentences: shares by the closed form below 1/2, then one group, then the other."""
    residuals = []
    for alpha in (0.0, 0.1, 0.25, 0.4, 0.45, 0.5, 0.55, SWITCH - 0.01, SWITCH + 0.01, 0.75, 1.0):
        found = best_product(p, alpha)
        share = best_share(0.4, 0.6 * 2**-alpha, 2, alpha)
        if alpha >= 0.5:
            share = float(alpha > SWITCH + late)
        residuals.append(found.sites[0, 0] - share)
        residuals.append(found.sites[1, 3] - share)
    return residuals


@by_size
def _product(p: Size) -> dict[str, Any]:
    weights = st.lists(st.integers(1, 6), min_size=1, max_size=7)
    return {"weights": weights}


@by_size
def _product_and_alpha(p: Size) -> dict[str, Any]:
    weights = st.lists(st.integers(1, 6), min_size=1, max_size=7)
    alphas = st.integers(1, 10).map(lambda k: k / 10)
    return {"weights": weights, "alpha": alphas}


SEQUENCE_ALPHA_LOSS = Claim(
    id="C10",
    title="A loss on sequences switches between valid sentences",
    statement=(
        'On "I am" (0.4), "he is" and "she is" (0.3 each), the one-round product that '
        "cross-entropy finds puts 0.48 on invalid text. The product that maximises the mean of "
        'q(x)^alpha is "he is" or "she is", evenly, for alpha from 1/2 to log2 1.5 = 0.585, and '
        '"I am" above. Below 1/2 it is interior: "I" and "am" have the odds '
        "(2^(alpha + 1) / 3)^(1 / (1 - 2 alpha)), which are 2/3 at 0 and fall to 0."
    ),
    latex=(
        r"\max_{q = \otimes q_i} \sum_x p(x)\, q(x)^\alpha:\qquad \frac{a}{1 - a} = "
        r"\Bigl(\frac{0.4}{0.6 \cdot 2^{-\alpha}}\Bigr)^{1/(1 - 2\alpha)} \ (\alpha < \tfrac12), "
        r"\qquad 0.4 = 0.6 \cdot 2^{-\alpha} \Leftrightarrow \alpha = \log_2 \tfrac32"
    ),
    says="0.48 on invalid text, and the switch at log2 1.5",
    note=(
        "The interior is ours. Invalid text has 2a(1-a): 0.48 at alpha 0, 0.474 at 1/4, 0.405 at "
        "0.45, 0.069 at 0.49, and none from 1/2 on. So what is valid costs all mass of one group. "
        "The score of L sites is concave for alpha <= 1/L; above, maxima can lie on the boundary. "
        "For one sentence of probability w and m others that share their last word the two score "
        "alike at log_m((1 - w) / w); they are the best there if that is 1/2 or more, and else "
        "the optimum is interior and moves without a jump (w = 0.4, m = 4)."
    ),
    source="AlphaDLM (read): the example and the switch; what happens below 1/2 is derived here",
    provenance=Provenance.SOURCE,
    verdict=Verdict.HOLDS,
    checks=(
        Check(level=Level.SYMBOLIC, residual=_stationary, planted={"power": 2}),
        Check(
            level=Level.EXACT,
            residual=_switch,
            distributions=_sentences_like,
            planted={"groups": 2},
        ),
        Check(
            level=Level.EXACT,
            residual=_ends,
            distributions=lambda: strategies.joint_tables(lengths=(1, 3), exact=True),
            parts=_product,
            planted={"swapped": True},
        ),
        Check(
            level=Level.PROPERTY,
            residual=_nobody_is_better,
            distributions=lambda: strategies.distributions(lengths=(1, 3), vocabs=(1, 3)),
            parts=_product_and_alpha,
            planted={"share": 0.5},
            tolerance=1e-11,
        ),
        Check(
            level=Level.NUMERIC,
            residual=_picture,
            named=lambda: {"I am, he is, she is": sentences()},
            planted={"late": 0.1},
            tolerance=1e-10,
        ),
    ),
)
