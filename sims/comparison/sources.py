"""What a user names: distributions of the gallery, from a table, samples or a text; decoders."""

import inspect
import operator
from pathlib import Path
from typing import Any, Literal

import numpy as np

from sims import policies
from sims.comparison.call_parser import call
from sims.policies import Decoder, GapTabulated, Rule, Tabulated
from theory import EmpiricalDistribution, JointTable, corpora, gallery
from theory._core.arrays import require_memory
from theory._core.plurals import counted
from theory.distributions.base import Distribution
from theory.errors import InvalidInput

__all__ = ["decoders_by_name", "from_gallery", "from_samples", "from_table", "from_text"]


def from_gallery(text: str, length: int | None) -> Distribution:
    """Build a distribution of the gallery from its name and a length, or from a call.

    >>> from_gallery("parity", 3), from_gallery("binary_symmetric(5, 0.1)", None)
    (<JointTable: length 3, vocab 2>, <MarkovChain: length 5, vocab 2>)
    """
    known = {name: getattr(gallery, name) for name in gallery.__all__}
    name = text.strip()
    if name not in known:
        if length is not None and "(" in name:
            raise InvalidInput(f"{text} says its length itself: leave out the length {length}")
        return call(text, known, "distribution of the gallery")
    parameters = list(inspect.signature(known[name]).parameters.values())
    needed = [p.name for p in parameters if p.default is p.empty]
    if not needed:
        if length is not None:
            raise InvalidInput(f"{name} has a length of its own: leave out the length {length}")
        return known[name]()
    if len(needed) > 1 or needed[0] not in LENGTHS:
        missing = ", ".join(needed)
        raise InvalidInput(f"{name} needs more than a length: write '{name}({missing})'")
    if length is None:
        raise InvalidInput(f"{name} needs a length: add --length N, or write '{name}(N)'")
    if needed == ["pairs"]:
        if length % 2:
            raise InvalidInput(f"{name} has an even length, got {length}")
        length //= 2
    return known[name](length)


LENGTHS = ("length", "n", "pairs")
"""Parameters that a length stands for."""


def from_table(path: str | Path) -> JointTable:
    """Read a joint table of shape (V,)*L from a ``.npy`` file, without pickle.

    The header is read first; a table whose evidence lattice would not fit is not read at all.

    Raises
    ------
    InvalidInput
        If there is no such file, or if it holds anything but a cube of numbers.
    TooLarge
    """
    path = _existing(path, "a .npy file")
    shape, _ = _header(path)
    if not shape or len(set(shape)) > 1 or shape[0] < 1:
        raise InvalidInput(f"{path} has shape {shape}; a joint table has shape (V,)*L")
    size = (shape[0] + 1) ** len(shape)
    require_memory(3 * size, f"{path}, a table of shape {shape}, with its evidence lattice,")
    return JointTable(_numbers(path))


def from_samples(path: str | Path) -> EmpiricalDistribution:
    """The empirical distribution of samples in a file.

    Either a ``.npy`` file of integers of shape (N, L), a token each, or a text in UTF-8 with one
    string on each line, all of the same length, a character for each token.

    Raises
    ------
    InvalidInput
        If there is no such file, or if it holds anything else; a line is named by its number.
    TooLarge
    """
    path = _existing(path, "a file of samples")
    if path.suffix != ".npy":
        return EmpiricalDistribution.from_strings(_lines(path))
    shape, dtype = _header(path)
    if len(shape) != 2 or 0 in shape or dtype.kind not in "iu":
        raise InvalidInput(
            f"{path} holds {dtype} of shape {shape}; samples are integers of shape (N, L)"
        )
    require_memory(3 * shape[0] * shape[1], f"{path}, samples of shape {shape},")
    tokens = _numbers(path)
    if tokens.min() < 0:
        row = int(np.argmax((tokens < 0).any(axis=1)))
        raise InvalidInput(f"{path}: row {row} holds {tokens[row].min()}; tokens are 0, 1, ...")
    return EmpiricalDistribution(tokens)


def _lines(path: Path) -> list[str]:
    """The lines of a text, of one length and none of them empty; the last may end or not."""
    require_memory(path.stat().st_size, f"the samples {path}", itemsize=16)
    try:
        lines = path.read_bytes().removeprefix(BYTE_ORDER_MARK).split(b"\n")
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}") from None
    if len(lines) > 1 and not lines[-1]:
        lines.pop()
    strings: list[str] = []
    for number, line in enumerate(lines, start=1):
        try:
            string = line.removesuffix(b"\r").decode("utf-8")
        except UnicodeDecodeError as error:
            raise InvalidInput(
                f"{path} is not UTF-8: see byte {error.start + 1} of line {number}"
            ) from None
        if not string or "\0" in string:
            what = "holds a NUL: perhaps it is UTF-16" if string else "is empty"
            raise InvalidInput(f"{path}: line {number} {what}; one string a line is needed")
        if strings and len(string) != len(strings[0]):
            raise InvalidInput(
                f"{path}: line {number} has {counted(len(string), 'character')}, line 1 has "
                f"{len(strings[0])}; samples have the same length"
            )
        strings.append(string)
    return strings


BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""What some editors begin a text with."""


def _existing(path: str | Path, needed: str) -> Path:
    path = Path(path)
    if path.is_dir():
        raise InvalidInput(f"{path} is a folder; {needed} is needed")
    if not path.exists():
        raise InvalidInput(f"there is no file {path}")
    return path


READING_ERRORS = (
    *(ValueError, TypeError, OSError, EOFError, OverflowError),
    *(SyntaxError, RecursionError, MemoryError),
)
"""What reading a file may raise; its header is parsed as a Python literal."""


def _numbers(path: Path) -> np.ndarray:
    """The array in a ``.npy`` file, without pickle."""
    try:
        return np.load(path, allow_pickle=False)
    except READING_ERRORS as error:
        raise InvalidInput(f"{path} is no .npy file of numbers: {error}") from None


def _header(path: Path) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type of the array in a ``.npy`` file of numbers, without reading the array."""
    try:
        shape, dtype = _read_header(path)
    except READING_ERRORS as error:
        raise InvalidInput(f"{path} is no .npy file of numbers: {error}") from None
    if dtype.hasobject:
        raise InvalidInput(f"{path} is no .npy file of numbers: it holds Python objects")
    return shape, dtype


def _read_header(path: Path) -> tuple[tuple[int, ...], np.dtype]:
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    with path.open("rb") as file:
        if file.read(2) == b"PK":
            raise ValueError("it holds several arrays")
        file.seek(0)
        version = np.lib.format.read_magic(file)
        if version not in readers:
            raise ValueError(f"version {version} of the format is not for tables of numbers")
        shape, _, dtype = readers[version](file)
    return tuple(map(operator.index, shape)), dtype


def from_text(
    path: str | Path, length: int | None, tokens: Literal["words", "characters"] = "words"
) -> Distribution:
    """The words of one length in a text file, as sequences of letters.

    If its tokens are characters: sequences of so many that follow each other.
    """
    if length is None:
        raise InvalidInput("a text needs the length of its words: add --length N")
    return corpora.from_text(path, tokens=tokens).letters(length)


def decoders_by_name() -> dict[str, Any]:
    """The decoders that a user can make from literals and other decoders.

    >>> "TopK" in decoders_by_name(), "Rule" in decoders_by_name()
    (True, False)
    """
    known = {name: getattr(policies, name) for name in policies.__all__}
    return {
        name: kind
        for name, kind in known.items()
        if issubclass(kind, Decoder)
        and not inspect.isabstract(kind)
        and kind not in (Decoder, Rule, Tabulated, GapTabulated)
    }
