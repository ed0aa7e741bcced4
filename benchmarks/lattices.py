"""The evidence lattice and what is read off it.

The lattice has to be written once: how far its time is from one write says what the sums cost.
The naive versions are concatenation, which writes a new table for every axis, and slicing, which
goes back to the joint table for every pattern. Our time includes checking the table.
"""

from collections.abc import Iterator
from fractions import Fraction
from functools import partial

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from benchmarks import naive
from benchmarks.case import Case, Skipped, Way
from benchmarks.floors import Floor
from theory import MASK, EvidenceLattice
from theory._core.arrays import free_memory

SAMPLE = 2000  # patterns that are sliced where there are too many to slice them all
SIZES = [(8, 3), (12, 2), (12, 3), (16, 2), (17, 2), (18, 2), (8, 8), (6, 16), (3, 256)]
TARGETS = {(12, 3): 3.0, (16, 2): 1.5, (17, 2): 1.5, (18, 2): 1.5, (8, 8): 4.0, (6, 16): 4.0}
CONCATENATED = 10**8  # cells up to which concatenation is tried: it takes seconds there
LARGE = 2**20  # cells from which on a small buffer is no excuse for a tenth more memory
TABLES = 3  # of the size of the lattice that are there at once: it, and the pages to write on


def random_table(length: int, vocab: int) -> np.ndarray:
    table = np.random.default_rng(0).random((vocab,) * length)
    return table / table.sum()


def lattice(quick: bool) -> Iterator[Case | Skipped]:
    """The whole lattice."""
    rng = np.random.default_rng(1)
    for length, vocab in [(8, 3), (10, 2)] if quick else SIZES:
        size, cells = f"L={length} V={vocab}", (vocab + 1) ** length
        if TABLES * 8 * cells > free_memory():
            yield Skipped("lattice", size, f"needs {TABLES * 8 * cells / 2**30:.1f} GiB")
            continue
        p, x = random_table(length, vocab), rng.integers(MASK, vocab, size=(SAMPLE, length))
        found, ways = EvidenceLattice(p), []
        if cells <= CONCATENATED:
            assert_allclose(found.values, naive.concatenated_lattice(p), rtol=1e-12)
            ways = [Way("concatenating", partial(naive.concatenated_lattice, p))]
        assert_allclose(found.evidence(x), naive.sliced_evidence(p, x), rtol=1e-12)
        ways += [Way("slicing", partial(naive.sliced_evidence, p, x), SAMPLE / cells)]
        fresh = TARGETS.get((length, vocab))
        targets = () if fresh is None else (("fresh", fresh),)
        if cells >= LARGE:
            targets += (("peak", 1.1),)
        result, call = found.values.nbytes, partial(EvidenceLattice, p)
        del found
        yield Case("lattice", size, cells, call, ways, targets=targets, result_bytes=result)


def conditionals(quick: bool) -> Iterator[Case]:
    """The lattice, then the predictions of every site given every pattern of the others."""
    length, vocab = (5, 3) if quick else (8, 3)
    p = random_table(length, vocab)
    every = lambda: [*map(EvidenceLattice(p).conditionals, range(length))]  # noqa: E731
    for ours, theirs in zip(every(), naive.sliced_conditionals(p), strict=True):
        assert_allclose(ours, theirs, rtol=1e-12)
    kernel, size = "lattice + conditionals", f"L={length} V={vocab}"
    cells = (vocab + 1) ** length + length * vocab * (vocab + 1) ** (length - 1)
    ways = [Way("slicing", partial(naive.sliced_conditionals, p))]
    yield Case(kernel, size, cells, every, ways, targets=(("slicing", 500.0),))


def denoise(quick: bool) -> Iterator[Case]:
    """A batch of random patterns, once the lattice is there: their evidence, and predictions."""
    rng, (batch, sample) = np.random.default_rng(1), (256, 32) if quick else (4096, 256)
    for length, vocab in [(8, 3)] if quick else [(8, 3), (12, 3), (16, 2)]:
        p, x = random_table(length, vocab), rng.integers(MASK, vocab, size=(batch, length))
        found, few, size = EvidenceLattice(p), x[:sample], f"L={length} V={vocab}, batch {batch}"
        for kernel, call, slow, entries in (
            ("evidence", found.evidence, naive.sliced_evidence, 1),
            ("denoise", found.denoise, naive.sliced_denoise, 1 + length * vocab),
        ):
            assert_allclose(call(x)[:sample], slow(p, few), rtol=1e-12)
            cells = batch if entries == 1 else x.size * vocab
            yield Case(
                kernel,
                size,
                cells,
                partial(call, x),
                [Way("slicing", partial(slow, p, few), sample / batch)],
                patterns=batch,
                entries=entries,
                targets=(("entry", 0.2),),
                floors=(Floor("copy", cells, "every number that is returned was read first"),),
            )


def exact(quick: bool) -> Iterator[Case]:
    """Integers over one common denominator, against a table of Fractions."""
    length, vocab = (5, 3) if quick else (8, 3)
    weights = np.random.default_rng(0).integers(1, 100, size=(vocab,) * length)
    total = int(weights.sum())
    fractions = np.frompyfunc(lambda w: Fraction(int(w), total), 1, 1)(weights)
    assert_array_equal(EvidenceLattice(weights).values, naive.concatenated_lattice(fractions))
    kernel, size, cells = "lattice of integers", f"L={length} V={vocab}", (vocab + 1) ** length
    ways = [Way("Fractions", partial(naive.concatenated_lattice, fractions))]
    yield Case(kernel, size, cells, partial(EvidenceLattice, weights), ways)
