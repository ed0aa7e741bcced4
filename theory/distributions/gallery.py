"""Named distributions: the smallest ones that show something.

Those given by a list of equally likely sequences take ``exact=True`` and then hold Fractions.
"""

import itertools
import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np

from theory.arrays import require_memory
from theory.distributions import corpora
from theory.distributions.base import Distribution
from theory.distributions.empirical import EmpiricalDistribution
from theory.distributions.markov import MarkovChain
from theory.distributions.mixture import ProductMixture
from theory.distributions.table import JointTable
from theory.errors import InvalidInput
from theory.validation import as_integer, as_real

__all__ = [
    "balanced",
    "binary_symmetric",
    "cities",
    "coupled_pairs",
    "golden_mean",
    "one_hot",
    "parity",
    "permutations",
    "repeated_bit",
    "walk",
    "words",
]

TABLE_CELLS = 2**20
"""Uniform distributions whose evidence lattice is larger than this are kept as sequences."""


def _uniform(
    sequences: Iterable[Any], vocab: int, exact: bool, symbols: tuple[str, ...] | None = None
) -> Distribution:
    rows = np.asarray(list(sequences), dtype=np.int64)
    length = rows.shape[1]
    if not exact and (vocab + 1) ** length > TABLE_CELLS:
        return EmpiricalDistribution(rows, vocab=vocab, symbols=symbols)
    table = np.zeros((vocab,) * length, dtype=np.int64)
    table[tuple(rows.T)] = 1
    return JointTable(table, exact=exact, symbols=symbols)


def _bits(length: int) -> Iterable[tuple[int, ...]]:
    _require_sequences(2**length, length)
    return itertools.product((0, 1), repeat=length)


def _require_sequences(count: int, length: int) -> None:
    """Refuse to list more sequences than fit, as Python objects."""
    require_memory(count, f"a list of {length}-site sequences", itemsize=64 + 8 * length)


def repeated_bit(length: int, noise: float = 0.0) -> ProductMixture:
    """One fair bit, written `length` times, each copy flipped with probability `noise`.

    Without noise: TC is ``length - 1`` bits, DTC is 1 bit.

    >>> repeated_bit(3, noise=0.25).denoise([0, -1, -1])[1]
    array([0.625, 0.375])
    """
    length = as_integer(length, "length", 1)
    noise = as_real(noise, "noise", 0, 1)
    zero, one = [1 - noise, noise], [noise, 1 - noise]
    return ProductMixture([1, 1], [[zero] * length, [one] * length])


def parity(length: int, *, exact: bool = False) -> Distribution:
    """Uniform over binary strings with an even number of ones.

    TC is 1 bit, DTC is ``length - 1`` bits: the mirror image of the repeated bit.

    >>> parity(3).denoise([1, 0, -1])[2]
    array([0., 1.])
    """
    length = as_integer(length, "length", 1)
    return _uniform((b for b in _bits(length) if sum(b) % 2 == 0), 2, exact)


def coupled_pairs(pairs: int, *, exact: bool = False) -> Distribution:
    """Independent pairs of equal fair bits; sites 2k and 2k + 1 agree.

    >>> from theory import information
    >>> information.profile(coupled_pairs(3, exact=True), base=2).tolist()
    [1, 4/5, 3/5, 2/5, 1/5, 0]
    """
    pairs = as_integer(pairs, "pairs", 1)
    return _uniform((np.repeat(b, 2) for b in _bits(pairs)), 2, exact)


def one_hot(length: int, *, exact: bool = False) -> Distribution:
    """Uniform over binary strings with a single one ("replace one word at random").

    >>> one_hot(4, exact=True).evidence([1, -1, -1, -1])
    Fraction(1, 4)
    """
    length = as_integer(length, "length", 1)
    return _uniform(np.eye(length, dtype=np.int64), 2, exact)


def permutations(n: int, *, exact: bool = False) -> Distribution:
    """Uniform over the orders of n different tokens ("shuffle").

    A product of its marginals is a permutation with probability ``n! / n^n``.

    >>> permutations(3).denoise([2, -1, -1])[1]
    array([0.5, 0.5, 0. ])
    """
    n = as_integer(n, "n", 1)
    _require_sequences(math.factorial(n), n)
    return _uniform(itertools.permutations(range(n)), n, exact)


def balanced(length: int, *, exact: bool = False) -> Distribution:
    """Uniform over binary strings with equally many zeros and ones.

    >>> balanced(4).denoise([1, 1, -1, -1])[2]
    array([1., 0.])
    """
    length = as_integer(length, "length", 2)
    if length % 2:
        raise InvalidInput(f"a balanced string has an even length, got {length}")
    return _uniform((b for b in _bits(length) if 2 * sum(b) == length), 2, exact)


def golden_mean(length: int, *, exact: bool = False) -> Distribution:
    """Uniform over binary strings without two adjacent ones; their number is a Fibonacci number.

    >>> round(1 / golden_mean(5).evidence([0, 0, 0, 0, 0]))
    13
    """
    length = as_integer(length, "length", 1)
    allowed = (b for b in _bits(length) if not any(map(math.prod, itertools.pairwise(b))))
    return _uniform(allowed, 2, exact)


def binary_symmetric(length: int, flip: Any, *, exact: bool = False) -> MarkovChain:
    """A uniform first bit, then each bit differs from the one before with probability `flip`.

    TC is ``(length - 1) (1 - h(flip))`` bits, with h the binary entropy in bits.

    >>> binary_symmetric(3, 0.25).denoise([0, -1, 0])[1]
    array([0.9, 0.1])
    """
    if not exact:
        flip = as_real(flip, "flip", 0, 1)
    elif isinstance(flip, int):
        flip = Fraction(flip)
    half = 1 / (flip * 0 + 2)  # of the type of `flip`
    return MarkovChain([half, half], [[1 - flip, flip], [flip, 1 - flip]], length, exact=exact)


def walk(length: int, *, exact: bool = False) -> Distribution:
    """Bernoulli walk from 0: each site is the one before plus a fair bit; `length` + 1 tokens.

    TC is ``sum_{j <= length} H(Bin(j, 1/2)) - length`` bits.

    >>> walk(3).denoise([-1, -1, 2])[0]      # two steps up out of three, so the first is one
    array([0.33333333, 0.66666667, 0.        , 0.        ])
    """
    length = as_integer(length, "length", 1)
    return _uniform((np.cumsum(b) for b in _bits(length)), length + 1, exact)


def cities(*, exact: bool = False) -> Distribution:
    """New York, New Orleans, Mexico City, Panama City: two words each, equally likely.

    >>> cities().spell([[0, -1], [1, 5]])
    ['New ·', 'Mexico City']
    """
    symbols = ("New", "Mexico", "Panama", "York", "Orleans", "City")
    return _uniform([(0, 3), (0, 4), (1, 5), (2, 5)], len(symbols), exact, symbols)


def words(length: int) -> EmpiricalDistribution:
    """Letters of English words of this length, as often as they occur in real prose.

    The prose is the documentation of Python (`theory.distributions.corpora`).

    >>> words(4).spell(words(4).sequences[:2])
    ['that', 'this']
    """
    return corpora.english().letters(length)
