"""A policy as a table over counts: how many sites it reveals."""

import copy
from collections.abc import Sequence
from typing import Self

import numpy as np

from sims.policies.base import Policy, Reveals
from theory import MASK
from theory._core.arrays import array_namespace, from_host, read_only, to_host
from theory._core.plurals import counted
from theory._core.segments import gather, row_counts
from theory._core.types import Array, ArrayLike
from theory.errors import InvalidInput

__all__ = ["CountTabulated"]


class CountTabulated(Policy):
    """Reveal the first masked sites of bits, as many as a table says for what is known.

    The best policy of exchangeable bits in at most R rounds is of this kind (see
    `sims.frontier`): only the numbers of ones and zeros that are known count, and all masked sites
    are alike.

    Parameters
    ----------
    choices : array_like of int, shape (R, L+1, L+1)
        Sites to reveal, by rounds left (1, 2, ...), known sites, and ones among them. Round t uses
        the table for ``R - t`` rounds left, and from round ``R - 1`` on the first one. On the
        host.

    Raises
    ------
    InvalidInput
        If the choices are no integers or of another shape.

    >>> from theory import gallery
    >>> from sims import output_distribution
    >>> after_one_all = CountTabulated([np.full((3, 3), 2), np.full((3, 3), 1)])
    >>> q = output_distribution(gallery.coupled_pairs(1), after_one_all)
    >>> q.kl, q.expected_rounds
    (0.0, 2.0)
    """

    depends_on = "revealed"
    randomised = False
    _given = 0

    def __init__(self, choices: ArrayLike) -> None:
        choices = np.asarray(to_host(choices))
        shape = choices.shape
        if (
            choices.dtype.kind not in "iu"
            or choices.ndim != 3
            or 0 in shape
            or shape[1] != shape[2]
        ):
            raise InvalidInput(
                f"choices must be integers of shape (R, L+1, L+1), got {choices.dtype} of shape "
                f"{shape}"
            )
        self.choices = read_only(choices.astype(np.int64))
        self.length = shape[1] - 1

    def within(self, rounds: int) -> "CountTabulated":
        """The same with fewer rounds; it shares the tables."""
        fewer = copy.copy(self)
        fewer.choices = self.choices[:rounds]
        return fewer

    def with_given(self, sites: tuple[int, ...], length: int) -> Self:
        """What is given counts as known."""
        known = copy.copy(self)
        known._given = len(sites)
        return known

    def check(self, length: int, vocab: int) -> None:
        """Raise `InvalidInput` unless the table is for such sequences."""
        self.check_within((), length + self._given, vocab)

    def check_within(self, masked: Sequence[int], length: int, vocab: int) -> None:
        """Raise `InvalidInput` unless the table is for what is shown."""
        if (length, vocab) != (self.length, 2):
            raise InvalidInput(
                f"the policy is tabulated for {counted(self.length, 'bit')}; the sequences have "
                f"{counted(length, 'site')} over {counted(vocab, 'token')}"
            )

    def reveal_distribution(self, x: Array, predictions: Array, round_index: int) -> Reveals:
        """Yield the one outcome."""
        xp, masked = array_namespace(x), x == MASK
        table = self.choices[max(len(self.choices) - 1 - round_index, 0)]
        known = self.length - row_counts(masked)
        cells = known * (self.length + 1) + row_counts(x == 1)
        sizes = gather(from_host(table.reshape(-1), x), cells)
        place = xp.cumulative_sum(xp.astype(masked, xp.int64), axis=1)
        yield 1, masked & (place <= sizes[:, None])

    def __repr__(self) -> str:
        within = counted(len(self.choices), "round")
        return f"<CountTabulated policy of {counted(self.length, 'bit')} in {within}>"
