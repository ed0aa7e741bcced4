"""A figure's files: PDF, PNG, the plotted numbers as CSV, and where they come from as JSON.

Two runs give the same bytes: no dates, fixed metadata, numbers to twelve digits.
"""

import csv
import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from figures.figure import Data, Figure

__all__ = [
    "drawn",
    "picture",
    "provenance",
    "put",
    "read_csv",
    "read_recorded",
    "record",
    "recorded_data",
    "recorded_folder",
    "write",
]

PACKAGES = ("zeroloss", "numpy", "scipy", "sympy", "matplotlib")


def write(figure: Figure, data: Data, folder: Path) -> list[Path]:
    """Draw `data` and write all files of a figure into `folder`; return their paths.

    Every file is written beside its place and then moved there, so that an interrupted run
    leaves no half-written file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with drawn(figure, data) as drawing:
        png = picture(drawing)
        pdf = io.BytesIO()
        drawing.savefig(pdf, format="pdf", metadata={"CreationDate": None})
    return [
        put(folder / f"{figure.name}.pdf", pdf.getvalue()),
        put(folder / f"{figure.name}.png", png),
        *_write_csvs(figure, data, folder),
        put(folder / f"{figure.name}.json", provenance(figure, data).encode()),
    ]


@contextmanager
def drawn(figure: Figure, data: Data) -> Iterator[Any]:
    """Draw `data` in the style of the package, everything at its place; it is closed at the end.

    Settings and styles of the user's own are not looked at.
    """
    import matplotlib.pyplot as plt

    with plt.style.context(Path(__file__).parent / "paper.mplstyle", after_reset=True):
        drawing = figure.draw(data)
        try:
            _place(drawing)
            yield drawing
        finally:
            plt.close(drawing)


def _place(drawing: Any) -> None:
    """Lay a drawing out, once for all of its files, with letters as wide as in the PNG."""
    import matplotlib as mpl

    drawing.dpi = mpl.rcParams["savefig.dpi"]
    drawing.get_layout_engine().execute(drawing)
    mpl.rcParams["figure.constrained_layout.use"] = False
    drawing.set_layout_engine(None)  # as the settings say: none


def picture(drawing: Any) -> bytes:
    """Return a drawing as PNG."""
    png = io.BytesIO()
    drawing.savefig(png, format="png", metadata={"Software": None})
    return png.getvalue()


def record(figure: Figure, data: Data) -> list[Path]:
    """Keep the plotted numbers and the picture in the package, for ``--check`` and the pages."""
    with drawn(figure, data) as drawing:
        content = picture(drawing)
    paths = _write_csvs(figure, data, recorded_folder())
    return [*paths, put(recorded_folder() / f"{figure.name}.png", content)]


def _write_csvs(figure: Figure, data: Data, folder: Path) -> list[Path]:
    """Write the plotted numbers, one file per panel."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        put(folder / f"{figure.name}-{panel}.csv", _csv(columns).encode())
        for panel, columns in data.items()
    ]


def put(path: Path, content: bytes) -> Path:
    """Write a file beside its place and move it there; return its path."""
    beside = path.with_name(path.name + ".part")
    beside.write_bytes(content)
    os.replace(beside, path)
    return path


def _csv(columns: Any) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in zip(*columns.values(), strict=True):
        writer.writerow([f"{v:.12g}" if isinstance(v, float) else v for v in row])
    return text.getvalue()


def read_csv(path: Path) -> dict[str, list[str]]:
    """Read one panel back, as text."""
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
    return {name: [row[k] for row in rows[1:]] for k, name in enumerate(rows[0])}


def recorded_data(figure: Figure) -> Data:
    """The recorded numbers of all panels, for `figure.draw` where computing them takes too long.

    >>> from figures import FIGURES
    >>> list(recorded_data(FIGURES["frechet_segment"]))
    ['segment', 'tables']
    """
    paths = sorted(recorded_folder().glob(f"{figure.name}-*.csv"))
    return {
        path.stem.removeprefix(f"{figure.name}-"): {
            column: [_value(cell) for cell in cells] for column, cells in read_csv(path).items()
        }
        for path in paths
    }


def _value(cell: str) -> int | float | str:
    """A cell of a table: a number where it is one."""
    for kind in (int, float):
        try:
            return kind(cell)
        except ValueError:
            pass
    return cell


def recorded_folder() -> Path:
    """Return the folder of recorded numbers, part of the package."""
    return Path(__file__).parent / "recorded"


def read_recorded(figure: Figure, panel: str) -> dict[str, list[str]] | None:
    """Read the recorded numbers of a panel; None if there are none."""
    path = recorded_folder() / f"{figure.name}-{panel}.csv"
    return read_csv(path) if path.exists() else None


def provenance(figure: Figure, data: Data) -> str:
    """Return where a figure comes from, as JSON: all of `figure`, the panels, and the versions."""
    content = {
        "name": figure.name,
        "title": figure.title,
        "caption": figure.caption,
        "relation": figure.relation,
        "source": figure.source,
        "claims": list(figure.claims),
        "panels": list(data),
        "parameters": dict(figure.parameters),
        "versions": {
            "python": ".".join(map(str, sys.version_info[:3])),
            **{name: version(name) for name in PACKAGES},
        },
    }
    return json.dumps(content, indent=2) + "\n"
