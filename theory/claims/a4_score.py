"""A4: the concrete score is a prediction times a factor of time."""

from collections.abc import Callable
from typing import Any

import numpy as np

from theory import strategies
from theory._core.arrays import MASK
from theory.claims.kit.claim import Check, Claim, Provenance, Verdict
from theory.claims.kit.generators import Size, by_size, levels, symbolic_table
from theory.claims.kit.result import Level
from theory.distributions import Distribution
from theory.loss.forward import kernel

__all__ = ["SCORE"]


def _odds(alpha: Any) -> Any:
    """``exp(-s) / (1 - exp(-s))`` with ``alpha = exp(-s)``."""
    return alpha / (1 - alpha)


def _level_alone(alpha: Any) -> Any:
    return alpha


def _noisy_table(p: Distribution, alpha: Any) -> np.ndarray:
    """Law of the noisy sequence, shape (V+1,)*L: the kernel applied to every axis in turn."""
    step = kernel(p.vocab, alpha * 0 + 1, alpha)[: p.vocab]
    table = np.asarray(p.table())
    for _ in range(p.length):  # contract the first axis and append the noisy one
        table = np.tensordot(table, step, axes=([0], [0]))
    return table


def _concrete_score(p: Distribution, alpha: Any, factor: Callable[[Any], Any] = _odds) -> list[Any]:
    """``p_t(x with token v at i) / p_t(x) - factor p(v | unmasked)`` for all noisy x."""
    noisy = _noisy_table(p, alpha)
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


def _two_by_two(factor: Callable[[Any], Any] = _odds) -> list[Any]:
    """A 2 x 2 table of symbols at time s, with ``alpha = exp(-s)``."""
    import sympy

    alpha = sympy.exp(-sympy.Symbol("s", positive=True))
    return _concrete_score(symbolic_table(), alpha, factor)


@by_size
def _levels(p: Size) -> dict[str, Any]:
    return {"alpha": levels(p)}


SCORE = Claim(
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
    checks=(
        Check(level=Level.SYMBOLIC, residual=_two_by_two, planted={"factor": _level_alone}),
        Check(
            level=Level.EXACT,
            residual=_concrete_score,
            distributions=lambda: strategies.joint_tables(lengths=(1, 3), exact=True),
            parts=_levels,
            planted={"factor": _level_alone},
        ),
        Check(
            level=Level.PROPERTY,
            residual=_concrete_score,
            distributions=lambda: strategies.distributions(lengths=(1, 3)),
            parts=_levels,
            planted={"factor": _level_alone},
            tolerance=1e-11,
        ),
    ),
)
