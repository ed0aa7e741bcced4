"""Evaluates a check of a claim: proofs, on symbols, on drawn or on named distributions."""

import functools
import itertools
import math
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from theory._core.arrays import to_host
from theory._core.bound import Bound
from theory.claims.kit.declaration import Check
from theory.claims.kit.describe import describe
from theory.claims.kit.inequality import bound_closeness, bound_excess, greatest
from theory.claims.kit.result import DoesNotApply, Result
from theory.claims.kit.simplify import simplified
from theory.errors import InvalidInput
from theory.proofs.answers import Proof

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["run_named", "run_proved", "run_symbolic", "search"]

ZERO_TOL = 1e-12
"""Exact residuals below this are simplified before they are called different from zero."""

POINT_DIGITS, NONZERO_TOL = 30, 1e-15
"""A symbolic residual is evaluated at a point to so many digits, and refuted above this."""


EVERY_LENGTH = "every length"
"""What no proof about so many sites is for."""


class _Refuted(Exception):
    """Carries a failing instance, as text, out of a search."""


class _Evaluations:
    """What the evaluations of a check on its instances have found so far."""

    def __init__(self, claim: str, check: Check, fixed: Mapping[str, Any]) -> None:
        self.claim, self.check = claim, check
        self.planted = not check.planted.keys().isdisjoint(fixed)
        self.began = time.perf_counter()
        self.sizes: list[float] = []
        self.reasons: list[str] = []
        self.tightest = math.nan
        self.tightest_at: Callable[[], str] = str  # empty

    def look_at(
        self, p: Any, parts: Mapping[str, Any], text: Callable[[float], str], name: str = ""
    ) -> float:
        """Evaluate the residual on an instance, which has this text for each size of the residual.

        Returns how tight an inequality is there; nan where that is not measured or says nothing.
        """
        try:
            residual = self.check.residual(p, **parts)
            size = _size(residual)
        except DoesNotApply as reason:
            self.reasons.append(f"{name}: {reason}" if name else str(reason))
            return math.nan
        self.sizes.append(size)
        if not size <= self.check.tolerance:  # also where it is nan
            raise _Refuted(text(size))
        if self.planted:
            return math.nan
        if self.check.tightness is not None:
            ratio = float(self.check.tightness(p, **parts))
        else:
            entries = _entries(residual)
            ratio = greatest(bound_closeness(e) for e in entries if isinstance(e, Bound))
        if math.isfinite(ratio) and not ratio <= self.tightest:  # the first one replaces nan
            self.tightest = ratio
            self.tightest_at = lambda: name or text(size)
        return ratio

    def result(self, counterexample: str) -> Result:
        """Return what all of them say together."""
        return Result(
            self.claim,
            self.check.level,
            not counterexample,
            len(self.sizes),
            worst=float(np.max(self.sizes, initial=0.0)),  # nan stays nan
            tolerance=self.check.tolerance,
            seconds=time.perf_counter() - self.began,
            counterexample=counterexample,
            tightest=self.tightest,
            tightest_at=self.tightest_at(),
            reason="" if self.sizes else "; ".join(dict.fromkeys(self.reasons)),
            name=self.check.name,
        )


def _entries(residual: Any) -> Iterator[Any]:
    """The numbers, arrays and bounds in nested lists."""
    if isinstance(residual, (tuple, list)):
        for part in residual:
            yield from _entries(part)
    else:
        yield residual


def _numbers(residual: Any) -> Iterator[Any]:
    for entry in _entries(residual):
        if isinstance(entry, Bound):
            yield bound_excess(entry)
        elif hasattr(entry, "shape") and not hasattr(entry, "free_symbols"):
            yield from to_host(entry).reshape(-1).tolist()
        else:
            yield entry


def _size(residual: Any) -> float:
    """Largest absolute entry; an exact entry counts as 0 only if it is exactly zero.

    A residual without entries has looked at nothing, which is no zero.
    """
    largest, values = 0.0, list(_numbers(residual))
    if not values:
        raise DoesNotApply("nothing that it compares is there")
    for value in values:
        free = getattr(value, "free_symbols", None)
        if free:
            value = simplified(value)
        if value == 0:
            continue
        if getattr(value, "free_symbols", None):
            return math.inf
        size = abs(float(value))
        if math.isnan(size):
            return size
        if free is not None and size < ZERO_TOL:  # a number not in its normal form?
            size = 0.0 if simplified(value) == 0 else max(size, np.finfo(float).tiny)
        largest = max(largest, size)
    return largest


def search(
    claim: str,
    check: Check,
    distributions: "SearchStrategy[Any]",
    *,
    examples: int,
    fixed: Mapping[str, Any],
    shrink: bool = True,
) -> Result:
    """Evaluate the residual on drawn instances and shrink the first failure.

    Where the check has a measure of tightness, the later instances climb towards its maximum. The
    draws of a claim are the same in every run, and do not depend on the text of this function.
    """
    import hypothesis

    seen = _Evaluations(claim, check, fixed)
    phases = [hypothesis.Phase.generate, hypothesis.Phase.target]
    phases += [hypothesis.Phase.shrink] if shrink else []

    settings = hypothesis.settings(
        phases=phases,
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        report_multiple_bugs=False,
        suppress_health_check=list(hypothesis.HealthCheck),  # pyright: ignore[reportArgumentType]
    )

    def look_at(p: Any, parts: dict[str, Any]) -> None:
        ratio = seen.look_at(p, parts, functools.partial(describe, p, parts))
        if math.isfinite(ratio):
            hypothesis.target(ratio)

    def holds(instance: tuple[Any, dict[str, Any]]) -> None:  # short: its source is read each time
        look_at(*instance)

    given = hypothesis.given(_instances()(check, distributions, fixed))
    drawn = hypothesis.seed(claim)(settings(given(holds)))
    try:
        drawn()
    except _Refuted as refuted:
        return seen.result(str(refuted))
    return seen.result("")


@functools.cache
def _instances() -> Any:
    """The strategy of a distribution and the other parts; Hypothesis reads its source only once."""
    import hypothesis.strategies as st

    @st.composite
    def instances(
        draw: st.DrawFn, check: Check, distributions: Any, fixed: Mapping[str, Any]
    ) -> tuple[Any, dict[str, Any]]:
        p = draw(distributions)
        parts = check.parts(p)
        if not isinstance(parts, Mapping):
            return p, {**draw(parts), **fixed}
        return p, {name: draw(parts[name]) for name in parts if name not in fixed} | {**fixed}

    return instances


def run_proved(claim: str, check: Check, parts: Mapping[str, Any]) -> Result:
    """Add the certificates of all proofs up again; the first answer that is none is shown."""
    began = time.perf_counter()
    returned, texts, counterexample, count = check.residual(**parts), [], "", 0
    sites: set[int] = set()
    for answer in returned if isinstance(returned, Iterator) else _entries(returned):
        count += 1
        if not hasattr(answer, "check") and answer:
            raise InvalidInput(
                f"{check.name!r} of claim {claim}: {answer!r} is no answer of a proof"
            )
        text = str(answer)
        if answer and answer.check():
            texts.append(text.removeprefix("proved\n"))
            sites |= {answer.statement.sites} if isinstance(answer, Proof) else set()
            continue
        counterexample = f"the certificate does not add up: {text}" if answer else text
        break
    if count == 0:
        counterexample = "nothing is proved"
    if not counterexample and not _is_for(check.scope, sites):
        raise InvalidInput(
            f"{check.name!r} of claim {claim} is said to be proved for {check.scope}, and the "
            f"proofs are of {', '.join(map(str, sorted(sites)))} sites"
        )
    return Result(
        claim,
        check.level,
        not counterexample,
        count,
        math.inf if counterexample else 0.0,
        0.0,
        time.perf_counter() - began,
        counterexample,
        name=check.name,
        scope=check.scope,
        certificate="\n".join(dict.fromkeys("\n".join(texts).splitlines())),
    )


def _is_for(scope: str, sites: set[int]) -> bool:
    """Tell whether proofs about so many sites may be said to be for this, as far as it is read."""
    most = re.match(r"up to (\d+) sites", scope)
    return (
        not sites
        if scope == EVERY_LENGTH
        else not most or {int(most[1])} == {max(sites, default=0)}
    )


def run_symbolic(claim: str, check: Check, parts: Mapping[str, Any]) -> Result:
    """Simplify the residuals of symbols; what is left is the counterexample.

    A residual that is not zero at one point need not be simplified to see that it does not vanish.
    """
    began = time.perf_counter()
    residuals = list(_numbers(check.residual(**parts)))
    left = list(itertools.islice(filter(None, map(_at_a_point, residuals)), 1))
    left = left or [f"does not vanish: {s}" for s in map(simplified, residuals) if s != 0]
    worst = math.inf if left else 0.0
    seconds = time.perf_counter() - began
    text = "\n".join(left[:3])
    return Result(claim, check.level, not left, 1, worst, 0.0, seconds, text, name=check.name)


def _at_a_point(residual: Any) -> str:
    """Where and how a residual is surely not zero, at one rational point; empty if it may be."""
    if residual == 0:
        return ""
    import sympy

    symbols = sorted(getattr(residual, "free_symbols", ()), key=str)
    point = {s: _value_of(s, k) for k, s in enumerate(symbols)}
    value = residual.subs(point) if symbols else sympy.sympify(residual)
    if not value.is_number or not (abs(number := value.evalf(POINT_DIGITS)) > NONZERO_TOL):
        return ""
    where = ", ".join(f"{s} = {v}" for s, v in point.items())
    return f"is {number.evalf(6)}" + (f" at {where}" if where else "")


def _value_of(symbol: Any, k: int) -> Any:
    """A number for the k-th symbol: an integer if it has to be one, else small and positive."""
    import sympy

    return sympy.Integer(k + 2) if symbol.is_integer else sympy.Rational(1, sympy.prime(k + 4))


def run_named(claim: str, check: Check, parts: Mapping[str, Any]) -> Result:
    """Evaluate the residual on the named distributions; a planted one, until it is rejected."""
    assert check.named is not None
    seen, counterexample = _Evaluations(claim, check, parts), ""
    for name, p in check.named().items():
        try:
            seen.look_at(p, parts, f"on {name}: residual {{:.3g}}".format, name)
        except _Refuted as refuted:
            counterexample = counterexample or str(refuted)
            if seen.planted:
                break
    return seen.result(counterexample)
