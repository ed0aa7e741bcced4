"""C4: the entropy bound pays at most gamma for a round."""

from fractions import Fraction
from typing import Any

import hypothesis.strategies as st

from sims.claims.kit.families import equal_tokens
from sims.claims.kit.policies import path_steps
from sims.decoding.exact import output_distribution
from sims.policies import EntropyBounded
from theory import information, strategies
from theory._core.bound import Bound
from theory.claims import Claim, Provenance, Verdict
from theory.claims.kit.generators import in_arithmetic_of, named_distributions
from theory.claims.kit.inequality import excess
from theory.distributions import Distribution

__all__ = ["C4"]

C4 = Claim(
    id="C4",
    title="The entropy bound pays at most gamma for a round",
    statement=(
        "A set that the entropy-bounded sampler reveals has a conditional total correlation of at "
        "most the sum of its entropies without the largest, hence of at most gamma. So the "
        "divergence of what it writes is at most gamma times its expected number of rounds on "
        "the data."
    ),
    latex=(
        r"\mathrm{TC}(X_S \mid c) \le \sum_{i \in S} H_i - \max_{i \in S} H_i \le \gamma"
        r"\ \Rightarrow\ \mathrm{KL}(p \,\|\, q) \le \gamma\, \mathbb E_p[\text{rounds}]"
    ),
    says="the sampler bounds the total correlation of every set by its entropies",
    note=(
        "Best possible, which is ours: n equal bits of entropy gamma/(n-1) each are written in one "
        "round and lose gamma, and sims.worst_case finds such data."
    ),
    source="entropy-bounded sampling, arXiv 2505.24857",
    provenance=Provenance.SOURCE,
    verdict=Verdict.HOLDS,
)


TENTHS = st.integers(4, 30).map(lambda k: Fraction(k, 10))
SMALL = st.integers(1, 12).map(lambda k: Fraction(k, 20))
"""Smaller than many total correlations, so that what is planted shows."""


@C4.residual(
    "TC <= all entropies but the largest <= gamma in every round",
    exact=strategies.joint_tables(lengths=(2, 3), vocabs=(2, 3), full_support=True, exact=True),
    floats=strategies.distributions(lengths=(1, 4)),
    parts={"gamma": lambda size: in_arithmetic_of(size, TENTHS)},
    looser=16,
)
def every_round(p: Distribution, gamma: Any, looser: int = 1) -> list[Any]:
    found = []
    for _, _, sites, x in path_steps(p, EntropyBounded(float(looser * gamma))):
        entropies = [information.entropy(p, [i], x) for i in sites]
        others = sum(entropies) - max(entropies, key=float)
        tc = information.total_correlation(p, sites, given=x)
        found += [excess(tc, others), excess(others, gamma), Bound(tc, gamma)]
    return found


@C4.residual(
    "KL and path KL <= gamma for each expected round",
    named=lambda: named_distributions(words_of=2),
    at=[{"gamma": gamma} for gamma in (0.3, 0.7, 1.0, 2.0)],
    looser=40,
)
@C4.residual(
    "KL and path KL <= gamma for each expected round",
    exact=strategies.joint_tables(lengths=(2, 3), exact=True),
    floats=strategies.distributions(lengths=(1, 4)),
    parts={"gamma": lambda size: in_arithmetic_of(size, SMALL)},
    looser=16,
)
def in_all(p: Distribution, gamma: Any, looser: int = 1) -> list[Any]:
    q = output_distribution(p, EntropyBounded(float(looser * gamma)))
    most = gamma * q.expected_rounds_on_data
    return [excess(q.path_kl, most), Bound(q.kl, most)]


@C4.residual(
    "attained by equal bits in one round",
    named=lambda: {
        f"{n} equal bits, 1 with probability {k / 10}": equal_tokens(n, 2, 10 - k, k, exact=False)
        for n in (2, 3, 4)
        for k in (1, 3, 5)
    },
    tolerance=1e-12,
    share=0.9,
)
def attained(p: Distribution, share: float = 1) -> list[Any]:
    gamma = (p.length - 1) * information.entropy(p, [0])
    q = output_distribution(p, EntropyBounded(share * gamma))
    return [Bound(q.kl, gamma * q.expected_rounds_on_data), gamma - q.kl]
