"""The limit of the powers of a large sparse non-negative matrix, and its geometric rate.

The communicating classes make the matrix block triangular, so that its eigenvalues are those of
the blocks. The class with the largest eigenvalue, its *root*, dominates: if it is aperiodic and no
other class has the same root, powers divided by those of the root converge geometrically.
"""

import math
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from theory._markov.classes import period
from theory.errors import TooLarge

__all__ = ["Limit", "converges_in_finite_time", "power_limit"]

DENSE = 1500
"""Larger blocks are left to Arnoldi iteration, which finds the largest eigenvalues only."""

PERRON_TOL = 1e-9
"""Moduli that differ by less, relatively, are taken for equally large."""

SUBSPACES = (40, 160)
"""Dimensions that Arnoldi iteration tries, one after another."""

RESTARTS = 20
"""Arnoldi iteration starts again no more often."""

POWERS = 100_000
"""Most matrix products that are made to see whether Arnoldi iteration missed an eigenvalue."""

PRIME = 2**31 - 1
"""Convergence in finite time is decided modulo this number."""

RESIDUAL_TOL = 1e-8
"""Largest residual of an eigenvector of Arnoldi iteration."""

SHIFT = 1e-12
"""Relative shift of inverse iteration beyond a root. The error falls by a factor of 1e-3 per step
where the next modulus is barely smaller (see `PERRON_TOL`), else by much more."""

STEPS = 6
"""Steps of inverse iteration."""


class Limit(NamedTuple):
    """The limit of the powers of a matrix.

    Attributes
    ----------
    root : float
        The largest modulus of an eigenvalue.
    rate : float
        The next largest modulus divided by `root`: 0 if the limit is reached after finitely many
        steps, 1 if there is no limit.
    distribution : (n,) array or None
        The left times the right eigenvector of the root, normalised: the distribution of the state
        in the middle of a long walk. None if there is no limit.
    """

    root: float
    rate: float
    distribution: np.ndarray | None


def power_limit(matrix: Any) -> Limit:
    """Find the limit of the powers of a non-negative SciPy sparse array (n, n).

    Raises `TooLarge` if Arnoldi iteration does not find the largest eigenvalues of a large class,
    or if the powers shrink at another rate.

    >>> from scipy.sparse import csr_array
    >>> power_limit(csr_array([[0.5, 0.5], [0.25, 0.75]]))  # eigenvalues 1 and 1/4
    Limit(root=1.0, rate=0.25, distribution=array([0.33333333, 0.66666667]))

    A walk between two states that leaves them with probability 1/2 in each step:

    >>> power_limit(csr_array([[0.25, 0.25], [0.25, 0.25]]))
    Limit(root=0.5, rate=0.0, distribution=array([0.5, 0.5]))
    """
    from scipy.sparse.csgraph import connected_components

    labels = connected_components(matrix, directed=True, connection="strong")[1]
    order = np.argsort(labels, kind="stable")
    classes = np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)
    diagonal = matrix.diagonal()
    moduli = [
        [float(diagonal[states[0]])] if len(states) == 1 else _moduli(_block(matrix, states))
        for states in classes
    ]
    best = max(range(len(classes)), key=lambda c: moduli[c][0])
    root, *others = moduli[best]
    others += [found[0] for c, found in enumerate(moduli) if c != best]
    second = max(others, default=0.0)
    if root == 0.0:
        return Limit(0.0, 0.0, None)
    if second >= root * (1 - PERRON_TOL):
        return Limit(root, 1.0, None)
    states = classes[best]
    left, right = _eigenvectors(_block(matrix, states), root)
    distribution = np.zeros(matrix.shape[0])
    distribution[states] = left * right / (left * right).sum()
    return Limit(root, second / root, distribution)


def _block(matrix: Any, states: np.ndarray) -> Any:
    return matrix[states][:, states]


def _moduli(block: Any) -> list[float]:
    """The largest modulus of an eigenvalue of one class, and the next one.

    In a class of period d, d of them are equally large.
    """
    if period(block) > 1:
        return [_root(block)] * 2
    if converges_in_finite_time(block):
        return [float(block.trace()), 0.0]
    if block.shape[0] > DENSE:
        return _confirmed(block)
    values = np.linalg.eigvals(block.toarray())
    return sorted(map(float, np.abs(values)), reverse=True)[:2]


def _root(block: Any) -> float:
    """The root of a periodic class, whose next modulus is the same."""
    sums = block.sum(axis=1)
    if np.ptp(sums) < PERRON_TOL:
        return float(sums[0])
    if block.shape[0] <= DENSE:
        return float(np.abs(np.linalg.eigvals(block.toarray())).max())
    return float(abs(_arnoldi(block, 1)[0][0]))


def converges_in_finite_time(block: Any) -> bool:
    """Tell whether all eigenvalues of a class but the root are 0, which rounding moves far from 0.

    Then the root is the trace t, and the block A of size n has A A^n = t A^n. This is tested with
    fractions, modulo a prime, on one irregular vector: for a false positive it would have to lie
    in a hyperplane, as one vector in 2e9 does.
    """
    trace = float(block.trace())
    if abs(float((block @ block).trace()) - trace**2) > PERRON_TOL:
        return False
    values, index = np.unique(block.data, return_inverse=True)
    exact = [Fraction(v).limit_denominator(10**6) for v in values.tolist()]
    if any(float(f) != v for f, v in zip(exact, values.tolist(), strict=True)):
        return False  # rounded probabilities, of which nothing exact can be said
    residues = [f.numerator * pow(f.denominator, -1, PRIME) % PRIME for f in exact]
    steps = block.copy()
    steps.data = np.asarray(residues, np.int64)[index]
    trace = int(steps.trace()) % PRIME
    vector = (PRIME * np.abs(_irregular(block.shape[0]))).astype(np.int64)
    for _ in range(block.shape[0] + 1):
        # no row of a class is empty, and sums of as many residues as there are states fit
        products = steps.data * vector[steps.indices] % PRIME
        following = np.add.reduceat(products, steps.indptr[:-1]) % PRIME
        if np.array_equal(following, trace * vector % PRIME):
            return True
        vector = following
    return False


def _confirmed(block: Any) -> list[float]:
    """The two largest moduli of a large aperiodic class, if its powers shrink like the second.

    Arnoldi iteration may miss an eigenvalue. An irregular vector without its component along the
    root shrinks at the rate of the largest of all others.
    """
    size = block.shape[0]
    root, second = sorted(map(float, np.abs(_arnoldi(block, 3)[0])), reverse=True)[:2]
    gap = 1 - second / root
    steps = math.ceil(100 / max(gap, 1 / size))
    if second > 0 and gap > 0 and steps <= POWERS:
        left, right = _eigenvectors(block, root)
        left = left / (left @ right)
        vector = _irregular(size)
        shrunk = np.zeros(steps)
        for k in range(steps):
            vector = vector - right * (left @ vector)
            vector = block @ vector
            norm = float(np.linalg.norm(vector))
            if norm == 0:
                break
            shrunk[k] = math.log(norm / root)
            vector = vector / norm
        else:
            seen = float(np.mean(shrunk[steps // 2 :]))
            if abs(seen - math.log1p(-gap)) < 0.1 * gap:
                return [root, second]
    raise TooLarge(
        f"the second largest eigenvalue of {size} states was not found for certain: all are "
        f"computed up to {DENSE} states"
    )


def _irregular(size: int) -> np.ndarray:
    """Numbers between -1 and 1 without a regular pattern, the same in every run."""
    return np.sin(np.arange(1, size + 1, dtype=np.float64) ** 2)


def _eigenvectors(block: Any, root: float) -> tuple[np.ndarray, np.ndarray]:
    """Left and right eigenvector of the root of one aperiodic class.

    Small blocks take inverse iteration: beyond the root the inverse is positive, so that nothing
    cancels.
    """
    size = block.shape[0]
    if size > DENSE:
        left, right = (np.abs(_arnoldi(side, 1)[1][:, 0]) for side in (block.T, block))
        return left, right

    from scipy.linalg import lu_factor, lu_solve

    factors = lu_factor(root * (1 + SHIFT) * np.eye(size) - block.toarray())
    found = []
    for transposed in (1, 0):
        vector = np.ones(size)
        for _ in range(STEPS):
            vector = lu_solve(factors, vector, trans=transposed)
            vector = np.abs(vector) / np.abs(vector).max()
        found.append(vector)
    return found[0], found[1]


def _arnoldi(block: Any, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The largest eigenvalues of a block and their eigenvectors, the same in every run."""
    from scipy.sparse import linalg

    eigs: Any = linalg.eigs  # type checkers would have to infer it from its body
    start = 1 / (1.0 + np.arange(block.shape[0]))
    for subspace in SUBSPACES:
        try:
            values, vectors = eigs(
                block, k=count, which="LM", v0=start, ncv=subspace, maxiter=RESTARTS
            )
        except linalg.ArpackNoConvergence:
            continue
        if np.max(np.linalg.norm(block @ vectors - vectors * values, axis=0)) < RESIDUAL_TOL:
            return values, vectors
    raise TooLarge(f"the largest eigenvalues of {block.shape[0]} states were not found")
