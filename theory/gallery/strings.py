"""Binary strings and walks: one bit repeated, parity, coupled pairs, strings of given weight."""

import itertools
import math

import numpy as np

from theory.distributions.base import Distribution
from theory.distributions.mixture import ProductMixture
from theory.errors import InvalidInput
from theory.gallery.uniform import bits, uniform, uniform_by_ones
from theory.validation.arguments import as_integer, as_real

__all__ = [
    "balanced",
    "coupled_pairs",
    "golden_mean",
    "one_hot",
    "parity",
    "repeated_bit",
    "walk",
]


def repeated_bit(length: int, noise: float = 0.0) -> ProductMixture:
    """One fair bit, written `length` times, each copy flipped with probability `noise`.

    Without noise, TC is ``length - 1`` bits and DTC is 1 bit.

    >>> repeated_bit(3, noise=0.25).denoise([0, -1, -1])[1]
    array([0.625, 0.375])
    """
    length = as_integer(length, "length", 1)
    noise = as_real(noise, "noise", 0, 1)
    zero, one = [1 - noise, noise], [noise, 1 - noise]
    return ProductMixture([1, 1], [[zero] * length, [one] * length])


def parity(length: int, *, exact: bool = False) -> Distribution:
    """Uniform over binary strings with an even number of ones.

    TC is 1 bit and DTC is ``length - 1`` bits, the other way round than for a repeated bit.

    >>> parity(3).denoise([1, 0, -1])[2]
    array([0., 1.])
    >>> parity(1000).denoise([1, *[0] * 998, -1])[999]
    array([0., 1.])
    """
    length = as_integer(length, "length", 1)
    return uniform_by_ones(length, range(0, length + 1, 2), exact)


def coupled_pairs(pairs: int, *, exact: bool = False) -> Distribution:
    """Independent pairs of equal fair bits; sites 2k and 2k + 1 agree.

    >>> from theory import information
    >>> information.profile(coupled_pairs(3, exact=True), base=2).tolist()
    [1, 4/5, 3/5, 2/5, 1/5, 0]
    """
    pairs = as_integer(pairs, "pairs", 1)
    return uniform((np.repeat(b, 2) for b in bits(pairs)), 2, exact)


def one_hot(length: int, *, exact: bool = False) -> Distribution:
    """Uniform over binary strings with a single one.

    The task "replace random" of ParallelBench (arXiv 2510.04767): one word of a text, chosen at
    random, is replaced. TC is ``(length - 1) log(length / (length - 1))`` nats, which tends to 1.

    >>> one_hot(4, exact=True).evidence([1, -1, -1, -1])
    Fraction(1, 4)
    """
    length = as_integer(length, "length", 1)
    return uniform_by_ones(length, range(1, 2), exact)


def balanced(length: int, *, exact: bool = False) -> Distribution:
    """Uniform over binary strings with equally many zeros and ones.

    >>> balanced(4).denoise([1, 1, -1, -1])[2]
    array([1., 0.])
    """
    length = as_integer(length, "length", 2)
    if length % 2:
        raise InvalidInput(f"a balanced string has an even length, got {length}")
    return uniform_by_ones(length, range(length // 2, length // 2 + 1), exact)


def golden_mean(length: int, *, exact: bool = False) -> Distribution:
    """Uniform over binary strings without two adjacent ones; their number is a Fibonacci number.

    >>> round(1 / golden_mean(5).evidence([0, 0, 0, 0, 0]))
    13
    """
    length = as_integer(length, "length", 1)
    allowed = (b for b in bits(length) if not any(map(math.prod, itertools.pairwise(b))))
    return uniform(allowed, 2, exact)


def walk(length: int, *, exact: bool = False) -> Distribution:
    """Bernoulli walk from 0: each site is the one before plus a fair bit; `length` + 1 tokens.

    TC is ``sum_{j <= length} H(Bin(j, 1/2)) - length`` bits.

    >>> walk(3).denoise([-1, -1, 2])[0]      # two steps up out of three, so the first is one
    array([0.33333333, 0.66666667, 0.        , 0.        ])
    """
    length = as_integer(length, "length", 1)
    return uniform((np.cumsum(b) for b in bits(length)), length + 1, exact)
