"""Codes with a given rank function: representations of a matroid over a finite field.

A basis of the matroid gives unit vectors. Of every other site the fundamental circuit tells which
coordinates are not zero; they are chosen one site after the other, and a choice is kept if all
sets of sites so far have the ranks that they should have.
"""

import itertools
from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from theory._core.finite_fields import FiniteField, finite_field
from theory.proofs.quantities import mask_of

__all__ = ["as_matroid", "representation", "uniform_matroid"]

MAX_VECTORS = 2**12
"""Vectors that are tried for one representation."""


def as_matroid(ray: Mapping[int, Fraction], sites: int) -> tuple[int, ...] | None:
    """The multiple of a form's values that is the rank function of a matroid, by the bits of sets.

    None if there is no such multiple, which is if an entropy is not a multiple of that of one
    site.

    >>> as_matroid({1: Fraction(1, 2), 2: Fraction(1, 2), 3: Fraction(1, 2)}, 2)
    (0, 1, 1, 1)
    """
    alone = [ray.get(1 << i, Fraction(0)) for i in range(sites)]
    unit = max(alone)
    if unit <= 0 or any(value not in (0, unit) for value in alone):
        return None
    ranks = [ray.get(bits, Fraction(0)) / unit for bits in range(1 << sites)]
    return tuple(map(int, ranks)) if all(r.denominator == 1 for r in ranks) else None


def uniform_matroid(sites: int, rank: int) -> tuple[int, ...]:
    """The rank function of which each set of up to `rank` sites is independent."""
    return tuple(min(bits.bit_count(), rank) for bits in range(1 << sites))


def representation(ranks: tuple[int, ...], size: int) -> np.ndarray | None:
    """A generator matrix over GF(size) whose sets of columns have these ranks, shape (r, L).

    None if there is none, or if it was not found soon.

    >>> print(representation(uniform_matroid(3, 2), 2))
    [[1 0 1]
     [0 1 1]]
    >>> representation(uniform_matroid(4, 2), 2) is None
    True
    """
    field, sites = finite_field(size), len(ranks).bit_length() - 1
    basis: list[int] = []
    for site in range(sites):
        if ranks[mask_of([*basis, site])] > len(basis):
            basis.append(site)
    order = [*basis, *(site for site in range(sites) if site not in basis)]
    unit = np.eye(len(basis), dtype=np.int64)
    tried = 0

    def placed(columns: list[np.ndarray], linked: list[int]) -> list[np.ndarray] | None:
        nonlocal tried
        if len(columns) == sites:
            return columns
        site = order[len(columns)]
        exchange = [ranks[mask_of([*basis, site]) & ~(1 << b)] == len(basis) for b in basis]
        support = [j for j, free in enumerate(exchange) if free and ranks[1 << site]]
        # multiples of columns and of rows do not matter: one coordinate of each class of rows
        # that columns have linked so far may be 1
        classes = [linked[j] for j in support]
        news = [k == classes.index(name) for k, name in enumerate(classes)]
        after = [min(classes) if name in classes else name for name in linked]
        for values in itertools.product(*(range(1, 2 if new else size) for new in news)):
            tried += 1
            if tried > MAX_VECTORS:
                return None
            column = np.zeros(len(basis), dtype=np.int64)
            column[support] = values
            if _fits(field, ranks, order, [*columns, column]):
                found = placed([*columns, column], after)
                if found is not None:
                    return found
        return None

    found = placed([*unit], list(range(len(basis)))) if basis else None
    if found is None:
        return None
    return np.stack([found[order.index(site)] for site in range(sites)], axis=1)


def _fits(
    field: FiniteField, ranks: tuple[int, ...], order: list[int], columns: list[np.ndarray]
) -> bool:
    """Whether sets of columns with the last one have the ranks that they should have.

    Those of more columns than the rank follow from the others.
    """
    last = len(columns) - 1
    for size in range(min(last + 1, len(columns[0]))):
        for others in itertools.combinations(range(last), size):
            chosen = [*others, last]
            should = ranks[mask_of([order[k] for k in chosen])]
            if _rank(field, np.stack([columns[k] for k in chosen])) != should:
                return False
    return True


def _rank(field: FiniteField, rows: np.ndarray) -> int:
    """The rank of a matrix, by elimination.

    >>> _rank(finite_field(4), np.asarray([[1, 2], [2, 3]]))      # 2 (1, 2) = (2, 3)
    1
    """
    rows, rank = rows.copy(), 0
    for column in range(rows.shape[1]):
        (below,) = np.nonzero(rows[rank:, column])
        if not len(below):
            continue
        pivot = rank + int(below[0])
        rows[[rank, pivot]] = rows[[pivot, rank]]
        lead = field.multiplication[field.inverse[rows[rank, column]], rows[rank]]
        factors = field.negative[rows[rank + 1 :, column]]
        rows[rank + 1 :] = field.addition[
            rows[rank + 1 :], field.multiplication[factors[:, None], lead[None, :]]
        ]
        rank += 1
        if rank == len(rows):
            break
    return rank
