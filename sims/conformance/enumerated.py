"""The output distribution of a sampler, found by enumerating its random choices."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sims.decoding.output import OutputDistribution
from theory import JointTable
from theory._core.arrays import to_host
from theory._core.exact import short
from theory._core.plurals import counted
from theory._core.types import Number
from theory.errors import InvalidInput

__all__ = ["EnumeratedDistribution"]


@dataclass(frozen=True, eq=False, repr=False)
class EnumeratedDistribution(OutputDistribution):
    """What a sampler writes, as far as its paths were enumerated.

    Has all that `OutputDistribution` has. The table holds the mass of sequences of tokens that was
    found; with `missing` and `outside` it sums to 1. Where mass is missing,

    - `tv` is an upper bound, and ``tv - missing`` a lower one;
    - `kl` is an upper bound, or nan if the sampler was not seen to write what the data contain;
    - `valid_mass` is a lower bound, `expected_rounds` the mean over the paths that were run;
    - `reverse_kl` is nan, and `distribution` refused.

    Sequences with ids that are no tokens are outside of the support of the data: they count for
    `tv`, make `reverse_kl` infinite and take part in `rounds`.

    Attributes
    ----------
    rounds : mapping
        From a number of calls of the `Oracle` to its probability. Calls that showed a sequence
        only as it was then returned are not counted, whatever the sampler made them for: with
        others in a batch it may have to go on.
    remasks : bool
        Whether the oracle was seen to be shown a token where another, or none, was later.
    missing : float
        Mass of paths that were not run.
    outside : float
        Mass of sequences with ids that are no tokens.
    paths : int
        Paths that were run; in ``states`` and ``widest``, too, all and those run at once.
    """

    missing: float = 0.0
    outside: float = 0.0
    paths: int = 0

    def __repr__(self) -> str:
        tv = f"TV {short(self.tv)}"
        if self.missing:
            tv = f"TV {short(max(self.tv - self.missing, 0.0))} to {short(self.tv)}"
        rounds = counted(self.expected_rounds, "round")
        return f"<EnumeratedDistribution of {self.p!r}: {tv}, {rounds}, {self.paths} paths>"

    @cached_property
    def kl(self) -> Number:
        """``KL(p || q)`` in nats; an upper bound where mass is missing."""
        if not (self.missing or self.outside):
            return super().kl
        p, q = to_host(self._data), to_host(self.table)
        p, q = p[p > 0], q[p > 0]
        if (q <= 0).any():
            return math.nan if self.missing else math.inf
        return max(0.0, float((p * np.log(p / q)).sum()))

    @cached_property
    def path_kl(self) -> Number:
        """nan: the sampler is only known by what it writes."""
        return math.nan

    @cached_property
    def reverse_kl(self) -> Number:
        """``KL(q || p)`` in nats; infinite as soon as the sampler leaves the support of p."""
        if self.outside:
            return math.inf
        return math.nan if self.missing else super().reverse_kl

    @cached_property
    def tv(self) -> Number:
        """Total variation distance, an upper bound where mass is missing.

        One minus the overlap, the sum of ``min(p, q)``.
        """
        p, q = to_host(self._data), to_host(self.table)
        return float((np.abs(p - q).sum() + self.missing + self.outside) / 2)

    @cached_property
    def expected_rounds(self) -> Number:
        """Mean number of calls of the oracle, on the paths that were run."""
        return super().expected_rounds / sum(self.rounds.values())

    @cached_property
    def distribution(self) -> JointTable:
        """The output distribution as a `JointTable`, with the symbols of the data."""
        if self.missing or self.outside:
            raise InvalidInput(
                f"the table of shape {tuple(self.table.shape)} is no distribution: a mass of "
                f"{self.outside:.3g} is of ids that are no tokens, {self.missing:.3g} is missing"
            )
        return super().distribution
