"""Drawing or checking many figures, in this process or shared by several."""

import contextlib
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from theory._console.executors import as_finished

__all__ = ["Action", "Outcome", "run_figure", "run_figures"]

Action = Literal["write", "check", "record"]
"""What is done with the computed numbers."""


@dataclass(frozen=True)
class Outcome:
    """What was done for one figure.

    Attributes
    ----------
    name : str
    written : tuple of Path
        Files, if it was drawn or recorded.
    differences : tuple of str
        From the recorded numbers, if it was checked.
    seconds : float
        How long it took, drawing included.
    """

    name: str
    written: tuple[Path, ...]
    differences: tuple[str, ...]
    seconds: float


def run_figure(name: str, action: Action, folder: Path) -> Outcome:
    """Compute a figure and write, check or record it; it is looked up where this runs."""
    import matplotlib as mpl

    from figures.check import differences
    from figures.files import record, write
    from figures.registry import FIGURES

    mpl.use("Agg")
    began, figure = time.perf_counter(), FIGURES[name]
    data, written, found = figure.compute(), [], []
    if action == "check":
        found = differences(figure, data)
    else:
        written = record(figure, data) if action == "record" else write(figure, data, folder)
    return Outcome(name, tuple(written), tuple(found), time.perf_counter() - began)


def run_figures(
    executor: Executor, names: Sequence[str], action: Action, folder: Path
) -> Iterator[Outcome]:
    """Do this for all figures; yield what was done in the order of `names`.

    Each comes as soon as it and all before it are ready. A bar shows how many are, on a terminal.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from figures.registry import FIGURES

    console = Console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    progress = Progress(*columns, console=console, transient=True)
    ready: dict[int, Outcome] = {}
    shown = 0
    begun = sorted(range(len(names)), key=lambda k: not FIGURES[names[k]].long)
    tasks = [(names[k], action, folder) for k in begun]
    with progress if console.is_terminal else contextlib.nullcontext():
        bar = progress.add_task("figures", total=len(tasks))
        for number, outcome in as_finished(executor, run_figure, tasks):
            ready[begun[number]] = outcome
            progress.advance(bar)
            while shown in ready:
                yield ready.pop(shown)
                shown += 1
