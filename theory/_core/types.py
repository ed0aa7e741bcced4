"""What signatures call arrays, numbers and namespaces.

Arrays of any backend of the array API are accepted and returned, and exact numbers travel in
arrays of dtype ``object``. Type checkers know only NumPy's arrays well, so they are shown those:
the attributes and methods that all backends share are found, and what only one has is not used.
"""

from typing import Any, TypeAlias

import numpy as np

__all__ = ["Array", "ArrayLike", "Namespace", "Number"]

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
"""An array of any backend: NumPy arrays in, NumPy arrays out; CuPy arrays in, CuPy arrays out."""

ArrayLike: TypeAlias = Any
"""What becomes an array: one of any backend, a number, or nested lists, of exact numbers too."""

Number: TypeAlias = float
"""A float; of an exact distribution, a Fraction or a SymPy expression."""

Namespace: TypeAlias = Any
"""An array API namespace, as `array_namespace` returns it."""
