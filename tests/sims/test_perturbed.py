"""Denoisers that are almost right, against the definition of their errors."""

import itertools
import math
import subprocess
import sys
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy.stats import kstest

from sims import Perturbed
from tests import oracles
from tests.cases import (
    DEVICE1,
    EXACT_CASES,
    build_exact,
    each_case,
    each_family,
    each_of,
    floats,
    random_rows,
    random_weights,
    to_device1,
    to_host,
)
from tests.noted import each, refusals
from theory import (
    MASK,
    HiddenMarkovModel,
    JointTable,
    MarkovChain,
    ProductMixture,
    gallery,
)

TOLERANCE = 1e-12
LEVEL = 1e-6  # of the statistical tests; seeds are fixed


# The definition, without noise


def perturbed_row(row, temperature, smoothing):
    """First the power, then the uniform distribution."""
    uniform = Fraction(1, len(row))
    return [(1 - smoothing) * p + smoothing * uniform for p in oracles.tempered(row, temperature)]


def perturbed(case, pattern, temperature=1, smoothing=0):
    """Impossible contexts are answered with the marginals, which are perturbed as well."""
    rows = case.conditional(pattern, "marginal")
    return [
        [int(v == o) for v in range(case.vocab)]
        if o != MASK
        else perturbed_row(rows[i], temperature, smoothing)
        for i, o in enumerate(pattern)
    ]


def as_patterns(patterns, convert=np.asarray):
    return convert(np.array(patterns, dtype=np.int64))


@each_case
def test_temperature_and_smoothing_of_every_family(case):
    p = case.build()
    patterns = case.patterns[:: max(1, len(case.patterns) // 100)]
    same = Perturbed(p, noise=0, temperature=1, smoothing=0, seed=5)(as_patterns(patterns))
    zero_loss = p.denoise(as_patterns(patterns), on_impossible="marginal")
    np.testing.assert_array_equal(same, zero_loss)
    for temperature, smoothing in [(0.5, 0), (3, 0), (1, 0.2), (0.7, 0.1), (1, 1), (0.1, 0.9)]:
        found = Perturbed(p, temperature=temperature, smoothing=smoothing)(as_patterns(patterns))
        expected = [perturbed(case, x, temperature, smoothing) for x in patterns]
        np.testing.assert_allclose(found, np.array(expected, dtype=float), rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(found.sum(axis=-1), 1, rtol=TOLERANCE)


@each_of(EXACT_CASES)
@each("smoothing", [0, 1, Fraction(1, 5)])
def test_rational_smoothing_is_exact(case, smoothing):
    found = Perturbed(build_exact(case), smoothing=smoothing)(as_patterns(case.patterns))
    assert found.dtype == object
    for pattern, rows in zip(case.patterns, found.tolist(), strict=True):
        assert rows == perturbed(case, pattern, smoothing=smoothing)


def test_extreme_temperatures_neither_overflow_nor_underflow():
    p = JointTable([1e-300, 1.0, 0.5])
    x = np.array([[MASK]])
    cold = Perturbed(p, temperature=1e-3)(x)[0, 0]
    np.testing.assert_allclose(cold, [0, 1, 0], atol=1e-12)
    hot = Perturbed(p, temperature=1e6)(x)[0, 0]
    np.testing.assert_allclose(hot, [1 / 3] * 3, rtol=1e-3)
    small = Perturbed(gallery.parity(3), temperature=1e-300)(np.array([[0, 1, MASK]]))[0, 2]
    assert small.tolist() == [0, 1]


# Noise: a function of seed, pattern, site and token


NOISY = {
    "table": JointTable(random_weights(1, (4, 4, 4), zeros=0.3)),
    "chain": MarkovChain(floats(random_rows(2, 3)), floats(random_rows(3, 3, 3)), 5),
    "hmm": HiddenMarkovModel([0.3, 0.7], [[0.9, 0.1], [0.4, 0.6]], [[0.2, 0.8], [0.5, 0.5]], 6),
    "mixture": ProductMixture([0.4, 0.6], floats(random_rows(4, 2, 5, 3))),
    "words": gallery.words(3),
}
each_noisy = pytest.mark.parametrize("p", NOISY.values(), ids=NOISY)


def some_patterns(p, count=300):
    x = p.sample(np.random.default_rng(0), count)
    return np.where(np.random.default_rng(1).random(x.shape) < 0.5, MASK, x)


@each_noisy
def test_the_same_question_gets_the_same_answer(p):
    """Whatever else is asked, in whatever order and how often; another object agrees."""
    x = some_patterns(p)
    denoiser = Perturbed(p, noise=0.7, temperature=0.8, smoothing=0.1, seed=3)
    once = denoiser(x)
    np.testing.assert_array_equal(denoiser(x), once)
    again = Perturbed(p, noise=0.7, temperature=0.8, smoothing=0.1, seed=3)
    np.testing.assert_allclose(again(x[::-1])[::-1], once, rtol=1e-9, atol=1e-14)
    for n in (0, 7, 299):
        np.testing.assert_allclose(again(x[n : n + 1])[0], once[n], rtol=1e-9, atol=1e-14)
    twice = again(np.repeat(x[:5], 2, axis=0))
    np.testing.assert_array_equal(twice[::2], twice[1::2])
    np.testing.assert_allclose(twice[::2], once[:5], rtol=1e-9, atol=1e-14)


def test_the_answer_does_not_depend_on_how_the_question_is_stored():
    p = NOISY["chain"]
    x = some_patterns(p, 50)
    denoiser = Perturbed(p, noise=1, seed=1)
    expected = denoiser(x)
    for same in (
        x.astype(np.int32),
        x.astype(np.int8),
        np.asfortranarray(x),
        x.tolist(),
        np.repeat(x, 2, axis=1)[:, ::2],
        x.astype(">i8"),
    ):
        np.testing.assert_array_equal(denoiser(same), expected)
    np.testing.assert_array_equal(np.stack([denoiser(row) for row in x]), expected)


@each_noisy
def test_noisy_answers_are_distributions_that_differ_between_seeds(p):
    x = some_patterns(p)
    x.flags.writeable = False
    exact = p.denoise(x)
    unsure = (x == MASK) & (exact.max(axis=-1) < 1 - 1e-9)
    answers = [Perturbed(p, noise=0.5, seed=seed)(x) for seed in (0, 1, 2, 2**40)]
    assert unsure.any()
    for a, b in itertools.combinations(answers, 2):
        assert (np.abs(a - b).max(axis=-1)[unsure] > 0).all()
    for noise in (0.1, 1, 5, 50):
        found = Perturbed(p, noise=noise)(x)
        assert (found >= 0).all()
        np.testing.assert_allclose(found.sum(axis=-1), 1, rtol=TOLERANCE)
        assert (found[exact == 0] == 0).all()
        if noise < 5:
            assert (found[exact > 1e-9] > 0).all()
        observed = np.eye(p.vocab)[np.where(x == MASK, 0, x)]
        np.testing.assert_array_equal(found[x != MASK], observed[x != MASK])


def log_ratios(p, x, site, **arguments):
    """log q_v / q_0 less log p_v / p_0 at a site that is masked in all patterns, for v >= 1."""
    assert (x[:, site] == MASK).all()
    ratios = np.log(Perturbed(p, **arguments)(x)[:, site]) - np.log(p.denoise(x)[:, site])
    return (ratios - ratios[:, :1])[:, 1:]


@pytest.mark.parametrize("noise", [0.05, 0.5, 2.0])
@pytest.mark.parametrize("site", [0, 4, 8])
def test_the_noise_is_gaussian_on_every_logit(noise, site):
    """Differences of two logits have mean 0 and variance 2 noise^2, for all sites and pairs.

    Their mean over n patterns has standard deviation noise sqrt(2 / n), and their variance that of
    a chi-square: 5.5 sigma are allowed, and what Kolmogorov and Smirnov say at the level above.
    """
    p = ProductMixture([1.0], [floats(random_rows(6, 9, 3))])
    x = np.random.default_rng(0).integers(-1, 3, (8000, 9))
    x[:, site] = MASK
    x = np.unique(x, axis=0)
    n = len(x)
    assert n > 5000
    one, two = log_ratios(p, x, site, noise=noise, seed=2).T
    for difference in (one, two, two - one):
        normal = difference / (noise * math.sqrt(2))
        assert abs(normal.mean()) < 5.5 / math.sqrt(n)
        assert abs(normal.var() - 1) < 5.5 * math.sqrt(2 / n)
        assert kstest(normal, "norm").pvalue > LEVEL


COINS = ProductMixture([1.0], np.full((1, 12, 2), 0.5))
BITS = np.array(list(itertools.product((0, 1), repeat=10)))


def correlation(a, b):
    return float(np.corrcoef(a, b)[0, 1])


def noise_at(x, site, **arguments):
    return log_ratios(COINS, x, site, **{"noise": 1.0, "seed": 0} | arguments)[:, 0]


def beside(before, after):
    """1024 patterns: some tokens, then ten bits, then more tokens."""
    ends = [np.tile(np.array(end, dtype=np.int64), (len(BITS), 1)) for end in (before, after)]
    return np.concatenate([ends[0], BITS, ends[1]], axis=1)


LARGE = [2**32, 2**63 - 1, 2**63, 2**64, 2**64 + 1, 2**100]


def test_noise_at_patterns_that_differ_a_little_is_independent():
    """By a token, by a shift, or not at all but with another seed."""
    noise = noise_at(beside([MASK, 0], []), 0)
    assert len(np.unique(np.round(noise, 9))) == len(BITS)
    others = {
        "another token": noise_at(beside([MASK, 1], []), 0),
        "a mask": noise_at(beside([MASK, MASK], []), 0),
        "at the other end": noise_at(beside([MASK], [0]), 0),
        "shifted": noise_at(beside([0, MASK], []), 1),
        "the next seed": noise_at(beside([MASK, 0], []), 0, seed=1),
        **{f"seed {n}": noise_at(beside([MASK, 0], []), 0, seed=n) for n in LARGE},
    }
    every = {"itself": noise, **others}
    for one, two in itertools.combinations(every, 2):
        assert abs(correlation(every[one], every[two])) < 5.5 / math.sqrt(len(BITS)), (one, two)


def test_noise_of_the_tokens_is_independent():
    """Two differences with the first logit share only that: correlation 1/2."""
    p = ProductMixture([1.0], np.full((1, 8, 3), 1 / 3))
    x = np.array([[MASK, *tokens] for tokens in itertools.product((0, 1, 2), repeat=7)])
    one, two = log_ratios(p, x, 0, noise=1.0, seed=4).T
    assert abs(correlation(one, two) - 0.5) < 5.5 * 0.75 / math.sqrt(len(x))


def test_noise_then_temperature_then_smoothing():
    """Each on what the one before has made."""
    p = NOISY["mixture"]
    x = some_patterns(p)
    noisy = Perturbed(p, noise=0.8, seed=2)(x)
    both = Perturbed(p, noise=0.8, temperature=0.6, seed=2)(x)
    all_three = Perturbed(p, noise=0.8, temperature=0.6, smoothing=0.3, seed=2)(x)
    masked = (x == MASK)[..., None]
    power = noisy ** (1 / 0.6)
    power = power / power.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(both, np.where(masked, power, noisy), rtol=1e-9)
    mixed = np.where(masked, 0.7 * power + 0.3 / p.vocab, noisy)
    np.testing.assert_allclose(all_three, mixed, rtol=1e-9)


SCRIPT = """
from sims import Perturbed
from theory import gallery
print(Perturbed(gallery.coupled_pairs(2), noise=1, seed=7)([[-1, 0, 1, -1]]).tolist())
"""


def test_the_noise_is_the_same_in_every_process():
    """No hash that is salted."""
    here = Perturbed(gallery.coupled_pairs(2), noise=1, seed=7)([[MASK, 0, 1, MASK]])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == str(here.tolist())


# Where it goes


@each_family
def test_distributions_on_a_device(case):
    """The noise is that of the host."""
    host, there = case.build(), case.build(to_device1)
    x = as_patterns(case.patterns)
    errors: list[dict[str, Any]] = [
        {},
        {"temperature": 0.5},
        {"smoothing": 0.2},
        {"noise": 0.5, "seed": 3},
        {"noise": 0.5, "temperature": 2, "smoothing": 0.1},
    ]
    for arguments in errors:
        found = Perturbed(there, **arguments)(as_patterns(case.patterns, to_device1))
        assert found.device == DEVICE1
        assert found.shape == (*x.shape, case.vocab)
        expected = Perturbed(host, **arguments)(x)
        np.testing.assert_allclose(to_host(found), expected, rtol=1e-12, atol=1e-15)


# What is refused


P, EXACT = gallery.coupled_pairs(1), gallery.coupled_pairs(1, exact=True)


def perturb(p, **error):
    return Perturbed(p, **error)([[MASK, 0]])


OF_EXACT = [{"noise": 0.1}, {"temperature": 0.5}, {"temperature": 2}, {"smoothing": 0.5}]
NO_NUMBERS = [math.nan, "1", None, [0.5], 1j]
NO_SHARES = [-0.1, 1.1, Fraction(-1, 9), Fraction(10, 9), math.inf]
NO_PATTERNS = [[[0, 2]], [[-2, 0]], [[0]], [[0, 0, 0]], [[[0, 0]]], [[0.5, 0]], "01", None]
PAIR = (P, EXACT)
test_refusals = refusals(
    *(
        row
        for p in PAIR
        for row in (
            ("noise", lambda v, p=p: perturb(p, noise=v), [-1, -1e-9, math.inf, *NO_NUMBERS]),
            ("temperature", lambda v, p=p: perturb(p, temperature=v), [0, -1, -1e-9, math.inf]),
            ("temperature", lambda v, p=p: perturb(p, temperature=v), NO_NUMBERS),
            ("smoothing", lambda v, p=p: perturb(p, smoothing=v), [*NO_SHARES, *NO_NUMBERS]),
        )
    ),
    ("seed", lambda seed: perturb(P, noise=1, seed=seed), [-1, 1.5, 1.0, "1", None, True]),
    ("exact", lambda error: perturb(EXACT, **error), OF_EXACT),
    ("Distribution", perturb, [None, 1, [[0.5, 0.5]], np.ones((2, 2))]),
    *((".", Perturbed(P, **error), NO_PATTERNS) for error in ({}, {"noise": 1})),
)


def test_values_can_be_read():
    assert "noise=0.5" in repr(Perturbed(P, noise=0.5, seed=3))
    assert "seed=3" in repr(Perturbed(P, noise=0.5, seed=3))
