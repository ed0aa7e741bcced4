"""dit: information theory on a joint table.

Its `Distribution` is built from the table beforehand. Its entropies are in bits.
"""

import math

import numpy as np

from benchmarks.peers.installed import load
from benchmarks.timing import Call
from theory import MASK


def predictions(p: np.ndarray, x: np.ndarray) -> Call:
    """Predictions of the masked sites of one pattern (L,): fix the others, then marginalise."""
    d = load("dit").Distribution.from_ndarray(p)
    seen = {f"X{i}": int(v) for i, v in enumerate(x) if v != MASK}
    masked = [f"X{i}" for i, v in enumerate(x) if v == MASK]

    def call() -> list[np.ndarray]:
        joint = d.sel(**seen)
        joint.normalize()
        return [joint.marginal(name).to_numpy() for name in masked]

    return call


def total_correlation(p: np.ndarray) -> Call:
    """Total correlation of all sites, in nats."""
    dit = load("dit")
    d = dit.Distribution.from_ndarray(p)
    return lambda: dit.multivariate.total_correlation(d) * math.log(2)


def entropies(p: np.ndarray, sets: list[tuple[int, ...]]) -> Call:
    """Entropies of sets of sites, in nats."""
    dit = load("dit")
    d = dit.Distribution.from_ndarray(p)
    return lambda: [dit.multivariate.entropy(d, list(s)) * math.log(2) for s in sets]
