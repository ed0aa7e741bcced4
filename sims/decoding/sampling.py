"""What tokens are drawn from: tempered and truncated predictions, by one rule or one a round."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from sims.policies import Blocks, Corrector, Decoder, Mirrored, Policy
from sims.policies.scores import as_floats, rounded
from theory._core.arrays import array_namespace, device, is_exact, log
from theory._core.exact import ratio
from theory._core.special import log_sum_exp
from theory._core.types import Array
from theory.distributions.base import Distribution
from theory.errors import InvalidInput
from theory.validation.arguments import as_integer, as_real

__all__ = ["Sampling", "Temperature", "as_samplings", "log_temper", "temper"]

KINDS = "a number, a sims.Sampling, or a sequence of them, one for each round"


@dataclasses.dataclass(frozen=True)
class Sampling:
    """What tokens are drawn from, given the predictions; scores and thresholds see the predictions.

    Parameters
    ----------
    temperature : float
        Predictions to the power ``1 / temperature``, renormalised; 0 is the likeliest token.
    top_k : int, optional
        Keep the k likeliest tokens.
    top_p : float, optional
        Of the tokens from the likeliest on, keep those before the sum of their probabilities
        exceeds p, and the one with which it does if `keep_crossing`. The likeliest is always kept.
    keep_crossing : bool
        True as in Dream and Diffusers, False as in ReMDM [code run] and BD3-LM [code read].
    last_round : "argmax", optional
        In the last step of a policy on a clock take the likeliest token, as ReMDM writes what is
        left at the end of its own [code read].

    Notes
    -----
    The order is temperature, `top_k`, `top_p`, renormalised after each, as in Diffusers' block
    refinement [code run] (Dream takes `top_p` before `top_k` [code read]). Of tokens that are
    equally likely to 12 decimals the lowest comes first, and `top_k` keeps exactly k: Dream and
    Diffusers keep all that equal the k-th [code read]. Sums are compared with p to 12 decimals.

    At temperature 1 and 0 exact predictions stay exact.

    >>> row = np.asarray([0.5, 0.25, 0.15, 0.1])
    >>> Sampling(top_p=0.8).probabilities(row).round(4).tolist()       # 0.9 exceeds 0.8
    [0.5556, 0.2778, 0.1667, 0.0]
    >>> Sampling(top_p=0.8, keep_crossing=False).probabilities(row).round(4).tolist()
    [0.6667, 0.3333, 0.0, 0.0]
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    keep_crossing: bool = True
    last_round: Literal["argmax"] | None = None

    def __post_init__(self) -> None:
        checked = {"temperature": as_real(self.temperature, "temperature", 0, math.inf)}
        if self.top_k is not None:
            checked["top_k"] = as_integer(self.top_k, "top_k", 1)
        if self.top_p is not None:
            checked["top_p"] = as_real(self.top_p, "top_p", 0, 1)
        if not isinstance(self.keep_crossing, bool):
            raise InvalidInput(f"keep_crossing must be True or False, got {self.keep_crossing!r}")
        if self.last_round not in (None, "argmax"):
            raise InvalidInput(f"last_round must be 'argmax' or None, got {self.last_round!r}")
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    @property
    def truncates(self) -> bool:
        """Whether it may exclude tokens that are predicted."""
        return self.temperature == 0 or (self.top_k, self.top_p) != (None, None)

    @property
    def changes(self) -> bool:
        """Whether tokens are drawn from anything but the predictions."""
        return self.temperature != 1 or self.truncates

    def probabilities(self, predictions: Array) -> Array:
        """What tokens are drawn from, of the shape (..., V) of the predictions."""
        tempered = temper(predictions, self.temperature)
        if self.temperature == 0 or not self.truncates:
            return tempered
        return _renormalised(tempered, self._kept(predictions, tempered))

    def logs(self, predictions: Array) -> Array:
        """Logarithms of `probabilities` of floats, also where these are too small for a float."""
        tempered = log_temper(predictions, self.temperature)
        if self.temperature == 0 or not self.truncates:
            return tempered
        kept = self._kept(predictions, temper(predictions, self.temperature))
        some = array_namespace(predictions).where(kept, tempered, -math.inf)
        return some - log_sum_exp(some)[..., None]

    def _kept(self, predictions: Array, tempered: Array) -> Array:
        """The tokens that may be drawn, bool (..., V)."""
        xp, vocab = array_namespace(predictions), predictions.shape[-1]
        order = xp.argsort(-rounded(as_floats(predictions)), axis=-1, stable=True)
        back = xp.argsort(order, axis=-1)
        rank = xp.arange(vocab, dtype=xp.int64, device=device(predictions))
        kept = xp.broadcast_to(rank < (self.top_k or vocab), predictions.shape)  # in that order
        if self.top_p is not None:
            floats = xp.take_along_axis(as_floats(tempered), order, axis=-1)
            floats = xp.where(kept, floats, 0.0)
            sums = xp.cumulative_sum(floats / xp.sum(floats, axis=-1, keepdims=True), axis=-1)
            within = rounded(sums) <= round(self.top_p, 12)
            if self.keep_crossing:
                within = xp.concat([within[..., :1] | True, within[..., :-1]], axis=-1)
            kept = kept & (within | (rank == 0))
        return xp.take_along_axis(kept, back, axis=-1)


Temperature = float | Sampling | Sequence[float | Sampling]
"""What the parameter `temperature` takes: the last one of a sequence holds on."""


def as_samplings(
    temperature: Any, p: Distribution, decoder: Decoder | None = None
) -> tuple[Sampling, ...]:
    """Check a temperature: the rule of every round, of which the last one holds on.

    >>> from theory import gallery
    >>> as_samplings([1, 0], gallery.parity(2))
    (Sampling(temperature=1.0, ...), Sampling(temperature=0.0, ...))
    """
    several = isinstance(temperature, Sequence) and not isinstance(temperature, str)
    several = several or (isinstance(temperature, np.ndarray) and temperature.ndim == 1)
    given: list[Any] = list(temperature) if several else [temperature]
    if not given:
        raise InvalidInput(f"temperature must be {KINDS}, got none")
    rounds = [rule if isinstance(rule, Sampling) else Sampling(rule) for rule in given]
    for rule in rounds:
        if p.exact and rule.temperature not in (0, 1):
            raise InvalidInput(
                f"an exact distribution allows temperature 0 and 1, got {rule.temperature}"
            )
    if len(rounds) > 1 and isinstance(decoder, Corrector):
        raise InvalidInput(
            f"{decoder!r} corrects after a number of rounds that may differ: one temperature "
            f"for all of them, got {len(rounds)}"
        )
    if all(rule.last_round is None for rule in rounds):
        return tuple(rounds)
    if any(rule.last_round is None for rule in rounds):
        raise InvalidInput("last_round='argmax' is said of all rounds, or write the rounds out")
    steps = _clock(decoder)
    rounds = [dataclasses.replace(rule, last_round=None) for rule in rounds]
    rounds += rounds[-1:] * (steps - 1 - len(rounds))
    return (*rounds[: steps - 1], Sampling(0))


def _clock(decoder: Decoder | None) -> int:
    """The steps of a policy on one clock."""
    whose: Any = decoder
    while isinstance(whose, Mirrored):
        whose = whose.inner
    if isinstance(whose, Policy) and whose.steps is not None and not isinstance(whose, Blocks):
        return whose.steps
    raise InvalidInput(
        f"last_round='argmax' is the last step of a policy on one clock, and {decoder!r} has none: "
        f"give a sequence of temperatures, one for each round, such as (1, 1, 0)"
    )


def _renormalised(probabilities: Array, kept: Array) -> Array:
    xp = array_namespace(probabilities)
    if is_exact(probabilities):
        some = np.where(kept, probabilities, 0)
        return ratio(some, some.sum(axis=-1, keepdims=True))
    some = xp.where(kept, probabilities, 0.0)
    return some / xp.sum(some, axis=-1, keepdims=True)


def temper(predictions: Array, temperature: float) -> Array:
    """Predictions to the power ``1 / temperature``, renormalised; 0 is the lowest argmax.

    At 0, probabilities that are equal to 12 decimals count as equal.

    >>> temper(np.asarray([0.2, 0.4, 0.4]), 0).tolist()
    [0.0, 1.0, 0.0]
    >>> temper(np.asarray([0.25, 0.75]), 0.5)
    array([0.1, 0.9])
    """
    if temperature == 1:
        return predictions
    xp = array_namespace(predictions)
    if temperature == 0:
        try:
            floats = as_floats(predictions)
        except InvalidInput:
            raise InvalidInput("the likeliest of free symbols is not known") from None
        top = xp.argmax(rounded(floats), axis=-1)[..., None]
        tokens = xp.arange(predictions.shape[-1], dtype=xp.int64, device=device(predictions))
        likeliest = xp.astype(tokens == top, xp.int64)
        return xp.astype(likeliest, predictions.dtype)  # objects: 0 and 1, exact
    largest = xp.max(predictions, axis=-1, keepdims=True)
    raised = (predictions / largest) ** (1 / temperature)
    return raised / xp.sum(raised, axis=-1, keepdims=True)


def log_temper(predictions: Array, temperature: float) -> Array:
    """Logarithms of what `temper` returns, also where that is too small for a float.

    >>> log_temper(np.asarray([0.01, 0.99]), 1 / 200).round(3).tolist()     # 200 log 99
    [-919.024, 0.0]
    """
    if temperature in (0, 1):
        return log(temper(predictions, temperature))
    xp = array_namespace(predictions)
    raised = log(predictions / xp.max(predictions, axis=-1, keepdims=True)) / temperature
    return raised - log_sum_exp(raised)[..., None]
