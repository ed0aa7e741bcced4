"""How many sites a round reveals: always as many, or one batch size after another."""

from collections.abc import Sequence

import numpy as np

from theory.errors import InvalidInput
from theory.validation.arguments import as_integer, as_sizes

__all__ = ["Batches"]


class Batches:
    """`k` sites in every round, or ``sizes[t]`` in step t, found from how many are left to write.

    No round is counted, so the same sizes serve after a prompt and in every block. A size of 0 is
    a step that reveals nothing, and is passed over: it takes no call of the denoiser.

    Parameters
    ----------
    k : int, optional
        At least 1.
    sizes : sequence of int, optional
        Not negative.

    Raises
    ------
    InvalidInput
        Unless exactly one of them is given.

    >>> batches = Batches(None, (0, 2, 0, 1))
    >>> [values.tolist() for values in batches.at(np.asarray([3, 1]))]     # sizes, and steps
    [[2, 1], [1, 3]]
    """

    def __init__(self, k: int | None, sizes: Sequence[int] | None) -> None:
        if (k is None) == (sizes is None):
            raise InvalidInput(
                "either k sites are revealed in every round or sizes lists all batches: got "
                f"k={k!r} and sizes={sizes!r}"
            )
        self.k = None if k is None else as_integer(k, "k", 1)
        self.sizes = None if sizes is None else as_sizes(sizes, None, 0)

    def check(self, length: int) -> None:
        """Raise `InvalidInput` if sizes are given that do not sum to the length."""
        if self.sizes is not None:
            as_sizes(self.sizes, length, 0)

    def at(self, left: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The batch size where so many sites are left to write, and its index in `sizes`.

        The index is 0 where there are no sizes.
        """
        if self.sizes is None:
            assert self.k is not None
            return np.minimum(left, self.k), np.zeros_like(left)
        sizes = np.asarray(self.sizes, dtype=np.int64)
        steps = np.flatnonzero(sizes)
        starts, revealed = np.cumsum(sizes[steps]) - sizes[steps], sizes.sum() - left
        found = np.searchsorted(starts, revealed)
        if (found == len(starts)).any() or (starts[found] != revealed).any():
            raise InvalidInput(
                f"batches of sizes {self.sizes} do not start at {revealed.max()} revealed sites"
            )
        return sizes[steps[found]], steps[found]
