"""C13: with a perfect model, drawing first ends texts early, and greed writes none at all."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np

from sims.claims.kit.families import is_table
from sims.decoding.exact import output_distribution
from sims.policies import Blocks, Decoder, LeftToRight, TokenConfidence, TopK
from theory import MASK, ProductMixture, gallery
from theory._core.arrays import to_host
from theory.claims import Claim, DoesNotApply, Provenance, Verdict
from theory.claims.kit.inequality import excess
from theory.distributions import Distribution

__all__ = ["C13"]

Factory = Callable[[int], Decoder]
Border = Callable[[int, int, int], bool]

C13 = Claim(
    id="C13",
    title="With a perfect model, drawing first ends texts early, and greed writes none at all",
    statement=(
        "Texts of 0 to L random words, each length equally likely, then ends of text. Keeping the "
        "likeliest draw, one site a round at temperature 1, writes at most 0.7 of the words that "
        "are due, of two words or more and at least two sites: 0.793 where 2 are due at L = 4, "
        "0.822 where 3 are at L = 6, of two words. Choosing the site first, and left to right, are "
        "exact. In blocks of two it writes 2.16 and 3.56 there, too many, with ties to the lowest "
        "site. At temperature 0, in blocks of B of at most L sites and of V >= 2 words, the text "
        "is empty if B V > L and begins with a word if B V < L."
    ),
    latex=(
        r"p(x_B = \text{end}) = \frac{B}{L + 1},\quad p(x_1 = v) = \frac{L}{(L + 1) V}:\qquad "
        r"\text{the text is empty} \iff B V > L \quad (B V \neq L)"
    ),
    says=(
        "Rainbow Padding (arXiv 2510.03680, abstract seen): instruction-tuned diffusion models "
        "overflow with ends of text, blamed on how padding is trained"
    ),
    note=(
        "So no training is to blame: the prediction that the text has ended grows with the site, "
        "and the score likes it. Other rules for ties write 0.819 and 0.808 at L = 4, 0.846 and "
        "0.836 at L = 6 (highest site, random). In blocks of two the sign turns with the rule: "
        "1.600 and 1.880, 3.102 and 3.331, where 2 and 3 are due. Where B V = L it depends on the "
        "rule. With blocks of one the text is empty if V > L, so it is greed that empties it, "
        "and blocks move the border; that is so in all 39,360 settings with L up to 40 and V "
        "from 2 to 49. Of one word and one end, drawing first writes too many."
    ),
    source="derived here",
    provenance=Provenance.OURS,
    verdict=Verdict.HOLDS,
)


def _words(p: Distribution) -> int:
    """How many words there are, two at least, if these are texts followed by ends of text."""
    words = p.vocab - 1
    if words < 2 or not is_table(p, gallery.padded_text(p.length, words, exact=p.exact)):
        raise DoesNotApply(
            "it is about texts of any length, of two words or more, and ends of text"
        )
    return words


def _texts(*sizes: tuple[int, int]) -> st.SearchStrategy[Distribution]:
    """Of lengths and numbers of words, exact."""
    return st.sampled_from(sizes).map(lambda size: gallery.padded_text(*size, exact=True))


def _mean_length(q: np.ndarray) -> Any:
    """Mean number of words, from probabilities of sequences whose last token is the end."""
    sites = range(q.ndim)
    ends = sum(q.sum(axis=tuple(j for j in sites if j != i))[-1] for i in sites)
    return q.ndim - ends


@C13.residual(
    "the site first, and left to right, as p; the token first too short",
    exact=_texts((2, 2), (3, 2), (2, 3), (3, 3)),
    named=lambda: {f"padded_text({n}, 2)": gallery.padded_text(n, 2) for n in (4, 5, 6)},
    tolerance=1e-12,
    decoder=TopK,
)
def too_short(p: Distribution, decoder: Factory = TokenConfidence) -> list[Any]:
    _words(p)
    if p.length == 1:
        raise DoesNotApply("it is about two sites or more")
    data = to_host(p.table())
    exact = [output_distribution(p, policy).table - data for policy in (TopK(1), LeftToRight())]
    length = _mean_length(output_distribution(p, decoder(1)).table)
    most = Fraction(7, 20) * p.length
    return [*exact, excess(length, most if p.exact else float(most))]


LENGTHS = {
    4: (Fraction(11891, 15000), Fraction(54, 25)),
    6: (Fraction(822024, 10**6), Fraction(3559184, 10**6)),
}
"""Mean lengths of texts of two words, and in blocks of two."""


@C13.residual(
    "the mean lengths that are said",
    named=lambda: {f"padded_text({n}, 2)": gallery.padded_text(n, 2) for n in LENGTHS},
    tolerance=5e-7,
    decoder=TopK,
)
def mean_lengths(p: Distribution, decoder: Factory = TokenConfidence) -> list[Any]:
    if _words(p) != 2 or p.length not in LENGTHS:
        raise DoesNotApply("it is about four or six sites and two words")
    policies = (decoder(1), Blocks(2, decoder(1)))
    return [
        float(_mean_length(output_distribution(p, policy).table) - due)
        for policy, due in zip(policies, LENGTHS[p.length], strict=True)
    ]


def _border(block: int, words: int, length: int) -> bool:
    """Whether the text is empty, with ties to the lowest site."""
    return block * words > length


def _blocks_alone(block: int, words: int, length: int) -> bool:
    """Planted: only large blocks are to blame."""
    return block > 1 and block * words > length


@C13.residual(
    "texts at temperature 0, in blocks of each size",
    exact=_texts((1, 2), (2, 2), (3, 2), (4, 2), (1, 3), (2, 3), (3, 3), (2, 4), (2, 5)),
    parts={"block": lambda size: st.integers(1, size.length)},
    border=_blocks_alone,
)
def greedy(p: Distribution, block: int, border: Border = _border) -> list[Any]:
    """The probability of the empty text, whether the token or the site comes first."""
    words, residuals = _words(p), []
    for inner in (TopK(1), TokenConfidence(1)):
        q = output_distribution(p, Blocks(block, inner), 0).table
        residuals.append(q[(words,) * p.length] - border(block, words, p.length))
        residuals.append((q * (to_host(p.table()) == 0)).sum())
    return residuals


@C13.residual(
    "long texts at temperature 0, round by round",
    named=lambda: {
        f"padded_text({n}, {v})": gallery.padded_text(n, v) for n, v in ((30, 2), (24, 5), (9, 40))
    },
    at=lambda p: [{"block": block} for block in range(1, p.length + 1)],
    tolerance=0.5,
    border=_blocks_alone,
)
def long_texts(p: Distribution, block: int, border: Border = _border) -> int:
    """Where ``B V = L`` ties decide, and floats that are nearly equal."""
    end = p.vocab - 1
    due: Any = gallery.padded_text(p.length, max(end, 1))
    if not isinstance(p, ProductMixture) or end < 2 or p.sites.shape != due.sites.shape:
        raise DoesNotApply("it is about mixtures of texts of any length, of two words or more")
    if (to_host(p.sites) != due.sites).any() or (to_host(p.weights) != due.weights).any():
        raise DoesNotApply("it is about texts each length of which is equally likely")
    x = np.full((1, p.length), MASK, dtype=np.int64)
    policy = Blocks(block, TopK(1))
    while (x == MASK).any():
        predictions = p.denoise(x)
        ((_, sites),) = policy.reveal_distribution(x, predictions, 0)
        x = np.where(sites, predictions.argmax(axis=-1), x)
    if block * end == p.length:
        return 0
    return bool((x == end).all()) - border(block, end, p.length)
