"""Exchangeable bits: the order of the sites does not matter, only the number of ones does.

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
from theory._core.special import log_factorials, log_sum_exp
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
        self, count_weights: Any, exact: bool = False, symbols: Sequence[str] | None = None
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
        cls, log_count_weights: Any, symbols: Sequence[str] | None = None
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

    def _set_logarithms(self, log_weights: Any) -> None:
        xp = array_namespace(log_weights)
        self._log_factorials = from_host(log_factorials(self.length), log_weights)
        self._conditioned: tuple[tuple[int, int], Exchangeable] | None = None
        log_weights = log_weights - xp.max(log_weights)  # beside which a sum keeps its digits
        self._log_counts = log_weights - log_sum_exp(log_weights)
        every = self._log_factorials
        self._log_sequences = self._log_counts - (every[-1] - every - xp.flip(every))

    def _set_exact(self, weights: Weights) -> None:
        self.weights = weights
        sequences = exact_numbers.ratio(weights.values, _binomials(self.length))
        denominator = 1
        if exact_numbers.all_rational(sequences):
            sequences, denominator = exact_numbers.over_common_denominator(sequences)
        self._sequences = sequences.astype(object)  # their sums may not fit in int64
        self._total = denominator * weights.total
        self._sums: dict[tuple[int, int], Any] = {}

    @property
    def like(self) -> Any:
        return self._sequences if self.exact else self._log_sequences

    @cached_property
    def count_weights(self) -> Any:
        """Probabilities of 0..L ones, shape (L+1,).

        >>> Exchangeable([1, 3]).count_weights.round(12)
        array([0.25, 0.75])
        """
        if self.exact:
            return read_only(exact_numbers.ratio(*self.weights))
        return read_only(array_namespace(self._log_counts).exp(self._log_counts))

    # ---- prediction ---------------------------------------------------------------------

    def _predict(self, x: Any) -> tuple[Any, Any]:
        zeros, ones = _observed(x)
        if self.exact:
            pairs = [
                (self._sum(z + 1, o), self._sum(z, o + 1))
                for z, o in zip(zeros.tolist(), ones.tolist(), strict=True)
            ]
            here = self._exact_sums(x)
            shares = exact_numbers.ratio(np.asarray(pairs, dtype=object), here[:, None])
            return np.broadcast_to(shares[:, None, :], (*x.shape, 2)), here != 0
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

    def _log_evidence(self, x: Any) -> Any:
        return log(self._evidence(x)) if self.exact else log_sum_exp(self._log_terms(*_observed(x)))

    def _evidence(self, x: Any) -> Any:
        if self.exact:
            return exact_numbers.ratio(self._exact_sums(x), self._total)
        return super()._evidence(x)

    def _log_terms(self, zeros: Any, ones: Any) -> Any:
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
        arrangements = (
            _gather(self._log_factorials, masked)
            - self._log_factorials
            - _gather(self._log_factorials, rest)
        )
        terms = _gather(self._log_sequences, total) + arrangements
        return xp.where(fits, terms, xp.full_like(terms, -math.inf))

    def _exact_sums(self, x: Any) -> np.ndarray:
        """Evidence of patterns (B, L), times the total."""
        zeros, ones = _observed(x)
        counts = zip(zeros.tolist(), ones.tolist(), strict=True)
        sums = np.empty(x.shape[0], dtype=object)
        sums[:] = [self._sum(z, o) for z, o in counts]
        return sums

    def _sum(self, zeros: int, ones: int) -> Any:
        """Evidence of a pattern with so many zeros and ones, times the total."""
        if (zeros, ones) not in self._sums:
            masked = self.length - zeros - ones
            terms = (math.comb(masked, r) * self._sequences[ones + r] for r in range(masked + 1))
            self._sums[zeros, ones] = sum(terms)
        return self._sums[zeros, ones]

    # ---- samples and tables -------------------------------------------------------------

    @within_memory("a sample")
    def sample(self, rng: np.random.Generator, size: int) -> Any:
        """Draw sequences, shape (size, L): the number of ones, then their places."""
        size = check_draw(rng, size)
        counts = as_floats(self.count_weights) if self.exact else self.count_weights
        xp = array_namespace(counts)
        ones = draw_tokens(rng, xp.broadcast_to(counts[None, :], (size, self.length + 1)))
        keys = from_host(rng.random((size, self.length)), counts)
        rank = xp.argsort(xp.argsort(keys, axis=1), axis=1)
        return xp.astype(rank < ones[:, None], xp.int64)

    def table(self) -> Any:
        sequences = self.assignments(tuple(range(self.length)))
        xp = array_namespace(self.like)
        ones = xp.sum(sequences, axis=1)
        if self.exact:
            chances = exact_numbers.ratio(self._sequences, self._total)
        else:
            chances = xp.exp(self._log_sequences)
        return read_only(xp.reshape(xp.take(chances, ones), (2,) * self.length))

    # ---- entropies ----------------------------------------------------------------------

    def subset_entropy(self, sites: tuple[int, ...], given: Any = None) -> Any:
        """Entropy in nats of a set of sites: only its size matters, no table.

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
        return self._masked(zeros, ones).mean_entropies[size]

    def _masked(self, zeros: int, ones: int) -> "Exchangeable":
        """The masked sites, of which there are some, given so many zeros and ones."""
        if zeros + ones == 0:
            return self
        if self._conditioned is None or self._conditioned[0] != (zeros, ones):  # the last is kept
            xp, place = array_namespace(self.like), device(self.like)
            seen = (xp.asarray([n], dtype=xp.int64, device=place) for n in (zeros, ones))
            terms = self._log_terms(*seen)[0, : self.length - zeros - ones + 1]
            self._conditioned = (zeros, ones), Exchangeable.from_logarithms(terms)
        return self._conditioned[1]

    def mean_subset_entropies(self) -> Any:
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


def _exact_entropy(row: np.ndarray) -> Any:
    """Entropy in nats from weights of one sequence with 0..m ones, shape (m+1,)."""
    arrangements = _binomials(row.shape[0] - 1)
    total = (arrangements * row).sum()
    whole = xlogx(np.asarray([total], dtype=object))[0]
    negative = (arrangements * xlogx(row)).sum()
    return exact_numbers.ratio(np.asarray(whole - negative, dtype=object), total).item()


def _length(weights: Any) -> int:
    """One less than the number of weights."""
    if weights.ndim != 1 or weights.shape[0] < 2:
        raise InvalidInput(
            f"weights of 0..L ones have shape (L+1,) with L at least 1, got {tuple(weights.shape)}"
        )
    return weights.shape[0] - 1


def _observed(x: Any) -> tuple[Any, Any]:
    """How many zeros and how many ones each pattern shows, (B,) each."""
    xp = array_namespace(x)
    zeros, ones = (xp.sum(xp.astype(x == v, xp.int64), axis=1) for v in (0, 1))
    return zeros, ones


def _gather(values: Any, index: Any) -> Any:
    """Entries (L+1,) at an index of any shape."""
    xp = array_namespace(values)
    return xp.reshape(xp.take(values, xp.reshape(index, (-1,))), index.shape)


def _binomials(n: int) -> np.ndarray:
    return np.asarray([math.comb(n, k) for k in range(n + 1)], dtype=object)
