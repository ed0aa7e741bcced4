"""The exact output distribution of a sampler's own code, by enumerating its random choices."""

import contextlib
import inspect
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from sims.conformance.enumerated import EnumeratedDistribution
from sims.conformance.generator import ReplayGenerator
from sims.conformance.global_generators import unmoved
from sims.conformance.replay import AmbiguousRows, NotEnumerable, Paths, Replay, replaying
from theory import JointTable
from theory._core.arrays import as_array, from_host, require_memory, to_host
from theory._core.plurals import counted
from theory._core.types import ArrayLike
from theory.distributions.base import Distribution, check_distribution
from theory.distributions.sampling import as_floats
from theory.errors import InvalidInput
from theory.validation.arguments import as_integer

__all__ = ["as_sequences", "exact_distribution", "sampler_run", "takes_generator"]

BATCH = 4096
"""Paths that are run at once, unless another number is asked for."""

CELLS = 2**20
"""Random numbers that one call may ask for in all rows together."""

AGAIN = 8
"""So often the first path is run again, alone, and in so many rows at once."""

ROUNDING = 1e-9
"""Masses that differ by more are not equal."""


def exact_distribution(
    sampler: Callable[..., ArrayLike],
    p: Distribution,
    *,
    paths: int = 100_000,
    batch: int | None = None,
) -> EnumeratedDistribution:
    """What a sampler writes, exactly: every random choice of its code is enumerated.

    The sampler is run as it is, again and again, and what it takes for random numbers are objects
    that know what is made of them. Categorical draws (with a generator's own methods, by a maximum
    of scores with Gumbel noise, by exponential races, by inverting a distribution function, each
    with a temperature), coins, uniform subsets, permutations and integers are choices; each path
    through them is run once. Many paths are run at once, as the rows of one batch.

    Parameters
    ----------
    sampler : callable
        From n and a `numpy.random.Generator`, ``sampler(n, rng)``, to n sequences of tokens (n, L);
        or, if it needs no second argument and has none called ``rng``, from n alone, for samplers
        that draw with torch. Rows are independent and equally distributed. There may be a prompt
        in front, (n, prompt + L), and ids that are no tokens, such as a mask that was left.
    p : Distribution
        The data, which the model of the sampler, an `Oracle`, knows.
    paths : int
        Paths to run at most. The most probable ones are run; the mass of the others is `missing`.
    batch : int, optional
        Paths to run at once. If not given, many, and one if it cannot be told which row a random
        number belongs to, if a row run alone is found to be different, or if the sampler fails
        with more than one; if given, all of these are errors.

    Returns
    -------
    EnumeratedDistribution
        An `OutputDistribution`, with `missing` and `outside`. Its numbers of calls are those of
        the oracle; see there what is counted of rows that are finished before others.

    Raises
    ------
    NotEnumerable
        Names the call that cannot be enumerated, and where the sampler made it.
    InvalidInput

    Notes
    -----
    Random numbers are taken for real numbers, whatever their type: that float32 has no number
    between 0 and ``2**-24`` is not seen. A constant of at most 1e-6 that keeps a logarithm finite
    is left out. A generator of the sampler's own is noticed by what another run of the same path
    writes, so that one whose numbers hardly ever matter may be missed.

    >>> from sims.conformance import Oracle
    >>> from theory import gallery
    >>> p = gallery.coupled_pairs(1)                      # two equal bits
    >>> model = Oracle(p)
    >>> def both_at_once(n, rng):
    ...     ids = np.full((n, 2), model.mask_id)
    ...     logits = model(ids).logits
    ...     return (logits + rng.gumbel(size=logits.shape)).argmax(-1)
    >>> q = exact_distribution(both_at_once, p)
    >>> q.table.tolist(), q.tv, q.rounds
    ([[0.25, 0.25], [0.25, 0.25]], 0.5, {1: 1.0})
    """
    check_distribution(p)
    most = as_integer(paths, "paths", 1)
    size = None if batch is None else as_integer(batch, "batch", 1)
    run = sampler_run(sampler)
    try:
        return _enumerated(run, p, most, size)
    except _WithManyRows:
        return _enumerated(run, p, most, 1)


class _WithManyRows(Exception):
    """A run with one row went well, and one with more did not."""


def _enumerated(
    run: Callable[[Replay], Any], p: Distribution, most: int, batch: int | None
) -> EnumeratedDistribution:
    require_memory(p.vocab**p.length, f"a table of shape ({p.vocab},)*{p.length}", p.like)
    paths, sites = Paths(most), (p.length,)
    table, outside = np.zeros((p.vocab,) * p.length), 0.0
    rounds: dict[int, float] = {}
    remasks, runs, size, widest = False, 0, 1, 1

    def result(replay: Replay) -> np.ndarray:
        tokens, width = as_sequences(run(replay), replay.rows, p.length)
        replay.sites = (p.length, width)
        replay.finish(tokens)
        return tokens

    while (replay := paths.take(size, sites)) is not None:
        try:
            tokens = result(replay)
            if not runs:
                for _ in range(AGAIN):
                    _run_alone(replay, tokens, result, 0)
                if batch is None:
                    _run_together(replay, tokens, result)
            if replay.rows > 1 or runs & (runs - 1) == 0:
                for row in _sample_of(replay.rows, runs):
                    _run_alone(replay, tokens, result, row)
        except Exception as failure:
            if replay.rows > 1 and batch is None:
                raise _WithManyRows from failure
            raise
        inside = ((tokens >= 0) & (tokens < p.vocab)).all(axis=1)
        np.add.at(table, tuple(tokens[inside].T), replay.mass[inside])
        outside += float(replay.mass[~inside].sum())
        for calls in np.unique(replay.calls).tolist():
            mass = float(replay.mass[replay.calls == calls].sum())
            rounds[calls] = rounds.get(calls, 0.0) + mass
        paths.add(replay)
        remasks, runs, widest = remasks or replay.remasks, runs + 1, max(widest, replay.rows)
        sites = replay.sites
        size = batch or max(1, min(BATCH, CELLS // max(1, replay.cells)))
    found = float(table.sum()) + outside
    if abs(found + paths.missing - 1) > ROUNDING:
        if batch is None:
            raise _WithManyRows
        raise NotEnumerable("the sampler", where=f"a total mass of {found}", because=OTHER)
    return EnumeratedDistribution(
        p=JointTable(as_floats(p.table()), symbols=p.symbols) if p.exact else p,
        table=from_host(table, p.like) if not p.exact else table,
        round_costs=(),
        remasks=remasks,
        rounds={calls: rounds[calls] * (1 - paths.missing) / found for calls in sorted(rounds)},
        data_rounds=None,
        states=paths.run,
        widest=widest,
        missing=paths.missing,
        outside=outside,
        paths=paths.run,
    )


OTHER = "its choices are not all made by the random numbers that it is given"


def _sample_of(rows: int, runs: int) -> list[int]:
    """Rows of a run that are also run alone: of few all, of many the ends and one between."""
    return list(range(rows)) if rows <= 8 else [0, 1 + runs % (rows - 2), rows - 1]


def _run_alone(
    replay: Replay, tokens: np.ndarray, result: Callable[[Replay], np.ndarray], row: int
) -> None:
    """Run a path once more, as the only row: it must write the same with the same probability."""
    alone = replay.alone(row)
    again = result(alone)[0]
    if (
        (again != tokens[row]).any()
        or abs(alone.mass[0] / replay.mass[row] - 1) > ROUNDING
        or alone.calls[0] != replay.calls[row]
    ):
        wrote = f"{tokens[row].tolist()} and alone {again.tolist()}"
        what = f"row {row} of {replay.rows}, which wrote {wrote},"
        if replay.rows > 1:
            raise AmbiguousRows(
                what, where="rows depend on each other, or which is which is not known"
            )
        raise NotEnumerable(what, where="a second run of the same path", because=OTHER)


def _run_together(
    replay: Replay, tokens: np.ndarray, result: Callable[[Replay], np.ndarray]
) -> None:
    """Run a path in several rows, which must write the same."""
    together = replay.alone(0, AGAIN)
    try:
        again = result(together)
    except Exception as failure:
        raise _WithManyRows from failure
    if (again != tokens).any():
        if (together.mass < 1).any():  # it may not be known which row is which
            raise _WithManyRows
        raise NotEnumerable("what differs from row to row", where="in the sampler", because=OTHER)


def sampler_run(sampler: Callable[..., Any]) -> Callable[[Replay], Any]:
    """From a replay to what the sampler returns with it."""
    if takes_generator(sampler):
        return lambda replay: _replayed(replay, lambda n: sampler(n, ReplayGenerator(replay)))
    return lambda replay: _replayed(replay, sampler)


def _replayed(replay: Replay, sampler: Callable[[int], Any]) -> Any:
    with replaying(replay), unmoved(), _torch_too(replay):
        tokens = sampler(replay.rows)
    if replay.failure:  # which the sampler has caught
        raise replay.failure
    return tokens


def _torch_too(replay: Replay) -> contextlib.AbstractContextManager[None]:
    """Let the replay decide what is drawn with torch, if that is there."""
    if "torch" not in sys.modules:
        return contextlib.nullcontext()
    from sims.conformance.torch_random import intercepted

    return intercepted(replay)


def takes_generator(sampler: Callable[..., Any]) -> bool:
    """Whether a sampler is to be called with a number of sequences and a generator.

    >>> takes_generator(lambda n, rng: None), takes_generator(lambda n, steps=3: None)
    (True, False)
    >>> takes_generator(lambda n, rng=None: None)
    True
    """
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    given = [p for p in inspect.signature(sampler).parameters.values() if p.kind in positional]
    needed = sum(p.default is p.empty for p in given)
    return needed == 2 or (needed == 1 and [p.name for p in given[1:2]] == ["rng"])


def as_sequences(answer: Any, size: int, length: int) -> tuple[np.ndarray, int]:
    """The last L tokens (n, L) of what was returned, and how many there were with a prompt.

    >>> as_sequences([[9, 0, 1]], 1, 2)
    (array([[0, 1]]), 3)
    """
    tokens = to_host(as_array(answer))
    if tokens.ndim != 2 or tokens.shape[0] != size or tokens.shape[1] < length:
        raise InvalidInput(
            f"the sampler was asked for {counted(size, 'sequence')} of {counted(length, 'site')} "
            f"and returned an array of shape {tokens.shape}"
        )
    if tokens.dtype.kind not in "iu":
        raise InvalidInput(f"the sampler returned {tokens.dtype}; tokens are integers")
    return tokens[:, -length:].astype(np.int64), tokens.shape[1]
