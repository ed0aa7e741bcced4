"""Run the benchmarks and print their tables.

A slow run does not fail: the column "reach" only says whether a target was met. Answers that
differ from those of a naive version or a peer do: the exit code is then 1.
"""

import argparse
import sys
from pathlib import Path

from benchmarks import gpu, growth, machine, report, suite
from benchmarks.progress import watching
from theory._console.arguments import CommandParser, positive
from theory._console.console import output_console

SECTIONS = {
    "suite": (suite.run, list(suite.KERNELS)),
    "growth": (growth.run, list(growth.NAMES)),
    "gpu": (gpu.run, list(gpu.NAMES)),
}


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """Options, with the sections and the names that are to be measured in each."""
    parser = CommandParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--growth", action="store_true", help="fit how time and memory grow")
    parser.add_argument("--gpu", action="store_true", help="the same kernels on a GPU")
    parser.add_argument("--all", action="store_true", help="the suite, --growth and --gpu")
    parser.add_argument(
        "--only", action="append", metavar="NAME", help="this kernel; may be given several times"
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that all runs")
    parser.add_argument(
        "--repeats", type=positive, default=7, help="turns of each call (default 7)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there, too")
    parser.add_argument(
        "--readme", action="store_true", help="renew benchmarks/README.md and measured.json"
    )
    options = parser.parse_args(arguments)
    if options.readme and (options.only or options.quick):
        parser.error("--readme needs all of a section at full size: leave out --only and --quick")
    if options.json and options.json.is_dir():
        parser.error(f"--json: {options.json} is a folder")
    chosen = [n for n in ("growth", "gpu") if getattr(options, n) or options.all]
    if options.all or not chosen:
        chosen.insert(0, "suite")
    options.names = {}
    for section in chosen:
        known = SECTIONS[section][1]
        names = [n for n in known if not options.only or n in options.only]
        options.names[section] = names
    for name in options.only or ():
        if not any(name in names for names in options.names.values()):
            known = [n for section in chosen for n in SECTIONS[section][1]]
            parser.error(f"no kernel is called {name}: {', '.join(dict.fromkeys(known))}")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and return the exit code."""
    options = parsed(arguments)
    results, sound = {}, True
    on = machine.description()  # before anything of ours makes it busy
    for section, names in options.names.items():
        with watching(names, section) as watch:
            found, agreed = SECTIONS[section][0](names, options.quick, options.repeats, watch)
        results[section] = {"machine": on} | found
        sound &= agreed
        output_console().print(report.RENDERED[section](results[section]))
    print(f"Measured on {machine.sentence(on)}")
    if options.json:
        report.save(options.json, results)
    if options.readme:
        report.renew_readme(results)
    return int(not sound)


if __name__ == "__main__":
    sys.exit(main())
