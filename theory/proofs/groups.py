"""Cosets of subgroups as distributions: entropies are logarithms of indices.

Let g be a uniformly random element of a finite group G, and the token of site i the coset ``g G_i``
of a subgroup. A set S of sites tells the coset of the intersection of its subgroups, so its
entropy is ``log(|G| / |intersection|)``. Every inequality of entropies holds if it holds for all
groups (Chan and Yeung 2002, [memory]). Groups that are not commutative can go beyond linear codes:
the smallest one on which Ingleton's inequality fails is the symmetric group of five letters (Mao,
Thill and Hassibi 2012, [abstract seen]).
"""

import functools
from dataclasses import dataclass

import numpy as np

from theory.proofs.tables import multisets

MAX_ROWS = 2**18
"""Rows that are compared at once."""

__all__ = ["Group", "cosets", "group", "groups"]

GENERATORS = {
    "S3": ((1, 0, 2), (1, 2, 0)),
    "D4": ((1, 2, 3, 0), (2, 1, 0, 3)),
    "A4": ((1, 2, 0, 3), (1, 0, 3, 2)),
    "S4": ((1, 0, 2, 3), (1, 2, 3, 0)),
    "S5": ((1, 0, 2, 3, 4), (1, 2, 3, 4, 0)),
}
"""Permutations that generate symmetric, dihedral and alternating groups."""


@dataclass(frozen=True, eq=False)
class Group:
    """A group with all of its subgroups.

    Attributes
    ----------
    name : str
    table : array of int64, shape (|G|, |G|)
        Products; element 0 is neutral.
    subgroups : array of bool, shape (C, |G|)
        Their elements, the whole group first.
    meet : array of int64, shape (C, C)
        Which subgroup two of them have in common.
    """

    name: str
    table: np.ndarray
    subgroups: np.ndarray
    meet: np.ndarray

    @property
    def indices(self) -> np.ndarray:
        """The number of cosets of each subgroup, shape (C,)."""
        return len(self.table) // self.subgroups.sum(axis=1)

    def words(self, chosen: np.ndarray) -> np.ndarray:
        """The cosets of some subgroups to which each element belongs, as words (|G|, L).

        >>> s3 = group("S3")
        >>> last = len(s3.subgroups) - 1                    # only the neutral element
        >>> s3.words(np.asarray([0, last])).tolist()
        [[0, 0], [0, 1], [0, 2], [0, 3], [0, 4], [0, 5]]
        """
        columns = [self.table[:, self.subgroups[k]].min(axis=1) for k in chosen.tolist()]
        return np.stack(columns, axis=1)


def groups(sites: int) -> tuple[str, ...]:
    """The names of the groups that are gone through for so many sites.

    >>> groups(4), groups(5), groups(7)
    (('S3', 'D4', 'A4', 'S4', 'S5'), ('S3', 'D4', 'A4', 'S4'), ())
    """
    return tuple(GENERATORS)[: {4: 5, 5: 4, 6: 2}.get(sites, 0)]


@functools.cache
def cosets(sites: int, name: str) -> np.ndarray:
    """Intersections of subgroups for all sets of sites, one for each vector of entropies.

    Pairs of subgroups for the first two sites are taken up to conjugation and their order, the
    others up to their order.

    Returns
    -------
    array of int64, shape (M, 2**L)
        The numbers of subgroups by the bits of a set.

    >>> s3 = group("S3")
    >>> s3.indices[cosets(2, "S3")][-2:].tolist()
    [[1, 3, 6, 6], [1, 6, 6, 6]]
    """
    found = group(name)
    numbers = np.arange(len(found.subgroups), dtype=np.int64)
    first, second = np.nonzero(numbers[:, None] <= numbers)
    moved = np.stack([_conjugates(found)[:, side] for side in (first, second)])
    names = (moved.min(axis=0) * len(numbers) + moved.max(axis=0)).min(axis=0)
    kept = names == first * len(numbers) + second
    others = multisets(found.meet, sites - 2)
    _, place = np.unique(found.indices, return_inverse=True)  # at most 16 different ones
    parts: list[np.ndarray] = []
    for a, b in zip(first[kept], second[kept], strict=True):
        pair = np.asarray([0, a, b, found.meet[a, b]])
        parts.append(found.meet[others[:, :, None], pair].reshape(-1, 1 << sites))
        if sum(map(len, parts)) > MAX_ROWS:
            parts = [_different(np.concatenate(parts), place)]
    return _different(np.concatenate(parts), place)


def _different(rows: np.ndarray, place: np.ndarray) -> np.ndarray:
    """One row of each vector of places, which are below 16."""
    digits = place[rows].reshape(len(rows), -1, min(16, rows.shape[1]))
    keys = digits @ 16 ** np.arange(digits.shape[2], dtype=np.int64)  # 64 bits hold 16 of them
    if keys.shape[1] == 1:  # numbers are sorted faster than rows
        keys = keys[:, 0]
    return rows[np.unique(keys, axis=0, return_index=True)[1]]


@functools.cache
def group(name: str) -> Group:
    """A group by its name, with all of its subgroups.

    >>> [len(group(name).subgroups) for name in ("S3", "D4", "A4", "S4")]
    [6, 10, 10, 30]
    """
    elements = [tuple(range(len(GENERATORS[name][0])))]
    for element in elements:  # it grows
        for generator in GENERATORS[name]:
            product = tuple(element[i] for i in generator)
            if product not in elements:
                elements.append(product)
    number = {element: k for k, element in enumerate(elements)}
    products = [[number[tuple(a[i] for i in b)] for b in elements] for a in elements]
    table = np.asarray(products, dtype=np.int64)
    cyclic: dict[frozenset[int], tuple[int, ...]] = {}
    for g in range(len(elements)):
        cyclic.setdefault(_generated(table, (g,)), (g,))
    generators = dict(cyclic)
    found = list(cyclic)
    for subgroup in found:  # it grows
        for more in cyclic.values():
            if more[0] not in subgroup:
                bigger = _generated(table, generators[subgroup] + more)
                if bigger not in generators:
                    generators[bigger] = generators[subgroup] + more
                    found.append(bigger)
    found.sort(key=lambda h: (-len(h), sorted(h)))
    place = {h: k for k, h in enumerate(found)}
    meet = np.asarray([[place[a & b] for b in found] for a in found], dtype=np.int64)
    inside = np.zeros((len(found), len(elements)), dtype=bool)
    for k, h in enumerate(found):
        inside[k, sorted(h)] = True
    return Group(name, table, inside, meet)


def _generated(table: np.ndarray, generators: tuple[int, ...]) -> frozenset[int]:
    """The elements that are products of generators."""
    steps = table[:, list(generators)]
    inside = np.zeros(len(table), dtype=bool)
    new = np.zeros(1, dtype=np.int64)
    while len(new):
        inside[new] = True
        reached = steps[new].reshape(-1)
        new = np.unique(reached[~inside[reached]])
    return frozenset(np.flatnonzero(inside).tolist())


def _conjugates(found: Group) -> np.ndarray:
    """The number of ``g H g^-1`` for each element g and subgroup H, shape (|G|, C)."""
    inverse = np.argmin(found.table, axis=1)  # the neutral element is 0
    place = {row.tobytes(): k for k, row in enumerate(found.subgroups)}
    rows = []
    for g in range(len(found.table)):
        back = found.table[found.table[inverse[g]], g]  # g^-1 x g
        rows.append([place[row.tobytes()] for row in found.subgroups[:, back]])
    return np.asarray(rows, dtype=np.int64)
