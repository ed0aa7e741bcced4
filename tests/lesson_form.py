"""The form of a lesson: `faults(text)` lists what is missing or not allowed in a percent file."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import jupytext

from theory import claims

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"

TOP = ("Learning goals", "Time needed", "Prerequisites", "The picture to keep")
ROUND = ["Predict", "Run", "Explain"]
OUTSIDE = {
    "asyncio", "ftplib", "http", "imaplib", "multiprocessing", "os", "pathlib", "poplib",
    "shutil", "smtplib", "socket", "socketserver", "ssl", "subprocess", "sys", "telnetlib",
    "tempfile", "urllib", "webbrowser", "xmlrpc",
}  # fmt: skip
"""Parts of the standard library that reach out: to a network, to files, to other programs."""


def allowed_imports():
    """The package, what it depends on, and the harmless part of the standard library."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    needed = {re.split(r"[^\w-]", line)[0] for line in project["project"]["dependencies"]}
    needed = {name.replace("-", "_").lower() for name in needed}
    return {"theory", "sims", "figures"} | needed | (set(sys.stdlib_module_names) - OUTSIDE)


def cells_of(text):
    return jupytext.reads(text, fmt="py:percent").cells


def headings(cells):
    """(depth, title) of all headings, without the number of a section."""
    found = []
    for cell in cells:
        if cell.cell_type == "markdown":
            for marks, title in re.findall(r"^(#+) +(.+)$", cell.source, flags=re.MULTILINE):
                found.append((len(marks), title.strip()))
    return found


def faults(text):
    """Everything that is wrong with the form of a lesson, as a list of sentences."""
    cells = cells_of(text)
    return [
        *_faults_of_the_top(cells),
        *_faults_of_the_sections(cells),
        *_faults_of_the_solution(cells),
        *_faults_of_the_code(cells),
        *_faults_of_the_links(cells),
    ]


def _faults_of_the_top(cells):
    top = cells[0].source
    if cells[0].cell_type != "markdown" or not re.match(r"# Lesson \d+\. \S", top):
        yield "the first cell is no title of the form '# Lesson 1. Name'"
    for part in TOP:
        if f"**{part}.**" not in top:
            yield f"the first cell does not give '{part}'"
    minutes = re.search(r"\*\*Time needed\.\*\* (\d+) minutes", top)
    if not minutes or not 45 <= int(minutes[1]) <= 60:
        yield "the time needed is not between 45 and 60 minutes"


def _faults_of_the_sections(cells):
    found = headings(cells)
    small = [title for depth, title in found if depth == 3]
    if not small or small != ROUND * (len(small) // len(ROUND)):
        yield f"the parts of the sections are not {', '.join(ROUND)}, again and again: {small}"
    sections = [title for depth, title in found if depth == 2]
    if sections[-2:] != ["Exercise", "Solution"]:
        yield "the last two sections are not Exercise and Solution"
    numbers = [re.match(r"(\d+)\. ", title) for title in sections[:-2]]
    if [int(n[1]) for n in numbers if n] != list(range(1, len(numbers) + 1)):
        yield f"the sections are not numbered from 1 on: {sections[:-2]}"
    if not any(cell.cell_type == "code" and "assert" in cell.source for cell in cells):
        yield "nothing is asserted"


def _faults_of_the_solution(cells):
    titles = [cell.source.startswith("## Solution") for cell in cells]
    if not any(titles):
        return  # said above
    start = titles.index(True)
    exercise = "".join(cell.source for cell in cells if cell.source.startswith("## Exercise"))
    asked = len(re.findall(r"^\d+\. ", exercise, flags=re.MULTILINE))
    if len(cells) == start + 1:
        yield "the solution is empty"
    for number, cell in enumerate(cells):
        tagged = "solution" in cell.metadata.get("tags", [])
        if tagged != (number > start):
            yield f"cell {number} is tagged {tagged}: not as a solution should"
        shown = "**Solution {}**" if cell.cell_type == "markdown" else "# Solution {}"
        first, *rest = cell.source.split("\n")
        if tagged and not (rest and first in map(shown.format, range(1, asked + 1))):
            yield f"cell {number} shows {first!r} when folded, not the name of a solution"


def _faults_of_the_code(cells):
    allowed = allowed_imports()
    for number, cell in enumerate(cells):
        if cell.cell_type != "code":
            continue
        try:
            tree = ast.parse(cell.source)
        except SyntaxError:
            yield f"cell {number} is not plain Python"
            continue
        guarded = {
            id(node)
            for attempt in ast.walk(tree)
            if isinstance(attempt, ast.Try)
            for statement in attempt.body
            for node in ast.walk(statement)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("open", "exec"):
                yield f"cell {number} calls {ast.unparse(node.func)}"
            for name in _imported(node):
                optional = name == "ipywidgets" and id(node) in guarded
                if name not in allowed and not optional:
                    yield f"cell {number} imports {name}"


def _imported(node):
    if isinstance(node, ast.Import):
        return [alias.name.partition(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [(node.module or ".").partition(".")[0]]
    return []


def _faults_of_the_links(cells):
    known = claims.registry
    for number, cell in enumerate(cells):
        if cell.cell_type != "markdown":
            continue
        for text, target in re.findall(r"\[([^\]]+)\]\(([^)]+)\)", cell.source):
            path, _, part = target.partition("#")
            if "://" in target:
                continue
            if not (FOLDER / path).exists():
                yield f"cell {number} links to {target}, which is not there"
            if re.fullmatch(r"[A-Z]\d+", text):
                if text not in known:
                    yield f"cell {number} names the claim {text}, which is not in the registry"
                if (path, part) != ("../paper_notes.md", "the-claims"):
                    yield f"cell {number} does not link {text} to the table of claims"
        bare = re.sub(r"\[[^\]]*\]\([^)]*\)|`[^`]*`", "", cell.source)
        for name in re.findall(r"\bclaims? ([A-Z]\d+)\b", bare):
            yield f"cell {number} names the claim {name} without a link"
