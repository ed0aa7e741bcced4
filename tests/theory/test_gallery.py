"""Every named distribution against its definition, by enumeration of all sequences."""

import functools
import itertools
import math
from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy

from tests import oracles
from tests.noted import each, refusals
from theory import (
    MASK,
    EmpiricalDistribution,
    Exchangeable,
    JointTable,
    Permutations,
    ProductMixture,
    TooLarge,
    gallery,
)
from theory.text import corpora


def is_coupled(x):
    return all(x[i] == x[i + 1] for i in range(0, len(x), 2))


def has_no_adjacent_ones(x):
    return all(a + b < 2 for a, b in itertools.pairwise(x))


def walks_up(x):
    return all(b - a in (0, 1) for a, b in itertools.pairwise((0, *x)))


def is_balanced_brackets(x):
    heights = list(itertools.accumulate(1 if v == 0 else -1 for v in x))
    return min(heights) >= 0 and heights[-1] == 0


def square(x):
    n = math.isqrt(len(x))
    return [list(x[i * n : (i + 1) * n]) for i in range(n)]


def is_latin(x):
    rows = square(x)
    return all(len(set(line)) == len(line) for line in (*rows, *zip(*rows, strict=True)))


def is_sudoku(x):
    rows = square(x)
    boxes = [
        {rows[a][b], rows[a][b + 1], rows[a + 1][b], rows[a + 1][b + 1]}
        for a in (0, 2)
        for b in (0, 2)
    ]
    return is_latin(x) and all(len(box) == 4 for box in boxes)


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
    "dyck": (gallery.dyck, range(1, 5), lambda n: (2 * n, 2), is_balanced_brackets),
    "latin_squares": (gallery.latin_squares, range(1, 4), lambda n: (n * n, n), is_latin),
}
INSTANCES = [(name, n) for name, (_, numbers, _, _) in UNIFORM.items() for n in numbers]


@each(("name", "n"), INSTANCES)
@each("exact", [False, True], ids=["floats", "exact"])
def test_uniform_distributions_are_uniform_over_what_they_say(name, n, exact):
    build, _, shape, belongs = UNIFORM[name]
    length, vocab = shape(n)
    p = build(n, exact=exact)
    assert (p.length, p.vocab, p.exact) == (length, vocab, exact)
    members = [x for x in oracles.all_sequences(length, vocab) if belongs(x)]
    table = p.table()
    assert table.shape == (vocab,) * length
    for x in oracles.all_sequences(length, vocab):
        prob = Fraction(belongs(x), len(members))
        assert table[x] == prob if exact else table[x] == pytest.approx(float(prob), abs=0)
    assert p.evidence([MASK] * length) == pytest.approx(1)


@each("length", range(1, 7))
@each("noise", [0, 0.0, 0.25, 0.5, 1])
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


@each("length", range(1, 7))
@each("flip", [Fraction(0), Fraction(1, 10), Fraction(1, 2), Fraction(1)])
def test_binary_symmetric_chain_flips_from_site_to_site(length, flip):
    p = gallery.binary_symmetric(length, float(flip))
    exact = gallery.binary_symmetric(length, flip, exact=True)
    for x in oracles.all_sequences(length, 2):
        steps = (flip if a != b else 1 - flip for a, b in itertools.pairwise(x))
        prob = math.prod(steps, start=Fraction(1, 2))
        assert exact.evidence(x) == prob
        assert p.evidence(x) == pytest.approx(float(prob), rel=1e-12)


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
    assert p.evidence(support).tolist() == [Fraction(1, 4) if exact else 0.25] * 4
    assert p.exact is exact
    assert p.spell([0, MASK]) == ["New ·"]


@pytest.mark.parametrize("exact", [False, True], ids=["floats", "exact"])
def test_permutations_of_eight_tokens_need_no_table(exact):
    """9^8 lattice cells would be 43 million."""
    p = gallery.permutations(8, exact=exact)
    assert isinstance(p, Permutations)
    assert p.exact is exact
    x = [5, 0, MASK, MASK, MASK, MASK, MASK, 7]
    expected = [0 if v in (0, 5, 7) else Fraction(1, 5) for v in range(8)]
    for site in range(2, 7):
        found = p.denoise(x)[site].tolist()
        assert found == (expected if exact else [float(v) for v in expected])


@pytest.mark.parametrize(
    ("build", "n", "count"),
    [
        # 3^13 > 2^20: kept as sequences
        (gallery.coupled_pairs, 7, 2**7),
        (gallery.golden_mean, 15, 1597),  # F(17)
        (gallery.dyck, 8, 1430),  # C(16, 8) / 9
    ],
)
def test_long_uniform_distributions_need_no_table(build, n, count):
    p = build(n)
    assert isinstance(p, EmpiricalDistribution)
    assert p.vocab == 2
    rows = np.unique(np.asarray(p.sequences), axis=0)
    assert rows.shape == (count, p.length)
    assert p.log_evidence(rows[0]) == pytest.approx(-math.log(count), rel=1e-12)


BY_ONES = [
    (gallery.parity, range(0, 2001, 2), 2**1999),
    (gallery.one_hot, [1], 2000),
    (gallery.balanced, [1000], math.comb(2000, 1000)),
]


@pytest.mark.parametrize(("build", "allowed", "count"), BY_ONES)
def test_long_strings_with_a_rule_on_the_number_of_ones(build, allowed, count):
    """Every allowed string has evidence 1 / count, at 2000 sites as at 13."""
    p = build(2000)
    assert isinstance(p, Exchangeable)
    assert isinstance(build(13 if build is not gallery.balanced else 14), Exchangeable)
    rng = np.random.default_rng(0)
    for ones in (0, 1, 2, 999, 1000, 1001, 2000):
        x = rng.permutation(np.arange(2000) < ones).astype(int)
        found = p.log_evidence(x)
        if ones in allowed:
            assert found == pytest.approx(-math.log(count), rel=1e-11)
        else:
            assert found == -math.inf
    assert set(p.sample(rng, 20).sum(axis=1).tolist()) <= set(allowed)


def test_small_uniform_distributions_are_tables():
    assert isinstance(gallery.parity(12), JointTable)
    assert isinstance(gallery.permutations(6), JointTable)


def test_words_are_those_of_the_corpus_with_their_counts():
    p = gallery.words(4)
    counts = {w: c for w, c in corpora.english().words.items() if len(w) == 4}
    assert isinstance(p, EmpiricalDistribution)
    assert p.length == 4
    total = sum(counts.values())
    spelt = p.spell(p.sequences)
    assert sorted(spelt) == sorted(counts)
    assert all(len(word) == 4 for word in spelt)
    prob = dict(zip(spelt, p.evidence(p.sequences), strict=True))
    for word, count in counts.items():
        assert prob[word] == pytest.approx(count / total, rel=1e-12)


ROSES = ("a rose is a rose", "no rose is", "a cat")


def spoken(frequent):
    """The texts with rare words replaced; among equally frequent ones the alphabet decides."""
    counts = Counter(" ".join(ROSES).split())
    kept = sorted(counts, key=lambda word: (-counts[word], word))[:frequent]
    texts = [[w if w in kept else "<unknown>" for w in text.split()] for text in ROSES]
    return kept, texts


@each("frequent", [1, 2, 3, 5])
def test_common_words_by_walking_through_the_text(frequent):
    """What follows a word, or the word that begins any of the paragraphs where one ends."""
    kept, texts = spoken(frequent)
    symbols = (*kept, "<unknown>")
    p = gallery.common_words(4, frequent, corpora.from_paragraphs(ROSES))
    assert (p.length, p.symbols) == (4, symbols)
    steps: Any = Counter(pair for text in texts for pair in itertools.pairwise(text))
    for last, first in itertools.product(texts, texts):
        steps[last[-1], first[0]] += Fraction(1, len(texts))
    words = Counter(word for text in texts for word in text)
    for i, word in enumerate(symbols):
        assert p.initial[i] == pytest.approx(words[word] / words.total(), abs=1e-15)
        for j, following in enumerate(symbols):
            share = steps[word, following] / words[word] if words[word] else j == frequent
            assert p.transition[i, j] == pytest.approx(float(share), abs=1e-15)


def test_common_words_are_as_likely_at_every_site_as_in_the_text():
    p = gallery.common_words(256)
    words = corpora.english().words
    symbols = (*itertools.islice(words, 8), "<unknown>")
    assert p.symbols == symbols
    for site in (0, 1, 100, 255):
        shares = dict(zip(symbols, p.marginals[site].tolist(), strict=True))
        for word in symbols[:-1]:
            assert shares[word] == pytest.approx(words[word] / sum(words.values()), rel=1e-12)


test_common_words_that_are_too_many = refusals(
    ("frequent must be", lambda: gallery.common_words(4, 0)),
    (
        "at most 254 for <Corpus the prose of Python's documentation: .*, got 255",
        lambda: gallery.common_words(4, 255),
    ),
    (
        "at most 5 for <Corpus the text: 10 words.*, got {}",
        lambda n: gallery.common_words(4, n, corpora.from_paragraphs(ROSES)),
        [6, 100],
    ),
)


# Squares


def sequences(p):
    assert isinstance(p, EmpiricalDistribution)
    return np.asarray(p.sequences)


def test_latin_squares_and_sudokus_are_all_there():
    squares = sequences(gallery.latin_squares(4))
    assert squares.shape == (576, 16)
    assert all(is_latin(x) for x in squares.tolist())
    assert len(np.unique(squares, axis=0)) == 576
    assert (gallery.sudoku().length, gallery.sudoku().vocab) == (16, 4)
    sudokus = set(map(tuple, sequences(gallery.sudoku()).tolist()))
    assert sudokus == {x for x in map(tuple, squares.tolist()) if is_sudoku(x)}
    assert len(sudokus) == 288


def test_latin_squares_of_order_five_are_counted():
    """161280 = 5! 4! 56, with the 56 reduced squares of order 5."""
    assert sequences(gallery.latin_squares(5)).shape == (161280, 25)


def test_brackets_are_spelt():
    assert sorted(gallery.dyck(2).spell([[0, 0, 1, 1], [0, 1, 0, 1]])) == ["(())", "()()"]


# Spins


def spins(x):
    return [2 * v - 1 for v in x]


@each("beta", [0, 0.7, 1.5, -0.4])
@each("length", range(1, 7))
def test_spins_have_the_weights_of_their_energies(length, beta):
    sequences = oracles.all_sequences(length, 2)
    mean_field = {x: math.exp(beta * sum(spins(x)) ** 2 / (2 * length)) for x in sequences}
    ring = {
        x: math.exp(beta * sum(a * b for a, b in zip(s, (*s[1:], s[0]), strict=True)))
        for x in sequences
        for s in [spins(x)]
    }
    for build, weights in ((gallery.curie_weiss, mean_field), (gallery.ising_ring, ring)):
        p = build(length, beta)
        assert (p.length, p.vocab) == (length, 2)
        total = math.fsum(weights.values())
        for x in sequences:
            assert p.evidence(x) == pytest.approx(weights[x] / total, rel=1e-11)


def test_a_large_magnet():
    """Without coupling fair coins; far above the critical coupling, all spins agree."""
    nothing = np.full(10_000, MASK)
    assert gallery.curie_weiss(10_000, 0).log_evidence(nothing + 1) == pytest.approx(
        -10_000 * math.log(2), rel=1e-10
    )
    x = nothing.copy()
    x[:10] = 1
    assert gallery.curie_weiss(10_000, 20).denoise(x)[-1] == pytest.approx([0, 1], abs=1e-9)
    assert gallery.curie_weiss(10_000, 20).denoise(nothing)[0] == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("build", [gallery.curie_weiss, gallery.ising_ring])
def test_huge_couplings_align_all_neighbours(build):
    assert build(4, 1e100).evidence([1, 1, 1, 1]) == 0.5
    assert build(4, -1e100).evidence([1, 1, 1, 1]) == 0


# Codes and clauses


def code_words(generator, offset, q):
    """All messages times the generator, one by one."""
    length = len(offset)
    return {
        tuple(
            (offset[i] + sum(m * row[i] for m, row in zip(message, generator, strict=True))) % q
            for i in range(length)
        )
        for message in itertools.product(range(q), repeat=len(generator))
    }


CODES = [
    ([[1, 1, 0], [0, 1, 1]], None, 2),
    ([[1, 1, 0], [0, 1, 1], [1, 0, 1]], [1, 0, 0], 2),  # the third row is the sum of the others
    ([[1, 2, 0, 1], [0, 1, 1, 2]], [0, 2, 1, 0], 3),
    ([[2, 0, 1], [0, 3, 3]], None, 4),  # zero divisors
    ([[2, 3, 5]], [7, -1, 0], 6),
    ([[-1, 4]], None, 3),
    ([[0, 0, 0]], [1, 1, 0], 2),
]


@each(("generator", "offset", "q"), CODES)
@each("exact", [False, True], ids=["floats", "exact"])
def test_affine_codes_are_uniform_over_their_words(generator, offset, q, exact):
    p = gallery.affine_code(generator, offset, q, exact=exact)
    words = code_words(generator, offset or [0] * len(generator[0]), q)
    assert (p.length, p.vocab, p.exact) == (len(generator[0]), q, exact)
    for x in oracles.all_sequences(p.length, q):
        prob = Fraction(x in words, len(words))
        assert p.evidence(x) == (prob if exact else pytest.approx(float(prob), abs=0))


def test_a_long_code_is_kept_as_sequences():
    generator = np.random.default_rng(0).integers(0, 2, (6, 40))
    p = gallery.affine_code(generator)
    assert isinstance(p, EmpiricalDistribution)
    assert p.length == 40
    words = code_words(generator.tolist(), [0] * 40, 2)
    assert set(map(tuple, np.asarray(p.sequences).tolist())) == words


@pytest.mark.parametrize("exact", [False, True], ids=["floats", "exact"])
def test_clauses_say_whether_their_latents_differ(exact):
    clauses = [(0, 1, 2), (3, 1, 0)]
    p = gallery.nae_sat(4, clauses, exact=exact)
    assert (p.length, p.vocab, p.exact) == (6, 2, exact)
    for x in oracles.all_sequences(6, 2):
        told = tuple(len({x[i] for i in clause}) > 1 for clause in clauses)
        prob = Fraction(tuple(map(bool, x[4:])) == told, 16)
        assert p.evidence(x) == (prob if exact else float(prob))
    assert gallery.nae_sat(2, []).evidence([0, 1]) == 0.25


# Texts of any length


@each(("length", "words"), [(1, 1), (1, 3), (3, 1), (3, 2), (4, 2), (2, 3)])
def test_a_padded_text_has_any_length_and_any_words(length, words):
    expected = {}
    for lasting in range(length + 1):
        for text in itertools.product(range(words), repeat=lasting):
            x = (*text, *[words] * (length - lasting))
            expected[x] = Fraction(1, (length + 1) * words**lasting)
    p, floats = (gallery.padded_text(length, words, exact=exact) for exact in (True, False))
    assert probabilities(p) == expected
    assert sum(expected.values()) == 1
    assert floats.table() == pytest.approx(p.table().astype(float), rel=1e-12)
    assert isinstance(floats, ProductMixture)


def test_a_padded_text_predicts_and_is_drawn_at_any_length():
    """Given a word at site i the text lasts i + 1 to L sites; given an end there, 0 to i."""
    length, words, site = 500, 3, 100
    p = gallery.padded_text(length, words)
    x = np.full((2, length), MASK)
    x[0, site], x[1, site] = 0, words
    after_word, before_end = p.denoise(x)
    places = np.arange(length)
    ended = (places - site) / (length - site)
    assert after_word[site + 1 :, words] == pytest.approx(ended[site + 1 :], rel=1e-9)
    assert after_word[:site] == pytest.approx(np.tile([1 / 3, 1 / 3, 1 / 3, 0], (site, 1)))
    assert before_end[:site, words] == pytest.approx((places[:site] + 1) / (site + 1), rel=1e-9)
    drawn = p.sample(np.random.default_rng(0), 300)
    lengths = (drawn != words).sum(axis=1)
    assert ((drawn == words) == (places >= lengths[:, None])).all()
    assert abs(lengths.mean() - length / 2) < 5 * length / math.sqrt(12 * 300)


# Chains


def probabilities(p):
    """The probability of every sequence that has one."""
    table = p.table()
    return {
        x: table[x] for x in itertools.product(range(p.vocab), repeat=p.length) if table[x] != 0
    }


@pytest.mark.parametrize(("period", "choices"), [(1, 1), (2, 1), (3, 1), (2, 2), (1, 3)])
def test_periodic_sequences_go_through_the_phases_in_turn(period, choices):
    length = 4
    p = gallery.periodic(length, period, choices, exact=True)
    assert p.vocab == period * choices

    def in_turn(x):
        return all(b // choices == (a // choices + 1) % period for a, b in itertools.pairwise(x))

    allowed = {x for x in itertools.product(range(p.vocab), repeat=length) if in_turn(x)}
    assert probabilities(p) == dict.fromkeys(allowed, Fraction(1, period * choices**length))
    floats = gallery.periodic(length, period, choices).table()
    assert floats == pytest.approx(p.table().astype(float), rel=1e-14, abs=0)


@pytest.mark.parametrize("words", [1, 2, 3])
def test_a_text_of_fair_words_ends_after_each_with_the_same_chance(words):
    end, length = Fraction(1, 3), 4
    p = gallery.end_of_text(length, end, words, exact=True)
    expected = {}
    for lasting in range(1, length + 1):  # it ends then, or not yet
        stops = end if lasting < length else 1
        prob = (1 - end) ** (lasting - 1) * stops / Fraction(words) ** lasting
        for written in itertools.product(range(words), repeat=lasting):
            expected[(*written, *[words] * (length - lasting))] = prob
    assert probabilities(p) == expected


def test_two_classes_are_two_symmetric_chains():
    flip, length = Fraction(1, 5), 4
    p = gallery.two_classes(length, flip, exact=True)
    bits = probabilities(gallery.binary_symmetric(length, flip, exact=True))
    expected = {tuple(v + 2 * c for v in x): q / 2 for x, q in bits.items() for c in (0, 1)}
    assert probabilities(p) == expected


def test_sites_of_a_template_are_independent():
    p = gallery.template(4, period=3, noise=0.25)
    for x, prob in probabilities(p).items():
        right = sum(v == i % 3 for i, v in enumerate(x))
        assert prob == pytest.approx(0.75**right * 0.125 ** (4 - right), rel=1e-12)


@pytest.mark.parametrize("visible", [0.0, 0.5, 1.0])
def test_hidden_phases_alternate(visible):
    p = gallery.hidden_periodic(3, visible)
    right, wrong = (1 + visible) / 2, (1 - visible) / 2
    table = p.table()
    for x in itertools.product(range(2), repeat=3):
        expected = 0.0
        for phase in (0, 1):
            hits = sum(v == (phase + i) % 2 for i, v in enumerate(x))
            expected += 0.5 * right**hits * wrong ** (3 - hits)
        assert table[x] == pytest.approx(expected, abs=1e-15)


def test_symbols_for_what_is_left_open():
    e = sympy.Symbol("e", positive=True)
    p = gallery.end_of_text(3, e, words=1, exact=True)
    assert sympy.simplify(p.denoise([0, -1, -1])[2, 0] - (1 - e) ** 2) == 0
    p = gallery.two_classes(2, e, exact=True)
    assert sympy.simplify(p.denoise([2, -1])[1, 3] - e) == 0


test_what_chains_refuse = refusals(
    ("period must be an integer of at least 1, got 0", lambda: gallery.periodic(3, 0)),
    ("words must be an integer of at least 1, got 0", lambda: gallery.padded_text(3, 0)),
    ("end must be a finite number between 0 and 1", lambda: gallery.end_of_text(3, 1.5)),
    ("flip must be a finite number between 0 and 1", lambda: gallery.two_classes(3, -0.1)),
    ("must not be negative", lambda: gallery.two_classes(3, Fraction(3, 2), exact=True)),
    ("period must be an integer of at least 2, got 1", lambda: gallery.template(3, 1)),
    ("length must be an integer of at least 1, got 0", lambda: gallery.template(0)),
    ("visible must be a finite number between 0 and 1", lambda: gallery.hidden_periodic(3, 2)),
)


BUILDERS = [build for build, *_ in UNIFORM.values()] + [gallery.repeated_bit, gallery.words]
MAGNETS = (gallery.curie_weiss, gallery.ising_ring)
NO_SIZES = [0, -1, 2.0, "2", None, True]
NO_GENERATORS = [3, [1, 0], [[0.5, 1]], [[1], [1, 0]], [["a"]], np.zeros((2, 0), int), None]
NO_CLAUSES = [[(0, 1)], [(0, 1, 2, 3)], [(0, 1, 1)], [(0, 1, 4)], [(0, 1, -1)], [3], 3]

test_what_is_refused = refusals(
    *(("{}", build, NO_SIZES) for build in BUILDERS),
    ("length", lambda length: gallery.binary_symmetric(length, 0.5), [0]),
    ("5", gallery.balanced, [5]),
    ("60", gallery.words, [60]),
    ("noise", lambda noise: gallery.repeated_bit(3, noise), [-0.1, 1.1, math.nan]),
    ("{}", lambda flip: gallery.binary_symmetric(3, flip), [-0.1, 1.1, math.nan]),
    ("exact", lambda: gallery.binary_symmetric(3, 0.25, exact=True)),
    *(
        ("beta", functools.partial(build, 3), [math.nan, math.inf, "1", None, True, 1e101])
        for build in MAGNETS
    ),
    *(("length", functools.partial(build, beta=1), [0, 2.0, None]) for build in MAGNETS),
    ("generator", gallery.affine_code, NO_GENERATORS),
    (
        "offset",
        functools.partial(gallery.affine_code, [[1, 1]]),
        [1, [1], [[1, 1]], [0.5, 1], "ab"],
    ),
    (
        "modulus",
        functools.partial(gallery.affine_code, [[1, 1]], None),
        [1, 0, -2, 2.0, None, True],
    ),
    (r"clause|sites", functools.partial(gallery.nae_sat, 4), NO_CLAUSES),
    ("latents", functools.partial(gallery.nae_sat, clauses=[]), [0, -1, 2.0, None, True]),
)

test_what_does_not_fit_is_refused = refusals(
    ("list of 2000-site sequences", gallery.golden_mean, [2000]),
    ("list of 2000-site sequences", gallery.walk, [2000]),
    ("sequences", gallery.coupled_pairs, [1000]),
    ("sequences", gallery.dyck, [1000]),
    ("Latin squares", gallery.latin_squares, [6, 50]),
    (r"\(4,\)\*16", lambda: gallery.latin_squares(4, exact=True)),  # 4^16 Fractions
    (r"\(2,\)\*100", lambda: gallery.ising_ring(100, 1)),
    ("sequences", gallery.affine_code, [np.eye(200, dtype=int)]),
    error=TooLarge,
)
