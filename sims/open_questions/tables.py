"""Small tables of bits to search: supports up to symmetry, and random weights."""

import itertools

import numpy as np

from theory._core.plurals import counted
from theory.errors import TooLarge
from theory.validation.arguments import as_integer

__all__ = ["random_tables", "supports"]

MAX_SITES = 4
"""Of 4 sites there are 2^16 supports, of 5 already 2^32."""

MAX_RANDOM_SITES = 5
"""Those of 6 sites have more contexts than `Moves` goes through."""


def supports(length: int) -> list[np.ndarray]:
    """One table of zeros and ones for each class of non-empty supports in ``{0,1}^length``.

    Two supports are of one class if permuting the sites and flipping bits turns one into the
    other, which changes no number of rounds.

    Parameters
    ----------
    length : int
        Number of sites, 1 to 4.

    Returns
    -------
    list of ndarray of int64, shape (2,)*length
        By the number of ones. Of its class, each has the smallest code, with cell k worth 2^k.

    Raises
    ------
    InvalidInput
    TooLarge

    >>> [p.reshape(-1).tolist() for p in supports(2)]
    [[1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0], [1, 1, 1, 0], [1, 1, 1, 1]]
    """
    _check(length, MAX_SITES, "all supports")
    cells = 2**length
    images, places = _images(length), 1 << np.arange(cells, dtype=np.int64)
    seen, found = np.zeros(2**cells, dtype=bool), []
    for code in range(1, 2**cells):
        if not seen[code]:
            support = code >> np.arange(cells, dtype=np.int64) & 1
            seen[support[images] @ places] = True
            found.append(support.reshape((2,) * length))
    return sorted(found, key=lambda support: int(support.sum()))


def _images(length: int) -> np.ndarray:
    """What each symmetry does to the cells of a table, shape (symmetries, 2^length)."""
    cells = np.arange(2**length).reshape((2,) * length)
    return np.asarray(
        [
            np.flip(cells.transpose(order), flipped).reshape(-1)
            for order in itertools.permutations(range(length))
            for count in range(length + 1)
            for flipped in itertools.combinations(range(length), count)
        ]
    )


def random_tables(length: int, count: int, most: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Tables of bits with integer weights 0 to `most`, uniform, not all zero.

    Parameters
    ----------
    length : int
        Number of sites, 1 to 5.
    count, most : int
        At least 1.
    rng : numpy.random.Generator

    Returns
    -------
    list of ndarray of int64, shape (2,)*length

    Raises
    ------
    InvalidInput
    TooLarge

    >>> (table,) = random_tables(2, 1, 3, np.random.default_rng(0))
    >>> table.shape, bool((table <= 3).all())
    ((2, 2), True)
    """
    _check(length, MAX_RANDOM_SITES, "random tables")
    as_integer(most, "most", 1)
    tables = []
    while len(tables) < count:
        table = rng.integers(0, most + 1, size=(2,) * length, dtype=np.int64)
        if table.any():
            tables.append(table)
    return tables


def _check(length: int, most: int, what: str) -> None:
    if as_integer(length, "length", 1) > most:
        raise TooLarge(f"{what} are searched up to {counted(most, 'site')}, not {length}")
