"""What a decoder is run with, checked: which decoder, its temperature, the sites given at first."""

import math
from collections.abc import Iterable
from typing import Any

from sims.policies import Corrector, Decoder, Policy, TokenPolicy
from sims.policies.base import Select, as_rule
from theory import MASK
from theory._core.arrays import array_namespace, to_host
from theory._core.segments import any_true, row_counts
from theory.distributions.base import Distribution
from theory.errors import InvalidInput
from theory.validation.arguments import as_real, as_sites

__all__ = [
    "as_decoder",
    "as_observed",
    "as_revealing",
    "as_temperature",
    "refuse_masked",
    "refuse_observed",
    "takes_back",
]


def as_decoder(policy: Decoder | Select) -> Policy | TokenPolicy | Corrector:
    """Return a decoder, or the `Rule` of a function.

    >>> as_decoder(lambda x, predictions: x < 0)
    Rule(<lambda>)
    """
    decoder = as_rule(policy)
    if not isinstance(decoder, Policy | TokenPolicy | Corrector):
        raise InvalidInput(f"policy must be a Policy or a function, got {policy!r}")
    if isinstance(decoder, Policy) and decoder.revises and decoder.steps is None:
        raise InvalidInput(f"{decoder!r} revises, so it needs a number of steps")
    return decoder


def as_revealing(policy: Decoder | Select) -> Policy | TokenPolicy:
    """Return a decoder that reveals each site once, or the `Rule` of a function."""
    decoder = as_decoder(policy)
    if takes_back(decoder):
        raise InvalidInput(f"{decoder!r} takes tokens back: its sites are not revealed once")
    assert not isinstance(decoder, Corrector)
    return decoder


def as_observed(observed: Iterable[int], length: int) -> tuple[int, ...]:
    """Check sites that are given; one at least is left to write."""
    given = as_sites(observed, length, "observed")
    if len(given) == length:
        raise InvalidInput("nothing is left to write: every site is observed")
    return given


def takes_back(decoder: Decoder) -> bool:
    """Whether a decoder may mask again, or draw again, what is already written."""
    return isinstance(decoder, Corrector) or (isinstance(decoder, Policy) and decoder.revises)


def refuse_observed(decoder: Decoder, given: tuple[int, ...]) -> None:
    """Refuse given sites for decoders that would take them back."""
    if given and takes_back(decoder):
        raise InvalidInput(f"{decoder!r} takes tokens back, those of observed sites too")


def as_temperature(temperature: float, p: Distribution) -> float:
    """Check a temperature; exact numbers cannot be raised to any power."""
    temperature = as_real(temperature, "temperature", 0, math.inf)
    if p.exact and temperature not in (0, 1):
        raise InvalidInput(f"an exact distribution allows temperature 0 and 1, got {temperature}")
    return temperature


def refuse_masked(decoder: Decoder, x: Any) -> None:
    """Refuse sequences (N, L) that still have masks when the clock of a decoder has run out."""
    masked = row_counts(x == MASK) > 0
    if any_true(masked):
        xp = array_namespace(x)
        first = int(xp.argmax(xp.astype(masked, xp.int64)))
        raise InvalidInput(
            f"{decoder!r} leaves sites masked at the end of its clock: x = "
            f"{to_host(x[first, ...]).tolist()}"
        )
