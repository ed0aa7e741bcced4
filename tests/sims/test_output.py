"""What decoders write, against a recursion over every choice and every token."""

import functools
import itertools
import math
import random
from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from sims import OutputDistribution, output_distribution
from sims.policies import LeftToRight, Policy, RandomOrder, Rule, TokenConfidence
from tests import oracles
from tests.cases import (
    CASES,
    DEVICE1,
    build_exact,
    each_family,
    empirical,
    floats,
    random_rows,
    table,
    to_device1,
    to_host,
)
from tests.noted import each
from theory import MASK, InvalidInput, JointTable, TooLarge, gallery, information, strategies

TOLERANCE = 1e-12  # of sums of at most a few thousand products of probabilities


def close(expected):
    return pytest.approx(float(expected), rel=TOLERANCE, abs=TOLERANCE)


def named(name):
    return next(case for case in CASES if case.name == name)


# Policies: ours for the package, and the same as a law for the oracle


def masked_sites(pattern):
    return [i for i, o in enumerate(pattern) if o == MASK]


def random_order_law(sizes):
    def law(pattern, prediction, index):
        choices = list(itertools.combinations(masked_sites(pattern), sizes[index]))
        return [(Fraction(1, len(choices)), sites) for sites in choices]

    return law


def left_to_right_law(k):
    return lambda pattern, prediction, index: [(Fraction(1), tuple(masked_sites(pattern)[:k]))]


@functools.cache
def looked_up(seed, pattern):
    """A non-empty set of masked sites for every pattern, tokens included."""
    masked, rng = masked_sites(pattern), random.Random(f"{seed} {pattern}")
    return tuple(sorted(rng.sample(masked, k=rng.randint(1, len(masked)))))


def lookup_rule(seed):
    def select(x, predictions):
        reveal = np.zeros(x.shape, dtype=bool)
        for row, pattern in zip(reveal, x.tolist(), strict=True):
            row[list(looked_up(seed, tuple(pattern)))] = True
        return reveal

    return Rule(select)


def lookup_law(seed):
    return lambda pattern, prediction, index: [(Fraction(1), looked_up(seed, pattern))]


class Sometimes(Policy):
    """With probability 1/3 what one lookup says, else what the next one says."""

    def reveal_distribution(self, x, predictions, round_index):
        yield Fraction(1, 3), lookup_rule(round_index).select(x, predictions)
        yield Fraction(2, 3), lookup_rule(round_index + 1).select(x, predictions)


def sometimes_law(pattern, prediction, index):
    return [
        (Fraction(1, 3), looked_up(index, pattern)),
        (Fraction(2, 3), looked_up(index + 1, pattern)),
    ]


class MostCertain(Policy):
    """The masked sites with the largest prediction, all that are equal to nine digits."""

    def reveal_distribution(self, x, predictions, round_index):
        largest = np.round(predictions.max(axis=-1).astype(float), 9)
        sure = np.where(x == MASK, largest, -1)
        yield 1, (sure == sure.max(axis=1, keepdims=True)) & (x == MASK)


def most_certain_law(pattern, prediction, index):
    sure = {i: round(float(max(prediction[i])), 9) for i in masked_sites(pattern)}
    return [(Fraction(1), tuple(i for i, p in sure.items() if p == max(sure.values())))]


def compositions(length):
    if length == 0:
        return [()]
    return [(k, *rest) for k in range(1, length + 1) for rest in compositions(length - k)]


def policies_for(length):
    """(policy, the same as a law)."""
    pairs = [(RandomOrder(sizes), random_order_law(sizes)) for sizes in compositions(length)]
    pairs += [(LeftToRight(k), left_to_right_law(k)) for k in range(1, length + 1)]
    pairs += [(lookup_rule(seed), lookup_law(seed)) for seed in range(3)]
    return [*pairs, (Sometimes(), sometimes_law)]


def as_table(joint, vocab):
    out = np.zeros((vocab,) * oracles.length_of(joint))
    for x, p in joint.items():
        out[x] = p
    return out


def assert_output(q, joint, vocab, law, predict, temper=oracles.untempered):
    """Table, both divergences, valid mass and rounds, in floats."""
    length = oracles.length_of(joint)
    expected, rounds = oracles.written(length, vocab, law, predict, temper)
    np.testing.assert_allclose(q.table, as_table(expected, vocab), rtol=TOLERANCE, atol=1e-15)
    assert q.table.sum() == pytest.approx(1, rel=TOLERANCE)
    assert q.expected_rounds == close(rounds)
    assert q.valid_mass == close(sum(v for x, v in expected.items() if joint[x] != 0))
    assert q.path_kl == close(oracles.mean_path_kl(joint, law, predict, temper))
    assert q.kl == close(oracles.kl_divergence(joint, expected))
    assert q.kl <= q.path_kl + TOLERANCE


# The zero-loss denoiser, which answers with the marginals where the context is impossible


SMALL = {
    "table": named("table dense"),
    "table with zeros": table("", [[[0, 1], [2, 0]], [[1, 0], [0, 3]]]),
    "chain": named("chain identity"),
    "hmm": named("hmm shown states"),
    "mixture": named("mixture some zeros"),
    "empirical": empirical("", [[0, 1, 1], [1, 0, 1], [0, 1, 1], [0, 0, 0]]),
    "four sites": named("table zeros"),
    "one site": named("table one site, one possible"),
    "one token": named("table one token"),
}
each_small = each("case", SMALL.values(), ids=SMALL)


@each_small
def test_every_policy_writes_what_the_recursion_says(case):
    p = case.build()
    predict = oracles.zero_loss(case.joint, case.vocab, "marginal")
    for policy, law in policies_for(case.length):
        q = output_distribution(p, policy)
        assert isinstance(q, OutputDistribution)
        assert q.table.dtype == np.float64
        assert_output(q, case.joint, case.vocab, law, predict)


@pytest.mark.parametrize("name", ["table", "table with zeros", "chain", "four sites", "one site"])
def test_exact_distributions_are_written_exactly(name):
    case = SMALL[name]
    p = build_exact(case)
    predict = oracles.zero_loss(case.joint, case.vocab, "marginal")
    for policy, law in policies_for(case.length):
        q = output_distribution(p, policy)
        expected, rounds = oracles.written(case.length, case.vocab, law, predict)
        assert {x: q.table[x] for x in expected} == expected
        assert q.expected_rounds == rounds
        assert q.valid_mass == sum(v for x, v in expected.items() if case.joint[x] != 0)
        assert not isinstance(q.valid_mass, float)
        path_kl = oracles.mean_path_kl(case.joint, law, predict, exact=True)
        assert sympy.expand(q.path_kl - path_kl) == 0


@pytest.mark.parametrize("name", ["table with zeros", "one site", "one token"])
def test_exact_divergences_of_what_is_written(name):
    case = SMALL[name]
    p = build_exact(case)
    for policy, _ in policies_for(case.length):
        q = output_distribution(p, policy)
        written = {x: q.table[x] for x in case.joint}
        assert q.kl == oracles.kl_divergence(case.joint, written, exact=True)


@each_small
def test_random_order_is_the_mean_over_ordered_partitions(case):
    """And its path cost is the mean divergence of the partitions, and that of the profile."""
    if case.length > 3:
        sizes_to_try = [(4,), (1, 3), (2, 2), (2, 1, 1)]
    else:
        sizes_to_try = compositions(case.length)
    p = case.build()
    for sizes in sizes_to_try:
        q = output_distribution(p, RandomOrder(sizes))
        expected = oracles.output_distribution(case.joint, sizes, case.vocab, "marginal")
        np.testing.assert_allclose(q.table, as_table(expected, case.vocab), atol=1e-15)
        assert q.path_kl == close(oracles.mean_path_cost(case.joint, sizes, case.vocab))
        assert q.path_kl == close(information.path_cost(p, sizes))
        assert q.expected_rounds == close(len(sizes))


@given(strategies.joint_tables(vocabs=(2, 2), exact=True), st.data())
def test_exact_path_cost_of_random_order_is_that_of_the_profile(p, data):
    """Of any table and any batch sizes, as expressions."""
    sizes = data.draw(strategies.schedules(p.length))
    q = output_distribution(p, RandomOrder(sizes))
    assert sympy.expand(q.path_kl - information.path_cost(p, sizes)) == 0
    assert q.table.sum() == 1
    assert float(q.path_kl - q.kl) >= -1e-12  # exact, but compared as floats


@given(strategies.distributions(), st.integers(0, 100))
def test_a_deterministic_rule_has_one_path_to_each_sequence(p, seed):
    """So the divergence along the path is that of the output."""
    for policy in (lookup_rule(seed), LeftToRight(1 + seed % p.length)):
        q = output_distribution(p, policy)
        assert q.kl == pytest.approx(q.path_kl, rel=1e-9, abs=1e-11)


@each_family
def test_one_site_per_round_samples_from_the_data(case):
    p = case.build()
    for policy in (LeftToRight(), RandomOrder((1,) * case.length)):
        q = output_distribution(p, policy)
        np.testing.assert_allclose(q.table, p.table(), rtol=1e-11, atol=1e-15)
        assert q.kl == pytest.approx(0, abs=TOLERANCE)
        assert q.path_kl == pytest.approx(0, abs=TOLERANCE)
        assert q.valid_mass == close(1)
        assert q.expected_rounds == close(case.length)


def test_one_round_writes_the_product_of_the_marginals():
    """At the cost of the total correlation."""
    for name in ("table dense", "table parity", "chain cycle from any state"):
        case = named(name)
        p = build_exact(case)
        q = output_distribution(p, LeftToRight(case.length))
        marginals = oracles.site_marginals(case.joint, case.vocab)
        for x in case.joint:
            assert q.table[x] == math.prod(marginals[i][v] for i, v in enumerate(x))
        assert sympy.expand(q.path_kl - information.total_correlation(p)) == 0
        assert sympy.expand(q.kl - q.path_kl) == 0


def test_a_policy_sees_the_predictions():
    for name in ("table", "four sites"):
        case = SMALL[name]
        predict = oracles.zero_loss(case.joint, case.vocab, "marginal")
        expected, rounds = oracles.written(case.length, case.vocab, most_certain_law, predict)
        q = output_distribution(build_exact(case), MostCertain())
        assert {x: q.table[x] for x in expected} == expected
        assert q.expected_rounds == rounds


def test_a_policy_is_told_the_round_and_asked_only_about_masked_sequences():
    seen = []

    class Watch(LeftToRight):
        def reveal_distribution(self, x, predictions, round_index):
            seen.append(round_index)
            assert (x == MASK).any(axis=1).all()
            assert ((x != MASK).sum(axis=1) == round_index).all()
            assert len(np.unique(x, axis=0)) == len(x)
            assert predictions.shape == (*x.shape, 2)
            return super().reveal_distribution(x, predictions, round_index)

    output_distribution(gallery.parity(4), Watch())
    assert seen == [0, 1, 2, 3]


def test_rounds_may_differ_from_path_to_path():
    """Two coupled bits and a rule: after a 0 both others at once, after a 1 one by one.

    The first site is fair, so 1/2 * 2 + 1/2 * 3 rounds.
    """

    def select(x, predictions):
        masked = x == MASK
        first = masked & (np.cumsum(masked, axis=1) == 1)
        return np.where((x[:, :1] == 0) & (x[:, :1] != MASK), masked, first)

    q = output_distribution(gallery.repeated_bit(3), Rule(select))
    assert q.expected_rounds == close(2.5)
    assert q.kl == pytest.approx(0, abs=TOLERANCE)

    def rarely_one(x):
        return np.broadcast_to([0.75, 0.25], (*x.shape, 2))

    q = output_distribution(gallery.repeated_bit(3), Rule(select), denoiser=rarely_one)
    assert q.expected_rounds == close(3 / 4 * 2 + 1 / 4 * 3)  # of what is written, not of the data


# Temperature


@pytest.mark.parametrize("temperature", [0.5, 2, 2.0, 0.1, 7])
def test_tempered_decoding(temperature):
    for name in ("table", "table with zeros", "hmm", "mixture"):
        case = SMALL[name]
        p = case.build()
        predict = oracles.zero_loss(case.joint, case.vocab, "marginal")
        for policy, law in [
            (RandomOrder((1, case.length - 1)), random_order_law((1, case.length - 1))),
            (LeftToRight(2), left_to_right_law(2)),
            (lookup_rule(1), lookup_law(1)),
        ]:
            q = output_distribution(p, policy, temperature)
            assert_output(
                q,
                case.joint,
                case.vocab,
                law,
                predict,
                lambda row: oracles.tempered(row, temperature),
            )


@pytest.mark.parametrize("exact", [False, True], ids=["floats", "exact"])
def test_temperature_zero_takes_the_likeliest_token_the_lowest_of_equal_ones(exact):
    for name in ("table", "table with zeros", "four sites"):
        case = SMALL[name]
        p = build_exact(case) if exact else case.build()
        predict = oracles.zero_loss(case.joint, case.vocab, "marginal")
        for policy, law in policies_for(case.length):
            q = output_distribution(p, policy, 0)
            expected, rounds = oracles.written(
                case.length, case.vocab, law, predict, lambda row: oracles.tempered(row, 0)
            )
            if exact:
                assert {x: q.table[x] for x in expected} == expected
                assert q.expected_rounds == rounds
                assert q.path_kl == sympy.oo  # something that happens is never written
                assert q.kl == sympy.oo
            else:
                assert_output(
                    q, case.joint, case.vocab, law, predict, lambda row: oracles.tempered(row, 0)
                )


def test_temperature_zero_on_a_point_mass_loses_nothing():
    for exact in (False, True):
        p = JointTable([[0, 1], [0, 0]], exact=exact)
        q = output_distribution(p, RandomOrder((2,)), 0)
        assert q.table.tolist() == [[0, 1], [0, 0]]
        assert (q.kl, q.path_kl, q.valid_mass) == (0, 0, 1)


def test_extreme_temperatures_approach_their_limits():
    """The likeliest token as T falls, every possible one alike as T grows."""
    p = JointTable([3, 1, 0, 2])
    cold = output_distribution(p, LeftToRight(), 1e-3).table
    assert cold == pytest.approx([1, 0, 0, 0], abs=1e-100)  # (2/3)^1000 is 1e-176
    hot = output_distribution(p, LeftToRight(), 1e9).table
    assert hot == pytest.approx([1 / 3, 1 / 3, 0, 1 / 3], abs=1e-8)
    assert hot[2] == 0


def test_the_policy_sees_the_predictions_untempered():
    case = SMALL["table"]
    predict = oracles.zero_loss(case.joint, case.vocab, "marginal")
    q = output_distribution(case.build(), MostCertain(), 0.5)
    expected, _ = oracles.written(
        case.length, case.vocab, most_certain_law, predict, lambda row: oracles.tempered(row, 0.5)
    )
    np.testing.assert_allclose(q.table, as_table(expected, case.vocab), rtol=TOLERANCE)


# Other denoisers


def wrong(length, vocab):
    """Predictions that have nothing to do with the data."""
    return lambda pattern: random_rows(repr(pattern), length, vocab)


def as_denoiser(predict, exact=False):
    def denoiser(x):
        rows = [predict(tuple(pattern)) for pattern in x.tolist()]
        return np.array(rows, object) if exact else np.array(floats(rows), dtype=float)

    return denoiser


@each_small
def test_a_denoiser_of_your_own(case):
    predict = wrong(case.length, case.vocab)
    for policy, law in policies_for(case.length)[::3]:
        q = output_distribution(case.build(), policy, denoiser=as_denoiser(predict))
        assert_output(q, case.joint, case.vocab, law, predict)


def test_an_exact_denoiser_of_your_own():
    case = SMALL["table with zeros"]
    predict = wrong(case.length, case.vocab)
    for policy, law in policies_for(case.length)[::3]:
        q = output_distribution(
            build_exact(case), policy, denoiser=as_denoiser(predict, exact=True)
        )
        expected, _ = oracles.written(case.length, case.vocab, law, predict)
        assert {x: q.table[x] for x in expected} == expected
        difference = q.path_kl - oracles.mean_path_kl(case.joint, law, predict, exact=True)
        assert abs(difference.evalf(30, maxn=200)) < 1e-20  # large integers stay unfactored


def never_one(x):
    answer = np.zeros((*x.shape, 2))
    answer[..., 0] = 1
    return answer


def test_a_denoiser_that_rules_out_what_happens_loses_infinitely():
    """The data pass where the decoder never comes."""
    for policy in (LeftToRight(), RandomOrder((2,)), RandomOrder((1, 1))):
        q = output_distribution(gallery.coupled_pairs(1), policy, denoiser=never_one)
        assert q.table.tolist() == [[1, 0], [0, 0]]
        assert (q.kl, q.path_kl, q.valid_mass) == (math.inf, math.inf, 1)
        exact = output_distribution(
            gallery.coupled_pairs(1, exact=True),
            policy,
            denoiser=lambda x: never_one(x).astype(int).astype(object),
        )
        assert (exact.kl, exact.path_kl) == (sympy.oo, sympy.oo)


def test_impossible_contexts_are_answered_with_the_marginals():
    """Bits with P(1) = 1/3, all equal. Two at once, then the third.

    After 01 or 10, which the data never contain, the third is again 1 with probability 1/3.
    """
    p = JointTable([[[2, 0], [0, 0]], [[0, 0], [0, 1]]], exact=True)
    q = output_distribution(p, LeftToRight(2))
    one = Fraction(1, 3)
    for x in itertools.product((0, 1), repeat=3):
        first, second, third = (one if v else 1 - one for v in x)
        follows = Fraction(x[2] == x[0]) if x[0] == x[1] else third
        assert q.table[x] == first * second * follows
    assert q.valid_mass == (1 - one) ** 2 + one**2


# Known values


@pytest.mark.parametrize("exact", [False, True], ids=["floats", "exact"])
def test_new_york_and_los_angeles(exact):
    """One of two pairs of words: at once, half of what is written is neither; a bit is lost."""
    p = gallery.coupled_pairs(1, exact=exact)
    q = output_distribution(p, RandomOrder((2,)))
    assert q.valid_mass == 0.5
    assert float(q.path_kl) == pytest.approx(math.log(2))
    assert float(q.kl) == pytest.approx(math.log(2))
    assert information.total_correlation(p, base=2) == pytest.approx(1)


def test_permutations_at_once():
    """4! of 4^4 sequences are permutations: 0.09375."""
    q = output_distribution(gallery.permutations(4, exact=True), RandomOrder((4,)))
    assert q.valid_mass == Fraction(math.factorial(4), 4**4)
    assert float(q.valid_mass) == 0.09375
    q = output_distribution(gallery.permutations(4), RandomOrder((4,)))
    assert q.valid_mass == close(0.09375)


@pytest.mark.parametrize("n", range(1, 8))
def test_one_hot_at_once(n):
    """One of n sites is 1, each with probability 1/n: n (1/n) ((n-1)/n)^(n-1)."""
    q = output_distribution(gallery.one_hot(n, exact=True), RandomOrder((n,)))
    assert q.valid_mass == Fraction(n - 1, n) ** (n - 1)
    assert output_distribution(gallery.one_hot(n), LeftToRight(n)).valid_mass == close(q.valid_mass)


def test_coupled_pairs_in_one_round():
    """Each of m pairs agrees with probability 1/2 and costs one bit."""
    for m in (1, 2, 3):
        q = output_distribution(gallery.coupled_pairs(m, exact=True), RandomOrder((2 * m,)))
        assert q.valid_mass == Fraction(1, 2**m)
        assert q.path_kl == m * sympy.log(2)


def test_a_symbolic_distribution():
    """Two equal bits with P(1) = a: at once, both are right with a^2 + (1 - a)^2."""
    a = sympy.Symbol("a", positive=True)
    p = JointTable([[1 - a, 0], [0, a]], exact=True)
    q = output_distribution(p, RandomOrder((2,)))
    assert sympy.simplify(q.table[1, 0] - a * (1 - a)) == 0
    agree = q.table[0, 0] + q.table[1, 1]
    assert sympy.simplify(agree - a**2 - (1 - a) ** 2) == 0
    value = sympy.Rational(1, 3)
    entropy = -value * sympy.log(value) - (1 - value) * sympy.log(1 - value)
    assert abs(sympy.N(q.path_kl.subs(a, value) - entropy)) < TOLERANCE


# What comes back


def test_the_output_is_a_distribution_with_the_symbols_of_the_data():
    p = gallery.cities()
    q = output_distribution(p, RandomOrder((2,)))
    assert q.p is p
    assert isinstance(q.distribution, JointTable)
    assert q.distribution.symbols == p.symbols
    np.testing.assert_allclose(q.distribution.table(), q.table, rtol=TOLERANCE)
    exact = output_distribution(gallery.cities(exact=True), RandomOrder((2,)))
    assert exact.distribution.exact
    assert exact.distribution.table().tolist() == exact.table.tolist()


def test_outputs_are_drawn_from_the_output_distribution():
    """Chi-square over the 4 strings of two coupled bits written at once: 1/4 each."""
    q = output_distribution(gallery.coupled_pairs(1), RandomOrder((2,)))
    drawn = q.sample(np.random.default_rng(0), 4000)
    assert drawn.shape == (4000, 2)
    counts = np.bincount(drawn @ [2, 1], minlength=4)
    assert ((counts - 1000) ** 2 / 1000).sum() < 3 + 5 * math.sqrt(6)
    again = q.sample(np.random.default_rng(0), 4000)
    np.testing.assert_array_equal(drawn, again)


@each_family
def test_distributions_on_a_device(case):
    """The decoder is followed where the data live (every policy: tests/sims/test_devices.py)."""
    q = output_distribution(case.build(to_device1), RandomOrder((1, case.length - 1)))
    there = output_distribution(case.build(), RandomOrder((1, case.length - 1)))
    assert q.table.device == DEVICE1
    np.testing.assert_allclose(to_host(q.table), there.table, rtol=TOLERANCE)
    for name in ("kl", "path_kl", "valid_mass", "expected_rounds"):
        assert getattr(q, name) == close(getattr(there, name))


# What is refused


P = gallery.coupled_pairs(1)


def nothing(x, predictions):
    return np.zeros(x.shape, dtype=bool)


def everything(x, predictions):
    return np.ones(x.shape, dtype=bool)


def first_always(x, predictions):
    return np.arange(x.shape[1]) == np.zeros((len(x), 1))


BAD_RULES = {
    "none": (nothing, "no site"),
    "an observed one": (first_always, r"an observed site.*\[0, -1\]"),
    "too few rows": (lambda x, f: np.ones((len(x) + 1, 2), dtype=bool), r"shape \(2, 2\)"),
    "too few sites": (lambda x, f: np.ones((len(x), 1), dtype=bool), r"shape \(1, 1\)"),
    "flat": (lambda x, f: np.ones(2, dtype=bool), r"shape \(2,\)"),
    "numbers": (lambda x, f: np.ones(x.shape), "float64"),
    "integers": (lambda x, f: np.ones(x.shape, dtype=int), "int64"),
    "list": (lambda x, f: [[True, True]], "list"),
    "nothing": (lambda x, f: None, "None"),
}


@each(("select", "match"), BAD_RULES.values(), ids=BAD_RULES)
@each("exact", [False, True], ids=["floats", "exact"])
def test_rules_that_select_wrongly(select, match, exact):
    p = gallery.coupled_pairs(1, exact=exact)
    with pytest.raises(InvalidInput, match=match):
        output_distribution(p, Rule(select))


def test_a_rule_may_not_reveal_again_later():
    """The first round is fine, the second is not."""

    def twice(x, predictions):
        return first_always(x, predictions) if (x == MASK).all() else everything(x, predictions)

    with pytest.raises(InvalidInput, match="observed site"):
        output_distribution(P, Rule(twice))


@pytest.mark.parametrize("chances", [[], [0.5], [1, 1], [0.5, 0.25], [1.5, -0.5]])
def test_chances_must_sum_to_one(chances):
    class Odd(Policy):
        def reveal_distribution(self, x, predictions, round_index):
            for chance in chances:
                yield chance, everything(x, predictions)

    with pytest.raises(InvalidInput, match="probabilities"):
        output_distribution(P, Odd())


@pytest.mark.parametrize("sizes", [(1,), (3,), (1, 2), (2, 1, 1)])
def test_random_order_sizes_must_sum_to_the_length(sizes):
    with pytest.raises(InvalidInput, match="sum to the length 2"):
        output_distribution(P, RandomOrder(sizes))


@pytest.mark.parametrize("sizes", [(0, 2), (-1, 3), (1.0, 1.0), "11", 2, None, (True, 1)])
def test_random_order_sizes_are_positive_integers(sizes):
    with pytest.raises(InvalidInput, match="size"):
        output_distribution(P, RandomOrder(sizes))


@pytest.mark.parametrize("k", [0, -1, 1.0, "1", None, True])
def test_left_to_right_takes_a_positive_integer(k):
    with pytest.raises(InvalidInput, match="k must be"):
        LeftToRight(k)


@each("temperature", [-1, -0.001, math.nan, math.inf, "1", None])
@each("exact", [False, True], ids=["floats", "exact"])
def test_temperatures_are_finite_and_not_negative(temperature, exact):
    with pytest.raises(InvalidInput, match="temperature"):
        output_distribution(gallery.coupled_pairs(1, exact=exact), LeftToRight(), temperature)


def test_exact_distributions_take_temperature_zero_or_one():
    with pytest.raises(InvalidInput, match="exact"):
        output_distribution(gallery.coupled_pairs(1, exact=True), LeftToRight(), 0.5)


@pytest.mark.parametrize(
    "answer",
    [
        lambda x: np.full((*x.shape, 3), 1 / 3),
        lambda x: np.full(x.shape, 0.5),
        lambda x: np.full((len(x) + 1, 2, 2), 0.5),
        lambda x: 0.5,
    ],
    ids=["vocabulary", "no vocabulary", "too many rows", "number"],
)
def test_a_denoiser_of_the_wrong_shape(answer):
    with pytest.raises(InvalidInput, match="shape"):
        output_distribution(P, LeftToRight(), denoiser=answer)


def test_what_does_not_fit_is_refused():
    with pytest.raises(TooLarge):
        output_distribution(gallery.binary_symmetric(60, 0.25), LeftToRight())


def test_a_wrong_denoiser_may_have_no_circulation():
    """Refutes "order matters for every other denoiser": this one is exact for another joint.

    It writes that joint, not the data, in both orders and in the random one.
    """
    p = JointTable([[1, 2], [3, 1]], exact=True)
    other = JointTable([[5, 1], [1, 1]], exact=True)

    def last_first(x, predictions):
        return np.stack([(x == MASK).all(axis=1), (x != MASK)[:, 1]], axis=1)[:, ::-1]

    for policy in (LeftToRight(), Rule(last_first), RandomOrder((1, 1))):
        q = output_distribution(p, policy, denoiser=other.denoise)
        assert (q.table == other.table()).all()
        assert q.kl == information.kl_divergence(p.table(), other.table())
    assert (p.table() != other.table()).any()


def test_a_temperature_may_mend_token_confidence():
    """Refutes "no temperature makes it exact": two independent bits, one fair and one 9 to 1.

    The rare token is written when it is drawn twice, so its chance at T has to be sqrt(1/10).
    """
    p = JointTable([[9, 1], [9, 1]])
    temperature = math.log(9) / math.log(math.sqrt(10) - 1)
    q = output_distribution(p, TokenConfidence(1), temperature)
    assert q.tv == pytest.approx(0, abs=TOLERANCE)
    assert output_distribution(p, TokenConfidence(1)).tv == close(0.09)
