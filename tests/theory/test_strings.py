"""Distributions from strings and from counts."""

import itertools
from collections import Counter
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.cases import close, to_device1, to_host
from tests.noted import each, refusals
from theory import EmpiricalDistribution, MarkovChain, information
from theory.distributions.strings import tokens_of

FROM, FIT = EmpiricalDistribution.from_strings, MarkovChain.fit

# Strings


def test_strings_are_what_is_drawn():
    strings = ["the", "cat", "the", "été"]
    p = FROM(strings)
    assert (p.length, p.vocab, p.symbols) == (3, 6, tuple(sorted(set("thecaté"))))
    assert p.spell(p.sequences) == strings
    assert float(p.evidence(p.read("the"))) == 0.5
    assert set(p.spell(p.sample(np.random.default_rng(0), 50))) == set(strings)


def test_words_are_tokens_of_their_own():
    p = FROM([["to", "be"], ["be", "to"], ("to", "to")])
    assert (p.length, p.symbols, p.sequences.tolist()) == (
        2,
        ("be", "to"),
        [[1, 0], [0, 1], [1, 1]],
    )
    assert p.spell(p.sequences)[0] == "to be"


def test_symbols_set_the_order_and_the_vocabulary():
    for symbols in ("cba", ["c", "b", "a"], iter("cba")):
        p = FROM(["ab", "aa"], symbols=symbols)
        assert (p.vocab, p.symbols, p.sequences.tolist()) == (3, ("c", "b", "a"), [[2, 1], [2, 2]])


# Counts


@given(
    st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=5), min_size=1, max_size=6),
    st.integers(1, 4),
)
def test_a_fit_by_counting_one_by_one(rows, smoothing):
    pairs = Counter((a, b) for row in rows for a, b in itertools.pairwise(row))
    first = Counter(row[0] for row in rows)
    p = FIT(rows, smoothing=smoothing, length=4, vocab=3)
    assert (p.length, p.vocab) == (4, 3)
    for a in range(3):
        share = Fraction(first[a] + smoothing, len(rows) + 3 * smoothing)
        assert p.initial[a] == close(share)
        total = sum(pairs[a, b] for b in range(3)) + 3 * smoothing
        for b in range(3):
            assert p.transition[a, b] == close(Fraction(pairs[a, b] + smoothing, total))


def log_likelihood(initial, transition, rows):
    return sum(
        np.log(initial[row[0]]) + sum(np.log(transition[a, b]) for a, b in itertools.pairwise(row))
        for row in rows
    )


def test_no_chain_is_likelier_than_the_fit():
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 3, (20, 6)).tolist()
    p = FIT(rows)
    best = log_likelihood(p.initial, p.transition, rows)
    for _ in range(50):
        initial = p.initial + rng.normal(size=3) * 0.02
        transition = p.transition + rng.normal(size=(3, 3)) * 0.02
        other = (initial / initial.sum(), transition / transition.sum(axis=1, keepdims=True))
        assert log_likelihood(*other, rows) < best


def test_a_fit_finds_the_chain():
    """Of 40,000 sequences of 6: standard errors of a few thousandths."""
    truth = MarkovChain([0.2, 0.8], [[0.9, 0.1], [0.4, 0.6]], 6)
    p = FIT(truth.sample(np.random.default_rng(0), 40_000))
    np.testing.assert_allclose(p.transition, truth.transition, atol=0.01)
    np.testing.assert_allclose(p.initial, truth.initial, atol=0.01)
    assert (p.length, p.symbols) == (6, None)


def test_strings_and_words_are_fitted_with_their_symbols():
    p = FIT(["abab", "ba"], length=7)
    assert (p.symbols, p.length, p.initial.tolist()) == (("a", "b"), 7, [0.5, 0.5])
    assert p.transition.tolist() == [[0, 1], [1, 0]]
    words = FIT([["a", "rose", "a"], ["a", "rose", "is"]], smoothing=1)
    assert (words.symbols, words.length) == (("a", "is", "rose"), 3)
    assert words.transition[2].tolist() == [2 / 5, 2 / 5, 1 / 5]
    named = FIT([[0, 1, 0]], symbols=["x", "y"])
    assert (named.symbols, named.vocab) == (("x", "y"), 2)


def test_a_fit_stays_where_the_sequences_are():
    rows = np.asarray([[0, 1, 1], [1, 0, 1]])
    p, away = FIT(rows, smoothing=0.5), FIT(to_device1(rows), smoothing=0.5)
    assert away.transition.device == to_device1(rows).device
    np.testing.assert_array_equal(to_host(away.transition), p.transition)
    assert information.entropy(p) > 0


@each("rows", [[[0, 1, 0]], np.asarray([[0, 1, 0]], dtype=np.uint8), ([0, 1, 0],), ["aba"]])
def test_any_kind_of_sequences(rows):
    assert FIT(rows).transition.tolist() == [[0, 1], [1, 0]]


test_what_is_refused = refusals(
    ("same length: string 0 has 3 tokens, string 2 has 2", lambda: FROM(["abc", "abd", "ab"])),
    ("list of strings .* got '?{}", FROM, ["abc", 3, None]),
    ("at least one string", FROM, [[], ()]),
    ("string 1 is empty", FROM, [["a", ""], [["a"], []]]),
    ("string 1 must be a string or a list of words", FROM, [["a", 3], ["a", [1]], ["a", None]]),
    ("string 1 has 'c' at site 1; the symbols are a, b", lambda: FROM(["ab", "ac"], symbols="ab")),
    ("different strings, got '?{}", lambda s: FROM(["a"], symbols=["a", s, s]), [1, "b"]),
    (r"token 2 \('c'\) is never followed .* smoothing above 0", FIT, [["abc", "bab"]]),
    ("token 1 is never followed", FIT, [[[0, 0, 1]]]),
    ("token 2 is never followed", lambda: FIT([[0, 1, 0]], vocab=3)),
    ("token 0 is never followed", FIT, [[[0], [0]]]),
    ("from 2 to 3 tokens: give the length", FIT, [[[0, 1], [0, 1, 0]], ["ab", "aba"]]),
    ("sequence 1 holds -1", FIT, [[[0, 1], [0, -1]], np.asarray([[0, 1], [0, -1]])]),
    ("token 5, of 2 tokens", lambda: FIT([[0, 5]], vocab=2, smoothing=1)),
    ("token 1, of 1 token", lambda: FIT([[0, 1, 0]], symbols="a")),
    ("2 symbols for a vocabulary of 3", lambda: FIT([[0, 1, 0]], symbols="ab", vocab=3)),
    (
        "smoothing must be .* at least 0, got '?{}",
        lambda s: FIT(["aba"], smoothing=s),
        [-1, "1", None],
    ),
    ("length must be an integer", lambda n: FIT(["aba"], length=n), [0, 1.5]),
    ("sequence 0 must hold at least one token", FIT, [[[]], [[0.5, 1]], [[[0]]], [3]]),
    (r"sequences must have shape \(N, L\)", FIT, [np.zeros(3, int), np.zeros((0, 2), int)]),
    ("tokens must be integers, got float64", FIT, [np.zeros((2, 2))]),
    ("sequences must be a list|at least one sequence|list of strings", FIT, [3, None, [], "abc"]),
)


def test_tokens_of_strings_of_any_lengths():
    assert tokens_of(("ba", ["b"])) == ([[1, 0], [1]], ("a", "b"))
