"""Pages written from the claims and from the lessons, and the roles that link to them.

``{claim}`B1``` links to a claim on the page of all claims, ``{lesson}`01``` to the lesson whose
file name begins so. A claim or a lesson that is not there is a warning, and so an error.
"""

import re
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxRole

ROOT = Path(__file__).resolve().parents[2]
MADE = "made"
"""Folder of the pages that are made: git does not keep it."""

CELL = re.compile(r"^# %%(.*)$", re.MULTILINE)
LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)(#[^)\s]*)?\)")


def claims_page() -> str:
    """Write all claims in MyST: statement, verdict, what checks show, source and its tag."""
    from theory.claims import registry

    lines = [
        "# Claims",
        "",
        "What is checked, in the order of the identifiers. `python -m theory` checks all of them",
        "and prints how; [what a check is](../guide/checked.md) is a chapter of the guide. Beside",
        "each verdict stands what its checks show. Passing on instances is no proof.",
    ]
    for name, claim in registry.items():
        lines += [
            "",
            f"(claim-{name.lower()})=",
            f"## {name}: {escaped(claim.title)}",
            "",
            escaped(claim.statement),
            "",
            f"*{claim.verdict}*: {claim.shown}.",
            f"Source: {escaped(claim.source)} [{claim.provenance}]",
        ]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    r"""Keep statements from being read as Markdown.

    >>> print(escaped("sum_i x_i <= [1]"))
    sum\_i x\_i \<= \[1\]
    """
    return re.sub(r"([\\`*_{}\[\]<>#|$])", r"\\\1", text)


def lesson_page(source: str) -> str:
    r"""Turn a lesson (a script of cells) into Markdown; solutions are folded.

    >>> print(lesson_page("# %% [markdown]\n# # Two words\n\n# %%\n1 + 1\n"))
    # Two words
    <BLANKLINE>
    ```python
    1 + 1
    ```
    <BLANKLINE>
    """
    cut = CELL.split(LINK.sub(target, source))
    parts = []
    for head, body in zip(cut[1::2], cut[2::2], strict=True):
        if "solution" in head:  # its first line is its name
            name, body = body.strip("\n").split("\n", 1)
        if "[markdown]" in head:
            text = "\n".join(line[2:] for line in body.strip("\n").split("\n"))
        else:
            text = f"```python\n{body.strip()}\n```"
        if "solution" in head:
            summary = f"<summary>{name.strip('#* ')}</summary>"
            text = f'<details class="solution">{summary}\n\n{text}\n\n</details>'
        parts.append(text)
    return "\n\n".join(parts) + "\n"


def target(link: re.Match[str]) -> str:
    """Make a link of a lesson, which is relative to its folder, fit for the page made of it."""
    path, part = link[1], link[2] or ""
    if path == "../paper_notes.md":
        return f"](paper_notes.md{part})"
    if path in {lesson.name for lesson in lessons().values()}:
        return f"]({Path(path).stem}.md{part})"
    return f"](../../notebooks/{path}{part})"


def lessons() -> dict[str, Path]:
    """{number: file} of the lessons."""
    return {path.name[:2]: path for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.py"))}


def write_pages(app: Sphinx) -> None:
    """Write the pages, only where they changed, so that Sphinx reads no more than it must."""
    notes = (ROOT / "paper_notes.md").read_text(encoding="utf-8")
    pages = {"claims.md": claims_page(), "paper_notes.md": notes}
    for path in lessons().values():
        pages[f"{path.stem}.md"] = lesson_page(path.read_text(encoding="utf-8"))
    names = "\n".join(path.stem for path in lessons().values())
    pages["lessons.md"] = (
        "# Lessons\n\nAs text; `make notebooks` writes them for Jupyter, and `make site` a page on "
        f"which they run in the browser.\n\n```{{toctree}}\n:maxdepth: 1\n\n{names}\n```\n"
    )
    folder = Path(app.srcdir) / MADE
    folder.mkdir(exist_ok=True)
    for path in folder.glob("*.md"):
        if path.name not in pages:
            path.unlink()
    for name, text in pages.items():
        if not (folder / name).exists() or (folder / name).read_text(encoding="utf-8") != text:
            (folder / name).write_text(text, encoding="utf-8")


class ClaimRole(SphinxRole):
    """A link to a claim, by its identifier."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Make the link, with the title of the claim as its tool tip."""
        from theory.claims import registry

        if self.text not in registry:
            return [], [self.inliner.reporter.error(f"there is no claim {self.text}")]
        target = f"{MADE}/claims.html#claim-{self.text.lower()}"
        return [link(self.env.docname, target, self.text, registry[self.text].title)], []


class LessonRole(SphinxRole):
    """A link to a lesson, by its number."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Make the link."""
        path = lessons().get(self.text)
        if path is None:
            return [], [self.inliner.reporter.error(f"there is no lesson {self.text}")]
        return [link(self.env.docname, f"{MADE}/{path.stem}.html", f"lesson {int(self.text)}")], []


def link(here: str, target: str, text: str, title: str = "") -> nodes.reference:
    """Make a link from a page in a folder, or from one on top."""
    up = "../" * here.count("/")
    return nodes.reference(text, text, internal=True, refuri=up + target, reftitle=title)


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before anything is read, and make the roles known."""
    app.connect("builder-inited", write_pages)
    app.add_role("claim", ClaimRole())
    app.add_role("lesson", LessonRole())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
