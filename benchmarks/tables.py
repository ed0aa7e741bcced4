"""Questions to a joint table that information theory and inference packages answer, too.

The peers get the table in their own format beforehand. Where ours says *lattice +*, the lattice
is built each time; a peer that answers one question has no use for one.
"""

import itertools
from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.testing import assert_allclose

from benchmarks import naive
from benchmarks.case import Case, Way
from benchmarks.floors import Floor
from benchmarks.lattices import random_table
from benchmarks.peers import dit_tables, opt_einsum_contractions
from benchmarks.peers.installed import compared
from theory import MASK, EvidenceLattice, JointTable, information

SETS = 128  # of sites, whose entropies dit is asked for; the time for all goes with the number
BATCH = 64  # patterns, which opt_einsum contracts one after the other


def entropies(quick: bool) -> Iterator[Case]:
    """The lattice, then the entropies of all sets of sites."""
    for length, vocab in [(6, 3)] if quick else [(8, 3), (10, 3)]:
        p, cells = random_table(length, vocab), (vocab + 1) ** length
        found = EvidenceLattice(p).subset_entropies()
        assert_allclose(found, naive.marginalised_entropies(p), rtol=1e-12, atol=1e-12)
        every = [
            tuple(np.flatnonzero(kept).tolist())
            for kept in itertools.product((0, 1), repeat=length)
            if any(kept)
        ]
        rng, count = np.random.default_rng(1), min(SETS, len(every))
        sets = [every[k] for k in rng.choice(len(every), count, replace=False)]
        few = [found[tuple(int(i in s) for i in range(length))] for s in sets]
        peers, missing = compared(
            few,
            {"dit": partial(dit_tables.entropies, p, sets)},
            share=count / len(every),
        )
        yield Case(
            "lattice + entropies",
            f"L={length} V={vocab}",
            cells,
            lambda p=p: EvidenceLattice(p).subset_entropies(),
            [Way("marginalising", partial(naive.marginalised_entropies, p)), *peers],
            targets=(("dit", 50.0),) if (length, vocab) == (10, 3) else (),
            floors=(Floor("copy", cells, "the lattice is written once and read once"),),
            missing=missing,
        )


def one_pattern(quick: bool) -> Iterator[Case]:
    """Predictions of the masked sites of one pattern, with the lattice there and without it."""
    length, vocab = (5, 3) if quick else (8, 3)
    p, x = random_table(length, vocab), np.full(length, MASK)
    x[::2] = np.random.default_rng(1).integers(vocab, size=len(x[::2]))
    there, masked = EvidenceLattice(p), x == MASK
    expected = naive.sliced_denoise(p, x[None])[0, masked]
    peers, missing = compared(expected, {"dit": partial(dit_tables.predictions, p, x)})
    ways = [Way("slicing", partial(naive.sliced_denoise, p, x[None])), *peers]
    calls = {
        "one pattern": lambda: there.denoise(x),
        "lattice + one pattern": lambda: EvidenceLattice(p).denoise(x),
    }
    for kernel, call in calls.items():
        assert_allclose(call()[masked], expected, rtol=1e-12)
        size, cells = f"L={length} V={vocab}", x.size * vocab
        yield Case(kernel, size, cells, call, ways, floors=(), missing=missing)


def evidence_of_few(quick: bool) -> Iterator[Case]:
    """The lattice, then the evidence of few patterns, against a contraction for each."""
    length, vocab = (5, 3) if quick else (8, 3)
    p = random_table(length, vocab)
    x = np.random.default_rng(1).integers(MASK, vocab, size=(BATCH, length))
    expected = naive.sliced_evidence(p, x)
    call = lambda: EvidenceLattice(p).evidence(x)  # noqa: E731
    assert_allclose(call(), expected, rtol=1e-12)
    peers, missing = compared(
        expected,
        {"opt_einsum": partial(opt_einsum_contractions.table_evidence, p, x)},
    )
    yield Case(
        "lattice + evidence",
        f"L={length} V={vocab}, batch {BATCH}",
        BATCH,
        call,
        [Way("slicing", partial(naive.sliced_evidence, p, x)), *peers],
        patterns=BATCH,
        floors=(),
        missing=missing,
    )


def total_correlation(quick: bool) -> Iterator[Case]:
    """Total correlation of all sites of a new table."""
    length, vocab = (5, 3) if quick else (8, 3)
    p = random_table(length, vocab)
    call = lambda: information.total_correlation(JointTable(p))  # noqa: E731
    slow = partial(naive.total_correlation, p)
    assert_allclose(call(), slow(), rtol=1e-9)
    peers, missing = compared(slow(), {"dit": partial(dit_tables.total_correlation, p)})
    yield Case(
        "total correlation",
        f"L={length} V={vocab}",
        p.size,
        call,
        [Way("marginalising", slow), *peers],
        floors=(),
        missing=missing,
    )
