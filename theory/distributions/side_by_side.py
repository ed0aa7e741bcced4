"""Independent distributions side by side: the token of a site tells one of each of them.

Evidence and predictions are products, and all entropies sums, of those of the parts.
"""

import functools
import math
import operator
from collections.abc import Sequence

import numpy as np

from theory._core.arrays import MASK, array_namespace
from theory._core.types import Array, Number
from theory.distributions.base import Distribution, check_distribution
from theory.errors import InvalidInput, TooLarge

__all__ = ["SideBySide"]

MAX_VOCAB = 2**62
"""Tokens are int64."""


class SideBySide(Distribution):
    """Sequences whose sites hold a token of each of several independent distributions.

    Parameters
    ----------
    parts : sequence of Distribution
        At least one, all of the same length, all exact or none, all on the host. With tokens
        ``v_1, v_2, ...`` and vocabularies ``V_1, V_2, ...`` the token is ``(v_1 V_2 + v_2) V_3 +
        ...``.

    Attributes
    ----------
    parts : tuple of Distribution

    Raises
    ------
    InvalidInput
    TooLarge
        If there are more than 2^62 tokens.

    Examples
    --------
    Equal bits beside bits of even parity; 3 is the pair (1, 1):

    >>> from theory import gallery, information
    >>> p = SideBySide([gallery.reed_solomon(3, k, 2, exact=True) for k in (1, 2)])
    >>> [str(entropy) for entropy in information.profile(p)]
    ['2*log(2)', 'log(2)', '0']
    >>> [str(share) for share in p.denoise([3, -1, -1])[1]]
    ['0', '0', '1/2', '1/2']
    """

    def __init__(self, parts: Sequence[Distribution]) -> None:
        self.parts = tuple(parts)
        for part in self.parts:
            check_distribution(part)
        if len({(part.length, part.exact) for part in self.parts}) != 1:
            raise InvalidInput(
                f"parts must be of one length, and all exact or none: {list(self.parts)}"
            )
        vocabularies = [part.vocab for part in self.parts]
        vocab = math.prod(vocabularies)
        if vocab > MAX_VOCAB:
            raise TooLarge(
                f"{len(self.parts)} distributions side by side have about 2^{vocab.bit_length()} "
                f"tokens; the limit is 2^62"
            )
        self.exact = self.parts[0].exact
        self._places = [math.prod(vocabularies[k + 1 :]) for k in range(len(vocabularies))]
        self._describe(self.parts[0].length, vocab, None)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {', '.join(map(repr, self.parts))}>"

    @property
    def like(self) -> Array:
        return self.parts[0].like

    def _split(self, x: Array) -> list[Array]:
        """What patterns are in each part."""
        xp = array_namespace(x)
        return [
            xp.where(x == MASK, MASK, x // place % part.vocab)
            for part, place in zip(self.parts, self._places, strict=True)
        ]

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
        parts = zip(self.parts, self._places, strict=True)
        return functools.reduce(operator.add, (p.sample(rng, size) * v for p, v in parts))

    def subset_entropy(self, sites: tuple[int, ...], given: Array | None = None) -> Number:
        """Entropy in nats of a set of sites, the sum over the parts."""
        patterns = [None] * len(self.parts) if given is None else self._split(given)
        parts = zip(self.parts, patterns, strict=True)
        return sum(part.subset_entropy(sites, pattern) for part, pattern in parts)

    def mean_subset_entropies(self) -> Array:
        """Mean entropy in nats of k random sites, shape (L+1,), the sum over the parts."""
        return functools.reduce(operator.add, (p.mean_subset_entropies() for p in self.parts))
