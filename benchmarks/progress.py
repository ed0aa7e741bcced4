"""What is being measured, and how far along, on a terminal only."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


@contextmanager
def watching(names: list[str], section: str) -> Iterator[Callable[[str], None]]:
    """Give a function that is told what begins; the bar moves when a new name does."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(section, total=len(names))

        def watch(what: str) -> None:
            name = what.split(",")[0]
            at = names.index(name) if name in names else None
            bar.update(task, description=f"{section}: {what}", completed=at)

        yield watch
