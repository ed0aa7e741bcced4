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
from theory.claims import Claim, Provenance, Verdict
from theory.claims.kit.generators import equal_bits_and_parity, levels, named_distributions
from theory.claims.kit.inequality import excess
from theory.distributions import Distribution

__all__ = ["C6"]

C6 = Claim(
    id="C6",
    title="First hitting is the limit of many steps, at one call for each token",
    statement=(
        "On a clock of n equal steps the ancestral sampler calls the denoiser "
        "n (1 - (1 - 1/n)^L) times on average, if steps that reveal nothing need no call; on any "
        "clock, once for each step of width d with probability 1 - (1 - d)^L. First-hitting "
        "sampling makes L calls. With any denoiser, what n steps write is at least "
        "n!/((n-L)! n^L) times what first hitting writes, sequence by sequence, so that the two "
        "distributions agree in the limit of many steps."
    ),
    latex=(
        r"\mathbb E[\text{calls}] = n \bigl(1 - (1 - \tfrac1n)^L\bigr) \to L,\qquad "
        r"q_n \ge \frac{n!}{(n-L)!\, n^L}\, q_{\mathrm{FH}} \ \Rightarrow\ "
        r"\mathrm{TV}(q_n, q_{\mathrm{FH}}) \le \frac{L(L-1)}{2n}"
    ),
    says=(
        "first-hitting sampling writes what the ancestral sampler does in the limit of many steps, "
        "with one call for each token (Zheng et al.); the number of calls (RADD)"
    ),
    note=(
        "How fast they agree is ours: unless two sites fall into one step, the order "
        "is uniformly random. The limit is checked with denoisers that are not perfect, because "
        "with the zero-loss denoiser it is the data itself."
    ),
    source="RADD, arXiv 2406.03736; Zheng et al., arXiv 2409.02908",
    provenance=Provenance.MEMORY,
    verdict=Verdict.HOLDS,
)


def _on_equal_steps(steps: int) -> Policy:
    return policies.Bernoulli([Fraction(k, steps) for k in range(steps + 1)])


HITTING = policies.FirstHitting()

INNER_TIMES = st.lists(strategies.rationals(), max_size=3, unique=True)


@C6.residual(
    "calls on a clock and of first hitting",
    exact=strategies.joint_tables(lengths=(1, 3), exact=True),
    floats=strategies.distributions(lengths=(1, 4)),
    parts={"times": INNER_TIMES.map(lambda inner: (0, *sorted(inner), 1))},
    tolerance=1e-12,
    calls=lambda length, times, exact: len(times) - 1,  # counts steps that reveal nothing
)
def calls_on_a_clock(
    p: Distribution,
    times: Sequence[Any],
    calls: Callable[..., Any] = closed_forms.expected_calls_on,
) -> list[Any]:
    clock = output_distribution(p, policies.Bernoulli(times))
    hitting = output_distribution(p, HITTING)
    expected = calls(p.length, times, exact=True)
    return [
        clock.expected_rounds - expected,
        clock.expected_rounds_on_data - expected,
        hitting.expected_rounds - p.length,
        hitting.rounds[p.length] - 1,
    ]


@C6.residual(
    "calls on equal steps",
    exact=strategies.joint_tables(lengths=(1, 3), exact=True),
    named=lambda: named_distributions(words_of=2),
    parts={"steps": st.integers(1, 6)},
    at=[{"steps": steps} for steps in (1, 2, 3, 4)],
    tolerance=1e-12,
    calls=lambda length, steps, exact: min(length, steps),  # takes the bound for the number
)
def calls_on_equal_steps(
    p: Distribution, steps: int, calls: Callable[..., Any] = closed_forms.expected_calls
) -> Any:
    clock = output_distribution(p, _on_equal_steps(steps))
    return clock.expected_rounds - calls(p.length, steps, exact=True)


@C6.residual(
    "every probability of many steps against first hitting",
    exact=strategies.joint_tables(lengths=(1, 3), vocabs=(2, 2), exact=True)
    | equal_bits_and_parity(lengths=(2, 3)),
    floats=strategies.distributions(lengths=(1, 3))
    | equal_bits_and_parity(lengths=(2, 3), exact=False),
    parts={"steps": st.sampled_from([1, 2, 3, 5, 8]), "smoothing": levels},
    tolerance=1e-12,
    limit=policies.LeftToRight(2),
)
def limit_of_many_steps(
    p: Distribution, steps: int, smoothing: Any, limit: Policy = HITTING
) -> list[Any]:
    """``q_steps >= P(no two sites in one step) q_limit``, sequence by sequence.

    The denoiser is not perfect: else the limit is the data. The probability is
    ``steps! / (steps - L)! / steps^L``, which tends to 1 with many steps.
    """
    denoiser = Perturbed(p, smoothing=smoothing)
    many = output_distribution(p, _on_equal_steps(steps), denoiser=denoiser)
    hitting = output_distribution(p, limit, denoiser=denoiser)
    apart = Fraction(math.perm(steps, p.length), steps**p.length)
    share = apart if p.exact else float(apart)
    pairs = zip(hitting.table.reshape(-1), many.table.reshape(-1), strict=True)
    return [excess(share * a, b) for a, b in pairs]
