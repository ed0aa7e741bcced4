"""Entropies, total correlations and divergences.

On an exact distribution every function returns a linear form in the logarithms of primes.
"""

import math
from collections.abc import Iterable
from typing import Any

from theory._core.arrays import (
    MASK,
    array_namespace,
    is_exact,
    log,
    on_one_device,
    to_host,
    xlogx,
)
from theory._core.types import Array, ArrayLike, Number
from theory.distributions.base import Distribution, as_possible, check_distribution
from theory.errors import InvalidInput
from theory.information.units import in_units, not_negative
from theory.validation.arguments import as_numbers, as_sites
from theory.validation.probabilities import as_distribution

__all__ = [
    "dual_total_correlation",
    "entropy",
    "kl_divergence",
    "subset_entropies",
    "total_correlation",
]


def entropy(
    p: Distribution,
    sites: Iterable[int] | None = None,
    given: ArrayLike = None,
    *,
    base: float | None = None,
) -> Number:
    """Entropy of the tokens at some sites, given an observation.

    Parameters
    ----------
    p : Distribution
    sites : iterable of int, optional
        All sites if not given. Observed ones are constants and count for nothing.
    given : array_like of int, shape (L,), optional
        Observed tokens, with ``MASK`` elsewhere. The distribution is conditioned on this one
        event; nothing is averaged.
    base : float, optional
        Unit: nats if not given, 2 for bits.

    Returns
    -------
    scalar
        float64, or a `theory.LinearForm` if `p` is exact.

    Raises
    ------
    InvalidInput
    ImpossibleEvidence
        If the observation has probability 0.

    Notes
    -----
    Chains use a sum over neighbouring sites and empirical distributions group equal rows, so
    neither needs a table.

    >>> from theory import JointTable
    >>> entropy(JointTable([[1, 1], [1, 1]], exact=True), base=2)
    2
    """
    sites, given = _arguments(p, sites, given)
    value = p.subset_entropy(sites, given)
    return in_units(not_negative(value if p.exact else value + 0.0), base)  # no negative zero


def total_correlation(
    p: Distribution,
    sites: Iterable[int] | None = None,
    given: ArrayLike = None,
    *,
    base: float | None = None,
) -> Number:
    """Total correlation ``sum_i H(X_i) - H(X_S)``: the KL divergence from a joint to the product.

    What revealing all of `sites` in one parallel round costs. Arguments as for `entropy`.

    >>> from theory import MASK, JointTable
    >>> same = JointTable([[[1, 0], [0, 0]], [[0, 0], [0, 1]]], exact=True)
    >>> total_correlation(same, base=2)
    2
    >>> total_correlation(same, sites=[1, 2], base=2)
    1
    >>> total_correlation(same, given=[0, MASK, MASK])
    0
    """
    sites, given = _arguments(p, sites, given)
    value = p.sum_of_entropies(sites, given) - p.subset_entropy(sites, given)
    return in_units(not_negative(value), base)


def dual_total_correlation(
    p: Distribution,
    sites: Iterable[int] | None = None,
    given: ArrayLike = None,
    *,
    base: float | None = None,
) -> Number:
    """Dual total correlation ``H(X_S) - sum_i H(X_i | the others in S)``.

    Arguments as for `entropy`.

    >>> from theory import JointTable
    >>> same = JointTable([[[1, 0], [0, 0]], [[0, 0], [0, 1]]], exact=True)
    >>> dual_total_correlation(same, base=2)
    1
    """
    everything = sites is None and given is None
    sites, given = _arguments(p, sites, given)
    if everything:
        without = p.sum_of_entropies_without_one()
    else:
        without = sum(p.subset_entropy(tuple(j for j in sites if j != i), given) for i in sites)
    value = without - (len(sites) - 1) * p.subset_entropy(sites, given)
    return in_units(not_negative(value), base)


def subset_entropies(p: Distribution, *, base: float | None = None) -> Array:
    """Entropy of the tokens at every set of sites, shape (2,)*L; index 1: the site is in the set.

    Raises
    ------
    TooLarge
        If the evidence lattice would not fit.

    >>> from theory import JointTable
    >>> subset_entropies(JointTable([[1, 0], [0, 1]], exact=True), base=2).tolist()
    [[0, 1], [1, 1]]
    """
    check_distribution(p)
    return in_units(not_negative(p.subset_entropies()), base)


def kl_divergence(p: ArrayLike, q: ArrayLike, *, base: float | None = None) -> Number:
    """``KL(p || q) = sum p log(p / q)`` of two tables; infinite where q misses the support of p.

    Parameters
    ----------
    p, q : array_like of the same shape
        Probabilities that sum to 1: float64, or Fractions.

    Returns
    -------
    scalar
        ``inf`` (or SymPy's ``oo``) where q is 0 and p is not. A positive probability that
        became a 0 before it came here, too small for a float, cannot be distinguished from one.

    >>> kl_divergence([0.5, 0.5], [1.0, 0.0])
    inf
    >>> round(kl_divergence([1.0, 0.0], [0.25, 0.75], base=2), 12)
    2.0
    """
    p, q = as_distribution(p, "p"), as_distribution(q, "q")
    if p.shape != q.shape:
        raise InvalidInput(f"p and q have different shapes: {tuple(p.shape)}, {tuple(q.shape)}")
    if is_exact(p) != is_exact(q):  # floats win
        p, q = (as_numbers(x, "p and q") for x in (p, q))
    if is_exact(p):
        p, q = p.astype(object), q.astype(object)
        inside = p != 0
        if (q[inside] == 0).any():
            import sympy

            infinity: Any = sympy.oo
            return infinity
        return in_units((xlogx(p[inside]) - p[inside] * log(q[inside])).sum(), base)
    p, q = on_one_device(p, q)
    xp = array_namespace(p, q)
    if bool(xp.any((p > 0) & (q <= 0))):
        return math.inf
    safe = xp.where(p > 0, q, xp.ones_like(q))
    return in_units(not_negative(float(xp.sum(xlogx(p) - p * xp.log(safe)))), base)


def _arguments(
    p: Distribution, sites: Iterable[int] | None, given: ArrayLike
) -> tuple[tuple[int, ...], Any]:
    """Checked sites, without observed ones, and the checked pattern (L,)."""
    check_distribution(p)
    chosen = tuple(range(p.length)) if sites is None else as_sites(sites, p.length)
    if given is None:
        return chosen, None
    pattern = as_possible(p, given, "given")
    observed = to_host(pattern) != MASK  # constants: they carry no information
    return tuple(i for i in chosen if not observed[i]), pattern
