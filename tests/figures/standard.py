"""The standard of all figures: what a referee would send back, as a list of complaints."""

from contextlib import contextmanager
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import same_color, to_hex, to_rgb
from matplotlib.text import Text
from matplotlib.transforms import Bbox

WIDTHS, TALLEST = (3.25, 6.75), 8.0
"""Inches: one and two columns, as the style file says, and most of a page."""

LEAST_FONT = 6.0
"""Points, at printed size."""

RIM = 1.0
"""Boxes of texts may share so many points: letters do not fill them."""


@contextmanager
def watched_texts():
    """Give a dict of every text that is drawn, not all that a figure holds, and its box in points.

    Where a figure is drawn several times, the last time counts.
    """
    seen, draw = {}, Text.draw

    def watched(self, renderer, *args, **kwargs):
        draw(self, renderer, *args, **kwargs)
        if self.get_visible() and self.get_text().strip():
            box = self.get_window_extent(renderer)
            seen[self] = Bbox(box.get_points() * 72 / self.figure.dpi)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Text, "draw", watched)
        yield seen


def complaints(drawing, texts):
    """One line for each fault of a figure that has been drawn with these texts."""
    found = []
    width, height = drawing.get_size_inches()
    if width not in WIDTHS or height > TALLEST:
        found.append(f"size {width:g} x {height:g} inches")
    for text, box in texts.items():
        if text.get_fontsize() < LEAST_FONT:
            found.append(f"{text.get_text()!r} is {text.get_fontsize():g} points high")
        if min(box.x0, box.y0, 72 * width - box.x1, 72 * height - box.y1) < -RIM:
            found.append(f"{text.get_text()!r} is cut off")
    found += _overlaps(texts)
    for axes in drawing.axes:
        found += [f"{axes.get_title('left')!r}: {fault}" for fault in _faults(drawing, axes)]
    return found


def _overlaps(boxes):
    """Pairs of texts whose boxes share more than a rim; slanted ones fill theirs too little."""
    straight = {text: box for text, box in boxes.items() if text.get_rotation() % 90 == 0}
    upright = [(text.get_text(), box.padded(-RIM)) for text, box in straight.items()]
    return [
        f"{one!r} overlaps {other!r}"
        for (one, a), (other, b) in combinations(upright, 2)
        if a.overlaps(b)
    ]


def _faults(drawing, axes):
    if axes.axison and axes.get_visible():
        yield from _unlabelled(drawing, axes)
    lines = axes.get_lines()
    curves = [c for c in lines if len(c.get_xdata(orig=False)) > 2 and c.get_linestyle() != "None"]
    for one, other in combinations(curves, 2):
        colours = one.get_color(), other.get_color()
        if not same_color(*colours) and _look(one, lines) == _look(other, lines):
            yield f"lines in {colours[0]} and {colours[1]} differ in colour only"
    for x, y in _marks(axes):
        if not axes.viewLim.padded(1e-9).contains(x, y):
            yield f"the mark at ({x:g}, {y:g}) is outside"
    cycle = {to_rgb(c) for c in mpl.rcParams["axes.prop_cycle"].by_key()["color"]}
    for colour in sorted(_colours(axes) - cycle):
        if len(set(colour)) > 1:  # greys are free
            yield f"the colour {to_hex(colour)} is not of the style"


def _marks(axes):
    """Marks that stand for themselves, in data coordinates; points of curves may leave a panel."""
    for collection in axes.collections:
        if isinstance(collection, PathCollection):
            yield from np.asarray(collection.get_offsets()).tolist()
    for line in axes.get_lines():
        if line.get_marker() not in ("None", "", " ", None) and line.get_linestyle() == "None":
            yield from np.asarray(line.get_xydata()).tolist()


def _colours(axes):
    """Colours of lines and of scattered marks."""
    marks = [c for c in axes.collections if isinstance(c, PathCollection)]
    arrays = [colours for c in marks for colours in (c.get_edgecolor(), c.get_facecolor())]
    scattered = [rgba[:3] for colours in arrays for rgba in np.asarray(colours).tolist()]
    return {
        to_rgb(colour) for colour in [line.get_color() for line in axes.get_lines()] + scattered
    }


def _unlabelled(drawing, axes):
    """Axes with numbers at their ticks whose quantity is named nowhere."""
    for which, axis, whole in (
        ("x", axes.xaxis, drawing.get_supxlabel()),
        ("y", axes.yaxis, drawing.get_supylabel()),
    ):
        related = getattr(axes, f"get_shared_{which}_axes")().get_siblings(axes)
        if axes.images and which == "y":  # maps in a row, the first of which is labelled
            related += [a for a in drawing.axes if a.images and _row(a) == _row(axes)]
        named = whole or any(getattr(a, f"get_{which}label")() for a in related)
        ticks = [label.get_text().strip("$\u2212-") for label in axis.get_ticklabels()]
        if any(tick[:1].isdigit() or "mathdefault" in tick for tick in ticks) and not named:
            yield f"the {which} axis has no label"


def _row(axes):
    spec = axes.get_subplotspec()
    return None if spec is None else spec.rowspan


def _look(line, lines):
    """How a line looks in grey, with the marks in its colour that stand apart from it."""
    apart = [other for other in lines if other.get_linestyle() == "None"]
    marks = {(m.get_marker(), m.get_fillstyle()) for m in apart if _same(m, line)}
    if line.get_marker() not in ("None", "", " ", None):
        marks.add((line.get_marker(), line.get_fillstyle()))
    return line.get_linestyle(), line.get_linewidth(), frozenset(marks)


def _same(one, other):
    return same_color(one.get_color(), other.get_color())
