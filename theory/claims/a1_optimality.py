"""A1: the training loss is minimised by the conditional marginals, the zero-loss denoiser."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from theory import strategies
from theory._core.arrays import MASK, to_host
from theory._core.types import Number
from theory.claims.kit import inequality
from theory.claims.kit.claim import Claim, Provenance, Verdict
from theory.claims.kit.generators import (
    challengers,
    every_pattern,
    grids,
    symbolic_table,
)
from theory.claims.kit.mutants import DenoiserOf, marginals_only, smoothed, zero_loss
from theory.distributions import Distribution, JointTable
from theory.information import kl_divergence
from theory.loss.forward import loss_by_pattern, nelbo, weight

__all__ = ["A1"]

POOLS: dict[str, Any] = {
    "exact": strategies.joint_tables(lengths=(1, 2), exact=True),
    "floats": strategies.distributions(lengths=(1, 3)),
    "parts": {"levels": lambda size: grids(size, 2), "challenger": challengers},
    "tolerance": 1e-11,
}

A1 = Claim(
    id="A1",
    title="The loss is minimised by the conditional marginals",
    statement=(
        "Among all functions of the masked sequence, the expected loss (10) is least for the "
        "conditional marginals of the data. Any other denoiser pays exactly the expected "
        "weighted KL divergence from them."
    ),
    latex=(
        r"\mathcal L(f) - \mathcal L(p) = \sum_{s<t} w_{st}\, \mathbb E_{x_t} "
        r"\sum_{i \in M(x_t)} \mathrm{KL}\bigl(p(x_i \mid x_t) \,\|\, f_i(x_t)\bigr) \ge 0"
    ),
    source="textbook argument applied to equation (10) of arXiv 2510.03289",
    says="equation (10) is the training loss; we saw it in a transcription, without a minimiser",
    provenance=Provenance.OURS,
    verdict=Verdict.HOLDS,
)


@A1.symbolic("stationary at the conditional marginals", optimum=marginals_only)
def stationary(optimum: DenoiserOf = zero_loss) -> Any:
    """Stationarity on a 2 x 2 table of symbols, with a multiplier for each prediction.

    Minimising over a prediction that sums to 1, the derivatives of the loss by its entries must
    all equal one multiplier. The residuals are their differences at the optimum, for every
    pattern, and a 1 wherever a second derivative is not positive.
    """
    import sympy

    p = symbolic_table()
    free: dict[tuple[int, ...], np.ndarray] = {}

    def free_denoiser(x: np.ndarray) -> np.ndarray:
        for row in map(tuple, x.tolist()):
            if row not in free:
                names = sympy.symbols(f"f_{len(free)}_:2_:2", positive=True)
                free[row] = np.asarray(names, dtype=object).reshape(2, 2)
        return np.stack([free[tuple(row)] for row in x.tolist()])

    loss = loss_by_pattern(p, free_denoiser)
    residuals = []
    for row, symbols in free.items():
        x = np.asarray(row)
        here = loss[tuple((x != MASK).astype(int))]
        best = optimum(p)(x[None, :])[0]
        at_best = dict(zip(symbols.reshape(-1), best.reshape(-1), strict=True))
        for i in np.flatnonzero(x == MASK):
            slopes = [sympy.diff(here, symbols[i, v]).subs(at_best) for v in range(2)]
            residuals.append(slopes[0] - slopes[1])
            curvatures = [sympy.diff(here, symbols[i, v], 2) for v in range(2)]
            residuals += [
                0 if sympy.sympify(sympy.simplify(c)).is_positive else 1 for c in curvatures
            ]
    return residuals


@A1.residual("the excess loss is an expected KL divergence", **POOLS, optimum=smoothed)
def pythagoras(
    p: Distribution,
    levels: Sequence[Number],
    challenger: JointTable,
    optimum: DenoiserOf = zero_loss,
) -> Number:
    """``loss(f) - loss(optimum) - E sum KL(p(.|x_t) || f(x_t))``.

    The last term is summed from its definition, pattern by pattern.
    """
    gap = nelbo(p, levels, challenger.denoise) - nelbo(p, levels, optimum(p))
    excess: Any = 0
    for x in every_pattern(p):
        evidence = p.evidence(x)
        masked = np.flatnonzero(x == MASK)
        if evidence == 0 or masked.size == 0:
            continue
        truth, guess = to_host(p.denoise(x)), to_host(challenger.denoise(x))
        kl = sum(kl_divergence(truth[i], guess[i]) for i in masked)
        shown = p.length - masked.size
        for alpha_s, alpha_t in itertools.pairwise(levels):
            here = evidence * alpha_t**shown * (1 - alpha_t) ** masked.size
            excess = excess + weight(alpha_s, alpha_t) * here * kl
    return gap - excess


@A1.residual("no challenger has a lower loss", **POOLS, optimum=smoothed)
def never_better(
    p: Distribution,
    levels: Sequence[Number],
    challenger: JointTable,
    optimum: DenoiserOf = zero_loss,
) -> Number:
    return inequality.excess(nelbo(p, levels, optimum(p)), nelbo(p, levels, challenger.denoise))
