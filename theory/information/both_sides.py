"""What context on both sides is worth: infilling against going on from the left.

For a site i, sets A of known sites on its left and B on its right,

    H(X_i | X_A) - H(X_i | X_A, X_B)  =  I(X_i; X_B | X_A)  >=  0

is what the right context adds. A model that fills a gap G from left to right and does not look at
what follows writes from ``prod_i p(x_i | x_<i)`` where data have ``p(x_G | rest)``. Per token it
pays the cross-entropy ``sum_i H(X_i | X_<i) / |G|``, of which ``I(X_G; X_right | X_left)`` in all
is the price of deciding early: what comes later was known, and is not taken into account.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

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

    both_sides: Any
    left_only: Any
    price: Any


def information_from_right(
    p: Distribution,
    site: int,
    left: Iterable[int] | None = None,
    right: Iterable[int] | None = None,
    *,
    base: float | None = None,
) -> Any:
    """What known tokens on the right add to those on the left: ``I(X_i; X_B | X_A)``.

    Parameters
    ----------
    p : Distribution
    site : int
    left, right : iterable of int, optional
        Known sites on both sides; all that there are if not given.
    base : float, optional
        Unit: nats if not given, 2 for bits.

    Returns
    -------
    number
        float64, or an exact number if `p` is exact.

    Raises
    ------
    InvalidInput

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
    alone, both = (_given(p, (site,), known, base) for known in (before, before + after))
    return not_negative(alone - both)


def infilling(p: Distribution, gap: Iterable[int], *, base: float | None = None) -> Infilling:
    """Compare filling a gap from both sides with filling it from left to right.

    Parameters
    ----------
    p : Distribution
    gap : iterable of int
        Sites to be filled; all others are known.
    base : float, optional
        Unit: nats if not given, 2 for bits.

    Returns
    -------
    Infilling

    Raises
    ------
    InvalidInput

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
    both = _given(p, gap, rest, base)
    left = sum(_given(p, (i,), tuple(range(i)), base) for i in gap)
    return Infilling(both / len(gap), left / len(gap), not_negative(left - both))


def _given(p: Distribution, sites: tuple[int, ...], known: tuple[int, ...], base: Any) -> Any:
    """``H(X_S | X_K)``, averaged over what is known."""
    both = tuple(sorted((*sites, *known)))
    return not_negative(entropy(p, both, base=base) - entropy(p, known, base=base))
