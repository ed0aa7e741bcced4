"""Every named distribution against its definition, by enumeration of all sequences."""

import itertools
import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
import sympy

from tests import oracles
from theory import (
    MASK,
    EmpiricalDistribution,
    InvalidInput,
    JointTable,
    TooLarge,
    gallery,
    information,
)
from theory.distributions import corpora


def is_coupled(x):
    return all(x[i] == x[i + 1] for i in range(0, len(x), 2))


def has_no_adjacent_ones(x):
    return all(a + b < 2 for a, b in itertools.pairwise(x))


def walks_up(x):
    return all(b - a in (0, 1) for a, b in itertools.pairwise((0, *x)))


# name: (function of one number, its arguments, length, vocabulary, is this sequence in it?)
UNIFORM = {
    "parity": (gallery.parity, range(1, 9), lambda n: (n, 2), lambda x: sum(x) % 2 == 0),
    "coupled_pairs": (gallery.coupled_pairs, range(1, 5), lambda n: (2 * n, 2), is_coupled),
    "one_hot": (gallery.one_hot, range(1, 9), lambda n: (n, 2), lambda x: sum(x) == 1),
    "permutations": (
        gallery.permutations,
        range(1, 6),
        lambda n: (n, n),
        lambda x: len(set(x)) == len(x),
    ),
    "walk": (gallery.walk, range(1, 6), lambda n: (n, n + 1), walks_up),
    "balanced": (
        gallery.balanced,
        range(2, 9, 2),
        lambda n: (n, 2),
        lambda x: 2 * sum(x) == len(x),
    ),
    "golden_mean": (gallery.golden_mean, range(1, 9), lambda n: (n, 2), has_no_adjacent_ones),
}
INSTANCES = [(name, n) for name, (_, numbers, _, _) in UNIFORM.items() for n in numbers]


@pytest.mark.parametrize(("name", "n"), INSTANCES)
@pytest.mark.parametrize("exact", [False, True], ids=["floats", "exact"])
def test_uniform_distributions_are_uniform_over_what_they_say(name, n, exact):
    build, _, shape, belongs = UNIFORM[name]
    length, vocab = shape(n)
    p = build(n, exact=exact)
    assert (p.length, p.vocab, p.exact) == (length, vocab, exact)
    members = [x for x in oracles.all_sequences(length, vocab) if belongs(x)]
    table = p.table()
    assert table.shape == (vocab,) * length
    for x in oracles.all_sequences(length, vocab):
        chance = Fraction(belongs(x), len(members))
        assert table[x] == chance if exact else table[x] == pytest.approx(float(chance), abs=0)
    assert p.evidence([MASK] * length) == pytest.approx(1)


@pytest.mark.parametrize("name", UNIFORM)
def test_exact_ones_answer_in_fractions(name):
    build, numbers, _, _ = UNIFORM[name]
    p = build(numbers[-1], exact=True)
    assert all(isinstance(v, Fraction) for v in p.denoise([MASK] * p.length).ravel())
    assert isinstance(p.evidence([MASK] * p.length), Fraction)


@pytest.mark.parametrize("length", range(1, 7))
@pytest.mark.parametrize("noise", [0, 0.0, 0.25, 0.5, 1])
def test_repeated_bit_flips_each_copy_of_a_fair_bit(length, noise):
    p = gallery.repeated_bit(length, noise)
    assert (p.length, p.vocab) == (length, 2)
    for x in oracles.all_sequences(length, 2):
        likelihoods = [math.prod(1 - noise if v == bit else noise for v in x) for bit in (0, 1)]
        assert p.evidence(x) == pytest.approx(sum(likelihoods) / 2, rel=1e-12)
    assert (
        gallery.repeated_bit(length).table().tolist()
        == gallery.repeated_bit(length, 0.0).table().tolist()
    )


@pytest.mark.parametrize("length", range(1, 7))
@pytest.mark.parametrize("flip", [Fraction(0), Fraction(1, 10), Fraction(1, 2), Fraction(1)])
def test_binary_symmetric_chain_flips_from_site_to_site(length, flip):
    p = gallery.binary_symmetric(length, float(flip))
    exact = gallery.binary_symmetric(length, flip, exact=True)
    for x in oracles.all_sequences(length, 2):
        steps = (flip if a != b else 1 - flip for a, b in itertools.pairwise(x))
        chance = math.prod(steps, start=Fraction(1, 2))
        assert exact.evidence(x) == chance
        assert p.evidence(x) == pytest.approx(float(chance), rel=1e-12)


def test_binary_symmetric_chain_with_a_symbol():
    """Between two equal bits, e of (0, 1, 0) against (0, 0, 0)."""
    e = sympy.Symbol("e", positive=True)
    p = gallery.binary_symmetric(3, e, exact=True)
    expected = e**2 / (e**2 + (1 - e) ** 2)
    assert sympy.simplify(p.denoise([0, MASK, 0])[1, 1] - expected) == 0
    assert sympy.simplify(p.evidence([0, 1, 1]) - e * (1 - e) / 2) == 0


@pytest.mark.parametrize("exact", [False, True], ids=["floats", "exact"])
def test_cities(exact):
    p = gallery.cities(exact=exact)
    support = np.argwhere(p.table() != 0)
    names = ["New York", "New Orleans", "Mexico City", "Panama City"]
    assert sorted(p.spell(support)) == sorted(names)
    assert {p.evidence(x) for x in support} == {Fraction(1, 4) if exact else 0.25}
    assert p.exact is exact
    assert p.spell([0, MASK]) == ["New ·"]


def test_permutations_of_eight_tokens_need_no_table():
    """9^8 lattice cells would be 43 million; 8! sequences are 40320."""
    p = gallery.permutations(8)
    assert isinstance(p, EmpiricalDistribution)
    assert p.sequences.shape == (math.factorial(8), 8)
    assert p.vocab == 8
    assert len(set(map(tuple, p.sequences.tolist()))) == math.factorial(8)
    assert all(sorted(row) == list(range(8)) for row in p.sequences.tolist())
    x = [5, 0, MASK, MASK, MASK, MASK, MASK, 7]
    expected = [0 if v in (0, 5, 7) else 1 / 5 for v in range(8)]
    for site in range(2, 7):
        assert p.denoise(x)[site] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("build", "n", "count"),
    [
        # 3^13 > 2^20: kept as sequences
        (gallery.parity, 13, 2**12),
        (gallery.coupled_pairs, 7, 2**7),
        (gallery.one_hot, 40, 40),
        (gallery.balanced, 14, math.comb(14, 7)),
        (gallery.golden_mean, 15, 1597),  # F(17)
    ],
)
def test_long_uniform_distributions_need_no_table(build, n, count):
    p = build(n)
    assert isinstance(p, EmpiricalDistribution)
    assert p.vocab == 2
    rows = np.unique(np.asarray(p.sequences), axis=0)
    assert rows.shape == (count, p.length)
    assert p.log_evidence(rows[0]) == pytest.approx(-math.log(count), rel=1e-12)


def test_one_hot_may_be_long():
    """It is made from its sequences, not from all 2^n strings."""
    p = gallery.one_hot(500)
    x = np.zeros(500, dtype=int)
    x[3:5] = MASK
    assert p.denoise(x)[3:5].tolist() == [[0.5, 0.5]] * 2


def test_small_uniform_distributions_are_tables():
    assert isinstance(gallery.parity(12), JointTable)
    assert isinstance(gallery.permutations(6), JointTable)


@pytest.mark.parametrize("length", range(1, 7))
def test_total_correlation_of_the_walk(length):
    """Site j has H(Bin(j, 1/2)), all sites together one bit each."""
    bits = 0.0
    for j in range(1, length + 1):
        shares = [math.comb(j, k) / 2**j for k in range(j + 1)]
        bits -= sum(q * math.log2(q) for q in shares)
    expected = pytest.approx(bits - length, abs=1e-12)
    assert information.total_correlation(gallery.walk(length), base=2) == expected


def test_lists_that_do_not_fit_are_refused():
    for build in (gallery.parity, gallery.golden_mean, gallery.walk, gallery.permutations):
        with pytest.raises(TooLarge, match="list of 2000-site sequences"):
            build(2000)


def test_the_exact_symmetric_chain_takes_integers():
    p = gallery.binary_symmetric(3, 0, exact=True)
    assert p.evidence([1, 1, 1]) == Fraction(1, 2)


def test_golden_mean_strings_are_counted_by_the_fibonacci_numbers():
    """A string of n ends in 0 after one of n - 1, or in 01 after one of n - 2."""
    fibonacci = [2, 3]
    while len(fibonacci) < 16:
        fibonacci.append(fibonacci[-1] + fibonacci[-2])
    for length, count in enumerate(fibonacci, start=1):
        evidence = gallery.golden_mean(length).evidence([0] * length)
        assert evidence == pytest.approx(1 / count, rel=1e-12)


def test_words_are_those_of_the_corpus_with_their_counts():
    p = gallery.words(4)
    counts = {w: c for w, c in corpora.english().words.items() if len(w) == 4}
    assert isinstance(p, EmpiricalDistribution)
    assert p.length == 4
    total = sum(counts.values())
    spelt = p.spell(p.sequences)
    assert sorted(spelt) == sorted(counts)
    assert all(len(word) == 4 for word in spelt)
    chance = dict(zip(spelt, p.evidence(p.sequences), strict=True))
    for word, count in counts.items():
        assert chance[word] == pytest.approx(count / total, rel=1e-12)


def test_letters_of_words_by_counting():
    """What follows "th·s": the letters of "this" and "thus", as often as these occur."""
    p = gallery.words(4)
    assert p.symbols is not None
    index = {letter: i for i, letter in enumerate(p.symbols)}
    x = [index["t"], index["h"], MASK, index["s"]]
    letters: Counter[str] = Counter()
    for word, count in corpora.english().words.items():
        if len(word) == 4 and word[:2] == "th" and word[3] == "s":
            letters[word[2]] += count
    assert letters["i"] > 0
    for letter, i in index.items():
        expected = letters[letter] / letters.total()
        assert p.denoise(x)[2, i] == pytest.approx(expected, rel=1e-12)


BUILDERS = [build for build, *_ in UNIFORM.values()] + [gallery.repeated_bit, gallery.words]


@pytest.mark.parametrize("build", BUILDERS, ids=lambda build: build.__name__)
@pytest.mark.parametrize("n", [0, -1, 2.0, "2", None, True])
def test_sizes_must_be_positive_integers(build, n):
    with pytest.raises(InvalidInput):
        build(n)


def test_other_bad_input():
    with pytest.raises(InvalidInput, match="length"):
        gallery.binary_symmetric(0, 0.5)
    with pytest.raises(InvalidInput, match="5"):
        gallery.balanced(5)
    with pytest.raises(InvalidInput, match="60"):
        gallery.words(60)
    for noise in (-0.1, 1.1, math.nan):
        with pytest.raises(InvalidInput, match="noise"):
            gallery.repeated_bit(3, noise)
        with pytest.raises(InvalidInput):
            gallery.binary_symmetric(3, noise)
    with pytest.raises(InvalidInput, match="exact"):
        gallery.binary_symmetric(3, 0.25, exact=True)
