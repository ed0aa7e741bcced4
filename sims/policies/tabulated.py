"""A policy written down: for every pattern the sites that it reveals."""

import numpy as np

from sims.policies.base import Law, Policy
from theory import MASK
from theory.arrays import frozen
from theory.errors import InvalidInput
from theory.validation import as_tokens

__all__ = ["Tabulated"]


class Tabulated(Policy):
    """A value-adaptive policy as a table, such as the best ones that `frontier` finds.

    It looks at the revealed tokens; predictions play no role once the table is made.

    Parameters
    ----------
    choices : ndarray of int64, shape (V+1,)*L
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

    def __init__(self, choices: np.ndarray) -> None:
        choices = np.array(choices)
        shape = choices.shape
        if choices.dtype.kind not in "iu" or len(set(shape)) != 1 or shape[0] < 2:
            raise InvalidInput(
                f"choices must be integers of shape (V+1,)*L, got {choices.dtype} of shape {shape}"
            )
        self.choices = frozen(choices.astype(np.int64))
        self.length, self.vocab = choices.ndim, shape[0] - 1

    def sites(self, x: object) -> tuple[int, ...]:
        """The sites that are revealed at a pattern (L,).

        Raises
        ------
        InvalidInput
            If `x` is no single pattern.
        """
        rows, single = as_tokens(x, self.length, self.vocab, self.choices)
        if not single:
            raise InvalidInput(f"x must be one pattern of shape ({self.length},)")
        return tuple(np.flatnonzero(self._reveal(rows)[0]).tolist())

    def check(self, length: int, vocab: int) -> None:
        """Raise `InvalidInput` unless the table is for such sequences."""
        if (length, vocab) != (self.length, self.vocab):
            raise InvalidInput(
                f"the policy is tabulated for {self.length} sites over {self.vocab} tokens; the "
                f"sequences have {length} sites over {vocab}"
            )

    def law(self, x: np.ndarray, predictions: np.ndarray, round_index: int) -> Law:
        """Yield the one outcome."""
        yield 1, self._reveal(x)

    def _reveal(self, x: np.ndarray) -> np.ndarray:
        found = self.choices[tuple(x.T)]  # MASK is the last slot
        return (x == MASK) & (found[:, None] >> np.arange(self.length) & 1 == 1)

    def __repr__(self) -> str:
        return f"<Tabulated policy of {self.length} sites over {self.vocab} tokens>"
