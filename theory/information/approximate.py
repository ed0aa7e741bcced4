"""Rigorous bounds and Monte Carlo estimates of the profile, where no closed form is in reach.

Hidden Markov models and mixtures have none. Ignoring what is hidden can only raise an entropy,
conditioning on it can only lower it; how each family does it stands with the family.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from theory._core.arrays import from_host, to_host
from theory._core.plurals import counted
from theory._core.types import Array
from theory.distributions.base import Distribution, check_distribution
from theory.distributions.random_orders import entropies_along
from theory.distributions.sampling import check_draw
from theory.errors import InvalidInput
from theory.information.units import in_units, not_negative

__all__ = ["Bracket", "Estimate", "bracket", "estimate_profile"]


class Bracket(NamedTuple):
    """Bounds of the mean entropies ``e_k`` of k random sites, shape (L+1,) each.

    >>> Bracket(np.asarray([0.0, 1.0, 1.0]), np.asarray([0.0, 1.0, 1.5]))
    <Bracket of 3 numbers, at most 0.5 wide>
    """

    lower: Array
    upper: Array

    def __repr__(self) -> str:
        numbers = counted(self.lower.shape[0], "number")
        if self.lower is self.upper:
            return f"<Bracket of {numbers}, known exactly>"
        apart = float(np.max(to_host(self.upper) - to_host(self.lower), initial=0.0))
        return f"<Bracket of {numbers}, at most {apart:.4g} wide>"

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


@dataclass(frozen=True, eq=False)
class Estimate:
    """An estimate with its standard error; ``mean, error = estimate`` unpacks the two.

    The standard error is that of what was drawn. An event too rare to be in the sample does not
    show in it, however much the event would add to the mean: see `unseen`.

    Attributes
    ----------
    mean : float or array
    standard_error : float or array of the same shape
    size : int
        How many independent draws the estimate is made of.

    >>> Estimate(1.25, 0.125, 100), Estimate(np.ones(3), np.asarray([0.0, 0.25, 0.0]), 100)
    (<Estimate 1.25 ± 0.12 from 100 draws>, <Estimate of 3 numbers, ± 0.25 at most, from 100 draws>)
    """

    mean: Any
    standard_error: Any
    size: int

    def __repr__(self) -> str:
        draws = counted(self.size, "draw")
        if not np.ndim(self.mean):
            return f"<Estimate {self.mean:.4g} ± {self.standard_error:.2g} from {draws}>"
        numbers, most = counted(np.size(self.mean), "number"), np.max(self.standard_error)
        return f"<Estimate of {numbers}, ± {most:.2g} at most, from {draws}>"

    def __iter__(self) -> Iterator[Any]:
        yield self.mean
        yield self.standard_error

    @property
    def error(self) -> Any:
        """The standard error."""
        return self.standard_error

    @property
    def unseen(self) -> float:
        """Upper 95 % limit of the probability of an event that no draw showed: about 3 / size.

        An event of greater probability would be in the sample 19 times of 20. If it adds at most M
        (for the entropy of one token, log V), a mean may be off by ``unseen * M`` beyond its
        standard error.

        >>> round(Estimate(0.0, 0.0, 100).unseen, 4)        # 0.95 ** 100 is far below 0.05
        0.0295
        """
        return 1 - 0.05 ** (1 / self.size)


def estimate_profile(
    p: Distribution, rng: np.random.Generator, size: int, *, base: float | None = None
) -> Estimate:
    """Estimate the profile from sequences of `p` that are revealed in random order.

    The entropy of the prediction for the next site of a random order, given j random others, has
    mean ``f(j)``. (So has the surprisal of the token that stands there, with a greater variance.)
    Entries of different j share their sequences, so their errors are correlated. Contexts that are
    rare and were not drawn are in neither number; `Estimate.unseen` says how rare they must be.

    A profile never increases. So the mean is the closest one that does not, by isotonic regression
    with weights by the standard errors. That brings it nearer to the profile, and makes it slightly
    biased where the errors are as large as its falls. It can be given to `theory.schedules` and
    `theory.bounds` as it is. But a schedule that is best for an estimate is fitted to its noise as
    well, and costs more than the estimate says: measure it by a second estimate, or by
    `sims.estimate_path_kl` with `RandomOrder`.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws the sequences and the orders.
    size : int
        Number of sequences, at least 2. The work is ``L`` predictions of `size` patterns, of one
        site each for chains, hidden chains and given sequences.

    Returns
    -------
    Estimate
        Arrays ``mean`` and ``standard_error``, shape (L,), on the host, and the size. The errors
        are those of the means before the regression.

    >>> from theory import gallery
    >>> f, error = estimate_profile(gallery.repeated_bit(3), np.random.default_rng(0), 4, base=2)
    >>> f.tolist(), error.tolist()
    ([1.0, 0.0, 0.0], [0.0, 0.0, 0.0])

    Two bits that differ once in 5,000: f(1) is the entropy of 1/5000, whether or not one was drawn.

    >>> p = gallery.binary_symmetric(2, 1 / 5000)
    >>> estimate_profile(p, np.random.default_rng(0), 100).mean[1].round(6)
    np.float64(0.001903)
    """
    entropies = drawn_entropies(p, rng, size)
    error = entropies.std(axis=0, ddof=1) / np.sqrt(len(entropies))
    mean = falling(entropies.mean(axis=0) + 0.0, error, len(entropies))
    return Estimate(in_units(mean, base), in_units(error, base), len(entropies))


def drawn_entropies(p: Distribution, rng: np.random.Generator, size: int) -> np.ndarray:
    """Entropies of the predictions along random orders, shape (size, L): unbiased for ``f(j)``.

    >>> from theory import gallery
    >>> drawn = drawn_entropies(gallery.repeated_bit(3), np.random.default_rng(0), 2)
    >>> (drawn / np.log(2)).tolist()
    [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
    """
    check_distribution(p)
    size = check_draw(rng, size)
    if size < 2:
        raise InvalidInput(f"size must be an integer of at least 2, got {size}")
    sequences = to_host(p.sample(rng, size))
    sites = np.arange(p.length, dtype=np.int64)
    order = rng.permuted(np.broadcast_to(sites, sequences.shape), axis=1)
    return entropies_along(p, sequences, order)


def falling(mean: np.ndarray, error: np.ndarray, size: int) -> np.ndarray:
    """The closest numbers that never increase: isotonic regression, weighted by the errors.

    No error counts as less than what one draw of the greatest entropy adds to a mean: that of an
    event which no draw showed is 0, and says nothing.

    >>> falling(np.asarray([2.0, 0.5, 1.0]), np.asarray([0.1, 0.2, 0.2]), 100).tolist()
    [2.0, 0.75, 0.75]
    """
    if (np.diff(mean) <= 0).all():
        return mean
    from scipy.optimize import isotonic_regression

    weights = 1 / np.maximum(error, mean.max() / size) ** 2
    return isotonic_regression(mean, weights=weights / weights.max(), increasing=False).x
