"""C4: the entropy bound pays at most gamma for a round."""

from fractions import Fraction
from typing import Any

import hypothesis.strategies as st

from sims.claims.kit.policies import path_steps
from sims.decoding.exact import output_distribution
from sims.policies import EntropyBounded
from theory import information, strategies
from theory.claims import Check, Claim, Level, Provenance, Verdict
from theory.claims.kit.generators import Size, by_size, in_arithmetic_of, named_distributions
from theory.claims.kit.inequality import closeness, excess
from theory.distributions import Distribution

__all__ = ["ENTROPY_BOUND"]

GAMMAS = (0.3, 0.7, 1.0, 2.0)
"""Bounds that the named distributions are checked with."""


def _every_round(p: Distribution, gamma: Any, looser: int = 1) -> list[Any]:
    """By how much ``TC <= sum H - max H <= gamma`` is violated, at every context of the data."""
    violations: list[Any] = []
    for _, _, sites, x in path_steps(p, EntropyBounded(float(looser * gamma))):
        entropies = [information.entropy(p, [i], x) for i in sites]
        others = sum(entropies) - max(entropies, key=float)
        violations.append(excess(information.total_correlation(p, sites, given=x), others))
        violations.append(excess(others, gamma))
    return violations


def _tightest_round(p: Distribution, gamma: Any) -> float:
    """The largest total correlation that a round pays, as a share of gamma."""
    steps = path_steps(p, EntropyBounded(float(gamma)))
    costs = [information.total_correlation(p, sites, given=x) for _, _, sites, x in steps]
    return closeness(max(costs, key=float), gamma)


def _in_all(p: Distribution, gamma: Any, looser: int = 1) -> Any:
    """By how much the divergence exceeds gamma for each expected round."""
    q = output_distribution(p, EntropyBounded(float(looser * gamma)))
    return [
        excess(q.kl, gamma * q.expected_rounds_on_data),
        excess(q.path_kl, gamma * q.expected_rounds_on_data),
    ]


def _share_of_rounds(p: Distribution, gamma: Any) -> float:
    """The divergence as a share of gamma for each expected round."""
    q = output_distribution(p, EntropyBounded(float(gamma)))
    return closeness(q.kl, gamma * q.expected_rounds_on_data)


@by_size
def _bound(p: Size) -> dict[str, Any]:
    gammas = st.integers(4, 30).map(lambda k: Fraction(k, 10))
    return {"gamma": in_arithmetic_of(p, gammas)}


@by_size
def _small_bound(p: Size) -> dict[str, Any]:
    """Smaller than many total correlations, so that what is planted shows."""
    gammas = st.integers(1, 12).map(lambda k: Fraction(k, 20))
    return {"gamma": in_arithmetic_of(p, gammas)}


def _named(p: Distribution, looser: int = 1) -> list[Any]:
    return [v for gamma in GAMMAS for v in _in_all(p, gamma, looser)]


def _named_share(p: Distribution) -> float:
    return max(_share_of_rounds(p, gamma) for gamma in GAMMAS)


ENTROPY_BOUND = Claim(
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
    source="entropy-bounded sampling, arXiv 2505.24857",
    provenance=Provenance.SOURCE,
    verdict=Verdict.HOLDS,
    checks=(
        Check(
            level=Level.EXACT,
            residual=_every_round,
            distributions=lambda: strategies.joint_tables(
                lengths=(2, 3), vocabs=(2, 3), full_support=True, exact=True
            ),
            parts=_bound,
            planted={"looser": 16},
            tightness=_tightest_round,
        ),
        Check(
            level=Level.EXACT,
            residual=_in_all,
            distributions=lambda: strategies.joint_tables(lengths=(2, 3), exact=True),
            parts=_small_bound,
            planted={"looser": 16},
            tightness=_share_of_rounds,
        ),
        Check(
            level=Level.PROPERTY,
            residual=_every_round,
            distributions=lambda: strategies.distributions(lengths=(1, 4)),
            parts=_bound,
            planted={"looser": 16},
            tolerance=1e-10,
            tightness=_tightest_round,
        ),
        Check(
            level=Level.PROPERTY,
            residual=_in_all,
            distributions=lambda: strategies.distributions(lengths=(1, 4)),
            parts=_small_bound,
            planted={"looser": 16},
            tolerance=1e-10,
            tightness=_share_of_rounds,
        ),
        Check(
            level=Level.NUMERIC,
            residual=_named,
            named=lambda: named_distributions(words_of=2),
            planted={"looser": 40},
            tolerance=1e-10,
            tightness=_named_share,
        ),
    ),
)
