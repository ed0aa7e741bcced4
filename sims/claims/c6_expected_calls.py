"""C6: first hitting is what many ancestral steps come to, at one call for each token."""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st

from sims import policies
from sims.decoding.exact import output_distribution
from sims.imperfect.perturbed import Perturbed
from sims.policies import Policy
from theory import closed_forms, strategies
from theory.claims import Check, Claim, Level, Provenance, Verdict
from theory.claims.kit.generators import (
    Size,
    by_size,
    equal_bits_and_parity,
    in_arithmetic_of,
    named_distributions,
)
from theory.claims.kit.inequality import excess
from theory.distributions import Distribution

__all__ = ["EXPECTED_CALLS"]

Calls = Callable[[int, Sequence[Any]], Any]


def _equal_steps(steps: int) -> tuple[Fraction, ...]:
    return tuple(Fraction(k, steps) for k in range(steps + 1))


def _calls(p: Distribution, times: Sequence[Any], calls: Calls | None = None) -> list[Any]:
    """Mean number of calls on a clock, against the formula; first hitting makes L of them."""
    formula = calls or _formula
    clock = output_distribution(p, policies.Bernoulli(times))
    hitting = output_distribution(p, policies.FirstHitting())
    return [
        clock.expected_rounds - formula(p.length, times),
        clock.expected_rounds_on_data - formula(p.length, times),
        hitting.expected_rounds - p.length,
        abs(hitting.rounds[p.length] - 1),
    ]


def _formula(length: int, times: Sequence[Any]) -> Any:
    return closed_forms.expected_calls_on(length, times, exact=True)


def _one_for_each_step(length: int, times: Sequence[Any]) -> Any:
    """Planted: counts steps that reveal nothing."""
    return len(times) - 1


def _on_equal_steps(
    p: Distribution, steps: int, calls: Callable[..., Any] = closed_forms.expected_calls
) -> Any:
    """The formula for equal steps."""
    clock = output_distribution(p, policies.Bernoulli(_equal_steps(steps)))
    return clock.expected_rounds - calls(p.length, steps, exact=True)


def _tokens_or_steps(length: int, steps: int, *, exact: bool) -> Any:
    """Planted: takes the bound for the number."""
    return min(length, steps)


def _limit(p: Distribution, steps: int, smoothing: Any, limit: Policy | None = None) -> list[Any]:
    """By how much ``q_steps >= P(no two sites in one step) q_limit`` is violated, cell by cell.

    The denoiser is not perfect: else the limit is the data. The probability is
    ``steps! / (steps - L)! / steps^L``, which tends to 1 with many steps.
    """
    denoiser = Perturbed(p, smoothing=smoothing)
    many = output_distribution(p, policies.Bernoulli(_equal_steps(steps)), denoiser=denoiser)
    hitting = output_distribution(p, limit or policies.FirstHitting(), denoiser=denoiser)
    apart = Fraction(math.perm(steps, p.length), steps**p.length)
    share = apart if p.exact else float(apart)
    return [
        excess(share * a, b)
        for a, b in zip(hitting.table.reshape(-1), many.table.reshape(-1), strict=True)
    ]


@by_size
def _times(p: Size) -> dict[str, Any]:
    inner = st.lists(strategies.rationals(), max_size=3, unique=True)
    return {"times": inner.map(lambda t: (0, *sorted(t), 1))}


@by_size
def _steps(p: Size) -> dict[str, Any]:
    return {"steps": st.integers(1, 6)}


@by_size
def _many_steps(p: Size) -> dict[str, Any]:
    return {
        "steps": st.sampled_from([1, 2, 3, 5, 8]),
        "smoothing": in_arithmetic_of(p, strategies.rationals()),
    }


def _named(p: Distribution, calls: Callable[..., Any] = closed_forms.expected_calls) -> list[Any]:
    return [_on_equal_steps(p, steps, calls) for steps in (1, 2, 3, 4)]


EXPECTED_CALLS = Claim(
    id="C6",
    title="First hitting is the limit of many steps, at one call for each token",
    statement=(
        "On a clock of n equal steps the ancestral sampler calls the denoiser "
        "n (1 - (1 - 1/n)^L) times on average, if steps that reveal nothing need no call; on any "
        "clock, once for each step of width d with probability 1 - (1 - d)^L. First-hitting "
        "sampling makes L calls. With any denoiser, what n steps write is at least "
        "n!/((n-L)! n^L) times what first hitting writes, sequence by sequence, so that the laws "
        "come together with many steps."
    ),
    latex=(
        r"\mathbb E[\text{calls}] = n \bigl(1 - (1 - \tfrac1n)^L\bigr) \to L,\qquad "
        r"q_n \ge \frac{n!}{(n-L)!\, n^L}\, q_{\mathrm{FH}} \ \Rightarrow\ "
        r"\mathrm{TV}(q_n, q_{\mathrm{FH}}) \le \frac{L(L-1)}{2n}"
    ),
    says=(
        "first-hitting sampling has the law of the ancestral sampler in the limit of many steps, "
        "with one call for each token (Zheng et al.); the number of calls (RADD)"
    ),
    note=(
        "How fast the laws come together is ours: unless two sites fall into one step, the order "
        "is uniformly random. The limit is checked with denoisers that are not perfect, because "
        "with the zero-loss denoiser it is the data itself."
    ),
    source="RADD, arXiv 2406.03736; Zheng et al., arXiv 2409.02908",
    provenance=Provenance.MEMORY,
    verdict=Verdict.HOLDS,
    checks=(
        Check(
            level=Level.EXACT,
            residual=_calls,
            distributions=lambda: strategies.joint_tables(lengths=(1, 3), exact=True),
            parts=_times,
            planted={"calls": _one_for_each_step},
        ),
        Check(
            level=Level.EXACT,
            residual=_on_equal_steps,
            distributions=lambda: strategies.joint_tables(lengths=(1, 3), exact=True),
            parts=_steps,
            planted={"calls": _tokens_or_steps},
        ),
        Check(
            level=Level.EXACT,
            residual=_limit,
            distributions=lambda: st.one_of(
                strategies.joint_tables(lengths=(1, 3), vocabs=(2, 2), exact=True),
                equal_bits_and_parity(lengths=(2, 3)),
            ),
            parts=_many_steps,
            planted={"limit": policies.LeftToRight(2)},
        ),
        Check(
            level=Level.PROPERTY,
            residual=_calls,
            distributions=lambda: strategies.distributions(lengths=(1, 4)),
            parts=_times,
            planted={"calls": _one_for_each_step},
            tolerance=1e-12,
        ),
        Check(
            level=Level.PROPERTY,
            residual=_limit,
            distributions=lambda: st.one_of(
                strategies.distributions(lengths=(1, 3)),
                equal_bits_and_parity(lengths=(2, 3), exact=False),
            ),
            parts=_many_steps,
            planted={"limit": policies.LeftToRight(2)},
            tolerance=1e-12,
        ),
        Check(
            level=Level.NUMERIC,
            residual=_named,
            named=lambda: named_distributions(words_of=2),
            planted={"calls": _tokens_or_steps},
            tolerance=1e-12,
        ),
    ),
)
