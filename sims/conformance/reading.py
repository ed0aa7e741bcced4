"""Whether a sampler reads predictions at observed sites, which no training loss determines."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from sims.conformance.exact import as_sequences, sampler_run
from sims.conformance.oracle import answering
from sims.conformance.replay import END, Replay
from sims.policies.observed_sites import OBSERVED

__all__ = ["reads_observed"]

ROWS = 512
ROWS_ALONE = 64
"""Sequences that are compared, and so many of a sampler that takes one at a time."""


def reads_observed(sampler: Callable[..., Any], length: int, batch: int | None = None) -> bool:
    """Whether the same random numbers write other sequences under another convention.

    Numbers are not drawn: what a sampler chooses is fixed for each sequence by the chances that it
    chooses with. So one that does not read predictions at observed sites writes the same tokens
    under all conventions.

    Parameters
    ----------
    sampler : callable
        As for `exact_distribution`.
    length : int
    batch : int, optional
        Sequences to ask for at once.

    Raises
    ------
    NotEnumerable

    >>> from sims.conformance import Oracle
    >>> from theory import gallery
    >>> model = Oracle(gallery.coupled_pairs(1))
    >>> def draws(n, rng, shown):
    ...     logits = model(np.full((n, 2), shown)).logits[..., :2]
    ...     return (logits + rng.gumbel(size=logits.shape)).argmax(-1)
    >>> [reads_observed(lambda n, rng: draws(n, rng, shown), 2) for shown in (model.mask_id, 0)]
    [False, True]
    """
    if batch is None:
        try:
            return _differs(sampler, length, ROWS, ROWS)
        except Exception:  # of any kind: it is code of others, which may want one at a time
            batch = 1
    return _differs(sampler, length, ROWS if batch > 1 else ROWS_ALONE, batch)


SPREAD = 1e3
"""How far numbers for chances that are nearly the same lie apart."""


def _differs(sampler: Callable[..., Any], length: int, rows: int, batch: int) -> bool:
    run, sites = sampler_run(sampler), (length,)
    answers = []
    for convention in OBSERVED:
        parts = []
        with answering(observed=convention):
            for first in (0, *range(1, rows, batch)):  # one alone, which shows how wide they are
                replay = _Fixed(first, min(batch, rows - first) if first else 1, sites)
                tokens, width = as_sequences(run(replay), replay.rows, length)
                parts.append(tokens)
                sites = (length, width)
        answers.append(np.concatenate(parts))
    return any((answer != answers[0]).any() for answer in answers)


class _Fixed(Replay):
    """A run whose choices are made by numbers that depend on the row, its calls and the chances.

    So what else is asked, such as of sites where nothing is left to be written, changes nothing;
    and what is asked again, by the same chances after another call, is answered anew.
    """

    def __init__(self, first: int, rows: int, sites: tuple[int, ...]) -> None:
        super().__init__(np.full((rows, 1), END, dtype=np.int32), sites)
        self._numbers = np.arange(first + 1, first + rows + 1, dtype=np.float64) * math.sqrt(5)

    def _choose_in(self, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
        upper = np.cumsum(np.asarray(weights, dtype=np.float64), axis=2)
        upper = upper / upper[..., -1:]
        scales = SPREAD * np.sqrt(np.arange(2, 2 + weights.shape[2], dtype=np.float64))
        numbers = self._numbers[rows] + self.calls[rows] * math.sqrt(3)
        shares = (numbers[:, None] + (upper * scales).sum(axis=2)) % 1
        chosen = (upper <= shares[..., None]).sum(axis=2)
        return np.minimum(chosen, weights.shape[2] - 1)
