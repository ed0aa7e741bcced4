"""What a trial of a sampler came to, in one line, on a page, and as numbers."""

import dataclasses
import textwrap
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from sims.conformance.g_test import Noise
from sims.conformance.ties import Ties
from theory._core.plurals import counted
from theory.distributions.base import Distribution

__all__ = ["Case", "Furthest", "Verdict"]

WIDTH = 80
"""Columns of a report."""

SHOWN = 5
"""Sequences that a report shows."""


DIGITS = 12
"""Probabilities that are the same to so many decimals are."""


class Furthest(NamedTuple):
    """The sequence whose probability is furthest off, with what it is and what it should be."""

    sequence: tuple[int, ...]
    written: float
    expected: float


class Case(NamedTuple):
    """The sampler in one setting.

    Attributes
    ----------
    agrees : bool
    tv : float
        Total variation distance to what is expected.
    p_value : float or None
        By Holm's method over all cases of the verdict; None if the case is exact.
    """

    agrees: bool
    tv: float
    p_value: float | None


@dataclasses.dataclass(frozen=True, eq=False)
class Verdict:
    """Whether a sampler writes what it is expected to, and how far it is from that.

    Attributes
    ----------
    p : Distribution
        What the oracle knows.
    against : str
        What is expected.
    written, expected : ndarray, shape (V,)*L
        Probabilities; of a sampler that was drawn from, relative frequencies.
    agrees : bool
        TV is at most `tolerance` or, of draws, the p-value above `alpha`.
    exact : bool
        Whether all choices of the sampler were enumerated, or else it was drawn from.
    tv : float
        Total variation distance between `written` and `expected`, with what is `outside`. Of an
        enumeration that leaves mass out, a lower bound; with `missing` added an upper one.
    p_value : float or None
        Of the G-test, by Holm's method over all cases: the chance that anything in a verdict
        about a right sampler is called a disagreement is at most `alpha` (and some millionths).
        None if `exact`.
    noise : Noise or None
        What TV would be by chance: mean and 99 % quantile. None if `exact`.
    outside : float
        Probability of sequences with ids that are no tokens, such as a mask that is left.
    missing : float
        Probability of paths that were not enumerated.
    calls : float
        Mean number of calls of the oracle for a sequence.
    paths, draws : int or None
        How many were enumerated, or drawn.
    why_drawn : str or None
        What could not be enumerated.
    conventions : mapping
        From each convention for predictions at observed sites to the `Case` under it. Empty
        without extra trials, or if the sampler calls no oracle.
    reads_observed : bool or None
        Whether another convention changes what is written with the same random numbers. None if
        that is not known.
    ties : Ties or None
        In how many contexts predictions are equal; None if they were not looked for.
    untied : Case or None
        The sampler on a distribution nearby without ties, where there are some.
    alpha, tolerance : float
    """

    p: Distribution
    against: str
    written: np.ndarray
    expected: np.ndarray
    agrees: bool
    exact: bool
    tv: float
    p_value: float | None
    noise: Noise | None
    outside: float
    missing: float
    calls: float
    paths: int | None
    draws: int | None
    why_drawn: str | None
    conventions: Mapping[str, Case]
    reads_observed: bool | None
    ties: Ties | None
    untied: Case | None
    alpha: float
    tolerance: float

    def __bool__(self) -> bool:
        return self.agrees

    @property
    def furthest(self) -> Furthest:
        """The sequence whose probability is furthest off."""
        return self._furthest(1)[0]

    @property
    def ties_decide(self) -> bool:
        """Whether it disagrees, and agrees on a distribution nearby without ties."""
        return not self.agrees and self.untied is not None and self.untied.agrees

    def __repr__(self) -> str:
        return f"<Verdict: {self._word()}, {self._how()}: {self._distance(3)}>"

    def __str__(self) -> str:
        return self.report()

    def report(self) -> str:
        """The verdict for a reader, in lines of at most 80 columns."""
        # A line is broken before it is indented, and long paths in it are not broken at all.
        parts = [
            f"{self._word().capitalize()}, {self._how()}: {self._distance(4)}.",
            f"On {self.p!r}, against {self.against}. "
            + counted(float(self.calls), "call")
            + " of the model.",
        ]
        if self.why_drawn:
            parts.append(f"It was drawn from, since {self.why_drawn}.")
        for share, what in (
            (self.outside, "of what is written holds ids that are no tokens"),
            (self.missing, "of the mass was not enumerated"),
        ):
            if share:
                parts.append(f"{share:.3g} {what}.")
        page = [_filled(part) for part in parts]
        if not self.agrees:
            page.append(self._sequences())
        page += [_filled(part) for part in (self._about_conventions(), self._about_ties()) if part]
        return "\n".join(page)

    def to_dict(self) -> dict[str, Any]:
        """All but the tables, for JSON."""
        furthest = self.furthest._asdict() | {"spelled": self._spelled(self.furthest)}
        left_out = ("p", "written", "expected", "conventions", "noise", "ties", "untied")
        plain = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name not in left_out
        }
        named = {name: getattr(self, name) for name in ("noise", "ties", "untied")}
        return {
            "distribution": repr(self.p),
            **plain,
            **{name: value and value._asdict() for name, value in named.items()},
            "conventions": {name: case._asdict() for name, case in self.conventions.items()},
            "ties_decide": self.ties_decide,
            "furthest": furthest,
        }

    def _furthest(self, most: int) -> list[Furthest]:
        off = np.abs(self.written - self.expected).reshape(-1).round(DIGITS)
        first = np.argsort(-off, kind="stable")[:most]
        return [
            Furthest(
                tuple(int(v) for v in np.unravel_index(k, self.written.shape)),
                float(self.written.reshape(-1)[k]),
                float(self.expected.reshape(-1)[k]),
            )
            for k in first
            if off[k] or k == first[0]
        ]

    def _spelled(self, one: Furthest) -> str:
        return self.p.spell(np.asarray([one.sequence]))[0]

    def _sequences(self) -> str:
        """The sequences that are furthest off."""
        rows = [
            (self._spelled(one), one.written, one.expected, one.written - one.expected)
            for one in self._furthest(SHOWN)
        ]
        wide = min(WIDTH - 40, max(8, *(len(row[0]) for row in rows)))
        lines = ["", f"{'sequence':{wide}}  {'written':>10}  {'expected':>10}  {'too much':>10}"]
        lines += [
            "  ".join([f"{name:{wide}}", *(f"{_short(number):>10}" for number in numbers)])
            for name, *numbers in rows
        ]
        return "\n".join([*lines, ""])

    def _word(self) -> str:
        return "agrees" if self.agrees else "disagrees"

    def _how(self) -> str:
        if self.draws is not None:
            return f"{self.draws:,} draws"
        return f"exact, {counted(self.paths or 0, 'path')}"

    def _distance(self, digits: int) -> str:
        """TV, with what chance would do, of draws, and what is missing, of paths."""
        text = f"TV {self.tv:.{digits}g}"
        if self.missing > self.tolerance:
            text += f" to {min(self.tv + self.missing, 1.0):.{digits}g}"
        if self.noise is not None and self.p_value is not None:
            text += f" (by chance {self.noise.mean:.2g}), {_p(self.p_value)}"
        return text

    def _about_conventions(self) -> str:
        if self.reads_observed is None:
            return ""
        if not self.reads_observed:
            return (
                "Predictions at observed sites are not read: the same is written under each "
                "convention for them."
            )
        cases = ", ".join(f"{name}: {_case(case)}" for name, case in self.conventions.items())
        return (
            "Predictions at observed sites are read, which training does not determine. By "
            f"convention: {cases}."
        )

    def _about_ties(self) -> str:
        if self.ties is None or not self.ties.tied:
            return ""
        text = (
            f"Ties: in {self.ties.tied} of {counted(self.ties.contexts, 'context')} two masked "
            "sites have a prediction in common."
        )
        if self.untied is not None:
            text += f" On a distribution nearby without ties the sampler {_case(self.untied)}."
        if self.ties_decide:
            text += " So the disagreement is about which of equals comes first."
        return text


def _case(case: Case) -> str:
    chance = "" if case.p_value is None else f", {_p(case.p_value)}"
    return f"{'agrees' if case.agrees else 'disagrees'} (TV {case.tv:.2g}{chance})"


def _short(number: float) -> str:
    """Five decimals, of small numbers two digits.

    >>> _short(0.25), _short(-3e-7), _short(0.0)
    ('0.25000', '-3.0e-07', '0')
    """
    if number == 0:
        return "0"
    return f"{number:.5f}" if abs(number) >= 1e-4 else f"{number:.1e}"


def _p(value: float) -> str:
    """A p-value, of which less than a millionth is all that needs to be said.

    >>> _p(0.25), _p(1e-30)
    ('p = 0.25', 'p < 1e-6')
    """
    return "p < 1e-6" if value < 1e-6 else f"p = {value:.2g}"


def _filled(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)
