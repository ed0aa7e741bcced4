"""Tables of predictions far from their context, and how their numbers are written."""

from rich import box
from rich.console import Console
from rich.table import Table

from theory._console.console import Fitting
from theory.text.corpora import END, UNKNOWN
from theory.text.distance import Context
from theory.text.influence import Remains

__all__ = ["likeliest", "number", "percent", "print_drawn", "print_rows", "probability"]

ROUNDING = 1e-12
"""Where differences are rounded, smaller ones are not told from 0; and a share is not told from 0
or 1 if it is as near to it."""

MEASURES = {
    "vocab": lambda row, _: f"{row.effective_vocabulary:.3g}",
    "to limit": lambda row, floor: number(row.limit_tv, floor),
    "to next": lambda row, floor: number(row.next_tv, floor),
    "nats": lambda row, floor: number(row.information, floor),
    "ended": lambda row, _: probability(row.ended),
}
"""The columns behind the words, with what they show of a `Row`."""

LAYOUTS = (
    *((words, True, tuple(MEASURES)) for words in (None, 3, 2)),
    *((words, False, tuple(MEASURES)) for words in (3, 2)),
    *((words, False, ("vocab", "to limit", "nats", "ended")) for words in (2, 1)),
    (1, False, ("vocab", "to limit")),
)
"""Words (None for all), lines around the cells, and columns, from wide to narrow."""

DRAWN = {
    "nats": lambda told, _: number(told, digits=3),
    "frequent": lambda _, leading: percent(leading.frequent),
    UNKNOWN: lambda _, leading: percent(leading.unknown),
    END: lambda _, leading: percent(leading.end),
    "another": lambda _, leading: percent(leading.other),
    "a word": lambda _, leading: percent(leading.frequent + leading.other),
    "words only": lambda _, leading: percent(leading.frequent_of_words),
}
"""The same after a word that is drawn: of the information, and of a `Leading`."""

ALL = ("nats", "frequent", UNKNOWN, END, "another", "words only")
DRAWN_LAYOUTS = ((True, ALL), (False, ALL), (False, ("nats", "words only")))
"""Lines around the cells, and columns, from wide to narrow."""

FEW = ("nats", "a word", UNKNOWN, END)
FEW_LAYOUTS = ((True, FEW), (False, FEW))
"""The same for texts of so few words that no frequent ones are set apart."""


def print_rows(console: Console, context: Context) -> None:
    """Print the predictions of one context, in the widest table that fits."""
    console.print(Fitting(*(_table(context, *layout) for layout in LAYOUTS)))


def print_drawn(console: Console, remains: Remains, *, some_are_frequent: bool) -> None:
    """Print what is predicted after a word drawn from the text, distance by distance."""
    layouts = DRAWN_LAYOUTS if some_are_frequent else FEW_LAYOUTS
    console.print(Fitting(*(_drawn(remains, *layout) for layout in layouts)))


def _table(context: Context, words: int | None, lines: bool, measures: tuple[str, ...]) -> Table:
    table = _empty(lines)
    both = len(context.phrases) == 2
    for column in ("left", "right") if both else ("distance",):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("likeliest words", no_wrap=True)
    for column in measures:
        table.add_column(column, justify="right", no_wrap=True)
    floor = ROUNDING if context.rounded else 0.0
    for before, row in zip([None, *context.rows], context.rows, strict=False):
        if before is not None and row.left < before.left:
            table.add_section()
        table.add_row(
            *map(str, (row.left, row.right) if both else (row.left,)),
            likeliest(row.likeliest[:words]),
            *(MEASURES[column](row, floor) for column in measures),
        )
    return table


def _drawn(remains: Remains, lines: bool, columns: tuple[str, ...]) -> Table:
    table = _empty(lines)
    for column in ("distance", *columns):
        table.add_column(column, justify="right", no_wrap=True)
    for (n, told), leading in zip(remains.information, remains.leading, strict=True):
        table.add_row(str(n), *(DRAWN[column](told, leading) for column in columns))
    return table


def _empty(lines: bool) -> Table:
    return Table() if lines else Table(box=box.SIMPLE_HEAD, padding=(0, 0), pad_edge=False)


def likeliest(words: list[tuple[str, float]]) -> str:
    """Words with their probabilities.

    >>> likeliest([("the", 0.25), ("<end>", 0.03125)])
    'the 0.25, <end> 0.031'
    """
    return ", ".join(f"{word} {probability(chance)}" for word, chance in words)


def probability(value: float) -> str:
    """Two digits of a probability or, near 1, one digit of what is missing.

    Only what is 0 or 1, up to rounding, is shown as that.

    >>> probability(1 - 1e-17), probability(0.99999), probability(0.99934), probability(0.98765)
    ('1', '>0.9999', '0.9993', '0.99')
    >>> probability(0.0312), probability(0.0007), probability(1e-15), probability(0.0)
    ('0.031', '0.0007', '<1e-12', '0')
    """
    if value <= 0 or value > 1 - ROUNDING:
        return "0" if value <= 0 else "1"
    if value < ROUNDING:
        return f"<{ROUNDING:.0e}"
    if value < 0.99:
        return f"{value:.2g}"
    places = _places(1 - value)
    return f"{value:.{places}f}" if places <= 4 else ">0.9999"


def percent(share: float | None) -> str:
    """A share in per cent; what is not all or nothing is not rounded to that.

    >>> percent(0.374), percent(0.9927), percent(0.99996), percent(1.0)
    ('37 %', '99.3 %', '>99.99 %', '100 %')
    >>> percent(0.0107), percent(0.0007), percent(1e-9), percent(0.0), percent(None)
    ('1 %', '0.07 %', '<0.01 %', '0 %', '-')
    """
    if share is None:
        return "-"
    if share < ROUNDING or share > 1 - ROUNDING:
        return "0 %" if share < ROUNDING else "100 %"
    if 0.01 <= share < 0.99:
        return f"{100 * share:.0f} %"
    places = _places(min(share, 1 - share))
    if places > 4:
        return "<0.01 %" if share < 0.5 else ">99.99 %"
    return f"{100 * share:.{max(places - 2, 0)}f} %"


def _places(small: float) -> int:
    """Decimals that show one digit of a small number.

    >>> _places(0.007), _places(0.00096), _places(1e-5)
    (3, 3, 5)
    """
    return -int(f"{small:.0e}".split("e")[1])


def number(value: float | None, floor: float = 0.0, digits: int = 2) -> str:
    """A few digits, or a dash; below the floor there is only rounding.

    >>> number(None), number(5.5e-22), number(5.5e-22, 1e-12), number(float("inf"))
    ('-', '5.5e-22', '<1e-12', 'inf')
    """
    if value is None:
        return "-"
    return f"<{floor:.0e}" if value < floor else f"{value:.{digits}g}"
