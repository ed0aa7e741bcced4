"""Expected rounds against KL on chains of any length: bounds from both sides.

The least ``E[rounds] + multiplier KL`` does not fall apart into gaps: rounds are a maximum over
gaps, and whether it pays to finish one now depends on how long the others take. So there is a
bound that no decoder is below, from a relaxation (`sims.chains.relaxation`), and the best of a
family of decoders whose rounds and KL are known exactly (`sims.chains.soft_limits`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sims.chains.gaps import Gaps
from sims.chains.relaxation import least_costs
from sims.chains.soft_limits import soft_limits
from sims.policies import GapTabulated
from theory._core.arrays import to_host, within_memory
from theory.distributions import MarkovChain
from theory.distributions.sampling import as_floats
from theory.errors import InvalidInput
from theory.validation.arguments import as_real

__all__ = ["FrontierBounds", "frontier_bounds"]

LARGEST = 1e100
"""Multipliers lie between its inverse and it."""


@dataclass(frozen=True, eq=False)
class FrontierBounds:
    """The least ``E_p[rounds] + multiplier * KL(p || q)`` of a chain, from both sides.

    Attributes
    ----------
    multiplier : float
        Rounds that a nat is worth.
    lower : float
        No value-adaptive policy is below it.
    upper : float
        ``rounds + multiplier * kl`` of the policy.
    rounds : float
        Expected number of rounds of the policy on the data.
    kl : float
        Its ``KL(p || q)`` in nats.
    policy : GapTabulated
        A decoder: not always the best one.
    """

    multiplier: float
    lower: float
    upper: float
    rounds: float
    kl: float
    policy: GapTabulated

    def __repr__(self) -> str:
        return (
            f"FrontierBounds(multiplier={self.multiplier:g}, lower={self.lower:.6g}, "
            f"upper={self.upper:.6g}, rounds={self.rounds:.6g}, kl={self.kl:.6g})"
        )


@within_memory("the bounds of the best decoder")
def frontier_bounds(
    p: MarkovChain, multipliers: Sequence[float], *, progress: bool | None = None
) -> list[FrontierBounds]:
    """Bound the least ``E_p[rounds] + multiplier * KL(p || q)`` of a chain from both sides.

    What `frontier` finds exactly for about ten bits. All policies that select sites before they
    draw compete, those included whose choices in one gap depend on tokens beyond it. The time grows
    as ``L^3 V^4``: 10 s of CPU for 64 bits, 100 s for 128, 30 s for 32 sites of 8 tokens.

    Parameters
    ----------
    p : MarkovChain
        Of any length; exact ones are rounded to floats.
    multipliers : sequence of float
        Rounds that a nat of divergence is worth, 1e-100 to 1e100.
    progress : bool, optional
        Whether to show progress on stderr; if not given, where it is looked at.

    Returns
    -------
    list of FrontierBounds
        In the order of the multipliers. The work is done on the host, in floats: the bounds hold
        up to rounding, about 1e-12 times the multiplier.

    Raises
    ------
    InvalidInput
    TooLarge
        Before any memory is taken.

    Examples
    --------
    Four bits, each flipped with probability 1/4 from the one before: three times
    ``log 2 - h(1/4)`` nats are lost at once, nothing in three rounds. In between there is one of
    the inner bits, then a pair at once. The bounds meet:

    >>> from theory import gallery
    >>> for found in frontier_bounds(gallery.binary_symmetric(4, 0.25), [2, 20, 200]):
    ...     print(found)
    FrontierBounds(multiplier=2, lower=1.78487, upper=1.78487, rounds=1, kl=0.392436)
    FrontierBounds(multiplier=20, lower=2.63168, upper=2.63168, rounds=2, kl=0.0315839)
    FrontierBounds(multiplier=200, lower=3, upper=3, rounds=3, kl=0)
    """
    if not isinstance(p, MarkovChain):
        raise InvalidInput(f"p must be a Markov chain, got {p!r}")
    try:
        values = [as_real(m, "multipliers", 1 / LARGEST, LARGEST) for m in multipliers]
    except TypeError:
        raise InvalidInput(f"multipliers must be a sequence, got {multipliers!r}") from None
    if not values:
        return []
    initial, transition = (to_host(as_floats(x)) for x in (p.initial, p.transition))
    gaps = Gaps(MarkovChain(initial, transition, p.length))
    lower = least_costs(gaps, values, progress)
    hard = p.length * math.log(p.vocab) + 1
    penalties = {min(k / (3 * m), hard) for m in values for k in (1, 3)} | {hard}
    found = soft_limits(gaps, sorted(penalties), progress)
    tail = found.choices.shape[1] - found.kl.shape[1]
    result = []
    for multiplier, bound in zip(values, lower.tolist(), strict=True):
        costs = found.rounds + multiplier * found.kl
        k, r = np.unravel_index(costs.argmin(), costs.shape)
        upper, rounds, kl = (float(x[k, r]) for x in (costs, found.rounds, found.kl))
        policy = GapTabulated(found.choices[k, : tail + r + 1])
        result.append(FrontierBounds(multiplier, min(bound, upper), upper, rounds, kl, policy))
    return result
