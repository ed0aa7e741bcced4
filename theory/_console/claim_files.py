"""Ids, titles and files of the claims of all installed packages, read without importing them.

Importing the claims loads what their checks need, which takes longer than reading a few files.
"""

import ast
from collections.abc import Iterator
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

__all__ = ["GROUP", "NONE_REGISTERED", "claim_files", "order"]

GROUP = "zeroloss.claims"
"""The group of entry points with which packages offer claims."""


NONE_REGISTERED = (
    "no claims are registered, because zeroloss is not installed: claims are found as entry points "
    "of installed packages. Install it with 'make setup', or with 'pip install -e .' in the folder "
    "that holds pyproject.toml"
)
"""The error message where no package offers claims."""


def claim_files() -> list[tuple[str, str, Path]]:
    """Id, title and file of each claim whose id and title are literals, sorted by id.

    Files in the current directory have relative paths.

    >>> claim_files()[0]
    ('A1', 'The loss is minimised by the conditional marginals', ...a1_optimality.py'))
    """
    here = Path.cwd()
    found = {
        key: (key, title, file.relative_to(here) if file.is_relative_to(here) else file)
        for point in entry_points(group=GROUP)
        for file in _files(point.module)
        for key, title in _declared(file)
    }
    return [found[key] for key in sorted(found, key=order)]


def order(key: str) -> tuple[str, int, str]:
    """Sort A2 before A10."""
    letters = key.rstrip("0123456789")
    digits = key[len(letters) :]
    return letters, int(digits) if digits else 0, key


def _files(module: str) -> list[Path]:
    """The file of a module, or the files of a package."""
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        return []
    folders = [Path(folder) for folder in spec.submodule_search_locations or ()]
    return [
        Path(spec.origin),
        *(file for folder in folders for file in sorted(folder.glob("*.py"))),
    ]


def _declared(file: Path) -> Iterator[tuple[str, str]]:
    """Ids and titles of the claims that a file declares."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "Claim":
            given = {
                k.arg: k.value.value for k in node.keywords if isinstance(k.value, ast.Constant)
            }
            if "id" in given and "title" in given:
                yield str(given["id"]), str(given["title"])
