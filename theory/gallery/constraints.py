"""Uniform distributions over the solutions of constraints: equations, clauses, each token once."""

import itertools
from collections.abc import Callable, Iterable

import numpy as np

from theory._core.arrays import require_memory
from theory._core.plurals import counted
from theory._core.segments import distinct_rows
from theory._core.types import ArrayLike
from theory.distributions.base import Distribution
from theory.distributions.permutations import Permutations
from theory.distributions.reed_solomon import ReedSolomon
from theory.errors import InvalidInput, TooLarge
from theory.gallery.uniform import TABLE_CELLS, bits, grown, require_sequences, uniform
from theory.validation.arguments import as_integer, as_sites

__all__ = ["affine_code", "latin_squares", "nae_sat", "permutations", "reed_solomon", "sudoku"]

MAX_ORDER = 5
"""Latin squares are listed up to this order: there are 161280 of order 5, 8 * 10^8 of order 6."""


def affine_code(
    generator: ArrayLike, offset: ArrayLike | None = None, modulus: int = 2, *, exact: bool = False
) -> Distribution:
    """Uniform over the sequences ``m G + offset`` modulo q, for all messages m.

    Parameters
    ----------
    generator : array_like of int, shape (k, L)
        Rows may depend on each other; each sequence counts once.
    offset : array_like of int, shape (L,), optional
        Zero if not given.
    modulus : int
        The q, at least 2, prime or not: the tokens are ``0..q-1``.
    exact : bool

    >>> p = affine_code([[1, 1, 0], [0, 1, 1]], exact=True)      # even parity
    >>> p.denoise([1, 0, -1])[2].tolist()
    [Fraction(0, 1), Fraction(1, 1)]
    """
    modulus = as_integer(modulus, "modulus", 2)
    generator = _integers(generator, "generator", 2)
    length = generator.shape[1]
    offset = np.zeros(length, dtype=np.int64) if offset is None else _integers(offset, "offset", 1)
    if length == 0 or offset.shape != (length,):
        raise InvalidInput(
            f"generator must have shape (k, L) and offset (L,), got {generator.shape} and "
            f"{offset.shape}"
        )
    count = modulus ** len(generator)
    what = f"a list of {length}-site sequences"
    require_memory(count, what, itemsize=64 + 32 * length)  # sorting takes a few copies
    words = offset[None, :] % modulus
    multiples = np.arange(modulus, dtype=np.int64)[:, None, None]
    for row in generator % modulus:
        words, _ = distinct_rows(((words + multiples * row) % modulus).reshape(-1, length))
    return uniform(words, modulus, exact)


def nae_sat(
    latents: int, clauses: Iterable[tuple[int, int, int]], *, exact: bool = False
) -> Distribution:
    """Fair latent bits, then one bit per clause: 1 where its three latents are not all equal.

    Parameters
    ----------
    latents : int
        Number of latent bits, which come first.
    clauses : iterable of (int, int, int)
        Three different latents each. The length is ``latents + len(clauses)``.
    exact : bool

    >>> p = nae_sat(3, [(0, 1, 2)], exact=True)
    >>> p.evidence([-1, -1, -1, 1])      # 6 of 8
    Fraction(3, 4)
    >>> p.denoise([0, 0, -1, 1])[2].tolist()
    [Fraction(0, 1), Fraction(1, 1)]
    """
    latents = as_integer(latents, "latents", 1)
    try:
        triples = [as_sites(clause, latents) for clause in clauses]
    except TypeError:
        raise InvalidInput(f"clauses must be triples of latents, got {clauses!r}") from None
    for triple in triples:
        if len(triple) != 3:
            raise InvalidInput(f"a clause has three different latents, got {triple}")
    require_sequences(2**latents, latents + len(triples))
    sequences = (
        b + tuple(int(0 < b[i] + b[j] + b[k] < 3) for i, j, k in triples) for b in bits(latents)
    )
    return uniform(sequences, 2, exact)


def permutations(n: int, *, exact: bool = False) -> Distribution:
    """Uniform over the orders of n different tokens ("shuffle").

    A product of its marginals is a permutation with probability ``n! / n^n``.

    >>> permutations(3).denoise([2, -1, -1])[1]
    array([0.5, 0.5, 0. ])
    """
    n = as_integer(n, "n", 1)
    if (n + 1) ** n > TABLE_CELLS:
        return Permutations(n, exact=exact)
    return uniform(itertools.permutations(range(n)), n, exact)


def reed_solomon(length: int, dimension: int, field: int, *, exact: bool = False) -> ReedSolomon:
    """Uniform over the words of a Reed-Solomon code: any `dimension` sites determine the others.

    Fewer say nothing of them, so the profile falls once, from ``log(field)`` to 0, and TC is
    ``(length - dimension) log(field)``. Every profile is a sum of such ones.

    Parameters
    ----------
    length : int
        At most ``field + 1``, unless the dimension is 0, 1, ``length - 1`` or ``length``.
    dimension : int
        0 to ``length``.
    field : int
        Number of tokens, a prime power up to 1024.
    exact : bool

    >>> from theory import information
    >>> p = reed_solomon(6, 3, 5, exact=True)
    >>> [str(entropy) for entropy in information.profile(p)]
    ['log(5)', 'log(5)', 'log(5)', '0', '0', '0']
    >>> p.denoise([0, 1, 4, -1, -1, -1]).argmax(axis=1).tolist()        # x^2, modulo 5
    [0, 1, 4, 4, 1, 1]
    """
    return ReedSolomon(length, dimension, field, exact=exact)


def latin_squares(order: int, *, exact: bool = False) -> Distribution:
    """Uniform over Latin squares: every token once in each row and column; read row by row.

    >>> latin_squares(2).spell([[0, 1, 1, 0]]), round(1 / latin_squares(3).evidence([-1] * 9))
    (['0110'], 1)
    >>> round(1 / latin_squares(4).evidence([0, 1, 2, 3, 1, 0, 3, 2, 2, 3, 0, 1, 3, 2, 1, 0]))
    576
    """
    order = as_integer(order, "order", 1)
    if order > MAX_ORDER:
        raise TooLarge(
            f"there are more than 8e8 Latin squares of order {order}; they are listed up to order "
            f"{MAX_ORDER}"
        )
    squares = _squares(order, lambda row, column: (("row", row), ("column", column)))
    return uniform(squares, order, exact)


def sudoku() -> Distribution:
    """Uniform over the 288 Sudokus of 4 x 4 cells, row by row: rows, columns and 2 x 2 boxes.

    >>> x = [0, 1, -1, -1, 2, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1]
    >>> sudoku().denoise(x)[5]      # the last cell of the first box
    array([0., 0., 0., 1.])
    """

    def units(row: int, column: int) -> tuple[tuple[str, int], ...]:
        return ("row", row), ("column", column), ("box", row // 2 * 2 + column // 2)

    return uniform(_squares(4, units), 4, exact=False)


def _integers(x: ArrayLike, name: str, ndim: int) -> np.ndarray:
    try:
        x = np.asarray(x)
    except ValueError:
        raise InvalidInput(f"{name} must be a rectangular array of integers") from None
    if x.dtype.kind not in "iu" or x.ndim != ndim:
        raise InvalidInput(
            f"{name} must hold integers on {counted(ndim, 'axis')}, got {x.dtype} of "
            f"shape {x.shape}"
        )
    return x.astype(np.int64)


def _squares(n: int, units: Callable[[int, int], tuple[tuple[str, int], ...]]) -> np.ndarray:
    """All n x n squares, shape (N, n * n), in which no token occurs twice in a unit."""
    cells = [set(units(row, column)) for row in range(n) for column in range(n)]

    def may_follow(rows: np.ndarray, token: int) -> np.ndarray:
        here = rows.shape[1]
        seen = [site for site in range(here) if cells[site] & cells[here]]
        return (rows[:, seen] != token).all(axis=1)

    return grown(n * n, n, may_follow)
