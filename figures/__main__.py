"""``python -m figures``: draw every figure, or check that the numbers are still the same.

Exit code 0 if all is well, 1 if a number changed, 2 for wrong usage.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m figures",
        description="Draw the figures: PDF, PNG, the plotted numbers (CSV), provenance (JSON).",
        epilog="exit code: 0 all is well, 1 a number changed, 2 wrong usage",
    )
    parser.add_argument(
        "--only", action="append", metavar="NAME", help="this figure only (repeatable)"
    )
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder (default: out)")
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

    unknown = [name for name in options.only or () if name not in FIGURES]
    if unknown:
        parser.error(f"there is no figure {unknown[0]!r}; known are {', '.join(FIGURES)}")
    if options.out.exists() and not options.out.is_dir():
        parser.error(f"{options.out} is not a folder")
    if options.list:
        for figure in FIGURES.values():
            print(f"{figure.name:20} {figure.title}")
        return 0
    if options.notes:
        return _renew_notes(Path("paper_notes.md"), parser)
    chosen = [FIGURES[name] for name in options.only or FIGURES]
    try:
        return _run(chosen, options)
    except OSError as error:
        parser.error(f"{error.filename} cannot be written: {error.strerror}")


def _renew_notes(path: Path, parser: argparse.ArgumentParser) -> int:
    from figures.notes import with_tables

    if not path.exists():
        parser.error(f"there is no {path} here; run this from the repository")
    path.write_text(with_tables(path.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"renewed {path}")
    return 0


def _run(chosen: Sequence, options: argparse.Namespace) -> int:
    import matplotlib as mpl
    from rich.console import Console
    from rich.progress import track

    from figures.check import differences
    from figures.files import record, write

    mpl.use("Agg")
    console = Console()
    changed = []
    shown = track(chosen, "figures", console=console) if console.is_terminal else chosen
    for figure in shown:
        data = figure.compute()
        if options.check:
            found = differences(figure, data)
            changed += found
            print(f"{figure.name}: {'as recorded' if not found else f'{len(found)} differ'}")
        else:
            written = record(figure, data) if options.record else write(figure, data, options.out)
            for path in written:
                print(path)
    for line in changed[:20]:
        print(line)
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
