"""Ties among the predictions of a distribution, and a distribution nearby without them.

Where two masked sites have a prediction in common, what a policy prefers is settled by a rule that
it has on the side: the lowest index, the highest, or what a sorting routine happens to do. Two
implementations may differ there and nowhere else.
"""

import itertools
from typing import NamedTuple

import numpy as np

from theory import MASK, JointTable
from theory._core.arrays import to_host
from theory.distributions.base import Distribution

__all__ = ["Ties", "find_ties", "untied"]

EQUAL = 1e-7
"""Predictions that differ by less are equal to a sampler that computes in float32."""

CONTEXTS = 2**16
"""Ties are looked for in up to this number of contexts."""

NUDGE = 0.1
"""By up to this share the weight of each sequence is changed."""

FILL = 0.02
"""The share of all sequences alike, where a changed weight of the possible ones is not enough."""


class Ties(NamedTuple):
    """Contexts in which two masked sites have a prediction in common, of how many."""

    tied: int
    contexts: int


def find_ties(p: Distribution) -> Ties | None:
    """Count the possible contexts in which two masked sites have a prediction in common.

    Predictions of 0 and 1 do not count: what is certain is written the same in any order. None
    if there are too many contexts to look at.

    >>> from theory import gallery
    >>> find_ties(gallery.permutations(3))       # everything masked, or one site given
    Ties(tied=10, contexts=10)
    """
    sites, vocab = p.length, p.vocab
    if (vocab + 1) ** sites > CONTEXTS:
        return None
    if sites < 2:
        return Ties(0, 0)
    codes = np.indices((vocab + 1,) * sites, dtype=np.int64).reshape(sites, -1).T
    x = np.where(codes == vocab, MASK, codes)
    x = x[(x == MASK).sum(axis=1) > 1]
    x = x[to_host(p.evidence(x)) > 0]
    predictions = to_host(p.denoise(x)).astype(np.float64)
    open_ = (predictions > EQUAL) & (predictions < 1 - EQUAL) & (x == MASK)[:, :, None]
    tied = np.zeros(len(x), dtype=bool)
    for i, j in itertools.combinations(range(sites), 2):
        one, other = predictions[:, i, :, None], predictions[:, j, None, :]
        equal = np.abs(one - other) < EQUAL
        tied |= (equal & open_[:, i, :, None] & open_[:, j, None, :]).any(axis=(1, 2))
    return Ties(int(tied.sum()), len(x))


def untied(p: Distribution) -> JointTable | None:
    """A distribution near `p` without ties, if one is found.

    The weight of each sequence is changed by up to a tenth. If the support of `p` keeps ties, it
    is mixed with a little of all sequences.

    >>> from theory import gallery
    >>> near = untied(gallery.binary_symmetric(3, 0.1))
    >>> find_ties(near)
    Ties(tied=0, contexts=7)
    """
    table = to_host(p.table()).astype(np.float64)
    # Fractional parts of irrational multiples: as if drawn, and the same each time.
    numbers = np.arange(1, table.size + 1, dtype=np.float64) ** 2
    for fill, root in ((0.0, 2), *((FILL, root) for root in (3, 5, 7, 11))):
        change = ((numbers * np.sqrt(root)) % 1).reshape(table.shape)
        weights = table * (1 + NUDGE * (2 * change - 1))
        near = JointTable(weights + fill * change / change.sum())
        found = find_ties(near)
        if found is not None and not found.tied:
            return near
    return None
