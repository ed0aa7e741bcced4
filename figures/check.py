"""Tells whether a figure still shows the numbers that were recorded for it."""

import math
from typing import Any

from figures.figure import Data, Figure
from figures.files import read_recorded
from theory._core.plurals import counted

__all__ = ["differences"]


def differences(figure: Figure, data: Data) -> list[str]:
    """Compare freshly computed numbers with the recorded ones, cell by cell.

    Returns
    -------
    list of str
        One line for each panel or cell that differs; empty if all agree.
    """
    found = []
    for panel, columns in data.items():
        recorded = read_recorded(figure, panel)
        where = f"{figure.name}-{panel}"
        if recorded is None:
            found.append(f"{where}: nothing is recorded")
            continue
        if list(recorded) != list(columns):
            found.append(f"{where}: columns {list(columns)}, recorded {list(recorded)}")
            continue
        for name, values in columns.items():
            if len(values) != len(recorded[name]):
                found.append(
                    f"{where}: {counted(len(values), 'row')}, recorded {len(recorded[name])}"
                )
                break
            for row, (now, then) in enumerate(zip(values, recorded[name], strict=True)):
                if not _agree(figure, now, then):
                    found.append(f"{where}: {name}, row {row}: {now}, recorded {then}")
    return found


def _agree(figure: Figure, now: Any, then: str) -> bool:
    if not isinstance(now, float):
        return str(now) == then
    try:
        return math.isclose(
            now,
            float(then),
            rel_tol=figure.relative_tolerance,
            abs_tol=figure.absolute_tolerance,
        )
    except ValueError:
        return False
