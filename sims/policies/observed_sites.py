"""Predictions at observed sites, which the training loss does not determine.

A denoiser is trained at masked sites alone. What it says where a token is shown is a convention,
and a sampler that reads it, to edit or to mask what is written, depends on that convention.
"""

from collections.abc import Callable
from typing import Literal

from theory import MASK
from theory._core.arrays import array_namespace, device
from theory._core.types import Array
from theory.errors import InvalidInput

__all__ = ["OBSERVED", "Observed", "as_convention", "predictions_with"]

Observed = Literal["one-hot", "leave-one-out", "flat"]
OBSERVED: tuple[Observed, ...] = ("one-hot", "leave-one-out", "flat")


def as_convention(observed: Observed) -> Observed:
    """Check the name of a convention."""
    if observed not in OBSERVED:
        raise InvalidInput(f"observed must be one of {', '.join(OBSERVED)}, got {observed!r}")
    return observed


def predictions_with(predict: Callable[[Array], Array], x: Array, observed: Observed) -> Array:
    """Predictions (B, L, V) of which those at observed sites follow a convention.

    Parameters
    ----------
    predict : callable
        From patterns (B, L) to predictions (B, L, V) that are one-hot at observed sites.
    x : array of int64, shape (B, L)
    observed : {"one-hot", "leave-one-out", "flat"}
        The token that is shown; the prediction given all *other* tokens shown, which takes one
        call of `predict` for each site; or all tokens alike.

    >>> import numpy as np
    >>> from theory import gallery
    >>> p, x = gallery.repeated_bit(2, noise=0.25), np.asarray([[0, 0]])
    >>> predictions_with(p.denoise, x, "one-hot")[0, 0].tolist()
    [1.0, 0.0]
    >>> predictions_with(p.denoise, x, "leave-one-out")[0, 0].round(3).tolist()
    [0.625, 0.375]
    """
    as_convention(observed)
    predictions = predict(x)
    if observed == "one-hot":
        return predictions
    xp, shown = array_namespace(x), (x != MASK)[:, :, None]
    if observed == "flat":
        return xp.where(shown, (0 * predictions + 1) / predictions.shape[-1], predictions)
    site = xp.arange(x.shape[1], dtype=xp.int64, device=device(x))
    for i in range(x.shape[1]):
        others = predict(xp.where(site == i, MASK, x))
        predictions = xp.where(shown & (site == i)[:, None], others, predictions)
    return predictions
