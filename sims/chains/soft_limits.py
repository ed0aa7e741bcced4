"""Decoders of chains with a soft limit of rounds, their expected rounds and their KL, exactly.

Rounds beyond the first r are paid for by each gap apart: every gap that is still open then costs a
penalty a round. That is at least what is paid for rounds, and it falls apart into gaps. With s
rounds left at most, of which the last ones, up to `tail`, are paid for,

    W_s(gap) = min over sets of sites of  sum over edges (i, j) of
               I(X_i; X_j | ends) + E[W_(s-1)(gap between i and j) + penalty if s - 1 <= tail]

and `W_1` is the total correlation. A penalty above the total correlation of the chain makes a hard
limit of r rounds. What such a decoder costs is not the sum that it minimises: its KL is additive,
and it is done within k rounds with the mean of a product over gaps, a product of matrices along
the path [ours].
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sims.chains.edges import Edges
from sims.chains.gaps import Gaps
from theory._console.progress import tracked
from theory._core.arrays import require_memory
from theory._core.plurals import counted

__all__ = ["SoftLimits", "soft_limits"]

NEVER = 1e30
"""Nats for a gap that is open when no round is left."""


@dataclass(frozen=True, eq=False)
class SoftLimits:
    """Decoders for each penalty, and for each number of rounds that are free.

    Attributes
    ----------
    rounds : array, shape (P, R)
        Expected rounds on the data, with 1..R free rounds.
    kl : array, shape (P, R)
        Path KL in nats.
    choices : array of bool, shape (P, tail + R, V+1, V+1, L+1, L+1)
        What is revealed with 1, 2, ... rounds left, as `GapTabulated` takes it.
    """

    rounds: np.ndarray
    kl: np.ndarray
    choices: np.ndarray


def soft_limits(gaps: Gaps, penalties: Sequence[float], progress: bool | None = None) -> SoftLimits:
    """Find the decoders with soft limits for all penalties.

    Parameters
    ----------
    gaps : Gaps
        In floats on the host, for gaps as long as the chain.
    penalties : sequence of float
        Nats for each open gap and round.
    progress : bool, optional
    """
    length, v, count = gaps.longest, gaps.vocab, len(penalties)
    free = length.bit_length()
    tail = max(free - 1, 1)
    most = tail + free
    shape = (length + 1, v + 1, v + 1, count, most)
    require_memory(
        math.prod(shape) * (most * (v + 2) + length // 4 + 5)
        + math.prod(shape[1:]) * most * v * (v + 4),
        f"the decoders of gaps of up to {counted(length, 'site')} over {counted(v, 'token')}, for "
        f"{counted(count, 'way')} of paying for rounds,",
    )
    paid = np.where(np.arange(most, dtype=np.int64) < tail, np.asarray(penalties)[:, None], 0.0)
    after = _Costs(np.zeros(shape), np.zeros(shape), np.zeros((*shape, most)))
    after.done[0] = 1.0
    between = np.zeros((length, count * most, v, v, most))
    site = np.arange(length + 1, dtype=np.int64)
    choices = np.zeros((count, most, *shape[1:3], length + 1, length + 1), dtype=bool)
    choices |= site < site[:, None]
    best = after
    for n in tracked(range(1, length + 1), progress, "decoders"):
        done = after.done[n - 1, :v, :v].reshape(v, v, -1, most)
        between[n - 1] = np.moveaxis(gaps.powers[n][..., None, None] * done, 2, 0)
        ends = slice(v, None) if n == length else slice(None)
        best, sites = _Paths(gaps, n, ends, after, between).whole()
        after.sum[n, ..., 0] = NEVER
        after.sum[n, ends, ends, :, 1:] = (best.sum + paid)[..., :-1]
        after.kl[n, ends, ends, :, 1:] = best.kl[..., :-1]
        after.done[n, ends, ends, :, 1:, 1:] = best.done[..., :-1, :-1]
        choices[:, :, ends, ends, n, :n] = np.moveaxis(sites, (0, 1), (2, 3))
    rounds = 1 + (1 - best.done[0, 0, :, tail:, :-1]).sum(axis=-1)
    return SoftLimits(rounds, best.kl[0, 0, :, tail:], choices)


@dataclass(frozen=True, eq=False)
class _Costs:
    """What gaps cost, (..., P, S): with 1, 2, ... rounds left, or after one of these.

    Attributes
    ----------
    sum : array
        What is minimised.
    kl : array
    done : array, (..., P, S, S)
        Probability that no site is masked 1, 2, ... rounds later, or 0, 1, ... after one.
    """

    sum: np.ndarray
    kl: np.ndarray
    done: np.ndarray


class _Paths:
    """The best paths to the sites of gaps of n sites between A ends, for all P and S at once.

    `between`, (n, P S, V, V, S), is `after.done` between two tokens, times the probability of the
    second one given the first.
    """

    def __init__(self, gaps: Gaps, n: int, ends: slice, after: _Costs, between: np.ndarray) -> None:
        self.gaps, self.ends, self.edges, self.between = gaps, ends, Edges(gaps, n, ends), between
        self.sizes = after.sum.shape[-2:]
        v, most = gaps.vocab, self.sizes[1]
        self.after_sum = after.sum[:n].reshape(n, v + 1, v + 1, -1)
        self.after_kl = after.kl[:n].reshape(n, v + 1, v + 1, -1)
        self.done = after.done.reshape(*after.done.shape[:3], -1, most)
        self.token = np.arange(v, dtype=np.int64)
        self.end = np.arange(v + 1, dtype=np.int64)[ends]
        self.column = np.arange(self.after_sum.shape[-1], dtype=np.int64)
        shape = (n + 1, len(self.end), len(self.end), len(self.column))
        self.every = np.ogrid[tuple(map(slice, shape[1:]))]
        self.sum, self.kl = np.zeros(shape), np.zeros(shape)
        self.sites = np.zeros((*shape, n), dtype=bool)
        self.reached = np.zeros((*shape, v, most))
        """With each token at the last site, and all gaps before it done in 0, 1, ... rounds."""
        for j in range(1, n + 1):
            self._grow(j)

    def _step(self, j: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """From which site the best paths come to site j, their sums and their KL."""
        sums = self.edges.expected(j, self.after_sum) + self.sum[:j]
        kls = self.edges.expected(j, self.after_kl) + self.kl[:j]
        if j <= self.edges.length:
            information = self.edges.information(j)[..., None]
            sums[1:] += information
            kls[1:] += information
        else:
            sums[0] = np.inf  # a path has a site
        last = sums.argmin(axis=0)
        return last, sums[last, *self.every], kls[last, *self.every]

    def _grow(self, j: int) -> None:
        last, self.sum[j], self.kl[j] = self._step(j)
        self.sites[j] = self.sites[last, *self.every]
        self.sites[j, ..., j - 1] = True
        before = self.reached[last, *self.every]
        inside = self.between[j - last - 1, self.column]
        there = np.einsum("abcuk,abcuwk->abcwk", before, inside)
        done = self.done[j - 1, self.ends, : self.gaps.vocab].swapaxes(1, 2)
        first = (self.edges.rows[j][:, None, :, None] * done)[:, None]
        self.reached[j] = np.where(last[..., None, None] == 0, first, there)

    def whole(self) -> tuple[_Costs, np.ndarray]:
        """What gaps cost, and what is revealed, (A, A, P, S, n)."""
        j = self.edges.length + 1
        last, total, kl = self._step(j)
        before, sites = self.reached[last, *self.every], self.sites[last, *self.every]
        step, end = j - last[..., None], self.end[:, None, None]
        inside = self.done[step - 1, self.token, end, self.column[:, None]]
        weights = self.gaps.columns[step, self.token, end]
        done = np.einsum("abcuk,abcu,abcuk->abck", before, weights, inside)
        done /= self.edges.evidence[..., None, None]
        shape = (*total.shape[:2], *self.sizes)
        costs = _Costs(total.reshape(shape), kl.reshape(shape), done.reshape(*shape, -1))
        return costs, sites.reshape(*shape, -1)
