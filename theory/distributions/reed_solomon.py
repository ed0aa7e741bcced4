"""Uniform distributions over the words of Reed-Solomon codes, in closed form, at any length.

A word holds the values ``f(0), f(1), ...`` of a polynomial f with fewer than k coefficients in
GF(q); at a site q it holds the last coefficient, the value "at infinity". Any k sites determine the
others (Lagrange), and fewer say nothing of them, so k observed sites predict the word and fewer
leave every token equally likely: ``H(S) = min(|S|, k) log q`` for every set of sites S, and the
profile falls once, from ``log q`` to 0 after k sites.
(Reed and Solomon 1960, extended by a site or two; from memory.)

Where there are more sites than the q + 1 points of the projective line, one coefficient is repeated
at every site (k = 1), or the tokens of a word add up to 0 (k = L - 1): these codes predict alike
over every field.
"""

import math
from collections.abc import Iterator
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from theory._core.arrays import MASK, log, read_only, require_memory, within_memory
from theory._core.finite_fields import finite_field, next_prime_power
from theory._core.log_numbers import logarithm
from theory._core.segments import row_counts
from theory._core.types import Array, Number
from theory.distributions.base import Distribution
from theory.distributions.sampling import check_draw
from theory.errors import InvalidInput
from theory.lattice.codes import digits
from theory.lattice.lattice import quotient
from theory.validation.arguments import as_integer

__all__ = ["ReedSolomon", "smallest_field"]


class ReedSolomon(Distribution):
    """All words of a code of which any `dimension` sites determine the others. On the host.

    Parameters
    ----------
    length : int
        At most ``field + 1``, unless the dimension is 0, 1, ``length - 1`` or ``length``.
    dimension : int
        0 to ``length``.
    field : int
        Number of tokens, a prime power.
    exact : bool
        Answer in Fractions, and in the logarithms of primes.

    Attributes
    ----------
    dimension : int
    field : FiniteField
        How tokens are added and multiplied.

    Raises
    ------
    InvalidInput
    TooLarge
        If the field has more than 1024 elements.

    Examples
    --------
    Values of a line at 0, 1, 2, 3, 4 modulo 5; through 1 at site 0 and 3 at site 1 it is 1 + 2x:

    >>> from theory import MASK
    >>> p = ReedSolomon(5, 2, 5, exact=True)
    >>> p.denoise([1, 3, MASK, MASK, MASK]).argmax(axis=1).tolist()
    [1, 3, 0, 2, 4]
    >>> p.evidence([[1, 3, MASK, MASK, MASK], [1, 3, 0, 0, MASK]]).tolist()
    [Fraction(1, 25), Fraction(0, 1)]
    """

    def __init__(self, length: int, dimension: int, field: int, exact: bool = False) -> None:
        length = as_integer(length, "length", 1)
        dimension = as_integer(dimension, "dimension", 0)
        size = as_integer(field, "field", 2)
        if dimension > length:
            raise InvalidInput(f"dimension must be at most the length {length}, got {dimension}")
        least = smallest_field(length, dimension)
        if size < min(least, length - 1):
            raise InvalidInput(
                f"a Reed-Solomon code of length {length} and dimension {dimension} needs a field "
                f"of at least {length - 1} elements, such as {least}, got {size}"
            )
        self.field = finite_field(size)
        self.dimension, self.exact = dimension, exact
        self._describe(length, size, None)
        self._log_size = np.log(np.asarray([size], dtype=np.float64))

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]}, dimension {self.dimension}>"

    @property
    def like(self) -> Array:
        return np.asarray([], dtype=object) if self.exact else self._log_size

    # ---- the code -----------------------------------------------------------------------

    def _words(self, sites: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """The words (N, L) that have tokens (N, k) at k sites."""
        words = np.empty((len(tokens), self.length), dtype=np.int64)
        others = np.setdiff1d(np.arange(self.length), sites)
        words[:, sites] = tokens
        words[:, others] = self.field.matmul(tokens, self._coefficients(sites, others).T)
        return words

    def _coefficients(self, sites: np.ndarray, others: np.ndarray) -> np.ndarray:
        """By what to multiply the tokens at k sites for those at others, shape (L-k, k)."""
        field = self.field
        if self.length > self.vocab + 1:
            one = 1 if self.dimension <= 1 else field.negative[1]
            return np.full((others.size, sites.size), one, dtype=np.int64)
        logarithms = self._log_differences[:, sites]
        above = logarithms[others].sum(axis=1, keepdims=True) - logarithms[others]
        below = logarithms[sites].sum(axis=1)
        return field.powers[(above - below) % len(field.powers)]

    @cached_property
    def _log_differences(self) -> np.ndarray:
        """Logarithms of the differences of the points of all sites, shape (L, L); 0 at a site.

        For points (x, y) and (u, v) of the projective line the difference is x v - y u; the finite
        ones are (x, 1), and the last is (1, 0).
        """
        field, length = self.field, self.length
        points = np.arange(length, dtype=np.int64) % self.vocab
        differences = field.addition[points[:, None], field.negative[points][None, :]]
        if length == self.vocab + 1:
            differences[-1, :], differences[:, -1] = 1, field.negative[1]
            differences[-1, -1] = 0
        return field.logarithms[differences]

    def _completed(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The words that patterns determine, or the patterns, and which are possible (B,)."""
        words, possible = x.copy(), np.ones(x.shape[0], dtype=bool)
        for rows, sites in self._same_sites(x):
            if sites.size >= self.dimension:
                first, tokens = sites[: self.dimension], x[rows]
                words[rows] = self._words(first, tokens[:, first])
                possible[rows] = (words[rows][:, sites] == tokens[:, sites]).all(axis=1)
        return words, possible

    def _same_sites(self, x: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Rows that observe the same sites, and these sites."""
        kinds, kind = np.unique(x != MASK, axis=0, return_inverse=True)
        for number, observed in enumerate(kinds):
            yield np.flatnonzero(kind.reshape(-1) == number), np.flatnonzero(observed)

    # ---- prediction ---------------------------------------------------------------------

    def _predict(self, x: Array) -> tuple[Array, Array]:
        words, possible = self._completed(x)
        tokens = np.arange(self.vocab, dtype=np.int64)
        shares = (words[..., None] == tokens) | (words == MASK)[..., None]
        counts = np.where(words == MASK, self.vocab, 1)[..., None]
        kind = np.int64 if self.exact else np.float64
        return quotient(shares.astype(kind), counts.astype(kind)), possible

    def _evidence(self, x: Array) -> Array:
        if not self.exact:
            return super()._evidence(x)
        pairs = zip(self._completed(x)[1].tolist(), self._known(x).tolist(), strict=True)
        evidence = [Fraction(int(possible), self.vocab**known) for possible, known in pairs]
        return np.asarray(evidence, dtype=object)

    def _log_evidence(self, x: Array) -> Array:
        if self.exact:
            return log(self._evidence(x))
        logarithm = -self._known(x) * self._log_size
        return np.where(self._completed(x)[1], logarithm, -math.inf)

    def _known(self, x: np.ndarray) -> np.ndarray:
        """How many observed sites are independent, (B,)."""
        return np.minimum(row_counts(x != MASK), self.dimension)

    # ---- samples, tables, entropies -----------------------------------------------------

    @within_memory("a sample")
    def sample(self, rng: np.random.Generator, size: int) -> Array:
        """Draw words, shape (size, L): tokens at the first k sites, and what they determine."""
        size, k = check_draw(rng, size), self.dimension
        return self._words(np.arange(k, dtype=np.int64), rng.integers(0, self.vocab, (size, k)))

    def table(self) -> Array:
        shape, k = (self.vocab,) * self.length, self.dimension
        require_memory(self.vocab**self.length, f"the table of shape ({self.vocab},)*{self.length}")
        table = np.full(shape, Fraction(0)) if self.exact else np.zeros(shape)
        messages = digits(np.arange(self.vocab**k, dtype=np.int64), k, self.vocab)
        words = self._words(np.arange(k, dtype=np.int64), messages)
        count = self.vocab**k
        table[tuple(words.T)] = Fraction(1, count) if self.exact else 1 / count
        return read_only(table)

    def subset_entropy(self, sites: tuple[int, ...], given: Array | None = None) -> Number:
        """Entropy in nats of sites given m others: ``log q`` for each up to k observed ones.

        >>> ReedSolomon(5, 2, 5, exact=True).subset_entropy((0, 1, 4))
        2*log(5)
        """
        observed = np.zeros(self.length, bool) if given is None else given != MASK
        before = int(observed.sum())
        after = before + sum(not observed[site] for site in sites)
        return (min(after, self.dimension) - min(before, self.dimension)) * self._log_token

    def mean_subset_entropies(self) -> Array:
        """Entropy in nats of any j sites, j = 0..L: ``min(j, k) log q``."""
        known = [min(j, self.dimension) for j in range(self.length + 1)]
        entropies = [count * self._log_token for count in known]
        return np.asarray(entropies, dtype=object if self.exact else np.float64)

    @cached_property
    def _log_token(self) -> Any:
        """Entropy in nats of one site."""
        return logarithm(Fraction(self.vocab)) if self.exact else self._log_size[0]


def smallest_field(length: int, dimension: int) -> int:
    """The fewest tokens of a Reed-Solomon code of this length and dimension.

    >>> [smallest_field(8, r) for r in range(9)]
    [2, 2, 7, 7, 7, 7, 7, 2, 2]
    """
    return next_prime_power(length - 1) if 1 < dimension < length - 1 else 2
