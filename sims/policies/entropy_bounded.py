"""The entropy-bounded sampler: as many sites as a bound on their entropies allows."""

import math

from sims.policies.base import Policy, Reveals
from sims.policies.scores import DIGITS, entropy, ranks, rounded
from theory import MASK
from theory._core.arrays import array_namespace
from theory._core.types import Array
from theory.validation.arguments import as_real

__all__ = ["EntropyBounded"]


class EntropyBounded(Policy):
    """Reveal the longest prefix by entropy whose sum without the largest is at most `gamma`.

    The entropy-bounded sampler (arXiv 2505.24857) [source], ordered by entropy: masked sites,
    those of the lowest entropies first, as long as ``cumsum(H) - cummax(H) <= gamma``, at least
    one. The sum bounds the total correlation of the set. It depends on predictions. Exact for
    ``gamma = 0``, which adds only sites that are certain.

    Parameters
    ----------
    gamma : float
        In nats, not negative.

    >>> from theory import gallery
    >>> from sims import output_distribution
    >>> q = output_distribution(gallery.coupled_pairs(2), EntropyBounded(0.0))
    >>> round(q.kl, 12), q.expected_rounds    # a pair's second site joins the next pair's first
    (0.0, 3.0)
    """

    randomised = False

    def __init__(self, gamma: float) -> None:
        self.gamma = as_real(gamma, "gamma", 0, math.inf)

    def reveal_distribution(self, x: Array, predictions: Array, round_index: int) -> Reveals:
        """Yield the one outcome."""
        xp, uncertain, masked = array_namespace(x), entropy(predictions), x == MASK
        rank = ranks(-uncertain, masked)
        order = xp.argsort(rank, axis=1)
        sorted_entropies = xp.take_along_axis(xp.where(masked, uncertain, 0.0), order, axis=1)
        # what comes before a site; its own is the largest so far
        before = xp.cumulative_sum(sorted_entropies, axis=1) - sorted_entropies
        spent = rounded(xp.take_along_axis(before, rank, axis=1))
        yield 1, masked & (spent <= round(self.gamma, DIGITS))
