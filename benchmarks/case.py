"""One line of the table: a kernel at a size, its time, and what the time is compared with."""

from dataclasses import dataclass, field
from typing import Any

from benchmarks.timing import Call, minima, writes


@dataclass(frozen=True)
class Case:
    """What is to be timed, and the naive ways to the same answer.

    A naive way whose name ends with a star does only a `share` of the work. The target
    ``("fresh", 2)`` is at most two fresh writes; ``("seconds", 2)``, at most two seconds;
    ``("slicing", 400)``, 400 times as fast.
    """

    kernel: str
    size: str
    cells: int  # numbers that are written
    call: Call
    naive: dict[str, Call]
    share: float = 1.0
    patterns: int = 0  # in the batch, if it is one
    target: tuple[str, float] | None = None
    written: bool = True  # if cells are something else, they are not compared with writing them
    counts: dict[str, int] = field(default_factory=dict)  # what else is told, such as memory


def measured(case: Case, repeats: int) -> dict[str, Any]:
    """Seconds, their ratios to the floors, and the ratios of the naive versions to them."""
    calls = [case.call, *writes(case.cells if case.written else 1), *case.naive.values()]
    seconds, fresh, resident, *naive = minima(repeats, calls)
    faster, reach = {}, ""
    for name, least in zip(case.naive, naive, strict=True):
        faster[name] = least / (case.share if name.endswith("*") else 1) / seconds
    if case.target is not None:
        name, limit = case.target
        if name == "seconds":
            met, bound = seconds <= limit, f"≤ {limit:g} s"
        elif name == "fresh":
            met, bound = seconds <= limit * fresh, f"≤ {limit:g}× fresh"
        else:
            met, bound = faster[name] >= limit, f"≥ {limit:g}× {name}"
        reach = f"{bound}: {'met' if met else 'not met'}"
    return {
        "kernel": case.kernel,
        "size": case.size,
        "seconds": seconds,
        "seconds_per_pattern": seconds / case.patterns if case.patterns else None,
        "cells_per_second": case.cells / seconds,
        "fresh_writes": seconds / fresh if case.written else None,
        "resident_writes": seconds / resident if case.written else None,
        "faster_than": faster,
        "counts": case.counts,
        "reach": reach,
    }
