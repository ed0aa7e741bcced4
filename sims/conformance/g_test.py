"""Whether draws come from a stated distribution: a G-test that needs no large counts.

With n draws of which ``c_x`` are the sequence x, and its stated probability ``a_x``,

    G = 2 sum_x c_x log(c_x / (n a_x)),

2n times the divergence of the relative frequencies from the stated distribution. How probable a
G as large is, if the stated distribution is right, is found by drawing from that distribution, so
that cells may be as small as they like. Drawing ends as soon as enough is known: after ten larger
values, or 10 / alpha draws [source: Besag and Clifford 1991, Sequential Monte Carlo p-values].

Where most sequences are rare, G is large by chance, and a sampler that keeps to the likely ones may
have a smaller one. So where some are, those of about the same probability are also tested together.

A G that is much too large has a bound for every n: the moment generating function of G / 2 is
at most that of a gamma distribution with shape k - 1, for k cells that are possible [source:
Agrawal 2020, arXiv 1904.02291]. A bound below a millionth takes the place of the p-value.
"""

import math
from typing import NamedTuple

import numpy as np

__all__ = ["GTest", "Noise", "g_test", "tail_bound"]

NOISE = 300
"""Samples of the stated distribution that the noise of TV is found from."""

ENOUGH = 10
"""So many larger values end the drawing."""

DUE = 5
"""Cells that expect fewer draws are rare."""

GROUPS = 32
"""About so many groups of cells are tested together."""

CERTAIN = 1e-6
"""Bounds below this take the place of the p-value."""

ENTRIES = 2**22
"""Cells of samples that are held at once."""


class Noise(NamedTuple):
    """TV between n draws and the distribution that they come from: its mean and 99 % quantile."""

    mean: float
    quantile: float


class GTest(NamedTuple):
    """A statistic, the probability of one as large by chance, and what TV is by chance."""

    g: float
    p_value: float
    noise: Noise


def g_test(counts: np.ndarray, stated: np.ndarray, alpha: float, rng: np.random.Generator) -> GTest:
    """Test whether counts come from a stated distribution.

    Parameters
    ----------
    counts, stated : ndarray, shape (K,)
        Of each cell the draws, and its probability. A draw of a cell with probability 0 makes
        the p-value 0.
    alpha : float
        The level that the p-value will be compared with, which decides how precise it has to be.
    rng : numpy.random.Generator

    Returns
    -------
    GTest
        If the stated distribution is right, a p-value of at most t has probability at most
        ``t + 2e-6``, for every number of draws.

    >>> rng = np.random.default_rng(0)
    >>> test = g_test(np.asarray([70, 30]), np.asarray([0.5, 0.5]), 1e-3, rng)
    >>> round(test.g, 3)                                   # 140 log 1.4 + 60 log 0.6
    16.457
    >>> test.p_value < 1e-3, round(test.noise.mean, 2)     # a standard deviation is 0.05
    (True, 0.04)
    """
    draws, possible = int(counts.sum()), stated > 0
    chances = stated[possible] / stated.sum()
    impossible = bool(counts[~possible].any())
    g, p_value, noise = _tested(counts[possible], chances, draws, alpha, rng)
    if impossible:
        return GTest(math.inf, 0.0, noise)
    groups = _rare_together(chances, draws)
    if groups is not None:
        due, found = np.bincount(groups, chances), np.bincount(groups, counts[possible])
        also = _tested(found, due, draws, alpha / 2, rng).p_value
        p_value = min(1.0, 2 * p_value, 2 * also)
    return GTest(g, p_value, noise)


def _tested(
    counts: np.ndarray, chances: np.ndarray, draws: int, alpha: float, rng: np.random.Generator
) -> GTest:
    """The test of cells that are all possible."""
    found = float(_statistic(counts[None], chances, draws)[0])
    bound = tail_bound(found, len(chances))
    most = 0 if bound <= CERTAIN else math.ceil(ENOUGH / alpha)
    spread: list[float] = []
    done, larger = 0, np.zeros(0, dtype=np.int64)  # which samples had a value as large
    while done < NOISE or (done < most and len(larger) < ENOUGH):
        size = min(max(NOISE, done), max(1, ENTRIES // len(chances)))
        sample = rng.multinomial(draws, chances, size=size)
        if done < NOISE:
            spread += (np.abs(sample / draws - chances).sum(axis=1) / 2).tolist()
        # Equal counts give equal values but for rounding.
        as_large = _statistic(sample, chances, draws) >= found * (1 - 1e-12) - 1e-9
        larger = np.concatenate([larger, done + np.flatnonzero(as_large)])
        done += size
    noise = Noise(float(np.mean(spread)), float(np.quantile(spread, 0.99)))
    if not most:
        return GTest(found, bound, noise)
    if len(larger) >= ENOUGH:
        return GTest(found, ENOUGH / int(larger[ENOUGH - 1] + 1), noise)
    return GTest(found, (len(larger) + 1) / (done + 1), noise)


def _rare_together(chances: np.ndarray, draws: int) -> np.ndarray | None:
    """The group of each cell, if some are rare: by decreasing chance, of about the same mass.

    None if nothing is rare or there is only one group.

    >>> _rare_together(np.asarray([0.03, 0.85, 0.03, 0.03, 0.03, 0.03]), 100).tolist()
    [1, 0, 1, 2, 2, 2]
    """
    if draws * chances.min() >= DUE:
        return None
    order = np.argsort(-chances, kind="stable")
    due, groups, filled, group = draws * chances[order], [], 0.0, 0
    for expected in due:
        groups.append(group)
        filled += expected
        if filled >= max(DUE, draws / GROUPS):
            group, filled = group + 1, 0.0
    if filled:  # too few for a group of their own
        groups = [min(one, group - 1) for one in groups]
    if groups[-1] < 1:
        return None
    found = np.empty(len(chances), dtype=np.int64)
    found[order] = groups
    return found


def _statistic(counts: np.ndarray, chances: np.ndarray, draws: int) -> np.ndarray:
    """G of samples (N, K)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = counts * np.log(counts / (draws * chances))
    return 2 * np.where(counts > 0, parts, 0.0).sum(axis=1)


def tail_bound(g: float, cells: int) -> float:
    """At most so probable is a G of at least `g` under the stated distribution with k cells.

    ``exp(-g/2) (e g / (2 (k - 1)))^(k - 1)`` where ``g/2 > k - 1``, else 1: Chernoff's bound for
    a gamma distribution with shape k - 1.

    >>> tail_bound(1.0, 2), round(tail_bound(20.0, 2), 6), tail_bound(math.inf, 5)
    (1.0, 0.001234, 0.0)
    """
    half, shape = g / 2, cells - 1
    if math.isinf(half):
        return 0.0
    if half <= shape or half <= 0:
        return 1.0
    return math.exp(shape - half + (shape * math.log(half / shape) if shape else 0.0))
