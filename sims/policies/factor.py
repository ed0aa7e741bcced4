"""The factor rule of Fast-dLLM: as many sites as their joint confidence allows."""

import math

from sims.policies.base import Policy, Reveals
from sims.policies.scores import DIGITS, largest, ranks, rounded
from theory import MASK
from theory._core.arrays import array_namespace
from theory._core.types import Array
from theory.validation.arguments import as_real

__all__ = ["Factor"]


class Factor(Policy):
    """Reveal the most confident sites: the first n with ``(n+1) (1 - c_(n)) < f``, at least one.

    The factor-based rule of Fast-dLLM (arXiv 2505.22618) [source], where ``c_(n)`` is the n-th
    largest top probability among the masked sites; n is the largest that satisfies it. For f = 1
    it is the condition of their Theorem 1, under which the likeliest tokens of the product are
    those of the joint. The code allows equality, and reveals the last masked site even if it alone
    fails [code read]. It depends on predictions. Not exact.

    Parameters
    ----------
    f : float
        Above 0.

    >>> from theory import gallery
    >>> from sims import output_distribution
    >>> output_distribution(gallery.repeated_bit(4), Factor(1.0)).expected_rounds
    2.0
    """

    randomised = False

    def __init__(self, f: float) -> None:
        self.f = as_real(f, "f", 0, math.inf, ends=False)

    def reveal_distribution(self, x: Array, predictions: Array, round_index: int) -> Reveals:
        """Yield the one outcome."""
        xp, confident, masked = array_namespace(x), largest(predictions), x == MASK
        rank = ranks(rounded(confident), masked)
        product = xp.astype(rank + 2, xp.float64) * (1 - confident)
        fits = masked & (rounded(product) < round(self.f, DIGITS))
        last = xp.max(xp.where(fits, rank, 0), axis=1, keepdims=True)
        yield 1, masked & (rank <= last)
