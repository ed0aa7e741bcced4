"""The distribution of the largest entropy with given pair marginals.

    r = argmax { H(r) : r_ij = target_ij for all i < j },

by iterative proportional fitting: the pair marginals are corrected, one after another, starting
from the uniform distribution. Where a value is impossible although all of its pairs are possible,
its probability falls only like one over the number of sweeps: four sites of which exactly one is 1
have pairs that allow all zeros, but they sum to one without it. So if some sweeps are not enough,
the largest support of all distributions with these marginals is found by one linear program,

    max sum_c t_c  such that  A (t + u) = s b,  0 <= t <= 1,  u >= 0,  s >= 1,

with A r = b for the pair marginals, and the fit starts again on the values that have t > 0. On
that support the maximum is positive everywhere, and the error falls geometrically [textbook:
Csiszar; the linear program is ours].
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from sims.joints.base import marginal, scaled

__all__ = ["most_random", "support"]

Pairs = Mapping[tuple[int, int], np.ndarray]

FEW_SWEEPS = 100
"""So many sweeps are tried before the support is computed."""

MAX_SWEEPS = 2000
"""Fitting stops here at the latest."""

CLOSE = 1e-13
"""Fitting stops when no pair marginal is off by more."""

LARGEST_SCALE = 1e6
"""Of the linear program; values that have at most ``POSITIVE / LARGEST_SCALE`` are taken as 0."""

POSITIVE = 1e-3
"""Far above the tolerance of the linear program, 1e-7."""


def most_random(wanted: Pairs, count: int, vocab: int) -> tuple[np.ndarray, float]:
    """Fit the distribution, and say by how much its pair marginals are off.

    Parameters
    ----------
    wanted : mapping of (int, int) to ndarray, shape (V, V)
        The marginals of all pairs ``i < j`` of the sites 0 .. k-1.
    count, vocab : int
        k and V.

    Returns
    -------
    probs : ndarray, shape (V^k,)
    off : float
        The largest error of a pair marginal, 1e-13 or less if the fit has converged.

    >>> half, apart = np.full((2, 2), 0.25), np.asarray([[0, 0.5], [0.5, 0]])
    >>> probs, off = most_random({(0, 1): apart, (0, 2): half, (1, 2): half}, 3, 2)
    >>> probs.tolist()                                    # 01 or 10, then a fair bit
    [0.0, 0.0, 0.25, 0.25, 0.25, 0.25, 0.0, 0.0]
    """
    probs, off = _fit(np.ones((vocab,) * count), wanted, FEW_SWEEPS)
    if off > CLOSE:
        live = probs > 0
        inside = support(wanted, live)
        start = probs if (inside == live).all() else inside.astype(np.float64)
        probs, off = _fit(start, wanted, MAX_SWEEPS)
    return probs.reshape(-1), off


def _fit(probs: np.ndarray, wanted: Pairs, sweeps: int) -> tuple[np.ndarray, float]:
    off = _off(probs, wanted)
    for _ in range(sweeps):
        for pair, target in wanted.items():
            probs = scaled(probs, pair, marginal(probs, *pair), target)
        off = _off(probs, wanted)
        if off <= CLOSE:
            break
    return probs, off


def _off(probs: np.ndarray, wanted: Pairs) -> float:
    return max(float(abs(marginal(probs, *pair) - target).max()) for pair, target in wanted.items())


def support(wanted: Pairs, live: np.ndarray) -> np.ndarray:
    """Find the values that are possible in some distribution with these pair marginals.

    Parameters
    ----------
    wanted : mapping of (int, int) to ndarray, shape (V, V)
    live : ndarray of bool, shape (V, ..., V)
        The values whose pairs are all possible.

    Returns
    -------
    ndarray of bool, shape (V, ..., V)
        `live` itself if the linear program is not solved.

    >>> import itertools
    >>> one = np.asarray([[0.5, 0.25], [0.25, 0]])          # of four bits one is 1
    >>> pairs = dict.fromkeys(itertools.combinations(range(4), 2), one)
    >>> zeros = np.zeros((2,) * 4, dtype=bool)
    >>> for site in range(4):
    ...     zeros[tuple(np.eye(4, dtype=np.int64)[site])] = True
    >>> zeros[0, 0, 0, 0] = True
    >>> np.argwhere(support(pairs, zeros)).tolist()
    [[0, 0, 0, 1], [0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0]]
    """
    from scipy import optimize
    from scipy.sparse import csr_array

    linprog: Any = optimize.linprog  # type checkers would have to infer it from its body

    values = np.argwhere(live)
    size, vocab = len(values), live.shape[0]
    rows, right = [], []
    for k, ((i, j), target) in enumerate(wanted.items()):
        rows.append(k * vocab**2 + values[:, i] * vocab + values[:, j])
        right.append(target.reshape(-1))
    every, column = np.concatenate(rows), np.tile(np.arange(size), len(rows))
    used, row = np.unique(every, return_inverse=True)
    b = np.concatenate(right)[used]
    # the columns are those of t, of u, and of s
    entries = np.concatenate([np.ones(2 * len(row)), -b])
    positions = (
        np.concatenate([row, row, np.arange(len(b))]),
        np.concatenate([column, column + size, np.full(len(b), 2 * size)]),
    )
    matrix = csr_array((entries, positions), shape=(len(b), 2 * size + 1))
    goal = np.concatenate([-np.ones(size), np.zeros(size + 1)])
    bounds = [(0, 1)] * size + [(0, None)] * size + [(1, LARGEST_SCALE)]
    solved = linprog(goal, A_eq=matrix, b_eq=np.zeros(len(b)), bounds=bounds, method="highs")
    inside = live.copy()
    if solved.status == 0:
        inside[live] = solved.x[:size] > POSITIVE
    return inside
