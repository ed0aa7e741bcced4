"""Refusal of work that would take too many steps; of too much memory, see `require_memory`."""

from theory.errors import TooLarge

__all__ = ["require_steps"]


def require_steps(steps: int, most: int, what: str) -> None:
    """Raise `TooLarge` if `what` takes more than `most` steps.

    >>> require_steps(12**9, 10**8, "a walk through 12 sites")
    Traceback (most recent call last):
    ...
    theory.errors.TooLarge: a walk through 12 sites takes about 5.2e+09 steps; at most 1e+08 are...
    """
    if steps > most:
        raise TooLarge(f"{what} takes about {_short(steps)} steps; at most {_short(most)} are made")


def _short(steps: int) -> str:
    return f"{steps:.2g}" if steps < 1e300 else f"1e{len(str(steps)) - 1}"
