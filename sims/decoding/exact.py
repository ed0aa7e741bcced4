"""The exact distribution of what a decoder writes.

No sampling, and where the data live: on the host, or on a GPU if that holds the arrays of the
distribution. See `sims.decoding.propagation` for how the masked sequences that a decoder reaches
are followed, and `sims.decoding.corrected` for decoders that go on after everything is written.
"""

import dataclasses
import math
from collections.abc import Iterable

import numpy as np

from sims.decoding.corrected import corrected
from sims.decoding.denoiser import WithDraws, from_lattice, predictor, predictor_there
from sims.decoding.output import OutputDistribution
from sims.decoding.propagation import Watch, run
from sims.policies import Corrector, Decoder, Policy, TokenPolicy
from sims.policies.base import Select, as_rule
from theory._core.arrays import from_host, to_host, within_memory
from theory.distributions.base import Distribution, check_distribution
from theory.errors import InvalidInput
from theory.lattice.lattice import EvidenceLattice
from theory.loss.forward import Denoiser
from theory.validation.arguments import as_real, as_sites
from theory.validation.probabilities import Weights

__all__ = [
    "as_decoder",
    "as_observed",
    "as_revealing",
    "as_temperature",
    "output_distribution",
    "refuse_observed",
    "watched",
]


def output_distribution(
    p: Distribution,
    policy: Decoder | Select,
    temperature: float = 1.0,
    denoiser: Denoiser | None = None,
    *,
    observed: Iterable[int] = (),
) -> OutputDistribution:
    """Compute the exact distribution of what `policy` writes.

    Parameters
    ----------
    p : Distribution
        The data; small enough for its evidence lattice.
    policy : Policy, TokenPolicy, Corrector, or a function as for `policies.Rule`
    temperature : float
        Tokens are drawn from the predictions to the power ``1 / temperature``, renormalised; 0
        takes the likeliest token, the lowest of equal ones. The policy sees the untempered
        predictions. Exact distributions allow 0 and 1.
    denoiser : callable, optional
        From patterns (B, L) to predictions (B, L, V), for instance `Perturbed`. The zero-loss
        denoiser of `p` if not given, which answers with the unconditional marginals where a
        parallel round has written a context that the data never contain.
    observed : iterable of int
        Sites that are given from the start, with tokens as the data have them: a prompt, or what
        surrounds a gap. Then `kl` is the mean divergence of what is written given them.

    Returns
    -------
    OutputDistribution
        Its table lives where the data do. So does everything on the way: a function of the
        user's and the `denoiser` are given arrays that live there, and have to answer with such.

    Raises
    ------
    InvalidInput
        If the policy selects no site or an observed one, if its chances do not sum to 1, or if
        the denoiser returns a wrong shape or what is no probability. If either answers with an
        array that lives elsewhere, or if `policies.JointDraw` is asked about data on a device.
    TooLarge

    Examples
    --------
    Three different tokens written at once are a permutation in 6 of 27 cases; revealing one
    first and then the other two, in 2 of 4:

    >>> from sims import policies
    >>> from theory import gallery
    >>> p = gallery.permutations(3, exact=True)
    >>> [output_distribution(p, policies.RandomOrder(s)).valid_mass for s in [(3,), (1, 2)]]
    [Fraction(2, 9), Fraction(1, 2)]
    """
    return watched(p, policy, temperature, denoiser, observed, None)


@within_memory("the output of a decoder")
def watched(
    p: Distribution,
    policy: Decoder | Select,
    temperature: float,
    denoiser: Denoiser | None,
    observed: Iterable[int],
    watch: Watch | None,
) -> OutputDistribution:
    """`output_distribution`, with somebody who is told everything that is revealed.

    The one who watches counts on the host, so then the decoder is followed there.
    """
    check_distribution(p)
    decoder, given = as_decoder(policy), as_observed(observed, p.length)
    decoder.check(p.length - len(given), p.vocab)
    temperature = as_temperature(temperature, p)
    lattice = p.lattice()
    if watch is not None and not isinstance(lattice.numerators, np.ndarray):
        lattice, there = _on_the_host(lattice), predictor(p, denoiser)
        ask = WithDraws(from_lattice(lattice) if denoiser is None else there, temperature)
        q = run(p, lattice, as_revealing(decoder), ask, given, watch)
        return dataclasses.replace(q, table=from_host(q.table, p.like))
    predict = from_lattice(lattice) if denoiser is None else predictor_there(p, denoiser)
    ask = WithDraws(predict, temperature)
    if isinstance(decoder, Corrector):
        refuse_observed(decoder, given)
        return corrected(p, lattice, decoder, ask)
    if isinstance(decoder, Policy) and decoder.remasks:
        refuse_observed(decoder, given)
    return run(p, lattice, decoder, ask, given, watch)


def as_revealing(policy: Decoder | Select) -> Policy | TokenPolicy:
    """Return a decoder that reveals each site once, or the `Rule` of a function."""
    decoder = as_decoder(policy)
    if isinstance(decoder, Corrector) or (isinstance(decoder, Policy) and decoder.remasks):
        raise InvalidInput(f"{decoder!r} takes tokens back: its sites are not revealed once")
    return decoder


def as_observed(observed: Iterable[int], length: int) -> tuple[int, ...]:
    """Check sites that are given; one at least is left to write."""
    given = as_sites(observed, length, "observed")
    if len(given) == length:
        raise InvalidInput("nothing is left to write: every site is observed")
    return given


def refuse_observed(decoder: Decoder, given: tuple[int, ...]) -> None:
    """Refuse given sites for decoders that would take them back."""
    if given:
        raise InvalidInput(f"{decoder!r} takes tokens back, those of observed sites too")


def as_decoder(policy: Decoder | Select) -> Policy | TokenPolicy | Corrector:
    """Return a decoder, or the `Rule` of a function.

    >>> as_decoder(lambda x, predictions: x < 0)
    Rule(<lambda>)
    """
    decoder = as_rule(policy)
    if not isinstance(decoder, Policy | TokenPolicy | Corrector):
        raise InvalidInput(f"policy must be a Policy or a function, got {policy!r}")
    if isinstance(decoder, Policy) and decoder.remasks and decoder.steps is None:
        raise InvalidInput(f"{decoder!r} remasks, so it needs a number of steps")
    return decoder


def as_temperature(temperature: float, p: Distribution) -> float:
    """Check a temperature; exact numbers cannot be raised to any power."""
    temperature = as_real(temperature, "temperature", 0, math.inf)
    if p.exact and temperature not in (0, 1):
        raise InvalidInput(f"an exact distribution allows temperature 0 and 1, got {temperature}")
    return temperature


def _on_the_host(lattice: EvidenceLattice) -> EvidenceLattice:
    inner = (slice(0, lattice.vocab),) * lattice.length
    table = np.ascontiguousarray(to_host(lattice.numerators)[inner])
    return EvidenceLattice.of(Weights(table, lattice.denominator))
