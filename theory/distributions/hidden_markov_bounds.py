"""Lower and upper bounds of the mean entropies of a hidden Markov model, at thousands of sites.

Write r for the nearest revealed site before s. The hidden state at r says at least as much about
``X_s`` as all that is revealed before s, and the token at r says at most as much::

    H(X_s | Z_r) <= H(X_s | all revealed before s) <= H(X_s | X_r)                 [ours]

The means over random sets are sums over gaps ``g = s - r`` of sums over the distributions m_r of
the state at r. The lower one is linear in m_r, so it takes the entropies of the rows of ``T^g E``
only. The upper one is a conditional entropy, which is concave and homogeneous of degree one::

    sum_r F_g(m_r)  <=  F_g(sum_r m_r)  =  n F_g(mean of the n distributions)

so sites may be joined: that keeps it an upper bound, and costs nothing where the distributions are
alike, as they are once the chain has forgotten its start. Sites are joined where there is more work
than `WORK`, those with the nearest distributions first. Gaps are computed until they repeat (see
`theory._markov.powers`), and what longer gaps may differ by is added to the upper bound and
subtracted from the lower one.
"""

from typing import NamedTuple

import numpy as np

from theory._core.arrays import array_namespace, from_host, to_host, xlogx
from theory._core.types import Array
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
"""Multiplications that the upper bound may take before sites are joined: a few seconds."""

LOGARITHM = 100
"""Multiplications that take as long as a logarithm."""

WORKSPACE = 2**22
"""Joint probabilities of pairs held at a time (32 MiB)."""


class Groups(NamedTuple):
    """Sites that are joined.

    Attributes
    ----------
    of_site : (L,) array of int64
        The group of each site, from 0 to `transient` + `period` - 1.
    transient : int
        Number of groups before the state converges; the others are alike within each.
    """

    of_site: np.ndarray
    transient: int


def hidden_bracket(
    initial: Array, transition: Array, emission: Array, length: int
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
    states = [initial]
    for _ in range(length - 1):
        states.append(stochastic(xp.matmul(states[-1][None, :], transition))[0, ...])
    states = xp.stack(states)
    single = to_host(-xp.sum(xlogx(xp.matmul(states, emission)), axis=1))
    first = over_first_sites(single)
    if length == 1:
        return first, first
    rows = converged_powers(
        transition, emission, length - 1, lambda product: -xp.sum(xlogx(product), axis=1)
    )
    gaps = np.arange(1, length, dtype=np.int64)
    # pairs of sites that are taken for pairs at a shorter gap
    repeated = np.where(gaps > rows.computed, length - gaps, 0)
    lower = _given_states(states, rows, gaps)
    lower = np.maximum(lower - repeated * entropy_error(rows.error, emission.shape[1]), 0.0)
    upper = _GivenTokens(states, transition, emission, rows).sums()
    upper = np.minimum(upper, np.cumsum(single[::-1])[-2::-1])  # not more than each site alone
    return first + over_pairs(lower), first + over_pairs(upper)


def _given_states(states: Array, rows: ConvergedPowers, gaps: np.ndarray) -> np.ndarray:
    """``sum_r H(X_{r+g} | Z_r)`` for each gap, on the host."""
    xp = array_namespace(states)
    before = xp.cumulative_sum(states[:-1, :], axis=0)
    entropies = xp.take(rows.values, from_host(rows.entries(gaps), states), axis=0)
    return to_host(xp.sum(xp.flip(before, axis=0) * entropies, axis=1))


class _GivenTokens:
    """``sum_r H(X_{r+g} | X_r)`` over ``r < L - g``, or a bound of it, for one gap after another.

    From gap to gap the last site leaves its group. While gaps differ all groups are computed;
    afterwards only those that have lost a site, and a group of sites that are alike is in
    proportion to their number.
    """

    def __init__(
        self, states: Array, transition: Array, emission: Array, rows: ConvergedPowers
    ) -> None:
        self.states, self.transition, self.emission, self.rows = states, transition, emission, rows
        self.length, self.tokens = states.shape[0], emission.shape[1]
        each = rows.computed * self.tokens**2 * (states.shape[1] + LOGARITHM)
        self.groups = groups = _grouped(states, rows.period, max(1, WORK // each))
        count = int(groups.of_site.max()) + 1
        self.last = np.full(count, -1)  # the last site of each group that is still in it
        self.before = np.full(self.length, -1)  # the one before each site in its group
        sums: list[Array] = []
        for site, group in enumerate(groups.of_site.tolist()):
            previous = int(self.last[group])
            self.before[site], self.last[group] = previous, site
            state = states[site, :]
            sums.append(state if previous < 0 else sums[previous] + state)
        self.through = array_namespace(states).stack(sums)  # sum over its group, up to each site

    def _leave(self, site: int) -> int:
        """Take a site out of its group."""
        group = int(self.groups.of_site[site])
        self.last[group] = self.before[site]
        return group

    def _entropies(self, groups: np.ndarray, product: Array) -> np.ndarray:
        """Conditional entropies of some groups, given ``T^g E``, on the host."""
        xp = array_namespace(self.states)
        columns = xp.matrix_transpose(self.emission)
        most = max(1, WORKSPACE // (self.tokens * max(self.tokens, self.states.shape[1])))
        found = []
        for start in range(0, len(groups), most):
            chosen = from_host(self.last[groups[start : start + most]], self.states)
            state = xp.take(self.through, chosen, axis=0)
            first = xp.reshape(state[:, None, :] * columns[None, ...], (-1, columns.shape[1]))
            joint = xp.reshape(xp.matmul(first, product), (state.shape[0], -1))
            known = xp.matmul(state, self.emission)
            found.append(xp.sum(xlogx(known), axis=1) - xp.sum(xlogx(joint), axis=1))
        return to_host(xp.concat(found)) if found else np.zeros(0)

    def sums(self) -> np.ndarray:
        """One number for each gap 1, 2, ..., on the host."""
        xp, rows = array_namespace(self.states), self.rows
        product, period, entropies = self.emission, [], []
        for gap in range(1, rows.computed + 1):
            product = stochastic(xp.matmul(self.transition, product))
            if gap > rows.computed - rows.period:
                period.append(product)
            self._leave(self.length - gap)
            entropies.append(float(self._entropies(np.flatnonzero(self.last >= 0), product).sum()))
        if rows.computed < self.length - 1:
            entropies += self._repeated(period)
        return np.asarray(entropies)

    def _repeated(self, period: list[Array]) -> list[float]:
        """The same for gaps that repeat, with the error of taking them for equal."""
        here, transient = np.flatnonzero(self.last >= 0), self.groups.transient
        values = np.zeros((len(period), len(self.last)))
        for n, product in enumerate(period):
            values[n, here] = self._entropies(here, product)
        sizes = np.bincount(
            self.groups.of_site[: self.length - self.rows.computed], minlength=len(self.last)
        )
        per_site = values[:, transient:] / np.maximum(sizes[transient:], 1)
        error = entropy_error(self.rows.error, self.tokens)
        error += conditional_entropy_error(CONVERGED_TOL, self.tokens)
        stale = np.zeros(values.shape, dtype=bool)
        entropies = []
        for gap in range(self.rows.computed + 1, self.length):
            group, n = self._leave(self.length - gap), (gap - self.rows.computed - 1) % len(period)
            sizes[group] -= 1
            stale[:, group] = group < transient
            again = np.flatnonzero(stale[n])
            values[n, again] = 0.0
            again = again[self.last[again] >= 0]
            values[n, again] = self._entropies(again, period[n])
            stale[n] = False
            alike = float((per_site[n] * sizes[transient:]).sum())
            total = float(values[n, :transient].sum()) + alike
            entropies.append(total + (self.length - gap) * error)
        return entropies


def _grouped(states: Array, period: int, most: int) -> Groups:
    """Join sites: about `most` groups before the state converges, one for each phase after."""
    xp, length = array_namespace(states), states.shape[0]
    if period > most:
        period = 1
    site = np.arange(length, dtype=np.int64)
    final = length - period + (site - length) % period  # the last site of the same phase
    distance = _total_variation(states, xp.take(states, from_host(final, states), axis=0))
    moving = np.flatnonzero(distance > CONVERGED_TOL / 2)
    converged = int(moving[-1]) + 1 if moving.size else 0
    of_site, transient = site.copy(), converged
    if converged > most:
        order = np.argsort(site[:converged] % period, kind="stable")
        here = xp.take(states, from_host(order, states), axis=0)
        steps = _total_variation(here[1:, :], here[:-1, :]) + 1 / length**2
        walked = np.concatenate([[0.0], np.cumsum(steps)])
        part = np.minimum((walked / walked[-1] * most).astype(np.int64), most - 1)
        parts, which = np.unique(part, return_inverse=True)
        of_site[order], transient = which.reshape(-1), len(parts)
    of_site[converged:] = transient + site[converged:] % period
    return Groups(of_site, transient)


def _total_variation(x: Array, y: Array) -> np.ndarray:
    """Total variation between the rows of x and of y, on the host."""
    xp = array_namespace(x)
    return to_host(xp.sum(xp.abs(x - y), axis=1)) / 2
