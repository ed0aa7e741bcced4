"""How strongly the slowest modes of a chain are felt: the constant in front of the rate.

For a matrix D whose powers vanish like ``rate^n``, the norm of ``D^n / rate^n`` is in the end that
of the modes with eigenvalues of the largest modulus. A mode is the product U (W U)^(-1) W of right
and left null vectors; W U is singular if the eigenvalue is defective.
"""

import math
from fractions import Fraction
from typing import Any

import numpy as np

from theory.exact import all_rational, as_sympy, elementwise, is_rational
from theory.homogenization.spectrum import largest

__all__ = ["null_vectors", "strength"]

NEARLY = 1e-6
"""Eigenvalues of floats that differ by less, relatively, are taken for equal."""

SINGULAR = 1e-5
"""Below this singular value null vectors of floats are taken for orthogonal."""


def strength(deviation: np.ndarray, rate: Any, multiplicity: int) -> Any:
    """``lim sup_n`` of the largest row of ``|D^n| / rate^n``, halved: total variation.

    Parameters
    ----------
    deviation : (n, n) array
        Steps minus their limit.
    rate : number
        Its spectral radius.
    multiplicity : int
        How many eigenvalues have this modulus; used where numbers are exact.

    Returns
    -------
    number
        Exact if everything is; inf if a power of n comes on top; for complex eigenvalues the
        supremum over their phases, added up over pairs; nan for three symbolic tokens and more.

    >>> strength(np.asarray([[0.25, -0.25], [-0.25, 0.25]]), 0.5, 1)
    0.5
    """
    if rate == 0:
        return rate
    if deviation.dtype.kind != "O":
        return _float_strength(deviation, rate)
    if len(deviation) == 2 and multiplicity == 1:
        return _of_two(deviation)
    if all_rational(deviation):
        found = _exact_strength(deviation, rate, multiplicity) if is_rational(rate) else None
        return (
            _float_strength(deviation.astype(np.float64), float(rate)) if found is None else found
        )
    return math.nan


def _of_two(deviation: np.ndarray) -> Any:
    """Of two tokens with one mode, which is the deviation over its trace."""
    mode = deviation / deviation.trace()
    mode = elementwise(_simplest, mode)
    return largest([_simplest(sum(map(abs, row)) / 2) for row in mode.tolist()])


def _simplest(value: Any) -> Any:
    import sympy

    return value if is_rational(value) else sympy.simplify(value)


def _exact_strength(deviation: np.ndarray, rate: Fraction, multiplicity: int) -> Any:
    """None if there are eigenvalues of this modulus beside `rate` and its negative."""
    modes = []
    for root in (rate, -rate):
        right, left = null_vectors(deviation, root), null_vectors(deviation.T, root)
        inverse = _inverse(left.T @ right)
        if inverse is None:
            return math.inf
        multiplicity -= right.shape[1]
        modes.append(right @ inverse @ left.T)
    if multiplicity:
        return None
    return max(max(_row_sums(modes[0] + sign * modes[1])) for sign in (1, -1)) / 2


def _inverse(matrix: np.ndarray) -> np.ndarray | None:
    """The inverse of a matrix of Fractions, or None."""
    import sympy

    entries = [as_sympy(v) for v in matrix.reshape(-1).tolist()]
    exact: Any = sympy.Matrix(*matrix.shape, entries)
    if exact.det() == 0:
        return None
    found = [Fraction(int(v.p), int(v.q)) for v in exact.inv()] if matrix.size else []
    return np.asarray(found, dtype=object).reshape(matrix.shape)


def null_vectors(matrix: np.ndarray, root: Fraction) -> np.ndarray:
    """Columns of Fractions that span the null space of ``matrix - root``, shape (n, k).

    >>> null_vectors(np.asarray([[Fraction(1, 2), Fraction(1, 2)], [1, 0]]), Fraction(1)).tolist()
    [[Fraction(1, 1)], [Fraction(1, 1)]]
    """
    import sympy
    from sympy.polys.matrices import DomainMatrix

    diagonal = np.diag(np.asarray([root] * len(matrix), dtype=object))
    shifted = elementwise(as_sympy, matrix - diagonal)
    rows = DomainMatrix.from_Matrix(sympy.Matrix(shifted.tolist())).to_field().nullspace()
    found = np.asarray(rows.to_Matrix().tolist(), dtype=object).reshape(-1, len(matrix)).T
    return elementwise(lambda v: Fraction(int(v.p), int(v.q)), found)


def _row_sums(matrix: np.ndarray) -> list[Any]:
    return np.abs(matrix).sum(axis=1).tolist()


def _float_strength(deviation: np.ndarray, rate: float) -> float:
    rights, lefts = np.linalg.eig(deviation), np.linalg.eig(deviation.T)
    real = {1: deviation * 0, -1: deviation * 0}
    pairs = np.zeros(len(deviation))
    for root in _distinct(rights[0], rate):
        right = rights[1][:, _near(rights[0], root, rate)]
        left = lefts[1][:, _near(lefts[0], root, rate)]
        if right.shape != left.shape:
            return math.inf
        overlap = left.T @ right
        if np.linalg.svd(overlap, compute_uv=False)[-1] < SINGULAR:
            return math.inf
        mode = right @ np.linalg.solve(overlap, left.T)
        if abs(root.imag) > NEARLY * rate:
            pairs = pairs + np.asarray([_widest(row) for row in mode])
        else:
            real[1 if root.real > 0 else -1] = mode.real
    both = (np.abs(real[1] + sign * real[-1]).sum(axis=1) for sign in (1, -1))
    return max(float(np.max(alone + pairs)) for alone in both) / 2


def _distinct(roots: np.ndarray, rate: float) -> list[complex]:
    """Those of the largest modulus, each once, of a complex pair only one."""
    found: list[complex] = []
    for root in roots[np.abs(roots) > rate * (1 - NEARLY)]:
        upper = complex(root.real, abs(root.imag))
        if all(abs(upper - other) > NEARLY * rate for other in found):
            found.append(upper)
    return found


def _near(roots: np.ndarray, root: complex, rate: float) -> np.ndarray:
    return np.abs(roots - root) < 2 * NEARLY * rate


def _widest(row: np.ndarray) -> float:
    """The largest ``sum_v |2 Re(e^(i phi) row_v)|`` over all phases.

    Between the phases at which a term vanishes all signs are fixed, and the sum is a cosine.
    """
    signs = np.sign(np.real(np.outer(np.exp(1j * _between(np.angle(row))), row)))
    return float(2 * np.max(np.abs(signs @ row)))


def _between(angles: np.ndarray) -> np.ndarray:
    zeros = np.sort((np.pi / 2 - angles) % np.pi)
    return (zeros + np.append(zeros[1:], zeros[0] + np.pi)) / 2
