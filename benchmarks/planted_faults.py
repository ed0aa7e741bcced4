"""Plant single faults in a copy of the code, one at a time, and count those that the tests find.

A fault is a sign, a comparison, an index or a constant that is off; which ones are planted depends
on the seed alone. Faults are kept by the function and the statement that they are in, so that a
list that was chosen at one commit can be planted at a later one, where files have moved:

    python -m benchmarks.planted_faults --package theory --choose faults.json
    python -m benchmarks.planted_faults --package theory --plant faults.json --json found.json
    python -m benchmarks.planted_faults --package theory --plant faults.json --tree ../older

Tests that name the module are run first, then all of the package; the first that fails ends the
search. A fault that takes longer than the limit counts as found: it is seen by whoever waits.
Claims are left out, since they are tests themselves.
"""

import argparse
import ast
import difflib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from theory._console.arguments import CommandParser, positive

OPPOSITE = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}
SIMILAR = 0.9
"""A statement is the same, with other names, if so much of it is; a tenth is for the function."""

WORDING = (ast.Raise, ast.JoinedStr, ast.Assert, ast.Import, ast.ImportFrom)


class Fault(NamedTuple):
    """The nth place of a kind in a statement, which is known by its source."""

    module: str
    function: str
    statement: str
    kind: str
    nth: int

    def __str__(self) -> str:
        first = self.statement.splitlines()[0]
        return f"{self.kind} {self.nth} in {self.module}.{self.function}: {first[:60]}"


def places(statement: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """What can be off in a statement, without the statements within it."""
    indices = {
        id(node)
        for each in ast.walk(statement)
        if isinstance(each, ast.Subscript | ast.keyword)
        for node in ast.walk(each.slice if isinstance(each, ast.Subscript) else each.value)
        if isinstance(each, ast.Subscript) or each.arg == "axis"
    }
    left: list[ast.AST] = [statement]
    while left:
        node = left.pop()
        left += [
            inner
            for inner in ast.iter_child_nodes(node)
            if not isinstance(inner, (*WORDING, ast.stmt, ast.arguments, ast.ExceptHandler))
        ]
        match node:
            case ast.BinOp(op=op) if type(op) in OPPOSITE:
                yield "sign", node
            case ast.UnaryOp(op=ast.USub()):
                yield "sign", node
            case ast.Compare(ops=[op]) if type(op) in OPPOSITE:
                yield "comparison", node
            case ast.Constant(value=value) if type(value) in (int, float):
                yield "index" if id(node) in indices else "constant", node


def broken(node: ast.expr) -> ast.expr:
    """The expression with the fault.

    >>> [ast.unparse(broken(ast.parse(text, mode="eval").body)) for text in ("a - b", "a < b", "2")]
    ['a + b', 'a <= b', '3']
    """
    match node:
        case ast.BinOp(left, op, right):
            return ast.BinOp(left, OPPOSITE[type(op)](), right)
        case ast.UnaryOp(operand=operand):
            return operand
        case ast.Compare(left, [op], rest):
            return ast.Compare(left, [OPPOSITE[type(op)]()], rest)
        case ast.Constant(value=int(value)):
            return ast.Constant(value + 1)
        case ast.Constant(value=float(value)):
            return ast.Constant(value * 1.5 + (value == 0))
    raise TypeError(f"nothing can be off in {ast.unparse(node)}")


def statements(tree: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    """All statements that compute something, each with the function or class that it is in."""

    def within(body: list[ast.stmt], name: str) -> Iterator[tuple[str, ast.stmt]]:
        for each in body:
            if isinstance(each, ast.FunctionDef | ast.ClassDef):
                yield from within(each.body, f"{name}.{each.name}".lstrip("."))
                continue
            if not isinstance(each, WORDING):
                yield name, each
            for field in ("body", "orelse", "finalbody"):
                yield from within(getattr(each, field, []), name)

    yield from within(tree.body, "")


def every_fault(root: Path, package: str) -> Iterator[tuple[Fault, Path, ast.expr]]:
    for path in sorted((root / package).rglob("*.py")):
        if "claims" in path.parts:
            continue
        module = ".".join(path.relative_to(root).with_suffix("").parts)
        for function, statement in statements(ast.parse(path.read_text(encoding="utf-8"))):
            count: Counter[str] = Counter()
            for kind, node in places(statement):
                source = ast.unparse(statement)
                if hasattr(statement, "body"):  # of a loop or a case: its head
                    source = source.partition("\n")[0]
                yield Fault(module, function, source, kind, count[kind]), path, node
                count[kind] += 1


def choose(root: Path, package: str, count: int, seed: int) -> list[Fault]:
    """As many of each kind, as far as that goes."""
    rng, kinds = random.Random(seed), {}
    for fault, _, _ in every_fault(root, package):
        kinds.setdefault(fault.kind, []).append(fault)
    return [
        fault
        for k, kind in enumerate(sorted(kinds))
        for fault in rng.sample(kinds[kind], (count + k) // len(kinds))
    ]


def find(root: Path, fault: Fault) -> tuple[Path, ast.expr] | None:
    """Where a fault is now: the same statement, or with other names in a function of that name."""
    best, where = SIMILAR, None
    for other, path, node in (*every_fault(root, "theory"), *every_fault(root, "sims")):
        if other[3:] != fault[3:]:
            continue
        here = other.function.rpartition(".")[2] == fault.function.rpartition(".")[2]
        if other.statement != fault.statement and not here:
            continue
        both = difflib.SequenceMatcher(None, other.statement, fault.statement)
        bonus = 0.1 * here + 0.01 * (other.module == fault.module)
        if both.real_quick_ratio() + bonus > best and (alike := both.ratio() + bonus) > best:
            best, where = alike, (path, node)
    return where


def planted(source: str, node: ast.expr) -> str:
    """The source with the fault in it."""
    lines = source.splitlines(keepends=True)
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    before = lines[first].encode()[: node.col_offset].decode()
    after = lines[last].encode()[node.end_col_offset :].decode()
    lines[first : last + 1] = [f"{before}({ast.unparse(broken(node))}){after}"]
    return "".join(lines)


def nearest_tests(root: Path, path: Path) -> list[str]:
    """The module's own examples, and the test files that name it or what it exports."""
    relative = path.relative_to(root)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    defined = {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    words = {f"{'.'.join(relative.with_suffix('').parts)}"} | {
        f"{name}(" for name in defined if not name.startswith("_")
    }
    files = sorted((root / "tests").rglob("test_*.py"))
    text = {file: file.read_text(encoding="utf-8") for file in files}
    hits = {file: sum(word in text[file] for word in words) for file in files}
    near = sorted((file for file in files if hits[file]), key=lambda f: -hits[f])
    return [str(relative), *(str(file.relative_to(root)) for file in near[:6])]


def caught(root: Path, tests: list[str], limit: float, workers: int) -> str | None:
    """The first test that fails, or what else goes wrong; None if all pass."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    if workers > 1:
        command += ["-n", str(workers)]
    try:
        done = subprocess.run(
            command,
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"not ended after {limit:.0f} s"
    if done.returncode in (0, 5):  # 5: there were no tests
        return None
    lines = [n for n in done.stdout.splitlines() if n.startswith(("FAILED", "ERROR"))]
    return lines[0][:120] if lines else (done.stderr or done.stdout).strip()[-120:]


def main(arguments: list[str] | None = None) -> int:
    parser = CommandParser(prog="python -m benchmarks.planted_faults", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--package", choices=("theory", "sims"), required=True)
    parser.add_argument("--count", type=positive, default=60, help="faults to choose (default 60)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--choose", type=Path, metavar="FILE", help="write the chosen faults there")
    parser.add_argument("--plant", type=Path, metavar="FILE", help="plant those of this file")
    parser.add_argument("--tree", type=Path, default=Path(), help="the checkout (default: here)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="go on from it, and write to it")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds for a run of tests")
    parser.add_argument("--workers", type=positive, default=2)
    parser.add_argument("--near", action="store_true", help="only tests that name the module")
    options = parser.parse_args(arguments)
    if options.choose:
        chosen = choose(options.tree, options.package, options.count, options.seed)
        options.choose.write_text(json.dumps(chosen, indent=1) + "\n", encoding="utf-8")
        return 0
    if options.plant:
        chosen = [Fault(*each) for each in json.loads(options.plant.read_text(encoding="utf-8"))]
    else:
        chosen = choose(options.tree, options.package, options.count, options.seed)
    known = {}
    if options.json and options.json.exists():
        known = json.loads(options.json.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "tree"
        ignored = shutil.ignore_patterns(".git", ".venv*", "out", "__pycache__")
        shutil.copytree(options.tree, root, ignore=ignored)
        for number, fault in enumerate(chosen):
            if str(number) in known:
                continue
            begun, place = time.monotonic(), find(root, fault)
            if place is None:
                known[str(number)] = "gone"
            else:
                path, node = place
                sound = path.read_text(encoding="utf-8")
                near = nearest_tests(root, path)
                path.write_text(planted(sound, node), encoding="utf-8")
                rounds = (
                    [near] if options.near else [near, [f"tests/{path.relative_to(root).parts[0]}"]]
                )
                found = (caught(root, tests, options.limit, options.workers) for tests in rounds)
                known[str(number)] = next(filter(None, found), "survives")
                path.write_text(sound, encoding="utf-8")
            seconds = time.monotonic() - begun
            print(f"{number:3} {fault}\n    {known[str(number)]} ({seconds:.0f} s)", flush=True)
            if options.json:
                options.json.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    survive = sum(result == "survives" for result in known.values())
    gone = sum(result == "gone" for result in known.values())
    print(f"{len(known) - survive - gone} found, {survive} survive, {gone} are no longer there")
    return 0


if __name__ == "__main__":
    sys.exit(main())
