"""NumPy as it is in a browser, where an integer has 32 bits unless one asks for more.

`narrow` makes the functions that create integers by default give ``int32`` to the package's own
code: ranges, fills, positions, sums of truth values. What is asked for with a type stays as it is.
Run as a program, it runs the doctests of the modules that it is given in that world.
"""

import doctest
import functools
import importlib
import sys
from contextlib import ExitStack, contextmanager
from unittest import mock

import array_api_compat.numpy
import numpy as np

NAMES = (
    *("arange", "full", "full_like", "indices", "array", "asarray", "zeros", "ones", "empty"),
    *("nonzero", "flatnonzero", "argwhere", "argsort", "argmax", "argmin", "searchsorted"),
    *("unravel_index", "ravel_multi_index", "bincount", "count_nonzero", "sum", "cumsum", "prod"),
    *("cumulative_sum", "digitize"),
)
PACKAGES = ("theory", "sims", "figures", "tests", "__main__")


def narrowed(function):
    """The function, with int64 results of our own calls made int32 if no type was asked for."""

    @functools.wraps(function)
    def call(*args, **kwargs):
        result = function(*args, **kwargs)
        caller = sys._getframe(1).f_globals.get("__name__", "").split(".")[0]
        if caller not in PACKAGES or wide(args, kwargs):
            return result
        if isinstance(result, tuple):
            return tuple(narrow_one(part) for part in result)
        return narrow_one(result)

    return call


def wide(args, kwargs):
    """Whether 64 bits were asked for: by a type that is not ``int``, or an array that has them."""
    given = [*args, *kwargs.values()]
    if any(value is np.int64 or value == np.dtype(np.int64) for value in given if is_type(value)):
        return True
    arrays = [value for value in given if isinstance(value, (np.ndarray, np.generic))]
    return any(value.dtype in (np.int64, np.uint64) for value in arrays)


def is_type(value):
    return isinstance(value, (type, np.dtype)) and value is not int


def narrow_one(value):
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype == np.int64:
        return value.astype(np.int32)
    return value


@contextmanager
def narrow():
    """Within the block NumPy is as in a browser."""
    with ExitStack() as patches:
        for name in NAMES:
            patched = narrowed(getattr(np, name))
            for module in (np, array_api_compat.numpy):
                if hasattr(module, name):
                    patches.enter_context(mock.patch.object(module, name, patched))
        yield


def main(modules):
    """Run the doctests of modules; print how many there were and return how many failed."""
    loaded = [importlib.import_module(name) for name in modules]
    tried = failed = 0
    with narrow():
        for module in loaded:
            flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
            found = doctest.testmod(module, optionflags=flags)
            tried, failed = tried + found.attempted, failed + found.failed
    print(f"{tried} examples, {failed} failed")
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
