"""The most probable of the tokens that are drawn, without the enumeration of all of them."""

import itertools
import math
from typing import Any

from sims.policies.base import Outcomes
from sims.policies.scores import as_floats, rounded
from sims.policies.site_sets import site_count
from theory._core.arrays import array_namespace, device
from theory._core.segments import gather
from theory._core.types import Array

__all__ = ["best_draws"]


def best_draws(
    x: Array, eligible: Array, scores: Array, sampling_probs: Array, size: int, *, highest: bool
) -> Outcomes:
    """Yield every set of `size` eligible sites with every choice of tokens.

    A set with its tokens is kept if every other site drew a token that ranks below all of
    them, that is, below the worst of them. The others' draws are summed over in `_below`.

    Parameters
    ----------
    x : array of int64, shape (B, L)
    eligible : array of bool, shape (B, L)
        Equally many in each row.
    scores, sampling_probs : arrays, shape (B, L, V)
        The score of each token, and how probable it is to be drawn.
    size : int
    highest : bool
        Whether equal scores go to the highest index, or to the lowest.
    """
    xp, count, vocab = array_namespace(x), site_count(eligible), sampling_probs.shape[-1]
    rows = xp.arange(x.shape[0], dtype=xp.int64, device=device(x))
    every = xp.arange(x.shape[1], dtype=xp.int64, device=device(x))
    sites = xp.reshape(xp.nonzero(eligible)[1], (-1, count))
    index = rows[:, None] * x.shape[1] + sites
    confident, probabilities = (
        gather(xp.reshape(values, (-1, vocab)), index)
        for values in (rounded(as_floats(scores)), sampling_probs)
    )
    below = xp.reshape(_below(confident, probabilities, highest), (-1,))
    step = count * vocab
    here = [every == sites[:, i, None] for i in range(count)]
    for chosen in itertools.combinations(range(count), size):
        others = [j for j in range(count) if j not in chosen]
        for tokens in itertools.product(range(vocab), repeat=size):
            probability: Any = 1
            after, worst = x, xp.zeros_like(rows)
            least = xp.zeros_like(confident[:, 0, 0]) + math.inf
            for i, v in zip(chosen, tokens, strict=True):
                probability, value = probability * probabilities[:, i, v], confident[:, i, v]
                # of equal ones the last, or the first
                worse = value < least if highest else value <= least
                worst = xp.where(worse, i * vocab + v, worst)
                least = xp.minimum(value, least)
                after = xp.where(here[i], v, after)
            for j in others:
                probability = probability * xp.take(below, (rows * count + j) * step + worst)
            some = xp.nonzero(probability != 0)[0]
            if some.shape[0] < x.shape[0]:
                after, probability = xp.take(after, some, axis=0), xp.take(probability, some)
            yield some, probability, after, 1


def _below(confident: Array, probabilities: Array, highest: bool) -> Array:
    """Probability that site j draws a token that ranks below token v at site i, (B, j, i, v)."""
    xp = array_namespace(confident)
    site = xp.arange(confident.shape[1], dtype=xp.int64, device=device(confident))
    loses_ties = (site[:, None] < site if highest else site[:, None] > site)[None, :, :, None]
    total: Any = 0
    for u in range(confident.shape[-1]):
        other, this = confident[:, :, u][:, :, None, None], confident[:, None, :, :]
        ranks_below = (other < this) | ((other == this) & loses_ties)
        total = total + xp.where(ranks_below, probabilities[:, :, u][:, :, None, None], 0)
    return total
