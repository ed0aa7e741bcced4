"""What a decoder writes: its distribution, and how far that is from the data."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sims.decoding.costs import TINY
from theory import JointTable, information
from theory._core.arrays import array_namespace, from_host, times_log, to_host
from theory._core.segments import any_true
from theory._markov.classes import possible
from theory.distributions.base import Distribution

__all__ = ["OutputDistribution"]

STATES = 2**16
"""Sets of known sites, for all sequences together, that logarithms are found for at once."""


@dataclass(frozen=True, eq=False)
class OutputDistribution:
    """What a decoder writes, and how far it is from the data.

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
        correlation. Empty for decoders that look at drawn tokens or revise, which have no path
        of their own for each sequence.
    revises : bool
        Whether the decoder takes tokens back.
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
    lost : bool
        Whether, without that, a positive probability has been too small for a float on the way.
        What would be infinite by a 0 in the table cannot be told then, and is nan.
    """

    p: Distribution
    table: Any
    round_costs: tuple[Any, ...]
    revises: bool
    rounds: Mapping[int, Any]
    data_rounds: Any
    states: int
    widest: int
    log_masses: Callable[[np.ndarray], np.ndarray] | None = None
    lost: bool = False

    def __repr__(self) -> str:
        return f"<OutputDistribution of {self.p!r}: expected rounds {self.expected_rounds}>"

    @cached_property
    def kl(self) -> Any:
        """``KL(p || q)`` of the output distribution, in nats; at most `path_kl`.

        Infinite where the decoder never writes what data contain. Where it does with a
        probability too small for a float, its logarithm is taken, or nan if that is not known.
        """
        if self.p.exact:
            return information.kl_divergence(self._data, self.table)
        small = (self._data > 0) & (self.table < TINY)
        if self.log_masses is None:
            lost = self.lost and any_true(small & (self.table == 0))
            return math.nan if lost else information.kl_divergence(self._data, self.table)
        return self._divergence(self._data, self.table, small, self.log_masses)

    @cached_property
    def path_kl(self) -> Any:
        """Mean of ``KL(p || q_path)`` over the coins that the policy tosses, in nats.

        `kl` for policies that look at drawn tokens, in which all randomness is in the draws; nan
        for decoders that revise.
        """
        if self.data_rounds is not None:
            return sum(self.round_costs)
        return math.nan if self.revises else self.kl

    @cached_property
    def expected_rounds_on_data(self) -> Any:
        """Mean number of calls if the tokens revealed were those of a sequence of the data.

        nan where there is no path, unless the number of calls is always the same.
        """
        if self.data_rounds is not None:
            return self.data_rounds
        return self.expected_rounds if len(self.rounds) == 1 else math.nan

    @cached_property
    def reverse_kl(self) -> Any:
        """``KL(q || p)`` in nats; infinite as soon as the decoder leaves the support of p."""
        if self.p.exact:
            return information.kl_divergence(self.table, self._data)
        small = (self.table > 0) & (self._data < TINY)
        return self._divergence(self.table, self._data, small, self._log_data)

    @cached_property
    def tv(self) -> Any:
        """Total variation distance: half the sum of ``|p - q|``."""
        xp = array_namespace(self.table)
        total = xp.sum(xp.abs(self._data - self.table)) / 2
        return total if self.p.exact else float(total)

    @cached_property
    def valid_mass(self) -> Any:
        """Probability that the output is a sequence that the data contain."""
        mass = array_namespace(self.table).sum(self.table[possible(self._data)])
        return mass if self.p.exact else float(mass)

    @cached_property
    def expected_rounds(self) -> Any:
        """Mean number of denoiser calls under the decoder."""
        return sum(count * chance for count, chance in self.rounds.items())

    @cached_property
    def distribution(self) -> JointTable:
        """The output distribution as a `JointTable`, with the symbols of the data."""
        return JointTable(self.table, exact=self.p.exact, symbols=self.p.symbols)

    def sample(self, rng: np.random.Generator, size: int) -> Any:
        """Draw outputs, shape (size, L), where `p` lives."""
        return self.distribution.sample(rng, size)

    def _divergence(
        self, p: Any, q: Any, small: Any, logs: Callable[[np.ndarray], np.ndarray]
    ) -> float:
        """``KL(p || q)``, with the logarithms of q where it is too small for a float.

        These are found for some sequences at a time: one that is impossible decides.
        """
        if not any_true(small):
            return information.kl_divergence(p, q)
        rows = np.argwhere(to_host(small))
        xp, host = array_namespace(p), to_host(p)
        total = float(xp.sum(xp.where(small, 0.0, times_log(p, p) - times_log(p, q))))
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
    def _data(self) -> Any:
        return self.p.table()
