"""The finished cases of a sweep, in memory or in a file that survives an interruption.

The file has one line of JSON for the sweep (format, version, experiment, seed, and which code it
is), then one for each case in the order in which they finished::

    {"case": {"length": 4}, "results": {"kl": 0.5}}
    {"case": {"length": 6}, "error": "ValueError: ...", "traceback": "..."}

Each line is on disk before the next case is looked at. A last line without its end is left from
an interruption, and is written over; one that is whole and makes no sense is moved to a file
``.aside``. Of several lines of one case the last counts. Where a sweep was told to go on with other
code, a line ``{"code": {...}}`` says so.
"""

import json
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sims.sweep.cases import Case, key_of, read
from theory.errors import InvalidInput

try:
    import fcntl
except ImportError:  # on Windows
    fcntl = None

__all__ = ["Log", "differs", "header", "opened"]

FORMAT, VERSION = "zeroloss sweep", 1


def header(experiment: str, seed: int, code: dict[str, str]) -> str:
    r"""Return the first line of a file.

    >>> print(header("module:name", 0, {"source": "12ab"}), end="")
    {"format": "zeroloss sweep", "version": 1, "experiment": "module:name", "seed": 0,
     "code": {"source": "12ab"}}
    """
    named = {"experiment": experiment, "seed": seed, "code": code}
    return json.dumps({"format": FORMAT, "version": VERSION, **named}) + "\n"


def differs(found: Any, wanted: dict[str, str]) -> str:
    """Say that results are of other code, and how to go on from them all the same.

    >>> differs({"package": "1.0"}, {"package": "1.1"})
    'is of other code (package 1.0, not 1.1); other_code=True, or --other-code, goes on with it'
    """
    kept = found if isinstance(found, dict) else {}
    parts = [
        "source of the experiment, or of what it uses"
        if name == "source"
        else f"{name} {kept.get(name, 'not kept')}, not {value}"
        for name, value in wanted.items()
        if kept.get(name) != value
    ]
    insist = "other_code=True, or --other-code, goes on with it"
    return f"is of other code ({'; '.join(parts)}); {insist}"


class Log:
    """The cases that have finished, in memory and on disk where there is a file.

    Attributes
    ----------
    results : dict
        From the key of a case to its results.
    failures : dict
        From the key of a case that failed to its error and its traceback.
    where : str
        How a message says where they are kept.
    """

    def __init__(self, path: Path | None = None, file: Any = None) -> None:
        self.path, self.file = path, file
        self.where = f" and are in {path}" if path else ""
        self.results: dict[str, Case] = {}
        self.failures: dict[str, tuple[str, str]] = {}
        self.end = 0
        """Of the last whole line of the file, in bytes."""

    def write(self, record: dict[str, Any]) -> None:
        """Keep the record of a case."""
        self._append(json.dumps(record, allow_nan=False) + "\n")
        self._take(record)

    def begin(self, first: str, other_code: bool) -> None:
        """Read the file, or begin it with its first line."""
        self._lock()
        self.file.seek(0)
        content = self.file.readall()
        if first.encode("ascii").startswith(content):
            self._append(first)
        else:
            self.end = content.rfind(b"\n") + 1
            self._read(content[: self.end].splitlines(keepends=True), first, other_code)

    def _take(self, record: Any) -> None:
        key = key_of(read(record["case"]))
        if "results" in record:
            self.results[key] = read(record["results"])
            self.failures.pop(key, None)
        else:
            self.failures[key] = record["error"], record["traceback"]

    def _append(self, line: str) -> None:
        if not self.file:
            return
        data = memoryview(line.encode("ascii"))
        self.file.truncate(self.end)
        while data:  # a disk that is nearly full takes a part
            data = data[self.file.write(data) :]
        os.fsync(self.file.fileno())
        self.end += len(line)

    def _lock(self) -> None:
        """Two processes that write would write over each other."""
        try:
            if fcntl:
                fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InvalidInput(f"{self.path} is in use by another sweep") from None
        except OSError:  # some file systems have no locks
            pass

    def _read(self, lines: list[bytes], first: str, other_code: bool) -> None:
        wanted = json.loads(first)
        code = self._code_of_header(lines, wanted)
        aside, what = b"", ""
        for number, line in enumerate(lines[1:], 2):
            try:
                record = json.loads(line)
                if "code" in record:
                    code = record["code"]
                else:
                    self._take(record)
            except (ValueError, TypeError, KeyError, AttributeError, ZeroDivisionError):
                what = f"line {number} of {self.path} is no case of a sweep"
                if number < len(lines):
                    raise InvalidInput(what) from None
                aside = line
        if code != wanted["code"] and not other_code:
            raise InvalidInput(f"{self.path} {differs(code, wanted['code'])}")
        if aside:
            self._set_aside(aside, what)
        if code != wanted["code"]:
            self._append(json.dumps({"code": wanted["code"]}) + "\n")

    def _code_of_header(self, lines: list[bytes], wanted: dict[str, Any]) -> Any:
        try:
            found = json.loads(lines[0])
        except (IndexError, ValueError):
            found = None
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise InvalidInput(f"{self.path} is no file of a sweep or search of this version")
        for name in ("version", "experiment", "seed"):
            if found.get(name) != wanted[name]:
                raise InvalidInput(
                    f"{self.path} is of {name} {found.get(name)}, not of {wanted[name]}"
                )
        return found.get("code")

    def _set_aside(self, line: bytes, what: str) -> None:
        aside = f"{self.path}.aside"
        with open(aside, "ab") as kept:
            kept.write(line)
        warnings.warn(f"{what}; it was moved to {aside}", RuntimeWarning, stacklevel=7)
        self.end -= len(line)
        self.file.truncate(self.end)


@contextmanager
def opened(path: Path | None, first: str, *, other_code: bool = False) -> Iterator[Log]:
    """Give the log of a sweep, with what the file holds already.

    With `other_code` also if that is of other code.

    Raises
    ------
    InvalidInput
        If the file is of another sweep, in use by one, or cannot be read.
    """
    if path is None:
        yield Log()
        return
    try:
        file = path.open("a+b", buffering=0)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be opened: {error.strerror}") from None
    with file:
        log = Log(path, file)
        log.begin(first, other_code)
        yield log
