"""The dynamic program behind the best possible decoder.

At an observed context c with masked sites M the value of going on does not depend on how c was
reached:

    U(c) = min over non-empty S in M of  1 + multiplier * TC(X_S | c) + E[U(c, X_S) | c]

With everything multiplied by ``Z(c) = P(c)`` the expectation is a plain sum over values. So one
extends U by a slot for *summed* on every observed axis, as the evidence lattice extends p, and
finds the last term for every S by looking it up. There are ``(V + 2)^L`` pairs of a context and
a set to go through: each site is observed, in S, or masked and not in S.

Contexts are taken by the number of their masked sites, few first. The masks of one size are the
rows of an array, the observed tokens its columns.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sims.codes import Codes
from sims.policies import Tabulated
from theory.arrays import is_exact, require_memory, to_host, xlogx
from theory.distributions.base import Distribution
from theory.errors import InvalidInput
from theory.exact import all_rational, ratio

__all__ = ["Point", "Program"]

INDEPENDENT = 1e-12
"""Nats of total correlation up to which a set counts as independent, in floats."""

TIE = 1e-11
"""Relative differences up to this do not decide between two sets; the first one is taken."""

NUMBERS_PER_PAIR = 7
"""Doubles held for each pair: where its value is, its cost, three lattices and two copies."""


@dataclass(frozen=True, eq=False)
class Point:
    """One optimal decoder.

    Attributes
    ----------
    multiplier : float
        Rounds that a nat is worth.
    rounds : number
        Expected number of rounds on the data; a Fraction for ``math.inf`` and an exact p.
    kl : number
        ``KL(p || q)`` in nats.
    policy : Tabulated
        The decoder: give it to `output_distribution`, or ask it for its ``sites`` at a pattern.
        At contexts that the data never contain it reveals everything.
    """

    multiplier: float
    rounds: Any
    kl: Any
    policy: Tabulated

    def __repr__(self) -> str:
        return (
            f"Point(multiplier={self.multiplier:g}, rounds={float(self.rounds):.6g}, "
            f"kl={float(self.kl):.6g})"
        )


@dataclass(frozen=True, eq=False)
class _Set:
    """One choice of places within the masked sites, for all masks of a size at once.

    Attributes
    ----------
    places : tuple of int
        Which of the masked sites, in increasing order, are revealed.
    sites : ndarray, shape (rows,)
        The same with bit i for site i, for each mask.
    cell : ndarray, shape (rows, contexts)
        Where the sum over the revealed tokens of the values after it is kept.
    """

    places: tuple[int, ...]
    sites: np.ndarray
    cell: np.ndarray


@dataclass(frozen=True, eq=False)
class _Level:
    """All masks of one size."""

    masks: np.ndarray  # (rows,), bit i for site i
    sites: np.ndarray  # (rows, size): the masked sites of each
    codes: np.ndarray  # (rows, contexts): the patterns, as places in the evidence lattice
    sets: list[_Set]


class Program:
    """The dynamic program of one distribution; `solve` runs it for one multiplier.

    Raises
    ------
    TooLarge
        Before any memory is taken.
    InvalidInput
        If the distribution has free symbols.
    """

    def __init__(self, p: Distribution) -> None:
        self.length, self.vocab, self.exact = p.length, p.vocab, p.exact
        pairs = (p.vocab + 2) ** p.length
        require_memory(
            NUMBERS_PER_PAIR * pairs,
            f"the best decoder of {p.length} sites over {p.vocab} tokens, with "
            f"{NUMBERS_PER_PAIR} numbers for each of ({p.vocab} + 2)^{p.length} pairs of a "
            f"context and a set,",
        )
        lattice = p.lattice()
        self.codes = Codes(p.length, p.vocab)
        self.total = lattice.denominator
        self.evidence = to_host(lattice.numerators).reshape(-1)
        if self.exact and not all_rational(self.evidence):
            raise InvalidInput("the best decoder of a distribution with free symbols is not known")
        self.solved: dict[float, Point] = {}

    def solve(self, multiplier: float) -> Point:
        """The optimum for one multiplier, computed once."""
        if multiplier not in self.solved:
            rational = self.exact and multiplier == math.inf
            solve = self._solve_rational if rational else self._solve_floats
            rounds, kl, choices = solve(multiplier)
            policy = Tabulated(choices.reshape((self.vocab + 1,) * self.length))
            self.solved[multiplier] = Point(multiplier, rounds, kl, policy)
        return self.solved[multiplier]

    # ---- in floats -------------------------------------------------------------------------

    def _solve_floats(self, multiplier: float) -> tuple[float, float, np.ndarray]:
        value, rounds, lost = (np.zeros(self._cells) for _ in range(3))
        choices = self._no_choices()
        for level, costs in zip(self._levels, self._costs, strict=True):
            z = self._probabilities[level.codes]
            first = level.sets[0]
            best, chosen = z + value[first.cell], first.cell
            cost, sites = costs[0], np.broadcast_to(first.sites[:, None], z.shape)
            for one, dear in zip(level.sets[1:], costs[1:], strict=True):
                after = z + value[one.cell]
                if multiplier == math.inf:
                    better = (dear == 0) & (after < best * (1 - TIE))
                else:
                    after = after + multiplier * dear
                    better = after < best * (1 - TIE)
                best = np.where(better, after, best)
                chosen = np.where(better, one.cell, chosen)
                cost = np.where(better, dear, cost)
                sites = np.where(better, one.sites[:, None], sites)
            parts = ((value, best), (rounds, z + rounds[chosen]), (lost, cost + lost[chosen]))
            for flat, numbers in parts:
                self._keep(level, flat, numbers)
            choices[level.codes] = np.where(z > 0, sites, level.masks[:, None])
        return float(rounds[-1]), float(lost[-1]), choices

    @cached_property
    def _probabilities(self) -> np.ndarray:
        if is_exact(self.evidence):
            return ratio(self.evidence, self.total).astype(np.float64)
        return self.evidence

    @cached_property
    def _costs(self) -> list[list[np.ndarray]]:
        """``Z(c) TC(X_S | c)`` for every pair, from sums of ``Z log Z``."""
        terms = xlogx(self._probabilities)
        summed = np.zeros(self._cells)
        self._write(0, summed, terms[self._complete])
        result = []
        for level in self._levels:
            here, z = terms[level.codes], self._probabilities[level.codes]
            alone = [here - summed[one.cell] for one in level.sets if len(one.places) == 1]
            costs = []
            for one in level.sets:
                if len(one.places) == 1:
                    costs.append(np.zeros_like(here))
                else:
                    cost = sum(alone[k] for k in one.places) - (here - summed[one.cell])
                    costs.append(np.where(cost > INDEPENDENT * z, cost, 0.0))
            result.append(costs)
            self._keep(level, summed, here)
        return result

    # ---- in rational arithmetic, for zero divergence ----------------------------------------

    def _solve_rational(self, multiplier: float) -> tuple[Any, int, np.ndarray]:
        evidence = self.evidence
        if evidence.dtype != object and self.total * (self.length + 1) >= 2**31:
            evidence = evidence.astype(object)  # products must not overflow
        rounds = np.zeros(self._cells, dtype=evidence.dtype)
        choices = self._no_choices()
        for level in self._levels:
            z = evidence[level.codes]
            first = level.sets[0]
            best, sites = z + rounds[first.cell], np.broadcast_to(first.sites[:, None], z.shape)
            free = {first.places: np.ones(z.shape, dtype=bool)}
            for one in level.sets[1:]:
                free[one.places] = self._independent(evidence, level, one.places, free)
                after = z + rounds[one.cell]
                better = free[one.places] & (after < best)
                best = np.where(better, after, best)
                sites = np.where(better, one.sites[:, None], sites)
            self._keep(level, rounds, best)
            choices[level.codes] = np.where(z > 0, sites, level.masks[:, None])
        return ratio(rounds[-1:], self.total)[0], 0, choices

    def _independent(
        self,
        evidence: np.ndarray,
        level: _Level,
        places: tuple[int, ...],
        free: dict[tuple[int, ...], np.ndarray],
    ) -> np.ndarray:
        """Whether the sites are independent given each context: all but the last, and it of them.

        ``Z(c) Z(c, x_S) = Z(c, x_rest) Z(c, x_last)`` for all values.
        """
        if len(places) == 1:
            return np.ones(level.codes.shape, dtype=bool)
        rest, last = level.codes[:, :, None], level.codes[:, :, None]
        for k in places[:-1]:
            step = self.codes.steps(level.sites[:, k])[:, None, None, :]
            rest = (rest[..., None] + step).reshape(*level.codes.shape, -1)
        step = self.codes.steps(level.sites[:, places[-1]])[:, None, :]
        both = rest[..., None] + step[:, :, None, :]
        z = evidence[level.codes][:, :, None, None]
        product = evidence[rest][..., None] * evidence[last + step][:, :, None, :]
        return free[places[:-1]] & (z * evidence[both] == product).all(axis=(2, 3))

    # ---- where everything is kept ----------------------------------------------------------

    def _no_choices(self) -> np.ndarray:
        return np.zeros(self.codes.cells, dtype=np.int64)

    @property
    def _cells(self) -> int:
        return (self.vocab + 2) ** self.length

    @cached_property
    def _starts(self) -> list[int]:
        """Where the summed values of the masks of each size begin."""
        sizes = [
            math.comb(self.length, k) * (self.vocab + 1) ** (self.length - k)
            for k in range(self.length + 1)
        ]
        return [0, *itertools.accumulate(sizes)]

    @cached_property
    def _complete(self) -> np.ndarray:
        """Codes of the sequences without masks, shape (1, V^L)."""
        sites = np.arange(self.length)[None, :]
        return _at(self.codes.strides[sites], self._tokens(self.length))

    def _tokens(self, count: int) -> np.ndarray:
        """All values of `count` observed sites, shape (V^count, count)."""
        values = np.arange(self.vocab**count)
        return values[:, None] // self.vocab ** np.arange(count - 1, -1, -1) % self.vocab

    def _keep(self, level: _Level, flat: np.ndarray, numbers: np.ndarray) -> None:
        self._write(level.sites.shape[1], flat, numbers)

    def _write(self, masked: int, flat: np.ndarray, numbers: np.ndarray) -> None:
        """Put down the numbers of all masks of a size, with their sums over observed tokens."""
        rows, sites = len(numbers), self.length - masked
        for k in range(sites):
            shape = (rows, (self.vocab + 1) ** k, self.vocab, -1)
            numbers = numbers.reshape(shape)
            total = numbers.sum(axis=2, keepdims=True)
            numbers = np.concatenate([numbers, total], axis=2)
        flat[self._starts[masked] : self._starts[masked + 1]] = numbers.reshape(-1)

    @cached_property
    def _levels(self) -> list[_Level]:
        """The masks with 1, 2, ..., L sites and what may be revealed of them."""
        number = np.zeros(2**self.length, dtype=np.int64)
        by_size: list[list[int]] = [[] for _ in range(self.length + 1)]
        for mask in range(2**self.length):
            number[mask] = len(by_size[mask.bit_count()])
            by_size[mask.bit_count()].append(mask)
        return [
            self._level(np.asarray(by_size[size]), size, number)
            for size in range(1, self.length + 1)
        ]

    def _level(self, masks: np.ndarray, size: int, number: np.ndarray) -> _Level:
        every = np.arange(self.length)
        masked = masks[:, None] >> every & 1 == 1
        sites = np.nonzero(masked)[1].reshape(len(masks), size)
        observed = np.nonzero(~masked)[1].reshape(len(masks), self.length - size)
        tokens = self._tokens(self.length - size)
        blank = self.vocab * self.codes.strides[sites].sum(axis=1)
        codes = blank[:, None] + _at(self.codes.strides[observed], tokens)
        sets = [
            self._set(masks, sites, observed, tokens, places, number) for places in _subsets(size)
        ]
        return _Level(masks, sites, codes, sets)

    def _set(
        self,
        masks: np.ndarray,
        sites: np.ndarray,
        observed: np.ndarray,
        tokens: np.ndarray,
        places: tuple[int, ...],
        number: np.ndarray,
    ) -> _Set:
        chosen = sites[:, places]
        bits = (1 << chosen).sum(axis=1)
        left = masks - bits
        size = sites.shape[1] - len(places)
        kept = left[:, None] >> np.arange(self.length) & 1 == 0  # observed after this round
        later = np.cumsum(kept[:, ::-1], axis=1)[:, ::-1] - 1
        strides = (self.vocab + 1) ** np.maximum(later, 0)
        width = (self.vocab + 1) ** (self.length - size)
        start = self._starts[size] + number[left] * width
        start = start + self.vocab * np.take_along_axis(strides, chosen, axis=1).sum(axis=1)
        cell = start[:, None] + _at(np.take_along_axis(strides, observed, axis=1), tokens)
        return _Set(places, bits, cell)


def _at(strides: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    """Sum of tokens times strides, shape (rows, contexts)."""
    return strides @ tokens.T


def _subsets(size: int) -> Iterator[tuple[int, ...]]:
    """Non-empty sets of places, small ones first, then in lexicographic order."""
    for count in range(1, size + 1):
        yield from itertools.combinations(range(size), count)
