"""Calls of the denoiser: predictions, and the probabilities that tokens are drawn from."""

from collections.abc import Callable

import numpy as np

from sims.policies.scores import as_floats, rounded
from theory import MASK
from theory._core.arrays import (
    array_namespace,
    device,
    from_host,
    is_exact,
    log,
    read_only,
    to_host,
)
from theory._core.segments import any_true
from theory._core.special import log_sum_exp
from theory._core.types import Array
from theory.distributions.base import Distribution
from theory.errors import InvalidInput
from theory.lattice.lattice import EvidenceLattice, reveal_observed
from theory.loss.forward import Denoiser
from theory.validation.probabilities import as_predictions

__all__ = [
    "TINY",
    "Predict",
    "TemperedDenoiser",
    "from_lattice",
    "log_temper",
    "predictor",
    "temper",
]

Predict = Callable[[Array], Array]

TINY = float(np.finfo(np.float64).tiny)
"""Floats below this have lost digits, down to 0: their logarithms have to come from elsewhere."""


def predictor(p: Distribution, denoiser: Denoiser | None, on_host: bool = True) -> Predict:
    """Predictions of the zero-loss denoiser, or of a user's, whose answers are checked.

    On the host, for host patterns, wherever p lives; or else where p lives.
    """
    if denoiser is not None and not callable(denoiser):
        raise InvalidInput(f"denoiser must be a function from patterns, got {denoiser!r}")

    def predict(x: Array) -> Array:
        if denoiser is None:
            return p.denoise(x, on_impossible="marginal")
        # a copy: x itself is read-only, which some libraries refuse to take over
        answer = denoiser(array_namespace(x).asarray(x, copy=True))
        predictions = as_predictions(answer, x, p.vocab)
        if p.exact and not is_exact(predictions):
            raise InvalidInput(
                f"an exact distribution needs an exact denoiser, got {predictions.dtype}"
            )
        if not p.exact:
            xp = array_namespace(predictions)
            predictions = xp.astype(predictions, xp.float64, copy=False)
        return reveal_observed(x, predictions)

    return (lambda x: to_host(predict(from_host(x, p.like)))) if on_host else predict


def from_lattice(lattice: EvidenceLattice) -> Predict:
    """The zero-loss predictions from a lattice, where it lives.

    Where a context is impossible, the unconditional marginals.
    """
    like = lattice.numerators
    xp = array_namespace(like)

    def predict(x: Array) -> Array:
        predictions, evidence = lattice.predict(x)
        impossible = evidence == 0
        if any_true(impossible):
            blank = xp.full((1, lattice.length), MASK, dtype=xp.int64, device=device(like))
            marginals, _ = lattice.predict(blank)
            predictions = xp.where(impossible[:, None, None], marginals, predictions)
            predictions = reveal_observed(x, predictions)
        return predictions

    return predict


class TemperedDenoiser:
    """From patterns to predictions and to sampling probabilities, the tempered predictions.

    Nobody may write to them: a policy that did would change what is drawn.

    Attributes
    ----------
    underflow : bool
        Whether the temperature has made a positive probability too small for a float. Its
        logarithm is in `logs`.
    """

    def __init__(self, predict: Predict, temperature: float) -> None:
        self.predict, self.temperature = predict, temperature
        self.underflow = False

    def __call__(self, x: Array) -> tuple[Array, Array]:
        predictions = read_only(self.predict(read_only(x)))
        sampling_probs = read_only(temper(predictions, self.temperature))
        if not self.underflow and self.temperature not in (0, 1):
            self.underflow = any_true((sampling_probs < TINY) & (predictions > 0))
        return predictions, sampling_probs

    def logs(self, predictions: Array) -> Array:
        """Logarithms of the sampling probabilities, for float predictions."""
        return log_temper(predictions, self.temperature)


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
