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
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from sims.chains.choices import Blind, Bridges, Choices, Shown
from sims.chains.gaps import Gaps
from sims.chains.on_chain import Gapwise
from sims.order.fixed_batches import fixed_batches
from sims.policies import Decoder, Policy
from theory import MASK
from theory._core.arrays import log, require_memory, xlogy
from theory._core.types import Number
from theory.distributions import MarkovChain
from theory.errors import InvalidInput
from theory.lattice.lattice import quotient

__all__ = ["GapTree", "gap_tree_of"]

EMPTY, END = 0, 1
"""The numbers of the gaps without a site: between two tokens, and at the end of the sequence."""


def gap_tree_of(
    p: MarkovChain, policy: Decoder, prompt: np.ndarray | None = None
) -> "GapTree | None":
    """The tree of gaps of a decoder, or None for one that does not fall apart into gaps.

    Parameters
    ----------
    p : MarkovChain
    policy : Decoder
        One with fixed batches (see `sims.fixed_batches`), or one that says ``gapwise = True``.
    prompt : ndarray, shape (L,), optional
        A pattern that is possible; all is masked if not given.
    """
    if not isinstance(policy, Policy) or policy.randomised or policy.remasks:
        return None
    bridges = Bridges(Gaps(p))
    pattern = np.full(p.length, MASK, dtype=np.int64) if prompt is None else prompt
    given = tuple(np.flatnonzero(pattern != MASK).tolist())
    if policy.depends_on == "nothing":
        batches = fixed_batches(policy, p.length, observed=given)
        return GapTree(bridges, Blind(batches, p.length), pattern)
    if policy.gapwise and policy.observed == "one-hot":
        return GapTree(bridges, Shown(policy, bridges), pattern)
    return None


class _Node(NamedTuple):
    """Gaps of one length and stage, all closed or all open on the right, by their ends: C cells.

    After the first choice, pairs of neighbours among the known sites are the E edges of a cell,
    from left to right.
    """

    length: int
    open_right: bool
    left: np.ndarray  # (C,), the ends of the cells, V if open
    right: np.ndarray  # (C,)
    waits: np.ndarray  # (C,)
    cell: np.ndarray  # (E,)
    first: np.ndarray  # (E,), offset from the left end; 0 is the left end itself
    last: np.ndarray  # (E,), one more than the length is the right end
    child: np.ndarray  # (E,), the node of the gap between


class _Root(NamedTuple):
    """A gap before the first round: its node, the site of its left end, its ends, None if open."""

    node: int
    begin: int
    left: int
    right: int | None


class GapTree:
    """What a deterministic decoder does on a chain, gap by gap. It is computed on the host.

    Values over nodes have shape (nodes, V+1, V, ...): by the token at the left end, V if open, and
    the one at the right end. If that is open, values that multiply are split by the last token of
    the sequence, and those that add up are at 0.

    Parameters
    ----------
    bridges : Bridges
    choices : Choices
    pattern : ndarray, shape (L,)
        What is known at first.
    """

    def __init__(self, bridges: Bridges, choices: Choices, pattern: np.ndarray) -> None:
        self.bridges, self.choices, self.vocab = bridges, choices, bridges.vocab
        self._ids: dict[tuple[int, int, bool], int] = {}
        self._nodes: dict[int, _Node] = {}  # longer gaps before shorter ones
        self._open_left: dict[int, set[bool]] = {}
        self._todo: list[tuple[int, int, bool]] = []
        known = np.flatnonzero(pattern != MASK)
        ends = np.concatenate([[-1], known, [len(pattern)]]).tolist()
        tokens = np.concatenate([[self.vocab], pattern[known], [self.vocab]]).tolist()
        self.roots, self.masked = [], len(pattern) - len(known)
        for (begin, end), (left, right) in zip(pairwise(ends), pairwise(tokens), strict=True):
            if end - begin > 1:
                stage, open_right = choices.root(begin + 1), end == len(pattern)
                node = self._number(end - begin - 1, stage, open_right, {begin < 0})
                self.roots.append(_Root(node, begin, left, None if open_right else right))
        while self._todo:
            length, stage, open_right = heapq.heappop(self._todo)
            self._grow(-length, stage, open_right)

    def _number(self, length: int, stage: int, open_right: bool, open_left: set[bool]) -> int:
        """The number of the node of such gaps, which is to be grown if it is new."""
        if length == 0:
            return END if open_right else EMPTY
        key = (length, stage, open_right)
        if key not in self._ids:
            self._ids[key] = len(self._ids) + 2
            heapq.heappush(self._todo, (-length, stage, open_right))
        number = self._ids[key]
        self._open_left.setdefault(number, set()).update(open_left)
        return number

    def _grow(self, length: int, stage: int, open_right: bool) -> None:
        """Find what is revealed first in the gaps of a node."""
        number, vocab = self._ids[length, stage, open_right], self.vocab
        kinds = self._open_left[number]
        lefts = np.arange(0 if False in kinds else vocab, vocab + (True in kinds), dtype=np.int64)
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
        keys, which = np.unique(
            np.stack([last - first - 1, after, at_end], axis=1), axis=0, return_inverse=True
        )
        which, begins = which.reshape(-1), (first == 0) & (left[cell] == vocab)
        numbers = np.asarray(
            [
                self._number(n, s, bool(o), set(begins[which == k].tolist()))
                for k, (n, s, o) in enumerate(keys.tolist())
            ],
            dtype=np.int64,
        )
        self._nodes[number] = _Node(
            length, open_right, left, right, chosen.waits, cell, first, last, numbers[which]
        )

    # ---- two recursions

    def _values(self, *more: int, dtype: Any = None) -> np.ndarray:
        """Values over nodes, all 0."""
        shape = (len(self._ids) + 2, self.vocab + 1, self.vocab, *more)
        dtype = self.bridges.rows.dtype if dtype is None else dtype
        require_memory(math.prod(shape), f"values over gaps of shape {shape}")
        return np.zeros(shape, dtype=dtype)

    def _expected(
        self, values: np.ndarray, node: _Node, number: int, cost: np.ndarray, independent: bool
    ) -> None:
        """Set the values of a node to its own cost (C,) and what is expected of the new gaps."""
        total = cost + 0 * self.bridges.evidence(node.length)[node.left, node.right]
        for kind, edges in self._kinds(node):
            cell, child = node.cell[edges], node.child[edges]
            left, right = node.left[cell], np.where(node.open_right, 0, node.right[cell])
            if kind == "begins":
                inner = values[child, left]
                weights = self._drawn(node, edges, node.last)
            elif kind == "ends":
                inner = values[child, :-1, right]
                weights = self._drawn(node, edges, node.first)
            else:
                inner = values[child, :-1].reshape(len(edges), -1)
                joint = self._joint(node, edges, independent)
                weights = joint.reshape(len(edges), -1)
            np.add.at(total, cell, (weights * inner).sum(axis=1))
        if node.open_right:
            values[number, node.left, :] = total[:, None]
        else:
            values[number, node.left, node.right] = total

    def _kinds(self, node: _Node) -> Iterator[tuple[str, np.ndarray]]:
        """Edges that begin at the left end, those that end at the right end, all others."""
        begins, ends = node.first == 0, node.last > node.length
        for kind, which in (("begins", begins), ("ends", ends), ("inner", ~(begins | ends))):
            if which.any():
                yield kind, np.flatnonzero(which)

    def _drawn(self, node: _Node, edges: np.ndarray, offset: np.ndarray) -> np.ndarray:
        """Predictions at a site of each edge, (E, V)."""
        cell = node.cell[edges]
        ends = node.left[cell], node.right[cell]
        return self.bridges.marginals(node.length, *ends, offset[edges])

    def _steps(self, node: _Node, edges: np.ndarray, independent: bool) -> np.ndarray:
        """Distribution of the token at the last site of an edge given that at its first."""
        if independent:
            drawn = self._drawn(node, edges, node.last)[:, None, :]
            return np.repeat(drawn, self.vocab, axis=1)
        right = node.right[node.cell[edges]]
        return self.bridges.steps(node.length, right, node.first[edges], node.last[edges])

    def _joint(self, node: _Node, edges: np.ndarray, independent: bool = False) -> np.ndarray:
        """Joint distribution of the tokens at both sites of an edge, (E, V, V)."""
        first = self._drawn(node, edges, node.first)
        return first[:, :, None] * self._steps(node, edges, independent)

    def _multiplied(self, node: _Node, values: np.ndarray, independent: bool) -> np.ndarray:
        """Mean of the product of the values of the new gaps; (C, ...), or (C, V, ...)."""
        more = (1,) * (values.ndim - 3)
        rank = np.arange(len(node.cell)) - np.searchsorted(node.cell, node.cell)
        order = np.argsort(rank, kind="stable")
        so_far: Any = None
        found: Any = None
        for edges in np.split(order, np.cumsum(np.bincount(rank))[:-1]):
            cell, child = node.cell[edges], node.child[edges]
            if so_far is None:  # every cell has one
                drawn = self._drawn(node, edges, node.last)
                so_far = drawn.reshape(drawn.shape + more) * values[child, node.left[cell]]
                found = np.zeros_like(so_far if node.open_right else so_far[:, 0])
                continue
            ends = node.last[edges] > node.length
            inner, cells = edges[~ends], cell[~ends]
            if ends.any():
                before = so_far[cell[ends]]
                if node.open_right:
                    new = (before[:, :, None] * values[child[ends], :-1]).sum(axis=1)
                else:
                    new = before * values[child[ends], :-1, node.right[cell[ends]]]
                    new = new.sum(axis=1)
                found[cell[ends]] = new
            if len(inner):
                steps = self._steps(node, inner, independent)
                steps = steps.reshape(steps.shape + more) * values[child[~ends], :-1]
                so_far[cells] = (so_far[cells][:, :, None] * steps).sum(axis=1)
        return found

    def _set(self, values: np.ndarray, number: int, found: np.ndarray) -> None:
        """Set the values of a node that `_multiplied` has found."""
        node = self._nodes[number]
        if node.open_right:
            values[number, node.left] = found
        else:
            values[number, node.left, node.right] = found

    # ---- what is to be known

    def path_kl(self) -> Number:
        """Path KL in nats."""
        values = self._values(dtype=object if self.bridges.exact else None)
        for number, node in reversed(self._nodes.items()):
            cost = np.zeros(len(node.left), dtype=values.dtype)
            for kind, edges in self._kinds(node):
                if kind == "inner":
                    joint = self._joint(node, edges)
                    steps = self._steps(node, edges, independent=False)
                    apart = self._drawn(node, edges, node.last)[:, None, :]
                    used = joint > 0
                    ratio = quotient(np.where(used, steps, 1), np.where(used, apart, 1))
                    each = xlogy(joint, ratio).reshape(len(edges), -1).sum(axis=1)
                    np.add.at(cost, node.cell[edges], each)
            self._expected(values, node, number, cost, independent=False)
        return self._plain(sum(values[root.node, root.left, root.right or 0] for root in self.roots))

    def valid_mass(self) -> Number:
        """Probability that what is written has positive probability under the data."""
        values = self._with_empty(self._values())
        for number, node in reversed(self._nodes.items()):
            self._set(values, number, self._multiplied(node, values, independent=True))
        return self._plain(math.prod(self._of_root(values, root) for root in self.roots))

    def _with_empty(self, values: np.ndarray) -> np.ndarray:
        """Values that multiply, with those of gaps without a site: 1 if the ends can be so."""
        more = (1,) * (values.ndim - 3)
        possible = (self.bridges.rows[1] > 0).astype(np.int64)
        end = np.eye(self.vocab + 1, self.vocab, dtype=np.int64)
        for number, value in ((EMPTY, possible), (END, end)):
            values[number] = value.reshape(value.shape + more)
        return values

    def _of_root(self, values: np.ndarray, root: _Root) -> Any:
        found = values[root.node, root.left]
        return found.sum(axis=0) if root.right is None else found[root.right]

    def _plain(self, number: Any) -> Number:
        return number if self.bridges.exact else float(number)

    def rounds(self) -> Mapping[int, Number]:
        """Probability of each number of denoiser calls, on the data.

        Of floats, probabilities below 1e-14, which may be rounding, are left out.
        """
        return self._rounds(independent=False)

    def rounds_written(self) -> Mapping[int, Number]:
        """Probability of each number of denoiser calls as tokens are drawn.

        Raises
        ------
        InvalidInput
            If something impossible may be written: after that, predictions are not those of gaps.
        """
        if not (self.bridges.powers[1] > 0).all():
            raise InvalidInput(
                "the chain has transitions of probability 0, and after something impossible is "
                "written a decoder does not go on gap by gap: only rounds on the data are computed"
            )
        return self._rounds(independent=True)

    def _rounds(self, independent: bool) -> Mapping[int, Number]:
        one = self.bridges.evidence(1)[-1, -1]
        if self.choices.rounds is not None:
            return {self.choices.rounds: one}
        deepest, most = self._bounds()
        depth = int(deepest.max())
        waits = sum(int(self._of_cell(most, root).max()) for root in self.roots)
        points = _points(waits, self.bridges.exact)
        parts = []
        step = max(1, CHUNK // (self._values(dtype=bool).size * (depth + 1)))
        for begin in range(0, len(points), step):
            values = self._depths(points[begin : begin + step], deepest, depth, independent)
            parts.append(math.prod(self._of_root(values, root) for root in self.roots))
        found = _coefficients(np.concatenate(parts, axis=1), points, waits)
        found[1:] = found[1:] - found[:-1]
        total = np.zeros(depth + waits + 1, dtype=found.dtype)
        for d in range(depth + 1):
            total[d : d + waits + 1] = total[d : d + waits + 1] + found[d]
        least = 0 if self.bridges.exact else SMALL
        return {t: self._plain(q) for t, q in enumerate(total) if q > least}

    def expected_rounds(self) -> Number:
        """Mean number of denoiser calls on the data, without their distribution."""
        return self.choices.rounds or 0

    def _of_cell(self, values: np.ndarray, root: _Root) -> np.ndarray:
        found = values[root.node, root.left]
        return found if root.right is None else found[root.right]

    def _bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Bounds on D and on what gaps that wait add, for every cell: whatever the tokens are."""
        deepest, most = self._values(dtype=np.int64), self._values(dtype=np.int64)
        for number, node in reversed(self._nodes.items()):
            bounds = np.zeros((2, len(node.left)), dtype=np.int64)
            for kind, edges in self._kinds(node):
                cell, child = node.cell[edges], node.child[edges]
                left, right = node.left[cell], np.where(node.open_right, 0, node.right[cell])
                for values, bound, ufunc in zip(
                    (deepest, most), bounds, (np.maximum, np.add), strict=True
                ):
                    if kind == "begins":
                        inner = values[child, left].max(axis=1)
                    elif kind == "ends":
                        inner = values[child, :-1, right].max(axis=1)
                    else:
                        inner = values[child, :-1].max(axis=(1, 2))
                    ufunc.at(bound, cell, inner)
            depth, total = bounds
            right = slice(None) if node.open_right else node.right
            added = np.stack([np.where(node.waits, 0, 1 + depth), total + node.waits * (1 + depth)])
            for values, bound in zip((deepest, most), added, strict=True):
                if node.open_right:
                    values[number, node.left] = bound[:, None]
                else:
                    values[number, node.left, node.right] = bound
        return deepest, most

    def _depths(
        self, points: np.ndarray, deepest: np.ndarray, depth: int, independent: bool
    ) -> np.ndarray:
        """``E[z^N; D <= d]`` in every cell, N being what gaps that wait add; (..., depth+1, Z)."""
        values = self._values(depth + 1, len(points), dtype=points.dtype)
        values = self._with_empty(values)
        for number, node in reversed(self._nodes.items()):
            within = int(deepest[node.child].max()) + 1
            found = self._multiplied(node, values[..., :within, :], independent)
            found = np.concatenate(
                [found, np.repeat(found[..., -1:, :], depth + 1 - within, axis=-2)], axis=-2
            )
            moved = np.concatenate([0 * found[..., :1, :], found[..., :-1, :]], axis=-2)
            exponents = np.arange(1, depth + 2, dtype=np.int64)[:, None]
            waited = ((found - moved) * points**exponents).sum(axis=-2, keepdims=True)
            waits = node.waits.reshape((-1,) + (1,) * (found.ndim - 1))
            self._set(values, number, np.where(waits, waited, moved))
        return values


CHUNK = 2**23
"""Numbers that are held at once, about."""

SMALL = 1e-14


def _points(degree: int, exact: bool) -> np.ndarray:
    """Where a polynomial of this degree with real coefficients is evaluated to find them."""
    if exact:
        return np.asarray([Fraction(k) for k in range(degree + 1)], dtype=object)
    if degree == 0:
        return np.ones(1)
    return np.exp(-2j * np.pi * np.arange((degree + 1) // 2 + 1) / (degree + 1))


def _coefficients(values: np.ndarray, points: np.ndarray, degree: int) -> np.ndarray:
    """The coefficients of polynomials (D, degree+1) of values (D, Z) at the points."""
    if points.dtype != object:
        return values if degree == 0 else np.fft.irfft(values, n=degree + 1, axis=1)
    # Newton's divided differences, then Horner's scheme
    differences = values.copy()
    for k in range(1, degree + 1):
        differences[:, k:] = (differences[:, k:] - differences[:, k - 1 : -1]) / k
    found = np.zeros_like(differences)
    for k in range(degree, -1, -1):
        shifted = np.concatenate([0 * found[:, :1], found[:, :-1]], axis=1)
        found = shifted - points[k] * found
        found[:, 0] = found[:, 0] + differences[:, k]
    return found
