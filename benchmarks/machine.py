"""What the numbers were measured on."""

import os
import platform
from pathlib import Path
from typing import Any

import numpy as np

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
BUSY = 0.3  # processes per core that wait or run while nothing of ours does


def description() -> dict[str, Any]:
    """Processor, cores, memory, versions, and how busy the machine is now."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]  # type: ignore[index]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return {
        "processor": _processor(),
        "architecture": platform.machine(),
        "cores": cores,
        "memory_bytes": _memory(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": f"{blas['name']} {blas['version']}",
        "threads": {name: os.environ[name] for name in THREADS if name in os.environ},
        "load": round(load, 2),
        "busy": load > BUSY * (cores or 1),
    }


def sentence(machine: dict[str, Any]) -> str:
    """The same in words."""
    threads = ", ".join(f"{name}={value}" for name, value in machine["threads"].items())
    text = (
        f"{machine['processor']} ({machine['architecture']}), {machine['cores']} cores, "
        f"{machine['memory_bytes'] / 2**30:.0f} GiB, {machine['system']}; "
        f"Python {machine['python']}, NumPy {machine['numpy']}, {machine['blas']}"
        + (f" with {threads}." if threads else ".")
    )
    if machine["busy"]:
        text += (
            f" The machine was busy with other work (load {machine['load']:g} at the start): "
            "times and ratios are rougher than on a quiet one."
        )
    return text


def _processor() -> str:
    """The name that the system gives it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0
