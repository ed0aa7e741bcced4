"""A4: the concrete score is the zero-loss prediction times a factor of time."""

from collections.abc import Callable
from typing import Any

import numpy as np

from theory import strategies
from theory._core.arrays import MASK
from theory._core.types import Number
from theory.claims.kit.claim import Claim, Provenance, Verdict
from theory.claims.kit.generators import levels, symbolic_table
from theory.distributions import Distribution
from theory.loss.forward import kernel

__all__ = ["A4"]

A4 = Claim(
    id="A4",
    title="The concrete score is a prediction times a factor of time",
    statement=(
        "The ratio of noisy probabilities of a sequence with one more token revealed and "
        "without it is the zero-loss prediction of that token times exp(-s)/(1 - exp(-s)), "
        "with s the total noise."
    ),
    latex=(
        r"\frac{p_s(x^{i \leftarrow v})}{p_s(x)} = \frac{e^{-s}}{1-e^{-s}}\,"
        r"p(x_i = v \mid x_{\mathrm{UM}})"
    ),
    says="the concrete score is a scalar of time times the conditional of the clean data",
    source="RADD, arXiv 2406.03736",
    provenance=Provenance.MEMORY,
    verdict=Verdict.HOLDS,
)


def _at_a_time() -> list[dict[str, Any]]:
    """A 2 x 2 table of symbols at time s, with ``alpha = exp(-s)``."""
    import sympy

    return [{"p": symbolic_table(), "alpha": sympy.exp(-sympy.Symbol("s", positive=True))}]


@A4.residual(
    "the score of every token in every noisy sequence",
    symbols=_at_a_time,
    exact=strategies.joint_tables(lengths=(1, 3), exact=True),
    floats=strategies.distributions(lengths=(1, 3)),
    parts={"alpha": levels},
    tolerance=1e-11,
    factor=lambda alpha: alpha,  # the level alone
)
def concrete_score(
    p: Distribution,
    alpha: Number,
    factor: Callable[[Number], Number] = lambda alpha: alpha / (1 - alpha),
) -> list[Number]:
    """``p_t(x with token v at i) / p_t(x) - factor p(v | unmasked)`` for all noisy x.

    The factor is ``exp(-s) / (1 - exp(-s))`` with ``alpha = exp(-s)``.
    """
    step = kernel(p.vocab, alpha * 0 + 1, alpha)[: p.vocab]
    noisy = np.asarray(p.table())  # in the end (V+1,)*L
    for _ in range(p.length):  # contract the first axis and append the noisy one
        noisy = np.tensordot(noisy, step, axes=([0], [0]))
    residuals = []
    for index in np.ndindex(*noisy.shape):
        if noisy[index] == 0 or p.vocab not in index:
            continue
        x = np.asarray([MASK if v == p.vocab else v for v in index])
        prediction = p.denoise(x)
        for i in np.flatnonzero(x == MASK):
            for v in range(p.vocab):
                revealed = (*index[:i], v, *index[i + 1 :])
                score = noisy[revealed] / noisy[index]
                residuals.append(score - factor(alpha) * prediction[i, v])
    return residuals
