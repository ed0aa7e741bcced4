"""The divergence of every fixed order, one site at a time, with an imperfect denoiser.

Writing in the fixed order s_1, ..., s_L loses, with C_t the sites before s_t,

    KL(p || q_s) = sum_t G(C_t, s_t),        G(C, i) = E_p KL(p(X_i | X_C) || f_i(X_C))

so that all L! orders are paths in a table of 2^L sets, and the best and the worst come from one
pass over it (Held and Karp's dynamic program). Their mean is the loss of the denoiser in
continuous time above the entropy.

Two orders that differ in one swap of neighbours, i before j or j before i at the known sites C,
differ by the *circulation* of the denoiser

    c(C, i, j; x) = log f_i(x_C)[x_i] f_j(x_C, x_i)[x_j] - log f_j(x_C)[x_j] f_i(x_C, x_j)[x_i]

(restated from arXiv 2605.09303). What follows is ours:

- the divergences differ by its mean, ``KL(i, j first) - KL(j, i first) = -E_p c(C, i, j)``;
- any order leads to any other by at most L (L - 1) / 2 swaps, so with E the largest ``|E_p c|``

      E  <=  KL(worst) - KL(best)  <=  L (L - 1) / 2  E

- hence order does not matter for the divergence if and only if every mean circulation is zero,
  and not for what is written, on the support of p, if and only if every circulation is.
"""

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from sims.decoding.denoiser import TemperedDenoiser, predictor
from sims.decoding.sampling import Temperature, as_samplings
from theory import MASK
from theory._console.progress import tracked
from theory._core.arrays import log, require_memory, to_host, xlogy
from theory._core.exact import elementwise, floats
from theory._core.plurals import counted
from theory._core.segments import distinct_rows
from theory._core.types import Number
from theory._core.work import require_steps
from theory.distributions.base import Distribution, check_distribution
from theory.errors import InvalidInput
from theory.loss.forward import Denoiser
from theory.validation.arguments import as_sites

__all__ = ["AnyOrder", "Circulation"]


@dataclass(frozen=True)
class Circulation:
    """How inconsistent a denoiser is, over all known sites C, pairs i, j and sequences of p.

    Attributes
    ----------
    largest : number
        Largest ``|c|`` that can happen, nats.
    mean : number
        Mean of ``|c|``: sequence from p, order uniform, one of its L - 1 swaps of neighbours.
    swap : number
        Largest ``|E_p c|``: the most that one swap changes the divergence.
    """

    largest: Number
    mean: Number
    swap: Number


class AnyOrder:
    """The divergence of writing one site at a time, in each of the L! orders.

    Parameters
    ----------
    p : Distribution
        Small enough for its table; memory is in proportion to ``2^L L`` times its support.
    denoiser : callable
    temperature : float, Sampling, or a sequence of them
        Of the draws, as for `output_distribution`: one for all sites, or one after the other.

    Attributes
    ----------
    gaps : ndarray, shape (2^L, L)
        ``G(C, i)``; bit k of the row C says that site k is known. 0 for known sites.

    Raises
    ------
    InvalidInput
    TooLarge
        If the table would not fit, or would take more than some minutes.

    Examples
    --------
    A chain and a model that sees one site on each side. From left to right it has all that it
    needs; if it writes the ends first, it draws them independently:

    >>> from sims.imperfect.windowed import WindowedDenoiser
    >>> from theory import gallery
    >>> p = gallery.binary_symmetric(3, 0.1)
    >>> orders = AnyOrder(p, WindowedDenoiser(p, 1))
    >>> abs(round(orders.kl((0, 1, 2)), 4)), round(orders.kl((0, 2, 1)), 4)
    (0.0, 0.2218)
    >>> round(orders.worst, 4), orders.worst_order, round(orders.mean, 4)
    (0.2218, (2, 0, 1), 0.0739)
    >>> orders
    <AnyOrder of <MarkovChain: length 3, vocab 2>>
    """

    def __init__(self, p: Distribution, denoiser: Denoiser, temperature: Temperature = 1.0) -> None:
        check_distribution(p)
        self.p = p
        calls = TemperedDenoiser(predictor(p, denoiser), *as_samplings(temperature, p))
        truth = predictor(p, None)
        table = to_host(p.table())
        sequences, self._probs = np.argwhere(table != 0), table[table != 0]
        count, length = sequences.shape
        what = f"a table of all orders of {counted(length, 'site')}"
        require_memory(2 * 2**length * length * count, what)
        steps = 2**length * length * (count * p.vocab + STEPS_OF_A_SITE)
        what = f"{what} over {counted(count, 'sequence')} of {counted(p.vocab, 'token')}"
        require_steps(steps * (EXACT_STEPS if p.exact else 1), MAX_STEPS, what)
        dtype = object if p.exact else np.float64
        self._logs = np.zeros((2**length, length, count), dtype=dtype)
        self.gaps = np.zeros((2**length, length), dtype=dtype)
        for known in tracked(range(2**length - 1), doing="calling the denoiser"):
            observed = known >> np.arange(length, dtype=np.int64) & 1 == 1
            x, which = distinct_rows(np.where(observed, sequences, MASK))
            call_denoiser = calls.at(known.bit_count())
            (predictions, sampling_probs), right = call_denoiser(x), truth(x)
            logs = None if p.exact else call_denoiser.logs(predictions)
            mass = np.zeros(len(x), dtype=dtype)
            np.add.at(mass, which, self._probs)
            for i in np.flatnonzero(~observed).tolist():
                weights = mass[:, None] * right[:, i]
                gap, token = xlogy(weights, right[:, i]).sum(), sequences[:, i]
                if logs is None:
                    self.gaps[known, i] = gap - xlogy(weights, sampling_probs[:, i]).sum()
                    self._logs[known, i] = log(sampling_probs[which, i, token])
                else:  # a float may be too small for what is drawn
                    gap = gap - (weights * np.where(weights > 0, logs[:, i], 0.0)).sum()
                    self.gaps[known, i] = max(gap, 0.0)
                    self._logs[known, i] = logs[which, i, token]

    def __repr__(self) -> str:
        return f"<AnyOrder of {self.p!r}>"

    def kl(self, order: Iterable[int]) -> Number:
        """Divergence ``KL(p || q)`` of writing in a fixed order.

        Parameters
        ----------
        order : iterable of int
            Every site once.
        """
        order = tuple(order)
        if len(order) != self.p.length or as_sites(order, self.p.length, "order") != tuple(
            range(self.p.length)
        ):
            raise InvalidInput(
                f"order must name each of {counted(self.p.length, 'site')} once, got {order}"
            )
        known = itertools.accumulate((2**i for i in order), initial=0)
        total = sum(self.gaps[c, i] for c, i in zip(known, order, strict=False))
        return total if self.p.exact else float(total)

    @cached_property
    def mean(self) -> Number:
        """Mean divergence over all orders, each site equally likely to be next.

        The loss of the denoiser above the least one.
        """
        length, total = self.p.length, 0
        for known in range(2**length - 1):
            size = known.bit_count()
            weight = Fraction(1, math.comb(length, size) * (length - size))
            total = total + self._number(weight) * self.gaps[known].sum()
        return total if self.p.exact else float(total)

    @property
    def best(self) -> Number:
        """Divergence of the best order."""
        return self.kl(self.best_order)

    @property
    def worst(self) -> Number:
        """Divergence of the worst order."""
        return self.kl(self.worst_order)

    @cached_property
    def best_order(self) -> tuple[int, ...]:
        """The order that loses least; among equals, the one that ends with the leftmost sites."""
        return self._extreme(1)

    @cached_property
    def worst_order(self) -> tuple[int, ...]:
        """The order that loses most."""
        return self._extreme(-1)

    @property
    def spread(self) -> Number:
        """Divergence of the worst order less that of the best."""
        return self.worst - self.best

    def _extreme(self, sign: int) -> tuple[int, ...]:
        """The path from the empty to the full set with the least ``sign * KL``."""
        gaps = sign * floats(self.gaps, "which order loses least or most is not known")
        length = self.p.length
        least, last = np.zeros(2**length), np.zeros(2**length, dtype=np.int64)
        for known in range(1, 2**length):
            sites = [i for i in range(length) if known >> i & 1]
            costs = [least[known - 2**i] + gaps[known - 2**i, i] for i in sites]
            best = int(np.argmin(np.round(costs, DIGITS)))
            last[known], least[known] = sites[best], costs[best]
        order, known = [], 2**length - 1
        while known:
            order.append(int(last[known]))
            known -= 2 ** order[-1]
        return tuple(reversed(order))

    @cached_property
    def circulation(self) -> Circulation:
        """The circulations of the denoiser, summed up.

        Raises
        ------
        InvalidInput
            If the denoiser excludes what can happen: a circulation is then undefined. If which is
            larger depends on free symbols.
        """
        near_logs = floats(self._logs, "the largest circulation is not known")
        if not np.isfinite(near_logs).all():
            raise InvalidInput("the denoiser gives probability 0 to what can happen")
        length = self.p.length
        largest: Any = 0
        mean: Any = 0
        swap: Any = 0
        for known in range(2**length):
            masked = [i for i in range(length) if not known >> i & 1]
            size = length - len(masked)
            sets = math.comb(length, size) * math.comb(len(masked), 2) * (length - 1)
            for i, j in itertools.combinations(masked, 2):
                c, near = (_around(logs, known, i, j) for logs in (self._logs, near_logs))
                sizes = _absolute(c, near)
                largest = max(largest, sizes.tolist()[np.argmax(abs(near))])
                mean = mean + self._number(Fraction(1, sets)) * self._expected(sizes)
                swap = max(swap, abs(self._expected(c)))
        return Circulation(largest, mean, swap)

    def _expected(self, values: np.ndarray) -> Any:
        if self.p.exact:
            return sum(w * v for w, v in zip(self._probs, values, strict=True))
        return float(self._probs @ values)

    def _number(self, weight: Fraction) -> Any:
        return weight if self.p.exact else float(weight)


def _around(logs: np.ndarray, known: int, i: int, j: int) -> np.ndarray:
    """``c(C, i, j; x)`` for every sequence x."""
    first, second = known + 2**i, known + 2**j
    return logs[known, i] + logs[first, j] - logs[known, j] - logs[second, i]


def _absolute(c: np.ndarray, near: np.ndarray) -> np.ndarray:
    """``|c|``; exact numbers have the sign of the floats near them, if these are not near 0."""
    if c.dtype != object:
        return abs(c)
    clear = np.abs(near) > SIGN
    return np.where(clear, np.where(near < 0, -c, c), elementwise(abs, np.where(clear, 0, c)))


MAX_STEPS = 10**10
"""Some minutes of work: all sets of 13 bits, with all their values."""

STEPS_OF_A_SITE = 500
"""What a site at a set takes besides its values."""

EXACT_STEPS = 100
"""What an exact number takes beside a float."""

SIGN = 1e-9
"""A sum of four logarithms in float64 that is larger than this has the right sign."""

DIGITS = 12
"""Divergences that agree in so many decimals count as equal."""
