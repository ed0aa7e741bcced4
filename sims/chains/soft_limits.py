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


def soft_limits(
    gaps: Gaps, penalties: Sequence[float], progress: bool | None = None
) -> SoftLimits:
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
        math.prod(shape) * (most * (v + 1) + length // 4 + 5) + math.prod(shape[1:]) * v**2 * most,
        f"the decoders of gaps of up to {counted(length, 'site')} over {counted(v, 'token')}, for "
        f"{counted(count, 'way')} of paying for rounds,",
    )
    paid = np.where(np.arange(most) < tail, np.asarray(penalties)[:, None], 0.0)
    after = _Costs(np.zeros(shape), np.zeros(shape), np.zeros((*shape, most)))
    after.done[0] = 1.0
    site = np.arange(length + 1)
    choices = np.zeros((count, most, *shape[1:3], length + 1, length + 1), dtype=bool)
    choices |= site < site[:, None]
    best = after
    for n in tracked(range(1, length + 1), progress, "decoders"):
        ends = slice(v, None) if n == length else slice(None)
        best, sites = _best(gaps, n, ends, after)
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


def _best(gaps: Gaps, n: int, ends: slice, after: _Costs) -> tuple[_Costs, np.ndarray]:
    """The costs of gaps of n sites between A ends, and what is revealed, (A, A, P, S, n)."""
    edges, v = Edges(gaps, n, ends), gaps.vocab
    size, most = after.sum.shape[-2:], after.sum.shape[-1]
    sums, kls = (some[:n].reshape(n, v + 1, v + 1, -1) for some in (after.sum, after.kl))
    done = after.done.reshape(*after.done.shape[:3], -1, most)
    column, token, end = np.arange(sums.shape[-1]), np.arange(v), np.arange(v + 1)[ends]
    shape = (len(end), len(end), len(column))
    # Of the best path to each site, from the left: `reached` with each token at that site.
    sum_, kl, reached, sites = (
        np.zeros((n + 2, *shape, *more), dtype=kind)
        for more, kind in (((), float), ((), float), ((v, most), float), ((n,), bool))
    )
    for j in range(1, n + 2):
        costs, lost = edges.expected(j, sums) + sum_[:j], edges.expected(j, kls) + kl[:j]
        if j <= n:
            information = edges.information(j)[..., None]
            costs[1:] += information
            lost[1:] += information
        else:
            costs[0] = np.inf  # a path has a site
        last = costs.argmin(axis=0)[None]
        step = j - last[0]
        sum_[j] = np.take_along_axis(costs, last, 0)[0]
        kl[j] = np.take_along_axis(lost, last, 0)[0]
        sites[j] = np.take_along_axis(sites[:j], last[..., None], 0)[0]
        before = np.take_along_axis(reached[:j], last[..., None, None], 0)[0]
        if j <= n:
            sites[j, ..., j - 1] = True
            inside = done[step[..., None, None] - 1, token[:, None], token, column[:, None, None]]
            met = np.einsum("abcuk,abcuw,abcuwk->abcwk", before, gaps.powers[step], inside)
            first = edges.rows[j][:, None, :, None] * done[j - 1, ends, :v].swapaxes(1, 2)
            reached[j] = np.where(last[0, ..., None, None] == 0, first[:, None], met)
    inside = done[step[..., None] - 1, token, end[:, None, None], column[:, None]]
    weights = gaps.columns[step[..., None], token, end[:, None, None]]
    within = np.einsum("abcuk,abcu,abcuk->abck", before, weights, inside)
    within /= edges.evidence[..., None, None]
    found = (some.reshape(*shape[:2], *size, -1) for some in (sum_[-1], kl[-1], within))
    sums, kls, within = found
    costs = _Costs(sums[..., 0], kls[..., 0], within)
    return costs, sites[-1].reshape(*shape[:2], *size, n)
