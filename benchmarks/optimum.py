"""The best decoder of a chain in at most so many rounds, against plain loops over gaps.

A cell is an edge in a round: two sites of a gap, its length and its ends. Where plain loops are too
slow they are timed on shorter chains in fewer rounds, and extrapolated by the number of edges.
"""

import math
from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.testing import assert_allclose

from benchmarks import naive_optimum
from benchmarks.case import Case, Way
from sims.chains import best_in_rounds
from theory import MarkovChain


def mixing_chain(length: int, vocab: int) -> MarkovChain:
    """A chain that keeps its token more often than not, so that many rounds are of use."""
    rng = np.random.default_rng(0)
    initial, rows = rng.dirichlet(np.ones(vocab)), rng.dirichlet(np.ones(vocab), size=vocab)
    return MarkovChain(initial, 0.7 * np.eye(vocab) + 0.3 * rows, length)


def edges(length: int, vocab: int, rounds: int) -> int:
    """How many edges are compared: between i < j of each gap of up to so many sites."""
    return rounds * (vocab + 1) ** 2 * math.comb(length + 1, 3)


def in_rounds(quick: bool) -> Iterator[Case]:
    """All numbers of rounds up to the largest at once."""
    lines = [
        (32, 2, 7, 32, None),
        (32, 4, 7, 32, ("loops", 100.0)),
        (64, 2, 8, 32, ("seconds", 1.0)),
        (64, 8, 8, 12, ("seconds", 60.0)),
        (256, 2, 10, 32, ("seconds", 60.0)),
    ]
    if quick:
        lines = [(8, 2, 3, 8, None), (9, 3, 4, 5, None)]
    for length, vocab, rounds, naive_length, target in lines:
        p, small = (mixing_chain(n, vocab) for n in (length, naive_length))
        parts = np.asarray(small.initial), np.asarray(small.transition)
        few = min(rounds, 7)
        loops = partial(naive_optimum.best_in_rounds, *parts, naive_length, few)
        found = [kl for kl, _ in best_in_rounds(small, few)]
        assert_allclose(found, loops(), rtol=1e-9, atol=1e-12)
        cells = edges(length, vocab, rounds)
        at = "" if naive_length == length else f" (L={naive_length})"
        yield Case(
            "best of a chain in rounds",
            f"L={length} V={vocab}, {rounds} rounds",
            cells,
            partial(best_in_rounds, p, rounds, progress=False),
            [Way(f"loops{at}", loops, edges(naive_length, vocab, few) / cells)],
            targets=(target,) if target else (),
            floors=(),
        )
