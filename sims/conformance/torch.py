"""The zero-loss denoiser as a model of torch, for samplers that call one. Needs torch."""

import math
from collections.abc import Sequence
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np

from sims.conformance.oracle import Answer, Oracle
from sims.policies.observed_sites import Observed
from theory.distributions.base import Distribution
from theory.errors import InvalidInput

__all__ = ["TorchOracle"]

torch: Any = import_module("torch")  # by name, as type checkers may do without it


class TorchOracle(torch.nn.Module):
    """The zero-loss denoiser of a distribution as a module, in the place of a trained network.

    Its answer has ``.logits``, ``[0]`` and ``.past_key_values``; all arguments but ids and caches
    are ignored.

    Parameters
    ----------
    p, mask_id, vocab_size, prompt, shift, observed, floor
        As those of `Oracle`.
    dtype : torch.dtype
        Of the logits: computed in float64 and rounded once. ``model.half()`` and the like change
        it, as in a network.

    Attributes
    ----------
    config : SimpleNamespace
        ``vocab_size``, ``mask_token_id``, and ``pad_token_id``, ``bos_token_id``,
        ``eos_token_id``, which are None until set.
    device, dtype
        Those of its only parameter, which is empty.
    calls : int
        How often it was called.

    Notes
    -----
    The keys and values of its cache are the ids themselves, (B, 1, T, 1). So whatever a sampler
    makes of them (cuts them to the blocks that are finished, keeps those of a block that has
    changed since) is what the answer is conditioned on, and nothing is lost by caching that the
    sampler does not lose. With ids of some places only, ``replace_position`` (B, T) says which
    these are; without it they follow what is cached. A cache object with ``update(keys, values,
    layer)`` is added to unless it is called with ``store_kv=False``.

    >>> from theory import gallery
    >>> model = TorchOracle(gallery.repeated_bit(2, noise=0.25), mask_id=9, vocab_size=10)
    >>> answer = model(torch.tensor([[0, 9]]), attention_mask=None, use_cache=True)
    >>> answer.logits.shape, answer.logits[0, 1, :3].exp().numpy().round(3).tolist()
    (torch.Size([1, 2, 10]), [0.625, 0.375, 0.0])
    >>> model(torch.tensor([[1]]), past_key_values=answer.past_key_values[:1]).logits.shape
    torch.Size([1, 1, 10])
    """

    def __init__(
        self,
        p: Distribution,
        *,
        mask_id: int | None = None,
        vocab_size: int | None = None,
        prompt: Sequence[int] = (),
        shift: bool = False,
        observed: Observed = "one-hot",
        floor: float = -math.inf,
        dtype: Any = torch.float64,
    ) -> None:
        super().__init__()
        if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
            raise InvalidInput(f"dtype must be a floating-point type of torch, got {dtype}")
        self.oracle = Oracle(
            p,
            mask_id=mask_id,
            vocab_size=vocab_size,
            prompt=prompt,
            shift=shift,
            observed=observed,
            floor=floor,
        )
        self.empty = torch.nn.Parameter(torch.zeros(0, dtype=dtype), requires_grad=False)
        self.config = SimpleNamespace(
            vocab_size=self.oracle.vocab_size,
            mask_token_id=self.oracle.mask_id,
            pad_token_id=None,
            bos_token_id=None,
            eos_token_id=None,
        )
        self.eval()

    @property
    def device(self) -> Any:
        return self.empty.device

    @property
    def dtype(self) -> Any:
        return self.empty.dtype

    @property
    def calls(self) -> int:
        return self.oracle.calls

    @property
    def mask_id(self) -> int:
        return self.oracle.mask_id

    @property
    def prompt(self) -> tuple[int, ...]:
        return self.oracle.prompt

    def extra_repr(self) -> str:
        return repr(self.oracle)

    def forward(
        self,
        input_ids: Any,
        *ignored: Any,
        past_key_values: Any = None,
        replace_position: Any = None,
        store_kv: bool = True,
        **also_ignored: Any,
    ) -> Answer:
        """Logits (B, m, W) for ids (B, m), of a whole sequence or of what is not cached."""
        ids = input_ids.detach().cpu().numpy()
        cached = _cached(past_key_values)
        if cached is None:
            known, places = ids, slice(None)
        elif replace_position is not None:
            known, where = cached.copy(), replace_position.cpu().numpy()
            known[where] = ids.ravel()
            places = np.flatnonzero(where[0])
        else:
            most = len(self.prompt) + self.oracle.p.length
            known = np.concatenate([cached[:, : most - ids.shape[1]], ids], axis=1)
            places = slice(known.shape[1] - ids.shape[1], None)
        # From NumPy at once in float64, so that there is one rounding, and in torch's own bfloat16.
        logits = torch.from_numpy(self.oracle(known).logits[:, places])
        return Answer(
            logits.to(self.device, self.dtype), self._cache(past_key_values, ids, known, store_kv)
        )

    def _cache(self, given: Any, ids: np.ndarray, known: np.ndarray, store: bool) -> Any:
        """What comes back as cache: of all ids, or the object that was given, added to."""
        if not hasattr(given, "update"):
            keys = torch.from_numpy(known.copy()).to(self.device)[:, None, :, None]
            return ((keys, keys.clone()),)
        if store:
            keys = torch.from_numpy(ids.copy()).to(self.device)[:, None, :, None]
            given.update(keys, keys.clone(), 0)
        return given


def _cached(cache: Any) -> np.ndarray | None:
    """The ids (B, T) in a cache: tuples of keys and values, or an object of transformers."""
    layers = getattr(cache, "layers", cache)
    if layers is None or (hasattr(layers, "__len__") and len(layers) == 0):
        return None
    keys = getattr(layers[0], "keys", None) if not isinstance(layers[0], tuple) else layers[0][0]
    keys = layers[0][0] if keys is None else keys
    return None if keys is None else keys[:, 0, :, 0].cpu().numpy()
