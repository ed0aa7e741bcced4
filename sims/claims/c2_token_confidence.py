"""C2: keeping the likeliest draws is biased, however good the denoiser."""

import itertools
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np

from sims import policies
from sims.claims.kit.families import scattered_tables
from sims.decoding.exact import output_distribution
from sims.policies import Decoder
from theory import MASK, JointTable, strategies
from theory._core.arrays import to_host
from theory.claims import Claim, DoesNotApply, Provenance, Verdict
from theory.claims.kit.inequality import excess
from theory.distributions import Distribution

__all__ = ["C2"]

Factory = Callable[[int], Decoder]
"""From how many tokens are kept. Planted is `TopK`, which chooses the site before it draws."""

C2 = Claim(
    id="C2",
    title="Keeping the likeliest draws is biased, however good the denoiser",
    statement=(
        "Drawing a token at every masked site and keeping the one whose drawn token is likeliest "
        "does not sample from p, even at one site per round with the zero-loss denoiser: an "
        "unlikely token is usually drawn again. Of two independent bits, the first fair, the "
        "rare token of the second is written with the square of its probability. So are two equal "
        "bits that are rarely 1, whatever is done about ties, and also if tokens that are written "
        "are scored again and masked where they are least likely (path planning). On tables of "
        "three to six sites with scattered weights the total variation distance from the data "
        "exceeds 0.2."
    ),
    latex=(
        r"p(x, y) = \tfrac12\, p(y),\ p(1) = a < \tfrac12 \ \Rightarrow\ q(y = 1) = a^2;"
        r"\qquad \mathrm{TV}(p, q) > 0.2"
    ),
    says=(
        "no paper says it; at temperature 1 the code of LLaDA (remasking by low confidence) and of "
        "Fast-dLLM draws first and selects by what was drawn"
    ),
    note=(
        "The distance grows with the length: 0.07 to 0.24 at 2 sites, 0.64 to 0.74 at 8 sites, on "
        "eight random binary tables each. Some data are written exactly, for instance equal bits. "
        "It is not true that no temperature mends it: a fair and an independent 9 to 1 bit are "
        "written exactly at T = 2.849, where the rare token is drawn with the root of 1/10."
    ),
    source="derived here; code of LLaDA and Fast-dLLM read",
    provenance=Provenance.OURS,
    verdict=Verdict.HOLDS,
)


def _by_definition(p: Distribution, k: int) -> np.ndarray:
    """Draw a token at every masked site in all ways, keep the k likeliest, and go on."""
    one = Fraction(1) if p.exact else 1.0
    table = np.zeros((p.vocab,) * p.length, dtype=object)
    reached = [(one, np.full(p.length, MASK))]
    while reached:
        mass, x = reached.pop()
        masked = np.flatnonzero(x == MASK).tolist()
        if not masked:
            table[tuple(x)] += mass
            continue
        f = to_host(p.denoise(x, on_impossible="marginal"))
        for tokens in itertools.product(range(p.vocab), repeat=len(masked)):
            drawn = dict(zip(masked, tokens, strict=True))
            probability = math.prod((f[i, v] for i, v in drawn.items()), start=mass)
            if probability == 0:
                continue
            kept = sorted(masked, key=lambda i: (-round(float(f[i, drawn[i]]), 12), i))[:k]
            after = x.copy()
            after[kept] = [drawn[i] for i in kept]
            reached.append((probability, after))
    return table


@C2.residual(
    "all draws one by one",
    exact=strategies.joint_tables(lengths=(1, 3), exact=True),
    floats=strategies.distributions(lengths=(1, 3), vocabs=(1, 3)),
    parts={"k": lambda size: st.integers(1, size.length)},
    tolerance=1e-11,
    decoder=policies.TopK,
)
def what_is_written(p: Distribution, k: int, decoder: Factory = policies.TokenConfidence) -> Any:
    difference = output_distribution(p, decoder(k)).table - _by_definition(p, k)
    return difference if p.exact else difference.astype(np.float64)


DIFFERENT = st.tuples(st.integers(0, 9), st.integers(1, 9)).filter(lambda w: w[0] != w[1])


@C2.residual(
    "the squared probability of a rare token beside a fair bit",
    exact=DIFFERENT.map(lambda w: JointTable([list(w), list(w)], exact=True)),
    decoder=policies.TopK,
)
def rare_token(p: Distribution, decoder: Factory = policies.TokenConfidence) -> Any:
    if (p.length, p.vocab) != (2, 2):
        raise DoesNotApply("it is about two bits")
    fair, other = to_host(p.marginals)
    if fair[0] != fair[1] or (to_host(p.table()) != fair[:, None] * other).any():
        raise DoesNotApply("it is about a fair bit and an independent one")
    rare = int(np.argmin(other))
    return output_distribution(p, decoder(1)).table.sum(axis=0)[rare] - other[rare] ** 2


def _by_tokens() -> list[Decoder]:
    """Drawing first with each rule for ties, and path planning with each view of what is shown."""
    return [
        *(policies.TokenConfidence(1, ties=ties) for ties in ("lowest", "highest", "random")),
        *(policies.PathPlanning(2, seen) for seen in ("one-hot", "leave-one-out", "flat")),
    ]


@C2.residual(
    "the squared probability of two equal bits that are rarely 1, for six decoders",
    exact=DIFFERENT.map(lambda w: JointTable([[max(w), 0], [0, min(w)]], exact=True)),
    decoders=lambda: [policies.TopK(1)],
)
def rare_pair(p: Distribution, decoders: Callable[[], list[Decoder]] = _by_tokens) -> list[Any]:
    """The smallest case: of the strings 00, 00 and 11, the last one with 1/9 and not 1/3."""
    table = to_host(p.table())
    if table.shape != (2, 2) or table[0, 1] != 0 or table[1, 0] != 0 or table[1, 1] >= table[0, 0]:
        raise DoesNotApply("it is about two equal bits that are rarely 1")
    rare = table[1, 1]
    written = np.asarray([[1 - rare**2, rare * 0], [rare * 0, rare**2]], dtype=table.dtype)
    return [output_distribution(p, decoder).table - written for decoder in decoders()]


@C2.residual(
    "a total variation distance above 0.2",
    named=lambda: scattered_tables(((3, 2), (3, 3), (4, 2), (4, 3), (5, 3), (6, 3))),
    tolerance=1e-12,
    decoder=policies.TopK,
)
def distance(p: Distribution, decoder: Factory = policies.TokenConfidence) -> Any:
    return excess(0.2, output_distribution(p, decoder(1)).tv)
