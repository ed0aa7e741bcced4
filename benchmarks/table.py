"""The results of the suite as a table."""

from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from theory._console.console import Fitting

COLUMNS = ("kernel", "time", "cells/s", "over the floor", "peak", "faster than", "reach")
WORDS = {True: "met", False: "not met", None: "not measured"}


def rendered(results: dict[str, Any]) -> RenderableType:
    """Floors at the head, then a line for each kernel and size, then what was left out."""
    head = [
        f"floor: {r['floor']:<9} {short(r['rate']):>6} {r['unit']} ({r['size']})"
        for r in results["floors"]
    ]
    table = Table(box=box.SIMPLE_HEAD, caption="* extrapolated from a part of the work")
    for name in COLUMNS:
        right = name in ("time", "cells/s", "peak")
        table.add_column(name, justify="right" if right else "left", no_wrap=right, overflow="fold")
    for line in results["lines"]:
        table.add_row(*_cells(line))
    parts: list[RenderableType] = [Text("\n".join(head)), Fitting(table)]
    return Group(*parts, Text("\n".join([*_reasons(results), *_peers(results)])))


def short(x: float) -> str:
    """Three digits."""
    return f"{float(f'{x:.3g}'):g}"


def seconds(x: float) -> str:
    """A time in a unit that fits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if x >= size:
            return f"{short(x / size)} {unit}"
    return f"{short(x / 1e-9)} ns"


def _cells(line: dict[str, Any]) -> list[str]:
    if "skipped" in line:
        return [f"{line['kernel']}\n  {line['size']}", "-", "", "", "", line["skipped"], ""]
    counts = ", ".join(f"{count} {name}" for name, count in line["counts"].items())
    time = [seconds(line["seconds"])]
    if line["seconds_per_pattern"]:
        time.append(f"{seconds(line['seconds_per_pattern'])} each")
    if line["microseconds_per_entry"]:
        time.append(f"{short(line['microseconds_per_entry'])} µs an entry")
    peak = line["peak_over_result"]
    return [
        "\n  ".join(filter(None, (line["kernel"], line["size"], counts))),
        "\n".join(time),
        f"{line['cells_per_second']:.1e}",
        "\n".join(f"{short(ratio)}× {name}" for name, ratio in line["over_floor"].items()),
        f"{peak:.3g}×" if peak else "",
        "\n".join(f"{name} {short(ratio)}×" for name, ratio in line["faster_than"].items()),
        "\n".join(f"{r['target']}: {WORDS[r['met']]}" for r in line["reach"]),
    ]


def _reasons(results: dict[str, Any]) -> list[str]:
    """Why a floor is the floor of a kernel, where it is not just the writing of the result."""
    said = {}
    for line in results["lines"]:
        for name, why in line.get("floor_because", {}).items():
            if name in ("copy", "products"):
                said[f"{line['kernel']}: {name}, {why}"] = None
    return [f"floor of {reason}" for reason in said]


def _peers(results: dict[str, Any]) -> list[str]:
    installed = [f"{name} {v}" for name, v in results["peers"].items() if v]
    lines = [f"peers: {', '.join(installed)}"] if installed else []
    absent = {name for line in results["lines"] for name in line.get("missing", ())}
    return lines + [
        f"{name} is not installed, so nothing is compared with it (dependency group `peers`)"
        for name in sorted(absent)
    ]
