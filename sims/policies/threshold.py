"""The confidence threshold: all sites whose prediction is confident enough."""

from sims.policies.base import Policy, Reveals
from sims.policies.scores import DIGITS, best, confidence
from theory import MASK
from theory._core.arrays import array_namespace
from theory._core.types import Array
from theory.validation.arguments import as_real

__all__ = ["Threshold"]


class Threshold(Policy):
    """Reveal all masked sites whose top probability exceeds `gamma`, else the most confident.

    The confidence threshold of Fast-dLLM (arXiv 2505.22618) [code read], which selects by
    predictions at temperature 0 only; above it, it is `DrawThenKeep` with a threshold.
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

    randomised = False
    gapwise = True

    def __init__(self, gamma: float) -> None:
        self.gamma = as_real(gamma, "gamma", 0, 1)

    def reveal_distribution(self, x: Array, predictions: Array, round_index: int) -> Reveals:
        """Yield the one outcome."""
        xp, masked, confident = array_namespace(x), x == MASK, confidence(predictions)
        above = masked & (confident > round(self.gamma, DIGITS))
        yield 1, xp.where(xp.any(above, axis=1, keepdims=True), above, best(confident, masked))
