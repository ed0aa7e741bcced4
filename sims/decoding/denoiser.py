"""Calls of the denoiser: predictions, and the probabilities that tokens are drawn from."""

import math
from collections.abc import Callable

import numpy as np

from sims.decoding.sampling import Sampling
from theory import MASK
from theory._core.arrays import (
    array_namespace,
    device,
    from_host,
    is_exact,
    read_only,
    to_host,
)
from theory._core.segments import any_true
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
    "predictor",
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
    """From patterns to predictions and to sampling probabilities, what tokens are drawn from.

    Nobody may write to them: a policy that did would change what is drawn.

    Parameters
    ----------
    predict : callable
    first : Sampling
    *later : Sampling
        Those of the rounds after the first, of which the last one holds on.

    Attributes
    ----------
    underflow : bool
        Whether the temperature has made a positive probability too small for a float. Its
        logarithm is in `logs`.
    """

    def __init__(self, predict: Predict, first: Sampling, *later: Sampling) -> None:
        self.predict, self.sampling = predict, first
        self._rounds = (self, *(TemperedDenoiser(predict, sampling) for sampling in later))
        self._underflow = False

    def at(self, round_index: int) -> "TemperedDenoiser":
        """What is called in a round, 0 for the first."""
        return self._rounds[min(round_index, len(self._rounds) - 1)]

    @property
    def underflow(self) -> bool:
        return any(one._underflow for one in self._rounds)

    def __call__(self, x: Array) -> tuple[Array, Array]:
        predictions = read_only(self.predict(read_only(x)))
        sampling_probs = read_only(self.sampling.probabilities(predictions))
        if not self._underflow and self.sampling.temperature not in (0, 1):
            small = (sampling_probs < TINY) & (predictions > 0)
            if self.sampling.truncates and any_true(small):
                small = small & (self.logs(predictions) > -math.inf)
            self._underflow = any_true(small)
        return predictions, sampling_probs

    def logs(self, predictions: Array) -> Array:
        """Logarithms of the sampling probabilities, for float predictions."""
        return self.sampling.logs(predictions)
