"""Recursive halving: the middle of every gap."""

import numpy as np

from sims.policies.base import Law, Policy
from theory import MASK

__all__ = ["Bisection"]


class Bisection(Policy):
    """Reveal the middle site of every run of masked sites: of all, then of both halves, ...

    The placement of Wen, Liang and Lu (arXiv 2608.25505, Theorem 2) [source] for first-order
    chains, whose sites on both sides of a revealed one are independent: there it is exact, in
    about log2(L) rounds. It looks neither at tokens nor at predictions. Not exact in general. A
    run of even length has two middle sites; the first is taken.

    >>> from theory import gallery
    >>> from sims import output_distribution
    >>> q = output_distribution(gallery.binary_symmetric(7, 0.1), Bisection())
    >>> round(q.kl, 12), q.expected_rounds
    (0.0, 3.0)
    """

    def law(self, x: np.ndarray, predictions: np.ndarray, round_index: int) -> Law:
        """Yield the one outcome."""
        masked = x == MASK
        site = np.arange(x.shape[1])
        before = np.maximum.accumulate(np.where(masked, -1, site), axis=1)
        turned = np.where(masked, x.shape[1], site)[:, ::-1]
        after = np.minimum.accumulate(turned, axis=1)[:, ::-1]
        yield 1, masked & (site == (before + after) // 2)
