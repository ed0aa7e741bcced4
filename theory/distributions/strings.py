"""Strings as tokens: one character a token, or lists of words."""

from collections.abc import Iterable, Sequence
from typing import Any

from theory.errors import InvalidInput

__all__ = ["are_strings", "listed", "tokens_of"]

SHOWN = 30
"""Symbols that a message lists at most."""


def listed(symbols: Sequence[str]) -> str:
    """The first symbols, for a message."""
    return f"{', '.join(symbols[:SHOWN])}{', ...' if len(symbols) > SHOWN else ''}"


def are_strings(sequences: Any) -> bool:
    """Whether sequences are strings or lists of words, by the first of them."""
    if isinstance(sequences, str):
        return True
    first = next(iter(sequences), None) if isinstance(sequences, (list, tuple)) else None
    words = isinstance(first, (list, tuple)) and len(first) > 0 and isinstance(first[0], str)
    return isinstance(first, str) or words


def tokens_of(
    strings: Iterable[str | Sequence[str]], symbols: Iterable[str] | None = None
) -> tuple[list[list[int]], tuple[str, ...]]:
    """Tokens of strings, and the symbols that they stand for: in sorted order if not given.

    Raises
    ------
    InvalidInput
        If there is no string, one is empty or none at all, or holds something else than the
        symbols; it is named by its index.

    >>> tokens_of(["ba", "a"])
    ([[1, 0], [0]], ('a', 'b'))
    >>> tokens_of([["to", "be"]], symbols=["to", "be"])
    ([[0, 1]], ('to', 'be'))
    """
    if isinstance(strings, str) or not isinstance(strings, Iterable):
        raise InvalidInput(f"strings must be a list of strings or of lists, got {strings!r}")
    rows: list[Any] = [_symbols_of(row, number) for number, row in enumerate(strings)]
    if not rows:
        raise InvalidInput("strings must hold at least one string, got none")
    if symbols is None:
        known = tuple(sorted({symbol for row in rows for symbol in row}))
    else:
        known = tuple(symbols)
        strange = [s for s in known if not isinstance(s, str) or known.count(s) > 1]
        if strange:
            raise InvalidInput(f"symbols must be different strings, got {strange[0]!r}")
    token = {symbol: v for v, symbol in enumerate(known)}
    for number, row in enumerate(rows):
        for site, symbol in enumerate(row):
            if symbol not in token:
                raise InvalidInput(
                    f"string {number} has {symbol!r} at site {site}; the symbols are "
                    f"{listed(known)}"
                )
    return [[token[symbol] for symbol in row] for row in rows], known


def _symbols_of(row: Any, number: int) -> Sequence[str]:
    words = isinstance(row, (list, tuple)) and all(isinstance(word, str) for word in row)
    if not isinstance(row, str) and not words:
        raise InvalidInput(f"string {number} must be a string or a list of words, got {row!r}")
    if not row:
        raise InvalidInput(f"string {number} is empty")
    return row
