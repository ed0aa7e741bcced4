"""Entropies as free symbols, so that what is linear in them is checked for all distributions.

What random-order decoding costs is linear in the entropies ``H(S)`` of sets of sites. An equality
that holds with one free symbol for each set has equal coefficients on both sides, and holds for
every distribution of that length over every vocabulary.

An inequality can be checked the same way: the profile falls by ``d_j = f(j) - f(j+1) >= 0``
(claim I1), and where both sides are linear in these falls it is enough that no coefficient of
the slack is negative, which `theory.claims.kit.inequality.excess` finds.
"""

import itertools
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from theory import schedules
from theory._core.log_numbers import LinearForm
from theory._core.types import Array, Number
from theory.distributions.base import Distribution
from theory.errors import InvalidInput

__all__ = ["FreeEntropies", "FreeProfile", "profiles_and_schedules"]


class _Unknown(Distribution):
    """A distribution of which only entropies are known, as symbols."""

    exact = True

    def __init__(self, length: int, entropies: np.ndarray) -> None:
        self._describe(length, 2, None)
        self._entropies = entropies

    @property
    def like(self) -> Array:
        return self._entropies

    def _predict(self, x: Array) -> NoReturn:
        raise InvalidInput("free entropies have no probabilities")

    def _log_evidence(self, x: Array) -> NoReturn:
        raise InvalidInput("free entropies have no probabilities")

    def sample(self, rng: np.random.Generator, size: int) -> NoReturn:
        """There is nothing to draw from."""
        raise InvalidInput("free entropies have no probabilities")


class FreeEntropies(_Unknown):
    """One symbol for the entropy of each set of sites.

    >>> from theory import information
    >>> information.total_correlation(FreeEntropies(2))
    H_0 - H_01 + H_1
    """

    def __init__(self, length: int) -> None:
        import sympy

        table = np.empty((2,) * length, dtype=object)
        between = "" if length <= 10 else ","
        for index in itertools.product((0, 1), repeat=length):
            name = between.join(str(i) for i in range(length) if index[i])
            symbol = {sympy.Symbol(f"H_{name}"): 1} if name else {}
            table[index] = LinearForm(symbol)
        super().__init__(length, table)

    def subset_entropies(self) -> Array:
        """The symbols, shape (2,)*L."""
        return self._entropies

    def subset_entropy(self, sites: Sequence[int], given: Array | None = None) -> Number:
        """The symbol of a set of sites."""
        return self._entropies[tuple(int(i in sites) for i in range(self.length))]

    def sum_of_entropies(self, sites: Sequence[int], given: Array | None = None) -> Number:
        """Sum of the symbols of single sites."""
        return sum(self.subset_entropy((i,)) for i in sites)

    def conditional_total_correlation(self, sites: Sequence[int], known: Sequence[int]) -> Number:
        """Mean total correlation of `sites` given the tokens at `known`."""
        before = self.subset_entropy(known)
        alone = sum(self.subset_entropy((i, *known)) - before for i in sites)
        return alone - (self.subset_entropy((*sites, *known)) - before)


class FreeProfile(_Unknown):
    """Mean entropies in symbols of how much the profile falls, which is never negative.

    Attributes
    ----------
    falls : tuple of Symbol
        ``d_j = f(j) - f(j+1)``, j = 0..L-2.
    last : Symbol
        ``f(L-1)``.

    >>> from theory import information
    >>> information.gains(FreeProfile(3)).tolist()
    [0, 3*d_0, 3*d_0 + 3*d_1]
    >>> information.total_correlation(FreeProfile(3))
    2*d_0 + d_1
    """

    def __init__(self, length: int) -> None:
        import sympy

        self.falls = tuple(sympy.symbols(f"d_:{length - 1}", nonnegative=True))
        self.last = sympy.Symbol("f", nonnegative=True)
        steps = (*self.falls, self.last)
        profile = [LinearForm(dict.fromkeys(steps[j:], 1)) for j in range(length)]
        means = list(itertools.accumulate(profile, initial=LinearForm({})))
        super().__init__(length, np.asarray(means, dtype=object))

    def mean_subset_entropies(self) -> Array:
        """The mean entropies, shape (L+1,)."""
        return self._entropies

    def subset_entropy(self, sites: Sequence[int], given: Array | None = None) -> Number:
        """The entropy of all sites; those of others are not known."""
        self._all_of(sites)
        return self._entropies[-1]

    def sum_of_entropies(self, sites: Sequence[int], given: Array | None = None) -> Number:
        """The sum over all sites, which their mean gives."""
        self._all_of(sites)
        return self.length * self._entropies[1]

    def sum_of_entropies_without_one(self) -> Number:
        """The sum over all sites of the entropy of the others."""
        return self.length * self._entropies[-2]

    def _all_of(self, sites: Sequence[int]) -> None:
        if len(sites) < self.length:
            raise InvalidInput(
                f"a profile has means over all sets of a size, not what is asked of sites {sites}"
            )


def profiles_and_schedules(most: int) -> list[dict[str, Any]]:
    """Every profile of up to so many sites with every schedule, as arguments of a residual."""
    lengths = range(2, most + 1)
    return [{"p": FreeProfile(n), "sizes": s} for n in lengths for s in schedules.every(n)]
