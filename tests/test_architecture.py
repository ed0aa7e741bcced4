"""How the code hangs together: its imports, the array standard, paths, random numbers."""

import ast
import functools
import subprocess
import sys
from pathlib import Path

import array_api_strict
import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("theory", "sims", "figures")
LAYERS = {"theory": 0, "sims": 1, "figures": 2, "zeroloss": 3}


@functools.cache
def parsed(package):
    paths = sorted((ROOT / package).rglob("*.py"))
    assert paths
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def sources(*packages):
    """{path: syntax tree} of all modules of the packages."""
    return {path: tree for package in packages for path, tree in parsed(package).items()}


def where(path, node):
    return f"{path.relative_to(ROOT)}:{node.lineno}"


# (a) Only what the array API standard has


def standard_names(tree):
    """Every ``xp.name`` and ``xp.linalg.name``, as (dotted name, node)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            names, inner = [node.attr], node.value
            while isinstance(inner, ast.Attribute):
                names.append(inner.attr)
                inner = inner.value
            if isinstance(inner, ast.Name) and inner.id == "xp":
                yield ".".join(reversed(names)), node


def is_standard(name):
    namespace = array_api_strict
    for part in name.split("."):
        if not hasattr(namespace, part):
            return False
        namespace = getattr(namespace, part)
    return True


PLANTED = """
def f(x):
    xp = array_namespace(x)
    return xp.concatenate([xp.linalg.svd(x), xp.sum(x), xp.linalg.norm(x)])
"""


def test_the_scan_finds_names_that_are_not_in_the_standard():
    """It has concat instead of concatenate, and vector_norm and matrix_norm instead of norm."""
    found = {name for name, _ in standard_names(ast.parse(PLANTED))}
    assert found == {"concatenate", "linalg", "linalg.norm", "linalg.svd", "sum"}
    assert {name for name in found if not is_standard(name)} == {"concatenate", "linalg.norm"}


def test_numerical_code_uses_only_names_of_the_array_standard():
    used = [
        (name, where(path, node))
        for path, tree in sources("theory", "sims").items()
        for name, node in standard_names(tree)
    ]
    assert {"where", "take", "sum", "matmul"} <= {name for name, _ in used}
    assert [entry for entry in used if not is_standard(entry[0])] == []


# (b) Imports run one way


def imported(tree):
    """The top-level packages that are imported anywhere in a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import"
            assert node.module is not None
            yield node.module.split(".")[0], node


def upward(package, tree):
    return [
        (name, node)
        for name, node in imported(tree)
        if LAYERS.get(name, -1) > LAYERS[package] or name == "tests"
    ]


def test_the_scan_finds_imports_that_run_upward():
    tree = ast.parse(
        "import sims\ndef f():\n    from figures.files import g\nimport theory._core.exact"
    )
    assert [name for name, _ in upward("theory", tree)] == ["sims", "figures"]
    assert [name for name, _ in upward("sims", tree)] == ["figures"]
    assert upward("figures", tree) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_run_from_figures_to_sims_to_theory(package):
    wrong = [
        (name, where(path, node))
        for path, tree in sources(package).items()
        for name, node in upward(package, tree)
    ]
    assert wrong == []


def test_sims_and_figures_do_build_on_the_layer_below():
    """So that the test above is not about packages that import nothing."""
    for package, below in (("sims", "theory"), ("figures", "sims")):
        names = {name for tree in sources(package).values() for name, _ in imported(tree)}
        assert below in names


# (c) Rooms: the folders of a package, and the modules that lie beside them

ROOMS = {"theory": 17, "sims": 13}
LONGEST = 450


def room_of(module, rooms):
    """The folder of a module below its package, or the module itself beside the folders.

    >>> room_of("theory.loss.forward", {"theory.loss"}), room_of("theory", {"theory.loss"})
    ('theory.loss', None)
    """
    while module and module not in rooms:
        module = module.rpartition(".")[0]
    return module or None


def modules_named(tree):
    """The modules that may be meant by the imports of a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((f"{node.module}.{alias.name}", node) for alias in node.names)


def ways_between(rooms, files):
    """{room: {rooms that it imports: where}} of files, given as {path: syntax tree}.

    A folder within a folder is a room of its own. What the package itself exports is no room: all
    may import it from there.
    """
    found = {}
    for path, tree in files.items():
        module = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
        here = room_of(module, rooms)
        for name, node in modules_named(tree):
            there = room_of(name, rooms)
            if here and there and here != there:
                found.setdefault(here, {}).setdefault(there, f"{path}:{node.lineno}")
    return found


def circles(ways):
    """The rooms from which imports lead back to them."""
    return sorted(room for room in ways if room in closure(ways, room))


def closure(ways, room):
    seen, left = set(), [room]
    while left:
        new = set(ways.get(left.pop(), {})) - seen
        seen |= new
        left += new
    return seen


def rooms_of(package):
    paths = [path.relative_to(ROOT) for path in parsed(package)]
    folders = {".".join(path.parent.parts) for path in paths} - {package}
    return folders | {f"{package}.{path.stem}" for path in paths if len(path.parts) == 2}


def test_the_scan_finds_circles():
    rooms = {"theory.a", "theory.b", "theory.b.kit", "theory.c", "theory.errors"}
    sources = {
        "theory/a/one.py": "from theory.b import two\nfrom theory.errors import InvalidInput",
        "theory/b/two.py": "def f():\n    from theory.c.three import g\nfrom theory.b.kit import h",
        "theory/b/kit/four.py": "from theory.errors import TooLarge",
        "theory/c/three.py": "import theory.a.one",
    }
    files = {Path(name): ast.parse(text) for name, text in sources.items()}
    ways = ways_between(rooms, files)
    assert {room: set(there) for room, there in ways.items()} == {
        "theory.a": {"theory.b", "theory.errors"},
        "theory.b": {"theory.b.kit", "theory.c"},
        "theory.b.kit": {"theory.errors"},
        "theory.c": {"theory.a"},
    }
    assert circles(ways) == ["theory.a", "theory.b", "theory.c"]
    del files[Path("theory/c/three.py")]
    assert circles(ways_between(rooms, files)) == []


@pytest.mark.parametrize("package", ROOMS)
def test_imports_between_rooms_run_one_way(package):
    files = {path.relative_to(ROOT): tree for path, tree in parsed(package).items()}
    ways = ways_between(rooms_of(package), files)
    assert len(ways) > 8
    assert {room: ways[room] for room in circles(ways)} == {}


def test_modules_of_the_kit_of_claims_import_one_way():
    files = {path.relative_to(ROOT): tree for path, tree in parsed("theory").items()}
    kit = {path: tree for path, tree in files.items() if path.parts[1:3] == ("claims", "kit")}
    ways = ways_between({".".join(path.with_suffix("").parts) for path in kit}, kit)
    assert len(ways) > 5
    assert circles(ways) == []


@pytest.mark.parametrize("package", ROOMS)
def test_a_package_has_few_rooms(package):
    entries = {path.relative_to(ROOT / package).parts[0] for path in parsed(package)}
    assert len(entries - {"__init__.py", "__main__.py"}) <= ROOMS[package]


@pytest.mark.parametrize("package", ROOMS)
def test_no_module_is_long(package):
    lines = {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8").count("\n")
        for path in parsed(package)
    }
    assert {name: count for name, count in lines.items() if count > LONGEST} == {}


# (d) What is loaded


def run(*code):
    command = [sys.executable, "-W", "error", "-c", "; ".join(code)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


LOADED = "import sys; print(*{name.split('.')[0] for name in sys.modules})"
HEAVY = {"sympy", "matplotlib", "hypothesis", "scipy", "rich", "cupy", "pytest"}


def test_importing_theory_loads_nothing_heavy():
    loaded = set(run("import theory", LOADED))
    assert {"theory", "numpy"} <= loaded
    assert loaded & HEAVY == set()


def test_predictions_and_entropies_in_floats_load_nothing_heavy():
    loaded = run(
        "from theory import MASK, gallery, information",
        "p = gallery.permutations(4)",
        "p.denoise([0, MASK, MASK, MASK])",
        "information.profile(p, base=2)",
        LOADED,
    )
    assert set(loaded) & HEAVY == set()


def test_exact_predictions_and_entropies_of_small_numbers_load_nothing_heavy():
    loaded = run(
        "from theory import MASK, gallery, information",
        "p = gallery.permutations(4, exact=True)",
        "p.denoise([0, MASK, MASK, MASK])",
        "float(information.total_correlation(p))",
        LOADED,
    )
    assert set(loaded) & HEAVY == set()


def test_importing_sims_loads_nothing_heavy():
    assert set(run("import sims", LOADED)) & HEAVY == set()


def test_strategies_and_claims_are_loaded_when_they_are_used():
    """And by attribute, without an import of their own."""
    assert "hypothesis" in run("import theory; theory.strategies.joint_tables()", LOADED)
    assert "theory" in run("import theory; theory.claims.CLAIMS", LOADED)
    assert run(
        "import theory",
        "print(getattr(theory, 'nothing', 'none'))",
    ) == ["none"]


# (e) No paths of one machine


def tracked_files():
    """What git tracks or would track."""
    try:
        done = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        pytest.skip("needs git")
    if done.returncode != 0:
        pytest.skip("not in a git checkout")
    files = [ROOT / name for name in done.stdout.split("\0") if name]
    return [path for path in files if path.is_file()]  # a removed file is listed until committed


# Put together here, so that this file does not hold them itself.
NEEDLES = [
    b"/" + b"work/",
    b"/" + b"tmp/",
    b"/" + b"home/",
    b"/" + b"root/",
    b".." + b"/shared",
    b"C:" + b"\\",
]


def mentions(content):
    return [needle.decode() for needle in NEEDLES if needle in content]


def test_the_scan_finds_paths():
    for needle in NEEDLES:
        assert mentions(b"open('" + needle + b"x')") == [needle.decode()]
    assert mentions(Path(__file__).read_bytes()) == []


def test_no_file_mentions_a_path_of_one_machine():
    files = tracked_files()
    assert Path(__file__).resolve() in files
    found = {
        str(path.relative_to(ROOT)): needles
        for path in files
        # three bytes of a compressed picture are such a path by chance
        if path.suffix != ".png" and (needles := mentions(path.read_bytes()))
    }
    assert found == {}


# (f) Random numbers come in by an argument

RANDOM_TYPES = {"Generator", "BitGenerator", "SeedSequence"}
RANDOM_MODULES = {"random", "numpy.random"}


def random_numbers(tree, seeded_allowed=False):
    """Where a module uses a global generator or makes its own: the nodes.

    That is ``np.random.x`` other than types, ``default_rng``, and imports of a random module.
    With `seeded_allowed`, ``default_rng`` with an argument does not count.
    """
    seeded = {
        call.func
        for call in ast.walk(tree)
        if seeded_allowed and isinstance(call, ast.Call) and (call.args or call.keywords)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr="default_rng") | ast.Name(id="default_rng"):
                if node not in seeded:
                    yield node
            case ast.Attribute(value=ast.Attribute(attr="random"), attr=name):
                if name not in RANDOM_TYPES:
                    yield node
            case ast.Import(names=names):
                if RANDOM_MODULES & {alias.name for alias in names}:
                    yield node
            case ast.ImportFrom(module=module):
                if module in RANDOM_MODULES:
                    yield node


RANDOM = '''
import random
from numpy.random import default_rng

def f(rng: np.random.Generator):
    """f(np.random.default_rng(0))"""
    np.random.seed(0)
    np.random.default_rng()
    np.random.default_rng(0)
    return rng.random(3)
'''


def test_the_scan_finds_random_numbers():
    """And not the docstring, the type, or the use of a generator."""
    tree = ast.parse(RANDOM)
    assert [node.lineno for node in random_numbers(tree)] == [2, 3, 7, 8, 9]
    assert [node.lineno for node in random_numbers(tree, seeded_allowed=True)] == [2, 3, 7, 8]


SEEDED = {"__main__.py", "cases.py", "e6_imperfect_denoisers.py"}


@pytest.mark.parametrize("package", PACKAGES)
def test_no_code_makes_random_numbers_of_its_own(package):
    """Generators are handed in; figures, commands, sweeps and a claim may make one from a seed."""
    found = [
        where(path, node)
        for path, tree in sources(package).items()
        for node in random_numbers(tree, seeded_allowed=package == "figures" or path.name in SEEDED)
    ]
    assert found == []
