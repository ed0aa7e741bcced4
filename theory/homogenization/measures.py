"""Entropy, top mass, total variation and information of predictions, by distance from the evidence.

The evidence is one pattern (`measure`), or the tokens at some sites as the data have them, averaged
(`average`) or at its worst (`worst`). For the mean and the worst case all values of the observed
sites are gone through (`theory.homogenization.contexts` says which of them matter).
"""

import operator
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from theory._core import exact
from theory._core.arrays import (
    MASK,
    array_namespace,
    device,
    from_host,
    is_exact,
    log,
    on_one_device,
    to_host,
    xlogx,
    xlogy,
)
from theory._core.exact import short
from theory._core.plurals import counted
from theory._core.types import Array, ArrayLike
from theory.distributions.base import Distribution, check_distribution
from theory.errors import ImpossibleEvidence, InvalidInput
from theory.homogenization.contexts import Contexts, drawn_contexts, every_context
from theory.information.units import in_units
from theory.lattice.lattice import quotient
from theory.validation.arguments import as_base, as_integer, as_sites, as_tokens
from theory.validation.probabilities import as_probabilities, as_rows

__all__ = ["Measures", "average", "measure", "worst"]

MAX_CELLS = 2**20
"""Predictions held at a time (8 MiB), so that they stay in the cache."""


@dataclass(frozen=True, eq=False)
class Measures:
    """Measures of the predictions at M masked sites.

    Attributes
    ----------
    sites : (M,) array of int64
    distance : (M,) array of int64
        To the nearest observed site; the length where nothing is observed.
    entropy : (M,) array
        Of the prediction.
    effective_vocabulary : (M,) array
        ``exp(entropy)``: how many equally likely tokens would have that entropy.
    top_mass : (M, K) array
        ``top_mass[:, k - 1]`` is the probability of the k likeliest tokens together.
    neighbour_tv : (M,) array
        Total variation distance to the prediction at the next site; nan where that is observed
        or there is none.
    limit_tv : (M,) array
        Total variation distance to the limit, by default to the site's unconditional marginal.
    information : (M,) array
        Divergence of the prediction from the site's unconditional marginal. Its mean over
        evidence is the mutual information of evidence and site.
    predictions : (M, V) array or None
        Of one pattern.
    """

    sites: Array
    distance: Array
    entropy: Array
    effective_vocabulary: Array
    top_mass: Array
    neighbour_tv: Array
    limit_tv: Array
    information: Array
    predictions: Any = None

    def __repr__(self) -> str:
        distance = to_host(self.distance)
        sites = counted(len(distance), "site")
        if not len(distance):
            return f"<Measures at {sites}>"
        ends = [int(distance.argmin()), int(distance.argmax())]
        shown = (
            f"{name} {' to '.join(short(getattr(self, name)[i]) for i in ends)}"
            for name in ("distance", "entropy", "limit_tv", "information")
        )
        return f"<Measures at {sites}: {', '.join(shown)}>"


def measure(
    p: Distribution,
    x: ArrayLike,
    *,
    limit: ArrayLike = None,
    top: int = 1,
    base: float | None = None,
) -> Measures:
    """Measure the predictions at all masked sites of one pattern.

    Parameters
    ----------
    p : Distribution
    x : array_like of int, shape (L,)
        Tokens, with ``MASK`` where nothing is observed.
    limit : array_like, shape (V,) or (L, V), optional
        What `limit_tv` is the distance to.
    top : int
        Up to how many of the likeliest tokens `top_mass` goes.
    base : float, optional
        Unit of entropy and information: nats if not given, 2 for bits.

    Raises
    ------
    InvalidInput, ImpossibleEvidence

    >>> from theory import gallery
    >>> m = measure(gallery.binary_symmetric(4, 0.25), [0, MASK, MASK, MASK], base=2)
    >>> m
    <Measures at 3 sites: distance 1 to 3, entropy 0.8113 to 0.9887, limit_tv 0.25 to 0.0625, \
information 0.1887 to 0.0113>
    >>> m.top_mass[:, 0], m.neighbour_tv[:2], m.limit_tv
    (array([0.75  , 0.625 , 0.5625]), array([0.125 , 0.0625]), array([0.25  , 0.125 , 0.0625]))
    """
    check_distribution(p)
    x, single = as_tokens(x, p.length, p.vocab, p.like)
    if not single:
        raise InvalidInput(f"x must be one pattern of shape ({p.length},), got {tuple(x.shape)}")
    observed = np.flatnonzero(to_host(x[0, ...]) != MASK).tolist()
    asked = _checked(p, observed, None, limit, top, base)
    try:
        predictions = p.denoise(x)
    except ImpossibleEvidence as error:
        said = str(error).partition(". ")[0]  # without the advice, which is for `denoise`
        raise ImpossibleEvidence(said, error.pattern) from None
    columns = [values[0, ...] for values in _measured(asked, asked.sites, 0, predictions)]
    sites, xp = _as_index(asked.sites, x), array_namespace(predictions)
    return _as_measures(asked, columns, xp.take(predictions[0, ...], sites, axis=0))


def average(
    p: Distribution,
    observed: Iterable[int],
    *,
    sites: Iterable[int] | None = None,
    limit: ArrayLike = None,
    top: int = 1,
    base: float | None = None,
    rng: np.random.Generator | None = None,
    size: int | None = None,
) -> Measures:
    """Mean of the measures over what the tokens at the sites `observed` are in the data.

    Parameters
    ----------
    p : Distribution
    observed : iterable of int
        The sites whose tokens are observed.
    sites : iterable of int, optional
        The masked sites to measure; all if not given.
    limit, top, base
        As in `measure`.
    rng, size : numpy.random.Generator, int, optional
        Draw `size` contexts instead of going through all of them: an estimate.

    Returns
    -------
    Measures
        Of means. `information` is the mutual information of the site with all that is observed.

    Raises
    ------
    InvalidInput
    TooLarge
        If there are too many contexts to go through; chains need only the nearest observed
        tokens, and texts only the contexts that occur.

    >>> from theory import gallery
    >>> m = average(gallery.repeated_bit(4), [0], base=2)        # the same at every distance
    >>> m.information, m.top_mass[:, 0]
    (array([1., 1., 1.]), array([1., 1., 1.]))
    """
    asked = _checked(p, observed, sites, limit, top, base)
    return _over_contexts(asked, rng, size, _weighted_sum, operator.add)


def worst(
    p: Distribution,
    observed: Iterable[int],
    *,
    sites: Iterable[int] | None = None,
    limit: ArrayLike = None,
    top: int = 1,
    base: float | None = None,
    rng: np.random.Generator | None = None,
    size: int | None = None,
) -> Measures:
    """Extremes of the measures over all values that the observed tokens can have.

    That is the least entropy, and the most of everything else; each may belong to other values.
    Arguments and errors as for `average`.

    >>> from theory import gallery
    >>> worst(gallery.golden_mean(3), [0]).top_mass[:, 0]      # after a 1 comes a 0
    array([1. , 0.66666667])
    """
    asked = _checked(p, observed, sites, limit, top, base)
    return _over_contexts(asked, rng, size, _most, _larger)


class _Arguments(NamedTuple):
    """Checked arguments."""

    p: Distribution
    observed: tuple[int, ...]
    sites: tuple[int, ...]
    limit: Array
    top: int
    base: float | None


def _checked(
    p: Distribution,
    observed: Iterable[int],
    sites: Iterable[int] | None,
    limit: ArrayLike,
    top: int,
    base: float | None,
) -> _Arguments:
    check_distribution(p)
    as_base(base)
    top = as_integer(top, "top", 1)
    if top > p.vocab:
        raise InvalidInput(f"top must be at most the vocabulary {p.vocab}, got {top}")
    seen = as_sites(observed, p.length, "observed")
    masked = tuple(i for i in range(p.length) if i not in set(seen))
    if not masked:
        raise InvalidInput(f"no site is masked: all {p.length} are observed")
    chosen = masked if sites is None else as_sites(sites, p.length)
    both = sorted(set(chosen) & set(seen))
    if both or not chosen:
        what = f"site {both[0]} is observed" if both else "there is none"
        raise InvalidInput(f"sites must name masked sites: {what}")
    return _Arguments(p, seen, chosen, _as_limit(p, limit), top, base)


def _as_limit(p: Distribution, limit: ArrayLike) -> Array:
    """One row per site, beside the distribution."""
    if limit is None:
        return p.marginals
    limit = as_probabilities(limit, "limit")
    if tuple(limit.shape) not in ((p.vocab,), (p.length, p.vocab)):
        raise InvalidInput(
            f"limit must have shape ({p.vocab},) or ({p.length}, {p.vocab}), "
            f"got {tuple(limit.shape)}"
        )
    limit = as_rows(limit, "limit", limit.ndim, exact=is_exact(limit))
    if is_exact(limit) and not p.exact:
        limit = limit.astype(np.float64)
    limit, _ = on_one_device(limit, p.marginals)
    return array_namespace(limit).broadcast_to(limit, (p.length, p.vocab))


def _over_contexts(
    asked: _Arguments,
    rng: np.random.Generator | None,
    size: int | None,
    reduce: Callable[[Array, Array], Array],
    combine: Callable[[Array, Array], Array],
) -> Measures:
    """The measures of all contexts, reduced batch by batch; the batches' results are combined."""
    if (rng is None) != (size is None):
        raise InvalidInput("to draw contexts, give both rng and size")
    if rng is None or size is None:
        parts = every_context(asked.p, asked.observed, asked.sites)
    else:
        parts = iter([drawn_contexts(asked.p, asked.observed, asked.sites, rng, size)])
    columns: list[list[Array]] = []
    for part in parts:
        folded: list[Array] = []
        for probabilities, measures in _batches(asked, part):
            found = [reduce(probabilities, values) for values in measures]
            folded = list(map(combine, folded, found)) if folded else found
        columns.append(folded)
    xp = array_namespace(columns[0][0])
    return _as_measures(asked, [xp.concat(column) for column in zip(*columns, strict=True)])


def _batches(asked: _Arguments, part: Contexts) -> Iterator[tuple[Array, list[Array]]]:
    """Probabilities of contexts and their measures, as many at a time as fit."""
    step = max(1, MAX_CELLS // (part.p.length * part.p.vocab))
    count = part.patterns.shape[0]
    for start in range(0, count, step):
        stop = min(start + step, count)
        predictions = part.p.denoise(part.patterns[start:stop, :])
        measures = _measured(asked, part.sites, part.first, predictions)
        yield part.probabilities[start:stop], measures


def _weighted_sum(probabilities: Array, values: Array) -> Array:
    xp = array_namespace(values)
    weights = xp.reshape(probabilities, (-1,) + (1,) * (values.ndim - 1))
    return xp.sum(weights * values, axis=0)


def _most(probabilities: Array, values: Array) -> Array:
    return array_namespace(values).max(values, axis=0)


def _larger(a: Array, b: Array) -> Array:
    return array_namespace(a).maximum(a, b)


def _measured(
    asked: _Arguments, sites: tuple[int, ...], first: int, predictions: Array
) -> list[Array]:
    """Negative entropy, top mass, both distances and information of predictions (C, length, V).

    Those of the `sites`, where the first prediction is that of site `first`; each (C, n) or
    (C, n, K), in nats.
    """
    xp, rows = array_namespace(predictions), np.asarray(sites, dtype=np.int64) - first
    every = _as_index(sites, predictions)
    limit, marginals = (xp.take(x, every, axis=0) for x in (asked.limit, asked.p.marginals))
    shown = _rows(predictions, rows)
    negative_entropy = _over_tokens(xlogx(shown))
    # the last site stands for its own neighbour: made nan in the end
    following = _rows(predictions, np.minimum(rows + 1, predictions.shape[1] - 1))
    return [
        negative_entropy,
        _top_mass(shown, asked.top),
        _variation(shown, following),
        _variation(shown, limit),
        negative_entropy - _mean_log(shown, marginals),
    ]


def _rows(predictions: Array, rows: np.ndarray) -> Array:
    """Some rows of all predictions: a slice where it can be one, which copies nothing."""
    first, stop = int(rows[0]), int(rows[0]) + len(rows)
    if (rows == np.arange(first, stop)).all():
        return predictions[:, first:stop, :]
    return array_namespace(predictions).take(predictions, _as_index(rows, predictions), axis=1)


def _over_tokens(x: Array) -> Array:
    """Sums of the last axis: as a product, because few numbers are slow to add up in each row."""
    xp = array_namespace(x)
    if is_exact(x):
        return xp.sum(x, axis=-1)
    return xp.matmul(x, xp.ones(x.shape[-1], dtype=x.dtype, device=device(x)))


def _top_mass(predictions: Array, top: int) -> Array:
    xp = array_namespace(predictions)
    try:
        if top == 1:
            return xp.max(predictions, axis=-1, keepdims=True)
        falling = xp.flip(xp.sort(predictions, axis=-1), axis=-1)
    except TypeError:
        raise InvalidInput("which of these symbols is the likeliest is not known") from None
    return xp.cumulative_sum(falling[..., :top], axis=-1)


def _mean_log(weights: Array, x: Array) -> Array:
    """``sum_v weights_v log x_v``."""
    xp = array_namespace(weights)
    if is_exact(weights) or bool(xp.any(x == 0)):
        return _over_tokens(xlogy(weights, x + weights * 0))
    return _over_tokens(weights * log(x))


def _variation(a: Array, b: Array) -> Array:
    """Total variation distances along the last axis."""
    total = _over_tokens(abs(a - b))
    return quotient(total, total * 0 + 2)


def _as_measures(
    asked: _Arguments, columns: list[Array], predictions: Array | None = None
) -> Measures:
    negative_entropy, top_mass, neighbour, limit, information = columns
    entropy = 0 - negative_entropy  # no negative zero
    seen = np.asarray(asked.observed, dtype=np.int64)
    every = np.asarray(asked.sites, dtype=np.int64)
    distance = np.min(np.abs(every[:, None] - seen), axis=1, initial=asked.p.length)
    xp, after = array_namespace(neighbour), every + 1
    has_next = from_host((after < asked.p.length) & ~np.isin(after, seen), neighbour)
    return Measures(
        _as_index(every, entropy),
        _as_index(distance, entropy),
        in_units(entropy, asked.base),
        exact.exp(entropy) if is_exact(entropy) else xp.exp(entropy),
        top_mass,
        xp.where(has_next, neighbour, xp.full_like(neighbour, np.nan)),
        limit,
        in_units(information, asked.base),
        predictions,
    )


def _as_index(sites: ArrayLike, like: Array) -> Array:
    """Sites as an array beside another one."""
    return from_host(np.asarray(sites, dtype=np.int64), like)
