"""A policy applied to the sequence read from right to left."""

from collections.abc import Sequence
from typing import Self

import numpy as np

from sims.policies.base import Decoder, Policy, Reveals, Select, as_rule, told
from sims.policies.checks import as_probabilities, check_choice
from theory._core.types import Array
from theory.errors import InvalidInput

__all__ = ["Mirrored"]


class Mirrored(Policy):
    """Let another policy choose as if the sequence were written backwards.

    ``Mirrored(LeftToRight())`` goes from right to left, and ``Mirrored(TopK(1))`` gives equal
    scores to the highest index. An order that is the same with and without it comes from the data;
    one that turns round comes from the rule for ties.

    Parameters
    ----------
    inner : Policy, or a function as for `Rule`
        One that selects before it draws, and never remasks.

    >>> from sims import order
    >>> from sims.policies import TopK
    >>> from theory import gallery
    >>> p = gallery.permutations(3)                        # all scores are equal
    >>> [order(p, policy).kendall for policy in (TopK(1), Mirrored(TopK(1)))]
    [1.0, -1.0]
    """

    def __init__(self, inner: Decoder | Select) -> None:
        inner = as_rule(inner)
        if not isinstance(inner, Policy) or inner.looks_at_tokens or inner.remasks:
            raise InvalidInput(f"inner must select sites before it draws, got {inner!r}")
        self.inner = inner
        self.depends_on, self.randomised = inner.depends_on, inner.randomised
        self.observed, self.gapwise = inner.observed, inner.gapwise

    @property
    def steps(self) -> int | None:
        """As the inner policy."""
        return self.inner.steps

    def with_given(self, sites: tuple[int, ...], length: int) -> Self:
        """The inner policy is told, from the other end."""
        turned = tuple(length - 1 - site for site in reversed(sites))
        return told(self, turned, length)

    def check(self, length: int, vocab: int) -> None:
        """Raise `InvalidInput` if the inner policy does not fit."""
        self.inner.check(length, vocab)

    def check_within(self, masked: Sequence[int], length: int, vocab: int) -> None:
        """Raise `InvalidInput` if the inner policy does not fit."""
        turned = [length - 1 - site for site in reversed(masked)]
        self.inner.check_within(turned, length, vocab)

    def reveal_distribution(self, x: Array, predictions: Array, round_index: int) -> Reveals:
        """Yield the outcomes of the inner policy, turned back."""
        mirrored = x[:, ::-1]
        turned = predictions[:, ::-1, ...]
        for probability, reveal in self.inner.reveal_distribution(mirrored, turned, round_index):
            check_choice(self.inner, mirrored, reveal, as_probabilities(probability, x) != 0)
            yield probability, reveal[:, ::-1]

    def choose(
        self, x: np.ndarray, predictions: np.ndarray, round_index: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Let the inner policy choose."""
        return self.inner.choose(x[:, ::-1], predictions[:, ::-1], round_index, rng)[:, ::-1]
