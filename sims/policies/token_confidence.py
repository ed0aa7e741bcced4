"""A token for every site, then the k likeliest of them: scores of drawn tokens."""

import itertools
from typing import Any

import numpy as np

from sims.policies.base import Ask, Outcomes, TokenPolicy
from sims.policies.random_order import masked_sites
from sims.policies.scores import as_floats, ranks, rounded
from theory import MASK
from theory._core.arrays import array_namespace, device
from theory.distributions.sampling import draw_tokens
from theory.validation.arguments import as_integer

__all__ = ["TokenConfidence"]


class TokenConfidence(TokenPolicy):
    """Draw a token at every masked site, keep the `k` whose drawn token is likeliest.

    At temperature 1 LLaDA draws and selects in this order when it remasks by low confidence, and
    so does Fast-dLLM without its threshold [code read]. The policy looks at drawn tokens: a site
    where a likely token happened to be drawn is kept, and one with an unlikely token gets another
    chance. Not exact, even at one site per round and with the zero-loss denoiser.

    Parameters
    ----------
    k : int
        Equal confidences (to 12 decimals) go to the lowest index.

    >>> from fractions import Fraction
    >>> from sims import output_distribution
    >>> from theory import JointTable
    >>> p = JointTable([[9, 1], [9, 1]], exact=True)     # independent bits: fair, and 9 to 1
    >>> output_distribution(p, TokenConfidence(1)).table.sum(axis=0).tolist()
    [Fraction(99, 100), Fraction(1, 100)]
    """

    def __init__(self, k: int) -> None:
        self.k = as_integer(k, "k", 1)

    def outcomes(self, x: Any, ask: Ask, round_index: int) -> Outcomes:
        """Yield every set of k sites with every choice of tokens.

        A set with its tokens is kept if every other site drew a token that ranks below all of
        them, that is, below the worst of them. The others' draws are summed over in `_below`.
        """
        predictions, draws = ask(x)
        xp, count, vocab = array_namespace(x), masked_sites(x), draws.shape[-1]
        rows = xp.arange(x.shape[0], dtype=xp.int64, device=device(x))
        every = xp.arange(x.shape[1], dtype=xp.int64, device=device(x))
        sites = xp.reshape(xp.nonzero(x == MASK)[1], (-1, count))
        sure, chances = (
            xp.reshape(
                xp.take(
                    xp.reshape(values, (-1, vocab)),
                    xp.reshape(rows[:, None] * x.shape[1] + sites, (-1,)),
                    axis=0,
                ),
                (-1, count, vocab),
            )
            for values in (rounded(as_floats(predictions)), draws)
        )
        below, step = xp.reshape(_below(sure, chances), (-1,)), count * vocab
        here = [every == sites[:, i, None] for i in range(count)]
        size = min(self.k, count)
        for chosen in itertools.combinations(range(count), size):
            others = [j for j in range(count) if j not in chosen]
            for tokens in itertools.product(range(vocab), repeat=size):
                pairs = list(zip(chosen, tokens, strict=True))
                chance, least, worst = None, None, None
                for i, v in pairs:
                    alone, value = chances[:, i, v], sure[:, i, v]
                    chance = alone if chance is None else chance * alone
                    if least is None or worst is None:
                        least, worst = value, xp.zeros_like(rows) + (i * vocab + v)
                    else:  # of equal ones the last site is the worst
                        worst = xp.where(value <= least, i * vocab + v, worst)
                        least = xp.minimum(value, least)
                for j in others:
                    chance = chance * xp.take(below, (rows * count + j) * step + worst)
                some = xp.nonzero(chance != 0)[0]
                after = x
                for i, v in pairs:
                    after = xp.where(here[i], v, after)
                if some.shape[0] < x.shape[0]:
                    after, chance = xp.take(after, some, axis=0), xp.take(chance, some)
                yield some, chance, after, 1

    def write(
        self, x: np.ndarray, ask: Ask, round_index: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, int]:
        """Draw everywhere, keep the likeliest."""
        predictions, draws = ask(x)
        drawn = draw_tokens(rng, draws.reshape(-1, draws.shape[-1])).reshape(x.shape)
        sure = np.take_along_axis(as_floats(predictions), drawn[..., None], axis=-1)[..., 0]
        keep = (x == MASK) & (ranks(rounded(sure), x) < self.k)
        return np.where(keep, drawn, x), 1


def _below(sure: Any, chances: Any) -> Any:
    """Probability that site j draws a token that ranks below token v at site i, (B, j, i, v)."""
    xp = array_namespace(sure)
    site = xp.arange(sure.shape[1], dtype=xp.int64, device=device(sure))
    later = (site[:, None] > site)[None, :, :, None]
    total: Any = 0
    for u in range(sure.shape[-1]):
        other, this = sure[:, :, u][:, :, None, None], sure[:, None, :, :]
        ranks_below = (other < this) | ((other == this) & later)
        total = total + xp.where(ranks_below, chances[:, :, u][:, :, None, None], 0)
    return total
