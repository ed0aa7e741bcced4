"""Information in nats or in units of any base, and without the rounding below zero."""

from typing import Any

import numpy as np

from theory._core import exact
from theory._core.arrays import array_namespace, is_exact
from theory.validation.arguments import as_base

__all__ = ["in_units", "not_negative"]


def in_units(value: Any, base: float | None) -> Any:
    """Turn nats into the unit of `base`; exact numbers stay exact.

    >>> in_units(exact.log(np.asarray([8])), 2)
    array([3], dtype=object)
    """
    unit = as_base(base)
    if base is None:
        return value
    if isinstance(value, np.ndarray) and is_exact(value):
        return exact.elementwise(lambda v: in_units(v, base), value)
    if isinstance(value, (float, np.floating)) or hasattr(value, "dtype"):
        return value / unit
    if float(base).is_integer():
        return value / exact.log(np.asarray(int(base))).item()
    import sympy

    return sympy.sympify(value) / sympy.log(sympy.nsimplify(base))


def not_negative(value: Any) -> Any:
    """Clip rounding below 0 of what is not negative by a theorem; exact numbers stay as they are.

    >>> float(not_negative(np.float64(-1e-16))), not_negative(np.asarray([-1e-16, 0.5])).tolist()
    (0.0, [0.0, 0.5])
    """
    if isinstance(value, (float, np.floating)):
        return abs(value * 0) if value < 0 else value
    if not hasattr(value, "dtype") or is_exact(value):
        return value
    return array_namespace(value).where(value < 0, 0.0, value)
