"""The k most confident sites, then their tokens: scores of positions."""

from collections.abc import Sequence

import numpy as np

from sims.policies.base import Policy, Reveals
from sims.policies.batches import Batches
from sims.policies.best_sites import BestSites, NoiseOn
from sims.policies.scores import SCORES, Score, Ties, best, certainty, ranks
from sims.policies.site_sets import site_count, site_numbers, sites_at
from theory import MASK
from theory._core.arrays import array_namespace, is_exact, require_memory
from theory._core.types import Array
from theory.errors import InvalidInput

__all__ = ["TopK"]


class TopK(Policy):
    """Reveal the `k` masked sites with the most confident predictions; tokens are drawn later.

    Confidence-based decoding as theory describes it (Kim et al., arXiv 2502.06768 [source], use
    the margin). It depends on untempered predictions, never on drawn tokens. Exact at one site per
    round. LLaDA's low-confidence remasking is this at temperature 0, where drawn tokens are the
    likeliest ones [code run]; at temperature 1 it is `TokenConfidence`.

    Dream's margin and entropy orders are this at temperature 1, with `sizes` that may start with
    zeros and end with 2 [code run]; at other temperatures it takes them of the tempered
    predictions, see `DrawThenKeep`. Its ``alg_temp`` is ``noise=alg_temp, noise_on="score"``.

    Parameters
    ----------
    k : int, optional
    score : {"confidence", "margin", "entropy"}
        Probability of the likeliest token; that minus the next; or the entropy, lowest first.
    sizes : sequence of int, optional
        Instead of `k`: batch sizes that sum to the length, of which 0 is a step that reveals
        nothing. LLaDA's 3 steps on 4 sites are ``sizes=(2, 1, 1)`` [code run].
    ties : {"lowest", "highest", "random"}
        Where equal scores (to 12 decimals) go: by index, or all sets of them are equally likely.
    noise : float or sequence of float
        Size of the Gumbel noise, or one for each of the `sizes`: sites are chosen without
        replacement, the next one always in proportion to ``confidence^(1/noise)``, or to
        ``exp(score/noise)`` if it is on the score. 0 is none.
    noise_on : {"log", "score"}
        Margins and entropies take it on the score; an entropy is taken with a minus.

    >>> from theory import gallery
    >>> from sims import output_distribution
    >>> q = output_distribution(gallery.cities(), TopK(1, "entropy"))
    >>> round(q.kl, 12), q.expected_rounds
    (0.0, 2.0)

    All scores are equal, and pairs of equal bits lie side by side. The lowest two are a pair:

    >>> p = gallery.coupled_pairs(2, exact=True)
    >>> for ties in ("lowest", "random"):
    ...     print(output_distribution(p, TopK(sizes=(2, 1, 1), ties=ties)).valid_mass)
    1/2
    5/6
    """

    randomised = False

    def __init__(
        self,
        k: int | None = None,
        score: Score = "confidence",
        *,
        sizes: Sequence[int] | None = None,
        ties: Ties = "lowest",
        noise: float | Sequence[float] = 0,
        noise_on: NoiseOn = "log",
    ) -> None:
        self._batches = Batches(k, sizes, type(self).__name__)
        self.k, self.sizes = self._batches.k, self._batches.sizes
        if score not in SCORES:
            raise InvalidInput(f"score must be one of {', '.join(SCORES)}, got {score!r}")
        self.score: Score = score
        self._best = BestSites(self._batches, ties, noise, noise_on, score == "confidence")
        self.ties, self.noise, self.noise_on = ties, self._best.noise, noise_on
        if self._best.randomised:
            self.randomised = True
        self.gapwise = self.k == 1 and not self.randomised

    def check(self, length: int, vocab: int) -> None:
        """Raise `InvalidInput` if the sizes do not sum to the length."""
        self._batches.check(length)

    def reveal_distribution(self, x: Array, predictions: Array, round_index: int) -> Reveals:
        """Yield every set that the ties and the noise may choose."""
        scores, masked = certainty(predictions, self.score), x == MASK
        count = site_count(masked)
        size, step = (int(v[0]) for v in self._batches.at(np.asarray([count], dtype=np.int64)))
        if self._best.random_at(step):
            yield from self._sets(scores, masked, size, step, is_exact(predictions))
        elif size == 1 and self.ties == "lowest":
            yield 1, best(scores, masked)
        else:
            yield 1, masked & (ranks(scores, masked, highest=self.ties == "highest") < size)

    def _sets(self, scores: Array, masked: Array, size: int, step: int, exact: bool) -> Reveals:
        xp, count = array_namespace(masked), site_count(masked)
        require_memory(masked.shape[0] * self._best.held(count, size), "sets of sites", masked)
        sites = xp.reshape(xp.nonzero(masked)[1], (-1, count))
        numbers, here = site_numbers(masked), xp.take_along_axis(scores, sites, axis=1)
        columns = [here[:, i] for i in range(count)]
        for places, probability in self._best.sets(columns, size, step, exact):
            yield probability, sites_at(places, numbers)

    def choose(
        self, x: np.ndarray, predictions: np.ndarray, round_index: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Draw the noise and the ties."""
        if not self._best.randomised:
            return super().choose(x, predictions, round_index, rng)
        masked = x == MASK
        size, step = self._batches.at(masked.sum(axis=1))
        return self._best.draw(certainty(predictions, self.score), masked, size, step, rng)
