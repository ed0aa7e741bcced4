"""A check of a claim as it is declared: a residual, its instances, and what it must reject."""

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from hypothesis.strategies import SearchStrategy

from theory.claims.kit.certified import certified
from theory.claims.kit.inequality import greatest
from theory.claims.kit.result import Level
from theory.distributions.base import Distribution
from theory.errors import InvalidInput

__all__ = ["Arguments", "Check", "Named", "Parts", "Pool", "Size", "declare"]

Pool: TypeAlias = SearchStrategy[Any] | Callable[[], SearchStrategy[Any]]
"""Distributions to draw from."""

Named: TypeAlias = Mapping[str, Distribution] | Callable[[], Mapping[str, Distribution]]
"""Distributions by name."""

Parts: TypeAlias = Mapping[str, SearchStrategy[Any]]
"""Further arguments of a residual by name, each drawn by a Hypothesis strategy."""

Arguments: TypeAlias = Mapping[str, Any]
"""Arguments of a residual by name."""


WHERE = {
    Level.PROVED: "",
    Level.SYMBOLIC: "",
    Level.EXACT: " on rational distributions",
    Level.PROPERTY: " on drawn distributions",
    Level.NUMERIC: " on named distributions",
}
"""What the pools of a residual add to its name."""


class Size(NamedTuple):
    """What further arguments may depend on without being made anew for every distribution."""

    length: int
    vocab: int
    exact: bool


@dataclass(frozen=True, kw_only=True)
class Check:
    """One way to check a claim.

    `Claim.residual` makes these where a residual is declared; a claim may also be given them.

    Parameters
    ----------
    level : Level or str
    residual : callable
        ``residual(p, **parts)``, or ``residual(**parts)`` at the symbolic level, returns numbers
        (a scalar or an array) that are all zero where the claim holds. An inequality returns by
        how much it is violated, or a `Bound`, from which that follows. One that returns no numbers
        has looked at nothing: it does not apply (at the symbolic level it holds). At the proved
        level ``residual(**parts)`` returns one or several answers of `theory.proofs`.
    planted : mapping
        Parts that make the claim wrong; the check must reject them.
    distributions : callable, optional
        Returns a Hypothesis strategy of distributions (exact and property levels).
    parts : callable, optional
        ``parts(p)`` returns strategies of further arguments by name, or, where they depend on
        each other, one strategy of dictionaries.
    named : callable, optional
        Returns the distributions of the numeric level by name.
    tolerance : float
        What counts as zero in float64; not used by the other levels.
    of_its_own : bool
        The residual builds its instances from its parts and does not look at `p`, so that it says
        nothing of a distribution of the user's.
    tightness : callable, optional
        ``tightness(p, **parts)``, for an inequality: the ratio of its smaller to its larger side,
        at most 1 where it holds; nan where both are 0 and it says nothing. It takes the parts of
        the residual without the planted ones. Searches climb towards its maximum. Without it the
        greatest ratio of the bounds that the residual returns is taken.
    name : str
        What is checked, in words.
    scope : str
        What a proof speaks of, such as ``"every length"`` or ``"up to 6 sites"``.
    """

    level: Level
    residual: Callable[..., Any]
    planted: Mapping[str, Any]
    distributions: Callable[[], SearchStrategy[Any]] | None = None
    parts: Callable[[Any], Parts | SearchStrategy[dict[str, Any]]] = lambda p: {}
    named: Callable[[], Mapping[str, Distribution]] | None = None
    tolerance: float = 0.0
    tightness: Callable[..., float] | None = None
    of_its_own: bool = False
    name: str = ""
    scope: str = ""

    def __repr__(self) -> str:
        return f"<Check at the {self.level} level: {self.name or 'unnamed'}>"

    def __post_init__(self) -> None:
        object.__setattr__(self, "level", Level(self.level))
        needs = {Level.EXACT: "distributions", Level.PROPERTY: "distributions"}
        needs[Level.NUMERIC] = "named"
        needed = needs.get(self.level)
        if needed and getattr(self, needed) is None:
            raise InvalidInput(f"a check at the {self.level} level needs {needed}")
        if not self.planted:
            raise InvalidInput("a check needs a planted violation that it must reject")
        if (self.level is Level.PROVED) != bool(self.scope):
            raise InvalidInput(
                f"a check at the {self.level} level "
                + ("needs a scope: what its proof speaks of" if not self.scope else "has no scope")
            )
        exactly = self.level not in (Level.PROPERTY, Level.NUMERIC)
        if exactly == (self.tolerance > 0):
            raise InvalidInput(
                f"a check at the {self.level} level takes "
                + ("no tolerance" if exactly else "a tolerance above 0")
            )
        if self.tightness is not None and self.level in (Level.PROVED, Level.SYMBOLIC):
            raise InvalidInput(f"a check at the {self.level} level has no instances to be tight on")

    @property
    def part_names(self) -> list[str]:
        """Names of all arguments of the residual but the distribution."""
        return list(inspect.signature(self.residual).parameters)[1:]


def declare(
    residual: Callable[..., Any],
    words: str,
    *,
    exact: Pool | None,
    floats: Pool | None,
    named: Named | None,
    symbols: Sequence[Arguments] | Callable[[], Iterable[Arguments]] | None,
    parts: Mapping[str, Any] | Callable[[Any], Any],
    at: Sequence[Arguments] | Callable[[Any], Iterable[Arguments]] | None,
    tolerance: float,
    tightness: Callable[..., float] | None,
    scope: str,
    **shared: Any,
) -> list[Check]:
    """Return one check of a residual for each of its pools; see `Claim.residual`."""

    def check(level: Level, **fields: Any) -> Check:
        return Check(level=level, name=words + WHERE[level], **fields, **shared)

    drawn = {"residual": residual, "parts": _drawn_by(parts), "tightness": tightness}
    checks = []
    if symbols is not None:

        def on_symbols(**violation: Any) -> list[Any]:
            given = symbols() if callable(symbols) else symbols
            return [residual(**case, **violation) for case in given]

        def proofs(**violation: Any) -> Iterator[Any]:
            for case in symbols() if callable(symbols) else symbols:
                yield certified(words, residual(**case, **violation), case["p"])

        on_symbols.__module__ = proofs.__module__ = residual.__module__  # where the reader looks
        checks.append(
            check(Level.PROVED, residual=proofs, scope=scope)
            if scope
            else check(Level.SYMBOLIC, residual=on_symbols)
        )
    if exact is not None:
        checks.append(check(Level.EXACT, distributions=_returning(exact), **drawn))
    if floats is not None:
        drawn["tolerance"] = tolerance
        checks.append(check(Level.PROPERTY, distributions=_returning(floats), **drawn))
    if named is not None:
        if parts and at is None:
            raise InvalidInput("on named distributions the parts are not drawn: give them as `at`")

        def cases(p: Any) -> Iterable[Arguments]:
            return at(p) if callable(at) else at or [{}]

        def on_named(p: Any, **violation: Any) -> list[Any]:
            return [residual(p, **case, **violation) for case in cases(p)]

        on_named.__module__ = residual.__module__

        def tightest(p: Any) -> float:
            assert tightness is not None
            return greatest(tightness(p, **case) for case in cases(p))

        checks.append(
            check(
                Level.NUMERIC,
                residual=on_named,
                named=_returning(named),
                tolerance=tolerance,
                tightness=tightest if tightness else None,
            )
        )
    if not checks:
        raise InvalidInput("a residual needs distributions or symbols to be zero on")
    return checks


def _returning(given: Any) -> Callable[[], Any]:
    return given if callable(given) else lambda: given


def _drawn_by(parts: Mapping[str, Any] | Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Parts as a function of the distribution; what depends on its size alone is made once."""
    if callable(parts):
        return parts
    # once, since Hypothesis looks through every new strategy
    made = functools.cache(
        lambda size: {k: v(size) if callable(v) else v for k, v in parts.items()}
    )
    return lambda p: made(Size(p.length, p.vocab, p.exact))
