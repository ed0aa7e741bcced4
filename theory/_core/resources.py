"""What this process may still take of its host: memory, processors and threads."""

import os
import sys
from pathlib import Path

__all__ = ["THREADS", "free_memory", "usable_cores", "usable_threads"]

UNKNOWN = 4 * 2**30
"""Bytes, where nothing can be measured."""

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Where the libraries behind NumPy look for a number of threads."""


def usable_cores() -> int:
    """Number of processors that this process may use."""
    if sys.platform == "emscripten":  # a browser starts no threads
        return 1
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def usable_threads() -> int:
    """As many as there are processors, or fewer if the environment limits those behind NumPy."""
    limits = [int(v) for name in THREADS if (v := os.environ.get(name, "")).isdecimal()]
    return max(1, min([usable_cores(), *limits]))


def free_memory(root: Path = Path("/")) -> int:
    """Bytes that the machine, the control groups and the limits of the process leave.

    The folders ``proc`` and ``sys`` are looked up in `root`.
    """
    limits = (_available(root), *_left_by_groups(root), *_left_of_process(root))
    known = [max(n, 0) for n in limits if n is not None]
    return min(known, default=UNKNOWN)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""


def _available(root: Path) -> int | None:
    for line in _read(root / "proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _left_by_groups(root: Path) -> list[int]:
    """What each group that holds the process leaves: version 2 and version 1, up to the root.

    In a container the path of the group may be one of the host's; what is found above it counts.
    """
    left = []
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            top, names = "sys/fs/cgroup", ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            top = "sys/fs/cgroup/memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        inside = Path(path.strip("/"))
        for group in (inside, *inside.parents):
            here = root / top / group
            most, used = (_read(here / name).strip() for name in names[:2])
            if most.isdigit() and used.isdigit():  # "max" where there is no limit
                stat = dict(s.split() for s in _read(here / "memory.stat").splitlines())
                left.append(int(most) - int(used) + int(stat.get(names[2], 0)))
    return left


def _left_of_process(root: Path) -> list[int]:
    """What `ulimit` leaves: of all addresses (-v) and of those that are written to (-d)."""
    try:
        import resource
    except ImportError:  # Windows
        return []
    used = _read(root / "proc/self/statm").split()  # pages: all, ..., data and stack, ...
    columns = {resource.RLIMIT_AS: 0, resource.RLIMIT_DATA: 5}
    limits = {kind: resource.getrlimit(kind)[0] for kind in columns}
    return [
        most - int(used[columns[kind]]) * resource.getpagesize()
        for kind, most in limits.items()
        if used and most != resource.RLIM_INFINITY
    ]
