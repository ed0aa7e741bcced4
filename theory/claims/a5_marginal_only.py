"""A5: many joint distributions of the masked sites have the same zero-loss prediction."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from theory import strategies
from theory._core.arrays import MASK, to_host
from theory._core.types import Number
from theory.claims.kit.claim import Claim, Provenance, Verdict
from theory.claims.kit.generators import every_pattern, levels
from theory.claims.kit.mutants import DenoiserOf, marginals_only, zero_loss
from theory.distributions import Distribution, JointTable

__all__ = ["A5"]

POOLS: dict[str, Any] = {
    "exact": strategies.joint_tables(lengths=(2, 3), exact=True),
    "floats": strategies.distributions(lengths=(2, 3)),
    "tolerance": 1e-12,
}

A5 = Claim(
    id="A5",
    title="One prediction, many joints",
    statement=(
        "Two data distributions whose masked sites have the same marginals given what is "
        "observed get the same prediction there. For two bits with fixed margins these are all "
        "joints of the Frechet segment. The predictions at all patterns together do determine "
        "the joint, by the chain rule."
    ),
    latex=(
        r"p_\varepsilon = \begin{pmatrix} ab + \varepsilon & a\bar b - \varepsilon \\"
        r" \bar a b - \varepsilon & \bar a \bar b + \varepsilon \end{pmatrix}"
        r" \;\Rightarrow\; f(\mathrm{MM}) = (a, b) \text{ for every } \varepsilon"
    ),
    says="a masked position gets its own conditional marginal; the joint is not modelled",
    source="arXiv 2510.03289, our name R1; made precise here",
    provenance=Provenance.OURS,
    verdict=Verdict.HOLDS,
)


def _product_of_marginals(block: np.ndarray) -> np.ndarray:
    """The product with the same single-site marginals as a joint `block` (V,)*k."""
    axes = range(block.ndim)
    product = np.ones((), dtype=block.dtype)
    for i in axes:
        margin = block.sum(axis=tuple(j for j in axes if j != i)) if block.ndim > 1 else block
        product = np.multiply.outer(product, margin)
    return product


def _uniform(block: np.ndarray) -> np.ndarray:
    """Planted: uniform over everything: other marginals."""
    return block * 0 + (Fraction(1, block.size) if block.dtype == object else 1 / block.size)


@A5.residual(
    "the prediction when the joint behind it changes",
    **POOLS,
    parts=lambda p: {
        "x": strategies.evidence(p, masked=(min(2, p.length), p.length)),
        "share": levels(p),
    },
    other=_uniform,
)
def same_prediction(
    p: Distribution,
    x: np.ndarray,
    share: Number,
    other: Callable[[np.ndarray], np.ndarray] = _product_of_marginals,
) -> np.ndarray:
    """Change of the prediction at `x` when the joint behind it changes.

    Given the observed tokens of `x`, the joint of the masked sites is mixed with the product of
    its marginals; nothing else is changed.
    """
    table = np.array(to_host(p.table()))
    here = tuple(slice(None) if t == MASK else int(t) for t in x)
    total = table[here].sum()
    block = table[here] / total
    table[here] = ((1 - share) * block + share * other(block)) * total
    changed = JointTable(table, exact=p.exact)
    return changed.denoise(x) - p.denoise(x)


@A5.residual("the chain rule gives the joint back", **POOLS, denoiser=marginals_only)
def chain_rule(p: Distribution, denoiser: DenoiserOf = zero_loss) -> np.ndarray:
    """The joint as a product of predictions, one call per site, minus the joint."""
    predict = denoiser(p)
    table = np.array(to_host(p.table())) * 0
    for pattern in every_pattern(p, masked=False):
        sequence = tuple(pattern.tolist())
        x = np.full(p.length, MASK)
        probability: Any = 1
        for i, token in enumerate(sequence):
            probability = probability * predict(x[None, :])[0][i, token]
            x[i] = token
        table[sequence] = probability
    return table - to_host(p.table())


@A5.symbolic("all joints of the Frechet segment", other=_uniform)
def frechet_segment(
    other: Callable[[np.ndarray], np.ndarray] = _product_of_marginals,
) -> list[Number]:
    """2 x 2 with margins a and b: the first prediction does not depend on the joint's slack e.

    `other` gives the joint at ``e = 0``; the correct one is the product of the margins.
    """
    import sympy

    a, b, e = sympy.symbols("a b e", positive=True)
    margins = np.asarray([[a * b, a * (1 - b)], [(1 - a) * b, (1 - a) * (1 - b)]], dtype=object)
    slack = np.asarray([[e, -e], [-e, e]], dtype=object)
    p = JointTable(other(margins) + slack, exact=True)
    first = p.denoise([MASK, MASK]) - np.asarray([[a, 1 - a], [b, 1 - b]], dtype=object)
    return [*first.reshape(-1), *chain_rule(p).reshape(-1)]
