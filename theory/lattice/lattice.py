"""The evidence lattice: the probability of every observed pattern at once.

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
from typing import Any

import numpy as np

from theory._core import exact
from theory._core.arrays import (
    MASK,
    array_namespace,
    device,
    frozen,
    is_exact,
    require_memory,
    within_memory,
    xlogx,
)
from theory.errors import InvalidInput
from theory.lattice import subset_sums
from theory.lattice.entropy_sums import entropy_sums
from theory.validation.arguments import as_integer, as_tokens, check_buffer
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
        expressions are kept exact.
    dtype : {"float64", "float32"}, optional
        Of the lattice, exact weights included. If not given, floats are kept as float64.
    out : array, shape (V+1,)*L, optional
        Memory to fill instead of new memory: contiguous, of the dtype of the lattice, beside
        `weights` and apart from them. It becomes `numerators`. A lattice that lived in it is
        overwritten: the older object answers from the new numbers, and nothing warns of it.

    Attributes
    ----------
    numerators : array, shape (V+1,)*L
        ``Z`` times ``denominator``. Index ``V`` (or ``MASK``) of an axis is the masked slot.
    denominator : number
        1.0 for floats.
    length, vocab : int

    Raises
    ------
    InvalidInput
        If the weights are not a cube, negative, not finite, or all zero, or `out` does not fit.
    TooLarge
        If the lattice would not fit; the message names its size.

    Notes
    -----
    No term is negative, so relative errors do not grow by cancellation. In float32, a NumPy
    lattice is summed in float64 and rounded once: every entry of at least ``2**-126`` is within
    ``2**-24`` of the float64 one, relatively. On other backends every sum is rounded, and the bound
    is ``(1 + L (V - 1)) * 2**-24``. A prediction is a quotient of two entries and can be off
    by twice that and another ``2**-24``. Smaller entries lose digits, and what is below ``2**-150``
    becomes 0, so that a rare pattern may look impossible.

    Beside the result, a NumPy lattice of 8 MiB or more takes at most a tenth of it, however many
    threads fill it, and some 100 kB to cast tables of another type.

    Examples
    --------
    Two fair bits that are always equal:

    >>> Z = EvidenceLattice([[1, 0], [0, 1]])
    >>> Z.numerators
    array([[1, 0, 1],
           [0, 1, 1],
           [1, 1, 2]])
    >>> Z.denoise([0, MASK]).tolist()
    [[Fraction(1, 1), Fraction(0, 1)], [Fraction(1, 1), Fraction(0, 1)]]

    The same in half the memory of floats, which is used again:

    >>> buffer = np.empty((3, 3), dtype=np.float32)
    >>> Z = EvidenceLattice([[1, 0], [0, 1]], dtype="float32", out=buffer)
    >>> Z.numerators is buffer
    True
    >>> buffer
    array([[0.5, 0. , 0.5],
           [0. , 0.5, 0.5],
           [0.5, 0.5, 1. ]], dtype=float32)
    """

    @within_memory("the evidence lattice")
    def __init__(self, weights: Any, *, dtype: Any = None, out: Any = None) -> None:
        name = None if dtype is None else _as_float_dtype(dtype)
        table, total = as_unnormalised(weights, "weights", exact=None if name is None else False)
        if isinstance(total, float):
            xp = array_namespace(table)
            floats = xp.empty(0, dtype=getattr(xp, name or "float64")).dtype
            self._fill(table, total, 1.0, floats, out)
        else:
            self._fill(table, None, total, table.dtype, out)

    @classmethod
    def of(cls, weights: Weights) -> "EvidenceLattice":
        """Build the lattice of weights that have been checked and normalised already."""
        lattice = cls.__new__(cls)
        lattice._fill(weights.values, None, weights.total, weights.values.dtype, None)
        return lattice

    def _fill(self, table: Any, total: Any, denominator: Any, dtype: Any, out: Any) -> None:
        if table.ndim == 0 or len(set(table.shape)) > 1:
            raise InvalidInput(f"a joint table has shape (V,)*L, got {tuple(table.shape)}")
        self.length, self.vocab, self.denominator = table.ndim, table.shape[0], denominator
        shape = (self.vocab + 1,) * self.length
        xp = array_namespace(table)
        if out is None:
            require_lattice(self.vocab, self.length, table, 4 if dtype == xp.float32 else 8)
            out = xp.empty(shape, dtype=dtype, device=device(table))
        else:
            check_buffer(out, shape, dtype, table)
        subset_sums.fill(table, total, out)
        self.numerators = out

    @cached_property
    def values(self) -> Any:
        """Evidence probabilities, shape (V+1,)*L; Fractions where the table was exact.

        >>> EvidenceLattice([0.25, 0.75]).values
        array([0.25, 0.75, 1.  ])
        """
        if is_exact(self.numerators):
            return frozen(exact.ratio(self.numerators, self.denominator))
        return frozen(self.numerators)

    def evidence(self, x: Any) -> Any:
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
        xp = array_namespace(self.numerators)
        found = xp.take(xp.reshape(self.numerators, (-1,)), self._codes(x))
        probability = exact.ratio(found, self.denominator) if is_exact(found) else found
        return probability[0] if single else probability

    def denoise(self, x: Any) -> Any:
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
        predictions, _ = self.predict(x)
        predictions = reveal_observed(x, predictions)
        return predictions[0, ...] if single else predictions

    def predict(self, x: Any) -> tuple[Any, Any]:
        """Predictions at masked sites (others undefined) and evidence numerators, unchecked."""
        xp = array_namespace(self.numerators)
        flat = xp.reshape(self.numerators, (-1,))
        codes = self._codes(x)
        evidence = xp.take(flat, codes)
        sites = xp.arange(self.length, dtype=xp.int64, device=device(x))
        rows = xp.where(x == MASK, sites + self.length, sites)
        steps = xp.take(self._steps, xp.reshape(rows, (-1,)), axis=0)
        neighbours = codes[:, None, None] + xp.reshape(steps, (*x.shape, self.vocab))
        found = xp.reshape(xp.take(flat, xp.reshape(neighbours, (-1,))), neighbours.shape)
        return quotient(found, evidence[:, None, None]), evidence

    def conditionals(self, site: int) -> Any:
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

    def subset_entropies(self) -> Any:
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

    def _tokens(self, x: Any) -> tuple[Any, bool]:
        return as_tokens(x, self.length, self.vocab, self.numerators)

    def _codes(self, x: Any) -> Any:
        """Base-(V+1) code of each pattern, (B,)."""
        xp = array_namespace(x)
        slots = xp.where(x == MASK, xp.full_like(x, self.vocab), x)
        return xp.matmul(slots, self._strides)

    @cached_property
    def _strides(self) -> Any:
        """What a slot of each site counts in a code, (L,)."""
        xp = array_namespace(self.numerators)
        strides = [(self.vocab + 1) ** (self.length - 1 - i) for i in range(self.length)]
        return frozen(xp.asarray(strides, dtype=xp.int64, device=device(self.numerators)))

    @cached_property
    def _steps(self) -> Any:
        """Steps of a code to each token, (2L, V): none if observed; from the slot if masked."""
        xp = array_namespace(self.numerators)
        tokens = xp.arange(self.vocab, dtype=xp.int64, device=device(self.numerators))
        steps = (tokens - self.vocab) * self._strides[:, None]
        return frozen(xp.concat([xp.zeros_like(steps), steps]))


def require_lattice(vocab: int, length: int, like: Any = None, itemsize: int = 8) -> None:
    """Refuse an evidence lattice that would not fit; see `theory._core.arrays.require_memory`."""
    what = f"the evidence lattice of shape ({vocab + 1},)*{length}"
    require_memory((vocab + 1) ** length, what, like, itemsize)


def _as_float_dtype(dtype: Any) -> str:
    name = str(getattr(dtype, "__name__", dtype)).rpartition(".")[2]
    if name not in ("float32", "float64"):
        raise InvalidInput(f'dtype must be "float64" or "float32", got {dtype!r}')
    return name


def quotient(numerators: Any, denominators: Any) -> Any:
    """Elementwise quotient, ``nan`` (and no warning) where the denominator is zero."""
    if is_exact(numerators):
        return exact.ratio(numerators, denominators)
    xp = array_namespace(numerators)
    return numerators / xp.where(denominators > 0, denominators, math.nan)


def reveal_observed(x: Any, predictions: Any) -> Any:
    """Put a one-hot row wherever the pattern `x` (B, L) has an observed token.

    Long rows of a host array are written in place.
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


def _beside_tokens(x: Any, vocab: int) -> tuple[Any, Any]:
    """Patterns (B, L, V or 1) and the tokens (L, V) that they are compared with.

    A short last axis is written out in bytes, because a loop over it would be all overhead.
    """
    xp = array_namespace(x)
    tokens = xp.tile(xp.arange(vocab, dtype=xp.int64, device=device(x)), (x.shape[1], 1))
    if vocab >= LONG_AXIS:
        return x[..., None], tokens
    spread = xp.repeat(xp.astype(x, xp.int8), vocab, axis=1)
    return xp.reshape(spread, (*x.shape, vocab)), xp.astype(tokens, xp.int8)
