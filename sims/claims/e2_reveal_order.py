"""E2: how autoregressive a decoder is depends on the data, the score and the tie-breaking."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np

from sims import policies
from sims.order.statistics import Order, order
from sims.policies import Policy
from theory import MASK, Exchangeable, MarkovChain, gallery, strategies
from theory._core.arrays import to_host
from theory.claims import Claim, DoesNotApply, Provenance, Verdict
from theory.distributions import Distribution
from theory.distributions.permutations import Permutations

__all__ = ["E2"]

E2 = Claim(
    id="E2",
    title="How autoregressive a decoder is depends on data, score and ties",
    statement=(
        "That a confidence order goes from left to right is no property of masks. On a symmetric "
        "chain of bits it does so with certainty after a prompt on the left, by each of the three "
        "scores, and from a token inside it grows one run of known sites in both directions. On "
        "exchangeable data and permutations all scores are equal, and the order is that of the "
        "rule for ties: it turns round with it. On latents and observations it begins with an "
        "observation, which the latents would decide."
    ),
    latex=(
        r"\text{chain: } \max p(x_{i+n} \mid x_i) = \tfrac12 + \tfrac12 |1 - 2e|^n;\quad "
        r"\text{exchangeable: } p(x_i \mid x_S) = p(x_j \mid x_S)\ \forall i, j \notin S"
    ),
    says=(
        "the most reliable generation is probably still autoregressive (R3, restated); what it "
        "depends on is ours"
    ),
    note=(
        "Not every chain is filled from its boundary: after a come b or c and then e, and e is "
        "predicted with more confidence though it is farther. Sites revealed in one round count "
        "as in random order."
    ),
    source="derived here",
    provenance=Provenance.OURS,
    verdict=Verdict.HOLDS,
)

SCORES = tuple(policies.TopK(1, score) for score in ("confidence", "margin", "entropy"))


def _is_symmetric(p: Distribution) -> bool:
    """Whether this is a chain of bits that flip with one probability, neither 0, 1/2 nor 1."""
    if not isinstance(p, MarkovChain) or p.vocab != 2 or p.length < 3:
        return False
    steps = to_host(p.transition)
    return steps[0, 1] == steps[1, 0] and steps[0, 1] not in (0, Fraction(1, 2), 1)


FLIPS = strategies.rationals().filter(lambda e: e != Fraction(1, 2))


@E2.residual(
    "order from left to right after a prompt, in one run from a token inside,",
    exact=st.builds(gallery.binary_symmetric, st.integers(3, 5), FLIPS, exact=st.just(True)),
    parts={"prompt": st.integers(0, 2)},
    scores=(policies.Mirrored(policies.LeftToRight()),),
)
def nearest(p: Distribution, prompt: int, scores: Sequence[Policy] = SCORES) -> list[Any]:
    """Bits that flip with probability e are predicted with 1/2 + |1 - 2e|^n / 2 at distance n."""
    if not _is_symmetric(p):
        raise DoesNotApply("it is about three or more bits that flip with one probability")
    residuals = []
    start = min(prompt, p.length - 2)
    for policy in scores:
        left = order(p, policy, observed=range(start + 1))
        inside = order(p, policy, observed=[start])
        residuals += [1 - left.left_to_right, 1 - left.adjacent, 1 - inside.adjacent]
        residuals += (inside.runs - 1).tolist()
    return residuals


@E2.residual(
    "order that turns round with the rule for ties",
    exact=strategies.exchangeables(lengths=(2, 5), exact=True)
    | st.builds(gallery.permutations, st.integers(2, 4), exact=st.just(True)),
    mirror=lambda policy: policy,  # the same rule for ties
)
def ties(p: Distribution, mirror: Callable[[Policy], Policy] = policies.Mirrored) -> list[Any]:
    if not isinstance(p, (Exchangeable, Permutations)) or p.length < 2:
        raise DoesNotApply("it is about exchangeable bits and permutations, of two or more sites")
    residuals = []
    for policy in SCORES:
        usual, turned = order(p, policy), order(p, mirror(policy))
        residuals += [usual.kendall - 1, turned.kendall + 1, 1 - usual.left_to_right]
    return residuals


def _confident(p: Distribution) -> Order:
    return order(p, policies.TopK(1))


@E2.residual(
    "an observation before all latents",
    named=lambda: {
        "nae_sat(3, one clause)": gallery.nae_sat(3, [(0, 1, 2)]),
        "nae_sat(4, two clauses)": gallery.nae_sat(4, [(0, 1, 2), (1, 2, 3)]),
        "nae_sat(5, three clauses)": gallery.nae_sat(5, [(0, 1, 2), (1, 2, 3), (2, 3, 4)]),
    },
    tolerance=1e-12,
    found=lambda p: order(p, policies.LeftToRight()),  # as if confidence took the latents first
)
def latents(p: Distribution, found: Callable[[Distribution], Order] = _confident) -> Any:
    """0 where the first revealed site is one that depends on others, a latent being a fair bit."""
    blank = to_host(p.denoise(np.full(p.length, MASK)))
    latent = np.asarray([abs(row - row[0]).max() < 1e-12 for row in blank])
    if p.vocab != 2 or not latent.any() or latent.all():
        raise DoesNotApply("it is about bits of which some are fair, and some are not")
    return found(p).revealed[0][latent].sum()
