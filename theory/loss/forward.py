"""The absorbing (masking) forward process, its posterior, and the loss that trains a denoiser.

Each site is masked independently and stays masked. With ``alpha`` the probability of being
clean, from time s to a later time t a clean token survives with probability
``alpha_t / alpha_s``. Given that a site is masked at t, at s it is clean with probability

    w(s, t) = (alpha_s - alpha_t) / (1 - alpha_t)

which is also the weight of the loss, equation (10) of arXiv 2510.03289 (known to us through a
transcription): a denoiser ``f`` pays, in expectation over data and masks,

    L = sum over steps  w(s, t)  E  sum_{i masked in x_t}  -log f_i(x_t)[x_0,i]

The expectation is computed exactly, as a sum over all mask patterns and all observations. Source
of the process and of its posterior: standard (D3PM, MDLM, MD4), from memory.
"""

import itertools
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from theory._core import exact
from theory._core.arrays import (
    MASK,
    array_namespace,
    as_array,
    device,
    from_host,
    is_exact,
    xlogy,
)
from theory._core.types import Array, ArrayLike, Number
from theory.distributions.base import Distribution
from theory.errors import InvalidInput
from theory.lattice.lattice import reveal_observed
from theory.validation.arguments import as_integer, as_numbers, as_tokens
from theory.validation.probabilities import as_predictions
from theory.validation.times import is_end
from theory.validation.tolerances import tolerance

__all__ = [
    "Denoiser",
    "continuous_nelbo",
    "kernel",
    "loss_by_pattern",
    "loss_on_grid",
    "marginal",
    "nelbo",
    "posterior",
    "reverse_step",
    "weight",
]

Denoiser = Callable[[Array], Array]
"""A function from patterns (B, L) to predictions (B, L, V), such as ``Distribution.denoise``."""


def kernel(vocab: int, alpha_s: Any, alpha_t: Any) -> np.ndarray:
    """Transition matrix of one site from time s to a later time t, shape (V+1, V+1).

    State V is the mask.

    Parameters
    ----------
    vocab : int
    alpha_s, alpha_t : number
        Levels with ``1 >= alpha_s >= alpha_t >= 0`` and ``alpha_s > 0``; floats, Fractions or
        SymPy expressions.

    Returns
    -------
    ndarray
        float64, or objects if a level is exact.

    >>> kernel(2, 1.0, 0.25)
    array([[0.25, 0.  , 0.75],
           [0.  , 0.25, 0.75],
           [0.  , 0.  , 1.  ]])
    """
    vocab = as_integer(vocab, "vocab", 1)
    alpha_s, alpha_t = _as_levels(alpha_s, alpha_t)
    if alpha_s == 0:
        raise InvalidInput("no token is clean at alpha_s = 0: nothing can survive from there")
    survive = _divide(alpha_t, alpha_s)
    matrix = np.zeros((vocab + 1, vocab + 1), dtype=float if _is_float(survive) else object)
    for v in range(vocab):
        matrix[v, v] = survive
        matrix[v, vocab] = 1 - survive
    matrix[vocab, vocab] = 1
    return matrix


def marginal(x_0: ArrayLike, vocab: int, alpha: float) -> np.ndarray:
    """Distribution of ``x_t`` at each site of one clean sequence (L,), shape (L, V+1).

    >>> marginal([1], vocab=2, alpha=0.25)
    array([[0.  , 0.25, 0.75]])
    """
    x_0 = np.asarray(x_0)
    if x_0.ndim != 1:
        raise InvalidInput(f"x_0 must be one sequence of shape (L,), got shape {x_0.shape}")
    tokens, _ = as_tokens(x_0, x_0.size, vocab, np.zeros(0), masked=False)
    return kernel(vocab, 1.0, alpha)[tokens[0]]


def weight(alpha_s: Any, alpha_t: Any) -> Number:
    """Probability that a site masked at t was clean at s: the weight in equation (10).

    >>> weight(0.5, 0.25)
    0.3333333333333333
    >>> weight(Fraction(1), Fraction(1, 3))
    Fraction(1, 1)
    """
    alpha_s, alpha_t = _as_levels(alpha_s, alpha_t)
    if alpha_t == 1:
        raise InvalidInput("no site is masked at alpha_t = 1")
    return _divide(alpha_s - alpha_t, 1 - alpha_t)


def reverse_step(x_t: ArrayLike, predictions: Array, alpha_s: float, alpha_t: float) -> Array:
    """Distribution of each site at the earlier time s, given ``x_t`` and predictions of x_0.

    Parameters
    ----------
    x_t : array_like of int, shape (B, L) or (L,)
        Tokens with ``MASK``.
    predictions : array, shape (B, L, V) or (L, V)
        What a denoiser says of x_0 at ``x_t``.
    alpha_s, alpha_t : float

    Returns
    -------
    array, shape (B, L, V+1) or (L, V+1)
        An observed token stays; a masked site takes token v with probability
        ``w(s, t) f(v)`` and stays masked (slot V) with probability ``1 - w(s, t)``.

    >>> reverse_step([MASK], np.asarray([[0.5, 0.5]]), 1.0, 0.5)
    array([[0.5, 0.5, 0. ]])
    """
    predictions = as_array(predictions)
    exact_step = is_exact(predictions) and predictions.dtype == object
    if predictions.ndim not in (2, 3):
        raise InvalidInput(
            f"predictions must have shape (L, V) or (B, L, V), got {tuple(predictions.shape)}"
        )
    length, vocab = predictions.shape[-2:]
    x_t, single = as_tokens(x_t, length, vocab, predictions)
    if single:
        predictions = predictions[None, ...]
    predictions = as_predictions(predictions, x_t, vocab)
    predictions = as_numbers(predictions, "predictions", exact=exact_step)
    xp = array_namespace(predictions)
    reveal = weight(alpha_s, alpha_t) if bool(xp.any(x_t == MASK)) else 0
    reveal = reveal if exact_step else float(reveal)
    stay = xp.full((*x_t.shape, 1), 1 - reveal, dtype=predictions.dtype, device=device(x_t))
    step = reveal_observed(x_t, xp.concat([predictions * reveal, stay], axis=-1))
    return step[0, ...] if single else step


def posterior(
    x_t: ArrayLike, x_0: ArrayLike, vocab: int, alpha_s: float, alpha_t: float
) -> np.ndarray:
    """``q(x_s | x_t, x_0)`` at each site, shape (B, L, V+1) or (L, V+1): the true reverse step.

    Raises
    ------
    InvalidInput
        If an observed token of ``x_t`` differs from ``x_0``.

    >>> posterior([MASK, 1], [0, 1], 2, alpha_s=0.5, alpha_t=0.25).round(4)
    array([[0.3333, 0.    , 0.6667],
           [0.    , 1.    , 0.    ]])
    """
    x_0, like = np.asarray(x_0), np.zeros(0)
    if x_0.ndim not in (1, 2):
        raise InvalidInput(f"x_0 must have shape (L,) or (B, L), got {x_0.shape}")
    clean, single = as_tokens(x_0, x_0.shape[-1], vocab, like, masked=False)
    noisy, _ = as_tokens(x_t, x_0.shape[-1], vocab, like)
    if noisy.shape != clean.shape or ((noisy != MASK) & (noisy != clean)).any():
        raise InvalidInput("x_t cannot arise from x_0: an observed token differs")
    one_hot = (clean[..., None] == np.arange(vocab)).astype(np.float64)
    step = reverse_step(noisy, one_hot, alpha_s, alpha_t)
    return step[0] if single else step


def loss_by_pattern(p: Distribution, denoiser: Denoiser | None = None) -> Array:
    """Expected cross-entropy at the masked sites, for every set S of observed sites.

    ``E_p sum_{i masked} -log f_i(x_S)[x_i]`` in nats, as a sum over every observation.

    Parameters
    ----------
    p : Distribution
        Small enough for its evidence lattice.
    denoiser : callable, optional
        The zero-loss denoiser of `p` if not given. It is never asked about impossible evidence.

    Returns
    -------
    array, shape (2,)*L
        Index 1 on an axis means that the site is observed. ``inf`` where `f` gives probability
        zero to something that happens.

    >>> from theory import JointTable
    >>> loss_by_pattern(JointTable([[1, 0], [0, 1]], exact=True)).tolist()
    [[2*log(2), 0], [0, 0]]
    """
    xp, lattice = array_namespace(p.like), p.lattice()
    losses: Any = []
    for observed in itertools.product((0, 1), repeat=p.length):
        if all(observed):
            losses.append(0 if p.exact else from_host(np.float64(0), p.like))
            continue
        x = p.assignments(tuple(np.flatnonzero(observed).tolist()))
        target, evidence = lattice.predict(x)
        possible = xp.nonzero(evidence != 0)[0]
        x, target, evidence = (xp.take(array, possible, axis=0) for array in (x, target, evidence))
        probability = exact.ratio(evidence, lattice.denominator) if p.exact else evidence
        predicted = target
        if denoiser is not None:
            predicted = as_predictions(denoiser(xp.asarray(x, copy=True)), x, p.vocab)
        masked = from_host(np.flatnonzero(np.asarray(observed) == 0).astype(np.int64), x)
        target, predicted = (xp.take(rows, masked, axis=1) for rows in (target, predicted))
        losses.append(-xp.sum(xlogy(target * probability[:, None, None], predicted)))
    losses = np.asarray(losses, dtype=object) if p.exact else xp.stack(losses)
    return xp.reshape(losses, (2,) * p.length)


def nelbo(p: Distribution, levels: Any, denoiser: Denoiser | None = None) -> Number:
    """Exact expected loss (10) of a denoiser, summed over a grid of noise levels, in nats.

    Parameters
    ----------
    p : Distribution
    levels : sequence of number
        Falling from 1 to 0, for instance ``schedules.Linear().levels(4)``.
    denoiser : callable, optional
        The zero-loss denoiser of `p` if not given; then the value is the data entropy plus the
        discretisation gap of the grid.

    Examples
    --------
    Two equal fair bits: in one step each site costs one bit; with two steps, the second bit is
    free if the first was revealed before it, which happens half of the time.

    >>> from theory import JointTable
    >>> p = JointTable([[1, 0], [0, 1]], exact=True)
    >>> nelbo(p, [1, 0])
    2*log(2)
    >>> nelbo(p, [1, Fraction(1, 2), 0])
    3*log(2)/2
    """
    levels = _as_grid(levels)  # before anything is computed
    return loss_on_grid(loss_by_pattern(p, denoiser), levels)


def loss_on_grid(losses: Array, levels: Any) -> Number:
    """Expected loss (10) on a grid of noise levels, from the losses of all patterns, in nats.

    The losses, shape (2,)*L, are those of `loss_by_pattern`, which do not depend on the grid: for
    many grids they are computed once. The levels are as for `nelbo`.

    >>> from theory import JointTable
    >>> losses = loss_by_pattern(JointTable([[1, 0], [0, 1]], exact=True))
    >>> loss_on_grid(losses, [1, 0]), loss_on_grid(losses, [1, Fraction(1, 2), 0])
    (2*log(2), 3*log(2)/2)
    """
    losses = as_array(losses)
    if losses.ndim < 1 or any(n != 2 for n in losses.shape):
        raise InvalidInput(f"losses must have shape (2,)*L, got {tuple(losses.shape)}")
    levels = _as_grid(levels)
    coefficients: Any = 0
    for step in itertools.pairwise(levels):
        alpha_s, alpha_t = _as_levels(*step)
        if alpha_s != alpha_t:
            patterns = _pattern_probabilities(losses.ndim, alpha_t)
            coefficients = coefficients + weight(alpha_s, alpha_t) * patterns
    return _weighted_sum(coefficients, losses)


def _as_grid(levels: Any) -> list[Any]:
    """Check the ends of a grid; those off by rounding become 1 and 0."""
    try:
        levels = list(levels)
    except TypeError:
        raise InvalidInput(f"levels must be a sequence of numbers, got {levels!r}") from None
    if len(levels) < 2 or not (is_end(levels[0], 1) and is_end(levels[-1], 0)):
        raise InvalidInput(f"levels must fall from 1 to 0, got {levels}")
    ends = [v if v == end else float(end) for v, end in ((levels[0], 1), (levels[-1], 0))]
    return [ends[0], *levels[1:-1], ends[1]]


def continuous_nelbo(p: Distribution, denoiser: Denoiser | None = None) -> Number:
    """Exact expected loss in continuous time, in nats: the limit of `nelbo` on fine grids.

    ``int_0^1 (1 - u)^-1 E sum_{i masked at level u} -log f_i du``, which no schedule
    enters. A set of k observed sites has weight ``int u^k (1-u)^(L-k-1) du = 1 / (L C(L-1, k))``.
    For the zero-loss denoiser it is the entropy of `p`.

    >>> from theory import JointTable
    >>> continuous_nelbo(JointTable([[1, 0], [0, 1]], exact=True))
    log(2)
    """
    length = p.length
    by_size = [Fraction(1, length * math.comb(length - 1, k)) for k in range(length)]
    by_size.append(Fraction(0))  # nothing is masked
    sizes = np.indices((2,) * length).sum(axis=0)
    return _weighted_sum(np.asarray(by_size, dtype=object)[sizes], loss_by_pattern(p, denoiser))


def _pattern_probabilities(length: int, alpha: Any) -> np.ndarray:
    """Probability that exactly these sites are clean, shape (2,)*L."""
    table = np.ones((), dtype=float if _is_float(alpha) else object)
    for _ in range(length):
        table = np.multiply.outer(table, np.asarray([1 - alpha, alpha]))
    return table


def _weighted_sum(coefficients: np.ndarray, losses: Array) -> Number:
    """``sum_S c_S loss_S``, leaving out what has no weight: a loss may be infinite there."""
    if is_exact(losses):
        used = coefficients.reshape(-1) != 0
        pairs = zip(coefficients.reshape(-1)[used], losses.reshape(-1)[used], strict=True)
        return sum((c * loss for c, loss in pairs), start=0)
    xp = array_namespace(losses)
    coefficients = from_host(coefficients.astype(np.float64), losses)
    return xp.sum(coefficients * xp.where(coefficients > 0, losses, 0.0))


def _divide(a: Any, b: Any) -> Any:
    return exact.ratio(np.asarray(a, dtype=object), b).item() if not _is_float(a, b) else a / b


def _is_float(*values: Any) -> bool:
    return any(isinstance(v, (float, np.floating)) for v in values)


def _as_levels(alpha_s: Any, alpha_t: Any) -> tuple[Any, Any]:
    """Check the levels of two times; those off by rounding become 0 or 1."""
    numbers = [v for v in (alpha_s, alpha_t) if not hasattr(v, "free_symbols")]
    if any(not isinstance(v, (int, float, Fraction, np.number)) for v in numbers):
        raise InvalidInput(f"levels must be numbers, got {alpha_s!r} and {alpha_t!r}")
    if any(not -tolerance(v).entry <= v <= 1 + tolerance(v).entry for v in numbers):
        raise InvalidInput(f"levels must lie between 0 and 1, got {alpha_s} and {alpha_t}")
    alpha_s, alpha_t = (
        v if hasattr(v, "free_symbols") or 0 <= v <= 1 else float(v > 0) for v in (alpha_s, alpha_t)
    )
    if len(numbers) == 2 and alpha_s < alpha_t:
        raise InvalidInput(f"levels must not rise with time, got {alpha_s} and then {alpha_t}")
    return alpha_s, alpha_t
