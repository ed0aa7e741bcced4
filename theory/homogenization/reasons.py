"""Why predictions far from the context become alike or do not, as sentences for a `Decision`."""

import math
from collections.abc import Sequence
from typing import Any

from theory.homogenization.decision import RecurrentClass

__all__ = [
    "fading",
    "far_away",
    "far_tokens",
    "middle_alike",
    "middle_apart",
    "middle_drawn",
    "never_alike",
    "spelled",
]

NAMED = 4
"""How many tokens of a class are named."""

DISTANCE, MIDDLE = "distance n", "distance n from the nearer end"

DIGITS = 4
"""How many digits of a rate are written."""


def spelled(states: Sequence[int], symbols: Sequence[str] | None) -> str:
    """Write a set of tokens.

    >>> spelled((0, 2), ("the", "a", "of")), spelled(range(9), None)
    ('{the, of}', '{0, 1, 2, 3 and 5 more}')
    """
    names = [str(s) if symbols is None else symbols[s] for s in states]
    rest = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{{{', '.join(names[:NAMED])}{rest}}}"


def fading(rate: Any, distance: str = DISTANCE) -> str:
    """Say how fast a limit is approached.

    >>> fading(0.5), fading(0)
    ('like 0.5^n at distance n', 'in finitely many steps')
    """
    if rate == 0:
        return "in finitely many steps"
    if getattr(rate, "free_symbols", None):
        return f"like ({rate})^n at {distance}"
    if math.isnan(rate):
        return "geometrically, with a rate that has no closed form in the symbols"
    return f"like {float(rate):.{DIGITS}g}^n at {distance}"


def never_alike(r: RecurrentClass, symbols: Sequence[str] | None) -> str:
    """Say why neighbouring far predictions stay apart."""
    return (
        f"The class {spelled(r.states, symbols)} has period {r.period}, so the predictions at "
        f"neighbouring distances from one of its tokens never have a token in common."
    )


def far_away(recurrent: Sequence[RecurrentClass], symbols: Sequence[str] | None, rate: Any) -> str:
    """Say what far predictions approach where all classes are aperiodic."""
    if len(recurrent) > 1:
        return (
            f"{len(recurrent)} aperiodic classes can be reached, such as "
            f"{spelled(recurrent[0].states, symbols)} and {spelled(recurrent[1].states, symbols)}: "
            f"far predictions approach a limit {fading(rate)}, so that neighbours become alike, "
            f"but the context decides which limit it is."
        )
    (only,) = recurrent
    where = spelled(only.states, symbols)
    if len(only.states) == 1:
        return (
            f"Every context ends in the one token {where}, which is never left: far predictions "
            f"become alike {fading(rate)}, and certain."
        )
    return (
        f"Every context ends in the one class {where}, which is aperiodic: far predictions "
        f"approach its stationary distribution {fading(rate)}."
    )


def far_tokens(
    hidden: Sequence[RecurrentClass], homogenizes: bool, forgets: bool, rate: float
) -> str:
    """Say what tokens far from a context become, where the chain is hidden."""
    periods = sorted({r.period for r in hidden if r.period > 1})
    which = " or ".join(map(str, periods))
    if not homogenizes:
        return (
            f"The hidden states have a class of period {which}, and the tokens show its phase: "
            f"predictions at neighbouring distances from some context stay apart."
        )
    unseen = f"The period {which} of the hidden states does not show in the tokens. "
    several = f"There are {len(hidden)} classes of hidden states. "
    start = (unseen if periods else "") + (several if len(hidden) > 1 else "")
    if not forgets:
        return (
            f"{start}Far predictions approach a limit {fading(rate)}, so that neighbours become "
            f"alike, but the context decides which limit it is."
        )
    return f"{start}Far predictions approach one limit after every context {fading(rate)}."


def middle_apart(states: Sequence[int], period: int, symbols: Sequence[str] | None) -> str:
    """Say why neighbouring predictions in the middle stay apart."""
    return (
        f"The class {spelled(states, symbols)} has period {period}, and some ends tell its phase: "
        f"neighbouring predictions in the middle stay apart."
    )


def middle_drawn() -> str:
    """Say what follows where no class wins."""
    return (
        "Between some ends two classes that are left equally slowly follow each other: where one "
        "changes to the other is uniform over the gap, so that neighbours become alike only like "
        "one over its length, and the ends are not forgotten."
    )


def middle_alike(forgets: bool, rate: Any) -> str:
    """Say what predictions in the middle approach."""
    if forgets:
        return f"Between all ends the middle approaches one limit {fading(rate, MIDDLE)}."
    return (
        f"The middle approaches a limit {fading(rate, MIDDLE)}, so that neighbours become alike, "
        f"but the ends, or how far apart they are, decide which limit it is."
    )
