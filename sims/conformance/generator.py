"""A stand-in for NumPy's random generator whose numbers are decided by a replay."""

import math
from typing import Any

import numpy as np

from sims.conformance.noise import Noise
from sims.conformance.open_arrays import OpenArray
from sims.conformance.replay import NotEnumerable, Replay
from theory.errors import InvalidInput

__all__ = ["ReplayGenerator", "binomial_weights"]


Generator: Any = np.random.Generator  # a base whose signatures are not compared


class _NoBits(np.random.BitGenerator):
    """What a generator has to be made with; it has no random bits, and is not asked for any."""


class ReplayGenerator(Generator):
    """Has the methods of `numpy.random.Generator`; each random choice is put to the replay.

    `random`, `uniform`, `exponential`, `standard_exponential` and `gumbel` return an `OpenArray`.
    `choice`, `integers`, `binomial`, `multinomial`, `permutation`, `permuted` and `shuffle` return
    what was chosen. Others raise `NotEnumerable`.

    Which row of the run a choice belongs to is told by the leading dimension of what was asked
    for, see `Replay.rows_of`. A choice without one, such as ``choice(V, p=p)`` or a permutation,
    can only be made in a run of one row.

    >>> from sims.conformance.replay import END
    >>> run = Replay(np.asarray([[END], [1]]))
    >>> rng = ReplayGenerator(run)
    >>> rng.choice(2, size=2, p=[0.75, 0.25]), run.mass
    (array([0, 1]), array([0.75, 0.25]))
    >>> isinstance(rng, np.random.Generator)        # so that samplers take it for one
    True
    """

    def __init__(self, replay: Replay) -> None:
        super().__init__(_NoBits(0))
        self.replay = replay

    def __reduce__(self) -> Any:
        raise NotEnumerable("a copy of a generator")

    def __repr__(self) -> str:
        return f"<ReplayGenerator of {self.replay.rows} rows>"

    # Numbers that stay open

    def random(self, size: Any = None, dtype: Any = np.float64, out: Any = None) -> OpenArray:
        if out is not None:
            raise NotEnumerable("Generator.random into another array")
        return OpenArray(Noise.uniform(self.replay, _shape(size)))

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> OpenArray:
        low, high = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
        noise = Noise.uniform(self.replay, _shape(size, low, high))
        return OpenArray(noise.times(high - low).plus(low))

    def standard_exponential(
        self, size: Any = None, dtype: Any = np.float64, method: str = "zig", out: Any = None
    ) -> OpenArray:
        if out is not None:
            raise NotEnumerable("Generator.standard_exponential into another array")
        return self.exponential(1.0, size)

    def exponential(self, scale: Any = 1.0, size: Any = None) -> OpenArray:
        noise = Noise.uniform(self.replay, _shape(size, scale))
        return OpenArray(noise.log().times(-np.asarray(scale, dtype=float)))

    def gumbel(self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> OpenArray:
        noise = Noise.uniform(self.replay, _shape(size, loc, scale))
        gumbel = noise.log().times(-1).log().times(-1)
        return OpenArray(gumbel.times(scale).plus(loc))

    # Choices

    def integers(
        self,
        low: Any,
        high: Any = None,
        size: Any = None,
        dtype: Any = np.int64,
        endpoint: bool = False,
    ) -> Any:
        low, high = (0, low) if high is None else (low, high)
        shape = _shape(size, low, high)
        low, high = np.broadcast_to(low, shape), np.broadcast_to(high, shape)
        spans = (high - low + endpoint).ravel()
        if (spans < 1).any():
            raise InvalidInput(f"integers from {low.min()} on, below {high.min()}: there are none")
        options = np.arange(spans.max(initial=1), dtype=np.int64)
        chosen = self._decide(shape, (options < spans[:, None]).astype(float))
        return (low + chosen).astype(dtype)[()]

    def binomial(self, n: Any, p: Any, size: Any = None) -> Any:
        shape = _shape(size, n, p)
        n, p = (np.broadcast_to(v, shape).ravel() for v in (n, p))
        return self._decide(shape, binomial_weights(n, p))[()]

    def multinomial(self, n: Any, pvals: Any, size: Any = None) -> np.ndarray:
        pvals = np.asarray(pvals, dtype=float)
        shape = _shape(size, n, pvals[..., 0])
        pvals = np.broadcast_to(pvals, (*shape, pvals.shape[-1]))
        left, counts = np.array(np.broadcast_to(n, shape)), []
        rest = np.cumsum(pvals[..., ::-1], axis=-1)[..., ::-1]
        if (left <= 1).all():  # one choice instead of one for each option
            chosen = self._decide(shape, pvals.reshape(-1, pvals.shape[-1]))
            one = np.arange(pvals.shape[-1], dtype=np.int64) == chosen[..., None]
            return (one & (left[..., None] == 1)).astype(np.int64)
        for k in range(pvals.shape[-1] - 1):
            share = pvals[..., k] / np.where(rest[..., k] > 0, rest[..., k], 1.0)
            counts.append(self.binomial(left, np.minimum(share, 1.0)))
            left = left - counts[-1]
        return np.stack([*counts, left], axis=-1)

    def choice(
        self,
        a: Any,
        size: Any = None,
        replace: bool = True,
        p: Any = None,
        axis: int = 0,
        shuffle: bool = True,
    ) -> Any:
        options = np.arange(a, dtype=np.int64) if np.ndim(a) == 0 else np.asarray(a)
        count, shape = options.shape[axis], _shape(size)
        weights = np.ones(count) if p is None else np.asarray(p, dtype=float)
        if weights.shape != (count,) or not (weights >= 0).all() or weights.sum() <= 0:
            raise InvalidInput(f"p of shape {weights.shape} is no distribution of {count} options")
        if replace or math.prod(shape) == 1:
            chosen = self._decide(shape, np.tile(weights, (math.prod(shape), 1)))
        else:
            chosen = self._without_replacement(weights, math.prod(shape)).reshape(shape)
        return np.take(options, chosen, axis=axis)[()]

    def permutation(self, x: Any, axis: int = 0) -> np.ndarray:
        x = np.arange(x, dtype=np.int64) if np.ndim(x) == 0 else np.asarray(x)
        if x.ndim == 1:
            return self._arranged(x[None], self.replay.rows_of(()))[0]
        return np.take(x, self.permutation(x.shape[axis]), axis=axis)

    def shuffle(self, x: Any, axis: int = 0) -> None:
        if isinstance(x, np.ndarray):
            x[...] = self.permutation(x, axis)
        else:
            x[:] = [x[i] for i in self.permutation(len(x))]

    def permuted(self, x: Any, *, axis: int | None = None, out: Any = None) -> np.ndarray:
        x = np.asarray(x)
        if axis is None:
            result = self.permutation(x.ravel()).reshape(x.shape)
        else:
            moved = np.moveaxis(x, axis, -1)
            lines = moved.reshape(-1, moved.shape[-1])
            arranged = self._arranged(lines, self.replay.rows_of(moved.shape[:-1]))
            result = np.moveaxis(arranged.reshape(moved.shape), -1, axis)
        if out is None:
            return result
        out[...] = result
        return out

    # Within

    def _decide(self, shape: tuple[int, ...], weights: np.ndarray) -> np.ndarray:
        return self.replay.decide(self.replay.rows_of(shape), weights).reshape(shape)

    def _without_replacement(self, weights: np.ndarray, count: int) -> np.ndarray:
        rows, left, chosen = self.replay.rows_of(()), weights.copy(), []
        if count > (left > 0).sum():
            raise InvalidInput(f"{count} of {(left > 0).sum()} options without replacement")
        for _ in range(count):
            chosen.append(int(self.replay.decide(rows, left[None])[0]))
            left[chosen[-1]] = 0
        return np.asarray(chosen, dtype=np.int64)

    def _arranged(self, lines: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Lines (N, K) with their entries in random order; equal ones are not distinguished."""
        values, which = np.unique(lines, return_inverse=True)
        every = np.arange(len(lines), dtype=np.int64)
        left = np.zeros((len(lines), len(values)))
        np.add.at(left, (every[:, None], which.reshape(lines.shape)), 1)
        arranged = np.empty(lines.shape, dtype=np.int64)
        for k in range(lines.shape[1]):
            arranged[:, k] = self.replay.decide(rows, left)
            left[every, arranged[:, k]] -= 1
        return values[arranged]


def _refused(name: str) -> property:
    def get(self: ReplayGenerator) -> Any:
        raise NotEnumerable(f"Generator.{name}")

    return property(get)


for _name in dir(Generator):
    if not _name.startswith("_") and _name not in vars(ReplayGenerator):
        setattr(ReplayGenerator, _name, _refused(_name))


def _shape(size: Any, *parameters: Any) -> tuple[int, ...]:
    """The shape asked for, or that of the parameters."""
    if size is None:
        return np.broadcast_shapes(*(np.shape(value) for value in parameters))
    return tuple(map(int, size)) if np.ndim(size) else (int(size),)


def binomial_weights(n: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Probabilities of 0, 1, ..., max n successes, for each n and p (N,).

    >>> binomial_weights(np.asarray([2, 1]), np.asarray([0.5, 0.25])).tolist()
    [[0.25, 0.5, 0.25], [0.75, 0.25, 0.0]]
    """
    k = range(int(n.max(initial=0)) + 1)
    lines = [
        [math.comb(m, j) * q**j * (1 - q) ** max(m - j, 0) for j in k]
        for m, q in zip(n.tolist(), p.tolist(), strict=True)
    ]
    return np.asarray(lines, dtype=np.float64).reshape(len(lines), len(k))
