"""Draws from a sampler, in batches, counted by what was written."""

import contextlib
import copy
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from sims.conformance.exact import as_sequences, sampler_run, takes_generator
from sims.conformance.replay import END, Replay, replaying

__all__ = ["Draws", "draw"]

BATCH = 4096
"""Sequences that are drawn at once, unless another number is asked for."""

CELLS = 2**22
"""Random numbers that one call may ask for, for all sequences together."""

KEPT = 512
"""So many draws, those of the first batches, are kept as they are."""


class Draws(NamedTuple):
    """What a sampler wrote.

    Attributes
    ----------
    first : ndarray of int64, shape (M, L)
        The first of them.
    counts : ndarray of int64, shape (V,)*L
        Of each sequence.
    outside : int
        Sequences with ids that are no tokens.
    calls : float
        Mean number of an oracle's calls that a sequence took part in.
    """

    first: np.ndarray
    counts: np.ndarray
    outside: int
    calls: float


def draw(
    sampler: Callable[..., Any],
    shape: tuple[int, ...],
    size: int,
    rng: np.random.Generator,
    batch: int | None = None,
    progress: Callable[[Sequence[int]], Iterable[int]] = iter,
) -> Draws:
    """Draw sequences from a sampler.

    Parameters
    ----------
    sampler : callable
        As for `check`.
    shape : tuple of int
        ``(V,)*L``.
    size : int
    rng : numpy.random.Generator
        Of a sampler that takes a generator; else torch's is seeded from it, if torch is loaded,
        and is left as it was. It is copied: the same `rng` gives the same draws.
    batch : int, optional
        Sequences to ask for at once. If not given, one at a time for a sampler that fails with
        more.
    progress : callable
        Wraps the sizes of the batches.

    >>> coins = lambda n, rng: rng.integers(2, size=(n, 1))
    >>> drawn = draw(coins, (2,), 100, np.random.default_rng(0))
    >>> int(drawn.counts.sum()), bool(drawn.counts.min() > 30), drawn.outside, drawn.calls
    (100, True, 0, 0.0)
    """
    rng = copy.deepcopy(rng)
    ask = sampler if not takes_generator(sampler) else lambda n: sampler(n, rng)
    if batch is None:
        with _torch_seeded(rng):
            batch = _fitting(sampler, ask, len(shape))
    first_size = min(size, KEPT)
    sizes = [*_split(first_size, batch), *_split(size - first_size, batch)]
    counts = np.zeros(math.prod(shape), dtype=np.int64)
    first: list[np.ndarray] = []
    calls = outside = 0
    with _torch_seeded(rng):
        for count in progress(sizes):
            with replaying(_Calls(count)) as run:
                tokens = as_sequences(ask(count), count, len(shape))[0]
            calls += int(run.calls.sum())
            inside = ((tokens >= 0) & (tokens < shape[0])).all(axis=1)
            codes = np.ravel_multi_index(tuple(tokens[inside].T), shape)
            counts += np.bincount(codes, minlength=len(counts))
            outside += count - int(inside.sum())
            if sum(map(len, first)) < KEPT:
                first.append(tokens)
    return Draws(np.concatenate(first), counts.reshape(shape), outside, calls / size)


class _Calls(Replay):
    """Counts the calls of oracles, and decides nothing."""

    def __init__(self, rows: int) -> None:
        super().__init__(np.full((rows, 1), END, dtype=np.int32))

    def called(self, x: np.ndarray) -> None:
        self.calls[: len(x)] += 1


def _split(size: int, batch: int) -> list[int]:
    """Sizes of batches.

    >>> _split(5, 2), _split(0, 2)
    ([2, 2, 1], [])
    """
    return [batch] * (size // batch) + [size % batch] * bool(size % batch)


def _fitting(sampler: Callable[..., Any], ask: Callable[[int], Any], sites: int) -> int:
    """How many sequences to ask for: so many that memory suffices, or one if two are too many."""
    probe = Replay(np.full((1, 1), END, dtype=np.int32), (sites,))
    with contextlib.suppress(Exception):  # of any kind: it is code of others
        sampler_run(sampler)(probe)
    most = max(1, min(BATCH, CELLS // max(1, probe.cells)))
    try:
        return most if most > 1 and len(ask(2)) == 2 else 1
    except Exception:
        return 1


@contextlib.contextmanager
def _torch_seeded(rng: np.random.Generator) -> Iterator[None]:
    of_torch: Any = sys.modules.get("torch.random")  # a sampler that uses it has imported it
    if of_torch is None:
        yield
        return
    with of_torch.fork_rng():
        of_torch.manual_seed(int(rng.integers(2**63)))
        yield
