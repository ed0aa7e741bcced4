"""Chains of words: against every path that the text allows, and against dense distributions."""

import decimal
import functools
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array, eye_array

from tests.noted import each, refusals
from tests.theory.text_oracle import Oracle
from theory import MASK, HiddenMarkovModel, InvalidInput, MarkovChain, TooLarge, homogenization
from theory._markov import sparse_spectrum
from theory._markov.sparse_spectrum import power_limit
from theory.text import corpora
from theory.text.bridges import Middle
from theory.text.word_chain import WordChain

ROSES = ["A rose is a rose.", "A cat is no rose!", "No?", "Is a cat a rose? No rose is a cat."]
TEXTS = {
    "roses": ROSES,
    "one word": ["yes"],
    "sentence": ["the old man and the old sea saw the man and the sea"],
    "parts": ["a b a", "c d c", "a b"],
}
CHAINS = [(order, end) for order in (1, 2) for end in ("restart", "absorbing")]
END = corpora.END


def oracle_of(texts, order, end, frequent=254):
    spoken = ["".join(c if c.isalpha() else " " for c in text).lower().split() for text in texts]
    return Oracle(spoken, order, end, frequent)


def spread(paths, place, vocabulary):
    """Distribution of the word at a place of the paths, None if there are none."""
    total = sum(prob for prob, _ in paths)
    if not total:
        return None
    counts = Counter()
    for prob, path in paths:
        counts[path[place]] += prob
    return [float(counts[word] / total) for word in vocabulary]


def agree(texts, order, end, frequent, left, right):
    corpus = corpora.from_paragraphs(texts, frequent)
    chain = WordChain(corpus, order, end)
    oracle = oracle_of(texts, order, end, frequent)
    assert corpus.vocabulary == oracle.vocabulary
    dist, future = chain.after(left), chain.before(right)
    paths = oracle.paths(left, 5)
    for n in range(1, 6):
        expected = spread(paths, n - 1, corpus.vocabulary)
        assert chain.predict(dist, n) == pytest.approx(expected, abs=1e-14)
        ended = float(sum(prob for prob, path in paths if END in path[:n]))
        assert chain.ended(dist, n) == pytest.approx(ended, abs=1e-14)
    there = [(prob, path) for prob, path in paths if path[-1] == right]
    for n in range(1, 5):
        expected = spread(there, n - 1, corpus.vocabulary)
        if expected is None:
            with pytest.raises(InvalidInput, match="never says this at distance 5"):
                chain.bridge(dist, future, n, 5 - n)
            with pytest.raises(InvalidInput, match="never says this at distance 5"):
                chain.ended(dist, 5, future)
        else:
            assert chain.bridge(dist, future, n, 5 - n) == pytest.approx(expected, abs=1e-14)
            over = sum(prob for prob, path in there if END in path[:-1])
            share = float(over / sum(prob for prob, _ in there))
            assert chain.ended(dist, 5, future) == pytest.approx(share, abs=1e-13)


@each(("order", "end"), CHAINS)
@each(
    ("left", "right"),
    [("a", "rose"), ("is", "is"), ("no", "cat"), (END, "cat"), ("a", END), (END, END)],
)
def test_predictions_are_sums_over_all_paths(order, end, left, right):
    agree(ROSES, order, end, 10, left, right)


SMALL = st.lists(
    st.lists(st.sampled_from("abcd"), min_size=1, max_size=6).map(" ".join), min_size=1, max_size=4
)


@settings(max_examples=60)
@given(SMALL, st.sampled_from(CHAINS), st.integers(1, 4), st.data())
def test_predictions_are_sums_over_all_paths_of_any_text(texts, kind, frequent, data):
    known = st.sampled_from(corpora.from_paragraphs(texts, frequent).vocabulary[:-2])
    order, end = kind
    agree(texts, order, end, frequent, data.draw(known), data.draw(known))


# Dense distributions


def dense(chain, dist, length):
    """The chain as a distribution of `theory`: on words, or on pairs that show their last word."""
    steps = chain.transition.toarray()
    emission = np.eye(len(chain.vocabulary))[chain.words]
    if chain.order == 1:
        whole = np.eye(len(chain.vocabulary))
        whole[np.ix_(chain.words, chain.words)] = steps
        return MarkovChain(dist @ emission, whole, length)
    return HiddenMarkovModel(dist, steps, emission, length)


@pytest.mark.parametrize(("order", "end"), CHAINS)
def test_phrases_are_observed_word_by_word(order, end):
    corpus = corpora.from_paragraphs(ROSES)
    chain = WordChain(corpus, order, end)
    p = dense(chain, chain.anywhere(), 7)
    left, right = "is a", "rose is"
    pattern = np.full(7, MASK)
    pattern[:2], pattern[5:] = chain.tokens(left), chain.tokens(right)
    found = chain.bridge(chain.after(left), chain.before(right), 2, 2)
    assert found == pytest.approx(p.denoise(pattern)[3], abs=1e-14)


def test_english_of_order_one_is_the_markov_chain():
    corpus = corpora.english()
    chain, p = WordChain(corpus, end="absorbing"), corpus.chain(21)
    np.testing.assert_allclose(chain.transition.toarray(), p.transition, rtol=1e-14, atol=0)
    pattern = np.full(21, MASK)
    pattern[0], pattern[20] = map(corpus.vocabulary.index, ("the", "method"))
    found = chain.bridge(chain.after("the"), chain.before("method"), 7, 13)
    assert found == pytest.approx(p.denoise(pattern)[7], abs=1e-15)


@pytest.mark.parametrize(("order", "end"), CHAINS)
def test_several_distances_at_once(order, end):
    chain = WordChain(corpora.from_paragraphs(ROSES), order, end)
    dists = np.stack([chain.after(word) for word in ("a", "rose", "is")])
    places = (0, 1, 4, 4, 9)
    found = list(chain.predictions(dists, places))
    gaps = list(chain.differences(dists, chain.anywhere(), places))
    for n, here, gap in zip(places, found, gaps, strict=True):
        for k, word in enumerate(("a", "rose", "is")):
            dist = chain.after(word)
            assert here[k] == pytest.approx(chain.predict(dist, n), abs=1e-15)
            alone = chain.difference(dist, chain.anywhere(), n)
            assert gap[k] == pytest.approx(alone, rel=1e-12, abs=1e-16)


def test_distances_grow():
    chain = WordChain(corpora.from_paragraphs(ROSES))
    dist = chain.after("a")
    for walk in (chain.predictions(dist, [3, 2]), chain.differences(dist, dist, [3, 2])):
        next(walk)
        with pytest.raises(InvalidInput, match="distance must be an integer of at least 3, got 2"):
            next(walk)


# Far away


@pytest.mark.parametrize(("order", "end"), CHAINS)
def test_differences_shrink_like_the_eigenvalue(order, end):
    chain = WordChain(corpora.from_paragraphs(ROSES), order, end)
    dist = chain.after("a")
    rate = chain.far(dist).rate
    # over many sites, since complex eigenvalues turn
    gaps = chain.differences(dist, chain.lasting(), range(200, 260))
    sizes = [np.abs(gap).sum() for gap in gaps]
    slope = np.polyfit(np.arange(60), np.log(sizes), 1)[0]
    assert np.exp(slope) == pytest.approx(rate, rel=0.01)


def test_a_difference_far_below_rounding_is_accurate():
    """Against fractions: 200 sites away, where the predictions agree in every digit."""
    chain = WordChain(corpora.from_paragraphs(ROSES))
    size = len(chain.words)
    counts = [[0] * size for _ in range(size)]
    oracle = oracle_of(ROSES, 1, "restart")
    for i, word in enumerate(chain.words):
        for j, new in enumerate(chain.words):
            counts[i][j] = oracle.following[(chain.vocabulary[word],)][chain.vocabulary[new]]
    totals = [sum(row) for row in counts]
    gap = [Fraction(-n, sum(totals)) for n in totals]
    gap[list(chain.words).index(chain.vocabulary.index("a"))] += 1
    for _ in range(200):
        gap = [
            sum(gap[i] * Fraction(counts[i][j], totals[i]) for i in range(size))
            for j in range(size)
        ]
    found = chain.difference(chain.after("a"), chain.lasting(), 200)
    assert np.abs(found).max() < 1e-20
    assert found[chain.words] == pytest.approx([float(g) for g in gap], rel=1e-9, abs=1e-40)


@pytest.mark.parametrize("texts", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("end", ["restart", "absorbing"])
def test_order_one_is_decided_alike(texts, end):
    """The theory of finite chains says the same of the slowest context."""
    corpus = corpora.from_paragraphs(texts)
    chain = WordChain(corpus, 1, end)
    decision = homogenization.decide(MarkovChain(chain.anywhere(), chain.transition.toarray(), 2))
    far = [chain.far(chain.after(word)) for word in corpus.vocabulary[:-2]]
    assert all((f.limit is None) == (not decision.homogenizes) for f in far)
    assert max(f.rate for f in far) == pytest.approx(float(decision.rate), abs=1e-7)
    if decision.limit is not None:
        for f in far:
            assert f.limit is not None
            assert f.limit[chain.words] == pytest.approx(decision.limit, abs=1e-12)


def test_the_middle_is_decided_alike():
    chain = WordChain(corpora.english(), 1, "absorbing")
    p = MarkovChain(chain.anywhere(), chain.transition.toarray(), 2)
    left, right = map(chain.vocabulary.index, ("object", "method"))
    decision = homogenization.decide_middle(p, left, right)
    far = chain.far(chain.after("object"), chain.before("method"))
    assert far.rate == pytest.approx(float(decision.rate), rel=1e-10)
    assert far.limit == pytest.approx(decision.limit, abs=1e-12)


@functools.cache
def in_many_digits(order, end, left, right, far):
    """Predictions up to so far from both of two words of the roses, with 60 digits."""
    chain = WordChain(corpora.from_paragraphs(ROSES), order, end)
    with decimal.localcontext(prec=60):
        counts = np.rint(chain.transition.toarray() * chain.counts[:, None]).astype(int)
        steps = np.asarray([[Decimal(n) / sum(row) for n in row] for row in counts.tolist()])
        dist = np.asarray([Decimal(n) for n in chain.counts.tolist()])
        dist = dist * (chain.words == chain.tokens(left)[0]).astype(int)
        future = np.asarray([Decimal(int(v)) for v in chain.words == chain.tokens(right)[0]])
        found = []
        for _ in range(far + 1):
            words = [Decimal(0)] * len(chain.vocabulary)
            for word, weight in zip(chain.words, dist * future, strict=True):
                words[word] += weight
            total = sum(words)
            found.append([weight / total for weight in words] if total else None)
            dist, future = dist @ steps, steps @ future
        return found


@each(("order", "end"), CHAINS)
@each("sites", [3, 20, 200])
def test_between_two_words_small_differences_are_accurate(order, end, sites):
    """Against 60 digits: at 200 sites nothing would be left of two rounded predictions."""
    chain = WordChain(corpora.from_paragraphs(ROSES), order, end)
    middle = Middle(chain, chain.after("a"), chain.before("cat"))
    assert not middle.rounded
    assert middle.far.rate**600 < 1e-20  # the oracle is at its limit after 800 sites
    predictions = in_many_digits(order, end, "a", "cat", 800)
    found, here, limit = middle.gap(sites, sites), predictions[sites], predictions[800]
    with decimal.localcontext(prec=60):
        expected = [float(v - w) for v, w in zip(here, limit, strict=True)]
    largest = max(map(abs, expected))
    assert (largest < 1e-10) == (sites == 200)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9 * largest)


@pytest.mark.parametrize(
    ("texts", "end", "left", "right", "rate"),
    [
        (["one two three", "one two three"], "restart", "one", "two", 1.0),  # no limit
        (["a " * 40], "absorbing", "a", "a", 0.0),  # reached at once
        (["a " * 99 + "b " * 99], "restart", "a", "b", None),  # slow
    ],
)
def test_where_a_difference_is_rounded(texts, end, left, right, rate):
    chain = WordChain(corpora.from_paragraphs(texts), 1, end)
    dist, future = chain.after(left), chain.before(right)
    middle = Middle(chain, dist, future)
    assert middle.rounded
    assert middle.far.rate == rate if rate is not None else 0.9 < middle.far.rate < 1
    if middle.far.limit is not None:
        direct = chain.bridge(dist, future, 3, 4) - middle.far.limit
        assert middle.gap(3, 4).tolist() == direct.tolist()


def test_a_difference_between_words_that_never_stand_there():
    chain = WordChain(corpora.from_paragraphs(["a b c d", "d e e e"]))
    middle = Middle(chain, chain.after("a"), chain.before("d"))
    with pytest.raises(InvalidInput, match="never says this at distance 2"):
        middle.gap(1, 1)


def test_a_text_that_repeats_itself_has_no_limit():
    chain = WordChain(corpora.from_paragraphs(["one two three", "one two three"]))
    assert chain.far(chain.after("one")) == (None, 1.0)
    assert chain.far(chain.after("one"), chain.before("two")) == (None, 1.0)
    assert chain.predict(chain.after("one"), 400) == pytest.approx([1, 0, 0, 0, 0], abs=0)


def test_a_text_that_soon_ends_reaches_its_limit():
    chain = WordChain(corpora.from_paragraphs(["one two three"]), 1, "absorbing")
    far = chain.far(chain.after("one"))
    assert far.rate == 0
    assert far.limit is not None
    assert far.limit.tolist() == [0, 0, 0, 0, 1]
    assert chain.far(chain.after("one"), chain.before("three")) == (None, 0.0)
    assert chain.far(chain.after("three"), chain.before("one")) == (None, 0.0)


def test_between_two_words_only_what_lies_between_them_counts():
    """Of a and b there is a way to d over c only, where one step of three stays."""
    chain = WordChain(corpora.from_paragraphs(["a c c d", "b b b b", "a c d"]), 1, "absorbing")
    far = chain.far(chain.after("a"), chain.before("d"))
    assert far.limit is not None
    assert far.limit[chain.vocabulary.index("c")] == 1
    # d follows c in 2 of 3 steps; of b nothing is left
    assert chain.ended(chain.after("c"), 2, chain.before("d")) == 0
    assert far.rate == 0
    assert chain.far(chain.after("b"), chain.before("b")).rate == 0


def test_arnoldi_iteration_finds_what_the_dense_solver_finds(monkeypatch):
    chain = WordChain(
        corpora.from_paragraphs(ROSES * 2 + [" ".join(corpora.english().words)[:900]]), 2
    )
    dist, future = chain.after("a"), chain.before("is")
    found = [chain.far(dist), chain.far(dist, future)]
    monkeypatch.setattr(sparse_spectrum, "DENSE", 50)
    for before, now in zip(found, [chain.far(dist), chain.far(dist, future)], strict=True):
        assert now.rate == pytest.approx(before.rate, rel=1e-9)
        assert now.limit == pytest.approx(before.limit, abs=1e-9)


@pytest.mark.parametrize("leak", [1e-3, 1e-6, 1e-8])
def test_a_limit_that_is_reached_slowly(leak):
    """Three times as often out of the one as out of the other: the eigenvalues are 1, 1 - 4 leak.

    With a limit that so little decides, as many digits are lost.
    """
    found = power_limit(csr_array([[1 - leak, leak], [3 * leak, 1 - 3 * leak]]))
    assert found.rate == pytest.approx(1 - 4 * leak, abs=1e-15)
    assert found.distribution == pytest.approx([0.75, 0.25], abs=1e-15 / leak)


def test_a_large_cycle_is_periodic(monkeypatch):
    def iterating(*arguments):
        raise AssertionError("a cycle has too many eigenvalues of modulus 1 to be iterated")

    monkeypatch.setattr(sparse_spectrum, "_arnoldi", iterating)
    cycle = csr_array(np.roll(np.eye(2000), 1, axis=1))
    assert power_limit(cycle) == (1.0, 1.0, None)


def test_a_large_periodic_class_that_is_left(monkeypatch):
    """Between two halves, whose rows sum to 9/16 and 1/2: the root is the geometric mean."""
    monkeypatch.setattr(sparse_spectrum, "DENSE", 2)
    half = np.random.default_rng(0).dirichlet(np.ones(30), 60) * 0.5
    half[:30] *= 9 / 8
    steps = np.zeros((60, 60))
    steps[:30, 30:], steps[30:, :30] = half[:30], half[30:]
    found = power_limit(csr_array(steps))
    assert found == (pytest.approx(0.5 * np.sqrt(9 / 8)), 1.0, None)


def test_what_arnoldi_iteration_does_not_find_is_said(monkeypatch):
    steps = np.random.default_rng(0).dirichlet(np.ones(60), 60)
    monkeypatch.setattr(sparse_spectrum, "DENSE", 2)
    monkeypatch.setattr(sparse_spectrum, "RESIDUAL_TOL", 0.0)
    monkeypatch.setattr(sparse_spectrum, "SUBSPACES", (40,))
    with pytest.raises(TooLarge, match="eigenvalues of 60 states were not found"):
        power_limit(csr_array(steps))


def test_a_ring_that_mixes_slowly():
    """With 1/2 each it stays or goes on: the eigenvalues are (1 + w) / 2, w a root of unity."""
    size = 713
    ring = csr_array(np.roll(np.eye(size), 1, axis=1))
    found = power_limit(csr_array((eye_array(size) + ring) / 2))
    assert 1 - found.rate == pytest.approx(1 - np.cos(np.pi / size), rel=1e-7)
    assert found.distribution == pytest.approx(np.full(size, 1 / size))


@each("digits, probs", [(9, (0.5, 0.5)), (11, (0.5, 0.5)), (7, (1 / 3, 2 / 3))])
def test_the_last_digits_are_soon_forgotten(digits, probs):
    """The state is the last digits of a sequence of independent ones: all new after so many."""
    size = 2**digits
    steps = bits(size, np.tile(probs, (size, 1)))
    found = power_limit(steps)
    assert found.rate == 0.0
    assert found.root == pytest.approx(1)
    ones = np.asarray([k.bit_count() for k in range(size)])
    dist = probs[1] ** ones * probs[0] ** (digits - ones)
    assert found.distribution == pytest.approx(dist, rel=1e-6)


def test_digits_that_are_not_quite_independent_are_never_forgotten():
    """The next digit repeats the last with probability 1/2 + 1/200: the eigenvalue is 1/100."""
    probs = np.where(np.arange(8)[:, None] % 2 == [0, 1], 0.505, 0.495)
    assert power_limit(bits(8, probs)).rate == pytest.approx(0.01, rel=1e-6)


def bits(size, probs):
    """The chain on the last digits: from state k to 2 k or 2 k + 1, modulo the size."""
    source = np.repeat(np.arange(size), 2)
    target = (2 * source + np.tile([0, 1], size)) % size
    return csr_array((np.ravel(probs), (source, target)), shape=(size, size))


def test_a_missed_eigenvalue_is_not_passed_over(monkeypatch):
    """Of eigenvalues 1, .9 and many small ones, Arnoldi iteration is made to miss .9."""
    size, small = 40, 0.3
    side = np.repeat([1.0, -1.0], size // 2)
    steps = (1 - small) / size * np.ones((size, size)) + small * np.eye(size)
    steps = steps + 0.6 / size * np.outer(side, side)
    monkeypatch.setattr(sparse_spectrum, "DENSE", 2)
    assert power_limit(csr_array(steps)).rate == pytest.approx(0.9)
    whole = sparse_spectrum._arnoldi

    def missing(block, count):
        values, vectors = whole(block, count)
        return np.where(np.abs(values - 0.9) < 0.01, small, values), vectors

    monkeypatch.setattr(sparse_spectrum, "_arnoldi", missing)
    with pytest.raises(TooLarge, match="of 40 states was not found for certain"):
        power_limit(csr_array(steps))


def test_a_large_ring_that_mixes_slowly_is_refused(monkeypatch):
    size = 1000
    monkeypatch.setattr(sparse_spectrum, "DENSE", 600)
    monkeypatch.setattr(sparse_spectrum, "SUBSPACES", (40,))
    ring = eye_array(size, k=1) + eye_array(size, k=1 - size)
    with pytest.raises(TooLarge, match="1000 states"):
        power_limit(csr_array((eye_array(size) + ring) / 2))


def test_equal_classes_have_no_limit():
    assert power_limit(csr_array(np.diag([0.5, 0.5]))) == (0.5, 1.0, None)
    assert power_limit(csr_array(np.diag([0.5, 0.25]))).rate == 0.5


def test_unknown_words_are_unknown():
    chain = WordChain(corpora.from_paragraphs(ROSES, frequent=2))
    assert chain.vocabulary[:2] == ("a", "rose")
    assert chain.tokens("A cat, a ROSE!") == (0, 2, 0, 1)


def test_symbols_are_observed_like_words():
    """Two of the four paragraphs begin with "a", two with a word that is not distinguished."""
    packed, over = (
        WordChain(corpora.from_paragraphs(ROSES, frequent=2), 1, end)
        for end in ("restart", "absorbing")
    )
    assert packed.predict(packed.after("<end>"), 1).tolist() == [0.5, 0, 0.5, 0]
    assert over.predict(over.after("<end>"), 1).tolist() == [0, 0, 0, 1]
    assert over.predict(over.after("rose <end>"), 3).tolist() == [0, 0, 0, 1]
    unknown = over.predict(over.after("<unknown>"), 1)
    counts = over.corpus.pairs[2]
    assert unknown == pytest.approx(counts / counts.sum(), abs=1e-15)
    assert packed.tokens(" ".join(packed.vocabulary)) == tuple(range(4))
    with pytest.raises(InvalidInput, match="never says '<end> a': an absorbing <end> is followed"):
        over.after("<end> a")
    with pytest.raises(InvalidInput, match="never says '<end> a': an absorbing <end> is followed"):
        over.before("<end> a")


ALL, KNOWN = (WordChain(corpora.from_paragraphs(ROSES, frequent=n)) for n in (10, 2))
BOTH = {order: WordChain(corpora.from_paragraphs(ROSES), order) for order in (1, 2)}
NEVER = {1: "rose cat", 2: "cat is a"}
NO_END: Any = "stop"

test_what_is_refused = refusals(
    *(
        ("'zebra' does not occur in the text", method, ["a zebra"])
        for method in (KNOWN.tokens, KNOWN.after, KNOWN.before)
    ),
    ("there is no word in", ALL.after, ["", "1984", " -- "]),
    *(
        (f"order {order} never says '{phrase}'", method, [phrase])
        for order, phrase in NEVER.items()
        for method in (BOTH[order].after, BOTH[order].before)
    ),
    ("order must be", lambda order: WordChain(ALL.corpus, order), [0, 3, 1.5, "1"]),
    ("end must be one of restart, absorbing, got 'stop'", lambda: WordChain(ALL.corpus, 1, NO_END)),
    ("distance must be", lambda n: ALL.predict(ALL.after("a"), n), [-1, 1.0]),
)
