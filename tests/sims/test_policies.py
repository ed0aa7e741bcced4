"""Every decoding policy, against slow oracles written from the definitions."""

import functools
import itertools
import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
import sympy

from sims import output_distribution
from sims.policies import (
    Bernoulli,
    BlockCorrector,
    Blocks,
    EntropyBounded,
    Factor,
    GibbsCorrector,
    LeftToRight,
    Mirrored,
    Policy,
    RandomOrder,
    Remask,
    Rule,
    Speculative,
    Steps,
    Tabulated,
    Threshold,
    TokenConfidence,
    TopK,
)
from tests import oracles
from tests.cases import build_exact, close, floats, random_rows, rows
from tests.noted import refusals
from tests.sims import policy_oracles as slow
from tests.sims.policy_table import (
    HALF,
    SMALL,
    THIRD,
    Hesitant,
    all_sites_after_zero,
    as_denoiser,
    assert_drawn_from,
    assert_output,
    assert_same_numbers,
    blunt,
    both,
    drawing,
    everything,
    noisy,
    one_of_each,
    over,
    random_sizes,
    revising,
    rows_for,
    selecting,
    tabulated,
    tempering,
    wrong,
    zero_loss,
)
from theory import MASK, InvalidInput, JointTable, LinearForm, ProductMixture, gallery, schedules

# Outputs

PREDICTORS = {
    "right": zero_loss,
    "wrong": lambda case: wrong(case.length, case.vocab),
    "blunt": lambda case: blunt(case.length, case.vocab),
}
TRIED = [
    # arithmetic, temperature, denoiser, and of each case every so manieth row of the table
    ("exact", 1, "right", {"dense": 2, "zeros": 1, "parity": 3, "all equal": 4, "three tokens": 2}),
    ("exact", 1, "right", {"four sites": 4, "chain": 3, "one site": 2, "one possible": 5}),
    ("exact", 1, "right", {"one token": 3, "one site, one token": 5}),
    ("floats", 1, "right", {"dense, three tokens": 3, "hmm": 4, "mixture": 3, "empirical": 3}),
    ("floats", 1, "right", {"zeros": 4, "four sites": 5, "one token": 5}),
    ("exact", 0, "right", {"dense": 3, "zeros": 4, "parity": 4, "three tokens": 3, "chain": 6}),
    ("exact", 0, "right", {"all equal": 5}),
    ("floats", 0, "right", {"zeros": 5, "dense, three tokens": 5, "hmm": 5, "mixture": 3}),
    ("floats", 0.5, "right", {"zeros": 4, "dense": 4, "three tokens": 2, "hmm": 6, "empirical": 3}),
    ("floats", 1, "wrong", {"dense": 4, "zeros": 4, "three tokens": 2, "four sites": 5, "hmm": 5}),
    ("floats", 1, "wrong", {"one site": 2}),
    ("exact", 1, "blunt", {"zeros": 4, "dense": 5, "three tokens": 3, "chain": 6}),
    *(
        ("floats", temperature, kind, {"zeros": 5, "dense": 4, "three tokens": 3, "one site": 2})
        for temperature in (0, 0.5)
        for kind in ("wrong", "blunt")
    ),
]


def compared(case, exact, temperature, kind, pairs):
    """Of all these rows, what is written and what the oracle says."""
    predict, p = PREDICTORS[kind](case), build_exact(case) if exact else case.build()
    denoiser = None if kind == "right" else as_denoiser(predict, case.vocab, exact)

    @over(pairs)
    def agrees(policy, decoder):
        temper = tempering(temperature)
        expected = slow.expected_output(case.joint, case.vocab, decoder, predict, temper)
        assert_output(
            output_distribution(p, policy, temperature, denoiser), case, expected, decoder
        )

    agrees()


@pytest.mark.parametrize(
    ("arithmetic", "temperature", "kind", "name", "stride"),
    [(*setting, name, stride) for *setting, strides in TRIED for name, stride in strides.items()],
)
def test_outputs(arithmetic, temperature, kind, name, stride):
    case = SMALL[name]
    pairs = list(rows_for(case))[list(SMALL).index(name) % stride :: stride]
    compared(case, arithmetic == "exact", temperature, kind, pairs)


@pytest.mark.parametrize(
    ("name", "temperature", "kind"),
    [
        ("dense", 1, "right"),
        ("zeros", 0.5, "right"),
        ("dense, three tokens", 1, "right"),
        ("dense", 0, "wrong"),
        ("three tokens", 0.5, "blunt"),
    ],
)
def test_outputs_with_noise(name, temperature, kind):
    case = SMALL[name]
    compared(case, False, temperature, kind, noisy(case.length))


@pytest.mark.parametrize(("arithmetic", "name"), [("exact", "chain"), ("floats", "four sites")])
def test_one_of_each_on_four_sites(arithmetic, name):
    compared(SMALL[name], arithmetic == "exact", 1, "right", one_of_each(4, 2))


def test_random_sizes_in_blocks_and_averaged():
    """Each block draws its sizes; what is written is the mean over the draw."""
    compared(SMALL["chain"], True, 1, "right", [both(Blocks, 2, random_sizes(2))])
    p, sizes = build_exact(SMALL["chain"]), schedules.minimax(4, 2, random=True)
    q = output_distribution(p, RandomOrder(sizes))
    assert q.path_kl == sizes.path_cost(p)
    assert q.expected_rounds == 2
    every = [(w, output_distribution(p, RandomOrder(each_one))) for w, each_one in sizes.choices]
    assert (q.table == sum(w * one.table for w, one in every)).all()  # none of them meet


def assert_same_expression(a, b):
    """Logarithms of primes are independent: equal numbers are equal expressions."""
    assert a == b if b == sympy.oo else sympy.expand(a - b) == 0


@pytest.mark.parametrize("name", ["zeros", "parity", "three tokens"])
def test_divergences_of_exact_distributions_as_expressions(name):
    case = SMALL[name]
    for policy, decoder in list(rows_for(case))[::4]:
        expected = slow.expected_output(
            case.joint, case.vocab, decoder, zero_loss(case), exact=True
        )
        q = output_distribution(build_exact(case), policy)
        assert_same_expression(q.kl, oracles.kl_divergence(case.joint, expected.table, exact=True))
        reverse = oracles.kl_divergence(expected.table, case.joint, exact=True)
        assert_same_expression(q.reverse_kl, reverse)
        if expected.costs is not None:
            assert_same_expression(q.path_kl, sum(expected.costs))
            for cost, other in itertools.zip_longest(q.round_costs, expected.costs, fillvalue=0):
                assert_same_expression(cost, other)


def seen(decoder, length=0):
    """The choice as the oracle of a path wants it."""
    decoder = slow.from_start(decoder, (MASK,) * length)

    def choice(pattern, prediction, index):
        return decoder.choice(pattern, slow.masked_sites(pattern), prediction, index)

    return choice


@pytest.mark.parametrize("temperature", [1, 0.5])
def test_the_cost_of_the_path_by_every_path(temperature):
    """Another oracle: the mean of log p(x) / q_path(x)."""
    for name in ("zeros", "three tokens", "mixture"):
        case, temper = SMALL[name], tempering(temperature)
        for policy, decoder in selecting(case.length, case.vocab)[::5]:
            q = output_distribution(case.build(), policy, temperature)
            cost = oracles.mean_path_kl(
                case.joint, seen(decoder, case.length), zero_loss(case), temper
            )
            assert q.path_kl == close(cost)


@over([*one_of_each(4, 2), *noisy(4)])
def test_in_small_parts(policy, decoder, in_small_parts):
    p = SMALL["four sites"].build()
    found, whole = in_small_parts(output_distribution, p, policy), output_distribution(p, policy)
    np.testing.assert_allclose(found.table, whole.table, rtol=1e-12, atol=1e-15)
    assert_same_numbers(found.rounds, whole.rounds)
    assert float(found.path_kl) == pytest.approx(float(whole.path_kl), nan_ok=True)


# The choice itself, by its distribution and by draws


LENGTH, VOCAB = 4, 2


def predictions_of(patterns, temperature=1):
    """Of a wrong denoiser, as an array."""
    temper, predict = tempering(temperature), wrong(LENGTH, VOCAB)
    return np.array(floats([[temper(r) for r in predict(x)] for x in patterns]), dtype=float)


def ask_at(temperature):
    def ask(x):
        patterns = [tuple(pattern) for pattern in x.tolist()]
        return predictions_of(patterns), predictions_of(patterns, temperature)

    return ask


@functools.cache
def rows_of_all_patterns(temperature):
    """The same at every pattern, which is an index: MASK is -1, the last one."""
    tokens = np.array([*range(VOCAB), MASK])
    every = tokens[np.indices((VOCAB + 1,) * LENGTH)].reshape(LENGTH, -1).T
    answers = ask_at(temperature)(every)
    return [rows.reshape(*(VOCAB + 1,) * LENGTH, LENGTH, VOCAB) for rows in answers]


def probabilities_of_sites(decoder, pattern, index):
    probabilities = {}
    for probability, sites in seen(decoder)(pattern, wrong(LENGTH, VOCAB)(pattern), index):
        key = tuple(i in sites for i in range(LENGTH))
        probabilities[key] = probabilities.get(key, 0) + probability
    return {key: probability for key, probability in probabilities.items() if probability != 0}


def probabilities_of_sequences(decoder, pattern, temperature):
    """From the sequence after a round, and its calls, to its probability."""
    ask, probabilities = slow.asking(wrong(LENGTH, VOCAB), tempering(temperature)), {}
    for probability, after, calls in decoder.follow(pattern, ask, 0, VOCAB):
        probabilities[after, calls] = probabilities.get((after, calls), 0) + probability
    return {key: probability for key, probability in probabilities.items() if probability > 1e-15}


def fits(policy, pattern):
    """Whether the policy ever meets a sequence with these masked sites."""
    masked = [o == MASK for o in pattern]
    sizes = getattr(policy, "sizes", None)
    if sizes is not None:
        return sum(masked) in [sum(sizes[t:]) for t in range(len(sizes))]
    if isinstance(policy, Mirrored):
        return fits(policy.inner, pattern[::-1])
    if isinstance(policy, Blocks):
        start = masked.index(True) // policy.size * policy.size
        block = pattern[start : start + policy.size]
        return all(masked[start + len(block) :]) and fits(policy.inner, block)
    return True


def patterns_for(policy, count):
    every = oracles.all_patterns(LENGTH, VOCAB)
    return [x for x in every if x.count(MASK) == count and fits(policy, x)]


def each_choice(stride=1, revising_too=True):
    pairs = selecting(LENGTH, VOCAB)
    if revising_too:
        pairs += [pair for pair in revising(LENGTH) if isinstance(pair[0], Steps)]
    # what blocks on a clock do depends on the step, see `test_blocks_on_a_clock_in_each_step`
    pairs = [(a, b) for a, b in pairs if not isinstance(b, slow.TimedBlocks)][::stride]
    return over(pairs + [row for row in noisy(LENGTH) if slow.has_path(row.oracle)])


def each_draw(stride=1):
    pairs = [row for row in noisy(LENGTH) if not slow.has_path(row.oracle)]
    return over([*drawing(LENGTH)[::stride], *pairs])


@each_choice()
def test_choices_row_by_row(policy, decoder):
    """Of all patterns with equally many masked sites at once."""
    for count in range(1, LENGTH + 1):
        patterns = patterns_for(policy, count)
        if not patterns:
            continue
        index = (policy.steps or 1) - 1
        found = [{} for _ in patterns]
        x, predictions = np.array(patterns), predictions_of(patterns)
        for probability, flip in policy.reveal_distribution(x, predictions, index):
            assert flip.shape == x.shape
            assert flip.dtype == bool
            probabilities = np.broadcast_to(np.asarray(probability, dtype=float), len(patterns))
            for row_probabilities, p, sites in zip(
                found, probabilities.tolist(), flip.tolist(), strict=True
            ):
                if p != 0:
                    row_probabilities[tuple(sites)] = row_probabilities.get(tuple(sites), 0) + p
        assert x.tolist() == [list(pattern) for pattern in patterns]
        for pattern, row_probabilities in zip(patterns, found, strict=True):
            expected = probabilities_of_sites(decoder, pattern, index)
            assert row_probabilities.keys() == expected.keys()
            assert_same_numbers(row_probabilities, expected)


@each_draw()
@pytest.mark.parametrize("temperature", [1, 0.5])
def test_outcomes_row_by_row(policy, decoder, temperature):
    for count in range(1, LENGTH + 1):
        patterns = patterns_for(policy, count)
        if not patterns:
            continue
        found, x = [{} for _ in patterns], np.array(patterns)
        for which, probability, after, calls in policy.outcomes(x, ask_at(temperature), 0):
            for b, p, y in zip(which.tolist(), probability.tolist(), after.tolist(), strict=True):
                found[b][tuple(y), calls] = found[b].get((tuple(y), calls), 0) + p
        for pattern, row_probabilities in zip(patterns, found, strict=True):
            assert_same_numbers(
                row_probabilities, probabilities_of_sequences(decoder, pattern, temperature)
            )


def counted(rows):
    """How often each sequence of bits and masks is among the rows."""
    shape = (VOCAB + 1,) * LENGTH
    numbers = np.ravel_multi_index(tuple(rows.T - MASK), shape)
    every = itertools.product((MASK, *range(VOCAB)), repeat=LENGTH)
    counts = np.bincount(numbers, minlength=math.prod(shape)).tolist()
    return Counter({x: count for x, count in zip(every, counts, strict=True) if count})


PATTERNS = [
    (MASK, MASK, MASK, MASK),
    (1, MASK, MASK, MASK),
    (MASK, 0, MASK, MASK),
    (MASK, MASK, 1, 0),
    (0, 1, MASK, 1),
]
COPIES = 4000


def shuffled_batch(patterns, seed=0):
    """Copies of all patterns in one batch, in no order, and where each of them went."""
    batch = np.repeat(np.array(patterns), COPIES, axis=0)
    places = np.repeat(np.arange(len(patterns)), COPIES)
    order = np.random.default_rng(seed).permutation(len(batch))
    return batch[order], places[order]


@each_choice(stride=3)
def test_draws_of_sets(policy, decoder):
    """In one batch with patterns that have different numbers of masked sites."""
    patterns = [x for x in PATTERNS if fits(policy, x)]
    index = 0
    if policy.steps is not None:  # at the clock's second step anything is possible
        patterns, index = [*patterns, (1, 0, 0, 1)], min(1, policy.steps - 1)
    x, which = shuffled_batch(patterns)
    predictions = predictions_of(patterns)[which]
    before = x.copy(), predictions.copy()
    chosen = policy.choose(x, predictions, index, np.random.default_rng(1))
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(predictions, before[1])
    assert chosen.shape == x.shape
    assert chosen.dtype == bool
    if not policy.remasks:
        assert not (chosen & (x != MASK)).any()
    for place, pattern in enumerate(patterns):
        drawn = counted(chosen[which == place])
        assert_drawn_from(drawn, probabilities_of_sites(decoder, pattern, index))
    again = policy.choose(x, predictions, index, np.random.default_rng(1))
    np.testing.assert_array_equal(again, chosen)


@each_draw(stride=2)
@pytest.mark.parametrize("temperature", [1, 0.5, 0])
def test_draws_of_tokens(policy, decoder, temperature):
    """Pattern by pattern, where the calls are known, and in one batch of all."""

    rows_of = rows_of_all_patterns(temperature)

    def ask(x):
        return tuple(rows[tuple(x.T)] for rows in rows_of)

    for pattern in (PATTERNS[0], PATTERNS[4]):
        if not fits(policy, pattern):
            continue
        x = np.array([pattern] * COPIES)
        after, calls = policy.write(x, ask, 0, np.random.default_rng(2))
        assert (x == pattern).all()
        outcomes = Counter({(y, calls): count for y, count in counted(after).items()})
        assert_drawn_from(outcomes, probabilities_of_sequences(decoder, pattern, temperature))
    patterns = [x for x in PATTERNS if fits(policy, x)]
    x, which = shuffled_batch(patterns)
    after, calls = policy.write(x, ask, 0, np.random.default_rng(3))
    np.testing.assert_array_equal(after[x != MASK], x[x != MASK])
    for place, pattern in enumerate(patterns):
        expected = probabilities_of_sequences(decoder, pattern, temperature)
        drawn = counted(after[which == place])
        assert_drawn_from(drawn, {y: p for (y, _), p in expected.items()})
    assert calls == max(calls for _, calls in probabilities_of_sequences(decoder, PATTERNS[0], 1))


@pytest.mark.parametrize("size", [1, 2, 4])
def test_draws_of_what_correctors_draw_again(size):
    corrector = BlockCorrector(None, size, 1)
    drawn = corrector.choose(COPIES, LENGTH, np.random.default_rng(4))
    assert drawn.shape == (COPIES, LENGTH)
    assert drawn.dtype == bool
    sets = slow.subsets_of(range(LENGTH), size)
    probabilities = {
        tuple(i in sites for i in range(LENGTH)): probability for probability, sites in sets
    }
    assert_drawn_from(counted(drawn), probabilities)
    if size == 1:
        drawn = GibbsCorrector(None, 1).choose(COPIES, LENGTH, np.random.default_rng(5))
        assert_drawn_from(counted(drawn), probabilities)


# Limits and identities


def test_the_number_of_calls_is_constant_although_refusals_have_a_chance_of_rounding_errors():
    """Independent sites, in floats: nothing is refused, so that there are always two calls."""
    for seed in range(5):
        sites = np.array(floats(random_rows(seed, 1, 3, 3)))
        q = output_distribution(ProductMixture([1.0], sites), Speculative())
        assert q.expected_rounds == close(2)
        assert q.expected_rounds_on_data == close(2)


@pytest.mark.parametrize("name", ["dense", "three tokens", "dense, three tokens"])
def test_visited_sequences_are_counted(name):
    """All that are reached, in every round; at least the most of a round are held at once."""
    case = SMALL[name]
    ask = slow.asking(zero_loss(case))
    for policy, decoder in selecting(case.length, case.vocab)[::4] + drawing(case.length):
        if getattr(decoder, "steps", 0) is None:
            q = output_distribution(case.build(), policy)
            counts = slow.pattern_counts(case.joint, case.vocab, decoder, ask)
            assert q.states == sum(counts), policy
            assert q.widest >= max(counts)


# Ties


def chosen_sites(policy, prediction):
    """What a deterministic policy selects first."""
    x = np.full((1, len(prediction)), MASK)
    array = np.array(prediction)[None]
    ((probability, flip),) = list(policy.reveal_distribution(x, array, 0))
    assert probability == 1
    return tuple(np.flatnonzero(flip[0]).tolist())


def independent(prediction, exact):
    """Rows as they are, or as floats."""
    return prediction if exact else floats(prediction)


each_kind = pytest.mark.parametrize("exact", [False, True], ids=["floats", "exact"])


@each_kind
@pytest.mark.parametrize("score", slow.SCORES)
def test_equal_scores_go_to_the_lowest_index(score, exact):
    """Also where the sums of floats are not quite equal."""
    weights = [(2, 5, 3), (1, 6, 3), (3, 1, 6), (6, 3, 1), (5, 2, 3), (1, 3, 6), (3, 6, 1)]
    prediction = independent(rows(*weights), exact)
    order = (1, 2, 3, 5, 6, 0, 4)  # the most confident first
    for k in range(1, 8):
        assert chosen_sites(TopK(k, score), prediction) == tuple(sorted(order[:k]))


def test_scores_are_equal_to_twelve_decimals():
    for score in slow.SCORES:
        apart = [[0.3, 0.7], [0.3 - 1e-14, 0.7 + 1e-14]]
        assert chosen_sites(TopK(1, score), apart) == (0,)
        apart = [[0.3, 0.7], [0.3 - 1e-10, 0.7 + 1e-10]]
        assert chosen_sites(TopK(1, score), apart) == (1,)


@each_kind
@pytest.mark.parametrize("top", [THIRD, Fraction(3, 7), HALF, Fraction(2, 3), Fraction(9, 10)])
def test_a_site_that_is_as_sure_as_the_threshold_does_not_exceed_it(top, exact):
    vocab = math.ceil(1 / top)
    rest = (1 - top) / (vocab - 1)
    prediction = independent([[top] + [rest] * (vocab - 1)] * 3, exact)
    for gamma in (top, float(top)):
        assert chosen_sites(Threshold(gamma), prediction) == (0,)
    assert chosen_sites(Threshold(float(top) + 1e-6), prediction) == (0,)
    assert chosen_sites(Threshold(float(top) - 1e-6), prediction) == (0, 1, 2)


@each_kind
@pytest.mark.parametrize("top", [HALF, Fraction(2, 3), Fraction(7, 10), Fraction(9, 10)])
def test_a_factor_that_is_just_reached_is_not_enough(top, exact):
    """(n + 1) (1 - c) < f fails at equality, so one site fewer is revealed."""
    prediction = independent([[top, 1 - top]] * 5, exact)
    for n in (2, 3, 4, 5):
        f = (n + 1) * (1 - top)
        for value in (f, float(f)):
            assert chosen_sites(Factor(value), prediction) == tuple(range(n - 1))
        assert chosen_sites(Factor(float(f) + 1e-6), prediction) == tuple(range(n))


@each_kind
@pytest.mark.parametrize("vocab", [2, 3, 5])
def test_an_entropy_that_just_fits_is_within_the_bound(vocab, exact):
    """m + 1 uniform sites: their entropies without the largest are m log V."""
    prediction = independent([[Fraction(1, vocab)] * vocab] * 5, exact)
    for m in range(5):
        gamma = m * math.log(vocab)
        assert chosen_sites(EntropyBounded(gamma), prediction) == tuple(range(m + 1))
        if m > 0:
            assert chosen_sites(EntropyBounded(gamma - 1e-6), prediction) == tuple(range(m))


def test_equal_probabilities_are_equal_at_temperature_zero():
    """The lowest token, although another one is larger by a rounding error."""

    def noisy(x):
        return np.broadcast_to([0.5 - 1e-15, 0.5 + 1e-15], (*x.shape, 2))

    p = SMALL["dense"].build()
    for policy in (LeftToRight(1), TokenConfidence(2), Speculative(), GibbsCorrector(None, 60)):
        q = output_distribution(p, policy, 0, denoiser=noisy)
        assert q.table[0, 0, 0] == pytest.approx(1, abs=1e-6)


# What is refused, and what a denoiser is asked


def contrary(x):
    """Changes its mind with every token; it stacks its answers, so no pattern has no shape."""
    assert len(x) > 0
    sure = (x != MASK).sum(axis=1) % 2
    return np.array([np.tile([1.0 - s, s], (x.shape[1], 1)) for s in sure.tolist()])


@pytest.mark.parametrize("temperature", [0, 1])
def test_a_denoiser_is_never_asked_about_no_pattern(temperature):
    """Where every draft is refused, none is left to be verified."""

    def ask(x):
        return contrary(x), contrary(x)

    p = SMALL["zeros"].build()
    for policy, _ in [*drawing(3), *selecting(3, 2)[::5], *revising(3)[::2]]:
        q = output_distribution(p, policy, temperature, denoiser=contrary)
        assert q.table.sum() == close(1)
    for policy, _ in drawing(3):
        x = np.full((2, 3), MASK)
        after, _ = policy.write(x, ask, 0, np.random.default_rng(0))
        assert (after != MASK).any(axis=1).all()


@each_kind
def test_speculative_decoding_where_every_draft_is_refused(exact):
    """Equally likely 011 and 101. The likeliest draft is 001, after a 0 comes a 1."""
    p = JointTable([[[0, 0], [0, 1]], [[0, 1], [0, 0]]], exact=exact)
    for k in (None, 2, 3):
        q = output_distribution(p, Speculative(k), 0)
        assert q.table.tolist() == [[[0, 0], [0, 1]], [[0, 0], [0, 0]]]
        assert dict(q.rounds) == {3: 1}


COUNTED = [TopK, TokenConfidence, Speculative, LeftToRight]
COUNTED += [lambda k: Blocks(k, LeftToRight()), lambda k: BlockCorrector(None, k, 1)]
STEPS = [lambda n: GibbsCorrector(None, n), lambda n: BlockCorrector(None, 2, n)]
BAD_TIMES = [
    (r"0\.3 after 0\.7", [(0, 0.7, 0.3, 1)]),
    (r"0\.5 after 0\.5", [(0, 0.5, 0.5, 1)]),
    (r"1 after 1\.5", [(0, 1.5, 1)]),
    (r"-0\.5 after 0", [(0, -0.5, 1)]),
    (r"0\.25", [(0.25, 1)]),
    (r"0\.75", [(0, 0.75)]),
    ("2", [(0, 2)]),
    ("1", [(1, 0)]),
    ("from 0 to 1, got", [(1,), (0,), ()]),
    ("numbers.*'a'", [(0, "a", 1)]),
    ("numbers.*None", [(0, None, 1)]),
    ("nan", [(0, math.nan, 1)]),
    ("inf", [(0, math.inf, 1)]),
    ("numbers.*0.*1", ["01"]),
    ("3", [3]),
    ("None", [None]),
]


def written(policy):
    return output_distribution(SMALL["zeros"].build(), policy)


test_bad_arguments = refusals(
    *(("at least 1, got {}$", make, [0, -7, 2.5, True]) for make in COUNTED),
    *(("at least 1, got '3'$", make, ["3"]) for make in COUNTED),
    *(("None", make, [None]) for make in COUNTED if make not in (Speculative, COUNTED[-1])),
    *(("steps must .* at least 0, got {}", make, [-7, 1.5, None]) for make in STEPS),
    *(("steps must .* at least 0, got '3'", make, ["3"]) for make in STEPS),
    ("confidence, margin.* got '{}'", lambda score: TopK(1, score), ["sure", "Entropy", ""]),
    ("confidence, margin.* got {}", lambda score: TopK(1, score), [None, 3]),
    ("^gamma must .*got {}$", Threshold, [1.25, -0.125, math.nan, math.inf, None]),
    ("^f must .*got {}$", Factor, [0, 0.0, -1.5, math.nan, None]),
    ("^gamma must .*got {}$", EntropyBounded, [-0.5, math.nan, None]),
    ("^strength must .*got {}$", lambda s: Remask((0, 1), s), [1.25, -0.125, math.nan]),
    *(("got 'x'$", make, ["x"]) for make in (Threshold, Factor, EntropyBounded)),
    ("^strength must .*got 'x'$", lambda s: Remask((0, 1), s), ["x"]),
    *((f"times must .*{text}", Bernoulli, bad) for text, bad in BAD_TIMES),
    *((f"times must .*{text}", Remask, bad) for text, bad in BAD_TIMES),
    ("inner must be", lambda inner: Blocks(2, inner), [GibbsCorrector(None, 1), None, 3]),
    ("inner must be", lambda inner: GibbsCorrector(inner, 1), [3, "LeftToRight"]),
)
test_decoders_that_do_not_fit_the_data = refusals(
    (r"size .* length 3, got 5", written, [BlockCorrector(None, 5, 1)]),
    (r"length 1", written, [Blocks(2, RandomOrder((1, 1)))]),  # the last block
    (r"length 3.*sums to 2", written, [Blocks(3, RandomOrder((1, 1)))]),
    (r"RandomSizes of 4 sites.* do not fit 3 sites", written, [random_sizes(4).policy]),
    (r"length 3.*sums to 4", written, [GibbsCorrector(RandomOrder((1, 3)), 1)]),
    (r"length 3, got 5", written, [GibbsCorrector(BlockCorrector(None, 5, 1), 1)]),
    (r"2 sites.* 3", written, [tabulated(0, 2, 2)[0]]),
    (r"4 sites.* 3", written, [tabulated(0, 4, 2)[0]]),
    (r"3 tokens.* 2", written, [tabulated(0, 3, 3)[0]]),
    ("no site", written, [Tabulated(np.zeros((3, 3, 3), dtype=np.int64))]),
    ("no site", written, [Tabulated(np.full((3, 3, 3), 8))]),
    ("no site|observed site", written, [Tabulated(np.full((3, 3, 3), 1))]),
)


def test_blocks_on_a_clock_are_told_the_length():
    blocks, x = Blocks(2, Hesitant()), np.full((1, 4), MASK)
    with pytest.raises(InvalidInput, match="know the length"):
        next(blocks.reveal_distribution(x, predictions_of([(MASK,) * 4]), 0))
    known = blocks.with_given((), 4)
    assert (blocks.steps, known.steps, blocks.with_given((0, 2, 3), 4).steps) == (3, 6, 3)
    assert next(known.reveal_distribution(x, predictions_of([(MASK,) * 4]), 0))[0] == [HALF]


def test_blocks_on_a_clock_by_hand():
    """Each pair is drawn at once with probability 1/2: q is 3/8 at each right value of a pair."""
    q = output_distribution(
        gallery.coupled_pairs(2, exact=True), Blocks(2, Bernoulli((0, HALF, 1)))
    )
    assert q.valid_mass == Fraction(9, 16)
    assert q.kl == LinearForm({2: 4, 3: -2})
    assert dict(q.rounds) == {2: Fraction(1, 4), 3: HALF, 4: Fraction(1, 4)}
    assert q.expected_rounds == 3
    # after a wrong pair the predictions are the marginals, 1/8 times 1/4
    assert {*q.table.reshape(-1).tolist()} == {Fraction(n, 64) for n in (9, 3, 2)}


def test_a_row_whose_chance_is_zero_may_reveal_anything():
    class Two(Policy):
        """Where the first site is 0 everything, else one by one; nonsense for other rows."""

        def reveal_distribution(self, x, predictions, round_index):
            masked, zero = x == MASK, x[:, 0] == 0
            yield zero * 1, np.where(zero[:, None], masked, x != MASK)
            first = masked & (masked.cumsum(axis=1) == 1)
            yield 1 - zero, np.where(zero[:, None], False, first)

    case, choice = SMALL["zeros"], slow.Selecting(all_sites_after_zero)
    expected = slow.expected_output(case.joint, case.vocab, choice, zero_loss(case))
    assert len(expected.rounds) == 2
    assert_output(output_distribution(build_exact(case), Two()), case, expected, choice)


@pytest.mark.parametrize("outer", [lambda f: Blocks(2, f), lambda f: GibbsCorrector(f, 1)])
def test_a_function_may_stand_for_its_rule(outer):
    q, other = (written(outer(inner)) for inner in (everything, Rule(everything)))
    assert (q.table.tolist(), q.rounds) == (other.table.tolist(), other.rounds)
