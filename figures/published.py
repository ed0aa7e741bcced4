"""Published numbers beside ours: a panel of a figure, and the table that is drawn of it."""

from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["as_panel", "draw_published", "published"]


def as_panel(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> dict[str, list[Any]]:
    """Turn rows into the named columns of a panel.

    >>> as_panel(("n", "bits"), [(2, 1.0), (3, 2.17)])
    {'n': [2, 3], 'bits': [1.0, 2.17]}
    """
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))


def published(rows: Iterable[tuple[str, float, float, str]]) -> dict[str, list[Any]]:
    """Make the panel from rows of a quantity, its published value, ours, and where it was seen.

    >>> published([("accuracy, %", 44.4, 400 / 9, "its figure")])["difference"]
    [0.0444444444]
    """
    names = ("quantity", "published", "ours", "difference", "seen")
    return as_panel(
        names,
        (
            (quantity, float(theirs), float(ours), round(float(ours - theirs), 10) + 0.0, seen)
            for quantity, theirs, ours, seen in rows
        ),
    )


def draw_published(axes: Any, panel: Any, title: str) -> None:
    """Write the panel as a table over the whole width of the figure."""
    axes.set_title(title)
    axes.set_axis_off()
    count = len(panel["quantity"])
    axes.set(xlim=(0, 1), ylim=(count + 0.5, -0.5))
    lines = [
        (quantity, f"{theirs:.6g}", f"{ours:.6g}", f"{difference:.2g}".replace("-", MINUS), seen)
        for quantity, theirs, ours, difference, seen in zip(*panel.values(), strict=True)
    ]
    for row, cells in enumerate([("", *list(panel)[1:]), *lines]):
        for x, side, cell in zip(PLACES, SIDES, cells, strict=True):
            colour = "0.4" if row == 0 else "0"
            axes.text(x, row, cell, ha=side, va="center", fontsize=7, color=colour)
    axes.plot([0, 1], [0.5, 0.5], color="0.7", linewidth=0.6)


MINUS = "\u2212"
"""As Matplotlib writes it at the ticks."""

PLACES = (0.0, 0.5, 0.61, 0.72, 0.76)
SIDES = ("left", "right", "right", "right", "left")
