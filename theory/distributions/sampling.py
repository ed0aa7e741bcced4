"""Draws of tokens from given probabilities, with a host generator: the same on every backend."""

from typing import Any

import numpy as np

from theory._core.arrays import array_namespace, from_host, log, softmax
from theory._core.types import Array
from theory._markov.forward_backward import log_futures
from theory.errors import InvalidInput
from theory.validation.arguments import as_integer

__all__ = ["as_floats", "check_draw", "draw_states", "draw_tokens"]


def as_floats(x: Array) -> Array:
    """Probabilities as floats, to draw from them: exact ones are rounded, floats stay."""
    xp = array_namespace(x)
    try:
        return xp.astype(x, xp.float64, copy=False)
    except TypeError:
        raise InvalidInput("a distribution with free symbols cannot be sampled") from None


def check_draw(rng: Any, size: Any) -> int:
    """Check the arguments of `sample`."""
    if not isinstance(rng, np.random.Generator):
        raise InvalidInput(f"rng must be a numpy.random.Generator, got {type(rng).__name__}")
    return as_integer(size, "size", 1)


def draw_states(
    rng: np.random.Generator, size: int, initial: Array, transition: Array, likelihood: Array
) -> Array:
    """Draw hidden states (size, L) of a chain, given the likelihood (L, H) of what is observed.

    Forward draws with the messages from the right, in logarithms: nothing underflows.
    """
    xp = array_namespace(transition)
    steps, observed = log(transition), log(likelihood)
    ahead = observed + log_futures(steps, observed[None, ...])[0, ...]
    weights = xp.broadcast_to((log(initial) + ahead[0, :])[None, :], (size, initial.shape[0]))
    states = [draw_tokens(rng, softmax(weights))]
    for i in range(1, likelihood.shape[0]):
        weights = xp.take(steps, states[-1], axis=0) + ahead[i, :]
        states.append(draw_tokens(rng, softmax(weights)))
    return xp.stack(states, axis=1)


def draw_tokens(rng: np.random.Generator, probabilities: Array) -> Array:
    """Draw one token from each row of `probabilities` by inverting its cumulative sum.

    Parameters
    ----------
    rng : numpy.random.Generator
        One uniform number per row is taken, on the host: equal seeds draw equal tokens, also
        on a GPU.
    probabilities : array, shape (B, V)
        Rows need not be normalised; a token of probability zero is never drawn.

    Returns
    -------
    array of int64, shape (B,)

    >>> draw_tokens(np.random.default_rng(0), np.asarray([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]))
    array([1, 0])
    """
    xp = array_namespace(probabilities)
    uniform = from_host(rng.random(probabilities.shape[0]), probabilities)
    cumulative = xp.cumulative_sum(probabilities, axis=1)
    total = cumulative[:, -1:]
    drawn = xp.sum(xp.astype(cumulative <= uniform[:, None] * total, xp.int64), axis=1)
    last = xp.sum(xp.astype(cumulative < total, xp.int64), axis=1)
    return xp.minimum(drawn, last)
