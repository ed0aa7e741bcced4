"""The direct product: independent distributions of the same sites, read side by side.

The token of a site stands for the tokens that all parts have there. Entropies of sets of sites add
up, so entropies of a large product come from small parts, and no table is needed.
"""

import math
from collections import Counter
from collections.abc import Sequence
from functools import reduce

import numpy as np

from theory._core.arrays import MASK, log, require_memory
from theory._core.log_numbers import LinearForm
from theory._core.types import Array, Number
from theory.distributions.base import Distribution
from theory.distributions.sampling import check_draw
from theory.errors import InvalidInput, TooLarge

__all__ = ["DirectProduct"]


class DirectProduct(Distribution):
    """Independent exact distributions, of which each site shows a token of every one.

    Parameters
    ----------
    parts : sequence of Distribution
        Exact, of one length; one may occur several times. The first one's token counts most: two
        parts with tokens u and v, of vocabularies U and V, give the token ``u V + v``.

    Raises
    ------
    InvalidInput

    >>> from theory import gallery
    >>> p = DirectProduct([gallery.parity(3, exact=True)] * 100)
    >>> p.subset_entropy((0, 1, 2)), p.vocab == 2**100
    (200*log(2), True)
    >>> p
    <DirectProduct: 100 x <JointTable: length 3, vocab 2, exact=True>>
    """

    exact = True

    def __init__(self, parts: Sequence[Distribution]) -> None:
        lengths = {p.length for p in parts}
        if len(lengths) != 1 or not all(p.exact for p in parts):
            raise InvalidInput(
                f"parts must be exact distributions of one length, got {[repr(p) for p in parts]}"
            )
        self.parts = tuple(parts)
        self._describe(lengths.pop(), math.prod(p.vocab for p in parts), None)

    def __repr__(self) -> str:
        parts = (f"{n} x {p!r}" for p, n in Counter(self.parts).items())
        return f"<{type(self).__name__}: {', '.join(parts)}>"

    @property
    def like(self) -> Array:
        return self.parts[0].like

    def _split(self, x: np.ndarray) -> list[np.ndarray]:
        """Patterns (B, L) of each part."""
        found, left = [], x
        for part in reversed(self.parts):
            left, token = np.divmod(left, part.vocab)
            found.append(np.where(x == MASK, MASK, token))
        return found[::-1]

    def _predict(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        pairs = [p._predict(own) for p, own in zip(self.parts, self._split(x), strict=True)]
        tables = [table for table, _ in pairs]
        return reduce(_outer, tables), np.logical_and.reduce([possible for _, possible in pairs])

    def _evidence(self, x: np.ndarray) -> np.ndarray:
        pairs = zip(self.parts, self._split(x), strict=True)
        return reduce(np.multiply, (part._evidence(own) for part, own in pairs))

    def _log_evidence(self, x: np.ndarray) -> np.ndarray:
        return log(self._evidence(x))

    def sample(self, rng: np.random.Generator, size: int) -> np.ndarray:
        """Draw sequences, shape (size, L), part by part."""
        size = check_draw(rng, size)
        require_memory(size * self.length, f"a sample of shape ({size}, {self.length})")
        if self.vocab > 2**63:
            bits = (self.vocab - 1).bit_length()
            raise TooLarge(f"tokens have up to {bits} bits; at most 63 fit in an array")
        tokens = np.zeros((size, self.length), dtype=np.int64)
        for part in self.parts:
            tokens = tokens * part.vocab + part.sample(rng, size)
        return tokens

    # ---- entropies add up ---------------------------------------------------------------

    def subset_entropy(self, sites: tuple[int, ...], given: Array | None = None) -> Number:
        """Entropy in nats of a set of sites: those of the parts, added up."""
        if given is None:
            times = Counter(self.parts)
            return sum((n * p.subset_entropy(sites) for p, n in times.items()), LinearForm({}))
        pairs = zip(self.parts, self._split(given), strict=True)
        return sum((p.subset_entropy(sites, own) for p, own in pairs), LinearForm({}))

    def sum_of_entropies(self, sites: tuple[int, ...], given: Array | None = None) -> Number:
        """Sum of the entropies in nats of single sites."""
        return sum((self.subset_entropy((i,), given) for i in sites), LinearForm({}))

    def subset_entropies(self) -> np.ndarray:
        """Entropy in nats of every set of sites, shape (2,)*L."""
        return np.sum([n * p.subset_entropies() for p, n in Counter(self.parts).items()], axis=0)

    def mean_subset_entropies(self) -> np.ndarray:
        """Mean entropy in nats of k random sites, k = 0..L."""
        times = Counter(self.parts)
        return np.sum([n * p.mean_subset_entropies() for p, n in times.items()], axis=0)


def _outer(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Predictions (B, L, U) and (B, L, V) of independent tokens as those of pairs, (B, L, U V)."""
    pairs = a[..., :, None] * b[..., None, :]
    return pairs.reshape(*a.shape[:2], -1)
