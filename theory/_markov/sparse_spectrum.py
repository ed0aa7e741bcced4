"""What the powers of a large sparse matrix of chances tend to, and how fast.

The communicating classes make the matrix block triangular, so that its eigenvalues are those of
the blocks. The class with the largest eigenvalue, its *root*, wins: if it is aperiodic and no other
class has the same root, powers divided by those of the root converge, geometrically.
"""

import math
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from theory._markov.classes import period
from theory.errors import TooLarge

__all__ = ["Limit", "power_limit", "soon_at_its_limit"]

DENSE = 1500
"""Larger blocks are left to Arnoldi iteration, which finds the largest eigenvalues only."""

PERRON_TOL = 1e-9
"""Moduli that differ by less, relatively, are taken for equally large."""

SUBSPACES = (40, 160)
"""Dimensions that Arnoldi iteration tries, one after another."""

RESTARTS = 20
"""Arnoldi iteration starts again no more often."""

POWERS = 100_000
"""No more steps of the walk are taken to see whether Arnoldi iteration missed an eigenvalue."""

PRIME = 2**31 - 1
"""Whether nothing is left after finitely many steps is decided modulo this number."""

RESIDUAL = 1e-8
"""Eigenvectors of Arnoldi iteration must be this good."""

SHIFT = 1e-12
"""Inverse iteration goes so far beyond a root, relatively, and so comes nearer by 1e-3 per step
where the next modulus is barely smaller (see `PERRON_TOL`), else by much more."""

STEPS = 6
"""Steps of inverse iteration."""


class Limit(NamedTuple):
    """What the powers of a matrix tend to.

    Attributes
    ----------
    root : float
        The largest modulus of an eigenvalue.
    rate : float
        The next largest modulus divided by `root`: 0 if nothing is left after finitely many
        steps, 1 if there is no limit.
    law : (n,) array or None
        The left times the right eigenvector of the root, normalised: where a walk is found that
        has come a long way and has a long way before it. None if there is no limit.
    """

    root: float
    rate: float
    law: np.ndarray | None


def power_limit(matrix: Any) -> Limit:
    """Find the limit of the powers of a matrix of non-negative numbers.

    Parameters
    ----------
    matrix : SciPy sparse array, shape (n, n)

    Returns
    -------
    Limit

    Raises
    ------
    TooLarge
        If Arnoldi iteration does not find the largest eigenvalues of a large class, or if what it
        finds is not how the powers shrink.

    >>> from scipy.sparse import csr_array
    >>> power_limit(csr_array([[0.5, 0.5], [0.25, 0.75]]))  # eigenvalues 1 and 1/4
    Limit(root=1.0, rate=0.25, law=array([0.33333333, 0.66666667]))

    A walk between 0 and 1 leaks into 2 for good. To be still there at both ends of a long way, it
    must have stayed all the time:

    >>> power_limit(csr_array([[0.25, 0.25], [0.25, 0.25]]))
    Limit(root=0.5, rate=0.0, law=array([0.5, 0.5]))
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
    law = np.zeros(matrix.shape[0])
    law[classes[best]] = _law(_block(matrix, classes[best]), root)
    return Limit(root, second / root, law)


def _block(matrix: Any, states: np.ndarray) -> Any:
    return matrix[states][:, states]


def _moduli(block: Any) -> list[float]:
    """The largest modulus of an eigenvalue of one class, and the next one.

    In a class of period d, d of them are equally large.
    """
    if period(block) > 1:
        return [_root(block)] * 2
    if soon_at_its_limit(block):
        return [float(block.trace()), 0.0]
    if block.shape[0] > DENSE:
        return _confirmed(block)
    values = np.linalg.eigvals(block.toarray())
    return sorted(map(float, np.abs(values)), reverse=True)[:2]


def _root(block: Any) -> float:
    """The root of a periodic class, of which nothing else has to be found."""
    sums = block.sum(axis=1)
    if np.ptp(sums) < PERRON_TOL:
        return float(sums[0])
    if block.shape[0] <= DENSE:
        return float(np.abs(np.linalg.eigvals(block.toarray())).max())
    return float(abs(_arnoldi(block, 1)[0][0]))


def soon_at_its_limit(block: Any) -> bool:
    """Whether all eigenvalues of a class but the root are 0, which rounding moves far from 0.

    Then the root is the trace t, and a power A^n of the block, n its size, has A A^n = t A^n. This
    is asked of the chances as fractions, modulo a prime, of one vector without a pattern: for a
    wrong yes it would have to lie in a hyperplane, as one in 2e9 does.
    """
    trace = float(block.trace())
    if abs(float((block @ block).trace()) - trace**2) > PERRON_TOL:
        return False
    values, places = np.unique(block.data, return_inverse=True)
    exact = [Fraction(v).limit_denominator(10**6) for v in values.tolist()]
    if any(float(f) != v for f, v in zip(exact, values.tolist(), strict=True)):
        return False  # rounded chances, of which nothing exact can be said
    residues = [f.numerator * pow(f.denominator, -1, PRIME) % PRIME for f in exact]
    steps = block.copy()
    steps.data = np.asarray(residues, np.int64)[places]
    trace = int(steps.trace()) % PRIME
    vector = (PRIME * np.abs(_without_a_pattern(block.shape[0]))).astype(np.int64)
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

    Arnoldi iteration may miss an eigenvalue. What is left of a vector without a pattern when its
    part along the root is taken out shrinks like the largest that there is.
    """
    size = block.shape[0]
    root, second = sorted(map(float, np.abs(_arnoldi(block, 3)[0])), reverse=True)[:2]
    gap = 1 - second / root
    steps = math.ceil(100 / max(gap, 1 / size))
    if second > 0 and gap > 0 and steps <= POWERS:
        left, right = (np.abs(_arnoldi(side, 1)[1][:, 0]) for side in (block.T, block))
        left = left / (left @ right)
        vector = _without_a_pattern(size)
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


def _without_a_pattern(size: int) -> np.ndarray:
    """Numbers between -1 and 1, the same every time, that no structure of a text is made like."""
    return np.sin(np.arange(1, size + 1, dtype=np.float64) ** 2)


def _law(block: Any, root: float) -> np.ndarray:
    """Left times right eigenvector of the root of one aperiodic class."""
    if block.shape[0] <= DENSE:
        left, right = _eigenvectors(block.toarray(), root)
    else:
        left, right = (np.abs(_arnoldi(side, 1)[1][:, 0]) for side in (block.T, block))
    law = left * right
    return law / law.sum()


def _eigenvectors(block: np.ndarray, root: float) -> list[np.ndarray]:
    """Left and right eigenvector of the root, by inverse iteration.

    Beyond the root the inverse is positive, and nothing in it cancels.
    """
    from scipy.linalg import lu_factor, lu_solve

    size = len(block)
    factors = lu_factor(root * (1 + SHIFT) * np.eye(size) - block)
    found = []
    for transposed in (1, 0):
        vector = np.ones(size)
        for _ in range(STEPS):
            vector = lu_solve(factors, vector, trans=transposed)
            vector = np.abs(vector) / np.abs(vector).max()
        found.append(vector)
    return found


def _arnoldi(block: Any, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The largest eigenvalues of a block and their vectors, the same in every run."""
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
        if np.max(np.linalg.norm(block @ vectors - vectors * values, axis=0)) < RESIDUAL:
            return values, vectors
    raise TooLarge(f"the largest eigenvalues of {block.shape[0]} states were not found")
