"""Units of information: nats, or any base."""

from typing import Any

import numpy as np

from theory import exact
from theory.arrays import is_exact
from theory.validation import as_base

__all__ = ["in_units"]


def in_units(value: Any, base: float | None) -> Any:
    """Turn nats into the unit of `base`; exact numbers stay exact.

    >>> import sympy
    >>> in_units(3 * sympy.log(2), 2)
    3
    """
    unit = as_base(base)
    if base is None:
        return value
    if isinstance(value, np.ndarray) and is_exact(value):
        return exact.elementwise(lambda v: in_units(v, base), value)
    if isinstance(value, (float, np.floating)) or hasattr(value, "dtype"):
        return value / unit
    import sympy

    return sympy.sympify(value) / sympy.log(sympy.nsimplify(base))
