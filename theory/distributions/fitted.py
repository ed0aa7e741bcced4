"""The homogeneous chain that fits sequences: shares of neighbours and of first tokens.

Of all homogeneous chains it is the one under which the sequences are likeliest, if nothing is
added to the counts.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from theory._core.arrays import array_namespace, as_array, from_host, to_host
from theory._core.plurals import counted
from theory._core.types import Array, ArrayLike
from theory.distributions.strings import are_strings, tokens_of
from theory.errors import InvalidInput
from theory.validation.arguments import as_integer, as_real

__all__ = ["Fitted", "fitted_chain"]


class Fitted(NamedTuple):
    """What `MarkovChain` is made of."""

    initial: Array
    transition: Array
    length: int
    symbols: tuple[str, ...] | None


def fitted_chain(
    sequences: Any,
    smoothing: float,
    length: int | None,
    vocab: int | None,
    symbols: Iterable[str] | None,
) -> Fitted:
    """Count, add `smoothing` to each count, and divide: see `MarkovChain.fit`."""
    added = as_real(smoothing, "smoothing", 0, np.inf)
    rows, like, names = _rows(sequences, symbols)
    most = 1 + max(int(row.max()) for row in rows)
    vocab = _vocab(vocab, names, most)
    lengths = {row.size for row in rows}
    if length is None and len(lengths) > 1:
        raise InvalidInput(
            f"sequences have from {min(lengths)} to {max(lengths)} tokens: give the length of the "
            f"chain"
        )
    length = max(lengths) if length is None else as_integer(length, "length", 1)
    first = np.bincount([int(row[0]) for row in rows], minlength=vocab)
    codes = np.concatenate([row[:-1] * vocab + row[1:] for row in rows])
    pairs = np.bincount(codes, minlength=vocab**2).reshape(vocab, vocab)
    total = pairs.sum(axis=1) + added * vocab
    if (total == 0).any():
        token = int(np.argmax(total == 0))
        named = f"{token} ({names[token]!r})" if names else str(token)
        raise InvalidInput(
            f"token {named} is never followed by another, so that its row of the transition matrix "
            f"would be 0/0: give a smoothing above 0"
        )
    initial = (first + added) / (len(rows) + added * vocab)
    transition = (pairs + added) / total[:, None]
    return Fitted(from_host(initial, like), from_host(transition, like), length, names)


def _rows(
    sequences: Any, symbols: Iterable[str] | None
) -> tuple[list[np.ndarray], Array, tuple[str, ...] | None]:
    """Sequences as host arrays of int64, an array that lives where they do, and symbols."""
    if are_strings(sequences):
        tokens, names = tokens_of(sequences, symbols)
        return [np.asarray(row, dtype=np.int64) for row in tokens], np.zeros(0), names
    names = None if symbols is None else tuple(symbols)
    if hasattr(sequences, "shape"):
        table = as_array(sequences)
        if table.ndim != 2 or 0 in table.shape:
            raise InvalidInput(
                f"sequences must have shape (N, L) with N, L >= 1, got {tuple(table.shape)}"
            )
        if not array_namespace(table).isdtype(table.dtype, "integral"):
            raise InvalidInput(f"tokens must be integers, got {table.dtype}")
        rows, like = list(to_host(table).astype(np.int64)), table
    else:
        try:
            rows, like = [_row(row, k) for k, row in enumerate(sequences)], np.zeros(0)
        except TypeError:
            raise InvalidInput(f"sequences must be a list, got {sequences!r}") from None
        if not rows:
            raise InvalidInput("sequences must hold at least one sequence, got none")
    for number, row in enumerate(rows):
        if row.min() < 0:
            raise InvalidInput(f"sequence {number} holds {int(row.min())}; tokens are 0, 1, ...")
    return rows, like, names


def _row(row: ArrayLike, number: int) -> np.ndarray:
    tokens = np.asarray(row)
    if tokens.ndim != 1 or not tokens.size or tokens.dtype.kind not in "iu":
        raise InvalidInput(
            f"sequence {number} must hold at least one token, an integer, got {row!r}"
        )
    return tokens.astype(np.int64)


def _vocab(vocab: int | None, names: Sequence[str] | None, most: int) -> int:
    """The number of tokens: as given, that of the symbols, or of those that occur."""
    if vocab is None:
        vocab = most if names is None else len(names)
    vocab = as_integer(vocab, "vocab", 1)
    if most > vocab:
        raise InvalidInput(f"sequences hold the token {most - 1}, of {counted(vocab, 'token')}")
    if names is not None and len(names) != vocab:
        raise InvalidInput(f"{counted(len(names), 'symbol')} for a vocabulary of {vocab}")
    return vocab
