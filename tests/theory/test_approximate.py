"""Brackets around the mean entropies, and estimates of the profile by sampling."""

import functools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import oracles
from tests.cases import CASES, each_case, each_family, each_of
from tests.noted import each, refusals
from theory import (
    HiddenMarkovModel,
    JointTable,
    ProductMixture,
    bounds,
    gallery,
    information,
    schedules,
    strategies,
)
from theory.information.approximate import drawn_entropies, falling

ROUNDING = 1e-11  # of sums of a few hundred terms below 1
BRACKETED = [case for case in CASES if isinstance(case.build(), HiddenMarkovModel | ProductMixture)]
COMPUTED = [case for case in CASES if case not in BRACKETED]
each_computed = each_of(COMPUTED)
each_bracketed = each_of(BRACKETED)


def contains(bounds, values):
    """Both bounds, in order, with the values between them."""
    lower, upper = map(np.asarray, bounds)
    assert lower.shape == upper.shape == np.shape(values)
    return (lower - ROUNDING <= values).all() and (values <= upper + ROUNDING).all()


def repeated_bit_entropies(length, noise):
    """e_k of a fair bit seen k times, by the number n of ones: a mixture of two binomials."""
    e = []
    for k in range(length + 1):
        total = 0.0
        for n in range(k + 1):
            ones, zeros = n * math.log(noise), (k - n) * math.log1p(-noise)
            other = n * math.log1p(-noise) + (k - n) * math.log(noise)
            word = np.logaddexp(ones + zeros, other) - math.log(2)
            count = math.lgamma(k + 1) - math.lgamma(n + 1) - math.lgamma(k - n + 1)
            total -= math.exp(count + word) * word
        e.append(total)
    return np.array(e)


# Brackets


@each_case
def test_the_bracket_contains_the_mean_entropies_and_the_profile(case):
    bracket = information.bracket(case.build())
    e = np.array(oracles.mean_subset_entropies(case.joint))
    assert contains((bracket.lower, bracket.upper), e)
    assert contains(bracket.profile(), np.diff(e))


@each_computed
def test_the_bracket_is_closed_where_the_entropies_are_computed(case):
    bracket = information.bracket(case.build())
    e = oracles.mean_subset_entropies(case.joint)
    np.testing.assert_array_equal(bracket.lower, bracket.upper)
    np.testing.assert_allclose(bracket.lower, e, rtol=0, atol=ROUNDING)
    lower, upper = bracket.profile()
    np.testing.assert_allclose(lower, np.diff(e), rtol=0, atol=ROUNDING)
    np.testing.assert_allclose(upper, np.diff(e), rtol=0, atol=ROUNDING)


def test_the_exact_bracket_of_a_table():
    p = gallery.parity(4, exact=True)
    bracket = information.bracket(p, base=2)
    assert list(bracket.lower) == list(bracket.upper) == [0, 1, 2, 3, 3]
    lower, upper = bracket.profile()
    assert list(lower) == list(upper) == [1, 1, 1, 0]


@given(
    strategies.hidden_markov_models(lengths=(1, 5), states=(1, 3))
    | strategies.product_mixtures(lengths=(1, 5))
)
@settings(max_examples=120)
def test_the_bracket_of_any_hidden_markov_model_or_mixture(p):
    e = information.mean_entropies(JointTable(p.table()))
    bracket = information.bracket(p)
    assert contains((bracket.lower, bracket.upper), e)
    assert contains(bracket.profile(), np.diff(e))


@each_bracketed
def test_the_bracket_is_no_wider_than_nothing_known(case):
    """Between 0 and k log V, and a point where a set is empty."""
    bracket = information.bracket(case.build())
    most = np.arange(case.length + 1) * math.log(case.vocab)
    assert (bracket.lower >= -ROUNDING).all()
    assert (bracket.upper <= most + ROUNDING).all()
    assert bracket.lower[0] == pytest.approx(0, abs=ROUNDING)
    assert bracket.upper[0] == pytest.approx(0, abs=ROUNDING)


def test_one_component_and_one_hidden_state_leave_no_doubt():
    """Independent sites, of 1 and of log2 3 bits."""
    sites = np.array([[[0.5, 0.5, 0.0], [1 / 3, 1 / 3, 1 / 3]]])
    bracket = information.bracket(ProductMixture([1.0], sites), base=2)
    e = [0, (1 + math.log2(3)) / 2, 1 + math.log2(3)]
    np.testing.assert_allclose(bracket.lower, e, rtol=0, atol=ROUNDING)
    np.testing.assert_allclose(bracket.upper, e, rtol=0, atol=ROUNDING)
    model = HiddenMarkovModel([1.0], [[1.0]], [[0.5, 0.5]], 40)
    bracket = information.bracket(model, base=2)
    np.testing.assert_allclose(bracket.lower, np.arange(41), rtol=0, atol=1e-10)
    np.testing.assert_allclose(bracket.upper, np.arange(41), rtol=0, atol=1e-10)


def test_a_long_noisy_repeated_bit():
    """128 looks at one bit: no table, and a bracket of at most the bit itself."""
    bracket = information.bracket(gallery.repeated_bit(128, 0.01))
    e = repeated_bit_entropies(128, 0.01)
    assert contains((bracket.lower, bracket.upper), e)
    assert contains(bracket.profile(), np.diff(e))
    assert (bracket.upper - bracket.lower).max() <= math.log(2) + ROUNDING


# Estimates


def within(estimate, expected, errors):
    """Of as many standard errors, or equal where the estimate does not vary."""
    mean, error = estimate
    assert mean.shape == error.shape == np.shape(expected)
    assert (error >= 0).all()
    return (abs(mean - expected) <= errors * error + ROUNDING).all()


@each_family
def test_the_estimate_lies_within_five_standard_errors(case):
    estimate = information.estimate_profile(case.build(), np.random.default_rng(0), 2000)
    f = oracles.profile(case.joint)
    assert within(estimate, f, 5)
    assert (estimate.standard_error < 0.1).all()


def test_what_is_drawn_is_unbiased_and_its_errors_are_honest():
    """200 means of 20 sequences each: their mean, and their variance against their errors.

    The square of a standard error is an unbiased estimate of the variance of the mean. Both sides
    are known to a tenth, up to the fourth moment; three of these. The regression is not in it.
    """
    p = gallery.binary_symmetric(5, 0.2)
    f, rng = information.profile(p), np.random.default_rng(1)
    drawn = np.array([drawn_entropies(p, rng, 20) for _ in range(200)])
    means, errors = drawn.mean(axis=1), drawn.std(axis=1, ddof=1) / math.sqrt(20)
    spread = means.std(axis=0, ddof=1)
    assert (abs(means.mean(axis=0) - f) <= 5 * spread / math.sqrt(200) + ROUNDING).all()
    varying = spread > 1e-9
    assert varying[1:].all()  # the first site is a fair bit in every order
    ratios = (errors[:, varying] ** 2).mean(axis=0) / spread[varying] ** 2
    assert (abs(ratios - 1) < 0.4).all()


def nearest_that_falls(mean, weights):
    """The minimax formula: at j the least over a <= j of the largest mean from a to b >= j."""

    def average(a, b):
        return (mean[a : b + 1] * weights[a : b + 1]).sum() / weights[a : b + 1].sum()

    sites = range(len(mean))
    return np.array(
        [min(max(average(a, b) for b in sites[j:]) for a in sites[: j + 1]) for j in sites]
    )


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 5)), min_size=1, max_size=7))
def test_the_regression_is_the_nearest_profile(pairs):
    mean, error = np.array(pairs, dtype=float).T
    found = falling(mean, error, 100)
    np.testing.assert_allclose(found, nearest_that_falls(mean, error**-2.0), rtol=0, atol=1e-12)
    assert (np.diff(found) <= 0).all()
    if (np.diff(mean) <= 0).all():
        np.testing.assert_array_equal(found, mean)


def test_no_error_counts_as_less_than_that_of_one_draw():
    """Two draws of no entropy do not pull down what is above 0 with an error of its own."""
    mean, error = np.array([2.0, 0.0, 1.0]), np.array([0.0, 0.0, 1.0])
    expected = nearest_that_falls(mean, np.array([1.0, 1.0, 1.0]))
    np.testing.assert_allclose(falling(mean, error, 2), expected, rtol=0, atol=1e-12)
    assert expected.tolist() == [2.0, 0.5, 0.5]


def test_an_estimate_never_increases_and_is_a_profile():
    """Ten sequences of a chain that forgets within two sites: unprojected means go up and down."""
    p, rose = gallery.binary_symmetric(24, 0.3), 0
    for seed in range(5):
        drawn = drawn_entropies(p, np.random.default_rng(seed), 10)
        raw, error = drawn.mean(axis=0), drawn.std(axis=0, ddof=1) / math.sqrt(10)
        estimate = information.estimate_profile(p, np.random.default_rng(seed), 10)
        rose += (np.diff(raw) > 1e-9).any()
        assert (np.diff(estimate.mean) <= 0).all()
        np.testing.assert_array_equal(estimate.error, error)
        weights = np.maximum(error, raw.max() / 10) ** -2
        np.testing.assert_allclose(estimate.mean, nearest_that_falls(raw, weights), atol=1e-12)
        f, target = estimate.mean, 0.1
        sizes = schedules.optimal(f, target=target)
        cost = information.path_cost(f, sizes)
        assert cost <= target * (1 + 1e-9)
        fewer = len(sizes) - 1
        assert information.path_cost(f, schedules.optimal(f, rounds=fewer)) > target
        for bound in (
            bounds.largest_batch(f, sizes),
            bounds.li_cai(f, sizes),
            bounds.total_correlation_schedule(f, 0.5),
            bounds.dual_total_correlation_schedule(f, 0.5),
            bounds.growth_complexity(f),
            bounds.equal_steps(f, 8),
        ):
            assert bound.slack >= -1e-9
        assert schedules.equal_mass(f, 4).shape == (5,)
    assert rose == 5


PROFILED = {
    "mean entropies": information.mean_entropies,
    "profile": information.profile,
    "gains": information.gains,
    "path cost": lambda p: information.path_cost(p, (1, 2, 3)),
    "gain curve": lambda p: information.gain_curve(p, base=2)(0.3),
    "growth": information.growth_complexity,
    "growth over sizes": information.cardinality_growth_complexity,
    "TSE": lambda p: information.tse_complexity(p, base=2),
    "effective": information.effective_total_correlation,
    "continuum": lambda p: information.continuum_complexity(p, base=2),
    "blocks": lambda p: information.block_complexity(p, [0.2, 0.6]),
    "TC schedule": lambda p: bounds.total_correlation_schedule(p, 0.5, base=2),
    "DTC schedule": lambda p: bounds.dual_total_correlation_schedule(p, 0.5),
    "Li and Cai": lambda p: bounds.li_cai(p, (1, 2, 3)),
    "largest batch": lambda p: bounds.largest_batch(p, (1, 2, 3)),
    "drops": lambda p: bounds.drops(p, (1, 2, 3)),
    "least drops": lambda p: bounds.least_drops(p, (1, 2, 3)),
    "growth by size": lambda p: bounds.cardinality_growth(p, (1, 2, 3)),
    "growth by step": lambda p: bounds.growth(p, [0, 0.4, 1]),
    "sharp": lambda p: bounds.sharp_growth(p, [0, 0.4, 1]),
    "equal steps": lambda p: bounds.equal_steps(p, 3),
    "growth complexity": bounds.growth_complexity,
    "continuum bound": bounds.continuum,
    "block bound": lambda p: bounds.block_complexity(p, [0.2, 0.6]),
}


@each("name", PROFILED)
def test_a_profile_stands_for_its_distribution(name):
    p = gallery.ising_ring(6, 0.6)
    expected, found = PROFILED[name](p), PROFILED[name](information.profile(p))
    if isinstance(expected, bounds.Bound):
        assert found.upper == expected.upper
        expected, found = ([b.quantity, b.bound] for b in (expected, found))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11)


def test_rare_tokens_are_in_the_estimate_and_rare_contexts_are_said():
    """All rows of the first have the entropy of 2e-4; the second hides its own in a rare row."""
    p = JointTable([[0.4999, 0.0001], [0.0001, 0.4999]])
    expected = -(2e-4 * math.log(2e-4) + 0.9998 * math.log(0.9998))
    assert round(expected, 6) == 0.001903
    rare = JointTable([[3996, 0, 0], [0, 1, 1], [0, 1, 1]])
    missed = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        estimate = information.estimate_profile(p, rng, 100)
        assert estimate.mean[1] == pytest.approx(expected, rel=1e-12)
        estimate = information.estimate_profile(rare, rng, 100)
        mean, error = estimate
        gap = information.profile(rare)[1] - mean[1]
        missed += gap > 5 * error[1]
        assert gap <= 5 * error[1] + estimate.unseen * math.log(2)
    assert missed  # the standard error alone would not do
    unseen = information.Estimate(0.0, 0.0, 100).unseen
    assert unseen == pytest.approx(3 / 100, rel=0.02)
    assert (1 - unseen) ** 100 == pytest.approx(0.05)


def test_an_estimate_depends_on_the_generator_alone():
    p = gallery.golden_mean(5)
    one, two, other = (
        information.estimate_profile(p, np.random.default_rng(seed), 50) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.mean, two.mean)
    assert (one.mean != other.mean).any()


test_what_is_no_profile_is_refused = refusals(
    (r"p must be .* profile of shape \(L,\), got .*\(2, 2\)", information.gains, [np.eye(2)]),
    ("p must be .* profile", bounds.growth_complexity, [None, 3, "f", [], np.zeros(0)]),
    ("increase: entry 1 is 2.0, after 1", bounds.continuum, [[1.0, 2.0]]),
    ("negative: entry 1 is -1.0", information.profile, [[1.0, -1.0]]),
    ("sum to the length 2", lambda: bounds.li_cai([1.0, 0.5], (1, 2))),
)
test_what_is_refused = refusals(
    (
        "{}",
        functools.partial(
            information.estimate_profile, gallery.parity(3), np.random.default_rng(0)
        ),
        [0, -1, 2.5, None, "9", True],
    ),
    (
        r"rng|Generator",
        lambda rng: information.estimate_profile(gallery.parity(3), rng, 10),
        [None, 0, np.random],
    ),
)
