"""What a deterministic decoder reveals first in a gap: which sites, and whether it has to wait.

A gap has n masked sites 1..n, and is shown to the decoder in a short sequence of its own, between
its two ends. If of two such gaps side by side only one reveals anything, each *waits* as long as
there is something to reveal elsewhere; once there is not (the *floor*, such as the most confident
site), what is revealed is what is revealed in the gap alone.
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
"""Up to this length, different gaps are shown side by side, too."""


class Bridges:
    """The chain between two ends, on the host: see `Gaps` for the tables."""

    def __init__(self, gaps: Gaps) -> None:
        self.rows, self.columns, self.powers = map(to_host, (gaps.rows, gaps.columns, gaps.powers))
        self._gaps, self.vocab, self.exact = gaps, gaps.vocab, gaps.exact

    def probability(
        self, length: Array, left: Array, right: Array, site: Array, token: Array
    ) -> Array:
        """Predictions of a token each, in gaps of different lengths; the ends are possible."""
        future = self.columns[length + 1 - site, token, right]
        total = np.where(right < self.vocab, self.rows[length + 1, left, right % self.vocab], 1)
        return quotient(self.rows[site, left, token] * future, total)

    def evidence(self, length: int) -> Array:
        """As `Gaps.evidence`."""
        return to_host(self._gaps.evidence(length))

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
        """Ask the policy about every gap alone, and about two of them."""
        reveal = np.zeros((len(left), length), dtype=bool)
        waits = np.zeros(len(left), dtype=bool)
        end = self.bridges.vocab
        for kind in np.unique((left == end) + 2 * (right == end)).tolist():
            here = ((left == end) + 2 * (right == end)) == kind
            gap = self._gap(length, left[here], right[here])
            (reveal[here],) = self._ask([gap], stage)
            if self.clock and (stage == self.policy.steps or not reveal[here].any(axis=1).all()):
                raise InvalidInput(
                    f"{self.policy!r} reveals nothing in a gap of {counted(length, 'site')} in "
                    f"round {stage} of its clock: such gaps are not followed"
                )
            if kind == 3 or self.clock:  # nothing is beside it, or nothing waits
                continue
            closed = _Gap(
                np.where(gap.left == end, gap.right, gap.left),
                np.where(gap.right == end, gap.left, gap.right),
                gap.predictions,
            )
            found = self._ask([closed, gap] if kind == 2 else [gap, closed], stage)
            moves = found[0].any(axis=1) & found[1].any(axis=1)
            waits[here] = ~moves
            alone = Chosen(reveal[here], waits[here])
            self._check_pair(found, alone, alone)
            if kind == 0 and length <= CHECKED:
                others = np.roll(np.arange(len(gap.left)), 1)
                found = self._ask([gap, gap.of(others)], stage + 1)
                self._check_pair(found, alone, Chosen(*(part[others] for part in alone)))
        return Chosen(reveal, waits)

    def after(self, stage: int, offset: np.ndarray) -> np.ndarray:
        """The next round of a clock."""
        return np.full_like(offset, stage + 1 if self.clock else 0)

    def _gap(self, length: int, left: np.ndarray, right: np.ndarray) -> "_Gap":
        site = np.arange(1, length + 1, dtype=np.int64)
        ends = left[:, None], right[:, None]
        return _Gap(left, right, self.bridges.marginals(length, *ends, site))

    def _ask(self, gaps: list["_Gap"], round_index: int) -> list[np.ndarray]:
        """What is revealed in gaps side by side, each between its own ends, (C, n) each."""
        end, kind = self.bridges.vocab, gaps[0].predictions.dtype
        one_hot = np.eye(end, dtype=np.int64).astype(kind)
        x, predictions, places, begin = [], [], [], 0
        for gap in gaps:
            count, length, _ = gap.predictions.shape
            masks = np.full((count, length), MASK, dtype=np.int64)
            for tokens in (gap.left[:, None], masks, gap.right[:, None]):
                if tokens is masks:
                    places.append(slice(begin, begin + length))
                    predictions.append(gap.predictions)
                elif tokens[0] < end:
                    predictions.append(one_hot[tokens])
                else:
                    continue
                x.append(tokens)
                begin += tokens.shape[1]
        rows, shown = (np.concatenate(parts, axis=1) for parts in (x, predictions))
        outcomes = list(self.policy.reveal_distribution(rows, shown, round_index))
        if len(outcomes) != 1:
            raise InvalidInput(
                f"{self.policy!r} is said not to be randomised, but has {len(outcomes)} outcomes"
            )
        ((probability, reveal),) = outcomes
        check_choice(self.policy, rows, reveal, row_probabilities(probability, rows) != 0)
        return [reveal[:, place] for place in places]

    def _check_pair(self, found: list[np.ndarray], *alone: Chosen) -> None:
        """Refuse a policy whose choice in a gap depends on what is beside it, or on the round."""
        both = alone[0].waits & alone[1].waits
        some = [reveal.any(axis=1) for reveal in found]
        wrong = both & some[0] & some[1]
        for reveal, one, moved in zip(found, alone, some, strict=True):
            moves = ~one.waits | (both & moved)
            wrong = wrong | (reveal != one.reveal & moves[:, None]).any(axis=1)
        if wrong.any():
            raise InvalidInput(
                f"{self.policy!r} is said to choose gap by gap, but what it reveals in a gap of "
                f"{counted(found[0].shape[1], 'site')} depends on what is beside it, or on the "
                f"round"
            )


class _Gap(NamedTuple):
    """Gaps of one length: their ends (C,), the predictions in them (C, n, V)."""

    left: np.ndarray
    right: np.ndarray
    predictions: np.ndarray

    def of(self, index: np.ndarray) -> "_Gap":
        return _Gap(*(part[index] for part in self))
