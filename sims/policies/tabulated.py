"""A policy as a table: for every pattern the sites that it reveals."""

import numpy as np

from sims.policies.base import Policy, Reveals
from theory import MASK
from theory._core.arrays import array_namespace, as_array, device, from_host, read_only, to_host
from theory._core.plurals import counted
from theory._core.segments import gather
from theory._core.types import Array, ArrayLike
from theory.errors import InvalidInput
from theory.lattice.codes import Codes
from theory.validation.arguments import as_tokens

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

    def __init__(self, choices: ArrayLike) -> None:
        choices = as_array(choices)
        xp, shape = array_namespace(choices), tuple(choices.shape)
        integers = choices.dtype != object and xp.isdtype(choices.dtype, "integral")
        if not integers or len(set(shape)) != 1 or shape[0] < 2:
            raise InvalidInput(
                f"choices must be integers of shape (V+1,)*L, got {choices.dtype} of shape {shape}"
            )
        self.choices = read_only(xp.astype(choices, xp.int64, copy=True))
        self.length, self.vocab = len(shape), shape[0] - 1
        self._copy = self.choices

    def sites(self, x: ArrayLike) -> tuple[int, ...]:
        """The sites that are revealed at a pattern (L,).

        Raises
        ------
        InvalidInput
            If `x` is no single pattern.
        """
        rows, single = as_tokens(x, self.length, self.vocab, self.choices)
        if not single:
            raise InvalidInput(f"x must be one pattern of shape ({self.length},)")
        return tuple(np.flatnonzero(to_host(self._reveal(rows))[0]).tolist())

    def check(self, length: int, vocab: int) -> None:
        """Raise `InvalidInput` unless the table is for such sequences."""
        if (length, vocab) != (self.length, self.vocab):
            raise InvalidInput(
                f"the policy is tabulated for {counted(self.length, 'site')} over "
                f"{counted(self.vocab, 'token')}; the sequences have "
                f"{counted(length, 'site')} over {vocab}"
            )

    def reveal_distribution(self, x: Array, predictions: Array, round_index: int) -> Reveals:
        """Yield the one outcome."""
        yield 1, self._reveal(x)

    def _reveal(self, x: Array) -> Array:
        xp, codes = array_namespace(x), Codes(self.length, self.vocab, x)
        found = gather(xp.reshape(self._beside(x), (-1,)), codes.encode(x))
        sites = xp.arange(self.length, dtype=xp.int64, device=device(x))
        return (x == MASK) & ((found[:, None] >> sites) & 1 == 1)

    def _beside(self, x: Array) -> Array:
        """The table where the sequences live."""
        for table in (self.choices, self._copy):
            if array_namespace(table) is array_namespace(x) and device(table) == device(x):
                return table
        host = to_host(self.choices)
        self._copy = host if isinstance(x, np.ndarray) else from_host(host, x)
        return self._copy

    def __repr__(self) -> str:
        size = f"{counted(self.length, 'site')} over {counted(self.vocab, 'token')}"
        return f"<Tabulated policy of {size}>"
