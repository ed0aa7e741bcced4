"""Following the masked sequences that a decoder reaches, round by round.

They are carried as codes with their masses, a layer for each round, and equal ones are merged;
what is not reached is never enumerated. Two masses travel together, how likely the *decoder* is
to be there and how likely *data* drawn from p are to lead there, so that the cost comes out of
the same pass: revealing the sites S at the context c costs

    KL(p(X_S | c) || prod_i f_i)

with f what tokens are drawn from. By the chain rule the expected costs of all rounds add up to
``E_policy KL(p || q_path)``; for the zero-loss denoiser each is a total correlation.

All of it happens where the lattice lives. From a device the host reads single numbers (how many
sites are masked, how many calls there were, the sums), never the sequences.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from sims.decoding.costs import log_ratio, quotient
from sims.decoding.denoiser import WithDraws
from sims.decoding.output import OutputDistribution
from sims.decoding.rows import Stack, batches, split
from sims.decoding.small_masses import log_masses
from sims.policies import Policy, TokenPolicy
from sims.policies.checks import check_token_outcome, check_total, check_written, checked_outcome
from theory import MASK
from theory._core.arrays import array_namespace, device, from_host, frozen, require_memory, to_host
from theory._core.plurals import counted
from theory._core.segments import Sums, any_true, groups, lookup, merged, row_counts
from theory.distributions.base import Distribution
from theory.errors import InvalidInput
from theory.information.units import not_negative
from theory.lattice.codes import Codes
from theory.lattice.lattice import EvidenceLattice

__all__ = ["Watch", "run"]

Array = Any

Watch = Callable[[int, Array, Array, Array], None]
"""Told the step, sequences (N, L), the sites that are revealed in them, and masses (N,)."""

BATCH = 2**14
"""Sequences that the denoiser and the policy see at once on the host."""

DEVICE_BATCH = 2**18
"""The same on a device, which needs more of them to be busy."""

PENDING = 2**20
"""Outcomes that may wait to be merged, beside those merged already."""

AT_ONCE = 2**22
"""Values that are given to the sites of one outcome together."""


class _Draws(NamedTuple):
    """What tokens are drawn from at every site of some sequences, shape (B * L, V)."""

    chances: Array
    logs: Callable[[], Array]  # of the chances, for those too small for a float


@dataclass(frozen=True, eq=False)
class _Layer:
    """Masked sequences reached after the same number of steps.

    Keys are ``code + calls * cells``: sequences with different numbers of calls so far are only
    merged where that is the number of steps.
    """

    keys: Array
    mass: Array  # under the decoder
    data: Array  # under the data, following the same policy; the mass, where nobody asks for it

    @property
    def size(self) -> int:
        return self.keys.shape[0]


def run(
    p: Distribution,
    lattice: EvidenceLattice,
    policy: Policy | TokenPolicy,
    ask: WithDraws,
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
        ask: WithDraws,
        observed: tuple[int, ...],
        watch: Watch | None,
    ) -> None:
        self.p, self.policy, self.ask = p, policy, ask
        self.observed, self.watch = observed, watch
        self.like = lattice.numerators
        self.xp, self.device = array_namespace(self.like), device(self.like)
        self.batch = BATCH if isinstance(self.like, np.ndarray) else DEVICE_BATCH
        self.codes = Codes(p.length, p.vocab, self.like)
        self.evidence = self.xp.reshape(lattice.numerators, (-1,))
        self.denominator = lattice.denominator
        self.dtype = object if p.exact else self.xp.float64
        self.selects = isinstance(policy, Policy) and not policy.looks_at_tokens
        self.steps = policy.steps if isinstance(policy, Policy) else None
        self.revises = isinstance(policy, Policy) and policy.remasks
        self.follows_data = self.selects and not self.revises
        what = f"the output table of shape ({p.vocab},)*{p.length}"
        require_memory(2 * self.codes.cells, what, self.like)
        one = self.xp.ones(1, dtype=self.dtype, device=self.device)
        self.finished = Sums(self.codes.cells, one)
        self.rounds: dict[int, Any] = {}
        self.costs: list[Any] = []
        self.data_rounds: Any = 0
        self.branched = not self.selects  # else each sequence has been reached in one way only
        self.lost = False
        self.states = self.widest = 0

    def finish(self) -> OutputDistribution:
        xp, layer, index = self.xp, self._start(), 0
        while layer.size and (self.steps is None or index < self.steps):
            self.states += layer.size
            self.widest = max(self.widest, layer.size)
            layer = self._step(layer, index)
            index += 1
        self._check_complete(layer)
        self._finish(layer)
        lattice = xp.reshape(self.finished.table(), (self.p.vocab + 1,) * self.p.length)
        table = xp.asarray(lattice[(slice(self.p.vocab),) * self.p.length], copy=True)
        tidy: Any = (lambda v: v) if self.p.exact else float
        rounds = {count: tidy(self.rounds[count]) for count in sorted(self.rounds)}
        if not self.p.exact:
            total = sum(rounds.values())  # 1 but for rounding
            rounds = {count: chance / total for count, chance in rounds.items()}
        return OutputDistribution(
            self.p,
            table,
            tuple(tidy(not_negative(v)) for v in self.costs) if self.follows_data else (),
            self.revises,
            rounds,
            tidy(self.data_rounds) if self.follows_data else None,
            self.states,
            self.widest,
            self._log_masses if self.follows_data and not self.p.exact else None,
            self.lost or (self.ask.lost and not self.follows_data),
        )

    def _log_masses(self, rows: np.ndarray) -> np.ndarray:
        assert isinstance(self.policy, Policy)
        return log_masses(self.p, self.policy, self.ask, self.observed, rows)

    def _check_complete(self, layer: _Layer) -> None:
        xp, left = self.xp, self.codes.decode(layer.keys % self.codes.cells)
        masked = row_counts(left == MASK) > 0
        if any_true(masked):
            first = int(xp.argmax(xp.astype(masked, xp.int64)))
            raise InvalidInput(
                f"{self.policy!r} leaves sites masked at the end of its clock: x = "
                f"{to_host(left[first, ...]).tolist()}"
            )

    def _start(self) -> _Layer:
        """The empty sequence, or every value of the observed sites that is possible."""
        xp = self.xp
        keys = xp.asarray([self.codes.blank], dtype=xp.int64, device=self.device)
        one = xp.ones(1, dtype=self.dtype, device=self.device)
        if not self.observed:
            return _Layer(keys, one, one)
        observed = from_host(np.asarray(self.observed, dtype=np.int64), self.like)
        steps = self.codes.steps(observed)
        for k in range(len(self.observed)):
            keys = xp.reshape(keys[:, None] + steps[k, :], (-1,))
        keys = keys[xp.take(self.evidence, keys) != 0]
        total = from_host([self.denominator], self.like)
        chances = xp.astype(quotient(xp.take(self.evidence, keys), total), self.dtype)
        return _Layer(keys, chances, chances)

    def _step(self, layer: _Layer, index: int) -> _Layer:
        self.costs.append(0)
        x = self.codes.decode(layer.keys % self.codes.cells)
        follow = self._select if self.selects else self._write
        parts: list[_Layer] = []
        pending = 0
        for masked, rows in batches(row_counts(x == MASK), self.batch):
            part, seen = self._rows(layer, rows), frozen(self._some(x, rows))
            for outcome, finished in follow(part, seen, masked, index):
                self.widest = max(self.widest, outcome.size)
                if finished:
                    self._finish(outcome)
                    continue
                parts.append(outcome)
                pending += outcome.size
                if pending > max(PENDING, parts[0].size):  # so that memory stays bounded
                    parts, pending = [self._merge(parts)], 0
        return self._merge(parts)

    # ---- policies that select sites before they draw --------------------------------------

    def _select(
        self, layer: _Layer, x: Array, masked: int, index: int
    ) -> Iterator[tuple[_Layer, bool]]:
        assert isinstance(self.policy, Policy)
        xp = self.xp
        predictions, draws = self.ask(x)
        draws = _Draws(
            xp.reshape(draws, (-1, self.p.vocab)),
            lambda: xp.reshape(self.ask.logs(predictions), (-1, self.p.vocab)),
        )
        every = xp.arange(x.shape[0], dtype=xp.int64, device=self.device)
        total: Any = 0
        chosen = Stack(self.batch, xp)
        for number, (chance, flip) in enumerate(
            self.policy.reveal_distribution(x, predictions, index)
        ):
            self.branched = self.branched or number > 0
            chance, used = checked_outcome(self.policy, x, chance, flip, exact=self.p.exact)
            total = total + chance
            if used is False:
                continue
            rows, weight = every, chance
            if used is not True:
                rows = xp.nonzero(used)[0]
                weight = self._some(chance, rows)
            part = self._rows(layer, rows)
            mass = part.mass * weight
            data = part.data * weight if self.follows_data else mass
            seen, flips = self._some(x, rows), self._some(flip, rows)
            for some in chosen.add(part.keys, mass, data, seen, flips, rows):
                yield from self._chosen(some, masked, index, draws)
        for some in chosen.rest():
            yield from self._chosen(some, masked, index, draws)
        check_total(total, x)

    def _chosen(
        self, stacked: tuple[Array, ...], masked: int, index: int, draws: _Draws
    ) -> Iterator[tuple[_Layer, bool]]:
        """Reveal what several outcomes of a law have chosen."""
        xp, (keys, mass, data, x, flip, origin) = self.xp, stacked
        if self.watch is not None:
            self.watch(index, x, flip & (x == MASK), mass)
        if self.revises:
            again = xp.where(flip & (x != MASK), self.p.vocab - x, 0)
            keys = keys + xp.matmul(again, self.codes.strides)
            flip = flip & (x == MASK)
        return self._reveal(_Layer(keys, mass, data), flip, masked, origin, draws)

    def _reveal(
        self, layer: _Layer, shown: Array, masked: int, origin: Array, draws: _Draws
    ) -> Iterator[tuple[_Layer, bool]]:
        """Draw tokens at the sites that are `shown`, of those `masked`, all values at once.

        Row k of the layer and of `shown` draws from the rows of site 0, 1, ... of `draws` that
        begin at ``origin[k] * L``.
        """
        if not layer.size:
            return
        for size, every in groups(row_counts(shown)):
            finished = not self.revises and size == masked
            count = every.shape[0]
            parts = min(count, math.ceil(count * self.p.vocab**size / AT_ONCE))
            for rows in split(every, parts):
                part, sites = self._rows(layer, rows), self._some(shown, rows)
                yield self._drawn(part, sites, size, self._some(origin, rows), draws), finished

    def _drawn(
        self, layer: _Layer, shown: Array, size: int, origin: Array, draws: _Draws
    ) -> _Layer:
        """The outcomes of rows that all reveal `size` sites."""
        xp, keys, count = self.xp, layer.keys, layer.size
        if size == 0:
            return layer
        sites = xp.reshape(xp.nonzero(shown)[1], (count, size))
        # key, mass, data, and the factor for each value, before and after merging
        what = f"a round that reveals {counted(size, 'site')}"
        require_memory(8 * count * self.p.vocab**size, what, self.like)
        steps = self.codes.steps(sites)
        places = origin[:, None] * self.p.length + sites
        chances = lookup(draws.chances, places)
        after, factor = keys[:, None] + steps[:, 0, :], chances[:, 0, :]
        for k in range(1, size):
            after = xp.reshape(after[:, :, None] + steps[:, k, :][:, None, :], (count, -1))
            factor = factor[:, :, None] * chances[:, k, :][:, None, :]
            factor = xp.reshape(factor, (count, -1))

        def logs() -> Array:
            parts = lookup(draws.logs(), places)
            total = parts[:, 0, :]
            for k in range(1, size):
                total = xp.reshape(total[:, :, None] + parts[:, k, :][:, None, :], (count, -1))
            return total

        return self._pass_on(layer, keys, after, factor, logs)

    def _pass_on(
        self, layer: _Layer, keys: Array, after: Array, factor: Array, logs: Callable[[], Array]
    ) -> _Layer:
        """Give every value its mass under the decoder and under the data, and add the cost."""
        xp, cells = self.xp, self.codes.cells
        mass = xp.reshape(layer.mass[:, None] * factor, (-1,))
        called = xp.reshape(after, (-1,)) + cells  # one call more
        if not self.follows_data:
            kept = mass != 0
            if not self.p.exact and not self.lost and any_true(~kept):
                possible = xp.reshape((layer.mass[:, None] > 0) & (logs() > -math.inf), (-1,))
                self.lost = any_true(~kept & possible)
            if any_true(~kept):
                called, mass = called[kept], mass[kept]
            return _Layer(called, mass, mass)
        self.data_rounds = self.data_rounds + xp.sum(layer.data)
        before = lookup(self.evidence, keys % cells)[:, None]
        share = quotient(lookup(self.evidence, after % cells), before)
        data = layer.data[:, None] * share
        self.costs[-1] = self.costs[-1] + log_ratio(data, share, factor, logs)
        data = xp.reshape(data, (-1,))
        kept = (mass != 0) | (data != 0)
        if any_true(~kept):
            called, mass, data = called[kept], mass[kept], data[kept]
        return _Layer(called, mass, data)

    # ---- policies that look at drawn tokens ------------------------------------------------

    def _write(
        self, layer: _Layer, x: Array, masked: int, index: int
    ) -> Iterator[tuple[_Layer, bool]]:
        assert isinstance(self.policy, TokenPolicy)
        xp = self.xp
        total = Sums(x.shape[0], layer.mass)
        stacks: dict[int, Stack] = {}
        for rows, chance, after, calls in self.policy.outcomes(x, self.ask, index):
            check_token_outcome(self.policy, x, (rows, chance, after, calls))
            total.add(rows, chance)
            stack = stacks.setdefault(calls, Stack(self.batch, xp))
            for some in stack.add(rows, chance, after):
                yield from self._written(layer, x, some, calls, index)
        for calls, stack in stacks.items():
            for some in stack.rest():
                yield from self._written(layer, x, some, calls, index)
        check_total(total.table(), x)

    def _written(
        self, layer: _Layer, x: Array, stacked: tuple[Array, ...], calls: int, index: int
    ) -> Iterator[tuple[_Layer, bool]]:
        """Give several outcomes their masses, those that are complete apart."""
        assert isinstance(self.policy, TokenPolicy)
        rows, chance, after = stacked
        xp, cells, seen = self.xp, self.codes.cells, lookup(x, rows)
        chance = check_written(self.policy, seen, chance, after, self.p.vocab)
        keys = lookup(layer.keys, rows) // cells * cells
        keys = keys + self.codes.encode(after) + calls * cells
        before = lookup(layer.mass, rows)
        mass = before * chance
        self.lost = self.lost or any_true((mass == 0) & (before != 0) & (chance != 0))
        if self.watch is not None:
            self.watch(index, seen, (after != MASK) & (seen == MASK), mass)
        complete = row_counts(after == MASK) == 0
        for finished in (False, True):
            some = xp.nonzero(complete == finished)[0]
            if some.shape[0]:
                yield self._rows(_Layer(keys, mass, mass), some), finished

    # ---- parts of a layer ------------------------------------------------------------------

    def _rows(self, layer: _Layer, rows: Array) -> _Layer:
        if rows.shape[0] == layer.size:
            return layer
        keys, mass = lookup(layer.keys, rows), lookup(layer.mass, rows)
        return _Layer(keys, mass, lookup(layer.data, rows) if self.follows_data else mass)

    def _some(self, x: Array, rows: Array) -> Array:
        """Rows that are different and in order: all of them where they are as many."""
        return x if rows.shape[0] == x.shape[0] else lookup(x, rows)

    # ---- between the rounds ----------------------------------------------------------------

    def _merge(self, parts: list[_Layer]) -> _Layer:
        """Add up equal sequences."""
        xp, count = self.xp, sum(part.size for part in parts)
        self.widest = max(self.widest, count)
        if not parts:
            nothing = xp.zeros(0, dtype=xp.int64, device=self.device)
            return _Layer(nothing, xp.astype(nothing, self.dtype), xp.astype(nothing, self.dtype))
        # keys, masses and data in parts, put together, and sorted
        require_memory(9 * count, "a round of the decoder", self.like)
        keys = xp.concat([part.keys for part in parts])
        mass = xp.concat([part.mass for part in parts])
        if not self.follows_data:
            if self.branched:
                keys, mass = merged(keys, mass)
            return _Layer(keys, mass, mass)
        data = xp.concat([part.data for part in parts])
        return _Layer(*merged(keys, mass, data)) if self.branched else _Layer(keys, mass, data)

    def _finish(self, layer: _Layer) -> None:
        """Put the mass of complete sequences where it stays."""
        if not layer.size:
            return
        xp, cells = self.xp, self.codes.cells
        self.finished.add(layer.keys % cells, layer.mass)
        for count, rows in groups(layer.keys // cells):
            here = xp.sum(self._some(layer.mass, rows))
            if here != 0:
                self.rounds[count] = self.rounds.get(count, 0) + here
