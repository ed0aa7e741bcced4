"""A bound beside the quantity that it bounds."""

from dataclasses import dataclass
from typing import Any

from theory._core.exact import floats

__all__ = ["NOTHING", "Bound"]

NOTHING = 1e-12
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

    quantity: Any
    bound: Any
    upper: bool = True

    @property
    def slack(self) -> Any:
        """How loose the bound is; negative if it fails."""
        return self.bound - self.quantity if self.upper else self.quantity - self.bound

    @property
    def ratio(self) -> float:
        """The smaller side over the larger: 1 if the bound is attained, nan if both are 0.

        Floats below 1e-12 are taken for 0. `InvalidInput` if it depends on free symbols.
        """
        pair = (self.quantity, self.bound) if self.upper else (self.bound, self.quantity)
        problem = "how tight the bound is is not known"
        # a scalar of a device is no exact number
        least, most = (float(v if hasattr(v, "dtype") else floats(v, problem)) for v in pair)
        return least / most if abs(most) > NOTHING else float("nan")
