"""What a deterministic decoder reveals first in a gap: which sites, and whether it has to wait.

A gap has n masked sites 1..n, and is shown to the decoder in a short sequence of its own: between
its two ends, beside another gap of one site whose token is certain. A gap *waits* if nothing is
revealed in it as long as the other gap has a site to reveal; what is revealed once nothing else is
left (the *floor*, such as the most confident site) is what is revealed in the gap alone.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from sims.chains.gaps import Gaps
from sims.policies import Policy
from sims.policies.checks import check_choice, row_probabilities
from theory import MASK
from theory._core.arrays import to_host
from theory._core.plurals import counted
from theory._core.types import Array
from theory.errors import InvalidInput
from theory.lattice.lattice import quotient

__all__ = ["Blind", "Bridges", "Choices", "Chosen", "Shown"]

CHECKED = 8
"""Up to this length, gaps are shown side by side, too."""

MOST = 64
"""Pairs of gaps of one length that are shown at most."""


class Bridges:
    """The chain between two ends, on the host: see `Gaps` for the tables."""

    def __init__(self, gaps: Gaps) -> None:
        self.rows, self.columns, self.powers = map(to_host, (gaps.rows, gaps.columns, gaps.powers))
        self.p, self.vocab, self.exact = gaps.p, gaps.vocab, gaps.exact

    def probability(
        self, length: Array, left: Array, right: Array, site: Array, token: Array
    ) -> Array:
        """Predictions of a token each, in gaps of different lengths; the ends are possible."""
        future = self.columns[length + 1 - site, token, right]
        total = np.where(right < self.vocab, self.rows[length + 1, left, right % self.vocab], 1)
        return quotient(self.rows[site, left, token] * future, total)

    def evidence(self, length: int) -> Array:
        """As `Gaps.evidence`."""
        across = self.rows[length + 1]
        return np.concatenate([across, np.ones_like(across[:, :1])], axis=1)

    def marginals(self, length: int, left: Array, right: Array, site: Array) -> Array:
        """Predictions at sites of gaps with these ends, (..., V); every end is a possible one."""
        past = self.rows[site, left]
        future = self.columns[length + 1 - site, :, right]
        return quotient(past * future, self.evidence(length)[left, right][..., None])

    def steps(self, length: int, right: Array, first: Array, last: Array) -> Array:
        """Distribution of the token at `last` given that at `first` and the right end, (E, V, V).

        0 where the token at `first` is impossible.
        """
        future = self.columns[length + 1 - last, :, right][:, None, :]
        total = self.columns[length + 1 - first, :, right][:, :, None]
        weights = self.powers[last - first] * future
        return np.where(total > 0, quotient(weights, np.where(total > 0, total, 1)), 0 * weights)


class Chosen(NamedTuple):
    """What is revealed first in gaps of one length, by their ends.

    Attributes
    ----------
    reveal : array of bool, shape (C, n)
    waits : array of bool, shape (C,)
    """

    reveal: np.ndarray
    waits: np.ndarray


class Choices(Protocol):
    """What a decoder does in gaps, by their length, their *stage* and their ends."""

    def chosen(self, length: int, stage: int, left: np.ndarray, right: np.ndarray) -> Chosen:
        """What is revealed first in the gap."""
        ...

    def after(self, stage: int, offset: np.ndarray) -> np.ndarray:
        """The stages of the gaps that then follow `offset` sites after the left end, (E,)."""
        ...


class Blind:
    """A fixed order. The stage of a gap is where in the sequence it begins.

    Parameters
    ----------
    batches : sequence of sequences of int
        See `sims.fixed_batches`.
    length : int
    """

    def __init__(self, batches: Sequence[Sequence[int]], length: int) -> None:
        self._round = np.zeros(length, dtype=np.int64)
        for index, sites in enumerate(batches):
            self._round[list(sites)] = index

    def chosen(self, length: int, stage: int, left: np.ndarray, right: np.ndarray) -> Chosen:
        """The sites whose round comes first."""
        inside = self._round[stage : stage + length]
        reveal = np.broadcast_to(inside == inside.min(), (len(left), length))
        return Chosen(reveal, np.zeros(len(left), dtype=bool))

    def after(self, stage: int, offset: np.ndarray) -> np.ndarray:
        """Where the gap begins."""
        return stage + offset


class Shown:
    """What a policy reveals that chooses gap by gap. The stage is the round, if it has a clock.

    Parameters
    ----------
    policy : Policy
        One that says ``gapwise = True``.
    bridges : Bridges
    """

    def __init__(self, policy: Policy, bridges: Bridges) -> None:
        self.policy, self.bridges, self.clock = policy, bridges, policy.steps is not None

    def chosen(self, length: int, stage: int, left: np.ndarray, right: np.ndarray) -> Chosen:
        """Ask the policy about every gap alone, and beside one whose token is certain."""
        reveal = np.zeros((len(left), length), dtype=bool)
        waits = np.zeros(len(left), dtype=bool)
        end = self.bridges.vocab
        for kind in np.unique((left == end) + 2 * (right == end)).tolist():
            here = ((left == end) + 2 * (right == end)) == kind
            gap = self._gap(length, left[here], right[here])
            (reveal[here],) = self._ask([gap], stage)
            if kind == 3 or self.clock:  # nothing is beside it, or nothing waits
                continue
            if kind == 2:
                other, beside = self._ask([_certain(gap.left, end), gap], stage)
            else:
                beside, other = self._ask([gap, _certain(gap.right, end)], stage)
            moves = beside.any(axis=1) & other.any(axis=1)
            self._agree(beside[moves], reveal[here][moves], length)
            waits[here] = ~moves
            if kind == 0 and length <= CHECKED:
                self._check_pairs(gap, Chosen(reveal[here], waits[here]), stage)
        return Chosen(reveal, waits)

    def after(self, stage: int, offset: np.ndarray) -> np.ndarray:
        """The next round of a clock."""
        return np.full_like(offset, stage + 1 if self.clock else 0)

    def _gap(self, length: int, left: np.ndarray, right: np.ndarray) -> "_Gap":
        site = np.arange(1, length + 1, dtype=np.int64)
        ends = left[:, None], right[:, None]
        return _Gap(left, right, self.bridges.marginals(length, *ends, site))

    def _ask(self, gaps: list["_Gap"], round_index: int) -> list[np.ndarray]:
        """What is revealed in gaps side by side, (C, n) each."""
        end, kind = self.bridges.vocab, gaps[0].predictions.dtype
        one_hot = np.eye(end + 1, end, dtype=np.int64).astype(kind)
        x, predictions, places = [], [], []
        if gaps[0].left[0] < end:
            x.append(gaps[0].left[:, None])
            predictions.append(one_hot[gaps[0].left][:, None])
        for gap in gaps:
            begin, length = sum(part.shape[1] for part in x), gap.predictions.shape[1]
            places.append(slice(begin, begin + length))
            x.append(np.full((len(gap.left), length), MASK, dtype=np.int64))
            predictions.append(gap.predictions)
            if gap.right[0] < end:
                x.append(gap.right[:, None])
                predictions.append(one_hot[gap.right][:, None])
        rows = np.concatenate(x, axis=1)
        shown = np.concatenate(predictions, axis=1)
        ((probability, reveal),) = self.policy.reveal_distribution(rows, shown, round_index)
        check_choice(self.policy, rows, reveal, row_probabilities(probability, rows) != 0)
        return [reveal[:, place] for place in places]

    def _check_pairs(self, gap: "_Gap", alone: Chosen, stage: int) -> None:
        """Refuse a policy whose choice in a gap depends on what is beside it, or on the round."""
        one, two = np.nonzero(gap.right[:, None] == gap.left[None, :])
        one, two = one[:MOST], two[:MOST]
        found = self._ask([gap.of(one), gap.of(two)], stage + 1)
        waits = alone.waits[one], alone.waits[two]
        both = waits[0] & waits[1]
        some = [reveal.any(axis=1) for reveal in found]
        if (both & some[0] & some[1]).any():
            self._refuse(gap.predictions.shape[1])
        for which, index in enumerate((one, two)):
            moves = ~waits[which] | (both & some[which])
            expected = alone.reveal[index] & moves[:, None]
            self._agree(found[which], expected, gap.predictions.shape[1])

    def _agree(self, found: np.ndarray, expected: np.ndarray, length: int) -> None:
        if (found != expected).any():
            self._refuse(length)

    def _refuse(self, length: int) -> None:
        raise InvalidInput(
            f"{self.policy!r} is said to choose gap by gap, but what it reveals in a gap of "
            f"{counted(length, 'site')} depends on what is beside it, or on the round"
        )


class _Gap(NamedTuple):
    """Gaps of one length: their ends (C,), the predictions in them (C, n, V)."""

    left: np.ndarray
    right: np.ndarray
    predictions: np.ndarray

    def of(self, index: np.ndarray) -> "_Gap":
        return _Gap(*(part[index] for part in self))


def _certain(end: np.ndarray, vocab: int) -> _Gap:
    """Gaps of one site whose token is certain, between equal ends."""
    sure = np.arange(vocab) == np.zeros((len(end), 1, 1), dtype=np.int64)
    return _Gap(end, end, sure.astype(np.int64))
