"""The constant C with which a chain approaches its limit: in total variation like ``C rate^n``.

For a matrix D whose powers vanish like ``rate^n``, ``D^n / rate^n`` is in the end what the modes
with eigenvalues of the largest modulus make of it, ``sum_j zeta_j^n M_j`` with ``|zeta_j| = 1``.
Where some of the zeta are roots of unity of order m, their part repeats itself after m steps: it is
``D^n / rate^n`` on the null space of ``D^m - rate^m``. The angles of all others are irrational
parts of the circle, so that one of them, with its conjugate, comes as near as one likes to every
phase. A mode is the product U (W U)^(-1) W of right and left null vectors; W U is singular if the
eigenvalue is defective.
"""

import math
from fractions import Fraction
from typing import Any

import numpy as np

from theory._core.exact import all_rational, as_sympy, elementwise, from_sympy, is_rational
from theory._core.types import Number
from theory._markov.number_fields import Algebraic
from theory._markov.root_moduli import moduli
from theory._markov.spectrum import largest

__all__ = ["asymptotic_constant"]

ORDER_TOL = 1e-6
"""Eigenvalues of floats that differ by less, relatively, are taken for equal."""

SINGULAR_TOL = 1e-5
"""Below this singular value null vectors of floats are taken for orthogonal."""

MAX_ORDER = 60
"""Roots of unity up to this order are recognised."""


def asymptotic_constant(deviation: np.ndarray, rate: Number) -> Number:
    """``lim sup_n`` of the largest row of ``|D^n| / rate^n``, halved: total variation.

    Parameters
    ----------
    deviation : (n, n) array
        Steps minus their limit.
    rate : number
        Its spectral radius.

    Returns
    -------
    number
        Exact for rational matrices if the eigenvalues of the largest modulus are the rate times
        roots of unity, else a float; inf if a power of n comes on top; an upper bound if several
        pairs of eigenvalues turn by irrational angles; nan for three symbolic tokens and more.

    Half uniform and half the next of four tokens: 3/4 of what is left, at every distance.

    >>> steps = np.full((4, 4), 1 / 8) + np.roll(np.eye(4), 1, axis=1) / 2
    >>> round(asymptotic_constant(steps - 1 / 4, 0.5), 9)
    0.75
    """
    if rate == 0:
        return rate
    if deviation.dtype.kind != "O":
        return _of_floats(deviation, rate)
    if all_rational(deviation):
        found = _of_rationals(deviation, rate)
        return _of_floats(deviation.astype(np.float64), float(rate)) if found is None else found
    return _of_two_tokens(deviation) if len(deviation) == 2 else math.nan


def _of_two_tokens(deviation: np.ndarray) -> Any:
    """With one mode, which is the deviation over its trace."""
    mode = elementwise(_simplest, deviation / deviation.trace())
    return largest([_simplest(sum(map(abs, row)) / 2) for row in mode.tolist()])


def _simplest(value: Any) -> Any:
    import sympy

    return value if is_rational(value) or value.is_Rational else sympy.simplify(value)


# ---- without rounding -----------------------------------------------------------------------


def _of_rationals(deviation: np.ndarray, rate: Any) -> Any:
    """None if not all eigenvalues of this modulus are `rate` times roots of unity."""
    order, count = _common_order(deviation, rate)
    if order is None:
        return None
    field = Algebraic([*deviation.reshape(-1).tolist(), rate])
    steps, root = field.convert(deviation), field.convert(rate).item()
    cycle = np.linalg.matrix_power(steps, order)
    right, left = (field.null_vectors(m, root**order) for m in (cycle, cycle.T))
    if right.shape[1] < count:
        return math.inf
    # W U cannot be singular now: all of the generalised null space is null space
    overlap = left.T @ right
    mode = right @ np.stack([field.solve(overlap, column) for column in left], axis=1)
    sums = []
    for _ in range(order):
        sums += elementwise(abs, field.shown(mode)).sum(axis=1).tolist()
        mode = steps @ mode / root
    if all(map(is_rational, sums)):
        return max(sums) / Fraction(2)
    return from_sympy(_simplest(as_sympy(largest(sums)) / 2))


def _common_order(deviation: np.ndarray, rate: Any) -> tuple[int | None, int]:
    """The common order of the largest eigenvalues over the rate, and how many there are."""
    import sympy

    x = sympy.Dummy("x")
    matrix = sympy.Matrix(deviation.tolist()).applyfunc(as_sympy)
    ranked = moduli(sympy.Poly(matrix.charpoly(x).as_expr(x), x))
    top = [m for m in ranked if m.near(ranked[0])]
    orders = [_order(complex(m.root) / float(rate), 1e-12) for m in top]
    known = [order for order in orders if order is not None]
    return math.lcm(*known) if len(known) == len(top) else None, len(top)


# ---- in floats ------------------------------------------------------------------------------


def _of_floats(deviation: np.ndarray, rate: float) -> float:
    modes = _modes(deviation, rate)
    if modes is None:
        return math.inf
    cycle, steady, pairs = 1, deviation * 0j, []
    for root, mode in modes:
        order = _order(root / rate, ORDER_TOL)
        if order:
            cycle, steady = math.lcm(cycle, order), steady + mode
        elif root.imag > 0:
            pairs.append(mode)
    most = 0.0
    for _ in range(cycle):
        most = max(most, *(_largest_sum(*rows) for rows in zip(steady.real, *pairs, strict=True)))
        steady = deviation @ steady / rate
    return most / 2


def _modes(deviation: np.ndarray, rate: float) -> list[tuple[complex, np.ndarray]] | None:
    """Eigenvalues of the largest modulus and their modes; None if one is defective."""
    (roots, rights), (left_roots, lefts) = np.linalg.eig(deviation), np.linalg.eig(deviation.T)
    found = []
    for root in _distinct(roots, rate):
        right = rights[:, np.abs(roots - root) < 2 * ORDER_TOL * rate]
        left = lefts[:, np.abs(left_roots - root) < 2 * ORDER_TOL * rate]
        if right.shape != left.shape:
            return None
        overlap = left.T @ right
        if np.linalg.svd(overlap, compute_uv=False)[-1] < SINGULAR_TOL:
            return None
        found.append((root, right @ np.linalg.solve(overlap, left.T)))
    return found


def _distinct(roots: np.ndarray, rate: float) -> list[complex]:
    """Those of the largest modulus, each once."""
    found: list[complex] = []
    for root in roots[np.abs(roots) > rate * (1 - ORDER_TOL)].tolist():
        if all(abs(root - other) > ORDER_TOL * rate for other in found):
            found.append(complex(root))
    return found


def _order(unit: complex, tolerance: float) -> int | None:
    """The least m with ``unit^m = 1``; None if there is none that is small.

    >>> _order(-1j, 1e-9)
    4
    """
    return next((m for m in range(1, MAX_ORDER + 1) if abs(unit**m - 1) < m * tolerance), None)


def _largest_sum(steady: np.ndarray, *pairs: np.ndarray) -> float:
    """The largest ``sum_v |steady_v + 2 Re(e^(i phi) pair_v)|`` over all phases phi.

    Between the phases at which a term vanishes all signs are fixed, and the sum is a cosine. Of
    several pairs an upper bound.
    """
    if not pairs:
        return float(np.sum(np.abs(steady)))
    pair, *others = pairs
    phases = _phases_between_zeros(steady, pair)
    signs = np.sign(steady + 2 * np.real(np.outer(np.exp(1j * phases), pair)))
    return float(np.max(signs @ steady + 2 * np.abs(signs @ pair))) + sum(
        _largest_sum(steady * 0, other) for other in others
    )


def _phases_between_zeros(steady: np.ndarray, pair: np.ndarray) -> np.ndarray:
    """One phase from each interval on whose inside no term vanishes."""
    sizes = 2 * np.abs(pair)
    moving = sizes > np.abs(steady)
    turn = np.arccos(-steady[moving] / sizes[moving])
    angle = np.angle(pair[moving])
    zeros = np.sort(np.concatenate([turn - angle, -turn - angle]) % (2 * np.pi))
    if not len(zeros):
        return np.zeros(1)
    return (zeros + np.append(zeros[1:], zeros[0] + 2 * np.pi)) / 2
