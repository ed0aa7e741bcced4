"""``index.html``: every figure of a folder with its caption, numbers, claims and provenance.

One file without scripts, that a browser opens from the file system: links are relative. What it
says of a figure is what the figure's own JSON says, so that a page of older drawings stays true.
"""

import json
import struct
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from figures.files import put, read_csv
from figures.registry import FIGURES
from theory import claims

__all__ = ["PAGE", "gallery_page", "write_gallery_page"]

PAGE = "index.html"

RELATIONS = {
    "reproduces": "reproduces a published result",
    "analogue": "an exact analogue of a published result",
    "extends": "extends a published result",
    "ours": "no figure of a paper: stated and computed here",
}
"""What a figure is to its source, in words."""

KINDS = ("pdf", "png", "json")
"""Of the files of a figure, beside its numbers."""

STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --soft: #555; --paper: #fff; --line: #ccc;
  --link: #005a94; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e6e6; --soft: #aaa; --paper: #161616; --line: #444; --link: #7cc4f5; } }
body { color: var(--ink); background: var(--paper); font: 1rem/1.5 system-ui, sans-serif;
  margin: 0 auto; padding: 1rem; max-width: 54rem; }
a { color: var(--link); }
h1 { line-height: 1.2; }
section { border-top: 1px solid var(--line); margin-top: 2.5rem; }
figure { margin: 0; }
figure a { display: block; overflow-x: auto; }
img { box-sizing: border-box; display: block; width: 100%; min-width: 40rem; height: auto;
  background: #fff; padding: 0.5rem; }
figcaption { margin: 0.5rem 0 1rem; }
dl { display: grid; grid-template-columns: minmax(5rem, auto) 1fr; gap: 0.3rem 1rem; }
dt { color: var(--soft); }
dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
ul { margin: 0; padding-left: 1.2rem; }
dd ul { list-style: none; padding-left: 0; }
nav ul { columns: 17rem; }
.soft, summary { color: var(--soft); }
@media (max-width: 36rem) { dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: 0.5rem; } }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } nav { display: none; }
  section { break-before: page; border: 0; margin: 0; } figure { break-inside: avoid; }
  img { min-width: 0; padding: 0; } a { color: inherit; text-decoration: none; } }
"""


def write_gallery_page(folder: Path) -> Path:
    """Write the page of the figures that are in `folder`; return its path."""
    return put(folder / PAGE, gallery_page(folder).encode())


def gallery_page(folder: Path) -> str:
    """Return the page as HTML: the same text for the same files.

    Parameters
    ----------
    folder : Path
        Where `figures.files.write` has put figures. Those are shown of which all files are there,
        in the order of the registry.
    """
    found = {name: story for name in FIGURES if (story := _story(folder, name)) is not None}
    links = [
        f'<li><a href="#{_id(name)}">{escape(s["title"])}</a></li>' for name, s in found.items()
    ]
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            "<title>The figures of zeroloss</title>",
            f"<style>{STYLE}</style>",
            "</head>",
            "<body>",
            "<header>",
            "<h1>Masked diffusion language models, computed exactly</h1>",
            "<p>Every figure is drawn from nothing but the code. Below each of them: the numbers "
            "that are plotted, the claims of the literature that it illustrates, what it is to "
            "its source, and everything that the numbers depend on.</p>",
            "</header>",
            "<nav>",
            f"<h2>{len(found)} figure{'s' * (len(found) != 1)}</h2>",
            f"<ul>{''.join(links)}</ul>",
            "</nav>",
            "<main>",
            *(_section(folder, name, story) for name, story in found.items()),
            "</main>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _story(folder: Path, name: str) -> Mapping[str, Any] | None:
    """What the JSON of a figure says; None if one of its files is not there."""
    told = folder / f"{name}.json"
    if not told.exists():
        return None
    story = json.loads(told.read_text(encoding="utf-8"))
    files = [f"{name}.pdf", f"{name}.png", *(f"{name}-{panel}.csv" for panel in story["panels"])]
    return story if all((folder / file).exists() for file in files) else None


def _section(folder: Path, name: str, story: Mapping[str, Any]) -> str:
    title, caption = escape(story["title"]), escape(story["caption"])
    picture = f"{name}.png"
    width, height = _size(folder / picture)
    alt = escape(f"Plot: {story['title']}. {story['caption'].split('. ')[0].rstrip('.')}.")
    parameters = "".join(
        f"<dt>{escape(key)}</dt><dd>{escape(_spelled(value))}</dd>"
        for key, value in {**story["parameters"], **story["versions"]}.items()
    )
    facts = [
        ("files", ", ".join(_link(f"{name}.{kind}", kind.upper()) for kind in KINDS)),
        ("numbers", _list([_numbers(folder, name, panel) for panel in story["panels"]])),
        ("claims", _list([_claim(key) for key in story["claims"]]) or "none"),
        ("source", escape(story["source"])),
        ("it is", escape(RELATIONS[story["relation"]])),
    ]
    return "\n".join(
        [
            f'<section id="{_id(name)}">',
            f"<h2>{title}</h2>",
            "<figure>",
            f'<a href="{quote(picture)}"><img src="{quote(picture)}" alt="{alt}" '
            f'width="{width}" height="{height}"></a>',
            f"<figcaption>{caption}</figcaption>",
            "</figure>",
            f"<dl>{''.join(f'<dt>{what}</dt><dd>{said}</dd>' for what, said in facts)}</dl>",
            f"<details><summary>parameters and versions</summary><dl>{parameters}</dl></details>",
            "</section>",
        ]
    )


def _numbers(folder: Path, name: str, panel: str) -> str:
    path = folder / f"{name}-{panel}.csv"
    columns = read_csv(path)
    rows = len(next(iter(columns.values())))
    named = escape(", ".join(columns).replace("_", " "))
    return f'{_link(path.name, panel)} <span class="soft">({rows} rows: {named})</span>'


def _claim(key: str) -> str:
    if key not in claims.registry:
        return escape(key)
    claim = claims.registry[key]
    verdict = f'<span class="soft">({escape(str(claim.verdict))})</span>'
    return f"{escape(key)}: {escape(claim.title)} {verdict}"


def _link(file: str, text: str) -> str:
    return f'<a href="{quote(file)}">{escape(text.replace("_", " "))}</a>'


def _list(entries: list[str]) -> str:
    return f"<ul>{''.join(f'<li>{entry}</li>' for entry in entries)}</ul>" if entries else ""


def _id(name: str) -> str:
    return escape(name.replace("_", "-"))


def _spelled(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _size(picture: Path) -> tuple[int, int]:
    """Width and height of a PNG in pixels, which its first bytes say."""
    with picture.open("rb") as file:
        return struct.unpack(">II", file.read(24)[16:24])
