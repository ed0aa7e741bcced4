"""Tokens drawn at every site, of which the k most confident are kept: scores of drawn tokens."""

import itertools
import math
from typing import Any

import numpy as np

from sims.policies.base import CallDenoiser, Outcomes, TokenPolicy
from sims.policies.eligible import as_eligible
from sims.policies.scores import as_floats, ranks, rounded
from sims.policies.site_sets import site_count
from theory._core.arrays import array_namespace, device
from theory._core.segments import gather
from theory._core.types import Array
from theory.distributions.sampling import draw_tokens
from theory.validation.arguments import as_integer

__all__ = ["TokenConfidence"]


class TokenConfidence(TokenPolicy):
    """Draw a token at every masked site, keep the `k` whose drawn token is likeliest.

    At temperature 1 LLaDA draws and selects in this order when it remasks by low confidence, and
    so does Fast-dLLM without its threshold [code read]. The policy depends on drawn tokens: a site
    where a likely token happened to be drawn is kept, and one with an unlikely token gets another
    probability. Not exact, even at one site per round and with the zero-loss denoiser.

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

    randomised = False

    def __init__(self, k: int) -> None:
        self.k = as_integer(k, "k", 1)

    def outcomes(
        self, x: Array, call_denoiser: CallDenoiser, round_index: int, eligible: Array | None = None
    ) -> Outcomes:
        """Yield every set of k sites with every choice of tokens.

        A set with its tokens is kept if every other site drew a token that ranks below all of
        them, that is, below the worst of them. The others' draws are summed over in `_below`.
        """
        predictions, sampling_probs = call_denoiser(x)
        eligible = as_eligible(x, eligible)
        xp, count, vocab = array_namespace(x), site_count(eligible), sampling_probs.shape[-1]
        rows = xp.arange(x.shape[0], dtype=xp.int64, device=device(x))
        every = xp.arange(x.shape[1], dtype=xp.int64, device=device(x))
        sites = xp.reshape(xp.nonzero(eligible)[1], (-1, count))
        index = rows[:, None] * x.shape[1] + sites
        confident, probabilities = (
            gather(xp.reshape(values, (-1, vocab)), index)
            for values in (rounded(as_floats(predictions)), sampling_probs)
        )
        below, step = xp.reshape(_below(confident, probabilities), (-1,)), count * vocab
        here = [every == sites[:, i, None] for i in range(count)]
        size = min(self.k, count)
        for chosen in itertools.combinations(range(count), size):
            others = [j for j in range(count) if j not in chosen]
            for tokens in itertools.product(range(vocab), repeat=size):
                probability: Any = 1
                after, worst = x, xp.zeros_like(rows)
                least = xp.zeros_like(confident[:, 0, 0]) + math.inf
                for i, v in zip(chosen, tokens, strict=True):
                    probability, value = probability * probabilities[:, i, v], confident[:, i, v]
                    worst = xp.where(value <= least, i * vocab + v, worst)  # of equal ones the last
                    least = xp.minimum(value, least)
                    after = xp.where(here[i], v, after)
                for j in others:
                    probability = probability * xp.take(below, (rows * count + j) * step + worst)
                some = xp.nonzero(probability != 0)[0]
                if some.shape[0] < x.shape[0]:
                    after, probability = xp.take(after, some, axis=0), xp.take(probability, some)
                yield some, probability, after, 1

    def write(
        self,
        x: np.ndarray,
        call_denoiser: CallDenoiser,
        round_index: int,
        rng: np.random.Generator,
        eligible: Array | None = None,
    ) -> tuple[np.ndarray, int]:
        """Draw everywhere, keep the likeliest."""
        predictions, sampling_probs = call_denoiser(x)
        eligible = as_eligible(x, eligible)
        rows = sampling_probs.reshape(-1, sampling_probs.shape[-1])
        drawn = draw_tokens(rng, rows).reshape(x.shape)
        confident = np.take_along_axis(as_floats(predictions), drawn[..., None], axis=-1)[..., 0]
        keep = eligible & (ranks(rounded(confident), eligible) < self.k)
        return np.where(keep, drawn, x), 1


def _below(confident: Array, probabilities: Array) -> Array:
    """Probability that site j draws a token that ranks below token v at site i, (B, j, i, v)."""
    xp = array_namespace(confident)
    site = xp.arange(confident.shape[1], dtype=xp.int64, device=device(confident))
    later = (site[:, None] > site)[None, :, :, None]
    total: Any = 0
    for u in range(confident.shape[-1]):
        other, this = confident[:, :, u][:, :, None, None], confident[:, None, :, :]
        ranks_below = (other < this) | ((other == this) & later)
        total = total + xp.where(ranks_below, probabilities[:, :, u][:, :, None, None], 0)
    return total
