"""Path planning: all sites are scored again in every step, and the least certain are masked."""

import copy
from typing import Self

import numpy as np

from sims.policies.base import CallDenoiser, Outcomes, TokenPolicy
from sims.policies.observed_sites import Observed, as_convention
from sims.policies.token_confidence import TokenConfidence
from theory import MASK
from theory._core.arrays import array_namespace, from_host
from theory._core.segments import gather
from theory._core.types import Array
from theory.validation.arguments import as_integer

__all__ = ["PathPlanning"]


class PathPlanning(TokenPolicy):
    """Draw a token at every site, written or not, and mask those whose draw is least likely.

    P2 with the model as its own planner (arXiv 2502.03540 [memory]), as Open-dLLM has it [code
    run]. After step i of T the ``ceil(n i / T)`` sites with the likeliest draws, of the n that are
    not given, are shown: a masked one with its draw, a written one with the token that it had. So
    the scores of written sites depend on what predictions say there, see `observed`. Not exact.

    Parameters
    ----------
    steps : int
        T. It ends with the step after which all sites are shown.
    observed : {"one-hot", "leave-one-out", "flat"}
        Predictions at written sites: the token; the prediction given the others; all tokens alike.
        With the first a written site is masked only for a certain draw at a lower index.

    Notes
    -----
    Equal scores (to 12 decimals) go to the lowest index. Open-dLLM takes the tempered and truncated
    predictions for scores, which at temperature 1 are the predictions.

    >>> from fractions import Fraction
    >>> from sims import output_distribution
    >>> from theory import JointTable
    >>> p = JointTable([[9, 1], [9, 1]], exact=True)     # independent bits: fair, and 9 to 1
    >>> q = output_distribution(p, PathPlanning(2, "leave-one-out"))
    >>> q.table.sum(axis=0).tolist()
    [Fraction(99, 100), Fraction(1, 100)]
    """

    remasks = True
    randomised = False

    def __init__(self, steps: int, observed: Observed = "one-hot") -> None:
        self._all_steps = as_integer(steps, "steps", 1)
        self.observed = as_convention(observed)
        self._given: tuple[int, ...] = ()
        self._written = None

    @property
    def steps(self) -> int:
        """Those until all sites are shown, if their number is known (see `with_given`)."""
        if self._written is None:
            return self._all_steps
        return self._all_steps * (self._written - 1) // self._written + 1

    def with_given(self, sites: tuple[int, ...], length: int) -> Self:
        """Given sites are neither scored nor masked."""
        known = copy.copy(self)
        known._given, known._written = sites, length - len(sites)
        return known

    def outcomes(self, x: Array, call_denoiser: CallDenoiser, round_index: int, /) -> Outcomes:
        """Yield every set of sites that stay, with every choice of tokens at the masked ones."""
        answer, blank, free, inner = self._round(x, call_denoiser, round_index)
        every = array_namespace(x).broadcast_to(free, x.shape)
        kept = inner.outcomes(blank, lambda _: answer, round_index, eligible=every)
        for rows, probability, drawn, calls in kept:
            yield rows, probability, _shown(gather(x, rows), drawn), calls

    def write(
        self,
        x: np.ndarray,
        call_denoiser: CallDenoiser,
        round_index: int,
        rng: np.random.Generator,
        /,
    ) -> tuple[np.ndarray, int]:
        """Draw everywhere, keep the likeliest."""
        answer, blank, free, inner = self._round(x, call_denoiser, round_index)
        every = np.broadcast_to(free, x.shape)
        drawn, calls = inner.write(blank, lambda _: answer, round_index, rng, eligible=every)
        return _shown(x, drawn), calls

    def _round(
        self, x: Array, call_denoiser: CallDenoiser, round_index: int
    ) -> tuple[tuple[Array, Array], Array, Array, TokenConfidence]:
        """The answer; what is given, all else masked; the other sites (L,); who keeps how many."""
        sites = np.isin(np.arange(x.shape[1], dtype=np.int64), self._given, invert=True)
        free, count = from_host(sites, x), int(sites.sum())
        size = -(-count * (round_index + 1) // self._all_steps)
        blank = array_namespace(x).where(free, MASK, x)
        return call_denoiser(x), blank, free, TokenConfidence(min(size, count))

    def __repr__(self) -> str:
        return f"PathPlanning({self._all_steps}, {self.observed!r})"


def _shown(x: Array, drawn: Array) -> Array:
    """Of the sites that are kept, which hold a draw, the written ones with their own tokens."""
    xp = array_namespace(x)
    return xp.where((drawn != MASK) & (x != MASK), x, drawn)
