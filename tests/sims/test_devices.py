"""Output distributions and frontiers where the data live: the host's numbers, nothing moved.

On the second device of a strict array backend, which raises where arrays of two devices meet or
NumPy is let loose on one of them, and with CuPy where there is a GPU.
"""

import math
import operator

import array_api_strict as strict
import numpy as np
import pytest

from sims import Sampling, decode, frontier, order, output_distribution, policies, regret
from sims.joints import Product
from sims.policies import Policy, Rule, TokenPolicy
from tests.cases import CPU, DEVICE1, each_family, to_device1
from tests.noted import each, refusals
from tests.sims.policy_table import ByConfidence, noisy, one_of_each, tabulated
from theory import MASK, Exchangeable, JointTable, MarkovChain
from theory._core.arrays import array_namespace, device, from_host, to_host

CLOSE = 1e-12  # sums of a few hundred products, in another order

WEIGHTS = {
    "pairs": [[9, 1], [2, 4]],
    "zeros": [[[5, 0], [0, 3]], [[0, 1], [4, 0]]],
    "three": [[[1, 4, 0], [2, 2, 1], [0, 3, 1]], [[0, 1, 5], [2, 0, 0], [1, 1, 3]], [[1] * 3] * 3],
    "four": (np.arange(16) * 7 % 11).reshape((2,) * 4).tolist(),
}


def to_gpu(values):
    import cupy  # pyright: ignore[reportMissingImports]

    return cupy.asarray(values)


@pytest.fixture(params=["device1", pytest.param("cupy", marks=pytest.mark.cupy)])
def there(request):
    """Puts values on the other backend."""
    return {"device1": to_device1, "cupy": to_gpu}[request.param]


def table(name, convert=np.asarray):
    weights = np.asarray(WEIGHTS[name], dtype=np.float64)
    return JointTable(convert(weights / weights.sum()))


def same_place(x, like):
    return array_namespace(x) is array_namespace(like) and device(x) == device(like)


def certain_first(x, predictions):
    """A function of the user's, written with names of the array standard."""
    xp = array_namespace(x)
    masked = x == MASK
    sure = masked & (xp.max(predictions, axis=-1) > 0.7)
    first = masked & (xp.cumulative_sum(xp.astype(masked, xp.int64), axis=1) == 1)
    return xp.where(xp.any(sure, axis=1, keepdims=True), sure, first)


class Doubtful(Policy):
    """The first masked site alone with a probability that depends on the row, else all."""

    def reveal_distribution(self, x, predictions, round_index):
        xp, masked = array_namespace(x), x == MASK
        alone = predictions[:, -1, 0] / 2 + 0.25
        yield alone, masked & (xp.cumulative_sum(xp.astype(masked, xp.int64), axis=1) == 1)
        yield 1 - alone, masked


class OneByOne(TokenPolicy):
    """A token policy that knows nothing of blocks: the first site, and 0 for half of all else."""

    def outcomes(self, x, call_denoiser, round_index):
        xp, (_, draws) = array_namespace(x), call_denoiser(x)
        first = (x == MASK) & (xp.cumulative_sum(xp.astype(x == MASK, xp.int64), axis=1) == 1)
        rows = xp.arange(x.shape[0], dtype=xp.int64, device=device(x))
        kept = xp.sum(xp.where(first, draws[:, :, 0], 0.0), axis=1)
        yield rows, kept + (1 - kept) / 2, xp.where(first, 0, x), 1
        yield rows, (1 - kept) / 2, xp.where(first, 1, x), 1

    def write(self, x, call_denoiser, round_index, rng):
        raise NotImplementedError


USERS = [certain_first, Doubtful(), policies.Blocks(2, OneByOne())]
ON_THE_HOST = Rule | ByConfidence | policies.JointDraw  # NumPy, and joints


def policies_for(length, vocab):
    """Those of the table, and the user's that are written for any backend."""
    every = [policy for policy, _ in [*one_of_each(length, vocab), *noisy(length)]]
    twice = policies.GibbsCorrector(policies.GibbsCorrector(policies.TokenConfidence(1), 1), 1)
    there = policies.Tabulated(to_device1(tabulated(7, length, vocab)[0].choices))
    informed = [
        policies.InformedCorrector(None, 2, "current", 0.5, repair="accept"),
        policies.InformedCorrector(None, 2, "confidence", repair="stay"),
        policies.InformedCorrector(policies.LeftToRight(2), 1, "random"),
    ]
    more = [*informed, policies.Bisection(2), policies.TopK(2, "entropy"), there, twice, *USERS]
    return [policy for policy in every if not isinstance(policy, ON_THE_HOST)] + more


each_policy = each("number", range(len(policies_for(3, 2))))


def agree(away, host, like):
    """Everything that an output distribution says."""
    assert same_place(away.table, like)
    np.testing.assert_allclose(to_host(away.table), host.table, rtol=CLOSE, atol=CLOSE)
    np.testing.assert_allclose(away.round_costs, host.round_costs, rtol=CLOSE, atol=CLOSE)
    assert all(isinstance(cost, float) for cost in away.round_costs)
    for name in ("kl", "path_kl", "reverse_kl", "tv", "valid_mass", "expected_rounds"):
        found, expected = getattr(away, name), getattr(host, name)
        assert type(found) is type(expected), name  # a float, if not a whole number of rounds
        assert found == pytest.approx(expected, rel=CLOSE, abs=CLOSE, nan_ok=True), name
    on_data = float(away.expected_rounds_on_data), float(host.expected_rounds_on_data)
    assert on_data[0] == pytest.approx(on_data[1], rel=CLOSE, nan_ok=True)
    assert away.rounds == pytest.approx(host.rounds, rel=CLOSE, abs=CLOSE)
    assert (away.states, away.remasks) == (host.states, host.remasks)


# Output distributions


AT_TEMPERATURES = [("pairs", 1), ("three", 1), ("four", 1), ("zeros", 0), ("zeros", 0.5)]
AT_TEMPERATURES.append(("three", Sampling(0.5, top_k=2, top_p=0.8)))


@each_policy
@each(("name", "temperature"), AT_TEMPERATURES)
def test_output_distributions(number, name, temperature, there):
    host, away = table(name), table(name, there)
    policy = policies_for(host.length, host.vocab)[number]
    found = output_distribution(away, policy, temperature)
    agree(found, output_distribution(host, policy, temperature), away.like)


@each_family
def test_every_family(case, there):
    host, away = case.build(), case.build(there)
    policy = policies.RandomOrder((1, case.length - 1))
    agree(output_distribution(away, policy), output_distribution(host, policy), away.like)


def compared(there, policy, **options):
    """The same on both sides, with a denoiser of the user's or with observed sites."""
    host, away = table("four"), table("four", there)
    found = output_distribution(away, policy, **options)
    agree(found, output_distribution(host, policy, **options), away.like)
    return host, away


def tilted(x):
    """A denoiser that is not perfect: it leans to the last token, and more behind other tokens."""
    xp = array_namespace(x)
    seen = xp.sum(xp.astype(x == 1, xp.float64), axis=1)
    last = xp.broadcast_to(((seen + 1) / (seen + 3))[:, None], x.shape)
    return xp.stack([1 - last, last], axis=-1)


def test_denoisers_observed_sites_and_orders(there):
    """Who counts what is revealed counts on the host, as `sims.decoding.propagation` says."""
    for policy in (policies.TopK(1), policies.Speculative(), policies.GibbsCorrector(None, 1)):
        compared(there, policy, denoiser=tilted)
    for policy in (policies.TopK(1), policies.FirstHitting(), policies.TokenConfidence(1)):
        for observed in ((0,), (1, 3)):
            host, away = compared(there, policy, observed=observed)
        assert order(away, policy).kendall == pytest.approx(order(host, policy).kendall, abs=CLOSE)


def test_what_is_made_of_an_output_distribution_stays_there(there):
    away = table("zeros", there)
    q = output_distribution(away, policies.RandomOrder((3,)))
    drawn = q.sample(np.random.default_rng(0), 20)
    assert same_place(drawn, away.like)
    assert same_place(q.distribution.table(), away.like)
    host = output_distribution(table("zeros"), policies.RandomOrder((3,)))
    assert (to_host(drawn) == host.sample(np.random.default_rng(0), 20)).all()


def test_layers_are_merged_in_parts(in_small_parts, there):
    host, away = table("three"), table("three", there)
    expected = output_distribution(host, policies.FirstHitting())
    found = in_small_parts(output_distribution, away, policies.FirstHitting())
    agree(found, expected, away.like)


# Nothing is moved


@pytest.fixture
def moved(monkeypatch):
    """The sizes of all arrays that leave the device."""
    sizes = []
    array = type(strict.asarray(0))
    to_device = array.to_device

    def watching(self, device, /, **options):
        sizes.append(self.size)
        return to_device(self, device, **options)

    monkeypatch.setattr(array, "to_device", watching)
    return sizes


def test_the_strict_backend_lets_nothing_go_by_itself(moved):
    there = to_device1([1.0, 2.0])
    with pytest.raises((RuntimeError, TypeError, ValueError)):
        np.asarray(there)
    with pytest.raises(ValueError, match="device"):
        operator.add(there, strict.asarray([1.0, 2.0], device=CPU))
    to_host(there)
    assert moved == [2]


def test_only_single_numbers_leave_the_device(moved):
    p = table("four", to_device1)
    for policy in policies_for(4, 2):
        if isinstance(policy, policies.Tabulated):
            policy = policies.Tabulated(to_device1(to_host(policy.choices)), None, policy.rounds)
        moved.clear()
        q = output_distribution(p, policy)
        assert q.tv >= 0
        assert q.kl > -CLOSE
        assert max(moved, default=0) <= 1, policy


@each(
    "build",
    [
        lambda to: JointTable(to([[[1.0, 4, 0], [2, 2, 1], [0, 3, 1]]] * 3)),
        lambda to: Exchangeable(to([1.0, 2, 0, 4, 1])),
        lambda to: MarkovChain(to([0.5, 0.5]), to([[0.9, 0.1], [0.2, 0.8]]), 4),
    ],
)
def test_the_best_decoder_in_so_many_rounds(build, there):
    """By table, by counts and by gaps; with a prompt and without."""
    p, away = build(np.asarray), build(there)
    for prompt in (None, [MASK, 1, *[MASK] * (p.length - 2)]):
        expected = frontier(p, rounds=4, prompt=prompt)
        found = frontier(away, rounds=4, prompt=prompt)
        assert [point.kl for point in found] == [pytest.approx(best.kl) for best in expected]
        for point in found:
            q = output_distribution(away, point.policy, prompt=prompt)
            assert float(q.path_kl) == pytest.approx(point.kl, abs=CLOSE)
            assert max(q.rounds) <= point.rounds


def test_only_single_numbers_leave_the_device_for_a_frontier(moved):
    frontier(table("four", to_device1))
    assert max(moved, default=0) <= 1


# Frontiers


@pytest.mark.parametrize("name", WEIGHTS)
def test_frontiers(name, there):
    host, away = table(name), table(name, there)
    for multipliers in (None, [0, 0.5, 3, math.inf]):
        found, expected = frontier(away, multipliers), frontier(host, multipliers)
        for point, other in zip(found, expected, strict=True):
            assert isinstance(point.rounds, float)
            assert isinstance(point.kl, float)
            assert point.rounds == pytest.approx(other.rounds, rel=CLOSE)
            assert point.kl == pytest.approx(other.kl, rel=CLOSE, abs=CLOSE)
            assert same_place(point.policy.choices, away.like)
            assert (to_host(point.policy.choices) == other.policy.choices).all()
            assert output_distribution(away, point.policy).kl == pytest.approx(point.kl, abs=CLOSE)


def test_the_best_decoder_draws_on_the_host(there):
    host, away = table("four"), table("four", there)
    best, expected = frontier(away, [2.0])[0].policy, frontier(host, [2.0])[0].policy
    assert best.sites([MASK] * 4) == expected.sites([MASK] * 4)
    drawn = decode(away, best, np.random.default_rng(0), 30, progress=False).tokens
    tokens = decode(host, expected, np.random.default_rng(0), 30, progress=False).tokens
    assert (to_host(drawn) == tokens).all()


def test_regrets(there):
    host, away = table("four"), table("four", there)
    for policy in (policies.RandomOrder((2, 2)), policies.TopK(2)):
        assert regret(away, policy) == pytest.approx(regret(host, policy), abs=CLOSE)


# What is refused


def on_the_host(x, predictions):
    return np.ones(x.shape, dtype=bool)


class HostProbabilities(Policy):
    def reveal_distribution(self, x, predictions, round_index):
        yield np.ones(x.shape[0]), x == MASK


def filled(shape, values):
    return to_device1(np.full(shape, values))


def elsewhere(x, predictions):
    return strict.asarray(np.ones(x.shape, dtype=bool), device=strict.Device("device2"))


class Short(Policy):
    """A clock that ends too early."""

    @property
    def steps(self):
        return 1

    def reveal_distribution(self, x, predictions, round_index):
        yield 1, x != x


def decoded(policy, denoiser=None):
    return output_distribution(table("pairs", to_device1), policy, denoiser=denoiser)


def asked(answer):
    return decoded(policies.TopK(1), answer)


JOINT = policies.JointDraw(policies.LeftToRight(2), Product())
test_answers_that_would_have_to_be_moved_are_refused = refusals(
    ("the policy returned an array of bools on cpu for sequences on", decoded, [on_the_host]),
    ("the policy returned an array of bools on .*device2", decoded, [elsewhere]),
    ("an array of probabilities on cpu for sequences on", decoded, [HostProbabilities()]),
    ("the policy returned list; expected bool of shape", decoded, [lambda x, f: [True]]),
    (r"returned .*int64 of shape \(1, 2\); expected bool", decoded, [lambda x, f: x]),
    (r"selected no site at x = \[-1, -1\]", decoded, [lambda x, f: x != MASK]),
    ("joints that are computed on the", decoded, [JOINT]),
    (r"leaves sites masked .*\[-1, -1\]", decoded, [Short()]),
    ("returned ndarray for patterns on .*device1", asked, [lambda x: np.full((*x.shape, 2), 0.5)]),
    ("returned float for patterns on .*device1", asked, [lambda x: 0.5]),
    (r"shape \(1, 2\) for patterns of .*\(1, 2,", asked, [lambda x: filled(x.shape, 0.5)]),
    (r"sum to 1: .* sum to 1\.5 ", asked, [lambda x: filled((*x.shape, 2), 0.75)]),
    (r"site 0 hold -0\.5 ", asked, [lambda x: filled((*x.shape, 2), [1.5, -0.5])]),
    ("complex", asked, [lambda x: filled((*x.shape, 2), 0.5j)]),
)


def test_numpy_on_an_array_of_a_device_raises_by_itself():
    def with_numpy(x, predictions):
        return np.cumsum(x == MASK, axis=1) == 1

    with pytest.raises((RuntimeError, TypeError, ValueError)):
        output_distribution(table("pairs", to_device1), with_numpy)


def test_device1_is_what_the_tests_say():
    assert table("pairs", to_device1).like.device == DEVICE1
    assert from_host([1], to_device1([0.0])).device == DEVICE1
