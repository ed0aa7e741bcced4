"""What a decoder writes on a chain of any length, if what it does in a gap is the gap's own."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from sims.policies import Decoder
from theory._core.plurals import counted
from theory._core.types import Array, ArrayLike, Number
from theory.distributions import MarkovChain
from theory.information.approximate import Estimate

__all__ = ["Gapwise", "OnChain"]


class Gapwise(Protocol):
    """What is followed gap by gap; one class for each way in which gaps fall apart."""

    def path_kl(self) -> Number:
        """Path KL in nats."""
        ...

    def valid_mass(self) -> Number:
        """Probability that what is written has positive probability under the data."""
        ...

    def log_probability(self, x: np.ndarray) -> np.ndarray:
        """Logarithm of the probability that x, (N, L), is written, over all choices of sites.

        Of sequences that the data contain only.
        """
        ...

    def rounds(self) -> Mapping[int, Number]:
        """Probability of each number of denoiser calls, on the data."""
        ...


@dataclass(frozen=True, eq=False)
class OnChain:
    """What a decoder writes on a chain, and at which cost, exactly.

    Attributes
    ----------
    p : MarkovChain
    policy : Decoder
    """

    p: MarkovChain
    policy: Decoder
    _gapwise: Gapwise

    @cached_property
    def path_kl(self) -> Number:
        """Mean of ``KL(p || q_path)`` over the random choices of the policy, in nats."""
        return self._gapwise.path_kl()

    @cached_property
    def valid_mass(self) -> Number:
        """Probability that the output is a sequence that the data contain."""
        return self._gapwise.valid_mass()

    @property
    def sequence_error_rate(self) -> Number:
        """Probability that the output is no sequence that the data contain."""
        return 1 - self.valid_mass

    @cached_property
    def rounds_on_data(self) -> Mapping[int, Number]:
        """Probability of each number of denoiser calls along sequences of the data."""
        return self._gapwise.rounds()

    @cached_property
    def expected_rounds_on_data(self) -> Number:
        """Mean number of denoiser calls if the tokens revealed were those of data."""
        return sum(count * probability for count, probability in self.rounds_on_data.items())

    def log_probability(self, x: ArrayLike) -> Array:
        """Log probability that the decoder writes x, (N, L) or (L,), over all its choices."""
        raise NotImplementedError

    def estimate_kl(self, rng: np.random.Generator, size: int) -> Estimate:
        """Estimate ``KL(p || q)`` of the mixture in nats, without bias, with its standard error."""
        raise NotImplementedError

    def __repr__(self) -> str:
        rounds = counted(math.fsum(map(float, [self.expected_rounds_on_data])), "round")
        return f"<OnChain of {self.policy!r}: path KL {float(self.path_kl):.4g} nats, {rounds}>"
