"""B8: the probability of leaving the support, and the cost of rejection sampling."""

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import numpy as np

from sims.claims.kit.families import is_table
from sims.claims.kit.policies import selecting_policies
from sims.decoding.exact import output_distribution
from sims.decoding.output import OutputDistribution
from sims.policies import LeftToRight, Policy
from theory import gallery, information, strategies
from theory._core.arrays import log, to_host
from theory._core.bound import Bound
from theory.claims import Claim, DoesNotApply, Provenance, Verdict
from theory.claims.kit.generators import named_distributions
from theory.claims.kit.inequality import excess
from theory.distributions import Distribution

__all__ = ["B8"]

TABLES = strategies.joint_tables(lengths=(1, 3), exact=True)
FLOATS = strategies.distributions(lengths=(1, 4))

B8 = Claim(
    id="B8",
    title="What is written outside of the data, and what rejection costs",
    statement=(
        "KL(q || p) is infinite as soon as a decoder writes what the data never contain. The "
        "probability of staying in the support is at least exp(-KL(p || q)), in one round "
        "exp(-TC), which two coupled words attain. max p/q, which is how many draws from the "
        "one-round product rejection sampling takes on average (textbook), is at least exp(TC)."
    ),
    latex=(
        r"q(\mathrm{supp}\, p) \ge e^{-\mathrm{KL}(p \| q)},\qquad \max_x \frac{p(x)}{q(x)} \ge "
        r"e^{\mathrm{TC}},\qquad q(\mathrm{supp}\, p) < 1 \Leftrightarrow "
        r"\mathrm{KL}(q \,\|\, p) = \infty"
    ),
    says="parallel decoding leaves the support; its reverse divergence is infinite there",
    source="derived here; Zhang et al., arXiv 2602.00286 (restated)",
    provenance=Provenance.OURS,
    verdict=Verdict.HOLDS,
)


@B8.residual(
    "bounds of one round",
    exact=TABLES,
    floats=FLOATS,
    named=lambda: named_distributions(words_of=2),
    share=3,
)
def one_round(p: Distribution, share: int = 1) -> list[Any]:
    """``valid >= exp(-TC)`` and ``max p/q >= exp(TC)``."""
    q = output_distribution(p, LeftToRight(p.length))
    truth = to_host(p.table())
    trials = (truth[truth != 0] / q.table[truth != 0]).max()
    log_valid, log_trials = log(np.asarray([q.valid_mass, trials]))
    cost = information.total_correlation(p)
    return [Bound(-share * log_valid, cost), excess(share * cost, log_trials)]


@B8.residual(
    "bound of any decoder",
    exact=TABLES,
    floats=FLOATS,
    parts={"policy": selecting_policies},
    share=3,
)
def any_decoder(p: Distribution, policy: Policy, share: int = 1) -> Bound:
    """``valid >= exp(-KL)``."""
    q = output_distribution(p, policy)
    return Bound(-share * log(np.asarray([q.valid_mass]))[0], q.kl)


@B8.residual(
    "infinite reverse divergence",
    exact=TABLES,
    parts={"policy": selecting_policies},
    infinite=lambda q: False,  # overlooks what is written outside of the support
)
def infinite_reverse_kl(
    p: Distribution,
    policy: Policy,
    infinite: Callable[[OutputDistribution], Any] = lambda q: q.reverse_kl == np.inf,
) -> int:
    """1 if an infinite reverse divergence and mass outside of the support disagree, else 0."""
    q = output_distribution(p, policy)
    outside = q.table[to_host(p.table()) == 0]
    return int(bool(infinite(q)) != bool((outside != 0).any()))


TWO_WORDS = (gallery.coupled_pairs(1, exact=True), gallery.permutations(2, exact=True))
"""Two words of which either tells the other: equal, or different."""


@B8.residual(
    "bound attained by two coupled words",
    exact=st.sampled_from(TWO_WORDS),
    share=2,
)
def attained_by_two_coupled_words(p: Distribution, share: int = 1) -> Any:
    """``log valid + TC``."""
    if not any(is_table(p, words) for words in TWO_WORDS):
        raise DoesNotApply("it is about two bits that are equal or different, 0 and 1 alike")
    valid = output_distribution(p, LeftToRight(p.length)).valid_mass
    return log(np.asarray([valid]))[0] + share * information.total_correlation(p)
