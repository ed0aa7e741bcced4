"""Tokens drawn at every site, of which some are kept: by scores of the tokens or of the sites."""

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from sims.policies.base import CallDenoiser, Outcomes, TokenPolicy
from sims.policies.batches import Batches
from sims.policies.best_draws import best_draws
from sims.policies.best_sites import BestSites, NoiseOn, deterministic_ranks
from sims.policies.eligible import as_eligible
from sims.policies.scores import DIGITS, Ties, as_floats, certainty, ranks, rounded
from sims.policies.site_sets import site_count
from theory._core.arrays import array_namespace, device, is_exact, require_memory
from theory._core.plurals import counted
from theory._core.segments import gather
from theory._core.types import Array
from theory.distributions.sampling import draw_tokens
from theory.errors import InvalidInput
from theory.validation.arguments import as_real

__all__ = ["DrawThenKeep", "DrawnScore"]

DrawnScore = Literal[
    "probability",
    "tempered",
    "margin",
    "entropy",
    "tempered margin",
    "tempered entropy",
    "uniform",
]
OF_TOKENS = ("probability", "tempered")
OF_SITES = ("margin", "entropy", "tempered margin", "tempered entropy")
SCORES = (*OF_TOKENS, *OF_SITES, "uniform")

AT_ONCE = 2**20
"""Values that are computed together have about so many numbers."""


class DrawThenKeep(TokenPolicy):
    """Draw a token at every masked site, then keep those at the sites of the best scores.

    The order of operations of most published samplers above temperature 0. It depends on drawn
    tokens, and is not exact, even at one site per round and with the zero-loss denoiser.

    Parameters
    ----------
    k : int, optional
        Tokens kept in every round. With a `threshold` or a `factor` the least number, 1 if not
        given.
    score : str
        "probability" of the drawn token under the untempered prediction; "tempered", under what
        it is drawn from; "margin" or "entropy" (lowest first) of the prediction, and "tempered
        margin" or "tempered entropy" of what is drawn from; or "uniform", which keeps any tokens.
    sizes : sequence of int, optional
        Instead of `k`: batch sizes that sum to the length, of which 0 is a step that keeps
        nothing.
    threshold : float, optional
        Keep all tokens whose probability exceeds it, and at least the `k` best.
    factor : float, optional
        Keep the n best tokens, for the largest n with ``(n+1) (1 - p_(n)) < factor``, where
        ``p_(n)`` is the n-th largest probability, and at least the `k` best: see `Factor`.
    noise : float or sequence of float
        Size of the Gumbel noise, or one for each of the `sizes`. Tokens are kept without
        replacement, the next one always in proportion to ``score^(1/noise)``, or to
        ``exp(score/noise)`` if it is on the score. 0 is none. Exact distributions allow no other.
    noise_on : {"log", "score"}
        Margins and entropies take it on the score; an entropy is taken with a minus.
    ties : {"lowest", "highest", "random"}
        Where equal scores (to 12 decimals) go: by index, or all sets of them are equally likely.

    Notes
    -----
    Published samplers and their settings; T is the temperature:

    - LLaDA, Fast-dLLM: ``k=1`` or `sizes`, which is `TokenConfidence` [code run].
    - Fast-dLLM, dInfer, SDAR (dynamic), LLaDA2 with a threshold: ``threshold=0.9``, of which the
      last two take ``score="tempered"`` and `k` from a schedule [code run]. The first two keep
      what is just at the threshold, too.
    - Fast-dLLM's factor: ``factor=1``, equality included. So it is in dllm; the code in dInfer
      keeps the last masked site, too, where it fails alone, so never leaves one [code run].
    - MaskGIT as in Halton-MaskGIT, in steps t = 0, ..., n-1: ``score="tempered"`` with noise
      ``r (1 - t/(n-1))`` on the logarithm [code run]. With r = 0 its code keeps all that tie with
      the last one that is kept [code read].
    - Dream, Open-dLLM: `sizes` with ``score="tempered"``, "tempered margin" or "tempered entropy";
      ``alg_temp`` is ``noise=alg_temp, noise_on="score"``: it divides the score itself, not the
      logarithm [code run]. At T = 0 they, and LLaDA2, score by the untempered probability.

    All values of the masked sites are enumerated for exact distributions of the output, V^n for n
    sites, unless `k` or `sizes` take tokens by their probability without noise or random ties.

    Examples
    --------
    Two independent bits, the second of which is 1 once in ten times, and one token per round. A 1
    is kept only if it is drawn twice, with probability 1/100. With noise of size 1 a token of
    probability .1 is kept first against one of .5 in 1/6 of cases, and one of .9 in 9/14; so there
    is a 1 with probability ``.1 (1/6 + 5/6 * .1) + .9 * 5/14 * .1 = 2/35``.

    >>> from sims import output_distribution
    >>> from theory import JointTable
    >>> p = JointTable([[9, 1], [9, 1]])
    >>> for noise in (0, 1):
    ...     print(output_distribution(p, DrawThenKeep(1, noise=noise)).table.sum(axis=0) * 35)
    [34.65  0.35]
    [33.  2.]
    """

    def __init__(
        self,
        k: int | None = None,
        score: DrawnScore = "probability",
        *,
        sizes: Sequence[int] | None = None,
        threshold: float | None = None,
        factor: float | None = None,
        noise: float | Sequence[float] = 0,
        noise_on: NoiseOn = "log",
        ties: Ties = "lowest",
    ) -> None:
        several = threshold is not None or factor is not None
        if several and k is None:
            if sizes is not None:
                raise InvalidInput(
                    "with a threshold or a factor the sizes of batches are not known before: give "
                    f"k, the least number of tokens that are kept, got sizes={sizes!r}"
                )
            k = 1
        self._batches = Batches(k, sizes, type(self).__name__)
        self.k, self.sizes = self._batches.k, self._batches.sizes
        if score not in SCORES:
            raise InvalidInput(f"score must be one of {', '.join(SCORES)}, got {score!r}")
        self.score: DrawnScore = score
        self.threshold = None if threshold is None else as_real(threshold, "threshold", 0, 1)
        self.factor = None if factor is None else as_real(factor, "factor", 0, math.inf, ends=False)
        uniform = score == "uniform"
        self._best = BestSites(
            self._batches, "random" if uniform else ties, noise, noise_on, score in OF_TOKENS
        )
        self.noise, self.noise_on, self.ties = self._best.noise, noise_on, ties
        self._refuse_what_does_not_go_together()
        self.randomised = self._best.randomised
        self._several = several

    def _refuse_what_does_not_go_together(self) -> None:
        keeps = [name for name in ("threshold", "factor") if getattr(self, name) is not None]
        if len(keeps) == 2:
            raise InvalidInput("either a threshold or a factor keeps tokens, got both")
        if keeps and self.score not in OF_TOKENS:
            raise InvalidInput(
                f"a {keeps[0]} is for scores that are {' or '.join(OF_TOKENS)}, got {self.score!r}"
            )
        if keeps and np.any(self.noise):
            raise InvalidInput(f"noise chooses k or sizes tokens, and none by a {keeps[0]}")

    def check(self, length: int, vocab: int) -> None:
        """Raise `InvalidInput` if the sizes do not sum to the length."""
        self._batches.check(length)

    def outcomes(
        self, x: Array, call_denoiser: CallDenoiser, round_index: int, eligible: Array | None = None
    ) -> Outcomes:
        """Yield every set of sites that may be kept with every choice of their tokens."""
        predictions, sampling_probs = call_denoiser(x)
        eligible = as_eligible(x, eligible)
        count, vocab = site_count(eligible), sampling_probs.shape[-1]
        size, step = (int(v[0]) for v in self._batches.at(np.asarray([count], dtype=np.int64)))
        if self.score in OF_TOKENS and not self._several and not self._best.random_at(step):
            of = predictions if self.score == "probability" else sampling_probs
            highest = self.ties == "highest"
            yield from best_draws(x, eligible, of, sampling_probs, size, highest=highest)
            return
        xp = array_namespace(x)
        cells = vocab ** (count if self.score in OF_TOKENS else size)
        each = self._best.held(count, size) * cells
        rows = max(1, min(x.shape[0], AT_ONCE // each))
        what = f"what is drawn at {counted(count, 'site')} over {counted(vocab, 'token')}"
        require_memory(each, what, x)
        every, site = (xp.arange(n, dtype=xp.int64, device=device(x)) for n in x.shape)
        sites = xp.reshape(xp.nonzero(eligible)[1], (-1, count))
        for start in range(0, x.shape[0], rows):
            part = every[start : start + rows]
            among = gather(sites, part)
            index = part[:, None] * x.shape[1] + among
            scores, draws = (
                _at_places(gather(xp.reshape(values, (-1, values.shape[-1])), index))
                for values in (self._scores(predictions, sampling_probs), sampling_probs)
            )
            number = self._number(scores, size)
            exact = is_exact(sampling_probs)
            for places, weight in self._best.sets(scores, number, step, exact):
                some, probability, tokens = _kept(places, weight, draws)
                after = gather(x, gather(part, some))
                for i, token in zip(places, tokens, strict=True):
                    here = site == gather(among[:, i], some)[:, None]
                    after = xp.where(here, token[:, None], after)
                yield gather(part, some), probability, after, 1

    def write(
        self,
        x: np.ndarray,
        call_denoiser: CallDenoiser,
        round_index: int,
        rng: np.random.Generator,
        eligible: Array | None = None,
    ) -> tuple[np.ndarray, int]:
        """Draw everywhere, keep the best."""
        predictions, sampling_probs = call_denoiser(x)
        eligible = as_eligible(x, eligible)
        rows = sampling_probs.reshape(-1, sampling_probs.shape[-1])
        drawn = draw_tokens(rng, rows).reshape(x.shape)
        scores = self._scores(predictions, sampling_probs)
        scores = np.broadcast_to(scores, sampling_probs.shape)
        scores = np.take_along_axis(scores, drawn[..., None], axis=-1)[..., 0]
        size, steps = self._batches.at(eligible.sum(axis=1))
        if self._several:
            rank = ranks(rounded(scores), eligible)
            fits = eligible & self._fits(scores, rank)
            size = np.maximum(size, np.where(fits, rank + 1, 0).max(axis=1))
        return np.where(self._best.draw(scores, eligible, size, steps, rng), drawn, x), 1

    def _scores(self, predictions: Array, sampling_probs: Array) -> Array:
        """The score of each token (B, L, V), or of all tokens of a site (B, L, 1)."""
        xp = array_namespace(predictions)
        of = as_floats(sampling_probs if self.score.startswith("tempered") else predictions)
        if self.score in OF_TOKENS:
            return of
        if self.score == "uniform":
            return xp.zeros_like(of[:, :, :1])
        return certainty(of, "margin" if self.score.endswith("margin") else "entropy")[:, :, None]

    def _number(self, scores: list[Array], size: int) -> Any:
        """How many are kept, for every value of the scores."""
        if not self._several:
            return size
        xp, number = array_namespace(*scores), size
        places = [rounded(score) for score in scores]
        for score, rank in zip(scores, deterministic_ranks(places, highest=False), strict=True):
            kept = xp.where(self._fits(score, rank), rank + 1, 0)
            number = xp.where(kept > number, kept, number)
        return number

    def _fits(self, scores: Array, rank: Array) -> Array:
        """Whether a token of that rank is kept by the threshold or the factor."""
        if self.threshold is not None:
            return rounded(scores) > round(self.threshold, DIGITS)
        assert self.factor is not None
        xp = array_namespace(rank)
        product = xp.astype(rank + 2, xp.float64) * (1 - scores)
        return rounded(product) < round(self.factor, DIGITS)


def _at_places(values: Array) -> list[Array]:
    """Values (B, n, V) at n places, each along an axis of its own: (B, 1, ..., V, ..., 1)."""
    xp, (rows, count, vocab) = array_namespace(values), values.shape
    shapes = ((rows, *[1] * i, vocab, *[1] * (count - 1 - i)) for i in range(count))
    return [xp.reshape(values[:, i, :], shape) for i, shape in enumerate(shapes)]


def _kept(
    places: tuple[int, ...], weight: Any, draws: list[Array]
) -> tuple[Array, Array, list[Array]]:
    """Rows, probabilities and tokens of all that is kept at some places, whatever the others drew.

    The weight is the probability that these places are kept, for every value of the draws.
    """
    xp, vocab = array_namespace(*draws), draws[0].shape[1]
    if hasattr(weight, "shape"):
        weight = xp.astype(weight, draws[0].dtype)
    for i, probability in enumerate(draws):
        if i not in places:
            weight = xp.sum(weight * probability, axis=i + 1, keepdims=True)
    for i in places:
        weight = weight * draws[i]
    weight = xp.reshape(weight, (draws[0].shape[0], -1))
    rows, value = xp.nonzero(weight != 0)
    probability = gather(xp.reshape(weight, (-1,)), rows * weight.shape[1] + value)
    last = len(places) - 1
    return rows, probability, [value // vocab ** (last - k) % vocab for k in range(last + 1)]
