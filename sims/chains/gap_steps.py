"""What is valid of what one ancestral step writes in a gap of a Markov chain.

A step reveals each of n masked sites with probability b, which leaves gaps between those that it
reveals. What is valid is a sum over all sets of sites, of the products over the gaps between. Sites
are added from the left to the right, half of them at a time, so that nearly all work is in products
of large matrices.
"""

import math
from typing import Any

import numpy as np

from sims.chains.gaps import Gaps
from theory._core.arrays import from_host, require_memory
from theory._core.segments import gather
from theory._core.types import Array
from theory.lattice.lattice import quotient

__all__ = ["Tables", "before_any", "one_step"]

AT_ONCE = 2**22
"""Numbers of a table that are worked on at once."""

Tables = tuple[Array, Array]
"""By lengths: with a token on the right, (n, V+1, V), and open on the right, by the last token."""


def before_any(gaps: Gaps) -> Tables:
    """With no step left, of all lengths 0, 1, ...: only gaps without a site are complete."""
    xp, possible = gaps.xp, gaps.rows[1, :, :]
    here = xp.where(possible > 0, 0 * possible + 1, 0 * possible)
    last = xp.concat([gaps.powers[0, :, :], 0 * gaps.rows[1, -1:, :]])
    nothing = xp.stack([0 * possible] * gaps.longest)
    closed, by_last = (xp.concat([v[None, :, :], nothing]) for v in (here, last))
    return closed, by_last


def one_step(gaps: Gaps, after: Tables, b: Any, lengths: list[int]) -> Tables:
    """What is valid with one step more: tables over some lengths, from the longest down."""
    step = _Step(gaps, after, b)
    done, parts = 0, []
    while done < len(lengths):
        count = max(1, AT_ONCE // ((gaps.vocab + 1) ** 2 * gaps.vocab * lengths[done]))
        parts.append(step.of(lengths[done : done + count]))
        done += count
    closed, by_last = (gaps.xp.concat(list(some)) for some in zip(*parts, strict=True))
    return closed, by_last


class _Step:
    """One step in which each site is revealed with probability b, before tables of the next ones.

    With f(j, w) the mass of all that is revealed up to site j, which is and gets token w,

        f(j, w) = b p(x_j = w | ends) (first(j - 1; w) + sum_i<j,u f(i, u) between(j - i - 1; u, w))
    """

    def __init__(self, gaps: Gaps, after: Tables, b: Any) -> None:
        self.gaps, self.b = gaps, b
        stay = [(1 - b) ** g for g in range(gaps.longest + 1)]
        kind: Any = object if gaps.exact else np.float64
        weights = from_host(np.asarray(stay, dtype=kind), gaps.like)[:, None, None]
        # the last entry stands for gaps of less than no site
        self.closed, self.by_last = (
            gaps.xp.concat([weights * table, 0 * table[:1, :, :]]) for table in after
        )
        self._blocks: dict[tuple[int, int], Array] = {}

    def of(self, lengths: list[int]) -> Tables:
        """The tables of gaps of these lengths, from the longest down."""
        gaps, xp, vocab = self.gaps, self.gaps.xp, self.gaps.vocab
        self.lengths, longest = lengths, lengths[0]
        across = xp.stack([gaps.evidence(n) for n in lengths])
        possible = across > 0
        share = quotient(0 * across + self.b, xp.where(possible, across, 1))
        self.share = xp.where(possible, share, 0 * across)
        shape = (len(lengths), vocab + 1, vocab + 1, longest * vocab)
        require_memory(2 * math.prod(shape), f"a table of shape {shape}", gaps.like)
        first = xp.permute_dims(self.closed[:longest, :, :], (1, 0, 2))
        first = xp.reshape(first, (1, vocab + 1, 1, longest * vocab))
        self.found = xp.asarray(xp.broadcast_to(first, shape), copy=True)
        self._fill(1, longest + 1)
        sites = np.asarray(lengths, dtype=np.int64)[:, None] - np.arange(
            1, longest + 1, dtype=np.int64
        )
        sites = from_host(np.where(sites < 0, gaps.longest + 1, sites), gaps.like)
        whole = from_host(np.asarray(lengths, dtype=np.int64), gaps.like)
        # (n, site, u, right end) to (n, right end, site and u)
        between = gather(self.closed[:, :vocab, :], sites)
        between = xp.reshape(xp.permute_dims(between, (0, 3, 1, 2)), (len(lengths), 1, vocab, -1))
        closed = xp.sum(self.found[:, :, :vocab, :] * between, axis=3)
        last = gather(self.by_last[:, :vocab, :], sites)
        last = xp.reshape(last, (len(lengths), -1, vocab))
        by_last = xp.matmul(self.found[:, :, vocab, :], last)
        return closed + gather(self.closed, whole), by_last + gather(self.by_last, whole)

    def _fill(self, low: int, high: int) -> None:
        """Turn what came before the sites low, ..., high - 1 into f, half of them at a time."""
        gaps, xp, vocab = self.gaps, self.gaps.xp, self.gaps.vocab
        if high - low == 1:
            rows = sum(n >= low for n in self.lengths)
            ahead = np.asarray(self.lengths[:rows], dtype=np.int64) + 1 - low
            after = gather(gaps.columns, from_host(ahead, gaps.like))  # (n, w, right end)
            weights = gaps.rows[low, None, :, None, :] * xp.matrix_transpose(after)[:, None, :, :]
            weights = weights * self.share[:rows, :, :, None]
            here = slice((low - 1) * vocab, low * vocab)
            self.found[:rows, :, :, here] = self.found[:rows, :, :, here] * weights
            return
        middle = (low + high) // 2
        self._fill(low, middle)
        rows = sum(n >= middle for n in self.lengths)
        if not rows:
            return
        # if every site is revealed, only neighbours follow each other
        first, end = (middle - 1, middle + 1) if self.b == 1 else (low, high)
        known = self.found[:rows, :, :, (first - 1) * vocab : (middle - 1) * vocab]
        later = slice((middle - 1) * vocab, (end - 1) * vocab)
        step = self._between(middle - first, end - middle)
        added = xp.matmul(xp.reshape(known, (-1, step.shape[0])), step)
        shape = (rows, vocab + 1, vocab + 1, step.shape[1])
        self.found[:rows, :, :, later] = self.found[:rows, :, :, later] + xp.reshape(added, shape)
        self._fill(middle, high)

    def _between(self, before: int, after: int) -> Array:
        """What lies between any of so many sites and any of those after them, as a matrix."""
        if (before, after) not in self._blocks:
            gaps, xp, vocab = self.gaps, self.gaps.xp, self.gaps.vocab
            first = np.arange(1, before + 1, dtype=np.int64)
            sites = from_host(
                np.arange(before, before + after, dtype=np.int64) - first[:, None], gaps.like
            )
            table = gather(self.closed[:, :vocab, :], sites)
            table = xp.permute_dims(table, (0, 2, 1, 3))
            self._blocks[before, after] = xp.reshape(table, (before * vocab, after * vocab))
        return self._blocks[before, after]
