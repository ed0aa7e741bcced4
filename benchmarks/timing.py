"""Least times over repeats: whatever else the machine does can only make a call slower."""

import time
from collections.abc import Callable
from typing import Any

Call = Callable[[], Any]

BURST = 0.01  # seconds for which a short call is repeated when its turn comes
ENOUGH = 3.0  # seconds that a call may use before it is left out of later turns


def nothing() -> None:
    """What there is to wait for on the host."""


def minima(
    repeats: int, calls: list[Call], synchronize: Call = nothing, always: int = 0
) -> list[float]:
    """Least seconds of each call. They take turns, so that a busy moment hits all of them.

    Parameters
    ----------
    repeats : int
        Turns of each call; fewer of one that has used `ENOUGH` seconds, but one at least.
    calls : list of callable
    synchronize : callable
        Waits until everything that was asked of a device has been done.
    always : int
        So many calls at the beginning take every turn, however slow: their ratio counts, and more
        turns of one of them would favour it.
    """
    least, used = [float("inf")] * len(calls), [0.0] * len(calls)
    for _ in range(repeats):
        for k, call in enumerate(calls):
            if k >= always and used[k] > ENOUGH:
                continue
            until = time.perf_counter() + BURST
            while True:
                synchronize()
                begin = time.perf_counter()
                result = call()
                synchronize()
                end = time.perf_counter()
                least[k] = min(least[k], end - begin)
                used[k] += end - begin
                del result  # freeing it does not count
                if end >= until:
                    break
    return least
