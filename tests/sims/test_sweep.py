"""Sweeps: the same numbers wherever, in whatever order and after however many interruptions."""

import argparse
import contextlib
import itertools
import json
import math
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import types
from concurrent.futures import (
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from fractions import Fraction
from importlib import import_module
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from sims.sweep import cases as sweep_cases
from sims.sweep import log_file as sweep_file
from sims.sweep.code import code_of
from sims.sweep.sweep import (
    Results,
    add_arguments,
    from_arguments,
    generator,
    grid,
    sweep,
)
from tests.noted import each, refusals
from tests.sims.printed import strict
from theory._console import executors, tasks
from theory._console.executors import executor_for
from theory._core.log_numbers import LinearForm
from theory.errors import InvalidInput

sweep_module = import_module("sims.sweep.sweep")

# Experiments: at the top level, so that other processes can import them


def walk(rng, steps, p=0.5, name=""):
    """Where a random walk ends, and its path."""
    path = np.where(rng.random(steps) < p, 1, -1).cumsum()
    return {"end": path[-1], "path": path, "noise": rng.normal(), "named": f"{name}{steps}"}


def echo(rng, **case):
    return {f"{name}_again": value for name, value in case.items()}


def awkward(rng, what) -> Any:
    """Fails in many ways, or not at all."""
    match what:
        case "divide":
            return {"y": 1 / 0}
        case "exit":
            sys.exit("no more")
        case "no dict":
            return 3
        case "complex":
            return {"y": 1j}
        case "fraction":
            return {"y": Fraction(1, 3)}
        case "nested":
            return {"y": {"z": 1}}
        case "parameter":
            return {"what": 1}
        case "number for a name":
            return {1: 1}
        case "digits":
            return {"y": 10**5000}
    return {"y": len(what)}


class Noted(list):
    """What is noted about a run, and no constant of the code."""


calls = Noted()
"""Cases that `counted` was run on in this process."""


class Broken(set):
    """As above."""


broken_cases = Broken()
"""Cases that it fails on."""


def counted(rng, k):
    calls.append(k)
    if k in broken_cases:
        raise RuntimeError(f"{k} is broken")
    return {"draw": rng.random(), "nothing": math.nan}


def threads_of(rng, k):
    return {name: os.environ.get(name) for name in executors.THREADS}


def dies(rng, k, file):
    """The third of four, when the file has its first line and those of the others."""
    for _ in range(6000):
        if k != 2:
            return {"y": k}
        if len(Path(file).read_text().splitlines()) == 4:
            break
        time.sleep(0.01)
    os._exit(3)


def slow(rng, seconds):
    time.sleep(seconds)
    return {}


GATE = threading.Event()


def gated(rng, k):
    assert GATE.wait(60)
    return {}


@pytest.fixture(autouse=True)
def _forget():
    calls.clear()
    broken_cases.clear()


# Executors


class Shuffled(Executor):
    """Runs what it was given in another order, once it has been given everything."""

    def __init__(self, count, seed):
        self.order = np.random.default_rng(seed).permutation(count)
        self.given = []

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        self.given.append((future, fn, args))
        if len(self.given) == len(self.order):
            for k in self.order:
                done, fn, args = self.given[k]
                done.set_result(fn(*args))
        return future


class Interrupted(executors.InProcess):
    """The in-process executor, until Ctrl-C."""

    def __init__(self, after):
        self.left = after

    def submit(self, fn, /, *args, **kwargs):
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1
        return super().submit(fn, *args, **kwargs)


WALKS = [*grid(steps=(1, 5), p=(0.25, 1), name=("α", "b")), *grid(steps=(7, 8, 9))]


def by_hand(cases, seed=0):
    """Rows of `walk` without a sweep."""
    rows = []
    for case in cases:
        results = walk(generator(seed, case), **case)
        results |= {"end": int(results["end"]), "path": tuple(results["path"].tolist())}
        rows.append(case | results)
    return tuple(rows)


@pytest.fixture
def scheduler():
    """Address of a Dask cluster of two workers, in threads of this process, on localhost.

    It is there for one test only: its threads draw from the global random numbers, of which
    Hypothesis complains.
    """
    from distributed import LocalCluster

    cluster: Any = LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=False,
        protocol="tcp",
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
    )
    with cluster:
        assert cluster.scheduler_address.startswith("tcp://127.0.0.1:")
        yield cluster.scheduler_address


def options(*arguments):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args([str(argument) for argument in arguments])


# The same numbers


def test_in_this_process():
    rows = sweep(walk, WALKS).rows
    assert rows == by_hand(WALKS)
    assert [next(iter(row)) for row in rows] == ["steps"] * len(WALKS)
    assert len({row["noise"] for row in rows}) == len(WALKS)
    assert sweep(walk, WALKS, seed=1).rows == by_hand(WALKS, 1)
    assert sweep(walk, WALKS, seed=1).rows != rows
    assert sweep(walk, WALKS[::-1]).rows == rows[::-1]
    with ThreadPoolExecutor(3) as executor:
        assert sweep(walk, WALKS, executor=executor).rows == rows


def test_in_other_processes(tmp_path, monkeypatch):
    for name in executors.THREADS:
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "walks"
    with from_arguments(options("--workers", 2, "--state", file)) as run:
        assert run(walk, WALKS, seed=3).rows == by_hand(WALKS, 3)
        rows = sweep(threads_of, grid(k=(1, 2)), executor=run.keywords["executor"]).rows
    assert [row["OPENBLAS_NUM_THREADS"] for row in rows] == ["1", "1"]
    assert not any(name in os.environ for name in executors.THREADS)
    assert sweep(walk, WALKS, seed=3, file=file, executor=Interrupted(0)).rows == by_hand(WALKS, 3)


def test_on_a_cluster(tmp_path, scheduler):
    file = tmp_path / "walks"
    with from_arguments(options("--scheduler", scheduler, "--state", file)) as run:
        assert run(walk, WALKS, seed=3).rows == by_hand(WALKS, 3)
        failed = sweep(awkward, grid(what=("divide", "")), executor=run.keywords["executor"]).failed
    assert [str(failure) for failure in failed] == [
        "what='divide': ZeroDivisionError: division by zero"
    ]
    assert sweep(walk, WALKS, seed=3, file=file, executor=Interrupted(0)).rows == by_hand(WALKS, 3)


def test_the_generator_depends_on_values_types_and_the_seed():
    def draws(seed, **case):
        return generator(seed, case).random(4).tolist()

    different = [draws(0), draws(0, x=1), draws(0, x=1.0), draws(0, x=True), draws(0, x="1")]
    different += [draws(1), draws(1, x=1), draws(0, y=1), draws(0, x=(1,)), draws(0, x=None)]
    assert len(set(map(tuple, different))) == len(different)
    assert draws(0, x=[1, np.int64(2)]) == draws(0, x=(1, 2)) == draws(0, x=np.array([1, 2]))
    assert draws(0, x=math.nan) == draws(0, x=np.float64("nan"))
    with pytest.raises(InvalidInput, match="seed must be an integer"):
        generator(-1, {})


def test_the_seeds_of_earlier_releases():
    r"""SHA-256 of ``[7,{"length": 4, "p": 0.1, "policy": "\u03b1"}]``, as sha256sum has it."""
    digest = "96921a82948904dd85633ec2fbe70d7cddaf97b95975205e729a6a75c71fd4d4"
    expected = np.random.default_rng(int(digest, 16)).random()
    assert generator(7, {"policy": "α", "p": 0.1, "length": 4}).random() == expected


# Interruptions


KS = st.lists(st.integers(0, 4), unique=True)
"""Cases of a sweep, in some order."""

PART = st.sampled_from([0, 0.5, 1])
"""Of a line: nothing, half, or all but its end."""


class Interruptions(RuleBasedStateMachine):
    """Sweeps of `counted` on one file, stopped in every way, beside a list of the file's lines."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.file = Path(self.folder.name) / "state"
        self.lines: list[tuple[int, bool]] = []  # a case, and whether it went well
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(os, "fsync", lambda file: None)  # which takes most of the time

    def teardown(self):
        self.patch.undo()
        self.folder.cleanup()

    def left(self, ks):
        known = dict(self.lines)
        return [k for k in ks if not known.get(k)]  # failures are tried again

    def sweep(self, ks, ran, stop=None, executor=None, in_order=True):
        """Sweep these cases, of which the first so many are run before it stops."""
        calls.clear()
        expected = [(k, k not in broken_cases) for k in self.left(ks)[:ran]]
        with pytest.raises(stop) if stop else contextlib.nullcontext():
            results = sweep(counted, grid(k=ks), file=self.file, executor=executor)
            known = dict(self.lines + expected)
            rows = [{"k": k, "draw": generator(0, {"k": k}).random()} for k in ks if known[k]]
            assert [{"k": row["k"], "draw": row["draw"]} for row in results.rows] == rows
            assert [f.case["k"] for f in results.failed] == [k for k in ks if not known[k]]
        content = self.file.read_bytes()
        whole = content[: content.rfind(b"\n")]  # what was cut off stays until more is written
        records = [json.loads(line) for line in whole.splitlines()[1:]]
        found = [(record["case"]["k"], "results" in record) for record in records]
        new = found[len(self.lines) :]
        assert found[: len(self.lines)] == self.lines
        assert (new if in_order else sorted(new)) == (expected if in_order else sorted(expected))
        self.lines = found

    @rule(ks=KS, broken=st.sets(st.integers(0, 4), max_size=2))
    def to_the_end(self, ks, broken):
        broken_cases.clear()
        broken_cases.update(broken)
        left = self.left(ks)
        self.sweep(ks, len(left))
        assert calls == left

    @rule(ks=KS, after=st.integers(0, 4))
    def interrupted(self, ks, after):
        left = self.left(ks)
        self.sweep(ks, after, KeyboardInterrupt if after < len(left) else None, Interrupted(after))
        assert calls == left[:after]

    @rule(ks=KS, seed=st.integers(0, 9), stops=st.booleans())
    def in_any_order(self, ks, seed, stops):
        """And it may be stopped while the first is written, when all have finished."""
        left = self.left(ks)
        stop = KeyboardInterrupt if stops and left else None

        def stopping(log, record):
            patch.undo()
            raise KeyboardInterrupt

        with pytest.MonkeyPatch.context() as patch:
            if stop:
                patch.setattr(sweep_file.Log, "write", stopping)
            self.sweep(ks, len(left), stop, Shuffled(len(left), seed), in_order=False)

    @rule(ks=KS, part=PART)
    def on_a_full_disk(self, ks, part):
        """Of the first line a part is written, then nothing."""

        def full(log, line):
            log.file.truncate(log.end)
            log.file.write(line[: int(part * (len(line) - 1))].encode())
            raise OSError("no space left")

        if self.lines and self.left(ks):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(sweep_file.Log, "_append", full)
                self.sweep(ks, 0, OSError, in_order=False)

    @rule(line=st.integers(0, 6), part=PART)
    def cut_off(self, line, part):
        if self.file.exists():
            lines = [*self.file.read_bytes().splitlines(keepends=True), b""][: line + 1]
            lines[-1] = lines[-1][: int(part * (len(lines[-1]) - 1))]
            self.file.write_bytes(b"".join(lines))
            self.lines = self.lines[: max(len(lines) - 2, 0)]


test_interruptions = Interruptions.TestCase
test_interruptions.settings = settings(max_examples=60, stateful_step_count=8, deadline=None)


def test_an_interruption_ends_the_workers(monkeypatch):
    """One case is done, another would take a minute."""
    write = sweep_file.Log.write

    def stopping(self, record):
        write(self, record)
        raise KeyboardInterrupt

    monkeypatch.setattr(sweep_file.Log, "write", stopping)
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt), executor_for(workers=2) as executor:
        sweep(slow, grid(seconds=(0, 60)), executor=executor)
    assert time.monotonic() - start < 30


def test_workers_end_with_the_process_that_started_them():
    """They hold its standard output: this test goes on when they have closed it."""
    code = (
        "import os; from theory._console.executors import executor_for\n"
        "with executor_for(workers=1) as executor:\n"
        "    print(executor.submit(os.getpid).result(), flush=True); os._exit(5)"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, timeout=60)
    assert (done.returncode, int(done.stdout) > 0) == (5, True)


def test_a_worker_that_is_killed(tmp_path):
    file = tmp_path / "state"
    cases = grid(k=range(4), file=(str(file),))
    with executor_for(workers=2) as executor:
        with pytest.raises(BrokenExecutor) as broken:
            sweep(dies, cases, file=file, executor=executor)
        assert sweep(dies, cases[:1], executor=executor).column("y").tolist() == [0]
    message = str(broken.value)
    assert f"3 of 4 cases had finished and are in {file}." in message
    assert message.endswith(f"The first that had not:\n  file={str(file)!r} k=2")
    others = [case for case in cases if case["k"] != 2]
    rows = sweep(dies, others, file=file, executor=Interrupted(0)).rows
    assert [row["y"] for row in rows] == [0, 1, 3]


KilledWorker = type("KilledWorker", (Exception,), {"__module__": "distributed.scheduler"})


@pytest.mark.parametrize("error", [KilledWorker, CancelledError, BrokenExecutor])
@pytest.mark.parametrize("losses", [1, 2, 3])
def test_a_lost_worker_is_no_failed_case(losses, error, tmp_path):
    """Case 1 is lost so many times: it is run three times, the last two beside no other."""

    class Losing(executors.InProcess):
        runs: ClassVar[list[int]] = []

        def submit(self, fn, /, *args, **kwargs):
            k = json.loads(args[0])["k"]
            self.runs.append(k)
            if k == 1 and self.runs.count(1) <= losses:
                future = Future()
                future.set_exception(error("from inside"))
                return future
            return super().submit(fn, *args, **kwargs)

    file = tmp_path / "state"
    lost = pytest.raises(BrokenExecutor, match=r"3 of 4 cases had [\s\S]*not:\n  k=1$")
    with lost if losses == 3 else contextlib.nullcontext():
        assert len(sweep(counted, grid(k=range(4)), file=file, executor=Losing()).rows) == 4
    assert Losing.runs == [0, 1, 2, 3, *[1] * min(losses, 2)]
    assert "from inside" not in file.read_text()
    rows = sweep(counted, grid(k=range(4)), file=file).rows
    assert [row["draw"] for row in rows] == [generator(0, {"k": k}).random() for k in range(4)]


@pytest.mark.parametrize("answer", [{}, OSError("closed")])
def test_a_cluster_without_workers_is_not_waited_for(answer, monkeypatch):
    """Before it has any it is; a scheduler that does not answer counts as none."""
    monkeypatch.setattr(executors, "PATIENCE", 0.05)
    monkeypatch.setattr(executors, "POLL", 0.01)
    answers = iter([{}] * 20 + [{"tcp://worker": 1}])
    asked = threading.Event()

    class Client:
        scheduler = types.SimpleNamespace(ncores=None)

        def get_executor(self, pure):
            return types.SimpleNamespace(submit=lambda *args: Future())

        def sync(self, ncores, callback_timeout):
            if threading.current_thread() is not threading.main_thread():
                asked.wait(60)
            found = next(answers, answer)
            if isinstance(found, OSError):
                raise found
            return found

    executor = executors._Watched(Client())
    submitted = executor.submit(counted, 0)
    asked.set()
    with pytest.raises(BrokenExecutor, match="0 of 3 cases had finished") as broken:
        sweep(counted, grid(k=range(3)), executor=executor)
    why = "have gone" if answer == {} else "does not answer"
    assert why in str(broken.value)
    assert next(answers, None) is None  # it was waited for the first worker
    assert isinstance(submitted.exception(), BrokenExecutor)
    with pytest.raises(BrokenExecutor, match=why):
        executor.submit(counted, 0)


class Answering(Executor):
    """Every future has ended like this one."""

    def __init__(self, error):
        self.error = error

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        if self.error is CancelledError:
            future.cancel()
        else:
            future.set_exception(self.error())
        return future


def test_a_cluster_that_goes_away_and_an_interrupted_worker(tmp_path):
    """Ctrl-C reaches the workers of a pool too: that is no failure of their case."""
    file = tmp_path / "state"
    with pytest.raises(BrokenExecutor, match="0 of 20 cases had finished") as broken:
        sweep(counted, grid(k=range(20)), executor=Answering(CancelledError))
    named = "".join(f"\n  k={k}" for k in range(8))
    assert str(broken.value).endswith("The first that had not:" + named)
    with pytest.raises(KeyboardInterrupt):
        sweep(counted, grid(k=range(3)), file=file, executor=Answering(KeyboardInterrupt))
    assert len(file.read_text().splitlines()) == 1


# Failures


AWKWARD = {
    "divide": "ZeroDivisionError: division by zero",
    "exit": "SystemExit: no more",
    "no dict": "InvalidInput: an experiment must return a dict of results, got 3",
    "complex": "y must be a number, a string, None or a list of these, got 1j of type complex",
    "nested": "got {'z': 1} of type dict",
    "parameter": "what is a parameter and cannot be a result as well",
    "number for a name": "names must be strings, got 1",
}


def test_failing_cases_are_reported_and_stop_nothing(tmp_path):
    file = tmp_path / "state"
    cases = grid(what=("a", *AWKWARD, "bc"))
    results = sweep(awkward, cases, file=file)
    assert [row["y"] for row in results.rows] == [1, 2]
    assert repr(results) == "<Results: 2 rows, 7 failed>"
    assert [failure.case for failure in results.failed] == cases[1:-1]
    for failure in results.failed:
        what = failure.case["what"]
        assert AWKWARD[what] in failure.error
        assert str(failure) == f"what={what!r}: {failure.error}"
        assert "Traceback" in failure.traceback
        assert "sweep" in failure.traceback
    assert "1 / 0" in results.failed[0].traceback
    wrong = sweep(walk, [{"stpes": 3}]).failed
    assert "unexpected keyword argument 'stpes'" in wrong[0].error
    missing = str(sweep(awkward, [{}]).failed[0])
    assert missing.startswith("no parameters: TypeError: awkward() missing 1 required")


# Values

HUGE = 10**5000 + 1
PLAIN = [
    (np.int8(-3), -3),
    (np.uint64(2**64 - 1), 2**64 - 1),
    (np.float32(0.1), float(np.float32(0.1))),
    (np.longdouble(0.5), 0.5),
    (np.float64(0.1), 0.1),
    (np.bool_(True), True),
    (np.str_("ä"), "ä"),
    (np.array(2.5), 2.5),
    (np.arange(4).reshape(2, 2), ((0, 1), (2, 3))),
    ([1, [2.0, (None, "x")]], (1, (2.0, (None, "x")))),
    ((math.nan, math.inf, -math.inf, -0.0, 5e-324), (math.nan, math.inf, -math.inf, -0.0, 5e-324)),
    (Fraction(-1, 3), Fraction(-1, 3)),
    ([LinearForm({2: 3, 5: -1}, 2)], (LinearForm({2: 3, 5: -1}, 2),)),
    (LinearForm({1: 7}, 2), LinearForm({1: 7}, 2)),
    ("\ud800\n\r\u2028", "\ud800\n\r\u2028"),
    ((None, ()), (None, ())),
]


@each(("value", "plain"), PLAIN)
def test_values_come_back_in_plain_types(value, plain):
    """And through JSON that others read."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "state"
        for executor in (None, Interrupted(0)):  # run, and read again
            (row,) = sweep(echo, [{"x": value}], file=file, executor=executor).rows
            assert repr(row) == repr({"x": plain, "x_again": plain})  # types and signs too
        lines = file.read_text(encoding="ascii").splitlines()
    assert len(lines) == 2
    for line in lines:
        strict(line)


def test_huge_and_exact_results_are_kept(tmp_path):
    file, values = tmp_path / "state", (-HUGE, Fraction(1, HUGE), LinearForm({1: 1, HUGE: 2}, 3))
    for executor in (None, Interrupted(0)):
        (row,) = sweep(echo, [{"x": values}], file=file, executor=executor).rows
        assert row["x_again"] == values
    strict(file.read_text().splitlines()[1])


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda entry: st.lists(entry, max_size=3).map(tuple),
    max_leaves=5,
)


@settings(max_examples=50)
@given(st.dictionaries(st.text(max_size=3), VALUES, max_size=4))
def test_cases_survive_json(case):
    key = sweep_cases.key_of(case)
    back = sweep_cases.read(json.loads(key))
    assert back == case
    assert sweep_cases.key_of(back) == key
    assert sweep_cases.key_of(dict(reversed(case.items()))) == key
    assert sweep_cases.read(sweep_cases.written(case)) == case


def test_no_cases_at_all(tmp_path):
    file = tmp_path / "state"
    results = sweep(echo, [], file=file)
    assert (results.rows, results.failed) == ((), ())
    assert results.column("x").shape == (0,)
    assert results.mean(of="x", by="y") == ()
    assert len(file.read_text().splitlines()) == 1
    assert sweep(echo, iter([{"x": 1}]), file=file).column("x_again").tolist() == [1]
    assert sweep(echo, grid()).rows == ({},)


def test_grids():
    assert grid() == [{}]
    assert grid(a=range(2), b=np.array([0.5, 1]), c=["x"]) == [
        {"a": a, "b": b, "c": "x"} for a, b in itertools.product((0, 1), (0.5, 1.0))
    ]
    assert len(sweep(echo, [{"a": 1}, {"a": 1.0}, {"a": True}, {"a": "1"}]).rows) == 4


NO_VALUES = [object(), 1j, {1}, {}, b"x", np.complex128(1)]
TWICE = [
    [{"a": 1, "b": 2}, {"b": 2, "a": 1}],
    [{"a": (1, 2)}, {"a": [1, 2]}],
    [{"a": math.nan}, {"a": np.float64("nan")}],
    [{}, {}],
]
FILE = Path("never/made")
NO_EXPERIMENTS: list[Any] = [lambda rng: {}, 3, None, types.SimpleNamespace()]


def opened(**options):
    with executor_for(**options):
        pass


def test_what_is_refused_leaves_no_file(tmp_path):
    file = tmp_path / "state"
    for cases, message in (
        *(([{"x": 1}, {"x": value}], "x must be a number, a string") for value in NO_VALUES),
        *(([{"x": 1}, {"x": [1, (value,)]}], "x must be a number") for value in NO_VALUES),
        *(([{"other": 1}, *twice], "is there twice") for twice in TWICE),
    ):
        with pytest.raises(InvalidInput, match=message):
            sweep(echo, cases, file=file)
        assert not file.exists()


test_refusals = refusals(
    ("a case must be a dict of parameters, got 3", lambda case: sweep(echo, [case]), [3]),
    ("names must be strings, got 3", lambda case: sweep(echo, [case]), [{3: 3}]),
    ("seed must be an integer of at least 0, got -1", lambda: sweep(echo, [], seed=-1)),
    ("must be a sequence of values", lambda v: grid(policy=v), ["TopK", 3, None, b"x"]),
    ("a function at the top level of a module", lambda f: sweep(f, []), NO_EXPERIMENTS),
    ("cannot be opened", lambda file: sweep(echo, [], file=file), [Path(), FILE]),
    ("not both", lambda: opened(workers=2, scheduler="tcp://127.0.0.1:1")),
    ("workers must be an integer of at least 1, got {}", lambda n: opened(workers=n), [0, 1.5]),
)


# Experiments


def test_experiments_that_other_processes_cannot_import(monkeypatch):
    monkeypatch.setattr(walk, "__qualname__", "nowhere")
    with (
        ProcessPoolExecutor() as executor,  # no process is started
        pytest.raises(InvalidInput, match=r"other processes cannot import .*nowhere"),
    ):
        sweep(walk, WALKS, executor=executor)


def test_a_module_that_is_run_goes_by_its_name(monkeypatch):
    main = types.ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", main)
    monkeypatch.setattr(walk, "__module__", "__main__")
    assert sweep_module._name(walk) == "__main__:walk"
    main.__spec__ = ModuleSpec("sims.walks", None)
    assert sweep_module._name(walk) == "sims.walks:walk"


@pytest.mark.parametrize("ahead", [1, 3, 20])
def test_few_cases_wait_at_a_time(ahead, monkeypatch):
    """None is let through before as many wait as may."""

    class Watching(ThreadPoolExecutor):
        most = 0
        waiting: tuple[Future, ...] = ()

        def submit(self, fn, /, *args, **kwargs):
            future = super().submit(fn, *args, **kwargs)
            self.waiting = (*(other for other in self.waiting if not other.done()), future)
            self.most = max(self.most, len(self.waiting))
            if len(self.waiting) == ahead:
                GATE.set()
            return future

    GATE.clear()
    monkeypatch.setattr(tasks, "MAX_AHEAD", ahead)
    with Watching(4) as executor:
        assert len(sweep(gated, grid(k=range(20)), executor=executor).rows) == 20
    assert executor.most == ahead


# Files


def test_files_of_other_sweeps_are_left_as_they_are(tmp_path):
    file = tmp_path / "state"
    sweep(walk, WALKS, file=file, seed=1)
    content = file.read_bytes()
    with pytest.raises(InvalidInput, match="is of seed 1, not of 2"):
        sweep(walk, WALKS, file=file, seed=2)
    with pytest.raises(InvalidInput, match=r"is of experiment .*:walk, not of .*:echo"):
        sweep(echo, WALKS, file=file, seed=1)
    assert file.read_bytes() == content
    newer = content.replace(b'"version": 1', b'"version": 2')
    file.write_bytes(newer)
    with pytest.raises(InvalidInput, match="is of version 2, not of 1"):
        sweep(walk, WALKS, file=file, seed=1)
    assert file.read_bytes() == newer


@each("content", [b"x", b"\n", b"{}\n", b"[]\n", b"3", b"\xff\xfe\n"])
def test_files_of_something_else_are_left_as_they_are(content, tmp_path):
    file = tmp_path / "state"
    file.write_bytes(content)
    with pytest.raises(InvalidInput, match="is no file of a sweep"):
        sweep(walk, WALKS, file=file)
    assert file.read_bytes() == content


DAMAGED = [
    "",
    "x",
    "3",
    "[]",
    "{}",
    '{"case": 3, "results": {}}',
    '{"case": {"a": {}}, "results": {}}',
]
DAMAGED += ['{"case": {}, "results": 3}', '{"case": {}, "error": "x"}', '{"case": {}}']


@each("line", DAMAGED)
def test_a_damaged_line_is_named(line, tmp_path):
    file = tmp_path / "state"
    file.unlink(missing_ok=True)
    sweep(counted, grid(k=range(2)), file=file)
    first, second, third = file.read_text().splitlines(keepends=True)
    content = f"{first}{second}{line}\n{third}"
    file.write_text(content)
    with pytest.raises(InvalidInput, match=r"line 3 of .*state is no case of a sweep"):
        sweep(counted, grid(k=range(2)), file=file)
    assert file.read_text() == content


@pytest.mark.parametrize("line", ["x", "3", "\0\0\0", '{"case": {"k": 1}}'])
def test_a_senseless_last_line_is_set_aside(line, tmp_path):
    """Its case is run again, and nothing of the file is lost."""
    file = tmp_path / "state"
    sweep(counted, grid(k=range(2)), file=file)
    content = file.read_text()
    kept = "".join(content.splitlines(keepends=True)[:2])
    file.write_text(f"{kept}{line}\n")
    with pytest.warns(RuntimeWarning, match=r"line 3 of .*state is no case .* moved to .*aside"):
        assert len(sweep(counted, grid(k=range(2)), file=file).rows) == 2
    assert calls == [0, 1, 1]
    assert file.read_text() == content
    assert (tmp_path / "state.aside").read_text() == f"{line}\n"


# Code


STEP = """
import math
from fractions import Fraction
RATE, TABLE = Fraction(1, 3), {"a": [1, 2]}
def helper(x, y=2):
    return x + y + TABLE["a"][0]
class Model:
    scale = 3
    def run(self, x):
        return helper(x) * self.scale
unused = 1
def experiment(rng, x):  # a comment
    inner = [Model().run(k) for k in range(x)]
    return {"y": sum(inner) + RATE + math.pi}
"""


def source_of(text):
    space = {"__name__": __name__}
    exec(text, space)
    return code_of(space["experiment"])["source"]


@each(
    ("old", "new", "other"),
    [
        ("Fraction(1, 3)", "Fraction(1, 4)", True),
        ("[1, 2]", "[1, 3]", True),
        ("y=2", "y=3", True),
        ("x + y", "x - y", True),
        ("scale = 3", "scale = 4", True),
        ("* self.scale", "+ self.scale", True),
        ("math.pi", "math.e", True),
        ("range(x)", "range(x + 1)", True),
        ("a comment", "another", False),
        ("unused = 1", "\nunused = 2", False),
    ],
)
def test_the_hash_changes_with_what_an_experiment_uses(old, new, other):
    assert STEP.count(old) == 1
    assert (source_of(STEP) != source_of(STEP.replace(old, new))) is other
    assert source_of(STEP) == source_of(STEP)


FACTOR = 2


def scaled(rng, x):
    return {"y": FACTOR * x}


def test_results_of_other_code_are_not_gone_on_from(tmp_path, monkeypatch):
    file = tmp_path / "state"
    sweep(scaled, grid(x=(1,)), file=file)
    content = file.read_bytes()
    monkeypatch.setattr(sys.modules[__name__], "FACTOR", 3)
    with pytest.raises(InvalidInput, match=r"is of other code \(source of .*other_code=True"):
        sweep(scaled, grid(x=(1, 2)), file=file)
    assert file.read_bytes() == content
    rows = sweep(scaled, grid(x=(1, 2)), file=file, other_code=True).rows
    assert [row["y"] for row in rows] == [2, 6]
    assert "code" in json.loads(file.read_text().splitlines()[2])  # said between the two
    assert sweep(scaled, grid(x=(1, 2)), file=file).rows == rows
    package = json.loads(content.splitlines()[0])["code"]["package"]
    header = content.replace(f'"{package}"'.encode(), b'"0.0"', 1)
    file.write_bytes(header)
    with pytest.raises(InvalidInput, match=r"\(package 0\.0, not "):
        sweep(scaled, [], file=file)


@pytest.mark.skipif(sweep_file.fcntl is None, reason="this system has no file locks")
def test_two_sweeps_do_not_write_the_same_file(tmp_path):
    file = tmp_path / "state"
    with (
        sweep_file.opened(file, "first line\n"),
        pytest.raises(InvalidInput, match="is in use by another sweep"),
    ):
        sweep(echo, [], file=file)
    assert file.read_text() == "first line\n"


# Results


def test_means_and_their_errors():
    results = sweep(walk, grid(steps=(2, 3), p=(0.5, 0.75), name=tuple("abcde")))
    means = results.mean(of="noise", by=("steps", "p"))
    assert [mean.at for mean in means] == grid(steps=(2, 3), p=(0.5, 0.75))
    for mean in means:
        values = [row["noise"] for row in results.rows if mean.at.items() <= row.items()]
        assert mean.cases == len(values) == 5
        assert mean.mean == pytest.approx(statistics.mean(values), rel=1e-12)
        error = statistics.stdev(values) / math.sqrt(5)
        assert mean.error == pytest.approx(error, rel=1e-12)
        assert type(mean.mean) is type(mean.error) is float
    (every,) = results.mean(of="noise")
    assert (every.at, every.cases) == ({}, 20)
    assert every.mean == pytest.approx(np.mean([mean.mean for mean in means]), rel=1e-12)


ROWS = [(0, (1, 2)), (0, (3, 2)), (1, (5, 6))]
NOT_FINITE = [(0, 1.0), (0, math.inf), (1, math.nan), (1, 2)]
TYPES = [(1, True), (1.0, 3), (True, 4), ((1,), 5)]
EXACT = [(0, Fraction(1, 2)), (0, LinearForm({1: 3}, 2))]


def results_of(pairs):
    return Results(tuple({"p": p, "x": x} for p, x in pairs))


def test_means_of_lists_and_of_what_is_not_finite_or_exact_and_of_types():
    two, one = results_of(ROWS).mean(of="x", by=["p"])
    assert (two.mean.tolist(), two.error.tolist()) == ([2, 2], [1, 0])
    assert one.mean.tolist() == [5, 6]
    assert np.isnan(one.error).all()
    infinite, undefined = results_of(NOT_FINITE).mean(of="x", by="p")
    assert infinite.mean == math.inf
    assert all(map(math.isnan, (infinite.error, undefined.mean, undefined.error)))
    assert [mean.mean for mean in results_of(TYPES).mean(of="x", by="p")] == [1, 3, 4, 5]
    assert results_of(TYPES).mean(of="x")[0].mean == 13 / 4
    (mean,) = results_of(EXACT).mean(of="x")
    assert (mean.mean, mean.error) == (1.0, 0.5)


@each("values", [("a", "b"), (1, "b"), (None, 1.0), ((1, 2), (1,)), (1, (2,))])
def test_what_has_no_mean(values):
    results = Results(tuple({"x": value} for value in values))
    assert tuple(results.column("x").tolist()) == values
    with pytest.raises(InvalidInput, match="'x' has no mean"):
        results.mean(of="x")


def test_columns():
    results = sweep(walk, grid(steps=(2,), name=("a", "b", "c")))
    assert results.column("name").tolist() == ["a", "b", "c"]
    assert results.column("path").shape == (3, 2)
    assert results.column("noise").dtype == np.float64
    assert results.column("end").dtype == np.int64
    for ask in (results.column, lambda name: results.mean(of="end", by=name)):
        with pytest.raises(InvalidInput, match="there is no 'kl' in the row steps=2 name='a' end="):
            ask("kl")
    assert pickle.loads(pickle.dumps(results)).rows == results.rows


# Executors and commands


def test_threads_that_the_environment_names_are_kept(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    with executor_for(workers=1):
        assert os.environ["OMP_NUM_THREADS"] == "2"
        assert "MKL_NUM_THREADS" not in os.environ
    assert os.environ["OMP_NUM_THREADS"] == "2"


def test_without_dask(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InvalidInput, match=r"install zeroloss\[cluster\]"):
        opened(scheduler="tcp://127.0.0.1:1")


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://here", "localhost", ""])
def test_no_scheduler_answers(address):
    from dask import config

    import_module("distributed")  # or else its defaults would end with the setting
    with (
        config.set({"distributed.comm.timeouts.connect": "0.2s"}),
        pytest.raises(InvalidInput, match="no Dask scheduler answers at"),
    ):
        opened(scheduler=address)


def test_dask_is_loaded_when_it_is_used_only():
    code = "import sys, sims.sweep; assert not {'distributed', 'dask'} & set(sys.modules)"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=60)


def test_usual_options():
    found = options()
    assert (found.workers, found.scheduler, found.state) == (None, None, None)
    with from_arguments(found) as run:
        assert run(echo, grid(x=(1,))).rows == ({"x": 1, "x_again": 1},)


@each(
    ("arguments", "complaint"),
    [
        (["--workers", "0"], "must be a whole number of at least 1"),
        (["--workers", "2", "--scheduler", "x"], "not allowed with argument --workers"),
        (["--state", "nothing/state"], "there is no folder"),
        (["--state", "."], "'.' is no name of a file"),
        (["--state", ""], "'' is no name of a file"),
    ],
)
def test_wrong_options(arguments, complaint, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        options(*arguments)
    assert stop.value.code == 2
    assert complaint in " ".join(capsys.readouterr().err.split())


def test_what_gets_lost_on_its_way_is_a_failure_of_the_case():
    class Lossy(executors.InProcess):
        def submit(self, fn, /, *args, **kwargs):
            if '"k": 1' in args[0]:
                fn = {}.__getitem__
            return super().submit(fn, *args, **kwargs)

    results = sweep(counted, grid(k=range(3)), executor=Lossy())
    assert [row["k"] for row in results.rows] == [0, 2]
    assert "KeyError" in results.failed[0].error
