"""Following the masked sequences that a decoder reaches, round by round.

They are carried as codes with their masses, a layer for each round, and equal ones are merged;
what is not reached is never enumerated. Two masses travel together, how likely the *decoder* is
to be there and how likely *data* drawn from p are to lead there, so that the cost comes out of
the same pass: revealing the sites S at the context c costs

    KL(p(X_S | c) || prod_i f_i)

with f what tokens are drawn from. By the chain rule the expected costs of all rounds add up to
``E_policy KL(p || q_path)``; for the zero-loss denoiser each is a total correlation.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sims.codes import Codes
from sims.output import OutputDistribution
from sims.policies import Policy, TokenPolicy
from sims.policies.base import Ask, check_chances, checked_chances
from theory import MASK
from theory.arrays import frozen, is_exact, require_memory, times_log
from theory.distributions.base import Distribution
from theory.errors import InvalidInput
from theory.exact import ratio
from theory.lattice import EvidenceLattice

__all__ = ["Watch", "run"]

Watch = Callable[[int, np.ndarray, np.ndarray, np.ndarray], None]
"""Told the step, sequences (N, L), the sites that are revealed in them, and masses (N,)."""

BATCH = 2**14
"""Sequences that the denoiser and the policy see at once."""

PENDING = 2**20
"""Outcomes that may wait to be merged, beside those merged already."""

AT_ONCE = 2**22
"""Values that are given to the sites of one outcome together."""


@dataclass(frozen=True, eq=False)
class _Layer:
    """Masked sequences reached after the same number of steps.

    Keys are ``code + calls * cells``: sequences with different numbers of calls so far are only
    merged where that is the number of steps.
    """

    keys: np.ndarray
    mass: np.ndarray  # under the decoder
    data: np.ndarray  # under the data, following the same policy


def run(
    p: Distribution,
    lattice: EvidenceLattice,
    policy: Policy | TokenPolicy,
    ask: Ask,
    observed: tuple[int, ...] = (),
    watch: Watch | None = None,
) -> OutputDistribution:
    """Follow a policy until everything is written.

    It starts from the empty sequence, or with the tokens at the `observed` sites drawn from p.
    `watch` is told everything that is revealed.
    """
    return _Run(p, lattice, policy, ask, observed, watch).finish()


class _Run:
    """One computation: the layers, the finished mass and the running sums."""

    def __init__(
        self,
        p: Distribution,
        lattice: EvidenceLattice,
        policy: Policy | TokenPolicy,
        ask: Ask,
        observed: tuple[int, ...],
        watch: Watch | None,
    ) -> None:
        self.p, self.policy, self.ask = p, policy, ask
        self.observed, self.watch = observed, watch
        self.codes = Codes(p.length, p.vocab)
        self.evidence, self.denominator = lattice.numerators.reshape(-1), lattice.denominator
        self.dtype = object if p.exact else np.float64
        self.selects = isinstance(policy, Policy) and not policy.looks_at_tokens
        self.steps = policy.steps if isinstance(policy, Policy) else None
        self.revises = isinstance(policy, Policy) and policy.revises
        self.follows_data = self.selects and not self.revises
        require_memory(2 * self.codes.cells, f"the output table of shape ({p.vocab},)*{p.length}")
        self.finished = np.zeros(self.codes.cells, dtype=self.dtype)
        self.rounds: dict[int, Any] = {}
        self.costs: list[Any] = []
        self.data_rounds: Any = 0
        self.branched = not self.selects  # else each sequence has been reached in one way only
        self.states = self.widest = 0

    def finish(self) -> OutputDistribution:
        layer, index = self._start(), 0
        while layer.keys.size and (self.steps is None or index < self.steps):
            self.states += layer.keys.size
            self.widest = max(self.widest, layer.keys.size)
            layer = self._step(layer, index)
            index += 1
        left = self.codes.decode(layer.keys % self.codes.cells)
        masked = (left == MASK).any(axis=1)
        if masked.any():
            raise InvalidInput(
                f"{self.policy!r} leaves sites masked at the end of its clock: x = "
                f"{left[masked][0].tolist()}"
            )
        self._finish(layer)
        lattice = self.finished.reshape((self.p.vocab + 1,) * self.p.length)
        table = np.ascontiguousarray(lattice[(slice(self.p.vocab),) * self.p.length])
        tidy: Any = (lambda v: v) if self.p.exact else float
        rounds = {count: self.rounds[count] for count in sorted(self.rounds)}
        if not self.p.exact:
            total = float(sum(rounds.values()))  # 1 but for rounding
            rounds = {count: float(chance) / total for count, chance in rounds.items()}
        return OutputDistribution(
            self.p,
            table,
            tuple(map(tidy, self.costs)) if self.follows_data else (),
            self.revises,
            rounds,
            tidy(self.data_rounds) if self.follows_data else None,
            self.states,
            self.widest,
        )

    def _start(self) -> _Layer:
        """The empty sequence, or every value of the observed sites that is possible."""
        keys, one = np.asarray([self.codes.blank]), np.ones(1, dtype=self.dtype)
        if not self.observed:
            return _Layer(keys, one, one)
        for steps in self.codes.steps(np.asarray(self.observed, dtype=np.int64)):
            keys = (keys[:, None] + steps).reshape(-1)
        keys = keys[self.evidence[keys] != 0]
        chances = _quotient(self.evidence[keys], np.asarray(self.denominator)).astype(self.dtype)
        return _Layer(keys, chances, chances)

    def _step(self, layer: _Layer, index: int) -> _Layer:
        self.costs.append(0)
        x = self.codes.decode(layer.keys % self.codes.cells)
        follow = self._select if self.selects else self._write
        parts: list[_Layer] = []
        pending = 0
        for rows in _batches((x == MASK).sum(axis=1)):
            part = _Layer(layer.keys[rows], layer.mass[rows], layer.data[rows])
            for outcome, finished in follow(part, frozen(x[rows]), index):
                self.widest = max(self.widest, outcome.keys.size)
                if finished:
                    self._finish(outcome)
                    continue
                parts.append(outcome)
                pending += outcome.keys.size
                if pending > max(PENDING, parts[0].keys.size):  # so that memory stays bounded
                    parts, pending = [self._merge(parts)], 0
        return self._merge(parts)

    # ---- policies that select sites before they draw --------------------------------------

    def _select(self, layer: _Layer, x: np.ndarray, index: int) -> Iterator[tuple[_Layer, bool]]:
        assert isinstance(self.policy, Policy)
        predictions, draws = self.ask(x)
        total: Any = 0
        for number, (chance, flip) in enumerate(self.policy.law(x, predictions, index)):
            self.branched = self.branched or number > 0
            chance, used = checked_chances(self.policy, x, chance, flip, exact=self.p.exact)
            rows = np.flatnonzero(used)
            total = total + chance
            weight = np.broadcast_to(chance, len(x))[rows]
            part = _Layer(layer.keys[rows], layer.mass[rows] * weight, layer.data[rows] * weight)
            if self.watch is not None:
                self.watch(index, x[rows], flip[rows] & (x[rows] == MASK), part.mass)
            yield from self._reveal(part, x[rows], flip[rows], draws[rows])
        check_chances(total, x)

    def _reveal(
        self, layer: _Layer, x: np.ndarray, flip: np.ndarray, draws: np.ndarray
    ) -> Iterator[tuple[_Layer, bool]]:
        """Draw tokens at the masked sites of `flip`, all values at once; mask the others."""
        reveal = flip & (x == MASK)
        sizes = reveal.sum(axis=1)
        for size in np.unique(sizes).tolist():
            finished = not self.revises and size == (x[0] == MASK).sum()
            every = np.flatnonzero(sizes == size)
            parts = min(len(every), math.ceil(len(every) * self.p.vocab**size / AT_ONCE))
            for rows in np.array_split(every, parts):
                yield self._drawn(layer, x, rows, size, flip, draws), finished

    def _drawn(
        self,
        layer: _Layer,
        x: np.ndarray,
        rows: np.ndarray,
        size: int,
        flip: np.ndarray,
        draws: np.ndarray,
    ) -> _Layer:
        """The outcomes of rows that all reveal `size` sites."""
        keys, mass, data = layer.keys[rows], layer.mass[rows], layer.data[rows]
        x, flip = x[rows], flip[rows]
        if self.revises:
            again = np.where(flip & (x != MASK), self.p.vocab - x, 0)
            keys = keys + again @ self.codes.strides
        if size == 0:
            return _Layer(keys, mass, data)
        sites = np.nonzero(flip & (x == MASK))[1].reshape(len(keys), size)
        # key, mass, data, and the factor for each value, before and after merging
        require_memory(8 * len(keys) * self.p.vocab**size, f"a round that reveals {size} sites")
        steps = self.codes.steps(sites)
        chances = np.take_along_axis(draws[rows], sites[:, :, None], axis=1)
        after, factor = keys[:, None], chances[:, 0]
        for k in range(size):
            after = (after[:, :, None] + steps[:, k, None, :]).reshape(len(keys), -1)
            if k:
                factor = (factor[:, :, None] * chances[:, k, None, :]).reshape(len(keys), -1)
        return self._pass_on(keys, after, mass, data, factor)

    def _pass_on(
        self,
        keys: np.ndarray,
        after: np.ndarray,
        mass: np.ndarray,
        data: np.ndarray,
        factor: np.ndarray,
    ) -> _Layer:
        """Give every value its mass under the decoder and under the data, and add the cost."""
        cells = self.codes.cells
        mass = mass[:, None] * factor
        if self.follows_data:
            self.data_rounds = self.data_rounds + data.sum()
            before = self.evidence[keys % cells][:, None]
            share = _quotient(self.evidence[after % cells], before)
            data = data[:, None] * share
            lost = _log_ratio(data, share, factor)
            self.costs[-1] = self.costs[-1] + lost
        else:
            data = np.broadcast_to(data[:, None] * 0, mass.shape)
        kept = ((mass != 0) | (data != 0)).reshape(-1)
        after = after.reshape(-1) + cells  # one call more
        if kept.all():
            return _Layer(after, mass.reshape(-1), data.reshape(-1))
        return _Layer(after[kept], mass.reshape(-1)[kept], data.reshape(-1)[kept])

    # ---- policies that look at drawn tokens ------------------------------------------------

    def _write(self, layer: _Layer, x: np.ndarray, index: int) -> Iterator[tuple[_Layer, bool]]:
        assert isinstance(self.policy, TokenPolicy)
        total = np.zeros(len(x), dtype=self.dtype)
        for rows, chance, after, calls in self.policy.outcomes(x, self.ask, index):
            self._check_outcome(x[rows], chance, after, calls)
            np.add.at(total, rows, chance)
            keys = layer.keys[rows] // self.codes.cells * self.codes.cells
            keys = keys + self.codes.encode(after) + calls * self.codes.cells
            mass = layer.mass[rows] * chance
            if self.watch is not None:
                self.watch(index, x[rows], (after != MASK) & (x[rows] == MASK), mass)
            complete = (after != MASK).all(axis=1)
            for finished in (False, True):
                some = complete == finished
                if some.any():
                    yield _Layer(keys[some], mass[some], mass[some] * 0), finished
        check_chances(total, x)

    def _check_outcome(self, x: np.ndarray, chance: Any, after: Any, calls: int) -> None:
        if np.shape(after) != x.shape or np.shape(chance) != x.shape[:1]:
            raise InvalidInput(
                f"{self.policy!r} gave chances of shape {np.shape(chance)} and sequences of shape "
                f"{np.shape(after)} for {len(x)} rows of {x.shape[1]} sites"
            )
        if calls < 1:
            raise InvalidInput(f"{self.policy!r} took {calls} calls of the denoiser")
        if not (np.asarray(chance) >= 0).all():
            raise InvalidInput(f"the policy's chances must not be negative, got {min(chance)}")
        outside = (after < MASK) | (after >= self.p.vocab)
        if outside.any():
            raise InvalidInput(
                f"{self.policy!r} wrote token {after[outside][0]} of 0..{self.p.vocab - 1}"
            )
        seen = x != MASK
        wrong = (seen & (after != x)).any(axis=1) | ((after != MASK) == seen).all(axis=1)
        if wrong.any():
            raise InvalidInput(
                f"{self.policy!r} changed an observed token or wrote none, from x = "
                f"{x[wrong][0].tolist()}"
            )

    # ---- between the rounds ----------------------------------------------------------------

    def _merge(self, parts: list[_Layer]) -> _Layer:
        """Add up equal sequences."""
        self.widest = max(self.widest, sum(part.keys.size for part in parts))
        if not parts:
            return _Layer(*(np.zeros(0, dtype=np.int64),) * 3)
        # keys, masses and data in parts, put together, and sorted
        require_memory(9 * sum(part.keys.size for part in parts), "a round of the decoder")
        keys = np.concatenate([part.keys for part in parts])
        mass = np.concatenate([part.mass for part in parts])
        data = np.concatenate([part.data for part in parts])
        if not self.branched or not keys.size:
            return _Layer(keys, mass, data)
        span = int(keys.max()) + 1
        if span <= 4 * len(keys):  # most of the range is there: no need to sort
            unique = np.flatnonzero(np.bincount(keys, minlength=span))
            return _Layer(unique, _sums(keys, mass, span)[unique], _sums(keys, data, span)[unique])
        unique, inverse = np.unique(keys, return_inverse=True)
        count = len(unique)
        return _Layer(unique, _sums(inverse, mass, count), _sums(inverse, data, count))

    def _finish(self, layer: _Layer) -> None:
        """Put the mass of complete sequences where it stays."""
        np.add.at(self.finished, layer.keys % self.codes.cells, layer.mass)
        calls = layer.keys // self.codes.cells
        for count in np.unique(calls).tolist():
            here = layer.mass[calls == count].sum()
            if here != 0:
                self.rounds[count] = self.rounds.get(count, 0) + here


def _batches(masked: np.ndarray) -> Iterator[np.ndarray]:
    """Rows with equally many masked sites, not too many at once."""
    for count in np.unique(masked):
        rows = np.flatnonzero(masked == count)
        yield from np.array_split(rows, math.ceil(len(rows) / BATCH))


def _sums(index: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """Sums of the values that have the same index."""
    if values.dtype == object:
        total = np.zeros(count, dtype=object)
        np.add.at(total, index, values)
        return total
    return np.bincount(index, weights=values, minlength=count)


def _quotient(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """``a / b``, and 0 where nothing can happen."""
    if is_exact(a):
        return np.where(b == 0, 0, ratio(a, b))
    return np.divide(a, b, out=np.zeros(np.broadcast(a, b).shape), where=b > 0)


def _log_ratio(weights: np.ndarray, share: np.ndarray, factor: np.ndarray) -> Any:
    """``sum weights log(share / factor)``; infinite where something that happens is not drawn."""
    if is_exact(weights):
        return times_log(weights, share).sum() - times_log(weights, factor).sum()
    used = weights > 0
    with np.errstate(divide="ignore", over="ignore"):
        logs = np.log(np.divide(share, factor, out=np.ones_like(weights), where=used))
    return float((weights * logs).sum())
