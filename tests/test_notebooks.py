"""The lessons: their form, that each runs from top to bottom, and the notebooks made of them."""

import json
import os
import re
import subprocess
import sys

import jupytext
import nbformat
import pytest

from notebooks import make_notebooks
from tests.lesson_form import FOLDER, ROOT, cells_of, faults
from tests.noted import each

SECONDS = 30
"""What a lesson may take, in seconds of one processor: a busy machine fails no lesson."""

LESSONS = make_notebooks.lessons()
PATTERN = LESSONS[0].read_text(encoding="utf-8")
every_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)


# Form


def test_lessons_are_numbered_from_one():
    assert [int(path.name[:2]) for path in LESSONS] == list(range(1, len(LESSONS) + 1))


@every_lesson
def test_form(lesson):
    text = lesson.read_text(encoding="utf-8")
    assert faults(text) == []
    assert cells_of(text)[0].source.startswith(f"# Lesson {int(lesson.name[:2])}. ")


@each(
    ("old", "new", "fault"),
    [
        ("# # Lesson 1. Two words", "# # Two words", "the first cell is no title"),
        ("**Learning goals.**", "**Goals.**", "does not give 'Learning goals'"),
        ("**Prerequisites.**", "", "does not give 'Prerequisites'"),
        ("**The picture to keep.**", "", "does not give 'The picture to keep'"),
        ("**Time needed.** 50", "**Time needed.** 90", "the time needed is not between"),
        ("### Explain", "### Explanation", "the parts of the sections are not"),
        ("### Predict", "### Run", "the parts of the sections are not"),
        ("## Exercise", "## Tasks", "are not Exercise and Solution"),
        ("## Solution", "## Answer", "are not Exercise and Solution"),
        ("## 2. ", "## 3. ", "the sections are not numbered from 1 on"),
        ("assert ", "bool ", "nothing is asserted"),
        (' tags=["solution"]', "", "not as a solution should"),
        ("# Solution 1\n# ", "# Solution 1: ", "shows '# Solution 1: "),
        ("# **Solution 4**", "# No.", "shows 'No.' when folded"),
        ("# Solution 2\n", "# Solution 5\n", "shows '# Solution 5' when folded"),
        ("from math import", "from socket import", "imports socket"),
        ("import numpy as np", "import pandas", "imports pandas"),
        ("from theory import claims", "import urllib.request", "imports urllib"),
        ("from theory import claims", "import ipywidgets", "imports ipywidgets"),
        ("from theory import claims", "open('a')", "calls open"),
        ("from theory import claims", "%pip install zeroloss", "is not plain Python"),
        ("paper_notes.md", "notes_of_paper.md", "which is not there"),
        ("[A5](", "[A55](", "A55, which is not in the registry"),
        ("[A5](../paper_notes.md#the-claims)", "[A5](README.md)", "does not link A5"),
        ("[A5](../paper_notes.md#the-claims)", "A5", "names the claim A5 without a link"),
    ],
)
def test_a_lesson_without_this_is_refused(old, new, fault):
    assert old in PATTERN
    assert any(fault in found for found in faults(PATTERN.replace(old, new)))


# Each lesson from top to bottom


RUN = """
import json, sys, time

def refuse(event, args):
    if event == "subprocess.Popen" and args[0] == "lscpu":
        return  # NumPy 2.1 asks so what the processor can do
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "subprocess.Popen"):
        raise RuntimeError(f"a lesson reached out: {event} {args}")

sys.addaudithook(refuse)
space = {"__name__": "__main__"}
cells = json.load(sys.stdin)
spent = time.process_time()
for number, source in cells:
    code = compile(source, f"cell {number}", "exec")
    if "ipywidgets" in source:  # without it, too
        had = sys.modules.get("ipywidgets")
        sys.modules["ipywidgets"] = None
        exec(code, dict(space))
        del sys.modules["ipywidgets"]
        if had is not None:
            sys.modules["ipywidgets"] = had
    exec(code, space)
    if "matplotlib.pyplot" in sys.modules:  # as a notebook does after each cell
        sys.modules["matplotlib.pyplot"].close("all")
print("\\nspent", time.process_time() - spent)
"""


def run(path, **environment):
    """Run a lesson in a process of its own, warnings as errors, network refused."""
    cells = enumerate(cells_of(path.read_text(encoding="utf-8")))
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", RUN],
        input=json.dumps([(k, cell.source) for k, cell in cells if cell.cell_type == "code"]),
        cwd=ROOT,
        env={**os.environ, "MPLBACKEND": "Agg", "PYTHONIOENCODING": "utf-8", **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=10 * SECONDS,
        check=False,
    )


@pytest.mark.slow
@every_lesson
def test_runs_from_top_to_bottom(lesson):
    done = run(lesson)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    spent = float(done.stdout.rpartition("spent ")[2])
    assert spent < SECONDS


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("assert 1 + 1 == 3", "cell 1"),
        ("import warnings; warnings.warn('look out')", "look out"),
        ("import socket; socket.create_connection(('127.0.0.1', 9))", "a lesson reached out"),
        ("import subprocess; subprocess.run(['true'])", "a lesson reached out"),
    ],
)
def test_a_lesson_that_does_this_fails(code, why, tmp_path):
    lesson = tmp_path / "99_wrong.py"
    lesson.write_text(f"# %% [markdown]\n# # Wrong\n\n# %%\n{code}\n", encoding="utf-8")
    done = run(lesson)
    assert done.returncode != 0
    assert why in done.stderr


# Notebooks


def test_notebooks_hold_the_lessons_and_no_outputs(tmp_path):
    paths = make_notebooks.write(tmp_path / "a")
    assert [path.stem for path in paths] == [lesson.stem for lesson in LESSONS]
    for path, lesson in zip(paths, LESSONS, strict=True):
        made = nbformat.read(path, as_version=4)
        nbformat.validate(made)
        cells = jupytext.read(lesson, fmt="py:percent").cells
        for cell, source in zip(made.cells, cells, strict=True):
            if cell.cell_type == "code":
                assert cell.source == source.source
                assert (cell.outputs, cell.execution_count) == ([], None)
            for target in re.findall(r"\]\(([^)#]+)[^)]*\)", cell.source):
                if cell.cell_type == "markdown" and "://" not in target:
                    assert (path.parent / target).exists()
    again = make_notebooks.write(tmp_path / "b")
    assert [path.read_bytes() for path in paths] == [path.read_bytes() for path in again]


def test_a_folded_solution_shows_its_name_only(tmp_path):
    """Hidden code shows its first line, Markdown its summary; outputs are hidden, too."""
    for path in make_notebooks.write(tmp_path):
        for cell in nbformat.read(path, as_version=4).cells:
            if "solution" not in cell.metadata.get("tags", []):
                assert "jupyter" not in cell.metadata
            elif cell.cell_type == "code":
                assert re.fullmatch(r"# Solution \d", cell.source.split("\n")[0])
                hidden = {"source_hidden": True, "outputs_hidden": True}
                assert cell.metadata["jupyter"] == hidden
            else:
                form = r"<details><summary>Solution \d</summary>\n\n.*\n\n</details>"
                assert re.fullmatch(form, cell.source, flags=re.DOTALL)


def test_handout_and_answer_key(tmp_path):
    """A handout ends with the exercise; an answer key has the code of the lesson in its order."""
    handouts = make_notebooks.write(tmp_path / "none", solutions="none")
    keys = make_notebooks.write(tmp_path / "only", solutions="only")
    for lesson, handout, key in zip(LESSONS, handouts, keys, strict=True):
        cells = jupytext.read(lesson, fmt="py:percent").cells
        *_, exercise, turn = nbformat.read(handout, as_version=4).cells
        assert exercise.source.startswith("## Exercise\n")
        assert turn.source == "# your turn"
        assert "Solution" not in handout.read_text(encoding="utf-8")
        title, before, question, *answers = nbformat.read(key, as_version=4).cells
        assert title.source == cells[0].source.split("\n")[0] + ": solutions"
        assert question.source == exercise.source
        code = [cell.source for cell in (before, *answers) if cell.cell_type == "code"]
        every = [c.source for c in cells if c.cell_type == "code" and c.source != turn.source]
        assert "\n\n".join(code) == "\n\n".join(["# The code of the lesson", *every])
        assert not any("jupyter" in cell.metadata for cell in answers)


def test_links_and_first_cell(tmp_path):
    lesson = tmp_path / "01_one.py"
    text = "[a](../x/y.md#z) [b](02_two.py) [c](https://d.org/e) [f](#g) [h](README.md)"
    lesson.write_text(f"# %% [markdown]\n# {text}\n", encoding="utf-8")
    (tmp_path / "02_two.py").write_text("# %%\n1\n", encoding="utf-8")
    arguments = {"folder": tmp_path, "links": "https://code/", "first": "%pip install zeroloss"}
    one, two = make_notebooks.write(tmp_path / "out", **arguments)
    first, cell = nbformat.read(one, as_version=4).cells
    assert (first.cell_type, first.source) == ("code", "%pip install zeroloss")
    assert cell.source == (
        "[a](https://code/x/y.md#z) [b](02_two.ipynb) [c](https://d.org/e) [f](#g) "
        "[h](https://code/notebooks/README.md)"
    )
    assert len(nbformat.read(two, as_version=4).cells) == 2


def test_the_command_says_what_it_wrote(tmp_path, capsys):
    assert make_notebooks.main(["--out", str(tmp_path / "new"), "--solutions", "none"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed == [str(path) for path in sorted((tmp_path / "new").iterdir())]
    assert "Solution" not in (tmp_path / "new" / "01_two_words.ipynb").read_text(encoding="utf-8")


KERNEL = """
import sys, nbclient, nbformat
notebook = nbformat.read(sys.argv[1], as_version=4)
nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
nbformat.write(notebook, sys.argv[1])
"""


@pytest.mark.slow
def test_a_notebook_runs_in_a_kernel(tmp_path):
    (_, path, *_) = make_notebooks.write(tmp_path)  # one of the quick ones
    done = subprocess.run(
        [sys.executable, "-c", KERNEL, str(path)],
        cwd=tmp_path,
        env={k: v for k, v in os.environ.items() if k != "MPLBACKEND"},  # pictures, as in a class
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    outputs = [
        output for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"
        for output in cell.outputs
    ]  # fmt: skip
    kinds = {kind for output in outputs for kind in output.get("data", {})}
    assert {"image/png", "application/vnd.jupyter.widget-view+json"} <= kinds
    assert not any(output.get("name") == "stderr" for output in outputs)


# The list of lessons


def test_the_list_names_every_lesson():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"]({lesson.name})" in text for lesson in LESSONS)


def test_the_readme_links_the_list():
    assert "](notebooks/README.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
