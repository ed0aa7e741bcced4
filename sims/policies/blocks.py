"""Semi-autoregressive decoding: one block after another."""

import copy
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np

from sims.policies.base import (
    CallDenoiser,
    Decoder,
    Outcomes,
    Policy,
    Reveals,
    Select,
    TokenPolicy,
    as_rule,
    told,
)
from sims.policies.checks import check_choice, row_probabilities
from sims.policies.eligible import as_eligible, with_eligible
from theory import MASK
from theory._core.arrays import array_namespace, device
from theory._core.segments import any_true, gather, groups, row_counts, scatter
from theory._core.types import Array
from theory.errors import InvalidInput
from theory.validation.arguments import as_integer

__all__ = ["Blocks"]


class Blocks(Policy, TokenPolicy):
    """Finish a block of `size` sites with another policy before the next block.

    Semi-autoregressive decoding as LLaDA and SDAR use it [code run], and what the paper on why mask
    diffusion does not work is said to recommend with small blocks [restated]. It depends on what
    `inner` depends on. Exact if `inner` is: with blocks of one site, or an `inner` that reveals one
    site per round by position scores.

    Parameters
    ----------
    size : int
        Sites of a block; the last one may be shorter.
    inner : Policy, TokenPolicy, or a function as for `Rule`
        Sees the sequence up to the end of the block, in which only sites of the block are masked,
        with predictions given everything. (A token policy that takes `eligible` sees the whole
        sequence, and which sites are the block's.) Its rounds are counted through all blocks,
        unless it is on a clock of T steps: each block then takes T steps of its own.

    Notes
    -----
    Blocks are laid from the start of the sequence or, where sites are given, from the end of the
    leading run of given sites, as semi-autoregressive samplers do; so are blocks within blocks.
    `Mirrored` blocks are laid from the other end of what `Mirrored` is shown.

    On a clock, what lies before a block counts as given: it is never masked again, and blocks
    within a block are laid from its start. A block in which everything is given takes no step.
    BD3-LM samples so, T ancestral steps a block, where first hitting is off [code read].

    >>> from sims.policies import LeftToRight
    >>> from theory import gallery
    >>> from sims import output_distribution
    >>> q = output_distribution(gallery.coupled_pairs(2), Blocks(2, LeftToRight(2)))
    >>> q.valid_mass, q.expected_rounds       # each block is a pair
    (0.25, 2.0)
    >>> from sims.policies import Bernoulli
    >>> q = output_distribution(gallery.coupled_pairs(2), Blocks(2, Bernoulli((0, 0.5, 1))))
    >>> q.valid_mass, q.expected_rounds       # each pair is drawn at once with probability 1/2
    (0.5625, 3.0)
    """

    def __init__(self, size: int, inner: Decoder | Select) -> None:
        self.size = as_integer(size, "size", 1)
        inner = as_rule(inner)
        if not isinstance(inner, Policy | TokenPolicy):
            raise InvalidInput(f"inner must be a Policy or a TokenPolicy, got {inner!r}")
        if inner.remasks and (inner.steps is None or inner.looks_at_tokens):
            raise InvalidInput(
                f"inner must finish a block and leave it: {inner!r} may come back to any site"
            )
        self.inner = inner
        self._start, self._length = 0, None
        self._given: tuple[int, ...] = ()
        self._steps: list[tuple[int, int, Policy, int]] = []
        self.depends_on, self.randomised = inner.depends_on, inner.randomised
        self.observed = inner.observed
        if inner.remasks:
            self.remasks = True

    @property
    def steps(self) -> int | None:
        """Those of all blocks; of one, as long as the length is not known (see `with_given`)."""
        if self.inner.steps is None or self._length is None:
            return self.inner.steps
        return len(self._steps)

    def with_given(self, sites: tuple[int, ...], length: int) -> Self:
        """Lay the blocks from the end of the leading run of given sites."""
        known = told(self, sites, length) if self.looks_at_tokens else copy.copy(self)
        known._given, known._length = tuple(sorted(sites)), length
        known._start = next(k for k, site in enumerate((*known._given, -1)) if site != k)
        if self.inner.steps is not None:
            given = set(sites)
            masked = [site for site in range(length) if site not in given]
            known._steps = [
                (start, end, inner, step)
                for start, end, _ in known._blocks(masked, length)
                for inner in [known._told(start, end)]
                for step in range(inner.steps)
            ]
        return known

    def _blocks(self, masked: Sequence[int], length: int) -> Iterator[tuple[int, int, list[int]]]:
        """Where each block with a masked site starts and ends, and those that are masked in it."""
        within: dict[int, list[int]] = {}
        for site in masked:
            within.setdefault((site - self._start) // self.size, []).append(site)
        for block, sites in within.items():
            start = self._start + block * self.size
            yield start, min(start + self.size, length), sites

    def _told(self, start: int, end: int) -> Any:
        """The inner policy, which sees the sequence up to the end of a block."""
        if self.inner.steps is not None:
            given = [site for site in self._given if start <= site < end]
            return self.inner.with_given((*range(start), *given), end)
        if not self._given or self.looks_at_tokens:
            return self.inner
        return self.inner.with_given(self._given[: bisect_left(self._given, end)], end)

    def check(self, length: int, vocab: int) -> None:
        """Raise `InvalidInput` if the inner policy does not fit what is masked in the blocks."""
        length = length if self._length is None else self._length
        given = set(self._given)
        masked = [site for site in range(length) if site not in given]
        self.check_within(masked, length, vocab)

    def check_within(self, masked: Sequence[int], length: int, vocab: int) -> None:
        """Raise `InvalidInput` if the inner policy does not fit those masked in each block."""
        for start, end, sites in self._blocks(masked, length):
            shown = length if self.looks_at_tokens else end
            self._told(start, end).check_within(sites, shown, vocab)

    def reveal_distribution(self, x: Array, predictions: Array, round_index: int) -> Reveals:
        """Yield the outcomes of the inner policy within the block."""
        assert isinstance(self.inner, Policy)
        xp = array_namespace(x)
        if self.inner.steps is not None:
            end, inner, step = self._at(x, round_index)
            seen, later = x[:, :end], xp.zeros_like(x[:, end:]) != 0
            if not inner.remasks and not any_true(seen[:1, :] == MASK):  # as in all rows
                yield 1, x != x
                return
            outcomes = inner.reveal_distribution(seen, predictions[:, :end, ...], step)
            for probability, reveal in outcomes:
                check_choice(inner, seen, reveal, row_probabilities(probability, seen) != 0)
                yield probability, xp.concat([reveal, later], axis=1)
            return
        for rows, end in self._by_block(x == MASK):
            known, guessed = gather(x, rows), gather(predictions, rows)[:, :end, ...]
            seen, later = known[:, :end], xp.zeros_like(known[:, end:]) != 0
            inner = self._told(0, end)
            for probability, reveal in inner.reveal_distribution(seen, guessed, round_index):
                probabilities = row_probabilities(probability, seen)
                check_choice(inner, seen, reveal, probabilities != 0)
                reveal = scatter(rows, xp.concat([reveal, later], axis=1), x.shape[0])
                yield scatter(rows, probabilities, x.shape[0]), reveal

    def choose(
        self, x: np.ndarray, predictions: np.ndarray, round_index: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Let the inner policy choose."""
        assert isinstance(self.inner, Policy)
        reveal = np.zeros(x.shape, dtype=bool)
        if self.inner.steps is not None:
            end, inner, step = self._at(x, round_index)
            rows = np.flatnonzero((x[:, :end] == MASK).any(axis=1) | inner.remasks)
            if len(rows):
                seen = x[rows, :end], predictions[rows, :end]
                reveal[rows, :end] = inner.choose(*seen, step, rng)
            return reveal
        for rows, end in self._by_block(x == MASK):
            seen = x[rows, :end], predictions[rows, :end]
            reveal[rows, :end] = self._told(0, end).choose(*seen, round_index, rng)
        return reveal

    def _at(self, x: Array, round_index: int) -> tuple[int, Policy, int]:
        """The end of the block of a step, the policy within it, and which of its steps it is."""
        if not self._steps:
            raise InvalidInput(f"{self!r} has to know the length: with_given((), length)")
        start, end, inner, step = self._steps[round_index]
        if any_true(x[:, :start] == MASK):
            raise InvalidInput(f"{inner!r} leaves sites masked at the end of its clock")
        return end, inner, step

    def outcomes(
        self, x: Array, call_denoiser: CallDenoiser, round_index: int, eligible: Array | None = None
    ) -> Outcomes:
        """Yield the outcomes of the inner policy within the block."""
        assert isinstance(self.inner, TokenPolicy)
        eligible = self._within(as_eligible(x, eligible))
        inner = with_eligible(self.inner)
        for rows, _ in self._by_block(eligible):
            seen, here = gather(x, rows), gather(eligible, rows)
            outcomes = inner.outcomes(seen, call_denoiser, round_index, eligible=here)
            for some, probability, after, calls in outcomes:
                yield gather(rows, some), probability, after, calls

    def write(
        self,
        x: np.ndarray,
        call_denoiser: CallDenoiser,
        round_index: int,
        rng: np.random.Generator,
        eligible: Array | None = None,
    ) -> tuple[np.ndarray, int]:
        """Let the inner policy write."""
        assert isinstance(self.inner, TokenPolicy)
        eligible = self._within(as_eligible(x, eligible))
        inner = with_eligible(self.inner)
        return inner.write(x, call_denoiser, round_index, rng, eligible=eligible)

    def _end(self, allowed: Array) -> Array:
        """Where the first block with an allowed site ends, (B,)."""
        xp = array_namespace(allowed)
        first = xp.argmax(xp.astype(allowed, xp.int64), axis=1)
        end = self._start + ((first - self._start) // self.size + 1) * self.size
        return xp.where(end > allowed.shape[1], allowed.shape[1], end)

    def _within(self, allowed: Array) -> Array:
        """Those of the allowed sites that lie in the first block that has any."""
        xp = array_namespace(allowed)
        site = xp.arange(allowed.shape[1], dtype=xp.int64, device=device(allowed))
        return allowed & (site < self._end(allowed)[:, None])

    def _by_block(self, allowed: Array) -> Iterator[tuple[Array, int]]:
        """Rows with the same block and equally many allowed sites in it, and where it ends."""
        base = allowed.shape[1] + 1
        for kind, rows in groups(self._end(allowed) * base + row_counts(self._within(allowed))):
            yield rows, kind // base
