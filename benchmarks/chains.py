"""What decoders write on chains at the lengths of real models, gap by gap.

A cell is a gap in a step: a length and its two ends. The naive version takes one gap, one site and
one token at a time; where that is too slow it is timed on shorter chains with fewer steps, and
extrapolated by the number of steps times the third power of the length (pairs of sites in gaps).
"""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from numpy.testing import assert_allclose

import sims
from benchmarks import naive_chains
from benchmarks.case import Case, Way
from benchmarks.timing import Call
from sims import policies
from theory import MarkovChain, gallery


def equal_steps(steps: int) -> policies.Bernoulli:
    """Ancestral steps that reveal equally many sites on average."""
    return policies.Bernoulli([Fraction(k, steps) for k in range(steps + 1)])


def three_tokens(length: int) -> MarkovChain:
    """A chain with two steps that it never makes."""
    return MarkovChain([0.2, 0.3, 0.5], [[0.5, 0.5, 0], [0, 0.2, 0.8], [0.3, 0.3, 0.4]], length)


def steps_in_gaps(p: MarkovChain, steps: int) -> tuple[float, float]:
    """Valid mass and path KL, from nothing."""
    written = sims.on_chain(p, equal_steps(steps))
    return written.valid_mass, written.path_kl


def on_chain(quick: bool) -> Iterator[Case]:
    """Valid mass and path KL of ancestral steps, against loops over gaps."""
    lines = [(gallery.golden_mean_chain, 32, 32, 32, 16, ("loops", 100.0))]
    lines += [(gallery.golden_mean_chain, 256, 64, 24, 16, ("seconds", 60.0))]
    lines += [(three_tokens, 64, 16, 16, 8, None)]
    if quick:
        lines = [(make, 8, 4, 6, 3, None) for make in (gallery.golden_mean_chain, three_tokens)]
    for make, length, steps, naive_length, naive_steps, target in lines:
        p, small = make(length), make(naive_length)
        loops = _loops(small, naive_steps)
        assert_allclose(steps_in_gaps(small, naive_steps), loops(), rtol=1e-9)
        at = "" if naive_length == length else f" (L={naive_length})"
        share = naive_steps * naive_length**3 / (steps * length**3)
        yield Case(
            "written on a chain",
            f"L={length} V={p.vocab}, {steps} steps",
            steps * length * (p.vocab + 1) ** 2,
            lambda p=p, steps=steps: steps_in_gaps(p, steps),
            [Way(f"loops{at}", loops, min(share, 1.0))],
            targets=(target,) if target else (),
            floors=(),
        )


def _loops(p: MarkovChain, steps: int) -> Call:
    reveals = tuple(map(float, equal_steps(steps).reveal))
    initial, transition = np.asarray(p.initial), np.asarray(p.transition)
    return lambda: naive_chains.ancestral_steps(initial, transition, reveals, p.length)
