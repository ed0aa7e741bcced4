"""The growth curves as a table."""

from typing import Any

from rich import box
from rich.table import Table

from benchmarks.table import seconds, short
from theory._console.console import Fitting


def rendered(results: dict[str, Any]) -> Fitting:
    """A line for each curve and quantity: fitted slope beside the predicted one."""
    table = Table(
        box=box.SIMPLE_HEAD,
        caption="fitted: slope of the logarithm, ± its standard error; sizes before the first of "
        "those given are left out of the fit",
    )
    for name in ("kernel", "of", "against", "sizes", "from", "to", "fitted", "predicted"):
        right = name in ("from", "to", "fitted")
        table.add_column(name, justify="right" if right else "left", no_wrap=right, overflow="fold")
    for curve in results["curves"]:
        sizes = curve["sizes"]
        first = sizes.index(curve["fitted_from"])
        span = f"{curve['variable']}={sizes[first]}..{sizes[-1]} ({len(sizes) - first})"
        title = f"{curve['kernel']}, {curve['fixed']}"
        for quantity, values, write in (
            ("time", curve["seconds"], seconds),
            ("memory", curve.get("bytes"), bytes_),
            ("visited", curve.get("states"), lambda n: str(n)),
        ):
            if values is None:
                continue
            slope = curve[quantity]
            error = "" if slope["error"] is None else f" ± {slope['error']:.3f}"
            table.add_row(
                title,
                quantity,
                curve["against"],
                span,
                write(values[first]),
                write(values[-1]),
                f"{slope['slope']:.3f}{error}",
                _predicted(slope),
            )
            title = ""
    return Fitting(table)


def bytes_(n: float) -> str:
    """A size in a unit that fits."""
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if n >= size:
            return f"{short(n / size)} {unit}"
    return f"{n} B"


def _predicted(slope: dict[str, Any]) -> str:
    words, value = slope["words"], f"{slope['predicted']:.3f}"
    return f"{value} ({words})" if "log" in words else words
