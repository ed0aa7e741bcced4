"""The outcome of a check, the levels that a check can have, and what no check is about."""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from theory.distributions.markov import MarkovChain

__all__ = ["DoesNotApply", "Level", "Outcome", "Result", "as_chain"]


class Level(StrEnum):
    """How a check works, the strongest first."""

    PROVED = "proved"
    SYMBOLIC = "symbolic"
    EXACT = "exact"
    PROPERTY = "property"
    NUMERIC = "numeric"


class Outcome(StrEnum):
    """What a check says of the distributions that it was tried on."""

    HOLDS = "holds"
    FAILS = "fails"
    DOES_NOT_APPLY = "does not apply"


class DoesNotApply(Exception):
    """Raised by a residual on what its statement is not about, with the assumption that fails."""


def as_chain(p: Any, least: int = 1) -> MarkovChain:
    """Return `p` if it is a Markov chain of so many sites; the statement is not about others."""
    if not isinstance(p, MarkovChain):
        raise DoesNotApply(f"it is about Markov chains, and this is a {type(p).__name__}")
    if p.length < least:
        raise DoesNotApply(f"it needs {least} sites, and here are {p.length}")
    return p


@dataclass(frozen=True)
class Result:
    """The outcome of one check.

    Attributes
    ----------
    claim, level : str
    passed : bool
        Nothing refutes it; so also where it does not apply, see `outcome`.
    instances : int
        On how many instances that the claim is about the residual was evaluated; how many
        statements were proved.
    worst : float
        Largest absolute residual; exactly 0 at the proved, symbolic and exact levels.
    tolerance : float
    seconds : float
    counterexample : str
        The smallest failing instance as text; empty if the check passed.
    tightest : float
        Greatest ratio of the two sides of an inequality on the instances that pass, 1 where it
        is attained; nan if it was not measured.
    tightest_at : str
        The first instance with that ratio as text, or its name at the numeric level.
    reason : str
        Why the claim does not apply to any instance; empty where it applies to one.
    name : str
        What was checked, in words, where the check says so.
    scope : str
        What a proof speaks of, such as ``"every length"``; empty at the other levels.
    certificate : str
        The certificates of a proof, one a line, as sums that can be added up by hand.
    """

    claim: str
    level: Level
    passed: bool
    instances: int
    worst: float
    tolerance: float
    seconds: float
    counterexample: str = ""
    tightest: float = math.nan
    tightest_at: str = ""
    reason: str = ""
    name: str = ""
    scope: str = ""
    certificate: str = ""

    @property
    def outcome(self) -> Outcome:
        """Whether it holds, fails, or does not apply: a claim about nothing holds of everything."""
        if not self.passed:
            return Outcome.FAILS
        return Outcome.DOES_NOT_APPLY if self.reason else Outcome.HOLDS

    def __bool__(self) -> bool:
        return self.passed
