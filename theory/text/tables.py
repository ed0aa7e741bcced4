"""The tables of word counts that are part of the package."""

import csv
import importlib.resources
import itertools
from collections.abc import Iterator

__all__ = ["made_from", "rows_of"]


def made_from() -> str:
    """Return what the tables of `corpora.english` were made from, as their header says.

    >>> made_from().startswith("pydoc_data.topics of Python 3.")
    True
    """
    begin = "# Made from: "
    line = next(line for line in _lines("words.csv") if line.startswith(begin))
    return line.removeprefix(begin)


def _lines(name: str) -> list[str]:
    file = importlib.resources.files("theory.text") / "data" / name
    return file.read_text(encoding="utf-8").splitlines()


def rows_of(name: str) -> Iterator[list[str]]:
    """Yield the rows of a table of the package, without comments and the names of columns."""
    rows = csv.reader(line for line in _lines(name) if not line.startswith("#"))
    return itertools.islice(rows, 1, None)
