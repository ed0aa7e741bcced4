"""The results of a sweep: rows, columns, and means with their standard errors."""

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from sims.sweep.cases import Case, key_of, spelled
from theory._core.log_numbers import LinearForm
from theory._core.plurals import counted
from theory.errors import InvalidInput

__all__ = ["Failure", "Mean", "Results"]


class Failure(NamedTuple):
    """A case that failed: its parameters, the error, and the traceback.

    >>> print(Failure({"length": 4}, "ValueError: too short", "..."))
    length=4: ValueError: too short
    """

    case: Case
    error: str
    traceback: str

    def __str__(self) -> str:
        return f"{spelled(self.case) or 'no parameters'}: {self.error}"


class Mean(NamedTuple):
    """A mean over cases.

    Attributes
    ----------
    at : dict
        The parameters that these cases share.
    mean : float or ndarray
    error : float or ndarray
        Its standard error: the sample's standard deviation (with ``cases - 1``) over the root of
        `cases`; nan for one case. It knows nothing of events too rare to be in one of the cases.
    cases : int
    """

    at: Case
    mean: Any
    error: Any
    cases: int


@dataclass(frozen=True, eq=False)
class Results:
    r"""The results of the cases of a sweep.

    Attributes
    ----------
    rows : tuple of dict
        Parameters and results of each case that went well, in the order of the cases.
    failed : tuple of Failure
        The others: ``print(*results.failed, sep="\n")``.
    """

    rows: tuple[Case, ...]
    failed: tuple[Failure, ...] = ()

    def __repr__(self) -> str:
        return f"<Results: {counted(len(self.rows), 'row')}, {len(self.failed)} failed>"

    def column(self, name: str) -> np.ndarray:
        """One parameter or result of all rows, shape (rows,); (rows, n) if it is n numbers.

        >>> Results(({"p": 0.5}, {"p": 1.0})).column("p").tolist()
        [0.5, 1.0]
        """
        return _column(self.rows, name)

    def mean(self, *, of: str, by: str | Sequence[str] = ()) -> tuple[Mean, ...]:
        r"""Means of a result, one for each combination of the parameters `by`.

        A mean goes over all rows that agree in `by`. Its error is that of repeated draws if these
        rows differ in nothing but their draws.

        Parameters
        ----------
        of : str
            A result: a number, or a list of as many numbers in every row.
        by : str or sequence of str

        Returns
        -------
        tuple of Mean
            In the order of the rows.

        Examples
        --------
        The standard deviation of 1 and 3 is the root of 2, that of their mean 1:

        >>> rows = {"p": 0, "x": 5}, {"p": 1, "x": 1}, {"p": 1, "x": 3}
        >>> print(*Results(rows).mean(of="x", by="p"), sep="\n")
        Mean(at={'p': 0}, mean=5.0, error=nan, cases=1)
        Mean(at={'p': 1}, mean=2.0, error=1.0, cases=2)
        """
        names = (by,) if isinstance(by, str) else tuple(by)
        groups: dict[str, list[Case]] = {}
        for row in self.rows:
            at = {name: _entry(row, name) for name in names}
            groups.setdefault(key_of(at), []).append(row)
        return tuple(_mean(rows, of, names) for rows in groups.values())


def _entry(row: Case, name: str) -> Any:
    if name not in row:
        raise InvalidInput(f"there is no {name!r} in the row {spelled(row)}")
    return row[name]


def _column(rows: Sequence[Case], name: str) -> np.ndarray:
    values = [_entry(row, name) for row in rows]
    if len({isinstance(value, str) for value in values}) < 2:  # else numbers would become strings
        with suppress(ValueError):  # lists of different lengths
            return np.asarray(values)
    column = np.empty(len(values), dtype=object)
    for k, value in enumerate(values):
        column[k] = value
    return column


def _mean(rows: Sequence[Case], of: str, by: Sequence[str]) -> Mean:
    values = _column(rows, of)
    if all(isinstance(value, (int, float, Fraction, LinearForm)) for value in values.flat):
        values = values.astype(np.float64)  # exact numbers, or integers above 64 bits
    if values.dtype.kind not in "biuf":
        raise InvalidInput(f"{of!r} has no mean: it is not in every row a number")
    cases = len(values)
    with np.errstate(all="ignore"):  # infinities
        mean = values.mean(axis=0)
        spread = values.std(axis=0, ddof=1) if cases > 1 else np.full_like(mean, math.nan)
    error = spread / math.sqrt(cases)
    if values.ndim == 1:
        mean, error = float(mean), float(error)
    return Mean({name: rows[0][name] for name in by}, mean, error, cases)
