"""A token for every site, then the k likeliest of them: scores of drawn tokens."""

import itertools

import numpy as np

from sims.policies.base import Ask, Outcomes, TokenPolicy
from sims.policies.scores import DIGITS, as_floats, ranks
from theory import MASK
from theory.distributions.sampling import draw_tokens
from theory.validation import as_integer

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

    def outcomes(self, x: np.ndarray, ask: Ask, round_index: int) -> Outcomes:
        """Yield every set of k sites with every choice of tokens.

        A set with its tokens is kept if every other site drew a token that ranks below all of
        them, that is, below the worst of them. The others' draws are summed over in `_below`.
        """
        predictions, draws = ask(x)
        rows = np.arange(len(x))
        count = int((x[0] == MASK).sum())
        sites = np.nonzero(x == MASK)[1].reshape(len(x), count)
        sure = np.round(as_floats(predictions[rows[:, None], sites]), DIGITS)
        chances = draws[rows[:, None], sites]
        below = _below(sure, chances)
        size = min(self.k, count)
        for chosen in itertools.combinations(range(count), size):
            others = [j for j in range(count) if j not in chosen]
            for tokens in itertools.product(range(draws.shape[-1]), repeat=size):
                chance = chances[:, chosen[0], tokens[0]]
                for i, v in zip(chosen[1:], tokens[1:], strict=True):
                    chance = chance * chances[:, i, v]
                kept = sure[:, chosen, tokens]
                last = size - 1 - np.argmin(kept[:, ::-1], axis=1)  # of equal ones the last site
                worst, token = np.asarray(chosen)[last], np.asarray(tokens)[last]
                for j in others:
                    chance = chance * below[rows, j, worst, token]
                here = np.flatnonzero(chance != 0)
                after = x[here]
                np.put_along_axis(after, sites[here][:, chosen], np.asarray([tokens]), axis=1)
                yield here, chance[here], after, 1

    def write(
        self, x: np.ndarray, ask: Ask, round_index: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, int]:
        """Draw everywhere, keep the likeliest."""
        predictions, draws = ask(x)
        drawn = draw_tokens(rng, draws.reshape(-1, draws.shape[-1])).reshape(x.shape)
        sure = np.take_along_axis(as_floats(predictions), drawn[..., None], axis=-1)[..., 0]
        keep = (x == MASK) & (ranks(np.round(sure, DIGITS), x) < self.k)
        return np.where(keep, drawn, x), 1


def _below(sure: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """Probability that site j draws a token that ranks below token v at site i, (B, j, i, v)."""
    site = np.arange(sure.shape[1])
    later = (site[:, None] > site)[None, :, :, None]
    total = np.zeros((len(sure), len(site), *sure.shape[1:]), dtype=chances.dtype)
    for u in range(sure.shape[-1]):
        other, this = sure[:, :, None, None, u], sure[:, None, :, :]
        ranks_below = (other < this) | ((other == this) & later)
        total = total + np.where(ranks_below, chances[:, :, None, None, u], 0)
    return total
