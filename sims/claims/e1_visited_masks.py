"""E1: inference from left to right meets few masks, and uniform-time training rarely shows them."""

import itertools
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from sims.policies import Decoder, FirstHitting, LeftToRight
from sims.training import share_on_prefixes, uniform_time, visited
from theory import strategies
from theory.claims import Check, Claim, Level, Provenance, Verdict
from theory.claims.kit.inequality import excess
from theory.distributions import Distribution

__all__ = ["VISITED_MASKS"]

LENGTHS = range(1, 65)
"""For which the bounds are checked."""

INTEGRATED = range(1, 7)
"""For which every pattern's share is integrated over time."""

Share = Callable[[int], Fraction]


def _fair_coins(length: int) -> Fraction:
    """Planted: the share of the prefixes if every pattern were equally likely."""
    return Fraction(length + 1, 2**length)


def _prefixes(
    p: Distribution, decoder: Callable[[], Decoder] = LeftToRight, share: Share = share_on_prefixes
) -> list[Any]:
    """What a decoder meets against the prefixes, and the share of training on what it met.

    The finished sequence counts as met; the denoiser is not asked about it.
    """
    met = visited(p, decoder())
    training = uniform_time(p.length, exact=p.exact)
    residuals: list[Any] = []
    seen: Any = Fraction(0) if p.exact else 0.0
    for shown in itertools.product((0, 1), repeat=p.length):
        prefix, full = list(shown) == sorted(shown, reverse=True), all(shown)
        residuals.append(met[shown] - (Fraction(1, p.length) if prefix and not full else 0))
        seen = seen + (training[shown] if met[shown] != 0 or full else 0)
    given = share(p.length)
    return [*residuals, seen - (given if p.exact else float(given))]


def _shares(share: Share = share_on_prefixes) -> list[Any]:
    """Every pattern's share as an integral over time; and bounds of their sum over prefixes."""
    import sympy

    u = sympy.Symbol("u")
    residuals: list[Any] = []
    for length in INTEGRATED:
        table, total = uniform_time(length, exact=True), sympy.Integer(0)
        areas = [
            sympy.Poly(u**k * (1 - u) ** (length - k), u).integrate().eval(1)
            for k in range(length + 1)
        ]
        for shown in itertools.product((0, 1), repeat=length):
            area = areas[sum(shown)]
            residuals.append(area - _rational(table[shown]))
            total += area if list(shown) == sorted(shown, reverse=True) else 0
        residuals.append(total - _rational(share(length)))
    for length in LENGTHS:
        least = Fraction(2, length + 1)
        residuals.append(excess(least, share(length)))
        residuals.append(excess(share(length), least * (1 + Fraction(2, length))))
    return residuals


def _small_tables() -> Any:
    return strategies.joint_tables(lengths=(1, 4), vocabs=(1, 2), exact=True)


def _rational(value: Fraction) -> Any:
    import sympy

    return sympy.Rational(value.numerator, value.denominator)


def _every_length(p: Distribution, share: Share = share_on_prefixes) -> list[Any]:
    """The sum of reciprocal binomials by its recurrence S(L) = 1 + (L + 1) / (2 L) S(L - 1)."""
    total, residuals = Fraction(1), []
    for length in range(1, 8 * p.length + 1):
        total = 1 + Fraction(length + 1, 2 * length) * total
        residuals.append(total / (length + 1) - share(length))
    return residuals if p.exact else [math.fsum(map(float, residuals))]


VISITED_MASKS = Claim(
    id="E1",
    title="Left-to-right inference meets L + 1 of 2^L masks, which training rarely shows",
    statement=(
        "Written from left to right, one site per round, a sequence passes through the L + 1 "
        "prefixes of its sites, each once, of 2^L mask patterns; the denoiser is asked about L of "
        "them. Training at uniform time spends the share sum_k 1/C(L, k) / (L + 1) on them, which "
        "lies between 2/(L + 1) and (1 + 2/L) times as much: they are rare polynomially, not "
        "exponentially."
    ),
    latex=(
        r"\frac{2}{L+1} \le \frac{1}{L+1} \sum_{k=0}^{L} \binom{L}{k}^{-1} \le "
        r"\frac{2}{L+1} \Bigl(1 + \frac 2L\Bigr)"
    ),
    says=(
        "no paper says it; that training on arbitrary masks does not match generation is said to "
        "be in arXiv 2510.03289 (restated)"
    ),
    note=(
        "Most of the share is on the two ends, nothing and everything shown, 1/(L + 1) each; a "
        "fully shown sequence trains nothing. The middle prefixes are exponentially rare one by "
        "one: 1/((L + 1) C(L, L/2)). So a learner that shares nothing between patterns does meet "
        "them exponentially rarely (E4); the polynomial share is an average that the ends carry."
    ),
    source="derived here",
    provenance=Provenance.OURS,
    verdict=Verdict.HOLDS,
    checks=(
        Check(level=Level.SYMBOLIC, residual=_shares, planted={"share": _fair_coins}),
        Check(
            level=Level.EXACT,
            residual=_prefixes,
            distributions=lambda: strategies.joint_tables(
                lengths=(1, 4), vocabs=(1, 2), exact=True
            ),
            planted={"decoder": FirstHitting},
        ),
        Check(
            level=Level.EXACT,
            residual=_every_length,
            distributions=lambda: strategies.joint_tables(
                lengths=(1, 4), vocabs=(1, 2), exact=True
            ),
            planted={"share": _fair_coins},
        ),
        Check(
            level=Level.PROPERTY,
            residual=_prefixes,
            distributions=lambda: strategies.joint_tables(lengths=(1, 5)),
            planted={"decoder": FirstHitting},
            tolerance=1e-12,
        ),
    ),
)
