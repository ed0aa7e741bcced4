"""The output distribution of a decoder, and its divergences from the data."""

import math
import operator
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

from sims.decoding.denoiser import TINY
from sims.decoding.layers import Draw, Reveal, outer
from sims.decoding.propagation import Propagation
from sims.decoding.small_masses import log_masses
from sims.policies import Policy
from theory import JointTable, information
from theory._core.arrays import (
    array_namespace,
    from_host,
    is_exact,
    log,
    require_memory,
    to_host,
    xlogy,
)
from theory._core.exact import short
from theory._core.plurals import counted
from theory._core.segments import Sums, any_true, gather, groups
from theory._core.types import Array, Number
from theory._markov.classes import possible
from theory.distributions.base import Distribution
from theory.information.units import not_negative

__all__ = ["OutputDistribution", "cost_of", "log_ratio", "output_of"]

STATES = 2**16
"""Sets of known sites, for all sequences together, that logarithms are found for at once."""


@dataclass(frozen=True, eq=False)
class OutputDistribution:
    """The distribution of what a decoder writes, and how far it is from the data.

    Attributes
    ----------
    p : Distribution
        The data.
    table : array, shape (V,)*L
        Probability of every output, where `p` lives; Fractions if `p` is exact.
    round_costs : tuple of numbers
        The parts of `path_kl` that the steps contribute, in nats: in each the expected
        divergence of the joint conditional of the revealed sites from the product that is drawn
        from. For the zero-loss denoiser at temperature 1 that is their expected total
        correlation. Empty for decoders that depend on drawn tokens or remask, which have no path
        of their own for each sequence.
    remasks : bool
        Whether the decoder masks, or draws, again what is already written.
    rounds : mapping
        From a number of denoiser calls to its probability under the decoder.
    data_rounds : number or None
        `expected_rounds_on_data` where there is a path.
    states : int
        Partly masked sequences that were visited, counted in every round.
    widest : int
        The most that were held at once, those not yet merged included. Memory is in proportion,
        beside one table of finished sequences as large as the evidence lattice.
    log_masses : callable or None
        From sequences (N, L) on the host to the logarithms of their probabilities, which may be
        too small for a float; for float decoders with a path.
    underflow : bool
        Whether, without that, a positive probability has been too small for a float on the way.
        What would be infinite by a 0 in the table is not known then, and nan.

    >>> from sims import output_distribution, policies
    >>> from theory import gallery
    >>> output_distribution(gallery.coupled_pairs(1), policies.RandomOrder((2,)))     # log 2
    <OutputDistribution of <JointTable: length 2, vocab 2>: KL 0.6931 nats, 1 round>
    """

    p: Distribution
    table: Array
    round_costs: tuple[Number, ...]
    remasks: bool
    rounds: Mapping[int, Number]
    data_rounds: Number | None
    states: int
    widest: int
    log_masses: Callable[[np.ndarray], np.ndarray] | None = None
    underflow: bool = False

    def __repr__(self) -> str:
        rounds = counted(self.expected_rounds, "round")
        return f"<OutputDistribution of {self.p!r}: KL {short(self.kl)} nats, {rounds}>"

    @property
    def revises(self) -> bool:
        """The old name of `remasks`."""
        warnings.warn("OutputDistribution.revises is now called remasks", DeprecationWarning, 2)
        return self.remasks

    @cached_property
    def kl(self) -> Number:
        """``KL(p || q)`` of the output distribution, in nats; at most `path_kl`.

        Infinite where the decoder never writes what data contain. Where it does with a
        probability too small for a float, its logarithm is taken, or nan if that is not known.
        """
        if self.p.exact:
            return information.kl_divergence(self._data, self.table)
        small = (self._data > 0) & (self.table < TINY)
        if self.log_masses is None:
            unknown = self.underflow and any_true(small & (self.table == 0))
            return math.nan if unknown else information.kl_divergence(self._data, self.table)
        return self._divergence(self._data, self.table, small, self.log_masses)

    @cached_property
    def path_kl(self) -> Number:
        """Mean of ``KL(p || q_path)`` over the random choices of the policy, in nats.

        `kl` for policies that depend on drawn tokens, in which all randomness is in the draws; nan
        for decoders that remask.
        """
        if self.data_rounds is not None:
            return sum(self.round_costs)
        return math.nan if self.remasks else self.kl

    @cached_property
    def expected_rounds_on_data(self) -> Number:
        """Mean number of calls if the tokens revealed were those of a sequence of the data.

        nan where there is no path, unless the number of calls is always the same.
        """
        if self.data_rounds is not None:
            return self.data_rounds
        return self.expected_rounds if len(self.rounds) == 1 else math.nan

    @cached_property
    def reverse_kl(self) -> Number:
        """``KL(q || p)`` in nats; infinite as soon as the decoder leaves the support of p."""
        if self.p.exact:
            return information.kl_divergence(self.table, self._data)
        small = (self.table > 0) & (self._data < TINY)
        return self._divergence(self.table, self._data, small, self._log_data)

    @cached_property
    def tv(self) -> Number:
        """Total variation distance: half the sum of ``|p - q|``."""
        xp = array_namespace(self.table)
        total = xp.sum(xp.abs(self._data - self.table)) / 2
        return total if self.p.exact else float(total)

    @cached_property
    def valid_mass(self) -> Number:
        """Probability that the output is a sequence that the data contain."""
        mass = array_namespace(self.table).sum(self.table[possible(self._data)])
        return mass if self.p.exact else float(mass)

    @cached_property
    def expected_rounds(self) -> Number:
        """Mean number of denoiser calls under the decoder."""
        return sum(count * probability for count, probability in self.rounds.items())

    @cached_property
    def distribution(self) -> JointTable:
        """The output distribution as a `JointTable`, with the symbols of the data."""
        return JointTable(self.table, exact=self.p.exact, symbols=self.p.symbols)

    def sample(self, rng: np.random.Generator, size: int) -> Array:
        """Draw outputs, shape (size, L), where `p` lives."""
        return self.distribution.sample(rng, size)

    def _divergence(
        self, p: Array, q: Array, small: Array, logs: Callable[[np.ndarray], np.ndarray]
    ) -> float:
        """``KL(p || q)``, with the logarithms of q where it is too small for a float.

        These are found for some sequences at a time: one that is impossible decides.
        """
        if not any_true(small):
            return information.kl_divergence(p, q)
        rows = np.argwhere(to_host(small))
        xp, host = array_namespace(p), to_host(p)
        total = float(xp.sum(xp.where(small, 0.0, xlogy(p, p) - xlogy(p, q))))
        step = max(1, STATES >> self.p.length)
        for some in (rows[k : k + step] for k in range(0, len(rows), step)):
            weights, found = host[tuple(some.T)], logs(some)
            if np.isneginf(found).any():
                return math.inf
            total += float((weights * (np.log(weights) - found)).sum())
        return max(total, 0.0)

    def _log_data(self, rows: np.ndarray) -> np.ndarray:
        return to_host(self.p.log_evidence(from_host(rows, self.p.like)))

    @cached_property
    def _data(self) -> Array:
        return self.p.table()


def output_of(steps: Propagation, *also: Callable[[Reveal], None]) -> OutputDistribution:
    """Sum up the steps: what is written at their end, and what they cost under the data.

    The functions in `also` are given everything that is revealed, in the same pass.
    """
    p, codes, xp = steps.p, steps.codes, steps.xp
    what = f"the output table of shape ({p.vocab},)*{p.length}"
    require_memory(2 * codes.cells, what, steps.like)
    finished = Sums(codes.cells, xp.ones(1, dtype=steps.dtype, device=steps.device))
    rounds: dict[int, Any] = {}
    costs: list[Any] = []
    data_rounds: Any = 0
    follows_data = "data" in steps.measures
    logs = None
    if follows_data and not p.exact:
        assert isinstance(steps.policy, Policy)
        logs = partial(log_masses, p, steps.policy, steps.call_denoiser, steps.observed)
    for reveal in steps:
        for function in also:
            function(reveal)
        if reveal.index == len(costs):
            costs.append(0)
        if reveal.draw is not None and follows_data:
            data_rounds = data_rounds + xp.sum(reveal.masses[1])
            costs[-1] = costs[-1] + cost_of(reveal.draw, reveal.masses_after[1])
        if reveal.complete and reveal.reached.size:
            keys, mass = reveal.reached.keys, reveal.reached.masses[0]
            finished.add(keys % codes.cells, mass)
            for count, rows in groups(keys // codes.cells):
                here = xp.sum(gather(mass, rows))
                if here != 0:
                    rounds[count] = rounds.get(count, 0) + here
    lattice = xp.reshape(finished.table(), (p.vocab + 1,) * p.length)
    table = xp.asarray(lattice[(slice(p.vocab),) * p.length], copy=True)
    tidy: Any = (lambda v: v) if p.exact else float
    rounds = {count: tidy(rounds[count]) for count in sorted(rounds)}
    if not p.exact:
        total = sum(rounds.values())  # 1 but for rounding
        rounds = {count: mass / total for count, mass in rounds.items()}
    return OutputDistribution(
        p,
        table,
        tuple(tidy(not_negative(v)) for v in costs) if follows_data else (),
        steps.remasks,
        rounds,
        tidy(data_rounds) if follows_data else None,
        steps.states,
        steps.widest,
        logs,
        steps.underflow or (steps.call_denoiser.underflow and not follows_data),
    )


def cost_of(draw: Draw, data: Array) -> Any:
    """What a draw costs: the divergence of its product from the share of each value, (N, M).

    Weighted with the mass of the data after it, so that the costs of all draws add up to path KL.
    """
    assert draw.share is not None
    return log_ratio(data, draw.share, draw.factor, lambda: outer(draw.logs(), operator.add))


def log_ratio(weights: Array, share: Array, factor: Array, logs: Callable[[], Array]) -> Any:
    """``sum weights log(share / factor)``; infinite where something that happens is not drawn.

    `logs` returns the logarithms of the factors, for those that are too small for a float.

    >>> one, half = np.ones((1, 1)), np.full((1, 1), 0.5)
    >>> float(log_ratio(one, half, half, lambda: np.log(half)))
    0.0
    >>> float(log_ratio(one, one, 0 * one, lambda: -1000 * one))
    1000.0
    """
    if is_exact(weights):
        return xlogy(weights, share).sum() - xlogy(weights, factor).sum()
    xp, used = array_namespace(weights), weights > 0
    small = used & (factor < TINY)
    plain = used & ~small
    costs = xp.log(xp.where(plain, share, 1.0) / xp.where(plain, factor, 1.0))
    if any_true(small):
        costs = xp.where(small, log(xp.where(small, share, 1.0)) - logs(), costs)
    return xp.sum(weights * costs)
