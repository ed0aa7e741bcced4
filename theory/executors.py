"""Where work runs: in this process, in several, or on a Dask cluster."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Any

from theory.errors import InvalidInput
from theory.threads import THREADS, usable_cores
from theory.validation import as_integer

__all__ = ["InProcess", "as_finished", "executor_for", "worth_sharing"]


class InProcess(Executor):
    """Runs what is submitted at once.

    >>> InProcess().submit(pow, 2, 3).result()
    8
    """

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # and not an interruption
            future.set_exception(error)
        return future


@contextmanager
def executor_for(workers: int | None = None, scheduler: str | None = None) -> Iterator[Executor]:
    """Give an executor: of this process, of so many others, or of a Dask cluster.

    Other processes start afresh and import the module that is run: a script has to keep what it
    does behind ``if __name__ == "__main__":``. They multiply matrices in one thread each, unless
    the environment says otherwise. If the block is left by an error, they are ended at once.

    Parameters
    ----------
    workers : int, optional
        Number of processes.
    scheduler : str, optional
        Address of the cluster's scheduler, such as ``"tcp://localhost:8786"``. Needs Dask
        (``zeroloss[cluster]``), and this package on the cluster's workers.

    Raises
    ------
    InvalidInput
        For both, for a number below 1, without Dask, or if no scheduler answers.

    Examples
    --------
    >>> with executor_for() as executor:
    ...     executor.submit(pow, 2, 3).result()
    8
    """
    if workers is not None and scheduler is not None:
        raise InvalidInput("either workers or a scheduler can be given, not both")
    if scheduler is not None:
        with _cluster(scheduler) as executor:
            yield executor
    elif workers is not None:
        with _one_thread_each(), _processes(as_integer(workers, "workers", 1)) as executor:
            yield executor
    else:
        yield InProcess()


def as_finished(
    executor: Executor, function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]]
) -> Iterator[tuple[int, Any]]:
    """Call a function with the arguments of each task; yield its number and value when it ends.

    >>> list(as_finished(InProcess(), pow, [(2, 3), (3, 2)]))
    [(0, 8), (1, 9)]
    """
    if isinstance(executor, InProcess):
        for k, task in enumerate(tasks):
            yield k, function(*task)
        return
    futures = {executor.submit(function, *task): k for k, task in enumerate(tasks)}
    for future in as_completed(futures):
        yield futures[future], future.result()


def worth_sharing(workers: int | None, most: int) -> int | None:
    """Processes for a command: as many as asked for, else one a core, at most `most`.

    None, for `executor_for`, where that is not more than this process itself.

    >>> worth_sharing(1, 8), worth_sharing(3, 2), worth_sharing(None, 1)
    (None, 3, None)
    """
    count = min(usable_cores(), most) if workers is None else workers
    return count if count > 1 else None


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Set what new processes inherit: NumPy reads it while it is loaded."""
    if any(os.environ.get(name) for name in THREADS):
        yield
        return
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name in THREADS:
            os.environ.pop(name, None)


@contextmanager
def _processes(workers: int) -> Iterator[Executor]:
    pool = ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
    )
    try:
        yield pool
    except BaseException:
        processes = list((pool._processes or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)  # first: else the pool takes it for a crash
        for process in processes:
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _start_worker() -> None:
    """Leave Ctrl-C to the process that started this one, but end with it, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)


@contextmanager
def _cluster(scheduler: str) -> Iterator[Executor]:
    try:
        from distributed import Client
        from distributed.comm.addressing import resolve_address
    except ImportError:
        raise InvalidInput("a scheduler needs Dask: install zeroloss[cluster]") from None
    try:
        resolve_address(scheduler)  # a client of a wrong address would take its time to end
        client = Client(scheduler, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InvalidInput(f"no Dask scheduler answers at {scheduler!r}: {error}") from None
    with client:
        executor = client.get_executor(pure=False)
        try:
            yield executor
        except BaseException:
            executor.shutdown(wait=False)
            raise
