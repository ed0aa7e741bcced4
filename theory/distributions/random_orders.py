"""Entropies of the predictions along random orders: of each next site, given those before it.

Any family answers by predicting all sites of a pattern and taking the one that is wanted. Those
here ask for that one alone:

- a chain for the bridge between its two nearest neighbours that are known, which for a whole order
  are found by unlinking its sites from the last one back;
- a hidden chain for the posterior of one state, several numbers of known sites at once, with the
  batch on the last axis;
- data that are given for the sequences that still agree, fewer with every token.
"""

from collections.abc import Iterator
from functools import singledispatch

import numpy as np

from theory._core.arrays import MASK, array_namespace, device, from_host, to_host, xlogx
from theory._core.segments import segment_sum
from theory._core.types import Array
from theory._markov.forward_backward import UNDERFLOW_TOL
from theory._markov.random_orders import states_along
from theory.distributions.base import Distribution
from theory.distributions.conditioned import Conditioned
from theory.distributions.empirical import EmpiricalDistribution
from theory.distributions.hidden_markov import HiddenMarkovModel
from theory.distributions.markov import MarkovChain
from theory.distributions.neighbours import Neighbours
from theory.distributions.sampling import as_floats
from theory.lattice.lattice import quotient

__all__ = ["entropies_along", "neighbours_along"]

WORKSPACE = 2**22
"""Entries of the largest temporary array (32 MiB), where rows can be cut to fit."""


@singledispatch
def entropies_along(p: Distribution, sequences: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Entropy in nats of the prediction for each site of an order, given the sites before it.

    Parameters
    ----------
    p : Distribution
    sequences : ndarray of int64, shape (B, L)
        Possible ones, on the host.
    order : ndarray of int64, shape (B, L)
        A permutation of the sites for each.

    Returns
    -------
    ndarray, shape (B, L)
        Entry j is of ``p(x_i | x_S)``, with i the site ``order[j]`` and S those before it.

    >>> from theory import gallery
    >>> bits, order = np.asarray([[0, 1, 1]]), np.asarray([[2, 0, 1]])
    >>> (entropies_along(gallery.parity(3), bits, order) / np.log(2)).tolist()
    [[1.0, 1.0, 0.0]]
    """
    size, length = sequences.shape
    entropies, rows = np.empty((size, length)), np.arange(size, dtype=np.int64)
    for j in range(length):
        entropies[:, j] = _one_by_one(p, sequences, order, rows, np.full_like(rows, j))
    return entropies


def _one_by_one(
    p: Distribution, sequences: np.ndarray, order: np.ndarray, rows: np.ndarray, known: np.ndarray
) -> np.ndarray:
    """The entropies at some entries, of what the family predicts for whole patterns."""
    entropies = np.empty(rows.size)
    most = max(1, WORKSPACE // (p.length * p.vocab))
    for k in range(0, rows.size, most):
        row, count = rows[k : k + most], known[k : k + most]
        seen = np.argsort(order[row], axis=1) < count[:, None]
        x = np.where(seen, sequences[row], np.int64(MASK))
        predictions = to_host(p._predicted(from_host(x, p.like))[0])
        entropies[k : k + most] = _entropy(predictions[np.arange(row.size), order[row, count]])
    return entropies


def _entropy(predictions: Array) -> np.ndarray:
    """Entropies in nats along the last axis, on the host."""
    predictions = as_floats(predictions)
    return to_host(-array_namespace(predictions).sum(xlogx(predictions), axis=-1)) + 0.0


def _batches(size: int, width: int) -> Iterator[slice]:
    """Rows, as many at once as fit if each takes `width` entries."""
    most = max(1, WORKSPACE // width)
    yield from (slice(k, min(k + most, size)) for k in range(0, size, most))


def neighbours_along(order: np.ndarray) -> Neighbours:
    """The nearest sites on both sides of each site among those before it in an order (B, L).

    From the last site back, each is unlinked from those that are left.

    >>> near = neighbours_along(np.asarray([[1, 3, 2, 0]]))
    >>> near.left.tolist(), near.right.tolist(), near.longest_gap
    ([[-1, 1, 1, -1]], [[4, 4, 3, 1]], 2)
    """
    size, length = order.shape
    rows = np.arange(size, dtype=np.int64)
    # the ends stand before and after the sites, which are counted from 1
    previous = np.tile(np.arange(-1, length + 1, dtype=np.int64), (size, 1))
    following = previous + 2
    left, right = np.empty_like(order), np.empty_like(order)
    for j in reversed(range(length)):
        site = order[:, j] + 1
        before, after = previous[rows, site], following[rows, site]
        left[:, j], right[:, j] = before - 1, after - 1
        following[rows, before], previous[rows, after] = after, before
    gaps = np.where(left < 0, 0, order - left), np.where(right >= length, 0, right - order)
    return Neighbours(left, right, max(1, *(int(gap.max()) for gap in gaps)))


@entropies_along.register
def _of_chain(p: MarkovChain, sequences: np.ndarray, order: np.ndarray) -> np.ndarray:
    whole = entropies_along.dispatch(Distribution)
    near = neighbours_along(order)
    if not p._tabulate(near):
        return whole(p, sequences, order)
    entropies, doubtful = np.empty(order.shape), np.zeros(order.shape, dtype=bool)
    for rows in _batches(len(order), p.length * p.vocab):
        tokens, site = from_host(sequences[rows], p.like), from_host(order[rows], p.like)
        left, right = (from_host(side[rows], p.like) for side in near[:2])
        known = Neighbours(left, right, near.longest_gap)
        xp = array_namespace(tokens)
        before = xp.reshape(p._left(tokens, known, site), (-1,))
        after = xp.reshape(p._right(tokens, known, site), (-1,))
        weights = xp.take(p._rows, before, axis=0) * xp.take(p._columns, after, axis=0)
        weights = xp.reshape(weights, (*site.shape, p.vocab))
        total = xp.sum(weights, axis=-1)
        entropies[rows] = _entropy(quotient(weights, total[..., None]))
        if not p.exact:
            doubtful[rows] = to_host(total < UNDERFLOW_TOL)
    return _with_logarithms(p, sequences, order, entropies, doubtful)


@entropies_along.register
def _of_hidden_chain(p: HiddenMarkovModel, sequences: np.ndarray, order: np.ndarray) -> np.ndarray:
    entropies, doubtful = np.empty(order.shape), np.zeros(order.shape, dtype=bool)
    xp = array_namespace(p.emission)
    emitted = xp.matrix_transpose(p.emission)
    for rows, known, states, unsure in states_along(
        p.initial, p.transition, p.emission, sequences, order
    ):
        flat = xp.reshape(states, (states.shape[0], -1))
        predictions = xp.reshape(xp.matmul(emitted, flat), (p.vocab, *states.shape[1:]))
        found = to_host(-xp.sum(xlogx(predictions), axis=0)) + 0.0  # (known, rows)
        entropies[rows, known], doubtful[rows, known] = found.T, to_host(unsure).T
    return _with_logarithms(p, sequences, order, entropies, doubtful)


def _with_logarithms(
    p: Distribution,
    sequences: np.ndarray,
    order: np.ndarray,
    entropies: np.ndarray,
    doubtful: np.ndarray,
) -> np.ndarray:
    """What may have underflowed is asked of the family, which goes on in logarithms."""
    if doubtful.any():
        rows, known = np.nonzero(doubtful)
        entropies[doubtful] = _one_by_one(p, sequences, order, rows, known)
    return entropies


@entropies_along.register
def _of_data(p: EmpiricalDistribution, sequences: np.ndarray, order: np.ndarray) -> np.ndarray:
    parts = [
        _of_agreeing(p, sequences[rows], order[rows])
        for rows in _batches(len(order), max(4 * p.sequences.shape[0], p.vocab))
    ]
    return np.concatenate(parts)


def _of_agreeing(p: EmpiricalDistribution, sequences: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Pairs of a row and a sequence of the data that agrees with it at all sites so far."""
    (size, length), count = order.shape, p.sequences.shape[0]
    xp = array_namespace(p.sequences)
    data = xp.reshape(p.sequences, (-1,))
    pairs = xp.arange(size * count, dtype=xp.int64, device=device(data))
    row, member = pairs // count, pairs % count
    shown, sites = from_host(sequences, data), from_host(order, data)
    entropies = np.empty((size, length))
    for j in range(length):
        site = sites[:, j]
        token = xp.take(data, member * length + xp.take(site, row))
        weights = segment_sum(row * p.vocab + token, xp.take(p.weights, member), size * p.vocab)
        weights = xp.reshape(weights, (size, p.vocab))
        entropies[:, j] = _entropy(quotient(weights, xp.sum(weights, axis=1)[:, None]))
        own = xp.take_along_axis(shown, site[:, None], axis=1)[:, 0]
        (agrees,) = xp.nonzero(token == xp.take(own, row))
        row, member = xp.take(row, agrees), xp.take(member, agrees)
    return entropies


@entropies_along.register
def _of_conditioned(p: Conditioned, sequences: np.ndarray, order: np.ndarray) -> np.ndarray:
    """The sites of the prompt come first in the orders of the whole, and are certain here."""
    given = (to_host(p.pattern) != MASK)[order]
    first = np.argsort(~given, axis=1, kind="stable")
    found = entropies_along(p.whole, sequences, np.take_along_axis(order, first, axis=1))
    entropies = np.zeros(order.shape)
    np.put_along_axis(entropies, first, found, axis=1)
    return np.where(given, 0.0, entropies)
