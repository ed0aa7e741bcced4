"""E1: inference from left to right meets few masks, and uniform-time training rarely shows them."""

import itertools
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from sims.policies import Decoder, FirstHitting, LeftToRight
from sims.training import share_on_prefixes, uniform_time, visited
from theory import strategies
from theory.claims import Claim, Provenance, Verdict
from theory.claims.kit.inequality import excess
from theory.distributions import Distribution

__all__ = ["E1"]

Share = Callable[[int], Fraction]

E1 = Claim(
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
)


def _every_pattern_alike(length: int) -> Fraction:
    """Planted: the share of the prefixes if every pattern were equally likely."""
    return Fraction(length + 1, 2**length)


def _is_prefix(shown: tuple[int, ...]) -> bool:
    return list(shown) == sorted(shown, reverse=True)


@E1.symbolic(
    "shares of patterns as integrals over time, and bounds of the sum over prefixes",
    share=_every_pattern_alike,
)
def shares(share: Share = share_on_prefixes) -> list[Any]:
    import sympy

    u = sympy.Symbol("u")
    residuals: list[Any] = []
    for length in range(1, 7):
        table, total = uniform_time(length, exact=True), sympy.Integer(0)
        areas = [
            sympy.Poly(u**k * (1 - u) ** (length - k), u).integrate().eval(1)
            for k in range(length + 1)
        ]
        for shown in itertools.product((0, 1), repeat=length):
            area = areas[sum(shown)]
            residuals.append(area - table[shown])
            total += area if _is_prefix(shown) else 0
        residuals.append(total - share(length))
    for length in range(1, 65):
        least = Fraction(2, length + 1)
        residuals.append(excess(least, share(length)))
        residuals.append(excess(share(length), least * (1 + Fraction(2, length))))
    return residuals


@E1.residual(
    "the prefixes, each met once, and their share of training",
    exact=strategies.joint_tables(lengths=(1, 4), vocabs=(1, 2), exact=True),
    floats=strategies.joint_tables(lengths=(1, 5)),
    tolerance=1e-12,
    decoder=FirstHitting,
)
def prefixes(p: Distribution, decoder: Callable[[], Decoder] = LeftToRight) -> list[Any]:
    """The finished sequence counts as met; the denoiser is not asked about it."""
    met = visited(p, decoder())
    training = uniform_time(p.length, exact=p.exact)
    residuals: list[Any] = []
    seen: Any = 0
    for shown in itertools.product((0, 1), repeat=p.length):
        full = all(shown)
        expected = Fraction(1, p.length) if _is_prefix(shown) and not full else 0
        residuals.append(met[shown] - expected)
        seen = seen + (training[shown] if met[shown] != 0 or full else 0)
    share = share_on_prefixes(p.length)
    return [*residuals, seen - (share if p.exact else float(share))]


@E1.residual(
    "the recurrence S(L) = 1 + (L + 1) / (2 L) S(L - 1) of sums of reciprocal binomials",
    exact=strategies.joint_tables(lengths=(1, 4), vocabs=(1, 2), exact=True),
    share=_every_pattern_alike,
)
def every_length(p: Distribution, share: Share = share_on_prefixes) -> list[Any]:
    total, residuals = Fraction(1), []
    for length in range(1, 8 * p.length + 1):
        total = 1 + Fraction(length + 1, 2 * length) * total
        residuals.append(total / (length + 1) - share(length))
    return residuals if p.exact else [math.fsum(map(float, residuals))]
