"""What a policy answers, checked: its choice of sites, and its chances.

An answer has to live where the sequences do: nothing is moved from one device to another for it.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from theory import MASK
from theory._core.arrays import array_namespace, device, is_exact, to_host
from theory._core.exact import all_rational, floats
from theory._core.plurals import counted
from theory._core.segments import any_true, row_counts
from theory.errors import InvalidInput
from theory.validation.probabilities import negative
from theory.validation.tolerances import tolerance

if TYPE_CHECKING:
    from sims.policies.base import Policy, TokenPolicy

__all__ = [
    "as_chances",
    "chances_of_rows",
    "check_chances",
    "check_choice",
    "check_outcome",
    "check_written",
    "checked_chances",
    "not_negative",
]

UNKNOWN = "whether the policy's chances sum to 1 is not known"


def check_choice(policy: "Policy", x: Any, flip: Any, used: Any = True) -> None:
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
    if tuple(flip.shape) != tuple(x.shape) or not _is_bool(flip):
        raise InvalidInput(
            f"the policy returned {flip.dtype} of shape {tuple(flip.shape)}; expected bool of "
            f"shape {tuple(x.shape)}"
        )
    if not policy.revises:
        observed = flip & (x != MASK)
        if any_true(observed):
            _refuse_rows("an observed site", (row_counts(observed) > 0) & used, x)
    if policy.steps is None:
        _refuse_rows("no site", (row_counts(flip) == 0) & used, x)


def _refuse_rows(problem: str, rows: Any, x: Any) -> None:
    if any_true(rows):
        raise InvalidInput(f"the policy selected {problem} at x = {_first_row(x, rows)}")


def _is_bool(x: Any) -> bool:
    return x.dtype == bool if isinstance(x, np.ndarray) else x.dtype == array_namespace(x).bool


def _lives_beside(found: Any, x: Any, what: str) -> bool:
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
            f"{device(x)}: nothing is moved for it. Let it answer with arrays that live there, or "
            f"give it a distribution that lives on the host"
        )
    return True


def _first_row(x: Any, rows: Any) -> list[int]:
    """The first of some rows, for a message."""
    at = int(array_namespace(x).argmax(array_namespace(x).astype(rows, x.dtype)))
    return to_host(x[at, ...]).tolist()


def as_chances(chance: Any, x: Any) -> Any:
    """One chance as a number, several as an array beside `x`; on the host they stay exact."""
    if isinstance(x, np.ndarray):
        chance = np.asarray(chance)
        return chance if chance.ndim else chance.item()
    if hasattr(chance, "shape") and chance.shape != () and _lives_beside(chance, x, "of chances"):
        return chance
    return float(chance)


def chances_of_rows(chance: Any, x: Any) -> Any:
    """The chances of all rows of `x` as an array beside it, (B,)."""
    xp, chance = array_namespace(x), as_chances(chance, x)
    if hasattr(chance, "shape"):
        return chance
    if isinstance(x, np.ndarray):
        return np.broadcast_to(np.asarray(chance), (x.shape[0],))
    return xp.full((x.shape[0],), chance, dtype=xp.float64, device=device(x))


def checked_chances(
    policy: "Policy", x: Any, chance: Any, flip: Any, *, exact: bool
) -> tuple[Any, Any]:
    """Check one outcome of a law.

    Parameters
    ----------
    policy : Policy
    x : array, shape (B, L)
    chance, flip : anything
        What the policy yielded.
    exact : bool
        Whether chances have to be Fractions.

    Returns
    -------
    chance : number, or array, shape (B,)
        Exact or a float; objects or float64.
    used : bool, or array of bool, shape (B,)
        The rows that the outcome concerns.
    """
    xp, chance = array_namespace(x), as_chances(chance, x)
    several = hasattr(chance, "shape")
    if several and chance.shape != (x.shape[0],):
        raise InvalidInput(
            f"the policy's chances have shape {chance.shape}; expected () or ({x.shape[0]},)"
        )
    if exact and not is_exact(np.asarray(chance)):
        raise InvalidInput(
            f"an exact distribution needs chances that are Fractions, got "
            f"{np.asarray(chance).flat[0]}"
        )
    rounding = 0 if exact else tolerance(chance).entry
    if several:
        chance = xp.astype(chance, object if exact else xp.float64)
    else:
        chance = chance if exact else float(chance)
    chance = not_negative(chance, "policy", rounding)
    used = chance != 0 if several else bool(chance != 0)
    check_choice(policy, x, flip, used)
    return chance, used


def not_negative(chance: Any, whose: str, rounding: float) -> Any:
    """Refuse negative chances, one or several; those above ``-rounding`` become 0."""
    several = bool(getattr(chance, "shape", ()))
    bad = negative(chance if hasattr(chance, "shape") else np.asarray(chance))
    if not any_true(bad):
        return chance
    xp = array_namespace(chance) if several else None
    least = xp.min(chance) if xp else chance
    if not least >= -rounding:
        raise InvalidInput(f"the {whose}'s chances must not be negative, got {least}")
    return xp.where(chance < 0, 0.0, chance) if xp else 0.0


def check_chances(total: Any, x: Any) -> None:
    """Refuse chances of the rows of `x` that do not sum to 1."""
    xp, total = array_namespace(x), chances_of_rows(total, x)
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
            f"the policy's chances sum to {found}, not to 1, at x = {to_host(x[row, ...]).tolist()}"
        )


def check_outcome(policy: "TokenPolicy", x: Any, outcome: tuple[Any, Any, Any, int]) -> None:
    """Refuse an outcome (rows, chances, sequences, calls) that does not fit its rows of `x`."""
    rows, chance, after, calls = outcome
    count, length = rows.shape[0], x.shape[1]
    expected = [((count,), chance), ((count, length), after)]
    if any(not hasattr(a, "shape") or tuple(a.shape) != s for s, a in expected):
        raise InvalidInput(
            f"{policy!r} gave chances of shape {np.shape(chance)} and sequences of shape "
            f"{np.shape(after)} for {counted(count, 'row')} of {counted(length, 'site')}"
        )
    if calls < 1:
        raise InvalidInput(f"{policy!r} took {counted(calls, 'call')} of the denoiser")


def check_written(policy: "TokenPolicy", x: Any, chance: Any, after: Any, vocab: int) -> Any:
    """Refuse sequences `after` that a policy may not write from the rows of `x`.

    Returns the chances, not negative.
    """
    chance = not_negative(chance, "policy", 0 if is_exact(chance) else tolerance(chance).entry)
    outside = (after < MASK) | (after >= vocab)
    if any_true(outside):
        token = to_host(after)[to_host(outside)][0]
        raise InvalidInput(f"{policy!r} wrote token {token} of 0..{vocab - 1}")
    seen = x != MASK
    changed = row_counts(seen & (after != x)) > 0
    wrong = changed | (row_counts((after != MASK) != seen) == 0)
    if any_true(wrong):
        raise InvalidInput(
            f"{policy!r} changed an observed token or wrote none, from x = "
            f"{to_host(x)[to_host(wrong)][0].tolist()}"
        )
    return chance
