"""Exchangeable bits: sequences whose probability depends only on their number of ones.

Where n ones out of L sites have probability ``P(n)``, a sequence with n ones has probability
``P(n) / C(L, n)``. Patterns with `o` ones, `z` zeros and ``R = L - o - z`` masks have evidence

    sum_r C(R, r) P(o + r) / C(L, o + r)

over the number r of ones at the masked sites. The terms, normalised, are the posterior of r, and
every masked site is a one with probability ``E[r] / R``. Floats are summed as logarithms, so a
term is lost only beside one that is 1e308 times as large, and is ``-inf`` only if it is zero.

Leaving out the last of m + 1 sites, which is a zero or a one, thins the number of ones:

    P_m(k) = P_{m+1}(k) (m + 1 - k) / (m + 1) + P_{m+1}(k + 1) (k + 1) / (m + 1)

The shares of the two terms are the predictions of the site left out given the m others, and their
mean entropy is ``H_{m+1} - H_m``: all entropies in O(L^2) steps, without cancellation. In exact
arithmetic the step is a sum of two neighbours, as the probability of one sequence is that of its
two continuations, and ``H_m = - sum_k C(m, k) q_m(k) log q_m(k)``. [ours, textbook]
"""

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from theory._core import exact as exact_numbers
from theory._core.arrays import (
    MASK,
    array_namespace,
    as_array,
    device,
    from_host,
    log,
    read_only,
    softmax,
    to_host,
    within_memory,
    xlogx,
)
from theory._core.segments import gather, row_counts
from theory._core.special import log_binomials, log_factorials, log_sum_exp
from theory._core.types import Array, ArrayLike, Number
from theory.distributions.base import Distribution
from theory.distributions.sampling import as_floats, check_draw, draw_tokens
from theory.errors import InvalidInput
from theory.validation.arguments import as_numbers
from theory.validation.probabilities import Weights, as_weights

__all__ = ["Exchangeable"]


class Exchangeable(Distribution):
    """Bits whose number of ones has given weights; all arrangements of them are equally likely.

    Parameters
    ----------
    count_weights : array_like, shape (L+1,)
        Non-negative weights of 0..L ones, normalised here. See `from_logarithms` for weights
        beyond the range of floats.
    exact : bool
        Keep integers, Fractions or SymPy expressions exact.
    symbols : sequence of str, optional

    Raises
    ------
    InvalidInput
        If the weights are not a row of at least two, negative, not finite, all zero, or floats
        with ``exact=True``.

    Examples
    --------
    One or two ones among three sites, equally likely. After a one, the other sites hold none
    (weight ``1/2 * 1/3``) or one (weight ``1/2 * 2/3``):

    >>> from theory import MASK
    >>> p = Exchangeable([0, 1, 1, 0], exact=True)
    >>> p.denoise([1, MASK, MASK])[1].tolist()
    [Fraction(2, 3), Fraction(1, 3)]
    >>> p.evidence([[1, 1, MASK], [1, 1, 1]]).tolist()
    [Fraction(1, 6), Fraction(0, 1)]
    """

    @within_memory("an exchangeable distribution")
    def __init__(
        self, count_weights: ArrayLike, exact: bool = False, symbols: Sequence[str] | None = None
    ) -> None:
        weights = as_weights(count_weights, "count_weights", exact=exact)
        self.exact = exact
        self._describe(_length(weights.values), 2, symbols)
        if exact:
            self._set_exact(weights)
        else:  # as given: dividing by the total could lose the smallest
            self._set_logarithms(log(as_numbers(count_weights, "count_weights")))

    @classmethod
    def from_logarithms(
        cls, log_count_weights: ArrayLike, symbols: Sequence[str] | None = None
    ) -> "Exchangeable":
        """Build the distribution from logarithms of the weights; ``-inf`` where a weight is 0.

        Parameters
        ----------
        log_count_weights : array_like, shape (L+1,)
        symbols : sequence of str, optional

        >>> p = Exchangeable.from_logarithms([-2000.0, -2000.0, -math.inf])
        >>> p.evidence([0, 0]).round(12).tolist()
        0.5
        """
        x = as_array(log_count_weights, "log_count_weights must be a row of numbers")
        xp = array_namespace(x)
        if x.dtype == object or not xp.isdtype(x.dtype, ("integral", "real floating")):
            raise InvalidInput(f"log_count_weights must hold real numbers, got {x.dtype}")
        x = xp.astype(x, xp.float64)
        p = cls.__new__(cls)
        p._describe(_length(x), 2, symbols)
        top = float(xp.max(x))  # nan if any is nan
        if not math.isfinite(top):
            raise InvalidInput(
                f"log_count_weights must be finite or -inf, and one must be finite: "
                f"their maximum is {top}"
            )
        p._set_logarithms(x)
        return p

    def _set_logarithms(self, log_weights: Array) -> None:
        xp = array_namespace(log_weights)
        self._log_factorials = from_host(log_factorials(self.length), log_weights)
        self._last_given: tuple[tuple[int, int], Exchangeable] | None = None
        log_weights = log_weights - xp.max(log_weights)  # beside which a sum keeps its digits
        self._log_counts = log_weights - log_sum_exp(log_weights)
        self._log_sequences = self._log_counts - from_host(log_binomials(self.length), log_weights)

    def _set_exact(self, weights: Weights) -> None:
        self.weights = weights
        sequences = exact_numbers.ratio(weights.values, _binomials(self.length))
        denominator = 1
        if exact_numbers.all_rational(sequences):
            sequences, denominator = exact_numbers.over_common_denominator(sequences)
        self._sequences = sequences.astype(object)  # their sums may not fit in int64
        self._total = denominator * weights.total
        self._evidence_of: dict[tuple[int, int], Any] = {}

    @property
    def like(self) -> Array:
        return self._sequences if self.exact else self._log_sequences

    @cached_property
    def count_weights(self) -> Array:
        """Probabilities of 0..L ones, shape (L+1,).

        >>> Exchangeable([1, 3]).count_weights.round(12)
        array([0.25, 0.75])
        """
        if self.exact:
            return read_only(exact_numbers.ratio(*self.weights))
        return read_only(array_namespace(self._log_counts).exp(self._log_counts))

    # ---- prediction ---------------------------------------------------------------------

    def _predict(self, x: Array) -> tuple[Array, Array]:
        zeros, ones = row_counts(x == 0), row_counts(x == 1)
        if self.exact:
            next_site = [self._exact_sums(zeros + 1, ones), self._exact_sums(zeros, ones + 1)]
            evidence = self._exact_sums(zeros, ones)
            shares = exact_numbers.ratio(np.stack(next_site, axis=1), evidence[:, None])
            return np.broadcast_to(shares[:, None, :], (*x.shape, 2)), evidence != 0
        terms = self._log_terms(zeros, ones)
        xp = array_namespace(terms)
        posterior = softmax(terms)
        number = xp.arange(self.length + 1, dtype=posterior.dtype, device=device(posterior))
        masked = xp.astype(self.length - zeros - ones, posterior.dtype)
        # each from its own sum: one minus the other would lose the smaller
        one = xp.matmul(posterior, number)
        zero = xp.sum(posterior * xp.maximum(masked[:, None] - number, number * 0), axis=1)
        shares = xp.stack([zero, one], axis=1) / xp.maximum(masked, xp.ones_like(masked))[:, None]
        predictions = xp.broadcast_to(shares[:, None, :], (*x.shape, 2))
        return predictions, xp.any(xp.isfinite(terms), axis=1)

    def _log_evidence(self, x: Array) -> Array:
        if self.exact:
            return log(self._evidence(x))
        return log_sum_exp(self._log_terms(row_counts(x == 0), row_counts(x == 1)))

    def _evidence(self, x: Array) -> Array:
        if self.exact:
            sums = self._exact_sums(row_counts(x == 0), row_counts(x == 1))
            return exact_numbers.ratio(sums, self._total)
        return super()._evidence(x)

    def _log_terms(self, zeros: Array, ones: Array) -> Array:
        """Logarithms of the probabilities of 0..L ones at masked sites and the evidence (B, L+1).

        ``-inf`` where there are fewer masked sites.
        """
        xp = array_namespace(zeros)
        number = xp.arange(self.length + 1, dtype=xp.int64, device=device(zeros))
        masked = (self.length - zeros - ones)[:, None]
        rest = masked - number
        fits = rest >= 0
        total = xp.minimum(ones[:, None] + number, xp.full_like(rest, self.length))
        rest = xp.where(fits, rest, xp.zeros_like(rest))
        factorials = self._log_factorials
        arrangements = gather(factorials, masked) - factorials - gather(factorials, rest)
        terms = gather(self._log_sequences, total) + arrangements
        return xp.where(fits, terms, xp.full_like(terms, -math.inf))

    def _exact_sums(self, zeros: np.ndarray, ones: np.ndarray) -> np.ndarray:
        """Evidence of patterns with so many zeros and ones (B,), times the total."""
        pairs = list(zip(zeros.tolist(), ones.tolist(), strict=True))
        for z, o in set(pairs) - self._evidence_of.keys():
            masked = self.length - z - o
            terms = (math.comb(masked, r) * self._sequences[o + r] for r in range(masked + 1))
            self._evidence_of[z, o] = sum(terms)
        return np.asarray([self._evidence_of[pair] for pair in pairs], dtype=object)

    # ---- samples and tables -------------------------------------------------------------

    @within_memory("a sample")
    def sample(self, rng: np.random.Generator, size: int) -> Array:
        """Draw sequences, shape (size, L): the number of ones, then their sites."""
        size = check_draw(rng, size)
        counts = as_floats(self.count_weights)
        xp = array_namespace(counts)
        ones = draw_tokens(rng, xp.broadcast_to(counts[None, :], (size, self.length + 1)))
        keys = from_host(rng.random((size, self.length)), counts)
        rank = xp.argsort(xp.argsort(keys, axis=1), axis=1)
        return xp.astype(rank < ones[:, None], xp.int64)

    def table(self) -> Array:
        sequences = self.assignments(tuple(range(self.length)))
        xp = array_namespace(self.like)
        ones = xp.sum(sequences, axis=1)
        if self.exact:
            probabilities = exact_numbers.ratio(self._sequences, self._total)
        else:
            probabilities = xp.exp(self._log_sequences)
        return read_only(xp.reshape(xp.take(probabilities, ones), (2,) * self.length))

    # ---- entropies ----------------------------------------------------------------------

    def subset_entropy(self, sites: tuple[int, ...], given: Array | None = None) -> Number:
        """Entropy in nats of a set of sites, which depends only on their number; no table.

        Given a pattern the masked sites stay exchangeable. O(L^2) steps.
        """
        tokens = [MASK] * self.length if given is None else to_host(given).tolist()
        size = sum(tokens[site] == MASK for site in sites)
        zeros, ones = tokens.count(0), tokens.count(1)
        if self.exact:
            masked = self.length - zeros - ones
            row = self._sequences[ones : ones + masked + 1]
            for _ in range(masked - size):
                row = _without_one_site(row)
            return _exact_entropy(row)
        if size == 0:
            return 0 * self._log_factorials[0]
        return self.masked_given(zeros, ones).mean_entropies[size]

    def masked_given(self, zeros: int, ones: int) -> "Exchangeable":
        """The masked sites, of which there are some, given so many zeros and ones.

        >>> Exchangeable([0, 1, 1, 0], exact=True).masked_given(0, 1).count_weights.tolist()
        [Fraction(1, 3), Fraction(2, 3), Fraction(0, 1)]
        """
        if zeros + ones == 0:
            return self
        if self.exact:
            row = self._sequences[ones : self.length + 1 - zeros]
            return Exchangeable(_binomials(self.length - zeros - ones) * row, exact=True)
        if self._last_given is None or self._last_given[0] != (zeros, ones):
            counts = (from_host(np.asarray([n], np.int64), self.like) for n in (zeros, ones))
            terms = self._log_terms(*counts)[0, : self.length - zeros - ones + 1]
            self._last_given = (zeros, ones), Exchangeable.from_logarithms(terms)
        return self._last_given[1]

    def mean_subset_entropies(self) -> Array:
        """Entropy in nats of k sites, k = 0..L, in O(L^2) steps; no table."""
        if self.exact:
            row, entropies = self._sequences, []
            for _ in range(self.length + 1):
                entropies.append(_exact_entropy(row))
                row = _without_one_site(row)
            return np.asarray(entropies[::-1], dtype=object)
        xp = array_namespace(self.like)
        number = xp.arange(self.length + 1, dtype=xp.float64, device=device(self.like))
        row, steps = self.count_weights, []
        for m in range(self.length, 0, -1):
            share = number[1 : m + 1] / m
            zero, one = row[:-1] * xp.flip(share), row[1:] * share
            row = zero + one
            some = xp.where(row > 0, row, xp.ones_like(row))
            steps.append(-xp.sum(row * (xlogx(zero / some) + xlogx(one / some))))
            row = row / xp.sum(row)  # no drift from rounding
        return xp.concat([0 * number[:1], xp.cumulative_sum(xp.stack(steps[::-1]))])


def _without_one_site(row: np.ndarray) -> np.ndarray:
    """From weights of one sequence with 0..m ones, those of one with 0..m-1 at one site less."""
    return row[:-1] + row[1:]


def _exact_entropy(row: np.ndarray) -> Number:
    """Entropy in nats from weights of one sequence with 0..m ones, shape (m+1,)."""
    arrangements = _binomials(row.shape[0] - 1)
    total = (arrangements * row).sum()
    whole = xlogx(np.asarray([total], dtype=object))[0]
    negative = (arrangements * xlogx(row)).sum()
    return exact_numbers.ratio(np.asarray(whole - negative, dtype=object), total).item()


def _length(weights: Array) -> int:
    """Number of sites: one less than the number of weights."""
    if weights.ndim != 1 or weights.shape[0] < 2:
        raise InvalidInput(
            f"weights of 0..L ones have shape (L+1,) with L at least 1, got {tuple(weights.shape)}"
        )
    return weights.shape[0] - 1


def _binomials(n: int) -> np.ndarray:
    return np.asarray([math.comb(n, k) for k in range(n + 1)], dtype=object)
