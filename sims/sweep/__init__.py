"""Sweeps: many cases of an experiment, in parallel, resumable, with results on disk."""

from sims.sweep.results import Failure, Mean, Results
from sims.sweep.sweep import add_arguments, from_arguments, generator, grid, sweep
from theory._console.executors import executor_for

__all__ = [
    "Failure",
    "Mean",
    "Results",
    "add_arguments",
    "executor_for",
    "from_arguments",
    "generator",
    "grid",
    "sweep",
]
