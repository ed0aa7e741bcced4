"""What is written if tokens are drawn first and the likeliest is kept, on independent sites.

A token is drawn at each of m masked sites, and the one of the largest probability is kept; so does
LLaDA at temperature 1 when it remasks by low confidence [code read]. On independent and identically
distributed sites the token kept is one of those of total probability s that are least likely iff
all m draws are, with probability ``s^m``, whatever is done about ties. With ``s < 1`` the m of
these probabilities sum to less than ``s / (1 - s)``: however long the text is, it holds no more of
the rare tokens. [ours]

*Coins* are two tokens, the rare one with probability r. How many rare tokens are written does not
depend on the rule for ties, but where they are does, and so does the divergence from the data.
"""

import itertools
import math
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from theory._core import exact as exact_numbers
from theory._core.arrays import is_exact, log, require_memory
from theory._core.special import log_binomials, log_factorials
from theory._core.types import ArrayLike
from theory.errors import InvalidInput
from theory.validation.arguments import as_integer, as_real
from theory.validation.probabilities import as_weights

__all__ = ["coins_kl", "coins_written", "first_reveal", "rare_coins", "revealed", "token_counts"]

DIGITS = 12
"""Probabilities that are equal to so many decimals are tied."""

Ties = Literal["lowest", "highest", "random"]
TIES: tuple[Ties, ...] = ("lowest", "highest", "random")


def revealed(probabilities: ArrayLike, masks: int) -> np.ndarray:
    """Distribution of the token that is kept of `masks` independent draws, shape (V,).

    Parameters
    ----------
    probabilities : array_like, shape (V,)
        Weights of the tokens; integers and Fractions give Fractions.
    masks : int

    >>> revealed([7, 3], 2).tolist()                           # both of two draws are rare
    [Fraction(91, 100), Fraction(9, 100)]
    """
    row, masks = _row(probabilities), as_integer(masks, "masks", 1)
    levels = row if is_exact(row) else row.round(DIGITS)
    shares = []
    for probability, level in zip(row, levels, strict=True):
        tied = row[levels == level].sum() or 1  # 0 is tied with nothing that is ever drawn
        most = row[levels <= level].sum()
        shares.append((most**masks - row[levels < level].sum() ** masks) * probability / tied)
    return np.asarray(shares, dtype=row.dtype)


def token_counts(probabilities: ArrayLike, length: int, block: int | None = None) -> np.ndarray:
    """Mean number of each token in the text, shape (V,), one site a round.

    Parameters
    ----------
    probabilities : array_like, shape (V,)
    length : int
    block : int, optional
        Blocks of so many sites are written one after the other; one block if not given.

    Of 100 tosses of a coin 30 heads are due, and in blocks of two 19.5 are written:

    >>> token_counts([0.7, 0.3], 100).round(4).tolist()
    [99.5714, 0.4286]
    >>> token_counts([0.7, 0.3], 100, block=2).round(4).tolist()
    [80.5, 19.5]
    """
    length = as_integer(length, "length", 1)
    block = length if block is None else min(as_integer(block, "block", 1), length)
    blocks, rest = divmod(length, block)
    row = _row(probabilities)
    counts = row * 0
    for masks in range(1, block + 1):
        counts = counts + revealed(row, masks) * (blocks + (masks <= rest))
    return counts


def rare_coins(rare: Any, length: int) -> np.ndarray:
    """Probability that 0, 1, ... L rare tokens are written of coins, shape (L+1,).

    With m masked sites left the token is rare with probability ``r^m``, whatever was written.

    Parameters
    ----------
    rare : number
        Probability of the rarer token, below 1/2: a float, a Fraction or a SymPy symbol.
    length : int

    >>> rare_coins(Fraction(3, 10), 2).tolist()                # of one and of two masked sites
    [Fraction(637, 1000), Fraction(42, 125), Fraction(27, 1000)]
    """
    rare, length = _rare(rare), as_integer(length, "length", 1)
    counts = [rare * 0 + 1]
    for masks in range(1, length + 1):
        both = zip([*counts, 0], [0, *counts], strict=True)
        counts = [fewer * (1 - rare**masks) + more * rare**masks for fewer, more in both]
    return np.asarray(counts, dtype=np.float64 if isinstance(rare, float) else object)


def coins_written(rare: Any, length: int, ties: Ties = "lowest") -> np.ndarray:
    """Distribution of what is written of coins, shape (2,)*L; token 1 is the rare one.

    Parameters
    ----------
    rare : number
        As for `rare_coins`.
    length : int
    ties : {"lowest", "highest", "random"}
        Which of equally likely drawn tokens is kept.

    Notes
    -----
    With ties at random all arrangements of the rare tokens are equally likely. With ties to the
    lowest site a rare token is written only at the lowest masked site, and each pair of a rare
    token and any later site contributes one factor r, whichever is written first. So ``q(x)`` is
    ``r^sum (L + 1 - i)``, summed over the rare sites i = 1..L, times a sum over the orders of the
    common ones: from the last site to the first, with a common tokens before the first rare one in
    the order so far, a common token multiplies by ``1 - r^(a+1)`` and goes on with ``a + 1``; a
    rare one goes on with each of 0..a. That sum lies between the product of all ``1 - r^m`` and the
    number of arrangements of the rare tokens.

    >>> coins_written(Fraction(3, 10), 2)[1].tolist()          # a rare token first; two of them
    [Fraction(63, 500), Fraction(27, 1000)]
    """
    rare, length = _rare(rare), as_integer(length, "length", 1)
    if ties not in TIES:
        raise InvalidInput(f"ties must be one of {', '.join(TIES)}, got {ties!r}")
    require_memory((length + 1) * 2**length, f"the table of shape (2,)*{length}")
    if ties == "random":
        counts = rare_coins(rare, length)
        one = Fraction(1) if counts.dtype == object else 1.0
        shares = [counts[n] * (one / math.comb(length, n)) for n in range(length + 1)]
        ones = np.indices((2,) * length, dtype=np.int64).sum(axis=0)
        return np.asarray(shares, dtype=counts.dtype)[ones]
    kind = np.float64 if isinstance(rare, float) else object
    # sums over orders, by the tokens at the sites so far and how many come before a rare one
    sums = np.zeros((1, length + 1), dtype=kind)
    sums[0, 0] = rare * 0 + 1
    powers = np.asarray([1 - rare ** (a + 1) for a in range(length)], dtype=kind)
    for below in range(1, length + 1):
        common = np.concatenate([sums[:, :1] * 0, sums[:, :-1] * powers], axis=1)
        at_least = np.cumsum(sums[:, ::-1], axis=1)[:, ::-1]
        sums = np.concatenate([common, at_least * rare**below])
    table = sums.sum(axis=1).reshape((2,) * length)
    return table.transpose() if ties == "highest" else table


def coins_kl(rare: float, length: int, ties: Ties = "lowest") -> float:
    """Divergence ``KL(p || q)`` in nats of what is written of coins from the coins.

    With ties at random, in ``O(L^2)`` steps, it grows like ``(r L)^2 log(1/r) / 2``. With ties to
    the lowest or the highest site, in ``O(L 2^L)`` steps, it grows like ``r L^2 log(1/r) / 2``: it
    is ``r L (L + 1) log(1/r) / 2`` less at most ``2 L h(r)`` and at least ``L h(r)`` plus the sum
    of all ``log(1 - r^m)``, with h(r) the entropy of a coin. [ours]

    Parameters
    ----------
    rare, length, ties
        As for `coins_written`; a float.

    >>> [round(coins_kl(0.3, 6, ties), 4) for ties in ("random", "lowest")]
    [2.0671, 3.1485]
    """
    rare, length = as_real(rare, "rare", 0, 0.5), as_integer(length, "length", 1)
    if rare == 0:
        return 0.0
    number = np.arange(length + 1, dtype=np.int64)
    due = log_binomials(length) + number * math.log(rare) + (length - number) * math.log1p(-rare)
    if ties == "random":
        return float((np.exp(due) * (due - _log_rare_coins(rare, length))).sum())
    q = coins_written(rare, length, ties)
    ones = np.indices((2,) * length, dtype=np.int64).sum(axis=0)
    log_p = ones * math.log(rare) + (length - ones) * math.log1p(-rare)
    return float((np.exp(log_p) * (log_p - log(q))).sum())


def first_reveal(probabilities: ArrayLike, noise: float, masks: int) -> np.ndarray:
    """Distribution of the token that MaskGIT reveals first, of `masks` equal sites, shape (V,).

    A token v is drawn at each site, and kept where ``log p(v)`` plus Gumbel noise of size `noise`
    is the largest [memory]. Given the draws that is a site in proportion to ``p(v)^(1/noise)``.
    With many masks the token tends to the distribution in proportion to ``p^(1 + 1/noise)``. [ours]

    Parameters
    ----------
    probabilities : array_like, shape (V,)
        Integers and Fractions give Fractions, if ``1/noise`` is an integer.
    noise : float
        Positive.
    masks : int

    >>> first_reveal([2, 1], 1, 1).tolist()                    # nothing to choose from
    [Fraction(2, 3), Fraction(1, 3)]
    >>> first_reveal([2, 1], 1, 2).tolist()                    # 4/9 + 4/9 * 2/3
    [Fraction(20, 27), Fraction(7, 27)]
    """
    row, masks = _row(probabilities), as_integer(masks, "masks", 1)
    noise = as_real(noise, "noise", 0, math.inf)
    if noise == 0:
        return revealed(row, masks)
    if is_exact(row):
        return _first_reveal_exact(row, noise, masks)
    kept = row > 0
    counts = _counts(masks, int(kept.sum()))
    logs = log_factorials(masks)
    ways = logs[masks] - logs[counts].sum(axis=1) + counts @ log(row[kept])
    weights = counts * (row[kept] / row.max()) ** (1 / noise)
    shares = weights / weights.sum(axis=1, keepdims=True)
    found = np.zeros_like(row)
    found[kept] = np.exp(ways) @ shares
    return found


def _first_reveal_exact(row: np.ndarray, noise: float, masks: int) -> np.ndarray:
    power = round(1 / noise)
    if power < 1 or 1 / power != noise:
        raise InvalidInput(f"exact probabilities need noise 1/n with an integer n, got {noise}")
    found = row * 0
    for counts in _counts(masks, len(row)).tolist():
        left, ways = masks, Fraction(1)
        for n, probability in zip(counts, row, strict=True):
            ways, left = ways * math.comb(left, n) * probability**n, left - n
        if ways != 0:
            weights = np.asarray(counts, dtype=object) * row**power
            found = found + weights * (ways / weights.sum())
    return found


def _counts(total: int, parts: int) -> np.ndarray:
    """All ways to write a total as a sum of so many numbers, shape (N, parts)."""
    number = math.comb(total + parts - 1, parts - 1)
    require_memory(number, f"a table of {number} counts of {parts} tokens", itemsize=32 * parts)
    bars = itertools.combinations(range(total + parts - 1), parts - 1)
    rows = np.asarray(list(bars), dtype=np.int64).reshape(number, parts - 1)
    ends = np.full((number, 1), total + parts - 1, dtype=np.int64)
    return np.diff(np.concatenate([ends * 0 - 1, rows, ends], axis=1), axis=1) - 1


def _log_rare_coins(rare: float, length: int) -> np.ndarray:
    """Logarithms of `rare_coins`, also of those that are too small for a float."""
    logs = np.zeros(1)
    for masks in range(1, length + 1):
        common = math.log1p(-(rare**masks))
        fewer, more = np.append(logs + common, -math.inf), logs + masks * math.log(rare)
        logs = np.logaddexp(fewer, np.append(-math.inf, more))
    return logs


def _row(probabilities: ArrayLike) -> np.ndarray:
    """Checked weights of tokens, normalised: Fractions or floats."""
    weights = as_weights(probabilities, "probabilities", exact=None)
    values = np.asarray(weights.values)
    if values.ndim != 1:
        raise InvalidInput(f"probabilities must have shape (V,), got {values.shape}")
    return exact_numbers.ratio(*weights) if is_exact(values) else values


def _rare(rare: Any) -> Any:
    """A checked probability of a token that is rarer than the other; a symbol as it is."""
    if getattr(rare, "free_symbols", None):
        return rare
    checked = rare if isinstance(rare, Fraction) else as_real(rare, "rare", 0, 0.5)
    if not 0 <= checked < Fraction(1, 2):
        raise InvalidInput(f"rare must be at least 0 and below 1/2, got {rare}")
    return checked
