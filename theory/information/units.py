"""Units of information: nats, or any base."""

from typing import Any

import numpy as np

from theory import exact
from theory.arrays import is_exact
from theory.validation import as_base

__all__ = ["in_units"]


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
