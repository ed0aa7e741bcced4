"""Peers on the same inputs, their answers compared with ours before anything is timed.

A peer that is not installed is left out and named, so that the table can say so.
"""

import importlib
import warnings
from collections.abc import Callable
from typing import Any

from numpy.testing import assert_allclose

from benchmarks.case import Way
from benchmarks.timing import Call

PEERS = ("dit", "hmmlearn", "opt_einsum", "pgmpy")
"""What the dependency group `peers` installs."""

RTOL = 1e-9
"""Relative error that answers may have: theirs are sums in another order, some of logarithms."""


class NotInstalled(Exception):
    """A peer cannot be imported; its name is the message."""


def load(name: str) -> Any:
    """Import a module of a peer."""
    package = name.split(".")[0]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what a peer deprecates is not ours to mend
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise NotInstalled(package) from None


def versions() -> dict[str, str | None]:
    """Version of each peer, or None."""
    from importlib import metadata

    found: dict[str, str | None] = {}
    for name in PEERS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


def compared(
    expected: Any,
    rivals: dict[str, Callable[[], Call]],
    share: float = 1.0,
    atol: float = 0.0,
) -> tuple[list[Way], tuple[str, ...]]:
    """Ways of peers whose answers are the expected ones, and the peers that are not installed.

    Parameters
    ----------
    expected : array_like
    rivals : dict of str to callable
        Each prepares the inputs and returns the call that is to be timed.
    share : float
        Part of the work that the calls do.
    atol : float
        By how much answers may differ, beside a relative error of `RTOL`.
    """
    ways, missing = [], []
    for name, prepare in rivals.items():
        try:
            call = prepare()
        except NotInstalled as absent:
            missing.append(str(absent))
            continue
        assert_allclose(call(), expected, rtol=RTOL, atol=atol, err_msg=name)
        ways.append(Way(name, call, share))
    return ways, tuple(dict.fromkeys(missing))
