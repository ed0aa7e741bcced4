"""Run the benchmarks and print one table.

A slow run does not fail: the column "reach" only says whether a target was met. Answers that
differ from those of the naive version do: the exit code is then 1.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks import decoders, fading, families, lattices, profiles
from benchmarks.case import measured

LATTICES = (lattices.lattice, lattices.conditionals, lattices.denoise, lattices.entropies)
FAMILIES = (families.markov, families.empirical)
PROFILES = (profiles.exchangeable, profiles.long_chain, profiles.best_schedule)
FADING = (fading.far_chain, fading.far_hidden, fading.decision)
DECODERS = (decoders.decode, decoders.frontier, decoders.monte_carlo)
KERNELS = {
    kernel.__name__.replace("_", "-"): kernel
    for kernel in (*LATTICES, lattices.exact, *FAMILIES, *PROFILES, *FADING, *DECODERS)
}

WRITES = ("fresh_writes", "resident_writes")


def as_table(results: list[dict[str, Any]]) -> Table:
    """All results. Fresh and resident writes, and the naive versions, as ratios."""
    table = Table(box=box.SIMPLE_HEAD, caption="* extrapolated from a part of the work")
    for name in ("kernel", "time", "cells/s", "fresh", "resident", "faster than", "reach"):
        left = name in ("kernel", "faster than", "reach")
        table.add_column(name, justify="left" if left else "right", no_wrap=True)
    for r in results:
        each = r["seconds_per_pattern"]
        time = f"{_short(r['seconds'] * 1e3)} ms"
        counts = ", ".join(f"{count} {name}" for name, count in r["counts"].items())
        table.add_row(
            "\n  ".join(filter(None, (r["kernel"], r["size"], counts))),
            f"{time}\n{_short(each * 1e6)} µs each" if each else time,
            f"{r['cells_per_second']:.1e}",
            *(f"{_short(r[name])}×" if r[name] else "" for name in WRITES),
            "\n".join(f"{name} {_short(x)}×" for name, x in r["faster_than"].items()),
            r["reach"],
        )
    return table


def _short(x: float) -> str:
    return f"{float(f'{x:.3g}'):g}"


def main() -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", choices=KERNELS, metavar="NAME", help=", ".join(KERNELS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there, too")
    parser.add_argument("--repeats", type=int, default=7, help="turns of each call (default 7)")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that all runs")
    options = parser.parse_args()
    results, different = [], False
    for name in [options.only] if options.only else KERNELS:
        try:
            results.extend(measured(c, options.repeats) for c in KERNELS[name](options.quick))
        except AssertionError as difference:
            different = True
            print(f"{name}: the answers differ\n{difference}", file=sys.stderr)
    Console(width=130).print(as_table(results))
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return int(different)


if __name__ == "__main__":
    sys.exit(main())
