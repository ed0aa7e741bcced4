"""The gain curve ``h(t)``: by how much the sites' entropies fall if a share t of them is revealed.

``h(t)`` is ``L`` times by how much the mean entropy of a site falls if every other site is
revealed with probability t. It is a polynomial of degree ``L - 1``, increasing from 0 to
``TC + DTC``. Ancestral (Bernoulli) decoding from the revealed share a to b loses
``int_a^b (h(u) - h(a)) du``. Source: Wainwright (arXiv 2608.13520), read.
"""

import itertools
from functools import cached_property
from typing import Any

import numpy as np

from theory._core import exact
from theory._core.arrays import array_namespace, as_array, from_host, is_exact, to_host
from theory._core.bernstein import Bernstein
from theory._core.plurals import counted
from theory._core.types import Array, ArrayLike, Number
from theory.distributions.base import Distribution
from theory.errors import InvalidInput
from theory.information.profile import ROUNDING, Profile, as_profile, gains, rounding
from theory.information.units import not_negative
from theory.validation.arguments import as_numbers
from theory.validation.times import as_number, as_time, as_times
from theory.validation.tolerances import tolerance

__all__ = ["GainCurve", "as_gain_curve", "gain_curve"]


class GainCurve:
    """``h(t) = sum_j C(L-1, j) t^j (1-t)^(L-1-j) h_j``, with its derivative and integrals.

    Parameters
    ----------
    gains : array, shape (L,)
        ``h_j``, as `theory.information.gains` returns them, in any unit.

    Notes
    -----
    An exact curve takes its times as Fractions (a float stands for the fraction that it is) or
    exact numbers, and answers exactly.

    >>> from fractions import Fraction
    >>> from theory import gallery
    >>> curve = gain_curve(gallery.parity(3, exact=True), base=2)     # h(t) = 3 t^2
    >>> curve
    <GainCurve of 3 sites: h(1) = 3>
    >>> curve(Fraction(1, 2)), curve.derivative(Fraction(1, 2)), curve.integral(0, 1)
    (3/4, 3, 1)
    """

    def __init__(self, gains: ArrayLike) -> None:
        gains = as_array(gains)
        self.gains: Array = as_numbers(gains, "gains", exact=is_exact(gains))
        if self.gains.ndim != 1 or 0 in self.gains.shape:
            raise InvalidInput(f"gains must hold L numbers, got shape {tuple(self.gains.shape)}")
        self.length = int(self.gains.shape[0])

    def __repr__(self) -> str:
        sites = counted(self.length, "site")
        return f"<GainCurve of {sites}: h(1) = {exact.short(self.gains[-1])}>"

    @cached_property
    def _curve(self) -> Bernstein:
        return Bernstein(self.gains)

    @cached_property
    def _slope(self) -> Bernstein:
        return self._curve.derivative()

    @cached_property
    def _area(self) -> Bernstein:
        return self._curve.antiderivative()

    @cached_property
    def _growth(self) -> Bernstein:
        return self._slope.times_t().times_one_minus_t().antiderivative()

    def _at(self, t: ArrayLike) -> Any:
        """Checked times, as Fractions or floats as the curve needs them."""
        if is_exact(self.gains):
            several = isinstance(t, (list, tuple, np.ndarray))
            return exact.elementwise(as_time, np.asarray(t)) if several else as_time(t)
        times = to_host(as_array(t))
        if times.ndim == 0:
            return as_number(as_time(t))
        rounding = tolerance(times).entry
        times = as_numbers(times, "t")
        outside = times[(times < -rounding) | (times > 1 + rounding)]
        if outside.size:
            raise InvalidInput(f"a time must be a number from 0 to 1, got {outside[0]}")
        return times.clip(0, 1)

    def __call__(self, t: ArrayLike) -> Any:
        """``h(t)``, at one time or (floats) at an array of times."""
        return self._curve(self._at(t))

    def derivative(self, t: ArrayLike) -> Any:
        """``h'(t)``, never negative."""
        return self._slope(self._at(t))

    def integral(self, start: Any, stop: Any) -> Number:
        """``int h(t) dt`` between two times."""
        return self._area(self._at(stop)) - self._area(self._at(start))

    def growth(self, start: Any, stop: Any) -> Number:
        """``int t (1-t) h'(t) dt`` between two times."""
        return self._growth(self._at(stop)) - self._growth(self._at(start))

    def step_cost(self, start: Any, stop: Any) -> Number:
        """KL divergence of one ancestral step: ``int (h(u) - h(start)) du``.

        >>> from theory import gallery
        >>> gain_curve(gallery.parity(3, exact=True), base=2).step_cost(0, 1)     # TC
        1
        """
        start, stop = self._at(start), self._at(stop)
        area = self._area(stop) - self._area(start)
        return not_negative(area - (stop - start) * self._curve(start))

    def grid_cost(self, times: ArrayLike) -> Number:
        """KL divergence of ancestral decoding along an increasing grid from 0 to 1.

        >>> from theory import gallery
        >>> curve = gain_curve(gallery.parity(3, exact=True), base=2)
        >>> curve.grid_cost([0, 0.5, 1])     # 1 - 3/4 / 2
        5/8
        """
        grid = as_times(times)
        if is_exact(self.gains):
            return sum(self.step_cost(a, b) for a, b in itertools.pairwise(grid))
        t = np.asarray(grid, dtype=object).astype(np.float64)
        heights = self._curve(t[:-1])
        xp = array_namespace(heights)
        return not_negative(self._area(1.0) - xp.sum(from_host(np.diff(t), heights) * heights))


def gain_curve(p: Distribution | Profile | ArrayLike, *, base: float | None = None) -> GainCurve:
    """Gain curve of a distribution, or of its profile in nats.

    Raises
    ------
    TooLarge
        If the family needs all subset entropies and they would not fit.

    >>> from theory import gallery
    >>> round(float(gain_curve(gallery.repeated_bit(4), base=2)(1.0)), 12)     # TC + DTC
    4.0
    """
    return GainCurve(gains(p, base=base))


def as_gain_curve(p: Distribution | Profile | GainCurve | ArrayLike) -> GainCurve:
    """Gain curve, in floats on the host, of a distribution, of a profile, or of a gain curve.

    Rounding is taken out: gains do not fall, and those of independent sites are zero.
    """
    if isinstance(p, GainCurve):
        h = to_host(as_numbers(p.gains, "gains"))
        noise = ROUNDING * float(np.abs(h).max())
    else:
        f = as_profile(p)
        h = (f[0] - f) * f.size
        noise = f.size * rounding(f)
    h = np.maximum.accumulate(np.maximum(h, 0.0))
    return GainCurve(h if h[-1] > noise else np.zeros_like(h))
