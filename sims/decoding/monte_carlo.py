"""Decoding by drawing: any length, any family, batch by batch.

For small distributions `sims.decoding.exact` says what this estimates.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sims.decoding.arguments import as_decoder, as_run, refuse_masked
from sims.decoding.denoiser import WithDraws, predictor
from sims.policies import Corrector, Decoder, Policy, TokenPolicy
from sims.policies.base import CallDenoiser, Select
from sims.policies.checks import check_choice, check_written
from theory import MASK
from theory._console.progress import tracked
from theory._core.arrays import from_host, read_only, to_host, within_memory
from theory._core.segments import groups, row_counts
from theory._core.types import ArrayLike
from theory.distributions.base import Distribution
from theory.distributions.sampling import as_floats, check_draw, draw_tokens
from theory.errors import InvalidInput
from theory.loss.forward import Denoiser
from theory.validation.arguments import as_integer

__all__ = ["Decoded", "decode"]

NUMBERS = 2**22
"""Predictions held at once: batches are made so large by themselves."""


@dataclass(frozen=True, eq=False)
class Decoded:
    """What a decoder has written.

    Attributes
    ----------
    tokens : array of int64, shape (size, L)
        On the backend of the distribution.
    rounds : ndarray of int64, shape (size,)
        Calls of the denoiser that each sequence took.
    states : ndarray of int64, shape (T+1, size, L), or None
        Every sequence after 0, 1, ... T steps, with masks, if it was asked for. Those that are
        finished early stay as they are.
    """

    tokens: Any
    rounds: np.ndarray
    states: np.ndarray | None

    @cached_property
    def revealed_at(self) -> np.ndarray:
        """The step, counted from 0, in which each site was given its final token, (size, L).

        A site that is drawn again and gets the same token counts from when it last changed; one
        that never changes has -1.

        Raises
        ------
        InvalidInput
            If the states were not kept.
        """
        states = self.kept_states()
        other = states[:-1] != states[-1]
        steps = np.arange(len(other))[:, None, None]
        return np.where(other, steps, -1).max(axis=0, initial=-1)

    @cached_property
    def order(self) -> np.ndarray:
        """Sites in the order in which they were revealed, (size, L); within a step, ascending."""
        return np.argsort(self.revealed_at, axis=1, kind="stable")

    def kept_states(self) -> np.ndarray:
        if self.states is None:
            raise InvalidInput("the states were not kept: decode(..., trajectory=True)")
        return self.states


@within_memory("what is decoded at once")
def decode(
    p: Distribution,
    policy: Decoder | Select,
    rng: np.random.Generator,
    size: int,
    temperature: float = 1.0,
    denoiser: Denoiser | None = None,
    *,
    observed: Iterable[int] = (),
    prompt: ArrayLike | None = None,
    batch: int | None = None,
    trajectory: bool = False,
    progress: bool | None = None,
) -> Decoded:
    """Write `size` sequences with a decoder.

    Parameters
    ----------
    p : Distribution
        Any family and length that can predict.
    policy, temperature, denoiser
        As for `output_distribution`. Exact distributions are drawn from in floats.
    rng : numpy.random.Generator
        Equal seeds and batches give equal sequences, on every backend.
    size : int
    observed : iterable of int
        Sites that are given from the start, with tokens drawn from the data.
    batch : int, optional
        Sequences decoded together; as many as keep predictions within 32 MiB if not given.
    trajectory : bool
        Keep the sequences after every step: ``steps * size * L`` integers.
    progress : bool, optional
        Show a progress bar on standard error; by default on a terminal, and elsewhere a line
        every twenty seconds.

    Returns
    -------
    Decoded

    Raises
    ------
    InvalidInput
        As `output_distribution` does.

    Examples
    --------
    A repeated bit of a thousand sites, the first site alone and then all that are certain:

    >>> from sims import policies
    >>> from theory import gallery
    >>> p = gallery.repeated_bit(1000)
    >>> written = decode(p, policies.Threshold(0.9), np.random.default_rng(0), 3)
    >>> written.tokens.sum(axis=1).tolist(), written.rounds.tolist()
    ([0, 1000, 1000], [2, 2, 2])
    """
    p, decoder, temperature, given = as_run(p, as_decoder(policy), temperature, observed, prompt)
    size = check_draw(rng, size)
    if batch is None:
        batch = max(1, NUMBERS // (p.length * p.vocab))
    batch = min(as_integer(batch, "batch", 1), size)
    ask = WithDraws(predictor(p, denoiser), temperature)
    run = _Run(p, ask, rng, trajectory, given)
    parts = [
        run.decode(decoder, min(batch, size - start))
        for start in tracked(range(0, size, batch), progress)
    ]
    tokens = from_host(np.concatenate([part.x for part in parts]), p.like)
    rounds = np.concatenate([part.calls for part in parts])
    return Decoded(tokens, rounds, _joined([part.states for part in parts]) if trajectory else None)


def _joined(histories: list[list[np.ndarray]]) -> np.ndarray:
    """Put the histories of batches side by side; the short ones stay as they ended."""
    steps = max(map(len, histories))
    padded = [history + history[-1:] * (steps - len(history)) for history in histories]
    return np.concatenate([np.stack(history) for history in padded], axis=1)


class _Batch:
    """Sequences that are written together."""

    def __init__(self, x: np.ndarray) -> None:
        self.x = x
        self.calls = np.zeros(len(x), dtype=np.int64)
        self.states: list[np.ndarray] = []


class _Run:
    """What all batches share."""

    def __init__(
        self,
        p: Distribution,
        ask: CallDenoiser,
        rng: np.random.Generator,
        trajectory: bool,
        observed: tuple[int, ...],
    ) -> None:
        self.p, self.rng, self.trajectory = p, rng, trajectory
        self.observed = list(observed)
        self.given = np.isin(np.arange(p.length), observed)
        self.free = np.flatnonzero(~self.given)
        self.ask = _floats(ask) if p.exact else ask

    def decode(self, decoder: Decoder, size: int) -> _Batch:
        """Write one batch."""
        if not isinstance(decoder, Corrector):
            batch = _Batch(np.full((size, self.p.length), MASK, dtype=np.int64))
            if self.observed:
                batch.x[:, self.observed] = to_host(self.p.sample(self.rng, size))[:, self.observed]
            self._note(batch)
            self._write(decoder, batch)
            return batch
        if decoder.inner is None:
            batch = _Batch(np.array(to_host(self.p.sample(self.rng, size))))
            self._note(batch)
        else:
            batch = self.decode(decoder.inner, size)
        for _ in range(decoder.steps):
            again = np.zeros(batch.x.shape, dtype=bool)
            again[:, self.free] = decoder.choose(size, len(self.free), self.rng)
            masked = np.where(again, MASK, batch.x)
            self._draw(batch, masked, again, np.arange(size), self.ask(masked)[1])
            batch.calls += 1
            self._note(batch)
        return batch

    def _note(self, batch: _Batch) -> None:
        if self.trajectory:
            batch.states.append(batch.x.copy())

    def _write(self, decoder: Decoder, batch: _Batch) -> None:
        steps = decoder.steps if isinstance(decoder, Policy) else None
        index = 0
        while True:
            active = np.flatnonzero((batch.x == MASK).any(axis=1))
            if isinstance(decoder, Policy) and decoder.remasks:
                active = np.arange(len(batch.x))
            if not len(active) or index == steps:
                break
            if isinstance(decoder, TokenPolicy) and decoder.looks_at_tokens:
                self._write_tokens(decoder, batch, active, index)
            else:
                assert isinstance(decoder, Policy)
                self._select(decoder, batch, active, index)
            self._note(batch)
            index += 1
        refuse_masked(decoder, batch.x)

    def _select(self, policy: Policy, batch: _Batch, active: np.ndarray, index: int) -> None:
        x = read_only(batch.x[active])
        predictions, draws = self.ask(x)
        flip = policy.choose(x, predictions, index, self.rng)
        check_choice(policy, x, flip)
        flip = flip & ~self.given  # what is given is not masked again
        reveal = flip & (x == MASK)
        batch.calls[active] += reveal.any(axis=1)
        self._draw(batch, np.where(flip & ~reveal, MASK, x), reveal, active, draws)

    def _write_tokens(
        self, policy: TokenPolicy, batch: _Batch, active: np.ndarray, index: int
    ) -> None:
        x = read_only(batch.x[active])
        for _, rows in groups(row_counts(x == MASK)):
            after, calls = policy.write(x[rows], self.ask, index, self.rng)
            check_written(policy, x[rows], np.ones(len(rows)), after, self.p.vocab)
            batch.x[active[rows]] = after
            batch.calls[active[rows]] += calls

    def _draw(
        self,
        batch: _Batch,
        x: np.ndarray,
        reveal: np.ndarray,
        active: np.ndarray,
        draws: np.ndarray,
    ) -> None:
        """Draw tokens at the sites to reveal and put the sequences back."""
        if reveal.any():
            x[reveal] = draw_tokens(self.rng, draws[reveal])
        batch.x[active] = x


def _floats(ask: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]) -> CallDenoiser:
    def in_floats(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        predictions, draws = ask(x)
        return as_floats(predictions), as_floats(draws)

    return in_floats
