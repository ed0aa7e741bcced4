"""Run many cases of one experiment: in this process, in several, or on a cluster.

A case is a set of named parameters. An experiment is a function ``experiment(rng, **case)`` that
returns named results. `sweep` goes through the cases on any `concurrent.futures.Executor`; a case
draws from a generator of its own, which the seed of the sweep and the parameters of the case
alone decide. So the numbers do not depend on where a case ran, in which order, or beside which
others. (With other numbers of threads, products of matrices may differ in their last digit.)

With a file, a result is on disk as soon as it is there, and an interrupted sweep goes on from it.
"""

import argparse
import itertools
import json
import os
import pickle
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from sims.sweep.cases import Case, as_case, generator_of, key_of, listed, read, spelled, written
from sims.sweep.code import code_of
from sims.sweep.log_file import header, opened
from sims.sweep.results import Failure, Results
from theory._console.arguments import positive
from theory._console.executors import InProcess, Processes, executor_for
from theory._console.tasks import run_tasks
from theory.errors import InvalidInput
from theory.validation.arguments import as_integer

__all__ = [
    "add_arguments",
    "add_state_arguments",
    "from_arguments",
    "generator",
    "grid",
    "sweep",
]

Experiment = Callable[..., Mapping[str, Any]]


def grid(**parameters: Iterable[Any]) -> list[Case]:
    """All combinations of values of parameters; the last parameter runs fastest.

    >>> grid(length=(4, 6), repeat=range(2))
    [{'length': 4, 'repeat': 0}, {'length': 4, 'repeat': 1},
     {'length': 6, 'repeat': 0}, {'length': 6, 'repeat': 1}]
    >>> grid(length=())
    []
    """
    for name, values in parameters.items():
        if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
            raise InvalidInput(f"{name} must be a sequence of values, got {values!r}")
    return [
        dict(zip(parameters, values, strict=True))
        for values in itertools.product(*parameters.values())
    ]


def generator(seed: int, case: Mapping[str, Any]) -> np.random.Generator:
    """Return the generator that a case draws from, to run this case by hand.

    The order of the parameters does not matter, but 1 and 1.0 are not the same.

    >>> one, other = generator(0, {"p": 0.5, "repeat": 1}), generator(0, {"repeat": 1, "p": 0.5})
    >>> bool(one.random() == other.random())
    True
    """
    return generator_of(as_integer(seed, "seed", 0), key_of(as_case(case)))


def sweep(
    experiment: Experiment,
    cases: Iterable[Mapping[str, Any]],
    *,
    file: str | os.PathLike[str] | None = None,
    executor: Executor | None = None,
    seed: int = 0,
    progress: bool | None = None,
    other_code: bool = False,
) -> Results:
    r"""Go through the cases of an experiment.

    Parameters
    ----------
    experiment : callable
        ``experiment(rng, **case)`` returns a dict of results: numbers, strings, None, and lists
        or NumPy arrays of these, Fractions and the library's exact entropies. A function at the
        top level of a module, which other processes can import. It is to draw from `rng` alone.
        Lists reach it as tuples.
    cases : iterable of dict
        Such as `grid` makes. No case twice; parameters are of the types of results.
    file : path, optional
        Where results are kept as they finish. If it is there already, cases whose results it
        holds are not run again; those that failed are.
    executor : concurrent.futures.Executor, optional
        By default cases run in this process; see `executor_for`.
    seed : int
    progress : bool, optional
        Show a progress bar on standard error; by default on a terminal, and elsewhere a line
        every twenty seconds.
    other_code : bool
        Go on from a file even if the experiment, or what it uses, has changed since: its rows are
        then of both. Seen are functions, classes and constants of modules that are not installed,
        and the version of this package.

    Returns
    -------
    Results

    Raises
    ------
    InvalidInput
        For a case that is there twice or is no JSON, an experiment without a name, or a file that
        is of another experiment, seed or code, damaged, or in use by another sweep.
    BrokenExecutor
        If a case's worker ended each time: it is run again, beside no other, twice. Or if the
        cluster ends. What had finished is in the file; a lost case is no failed one.

    Examples
    --------
    >>> def power(rng, base, exponent):
    ...     return {"value": base**exponent}
    >>> results = sweep(power, grid(base=(2, 10), exponent=(0, 1)))
    >>> results.column("value").tolist()
    [1, 2, 1, 10]
    >>> [(mean.mean, mean.error) for mean in results.mean(of="value", by="base")]
    [(1.5, 0.5), (5.5, 4.5)]

    A case that fails does not stop the others:

    >>> results = sweep(power, [{"base": "2", "exponent": 1}, {"base": 2, "exponent": 3}])
    >>> results.rows
    ({'base': 2, 'exponent': 3, 'value': 8},)
    >>> print(*results.failed, sep="\n")
    base='2' exponent=1: TypeError: unsupported operand type(s) for ** or pow(): 'str' and 'int'
    """
    name, seed = _name(experiment), as_integer(seed, "seed", 0)
    if isinstance(executor, (ProcessPoolExecutor, Processes)):
        _check_importable(experiment)
    every = listed(cases)
    path = None if file is None else Path(file)
    code = {} if path is None else code_of(experiment)
    with opened(path, header(name, seed, code), other_code=other_code) as log:
        left = [key for key in every if key not in log.results]

        def keep(number: int, future: Future[dict[str, Any]]) -> None:
            try:
                record = future.result()
            except Exception as error:  # on the way to the worker or back
                record = _failure(left[number], error)
            log.write(record)

        run_tasks(
            InProcess() if executor is None else executor,
            partial(_run, experiment, seed),
            [(key,) for key in left],
            keep,
            doing="cases",
            noun="case",
            named=lambda number: spelled(read(json.loads(left[number]))),
            kept=log.where,
            progress=progress,
        )
    return Results(
        tuple(case | log.results[key] for key, case in every.items() if key in log.results),
        tuple(
            Failure(case, *log.failures[key]) for key, case in every.items() if key in log.failures
        ),
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--workers``, ``--scheduler``, ``--state`` and ``--other-code`` to a command."""
    group = parser.add_argument_group("where the cases run")
    where = group.add_mutually_exclusive_group()
    where.add_argument(
        "--workers", type=positive, metavar="N", help="in N processes (default: in this one)"
    )
    where.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="on the Dask cluster of this scheduler, such as tcp://localhost:8786 "
        "(needs zeroloss[cluster])",
    )
    add_state_arguments(group)


def add_state_arguments(parser: argparse._ActionsContainer) -> None:
    """Add ``--state`` and ``--other-code`` to a command."""
    parser.add_argument(
        "--state",
        type=_state,
        metavar="FILE",
        help="keep the results here as they finish, and go on from it",
    )
    parser.add_argument(
        "--other-code",
        action="store_true",
        help="go on from it even if the code has changed since",
    )


@contextmanager
def from_arguments(options: argparse.Namespace) -> Iterator[partial[Results]]:
    """Give `sweep`, with its file and executor as the options of a command say.

    >>> def double(rng, x):
    ...     return {"y": 2 * x}
    >>> parser = argparse.ArgumentParser()
    >>> add_arguments(parser)
    >>> with from_arguments(parser.parse_args([])) as run:
    ...     run(double, grid(x=(1, 2)), seed=3).column("y").tolist()
    [2, 4]
    """
    with executor_for(options.workers, options.scheduler) as executor:
        other_code = options.other_code
        yield partial(sweep, file=options.state, executor=executor, other_code=other_code)


def _state(name: str) -> Path:
    path = Path(name)
    if not name or path.is_dir():
        raise argparse.ArgumentTypeError(f"{name!r} is no name of a file")
    if not path.absolute().parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {path.absolute().parent}")
    return path


def _name(experiment: Any) -> str:
    """Module and name; a module that is run as a command goes by its own name."""
    name = getattr(experiment, "__qualname__", "<")
    if not callable(experiment) or "<" in name:  # such as <lambda> and <locals>
        raise InvalidInput(
            f"an experiment must be a function at the top level of a module, got {experiment!r}"
        )
    module = experiment.__module__
    spec = getattr(sys.modules.get(module), "__spec__", None)
    return f"{spec.name if spec else module}:{name}"


def _check_importable(experiment: Experiment) -> None:
    try:
        pickle.dumps(experiment)
    except Exception as error:
        raise InvalidInput(f"other processes cannot import the experiment: {error}") from None


def _run(experiment: Experiment, seed: int, key: str) -> dict[str, Any]:
    """Run a case, in a worker, and return its record in the log."""
    case = read(json.loads(key))
    try:
        results = experiment(generator_of(seed, key), **case)
        return {"case": json.loads(key), "results": written(_as_results(results, case))}
    except (Exception, SystemExit) as error:
        return _failure(key, error)


def _as_results(results: Any, case: Case) -> Case:
    if not isinstance(results, Mapping):
        raise InvalidInput(f"an experiment must return a dict of results, got {results!r}")
    for name in results:
        if name in case:
            raise InvalidInput(f"{name} is a parameter and cannot be a result as well")
    return as_case(results)


def _failure(key: str, error: BaseException) -> dict[str, Any]:
    text = "".join(traceback.format_exception_only(error)).strip()
    whole = "".join(traceback.format_exception(error))
    return {"case": json.loads(key), "error": text, "traceback": whole}
