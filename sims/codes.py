"""Partly masked sequences as integers in base V + 1."""

from typing import Any

import numpy as np

from theory import MASK
from theory.arrays import array_namespace, device, from_host

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
        self.strides = strides if like is None else from_host(strides, like)
        self._changes = changes if like is None else from_host(changes, like)

    def decode(self, codes: Any) -> Any:
        """Sequences (B, L) of codes (B,)."""
        xp = array_namespace(codes)
        digits = xp.empty((codes.shape[0], self.length), dtype=xp.int64, device=device(codes))
        rest = codes
        for site in range(self.length - 1, -1, -1):
            left = rest // (self.vocab + 1)
            digits[:, site] = rest - left * (self.vocab + 1)
            rest = left
        return xp.where(digits == self.vocab, MASK, digits)

    def encode(self, x: Any) -> Any:
        """Codes (B,) of sequences (B, L)."""
        xp = array_namespace(x)
        return xp.matmul(xp.where(x == MASK, self.vocab, x), self.strides)

    def steps(self, sites: Any) -> Any:
        """By how much a code changes when a masked site is given token v, shape (..., V)."""
        xp = array_namespace(sites)
        strides = xp.reshape(xp.take(self.strides, xp.reshape(sites, (-1,))), sites.shape)
        return strides[..., None] * self._changes
