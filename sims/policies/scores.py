"""How sure a prediction is, and the order in which sites are revealed because of it."""

from typing import Literal

import numpy as np

from theory import MASK
from theory.errors import InvalidInput

__all__ = [
    "DIGITS",
    "SCORES",
    "Score",
    "as_floats",
    "best",
    "certainty",
    "confidence",
    "entropy",
    "largest",
    "ranks",
]

Score = Literal["confidence", "margin", "entropy"]
SCORES: tuple[Score, ...] = ("confidence", "margin", "entropy")

FREE_SYMBOLS = "the policy compares probabilities; those of free symbols cannot be compared"

DIGITS = 12
"""Scores are rounded to this many decimals, so that what is equal but for rounding ties."""


def as_floats(predictions: np.ndarray) -> np.ndarray:
    """Predictions as floats to be compared; free symbols cannot be.

    >>> from fractions import Fraction
    >>> as_floats(np.asarray([Fraction(1, 4)], dtype=object))
    array([0.25])
    """
    try:
        return predictions.astype(np.float64, copy=False)
    except TypeError:
        raise InvalidInput(FREE_SYMBOLS) from None


def confidence(predictions: np.ndarray) -> np.ndarray:
    """Probability of the likeliest token, shape (B, L), rounded to 12 decimals.

    >>> confidence(np.asarray([[[0.25, 0.75]]]))
    array([[0.75]])
    """
    return np.round(largest(predictions), DIGITS)


def margin(predictions: np.ndarray) -> np.ndarray:
    """Probability of the likeliest token minus that of the next, rounded to 12 decimals.

    >>> margin(np.asarray([[[0.25, 0.75]]]))
    array([[0.5]])
    """
    p = as_floats(predictions)
    if p.shape[-1] == 1:
        return np.ones(p.shape[:-1])
    top = np.partition(p, -2, axis=-1)
    return np.round(top[..., -1] - top[..., -2], DIGITS)


def entropy(predictions: np.ndarray) -> np.ndarray:
    """Entropy of each prediction in nats, shape (B, L), rounded to 12 decimals.

    >>> entropy(np.asarray([[[0.0, 1.0]]]))
    array([[0.]])
    """
    p = as_floats(predictions)
    terms = p * np.log(np.where(p > 0, p, 1.0))
    return np.round(np.abs(terms.sum(axis=-1)), DIGITS)


def certainty(predictions: np.ndarray, score: Score) -> np.ndarray:
    """The score of every site, the larger the surer.

    >>> certainty(np.asarray([[[0.5, 0.5], [0.25, 0.75]]]), "confidence")
    array([[0.5 , 0.75]])
    """
    if score == "entropy":
        return -entropy(predictions)
    return margin(predictions) if score == "margin" else confidence(predictions)


def ranks(scores: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Place of each masked site, 0 for the largest score, ties to the lowest index.

    Observed sites come after all masked ones.

    >>> ranks(np.asarray([[0.5, 0.9, 0.9, 1.0]]), np.asarray([[-1, -1, -1, 0]]))
    array([[2, 0, 1, 3]])
    """
    order = np.argsort(np.where(x == MASK, -scores, np.inf), axis=1, kind="stable")
    places = np.empty_like(order)
    np.put_along_axis(places, order, np.broadcast_to(np.arange(x.shape[1]), x.shape), axis=1)
    return places


def best(scores: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The masked site of the largest score, the lowest of equal ones; bool (B, L).

    >>> best(np.asarray([[0.5, 0.9, 0.9, 1.0]]), np.asarray([[-1, -1, -1, 0]]))
    array([[False,  True, False, False]])
    """
    site = np.argmax(np.where(x == MASK, scores, -np.inf), axis=1)
    return np.arange(x.shape[1]) == site[:, None]


def largest(predictions: np.ndarray) -> np.ndarray:
    """Probability of the likeliest token as it is, shape (B, L).

    >>> largest(np.asarray([[[0.25, 0.75]]]))
    array([[0.75]])
    """
    p = as_floats(predictions)
    top = p[..., 0]
    for v in range(1, p.shape[-1]):  # faster than a maximum over a short axis
        top = np.maximum(top, p[..., v])
    return top
