"""The answer to whether predictions far from what is observed become alike, and how fast."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

__all__ = ["Decision", "RecurrentClass"]

LONG = 40
"""Algebraic numbers with more characters are shown as floats."""


@dataclass(frozen=True, eq=False)
class RecurrentClass:
    """Tokens (or hidden states) that the chain does not leave.

    Attributes
    ----------
    states : tuple of int
    period : int
    stationary : (V,) array
        Zero outside of the class.
    """

    states: tuple[int, ...]
    period: int
    stationary: np.ndarray


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
        of an eigenvalue other than 1 that shows; below 1 if `homogenizes` (floats may round it to
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
        For chains that homogenize: the far prediction after each token, nan after those that are
        never reached.
    classes : tuple of RecurrentClass
        Those that are reached, by their smallest state.
    reason : str
        The decision in a sentence.
    """

    homogenizes: bool
    forgets: bool
    rate: Any
    limit: np.ndarray | None
    limits: np.ndarray | None
    classes: tuple[RecurrentClass, ...]
    reason: str
    constant_of: Callable[[], Any] | None = None  # asked for takes longer than the decision

    @cached_property
    def constant(self) -> Any:
        """The factor in front of ``rate^n``, computed when it is asked for."""
        return math.nan if self.constant_of is None else self.constant_of()

    def __repr__(self) -> str:
        rate = str(self.rate)
        if len(rate) > LONG and not getattr(self.rate, "free_symbols", None):
            rate = f"{float(self.rate):.12g}"
        return f"Decision(homogenizes={self.homogenizes}, forgets={self.forgets}, rate={rate})"
