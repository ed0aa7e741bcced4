"""Draws from a sampler, in batches, counted by what was written."""

import contextlib
import copy
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from sims.conformance.replay import END, Replay, replaying
from theory._core.arrays import to_host
from theory.errors import InvalidInput

__all__ = ["Draws", "draw", "takes_generator"]

BATCH = 4096
"""Sequences that are drawn at once, unless another number is asked for."""


class Draws(NamedTuple):
    """What a sampler wrote.

    Attributes
    ----------
    tokens : ndarray of int64, shape (N, L)
    counts : ndarray of int64, shape (V,)*L
        Of each sequence; what holds other ids than tokens is left out.
    calls : float
        Mean number of an oracle's calls that a sequence took part in.
    batch : int
        Sequences that were asked for at once.
    """

    tokens: np.ndarray
    counts: np.ndarray
    calls: float
    batch: int

    @property
    def outside(self) -> int:
        """Sequences with ids that are no tokens."""
        return len(self.tokens) - int(self.counts.sum())


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
    batch = min(size, batch or _fitting(ask))
    sizes = [batch] * (size // batch) + [size % batch] * bool(size % batch)
    calls, parts = 0, []
    with _torch_seeded(rng):
        for count in progress(sizes):
            with replaying(_Calls(count)) as run:
                parts.append(_as_tokens(ask(count), count, len(shape)))
            calls += int(run.calls.sum())
    tokens = np.concatenate(parts)
    inside = ((tokens >= 0) & (tokens < shape[0])).all(axis=1)
    codes = np.ravel_multi_index(tuple(tokens[inside].T), shape)
    counts = np.bincount(codes, minlength=int(np.prod(shape))).reshape(shape)
    return Draws(tokens, counts, calls / size, batch)


def takes_generator(sampler: Callable[..., Any]) -> bool:
    """Whether a sampler is to be called with a number of sequences and a generator.

    >>> takes_generator(lambda n, rng: None), takes_generator(lambda n, steps=3: None)
    (True, False)
    """
    parameters = inspect.signature(sampler).parameters.values()
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in positional and p.default is p.empty for p in parameters) == 2


class _Calls(Replay):
    """Counts the calls of oracles, and decides nothing."""

    def __init__(self, rows: int) -> None:
        super().__init__(np.full((rows, 1), END))

    def called(self, x: np.ndarray) -> None:
        self.calls[: len(x)] += 1


def _fitting(ask: Callable[[int], Any]) -> int:
    """How many sequences to ask for: one of a sampler that fails with two."""
    try:
        return BATCH if len(ask(2)) == 2 else 1
    except Exception:  # of any kind: it is code of others
        return 1


@contextlib.contextmanager
def _torch_seeded(rng: np.random.Generator) -> Iterator[None]:
    torch: Any = sys.modules.get("torch")  # a sampler that uses it has imported it
    if torch is None:
        yield
        return
    with torch.random.fork_rng():
        torch.manual_seed(int(rng.integers(2**63)))
        yield


def _as_tokens(answer: Any, size: int, length: int) -> np.ndarray:
    """The last L of what was returned, which may hold a prompt in front."""
    tokens = to_host(answer)
    if tokens.ndim != 2 or tokens.shape[0] != size or tokens.shape[1] < length:
        raise InvalidInput(
            f"the sampler was asked for {size} sequences of {length} sites and returned an array "
            f"of shape {tokens.shape}"
        )
    if tokens.dtype.kind not in "iu":
        raise InvalidInput(f"the sampler returned {tokens.dtype}; tokens are integers")
    return tokens[:, -length:].astype(np.int64)
