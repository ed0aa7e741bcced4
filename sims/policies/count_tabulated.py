"""A policy as a table over counts: how many sites it reveals."""

import copy
import sys
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
from theory.validation.arguments import as_tokens

__all__ = ["CountTabulated"]


class CountTabulated(Policy):
    """Reveal the first masked sites, as many as a table says for how much is known.

    The best policy of exchangeable bits in at most R rounds is of this kind (see
    `sims.frontier`): only the numbers of ones and zeros that are known count, and all masked sites
    are alike. It is on a clock of R steps. Predictions play no role.

    Parameters
    ----------
    choices : array_like of int, shape (R, L+1, L+1)
        Sites to reveal with 1..R rounds left, by the number of known sites and of ones among them.
        They stay on the host.
    known : array_like of int, shape (L,), optional
        Tokens that have probability 1, ``MASK`` elsewhere: known even while they are masked. Their
        sites are revealed in the first round. For data such as ``p.given(x)`` that are written
        without a prompt.

    Attributes
    ----------
    choices, known
        As above.
    length : int

    Raises
    ------
    InvalidInput
        If the choices are no integers, or either of another shape.

    >>> from theory import gallery
    >>> from sims import output_distribution
    >>> first_one_then_all = CountTabulated([np.full((3, 3), 2), np.full((3, 3), 1)])
    >>> q = output_distribution(gallery.coupled_pairs(1), first_one_then_all)
    >>> q.kl, q.expected_rounds
    (0.0, 2.0)
    """

    depends_on = "revealed"
    randomised = False
    _given = 0

    def __init__(self, choices: ArrayLike, known: ArrayLike | None = None) -> None:
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
        self.known = None
        if known is not None:
            tokens, single = as_tokens(known, self.length, sys.maxsize, self.choices)
            if not single:
                raise InvalidInput(f"known must be one pattern of shape ({self.length},)")
            self.known = read_only(tokens[0])

    @property
    def steps(self) -> int:
        """As many as there are rounds at most."""
        return len(self.choices)

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
        if length != self.length:
            raise InvalidInput(
                f"the policy is tabulated for {counted(self.length, 'site')}; the sequences have "
                f"{length}"
            )

    def reveal_distribution(self, x: Array, predictions: Array, round_index: int) -> Reveals:
        """Yield the one outcome."""
        xp, masked = array_namespace(x), x == MASK
        certain, seen = masked & ~masked, x
        if self.known is not None:
            known = from_host(self.known, x)
            certain = masked & (known != MASK)
            seen = xp.where(certain, known, x)
        observed = self.length - row_counts(seen == MASK)
        cells = observed * (self.length + 1) + row_counts(seen == 1)
        table = self.choices[max(self.steps - 1 - round_index, 0)]
        sizes = gather(from_host(table.reshape(-1), x), cells)
        place = xp.cumulative_sum(xp.astype(seen == MASK, xp.int64), axis=1)
        yield 1, certain | ((seen == MASK) & (place <= sizes[:, None]))

    def __repr__(self) -> str:
        within = counted(len(self.choices), "round")
        return f"<CountTabulated policy of {counted(self.length, 'site')} in {within}>"
