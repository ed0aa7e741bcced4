"""How many processors this process may use, and how many threads it should."""

import os
import sys

__all__ = ["THREADS", "usable_cores", "usable_threads"]

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
