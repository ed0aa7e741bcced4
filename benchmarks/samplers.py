"""Samplers' own code, run along every path of its random choices.

A cell is a path. It is compared with running the paths one at a time, as a sampler of a single
sequence needs it; on shorter sequences, extrapolated by the number of paths, where that is slow.
"""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.testing import assert_allclose

import sims
from benchmarks.case import Case, Way
from benchmarks.lattices import random_table
from sims import policies
from sims.conformance import Oracle, exact_distribution
from theory import JointTable


def token_confidence(model: Oracle) -> Callable[[int, np.random.Generator], np.ndarray]:
    """Draw all sites with Gumbel noise and keep the one with the most confident token."""

    def sampler(n: int, rng: np.random.Generator) -> np.ndarray:
        x = np.full((n, model.p.length), model.mask_id)
        rows = np.arange(n)
        for _ in range(model.p.length):
            logits = model(x).logits
            tokens = (logits + rng.gumbel(size=logits.shape)).argmax(axis=2)
            scores = np.take_along_axis(logits, tokens[:, :, None], axis=2)[:, :, 0]
            site = np.where(x == model.mask_id, scores, -np.inf).argmax(axis=1)
            x[rows, site] = tokens[rows, site]
        return x

    return sampler


def enumeration(quick: bool) -> Iterator[Case]:
    """All paths of a sampler, many at once."""
    lines = [(2, 2, 2, None)] if quick else [(3, 3, 3, 0.3), (4, 3, 3, 10.0)]
    for length, vocab, naive_length, seconds in lines:
        p, small = (JointTable(random_table(n, vocab)) for n in (length, naive_length))
        run, alone = (
            partial(exact_distribution, token_confidence(Oracle(data)), data) for data in (p, small)
        )
        found, few = run(), alone(batch=1)
        expected = sims.output_distribution(p, policies.TokenConfidence(1))
        assert_allclose(found.table, expected.table, atol=1e-12)
        assert_allclose(few.table, alone().table, atol=1e-12)
        yield Case(
            "exact output of a sampler's code",
            f"L={length} V={vocab}",
            found.paths,
            run,
            [
                Way(
                    "one at a time" + f" (L={naive_length})" * (naive_length < length),
                    partial(alone, batch=1),
                    few.paths / found.paths,
                )
            ],
            targets=() if seconds is None else (("seconds", seconds),),
            floors=(),
            counts={"paths": found.paths},
        )
