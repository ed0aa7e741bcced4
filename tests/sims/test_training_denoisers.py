"""Learnt denoisers against counting by hand; exact means against all data sets, one by one."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from sims import output_distribution, policies
from sims.training import (
    FittedChain,
    Tabular,
    TrainingSet,
    best_masks,
    draw_training_set,
    expected_excess,
    fixed_count,
    left_to_right,
    predicting,
    rate,
    uniform_time,
)
from sims.training.efficiency import mean_log
from tests import oracles
from tests.noted import refusals
from theory import MASK, JointTable, MarkovChain, gallery

HALF = Fraction(1, 2)


def random_set(seed, size=12, length=3, vocab=2):
    rng = np.random.default_rng(seed)
    tokens = rng.integers(0, vocab, size=(size, length))
    return TrainingSet(tokens, rng.random((size, length)) < 0.5, vocab)


def shown_pattern(tokens, shown):
    return tuple(int(v) if s else MASK for v, s in zip(tokens, shown, strict=True))


def by_counting(training, pattern, alpha):
    """Rows of the pattern, from the samples that show just it."""
    rows = []
    for i, o in enumerate(pattern):
        seen = [
            int(x[i])
            for x, s in zip(training.tokens, training.shown, strict=True)
            if shown_pattern(x, s) == pattern
        ]
        count = len(seen) + alpha * training.vocab
        raised = [(seen.count(v) + alpha) / Fraction(count) for v in range(training.vocab)]
        rows.append(raised if o == MASK else [int(v == o) for v in range(training.vocab)])
    return rows


@pytest.mark.parametrize(("length", "vocab"), [(3, 2), (2, 3), (1, 2)])
@pytest.mark.parametrize("alpha", [HALF, Fraction(1), Fraction(1, 10)])
def test_tables_by_counting(length, vocab, alpha):
    training = random_set(1, 30, length, vocab)
    denoiser = Tabular(training, alpha, exact=True)
    floats = Tabular(training, float(alpha))
    every = oracles.all_patterns(length, vocab)
    found, approximate = denoiser(np.asarray(every)), floats(np.asarray(every))
    for k, pattern in enumerate(every):
        expected = by_counting(training, pattern, alpha)
        assert found[k].tolist() == expected
        assert denoiser(list(pattern)).tolist() == expected
        assert np.allclose(approximate[k], np.asarray(expected, dtype=float), rtol=1e-14)


def test_a_context_that_was_never_seen_is_uniform():
    training = TrainingSet(np.zeros((0, 2), dtype=np.int64), np.zeros((0, 2), dtype=bool), 3)
    assert Tabular(training, HALF, exact=True)([MASK, 2]).tolist()[0] == [Fraction(1, 3)] * 3
    assert FittedChain(training, HALF, exact=True)([MASK, 2]).tolist()[0] == [Fraction(1, 3)] * 3


@pytest.mark.parametrize(("length", "vocab"), [(4, 2), (3, 3), (1, 2)])
def test_the_chain_by_counting(length, vocab):
    training, alpha = random_set(2, 25, length, vocab), HALF
    pairs = [[alpha] * vocab for _ in range(vocab)]
    first = [alpha] * vocab
    for x, s in zip(training.tokens.tolist(), training.shown.tolist(), strict=True):
        if not s[0]:
            first[x[0]] += 1
        for i in range(length - 1):
            if [s[i], s[i + 1]].count(True) == 1:
                pairs[x[i]][x[i + 1]] += 1
    initial = [m / sum(first) for m in first]
    transition = [[m / sum(row) for m in row] for row in pairs]
    joint = oracles.chain_joint(initial, transition, length)
    denoiser, floats = FittedChain(training, alpha, exact=True), FittedChain(training)
    every = oracles.all_patterns(length, vocab)
    found, approximate = denoiser(np.asarray(every)), floats(np.asarray(every))
    for k, pattern in enumerate(every):
        expected = oracles.conditional_marginals(joint, pattern, vocab)
        assert found[k].tolist() == expected
        assert np.allclose(approximate[k], np.asarray(expected, dtype=float), rtol=1e-12)


@pytest.mark.parametrize("length", [2, 3, 6])
def test_how_many_pairs_a_mask_gives_to_the_chain(length):
    """On average (L - 1)/3 at uniform time and (L - 1)/(L + 1) from left to right."""

    def pairs(masks):
        return sum(
            masks[s] * sum(s[i] != s[i + 1] for i in range(length - 1))
            for s in itertools.product((0, 1), repeat=length)
        )

    assert pairs(uniform_time(length, exact=True)) == Fraction(length - 1, 3)
    assert pairs(left_to_right(length, exact=True)) == Fraction(length - 1, length + 1)


@pytest.mark.parametrize("p", [gallery.parity(3, exact=True), JointTable([[3, 1], [0, 2]])])
def test_infinitely_many_samples_teach_the_zero_loss_denoiser_where_training_goes(p):
    masks = fixed_count(p.length, 1, exact=True)
    denoiser = Tabular.expected(p, masks, 1)
    for pattern in oracles.all_patterns(p.length, p.vocab):
        if MASK not in pattern:
            continue
        shown = [o for o in pattern if o != MASK]
        expected = np.full((p.length, p.vocab), Fraction(1, p.vocab))
        if len(shown) == 1 and p.evidence(pattern) != 0:
            expected = p.denoise(pattern)
        hidden = np.asarray(pattern) == MASK
        found = denoiser(pattern)[hidden]
        if p.exact:
            assert (found == expected[hidden]).all()
        else:
            assert np.allclose(found, expected[hidden].astype(float), rtol=1e-14)


def test_training_sets_are_drawn_from_the_data_and_the_masks():
    p = JointTable([[3, 0], [1, 4]])
    masks = np.asarray([[0.5, 0.1], [0.4, 0.0]])
    drawn = draw_training_set(p, masks, 40_000, np.random.default_rng(3))
    codes = np.concatenate([drawn.tokens, drawn.shown], axis=1) @ (8, 4, 2, 1)
    share = np.bincount(codes, minlength=16) / 40_000
    expected = np.multiply.outer(np.asarray(p.table()), masks).reshape(-1)
    assert (share[expected == 0] == 0).all()
    assert np.abs(share - expected).max() < 5 * math.sqrt(0.25 / 40_000)
    again = draw_training_set(p, masks, 40_000, np.random.default_rng(3))
    assert (again.tokens == drawn.tokens).all()
    assert (again.shown == drawn.shown).all()


# Exact means over data sets

SKEWED = JointTable([[3, 1], [0, 2]])
MASKS = predicting(np.asarray([[0.4, 0.3], [0.2, 0.1]]))
BLIND = [
    policies.LeftToRight(),
    policies.LeftToRight(2),
    policies.FirstHitting(),
    policies.Mirrored(policies.LeftToRight()),
    policies.Blocks(1, policies.FirstHitting()),
]


def over_all_data_sets(p, policy, masks, size, alpha):
    """Mean excess path KL, by learning from every possible training set and decoding exactly."""
    table = p.table()
    samples = [
        (table[x] * masks[s], x, s)
        for x in itertools.product(range(p.vocab), repeat=p.length)
        for s in itertools.product((0, 1), repeat=p.length)
        if table[x] * masks[s] > 0
    ]
    total = 0.0
    for chosen in itertools.product(samples, repeat=size):
        tokens = np.asarray([x for _, x, _ in chosen], dtype=np.int64).reshape(-1, p.length)
        shown = np.asarray([s for _, _, s in chosen], dtype=bool).reshape(-1, p.length)
        denoiser = Tabular(TrainingSet(tokens, shown, p.vocab), alpha)
        path_kl = output_distribution(p, policy, denoiser=denoiser).path_kl
        total += math.prod(w for w, _, _ in chosen) * path_kl
    return total - output_distribution(p, policy).path_kl


@pytest.mark.parametrize("policy", BLIND, ids=repr)
@pytest.mark.parametrize(("size", "alpha"), [(0, 0.5), (1, 0.5), (2, 1.5)])
def test_the_mean_over_data_sets_is_exact(policy, size, alpha):
    slow = over_all_data_sets(SKEWED, policy, MASKS, size, alpha)
    assert math.isclose(
        expected_excess(SKEWED, policy, MASKS, size, alpha), slow, rel_tol=1e-12, abs_tol=1e-13
    )


@pytest.mark.parametrize(
    ("size", "probability", "alpha"), [(7, 0.3, 0.5), (1, 1.0, 2.0), (3, 0.0, 0.1)]
)
def test_the_mean_logarithm_of_a_binomial(size, probability, alpha):
    expected = math.fsum(
        math.comb(size, k) * probability**k * (1 - probability) ** (size - k) * math.log(k + alpha)
        for k in range(size + 1)
    )
    found = mean_log(size, np.asarray([probability, 0.5]), alpha)[0]
    assert math.isclose(found, expected, rel_tol=1e-12)


def test_the_mean_logarithm_where_the_window_matters():
    import scipy.stats

    k = np.arange(100_001)
    for probability in (0.2, 1e-4):
        weights = scipy.stats.binom.pmf(k, 100_000, probability)
        expected = (weights * np.log(k + 0.5)).sum()
        assert math.isclose(
            mean_log(100_000, np.asarray(probability), 0.5)[()], expected, rel_tol=1e-10
        )


@pytest.mark.parametrize("vocab", [2, 3])
def test_the_rate_from_left_to_right_by_hand(vocab):
    """With all tokens possible: V^k contexts of (V - 1)/2 each, over the share of the prefix."""
    weights = np.arange(1, vocab**3 + 1).reshape((vocab,) * 3)
    p = JointTable(weights, exact=True)
    masks = uniform_time(3, exact=True)
    expected = sum(
        Fraction(vocab - 1, 2) * vocab**k / masks[(1,) * k + (0,) * (3 - k)] for k in range(3)
    )
    for alpha in (HALF, Fraction(3), 1):
        assert rate(p, policies.LeftToRight(), masks, alpha) == expected


def test_what_training_does_not_show_is_never_learnt_unless_it_is_uniform():
    masks = predicting(left_to_right(2, exact=True))
    assert rate(SKEWED, policies.FirstHitting(), masks) == math.inf
    floor = expected_excess(SKEWED, policies.FirstHitting(), masks, 10**6)
    assert floor > 0.01
    fair = JointTable(np.ones((2, 2), dtype=np.int64), exact=True)
    assert rate(fair, policies.FirstHitting(), masks) < math.inf


def test_counts_as_expected_with_a_prior():
    """Four samples, the first bit shown in half of them: two 00 and one 11 each in ... ."""
    p = JointTable([[2, 0], [0, 1]], exact=True)
    masks = fixed_count(2, 1, exact=True)
    denoiser = Tabular.expected(p, masks, 6, alpha=1)  # 3 samples show site 0: two 0, one 1
    assert denoiser([0, MASK])[1].tolist() == [Fraction(3, 4), Fraction(1, 4)]
    assert denoiser([1, MASK])[1].tolist() == [Fraction(1, 3), Fraction(2, 3)]


def test_the_rate_where_tokens_are_impossible():
    """A bit that repeats: alpha for the impossible one, in two contexts, and half for the first."""
    p = MarkovChain([HALF, HALF], [[1, 0], [0, 1]], 2, exact=True)
    masks = predicting(left_to_right(2, exact=True))
    found = rate(p, policies.LeftToRight(), masks, Fraction(1, 5))
    assert found == HALF / HALF + 2 * Fraction(1, 5) / HALF


@pytest.mark.parametrize(
    "p", [SKEWED, gallery.permutations(3), gallery.binary_symmetric(4, 0.1)], ids=repr
)
def test_no_other_masks_have_a_smaller_limit(p):
    best = best_masks(p, policies.LeftToRight())
    least = float(rate(p, policies.LeftToRight(), best))
    rng = np.random.default_rng(0)
    for spread in (0.01, 0.1, 1.0):
        for _ in range(20):
            other = best * np.exp(spread * rng.normal(size=best.shape))
            assert rate(p, policies.LeftToRight(), other / other.sum()) >= least * (1 - 1e-12)
    with_others = 0.9 * best + 0.1 * uniform_time(p.length)
    assert rate(p, policies.LeftToRight(), with_others) > least


def test_the_best_masks_leave_out_what_is_uniform():
    best = best_masks(gallery.binary_symmetric(3, 0.1), policies.LeftToRight())
    assert best[0, 0, 0] == 0  # the first bit is fair, and the tables say so unasked
    assert best[1, 1, 0] / best[1, 0, 0] == pytest.approx(math.sqrt(2))  # twice the contexts


# Bad input


TRAINING, RNG, L2R = random_set(0), np.random.default_rng(0), policies.LeftToRight()
ONES, BOOLS = np.ones((1, 2), dtype=np.int64), np.ones((2, 1), dtype=bool)
BLIND_TO_NOTHING = [policies.TopK(1), policies.Blocks(1, policies.TopK(1))]
SCORED = [lambda d: rate(SKEWED, d, MASKS), lambda d: expected_excess(SKEWED, d, MASKS, 1)]
test_refusals = refusals(
    ("alpha must be a finite number above 0, got {}", lambda a: Tabular(TRAINING, a), [0]),
    ("alpha must be a finite number above 0, got {}", lambda a: FittedChain(TRAINING, a), [-1]),
    ("needs a rational alpha, got {}", lambda a: Tabular(TRAINING, a, exact=True), [0.5]),
    ("needs a rational alpha, got {}", lambda a: FittedChain(TRAINING, a, exact=True), [0.5]),
    ("training must be a TrainingSet, got 'data'", Tabular, ["data"]),
    ("training must be a TrainingSet, got 'data'", FittedChain, ["data"]),
    ("must have shape", Tabular(TRAINING), [[0, 1]]),
    ("tokens must lie in 0..0", lambda: TrainingSet(ONES, ONES == 1, 1)),
    (r"\(1, 2\) and \(2, 1\)", lambda: TrainingSet(ONES, BOOLS, 2)),
    ("shown must hold bools, got int64", lambda: TrainingSet(ONES, ONES, 2)),
    (
        r"\(2,\)\*2, got \(2, 2, 2\)",
        lambda: draw_training_set(SKEWED, uniform_time(3), 2, RNG),
    ),
    ("size must be .* 0, got -1", lambda: draw_training_set(SKEWED, MASKS, -1, RNG)),
    ("rng must be .* got 'data'", lambda rng: draw_training_set(SKEWED, MASKS, 1, rng), ["data"]),
    ("a finite number above 0, got {}", lambda n: Tabular.expected(SKEWED, MASKS, n), [0]),
    *(("depends on predictions", call, BLIND_TO_NOTHING) for call in SCORED),
    ("alpha .* got 0", lambda: expected_excess(SKEWED, L2R, MASKS, 1, 0)),
    ("nothing to learn", lambda: best_masks(JointTable(np.ones((2, 2))), L2R)),
)
