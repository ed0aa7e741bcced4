"""The zero-loss denoiser in the place of a trained network: logits for token ids of a model."""

import contextlib
import math
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from sims.conformance.replay import running
from sims.policies.observed_sites import OBSERVED, Observed, predictions_with
from theory import MASK
from theory._core.arrays import as_array, from_host, to_host
from theory._core.types import Array, ArrayLike
from theory.distributions.base import Distribution, check_distribution
from theory.errors import InvalidInput
from theory.lattice.codes import digits
from theory.validation.arguments import as_integer

__all__ = ["Answer", "Oracle", "answering"]

TABULATED = 2**20
"""Up to so many predictions, those for all patterns are computed once and looked up."""


@dataclass(frozen=True)
class Answer:
    """What a model returns: ``answer.logits``, or ``answer[0]``.

    >>> Answer(np.zeros((1, 2, 3)))[0].shape
    (1, 2, 3)
    """

    logits: Array
    past_key_values: Any = None

    def __getitem__(self, index: int) -> Array:
        return (self.logits,)[index]


@dataclass(frozen=True)
class _Instead:
    """What oracles answer by, in place of their own."""

    p: Distribution | None = None
    observed: Observed | None = None


_instead: ContextVar[_Instead | None] = ContextVar("instead", default=None)


@contextlib.contextmanager
def answering(*, p: Distribution | None = None, observed: Observed | None = None) -> Iterator[None]:
    """Let all oracles answer for another distribution, or by another convention, for a while.

    So a sampler that was made with an oracle can be tried on other data as it is.

    Parameters
    ----------
    p : Distribution, optional
        Of the length and vocabulary of the oracles' own; others are refused when one is called.
    observed : {"one-hot", "leave-one-out", "flat"}, optional

    >>> from theory import gallery
    >>> model = Oracle(gallery.repeated_bit(2, noise=0.25))
    >>> with answering(observed="leave-one-out"):
    ...     np.exp(model([[0, 0]]).logits[0, 0]).round(3).tolist()
    [0.625, 0.375, 0.0]
    """
    outer = _instead.get() or _Instead()
    if observed is not None:
        _check_observed(observed)
    if p is not None:
        check_distribution(p)
    instead = _Instead(
        outer.p if p is None else p, outer.observed if observed is None else observed
    )
    token = _instead.set(instead)
    try:
        yield
    finally:
        _instead.reset(token)


def _check_observed(observed: str) -> None:
    if observed not in OBSERVED:
        raise InvalidInput(f"observed must be one of {', '.join(OBSERVED)}, got {observed!r}")


class Oracle:
    """The zero-loss denoiser of a distribution as a model that samplers call.

    Parameters
    ----------
    p : Distribution
        Its tokens ``0..V-1`` are the ids of the same numbers.
    mask_id : int, optional
        The id that stands for a masked site; V if not given.
    vocab_size : int, optional
        W, the number of logits at each site; if not given, what `mask_id` takes. The logits of all
        ids that are no tokens of `p`, the mask's included, are `floor`.
    prompt : sequence of int
        Ids in front of the sites that `p` does not know, such as a prompt or the begin of sequence.
        The first so many ids of each sequence are not looked at, and token 0 is certain there, so
        that nothing is random in what a sampler draws for them.
    shift : bool
        Whether the logits of a site are found one place to the left, as in models made of
        autoregressive ones. The prompt must then leave a place for those of the first site.
    observed : {"one-hot", "leave-one-out", "flat"}
        What is answered where a token is shown, which no training loss determines: that token; the
        prediction given all other tokens; all tokens alike.
    floor : float
        Logits are at least this; some samplers compute nan from ``-inf``.
    dtype : dtype
        Of the logits; computed in float64 and rounded.

    Attributes
    ----------
    calls : int
        How often it was called.

    Notes
    -----
    Logits are the logarithms of ``p.denoise``. Where the tokens shown have probability 0 they are
    those of the marginals.

    Called with fewer ids than prompt and sites, it answers for those alone, as if what comes after
    were masked: samplers that write block by block show a model no more than that.

    >>> from theory import gallery
    >>> model = Oracle(gallery.repeated_bit(2, noise=0.25), mask_id=9, vocab_size=10)
    >>> answer = model(np.asarray([[0, 9]]))
    >>> answer.logits.shape, np.exp(answer.logits[0, 1, :3]).round(3).tolist()
    ((1, 2, 10), [0.625, 0.375, 0.0])
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
        dtype: Any = np.float64,
    ) -> None:
        check_distribution(p)
        _check_observed(observed)
        self.p, self.shift, self.calls = p, bool(shift), 0
        self.observed: Observed = observed
        self.mask_id = p.vocab if mask_id is None else as_integer(mask_id, "mask_id", p.vocab)
        least = self.mask_id + 1 if vocab_size is None else p.vocab
        self.vocab_size = (
            least if vocab_size is None else as_integer(vocab_size, "vocab_size", least)
        )
        self.prompt = tuple(as_integer(token, "an id of the prompt", 0) for token in prompt)
        if shift and not self.prompt:
            raise InvalidInput(
                "with shift=True the logits of the first site are found one place to the left of "
                "it: give the id there as prompt, such as prompt=(0,)"
            )
        if math.isnan(floor) or floor == math.inf:
            raise InvalidInput(f"floor must be a number or -inf, got {floor}")
        self.floor, self.dtype = float(floor), np.dtype(dtype)
        if self.dtype.kind != "f":
            raise InvalidInput(f"dtype must be a floating-point type, got {self.dtype}")
        self._tables: dict[tuple[int, Observed], tuple[Distribution, np.ndarray]] = {}

    def __repr__(self) -> str:
        return f"Oracle({self.p!r}, mask_id={self.mask_id}, vocab_size={self.vocab_size})"

    def __call__(self, ids: ArrayLike) -> Answer:
        """Logits (B, m, W) for ids (B, m), where the ids live.

        Parameters
        ----------
        ids : array_like of int, shape (B, m)
            Prompt and sites, or the first of them.

        Returns
        -------
        Answer

        Raises
        ------
        InvalidInput
            If there are more ids than prompt and sites, or one is neither a token nor the mask.
        """
        ids = as_array(ids)
        x = self._patterns(to_host(ids))
        self.calls += 1
        if replay := running():
            replay.called(x)
            replay.cells = max(replay.cells, ids.shape[1] * self.vocab_size)
        logits = self._logits(x)[:, : ids.shape[1] - len(self.prompt) + self.shift]
        return Answer(from_host(self._placed(logits, ids.shape[1]), ids))

    def _patterns(self, ids: np.ndarray) -> np.ndarray:
        """Patterns (B, L) of the sites, masked where there are no ids."""
        front, length, vocab = len(self.prompt), self.p.length, self.p.vocab
        if ids.ndim != 2 or ids.dtype.kind not in "iu":
            raise InvalidInput(
                f"ids must be integers of shape (B, m), got {ids.dtype} of shape {ids.shape}"
            )
        if not front <= ids.shape[1] <= front + length:
            raise InvalidInput(
                f"ids of shape {ids.shape} for {length} sites after a prompt of {front}: expected "
                f"(B, {front + length})"
            )
        x = np.full((len(ids), length), MASK, dtype=np.int64)
        sites = ids[:, front:].astype(np.int64)
        bad = (sites != self.mask_id) & ((sites < 0) | (sites >= vocab))
        if bad.any():
            row, site = np.argwhere(bad)[0].tolist()
            raise InvalidInput(
                f"ids of shape {ids.shape} hold {sites[row, site]} in row {row} at site {site}, "
                f"which is neither a token (0 to {vocab - 1}) nor the mask ({self.mask_id})"
            )
        x[:, : sites.shape[1]] = np.where(sites == self.mask_id, MASK, sites)
        return x

    def _logits(self, x: np.ndarray) -> np.ndarray:
        """Logarithms of the predictions (B, L, V) for patterns, by whatever is asked for now."""
        instead = _instead.get() or _Instead()
        p = instead.p or self.p
        observed: Observed = instead.observed or self.observed
        if (p.length, p.vocab) != (self.p.length, self.p.vocab):
            raise InvalidInput(f"{self!r} cannot answer for {p!r}, of another shape")
        patterns = (p.vocab + 1) ** p.length
        if patterns * p.length * p.vocab > TABULATED:
            return _log_predictions(p, x, observed)
        key = (id(p), observed)
        if key not in self._tables:
            if len(self._tables) > 8:  # of tables tried one after the other
                self._tables.clear()
            codes = digits(np.arange(patterns, dtype=np.int64), p.length, p.vocab + 1)
            every = np.where(codes == p.vocab, MASK, codes)
            self._tables[key] = p, _log_predictions(p, every, observed)
        place = (p.vocab + 1) ** np.arange(p.length - 1, -1, -1, dtype=np.int64)
        return self._tables[key][1][np.where(x == MASK, p.vocab, x) @ place]

    def _placed(self, logits: np.ndarray, width: int) -> np.ndarray:
        """Logits (B, m, W) of all ids, of those (B, sites, V) of the tokens."""
        vocab, first = logits.shape[2], len(self.prompt) - self.shift
        with np.errstate(over="ignore"):  # of what is -inf in a small type
            placed = np.full((len(logits), width, self.vocab_size), self.floor, dtype=self.dtype)
            placed[..., 0] = 0
            placed[:, first : first + logits.shape[1], :vocab] = np.maximum(logits, self.floor)
        return placed


def _log_predictions(p: Distribution, x: np.ndarray, observed: Observed) -> np.ndarray:
    predict = partial(p.denoise, on_impossible="marginal")
    predictions = predictions_with(predict, from_host(x, p.like), observed)
    with np.errstate(divide="ignore"):
        return np.log(to_host(predictions).astype(np.float64))
