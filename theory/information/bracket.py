"""Rigorous bounds of the mean entropies where no closed form exists.

Hidden Markov models and mixtures have none. Ignoring what is hidden can only raise an entropy,
conditioning on it can only lower it; how each family does it stands with the family.
"""

from typing import NamedTuple

import numpy as np

from theory._core.arrays import from_host, to_host
from theory._core.types import Array
from theory.distributions.base import Distribution, check_distribution
from theory.information.units import in_units, not_negative

__all__ = ["Bracket", "bracket"]


class Bracket(NamedTuple):
    """Bounds of the mean entropies ``e_k`` of k random sites, shape (L+1,) each."""

    lower: Array
    upper: Array

    def profile(self) -> "Bracket":
        """Bounds of the profile ``f(j)``, shape (L,) each.

        The profile never increases, so ``f(j)`` is at most every mean of it that ends at j and at
        least every mean that begins there, and 0. A mean of the profile is a slope between two
        mean entropies.

        >>> means = Bracket(np.asarray([0.0, 1.0, 1.0]), np.asarray([0.0, 1.0, 1.5]))
        >>> lower, upper = means.profile()
        >>> lower.tolist(), upper.tolist()
        ([1.0, 0.0], [1.0, 0.5])
        """
        if self.lower is self.upper:
            exactly = self.lower[1:] - self.lower[:-1]
            return Bracket(exactly, exactly)
        low, high = to_host(self.lower), to_host(self.upper)
        length = low.shape[0] - 1
        lower, upper = low[1:] * 0, high[1:] * 0
        sites = np.arange(length + 1, dtype=np.int64)
        for j in range(length):
            before, after = sites[: j + 1], sites[j + 1 :]
            upper[j] = ((high[j + 1] - low[before]) / (j + 1 - before)).min()
            lower[j] = max(((low[after] - high[j]) / (after - j)).max(), 0.0)
        return Bracket(from_host(lower, self.lower), from_host(upper, self.upper))


def bracket(p: Distribution, *, base: float | None = None) -> Bracket:
    """Lower and upper bounds of the mean entropies, at any length.

    They differ for `HiddenMarkovModel` and `ProductMixture`, in polynomial time. For the other
    families both are the mean entropies. [ours]

    Raises
    ------
    TooLarge
        If another family has no mean entropies in reach.

    A fair bit, read 100 times with error 1/4: given the bit, each reading has entropy h(1/4),
    and the bit adds no more than 1.

    >>> from theory import ProductMixture
    >>> zero, one = [[0.75, 0.25]] * 100, [[0.25, 0.75]] * 100
    >>> low, high = bracket(ProductMixture([1, 1], [zero, one]), base=2)
    >>> round(float(low[100]), 4), round(float(high[100] - low[100]), 12)
    (81.1278, 1.0)
    """
    check_distribution(p)
    lower, upper = p.mean_entropy_bracket()
    low = in_units(not_negative(lower), base)
    return Bracket(low, low if lower is upper else in_units(not_negative(upper), base))
