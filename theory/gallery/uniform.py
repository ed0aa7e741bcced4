"""Uniform distributions over the sequences that satisfy a rule."""

import itertools
import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from theory._core.arrays import require_memory
from theory._core.special import log_binomials
from theory._core.types import Array, ArrayLike
from theory.distributions.base import Distribution
from theory.distributions.empirical import EmpiricalDistribution
from theory.distributions.exchangeable import Exchangeable
from theory.distributions.table import JointTable

__all__ = ["TABLE_CELLS", "bits", "grown", "require_sequences", "uniform", "uniform_by_ones"]

TABLE_CELLS = 2**20
"""Evidence lattices of uniform distributions have at most so many entries, unless exact."""


def uniform(
    sequences: Iterable[ArrayLike], vocab: int, exact: bool, symbols: Sequence[str] | None = None
) -> Distribution:
    """Equally likely sequences: as a table where it is small or must be exact, else as data.

    >>> uniform([(0, 0), (1, 1)], 2, exact=True).evidence([0, -1])
    Fraction(1, 2)
    """
    rows = np.asarray(list(sequences), dtype=np.int64)
    length = rows.shape[1]
    if not exact and (vocab + 1) ** length > TABLE_CELLS:
        return EmpiricalDistribution(rows, vocab=vocab, symbols=symbols)
    require_memory(vocab**length, f"the table of shape ({vocab},)*{length}")
    table = np.zeros((vocab,) * length, dtype=np.int64)
    table[tuple(rows.T)] = 1
    return JointTable(table, exact=exact, symbols=symbols)


def uniform_by_ones(length: int, counts: range, exact: bool) -> Distribution:
    """All binary strings whose number of ones is in `counts`, equally likely.

    >>> uniform_by_ones(1000, range(1, 2), exact=True).evidence([1, *[0] * 999])
    Fraction(1, 1000)
    """
    if 3**length <= TABLE_CELLS:
        return uniform((b for b in bits(length) if sum(b) in counts), 2, exact)
    if exact:
        weights = [math.comb(length, k) if k in counts else 0 for k in range(length + 1)]
        return Exchangeable(weights, exact=True)
    logarithms = log_binomials(length)
    logarithms[[k not in counts for k in range(length + 1)]] = -np.inf
    return Exchangeable.from_logarithms(logarithms)


def bits(length: int) -> Iterable[tuple[int, ...]]:
    """All binary strings, in order.

    >>> list(bits(2))
    [(0, 0), (0, 1), (1, 0), (1, 1)]
    """
    require_sequences(2**length, length)
    return itertools.product((0, 1), repeat=length)


def grown(length: int, vocab: int, may_follow: Callable[[np.ndarray, int], Array]) -> np.ndarray:
    """All sequences that can be written token by token, shape (N, L).

    Parameters
    ----------
    may_follow : callable
        ``may_follow(rows, v)``: whether token v may follow each of the prefixes (N, i), (N,).

    >>> grown(2, 3, lambda rows, v: (rows < v).all(axis=1)).tolist()    # increasing
    [[0, 1], [0, 2], [1, 2]]
    """
    rows = np.zeros((1, 0), dtype=np.int64)
    for _ in range(length):
        follows = np.stack([may_follow(rows, v) for v in range(vocab)], axis=1)
        row, token = np.nonzero(follows)
        rows = np.column_stack([rows[row], token])
    return rows


def require_sequences(count: int, length: int) -> None:
    """Refuse to list more sequences than fit, as Python objects.

    >>> require_sequences(2**200, 200)
    Traceback (most recent call last):
    ...
    theory.errors.TooLarge: a list of 200-site sequences has 1.61e+60 entries and ...
    """
    require_memory(count, f"a list of {length}-site sequences", itemsize=64 + 8 * length)
