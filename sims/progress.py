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
        Show a bar on a terminal and elsewhere a line every twenty seconds and at the end, or
        nothing. By default there is no line at the end, so that short work stays silent, nor any
        from the workers of a pool.
    doing : str

    >>> list(tracked(range(3), wanted=False))
    [0, 1, 2]
    """
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    if wanted is not False and console.is_terminal:
        return track(items, description=doing, console=console, transient=True)
    if wanted is False or (wanted is None and multiprocessing.parent_process() is not None):
        return items
    return _with_lines(items, doing, bool(wanted))


def _with_lines(items: Sequence[Any], doing: str, last: bool) -> Iterator[Any]:
    begun = said = time.monotonic()

    def say(done: int, now: float) -> None:
        print(f"{doing}: {done} of {len(items)} after {now - begun:.0f} s", file=sys.stderr)

    for done, item in enumerate(items):
        now = time.monotonic()
        if now - said >= EVERY:
            said = now
            say(done, now)
        yield item
    if last:
        say(len(items), time.monotonic())
