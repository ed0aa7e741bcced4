"""Command lines: whole numbers, and how a command says that it was called wrongly."""

import argparse
from typing import NoReturn

__all__ = ["CommandParser", "count", "positive"]


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


def _at_least(low: int, text: str) -> int:
    if not text.isdecimal() or int(text) < low:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least {low}, got {text!r}")
    return int(text)
