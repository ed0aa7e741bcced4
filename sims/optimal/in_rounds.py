"""The best decoder that needs at most so many rounds, in whichever way suits the distribution."""

from dataclasses import dataclass

import numpy as np

from sims.chains import best_in_rounds
from sims.decoding.arguments import left_to_write, with_prompt
from sims.optimal.counts_in_rounds import best_by_counts
from sims.optimal.tables_in_rounds import ProgramInRounds
from sims.policies import Policy
from theory import MASK
from theory._core.arrays import require_memory, to_host
from theory._core.plurals import counted
from theory._core.types import ArrayLike, Number
from theory.distributions import Exchangeable, MarkovChain, Permutations, ReedSolomon
from theory.distributions.base import Distribution
from theory.distributions.conditioned import Conditioned
from theory.validation.arguments import as_integer

__all__ = ["InRounds", "frontier_in_rounds"]


EXACT_PAIRS = 2**18
"""Pairs of a context and a set that exact chains are tabulated for: half a minute or so."""

NUMBERS_PER_POINT = 30
"""Doubles that a point takes, beside its policy: an object and its three attributes."""


@dataclass(frozen=True, eq=False)
class InRounds:
    """The best decoder that needs at most so many rounds.

    Attributes
    ----------
    rounds : int
        What no path takes more of.
    kl : number
        Path KL in nats; exact, in logarithms of rational numbers, if p is.
    policy : Policy
        The decoder: give it to `output_distribution`, `decode` or `order`. At contexts that the
        data never contain it reveals everything.
    """

    rounds: int
    kl: Number
    policy: Policy

    def __repr__(self) -> str:
        return f"InRounds(rounds={self.rounds}, kl={float(self.kl):.6g})"


def frontier_in_rounds(
    p: Distribution,
    rounds: int,
    prompt: ArrayLike | None = None,
    progress: bool | None = None,
) -> list[InRounds]:
    """The least path KL in at most 1, ..., `rounds` rounds; see `sims.optimal.frontier.frontier`.

    Once nothing is lost, more rounds are no use, and the policies are the same.
    """
    rounds = as_integer(rounds, "rounds", 1)
    require_memory(NUMBERS_PER_POINT * rounds, f"a list of {counted(rounds, 'point')}")
    conditioned, given = with_prompt(p, (), prompt)
    whole, pattern = conditioned, np.full(p.length, MASK, dtype=np.int64)
    if isinstance(conditioned, Conditioned):
        whole, pattern = conditioned.whole, to_host(conditioned.pattern)
    certain = tuple(site for site in np.flatnonzero(pattern != MASK).tolist() if site not in given)
    if isinstance(whole, Exchangeable | Permutations | ReedSolomon):
        found = best_by_counts(whole, pattern, certain, rounds, progress)
    elif isinstance(whole, MarkovChain) and not (whole.exact and _fits(p, given)):
        assert isinstance(p, MarkovChain | Conditioned)
        found = best_in_rounds(p, rounds, prompt, progress)
    else:
        rest, sites = left_to_write(p, prompt)
        program = ProgramInRounds(rest, rounds, None if prompt is None else sites)
        found = program.least(progress)
    found += found[-1:] * (rounds - len(found))
    return [InRounds(r, kl, policy) for r, (kl, policy) in enumerate(found, 1)]


def _fits(p: Distribution, given: tuple[int, ...]) -> bool:
    """Whether the table of an exact chain is small enough."""
    return (p.vocab + 2) ** (p.length - len(given)) <= EXACT_PAIRS
