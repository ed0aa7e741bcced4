"""C8: speculative decoding is exact."""

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import numpy as np

from sims.decoding.exact import output_distribution
from sims.policies import Speculative
from theory import strategies
from theory._core.arrays import to_host
from theory.claims import Check, Claim, Level, Provenance, Verdict
from theory.claims.kit.generators import Size, by_size, named_distributions
from theory.distributions import Distribution

__all__ = ["SPECULATIVE"]

Factory = Callable[[int], Speculative]


class _Careless(Speculative):
    """Planted: after a refusal draws from p, not from what p has left."""

    def refused(self, p: np.ndarray, accepted: np.ndarray) -> np.ndarray:
        missing = 1 - accepted.sum(axis=-1, keepdims=True)
        return p * np.maximum(missing, 0)  # floats may miss 0 by a rounding


def _difference(p: Distribution, k: int, decoder: Factory = Speculative) -> Any:
    """``q - p``."""
    return output_distribution(p, decoder(k)).table - to_host(p.table())


def _every_k(p: Distribution, decoder: Factory = Speculative) -> Any:
    return [_difference(p, k, decoder) for k in range(2, p.length + 1)]


@by_size
def _drafted(p: Size) -> dict[str, Any]:
    return {"k": st.integers(1, p.length)}


SPECULATIVE = Claim(
    id="C8",
    title="Speculative decoding is exact",
    statement=(
        "Drafting several sites from one prediction q, accepting each token with min(1, p/q), "
        "where p is the prediction given the tokens accepted before it, and drawing the first "
        "refused one from max(p - q, 0), normalised, samples from the data for every number of "
        "drafted sites."
    ),
    latex=r"\min(p, q) + \bigl(1 - \textstyle\sum \min(p, q)\bigr)"
    r"\frac{(p - q)_+}{\sum (p - q)_+} = p",
    says="acceptance with the residual distribution leaves the target unchanged",
    source="speculative sampling, textbook",
    provenance=Provenance.MEMORY,
    verdict=Verdict.HOLDS,
    checks=(
        Check(
            level=Level.EXACT,
            residual=_difference,
            distributions=lambda: strategies.joint_tables(lengths=(1, 3), exact=True),
            parts=_drafted,
            planted={"decoder": _Careless},
        ),
        Check(
            level=Level.PROPERTY,
            residual=_difference,
            distributions=lambda: strategies.distributions(lengths=(1, 4)),
            parts=_drafted,
            planted={"decoder": _Careless},
            tolerance=1e-12,
        ),
        Check(
            level=Level.NUMERIC,
            residual=_every_k,
            named=lambda: named_distributions(words_of=2),
            planted={"decoder": _Careless},
            tolerance=1e-11,
        ),
    ),
)
