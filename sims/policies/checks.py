"""Validation of what a policy returns: its choice of sites, and its probabilities.

That has to live where the sequences do: nothing is moved from one device to another for it.
"""

from typing import Any, Protocol

import numpy as np

from theory import MASK
from theory._core.arrays import array_namespace, device, is_exact, to_host
from theory._core.exact import all_rational, floats
from theory._core.plurals import counted
from theory._core.segments import any_true, row_counts
from theory._core.types import Array
from theory.errors import InvalidInput
from theory.validation.probabilities import negative
from theory.validation.tolerances import tolerance

__all__ = [
    "as_probabilities",
    "check_choice",
    "check_token_outcome",
    "check_total",
    "check_written",
    "checked_outcome",
    "not_negative",
    "row_probabilities",
]

UNKNOWN = "whether the policy's probabilities sum to 1 is not known"


class Chooser(Protocol):
    """What a choice of sites has to fit: see `Policy`."""

    remasks: bool

    @property
    def steps(self) -> int | None: ...


def check_choice(policy: Chooser, x: Array, flip: Any, used: Any = True) -> None:
    """Refuse a choice of sites that is no bool array, or selects what it may not.

    Parameters
    ----------
    policy : Policy
    x : array, shape (B, L)
    flip : anything
        What the policy returned.
    used : bool or array, shape (B,)
        The rows that the choice concerns.
    """
    if not _lives_beside(flip, x, "of bools"):
        raise InvalidInput(
            f"the policy returned {type(flip).__name__}; expected bool of shape {tuple(x.shape)}"
        )
    if tuple(flip.shape) != tuple(x.shape) or flip.dtype != array_namespace(x).bool:
        raise InvalidInput(
            f"the policy returned {flip.dtype} of shape {tuple(flip.shape)}; expected bool of "
            f"shape {tuple(x.shape)}"
        )
    if not policy.remasks:
        observed = flip & (x != MASK)
        if any_true(observed):
            _refuse_rows("an observed site", (row_counts(observed) > 0) & used, x)
    if policy.steps is None:
        _refuse_rows("no site", (row_counts(flip) == 0) & used, x)


def _refuse_rows(problem: str, rows: Array, x: Array) -> None:
    if any_true(rows):
        xp = array_namespace(x)
        first = int(xp.argmax(xp.astype(rows, x.dtype)))
        found = to_host(x[first, ...]).tolist()
        raise InvalidInput(f"the policy selected {problem} at x = {found}")


def _lives_beside(found: Any, x: Array, what: str) -> bool:
    """Whether it is an array of the backend of `x`; refuse one that lives elsewhere."""
    if isinstance(x, np.ndarray):
        return isinstance(found, np.ndarray)
    try:
        here = array_namespace(found) is array_namespace(x) and device(found) == device(x)
    except TypeError:
        return False
    if not here:
        raise InvalidInput(
            f"the policy returned an array {what} on {device(found)} for sequences on "
            f"{device(x)}: nothing is moved for it. Let it return arrays that live there, or "
            f"give it a distribution that lives on the host"
        )
    return True


def as_probabilities(found: Any, x: Array) -> Any:
    """One probability as a number, several as an array beside `x`; on the host they stay exact."""
    if isinstance(x, np.ndarray):
        found = np.asarray(found)
        return found if found.ndim else found.item()
    if getattr(found, "shape", ()) != () and _lives_beside(found, x, "of probabilities"):
        return found
    return float(found)


def row_probabilities(found: Any, x: Array) -> Array:
    """The probabilities of all rows of `x` as an array beside it, (B,)."""
    xp, found = array_namespace(x), as_probabilities(found, x)
    if hasattr(found, "shape"):
        return found
    if isinstance(x, np.ndarray):
        return np.broadcast_to(np.asarray(found), (x.shape[0],))
    return xp.full((x.shape[0],), found, dtype=xp.float64, device=device(x))


def checked_outcome(
    policy: Chooser, x: Array, found: Any, flip: Any, *, exact: bool
) -> tuple[Any, Any]:
    """Check one outcome of a choice.

    Parameters
    ----------
    policy : Policy
    x : array, shape (B, L)
    found, flip : anything
        The probability and the sites that the policy yielded.
    exact : bool
        Whether probabilities have to be Fractions.

    Returns
    -------
    probability : number, or array, shape (B,)
        Exact or a float; objects or float64.
    used : bool, or array of bool, shape (B,)
        The rows that the outcome concerns.
    """
    xp, found = array_namespace(x), as_probabilities(found, x)
    several = hasattr(found, "shape")
    if several and found.shape != (x.shape[0],):
        raise InvalidInput(
            f"the policy's probabilities have shape {found.shape}; expected () or ({x.shape[0]},)"
        )
    if exact and not is_exact(np.asarray(found)):
        raise InvalidInput(
            f"an exact distribution needs probabilities that are Fractions, got "
            f"{np.asarray(found).flat[0]}"
        )
    rounding = 0 if exact else tolerance(found).entry
    if several:
        found = xp.astype(found, object if exact else xp.float64)
    else:
        found = found if exact else float(found)
    found = not_negative(found, "policy", rounding)
    used = found != 0 if several else bool(found != 0)
    check_choice(policy, x, flip, used)
    return found, used


def not_negative(found: Any, whose: str, rounding: float) -> Any:
    """Refuse negative probabilities, one or several; those above ``-rounding`` become 0."""
    several = bool(getattr(found, "shape", ()))
    bad = negative(found if hasattr(found, "shape") else np.asarray(found))
    if not any_true(bad):
        return found
    xp = array_namespace(found) if several else None
    least = xp.min(found) if xp else found
    if not least >= -rounding:
        raise InvalidInput(f"the {whose}'s probabilities must not be negative, got {least}")
    return xp.where(found < 0, 0.0, found) if xp else 0.0


def check_total(total: Any, x: Array) -> None:
    """Refuse probabilities of the rows of `x` that do not sum to 1."""
    xp, total = array_namespace(x), row_probabilities(total, x)
    exact = is_exact(total) and all_rational(total)
    if exact:
        wrong = total != 1
    else:
        total = floats(total, UNKNOWN) if is_exact(total) else xp.astype(total, xp.float64)
        wrong = ~(xp.abs(total - 1) <= tolerance(total).sum)
    if any_true(wrong):
        row = int(xp.argmax(xp.astype(wrong, xp.int64)))
        found = str(total[row]) if exact else f"{float(total[row]):.10g}"
        raise InvalidInput(
            f"the policy's probabilities sum to {found}, not to 1, at x = "
            f"{to_host(x[row, ...]).tolist()}"
        )


def check_token_outcome(policy: object, x: Array, outcome: tuple[Array, Array, Array, int]) -> None:
    """Refuse an outcome that does not fit its rows of `x` (see `TokenPolicy.outcomes`)."""
    rows, found, after, calls = outcome
    count, length = rows.shape[0], x.shape[1]
    expected = [((count,), found), ((count, length), after)]
    if any(not hasattr(a, "shape") or tuple(a.shape) != s for s, a in expected):
        raise InvalidInput(
            f"{policy!r} gave probabilities of shape {np.shape(found)} and sequences of shape "
            f"{np.shape(after)} for {counted(count, 'row')} of {counted(length, 'site')}"
        )
    if calls < 1:
        raise InvalidInput(f"{policy!r} took {counted(calls, 'call')} of the denoiser")


def check_written(
    policy: Any, x: Array, found: Array, after: Array, vocab: int, given: Array | None = None
) -> Array:
    """Refuse sequences `after` that a policy may not write from the rows of `x`.

    One that remasks may write anything but at the `given` sites, bool (L,). Returns the
    probabilities, not negative.
    """
    found = not_negative(found, "policy", 0 if is_exact(found) else tolerance(found).entry)
    outside = (after < MASK) | (after >= vocab)
    if any_true(outside):
        token = to_host(after)[to_host(outside)][0]
        raise InvalidInput(f"{policy!r} wrote token {token} of 0..{vocab - 1}")
    seen, what = x != MASK, "changed an observed token or wrote none"
    if policy.remasks:
        seen, what = seen & (False if given is None else given), "changed a token that is given"
    wrong = row_counts(seen & (after != x)) > 0
    if not policy.remasks:
        wrong = wrong | (row_counts((after != MASK) != seen) == 0)
    if any_true(wrong):
        raise InvalidInput(f"{policy!r} {what}, from x = {to_host(x)[to_host(wrong)][0].tolist()}")
    return found
