"""The k most confident sites, then their tokens: scores of positions."""

from sims.policies.base import Policy, Reveals
from sims.policies.scores import SCORES, Score, best, certainty, ranks
from theory import MASK
from theory._core.types import Array
from theory.errors import InvalidInput
from theory.validation.arguments import as_integer

__all__ = ["TopK"]


class TopK(Policy):
    """Reveal the `k` masked sites with the most confident predictions; tokens are drawn later.

    Confidence-based decoding as theory describes it (Kim et al., arXiv 2502.06768 [source], use
    the margin). It depends on untempered predictions, never on drawn tokens. Dream has the three
    scores, of tempered predictions, and takes the confidence of the drawn token above temperature
    0 [code read].
    Exact at one site per round. LLaDA's low-confidence remasking is this at temperature 0, where
    drawn tokens are the likeliest ones; at temperature 1 it is `TokenConfidence`.

    Parameters
    ----------
    k : int
    score : {"confidence", "margin", "entropy"}
        Probability of the likeliest token; that minus the next; or the entropy, lowest first.
        Equal scores (to 12 decimals) go to the lowest index.

    >>> from theory import gallery
    >>> from sims import output_distribution
    >>> q = output_distribution(gallery.cities(), TopK(1, "entropy"))
    >>> round(q.kl, 12), q.expected_rounds
    (0.0, 2.0)
    """

    randomised = False

    def __init__(self, k: int, score: Score = "confidence") -> None:
        self.k = as_integer(k, "k", 1)
        if score not in SCORES:
            raise InvalidInput(f"score must be one of {', '.join(SCORES)}, got {score!r}")
        self.score: Score = score

    def reveal_distribution(self, x: Array, predictions: Array, round_index: int) -> Reveals:
        """Yield the one outcome."""
        scores, masked = certainty(predictions, self.score), x == MASK
        if self.k == 1:
            yield 1, best(scores, masked)
        else:
            yield 1, (ranks(scores, masked) < self.k) & masked
