"""What a word drawn from a text says about the words at a distance from it, exactly."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from theory.text.word_chain import WordChain

__all__ = [
    "DRAWN_DISTANCES",
    "FELT",
    "FREQUENT_WORDS",
    "Leading",
    "Remains",
    "divergence",
    "frequent_words",
    "remains",
]

DRAWN_DISTANCES = (1, 2, 3, 5, 10, 50)
"""At these distances from a word that is drawn."""

FELT = 10
"""At this one the words that are felt most are named."""

FREQUENT_WORDS = 20
"""The most frequent words, so many of them, stand for function words: no list is needed."""

SMALL = 1e-4
"""Smaller relative differences are summed as a series."""

TIE = 1e-12
"""Relative differences up to this are rounding: such probabilities are equal."""

CHUNK = 64
"""So many words of the text are followed at a time."""


@dataclass(frozen=True)
class Leading:
    """Of which kind the likeliest prediction is, at one distance, as shares of the words drawn.

    Of equally likely words the one that is more frequent in the text counts.

    Attributes
    ----------
    distance : int
    frequent, unknown, end, other : float
        One of the most frequent words, `UNKNOWN`, `END` or any other word. They sum to 1.
    frequent_of_words : float or None
        One of the most frequent words, if `UNKNOWN` and `END` are left out: among the words drawn
        that some other word can follow at this distance. None if there are none.
    """

    distance: int
    frequent: float
    unknown: float
    end: float
    other: float
    frequent_of_words: float | None


@dataclass(frozen=True)
class Remains:
    """What a word drawn from the text says about the word at a distance, in nats.

    The end of a text is drawn like a word, unless it stays (see `WordChain.anywhere`).

    Attributes
    ----------
    information : list of (int, float)
        At each distance the mean over the words drawn, which is the mutual information.
    of_end : list of (int, float)
        The part of it that is about whether the end stands there.
    felt : list of (str, float)
        The words that are felt most at distance 10, with their information.
    leading : list of Leading
        At each distance.
    """

    information: list[tuple[int, float]]
    of_end: list[tuple[int, float]]
    felt: list[tuple[str, float]]
    leading: list[Leading]


def remains(
    chain: WordChain,
    shown: int,
    progress: Callable[[range], Iterable[Any]] = iter,
) -> Remains:
    """Follow every word of the text.

    Parameters
    ----------
    chain : WordChain
    shown : int
        How many of the words that are felt most are named.
    progress : callable
        Goes through the pieces of the work, for instance with a progress bar.
    """
    anywhere = chain.anywhere()
    chances = chain.of_words(anywhere)
    drawn = chances.nonzero()[0]
    weights = chances[drawn]
    without = dict(zip(DRAWN_DISTANCES, chain.predictions(anywhere, DRAWN_DISTANCES), strict=True))
    told, of_end = np.zeros((2, len(DRAWN_DISTANCES), len(drawn)))
    first, first_of_words = np.zeros((2, len(DRAWN_DISTANCES), len(drawn)), np.int64)
    for start in progress(range(0, len(drawn), CHUNK)):
        some = slice(start, start + CHUNK)
        laws = np.where(chain.words == drawn[some, None], anywhere, 0.0)
        laws = laws / laws.sum(axis=1, keepdims=True)
        # followed twice: a prediction far away is rounded, the difference of two is not
        gaps = chain.differences(laws, anywhere, DRAWN_DISTANCES)
        followed = chain.predictions(laws, DRAWN_DISTANCES)
        for k, (n, gap, here) in enumerate(zip(DRAWN_DISTANCES, gaps, followed, strict=True)):
            told[k, some] = divergence(gap, without[n], here)
            only, ends = (_without_end_and_end(law) for law in (without[n], here))
            of_end[k, some] = divergence(gap[:, -1:] * np.asarray([-1, 1]), only, ends)
            words = here[:, :-2]
            first[k, some] = _likeliest(here)
            first_of_words[k, some] = np.where(words.any(axis=1), _likeliest(words), -1)
    at_felt = told[DRAWN_DISTANCES.index(FELT)]
    most = np.argsort(-at_felt, kind="stable")[:shown]
    places = enumerate(DRAWN_DISTANCES)
    return Remains(
        [(n, float(weights @ row)) for n, row in zip(DRAWN_DISTANCES, told, strict=True)],
        [(n, float(weights @ row)) for n, row in zip(DRAWN_DISTANCES, of_end, strict=True)],
        [(chain.vocabulary[drawn[i]], float(at_felt[i])) for i in most],
        [_leading(n, weights, first[k], first_of_words[k], chain) for k, n in places],
    )


def _without_end_and_end(law: np.ndarray) -> np.ndarray:
    """From shape (..., K) to (..., 2)."""
    return np.stack([law[..., :-1].sum(axis=-1), law[..., -1]], axis=-1)


def _likeliest(predictions: np.ndarray) -> np.ndarray:
    """The first of the likeliest words of each prediction."""
    return (predictions >= predictions.max(axis=1, keepdims=True) * (1 - TIE)).argmax(axis=1)


def _leading(
    distance: int,
    weights: np.ndarray,
    first: np.ndarray,
    first_of_words: np.ndarray,
    chain: WordChain,
) -> Leading:
    size, frequent = len(chain.vocabulary), frequent_words(len(chain.vocabulary))
    shares = np.bincount(first, weights, size)
    there = first_of_words >= 0
    shares_of_words = np.bincount(first_of_words[there], weights[there], size)
    total = shares_of_words.sum()
    return Leading(
        distance,
        frequent=float(shares[:frequent].sum()),
        unknown=float(shares[-2]),
        end=float(shares[-1]),
        other=float(shares[frequent:-2].sum()),
        frequent_of_words=float(shares_of_words[:frequent].sum() / total) if total else None,
    )


def frequent_words(size: int) -> int:
    """How many words stand for function words in a vocabulary of so many.

    >>> frequent_words(256), frequent_words(7)
    (20, 5)
    """
    return min(FREQUENT_WORDS, size - 2)


def divergence(gap: np.ndarray, law: np.ndarray, here: np.ndarray) -> np.ndarray:
    """KL divergence in nats of a prediction from ``law``, accurate for small differences too.

    Parameters
    ----------
    gap : (K,) or (B, K) array
        The prediction minus `law`, as accurate as it is known.
    law : (K,) array
    here : (K,) or (B, K) array
        The prediction itself. It is a sum of products and positive where something is possible;
        of the difference, rounding may leave 1e-17 of either sign where nothing is.

    Returns
    -------
    () or (B,) array
        Infinite where the prediction allows what `law` does not.

    >>> law = np.asarray([0.5, 0.5])
    >>> round(float(divergence(np.asarray([0.5, -0.5]), law, np.asarray([1, 0]))), 9)      # ln 2
    0.693147181
    >>> round(float(divergence(np.asarray([1e-20, -1e-20]), law, law)) * 1e40, 9)  # gap^2 / (2 law)
    2.0
    """
    from scipy.special import xlog1py

    there = law > 0
    ratio = np.maximum(np.compress(there, gap, axis=-1) / law[there], -1.0)
    series = ratio**2 / 2 - ratio**3 / 6 + ratio**4 / 12
    terms = np.where(np.abs(ratio) < SMALL, series, xlog1py(1 + ratio, ratio) - ratio)
    # row by row, so that a row gives the same among any others
    found = (law[there] * terms).sum(axis=-1)
    return np.where(np.any(here[..., ~there] > 0, axis=-1), np.inf, found)[()]
