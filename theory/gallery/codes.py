"""Uniform distributions over the strings that satisfy linear equations or clauses."""

from collections.abc import Iterable

import numpy as np

from theory._core.arrays import require_memory
from theory._core.plurals import counted
from theory._core.segments import distinct_rows
from theory._core.types import ArrayLike
from theory.distributions.base import Distribution
from theory.errors import InvalidInput
from theory.gallery.uniform import bits, require_sequences, uniform
from theory.validation.arguments import as_integer, as_sites

__all__ = ["affine_code", "nae_sat"]


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
