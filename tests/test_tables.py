"""The tables of all commands on terminals of several widths: nothing is cut off."""

import json
import os
import re
import sys
import threading
from contextlib import contextmanager

import pytest

import figures.__main__
import sims.__main__
import sims.training.__main__
import theory.__main__
from benchmarks.report import MEASURED, RENDERED
from theory._console.console import output_console

pty = pytest.importorskip("pty")
termios = pytest.importorskip("termios")

WIDTHS = (60, 80, 120)
WIDE = 300
"""Where every table is whole."""

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
HEADING = re.compile(r"\S+: [0-9]+ (words|sites)")
"""A line that is left to the terminal to break, as names of files may be long."""

NUMBER = re.compile(r"[<>]?[0-9]*[.0-9±e%×-]*[0-9][.0-9±e%×-]*")


@contextmanager
def terminal(monkeypatch, width):
    """Standard output is a terminal of some width; the lines that it shows are added to a list."""
    above, below = pty.openpty()
    termios.tcsetwinsize(below, (24, width))
    shown, lines = [], []

    def read():
        try:
            while some := os.read(above, 4096):
                shown.append(some)
        except OSError:  # so Linux says that the other end is closed
            pass

    reader = threading.Thread(target=read)
    reader.start()
    try:
        with monkeypatch.context() as patch, open(below, "w", encoding="utf-8") as out:
            patch.setattr("sys.stdout", out)
            patch.setattr("sys.__stdout__", out)
            patch.setenv("TERM", "xterm")
            patch.delenv("COLUMNS", raising=False)
            assert sys.stdout.isatty()
            yield lines
    finally:
        reader.join()
        os.close(above)
    text = CONTROL.sub("", b"".join(shown).decode())
    # of a line that is written over, what was written last
    lines += [line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n")]


def run(main, *arguments):
    return lambda state: main([a.format(state=state) for a in arguments])


def measured(name, part):
    """A part of what was measured is enough, as a table of many lines takes long."""
    section = json.loads(MEASURED.read_text(encoding="utf-8"))[name]
    section |= {part: section.get(part, [])[-8:]}
    return lambda _: output_console().print(RENDERED[name](section))


DECODERS = ["TopK(2, 'confidence')", "BlockCorrector(RandomOrder((1, 2)), 2, 3)", "Bisection()"]
COMMANDS = {
    "python -m theory": run(
        theory.__main__.main,
        *("--claim", "B2", "--level", "exact", "--examples", "1", "--slowest", "1"),
    ),
    "python -m sims": run(
        sims.__main__.main,
        *("--gallery", "permutations(3)"),
        *(argument for decoder in DECODERS for argument in ("--policy", decoder)),
    ),
    "python -m sims --distance": run(
        sims.__main__.main, "--distance", "--text", "LICENSE", "--end", "restart"
    ),
    "python -m sims.training": run(
        sims.training.__main__.main,
        *("--data", "latents", "--size", "30", "--repeats", "2", "--seed", "1"),
        *("--state", "{state}"),
    ),
    "python -m benchmarks": measured("suite", "lines"),
    "python -m benchmarks --growth": measured("growth", "curves"),
    "python -m figures --list": run(figures.__main__.main, "--list"),
}


def numbers(lines):
    return {word for line in lines for word in line.split() if NUMBER.fullmatch(word)}


@pytest.mark.parametrize("name", COMMANDS)
def test_nothing_is_cut_off(name, monkeypatch, tmp_path):
    """All that is shown on a narrow terminal is a part of what is shown on a wide one.

    Every number there is whole, and every column is there or named as one that is missing.
    """
    monkeypatch.chdir(MEASURED.parents[1])
    monkeypatch.setattr("time.perf_counter", lambda: 0.0)  # times are the same in all runs
    seen = {}
    for width in (*WIDTHS, WIDE):
        with terminal(monkeypatch, width) as lines:
            COMMANDS[name](tmp_path / "state")
        seen[width] = lines
    wide = " ".join(seen[WIDE]).split()
    heads = {word for line in seen[WIDE] if "┃" in line for word in line.split()} - {"┃"}
    for width in WIDTHS:
        said = [line for line in seen[width] if not HEADING.match(line)]
        assert max(map(len, said)) <= width
        assert "…" not in "".join(said)
        assert numbers(seen[width]) <= {word.strip("(),.;:") for word in wide} | set(wide)
        assert heads <= set(" ".join(seen[width]).replace(",", "").replace(".)", "").split())
