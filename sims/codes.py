"""Partly masked sequences as integers in base V + 1."""

import numpy as np

from theory import MASK

__all__ = ["Codes"]


class Codes:
    """Codes of the sequences of `length` sites over `vocab` tokens; site 0 counts most.

    A masked site is digit V, so that a code is the place of a pattern in the flattened evidence
    lattice.

    >>> codes = Codes(2, 2)
    >>> codes.decode(np.asarray([codes.blank, 5])).tolist()
    [[-1, -1], [1, -1]]
    >>> codes.encode(np.asarray([[1, -1]])).tolist()
    [5]
    """

    def __init__(self, length: int, vocab: int) -> None:
        self.length, self.vocab = length, vocab
        self.cells = (vocab + 1) ** length
        self.strides = (vocab + 1) ** np.arange(length - 1, -1, -1, dtype=np.int64)
        self.blank = int(vocab * self.strides.sum())

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Sequences (B, L) of codes (B,)."""
        digits = np.empty((len(codes), self.length), dtype=np.int64)
        rest = codes
        for site in range(self.length - 1, -1, -1):
            rest, digits[:, site] = np.divmod(rest, self.vocab + 1)
        digits[digits == self.vocab] = MASK
        return digits

    def encode(self, x: np.ndarray) -> np.ndarray:
        """Codes (B,) of sequences (B, L)."""
        return np.where(x == MASK, self.vocab, x) @ self.strides

    def steps(self, sites: np.ndarray) -> np.ndarray:
        """By how much a code changes when a masked site is given token v, shape (..., V)."""
        return (np.arange(self.vocab) - self.vocab) * self.strides[sites][..., None]
