"""Sums of a table over every subset of its axes, in little more than the time of writing them.

A table ``p`` of shape ``(V,)*L`` becomes ``Z`` of shape ``(V+1,)*L`` whose slot ``V`` on an axis
holds the sum over that axis. There is little to compute; the time goes into moving memory. So on
the host

- a large lattice is ``V + 1`` smaller ones: those of the slices of the table along the first axis,
  and that *of the summed table*. It is split so until a part stays in the cache. Then what is
  written is never read again from memory; only the table is, which is smaller.
- Within a part of floats, axes are extended from last to first, a few at a time, by a matrix
  product with a Kronecker power of ``[I; 1]``, the identity above a row of ones. One factor sums
  one axis, and the product copies what it does not sum: the last one writes the part itself.
- Slices of a large lattice are filled by several threads. The numbers do not depend on how many.

For a larger vocabulary such products multiply too much by zero: there a pass over each axis, from
last to first, adds the observed slots up in place. It need not visit the masked slots of the axes
before. So it is for exact numbers; other backends do the same with the whole lattice at once.
"""

from collections.abc import Iterator
from functools import lru_cache, partial, reduce
from threading import Lock
from typing import Any

import array_api_compat
import numpy as np

from theory._core.arrays import array_namespace, device, read_only
from theory._core.resources import usable_threads
from theory._core.types import Array, Namespace

__all__ = ["subset_sums"]

CACHE_ENTRIES = 3**11
"""On the host, larger lattices are filled part by part (1.4 MiB)."""

THREADED_ENTRIES = 2**22
"""Larger lattices are filled by several threads (32 MiB)."""

SHARE, SPARING = 12, 2**23
"""The scratch memory of all threads is at most one in so many bytes of a lattice, if it has that
many bytes; beside it, NumPy takes some 50 kB wherever it casts a table of another type."""

PART_ENTRIES = 2**11
"""Smaller parts would spend their time on the calls."""

LARGEST_KERNEL = 32
"""Rows of a Kronecker power, at most."""

SHORT_AXIS = 4
"""Up to this vocabulary, axes are extended by Kronecker powers."""

LONG_AXIS = 64
"""From this vocabulary on, `numpy.sum` is fast enough along any axis."""

LARGEST_PRODUCT, LARGEST_SUM = 2**18, 2**13
"""Multiplications in one product of matrices, or of a vector and a matrix. BLAS would divide
larger ones among threads, which costs more than it gains at this size."""


def subset_sums(table: Array, total: float | None = None) -> Array:
    """Return ``table / total`` and its sums over every subset of axes, shape (V+1,)*L.

    With a total the sums are float64, of a table (V,)*L of any real dtype; else of its own dtype.

    >>> subset_sums(np.asarray([[1, 0], [0, 1]]), 2.0)
    array([[0.5, 0. , 0.5],
           [0. , 0.5, 0.5],
           [0.5, 0.5, 1. ]])
    """
    xp, vocab = array_namespace(table), table.shape[0]
    dtype = table.dtype if total is None else xp.float64
    lattice = xp.empty((vocab + 1,) * table.ndim, dtype=dtype, device=device(table))
    if array_api_compat.is_numpy_namespace(xp):
        _fill_in_parts(table, total, lattice)
    else:
        inside = (slice(0, vocab),) * table.ndim
        lattice[inside] = table if total is None else xp.astype(table / total, dtype)
        _append_sums(xp, lattice)
    return lattice


def _append_sums(xp: Namespace, lattice: Array) -> None:
    """Fill the masked slots of a lattice that holds its table, from the last axis to the first."""
    vocab = lattice.shape[0] - 1
    in_place = array_api_compat.is_numpy_namespace(xp) or array_api_compat.is_cupy_namespace(xp)
    for axis in reversed(range(lattice.ndim)):
        before = (slice(0, vocab),) * axis
        masked, observed = (*before, vocab, ...), (*before, slice(0, vocab), ...)
        if not in_place:
            lattice[masked] = xp.sum(lattice[observed], axis=axis)
        elif vocab in (2, 3):  # up to twice as fast as the general sum
            total = lattice[masked]
            xp.add(lattice[(*before, 0, ...)], lattice[(*before, 1, ...)], out=total)
            if vocab == 3:
                total += lattice[(*before, 2, ...)]
        else:
            xp.sum(lattice[observed], axis=axis, out=lattice[masked])


def _fill_in_parts(table: np.ndarray, total: float | None, lattice: np.ndarray) -> None:
    """Split along the first axes, down to parts that stay in the cache."""
    vocab, length, size = table.shape[0], table.ndim, lattice.size
    while size > CACHE_ENTRIES and size // (vocab + 1) >= PART_ENTRIES:
        size, length = size // (vocab + 1), length - 1
    threads = usable_threads() if lattice.size > THREADED_ENTRIES else 1
    if lattice.nbytes >= SPARING:
        room, taken = lattice.nbytes // SHARE, partial(_bytes_taken, vocab, table.ndim)
        while length > 1 and taken(length) > room:
            length -= 1
        threads = min(threads, room // taken(length))
    if threads <= 1:
        _Parts(vocab, length, total, lattice.dtype).fill(table, lattice)
        return

    from concurrent.futures import ThreadPoolExecutor  # here, where it is used: it loads slowly

    slices, one_at_a_time = _slices(table, lattice, length, 1 if vocab > 2 * threads else 2), Lock()

    def fill_some() -> None:
        parts = _Parts(vocab, length, total, lattice.dtype)  # with scratch memory of its own
        while True:
            with one_at_a_time:
                following = next(slices, None)
            if following is None:
                return
            summed, some, target = following
            (parts.fill_summed if summed else parts.fill)(some, target)

    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(fill_some) for _ in range(threads)]:
            done.result()


def _slices(
    table: np.ndarray, lattice: np.ndarray, length: int, depth: int
) -> Iterator[tuple[bool, np.ndarray, np.ndarray]]:
    """Tables and the slices that they fill independently, the largest first; True to sum first."""
    if depth == 0 or table.ndim == length:
        yield False, table, lattice
        return
    yield True, table, lattice[-1]
    for v in range(table.shape[0]):
        yield from _slices(table[v], lattice[v], length, depth - 1)


def _bytes_taken(vocab: int, sites: int, length: int) -> int:
    """Scratch memory of a thread that fills a lattice of so many sites in parts of `length`."""
    # a table summed over one site and the same summed over the next one, and so on; a part
    values = sum(2 * vocab**n for n in range(sites - 2, length, -2)) + 2 * vocab**length
    return 8 * (values + (_widest(vocab, length) if vocab <= SHORT_AXIS else 0))


class _Parts:
    """Fills lattices part by part; a part has `length` sites."""

    def __init__(self, vocab: int, length: int, total: float | None, dtype: np.dtype) -> None:
        self.vocab, self.length, self.total, self.dtype = vocab, length, total, dtype
        self.extend: Any = _extend_in_place
        if dtype.kind == "f" and vocab <= SHORT_AXIS:
            self.extend = _Products(vocab, length)
        elif dtype.kind == "f" and vocab < LONG_AXIS:
            self.extend = _extend_with_ones

    def fill(self, table: np.ndarray, lattice: np.ndarray) -> None:
        if table.ndim == self.length:
            self.extend(table, self.total, lattice)
            return
        for v in range(self.vocab):
            self.fill(table[v], lattice[v])
        self.fill_summed(table, lattice[self.vocab])

    def fill_summed(self, table: np.ndarray, lattice: np.ndarray) -> None:
        """The lattice of ``sum(table)``, of which only a slice at a time is held."""
        if table.ndim - 1 == self.length:
            summed = np.asarray(np.sum(table, axis=0, dtype=self.dtype))
            self.extend(summed, self.total, lattice)
            return
        both = np.zeros(table.shape[2:], self.dtype)  # summed over the next axis, too
        for v in range(self.vocab):
            one = np.asarray(np.sum(table[:, v], axis=0, dtype=self.dtype))
            both += one
            self.fill(one, lattice[v])
        self.fill(both, lattice[self.vocab])


def _divide(table: np.ndarray, total: float | None, out: np.ndarray) -> np.ndarray:
    if total is None:
        out[...] = table
        return out
    return np.divide(table, total, out=out, dtype=out.dtype)


def _extend_in_place(table: np.ndarray, total: float | None, lattice: np.ndarray) -> None:
    _divide(table, total, lattice[(slice(0, table.shape[0]),) * table.ndim])
    _append_sums(np, lattice)


def _extend_with_ones(table: np.ndarray, total: float | None, lattice: np.ndarray) -> None:
    """The same for floats; a row of ones sums a short axis faster than `numpy.sum`."""
    vocab, length = table.shape[0], table.ndim
    observed, ones = (slice(0, vocab),), np.ones((1, vocab))
    _divide(table, total, lattice[observed * length])
    rows = _short_enough(vocab ** (length - 1), vocab, vocab, LARGEST_SUM)
    last = np.matmul(table.reshape(-1, rows, vocab), ones[0]).reshape(table.shape[1:])
    _divide(last, total, lattice[(*observed * (length - 1), vocab, ...)])
    for axis in reversed(range(length - 1)):
        run = _short_enough((vocab + 1) ** (length - 1 - axis), vocab, vocab + 1, LARGEST_SUM)
        blocks = lattice.reshape(*lattice.shape[: axis + 1], -1, run)[observed * axis]
        blocks = blocks.swapaxes(-3, -2)
        np.matmul(ones, blocks[..., :vocab, :], out=blocks[..., vocab:, :])


class _Products:
    """Extends the axes of float tables of one shape by matrix products, from last to first."""

    def __init__(self, vocab: int, length: int) -> None:
        self.steps = [
            (_kernel(vocab, axes), before, after) for axes, before, after in _steps(vocab, length)
        ]
        self.scratch = np.empty((2, _widest(vocab, length) // 2))
        self.values = np.empty((vocab,) * length)

    def __call__(self, table: np.ndarray, total: float | None, lattice: np.ndarray) -> None:
        result = table if total is None else _divide(table, total, self.values)
        for i, (kernel, before, after) in enumerate(self.steps):
            last, size = i + 1 == len(self.steps), before * len(kernel) * after
            source, result = result, lattice if last else self.scratch[i % 2, :size]
            if after == 1:  # one vector for each value of the axes before
                rows = _short_enough(before, kernel.size, table.shape[0], LARGEST_PRODUCT)
                source = source.reshape(-1, rows, kernel.shape[1])
                np.matmul(source, kernel.T, out=result.reshape(-1, rows, len(kernel)))
            else:
                columns = _short_enough(after, kernel.size, lattice.shape[0], LARGEST_PRODUCT)
                source = source.reshape(before, kernel.shape[1], -1, columns)
                target = result.reshape(before, len(kernel), -1, columns)
                np.matmul(kernel, source.swapaxes(1, 2), out=target.swapaxes(1, 2))


@lru_cache(maxsize=32)
def _kernel(vocab: int, axes: int) -> np.ndarray:
    """Kronecker power of the identity above a row of ones, shape ((V+1)^axes, V^axes).

    >>> _kernel(2, 1)
    array([[1., 0.],
           [0., 1.],
           [1., 1.]])
    """
    factor = np.vstack([np.eye(vocab), np.ones(vocab)])
    return read_only(reduce(np.kron, [factor] * axes))


def _short_enough(count: int, size: int, base: int, most: int) -> int:
    """Divide `count`, a power of `base`, until its product with `size` is at most `most`.

    >>> _short_enough(3**9, 200, 3, 200 * 1000) == 3**6
    True
    """
    while count > 1 and count * size > most:
        count //= base
    return count


def _steps(vocab: int, length: int) -> Iterator[tuple[int, int, int]]:
    """Axes that are extended together, the last first; sizes of those before and after them."""
    done = 0
    while done < length:
        axes = 1
        while done + axes < length and (vocab + 1) ** (axes + 1) <= LARGEST_KERNEL:
            axes += 1
        yield axes, vocab ** (length - done - axes), (vocab + 1) ** done
        done += axes


def _widest(vocab: int, length: int) -> int:
    """Entries of scratch memory: twice the size after the widest of the steps but the last."""
    *inner, _ = (
        (vocab + 1) ** axes * before * after for axes, before, after in _steps(vocab, length)
    )
    return 2 * max(inner, default=0)
