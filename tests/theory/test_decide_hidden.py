"""The decision on hidden Markov models against brute force over all short contexts."""

import functools
import math
import random
from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from tests.cases import row, rows, to_device1
from tests.noted import each
from tests.theory import homogenization_oracle as oracle
from theory import HiddenMarkovModel, InvalidInput, MarkovChain, gallery, homogenization

decide: Any = homogenization.decide
decide_middle: Any = homogenization.decide_middle
HALF = Fraction(1, 2)


def random_model(seed):
    """(initial, transition, emission) in Fractions; states often emit alike."""
    rng = random.Random(seed)
    hidden, vocab = rng.randint(1, 3), rng.randint(1, 2)

    def weights(size):
        some = [rng.choice([0, 0, 1, 1, 2]) for _ in range(size)]
        only = rng.randrange(size)
        return some if any(some) else [int(b == only) for b in range(size)]

    shows = [weights(vocab) for _ in range(hidden)]
    emission = [rng.choice(shows) for _ in range(hidden)]
    steps = rows(*(weights(hidden) for _ in range(hidden)))
    return row(*weights(hidden)), steps, rows(*emission)


models = st.builds(random_model, st.integers(0, 2**32))


def build(model, convert=np.asarray):
    initial, transition, emission = (convert(np.asarray(part, float)) for part in model)
    return HiddenMarkovModel(initial, transition, emission, 2)


def decided(*model):
    return decide(build(model))


def kind(model):
    homogenizes, forgets, _ = oracle.decided_without_rounding(*model)
    initial, transition, _ = model
    classes = oracle.recurrent_classes(initial, transition)
    words = ["forgets" if forgets else "alike" if homogenizes else "not alike"]
    words += ["period"] * any(period > 1 for _, period in classes)
    words += ["several"] * (len(classes) > 1)
    return ", ".join(words)


def test_every_kind_of_model_is_drawn():
    counts = Counter(kind(random_model(seed)) for seed in range(200))
    expected = {"forgets", "forgets, period", "forgets, several", "alike, several"}
    assert expected | {"not alike, period"} <= set(counts)


@given(models)
def test_decision(model):
    event(kind(model))
    homogenizes, forgets, rate = oracle.decided_without_rounding(*model)
    found = decided(*model)
    assert (found.homogenizes, found.forgets) == (homogenizes, forgets)
    assert [(c.states, c.period) for c in found.classes] == oracle.recurrent_classes(*model[:2])
    assert found.limits is None
    assert found.rate == pytest.approx(rate, abs=1e-5)
    if found.forgets:
        initial, emission = (np.asarray(part, float) for part in model[::2])
        far = initial @ oracle.far_rows(model[1]) @ emission
        np.testing.assert_allclose(far, found.limit, atol=1e-9)
    else:
        assert found.limit is None
    if not found.homogenizes:
        assert math.isnan(found.constant)


@pytest.mark.parametrize(("visible", "shows"), [(0.0, False), (0.5, True), (1.0, True)])
def test_hidden_periodic(visible, shows):
    """The phase is seen as soon as the bits depend on it at all."""
    found = decide(gallery.hidden_periodic(9, visible))
    assert (found.homogenizes, found.forgets) == (not shows, not shows)
    assert found.rate == (1 if shows else 0)
    assert [(c.states, c.period) for c in found.classes] == [((0, 1), 2)]
    if not shows:
        assert found.limit.tolist() == [0.5, 0.5]


BLOCKS = rows((3, 1, 0, 0), (1, 3, 0, 0), (0, 0, 3, 1), (0, 0, 1, 3))
EQUAL = row(1, 1, 1, 1)


def test_two_hidden_classes_that_emit_alike():
    alike = decided(EQUAL, BLOCKS, rows((1, 0), (0, 1), (1, 0), (0, 1)))
    assert (alike.homogenizes, alike.forgets) == (True, True)
    assert alike.rate == pytest.approx(0.5, rel=1e-9)
    assert alike.limit == pytest.approx([0.5, 0.5], rel=1e-12)
    different = decided(EQUAL, BLOCKS, rows((1, 0), (0, 1), (2, 1), (1, 0)))
    assert (different.homogenizes, different.forgets) == (True, False)


def test_a_slow_mode_that_the_emission_does_not_show():
    """Two independent bits, slow and fast; only the fast one is shown."""
    slow, fast = np.asarray([[0.99, 0.01], [0.01, 0.99]]), np.asarray([[0.7, 0.3], [0.3, 0.7]])
    steps, start = np.kron(slow, fast), [0.25] * 4
    found = decided(start, steps, [[1, 0], [0, 1], [1, 0], [0, 1]])
    assert found.forgets
    assert found.rate == pytest.approx(0.4, rel=1e-9)
    both = decided(start, steps, [[1, 0], [0, 1], [0.9, 0.1], [0, 1]])
    assert both.rate == pytest.approx(0.98, rel=1e-9)


def test_a_period_that_the_emission_does_not_show():
    """Two pairs of states in turn; a token tells which of its pair, not which pair."""
    steps = rows((0, 0, 1, 1), (0, 0, 1, 1), (1, 1, 0, 0), (1, 1, 0, 0))
    shows = rows((1, 0), (0, 1), (1, 0), (0, 1))
    for initial in (row(1, 1, 0, 0), row(1, 0, 2, 0)):
        found = decided(initial, steps, shows)
        assert [(c.states, c.period) for c in found.classes] == [((0, 1, 2, 3), 2)]
        assert found.forgets
        assert found.rate == pytest.approx(0, abs=1e-7)


def test_coefficients_of_the_hidden_chain():
    """Of [[3/4, 1/4], [1/2, 1/2]]: tau = 1/4, phi = 1/3."""
    p = HiddenMarkovModel([0.5, 0.5], [[0.75, 0.25], [0.5, 0.5]], np.eye(2), 4)
    assert homogenization.dobrushin(p) == pytest.approx(0.25)
    root = math.sqrt(1 / 3)
    assert homogenization.birkhoff(p) == pytest.approx((1 - root) / (1 + root))


@pytest.mark.parametrize("rare", [1e-11, 1e-300])
def test_how_rare_a_context_is_does_not_matter(rare):
    """A start, or a step, by which the phase of two states in turn can be known after all."""
    turn = [[1, 0, 0], [0, 0, 1], [0, 1, 0]]
    start = HiddenMarkovModel([1 - rare, rare, 0], turn, np.eye(3), 2)
    left = [[1 - rare, rare, 0], *turn[1:]]
    step = HiddenMarkovModel([1, 0, 0], left, np.eye(3), 2)
    for p in (start, step):
        assert not decide(p).homogenizes
        assert not decide(MarkovChain(p.initial, p.transition, 2)).homogenizes


def test_windows_are_forgotten_in_finitely_many_steps():
    """Of three fair bits; what is shown of them are all, or the oldest one."""
    steps = rows(*[[int(b // 2 == a % 4) for b in range(8)] for a in range(8)])
    for shows in (np.eye(8), np.repeat(np.eye(2), 4, axis=0)):
        found = decided([1 / 8] * 8, steps, shows)
        assert (found.forgets, found.rate) == (True, 0)
        assert "finitely many" in found.reason


def test_the_sentence_names_all_periods():
    """Two states in turn that are shown, three that are not."""
    steps = rows(
        (0, 1, 0, 0, 0), (1, 0, 0, 0, 0), (0, 0, 0, 1, 0), (0, 0, 0, 0, 1), (0, 0, 1, 0, 0)
    )
    shows = rows((1, 0), (0, 1), (1, 0), (1, 0), (1, 0))
    found = decided(row(1, 1, 1, 1, 1), steps, shows)
    assert not found.homogenizes
    assert "period 2 or 3" in found.reason


def test_another_backend():
    model = row(1, 2), rows((1, 2), (3, 1)), rows((1, 2, 0), (0, 1, 1))
    host, away = (
        decide(build(model)),
        decide(build(model, to_device1)),
    )
    assert (away.homogenizes, away.forgets) == (host.homogenizes, host.forgets)
    assert float(away.rate) == pytest.approx(host.rate, rel=1e-12)
    np.testing.assert_allclose(np.asarray(away.limit), host.limit, rtol=1e-12)


def test_only_chains_are_decided_between_two_ends():
    with pytest.raises(InvalidInput, match=r"MarkovChain|chain"):
        decide_middle(build((row(1), rows((1,)), rows((1, 1)))))


def rare(rng):
    return Fraction(rng.choice([1, 1, 2, 3, 7]), 10 ** rng.randint(3, 10))


def slow_model(seed):
    """(initial, transition, emission) in Fractions, with steps of 1e-3 to 1e-10.

    A state stays, or goes to another one, but for those. Often some emit alike, or are copies.
    """
    rng = random.Random(seed)
    hidden, vocab = rng.randint(2, 4), rng.randint(2, 3)

    def dist(size):
        some = [rng.choice([0, 0, 1, 1, 2, 3]) for _ in range(size)]
        return row(*some) if any(some) else dist(size)

    steps = []
    for state in range(hidden):
        main = state if rng.random() < 0.6 else rng.randrange(hidden)
        some = [rare(rng) if rng.random() < 0.5 else Fraction(0) for _ in range(hidden)]
        some[main] = 1 - sum(some) + some[main]
        steps.append(some if rng.random() < 0.85 else dist(hidden))
    shows = [dist(vocab) for _ in range(rng.randint(1, hidden))]
    emission = [rng.choice(shows) for _ in range(hidden)]
    copy_of = [b for b in range(hidden) for _ in range(rng.choice([1, 1, 2]))]
    shares = [dist(copy_of.count(b)) for b in range(hidden)]
    place = [copy_of[:k].count(b) for k, b in enumerate(copy_of)]
    initial = dist(len(copy_of)) if rng.random() < 0.5 else row(1, *(0 for _ in copy_of[1:]))
    transition = [
        [steps[a][b] * shares[b][k] for b, k in zip(copy_of, place, strict=True)] for a in copy_of
    ]
    return initial, transition, [emission[b] for b in copy_of]


SLOW = range(30, 120)


@functools.cache
def exact_decision(seed):
    return oracle.decided_without_rounding(*slow_model(seed))


def test_every_kind_of_slow_model_is_drawn():
    found = {exact_decision(seed)[:2] for seed in SLOW}
    assert found == {(True, True), (True, False), (False, False)}


@each("seed", SLOW)
def test_rare_steps_against_the_decision_without_rounding(seed):
    homogenizes, forgets, rate = exact_decision(seed)
    found = decided(*slow_model(seed))
    assert (found.homogenizes, found.forgets) == (homogenizes, forgets)
    assert found.rate == pytest.approx(rate, abs=1e-6)
    assert found.rate <= 1


@each("states, rare", [(3, 1e-3), (5, 1e-9), (5, 1e-10), (12, 1e-9), (5, 1e-100)])
def test_states_in_a_line_that_are_left_rarely(states, rare):
    """Shown by any tokens, they forget as slowly as the same matrix as a chain."""
    steps = (1 - rare) * np.eye(states) + rare * np.eye(states, k=1)
    steps[-1, -1] = 1
    start = np.eye(states)[0]
    likely = (1 + np.arange(states)) / (states + 2)
    found = decided(start, steps, np.stack([likely, 1 - likely], axis=1))
    chain = decide(MarkovChain(start, steps, 2))
    assert (found.homogenizes, found.forgets) == (True, True)
    assert found.rate == chain.rate == 1 - rare
    np.testing.assert_allclose(found.limit, [likely[-1], 1 - likely[-1]], rtol=1e-14)


def test_a_period_behind_rare_steps():
    """Whichever way two states in turn are reached, their phase differs by 1e-10, or 1e-20."""
    rare = 1e-10
    steps = np.asarray([[1 - rare, rare, 0, 0], [0, 1 - rare, rare, 0], [0, 0, 0, 1], [0, 0, 1, 0]])
    shown = np.asarray([[0.5, 0.5], [0.5, 0.5], [1, 0], [0, 1]])
    found = decided(np.eye(4)[0], steps, shown)
    assert (found.homogenizes, found.rate) == (False, 1)
    unseen = decided(np.eye(4)[0], steps, shown[:2].repeat(2, axis=0))
    assert (unseen.homogenizes, unseen.forgets, unseen.rate) == (True, True, 0)


def test_dense_models_are_their_hidden_chain():
    """What 30 states show by one token falls off by many digits, and is shown all the same."""
    rng = np.random.default_rng(30)
    start, *steps = rng.dirichlet(np.ones(30), 31)
    found = decided(start, steps, rng.dirichlet(np.ones(2), 30))
    second = sorted(np.abs(np.linalg.eigvals(np.stack(steps))))[-2]
    assert found.rate == pytest.approx(second, rel=1e-12)
