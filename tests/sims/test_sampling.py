"""What tokens are drawn from: temperature, top-k, top-p, one rule for each round."""

import math
from fractions import Fraction

import numpy as np
import pytest
import sympy

import sims
from sims import AnyOrder, Sampling, decode, estimate_path_kl, output_distribution, split
from sims.policies import (
    Bernoulli,
    Corrector,
    GibbsCorrector,
    LeftToRight,
    Mirrored,
    RandomOrder,
    Remask,
    TokenConfidence,
    TopK,
)
from sims.training import visited
from tests.cases import build_exact, close, floats, random_rows, random_weights, table, to_device1
from tests.noted import each, refusals
from tests.sims import policy_oracles as slow
from tests.sims.policy_table import (
    SMALL,
    TIMES,
    as_denoiser,
    assert_drawn_from,
    assert_output,
    assert_same_numbers,
    both,
    one_of_each,
    over,
    tempering,
    wrong,
    zero_loss,
)
from theory import InvalidInput, JointTable
from theory._core.arrays import to_host

TERNARY = table("three", random_weights(17, (3, 3, 3)))

# Rows

KEPT = [
    {"top_k": 1},
    {"top_k": 2},
    {"top_k": 9},
    *({"top_p": p, "keep_crossing": keep} for p in (0, 0.3, 0.5, 0.9, 1) for keep in (True, False)),
    *({"top_k": 3, "top_p": 0.5, "keep_crossing": keep} for keep in (True, False)),
]
HALVES = [Fraction(1, 4), Fraction(1, 4), Fraction(1, 4), Fraction(1, 4)]
ROWS = [
    *random_rows("sampling", 20, 4),
    HALVES,
    [Fraction(1, 2), Fraction(0), Fraction(1, 4), Fraction(1, 4)],
    [Fraction(0), Fraction(0), Fraction(1), Fraction(0)],
    [Fraction(3, 10), Fraction(3, 10), Fraction(1, 5), Fraction(1, 5)],
]


@each("kept", KEPT)
def test_rows_in_exact_arithmetic(kept):
    for temperature in (1, 0):
        sampling, temper = Sampling(temperature, **kept), slow.sampled(temperature, **kept)
        found = sampling.probabilities(np.array(ROWS, dtype=object))
        assert found.tolist() == [temper(row) for row in ROWS]
        assert all(isinstance(v, int | Fraction) for v in found.reshape(-1).tolist())


@each("kept", KEPT)
@each("temperature", [1, 0, 0.5, 3])
def test_rows_in_floats_and_their_logarithms(kept, temperature):
    sampling, temper = Sampling(temperature, **kept), slow.sampled(temperature, **kept)
    rows = np.array(floats(ROWS))
    found = sampling.probabilities(rows)
    np.testing.assert_allclose(found, floats([temper(r) for r in ROWS]), rtol=1e-11, atol=1e-15)
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(sampling.logs(rows), np.log(found), atol=1e-11)
    away = sampling.probabilities(to_device1(rows))
    np.testing.assert_allclose(to_host(away), found, rtol=1e-12, atol=0)
    np.testing.assert_allclose(to_host(sampling.logs(to_device1(rows))), sampling.logs(rows))


def test_by_hand():
    """(.5, .25, .15, .1): the sum exceeds .7 with the second token, and is .75 with it."""
    row = np.array([0.5, 0.25, 0.15, 0.1])
    for p, keep, kept in [
        (0.7, True, [2 / 3, 1 / 3, 0, 0]),
        (0.7, False, [1, 0, 0, 0]),
        (0.75, True, [5 / 9, 2.5 / 9, 1.5 / 9, 0]),  # reached, and not exceeded
        (0.75, False, [2 / 3, 1 / 3, 0, 0]),
        (0.2, False, [1, 0, 0, 0]),  # the likeliest is always kept
    ]:
        found = Sampling(top_p=p, keep_crossing=keep).probabilities(row)
        assert found.tolist() == pytest.approx(kept)
    # of the two likeliest, 2/3 and 1/3: top-k before top-p
    assert Sampling(top_k=2, top_p=0.6).probabilities(row).tolist() == [1, 0, 0, 0]
    # .5^2 : .25^2 = 4 : 1, and 4/5 exceeds .7: temperature before top-p
    assert Sampling(0.5, top_k=2, top_p=0.7).probabilities(row).tolist() == [1, 0, 0, 0]
    assert Sampling(top_k=1).probabilities(np.full(4, 0.25)).tolist() == [1, 0, 0, 0]


def test_the_likeliest_of_cold_draws_is_found_where_floats_are_0():
    row = np.array([0.001, 0.002, 0.997])
    found = Sampling(1e-3, top_k=2).probabilities(row)
    assert found.tolist() == [0, 0, 1]
    expected = [-math.inf, 1000 * math.log(2 / 997), 0]
    assert Sampling(1e-3, top_k=2).logs(row).tolist() == pytest.approx(expected)


# Outputs

SETTINGS = {
    "top k": (Sampling(top_k=2), [slow.sampled(1, 2)]),
    "top p": (Sampling(top_p=0.6), [slow.sampled(1, None, 0.6)]),
    "dropped": (Sampling(top_p=0.6, keep_crossing=False), [slow.sampled(1, None, 0.6, False)]),
    "then argmax": ([1, 0], [tempering(1), tempering(0)]),
    "one each": (
        (Sampling(top_k=1), 1, Sampling(top_p=0.5)),
        [slow.sampled(1, 1), tempering(1), slow.sampled(1, None, 0.5)],
    ),
}
TEMPERED = {
    "cold": (Sampling(0.5, top_k=2), [slow.sampled(0.5, 2)]),
    "colder": (
        (2, 0.7, Sampling(0.5, top_p=0.7)),
        [slow.sampled(2), slow.sampled(0.7), slow.sampled(0.5, None, 0.7)],
    ),
}


def rows_of(case, stride, tempers):
    """Decoders; those that correct take one temperature."""
    return [
        row
        for row in one_of_each(case.length, case.vocab)[::stride]
        if len(tempers) == 1 or not isinstance(row.policy, Corrector)
    ]


@each("case", [TERNARY, SMALL["zeros"]], ids=lambda case: case.name)
@pytest.mark.parametrize("setting", SETTINGS)
def test_outputs_are_exact(setting, case):
    temperature, tempers = SETTINGS[setting]
    p, predict = build_exact(case), zero_loss(case)

    @over(rows_of(case, 1, tempers))
    def agrees(policy, decoder):
        expected = slow.expected_output(case.joint, case.vocab, decoder, predict, tempers)
        assert_output(output_distribution(p, policy, temperature), case, expected, decoder)

    agrees()


@pytest.mark.parametrize("setting", SETTINGS | TEMPERED)
def test_outputs_in_floats_of_a_wrong_denoiser(setting):
    case, (temperature, tempers) = TERNARY, (SETTINGS | TEMPERED)[setting]
    predict = wrong(case.length, case.vocab)
    denoiser = as_denoiser(predict, case.vocab)

    @over(rows_of(case, 2, tempers))
    def agrees(policy, decoder):
        expected = slow.expected_output(case.joint, case.vocab, decoder, predict, tempers)
        q = output_distribution(case.build(), policy, temperature, denoiser)
        assert_output(q, case, expected, decoder)

    agrees()


CLOCKS = [both(Bernoulli, TIMES), both(Remask, TIMES, 1), both(Mirrored, both(Bernoulli, (0, 1)))]


@each(("policy", "decoder"), CLOCKS)
@each("top_k", [None, 2])
def test_the_last_step_of_a_clock(policy, decoder, top_k):
    case = TERNARY
    before = [slow.sampled(1, top_k)] * (policy.steps - 1)
    expected = slow.expected_output(
        case.joint, case.vocab, decoder, zero_loss(case), [*before, tempering(0)]
    )
    sampling = Sampling(top_k=top_k, last_round="argmax")
    q = output_distribution(build_exact(case), policy, sampling)
    assert_output(q, case, expected, decoder)
    explicit = [*[Sampling(top_k=top_k)] * (policy.steps - 1), 0]
    assert (output_distribution(build_exact(case), policy, explicit).table == q.table).all()


def test_drawn_sequences_are_those_of_the_exact_distribution():
    p = TERNARY.build()
    cases = [(t, policy) for t, _ in SETTINGS.values() for policy in (RandomOrder((1, 2)), TopK(1))]
    cases += [
        (SETTINGS["one each"][0], TokenConfidence(1)),
        (SETTINGS["top k"][0], Bernoulli(TIMES)),
    ]
    cases += [(Sampling(last_round="argmax"), Remask(TIMES, 1))]
    for seed, (temperature, policy) in enumerate(cases):
        q = output_distribution(p, policy, temperature)
        drawn = decode(p, policy, np.random.default_rng(seed), 4000, temperature)
        counts = np.zeros((p.vocab,) * p.length)
        np.add.at(counts, tuple(drawn.tokens.T), 1)
        assert_drawn_from(counts, q.table)


def test_what_else_takes_a_temperature():
    """The path KL in two ways, orders one site at a time, what is visited, regret, comparisons."""
    p = TERNARY.build()
    first_two = (2, Sampling(1.5), Sampling(0.5))
    parts = split(p, RandomOrder((1, 2)), temperature=first_two)
    q = output_distribution(p, RandomOrder((1, 2)), first_two)
    assert parts.path_kl == close(q.path_kl)
    drawn = estimate_path_kl(p, RandomOrder((1, 2)), np.random.default_rng(0), 2000, first_two)
    assert abs(drawn.kl.mean - parts.path_kl) < 4 * drawn.kl.error
    assert not drawn.has_zeros
    nucleus = Sampling(top_p=0.7)
    assert split(p, LeftToRight(), temperature=nucleus).path_kl == math.inf
    assert estimate_path_kl(p, LeftToRight(), np.random.default_rng(0), 9, nucleus).has_zeros
    orders = AnyOrder(p, p.denoise, first_two)
    one_by_one = output_distribution(p, LeftToRight(), first_two)
    assert orders.kl((0, 1, 2)) == close(one_by_one.path_kl)
    assert output_distribution(p, LeftToRight(), [1, 1, 0]).kl == math.inf
    assert sims.order(p, TopK(1), first_two).revealed.shape == (3, 3)
    assert_same_numbers(sims.orders(p, TopK(1), nucleus), sims.orders(p, TopK(1), [nucleus] * 2))
    assert visited(p, TopK(1), nucleus).sum() == close(1)
    assert sims.regret(p, LeftToRight(), first_two) == close(one_by_one.kl)


def test_scores_see_the_predictions_as_they_are():
    """Each token is as likely as the other after top-p, and the policy knows better."""
    p = JointTable([[9, 1], [9, 1]], exact=True)
    for sampling in (Sampling(top_k=1), Sampling(top_p=0.1), Sampling(0)):
        assert (output_distribution(p, TopK(1), sampling).table > 0).tolist() == [
            [True, False],
            [False, False],
        ]
    warm = output_distribution(JointTable([[9.0, 1], [9, 1]]), TokenConfidence(1), 1e9).table
    # fair draws: a second 1 is still kept only when it comes twice
    assert warm.sum(axis=0)[1] == close(0.25, 1e-6)


def test_two_conventions_differ():
    """Independent bits, 3 to 1: the token that crosses 3/4 is the second one or none."""
    p = JointTable([[9, 3], [3, 1]], exact=True)
    kept = output_distribution(p, RandomOrder((2,)), Sampling(top_p=0.75))
    dropped = output_distribution(p, RandomOrder((2,)), Sampling(top_p=0.75, keep_crossing=False))
    assert kept.tv == 0
    assert dropped.tv == Fraction(7, 16)


def test_underflow_is_known_from_what_is_left_out():
    p = JointTable([[0.01, 0.99], [0.0, 0.0]])
    cold = Sampling(1 / 200)
    assert output_distribution(p, TokenConfidence(1), cold).underflow
    assert not output_distribution(p, TokenConfidence(1), Sampling(1 / 200, top_k=1)).underflow
    assert output_distribution(p, LeftToRight(), Sampling(1 / 200, top_k=2)).kl == close(
        output_distribution(p, LeftToRight(), cold).kl
    )


P, EXACT = SMALL["zeros"].build(), build_exact(SMALL["zeros"])


def at(temperature, policy, p=P):
    return output_distribution(p, policy, temperature)


LAST = Sampling(last_round="argmax")

test_what_is_refused = refusals(
    ("temperature .*{}", Sampling, [-1, math.nan, "1", None]),
    ("top_k .*{}", lambda k: Sampling(top_k=k), [0, 1.5, True]),
    ("top_p .*{}", lambda p: Sampling(top_p=p), [1.5, math.nan, -0.1, "1"]),
    ("keep_crossing .*{}", lambda keep: Sampling(keep_crossing=keep), [1, None]),
    ("last_round .*{}", lambda last: Sampling(last_round=last), ["max", 1]),
    ("got none", lambda: at([], LeftToRight())),
    ("temperature .*{}", lambda t: at([1, t], LeftToRight()), [-1, (1,), "1"]),
    ("exact .* 0.5", lambda: at([1, Sampling(0.5)], LeftToRight(), EXACT)),
    ("one temperature", lambda: at([1, 0], GibbsCorrector(LeftToRight(), 1))),
    (
        r"last step of a policy on one clock.*\(1, 1, 0\)",
        lambda policy: at(LAST, policy),
        [LeftToRight(), TokenConfidence(1), GibbsCorrector(Bernoulli(TIMES), 1)],
    ),
    ("said of all rounds", lambda: at([1, LAST], Bernoulli(TIMES))),
    ("on one clock", lambda: AnyOrder(P, P.denoise, LAST)),
)


def test_free_symbols_are_not_compared():
    a = sympy.Symbol("a", positive=True)
    p = JointTable([[1 - a, 0], [0, a]], exact=True)
    with pytest.raises(InvalidInput, match="symbol"):
        output_distribution(p, LeftToRight(), Sampling(top_k=1))


def test_it_is_a_value():
    assert Sampling(1) == Sampling(1.0) != Sampling(1, top_k=1)
    assert len({Sampling(top_k=int(np.int64(2))), Sampling(top_k=2)}) == 1
    assert repr(Sampling(top_k=2)) == (
        "Sampling(temperature=1.0, top_k=2, top_p=None, keep_crossing=True, last_round=None)"
    )
    with pytest.raises(AttributeError):
        Sampling().top_k = 1  # pyright: ignore
