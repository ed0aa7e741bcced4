"""What was measured on a GPU as a table."""

from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from benchmarks.growth_table import bytes_
from benchmarks.table import seconds, short
from theory._console.console import Fitting

REACH = 0.5  # of the copy bandwidth, that a lattice is to use


def rendered(results: dict[str, Any]) -> RenderableType:
    """One line per size, then the largest case; or one line that says that there is no GPU."""
    if "absent" in results:
        return Text(f"No GPU is there, so none was measured: {results['absent']}.")
    device = results["device"]
    head = (
        f"{', '.join(f'{name} {value}' for name, value in device.items())}\n"
        f"copy: {short(results['copy_bytes_per_second'] / 1e9)} GB/s read and written"
    )
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("kernel", "L", "cells", "time", "CPU", "speed-up", "share of copy"):
        table.add_column(name, justify="left" if name == "kernel" else "right", no_wrap=True)
    pays = []
    for curve in results["curves"]:
        title = f"{curve['kernel']}, V={curve['vocab']}"
        start = curve["pays_from"]
        pays.append(f"{title}: " + (f"pays from L={start}" if start else "does not pay here"))
        for point in curve["points"]:
            wrong = point.get("failed") or point.get("skipped")
            table.add_row(
                title,
                str(point["length"]),
                f"{point['cells']:.2g}",
                wrong or seconds(point["seconds"]),
                seconds(point["cpu_seconds"]) if "cpu_seconds" in point else "",
                f"{short(point['speed_up'])}×" if "speed_up" in point else "",
                f"{point['share']:.1%}" if "share" in point else "",
            )
            title = ""
    parts: list[RenderableType] = [Text(head), Fitting(table), Text("\n".join(pays))]
    if "largest" in results:
        parts.append(Text(_largest(results["largest"])))
    return Group(*parts)


def _largest(found: dict[str, Any]) -> str:
    if "failed" in found:
        return f"largest case: failed, {found['failed']}"
    met = "met" if found["share"] >= REACH else "not met"
    return (
        f"largest case: V={found['vocab']} L={found['length']}, {found['cells']:.3g} cells, "
        f"{bytes_(found['bytes'])}, {seconds(found['seconds'])}, {found['share']:.1%} of the copy "
        f"bandwidth (≥ {REACH:.0%}: {met}), peak {found['peak_over_result']:.3g}× its result"
    )
