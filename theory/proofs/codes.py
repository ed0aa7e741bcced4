"""Linear codes as distributions of sites: each site is a subspace, an entropy is a dimension.

Let m be a uniformly random vector of ``F_q^r`` and let the token of site i tell the values of some
linear forms at m. With ``U_i`` the space that these forms span, the entropy of a set S of sites is
``dim(sum_{i in S} U_i) log q``: a rank function. Every vector of rank functions over one field,
added up with integer multiplicities, is the entropy vector of independent codes side by side.

On three sites the rank functions of binary codes with one symbol a site generate all that
Shannon's inequalities allow (Zhang and Yeung 1997, [memory]): the eight extreme rays are one site
alone, two equal sites, three equal sites, and three bits of even parity. From four sites on codes
obey Ingleton's inequality, and some distributions do not.
"""

import functools
import itertools
from dataclasses import dataclass

import numpy as np

from theory._core.finite_fields import finite_field
from theory._core.plurals import counted
from theory.lattice.codes import digits
from theory.proofs.question import moved_sets

__all__ = ["Codes", "Shape", "library", "shapes"]

MAX_ENTRIES = 2**23
"""Of the largest array of rank functions while a library is listed (64 MiB)."""

MAX_PERMUTED = 6
"""Up to so many sites, rank functions that a permutation of the sites makes equal count once."""


@dataclass(frozen=True, order=True)
class Shape:
    """Of which codes a library is made: over which field, of which dimension, symbols a site."""

    field: int
    dimension: int
    symbols: int = 1


@dataclass(frozen=True, eq=False)
class Codes:
    """Linear codes of one shape with different rank functions.

    Attributes
    ----------
    shape : Shape
    ranks : array of int64, shape (N, 2**L)
        ``dim(sum of U_i, i in S)`` by the bits of S.
    spaces : array of int64, shape (N, L)
        The numbers of the subspaces ``U_i``.
    complete : bool
        False if the list was cut.
    """

    shape: Shape
    ranks: np.ndarray
    spaces: np.ndarray
    complete: bool

    def __len__(self) -> int:
        return len(self.ranks)

    def __str__(self) -> str:
        s = self.shape
        return (
            f"{'' if self.complete else 'the first '}{len(self):,} linear codes over GF({s.field}) "
            f"of dimension up to {s.dimension} with up to {counted(s.symbols, 'symbol')} a site"
        )

    def words(self, number: int) -> np.ndarray:
        """The different words of a code, shape (q**rank, L), int64; tokens are ``0..q**dim-1``.

        >>> codes = library(3, Shape(2, 2))
        >>> parity = next(k for k in range(len(codes)) if codes.ranks[k, 1:].tolist() == [
        ...     1, 1, 2, 1, 2, 2, 2])
        >>> codes.words(parity).tolist()
        [[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]
        """
        q, r = self.shape.field, self.shape.dimension
        messages = digits(np.arange(q**r, dtype=np.int64), r, q)
        columns = []
        for space in self.spaces[number].tolist():
            forms = digits(np.asarray(_subspaces(q, r).bases[space], dtype=np.int64), r, q)
            values = finite_field(q).matmul(messages, forms.T)
            columns.append(values @ q ** np.arange(len(forms) - 1, -1, -1, dtype=np.int64))
        return np.unique(np.stack(columns, axis=1), axis=0)


def shapes(sites: int) -> tuple[Shape, ...]:
    """Which libraries are gone through for so many sites, the smaller codes first.

    >>> [str(s.field) for s in shapes(4)]
    ['2', '2', '3', '4', '5']
    """
    if sites <= 3:
        return Shape(2, 3), Shape(2, 4, 2)
    if sites == 4:
        return Shape(2, 3), Shape(2, 4, 2), Shape(3, 3, 2), Shape(4, 3), Shape(5, 3)
    if sites <= 6:
        return Shape(2, 5), Shape(2, 3, 2), Shape(3, 4), Shape(4, 3), Shape(5, 3)
    if sites <= 8:
        return Shape(2, 4), Shape(3, 3), Shape(4, 2), Shape(5, 2)
    return Shape(2, 3), Shape(3, 2)


@functools.cache
def library(sites: int, shape: Shape) -> Codes:
    """Linear codes of a shape, one of each rank function.

    Sites are added one by one; of codes with one rank function one is kept, up to six sites also
    where only a permutation of the sites makes them equal. Codes whose rank functions agree may
    differ in how they can be extended, so over larger fields some can be missing.

    >>> len(library(3, Shape(2, 2))), len(library(4, Shape(2, 3)))
    (7, 15)
    """
    spaces = _subspaces(shape.field, shape.dimension)
    (candidates,) = np.nonzero(spaces.dims <= shape.symbols)
    chosen = np.zeros((1, 0), dtype=np.int64)
    spans = np.zeros((1, 1), dtype=np.int64)  # by the bits of S: the number of the sum of U_i
    complete = True
    for length in range(1, sites + 1):
        most = max(1, MAX_ENTRIES // (len(candidates) << length))
        complete = complete and len(spans) <= most
        chosen, spans = chosen[:most], spans[:most]
        with_it = spaces.join[spans[:, None, :], candidates[None, :, None]]
        without = np.broadcast_to(spans[:, None, :], with_it.shape)
        spans = np.concatenate([without, with_it], axis=2).reshape(-1, 1 << length)
        before = np.repeat(chosen, len(candidates), axis=0)
        last = np.tile(candidates, len(chosen))
        chosen = np.concatenate([before, last[:, None]], axis=1)
        kept = _different(spaces.dims[spans], length)
        chosen, spans = chosen[kept], spans[kept]
    return Codes(shape, spaces.dims[spans], chosen, complete)


def _different(ranks: np.ndarray, sites: int) -> np.ndarray:
    """One row of each rank function, up to permutations as far as is cheap, the smallest first."""
    _, first = np.unique(_packed(_sorted(ranks, sites)), axis=0, return_index=True)
    if sites <= MAX_PERMUTED:
        least = None
        for order in itertools.permutations(range(sites)):
            packed = _packed(ranks[first][:, moved_sets(order)])
            least = packed if least is None else _smaller(packed, least)
        assert least is not None
        _, again = np.unique(least, axis=0, return_index=True)
        first = first[again]
    return first[np.lexsort((first, ranks[first].sum(axis=1), ranks[first, -1]))]


def _sorted(ranks: np.ndarray, sites: int) -> np.ndarray:
    """Ranks after a permutation of the sites that puts those first whose sets have small ranks."""
    sets = np.arange(ranks.shape[1], dtype=np.int64)
    sizes = np.bitwise_count(sets).astype(np.int64)
    shares = (ranks * (sites + 1) + sizes) ** 3  # of sets of one size, a number of the rank
    keys = np.stack([shares[:, sets >> i & 1 == 1].sum(axis=1) for i in range(sites)], axis=1)
    moved = np.zeros((len(ranks), 1), dtype=np.int64)
    for site in np.argsort(keys, axis=1, kind="stable").T:
        moved = np.concatenate([moved, moved | (1 << site)[:, None]], axis=1)
    return np.take_along_axis(ranks, moved, axis=1)


def _packed(ranks: np.ndarray) -> np.ndarray:
    """Ranks below 8, 20 to a number, so that rows are compared in few steps."""
    padded = np.pad(ranks, ((0, 0), (0, -ranks.shape[1] % 20)))
    powers = 8 ** np.arange(19, -1, -1, dtype=np.int64)
    return padded.reshape(len(ranks), -1, 20) @ powers


def _smaller(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Row by row the one of two that comes first in lexicographic order."""
    differs = a != b
    where = np.argmax(differs, axis=1)[:, None]
    less = np.take_along_axis(a, where, axis=1) < np.take_along_axis(b, where, axis=1)
    return np.where(less, a, b)


# Subspaces ------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Subspaces:
    """All subspaces of ``F_q^r``; number 0 is the zero space.

    `join[U, W]` is the number of ``U + W``, and ``bases[U]`` lists vectors, written as numbers in
    base q.
    """

    dims: np.ndarray
    join: np.ndarray
    bases: list[tuple[int, ...]]


@functools.cache
def _subspaces(field: int, dimension: int) -> _Subspaces:
    """Built from the zero space by adding points one after the other."""
    add, multiply = finite_field(field).addition, finite_field(field).multiplication
    count = field**dimension
    vectors = digits(np.arange(count, dtype=np.int64), dimension, field)
    points = [v for v in range(1, count) if vectors[v][np.flatnonzero(vectors[v])[0]] == 1]
    powers = field ** np.arange(dimension - 1, -1, -1, dtype=np.int64)
    multiples = [multiply[:, vectors[v]] for v in points]  # (q, r) each
    found = [frozenset([0])]
    bases: list[tuple[int, ...]] = [()]
    number = {found[0]: 0}
    steps: list[list[int]] = []
    for space in found:  # it grows
        here = len(steps)
        members = vectors[sorted(space)]
        row = []
        for v, lines in zip(points, multiples, strict=True):
            if v in space:
                row.append(here)
                continue
            summed = add[members[:, None, :], lines[None, :, :]] @ powers
            bigger = frozenset(summed.reshape(-1).tolist())
            if bigger not in number:
                number[bigger] = len(found)
                found.append(bigger)
                bases.append((*bases[here], v))
            row.append(number[bigger])
        steps.append(row)
    onwards = np.asarray(steps, dtype=np.int64)
    column = {v: k for k, v in enumerate(points)}
    join = np.empty((len(found), len(found)), dtype=np.int64)
    for other, basis in enumerate(bases):
        joined = np.arange(len(found), dtype=np.int64)
        for v in basis:
            joined = onwards[joined, column[v]]
        join[:, other] = joined
    return _Subspaces(np.asarray([len(b) for b in bases], dtype=np.int64), join, bases)
