"""Decoders whose choice within a gap depends on that gap alone, and on nothing but its own.

Such a decoder is known by tables over the length of a gap and its two ends. What it does with the
gaps that a prompt leaves, or with one block after another, follows from them.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple, Protocol

import numpy as np

from theory import MASK
from theory._core.types import Array

__all__ = ["Gap", "InGaps", "gaps_of"]


class Gap(NamedTuple):
    """A run of masked sites.

    Attributes
    ----------
    start, length : int
    left, right : int
        The tokens at its ends; V where an end is open, and -1 on the left where the token is that
        at the last site of the gap before.
    """

    start: int
    length: int
    left: int
    right: int


def gaps_of(pattern: np.ndarray, vocab: int, borders: Iterable[int] = ()) -> list[Gap]:
    """The gaps of a pattern (L,), from left to right, cut before the sites at the borders.

    A gap that ends at a border is open on the right.

    >>> gaps_of(np.asarray([MASK, 1, MASK, MASK]), 2)
    [Gap(start=0, length=1, left=2, right=1), Gap(start=2, length=2, left=1, right=2)]
    >>> gaps_of(np.asarray([MASK, MASK, MASK]), 2, [2])
    [Gap(start=0, length=2, left=2, right=2), Gap(start=2, length=1, left=-1, right=2)]
    """
    known = [-1, *np.flatnonzero(pattern != MASK).tolist(), len(pattern)]
    tokens = [vocab, *pattern[pattern != MASK].tolist(), vocab]
    gaps = []
    for (before, after), (left, right) in zip(pairwise(known), pairwise(tokens), strict=True):
        first, within = before + 1, sorted(b for b in borders if before + 1 < b < after)
        for start, end in pairwise([first, *within, after]):
            ends = left if start == first else -1, right if end == after else vocab
            if end > start:
                gaps.append(Gap(start, end - start, *ends))
    return gaps


class InGaps(Protocol):
    """What a decoder does in a gap of n masked sites, by its ends, from the first round on.

    Tables have one axis of V+1 for the left end and one for the right; the last entry is an open
    end (see `Gaps`). They live where the chain does, and hold exact numbers if that is exact.
    """

    def path_kl(self, length: int) -> Array:
        """Path KL in nats within a gap, (V+1, V+1); 0 between impossible ends."""
        ...

    def valid_mass(self, length: int) -> Array:
        """Probability that a gap is written as the data have it, (V+1, V+1); 0 if they cannot."""
        ...

    def valid_by_last(self, length: int) -> Array:
        """The same of a gap that is open on the right, by the token at its last site, (V+1, V)."""
        ...

    def log_probability(self, x: Array, left: Array, right: Array) -> Array:
        """Log probability that a gap is written as x, (N, n), between the ends (N,); (N,)."""
        ...

    def rounds(self, gaps: Sequence[Gap], on_data: bool) -> Array:
        """Probability of 0, 1, ... rounds in which all these gaps are filled, together.

        With tokens that are those of the data, or those that the decoder draws.
        """
        ...

    def rounds_by_last(self, length: int, on_data: bool) -> Array:
        """The same of one gap that is open on the right, with its last token, (V+1, V, R+1)."""
        ...
