"""The guide and the reference: nothing public is left out, and every link leads somewhere.

Sphinx is not needed here, except by the last test, which builds everything with warnings as errors
where it is installed; ``make docs`` does the same. The examples of the guide are doctests.
"""

import importlib.util
import inspect
import json
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from sims.__main__ import main as compare
from tests.rooms import with_rooms

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
GUIDE = sorted((DOCS / "guide").glob("*.md"))
README, CONTRIBUTING = ROOT / "README.md", ROOT / "CONTRIBUTING.md"
PAGES = [
    *(DOCS / "index.md", DOCS / "extend.md", DOCS / "samplers.md", DOCS / "scale.md", *GUIDE),
    *(README, CONTRIBUTING, ROOT / "CHANGELOG.md", ROOT / "notebooks" / "README.md"),
]
LISTED = re.compile(r"^\.\. public:: (\S+)(?:\n +:skip: (.+))?$", re.MULTILINE)


def by_name(path):
    return path.name


def reference():
    """{module: names to skip} as the pages of the reference list them."""
    text = "\n".join(
        path.read_text(encoding="utf-8") for path in sorted((DOCS / "api").glob("*.md"))
    )
    return {module: skipped.split() for module, skipped in LISTED.findall(text)}


def public_objects(*packages):
    """{object: a public name of it}, of all that packages and their public modules export."""
    found, todo = {}, [import_module(name) for name in packages]
    seen = set()
    while todo:
        module = todo.pop()
        if module.__name__ in seen:
            continue
        seen.add(module.__name__)
        for name in module.__all__:
            value = getattr(module, name)
            if isinstance(value, ModuleType):
                todo.append(value)
            elif inspect.isclass(value) or inspect.isfunction(value):
                found[value] = f"{module.__name__}.{name}"
    return found


def documented():
    """What the reference documents, each as often as it does."""
    for module, skipped in reference().items():
        names = set(skipped)
        for word in skipped:
            if "." in word:
                names |= set(import_module(word).__all__)
        for name in import_module(module).__all__:
            value = getattr(import_module(module), name)
            if name not in names and (inspect.isclass(value) or inspect.isfunction(value)):
                yield value


def test_everything_public_is_in_the_reference_once():
    public = public_objects("theory", "sims", "figures", "theory.claims", "theory.strategies")
    assert len(public) > 150
    shown = list(documented())
    assert [name for value, name in public.items() if value not in shown] == []
    twice = {value.__name__ for value in shown if shown.count(value) > 1}
    assert twice == set()


def test_what_is_in_the_reference_says_what_it_is():
    assert [value for value in documented() if not (value.__doc__ or "").strip()] == []


def test_every_page_is_in_the_table_of_contents():
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    trees = re.findall(r"```\{toctree\}(.+?)```", index, re.DOTALL)
    listed = {line for tree in trees for line in tree.split("\n") if line and line[0] != ":"}
    pages = {path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md")}
    made = {"made/claims", "made/paper_notes", "made/lessons"}
    assert {page for page in pages if not page.startswith("made/")} - {"index"} == listed - made


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_claims_lessons_and_files_that_a_page_links_to_exist(page):
    from theory.claims import registry

    text = page.read_text(encoding="utf-8")
    assert set(re.findall(r"\{claim\}`(\w+)`", text)) <= set(registry)
    numbers = {path.name[:2] for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.py")}
    assert set(re.findall(r"\{lesson\}`(\w+)`", text)) <= numbers
    files = re.findall(r"\]\((?!\w+:|#)([^)#\s]+)(?:#[^)]*)?\)", text)
    made = [name for name in files if "made/" in name]
    missing = [name for name in files if name not in made and not (page.parent / name).exists()]
    assert missing == []


def anchors(path):
    """The headings of a page as links name them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_headings_that_a_page_links_to_exist(page):
    text = page.read_text(encoding="utf-8").replace("../made/paper_notes", "../../paper_notes")
    links = re.findall(r"\]\((?!\w+:)([^)#\s]*\.md)?#([^)\s]+)\)", text)
    missing = [
        (name, part)
        for name, part in links
        if part not in anchors(page.parent / name if name else page)
    ]
    assert missing == []


@pytest.mark.parametrize("page", [*GUIDE, DOCS / "samplers.md"], ids=by_name)
def test_a_chapter_has_formulas_an_example_and_claims(page):
    text = page.read_text(encoding="utf-8")
    assert "$" in text
    assert ">>> " in text
    assert "claim" in text
    assert re.search(r"\{lesson\}|\.md\)", text)


def test_chapters_together_mention_every_lesson():
    text = "".join(path.read_text(encoding="utf-8") for path in GUIDE)
    numbers = {path.name[:2] for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.py")}
    assert numbers <= set(re.findall(r"\{lesson\}`(\w+)`", text))


# The front page, and the page for those who carry on


def test_the_front_page_is_short_and_begins_with_how_to_run_it():
    lines = README.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 220
    top = "\n".join(lines[:40])
    assert "pip install" in top
    assert "\nmake reproduce " in top
    commands = re.findall(
        r"^(?:exec )?(make .+)$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE
    )
    assert commands == ["make test", "make clients"]
    assert all(f"\n{command} " in top for command in commands)


def test_the_table_of_decoders_on_the_front_page_is_what_the_command_prints(capsys):
    text = README.read_text(encoding="utf-8")
    start = text.index("| decoder (excerpt) |")
    lines = text[start : text.index("\n\n", start)].splitlines()
    rows = [[cell.strip(" *") for cell in line.split("|")[1:-1]] for line in lines]
    head, *decoders, best = [row for row in rows if row[0] != "---"]
    assert head[1:] == ["rounds", "KL", "path KL", "valid", "regret"]
    calls = [re.findall(r"`(.+)`", row[0])[0] for row in decoders]
    policies = [word for call in calls for word in ("--policy", call)]
    assert compare(["--gallery", "words", "--length", "4", "--json", *policies]) == 0
    found = json.loads(capsys.readouterr().out)
    keys = ("rounds", "kl", "path_kl", "valid_mass", "regret")
    assert len(found["decoders"]) == len(decoders) >= 7
    for row, printed in zip(decoders, found["decoders"], strict=True):
        cells = dict(zip(keys, row[1:], strict=True))
        assert {key for key, cell in cells.items() if not shown(cell, printed[key])} == set()
    corner = found["frontier"][-1]
    assert shown(best[1], corner["rounds"])
    assert shown(best[2], corner["kl"])


def shown(cell, value):
    """Whether a cell is a value to the digits that it has."""
    return float(cell) == round(value, len(cell.partition(".")[2]))


def test_the_map_of_rooms_is_what_the_docstrings_say():
    """If this fails: python -m tests.rooms."""
    page = CONTRIBUTING.read_text(encoding="utf-8")
    assert with_rooms(page) == page
    for folder in ("theory/lattice/", "sims/policies/", "figures/"):
        assert f"\n| `{folder}` | " in page
    rows = re.findall(
        r"^\| `(?:theory|sims|figures|benchmarks)\S*` \| (.*) \|$", page, re.MULTILINE
    )
    assert len(rows) > 30
    assert all(row.endswith(".") for row in rows)


def test_files_that_the_journeys_name_exist():
    page = CONTRIBUTING.read_text(encoding="utf-8")
    named = re.findall(r"(?:theory|sims|figures|tests|docs)/[\w/]+\.(?:py|md)", page)
    made_up = {name for name in named if "NAME" in name}
    assert len(set(named) - made_up) > 20
    assert [name for name in named if name not in made_up and not (ROOT / name).exists()] == []


@pytest.mark.slow
def test_sphinx_builds_without_a_warning(tmp_path):
    for module in ("sphinx", "myst_parser", "furo", "latex2mathml"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"needs {module}: pip install --group docs")
    command = [sys.executable, "-m", "sphinx", "-qEW", "--keep-going", "-b", "html", "-d"]
    done = subprocess.run(
        [*command, str(tmp_path / "trees"), str(DOCS), str(tmp_path / "html")],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / "html" / "guide" / "lattice.html").is_file()
