"""Arrays of any backend: namespaces, transfers to the host, logarithms, and memory limits.

Every numerical function of the package starts with ``xp = array_namespace(...)`` and then uses
only names of the Python array API standard, so that NumPy, CuPy and strict arrays take the same
path. Exact numbers (Fractions, SymPy expressions) travel in NumPy arrays of dtype ``object``.
"""

import math
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any, cast

import array_api_compat
import numpy as np

from theory._core import exact, resources
from theory._core.plurals import counted
from theory._core.types import Array, ArrayLike, Namespace
from theory.errors import InvalidInput, TooLarge

__all__ = [
    "MASK",
    "array_namespace",
    "as_array",
    "device",
    "format_pattern",
    "free_memory",
    "from_host",
    "is_exact",
    "log",
    "on_one_device",
    "read_only",
    "require_memory",
    "softmax",
    "to_host",
    "within_memory",
    "xlogx",
    "xlogy",
]

MASK = -1
"""A masked site. As an index it selects the last slot of every axis of the evidence lattice."""

UNCHECKED_BYTES = 2**20
"""Up to this size, free memory is not measured: that would take longer than to allocate."""


def as_array(x: ArrayLike, uneven: str = "rows must be equally long") -> Array:
    """Return `x` itself if it is an array of some backend, else a NumPy array of it.

    A matrix and a sparse array become plain ones, which multiply and slice as all others do.
    Lists of `uneven` lengths and masked entries are refused.

    >>> as_array([[1, 2]]).shape
    (1, 2)
    """
    if type(x) is np.ndarray:
        return x
    if array_api_compat.is_array_api_obj(x) and not isinstance(x, np.ndarray):
        return cast(Array, x)
    if callable(dense := getattr(x, "toarray", None)):  # sparse
        require_memory(math.prod(x.shape), f"a sparse array of shape {tuple(x.shape)} made dense")
        x = dense()
    if isinstance(x, np.ma.MaskedArray) and np.ma.is_masked(x):
        count = np.ma.count_masked(x)
        raise InvalidInput(f"an array of shape {x.shape} has masked entries: {count}; fill them")
    try:
        x = np.asarray(x)
    except ValueError:  # rows of different lengths
        raise InvalidInput(uneven) from None
    return x


def array_namespace(*arrays: Array) -> Namespace:
    """Return the array API namespace that the arrays share (NumPy's for host arrays).

    >>> array_namespace(np.zeros(1)) is np
    True
    """
    for x in arrays:
        if not isinstance(x, (np.ndarray, np.generic)):
            kinds = frozenset(map(type, arrays))
            if kinds not in _NAMESPACES:
                xp = array_api_compat.array_namespace(*arrays)
                _NAMESPACES[kinds] = np if array_api_compat.is_numpy_namespace(xp) else xp
            return _NAMESPACES[kinds]
    return np


_NAMESPACES: dict[frozenset[type], Any] = {}
"""By the types of the arrays: a look-up takes longer than many a small operation."""


def device(x: Array) -> Any:
    """Return the device of `x`, to be handed to creation functions."""
    return "cpu" if isinstance(x, np.ndarray) else array_api_compat.device(x)


def to_host(x: Array) -> np.ndarray:
    """Return `x` as a NumPy array. No other function moves data off a device.

    >>> to_host(np.arange(3)).tolist()
    [0, 1, 2]
    """
    if isinstance(x, (np.ndarray, np.generic)) or not array_api_compat.is_array_api_obj(x):
        return np.asarray(x)
    if array_api_compat.is_cupy_array(x):
        import cupy  # pyright: ignore[reportMissingImports]

        return cupy.asnumpy(x)
    if array_api_compat.is_torch_array(x):
        x = x.detach().cpu()
        return x.float().numpy() if str(x.dtype) == "torch.bfloat16" else x.numpy()
    cpu = array_namespace(x).__array_namespace_info__().default_device()
    return np.from_dlpack(array_api_compat.to_device(x, cpu))


def from_host(x: ArrayLike, like: Array) -> Array:
    """Return host values `x` as an array on the backend and device of `like`."""
    return array_namespace(like).asarray(x, device=device(like))


def on_one_device(*arrays: Array) -> tuple[Array, ...]:
    """Move host arrays to the backend and device of the others, which must all have the same.

    >>> [x.tolist() for x in on_one_device(np.arange(2), np.ones(1))]
    [[0, 1], [1.0]]
    """
    elsewhere = [x for x in arrays if not array_api_compat.is_numpy_array(x)]
    if not elsewhere:
        return arrays
    like = elsewhere[0]
    for x in elsewhere:
        if array_namespace(x) is not array_namespace(like) or device(x) != device(like):
            raise InvalidInput(f"arrays live on different devices: {device(like)}, {device(x)}")
    return tuple(from_host(x, like) if array_api_compat.is_numpy_array(x) else x for x in arrays)


def read_only(x: Array) -> Array:
    """Make a host array read-only, so that a shared result cannot be changed by accident."""
    if isinstance(x, np.ndarray):
        x = x.view()
        x.flags.writeable = False
    return x


def format_pattern(tokens: Array, most: int = 16) -> str:
    """Write a pattern (L,) for an error message; of a long one, only what is observed.

    >>> format_pattern(np.asarray([0, MASK]))
    '(0, MASK)'
    """
    values = [int(v) for v in to_host(tokens)]
    if len(values) <= most:
        return f"({', '.join('MASK' if v == MASK else str(v) for v in values)})"
    observed = [f"site {i}: {v}" for i, v in enumerate(values) if v != MASK]
    rest = f" and {len(observed) - most} more" if len(observed) > most else ""
    return f"({', '.join(observed[:most])}{rest}; {counted(len(values), 'site')})"


def log(x: Array) -> Array:
    """Natural logarithm with ``log(0) = -inf`` and no warning; exact numbers stay exact.

    >>> log(np.asarray([0.0, 1.0, np.nan]))
    array([-inf,   0.,  nan])
    """
    if is_exact(x):
        return exact.log(x)
    with np.errstate(divide="ignore", invalid="ignore"):
        return array_namespace(x).log(x)


def xlogx(x: Array) -> Array:
    """``x log x`` in nats with ``0 log 0 = 0``, elementwise.

    Integers and Fractions give linear forms in the logarithms of primes.

    >>> xlogx(np.asarray([0.0, 1.0]))
    array([0., 0.])
    >>> xlogx(np.asarray([4])).tolist()
    [8*log(2)]
    """
    if is_exact(x):
        return exact.xlogx(x)
    xp = array_namespace(x)
    return x * xp.log(xp.where(x > 0, x, 1.0))


def xlogy(weights: Array, x: Array) -> Array:
    """``weights log x`` in nats, elementwise, with 0 where the weight is 0.

    >>> xlogy(np.asarray([0.0, 2.0]), np.asarray([0.0, 1.0]))
    array([0., 0.])
    """
    if is_exact(weights):
        return exact.xlogy(weights, x)
    xp = array_namespace(weights)
    used = weights > 0
    return xp.where(used, weights * log(xp.where(used, x, 1.0)), 0.0)


def is_exact(x: Array) -> bool:
    """Tell whether `x` holds exact numbers: integers, Fractions or SymPy expressions."""
    return isinstance(x, np.ndarray) and x.dtype.kind in "Oiu"


def softmax(logits: Array) -> Array:
    """Exponentials of the last axis, divided by their sum; all zero where all are ``-inf``.

    >>> softmax(np.log([[1.0, 3.0]]))
    array([[0.25, 0.75]])
    """
    xp = array_namespace(logits)
    top = xp.max(logits, axis=-1, keepdims=True)
    top = xp.where(xp.isfinite(top), top, xp.zeros_like(top))
    raised = xp.exp(logits - top)
    total = xp.sum(raised, axis=-1, keepdims=True)
    return raised / xp.where(total > 0, total, xp.ones_like(total))


def require_memory(entries: int, what: str, like: Array | None = None, itemsize: int = 8) -> None:
    """Raise `TooLarge` if the entries of `what` would not fit in the memory that is free now.

    The error message begins with `what`, so it should name the shape. The memory is that of the
    device of `like`, of the host if it is not given; an entry takes `itemsize` bytes.

    >>> require_memory(3**40, "the evidence lattice of shape (3,)*40")
    Traceback (most recent call last):
    ...
    theory.errors.TooLarge: the evidence lattice of shape (3,)*40 has 1.22e+19 entries and ...
    """
    needed = entries * itemsize
    if needed <= UNCHECKED_BYTES and not os.environ.get("ZEROLOSS_MEMORY"):
        return
    free = free_memory(like)
    if needed > free:
        raise TooLarge(
            f"{what} has {_short(entries)} entries and needs {_gibibytes(needed)}; "
            f"{_gibibytes(free)} are free"
        )


@contextmanager
def within_memory(what: str) -> Iterator[None]:
    """Raise `TooLarge` where an allocation fails after all; also a decorator.

    >>> with within_memory("a table"):
    ...     raise MemoryError("Unable to allocate 3 GiB")
    Traceback (most recent call last):
    ...
    theory.errors.TooLarge: a table does not fit in memory: Unable to allocate 3 GiB
    """
    try:
        yield
    except MemoryError as error:  # CuPy's is one, too
        raise TooLarge(f"{what} does not fit in memory: {str(error) or 'none is left'}") from error


def _short(n: int) -> str:
    """Write a positive integer of any size in a few characters.

    >>> _short(3 * 10**5000), _short(1500)
    ('1e5000', '1500')
    """
    return f"1e{int(math.log10(n))}" if n >= 1e300 else f"{n:.3g}" if n >= 1e6 else str(n)


def _gibibytes(n: int) -> str:
    """Write a number of bytes.

    >>> _gibibytes(3 * 2**29), _gibibytes(800)
    ('1.5 GiB', '800 bytes')
    """
    if n < 2**20:
        return f"{n} bytes"
    return f"{_short(n // 2**30) if n > 2**60 else f'{n / 2**30:.3g}'} GiB"


def free_memory(like: Array | None = None) -> int:
    """Bytes free on the device of `like` (CuPy), else on the host.

    The least of what the machine, the control group (of a container) and the limit on the process's
    addresses leave. The environment variable ``ZEROLOSS_MEMORY`` (bytes, or ``4G``, ``500M``)
    replaces the measured value.
    """
    if limit := os.environ.get("ZEROLOSS_MEMORY"):
        return _as_bytes(limit)
    if like is not None and array_api_compat.is_cupy_array(like):
        import cupy  # pyright: ignore[reportMissingImports]

        pool = cupy.get_default_memory_pool()
        return int(device(like).mem_info[0]) + int(pool.free_bytes())
    return resources.free_memory()


def _as_bytes(limit: str) -> int:
    """Read a number of bytes, or of binary units.

    >>> _as_bytes("4G"), _as_bytes("1.5 KiB")
    (4294967296, 1536)
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?\s*", limit, re.IGNORECASE)
    if found is None:
        raise InvalidInput(
            f"ZEROLOSS_MEMORY must be a number of bytes (or such as 4G, 500M), got {limit!r}"
        )
    number, unit = found.groups()
    return int(Fraction(number) * 1024 ** " KMGT".index(unit.upper() or " "))
