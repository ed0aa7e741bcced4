"""Scores of predictions: confidence, margin and entropy, and the ranks of sites by them.

Predictions (B, L, V) and eligible sites, bool (B, L), live on one device; so do the scores.
"""

import math
from typing import Literal

from theory._core.arrays import array_namespace, device, xlogx
from theory._core.types import Array
from theory.errors import InvalidInput

__all__ = [
    "DIGITS",
    "SCORES",
    "TIES",
    "Score",
    "Ties",
    "as_floats",
    "best",
    "certainty",
    "confidence",
    "entropy",
    "largest",
    "ranks",
    "rounded",
]

LONG_AXIS = 32
"""From here on a maximum over the last axis is faster than one token after the other."""

Score = Literal["confidence", "margin", "entropy"]
SCORES: tuple[Score, ...] = ("confidence", "margin", "entropy")

Ties = Literal["lowest", "highest", "random"]
TIES: tuple[Ties, ...] = ("lowest", "highest", "random")
"""Which of several sites of equal scores comes first: by its index, or drawn."""

FREE_SYMBOLS = "the policy compares probabilities; those of free symbols cannot be compared"

DIGITS = 12
"""Scores are rounded to this many decimals, so that what is equal but for rounding ties."""


def as_floats(predictions: Array) -> Array:
    """Predictions as floats to be compared; free symbols cannot be.

    >>> import numpy as np
    >>> from fractions import Fraction
    >>> as_floats(np.asarray([Fraction(1, 4)], dtype=object))
    array([0.25])
    """
    xp = array_namespace(predictions)
    try:
        return xp.astype(predictions, xp.float64, copy=False)
    except TypeError:
        raise InvalidInput(FREE_SYMBOLS) from None


def rounded(scores: Array) -> Array:
    """Scores rounded to 12 decimals, as ``numpy.round`` does it.

    >>> import numpy as np
    >>> rounded(np.asarray([1 / 3])).tolist()
    [0.333333333333]
    """
    return array_namespace(scores).round(scores * 10.0**DIGITS) / 10.0**DIGITS


def confidence(predictions: Array) -> Array:
    """Probability of the likeliest token, shape (B, L), rounded to 12 decimals.

    >>> import numpy as np
    >>> confidence(np.asarray([[[0.25, 0.75]]]))
    array([[0.75]])
    """
    return rounded(largest(predictions))


def margin(predictions: Array) -> Array:
    """Probability of the likeliest token minus that of the next, rounded to 12 decimals.

    >>> import numpy as np
    >>> margin(np.asarray([[[0.25, 0.75]]]))
    array([[0.5]])
    """
    xp = array_namespace(predictions)
    p = as_floats(predictions)
    top, second = p[..., 0], xp.zeros_like(p[..., 0]) - math.inf
    if p.shape[-1] == 1:
        return xp.ones_like(top)
    for v in range(1, p.shape[-1]):
        second = xp.maximum(second, xp.minimum(top, p[..., v]))
        top = xp.maximum(top, p[..., v])
    return rounded(top - second)


def entropy(predictions: Array) -> Array:
    """Entropy of each prediction in nats, shape (B, L), rounded to 12 decimals.

    >>> import numpy as np
    >>> entropy(np.asarray([[[0.0, 1.0]]]))
    array([[0.]])
    """
    xp = array_namespace(predictions)
    return rounded(xp.abs(xp.sum(xlogx(as_floats(predictions)), axis=-1)))


def certainty(predictions: Array, score: Score) -> Array:
    """The score of every site, the larger the more confident.

    >>> import numpy as np
    >>> certainty(np.asarray([[[0.5, 0.5], [0.25, 0.75]]]), "confidence")
    array([[0.5 , 0.75]])
    """
    if score == "entropy":
        return -entropy(predictions)
    return margin(predictions) if score == "margin" else confidence(predictions)


def ranks(scores: Array, eligible: Array, *, highest: bool = False) -> Array:
    """Rank of each eligible site, 0 for the largest score.

    Ties go to the lowest index, or the `highest`. All others come after them.

    >>> import numpy as np
    >>> scores, eligible = np.asarray([[0.5, 0.9, 0.9, 1.0]]), np.asarray([[True] * 3 + [False]])
    >>> ranks(scores, eligible).tolist(), ranks(scores, eligible, highest=True).tolist()
    ([[2, 0, 1, 3]], [[2, 1, 0, 3]])
    """
    if highest:
        return ranks(scores[:, ::-1], eligible[:, ::-1])[:, ::-1]
    xp = array_namespace(eligible)
    order = xp.argsort(xp.where(eligible, -scores, math.inf), axis=1, stable=True)
    return xp.astype(xp.argsort(order, axis=1), xp.int64)


def best(scores: Array, eligible: Array) -> Array:
    """The eligible site of the largest score, the lowest of equal ones; bool (B, L).

    >>> import numpy as np
    >>> best(np.asarray([[0.5, 0.9, 0.9, 1.0]]), np.asarray([[True, True, True, False]]))
    array([[False,  True, False, False]])
    """
    xp = array_namespace(eligible)
    site = xp.argmax(xp.where(eligible, scores, -math.inf), axis=1)
    return xp.arange(eligible.shape[1], dtype=xp.int64, device=device(eligible)) == site[:, None]


def largest(predictions: Array) -> Array:
    """Probability of the likeliest token as it is, shape (B, L).

    >>> import numpy as np
    >>> largest(np.asarray([[[0.25, 0.75]]]))
    array([[0.75]])
    """
    xp = array_namespace(predictions)
    p = as_floats(predictions)
    if p.shape[-1] >= LONG_AXIS:
        return xp.max(p, axis=-1)
    top = p[..., 0]
    for v in range(1, p.shape[-1]):  # faster than a maximum over a short axis
        top = xp.maximum(top, p[..., v])
    return top
