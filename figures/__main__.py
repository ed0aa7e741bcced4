"""``python -m figures``: draw every figure, or check that the numbers are still the same.

What is drawn is shown on one page, ``index.html`` in the folder.

Exit code 0 if all is well, 1 if a number changed, 2 for wrong usage.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from theory._console.arguments import CommandParser, positive, prepare_output

WORTH_SHARING = 3
"""Fewer figures than this are done by one process, unless workers are asked for."""


def main(arguments: Sequence[str] | None = None, prog: str = "python -m figures") -> int:
    """Run the command, which calls itself `prog`, and return its exit code."""
    parser = CommandParser(
        prog=prog,
        description="Draw the figures: PDF, PNG, the plotted numbers (CSV), provenance (JSON), "
        "and a page that shows them all (index.html).",
        epilog="exit code: 0 all is well, 1 a number changed, 2 wrong usage",
    )
    parser.add_argument(
        "--only", action="append", metavar="NAME", help="this figure only (repeatable)"
    )
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder (default: out)")
    parser.add_argument(
        "--workers",
        type=positive,
        metavar="N",
        help="processes that share the figures (default: one a core, or none for one or two)",
    )
    parser.add_argument(
        "--slowest",
        type=positive,
        default=0,
        metavar="N",
        help="list the N slowest figures with their times",
    )
    action = parser.add_mutually_exclusive_group()
    action.add_argument(
        "--check", action="store_true", help="recompute and compare with the recorded numbers"
    )
    action.add_argument(
        "--record", action="store_true", help="keep the numbers and pictures in the package"
    )
    action.add_argument("--notes", action="store_true", help="renew the tables of paper_notes.md")
    action.add_argument("--list", action="store_true", help="list the figures")
    options = parser.parse_args(arguments)

    from figures.registry import FIGURES
    from theory._console.executors import worth_sharing

    unknown = [name for name in options.only or () if name not in FIGURES]
    if unknown:
        parser.error(f"there is no figure {unknown[0]!r}; known are {', '.join(FIGURES)}")
    if options.out.exists() and not options.out.is_dir():
        parser.error(f"{options.out} is not a folder")
    if options.list:
        return _list()
    if options.notes:
        return _renew_notes(Path("paper_notes.md"), parser)
    names = list(dict.fromkeys(options.only or FIGURES))
    most = len(names) if len(names) >= WORTH_SHARING else 0
    try:
        return _run(names, worth_sharing(options.workers, most), options)
    except OSError as error:
        parser.error(f"{error.filename} cannot be written: {error.strerror}")


def _list() -> int:
    from rich.table import Table

    from figures.registry import FIGURES
    from theory._console.console import output_console

    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for figure in FIGURES.values():
        table.add_row(figure.name, figure.title)
    output_console(highlight=False, markup=False).print(table)
    return 0


def _renew_notes(path: Path, parser: CommandParser) -> int:
    from figures.notes import with_tables

    if not path.exists():
        parser.error(f"there is no {path} here; run this from the repository")
    path.write_text(with_tables(path.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"renewed {path}")
    return 0


def _run(names: Sequence[str], workers: int | None, options: argparse.Namespace) -> int:
    from figures.gallery_page import write_gallery_page
    from figures.running import Action, Outcome, run_figures
    from theory._console.executors import executor_for

    action: Action = "check" if options.check else "record" if options.record else "write"

    def say(outcome: Outcome) -> None:
        differ = len(outcome.differences)
        if action == "check":
            print(f"{outcome.name}: {f'{differ} differ' if differ else 'as recorded'}")
        for path in outcome.written:
            print(path)

    with executor_for(workers) as executor:
        done = run_figures(executor, names, action, options.out, say)
    if action == "write":
        print(write_gallery_page(options.out))
    changed = [line for outcome in done for line in outcome.differences]
    for line in changed[:20]:
        print(line)
    for outcome in sorted(done, key=lambda outcome: -outcome.seconds)[: options.slowest]:
        print(f"{outcome.seconds:6.1f} s  {outcome.name}")
    return 1 if changed else 0


if __name__ == "__main__":
    prepare_output()
    sys.exit(main())
