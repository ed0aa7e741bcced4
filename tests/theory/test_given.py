"""Data on condition of a prompt, beside what the suite of the families checks (tests/cases.py).

The cases there that end in "given" go through every test of a distribution. Here: what kind comes
back, samples, prompts upon prompts, long sequences, and what is refused.
"""

import itertools
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import chisquare

from tests import oracles
from tests.cases import (
    CASES,
    DEVICE1,
    build_exact,
    code,
    each_of,
    permutations,
    prompted,
    to_device1,
    to_host,
)
from tests.noted import each, refusals
from theory import (
    MASK,
    EmpiricalDistribution,
    HiddenMarkovModel,
    ImpossibleEvidence,
    JointTable,
    MarkovChain,
    Permutations,
    ProductMixture,
    information,
)
from theory.distributions.conditioned import Conditioned

GIVEN = [case for case in CASES if case.name.endswith("given")]
GIVEN += [prompted(permutations(3), MASK, 2, MASK), prompted(code(4, 2, 3), MASK, 2, MASK, MASK)]
FLIP = MarkovChain([0.5, 0.5], [[0.9, 0.1], [0.1, 0.9]], 64)
FOUR = MarkovChain([0.5, 0.5], [[0.9, 0.1], [0.1, 0.9]], 4)


def test_tables_mixtures_and_data_stay_what_they_are():
    kinds = {case.name.split()[0]: type(case.build()) for case in GIVEN}
    assert kinds == {
        "table": JointTable,
        "mixture": ProductMixture,
        "empirical": EmpiricalDistribution,
        "chain": Conditioned,
        "hmm": Conditioned,
        "exchangeable": Conditioned,
        "permutations": Conditioned,
        "code": Conditioned,
    }


@each_of(GIVEN)
def test_predictions_and_entropies_are_those_of_the_joint_given_the_prompt(case):
    p = case.build()
    np.testing.assert_allclose(
        p.denoise(case.possible), case.expected(case.possible), rtol=1e-12, atol=1e-15
    )
    np.testing.assert_allclose(
        p.mean_entropies, oracles.mean_subset_entropies(case.joint), rtol=1e-12, atol=1e-12
    )
    for x in case.impossible[:20]:
        with pytest.raises(ImpossibleEvidence):
            p.denoise(x)


@each_of([case for case in GIVEN if case.exact])
def test_exact_ones_are_exact(case):
    p = build_exact(case)
    assert p.denoise(case.possible).tolist() == [case.conditional(x) for x in case.possible]
    assert p.evidence(case.patterns).tolist() == [case.evidence[x] for x in case.patterns]
    assert information.entropy(p) == oracles.entropy(case.joint, exact=True)


@each_of(GIVEN)
def test_samples_follow_the_joint_given_the_prompt(case):
    drawn = case.build().sample(np.random.default_rng(1), 4000)
    assert (drawn.shape, drawn.dtype) == ((4000, case.length), np.int64)
    possible = {x: float(p) for x, p in case.joint.items() if p}
    seen = Counter(map(tuple, drawn.tolist()))
    assert set(seen) <= set(possible)
    if len(possible) > 1:
        counts = [seen[x] for x in possible]
        assert chisquare(counts, [4000 * p for p in possible.values()]).pvalue > 1e-4


@each_of([case for case in GIVEN if case.arrays])
def test_samples_are_the_same_on_another_device(case):
    there = case.build(to_device1).sample(np.random.default_rng(2), 20)
    assert there.device == DEVICE1
    here = case.build().sample(np.random.default_rng(2), 20)
    np.testing.assert_array_equal(to_host(there), here)


@each_of([case for case in CASES if not case.name.endswith("given") and case.length == 4])
def test_a_prompt_upon_a_prompt_is_one_prompt(case):
    p = case.build()
    x = next(y for y in reversed(case.possible) if MASK not in y)
    first, both = (x[0], MASK, MASK, MASK), (x[0], MASK, x[2], MASK)
    twice, once = p.given(first).given((MASK, MASK, x[2], MASK)), p.given(both)
    assert type(twice) is type(once)
    np.testing.assert_allclose(twice.table(), once.table(), rtol=1e-12)
    other = next((v for v in range(case.vocab) if v != x[0]), None)
    if other is not None:
        with pytest.raises(ImpossibleEvidence):
            p.given(first).given((other, MASK, MASK, MASK))


def test_a_long_chain_given_both_ends_is_a_bridge():
    """p(x_32 = 0 | x_0 = x_63 = 0), from the powers of the matrix."""
    x = np.full(64, MASK)
    x[[0, 63]] = 0
    p = FLIP.given(x)
    same = [(1 + Fraction(4, 5) ** n) / 2 for n in (32, 31, 63)]
    expected = same[0] * same[1] / same[2]
    assert p.denoise(np.full(64, MASK))[32, 0] == pytest.approx(float(expected), rel=1e-12)
    drawn = p.sample(np.random.default_rng(0), 20_000)
    assert (drawn[:, [0, 63]] == 0).all()
    spread = float(expected * (1 - expected)) ** 0.5 / 20_000**0.5
    assert abs((drawn[:, 32] == 0).mean() - float(expected)) < 4 * spread
    stay = (1 + Fraction(4, 5) ** 31) / 2  # from either end to the pair in the middle
    flips = Fraction(1, 10) * 2 * stay * (1 - stay) / same[2]
    assert abs((drawn[:, 31] != drawn[:, 32]).mean() - float(flips)) < 4 * 0.3 / 20_000**0.5


def test_entropies_of_a_long_chain_need_no_table():
    """Given every second site, the others are independent: each has the entropy of a bridge."""
    x = np.full(64, MASK)
    x[::2] = 0
    p = FLIP.given(x)
    bridge = np.asarray([81, 1]) / 82
    last = np.asarray([9, 1]) / 10
    expected = sum(-(row * np.log(row)).sum() * n for row, n in ((bridge, 31), (last, 1)))
    assert information.entropy(p) == pytest.approx(expected, rel=1e-12)
    assert information.total_correlation(p) == pytest.approx(0, abs=1e-12)


def test_mean_entropies_need_the_lattice_of_the_masked_sites_alone():
    """Three of forty sites are masked: a set of k sites has a hypergeometric number of these."""
    x = np.zeros(40, dtype=np.int64)
    x[[10, 11, 30]] = MASK
    p = MarkovChain([0.5, 0.5], [[0.9, 0.1], [0.1, 0.9]], 40).given(x)
    alone = [information.entropy(p, sites=[i]) for i in (10, 11, 30)]
    pairs = [information.entropy(p, sites=s) for s in itertools.combinations((10, 11, 30), 2)]
    for k in (0, 1, 2, 40):
        ways = [[1, 0, 0, 0], [37, 3, 0, 0], [666, 111, 3, 0], [0, 0, 0, 1]][min(k, 3)]
        means = [0, sum(alone) / 3, sum(pairs) / 3, information.entropy(p)]
        expected = np.dot(ways, means) / sum(ways)
        assert p.mean_entropies[k] == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_a_hidden_chain_of_a_thousand_sites_is_drawn_given_its_prompt():
    p = HiddenMarkovModel([0.5, 0.5], [[0.95, 0.05], [0.05, 0.95]], [[0.9, 0.1], [0.1, 0.9]], 1024)
    x = np.full(1024, MASK)
    x[:20], x[1004:] = 0, 1
    drawn = p.given(x).sample(np.random.default_rng(0), 2000)
    assert (drawn[:, :20] == 0).all()
    assert (drawn[:, 1004:] == 1).all()
    means, expected = drawn[:, 20:1004].mean(axis=0), p.denoise(x)[20:1004, 1]
    assert np.abs(means - expected).max() < 5 * 0.5 / 2000**0.5


def test_a_prompt_of_nothing_and_of_everything():
    p = Permutations(3, exact=True)
    nothing = p.given([MASK] * 3)
    assert (nothing.table() == p.table()).all()
    whole = p.given([2, 0, 1])
    assert whole.table()[2, 0, 1] == 1
    assert whole.table().sum() == 1
    assert list(whole.mean_entropies) == [0, 0, 0, 0]
    assert repr(whole) == "<<Permutations: length 3, vocab 3, exact=True> given 201>"


# Spelled patterns

SYMBOLS = [
    ("a", "b"),
    ("_", "a"),
    ("·", "a"),
    ("·", "_"),
    ("_", "·", "x"),
    (" ", "a"),
    ("0", "1", "2"),
    ("New", "York"),
    ("_", "ab"),
    ("·", "_", "ab"),
    ("New York", "Rome"),
    ("a b", "b c", "a"),
    None,
]


@each("symbols", SYMBOLS)
def test_what_is_spelled_is_read_again(symbols):
    """Every pattern of three sites; twelve tokens without symbols are written 0, 1, ..., 11."""
    vocab = len(symbols) if symbols else 12
    p = JointTable(np.ones((vocab,) * 3), symbols=symbols)
    patterns = np.array(list(itertools.product([MASK, *range(vocab)], repeat=3)))
    spelled = p.spell(patterns)
    assert len(set(spelled)) == len(patterns)
    for x, text in zip(patterns.tolist(), spelled, strict=True):
        assert p.read(text).tolist() == x, text


@each(
    ("symbols", "text", "expected"),
    [
        ("ab", "", [MASK, MASK, MASK]),
        ("ab", "b", [1, MASK, MASK]),
        ("ab", "_·b", [MASK, MASK, 1]),
        ("ab", "□a", [MASK, 0, MASK]),
        (("_", "a"), "_·a", [0, MASK, 1]),
        (("·", "a"), "·_a", [0, MASK, 1]),
        (("New", "York"), "  _   York ", [MASK, 1, MASK]),
        (("New York", "New", "York"), "York New York", [2, 0, MASK]),
        (("New York", "New", "York"), "New New New York", [1, 1, 0]),
        (("a b", "b c", "a"), "a b c", [2, 1, MASK]),
        (None, "10 _ 2", [10, MASK, 2]),
    ],
)
def test_patterns_that_are_read(symbols, text, expected):
    vocab = len(symbols) if symbols else 12
    p = JointTable(np.ones((vocab,) * 3), symbols=symbols)
    assert p.read(text).tolist() == expected
    assert p.given(text).evidence(expected) == pytest.approx(1)


def test_patterns_are_read_to_where_the_data_live():
    p = JointTable(to_device1(np.ones((2, 2)) / 4), symbols="ab")
    found = p.read("_b")
    assert (found.device, found.dtype) == (DEVICE1, to_device1([0]).dtype)
    assert to_host(found).tolist() == [MASK, 1]
    assert p.given("_b").like.device == DEVICE1


LETTERS = JointTable(np.ones((2, 2)), symbols="ab")
CITIES = JointTable(np.ones((2, 2)), symbols=("New York", "Rome"))
test_what_cannot_be_read_is_refused = refusals(
    ("'c' at site 1 is no symbol of this distribution; they are a, b", LETTERS.read, ["ac"]),
    ("' ' at site 1 is no symbol", LETTERS.read, ["a b"]),
    ("'aab' has 3 symbols for 2 sites", LETTERS.read, ["aab"]),
    ("'New' at site 1 is no symbol", CITIES.read, ["Rome New"]),
    ("'York' at site 0 is no symbol", CITIES.read, ["York", "York Rome"]),
    ("has 3 symbols for 2 sites", CITIES.read, ["Rome New York Rome"]),
)


test_what_is_no_pattern_is_refused = refusals(
    (
        r"given must be one pattern of shape \(4,\), got shape \(2, 4\)",
        FOUR.given,
        [[[MASK] * 4] * 2],
    ),
    (r"lie in 0..1 or be MASK \(-1\): entry 3 is 2", FOUR.given, [[MASK] * 3 + [2]]),
    (r"pattern of shape \(4,\), got shape \(5,\)", FOUR.given, [[MASK] * 5]),
    ("tokens must be integers", FOUR.given, [[0.5] * 4]),
    ("'[?]' at site 1 is no symbol", FOUR.given, ["0?"]),
    ("has 5 symbols for 4 sites", FOUR.given, ["01·_·"]),
)


def test_a_prompt_may_be_spelled():
    """Sites that are left out at the end are masked."""
    for text, tokens in {
        "01": [0, 1, MASK, MASK],
        "·1_0": [MASK, 1, MASK, 0],
        "": [MASK] * 4,
    }.items():
        assert FOUR.read(text).tolist() == tokens
        np.testing.assert_array_equal(FOUR.given(text).table(), FOUR.given(tokens).table())


def test_an_impossible_prompt_is_named():
    with pytest.raises(ImpossibleEvidence, match=r"probability 0: \(0, 0, MASK\)") as caught:
        Permutations(3).given([0, 0, MASK])
    assert caught.value.pattern == (0, 0, MASK)
