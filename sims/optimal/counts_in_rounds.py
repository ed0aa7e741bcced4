"""The least KL(p || q) in at most R rounds where all sites are alike, by how many are known.

If predictions depend on counts alone (of known sites; of ones and zeros among them for
exchangeable bits), so does all that is to come, and any s masked sites are as good as any others.
With H the entropy of one masked site and T the mean over the token of the next one,

    TC_s = s H - H_s,  H_s = H + T H_{s-1},    so that    TC_s = (s - 1) (H - T H) + T TC_{s-1},

where ``H - T H`` is the mutual information of two masked sites. The least value in r rounds of
revealing s sites first is then ``g_s = (s - 1) (H - T H) + T g_{s-1}`` from ``g_0 = W_{r-1}``,
which takes O(L^3) steps for each r, and O(L^2) where only the number of known sites counts. [ours]

In exact arithmetic everything is multiplied by the probability of one sequence with these counts,
and T becomes the sum over the two tokens.
"""

import itertools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from sims.optimal.tables_in_rounds import NUMBERS_PER_FORM, is_less
from sims.policies import CountTabulated, FixedOrder, Policy
from theory import MASK
from theory._console.progress import tracked
from theory._core.arrays import (
    array_namespace,
    device,
    is_exact,
    log,
    require_memory,
    to_host,
    xlogx,
    xlogy,
)
from theory._core.exact import all_rational, over_common_denominator, ratio
from theory._core.plurals import counted
from theory._core.types import Array, Number
from theory.distributions import Exchangeable, Permutations, ReedSolomon
from theory.distributions.sampling import as_floats
from theory.errors import InvalidInput

__all__ = ["best_by_counts"]

INDEPENDENT = 1e-15
"""Nats of mutual information up to which two sites count as independent, in floats."""

EXACT_STEPS = 2**16
"""Values of a round up to which exact numbers stay exact: seconds for each round."""

NUMBERS_PER_STATE = 12
"""Doubles held for each pair of counts: two shares, the information, two values, and copies."""


def best_by_counts(
    p: Exchangeable | Permutations | ReedSolomon,
    pattern: np.ndarray,
    certain: tuple[int, ...],
    rounds: int,
    progress: bool | None = None,
) -> list[tuple[Number, Policy]]:
    """The least KL in at most 1, 2, ... rounds, and policies that reach it.

    The list ends early if nothing is lost any more. Exact if p is, up to 39 bits or 255 tokens
    that are left to write.

    Parameters
    ----------
    p : Distribution
    pattern : array of int64, shape (L,)
        What the data are conditioned on.
    certain : tuple of int
        Its sites that are masked at first, and revealed in the first round.
    rounds : int
    progress : bool, optional

    Raises
    ------
    TooLarge
        Before any memory is taken.
    InvalidInput
        If the distribution has free symbols.
    """
    known, ones = int((pattern != MASK).sum()), int((pattern == 1).sum())
    left = p.length - known
    if not left:
        return [(0 if p.exact else 0.0, FixedOrder(certain, (len(certain),)))]
    bits = isinstance(p, Exchangeable)
    exact = p.exact and (left + 1) ** (3 if bits else 2) <= EXACT_STEPS
    if not bits:
        losses, tables = _least(_tokens(p, known, exact), rounds, progress)
        order = [*certain, *np.flatnonzero(pattern == MASK).tolist()]
        every = [_followed(tables[:r]) for r in range(1, len(losses) + 1)]
        sizes = [(size + len(certain), *later) for size, *later in every]
        return [(kl, FixedOrder(order, s)) for kl, s in zip(losses, sizes, strict=True)]
    each = NUMBERS_PER_STATE * (NUMBERS_PER_FORM if exact else 1)
    require_memory(
        (each + min(rounds, left)) * (p.length + 1) ** 2,
        f"the best decoder of {counted(left, 'exchangeable bit')} in {counted(rounds, 'round')}, "
        f"with {each} numbers and a choice for each round for each of ({p.length} + 1)^2 pairs of "
        f"counts,",
        p.like,
    )
    rest = p.masked_given(known - ones, ones)
    if p.exact and not all_rational(rest.count_weights):
        raise InvalidInput("the best decoder of a distribution with free symbols is not known")
    found = _exact_bits(rest) if exact else _float_bits(as_floats(rest.count_weights))
    losses, tables = _least(found, rounds, progress)
    choices = np.zeros((len(losses), p.length + 1, p.length + 1), dtype=np.int64)
    choices[:, known:, ones : ones + left + 1] = [to_host(one) for one in tables]
    policy = CountTabulated(choices, pattern if certain else None)
    return [(kl, policy.within(r)) for r, kl in enumerate(losses, 1)]


def _followed(tables: list[np.ndarray]) -> list[int]:
    """The batch sizes that tables say, the last one first, by how many sites are known."""
    sizes: list[int] = []
    while sum(sizes) < len(tables[0]) - 1:
        sizes.append(int(tables[len(tables) - 1 - len(sizes)][sum(sizes)]))
    return sizes


class _Counts(NamedTuple):
    """What two masked sites have in common, and what one token leads to.

    Arrays have one axis for the number of known sites, 0..L, or two, the other one for the ones
    among them.
    """

    information: Array
    """In nats; 0 where fewer than two sites are masked."""
    mean_after: Callable[[Array], Array]
    """From values where so much is known to their means with one site less, an entry shorter."""
    total: Number
    """What the value at the start is to be divided by."""


def _least(
    counts: _Counts, rounds: int, progress: bool | None = None
) -> tuple[list[Number], list[Array]]:
    """The least KL in at most 1, 2, ... rounds, and how many sites are then to be revealed.

    The lists end early if nothing is lost any more.
    """
    information = counts.information
    xp, exact = array_namespace(information), is_exact(information)
    axes, length = information.ndim, information.shape[0] - 1
    number = xp.arange(length + 1, dtype=xp.int64, device=device(information))
    sizes = length - (number if axes == 1 else number[:, None] + 0 * number)
    value = 0 * information
    losses, tables = [], []
    for used in tracked(range(min(rounds, length)), progress, "looking for the best decoder"):
        if losses and losses[-1] == 0:
            continue
        least, after = xp.asarray(value, copy=True), value
        sizes = xp.asarray(sizes, copy=True)
        for size in range(1, length + 1):
            part = (slice(0, length + 1 - size),) * axes
            after = (size - 1) * information[part] + counts.mean_after(after)
            if not used:  # all that is masked
                row = (slice(length - size, length - size + 1), *part[1:])
                least[row] = after[-1:, ...]
                continue
            before = least[part]
            better = is_less(after, before)
            least[part] = xp.where(better, after, before)
            sizes[part] = xp.where(better, xp.full_like(sizes[part], size), sizes[part])
        value = least
        start: Any = value[(0,) * axes]
        losses.append(ratio(np.asarray(start), counts.total).item() if exact else float(start))
        tables.append(sizes)
    return losses, tables


def _tokens(p: Permutations | ReedSolomon, known: int, exact: bool) -> _Counts:
    """Where every possible token is equally likely: how many there are decides."""
    sites = np.arange(known, p.length + 1, dtype=np.int64)
    if isinstance(p, Permutations):
        ways = np.maximum(p.length - sites, 1)
    else:
        ways = np.where(sites < p.dimension, p.vocab, 1)
    shares = ratio(ways[:-1], ways[1:]) if exact else ways[:-1] / ways[1:]
    information = log(np.append(shares, shares[:1] * 0 + 1))
    return _Counts(information, lambda value: value[1:], 1)


def _exact_bits(p: Exchangeable) -> _Counts:
    binomials = [math.comb(p.length, k) for k in range(p.length + 1)]
    row, _ = over_common_denominator(ratio(p.count_weights, np.asarray(binomials, dtype=object)))
    sequences = np.zeros((p.length + 1, p.length + 1), dtype=object)
    sequences[-1, :] = row
    for known in range(p.length - 1, -1, -1):
        after = sequences[known + 1, :]
        sequences[known, : known + 1] = after[: known + 1] + after[1 : known + 2]

    def sum_after(value: np.ndarray) -> np.ndarray:
        return value[1:, :-1] + value[1:, 1:]

    none = xlogx(sequences)
    one = sum_after(none)
    information = np.zeros_like(sequences)
    information[:-2, :-2] = none[:-2, :-2] - 2 * one[:-1, :-1] + sum_after(one)
    return _Counts(information, sum_after, sequences[0, 0])


def _float_bits(weights: Array) -> _Counts:
    """By thinning (see `theory.distributions.exchangeable`): no difference of large numbers."""
    length = weights.shape[0] - 1
    xp, there = array_namespace(weights), {"dtype": weights.dtype, "device": device(weights)}
    number = xp.arange(length + 1, **there)
    shares = [xp.zeros((length + 1, length + 1), **there) for _ in range(2)]
    for known in range(length - 1, -1, -1):
        ones = number[1 : known + 2] / (known + 1)
        after = weights[:-1] * xp.flip(ones), weights[1:] * ones
        weights = after[0] + after[1]
        some = xp.where(weights > 0, weights, xp.ones_like(weights))
        for share, part in zip(shares, after, strict=True):
            share[known, : known + 1] = part / some
        weights = weights / xp.sum(weights)  # no drift from rounding

    def mean_after(value: Array) -> Array:
        size = value.shape[0] - 1
        zero, one = (share[:size, :size] for share in shares)
        return zero * value[1:, :-1] + one * value[1:, 1:]

    information = 0 * shares[0]
    for first, then in itertools.product(range(2), repeat=2):
        alone = shares[then][:-1, :-1]
        given = shares[then][1:, :-1] if first == 0 else shares[then][1:, 1:]
        both = shares[first][:-1, :-1] * given
        gain = xlogy(both, given / xp.where(alone > 0, alone, xp.ones_like(alone)))
        information[:-1, :-1] = information[:-1, :-1] + gain
    information = xp.where(information > INDEPENDENT, information, xp.zeros_like(information))
    return _Counts(information, mean_after, 1.0)
