"""Random numbers that are not drawn, as arrays that NumPy's functions take."""

import math
from collections.abc import Callable, Iterator
from typing import Any, cast

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from sims.conformance.noise import Noise
from sims.conformance.race import Race
from sims.conformance.replay import NotEnumerable

__all__ = ["OpenArray", "OpenOrder"]


class OpenArray(NDArrayOperatorsMixin):
    """`Noise` that behaves like an array of float64.

    What only moves entries or makes other noise of them returns noise, and what asks something
    (comparisons, argmax, argsort, searches) an array. All else raises `NotEnumerable`.

    >>> from sims.conformance.replay import END, Replay
    >>> run = Replay(np.asarray([[END]]))                 # the most probable answers
    >>> u = OpenArray(Noise.uniform(run, (2,)))
    >>> u < 0.75, float(run.mass[0])
    (array([ True,  True]), 0.5625)
    >>> (np.asarray([1, 3]) / -np.log(u)).argmax()
    Traceback (most recent call last):
    sims.conformance.replay.NotEnumerable: the order of exponential noise ...
    """

    dtype = np.dtype(np.float64)

    def __init__(self, noise: Noise, written: list[int] | None = None) -> None:
        self._noise = noise
        self._written = [0] if written is None else written  # shared with arrays that are views
        self._seen = self._written[0]

    @property
    def noise(self) -> Noise:
        if self._seen != self._written[0]:
            raise NotEnumerable(f"{self._noise}", because="a view of it was written to")
        return self._noise

    shape = property(lambda self: self._noise.shape)
    ndim = property(lambda self: len(self.shape))
    size = property(lambda self: math.prod(self.shape))
    T = property(lambda self: self.transpose())

    def __repr__(self) -> str:
        return f"<{self._noise}>"

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __iter__(self) -> Iterator["OpenArray"]:
        return (self[i] for i in range(len(self)))

    # Structure

    def __getitem__(self, key: Any) -> "OpenArray":
        parts = key if isinstance(key, tuple) else (key,)
        copied = any(isinstance(part, (np.ndarray, list)) for part in parts)
        # An entry by itself is a 0-dimensional array here.
        noise = self.noise.mapped(lambda v: np.asarray(v[key]))
        return OpenArray(noise, None if copied else self._written)

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(value, OpenArray):
            raise NotEnumerable(f"{self} into which other noise is written")
        known = np.array(self.noise.known)
        known[key] = value
        self._write(self.noise.where(np.isnan(known), known))

    def _write(self, noise: Noise) -> None:
        self._noise = noise
        self._written[0] += 1
        self._seen = self._written[0]

    def _view(self, change: Callable[[np.ndarray], np.ndarray]) -> "OpenArray":
        return OpenArray(self.noise.mapped(change), self._written)

    def reshape(self, *shape: Any, **options: Any) -> "OpenArray":
        return self._view(lambda v: v.reshape(*shape, **options))

    def transpose(self, *axes: Any) -> "OpenArray":
        return self._view(lambda v: v.transpose(*axes))

    def copy(self, order: str = "C") -> "OpenArray":
        return OpenArray(self.noise)

    def astype(self, dtype: Any, *args: Any, **options: Any) -> Any:
        if np.dtype(dtype).kind == "f":
            return OpenArray(self.noise)
        whole = self.noise.floor()
        if np.dtype(dtype).kind not in "iu" or (whole < 0).any():  # those are rounded up
            raise NotEnumerable(f"{self} as {np.dtype(dtype)}")
        return whole.astype(dtype)

    def ravel(self, order: str = "C") -> "OpenArray":
        return self._view(np.ravel)

    flatten = ravel

    def squeeze(self, axis: Any = None) -> "OpenArray":
        return self._view(lambda v: v.squeeze(axis))

    def swapaxes(self, first: int, second: int) -> "OpenArray":
        return self._view(lambda v: v.swapaxes(first, second))

    # Questions

    def argmax(self, axis: int | None = None, out: None = None, *, keepdims: bool = False) -> Any:
        return self._extreme(axis, out, keepdims, largest=True)

    def argmin(self, axis: int | None = None, out: None = None, *, keepdims: bool = False) -> Any:
        return self._extreme(axis, out, keepdims, largest=False)

    def _extreme(self, axis: int | None, out: None, keepdims: bool, *, largest: bool) -> Any:
        if out is not None:
            raise NotEnumerable(f"an extreme of {self} into another array")
        if axis is None:
            picked = self.ravel().noise.order(-1, 1, largest=largest)
            return picked.reshape((1,) * self.ndim) if keepdims else picked[0]
        picked = self.noise.order(axis, 1, largest=largest)
        return picked if keepdims else picked.squeeze(axis)[()]

    def argsort(self, axis: int | None = -1, *args: Any, **options: Any) -> Any:
        if axis is None:
            return self.ravel().argsort()
        if axis in (-1, self.ndim - 1):
            return OpenOrder(self.noise, largest=False)
        return self.noise.order(axis, self.shape[axis], largest=False)

    def argpartition(self, kth: Any, axis: int | None = -1, *args: Any, **options: Any) -> Any:
        return self.argsort(axis)

    def clip(self, min: Any = None, max: Any = None, out: None = None) -> "OpenArray":
        low, high = -math.inf if min is None else min, math.inf if max is None else max
        return OpenArray(self.noise.clipped(low, high))

    # NumPy's protocols

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or not hasattr(np.ndarray, name):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        raise NotEnumerable(f"{name} of {self._noise}")

    def __array__(self, *args: Any, **options: Any) -> np.ndarray:
        raise NotEnumerable(f"{self._noise} as an array of numbers")

    def __float__(self) -> float:
        raise NotEnumerable(f"{self._noise} as a number")

    def __int__(self) -> int:
        return int(self.astype(np.int64))

    def __bool__(self) -> bool:
        raise NotEnumerable(f"whether {self._noise} is 0")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        out = options.pop("out", None)
        if method != "__call__" or options.keys() - {"dtype", "casting"}:
            raise NotEnumerable(f"numpy.{ufunc.__name__}.{method} of {self._noise}")
        if out is not None and not (len(out) == 1 and out[0] is inputs[0]):
            raise NotEnumerable(f"{self._noise} into another array")
        name = ufunc.__name__
        open_ = [isinstance(x, OpenArray) for x in inputs]
        if len(inputs) == 1 and name in OF_ONE:
            result = OF_ONE[name](inputs[0].noise)
        elif len(inputs) == 2 and sum(open_) == 1 and name in OF_TWO:
            first, second = OF_TWO[name]
            a, b = (
                cast(Any, x.noise if isinstance(x, OpenArray) else np.asarray(x)) for x in inputs
            )
            result = first(a, b) if open_[0] else second(b, a)
        else:
            also = " and other noise" if sum(open_) > 1 else ""
            raise NotEnumerable(f"numpy.{name} of {self._noise}{also}")
        if not isinstance(result, Noise):
            return result[()]
        if out is None:
            return OpenArray(result)
        if result.shape != self.shape:
            raise NotEnumerable(f"{self._noise} written over with more entries")
        self._write(result)
        return self

    def __array_function__(self, func: Any, types: Any, args: Any, options: Any) -> Any:
        name = func.__name__
        if name in HANDLED:
            return HANDLED[name](*args, **options)
        first = args[0] if args else None
        others = [x for x in (*args[1:], *options.values()) if isinstance(x, OpenArray)]
        if isinstance(first, OpenArray) and not others:
            if name in MOVES:
                rest = args[1:]
                return first._view(lambda v: func(v, *rest, **options))
            if name in METHODS:
                return getattr(first, name)(*args[1:], **options)
        raise NotEnumerable(f"numpy.{name} of {self._noise}")


class OpenOrder(NDArrayOperatorsMixin):
    """The indices that sort noise along its last axis, found as far as they are looked at.

    ``order[..., :k]`` and ``order[..., -k:]`` find k of them; in all other ways it is used as the
    array of all.

    >>> from sims.conformance.replay import END, Replay
    >>> run = Replay(np.asarray([[END]]))
    >>> order = np.argsort(OpenArray(Noise.uniform(run, (4,))))
    >>> order[:1], run.mass.tolist()
    (array([0]), [0.25])
    >>> order + 0, run.mass.round(3).tolist()
    (array([0, 1, 2, 3]), [0.042])
    """

    def __init__(self, noise: Noise, *, largest: bool) -> None:
        self._noise, self._race = noise, Race(noise, largest=largest)
        self.shape = noise.shape

    ndim = property(lambda self: len(self.shape))
    dtype = np.dtype(np.int64)

    def __getitem__(self, key: Any) -> Any:
        parts, size = key if isinstance(key, tuple) else (key,), self.shape[-1]
        before, last = parts[:-1], parts[-1]
        along = all(part is Ellipsis or part == slice(None) for part in before) and (
            Ellipsis in before or len(parts) == self.ndim
        )
        if along and isinstance(last, slice) and last.step in (None, 1):
            start, stop, _ = last.indices(size)
            if start > 0 and stop == size and not self._race.picked.shape[1]:
                other = Race(self._noise, largest=not self._race.largest)
                return other.first(size - start)[..., ::-1]
            return self._race.first(max(start, stop))[..., start:]
        if along and isinstance(last, (int, np.integer)) and 0 <= last < size:
            return self._race.first(int(last) + 1)[..., last]
        return self._all()[key]

    def _all(self) -> np.ndarray:
        return self._race.first(self.shape[-1])

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._all())

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.array(self._all(), dtype=dtype)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not hasattr(np.ndarray, name):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self._all(), name)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return getattr(ufunc, method)(*map(_found, inputs), **options)

    def __array_function__(self, func: Any, types: Any, args: Any, options: Any) -> Any:
        options = {name: _found(value) for name, value in options.items()}
        return func(*map(_found, args), **options)


def _found(x: Any) -> Any:
    """Orders within as arrays."""
    if isinstance(x, OpenOrder):
        return x._all()
    return type(x)(map(_found, x)) if type(x) in (list, tuple) else x


def _never(noise: Noise, number: Any) -> np.ndarray:
    """Whether entries equal a number: those that are open never do."""
    return np.asarray(noise.known == number)


def _always(noise: Noise, number: Any) -> np.ndarray:
    return ~_never(noise, number)


def _at_least(noise: Noise, number: Any) -> Noise:
    return noise.clipped(low=number)


def _at_most(noise: Noise, number: Any) -> Noise:
    return noise.clipped(high=number)


def _not_below(noise: Noise, number: Any) -> np.ndarray:
    return ~noise.below(number)


def _below(noise: Noise, number: Any) -> np.ndarray:
    return noise.below(number)


def _quotient(noise: Noise, number: Any) -> Noise:
    with np.errstate(divide="ignore"):
        return noise.times(1 / np.asarray(number, dtype=float))


def _refused(noise: Noise, number: Any) -> Noise:
    raise NotEnumerable(f"a number to the power of {noise}")


OF_ONE: dict[str, Callable[[Noise], Any]] = {
    "negative": lambda noise: noise.times(-1),
    "positive": lambda noise: noise,
    "log": Noise.log,
    "log2": lambda noise: noise.log().times(1 / math.log(2)),
    "log10": lambda noise: noise.log().times(1 / math.log(10)),
    "log1p": lambda noise: noise.plus(1).log(),
    "exp": Noise.exp,
    "floor": Noise.floor,
    "sqrt": lambda noise: noise.to_the(0.5),
    "square": lambda noise: noise.to_the(2),
    "reciprocal": Noise.reciprocal,
    "isnan": lambda noise: np.zeros(noise.shape, dtype=bool),
    "isinf": lambda noise: np.isinf(noise.known),
    "isfinite": lambda noise: ~np.isinf(noise.known),
}
OF_TWO: dict[str, tuple[Callable[[Noise, Any], Any], Callable[[Noise, Any], Any]]] = {
    "add": (Noise.plus, Noise.plus),
    "subtract": (lambda noise, x: noise.plus(-x), lambda noise, x: noise.times(-1).plus(x)),
    "multiply": (Noise.times, Noise.times),
    "divide": (_quotient, lambda noise, x: noise.reciprocal().times(x)),
    "power": (Noise.to_the, _refused),
    "float_power": (Noise.to_the, _refused),
    "less": (_below, _not_below),
    "less_equal": (_below, _not_below),
    "greater": (_not_below, _below),
    "greater_equal": (_not_below, _below),
    "equal": (_never, _never),
    "not_equal": (_always, _always),
    "maximum": (_at_least, _at_least),
    "minimum": (_at_most, _at_most),
}
"""What a function of two does where the noise is its first, and where it is its second, argument.

Noise equals a number with probability 0, so that strict comparisons are as others.
"""


def _where(condition: Any, chosen: Any, other: Any) -> OpenArray:
    if isinstance(condition, OpenArray) or (
        isinstance(chosen, OpenArray) == isinstance(other, OpenArray)
    ):
        raise NotEnumerable("numpy.where of noise and other noise")
    condition = np.asarray(condition, dtype=bool)
    if isinstance(chosen, OpenArray):
        return OpenArray(chosen.noise.where(condition, other))
    return OpenArray(other.noise.where(~condition, chosen))


def _searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    if isinstance(a, OpenArray) or sorter is not None:
        raise NotEnumerable("a search among random numbers")
    a = np.asarray(a)
    if a.ndim != 1 or (np.diff(a) < 0).any():
        raise NotEnumerable(f"a search for {v.noise} among numbers that do not rise")
    return (len(a) - v.noise.mapped(lambda w: w[..., None]).below(a).sum(axis=-1))[()]


def _digitize(x: Any, bins: Any, right: bool = False) -> Any:
    bins = np.asarray(bins)
    return (
        _searchsorted(bins, x)
        if (np.diff(bins) >= 0).all()
        else (len(bins) - _searchsorted(bins[::-1], x))
    )


def _filled(fill: Any) -> Callable[..., np.ndarray]:
    """``zeros_like`` and the like, which only ask for the shape."""

    def make(a: OpenArray, *args: Any, dtype: Any = np.float64, **options: Any) -> np.ndarray:
        dtype = np.float64 if dtype is None else dtype
        return np.full(a.shape, args[0] if fill is None else fill, dtype=dtype)

    return make


HANDLED: dict[str, Callable[..., Any]] = {
    "where": _where,
    "searchsorted": _searchsorted,
    "digitize": _digitize,
    "zeros_like": _filled(0),
    "ones_like": _filled(1),
    "empty_like": _filled(0),
    "full_like": _filled(None),
    "shape": lambda a: a.shape,
    "ndim": lambda a: a.ndim,
    "size": lambda a, axis=None: a.size if axis is None else a.shape[axis],
    "nan_to_num": lambda a, *args, **options: a,
    "clip": lambda a, a_min=None, a_max=None, **options: a.clip(a_min, a_max),
    "isneginf": lambda a: np.isneginf(a.noise.known),
    "isposinf": lambda a: np.isposinf(a.noise.known),
    "take_along_axis": lambda a, index, axis=-1: OpenArray(
        a.noise.mapped(lambda v: np.take_along_axis(v, index, axis))
    ),
}
METHODS = {"argmax", "argmin", "argsort", "argpartition", "copy"}
MOVES = {
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "broadcast_to",
    "expand_dims",
    "flip",
    "moveaxis",
    "ravel",
    "repeat",
    "reshape",
    "rollaxis",
    "squeeze",
    "swapaxes",
    "take",
    "tile",
    "transpose",
}
