"""The masking process and its losses, against the definitions."""

import functools
import itertools
import random
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from tests import oracles
from tests.cases import (
    CASES,
    DEVICE1,
    FAMILIES,
    built,
    close,
    floats,
    named,
    random_rows,
    to_device1,
    to_host,
)
from tests.noted import each, refusals
from theory import MASK, JointTable, gallery
from theory.loss.forward import (
    continuous_nelbo,
    kernel,
    loss_by_pattern,
    loss_on_grid,
    marginal,
    nelbo,
    posterior,
    reverse_step,
    weight,
)

HALF = Fraction(1, 2)


# Falling levels 1 >= a >= b >= c >= 0, as Fractions
levels = st.lists(st.fractions(0, 1, max_denominator=12), min_size=3, max_size=3).map(
    lambda values: sorted(values, reverse=True)
)


# The kernel


def test_symbolic_kernels_compose():
    s, t, u = sympy.symbols("s t u", positive=True)
    difference = kernel(3, s, t) @ kernel(3, t, u) - kernel(3, s, u)
    assert all(sympy.simplify(entry) == 0 for entry in difference.ravel())
    assert all(sympy.simplify(total) == 1 for total in kernel(3, s, t).sum(axis=1))


@given(levels, st.integers(1, 4))
def test_a_token_survives_or_is_masked_for_good(triple, vocab):
    """Rows sum to 1; a token goes to itself or to the mask, the mask stays."""
    s, t, _ = triple
    if s > 0:
        matrix = kernel(vocab, s, t)
        assert all(isinstance(entry, Fraction | int) for entry in matrix.ravel())
        assert (matrix.sum(axis=1) == 1).all()
        for v, w in np.ndindex(vocab, vocab):
            assert matrix[v, w] == (t / s if v == w else 0)
        assert matrix[vocab].tolist() == [0] * vocab + [1]
        floating = kernel(vocab, float(s), float(t))
        assert floating.dtype == np.float64
        np.testing.assert_allclose(floating, matrix.astype(float), atol=1e-15)


def test_marginal_is_the_row_of_each_token():
    """Clean with probability alpha, else masked."""
    assert marginal([1, 0, 1], 2, 0.25).tolist() == [
        [0, 0.25, 0.75],
        [0.25, 0, 0.75],
        [0, 0.25, 0.75],
    ]
    assert marginal(np.array([0]), 1, 1.0).tolist() == [[1, 0]]
    assert marginal([0], 1, 0.0).tolist() == [[0, 1]]


# The posterior


def bayes(x_t, x_0, vocab, s, t):
    """P(x_s = v | x_t, x_0) at one site from two kernels; the mask is state V."""
    prior = kernel(vocab, Fraction(1), s)[x_0]
    likelihood = kernel(vocab, s, t)[:, vocab if x_t == MASK else x_t]
    joint = [a * b for a, b in zip(prior, likelihood, strict=True)]
    return [p / sum(joint) for p in joint]


@given(levels, st.integers(1, 4))
def test_posterior_is_bayes_rule(triple, vocab):
    """Of every x_t that can arise from every x_0."""
    s, t, _ = triple
    if s == 0:
        return
    for x_0 in range(vocab):
        reachable = [o for o, possible in ((MASK, t < 1), (x_0, t > 0)) if possible]
        for x_t in reachable:
            if t == 1:
                continue  # nothing is masked, and the weight of a masked site is 0 / 0
            answer = posterior([x_t], [x_0], vocab, float(s), float(t))
            expected = bayes(x_t, x_0, vocab, s, t)
            np.testing.assert_allclose(answer, [floats(expected)], rtol=0, atol=1e-12)


def test_posterior_of_batches():
    x_0 = np.array([[0, 1], [2, 2]])
    x_t = np.array([[MASK, 1], [2, MASK]])
    answer = posterior(x_t, x_0, 3, 0.5, 0.25)
    assert answer.shape == (2, 2, 4)
    for i, j in np.ndindex(2, 2):
        expected = bayes(x_t[i, j], x_0[i, j], 3, HALF, Fraction(1, 4))
        np.testing.assert_allclose(answer[i, j], floats(expected), atol=1e-15)
    np.testing.assert_array_equal(posterior(x_t[0], x_0[0], 3, 0.5, 0.25), answer[0])


def path_probability(joint, x_t, x_s, s, t):
    """P(x_s, x_t) summed over x_0, site by site from the kernels; None is the mask."""
    total = 0
    for x_0, p in joint.items():
        for clean, now, later in zip(x_0, x_s, x_t, strict=True):
            if now == MASK:
                p = p * (1 - s)
                p = p * (later == MASK)
            else:
                p = p * s * (now == clean)
                p = p * (1 - t / s if later == MASK else (t / s) * (later == now))
        total += p
    return total


@pytest.mark.parametrize("name", ["table fractions", "table parity", "table dense"])
def test_reverse_step_with_the_zero_loss_denoiser_is_the_true_reverse_marginal(name):
    """At each site, P(x_s,i = v | x_t) by the sum over x_0 and over the other sites of x_s."""
    case, s, t = named(name), Fraction(3, 4), Fraction(1, 3)
    p = case.build()
    patterns = random.Random(0).sample(case.possible, k=min(12, len(case.possible)))
    steps = reverse_step(np.array(patterns), p.denoise(np.array(patterns)), float(s), float(t))
    for x_t, step in zip(patterns, steps, strict=True):
        free = [[*range(case.vocab), MASK] if o == MASK else [o] for o in x_t]
        expected = np.zeros((case.length, case.vocab + 1), dtype=object)
        for x_s in itertools.product(*free):
            q = path_probability(case.joint, x_t, x_s, s, t)
            for i, v in enumerate(x_s):
                expected[i, case.vocab if v == MASK else v] += q
        expected = expected / expected[0].sum()
        np.testing.assert_allclose(step, expected.astype(float), rtol=0, atol=1e-12)


def test_reverse_step_of_any_prediction():
    predictions = np.array([[0.25, 0.75], [0.5, 0.5], [1.0, 0.0]])
    step = reverse_step([MASK, 1, MASK], predictions, 1.0, 0.75)
    assert step.tolist() == [[0.25, 0.75, 0], [0, 1, 0], [1, 0, 0]]
    step = reverse_step([MASK, 1, MASK], predictions, 0.75, 0.5)
    assert step.tolist() == [[0.125, 0.375, 0.5], [0, 1, 0], [0.5, 0, 0.5]]
    batch = reverse_step([[MASK, 1, MASK]] * 2, np.stack([predictions] * 2), 0.75, 0.5)
    assert batch.tolist() == [step.tolist()] * 2


def test_exact_reverse_step():
    third = Fraction(1, 3)
    predictions = np.array([[third, 2 * third], [HALF, HALF]], dtype=object)
    s: Any = HALF
    t: Any = Fraction(1, 4)
    step = reverse_step([MASK, 0], predictions, s, t)
    assert step.tolist() == [[third**2, 2 * third**2, 2 * third], [1, 0, 0]]


def test_reverse_step_on_a_device():
    predictions = to_device1([[[0.25, 0.75], [0.5, 0.5]]])
    step = reverse_step(to_device1([[MASK, 0]]), predictions, 0.75, 0.5)
    assert step.device == DEVICE1
    assert to_host(step).tolist() == [[[0.125, 0.375, 0.5], [1, 0, 0]]]


@given(levels)
def test_weight_is_the_probability_that_a_masked_site_was_clean(triple):
    """P(clean at s, masked at t) / P(masked at t), in Fractions and floats."""
    s, t, _ = triple
    if t < 1:
        clean_then_masked = s * (1 - t / s) if s > 0 else Fraction(0)
        assert weight(s, t) == clean_then_masked / (1 - t)
        assert isinstance(weight(s, t), Fraction)
        assert weight(float(s), float(t)) == close(weight(s, t))


def test_weight_of_symbols_and_of_the_ends():
    s, t = sympy.symbols("s t", positive=True)
    assert sympy.simplify(weight(s, t) - (s - t) / (1 - t)) == 0
    assert weight(1, 0) == 1
    assert weight(1.0, 0.3) == 1
    assert weight(0.3, 0.3) == 0


# Losses


@functools.cache
def rows_for(length, vocab, pattern):
    """Predictions of an arbitrary denoiser, the same whenever it is asked the same."""
    return random_rows(repr(pattern), length, vocab)


def as_denoiser(predict, exact=False):
    """A function of patterns as a function of batches."""

    def denoiser(x):
        host = x if isinstance(x, np.ndarray) else to_host(x)
        rows = [predict(tuple(pattern)) for pattern in host.tolist()]
        if exact:
            return np.array(rows, dtype=object)
        answer = np.array(floats(rows), dtype=float)
        return answer if isinstance(x, np.ndarray) else to_device1(answer)

    return denoiser


@functools.cache
def predictors(case):
    """The zero-loss denoiser, and one that is wrong everywhere."""
    return {
        None: oracles.zero_loss(case.joint, case.vocab),
        "wrong": lambda pattern: rows_for(case.length, case.vocab, pattern),
    }


# At most 300 pairs of a sequence and a set of masks.
SMALL = [case for case in CASES if (2 * case.vocab) ** case.length <= 300]
GRIDS = {
    "one step": [1, 0],
    "two steps": [1, HALF, 0],
    "uneven": [1, Fraction(9, 10), Fraction(1, 3), Fraction(1, 5), 0],
    "standing still": [1, 1, HALF, HALF, 0, 0],
}


EXACT = ["table fractions", "table parity", "chain cycle from any state", "chain absorbing"]
ASKED = [(case, "in floats") for case in {*SMALL, *FAMILIES}]
ASKED += [(case, "on a device") for case in FAMILIES]
ASKED += [(named(name), "exactly") for name in EXACT]


@each(("case", "how"), ASKED, ids=lambda value: getattr(value, "name", value))
def test_losses_are_sums_over_data_and_masks(case, how):
    """Of each set of masks, of grids, of all levels: of the zero-loss denoiser and another one."""
    exact = how == "exactly"
    p = case.build(to_device1) if how == "on a device" else built(case, exact)

    def check(found, expected):
        assert found == expected if exact else float(found) == close(expected)

    for name, predict in predictors(case).items():
        denoiser = None if name is None else as_denoiser(predict, exact)
        by_pattern = loss_by_pattern(p, denoiser)
        assert by_pattern.shape == (2,) * case.length
        assert how != "on a device" or by_pattern.device == DEVICE1
        asked = (predict, exact, oracles.expected_losses(case.joint, predict, exact))
        for clean, expected in asked[-1].items():
            check(by_pattern[tuple(map(int, clean))], expected)
        for grid in GRIDS.values() if case in FAMILIES else [GRIDS["uneven"]]:
            falling = sorted(set(grid), reverse=True)  # a step that stands still costs nothing
            expected = oracles.expected_nelbo(case.joint, falling, *asked)
            check(nelbo(p, grid, denoiser), expected)
            check(loss_on_grid(by_pattern, grid), expected)
            if not exact:
                check(nelbo(p, floats(grid), denoiser), expected)
        expected = oracles.expected_continuous_nelbo(case.joint, *asked)
        check(continuous_nelbo(p, denoiser), expected)


def never_one(x):
    """Says token 0 always."""
    answer = np.zeros((*x.shape, 2))
    answer[..., 0] = 1
    return answer


def exactly_never_one(x):
    return never_one(x).astype(int).astype(object)


def test_the_loss_is_infinite_where_something_that_happens_is_ruled_out():
    p, exact = JointTable([[1, 1], [0, 1]]), JointTable([[1, 1], [0, 1]], exact=True)
    # (observed, masked): given x_0 the other is 1 sometimes; given x_1 = 0 not, given x_1 = 1 yes
    assert loss_by_pattern(p, never_one).tolist() == [[np.inf, np.inf], [np.inf, 0]]
    assert loss_by_pattern(exact, exactly_never_one).tolist() == [[sympy.oo] * 2, [sympy.oo, 0]]
    assert nelbo(p, [1, 0], never_one) == np.inf
    assert nelbo(exact, [1, HALF, 0], exactly_never_one) == sympy.oo
    assert continuous_nelbo(p, never_one) == np.inf
    assert continuous_nelbo(exact, exactly_never_one) == sympy.oo


def test_what_never_happens_may_be_ruled_out():
    p = JointTable([[1, 0], [0, 0]])
    assert (loss_by_pattern(p, never_one) == 0).all()
    assert nelbo(p, [1, HALF, 0], never_one) == 0


def test_an_infinite_loss_that_no_level_asks_for_does_not_count():
    """In one step from all masked, the denoiser is only asked with nothing observed."""

    def good_at_the_start(x):
        return np.where((x == MASK).all(axis=1)[:, None, None], 0.5, never_one(x))

    def exactly_good_at_the_start(x):
        fair = np.full((*x.shape, 2), HALF)
        return np.where((x == MASK).all(axis=1)[:, None, None], fair, exactly_never_one(x))

    p, exact = gallery.coupled_pairs(1), gallery.coupled_pairs(1, exact=True)
    assert nelbo(p, [1, 0], good_at_the_start) == close(2 * np.log(2))
    assert nelbo(exact, [1, 0], exactly_good_at_the_start) == 2 * sympy.log(2)
    assert nelbo(p, [1, HALF, 0], good_at_the_start) == np.inf


def test_a_denoiser_is_never_asked_about_impossible_evidence():
    for name in ("table zeros", "chain absorbing", "mixture disjoint", "empirical weights"):
        case = named(name)
        asked = []

        def denoiser(x, case=case, asked=asked):
            asked.extend(map(tuple, x.tolist()))
            return np.full((*x.shape, case.vocab), 1 / case.vocab)

        loss_by_pattern(case.build(), denoiser)
        nelbo(case.build(), [1, 0.5, 0], denoiser)
        continuous_nelbo(case.build(), denoiser)
        assert case.impossible
        assert set(asked) <= set(case.possible)
        assert set(asked) == {x for x in case.possible if MASK in x}


PAIRS = [gallery.coupled_pairs(1, exact=exact) for exact in (False, True)]
FAIR = np.full((2, 2), 0.5)
WRONG_SHAPES = [
    lambda x: np.full((*x.shape, 3), 1 / 3),
    lambda x: np.full(x.shape, 0.5),
    lambda x: np.full((1, 2, 2), 0.5),
    lambda x: [[[0.5, 0.5]] * 2] * len(x),
    lambda x: None,
]
BAD_GRIDS: list[Any] = [
    [],
    [1],
    [0],
    [1, 0.5],
    [0.5, 0],
    [0, 1],
    [1, 0.25, 0.5, 0],
    [1, -0.5, 0],
    [1, 1.5, 0],
    [1, float("nan"), 0],
]
BAD_LEVELS = [(0.5, 0.75), (1.5, 0.5), (0.5, -0.1), (HALF, 1), (2, 0)]

test_what_is_refused = refusals(
    *(("shape", functools.partial(loss_by_pattern, p), WRONG_SHAPES) for p in PAIRS),
    *(("shape", functools.partial(nelbo, p, [1, HALF, 0]), WRONG_SHAPES) for p in PAIRS),
    *(("shape", functools.partial(continuous_nelbo, p), WRONG_SHAPES) for p in PAIRS),
    *(("level", functools.partial(nelbo, p), BAD_GRIDS) for p in PAIRS),
    ("level", lambda pair: kernel(2, *pair), BAD_LEVELS),
    ("level", lambda pair: weight(*pair), BAD_LEVELS),
    ("level", lambda pair: reverse_step([MASK], FAIR[:1], *pair), BAD_LEVELS),
    ("level", lambda pair: posterior([MASK], [0], 2, *pair), BAD_LEVELS),
    (r"shape \(2,\)\*L, got \(2, 3\)", lambda: loss_on_grid(np.zeros((2, 3)), [1, 0])),
    (r"from 1 to 0, got \[1, 0.5\]", lambda: loss_on_grid(np.zeros((2, 2)), [1, 0.5])),
    ("alpha_s", lambda: kernel(2, 0, 0)),
    ("alpha_t", lambda: weight(1, 1)),
    ("vocab", lambda: kernel(0, 1.0, 0.5)),
    ("token", lambda x: marginal(x, 2, 0.5), [[2], [MASK]]),
    ("levels", lambda: marginal([0], 2, 1.5)),
    ("shape", lambda x: marginal(x, 2, 0.5), [[[0, 1], [1, 1]], [[[0]]], 0]),
    ("differs", lambda: posterior([1, MASK], [0, 1], 2, 0.5, 0.25)),
    ("token", lambda: posterior([MASK, MASK], [0, MASK], 2, 0.5, 0.25)),
    ("shape", lambda: posterior([MASK], [0, 1], 2, 0.5, 0.25)),
    ("shape", lambda x: reverse_step(x, FAIR, 0.5, 0.25), [[[MASK, 0]], [MASK, 0, 0]]),
)
