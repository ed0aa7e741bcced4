"""Posteriors of the hidden state at each site of an order, given what is shown at those before it.

The messages are those of `forward_backward`, with the states on the first axis and the batch on the
last one: few states make short rows, and sums over them are then of long vectors. Patterns of one
order that show different numbers of sites are passed along the chain together.
"""

from collections.abc import Iterator

import numpy as np

from theory._core.arrays import array_namespace, device, from_host, require_memory
from theory._core.types import Array
from theory._markov.forward_backward import UNDERFLOW_TOL, divide

__all__ = ["states_along"]

WORKSPACE = 2**20
"""Entries of the messages that are kept for one batch (8 MiB)."""

SEVERAL = 8
"""Steps after which messages are scaled, where no probability is near zero; otherwise each step."""

SMALL = 1e-100
"""What such messages stay above, so that their products are far from underflow."""

LEAST = 256
"""Patterns in a batch, at least, even if their messages take more."""


def states_along(
    initial: Array, transition: Array, emission: Array, sequences: np.ndarray, order: np.ndarray
) -> Iterator[tuple[slice, slice, Array, Array]]:
    """Posteriors batch by batch: which rows, how many sites are known, and what is found for them.

    Shapes: initial distribution (H,), transition matrix (H, H), emission matrix (H, V), sequences
    and orders (B, L) on the host. What is found are the posteriors (H, K, R) for K numbers of known
    sites and R rows, and (K, R) whether what matters may have underflowed.
    """
    (size, length), states = order.shape, transition.shape[0]
    rank = np.argsort(order, axis=1)
    width = min(size * length, max(LEAST, WORKSPACE // (length * states)))
    require_memory(3 * width * length * states, "the messages of a hidden chain", transition)
    most = min(size, width)
    several = max(1, width // most)
    for start in range(0, size, most):
        rows = slice(start, min(start + most, size))
        tokens = from_host(np.ascontiguousarray(sequences[rows].T), transition)
        ranks = from_host(np.ascontiguousarray(rank[rows].T), transition)
        for first in range(0, length, several):
            known = slice(first, min(first + several, length))
            yield rows, known, *_posteriors(initial, transition, emission, tokens, ranks, known)


def _posteriors(
    initial: Array, transition: Array, emission: Array, tokens: Array, ranks: Array, known: slice
) -> tuple[Array, Array]:
    """Posteriors (H, K, R) of one batch, and where they are doubtful, (K, R)."""
    xp, (length, rows) = array_namespace(transition), tokens.shape
    counts = xp.arange(known.start, known.stop, dtype=xp.int64, device=device(transition))
    shape = (transition.shape[0], counts.shape[0], rows)
    backwards = xp.matrix_transpose(transition)
    safe = _never_underflows(transition, emission)
    prior = xp.broadcast_to(initial[:, None, None], shape)
    priors, likelihoods = [], []
    for site in range(length):
        emitted = xp.take(emission, tokens[site, :], axis=1)
        observed = ranks[site, :] < counts[:, None]
        likelihoods.append(xp.where(observed, emitted[:, None, :], 1.0))
        priors.append(prior)
        weights = prior * likelihoods[-1]
        if not safe or site % SEVERAL == 0:
            weights = divide(weights, xp.sum(weights, axis=0))
        prior = _step(backwards, weights)
    future = xp.ones_like(prior)
    least = xp.ones_like(prior[0, ...])
    found, places = [], []
    for site in reversed(range(length)):
        seen = future * likelihoods[site]
        if not safe:
            least = xp.minimum(least, xp.sum(priors[site] * seen, axis=0))
        (here,) = xp.nonzero(xp.reshape(ranks[site, :] == counts[:, None], (-1,)))
        found.append(_columns(priors[site], here) * _columns(seen, here))
        places.append(here)
        future = _step(transition, seen)
        if not safe or site % SEVERAL == 0:
            future = divide(future, xp.max(future, axis=0))
    weights = _columns(xp.concat(found, axis=1), xp.argsort(xp.concat(places)))
    posteriors = xp.reshape(divide(weights, xp.sum(weights, axis=0)), shape)
    return posteriors, least < UNDERFLOW_TOL


def _never_underflows(transition: Array, emission: Array) -> bool:
    """Whether a few steps cannot make a message small, because no probability is."""
    xp = array_namespace(transition)
    return (float(xp.min(transition)) * float(xp.min(emission))) ** SEVERAL > SMALL


def _columns(messages: Array, places: Array) -> Array:
    """Messages (H, ...) of some of the patterns, shape (H, M)."""
    xp = array_namespace(messages)
    return xp.take(xp.reshape(messages, (messages.shape[0], -1)), places, axis=1)


def _step(matrix: Array, messages: Array) -> Array:
    """The matrix times messages (H, K, R)."""
    xp = array_namespace(matrix)
    flat = xp.reshape(messages, (messages.shape[0], -1))
    return xp.reshape(xp.matmul(matrix, flat), messages.shape)
