"""Statements for every length: linear in the profile, and never negative on its steps.

A profile is a sum of nonnegative multiples of the steps ``1{j < r}``, r = 1..L, which are the
profiles of codes (claim I2). So what is linear in the profile is never negative if it is not on
these L steps; where it is a formula in L and r there, its sign is shown for all of them at once.

On the step r a batch from a to b costs ``b - r`` if ``a < r < b`` and else nothing; ``TC = L - r``
and ``DTC = r`` for r < L. For r = L the sites are independent, and TC, DTC and costs are 0.

On ancestral steps costs are integrals over the growth ``h'`` of the gain curve, which is never
negative: two that are linear in it compare as what stands before ``h'`` does, at each share u.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from theory.proofs.signs import Negative, Nonnegative, Undecided, nonnegative

__all__ = ["StepSlack", "batches", "equal", "never_negative", "shares", "steps"]


@dataclass(frozen=True)
class StepSlack:
    """A slack on the steps of every length, and its sign: true if that is shown.

    Attributes
    ----------
    text : str
        What is at most what.
    sign : Nonnegative, Negative or Undecided
    """

    text: str
    sign: Nonnegative | Negative | Undecided

    def check(self) -> bool:
        """Substitute and expand again."""
        return isinstance(self.sign, Nonnegative) and self.sign.check()

    def __bool__(self) -> bool:
        return bool(self.sign)

    def __str__(self) -> str:
        first, *lines = str(self.sign).splitlines()
        shown = "; ".join(map(str.strip, lines)) or first
        return f"slack of {self.text}:  {0 if self.sign.expression == 0 else shown}"


def never_negative(text: str, slack: Any, region: Iterable[Any]) -> StepSlack:
    """Decide whether a slack is never negative on a region.

    >>> (r, n), region = steps()
    >>> print(never_negative("DTC <= (L-1) TC", (n - 1) * (n - r) - r, region))
    slack of DTC <= (L-1) TC:  -r + (L - 1)*(L - r) = y1*(y0 + y1 + 2) with L = y0 + y1 + 2, ...
    >>> print(never_negative("DTC <= TC", n - 2 * r, region))
    slack of DTC <= TC:  negative: -1 at L = 3, r = 2
    """
    return StepSlack(text, nonnegative(slack, region))


def equal(text: str, left: Any, right: Any, region: Iterable[Any]) -> StepSlack:
    """Decide whether two formulas are the same on a region: less the square of the difference.

    >>> (r, n), region = steps()
    >>> print(equal("TC + DTC = L", (n - r) + r, n, region))
    slack of TC + DTC = L:  0
    """
    import sympy

    return StepSlack(text, nonnegative(-(sympy.expand(left - right) ** 2), region))


def batches() -> tuple[tuple[Any, Any, Any, Any], list[Any]]:
    """Symbols a, r, b, L for a batch from a to b and a step r within it, and their region."""
    import sympy

    a, r, b, n = sympy.symbols("a r b L", integer=True)
    return (a, r, b, n), [a >= 0, a < r, r < b, b <= n]


def steps() -> tuple[tuple[Any, Any], list[Any]]:
    """Symbols r, L for a step that is not that of independent sites, and their region."""
    import sympy

    r, n = sympy.symbols("r L", integer=True)
    return (r, n), [r >= 1, r < n]


def shares() -> tuple[tuple[Any, Any, Any, Any], list[Any]]:
    """Symbols s, u, t, N for a share u/N within a step from s/N to t/N, and their region."""
    import sympy

    s, u, t, n = sympy.symbols("s u t N", integer=True)
    return (s, u, t, n), [s >= 0, s <= u, u <= t, t <= n, n >= 1]
