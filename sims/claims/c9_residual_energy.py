"""C9: weighting by the residual energy removes the whole error."""

import itertools
import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from sims import joints
from sims.claims.kit.policies import possible_rounds
from sims.claims.kit.random_rules import any_rule, drawn_rules
from sims.decoding.exact import output_distribution
from sims.policies import JointDraw
from theory import strategies
from theory._core.arrays import to_host
from theory.claims import Claim, Provenance, Verdict
from theory.claims.kit.generators import equal_bits_and_parity
from theory.distributions import Distribution

__all__ = ["C9"]

Weight = Callable[[Distribution, Any, Any, Sequence[int]], Any]
"""Of tokens that are drawn together, from the context, their sites and themselves."""

C9 = Claim(
    id="C9",
    title="Weighting by the residual energy removes the whole error",
    statement=(
        "What one parallel round leaves out is the pointwise total correlation of the revealed "
        "tokens. Weighting their product by exp(tc) gives the joint conditional, with mean weight "
        "1, so that rounds of any sets, weighted, sample from the data. Energies of pairs are not "
        "enough."
    ),
    latex=(
        r"p(x_S \mid c) = e^{\mathrm{tc}(x_S \mid c)} \prod_{i \in S} p(x_i \mid c),\quad "
        r"\mathrm{tc}(x_S \mid c) = \log \frac{p(x_S \mid c)}{\prod_{i} p(x_i \mid c)}"
    ),
    says="an energy on top of the product, learnt as the residual, corrects parallel decoding",
    source="energy-based diffusion language models, arXiv 2410.21357",
    provenance=Provenance.MEMORY,
    verdict=Verdict.HOLDS,
)


@lru_cache(maxsize=256)  # each pattern is asked for with many choices of sites and tokens
def _predictions(p: Distribution, x: tuple[int, ...]) -> np.ndarray:
    return to_host(p.denoise(np.asarray(x), on_impossible="marginal"))


def _exp_total_correlation(p: Distribution, x: Any, sites: Any, tokens: Sequence[int]) -> Any:
    """``exp(tc(x_S | x_C))``: predictions one after another over predictions at once."""
    at_once = _predictions(p, tuple(x))
    after, weight = list(x), 1
    for i, v in zip(sites, tokens, strict=True):
        if at_once[i, v] == 0:
            return 0
        weight = weight * _predictions(p, tuple(after))[i, v] / at_once[i, v]
        after[i] = v
    return weight


def _pairs_only(p: Distribution, x: Any, sites: Any, tokens: Sequence[int]) -> Any:
    """Planted: the energy of pairs, added up."""
    placed = zip(sites, tokens, strict=True)
    pairs = [zip(*pair, strict=True) for pair in itertools.combinations(placed, 2)]
    return math.prod(_exp_total_correlation(p, x, *pair) for pair in pairs)


def _weighted_products(
    p: Distribution, x: Any, sites: Any, marginals: np.ndarray, weight: Weight
) -> np.ndarray:
    """Weighted products of predictions, of all values of the sites, last site fastest."""
    return np.asarray(
        [
            math.prod(row[v] for row, v in zip(marginals, tokens, strict=True))
            * weight(p, x, sites, tokens)
            for tokens in itertools.product(range(p.vocab), repeat=len(sites))
        ]
    )


@C9.residual(
    "weighted products as joint conditionals, and mean weights of 1,",
    exact=strategies.joint_tables(lengths=(1, 3), vocabs=(1, 2), exact=True),
    floats=strategies.distributions(lengths=(3, 3), vocabs=(1, 2)),
    weight=_pairs_only,
)
def joint_conditionals(p: Distribution, weight: Weight = _exp_total_correlation) -> list[Any]:
    residuals = []
    for x, sites, marginals in possible_rounds(p):
        weighted = _weighted_products(p, x, sites, marginals[sites], weight)
        after = np.tile(x, (len(weighted), 1))
        after[:, sites] = list(np.ndindex(*(p.vocab,) * len(sites)))
        joint = to_host(p.evidence(after)) / p.evidence(x)
        residuals += [weighted - joint, weighted.sum() - 1]
    return residuals


class _Weighted(joints.Joint):
    """The product, weighted by an energy."""

    def __init__(self, p: Distribution, weight: Weight) -> None:
        self.p, self.weight = p, weight

    def distribution(self, x: np.ndarray, sites: np.ndarray, marginals: np.ndarray) -> np.ndarray:
        rows = zip(x, sites, marginals, strict=True)
        weighted = [_weighted_products(self.p, *row, self.weight) for row in rows]
        return np.asarray([products / products.sum() for products in weighted])


@C9.residual(
    "q = p for weighted rounds of any sets",
    exact=strategies.joint_tables(lengths=(1, 3), vocabs=(2, 2), exact=True)
    | equal_bits_and_parity(lengths=(3, 3)),
    floats=strategies.distributions(lengths=(3, 3), vocabs=(2, 2))
    | equal_bits_and_parity(lengths=(3, 3), exact=False),
    parts={"rule": drawn_rules()},
    weight=_pairs_only,
)
def what_is_written(
    p: Distribution, rule: Sequence[int], weight: Weight = _exp_total_correlation
) -> Any:
    decoder = JointDraw(any_rule(rule), _Weighted(p, weight))
    return output_distribution(p, decoder).table - to_host(p.table())
