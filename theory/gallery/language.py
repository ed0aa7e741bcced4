"""Distributions over names of cities, balanced brackets and English words."""

import math

import numpy as np

from theory.distributions.base import Distribution
from theory.distributions.empirical import EmpiricalDistribution
from theory.gallery.uniform import grown, require_sequences, uniform
from theory.text import corpora
from theory.validation.arguments import as_integer

__all__ = ["cities", "dyck", "words"]


def cities(*, exact: bool = False) -> Distribution:
    """New York, New Orleans, Mexico City, Panama City: two words each, equally likely.

    >>> cities().spell([[0, -1], [1, 5]])
    ['New ·', 'Mexico City']
    """
    symbols = ("New", "Mexico", "Panama", "York", "Orleans", "City")
    return uniform([(0, 3), (0, 4), (1, 5), (2, 5)], len(symbols), exact, symbols)


def dyck(pairs: int, *, exact: bool = False) -> Distribution:
    """Uniform over balanced words of brackets, 0 to open and 1 to close: Dyck words.

    Their number is the Catalan number ``C(2n, n) / (n + 1)`` for n pairs.

    >>> p = dyck(3)
    >>> p.spell([[0, 0, 1, 0, 1, 1]]), round(1 / p.evidence([0, 0, 1, 0, 1, 1]))
    (['(()())'], 5)
    """
    pairs = as_integer(pairs, "pairs", 1)
    length = 2 * pairs
    require_sequences(math.comb(length, pairs) // (pairs + 1), length)

    def may_follow(rows: np.ndarray, token: int) -> np.ndarray:
        ones = rows.sum(axis=1)
        zeros = rows.shape[1] - ones
        return zeros > ones if token else zeros < pairs

    return uniform(grown(length, 2, may_follow), 2, exact, ("(", ")"))


def words(length: int) -> EmpiricalDistribution:
    """Letters of English words of this length, as often as they occur in real prose.

    The prose is the documentation of Python (`theory.text.corpora`).

    >>> words(4).spell(words(4).sequences[:2])
    ['that', 'this']
    """
    return corpora.english().letters(length)
