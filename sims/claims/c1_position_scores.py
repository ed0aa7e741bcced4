"""C1: position scores are harmless, one site at a time."""

from collections.abc import Callable
from typing import Any

from sims import policies
from sims.decoding.exact import output_distribution
from sims.policies import Decoder
from theory import strategies
from theory._core.arrays import to_host
from theory.claims import Claim, Provenance, Verdict
from theory.claims.kit.generators import named_distributions
from theory.distributions import Distribution

__all__ = ["C1"]

Decoders = Callable[[int], list[Decoder]]

C1 = Claim(
    id="C1",
    title="Position scores are harmless, one site at a time",
    statement=(
        "Confidence, margin, entropy, random and left-to-right orders sample from p if they "
        "reveal one site per round by the zero-loss predictions and draw its token afterwards, "
        "within blocks too. So do a threshold of 1, and an entropy bound of 0, which adds only "
        "sites that are certain."
    ),
    latex=r"S_t = \{\arg\max_i s(f_i)\},\ X_{S_t} \sim f_{S_t} \ \Rightarrow\ q = p",
    says="with a perfect model, any order that reveals one position at a time is exact (see A6)",
    source="special case of Kim et al., arXiv 2502.06768; the list of samplers is ours",
    provenance=Provenance.OURS,
    verdict=Verdict.HOLDS,
)


def _one_site_per_round(length: int) -> list[Decoder]:
    return [
        *(policies.TopK(1, score) for score in ("confidence", "margin", "entropy")),
        policies.RandomOrder((1,) * length),
        policies.FirstHitting(),
        policies.LeftToRight(1),
        policies.Blocks(2, policies.TopK(1)),
        policies.Threshold(1),
        policies.EntropyBounded(0),
    ]


@C1.residual(
    "q = p for nine decoders",
    exact=strategies.joint_tables(lengths=(1, 3), exact=True),
    floats=strategies.distributions(lengths=(1, 4)),
    named=lambda: named_distributions(words_of=2),
    tolerance=1e-11,
    decoders=lambda length: [policies.TokenConfidence(1)],  # scores of drawn tokens
)
def what_is_written(p: Distribution, decoders: Decoders = _one_site_per_round) -> list[Any]:
    table = to_host(p.table())
    return [output_distribution(p, d).table - table for d in decoders(p.length)]
