"""The best decoder of a Markov chain in at most R rounds: shortest paths over the sites of a gap.

Let ``K_r(a, b, n)`` be the least path KL in nats with which n masked sites between the ends a and b
are written in at most r rounds on every path. The sites revealed first, ``s_1 < ... < s_k``, are
drawn apart from each other, and leave gaps that are independent. As neighbours among the revealed
are a chain again, what is lost by drawing them apart is a sum over neighbours, so that with
``s_0 = 0`` and ``s_(k+1) = n + 1`` the whole is the length of a path

    K_r(a, b, n) = min over paths of  sum over its edges (i, j) of
                   I(X_i; X_j | a, b) + E[K_(r-1)(X_i, X_j, j-i-1) | a, b]

where edges to the ends lose no information [ours]. ``K_1`` is the total correlation, and
``K_r = 0`` for gaps of up to ``2^r - 1`` sites: bisection.

With ``Z = P^(n+1)(a, b)``, everything times Z, an edge between i and j = i + D costs

    [P^i (P^D log P^D + Z K_(r-1)) P^(n+1-j)](a, b)  +  Z log Z
        - sum_u P^i(a, u) [P^(n+1-i) log P^(n+1-i)](u, b)
        - sum_w [P^j log P^j](a, w) P^(n+1-j)(w, b)

with elementwise products: for each j one product of matrices over all i, all lengths and all ends.
Paths grow from left to right; nothing of the size of all edges is kept. Impossible ends have Z = 0
and cost nothing.
"""

import math

import numpy as np

from sims.chains.gaps import Gaps
from sims.chains.in_gaps import gaps_of
from sims.policies import GapTabulated
from theory._console.progress import tracked
from theory._core.arrays import (
    MASK,
    device,
    require_memory,
    to_host,
    within_memory,
    xlogx,
)
from theory._core.exact import floats
from theory._core.plurals import counted
from theory._core.types import Array, ArrayLike
from theory._markov.forward_backward import UNDERFLOW_TOL
from theory.distributions import MarkovChain
from theory.distributions.base import Distribution, as_possible
from theory.distributions.conditioned import Conditioned
from theory.errors import InvalidInput
from theory.lattice.lattice import quotient
from theory.validation.arguments import as_integer

__all__ = ["BestGaps", "best_in_rounds"]

UNKNOWN = "the best decoder of a chain is not known"

AT_ONCE = 2**17
"""Paths that are compared at once: as many as stay near the processor."""

TIE = 4e-15
"""Nats by which the first of two sites is preferred, so that rounding seldom decides."""

SHORT = 2**28
"""Work, in numbers of rounds, pairs of ends and edges, of which nobody wants to be told."""

BYTES = 40
"""Memory for each offset in a gap of each length between two ends, beside the choices."""


@within_memory("the best decoder")
def best_in_rounds(
    p: Distribution,
    rounds: int,
    pattern: ArrayLike | None = None,
    progress: bool | None = None,
) -> list[tuple[float, GapTabulated]]:
    """The least KL of a chain in at most r rounds on every path, r = 1..R, and its decoders.

    Of all value-adaptive policies that select sites before tokens are drawn. In floats, also for
    exact chains, to about 1e-13 nats for a hundred sites; where bisection has rounds enough, the KL
    is 0.

    Parameters
    ----------
    p : MarkovChain, or one that is conditioned
    rounds : int
        R.
    pattern : array_like of int, shape (L,), optional
        A prompt: tokens that are given, ``MASK`` elsewhere. The gaps between them are independent.
    progress : bool, optional
        Whether to show progress on stderr; if not given, where it is looked at and takes long.

    Returns
    -------
    list of (float, GapTabulated)
        Tables of the policies live where the chain does.

    Raises
    ------
    InvalidInput
    TooLarge
        Before the memory is taken: it grows as ``R (V+1)^2 L^2``, the time as ``R (V+1)^2 V L^3``.

    Examples
    --------
    Of three bits, each flipped with probability 1/4 from the one before, the outer ones are
    independent given the middle one; at once they lose ``log 2 - h(1/4)`` nats twice.

    >>> import math
    >>> from theory import gallery
    >>> points = best_in_rounds(gallery.binary_symmetric(3, 0.25), 2)
    >>> [round(kl / math.log(2), 4) for kl, policy in points]
    [0.3774, 0.0]
    >>> points[1][1].sites([MASK, MASK, MASK], rounds_left=2)
    (1,)
    """
    rounds = as_integer(rounds, "rounds", 1)
    chain, known = (p.whole, p.pattern) if isinstance(p, Conditioned) else (p, None)
    if not isinstance(chain, MarkovChain):
        raise InvalidInput(f"p must be a Markov chain, got {chain!r}")
    if pattern is not None:
        p = p.given(as_possible(p, pattern, "pattern"))
    nothing = np.full(p.length, MASK, dtype=np.int64)
    inside = gaps_of(to_host(p.pattern) if isinstance(p, Conditioned) else nothing, p.vocab)
    if chain.exact:
        initial, transition = (floats(v, UNKNOWN) for v in (chain.initial, chain.transition))
        chain = MarkovChain(initial, transition, chain.length)
    gaps = Gaps(chain, max((gap.length for gap in inside), default=1))
    for _, n, a, b in inside:
        evidence = float(gaps.evidence(n)[a, b])
        if evidence < UNDERFLOW_TOL:
            raise InvalidInput(
                f"a gap of {counted(n, 'site')} between the tokens {a} and {b} has probability "
                f"{evidence:.3g}, too little for sums in floats"
            )
    best = BestGaps(gaps, rounds, progress)
    points = []
    for r in range(1, best.rounds + 1):
        kl = math.fsum(float(best.kl[r - 1, a, b, n]) for _, n, a, b in inside)
        points.append((kl, GapTabulated(best.choices[:r, ...], known)))
    return points + points[-1:] * (rounds - best.rounds)


class BestGaps:
    """The best choices in every gap of a chain, with 1..R rounds left.

    Parameters
    ----------
    gaps : Gaps
        Of a chain in floats.
    rounds : int
        As many as are wanted; no more are tabulated than bisection needs for the longest gap.
    progress : bool, optional

    Attributes
    ----------
    rounds : int
        R, that of the tables.
    kl : array, shape (R, V+1, V+1, n+1)
        Least KL in nats by the rounds left, the left end, the right end and the length of a gap;
        0 between impossible ends.
    choices : array of bool, shape (R, V+1, V+1, n+1, n+1)
        The offsets that are revealed then: the middle one, where bisection has rounds enough, and
        between impossible ends all.
    """

    def __init__(self, gaps: Gaps, rounds: int, progress: bool | None = None) -> None:
        xp, longest = gaps.xp, gaps.longest
        self.rounds = min(rounds, longest.bit_length())
        require_memory(
            (gaps.vocab + 1) ** 2 * (longest + 1) ** 2,
            f"the best decoder of gaps of up to {counted(longest, 'site')} over "
            f"{counted(gaps.vocab, 'token')} in up to {counted(self.rounds, 'round')}",
            gaps.like,
            itemsize=self.rounds + BYTES,
        )
        tables = _Tables(gaps)
        site = xp.arange(longest + 1, dtype=xp.int64, device=device(gaps.like))
        every = xp.broadcast_to(
            (site < site[:, None])[:, None, None, :], (*tables.evidence.shape, longest + 1)
        )
        middle = xp.broadcast_to((site == (site[:, None] - 1) // 2)[:, None, None, :], every.shape)
        possible = tables.evidence > 0
        costs, choices = [tables.total_correlations()], [every]
        steps = [
            (r, j)
            for r in range(2, self.rounds + 1)
            if 2**r <= longest
            for j in range(2 ** (r - 1) + 1, longest + 1)
        ]
        if len(steps) * (gaps.vocab + 1) ** 2 * longest**2 < SHORT:
            progress = bool(progress)
        paths = None
        for r, j in tracked(steps, progress, "best decoder"):
            if paths is None:
                paths = _Paths(tables, costs[-1], 2**r)
            paths.grow(j)
            if j == longest:
                cost, chosen = paths.found()
                fewer, again = costs[-1][2**r :, ...], choices[-1][2**r :, ...]
                better = possible[2**r :, ...] & (cost < fewer - tables.tie[2**r :, ...])
                chosen = xp.where(better[..., None], chosen, again)
                zeros = xp.zeros_like(costs[-1][: 2**r, ...])
                costs.append(xp.concat([zeros, xp.where(better, cost, fewer)]))
                choices.append(xp.concat([middle[: 2**r, ...], chosen]))
                paths = None
        if len(costs) < self.rounds:
            costs.append(xp.zeros_like(costs[-1]))
            choices.append(middle)
        choices = [xp.where(possible[..., None], some, every) for some in choices]
        self.choices = xp.permute_dims(xp.stack(choices), (0, 3, 2, 1, 4))
        kl = quotient(xp.stack(costs), xp.where(possible, tables.evidence, 1.0))
        self.kl = xp.permute_dims(kl, (0, 3, 2, 1))


class _Tables:
    """What paths are made of, by a distance or a length, the right end and what is left of it."""

    def __init__(self, gaps: Gaps) -> None:
        xp = self.xp = gaps.xp
        self.longest, self.vocab = gaps.longest, gaps.vocab
        self.rows = gaps.rows
        self.row_logs = xlogx(gaps.rows)
        self.steps = xlogx(gaps.powers[1:-1, ...])
        columns = xp.matrix_transpose(gaps.columns)  # (distance, right end, token)
        self.columns = xp.reshape(columns, (-1, gaps.vocab))  # and the first two as one
        self.column_logs = xlogx(columns)
        evidence = [gaps.evidence(n) for n in range(self.longest + 1)]
        self.evidence = xp.matrix_transpose(xp.stack(evidence))  # (length, right end, left end)
        self.evidence_logs = xlogx(self.evidence)
        self.tie = TIE * self.evidence

    def to_right(self, first: int, last: int, left: Array) -> Array:
        """From what is left of it (V, K) to all right ends at these distances, as one (..., K)."""
        ends = self.vocab + 1
        return self.xp.matmul(self.columns[first * ends : (last + 1) * ends, :], left)

    def total_correlations(self) -> Array:
        """Those of all sites of a gap, times its evidence."""
        xp, longest = self.xp, self.longest
        total = xp.zeros_like(self.evidence)
        for j in range(2, longest + 1):  # with its neighbour on the left
            row = self.rows[j - 1, ...]
            left = xp.matrix_transpose(xp.matmul(row, self.steps[0, ...]) - self.row_logs[j, ...])
            lost = self.to_right(1, longest + 1 - j, left)
            before = self.column_logs[2 : longest + 3 - j, ...]
            before = xp.matmul(before, xp.matrix_transpose(row))
            total[j:, ...] += xp.reshape(lost, before.shape) - before + self.evidence_logs[j:, ...]
        return xp.where(total > 0, total, 0.0)


class _Paths:
    """The shortest paths through gaps of `first` sites or more, with one more round than before.

    Everything is times the evidence of the gap, by its length, its right end and its left end.
    """

    def __init__(self, tables: _Tables, cost: Array, first: int) -> None:
        xp, t = tables.xp, tables
        self.xp, self.tables, self.first = xp, tables, first
        onward = cost[: t.longest, : t.vocab, :]
        self.starts = xp.matrix_transpose(onward)  # of the first edge, by its length
        steps = t.steps + xp.matrix_transpose(onward[:, :, : t.vocab])
        self.steps = xp.flip(steps, axis=0)
        # by the sites after j: what the next edge takes off for j, and what the last edge costs
        ends = cost[: t.longest, :, : t.vocab]
        self.ends = xp.concat([t.column_logs[1:-1, ...], ends], axis=1)
        some = cost[first:, ...]
        # of the paths to site 0, 1, 2, ...: with what the next edge adds and takes off for it
        self.so_far = xp.zeros((*some.shape, t.longest), dtype=some.dtype, device=device(some))
        self.free = first // 2  # to sites up to here, the first edge loses nothing
        after = [self.ends[first - j : t.longest + 1 - j, ...] for j in range(1, self.free + 1)]
        rows = xp.matrix_transpose(t.rows[1 : self.free + 1, ...])[:, None, ...]
        after = xp.permute_dims(xp.matmul(xp.stack(after), rows), (1, 2, 3, 0))
        logs, tie = t.evidence_logs[first:, ..., None], t.tie[first:, ..., None]
        late = tie * xp.arange(1, self.free + 1, dtype=some.dtype, device=device(some))
        self.so_far[..., 1 : self.free + 1] = logs + late - after[:, : t.vocab + 1, ...]
        whole = after[:, t.vocab + 1 :, ...] + late
        self.best, self.last = xp.min(whole, axis=-1), xp.argmin(whole, axis=-1) + 1
        self.before: list[Array] = []

    def grow(self, j: int) -> None:
        """Find the shortest paths to site j, of all gaps that have it."""
        xp, t = self.xp, self.tables
        start = max(j, self.first)
        some = slice(start - self.first, None)  # of the tables that begin with `first`
        left = xp.matmul(t.rows[1:j, ...], self.steps[t.longest + 1 - j :, ...])
        left = xp.concat([self.starts[j - 1 : j, ...], left - t.row_logs[j, ...]])
        left = xp.reshape(xp.permute_dims(left, (2, 1, 0)), (t.vocab, -1))
        path, before = self._shortest(start + 1 - j, left, self.so_far[some, ..., :j])
        path = path - t.tie[start:, ...] * xp.astype(before, path.dtype)
        late = t.tie[start:, ...] * j
        after = xp.matmul(
            self.ends[start - j : t.longest + 1 - j, ...], xp.matrix_transpose(t.rows[j, ...])
        )
        if j < t.longest:
            logs = t.evidence_logs[start:, ...] + late
            self.so_far[some, ..., j] = path + (logs - after[:, : t.vocab + 1, :])
        whole = path + after[:, t.vocab + 1 :, :] + late
        shorter = whole < self.best[some, ...]
        self.best[some, ...] = xp.where(shorter, whole, self.best[some, ...])
        self.last[some, ...] = xp.where(shorter, j, self.last[some, ...])
        self.before.append(before)

    def _shortest(self, distance: int, left: Array, so_far: Array) -> tuple[Array, Array]:
        """The least of the paths that come from each site, and which it is."""
        xp, count = self.xp, so_far.shape[0]
        size = max(1, AT_ONCE // math.prod(so_far.shape[1:]))
        if size < count:
            cuts = [(k, min(k + size, count)) for k in range(0, count, size)]
            parts = [self._shortest(distance + a, left, so_far[a:b, ...]) for a, b in cuts]
            found, at = (xp.concat(list(part)) for part in zip(*parts, strict=True))
            return found, at
        lengths = self.tables.to_right(distance, distance + count - 1, left)
        lengths = xp.reshape(lengths, so_far.shape) + so_far
        at = xp.argmin(lengths, axis=-1)
        first = xp.arange(0, lengths.size, so_far.shape[-1], dtype=xp.int64, device=device(at))
        least = xp.take(xp.reshape(lengths, (-1,)), first + xp.reshape(at, (-1,)))
        return xp.reshape(least, at.shape), at

    def found(self) -> tuple[Array, Array]:
        """The lengths of the shortest paths, and the sites on them."""
        xp, longest = self.xp, self.tables.longest
        last = xp.astype(self.last, self.best.dtype)
        cost = self.best - self.tables.tie[self.first :, ...] * last
        shape = (*self.last.shape, longest + 1)
        chosen = xp.zeros(shape, dtype=xp.bool, device=device(self.last))
        for j in range(longest, self.free, -1):
            some = slice(max(j, self.first) - self.first, None)
            here = self.last[some, ...] == j
            chosen[some, ..., j - 1] = here
            before = self.before[j - self.free - 1]
            self.last[some, ...] = xp.where(here, before, self.last[some, ...])
        site = xp.arange(1, self.free + 1, dtype=xp.int64, device=device(self.last))
        chosen[..., : self.free] = self.last[..., None] == site
        return xp.where(cost > 0, cost, 0.0), chosen
