"""Random numbers that are not drawn: what becomes of them decides which outcomes are enumerated.

A sampler draws uniform numbers, makes something of them, and in the end asks a question: which
score is the largest, is this number below that probability. Here the numbers stay open until then.
`Noise` knows what was made of the uniform numbers U in it:

==============  ==========================  =====================================================
kind            value                       made by
==============  ==========================  =====================================================
uniform         ``shift + scale U``         the generator
exponential     ``scale E**power``          ``E = -log U``, ``scores / E**temperature``
gumbel          ``shift + scale G``         ``G = -log E``, ``logits + temperature G``
power           ``shift exp(scale E)``      ``U**(1 / weights)``
==============  ==========================  =====================================================

The order of such scores is a race with known probabilities: the largest of ``logits + G`` is i
with probability softmax(logits)_i (Gumbel-max), the next is drawn in the same way from those left
(Plackett-Luce). A comparison with a number is a coin, and U is known to lie in an interval from
then on. So each answer is a choice that a `Replay` makes, and all answers are consistent.

Anything else, say a sum of two such numbers, has no closed form and raises `NotEnumerable`.
Constants up to `GUARD` that keep a logarithm finite are taken for nothing; they move probabilities
by about as much.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sims.conformance.race import Race
from sims.conformance.replay import AmbiguousRows, NotEnumerable, Replay

__all__ = ["GUARD", "Noise"]

GUARD = 1e-6
"""Constants up to this guard against log 0 and are taken for nothing."""

ROUNDING = 1e-15
"""Intervals of U shorter than this are between numbers that differ by rounding."""


OPTIONS = 2**12
"""Integer parts are enumerated up to this many."""


class _Uniforms:
    """Independent uniform numbers on [0, 1), flattened, and what is known of each."""

    def __init__(self, replay: Replay, rows: np.ndarray) -> None:
        self.replay, self.rows = replay, rows
        self.low, self.high = np.zeros(len(rows)), np.ones(len(rows))
        self.ordered = np.zeros(len(rows), dtype=bool)
        """Whether a number has taken part in a race, which may have told how it compares."""


@dataclass(eq=False, slots=True)
class Noise:
    """An array of random numbers that have not been drawn.

    Attributes
    ----------
    uniforms : the uniform numbers that it is made of
    which : ndarray of int64
        The uniform number behind each entry.
    kind : {"uniform", "exponential", "gumbel", "power"}
    shift, scale, power : ndarray
        As in the table above.
    known : ndarray
        Entries that are numbers after all; nan where they are open.
    whole : bool
        Whether all entries are sure to be open, which saves much looking.
    flipped : bool
        Whether ``1 - U`` takes the place of U.

    >>> from sims.conformance.replay import END
    >>> run = Replay(np.asarray([[END], [1]]))              # the most probable token, and the other
    >>> logits = np.log([[0.75, 0.25], [0.75, 0.25]])
    >>> gumbel = Noise.uniform(run, (2, 2)).log().times(-1).log().times(-1)
    >>> gumbel.plus(logits).order(-1, 1, largest=True)[:, 0].tolist(), run.mass.round(9).tolist()
    ([0, 1], [0.75, 0.25])
    """

    uniforms: _Uniforms
    which: np.ndarray
    kind: str
    shift: np.ndarray
    scale: np.ndarray
    power: np.ndarray
    known: np.ndarray
    whole: bool = True
    flipped: bool = False

    @classmethod
    def uniform(cls, replay: Replay, shape: tuple[int, ...]) -> "Noise":
        """Uniform numbers on [0, 1) of any shape; the leading dimension are rows of the replay."""
        rows = replay.rows_of(shape)
        which = np.arange(len(rows), dtype=np.int64).reshape(shape)
        zero, one, nan = (np.broadcast_to(v, shape) for v in (0.0, 1.0, math.nan))
        return cls(_Uniforms(replay, rows), which, "uniform", zero, one, one, nan)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.which.shape

    # Structure

    def mapped(self, change: Callable[[np.ndarray], np.ndarray]) -> "Noise":
        """The same entries elsewhere, say ``noise.mapped(lambda v: v[:, None])``."""
        return Noise(
            self.uniforms,
            change(self.which),
            self.kind,
            change(self.shift),
            change(self.scale),
            change(self.power),
            change(self.known),
            self.whole,
            self.flipped,
        )

    def where(self, kept: np.ndarray, other: Any) -> "Noise":
        """Entries of the noise where `kept`, else numbers."""
        kept, other, which = np.broadcast_arrays(kept, np.asarray(other, dtype=float), self.which)
        noise = self.mapped(lambda v: np.broadcast_to(v, which.shape))
        if np.isnan(other[~kept]).any():
            raise NotEnumerable(f"{self} together with nan")
        return noise._but(known=np.where(kept, noise.known, other), whole=False)

    # What becomes of the numbers

    def plus(self, number: Any) -> "Noise":
        number = np.asarray(number, dtype=float)
        noise, number = self._with(number)
        if self.whole and noise.kind in ("uniform", "gumbel") and np.isfinite(number).all():
            return noise._but(shift=noise.shift + number)
        known = np.where(np.isinf(number), number, noise.known + number)
        if noise.kind in ("uniform", "gumbel"):
            return noise._but(shift=noise.shift + number, known=known, whole=False)
        if (np.abs(number[np.isnan(known)]) > GUARD).any():
            raise NotEnumerable(f"the sum of {self} and a number")
        return noise._but(known=known, whole=False)

    def times(self, number: Any) -> "Noise":
        noise, number = self._with(np.asarray(number, dtype=float))
        if noise.kind == "power":
            known = np.where(number == 0, 0.0, noise.known * number)
            return noise._but(shift=noise.shift * number, known=known, whole=False)._checked()
        with np.errstate(invalid="ignore"):
            shift, scale = noise.shift * number, noise.scale * number
            if self.whole and scale.all() and np.isfinite(scale).all():
                return noise._but(shift=shift, scale=scale)
            known = np.where(number == 0, 0.0, noise.known * number)
        return noise._but(shift=shift, scale=scale, known=known, whole=False)._checked()

    def reciprocal(self) -> "Noise":
        if self.kind not in ("exponential", "power"):
            raise NotEnumerable(f"the reciprocal of {self}")
        with np.errstate(divide="ignore"):
            known = 1 / self.known
        if self.kind == "power":
            shift = 1 / np.where(self.shift == 0, 1.0, self.shift)
            return self._but(shift=shift, scale=-self.scale, known=known)
        scale = 1 / np.where(self.scale == 0, 1.0, self.scale)
        return self._but(scale=scale, power=-self.power, known=known)

    def log(self) -> "Noise":
        noise, known = self._standard(), self.known
        with np.errstate(divide="ignore", invalid="ignore"):
            known = known if self.whole else np.log(noise.known)
            if noise.kind == "uniform":
                return noise._but(kind="exponential", scale=-noise.scale, known=known)
            if noise.kind == "power" and (noise.shift == 1)[np.isnan(noise.known)].all():
                shift = np.zeros(self.shape)
                return noise._but(kind="exponential", shift=shift, known=known)
            if noise.kind == "exponential":
                shift, scale = np.log(noise.scale), -noise.power
                noise = noise._but(kind="gumbel", shift=shift, scale=scale, known=known)
                return noise if self.whole and np.isfinite(shift).all() else noise._checked()
        raise NotEnumerable(f"the logarithm of {self}")

    def exp(self) -> "Noise":
        with np.errstate(over="ignore"):
            known, factor = np.exp(self.known), np.exp(self.shift)
        if self.kind == "gumbel":
            power, known = -self.scale, np.where(factor == 0, 0.0, known)
            shift = np.zeros(self.shape)
            noise = self._but(kind="exponential", shift=shift, scale=factor, power=power)
            return noise._but(known=known, whole=False)._checked()
        if self.kind == "exponential" and (self.power == 1).all():
            return self._but(kind="power", shift=np.ones(self.shape), known=known)
        raise NotEnumerable(f"the exponential of {self}")

    def to_the(self, exponent: Any) -> "Noise":
        noise, exponent = self._standard()._with(np.asarray(exponent, dtype=float))
        with np.errstate(all="ignore"):
            known = np.where(exponent == 0, 1.0, noise.known**exponent)
        if noise.kind == "uniform":
            noise = noise._but(kind="power", shift=np.ones(noise.shape), scale=-exponent)
        elif noise.kind == "power":
            with np.errstate(all="ignore"):
                shift = noise.shift**exponent
            noise = noise._but(shift=shift, scale=noise.scale * exponent)
        elif noise.kind == "exponential":
            with np.errstate(all="ignore"):
                scale = noise.scale**exponent
            noise = noise._but(scale=scale, power=noise.power * exponent)
        else:
            raise NotEnumerable(f"a power of {self}")
        return noise._but(known=known, whole=False)._checked()

    def clipped(self, low: Any = -math.inf, high: Any = math.inf) -> "Noise":
        """Bounds that hardly ever apply, as they guard against log 0."""
        noise, low = self._with(np.asarray(low, dtype=float))
        noise, high = noise._with(np.asarray(high, dtype=float))
        open_ = np.isnan(noise.known)
        for bound, above in ((np.broadcast_to(low, noise.shape), False), (high, True)):
            at, rising = noise._in_uniform(bound)
            cut = np.where(rising == above, at < 1 - GUARD, at > GUARD)
            if cut[open_].any():
                raise NotEnumerable(f"{self} between bounds")
        return noise._but(known=np.clip(noise.known, low, high))

    # Questions

    def below(self, number: Any) -> np.ndarray:
        """Whether each entry is below a number: coins, or cells if there are several for one U."""
        noise, number = self._with(np.asarray(number, dtype=float))
        answer = np.array(noise.known < number, order="C")
        open_ = np.isnan(noise.known)
        if open_.any():
            noise.check_rows()
            at, rising = noise._in_uniform(number)
            at, same = at[open_], rising[open_] != self.flipped
            smaller = noise._smaller(noise.which[open_], 1 - at if self.flipped else at)
            answer[open_] = smaller == same
        return answer

    def floor(self) -> np.ndarray:
        """The largest integers that are not above, of uniform noise: ``floor(options * u)``."""
        if self.kind != "uniform":
            raise NotEnumerable(f"the integer part of {self}")
        open_ = np.isnan(self.known)
        ends = np.stack([self.shift, self.shift + self.scale])[:, open_]
        low, high = math.floor(ends.min(initial=0)), math.ceil(ends.max(initial=0))
        if high - low > OPTIONS:
            raise NotEnumerable(f"{high - low} integer parts of {self}")
        edges = np.arange(low + 1, high, dtype=np.int64)
        above = ~self.mapped(lambda v: np.asarray(v)[..., None]).below(edges)
        return np.where(open_, low + above.sum(axis=-1), np.floor(self.known))

    def order(self, axis: int, count: int, *, largest: bool) -> np.ndarray:
        """Indices of the `count` largest (or smallest) entries along an axis, these first.

        As an axis of the same place in the result; indices of equal numbers in their order.
        """
        if axis in (-1, len(self.shape) - 1):
            return Race(self, largest=largest).first(count)
        self.check_rows()
        noise = self.mapped(lambda v: np.moveaxis(v, axis, -1))
        return np.moveaxis(Race(noise, largest=largest).first(count), -1, axis)

    # Within

    def _but(self, **changes: Any) -> "Noise":
        if "known" in changes and np.isnan(changes["known"][~np.isnan(self.known)]).any():
            raise NotEnumerable(f"{self} together with nan")  # which would stand for open
        noise = self.mapped(lambda v: v)
        for name, value in changes.items():
            setattr(noise, name, value)
        return noise

    def check_rows(self) -> None:
        """Refuse entries that are where those of another row belong."""
        replay = self.uniforms.replay
        if replay.rows > 1 and self.shape and replay.by_rows(self.shape[0]):
            rows = self.uniforms.rows[self.which].reshape(self.shape[0], -1)
            place = np.arange(self.shape[0], dtype=np.int64) * replay.rows // self.shape[0]
            strange = (rows != place[:, None]) & np.isnan(self.known).reshape(rows.shape)
            if strange.any() and (rows != rows[0, 0]).any():
                raise AmbiguousRows(f"{self} with the rows of a run in another order")

    def __str__(self) -> str:
        return f"{self.kind} noise of shape {self.shape}"

    def _with(self, number: np.ndarray) -> tuple["Noise", np.ndarray]:
        """Noise and numbers broadcast against each other."""
        if np.isnan(number).any():
            raise NotEnumerable(f"{self} together with nan")
        if number.shape == self.shape:
            return self, number
        shape = np.broadcast_shapes(self.shape, number.shape)
        noise = self if shape == self.shape else self.mapped(lambda v: np.broadcast_to(v, shape))
        return noise, np.broadcast_to(number, shape)

    def _checked(self) -> "Noise":
        """Scales and powers of 0 leave no noise, and a shift of -inf; others must be finite."""
        known = np.where(np.isnan(self.known) & np.isneginf(self.shift), -math.inf, self.known)
        open_ = np.isnan(known)
        for numbers in (self.shift, self.scale, self.power):
            if not np.isfinite(numbers[open_]).all():
                raise NotEnumerable(f"{self} with an infinite or undefined shift or scale")
        nothing = {
            "uniform": (self.scale == 0, self.shift),
            "gumbel": (self.scale == 0, self.shift),
            "exponential": ((self.scale == 0) | (self.power == 0), self.scale),
            "power": (self.scale == 0, self.shift),
        }
        gone, left = nothing[self.kind]
        return self._but(known=np.where(gone & open_, left, known))

    def _standard(self) -> "Noise":
        """Uniform noise as U or 1 - U, up to `GUARD`; others as they are."""
        if self.kind != "uniform" or not (self.shift.any() or (self.scale != 1).any()):
            return self
        open_ = np.isnan(self.known)
        start, end = self.shift[open_], (self.shift + self.scale)[open_]
        zero, one = np.zeros(self.shape), np.ones(self.shape)
        for flips, (low, high) in enumerate([(start, end), (end, start)]):
            if (np.abs(low) <= GUARD).all() and (np.abs(high - 1) <= GUARD).all():
                return self._but(shift=zero, scale=one, flipped=self.flipped != bool(flips))
        raise NotEnumerable(f"the logarithm or power of {self} on other intervals than [0, 1)")

    def _in_uniform(self, number: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The u at which the value is `number`, and whether the value rises with u.

        0 or 1 where the value never is that.
        """
        rising = self.scale > 0
        with np.errstate(all="ignore"):
            if self.kind == "uniform":
                return (number - self.shift) / self.scale, rising
            if self.kind == "gumbel":
                return np.exp(-np.exp(-(number - self.shift) / self.scale)), rising
            if self.kind == "power":
                e = np.log(np.maximum(number / self.shift, 0.0)) / self.scale
                rising = rising != (self.shift > 0)
            else:
                ratio = number / self.scale
                e = np.maximum(ratio, 0.0) ** (1 / self.power)
                rising = rising != (self.power > 0)
            return np.exp(-np.maximum(e, 0.0)), rising

    def _smaller(self, which: np.ndarray, at: np.ndarray) -> np.ndarray:
        """Whether the uniform numbers (N,) are below `at` (N,); from then on it is known."""
        known = self.uniforms
        if known.ordered[which].any():
            raise NotEnumerable(f"{self} compared with a number after a race")
        order = np.lexsort((at, which))
        numbers, start, count = np.unique(which[order], return_index=True, return_counts=True)
        turn = np.arange(len(order), dtype=np.int64) - np.repeat(start, count)
        line = np.repeat(np.arange(len(numbers), dtype=np.int64), count)
        low, high = known.low[numbers, None], known.high[numbers, None]
        edges = np.full((len(numbers), count.max() + 2), math.inf)
        edges[line, turn + 1] = at[order]
        edges[:, :1] = low
        edges = np.clip(edges, low, high)
        widths = np.diff(edges, axis=1)
        widths[widths < ROUNDING] = 0.0
        cell = known.replay.decide(known.rows[numbers], widths)
        every = np.arange(len(numbers), dtype=np.int64)
        known.low[numbers] = edges[every, cell]
        known.high[numbers] = edges[every, cell + 1]
        smaller = np.empty(len(order), dtype=bool)
        smaller[order] = cell[line] <= turn
        return smaller
