"""Mutual information with the right context, and cross-entropies of infilling with and without it.

For a site i, sets A of known sites on its left and B on its right, the right context adds

    H(X_i | X_A) - H(X_i | X_A, X_B)  =  I(X_i; X_B | X_A)  >=  0.

A model that fills a gap G from left to right and does not look at what follows writes from
``prod_i p(x_i | x_<i)`` where data have ``p(x_G | rest)``. Per token it has the cross-entropy
``sum_i H(X_i | X_<i) / |G|``. For the whole gap that is ``I(X_G; X_right | X_left)`` more than the
entropy ``H(X_G | rest)``: the price of not conditioning on what comes later, which was known.
"""

from collections.abc import Iterable
from typing import NamedTuple

from theory._core.types import Number
from theory.distributions.base import Distribution, check_distribution
from theory.errors import InvalidInput
from theory.information.entropies import entropy
from theory.information.units import not_negative
from theory.validation.arguments import as_sites

__all__ = ["Infilling", "infilling", "information_from_right"]


class Infilling(NamedTuple):
    """Cross-entropies of a filled gap, per token.

    Attributes
    ----------
    both_sides : number
        Of a model that knows everything around the gap: ``H(X_G | rest) / |G|``.
    left_only : number
        Of one that fills it from left to right and knows nothing further right.
    price : number
        Their difference for the whole gap, ``I(X_G; X_right | X_left)`` if it has no holes.
    """

    both_sides: Number
    left_only: Number
    price: Number


def information_from_right(
    p: Distribution,
    site: int,
    left: Iterable[int] | None = None,
    right: Iterable[int] | None = None,
    *,
    base: float | None = None,
) -> Number:
    """Information ``I(X_i; X_B | X_A)`` of a site with the right context, given the left one.

    Parameters
    ----------
    p : Distribution
    site : int
    left, right : iterable of int, optional
        Known sites A and B on both sides; all that there are if not given.
    base : float, optional
        Unit: nats if not given, 2 for bits.

    Returns
    -------
    number
        float64, or an exact number if `p` is exact.

    Of three bits with an even sum the last decides the middle one, once the first is known:

    >>> from theory import gallery
    >>> p = gallery.parity(3, exact=True)
    >>> information_from_right(p, 1, base=2), information_from_right(p, 1, left=[], base=2)
    (1, 0)
    """
    check_distribution(p)
    (site,) = as_sites([site], p.length, "site")
    before = as_sites(range(site) if left is None else left, p.length, "left")
    after = as_sites(range(site + 1, p.length) if right is None else right, p.length, "right")
    if before and before[-1] >= site:
        raise InvalidInput(f"left must hold sites before {site}, got {before[-1]}")
    if after and after[0] <= site:
        raise InvalidInput(f"right must hold sites after {site}, got {after[0]}")
    left_only = _conditional_entropy(p, (site,), before, base)
    return not_negative(left_only - _conditional_entropy(p, (site,), before + after, base))


def infilling(p: Distribution, gap: Iterable[int], *, base: float | None = None) -> Infilling:
    """Cross-entropies of filling a gap with the context on both sides, and from left to right.

    Parameters
    ----------
    p : Distribution
    gap : iterable of int
        Sites to be filled; all others are known.
    base : float, optional
        Unit: nats if not given, 2 for bits.

    Of three bits with an even sum, one of the first two is decided if the last one is known:

    >>> from theory import gallery
    >>> infilling(gallery.parity(3, exact=True), [0, 1], base=2)
    Infilling(both_sides=1/2, left_only=1, price=1)
    """
    check_distribution(p)
    gap = as_sites(gap, p.length, "gap")
    if not gap:
        raise InvalidInput("gap must hold at least one site")
    rest = tuple(i for i in range(p.length) if i not in set(gap))
    both = _conditional_entropy(p, gap, rest, base)
    left = sum(_conditional_entropy(p, (i,), tuple(range(i)), base) for i in gap)
    return Infilling(both / len(gap), left / len(gap), not_negative(left - both))


def _conditional_entropy(
    p: Distribution, sites: tuple[int, ...], known: tuple[int, ...], base: float | None
) -> Number:
    both = tuple(sorted((*sites, *known)))
    return not_negative(entropy(p, both, base=base) - entropy(p, known, base=base))
