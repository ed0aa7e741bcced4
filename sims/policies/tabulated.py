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
from theory.validation.arguments import as_sites, as_tokens

__all__ = ["Tabulated"]


class Tabulated(Policy):
    """A value-adaptive policy as a table, such as the best ones that `frontier` finds.

    It depends on the revealed tokens; predictions play no role once the table is made. The table
    stays where it is given; given sequences that live elsewhere, the policy copies it
    there, once, and keeps the copy.

    Parameters
    ----------
    choices : array of int64, shape (V+1,)*L
        Bit i of an entry is set if site i is revealed at that pattern; the last index of an axis
        is the masked slot. Entries of complete sequences are not used.
    among : iterable of int, optional
        The sites that the table is about, if all others are given.

    Raises
    ------
    InvalidInput
        If the choices are no integers or of another shape.

    >>> from theory import MASK
    >>> choices = np.zeros((3, 3), dtype=np.int64)
    >>> choices[2, 2], choices[0, 2], choices[1, 2] = 0b01, 0b10, 0b10
    >>> policy = Tabulated(choices)
    >>> policy.sites([MASK, MASK]), policy.sites([0, MASK])
    ((0,), (1,))
    """

    depends_on = "revealed"
    randomised = False

    def __init__(self, choices: ArrayLike, among: Iterable[int] | None = None) -> None:
        choices = as_array(choices)
        xp, shape = array_namespace(choices), tuple(choices.shape)
        integers = choices.dtype != object and xp.isdtype(choices.dtype, "integral")
        if not integers or len(set(shape)) != 1 or shape[0] < 2:
            raise InvalidInput(
                f"choices must be integers of shape (V+1,)*L, got {choices.dtype} of shape {shape}"
            )
        self.choices = read_only(xp.astype(choices, xp.int64, copy=True))
        self.length, self.vocab = len(shape), shape[0] - 1
        self.among = None if among is None else as_sites(among, sys.maxsize, "among")
        if self.among is not None and len(self.among) != self.length:
            raise InvalidInput(
                f"among must list {counted(self.length, 'site')}, got {list(self.among)}"
            )
        self._choices, self._given = Copies(self.choices), 0

    def sites(self, x: ArrayLike) -> tuple[int, ...]:
        """The sites that are revealed at a pattern (L,).

        Raises
        ------
        InvalidInput
            If `x` is no single pattern.
        """
        length = self.length if self.among is None else np.shape(x)[-1]
        rows, single = as_tokens(x, length, self.vocab, self.choices)
        if not single:
            raise InvalidInput(f"x must be one pattern of shape ({length},)")
        return tuple(np.flatnonzero(to_host(self._reveal(rows))[0]).tolist())

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
        yield 1, self._reveal(x)

    def _reveal(self, x: Array) -> Array:
        xp, codes = array_namespace(x), Codes(self.length, self.vocab, x)
        among = range(x.shape[1]) if self.among is None else self.among
        seen = x if self.among is None else xp.stack([x[:, site] for site in among], axis=1)
        found = gather(xp.reshape(self._choices.beside(x), (-1,)), codes.encode(seen))
        bit = np.zeros(x.shape[1], dtype=np.int64)
        bit[list(among)] = 1 << np.arange(self.length, dtype=np.int64)
        return (x == MASK) & (found[:, None] & from_host(bit, x) != 0)

    def __repr__(self) -> str:
        size = f"{counted(self.length, 'site')} over {counted(self.vocab, 'token')}"
        return f"<Tabulated policy of {size}>"
