"""One line of the table: a kernel at a size, its time, and what the time is compared with.

A target is a name and a limit:

===================  ==============================================================
``("seconds", 2)``   at most two seconds
``("copy", 3)``      at most three times the floor of that name
``("peak", 1.1)``    memory at the worst moment at most 1.1 times that of the result
``("entry", 0.2)``   at most 0.2 µs per pattern and number that is looked up for it
``("dit", 50)``      at least 50 times as fast as that naive way or peer
===================  ==============================================================
"""

import re
from dataclasses import dataclass, field
from typing import Any

from benchmarks.floors import Floor, writes
from benchmarks.memory import peak_bytes
from benchmarks.timing import Call, minima


def slug(kernel: str) -> str:
    """The name of a kernel on the command line.

    >>> slug("exact output, top 1")
    'exact-output-top-1'
    """
    return re.sub(r"[^a-z0-9]+", "-", kernel.lower())


@dataclass(frozen=True)
class Way:
    """Another way to the same answer: a naive one, or that of a peer.

    One that does only a `share` of the work is extrapolated, and gets a star.
    """

    name: str
    call: Call
    share: float = 1.0

    @property
    def label(self) -> str:
        return self.name + "*" * (self.share < 1)


@dataclass(frozen=True)
class Case:
    """What is to be timed, what it cannot do without, and the other ways to the same answer."""

    kernel: str
    size: str
    cells: int  # numbers that are written, or what else is counted
    call: Call
    ways: list[Way] = field(default_factory=list)
    patterns: int = 0  # in the batch, if it is one
    entries: int = 0  # looked up for each of them
    targets: tuple[tuple[str, float], ...] = ()
    floors: tuple[Floor, ...] | None = None  # writing the cells, if not given
    counts: dict[str, Any] = field(default_factory=dict)  # what else is told, such as states
    result_bytes: int = 0  # if given, memory is measured
    missing: tuple[str, ...] = ()  # peers that are not installed


@dataclass(frozen=True)
class Skipped:
    """A line that cannot be measured here."""

    kernel: str
    size: str
    why: str


def measured(case: Case | Skipped, repeats: int) -> dict[str, Any]:
    """Seconds, their ratios to the floors, the ratios of other ways to them, memory, targets."""
    if isinstance(case, Skipped):
        return {"kernel": case.kernel, "size": case.size, "skipped": case.why}
    floors = writes(case.cells) if case.floors is None else case.floors
    clocks = [floor.clock() for floor in floors]
    calls = [case.call, *(call for call, _ in clocks), *(way.call for way in case.ways)]
    seconds, *others = minima(repeats, calls, always=1 + len(floors) if floors else 0)
    over, faster = {}, {}
    for floor, (_, factor), least in zip(floors, clocks, others[: len(floors)], strict=True):
        over[floor.name] = seconds / (least * factor)
    for way, least in zip(case.ways, others[len(floors) :], strict=True):
        faster[way.label] = least / way.share / seconds
    del clocks, calls
    found = {
        "kernel": case.kernel,
        "size": case.size,
        "seconds": seconds,
        "seconds_per_pattern": seconds / case.patterns if case.patterns else None,
        "microseconds_per_entry": (
            seconds * 1e6 / (case.patterns * case.entries) if case.entries else None
        ),
        "cells": case.cells,
        "cells_per_second": case.cells / seconds,
        "over_floor": over,
        "floor_because": {floor.name: floor.why for floor in floors if floor.why},
        "faster_than": faster,
        "peak_over_result": peak_bytes(case.call) / case.result_bytes
        if case.result_bytes
        else None,
        "counts": case.counts,
        "missing": list(case.missing),
    }
    return found | {"reach": [_reached(*target, found) for target in case.targets]}


def _reached(name: str, limit: float, found: dict[str, Any]) -> dict[str, Any]:
    """A target in words, and whether it is met; None if it could not be measured."""
    most = {
        "seconds": (found["seconds"], f"≤ {limit:g} s"),
        "peak": (found["peak_over_result"], f"≤ {limit:g}× memory"),
        "entry": (found["microseconds_per_entry"], f"≤ {limit:g} µs an entry"),
    }
    most |= {
        floor: (ratio, f"≤ {limit:g}× {floor}") for floor, ratio in found["over_floor"].items()
    }
    if name in most:
        value, words = most[name]
        return {"target": words, "met": None if value is None else value <= limit}
    ratios = {label.rstrip("*"): ratio for label, ratio in found["faster_than"].items()}
    met = ratios[name] >= limit if name in ratios else None
    if met is None and not any(package in name.split() for package in found["missing"]):
        raise ValueError(f"{found['kernel']}: nothing measured is called {name}")
    return {"target": f"≥ {limit:g}× {name}", "met": met}
