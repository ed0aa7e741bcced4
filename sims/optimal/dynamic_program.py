"""The optimum of expected rounds plus a multiple of KL(p || q), by a dynamic program.

At an observed context c with masked sites M the value of going on does not depend on how c was
reached:

    U(c) = min over non-empty S in M of  1 + multiplier * TC(X_S | c) + E[U(c, X_S) | c]

With everything multiplied by ``Z(c) = P(c)`` the expectation is a plain sum over values. So one
extends U by a slot for *summed* on every observed axis, as the evidence lattice extends p, and
looks up the last term for every S. There are ``(V + 2)^L`` pairs of a context and
a set to go through: each site is observed, in S, or masked and not in S.

Contexts are taken by the number of their masked sites, few first. The masks of one size are the
rows of an array, the observed tokens its columns. These arrays live where the distribution does;
only the sets of sites are gone through on the host.
"""

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sims.policies import Tabulated
from theory._core.arrays import array_namespace, device, from_host, is_exact, require_memory, xlogx
from theory._core.exact import all_rational, ratio
from theory._core.plurals import counted
from theory._core.segments import gather, scatter
from theory._core.types import Array, Number
from theory.distributions.base import Distribution
from theory.errors import InvalidInput
from theory.lattice.codes import Codes, digits

__all__ = ["Level", "Point", "Program"]

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
        Its table lives where the distribution does.
        At contexts that the data never contain it reveals everything.
    share : float
        With which probability the decoder is drawn beforehand, if it is one of two.
    """

    multiplier: float
    rounds: Number
    kl: Number
    policy: Tabulated
    share: float = 1.0

    def __repr__(self) -> str:
        share = f", share={self.share:.6g}" if self.share != 1 else ""
        return (
            f"Point(multiplier={self.multiplier:g}, rounds={float(self.rounds):.6g}, "
            f"kl={float(self.kl):.6g}{share})"
        )


@dataclass(frozen=True, eq=False)
class _Set:
    """One choice of offsets within the masked sites, for all masks of a size at once.

    Attributes
    ----------
    offsets : tuple of int
        Which of the masked sites, in increasing order, are revealed.
    sites : array, shape (rows,)
        The same with bit i for site i, for each mask.
    index : array, shape (rows, contexts)
        Where the sum over the revealed tokens of the values after it is kept.
    """

    offsets: tuple[int, ...]
    sites: Array
    index: Array


@dataclass(frozen=True, eq=False)
class Level:
    """All masks of one size."""

    size: int
    masks: Array  # (rows,), bit i for site i
    sites: np.ndarray  # (rows, size): the masked sites of each, on the host
    codes: Array  # (rows, contexts): of the patterns
    sets: list[_Set]


class Program:
    """The dynamic program of one distribution; `solve` runs it for one multiplier.

    Parameters
    ----------
    p : Distribution
    sites : iterable of int, optional
        Where its sites are in the sequences that the policies write, if others are given there.

    Raises
    ------
    TooLarge
        Before any memory is taken.
    InvalidInput
        If the distribution has free symbols.
    """

    def __init__(self, p: Distribution, sites: Iterable[int] | None = None) -> None:
        self.sites = sites
        self.length, self.vocab, self.exact = p.length, p.vocab, p.exact
        pairs = (p.vocab + 2) ** p.length
        require_memory(
            NUMBERS_PER_PAIR * pairs,
            f"the best decoder of {counted(p.length, 'site')} over {counted(p.vocab, 'token')}, "
            f"with {NUMBERS_PER_PAIR} numbers for each of ({p.vocab} + 2)^{p.length} pairs of a "
            f"context and a set,",
            p.like,
        )
        lattice = p.lattice()
        self.like, self.xp = lattice.numerators, array_namespace(lattice.numerators)
        self.codes = Codes(p.length, p.vocab)
        self.total = lattice.denominator
        self.evidence = self.xp.reshape(lattice.numerators, (-1,))
        if self.exact and not all_rational(self.evidence):
            raise InvalidInput("the best decoder of a distribution with free symbols is not known")
        self.solved: dict[float, Point] = {}

    def solve(self, multiplier: float) -> Point:
        """The optimum for one multiplier, computed once."""
        if multiplier not in self.solved:
            rational = self.exact and multiplier == math.inf
            solve = self._solve_rational if rational else self._solve_floats
            rounds, kl, choices = solve(multiplier)
            policy = Tabulated(
                self.xp.reshape(choices, (self.vocab + 1,) * self.length), self.sites
            )
            self.solved[multiplier] = Point(multiplier, rounds, kl, policy)
        return self.solved[multiplier]

    # ---- in floats -------------------------------------------------------------------------

    def _solve_floats(self, multiplier: float) -> tuple[Number, Number, Array]:
        xp = self.xp
        value, rounds, lost = (self._zeros() for _ in range(3))
        choices = []
        for level, costs in zip(self._levels, self._costs, strict=True):
            z = gather(self._probabilities, level.codes)
            first = level.sets[0]
            best, chosen = z + gather(value, first.index), first.index
            cost, sites = costs[0], xp.broadcast_to(first.sites[:, None], z.shape)
            for one, dear in zip(level.sets[1:], costs[1:], strict=True):
                after = z + gather(value, one.index)
                if multiplier == math.inf:
                    better = (dear == 0) & (after < best * (1 - TIE))
                else:
                    after = after + multiplier * dear
                    better = after < best * (1 - TIE)
                best = xp.where(better, after, best)
                chosen = xp.where(better, one.index, chosen)
                cost = xp.where(better, dear, cost)
                sites = xp.where(better, one.sites[:, None], sites)
            parts = (
                (value, best),
                (rounds, z + gather(rounds, chosen)),
                (lost, cost + gather(lost, chosen)),
            )
            for flat, numbers in parts:
                self._write(level.size, flat, numbers)
            choices.append(xp.where(z > 0, sites, level.masks[:, None]))
        return float(rounds[-1]), float(lost[-1]), self._table(choices)

    @cached_property
    def _probabilities(self) -> Array:
        if is_exact(self.evidence):
            return ratio(self.evidence, self.total).astype(np.float64)
        return self.evidence

    @cached_property
    def _costs(self) -> list[list[Array]]:
        return self._costs_of(self._probabilities)

    def _costs_of(self, evidence: Array) -> list[list[Array]]:
        """``Z(c) TC(X_S | c)`` for every pair, from sums of ``Z log Z``; exact if Z is."""
        xp, exact = self.xp, is_exact(evidence)
        terms = xlogx(evidence)
        summed = np.zeros(self._cells, dtype=object) if exact else self._zeros()
        self._write(0, summed, gather(terms, self._complete))
        result = []
        for level in self._levels:
            here, z = gather(terms, level.codes), gather(evidence, level.codes)
            entropies = [
                here - gather(summed, one.index) for one in level.sets if len(one.offsets) == 1
            ]
            costs = []
            for one in level.sets:
                if len(one.offsets) == 1:
                    costs.append(xp.zeros_like(here))
                else:
                    joint = here - gather(summed, one.index)
                    cost = sum(entropies[k] for k in one.offsets) - joint
                    costs.append(cost if exact else xp.where(cost > INDEPENDENT * z, cost, 0.0))
            result.append(costs)
            self._write(level.size, summed, here)
        return result

    # ---- in rational arithmetic, for zero divergence ----------------------------------------

    def _solve_rational(self, multiplier: float) -> tuple[Number, Number, Array]:
        evidence = self.evidence
        if evidence.dtype != object and self.total * (self.length + 1) >= 2**31:
            evidence = evidence.astype(object)  # products must not overflow
        rounds = np.zeros(self._cells, dtype=evidence.dtype)
        choices = []
        for level in self._levels:
            z = evidence[level.codes]
            first = level.sets[0]
            best, sites = z + rounds[first.index], np.broadcast_to(first.sites[:, None], z.shape)
            free = {first.offsets: np.ones(z.shape, dtype=bool)}
            for one in level.sets[1:]:
                free[one.offsets] = self._independent(evidence, level, one.offsets, free)
                after = z + rounds[one.index]
                better = free[one.offsets] & (after < best)
                best = np.where(better, after, best)
                sites = np.where(better, one.sites[:, None], sites)
            self._write(level.size, rounds, best)
            choices.append(np.where(z > 0, sites, level.masks[:, None]))
        return ratio(rounds[-1:], self.total)[0], 0, self._table(choices)

    def _independent(
        self,
        evidence: np.ndarray,
        level: Level,
        offsets: tuple[int, ...],
        free: dict[tuple[int, ...], np.ndarray],
    ) -> np.ndarray:
        """Whether the sites are independent given each context: all but the last, and it of them.

        ``Z(c) Z(c, x_S) = Z(c, x_rest) Z(c, x_last)`` for all values.
        """
        if len(offsets) == 1:
            return np.ones(level.codes.shape, dtype=bool)
        rest, last = level.codes[:, :, None], level.codes[:, :, None]
        for k in offsets[:-1]:
            step = self.codes.steps(level.sites[:, k])[:, None, None, :]
            rest = (rest[..., None] + step).reshape(*level.codes.shape, -1)
        step = self.codes.steps(level.sites[:, offsets[-1]])[:, None, :]
        both = rest[..., None] + step[:, :, None, :]
        z = evidence[level.codes][:, :, None, None]
        product = evidence[rest][..., None] * evidence[last + step][:, :, None, :]
        return free[offsets[:-1]] & (z * evidence[both] == product).all(axis=(2, 3))

    # ---- where everything is kept ----------------------------------------------------------

    def _there(self, values: np.ndarray) -> Array:
        """Host integers beside the distribution."""
        return values if isinstance(self.like, np.ndarray) else from_host(values, self.like)

    def _zeros(self) -> Array:
        return self.xp.zeros(self._cells, dtype=self.xp.float64, device=device(self.like))

    def _table(self, choices: list[Array]) -> Array:
        """What is revealed at every pattern, from all levels; nothing at complete sequences."""
        xp = self.xp
        codes = xp.concat([xp.reshape(level.codes, (-1,)) for level in self._levels])
        choices = [xp.reshape(each, (-1,)) for each in choices]
        return scatter(codes, xp.concat(choices), self.codes.cells)

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
    def _complete(self) -> Array:
        """Codes of the sequences without masks, shape (1, V^L)."""
        return self._at(self.codes.strides[None, :], self._tokens(self.length))

    def _tokens(self, count: int) -> Array:
        """All values of `count` observed sites, shape (count, V^count)."""
        xp = self.xp
        values = xp.arange(self.vocab**count, dtype=xp.int64, device=device(self.like))
        return digits(values, count, self.vocab).T

    def _write(self, masked: int, flat: Array, numbers: Array) -> None:
        """Store the numbers of all masks of a size, with their sums over observed tokens."""
        xp = self.xp
        rows, sites = numbers.shape[0], self.length - masked
        for k in range(sites):
            before = (self.vocab + 1) ** k
            numbers = xp.reshape(numbers, (rows, before, self.vocab, self.vocab ** (sites - 1 - k)))
            total = xp.sum(numbers, axis=2, keepdims=True)
            numbers = xp.concat([numbers, total], axis=2)
        flat[self._starts[masked] : self._starts[masked + 1]] = xp.reshape(numbers, (-1,))

    @cached_property
    def _levels(self) -> list[Level]:
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

    def _level(self, masks: np.ndarray, size: int, number: np.ndarray) -> Level:
        every = np.arange(self.length)
        masked = masks[:, None] >> every & 1 == 1
        sites = np.nonzero(masked)[1].reshape(len(masks), size)
        observed = np.nonzero(~masked)[1].reshape(len(masks), self.length - size)
        tokens = self._tokens(self.length - size)
        blank = self._there(self.vocab * self.codes.strides[sites].sum(axis=1))
        codes = blank[:, None] + self._at(self.codes.strides[observed], tokens)
        sets = [
            self._set(masks, sites, observed, tokens, offsets, number) for offsets in _subsets(size)
        ]
        return Level(size, self._there(masks), sites, codes, sets)

    def _set(
        self,
        masks: np.ndarray,
        sites: np.ndarray,
        observed: np.ndarray,
        tokens: Array,
        offsets: tuple[int, ...],
        number: np.ndarray,
    ) -> _Set:
        chosen = sites[:, offsets]
        bits = (1 << chosen).sum(axis=1)
        left = masks - bits
        size = sites.shape[1] - len(offsets)
        kept = left[:, None] >> np.arange(self.length) & 1 == 0  # observed after this round
        later = np.cumsum(kept[:, ::-1], axis=1)[:, ::-1] - 1
        strides = (self.vocab + 1) ** np.maximum(later, 0)
        width = (self.vocab + 1) ** (self.length - size)
        start = self._starts[size] + number[left] * width
        start = start + self.vocab * np.take_along_axis(strides, chosen, axis=1).sum(axis=1)
        along = np.take_along_axis(strides, observed, axis=1)
        index = self._there(start)[:, None] + self._at(along, tokens)
        return _Set(offsets, self._there(bits), index)

    def _at(self, strides: np.ndarray, tokens: Array) -> Array:
        """Sum of tokens times strides, shape (rows, contexts)."""
        return self.xp.matmul(self._there(strides), tokens)


def _subsets(size: int) -> Iterator[tuple[int, ...]]:
    """Non-empty sets of offsets, small ones first, then in lexicographic order."""
    for count in range(1, size + 1):
        yield from itertools.combinations(range(size), count)
