"""Tests that look at many things say on failure which one it was."""

from contextlib import contextmanager

__all__ = ["noted"]


@contextmanager
def noted(what):
    """Add `what` to any failure within."""
    try:
        yield
    except BaseException as failure:
        failure.add_note(what)
        raise
