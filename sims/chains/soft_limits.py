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

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sims.chains.edges import Edges
from sims.chains.gaps import Gaps
from theory._console.progress import tracked

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
    paid = np.where(np.arange(most) < tail, np.asarray(penalties)[:, None], 0.0)
    shape = (length + 1, v + 1, v + 1, count, most)
    tables = _Tables(np.zeros(shape), np.zeros(shape), np.zeros((*shape, most)))
    tables.done[0] = 1.0
    site = np.arange(length + 1)
    choices = np.zeros((count, most, *shape[1:3], length + 1, length + 1), dtype=bool)
    choices |= site < site[:, None]
    for n in tracked(range(1, length + 1), progress, "decoders"):
        ends = slice(v, None) if n == length else slice(None)
        best, sites = _shortest(gaps, n, ends, tables)
        tables.cost[n, ..., 0] = NEVER
        tables.cost[n, ends, ends, :, 1:] = (best.cost + paid)[..., :-1]
        tables.kl[n, ends, ends, :, 1:] = best.kl[..., :-1]
        tables.done[n, ends, ends, :, 1:, 1:] = best.done[..., :-1, :-1]
        choices[:, :, ends, ends, n, :n] = np.moveaxis(sites, (0, 1), (2, 3))
    rounds = 1 + (1 - best.done[0, 0, :, tail:, :-1]).sum(axis=-1)
    return SoftLimits(rounds, best.kl[0, 0, :, tail:], choices)


@dataclass(frozen=True, eq=False)
class _Tables:
    """What is to come in gaps, (..., P, S): with 0, 1, ... rounds left after one, or now.

    Attributes
    ----------
    cost : array
        The sum that is minimised; 0 for gaps of no site.
    kl : array
    done : array, (..., P, S, S)
        Probability that no site is masked 0, 1, ... rounds after this one.
    """

    cost: np.ndarray
    kl: np.ndarray
    done: np.ndarray


def _shortest(
    gaps: Gaps, n: int, ends: slice, after: _Tables
) -> tuple[_Tables, np.ndarray]:
    """The best sets of sites in gaps of n sites, (A, A, P, S, n), and what they cost."""
    edges, v, most = Edges(gaps, n, ends), gaps.vocab, after.cost.shape[-1]
    cost, kl = (some[:n].reshape(n, v + 1, v + 1, -1) for some in (after.cost, after.kl))
    done = after.done.reshape(*after.done.shape[:3], -1, most)
    column, token = np.arange(cost.shape[-1]), np.arange(v)
    b = np.arange(v + 1)[ends]
    shape = (len(b), len(b), len(column))
    # of the best paths to each site; `before` with each token there
    so_far = _Tables(*(np.zeros((n + 1, *shape, *k)) for k in ((), (), (v, most))))
    sites = np.zeros((n + 1, *shape, n), dtype=bool)
    for j in range(1, n + 2):
        costs = edges.expected(j, cost) + so_far.cost[:j]
        lost = edges.expected(j, kl) + so_far.kl[:j]
        if j <= n:
            information = edges.information(j)[..., None]
            costs[1:] += information
            lost[1:] += information
        else:
            costs[0] = np.inf
        last = costs.argmin(axis=0)
        at = last[None]
        best_cost, best_kl = (np.take_along_axis(x, at, 0)[0] for x in (costs, lost))
        reached = np.take_along_axis(so_far.done[:j], at[..., None, None], 0)[0]
        chosen = np.take_along_axis(sites[:j], at[..., None], 0)[0]
        step = j - last
        if j == n + 1:
            inner = done[step[..., None] - 1, token, b[:, None, None], column[:, None]]
            weights = gaps.columns[step[..., None], token, b[:, None, None]]
            ready = np.einsum("abcuk,abcu,abcuk->abck", reached, weights, inner)
            ready /= edges.evidence[..., None, None]
            break
        inner = done[step[..., None, None] - 1, token[:, None], token, column[:, None, None]]
        ready = np.einsum("abcuk,abcuw,abcuwk->abcwk", reached, gaps.powers[step], inner)
        first = np.moveaxis(done[j - 1, ends, :v], 1, 2) * edges.rows[j][:, None, :, None]
        sites[j] = chosen
        sites[j, ..., j - 1] = True
        so_far.cost[j], so_far.kl[j] = best_cost, best_kl
        so_far.done[j] = np.where(at[0, ..., None, None] == 0, first[:, None], ready)
    size = after.cost.shape[-2:]
    return (
        _Tables(
            best_cost.reshape(*shape[:2], *size),
            best_kl.reshape(*shape[:2], *size),
            ready.reshape(*shape[:2], *size, most),
        ),
        chosen.reshape(*shape[:2], *size, n),
    )
