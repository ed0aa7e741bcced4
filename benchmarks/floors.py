"""Physical floors: what a kernel cannot do without, done and timed by itself in the same run.

``fresh``
    Writing doubles on newly mapped pages, which the system has to map and to clear. Results above
    32 MiB always live there. A smaller one mostly gets memory that was freed a moment ago, and
    can then be faster than a fresh write.
``resident``
    Writing doubles on pages that are there already.
``copy``
    Reading doubles and writing as many, both on pages that are there: the floor of what has to
    read about as much as it writes.
``products``
    Multiply-adds of one product of square matrices of doubles.
"""

import mmap
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.timing import Call, minima

HUGE_PAGES_FROM = 2**22  # bytes; NumPy asks for huge pages from there on, so we do
MOST = 2**27  # doubles that are kept; for more, the time goes with the number
SIDE = 1024  # of the matrices at the head of the table

UNITS = {
    "fresh": ("GB/s written", 8),
    "resident": ("GB/s written", 8),
    "copy": ("GB/s read and written", 16),
    "products": ("GFlop/s", 2),
}


@dataclass(frozen=True)
class Floor:
    """So many doubles written or copied, or multiply-adds of matrices with so many rows."""

    name: str
    amount: float
    why: str = ""
    side: int = SIDE

    def __post_init__(self) -> None:
        if self.name not in UNITS:
            raise ValueError(f"no floor is called {self.name}: {', '.join(UNITS)}")

    def clock(self) -> tuple[Call, float]:
        """The call to time, and by what its seconds are to be multiplied."""
        if self.name == "products":
            left, right = np.random.default_rng(0).random((2, self.side, self.side))
            out = np.empty((self.side, self.side))
            return lambda: np.matmul(left, right, out=out), self.amount / self.side**3
        if self.name == "fresh":
            return lambda: fresh_write(int(self.amount)), 1.0
        doubles = min(int(self.amount), MOST)
        factor = self.amount / doubles
        if self.name == "resident":
            page = np.ones(doubles)
            return lambda: page.fill(1.0), factor
        source, target = np.ones(doubles), np.ones(doubles)
        return lambda: np.copyto(target, source), factor


def fresh_write(doubles: int) -> np.ndarray:
    """Map new pages and write on them."""
    pages = mmap.mmap(-1, 8 * doubles, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if 8 * doubles >= HUGE_PAGES_FROM and hasattr(mmap, "MADV_HUGEPAGE"):
        pages.madvise(mmap.MADV_HUGEPAGE)
    written = np.frombuffer(pages, dtype=np.float64)
    written.fill(1.0)
    return written


def writes(cells: int) -> tuple[Floor, Floor]:
    """The floors of a result of so many doubles."""
    why = "every entry of the result is written once"
    return Floor("fresh", cells, why), Floor("resident", cells, why)


def rates(quick: bool, repeats: int) -> list[dict[str, Any]]:
    """All four by themselves, for the head of the table."""
    doubles, side = (2**20, 128) if quick else (2**25, SIDE)
    found = []
    for name, (unit, each) in UNITS.items():
        floor = Floor(name, side**3 if name == "products" else doubles, side=side)
        call, factor = floor.clock()
        [seconds] = minima(repeats, [call])
        size = f"{side} × {side}" if name == "products" else f"{8 * doubles // 2**20} MiB"
        rate = each * floor.amount / (factor * seconds) / 1e9
        found.append({"floor": name, "size": size, "rate": rate, "unit": unit})
    return found
