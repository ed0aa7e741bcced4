"""What can be asked of random numbers that are not drawn, by the names torch gives to functions."""

import math
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np

from sims.conformance.noise import Noise
from sims.conformance.replay import NotEnumerable
from sims.conformance.torch_noise import FUNCTIONS, NoiseTensor, fill, numbers

__all__ = ["softmax_axis"]

torch: Any = import_module("torch")  # by name, as type checkers may do without it


def softmax_axis(dim: int, ndim: int) -> int:
    """An axis counted from the end, where it stays when axes are added in front."""
    return dim - ndim if dim >= 0 else dim


def _floor(noise: Any) -> Any:
    return torch.from_numpy(noise.noise.floor()).to(noise.place, noise.kind)


def _trunc(noise: Any) -> Any:
    """As integers: towards 0, which is downwards if nothing is negative."""
    inner = noise.noise
    if inner.kind == "uniform" and (np.minimum(inner.shift, inner.shift + inner.scale) < 0).any():
        raise NotEnumerable(f"the integer part of {inner} below 0")
    return _floor(noise)


def _result(answer: Noise, noise: Any, other: Any = None) -> Any:
    """A tensor of the type that torch would give a function of noise and something else."""
    kind = noise.kind
    if isinstance(other, torch.Tensor) and other.ndim:
        kind = torch.promote_types(kind, other.dtype)
    if answer.whole or np.isnan(answer.known).any():
        return NoiseTensor.of(answer, kind, noise.place)
    return torch.from_numpy(np.array(answer.known)).to(noise.place, kind)


def _pair(a: Any, b: Any, what: str) -> tuple[Noise, np.ndarray, bool]:
    """Noise, the numbers that it meets, and whether the noise is the first."""
    if isinstance(a, NoiseTensor) and isinstance(b, NoiseTensor):
        raise NotEnumerable(f"the {what} of random numbers and random numbers")
    first = isinstance(a, NoiseTensor)
    return (a, b)[not first].noise, numbers((a, b)[first]), first


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
    return _times(noise, number, *((a, b) if first else (b, a)))


def _div(a: Any, b: Any, rounding_mode: Any = None) -> Any:
    if rounding_mode is not None:
        raise NotEnumerable("the rounded quotient of random numbers")
    noise, number, first = _pair(a, b, "quotient")
    if first:
        with np.errstate(divide="ignore"):
            return _times(noise, 1 / number, a, b)
    return _times(noise.reciprocal(), number, b, a)


def _times(noise: Noise, number: np.ndarray, a: Any, b: Any) -> Any:
    """A multiple. Numbers that are nan are, to torch, the largest of those along the last axis."""
    endless = ~np.isfinite(number)
    if noise.kind != "exponential" or not endless.any():
        return _result(noise.times(number), a, b)
    answer = noise.times(np.where(endless, 1.0, number))
    answer = answer.where(~endless, np.nan_to_num(number, nan=math.inf, posinf=math.inf))
    return NoiseTensor.of(answer, a.kind, a.place, along=-1 if np.isnan(number).any() else None)


def _pow(a: Any, b: Any) -> Any:
    noise, exponent, first = _pair(a, b, "power")
    if not first:
        raise NotEnumerable("a power with a random exponent")
    return _result(noise.to_the(exponent), a, b)


def _compared(below: bool) -> Callable[[Any, Any], Any]:
    def compare(a: Any, b: Any) -> Any:
        noise, number, first = _pair(a, b, "comparison")
        shape = np.broadcast_shapes(noise.shape, number.shape)
        answer = noise.mapped(np.atleast_1d).below(number).reshape(shape)
        return torch.from_numpy(np.asarray(answer == (below == first))).to(
            (a if first else b).place
        )

    return compare


def _where(condition: Any, a: Any, b: Any) -> Any:
    if isinstance(condition, NoiseTensor):  # noise.where(condition, other)
        condition, a = a, condition
    if not isinstance(condition, torch.Tensor) or condition.dtype != torch.bool:
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
    shape = target.noise.shape if isinstance(target, NoiseTensor) else tuple(target.shape)
    places = torch.arange(math.prod(shape), dtype=torch.int64).reshape(shape)[index].numpy()
    if not isinstance(value, NoiseTensor):
        root = target if target.root is None else target.root
        if target.root is not None:
            places = target.places.ravel()[places]
        known, kept = root.noise.known.copy(), np.ones(root.noise.shape, dtype=bool)
        known.ravel()[places] = np.broadcast_to(numbers(value), places.shape)
        kept.ravel()[places] = False
        fill(root, root.noise.where(kept, np.nan_to_num(known, nan=0.0)))
        return
    if isinstance(target, NoiseTensor):
        raise NotEnumerable("random numbers in a part of random numbers")
    known, inner = numbers(target), value.noise
    if np.isnan(np.delete(known, places)).any():
        raise NotEnumerable("random numbers among nan")

    def placed(field: np.ndarray, others: np.ndarray) -> np.ndarray:
        others = others.copy()
        others.ravel()[places] = field
        return others

    one = np.ones(shape)
    noise = replace(
        inner,
        which=placed(inner.which, np.zeros(shape, dtype=np.int64)),
        shift=placed(inner.shift, np.zeros(shape)),
        scale=placed(inner.scale, one),
        power=placed(inner.power, one),
        known=placed(inner.known, known),
        whole=False,
    )
    fill(target, noise)


def _clamp(noise: Any, min: Any = None, max: Any = None) -> Any:
    low, high = -math.inf if min is None else min, math.inf if max is None else max
    return _result(noise.noise.clipped(numbers(low), numbers(high)), noise)


def _softmax(noise: Any, dim: Any = None, *others: Any, **more: Any) -> Any:
    if dim is None:
        raise NotEnumerable("a softmax of random numbers along no axis")
    return NoiseTensor.of(
        noise.noise, noise.kind, noise.place, along=softmax_axis(dim, len(noise.noise.shape))
    )


def _ordered(noise: Any, dim: Any, count: Any, largest: bool) -> Any:
    """Indices of the `count` largest or smallest, as a tensor."""
    inner = noise.noise
    if noise.along not in (None, softmax_axis(dim, len(inner.shape))):
        raise NotEnumerable("an order across a softmax of random numbers")
    if int(count) > inner.shape[dim]:
        raise RuntimeError(f"selected index {int(count)} out of range of {inner.shape[dim]}")
    if int(count) == 1 and largest:
        inner = _without_negative(inner, dim)
    order = inner.order(dim, int(count), largest=largest)
    return torch.from_numpy(np.ascontiguousarray(order)).to(noise.place)


def _without_negative(noise: Noise, dim: int) -> Noise:
    """Scores of which negative ones, as of probabilities by rounding, are not the largest."""
    if noise.kind != "exponential" or (noise.scale >= 0).all():
        return noise
    positive = np.isnan(noise.known) & (noise.scale > 0)
    beaten = (noise.scale < 0) & positive.any(axis=dim, keepdims=True)
    return noise.where(~beaten, -math.inf)


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
        if not isinstance(dim, int):
            raise NotEnumerable("the larger or smaller of random numbers")
        index = _extreme(largest)(noise, dim, keepdim)
        return kind((NoiseTensor.unknown(index.shape, noise), index))

    return extreme


def _topk(noise: Any, k: Any, dim: Any = -1, largest: bool = True, sorted: bool = True) -> Any:
    index = _ordered(noise, dim, k, largest)
    return torch.return_types.topk((NoiseTensor.unknown(index.shape, noise), index))


def _argsort(noise: Any, dim: Any = -1, descending: bool = False, stable: bool = False) -> Any:
    return _ordered(noise, dim, noise.noise.shape[dim], descending)


def _sort(noise: Any, dim: Any = -1, descending: bool = False, stable: bool = False) -> Any:
    index = _argsort(noise, dim, descending)
    return torch.return_types.sort((NoiseTensor.unknown(index.shape, noise), index))


def _searchsorted(edges: Any, noise: Any, *others: Any, **more: Any) -> Any:
    """Cells of numbers on edges that rise: each number and each edge compared."""
    if isinstance(edges, NoiseTensor) or not isinstance(noise, NoiseTensor):
        raise NotEnumerable("searchsorted among random numbers")
    below = noise.noise.mapped(lambda v: v[..., None]).below(numbers(edges)[..., None, :])
    return torch.from_numpy((~below).sum(axis=-1)).to(noise.place)


class _Scalar:
    """One random number taken out of its tensor."""

    def __init__(self, noise: Any) -> None:
        self.noise = noise

    def __float__(self) -> float:
        raise NotEnumerable("the value of a random number")

    __bool__ = __int__ = __index__ = __float__  # pyright: ignore


def _scalar(name: str) -> Callable[..., Any]:
    """An operator of a number, as that of a tensor with one entry."""

    def operator(self: _Scalar, *others: Any) -> Any:
        answer = getattr(self.noise, name)(*others)
        return _Scalar(answer) if isinstance(answer, NoiseTensor) else answer.item()

    return operator


COMPARED = ("lt", "le", "gt", "ge")
COMPUTED = ("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "pow", "neg")
for _name in COMPARED + COMPUTED:
    setattr(_Scalar, f"__{_name}__", _scalar(f"__{_name}__"))


FUNCTIONS |= {
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
    "clamp_min": lambda x, min: _clamp(x, min),
    "clamp_max": lambda x, max: _clamp(x, None, max),
    **dict.fromkeys(("softmax", "log_softmax", "special_softmax"), _softmax),
    "argmax": _extreme(largest=True),
    "argmin": _extreme(largest=False),
    "max": _extreme_value(largest=True),
    "min": _extreme_value(largest=False),
    "topk": _topk,
    "sort": _sort,
    "argsort": _argsort,
    "floor": _floor,
    **dict.fromkeys(("trunc", "fix"), _trunc),
    "searchsorted": _searchsorted,
    "bucketize": lambda x, edges, **more: _searchsorted(edges, x),
    "item": lambda x: _Scalar(x.reshape(())),
}
