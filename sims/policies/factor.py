"""As many sites as are jointly sure enough."""

import math

import numpy as np

from sims.policies.base import Law, Policy
from sims.policies.scores import DIGITS, largest, ranks
from theory import MASK
from theory.validation import as_real

__all__ = ["Factor"]


class Factor(Policy):
    """Reveal the surest sites: as many as have ``(n+1) (1 - c_(n)) < f``, or one if none has.

    The factor-based rule of Fast-dLLM (arXiv 2505.22618) [source], where ``c_(n)`` is the n-th
    largest top probability among the masked sites; n is the largest that satisfies it. For f = 1
    it is the condition of their Theorem 1, under which the likeliest tokens of the product are
    those of the joint. The code allows equality, and reveals the last masked site even if it alone
    fails [code read]. It looks at predictions. Not exact.

    Parameters
    ----------
    f : float
        Above 0.

    >>> from theory import gallery
    >>> from sims import output_distribution
    >>> output_distribution(gallery.repeated_bit(4), Factor(1.0)).expected_rounds
    2.0
    """

    def __init__(self, f: float) -> None:
        self.f = as_real(f, "f", 0, math.inf, ends=False)

    def law(self, x: np.ndarray, predictions: np.ndarray, round_index: int) -> Law:
        """Yield the one outcome."""
        sure, masked = largest(predictions), x == MASK
        place = ranks(np.round(sure, DIGITS), x)
        fits = masked & (np.round((place + 2) * (1 - sure), DIGITS) < np.round(self.f, DIGITS))
        last = np.where(fits, place, 0).max(axis=1, keepdims=True)
        yield 1, masked & (place <= last)
