"""The first-hitting sampler: one uniformly random masked site in each round."""

import numpy as np

from sims.policies.base import Policy, Reveals
from sims.policies.site_sets import random_sites, uniform_sets
from theory import MASK
from theory._core.types import Array

__all__ = ["FirstHitting"]


class FirstHitting(Policy):
    """Reveal one uniformly random masked site.

    The first-hitting sampler of Zheng et al. (arXiv 2409.02908) [memory], which BD3-LM uses
    [code run]: of infinitely many ancestral steps only those are taken in which a site is revealed,
    and which site that is does not depend on the time. So it is the limit of
    `Bernoulli` with ever finer times, whatever the noise schedule, at one call of the denoiser per
    site. It depends neither on tokens nor on predictions. Exact.

    >>> from theory import gallery
    >>> from sims import output_distribution
    >>> q = output_distribution(gallery.permutations(3, exact=True), FirstHitting())
    >>> q.kl, q.expected_rounds
    (0, Fraction(3, 1))
    """

    depends_on = "nothing"

    def reveal_distribution(self, x: Array, predictions: Array, round_index: int) -> Reveals:
        """Yield every masked site of each row."""
        yield from uniform_sets(x == MASK, 1)

    def choose(
        self, x: np.ndarray, predictions: np.ndarray, round_index: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Draw the site."""
        return random_sites(x == MASK, np.ones(len(x)), rng)
