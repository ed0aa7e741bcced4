"""What a decoder writes on a chain of any length, if what it does in a gap is the gap's own."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from sims.policies import Decoder
from theory._core.arrays import format_pattern, from_host, to_host, within_memory
from theory._core.exact import short
from theory._core.plurals import counted
from theory._core.segments import any_true, distinct_rows
from theory._core.types import Array, ArrayLike, Number
from theory.distributions import MarkovChain
from theory.distributions.base import Distribution
from theory.distributions.conditioned import Conditioned
from theory.distributions.sampling import as_floats, check_draw
from theory.errors import InvalidInput
from theory.information.approximate import Estimate
from theory.information.units import not_negative
from theory.validation.arguments import as_tokens

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

        On the host; of sequences that the data contain only.
        """
        ...

    def rounds(self) -> Mapping[int, Number]:
        """Probability of each number of denoiser calls, on the data."""
        ...

    def rounds_written(self) -> Mapping[int, Number]:
        """The same with tokens as they are drawn; asked for only if these matter."""
        ...


@dataclass(frozen=True, eq=False)
class OnChain:
    """What a decoder writes on a chain, and at which cost, exactly. `on_chain` returns it.

    Attributes
    ----------
    p : Distribution
        The chain, given the prompt if there is one.
    policy : Decoder
    """

    p: Distribution
    policy: Decoder
    _gapwise: Gapwise

    @cached_property
    def path_kl(self) -> Number:
        """Mean of ``KL(p || q_path)`` over the random choices of the policy, in nats."""
        return not_negative(self._gapwise.path_kl())

    @cached_property
    def valid_mass(self) -> Number:
        """Probability that the output is a sequence that the data contain."""
        mass = self._gapwise.valid_mass()
        return mass if self.p.exact else min(mass, 1.0)  # but for rounding it is no more

    @property
    def sequence_error_rate(self) -> Number:
        """Probability that the output is no sequence that the data contain."""
        return 1 - self.valid_mass

    @cached_property
    def rounds(self) -> Mapping[int, Number] | None:
        """Probability of each number of denoiser calls under the decoder.

        None where tokens matter and some cannot follow each other: after something impossible is
        written, what a decoder does no longer falls apart into gaps.
        """
        if self.policy.depends_on == "nothing":
            return self.rounds_on_data
        chain = self.p.whole if isinstance(self.p, Conditioned) else self.p
        assert isinstance(chain, MarkovChain)
        return None if any_true(chain.transition <= 0) else self._gapwise.rounds_written()

    @cached_property
    def expected_rounds(self) -> Number:
        """Mean number of denoiser calls under the decoder; nan where `rounds` is None."""
        return math.nan if self.rounds is None else _mean(self.rounds)

    @cached_property
    def rounds_on_data(self) -> Mapping[int, Number]:
        """Probability of each number of denoiser calls along sequences of the data."""
        return self._gapwise.rounds()

    @cached_property
    def expected_rounds_on_data(self) -> Number:
        """Mean number of denoiser calls if the tokens revealed were those of data."""
        return _mean(self.rounds_on_data)

    @within_memory("what is written on a chain")
    def log_probability(self, x: ArrayLike) -> Array:
        """Log probability that the decoder writes x, over all its choices of sites.

        Of ancestral steps, L sites with K steps take about ``K L^4 / 24`` products each (K > 2).

        Parameters
        ----------
        x : array_like of int, shape (N, L) or (L,)
            Sequences that the data contain, with the tokens of the prompt.

        Returns
        -------
        array, shape (N,), or a scalar
            Where p lives; exact logarithms if p is exact.

        Raises
        ------
        InvalidInput
            If a sequence has probability 0 under the data. The decoder may write it; but once its
            context is impossible, predictions are no longer those of gaps.
        """
        x, single = as_tokens(x, self.p.length, self.p.vocab, self.p.like, masked=False)
        impossible = (
            self.p.evidence(x) == 0 if self.p.exact else self.p.log_evidence(x) == -math.inf
        )
        if any_true(impossible):
            row = int(np.flatnonzero(to_host(impossible))[0])
            raise InvalidInput(
                f"x must hold sequences that the data contain: row {row}, "
                f"{format_pattern(x[row, ...])}, has probability 0. Whether it is written depends "
                f"on predictions in impossible contexts, which do not fall apart into gaps"
            )
        found = from_host(self._gapwise.log_probability(to_host(x)), self.p.like)
        return found[0] if single else found

    def estimate_kl(self, rng: np.random.Generator, size: int) -> Estimate:
        """Estimate ``KL(p || q)`` of the output in nats, without bias, with its standard error.

        The mean of ``log p(x) - log q(x)`` over sequences of the data, q being the mixture over all
        choices of sites. It is at most `path_kl`.

        Parameters
        ----------
        rng : numpy.random.Generator
            Draws the sequences.
        size : int
            Number of sequences, at least 2; equal ones are worked on once.
        """
        size = check_draw(rng, size)
        if size < 2:
            raise InvalidInput(f"size must be an integer of at least 2, got {size}")
        rows, which = distinct_rows(to_host(self.p.sample(rng, size)))
        x = from_host(rows, self.p.like)
        logs = (
            as_floats(to_host(some)) for some in (self.p.log_evidence(x), self.log_probability(x))
        )
        of_data, written = logs
        differences = (of_data - written)[which]
        error = differences.std(ddof=1) / math.sqrt(size)
        return Estimate(float(differences.mean()), float(error), size)

    def __repr__(self) -> str:
        try:
            rounds = f", {counted(float(self.expected_rounds_on_data), 'round')} on data"
        except InvalidInput:  # they are not always computed
            rounds = ""
        return f"<OnChain of {self.policy!r}: path KL {short(self.path_kl)} nats{rounds}>"


def _mean(rounds: Mapping[int, Number]) -> Number:
    return sum(count * probability for count, probability in rounds.items())
