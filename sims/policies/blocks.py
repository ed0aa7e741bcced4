"""Semi-autoregressive: one block after another."""

import numpy as np

from sims.policies.base import Ask, Decoder, Law, Outcomes, Policy, Select, TokenPolicy, as_rule
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
    inner : Policy, TokenPolicy, or a function as for `Rule`
        Sees the sequence up to the end of the block, in which only sites of the block are masked,
        with predictions given that. Its rounds are counted through all blocks.

    >>> from sims.policies import LeftToRight
    >>> from theory import gallery
    >>> from sims import output_distribution
    >>> q = output_distribution(gallery.coupled_pairs(2), Blocks(2, LeftToRight(2)))
    >>> q.valid_mass, q.expected_rounds       # each block is a pair
    (0.25, 2.0)
    """

    def __init__(self, size: int, inner: Decoder | Select) -> None:
        self.size = as_integer(size, "size", 1)
        inner = as_rule(inner)
        if not isinstance(inner, Policy | TokenPolicy) or isinstance(inner, Blocks):
            raise InvalidInput(
                f"inner must be a Policy or a TokenPolicy, and not Blocks, got {inner!r}"
            )
        if isinstance(inner, Policy) and (inner.steps is not None or inner.revises):
            raise InvalidInput(f"blocks do not start together: {inner!r} has a clock")
        self.inner = inner
        self.looks_at_tokens = inner.looks_at_tokens

    def check(self, length: int, vocab: int) -> None:
        """Raise `InvalidInput` if the inner policy does not fit the blocks."""
        for size in {min(self.size, length), length % self.size or min(self.size, length)}:
            self.inner.check(size, vocab)

    def law(self, x: np.ndarray, predictions: np.ndarray, round_index: int) -> Law:
        """Yield the outcomes of the inner policy within the block."""
        assert isinstance(self.inner, Policy)
        ((_, end),) = self._by_block(x)
        for chance, within in self.inner.law(x[:, :end], predictions[:, :end], round_index):
            yield chance, _widened(within, x.shape[1], False)

    def choose(
        self, x: np.ndarray, predictions: np.ndarray, round_index: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Let the inner policy choose."""
        assert isinstance(self.inner, Policy)
        reveal = np.zeros(x.shape, dtype=bool)
        for rows, end in self._by_block(x):
            seen = x[rows, :end], predictions[rows, :end]
            reveal[rows, :end] = self.inner.choose(*seen, round_index, rng)
        return reveal

    def outcomes(self, x: np.ndarray, ask: Ask, round_index: int) -> Outcomes:
        """Yield the outcomes of the inner policy within the block."""
        assert isinstance(self.inner, TokenPolicy)
        ((_, end),) = self._by_block(x)
        asking = _asking(ask, x.shape[1])
        for rows, chance, after, calls in self.inner.outcomes(x[:, :end], asking, round_index):
            yield rows, chance, _widened(after, x.shape[1], MASK), calls

    def write(
        self, x: np.ndarray, ask: Ask, round_index: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, int]:
        """Let the inner policy write."""
        assert isinstance(self.inner, TokenPolicy)
        after, most, asking = x.copy(), 1, _asking(ask, x.shape[1])
        for rows, end in self._by_block(x):
            after[rows, :end], calls = self.inner.write(x[rows, :end], asking, round_index, rng)
            most = max(most, calls)
        return after, most

    def _by_block(self, x: np.ndarray) -> list[tuple[np.ndarray, int]]:
        """Rows by the end of their first block with a masked site.

        That is one and the same block where equally many sites are masked.
        """
        first = np.argmax(x == MASK, axis=1)
        ends = np.minimum((first // self.size + 1) * self.size, x.shape[1])
        return [(np.flatnonzero(ends == end), end) for end in np.unique(ends).tolist()]


def _widened(x: np.ndarray, length: int, fill: int) -> np.ndarray:
    """Add the sites after the block."""
    after = np.full((len(x), length - x.shape[1]), fill, dtype=x.dtype)
    return np.concatenate([x, after], axis=1)


def _asking(ask: Ask, length: int) -> Ask:
    """The denoiser sees the sites after the block as masked, and its answer is cut to the rest."""

    def within(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        predictions, draws = ask(_widened(x, length, MASK))
        return predictions[:, : x.shape[1]], draws[:, : x.shape[1]]

    return within
