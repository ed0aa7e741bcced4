"""Tolerances of rounding in what a user hands in, by the data type in which it comes.

Up to these numbers it is repaired silently: what lies outside its range is clipped to it, what has
to sum to 1 is divided by its sum, a grid that has to reach 1 does. What is further off is
refused, with the number. Integers, Fractions and expressions are not rounded and have to be right.
"""

from typing import Any, NamedTuple

from theory._core.arrays import array_namespace

__all__ = ["EXACT", "MODEL", "TOLERANCES", "Tolerance", "tolerance"]


class Tolerance(NamedTuple):
    """The largest deviation that is taken for rounding.

    Attributes
    ----------
    entry : float
        A single number outside its range: a probability below 0, a time below 0 or above 1.
        Some units in the last place of 1.
    sum : float
        A sum of many from 1, and the ends of a grid, which is one.
    """

    entry: float
    sum: float


EXACT = Tolerance(0, 0)

TOLERANCES = {
    "bfloat16": Tolerance(1e-2, 5e-2),
    "float16": Tolerance(1e-3, 1e-2),
    "float32": Tolerance(1e-6, 1e-4),
    "float64": Tolerance(1e-12, 1e-8),
}

MODEL = TOLERANCES["float32"]
"""The least that a denoiser is allowed: a model computes in float32 whatever it answers in."""


def tolerance(x: Any) -> Tolerance:
    """Look up an array or a number by its type; objects that hold floats count as float64.

    >>> import numpy as np
    >>> tolerance(np.ones(2, dtype=np.float16)).sum, tolerance(0.5).sum, tolerance(1).sum
    (0.01, 1e-08, 0)
    """
    dtype = getattr(x, "dtype", None)
    if dtype is None:
        return TOLERANCES["float64"] if isinstance(x, float) else EXACT
    if array_namespace(x).isdtype(dtype, ("bool", "integral")):
        return EXACT
    return TOLERANCES.get(str(dtype).rpartition(".")[2], TOLERANCES["float64"])
