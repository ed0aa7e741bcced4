"""Left to right, k sites at a time: autoregressive decoding for k = 1."""

from sims.policies.base import Policy, Reveals
from theory import MASK
from theory._core.arrays import array_namespace
from theory._core.types import Array
from theory.validation.arguments import as_integer

__all__ = ["LeftToRight"]


class LeftToRight(Policy):
    """Reveal the first `k` masked sites.

    With ``k = 1`` this is autoregressive decoding. It depends neither on tokens nor on
    predictions. Exact at one site per round.

    Parameters
    ----------
    k : int

    >>> from theory import gallery
    >>> from sims import output_distribution
    >>> q = output_distribution(gallery.permutations(3, exact=True), LeftToRight())
    >>> q.kl, q.expected_rounds
    (0, Fraction(3, 1))
    """

    depends_on = "nothing"
    randomised = False

    def __init__(self, k: int = 1) -> None:
        self.k = as_integer(k, "k", 1)

    def reveal_distribution(self, x: Array, predictions: Array, round_index: int) -> Reveals:
        """Yield the one outcome."""
        xp, masked = array_namespace(x), x == MASK
        yield 1, masked & (xp.cumulative_sum(xp.astype(masked, xp.int64), axis=1) <= self.k)
