"""A bound beside the quantity that it bounds: how loose it is, and how close to attained."""

from dataclasses import dataclass

from theory._core.exact import floats
from theory._core.types import Number

__all__ = ["ZERO_TOL", "Bound"]

ZERO_TOL = 1e-12
"""What is below this in floats may be rounding."""


@dataclass(frozen=True)
class Bound:
    """A bound and what it bounds, in the same unit.

    Attributes
    ----------
    quantity, bound : number
        Floats, or exact numbers of an exact distribution.
    upper : bool
        Whether the quantity is at most the bound, or at least.
    """

    quantity: Number
    bound: Number
    upper: bool = True

    @property
    def slack(self) -> Number:
        """How loose the bound is; negative if it fails."""
        return self.bound - self.quantity if self.upper else self.quantity - self.bound

    @property
    def ratio(self) -> float:
        """The smaller side over the larger: 1 if the bound is attained, nan if both are 0.

        Floats below 1e-12 are taken for 0. `InvalidInput` if it depends on free symbols.
        """
        pair = (self.quantity, self.bound) if self.upper else (self.bound, self.quantity)
        problem = "the tightness of the bound is not known"
        # a scalar of a device is no exact number
        least, most = (float(v if hasattr(v, "dtype") else floats(v, problem)) for v in pair)
        return least / most if abs(most) > ZERO_TOL else float("nan")
