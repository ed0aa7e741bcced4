"""A progress bar on standard error, on a terminal only unless one is asked for."""

from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["tracked"]


def tracked(
    items: Sequence[Any], wanted: bool | None = None, doing: str = "decoding"
) -> Iterable[Any]:
    """Go through the items with a progress bar, if one is to be shown.

    >>> list(tracked(range(3), wanted=False))
    [0, 1, 2]
    """
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    if not (console.is_terminal if wanted is None else wanted):
        return items
    return track(items, description=doing, console=console, transient=True)
