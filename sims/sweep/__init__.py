"""Sweeps: many cases of an experiment, in parallel, resumable, with results on disk."""

from sims.sweep.results import Failure, Mean, Results
from sims.sweep.sweep import (
    add_arguments,
    executor_for,
    from_arguments,
    generator,
    grid,
    sweep,
)

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
