"""The distribution of the masked sequences that a decoder reaches, round by round.

`propagate` yields, step by step, the contexts, what is revealed in them, and how likely that is. It
is the one exact interpreter of policies: what a decoder writes, in which order, which patterns the
denoiser is called with and what it loses to a denoiser are sums over what it yields.

Contexts are carried as codes with their masses, a layer for each round, and equal ones are merged;
what is not reached is never enumerated. Several masses travel together, so that what depends on
two of them comes out of one pass:

    "decoder"    how likely the decoder is to be there
    "data"       how likely data drawn from p are to lead there: the decoder chooses the sites, and
                 the tokens at them are those of the data
    a function   of which sites are known, bool (N, L) to (N,): how likely the decoder is to be
                 there, and to have been nowhere on the way where the function says no

All of it happens where the lattice lives. From a device the host reads single numbers (how many
sites are masked, how many calls there were, the sums), never the sequences.
"""

import math
import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from sims.decoding.arguments import as_run, prepare, refuse_masked
from sims.decoding.denoiser import TemperedDenoiser
from sims.decoding.layers import Draw, Layer, Reveal, batches, joined, outer, quotient, split
from sims.decoding.sampling import Temperature
from sims.policies import Corrector, Policy, TokenPolicy
from sims.policies.checks import check_token_outcome, check_total, check_written, checked_outcome
from theory import MASK
from theory._core.arrays import (
    array_namespace,
    device,
    from_host,
    read_only,
    require_memory,
    to_host,
)
from theory._core.plurals import counted
from theory._core.segments import Sums, any_true, gather, groups, row_counts, sum_by_key
from theory._core.types import Array, ArrayLike
from theory.distributions.base import Distribution
from theory.lattice.codes import Codes
from theory.lattice.lattice import EvidenceLattice
from theory.loss.forward import Denoiser

__all__ = ["BATCH", "Measure", "Propagation", "propagate"]


Measure = str | Callable[[Array], Array]
"""One of the masses that are followed, see above."""

BATCH = 2**14
"""Sequences that the denoiser and the policy see at once on the host."""

DEVICE_BATCH = 2**18
"""The same on a device, which needs more of them to be busy."""

PENDING = 2**20
"""Outcomes that may wait to be merged, beside those merged already."""

AT_ONCE = 2**22
"""Values that are given to the sites of one outcome together."""


def propagate(
    p: Distribution,
    decoder: Policy | TokenPolicy,
    temperature: Temperature = 1.0,
    denoiser: Denoiser | None = None,
    observed: Iterable[int] = (),
    prompt: ArrayLike | None = None,
    measures: tuple[Measure, ...] | None = None,
    *,
    on_host: bool = True,
    tabulated: bool = True,
) -> "Propagation":
    """Check what a decoder is run with, and get ready to follow it.

    Parameters
    ----------
    p, temperature, denoiser, observed, prompt
        As for `output_distribution`.
    decoder : Policy or TokenPolicy
        As `as_decoder` returns it.
    measures : tuple
        The masses that are followed, as above. The data can be followed only if the decoder
        selects sites before it draws and never remasks. By default the decoder's mass, and
        that of the data where they can.
    on_host : bool
        Follow it on the host wherever p lives, for those who count there.
    tabulated : bool
        Whether the evidence lattice has to fit. If not, and it does not, p gives the predictions.

    Examples
    --------
    The second bit of two equal ones is known after the first:

    >>> from sims import policies
    >>> from theory import gallery
    >>> for step in propagate(gallery.coupled_pairs(1), policies.LeftToRight()):
    ...     print(step.x.tolist(), step.sites.tolist(), step.masses[0], step.complete)
    [[-1, -1]] [[True, False]] [1.] False
    [[0, -1], [1, -1]] [[False, True], [False, True]] [0.5 0.5] True
    """
    run = as_run(p, decoder, temperature, observed, prompt)
    assert not isinstance(run.decoder, Corrector)
    lattice, call_denoiser = prepare(run, denoiser, on_host, tabulated)
    return Propagation(run.p, lattice, run.decoder, call_denoiser, run.observed, measures)


class Propagation:
    """The steps of one decoder, to be iterated over once, with what is known after the last.

    Attributes
    ----------
    measures : tuple
        The masses that are followed.
    states : int
        Partly masked sequences that were visited, counted in every round.
    widest : int
        The most that were held at once, those not yet merged included.
    underflow : bool
        Whether a positive probability has been too small for a float on the way, for policies that
        depend on drawn tokens or remask. (For others there are the logarithms, see `small_masses`.)
    """

    def __init__(
        self,
        p: Distribution,
        lattice: EvidenceLattice | None,
        policy: Policy | TokenPolicy,
        call_denoiser: TemperedDenoiser,
        observed: tuple[int, ...] = (),
        measures: tuple[Measure, ...] | None = None,
    ) -> None:
        self.p, self.policy, self.observed = p, policy, observed
        self.call_denoiser = call_denoiser
        self.like = np.zeros(0) if lattice is None else lattice.numerators
        self.xp, self.device = array_namespace(self.like), device(self.like)
        self.batch = BATCH if isinstance(self.like, np.ndarray) else DEVICE_BATCH
        self.codes = Codes(p.length, p.vocab, self.like)
        self._numerators = None if lattice is None else self.xp.reshape(self.like, (-1,))
        self.dtype = object if p.exact else self.xp.float64
        self.selects = isinstance(policy, Policy) and not policy.looks_at_tokens
        self.steps = policy.steps
        self.remasks = policy.remasks
        self.given = None  # where a policy could mask again what is given
        if self.remasks and observed:
            self.given = from_host(
                np.isin(np.arange(p.length, dtype=np.int64), observed), self.like
            )
        if measures is None:
            measures = ("decoder", "data") if self.selects and not self.remasks else ("decoder",)
        self.measures = measures
        self.conditions = any(callable(measure) for measure in measures)
        self.branched = not self.selects  # else each sequence has been reached in one way only
        self.underflow = False
        self.states = self.widest = 0

    def __iter__(self) -> Iterator[Reveal]:
        layer, index = self.start(), 0
        while layer.size and index != self.steps:
            self.states += layer.size
            self.widest = max(self.widest, layer.size)
            parts: list[Layer] = []
            pending = 0
            for reveal in self.step(layer, index):
                yield reveal
                self.widest = max(self.widest, reveal.reached.size)
                if reveal.complete:
                    continue
                parts.append(reveal.reached)
                pending += reveal.reached.size
                if pending > max(PENDING, parts[0].size):  # so that memory stays bounded
                    parts, pending = [self._merge(parts)], 0
            layer, index = self._merge(parts), index + 1
        if layer.size:  # the clock has run out
            x = self.codes.decode(layer.keys % self.codes.cells)
            refuse_masked(self.policy, x)
            keys, *masses = (v[:, None] for v in (layer.keys, *layer.masses))
            nothing = x == MASK
            yield Reveal(
                self.codes, index, layer.keys, nothing, layer.masses, keys, tuple(masses), True
            )

    def start(self) -> Layer:
        """The empty sequence, or every value of the observed sites that is possible."""
        xp = self.xp
        keys = xp.asarray([self.codes.blank], dtype=xp.int64, device=self.device)
        if not self.observed:
            one = xp.ones(1, dtype=self.dtype, device=self.device)
            return Layer(keys, (one,) * len(self.measures))
        whole = self.evidence(keys)
        observed = from_host(np.asarray(self.observed, dtype=np.int64), self.like)
        steps = self.codes.steps(observed)
        for k in range(len(self.observed)):
            keys = xp.reshape(keys[:, None] + steps[k, :], (-1,))
        keys = keys[self.evidence(keys) != 0]
        mass = xp.astype(quotient(self.evidence(keys), whole), self.dtype)
        return Layer(keys, (mass,) * len(self.measures))

    def evidence(self, keys: Array) -> Array:
        """Probability of what is observed, times a constant; shaped as the keys are."""
        keys = keys % self.codes.cells
        if self._numerators is not None:
            return gather(self._numerators, keys)
        x = self.codes.decode(keys.reshape(-1))
        return to_host(self.p.evidence(from_host(x, self.p.like))).reshape(keys.shape)

    def step(self, layer: Layer, index: int) -> Iterator[Reveal]:
        """What the policy does next at each sequence of a layer."""
        x = self.codes.decode(layer.keys % self.codes.cells)
        follow = self._select if self.selects else self._write
        for masked, rows in batches(row_counts(x == MASK), self.batch):
            part, seen = self._rows(layer, rows), read_only(self._some(x, rows))
            yield from follow(part, seen, masked, index)

    # ---- policies that select sites before they draw --------------------------------------

    def _select(self, layer: Layer, x: Array, masked: int, index: int) -> Iterator[Reveal]:
        assert isinstance(self.policy, Policy)
        xp = self.xp
        call_denoiser = self.call_denoiser.at(index)
        predictions, draws = call_denoiser(x)
        draws = _Draws(
            xp.reshape(draws, (-1, self.p.vocab)),
            lambda: xp.reshape(call_denoiser.logs(predictions), (-1, self.p.vocab)),
        )
        for some in joined(self._choices(layer, x, predictions, index), self.batch):
            yield from self._chosen(some, masked, index, draws)

    def _choices(
        self, layer: Layer, x: Array, predictions: Array, index: int
    ) -> Iterator[tuple[Array, ...]]:
        """The rows that an outcome concerns, the sites in them, their keys and masses."""
        assert isinstance(self.policy, Policy)
        xp = self.xp
        every = xp.arange(x.shape[0], dtype=xp.int64, device=self.device)
        total: Any = 0
        outcomes = self.policy.reveal_distribution(x, predictions, index)
        for number, (found, flip) in enumerate(outcomes):
            self.branched = self.branched or number > 0
            weight, used = checked_outcome(self.policy, x, found, flip, exact=self.p.exact)
            total = total + weight
            if used is False:
                continue
            if self.given is not None:
                flip = flip & ~self.given
            rows = every
            if used is not True:
                rows = xp.nonzero(used)[0]
                weight = self._some(weight, rows)
            part = self._rows(layer, rows)
            masses = (mass * weight for mass in part.masses)
            yield rows, self._some(flip, rows), part.keys, *masses
        check_total(total, x)

    def _chosen(
        self, stacked: tuple[Array, ...], masked: int, index: int, draws: "_Draws"
    ) -> Iterator[Reveal]:
        """Reveal what several outcomes of a choice select, those of equal size together.

        The first array holds the row of each choice among the sequences that `draws` is about.
        """
        xp, (origin, sites, before, *masses) = self.xp, stacked
        if not before.shape[0]:
            return
        keys = before
        if self.remasks:
            x = self.codes.decode(before % self.codes.cells)
            again = xp.where(sites & (x != MASK), self.p.vocab - x, 0)
            keys = before + xp.matmul(again, self.codes.strides)
            sites = sites & (x == MASK)
        for size, every in groups(row_counts(sites)):
            complete = not self.remasks and size == masked
            count = every.shape[0]
            parts = min(count, math.ceil(count * self.p.vocab**size / AT_ONCE))
            for rows in split(every, parts):
                own, was, now = (self._some(v, rows) for v in (sites, before, keys))
                weights = tuple(self._some(mass, rows) for mass in masses)
                kept = self._conditioned(weights, was, own)
                if size:
                    first = self._some(origin, rows)[:, None] * self.p.length
                    after, kept, draw = self._drawn(now, kept, own, size, first, draws)
                else:
                    after, draw = now[:, None], None
                    kept = tuple(mass[:, None] for mass in kept)
                yield Reveal(self.codes, index, was, own, weights, after, kept, complete, draw)

    def _conditioned(
        self, masses: tuple[Array, ...], before: Array, sites: Array
    ) -> tuple[Array, ...]:
        """The masses after a choice of sites; 0 where a condition excludes it."""
        if not self.conditions:
            return masses
        known = (self.codes.decode(before % self.codes.cells) != MASK) | sites
        return tuple(
            self.xp.where(measure(known), mass, 0 * mass) if callable(measure) else mass
            for measure, mass in zip(self.measures, masses, strict=True)
        )

    def _drawn(
        self,
        keys: Array,
        masses: tuple[Array, ...],
        shown: Array,
        size: int,
        first: Array,
        draws: "_Draws",
    ) -> tuple[Array, tuple[Array, ...], Draw]:
        """Give the sites of rows that all reveal `size` of them every value, at once.

        Row k draws from the rows ``first[k] + 0, 1, ...`` of `draws`.
        """
        xp, count = self.xp, keys.shape[0]
        sites = xp.reshape(xp.nonzero(shown)[1], (count, size))
        # key, mass, data, and the factor for each value, before and after merging
        what = f"a round that reveals {counted(size, 'site')}"
        require_memory(8 * count * self.p.vocab**size, what, self.like)
        rows = first + sites
        sampling_probs = gather(draws.probabilities, rows)
        factor = outer(sampling_probs, operator.mul)
        after = keys[:, None] + outer(self.codes.steps(sites), operator.add)
        share = self.share(keys, after) if "data" in self.measures else None
        masses_after = tuple(
            mass[:, None] * (share if measure == "data" else factor)
            for measure, mass in zip(self.measures, masses, strict=True)
        )
        draw = Draw(sites, sampling_probs, lambda: gather(draws.logs(), rows), factor, share)
        if self.remasks and not self.p.exact and not self.underflow:
            nothing = masses_after[0] == 0
            if any_true(nothing):
                possible = (masses[0][:, None] > 0) & (outer(draw.logs(), operator.add) > -math.inf)
                self.underflow = any_true(nothing & possible)
        return after + self.codes.cells, masses_after, draw  # one call more

    def share(self, before: Array, after: Array) -> Array:
        """Probability of what is known at the keys (N, ...), given what was before (N,)."""
        given = self.evidence(before)
        return quotient(self.evidence(after), given[:, *(None,) * (after.ndim - 1)])

    # ---- policies that depend on drawn tokens ----------------------------------------------

    def _write(self, layer: Layer, x: Array, masked: int, index: int) -> Iterator[Reveal]:
        for some in joined(self._outcomes(layer, x, index), self.batch):
            yield from self._written(layer, x, some, index)

    def _outcomes(self, layer: Layer, x: Array, index: int) -> Iterator[tuple[Array, ...]]:
        """The rows that an outcome concerns, its probabilities, the sequences after, the calls."""
        assert isinstance(self.policy, TokenPolicy)
        total = Sums(x.shape[0], layer.masses[0])
        for outcome in self.policy.outcomes(x, self.call_denoiser.at(index), index):
            check_token_outcome(self.policy, x, outcome)
            rows, probability, after, calls = outcome
            total.add(rows, probability)
            yield rows, probability, after, self.xp.full_like(rows, calls)
        check_total(total.table(), x)

    def _written(
        self, layer: Layer, x: Array, stacked: tuple[Array, ...], index: int
    ) -> Iterator[Reveal]:
        """What several outcomes lead to, those that are complete apart."""
        rows, probability, after, calls = stacked
        seen = gather(x, rows)
        probability = check_written(self.policy, seen, probability, after, self.p.vocab, self.given)
        before = gather(layer.keys, rows)
        labels = before // self.codes.cells + calls
        keys = labels * self.codes.cells + self.codes.encode(after)
        there = [gather(mass, rows) for mass in layer.masses]
        masses = [mass * probability for mass in there]
        self.underflow = self.underflow or any_true(
            (masses[0] == 0) & (there[0] != 0) & (probability != 0)
        )
        sites = (after != MASK) & (seen == MASK)
        complete = row_counts(after == MASK) == 0
        if self.remasks:
            complete = complete & (row_counts(after != seen) == 0)
        for finished in (False, True):
            some = self.xp.nonzero(complete == finished)[0]
            if some.shape[0]:
                was, own, now = (self._some(v, some) for v in (before, sites, keys))
                weights = tuple(self._some(mass, some) for mass in masses)
                kept = tuple(mass[:, None] for mass in self._conditioned(weights, was, own))
                yield Reveal(self.codes, index, was, own, weights, now[:, None], kept, finished)

    # ---- parts of a layer ------------------------------------------------------------------

    def _rows(self, layer: Layer, rows: Array) -> Layer:
        if rows.shape[0] == layer.size:
            return layer
        return Layer(gather(layer.keys, rows), tuple(gather(m, rows) for m in layer.masses))

    def _some(self, x: Array, rows: Array) -> Array:
        """Rows that are different and in order: all of them where they are as many."""
        return x if rows.shape[0] == x.shape[0] else gather(x, rows)

    # ---- between the rounds ----------------------------------------------------------------

    def _merge(self, parts: list[Layer]) -> Layer:
        """Add up equal sequences."""
        xp, count = self.xp, sum(part.size for part in parts)
        self.widest = max(self.widest, count)
        if not parts:
            nothing = xp.zeros(0, dtype=xp.int64, device=self.device)
            return Layer(nothing, (xp.astype(nothing, self.dtype),) * len(self.measures))
        # keys, masses and data in parts, put together, and sorted
        require_memory(9 * count, "a round of the decoder", self.like)
        columns = zip(*((part.keys, *part.masses) for part in parts), strict=True)
        keys, *masses = (xp.concat(list(column)) for column in columns)
        if self.branched:
            keys, *masses = sum_by_key(keys, *masses)
        return Layer(keys, tuple(masses))


class _Draws(NamedTuple):
    """The sampling probabilities at every site of some sequences, shape (B * L, V)."""

    probabilities: Array
    logs: Callable[[], Array]
