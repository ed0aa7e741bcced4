"""Independent distributions side by side: the token of a site tells one of each of them.

Evidence and predictions are products, and all entropies sums, of those of the parts.
"""

import functools
import math
import operator
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from theory._core.arrays import MASK, array_namespace
from theory._core.types import Array, Number
from theory.distributions.base import Distribution, check_distribution
from theory.errors import InvalidInput, TooLarge

__all__ = ["SideBySide"]

MAX_VOCAB = 2**63
"""Tokens are int64; of more, those that are larger are not written."""


class SideBySide(Distribution):
    """Sequences whose sites hold a token of each of several independent distributions.

    Parameters
    ----------
    parts : sequence of Distribution
        At least one, all of the same length, all exact or none, all on the host. With tokens
        ``v_1, v_2, ...`` and vocabularies ``V_1, V_2, ...`` the token is ``(v_1 V_2 + v_2) V_3 +
        ...``. There may be more tokens than 64 bits hold, as long as only entropies are asked for
        and the evidence of small ones.

    Attributes
    ----------
    parts : tuple of Distribution

    Raises
    ------
    InvalidInput

    Examples
    --------
    Equal bits beside bits of even parity; 3 is the pair (1, 1):

    >>> from theory import gallery, information
    >>> p = SideBySide([gallery.reed_solomon(3, k, 2, exact=True) for k in (1, 2)])
    >>> [str(entropy) for entropy in information.profile(p)]
    ['2*log(2)', 'log(2)', '0']
    >>> [str(share) for share in p.denoise([3, -1, -1])[1]]
    ['0', '0', '1/2', '1/2']
    >>> SideBySide([gallery.parity(3)] * 100)
    <SideBySide: 100 x <JointTable: length 3, vocab 2>>
    """

    def __init__(self, parts: Sequence[Distribution]) -> None:
        self.parts = tuple(parts)
        for part in self.parts:
            check_distribution(part)
        if len({(part.length, part.exact) for part in self.parts}) != 1:
            raise InvalidInput(
                f"parts must be of one length, and all exact or none: {list(self.parts)}"
            )
        self.exact = self.parts[0].exact
        vocab = math.prod(part.vocab for part in self.parts)
        self._describe(self.parts[0].length, vocab, None)

    def __repr__(self) -> str:
        times = Counter(map(repr, self.parts))
        parts = (part if n == 1 else f"{n} x {part}" for part, n in times.items())
        return f"<{type(self).__name__}: {', '.join(parts)}>"

    @property
    def like(self) -> Array:
        return self.parts[0].like

    def _split(self, x: Array) -> list[Array]:
        """What patterns are in each part."""
        xp = array_namespace(x)
        found, left = [], x
        for part in reversed(self.parts):
            found.append(xp.where(x == MASK, MASK, left % part.vocab))
            left = left // part.vocab
        return found[::-1]

    def _predict(self, x: Array) -> tuple[Array, Array]:
        predictions, possible = self.parts[0]._predict(self._split(x)[0])
        for part, tokens in zip(self.parts[1:], self._split(x)[1:], strict=True):
            more, agrees = part._predict(tokens)
            joint = predictions[..., :, None] * more[..., None, :]
            predictions = joint.reshape(*joint.shape[:2], -1)
            possible = possible & agrees
        return predictions, possible

    def _evidence(self, x: Array) -> Array:
        parts = zip(self.parts, self._split(x), strict=True)
        return functools.reduce(operator.mul, (p._evidence(tokens) for p, tokens in parts))

    def _log_evidence(self, x: Array) -> Array:
        parts = zip(self.parts, self._split(x), strict=True)
        return functools.reduce(operator.add, (p._log_evidence(tokens) for p, tokens in parts))

    def sample(self, rng: np.random.Generator, size: int) -> Array:
        """Draw sequences, shape (size, L): of one part after the other."""
        if self.vocab > MAX_VOCAB:
            bits = (self.vocab - 1).bit_length()
            raise TooLarge(f"tokens of {bits} bits cannot be drawn; an array holds at most 63")
        tokens = self.parts[0].sample(rng, size)
        for part in self.parts[1:]:
            tokens = tokens * part.vocab + part.sample(rng, size)
        return tokens

    def subset_entropy(self, sites: tuple[int, ...], given: Array | None = None) -> Number:
        """Entropy in nats of a set of sites, the sum over the parts."""
        if given is None:
            return self._added(lambda part: part.subset_entropy(sites))
        parts = zip(self.parts, self._split(given[None, :]), strict=True)
        return sum(part.subset_entropy(sites, pattern[0, :]) for part, pattern in parts)

    def sum_of_entropies(self, sites: tuple[int, ...], given: Array | None = None) -> Number:
        """Sum of the entropies in nats of single sites, given a checked pattern (L,)."""
        return sum(self.subset_entropy((i,), given) for i in sites)

    def subset_entropies(self) -> Array:
        """Entropy in nats of every set of sites, shape (2,)*L, the sum over the parts."""
        return self._added(lambda part: part.subset_entropies())

    def mean_subset_entropies(self) -> Array:
        """Mean entropy in nats of k random sites, shape (L+1,), the sum over the parts."""
        return self._added(lambda part: part.mean_subset_entropies())

    def _added(self, entropies: Callable[[Distribution], Any]) -> Any:
        """The sum over the parts; of those that occur several times it is computed once."""
        times = Counter(map(id, self.parts))
        parts = {id(part): part for part in self.parts}
        return functools.reduce(operator.add, (n * entropies(parts[k]) for k, n in times.items()))
