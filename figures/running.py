"""Drawing or checking many figures, in this process or shared by several."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from theory._console.tasks import run_tasks

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
    executor: Executor,
    names: Sequence[str],
    action: Action,
    folder: Path,
    say: Callable[[Outcome], None],
) -> list[Outcome]:
    """Do this for all figures; return what was done in the order of `names`.

    In this order it is said, too, as soon as a figure and all before it are ready.
    """
    from figures.registry import FIGURES

    begun = sorted(range(len(names)), key=lambda k: not FIGURES[names[k]].long)
    ready: dict[int, Outcome] = {}
    done: list[Outcome] = []

    def keep(number: int, future: Future[Outcome]) -> None:
        ready[begun[number]] = future.result()
        while len(done) in ready:
            done.append(ready[len(done)])
            say(done[-1])

    tasks = [(names[k], action, folder) for k in begun]
    run_tasks(
        executor,
        run_figure,
        tasks,
        keep,
        doing="figures",
        noun="figure",
        named=lambda number: names[begun[number]],
    )
    return done
