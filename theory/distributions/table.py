"""The joint table: a distribution given by all its probabilities."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from theory._core import exact as exact_numbers
from theory._core.arrays import (
    MASK,
    array_namespace,
    device,
    from_host,
    log,
    read_only,
    to_host,
    within_memory,
)
from theory._core.types import Array, ArrayLike
from theory.distributions.base import Distribution
from theory.distributions.sampling import as_floats, check_draw
from theory.errors import InvalidInput
from theory.lattice.codes import digits
from theory.lattice.lattice import EvidenceLattice
from theory.validation.probabilities import as_weights

__all__ = ["JointTable"]


class JointTable(Distribution):
    """A distribution given by its whole table; predictions are ratios in the evidence lattice.

    Parameters
    ----------
    weights : array_like, shape (V,)*L
        Non-negative weights, normalised here.
    exact : bool
        Keep integers, Fractions or SymPy expressions exact: integers over one common
        denominator inside, Fractions (or expressions) outside.
    symbols : sequence of str, optional
        What the tokens stand for.

    Raises
    ------
    InvalidInput
        If the weights are not a cube, negative, not finite, all zero, or floats with
        ``exact=True``.

    Examples
    --------
    New York and Los Angeles: after "New", only "York" is possible.

    >>> from theory import MASK
    >>> p = JointTable([[1, 0], [0, 1]], exact=True)
    >>> p.denoise([0, MASK]).tolist()
    [[Fraction(1, 1), Fraction(0, 1)], [Fraction(1, 1), Fraction(0, 1)]]
    >>> p.evidence([[0, MASK], [0, 1]]).tolist()
    [Fraction(1, 2), Fraction(0, 1)]

    The same with SymPy symbols:

    >>> import sympy
    >>> a, b, c, d = sympy.symbols("a b c d", positive=True)
    >>> JointTable([[a, b], [c, d]], exact=True).denoise([0, MASK])[1].tolist()
    [a/(a + b), b/(a + b)]
    """

    @within_memory("a table")
    def __init__(
        self, weights: ArrayLike, exact: bool = False, symbols: Sequence[str] | None = None
    ) -> None:
        self.weights = as_weights(weights, exact=exact)
        self.exact = exact
        shape = self.weights.values.shape
        if not shape or len(set(shape)) > 1:
            raise InvalidInput(f"weights of a joint table have shape (V,)*L, got {tuple(shape)}")
        self._describe(len(shape), shape[0], symbols)

    @property
    def like(self) -> Array:
        return self.weights.values

    @cached_property
    def _lattice(self) -> EvidenceLattice:
        return EvidenceLattice.of(self.weights)

    def lattice(self) -> EvidenceLattice:
        """Return the evidence lattice, built on first use and kept."""
        return self._lattice

    def table(self) -> Array:
        """All probabilities, shape (V,)*L, read-only; Fractions or expressions where exact.

        >>> JointTable([1, 3]).table()
        array([0.25, 0.75])
        """
        values, total = self.weights
        return read_only(exact_numbers.ratio(values, total) if self.exact else values)

    def _predict(self, x: Array) -> tuple[Array, Array]:
        predictions, evidence = self._lattice.predict(x)
        return predictions, evidence != 0

    def _evidence(self, x: Array) -> Array:
        return self._lattice.evidence(x)

    def _log_evidence(self, x: Array) -> Array:
        return log(self._lattice.evidence(x))

    def _given(self, pattern: Array) -> "JointTable":
        values = self.weights.values
        xp = array_namespace(values)
        tokens = xp.arange(self.vocab, dtype=xp.int64, device=device(values))
        for axis, token in enumerate(to_host(pattern).tolist()):
            if token != MASK:
                along = xp.reshape(tokens == token, (-1, *(1,) * (self.length - 1 - axis)))
                values = xp.where(along, values, values * 0)
        return JointTable(values, exact=self.exact, symbols=self.symbols)

    @within_memory("a sample")
    def sample(self, rng: np.random.Generator, size: int) -> Array:
        """Draw sequences, shape (size, L), by inverting the cumulative sum of the table."""
        size = check_draw(rng, size)
        values = as_floats(self.table())
        xp = array_namespace(values)
        cumulative = xp.cumulative_sum(xp.reshape(values, (-1,)))
        total = cumulative[-1:]
        uniform = from_host(rng.random(size), values) * total
        last = xp.searchsorted(cumulative, total, side="left")
        codes = xp.minimum(xp.searchsorted(cumulative, uniform, side="right"), last)
        return digits(xp.astype(codes, xp.int64), self.length, self.vocab)
