"""The random calls of torch, answered by a replay.

While `intercepted` holds, every function of torch that draws random numbers is seen before it runs:
draws of tokens, coins, integers and permutations become choices of the replay at once, uniform and
exponential numbers become `Noise` in the shape of a tensor. Functions of such a tensor are looked up
here by their names; any that has no closed form raises `NotEnumerable`. A generator that is handed
to a call is not asked. What draws without being seen is found out afterwards: the global generators
of torch, of NumPy and of Python must be where they were.
"""

import contextlib
import math
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from torch.overrides import TorchFunctionMode  # pyright: ignore[reportMissingImports]

from sims.conformance.noise import Noise
from sims.conformance.replay import NotEnumerable, Replay

__all__ = ["NoiseTensor", "intercepted"]

OPTIONS = 2**20
"""Integers are enumerated up to this many."""


class NoiseTensor(torch.Tensor):
    """Random numbers that are not drawn, as a tensor without content.

    Attributes
    ----------
    noise : Noise or None
        None if only that they are random is known: the values of sorted noise.
    along : int or None
        If given, only the order along this axis is known, counted from the end.
    part : bool
        Whether it was taken out of another, which would have to change with it.
    """

    noise: Noise | None
    along: int | None
    part: bool

    @classmethod
    def of(
        cls,
        noise: Noise | None,
        like: Any,
        along: int | None = None,
        part: bool = False,
        shape: Any = None,
    ) -> "NoiseTensor":
        """Noise as a tensor of the type and in the place of `like`."""
        assert noise is not None or shape is not None
        shape = shape if noise is None else noise.shape
        new = torch.Tensor._make_wrapper_subclass(cls, shape, dtype=like.dtype, device=like.device)
        new.noise, new.along, new.part = noise, along, part
        return new

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        return _of_noise(func, args, kwargs or {})

    @classmethod
    def __torch_dispatch__(
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        raise NotEnumerable(f"{func} of random numbers")


class _Interception(TorchFunctionMode):
    def __init__(self, replay: Replay) -> None:
        super().__init__()
        self.replay = replay
        self.private = torch.Generator()

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if any(issubclass(kind, NoiseTensor) for kind in types):
            return _of_noise(func, args, kwargs)
        name = getattr(func, "__name__", "")
        draw = DRAWS.get(name)
        if draw is not None:
            if kwargs.get("out") is not None:
                raise NotEnumerable(f"{name} into another tensor")
            return draw(self, func, args, kwargs)
        return func(*args, **kwargs)

    def example(self, func: Any, args: Any, kwargs: Any) -> Any:
        """What torch answers with a generator of ours: its checks, its shape and its type."""
        return func(*args, **{**kwargs, "generator": self.private})

    def noise(self, shape: Any) -> Noise:
        return Noise.uniform(self.replay, tuple(shape))


@contextlib.contextmanager
def intercepted(replay: Replay) -> Iterator[None]:
    """Let a replay decide all that is random in torch within.

    Raises
    ------
    NotEnumerable
        For a call whose outcomes cannot be enumerated, and at the end if a global generator has
        moved all the same.
    """
    before = _states()
    with _Interception(replay):
        yield
    for name, state in _states().items():
        if not _same(state, before[name]):
            raise NotEnumerable(
                f"a draw from the global generator of {name}",
                where="somewhere in the sampler",
                because="it has moved, or was seeded, in a call that is not intercepted",
            )


def _states() -> dict[str, Any]:
    states = {
        "torch": torch.random.get_rng_state().numpy(),
        "numpy.random": np.random.get_state()[1:3],  # noqa: NPY002
        "Python's random": random.getstate(),
    }
    if torch.cuda.is_initialized():
        states["torch.cuda"] = torch.cuda.get_rng_state().numpy()
    return states


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray):
        return bool((a == b).all())
    if isinstance(a, tuple):
        return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True))
    return a == b


# Calls that draw


def _rand(mode: _Interception, func: Any, args: Any, kwargs: Any) -> NoiseTensor:
    like = {"rand": torch.empty, "rand_like": torch.empty_like}[func.__name__]
    empty = like(*args, **{name: kwargs[name] for name in kwargs if name != "generator"})
    return NoiseTensor.of(mode.noise(empty.shape), empty)


def _fill(tensor: Any, noise: Noise) -> Any:
    """Make a tensor noise, whoever holds it."""
    if isinstance(tensor, NoiseTensor):
        if tensor.part:
            raise NotEnumerable("a change of a part of random numbers")
        tensor.noise, tensor.along = noise, None
        return tensor
    whole = tensor.untyped_storage().nbytes() == tensor.numel() * tensor.element_size()
    if type(tensor) is not torch.Tensor or tensor._base is not None or not whole:
        raise NotEnumerable("random numbers in a part of a tensor")
    tensor.fill_(math.nan)
    tensor.__class__ = NoiseTensor
    tensor.noise, tensor.along, tensor.part = noise, None, False
    return tensor


def _uniform_(mode: _Interception, func: Any, args: Any, kwargs: Any) -> Any:
    tensor, low, high = _bound(args, kwargs, ("self", None), ("from", 0.0), ("to", 1.0))
    return _fill(tensor, mode.noise(tensor.shape).times(high - low).plus(low))


def _exponential_(mode: _Interception, func: Any, args: Any, kwargs: Any) -> Any:
    tensor, rate = _bound(args, kwargs, ("self", None), ("lambd", 1.0))
    return _fill(tensor, mode.noise(tensor.shape).log().times(-1 / rate))


def _multinomial(mode: _Interception, func: Any, args: Any, kwargs: Any) -> Any:
    weights, count, again = _bound(
        args, kwargs, ("input", None), ("num_samples", None), ("replacement", False)
    )
    drawn = mode.example(func, args, kwargs)
    left = _numbers(weights).reshape(-1, weights.shape[-1]).copy()
    lines = np.arange(len(left), dtype=np.int64)
    rows = mode.replay.rows_of((len(left),) if weights.ndim > 1 else ())
    free = np.ones(left.shape, dtype=bool)
    picked = np.empty((len(left), int(count)), dtype=np.int64)
    for turn in range(int(count)):
        none = left.sum(axis=1) <= 0  # torch goes on with those of weight 0
        picked[:, turn] = mode.replay.decide(rows, np.where(none[:, None], _first(free), left))
        if not again:
            left[lines, picked[:, turn]] = 0
            free[lines, picked[:, turn]] = False
    return drawn.copy_(torch.from_numpy(picked).reshape(drawn.shape))


def _first(free: np.ndarray) -> np.ndarray:
    """Weight 1 for the first that is free in each line, 0 for the others."""
    return np.arange(free.shape[1], dtype=np.int64) == free.argmax(axis=1)[:, None]


def _coins(mode: _Interception, shape: Any, heads: np.ndarray) -> np.ndarray:
    """1 with the given probabilities, else 0."""
    heads = np.broadcast_to(heads, shape).ravel()
    rows = mode.replay.rows_of(tuple(shape))
    return mode.replay.decide(rows, np.stack([1 - heads, heads], axis=1)).reshape(shape)


def _bernoulli(mode: _Interception, func: Any, args: Any, kwargs: Any) -> Any:
    """`torch.bernoulli`, whose input is read unless p is given, and the method in place."""
    there = func.__name__ == "bernoulli_"
    tensor, p = _bound(args, kwargs, ("input", None), ("p", 0.5 if there else None))
    drawn = tensor if there else mode.example(func, args, kwargs)
    if there:
        mode.example(torch.Tensor.bernoulli_, (torch.empty_like(tensor), p), {})
    coins = _coins(mode, tensor.shape, _numbers(tensor if p is None else p))
    return drawn.copy_(torch.from_numpy(coins))


def _binomial(mode: _Interception, func: Any, args: Any, kwargs: Any) -> Any:
    count, chance = _bound(args, kwargs, ("count", None), ("prob", None))
    drawn = mode.example(func, args, kwargs)
    tosses = _numbers(count).ravel().astype(np.int64)
    p = np.broadcast_to(_numbers(chance), count.shape).ravel()
    weights = np.zeros((len(tosses), tosses.max(initial=0) + 1))
    for line, (n, q) in enumerate(zip(tosses.tolist(), p.tolist(), strict=True)):
        weights[line, : n + 1] = [math.comb(n, k) * q**k * (1 - q) ** (n - k) for k in range(n + 1)]
    heads = mode.replay.decide(mode.replay.rows_of(tuple(count.shape)), weights)
    return drawn.copy_(torch.from_numpy(heads).reshape(drawn.shape))


def _integers(mode: _Interception, func: Any, args: Any, kwargs: Any) -> Any:
    """Integers of a range: ``randint``, ``randint_like``, and ``random_`` in place."""
    name = func.__name__
    ends = [kwargs[key] for key in ("low", "high", "from", "to") if key in kwargs]
    plain = args[1:] if name != "randint" else args[:2]
    ends = [int(v) for v in plain if not isinstance(v, (tuple, list, torch.Size))] + ends
    if name == "random_":
        drawn = args[0]
        if not ends:
            raise NotEnumerable("random_ without a range")
        mode.example(func, (torch.empty_like(drawn), *args[1:]), kwargs)
    elif name == "randint":
        drawn = mode.example(func, args, kwargs)
    else:
        drawn = func(*args, **kwargs) if mode is None else torch.empty_like(args[0])
    low, high = ends if len(ends) == 2 else (0, *ends)
    if int(high) - int(low) > OPTIONS:
        raise NotEnumerable(f"{name} among {int(high) - int(low)} integers")
    rows = mode.replay.rows_of(tuple(drawn.shape))
    chosen = mode.replay.decide(rows, np.ones((len(rows), int(high) - int(low))))
    return drawn.copy_(torch.from_numpy(chosen + int(low)).reshape(drawn.shape))


def _randperm(mode: _Interception, func: Any, args: Any, kwargs: Any) -> Any:
    drawn = mode.example(func, args, kwargs)
    rows, left = mode.replay.rows_of(()), np.ones((1, len(drawn)))
    order = np.empty(len(drawn), dtype=np.int64)
    for turn in range(len(drawn)):
        order[turn] = mode.replay.decide(rows, left)[0]
        left[0, order[turn]] = 0
    return drawn.copy_(torch.from_numpy(order))


def _gumbel_softmax(mode: _Interception, func: Any, args: Any, kwargs: Any) -> Any:
    logits, tau, hard, _, dim = _bound(
        args, kwargs, ("logits", None), ("tau", 1), ("hard", False), ("eps", 0), ("dim", -1)
    )
    gumbel = mode.noise(logits.shape).log().times(-1).log().times(-1)
    noise = gumbel.plus(_numbers(logits)).times(1 / tau)
    if not hard:
        return NoiseTensor.of(noise, logits, along=_from_end(dim, logits.ndim))
    chosen = torch.from_numpy(noise.order(dim, 1, largest=True))
    return torch.zeros_like(logits).scatter_(dim, chosen.to(logits.device), 1.0)


def _dropout(mode: _Interception, func: Any, args: Any, kwargs: Any) -> Any:
    _, p, train = _bound(args, kwargs, ("input", None), ("p", 0.5), ("training", True))
    if train and p > 0:
        raise NotEnumerable("dropout")
    return func(*args, **kwargs)


def _refused(mode: _Interception, func: Any, args: Any, kwargs: Any) -> Any:
    raise NotEnumerable(f"torch's {func.__name__}", because="its numbers have no closed form here")


DRAWS: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(("rand", "rand_like"), _rand),
    "uniform_": _uniform_,
    "exponential_": _exponential_,
    "multinomial": _multinomial,
    **dict.fromkeys(("bernoulli", "bernoulli_"), _bernoulli),
    "binomial": _binomial,
    **dict.fromkeys(("randint", "randint_like", "random_"), _integers),
    "randperm": _randperm,
    "gumbel_softmax": _gumbel_softmax,
    "dropout": _dropout,
    **dict.fromkeys(
        "randn randn_like normal normal_ log_normal_ cauchy_ geometric_ poisson _standard_gamma "
        "_sample_dirichlet".split(),
        _refused,
    ),
}


def _bound(args: Any, kwargs: Any, *names: Any) -> list[Any]:
    """Arguments by position or name, ``(name, default)``."""
    given = list(args[: len(names)])
    return given + [kwargs.get(name, default) for name, default in names[len(given) :]]


def _numbers(value: Any) -> np.ndarray:
    """Numbers of a tensor, exactly, in float64 on the host."""
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        return value.to(torch.float64).numpy() if value.dtype != torch.bool else value.numpy()
    return np.asarray(value, dtype=np.float64)


def _from_end(dim: int, ndim: int) -> int:
    return dim - ndim if dim >= 0 else dim


# Functions of noise

STRUCTURE = frozenset(
    "__getitem__ view view_as reshape reshape_as flatten unflatten squeeze unsqueeze transpose "
    "swapaxes movedim moveaxis permute t expand expand_as broadcast_to repeat repeat_interleave "
    "select narrow index_select gather take_along_dim masked_select split chunk tensor_split unbind "
    "flip roll tile T mT".split()
)
"""Functions that only move entries: they are applied to the places instead."""

SAME = frozenset(
    "clone detach detach_ contiguous to float double half bfloat16 type type_as cpu cuda "
    "requires_grad_ nan_to_num alias data".split()
)
ASKED = frozenset(
    "size dim numel nelement stride element_size is_floating_point is_complex get_device "
    "is_contiguous __len__ __hash__ __repr__ __format__ shape dtype device ndim layout is_cuda "
    "requires_grad grad grad_fn is_leaf is_sparse is_quantized is_meta names _base".split()
)
"""What is answered without a look at the content."""


def _of_noise(func: Any, args: Any, kwargs: Any) -> Any:
    """A function of arguments among which is noise."""
    name = getattr(func, "__name__", str(func))
    if name == "__get__":
        name = getattr(func.__self__, "__name__", name)
    if name in ASKED:
        if name in ("__repr__", "__format__"):
            return f"<random numbers, shape {tuple(args[0].shape)}>"
        with torch._C.DisableTorchFunctionSubclass():
            return func(*args, **kwargs)
    if kwargs.get("out") is not None:
        raise NotEnumerable(f"{name} of random numbers into another tensor")
    for value in (*args, *kwargs.values()):
        if isinstance(value, NoiseTensor):
            if value.noise is None:
                raise NotEnumerable(f"{name} of the values of sorted random numbers")
            if value.along is not None and name not in RANKED:
                raise NotEnumerable(f"{name} of a softmax of random numbers")
    noise = args[0] if args else None
    if isinstance(noise, NoiseTensor) and name in STRUCTURE:
        return _moved(noise, func, args[1:], kwargs)
    if isinstance(noise, NoiseTensor) and name in SAME:
        return _cast(noise, func, args[1:], kwargs)
    plain = name.strip("_") if name.startswith("__") else name.removesuffix("_")
    if (function := FUNCTIONS.get(plain)) is None:
        raise NotEnumerable(f"{name} of random numbers")
    answer = function(*args, **kwargs)
    if name.endswith("_") and not name.startswith("__"):
        return _fill(noise, answer.noise)
    return answer


def _moved(noise: NoiseTensor, func: Any, args: Any, kwargs: Any) -> Any:
    assert noise.noise is not None
    inner = noise.noise
    size = math.prod(inner.shape)
    places = torch.arange(size, dtype=torch.int64).reshape(inner.shape)
    moved = func(places, *args, **kwargs)

    def taken(place: Any) -> NoiseTensor:
        place = place.numpy()
        return NoiseTensor.of(inner.mapped(lambda v: v.ravel()[place]), noise, part=True)

    return tuple(map(taken, moved)) if isinstance(moved, (tuple, list)) else taken(moved)


def _cast(noise: NoiseTensor, func: Any, args: Any, kwargs: Any) -> Any:
    with torch._C.DisableTorchFunctionSubclass():
        like = torch.empty(0, dtype=noise.dtype, device=noise.device)
        if func.__name__ != "__get__":
            like = func(like, *args, **kwargs)
    if not like.dtype.is_floating_point:
        return _floor(noise, like)
    return NoiseTensor.of(noise.noise, like, along=noise.along, part=noise.part)


def _floor(noise: NoiseTensor, like: Any = None) -> Any:
    """The integer part of numbers that cannot be negative."""
    assert noise.noise is not None
    inner, like = noise.noise, noise if like is None else like
    ends = np.stack([inner.shift, inner.shift + inner.scale])
    if inner.kind != "uniform" or not np.isnan(inner.known).all() or ends.min(initial=0) < 0:
        raise NotEnumerable(f"the integer part of {inner}")
    edges = np.arange(1, math.ceil(ends.max(initial=0)), dtype=np.int64)
    if len(edges) > OPTIONS:
        raise NotEnumerable(f"the integer part of {inner}", because=f"{len(edges)} integers")
    below = inner.mapped(lambda v: v[..., None]).below(edges.astype(float))
    floor = torch.from_numpy((~below).sum(axis=-1))
    return floor.to(dtype=like.dtype, device=like.device)


def _result(answer: Noise, *values: Any) -> Any:
    """A tensor of the type that torch would give a function of these values."""
    kind = values[0].dtype
    for value in values[1:]:
        if isinstance(value, torch.Tensor) and (value.ndim or not kind.is_floating_point):
            kind = torch.promote_types(kind, value.dtype)
    like = torch.empty(0, dtype=kind, device=values[0].device)
    if np.isnan(answer.known).any():
        return NoiseTensor.of(answer, like)
    return torch.from_numpy(np.array(answer.known)).to(like)


def _pair(a: Any, b: Any, what: str) -> tuple[Noise, np.ndarray, bool]:
    """Noise, the numbers that it meets, and whether the noise is the first."""
    if isinstance(a, NoiseTensor) and isinstance(b, NoiseTensor):
        raise NotEnumerable(f"the {what} of random numbers and random numbers")
    first = isinstance(a, NoiseTensor)
    return (a, b)[not first].noise, _numbers((a, b)[first]), first


def _add(a: Any, b: Any, alpha: Any = 1) -> Any:
    noise, number, first = _pair(a, b, "sum")
    noise, number = (noise, number * alpha) if first else (noise.times(alpha), number)
    return _result(noise.plus(number), *((a, b) if first else (b, a)))


def _sub(a: Any, b: Any, alpha: Any = 1) -> Any:
    noise, number, first = _pair(a, b, "difference")
    if first:
        return _result(noise.plus(-number * alpha), a, b)
    return _result(noise.times(-alpha).plus(number), b, a)


def _mul(a: Any, b: Any) -> Any:
    noise, number, first = _pair(a, b, "product")
    return _result(noise.times(number), *((a, b) if first else (b, a)))


def _div(a: Any, b: Any, rounding_mode: Any = None) -> Any:
    if rounding_mode is not None:
        raise NotEnumerable("the rounded quotient of random numbers")
    noise, number, first = _pair(a, b, "quotient")
    if first:
        return _result(noise.times(1 / number), a, b)
    return _result(noise.reciprocal().times(number), b, a)


def _pow(a: Any, b: Any) -> Any:
    noise, exponent, first = _pair(a, b, "power")
    if not first:
        raise NotEnumerable("a power with a random exponent")
    return _result(noise.to_the(exponent), a, b)


def _compared(below: bool) -> Callable[[Any, Any], Any]:
    def compare(a: Any, b: Any) -> Any:
        noise, number, first = _pair(a, b, "comparison")
        answer = noise.below(number)
        device = (a if first else b).device
        return torch.from_numpy(answer == (below == first)).to(device)

    return compare


def _where(condition: Any, a: Any, b: Any) -> Any:
    if not isinstance(condition, torch.Tensor) or isinstance(condition, NoiseTensor):
        raise NotEnumerable("where with a random condition")
    noise, number, first = _pair(a, b, "choice")
    kept = condition.cpu().numpy()
    return _result(noise.where(kept if first else ~kept, number), *((a, b) if first else (b, a)))


def _masked_fill(noise: Any, mask: Any, value: Any) -> Any:
    return _where(~mask, noise, value)


def _setitem(target: Any, index: Any, value: Any) -> None:
    """Numbers in some places of noise, or noise in some places of numbers."""
    parts = index if isinstance(index, tuple) else (index,)
    if any(isinstance(part, NoiseTensor) for part in parts):
        raise NotEnumerable("random numbers as an index")
    shape = tuple(target.shape)
    places = torch.arange(math.prod(shape), dtype=torch.int64).reshape(shape)[index].numpy()
    if not isinstance(value, NoiseTensor):
        known = target.noise.known.copy()
        known.ravel()[places] = np.broadcast_to(_numbers(value), places.shape)
        kept = np.ones(known.shape, dtype=bool)
        kept.ravel()[places] = False
        _fill(target, target.noise.where(kept, np.nan_to_num(known, nan=0.0)))
        return
    if isinstance(target, NoiseTensor):
        raise NotEnumerable("random numbers in a part of random numbers")
    known, inner = _numbers(target).copy(), value.noise
    assert inner is not None

    def placed(field: np.ndarray, others: np.ndarray) -> np.ndarray:
        others = others.copy()
        others.ravel()[places] = field
        return others

    zero, one = np.zeros(shape), np.ones(shape)
    others = {"shift": zero, "scale": one, "power": one, "known": known}
    fields = {name: placed(getattr(inner, name), others[name]) for name in others}
    which = placed(inner.which, np.zeros(shape, dtype=np.int64))
    _fill(target, Noise(inner.uniforms, which, inner.kind, flipped=inner.flipped, **fields))


def _clamp(noise: Any, min: Any = None, max: Any = None) -> Any:  # noqa: A002
    low, high = -math.inf if min is None else min, math.inf if max is None else max
    return _result(noise.noise.clipped(float(low), float(high)), noise)


def _softmax(noise: Any, dim: Any = None, *others: Any, **more: Any) -> Any:
    if dim is None:
        raise NotEnumerable("a softmax of random numbers along no axis")
    return NoiseTensor.of(noise.noise, noise, along=_from_end(dim, noise.ndim))


def _ordered(noise: Any, dim: Any, count: Any, largest: bool) -> Any:
    """Indices of the `count` largest or smallest, as a tensor."""
    if noise.along not in (None, _from_end(dim, noise.ndim)):
        raise NotEnumerable("an order across a softmax of random numbers")
    order = noise.noise.order(dim, int(count), largest=largest)
    return torch.from_numpy(np.ascontiguousarray(order)).to(noise.device)


def _extreme(largest: bool) -> Callable[..., Any]:
    """``argmax`` and ``argmin``."""

    def arg(noise: Any, dim: Any = None, keepdim: bool = False) -> Any:
        if dim is None:
            flat = noise.reshape(-1)
            return _ordered(flat, 0, 1, largest)[0]
        index = _ordered(noise, dim, 1, largest)
        return index if keepdim else index.squeeze(dim)

    return arg


def _extreme_value(largest: bool) -> Callable[..., Any]:
    """``max`` and ``min`` along an axis: values that are not known, and where they are."""
    kind = torch.return_types.max if largest else torch.return_types.min

    def extreme(noise: Any, dim: Any = None, keepdim: bool = False) -> Any:
        if dim is None:
            raise NotEnumerable("the extreme value of random numbers")
        index = _extreme(largest)(noise, dim, keepdim)
        return kind((NoiseTensor.of(None, noise, shape=index.shape), index))

    return extreme


def _topk(noise: Any, k: Any, dim: Any = -1, largest: bool = True, sorted: bool = True) -> Any:  # noqa: A002
    index = _ordered(noise, dim, k, largest)
    return torch.return_types.topk((NoiseTensor.of(None, noise, shape=index.shape), index))


def _argsort(noise: Any, dim: Any = -1, descending: bool = False, stable: bool = False) -> Any:
    return _ordered(noise, dim, noise.shape[dim], descending)


def _sort(noise: Any, dim: Any = -1, descending: bool = False, stable: bool = False) -> Any:
    index = _argsort(noise, dim, descending)
    return torch.return_types.sort((NoiseTensor.of(None, noise, shape=index.shape), index))


def _searchsorted(edges: Any, noise: Any, *others: Any, **more: Any) -> Any:
    """Cells of numbers on edges that rise: each number and each edge compared."""
    if isinstance(edges, NoiseTensor) or not isinstance(noise, NoiseTensor):
        raise NotEnumerable("searchsorted among random numbers")
    below = noise.noise.mapped(lambda v: v[..., None]).below(_numbers(edges)[..., None, :])
    return torch.from_numpy((~below).sum(axis=-1)).to(noise.device)


def _item(noise: Any) -> "_Scalar":
    return _Scalar(noise.reshape(()))


class _Scalar:
    """One random number taken out of its tensor."""

    def __init__(self, noise: Any) -> None:
        self.noise = noise

    def __lt__(self, other: Any) -> bool:
        return bool(self.noise < other)

    def __gt__(self, other: Any) -> bool:
        return bool(self.noise > other)

    __le__, __ge__ = __lt__, __gt__

    def __getattr__(self, name: str) -> Any:
        raise NotEnumerable(f"{name} of a random number")


RANKED = SAME | frozenset("argmax argmin topk sort argsort max min".split())
"""What is known of numbers of which only the order is."""

FUNCTIONS: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(("add", "radd", "iadd"), _add),
    **dict.fromkeys(("sub", "subtract", "isub"), _sub),
    **dict.fromkeys(("rsub",), lambda a, b, alpha=1: _sub(b, a, alpha)),
    **dict.fromkeys(("mul", "multiply", "rmul", "imul"), _mul),
    **dict.fromkeys(("div", "divide", "true_divide", "truediv", "itruediv"), _div),
    **dict.fromkeys(("rdiv", "rtruediv"), lambda a, b: _div(b, a)),
    **dict.fromkeys(("pow", "float_power"), _pow),
    **dict.fromkeys(("neg", "negative"), lambda x: _result(x.noise.times(-1), x)),
    "reciprocal": lambda x: _result(x.noise.reciprocal(), x),
    "sqrt": lambda x: _result(x.noise.to_the(0.5), x),
    "square": lambda x: _result(x.noise.to_the(2), x),
    "log": lambda x: _result(x.noise.log(), x),
    "log1p": lambda x: _result(x.noise.plus(1).log(), x),
    "exp": lambda x: _result(x.noise.exp(), x),
    **dict.fromkeys(("lt", "le", "less", "less_equal"), _compared(below=True)),
    **dict.fromkeys(("gt", "ge", "greater", "greater_equal"), _compared(below=False)),
    "where": _where,
    "masked_fill": _masked_fill,
    "setitem": _setitem,
    **dict.fromkeys(("clamp", "clip"), _clamp),
    "clamp_min": lambda x, min: _clamp(x, min),  # noqa: A006
    "clamp_max": lambda x, max: _clamp(x, None, max),  # noqa: A006
    **dict.fromkeys(("softmax", "log_softmax", "special_softmax"), _softmax),
    "argmax": _extreme(largest=True),
    "argmin": _extreme(largest=False),
    "max": _extreme_value(largest=True),
    "min": _extreme_value(largest=False),
    "topk": _topk,
    "sort": _sort,
    "argsort": _argsort,
    **dict.fromkeys(("floor", "trunc"), _floor),
    "searchsorted": _searchsorted,
    "bucketize": lambda x, edges, **more: _searchsorted(edges, x),
    "item": _item,
    "float": _item,
}
