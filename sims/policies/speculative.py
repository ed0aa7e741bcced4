"""Draft in parallel, verify one by one, and replace the first token that is refused."""

import numpy as np

from sims.policies.base import Ask, Outcomes, TokenPolicy
from sims.policies.scores import FREE_SYMBOLS
from theory import MASK
from theory.distributions.sampling import draw_tokens
from theory.errors import InvalidInput
from theory.validation import as_integer

__all__ = ["Speculative"]

ROUNDING = 1e-15
"""A refusal that is less likely than this is none: p and q are equal but for rounding."""


class Speculative(TokenPolicy):
    """Draft `k` sites at once, keep the longest prefix that rejection sampling accepts.

    Speculative decoding with the model as its own draft [memory]: tokens for the first k masked
    sites are drawn from one prediction; each is accepted with probability ``min(1, p / q)``,
    where q is that prediction and p the one given the tokens accepted before it; the first one
    refused is drawn again from ``max(p - q, 0)``, normalised, and ends the round. It looks at
    drawn tokens, and corrects for it: exact, several sites per round.

    A round is counted as two calls of the denoiser, one for the draft and one, a batch of k - 1
    contexts, to verify it; as one call when a single site is drafted. (Here the contexts are
    asked one after another, which changes nothing but the time.)

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

    def outcomes(self, x: np.ndarray, ask: Ask, round_index: int) -> Outcomes:
        """Yield a refusal at each drafted site, and the draft accepted as a whole."""
        _, draft = ask(x)
        count = int((x[0] == MASK).sum())
        sites = np.nonzero(x == MASK)[1].reshape(len(x), count)
        size = count if self.k is None else min(self.k, count)
        calls = 1 if size == 1 else 2
        rows, after = np.arange(len(x)), x
        chance = draft.dtype.type(1) if draft.dtype != object else 1
        chance = np.full(len(x), chance, dtype=draft.dtype)
        for j in range(size):
            if not len(rows):
                return
            site = sites[rows, j]
            q = draft[rows, site]
            p = q if j == 0 else ask(after)[1][np.arange(len(rows)), site]
            accepted = _least(p, q)
            at, mass, refused = _written(after, site, chance, self.refused(p, accepted))
            yield rows[at], mass, refused, calls
            at, chance, after = _written(after, site, chance, accepted)
            rows = rows[at]
        yield rows, chance, after, calls

    def refused(self, p: np.ndarray, accepted: np.ndarray) -> np.ndarray:
        """What is written after a refusal: the part of p that acceptance does not give."""
        left = p - accepted
        return left if left.dtype == object else np.where(left > ROUNDING, left, 0.0)

    def write(
        self, x: np.ndarray, ask: Ask, round_index: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, int]:
        """Draft, verify, replace."""
        _, draft = ask(x)
        masked = x == MASK
        size = masked.sum(axis=1) if self.k is None else np.minimum(self.k, masked.sum(axis=1))
        place = np.cumsum(masked, axis=1) - 1
        drafted = draw_tokens(rng, draft.reshape(-1, draft.shape[-1])).reshape(x.shape)
        after, going = x.copy(), np.arange(len(x))
        for j in range(int(size.max())):
            going = going[size[going] > j]
            if not len(going):
                break
            site = np.argmax(masked[going] & (place[going] == j), axis=1)
            token, q = drafted[going, site], draft[going, site]
            p = q if j == 0 else ask(after[going])[1][np.arange(len(going)), site]
            at = np.arange(len(going))
            refused = rng.random(len(going)) * q[at, token] >= p[at, token]
            if refused.any():
                residual = self.refused(p, np.minimum(p, q))[refused]
                gone = residual.sum(axis=1, keepdims=True) == 0  # only by rounding
                token[refused] = draw_tokens(rng, np.where(gone, p[refused], residual))
            after[going, site] = token
            going = going[~refused]
        return after, 1 if size.max() == 1 else 2


def _least(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    try:
        return np.minimum(p, q)
    except TypeError:
        raise InvalidInput(FREE_SYMBOLS) from None


def _written(
    x: np.ndarray, site: np.ndarray, chance: np.ndarray, shares: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give every token of a site its share: rows, chances, and the sequences with the token."""
    mass = chance[:, None] * shares
    at, token = np.nonzero(mass != 0)
    after = x[at]
    after[np.arange(len(at)), site[at]] = token
    return at, mass[at, token], after
