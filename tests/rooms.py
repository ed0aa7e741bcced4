"""The map of rooms in CONTRIBUTING.md: a line for each folder, from the docstrings of its modules.

``python -m tests.rooms`` renews it; `tests/test_docs.py` fails where it is not what the code says.
"""

import ast
from pathlib import Path

__all__ = ["PAGE", "rooms_table", "with_rooms"]

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "CONTRIBUTING.md"
PACKAGES = ("theory", "sims", "figures", "benchmarks")
BEGIN, END = (
    f"<!-- rooms: {edge} (made by `python -m tests.rooms`) -->" for edge in ("begin", "end")
)


def rooms():
    """Every folder of code, and every module that lies beside the folders of a package."""
    for package in PACKAGES:
        inits = sorted((ROOT / package).rglob("__init__.py"))
        folders = [init.parent for init in inits]
        yield from (
            (f"{folder.relative_to(ROOT).as_posix()}/", folder / "__init__.py")
            for folder in folders
        )
        if len(folders) > 3:  # a package of folders, not of modules
            loose = sorted((ROOT / package).glob("[a-z]*.py"))
            yield from ((path.relative_to(ROOT).as_posix(), path) for path in loose)
    yield "zeroloss.py", ROOT / "zeroloss.py"


def first_sentence(path):
    """First line of the docstring of a module, as Markdown."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.split("\n")[0].replace("``", "`").replace("|", r"\|")


def rooms_table():
    """Write the map as a Markdown table."""
    lines = ["| room | what |", "|---|---|"]
    lines += [f"| `{name}` | {first_sentence(path)} |" for name, path in rooms()]
    return "\n".join(lines)


def with_rooms(page):
    """Put the current map between the markers of a page."""
    before, _, rest = page.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"the page lacks the markers {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n{rooms_table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_rooms(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
