"""Every family against sums over its joint distribution, for every pattern of small cases.

Floats agree to 1e-12 and zeros are exact; Fractions agree by ``==``. The oracle starts from the
same parameters as Fractions.
"""

import functools
import math
import random
import subprocess
import sys
from fractions import Fraction
from typing import Any

import array_api_strict as strict
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from tests import oracles
from tests.cases import (
    DEVICE1,
    EXACT_CASES,
    as_lists,
    build_exact,
    chain,
    each_case,
    each_exact,
    each_family,
    empirical,
    floats,
    hmm,
    mixture,
    row,
    rows,
    table,
    to_device1,
    to_host,
)
from tests.noted import each
from theory import (
    MASK,
    EmpiricalDistribution,
    HiddenMarkovModel,
    ImpossibleEvidence,
    JointTable,
    MarkovChain,
    ProductMixture,
)

TOLERANCE = 1e-12


def read_only(values):
    out = np.array(values)
    out.flags.writeable = False
    return out


def assert_close(actual, expected):
    """Equal within the tolerance, and zero exactly where the oracle is zero."""
    expected = np.asarray(expected, dtype=float)
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=TOLERANCE, atol=1e-15)
    assert (np.asarray(actual)[expected == 0] == 0).all()


# Against the joint, for every pattern


@each_case
def test_a_distribution_knows_its_length_and_vocabulary(case):
    p = case.build()
    assert (p.length, p.vocab) == (case.length, case.vocab)


@each_case
def test_table_is_the_joint_distribution(case):
    actual = case.build().table()
    assert actual.dtype == np.float64
    expected = np.zeros((case.vocab,) * case.length)
    for x, probability in case.joint.items():
        expected[x] = probability
    assert_close(actual, expected)


@each_case
def test_evidence_is_the_sum_over_agreeing_sequences(case):
    actual = case.build().evidence(np.array(case.patterns))
    assert actual.dtype == np.float64
    assert_close(actual, [case.evidence[x] for x in case.patterns])


@each_case
def test_log_evidence_is_the_logarithm_of_evidence(case):
    actual = case.build().log_evidence(np.array(case.patterns))
    expected = np.array([oracles.log(case.evidence[x]) for x in case.patterns])
    assert actual.dtype == np.float64
    assert ((actual == -np.inf) == (expected == -np.inf)).all()
    np.testing.assert_allclose(actual, expected, rtol=TOLERANCE, atol=TOLERANCE)


@each_case
def test_denoise_gives_the_conditional_marginals_of_every_possible_pattern(case):
    actual = case.build().denoise(np.array(case.possible))
    assert actual.dtype == np.float64
    assert_close(actual, case.expected(case.possible))


@each_case
def test_denoise_is_one_hot_at_observed_sites(case):
    x = np.array(case.possible)
    actual = case.build().denoise(x)
    one_hot = np.eye(case.vocab)[x[x != MASK]]
    np.testing.assert_array_equal(actual[x != MASK], one_hot)


@each_case
@each("mode", ["marginal", "uniform"])
def test_impossible_patterns_fall_back_on_request_and_possible_ones_do_not(case, mode):
    actual = case.build().denoise(np.array(case.patterns), on_impossible=mode)
    assert_close(actual, case.expected(case.patterns, mode))


@each_case
def test_impossible_evidence_raises_and_names_the_first_pattern(case):
    p = case.build()
    for bad in case.impossible[:20]:
        with pytest.raises(ImpossibleEvidence) as single:
            p.denoise(np.array(bad))
        assert single.value.pattern == bad
        assert isinstance(single.value.pattern, tuple)
    if len(case.impossible) >= 2:
        batch = [case.possible[0], case.impossible[-1], case.impossible[0]]
        with pytest.raises(ImpossibleEvidence) as caught:
            p.denoise(np.array(batch), on_impossible="raise")
        assert caught.value.pattern == case.impossible[-1]
    else:
        assert p.denoise(np.array(case.possible)).shape[0] == len(case.possible)


@each_case
def test_one_sequence_gives_what_a_batch_of_it_gives_without_the_batch_axis(case):
    p = case.build()
    for x in random.Random(0).choices(case.possible, k=5):
        single, batch = np.array(x), np.array([x])
        assert p.denoise(single).shape == (case.length, case.vocab)
        assert np.shape(p.evidence(single)) == ()
        assert np.shape(p.log_evidence(single)) == ()
        np.testing.assert_allclose(p.denoise(single), p.denoise(batch)[0], rtol=TOLERANCE)
        np.testing.assert_allclose(p.evidence(single), p.evidence(batch)[0], rtol=TOLERANCE)
        np.testing.assert_allclose(
            p.log_evidence(single), p.log_evidence(batch)[0], rtol=TOLERANCE, atol=TOLERANCE
        )


@each_case
def test_answers_do_not_depend_on_the_rest_of_the_batch(case):
    p = case.build()
    shuffled = random.Random(1).sample(case.possible, k=min(20, len(case.possible)))
    assert_close(p.denoise(np.array(shuffled + shuffled)), case.expected(shuffled + shuffled))


# What may be passed in


FORMS = {
    "lists": (as_lists, as_lists),
    "read-only": (read_only, read_only),
    "columns first": (np.asfortranarray, np.asfortranarray),
    "every other row": (np.asarray, lambda x: np.array(x).repeat(2, axis=0)[::2]),
    "last row first": (np.asarray, lambda x: np.array(x[::-1])[::-1]),
} | {
    dtype.__name__: (np.asarray, functools.partial(np.array, dtype=dtype))
    for dtype in (np.int8, np.int16, np.int32, np.int64)
}


@each_family
@each(("parameters", "tokens"), FORMS.values(), ids=FORMS)
def test_parameters_and_tokens_may_have_any_form(case, parameters, tokens):
    p, x = case.build(parameters), tokens([list(pattern) for pattern in case.possible])
    assert_close(p.denoise(x), case.expected(case.possible))
    assert_close(p.evidence(x), [case.evidence[pattern] for pattern in case.possible])


@each_family
def test_nothing_passed_in_is_modified(case):
    given_arrays = []

    def remember(values):
        array = np.array(values)
        given_arrays.append((array, array.copy()))
        return array

    p = case.build(remember)
    x = remember([list(pattern) for pattern in case.patterns])
    p.denoise(x, on_impossible="marginal")
    p.evidence(x)
    p.log_evidence(x)
    p.table()
    p.sample(np.random.default_rng(0), 3)
    assert len(given_arrays) >= 2
    for array, before in given_arrays:
        np.testing.assert_array_equal(array, before)


@each_family
def test_what_was_passed_in_may_change_later(case):
    given_arrays = []

    def remember(values):
        given_arrays.append(np.array(values))
        return given_arrays[-1]

    p = case.build(remember)
    for array in given_arrays:
        array[...] = 0
    assert_close(p.denoise(case.possible), case.expected(case.possible))


def test_a_length_may_be_a_numpy_integer():
    length: Any = np.int64(3)
    p = MarkovChain([1.0, 0.0], [[0.0, 1.0], [1.0, 0.0]], length)
    assert p.length == 3
    np.testing.assert_array_equal(p.denoise([MASK] * 3), [[1, 0], [0, 1], [1, 0]])


# Another device


@each_case
def test_parameters_on_a_device_keep_the_answers_on_it(case):
    p = case.build(to_device1)
    x = to_device1(case.patterns)
    denoised = p.denoise(x, on_impossible="marginal")
    evidence, log_evidence = p.evidence(x), p.log_evidence(x)
    for array in (denoised, evidence, log_evidence):
        assert array.device == DEVICE1
        assert array.dtype == strict.float64
    assert_close(to_host(denoised), case.expected(case.patterns, "marginal"))
    assert_close(to_host(evidence), [case.evidence[x] for x in case.patterns])
    expected = [oracles.log(case.evidence[x]) for x in case.patterns]
    np.testing.assert_allclose(to_host(log_evidence), expected, rtol=TOLERANCE, atol=TOLERANCE)


@each_family
def test_a_distribution_on_a_device_takes_one_sequence_from_anywhere(case):
    p = case.build(to_device1)
    for pattern in case.possible[:5]:
        for x in (to_device1(pattern), np.array(pattern), list(pattern)):
            assert p.denoise(x).device == DEVICE1
            assert_close(to_host(p.denoise(x)), case.expected([pattern])[0])
            assert p.evidence(x).shape == ()
            assert_close(to_host(p.evidence(x)), case.evidence[pattern])
    x = np.array(case.possible)
    assert_close(to_host(p.denoise(x)), case.expected(case.possible))
    assert_close(to_host(p.evidence(x)), [case.evidence[pattern] for pattern in case.possible])


@each_family
def test_impossible_evidence_on_a_device_still_names_the_pattern(case):
    p = case.build(to_device1)
    with pytest.raises(ImpossibleEvidence) as caught:
        p.denoise(to_device1([case.possible[0], case.impossible[0]]))
    assert caught.value.pattern == case.impossible[0]


@each_family
def test_table_and_samples_of_a_distribution_on_a_device(case):
    p = case.build(to_device1)
    actual = to_host(p.table())
    assert_close(actual, case.build().table())
    drawn = to_host(p.sample(np.random.default_rng(5), 50))
    assert drawn.shape == (50, case.length)
    assert all(case.joint[tuple(x)] != 0 for x in drawn.tolist())


# Sampling


@each_case
def test_samples_follow_the_joint(case):
    size = 4000
    drawn = case.build().sample(np.random.default_rng(0), size)
    assert drawn.shape == (size, case.length)
    assert drawn.dtype == np.int64
    counts = dict.fromkeys(case.joint, 0)
    for x in map(tuple, drawn.tolist()):
        counts[x] += 1
    support = [x for x, probability in case.joint.items() if probability != 0]
    assert sum(counts[x] for x in support) == size
    expected = {x: size * float(case.joint[x]) for x in support}
    statistic = sum((counts[x] - expected[x]) ** 2 / expected[x] for x in support)
    freedom = len(support) - 1
    assert statistic <= freedom + 5 * math.sqrt(2 * freedom) + (8 if freedom else 1e-9)


@each_family
def test_samples_depend_on_the_generator_alone(case):
    p, rng = case.build(), np.random.default_rng(3)
    first, next_one = p.sample(rng, 200), p.sample(rng, 200)
    np.testing.assert_array_equal(first, p.sample(np.random.default_rng(3), 200))
    assert (first != next_one).any()


# Exact arithmetic


def weights_array(weights):
    return np.array(weights, dtype=np.int64)


BIG = 2**62
BIG_TABLES = {
    "sum beyond int64": [[BIG, BIG - 1], [BIG + 7, 3]],
    "squares beyond int64": [[[2**41, 2**40 + 1], [0, 2**41 + 9]], [[1, 2**42], [5, 2**43 - 1]]],
    "three tokens": [[2**45 + a * b * 2**41 + a for a in range(3)] for b in range(3)],
}


def assert_exact(p, case):
    """All answers equal the oracle's Fractions, one pattern at a time and as a batch."""
    possible = np.array(case.possible)
    batch = p.denoise(possible)
    assert batch.dtype == object
    assert batch.shape == (*possible.shape, case.vocab)
    for x, actual in zip(case.possible, batch, strict=True):
        expected = case.conditional(x)
        assert actual.tolist() == expected
        assert all(isinstance(q, Fraction | int) for q in actual.ravel())
        assert p.denoise(list(x)).tolist() == expected
    evidence = p.evidence(np.array(case.patterns))
    assert list(evidence) == [case.evidence[x] for x in case.patterns]
    for x in case.patterns:
        alone = p.evidence(list(x))
        assert alone == case.evidence[x]
        assert not isinstance(alone, float)


@each_exact
def test_exact_answers_are_the_oracles_fractions(case):
    assert_exact(build_exact(case), case)


@each_exact
def test_exact_table_is_the_joint_in_fractions(case):
    actual = build_exact(case).table()
    assert actual.dtype == object
    assert {x: actual[x] for x in case.joint} == case.joint
    assert sum(actual.ravel().tolist()) == 1


@each_exact
def test_exact_log_evidence_is_a_float(case):
    actual = build_exact(case).log_evidence(np.array(case.patterns))
    expected = [oracles.log(case.evidence[x]) for x in case.patterns]
    np.testing.assert_allclose(
        np.asarray(actual, dtype=float), expected, rtol=TOLERANCE, atol=TOLERANCE
    )


@each_exact
@each("mode", ["marginal", "uniform"])
def test_exact_fallbacks_are_exact(case, mode):
    actual = build_exact(case).denoise(np.array(case.patterns), on_impossible=mode)
    for x, answer in zip(case.patterns, actual, strict=True):
        assert answer.tolist() == case.conditional(x, mode)


@each_exact
def test_exact_distributions_raise_on_impossible_evidence(case):
    p = build_exact(case)
    for bad in case.impossible[:10]:
        with pytest.raises(ImpossibleEvidence) as caught:
            p.denoise(np.array(bad))
        assert caught.value.pattern == bad
    assert p.evidence([MASK] * case.length) == 1


@pytest.mark.parametrize("convert", [as_lists, weights_array], ids=["lists", "int64"])
@pytest.mark.parametrize("name", BIG_TABLES)
def test_exact_tables_do_not_overflow(name, convert):
    case = table(name, BIG_TABLES[name])
    assert_exact(build_exact(case, convert), case)


def test_exact_weights_may_be_larger_than_any_machine_integer():
    case = table("huge", [[10**40, 1], [3, 10**40 + 1]])
    assert_exact(build_exact(case), case)
    array = np.array(case.arrays["weights"], dtype=object)
    assert_exact(JointTable(array, exact=True), case)


@pytest.mark.parametrize("name", BIG_TABLES)
def test_float_tables_of_large_integers_do_not_overflow(name):
    case = table(name, BIG_TABLES[name])
    p = JointTable(weights_array(BIG_TABLES[name]))
    assert_close(p.denoise(np.array(case.possible)), case.expected(case.possible))
    assert_close(p.evidence(np.array(case.patterns)), list(case.evidence.values()))


def test_an_exact_chain_with_large_denominators():
    initial = row(2**41 + 1, 2**40 + 5, 3)
    transition = rows((2**42 + 3, 1, 2**41), (2**45, 2**44 + 7, 0), (1, 1, 2**50 + 1))
    case = chain("large", initial, transition, 4)
    assert_exact(build_exact(case), case)


def test_a_long_exact_chain_agrees_with_floats():
    """Over 200 sites the Fractions have denominators of hundreds of digits."""
    initial, transition = row(1, 1), rows((1, 2), (1, 4))
    exact = MarkovChain(initial, transition, 200, exact=True)
    p = MarkovChain(floats(initial), floats(transition), 200)
    x = [0, *[MASK] * 150, 1, *[MASK] * 48]
    np.testing.assert_allclose(exact.denoise(x).astype(float), p.denoise(x), rtol=TOLERANCE)
    assert float(exact.evidence(x)) == pytest.approx(p.evidence(x), rel=TOLERANCE)


IN_TIME = """
import math
from fractions import Fraction
from theory import MASK, JointTable, MarkovChain

weights = [1, 10**90 + 6]
print(float(JointTable(weights, exact=True).log_evidence([0])), -90 * math.log(10))

half = Fraction(1, 2)
rows = [[Fraction(1, 3), Fraction(2, 3)], [Fraction(1, 5), Fraction(4, 5)]]
x = [0, *[MASK] * 198, 1]
exact = MarkovChain([half, half], rows, 200, exact=True)
p = MarkovChain([0.5, 0.5], [[1 / 3, 2 / 3], [0.2, 0.8]], 200)
print(float(exact.log_evidence(x)), float(p.log_evidence(x)))
"""


def test_the_logarithm_of_an_exact_evidence_of_many_digits_does_not_wait_for_its_factors():
    """A number of 90 digits can be factored only with luck; run apart, as it may not return."""
    done = subprocess.run(
        [sys.executable, "-c", IN_TIME], capture_output=True, text=True, timeout=10, check=False
    )
    assert done.returncode == 0, done.stderr
    for line in done.stdout.splitlines():
        actual, expected = map(float, line.split())
        assert actual == pytest.approx(expected, rel=TOLERANCE)


@pytest.mark.parametrize("scale", [1e308, 1e-300])
def test_weights_at_the_ends_of_the_floating_range_are_normalised(scale):
    weights = [scale, scale / 2, scale, scale / 2]
    wanted = [1 / 3, 1 / 6, 1 / 3, 1 / 6]
    p = JointTable(weights)
    np.testing.assert_allclose(p.denoise([MASK]), [wanted], rtol=TOLERANCE)
    p = EmpiricalDistribution([[0], [1], [2], [3]], weights)
    np.testing.assert_allclose(p.denoise([MASK]), [wanted], rtol=TOLERANCE)
    p = ProductMixture(weights, np.eye(4)[:, None, :])
    np.testing.assert_allclose(p.denoise([MASK]), [wanted], rtol=TOLERANCE)


def test_an_exact_table_of_symbols():
    """Symbols pass through: p(x_1 = 1 | x_0 = 0) = b / (a + b)."""
    a, b, c, d = sympy.symbols("a b c d", positive=True)
    p = JointTable([[a, b], [c, d]], exact=True)
    total = a + b + c + d

    def same(left, right):
        return sympy.simplify(left - right) == 0

    answer = p.denoise([[0, MASK], [MASK, 1], [MASK, MASK]])
    expected = [
        [[1, 0], [a / (a + b), b / (a + b)]],
        [[b / (b + d), d / (b + d)], [0, 1]],
        [[(a + b) / total, (c + d) / total], [(a + c) / total, (b + d) / total]],
    ]
    for actual, wanted in zip(answer.ravel(), np.array(expected).ravel(), strict=True):
        assert same(actual, wanted)
    assert same(p.evidence([MASK, 1]), (b + d) / total)
    assert same(p.evidence([1, 0]), c / total)
    assert same(p.table()[0, 1], b / total)


def test_samples_of_exact_distributions_follow_their_support():
    for case in EXACT_CASES:
        drawn = build_exact(case).sample(np.random.default_rng(0), 50)
        assert drawn.dtype == np.int64
        assert all(case.joint[tuple(x)] != 0 for x in drawn.tolist()), case.name


# Random parameters


def integer_rows(*shape):
    """Nested lists of small non-negative integers in which no last row is all zero."""
    last = st.lists(st.integers(0, 4), min_size=shape[-1], max_size=shape[-1]).filter(any)
    for size in reversed(shape[:-1]):
        last = st.lists(last, min_size=size, max_size=size)
    return last


def normalise(nested):
    if isinstance(nested[0], list):
        return [normalise(item) for item in nested]
    return row(*nested)


counts = st.integers(1, 3)

# Length and vocabulary: at most 27 sequences.
sizes = st.sampled_from(
    [(length, vocab) for length in range(1, 5) for vocab in range(1, 5) if vocab**length <= 27]
)


@st.composite
def tables(draw):
    length, vocab = draw(sizes)
    flat = draw(integer_rows(vocab**length))
    return table("drawn", np.array(flat).reshape((vocab,) * length).tolist())


@st.composite
def chains(draw):
    length, vocab = draw(sizes)
    initial, transition = draw(integer_rows(vocab)), draw(integer_rows(vocab, vocab))
    return chain("drawn", normalise(initial), normalise(transition), length)


@st.composite
def hmms(draw):
    hidden, (length, vocab) = draw(counts), draw(sizes)
    shapes = [(hidden,), (hidden, hidden), (hidden, vocab)]
    initial, transition, emission = (normalise(draw(integer_rows(*shape))) for shape in shapes)
    return hmm("drawn", initial, transition, emission, length)


@st.composite
def mixtures(draw):
    components, (length, vocab) = draw(counts), draw(sizes)
    weights = draw(integer_rows(components))
    sites = draw(integer_rows(components, length, vocab))
    return mixture("drawn", normalise(weights), normalise(sites))


@st.composite
def empiricals(draw):
    (length, vocab), count = draw(sizes), draw(st.integers(1, 6))
    token = st.integers(0, vocab - 1)
    line = st.lists(token, min_size=length, max_size=length)
    sequences = draw(st.lists(line, min_size=count, max_size=count))
    weights = draw(st.none() | integer_rows(count))
    return empirical("drawn", sequences, vocab, weights)


DRAWN = {
    "tables": tables(),
    "chains": chains(),
    "hidden Markov models": hmms(),
    "mixtures": mixtures(),
    "data sets": empiricals(),
}


@pytest.mark.parametrize("cases", DRAWN.values(), ids=DRAWN)
@given(data=st.data())
def test_any_parameters_give_the_conditionals_of_their_joint(cases, data):
    """In floats, and exactly where the family can be exact."""
    case = data.draw(cases)
    p, x = case.build(), np.array(case.patterns)
    for mode in ("marginal", "uniform"):
        assert_close(p.denoise(x, on_impossible=mode), case.expected(case.patterns, mode))
    assert_close(p.evidence(x), list(case.evidence.values()))
    assert_close(p.denoise(np.array(case.possible)), case.expected(case.possible))
    if case.family in (JointTable, MarkovChain):
        assert_exact(build_exact(case), case)


# Long sequences


LENGTH, VOCAB = 2000, 5


def long_chain(seed=0):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(VOCAB)), rng.dirichlet(np.full(VOCAB, 0.5), size=VOCAB)


def walk(rng, initial, transition, length):
    """A path of the chain, so that what it shows is possible."""
    out = [rng.choice(len(initial), p=initial)]
    while len(out) < length:
        out.append(rng.choice(len(initial), p=transition[out[-1]]))
    return np.array(out)


def observe(x, sites):
    out = np.full_like(x, MASK)
    out[sites] = x[sites]
    return out


def long_patterns(x, rng):
    """Dense, sparse and one-sided views of a path."""
    length = len(x)
    return np.stack(
        [
            observe(x, []),
            observe(x, [0]),
            observe(x, [length - 1]),
            observe(x, [3, length - 5]),
            observe(x, [length // 2, length // 2 + 1]),
            observe(x, range(0, length, 2)),
            observe(x, range(length - 1)),
            observe(x, rng.random(length) < 0.01),
            observe(x, rng.random(length) < 0.9),
            x,
        ]
    )


def assert_long(p, patterns, answers):
    expected = np.stack([denoised for denoised, _ in answers])
    np.testing.assert_allclose(p.denoise(patterns), expected, rtol=1e-9, atol=TOLERANCE)
    np.testing.assert_allclose(
        p.log_evidence(patterns), [log for _, log in answers], rtol=1e-11, atol=TOLERANCE
    )


def test_long_chains_shown_and_hidden_agree_with_forward_backward():
    rng = np.random.default_rng(1)
    initial, transition = long_chain()
    path = walk(rng, initial, transition, LENGTH)
    patterns = long_patterns(path, rng)
    answers = [oracles.chain_forward_backward(initial, transition, x) for x in patterns]
    assert_long(MarkovChain(initial, transition, LENGTH), patterns, answers)
    emission = rng.dirichlet(np.ones(4), size=VOCAB)
    patterns = long_patterns(np.array([rng.choice(4, p=emission[h]) for h in path]), rng)
    answers = [oracles.hmm_forward_backward(initial, transition, emission, x) for x in patterns]
    assert min(log for _, log in answers) < -1000
    assert_long(HiddenMarkovModel(initial, transition, emission, LENGTH), patterns, answers)


def test_long_log_evidence_does_not_underflow():
    """The probability of a whole path of 2000 tokens is far below the smallest double."""
    rng = np.random.default_rng(2)
    initial, transition = long_chain(2)
    x = walk(rng, initial, transition, LENGTH)
    p = MarkovChain(initial, transition, LENGTH)
    expected = math.log(initial[x[0]]) + math.fsum(np.log(transition[x[:-1], x[1:]]))
    assert expected < -1000
    assert p.log_evidence(x) == pytest.approx(expected, rel=1e-12)
    assert p.evidence(x) == 0.0
    np.testing.assert_array_equal(p.denoise(x), np.eye(VOCAB)[x])


def test_a_long_cycle_is_decided_by_one_observation():
    """Probabilities are exactly zero and one, nothing is clamped."""
    shift = np.roll(np.eye(VOCAB), 1, axis=1)
    p = MarkovChain(np.full(VOCAB, 0.2), shift, LENGTH)
    for site in (0, 777, LENGTH - 1):
        x = np.full(LENGTH, MASK)
        x[site] = 3
        tokens = (3 + np.arange(LENGTH) - site) % VOCAB
        np.testing.assert_array_equal(p.denoise(x), np.eye(VOCAB)[tokens])
        assert p.log_evidence(x) == pytest.approx(math.log(0.2))


def test_a_long_cycle_refuses_observations_out_of_step():
    shift = np.roll(np.eye(VOCAB), 1, axis=1)
    p = MarkovChain(np.full(VOCAB, 0.2), shift, LENGTH)
    x = np.full(LENGTH, MASK)
    x[[0, LENGTH - 1]] = 0  # 1999 steps are not a multiple of 5
    assert p.log_evidence(x) == -np.inf
    assert p.evidence(x) == 0.0
    with pytest.raises(ImpossibleEvidence) as caught:
        p.denoise(x)
    assert caught.value.pattern == tuple(x.tolist())


def test_a_long_periodic_chain_keeps_its_zeros():
    """Tokens {0, 1} and {2, 3, 4} alternate; the wrong class has probability exactly 0.0."""
    rng = np.random.default_rng(3)
    transition = np.zeros((5, 5))
    transition[:2, 2:] = rng.dirichlet(np.ones(3), size=2)
    transition[2:, :2] = rng.dirichlet(np.ones(2), size=3)
    p = MarkovChain(np.full(5, 0.2), transition, LENGTH)
    x = np.full(LENGTH, MASK)
    x[1000] = 1
    answer = p.denoise(x)
    assert (answer[0::2, 2:] == 0.0).all()
    assert (answer[1::2, :2] == 0.0).all()
    np.testing.assert_allclose(answer.sum(axis=1), 1.0, rtol=TOLERANCE)
    assert_long(p, x[None], [oracles.chain_forward_backward(np.full(5, 0.2), transition, x)])


def test_a_long_chain_with_two_classes_rules_one_out():
    rng = np.random.default_rng(4)
    transition = np.zeros((5, 5))
    transition[:2, :2] = rng.dirichlet(np.ones(2), size=2)
    transition[2:, 2:] = rng.dirichlet(np.ones(3), size=3)
    p = MarkovChain(np.full(5, 0.2), transition, LENGTH)
    x = np.full(LENGTH, MASK)
    x[-1] = 4
    assert (p.denoise(x)[:, :2] == 0.0).all()
    x[0] = 0
    assert p.log_evidence(x) == -np.inf


def test_survival_over_a_long_gap_does_not_underflow():
    """State 0 is left with probability 1/2 a step: 1999 steps later it is rare, not impossible."""
    p = MarkovChain([0.75, 0.25], [[0.5, 0.5], [0.0, 1.0]], LENGTH)
    x = np.full(LENGTH, MASK)
    x[[0, -1]] = 0
    assert p.log_evidence(x) == pytest.approx(math.log(0.75) + 1999 * math.log(0.5), rel=1e-12)
    expected = np.zeros((LENGTH, 2))
    expected[:, 0] = 1.0
    np.testing.assert_array_equal(p.denoise(x), expected)
    x[0] = MASK  # the last token alone, after 1999 masks
    assert p.log_evidence(x) == pytest.approx(math.log(0.75) + 1999 * math.log(0.5), rel=1e-12)
    np.testing.assert_array_equal(p.denoise(x), expected)


def test_rare_survivors_keep_their_proportions():
    """Two transient states that mix: given survival, the posterior is that of the oracle."""
    initial = [0.5, 0.25, 0.25]
    transition = [[0.25, 0.125, 0.625], [0.25, 0.25, 0.5], [0.0, 0.0, 1.0]]
    p = MarkovChain(initial, transition, LENGTH)
    x = np.full(LENGTH, MASK)
    x[-1] = 1
    both = np.stack([x, observe(np.ones(LENGTH, dtype=int), [0, LENGTH - 1])])
    answers = [oracles.chain_forward_backward(initial, transition, pattern) for pattern in both]
    assert answers[0][1] < -1000
    assert_long(p, both, answers)


def test_tiny_transitions_are_not_impossible():
    """Four steps of probability 1e-200 underflow together, yet leave a plain posterior."""
    tiny = 1e-200
    p = MarkovChain([0.5, 0.5], [[1.0, tiny], [tiny, 1.0]], 6)
    x = [0, 1, 0, 1, 0, MASK]
    assert p.log_evidence(x) == pytest.approx(math.log(0.5) + 4 * math.log(tiny), rel=1e-12)
    assert p.denoise(x)[-1] == pytest.approx([1.0, tiny], rel=1e-12)


def test_long_sequences_drawn_from_a_chain_follow_it():
    initial, transition = long_chain()
    transition[0] = [0.0, 0.5, 0.5, 0.0, 0.0]
    drawn = MarkovChain(initial, transition, LENGTH).sample(np.random.default_rng(0), 10)
    assert drawn.shape == (10, LENGTH)
    steps = np.zeros((VOCAB, VOCAB))
    np.add.at(steps, (drawn[:, :-1].ravel(), drawn[:, 1:].ravel()), 1)
    assert (steps[transition == 0] == 0).all()
    visits = steps.sum(axis=1, keepdims=True)
    spread = np.sqrt(transition * (1 - transition) / visits)
    assert (np.abs(steps / visits - transition) <= 5 * spread + 1e-12).all()


def test_hidden_survival_over_a_long_gap_does_not_underflow():
    """Token 1 shows that the hidden state never left 0."""
    initial, transition = [1.0, 0.0], [[0.5, 0.5], [0.0, 1.0]]
    emission = [[0.5, 0.5], [1.0, 0.0]]
    p = HiddenMarkovModel(initial, transition, emission, LENGTH)
    x = np.full(LENGTH, MASK)
    x[-1] = 1
    assert p.log_evidence(x) == pytest.approx(2000 * math.log(0.5), rel=1e-12)
    np.testing.assert_allclose(p.denoise(x)[:-1], 0.5, rtol=TOLERANCE)


@pytest.mark.parametrize("end", [0, LENGTH - 1], ids=["first token", "last token"])
def test_one_token_may_outweigh_all_the_others(end):
    """1997 zeros favour the second class by 2 ** 1997; a single 2 rules it out."""
    emission = [[0.25, 0.5, 0.25], [0.5, 0.5, 0.0]]
    p = HiddenMarkovModel([0.5, 0.5], np.eye(2), emission, LENGTH)
    x = np.zeros(LENGTH, dtype=int)
    x[end] = 2
    x[[1, LENGTH - 2]] = MASK
    assert p.log_evidence(x) == pytest.approx(math.log(0.5) + 1998 * math.log(0.25), rel=1e-12)
    np.testing.assert_allclose(p.denoise(x)[[1, LENGTH - 2]], emission[:1] * 2, rtol=TOLERANCE)


def test_a_long_mixture_weighs_its_components_without_underflow():
    rng = np.random.default_rng(6)
    weights, sites = rng.dirichlet(np.ones(3)), rng.dirichlet(np.ones(4), size=(3, LENGTH))
    close = 0.999 * sites[:1] + 0.001 * sites  # components that stay in doubt
    for components in (sites, close):
        shown = np.array([rng.choice(4, p=row) for row in components[0]])
        patterns = long_patterns(shown, rng)
        answers = [oracles.mixture_posterior(weights, components, x) for x in patterns]
        assert min(log for _, log in answers) < -1000
        assert_long(ProductMixture(weights, components), patterns, answers)


# Data sets


def test_a_large_data_set_answers_by_counting():
    """100 000 sequences, 50 patterns: the rows that agree, selected directly."""
    rng = np.random.default_rng(7)
    count, length, vocab = 100_000, 8, 4
    sequences = rng.integers(0, vocab, size=(count, length))
    patterns = np.where(rng.random((50, length)) < 0.5, MASK, sequences[:50])
    p = EmpiricalDistribution(sequences)
    assert (p.length, p.vocab) == (length, vocab)
    denoised, evidence = p.denoise(patterns), p.evidence(patterns)
    for x, answer, probability in zip(patterns, denoised, evidence, strict=True):
        agreeing = sequences[((sequences == x) | (x == MASK)).all(axis=1)]
        assert probability == pytest.approx(len(agreeing) / count, rel=TOLERANCE)
        expected = [(agreeing == v).mean(axis=0) for v in range(vocab)]
        np.testing.assert_allclose(answer, np.stack(expected, axis=1), rtol=TOLERANCE)


def test_a_large_weighted_data_set_answers_by_weight():
    rng = np.random.default_rng(8)
    count, length, vocab = 20_000, 6, 4
    sequences = rng.integers(0, vocab, size=(count, length))
    weights = rng.random(count) * (rng.random(count) < 0.7)
    shown = sequences[weights > 0][:20]
    patterns = np.where(rng.random(shown.shape) < 0.5, MASK, shown)
    p = EmpiricalDistribution(sequences, weights, vocab)
    denoised, evidence = p.denoise(patterns), p.evidence(patterns)
    for x, answer, probability in zip(patterns, denoised, evidence, strict=True):
        chosen = ((sequences == x) | (x == MASK)).all(axis=1)
        total = math.fsum(weights[chosen])
        assert probability == pytest.approx(total / math.fsum(weights), rel=1e-11)
        for i in range(length):
            for v in range(vocab):
                part = math.fsum(weights[chosen & (sequences[:, i] == v)])
                assert answer[i, v] == pytest.approx(part / total, rel=1e-11, abs=1e-15)


def test_a_data_set_of_long_sequences():
    """4 ** 500 does not fit in any integer code; one agreeing row decides everything."""
    rng = np.random.default_rng(9)
    sequences = rng.integers(0, 4, size=(300, 500))
    p = EmpiricalDistribution(sequences)
    x = np.full(500, MASK)
    x[[0, 30, 60, 90, 120, 150, 180, 210, 499]] = sequences[
        17, [0, 30, 60, 90, 120, 150, 180, 210, 499]
    ]
    chosen = ((sequences == x) | (x == MASK)).all(axis=1)
    assert chosen.sum() == 1
    np.testing.assert_array_equal(p.denoise(x), np.eye(4)[sequences[17]])
    assert p.log_evidence(x) == pytest.approx(-math.log(300), rel=TOLERANCE)


@pytest.mark.parametrize("weights", [None, [1, 0, 2, 5]], ids=["counted", "weighted"])
def test_a_data_set_keeps_its_sequences_and_weights(weights):
    sequences = [[0, 1, 2], [2, 1, 0], [0, 1, 2], [1, 1, 1]]
    p = EmpiricalDistribution(sequences, weights)
    kept = oracles.empirical_joint(np.asarray(p.sequences), 3, np.asarray(p.weights).tolist())
    wanted = oracles.empirical_joint(sequences, 3, weights)
    for x, probability in wanted.items():
        assert kept[x] == pytest.approx(float(probability), rel=TOLERANCE)
    assert len(p.sequences) == len(p.weights)


def test_a_data_set_with_a_token_used_by_weight_zero_only():
    p = EmpiricalDistribution([[0, 0], [1, 2]], weights=[1, 0])
    assert p.vocab == 3
    np.testing.assert_array_equal(p.denoise([MASK, MASK]), [[1, 0, 0], [1, 0, 0]])
    with pytest.raises(ImpossibleEvidence):
        p.denoise([1, MASK])
