"""C10: a loss on whole sequences gives up one sentence to write valid ones."""

import math
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np

from sims.decoding.exact import output_distribution
from sims.policies import LeftToRight
from theory import JointTable, strategies
from theory._core.arrays import log, to_host
from theory.claims import Claim, DoesNotApply, Provenance, Verdict
from theory.claims.kit.inequality import excess
from theory.distributions import Distribution
from theory.loss.alpha_loss import best_product, best_share, sentences, sequence_alpha_objective

__all__ = ["C10"]

C10 = Claim(
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
)


@C10.symbolic("the closed form of two sentences as a stationary point", power=2)
def stationary(power: int = 1) -> Any:
    """At odds r the first sentence weighs ``r^(1 - 2 alpha)`` times the second."""
    import sympy

    alpha, r = sympy.symbols("alpha r", positive=True)
    a = r / (1 + r)
    first, second = r ** (power - 2 * alpha), 1
    slope = first * a ** (2 * alpha - 1) - second * (1 - a) ** (2 * alpha - 1)
    return sympy.simplify(sympy.powsimp(sympy.expand_power_base(slope, force=True)))


@st.composite
def _one_and_others(draw: st.DrawFn) -> JointTable:
    """One sentence, and two to four equally likely others that share their last word."""
    m = draw(st.integers(2, 4))
    weights = np.zeros((m + 2, m + 2), dtype=np.int64)
    weights[m, m], weights[:m, m + 1] = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    return JointTable(weights, exact=True)


def _as_one_and_others(p: Distribution) -> tuple[Any, list[list[int]]]:
    """The probability of the one sentence of two words, and all sentences, that one first."""
    table = to_host(p.table())
    happens = np.argwhere(table != 0).tolist()
    if p.length == 2 and len(happens) > 2:
        lasts = Counter(last for _, last in happens)
        one, *others = sorted(happens, key=lambda x: lasts[x[1]])
        masses = [table[tuple(x)] for x in others]
        alike = all(abs(v - masses[0]) <= (0 if p.exact else 1e-12) for v in masses)
        firsts = {first for first, _ in happens}
        if alike and sorted(lasts.values()) == [1, len(others)] and len(firsts) == len(happens):
            return table[tuple(one)], [one, *others]
    raise DoesNotApply("it is about one sequence of its own and equally likely others")


@C10.residual(
    "the invalid mass and the switch of one sentence and equally likely others",
    exact=_one_and_others(),
    groups=2,
)
def switch(p: Distribution, groups: int = 1) -> list[Any]:
    w, sequences = _as_one_and_others(p)
    m = len(sequences) - 1
    invalid = 1 - output_distribution(p, LeftToRight(2)).valid_mass - 2 * w * (1 - w)
    if not p.exact or not w < 1 - w <= m * w:  # else the switch is not between 0 and 1
        return [invalid]
    import sympy

    one, every = Fraction(1), Fraction(1, m * groups)
    first, third = (np.full((2, p.vocab), Fraction(0), dtype=object) for _ in range(2))
    first[[0, 1], sequences[0]] = one
    third[0, [x for x, _ in sequences[1:]]] = every
    third[0, sequences[1][0]] += 1 - m * every
    third[1, sequences[1][1]] = one
    alpha = sympy.log(sympy.Rational((1 - w) / w)) / sympy.log(m)
    scores = [sequence_alpha_objective(p, product, alpha) for product in (first, third)]
    return [invalid, *(sympy.simplify(score - w) for score in scores)]


def _some_product(p: Distribution, weights: Sequence[int]) -> np.ndarray:
    """A product (L, V) with rows from integers, exact if p is; no entry is 0."""
    rows = np.resize(np.asarray([Fraction(w) for w in weights]), (p.length, p.vocab))
    product = rows / rows.sum(axis=1, keepdims=True)
    return product if p.exact else product.astype(np.float64)


WEIGHTS = st.lists(st.integers(1, 6), min_size=1, max_size=7)


@C10.residual(
    "the likeliest sequence at 1 and the marginals at 0 as the best products",
    exact=strategies.joint_tables(lengths=(1, 3), exact=True),
    parts={"weights": WEIGHTS},
    swapped=True,
)
def ends(p: Distribution, weights: Sequence[int], swapped: bool = False) -> list[Any]:
    product, table = _some_product(p, weights), to_host(p.table())
    marginals = to_host(p.marginals)
    happens = np.argwhere(table != 0)

    def mean_log(q: np.ndarray) -> Any:
        return (table[table != 0] * log(q[np.arange(p.length), happens]).sum(axis=1)).sum()

    gain = mean_log(product) - mean_log(marginals)
    at_one = sequence_alpha_objective(p, product, 1)
    return [excess(at_one, table.max()), excess(-gain if swapped else gain, 0)]


@C10.residual(
    "the best product that was found against others",
    floats=strategies.distributions(lengths=(1, 3), vocabs=(1, 3)),
    parts={"weights": WEIGHTS, "alpha": st.integers(1, 10).map(lambda k: k / 10)},
    tolerance=1e-11,
    share=0.5,
)
def nobody_is_better(
    p: Distribution, weights: Sequence[int], alpha: float, share: float = 1.0
) -> Any:
    product = _some_product(p, weights).astype(np.float64)
    value = float(sequence_alpha_objective(p, product, alpha))
    return excess(value, share * best_product(p, alpha).value)


@C10.residual(
    "the closed form below 1/2 and the switch at log2 1.5",
    named=lambda: {"I am, he is, she is": sentences()},
    late=0.1,
)
def picture(p: Distribution, late: float = 0.0) -> list[float]:
    residuals, log2_15 = [], math.log2(1.5)
    near = (log2_15 - 0.01, log2_15 + 0.01)
    for alpha in (0.0, 0.1, 0.25, 0.4, 0.45, 0.5, 0.55, *near, 0.75, 1.0):
        found = best_product(p, alpha)
        if alpha < 0.5:
            share = best_share(0.4, 0.6 * 2**-alpha, 2, alpha)
        else:
            share = float(alpha > log2_15 + late)
        residuals += [found.sites[0, 0] - share, found.sites[1, 3] - share]
    return residuals
