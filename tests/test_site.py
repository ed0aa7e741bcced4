"""The lessons in the browser: how the site is built, and what a reader's browser makes of it.

What needs a browser, a built site or a Pyodide is skipped with a word on how to get it:

- ``make site`` builds the site, ``make docs`` the guide, ``make reproduce`` the gallery of figures;
- a browser is Debian's package ``chromium``;
- ``ZEROLOSS_PYODIDE=FOLDER`` names a Pyodide distribution with NumPy, SciPy, SymPy and Matplotlib.
"""

import asyncio
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.browser import browse, executable, serve

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "out"
SITE = OUT / "site"


@pytest.fixture(scope="module")
def build():
    """The module that builds the site."""
    spec = importlib.util.spec_from_file_location("build_site", ROOT / "site" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def built(page, how):
    if not page.is_file():
        pytest.skip(f"{page.relative_to(ROOT)} is not there: {how}")
    return page


# (a) How it is built


def test_every_dependency_is_in_pyodide_or_a_wheel_of_the_site():
    """At the version that the tests run with, so that the browser has what was tested."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    needed = {re.split(r"[^\w-]", entry)[0] for entry in config["project"]["dependencies"]}
    lines = (ROOT / "site" / "wheels.txt").read_text(encoding="utf-8").splitlines()
    wheels = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert needed - set(wheels) == {"matplotlib", "numpy", "scipy", "sympy"}
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    tested = dict(re.findall(r"^([\w.-]+)==(\S+)$", pins.lower().replace("_", "-"), re.MULTILINE))
    common = set(wheels) & set(tested)
    assert {"array-api-compat", "hypothesis", "rich"} <= common
    assert {name: wheels[name] for name in common} == {name: tested[name] for name in common}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, None),
        ("https://example.org/pyodide", "https://example.org/pyodide/pyodide.mjs"),
        ("https://example.org/p/pyodide.mjs", "https://example.org/p/pyodide.mjs"),
    ],
)
def test_pyodide_comes_from_its_public_place_unless_another_is_named(
    build, tmp_path, given, expected
):
    build.write_settings(tmp_path, given)
    settings = json.loads((tmp_path / "jupyter-lite.json").read_text())["jupyter-config-data"]
    kernel = settings.get("litePluginSettings", {}).get(f"{build.KERNEL}:kernel", {})
    assert kernel.get("pyodideUrl") == expected
    assert not (tmp_path / "static").exists()


def test_a_folder_of_pyodide_is_copied_into_the_site(build, tmp_path):
    pyodide, lite = tmp_path / "pyodide", tmp_path / "lite"
    pyodide.mkdir()
    lite.mkdir()
    (pyodide / "pyodide.mjs").touch()
    with pytest.raises(build.BuildError, match=r"no Pyodide distribution: it has no pyodide-lock"):
        build.write_settings(lite, str(pyodide))
    (pyodide / "pyodide-lock.json").touch()
    build.write_settings(lite, str(pyodide))
    assert (lite / "static" / "pyodide" / "pyodide.mjs").is_file()


def test_the_first_page_lists_the_lessons(build):
    page = build.front_page({"01_x.ipynb": "Lesson 1. A & B"})
    assert '<a href="notebooks/index.html?path=01_x.ipynb">Lesson 1. A &amp; B</a>' in page


def test_wheels_are_found_by_their_pins(build):
    assert build.wheel_pattern("array-api-compat==1.16.0") == "array_api_compat-1.16.0-*.whl"


def test_a_missing_tool_is_said(build, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(build, "find_spec", lambda name: None)
    assert build.main(["--out", str(tmp_path / "site")]) == 1
    assert "jupyterlite_core is not installed" in capsys.readouterr().err
    assert not (tmp_path / "site").exists()


# (b) Opened in a browser

MISSING_IMAGES = "[...document.images].filter(i => !i.naturalWidth).map(i => i.src)"
ALL_LOADED = "[...document.images].every(i => i.complete)"
LAZY = "document.querySelectorAll('img[loading=lazy]').forEach(i => { i.loading = 'eager' })"


def looked_at(tmp_path, address, *, ready="true", whole=True):
    """Open a page; return (errors, images that did not load, size of the picture)."""
    picture = tmp_path / "picture.png"

    async def visit(page):
        await page.go(address)
        await page.wait_for(ready)
        await page.value(LAZY)
        await page.wait_for(ALL_LOADED)
        await asyncio.sleep(0.5)  # for what is asked for last
        await page.picture(picture, whole)
        return page.errors, await page.value(MISSING_IMAGES)

    errors, missing = browse(tmp_path / "profile", visit)
    return errors, missing, colours(picture)


def colours(picture):
    """Number of different colours in a picture: a blank page has one."""
    import matplotlib.image
    import numpy as np

    pixels = np.round(matplotlib.image.imread(picture)[..., :3] * 255).astype(np.int64)
    return len(np.unique(pixels @ np.asarray([65536, 256, 1], dtype=np.int64)))


def test_the_check_sees_an_error_and_a_missing_file(tmp_path):
    """So that the checks below can fail."""
    page = tmp_path / "page.html"
    page.write_text("<img src='not-there.png'><script>console.error('oh'); nothing()</script>")
    errors, missing, seen = looked_at(tmp_path, page.as_uri())
    text = " ".join(errors)
    assert "oh" in text
    assert "nothing is not defined" in text
    assert "ERR_FILE_NOT_FOUND" in text
    assert [Path(address).name for address in missing] == ["not-there.png"]
    assert seen >= 1


def test_a_blank_page_has_one_colour(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<title>nothing</title>")
    assert looked_at(tmp_path, page.as_uri()) == ([], [], 1)


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("index.html", "make reproduce"),
        ("docs/index.html", "make docs"),
        ("docs/guide/parallel.html", "make docs"),
        ("docs/api/distributions.html", "make docs"),
    ],
)
def test_pages_open_from_the_file_system(tmp_path, name, how):
    page = built(OUT / name, how)
    errors, missing, seen = looked_at(tmp_path, page.as_uri())
    assert (errors, missing) == ([], [])
    assert seen > 20


@pytest.mark.parametrize("name", ["index.html", "docs/index.html", "site/index.html"])
def test_links_lead_to_files(name):
    page = built(OUT / name, "make reproduce, make docs, make site")
    links = re.findall(r'(?:href|src)="([^"#?:]+)[^":]*"', page.read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize(
    ("path", "ready"),
    [
        ("index.html", "document.querySelectorAll('li a').length >= 1"),
        ("lab/index.html", "document.querySelectorAll('.jp-DirListing-item').length >= 1"),
    ],
)
def test_the_site_opens(tmp_path, path, ready):
    built(SITE / "index.html", "make site")
    executable()
    with serve(SITE) as address:
        errors, missing, seen = looked_at(tmp_path, f"{address}/{path}", ready=ready, whole=False)
    assert (errors, missing) == ([], [])
    assert seen > 10


RUN = "jupyterapp.commands.execute('runmenu:run-all').then(() => { window.ran = true }), true"
OUTPUTS = (
    "[...document.querySelectorAll('.jp-OutputArea-output')].map(e => e.innerText).join('\\n')"
)


@pytest.mark.slow
def test_a_lesson_runs_in_the_browser_without_a_network(tmp_path):
    """On a site that has a Pyodide of its own; about a minute."""
    built(SITE / "index.html", "make site")
    if not (SITE / "static" / "pyodide").is_dir():
        pytest.skip("this site takes Pyodide from the network: make site PYODIDE=FOLDER")
    executable()

    async def visit(page):
        await page.go(f"{address}/notebooks/index.html?path=01_two_words.ipynb")
        await page.wait_for("typeof jupyterapp == 'object'", 120)
        await page.wait_for("document.querySelectorAll('.jp-CodeCell').length > 3", 120)
        await page.value(RUN)
        await page.wait_for("window.ran", 500)
        outside = [a for a in page.requests if not a.startswith((address, "data:", "blob:"))]
        return page.errors, outside, await page.value(OUTPUTS)

    with serve(SITE) as address:
        errors, outside, shown = browse(tmp_path / "profile", visit)
    assert (errors, outside) == ([], [])
    assert "a word of the data once in 69.3 tries" in shown
    assert "Error" not in shown


# (c) The code of the lessons in Pyodide, without a browser


@pytest.mark.slow
def test_lessons_run_in_pyodide(tmp_path):
    """Under Node, with 32-bit default integers; four minutes for all of them on one core."""
    folder = os.environ.get("ZEROLOSS_PYODIDE")
    if not folder:
        pytest.skip("ZEROLOSS_PYODIDE does not name the folder of a Pyodide distribution")
    node = shutil.which("node") or pytest.skip("needs Node")
    built(SITE / "index.html", "make site")
    lessons = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.py"))
    script = ROOT / "tests" / "run_in_pyodide.mjs"
    done = subprocess.run(
        [node, str(script), folder, str(SITE / "pypi"), str(ROOT), *map(str, lessons)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    ran = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["script"] for each in ran] == [path.name for path in lessons]
    assert [each for each in ran if each["error"]] == []


def test_what_starts_processes_is_imported_where_there_are_none():
    """A browser has no processes: importing sweeps and executors starts or loads none."""
    code = (
        "import _multiprocessing, os, sys\n"
        "del _multiprocessing.SemLock, os.fork; sys.modules['_posixshmem'] = None\n"
        "import sims.sweep, theory._console.executors\n"
        "with theory._console.executors.executor_for() as executor:\n"
        "    print(executor.submit(pow, 2, 3).result())\n"
        "print('distributed' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["8", "False"], done.stderr
