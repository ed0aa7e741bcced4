"""The evidence lattice: the probability of every pattern of observed tokens at once.

Extend every axis of a table ``p`` of shape ``(V,)*L`` by a slot for *masked* and fill it with
the sum along the axis. The result ``Z`` of shape ``(V+1,)*L`` holds ``P(X_S = x_S)`` for every set
``S`` of observed sites and every observation ``x_S``. Dividing two neighbouring entries predicts::

    p(x_i = v | x_S) = Z[x_S, i = v] / Z[x_S]

The entropies of all ``2^L`` subsets take one pass of ``x log x`` over ``Z`` and then, axis after
axis, a sum that folds the V observed slots into one.

The same code serves floats, integers over one common denominator, and SymPy expressions.
"""

import math
from fractions import Fraction
from functools import cached_property

import numpy as np

from theory._core import exact
from theory._core.arrays import (
    MASK,
    array_namespace,
    device,
    is_exact,
    read_only,
    require_memory,
    within_memory,
    xlogx,
)
from theory._core.segments import any_true, gather
from theory._core.types import Array, ArrayLike, Number
from theory.errors import InvalidInput
from theory.lattice.codes import Codes
from theory.lattice.entropy_sums import entropy_sums
from theory.lattice.subset_sums import subset_sums
from theory.validation.arguments import as_integer, as_tokens
from theory.validation.probabilities import Weights, as_unnormalised

__all__ = ["EvidenceLattice"]

LONG_AXIS = 8
"""From this vocabulary on, loops over the tokens of one site pay in NumPy."""


class EvidenceLattice:
    """The table of ``P(X_S = x_S)`` over all evidence patterns.

    Parameters
    ----------
    weights : array_like, shape (V,)*L
        Non-negative weights of the joint table, normalised here. Integers, Fractions and SymPy
        expressions are kept exact; floats become float64.

    Attributes
    ----------
    numerators : array, shape (V+1,)*L
        ``Z`` times ``denominator``. Index ``V`` (or ``MASK``) of an axis is the masked slot.
    denominator : number
        1.0 for floats.
    length : int
    vocab : int

    Raises
    ------
    InvalidInput
        If the weights are not a cube, negative, not finite, or all zero.
    TooLarge
        If the lattice would not fit; the message names its size.

    Notes
    -----
    No term is negative, so relative errors do not grow by cancellation.

    Beside the result, a NumPy lattice of 8 MiB or more takes at most a tenth of it, however many
    threads fill it, and some 100 kB to cast tables of another type.

    Examples
    --------
    Two fair bits that are always equal:

    >>> Z = EvidenceLattice([[1, 0], [0, 1]])
    >>> Z
    <EvidenceLattice: length 2, vocab 2, exact=True>
    >>> Z.numerators
    array([[1, 0, 1],
           [0, 1, 1],
           [1, 1, 2]])
    >>> Z.denoise([0, MASK]).tolist()
    [[Fraction(1, 1), Fraction(0, 1)], [Fraction(1, 1), Fraction(0, 1)]]
    """

    @within_memory("the evidence lattice")
    def __init__(self, weights: ArrayLike) -> None:
        table, total = as_unnormalised(weights, "weights", exact=None)
        if isinstance(total, float):
            self._fill(table, total, 1.0)
        else:
            self._fill(table, None, total)

    @classmethod
    def of(cls, weights: Weights) -> "EvidenceLattice":
        """Build the lattice of weights that have been checked and normalised already."""
        lattice = cls.__new__(cls)
        lattice._fill(weights.values, None, weights.total)
        return lattice

    def _fill(self, table: Array, total: float | None, denominator: Number) -> None:
        if table.ndim == 0 or len(set(table.shape)) > 1:
            raise InvalidInput(f"a joint table has shape (V,)*L, got {tuple(table.shape)}")
        self.length, self.vocab, self.denominator = table.ndim, table.shape[0], denominator
        require_lattice(self.vocab, self.length, table)
        self.numerators = subset_sums(table, total)

    def __repr__(self) -> str:
        exact = ", exact=True" if is_exact(self.numerators) else ""
        return f"<EvidenceLattice: length {self.length}, vocab {self.vocab}{exact}>"

    @cached_property
    def values(self) -> Array:
        """Evidence probabilities, shape (V+1,)*L; Fractions where the table was exact.

        >>> EvidenceLattice([0.25, 0.75]).values
        array([0.25, 0.75, 1.  ])
        """
        if is_exact(self.numerators):
            return read_only(exact.ratio(self.numerators, self.denominator))
        return read_only(self.numerators)

    def evidence(self, x: ArrayLike) -> Array:
        """Probability of each pattern.

        Parameters
        ----------
        x : array_like of int, shape (B, L) or (L,)
            Tokens, with ``MASK`` where nothing is observed.

        Returns
        -------
        array, shape (B,), or a scalar array

        >>> EvidenceLattice([[1, 0], [0, 1]]).evidence([[0, MASK], [0, 1]]).tolist()
        [Fraction(1, 2), Fraction(0, 1)]
        """
        x, single = self._tokens(x)
        found = gather(self._flat, self._codes.encode(x))
        probability = exact.ratio(found, self.denominator) if is_exact(found) else found
        return probability[0] if single else probability

    def denoise(self, x: ArrayLike) -> Array:
        """Zero-loss predictions ``p(x_i = v | observed)``; ``nan`` given impossible evidence.

        Parameters
        ----------
        x : array_like of int, shape (B, L) or (L,)

        Returns
        -------
        array, shape (B, L, V) or (L, V)
            One-hot at observed sites.

        >>> EvidenceLattice([[3, 1], [1, 1]]).denoise([[MASK, 1]]).tolist()
        [[[Fraction(1, 2), Fraction(1, 2)], [Fraction(0, 1), Fraction(1, 1)]]]
        """
        x, single = self._tokens(x)
        predictions, evidence = self.predict(x)
        if any_true(evidence == 0):
            predictions = reveal_observed(x, predictions)
        return predictions[0, ...] if single else predictions

    def predict(self, x: Array) -> tuple[Array, Array]:
        """Predictions and evidence numerators of checked patterns.

        One-hot at observed sites, whose own token gives the pattern itself; ``nan`` everywhere
        given impossible evidence.
        """
        xp = array_namespace(self.numerators)
        codes = self._codes.encode(x)
        evidence = gather(self._flat, codes)
        tokens = xp.arange(self.vocab, dtype=xp.int64, device=device(x))
        possible = (x == MASK)[..., None] | (x[..., None] == tokens)
        found = gather(self._flat, self._codes.neighbours(x, codes))
        zero = found[:1, :1, :1] * 0
        return quotient(xp.where(possible, found, zero), evidence[:, None, None]), evidence

    def conditionals(self, site: int) -> Array:
        """Predictions of one site given every pattern of the others.

        Returns
        -------
        array, shape (V+1,)*site + (V,) + (V+1,)*(L-site-1)
            ``p(x_site = v | pattern)``; ``nan`` where the pattern has probability zero.

        >>> EvidenceLattice([[1, 0], [0, 1]]).conditionals(1).tolist()[2]
        [Fraction(1, 2), Fraction(1, 2)]
        """
        site = as_integer(site, "site", 0)
        if site >= self.length:
            raise InvalidInput(f"site must lie in 0..{self.length - 1}, got {site}")
        before = (slice(None),) * site
        observed = self.numerators[(*before, slice(0, self.vocab), ...)]
        masked = self.numerators[(*before, slice(self.vocab, None), ...)]
        return quotient(observed, masked)

    def subset_entropies(self) -> Array:
        """Entropy ``H(X_S)`` in nats of every set of sites.

        Returns
        -------
        array, shape (2,)*L
            Index 1 on an axis means that the site belongs to ``S``. Exact tables give exact
            expressions in the logarithms of primes.

        >>> EvidenceLattice([[1, 0], [0, 1]]).subset_entropies().tolist()
        [[0, log(2)], [log(2), log(2)]]
        """
        terms = entropy_sums(self.numerators)
        if is_exact(self.numerators):
            import sympy

            total = sympy.sympify(self.denominator)
            return (-terms + xlogx(np.asarray([self.denominator], dtype=object))[0]) / total
        return -terms + 0.0  # no negative zero

    def _tokens(self, x: ArrayLike) -> tuple[Array, bool]:
        return as_tokens(x, self.length, self.vocab, self.numerators)

    @cached_property
    def _codes(self) -> Codes:
        return Codes(self.length, self.vocab, self.numerators)

    @property
    def _flat(self) -> Array:
        return array_namespace(self.numerators).reshape(self.numerators, (-1,))


def require_lattice(vocab: int, length: int, like: Array | None = None) -> None:
    """Refuse an evidence lattice that would not fit; see `theory._core.arrays.require_memory`."""
    what = f"the evidence lattice of shape ({vocab + 1},)*{length}"
    require_memory((vocab + 1) ** length, what, like)


def quotient(numerators: Array, denominators: Array) -> Array:
    """Elementwise quotient, ``nan`` (and no warning) where the denominator is zero."""
    if is_exact(numerators):
        return exact.ratio(numerators, denominators)
    xp = array_namespace(numerators)
    return numerators / xp.where(denominators > 0, denominators, math.nan)


def reveal_observed(x: Array, predictions: Array) -> Array:
    """Predictions with a one-hot row wherever the pattern `x` (B, L) has an observed token.

    Long rows of a host array are overwritten in place.
    """
    xp = array_namespace(x)
    vocab = predictions.shape[-1]
    if is_exact(predictions):
        zero, one = (np.asarray(Fraction(v), dtype=predictions.dtype) for v in (0, 1))
        one_hot = np.where(x[..., None] == np.arange(vocab), one, zero)
        return np.where(x[..., None] == MASK, predictions, one_hot)
    if vocab >= LONG_AXIS and isinstance(predictions, np.ndarray):
        predictions = np.require(predictions, requirements=["W"])
        observed = np.nonzero(x != MASK)
        predictions[observed] = 0
        predictions[(*observed, x[observed])] = 1
        return predictions
    spread, tokens = _beside_tokens(x, vocab)
    one_hot = xp.astype(spread == tokens, predictions.dtype)
    return xp.where(spread == MASK, predictions, one_hot)


def _beside_tokens(x: Array, vocab: int) -> tuple[Array, Array]:
    """Patterns (B, L, V or 1) and the tokens (L, V) that they are compared with.

    A short last axis is repeated, in bytes, because broadcasting along it would be all overhead.
    """
    xp = array_namespace(x)
    tokens = xp.tile(xp.arange(vocab, dtype=xp.int64, device=device(x)), (x.shape[1], 1))
    if vocab >= LONG_AXIS:
        return x[..., None], tokens
    spread = xp.repeat(xp.astype(x, xp.int8), vocab, axis=1)
    return xp.reshape(spread, (*x.shape, vocab)), xp.astype(tokens, xp.int8)
