"""One round of a corrector that chooses the site to draw again by what is written.

Which site it is depends on the prediction of each written site given all others, so a round takes
one batch of predictions for each site: exactly, on the table of all sequences, or for a sample.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sims.policies import InformedCorrector
from sims.policies.base import CallDenoiser
from sims.policies.checks import not_negative
from theory import MASK
from theory._core.arrays import array_namespace, device, is_exact, require_memory, to_host
from theory._core.segments import any_true, gather
from theory._core.types import Array
from theory.distributions.sampling import draw_tokens
from theory.errors import InvalidInput
from theory.lattice.codes import digits
from theory.validation.tolerances import tolerance

__all__ = ["drawn_informed", "informed_round"]


def informed_round(
    table: Array,
    corrector: InformedCorrector,
    call_denoiser: CallDenoiser,
    written: Sequence[int],
    batch: int,
) -> Array:
    """Probabilities of all sequences (V,)*L after a round, from those before it."""
    vocab, length = table.shape[0], table.ndim
    count = vocab**length
    what = f"a correction of the table of shape ({vocab},)*{length}, site by site,"
    require_memory(count * (3 * len(written) * (vocab + 1) + length), what, table)
    xp, here = array_namespace(table), device(table)
    index = xp.arange(count, dtype=xp.int64, device=here)
    x = digits(index, length, vocab)
    parts = []
    for start in range(0, count, batch):
        rows = x[start : min(start + batch, count), :]
        chosen, draws = _chosen(rows, corrector, call_denoiser, written)
        parts.append((chosen, draws))
    chosen, draws = (xp.concat(list(part), axis=0) for part in zip(*parts, strict=True))
    before = xp.reshape(table, (-1,))
    after = before * _rest(chosen)
    for k, site in enumerate(written):
        token, step = x[:, site], vocab ** (length - 1 - site)
        own = _at(draws[:, k, :], token)
        for v in range(vocab):
            other = index + (v - token) * step  # the same sequence with v at the site
            this, that = chosen[:, k], gather(chosen[:, k], other)
            taken_back, taken = that, this
            if corrector.repair == "accept":
                taken = taken_back = _least(this, that)
            after = after + gather(before, other) * taken_back * own
            after = after + before * (this - taken) * draws[:, k, v]
    return xp.reshape(after, table.shape)


def drawn_informed(
    x: np.ndarray,
    corrector: InformedCorrector,
    call_denoiser: CallDenoiser,
    written: Sequence[int],
    rng: np.random.Generator,
) -> np.ndarray:
    """Sequences (B, L) on the host after a round."""
    chosen, draws = _chosen(x, corrector, call_denoiser, written)
    rows = np.arange(len(x), dtype=np.int64)
    outcome = draw_tokens(rng, np.concatenate([chosen, _rest(chosen)[:, None]], axis=1))
    moved = rows[outcome < len(written)]
    place = outcome[moved]
    site = np.asarray(written, dtype=np.int64)[place]
    after = x.copy()
    after[moved, site] = draw_tokens(rng, draws[moved, place])
    if corrector.repair == "accept" and len(moved):
        back, _ = _chosen(after[moved], corrector, call_denoiser, written)
        odds = back[np.arange(len(moved), dtype=np.int64), place] / chosen[moved, place]
        refused = moved[rng.random(len(moved)) >= odds]
        after[refused] = x[refused]
    return after


def _chosen(
    x: Array, corrector: InformedCorrector, call_denoiser: CallDenoiser, written: Sequence[int]
) -> tuple[Array, Array]:
    """Probabilities of the n sites to be drawn again (B, n), and what from (B, n, V)."""
    xp, here = array_namespace(x), device(x)
    site = xp.arange(x.shape[1], dtype=xp.int64, device=here)
    answers = [call_denoiser(xp.where(site == i, MASK, x)) for i in written]
    at = list(zip(written, answers, strict=True))
    predictions = xp.stack([found[:, i, :] for i, (found, _) in at], axis=1)
    draws = xp.stack([probabilities[:, i, :] for i, (_, probabilities) in at], axis=1)
    tokens = xp.stack([x[:, i] for i in written], axis=1)
    chosen: Any = corrector.site_probabilities(tokens, predictions)
    if tuple(getattr(chosen, "shape", ())) != tuple(tokens.shape):
        raise InvalidInput(
            f"{corrector!r} gave site probabilities of shape {np.shape(chosen)}; expected "
            f"{tuple(tokens.shape)}"
        )
    return not_negative(chosen, "corrector", tolerance(chosen).entry), draws


def _rest(chosen: Array) -> Array:
    """What is left to 1 of probabilities (B, n)."""
    rest = 1 - array_namespace(chosen).sum(chosen, axis=1)
    least = 0 if is_exact(chosen) else -tolerance(chosen).sum
    try:
        above = rest < least
    except TypeError:  # free symbols
        return rest
    if any_true(above):
        worst = 1 - to_host(rest)[to_host(above)][0]
        raise InvalidInput(f"the corrector's probabilities sum to {worst}, to more than 1")
    return rest if is_exact(chosen) else array_namespace(rest).where(rest > 0, rest, 0.0)


def _at(rows: Array, token: Array) -> Array:
    """Entries (B,) of rows (B, V)."""
    xp = array_namespace(rows)
    width = rows.shape[1]
    start = xp.arange(rows.shape[0], dtype=xp.int64, device=device(rows)) * width
    return gather(xp.reshape(rows, (-1,)), start + token)


def _least(a: Array, b: Array) -> Array:
    return array_namespace(a).where(a < b, a, b)
