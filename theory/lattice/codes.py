"""Codes of partly masked sequences, integers in base V + 1, and of complete ones in base V."""

import math
from functools import cached_property

import numpy as np

from theory._core.arrays import MASK, array_namespace, device, from_host
from theory._core.segments import gather
from theory._core.types import Array

__all__ = ["Codes", "digits"]


class Codes:
    """Codes of the sequences of `length` sites over `vocab` tokens; site 0 is the leading digit.

    A masked site is digit V, so that a code is the index of a pattern in the flattened evidence
    lattice. Codes and sequences are on the device of `like`, on the host if it is not given.

    >>> codes = Codes(2, 2)
    >>> codes.decode(np.asarray([codes.blank, 5])).tolist()
    [[-1, -1], [1, -1]]
    >>> codes.encode(np.asarray([[1, -1]])).tolist()
    [5]
    """

    def __init__(self, length: int, vocab: int, like: Array | None = None) -> None:
        self.length, self.vocab = length, vocab
        self.cells = (vocab + 1) ** length
        strides = (vocab + 1) ** np.arange(length - 1, -1, -1, dtype=np.int64)
        self.blank = int(vocab * strides.sum())
        changes = np.arange(vocab, dtype=np.int64) - vocab  # from a mask to a token
        self._like = strides if like is None else like
        self.strides = from_host(strides, self._like)
        self._changes = from_host(strides[:, None] * changes, self._like)

    def decode(self, codes: Array) -> Array:
        """Sequences (B, L) of codes (B,), by two look-ups of half the sites each."""
        xp, later = array_namespace(codes), self.length // 2
        below = (self.vocab + 1) ** later
        first = gather(self._halves, codes // below)
        last = gather(self._halves[:, self.length - 2 * later :], codes % below)
        return xp.concat([first, last], axis=1)

    @cached_property
    def _halves(self) -> Array:
        """The sequences of the first half of the sites, which is not the shorter one."""
        shape = (self.vocab + 1,) * (self.length - self.length // 2)
        digits = np.stack(np.unravel_index(np.arange(math.prod(shape)), shape), axis=1)
        every = np.where(digits == self.vocab, MASK, digits).astype(np.int64)
        return from_host(every, self._like)

    def encode(self, x: Array) -> Array:
        """Codes (B,) of sequences (B, L)."""
        xp = array_namespace(x)
        return xp.matmul(xp.where(x == MASK, self.vocab, x), self.strides)

    def neighbours(self, x: Array, codes: Array) -> Array:
        """Codes (B, L, V) of the sequences `x`, whose codes are known, with v put at each site.

        >>> codes = Codes(2, 2)
        >>> codes.neighbours(np.asarray([[1, -1]]), np.asarray([5])).tolist()
        [[[2, 5], [3, 4]]]
        """
        xp = array_namespace(x)
        slots = xp.where(x == MASK, self.vocab, x)
        return (codes[:, None] - slots * self.strides)[..., None] + self._tokens

    @cached_property
    def _tokens(self) -> Array:
        """What token v at each site adds to a code, (L, V)."""
        xp = array_namespace(self._like)
        tokens = xp.arange(self.vocab, dtype=xp.int64, device=device(self._like))
        return self.strides[:, None] * tokens

    def steps(self, sites: Array) -> Array:
        """Changes of a code when a masked site is given token v, shape (..., V)."""
        return gather(self._changes, sites)


def digits(numbers: Array, count: int, base: int) -> Array:
    """Digits of numbers (N,) in a base, (N, count): the sequences at flat indices of a table.

    >>> digits(np.asarray([0, 1, 6]), 3, 2).tolist()
    [[0, 0, 0], [0, 0, 1], [1, 1, 0]]
    """
    powers = from_host(base ** np.arange(count - 1, -1, -1, dtype=np.int64), numbers)
    return numbers[:, None] // powers % base
