"""Lessons as notebooks: each percent file here becomes an ``.ipynb`` without outputs.

``make notebooks`` calls this. The result depends on the lesson alone: cells are numbered instead of
getting random ids, and nothing is executed. Solutions are folded, outputs and all, or left out, or
they are what is kept (``--solutions``): the lesson, the handout, the answer key. Links between
lessons become links between notebooks; other links, written relative to this folder, are made to
fit the folder of the notebook, or begin with an address (``--links``), for Colab and learning
platforms.
"""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

__all__ = ["lessons", "main", "notebook", "write"]

HERE = Path(__file__).resolve().parent

LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)(#[^)\s]*)?\)")
"""A Markdown link to a file: its path and, if any, the part after ``#``."""


Solutions = Literal["none", "folded", "only"]
"""What is made of a lesson: a handout, a lesson with folded solutions, or an answer key."""


def lessons(folder: Path = HERE) -> list[Path]:
    """List the files of all lessons, in order."""
    return sorted(folder.glob("[0-9][0-9]_*.py"))


def notebook(
    lesson: Path, links: str, first: str | None = None, solutions: Solutions = "folded"
) -> Any:
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
    solutions : {"folded", "none", "only"}, optional
        "only" keeps the title, the exercise and the open solutions, with the code of the lesson,
        on which they build, in one folded cell.

    Returns
    -------
    nbformat.NotebookNode
        With tags, without outputs.
    """
    import jupytext
    import nbformat

    made = jupytext.read(lesson, fmt="py:percent")
    made.cells = _chosen(made.cells, solutions)
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


def _chosen(cells: list[Any], solutions: Solutions) -> list[Any]:
    """The cells of a lesson that are wanted, the solutions folded or open."""
    import nbformat

    answers = [cell for cell in cells if "solution" in cell.metadata.get("tags", [])]
    if solutions == "folded":
        for cell in answers:
            _fold(cell)
        return cells
    sections = {cell.source.split("\n")[0]: k for k, cell in enumerate(cells)}
    exercise = sections["## Exercise"]
    if solutions == "none":
        return cells[: sections["## Solution"]]
    code = [cell.source for cell in cells[:exercise] if cell.cell_type == "code"]
    before = nbformat.v4.new_code_cell("\n\n".join(["# The code of the lesson", *code]))
    _fold(before)
    title = nbformat.v4.new_markdown_cell(cells[0].source.split("\n")[0] + ": solutions")
    return [title, before, cells[exercise], *answers]


def _fold(cell: Any) -> None:
    """Show nothing of a cell but its first line."""
    if cell.cell_type == "code":
        cell.metadata["jupyter"] = {"source_hidden": True, "outputs_hidden": True}
    else:
        name, rest = cell.source.split("\n", 1)
        name = name.strip("*")
        cell.source = f"<details><summary>{name}</summary>\n{rest}\n\n</details>"


def _target(link: re.Match[str], lesson: Path, links: str) -> str:
    path, part = link[1], link[2] or ""
    if (lesson.parent / path) in lessons(lesson.parent):
        return f"]({Path(path).stem}.ipynb{part})"
    inside = os.path.normpath(os.path.join("notebooks", path)).replace(os.sep, "/")
    return f"]({links.rstrip('/')}/{inside}{part})"


def write(
    out: Path,
    *,
    folder: Path = HERE,
    links: str | None = None,
    first: str | None = None,
    solutions: Solutions = "folded",
) -> list[Path]:
    """Write all lessons of a folder into `out` and return the paths; see `notebook`."""
    import nbformat

    out.mkdir(parents=True, exist_ok=True)
    if links is None:
        links = os.path.relpath(HERE.parent, out.resolve()).replace(os.sep, "/")
    written = []
    for lesson in lessons(folder):
        path = out / f"{lesson.stem}.ipynb"
        text = nbformat.writes(notebook(lesson, links, first, solutions))
        path.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
        written.append(path)
    return written


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the notebooks and print where they are."""
    parser = argparse.ArgumentParser(description="Write the lessons as notebooks without outputs.")
    parser.add_argument("--out", type=Path, default=HERE.parent / "out" / "notebooks")
    parser.add_argument("--links", help="address of the repository's files, for links to them")
    parser.add_argument("--first", help="code of a cell to put first: '%%pip install zeroloss'")
    parser.add_argument(
        "--solutions",
        choices=get_args(Solutions),
        default="folded",
        help="none: a handout; folded: the lesson; only: an answer key",
    )
    options = vars(parser.parse_args(arguments))
    for path in write(options.pop("out"), **options):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
