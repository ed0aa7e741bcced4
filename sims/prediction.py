"""Asking the denoiser: predictions, and what tokens are drawn from."""

from collections.abc import Callable

import numpy as np

from sims.policies.scores import DIGITS
from theory.arrays import from_host, frozen, is_exact, to_host
from theory.distributions.base import Distribution
from theory.errors import InvalidInput
from theory.forward import Denoiser
from theory.lattice import EvidenceLattice, reveal_observed
from theory.validation import check_predictions

__all__ = ["from_lattice", "predictor", "temper", "with_draws"]

Predict = Callable[[np.ndarray], np.ndarray]


def predictor(p: Distribution, denoiser: Denoiser | None) -> Predict:
    """Host predictions of a denoiser of the user's, checked, or else of the zero-loss one."""

    def zero_loss(x: np.ndarray) -> np.ndarray:
        return to_host(p.denoise(from_host(x, p.like), on_impossible="marginal"))

    def users(x: np.ndarray) -> np.ndarray:
        assert denoiser is not None
        patterns = from_host(x, p.like)
        predictions = denoiser(patterns)
        check_predictions(predictions, patterns, p.vocab)
        predictions = to_host(predictions)
        if p.exact and not is_exact(predictions):
            raise InvalidInput(
                f"an exact distribution needs an exact denoiser, got {predictions.dtype}"
            )
        predictions = reveal_observed(x, predictions)
        return predictions if p.exact else _normalised(predictions)

    if denoiser is None:
        return zero_loss
    if not callable(denoiser):
        raise InvalidInput(f"denoiser must be a function from patterns, got {denoiser!r}")
    return users


def _normalised(predictions: np.ndarray) -> np.ndarray:
    """In float64, divided by their sums: those of a float32 model are off by a little."""
    predictions = predictions.astype(np.float64)
    return predictions / predictions.sum(axis=-1, keepdims=True)


def from_lattice(lattice: EvidenceLattice) -> Predict:
    """The zero-loss predictions of many patterns, looked up in a host lattice.

    Where a context is impossible, the unconditional marginals.
    """
    blank = np.full((1, lattice.length), -1)
    marginals = lattice.predict(blank)[0]

    def predict(x: np.ndarray) -> np.ndarray:
        predictions, evidence = lattice.predict(x)
        impossible = evidence == 0
        if impossible.any():
            predictions[impossible] = marginals
        return reveal_observed(x, predictions)

    return predict


def with_draws(
    predict: Predict, temperature: float
) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """From patterns to predictions and to the tempered ones, which tokens are drawn from.

    Nobody may write to them: a policy that did would change what is drawn.
    """

    def ask(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        predictions = frozen(predict(frozen(x)))
        return predictions, frozen(temper(predictions, temperature))

    return ask


def temper(predictions: np.ndarray, temperature: float) -> np.ndarray:
    """Predictions to the power ``1 / temperature``, renormalised; 0 is the lowest argmax.

    At 0, probabilities that are equal to 12 decimals count as equal.

    >>> temper(np.asarray([0.2, 0.4, 0.4]), 0).tolist()
    [0.0, 1.0, 0.0]
    >>> temper(np.asarray([0.25, 0.75]), 0.5)
    array([0.1, 0.9])
    """
    if temperature == 1:
        return predictions
    try:
        floats = predictions.astype(np.float64, copy=False)
    except TypeError:
        raise InvalidInput("the likeliest of free symbols cannot be told") from None
    top = np.argmax(np.round(floats, DIGITS), axis=-1)[..., None]
    if temperature == 0:
        likeliest = np.arange(predictions.shape[-1]) == top
        return likeliest.astype(np.int64).astype(predictions.dtype)  # objects: 0 and 1, exact
    largest = np.max(predictions, axis=-1, keepdims=True)
    raised = (predictions / largest) ** (1 / temperature)
    return raised / raised.sum(axis=-1, keepdims=True)
