"""The decision between two observed tokens against bridges that are taken far apart."""

import itertools
import math
import re
from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.cases import row, rows
from tests.noted import refusals
from tests.theory import homogenization_oracle as oracle
from tests.theory.test_decide import build, chains, random_chain
from theory import InvalidInput, JointTable, MarkovChain, gallery, homogenization

decide: Any = homogenization.decide
decide_middle: Any = homogenization.decide_middle
HALF = Fraction(1, 2)


def inner_classes(chain, lefts=None, rights=None):
    """Sets of tokens that lead to each other, between the ends: {tokens: period}."""
    initial, transition = chain
    tokens = oracle.reachable(initial, transition)
    ahead = {a: oracle.after(transition, a) for a in tokens}
    found = {}
    for a in tokens:
        between = any(a in ahead[b] | {b} for b in lefts or tokens)
        between &= any(b in ahead[a] | {a} for b in rights or tokens)
        if a in ahead[a] and between:
            states = tuple(b for b in tokens if b in ahead[a] and a in ahead[b])
            found[states] = oracle.period(transition, a)
    return found


def perron(chain, states):
    steps = np.asarray(chain[1], float)[np.ix_(states, states)]
    return max(abs(np.linalg.eigvals(steps)))


def kind(chain):
    classes = inner_classes(chain)
    if max(classes.values()) > 1:
        return "periodic"
    roots = sorted(perron(chain, states) for states in classes)
    if any(math.isclose(a, b, rel_tol=1e-9) for a, b in itertools.pairwise(roots)):
        return "equal roots"
    return "one class" if len(classes) == 1 else "several"


def middle(chain, exact=False, **ends):
    return decide_middle(build(chain, exact), **ends)


def check(found, bridges):
    assert found.homogenizes is bridges.homogenizes()
    assert found.forgets is bridges.forgets()
    assert found.limits is None
    assert math.isnan(found.constant)
    assert isinstance(found.reason, str)
    if found.forgets:
        far = bridges.dist(bridges.possible(oracle.FAR, oracle.FAR)[0], oracle.FAR, oracle.FAR)
        np.testing.assert_allclose(np.asarray(found.limit, float), far, atol=1e-9)
    else:
        assert found.limit is None
    if not found.homogenizes:
        assert found.rate == 1


def check_rate(found, bridges):
    """Of the distance to the limit; of neighbours it can be smaller, never larger."""
    measured = bridges.rate(bridges.log_to_limit)
    if found.rate == 1:
        assert measured > 0.97
    else:
        assert float(found.rate) == pytest.approx(measured, rel=0.02, abs=1e-5)
        assert bridges.rate(bridges.log_adjacent) < float(found.rate) * 1.02 + 1e-5


# On random chains


def test_every_kind_of_chain_is_drawn():
    counts = Counter(kind(random_chain(seed, 4)) for seed in range(200))
    assert set(counts) == {"periodic", "equal roots", "one class", "several"}
    assert min(counts.values()) >= 5, counts


@settings(max_examples=60)
@given(chains(4))
def test_decision(chain):
    event(kind(chain))
    check(middle(chain), oracle.Bridges(*chain))


@settings(max_examples=40)
@given(chains(4))
def test_exact_decision(chain):
    """Where equal roots are equal without a tolerance."""
    found, floats = middle(chain, exact=True), middle(chain)
    check(found, oracle.Bridges(*chain))
    assert float(found.rate) == pytest.approx(float(floats.rate), abs=1e-5)
    assert not isinstance(found.rate, float)


@settings(max_examples=8)
@given(chains(4))
def test_rate(chain):
    found = middle(chain)
    if found.homogenizes:
        check_rate(found, oracle.Bridges(*chain))


@settings(max_examples=50)
@given(chains(4), st.integers(0, 3), st.integers(0, 3))
def test_ends(chain, left, right):
    """For ends that communicate with the given ones."""
    initial, transition = chain
    tokens = oracle.reachable(initial, transition)
    left, right = (tokens[a % len(tokens)] for a in (left, right))

    def friends(a):
        return [
            b
            for b in tokens
            if a == b or (b in oracle.after(transition, a) and a in oracle.after(transition, b))
        ]

    bridges = oracle.Bridges(initial, transition, friends(left), friends(right))
    if not bridges.pairs:
        event("not possible")
        with pytest.raises(InvalidInput, match="far apart"):
            middle(chain, left=left, right=right)
        return
    try:
        found = middle(chain, left=left, right=right)
    except InvalidInput as error:  # what can be left open, and says so
        refusal = str(error)
    else:
        return check(found, bridges)
    event("not decided")
    assert re.search("the period of .* is not decided", refusal)
    assert max(inner_classes(chain, [left], [right]).values()) > 1
    assert len(inner_classes(chain, [left], [right])) > 1


# Chains by name


def test_absorbing_end_of_text():
    """Between two words there are words, between a word and the end it is over."""
    p = gallery.end_of_text(9, Fraction(1, 8), exact=True)
    whole = decide_middle(p)
    assert (whole.homogenizes, whole.forgets, whole.rate) == (True, False, Fraction(7, 8))
    words = decide_middle(p, left=0, right=1)
    assert words.limit.tolist() == [HALF, HALF, 0]
    assert words.rate == 0
    over = decide_middle(p, left=0, right=2)
    assert (over.limit.tolist(), over.rate) == ([0, 0, 1], Fraction(7, 8))


def test_words_that_differ_before_the_end():
    """The product of both Perron vectors of [[1/2, 1/4], [1/2, 1/4]]: (2, 1) and (1, 1)."""
    chain = row(1, 0, 0), rows((2, 1, 1), (2, 1, 1), (0, 0, 1))
    found = middle(chain, exact=True, left=0, right=1)
    assert found.limit.tolist() == [Fraction(2, 3), Fraction(1, 3), 0]
    assert (found.forgets, found.rate) == (True, 0)


@pytest.mark.parametrize("exact", [False, True])
def test_two_transient_classes_with_equal_roots(exact):
    """The step between them is anywhere: neighbours are alike, of distribution (b, a) / (a + b)."""
    chain = row(1, 0, 0), rows((1, 1, 0), (0, 1, 1), (0, 0, 1))
    found = middle(chain, exact, left=0, right=1)
    assert (found.homogenizes, found.forgets, found.rate) == (True, False, 1)
    dist = oracle.Bridges(*chain).dist((0, 1), 300, 100)
    np.testing.assert_allclose(dist, [0.25, 0.75, 0], rtol=1e-12)
    whole = middle(chain, exact)
    assert (whole.homogenizes, whole.forgets, whole.rate) == (True, False, 1)


@pytest.mark.parametrize("exact", [False, True])
def test_two_transient_classes_with_equal_roots_side_by_side(exact):
    """One way or the other, for good: a distribution for each pair of ends, geometrically."""
    steps = rows(
        (0, 1, 1, 0, 0), (0, 1, 0, 1, 0), (0, 0, 1, 1, 0), (0, 0, 0, 0, 1), (0, 0, 0, 0, 1)
    )
    chain = row(1, 0, 0, 0, 0), steps
    found = middle(chain, exact, left=0, right=3)
    assert (found.forgets, found.rate) == (True, 0)
    assert np.asarray(found.limit, float) == pytest.approx([0, 0.5, 0.5, 0, 0], abs=1e-12)
    whole = middle(chain, exact)
    assert (whole.homogenizes, whole.forgets) == (True, False)
    assert float(whole.rate) == pytest.approx(0.5, rel=1e-9)


FORKS = st.lists(st.integers(1, 2), min_size=8, max_size=8)


@settings(max_examples=4)
@given(FORKS, st.booleans(), st.sampled_from([0, 1]), st.sampled_from([4, 5]))
def test_winners_side_by_side_share_the_middle(weights, alone, left, right):
    """Two tokens lead to two winners, which lead to two tokens: shares by their probabilities."""
    into, out = np.reshape(weights[:4], (2, 2)), np.reshape(weights[4:8], (2, 2))
    steps = np.zeros((8, 8), dtype=object)
    steps[:2, 2:4] = 2 * into if alone else into
    steps[:2, :2] = 0 if alone else [[1, 2], [2, 1]]
    steps[2:4, 2:4], steps[2:4, 4:6] = np.diag(out.sum(axis=1)), out
    steps[4:6, 6] = steps[6, 7] = steps[7, 7] = 1
    chain = row(1, 1, 0, 0, 0, 0, 0, 0), rows(*steps.tolist())
    for left, right in itertools.product([0, 1], [4, 5]):
        found = middle(chain, exact=True, left=left, right=right)
        bridges = oracle.Bridges(*chain, [left] if alone else [0, 1], [right])
        check(found, bridges)
        if alone:
            assert all(isinstance(v, Fraction) for v in found.limit)


@pytest.mark.parametrize("exact", [False, True])
def test_a_winner_of_two_tokens_beside_one_of_one(exact):
    """Both have the root 3/4, and the first one has the distribution (2, 1) / 3 (as above)."""
    steps = rows(
        (0, 1, 1, 2, 0, 0),
        (0, 2, 1, 0, 1, 0),
        (0, 2, 1, 0, 1, 0),
        (0, 0, 0, 3, 1, 0),
        (0, 0, 0, 0, 0, 1),
        (0, 0, 0, 0, 0, 1),
    )
    chain = row(1, 0, 0, 0, 0, 0), steps
    found = middle(chain, exact, left=0, right=4)
    check(found, oracle.Bridges(*chain, [0], [4]))
    assert np.asarray(found.limit, float) == pytest.approx([0, 1 / 3, 1 / 6, 1 / 2, 0, 0])


@settings(max_examples=8)
@given(st.lists(st.integers(0, 2), min_size=8, max_size=8), st.integers(1, 4))
def test_a_period_between_the_ends(ways, stay):
    """It shows unless the entries, or the exits, weigh all phases alike."""
    steps = np.zeros((7, 7), dtype=object)
    steps[0, 1:5] = [1 + ways[0], ways[1], ways[2], ways[3]]
    steps[1:5, 1:5] = np.roll(np.eye(4, dtype=int), 1, axis=1) * stay
    steps[1:5, 5] = [1, ways[4], ways[5], ways[6]]
    steps[5, 6] = steps[6, 6] = 1
    chain = row(1, 0, 0, 0, 0, 0, 0), rows(*steps.tolist())
    for exact in (True, False):
        check(middle(chain, exact, left=0, right=5), oracle.Bridges(*chain, [0], [5]))


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize(("enter", "leave"), [((1, 1), (1, 0)), ((1, 0), (1, 1)), ((2, 1), (1, 1))])
def test_a_period_that_the_ends_do_not_tell(exact, enter, leave):
    """Two states in turn, entered at random and left from one, or the other way round."""
    steps = rows(
        (0, *enter, 0, 0),
        (0, 0, 2, leave[0], 0),
        (0, 2, 0, leave[1], 0),
        (0, 0, 0, 0, 1),
        (0, 0, 0, 0, 1),
    )
    chain = row(1, 0, 0, 0, 0), steps
    found = middle(chain, exact, left=0, right=3)
    check(found, oracle.Bridges(*chain, [0], [3]))


def test_a_period_with_another_winner_after_it_is_left_open():
    steps = rows(
        (0, 1, 1, 0, 0), (0, 0, 3, 1, 0), (0, 3, 0, 1, 0), (0, 0, 0, 3, 1), (0, 0, 0, 0, 1)
    )
    with pytest.raises(
        InvalidInput, match=r"the period of \[1, 2\] shows between these ends is not"
    ):
        middle((row(1, 0, 0, 0, 0), steps), exact=True, left=0, right=3)


def test_an_irrational_limit_is_exact():
    """[[1, 1], [1, 0]] / 4: root phi/2 of the golden ratio, limit (phi^2, 1) / (phi^2 + 1)."""
    chain = row(1, 0, 0), [*rows((1, 1, 2)), row(1, 0, 3), row(0, 0, 1)]
    chain = chain[0], [[Fraction(v) for v in r] for r in chain[1]]
    found = middle(chain, exact=True, left=0, right=1)
    phi = (1 + sympy.sqrt(5)) / 2
    expected = [phi**2 / (phi**2 + 1), 1 / (phi**2 + 1), 0]
    assert [sympy.simplify(v - w) for v, w in zip(found.limit, expected, strict=True)] == [0, 0, 0]


def test_side_by_side_it_takes_both_distances():
    """Never leaving the faster of two classes has weight (5/6)^(a + b), so (25/36)^min(a, b)."""
    steps = rows(
        (0, 1, 1, 0, 0), (0, 5, 0, 5, 0), (0, 0, 6, 4, 0), (0, 0, 0, 0, 1), (0, 0, 0, 0, 1)
    )
    chain = row(1, 0, 0, 0, 0), steps
    found = middle(chain, exact=True, left=0, right=3)
    assert found.limit.tolist() == [0, 0, 1, 0, 0]
    bridges = oracle.Bridges(chain[0], steps, [0], [3])
    assert bridges.rate(bridges.log_to_limit) == pytest.approx(25 / 36, rel=1e-9)
    assert found.rate == Fraction(25, 36)


def test_a_transient_cycle_does_harm_here():
    """It is left for good, and yet between two of its tokens nothing else is possible."""
    chain = row(1, 0, 0), rows((0, 1, 0), (1, 0, 1), (0, 0, 1))
    assert decide(build(chain)).forgets
    assert not middle(chain).homogenizes
    assert middle(chain, left=0, right=2).forgets


def test_a_symbol_and_an_end():
    """What is never left wins, whatever the symbol is; alone a word stays until it is left."""
    a = sympy.Symbol("a", positive=True)
    p = MarkovChain([1, 0], [[1 - a, a], [0, 1]], 2, exact=True)
    whole, word, end = (decide_middle(p, *ends) for ends in [(), (0, 0), (1, 1)])
    assert (whole.homogenizes, whole.forgets) == (True, False)
    assert sympy.simplify(whole.rate - (1 - a)) == 0
    assert (word.limit.tolist(), word.rate) == ([1, 0], 0)
    assert (end.limit.tolist(), end.rate) == ([0, 1], 0)
    two = [[1 - a, a, 0], [0, sympy.Rational(1, 2), sympy.Rational(1, 2)], [0, 0, 1]]
    with pytest.raises(InvalidInput, match="depends on the symbols: 1 - a, 1/2"):
        decide_middle(MarkovChain([1, 0, 0], two, 2, exact=True), 0, 1)


NO_CHAINS = [JointTable([[1, 2], [3, 4]]), gallery.hidden_periodic(4), None]
TEXT = gallery.end_of_text(9)

test_what_is_refused = refusals(
    (r"MarkovChain|chain", decide_middle, NO_CHAINS),
    ("left", lambda left: decide_middle(TEXT, left=left), [3, 0.5]),
    ("right", lambda: decide_middle(TEXT, right=-1)),
    ("far apart", lambda: decide_middle(TEXT, left=2, right=0)),  # nothing follows the end
)
