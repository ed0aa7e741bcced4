"""Standard output of a command: readers that go away, and encodings that lack a character.

Call `prepare_output` where a command begins, not in a function that others call: it replaces
`sys.stdout`.
"""

import io
import sys
from typing import Any

__all__ = ["prepare_output"]


class _Patient(io.FileIO):
    """A file whose reader may go away: what is written after that is lost, and no error."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            return memoryview(data).nbytes


def prepare_output() -> None:
    """Let standard output take every character, and go on when nobody reads it any more.

    A character that the encoding of the output lacks is written with a backslash. If the output
    is a pipe that is closed at the other end, as ``| head`` does it, the command ends as it would
    have ended, with its own exit code.
    """
    out = sys.stdout
    if not isinstance(out, io.TextIOWrapper):
        return
    out.reconfigure(errors="backslashreplace")
    if out.isatty():
        return
    file = io.BufferedWriter(_Patient(out.fileno(), "wb", closefd=False))
    sys.stdout = io.TextIOWrapper(
        file, out.encoding, "backslashreplace", line_buffering=out.line_buffering
    )
