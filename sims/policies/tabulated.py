"""A policy as a table: for every pattern the sites that it reveals."""

import copy
import sys
from collections.abc import Iterable, Sequence
from typing import Self

import numpy as np

from sims.policies.base import Policy, Reveals
from sims.policies.copies import Copies
from theory import MASK
from theory._core.arrays import array_namespace, as_array, from_host, read_only, to_host
from theory._core.plurals import counted
from theory._core.segments import gather
from theory._core.types import Array, ArrayLike
from theory.errors import InvalidInput
from theory.lattice.codes import Codes
from theory.validation.arguments import as_integer, as_sites, as_tokens

__all__ = ["Tabulated"]


class Tabulated(Policy):
    """A value-adaptive policy as a table, such as the best ones that `frontier` finds.

    It depends on the revealed tokens; predictions play no role once the table is made. The table
    stays where it is given; given sequences that live elsewhere, the policy copies it
    there, once, and keeps the copy.

    Parameters
    ----------
    choices : array of int64, shape (V+1,)*L, or (R, (V+1,)*L) with rounds given
        Bit i of an entry is set if site i is revealed at that pattern; the last index of an axis
        is the masked slot. Entries of complete sequences are not used.
    among : iterable of int, optional
        The sites that the table is about, if all others are given.
    rounds : int, optional
        If given, `choices` are tables for 1, 2, ... rounds left, so many at least, and the policy
        is on a clock of so many steps.

    Raises
    ------
    InvalidInput
        If the choices are no integers or of another shape, or if there are fewer tables than
        rounds.

    >>> from theory import MASK
    >>> choices = np.zeros((3, 3), dtype=np.int64)
    >>> choices[2, 2], choices[0, 2], choices[1, 2] = 0b01, 0b10, 0b10
    >>> policy = Tabulated(choices)
    >>> policy.sites([MASK, MASK]), policy.sites([0, MASK])
    ((0,), (1,))

    The first site, then the second; with one round left both at once:

    >>> within_two = Tabulated([np.full((3, 3), 0b11), choices], rounds=2)
    >>> within_two.sites([MASK, MASK]), within_two.sites([MASK, MASK], rounds_left=1)
    ((0,), (0, 1))
    """

    depends_on = "revealed"
    randomised = False

    def __init__(
        self,
        choices: ArrayLike,
        among: Iterable[int] | None = None,
        rounds: int | None = None,
    ) -> None:
        choices = as_array(choices)
        self.rounds = None if rounds is None else as_integer(rounds, "rounds", 1)
        xp, of_all = array_namespace(choices), tuple(choices.shape)
        shape = of_all if self.rounds is None else of_all[1:]
        integers = choices.dtype != object and xp.isdtype(choices.dtype, "integral")
        if not integers or len(set(shape)) != 1 or shape[0] < 2:
            first = "" if self.rounds is None else "(R,) + "
            raise InvalidInput(
                f"choices must be integers of shape {first}(V+1,)*L, got {choices.dtype} of shape "
                f"{of_all}"
            )
        if self.rounds is not None and self.rounds > of_all[0]:
            raise InvalidInput(
                f"choices have {counted(of_all[0], 'table')} for {counted(self.rounds, 'round')}"
            )
        self.choices = read_only(xp.astype(choices, xp.int64, copy=True))
        self.length, self.vocab = len(shape), shape[0] - 1
        self.among = None if among is None else as_sites(among, sys.maxsize, "among")
        if self.among is not None and len(self.among) != self.length:
            raise InvalidInput(
                f"among must list {counted(self.length, 'site')}, got {list(self.among)}"
            )
        self._choices, self._given = Copies(self.choices), 0

    def within(self, rounds: int) -> "Tabulated":
        """The same with fewer rounds; it shares the tables."""
        fewer = copy.copy(self)
        fewer.rounds = rounds
        return fewer

    @property
    def steps(self) -> int | None:
        """As many as there are rounds at most; None if there is one table."""
        return self.rounds

    def sites(self, x: ArrayLike, rounds_left: int | None = None) -> tuple[int, ...]:
        """The sites that are revealed at a pattern (L,), with all rounds left if not given.

        Raises
        ------
        InvalidInput
            If `x` is no single pattern.
        """
        length = self.length if self.among is None else np.shape(x)[-1]
        rows, single = as_tokens(x, length, self.vocab, self.choices)
        if not single:
            raise InvalidInput(f"x must be one pattern of shape ({length},)")
        left = (
            self.rounds or 1 if rounds_left is None else as_integer(rounds_left, "rounds_left", 1)
        )
        return tuple(np.flatnonzero(to_host(self._reveal(rows, left))[0]).tolist())

    def with_given(self, sites: tuple[int, ...], length: int) -> Self:
        """The table is asked about the whole sequence, or about what is not given alone.

        Raises
        ------
        InvalidInput
            If it is about other sites than those that are not given.
        """
        written = tuple(site for site in range(length) if site not in sites)
        if self.among is not None:
            self._require_among(written)
            return self
        known = copy.copy(self)
        known._given = len(sites)
        return known

    def check(self, length: int, vocab: int) -> None:
        """Raise `InvalidInput` unless the table is for such sequences."""
        self._require(length + self._given, vocab)

    def check_within(self, masked: Sequence[int], length: int, vocab: int) -> None:
        """Raise `InvalidInput` unless the table is for what is shown."""
        self._require(length if self.among is None else len(masked), vocab)
        if self.among is not None:
            self._require_among(tuple(masked))

    def _require(self, length: int, vocab: int) -> None:
        if (length, vocab) != (self.length, self.vocab):
            raise InvalidInput(
                f"the policy is tabulated for {counted(self.length, 'site')} over "
                f"{counted(self.vocab, 'token')}; the sequences have "
                f"{counted(length, 'site')} over {vocab}"
            )

    def _require_among(self, written: tuple[int, ...]) -> None:
        if written != self.among:
            raise InvalidInput(
                f"the policy is tabulated for the sites {list(self.among or ())}; those to write "
                f"are {list(written)}"
            )

    def reveal_distribution(self, x: Array, predictions: Array, round_index: int) -> Reveals:
        """Yield the one outcome."""
        yield 1, self._reveal(x, (self.rounds or 1) - round_index)

    def _reveal(self, x: Array, left: int) -> Array:
        xp, codes = array_namespace(x), Codes(self.length, self.vocab, x)
        among = range(x.shape[1]) if self.among is None else self.among
        seen = x if self.among is None else xp.stack([x[:, site] for site in among], axis=1)
        choices = self._choices.beside(x)
        if self.rounds is not None:
            choices = choices[min(left, self.rounds) - 1, ...]
        found = gather(xp.reshape(choices, (-1,)), codes.encode(seen))
        bit = np.zeros(x.shape[1], dtype=np.int64)
        bit[list(among)] = 1 << np.arange(self.length, dtype=np.int64)
        return (x == MASK) & (found[:, None] & from_host(bit, x) != 0)

    def __repr__(self) -> str:
        size = f"{counted(self.length, 'site')} over {counted(self.vocab, 'token')}"
        within = "" if self.rounds is None else f" in {counted(self.rounds, 'round')}"
        return f"<Tabulated policy of {size}{within}>"
