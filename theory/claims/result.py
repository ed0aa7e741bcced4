"""The outcome of a check, and the levels that a check can have."""

import math
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Level", "Result"]


class Level(StrEnum):
    """How a check works, the strongest first."""

    SYMBOLIC = "symbolic"
    EXACT = "exact"
    PROPERTY = "property"
    NUMERIC = "numeric"


@dataclass(frozen=True)
class Result:
    """The outcome of one check.

    Attributes
    ----------
    claim, level : str
    passed : bool
    instances : int
        On how many instances the residual was evaluated.
    worst : float
        Largest absolute residual; exactly 0 at the exact and symbolic levels.
    tolerance : float
    seconds : float
    counterexample : str
        The smallest failing instance as text; empty if the check passed.
    tightest : float
        Greatest ratio of the two sides of an inequality on the instances that pass, 1 where it
        is attained; nan if it was not measured.
    tightest_at : str
        The first instance with that ratio as text, or its name at the numeric level.
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

    def __bool__(self) -> bool:
        return self.passed
