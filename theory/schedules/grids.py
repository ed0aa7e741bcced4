"""Grids of revealed shares from 0 to 1, for ancestral (Bernoulli) decoding.

In the step from share a to share b each masked site is revealed with probability
``(b - a)/(1 - a)``. The cost of a grid is `theory.information.GainCurve.grid_cost`.
"""

import numpy as np

from theory._core.types import ArrayLike
from theory.distributions.sampling import check_draw
from theory.errors import InvalidInput
from theory.information.gain_curve import as_gain_curve
from theory.information.growth import block_parts
from theory.schedules.optimal import optimal
from theory.validation.arguments import as_integer
from theory.validation.times import as_levels, as_times

__all__ = ["best_grid", "block_grid", "equal_mass", "random_sizes"]

ANGLES = 2**13
"""Intervals over which ``sqrt(h')`` is integrated for an equal-mass grid."""


def equal_mass(profile: ArrayLike, steps: int) -> np.ndarray:
    """Grid of N steps that hold equal parts of ``int sqrt(h')``.

    As N grows, N times its cost tends to half of `theory.information.continuum_complexity`, and no
    grid does better in the limit. [ours]

    Parameters
    ----------
    profile : Distribution, GainCurve, or array_like of shape (L,)
        For independent sites, which have no gain, equal steps are returned.
    steps : int

    Returns
    -------
    ndarray, shape (steps + 1,)
        Accurate to about 1e-7 of the mass for 64 sites, 1e-5 for 4096.

    Examples
    --------
    Two equal bits: ``h(t) = 2 t`` bits has the same slope everywhere.

    >>> equal_mass([1, 0], 4).round(9).tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    curve = as_gain_curve(profile)
    steps = as_integer(steps, "steps", 1)
    ends = np.sin(np.linspace(0, np.pi / 2, ANGLES + 1)) ** 2
    middles = np.sin((np.arange(ANGLES) + 0.5) * (np.pi / 2 / ANGLES)) ** 2
    # the root is smooth in the angle (see `theory.information.growth.integrate`)
    density = np.sqrt(curve.derivative(middles)) * np.sqrt(middles * (1 - middles))
    mass = np.concatenate([[0.0], np.cumsum(density)])
    if mass[-1] <= 0:
        return np.linspace(0.0, 1.0, steps + 1)
    grid = np.interp(np.linspace(0, mass[-1], steps + 1), mass, ends)
    grid[0], grid[-1] = 0.0, 1.0
    return grid


def best_grid(profile: ArrayLike, steps: int, resolution: int = 512) -> np.ndarray:
    """Grid of least cost among those on multiples of ``1/resolution``.

    The cost is the left-Riemann error of ``-h``, so this is `optimal` on a finer axis.

    Parameters
    ----------
    profile : Distribution, GainCurve, or array_like of shape (L,)
    steps : int
        At most `resolution`.

    >>> best_grid([1, 0], 4, resolution=8).tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    curve = as_gain_curve(profile)
    resolution = as_integer(resolution, "resolution", 1)
    steps = as_integer(steps, "steps", 1)
    if steps > resolution:
        raise InvalidInput(f"steps must be at most the resolution {resolution}, got {steps}")
    sizes = optimal(-curve(np.arange(resolution) / resolution), rounds=steps)
    return np.concatenate([[0.0], np.cumsum(sizes) / resolution])


def block_grid(profile: ArrayLike, levels: ArrayLike, steps: int) -> np.ndarray:
    """Grid that is geometric in the odds within each block between neighbouring levels.

    One step leads to the first level and one from the last. The steps between are shared out in
    proportion to ``sqrt(S_k G_k)`` (see `theory.information.block_complexity`), at least one for
    each block. Source: K-block schedules of Wainwright (arXiv 2608.13520), read; rounding ours.

    Parameters
    ----------
    profile : Distribution, GainCurve, or array_like of shape (L,)
    levels : sequence of number
        At least two revealed shares, increasing, strictly between 0 and 1.
    steps : int
        At least the number of levels plus one.

    >>> block_grid([1, 0], [0.1, 0.9], 4).round(9).tolist()     # odds 1/9, 1, 9
    [0.0, 0.1, 0.5, 0.9, 1.0]
    """
    curve = as_gain_curve(profile)
    inner = [float(t) for t in as_levels(levels)]
    blocks = len(inner) - 1
    steps = as_integer(steps, "steps", blocks + 2)
    wanted = np.sqrt(np.prod(block_parts(curve, levels), axis=0))
    counts = np.ones(blocks, dtype=np.int64)
    for _ in range(steps - 2 - blocks):  # each further step goes where it saves most
        counts[np.argmax(wanted / counts)] += 1
    grid = [0.0]
    odds = [t / (1 - t) for t in inner]
    for k, count in enumerate(counts.tolist()):
        between = np.geomspace(odds[k], odds[k + 1], count + 1)[:-1]
        grid += (between / (1 + between)).tolist()
    return np.asarray([*grid, inner[-1], 1.0])


def random_sizes(times: ArrayLike, length: int, rng: np.random.Generator) -> tuple[int, ...]:
    """Draw the batch sizes of Bernoulli steps along a grid; steps that reveal nothing are left out.

    Each site is revealed in a step with the length of the step as its probability, so the sizes are
    multinomial. That random sizes adapt to the data is shown by arXiv 2602.20126 (abstract read);
    its own distribution of sizes was not seen.

    Parameters
    ----------
    times : sequence of number
        Revealed shares that rise from 0 to 1.
    length : int
    rng : numpy.random.Generator

    >>> random_sizes([0, 0.5, 1], 4, np.random.default_rng(0))
    (2, 2)
    """
    grid = np.asarray([float(t) for t in as_times(times)])
    length = as_integer(length, "length", 1)
    check_draw(rng, 1)
    drawn = rng.multinomial(length, np.diff(grid))
    return tuple(drawn[drawn > 0].tolist())
