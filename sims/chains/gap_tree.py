"""Deterministic decoders of a chain, followed through the tree of gaps that they make.

A decoder whose choice in a gap depends on that gap alone reveals some sites of the gap, which
leaves smaller gaps between them. So all that it does is a tree of gaps, and

- the path KL is, in every gap, the total correlation of the sites that are revealed given its ends,
  and what is expected of the new gaps, with tokens as the data have them,
- the probability to write something possible is the mean of the product over the new gaps, with
  tokens drawn independently, and 0 where two neighbours cannot stand side by side.

In a chain ``TC(X_S | ends) = sum_k I(X_{s_k}; X_{s_{k+1}} | ends)``, one term for each pair of
neighbours in S, and both recursions run over pairs of neighbours [ours].

*Waiting.* `Threshold` reveals in a gap all sites above gamma. A gap without any waits until there
are none in any gap; then the most confident site of all is revealed, of equal ones the lowest. It
is the most confident of its own gap, too, and of equal ones there the lowest. While a gap waits its
ends stay, and so do its predictions. So *which* sites a gap reveals first depends on its length and
ends alone, and what is written does not depend on when. The number of rounds does [ours]: only
what comes out of the last gap that waited still moves, hence

    rounds = D(root) + sum over gaps g that wait of (1 + D(what is left of g)),

D being the number of rounds until all that is left waits: 0 for a gap that waits or is empty, else
one more than the largest of the new gaps; of several gaps the largest.
"""

import heapq
import math
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from sims.chains.choices import Bridges, Choices
from theory._core.arrays import log, require_memory, xlogy
from theory.lattice.lattice import quotient

__all__ = ["GapTree", "Kind", "Node"]

AT_ONCE = 2**20
"""Numbers of a table that are worked on at once."""

EMPTY, END = 0, 1
"""The numbers of the gaps without a site: between two tokens, and at the end of the sequence."""


class Kind(NamedTuple):
    """Gaps of one length and stage, all closed or all open on the right."""

    length: int
    stage: int
    open_right: bool


class Node(NamedTuple):
    """The gaps of a kind by their ends: C cells.

    After the first choice, pairs of neighbours among the known sites are the E edges of a cell,
    from left to right.

    Attributes
    ----------
    number : int
    length : int
    open_right : bool
    left, right : array of int64, shape (C,)
        The ends of the cells, V if open.
    waits : array of bool, shape (C,)
    cell : array of int64, shape (E,)
    first, last : array of int64, shape (E,)
        Offsets from the left end, which is 0; one more than the length is the right end.
    child : array of int64, shape (E,)
        The number of the node of the gap between.
    """

    number: int
    length: int
    open_right: bool
    left: np.ndarray
    right: np.ndarray
    waits: np.ndarray
    cell: np.ndarray
    first: np.ndarray
    last: np.ndarray
    child: np.ndarray

    def edges(self, most: int) -> Iterator[tuple[str, np.ndarray]]:
        """Those that begin at the left end, those that end at the right end, all others, by parts.

        Parameters
        ----------
        most : int
            Size of a part.
        """
        begins, ends = self.first == 0, self.last > self.length
        for which, some in (("begins", begins), ("ends", ends), ("inner", ~(begins | ends))):
            found = np.flatnonzero(some)
            for start in range(0, len(found), most):
                yield which, found[start : start + most]


class GapTree:
    """What a deterministic decoder does on a chain, gap by gap. It is computed on the host.

    Values over nodes have shape (nodes, V+1, V, ...): by the token at the left end, V if open, and
    the one at the right end. If that is open, values that multiply are split by the last token of
    the gap, and those that add up are the same for all.

    Parameters
    ----------
    bridges : Bridges
    choices : Choices
    roots : iterable of (Kind, set of bool)
        The gaps before the first round, and whether their left ends are open.
    """

    def __init__(
        self, bridges: Bridges, choices: Choices, roots: Iterable[tuple[Kind, set[bool]]]
    ) -> None:
        self.bridges, self.choices, self.vocab = bridges, choices, bridges.vocab
        self._most = max(1, AT_ONCE // bridges.vocab**2)
        self._numbers: dict[Kind, int] = {}
        self._open_left: dict[int, set[bool]] = {}
        self._todo: list[tuple[int, Kind]] = []
        self.nodes: list[Node] = []  # shorter gaps before longer ones
        for kind, open_left in roots:
            self._number(kind, open_left)
        while self._todo:
            self._grow(heapq.heappop(self._todo)[1])
        self.nodes.reverse()

    def number(self, kind: Kind) -> int:
        """The number of the node of such gaps."""
        if kind.length == 0:
            return END if kind.open_right else EMPTY
        return self._numbers[kind]

    def _number(self, kind: Kind, open_left: set[bool]) -> int:
        """The number of a node, which is to be grown if it is new."""
        if kind.length and kind not in self._numbers:
            self._numbers[kind] = len(self._numbers) + 2
            heapq.heappush(self._todo, (-kind.length, kind))
        number = self.number(kind)
        self._open_left.setdefault(number, set()).update(open_left)
        return number

    def _grow(self, kind: Kind) -> None:
        """Find what is revealed first in the gaps of a node; longer ones come before shorter."""
        number, vocab, (length, stage, open_right) = self._numbers[kind], self.vocab, kind
        opens = self._open_left[number]
        lefts = np.arange(0 if False in opens else vocab, vocab + (True in opens), dtype=np.int64)
        rights = np.arange(vocab * open_right, vocab + open_right, dtype=np.int64)
        left, right = (ends.reshape(-1) for ends in np.meshgrid(lefts, rights, indexing="ij"))
        possible = self.bridges.evidence(length)[left, right] > 0
        left, right = left[possible], right[possible]
        chosen = self.choices.chosen(length, stage, left, right)
        known = np.pad(chosen.reveal, ((0, 0), (1, 1)), constant_values=True)
        cell, offset = np.nonzero(known)
        neighbours = cell[1:] == cell[:-1]
        cell, first, last = cell[1:][neighbours], offset[:-1][neighbours], offset[1:][neighbours]
        after, at_end = self.choices.after(stage, first), (last > length) & open_right
        kinds, which = np.unique(
            np.stack([last - first - 1, after, at_end], axis=1), axis=0, return_inverse=True
        )
        which, begins = which.reshape(-1), (first == 0) & (left[cell] == vocab)
        numbers = [
            self._number(Kind(n, s, bool(o)), set(begins[which == k].tolist()))
            for k, (n, s, o) in enumerate(kinds.tolist())
        ]
        child = np.asarray(numbers, dtype=np.int64)[which]
        waits = chosen.waits
        node = Node(number, length, open_right, left, right, waits, cell, first, last, child)
        self.nodes.append(node)

    # ---- values over nodes

    def values(self, *more: int, dtype: Any = None) -> np.ndarray:
        """Values over nodes, all 0."""
        shape = (len(self._numbers) + 2, self.vocab + 1, self.vocab, *more)
        require_memory(math.prod(shape), f"values over gaps of shape {shape}")
        return np.zeros(shape, dtype=self.bridges.rows.dtype if dtype is None else dtype)

    def factors(self, *more: int, dtype: Any = None) -> np.ndarray:
        """Values that multiply, of gaps without a site: 1 if these can be between their ends."""
        values, axes = self.values(*more, dtype=dtype), (1,) * len(more)
        possible = (self.bridges.rows[1] > 0).astype(np.int64)
        end = np.eye(self.vocab + 1, self.vocab, dtype=np.int64)
        for number, value in ((EMPTY, possible), (END, end)):
            values[number] = value.reshape(value.shape + axes)
        return values

    def put(self, values: np.ndarray, node: Node, found: np.ndarray) -> None:
        """Set the values of a node, (C, ...), or (C, V, ...) if it is open on the right."""
        if node.open_right:
            values[node.number, node.left] = found
        else:
            values[node.number, node.left, node.right] = found

    def multiplied(self, node: Node, values: np.ndarray, on_data: bool) -> np.ndarray:
        """Mean of the product of the values of the new gaps, as `put` takes them.

        With tokens as the data have them, or drawn independently.
        """
        axes = (1,) * (values.ndim - 3)
        place = np.arange(len(node.cell), dtype=np.int64)
        rank = place - np.searchsorted(node.cell, node.cell)
        order = np.argsort(rank, kind="stable")
        so_far: Any = None  # by the token at the last site that has been passed
        found: Any = None
        for edges in np.split(order, np.cumsum(np.bincount(rank))[:-1]):
            cell, child = node.cell[edges], node.child[edges]
            if so_far is None:  # every cell begins
                drawn = self._drawn(node, edges, node.last)
                so_far = drawn.reshape(drawn.shape + axes) * values[child, node.left[cell]]
                found = np.zeros_like(so_far if node.open_right else so_far[:, 0])
                continue
            ends = node.last[edges] > node.length
            if ends.any():
                before, after = so_far[cell[ends]], values[child[ends], :-1]
                if node.open_right:
                    found[cell[ends]] = (before[:, :, None] * after).sum(axis=1)
                else:
                    right = node.right[cell[ends]]
                    after = after[np.arange(len(right)), :, right]
                    found[cell[ends]] = (before * after).sum(axis=1)
            if not ends.all():
                steps = self._steps(node, edges[~ends], on_data)
                steps = steps.reshape(steps.shape + axes) * values[child[~ends], :-1]
                inner = cell[~ends]
                so_far[inner] = (so_far[inner][:, :, None] * steps).sum(axis=1)
        return found

    def inside(
        self, node: Node, values: np.ndarray, on_data: bool
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Edges, probabilities of the tokens at their ends, and the values between, (E, ...)."""
        for which, edges in node.edges(self._most):
            cell, child = node.cell[edges], node.child[edges]
            if which == "begins":
                yield edges, self._drawn(node, edges, node.last), values[child, node.left[cell]]
            elif which == "ends":
                right = np.where(node.open_right, 0, node.right[cell])
                drawn = self._drawn(node, edges, node.first)
                yield edges, drawn, values[child, :-1, right]
            else:
                shape, joint = (len(edges), -1), self._joint(node, edges, on_data)
                yield edges, joint.reshape(shape), values[child, :-1].reshape(shape)

    def put_sum(self, values: np.ndarray, node: Node, found: np.ndarray) -> None:
        """Set the values of a node, (C,), the same for all last tokens."""
        self.put(values, node, found[:, None] if node.open_right else found)

    def _drawn(self, node: Node, edges: np.ndarray, offset: np.ndarray) -> np.ndarray:
        """Predictions at a site of each edge, (E, V)."""
        cell = node.cell[edges]
        ends = node.left[cell], node.right[cell]
        return self.bridges.marginals(node.length, *ends, offset[edges])

    def _steps(self, node: Node, edges: np.ndarray, on_data: bool) -> np.ndarray:
        """Distribution of the token at the last site of an edge given that at its first."""
        if not on_data:
            drawn = self._drawn(node, edges, node.last)[:, None, :]
            return np.repeat(drawn, self.vocab, axis=1)
        right = node.right[node.cell[edges]]
        return self.bridges.steps(node.length, right, node.first[edges], node.last[edges])

    def _joint(self, node: Node, edges: np.ndarray, on_data: bool) -> np.ndarray:
        """Joint distribution of the tokens at both sites of an edge, (E, V, V)."""
        first = self._drawn(node, edges, node.first)
        return first[:, :, None] * self._steps(node, edges, on_data)

    # ---- what is written

    def path_kl(self) -> np.ndarray:
        """Path KL in nats, values that add up."""
        values = self.values()
        for node in self.nodes:
            cost = 0 * self.bridges.evidence(node.length)[node.left, node.right]
            for edges, weights, inner in self.inside(node, values, on_data=True):
                np.add.at(cost, node.cell[edges], (weights * inner).sum(axis=1))
            for which, edges in node.edges(self._most):
                if which == "inner":
                    joint = self._joint(node, edges, on_data=True)
                    apart = self._drawn(node, edges, node.last)[:, None, :]
                    used, steps = joint > 0, self._steps(node, edges, on_data=True)
                    ratio = quotient(np.where(used, steps, 1), np.where(used, apart, 1))
                    each = xlogy(joint, ratio).reshape(len(edges), -1).sum(axis=1)
                    np.add.at(cost, node.cell[edges], each)
            self.put_sum(values, node, cost)
        return values

    def valid_mass(self) -> np.ndarray:
        """Probability that what is written is possible, values that multiply."""
        values = self.factors()
        for node in self.nodes:
            self.put(values, node, self.multiplied(node, values, on_data=False))
        return values

    def log_probability(
        self, tokens: np.ndarray, row: np.ndarray, begin: np.ndarray, node: np.ndarray
    ) -> np.ndarray:
        """Log probability that sequences are written, (N,).

        Parameters
        ----------
        tokens : array of int64, shape (N, m)
            With the ends of all gaps; V where one is open. Possible.
        row, begin, node : array of int64, shape (G,)
            Of all gaps before the first round: the sequence, where in it the left end is, the
            number of the node.
        """
        bridges = self.bridges
        found = np.zeros(len(tokens), dtype=bridges.rows.dtype)
        if not self.nodes:
            return found
        lengths = np.zeros(len(self._numbers) + 2, dtype=np.int64)
        opens = np.arange(len(lengths)) == END
        begins, counts = (self.values(dtype=np.int64) for _ in range(2))
        so_far = 0
        for some in self.nodes:
            lengths[some.number], opens[some.number] = some.length, some.open_right
            where = np.searchsorted(some.cell, np.arange(len(some.left) + 1))
            self.put_sum(begins, some, so_far + where[:-1])
            self.put_sum(counts, some, np.diff(where))
            so_far += len(some.cell)
        first, last, child = (
            np.concatenate([getattr(some, name) for some in self.nodes])
            for name in ("first", "last", "child")
        )
        while len(row):
            length, open_right = lengths[node], opens[node]
            left = tokens[row, begin]
            right = tokens[row, begin + length + 1]
            column = np.where(open_right, 0, right)
            number = counts[node, left, column]
            gap = np.repeat(np.arange(len(row)), number)
            edge = np.arange(len(gap), dtype=np.int64)
            edge = edge - np.repeat(np.cumsum(number) - number, number)
            edge = edge + begins[node, left, column][gap]
            inner = last[edge] <= length[gap]
            of, site = gap[inner], last[edge[inner]]
            drawn = bridges.probability(
                length[of], left[of], right[of], site, tokens[row[of], begin[of] + site]
            )
            np.add.at(found, row[of], log(drawn))
            go_on = lengths[child[edge]] > 0
            gap, edge = gap[go_on], edge[go_on]
            row, begin, node = row[gap], begin[gap] + first[edge], child[edge]
        return found
