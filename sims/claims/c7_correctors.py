"""C7: a corrector of one site leaves the data invariant, one of a block does not."""

import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np

from sims.claims.kit.families import is_table
from sims.decoding.exact import output_distribution
from sims.policies import BlockCorrector, Decoder, GibbsCorrector, LeftToRight, Remask
from theory import MASK, gallery, information, strategies
from theory._core.arrays import to_host
from theory.claims import Claim, DoesNotApply, Provenance, Verdict
from theory.claims.kit.generators import every_pattern, named_distributions
from theory.claims.kit.inequality import excess
from theory.distributions import Distribution

__all__ = ["C7"]

Corrected = Callable[[Decoder | None, int, int], Decoder]
"""From the inner decoder, the number of rounds and the length to the corrector."""

Probabilities = Callable[[Remask, int], tuple[Fraction, Fraction]]

C7 = Claim(
    id="C7",
    title="A corrector of one site leaves the data alone, one of a block does not",
    statement=(
        "Drawing one site again given all others leaves p invariant and never raises a "
        "divergence of what was written from the data: KL(p || q), KL(q || p), TV. Drawing "
        "several sites again at once from the product of their conditionals does neither: of two "
        "bits that are equal, both at once leave half of what is written outside of the data. The "
        "remasking posterior, given the clean sequence, keeps the probability of every pattern "
        "at every time."
    ),
    latex=(
        r"p K_{\mathrm{Gibbs}} = p,\quad \mathrm{KL}(q K \,\|\, p) \le "
        r"\mathrm{KL}(q \,\|\, p);\qquad \sum_{z_a} q(z_b \mid z_a, x)\, q(z_a \mid x) = "
        r"q(z_b \mid x)"
    ),
    says="Gibbs sampling is invariant; the posterior with remasking keeps one-time marginals",
    note=(
        "The posterior is about a known clean sequence. A decoder that puts the predictions of "
        "several sites in its place is not exact, with remasking or without: two equal bits differ "
        "with probability 3/16 after the steps 0, 1/2, 3/4, 1, either way. Several sites at "
        "once can come nearer to p for a while, since they mix faster."
    ),
    source="textbook (Gibbs sampling); ReMDM, arXiv 2503.00307",
    provenance=Provenance.MEMORY,
    verdict=Verdict.HOLDS,
)


def _one_site(inner: Decoder | None, rounds: int, length: int) -> Decoder:
    return GibbsCorrector(inner, rounds)


def _two_sites(inner: Decoder | None, rounds: int, length: int) -> Decoder:
    """Planted: two sites at once."""
    return BlockCorrector(inner, min(2, length), rounds)


@C7.residual(
    "two rounds that leave the data alone",
    exact=strategies.joint_tables(lengths=(1, 3), exact=True),
    floats=strategies.distributions(lengths=(1, 4)),
    named=lambda: named_distributions(words_of=2),
    tolerance=1e-12,
    corrector=_two_sites,
)
def invariant(p: Distribution, corrector: Corrected = _one_site) -> Any:
    return output_distribution(p, corrector(None, 2, p.length)).table - to_host(p.table())


EQUAL_BITS = gallery.coupled_pairs(1, exact=True)


def _only_equal_bits(p: Distribution) -> None:
    if not is_table(p, EQUAL_BITS):
        raise DoesNotApply("it is about two equal bits, of which each is 0 and 1 alike")


@C7.residual(
    "half of what is written outside of the data, if two equal bits are drawn again at once",
    exact=st.just(EQUAL_BITS),
    corrector=_one_site,
)
def both_at_once(p: Distribution, corrector: Corrected = _two_sites) -> list[Any]:
    """From the data themselves: a total variation distance of 1/2, and log 2 nats."""
    _only_equal_bits(p)
    q = output_distribution(p, corrector(None, 1, p.length))
    return [q.tv - Fraction(1, 2), q.kl - information.entropy(p)]


@C7.residual(
    "two equal bits that differ as often with remasking as without",
    exact=st.just(EQUAL_BITS),
    level=Fraction(2, 3),
)
def remasked(p: Distribution, level: Fraction = Fraction(3, 4)) -> list[Any]:
    """With probability 3/16 in the steps 0, 1/2, 3/4, 1: it is no repair."""
    _only_equal_bits(p)
    times = (0, Fraction(1, 2), level, 1)
    return [
        output_distribution(p, Remask(times, strength)).tv - Fraction(3, 16) for strength in (0, 1)
    ]


@C7.residual(
    "a round that raises no divergence from the data",
    exact=strategies.joint_tables(lengths=(1, 3), exact=True),
    floats=strategies.distributions(lengths=(1, 4)),
    parts={"k": lambda size: st.integers(1, size.length)},
    corrector=_two_sites,
)
def never_raises(p: Distribution, k: int, corrector: Corrected = _one_site) -> list[Any]:
    before = output_distribution(p, LeftToRight(k))
    after = output_distribution(p, corrector(LeftToRight(k), 1, p.length))
    residuals = []
    for name in ("kl", "reverse_kl", "tv"):
        old, new = getattr(before, name), getattr(after, name)
        residuals.append(0 if old == np.inf else excess(new, old))
    return residuals


def _uncompensated(remask: Remask, step: int) -> tuple[Fraction, Fraction]:
    """Planted: masks tokens again and forgets to reveal more for it."""
    a, b = remask.times[step : step + 2]
    return (b - a) / (1 - a), remask.probabilities(step)[1]


INNER_TIMES = st.lists(strategies.rationals(), min_size=1, max_size=2, unique=True)


@C7.residual(
    "probabilities of patterns at every time",
    exact=strategies.joint_tables(lengths=(1, 3), exact=True),
    floats=strategies.distributions(lengths=(1, 3)),
    parts={
        "times": INNER_TIMES.map(lambda inner: (0, *sorted(inner), 1)),
        "strength": strategies.rationals(),
    },
    tolerance=1e-12,
    probabilities=_uncompensated,
)
def one_time_marginals(
    p: Distribution,
    times: Any,
    strength: Any,
    probabilities: Probabilities = Remask.probabilities,
) -> list[Any]:
    """Data noised to level a and then moved, against level b.

    Given the clean sequence the sites move independently, and a revealed site shows its token.
    """
    remask, residuals = Remask(times, strength), []
    for step, (a, b) in enumerate(itertools.pairwise(remask.times)):
        reveal, mask = probabilities(remask, step)
        shown = a * (1 - mask) + (1 - a) * reveal
        for x in every_pattern(p):
            seen = (x != MASK).sum().item()
            hidden = p.length - seen
            gap = shown**seen * (1 - shown) ** hidden - b**seen * (1 - b) ** hidden
            residuals.append(p.evidence(x) * (gap if p.exact else float(gap)))
    return residuals
