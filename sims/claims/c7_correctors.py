"""C7: which correctors leave the data alone."""

import itertools
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np

from sims.decoding.exact import output_distribution
from sims.policies import BlockCorrector, Decoder, GibbsCorrector, LeftToRight, Remask
from theory import MASK, strategies
from theory._core.arrays import to_host
from theory.claims import Check, Claim, Level, Provenance, Verdict
from theory.claims.kit.generators import Size, by_size, every_pattern, named_distributions
from theory.claims.kit.inequality import excess
from theory.distributions import Distribution

__all__ = ["CORRECTORS"]

Corrected = Callable[[Decoder | None, int, int], Decoder]
"""From the inner decoder, the number of rounds and the length to the corrector."""


def _gibbs(inner: Decoder | None, steps: int, length: int) -> Decoder:
    return GibbsCorrector(inner, steps)


def _block(inner: Decoder | None, steps: int, length: int) -> Decoder:
    """Planted: two sites at once."""
    return BlockCorrector(inner, min(2, length), steps)


def _invariant(p: Distribution, corrector: Corrected = _gibbs) -> Any:
    """What two rounds make of the data, minus the data."""
    return output_distribution(p, corrector(None, 2, p.length)).table - to_host(p.table())


def _never_raises(p: Distribution, k: int, corrector: Corrected = _gibbs) -> list[Any]:
    """By how much a round raises a divergence from the data, in either direction."""
    residuals: list[Any] = []
    before = output_distribution(p, LeftToRight(k))
    after = output_distribution(p, corrector(LeftToRight(k), 1, p.length))
    for name in ("kl", "reverse_kl", "tv"):
        old, new = getattr(before, name), getattr(after, name)
        residuals.append(0 if old == np.inf else excess(new, old))
    return residuals


def _compensated(remask: Remask, step: int) -> tuple[Fraction, Fraction]:
    return remask.probabilities(step)


def _uncompensated(remask: Remask, step: int) -> tuple[Fraction, Fraction]:
    """Planted: masks tokens again and forgets to reveal more for it."""
    a, b = remask.times[step : step + 2]
    return (b - a) / (1 - a), remask.probabilities(step)[1]


Chances = Callable[[Remask, int], tuple[Fraction, Fraction]]


def _one_time_marginals(
    p: Distribution, times: Any, strength: Any, chances: Chances = _compensated
) -> list[Any]:
    """Probability of every pattern: data noised to level a and then moved, against level b.

    Given the clean sequence the sites move independently, and a revealed site shows its token.
    """
    remask, residuals = Remask(times, strength), []
    places = list(itertools.product((False, True), repeat=p.length))
    for step, (a, b) in enumerate(itertools.pairwise(remask.times)):
        reveal, mask = chances(remask, step)
        gaps = {}
        for seen in places:
            moved = sum(_moves(before, seen, a, reveal, mask) for before in places)
            gaps[seen] = moved - math.prod(b if s else 1 - b for s in seen)
        for x in every_pattern(p):
            gap = gaps[tuple((x != MASK).tolist())]
            residuals.append(p.evidence(x) * (gap if p.exact else float(gap)))
    return residuals


def _moves(before: Any, after: Any, a: Fraction, reveal: Fraction, mask: Fraction) -> Fraction:
    """Chance that exactly these sites are observed before and after a step."""
    chance = Fraction(1)
    for was, now in zip(before, after, strict=True):
        stays = 1 - mask if was else reveal
        chance *= (a if was else 1 - a) * (stays if now else 1 - stays)
    return chance


@by_size
def _noise(p: Size) -> dict[str, Any]:
    inner = st.lists(strategies.rationals(), min_size=1, max_size=2, unique=True)
    times = inner.map(lambda values: (0, *sorted(values), 1))
    return {"times": times, "strength": strategies.rationals()}


@by_size
def _first_k(p: Size) -> dict[str, Any]:
    return {"k": st.integers(1, p.length)}


CORRECTORS = Claim(
    id="C7",
    title="A corrector of one site leaves the data alone, one of a block does not",
    statement=(
        "Drawing one site again given all others leaves p invariant and never raises a "
        "divergence of what was written from the data: KL(p || q), KL(q || p), TV. Drawing "
        "several sites again at once from the product of their conditionals does neither. The "
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
        "several sites in its place is not exact, with remasking or without. Several sites at "
        "once can come nearer to p for a while, since they mix faster."
    ),
    source="textbook (Gibbs sampling); ReMDM, arXiv 2503.00307",
    provenance=Provenance.MEMORY,
    verdict=Verdict.HOLDS,
    checks=(
        Check(
            level=Level.EXACT,
            residual=_invariant,
            distributions=lambda: strategies.joint_tables(lengths=(1, 3), exact=True),
            planted={"corrector": _block},
        ),
        Check(
            level=Level.EXACT,
            residual=_never_raises,
            distributions=lambda: strategies.joint_tables(lengths=(1, 3), exact=True),
            parts=_first_k,
            planted={"corrector": _block},
        ),
        Check(
            level=Level.EXACT,
            residual=_one_time_marginals,
            distributions=lambda: strategies.joint_tables(lengths=(1, 3), exact=True),
            parts=_noise,
            planted={"chances": _uncompensated},
        ),
        Check(
            level=Level.PROPERTY,
            residual=_invariant,
            distributions=lambda: strategies.distributions(lengths=(1, 4)),
            planted={"corrector": _block},
            tolerance=1e-12,
        ),
        Check(
            level=Level.PROPERTY,
            residual=_never_raises,
            distributions=lambda: strategies.distributions(lengths=(1, 4)),
            parts=_first_k,
            planted={"corrector": _block},
            tolerance=1e-10,
        ),
        Check(
            level=Level.PROPERTY,
            residual=_one_time_marginals,
            distributions=lambda: strategies.distributions(lengths=(1, 3)),
            parts=_noise,
            planted={"chances": _uncompensated},
            tolerance=1e-12,
        ),
        Check(
            level=Level.NUMERIC,
            residual=_invariant,
            named=lambda: named_distributions(words_of=2),
            planted={"corrector": _block},
            tolerance=1e-12,
        ),
    ),
)
