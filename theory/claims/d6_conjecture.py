"""D6: the conjecture as it is stated, and five ways to break it."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np

from theory import (
    Exchangeable,
    MarkovChain,
    ProductMixture,
    gallery,
    homogenization,
    strategies,
)
from theory._core.arrays import to_host, xlogx
from theory.claims.kit.claim import Check, Claim, Provenance, Verdict
from theory.claims.kit.result import DoesNotApply, Level, as_chain
from theory.distributions import Distribution

__all__ = ["CONJECTURE"]

ROUNDING = 1e-12
"""Float probabilities may differ from uniform ones by this part."""


def _after_the_first(p: Distribution) -> homogenization.Measures:
    """Means of the predictions at all distances from the first token."""
    return homogenization.average(p, [0])


def _is_like(p: Distribution, other: MarkovChain) -> bool:
    """Whether `p` is a chain with the same steps and the same start."""
    return (
        isinstance(p, MarkovChain)
        and p.vocab == other.vocab
        and bool(np.all(to_host(p.transition) == to_host(other.transition)))
        and bool(np.all(to_host(p.initial) == to_host(other.initial)))
    )


# ---- a period: neighbours are never alike ---------------------------------------------------


def _periodic(p: Distribution, apart: int = 1) -> list[Any]:
    """What neighbouring predictions lack of having no token in common, for a periodic chain."""
    p = as_chain(p, 3)
    if not all(r.period > 1 for r in homogenization.decide(p).classes) or _transient(p):
        raise DoesNotApply("(1) is about chains that are periodic from the first token on")
    return [apart - v for v in _after_the_first(p).neighbour_tv[:-1].tolist()]


def _transient(p: MarkovChain) -> bool:
    """Whether the first token can lie outside of the recurrent classes."""
    recurrent = {v for r in homogenization.decide(p).classes for v in r.states}
    return any(v not in recurrent for v in np.flatnonzero(to_host(p.initial) != 0))


# ---- an end of text: alike, but certain -----------------------------------------------------


def _still_going(end: Any, n: Any) -> Any:
    return (1 - end) ** n


def _absorbing(p: Distribution, going: Callable[[Any, Any], Any] = _still_going) -> list[Any]:
    """Neighbours and top mass of a text that ends, in closed form."""
    p = as_chain(p, 3)
    end = p.transition[0, -1]
    if p.vocab < 2 or not _is_like(
        p, gallery.end_of_text(p.length, end, p.vocab - 1, exact=p.exact)
    ):
        raise DoesNotApply("(2) is about texts of uniform words that end with one probability")
    found, residuals = _after_the_first(p), []
    for k, n in enumerate(found.distance.tolist()):
        words = going(end, n)
        residuals.append(found.top_mass[k, 0] - max(1 - words, words / (p.vocab - 1)))
        if k + 1 < len(found.distance):
            residuals.append(found.neighbour_tv[k] - words * end)
    return residuals


def _one_step_late(end: Any, n: Any) -> Any:
    """Planted: the text goes on for one more step."""
    return (1 - end) ** (n - 1)


# ---- a global latent: alike, but informative ------------------------------------------------


def _flips(flip: Any, n: Any) -> Any:
    return (1 - (1 - 2 * flip) ** n) / 2


def _latent(p: Distribution, flips: Callable[[Any, Any], Any] = _flips) -> list[Any]:
    """What a token tells about others of its class, and how unlike neighbours are."""
    p = as_chain(p, 3)
    flip = p.transition[0, -1] if p.vocab < 2 else p.transition[0, 1]
    if not _is_like(p, gallery.two_classes(p.length, flip, exact=p.exact)):
        raise DoesNotApply("(3) is about two classes of bits that flip with one probability")
    found, residuals = _after_the_first(p), []
    for k, n in enumerate(found.distance.tolist()):
        share, further = flips(flip, n), flips(flip, n + 1)
        residuals.append(found.information[k] - _class_and_bit(share))
        if k + 1 < len(found.distance):
            residuals.append(found.neighbour_tv[k] - abs(further - share))
    return residuals


def _class_and_bit(flip: Any) -> Any:
    """One bit for the class, and what a bit tells of one that differs with this probability."""
    halves = xlogx(np.asarray([flip * 0 + Fraction(1, 2)]))[0] * 4  # -2 ln 2
    return xlogx(np.asarray([flip, 1 - flip])).sum() - halves


def _one_step_on(flip: Any, n: Any) -> Any:
    """Planted: predictions fade one step sooner."""
    return _flips(flip, n + 1)


# ---- a template of positions: independent of the context, and never alike --------------------


def _same(p: Distribution) -> Distribution:
    return p


def _template(p: Distribution, data: Callable[[Any], Distribution] = _same) -> list[Any]:
    """What independent sites tell of each other, and how unlike neighbours are."""
    if not isinstance(p, ProductMixture) or p.weights.shape[0] != 1 or p.length < 3:
        raise DoesNotApply("(4) is about independent sites, at least three")
    found, rows = _after_the_first(data(p)), to_host(p.marginals)[1:]
    unlike = np.abs(np.diff(rows, axis=0)).sum(axis=1) / 2
    return [*to_host(found.information), *(to_host(found.neighbour_tv)[:-1] - unlike)]


def _copies(p: Distribution) -> Distribution:
    """Planted: copies of one bit are taken for independent sites."""
    return gallery.repeated_bit(p.length, noise=0.1)


# ---- exchangeable data: alike at every distance ---------------------------------------------


def _exchangeable(p: Distribution, data: Callable[[Any], Distribution] = _same) -> list[Any]:
    """How unlike masked sites are at all distances from what is observed, for any such bits."""
    if not isinstance(p, Exchangeable) or p.length < 4:
        raise DoesNotApply("(5) is about exchangeable bits, at least four")
    residuals: list[Any] = []
    for observed in ((0,), (0, 2)):
        found = homogenization.worst(data(p), observed)
        residuals += [v for v in found.neighbour_tv.tolist() if v == v]
        residuals += (found.information[1:] - found.information[0]).tolist()
    return residuals


def _a_chain(p: Distribution) -> Distribution:
    """Planted: a chain is taken for exchangeable."""
    return gallery.binary_symmetric(p.length, Fraction(1, 3), exact=p.exact)


# ---- a token that is left for good: it may rule the middle -----------------------------------


def _rules_the_middle(p: Distribution, end: int = 0) -> list[Any]:
    """What its top mass lacks of 1 between two of them, and how far the limit is from uniform."""
    p = as_chain(p, 3)
    if not _leaves_for_good(p):
        raise DoesNotApply("it is about a token that is left for good for others, then uniform")
    decision, others = homogenization.decide(p), p.vocab - 1
    assert decision.limit is not None  # a single recurrent class, which has no period
    between = homogenization.measure(p, [0, *[-1] * (p.length - 2), end])
    uniform = np.asarray([0, *[Fraction(1, others)] * others], dtype=object)
    return [*(1 - between.top_mass[:, 0]), *(decision.limit - uniform), 1 - int(decision.forgets)]


def _leaves_for_good(p: MarkovChain) -> bool:
    """Whether token 0 may begin, stay and be left, for others that follow each other uniformly."""
    steps, others = to_host(p.transition), p.vocab - 1
    if others < 1 or not (p.initial[0] > 0 and 0 < steps[0, 0] < 1) or steps[1:, 0].any():
        return False
    return bool((abs(steps[1:, 1:] * others - 1) <= (0 if p.exact else ROUNDING)).all())


def _left_for_good(length: int, others: int, leave: Fraction) -> MarkovChain:
    """Token 0 is left with this chance for one of the others, which follow each other uniformly."""
    share = Fraction(1, others)
    steps = [[1 - leave, *[leave * share] * others], *[[0, *[share] * others]] * others]
    return MarkovChain([1, *[0] * others], steps, length, exact=True)


def _named() -> dict[str, Distribution]:
    return {
        "template(8)": gallery.template(8),
        "template(9, 3, 0.3)": gallery.template(9, 3, 0.3),
    }


def _bits() -> dict[str, Distribution]:
    return {"curie_weiss(8, 0.5)": gallery.curie_weiss(8, 0.5), "balanced(8)": gallery.balanced(8)}


CONJECTURE = Claim(
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
    checks=(
        Check(
            level=Level.EXACT,
            residual=_periodic,
            distributions=lambda: st.builds(
                gallery.periodic,
                st.integers(3, 9),
                st.integers(2, 4),
                st.integers(1, 2),
                exact=st.just(True),
            ),
            planted={"apart": 0},
        ),
        Check(
            level=Level.EXACT,
            residual=_absorbing,
            distributions=lambda: st.builds(
                gallery.end_of_text,
                st.integers(3, 9),
                strategies.rationals(),
                st.integers(1, 3),
                exact=st.just(True),
            ),
            planted={"going": _one_step_late},
        ),
        Check(
            level=Level.EXACT,
            residual=_latent,
            distributions=lambda: st.builds(
                gallery.two_classes, st.integers(3, 6), strategies.rationals(), exact=st.just(True)
            ),
            planted={"flips": _one_step_on},
        ),
        Check(
            level=Level.EXACT,
            residual=_exchangeable,
            distributions=lambda: strategies.exchangeables(lengths=(4, 6), exact=True),
            planted={"data": _a_chain},
        ),
        Check(
            level=Level.EXACT,
            residual=_rules_the_middle,
            distributions=lambda: st.builds(
                _left_for_good, st.integers(3, 12), st.integers(2, 5), strategies.rationals()
            ),
            planted={"end": 1},
        ),
        Check(
            level=Level.NUMERIC,
            residual=_template,
            named=_named,
            planted={"data": _copies},
            tolerance=1e-12,
        ),
        Check(
            level=Level.NUMERIC,
            residual=_exchangeable,
            named=_bits,
            planted={"data": _a_chain},
            tolerance=1e-12,
        ),
    ),
)
