"""The steps of a text, from word to word or from pair to pair, and what many of them make."""

from collections.abc import Callable, Iterable

import numpy as np

from theory.text.corpora import Corpus

__all__ = ["first_order", "followed", "second_order"]


def followed(
    step: Callable[[np.ndarray], np.ndarray], start: np.ndarray, sites: Iterable[int]
) -> dict[int, np.ndarray]:
    """What so many steps make of a start, for each of several numbers of steps.

    >>> followed(lambda v: v / 2, np.ones(1), [3, 1])
    {1: array([0.5]), 3: array([0.125])}
    """
    found, here, gone = {}, start, 0
    for n in sorted(set(sites)):
        for _ in range(n - gone):
            here = step(here)
        found[n], gone = here, n
    return found


def first_order(corpus: Corpus) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every step of the text, from a word to the next, with how often it is taken."""
    source, target = corpus.pairs.nonzero()
    starts = corpus.starts.nonzero()[0]
    end = np.full_like(starts, len(corpus.vocabulary) - 1)
    times = np.concatenate([corpus.pairs[source, target], corpus.starts[starts]])
    return np.concatenate([source, end]), np.concatenate([target, starts]), times


def second_order(corpus: Corpus) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every step of the text, from a pair to the next; the end is one state, the last one.

    The pair ``(u, v)`` has the number ``u K + v``, so the word is the remainder.
    """
    size = len(corpus.vocabulary)
    end = size - 1
    over = end * size + end
    first, second, third, times = corpus.triples.T
    starts = corpus.starts.nonzero()[0]
    source = np.concatenate([first * size + second, np.full_like(starts, over)])
    going = np.where(third == end, over, second * size + third)
    target = np.concatenate([going, end * size + starts])
    return source, target, np.concatenate([times, corpus.starts[starts]])
