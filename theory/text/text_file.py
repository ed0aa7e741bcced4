"""The text of a file in UTF-8, with errors that say what else it may be."""

import os
from pathlib import Path

from theory._core.arrays import require_memory
from theory.errors import InvalidInput

__all__ = ["read_text"]

WITH_NULS = {"x0x0": "UTF-16-LE", "0x0x": "UTF-16-BE", "x000": "UTF-32-LE", "000x": "UTF-32-BE"}
"""Encodings by where they have NULs in the first bytes of a text that begins with ASCII."""


def read_text(path: str | os.PathLike[str]) -> str:
    """Return the text of a file, without a byte-order mark.

    Raises
    ------
    InvalidInput
        If there is no such file, or if it is not UTF-8.
    TooLarge
        If there is no room for it and its words.
    """
    if not os.fspath(path):
        raise InvalidInput("the name of the text file is empty")
    path = Path(path)
    if path.is_dir():
        raise InvalidInput(f"{path} is a directory; a text file is needed")
    if not path.exists():
        raise InvalidInput(f"there is no file {path}")
    try:
        # the bytes, the text and its words are held at once
        require_memory(path.stat().st_size, f"the text {path}", itemsize=16)
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"{path} is not UTF-8: see the byte at offset {error.start}. Save it as UTF-8 first, "
            f"for instance with: iconv -f WINDOWS-1252 -t UTF-8 {path}"
        ) from None
    if "\0" in text:
        nuls = "".join("0" if sign == "\0" else "x" for sign in text[:4])
        encoding = WITH_NULS.get(nuls, "UTF-16 or UTF-32")
        raise InvalidInput(
            f"{path} holds NULs, the first at offset {text.index(chr(0))}: it is not UTF-8 but "
            f"perhaps {encoding} without a byte-order mark; convert it to UTF-8"
        )
    return text.removeprefix("\ufeff")
