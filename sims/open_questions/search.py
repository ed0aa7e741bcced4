"""A search for an answer to an open question: a sweep over its cases, and a report of its records.

The report is made from the records of the cases alone, so that a search that was interrupted
ends with the same words.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sims.sweep.sweep import sweep

__all__ = ["Record", "Search", "run"]

Record = Mapping[str, Any]


class Search(ABC):
    """The cases of one question.

    Attributes
    ----------
    cases : sequence of dict
        Named numbers that decide what a case is, whatever others there are.
    """

    cases: Sequence[Record]

    @abstractmethod
    def case(self, rng: np.random.Generator | None, /, **case: int) -> Record:
        """Go through a case: the experiment of the sweep. Nothing is drawn."""

    @abstractmethod
    def found(self, records: Sequence[Record]) -> bool:
        """Whether one of the records is what was searched for."""

    @abstractmethod
    def report(self, records: Sequence[Record]) -> str:
        """Say what was searched, in which arithmetic, and what was found."""


def run(
    search: Search, file: str | os.PathLike[str] | None = None, *, other_code: bool = False
) -> tuple[Record, ...]:
    """Return the numbers and the record of each case; it is one `sweep`, with its file.

    Raises
    ------
    InvalidInput
        As `sweep`.
    RuntimeError
        If a case failed.
    """
    results = sweep(search.case, search.cases, file=file, other_code=other_code)
    for failure in results.failed:
        raise RuntimeError(f"{failure}\n{failure.traceback}")
    return results.rows
