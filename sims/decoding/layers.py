"""Masked sequences with their probabilities, carried from round to round, and what is revealed."""

import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from theory._core.arrays import array_namespace, is_exact
from theory._core.exact import ratio
from theory._core.segments import any_true, groups
from theory._core.types import Array
from theory.lattice.codes import Codes

__all__ = ["Draw", "Layer", "Reveal", "batches", "joined", "outer", "quotient", "split"]


@dataclass(frozen=True, eq=False)
class Layer:
    """Masked sequences reached after the same number of steps.

    Keys are ``code + label * cells``, and sequences with different labels are not merged. The
    label is the number of calls of the denoiser so far, unless a caller of `step` has other ones.
    """

    keys: Array
    masses: tuple[Array, ...]  # one for each measure

    @property
    def size(self) -> int:
        return self.keys.shape[0]


class Draw(NamedTuple):
    """The draw of tokens at k sites of N contexts; M = V^k values are given to them."""

    sites: Array
    """Shape (N, k)."""
    sampling_probs: Array
    """What each site is drawn from, (N, k, V)."""
    logs: Callable[[], Array]
    """Logarithms of the sampling probabilities, for those that are too small for a float."""
    factor: Array
    """Probability of each value: the product of those of its tokens, (N, M)."""
    share: Array | None
    """What it is under the data, if they are followed."""


@dataclass(frozen=True, eq=False)
class Reveal:
    """What one step reveals in N contexts: in each the same number of sites.

    Attributes
    ----------
    index : int
        The step.
    before : array, shape (N,)
        Keys of the contexts, as in a `Layer`.
    sites : array of bool, shape (N, L)
        What is revealed in each.
    masses : tuple of array, shape (N,)
        How likely it is to be there and to reveal that, under each measure.
    after : array, shape (N, M)
        Keys of what it leads to.
    masses_after : tuple of array, shape (N, M)
    complete : bool
        Whether nothing is masked any more.
    draw : Draw or None
        None if no site is revealed, and where a policy depends on drawn tokens.
    """

    codes: Codes
    index: int
    before: Array
    sites: Array
    masses: tuple[Array, ...]
    after: Array
    masses_after: tuple[Array, ...]
    complete: bool
    draw: Draw | None = None

    @property
    def x(self) -> Array:
        """The contexts, shape (N, L)."""
        return self.codes.decode(self.before % self.codes.cells)

    @cached_property
    def reached(self) -> Layer:
        """What it leads to, without what has no mass at all."""
        xp = array_namespace(self.after)
        keys, *masses = (xp.reshape(v, (-1,)) for v in (self.after, *self.masses_after))
        kept = masses[0] != 0
        for mass in masses[1:]:
            kept = kept | (mass != 0)
        if any_true(~kept):
            keys, *masses = (v[kept] for v in (keys, *masses))
        return Layer(keys, tuple(masses))


def outer(parts: Array, combine: Callable[[Array, Array], Array]) -> Array:
    """Combine numbers (N, k, V) of k sites for every value of them all, shape (N, V^k).

    >>> outer(np.asarray([[[1, 2], [10, 20]]]), np.add).tolist()
    [[11, 21, 12, 22]]
    """
    xp, total = array_namespace(parts), parts[:, 0, :]
    for k in range(1, parts.shape[1]):
        total = combine(total[:, :, None], parts[:, k, :][:, None, :])
        total = xp.reshape(total, (parts.shape[0], -1))
    return total


def quotient(a: Array, b: Array) -> Array:
    """``a / b`` for 0 <= a <= b, and 0 where both are 0.

    >>> quotient(np.asarray([0.5, 0.0]), np.asarray([1.0, 0.0])).tolist()
    [0.5, 0.0]
    """
    if is_exact(a):
        return np.where(b == 0, 0, ratio(a, b))
    return a / array_namespace(a).where(b > 0, b, 1.0)


def joined(parts: Iterable[tuple[Array, ...]], most: int) -> Iterator[tuple[Array, ...]]:
    """Tuples of arrays of equally many rows, joined until there are many: small ones cost calls.

    >>> few = [(np.asarray([1]),), (np.asarray([2, 3]),), (np.asarray([4]),)]
    >>> [rows.tolist() for (rows,) in joined(few, 3)]
    [[1, 2, 3], [4]]
    """
    waiting: list[tuple[Array, ...]] = []
    for part in itertools.chain(parts, [None]):
        if part is not None and part[0].shape[0]:
            waiting.append(part)
        if waiting and (part is None or sum(one[0].shape[0] for one in waiting) >= most):
            xp = array_namespace(*waiting[0])
            columns = zip(*waiting, strict=True)
            yield waiting[0] if len(waiting) == 1 else tuple(xp.concat(list(v)) for v in columns)
            waiting = []


def batches(masked: Array, most: int) -> Iterator[tuple[int, Array]]:
    """Rows with equally many masked sites, not too many at once, and that number.

    >>> [(count, rows.tolist()) for count, rows in batches(np.asarray([2, 1, 2, 2]), 2)]
    [(1, [1]), (2, [0]), (2, [2, 3])]
    """
    for count, every in groups(masked):
        for rows in split(every, math.ceil(every.shape[0] / most)):
            yield count, rows


def split(rows: Array, parts: int) -> Iterator[Array]:
    """The rows in so many parts of about the same size."""
    ends = [k * rows.shape[0] // parts for k in range(parts + 1)]
    return (rows[a:b] for a, b in itertools.pairwise(ends))
