"""Progress on standard error: a bar on a terminal, elsewhere a line every so often."""

import multiprocessing
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

__all__ = ["tracked"]

EVERY = 20.0
"""Seconds between two lines, where there is no terminal."""


def tracked(
    items: Sequence[Any], wanted: bool | None = None, doing: str = "decoding"
) -> Iterable[Any]:
    """Iterate over the items, and show progress beside the word `doing`.

    If `wanted`, a bar on a terminal and elsewhere a line every twenty seconds and at the end; if
    False, nothing. By default there is no line at the end, so that short work stays silent, nor
    any from the workers of a pool.

    >>> list(tracked(range(3), wanted=False))
    [0, 1, 2]
    """
    from rich.console import Console

    console = Console(stderr=True)
    if wanted is not False and console.is_terminal:
        return _with_bar(items, doing, console)
    if wanted is False or (wanted is None and multiprocessing.parent_process() is not None):
        return items
    return _with_lines(items, doing, bool(wanted))


def _with_bar(items: Sequence[Any], doing: str, console: Any) -> Iterator[Any]:
    from rich.progress import Progress

    # What is printed meanwhile goes above the bar, if it goes to a terminal as well.
    above = sys.stdout.isatty()
    with Progress(console=console, transient=True, redirect_stdout=above) as bar:
        yield from bar.track(items, description=doing)


def _with_lines(items: Sequence[Any], doing: str, last: bool) -> Iterator[Any]:
    begun, done, over = time.monotonic(), 0, threading.Event()

    def say() -> None:
        after = time.monotonic() - begun
        print(f"{doing}: {done} of {len(items)} after {after:.0f} s", file=sys.stderr)

    def go_on_saying() -> None:  # beside the work, since a single item may be long
        while not over.wait(EVERY):
            say()

    threading.Thread(target=go_on_saying, daemon=True).start()
    try:
        for item in items:
            yield item
            done += 1
    finally:
        over.set()
    if last:
        say()
