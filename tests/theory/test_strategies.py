"""The strategies: valid objects within bounds, counterexamples that can be read, bad bounds."""

import math
from fractions import Fraction
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import oracles
from tests.noted import each, refusals
from theory import (
    MASK,
    Distribution,
    EmpiricalDistribution,
    Exchangeable,
    HiddenMarkovModel,
    JointTable,
    MarkovChain,
    ProductMixture,
    gallery,
    schedules,
    strategies,
)

SAME = hypothesis.settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=2000,
    phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink],
)


def simplest(strategy, condition=lambda value: True):
    return hypothesis.find(strategy, condition, settings=SAME)


def find(strategy, condition=lambda value: True):
    """A value that meets the condition, not shrunk."""
    return hypothesis.find(
        strategy, condition, settings=hypothesis.settings(SAME, phases=[hypothesis.Phase.generate])
    )


FAMILIES: dict[str, tuple[Any, type, dict[str, Any]]] = {
    "joint_tables": (strategies.joint_tables, JointTable, {}),
    "full support": (strategies.joint_tables, JointTable, {"full_support": True}),
    "exact tables": (strategies.joint_tables, JointTable, {"exact": True}),
    "chains": (strategies.chains, MarkovChain, {}),
    "exact chains": (strategies.chains, MarkovChain, {"exact": True}),
    "hidden_markov_models": (strategies.hidden_markov_models, HiddenMarkovModel, {}),
    "product_mixtures": (strategies.product_mixtures, ProductMixture, {}),
    "empirical_distributions": (strategies.empirical_distributions, EmpiricalDistribution, {}),
    "distributions": (strategies.distributions, Distribution, {}),
}
each_family = pytest.mark.parametrize("name", FAMILIES)


@st.composite
def bounds(draw, low, high):
    least = draw(st.integers(low, high))
    return least, draw(st.integers(least, high))


# Distributions


@each_family
@given(data=st.data())
def test_distributions_are_valid_and_within_their_bounds(name, data):
    build, family, options = FAMILIES[name]
    lengths, vocabs = data.draw(bounds(1, 4)), data.draw(bounds(1, 3))
    p = data.draw(build(lengths=lengths, vocabs=vocabs, **options))
    assert isinstance(p, family)
    assert lengths[0] <= p.length <= lengths[1]
    assert vocabs[0] <= p.vocab <= vocabs[1]
    table = p.table()
    assert table.shape == (p.vocab,) * p.length
    assert (table >= 0).all()
    assert p.exact is options.get("exact", False)
    if p.exact:
        assert table.sum() == 1
        assert all(isinstance(v, Fraction) for v in table.ravel())
    else:
        assert table.dtype == np.float64
        assert table.sum() == pytest.approx(1, rel=1e-12)
    if options.get("full_support"):
        assert (table > 0).all()


@given(data=st.data(), exact=st.booleans())
def test_exchangeable_bits_are_valid_and_within_their_bounds(data, exact):
    lengths = data.draw(bounds(1, 5))
    p = data.draw(strategies.exchangeables(lengths=lengths, most=4, exact=exact))
    assert isinstance(p, Exchangeable)
    assert lengths[0] <= p.length <= lengths[1]
    assert (p.vocab, p.exact) == (2, exact)
    assert p.count_weights.sum() == (1 if exact else pytest.approx(1))
    if exact:
        assert all(q.denominator <= 4 * (p.length + 1) for q in p.count_weights)


@given(st.data(), st.integers(1, 7))
def test_weights_are_integers_up_to_the_greatest(data, most):
    """The lattice holds them: with one common denominator, the numerators are the weights."""
    p = data.draw(strategies.joint_tables(most=most, exact=True))
    weights = p.lattice().numerators[(slice(0, p.vocab),) * p.length]
    assert 0 < weights.max() <= most
    assert weights.min() >= 0
    assert weights.sum() == p.lattice().denominator


@given(
    strategies.chains(exact=True, most=4),
    strategies.hidden_markov_models(states=(2, 3)),
    strategies.product_mixtures(components=(2, 4)),
    strategies.empirical_distributions(sequences=(2, 3)),
)
def test_parameters_stay_within_their_bounds(chain, hidden, mixture, data):
    for row in (chain.initial, *chain.transition):
        assert sum(row) == 1
        assert all(isinstance(v, Fraction) and v.denominator <= 4 * chain.vocab for v in row)
    assert 2 <= len(hidden.initial) <= 3
    assert 2 <= len(mixture.weights) <= 4
    assert 1 <= len(data.sequences) <= 3


def as_tuple(x):
    return tuple(np.ravel(x).tolist())


# strategy: (what is looked at, every value of it that has to be drawn)
SMALL_CHAINS = strategies.chains(vocabs=(2, 2), exact=True)
ALL_DRAWN = {
    "families": (
        strategies.distributions(),
        type,
        [
            *(JointTable, MarkovChain, HiddenMarkovModel),
            *(ProductMixture, EmpiricalDistribution, Exchangeable),
        ],
    ),
    "reducible and periodic chains": (
        SMALL_CHAINS,
        lambda p: as_tuple(p.transition),
        [(1, 0, 0, 1), (0, 1, 1, 0)],
    ),
    "evidence of two equal bits": (
        strategies.evidence(gallery.coupled_pairs(1)),
        as_tuple,
        [(a, b) for a in (MASK, 0, 1) for b in (MASK, 0, 1) if MASK in (a, b) or a == b],
    ),
    "evidence of exact distributions": (
        strategies.evidence(gallery.parity(3, exact=True), masked=(1, 1)),
        lambda x: (x == MASK).sum(),
        [1],
    ),
    "schedules": (strategies.schedules(4), lambda sizes: sizes, oracles.compositions(4)),
    # of the 2^39 schedules of 40 sites
    "only with 40 rounds": (strategies.schedules(40, rounds=(40, 40)), len, [40]),
    "only with one round": (strategies.schedules(40, rounds=(1, 1)), len, [1]),
    "with few rounds": (strategies.schedules(40, rounds=(2, 3)), len, [2, 3]),
    "with as many rounds as there are": (strategies.schedules(5, rounds=(4, 100)), len, [4, 5]),
    "rationals": (
        strategies.rationals(most=4),
        lambda value: value,
        [Fraction(1, 2), Fraction(1, 3), Fraction(2, 3), Fraction(1, 4), Fraction(3, 4)],
    ),
    "noise schedules": (
        strategies.noise_schedules(),
        type,
        [schedules.Linear, schedules.Cosine, schedules.LogLinear, schedules.GeometricOdds],
    ),
}


@each(("strategy", "of", "values"), ALL_DRAWN.values(), ids=ALL_DRAWN)
def test_all_that_there_is_is_drawn(strategy, of, values):
    for value in values:
        assert of(find(strategy, lambda drawn, value=value: of(drawn) == value)) == value


@given(strategies.distributions(vocabs=(1, 1)), strategies.distributions(vocabs=(3, 4)))
def test_exchangeable_bits_are_drawn_only_where_there_may_be_two_tokens(single, many):
    assert not isinstance(single, Exchangeable)
    assert not isinstance(many, Exchangeable)


def test_repeated_sequences_and_impossible_evidence_are_drawn():
    p = find(strategies.joint_tables(lengths=(2, 2)), lambda p: (p.table() == 0).any())
    assert (p.table() == 0).any()
    p = find(
        strategies.empirical_distributions(lengths=(2, 2), sequences=(3, 3)),
        lambda p: p.table().max() == 1,
    )
    assert np.count_nonzero(p.table()) == 1


def test_the_simplest_objects_are_the_smallest():
    """Least size, least masks, fewest rounds or sites in order, least denominator."""
    p = simplest(strategies.joint_tables(lengths=(2, 4), vocabs=(2, 3)))
    assert np.count_nonzero(p.table()) == 1
    assert p.table().shape == (2, 2)
    assert simplest(strategies.chains(lengths=(2, 4), vocabs=(2, 3))).length == 2
    assert simplest(strategies.masks(3)) == (False,) * 3
    assert simplest(strategies.schedules(3)) == (3,)
    assert simplest(strategies.orderings(3)) == (0, 1, 2)
    assert simplest(strategies.rationals()) == Fraction(1, 2)


# Masks, evidence, schedules, orderings, rationals


@given(st.integers(1, 6), st.data())
def test_masks_mask_as_many_sites_as_allowed(length, data):
    masked = data.draw(st.none() | bounds(0, length))
    mask = data.draw(strategies.masks(length, masked=masked))
    assert isinstance(mask, tuple)
    assert len(mask) == length
    assert all(type(m) is bool for m in mask)
    if masked is not None:
        assert masked[0] <= sum(mask) <= masked[1]


@given(strategies.distributions(), st.data())
def test_evidence_is_possible(p, data):
    masked = data.draw(st.none() | bounds(0, p.length))
    x = data.draw(strategies.evidence(p, masked=masked))
    assert x.shape == (p.length,)
    assert x.dtype == np.int64
    assert p.evidence(x) > 0
    if masked is not None:
        assert masked[0] <= (x == MASK).sum() <= masked[1]


@given(st.integers(1, 12), st.data())
def test_schedules_sum_to_the_length_in_as_many_rounds_as_allowed(length, data):
    rounds = data.draw(st.none() | bounds(1, length))
    sizes = data.draw(strategies.schedules(length, rounds=rounds))
    assert isinstance(sizes, tuple)
    assert all(type(s) is int and s >= 1 for s in sizes)
    assert sum(sizes) == length
    if rounds is not None:
        assert rounds[0] <= len(sizes) <= rounds[1]


@given(st.integers(1, 6), st.data())
def test_orderings_are_permutations(length, data):
    order = data.draw(strategies.orderings(length))
    assert isinstance(order, tuple)
    assert sorted(order) == list(range(length))


@given(st.integers(2, 9), st.data())
def test_rationals_lie_strictly_between_zero_and_one(most, data):
    value = data.draw(strategies.rationals(most=most))
    assert isinstance(value, Fraction)
    assert 0 < value < 1
    assert value.denominator <= most


@given(strategies.noise_schedules())
def test_noise_schedules_fall(schedule):
    """Every kind runs from (nearly) clean to (nearly) masked."""
    levels = schedule.levels(8)
    assert (np.diff(levels) < 0).all()
    assert 1 >= schedule.alpha(0.0) > schedule.alpha(0.5) > schedule.alpha(1.0) >= 0


BAD_BOUNDS: list[Any] = [
    (3, 1),
    (0, 2),
    (-1, 2),
    (1.0, 2),
    (1, 2.5),
    (1, 2, 3),
    (True, 2),
    ("1", "2"),
    (None, 2),
    (1, math.nan),
    2,
    None,
    "12",
]


def drawn(build, **options):
    """As a call with one argument, by its name."""
    (name,) = (name for name, value in options.items() if value is ...)
    others = {key: value for key, value in options.items() if key != name}
    return lambda bad: find(build(**{name: bad}, **others))


NO_COUNTS = [0, -1, 1.5, "2", None, True]
BUILDERS = [(build, options) for build, _, options in FAMILIES.values()]
# no bounds, or (0, 2), are fine for masks; for four sites, these are not
BAD_MASKS = [bad for bad in BAD_BOUNDS if bad is not None and bad != (0, 2)] + [(5, 6)]
BAD_ROUNDS = [bad for bad in BAD_BOUNDS if bad is not None] + [(5, 6)]

test_what_is_refused = refusals(
    *(
        (name, drawn(build, **{name: ...}, **options), BAD_BOUNDS)
        for build, options in BUILDERS
        for name in ("lengths", "vocabs")
    ),
    *(("most", drawn(build, most=..., **options), NO_COUNTS) for build, options in BUILDERS),
    ("lengths", drawn(strategies.exchangeables, lengths=...), BAD_BOUNDS),
    ("most", drawn(strategies.exchangeables, most=...), NO_COUNTS),
    ("states", drawn(strategies.hidden_markov_models, states=...), BAD_BOUNDS),
    ("components", drawn(strategies.product_mixtures, components=...), BAD_BOUNDS),
    ("sequences", drawn(strategies.empirical_distributions, sequences=...), BAD_BOUNDS),
    ("masked", drawn(strategies.masks, length=4, masked=...), BAD_MASKS),
    ("masked", drawn(strategies.evidence, p=gallery.parity(4), masked=...), BAD_MASKS),
    ("rounds", drawn(strategies.schedules, length=4, rounds=...), BAD_ROUNDS),
    ("length", drawn(strategies.masks, length=...), NO_COUNTS),
    ("length", drawn(strategies.schedules, length=...), NO_COUNTS),
    ("length", drawn(strategies.orderings, length=...), NO_COUNTS),
    ("most", drawn(strategies.rationals, most=...), [*NO_COUNTS, 1]),
)
