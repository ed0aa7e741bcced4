"""Speculative decoding: draft in parallel, verify one by one, redraw the first rejected token."""

import numpy as np

from sims.policies.base import CallDenoiser, Outcomes, TokenPolicy
from sims.policies.eligible import as_eligible
from sims.policies.scores import FREE_SYMBOLS
from sims.policies.site_sets import each_token, site_count
from theory._core.arrays import array_namespace, device, is_exact
from theory._core.renamed import Renamed
from theory._core.types import Array
from theory.distributions.sampling import draw_tokens
from theory.errors import InvalidInput
from theory.validation.arguments import as_integer

__all__ = ["Speculative"]

ROUNDING = 1e-15
"""A rejection that is less likely than this is none: p and q are equal but for rounding."""


class Speculative(TokenPolicy, Renamed, renamed={"refused": "residual"}):
    """Draft `k` sites at once, keep the longest prefix that rejection sampling accepts.

    Speculative decoding with the model as its own draft [memory]: tokens for the first k masked
    sites are drawn from one prediction; each is accepted with probability ``min(1, p / q)``,
    where q is that prediction and p the one given the tokens accepted before it; the first one
    rejected is drawn again from ``max(p - q, 0)``, normalised, and ends the round. It depends
    on drawn tokens, and corrects for it: exact, several sites per round.

    A round is counted as two calls of the denoiser, one for the draft and one, a batch of k - 1
    contexts, to verify it; as one call when a single site is drafted. (Here the contexts are
    evaluated one after another, which changes nothing but the time.)

    Parameters
    ----------
    k : int, optional
        Sites drafted in a round; all masked ones if not given.

    >>> from theory import gallery
    >>> from sims import output_distribution
    >>> q = output_distribution(gallery.permutations(3, exact=True), Speculative())
    >>> q.kl, q.valid_mass
    (0, Fraction(1, 1))
    """

    def __init__(self, k: int | None = None) -> None:
        self.k = None if k is None else as_integer(k, "k", 1)

    def outcomes(
        self, x: Array, call_denoiser: CallDenoiser, round_index: int, eligible: Array | None = None
    ) -> Outcomes:
        """Yield a rejection at each drafted site, and the draft accepted as a whole."""
        _, draft = call_denoiser(x)
        eligible = as_eligible(x, eligible)
        xp, count = array_namespace(x), site_count(eligible)
        sites = xp.reshape(xp.nonzero(eligible)[1], (-1, count))
        size = count if self.k is None else min(self.k, count)
        calls = 1 if size == 1 else 2
        rows, after = xp.arange(x.shape[0], dtype=xp.int64, device=device(x)), x
        probability = xp.ones(x.shape[0], dtype=draft.dtype, device=device(draft))
        for j in range(size):
            if not rows.shape[0]:
                return
            site = xp.take(sites[:, j], rows)
            q = _at(draft, rows, site)
            p = q
            if j:
                every = xp.arange(rows.shape[0], dtype=xp.int64, device=device(x))
                p = _at(call_denoiser(after)[1], every, site)
            accepted = _least(p, q)
            at, mass, rejected = each_token(after, site, probability, self.residual(p, accepted))
            yield xp.take(rows, at), mass, rejected, calls
            at, probability, after = each_token(after, site, probability, accepted)
            rows = xp.take(rows, at)
        yield rows, probability, after, calls

    def residual(self, p: Array, accepted: Array) -> Array:
        """What is drawn after a rejection: the part of p that acceptance does not give."""
        left = p - accepted
        return left if is_exact(left) else array_namespace(left).where(left > ROUNDING, left, 0.0)

    def write(
        self,
        x: np.ndarray,
        call_denoiser: CallDenoiser,
        round_index: int,
        rng: np.random.Generator,
        eligible: Array | None = None,
    ) -> tuple[np.ndarray, int]:
        """Draft, verify, replace."""
        _, draft = call_denoiser(x)
        eligible = as_eligible(x, eligible)
        count = eligible.sum(axis=1)
        size = count if self.k is None else np.minimum(self.k, count)
        number = np.cumsum(eligible, axis=1) - 1
        drafted = draw_tokens(rng, draft.reshape(-1, draft.shape[-1])).reshape(x.shape)
        after, going = x.copy(), np.arange(len(x))
        for j in range(int(size.max())):
            going = going[size[going] > j]
            if not len(going):
                break
            site = np.argmax(eligible[going] & (number[going] == j), axis=1)
            token, q = drafted[going, site], draft[going, site]
            p = q if j == 0 else call_denoiser(after[going])[1][np.arange(len(going)), site]
            at = np.arange(len(going))
            rejected = rng.random(len(going)) * q[at, token] >= p[at, token]
            if rejected.any():
                residual = self.residual(p, np.minimum(p, q))[rejected]
                gone = residual.sum(axis=1, keepdims=True) == 0  # only by rounding
                token[rejected] = draw_tokens(rng, np.where(gone, p[rejected], residual))
            after[going, site] = token
            going = going[~rejected]
        return after, 1 if size.max() == 1 else 2


def _least(p: Array, q: Array) -> Array:
    try:
        return array_namespace(p).minimum(p, q)
    except TypeError:
        raise InvalidInput(FREE_SYMBOLS) from None


def _at(draws: Array, rows: Array, site: Array) -> Array:
    """What is drawn from in some rows, each at its site, (N, V)."""
    xp = array_namespace(draws)
    flat = xp.reshape(draws, (-1, draws.shape[2]))
    return xp.take(flat, rows * draws.shape[1] + site, axis=0)
