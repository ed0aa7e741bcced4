"""Progress on standard error: a bar on a terminal, elsewhere a line every so often."""

import multiprocessing
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

__all__ = ["tracked"]

EVERY = 20.0
"""Seconds between two lines, where there is no terminal."""


def tracked(
    items: Sequence[Any], wanted: bool | None = None, doing: str = "decoding"
) -> Iterable[Any]:
    """Go through the items and show how far it is.

    Parameters
    ----------
    items : sequence
    wanted : bool, optional
        Show a bar, or nothing. By default, a bar on a terminal and elsewhere, but not in the
        workers of a pool, a line every twenty seconds, so that short work stays silent.
    doing : str

    >>> list(tracked(range(3), wanted=False))
    [0, 1, 2]
    """
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    if wanted or (wanted is None and console.is_terminal):
        return track(items, description=doing, console=console, transient=True)
    if wanted is False or multiprocessing.parent_process() is not None:
        return items
    return _with_lines(items, doing)


def _with_lines(items: Sequence[Any], doing: str) -> Iterator[Any]:
    begun = said = time.monotonic()
    for done, item in enumerate(items):
        now = time.monotonic()
        if now - said >= EVERY:
            said = now
            print(f"{doing}: {done} of {len(items)} after {now - begun:.0f} s", file=sys.stderr)
        yield item
