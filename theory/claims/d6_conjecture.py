"""D6: the conjecture that far masks become alike, refuted as stated by five kinds of data."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np

from theory import Exchangeable, MarkovChain, ProductMixture, gallery, homogenization, strategies
from theory._core.arrays import to_host
from theory._core.types import Number
from theory.claims.kit.claim import Claim, Provenance, Verdict
from theory.claims.kit.generators import bit_entropy, flips
from theory.claims.kit.result import DoesNotApply, as_chain
from theory.distributions import Distribution

__all__ = ["D6"]

UNIFORM_TOL = 1e-12  # float probabilities may differ from uniform ones by this part

D6 = Claim(
    id="D6",
    title="The conjecture that far masks become alike, and five ways to break it",
    statement=(
        "Taken as it stands, without an assumption on the data, the conjecture fails, and alike "
        "is neither flat, nor uninformative, nor due to distance. "
        "(1) A period: on a periodic chain neighbouring predictions have no token in common, at "
        "any distance. (2) An absorbing end of text: far predictions are alike but certain, of the "
        "end. (3) A global latent: of two classes that are never left, far predictions are alike "
        "and still tell all about the class, ln 2 nats. (4) A template of positions: independent "
        "sites know nothing of the context, and neighbours differ for ever. (5) Exchangeable data: "
        "predictions are equal at every distance, next to the context too, so distance is not the "
        "cause. It becomes a theorem for homogeneous chains, hidden or not, of which one aperiodic "
        "class is reached and shows (D1): far predictions approach one limit, geometrically, and "
        "it is smooth if the stationary distribution is. For the middle of long sequences it takes "
        "more (D3): that all tokens that are reached lead to each other. A token that is left for "
        "good may rule the whole middle, if both ends hold it."
    ),
    latex=(
        r"\mathrm{TV}_{n,n+1} = 1\ \text{(period)};\quad "
        r"\max_v p \to 1\ \text{(end of text)};\quad "
        r"I(X_0; X_n) \ge \ln 2\ \text{(latent)};\quad "
        r"I = 0,\ \mathrm{TV}_{n,n+1} = c\ \text{(template)};\quad "
        r"\mathrm{TV}_{n,n+1} = 0\ \forall n\ \text{(exchangeable)}"
    ),
    says=(
        "Section 3.2.3, as quoted on an open-problem page: 'At sufficiently large distances with "
        "an infinite length of [MASK] tokens, the distributions become almost identical. With a "
        "fixed given length, this near-identical behavior appears in the middle parts of the "
        "sequence.' No metric and no assumption on the data is given."
    ),
    note=(
        "The paper itself was not available, only this quotation. The reading is ours: total "
        "variation, the left context observed, contexts compared at the same distance. The five "
        "kinds of data are ours. The one about the middle: a token that stays with 0.9 and goes to "
        "each of ten others with 0.01, which then follow each other uniformly. One aperiodic "
        "class, a uniform limit; and between two of that token nothing else is possible."
    ),
    source="Sun, Wen, Wang, arXiv 2510.03289, Section 3.2.3, as quoted on an open-problem page",
    provenance=Provenance.SOURCE,
    verdict=Verdict.MENDED,
)


def _is_like(p: MarkovChain, other: MarkovChain) -> bool:
    """Whether two chains have the same steps and the same start."""
    pairs = ((p.transition, other.transition), (p.initial, other.initial))
    return all(np.array_equal(to_host(a), to_host(b)) for a, b in pairs)


@D6.residual(
    "(1) a period: neighbours have no token in common",
    exact=st.builds(
        gallery.periodic,
        st.integers(3, 9),
        st.integers(2, 4),
        st.integers(1, 2),
        exact=st.just(True),
    ),
    apart=0,
)
def period(p: Distribution, apart: int = 1) -> list[Number]:
    p = as_chain(p, 3)
    classes = homogenization.decide(p).classes
    recurrent = {token for found in classes for token in found.states}
    first = set(np.flatnonzero(to_host(p.initial) != 0).tolist())
    if not all(found.period > 1 for found in classes) or not first <= recurrent:
        raise DoesNotApply("(1) is about chains that are periodic from the first token on")
    return [apart - v for v in homogenization.average(p, [0]).neighbour_tv[:-1].tolist()]


@D6.residual(
    "(2) an end of text: alike, but certain",
    exact=st.builds(
        gallery.end_of_text,
        st.integers(3, 9),
        strategies.rationals(),
        st.integers(1, 3),
        exact=st.just(True),
    ),
    going=lambda end, n: (1 - end) ** (n - 1),  # as if the text went on for one more step
)
def end_of_text(p: Distribution, going: Callable = lambda end, n: (1 - end) ** n) -> list[Number]:
    """Neighbours and top mass of a text that ends, in closed form."""
    p = as_chain(p, 3)
    end, words = p.transition[0, -1], p.vocab - 1
    if words < 1 or not _is_like(p, gallery.end_of_text(p.length, end, words, exact=p.exact)):
        raise DoesNotApply("(2) is about texts of uniform words that end with one probability")
    found, residuals = homogenization.average(p, [0]), []
    for n, top, tv in zip(found.distance.tolist(), found.top_mass, found.neighbour_tv, strict=True):
        share = going(end, n)
        residuals += [top[0] - max(1 - share, share / words), tv - share * end]
    return residuals[:-1]  # the last site has no neighbour


@D6.residual(
    "(3) a global latent: alike, but informative",
    exact=st.builds(
        gallery.two_classes, st.integers(3, 6), strategies.rationals(), exact=st.just(True)
    ),
    flips=lambda flip, n: flips(flip, n + 1),  # as if predictions faded one step sooner
)
def global_latent(p: Distribution, flips: Callable = flips) -> list[Number]:
    """A token tells of others the class, one bit, and what a bit tells of one that may differ."""
    p = as_chain(p, 3)
    flip = p.transition[0, -1] if p.vocab < 2 else p.transition[0, 1]
    if not _is_like(p, gallery.two_classes(p.length, flip, exact=p.exact)):
        raise DoesNotApply("(3) is about two classes of bits that flip with one probability")
    found, residuals = homogenization.average(p, [0]), []
    one_bit = bit_entropy(flip * 0 + Fraction(1, 2))  # exact where flip is
    told = zip(found.distance.tolist(), found.information, found.neighbour_tv, strict=True)
    for n, information, tv in told:
        share, further = flips(flip, n), flips(flip, n + 1)
        expected = 2 * one_bit - bit_entropy(share)
        residuals += [information - expected, tv - abs(further - share)]
    return residuals[:-1]  # the last site has no neighbour


@D6.residual(
    "(4) a template: independent sites, and never alike",
    named=lambda: {
        "template(8)": gallery.template(8),
        "template(9, 3, 0.3)": gallery.template(9, 3, 0.3),
    },
    tolerance=1e-12,
    data=lambda p: gallery.repeated_bit(p.length, noise=0.1),  # copies of one bit
)
def template(p: Distribution, data: Callable = lambda p: p) -> list[Number]:
    """What independent sites tell of each other, and how unlike neighbours are."""
    if not isinstance(p, ProductMixture) or p.weights.shape[0] != 1 or p.length < 3:
        raise DoesNotApply("(4) is about independent sites, at least three")
    found, rows = homogenization.average(data(p), [0]), to_host(p.marginals)[1:]
    unlike = np.abs(np.diff(rows, axis=0)).sum(axis=1) / 2
    return [*to_host(found.information), *(to_host(found.neighbour_tv)[:-1] - unlike)]


@D6.residual(
    "(5) exchangeable data: alike at every distance",
    exact=strategies.exchangeables(lengths=(4, 6), exact=True),
    named=lambda: {
        "curie_weiss(8, 0.5)": gallery.curie_weiss(8, 0.5),
        "balanced(8)": gallery.balanced(8),
    },
    tolerance=1e-12,
    data=lambda p: gallery.binary_symmetric(p.length, Fraction(1, 3), exact=p.exact),
)
def exchangeable(p: Distribution, data: Callable = lambda p: p) -> list[Number]:
    """How unlike masked sites are at all distances from what is observed, for any such bits."""
    if not isinstance(p, Exchangeable) or p.length < 4:
        raise DoesNotApply("(5) is about exchangeable bits, at least four")
    residuals: list[Any] = []
    for observed in ((0,), (0, 2)):
        found = homogenization.worst(data(p), observed)
        residuals += [v for v in found.neighbour_tv.tolist() if v == v]
        residuals += (found.information[1:] - found.information[0]).tolist()
    return residuals


def _left_for_good(length: int, others: int, leave: Fraction) -> MarkovChain:
    """Token 0 is left with this probability for one of the others, which then follow uniformly."""
    share = Fraction(1, others)
    steps = [[1 - leave, *[leave * share] * others], *[[0, *[share] * others]] * others]
    return MarkovChain([1, *[0] * others], steps, length, exact=True)


def _leaves_for_good(p: MarkovChain) -> bool:
    """Whether token 0 may begin, stay and be left, for others that follow each other uniformly."""
    steps, others = to_host(p.transition), p.vocab - 1
    if others < 1 or not (p.initial[0] > 0 and 0 < steps[0, 0] < 1) or steps[1:, 0].any():
        return False
    return bool((abs(steps[1:, 1:] * others - 1) <= (0 if p.exact else UNIFORM_TOL)).all())


@D6.residual(
    "a token that is left for good may rule the middle",
    exact=st.builds(_left_for_good, st.integers(3, 12), st.integers(2, 5), strategies.rationals()),
    end=1,
)
def rules_the_middle(p: Distribution, end: int = 0) -> list[Number]:
    """What its top mass lacks of 1 between two of them, and how far the limit is from uniform."""
    p = as_chain(p, 3)
    if not _leaves_for_good(p):
        raise DoesNotApply("it is about a token that is left for good for others, then uniform")
    decision, others = homogenization.decide(p), p.vocab - 1
    assert decision.limit is not None  # a single recurrent class, which has no period
    between = homogenization.measure(p, [0, *[-1] * (p.length - 2), end])
    uniform = np.asarray([0, *[Fraction(1, others)] * others], dtype=object)
    return [*(1 - between.top_mass[:, 0]), *(decision.limit - uniform), 1 - int(decision.forgets)]
