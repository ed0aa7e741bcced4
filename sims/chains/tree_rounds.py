"""How many rounds a deterministic decoder takes on a chain: which gaps wait, and for how long.

See `gap_tree`: the rounds are D, those until all that is left waits, and N, what is added by gaps
that wait: ``1 + D(what is left of g)`` for each of them. Both are joined in a gap by

    F_d(z) = E[z^N; D <= d],

which multiplies over new gaps. With H_d the mean of the product of the F_d of the new gaps, a gap
that moves has ``F_d = H_(d-1)``; one that waits has D = 0 and ``F_d = z sum_m z^m (H_m - H_(m-1))``
for every d [ours]. The coefficients come from values at roots of unity; of exact numbers, from
values at integers.
"""

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np

from sims.chains.gap_tree import GapTree, Node

__all__ = ["Rounds"]

AT_ONCE = 2**22
"""Numbers of a table that are worked on at once."""

SMALL = 1e-14
"""A probability in floats that is smaller may be rounding, and is taken for 0."""


class Rounds:
    """The rounds of a decoder in the gaps of a tree.

    Parameters
    ----------
    tree : GapTree
    on_data : bool
        With tokens as the data have them, or drawn independently.
    """

    def __init__(self, tree: GapTree, on_data: bool) -> None:
        self.tree, self.on_data = tree, on_data
        self.deepest, self.most = tree.values(dtype=np.int64), tree.values(dtype=np.int64)
        for node in tree.nodes:
            self._bound(node)

    def _bound(self, node: Node) -> None:
        """Bounds on D and N; a round reveals a site at least."""
        depth, total = (np.zeros(len(node.left), dtype=np.int64) for _ in range(2))
        for values, bound, join in ((self.deepest, depth, np.maximum), (self.most, total, np.add)):
            for edges, weights, inner in self.tree.inside(node, values, self.on_data):
                largest = np.where(weights > 0, inner, 0).max(axis=1)
                join.at(bound, node.cell[edges], largest)
        total = np.minimum(total + node.waits * (1 + depth), node.length)
        self.tree.put_sum(self.deepest, node, np.where(node.waits, 0, 1 + depth))
        self.tree.put_sum(self.most, node, total)

    def probabilities(
        self, roots: Callable[[np.ndarray], np.ndarray], most: int | None = None
    ) -> np.ndarray:
        """Probability of 0, 1, ... rounds, on the last axis.

        Parameters
        ----------
        roots : callable
            From values over nodes (nodes, V+1, V, ...) to those of all that there is before the
            first round, (..., ...).
        most : int, optional
            A bound on N there; the largest of all gaps if not given.
        """
        exact = self.tree.bridges.exact
        depth = int(self.deepest.max())
        degree = int(self.most.max()) if most is None else most
        points = _points(degree, exact)
        step = max(1, AT_ONCE // (self.deepest.size * (depth + 1)))
        parts = [
            roots(self._joint(points[begin : begin + step], depth))
            for begin in range(0, len(points), step)
        ]
        found = _coefficients(np.concatenate(parts, axis=-1), degree)  # (..., D <= d, N)
        found[..., 1:, :] = found[..., 1:, :] - found[..., :-1, :]
        total = np.zeros((*found.shape[:-2], depth + degree + 1), dtype=found.dtype)
        for d in range(depth + 1):
            total[..., d : d + degree + 1] += found[..., d, :]
        return total if exact else np.where(total < SMALL, 0, total)

    def _joint(self, points: np.ndarray, depth: int) -> np.ndarray:
        """``F_d(z)``, d = 0..depth, values that multiply, (nodes, V+1, V, depth+1, Z)."""
        tree = self.tree
        values = tree.factors(depth + 1, len(points), dtype=points.dtype)
        powers = points ** np.arange(1, depth + 2, dtype=np.int64)[:, None]
        for node in tree.nodes:
            within = int(self.deepest[node.child].max()) + 1
            after = tree.multiplied(node, values[..., :within, :], self.on_data)
            more = np.repeat(after[..., -1:, :], depth + 1 - within, axis=-2)
            after = np.concatenate([after, more], axis=-2)
            moved = np.concatenate([0 * after[..., :1, :], after[..., :-1, :]], axis=-2)
            waited = ((after - moved) * powers).sum(axis=-2, keepdims=True)
            waits = node.waits.reshape((-1,) + (1,) * (after.ndim - 1))
            tree.put(values, node, np.where(waits, waited, moved))
        return values


def _points(degree: int, exact: bool) -> np.ndarray:
    """Where real polynomials of this degree are evaluated to find their coefficients."""
    if exact:
        return np.asarray([Fraction(k) for k in range(degree + 1)], dtype=object)
    if degree == 0:
        return np.ones(1)
    upper = np.arange((degree + 1) // 2 + 1, dtype=np.int64)  # the others are conjugate
    return np.exp(-2j * math.pi * upper / (degree + 1))


def _coefficients(values: np.ndarray, degree: int) -> np.ndarray:
    """Coefficients of polynomials from their values at the points, on the last axis.

    >>> _coefficients(np.asarray([Fraction(k * k + 2) for k in range(3)]), 2).tolist()
    [Fraction(2, 1), Fraction(0, 1), Fraction(1, 1)]
    """
    if values.dtype != object:
        return values if degree == 0 else np.fft.irfft(values, n=degree + 1, axis=-1)
    differences = values.copy()  # Newton's, divided
    for k in range(1, degree + 1):
        upper = differences[..., k:] - differences[..., k - 1 : -1]
        differences[..., k:] = upper * Fraction(1, k)
    found = 0 * differences
    for k in range(degree, -1, -1):  # Horner's scheme
        shifted = np.concatenate([0 * found[..., :1], found[..., :-1]], axis=-1)
        found = shifted - k * found
        found[..., 0] = found[..., 0] + differences[..., k]
    return found
