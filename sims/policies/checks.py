"""What a policy answers, checked: its choice of sites, and its chances.

An answer has to live where the sequences do: nothing is moved from one device to another for it.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from theory import MASK
from theory.arrays import array_namespace, device, is_exact, to_host
from theory.errors import InvalidInput

if TYPE_CHECKING:
    from sims.policies.base import Policy

__all__ = ["SUM_TOLERANCE", "as_chances", "check_chances", "check_choice", "checked_chances"]


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
    xp = array_namespace(x)
    if not _lives_beside(flip, x, "of bools"):
        raise InvalidInput(
            f"the policy returned {type(flip).__name__}; expected bool of shape {tuple(x.shape)}"
        )
    if tuple(flip.shape) != tuple(x.shape) or not _is_bool(flip):
        raise InvalidInput(
            f"the policy returned {flip.dtype} of shape {tuple(flip.shape)}; expected bool of "
            f"shape {tuple(x.shape)}"
        )
    wrong = {}
    if not policy.revises:
        wrong["an observed site"] = xp.any(flip & (x != MASK), axis=1) & used
    if policy.steps is None:
        wrong["no site"] = ~xp.any(flip, axis=1) & used
    for problem, rows in wrong.items():
        if bool(xp.any(rows)):
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
    """A number or an array of chances as an array beside `x`; on the host numbers stay exact."""
    if isinstance(x, np.ndarray):
        return np.asarray(chance)
    if hasattr(chance, "shape") and chance.shape != () and _lives_beside(chance, x, "of chances"):
        return chance
    xp = array_namespace(x)
    return xp.asarray(float(chance), dtype=xp.float64, device=device(x))


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
    chance : array, shape () or (B,)
        Objects or float64.
    used : array of bool, shape (B,)
        The rows that the outcome concerns.
    """
    xp, chance = array_namespace(x), as_chances(chance, x)
    if chance.shape not in ((), (x.shape[0],)):
        raise InvalidInput(
            f"the policy's chances have shape {chance.shape}; expected () or ({x.shape[0]},)"
        )
    if exact and not is_exact(chance):
        raise InvalidInput(
            f"an exact distribution needs chances that are Fractions, got {chance.flat[0]}"
        )
    chance = xp.astype(chance, object if exact else xp.float64)
    if not bool(xp.all(chance >= 0)):
        raise InvalidInput(f"the policy's chances must not be negative, got {xp.min(chance)}")
    used = xp.broadcast_to(chance != 0, (x.shape[0],))
    check_choice(policy, x, flip, used)
    return chance, used


def check_chances(total: Any, x: Any) -> None:
    """Refuse chances of the rows of `x` that do not sum to 1."""
    xp = array_namespace(x)
    total = xp.astype(as_chances(total, x), xp.float64)
    wrong = ~(xp.abs(total - 1) <= SUM_TOLERANCE)
    if bool(xp.any(wrong)):
        sums, wrong = (xp.broadcast_to(each, (x.shape[0],)) for each in (total, wrong))
        row = int(xp.argmax(xp.astype(wrong, xp.int64)))
        raise InvalidInput(
            f"the policy's chances sum to {float(sums[row]):.10g}, not to 1, at x = "
            f"{_first_row(x, wrong)}"
        )


SUM_TOLERANCE = 1e-9
"""How far from 1 the chances of a policy may sum."""
