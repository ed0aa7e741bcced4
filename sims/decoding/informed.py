"""Rounds of a corrector that chooses the site to draw again by what is written.

Which site it is depends on the prediction of each written site given all others, so a round takes
one batch of predictions for each site: exactly, on the table of all sequences, or for a sample.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sims.policies import InformedCorrector
from sims.policies.base import CallDenoiser
from sims.policies.checks import not_negative
from sims.policies.scores import FREE_SYMBOLS
from theory import MASK
from theory._core.arrays import array_namespace, device, is_exact, require_memory, to_host
from theory._core.segments import any_true, gather, scatter
from theory._core.types import Array
from theory.distributions.sampling import draw_tokens
from theory.errors import InvalidInput
from theory.lattice.codes import digits
from theory.validation.tolerances import tolerance

__all__ = ["drawn_informed", "informed_rounds"]


def informed_rounds(
    table: Array,
    corrector: InformedCorrector,
    call_denoiser: CallDenoiser,
    written: Sequence[int],
    batch: int,
) -> Array:
    """Probabilities of all sequences (V,)*L after all rounds, from those before them."""
    vocab, length, n = table.shape[0], table.ndim, len(written)
    if corrector.steps == 0:
        return table
    xp, here = array_namespace(table), device(table)
    # what is given stays: a row for each value of it that happens, a column for each of the others
    order = [*(site for site in range(length) if site not in written), *written]
    places = [order.index(site) for site in range(length)]
    rows = xp.reshape(xp.permute_dims(table, tuple(order)), (-1, vocab**n))
    used = xp.nonzero(xp.sum(rows, axis=1) != 0)[0]
    count = used.shape[0] * vocab**n
    what = f"a correction of the table of shape ({vocab},)*{length}, site by site,"
    require_memory(count * (3 * n * (vocab + 1) + length), what, table)
    index = xp.arange(count, dtype=xp.int64, device=here)
    x = digits(gather(used, index // vocab**n) * vocab**n + index % vocab**n, length, vocab)
    x = xp.take(x, xp.asarray(places, dtype=xp.int64, device=here), axis=1)
    batches = (x[start : min(start + batch, count), :] for start in range(0, count, batch))
    parts = [_chosen(some, corrector, call_denoiser, written) for some in batches]
    chosen, draws = (xp.concat(list(part), axis=0) for part in zip(*parts, strict=True))
    rest, flat = _rest(chosen), xp.reshape(gather(rows, used), (-1,))
    for _ in range(corrector.steps):
        after = flat * rest
        for k, site in enumerate(written):
            token, this = x[:, site], chosen[:, k]
            own = _at(draws[:, k, :], token)
            for v in range(vocab):
                # the same sequence with v at the site: what comes from there, and does not go there
                other = index + (v - token) * vocab ** (n - 1 - k)
                there = gather(this, other)
                back, forth = there, this
                if corrector.repair == "accept":
                    back = forth = _least(this, there)
                after = after + gather(flat, other) * back * own
                after = after + flat * (this - forth) * draws[:, k, v]
        flat = after
    rows = scatter(used, xp.reshape(flat, (-1, vocab**n)), rows.shape[0])
    return xp.permute_dims(xp.reshape(rows, table.shape), tuple(places))


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
    if is_exact(chosen):
        return rest
    # what rounding leaves must not look like a probability: it would stay at impossible sequences
    rounding = (chosen.shape[1] + 1) * 2.0**-52
    return array_namespace(rest).where(rest > rounding, rest, 0.0)


def _at(rows: Array, token: Array) -> Array:
    """Entries (B,) of rows (B, V)."""
    xp = array_namespace(rows)
    width = rows.shape[1]
    start = xp.arange(rows.shape[0], dtype=xp.int64, device=device(rows)) * width
    return gather(xp.reshape(rows, (-1,)), start + token)


def _least(a: Array, b: Array) -> Array:
    try:
        return array_namespace(a).where(a < b, a, b)
    except TypeError:
        raise InvalidInput(FREE_SYMBOLS) from None
