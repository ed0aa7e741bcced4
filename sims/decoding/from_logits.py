"""A denoiser made of a model that answers with logits, such as a trained network."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from theory import MASK
from theory._core.arrays import as_array, from_host, softmax, to_host
from theory._core.types import Array, ArrayLike
from theory.errors import InvalidInput
from theory.validation.arguments import as_integer

__all__ = ["FromLogits", "from_logits"]


class FromLogits:
    """See `from_logits`."""

    def __init__(self, model: Callable[[Any], Any], mask_id: int, vocab: int | None) -> None:
        if not callable(model):
            raise InvalidInput(f"model must be a function from token ids, got {model!r}")
        self.model: Any = model
        self._refuse_training()
        self.mask_id = as_integer(mask_id, "mask_id", 0)
        self.vocab = None if vocab is None else as_integer(vocab, "vocab", 1)

    def __call__(self, x: ArrayLike) -> Array:
        """Predictions (B, L, V) for patterns (B, L), in float64, where the patterns live."""
        x = as_array(x)
        patterns = to_host(x)
        if patterns.ndim != 2:
            raise InvalidInput(f"patterns must have shape (B, L), got {patterns.shape}")
        if (patterns == self.mask_id).any():
            raise InvalidInput(
                f"patterns of shape {patterns.shape} hold the token {self.mask_id}, which is the "
                f"model's mask"
            )
        logits = self._logits(np.where(patterns == MASK, self.mask_id, patterns))
        if logits.ndim != 3 or logits.shape[:2] != patterns.shape:
            rows, length = patterns.shape
            raise InvalidInput(
                f"the model returned logits of shape {logits.shape} for ids of shape "
                f"{patterns.shape}; expected ({rows}, {length}, W)"
            )
        if logits.dtype.kind not in "biuf":
            raise InvalidInput(f"the model returned logits of type {logits.dtype}, not numbers")
        logits = logits[..., : self._count(logits.shape[2])].astype(np.float64)
        if self.mask_id < logits.shape[2]:
            logits[..., self.mask_id] = -np.inf  # a model never writes a mask
        bad = np.isnan(logits) | (logits == np.inf)
        bad[..., 0] |= (logits == -np.inf).all(axis=-1)
        if bad.any():
            row, site, token = np.argwhere(bad)[0].tolist()
            raise InvalidInput(
                f"the model's logits of shape {logits.shape} cannot be turned into probabilities: "
                f"row {row}, site {site}, token {token} is {logits[row, site, token]}"
            )
        return from_host(softmax(logits), x)

    def _refuse_training(self) -> None:
        if getattr(self.model, "training", False) is True:
            raise InvalidInput("the model is in training mode, where answers vary: model.eval()")

    def _logits(self, ids: np.ndarray) -> np.ndarray:
        """What the model answers for ids (B, L) of its own, on the host."""
        self._refuse_training()
        torch: Any = sys.modules.get("torch")  # a module can only come from an imported torch
        model: Any = self.model
        if torch is not None and isinstance(model, torch.nn.Module):
            weight = next(model.parameters(), torch.empty(0))
            with torch.inference_mode():
                answer = model(torch.asarray(ids, device=weight.device))
        else:
            answer = model(ids)
        answer = getattr(answer, "logits", answer)
        return to_host(answer[0] if isinstance(answer, tuple) else answer)

    def _count(self, width: int) -> int:
        """How many of the ids are tokens."""
        if self.vocab is not None:
            if self.vocab > width:
                raise InvalidInput(f"vocab is {self.vocab}, and the model has {width} logits")
            return self.vocab
        tokens = min(self.mask_id, width)
        if tokens == 0 or self.mask_id < width - 1:
            raise InvalidInput(
                f"the mask has id {self.mask_id} of {width}: give vocab, the number of ids, from 0 "
                f"on, that are tokens"
            )
        return tokens

    def __repr__(self) -> str:
        model = getattr(self.model, "__name__", type(self.model).__name__)
        return f"from_logits({model}, mask_id={self.mask_id}, vocab={self.vocab})"


def from_logits(
    model: Callable[[Any], Any], *, mask_id: int, vocab: int | None = None
) -> FromLogits:
    """Make a denoiser of a model that maps token ids to logits.

    Parameters
    ----------
    model : callable
        From ids (B, L), int64, to logits (B, L, W): an array of any backend and precision, on any
        device, an object with ``.logits``, or a tuple that begins with them. A function is called
        with a NumPy array of its own; a torch module, which must be in evaluation mode, with a
        tensor beside its parameters and without gradients.
    mask_id : int
        The id that stands for a masked site.
    vocab : int, optional
        The ids ``0..vocab-1`` are the tokens of the data; the logits of all others are left out.
        If not given, all ids below `mask_id` are, which must then be the last id or beyond. A mask
        among the first `vocab` ids is a token that the model never predicts.

    Returns
    -------
    FromLogits
        A denoiser for `output_distribution`, `split`, `estimate_path_kl`, ...: the softmax in
        float64 of the logits of the tokens.

    Raises
    ------
    InvalidInput
        If the model is in training mode; when it is called, if the logits are of another shape,
        if one is nan or infinite (``-inf`` excludes a token, but not all of a site), or if the
        patterns hold the mask's id as a token.

    Examples
    --------
    Logits 0 and log 3 for two tokens, whatever is shown, and a mask with id 2:

    >>> def model(ids):
    ...     return np.broadcast_to(np.log([1.0, 3.0, 100.0]), (*ids.shape, 3))
    >>> from_logits(model, mask_id=2)(np.asarray([[-1, 0]]))[0, 0]
    array([0.25, 0.75])
    """
    return FromLogits(model, mask_id, vocab)
