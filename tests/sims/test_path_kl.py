"""The path KL by following data, against the path KL over all that the data can be.

A table whose `sample` returns every sequence as often as its weight says turns the estimate into
the mean itself: for policies that are not randomised it has to be the exact number.
"""

import itertools
import math

import numpy as np
import pytest

from sims import (
    PathKL,
    Perturbed,
    WindowedDenoiser,
    estimate_path_kl,
    path_nll,
    policies,
    split,
)
from tests import oracles
from tests.cases import DEVICE1, close, to_device1
from tests.noted import each, refusals
from theory import MASK, HiddenMarkovModel, JointTable, MarkovChain, gallery, information

WEIGHTS = np.asarray(
    [
        [[3, 1, 0], [2, 2, 1], [0, 4, 1]],
        [[1, 1, 5], [0, 0, 2], [3, 1, 1]],
        [[2, 0, 1], [1, 6, 1], [1, 2, 2]],
    ]
)
SIZE = int(WEIGHTS.sum())


class Everything(JointTable):
    """Every sequence as often as its weight says, instead of a sample."""

    def sample(self, rng, size):
        return np.repeat(np.argwhere(WEIGHTS), WEIGHTS[WEIGHTS > 0], axis=0)


P = Everything(WEIGHTS)
RNG = np.random.default_rng


def two_then_one(x, predictions):
    """Two sites that depend on the predictions, then the last."""
    scores = np.where(x == MASK, predictions.max(axis=-1), -1)
    kept = scores >= np.sort(scores, axis=1)[:, [1]]
    return (x == MASK) & (kept | ((x == MASK).sum(axis=1, keepdims=True) == 1))


FIXED = [
    policies.LeftToRight(2),
    policies.LeftToRight(3),
    policies.TopK(1),
    policies.TopK(2, "entropy"),
    policies.Threshold(0.5),
    policies.EntropyBounded(0.3),
    policies.Blocks(2, policies.TopK(2)),
    policies.Mirrored(policies.LeftToRight(2)),
    policies.Rule(two_then_one),
]
SETTINGS = {
    "as it is": {},
    "colder": {"temperature": 0.5},
    "hotter": {"temperature": 2.0},
    "imperfect": {"denoiser": Perturbed(P, smoothing=0.3)},
    "noisy and cold": {"denoiser": Perturbed(P, noise=0.4, seed=1), "temperature": 0.7},
    "observed": {"observed": [1]},
}


@each("policy", FIXED, ids=repr)
@each("settings", SETTINGS.values(), ids=SETTINGS)
def test_the_mean_over_all_data_is_the_exact_path_kl(policy, settings):
    if settings == {"observed": [1]} and policy == FIXED[1]:
        return
    found, exact = (
        estimate_path_kl(P, policy, RNG(0), SIZE, **settings),
        split(P, policy, **settings),
    )
    assert found.kl.mean == close(exact.path_kl, 1e-11)
    assert found.learning.mean == close(exact.learning, 1e-11)
    assert found.factorisation.mean == close(exact.factorisation, 1e-11)


def test_by_the_definition_for_the_first_two_sites_at_once():
    """``log p(x) - log p(x_0) - log p(x_1) - log p(x_2 | x_0, x_1)``, for every sequence."""
    joint = oracles.table_joint(WEIGHTS.tolist())
    values = []
    for x, p in joint.items():
        first = math.prod(oracles.evidence(joint, y) for y in [(x[0], -1, -1), (-1, x[1], -1)])
        pair = oracles.evidence(joint, (x[0], x[1], MASK))
        values += [math.log(pair / first)] * int(p * SIZE)
    found = estimate_path_kl(P, policies.LeftToRight(2), RNG(0), SIZE).kl
    assert found.mean == close(np.mean(values))
    assert found.error == close(np.std(values, ddof=1) / math.sqrt(SIZE))


RANDOM = [
    policies.RandomOrder((1, 2)),
    policies.RandomOrder((2, 1)),
    policies.FirstHitting(),
    policies.Bernoulli((0, 0.5, 1)),
    policies.Bernoulli((0, 0.25, 0.5, 1)),
]
CASES = [
    *((P, policy, settings) for policy in RANDOM for settings in ({}, SETTINGS["imperfect"])),
    (gallery.words(4), policies.TopK(2), {"prompt": "t"}),
    (gallery.words(4), policies.Threshold(0.5), {"prompt": "t__e"}),
    (gallery.binary_symmetric(8, 0.1), policies.TopK(4), {}),
    (gallery.permutations(4, exact=True), policies.LeftToRight(2), {}),
]


@each("case", CASES, ids=lambda case: f"{case[1]} {case[2]}")
def test_the_exact_value_is_within_four_standard_errors(case):
    p, policy, settings = case
    if isinstance(p, Everything):
        p = JointTable(WEIGHTS)
    found, exact = (
        estimate_path_kl(p, policy, RNG(1), 1000, **settings),
        split(p, policy, **settings),
    )
    for mine, theirs in [
        (found.kl, exact.path_kl),
        (found.learning, exact.learning),
        (found.factorisation, exact.factorisation),
    ]:
        assert abs(mine.mean - float(theirs)) <= 4 * mine.error + 1e-12


def test_rounds_are_counted():
    found = estimate_path_kl(P, policies.Bernoulli((0, 0.5, 1)), RNG(1), SIZE)
    exact = 1 + 1 - 2 * 0.5**3  # a step that reveals nothing is none
    assert abs(found.rounds.mean - exact) < 4 * found.rounds.error
    assert estimate_path_kl(P, policies.LeftToRight(), RNG(1), SIZE).rounds.mean == 3


def test_a_chain_of_64_bits_in_contiguous_batches():
    """All sites are equally confident, so the lowest come first, four in each round."""
    p = gallery.binary_symmetric(64, 0.1)
    exact = information.fixed_order_cost(p, [range(k, k + 4) for k in range(0, 64, 4)])
    assert round(exact, 3) == 10.982
    found = estimate_path_kl(p, policies.TopK(4), RNG(0), 2000).kl
    assert found.error < 0.2
    assert abs(found.mean - exact) < 4 * found.error


def test_a_thousand_sites_one_by_one_lose_nothing():
    """Each sequence says so, on a chain and on a hidden chain: the error is rounding."""
    flips = [[0.9, 0.1], [0.1, 0.9]]
    for p in (
        MarkovChain([0.5, 0.5], flips, 256),
        HiddenMarkovModel([0.5, 0.5], flips, [[0.8, 0.2], [0.3, 0.7]], 256),
    ):
        found = estimate_path_kl(p, policies.Bisection(), RNG(0), 2)
        apart = estimate_path_kl(p, policies.LeftToRight(1), RNG(0), 2)
        assert abs(apart.kl.mean) < 1e-9
        assert found.rounds.mean == 9
    window = WindowedDenoiser(MarkovChain([0.5, 0.5], flips, 256), 1)
    assert (
        estimate_path_kl(window.p, policies.LeftToRight(1), RNG(0), 2, denoiser=window).kl.mean
        < 1e-9
    )


def test_an_excluded_token_is_infinite_wherever_it_was_possible():
    """The second token is always predicted as 0, whatever was drawn."""

    def stubborn(x):
        answer = np.full((*x.shape, 3), 1 / 3)
        answer[:, 1] = [1, 0, 0]
        return answer

    found = estimate_path_kl(P, policies.LeftToRight(), RNG(0), SIZE, denoiser=stubborn)
    assert (found.kl.mean, found.kl.error, found.learning.mean) == (math.inf, 0, math.inf)
    assert found.factorisation.mean == close(0)
    assert found.has_zeros
    assert "missed" not in repr(found)
    assert (
        estimate_path_kl(P, policies.LeftToRight(3), RNG(0), SIZE, temperature=0).kl.mean
        == math.inf
    )


def test_zeros_that_did_no_harm_are_mentioned():
    """The denoiser excludes what the data hardly ever contain."""
    p = JointTable([[1, 0], [0, 10**9]])

    def without(x):
        answer = p.denoise(x, on_impossible="uniform")
        answer[(x == [1, MASK]).all(axis=1), 1] = [0, 1]
        return answer

    found = estimate_path_kl(p, policies.LeftToRight(), RNG(0), 20, denoiser=without)
    assert found.has_zeros
    assert repr(found).endswith("an infinite value may have been missed>")
    assert not estimate_path_kl(p, policies.LeftToRight(), RNG(0), 20, temperature=0.5).has_zeros


@each("policy", [policies.TopK(2), policies.RandomOrder((2, 1))], ids=repr)
def test_the_path_nll_is_the_path_kl_without_the_entropy(policy):
    model = Perturbed(P, smoothing=0.2)
    nll = path_nll(P.sample(RNG(0), SIZE), policy, model, RNG(5))
    kl = estimate_path_kl(P, policy, RNG(5), SIZE, denoiser=model).kl
    if not policy.randomised:
        assert nll.mean - information.entropy(P) == close(kl.mean, 1e-11)
    assert (
        abs(nll.mean - information.entropy(P) - split(P, policy, denoiser=model).path_kl)
        < 4 * nll.error
    )


def test_given_sites_cost_nothing():
    x = [[0, 1, 1], [1, 1, 0]]

    def model(x):
        return np.full((*x.shape, 4), 0.25)

    assert path_nll(x, policies.LeftToRight(), model, RNG(0)).mean == close(3 * math.log(4))
    found = path_nll(x, policies.LeftToRight(), model, RNG(0), observed=[0, 2])
    assert (found.mean, found.error, found.size) == (close(math.log(4)), 0, 2)


def test_data_on_a_device_give_the_same():
    p = JointTable(WEIGHTS)
    there = JointTable(to_device1(WEIGHTS.astype(float)))
    assert there.table().device == DEVICE1
    mine, theirs = (estimate_path_kl(q, policies.TopK(2), RNG(3), 50) for q in (p, there))
    assert mine.kl.mean == close(theirs.kl.mean)


def test_batches_do_not_change_what_is_found(monkeypatch):
    whole = estimate_path_kl(P, policies.TopK(2), RNG(0), SIZE)
    monkeypatch.setattr("sims.decoding.path_kl.NUMBERS", 9 * 7)
    p, calls = JointTable(WEIGHTS), []
    found = estimate_path_kl(
        p, policies.TopK(2), RNG(0), 40, denoiser=lambda x: calls.append(len(x)) or p.denoise(x)
    )
    assert max(calls) == 7
    assert abs(found.kl.mean - whole.kl.mean) < 4 * found.kl.error


test_refused = refusals(
    (
        "draws tokens before it selects",
        lambda policy: estimate_path_kl(P, policy, RNG(0), 2),
        [
            policies.TokenConfidence(1),
            policies.Speculative(),
            policies.Blocks(2, policies.Speculative()),
        ],
    ),
    (
        "remasks",
        lambda policy: estimate_path_kl(P, policy, RNG(0), 2),
        [policies.Remask((0, 0.5, 1)), policies.GibbsCorrector(policies.TopK(1), 1)],
    ),
    ("at least 2, got 1", lambda: estimate_path_kl(P, policies.TopK(1), RNG(0), 1)),
    ("rng", lambda rng: estimate_path_kl(P, policies.TopK(1), rng, 2), [0, None]),
    ("sum to the length", lambda: estimate_path_kl(P, policies.RandomOrder((1, 1)), RNG(0), 2)),
    (
        r"\(N, L\)",
        lambda x: path_nll(x, policies.TopK(1), P.denoise, RNG(0)),
        [[0, 1, 2], [[0, 1, 2]], [[[0, 1, 2]]]],
    ),
    (
        "function from patterns",
        lambda model: path_nll([[0], [1]], policies.TopK(1), model, RNG(0)),
        [None],
    ),
    (
        r"\(B, L, V\), got \(1, 2\)",
        lambda: path_nll([[0, 1], [1, 0]], policies.TopK(1), lambda x: np.ones(x.shape), RNG(0)),
    ),
    (
        "sequences must lie in|tokens must lie in",
        lambda: path_nll([[0, 9, 0], [0, 0, 0]], policies.TopK(1), P.denoise, RNG(0)),
    ),
)


def test_what_is_too_large_names_the_estimate():
    from sims import order, output_distribution
    from theory import TooLarge

    p = gallery.binary_symmetric(64, 0.1)
    for call in (output_distribution, split, order):
        with pytest.raises(TooLarge, match=r"sims\.estimate_path_kl"):
            call(p, policies.TopK(4))


def test_repr():
    found = estimate_path_kl(gallery.coupled_pairs(2), policies.LeftToRight(2), RNG(0), 2)
    assert isinstance(found, PathKL)
    assert repr(found) == (
        "<path KL 1.386 ± 0 nats = learning 0 ± 0 + factorisation 1.386 ± 0; 2 ± 0 rounds>"
    )


def test_every_policy_that_selects_first_can_be_followed():
    every = [*FIXED[:1], *FIXED[2:], *RANDOM, policies.Factor(1.0)]
    for policy, seed in itertools.product(every, range(2)):
        found = estimate_path_kl(JointTable(WEIGHTS), policy, RNG(seed), 10)
        assert found.kl.mean == close(found.learning.mean + found.factorisation.mean)
