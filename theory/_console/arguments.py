"""Parsing of command lines, and a standard output that may be closed or lack characters."""

import argparse
import io
import sys
from pathlib import Path
from typing import Any, NoReturn

__all__ = ["CommandParser", "count", "file_name", "positive", "prepare_output"]


class CommandParser(argparse.ArgumentParser):
    """A parser whose errors begin with what is wrong, and name ``--help`` for all else.

    >>> parser = CommandParser(prog="python -m theory")
    >>> parser.format_error("there is no claim 'A0'").splitlines()
    ["error: there is no claim 'A0'", 'usage: python -m theory [options] (--help lists them)']
    """

    def format_error(self, message: str) -> str:
        """The message, and one line of usage."""
        return f"error: {message}\nusage: {self.prog} [options] (--help lists them)\n"

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end with exit code 2."""
        self.exit(2, self.format_error(message))


def count(text: str) -> int:
    """Read a whole number of at least 0.

    >>> count("0")
    0
    """
    return _at_least(0, text)


def positive(text: str) -> int:
    """Read a whole number of at least 1.

    >>> positive("12")
    12
    """
    return _at_least(1, text)


def file_name(text: str) -> Path:
    """Read the name of a file, which is not empty.

    >>> file_name("text.txt").suffix
    '.txt'
    """
    if not text:
        raise argparse.ArgumentTypeError("the name of the file is empty")
    return Path(text)


def _at_least(low: int, text: str) -> int:
    if not text.isdecimal() or int(text) < low:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least {low}, got {text!r}")
    return int(text)


def prepare_output() -> None:
    """Let standard output take every character, and survive that its reader closes it.

    A character that the encoding of the output lacks is written with a backslash. If the output
    is a pipe that is closed at the other end, as ``| head`` does it, the command ends as it would
    have ended, with its own exit code. Call this where a command begins, not in a function that
    others call: it replaces `sys.stdout`.
    """
    out = sys.stdout
    if not isinstance(out, io.TextIOWrapper):
        return
    out.reconfigure(errors="backslashreplace")
    if out.isatty():
        return
    file = io.BufferedWriter(_NeverBroken(out.fileno(), "wb", closefd=False))
    sys.stdout = io.TextIOWrapper(
        file, out.encoding, "backslashreplace", line_buffering=out.line_buffering
    )


class _NeverBroken(io.FileIO):
    """A file whose reader may close it: what is written after that is dropped without an error."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            return memoryview(data).nbytes
