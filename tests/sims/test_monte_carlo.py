"""Decoding by drawing, against the exact distribution of what is written."""

import functools
import itertools
import math

import numpy as np
import pytest
import rich.console

from sims import Decoded, Perturbed, decode, output_distribution, policies
from sims.joints import Mixture, Product, Projection, Resampled, ResidualEnergy
from sims.policies import (
    Bernoulli,
    Bisection,
    BlockCorrector,
    Blocks,
    Corrector,
    Decoder,
    Editing,
    EntropyBounded,
    Factor,
    GibbsCorrector,
    JointDraw,
    LeftToRight,
    PathPlanning,
    Policy,
    RandomOrder,
    Remask,
    RemaskLoop,
    Speculative,
    Steps,
    Threshold,
    TokenConfidence,
    TokenPolicy,
    TopK,
)
from tests.cases import (
    DEVICE1,
    build_exact,
    each_family,
    named,
    random_rows,
    random_weights,
    to_device1,
    to_host,
)
from tests.noted import each, refusals
from tests.sims.policy_table import (
    TIMES,
    assert_drawn_from,
    noisy,
    one_of_each,
    revising,
    selecting,
)
from theory import (
    MASK,
    JointTable,
    MarkovChain,
    ProductMixture,
)

SIZE = 4000


def counted(tokens, vocab):
    """How often each sequence occurs, shape (V,)*L."""
    tokens = np.asarray(tokens)
    counts = np.zeros((vocab,) * tokens.shape[1], dtype=int)
    np.add.at(counts, tuple(tokens.T), 1)
    return counts


def assert_decoded(decoded, q, size=SIZE):
    """Sequences and calls, against the exact ones."""
    assert isinstance(decoded, Decoded)
    assert decoded.tokens.shape == (size, q.p.length)
    assert decoded.tokens.dtype == np.int64
    assert_drawn_from(counted(decoded.tokens, q.p.vocab), q.table.astype(float))
    assert decoded.rounds.shape == (size,)
    assert decoded.rounds.dtype == np.int64
    calls = range(max(max(q.rounds), int(decoded.rounds.max())) + 1)
    assert_drawn_from(
        [np.sum(decoded.rounds == n) for n in calls], [float(q.rounds.get(n, 0)) for n in calls]
    )


def test_the_chi_square_test_has_power():
    other = output_distribution(DENSE, LeftToRight(3))
    decoded = decode(DENSE, LeftToRight(4), np.random.default_rng(0), SIZE)
    with pytest.raises(AssertionError):
        assert_drawn_from(counted(decoded.tokens, 2), other.table)
    with pytest.raises(AssertionError):
        assert_drawn_from([SIZE - 1, 1], [1, 0])
    with pytest.raises(AssertionError):
        assert_drawn_from([2200, 1800], [0.5, 0.5])
    with pytest.raises(AssertionError):
        assert_drawn_from([3900, 50, 50], [0.998, 0.001, 0.001])
    assert_drawn_from([2050, 1950, 0], [0.5, 0.5, 0])
    assert_drawn_from([3999, 1], [0.9999, 0.0001])


# Decoders of four sites, two tokens each

ROWS = [*one_of_each(4), *noisy(4), *selecting(4, 2)[2::7], *revising(4)[6::3]]
EVERY = {repr(policy): policy for policy, _ in ROWS}
each_decoder = each("policy", EVERY.values(), ids=EVERY)


def parts(policy):
    """The policy and all inside it."""
    while policy is not None:
        yield policy
        policy = getattr(policy, "inner", None)


def starts_from_the_data(policy):
    return any(isinstance(part, Corrector) and part.inner is None for part in parts(policy))


def remasks(policy):
    return policy.remasks


def test_no_decoder_is_left_out():
    classes = {getattr(policies, name) for name in policies.__all__}
    found = {type(part) for policy in EVERY.values() for part in parts(policy)}
    assert classes - {Corrector, Decoder, Policy, TokenPolicy} <= found


ZEROS = named("table zeros")
DENSE = JointTable(random_weights(31, (2, 2, 2, 2)))


def as_lookup(rows):
    """A denoiser that reads its answers off an array of shape (V+1,)*L + (L, V)."""
    return lambda x: rows[tuple(np.moveaxis(x, -1, 0))]  # MASK is the last slot


EXACT_ROWS = np.array(random_rows(41, 3, 3, 3, 3, 4, 2), dtype=object)
WRONG = EXACT_ROWS.astype(float)
RULING_OUT = np.where(WRONG < 0.2, 0, np.where(WRONG > 0.8, 1, WRONG))

SETTINGS = {
    "dense": (DENSE, 1, None),
    "zeros": (ZEROS.build(), 1, None),
    "cool": (DENSE, 0.5, None),
    "cold": (ZEROS.build(), 0, None),
    "wrong": (DENSE, 1, as_lookup(RULING_OUT)),
    "wrong, cool": (DENSE, 0.5, as_lookup(RULING_OUT)),
}


@each(("p", "temperature", "denoiser"), SETTINGS.values(), ids=SETTINGS)
@each_decoder
def test_draws_are_those_of_the_exact_distribution(policy, p, temperature, denoiser):
    q = output_distribution(p, policy, temperature, denoiser)
    rng = np.random.default_rng(0)
    assert_decoded(decode(p, policy, rng, SIZE, temperature, denoiser), q)


JOINTS = {
    "product": lambda p: Product(),
    "mixture": lambda p: Mixture(p, 8),
    "energy": ResidualEnergy,
    "resampled": lambda p: Resampled(p, 2),
    "projection": lambda p: Projection(p, "chain"),
}


@each(("p", "temperature", "denoiser"), SETTINGS.values(), ids=SETTINGS)
@each("joint", JOINTS.values(), ids=JOINTS)
def test_draws_from_joints_are_those_of_the_exact_distribution(joint, p, temperature, denoiser):
    """Three sites together, and one alone, which no joint has a say in."""
    fitted = joint(p)
    size = SIZE // 8 if isinstance(fitted, Mixture) else SIZE  # which looks at each row by itself
    for inner in (LeftToRight(3), RandomOrder((3, 1))):
        policy = JointDraw(inner, fitted)
        q = output_distribution(p, policy, temperature, denoiser)
        rng = np.random.default_rng(0)
        assert_decoded(decode(p, policy, rng, size, temperature, denoiser), q, size)


REMASK, GIBBS = Remask(TIMES), GibbsCorrector(LeftToRight(4), 1)


THREE = [LeftToRight(2), RandomOrder((2, 1)), REMASK, TokenConfidence(2), Speculative()]
THREE += [Threshold(0.5), GibbsCorrector(LeftToRight(3), 1), BlockCorrector(None, 2, 1)]


@pytest.mark.parametrize("policy", THREE, ids=repr)
def test_every_family_is_drawn_from(policy):
    """Three sites, two to four tokens. Impossible contexts are answered with the marginals."""
    rng = np.random.default_rng(5)
    names = ["table dense", "hmm shown states", "mixture some zeros", "mixture disjoint"]
    family = [named(name).build() for name in [*names, "empirical tokens never seen"]]
    family.append(MarkovChain([0.5, 0.5, 0], [[0.1, 0.9, 0], [0, 0.5, 0.5], [1, 0, 0]], 3))
    for p in family:
        assert_decoded(decode(p, policy, rng, SIZE), output_distribution(p, policy))


@pytest.mark.parametrize("length", [1, 2])
@pytest.mark.parametrize("vocab", [1, 3])
def test_one_site_and_one_token(length, vocab):
    p = JointTable(np.ones((vocab,) * length))
    for policy in (LeftToRight(), TokenConfidence(1), Speculative(), GibbsCorrector(None, 1)):
        decoded = decode(p, policy, np.random.default_rng(0), SIZE)
        assert_decoded(decoded, output_distribution(p, policy))


def test_exact_distributions_are_drawn_from_in_floats():
    for policy in (LeftToRight(2), Bernoulli(TIMES), GibbsCorrector(None, 1), Speculative()):
        p, floats = build_exact(ZEROS), ZEROS.build()
        for temperature, rows in ((1, None), (0, None), (1, EXACT_ROWS)):
            denoiser = rows if rows is None else as_lookup(rows)
            decoded = decode(p, policy, np.random.default_rng(1), 500, temperature, denoiser)
            q = output_distribution(p, policy, temperature, denoiser)
            assert_decoded(decoded, q, 500)
        again = decode(floats, policy, np.random.default_rng(1), 20)
        decoded = decode(p, policy, np.random.default_rng(1), 20)
        np.testing.assert_array_equal(decoded.tokens, again.tokens)


# Seeds and batches


@each_decoder
def test_equal_seeds_write_equal_sequences(policy):
    p = ZEROS.build()
    first, again = (decode(p, policy, np.random.default_rng(9), 50) for _ in range(2))
    np.testing.assert_array_equal(first.tokens, again.tokens)
    np.testing.assert_array_equal(first.rounds, again.rounds)
    other = decode(p, policy, np.random.default_rng(10), 50)
    assert (first.tokens != other.tokens).any()
    kept = decode(p, policy, np.random.default_rng(9), 50, trajectory=True)
    np.testing.assert_array_equal(first.tokens, kept.tokens)
    np.testing.assert_array_equal(first.rounds, kept.rounds)


@each("batch", [1, 3, 10])
@each_decoder
def test_all_batches_are_filled(policy, batch):
    p = ZEROS.build()
    decoded = decode(p, policy, np.random.default_rng(2), 10, batch=batch, trajectory=True)
    assert decoded.tokens.shape == (10, 4)
    assert ((decoded.tokens == 0) | (decoded.tokens == 1)).all()
    assert decoded.rounds.shape == (10,)
    assert decoded.states is not None
    assert decoded.states.shape[1:] == (10, 4)
    np.testing.assert_array_equal(decoded.states[-1], decoded.tokens)
    if not starts_from_the_data(policy):
        assert (decoded.rounds >= 1).all()


@pytest.mark.parametrize("batch", [7, 1999])
@each("policy", [LeftToRight(3), Bernoulli(TIMES), Speculative(2), GIBBS])
def test_sequences_are_independent(policy, batch):
    """Of their neighbours in the batch, and of those at the same place in the next one."""
    q = output_distribution(DENSE, policy)
    decoded = decode(DENSE, policy, np.random.default_rng(4), SIZE, batch=batch)
    assert_decoded(decoded, q)
    halves = q.table.reshape(4, 4).sum(axis=1)  # of the first two sites
    first = decoded.tokens[:, :2] @ [2, 1]
    for apart in (1, batch):
        starts = np.array([n for n in range(SIZE - apart) if n // apart % 2 == 0])
        pairs = np.zeros((4, 4))
        np.add.at(pairs, (first[starts], first[starts + apart]), 1)  # pyright: ignore[reportArgumentType]
        assert_drawn_from(pairs, np.outer(halves, halves))


@each("batch", [1, 7, 64])
def test_batches_keep_to_their_size(batch):
    asked = []

    def denoiser(x):
        asked.append(len(x))
        return DENSE.denoise(x)

    decode(DENSE, RandomOrder((2, 2)), np.random.default_rng(0), 100, 1, denoiser, batch=batch)
    assert max(asked) == batch
    assert len(asked) == 2 * math.ceil(100 / batch)


@each(("length", "vocab", "size", "batches"), [(1000, 50, 200, 3), (2**13, 2**10, 2, 2)])
def test_the_default_batch_keeps_predictions_within_32_mebibytes(length, vocab, size, batches):
    """Each sequence of 1000 sites takes 1000 * 50 * 8 bytes; one of 64 MiB is a batch."""
    p = ProductMixture([1.0], np.full((1, length, vocab), 1 / vocab))
    asked = []

    def denoiser(x):
        asked.append(len(x))
        return np.full((*x.shape, vocab), 1 / vocab)

    decoded = decode(p, LeftToRight(length), np.random.default_rng(0), size, 1, denoiser)
    assert max(asked) == 1 or max(asked) * length * vocab * 8 <= 32 * 2**20
    assert len(asked) == batches
    assert decoded.tokens.shape == (size, length)
    assert (decoded.tokens[0] != decoded.tokens[-1]).any()


@each_decoder
def test_rounds_are_calls_of_the_denoiser(policy):
    """One sequence at a time.

    Steps that reveal nothing need no call, and contexts that are verified together are one: there
    the number of calls made is no less.
    """
    calls = 0

    def denoiser(x):
        nonlocal calls
        calls += 1
        return DENSE.denoise(x)

    kinds = {type(part) for part in parts(policy)}
    for seed in range(5):
        calls = 0
        decoded = decode(DENSE, policy, np.random.default_rng(seed), 1, 1, denoiser)
        if kinds & {Bernoulli, Remask, RemaskLoop, Speculative, Steps, PathPlanning, Editing}:
            assert decoded.rounds[0] <= calls
        else:
            assert decoded.rounds.tolist() == [calls]


# Trajectories


def last_changes(states):
    """The last step in which each token changed; -1 where none did."""
    _, size, length = states.shape
    out = np.full((size, length), -1)
    for t, (before, after) in enumerate(itertools.pairwise(states)):
        for n in range(size):
            for i in range(length):
                if before[n, i] != after[n, i]:
                    out[n, i] = t
    return out


@each("batch", [None, 7], ids=["one batch", "batches"])
@each_decoder
def test_trajectories(policy, batch):
    p, size = ZEROS.build(), 25
    rng = np.random.default_rng(6)
    decoded = decode(p, policy, rng, size, batch=batch, trajectory=True)
    states, tokens = decoded.states, decoded.tokens
    assert isinstance(states, np.ndarray)
    assert states.dtype == np.int64
    assert states.shape[1:] == (size, 4)
    np.testing.assert_array_equal(states[-1], tokens)
    assert (tokens != MASK).all()
    if starts_from_the_data(policy):
        assert (p.table()[tuple(states[0].T)] > 0).all()
    else:
        assert (states[0] == MASK).all()
    if not remasks(policy):
        known = states[:-1] != MASK
        np.testing.assert_array_equal(states[1:][known], states[:-1][known])
        if getattr(policy, "steps", None) is None:
            unfinished = (states[:-1] == MASK).any(axis=2)
            np.testing.assert_array_equal((states[1:] != states[:-1]).any(axis=2), unfinished)
            assert unfinished[-1].any()  # there is no step in which nothing happens
    if not isinstance(policy, Corrector) and not policy.looks_at_tokens:
        shown = ((states[:-1] == MASK) & (states[1:] != MASK)).any(axis=2)
        np.testing.assert_array_equal(shown.sum(axis=0), decoded.rounds)
    changes = last_changes(states)
    np.testing.assert_array_equal(decoded.revealed_at, changes)
    order = [sorted(range(4), key=lambda i, steps=steps: (steps[i], i)) for steps in changes]
    np.testing.assert_array_equal(decoded.order, order)


# Long sequences


LONG = [
    Threshold(0.95),
    TopK(100, "entropy"),
    EntropyBounded(10.0),
    Factor(0.9),
    RandomOrder((1, 499, 500)),
    Remask((0, 0.5, 0.75, 1)),
    TokenConfidence(250),
    Blocks(250, LeftToRight(125)),
    GibbsCorrector(LeftToRight(100), 5),
    BlockCorrector(None, 100, 5),
]


@each("policy", LONG, ids=lambda policy: type(policy).__name__)
def test_a_mixture_of_1000_sites(policy):
    """Tokens 0 and 1 throughout, or 2 and 3.

    It is valid if the first step reveals one site, or does not write it together.
    """
    rows = [[0.98, 0.02, 0, 0], [0, 0, 0.99, 0.01]]
    p = ProductMixture([0.5, 0.5], [[row] * 1000 for row in rows])
    decoded = decode(p, policy, np.random.default_rng(0), 3, trajectory=True)
    assert decoded.tokens.shape == (3, 1000)
    assert ((decoded.tokens >= 0) & (decoded.tokens < 4)).all()
    if type(policy) in (Threshold, RandomOrder, BlockCorrector):
        halves = decoded.tokens // 2
        assert (halves == halves[:, :1]).all()
        assert np.isfinite(p.log_evidence(decoded.tokens)).all()


def golden_mean(length):
    """Binary sequences without two adjacent ones, and a one after a zero with probability 2/5."""
    return MarkovChain([5 / 7, 2 / 7], [[0.6, 0.4], [1, 0]], length)


def has_adjacent_ones(tokens):
    return (tokens[:, 1:] & tokens[:, :-1]).any(axis=1)


def test_a_chain_of_2000_sites_in_few_rounds():
    """Bisection is exact, so the number of ones varies as it does in the data (+- 5 sigma)."""
    p = golden_mean(2000)
    assert decode(p, LeftToRight(), np.random.default_rng(0), 1).rounds.tolist() == [2000]
    decoded = decode(p, Bisection(), np.random.default_rng(0), 200)
    assert set(decoded.rounds.tolist()) == {11}
    assert not has_adjacent_ones(decoded.tokens).any()
    ones = decoded.tokens.sum(axis=1)
    sampled = p.sample(np.random.default_rng(1), 200).sum(axis=1)
    assert abs(ones.mean() - 2000 * 2 / 7) < 5 * ones.std() / math.sqrt(200)
    assert abs(math.log(ones.std() / sampled.std())) < 5 / math.sqrt(200)
    at_once = decode(p, RandomOrder((1000, 1000)), np.random.default_rng(0), 20)
    assert has_adjacent_ones(at_once.tokens).all()


# Backends

ON_DEVICE = [Threshold(0.6), Bernoulli(TIMES), REMASK, Speculative(), TokenConfidence(1)]
ON_DEVICE += [GibbsCorrector(LeftToRight(2), 2), BlockCorrector(None, 2, 1)]


@each("policy", ON_DEVICE, ids=repr)
@each_family
def test_distributions_on_a_device(case, policy):
    """Tokens stay there; what is counted comes to the host."""
    host, there = case.build(), case.build(to_device1)
    for temperature in (1, 0.5, 0):
        expected = decode(host, policy, np.random.default_rng(1), 20, temperature, trajectory=True)
        found = decode(there, policy, np.random.default_rng(1), 20, temperature, trajectory=True)
        assert found.tokens.device == DEVICE1
        np.testing.assert_array_equal(to_host(found.tokens), expected.tokens)
        for name in ("rounds", "states", "revealed_at", "order"):
            values = getattr(found, name)
            assert isinstance(values, np.ndarray)
            np.testing.assert_array_equal(values, getattr(expected, name))


def test_denoisers_are_asked_on_the_device():
    host, there, rng = ZEROS.build(), ZEROS.build(to_device1), np.random.default_rng

    def denoiser(x):
        assert x.device == DEVICE1
        return there.denoise(x, on_impossible="marginal")

    noisy = Perturbed(there, noise=1, seed=3), Perturbed(host, noise=1, seed=3)
    for policy in (LeftToRight(2), Speculative(), GibbsCorrector(None, 1)):
        for away, here in ((denoiser, None), noisy):
            found = decode(there, policy, rng(1), 50, 1, away)
            assert found.tokens.device == DEVICE1
            expected = decode(host, policy, rng(1), 50, 1, here)
            np.testing.assert_array_equal(to_host(found.tokens), expected.tokens)


# Progress


def test_a_progress_bar_on_a_terminal_or_on_demand(capfd, monkeypatch):
    def decoded(progress):
        decode(DENSE, LeftToRight(), np.random.default_rng(0), 10, batch=2, progress=progress)
        return capfd.readouterr()

    assert decoded(None) == decoded(False) == ("", "")
    assert decoded(True) == ("", "decoding: 5 of 5 after 0 s\n")  # no terminal: a line at the end
    terminal = functools.partial(rich.console.Console, force_terminal=True)
    monkeypatch.setattr(rich.console, "Console", terminal)
    assert decoded(False) == ("", "")
    assert "decoding" in decoded(None).err


# What is refused


def drawing(**changes):
    rng = np.random.default_rng(0)
    return decode(**{"p": DENSE, "policy": LeftToRight(), "rng": rng, "size": 3} | changes)


NO_GENERATORS = [None, 0, np.random, np.random.RandomState(0), np.random.PCG64(0), "rng"]
test_refusals = refusals(
    ("rng", lambda rng: drawing(rng=rng), NO_GENERATORS),
    ("size", lambda size: drawing(size=size), [0, -1, 1.5, 3.0, "3", None, True]),
    ("batch", lambda batch: drawing(batch=batch), [0, -1, 1.5, 2.0, "3", True]),
    ("trajectory", lambda: drawing().revealed_at),
    ("trajectory", lambda: drawing().order),
)


def test_what_comes_in_is_left_alone():
    rows = WRONG.copy()
    given = []

    def select(x, predictions):
        given.append((predictions, predictions.copy()))
        return (x == MASK) & ((x == MASK).cumsum(axis=1) == 1)

    decode(DENSE, select, np.random.default_rng(0), 20, 0.5, as_lookup(rows))
    np.testing.assert_array_equal(rows, WRONG)
    assert len(given) == 4
    assert all((predictions == copy).all() for predictions, copy in given)
