"""What a decoder writes: its distribution, and how far that is from the data."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from theory import JointTable, information
from theory.arrays import to_host
from theory.distributions.base import Distribution

__all__ = ["OutputDistribution"]


@dataclass(frozen=True, eq=False)
class OutputDistribution:
    """What a decoder writes, and how far it is from the data.

    Attributes
    ----------
    p : Distribution
        The data.
    table : ndarray, shape (V,)*L
        Probability of every output; Fractions if `p` is exact.
    path_kl : number
        Mean over the policy's own randomness of ``KL(p || q_path)``, in nats. A policy that
        looks at drawn tokens has no other randomness, so it is `kl`; a policy that revises has
        no path of its own for each sequence, so it is nan.
    round_costs : tuple of numbers
        The parts of `path_kl` that the rounds contribute, in nats: in round t the expected
        divergence of the joint conditional of the revealed sites from the product that is drawn
        from. For the zero-loss denoiser at temperature 1 that is their expected total
        correlation. Empty where there is no path.
    rounds : mapping
        From a number of denoiser calls to its probability under the decoder.
    expected_rounds_on_data : number
        Mean number of calls when the tokens revealed are those of a sequence drawn from the
        data. nan where there is no path, unless the number of calls is always the same.
    states : int
        Partly masked sequences that were visited, counted in every round.
    widest : int
        The most that were held at once, those not yet merged included; memory is in proportion.
    """

    p: Distribution
    table: np.ndarray
    path_kl: Any
    round_costs: tuple[Any, ...]
    rounds: Mapping[int, Any]
    expected_rounds_on_data: Any
    states: int
    widest: int

    def __repr__(self) -> str:
        return f"<OutputDistribution of {self.p!r}: expected rounds {self.expected_rounds}>"

    @cached_property
    def kl(self) -> Any:
        """``KL(p || q)`` of the output distribution, in nats; at most `path_kl`."""
        return information.kl_divergence(self._data, self.table)

    @cached_property
    def reverse_kl(self) -> Any:
        """``KL(q || p)`` in nats; infinite as soon as the decoder leaves the support of p."""
        return information.kl_divergence(self.table, self._data)

    @cached_property
    def tv(self) -> Any:
        """Total variation distance: half the sum of ``|p - q|``."""
        total = abs(self._data - self.table).sum() / 2
        return total if self.p.exact else float(total)

    @cached_property
    def valid_mass(self) -> Any:
        """Probability that the output is a sequence that the data contain."""
        mass = self.table[self._data > 0].sum()
        return mass if self.p.exact else float(mass)

    @cached_property
    def expected_rounds(self) -> Any:
        """Mean number of denoiser calls under the decoder."""
        return sum(count * chance for count, chance in self.rounds.items())

    @cached_property
    def distribution(self) -> JointTable:
        """The output distribution as a `JointTable`, with the symbols of the data."""
        return JointTable(self.table, exact=self.p.exact, symbols=self.p.symbols)

    def sample(self, rng: np.random.Generator, size: int) -> np.ndarray:
        """Draw outputs, shape (size, L)."""
        return self.distribution.sample(rng, size)

    @cached_property
    def _data(self) -> np.ndarray:
        return to_host(self.p.table())
