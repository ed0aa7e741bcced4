"""The worst data for a decoder: known ones are found, and what is reported is true of them."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

import sims
from sims import policies, worst_case
from sims.decoding.arguments import as_decoder
from sims.optimal.climb import roundings
from sims.optimal.stacked import Stack, Unstackable, rounds_and_loss
from tests import oracles
from tests.noted import each, refusals
from tests.sims import policy_oracles as slow
from tests.sims.policy_table import one_of_each
from theory import MASK, JointTable, LinearForm, TooLarge, gallery


def rng(seed=0):
    return np.random.default_rng(seed)


def searched(policy, length, vocab=2, **options):
    return worst_case(policy, length, vocab, rng(), **{"starts": 1, "tables": 40_000, **options})


def support(found):
    """The sequences that the data contain, and their probabilities."""
    table = found.distribution.table()
    assert all(type(v) is Fraction for v in table.reshape(-1))
    return {x: v for x, v in np.ndenumerate(table) if v != 0}


def binary_entropy(share):
    return -share * math.log(share) - (1 - share) * math.log(1 - share)


# Known suprema


@pytest.mark.parametrize("tau", [0.6, 0.8, 0.9])
def test_the_supremum_of_a_threshold_is_approached_by_a_sequence_and_its_complement(tau):
    supremum = 2 * binary_entropy(1 - tau)
    assert supremum == pytest.approx({0.6: 1.3460, 0.8: 1.0008, 0.9: 0.6502}[tau], abs=5e-5)
    found = searched(policies.Threshold(tau), 3)
    assert supremum * (1 - 2e-4) < found.value < supremum
    assert found.value <= found.largest < supremum
    assert found.on_edge
    (x, a), (y, b) = support(found).items()
    assert all(v + w == 1 for v, w in zip(x, y, strict=True))
    assert tau < max(a, b) < tau + 1e-3


def transfers(table, step):
    """All tables with so much mass given from one sequence to another."""
    for x, y in itertools.permutations(range(len(table)), 2):
        moved = table.copy()
        moved[y] += min(step, moved[x])
        moved[x] -= min(step, table[x])
        yield moved


def plain_climb(values, table):
    """Uphill by transfers alone, with smaller steps where none helps: where it stops."""
    value, step = values(table[None])[0], 0.1
    while step > 1e-7:
        near = np.asarray(list(transfers(table, step)))
        found = values(near)
        if found.max() > value:
            table, value = near[found.argmax()], found.max()
        else:
            step /= 2
    return table, value


def test_a_climb_that_only_moves_mass_stops_below():
    """Beside a corner of the threshold transfers make a site less certain than tau.

    From there the search goes on, to the supremum.
    """
    decoder = policies.Threshold(0.9)

    def values(tables):
        return rounds_and_loss(tables.reshape(-1, 2, 2, 2), decoder)[1]

    stops = [plain_climb(values, table) for table in rng().dirichlet(np.ones(8), 8)]
    table, value = max(stops, key=lambda stop: stop[1])
    assert 0.01 < value < 0.3
    assert searched(decoder, 3, start=JointTable(table.reshape(2, 2, 2))).value > 0.65


def test_a_threshold_of_three_tokens():
    """The bound of claim C3, which equal tokens approach."""
    supremum = 2 * (binary_entropy(0.2) + 0.2 * math.log(2))
    start = JointTable(np.diag([0.9, 0.05, 0.05])[:, :, None] * np.eye(3)[:, None, :])
    found = searched(policies.Threshold(0.8), 3, 3, start=start)
    assert supremum - 1e-3 < found.value < supremum


@each("length, vocab", [(2, 2), (3, 2), (2, 3)])
def test_all_sites_at_once_lose_most_on_equal_tokens(length, vocab):
    found = searched(policies.RandomOrder((length,)), length, vocab)
    assert found.value == (length - 1) * LinearForm({vocab: 1})
    tokens, probabilities = zip(*support(found).items(), strict=True)
    assert set(probabilities) == {Fraction(1, vocab)}
    assert all(len(set(site)) == vocab for site in zip(*tokens, strict=True))
    assert not found.on_edge


def test_two_of_three_in_random_order_lose_most_on_parity():
    """One site, then two bits that are known to be equal, or to be unequal."""
    found = searched(policies.RandomOrder((1, 2)), 3)
    assert found.value == LinearForm({2: 1})
    assert len({sum(x) % 2 for x in support(found)}) == 1


@each("gamma, per", [(0.3, "nats"), (0.5, "rounds")])
def test_the_entropy_bound_is_met_and_not_exceeded(gamma, per):
    found = searched(policies.EntropyBounded(gamma), 2, per=per)
    assert gamma * (1 - 2e-4) < found.value <= gamma
    assert found.on_edge


def test_climbs_of_more_sites_begin_at_few_sequences():
    """From tables that are spread out they stop 4 % below the supremum."""
    bound = policies.EntropyBounded(0.3)
    found = searched(bound, 4, per="rounds", starts=2, tables=10_000)
    assert 0.3 * (1 - 1e-3) < found.value <= 0.3


def test_a_decoder_that_loses_nothing():
    found = searched(policies.FirstHitting(), 2, tables=5000)
    assert found.value == 0
    assert not found.on_edge


# What is reported


DECODERS = [
    (policies.Threshold(0.7), slow.Selecting(slow.threshold(0.7))),
    (policies.TopK(2, ties="random"), slow.Selecting(slow.top_k(2, ties="random"))),
    (policies.EntropyBounded(0.4), slow.Selecting(slow.entropy_bounded(0.4))),
    (policies.TokenConfidence(1), slow.Drawing(slow.token_confidence(1))),
]


def from_definition(found, oracle):
    """What is lost on the data that are reported, exactly."""
    joint = {x: Fraction(v) for x, v in np.ndenumerate(found.distribution.table())}
    vocab = found.distribution.vocab
    ask = oracles.zero_loss(joint, vocab, "marginal")
    expected = slow.expected_output(joint, vocab, oracle, ask, exact=True)
    if expected.costs is not None:
        return sum(expected.costs), expected.on_data
    return oracles.kl_divergence(joint, expected.table, exact=True), expected.expected_rounds


@each("policy, oracle, per", [(*pair, per) for pair in DECODERS for per in ("nats", "rounds")])
def test_what_is_reported_is_exactly_what_is_lost_there(policy, oracle, per):
    found = searched(policy, 3, tables=3000, per=per)
    loss, rounds = from_definition(found, oracle)
    value = loss if per == "nats" else loss / rounds
    assert type(found.value) is LinearForm
    assert float(found.value) == pytest.approx(float(value), rel=1e-13)
    assert float(found.value) == pytest.approx(found.largest, rel=2e-3)
    assert found.output.path_kl == (found.value if per == "nats" else found.value * rounds)


def test_weights_are_small_integers():
    found = searched(policies.RandomOrder((3,)), 3, tables=5000, rounding=0.1)
    assert max(v.denominator for v in support(found).values()) <= 16
    assert found.value >= 0.89 * found.largest


def test_a_decoder_that_computes_in_floats():
    found = searched(policies.TopK(2, noise=0.5), 3, tables=8000)
    assert type(found.value) is float
    assert 0.65 < found.value <= math.log(2) + 1e-12
    assert found.distribution.exact


def test_a_function_is_a_decoder():
    def everything(x, predictions):
        return x == MASK

    assert searched(everything, 2, tables=8000).value == LinearForm({2: 1})


def test_equal_generators_find_equal_tables():
    one, other, third = (
        worst_case(policies.EntropyBounded(0.2), 3, 2, rng(seed), tables=6000) for seed in (1, 1, 2)
    )
    assert (one.distribution.table() == other.distribution.table()).all()
    assert (one.value, one.largest, one.tables) == (other.value, other.largest, other.tables)
    assert third.largest != one.largest


def test_a_search_goes_on_from_what_was_found():
    decoder = policies.Threshold(0.9)
    first = searched(decoder, 3, tables=3000)
    further = searched(decoder, 3, tables=20_000, start=first.distribution)
    assert first.value < further.value < 2 * binary_entropy(0.1)


def test_the_representation_says_that_it_is_what_was_found():
    found = searched(policies.LeftToRight(2), 2, tables=5000)
    assert repr(found) == (
        f"<WorstCase of LeftToRight(2): 0.6931 nats on 2 sequences of 2 sites, the largest of "
        f"{found.tables} tables>"
    )
    assert sims.WorstCase is type(found)


# Many tables at once


def zeros_and_ones(count, length, vocab):
    """Tables of which some have zeros; the last one is a single sequence."""
    tables = rng(3).dirichlet(np.full(vocab**length, 0.4), count)
    tables[tables < 0.03] = 0
    tables[-1] = np.eye(vocab**length)[1]
    tables /= tables.sum(axis=1, keepdims=True)
    return tables.reshape((count, *(vocab,) * length))


@each("row", one_of_each(3, 2), ids=lambda row: repr(row[0]))
def test_tables_that_travel_together_lose_what_each_loses_alone(row):
    policy, oracle = row
    tables = zeros_and_ones(4, 3, 2)
    found = np.asarray(rounds_and_loss(tables, as_decoder(policy))).T
    for table, (rounds, loss) in zip(tables, found, strict=True):
        joint = {x: float(v) for x, v in np.ndenumerate(table)}
        predict = oracles.zero_loss(joint, 2, "marginal")
        expected = slow.expected_output(joint, 2, oracle, predict)
        calls = expected.on_data if expected.costs is not None else expected.expected_rounds
        lost = math.fsum(expected.costs) if expected.costs is not None else None
        if lost is None:
            lost = oracles.kl_divergence(joint, expected.table)
        assert rounds == pytest.approx(float(calls), rel=1e-10)
        assert loss == pytest.approx(float(lost), rel=1e-9, abs=1e-11)


def test_tables_of_three_tokens_travel_together():
    tables, decoder = zeros_and_ones(5, 2, 3), policies.Threshold(0.5)
    for table, loss in zip(tables, rounds_and_loss(tables, decoder)[1], strict=True):
        q = sims.output_distribution(JointTable(table), decoder)
        assert loss == pytest.approx(q.path_kl, rel=1e-10, abs=1e-12)


def test_sequences_of_a_decoders_own_are_of_no_known_table():
    with pytest.raises(Unstackable):
        list(Stack(zeros_and_ones(2, 3, 2), policies.Speculative(2)))


def test_roundings_are_near_and_of_equal_sums():
    table = np.asarray([0.5001, 0.0, 0.3, 0.1999])
    for weights in itertools.islice(roundings(table), 40):
        total = weights[0].sum()
        assert (weights >= 0).all()
        assert (weights.sum(axis=1) == total).all()
        assert (weights[:, 1] == 0).all()
        assert (abs(weights - total * table) < 2).all()


# Bad input


def search_with(**options):
    given = {"policy": policies.TopK(1), "length": 2, "vocab": 2, "rng": rng(), **options}
    return worst_case(given.pop("policy"), given.pop("length"), given.pop("vocab"), **given)


test_bad_input = refusals(
    ("length must be an integer of at least 1, got {}", lambda v: search_with(length=v), [0, 1.5]),
    ("vocab must be an integer of at least 1, got {}", lambda v: search_with(vocab=v), [0, 2.5]),
    ("rng must be a numpy.random.Generator, got int", lambda: search_with(rng=7)),
    ("per must be one of nats, rounds, got 'bits'", lambda: search_with(per="bits")),
    ("starts must be an integer of at least 1, got {}", lambda v: search_with(starts=v), [0, 1.5]),
    ("tables must be an integer of at least 1, got {}", lambda v: search_with(tables=v), [0, 1.5]),
    (
        "rounding must be a finite number strictly between",
        lambda v: search_with(rounding=v),
        [-1, 2],
    ),
    ("policy must be a Policy or a function, got 'TopK'", lambda: search_with(policy="TopK")),
    ("sizes must sum to the length 2", lambda: search_with(policy=policies.RandomOrder((3,)))),
    (
        "start has 3 sites over 2 tokens; searched are 2 sites over 2 tokens",
        lambda: search_with(start=gallery.parity(3)),
    ),
    ("p must be a Distribution", lambda: search_with(start=[[1, 0], [0, 1]])),
)


def test_too_many_sequences():
    with pytest.raises(TooLarge, match="9 sites over 2 tokens have 512 sequences"):
        worst_case(policies.TopK(1), 9, 2, rng())
