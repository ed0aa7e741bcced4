"""Hypothesis strategies for distributions, evidence and schedules that shrink to readable examples.

With them a conjecture of your own is tested. Weights are small integers, so a counterexample
shrinks to a table that a person can read, and ``exact=True`` gives the same table in Fractions,
where an equality needs no tolerance.

Examples
--------
Is the total correlation always at most the dual total correlation? No, and Hypothesis says
where it fails:

>>> import hypothesis
>>> from theory import information, strategies
>>> def holds(p):
...     return information.total_correlation(p) <= information.dual_total_correlation(p)
>>> p = hypothesis.find(
...     strategies.joint_tables(lengths=(3, 3), vocabs=(2, 2)),
...     lambda p: not holds(p),
...     settings=hypothesis.settings(derandomize=True, database=None),
... )
>>> p.length, p.vocab
(3, 2)
"""

import functools
import math
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np
from hypothesis.strategies import SearchStrategy

from theory._core.arrays import MASK, to_host
from theory.distributions import (
    Distribution,
    EmpiricalDistribution,
    Exchangeable,
    HiddenMarkovModel,
    JointTable,
    MarkovChain,
    ProductMixture,
)
from theory.errors import InvalidInput
from theory.schedules import Cosine, GeometricOdds, Linear, LogLinear, NoiseSchedule
from theory.validation.arguments import as_integer

__all__ = [
    "chains",
    "distributions",
    "empirical_distributions",
    "evidence",
    "exchangeables",
    "hidden_markov_models",
    "joint_tables",
    "masks",
    "noise_schedules",
    "orderings",
    "product_mixtures",
    "rationals",
    "schedules",
]

Range = tuple[int, int]


# Composite strategies build their parts anew on every draw: the parts are cached, because
# Hypothesis analyses every new strategy before its first draw.


def _range(bounds: Range, name: str, low: int, high: int | None = None) -> SearchStrategy[int]:
    """Integers between two bounds, the lower of which lies between `low` and `high`."""
    if not isinstance(bounds, tuple) or len(bounds) != 2:
        raise InvalidInput(f"{name} must be a pair (least, most), got {bounds!r}")
    least, most = (as_integer(b, name, low) for b in bounds)
    if least > most or (high is not None and least > high):
        limit = "" if high is None else f" and least at most {high}"
        raise InvalidInput(f"{name} must be (least, most), least first{limit}, got {bounds!r}")
    return _integers(least, most if high is None else min(most, high))


@functools.cache
def _integers(least: int, most: int) -> SearchStrategy[int]:
    return st.integers(least, most)


@functools.cache
def _placed(count: int, length: int) -> SearchStrategy[list[bool]]:
    """Lists of `length` bools of which `count` are True."""
    return st.permutations([False] * (length - count) + [True] * count)


def _weights(count: int, most: int, *, positive: bool = False) -> SearchStrategy[list[int]]:
    """Integer weights that are not all zero."""
    return _integer_weights(count, as_integer(most, "most", 1), positive)


@functools.cache
def _integer_weights(count: int, most: int, positive: bool) -> SearchStrategy[list[int]]:
    least = 1 if positive else 0
    drawn = st.lists(st.integers(least, most), min_size=count, max_size=count)
    return drawn if positive else drawn.filter(any)


def _rows(count: int, width: int, most: int, exact: bool) -> SearchStrategy[np.ndarray]:
    """A matrix of `count` distributions."""
    return _normalised_rows(count, width, as_integer(most, "most", 1), bool(exact))


@functools.cache
def _normalised_rows(count: int, width: int, most: int, exact: bool) -> SearchStrategy[np.ndarray]:

    def normalise(rows: list[list[int]]) -> np.ndarray:
        if exact:
            fractions = [[Fraction(w, sum(row)) for w in row] for row in rows]
            return np.asarray(fractions, dtype=object)
        return np.asarray([[w / sum(row) for w in row] for row in rows])

    return st.lists(_weights(width, most), min_size=count, max_size=count).map(normalise)


@st.composite
def joint_tables(
    draw: st.DrawFn,
    *,
    lengths: Range = (1, 3),
    vocabs: Range = (2, 3),
    most: int = 5,
    full_support: bool = False,
    exact: bool = False,
) -> JointTable:
    """Joint tables with integer weights 0..most.

    Parameters
    ----------
    lengths, vocabs : (int, int)
        Least and greatest length and vocabulary size.
    most : int
        Greatest weight.
    full_support : bool
        Leave out tables with zeros.
    exact : bool
        Hold Fractions instead of floats.

    Examples
    --------
    >>> import hypothesis
    >>> hypothesis.find(joint_tables(lengths=(2, 2), vocabs=(2, 2)), lambda p: True).table()
    array([[0., 0.],
           [0., 1.]])
    """
    length = draw(_range(lengths, "lengths", 1))
    vocab = draw(_range(vocabs, "vocabs", 1))
    weights = draw(_weights(vocab**length, most, positive=full_support))
    return JointTable(np.reshape(weights, (vocab,) * length), exact=exact)


@st.composite
def chains(
    draw: st.DrawFn,
    *,
    lengths: Range = (1, 4),
    vocabs: Range = (2, 3),
    most: int = 5,
    exact: bool = False,
) -> MarkovChain:
    """Markov chains, the reducible and periodic ones included. Arguments as `joint_tables`."""
    vocab = draw(_range(vocabs, "vocabs", 1))
    initial = draw(_rows(1, vocab, most, exact))[0]
    transition = draw(_rows(vocab, vocab, most, exact))
    return MarkovChain(initial, transition, draw(_range(lengths, "lengths", 1)), exact=exact)


@st.composite
def hidden_markov_models(
    draw: st.DrawFn,
    *,
    lengths: Range = (1, 4),
    vocabs: Range = (2, 3),
    states: Range = (1, 3),
    most: int = 5,
) -> HiddenMarkovModel:
    """Hidden Markov models. Arguments as `joint_tables`; `states` bounds the hidden states."""
    vocab, hidden = draw(_range(vocabs, "vocabs", 1)), draw(_range(states, "states", 1))
    return HiddenMarkovModel(
        draw(_rows(1, hidden, most, False))[0],
        draw(_rows(hidden, hidden, most, False)),
        draw(_rows(hidden, vocab, most, False)),
        draw(_range(lengths, "lengths", 1)),
    )


@st.composite
def product_mixtures(
    draw: st.DrawFn,
    *,
    lengths: Range = (1, 4),
    vocabs: Range = (2, 3),
    components: Range = (1, 3),
    most: int = 5,
) -> ProductMixture:
    """Mixtures of products. Arguments as `joint_tables`."""
    count = draw(_range(components, "components", 1))
    length, vocab = draw(_range(lengths, "lengths", 1)), draw(_range(vocabs, "vocabs", 1))
    sites = draw(_rows(count * length, vocab, most, False))
    return ProductMixture(draw(_weights(count, most)), sites.reshape(count, length, vocab))


@st.composite
def empirical_distributions(
    draw: st.DrawFn,
    *,
    lengths: Range = (1, 4),
    vocabs: Range = (2, 3),
    sequences: Range = (1, 6),
    most: int = 5,
) -> EmpiricalDistribution:
    """Weighted sequences, repetitions included. Arguments as `joint_tables`."""
    count = draw(_range(sequences, "sequences", 1))
    length, vocab = draw(_range(lengths, "lengths", 1)), draw(_range(vocabs, "vocabs", 1))
    row = st.lists(st.integers(0, vocab - 1), min_size=length, max_size=length)
    rows = draw(st.lists(row, min_size=count, max_size=count))
    return EmpiricalDistribution(rows, draw(_weights(count, most)), vocab=vocab)


@st.composite
def exchangeables(
    draw: st.DrawFn, *, lengths: Range = (1, 4), most: int = 5, exact: bool = False
) -> Exchangeable:
    """Exchangeable bits. Arguments as `joint_tables`; `most` bounds the weights of the counts.

    >>> import hypothesis
    >>> hypothesis.find(exchangeables(lengths=(2, 2)), lambda p: True).count_weights
    array([0., 0., 1.])
    """
    length = draw(_range(lengths, "lengths", 1))
    return Exchangeable(draw(_weights(length + 1, most)), exact=exact)


def distributions(
    *, lengths: Range = (1, 3), vocabs: Range = (2, 3), most: int = 5
) -> SearchStrategy[Distribution]:
    """Distributions of every family, in floats; exchangeable ones where `vocabs` allows 2."""
    size: dict[str, Any] = {"lengths": lengths, "vocabs": vocabs, "most": most}
    _range(vocabs, "vocabs", 1)  # checks them
    bits = [exchangeables(lengths=lengths, most=most)] if vocabs[0] <= 2 <= vocabs[1] else []
    return st.one_of(
        joint_tables(**size),
        chains(**size),
        hidden_markov_models(**size),
        product_mixtures(**size),
        empirical_distributions(**size),
        *bits,
    )


def masks(length: int, *, masked: Range | None = None) -> SearchStrategy[tuple[bool, ...]]:
    """Which sites are masked; `masked` bounds their number.

    >>> import hypothesis
    >>> hypothesis.find(masks(3, masked=(2, 2)), lambda m: True)
    (False, True, True)
    """
    length = as_integer(length, "length", 1)
    return _masks(length, None if masked is None else _range(masked, "masked", 0, length))


@functools.cache
def _masks(length: int, counts: SearchStrategy[int] | None) -> SearchStrategy[tuple[bool, ...]]:
    if counts is None:
        return st.lists(st.booleans(), min_size=length, max_size=length).map(tuple)
    return counts.flatmap(lambda count: _placed(count, length)).map(tuple)


@st.composite
def evidence(draw: st.DrawFn, p: Distribution, *, masked: Range | None = None) -> np.ndarray:
    """Patterns of positive probability, shape (L,); `masked` bounds the masked sites.

    >>> import hypothesis
    >>> hypothesis.find(evidence(JointTable([[0, 0], [0, 1]]), masked=(1, 1)), lambda x: True)
    array([ 1, -1])
    """
    support = np.argwhere(to_host(p.table()) != 0)
    sequence = support[draw(st.integers(0, len(support) - 1))]
    return np.where(draw(masks(p.length, masked=masked)), MASK, sequence).astype(np.int64)


def schedules(length: int, *, rounds: Range | None = None) -> SearchStrategy[tuple[int, ...]]:
    """Batch sizes: positive integers that sum to `length`; `rounds` bounds their number.

    >>> import hypothesis
    >>> hypothesis.find(schedules(4), lambda sizes: len(sizes) > 1)
    (3, 1)
    """
    length = as_integer(length, "length", 1)
    return _sizes(length, None if rounds is None else _range(rounds, "rounds", 1, length))


@functools.cache
def _sizes(length: int, counts: SearchStrategy[int] | None) -> SearchStrategy[tuple[int, ...]]:
    def sizes(cuts: list[bool]) -> tuple[int, ...]:
        ends = [i + 1 for i, cut in enumerate(cuts) if cut] + [length]
        return tuple(b - a for a, b in zip([0, *ends], ends, strict=False))

    if counts is None:
        return st.lists(st.booleans(), min_size=length - 1, max_size=length - 1).map(sizes)
    return counts.flatmap(lambda count: _placed(count - 1, length - 1)).map(sizes)


@functools.cache
def noise_schedules() -> SearchStrategy[NoiseSchedule]:
    """Levels of noise over time: one of each kind in `theory.schedules`.

    >>> import hypothesis
    >>> hypothesis.find(noise_schedules(), lambda schedule: schedule.alpha(1.0) > 0.1)
    LogLinear(end=0.5)
    """
    ends = rationals(most=8).map(float)
    return st.one_of(
        st.builds(Linear),
        st.builds(Cosine),
        st.builds(LogLinear, ends),
        st.builds(GeometricOdds, ends.filter(lambda end: end < 0.5)),
    )


def orderings(length: int) -> SearchStrategy[tuple[int, ...]]:
    """Orders in which sites are revealed one at a time.

    >>> import hypothesis
    >>> hypothesis.find(orderings(3), lambda order: True)
    (0, 1, 2)
    """
    return _orderings(as_integer(length, "length", 1))


@functools.cache
def _orderings(length: int) -> SearchStrategy[tuple[int, ...]]:
    return st.permutations(range(length)).map(tuple)


def rationals(*, most: int = 6) -> SearchStrategy[Fraction]:
    """Fractions strictly between 0 and 1 with denominators up to `most`.

    >>> import hypothesis
    >>> hypothesis.find(rationals(), lambda a: True)
    Fraction(1, 2)
    """
    return _rationals(as_integer(most, "most", 2))


@functools.cache
def _rationals(most: int) -> SearchStrategy[Fraction]:
    values = {Fraction(a, b) for b in range(2, most + 1) for a in range(1, b)}
    return st.sampled_from(sorted(values, key=lambda v: (v.denominator, math.floor(v * most))))
