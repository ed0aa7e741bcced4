"""The random calls of torch, answered by a replay.

While `intercepted` holds, every function of torch that draws random numbers is seen before it runs:
draws of tokens, coins, integers and permutations become choices of the replay at once, uniform and
exponential numbers become a `NoiseTensor`. A generator that is handed to a call is not asked. What
draws without being seen moves a global generator, which `unmoved` sees.
"""

import contextlib
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import numpy as np

from sims.conformance.generator import binomial_weights
from sims.conformance.noise import OPTIONS, Noise
from sims.conformance.replay import NotEnumerable, Replay
from sims.conformance.torch_functions import softmax_axis
from sims.conformance.torch_noise import NoiseTensor, fill, numbers, of_noise

__all__ = ["intercepted"]

torch: Any = import_module("torch")  # by name, as type checkers may do without it


class _Interception(torch.overrides.TorchFunctionMode):
    def __init__(self, replay: Replay) -> None:
        super().__init__()
        self.replay = replay
        self.private = torch.Generator()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if NoiseTensor in types and func not in AGAIN:
            if not func.__name__.endswith("_like") or not isinstance(args[0], NoiseTensor):
                return of_noise(func, args, kwargs or {})
            args = (args[0].blank(), *args[1:])
        draw = DRAWING.get(func)
        if draw is None:  # nearly always, so it has to be quick
            return func(*args, **kwargs) if kwargs else func(*args)
        if kwargs and kwargs.get("out") is not None:
            raise NotEnumerable(f"{func.__name__} into another tensor")
        return draw(self, func, args, kwargs or {})

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
        For a call whose outcomes cannot be enumerated.
    """
    with _Interception(replay):
        yield


# Calls that draw


def _rand(mode: _Interception, func: Any, args: Any, kwargs: Any) -> NoiseTensor:
    like = {"rand": torch.empty, "rand_like": torch.empty_like}[func.__name__]
    empty = like(*args, **{name: kwargs[name] for name in kwargs if name != "generator"})
    return NoiseTensor.of(mode.noise(empty.shape), empty.dtype, empty.device)


def _uniform_(mode: _Interception, func: Any, args: Any, kwargs: Any) -> Any:
    tensor, low, high = _bound(args, kwargs, ("self", None), ("from", 0.0), ("to", 1.0))
    return fill(tensor, mode.noise(tensor.shape).times(high - low).plus(low))


def _exponential_(mode: _Interception, func: Any, args: Any, kwargs: Any) -> Any:
    tensor, rate = _bound(args, kwargs, ("self", None), ("lambd", 1.0))
    return fill(tensor, mode.noise(tensor.shape).log().times(-1 / rate))


def _multinomial(mode: _Interception, func: Any, args: Any, kwargs: Any) -> Any:
    weights, count, again = _bound(
        args, kwargs, ("input", None), ("num_samples", None), ("replacement", False)
    )
    drawn = mode.example(func, args, kwargs)
    left = numbers(weights).reshape(-1, weights.shape[-1]).copy()
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
    coins = _coins(mode, tensor.shape, numbers(tensor if p is None else p))
    return drawn.copy_(torch.from_numpy(coins))


def _binomial(mode: _Interception, func: Any, args: Any, kwargs: Any) -> Any:
    count, chance = _bound(args, kwargs, ("count", None), ("prob", None))
    drawn = mode.example(func, args, kwargs)
    tosses = numbers(count).ravel().astype(np.int64)
    p = np.broadcast_to(numbers(chance), count.shape).ravel()
    rows = mode.replay.rows_of(tuple(count.shape))
    heads = mode.replay.decide(rows, binomial_weights(tosses, p))
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
        drawn = torch.empty_like(args[0])
    low, high = map(int, ends if len(ends) == 2 else (0, *ends))
    if high - low > OPTIONS:
        raise NotEnumerable(f"{name} among {high - low} integers")
    rows = mode.replay.rows_of(tuple(drawn.shape))
    chosen = mode.replay.decide(rows, np.ones((len(rows), high - low)))
    return drawn.copy_(torch.from_numpy(chosen + low).reshape(drawn.shape))


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
    noise = gumbel.plus(numbers(logits)).times(1 / tau)
    if not hard:
        return NoiseTensor.of(
            noise, logits.dtype, logits.device, along=softmax_axis(dim, logits.ndim)
        )
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
        ("randn", "randn_like", "normal", "normal_", "log_normal_", "cauchy_", "geometric_"),
        _refused,
    ),
    **dict.fromkeys(("poisson", "_standard_gamma", "_sample_dirichlet"), _refused),
}

DRAWING = {
    function: draw
    for name, draw in DRAWS.items()
    for place in (torch, torch.Tensor, torch.nn.functional, torch._C._VariableFunctions)
    if (function := getattr(place, name, None)) is not None
}

AGAIN = (torch.Tensor.uniform_, torch.Tensor.exponential_)
"""What fills tensors that may hold noise of before."""


def _bound(args: Any, kwargs: Any, *names: Any) -> list[Any]:
    """Arguments by position or name, ``(name, default)``."""
    given = list(args[: len(names)])
    return given + [kwargs.get(name, default) for name, default in names[len(given) :]]
