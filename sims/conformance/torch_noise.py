"""Random numbers that are not drawn, as tensors of torch.

Functions of such a tensor are looked up by their names; any that has no closed form raises
`NotEnumerable`.
"""

import math
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from sims.conformance.noise import Noise
from sims.conformance.replay import NotEnumerable

__all__ = ["FUNCTIONS", "NoiseTensor", "fill", "numbers", "of_noise"]

torch: Any = import_module("torch")  # by name, as type checkers may do without it


class NoiseTensor(torch.Tensor):
    """Random numbers that are not drawn, as a tensor without content.

    Attributes
    ----------
    along : int or None
        If given, only the order along this axis is known, counted from the end.
    kind, place
        Its dtype and device, without asking torch.
    root, places
        If it is a view: of what, and of which places there.
    """

    along: int | None
    kind: Any
    place: Any
    root: "NoiseTensor | None"
    places: Any
    _noise: Noise | None

    @classmethod
    def of(cls, noise: Noise, kind: Any, place: Any, *, along: int | None = None) -> "NoiseTensor":
        """Noise as a tensor of a type on a device."""
        new = cls._empty(noise.shape, kind, place)
        new._noise, new.along = noise, along
        return new

    @classmethod
    def unknown(cls, shape: Any, like: "NoiseTensor") -> "NoiseTensor":
        """Numbers of which nothing is known: the values of sorted noise."""
        return cls._empty(tuple(shape), like.kind, like.place)

    @classmethod
    def view(cls, root: "NoiseTensor", places: np.ndarray) -> "NoiseTensor":
        """The entries of `root` at these places, counted as if it were flat."""
        new = cls._empty(places.shape, root.kind, root.place)
        new.along = root.along
        if root.root is None:
            new.root, new.places = root, places
        else:
            new.root, new.places = root.root, root.places.ravel()[places]
        return new

    @classmethod
    def _empty(cls, shape: Any, kind: Any, place: Any) -> "NoiseTensor":
        new = torch.Tensor._make_wrapper_subclass(cls, shape, dtype=kind, device=place)
        new._noise = new.along = new.root = new.places = None
        new.kind, new.place = kind, place
        return new

    @property
    def noise(self) -> Noise:
        if self.root is not None:
            return _taken(self.root.noise, self.places)
        if self._noise is None:
            raise NotEnumerable("a function of the values of sorted random numbers")
        return self._noise

    def blank(self) -> Any:
        """A tensor of the same shape, type and place, of which nothing else is asked."""
        return torch.empty(self.noise.shape, dtype=self.kind, device=self.place)

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return of_noise(func, args, kwargs or {})

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise NotEnumerable(f"{func} of random numbers")


def fill(tensor: Any, noise: Noise) -> Any:
    """Make a tensor noise, whoever holds it."""
    if isinstance(tensor, NoiseTensor):
        if tensor.root is not None:
            raise NotEnumerable("a change of a part of random numbers")
        tensor._noise, tensor.along = noise, None
        return tensor
    # Its own hold on the memory and that of this question; others would not see the change.
    holds = torch._C._storage_Use_Count(tensor.untyped_storage()._cdata)
    if type(tensor) is not torch.Tensor or holds > 2:
        raise NotEnumerable("random numbers in a tensor that shares its memory")
    kind, place = tensor.dtype, tensor.device
    tensor.fill_(math.nan)
    tensor.__class__ = NoiseTensor
    tensor._noise, tensor.along, tensor.root, tensor.places = noise, None, None, None
    tensor.kind, tensor.place = kind, place
    return tensor


def numbers(value: Any) -> np.ndarray:
    """Numbers of a tensor, exactly, in float64 on the host."""
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        return value.to(torch.float64).numpy() if value.dtype != torch.bool else value.numpy()
    return np.asarray(value, dtype=np.float64)


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


STRUCTURE = _names(
    "__getitem__ view view_as reshape reshape_as flatten unflatten squeeze unsqueeze "
    "transpose swapaxes movedim moveaxis permute t expand expand_as broadcast_to repeat "
    "repeat_interleave select narrow index_select gather take_along_dim masked_select split "
    "chunk tensor_split unbind flip roll tile T mT"
)
"""Functions that only move entries: they are applied to the places instead."""

SAME = _names(
    "clone detach detach_ contiguous to float double half bfloat16 type type_as cpu cuda "
    "requires_grad_ nan_to_num alias data long int short"
)
ASKED = _names(
    "size dim numel nelement stride element_size is_floating_point is_complex get_device "
    "is_contiguous __len__ __hash__ __repr__ __format__ shape dtype device ndim layout "
    "is_cuda requires_grad grad grad_fn is_leaf is_sparse is_quantized is_meta names _base"
)
"""What is answered without a look at the content."""


RANKED = SAME | _names("argmax argmin topk sort argsort max min")
"""What is known of numbers of which only the order is."""

FUNCTIONS: dict[str, Callable[..., Any]] = {}
"""What else can be asked of noise, by name; `torch_functions` enters it here."""


def of_noise(func: Any, args: Any, kwargs: Any) -> Any:
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
        if isinstance(value, NoiseTensor) and value.along is not None and name not in RANKED:
            raise NotEnumerable(f"{name} of a softmax of random numbers")
    noise = args[0] if args else None
    if isinstance(noise, NoiseTensor) and name in STRUCTURE:
        return _moved(noise, func, args[1:], kwargs)
    if isinstance(noise, NoiseTensor) and name in SAME:
        return _cast(noise, func, args[1:], kwargs)
    plain = name.strip("_") if name.startswith("__") else name.removesuffix("_")
    if (function := FUNCTIONS.get(plain)) is None:
        raise NotEnumerable(f"{name} of random numbers")
    try:
        answer = function(*args, **kwargs)
    except (AttributeError, TypeError) as failure:  # noise where numbers are expected
        raise NotEnumerable(f"{name} of random numbers") from failure
    if name.startswith("__i") if name.startswith("__") else name.endswith("_"):
        if not isinstance(answer, NoiseTensor):
            raise NotEnumerable(f"{name} of random numbers, of which nothing is left")
        return fill(noise, answer.noise)
    return answer


def _moved(noise: NoiseTensor, func: Any, args: Any, kwargs: Any) -> Any:
    """Entries moved; those of a view change with what they are taken from."""
    inner = noise.noise
    places = torch.arange(math.prod(inner.shape), dtype=torch.int64).reshape(inner.shape)
    moved = func(places, *args, **kwargs)

    def taken(place: Any) -> NoiseTensor:
        at = place.numpy()
        if place.untyped_storage().data_ptr() == places.untyped_storage().data_ptr():
            return NoiseTensor.view(noise, at)
        return NoiseTensor.of(_taken(inner, at), noise.kind, noise.place, along=noise.along)

    return tuple(map(taken, moved)) if isinstance(moved, (tuple, list)) else taken(moved)


def _taken(noise: Noise, places: np.ndarray) -> Noise:
    """The entries at these places, counted as if it were flat."""
    if not noise.shape:
        return noise.mapped(lambda v: np.broadcast_to(v, places.shape))
    at = np.unravel_index(places, noise.shape)
    return noise.mapped(lambda v: v[at])


def _cast(noise: NoiseTensor, func: Any, args: Any, kwargs: Any) -> Any:
    """The same numbers in another type or place."""
    if func.__name__ == "__get__":
        return noise
    like = torch.empty(0, dtype=noise.kind, device=noise.place)
    cast = func(like, *args, **kwargs)
    if cast is like or func.__name__ in ("detach", "alias"):
        return noise
    if not cast.dtype.is_floating_point:
        return FUNCTIONS["trunc"](noise).to(cast)
    return NoiseTensor.of(noise.noise, cast.dtype, cast.device, along=noise.along)
