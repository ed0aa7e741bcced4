"""Executors: in this process, in several, or on a Dask cluster."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import (
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    InvalidStateError,
    ProcessPoolExecutor,
)
from contextlib import contextmanager, suppress
from typing import Any

from theory._core.resources import THREADS, usable_cores
from theory.errors import InvalidInput
from theory.validation.arguments import as_integer

__all__ = ["InProcess", "Processes", "executor_for", "worth_sharing"]

PATIENCE = 60.0
"""Seconds that a cluster may be without workers, after it had some, or not answer."""

POLL = 2.0
"""Seconds between two requests to its scheduler."""


class InProcess(Executor):
    """Runs what is submitted immediately, in this process.

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


class Processes(Executor):
    """A pool of processes that is replaced when something is submitted after one of them has died.

    What the old pool had is lost, as with any `ProcessPoolExecutor`.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.pool = self._new()

    def _new(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self.workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_start_worker,
        )

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        try:
            return self.pool.submit(fn, *args, **kwargs)
        except BrokenExecutor:
            self.pool.shutdown(cancel_futures=True)
            self.pool = self._new()
            return self.pool.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self.pool.shutdown(wait, cancel_futures=cancel_futures)

    def __exit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None:
        """Terminate the processes after an error, else wait for what they run."""
        if exc_val is not None:
            processes = list((self.pool._processes or {}).values())
            self.shutdown(wait=False, cancel_futures=True)  # first: else it looks like a crash
            for process in processes:
                process.terminate()
        self.shutdown(cancel_futures=True)


@contextmanager
def executor_for(workers: int | None = None, scheduler: str | None = None) -> Iterator[Executor]:
    """Give an executor: of this process, of so many others, or of a Dask cluster.

    Other processes start afresh and import the module that is run: a script has to keep what it
    does behind ``if __name__ == "__main__":``. They multiply matrices in one thread each, unless
    the environment says otherwise. If the block is left by an error, they are ended at once.

    If a process ends by itself, what was submitted fails with BrokenExecutor; later work runs in
    new processes. On a cluster this error comes when all workers have gone, or the scheduler has
    not answered, for a minute.

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
        with _one_thread_each(), Processes(as_integer(workers, "workers", 1)) as executor:
            yield executor
    else:
        yield InProcess()


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
        resolve_address(scheduler)  # a client of a wrong address is slow to end
        client = Client(scheduler, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InvalidInput(f"no Dask scheduler answers at {scheduler!r}: {error}") from None
    with client, _Watched(client) as executor:
        yield executor


class _Watched(Executor):
    """A Dask client's executor whose futures fail when the cluster is gone.

    Dask itself waits for ever, for workers that may still come.
    """

    def __init__(self, client: Any) -> None:
        self.client, self.inner = client, client.get_executor(pure=False)
        self.waiting: set[Future[Any]] = set()
        self.lock, self.ended = threading.Lock(), threading.Event()
        self.gone = ""
        self.had = bool(self._workers())  # before the first case may end them
        threading.Thread(target=self._watch, daemon=True).start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        outer: Future[Any] = Future()
        with self.lock:
            if self.gone:
                raise BrokenExecutor(self.gone)
            self.waiting.add(outer)
        inner = self.inner.submit(fn, *args, **kwargs)

        def passed_on(inner: Future[Any]) -> None:
            self.waiting.discard(outer)
            with suppress(InvalidStateError):  # given up, or cancelled by who waited for it
                if inner.cancelled():
                    outer.set_exception(CancelledError())
                elif error := inner.exception():
                    outer.set_exception(error)
                else:
                    outer.set_result(inner.result())

        inner.add_done_callback(passed_on)
        outer.add_done_callback(lambda outer: outer.cancelled() and inner.cancel())
        return outer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self.inner.shutdown(wait=wait and not cancel_futures and not self.gone)

    def __exit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None:
        if exc_val is not None:
            self.shutdown(wait=False)
        self.ended.set()

    def _workers(self) -> Any:
        return self.client.sync(self.client.scheduler.ncores, callback_timeout=PATIENCE)

    def _watch(self) -> None:
        had, since = self.had, time.monotonic()
        while not self.ended.wait(POLL):
            try:
                workers = self._workers()
                why = "all workers of the cluster have gone"
            except Exception:  # of any kind: closed, out of time, unreadable
                workers, had = {}, True
                why = "the scheduler of the cluster does not answer"
            had = had or bool(workers)
            if workers or not had:  # those of a batch system may come after hours
                since = time.monotonic()
            elif time.monotonic() - since > PATIENCE:
                break
        else:
            return
        with self.lock:
            self.gone = why
            lost, self.waiting = self.waiting, set()
        for future in list(lost):
            with suppress(InvalidStateError):  # it has just ended
                future.set_exception(BrokenExecutor(why))
