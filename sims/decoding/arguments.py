"""What a decoder is run with, checked: which decoder, its temperature, the sites given at first."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple, cast

import numpy as np

from sims.decoding.denoiser import TemperedDenoiser, from_lattice, predictor
from sims.decoding.sampling import Sampling, Temperature, as_samplings
from sims.policies import Corrector, Decoder, Policy, TokenPolicy
from sims.policies.base import Select, as_rule
from sims.policies.observed_sites import predictions_with
from theory import MASK, JointTable
from theory._core.arrays import array_namespace, require_memory, to_host
from theory._core.segments import any_true, row_counts
from theory._core.types import Array, ArrayLike
from theory.distributions.base import Distribution, as_possible, check_distribution
from theory.errors import InvalidInput, TooLarge
from theory.lattice.lattice import EvidenceLattice
from theory.loss.forward import Denoiser
from theory.validation.arguments import as_sites
from theory.validation.probabilities import Weights

__all__ = [
    "as_decoder",
    "as_observed",
    "as_revealing",
    "as_run",
    "left_to_write",
    "prepare",
    "refuse_masked",
    "with_prompt",
]

PROMPT = "tokens that are given are a pattern, prompt=[...] with MASK where nothing is"

INSTEAD = (
    "Instead, sims.estimate_path_kl estimates what is lost at any length, and sims.decode draws "
    "what is written (with trajectory=True sims.order_of says in which order); of a MarkovChain "
    "sims.on_chain computes both for decoders that go gap by gap"
)

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
    if not isinstance(decoder, Corrector) and decoder.remasks and decoder.steps is None:
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
    if isinstance(observed, str | Mapping):
        raise InvalidInput(f"observed lists sites, got {observed!r}; {PROMPT}")
    try:
        given = as_sites(observed, length, "observed")
    except InvalidInput as error:
        raise InvalidInput(f"{error}; {PROMPT}") from None
    if len(given) == length:
        raise InvalidInput("nothing is left to write: every site is observed")
    return given


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


class Run(NamedTuple):
    """What is decoded, how, and which sites are given from the start."""

    p: Distribution
    decoder: Policy | TokenPolicy | Corrector
    samplings: tuple[Sampling, ...]
    observed: tuple[int, ...]


def with_prompt(
    p: Distribution, observed: Iterable[int], prompt: ArrayLike | None
) -> tuple[Distribution, tuple[int, ...]]:
    """The data given a prompt, and all sites that are given; one at least is left to write."""
    check_distribution(p)
    sites = as_observed(observed, p.length)
    if prompt is None:
        return p, sites
    pattern = as_possible(p, prompt, "prompt")
    shown = np.flatnonzero(to_host(pattern) != MASK).tolist()
    return p.given(pattern), as_observed({*sites, *shown}, p.length)


def left_to_write(
    p: Distribution, prompt: ArrayLike | None
) -> tuple[Distribution, tuple[int, ...]]:
    """The joint of the sites that a prompt leaves masked, and where these are."""
    p, given = with_prompt(p, (), prompt)
    sites = tuple(site for site in range(p.length) if site not in given)
    if not given:
        return p, sites
    table = p.evidence(p.assignments(sites))
    cube = array_namespace(table).reshape(table, (p.vocab,) * len(sites))
    return JointTable(cube, exact=p.exact, symbols=p.symbols), sites


def as_run(
    p: Distribution,
    decoder: Policy | TokenPolicy | Corrector,
    temperature: Temperature,
    observed: Iterable[int],
    prompt: ArrayLike | None,
) -> Run:
    """Check that a decoder fits; it then knows the length, and which sites are given."""
    p, given = with_prompt(p, observed, prompt)
    decoder = cast("Any", decoder.with_given(given, p.length))
    decoder.check(p.length - len(given), p.vocab)
    return Run(p, decoder, as_samplings(temperature, p, decoder), given)


def prepare(
    run: Run, denoiser: Denoiser | None, on_host: bool = False, tabulated: bool = True
) -> tuple[EvidenceLattice | None, TemperedDenoiser]:
    """The lattice and the denoiser to call of an exact run."""
    p = run.p
    try:
        lattice = _lattice(p, on_host, tabulated)
    except TooLarge as error:
        raise TooLarge(f"{error}. {INSTEAD}") from None
    if denoiser is None and lattice is not None:
        predict = from_lattice(lattice)
    else:
        predict = predictor(p, denoiser, on_host)
    predict = partial(predictions_with, predict, observed=run.decoder.observed)
    return lattice, TemperedDenoiser(predict, *run.samplings)


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
