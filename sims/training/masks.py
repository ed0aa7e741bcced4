"""Distributions of mask patterns, which say what sites training shows, as exact tables.

A table has shape ``(2,)*L``; index 1 on an axis means that the site is observed. With S the set
of observed sites and k = |S|:

    uniform time      1 / ((L + 1) C(L, k)): a time u ~ U(0, 1), then each site shown with u
    fixed count       1 / C(L, k) for one k
    left to right     1 / (L + 1) for each prefix {0..k-1}, k = 0..L
    block by block    a block at random, those before it shown, those after it hidden, uniform
                      time within it

Uniform time is the mask distribution of the continuous-time loss without its weight [textbook];
block by block that of block diffusion and of semi-autoregressive decoding [memory].

The paper on why mask diffusion does not work, arXiv 2510.03289, is said to train "blockwise
reverse-order" [restated]; its algorithm was not seen. Both readings here are ours:

(a) within a block the rightmost sites are hidden, so that what is shown is a prefix
    (`prefix_of_block`);
(b) blocks are trained one after another, the last one first (`last_to_first`).
"""

import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction

import numpy as np

from theory._core.arrays import is_exact, read_only, require_memory, to_host
from theory._core.types import ArrayLike
from theory.errors import InvalidInput
from theory.validation.arguments import as_integer, as_rectangular
from theory.validation.probabilities import as_rows

__all__ = [
    "as_masks",
    "block_by_block",
    "fixed_count",
    "last_to_first",
    "left_to_right",
    "predicting",
    "prefix_of_block",
    "uniform_time",
]


def uniform_time(length: int, *, exact: bool = False) -> np.ndarray:
    """Each site shown with the same probability u, for u uniform on [0, 1]; shape (2,)*L.

    >>> uniform_time(2, exact=True).tolist()
    [[Fraction(1, 3), Fraction(1, 6)], [Fraction(1, 6), Fraction(1, 3)]]
    """
    length = as_integer(length, "length", 1)
    return _table(length, exact, lambda s: Fraction(1, (length + 1) * math.comb(length, sum(s))))


def fixed_count(length: int, count: int, *, exact: bool = False) -> np.ndarray:
    """Uniform over the sets of `count` observed sites, shape (2,)*L.

    >>> fixed_count(2, 1).tolist()
    [[0.0, 0.5], [0.5, 0.0]]
    """
    length, count = as_integer(length, "length", 1), as_integer(count, "count", 0)
    if count > length:
        raise InvalidInput(f"count must be at most the length {length}, got {count}")
    share = Fraction(1, math.comb(length, count))
    return _table(length, exact, lambda s: share if sum(s) == count else Fraction(0))


def left_to_right(length: int, *, exact: bool = False) -> np.ndarray:
    """Uniform over the prefixes of 0 to L observed sites, shape (2,)*L.

    >>> left_to_right(2, exact=True).tolist()
    [[Fraction(1, 3), Fraction(0, 1)], [Fraction(1, 3), Fraction(1, 3)]]
    """
    length = as_integer(length, "length", 1)
    share = Fraction(1, length + 1)
    return _table(length, exact, lambda s: share if _is_prefix(s) else Fraction(0))


def block_by_block(length: int, size: int, *, exact: bool = False) -> np.ndarray:
    """A block at random: those before it shown, those after it hidden, uniform time within it.

    Parameters
    ----------
    length : int
    size : int
        Sites of a block; the last one may be shorter. All blocks are equally likely.
    exact : bool

    Returns
    -------
    ndarray, shape (2,)*L

    >>> block_by_block(2, 1, exact=True).tolist()
    [[Fraction(1, 4), Fraction(0, 1)], [Fraction(1, 2), Fraction(1, 4)]]
    """
    return _mean(_stages(length, size, uniform_time, exact))


def prefix_of_block(length: int, size: int, *, exact: bool = False) -> np.ndarray:
    """Reading (a) of "blockwise reverse-order", ours: as `block_by_block`, hidden from the right.

    How many sites of the block are shown is uniform on 0..b as there; they are its leftmost. So
    only prefixes of the sequence are shown, as in `left_to_right`, with other frequencies.

    >>> prefix_of_block(2, 2, exact=True).tolist() == left_to_right(2, exact=True).tolist()
    True
    """
    return _mean(_stages(length, size, left_to_right, exact))


def last_to_first(
    length: int, size: int, *, stages: int | None = None, exact: bool = False
) -> np.ndarray:
    """Reading (b) of "blockwise reverse-order", ours: blocks are trained last to first.

    Parameters
    ----------
    length : int
    size : int
    stages : int, optional
        How many blocks, from the last, have been trained, for the same time each; all if not
        given. Then the table is that of `block_by_block`: a learner that counts does not know in
        which order its samples came.
    exact : bool

    Returns
    -------
    ndarray, shape (2,)*L

    >>> last_to_first(2, 1, stages=1, exact=True).tolist()          # site 0 is never predicted
    [[Fraction(0, 1), Fraction(0, 1)], [Fraction(1, 2), Fraction(1, 2)]]
    """
    every = list(_stages(length, size, uniform_time, exact))
    stages = len(every) if stages is None else as_integer(stages, "stages", 1)
    if stages > len(every):
        raise InvalidInput(
            f"stages must be at most the number of blocks, {len(every)}, got {stages}"
        )
    return _mean(every[len(every) - stages :])


def predicting(masks: ArrayLike) -> np.ndarray:
    """Condition on something being hidden: a fully observed sequence trains nothing.

    >>> predicting(left_to_right(2, exact=True)).tolist()
    [[Fraction(1, 2), Fraction(0, 1)], [Fraction(1, 2), Fraction(0, 1)]]
    """
    table = as_masks(masks).copy()
    table[(1,) * table.ndim] = 0
    left = table.sum()
    if left == 0:
        raise InvalidInput("the masks hide nothing: all mass is on the fully observed pattern")
    return read_only(table / left)


def as_masks(masks: ArrayLike, length: int | None = None) -> np.ndarray:
    """Check a distribution of mask patterns: shape (2,)*L, not negative, of sum 1.

    >>> as_masks([0.5, 0.25])
    Traceback (most recent call last):
    ...
    theory.errors.InvalidInput: masks must sum to 1: it sums to 0.75
    """
    table = to_host(as_rectangular(masks, "masks"))
    if table.ndim == 0 or set(table.shape) != {2} or length not in (None, table.ndim):
        expected = "(2,)*L" if length is None else f"(2,)*{length}"
        raise InvalidInput(f"masks must have shape {expected}, got {table.shape}")
    rows = as_rows(table.reshape(-1), "masks", 1, exact=is_exact(table))
    return read_only(rows.reshape(table.shape))


def _is_prefix(shown: tuple[int, ...]) -> bool:
    return list(shown) == sorted(shown, reverse=True)


def _table(length: int, exact: bool, share: Callable[[tuple[int, ...]], Fraction]) -> np.ndarray:
    require_memory(2**length, f"the mask distribution of shape (2,)*{length}")
    table = np.empty((2,) * length, dtype=object if exact else np.float64)
    for shown in itertools.product((0, 1), repeat=length):
        table[shown] = share(shown) if exact else float(share(shown))
    return read_only(table)


def _stages(
    length: int, size: int, within: Callable[..., np.ndarray], exact: bool
) -> Iterator[np.ndarray]:
    """The table of each block alone, from the first block to the last."""
    length, size = as_integer(length, "length", 1), as_integer(size, "size", 1)
    require_memory(2**length, f"the mask distribution of shape (2,)*{length}")
    for start in range(0, length, size):
        end = min(start + size, length)
        table = np.full((2,) * length, Fraction(0) if exact else 0.0)
        block = (1,) * start + (slice(None),) * (end - start) + (0,) * (length - end)
        table[block] = within(end - start, exact=exact)
        yield table


def _mean(stages: Iterable[np.ndarray]) -> np.ndarray:
    tables = list(stages)
    return read_only(sum(tables[1:], start=tables[0]) / len(tables))
