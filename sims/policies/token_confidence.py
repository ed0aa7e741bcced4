"""Tokens drawn at every site, of which the k most confident are kept: scores of drawn tokens."""

from collections.abc import Sequence

from sims.policies.draw_then_keep import DrawThenKeep
from sims.policies.scores import Ties

__all__ = ["TokenConfidence"]


class TokenConfidence(DrawThenKeep):
    """Draw a token at every masked site, keep the `k` whose drawn token is likeliest.

    At temperature 1 LLaDA draws and selects in this order when it remasks by low confidence, and
    so does Fast-dLLM without its threshold [code run]. The policy depends on drawn tokens: a site
    where a likely token happened to be drawn is kept, and one with an unlikely token gets another
    probability. Not exact, even at one site per round and with the zero-loss denoiser. It is
    `DrawThenKeep` of the untempered probability without noise.

    Parameters
    ----------
    k : int, optional
    sizes : sequence of int, optional
        Instead of `k`: batch sizes that sum to the length, as LLaDA has them where the steps do
        not divide it, such as ``sizes=(2, 1, 1)`` [code run].
    ties : {"lowest", "highest", "random"}
        Where equal confidences (to 12 decimals) go. LLaDA leaves it to ``torch.topk``, which says
        nothing about it.

    >>> from fractions import Fraction
    >>> from sims import output_distribution
    >>> from theory import JointTable
    >>> p = JointTable([[9, 1], [9, 1]], exact=True)     # independent bits: fair, and 9 to 1
    >>> output_distribution(p, TokenConfidence(1)).table.sum(axis=0).tolist()
    [Fraction(99, 100), Fraction(1, 100)]
    """

    def __init__(
        self, k: int | None = None, *, sizes: Sequence[int] | None = None, ties: Ties = "lowest"
    ) -> None:
        super().__init__(k, sizes=sizes, ties=ties)
