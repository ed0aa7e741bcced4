"""Sums of ``z log z`` over the values of observed sites, for every set of sites at once.

The entropy of the tokens at the sites ``S`` is ``-sum_x Z[x_S] log Z[x_S]`` over the evidence
lattice ``Z``. So after one pass of ``z log z`` every axis of V + 1 slots is folded to two, the
masked slot and the sum of the observed ones. On the host both are done part by part, so that only
the lattice is read from memory and nothing large is written; the logarithm then takes the time.
"""

import math

import array_api_compat
import numpy as np

from theory._core.arrays import array_namespace, from_host, is_exact, xlogx
from theory._core.types import Array, Namespace

__all__ = ["entropy_sums", "mean_by_size"]

CACHE_ENTRIES = 2**16
"""On the host, larger lattices are folded part by part (512 KiB)."""

PART_ENTRIES = 2**10
"""Smaller parts would spend their time on the calls."""


def entropy_sums(lattice: Array) -> Array:
    """Sum ``z log z`` over the values of the observed sites, for every set of them.

    From a lattice (V+1,)*L, whose last slot on an axis is the masked one, to an array (2,)*L, where
    index 1 on an axis means that the site is observed. float32 is summed in float64.

    >>> entropy_sums(np.asarray([4, 2, 6])).tolist()
    [6*log(2) + 6*log(3), 10*log(2)]
    """
    xp = array_namespace(lattice)
    vocab, length = lattice.shape[0] - 1, lattice.ndim
    large = lattice.size > CACHE_ENTRIES and lattice.size // (vocab + 1) >= PART_ENTRIES
    if large and array_api_compat.is_numpy_namespace(xp):
        observed = entropy_sums(lattice[0])
        for v in range(1, vocab):
            observed = observed + entropy_sums(lattice[v])
        return np.stack([entropy_sums(lattice[vocab]), observed])
    terms = xlogx(lattice) if is_exact(lattice) else _float_terms(xp, lattice)
    for done in range(length):
        terms = xp.reshape(terms, (2**done, vocab + 1, -1))
        observed = xp.sum(terms[:, :vocab, :], axis=1, keepdims=True)
        terms = xp.concat([terms[:, vocab:, :], observed], axis=1)
    return xp.reshape(terms, (2,) * length)


def _float_terms(xp: Namespace, lattice: Array) -> Array:
    """``z log z`` in float64. Zeros get a finite logarithm, which is cheaper than `where`."""
    z = xp.astype(lattice, xp.float64, copy=False)
    least = xp.full_like(z[(0,) * z.ndim], xp.finfo(xp.float64).smallest_normal)
    return z * xp.log(xp.maximum(z, least))


def mean_by_size(entropies: Array) -> Array:
    """Average a (2,)*L table over the sets of each size, shape (L+1,)."""
    xp, length = array_namespace(entropies), entropies.ndim
    flat = xp.reshape(entropies, (-1,))
    sizes = np.bitwise_count(np.arange(2**length, dtype=np.int64))  # an index's ones are its sites
    counts = [math.comb(length, k) for k in range(length + 1)]
    if is_exact(entropies):
        means = [flat[sizes == k].sum() / count for k, count in enumerate(counts)]
        return np.asarray(means, dtype=object)
    average = (sizes == np.arange(length + 1)[:, None]) / np.asarray(counts, np.float64)[:, None]
    return xp.matmul(from_host(average, entropies), flat)
