"""A claim: a statement of the literature, where it comes from, and checks that can fail.

A check is a *residual*: a function that is zero where the claim holds. It is evaluated on many
distributions, at one of five levels, the strongest first:

``proved``
    an exact certificate for all distributions of so many sites, or of every length
``symbolic``
    the library's own functions on SymPy symbols; the simplified residual must be zero
``exact``
    rational arithmetic; the residual must be exactly zero
``property``
    float64, on distributions that Hypothesis draws and shrinks
``numeric``
    float64, on named distributions

Passing on N instances is no proof. A proof comes with a certificate: a sum of quantities that are
never negative, which is added up again in fractions. The symbolic level speaks of all tables of its
shape, too, as far as SymPy's normal forms are right.

A residual raises `DoesNotApply` on a distribution that does not meet the assumptions of the
statement, with the one that fails; that is neither a pass nor a failure.

A check of an inequality may also measure how *tight* it is. The search then looks for the instance
with the least room, which is where a wrong inequality would break first.

Every check also carries a *planted violation*: parts that make the claim wrong. A check that
does not reject it is broken.
"""

import inspect
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar

from theory.claims.kit.check import run_named, run_proved, run_symbolic, search
from theory.claims.kit.declaration import Arguments, Check, Named, Pool, declare
from theory.claims.kit.result import Level, Result
from theory.distributions.base import Distribution, check_distribution
from theory.errors import InvalidInput
from theory.validation.arguments import as_integer

__all__ = ["Check", "Claim", "Provenance", "Verdict"]

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


SHOWN = {
    Level.SYMBOLIC: "exact on symbols",
    Level.EXACT: "exact on instances",
    Level.PROPERTY: "searched",
    Level.NUMERIC: "searched",
}
"""What passing says at the levels that are no proof."""

_DECLARED_LATER: Any = None
"""The checks of a claim whose residuals are declared by decorators below it."""

Residual = TypeVar("Residual", bound=Callable[..., Any])


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
        Left out where they are declared by `residual`, `symbolic` and `proved`.
    says : str
        What the source says, as far as it was seen.
    note : str
        Assumptions, or what was found out on the way.

    >>> from theory import information, strategies
    >>> X1 = Claim(
    ...     id="X1",
    ...     title="The profile sums to the entropy",
    ...     statement="sum f(j) = H(p).",
    ...     latex="sum_j f(j) = H(p)",
    ...     source="telescoping",
    ...     provenance=Provenance.OURS,
    ...     verdict=Verdict.HOLDS,
    ... )
    >>> X1
    <Claim X1: The profile sums to the entropy>
    >>> @X1.residual("the sum", exact=strategies.joint_tables(exact=True), unit=2)
    ... def the_sum(p, unit=1):
    ...     return sum(information.profile(p)) * unit - information.entropy(p)
    >>> [(str(check.level), check.name, check.planted) for check in X1.checks]
    [('exact', 'the sum on rational distributions', {'unit': 2})]
    >>> X1.run(X1.checks[0]).passed, X1.run(X1.checks[0], planted=True).passed
    (True, False)
    """

    id: str
    title: str
    statement: str
    latex: str
    source: str
    provenance: Provenance
    verdict: Verdict
    checks: tuple[Check, ...] = _DECLARED_LATER
    says: str = ""
    note: str = ""

    def __repr__(self) -> str:
        return f"<Claim {self.id}: {self.title}>"

    def __post_init__(self) -> None:
        object.__setattr__(self, "provenance", Provenance(self.provenance))
        object.__setattr__(self, "verdict", Verdict(self.verdict))
        if self.checks is _DECLARED_LATER:
            object.__setattr__(self, "checks", ())
        elif not self.checks:
            raise InvalidInput(f"claim {self.id} has no check")

    @property
    def levels(self) -> tuple[Level, ...]:
        """The levels that the claim is checked at, the strongest first."""
        return tuple(level for level in Level if any(c.level == level for c in self.checks))

    @property
    def shown(self) -> str:
        """What its checks show, the strongest first: what is proved, exact, or only searched.

        >>> from theory.claims import registry
        >>> registry["A1"].shown
        'exact on symbols, exact on instances, searched'
        """
        kinds = [
            f"proved for {c.scope}" if c.level is Level.PROVED else SHOWN[c.level]
            for c in sorted(self.checks, key=lambda c: list(Level).index(c.level))
        ]
        return ", ".join(dict.fromkeys(kinds))

    def residual(
        self,
        words: str,
        *,
        exact: Pool | None = None,
        floats: Pool | None = None,
        named: Named | None = None,
        symbols: Sequence[Arguments] | Callable[[], Iterable[Arguments]] | None = None,
        parts: Mapping[str, Any] | Callable[[Any], Any] | None = None,
        at: Sequence[Arguments] | Callable[[Any], Iterable[Arguments]] | None = None,
        tolerance: float = 1e-10,
        tightness: Callable[..., float] | None = None,
        of_its_own: bool = False,
        scope: str = "",
        planted: Mapping[str, Any] | None = None,
        **violation: Any,
    ) -> Callable[[Residual], Residual]:
        """Declare a residual: a function that is zero where the claim holds.

        The function stays as it is. It becomes one check of the claim for each pool that is given;
        what it may return is said at `Check`. Declared twice, it has two planted violations.

        Parameters
        ----------
        words : str
            What is checked.
        exact, floats : strategy of distributions, or a function that returns one
            What the residual is drawn on in rational arithmetic (the exact level), and in float64
            (the property level).
        named : mapping from names to distributions, or a function that returns one
            What it is evaluated on at the numeric level.
        symbols : sequence of mappings, or a function that returns one
            All its arguments at the symbolic level, `p` among them. With a `scope` each `p` is
            `FreeEntropies` or a `FreeProfile`, and the residual is proved for all distributions.
        parts : mapping, or a function of p
            Strategies of further arguments by name. In a mapping, one that depends on the length,
            the vocabulary or the arithmetic is a function of these, ``lambda size:
            st.integers(1, size.length)``, and is made once for each. What depends on more, or on
            other parts, is a function ``parts(p)`` as in `Check`.
        at : sequence of mappings, or a function of p that returns one
            The parts to go through on each of the named distributions, all at once: one number
            that is not zero fails the distribution, and one case that it is not about leaves it.
        tolerance : float
            What counts as zero in `floats` and `named`.
        tightness, of_its_own
            As in `Check`. Bounds that the residual returns need no `tightness`.
        scope : str
            What the proof speaks of, such as ``"up to 6 sites"``: all that `symbols` go through.
        planted : mapping, optional
            Parts that make the claim wrong, for names that are taken here.
        **violation
            Parts that make the claim wrong.
        """
        wrong = {**(planted or {}), **violation}

        def declared(function: Residual) -> Residual:
            self._can_plant(wrong, words, function)
            checks = declare(
                function,
                words,
                exact=exact,
                floats=floats,
                named=named,
                symbols=symbols,
                parts=parts or {},
                at=at,
                tolerance=tolerance,
                tightness=tightness,
                of_its_own=of_its_own,
                scope=scope,
                planted=wrong,
            )
            object.__setattr__(self, "checks", (*self.checks, *checks))
            return function

        return declared

    def proved(
        self,
        words: str,
        *,
        scope: str,
        planted: Mapping[str, Any] | None = None,
        **violation: Any,
    ) -> Callable[[Residual], Residual]:
        """Declare a function that proves (a part of) the claim, with certificates.

        The function takes planted parts only. It returns one answer of `theory.proofs`, or several
        in a list: the check passes if there is one, each is a proof, and each adds up again.

        Parameters
        ----------
        words : str
            What is proved.
        scope : str
            What it is proved for, such as ``"every length"`` or ``"up to 6 sites"``.
        planted : mapping, optional
            Parts that make the claim wrong, for names that are taken here.
        **violation
            Parts that make the claim wrong: one answer has to be no proof then.
        """
        wrong = {**(planted or {}), **violation}

        def declared(function: Residual) -> Residual:
            self._can_plant(wrong, words, function)
            check = Check(
                level=Level.PROVED, residual=function, planted=wrong, name=words, scope=scope
            )
            object.__setattr__(self, "checks", (*self.checks, check))
            return function

        return declared

    def _can_plant(self, wrong: Mapping[str, Any], words: str, function: Any) -> None:
        for name in wrong.keys() - inspect.signature(function).parameters.keys():
            raise InvalidInput(f"{words!r} of claim {self.id} plants {name!r}, no part of it")

    def symbolic(self, words: str, **violation: Any) -> Callable[[Residual], Residual]:
        """Declare a residual that builds its symbols itself and takes planted parts only.

        The same as `residual` with one case of `symbols`, which is empty.
        """
        return self.residual(words, symbols=[{}], planted=violation)

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
        checks = self._checks_for(p)
        known = {name for check in checks for name in check.part_names}
        for name in parts:
            if name not in known:
                named = ", ".join(sorted(known)) or "none"
                raise InvalidInput(f"claim {self.id} has no part {name!r}; it has {named}")
        results = [
            search(
                self.id,
                check,
                st.just(p),
                examples=examples,
                fixed={name: parts[name] for name in parts if name in check.part_names},
            )
            for check in checks
        ]
        failed = [result for result in results if not result.passed]
        tightest = max(results, key=lambda r: -math.inf if math.isnan(r.tightest) else r.tightest)
        reasons = dict.fromkeys(result.reason for result in results)
        instances = sum(result.instances for result in results)
        return Result(
            self.id,
            checks[0].level,
            not failed,
            instances,
            worst=max((result.worst for result in results), key=lambda v: (v != v, v)),  # nan first
            tolerance=max(result.tolerance for result in results),
            seconds=sum(result.seconds for result in results),
            counterexample=failed[0].counterexample if failed else "",
            tightest=tightest.tightest,
            tightest_at=tightest.tightest_at,
            reason="" if instances else "; ".join(reasons),
        )

    def _checks_for(self, p: Distribution) -> list[Check]:
        """The checks to run on a distribution of the user's, at the level of its arithmetic."""
        about = [check for check in self.checks if not check.of_its_own]
        exact = [check for check in about if check.level is Level.EXACT]
        floats = [check for check in about if check.level is Level.PROPERTY]
        if p.exact:  # every residual once
            done = {check.residual for check in exact}
            chosen = exact + [check for check in floats if check.residual not in done]
        else:
            chosen = floats or exact
        if not chosen:
            raise InvalidInput(f"claim {self.id} has no check that takes a distribution")
        level = Level.EXACT if p.exact else Level.PROPERTY
        return [
            replace(c, level=level, tolerance=0.0 if p.exact else c.tolerance or DEFAULT_TOLERANCE)
            for c in chosen
        ]

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
        if check.level is Level.PROVED:
            return run_proved(self.id, check, parts)
        if check.level is Level.SYMBOLIC:
            return run_symbolic(self.id, check, parts)
        if check.level is Level.NUMERIC:
            return run_named(self.id, check, parts)
        assert check.distributions is not None
        return search(
            self.id,
            check,
            check.distributions(),
            examples=examples,
            fixed=parts,
            shrink=not planted,
        )
