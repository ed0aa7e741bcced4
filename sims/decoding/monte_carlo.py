"""Samples of what a decoder writes, for distributions of any length and family.

For small ones `sims.decoding.exact` computes the distribution that they are drawn from.
"""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from sims.decoding.arguments import as_decoder, as_run, refuse_masked
from sims.decoding.denoiser import TemperedDenoiser, predictor
from sims.decoding.informed import drawn_informed
from sims.decoding.sampling import Temperature
from sims.policies import Corrector, Decoder, InformedCorrector, Policy, TokenPolicy
from sims.policies.base import Select
from sims.policies.checks import check_choice, check_written
from sims.policies.observed_sites import predictions_with
from theory import MASK
from theory._console.progress import tracked
from theory._core.arrays import from_host, read_only, to_host, within_memory
from theory._core.plurals import counted
from theory._core.segments import groups, row_counts
from theory._core.types import Array, ArrayLike
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
    """Sequences that a decoder has written.

    Attributes
    ----------
    tokens : array of int64, shape (size, L)
        On the backend of the distribution.
    rounds : ndarray of int64, shape (size,)
        Calls of the denoiser that each sequence took.
    states : ndarray of int64, shape (T+1, size, L), or None
        Every sequence after 0, 1, ... T steps, with masks, if they were kept. Those that are
        finished early stay as they are.

    >>> Decoded(np.zeros((2, 4), np.int64), np.asarray([2, 3]), None)
    <Decoded: 2 sequences of length 4, 2.5 rounds on average>
    """

    tokens: Array
    rounds: np.ndarray
    states: np.ndarray | None

    def __repr__(self) -> str:
        count, length = self.tokens.shape
        calls = f"{np.mean(self.rounds):.4g} rounds on average" if count else "no rounds"
        return f"<Decoded: {counted(count, 'sequence')} of length {length}, {calls}>"

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
        steps = np.arange(len(other), dtype=np.int64)[:, None, None]
        return np.where(other, steps, -1).max(axis=0, initial=-1)

    @cached_property
    def order(self) -> np.ndarray:
        """Sites in the order in which they were revealed, (size, L); within a step, ascending."""
        return np.argsort(self.revealed_at, axis=1, kind="stable")

    def kept_states(self) -> np.ndarray:
        """The states, if they were kept."""
        if self.states is None:
            raise InvalidInput("the states were not kept: decode(..., trajectory=True)")
        return self.states


@within_memory("what is decoded at once")
def decode(
    p: Distribution,
    policy: Decoder | Select,
    rng: np.random.Generator,
    size: int,
    temperature: Temperature = 1.0,
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
    prompt : array_like of int, shape (L,), or str, optional
        Tokens that are given, as for `output_distribution`: all sequences keep them.
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
    p, decoder, samplings, given = as_run(p, as_decoder(policy), temperature, observed, prompt)
    size = check_draw(rng, size)
    if batch is None:
        batch = max(1, NUMBERS // (p.length * p.vocab))
    batch = min(as_integer(batch, "batch", 1), size)
    predict = partial(predictions_with, predictor(p, denoiser), observed=decoder.observed)
    in_floats = (lambda x: as_floats(predict(x))) if p.exact else predict
    call_denoiser = TemperedDenoiser(in_floats, *samplings)
    parts = []
    for start in tracked(range(0, size, batch), progress):
        part = _Batch(p, call_denoiser, rng, min(batch, size - start), given, trajectory)
        part.decode(decoder)
        parts.append(part)
    tokens = from_host(np.concatenate([part.x for part in parts]), p.like)
    calls = np.concatenate([part.calls for part in parts])
    return Decoded(tokens, calls, _joined([part.states for part in parts]) if trajectory else None)


def _joined(histories: list[list[np.ndarray]]) -> np.ndarray:
    """Put the histories of batches side by side; the short ones stay as they ended."""
    steps = max(map(len, histories))
    padded = [history + history[-1:] * (steps - len(history)) for history in histories]
    return np.concatenate([np.stack(history) for history in padded], axis=1)


class _Batch:
    """Sequences that are written together: so far, and the calls of the denoiser for each."""

    def __init__(
        self,
        p: Distribution,
        call_denoiser: TemperedDenoiser,
        rng: np.random.Generator,
        size: int,
        observed: tuple[int, ...],
        trajectory: bool,
    ) -> None:
        self.p, self.call_denoiser, self.rng = p, call_denoiser, rng
        self.observed = list(observed)
        self.given = np.isin(np.arange(p.length, dtype=np.int64), observed)
        self.written = np.flatnonzero(~self.given)
        self.x = np.full((size, p.length), MASK, dtype=np.int64)
        self.calls = np.zeros(size, dtype=np.int64)
        self.finished = np.zeros(size, dtype=bool)  # although it could be masked again
        self.trajectory = trajectory
        self.states: list[np.ndarray] = []

    def decode(self, decoder: Decoder) -> None:
        """Write all sequences."""
        if not isinstance(decoder, Corrector):
            if self.observed:
                self.x[:, self.observed] = self._data()[:, self.observed]
            self._keep_state()
            self._write(decoder)
            return
        if decoder.inner is None:
            self.x = np.array(self._data())
            self._keep_state()
        else:
            self.decode(decoder.inner)
        every = np.arange(len(self.x), dtype=np.int64)
        for _ in range(decoder.steps):
            if isinstance(decoder, InformedCorrector):
                written, call = self.written.tolist(), self.call_denoiser
                self.x = drawn_informed(self.x, decoder, call, written, self.rng)
                self.calls += 1
                self._keep_state()
                continue
            again = np.zeros(self.x.shape, dtype=bool)
            again[:, self.written] = decoder.choose(len(self.x), len(self.written), self.rng)
            masked = np.where(again, MASK, self.x)
            self._draw(masked, again, every, self.call_denoiser(masked)[1])
            self.calls += 1
            self._keep_state()

    def _data(self) -> np.ndarray:
        return to_host(self.p.sample(self.rng, len(self.x)))

    def _keep_state(self) -> None:
        if self.trajectory:
            self.states.append(self.x.copy())

    def _write(self, decoder: Decoder) -> None:
        assert isinstance(decoder, Policy | TokenPolicy)
        steps = decoder.steps
        for index in itertools.count():
            going = (self.x == MASK).any(axis=1) | decoder.remasks
            active = np.flatnonzero(going & ~self.finished)
            if not len(active) or index == steps:
                break
            if isinstance(decoder, TokenPolicy) and decoder.looks_at_tokens:
                self._write_tokens(decoder, active, index)
            else:
                assert isinstance(decoder, Policy)
                self._select(decoder, active, index)
            self._keep_state()
        refuse_masked(decoder, self.x)

    def _select(self, policy: Policy, active: np.ndarray, index: int) -> None:
        x = read_only(self.x[active])
        predictions, sampling_probs = self.call_denoiser.at(index)(x)
        flip = policy.choose(x, predictions, index, self.rng)
        check_choice(policy, x, flip)
        flip = flip & ~self.given  # what is given is not masked again
        reveal = flip & (x == MASK)
        self.calls[active] += reveal.any(axis=1)
        self._draw(np.where(flip & ~reveal, MASK, x), reveal, active, sampling_probs)

    def _write_tokens(self, policy: TokenPolicy, active: np.ndarray, index: int) -> None:
        x, call_denoiser = read_only(self.x[active]), self.call_denoiser.at(index)
        for _, rows in groups(row_counts(x == MASK)):
            after, calls = policy.write(x[rows], call_denoiser, index, self.rng)
            ones = np.ones(len(rows))
            check_written(policy, x[rows], ones, after, self.p.vocab, self.given)
            unchanged = ((after == x[rows]) & (after != MASK)).all(axis=1)
            self.finished[active[rows]] = policy.remasks & unchanged
            self.x[active[rows]] = after
            self.calls[active[rows]] += calls

    def _draw(
        self, x: np.ndarray, reveal: np.ndarray, active: np.ndarray, sampling_probs: np.ndarray
    ) -> None:
        """Draw tokens at the sites to reveal and put the sequences back."""
        if reveal.any():
            x[reveal] = draw_tokens(self.rng, sampling_probs[reveal])
        self.x[active] = x
