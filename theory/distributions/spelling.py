"""Patterns in the symbols of a distribution, written and read."""

from collections.abc import Mapping, Sequence

from theory._core.arrays import MASK
from theory._core.plurals import counted
from theory.distributions.strings import listed
from theory.errors import InvalidInput

__all__ = ["read_pattern", "spell_pattern"]

MASKS = ("·", "_", "□")
"""What a masked site is written as: the first of these that is no symbol. All are read."""


def spell_pattern(pattern: Sequence[int], symbols: Mapping[int, str], spaced: bool) -> str:
    """Write one pattern, by the symbol of each token that it shows.

    >>> spell_pattern([1, MASK], {0: "a", 1: "b"}, spaced=False)
    'b·'
    """
    mask = next((mark for mark in MASKS if mark not in symbols.values()), MASKS[0])
    return (" " * spaced).join(mask if v == MASK else symbols[v] for v in pattern)


def read_pattern(text: str, symbols: Mapping[int, str], spaced: bool, length: int) -> list[int]:
    """Read one pattern; sites that are left out at the end are masked.

    Of symbols that hold spaces themselves the longest that fit are read.

    >>> read_pattern("· New York", {0: "New York", 1: "York"}, True, 3)
    [-1, 0, -1]
    """
    token = dict.fromkeys(MASKS, MASK) | {symbol: v for v, symbol in symbols.items()}
    known = {tuple(symbol.split()) if spaced else (symbol,): v for symbol, v in token.items()}
    parts = text.split() if spaced else list(text)
    longest = max(map(len, known))
    size = [0] * len(parts)  # of the symbol that begins here, if the rest can be read after it
    for i in reversed(range(len(parts))):
        for n in range(min(longest, len(parts) - i), 0, -1):
            if tuple(parts[i : i + n]) in known and all(size[i + n : i + n + 1]):
                size[i] = n
                break
    found, i = [], 0
    while i < len(parts):
        # where nothing can be read any more, go on to the part that is to blame
        n = size[i] or int((parts[i],) in known)
        if not n:
            raise InvalidInput(
                f"{parts[i]!r} at site {len(found)} is no symbol of this distribution; they are "
                f"{listed([*symbols.values()])}"
            )
        found.append(known[tuple(parts[i : i + n])])
        i += n
    if len(found) > length:
        raise InvalidInput(f"{text!r} has {counted(len(found), 'symbol')} for {length} sites")
    return [*found, *[MASK] * (length - len(found))]
