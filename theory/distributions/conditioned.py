"""The data on condition of observed tokens, of a family that has no way of its own.

The prompt is written into every pattern that is asked about, and the family answers. So a
conditioned chain, hidden chain, exchangeable or uniform permutation is as exact as the family is,
on the same device and at the same lengths.
"""

import math
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from theory._core.arrays import (
    MASK,
    array_namespace,
    from_host,
    log,
    to_host,
    within_memory,
)
from theory._core.types import Array
from theory.distributions.base import Distribution
from theory.distributions.sampling import check_draw
from theory.lattice.entropy_sums import mean_by_size
from theory.lattice.lattice import EvidenceLattice, quotient, require_lattice, reveal_observed

__all__ = ["Conditioned"]


class Conditioned(Distribution):
    """``p(x | x_S)`` for a pattern that is possible, over sequences of the same length.

    `Distribution.given` makes it. The tokens of the prompt have probability 1 at their sites;
    evidence that contradicts them is impossible.

    Parameters
    ----------
    whole : Distribution
    pattern : array of int64, shape (L,)
        Checked, with ``MASK`` where nothing is observed.

    Attributes
    ----------
    whole, pattern
        As above.
    """

    def __init__(self, whole: Distribution, pattern: Array) -> None:
        self.whole, self.pattern = whole, pattern
        self._describe(whole.length, whole.vocab, whole.symbols)
        self.exact = whole.exact

    def __repr__(self) -> str:
        (prompt,) = self.spell(self.pattern)
        return f"<{self.whole!r} given {prompt}>"

    @property
    def like(self) -> Array:
        return self.whole.like

    def _given(self, pattern: Array) -> Distribution:
        return self.whole._given(self._with_prompt(pattern))

    def _with_prompt(self, x: Array) -> Array:
        """Patterns in which the sites of the prompt show its tokens."""
        xp = array_namespace(x)
        return xp.where(self.pattern == MASK, x, self.pattern)

    def _agrees(self, x: Array) -> Array:
        """Whether patterns (B, L) contradict the prompt nowhere, (B,)."""
        xp = array_namespace(x)
        return xp.all((x == MASK) | (self.pattern == MASK) | (x == self.pattern), axis=1)

    def _predict(self, x: Array) -> tuple[Array, Array]:
        seen = self._with_prompt(x)
        predictions, possible = self.whole._predict(seen)
        return reveal_observed(seen, predictions), possible & self._agrees(x)

    def _evidence(self, x: Array) -> Array:
        if not self.exact:
            return super()._evidence(x)
        both = quotient(self.whole._evidence(self._with_prompt(x)), self._of_prompt)
        return np.where(to_host(self._agrees(x)), both, both * 0)

    def _log_evidence(self, x: Array) -> Array:
        if self.exact:
            return log(self._evidence(x))
        xp = array_namespace(x)
        both = self.whole._log_evidence(self._with_prompt(x)) - self._of_prompt
        return xp.where(self._agrees(x), both, xp.full_like(both, -math.inf))

    @cached_property
    def _of_prompt(self) -> Array:
        """Evidence of the prompt, its logarithm in floats, shape (1,)."""
        of = self.whole._evidence if self.exact else self.whole._log_evidence
        return of(self.pattern[None, :])

    @within_memory("a sample")
    def sample(self, rng: np.random.Generator, size: int) -> Array:
        """Draw sequences that begin with the prompt's tokens at their sites, shape (size, L)."""
        return self.whole._sample_given(rng, check_draw(rng, size), self.pattern)

    # ---- entropies: those of the sites that are left, given the prompt ---------------------

    @cached_property
    def _masked(self) -> tuple[int, ...]:
        return tuple(np.flatnonzero(to_host(self.pattern) == MASK).tolist())

    def subset_entropy(self, sites: tuple[int, ...], given: Array | None = None) -> Any:
        """Entropy in nats of a set of sites; those of the prompt have none."""
        left = tuple(site for site in sites if site in self._masked)
        seen = self.pattern if given is None else self._with_prompt(given)
        return self.whole.subset_entropy(left, seen)

    def mean_subset_entropies(self) -> Array:
        """Mean entropy in nats of a uniformly random set of k sites, shape (L+1,), k = 0..L.

        Of a random set of sites a hypergeometric number is masked, and only these count: the
        lattice of the masked sites is enough, however long the sequences are.
        """
        free, length = len(self._masked), self.length
        if not free:
            return np.zeros(length + 1, dtype=object if self.exact else np.float64)
        require_lattice(self.vocab, free, self.like)
        joint = self.whole._joint(self._masked, self.pattern)
        xp = array_namespace(joint)
        table = EvidenceLattice(xp.reshape(joint, (self.vocab,) * free))
        means = mean_by_size(table.subset_entropies())
        masked = [
            [
                Fraction(math.comb(free, m) * math.comb(length - free, k - m), math.comb(length, k))
                if m <= k
                else Fraction(0)
                for m in range(free + 1)
            ]
            for k in range(length + 1)
        ]
        weights = np.asarray(masked, dtype=object if self.exact else np.float64)
        return weights @ means if self.exact else xp.matmul(from_host(weights, means), means)
