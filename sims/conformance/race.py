"""The order of scores with noise: which of them is the largest, the next, and so on."""

import math
from typing import TYPE_CHECKING

import numpy as np

from sims.conformance.replay import AmbiguousRows, NotEnumerable

if TYPE_CHECKING:
    from sims.conformance.noise import Noise

__all__ = ["Race"]


class Race:
    """The order of noise along its last axis, found as far as it is asked for.

    Parameters
    ----------
    noise : Noise
    largest : bool
        Whether the largest come first, or the smallest.
    """

    def __init__(self, noise: "Noise", *, largest: bool) -> None:
        if len(noise.shape) > 1:
            noise.check_rows()
        self.shape, self.largest = noise.shape, largest
        noise = noise.mapped(lambda v: v.reshape(-1, noise.shape[-1]))
        self.noise, self.known = noise, noise.uniforms
        self.picked = np.zeros((len(noise.which), 0), dtype=np.int64)
        self.open = np.isnan(noise.known)
        rows = np.where(self.open, self.known.rows[noise.which], -1)
        self.rows = rows.max(axis=1, initial=0)
        if (self.open & (rows != self.rows[:, None])).any():
            raise AmbiguousRows(f"an order of {noise} across rows")

    def _ranges(self) -> tuple[np.ndarray, np.ndarray]:
        """The least and the largest value that each entry can have."""
        noise, low, high = self.noise, self.known.low, self.known.high
        if noise.kind == "uniform":
            at = np.asarray([low[noise.which], high[noise.which]])
            ends = noise.shift + noise.scale * (1 - at if noise.flipped else at)
            least, most = ends.min(axis=0), ends.max(axis=0)
        elif noise.kind == "gumbel":
            least, most = np.full(noise.shape, -math.inf), np.full(noise.shape, math.inf)
        else:
            ends = np.where(noise.scale > 0, math.inf, -math.inf), np.zeros(noise.shape)
            if noise.kind == "power":
                infinite = np.where(noise.shift > 0, math.inf, -math.inf)
                ends = np.where(noise.scale > 0, infinite, 0.0), noise.shift
            least, most = np.minimum(*ends), np.maximum(*ends)
        return (
            np.where(self.open, least, noise.known),
            np.where(self.open, most, noise.known),
        )

    def first(self, count: int) -> np.ndarray:
        """Indices (..., count), the largest (or smallest) first."""
        if not self.picked.shape[1]:
            self._check()
            if count == 1 and self._is_simple():
                self.picked = self._only()[:, None]
                return self.picked.reshape(*self.shape[:-1], 1)
            low, high = self._ranges()
            self.low, self.high = (low, high) if self.largest else (-high, -low)
            self.left = np.ones(low.shape, dtype=bool)
            self.places = self._places() if self._backwards() else None
        elif count > self.picked.shape[1] and not hasattr(self, "left"):
            raise NotEnumerable(f"the order of {self.noise}", because="it was asked for before")
        while self.picked.shape[1] < count:
            self.picked = np.concatenate([self.picked, self._next()[:, None]], axis=1)
        return self.picked[:, :count].reshape(*self.shape[:-1], count)

    def _check(self) -> None:
        """Refuse numbers of which something is known that their ranges do not tell."""
        used = self.noise.which[self.open]
        if np.bincount(used, minlength=1).max() > 1:
            because = "the same random number takes part twice"
            raise NotEnumerable(f"the order of {self.noise}", because=because)
        if self.known.ordered[used].any():
            raise NotEnumerable(f"the order of {self.noise}", because="it was asked for before")
        low, high = self.known.low[used], self.known.high[used]
        if self.noise.kind != "uniform" and (low.any() or (high < 1).any()):
            raise NotEnumerable(
                f"the order of {self.noise}", because="it was compared with numbers"
            )

    def _next(self) -> np.ndarray:
        """The first of those that are left in each line, (Q,)."""
        most = np.where(self.left, self.low, -math.inf).max(axis=1, keepdims=True)
        first = self.left & (self.low == most)
        top = np.where(first, self.high, -math.inf).max(axis=1, keepdims=True)
        first &= self.high == top
        if (self.left & ~first & (self.high > most)).any():
            raise NotEnumerable(f"the order of {self.noise} whose ranges overlap")
        racing = first & self.open
        first = np.where(racing.any(axis=1, keepdims=True), racing, first)
        chosen = first.argmax(axis=1)
        asked = np.flatnonzero(racing.sum(axis=1) > 1)
        if len(asked):
            self.known.ordered[self.noise.which[asked][racing[asked]]] = True
            if self.places is None:
                weights = self._weights(racing[asked], asked)
                chosen[asked] = self.known.replay.decide(self.rows[asked], weights)
            else:
                chosen[asked] = np.where(racing, self.places, -1)[asked].argmax(axis=1)
        self.left[np.arange(len(chosen), dtype=np.int64), chosen] = False
        return chosen

    def _is_simple(self) -> bool:
        """Whether noise is larger than all numbers, and the largest is asked for."""
        if not self.largest or self.noise.kind in ("uniform", "power") or self._backwards():
            return False
        positive = self.noise.kind == "exponential" and (self.noise.scale > 0)[self.open].all()
        least = 0.0 if positive else -math.inf
        return bool((self.noise.known[~self.open] <= least).all())

    def _only(self) -> np.ndarray:
        """The first of the race in each line, where numbers can only lose it, (Q,)."""
        chosen = self.open.argmax(axis=1)
        if not self.noise.whole:
            closed = np.flatnonzero(~self.open.any(axis=1))
            chosen[closed] = self.noise.known[closed].argmax(axis=1)
        asked = np.flatnonzero(self.open.sum(axis=1) > 1)
        if len(asked):
            weights = self._weights(self.open[asked], asked)
            chosen[asked] = self.known.replay.decide(self.rows[asked], weights)
            self.known.ordered[self.noise.which[asked][self.open[asked]]] = True
        return chosen

    def _backwards(self) -> bool:
        """Whether the first of the race are the last that are asked for."""
        noise = self.noise
        if noise.kind == "uniform":
            return False
        rising = noise.scale > 0 if noise.kind == "gumbel" else noise.scale * noise.power < 0
        if noise.kind == "power":
            rising = noise.scale * noise.shift < 0
        rising = rising[self.open]
        if (rising != rising[:1]).any():
            raise NotEnumerable(f"the order of {noise} of both signs")
        return bool(rising.any() != self.largest) and bool(self.open.any())

    def _places(self) -> np.ndarray:
        """The place of each entry in the race, run to its end, (Q, K)."""
        left, places = self.open.copy(), np.zeros(self.open.shape, dtype=np.int64)
        for turn in range(left.shape[1]):
            asked = np.flatnonzero(left.any(axis=1))
            weights = self._weights(left[asked], asked)
            chosen = self.known.replay.decide(self.rows[asked], weights)
            places[asked, chosen] = turn
            left[asked, chosen] = False
        return places

    def _weights(self, racing: np.ndarray, asked: np.ndarray) -> np.ndarray:
        """The probability of each of those racing (N, K) to be first, up to a factor in each line.

        The first of exponential numbers ``E_i / rate_i`` is i in proportion to its rate.
        """
        noise = self.noise
        scale, power = noise.scale[asked], noise.power[asked]
        if noise.kind == "uniform":
            return racing.astype(float)
        if noise.kind == "gumbel":
            logs, spread = noise.shift[asked], scale
        else:
            logs = np.log(np.where(racing, np.abs(scale), 1.0))
            spread = -power if noise.kind == "exponential" else -np.ones(scale.shape)
        most = np.where(racing, spread, -math.inf).max(axis=1, keepdims=True)
        if (racing & (spread != most)).any():
            raise NotEnumerable(f"the order of {noise} of several temperatures")
        logs = np.where(racing, logs / most, -math.inf)
        return np.exp(logs - logs.max(axis=1, keepdims=True))
