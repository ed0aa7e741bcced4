"""How something grows: least squares of its logarithm, and how sure the slope is."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

OVERHEAD = 30.0  # a size counts once its time is so many times that of the smallest size
FEWEST = 3  # sizes that are fitted, at least


class Fit(NamedTuple):
    """Slope of ``log y`` against x, and its standard error (nan for two points)."""

    slope: float
    error: float


def fitted(x: Sequence[float], y: Sequence[float]) -> Fit:
    """Fit ``log y = a + slope x``.

    >>> round(math.exp(fitted([1, 2, 3], [3, 9, 27]).slope), 12)
    3.0
    """
    if len(x) != len(y) or len(set(x)) < 2:
        raise ValueError(f"a slope needs two different points, got {list(x)} and {list(y)}")
    a, b = np.asarray(x, dtype=np.float64), np.log(np.asarray(y, dtype=np.float64))
    away = a - a.mean()
    spread = float(away @ away)
    slope = float(away @ b) / spread
    left = b - b.mean() - slope * away
    freedom = len(a) - 2
    error = math.sqrt(float(left @ left) / freedom / spread) if freedom else math.nan
    return Fit(slope, error)


def beyond_overhead(times: Sequence[float]) -> int:
    """The first of growing sizes that is fitted: below it the cost of a call itself rules.

    The smallest size does next to nothing, so its time is that cost. At least `FEWEST` sizes are
    kept.
    """
    from_here = next((k for k, t in enumerate(times) if t >= OVERHEAD * times[0]), len(times))
    return max(0, min(from_here, len(times) - FEWEST))
