"""Asking the denoiser: predictions, and what tokens are drawn from."""

from collections.abc import Callable
from typing import Any

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
from theory.distributions.base import Distribution
from theory.errors import InvalidInput
from theory.lattice.lattice import EvidenceLattice, reveal_observed
from theory.loss.forward import Denoiser
from theory.validation.probabilities import as_predictions

__all__ = [
    "TINY",
    "Predict",
    "WithDraws",
    "from_lattice",
    "log_temper",
    "predictor",
    "predictor_there",
    "temper",
]

Predict = Callable[[Any], Any]

TINY = float(np.finfo(np.float64).tiny)
"""Floats below this have lost digits, down to 0: their logarithms have to come from elsewhere."""


def predictor(p: Distribution, denoiser: Denoiser | None) -> Predict:
    """Host predictions for host patterns, wherever p lives: the zero-loss ones, or a user's."""
    predict = predictor_there(p, denoiser)

    def on_host(x: np.ndarray) -> np.ndarray:
        return to_host(predict(from_host(x, p.like)))

    return on_host


def predictor_there(p: Distribution, denoiser: Denoiser | None) -> Predict:
    """Predictions where p lives of a denoiser of the user's, checked, or of the zero-loss one."""
    if denoiser is None:
        return lambda x: p.denoise(x, on_impossible="marginal")
    if not callable(denoiser):
        raise InvalidInput(f"denoiser must be a function from patterns, got {denoiser!r}")

    def users(x: Any) -> Any:
        predictions = as_predictions(denoiser(x), x, p.vocab)
        if p.exact and not is_exact(predictions):
            raise InvalidInput(
                f"an exact distribution needs an exact denoiser, got {predictions.dtype}"
            )
        if not p.exact:
            xp = array_namespace(predictions)
            predictions = xp.astype(predictions, xp.float64, copy=False)
        return reveal_observed(x, predictions)

    return users


def from_lattice(lattice: EvidenceLattice) -> Predict:
    """The zero-loss predictions of many patterns, looked up where the lattice lives.

    Where a context is impossible, the unconditional marginals.
    """
    like = lattice.numerators
    xp = array_namespace(like)

    def predict(x: Any) -> Any:
        predictions, evidence = lattice.predict(x)
        impossible = evidence == 0
        if any_true(impossible):
            blank = xp.full((1, lattice.length), MASK, dtype=xp.int64, device=device(like))
            marginals, _ = lattice.predict(blank)
            predictions = xp.where(impossible[:, None, None], marginals, predictions)
            predictions = reveal_observed(x, predictions)
        return predictions

    return predict


class WithDraws:
    """From patterns to predictions and to the tempered ones, which tokens are drawn from.

    Nobody may write to them: a policy that did would change what is drawn.

    Attributes
    ----------
    lost : bool
        Whether a positive probability has become too small for a float by the temperature. Its
        logarithm is in `logs`.
    """

    def __init__(self, predict: Predict, temperature: float) -> None:
        self.predict, self.temperature = predict, temperature
        self.lost = False

    def __call__(self, x: Any) -> tuple[Any, Any]:
        predictions = read_only(self.predict(read_only(x)))
        draws = read_only(temper(predictions, self.temperature))
        if not self.lost and self.temperature not in (0, 1):
            self.lost = any_true((draws < TINY) & (predictions > 0))
        return predictions, draws

    def logs(self, predictions: Any) -> Any:
        """Logarithms of what is drawn from, for float predictions."""
        return log_temper(predictions, self.temperature)


def temper(predictions: Any, temperature: float) -> Any:
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
            raise InvalidInput("the likeliest of free symbols cannot be told") from None
        top = xp.argmax(rounded(floats), axis=-1)[..., None]
        tokens = xp.arange(predictions.shape[-1], dtype=xp.int64, device=device(predictions))
        likeliest = xp.astype(tokens == top, xp.int64)
        return xp.astype(likeliest, predictions.dtype)  # objects: 0 and 1, exact
    largest = xp.max(predictions, axis=-1, keepdims=True)
    raised = (predictions / largest) ** (1 / temperature)
    return raised / xp.sum(raised, axis=-1, keepdims=True)


def log_temper(predictions: Any, temperature: float) -> Any:
    """Logarithms of what `temper` returns, also where that is too small for a float.

    >>> log_temper(np.asarray([0.01, 0.99]), 1 / 200).round(3).tolist()     # 200 log 99
    [-919.024, 0.0]
    """
    if temperature in (0, 1):
        return log(temper(predictions, temperature))
    xp = array_namespace(predictions)
    raised = log(predictions / xp.max(predictions, axis=-1, keepdims=True)) / temperature
    return raised - log_sum_exp(raised)[..., None]
