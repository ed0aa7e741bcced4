"""Bounds of the mean entropies of a hidden Markov model, at thousands of sites.

Of the revealed sites before it, a site s is told at most the hidden state at the nearest one, r,
and at least the token there::

    H(X_s | Z_r) <= H(X_s | all revealed before s) <= H(X_s | X_r)                 [ours]

The means over random sets are sums over gaps ``g = s - r``, of sums over the law m_r of the state
at r. The lower one is linear in m_r, so it takes the entropies of the rows of ``T^g E`` only. The
upper one is a conditional entropy, which is concave and of degree one in m_r::

    sum_r F_g(m_r)  <=  F_g(sum_r m_r)  =  n F_g(mean of the n laws)

so sites may be joined: that keeps it an upper bound, and costs nothing where laws are alike, as
they are once the chain has forgotten its start. Sites are joined where there is more work than
`WORK`, those with the nearest laws first. Gaps are walked until they repeat (see `powers`), and
what longer gaps may differ by is added to the upper bound and taken from the lower one.
"""

from typing import Any, NamedTuple

import numpy as np

from theory._core.arrays import array_namespace, from_host, to_host, xlogx
from theory._markov.powers import (
    CONVERGED_TOL,
    ConvergedPowers,
    conditional_entropy_error,
    converged_powers,
    entropy_error,
    stochastic,
)
from theory._markov.random_subsets import over_first_sites, over_pairs

__all__ = ["hidden_bracket"]

WORK = 2**34
"""Multiplications, and a hundred for a logarithm, that the upper bound may take before sites are
joined: a few seconds."""

LOGARITHM = 100

CELLS = 2**22
"""Joint probabilities of pairs held at a time (32 MiB)."""


class Groups(NamedTuple):
    """Sites that are joined.

    Attributes
    ----------
    of_site : (L,) array of int64
        The group of each site, from 0 to `heads` + `period` - 1.
    heads : int
        Number of groups before the law settles; the others are alike within each.
    """

    of_site: np.ndarray
    heads: int


def hidden_bracket(
    initial: Any, transition: Any, emission: Any, length: int
) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper bounds of the mean entropy of k random sites in nats, k = 0..L.

    Time ``O(G V^2 H B + G H^2 V + L H^2 + L log L)`` and at worst ``O(L V^2 H)`` more, with G the
    number of gaps that differ and B the number of groups of sites, both at most L.

    A fair bit that never changes, read with error 1/4. Each reading adds between h(1/4) = 0.562
    and, after one reading, h(3/8) = 0.662 nats:

    >>> read = np.asarray([[0.75, 0.25], [0.25, 0.75]])
    >>> lower, upper = hidden_bracket(np.asarray([0.5, 0.5]), np.eye(2), read, 3)
    >>> np.diff(lower).round(3).tolist(), np.diff(upper).round(3).tolist()
    ([0.693, 0.562, 0.562], [0.693, 0.662, 0.662])
    """
    xp = array_namespace(transition)
    laws = [initial]
    for _ in range(length - 1):
        laws.append(stochastic(xp.matmul(laws[-1][None, :], transition))[0, ...])
    laws = xp.stack(laws)
    alone = to_host(-xp.sum(xlogx(xp.matmul(laws, emission)), axis=1))
    first = over_first_sites(alone)
    if length == 1:
        return first, first
    rows = converged_powers(
        transition, emission, length - 1, lambda product: -xp.sum(xlogx(product), axis=1)
    )
    gaps = np.arange(1, length, dtype=np.int64)
    later = np.where(gaps > rows.computed, length - gaps, 0)  # pairs for which another gap stands
    told = _told(laws, rows, gaps) - later * entropy_error(rows.error, emission.shape[1])
    heard = _Heard(laws, transition, emission, rows).sums()
    heard = np.minimum(heard, np.cumsum(alone[::-1])[-2::-1])  # not more than each site alone
    return first + over_pairs(np.maximum(told, 0.0)), first + over_pairs(heard)


def _told(laws: Any, rows: ConvergedPowers, gaps: np.ndarray) -> np.ndarray:
    """``sum_r H(X_{r+g} | Z_r)`` for each gap, on the host."""
    xp, total, before = array_namespace(laws), laws[0, :] * 0, []
    for i in range(laws.shape[0] - 1):
        total = total + laws[i, :]
        before.append(total)
    entropies = xp.take(rows.values, from_host(rows.entries(gaps), laws), axis=0)
    return to_host(xp.sum(xp.flip(xp.stack(before), axis=0) * entropies, axis=1))


class _Heard:
    """``sum_r H(X_{r+g} | X_r)`` over ``r < L - g``, or a bound of it, for one gap after another.

    From gap to gap the last site leaves its group. While gaps differ all groups are computed;
    afterwards only those that have lost a site, and a group of like laws is in proportion to its
    number of sites.
    """

    def __init__(self, laws: Any, transition: Any, emission: Any, rows: ConvergedPowers) -> None:
        self.laws, self.transition, self.emission, self.rows = laws, transition, emission, rows
        self.length, self.tokens = laws.shape[0], emission.shape[1]
        each = rows.computed * self.tokens**2 * (laws.shape[1] + LOGARITHM)
        self.groups = groups = _grouped(laws, rows.period, max(1, WORK // each))
        count = int(groups.of_site.max()) + 1
        self.last = np.full(count, -1)  # the last site of each group that is still in it
        self.before = np.full(self.length, -1)  # the one before each site in its group
        sums: list[Any] = []
        for site, group in enumerate(groups.of_site.tolist()):
            previous = int(self.last[group])
            self.before[site], self.last[group] = previous, site
            law = laws[site, :]
            sums.append(law if previous < 0 else sums[previous] + law)
        self.through = array_namespace(laws).stack(sums)  # of the laws of a group, up to a site

    def _leave(self, site: int) -> int:
        """Take a site out of its group."""
        group = int(self.groups.of_site[site])
        self.last[group] = self.before[site]
        return group

    def _entropies(self, groups: np.ndarray, read: Any) -> np.ndarray:
        """Conditional entropies of the summed laws of some groups, on the host."""
        xp = array_namespace(self.laws)
        columns = xp.matrix_transpose(self.emission)
        rows, found = max(1, CELLS // (self.tokens * max(self.tokens, self.laws.shape[1]))), []
        for start in range(0, len(groups), rows):
            chosen = from_host(self.last[groups[start : start + rows]], self.laws)
            law = xp.take(self.through, chosen, axis=0)
            first = xp.reshape(law[:, None, :] * columns[None, ...], (-1, columns.shape[1]))
            joint = xp.reshape(xp.matmul(first, read), (law.shape[0], -1))
            known = xp.matmul(law, self.emission)
            found.append(xp.sum(xlogx(known), axis=1) - xp.sum(xlogx(joint), axis=1))
        return to_host(xp.concat(found)) if found else np.zeros(0)

    def sums(self) -> np.ndarray:
        """One number for each gap 1, 2, ..., on the host."""
        xp, rows = array_namespace(self.laws), self.rows
        read, kept, heard = self.emission, [], []
        for gap in range(1, rows.computed + 1):
            read = stochastic(xp.matmul(self.transition, read))
            if gap > rows.computed - rows.period:
                kept.append(read)
            self._leave(self.length - gap)
            heard.append(float(self._entropies(np.flatnonzero(self.last >= 0), read).sum()))
        if rows.computed < self.length - 1:
            heard += self._later(kept)
        return np.asarray(heard)

    def _later(self, kept: list[Any]) -> list[float]:
        """The same for gaps that repeat, with what they may be off by."""
        here, heads = np.flatnonzero(self.last >= 0), self.groups.heads
        values = np.zeros((len(kept), len(self.last)))
        for n, read in enumerate(kept):
            values[n, here] = self._entropies(here, read)
        inside = np.bincount(
            self.groups.of_site[: self.length - self.rows.computed], minlength=len(self.last)
        )
        share = values[:, heads:] / np.maximum(inside[heads:], 1)  # of one site, of like laws
        error = entropy_error(self.rows.error, self.tokens)
        error += conditional_entropy_error(CONVERGED_TOL, self.tokens)
        stale = np.zeros(values.shape, dtype=bool)
        heard = []
        for gap in range(self.rows.computed + 1, self.length):
            group, n = self._leave(self.length - gap), (gap - self.rows.computed - 1) % len(kept)
            inside[group] -= 1
            stale[:, group] = group < heads
            again = np.flatnonzero(stale[n])
            values[n, again] = 0.0
            again = again[self.last[again] >= 0]
            values[n, again] = self._entropies(again, kept[n])
            stale[n] = False
            like = float((share[n] * inside[heads:]).sum())
            heard.append(float(values[n, :heads].sum()) + like + (self.length - gap) * error)
        return heard


def _grouped(laws: Any, period: int, most: int) -> Groups:
    """Join sites, in about `most` groups before the law settles and one for each phase after."""
    xp, length = array_namespace(laws), laws.shape[0]
    if period > most:
        period = 1
    site = np.arange(length, dtype=np.int64)
    final = length - period + (site - length) % period  # the last site of the same phase
    away = _between(laws, xp.take(laws, from_host(final, laws), axis=0))
    moving = np.flatnonzero(away > CONVERGED_TOL / 2)
    settles = int(moving[-1]) + 1 if moving.size else 0
    if settles <= most:
        of_site, heads = site.copy(), settles
    else:
        order = np.argsort(site[:settles] % period, kind="stable")
        here = xp.take(laws, from_host(order, laws), axis=0)
        steps = _between(here[1:, :], here[:-1, :]) + 1 / length**2
        walked = np.concatenate([[0.0], np.cumsum(steps)])
        part = np.minimum((walked / walked[-1] * most).astype(np.int64), most - 1)
        of_site = site.copy()
        heads = len(np.unique(part))
        of_site[order] = np.unique(part, return_inverse=True)[1].reshape(-1)
    of_site[settles:] = heads + site[settles:] % period
    return Groups(of_site, heads)


def _between(x: Any, y: Any) -> np.ndarray:
    """Total variation between the rows of x and of y, on the host."""
    xp = array_namespace(x)
    return to_host(xp.sum(xp.abs(x - y), axis=1)) / 2
