"""The most memory that a call holds at once, as NumPy reports it to `tracemalloc`.

What the call returns is part of it; what was there before is not, nor whether it is freed.
"""

import tracemalloc

from benchmarks.timing import Call


def peak_bytes(call: Call) -> int:
    """Bytes held at the worst moment of a call, its result included."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        result = call()
        peak = tracemalloc.get_traced_memory()[1] - before
        del result
    finally:
        tracemalloc.stop()
    return peak
