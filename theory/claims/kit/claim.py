"""A claim: a statement of the literature, where it comes from, and checks that can fail.

A check is a *residual*: a function that is zero where the claim holds. It is evaluated on many
distributions, at one of four levels:

``exact``
    rational arithmetic; the residual must be exactly zero
``symbolic``
    the library's own functions on SymPy symbols; the simplified residual must be zero
``property``
    float64, on distributions that Hypothesis draws and shrinks
``numeric``
    float64, on named distributions

Passing on N instances is no proof; only the symbolic level speaks of all tables of its shape.

A residual raises `DoesNotApply` on a distribution that does not meet the assumptions of the
statement, with the one that fails; that is neither a pass nor a failure.

A check of an inequality may also measure how *tight* it is. The search then looks for the instance
with the least room, which is where a wrong inequality would break first.

Every check also carries a *planted violation*: parts that make the claim wrong. A check that
does not reject it is broken.
"""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from theory.claims.kit.check import run_named, run_symbolic, search
from theory.claims.kit.result import Level, Result
from theory.distributions.base import Distribution, check_distribution
from theory.errors import InvalidInput
from theory.validation.arguments import as_integer

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["Check", "Claim", "Parts", "Provenance", "Verdict"]

DEFAULT_TOLERANCE = 1e-9
"""For a float distribution and a claim whose own checks are exact."""


class Provenance(StrEnum):
    """What was seen of the source of a statement."""

    SOURCE = "source"
    """We read the source itself."""
    RESTATED = "restated"
    """We read an abstract, or how another paper restates it."""
    MEMORY = "memory"
    """Textbook knowledge or remembered, without the text at hand."""
    OURS = "ours"
    """Derived here."""


class Verdict(StrEnum):
    """What became of the statement."""

    HOLDS = "holds"
    CONDITIONAL = "holds under stated assumptions"
    REFUTED = "refuted as stated"
    MENDED = "refuted as stated, holds under stated assumptions"


Parts = Mapping[str, "SearchStrategy[Any]"]
"""Further arguments of a residual by name, each drawn by a Hypothesis strategy."""


def _no_parts(p: Distribution) -> Parts:
    return {}


@dataclass(frozen=True, kw_only=True)
class Check:
    """One way to check a claim.

    Parameters
    ----------
    level : Level or str
    residual : callable
        ``residual(p, **parts)``, or ``residual(**parts)`` at the symbolic level, returns numbers
        (a scalar or an array) that are all zero where the claim holds. An inequality returns by
        how much it is violated. One that returns no numbers has looked at nothing: it does not
        apply (at the symbolic level it holds, as where all coefficients are of the right sign).
    planted : mapping
        Parts that make the claim wrong; the check must reject them.
    distributions : callable, optional
        Returns a Hypothesis strategy of distributions (exact and property levels).
    parts : callable, optional
        ``parts(p)`` returns strategies of further arguments by name, or, where they hang on each
        other, one strategy of dictionaries.
    named : callable, optional
        Returns the distributions of the numeric level by name.
    tolerance : float
        What counts as zero in float64; not used by the exact and symbolic levels.
    of_its_own : bool
        The residual builds its instances from its parts and does not look at `p`, so that it says
        nothing of a distribution of the user's.
    tightness : callable, optional
        ``tightness(p, **parts)``, for an inequality: the ratio of its smaller to its larger side,
        at most 1 where it holds; nan where both are 0 and it says nothing. It takes the parts of
        the residual without the planted ones. Searches climb towards its maximum.
    """

    level: Level
    residual: Callable[..., Any]
    planted: Mapping[str, Any]
    distributions: "Callable[[], SearchStrategy[Any]] | None" = None
    parts: "Callable[[Any], Parts | SearchStrategy[dict[str, Any]]]" = _no_parts
    named: Callable[[], Mapping[str, Distribution]] | None = None
    tolerance: float = 0.0
    tightness: Callable[..., float] | None = None
    of_its_own: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "level", Level(self.level))
        needs = {Level.EXACT: "distributions", Level.PROPERTY: "distributions"}
        needs[Level.NUMERIC] = "named"
        needed = needs.get(self.level)
        if needed and getattr(self, needed) is None:
            raise InvalidInput(f"a check at the {self.level} level needs {needed}")
        if not self.planted:
            raise InvalidInput("a check needs a planted violation that it must reject")
        exactly = self.level in (Level.EXACT, Level.SYMBOLIC)
        if exactly == (self.tolerance > 0):
            raise InvalidInput(
                f"a check at the {self.level} level takes "
                + ("no tolerance" if exactly else "a tolerance above 0")
            )
        if self.tightness is not None and self.level is Level.SYMBOLIC:
            raise InvalidInput("a check at the symbolic level has no instances to be tight on")


def _parts_of(check: Check) -> list[str]:
    return list(inspect.signature(check.residual).parameters)[1:]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A statement with its source, verdict and checks.

    Attributes
    ----------
    id : str
        Short and unique, such as ``"A2"``.
    title : str
    statement, latex : str
        In words and in formulas.
    source : str
        Who says so, with an arXiv number where there is one.
    provenance : Provenance
        What was seen of the source.
    verdict : Verdict
    checks : tuple of Check
    says : str
        What the source says, as far as it was seen.
    note : str
        Assumptions, or what was found out on the way.
    """

    id: str
    title: str
    statement: str
    latex: str
    source: str
    provenance: Provenance
    verdict: Verdict
    checks: tuple[Check, ...]
    says: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "provenance", Provenance(self.provenance))
        object.__setattr__(self, "verdict", Verdict(self.verdict))
        if not self.checks:
            raise InvalidInput(f"claim {self.id} has no check")

    @property
    def levels(self) -> tuple[Level, ...]:
        """The levels that the claim is checked at, the strongest first."""
        return tuple(level for level in Level if any(c.level == level for c in self.checks))

    def check(self, p: Distribution, *, examples: int = 20, **parts: Any) -> Result:
        """Check the claim on one distribution of your own, by all checks that take one.

        Parameters
        ----------
        p : Distribution
            Exact distributions are checked without tolerance.
        examples : int
            How many choices of the further parts (grids, schedules, rules ...) to try.
        **parts
            Parts to be held fixed, such as ``sizes=(2, 1)``.

        Returns
        -------
        Result
            False if the claim fails on `p`. Its `outcome` tells whether it holds or is not about
            `p`, with the `reason`.

        >>> from theory import claims, gallery
        >>> result = claims.registry["A2"].check(gallery.parity(3, exact=True))
        >>> str(result.outcome), result.worst
        ('holds', 0.0)
        >>> claims.registry["D2"].check(gallery.parity(3, exact=True)).reason
        'it is about Markov chains, and this is a JointTable'
        """
        import hypothesis.strategies as st

        check_distribution(p)
        examples = as_integer(examples, "examples", 1)
        level, checks = self._checks_for(p)
        known = {name for check in checks for name in _parts_of(check)}
        for name in parts:
            if name not in known:
                named = ", ".join(sorted(known)) or "none"
                raise InvalidInput(f"claim {self.id} has no part {name!r}; it has {named}")
        results = [
            search(
                self.id,
                check,
                st.just(p),
                level=level,
                tolerance=0.0 if p.exact else check.tolerance or DEFAULT_TOLERANCE,
                examples=examples,
                fixed={name: parts[name] for name in parts if name in _parts_of(check)},
            )
            for check in checks
        ]
        failed = [result for result in results if not result.passed]
        tightest = max(results, key=lambda r: -math.inf if math.isnan(r.tightest) else r.tightest)
        return Result(
            self.id,
            level,
            not failed,
            sum(result.instances for result in results),
            max((result.worst for result in results), key=lambda v: (v != v, v)),  # nan is worst
            max(result.tolerance for result in results),
            sum(result.seconds for result in results),
            failed[0].counterexample if failed else "",
            tightest.tightest,
            tightest.tightest_at,
            ""
            if any(r.instances for r in results)
            else "; ".join(dict.fromkeys(result.reason for result in results)),
        )

    def _checks_for(self, p: Distribution) -> tuple[Level, list[Check]]:
        """The checks to run on a distribution of the user's, in its arithmetic."""
        about = [check for check in self.checks if not check.of_its_own]
        exact = [check for check in about if check.level is Level.EXACT]
        floats = [check for check in about if check.level is Level.PROPERTY]
        if p.exact:  # every residual once
            done = {check.residual for check in exact}
            level, chosen = Level.EXACT, exact + [c for c in floats if c.residual not in done]
        else:
            level, chosen = Level.PROPERTY, floats or exact
        if not chosen:
            raise InvalidInput(f"claim {self.id} has no check that takes a distribution")
        return level, chosen

    def run(
        self,
        check: Check,
        *,
        examples: int = 25,
        planted: bool = False,
    ) -> Result:
        """Run one of the claim's checks.

        Parameters
        ----------
        check : Check
        examples : int
            Instances that Hypothesis draws at the exact and property levels.
        planted : bool
            Put the planted violation in place; the result must then not pass. Its
            counterexample is not shrunk.
        """
        parts = dict(check.planted) if planted else {}
        if check.level is Level.SYMBOLIC:
            return run_symbolic(self.id, check, parts)
        if check.level is Level.NUMERIC:
            return run_named(self.id, check, parts)
        assert check.distributions is not None
        drawn = check.distributions()
        return search(
            self.id,
            check,
            drawn,
            level=check.level,
            tolerance=check.tolerance,
            examples=examples,
            fixed=parts,
            shrink=not planted,
        )
