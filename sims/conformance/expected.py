"""What a sampler is expected to write: data, a policy's output, an output distribution, a table."""

from collections.abc import Callable
from typing import Any

import numpy as np

from sims.decoding.exact import output_distribution
from sims.decoding.output import OutputDistribution
from sims.policies import Decoder
from theory._core.arrays import to_host
from theory.distributions.base import Distribution, check_distribution
from theory.errors import InvalidInput
from theory.validation.probabilities import as_distribution

__all__ = ["Expected"]


class Expected:
    """The expected distribution, as a table in float64.

    Parameters
    ----------
    p : Distribution
        What the oracle knows.
    against : Distribution, Decoder, callable, OutputDistribution or array_like, optional
        As for `check`; `p` itself if not given.
    prompt : array_like or str, optional
        For a distribution and for a policy.
    **settings
        For `output_distribution`, if `against` is a policy.

    >>> from sims import policies
    >>> from theory import gallery
    >>> one = Expected(gallery.parity(2), policies.RandomOrder((2,)))
    >>> one.name, one.table.tolist()
    ('RandomOrder((2,))', [[0.25, 0.25], [0.25, 0.25]])
    """

    def __init__(
        self, p: Distribution, against: Any = None, *, prompt: Any = None, **settings: Any
    ) -> None:
        check_distribution(p)
        self.against: Any = p if against is None else against
        self.prompt, self.settings = prompt, settings
        self.data = against is None or against is p
        self.is_policy = isinstance(self.against, (Decoder, Callable)) and not isinstance(
            self.against, (Distribution, OutputDistribution)
        )
        if settings and not self.is_policy:
            raise InvalidInput(f"{', '.join(settings)}: only a policy takes such settings")
        if prompt is not None and not (self.is_policy or self.data):
            raise InvalidInput("prompt goes with a policy, or with the data themselves")
        self.shape = (p.vocab,) * p.length
        self.outside = float(getattr(self.against, "outside", 0.0))
        self.table = self._on(p)

    @property
    def name(self) -> str:
        """What is expected, for a reader."""
        if self.data:
            return "the data" if self.prompt is None else "the data given the prompt"
        if isinstance(self.against, (Distribution, OutputDistribution, Decoder)):
            return repr(self.against)
        named = getattr(self.against, "__name__", None)
        return named or f"a table of shape {self.shape}"

    def on(self, p: Distribution) -> "Expected | None":
        """The same on another distribution; None for what belongs to one, as a model does."""
        if not (self.data or self.is_policy) or self.settings.get("denoiser") is not None:
            return None
        against = None if self.data else self.against
        return Expected(p, against, prompt=self.prompt, **self.settings)

    def _on(self, p: Distribution) -> np.ndarray:
        table: Any = self.against
        if self.is_policy:
            table = output_distribution(p, self.against, prompt=self.prompt, **self.settings).table
        elif self.data:
            table = (p if self.prompt is None else p.given(self.prompt)).table()
        elif isinstance(table, Distribution):
            table = table.table()
        elif isinstance(table, OutputDistribution):
            missing = float(getattr(table, "missing", 0.0))
            if missing > 0:
                raise InvalidInput(
                    f"{table!r} was not enumerated whole: {missing:.3g} of the mass is missing"
                )
            table = table.table
        else:
            table = as_distribution(table, "against")
        table = to_host(table).astype(np.float64)
        if table.shape != self.shape:
            raise InvalidInput(
                f"what is expected has shape {table.shape}; p has sequences of shape {self.shape}"
            )
        return table
