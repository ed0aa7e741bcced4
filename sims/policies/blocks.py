"""Semi-autoregressive: one block after another."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from sims.policies.base import (
    Ask,
    Decoder,
    Law,
    Outcomes,
    Policy,
    Select,
    TokenPolicy,
    as_rule,
    chances_of_rows,
    check_choice,
)
from theory import MASK
from theory._core.arrays import array_namespace, device
from theory._core.segments import groups, lookup
from theory.errors import InvalidInput
from theory.validation.arguments import as_integer

__all__ = ["Blocks"]


class Blocks(Policy, TokenPolicy):
    """Finish a block of `size` sites with another policy before the next block.

    Semi-autoregressive decoding as LLaDA and block diffusion use it [memory], and what the paper
    on why mask diffusion does not work is said to recommend with small blocks [restated]. It looks
    at what `inner` looks at. Exact if `inner` is: with blocks of one site, or an `inner` that
    reveals one site per round by position scores.

    Parameters
    ----------
    size : int
        Sites of a block; the last one may be shorter.
    inner : Policy, TokenPolicy, or a function as for `Rule`
        Sees the sequence up to the end of the block, in which only sites of the block are masked,
        with predictions given everything. (A token policy sees the whole sequence, in which the
        masks of later blocks are other negative numbers.) Its rounds are counted through all
        blocks; blocks within blocks are laid from the start of the sequence.

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
        if not isinstance(inner, Policy | TokenPolicy):
            raise InvalidInput(f"inner must be a Policy or a TokenPolicy, got {inner!r}")
        if isinstance(inner, Policy) and (inner.steps is not None or inner.revises):
            raise InvalidInput(f"blocks do not start together: {inner!r} has a clock")
        self.inner = inner
        self.looks_at_tokens = inner.looks_at_tokens

    def check(self, length: int, vocab: int) -> None:
        """Raise `InvalidInput` if the inner policy does not fit the blocks."""
        for size in {min(self.size, length), length % self.size or min(self.size, length)}:
            self.inner.check(size, vocab)

    def law(self, x: Any, predictions: Any, round_index: int) -> Law:
        """Yield the outcomes of the inner policy within the block."""
        assert isinstance(self.inner, Policy)
        xp = array_namespace(x)
        every = xp.arange(x.shape[0], dtype=xp.int64, device=device(x))
        for rows, end in self._by_block(x):
            # where a row is among these rows, if it is
            place = xp.searchsorted(rows, every)
            place = xp.where(place == rows.shape[0], 0, place)
            here = xp.take(rows, place) == every
            seen = xp.take(x, rows, axis=0)[:, :end]
            guessed = xp.take(predictions, rows, axis=0)[:, :end, ...]
            for chance, within in self.inner.law(seen, guessed, round_index):
                chances = chances_of_rows(chance, seen)
                check_choice(self.inner, seen, within, chances != 0)
                chances = lookup(chances, place)
                reveal = here[:, None] & lookup(within, place)
                after = xp.zeros_like(x[:, end:]) != 0
                yield xp.where(here, chances, 0), xp.concat([reveal, after], axis=1)

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

    def outcomes(self, x: Any, ask: Ask, round_index: int) -> Outcomes:
        """Yield the outcomes of the inner policy within the block."""
        assert isinstance(self.inner, TokenPolicy)
        hidden, asking = self._hide(x), _asking(ask)
        xp = array_namespace(x)
        for some, _ in self._by_block(x):
            inner = self.inner.outcomes(xp.take(hidden, some, axis=0), asking, round_index)
            for rows, chance, after, calls in inner:
                yield xp.take(some, rows), chance, _show(after), calls

    def write(
        self, x: np.ndarray, ask: Ask, round_index: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, int]:
        """Let the inner policy write."""
        assert isinstance(self.inner, TokenPolicy)
        after, calls = self.inner.write(self._hide(x), _asking(ask), round_index, rng)
        return _show(after), calls

    def _hide(self, x: Any) -> Any:
        """Hide the masks after the first block that has any."""
        xp = array_namespace(x)
        later = (x == MASK) & (_sites(x) >= self._end(x)[:, None])
        return xp.where(later, HIDDEN, x)

    def _end(self, x: Any) -> Any:
        """Where the first block with a masked site ends, (B,)."""
        xp = array_namespace(x)
        first = xp.argmax(xp.astype(x == MASK, xp.int64), axis=1)
        end = (first // self.size + 1) * self.size
        return xp.where(end > x.shape[1], x.shape[1], end)

    def _by_block(self, x: Any) -> Iterator[tuple[Any, int]]:
        """Rows with the same block and equally many masked sites in it, and where it ends."""
        xp, ends = array_namespace(x), self._end(x)
        within = (x == MASK) & (_sites(x) < ends[:, None])
        masked = xp.sum(xp.astype(within, xp.int64), axis=1)
        kinds = ends * (x.shape[1] + 1) + masked
        for kind, rows in groups(kinds):
            yield rows, kind // (x.shape[1] + 1)


HIDDEN = MASK - 1
"""What an inner token policy sees in place of the masks of later blocks."""


def _sites(x: Any) -> Any:
    xp = array_namespace(x)
    return xp.arange(x.shape[1], dtype=xp.int64, device=device(x))


def _show(x: Any) -> Any:
    return array_namespace(x).where(x == HIDDEN, MASK, x)


def _asking(ask: Ask) -> Ask:
    """The denoiser sees later blocks as masked."""
    return lambda x: ask(_show(x))
