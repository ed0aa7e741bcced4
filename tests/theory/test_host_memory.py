"""How much memory is free, in containers and under a limit on addresses."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from theory import InvalidInput
from theory._core import resources
from theory._core.arrays import free_memory

FILES = {
    "version 2": (
        "0::/a/b\n",
        {
            "sys/fs/cgroup/a/b/memory.max": "max\n",
            "sys/fs/cgroup/a/b/memory.current": "100\n",
            "sys/fs/cgroup/a/memory.max": "5000\n",
            "sys/fs/cgroup/a/memory.current": "3000\n",
            "sys/fs/cgroup/a/memory.stat": "anon 7\ninactive_file 500\n",
        },
        2500,
    ),
    "version 1, a path of the host's": (
        "4:cpu,memory:/docker/x\n1:cpu:/y\n",
        {
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9000\n",
            "sys/fs/cgroup/memory/memory.usage_in_bytes": "4000\n",
        },
        5000,
    ),
    "used up": (
        "0::/\n",
        {"sys/fs/cgroup/memory.max": "10\n", "sys/fs/cgroup/memory.current": "20\n"},
        0,
    ),
    "no limit": ("0::/\n", {}, 8 * 1024),
}


@pytest.mark.parametrize(("groups", "files", "left"), FILES.values(), ids=FILES)
def test_the_least_limit_counts(tmp_path, groups, files, left):
    listed = {"proc/meminfo": "MemAvailable: 8 kB\n", "proc/self/cgroup": groups, **files}
    for name, text in listed.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert resources.free_memory(tmp_path) == left


@pytest.mark.parametrize(("kind", "left"), [("RLIMIT_AS", 7), ("RLIMIT_DATA", 8)])
def test_a_limit_of_the_process_counts(tmp_path, monkeypatch, kind, left):
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/statm").write_text("3 1 1 1 0 2 0\n")
    page, limited = resource.getpagesize(), getattr(resource, kind)
    most = {limited: 10 * page}
    monkeypatch.setattr(resource, "getrlimit", lambda k: (most.get(k, resource.RLIM_INFINITY), -1))
    assert resources.free_memory(tmp_path) == left * page


def test_nothing_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, -1))
    assert resources.free_memory(tmp_path) == resources.UNKNOWN


def test_the_variable_takes_units(monkeypatch):
    for text, size in {"123": 123, "4G": 2**32, "1.5KiB": 1536, "2 mb": 2**21}.items():
        monkeypatch.setenv("ZEROLOSS_MEMORY", text)
        assert free_memory() == size
    for text in ("four", "-1", "4X", "nan"):
        monkeypatch.setenv("ZEROLOSS_MEMORY", text)
        with pytest.raises(InvalidInput, match=f"ZEROLOSS_MEMORY.*{text}"):
            free_memory()


UNDER_A_LIMIT = """
import resource
import numpy as np
from theory import MASK, MarkovChain, TooLarge
from theory._core import resources
from theory._core.arrays import free_memory

p = MarkovChain([0.5, 0.5], [[0.5, 0.5]] * 2, 1000)
p.denoise([MASK] * 1000)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**27, -1))
assert free_memory() <= 2**27
for sequences in (6000, 2500):  # 16 000 bytes of predictions each; two copies fit, more do not
    try:
        p.denoise(np.full((sequences, 1000), MASK, dtype=np.int8))
    except TooLarge as error:
        print(error)
try:
    p.sample(np.random.default_rng(0), 10**5)
except TooLarge as error:
    print(error)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux")
def test_what_does_not_fit_under_a_limit_is_refused():
    env = {k: v for k, v in os.environ.items() if k != "ZEROLOSS_MEMORY"}
    done = subprocess.run(
        [sys.executable, "-c", UNDER_A_LIMIT], capture_output=True, text=True, check=False, env=env
    )
    assert done.returncode == 0, done.stderr
    estimated, failed, drawn = done.stdout.splitlines()
    table = "a table of predictions of shape (6000, 1000, 2)"
    assert estimated.startswith(f"{table} has 1.2e+07 entries")
    assert failed.startswith("a batch of predictions does not fit in memory: Unable to allocate")
    assert drawn.startswith("a sample does not fit in memory: Unable to allocate")
