"""Validation of numbers, arrays, tokens, sites and batch sizes that a user hands in.

Each function returns what the code behind it expects and need not check again, or raises
`InvalidInput` with the shape and the offending number.
"""

import contextlib
import math
import operator
import sys
from fractions import Fraction
from typing import Any

import numpy as np

from theory._core import exact as exact_numbers
from theory._core.arrays import MASK, array_namespace, as_array, device, from_host, to_host
from theory._core.log_numbers import LinearForm
from theory._core.segments import any_true
from theory._core.types import Array, ArrayLike
from theory.errors import InvalidInput

__all__ = [
    "as_base",
    "as_integer",
    "as_numbers",
    "as_real",
    "as_rectangular",
    "as_rounds",
    "as_sites",
    "as_sizes",
    "as_tokens",
    "first_where",
    "refuse_where",
]


def as_integer(value: Any, name: str, low: int) -> int:
    """Return `value` as an int that is at least `low`."""
    truth = isinstance(value, (bool, np.bool_))
    try:
        number = None if truth else operator.index(value)
    except TypeError:
        number = None
    if number is None or number < low:
        raise InvalidInput(f"{name} must be an integer of at least {low}, got {value!r}")
    return number


def as_real(value: Any, name: str, low: float, high: float, *, ends: bool = True) -> float:
    """Return `value` as a float between `low` and `high`, which are allowed if `ends`."""
    number = isinstance(value, (int, float, Fraction, np.integer, np.floating))
    inside = number and (low < value < high or (ends and value in (low, high)))
    if inside and not isinstance(value, bool):
        with contextlib.suppress(OverflowError):  # an integer beyond any float
            if math.isfinite(value):
                return float(value)
    if high < math.inf:
        between = (
            f"between {low:g} and {high:g}" if ends else f"strictly between {low:g} and {high:g}"
        )
    else:
        between = f"of at least {low:g}" if ends else f"above {low:g}"
    raise InvalidInput(f"{name} must be a finite number {between}, got {value!r}")


def as_base(base: Any) -> float:
    """Return the natural logarithm of a unit of information (1 for nats)."""
    if base is None:
        return 1.0
    return math.log(as_real(base, "base (2 for bits)", 1, math.inf, ends=False))


def as_rectangular(x: ArrayLike, name: str) -> Array:
    """Return an array, of a list if all its rows are equally long."""
    return as_array(x, f"{name} must be a rectangular array of numbers")


def as_numbers(x: ArrayLike, name: str, *, exact: bool = False) -> Array:
    """Return `x` as a float64 array, or with ``exact=True`` as integers or objects."""
    x = as_rectangular(x, name)
    if isinstance(x, np.ndarray) and x.dtype.kind == "O":
        return _as_objects(x, name) if exact else _as_floats(x, name)
    xp = array_namespace(x)
    if exact and not (isinstance(x, np.ndarray) and x.dtype.kind in "iu"):
        raise InvalidInput(
            f"exact=True needs host integers, Fractions or SymPy expressions; "
            f"{name} holds {x.dtype}"
        )
    if not xp.isdtype(x.dtype, ("bool", "integral", "real floating")):
        raise InvalidInput(f"{name} must hold real numbers, got {x.dtype}")
    if exact:
        if x.size and max(-int(x.min()), int(x.max())) * x.size < 2**63:  # so do all sums
            return x.astype(np.int64)
        return exact_numbers.integers(x.reshape(-1).tolist()).reshape(x.shape)
    x = xp.astype(x, xp.float64, copy=False)
    if 0 not in x.shape and not math.isfinite(float(xp.min(x)) - float(xp.max(x))):
        refuse_where(~xp.isfinite(x), x, f"{name} must be finite")
    return x


def _as_objects(x: np.ndarray, name: str) -> np.ndarray:
    flat = [_as_exact_number(v, name) for v in x.reshape(-1).tolist()]
    if not all(exact_numbers.is_rational(v) or isinstance(v, LinearForm) for v in flat):
        import sympy

        flat = [sympy.sympify(v) for v in flat]
    result = np.empty(len(flat), dtype=object)
    result[:] = flat
    return result.reshape(x.shape)


def _as_exact_number(value: Any, name: str) -> Any:
    if exact_numbers.is_rational(value) or isinstance(value, LinearForm):
        return value
    sympy: Any = sys.modules.get("sympy")  # an expression can only come from an imported SymPy
    if sympy is not None and isinstance(value, sympy.Expr):
        strange = value.has(sympy.Float, sympy.nan, sympy.oo, -sympy.oo, sympy.zoo)
        if not strange and value.is_real is not False:
            return exact_numbers.from_sympy(value)
    raise InvalidInput(
        f"exact=True needs integers, Fractions or SymPy expressions; {name} holds {value!r}"
    )


def _as_floats(x: np.ndarray, name: str) -> np.ndarray:
    try:
        floats = np.asarray([float(v) for v in x.reshape(-1).tolist()])
    except OverflowError:
        raise InvalidInput(
            f"{name} of shape {x.shape} holds a number beyond any float (above 1.8e308): divide "
            f"all by the largest, or pass exact=True"
        ) from None
    except (TypeError, ValueError):
        raise InvalidInput(
            f"{name} must hold real numbers (pass exact=True for SymPy expressions)"
        ) from None
    return as_numbers(floats.reshape(x.shape), name)


def refuse_where(bad: Array, x: Array, rule: str) -> None:
    """Raise with the first entry of `x` where `bad` holds."""
    if any_true(bad):
        where, value = first_where(bad, x)
        raise InvalidInput(f"{rule}: entry {where} is {value}")


def first_where(bad: Array, x: Array) -> tuple[int | tuple[int, ...], Any]:
    """Index of the first entry where `bad` holds (an int on one axis), and what `x` holds there."""
    index = tuple(np.argwhere(to_host(bad))[0].tolist())
    return index[0] if len(index) == 1 else index, to_host(x)[index]


def as_tokens(
    x: ArrayLike, length: int, vocab: int, like: Array, *, masked: bool = True
) -> tuple[Array, bool]:
    """Return tokens as an int64 array of shape (B, L) beside `like`, and whether `x` was (L,)."""
    x = as_array(x, "x must be a rectangular array of tokens")
    if array_namespace(x) is not array_namespace(like) or device(x) != device(like):
        if not isinstance(x, np.ndarray):
            raise InvalidInput(
                f"x lives on {device(x)} and the distribution on {device(like)}: "
                f"hand in tokens of the distribution's own backend, or host tokens"
            )
        if x.dtype.kind in "iu":
            x = from_host(x.astype(np.int64), like)
    host = isinstance(x, np.ndarray)
    if not (x.dtype.kind in "iu" if host else array_namespace(x).isdtype(x.dtype, "integral")):
        raise InvalidInput(f"tokens must be integers ({MASK} for a mask), got {x.dtype}")
    if x.ndim not in (1, 2) or x.shape[-1] != length:
        raise InvalidInput(f"x must have shape ({length},) or (B, {length}), got {tuple(x.shape)}")
    if x.shape[0] == 0:
        raise InvalidInput(f"x holds no sequence: shape {tuple(x.shape)}")
    low = MASK if masked else 0
    rule = f"tokens must lie in 0..{vocab - 1}" + (f" or be MASK ({MASK})" if masked else "")
    refuse_where((x < low) | (x >= vocab), x, rule)
    xp = array_namespace(x)
    x = xp.astype(x, xp.int64)  # a copy: what is kept does not change with the caller's array
    return (x, False) if x.ndim == 2 else (x[None, :], True)


def as_sites(sites: Any, length: int, name: str = "sites") -> tuple[int, ...]:
    """Return distinct site indices in increasing order."""
    try:
        sites = list(sites)
    except TypeError:
        raise InvalidInput(f"{name} must be a list of sites, got {sites!r}") from None
    try:
        if any(isinstance(i, (bool, np.bool_)) for i in sites):
            raise InvalidInput(f"{name} must be integers (indices, not a mask), got {sites}")
        chosen = [operator.index(i) for i in sites]
    except TypeError:
        raise InvalidInput(f"{name} must be integers, got {sites!r}") from None
    for i in chosen:
        if not 0 <= i < length:
            raise InvalidInput(f"{name} must lie in 0..{length - 1}, got {i}")
    if len(set(chosen)) < len(chosen):
        raise InvalidInput(f"{name} must be distinct, got {chosen}")
    return tuple(sorted(chosen))


def as_sizes(sizes: Any, length: int | None, least: int = 1) -> tuple[int, ...]:
    """Return batch sizes: integers of at least `least` that sum to `length`, if it is known."""
    try:
        sizes = tuple(as_integer(s, "a batch size", least) for s in sizes)
    except TypeError:
        raise InvalidInput(f"sizes must be a sequence of integers, got {sizes!r}") from None
    if length is not None and sum(sizes) != length:
        raise InvalidInput(f"sizes must sum to the length {length}: {sizes} sums to {sum(sizes)}")
    return sizes


def as_rounds(rounds: Any, length: int) -> int:
    """Return a number of rounds in which `length` sites can be revealed."""
    rounds = as_integer(rounds, "rounds", 1)
    if rounds > length:
        raise InvalidInput(f"rounds must be at most the length {length}, got {rounds}")
    return rounds
