"""Ancestral steps on a Markov chain: each masked site is revealed or not by itself.

A step that reveals each of n masked sites with probability b leaves gaps between those that it
reveals. Path KL adds up: with S(l, r) the sum of the entropies of the single sites between l and r,
given these, a step costs b S for every gap that it finds, and the entropy of the whole is what
would be paid without a loss. A site is known before step t with some probability r_t by itself, so

    path KL = sum_t b_t E[sum over gaps of S] - H,  P(gap of m sites) = r_t^2 (1 - r_t)^m  [ours]

What is valid, and the probability to write a sequence, multiply instead: see `gap_steps` and
`written`.
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from sims.chains.gap_steps import Tables, before_any, one_step
from sims.chains.gaps import Gaps
from sims.chains.in_gaps import Gap
from sims.chains.occupied import occupied_steps
from sims.chains.written import log_written
from theory._console.progress import tracked
from theory._core.arrays import to_host, xlogx
from theory._core.types import Array
from theory.information.units import not_negative
from theory.lattice.lattice import quotient

__all__ = ["Ancestral"]


class Ancestral:
    """What ancestral steps do in a gap, by its ends (see `InGaps`).

    Parameters
    ----------
    gaps : Gaps
    reveal : sequence of Fractions
        Probability to reveal a masked site, for each step; 1 in the last one.
    progress : bool, optional
        Whether to show progress on stderr; if not given, where it is looked at.

    Two bits of which no two are ones, each 1 with probability 0.2764, at once:

    >>> from theory import gallery
    >>> pair = Ancestral(Gaps(gallery.golden_mean_chain(2)), [Fraction(1)])
    >>> pair.valid_mass(2)[2, 2].round(6).item(), pair.occupied(2).tolist()
    (0.923607, [0.0, 1.0])
    """

    def __init__(
        self, gaps: Gaps, reveal: Sequence[Fraction], progress: bool | None = None
    ) -> None:
        used = [b if gaps.exact else float(b) for b in reveal if b]
        self.reveal: list[Any] = used[: used.index(1) + 1]
        self.gaps, self.progress = gaps, progress
        self._known: dict[int, Tables] = {}

    # ---- path KL ------------------------------------------------------------------------

    def path_kl(self, length: int) -> Array:
        """Path KL in nats within a gap, (V+1, V+1); 0 between impossible ends."""
        gaps, xp, vocab = self.gaps, self.gaps.xp, self.gaps.vocab
        none, one, two = self._occurrences(length)
        single = self._single_entropies
        total: Any = single[length] * none[length]
        across = gaps.evidence(length)
        found: Any = 0 * across
        for m in range(1, length):  # masked sites between two known ones, of which one is new
            new_right = gaps.rows[m + 1, :, :] * single[m][:, :vocab]
            new_left = gaps.columns[m + 1, :, :] * single[m][:vocab, :]
            found = found + one[m] * xp.matmul(new_right, gaps.columns[length - m, :, :])
            found = found + one[m] * xp.matmul(gaps.rows[length - m, :, :], new_left)
            if m < length - 1:
                inner = gaps.powers[m + 1, :, :] * single[m][:vocab, :vocab]
                before = gaps.rows[1 : length - m, :, :]
                after = xp.matmul(inner, xp.flip(gaps.columns[1 : length - m, :, :], axis=0))
                before = xp.reshape(xp.permute_dims(before, (1, 0, 2)), (vocab + 1, -1))
                found = found + two[m] * xp.matmul(before, xp.reshape(after, (-1, vocab + 1)))
        possible = across > 0
        mean = quotient(found, xp.where(possible, across, 1))
        total = total + xp.where(possible, mean, 0 * mean)
        return not_negative(total - self._joint_entropies[length])

    def _occurrences(self, length: int) -> tuple[list[Any], ...]:
        """Over all steps, how often a site is revealed in a gap of m sites: sum_t b r^e (1-r)^m.

        With e = 0, 1 or 2 of its ends known by then, and m = 0..length.
        """
        masked: Any = Fraction(1) if self.gaps.exact else 1.0
        sums: list[list[Any]] = [[masked * 0] * (length + 1) for _ in range(3)]
        for b in self.reveal:
            for m in range(length + 1):
                weight = b * masked**m
                for ends, part in enumerate(sums):
                    part[m] = part[m] + weight * (1 - masked) ** ends
            masked = masked * (1 - b)
        return tuple(sums)

    @cached_property
    def _single_entropies(self) -> list[Array]:
        """Sums of the entropies of the sites of a gap, each by itself, (V+1, V+1), by length."""
        xp, gaps = self.gaps.xp, self.gaps
        return [
            -xp.sum(xlogx(gaps.marginals(n)), axis=(2, 3)) if n else 0 * gaps.evidence(0)
            for n in range(gaps.longest + 1)
        ]

    @cached_property
    def _joint_entropies(self) -> list[Array]:
        """Entropies of all sites of a gap together, (V+1, V+1), by length."""
        xp, gaps, vocab = self.gaps.xp, self.gaps, self.gaps.vocab
        found = [0 * gaps.evidence(0)]
        for n in range(1, gaps.longest + 1):
            first = gaps.marginals(n)[:, :, 0, :]
            rest = xp.matrix_transpose(found[-1][:vocab, :])  # (right, first)
            found.append(xp.sum(first * rest[None, :, :] - xlogx(first), axis=2))
        return found

    # ---- what is written ----------------------------------------------------------------

    def valid_mass(self, length: int) -> Array:
        """Probability that a gap is written as the data have it, (V+1, V+1); 0 if they cannot.

        Too small to be told from 0 below about 1e-290.
        """
        xp, (closed, by_last) = self.gaps.xp, self._valid(length)
        return xp.concat([closed, xp.sum(by_last, axis=1)[:, None]], axis=1)

    def valid_by_last(self, length: int) -> Array:
        """The same of a gap that is open on the right, by the token at its last site, (V+1, V)."""
        return self._valid(length)[1]

    def _valid(self, length: int) -> Tables:
        """With a token on the right, (V+1, V), and open on the right, by the last token."""
        if length not in self._known:
            tables = one_step(self.gaps, self._after_first, self.reveal[0], [length])
            closed, by_last = (table[0, :, :] for table in tables)
            self._known[length] = closed, by_last
        return self._known[length]

    @cached_property
    def _after_first(self) -> Tables:
        """What is valid with the steps that are left after the first, by lengths 0, 1, ..."""
        tables, xp = before_any(self.gaps), self.gaps.xp
        every = list(range(self.gaps.longest, 0, -1))
        for b in tracked(self.reveal[:0:-1], self.progress, "steps"):
            longer = one_step(self.gaps, tables, b, every)
            closed, by_last = (
                xp.concat([table[:1, :, :], xp.flip(after, axis=0)])
                for table, after in zip(tables, longer, strict=True)
            )
            tables = closed, by_last
        return tables

    def log_probability(self, x: Array, left: Array, right: Array) -> Array:
        """Log probability that a gap is written as x, (N, n), between the ends (N,); (N,)."""
        return log_written(self.gaps, self.reveal, x, left, right, self.progress)

    # ---- rounds -------------------------------------------------------------------------

    def occupied(self, masked: int) -> np.ndarray:
        """Probability that 0, 1, ... steps reveal something, of so many masked sites."""
        return occupied_steps(masked, self.reveal, object if self.gaps.exact else np.float64)

    def rounds(self, gaps: Sequence[Gap], on_data: bool) -> Array:
        """Probability of 0, 1, ... rounds in which all these gaps are filled, on the host.

        It does not depend on tokens.
        """
        return self.occupied(sum(gap.length for gap in gaps))

    def rounds_by_last(self, length: int, on_data: bool) -> Array:
        """The same of one gap that is open on the right, with its last token, (V+1, V, K+1)."""
        last = self.gaps.rows[length, :, :] if on_data else self.valid_by_last(length)
        return to_host(last)[:, :, None] * self.occupied(length)
