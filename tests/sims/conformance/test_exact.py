"""The distribution of samplers' own code: equal to that of the policies that they are."""

import copy
import math

import array_api_strict as strict
import numpy as np
import pytest

from sims import output_distribution, policies
from sims.conformance import NotEnumerable, Oracle, exact_distribution
from sims.conformance.replay import AmbiguousRows
from tests.cases import to_device1
from tests.noted import each, refusals
from tests.sims.conformance import samplers
from theory import MASK, InvalidInput, JointTable, gallery
from theory._core.arrays import array_namespace

CLOSE = 1e-12  # sums of some thousand products
QUARTERS = (0, 0.25, 0.5, 1)


def table(length, vocab, seed=0):
    """Integer weights, a zero among them; large ones, so that no two scores are equal."""
    weights = np.random.default_rng(seed).integers(1, 999, size=(vocab,) * length).astype(float)
    weights.ravel()[1] = 0
    return JointTable(weights / weights.sum())


SMALL, LONG, WIDE = table(3, 2), table(4, 2, seed=1), table(3, 3, seed=2)


def assert_same(q, expected, close=CLOSE):
    np.testing.assert_allclose(q.table, expected.table, rtol=0, atol=close)
    assert (q.missing, q.outside) == (0, 0)


CASES = {
    "low confidence": (WIDE, samplers.llada, policies.TokenConfidence(1)),
    "two at once": (LONG, lambda m: samplers.llada(m, k=2), policies.TokenConfidence(2)),
    "random": (SMALL, lambda m: samplers.llada(m, random=True), policies.RandomOrder((1, 1, 1))),
    "random pairs": (
        LONG,
        lambda m: samplers.llada(m, random=True, k=2),
        policies.RandomOrder((2, 2)),
    ),
    "blocks": (
        LONG,
        lambda m: samplers.llada(m, block=2),
        policies.Blocks(2, policies.TokenConfidence(1)),
    ),
    "ancestral": (SMALL, lambda m: samplers.ancestral(m, QUARTERS), policies.Bernoulli(QUARTERS)),
    "first hitting": (SMALL, samplers.first_hitting, policies.FirstHitting()),
    "random order": (
        SMALL,
        lambda m: samplers.permuted_order(m, (2, 1)),
        policies.RandomOrder((2, 1)),
    ),
    "threshold": (WIDE, lambda m: samplers.threshold(m, 0.45), policies.Threshold(0.45)),
}


@each("name", CASES)
def test_samplers_write_what_their_policies_do(name):
    p, sampler, policy = CASES[name]
    q, expected = exact_distribution(sampler(Oracle(p)), p), output_distribution(p, policy)
    assert_same(q, expected)
    assert q.kl == pytest.approx(expected.kl, abs=CLOSE)
    assert q.tv == pytest.approx(expected.tv, abs=CLOSE)
    assert q.widest > 1
    if name not in ("ancestral",):  # a step that reveals nothing is a call all the same
        assert q.rounds == pytest.approx(expected.rounds, abs=CLOSE)


@each("draw, temperature", [(draw, t) for draw in samplers.TOKENS for t in (0.5, 1.0, 2.0)])
def test_tokens_are_drawn_in_any_way_at_any_temperature(draw, temperature):
    """LLaDA's confidence is not tempered."""
    sampler = samplers.llada(Oracle(SMALL), draw, temperature)
    expected = output_distribution(SMALL, policies.TokenConfidence(1), temperature=temperature)
    assert_same(exact_distribution(sampler, SMALL), expected)


def test_the_mask_as_a_token_of_the_draw():
    """Its guards of 1e-10 move the probabilities of the code, and are not seen here."""
    sampler = samplers.ancestral_with_a_mask(Oracle(SMALL), QUARTERS)
    expected = output_distribution(SMALL, policies.Bernoulli(QUARTERS))
    assert_same(exact_distribution(sampler, SMALL), expected)


def test_a_prompt_in_front_that_the_data_do_not_know():
    model = Oracle(SMALL, mask_id=7, vocab_size=12, prompt=(5, 6), shift=False)
    q = exact_distribution(samplers.llada(model, front=(5, 6)), SMALL)
    assert_same(q, output_distribution(SMALL, policies.TokenConfidence(1)))


def test_a_prompt_that_is_part_of_the_data():
    model, prompt = Oracle(SMALL), [1, MASK, MASK]

    def sampler(n, rng):
        x = np.tile([1, model.mask_id, model.mask_id], (n, 1))
        for site in (1, 2):
            x[:, site] = samplers.by_gumbel(model(x).logits, 1.0, rng)[:, site]
        return x

    q = exact_distribution(sampler, SMALL)
    assert_same(q, output_distribution(SMALL, policies.LeftToRight(), prompt=prompt))


# Rows


@each("p, times", [(table(2, 2), QUARTERS), (SMALL, (0, 0.5, 1))], ids=["two", "three"])
def test_draws_of_masked_sites_alone_are_run_one_row_at_a_time(p, times):
    """Of rows with unequally many masked sites, some of whose sums fit the rows by chance."""
    sampler = samplers.ancestral_flattened(Oracle(p), times)
    q = exact_distribution(sampler, p)
    assert_same(q, output_distribution(p, policies.Bernoulli(times)))
    assert q.widest == 1


@each("front", [(), (5,)])
@each("draw", samplers.TOKENS)
def test_whole_rows_in_one_line_are_told_apart(front, draw):
    """With a prompt and without; as `torch.multinomial` needs it."""

    def by_lines(logits, temperature, rng):
        lines = logits.reshape(-1, logits.shape[-1])
        return draw(lines, temperature, rng).reshape(logits.shape[:-1])

    model = Oracle(SMALL, prompt=front, vocab_size=6)
    q = exact_distribution(samplers.llada(model, by_lines, front=front), SMALL)
    assert_same(q, output_distribution(SMALL, policies.TokenConfidence(1)))
    assert q.widest > 1


def test_a_model_in_half_precision():
    """Its logits are rounded, and so is what is written; all of it is found."""
    half = exact_distribution(samplers.llada(Oracle(SMALL, dtype=np.float16)), SMALL)
    whole = exact_distribution(samplers.llada(Oracle(SMALL)), SMALL)
    difference = np.abs(half.table - whole.table).max()
    assert 1e-5 < difference < 1e-2
    assert half.outside == 0


def test_flattened_threshold():
    q = exact_distribution(samplers.threshold(Oracle(SMALL), 0.8, flattened=True), SMALL)
    assert_same(q, output_distribution(SMALL, policies.Threshold(0.8)))


def test_a_sampler_of_one_sequence():
    q = exact_distribution(samplers.one_at_a_time(Oracle(SMALL)), SMALL)
    assert_same(q, output_distribution(SMALL, policies.FirstHitting()))
    assert (q.widest, q.rounds) == (1, {3: pytest.approx(1)})


def test_one_order_for_all_rows_is_an_order_for_each_row_alone():
    model = Oracle(SMALL)

    def sampler(n, rng):
        x = np.full((n, 3), model.mask_id)
        for site in rng.permutation(3):
            x[:, site] = samplers.by_gumbel(model(x).logits, 1.0, rng)[:, site]
        return x

    assert_same(
        exact_distribution(sampler, SMALL), output_distribution(SMALL, policies.FirstHitting())
    )


def crossed(model, order):
    """The random numbers of one row decide for another."""

    def sampler(n, rng):
        x = np.full((n, 3), model.mask_id)
        for site in range(3):
            logits = model(x).logits[:, site]
            x[:, site] = (logits + order(rng.gumbel(size=logits.shape))).argmax(axis=1)
        return x

    return sampler


@each(
    "order",
    [
        lambda noise: noise[::-1],
        lambda noise: np.flip(noise, axis=0),
        lambda n: n[[*range(1, len(n)), 0]],
    ],
    ids=["backwards", "flipped", "shifted"],
)
def test_numbers_of_another_row_are_noticed(order):
    sampler = crossed(Oracle(SMALL), order)
    q = exact_distribution(sampler, SMALL)
    assert_same(q, output_distribution(SMALL, policies.LeftToRight()))
    assert q.widest == 1
    with pytest.raises(AmbiguousRows, match="the rows of a run in another order"):
        exact_distribution(sampler, SMALL, batch=64)


def test_numbers_of_another_row_are_noticed_by_what_is_written():
    """Taken out one by one, they have no place that would tell."""
    model = Oracle(SMALL)

    def sampler(n, rng):
        x = np.full((n, 3), model.mask_id)
        for site in range(3):
            noise = rng.gumbel(size=(n, 3))
            logits = model(x).logits[:, site]
            x[:, site] = [(logits[b] + noise[n - 1 - b]).argmax() for b in range(n)]
        return x

    q = exact_distribution(sampler, SMALL)
    assert_same(q, output_distribution(SMALL, policies.LeftToRight()))
    assert q.widest == 1
    with pytest.raises(AmbiguousRows, match=r"row \d+ of \d+"):
        exact_distribution(sampler, SMALL, batch=64)


def test_rows_that_look_at_each_other_are_noticed():
    """A token that is the sum of all rows' is the row's own if there is only one."""

    def sampler(n, rng):
        bits = rng.integers(2, size=(n, 3))
        bits[:, 1] = (bits[:, 1].sum() + n - 1) % 2
        return bits

    q = exact_distribution(sampler, SMALL)
    np.testing.assert_allclose(q.table, np.full((2, 2, 2), 1 / 8), rtol=0, atol=CLOSE)
    assert q.widest == 1


def test_batches_of_any_size_find_the_same():
    p = table(2, 3)
    sampler = samplers.llada(Oracle(p), random=True)
    every = [exact_distribution(sampler, p, batch=batch) for batch in (1, 7, 4096, None)]
    for q in every:
        assert_same(q, every[0])
        assert (q.paths, q.rounds) == (every[0].paths, pytest.approx(every[0].rounds))
    assert [q.widest for q in every][:2] == [1, 7]


def test_batches_are_no_larger_than_what_fits():
    """Of a wide vocabulary fewer paths are run at once."""
    model = Oracle(SMALL, mask_id=2, vocab_size=100_000)
    q = exact_distribution(samplers.llada(model, samplers.by_inversion), SMALL, paths=6)
    assert q.widest == 2**20 // 300_000


# Calls


@each("batch", [None, 1])
def test_rows_that_are_finished_early_are_not_charged_for_the_others(batch):
    """A sampler that stops when it is done, and one of a fixed number of steps."""
    sampler = samplers.threshold(Oracle(SMALL), 0.8)
    q = exact_distribution(sampler, SMALL, batch=batch)
    expected = output_distribution(SMALL, policies.Threshold(0.8)).rounds
    assert len(expected) > 1
    assert q.rounds == pytest.approx(expected, abs=CLOSE)
    p = table(2, 2)
    steps = exact_distribution(samplers.ancestral(Oracle(p), QUARTERS), p, batch=batch)
    last = [0.25**2, 0.5**2 - 0.25**2, 1 - 0.5**2]  # the step in which the last site is revealed
    assert [steps.rounds[k] for k in (1, 2, 3)] == pytest.approx(last, abs=CLOSE)


def test_an_oracle_that_is_not_called_and_what_is_written_over():
    q = exact_distribution(lambda n, rng: rng.integers(2, size=(n, 3)), SMALL)
    assert (q.rounds, q.remasks) == ({0: 1}, False)
    model = Oracle(SMALL)

    def corrected(n, rng):
        x = samplers.first_hitting(model)(n, rng)
        x[:, 0] = model.mask_id
        x[:, 0] = samplers.by_gumbel(model(x).logits, 1.0, rng)[:, 0]
        return x

    q = exact_distribution(corrected, SMALL)
    assert (q.remasks, q.rounds) == (True, {4: pytest.approx(1)})
    assert math.isnan(q.path_kl)
    np.testing.assert_allclose(q.table, SMALL.table(), rtol=0, atol=CLOSE)  # a Gibbs step


# Mass that is not in the table


@each("paths", [1, 2, 5, 10, 40, 100])
def test_paths_that_were_not_run_bound_tv(paths):
    sampler = samplers.llada(Oracle(WIDE))
    true = output_distribution(WIDE, policies.TokenConfidence(1))
    q = exact_distribution(sampler, WIDE, paths=paths)
    assert q.paths == paths
    assert 0 < q.missing < 1
    assert float(q.table.sum()) + q.missing == pytest.approx(1, abs=CLOSE)
    assert (q.table <= true.table + CLOSE).all()
    assert q.tv - q.missing - CLOSE <= true.tv <= q.tv + CLOSE
    assert math.isnan(q.kl) or q.kl >= true.kl - CLOSE
    assert math.isnan(q.reverse_kl)
    assert q.valid_mass <= true.valid_mass + CLOSE
    assert q.expected_rounds == pytest.approx(3)


def test_the_heaviest_paths_are_run():
    """Of a token with probabilities 0.5, 0.3, 0.2 the last is left out."""
    p = JointTable([0.5, 0.3, 0.2])
    q = exact_distribution(lambda n, rng: rng.choice(3, size=(n, 1), p=[0.5, 0.3, 0.2]), p, paths=2)
    assert q.table.tolist() == [0.5, 0.3, 0]
    assert q.missing == pytest.approx(0.2)
    assert (q.tv, math.isnan(q.kl)) == (pytest.approx(0.2), True)
    assert "TV 0 to 0.2" in repr(q)


def test_ids_that_are_no_tokens():
    """A clock that ends at 0.5 leaves every site masked with probability 1/2."""
    sampler = samplers.ancestral(Oracle(SMALL), (0, 0.5))
    q = exact_distribution(sampler, SMALL)
    independent = output_distribution(SMALL, policies.RandomOrder((3,))).table
    np.testing.assert_allclose(q.table, independent / 8, rtol=0, atol=CLOSE)
    assert (q.outside, q.missing) == (pytest.approx(7 / 8), 0)
    assert q.tv == pytest.approx(1 - np.minimum(SMALL.table(), independent / 8).sum())
    assert q.reverse_kl == math.inf
    assert sum(q.rounds.values()) == pytest.approx(1)
    with pytest.raises(InvalidInput, match=r"0.875 is of ids that are no tokens"):
        q.distribution  # noqa: B018


def test_whole_tables_are_distributions():
    q = exact_distribution(samplers.first_hitting(Oracle(SMALL)), SMALL)
    assert q.distribution.sample(np.random.default_rng(0), 3).shape == (3, 3)
    assert q.kl == pytest.approx(0, abs=1e-9)
    assert q.reverse_kl == pytest.approx(0, abs=1e-9)
    assert (
        repr(q)
        == f"<EnumeratedDistribution of {SMALL!r}: TV {q.tv:.4g}, 3 rounds, {q.paths} paths>"
    )


def test_exact_data_and_data_elsewhere():
    exact = gallery.parity(3, exact=True)
    q = exact_distribution(samplers.llada(Oracle(exact)), exact)
    assert_same(q, output_distribution(gallery.parity(3), policies.TokenConfidence(1)))
    there = JointTable(to_device1(SMALL.table()))
    q = exact_distribution(samplers.llada(Oracle(there)), there)
    assert array_namespace(q.table) is strict
    assert q.tv == pytest.approx(output_distribution(SMALL, policies.TokenConfidence(1)).tv)


# What cannot be enumerated


def overwritten(u):
    u[0][...] = 0
    return u.argmax(axis=1)


def noisy(what):
    def sampler(n, rng):
        what(n, rng)
        return np.zeros((n, 3), dtype=np.int64)

    return sampler


REFUSED = {
    "Generator.normal": lambda n, rng: rng.normal(size=n),
    "Generator.bit_generator": lambda n, rng: rng.bit_generator,
    "Generator.random into": lambda n, rng: rng.random(n, out=np.zeros(n)),
    "as an array of numbers": lambda n, rng: np.asarray(rng.random((n, 3))),
    "as a number": lambda n, rng: float(rng.random()),
    "numpy.sum": lambda n, rng: np.sum(rng.random((n, 3))),
    "numpy.sort": lambda n, rng: np.sort(rng.random((n, 3))),
    "numpy.max": lambda n, rng: np.max(rng.random((n, 3))),
    "max of": lambda n, rng: rng.random((n, 3)).max(),
    "numpy.add.reduce": lambda n, rng: np.add.reduce(rng.random((n, 3))),
    "numpy.add of": lambda n, rng: rng.random((n, 3)) + rng.random((n, 3)),
    "numpy.less of": lambda n, rng: rng.random((n, 3)) < rng.random((n, 3)),
    "overlap": lambda n, rng: (rng.random((n, 3)) * [1, 2, 3]).argmax(axis=1),
    "several temperatures": lambda n, rng: rng.gumbel(0, [1, 2, 3], (n, 3)).argmax(axis=1),
    "do not rise": lambda n, rng: np.searchsorted([0.5, 0.2], rng.random(n)),
    "takes part twice": lambda n, rng: (rng.gumbel(size=(n, 1, 3)) + np.zeros((2, 1))).argmax(-1),
    "as int64": lambda n, rng: (2 * rng.random((n, 3)) - 2).astype(np.int64),
    "as bool": lambda n, rng: rng.random((n, 3)).astype(bool),
    "the integer part": lambda n, rng: rng.exponential(size=(n, 3)).astype(int),
    "1000000 integer parts": lambda n, rng: (10**6 * rng.random((n, 3))).astype(np.int64),
    "a view of it was written to": lambda n, rng: overwritten(rng.random((n, 3))),
}


@each("what", REFUSED)
def test_what_cannot_be_enumerated_is_named_with_its_place(what):
    with pytest.raises(NotEnumerable, match=rf"{what}.*\(.*test_exact\.py:\d+\)"):
        exact_distribution(noisy(REFUSED[what]), SMALL)


def test_another_source_of_random_numbers_is_noticed():
    other = np.random.default_rng(0)

    def sampler(n, rng):
        return np.where(rng.random((n, 3)) < 0.5, 0, other.integers(2**40, size=(n, 3)))

    with pytest.raises(NotEnumerable, match="random numbers"):
        exact_distribution(sampler, SMALL)


@each("batch", (None, 1))
@each("seed", range(5))
def test_a_generator_of_its_own_is_noticed_where_outcomes_are_few(seed, batch):
    """Two runs in a row write the same half of the time."""
    own = np.random.default_rng(seed)
    with pytest.raises(NotEnumerable, match="not all made by the random numbers"):
        exact_distribution(lambda n: own.integers(2, size=(n, 1)), table(1, 2), batch=batch)


def test_a_fixed_seed_within_is_noticed():
    with pytest.raises(NotEnumerable, match="what differs from row to row"):
        exact_distribution(lambda n: np.random.default_rng(0).integers(2, size=(n, 3)), SMALL)


def test_a_copied_generator_is_named():
    with pytest.raises(NotEnumerable, match="a copy of a generator"):
        exact_distribution(lambda n, rng: coin(n, copy.deepcopy(rng)), SMALL)


test_refused = refusals(
    (
        "paths must be an integer of at least 1, got {}",
        lambda k: exact_distribution(coin, SMALL, paths=k),
        [0, 1.5],
    ),
    (
        "batch must be an integer of at least 1, got {}",
        lambda k: exact_distribution(coin, SMALL, batch=k),
        [0],
    ),
    (
        "asked for 1 sequence of 3 sites and returned an array of shape",
        lambda answer: exact_distribution(lambda n, rng: answer, SMALL),
        [np.zeros((1, 2), dtype=int), np.zeros(3, dtype=int), np.zeros((2, 3), dtype=int)],
    ),
    ("returned float64", lambda: exact_distribution(lambda n, rng: np.zeros((1, 3)), SMALL)),
)


def coin(n, rng):
    return rng.integers(2, size=(n, 3))
