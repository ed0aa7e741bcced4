"""Bounds on the cost of random-order decoding, each beside the quantity that it bounds.

Every function returns a `Bound`, whose slack is one subtraction. Given batch sizes, the quantity is
the path cost of random-order decoding with them (`theory.information.path_cost`); given times, the
cost of ancestral decoding along these revealed shares (`theory.information.GainCurve.grid_cost`).

Everything follows from the profile, so that the bounds reach as far as the profile does: chains
of thousands of sites, for instance. In place of a distribution each function takes its profile in
nats, shape (L,), such as the mean of `theory.information.estimate_profile`.

>>> bound = largest_batch([1.0, 0.5, 0.0], (1, 2))     # f(1) - f(2), and 3 (f(0) - f(2)) / 3
>>> float(bound.quantity), float(bound.bound)
(0.5, 1.0)
"""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from theory import information, schedules
from theory._core.bound import Bound
from theory._core.types import ArrayLike, Number
from theory.costs.worst_case import WorstCase, worst_case
from theory.distributions.base import Distribution
from theory.information.profile import Profile, with_profile
from theory.validation.arguments import as_integer, as_sizes
from theory.validation.times import as_levels, as_times

__all__ = [
    "Bound",
    "WorstCase",
    "block_complexity",
    "cardinality_growth",
    "continuum",
    "drops",
    "dual_total_correlation_schedule",
    "equal_steps",
    "growth",
    "growth_complexity",
    "largest_batch",
    "least_drops",
    "li_cai",
    "sharp_growth",
    "total_correlation_schedule",
    "worst_case",
]


# ---- batches of fixed size ------------------------------------------------------------------


def total_correlation_schedule(
    p: Distribution | Profile | ArrayLike, ratio: float, *, base: float | None = None
) -> Bound:
    """Large batches first cost at most ``ratio * TC``.

    The batches are those of `theory.schedules.total_correlation`. Chen, Cong, Li (arXiv
    2511.04647), restated; this clean form is ours.

    >>> from theory import gallery
    >>> total_correlation_schedule(gallery.parity(4, exact=True), 1, base=2)     # (4,): all at once
    Bound(quantity=1, bound=1, upper=True)
    """
    p = with_profile(p)
    tc, _ = _correlations(p, base)
    sizes = schedules.total_correlation(p.length, ratio)
    return Bound(information.path_cost(p, sizes, base=base), _rational(ratio, p) * tc)


def dual_total_correlation_schedule(
    p: Distribution | Profile | ArrayLike, ratio: float, *, base: float | None = None
) -> Bound:
    """Large batches last cost at most ``ratio * DTC``.

    The batches are those of `theory.schedules.dual_total_correlation`. Chen, Cong, Li (arXiv
    2511.04647), restated; this clean form is ours.

    >>> from theory import gallery
    >>> dual_total_correlation_schedule(gallery.parity(4, exact=True), 1, base=2)     # (2, 2)
    Bound(quantity=1, bound=3, upper=True)
    """
    p = with_profile(p)
    _, dtc = _correlations(p, base)
    sizes = schedules.dual_total_correlation(p.length, ratio)
    return Bound(information.path_cost(p, sizes, base=base), _rational(ratio, p) * dtc)


def li_cai(
    p: Distribution | Profile | ArrayLike, sizes: Sequence[int], *, base: float | None = None
) -> Bound:
    """Path cost at most ``(2^ceil(log2 s) - 1)/L (TC + DTC)``, with s the largest batch.

    Li, Cai (arXiv 2505.21400); the constant is from memory. `largest_batch` is sharper.

    >>> from theory import gallery
    >>> li_cai(gallery.parity(4, exact=True), (1, 3), base=2)
    Bound(quantity=1, bound=3, upper=True)
    """
    p = with_profile(p)
    sizes = _sizes(p, sizes)
    doubled = 2 ** (max(sizes) - 1).bit_length() - 1
    return Bound(information.path_cost(p, sizes, base=base), _both(p, base) * doubled / p.length)


def largest_batch(
    p: Distribution | Profile | ArrayLike, sizes: Sequence[int], *, base: float | None = None
) -> Bound:
    """Path cost at most ``(s - 1)/L (TC + DTC)``, with s the largest batch.

    Derived here: a batch costs at most ``s - 1`` times the fall of the profile within it. Attained
    by a repeated bit decoded with the largest batch first, and by parity where the largest batch
    holds two sites and comes last.

    >>> from theory import gallery
    >>> largest_batch(gallery.parity(4, exact=True), (1, 3), base=2)
    Bound(quantity=1, bound=2, upper=True)
    """
    p = with_profile(p)
    sizes = _sizes(p, sizes)
    bound = _both(p, base) * (max(sizes) - 1) / p.length
    return Bound(information.path_cost(p, sizes, base=base), bound)


def drops(
    p: Distribution | Profile | ArrayLike, sizes: Sequence[int], *, base: float | None = None
) -> Bound:
    """Path cost at most the sum of ``(s - 1)(f(a) - f(a+s-1))`` over batches.

    Derived here, batch by batch, with a the number of sites revealed before. Attained where the
    profile falls at the first step within each batch.

    >>> from theory import gallery
    >>> drops(gallery.parity(4, exact=True), (1, 3), base=2)
    Bound(quantity=1, bound=2, upper=True)
    """
    return _by_batch(p, sizes, base, lambda size: size - 1, upper=True)


def least_drops(
    p: Distribution | Profile | ArrayLike, sizes: Sequence[int], *, base: float | None = None
) -> Bound:
    """Path cost at least the sum of ``f(a) - f(a+s-1)`` over batches: a lower bound.

    Derived here. Attained where the profile falls at the last step within each batch.

    >>> from theory import gallery
    >>> least_drops(gallery.parity(4, exact=True), (1, 3), base=2)
    Bound(quantity=1, bound=1, upper=False)
    """
    return _by_batch(p, sizes, base, lambda size: int(size > 1), upper=False)


def cardinality_growth(
    p: Distribution | Profile | ArrayLike, sizes: Sequence[int], *, base: float | None = None
) -> Bound:
    """Path cost by the growth complexity over numbers of sites.

    Derived here: a batch of ``s > 1`` sites after a revealed ones costs at most
    ``(s-1) L / ((a+1)(L-a-1))`` times `theory.information.cardinality_growth_complexity` between
    a and ``a + s``. The analogue for sizes, with no end terms, of Theorem 1 of Wainwright (arXiv
    2608.13520) for shares.

    >>> from theory import gallery
    >>> cardinality_growth(gallery.parity(4, exact=True), (1, 3), base=2)    # 2*4/(2*2) * 3/16*4
    Bound(quantity=1, bound=3/2, upper=True)
    """
    p = with_profile(p)
    sizes, length = _sizes(p, sizes), p.length
    bound: Any = 0
    for start, size in _starts(sizes):
        if size > 1:
            part = information.cardinality_growth_complexity(p, start, start + size, base=base)
            bound = bound + part * (size - 1) * length / ((start + 1) * (length - start - 1))
    return Bound(information.path_cost(p, sizes, base=base), bound)


# ---- grids of revealed shares -----------------------------------------------------------------


def growth(
    p: Distribution | Profile | ArrayLike, times: ArrayLike, *, base: float | None = None
) -> Bound:
    """Grid cost by the growth complexity: Theorem 1 of Wainwright (arXiv 2608.13520), read.

    A step from a to b costs at most ``(psi(b)/psi(a) - 1) G(a, b)``, with odds
    ``psi(t) = t/(1-t)``. The first and the last step, where this is infinite, enter with their
    exact cost; the end terms of the paper were not seen.

    >>> from theory import gallery
    >>> growth(gallery.parity(2, exact=True), [0, 0.25, 0.5, 1], base=2)     # h(t) = 2 t
    Bound(quantity=3/8, bound=13/24, upper=True)
    """
    return _by_step(p, times, base, lambda a, b: (b - a) / (a * (1 - b)) if b < 1 else None)


def sharp_growth(
    p: Distribution | Profile | ArrayLike, times: ArrayLike, *, base: float | None = None
) -> Bound:
    """Grid cost by the growth complexity, with the best constant for each step.

    Derived here: a step from a to b costs ``int (b-u) h'(u) du``, and ``(b-u)/(u(1-u))`` is
    largest at ``u = a``, so at most ``(b-a)/(a(1-a)) G(a, b)``, for the last step too. The first
    step enters with its exact cost. (In `growth` the last one does as well.)

    >>> from theory import gallery
    >>> sharp_growth(gallery.parity(2, exact=True), [0, 0.25, 0.5, 1], base=2)
    Bound(quantity=3/8, bound=79/144, upper=True)
    """
    return _by_step(p, times, base, lambda a, b: (b - a) / (a * (1 - a)))


def equal_steps(
    p: Distribution | Profile | ArrayLike, steps: int, *, base: float | None = None
) -> Bound:
    """N equal steps cost at most ``(TC + DTC)/N``; about half of that if N is large.

    Derived here.

    >>> from theory import gallery
    >>> equal_steps(gallery.parity(2, exact=True), 4, base=2)
    Bound(quantity=1/4, bound=1/2, upper=True)
    """
    p = with_profile(p)
    steps = as_integer(steps, "steps", 1)
    curve = information.gain_curve(p, base=base)
    times = [_rational(k, p) / steps for k in range(steps + 1)]
    return Bound(curve.grid_cost(times), _both(p, base) / steps)


# ---- complexities -------------------------------------------------------------------------------


def growth_complexity(p: Distribution | Profile | ArrayLike, *, base: float | None = None) -> Bound:
    """``G(0, 1)`` is at most ``min(TC, DTC)``: Wainwright (arXiv 2608.13520), read.

    >>> from theory import gallery
    >>> growth_complexity(gallery.parity(3, exact=True), base=2)
    Bound(quantity=1/2, bound=1, upper=True)
    """
    p = with_profile(p)
    least: Any = min
    if p.exact:
        from sympy import Min as least
    return Bound(information.growth_complexity(p, base=base), least(*_correlations(p, base)))


def continuum(p: Distribution | Profile | ArrayLike, *, base: float | None = None) -> Bound:
    """``(int sqrt(h'))^2`` is at most ``TC + DTC``, by Cauchy and Schwarz; in floats.

    Derived here. Attained if and only if h is linear, as for coupled pairs.

    >>> from theory import gallery
    >>> bound = continuum(gallery.coupled_pairs(3), base=2)
    >>> round(bound.quantity, 9), round(bound.bound, 9)
    (6.0, 6.0)
    """
    p = with_profile(p)
    return Bound(information.continuum_complexity(p, base=base), float(_both(p, base)))


def block_complexity(
    p: Distribution | Profile | ArrayLike, levels: ArrayLike, *, base: float | None = None
) -> Bound:
    """``(int sqrt(h'))^2`` between two levels is at most the K-block complexity; in floats.

    Source: Wainwright (arXiv 2608.13520), read.

    >>> from theory import gallery
    >>> block_complexity(gallery.parity(3), [0.25, 0.5, 0.75]).slack > 0
    True
    """
    first, *_, last = as_levels(levels)
    return Bound(
        information.continuum_complexity(p, first, last, base=base),
        information.block_complexity(p, levels, base=base),
    )


def _sizes(p: Distribution | Profile, sizes: Sequence[int]) -> tuple[int, ...]:
    return as_sizes(sizes, p.length)


def _both(p: Distribution | Profile, base: float | None) -> Number:
    """``TC + DTC``, the last gain."""
    return information.gains(p, base=base)[-1]


def _correlations(p: Distribution | Profile, base: float | None) -> tuple[Number, Number]:
    """TC and DTC, from the mean entropies."""
    e = information.mean_entropies(p, base=base)
    tc = p.length * e[1] - e[-1]
    return tc, _both(p, base) - tc


def _rational(value: Any, p: Distribution | Profile) -> Any:
    """A number as it was written if `p` is exact, so that the bound stays exact."""
    if not p.exact:
        return value
    import sympy

    return sympy.Rational(str(value))


def _starts(sizes: Sequence[int]) -> list[tuple[int, int]]:
    """How many sites are revealed before each batch, and its size."""
    return list(zip(itertools.accumulate(sizes, initial=0), sizes, strict=False))


def _by_batch(
    p: Distribution | Profile | ArrayLike,
    sizes: Sequence[int],
    base: float | None,
    weight: Callable[[int], int],
    *,
    upper: bool,
) -> Bound:
    """Path cost against the falls of the profile within the batches, weighted by their sizes."""
    p = with_profile(p)
    sizes = _sizes(p, sizes)
    f = information.profile(p, base=base)
    falls = (weight(size) * (f[start] - f[start + size - 1]) for start, size in _starts(sizes))
    return Bound(information.path_cost(p, sizes, base=base), sum(falls, f[0] * 0), upper)


def _by_step(
    p: Distribution | Profile | ArrayLike,
    times: ArrayLike,
    base: float | None,
    factor: Callable[[Any, Any], Any],
) -> Bound:
    """Grid cost against growth complexities; steps without a factor enter with their exact cost."""
    p = with_profile(p)
    grid = as_times(times)
    curve = information.gain_curve(p, base=base)
    bound: Any = 0
    for a, b in itertools.pairwise(grid if p.exact else map(float, grid)):
        constant = factor(a, b) if a > 0 else None
        step = curve.step_cost(a, b) if constant is None else constant * curve.growth(a, b)
        bound = bound + step
    return Bound(curve.grid_cost(grid), bound)
