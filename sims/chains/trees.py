"""Deterministic decoders that fall apart into gaps: fixed orders, and those that say so."""

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from sims.chains.choices import Blind, Bridges, Shown
from sims.chains.gap_tree import GapTree, Kind
from sims.chains.gaps import Gaps
from sims.chains.in_gaps import Gap, gaps_of
from sims.chains.tree_rounds import Rounds
from sims.policies import Policy
from theory._core.arrays import from_host, to_host
from theory._core.types import Array, Number
from theory.errors import InvalidInput

__all__ = ["FixedOrderInGaps", "InTree"]


class InTree:
    """What a decoder that says ``gapwise = True`` does in a gap, by its ends (see `InGaps`).

    It is computed on the host.

    Parameters
    ----------
    gaps : Gaps
    policy : Policy
        One that is not randomised and never remasks.

    Raises
    ------
    InvalidInput
        If it is found that the policy does not choose gap by gap.

    Examples
    --------
    A bit that flips with probability 1/4, two sites between known ones. Between equal bits both
    are equal to them with probability 30/36, so that they are revealed at once; between different
    ones with 18/28, so that one waits for the other:

    >>> from sims.policies import Threshold
    >>> from theory import gallery
    >>> bit = InTree(Gaps(gallery.binary_symmetric(4, 0.25)), Threshold(0.8))
    >>> [bit.rounds([Gap(1, 2, 0, b)], True).tolist() for b in (0, 1)]
    [[0.0, 1.0], [0.0, 0.0, 1.0]]
    """

    def __init__(self, gaps: Gaps, policy: Policy) -> None:
        self.gaps, self.bridges = gaps, Bridges(gaps)
        self.choices = Shown(policy, self.bridges)
        self._trees: dict[tuple[int, ...], GapTree] = {}
        self._known: dict[int, np.ndarray] = {}

    def _tree(self, *lengths: int) -> GapTree:
        """The tree of gaps of these lengths with all ends."""
        key = tuple(sorted(set(lengths)))
        if key not in self._trees:
            kinds = [Kind(n, 0, open_right) for n in key for open_right in (False, True)]
            roots = [(kind, {False, True}) for kind in kinds]
            self._trees[key] = GapTree(self.bridges, self.choices, roots)
        return self._trees[key]

    def _of_ends(self, values: np.ndarray, tree: GapTree, length: int) -> tuple[np.ndarray, ...]:
        """Values of the gaps of a length: closed on the right, and open by the last token."""
        numbers = (tree.number(Kind(length, 0, open_right)) for open_right in (False, True))
        closed, by_last = (values[number] for number in numbers)
        return closed, by_last

    def path_kl(self, length: int) -> Array:
        """Path KL in nats within a gap, (V+1, V+1); 0 between impossible ends."""
        tree = self._tree(length)
        closed, open_right = self._of_ends(tree.path_kl(), tree, length)
        found = np.concatenate([closed, open_right[:, :1]], axis=1)
        return from_host(found, self.gaps.like)

    def _valid(self, length: int) -> tuple[np.ndarray, ...]:
        tree = self._tree(length)
        if length not in self._known:
            self._known[length] = tree.valid_mass()
        return self._of_ends(self._known[length], tree, length)

    def valid_mass(self, length: int) -> Array:
        """Probability that a gap is written as the data have it, (V+1, V+1); 0 if they cannot."""
        closed, by_last = self._valid(length)
        found = np.concatenate([closed, by_last.sum(axis=1, keepdims=True)], axis=1)
        return from_host(found, self.gaps.like)

    def valid_by_last(self, length: int) -> Array:
        """The same of a gap that is open on the right, by the token at its last site, (V+1, V)."""
        return from_host(self._valid(length)[1], self.gaps.like)

    def log_probability(self, x: Array, left: Array, right: Array) -> Array:
        """Log probability that a gap is written as x, (N, n), between the ends (N,); (N,)."""
        x, left, right = map(to_host, (x, left, right))
        length = x.shape[1]
        tree = self._tree(length)
        numbers = [tree.number(Kind(length, 0, open_right)) for open_right in (False, True)]
        node = np.where(right == self.gaps.vocab, numbers[1], numbers[0])
        tokens = np.concatenate([left[:, None], x, right[:, None]], axis=1)
        row = np.arange(len(x), dtype=np.int64)
        found = tree.log_probability(tokens, row, np.zeros_like(row), node)
        return from_host(found, self.gaps.like)

    def rounds(self, gaps: Sequence[Gap], on_data: bool) -> Array:
        """Probability of 0, 1, ... rounds in which all these gaps are filled, on the host.

        With tokens as the data have them, or as they are drawn. Of floats, probabilities below
        1e-14, which may be rounding, are 0. Where gaps wait and others go on for long, L sites take
        up to some ``L^3 V^4`` products.

        Raises
        ------
        InvalidInput
            If tokens are drawn and what is written may be impossible: predictions are then not
            those of gaps.
        """
        tree = self._tree(*(gap.length for gap in gaps))
        rounds = self._rounds(tree, on_data)

        def roots(values: np.ndarray) -> np.ndarray:
            found = []
            for gap in gaps:
                closed, by_last = self._of_ends(values, tree, gap.length)
                ends = by_last[gap.left].sum(axis=0)
                found.append(ends if gap.right == self.gaps.vocab else closed[gap.left, gap.right])
            return math.prod(found[1:], start=found[0])

        most = sum(
            int(max(part.max() for part in self._of_ends(rounds.most, tree, gap.length)))
            for gap in gaps
        )
        return np.trim_zeros(rounds.probabilities(roots, most), "b")

    def rounds_by_last(self, length: int, on_data: bool) -> Array:
        """The same of one gap that is open on the right, with its last token, (V+1, V, R+1)."""
        tree = self._tree(length)
        rounds = self._rounds(tree, on_data)
        return rounds.probabilities(lambda values: self._of_ends(values, tree, length)[1])

    def _rounds(self, tree: GapTree, on_data: bool) -> Rounds:
        if not on_data and not (self.bridges.powers[1] > 0).all():
            raise InvalidInput(
                "the chain has transitions of probability 0: once something impossible is written, "
                "a decoder does not go on gap by gap, and only its rounds on the data are known"
            )
        return Rounds(tree, on_data)


class FixedOrderInGaps:
    """What is written in a fixed order (see `Gapwise`). It is computed on the host.

    Parameters
    ----------
    gaps : Gaps
    batches : sequence of sequences of int
        See `sims.fixed_batches`.
    pattern : ndarray, shape (L,)
        What is given.

    >>> from theory import gallery
    >>> pairs = FixedOrderInGaps(
    ...     Gaps(gallery.golden_mean_chain(2)), [(0, 1)], np.full(2, -1, dtype=np.int64)
    ... )
    >>> round(pairs.valid_mass(), 6)                # no two ones, each with probability 0.2764
    0.923607
    """

    def __init__(self, gaps: Gaps, batches: Sequence[Sequence[int]], pattern: np.ndarray) -> None:
        self.bridges, self.pattern = Bridges(gaps), pattern
        self.batches, end = batches, gaps.vocab
        self.roots = gaps_of(pattern, end)
        kinds = [Kind(gap.length, gap.start, gap.right == end) for gap in self.roots]
        opens = [{gap.left == end} for gap in self.roots]
        choices = Blind(batches, len(pattern))
        self.tree = GapTree(self.bridges, choices, zip(kinds, opens, strict=True))
        self._numbers = [self.tree.number(kind) for kind in kinds]

    def path_kl(self) -> Number:
        """Path KL in nats."""
        values = self.tree.path_kl()
        return self._plain(sum(np.atleast_1d(row)[0] for row in self._of_roots(values)))

    def valid_mass(self) -> Number:
        """Probability that what is written has positive probability under the data."""
        return self._plain(math.prod(np.sum(row) for row in self._of_roots(self.tree.valid_mass())))

    def _of_roots(self, values: np.ndarray) -> list[np.ndarray]:
        """The value of each gap, of one that is open on the right by the last token."""
        end = self.bridges.vocab
        return [
            values[number, gap.left, slice(None) if gap.right == end else gap.right]
            for number, gap in zip(self._numbers, self.roots, strict=True)
        ]

    def log_probability(self, x: np.ndarray) -> np.ndarray:
        """Log probability that x, (N, L), is written; possible sequences that agree."""
        ends = np.full((len(x), 1), self.bridges.vocab, dtype=np.int64)
        tokens = np.concatenate([ends, x, ends], axis=1)
        count = len(self.roots)
        row = np.repeat(np.arange(len(x), dtype=np.int64), count)
        begin = np.tile(np.asarray([gap.start for gap in self.roots], dtype=np.int64), len(x))
        node = np.tile(np.asarray(self._numbers, dtype=np.int64), len(x))
        return self.tree.log_probability(tokens, row, begin, node)

    def rounds(self) -> Mapping[int, Number]:
        """Probability of each number of denoiser calls: they are the same for all sequences."""
        return {len(self.batches): self._plain(Fraction(1))}

    rounds_written = rounds

    def _plain(self, number: Any) -> Number:
        return number if self.bridges.exact else float(number)
