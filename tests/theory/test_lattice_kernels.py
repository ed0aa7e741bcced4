"""How the lattice is summed: every kernel and split against slices of the table, and its limits.

The weights are integers whose total is a power of two. Then every probability and every sum of
them is exact in float64, whatever the order of the sums, and equality can be asked for.
"""

import itertools
import random
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest

from tests.noted import each
from theory import MASK, EvidenceLattice
from theory.errors import TooLarge

# (L, V): one axis, several axes at once, rows of ones, and sums in place
SIZES = [(1, 1), (6, 1), (1, 5), (2, 2), (8, 2), (5, 3), (4, 4), (2, 7), (3, 9), (4, 6), (2, 70)]


def dyadic(length, vocab, seed=0):
    """Integer weights whose sum is a power of two."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(0, 9, (vocab,) * length)
    weights.flat[0] = 0
    weights.flat[0] = 2 ** int(weights.sum()).bit_length() - weights.sum()
    return weights


def slices(weights, limit=400):
    """(index in the lattice, sum of the slice) of all patterns, or of so many random ones."""
    length, vocab = weights.ndim, len(weights)
    if (vocab + 1) ** length <= limit:
        chosen = itertools.product(range(vocab + 1), repeat=length)
    else:
        rng = random.Random(0)
        chosen = [tuple(rng.choices(range(vocab + 1), k=length)) for _ in range(limit)]
        chosen += [(vocab,) * length, (0,) * length]
    for index in chosen:
        yield index, int(weights[tuple(slice(None) if v == vocab else v for v in index)].sum())


@pytest.fixture
def in_parts(monkeypatch):
    """Every lattice counts as large: sums and entropies in parts, short products, by threads."""
    small = {"CACHE_ENTRIES": 30, "PART_ENTRIES": 2, "LARGEST_PRODUCT": 20, "LARGEST_SUM": 20}
    for name, value in small.items():
        monkeypatch.setattr(f"theory.lattice.subset_sums.{name}", value)
    for name, value in {"CACHE_ENTRIES": 5, "PART_ENTRIES": 2}.items():
        monkeypatch.setattr(f"theory.lattice.entropy_sums.{name}", value)


@pytest.fixture(params=[2, 5])
def threads(request, in_parts, monkeypatch):
    monkeypatch.setattr("theory.lattice.subset_sums.THREADED_ENTRIES", 1)
    monkeypatch.setattr("theory.lattice.subset_sums.usable_threads", lambda: request.param)


def check(found, weights):
    total = int(weights.sum())
    for index, expected in slices(weights):
        assert Fraction(float(found[index])) == Fraction(expected, total), index


each_size = each(("length", "vocab"), SIZES)


@each_size
def test_every_kernel_sums_the_slices(length, vocab):
    weights = dyadic(length, vocab)
    check(EvidenceLattice(weights.astype(float)).values, weights)
    numerators = EvidenceLattice(weights).numerators
    assert numerators.dtype == np.int64
    for index, expected in slices(weights):
        assert numerators[index] == expected


@each_size
def test_splitting_into_parts_and_short_products_changes_nothing(length, vocab, in_parts):
    weights = dyadic(length, vocab, seed=1)
    check(EvidenceLattice(weights.astype(float)).values, weights)
    objects = EvidenceLattice(weights.astype(object) * 2**70).numerators  # beyond 64 bits
    assert all(objects[index] == expected * 2**70 for index, expected in slices(weights))


@pytest.mark.parametrize(("length", "vocab"), [(13, 2), (10, 3), (6, 8), (5, 16), (3, 80)])
def test_lattices_beyond_one_part(length, vocab):
    weights = dyadic(length, vocab)
    check(EvidenceLattice(weights.astype(float)).values, weights)


@each("view", [np.transpose, np.flip, lambda x: np.repeat(x, 2)[::2]])
@each("dtype", [np.float64, np.float32, np.float16, np.longdouble])
def test_weights_of_any_layout_and_float_type(view, dtype):
    weights = dyadic(4, 3)
    values = EvidenceLattice(view(weights.astype(dtype)).reshape(weights.shape)).values
    assert values.dtype == np.float64
    check(values, np.asarray(view(weights)).reshape(weights.shape))


def test_huge_and_tiny_weights():
    for scale in (1e308, 1e-320):
        values = EvidenceLattice(np.full((2, 2, 2), scale)).values
        assert values[2, 2, 2] == pytest.approx(1, rel=1e-12)
        assert values[0, 2, 1] == pytest.approx(0.25, rel=1e-3 if scale < 1 else 1e-12)


# ---- memory -------------------------------------------------------------------------------


def peak_of(build):
    build()  # what is loaded on the way does not count
    tracemalloc.start()
    lattice = build()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak, lattice.numerators.nbytes


@pytest.mark.parametrize("given", [np.float64, np.float32])
@pytest.mark.parametrize(
    ("length", "vocab", "threads"),
    [(14, 2, 2), (15, 2, 1), (15, 2, 16), (12, 3, 2), (7, 9, 16), (3, 200, 16)],
)
def test_the_peak_is_the_result_and_at_most_a_tenth(monkeypatch, length, vocab, threads, given):
    """However many threads there are, each of which needs memory of its own."""
    monkeypatch.setattr("theory.lattice.subset_sums.usable_threads", lambda: threads)
    table = np.full((vocab,) * length, 1, dtype=given)
    peak, result = peak_of(lambda: EvidenceLattice(table))
    assert result <= peak <= 1.1 * result


def test_a_peak_that_holds_the_table_twice_would_be_seen():
    table = np.full((200,) * 3, 1.0)
    peak, result = peak_of(lambda: EvidenceLattice(table / table.sum()))
    assert peak > 1.1 * result


def test_entropies_take_little_memory():
    lattice = EvidenceLattice(np.full((2,) * 13, 1.0))
    tracemalloc.start()
    lattice.subset_entropies()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.2 * lattice.numerators.nbytes


# ---- entropies and predictions in parts -----------------------------------------------------


@each(("length", "vocab"), [(1, 3), (2, 5), (4, 2), (3, 3)])
def test_entropies_in_parts(length, vocab, in_parts):
    """Of integers and of floats, from the sums over the sites that are masked."""
    weights = np.random.default_rng(5).integers(0, 3, (vocab,) * length)
    weights.flat[-1] = 1
    exact = EvidenceLattice(weights).subset_entropies()
    floats = EvidenceLattice(weights.astype(float)).subset_entropies()
    for observed in np.ndindex(exact.shape):
        masked = tuple(i for i, seen in enumerate(observed) if not seen)
        shares = np.ravel(weights.sum(axis=masked) / weights.sum())
        wanted = pytest.approx(-sum(q * np.log(q) for q in shares if q), rel=1e-12, abs=1e-14)
        assert float(exact[observed]) == wanted
        assert floats[observed] == wanted


@pytest.mark.parametrize("vocab", [2, 7, 8, 9])
def test_predictions_over_short_and_long_axes(vocab):
    weights = np.random.default_rng(6).integers(1, 9, (vocab,) * 2)
    patterns = list(itertools.product([MASK, *range(vocab)], repeat=2))
    exact = EvidenceLattice(weights).denoise(np.array(patterns))
    floats = EvidenceLattice(weights.astype(float)).denoise(np.array(patterns))
    for row, (a, b) in enumerate(patterns):
        expected = [
            [int(v == a) if a != MASK else share(weights, (v, b), (a, b)) for v in range(vocab)],
            [int(v == b) if b != MASK else share(weights, (a, v), (a, b)) for v in range(vocab)],
        ]
        assert exact[row].tolist() == expected
        np.testing.assert_allclose(floats[row], np.array(expected, dtype=float), rtol=1e-13)


def share(weights, seen, given):
    part, whole = (
        weights[tuple(slice(None) if v == MASK else v for v in x)].sum() for x in (seen, given)
    )
    return Fraction(int(part), int(whole))


@each_size
def test_threads_fill_the_same_lattice(length, vocab, threads):
    weights = dyadic(length, vocab)
    check(EvidenceLattice(weights.astype(float)).values, weights)


def test_what_goes_wrong_in_a_thread_is_raised(monkeypatch, threads):
    def fails(*arguments):
        raise MemoryError("no scratch memory")

    monkeypatch.setattr("theory.lattice.subset_sums._Products.__call__", fails)
    with pytest.raises(TooLarge, match="scratch"):
        EvidenceLattice(np.ones((2,) * 7) / 2**7)
