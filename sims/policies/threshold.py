"""All sites that are sure enough."""

from typing import Any

from sims.policies.base import Law, Policy
from sims.policies.scores import DIGITS, best, confidence
from theory import MASK
from theory._core.arrays import array_namespace
from theory.validation.arguments import as_real

__all__ = ["Threshold"]


class Threshold(Policy):
    """Reveal all masked sites whose top probability exceeds `gamma`, else the surest one.

    The confidence threshold of Fast-dLLM (arXiv 2505.22618) [code read], which selects by
    predictions at temperature 0 only; see `TokenConfidence` for what looking at drawn tokens does.
    The code also keeps sites that are just at the threshold; here the probability has to exceed
    it, so that 1 means one site per round. Not exact: how many sites fall together depends on the
    data.

    Parameters
    ----------
    gamma : float
        Between 0 and 1; 1 reveals one site per round and is exact.

    >>> from theory import gallery
    >>> from sims import output_distribution
    >>> q = output_distribution(gallery.repeated_bit(4), Threshold(0.9))
    >>> round(q.kl, 12), q.expected_rounds    # one site, then all the others are certain
    (0.0, 2.0)
    """

    def __init__(self, gamma: float) -> None:
        self.gamma = as_real(gamma, "gamma", 0, 1)

    def law(self, x: Any, predictions: Any, round_index: int) -> Law:
        """Yield the one outcome."""
        sure = confidence(predictions)
        above = (x == MASK) & (sure > round(self.gamma, DIGITS))
        xp = array_namespace(x)
        yield 1, xp.where(xp.any(above, axis=1, keepdims=True), above, best(sure, x))
