"""A statement: linear forms that are never negative, wherever other forms are none either."""

from dataclasses import dataclass
from typing import Any, Literal

from theory import information
from theory._core.log_numbers import LinearForm
from theory.distributions.base import Distribution
from theory.proofs.quantities import Form, sites_of

__all__ = ["Assumption", "Conclusion", "Coordinates", "Statement", "value_at"]

Coordinates = Literal["sets", "profile"]
"""Whether forms are in the entropies of sets of sites, or in the profile."""


@dataclass(frozen=True)
class Conclusion:
    """What is to be shown: a form that is never negative.

    Attributes
    ----------
    text : str
        Such as ``"TC <= 2 DTC"``.
    slack : mapping
        The side that is greater minus the other.
    """

    text: str
    slack: Form


@dataclass(frozen=True)
class Assumption:
    """What is given: a form that is never negative, or, if `equal`, zero."""

    text: str
    form: Form
    equal: bool = True

    def met(self, value: Any) -> bool:
        """Tell whether it is met where its form has this value."""
        return bool(value == 0 if self.equal else value >= 0)


@dataclass(frozen=True)
class Statement:
    """Conclusions about all distributions of so many sites that meet the assumptions.

    Attributes
    ----------
    text : str
        As it was written.
    sites : int
    conclusions : tuple of Conclusion
        An equality is two of them.
    assumptions : tuple of Assumption
    coordinates : {"sets", "profile"}
    """

    text: str
    sites: int
    conclusions: tuple[Conclusion, ...]
    assumptions: tuple[Assumption, ...] = ()
    coordinates: Coordinates = "sets"


def value_at(form: Form, p: Distribution, coordinates: Coordinates = "sets") -> Any:
    """The number that a form is on a distribution; exact if `p` is.

    >>> from fractions import Fraction
    >>> from theory import gallery
    >>> value_at({1: Fraction(1), 3: Fraction(1), 7: Fraction(-1)}, gallery.parity(3, exact=True))
    log(2)
    >>> value_at({2: Fraction(3)}, gallery.parity(3, exact=True), "profile")     # 3 f(2)
    0
    """
    total: Any = LinearForm({}) if p.exact else 0.0
    f = information.profile(p) if coordinates == "profile" else None
    for key, coefficient in form.items():
        entropy = p.subset_entropy(sites_of(key)) if f is None else f[key]
        total = total + (coefficient if p.exact else float(coefficient)) * entropy
    return total
