"""The default integer of a browser has 32 bits: nothing here may depend on the default.

Two checks that need no browser. The text of the code: a range without a type is for comparing and
indexing, and not for calculating. And the doctests, run with NumPy's functions made to give
``int32`` wherever no type is asked for.
"""

import ast
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from sims import decode, policies
from tests.narrow_integers import narrow
from theory import gallery
from theory._markov import random_subsets as gaps

ROOT = Path(__file__).resolve().parents[1]
ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Pow, ast.LShift)


# (a) The text of the code


def is_bare(node):
    """Whether this is a range without a type, or a view of one."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="np" | "xp"), attr=name)):
            typed = any(keyword.arg == "dtype" for keyword in node.keywords)
            floats = any(is_float(part) for value in node.args for part in ast.walk(value))
            return name in ("arange", "indices") and not typed and not floats
        case ast.Call(func=ast.Attribute(value=inner, attr="reshape")):
            return is_bare(inner)
        case ast.Subscript(value=inner):
            return is_bare(inner)
    return False


def is_float(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, float)


def assigned(function):
    """Names that a function gives to ranges without a type."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            pairs = [(target, node.value) for target in node.targets]
            if isinstance(node.value, ast.Tuple) and isinstance(node.targets[0], ast.Tuple):
                pairs = zip(node.targets[0].elts, node.value.elts, strict=False)
            yield from (a.id for a, b in pairs if isinstance(a, ast.Name) and is_bare(b))


def calculated_with(tree):
    """Lines in which something is added to, multiplied by or taken from such a range."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        names = set(assigned(function))
        for node in ast.walk(function):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ARITHMETIC):
                sides = [strip(node.left), strip(node.right)]
                ranges = [is_bare(s) or (isinstance(s, ast.Name) and s.id in names) for s in sides]
                if any(ranges) and not any(is_float(side) for side in sides):
                    yield node.lineno


def strip(node):
    while isinstance(node, ast.Subscript):
        node = node.value
    return node


PLANTED = """
def f(n):
    a, b = np.arange(n), np.arange(n, dtype=np.int64)
    a[:, None] * n
    b[:, None] * n
    n - np.arange(n)[::-1]
    1 << xp.arange(n).reshape(-1)
    0.5 + np.arange(n)
    a < n
    b[a]
"""


def test_the_scan_finds_arithmetic_with_ranges_without_a_type():
    assert sorted(set(calculated_with(ast.parse(PLANTED)))) == [4, 6, 7]


def test_no_range_without_a_type_is_calculated_with():
    found, ranges = [], 0
    for package in ("theory", "sims"):
        for path in sorted((ROOT / package).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            ranges += text.count("arange(")
            if "arange(" not in text and "indices(" not in text:
                continue
            lines = calculated_with(ast.parse(text))
            found += [f"{path.relative_to(ROOT)}:{line}" for line in sorted(set(lines))]
    assert ranges > 50
    assert found == []


# (b) What the code does


def test_the_imitation_overflows_where_a_browser_does():
    with narrow():
        assert np.arange(4).dtype == np.full(2, -1).dtype == np.asarray([1, 2]).dtype == np.int32
        assert np.argsort([3.0, 1.0]).dtype == np.sum([True, True]).dtype == np.int32
        assert ((np.arange(4) * 0 + 2**20) ** 2).sum() == 0
        wide = np.arange(4, dtype=np.int64)
        assert wide.dtype == np.zeros(2, np.int64).dtype == np.sum(wide).dtype == np.int64
        assert ((wide * 0 + 2**20) ** 2).sum() == 4 * 2**40
        assert np.arange(4.0).dtype == np.zeros(3).dtype == np.float64
    assert np.arange(4).dtype == np.int64


LEFT_OUT = ("__main__", "make_corpora", "/claims/", "strategies", "training/experiment", "ce/torch")
"""Commands, what runs for seconds, a Hypothesis that shrinks for seconds, what needs torch."""


def test_the_examples_of_the_docstrings_hold_with_narrow_integers():
    """In a process of its own, where nothing else depends on NumPy's functions."""
    paths = [path for package in ("theory", "sims") for path in (ROOT / package).rglob("*.py")]
    names = sorted(path.relative_to(ROOT).with_suffix("").as_posix() for path in paths)
    chosen = [name for name in names if not any(part in f"/{name}" for part in LEFT_OUT)]
    modules = [name.replace("/", ".").removesuffix(".__init__") for name in chosen]
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "narrow_integers.py"), *modules],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert int(done.stdout.split()[-4]) > 500, done.stdout


def test_pairs_of_sites_are_counted_in_64_bits():
    """Of k among 47,000 sites k - 1 are neighbours, although 32 bits do not count the pairs."""
    length = 47_000
    values = length - np.arange(1.0, length)  # one for each pair of sites, by their gap
    with narrow():
        found = gaps.over_pairs(values)
    assert np.allclose(found[1:], np.arange(length), rtol=1e-9)


def test_what_is_drawn_has_64_bits():
    p = gallery.parity(3)
    with narrow():
        decoded = decode(p, policies.TopK(1), np.random.default_rng(0), 4, trajectory=True)
    assert decoded.states is not None
    assert decoded.tokens.dtype == decoded.states.dtype == decoded.rounds.dtype == np.int64
