"""Growth curves: time and memory against the length and against the vocabulary.

Each curve is a straight line if its logarithm is drawn against the right variable: L itself where
cost is exponential in it, ``log L``, ``log V`` or ``log(V + 1)`` where it is a power. The fitted
slope, with its standard error, stands beside the predicted one.

- The evidence lattice has ``(V + 1)^L`` cells, each written once: ``log(V + 1)`` per site, and
  L per ``log(V + 1)``. The same for all entropies, which read it once.
- Predictions of a chain are one gather of V numbers per site: 1 in ``log L`` and in ``log V``. What
  is tabulated first are powers of a matrix: 3 in ``log V``.
- The exact output of a decoder costs what it visits. Top 1 visits ``V^t`` sequences after t rounds:
  ``log V`` per site. Random order visits all partly masked ones: ``log(V + 1)``.
- Ancestral steps on a chain: in each step, for every gap and its ends, pairs of sites and of their
  tokens. 3 in ``log L``, 4 in ``log V``, 1 in ``log K``.
- The best decoder goes through ``(V + 2)^L`` pairs of a context and a set. That of a chain goes
  through pairs of sites in gaps of every length and with all ends, and sums over a token for each:
  3 in ``log L``, 3 in ``log V`` (2 while sums of few terms cost less than comparing them), 1 in
  ``log(R-1)``, as one round is free.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

import sims
from benchmarks import chains
from benchmarks.case import slug
from benchmarks.families import random_chain
from benchmarks.fit import beyond_overhead, fitted
from benchmarks.lattices import random_table
from benchmarks.memory import peak_bytes
from benchmarks.optimum import mixing_chain
from benchmarks.timing import Call, minima
from sims import policies
from sims.chains import best_in_rounds
from theory import EvidenceLattice, JointTable, MarkovChain


@dataclass(frozen=True)
class Curve:
    """Sizes, what to call at each, and how it should grow.

    Attributes
    ----------
    kernel, fixed : str
        What is measured, and what does not change along the curve.
    sizes : tuple of int
        Growing.
    prepare : callable
        From a size to the call.
    against : str
        ``L``, ``log L``, ``log V``, ``log(V+1)``, ``log K`` or ``log(R-1)``.
    time, memory : float or None
        Predicted slopes; None if it is not fitted.
    prediction : str
        The same in symbols.
    states : callable, optional
        From a size to the number of sequences visited.
    """

    kernel: str
    fixed: str
    sizes: tuple[int, ...]
    prepare: Callable[[int], Call]
    against: str
    time: float
    prediction: str
    memory: float | None = None
    states: Callable[[int], int] | None = None

    @property
    def variable(self) -> str:
        return next(letter for letter in "LVKR" if letter in self.against)

    def x(self, size: int) -> float:
        """Where a size stands on the axis of the straight line."""
        if self.against in ("log(V+1)", "log(R-1)"):
            return math.log(size + (1 if "+" in self.against else -1))
        return float(size) if self.against == "L" else math.log(size)


def _lattice(length: int, vocab: int) -> Call:
    return partial(EvidenceLattice, random_table(length, vocab))


def _entropies(length: int, vocab: int) -> Call:
    p = random_table(length, vocab)
    return lambda: EvidenceLattice(p).subset_entropies()


def _chain(length: int, vocab: int, first: bool) -> Call:
    chain, x = random_chain(length, vocab)
    if first:
        return lambda: MarkovChain(chain.initial, chain.transition, length).denoise(x)
    chain.denoise(x)
    return partial(chain.denoise, x)


def _output(length: int, vocab: int, policy: Callable[[int], Any]) -> Call:
    p = JointTable(random_table(length, vocab))
    p.lattice()
    return partial(sims.output_distribution, p, policy(length))


def _best(length: int, vocab: int) -> Call:
    p = JointTable(random_table(length, vocab) ** 8)
    p.lattice()
    return partial(sims.frontier, p, [3.0])


def _best_of_chain(length: int, vocab: int, rounds: int) -> Call:
    p = mixing_chain(length, vocab)
    return partial(best_in_rounds, p, rounds, progress=False)


def _top(length: int) -> policies.TopK:
    return policies.TopK(1)


def _any(length: int) -> policies.RandomOrder:
    return policies.RandomOrder((1,) * length)


def _steps_in_gaps(length: int, vocab: int, steps: int) -> Call:
    chain, _ = random_chain(length, vocab)
    return partial(chains.steps_in_gaps, chain, steps)


def curves(quick: bool) -> Iterator[Curve]:
    """All curves. The quick ones are short, and their slopes say nothing."""

    def upto(first: int, last: int) -> tuple[int, ...]:
        return tuple(range(first, (min(first + 3, last) if quick else last) + 1))

    for vocab, last in [(2, 16), (3, 12), (4, 10), (8, 7), (16, 6)]:
        per_site = math.log(vocab + 1)
        sizes, fixed = upto(2, last), f"V={vocab}"
        yield Curve(
            "lattice", fixed, sizes, partial(_lattice, vocab=vocab), "L", per_site,
            f"log {vocab + 1}", per_site,
        )  # fmt: skip
    vocabs = (2, 4, 8) if quick else (2, 4, 8, 16, 24, 32, 48, 64)
    yield Curve("lattice", "L=4", vocabs, partial(_lattice, 4), "log(V+1)", 4.0, "L = 4", 4.0)
    for vocab, last in [(2, 15), (3, 11)]:
        make, per_site = partial(_entropies, vocab=vocab), math.log(vocab + 1)
        sizes, fixed = upto(2, last), f"V={vocab}"
        yield Curve("lattice + entropies", fixed, sizes, make, "L", per_site, f"log {vocab + 1}")
    lengths = (8, 16, 32) if quick else tuple(2**k for k in range(4, 17))
    make = partial(_chain, vocab=64, first=False)
    yield Curve("chain, later calls", "V=64", lengths, make, "log L", 1.0, "1")
    vocabs = (4, 8, 16) if quick else (4, 8, 16, 32, 64, 128, 256, 512)
    make = partial(_chain, 1024, first=False)
    yield Curve("chain, later calls", "L=1024", vocabs, make, "log V", 1.0, "1")
    make = partial(_chain, 1024, first=True)
    yield Curve("chain, first call", "L=1024", vocabs, make, "log V", 3.0, "3")
    for name, policy, vocab, last, base in [
        ("exact output, top 1", _top, 2, 18, 2),
        ("exact output, top 1", _top, 3, 12, 3),
        ("exact output, random order", _any, 2, 12, 3),
        ("exact output, random order", _any, 3, 9, 4),
    ]:
        make = partial(_output, vocab=vocab, policy=policy)
        per_site, sizes = math.log(base), upto(2, last)
        yield Curve(
            name, f"V={vocab}", sizes, make, "L", per_site, f"log {base}",
            states=lambda n, make=make: make(n)().states,
        )  # fmt: skip
    of, short, rounds = "best of a chain in rounds", 9 if quick else 32, 3 if quick else 5
    lengths = (8, 12, 16) if quick else (32, 64, 128, 256, 512)
    make = partial(_best_of_chain, vocab=2, rounds=rounds)
    yield Curve(of, f"V=2 R={rounds}", lengths, make, "log L", 3.0, "3")
    vocabs = (2, 3, 4) if quick else (2, 4, 8, 16, 32, 64)
    make = partial(_best_of_chain, short, rounds=3)
    yield Curve(of, f"L={short} R=3", vocabs, make, "log V", 3.0, "3")
    length, counts = (9, (2, 3)) if quick else (256, (2, 3, 4, 5, 6))
    make = partial(_best_of_chain, length, 2)
    yield Curve(of, f"L={length} V=2", counts, make, "log(R-1)", 1.0, "1")
    for vocab, last in [(2, 12), (3, 10)]:
        per_site, make = math.log(vocab + 2), partial(_best, vocab=vocab)
        sizes, fixed = upto(2, last), f"V={vocab}"
        yield Curve("best decoder", fixed, sizes, make, "L", per_site, f"log {vocab + 2}", per_site)
    yield from _curves_in_gaps(quick)


def _curves_in_gaps(quick: bool) -> Iterator[Curve]:
    """Ancestral steps on a chain, with two of length, vocabulary and steps fixed."""
    lengths, vocabs, counts = (16, 32, 64, 128, 256), (2, 4, 8, 16, 24, 32), (2, 4, 8, 16, 32, 64)
    short, long = 32, 64
    if quick:
        lengths, vocabs, counts = (4, 8, 12), (2, 3), (1, 2, 4)
        short = long = 6
    of = "written on a chain"
    make = partial(_steps_in_gaps, vocab=2, steps=8)
    yield Curve(of, "V=2 K=8", lengths, make, "log L", 3.0, "3")
    make = partial(_steps_in_gaps, short, steps=4)
    yield Curve(of, f"L={short} K=4", vocabs, make, "log V", 4.0, "4")
    make = partial(_steps_in_gaps, long, 2)
    yield Curve(of, f"L={long} V=2", counts, make, "log K", 1.0, "1")


def traced(curve: Curve, repeats: int) -> dict[str, Any]:
    """Time, memory and states at every size, and the slopes."""
    calls = [curve.prepare(size) for size in curve.sizes]
    times = minima(repeats, calls)
    peaks = [peak_bytes(call) for call in calls] if curve.memory is not None else None
    states = [curve.states(size) for size in curve.sizes] if curve.states else None
    start = beyond_overhead(times)
    x = [curve.x(size) for size in curve.sizes[start:]]
    found = {
        "kernel": curve.kernel,
        "fixed": curve.fixed,
        "variable": curve.variable,
        "against": curve.against,
        "sizes": list(curve.sizes),
        "fitted_from": curve.sizes[start],
        "seconds": times,
        "time": _slope(x, times[start:], curve.time, curve.prediction),
    }
    if peaks is not None and curve.memory is not None:
        found["bytes"] = peaks
        found["memory"] = _slope(x, peaks[start:], curve.memory, curve.prediction)
    if states is not None:
        found["states"] = states
        found["visited"] = _slope(x, states[start:], curve.time, curve.prediction)
    return found


def _slope(x: list[float], y: Any, predicted: float, words: str) -> dict[str, Any]:
    fit = fitted(x, y)
    error = None if np.isnan(fit.error) else fit.error
    return {"slope": fit.slope, "error": error, "predicted": predicted, "words": words}


NAMES = tuple(dict.fromkeys(slug(c.kernel) for c in curves(True)))


def run(
    names: list[str], quick: bool, repeats: int, watch: Callable[[str], None]
) -> tuple[dict[str, Any], bool]:
    """All curves of these kernels. Nothing is compared here, so all agree."""
    found = []
    for curve in curves(quick):
        if slug(curve.kernel) in names:
            watch(f"{slug(curve.kernel)}, {curve.fixed}")
            found.append(traced(curve, repeats))
    return {"curves": found}, True
