"""Where results go: a JSON file, and the tables between two markers of a text.

A run replaces only the sections that it measured, so what was measured on a GPU elsewhere stays.
"""

import io
import json
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType

from benchmarks import gpu_table, growth_table, machine, table

README = Path(__file__).with_name("README.md")
MEASURED = Path(__file__).with_name("measured.json")
WIDTH = 160

RENDERED = {
    "suite": table.rendered,
    "growth": growth_table.rendered,
    "gpu": gpu_table.rendered,
}


def save(path: Path, results: dict[str, Any]) -> None:
    """Write sections to a JSON file, beside those of other runs that are there."""
    old = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    kept = {name: old[name] for name in old if not _measured_later(name, results)}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(kept | _new(old, results), indent=1) + "\n", encoding="utf-8")


def renew(text: str, results: dict[str, Any]) -> str:
    """Put the tables of the sections between their markers.

    Raises
    ------
    ValueError
        If the text lacks a marker.
    """
    for name, section in results.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
        if text.count(begin) != 1 or text.count(end) != 1:
            raise ValueError(f"the text needs one {begin.strip()} and one {end.strip()}")
        before, rest = text.split(begin)
        text = before + begin + _fenced(name, section) + end + rest.split(end)[1]
    return text


def renew_readme(results: dict[str, Any], readme: Path = README, file: Path = MEASURED) -> None:
    """Renew the README of this folder and the file beside it."""
    save(file, results)
    kept = json.loads(file.read_text(encoding="utf-8"))
    sections = {name: kept[name] for name in results}
    readme.write_text(renew(readme.read_text(encoding="utf-8"), sections), encoding="utf-8")


def _measured_later(name: str, results: dict[str, Any]) -> bool:
    return name in results and "absent" not in results[name]


def _new(old: dict[str, Any], results: dict[str, Any]) -> dict[str, Any]:
    """All but a section without a device, where one with a device is there."""
    return {n: s for n, s in results.items() if _measured_later(n, results) or n not in old}


def _fenced(name: str, section: dict[str, Any]) -> str:
    text = plain(RENDERED[name](section))
    if "absent" in section:
        return f"\n{text.strip()}\n\n"
    on = machine.sentence(section["machine"])
    return f"\nMeasured on {on}\n\n```text\n{text.rstrip()}\n```\n\n"


def plain(what: RenderableType) -> str:
    """What would be printed, without colours or blanks at the ends of lines."""
    stream = io.StringIO()
    Console(file=stream, width=WIDTH, color_system=None).print(what)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"
