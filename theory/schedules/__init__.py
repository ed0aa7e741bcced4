"""Schedules: noise levels over time, batch sizes over rounds, grids of revealed shares.

==========================  =======================================================================
kind                        functions
==========================  =======================================================================
noise ``alpha(t)``          `Linear`, `Cosine`, `LogLinear`, `GeometricOdds`
batch sizes (tuple of int,  `uniform`, `total_correlation`, `dual_total_correlation`,
summing to the length)      `batch_sizes` of a noise schedule, `optimal` for rounds or for a target,
                            `minimax` for the worst distribution, `random_sizes` of a grid,
                            `every` one there is
random batch sizes          `RandomSizes`, those of `minimax` with ``random=True``
grids (revealed shares      `equal_mass`, `best_grid`, `block_grid`
from 0 to 1)
==========================  =======================================================================

Batch sizes, random ones too, go to ``policies.RandomOrder``, grids to ``policies.Bernoulli`` of
package `sims`.
"""

from theory.schedules.drawn_sizes import RandomSizes
from theory.schedules.grids import best_grid, block_grid, equal_mass, random_sizes
from theory.schedules.minimax import MinimaxSizes, minimax
from theory.schedules.noise import Cosine, GeometricOdds, Linear, LogLinear, NoiseSchedule
from theory.schedules.optimal import optimal
from theory.schedules.sizes import (
    batch_sizes,
    dual_total_correlation,
    every,
    total_correlation,
    uniform,
)

__all__ = [
    "Cosine",
    "GeometricOdds",
    "Linear",
    "LogLinear",
    "MinimaxSizes",
    "NoiseSchedule",
    "RandomSizes",
    "batch_sizes",
    "best_grid",
    "block_grid",
    "dual_total_correlation",
    "equal_mass",
    "every",
    "minimax",
    "optimal",
    "random_sizes",
    "total_correlation",
    "uniform",
]
