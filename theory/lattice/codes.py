"""Partly masked sequences as integers in base V + 1."""

import math
from functools import cached_property
from typing import Any

import numpy as np

from theory import MASK
from theory._core.arrays import array_namespace, from_host
from theory._core.segments import lookup

__all__ = ["Codes"]


class Codes:
    """Codes of the sequences of `length` sites over `vocab` tokens; site 0 counts most.

    A masked site is digit V, so that a code is the place of a pattern in the flattened evidence
    lattice. Codes and sequences live where `like` does, on the host if it is not given.

    >>> codes = Codes(2, 2)
    >>> codes.decode(np.asarray([codes.blank, 5])).tolist()
    [[-1, -1], [1, -1]]
    >>> codes.encode(np.asarray([[1, -1]])).tolist()
    [5]
    """

    def __init__(self, length: int, vocab: int, like: Any = None) -> None:
        self.length, self.vocab = length, vocab
        self.cells = (vocab + 1) ** length
        strides = (vocab + 1) ** np.arange(length - 1, -1, -1, dtype=np.int64)
        self.blank = int(vocab * strides.sum())
        changes = np.arange(vocab, dtype=np.int64) - vocab  # from a mask to a token
        self._like = strides if like is None else like
        self.strides = from_host(strides, self._like)
        self._changes = from_host(strides[:, None] * changes, self._like)

    def decode(self, codes: Any) -> Any:
        """Sequences (B, L) of codes (B,), half of the sites at once."""
        xp, later = array_namespace(codes), self.length // 2
        below = (self.vocab + 1) ** later
        first = lookup(self._halves, codes // below)
        last = lookup(self._halves[:, self.length - 2 * later :], codes % below)
        return xp.concat([first, last], axis=1)

    @cached_property
    def _halves(self) -> Any:
        """The sequences of the first half of the sites, which is not the shorter one."""
        shape = (self.vocab + 1,) * (self.length - self.length // 2)
        digits = np.stack(np.unravel_index(np.arange(math.prod(shape)), shape), axis=1)
        every = np.where(digits == self.vocab, MASK, digits).astype(np.int64)
        return from_host(every, self._like)

    def encode(self, x: Any) -> Any:
        """Codes (B,) of sequences (B, L)."""
        xp = array_namespace(x)
        return xp.matmul(xp.where(x == MASK, self.vocab, x), self.strides)

    def steps(self, sites: Any) -> Any:
        """By how much a code changes when a masked site is given token v, shape (..., V)."""
        return lookup(self._changes, sites)
