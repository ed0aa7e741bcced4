"""Lessons as notebooks: each percent file here becomes an ``.ipynb`` without outputs.

``make notebooks`` calls this. The result depends on the lesson alone: cells are numbered instead of
getting random ids, and nothing is executed. Links between lessons become links between
notebooks; other links, written relative to this folder, are made to fit the folder of the notebook,
or begin with an address (``--links``), for Colab and learning platforms.
"""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["lessons", "main", "notebook", "write"]

HERE = Path(__file__).resolve().parent

LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)(#[^)\s]*)?\)")
"""A Markdown link to a file: its path and, if any, the part after ``#``."""


def lessons(folder: Path = HERE) -> list[Path]:
    """List the files of all lessons, in order."""
    return sorted(folder.glob("[0-9][0-9]_*.py"))


def notebook(lesson: Path, links: str, first: str | None = None) -> Any:
    """Turn a lesson into a notebook.

    Parameters
    ----------
    lesson : Path
        In jupytext's percent format.
    links : str
        Folder or address of the repository, as seen from the notebook; put before links to its
        files.
    first : str, optional
        Code of a cell to put first, such as ``%pip install zeroloss``.

    Returns
    -------
    nbformat.NotebookNode
        With tags and folded solutions, without outputs.
    """
    import jupytext
    import nbformat

    made = jupytext.read(lesson, fmt="py:percent")
    if first is not None:
        made.cells.insert(0, nbformat.v4.new_code_cell(first))
    for number, cell in enumerate(made.cells):
        cell["id"] = f"{lesson.stem}-{number}"
        if cell.cell_type == "markdown":
            cell.source = LINK.sub(lambda link: _target(link, lesson, links), cell.source)
        else:
            cell.outputs, cell.execution_count = [], None
    made.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    made.nbformat, made.nbformat_minor = 4, 5
    nbformat.validate(made)
    return made


def _target(link: re.Match[str], lesson: Path, links: str) -> str:
    path, part = link[1], link[2] or ""
    if (lesson.parent / path) in lessons(lesson.parent):
        return f"]({Path(path).stem}.ipynb{part})"
    inside = os.path.normpath(os.path.join("notebooks", path)).replace(os.sep, "/")
    return f"]({links.rstrip('/')}/{inside}{part})"


def write(
    out: Path, *, folder: Path = HERE, links: str | None = None, first: str | None = None
) -> list[Path]:
    """Write all lessons of a folder into `out` and return the paths; see `notebook`."""
    import nbformat

    out.mkdir(parents=True, exist_ok=True)
    if links is None:
        links = os.path.relpath(HERE.parent, out.resolve()).replace(os.sep, "/")
    written = []
    for lesson in lessons(folder):
        path = out / f"{lesson.stem}.ipynb"
        text = nbformat.writes(notebook(lesson, links, first))
        path.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
        written.append(path)
    return written


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the notebooks and print where they are."""
    parser = argparse.ArgumentParser(description="Write the lessons as notebooks without outputs.")
    parser.add_argument("--out", type=Path, default=HERE.parent / "out" / "notebooks")
    parser.add_argument("--links", help="address of the repository's files, for links to them")
    parser.add_argument("--first", help="code of a cell to put first: '%%pip install zeroloss'")
    options = parser.parse_args(arguments)
    for path in write(options.out, links=options.links, first=options.first):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
