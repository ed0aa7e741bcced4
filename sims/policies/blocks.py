"""Semi-autoregressive: one block after another."""

import numpy as np

from sims.policies.base import Ask, Decoder, Law, Outcomes, Policy, TokenPolicy
from theory import MASK
from theory.errors import InvalidInput
from theory.validation import as_integer

__all__ = ["Blocks"]


class Blocks(Policy, TokenPolicy):
    """Finish a block of `size` sites with another policy before the next block.

    Semi-autoregressive decoding as LLaDA and block diffusion use it, and what the paper on why
    mask diffusion does not work is said to recommend with small blocks [restated]. It looks at
    what `inner` looks at. Exact if `inner` is: with blocks of one site, or an `inner` that
    reveals one site per round by position scores.

    Parameters
    ----------
    size : int
        Sites of a block; the last one may be shorter.
    inner : Policy or TokenPolicy
        Chooses among the sites of the block, by predictions given everything revealed so far.

    >>> from sims.policies import LeftToRight
    >>> from theory import gallery
    >>> from sims import output_distribution
    >>> q = output_distribution(gallery.coupled_pairs(2), Blocks(2, LeftToRight(2)))
    >>> q.valid_mass, q.expected_rounds       # each block is a pair
    (0.25, 2.0)
    """

    def __init__(self, size: int, inner: Decoder) -> None:
        self.size = as_integer(size, "size", 1)
        if not isinstance(inner, Policy | TokenPolicy):
            raise InvalidInput(f"inner must be a Policy or a TokenPolicy, got {inner!r}")
        if isinstance(inner, Policy) and inner.steps is not None:
            raise InvalidInput(f"blocks do not start together: {inner!r} has a clock")
        self.inner = inner
        self.looks_at_tokens = inner.looks_at_tokens

    def check(self, length: int) -> None:
        """Raise `InvalidInput` if the inner policy does not fit the blocks."""
        for size in {min(self.size, length), length % self.size or min(self.size, length)}:
            self.inner.check(size)

    def law(self, x: np.ndarray, predictions: np.ndarray, round_index: int) -> Law:
        """Yield the outcomes of the inner policy within the block."""
        assert isinstance(self.inner, Policy)
        yield from self.inner.law(self._hide(x), predictions, round_index)

    def choose(
        self, x: np.ndarray, predictions: np.ndarray, round_index: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Let the inner policy choose."""
        assert isinstance(self.inner, Policy)
        return self.inner.choose(self._hide(x), predictions, round_index, rng)

    def outcomes(self, x: np.ndarray, ask: Ask, round_index: int) -> Outcomes:
        """Yield the outcomes of the inner policy within the block."""
        assert isinstance(self.inner, TokenPolicy)
        hidden = self._hide(x)
        for rows, chance, after, calls in self.inner.outcomes(hidden, _asking(ask), round_index):
            yield rows, chance, _show(after), calls

    def write(
        self, x: np.ndarray, ask: Ask, round_index: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, int]:
        """Let the inner policy write."""
        assert isinstance(self.inner, TokenPolicy)
        after, calls = self.inner.write(self._hide(x), _asking(ask), round_index, rng)
        return _show(after), calls

    def _hide(self, x: np.ndarray) -> np.ndarray:
        """Hide the masks after the first block that has any."""
        first = np.argmax(x == MASK, axis=1)
        end = (first // self.size + 1) * self.size
        return np.where((x == MASK) & (np.arange(x.shape[1]) >= end[:, None]), HIDDEN, x)


HIDDEN = MASK - 1
"""What the inner policy sees in place of the masks of later blocks."""


def _show(x: np.ndarray) -> np.ndarray:
    return np.where(x == HIDDEN, MASK, x)


def _asking(ask: Ask) -> Ask:
    """The denoiser sees later blocks as masked."""
    return lambda x: ask(_show(x))
