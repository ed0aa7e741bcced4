"""Sequences without the masked sites that may not be written yet, as a policy is shown them.

So a policy that is made for whole sequences is given a shorter one, in which it may write at every
masked site.
"""

import inspect
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from sims.policies.base import CallDenoiser, Outcomes, TokenPolicy
from theory import MASK
from theory._core.arrays import array_namespace, device, from_host
from theory._core.segments import gather
from theory._core.types import Array

__all__ = ["Shown", "as_eligible", "shown_sites", "with_eligible"]


def as_eligible(x: Array, eligible: Array | None) -> Array:
    """Sites that may be written, bool (B, L): all masked ones if None is given."""
    return x == MASK if eligible is None else eligible


class Shown:
    """Which of the L sites are shown.

    Parameters
    ----------
    hidden : ndarray of bool, shape (L,)
    like : array
        An array that lives where the sequences do.

    >>> shown = Shown(np.asarray([False, False, True]), np.zeros(1))
    >>> part = shown.part(np.asarray([[0, MASK, MASK]]))
    >>> part.tolist(), shown.whole(part, MASK).tolist()
    ([[0, -1]], [[0, -1, -1]])
    """

    def __init__(self, hidden: np.ndarray, like: Array) -> None:
        self.every = not hidden.any()
        self.sites = np.flatnonzero(~hidden)
        self._sites = from_host(self.sites, like)
        # where each site is among those shown; the hidden ones come from one more column
        index = np.where(hidden, np.count_nonzero(~hidden), np.cumsum(~hidden, dtype=np.int64) - 1)
        self._index = from_host(index, like)

    def places(self, sites: Sequence[int]) -> tuple[tuple[int, ...], int]:
        """Where these sites are among those shown, and how many are shown."""
        return tuple(np.flatnonzero(np.isin(self.sites, sites)).tolist()), len(self.sites)

    def part(self, values: Array) -> Array:
        """What is shown of arrays (B, L) or (B, L, V)."""
        return values if self.every else array_namespace(values).take(values, self._sites, axis=1)

    def whole(self, values: Array, fill: int) -> Array:
        """Arrays (B, L) of which this is what is shown, with `fill` at the other sites."""
        if self.every:
            return values
        xp = array_namespace(values)
        column = xp.full((values.shape[0], 1), fill, dtype=values.dtype, device=device(values))
        return xp.take(xp.concat([values, column], axis=1), self._index, axis=1)


def shown_sites(x: Array, eligible: Array | None) -> Iterator[tuple[Array, Shown]]:
    """Rows of sequences (B, L) that are shown alike, and what is shown of them; all if None."""
    xp, length = array_namespace(x), x.shape[1]
    rows = xp.arange(x.shape[0], dtype=xp.int64, device=device(x))
    if eligible is None:
        yield rows, Shown(np.zeros(length, dtype=bool), x)
        return
    hidden = (x == MASK) & ~eligible
    while rows.shape[0]:
        first = gather(hidden, rows[:1])
        alike = xp.all(gather(hidden, rows) == first, axis=1)
        # from a device the host reads single numbers
        yield rows[alike], Shown(np.asarray([bool(first[0, i]) for i in range(length)]), x)
        rows = rows[~alike]


def with_eligible(policy: TokenPolicy) -> Any:
    """Return a token policy that takes `eligible`: itself, or one that shows it a part."""
    methods = (policy.outcomes, policy.write)
    known = all("eligible" in inspect.signature(method).parameters for method in methods)
    return policy if known else _Partial(policy)


class _Partial(TokenPolicy):
    def __init__(self, inner: TokenPolicy) -> None:
        self.inner, self.randomised = inner, inner.randomised

    def outcomes(
        self, x: Array, call_denoiser: CallDenoiser, round_index: int, eligible: Array | None = None
    ) -> Outcomes:
        for rows, shown in shown_sites(x, eligible):
            seen, call = shown.part(gather(x, rows)), _partial_call(call_denoiser, shown)
            inner = self.inner.outcomes(seen, call, round_index)
            for some, probability, after, calls in inner:
                yield gather(rows, some), probability, shown.whole(after, MASK), calls

    def write(
        self,
        x: np.ndarray,
        call_denoiser: CallDenoiser,
        round_index: int,
        rng: np.random.Generator,
        eligible: Array | None = None,
    ) -> tuple[np.ndarray, Any]:
        after, calls = x.copy(), np.zeros(len(x), dtype=np.int64)
        for rows, shown in shown_sites(x, eligible):
            call = _partial_call(call_denoiser, shown)
            written, calls[rows] = self.inner.write(shown.part(x[rows]), call, round_index, rng)
            after[rows] = shown.whole(written, MASK)
        return after, calls


def _partial_call(call_denoiser: CallDenoiser, shown: Shown) -> CallDenoiser:
    def call(part: Array) -> tuple[Array, Array]:
        predictions, sampling_probs = call_denoiser(shown.whole(part, MASK))
        return shown.part(predictions), shown.part(sampling_probs)

    return call
