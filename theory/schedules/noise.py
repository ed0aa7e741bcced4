"""Noise schedules: the probability ``alpha(t)`` that a site is still clean at time t.

It falls from 1 at ``t = 0`` of the forward (masking) process to 0, or nearly, at ``t = 1``. Every
site is masked independently, so at level ``alpha`` a set S is exactly the clean one with
probability ``alpha^|S| (1 - alpha)^(L - |S|)``.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from theory.validation.arguments import as_integer, as_real

__all__ = ["Cosine", "GeometricOdds", "Linear", "LogLinear", "NoiseSchedule"]


class NoiseSchedule(ABC):
    """A decreasing function ``alpha`` of time in [0, 1]."""

    @abstractmethod
    def alpha(self, t: Any) -> Any:
        """Probability that a site is clean at time t."""

    @abstractmethod
    def slope(self, t: Any) -> Any:
        """Derivative of `alpha`."""

    def levels(self, steps: int) -> np.ndarray:
        """Levels at times 0, 1/steps, ..., 1, shape (steps + 1,).

        The ends are set to 1 and 0: decoding begins with nothing revealed and ends with
        everything, also where ``alpha`` only comes close.

        >>> Linear().levels(4)
        array([1.  , 0.75, 0.5 , 0.25, 0.  ])
        """
        steps = as_integer(steps, "steps", 1)
        levels = np.asarray(self.alpha(np.arange(steps + 1) / steps), dtype=np.float64)
        levels[0], levels[-1] = 1.0, 0.0
        return levels


@dataclass(frozen=True)
class Linear(NoiseSchedule):
    """``alpha = 1 - t``: the same number of sites, on average, in every step."""

    def alpha(self, t: Any) -> Any:
        return 1 - t

    def slope(self, t: Any) -> Any:
        return -1 + 0 * t


@dataclass(frozen=True)
class Cosine(NoiseSchedule):
    """``alpha = cos(pi t / 2)^2``: the Fisher-Rao geodesic of Bernoulli masking.

    Restated from arXiv 2508.04884. Other schedules go by the same name, for instance
    ``alpha = 1 - cos(pi (1 - t) / 2)``.

    >>> float(Cosine().alpha(0.5))
    0.5000000000000001
    """

    def alpha(self, t: Any) -> Any:
        return np.cos(np.pi * t / 2) ** 2

    def slope(self, t: Any) -> Any:
        return -np.pi / 2 * np.sin(np.pi * t)


@dataclass(frozen=True)
class LogLinear(NoiseSchedule):
    """``alpha = 1 - (1 - end) t``: total noise ``-log(alpha)`` of the log-linear form.

    Linear but for the level `end` that is left at ``t = 1``, as in the code of SEDD and MDLM.

    >>> LogLinear(end=0.5).alpha(1.0)
    0.5
    """

    end: float = 1e-3

    def __post_init__(self) -> None:
        as_real(self.end, "end", 0, 1, ends=False)

    def alpha(self, t: Any) -> Any:
        return 1 - (1 - self.end) * t

    def slope(self, t: Any) -> Any:
        return -(1 - self.end) + 0 * t


@dataclass(frozen=True)
class GeometricOdds(NoiseSchedule):
    """The odds ``alpha / (1 - alpha)`` fall geometrically, from ``1/end - 1`` to its inverse.

    >>> float(GeometricOdds(end=0.2).alpha(0.0)), float(GeometricOdds(end=0.2).alpha(0.5))
    (0.8, 0.5)
    """

    end: float = 1e-3

    def __post_init__(self) -> None:
        as_real(self.end, "end", 0, 0.5, ends=False)

    def alpha(self, t: Any) -> Any:
        return 1 / (1 + (1 / self.end - 1) ** (2 * t - 1))

    def slope(self, t: Any) -> Any:
        level = self.alpha(t)
        return -2 * math.log(1 / self.end - 1) * level * (1 - level)
