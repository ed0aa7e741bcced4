"""Ancestral steps in the gaps of a Markov chain: each masked site is revealed or not by itself.

A step that reveals each of n masked sites with probability b leaves gaps between those that it
reveals. Path KL adds up: with S(l, r) the sum of the entropies of the single sites between l and r,
given these, a step costs b S for every gap that it finds, and the entropy of the whole is what
would be paid without a loss. A site is known before step t with some probability r_t by itself, so

    path KL = sum_t b_t E[sum over gaps of S] - H,   P(gap of m sites) = r_t^2 (1 - r_t)^m    [ours]

Masses multiply instead. What is written within a gap, with k steps left, is a sum over what is
revealed now, of the products over the gaps between; sites are added from the left to the right,
half of them at a time, so that nearly all work is in products of large matrices.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from sims.chains.gaps import Gaps
from sims.chains.in_gaps import Gap
from sims.chains.occupied import occupied_steps
from sims.chains.written import log_written
from theory._console.progress import tracked
from theory._core.arrays import from_host, require_memory, to_host, xlogx
from theory._core.segments import gather
from theory._core.types import Array
from theory.information.units import not_negative
from theory.lattice.lattice import quotient

__all__ = ["Ancestral"]

AT_ONCE = 2**22
"""Numbers of a table that are worked on at once."""


class Ancestral:
    """What ancestral steps do in a gap, by its ends (see `InGaps`).

    Parameters
    ----------
    gaps : Gaps
    reveal : sequence of Fractions
        Probability to reveal a masked site, for each step; 1 in the last one.
    progress : bool, optional
        Whether to show progress on stderr; if not given, where it is looked at.

    >>> from theory import gallery
    >>> one = Ancestral(Gaps(gallery.binary_symmetric(2, 0.25)), [Fraction(1)])
    >>> one.valid_mass(2)[2, 2].item(), one.rounds([Gap(0, 2, 2, 2)], True).tolist()
    (1.0, [0.0, 1.0])
    """

    def __init__(
        self, gaps: Gaps, reveal: Sequence[Fraction], progress: bool | None = None
    ) -> None:
        self.gaps, self.progress = gaps, progress
        used = [b if gaps.exact else float(b) for b in reveal if b]
        self.reveal: list[Any] = used[: used.index(1) + 1]
        self._known: dict[int, tuple[Array, ...]] = {}

    # ---- path KL ------------------------------------------------------------------------

    def path_kl(self, length: int) -> Array:
        """Path KL in nats within a gap, (V+1, V+1); 0 between impossible ends."""
        gaps, xp, vocab = self.gaps, self.gaps.xp, self.gaps.vocab
        none, one, two = self._occurrences(length)
        single = self._single_entropies
        total: Any = single[length] * none[length]
        across = gaps.evidence(length)
        found: Any = 0 * across
        for m in range(1, length):  # masked sites between two known ones, of which one is new
            new_right = gaps.rows[m + 1, :, :] * single[m][:, :vocab]
            new_left = gaps.columns[m + 1, :, :] * single[m][:vocab, :]
            found = found + one[m] * xp.matmul(new_right, gaps.columns[length - m, :, :])
            found = found + one[m] * xp.matmul(gaps.rows[length - m, :, :], new_left)
            if m < length - 1:
                inner = gaps.powers[m + 1, :, :] * single[m][:vocab, :vocab]
                before = gaps.rows[1 : length - m, :, :]
                after = xp.matmul(inner, xp.flip(gaps.columns[1 : length - m, :, :], axis=0))
                before = xp.reshape(xp.permute_dims(before, (1, 0, 2)), (vocab + 1, -1))
                found = found + two[m] * xp.matmul(before, xp.reshape(after, (-1, vocab + 1)))
        possible = across > 0
        mean = quotient(found, xp.where(possible, across, 1))
        total = total + xp.where(possible, mean, 0 * mean)
        return not_negative(total - self._joint_entropies[length])

    def _occurrences(self, length: int) -> tuple[list[Any], ...]:
        """Over all steps, how often a site is revealed in a gap of m sites: sum_t b r^e (1-r)^m.

        With e = 0, 1 or 2 of its ends known by then, and m = 0..length.
        """
        masked: Any = Fraction(1) if self.gaps.exact else 1.0
        sums: list[list[Any]] = [[masked * 0] * (length + 1) for _ in range(3)]
        for b in self.reveal:
            for m in range(length + 1):
                weight = b * masked**m
                for ends, part in enumerate(sums):
                    part[m] = part[m] + weight * (1 - masked) ** ends
            masked = masked * (1 - b)
        return tuple(sums)

    @cached_property
    def _single_entropies(self) -> list[Array]:
        """Sums of the entropies of the sites of a gap, each by itself, (V+1, V+1), by length."""
        xp, gaps = self.gaps.xp, self.gaps
        return [
            -xp.sum(xlogx(gaps.marginals(n)), axis=(2, 3)) if n else 0 * gaps.evidence(0)
            for n in range(gaps.longest + 1)
        ]

    @cached_property
    def _joint_entropies(self) -> list[Array]:
        """Entropies of all sites of a gap together, (V+1, V+1), by length."""
        xp, gaps, vocab = self.gaps.xp, self.gaps, self.gaps.vocab
        found = [0 * gaps.evidence(0)]
        for n in range(1, gaps.longest + 1):
            first = gaps.marginals(n)[:, :, 0, :]
            rest = xp.matrix_transpose(found[-1][:vocab, :])  # (right, first)
            found.append(xp.sum(first * rest[None, :, :] - xlogx(first), axis=2))
        return found

    # ---- the mass of what is valid ------------------------------------------------------

    def valid_mass(self, length: int) -> Array:
        """Probability that a gap is written as the data have it, (V+1, V+1); 0 if they cannot.

        Too small to be told from 0 below about 1e-290.
        """
        xp, (closed, by_last) = self.gaps.xp, self._valid(length)
        return xp.concat([closed, xp.sum(by_last, axis=1)[:, None]], axis=1)

    def valid_by_last(self, length: int) -> Array:
        """The same of a gap that is open on the right, by the token at its last site, (V+1, V)."""
        return self._valid(length)[1]

    def _valid(self, length: int) -> tuple[Array, Array]:
        """With a token on the right, (V+1, V), and open on the right, by the last token."""
        if length not in self._known:
            tables = _step(self.gaps, self._after_first, self.reveal[0], [length])
            self._known[length] = tuple(table[0, :, :] for table in tables)
        return self._known[length]

    @cached_property
    def _after_first(self) -> "_Tables":
        """The same of all lengths 0, 1, ..., with the steps that are left after the first one."""
        gaps, xp = self.gaps, self.gaps.xp
        possible = gaps.rows[1, :, :]
        here = xp.where(possible > 0, 0 * possible + 1, 0 * possible)
        last = xp.concat([gaps.powers[0, :, :], 0 * gaps.rows[1, -1:, :]])
        nothing = xp.stack([0 * possible] * gaps.longest)
        closed, by_last = (xp.concat([v[None, :, :], nothing]) for v in (here, last))
        every = list(range(gaps.longest, 0, -1))
        for b in tracked(self.reveal[:0:-1], self.progress, "steps"):
            after = _step(gaps, (closed, by_last), b, every)
            closed, by_last = (
                xp.concat([table[:1, :, :], xp.flip(longer, axis=0)])
                for table, longer in zip((closed, by_last), after, strict=True)
            )
        return closed, by_last

    # ---- what is written, and rounds -----------------------------------------------------

    def log_probability(self, x: Array, left: Array, right: Array) -> Array:
        """Log probability that a gap is written as x, (N, n), between the ends (N,); (N,)."""
        return log_written(self.gaps, self.reveal, x, left, right, self.progress)

    def rounds(self, gaps: Sequence[Gap], on_data: bool) -> Array:
        """Probability of 0, 1, ... rounds in which all these gaps are filled, on the host.

        It does not depend on tokens.
        """
        masked = sum(gap.length for gap in gaps)
        return occupied_steps(masked, self.reveal, self.gaps.like.dtype)

    def rounds_by_last(self, length: int, on_data: bool) -> Array:
        """The same of one gap that is open on the right, with its last token, (V+1, V, K+1)."""
        last = self.gaps.rows[length, :, :] if on_data else self.valid_by_last(length)
        rounds = occupied_steps(length, self.reveal, self.gaps.like.dtype)
        return to_host(last)[:, :, None] * rounds


_Tables = tuple[Array, Array]
"""By lengths: with a token on the right, (n, V+1, V), and open on the right, by the last token."""


def _step(gaps: Gaps, after: _Tables, b: Any, lengths: list[int]) -> _Tables:
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

    def __init__(self, gaps: Gaps, after: _Tables, b: Any) -> None:
        self.gaps, self.b = gaps, b
        stay = [(1 - b) ** g for g in range(gaps.longest + 1)]
        weights = from_host(np.asarray(stay, dtype=gaps.like.dtype), gaps.like)[:, None, None]
        # the last entry stands for gaps of less than no site
        self.closed, self.by_last = (
            gaps.xp.concat([weights * table, 0 * table[:1, :, :]]) for table in after
        )
        self._blocks: dict[tuple[int, int], Array] = {}

    def of(self, lengths: list[int]) -> _Tables:
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
        sites = np.asarray(lengths, dtype=np.int64)[:, None] - np.arange(1, longest + 1)
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
        known = self.found[:rows, :, :, (low - 1) * vocab : (middle - 1) * vocab]
        later = slice((middle - 1) * vocab, (high - 1) * vocab)
        step = self._between(middle - low, high - middle)
        added = xp.matmul(xp.reshape(known, (-1, step.shape[0])), step)
        shape = (rows, vocab + 1, vocab + 1, step.shape[1])
        self.found[:rows, :, :, later] = self.found[:rows, :, :, later] + xp.reshape(added, shape)
        self._fill(middle, high)

    def _between(self, before: int, after: int) -> Array:
        """What lies between any of so many sites and any of those after them, as a matrix."""
        if (before, after) not in self._blocks:
            gaps, xp, vocab = self.gaps, self.gaps.xp, self.gaps.vocab
            sites = np.arange(before, before + after) - np.arange(1, before + 1)[:, None]
            table = gather(self.closed[:, :vocab, :], from_host(sites, gaps.like))
            table = xp.permute_dims(table, (0, 2, 1, 3))
            self._blocks[before, after] = xp.reshape(table, (before * vocab, after * vocab))
        return self._blocks[before, after]
