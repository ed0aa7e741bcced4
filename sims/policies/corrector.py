"""Correctors: write everything, then draw some sites again, given the others."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np

from sims.policies.base import Decoder, Select, as_rule, told
from theory.errors import InvalidInput
from theory.validation.arguments import as_integer

__all__ = ["Corrector"]


class Corrector(Decoder, ABC):
    """A decoder followed by rounds that mask some sites and draw them again.

    Parameters
    ----------
    inner : Decoder, function as for `Rule`, or None
        Writes the first version; None starts from the data, which shows what the corrector
        alone does to a perfect sample.
    steps : int
        Rounds of correction, each one call of the denoiser.
    """

    remasks = True

    def __init__(self, inner: Decoder | Select | None, steps: int) -> None:
        inner = as_rule(inner)
        if inner is not None and not isinstance(inner, Decoder):
            raise InvalidInput(f"inner must be a policy or None, got {inner!r}")
        self.inner: Decoder | None = inner
        self.depends_on = "nothing" if inner is None else inner.depends_on
        self.observed = "one-hot" if inner is None else inner.observed
        self.steps = as_integer(steps, "steps", 0)

    def with_given(self, sites: tuple[int, ...], length: int) -> Self:
        """The inner decoder is told."""
        return self if self.inner is None else told(self, sites, length)

    def check(self, length: int, vocab: int) -> None:
        """Raise `InvalidInput` if the inner decoder does not fit sequences of this length."""
        if self.inner is not None:
            self.inner.check(length, vocab)

    @abstractmethod
    def sets(self, length: int) -> Iterator[tuple[Any, Sequence[int]]]:
        """Yield probabilities that sum to 1, and the sites that are then drawn again together.

        Of `length` sites that are written; sites of a prompt are not among them.
        """

    @abstractmethod
    def choose(self, size: int, length: int, rng: np.random.Generator) -> np.ndarray:
        """Draw `size` sets, shape (size, L) bool."""
