"""Arguments to draw, chains, symbolic tables and named distributions that several claims share."""

import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np
from hypothesis.strategies import SearchStrategy

from theory import gallery, strategies
from theory._core.arrays import MASK, to_host, xlogx
from theory._core.types import Number
from theory.claims.kit.declaration import Size
from theory.distributions import Distribution, JointTable, MarkovChain
from theory.errors import TooLarge
from theory.homogenization.structure import structure

__all__ = [
    "Size",
    "bit_entropy",
    "chain_of_weights",
    "challengers",
    "equal_bits_and_parity",
    "every_pattern",
    "flips",
    "grids",
    "in_arithmetic_of",
    "inner_levels",
    "levels",
    "named_distributions",
    "positive_chains",
    "shares",
    "start_as_it_is",
    "stationary_start",
    "symbolic_table",
    "weight_rows",
]


MAX_PATTERNS = 20_000
"""Checks that go through every pattern of a distribution do so up to this number."""

MAX_ENTRIES = 1000
"""Checks that draw tables of the same size as a distribution do so up to this number of
entries."""


def every_pattern(p: Distribution, *, masked: bool = True) -> Iterator[np.ndarray]:
    """All patterns (L,) of observed tokens and masks; without masks, all sequences.

    >>> [x.tolist() for x in every_pattern(JointTable([1, 1]))]
    [[0], [1], [-1]]
    """
    slots = (*range(p.vocab), MASK) if masked else tuple(range(p.vocab))
    count = len(slots) ** p.length
    if count > MAX_PATTERNS:
        raise TooLarge(
            f"this check goes through all {count:.3g} patterns of {p.length} sites and "
            f"{p.vocab} tokens; it does so up to {MAX_PATTERNS}"
        )
    for pattern in itertools.product(slots, repeat=p.length):
        yield np.asarray(pattern)


def in_arithmetic_of(
    p: Size | Distribution, drawn: SearchStrategy[Fraction]
) -> SearchStrategy[Any]:
    """Fractions for an exact distribution, else floats."""
    return drawn if p.exact else drawn.map(float)


def levels(p: Size | Distribution) -> SearchStrategy[Any]:
    """Numbers strictly between 0 and 1, in the arithmetic of `p`."""
    return in_arithmetic_of(p, strategies.rationals())


def inner_levels(p: Size | Distribution, most: int) -> SearchStrategy[list[Number]]:
    """At most `most` different levels between the ends of a grid."""
    return st.lists(levels(p), max_size=most, unique=True)


def grids(p: Size | Distribution, most: int) -> SearchStrategy[list[Number]]:
    """Grids of levels that fall from 1 to 0, with at most `most` between them."""
    return inner_levels(p, most).map(lambda inner: [1, *sorted(inner, reverse=True), 0])


def challengers(p: Size | Distribution) -> SearchStrategy[JointTable]:
    """Tables of the size of `p` with full support, whose denoisers compete with that of `p`."""
    if p.vocab**p.length > MAX_ENTRIES:
        raise TooLarge(
            f"this check draws competing tables of {p.length} sites and {p.vocab} tokens, with "
            f"{p.vocab**p.length:.3g} entries; it does so up to {MAX_ENTRIES}"
        )
    return strategies.joint_tables(
        lengths=(p.length, p.length),
        vocabs=(p.vocab, p.vocab),
        full_support=True,
        exact=p.exact,
    )


def shares(rows: Sequence[Sequence[int]]) -> np.ndarray:
    """Rows of integer weights as rows of Fractions that sum to 1.

    >>> shares([[1, 3]]).tolist()
    [[Fraction(1, 4), Fraction(3, 4)]]
    """
    return np.asarray([[Fraction(w, sum(row)) for w in row] for row in rows])


def chain_of_weights(
    rows: Sequence[Sequence[int]], length: int = 2, *, exact: bool = True
) -> MarkovChain:
    """The chain from token 0 whose steps have these integer weights."""
    start = [1, *[0] * (len(rows) - 1)]
    return MarkovChain(start, shares(rows), length, exact=exact)


def weight_rows(count: int, width: int, least: int, most: int) -> SearchStrategy[list[list[int]]]:
    """Rows of integer weights that are not all zero."""
    row = st.lists(st.integers(least, most), min_size=width, max_size=width).filter(any)
    return st.lists(row, min_size=count, max_size=count)


def positive_chains(most: int, *, exact: bool) -> SearchStrategy[MarkovChain]:
    """Chains of two or three tokens all of which may follow each other, with weights 1..most."""
    rows = st.integers(2, 3).flatmap(lambda n: weight_rows(n, n, 1, most))
    return rows.map(lambda drawn: chain_of_weights(drawn, exact=exact))


def equal_bits_and_parity(
    *, lengths: tuple[int, int] = (2, 5), exact: bool = True
) -> SearchStrategy[JointTable]:
    """Equal bits and parity: the profile falls once, first or last, where many bounds are tight.

    To be drawn beside others, which rarely come near.
    """
    least, most = lengths
    tables: list[JointTable] = []
    for length in range(least, most + 1):
        equal = np.zeros((2,) * length, dtype=np.int64)
        equal[(0,) * length] = equal[(1,) * length] = 1
        tables += [JointTable(equal, exact=exact), gallery.parity(length, exact=exact)]
    return st.sampled_from(tables)


def flips(flip: Any, steps: Any) -> Any:
    """Probability that bits so many steps apart differ, if each step flips with `flip`."""
    return (1 - (1 - 2 * flip) ** steps) / 2


def bit_entropy(share: Any) -> Any:
    """Entropy in nats of a bit that is 1 with this probability."""
    return -xlogx(np.asarray([share, 1 - share])).sum()


def symbolic_table(length: int = 2) -> JointTable:
    """Joint table of bits whose entries are positive symbols: 2 x 2, or 2 x 2 x 2.

    >>> symbolic_table().weights.values.tolist()
    [[a, b], [c, d]]
    """
    import sympy

    names = "a b c d e f g h"[: 2 * 2**length - 1]
    entries = np.asarray(sympy.symbols(names, positive=True), dtype=object)
    return JointTable(entries.reshape((2,) * length), exact=True)


def named_distributions(words_of: int = 3) -> dict[str, Distribution]:
    """Distributions of the numeric level, by name."""
    return {
        "repeated_bit(5)": gallery.repeated_bit(5),
        "repeated_bit(5, noise=0.1)": gallery.repeated_bit(5, noise=0.1),
        "parity(5)": gallery.parity(5),
        "coupled_pairs(3)": gallery.coupled_pairs(3),
        "permutations(4)": gallery.permutations(4),
        "one_hot(5)": gallery.one_hot(5),
        "golden_mean(6)": gallery.golden_mean(6),
        "binary_symmetric(6, 0.1)": gallery.binary_symmetric(6, 0.1),
        "cities()": gallery.cities(),
        f"words({words_of})": gallery.words(words_of),
    }


def stationary_start(p: MarkovChain) -> np.ndarray:
    """A stationary distribution: the mean of those of all classes that are reached."""
    found = [r.stationary for r in structure(p).recurrent]
    return sum(found[1:], found[0]) / len(found)


def start_as_it_is(p: MarkovChain) -> np.ndarray:
    """Planted: any start."""
    return to_host(p.initial)
