"""C8: speculative decoding is exact."""

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import numpy as np

from sims.decoding.exact import output_distribution
from sims.policies import Speculative
from theory import strategies
from theory._core.arrays import to_host
from theory.claims import Claim, Provenance, Verdict
from theory.claims.kit.generators import named_distributions
from theory.distributions import Distribution

__all__ = ["C8"]

C8 = Claim(
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
)


class _Careless(Speculative):
    """Planted: after a refusal draws from p, not from what p has left."""

    def residual(self, p: np.ndarray, accepted: np.ndarray) -> np.ndarray:
        missing = 1 - accepted.sum(axis=-1, keepdims=True)
        return p * np.maximum(missing, 0)  # floats may miss 0 by a rounding


@C8.residual(
    "q = p",
    named=lambda: named_distributions(words_of=2),
    at=lambda p: [{"k": k} for k in range(2, p.length + 1)],
    tolerance=1e-11,
    decoder=_Careless,
)
@C8.residual(
    "q = p",
    exact=strategies.joint_tables(lengths=(1, 3), exact=True),
    floats=strategies.distributions(lengths=(1, 4)),
    parts={"k": lambda size: st.integers(1, size.length)},
    tolerance=1e-12,
    decoder=_Careless,
)
def what_is_written(
    p: Distribution, k: int, decoder: Callable[[int], Speculative] = Speculative
) -> Any:
    return output_distribution(p, decoder(k)).table - to_host(p.table())
