"""Running many tasks on one executor, with progress, through lost workers and interruptions.

Sweeps, claims and figures run so. A result is handed on as soon as it is there; tasks that were
lost with their worker are run again; after an interruption every result that had finished is kept.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from queue import SimpleQueue
from typing import Any

from theory._console.progress import tracked
from theory._core.plurals import counted

__all__ = ["is_loss", "run_tasks"]

MAX_AHEAD = 1024
"""Most tasks that are submitted at a time, so that a million do not fill its memory."""

MAX_NAMED = 8
"""Most tasks that a message names; if so many are lost, no more are run."""

MAX_RETRIES = 2
"""How often a task whose worker ended is run again."""

LOST = (
    "a worker ended (killed, out of memory, or without the module it needs), or the whole cluster"
)

Task = tuple[Any, ...]


def is_loss(error: BaseException | None) -> bool:
    """Tell whether an error comes from the loss of a worker, not from the task.

    Errors of Dask are known by their module, so that Dask need not be installed.

    >>> is_loss(BrokenExecutor()), is_loss(ValueError())
    (True, False)
    """
    dask = type(error).__module__.partition(".")[0] == "distributed"
    return dask or isinstance(error, (BrokenExecutor, CancelledError))


def run_tasks(
    executor: Executor,
    function: Callable[..., Any],
    tasks: Sequence[Task],
    keep: Callable[[int, Future[Any]], None],
    *,
    doing: str,
    noun: str,
    named: Callable[[int], str] = str,
    kept: str = "",
    progress: bool | None = None,
) -> None:
    """Call a function with the arguments of each task, and hand on the results.

    Parameters
    ----------
    executor : Executor
    function : callable
    tasks : sequence of tuple
    keep : callable
        Called with the number of a task and its future, in the order in which they finish. A
        future that has failed has an error of the task. What `keep` raises ends the run.
    doing, progress
        As for `tracked`.
    noun, named, kept
        For the message about lost tasks: what a task is called, the name of the one with a number,
        and where the results are that had finished.

    Raises
    ------
    BrokenExecutor
        If a task lost its worker each time: it is run again, beside no other, twice. Or if the
        executor accepts no more tasks.

    >>> from theory._console.executors import InProcess
    >>> run_tasks(InProcess(), pow, [(2, 3), (3, 2)], lambda k, future: print(k, future.result()),
    ...           doing="raising", noun="power")
    0 8
    1 9
    """
    waiting: dict[Future[Any], int] = {}
    ended = _ended(executor, function, tasks, waiting)
    done: set[int] = set()

    def take(future: Future[Any]) -> None:
        keep(waiting[future], future)
        done.add(waiting.pop(future))  # after it was kept, which may be interrupted

    try:
        for _ in tracked(range(len(tasks)), progress, doing):
            take(next(ended))
    except BaseException as stop:
        for future in list(waiting):
            if not isinstance(stop, BrokenExecutor):  # which ends all futures itself
                future.cancel()
            if future.done() and not future.cancelled() and not future.exception():
                take(future)
        if isinstance(stop, BrokenExecutor):
            message = f"{len(done)} of {counted(len(tasks), noun)} had finished{kept}."
            left = [named(k) for k in range(len(tasks)) if k not in done][:MAX_NAMED]
            if left:
                message += " The first that had not:" + "".join(f"\n  {name}" for name in left)
            raise BrokenExecutor(f"{str(stop) or LOST}; {message}") from stop
        raise


def _ended(
    executor: Executor,
    function: Callable[..., Any],
    tasks: Sequence[Task],
    waiting: dict[Future[Any], int],
) -> Iterator[Future[Any]]:
    """Submit the tasks, and yield the future of each when it has ended, unless its worker was lost.

    A task that lost its worker may have ended it, or have been beside another that did. So it is
    run again, alone.
    """
    queue, suspects = deque(range(len(tasks))), list[int]()
    losses, given_up = Counter[int](), 0
    finished: SimpleQueue[Future[Any]] = SimpleQueue()
    while queue or suspects or waiting:
        beside = queue and len(waiting) < MAX_AHEAD
        alone = not queue and not waiting
        if finished.empty() and (beside or alone):
            k = queue.popleft() if beside else suspects.pop()
            future = executor.submit(function, *tasks[k])
            waiting[future] = k
            future.add_done_callback(finished.put)
            continue
        future = finished.get()
        if future not in waiting:  # it ended with its pool
            continue
        if not is_loss(error := _error(future)):
            yield future
            continue
        lost, running = [future], 1
        if isinstance(error, BrokenExecutor):  # then all of its pool end so
            lost = [each for each in waiting if is_loss(_error(each))]  # waits
            # Those that were being run are the first, and one more that had been sent.
            running = getattr(executor, "workers", getattr(executor, "_max_workers", MAX_AHEAD)) + 1
        numbers = [waiting.pop(each) for each in lost]
        queue.extend(numbers[running:])
        for k in numbers[:running]:
            losses[k] += 1
            if losses[k] <= MAX_RETRIES:
                suspects.append(k)
                continue
            given_up += 1
            if given_up == MAX_NAMED:  # no worker can be what they need
                raise BrokenExecutor
    if given_up:
        raise BrokenExecutor


def _error(future: Future[Any]) -> BaseException | None:
    return CancelledError() if future.cancelled() else future.exception()
