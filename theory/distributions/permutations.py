"""The uniform distribution over permutations in closed form, at any length.

Given m different tokens at m sites, every order of the ``n - m`` unused tokens is equally likely:
the prediction is uniform over them, and the evidence is ``(n - m)! / n!``.
"""

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from theory._core import exact as exact_numbers
from theory._core.arrays import (
    MASK,
    array_namespace,
    device,
    log,
    read_only,
    require_memory,
    to_host,
    within_memory,
)
from theory._core.log_numbers import LinearForm
from theory._core.segments import row_counts
from theory._core.special import log_factorials
from theory._core.types import Array, Number
from theory.distributions.base import Distribution
from theory.distributions.sampling import check_draw
from theory.lattice.lattice import quotient
from theory.validation.arguments import as_integer

__all__ = ["Permutations"]


class Permutations(Distribution):
    """All orders of n different tokens over n sites, equally likely. On the host.

    Parameters
    ----------
    n : int
    exact : bool
        Answer in Fractions, and in the logarithms of primes.
    symbols : sequence of str, optional

    Examples
    --------
    >>> from theory import MASK
    >>> p = Permutations(4, exact=True)
    >>> p.denoise([2, 0, MASK, MASK])[3].tolist()
    [Fraction(0, 1), Fraction(1, 2), Fraction(0, 1), Fraction(1, 2)]
    >>> p.evidence([[2, 0, MASK, MASK], [2, 2, MASK, MASK]]).tolist()
    [Fraction(1, 12), Fraction(0, 1)]
    """

    def __init__(self, n: int, exact: bool = False, symbols: Sequence[str] | None = None) -> None:
        n = as_integer(n, "n", 1)
        self._describe(n, n, symbols)
        self.exact = exact
        self._log_factorials = log_factorials(n)

    @property
    def like(self) -> Array:
        return np.asarray([], dtype=object) if self.exact else self._log_factorials

    def _predict(self, x: Array) -> tuple[Array, Array]:
        xp = array_namespace(x)
        tokens = xp.arange(self.vocab, dtype=xp.int64, device=device(x))
        unused = xp.astype(~xp.any(x[..., None] == tokens, axis=1), xp.int64)
        left = xp.sum(unused, axis=1, keepdims=True)
        if not self.exact:
            unused, left = xp.astype(unused, xp.float64), xp.astype(left, xp.float64)
        shares = quotient(unused, left)
        return xp.broadcast_to(shares[:, None, :], (*x.shape, self.vocab)), _is_possible(x)

    def _evidence(self, x: Array) -> Array:
        if not self.exact:
            return super()._evidence(x)
        pairs = zip(_is_possible(x).tolist(), row_counts(x != MASK).tolist(), strict=True)
        evidence = [Fraction(int(possible), math.perm(self.length, m)) for possible, m in pairs]
        return np.asarray(evidence, dtype=object)

    def _log_evidence(self, x: Array) -> Array:
        if self.exact:
            return log(self._evidence(x))
        xp = array_namespace(x)
        factorials = self._log_factorials
        logarithm = xp.take(factorials, row_counts(x == MASK)) - factorials[-1]
        return xp.where(_is_possible(x), logarithm, xp.full_like(logarithm, -math.inf))

    @within_memory("a sample")
    def sample(self, rng: np.random.Generator, size: int) -> Array:
        """Draw permutations, shape (size, n), by sorting random numbers."""
        size = check_draw(rng, size)
        return np.argsort(rng.random((size, self.length)), axis=1).astype(np.int64)

    def table(self) -> Array:
        shape = (self.vocab,) * self.length
        require_memory(self.vocab**self.length, f"the table of shape ({self.vocab},)*{self.length}")
        count = math.factorial(self.length)
        table = np.full(shape, Fraction(0)) if self.exact else np.zeros(shape)
        orders = np.asarray(list(itertools.permutations(range(self.length))))
        table[tuple(orders.T)] = Fraction(1, count) if self.exact else 1 / count
        return read_only(table)

    def subset_entropy(self, sites: tuple[int, ...], given: Array | None = None) -> Number:
        """Entropy in nats of k sites given m others: ``log((n - m)! / (n - m - k)!)``.

        >>> Permutations(4, exact=True).subset_entropy((0, 1))    # 12 = 4 * 3 pairs
        log(3) + 2*log(2)
        """
        observed = np.zeros(self.length, bool) if given is None else to_host(given) != MASK
        unused = self.length - int(observed.sum())
        left = unused - sum(not observed[site] for site in sites)
        if not self.exact:
            return self._log_factorials[unused] - self._log_factorials[left]
        return _sum_of_logs(range(left + 1, unused + 1))

    def mean_subset_entropies(self) -> Array:
        """Entropy in nats of k sites, k = 0..n: ``log(n! / (n - k)!)``."""
        if not self.exact:
            return self._log_factorials[-1] - self._log_factorials[::-1]
        n = self.length
        entropies = [_sum_of_logs(range(n - k + 1, n + 1)) for k in range(n + 1)]
        return np.asarray(entropies, dtype=object)


def _is_possible(x: Array) -> Array:
    """Whether the observed tokens of each pattern differ, (B,)."""
    xp = array_namespace(x)
    ordered = xp.sort(x, axis=1)
    repeated = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] != MASK)
    return ~xp.any(repeated, axis=1)


def _sum_of_logs(numbers: range) -> Any:
    """Sum of the logarithms of positive integers, in the logarithms of primes."""
    return sum(exact_numbers.log(np.asarray(numbers, dtype=object)).tolist(), start=LinearForm({}))
