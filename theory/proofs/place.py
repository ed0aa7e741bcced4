"""Places in a text, and errors that point to them."""

from dataclasses import dataclass, field

from theory.errors import InvalidInput

__all__ = ["Place"]


@dataclass(frozen=True)
class Place:
    """A part of a text, which errors point to."""

    text: str = field(repr=False)
    start: int
    end: int

    def error(self, problem: str) -> InvalidInput:
        """Say what is wrong here: the line, and a caret below the place.

        >>> print(Place("TC <= DCT", 6, 9).error("there is no DCT"))
        there is no DCT
          TC <= DCT
                ^
        """
        before, _, _ = self.text[: self.start].rpartition("\n")
        first = len(before) + 1 if "\n" in self.text[: self.start] else 0
        line = self.text[first:].partition("\n")[0].rstrip().replace("\t", " ")
        where = f" (line {before.count(chr(10)) + 2})" if first else ""
        return InvalidInput(f"{problem}{where}\n  {line}\n  {' ' * (self.start - first)}^")

    def __str__(self) -> str:
        return " ".join(self.text[self.start : self.end].split())

    def to(self, last: "Place") -> "Place":
        """From here to the end of another place."""
        return Place(self.text, self.start, last.end)
