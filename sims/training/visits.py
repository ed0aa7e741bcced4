"""The distribution of the mask patterns that inference meets, and its distance from training.

A decoder asks the denoiser about one pattern in each round. `visited` is the exact distribution
of what is observed in it, per call; with training masks `pi` and inference masks `nu`, both
tables as in `sims.training.masks`, `mismatch` gives

    TV(nu, pi),   KL(nu || pi),   pi(nu = 0),   nu(pi = 0)

The last two are the share of training that inference has no use for, and the share of questions
that training never asked. From left to right inference meets the L + 1 prefixes of 2^L patterns,
the finished sequence included, and training at uniform time spends on them

    (1 / (L + 1)) sum_k 1 / C(L, k)   ->   2 / L                                           [ours]
"""

import dataclasses
import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from sims.decoding.arguments import as_decoder
from sims.decoding.layers import Reveal
from sims.decoding.output import OutputDistribution, output_of
from sims.decoding.propagation import propagate
from sims.decoding.sampling import Temperature
from sims.policies import Corrector, Decoder
from sims.policies.base import Select
from sims.training.masks import as_masks
from theory import MASK, information
from theory._core.arrays import from_host, is_exact, read_only, within_memory
from theory._core.exact import floats
from theory._core.plurals import counted
from theory._core.types import ArrayLike, Number
from theory.distributions.base import Distribution, check_distribution
from theory.errors import InvalidInput
from theory.loss.forward import Denoiser
from theory.validation.arguments import as_integer

__all__ = ["Mismatch", "decoded_with_visits", "mismatch", "share_on_prefixes", "visited"]

ROUNDING = 1e-9


class Mismatch(NamedTuple):
    """How far training masks are from those of inference.

    Attributes
    ----------
    tv : number
        Total variation distance.
    kl : number
        ``KL(inference || training)`` in nats; infinite if training misses a pattern.
    unused : number
        Share of training on patterns that inference never meets.
    untrained : number
        Share of the calls of inference on patterns that training never shows.
    """

    tv: Number | Fraction
    kl: Any
    unused: Number | Fraction
    untrained: Number | Fraction


def visited(
    p: Distribution,
    policy: Decoder | Select,
    temperature: Temperature = 1.0,
    denoiser: Denoiser | None = None,
    *,
    observed: Iterable[int] = (),
    prompt: ArrayLike | None = None,
) -> np.ndarray:
    """Compute the mask patterns that a decoder asks the denoiser about, exactly.

    Parameters
    ----------
    p, policy, temperature, denoiser, observed, prompt
        As for `output_distribution`.

    Returns
    -------
    ndarray, shape (2,)*L
        Expected number of calls at each pattern, over the expected number of all calls; index 1
        is an observed site. Fractions if `p` is exact.

    Raises
    ------
    InvalidInput
        As `output_distribution`; for correctors and token policies that rewrite, and for decoders
        with more than one call in a round, such as `Speculative`, which verify at patterns of
        their own.
    TooLarge

    Examples
    --------
    >>> from sims import policies
    >>> from theory import gallery
    >>> p = gallery.parity(2, exact=True)
    >>> visited(p, policies.LeftToRight()).tolist()
    [[Fraction(1, 2), Fraction(0, 1)], [Fraction(1, 2), Fraction(0, 1)]]
    >>> visited(p, policies.FirstHitting()).tolist()
    [[Fraction(1, 2), Fraction(1, 4)], [Fraction(1, 4), Fraction(0, 1)]]
    """
    return decoded_with_visits(p, policy, temperature, denoiser, observed, prompt)[1]


@within_memory("the output of a decoder")
def decoded_with_visits(
    p: Distribution,
    policy: Decoder | Select,
    temperature: Temperature = 1.0,
    denoiser: Denoiser | None = None,
    observed: Iterable[int] = (),
    prompt: ArrayLike | None = None,
) -> tuple[OutputDistribution, np.ndarray]:
    """`output_distribution` and `visited` in one pass."""
    check_distribution(p)
    decoder = as_decoder(policy)
    if isinstance(decoder, Corrector) or (decoder.remasks and decoder.looks_at_tokens):
        raise InvalidInput(f"{decoder!r} draws sites again: its calls are not followed")
    calls = np.full((2,) * p.length, Fraction(0) if p.exact else 0.0)

    def count(reveal: Reveal) -> None:
        if reveal.sites.any():  # in all rows, or in none
            known = (reveal.x != MASK).astype(np.int64)
            np.add.at(calls, tuple(known.T), reveal.masses[0])

    q = output_of(propagate(p, decoder, temperature, denoiser, observed, prompt), count)
    q = dataclasses.replace(q, table=from_host(q.table, p.like))
    total = calls.sum()
    unknown = "how often the denoiser is called is not known"
    more, rounds = floats([q.expected_rounds - total, total], unknown).tolist()
    if abs(more) > ROUNDING * max(1.0, rounds):
        raise InvalidInput(
            f"{decoder!r} asks more than once in a round: {rounds + more:g} calls in "
            f"{counted(rounds, 'round')}"
        )
    return q, read_only(calls / total)


def mismatch(inference: ArrayLike, training: ArrayLike) -> Mismatch:
    """Compare the masks of inference with those of training.

    Parameters
    ----------
    inference, training : array_like, shape (2,)*L
        Such as `visited` and the functions of `sims.training.masks` return.

    Examples
    --------
    From left to right, trained at uniform time on what is not fully observed:

    >>> from sims.training.masks import left_to_right, predicting, uniform_time
    >>> nu, pi = (predicting(f(2, exact=True)) for f in (left_to_right, uniform_time))
    >>> mismatch(nu, pi)
    Mismatch(tv=Fraction(1, 4), kl=log(2)/2, unused=Fraction(1, 4),
             untrained=Fraction(0, 1))
    >>> mismatch(pi, nu).kl, mismatch(pi, nu).untrained
    (oo, Fraction(1, 4))
    """
    nu = as_masks(inference)
    pi = as_masks(training, nu.ndim)
    if is_exact(nu) != is_exact(pi):
        nu, pi = nu.astype(np.float64), pi.astype(np.float64)
    parts = (abs(nu - pi).sum() / 2, pi[nu == 0].sum(), nu[pi == 0].sum())
    tv, unused, untrained = map(Fraction if is_exact(nu) else float, parts)
    return Mismatch(tv, information.kl_divergence(nu, pi), unused, untrained)


def share_on_prefixes(length: int) -> Fraction:
    """Share of training at uniform time on the L + 1 prefixes: ``sum_k 1 / C(L, k) / (L + 1)``.

    For long sequences it is 2 / L, against (L + 1) / 2^L for patterns drawn uniformly: rare
    polynomially, not exponentially.

    >>> share_on_prefixes(2), float(1000 * share_on_prefixes(1000)).__round__(3)
    (Fraction(5, 6), 2.0)
    """
    length = as_integer(length, "length", 1)
    shares = (Fraction(1, math.comb(length, k)) for k in range(length + 1))
    total = sum(shares, start=Fraction(0))
    return total / (length + 1)
