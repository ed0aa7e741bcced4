"""Sites of a gap that are revealed together, as a path: what an edge of it costs and leaves.

Sites 0 and n + 1 are the ends of a gap of n sites. A set of sites is a path between them, with an
edge from each to the next, and an edge from i to j leaves a gap of j - i - 1 sites.
"""

import numpy as np

from sims.chains.gaps import Gaps
from theory._core.arrays import xlogx

__all__ = ["Edges"]


class Edges:
    """The edges of all gaps of `length` sites, from their left ends to a site.

    Parameters
    ----------
    gaps : Gaps
        In floats on the host.
    length : int
        n.
    ends : slice
        Which of the V+1 ends are looked at, on both sides; A of them.

    Attributes
    ----------
    possible : array of bool, shape (A, A)
        Whether the data have such ends so far apart.
    """

    def __init__(self, gaps: Gaps, length: int, ends: slice = slice(None)) -> None:
        self.length, self.vocab, self.powers = length, gaps.vocab, gaps.powers
        self.ends, self.rows, self.columns = ends, gaps.rows[:, ends], gaps.columns[..., ends]
        evidence = gaps.evidence(length)[ends, ends]
        self.possible = evidence > 0
        self.evidence = np.where(self.possible, evidence, 1.0)
        self.entropies = -xlogx(gaps.marginals(length)[ends, ends]).sum(axis=-1)

    def information(self, j: int) -> np.ndarray:
        """Mutual information of sites i = 1..j-1 and site j given both ends, (j-1, A, A) nats."""
        left, right = self.rows[1:j], self.columns[self.length + 1 - j]
        both = left[:, :, None, :, None] * self.powers[j - 1 : 0 : -1, None, None]
        both = both * right.T[:, None, :] / self.evidence[..., None, None]
        apart = self.entropies[..., : j - 1] + self.entropies[..., j - 1 : j]
        lost = np.moveaxis(apart, -1, 0) + xlogx(both).sum(axis=(-1, -2))
        return np.where(self.possible, np.maximum(lost, 0.0), 0.0)

    def expected(self, j: int, tables: np.ndarray) -> np.ndarray:
        """Mean over the tokens at i and j of a table over gaps, (j, A, A, C), for i = 0..j-1.

        Parameters
        ----------
        j : int
            1..n+1. From 0 to n + 1 there is no edge, and nothing is to be read there.
        tables : array, shape (n, V+1, V+1, C)
            By length and ends; not read between impossible ends.
        """
        v, n, count = self.vocab, self.length, tables.shape[-1]
        if j <= n:
            right = self.columns[n + 1 - j]
            inside = self.powers[1:j, ..., None] * tables[: j - 1, :v, :v]
            after = np.matmul(right.T, inside[::-1])
            start = (self.rows[j][:, None] * right.T)[..., None, :]
            first = np.matmul(start, tables[j - 1, self.ends, None, :v])[..., 0, :]
        else:
            after = self.columns[n:0:-1, ..., None] * tables[n - 1 :: -1, :v, self.ends]
            first = np.zeros((*self.evidence.shape, count))
        size = len(self.evidence)
        inner = np.matmul(self.rows[1:j], after.reshape(j - 1, v, size * count))
        inner = inner.reshape(j - 1, size, size, count)
        return np.concatenate([first[None], inner]) / self.evidence[..., None]
