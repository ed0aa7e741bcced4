"""What a decoder writes as a whole that is known gap by gap: in several gaps, in block after block.

A block that is followed by others is a gap that is open on the right. What is written in it goes on
from its last token, so that masses and rounds are carried from one last token to the next.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from sims.chains.ancestral import Ancestral
from sims.chains.gaps import Gaps
from sims.chains.in_gaps import Gap, InGaps
from theory._core.arrays import from_host, to_host
from theory._core.types import Array, Number
from theory.errors import InvalidInput

__all__ = ["Together"]


class Together:
    """All gaps together (see `Gapwise`).

    Parameters
    ----------
    gaps : Gaps
    inside : InGaps
    blocks : sequence of sequences of Gap
        The gaps that are filled at the same time; one block after another, from left to right.
    marginals : array, shape (L, V)
        Those of the data, given what is known at first.
    masked : sequence of int
        Sites that are written in each block; more than those of its gaps if some are certain.
    """

    def __init__(
        self,
        gaps: Gaps,
        inside: InGaps,
        blocks: Sequence[Sequence[Gap]],
        marginals: Array,
        masked: Sequence[int],
    ) -> None:
        self.gaps, self.inside, self.blocks = gaps, inside, blocks
        self.marginals, self.masked = marginals, masked
        self.every = [gap for block in blocks for gap in block]
        self._dtype: Any = object if gaps.exact else np.float64  # on the host

    def path_kl(self) -> Number:
        """Path KL in nats."""
        found: Any = 0
        tables = {n: self.inside.path_kl(n) for n in {gap.length for gap in self.every}}
        for start, length, left, right in self.every:
            within = tables[length][:, right]
            if left < 0:
                before = self.marginals[start - 1, :]
                found = found + self.gaps.xp.sum(before * within[: self.gaps.vocab])
            else:
                found = found + within[left]
        return self._plain(found)

    def valid_mass(self) -> Number:
        """Probability that what is written has positive probability under the data."""
        xp, vocab = self.gaps.xp, self.gaps.vocab
        mass = xp.ones_like(self.gaps.rows[:1, :1, 0])  # by the last token, if that is written
        for gap in self.every:
            if gap.right == vocab:
                table = self.inside.valid_by_last(gap.length)
            else:
                table = self.inside.valid_mass(gap.length)[:, gap.right : gap.right + 1]
            if gap.left < 0:
                mass = xp.matmul(mass, table[:vocab, :])
            else:
                mass = xp.sum(mass) * table[gap.left : gap.left + 1, :]
        return self._plain(xp.sum(mass))

    def log_probability(self, x: np.ndarray) -> np.ndarray:
        """Log probability that x, (N, L), is written; on the host, of what is possible."""
        total = np.zeros(len(x), dtype=self._dtype)
        for start, length, left, right in self.every:
            ends = (
                x[:, start - 1] if left < 0 else np.full_like(x[:, 0], left),
                np.full_like(x[:, 0], right),
            )
            inside = x[:, start : start + length]
            tokens = (from_host(some, self.gaps.like) for some in (inside, *ends))
            total = total + to_host(self.inside.log_probability(*tokens))
        return total

    def rounds(self) -> Mapping[int, Number]:
        """Probability of each number of denoiser calls, on the data."""
        return self._rounds(on_data=True)

    def rounds_written(self) -> Mapping[int, Number]:
        """Probability of each number of denoiser calls, with tokens as they are drawn."""
        return self._rounds(on_data=False)

    def _rounds(self, on_data: bool) -> Mapping[int, Number]:
        found: list[Any] = [np.ones(1, dtype=self._dtype)]  # by the last token, if carried
        after = [*self.blocks[1:], []]
        for block, next_block, masked in zip(self.blocks, after, self.masked, strict=True):
            carried = any(gap.left < 0 for gap in (*block, *next_block))
            if isinstance(self.inside, Ancestral):  # tokens do not matter
                found = [np.convolve(found[0], self.inside.occupied(masked))]
            elif not block:  # all that is written is certain
                found = [np.convolve(_summed(found), np.asarray([0, 1], dtype=self._dtype))]
            elif not carried:
                rounds = to_host(self.inside.rounds(block, on_data))
                found = [np.convolve(_summed(found), rounds)]
            elif len(block) == 1:
                ((_, length, left, _),) = block
                table = to_host(self.inside.rounds_by_last(length, on_data))
                rows = table[: self.gaps.vocab] if left < 0 else table[left : left + 1]
                before = found if left < 0 else [_summed(found)]
                found = [
                    _summed(np.convolve(b, row[last]) for b, row in zip(before, rows, strict=True))
                    for last in range(self.gaps.vocab)
                ]
            else:
                raise InvalidInput(
                    f"rounds are not computed where a block of {len(block)} gaps is followed by "
                    f"another that goes on from its last token"
                )
        total = _summed(found)
        return {k: self._plain(mass) for k, mass in enumerate(total) if mass > 0}

    def _plain(self, number: Any) -> Number:
        return number if self.gaps.exact else float(number)


def _summed(parts: Iterable[np.ndarray]) -> np.ndarray:
    """The sum of arrays of one shape."""
    return np.sum(np.stack(list(parts)), axis=0)
