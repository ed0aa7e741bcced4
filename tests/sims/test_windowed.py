"""A denoiser with a window: against windows of patterns, one by one."""

import numpy as np
import pytest
import sympy

from sims.imperfect.decomposition import excess_loss
from sims.imperfect.windowed import WindowedDenoiser, window_price
from tests import oracles
from tests.cases import (
    CASES,
    DEVICE1,
    EXACT_CASES,
    build_exact,
    each_case,
    each_exact,
    each_family,
    each_of,
    few,
    to_device1,
    to_host,
)
from tests.noted import refusals
from theory import (
    MASK,
    Exchangeable,
    TooLarge,
    gallery,
)


def window(pattern, site, width):
    return tuple(o if abs(j - site) <= width else MASK for j, o in enumerate(pattern))


def expected(case, pattern, width):
    """One row for each site, with everything outside of its window masked."""
    rows = []
    for site, token in enumerate(pattern):
        if token == MASK:
            rows.append(case.conditional(window(pattern, site, width), "marginal")[site])
        else:
            rows.append([int(v == token) for v in range(case.vocab)])
    return rows


@each_case
def test_predictions_are_those_of_the_window(case):
    p, patterns = case.build(), few(case.patterns, 12)
    for width in range(case.length + 1):
        rows = [expected(case, x, width) for x in patterns]
        found = WindowedDenoiser(p, width)(np.asarray(patterns))
        assert found.shape == (len(patterns), case.length, case.vocab)
        np.testing.assert_allclose(found, np.array(rows, dtype=float), rtol=1e-9, atol=1e-12)


@each_exact
def test_exact_predictions_are_exact(case):
    p, patterns = build_exact(case), few(case.patterns, 12)
    for width in range(case.length):
        found = WindowedDenoiser(p, width)(np.asarray(patterns))
        assert found.dtype == object
        assert found.tolist() == [expected(case, x, width) for x in patterns]


@each_family
def test_one_pattern_and_arrays_on_a_device(case):
    patterns = np.asarray(few(case.patterns, 10))
    host = WindowedDenoiser(case.build(), 1)(patterns)
    np.testing.assert_array_equal(WindowedDenoiser(case.build(), 1)(patterns[3]), host[3])
    there = WindowedDenoiser(case.build(to_device1), 1)(to_device1(patterns))
    assert there.device == DEVICE1
    np.testing.assert_allclose(to_host(there), host, rtol=1e-12, atol=1e-15)


def test_the_ends_of_the_reach():
    """Width 0 sees nothing; width L - 1 sees what the zero-loss denoiser sees."""
    p = gallery.words(3)
    x = p.sample(np.random.default_rng(0), 30)
    x = np.where(np.random.default_rng(1).random(x.shape) < 0.5, x, MASK)
    full = p.denoise(x)
    np.testing.assert_allclose(WindowedDenoiser(p, 2)(x), full, rtol=1e-12)
    np.testing.assert_allclose(WindowedDenoiser(p, 99)(x), full, rtol=1e-12)
    blank = np.broadcast_to(p.denoise([MASK] * 3), full.shape)
    seen = (x == MASK)[..., None]
    np.testing.assert_allclose(WindowedDenoiser(p, 0)(x), np.where(seen, blank, full), rtol=1e-12)


def test_many_patterns_at_once(in_small_parts):
    denoiser, x = WindowedDenoiser(gallery.binary_symmetric(6, 0.2), 2), oracles.all_patterns(6, 2)
    found = in_small_parts(denoiser, np.asarray(x[::20]))
    np.testing.assert_array_equal(found, denoiser(np.asarray(x))[::20])


# The price of a window


def by_definition(joint, vocab, width):
    """Loss of the windowed oracle in continuous time, above the entropy, for each token."""

    def predict(pattern):
        return [
            oracles.conditional_marginals(joint, window(pattern, i, width), vocab)[i]
            for i in range(len(pattern))
        ]

    loss = oracles.expected_continuous_nelbo(joint, predict, exact=True)
    return (loss - oracles.entropy(joint, exact=True)) / oracles.length_of(joint)


SMALL = [c for c in EXACT_CASES if c.length <= 4 and len(c.patterns) <= 81]


@each_of(SMALL[::5])
def test_the_price_is_the_loss_above_the_least(case):
    p = build_exact(case)
    for width in range(case.length):
        price = by_definition(case.joint, case.vocab, width)
        assert sympy.expand(window_price(p, width) - price) == 0
        if width == 1:
            assert sympy.expand(excess_loss(p, WindowedDenoiser(p, 1)) / case.length - price) == 0


@each_of([c for c in CASES if c.length == 4][::3])
def test_the_price_in_floats(case):
    p = case.build()
    for width in range(4):
        found = excess_loss(p, WindowedDenoiser(p, width)) / 4
        assert window_price(p, width) == pytest.approx(found, abs=1e-12)


@pytest.mark.parametrize("width", [0, 1, 3])
def test_equal_bits_at_length_100(width):
    """A bit is a coin if none of its window of n is known: 1 in n + 1 times."""
    p = Exchangeable([1] + [0] * 99 + [1])
    sizes = [min(99, i + width) - max(0, i - width) for i in range(100)]
    bits = sum(1 / (n + 1) for n in sizes) - 1
    assert window_price(p, width) * 100 == pytest.approx(bits * np.log(2), rel=1e-9)


# What is refused


P = gallery.parity(3)
CALLS = (WindowedDenoiser, window_price)
test_refusals = refusals(
    *(("width", lambda w, call=call: call(P, w), [-1, 1.5, "1", None, True]) for call in CALLS),
    *(("Distribution", lambda p, call=call: call(p, 1), [None, [[0.5, 0.5]]]) for call in CALLS),
    (".", WindowedDenoiser(P, 1), [[[0, 2, 0]], [[0, 1]], "abc", [[0.5, 0, 0]]]),
)
test_too_many_subsets = refusals(
    ("width 12", lambda: window_price(gallery.binary_symmetric(100, 0.1), 12)), error=TooLarge
)


def test_it_can_be_read():
    assert repr(WindowedDenoiser(gallery.parity(3), 2)).endswith(", 2)")
