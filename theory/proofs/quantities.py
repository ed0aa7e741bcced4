"""Quantities that are never negative, as linear forms in entropies of sets or in the profile.

A certificate is a sum of them with nonnegative multipliers: the elemental inequalities of Shannon
for sets of sites, and the falls of the profile, by Han (1978, from memory), for mean entropies.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol, TypeAlias

__all__ = ["Fall", "Form", "Information", "Quantity", "combined", "mask_of", "names_of", "sites_of"]

Form: TypeAlias = Mapping[int, Fraction]
"""Coefficients that are not zero: of ``H(S)`` by the bits of ``S``, or of ``f(j)`` by ``j``."""


class Quantity(Protocol):
    """What is never negative: written as text and as LaTeX, and as a form."""

    @property
    def latex(self) -> str:
        """The quantity in mathematical notation."""
        ...

    def form(self, sites: int) -> Form:
        """The linear form that it stands for, with so many sites."""
        ...


@dataclass(frozen=True, order=True)
class Information:
    """``I(left; right | given)``; without `right` the entropy ``H(left | given)``.

    Attributes
    ----------
    left, right, given : tuple of int
        Sites, in increasing order.

    >>> str(Information((0,), (2,), (1,))), str(Information((0,), given=(1, 2)))
    ('I(0;2|1)', 'H(0|1,2)')
    >>> {bits: int(c) for bits, c in Information((0,), (2,), (1,)).form(3).items()}
    {3: 1, 6: 1, 7: -1, 2: -1}
    """

    left: tuple[int, ...]
    right: tuple[int, ...] = ()
    given: tuple[int, ...] = ()

    def __str__(self) -> str:
        right, given = names_of(self.right), names_of(self.given)
        of = names_of(self.left) + (f";{right}" if right else "") + (f"|{given}" if given else "")
        return f"{'I' if right else 'H'}({of})"

    @property
    def latex(self) -> str:
        r"""The quantity in mathematical notation.

        >>> print(Information((0,), (2,), (1,)).latex)
        I(X_{0}; X_{2} \mid X_{1})
        """
        left, right, given = (f"X_{{{names_of(s)}}}" for s in (self.left, self.right, self.given))
        of = left + (f"; {right}" if self.right else "")
        return f"{'I' if self.right else 'H'}({of}" + (rf" \mid {given})" if self.given else ")")

    def form(self, sites: int) -> Form:
        """Coefficients of the entropies of sets."""
        left, right, given = map(mask_of, (self.left, self.right, self.given))
        terms = [(left | given, 1), (given, -1)]
        if self.right:
            terms = [(left | given, 1), (right | given, 1), (left | right | given, -1), (given, -1)]
        found: dict[int, Fraction] = {}
        for bits, coefficient in terms:
            if bits:
                found[bits] = found.get(bits, Fraction(0)) + coefficient
        return {bits: c for bits, c in found.items() if c}


@dataclass(frozen=True, order=True)
class Fall:
    """``f(j) - f(j+1)``, by how much the profile falls; for the last j it is ``f(j)`` itself.

    >>> fall = Fall(1)
    >>> str(fall), fall.form(3) == {1: 1, 2: -1}, fall.form(2) == {1: 1}
    ('(f(1) - f(2))', True, True)
    """

    start: int

    def __str__(self) -> str:
        return f"(f({self.start}) - f({self.start + 1}))"

    @property
    def latex(self) -> str:
        """The quantity in mathematical notation."""
        return str(self)

    def form(self, sites: int) -> Form:
        """Coefficients of the profile."""
        falls = {self.start: Fraction(1), self.start + 1: Fraction(-1)}
        return {j: c for j, c in falls.items() if j < sites}


def combined(parts: Iterable[tuple[Fraction, Form]]) -> Form:
    """Sum of multiples of forms.

    >>> print(combined([(Fraction(2), {1: Fraction(1)}), (Fraction(-1), {1: Fraction(2)})]))
    {}
    """
    total: dict[int, Fraction] = {}
    for multiplier, form in parts:
        for key, coefficient in form.items():
            total[key] = total.get(key, Fraction(0)) + multiplier * coefficient
    return {key: total[key] for key in sorted(total) if total[key]}


def mask_of(sites: Iterable[int]) -> int:
    """The number whose bits are these sites.

    >>> mask_of((0, 2))
    5
    """
    return sum(1 << i for i in set(sites))


def sites_of(bits: int) -> tuple[int, ...]:
    """The sites that are the bits of a number.

    >>> sites_of(5)
    (0, 2)
    """
    return tuple(i for i in range(bits.bit_length()) if bits >> i & 1)


def names_of(sites: Iterable[int]) -> str:
    """Sites as text, separated by commas."""
    return ",".join(map(str, sites))
