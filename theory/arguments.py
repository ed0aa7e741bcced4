"""Whole numbers on a command line."""

import argparse

__all__ = ["count", "positive"]


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
