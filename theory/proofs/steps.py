"""Steps ``1{j < r}``, of which profiles are sums, and the codes that have them as profiles."""

import itertools
import math
from collections.abc import Mapping
from fractions import Fraction

from theory._core.finite_fields import MAX_SIZE, prime_power
from theory._core.log_numbers import LinearForm
from theory._core.pivots import in_integers
from theory.distributions.base import Distribution
from theory.distributions.reed_solomon import ReedSolomon, smallest_field
from theory.distributions.side_by_side import SideBySide
from theory.errors import TooLarge
from theory.proofs.quantities import Form

__all__ = ["codes_of", "on_steps"]

MAX_CODES = 4096
"""Codes side by side in one distribution."""


def on_steps(form: Form, sites: int) -> list[Fraction]:
    """The values of a form on the steps ``1{j < r}``, r = 1..L.

    >>> [int(v) for v in on_steps({0: Fraction(2), 2: Fraction(-3)}, 3)]
    [2, 2, -1]
    """
    return list(itertools.accumulate(form.get(j, Fraction(0)) for j in range(sites)))


def codes_of(weights: Mapping[int, Fraction], sites: int) -> tuple[Distribution, LinearForm]:
    """Codes side by side whose profile is a multiple of a sum of steps, and the multiple.

    Parameters
    ----------
    weights : mapping
        By r, what the step ``1{j < r}`` is multiplied by: positive.
    sites : int

    Returns
    -------
    Distribution
        A `ReedSolomon` code with the smallest field, or several `SideBySide` with fields of one
        characteristic: of those up to twice the length the one with the fewest tokens in all.
    LinearForm

    Raises
    ------
    TooLarge
        If a field is too large, or codes are too many.

    Examples
    --------
    >>> p, multiple = codes_of({1: Fraction(1), 3: Fraction(1, 2)}, 4)      # 3/2, 1/2, 1/2, 0
    >>> [part.dimension for part in p.parts], multiple
    ([1, 1, 3], 2*log(2))
    >>> p.mean_entropies.tolist()
    [0, 3*log(2), 4*log(2), 5*log(2), 5*log(2)]
    """
    whole, common = in_integers(weights, 1)
    shared = math.gcd(*whole.values())
    whole = {r: n // shared for r, n in whole.items()}
    prime, degrees, times = _fields(whole, sites)
    copies = {r: times * n // degrees[r] for r, n in whole.items()}
    if sum(copies.values()) > MAX_CODES:
        raise TooLarge(
            f"{sum(copies.values())} Reed-Solomon codes side by side over fields of "
            f"characteristic {prime}, by dimension {copies}; the limit is {MAX_CODES}"
        )
    codes = [ReedSolomon(sites, r, prime ** degrees[r], exact=True) for r in copies]
    parts = [p for p in codes for _ in range(copies[p.dimension])]
    multiple = LinearForm({prime: 1}) * (Fraction(common * times, shared))
    return (SideBySide(parts) if len(parts) > 1 else parts[0]), multiple


def _fields(whole: Mapping[int, int], sites: int) -> tuple[int, dict[int, int], int]:
    """Characteristic p, by r the degree m of the field, and the multiple of the weights.

    A code over GF(p^m) is worth m steps times ``log p``.
    """
    if len(whole) == 1:
        (r,) = whole
        prime, degree = prime_power(smallest_field(sites, r)) or (2, 1)
        return prime, {r: degree}, degree
    tried = []
    for prime in (q for q in range(2, max(2 * sites, 4)) if prime_power(q) == (q, 1)):
        degrees = {r: _degree(prime, smallest_field(sites, r)) for r in whole}
        times = math.lcm(*(degrees[r] // math.gcd(degrees[r], n) for r, n in whole.items()))
        bits = times * sum(whole.values()) * math.log2(prime)
        large = prime ** max(degrees.values()) > MAX_SIZE
        tried.append(((large, bits, prime), (prime, degrees, times)))
    return min(tried, key=lambda entry: entry[0])[1]


def _degree(prime: int, least: int) -> int:
    """The smallest m with ``prime^m`` at least so large."""
    size, degree = prime, 1
    while size < least:
        size, degree = size * prime, degree + 1
    return degree
