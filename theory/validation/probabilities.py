"""Validation of what has to sum to one: weights, rows of probabilities and predictions."""

import math
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from theory._core import exact as exact_numbers
from theory._core.arrays import MASK, array_namespace, device, is_exact, on_one_device, to_host
from theory._core.plurals import counted
from theory._core.segments import any_true
from theory._core.types import Array, ArrayLike, Number
from theory.errors import InvalidInput
from theory.validation.arguments import as_numbers, as_rectangular, first_where, refuse_where
from theory.validation.tolerances import EXACT, MODEL, tolerance

__all__ = [
    "Weights",
    "as_chain",
    "as_distribution",
    "as_predictions",
    "as_probabilities",
    "as_rows",
    "as_unnormalised",
    "as_weights",
    "negative",
]

HUGE_WEIGHT = 2.0**900
"""Weights above this are scaled down first (by a power of two), so that their sum is finite."""

CACHED = 2**16
"""Entries of a piece that stays in the cache between the two reductions over it."""


class Weights(NamedTuple):
    """Probabilities as ``values / total``.

    Float values are normalised and ``total`` is 1.0. Rational weights are integers over one
    common denominator; symbolic ones are SymPy expressions over their sum.
    """

    values: Array
    total: Number


def as_weights(weights: ArrayLike, name: str = "weights", *, exact: bool | None = False) -> Weights:
    """Check non-negative weights of any shape and normalise them over all entries.

    With ``exact=None`` integers, Fractions and SymPy expressions stay exact, floats do not.
    """
    values, total = as_unnormalised(weights, name, exact=exact)
    if not isinstance(total, float):
        return Weights(values, total)
    xp = array_namespace(values)
    return Weights(xp.astype(values, xp.float64, copy=False) / total, 1.0)


def as_unnormalised(weights: ArrayLike, name: str, *, exact: bool | None = False) -> Weights:
    """Check non-negative weights of any shape and sum them; ``total`` is a float unless exact.

    Host numbers are not copied and keep their type. It takes two passes, the least weight and the
    sum, which also find out what is not finite.
    """
    x = as_rectangular(weights, name)
    exact = is_exact(x) if exact is None else exact
    rounding = tolerance(x).entry
    short = not exact and isinstance(x, np.ndarray) and x.dtype.kind in "biuf"
    if not short:
        x = as_numbers(x, name, exact=exact)
    if 0 in x.shape:
        raise InvalidInput(f"{name} must not be empty, got shape {tuple(x.shape)}")
    if exact:
        return _exact_weights(_not_negative(x, name), name)
    xp = array_namespace(x)
    with np.errstate(over="ignore", invalid="ignore"):
        least, total = _least_and_sum(x)
    if -rounding * total <= least < 0 and math.isfinite(total):
        x = xp.where(x < 0, 0.0, x)
        least, total = _least_and_sum(x)
    if not (least >= 0 and math.isfinite(total)):
        _refuse_logarithms(x, name)
        x = _not_negative(as_numbers(x, name), name) * (1 / HUGE_WEIGHT)
        total = float(xp.sum(x))
    if total == 0:
        raise InvalidInput(f"{name} of shape {tuple(x.shape)} cannot be normalised: sum {total}")
    return Weights(x, total)


def _least_and_sum(x: Array) -> tuple[float, float]:
    """Both in one pass through memory; ``nan`` in either if there is one."""
    xp = array_namespace(x)
    pieces = [x]
    if isinstance(x, np.ndarray) and x.flags.c_contiguous and x.size > CACHED:
        flat = x.reshape(-1)
        pieces = [flat[i : i + CACHED] for i in range(0, x.size, CACHED)]
    least, total = zip(*((xp.min(y), xp.sum(y, dtype=xp.float64)) for y in pieces), strict=True)
    return float(np.min([float(v) for v in least])), float(sum(float(v) for v in total))


def _not_negative(x: Array, name: str, rounding: float = 0) -> Array:
    """Refuse negative entries; those above ``-rounding`` become 0."""
    xp = array_namespace(x)
    if isinstance(x, np.ndarray) and x.dtype.kind == "O":
        refuse_where(negative(x), x, f"{name} must not be negative")
    elif float(xp.min(x)) < 0:
        refuse_where(x < -rounding, x, f"{name} must not be negative")
        return xp.where(x < 0, 0.0, x)
    return x


def negative(x: Array) -> Array:
    """Tell which numbers are negative or nan; a symbol of unknown sign counts as non-negative.

    >>> negative(np.asarray([Fraction(-1, 2), 1], dtype=object)).tolist()
    [True, False]
    """
    if isinstance(x, np.ndarray) and x.dtype.kind == "O":
        return exact_numbers.elementwise(_is_negative, x).astype(bool)
    return ~(x >= 0)


def _refuse_logarithms(x: Array, name: str) -> None:
    """Refuse logarithms of probabilities, ``-inf`` among them, by name."""
    xp = array_namespace(x)
    if 0 in x.shape or x.ndim == 0 or not xp.isdtype(x.dtype, "real floating"):
        return
    if not float(xp.max(x)) <= 0:  # nan, too, is for others to name
        return
    exponentials = np.exp(to_host(x).astype(np.float64))
    for sums in (exponentials.sum(axis=-1), exponentials.sum()):
        if (abs(sums - 1) <= MODEL.sum).all():
            raise InvalidInput(
                f"{name} must be probabilities, not their logarithms: no number is above 0 and the "
                "exponentials sum to 1, so give the exponentials"
            )


def _is_negative(value: Any) -> bool:
    if exact_numbers.is_rational(value) or isinstance(value, float):
        return not value >= 0
    return bool(value.is_negative)


def _exact_weights(x: np.ndarray, name: str) -> Weights:
    if x.dtype.kind != "O":
        values, total = x, int(x.sum())
    elif exact_numbers.all_rational(x):
        values, _ = exact_numbers.over_common_denominator(x)
        total = sum(values.reshape(-1).tolist())
    else:
        import sympy

        values, total = x, sympy.cancel(sympy.Add(*x.reshape(-1).tolist()))
    if total == 0:
        raise InvalidInput(f"{name} of shape {x.shape} cannot be normalised: sum 0")
    return Weights(values, total)


def as_probabilities(x: ArrayLike, name: str) -> Array:
    """Check a table of non-negative numbers; exact ones stay exact."""
    x = as_rectangular(x, name)
    _refuse_logarithms(x, name)
    rounding = tolerance(x).entry
    x = as_numbers(x, name, exact=is_exact(x))
    return x if 0 in x.shape else _not_negative(x, name, rounding)


def as_distribution(x: ArrayLike, name: str) -> Array:
    """Check a table of any shape whose entries sum to 1 (floats are divided by their sum).

    >>> as_distribution([[0.5, 0.25], [0.25, 0.5]], "p")
    Traceback (most recent call last):
    ...
    theory.errors.InvalidInput: p must sum to 1: it sums to 1.5
    """
    x = as_rectangular(x, name)
    rows = as_rows(array_namespace(x).reshape(x, (-1,)), name, 1, exact=is_exact(x))
    return array_namespace(rows).reshape(rows, x.shape)


def as_predictions(predictions: Any, x: Array, vocab: int) -> Array:
    """Check what a user's denoiser returned for patterns `x`, on any backend and device.

    Only rows at masked sites are checked. Floats come back in float64, divided by their sums.

    >>> as_predictions(np.asarray([[0.25, 0.75 - 2**-20]]), np.asarray([MASK]), 2).sum()
    np.float64(1.0)
    """
    if not isinstance(x, np.ndarray):
        _refuse_elsewhere(predictions, x)
    shape = getattr(predictions, "shape", None)
    if shape is None and (isinstance(predictions, tuple) or hasattr(predictions, "logits")):
        raise InvalidInput(
            f"the denoiser returned a {type(predictions).__name__}, not an array of probabilities; "
            f"sims.from_logits makes a denoiser of a model that answers with logits"
        )
    if shape is None or tuple(shape) != (*x.shape, vocab):
        raise InvalidInput(
            f"the denoiser returned shape {shape and tuple(shape)} for patterns of shape "
            f"{tuple(x.shape)}; expected {(*x.shape, vocab)}"
        )
    entry, total = map(max, zip(tolerance(predictions), MODEL, strict=True))
    if isinstance(x, np.ndarray):
        predictions = to_host(predictions)
    xp, masked = array_namespace(predictions), x == MASK
    if is_exact(predictions):
        rows = predictions[masked]
        if exact_numbers.all_rational(rows):  # symbols cannot be judged
            good = ~masked
            good[masked] = (rows >= 0).all(axis=-1) & (rows.sum(axis=-1) == 1)
            _refuse_predictions(good, predictions, 0)
        return predictions
    if not xp.isdtype(predictions.dtype, ("bool", "integral", "real floating")):
        raise InvalidInput(f"the denoiser returned {predictions.dtype}; real numbers are needed")
    values = xp.astype(predictions, xp.float64, copy=False)
    repaired = xp.where(values < 0, 0.0, values)
    with np.errstate(invalid="ignore"):
        sums = xp.sum(repaired, axis=-1)
        good = xp.all(values >= -entry, axis=-1) & (xp.abs(sums - 1) <= total)
    _refuse_predictions(good | ~masked, values, total)
    repaired = repaired / xp.where(masked, sums, 1.0)[..., None]
    return xp.where(masked[..., None], repaired, values)


def _refuse_elsewhere(predictions: Any, x: Array) -> None:
    here = device(x)
    try:
        beside = array_namespace(predictions) is array_namespace(x) and device(predictions) == here
    except TypeError:
        beside = False
    if not beside:
        raise InvalidInput(
            f"the denoiser returned {type(predictions).__name__} for patterns on {here}: it has "
            f"to answer with an array that lives there"
        )


def _refuse_predictions(good: Array, values: Array, allowed: float) -> None:
    """Raise with the first row that is not `good`, and what is wrong with it."""
    if not any_true(~good):
        return
    where = tuple(np.argwhere(~to_host(good))[0].tolist())
    row = to_host(values)[where]
    _refuse_logarithms(row, "the denoiser's predictions")
    least, total = row.min(), row.sum()
    wrong = f"{total:.10g}" if isinstance(total, np.floating) else str(total)
    raise InvalidInput(
        "the denoiser's predictions must be probabilities that sum to 1: those "
        f"{f'of row {where[0]} ' if len(where) == 2 else ''}for site {where[-1]} "
        f"{f'hold {least}' if least < 0 else f'sum to {wrong}'} ({allowed:g} is taken for "
        "rounding). Logits need a softmax, in float32 or float64: sims.from_logits does that"
    )


def as_rows(x: ArrayLike, name: str, ndim: int, *, exact: bool = False) -> Array:
    """Check probabilities whose last axis sums to 1 (float rows are divided by their sum)."""
    x = as_rectangular(x, name)
    allowed = EXACT if exact else tolerance(x)
    _refuse_logarithms(x, name)
    x = as_numbers(x, name, exact=exact)
    if x.ndim != ndim or 0 in x.shape:
        raise InvalidInput(
            f"{name} must have {counted(ndim, 'axis')} and no empty one, got shape {tuple(x.shape)}"
        )
    x = _not_negative(x, name, allowed.entry)
    xp = array_namespace(x)
    if exact:
        if x.dtype.kind != "O" or exact_numbers.all_rational(x):
            x = exact_numbers.elementwise(Fraction, x)
        sums = np.asarray(np.sum(x, axis=-1), dtype=object)
        off = exact_numbers.elementwise(_differs_from_one, sums).astype(bool)
    else:
        sums = xp.sum(x, axis=-1)
        off = xp.abs(sums - 1) > allowed.sum
    if bool(xp.any(off)):
        where, value = first_where(off, sums)
        value = value if exact else f"{value:.10g}"
        if ndim == 1:
            raise InvalidInput(f"{name} must sum to 1: it sums to {value}")
        raise InvalidInput(f"rows of {name} must sum to 1: row {where} sums to {value}")
    return x if exact else x / xp.expand_dims(sums, axis=-1)


def _differs_from_one(total: Any) -> bool:
    """Tell whether an exact number is not 1, symbols simplified."""
    if exact_numbers.is_rational(total):
        return total != 1
    import sympy

    return sympy.simplify(total - 1) != 0


def as_chain(
    initial: ArrayLike, transition: ArrayLike, what: str, *, exact: bool = False
) -> tuple[Array, Array]:
    """Check the initial distribution and the transition matrix of a chain over `what` (tokens)."""
    initial = as_rows(initial, "initial", 1, exact=exact)
    transition = as_rows(transition, "transition", 2, exact=exact)
    initial, transition = on_one_device(initial, transition)
    size = initial.shape[0]
    if transition.shape != (size, size):
        raise InvalidInput(
            f"transition must have shape ({size}, {size}) for an initial distribution of {size} "
            f"{what}, got {tuple(transition.shape)}"
        )
    return initial, transition
