"""The lessons in the browser: a JupyterLite site with the package's wheel, for ``make site``.

The site is static files. Python, NumPy, SciPy, SymPy and Matplotlib come from Pyodide: from its
public distribution, or with ``--pyodide`` from another address, or from a folder that is copied
into the site, which then needs no network at all. The few other wheels are part of the site
(`wheels.txt`); their folder can be kept and given again with ``--wheels``.

A site is served, it does not open from the file system::

    python -m http.server --directory out/site
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from html import escape
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PLATFORM = ("--python-version", "3.14", "--platform", "pyemscripten_2026_0_wasm32")
"""What the wheels have to fit: the Pyodide that the pinned kernel wants."""
KERNEL = "@jupyterlite/pyodide-kernel-extension"
EXTENSIONS = (KERNEL, "@jupyter-widgets/jupyterlab-manager")
FIRST = "%pip install -q zeroloss ipywidgets"
"""First cell of each lesson; the wheels are those of the site."""
LINKED = ("README.md", "paper_notes.md")
"""Files that lessons link to."""


class BuildError(Exception):
    """What is missing, in one sentence."""


def build(out: Path, *, pyodide: str | None = None, wheels: Path | None = None) -> Path:
    """Build the site.

    Parameters
    ----------
    out : Path
        Folder of the site; emptied first.
    pyodide : str, optional
        A folder with a Pyodide distribution, which is copied, or the address of one.
    wheels : Path, optional
        Folder with the wheels of `wheels.txt`; those that are missing are fetched into it.

    Returns
    -------
    Path
        The first page.
    """
    for module in ("jupyterlite_core", "jupyterlite_pyodide_kernel", "jupytext", "hatchling"):
        if find_spec(module) is None:
            raise BuildError(f"{module} is not installed: pip install --group site")
    with tempfile.TemporaryDirectory(prefix="site-") as temporary:
        lite = Path(temporary)
        names = write_lessons(lite / "files")
        write_wheels(lite / "pypi", wheels)
        write_settings(lite, pyodide)
        out.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(out)
        run(
            "-c",
            "from jupyterlite_core.app import main; main()",
            *("build", f"--lite-dir={lite}", f"--output-dir={out.resolve()}"),
            f"--contents={lite / 'files'}",
            cwd=lite,
        )
    page = out / "index.html"
    shutil.copy(out / "lab" / "favicon.ico", out)  # browsers ask for it here
    page.write_text(front_page(names), encoding="utf-8")
    return page


def write_lessons(folder: Path) -> dict[str, str]:
    """Write the notebooks, and what they link to; return {file name: title}."""
    sys.path.insert(0, str(ROOT / "notebooks"))
    try:
        make_notebooks = import_module("make_notebooks")
    finally:
        sys.path.pop(0)
    titles = {}
    for path in make_notebooks.write(folder, links=".", first=FIRST):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        text = "\n".join("".join(cell["source"]) for cell in cells)
        title = re.search(r"^# (.+)$", text, re.MULTILINE)
        titles[path.name] = title[1] if title else path.stem
    if not titles:
        raise BuildError("there is no lesson in notebooks/")
    for name in LINKED:
        shutil.copy(ROOT / name, folder / name)
    return titles


def write_wheels(folder: Path, kept: Path | None) -> None:
    """Build the package's wheel and put the wheels of `wheels.txt` beside it."""
    folder.mkdir()
    run("-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=ROOT)
    wanted = [line for line in (HERE / "wheels.txt").read_text().splitlines() if line[:1] != "#"]
    kept = kept or folder
    kept.mkdir(parents=True, exist_ok=True)
    missing = [line for line in wanted if not list(kept.glob(wheel_pattern(line)))]
    if missing:
        options = ("--no-deps", "--only-binary=:all:", *PLATFORM, "--platform", "any")
        run("-m", "pip", "download", "-qq", *options, "-d", str(kept), *missing, cwd=ROOT)
    if kept != folder:
        for line in wanted:
            for path in kept.glob(wheel_pattern(line)):
                shutil.copy(path, folder)


def wheel_pattern(requirement: str) -> str:
    """Give the names that a pinned requirement's wheel may have.

    >>> wheel_pattern("array-api-compat==1.16.0")
    'array_api_compat-1.16.0-*.whl'
    """
    name, version = requirement.split("==")
    return f"{name.replace('-', '_')}-{version}-*.whl"


def write_settings(lite: Path, pyodide: str | None) -> None:
    """Write where Pyodide is and what the site consists of."""
    kernel: dict[str, object] = {}
    if pyodide and re.match(r"https?://", pyodide):
        kernel["pyodideUrl"] = pyodide if pyodide.endswith(".mjs") else f"{pyodide}/pyodide.mjs"
    elif pyodide:
        folder = Path(pyodide)
        for name in ("pyodide.mjs", "pyodide-lock.json"):
            if not (folder / name).is_file():
                raise BuildError(f"{folder} is no Pyodide distribution: it has no {name}")
        shutil.copytree(folder, lite / "static" / "pyodide")
        kernel["disablePyPIFallback"] = True
    page: dict[str, object] = {"appName": "zeroloss lessons", "exposeAppInBrowser": True}
    if kernel:
        page["litePluginSettings"] = {f"{KERNEL}:kernel": kernel}
    settings = {"jupyter-lite-schema-version": 0, "jupyter-config-data": page}
    (lite / "jupyter-lite.json").write_text(json.dumps(settings), encoding="utf-8")
    shared = Path(sys.prefix) / "share" / "jupyter" / "labextensions"
    config = {
        "LiteBuildConfig": {
            "ignore_sys_prefix": ["federated_extensions"],
            "federated_extensions": [str(shared / name) for name in EXTENSIONS],
            "no_sourcemaps": True,
            "cache_dir": str(lite / "cache"),
            "no_unused_shared_packages": True,
        }
    }
    (lite / "jupyter_lite_config.json").write_text(json.dumps(config), encoding="utf-8")


def front_page(titles: dict[str, str]) -> str:
    """Write the first page: the lessons, and what to expect."""
    entries = "\n".join(
        f'<li><a href="notebooks/index.html?path={escape(name)}">{escape(title)}</a></li>'
        for name, title in titles.items()
    )
    text = (HERE / "index.html").read_text(encoding="utf-8")
    return text.replace("<!-- lessons -->", entries)


def run(*arguments: str, cwd: Path) -> None:
    """Run Python with these arguments; show what it says only if it fails."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BuildError(f"python {' '.join(arguments)} failed:\n{done.stdout}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the site and print where it is."""
    parser = argparse.ArgumentParser(description="Build the lessons as a site for the browser.")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "site")
    parser.add_argument("--pyodide", help="a folder that is copied into the site, or an address")
    parser.add_argument("--wheels", type=Path, help="folder that keeps the downloaded wheels")
    options = parser.parse_args(arguments)
    try:
        page = build(options.out, pyodide=options.pyodide or None, wheels=options.wheels)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{page}\nopen it with: python -m http.server --directory {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
