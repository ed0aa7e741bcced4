"""The answer to whether predictions far from what is observed become alike, and how fast."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from theory._core.types import Number

__all__ = ["Decision", "RecurrentClass", "format_rate", "format_states"]

LONG = 40
"""Algebraic numbers with more characters are shown as floats."""

MAX_NAMED = 4
"""How many tokens of a class are named."""

DIGITS = 4
"""How many digits of a rate are written."""


@dataclass(frozen=True, eq=False)
class RecurrentClass:
    """Tokens (or hidden states) that the chain does not leave.

    Attributes
    ----------
    states : tuple of int
    period : int
    stationary : (V,) array
        Zero outside of the class.

    >>> RecurrentClass((0, 2), 2, np.asarray([0.5, 0.0, 0.5]))
    <RecurrentClass {0, 2}: period 2>
    """

    states: tuple[int, ...]
    period: int
    stationary: np.ndarray

    def __repr__(self) -> str:
        return f"<RecurrentClass {format_states(self.states, None)}: period {self.period}>"


@dataclass(frozen=True, eq=False)
class Decision:
    """What becomes of predictions far from what is observed.

    Attributes
    ----------
    homogenizes : bool
        After every context, the predictions at distances n and n + 1 approach each other.
    forgets : bool
        Moreover the limit is the same after every context. Contexts are compared at the same
        distance, wherever they stand.
    rate : number
        The geometric rate of both in total variation, in the worst context: the largest modulus
        of an eigenvalue other than 1 that counts; below 1 if `homogenizes` (floats may round it to
        1), else 1. Exact for exact chains; nan for symbols whose eigenvalues have no closed form.
    constant : number
        ``lim sup`` of the distance to the limit over ``rate^n``, in the worst context: inf if a
        power of n comes on top, nan if not `homogenizes` or not computed. If several pairs of
        complex eigenvalues dominate that turn by irrational angles, an upper bound. Exact for
        exact chains whose dominating eigenvalues are the rate times roots of unity. (Floats:
        eigenvalues are taken for equal up to 1e-6.)
    limit : (V,) array or None
        The far prediction, if `forgets`.
    limits : (V, V) array or None
        For chains that homogenize: the far prediction after each token, nan if that is never
        reached.
    classes : tuple of RecurrentClass
        Those that are reached, by their smallest state.
    reason : str
        The decision in a sentence.
    """

    homogenizes: bool
    forgets: bool
    rate: Number
    limit: np.ndarray | None
    limits: np.ndarray | None
    classes: tuple[RecurrentClass, ...]
    reason: str
    constant_of: Callable[[], Number] | None = None  # takes longer than the decision

    @cached_property
    def constant(self) -> Number:
        """The factor in front of ``rate^n``, computed on first use."""
        return math.nan if self.constant_of is None else self.constant_of()

    def __repr__(self) -> str:
        rate = str(self.rate)
        if len(rate) > LONG and not getattr(self.rate, "free_symbols", None):
            rate = f"{float(self.rate):.12g}"
        return f"Decision(homogenizes={self.homogenizes}, forgets={self.forgets}, rate={rate})"


def format_states(states: Sequence[int], symbols: Sequence[str] | None) -> str:
    """Write a set of tokens.

    >>> format_states((0, 2), ("the", "a", "of")), format_states(range(9), None)
    ('{the, of}', '{0, 1, 2, 3 and 5 more}')
    """
    names = [str(s) if symbols is None else symbols[s] for s in states]
    rest = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return f"{{{', '.join(names[:MAX_NAMED])}{rest}}}"


def format_rate(rate: Any, distance: str = "distance n") -> str:
    """Write how fast a limit is approached.

    >>> format_rate(0.5), format_rate(0)
    ('like 0.5^n at distance n', 'in finitely many steps')
    """
    if rate == 0:
        return "in finitely many steps"
    if getattr(rate, "free_symbols", None):
        return f"like ({rate})^n at {distance}"
    if math.isnan(rate):
        return "geometrically, with a rate that has no closed form in the symbols"
    return f"like {float(rate):.{DIGITS}g}^n at {distance}"
