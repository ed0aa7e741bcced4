"""Tables of all commands, fitted to the width of the output.

`output_console` knows the width, and `Fitting` what becomes of a table that is too wide: columns
are left out in an order that the caller states; if it is still too wide then, it continues in a
second table below, with the first column again. Nothing is ever cut off.
"""

import shutil
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Column, Table

__all__ = ["Fitting", "output_console"]

PLAIN_WIDTH = 120
"""Where the output is no terminal and the environment has no COLUMNS."""

UNBOUNDED = 10_000
"""A width at which every table fits."""


def output_console(**options: Any) -> Console:
    """Give a console as wide as COLUMNS says, else as the terminal, else of `PLAIN_WIDTH`.

    >>> output_console(width=60).width
    60
    """
    width = shutil.get_terminal_size((PLAIN_WIDTH, 24)).columns
    return Console(**{"width": width, **options})


class Fitting:
    """Something to print: a table in a form that fits the width.

    Parameters
    ----------
    *tables : Table
        The same content, from wide to narrow. Columns with ``no_wrap`` are never broken.
    gives_way : sequence of str
        Headers of columns that may be left out of the last of the tables, the first to go first.
    least : int
        Columns that may be broken are not made narrower than this for the sake of others.

    Examples
    --------
    >>> table = Table("name", "weight", "where from")
    >>> table.add_row("bit", "0.25", "a coin")
    >>> output_console(width=24).print(Fitting(table, gives_way=["where from"]))
    ┏━━━━━━┳━━━━━━━━┓
    ┃ name ┃ weight ┃
    ┡━━━━━━╇━━━━━━━━┩
    │ bit  │ 0.25   │
    └──────┴────────┘
    (A wider output has more
    columns: where from.)
    """

    def __init__(self, *tables: Table, gives_way: Sequence[str] = (), least: int = 20) -> None:
        self.tables = tables
        self.gives_way = gives_way
        self.least = least

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Give the first form that fits, and the names of the columns that it lacks."""
        forms = list(self._forms())
        fits = (form for form in forms if self._needed(console, form) <= options.max_width)
        table = next(fits, None)
        if table is None:
            table = forms[-1]
            yield from self._one_below_the_other(console, table, options.max_width)
        else:
            yield table
        there = [column.header for column in table.columns]
        lacking = [str(c.header) for c in self.tables[0].columns if c.header not in there]
        if lacking:
            yield f"(A wider output has more columns: {', '.join(lacking)}.)"

    def _forms(self) -> Iterator[Table]:
        yield from self.tables
        for count in range(1, len(self.gives_way) + 1):
            yield _part(
                self.tables[-1],
                [c for c in self.tables[-1].columns if c.header not in self.gives_way[:count]],
            )

    def _needed(self, console: Console, table: Table) -> int:
        """The width at which no column is narrower than it may be."""
        wide = console.options.update(max_width=UNBOUNDED)
        spared = 0
        for column in table.columns:
            if not column.no_wrap:
                cells = (column.header, *column.cells)
                widest = max(console.measure(cell, options=wide).maximum for cell in cells)
                spared += max(widest - self.least, 0)
        return console.measure(table, options=wide).maximum - spared

    def _one_below_the_other(self, console: Console, table: Table, width: int) -> list[Table]:
        """Several tables that have the first column in common; one title, and one caption."""
        first, *others = table.columns
        groups: list[list[Column]] = [[first]]
        for column in others:
            wider = [*groups[-1], column]
            if len(wider) > 2 and self._needed(console, _part(table, wider)) > width:
                groups.append([first, column])
            else:
                groups[-1] = wider
        parts = [_part(table, group) for group in groups]
        for k, part in enumerate(parts):
            if self._needed(console, part) > width:
                parts[k] = _part(table, groups[k], wraps=True)
        for part in parts[1:]:
            part.title = None
        for part in parts[:-1]:
            part.caption = None
        return parts


def _part(table: Table, columns: Sequence[Column], *, wraps: bool = False) -> Table:
    """The table with some of its columns; rather than cut them off, it may break all cells."""
    part = Table(
        title=table.title,
        caption=table.caption,
        box=table.box,
        padding=table.padding,
        pad_edge=table.pad_edge,
        title_justify=table.title_justify,
    )
    for column in columns:
        part.add_column(
            column.header,
            justify=column.justify,
            no_wrap=column.no_wrap and not wraps,
            overflow="fold" if wraps else column.overflow,
        )
    for row, *cells in zip(table.rows, *(column.cells for column in columns), strict=True):
        part.add_row(*cells, end_section=row.end_section)
    return part
