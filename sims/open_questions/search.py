"""A search that can be stopped and gone on with.

A search is a numbered list of cases. Each case gives a record that JSON can hold; what was found
is said from the records alone, so that a search that was interrupted ends with the same words.
"""

import json
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from sims.sweep.code import code_of
from sims.sweep.log_file import differs
from theory._core.plurals import counted
from theory.errors import InvalidInput

__all__ = ["Search", "run"]

SECONDS = 10.0
"""How often the state is written."""

Record = dict[str, Any]
Track = Callable[[Sequence[int]], Iterable[int]]


class Search(ABC):
    """Cases 0, 1, ..., cases - 1 of one question.

    Attributes
    ----------
    name : str
    parameters : dict
        Numbers that decide what the cases are.
    cases : int
    """

    name: str
    parameters: dict[str, int]
    cases: int

    @abstractmethod
    def case(self, k: int) -> Record:
        """Go through case k; the record must survive JSON unchanged."""

    @abstractmethod
    def is_record(self, record: Record) -> bool:
        """Whether a record from a state has what `found` and `report` need."""

    @abstractmethod
    def found(self, records: Sequence[Record]) -> bool:
        """Whether one of the records is what was searched for."""

    @abstractmethod
    def report(self, records: Sequence[Record]) -> str:
        """Say what was searched, in which arithmetic, and what was found."""


def run(
    search: Search, state: Path | None = None, track: Track = iter, *, other_code: bool = False
) -> list[Record]:
    """Go through all cases that the state does not hold already.

    Parameters
    ----------
    search : Search
    state : Path, optional
        Where the records are kept: read at the start, written every ten seconds, at the end, and
        when the search is interrupted.
    track : callable
        Goes through the numbers of the cases that are left, for instance with a progress bar.
    other_code : bool
        Go on even if the state is of other code.

    Returns
    -------
    list of dict
        One record for each case.

    Raises
    ------
    InvalidInput
        If the state is of another search or of other code, or cannot be read.
    """
    records = _read(search, state, other_code) if state else []
    if state:
        _write(search, state, records)  # fails before the work rather than after it
    written = time.monotonic()
    try:
        for k in track(range(len(records), search.cases)):
            records.append(search.case(k))
            if state and time.monotonic() - written > SECONDS:
                _write(search, state, records)
                written = time.monotonic()
    finally:
        if state:
            _write(search, state, records)
    return records


def _read(search: Search, state: Path, other_code: bool) -> list[Record]:
    try:
        text = state.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"the state {state} cannot be read: {error}") from None
    try:
        kept = json.loads(text)
        name, parameters, records = kept["search"], kept["parameters"], kept["records"]
    except (ValueError, TypeError, KeyError):
        raise InvalidInput(f"{state} is no state of a search") from None
    if (name, parameters) != (search.name, search.parameters):
        raise InvalidInput(
            f"the state {state} is of {_spell(name, parameters)}, not of "
            f"{_spell(search.name, search.parameters)}"
        )
    listed = isinstance(records, list) and all(
        isinstance(record, dict) and search.is_record(record) for record in records
    )
    if not listed or len(records) > search.cases:
        raise InvalidInput(f"{state} is no state of a search of {counted(search.cases, 'case')}")
    code = code_of(type(search))
    if kept.get("code") != code and not other_code:
        raise InvalidInput(f"the state {state} {differs(kept.get('code'), code)}")
    return records


def _spell(name: Any, parameters: Any) -> str:
    values = parameters.items() if isinstance(parameters, dict) else ()
    return " ".join([str(name), *(f"{key}={value}" for key, value in values)])


def _write(search: Search, state: Path, records: list[Record]) -> None:
    """Replace the state at once, so that it is never half written."""
    kept = {
        "search": search.name,
        "parameters": search.parameters,
        "code": code_of(type(search)),
        "records": records,
    }
    part = state.with_name(state.name + ".part")
    part.write_text(json.dumps(kept) + "\n", encoding="utf-8")
    os.replace(part, state)
