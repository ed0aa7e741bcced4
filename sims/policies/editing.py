"""Tokens that are written may be replaced, where another one is drawn that is likely enough."""

from typing import Any, Self

import numpy as np

from sims.policies.base import CallDenoiser, Outcomes, TokenPolicy, told
from sims.policies.observed_sites import Observed, as_convention
from sims.policies.scores import DIGITS, as_floats, rounded
from sims.policies.site_sets import each_token, site_count
from theory import MASK
from theory._core.arrays import array_namespace, device, from_host
from theory._core.segments import gather
from theory._core.types import Array
from theory.distributions.sampling import draw_tokens
from theory.errors import InvalidInput
from theory.validation.arguments import as_integer, as_real

__all__ = ["Editing"]


class Editing(TokenPolicy):
    """While `inner` writes, replace tokens that are written already by likelier ones.

    In each round a token is drawn at every written site, too, and takes the place of the one there
    if it is another one whose prediction is above `threshold`. So edit LLaDA2.1, as dllm has
    it, and Diffusers' block refinement (0.42.1) [code run]. What predictions say where a token is
    shown decides what it does, see `observed`. Not exact.

    Parameters
    ----------
    inner : TokenPolicy
        Writes at masked sites, from the same predictions.
    threshold : float
        From 0 to 1.
    steps : int
        The most rounds. A sequence is finished before, with the round that leaves nothing masked
        and changes nothing.
    observed : {"one-hot", "leave-one-out", "flat"}
        Predictions at written sites: the token, so that nothing is edited; the prediction given
        the others; all tokens alike.

    Notes
    -----
    Diffusers takes the tempered and truncated prediction for the score, which at temperature 1 is
    the prediction. It counts rounds with masks and rounds without apart.

    >>> from sims import output_distribution
    >>> from sims.policies import TokenConfidence
    >>> from theory import gallery
    >>> p, at_once = gallery.repeated_bit(3), TokenConfidence(3)
    >>> for observed in ("one-hot", "leave-one-out", "flat"):     # 001 is edited to 000, or not
    ...     print(output_distribution(p, Editing(at_once, 0.6, 2, observed)).valid_mass)
    0.25
    1.0
    0.25
    """

    remasks = True
    _given: tuple[int, ...] = ()

    def __init__(
        self, inner: TokenPolicy, threshold: float, steps: int, observed: Observed = "one-hot"
    ) -> None:
        if not isinstance(inner, TokenPolicy) or not inner.looks_at_tokens or inner.remasks:
            raise InvalidInput(
                f"inner must be a policy that draws tokens before it chooses, and leaves them as "
                f"they are, got {inner!r}"
            )
        self.inner, self.randomised = inner, inner.randomised
        self.threshold = as_real(threshold, "threshold", 0, 1)
        self._steps = as_integer(steps, "steps", 1)
        self.observed = as_convention(observed)

    @property
    def steps(self) -> int:
        """The most rounds."""
        return self._steps

    def with_given(self, sites: tuple[int, ...], length: int) -> Self:
        """Given sites are never edited; the inner policy is told."""
        known = told(self, sites, length)
        known._given = sites
        return known

    def check(self, length: int, vocab: int) -> None:
        """Raise `InvalidInput` if the inner policy does not fit."""
        self.inner.check(length, vocab)

    def outcomes(self, x: Array, call_denoiser: CallDenoiser, round_index: int, /) -> Outcomes:
        """Yield what the inner policy writes with every edit."""
        xp, written = array_namespace(x), self._written(x)
        predictions, sampling_probs = answer = call_denoiser(x)
        likely = self._likely(predictions)
        token = xp.arange(likely.shape[-1], dtype=xp.int64, device=device(x))
        sites = xp.reshape(xp.nonzero(written)[1], (x.shape[0], site_count(written)))
        if site_count(x == MASK):
            parts = self.inner.outcomes(x, _cached(x, answer, call_denoiser), round_index)
        else:
            rows = xp.arange(x.shape[0], dtype=xp.int64, device=device(x))
            one = xp.ones(x.shape[0], dtype=sampling_probs.dtype, device=device(sampling_probs))
            parts = iter([(rows, one, x, 1)])
        for rows, probability, after, calls in parts:
            for j in range(sites.shape[1]):
                site = gather(sites[:, j], rows)
                index = rows * x.shape[1] + site
                draws, may = (
                    gather(xp.reshape(v, (-1, v.shape[-1])), index)
                    for v in (sampling_probs, likely)
                )
                own = gather(xp.reshape(x, (-1,)), index)[:, None] == token
                edits = may & ~own
                stay = xp.sum(xp.where(edits, 0 * draws, draws), axis=1, keepdims=True)
                shares = xp.where(own, stay, xp.where(edits, draws, 0 * draws))
                at, probability, after = each_token(after, site, probability, shares)
                rows = gather(rows, at)
            yield rows, probability, after, calls

    def write(
        self,
        x: np.ndarray,
        call_denoiser: CallDenoiser,
        round_index: int,
        rng: np.random.Generator,
        /,
    ) -> tuple[np.ndarray, Any]:
        """Let the inner policy write, and draw at the written sites."""
        predictions, sampling_probs = answer = call_denoiser(x)
        after, calls = x, 1
        if site_count(x == MASK):
            call = _cached(x, answer, call_denoiser)
            after, calls = self.inner.write(x, call, round_index, rng)
        rows = sampling_probs.reshape(-1, sampling_probs.shape[-1])
        drawn = draw_tokens(rng, rows).reshape(x.shape)
        likely = np.take_along_axis(self._likely(predictions), drawn[..., None], axis=-1)[..., 0]
        return np.where(self._written(x) & likely, drawn, after), calls

    def _written(self, x: Array) -> Array:
        """Sites that may be edited, bool (B, L)."""
        sites = np.isin(np.arange(x.shape[1], dtype=np.int64), self._given, invert=True)
        return (x != MASK) & from_host(sites, x)

    def _likely(self, predictions: Array) -> Array:
        """Tokens whose prediction is above the threshold, bool (B, L, V)."""
        return rounded(as_floats(predictions)) > round(self.threshold, DIGITS)


def _cached(x: Array, answer: tuple[Array, Array], call_denoiser: CallDenoiser) -> CallDenoiser:
    return lambda y: answer if y is x else call_denoiser(y)
