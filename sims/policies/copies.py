"""A table that is kept where it was made, and copied to where sequences live."""

import numpy as np

from theory._core.arrays import array_namespace, device, from_host, to_host
from theory._core.types import Array

__all__ = ["Copies"]


class Copies:
    """A table, and one copy of it beside sequences that live elsewhere, made once and kept.

    >>> Copies(np.arange(3)).beside(np.zeros(1)).tolist()
    [0, 1, 2]
    """

    def __init__(self, table: Array) -> None:
        self._tables = (table, table)

    def beside(self, x: Array) -> Array:
        """The table where `x` lives."""
        for table in self._tables:
            if array_namespace(table) is array_namespace(x) and device(table) == device(x):
                return table
        host = to_host(self._tables[0])
        copy = host if isinstance(x, np.ndarray) else from_host(host, x)
        self._tables = (self._tables[0], copy)
        return copy
