"""What a decoder is run with, checked: which decoder, its temperature, the sites given at first."""

import math
from collections.abc import Iterable

import numpy as np

from sims.decoding.denoiser import TemperedDenoiser, from_lattice, predictor
from sims.policies import Corrector, Decoder, Policy, TokenPolicy
from sims.policies.base import Select, as_rule
from theory import MASK
from theory._core.arrays import array_namespace, require_memory, to_host
from theory._core.segments import any_true, row_counts
from theory._core.types import Array
from theory.distributions.base import Distribution, check_distribution
from theory.errors import InvalidInput, TooLarge
from theory.lattice.lattice import EvidenceLattice
from theory.loss.forward import Denoiser
from theory.validation.arguments import as_real, as_sites
from theory.validation.probabilities import Weights

__all__ = [
    "as_decoder",
    "as_observed",
    "as_revealing",
    "as_temperature",
    "check_run",
    "prepare",
    "refuse_masked",
]

MAX_CODES = 2**48
"""Patterns whose codes, with labels, are still integers of 64 bits."""


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


def as_revealing(policy: Decoder | Select) -> Policy | TokenPolicy:
    """Return a decoder that reveals each site once, or the `Rule` of a function."""
    decoder = as_decoder(policy)
    if isinstance(decoder, Corrector) or decoder.remasks:
        raise InvalidInput(f"{decoder!r} remasks: its sites are not revealed once")
    return decoder


def as_observed(observed: Iterable[int], length: int) -> tuple[int, ...]:
    """Check sites that are given; one at least is left to write."""
    given = as_sites(observed, length, "observed")
    if len(given) == length:
        raise InvalidInput("nothing is left to write: every site is observed")
    return given


def as_temperature(temperature: float, p: Distribution) -> float:
    """Check a temperature; exact numbers cannot be raised to any power."""
    temperature = as_real(temperature, "temperature", 0, math.inf)
    if p.exact and temperature not in (0, 1):
        raise InvalidInput(f"an exact distribution allows temperature 0 and 1, got {temperature}")
    return temperature


def refuse_masked(decoder: Decoder, x: Array) -> None:
    """Refuse sequences (N, L) that still have masks when the clock of a decoder has run out."""
    masked = row_counts(x == MASK) > 0
    if any_true(masked):
        xp = array_namespace(x)
        first = int(xp.argmax(xp.astype(masked, xp.int64)))
        raise InvalidInput(
            f"{decoder!r} leaves sites masked at the end of its clock: x = "
            f"{to_host(x[first, ...]).tolist()}"
        )


def check_run(
    p: Distribution, decoder: Decoder, temperature: float, observed: Iterable[int]
) -> tuple[float, tuple[int, ...]]:
    """Check that a decoder fits what it is run with; return the temperature and the given sites."""
    check_distribution(p)
    given = as_observed(observed, p.length)
    if given and decoder.remasks:
        raise InvalidInput(f"{decoder!r} remasks sites that are observed, too")
    decoder.check(p.length - len(given), p.vocab)
    return as_temperature(temperature, p), given


def prepare(
    p: Distribution,
    decoder: Decoder,
    temperature: float,
    denoiser: Denoiser | None,
    observed: Iterable[int],
    on_host: bool = False,
    tabulated: bool = True,
) -> tuple[EvidenceLattice | None, TemperedDenoiser, tuple[int, ...]]:
    """The lattice, the denoiser to call and the given sites of an exact run, all checked."""
    temperature, given = check_run(p, decoder, temperature, observed)
    lattice = _lattice(p, on_host, tabulated)
    if denoiser is None and lattice is not None:
        predict = from_lattice(lattice)
    else:
        predict = predictor(p, denoiser, on_host)
    return lattice, TemperedDenoiser(predict, temperature), given


def _lattice(p: Distribution, on_host: bool, tabulated: bool) -> EvidenceLattice | None:
    """The evidence lattice, where it is wanted; None if it does not fit and need not."""
    try:
        lattice = p.lattice()
    except TooLarge:
        if tabulated or (p.vocab + 1) ** p.length >= MAX_CODES:
            raise
        require_memory(p.vocab**p.length, f"the table of shape ({p.vocab},)*{p.length}")
        return None
    if not on_host or isinstance(lattice.numerators, np.ndarray):
        return lattice
    inner = (slice(0, lattice.vocab),) * lattice.length
    table = np.ascontiguousarray(to_host(lattice.numerators)[inner])
    return EvidenceLattice.of(Weights(table, lattice.denominator))
