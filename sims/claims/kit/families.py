"""Families of distributions that some claims are about: recognised, or made without structure."""

import math
from collections.abc import Iterable

import numpy as np

from sims.open_questions.moves import rational_table
from theory import JointTable, gallery
from theory._core.arrays import to_host
from theory.claims.kit.result import DoesNotApply
from theory.distributions import Distribution
from theory.errors import InvalidInput

__all__ = [
    "as_rational",
    "equal_tokens",
    "is_one_hot",
    "is_permutation",
    "is_table",
    "is_walk",
    "scattered_tables",
]

ROUNDING = 1e-12
"""Float probabilities that differ by less are equal."""


def equal_tokens(
    length: int, vocab: int, likely: int, others: int, *, exact: bool = True
) -> JointTable:
    """Equal tokens at all sites: the first one has one weight, each other one another.

    >>> equal_tokens(2, 2, 3, 1).table().tolist()
    [[Fraction(3, 4), Fraction(0, 1)], [Fraction(0, 1), Fraction(1, 4)]]
    """
    weights = np.zeros((vocab,) * length, dtype=np.int64)
    for token in range(vocab):
        weights[(token,) * length] = likely if token == 0 else others
    return JointTable(weights, exact=exact)


def is_permutation(p: Distribution) -> bool:
    """Tell whether all orders of as many tokens as there are sites are equally likely.

    >>> is_permutation(gallery.permutations(3)), is_permutation(gallery.parity(3))
    (True, False)
    """
    return p.vocab == p.length and is_table(p, gallery.permutations(p.length, exact=p.exact))


def is_one_hot(p: Distribution) -> bool:
    """Tell whether there is a single one, at every site equally likely.

    >>> is_one_hot(gallery.one_hot(3, exact=True))
    True
    """
    return p.vocab == 2 and is_table(p, gallery.one_hot(p.length, exact=p.exact))


def is_walk(p: Distribution) -> bool:
    """Tell whether this is the Bernoulli walk from 0.

    >>> is_walk(gallery.walk(3))
    True
    """
    return p.vocab == p.length + 1 and is_table(p, gallery.walk(p.length, exact=p.exact))


def as_rational(p: Distribution) -> JointTable:
    """Return `p` in fractions; a claim about these says nothing of floats that are none."""
    try:
        return rational_table(p)
    except InvalidInput as error:
        raise DoesNotApply(str(error)) from None


def is_table(p: Distribution, other: Distribution) -> bool:
    """Tell whether two distributions are the same; in floats up to rounding.

    >>> is_table(gallery.permutations(3, exact=True), gallery.one_hot(3, exact=True))
    False
    """
    if (p.vocab, p.length) != (other.vocab, other.length):
        return False
    difference = to_host(p.table()) - to_host(other.table())
    return bool((abs(difference) <= (0 if p.exact else ROUNDING)).all())


def scattered_tables(shapes: Iterable[tuple[int, int]]) -> dict[str, Distribution]:
    """Tables of lengths and vocabularies, by name, with weights without structure.

    The weights are fractional parts of multiples of the golden ratio.
    """
    tables: dict[str, Distribution] = {}
    for length, vocab in shapes:
        weights = np.arange(1.0, vocab**length + 1) * (math.sqrt(5) - 1) / 2 % 1
        table = JointTable(weights.reshape((vocab,) * length))
        tables[f"scattered weights, {length} sites, {vocab} tokens"] = table
    return tables
