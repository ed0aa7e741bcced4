"""Measures of given predictions: entropy, top mass, distances and information, many at a time."""

from typing import Any, NamedTuple

import numpy as np

from theory._core.arrays import array_namespace, device, from_host, is_exact, log, times_log, xlogx
from theory.errors import InvalidInput
from theory.homogenization.contexts import Contexts
from theory.lattice.lattice import quotient

__all__ = ["Rows", "as_index", "measured", "rows_of"]


class Rows(NamedTuple):
    """What does not depend on the context."""

    here: Any  # which rows of the predictions belong to the measured sites
    after: Any  # and which to those that follow; the last site stands for none
    alone: Any
    limit: Any
    top: int


def rows_of(part: Contexts, marginals: Any, limit: Any, top: int) -> Rows:
    """Of the marginals and limits of all sites, those that belong to the contexts."""
    like, last = marginals, part.p.length - 1
    here = np.asarray(part.sites, dtype=np.int64) - part.first
    every = as_index(part.sites, like)
    xp = array_namespace(like)
    return Rows(
        _range_or_index(here, like),
        _range_or_index(np.minimum(here + 1, last), like),
        xp.take(like, every, axis=0),
        xp.take(limit, every, axis=0),
        top,
    )


def _range_or_index(rows: np.ndarray, like: Any) -> Any:
    """A slice where it can be one, which copies nothing."""
    first, stop = int(rows[0]), int(rows[0]) + len(rows)
    return slice(first, stop) if (rows == np.arange(first, stop)).all() else as_index(rows, like)


def _at(predictions: Any, rows: Any) -> Any:
    if isinstance(rows, slice):
        return predictions[:, rows, :]
    return array_namespace(predictions).take(predictions, rows, axis=1)


def measured(rows: Rows, predictions: Any) -> list[Any]:
    """Entropy, top mass, both distances and information, each (C, n) or (C, n, K), in nats."""
    shown = _at(predictions, rows.here)
    negative_entropy = _over_tokens(xlogx(shown))
    return [
        -negative_entropy,
        _top_mass(shown, rows.top),
        # made nan in the end where there is no masked neighbour
        _variation(shown, _at(predictions, rows.after)),
        _variation(shown, rows.limit),
        negative_entropy - _mean_log(shown, rows.alone),
    ]


def _over_tokens(x: Any) -> Any:
    """Sums of the last axis: as a product, because few numbers are slow to add up in each row."""
    xp = array_namespace(x)
    if is_exact(x):
        return xp.sum(x, axis=-1)
    return xp.matmul(x, xp.ones(x.shape[-1], dtype=x.dtype, device=device(x)))


def _top_mass(predictions: Any, top: int) -> Any:
    xp = array_namespace(predictions)
    try:
        if top == 1:
            return xp.max(predictions, axis=-1, keepdims=True)
        falling = xp.flip(xp.sort(predictions, axis=-1), axis=-1)
    except TypeError:
        raise InvalidInput("which of these symbols is the likeliest is not known") from None
    return xp.cumulative_sum(falling[..., :top], axis=-1)


def _mean_log(weights: Any, x: Any) -> Any:
    """``sum_v weights_v log x_v``."""
    xp = array_namespace(weights)
    if is_exact(weights) or bool(xp.any(x == 0)):
        return _over_tokens(times_log(weights, x + weights * 0))
    return _over_tokens(weights * log(x))


def _variation(a: Any, b: Any) -> Any:
    """Total variation distances along the last axis."""
    total = _over_tokens(abs(a - b))
    return quotient(total, total * 0 + 2)


def as_index(sites: Any, like: Any) -> Any:
    """Sites as an array beside another one."""
    return from_host(np.asarray(sites, dtype=np.int64), like)
