"""The table of decoders, each beside its slow oracle, and the data on which all are compared.

`one_of_each` has a row for every kind of decoder, `rows_for` has every setting. An output is that
of the oracle if `assert_output` says so.
"""

import functools
import itertools
import math
import random
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy.stats import chi2

from sims.joints import Product
from sims.policies import (
    Bernoulli,
    Bisection,
    BlockCorrector,
    Blocks,
    Corrector,
    CountTabulated,
    DrawThenKeep,
    Editing,
    EntropyBounded,
    Factor,
    FirstHitting,
    FixedOrder,
    GapTabulated,
    GibbsCorrector,
    InformedCorrector,
    JointDraw,
    LeftToRight,
    Mirrored,
    PathPlanning,
    Policy,
    RandomOrder,
    Remask,
    RemaskLoop,
    Rule,
    Speculative,
    Steps,
    Tabulated,
    Threshold,
    TokenConfidence,
    TopK,
)
from tests import oracles
from tests.cases import (
    XOR,
    chain,
    close,
    empirical,
    floats,
    named,
    random_rows,
    random_weights,
    row,
    rows,
    table,
)
from tests.noted import each
from tests.sims import policy_oracles as slow
from theory import MASK
from theory.schedules import RandomSizes

HALF, THIRD = Fraction(1, 2), Fraction(1, 3)
TIMES = (Fraction(0), Fraction(1, 4), HALF, Fraction(1))

# Decoders of the user's


class ByConfidence(Policy):
    """One site, drawn in proportion to its confidence: probabilities that differ between rows."""

    def reveal_distribution(self, x, predictions, round_index):
        weights = np.where(x == MASK, predictions.max(axis=-1), 0)
        weights = weights / weights.sum(axis=1, keepdims=True)
        for site in range(x.shape[1]):
            yield weights[:, site], np.broadcast_to(np.arange(x.shape[1]) == site, x.shape)


class Hesitant(Policy):
    """A clock of one's own: first nothing, or two sites; then one more, or none; then all.

    The probabilities depend on the first site, row by row.
    """

    @property
    def steps(self):
        return 3

    def reveal_distribution(self, x, predictions, round_index):
        masked = x == MASK
        if round_index == 2:
            yield 1, masked
            return
        nothing = np.array([THIRD if first == 0 else HALF for first in x[:, 0]])
        yield nothing, np.zeros(x.shape, dtype=bool)
        yield 1 - nothing, masked & (masked.cumsum(axis=1) <= 2 - round_index)


def hesitant(pattern, sites, prediction, index):
    if index == 2:
        return [(Fraction(1), tuple(sites))]
    nothing = THIRD if pattern[0] == 0 else HALF
    return [(nothing, ()), (1 - nothing, tuple(sites[: 2 - index]))]


def everything(x, predictions):
    return x == MASK


def all_sites(pattern, sites, prediction, index):
    return [(Fraction(1), tuple(sites))]


def all_after_zero(x, predictions):
    """One site, and all others at once if the first holds a 0."""
    masked = x == MASK
    return np.where(x[:, :1] == 0, masked, masked & (masked.cumsum(axis=1) == 1))


def all_sites_after_zero(pattern, sites, prediction, index):
    return [(Fraction(1), tuple(sites if pattern[0] == 0 else sites[:1]))]


@functools.cache
def looked_up(seed, pattern):
    """A non-empty set of masked sites for every pattern, which depends on its tokens."""
    masked, rng = slow.masked_sites(pattern), random.Random(f"{seed} {pattern}")
    return tuple(sorted(rng.sample(masked, k=rng.randint(1, len(masked)))))


def lookup_rule(seed):
    def select(x, predictions):
        reveal = np.zeros(x.shape, dtype=bool)
        for chosen, pattern in zip(reveal, x.tolist(), strict=True):
            chosen[list(looked_up(seed, tuple(pattern)))] = True
        return reveal

    return Rule(select)


class Sometimes(Policy):
    """With probability 1/3 what one lookup says, else what the next one says."""

    def reveal_distribution(self, x, predictions, round_index):
        yield THIRD, lookup_rule(round_index).select(x, predictions)
        yield 1 - THIRD, lookup_rule(round_index + 1).select(x, predictions)


def sometimes(pattern, sites, prediction, index):
    return [(THIRD, looked_up(index, pattern)), (1 - THIRD, looked_up(index + 1, pattern))]


class Ends(Corrector):
    """Draws the first site again, or twice as often the last one."""

    def sets(self, length):
        yield THIRD, (0,)
        yield 1 - THIRD, (length - 1,)

    def choose(self, size, length, rng):
        first, sites = rng.random(size) < 1 / 3, np.arange(length)
        return np.where(first[:, None], sites == 0, sites == length - 1)


def ends(inner, steps):
    return slow.Correcting(inner, lambda length: [(THIRD, (0,)), (2 * THIRD, (length - 1,))], steps)


# The table


class Row(NamedTuple):
    """A decoder, and a slow oracle that does the same."""

    policy: Any
    oracle: Any


def _exactly(times):
    return tuple(Fraction(t) for t in times)


def _remask(times, strength, *others):
    choice = slow.remask(_exactly(times), Fraction(strength), *_exactly(others))
    return slow.Selecting(choice, len(times) - 1, remasks=True)


def _steps(reveal, remask=None):
    choice = slow.coins(_exactly(reveal), _exactly(remask or [0] * len(reveal)))
    return slow.Selecting(choice, len(reveal), remasks=remask is not None)


def blocks(size, inner, start=0):
    """The oracle of `Blocks`, which are counted from a start."""
    if isinstance(inner, slow.TimedBlocks) or inner.steps is not None:
        return slow.TimedBlocks(size, inner)
    if isinstance(inner, slow.Drawing):
        return slow.Drawing(slow.blocks_of_draws(size, inner.draw, start))
    return slow.Selecting(slow.blocks(size, inner.choice, start))


CHOICES = {
    RandomOrder: slow.random_order,
    FirstHitting: lambda: slow.first_hitting,
    FixedOrder: slow.fixed_order,
    LeftToRight: slow.left_to_right,
    Bisection: lambda: slow.bisection,
    TopK: slow.top_k,
    Threshold: slow.threshold,
    Factor: slow.factor,
    EntropyBounded: slow.entropy_bounded,
    ByConfidence: lambda: slow.by_confidence,
    Sometimes: lambda: sometimes,
    Mirrored: lambda inner: slow.mirrored(inner.choice),
}
DRAWS = {
    DrawThenKeep: slow.draw_then_keep,
    TokenConfidence: slow.token_confidence,
    Speculative: slow.speculative,
    JointDraw: lambda inner, joint: slow.joint_draw(inner.choice, joint),
}
ORACLES = {
    Bernoulli: lambda times: slow.Selecting(slow.bernoulli(_exactly(times)), len(times) - 1),
    Remask: _remask,
    RemaskLoop: lambda steps, *others: _steps(*slow.loop(steps, *others)),
    Steps: _steps,
    PathPlanning: slow.path_planning,
    Editing: slow.editing,
    Hesitant: lambda: slow.Selecting(hesitant, 3),
    Blocks: blocks,
    GibbsCorrector: slow.gibbs_corrector,
    BlockCorrector: slow.block_corrector,
    InformedCorrector: slow.Informed,
    Ends: ends,
}


def both(kind, *arguments, **options):
    """The row of a decoder with these arguments, rows among them standing for what is inside."""
    ours, theirs = ([a[side] if isinstance(a, Row) else a for a in arguments] for side in (0, 1))
    if kind in CHOICES:
        return Row(kind(*ours, **options), slow.Selecting(CHOICES[kind](*theirs, **options)))
    if kind in DRAWS:
        return Row(kind(*ours, **options), slow.Drawing(DRAWS[kind](*theirs, **options)))
    return Row(kind(*ours, **options), ORACLES[kind](*theirs, **options))


EVERYTHING = Row(Rule(everything), slow.Selecting(all_sites))
AFTER_ZERO = Row(Rule(all_after_zero), slow.Selecting(all_sites_after_zero))
PRODUCT = Row(Product(), slow.product_of)


def tabulated(seed, length, vocab):
    """A lookup that is written down."""
    patterns = [x for x in oracles.all_patterns(length, vocab) if MASK in x]
    choices = {pattern: looked_up(seed, pattern) for pattern in patterns}
    bits = np.zeros((vocab + 1,) * length, dtype=np.int64)
    for pattern, sites in choices.items():
        bits[pattern] = sum(2**i for i in sites)  # MASK is -1, the last index
    return Row(Tabulated(bits), slow.Selecting(slow.tabulated(choices)))


def tabulated_in_rounds(seed, length, vocab):
    """A lookup, and another one, and then all that is left."""
    patterns = [x for x in oracles.all_patterns(length, vocab) if MASK in x]
    bits = np.zeros((3, *(vocab + 1,) * length), dtype=np.int64)
    for pattern in patterns:
        every = tuple(i for i, o in enumerate(pattern) if o == MASK)
        chosen = every, looked_up(seed, pattern), looked_up(seed + 1, pattern)
        for left, sites in enumerate(chosen):
            bits[(left, *pattern)] = sum(2**i for i in sites)

    def choice(pattern, sites, prediction, index):
        chosen = looked_up(seed + 1 - index, pattern) if sites and index < 2 else tuple(sites)
        return [(Fraction(1), chosen)]

    return Row(Tabulated(bits, rounds=3), slow.Selecting(choice, 3))


def tabulated_by_counts(length):
    """Two rounds by what is known and the ones in it, and then all that is left."""

    def size(index, left, ones):
        return left if index == 2 else 1 + (left + ones + index) % left

    sizes = np.zeros((3, length + 1, length + 1), dtype=np.int64)
    for index, known, ones in itertools.product(range(3), range(length), range(length)):
        sizes[2 - index, known, ones] = size(index, length - known, ones)

    def choice(pattern, sites, prediction, index):
        count = size(index, len(sites), sum(o == 1 for o in pattern)) if sites else 0
        return [(Fraction(1), tuple(sites[:count]))]

    return Row(CountTabulated(sizes), slow.Selecting(choice, 3))


def gap_tabulated(seed, length, vocab, rounds=2):
    """A lookup of gaps that is written down: some offsets, at least one of them inside."""
    rng = np.random.default_rng(seed)
    choices = rng.random((rounds, vocab + 1, vocab + 1, length + 1, length + 1)) < 1 / 3
    choices[..., np.arange(length + 1), rng.integers(np.maximum(np.arange(length + 1), 1))] = True
    oracle = slow.gap_tabulated(choices.tolist(), vocab)
    return Row(GapTabulated(choices), slow.Selecting(oracle, rounds))


def random_sizes(masked):
    """A round, two or three, of which the latter two may meet."""
    every = [s for s in ((masked,), (1, masked - 1), (1, 1, masked - 2)) if min(s) > 0]
    weight = Fraction(2, len(every) * (len(every) + 1))
    choices = tuple((weight * k, sizes) for k, sizes in enumerate(every, 1))
    oracle = slow.Selecting(slow.random_sizes(choices), len(every[-1]))
    return Row(RandomOrder(RandomSizes(choices)), oracle)


def one_of_each(length, vocab=2, masked=None):
    """A row for every kind of decoder; so many sites are `masked` at first, or all."""
    masked = masked or length
    times, half = (0, THIRD, 1), masked // 2
    return [
        both(RandomOrder, (1, masked - 1) if masked > 1 else (1,)),
        both(RandomOrder, (masked,)),
        random_sizes(masked),
        both(FirstHitting),
        both(LeftToRight),
        both(LeftToRight, 2),
        both(Bisection),
        both(TopK, 1),
        both(TopK, 2, "margin"),
        both(TopK, 1, "entropy"),
        both(Threshold, 0.6),
        both(Factor, 1.0),
        both(EntropyBounded, 0.5),
        both(Blocks, 2, both(TopK, 1)),
        both(Blocks, 2, both(FirstHitting)),
        both(Blocks, 3, both(Threshold, 0.6)),
        both(Mirrored, both(EntropyBounded, 0.3)),
        both(Blocks, 3, both(Mirrored, both(LeftToRight, 2))),
        AFTER_ZERO,
        both(ByConfidence),
        tabulated(7, length, vocab),
        tabulated_in_rounds(8, length, vocab),
        tabulated_by_counts(length),
        gap_tabulated(7, length, vocab),
        both(Blocks, 2, gap_tabulated(8, 2, vocab)),
        both(Bernoulli, times),
        both(Blocks, 2, both(Bernoulli, times)),
        both(TokenConfidence, 1),
        both(TokenConfidence, 2),
        both(Speculative),
        both(Speculative, 2),
        both(Blocks, 2, both(TokenConfidence, 1)),
        both(JointDraw, both(TopK, 2), PRODUCT),
        both(Remask, times, HALF),
        both(RemaskLoop, 4, 2 * THIRD, THIRD, HALF, THIRD),
        both(Steps, (THIRD, HALF, 1)),
        both(PathPlanning, 3, "leave-one-out"),
        both(Editing, both(TokenConfidence, 2), 0.4, 4, "leave-one-out"),
        both(GibbsCorrector, both(LeftToRight, 2), 2),
        both(BlockCorrector, None, min(2, length), 2),
        both(RandomOrder, (0, half, 0, masked - half)),
        both(FixedOrder, tuple(range(length))[::-1]),
        both(FixedOrder, (*range(0, length, 2), *range(1, length, 2)), (masked - half, 0, half)),
        both(TopK, sizes=(0, masked - half, half), ties="highest"),
        both(TopK, 1, "entropy", ties="random"),
        both(TokenConfidence, sizes=(half, 0, masked - half), ties="highest"),
        both(DrawThenKeep, 1, "tempered", ties="random"),
        both(DrawThenKeep, score="uniform", sizes=(masked - half, half)),
        both(DrawThenKeep, threshold=0.6),
        both(InformedCorrector, both(LeftToRight, 2), 2),
    ]


def inner_rows():
    """Of those that may work inside of blocks."""
    return [
        *(both(LeftToRight, k) for k in (1, 2, 3)),
        both(FirstHitting),
        both(Bisection),
        *(both(TopK, k, score) for k in (1, 2, 3) for score in slow.SCORES),
        *(both(Threshold, gamma) for gamma in (0.0, 0.4, 0.5, 0.55, 0.7, 0.9, 1.0)),
        *(both(Factor, f) for f in (0.01, 0.5, 1.0, 1.5, 2.5, 9.0)),
        *(both(EntropyBounded, gamma) for gamma in (0.0, 0.3, 0.8, 1.0, 1.7, 9.0)),
        *(both(TopK, k, ties=ties) for k in (1, 2) for ties in ("random", "highest")),
        both(TopK, 2, "margin", ties="random"),
        both(TopK, 1, "entropy", ties="highest"),
        both(ByConfidence),
        EVERYTHING,
    ]


CLOCKS = ((0, 1), (0, HALF, 1), TIMES, (0, 0.125, 0.25, 0.75, 1))


def selecting(length, vocab):
    """Of those that select before any token is drawn."""
    compositions, nested = oracles.compositions, both(Blocks, 2, both(FirstHitting))
    orders = [(*range(1, length), 0), (*range(1, length, 2), *range(0, length, 2))]
    return [
        *(both(RandomOrder, sizes) for sizes in compositions(length)),
        *inner_rows(),
        *(both(Mirrored, inner) for inner in inner_rows()[1::4]),
        both(LeftToRight, length + 1),
        both(Sometimes),
        *(tabulated(seed, length, vocab) for seed in range(2)),
        gap_tabulated(3, length, vocab, 3),
        both(Blocks, 3, gap_tabulated(4, length, vocab)),
        *(both(Blocks, size, inner) for size in (1, 2, 3) for inner in inner_rows()[::3]),
        *(
            both(Blocks, size, both(RandomOrder, sizes))
            for size in (1, 2, 4)
            if length % size == 0
            for sizes in compositions(size)
        ),
        *(both(RandomOrder, (0, *sizes, 0)) for sizes in compositions(length)[::2]),
        *(both(FixedOrder, order) for order in orders),
        *(
            both(kind, *arguments, sizes=(*sizes[:1], 0, *sizes[1:]), **options)
            for sizes in compositions(length)[::2]
            for kind, arguments, options in (
                (FixedOrder, orders[:1], {}),
                (TopK, (), {"ties": "highest"}),
                (TopK, (), {"ties": "random"}),
            )
        ),
        *(
            both(Blocks, size, inner)
            for size in (2, 4)
            if length % size == 0
            for inner in (
                both(FixedOrder, orders[1], (1, 0, size - 1)),
                both(TopK, score="margin", sizes=(0, size - 1, 1)),
                both(TopK, sizes=(size - 1, 1), ties="random"),
            )
        ),
        *(both(Blocks, size, nested) for size in (3, 4)),
        *(both(Blocks, size, AFTER_ZERO) for size in (1, 2, 3, 4)),
        *(both(Bernoulli, times) for times in CLOCKS),
        both(Hesitant),
        both(Steps, (0, HALF, 0.25, 1)),
        *(both(Blocks, size, both(Bernoulli, (0, HALF, 1))) for size in (1, 2, 3)),
        both(Blocks, 2, both(Hesitant)),
        both(Blocks, 3, both(Blocks, 2, both(Bernoulli, (0, THIRD, 1)))),
    ]


SCORES = ("probability", "tempered", "margin", "tempered margin", "tempered entropy", "uniform")


def drawing(length):
    """Of those that look at drawn tokens."""
    rows = [both(TokenConfidence, k) for k in range(1, length + 2)]
    rows += [both(Speculative), *(both(Speculative, k) for k in range(1, length + 2))]
    blocks = [both(Blocks, size, row) for size in range(1, length + 1) for row in rows[:4]]
    kept = [both(DrawThenKeep, 1 + i % 2, score) for i, score in enumerate(SCORES)]
    kept += [both(TokenConfidence, k, ties=t) for k in (1, 2) for t in ("highest", "random")]
    kept += [both(DrawThenKeep, 2, "tempered", ties=ties) for ties in ("highest", "random")]
    kept += [both(DrawThenKeep, threshold=threshold) for threshold in (0.0, 0.4, 0.5, 0.7, 1.0)]
    kept += [both(DrawThenKeep, factor=f, ties="highest") for f in (0.5, 1.0, 1.5, 2.5)]
    kept += [
        both(DrawThenKeep, 2, "tempered", threshold=0.5, ties="random"),
        both(DrawThenKeep, 2, factor=1.0, ties="random"),
        both(TokenConfidence, sizes=(0, 1, 0, length - 1)),
        both(DrawThenKeep, score="margin", sizes=(length - 1, 0, 1), ties="random"),
        both(Blocks, length, both(TokenConfidence, sizes=(length - 1, 1, 0), ties="highest")),
        both(Blocks, 2, both(DrawThenKeep, 1, threshold=0.6)),
        both(Blocks, 2, both(DrawThenKeep, 1, "entropy", ties="random")),
    ]
    return [*rows, *blocks, *kept]


def noisy(length):
    """Of those whose scores have Gumbel noise: of floats alone."""
    sizes, falling = (1, 0, 1, length - 2), (4.5, 9.0, 0.5, 0)
    selecting = [
        both(TopK, 1, noise=0.5),
        both(TopK, 2, noise=2.0),
        both(TopK, 2, "margin", noise=0.3, noise_on="score"),
        both(TopK, 2, "entropy", noise=0.4, noise_on="score"),
        both(TopK, sizes=sizes, ties="random", noise=falling),
        both(TopK, sizes=(2, *[1] * (length - 2)), noise=0.25, noise_on="score"),
    ]
    drawing = [
        both(DrawThenKeep, 1, noise=0.5),
        both(DrawThenKeep, 2, "tempered", noise=1.0),
        both(DrawThenKeep, 2, noise=0.25, noise_on="score"),
        both(DrawThenKeep, 1, "tempered entropy", noise=0.5, noise_on="score"),
        both(DrawThenKeep, score="tempered", sizes=sizes, noise=falling),
        both(DrawThenKeep, score="tempered", sizes=(length - 1, 1, 0), ties="random", noise=0.1),
    ]
    inside = [both(Blocks, 2, row) for row in (selecting[0], drawing[0])]
    return [*selecting, both(Mirrored, selecting[1]), *drawing, *inside]


def revising(length):
    """Of those that draw observed sites again."""
    remasking = [both(Remask, times, share) for times in CLOCKS for share in (0, THIRD, 1)]
    remasking += [
        both(Remask, TIMES, 1, THIRD),
        both(Remask, CLOCKS[3], HALF, 0.25, 0.25),
        both(RemaskLoop, 5, 0.75, 0.4, 0.5, THIRD),
        both(Steps, (THIRD, 1, HALF, 1), (1, HALF, 1, 0)),
        both(Blocks, 2, both(Remask, (0, HALF, 1), THIRD)),
        both(Blocks, 3, both(Blocks, 2, both(Remask, (0, HALF, 1), 1))),
    ]
    inners = [
        None,
        both(LeftToRight, length),
        both(TopK, 2),
        both(Threshold, 0.6),
        both(Bernoulli, TIMES),
        both(Blocks, 2, both(FirstHitting)),
        both(TokenConfidence, 1),
        both(Speculative, 2),
        remasking[7],
    ]
    conventions = ("one-hot", "leave-one-out", "flat")
    rewriting = [
        *(both(PathPlanning, steps, o) for steps in (1, 2, 3, 5) for o in conventions),
        *(
            both(Editing, inner, threshold, 4, o)
            for inner, threshold in ((both(TokenConfidence, 1), 0.5), (both(Speculative, 2), 0.0))
            for o in conventions
        ),
    ]
    return [
        *remasking,
        *rewriting,
        *(both(GibbsCorrector, inner, 2) for inner in inners),
        *(both(BlockCorrector, inner, length, 1) for inner in inners),
        *(both(BlockCorrector, i, size, 2) for i in inners[:2] for size in range(1, length + 1)),
        *(both(GibbsCorrector, inner, 0) for inner in inners[:2]),
        *(both(Ends, inner, 2) for inner in inners[:2]),
        both(GibbsCorrector, both(BlockCorrector, None, 1, 1), 1),
        *informed(inners),
    ]


def informed(inners=(None,)):
    """Correctors that choose the site by what is written, with and without repair."""
    rows = [
        both(InformedCorrector, inner, 2, selection, temperature)
        for inner in inners[:2]
        for selection in ("confidence", "current", "margin", "random")
        for temperature in (1, HALF)
    ]
    rows += [
        both(InformedCorrector, inner, 2, selection, 1, "accept")
        for inner in inners[:2]
        for selection in ("confidence", "current", "margin")
    ]
    rows += [
        both(InformedCorrector, None, 1, selection, HALF, "stay")
        for selection in ("confidence", "random")
    ]
    return [*rows, *(both(InformedCorrector, inner, 1, "current") for inner in inners[2:])]


# Distributions, exact ones first

EXACT = {
    "dense": table("", random_weights(5, (2, 2, 2))),
    "zeros": table("", [[[0, 1], [2, 0]], [[1, 0], [0, 3]]]),
    "parity": table("", XOR),
    "all equal": table("", [[[1, 1], [1, 1]], [[1, 1], [1, 1]]]),
    "three tokens": table("", [[0, 2, 1], [2, 1, 0], [4, 0, 2]]),
    "four sites": named("table zeros"),
    "chain": chain("", row(2, 1), rows((1, 3), (0, 1)), 4),
    "one site": named("table one site"),
    "one possible": named("table one site, one possible"),
    "one token": named("table one token"),
    "one site, one token": named("table one site, one token"),
}
FLOATS = {
    "dense, three tokens": named("table dense"),
    "hmm": named("hmm shown states"),
    "mixture": named("mixture some zeros"),
    "empirical": empirical("", [[0, 1, 1], [1, 0, 1], [0, 1, 1], [0, 0, 0]]),
}
SMALL = EXACT | FLOATS


def rows_for(case):
    """Those of every kind that the oracle can follow in good time."""
    if case.length <= 4:
        yield from selecting(case.length, case.vocab)
    if case.length <= 3:
        yield from drawing(case.length)
        yield from revising(case.length)


def over(pairs):
    """One test for all these pairs of a policy and its oracle."""
    return each(("policy", "decoder"), pairs, ids=[repr(policy) for policy, _ in pairs])


# Denoisers, as functions of a tuple


@functools.cache
def zero_loss(case):
    """Where a context is impossible it answers with the marginals."""
    return oracles.zero_loss(case.joint, case.vocab, "marginal")


def tempering(temperature):
    return lambda row: oracles.tempered(row, temperature)


def one_hot(token, vocab):
    return [Fraction(v == token) for v in range(vocab)]


@functools.cache
def wrong(length, vocab):
    """Predictions that have nothing to do with the data."""

    @functools.cache
    def predict(pattern):
        answer = random_rows(repr(pattern), length, vocab)
        return [r if o == MASK else one_hot(o, vocab) for o, r in zip(pattern, answer, strict=True)]

    return predict


@functools.cache
def blunt(length, vocab):
    """Few values, many ties, and zeros; at observed sites it does not answer one-hot."""

    @functools.cache
    def predict(pattern):
        weights = random_weights(f"blunt {pattern}", (length, vocab), zeros=0.3)
        return [row(*(min(w, 2) for w in r)) if any(r) else one_hot(0, vocab) for r in weights]

    return predict


def as_denoiser(predict, vocab, exact=False):
    def denoiser(x):
        answer = [predict(tuple(pattern)) for pattern in x.tolist()]
        out = np.array(answer, object) if exact else np.array(floats(answer), dtype=float)
        return out.reshape(*x.shape, vocab)

    return denoiser


def answers_of(case, denoiser):
    """The rows of a denoiser as an oracle's ``predict``."""
    answers = denoiser(np.asarray(case.patterns))
    return dict(zip(case.patterns, answers.tolist(), strict=True)).__getitem__


# What is compared

LEVEL = 1e-6  # of the chi-square tests; seeds are fixed
LEAST = 5  # expected in a bin; rarer ones are put into one


def assert_drawn_from(counts, probabilities):
    """Whether counts are those of independent draws: two mappings, or two arrays.

    Nothing of probability 0 is ever drawn.
    """
    if isinstance(counts, dict):
        assert counts.keys() <= probabilities.keys()
        counts, probabilities = [counts[key] for key in probabilities], [*probabilities.values()]
    counts = np.asarray(counts, dtype=float).reshape(-1)
    probabilities = np.asarray(probabilities, dtype=float).reshape(-1)
    assert probabilities.sum() == pytest.approx(1)
    assert counts[probabilities < 1e-14].sum() == 0
    expected = counts.sum() * probabilities
    often = expected >= LEAST
    bins = list(zip(expected[often], counts[often], strict=True))
    rare = expected[~often].sum(), counts[~often].sum()
    if rare[0] < LEAST:
        bins.sort()
        smallest = bins.pop(0)
        rare = rare[0] + smallest[0], rare[1] + smallest[1]
    bins.append(rare)
    if len(bins) > 1:
        statistic = sum((n - e) ** 2 / e for e, n in bins)
        assert statistic < chi2.isf(LEVEL, len(bins) - 1)


def assert_same_numbers(actual, expected):
    """Of two mappings; what is missing counts as 0."""
    for key in {*actual, *expected}:
        assert float(actual.get(key, 0)) == close(expected.get(key, 0)), key


def assert_divergences(q, joint, expected, decoder):
    """In floats, whether the numbers are exact or not."""
    kl = oracles.kl_divergence(joint, expected.table)
    assert float(q.kl) == close(kl)
    assert float(q.reverse_kl) == close(oracles.kl_divergence(expected.table, joint))
    if expected.costs is None:
        assert len(q.round_costs) == 0
        looks = isinstance(decoder, slow.Drawing)
        assert float(q.path_kl) == (close(kl) if looks else pytest.approx(math.nan, nan_ok=True))
    else:
        assert float(q.path_kl) == close(sum(expected.costs))
        costs = [float(cost) for cost in q.round_costs]
        for cost, other in itertools.zip_longest(costs, expected.costs, fillvalue=0):
            assert cost == close(other)
        assert sum(costs) == close(sum(expected.costs))


def assert_output(q, case, expected, decoder):
    """Everything about an output: Fractions are equal, floats and divergences close."""
    joint, exact = case.joint, q.p.exact
    same = (lambda number: number) if exact else close
    table = {x: q.table[x] for x in joint}
    if exact:
        assert table == expected.table
        assert dict(q.rounds) == expected.rounds
        for number in (q.tv, q.valid_mass, *q.rounds.values()):
            assert not isinstance(number, float)
    else:
        assert q.table.dtype == np.float64
        values = [float(expected.table[x]) for x in table]
        np.testing.assert_allclose([*table.values()], values, rtol=1e-11, atol=1e-15)
        assert_same_numbers(q.rounds, expected.rounds)
    assert q.expected_rounds == same(expected.expected_rounds)
    assert q.tv == same(slow.total_variation(joint, expected.table))
    assert q.valid_mass == same(slow.possible_mass(joint, expected.table))
    assert_divergences(q, joint, expected, decoder)
    if expected.on_data is None:
        assert math.isnan(q.expected_rounds_on_data)
    else:
        assert q.expected_rounds_on_data == same(expected.on_data)
        assert not (exact and isinstance(q.expected_rounds_on_data, float))
