"""Binary strings and walks: one bit repeated, parity, coupled pairs, strings of given weight."""

import itertools
import math
from typing import Any

import numpy as np

from theory._core.arrays import log, xlogy
from theory._core.special import log_binomials
from theory.distributions.base import Distribution
from theory.distributions.exchangeable import Exchangeable
from theory.distributions.mixture import ProductMixture
from theory.errors import InvalidInput
from theory.gallery.uniform import bits, uniform, uniform_by_ones
from theory.validation.arguments import as_integer, as_real

__all__ = [
    "balanced",
    "common_shock",
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


def common_shock(length: int, rate: Any, shock: Any, *, exact: bool = False) -> Exchangeable:
    """Independent ones with probability `rate` each; with probability `shock` all sites are ones.

    With ``shock = rate^r`` and a rate that tends to 0, any r sites are as good as independent, and
    k sites have total correlation ``(k - r) shock log(1 / rate)``: it grows like that of a
    Reed-Solomon code of dimension r, with two tokens. (A discrete form of the model of Marshall and
    Olkin 1967, from memory; its use here is ours.)

    >>> from fractions import Fraction
    >>> from theory import information
    >>> tiny = Fraction(1, 2**200)
    >>> p = common_shock(5, tiny, tiny**2, exact=True)
    >>> tc = [float(information.total_correlation(p, range(k)) / tiny**2) for k in range(6)]
    >>> [round(v / tc[5], 2) for v in tc]                       # 0, 0, 0, 1/3, 2/3, 1
    [0.0, 0.0, 0.0, 0.33, 0.67, 1.0]
    """
    length = as_integer(length, "length", 1)
    if exact:
        weights = [
            (1 - shock) * math.comb(length, k) * rate**k * (1 - rate) ** (length - k)
            for k in range(length + 1)
        ]
        return Exchangeable([*weights[:-1], weights[-1] + shock], exact=True)
    rate, shock = as_real(rate, "rate", 0, 1), as_real(shock, "shock", 0, 1)
    ones = np.arange(length + 1, dtype=np.float64)
    logarithms = log_binomials(length) + xlogy(ones, np.full_like(ones, rate))
    logarithms += xlogy(length - ones, np.full_like(ones, 1 - rate)) + log(np.asarray(1 - shock))
    logarithms[-1] = np.logaddexp(logarithms[-1], log(np.asarray(shock)))
    return Exchangeable.from_logarithms(logarithms)


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
