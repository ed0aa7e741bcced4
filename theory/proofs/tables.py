"""Tables of few words: each site tells some of them apart, and they have small integer weights.

A distribution of N words is a partition of the words for each site, and the weights. The blocks
that a set of sites tells apart are those of the common refinement, so the entropies of all sets
are looked up in the table of refinements of two partitions, for all choices of partitions at once.
"""

import functools
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

__all__ = ["Tables", "Words", "few_words", "multisets", "weights_of", "words_by_size"]

MAX_SETS = 2**24
"""Entries of the largest list of refinements, by tables and sets of sites (128 MiB)."""


@dataclass(frozen=True, order=True)
class Words:
    """So many words, of which each site has at most so many different tokens."""

    count: int
    tokens: int


@dataclass(frozen=True, eq=False)
class Tables:
    """All tables of a number of words, up to the order of the sites.

    Attributes
    ----------
    blocks : array of int64, shape (B, N)
        The partitions of N words: the block of each word.
    refined : array of int64, shape (M, 2**L)
        Which partition the sites of a set make, by the bits of the set.

    >>> print(few_words(2, Words(3, 2)))
    3 tables of 3 words with up to 2 tokens
    """

    words: Words
    blocks: np.ndarray
    refined: np.ndarray

    def __len__(self) -> int:
        return len(self.refined)

    def __str__(self) -> str:
        words = self.words
        return f"{len(self):,} tables of {words.count} words with up to {words.tokens} tokens"

    def entropies(self, weights: tuple[int, ...]) -> np.ndarray:
        """Entropy in nats of each partition, if the words have these weights, shape (B,).

        >>> few_words(1, Words(2, 2)).entropies((1, 3)).round(4).tolist()
        [0.0, 0.5623]
        """
        inside = self.blocks[:, :, None] == np.arange(self.words.count, dtype=np.int64)
        masses = (np.asarray(weights)[:, None] * inside).sum(axis=1)
        logarithms = np.log(np.where(masses > 0, masses, 1))
        total = sum(weights)
        return math.log(total) - (masses * logarithms).sum(axis=1) / total

    def sequences(self, number: int) -> np.ndarray:
        """The words of a table, shape (N, L)."""
        sites = self.refined.shape[1].bit_length() - 1
        return np.stack([self.blocks[self.refined[number, 1 << i]] for i in range(sites)], axis=1)


SIZES = tuple(Words(*s) for s in ((3, 3), (4, 2), (4, 4), (5, 2), (5, 5), (6, 2)))
"""Which tables are looked at; those with few tokens only where the others are too many."""


def words_by_size(sites: int) -> tuple[Words, ...]:
    """Which tables are gone through for so many sites, those of few words first.

    >>> [(words.count, words.tokens) for words in words_by_size(5)]
    [(3, 3), (4, 4), (5, 2), (6, 2)]
    """
    found: dict[int, Words] = {}
    for words in SIZES:
        partitions = sum(max(b) < words.tokens for b in _partitions(words.count))
        if math.comb(partitions + sites - 1, sites) << sites <= MAX_SETS:
            found[words.count] = words  # the last one has most tokens
    return tuple(found.values())


@functools.cache
def few_words(sites: int, words: Words) -> Tables:
    """All tables of different words, up to the order of the sites, one for each multiset.

    The words are given weights afterwards, so tables are listed that differ in their names only.

    >>> [x.tolist() for x in map(few_words(2, Words(3, 2)).sequences, (0, 1))]
    [[[0, 0], [0, 1], [1, 0]], [[0, 0], [0, 1], [1, 1]]]
    """
    blocks = np.asarray(_partitions(words.count), dtype=np.int64)
    number = {row: k for k, row in enumerate(_partitions(words.count))}
    (candidates,) = np.nonzero(blocks.max(axis=1) < words.tokens)
    join = np.empty((len(blocks), len(candidates)), dtype=np.int64)
    for j, other in enumerate(candidates.tolist()):
        pairs = (blocks * words.count + blocks[other]).tolist()
        join[:, j] = [number[_in_order(row)] for row in pairs]
    refined = multisets(join, sites)
    finest = number[tuple(range(words.count))]
    return Tables(words, blocks, refined[refined[:, -1] == finest])


def multisets(join: np.ndarray, sites: int) -> np.ndarray:
    """What the elements of each multiset of candidates join to, for all sets of sites.

    Parameters
    ----------
    join : array of int64, shape (B, C)
        The element that element b and candidate c join to; element 0 is neutral.
    sites : int

    Returns
    -------
    array of int64, shape (M, 2**L)
        By the bits of the set of sites.

    >>> multisets(np.asarray([[0, 1], [1, 1]]), 2).tolist()
    [[0, 0, 0, 0], [0, 0, 1, 1], [0, 1, 1, 1]]
    """
    found, last = np.zeros((1, 1), dtype=np.int64), np.zeros(1, dtype=np.int64)
    numbers = np.arange(join.shape[1], dtype=np.int64)
    for _ in range(sites):
        row, chosen = np.nonzero(last[:, None] <= numbers)
        found = np.concatenate([found[row], join[found[row], chosen[:, None]]], axis=1)
        last = chosen
    return found


@functools.cache
def _partitions(count: int) -> list[tuple[int, ...]]:
    """Partitions of so many things: the block of each, blocks in the order of their first one.

    >>> _partitions(3)
    [(0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1), (0, 1, 2)]
    """
    found: list[tuple[int, ...]] = [()]
    for _ in range(count):
        found = [(*row, b) for row in found for b in range(max(row, default=-1) + 2)]
    return found


def _in_order(row: list[int]) -> tuple[int, ...]:
    """Names of blocks as numbers in the order of their first appearance.

    >>> _in_order([7, 3, 7])
    (0, 1, 0)
    """
    names: dict[int, int] = {}
    return tuple(names.setdefault(name, len(names)) for name in row)


def weights_of(count: int, most: int) -> Iterator[tuple[int, ...]]:
    """Weights of words in decreasing order, without a common factor, by their sum.

    >>> list(weights_of(3, 5))
    [(1, 1, 1), (2, 1, 1), (2, 2, 1), (3, 1, 1)]
    """
    for total in range(count, most + 1):
        found = [
            weights
            for weights in itertools.combinations_with_replacement(range(total, 0, -1), count)
            if sum(weights) == total and math.gcd(*weights) == 1
        ]
        yield from sorted(found)
