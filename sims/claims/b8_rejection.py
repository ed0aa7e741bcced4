"""B8: what leaves the support, and what it costs to stay in it."""

from collections.abc import Callable
from typing import Any

import numpy as np

from sims.claims.kit.policies import some_selecting_policy
from sims.decoding.exact import output_distribution
from sims.policies import LeftToRight, Policy
from theory import gallery, information, strategies
from theory._core.arrays import log, to_host
from theory.claims import Check, Claim, Level, Provenance, Verdict
from theory.claims.kit.generators import Size, by_size, named_distributions
from theory.claims.kit.inequality import closeness, excess
from theory.distributions import Distribution

__all__ = ["REJECTION"]


def _log(value: Any) -> Any:
    return log(np.asarray([value]))[0]


def _one_round(p: Distribution, share: int = 1) -> list[Any]:
    """By how much one round violates ``valid >= exp(-TC)`` and ``max p/q >= exp(TC)``."""
    q = output_distribution(p, LeftToRight(p.length))
    truth = to_host(p.table())
    happens = truth != 0
    trials = (truth[happens] / q.table[happens]).max()
    cost = information.total_correlation(p)
    return [excess(-share * _log(q.valid_mass), cost), excess(share * cost, _log(trials))]


def _any_decoder(p: Distribution, policy: Policy, share: int = 1) -> Any:
    """By how much a decoder violates ``valid >= exp(-KL)``."""
    q = output_distribution(p, policy)
    return excess(-share * _log(q.valid_mass), q.kl)


def _rejected(p: Distribution, policy: Policy | None = None) -> float:
    """``-log valid`` as a share of the divergence; in one round where no policy is given."""
    q = output_distribution(p, policy or LeftToRight(p.length))
    return closeness(-_log(q.valid_mass), q.kl)


def _never_infinite(p: Distribution, policy: Policy) -> bool:
    """Planted: overlooks what is written outside of the support."""
    return False


def _is_infinite(p: Distribution, policy: Policy) -> bool:
    return output_distribution(p, policy).reverse_kl == np.inf


def _reverse(
    p: Distribution,
    policy: Policy,
    infinite: Callable[[Distribution, Policy], bool] = _is_infinite,
) -> int:
    """1 if an infinite reverse divergence and mass outside of the support disagree, else 0."""
    q = output_distribution(p, policy)
    outside = q.table[to_host(p.table()) == 0]
    return int(bool(infinite(p, policy)) != bool((outside != 0).any()))


def _two_words(p: Distribution, share: int = 1) -> Any:
    """Two coupled words: the bound on the valid mass is attained."""
    q = output_distribution(p, LeftToRight(p.length))
    return _log(q.valid_mass) + share * information.total_correlation(p)


@by_size
def _policy(p: Size) -> dict[str, Any]:
    return {"policy": some_selecting_policy(p.length)}


def _tables(exact: bool = True) -> Any:
    return strategies.joint_tables(lengths=(1, 3), exact=exact)


REJECTION = Claim(
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
    checks=(
        Check(
            level=Level.EXACT,
            residual=_one_round,
            distributions=_tables,
            planted={"share": 3},
            tightness=_rejected,
        ),
        Check(
            level=Level.EXACT,
            residual=_any_decoder,
            distributions=_tables,
            parts=_policy,
            planted={"share": 3},
            tightness=_rejected,
        ),
        Check(
            level=Level.EXACT,
            residual=_reverse,
            distributions=_tables,
            parts=_policy,
            planted={"infinite": _never_infinite},
        ),
        Check(
            level=Level.PROPERTY,
            residual=_one_round,
            distributions=lambda: strategies.distributions(lengths=(1, 4)),
            planted={"share": 3},
            tolerance=1e-10,
            tightness=_rejected,
        ),
        Check(
            level=Level.PROPERTY,
            residual=_any_decoder,
            distributions=lambda: strategies.distributions(lengths=(1, 4)),
            parts=_policy,
            planted={"share": 3},
            tolerance=1e-10,
            tightness=_rejected,
        ),
        Check(
            level=Level.NUMERIC,
            residual=_one_round,
            named=lambda: named_distributions(words_of=2),
            planted={"share": 3},
            tolerance=1e-10,
            tightness=_rejected,
        ),
        Check(
            level=Level.NUMERIC,
            residual=_two_words,
            named=lambda: {
                "coupled_pairs(1)": gallery.coupled_pairs(1),
                "permutations(2)": gallery.permutations(2),
            },
            planted={"share": 2},
            tolerance=1e-12,
        ),
    ),
)
