"""What a schedule loses of the distribution on which it loses most, among all there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from theory import gallery
from theory.distributions.base import Distribution
from theory.distributions.reed_solomon import smallest_field
from theory.errors import InvalidInput
from theory.schedules.drawn_sizes import RandomSizes
from theory.schedules.minimax import Of, shares_lost
from theory.validation.arguments import as_sizes

__all__ = ["WorstCase", "worst_case"]


@dataclass(frozen=True)
class WorstCase:
    """The greatest loss of a schedule as a share, and the codes that attain it.

    Attributes
    ----------
    of : {"tc", "dtc", "both"}
        What it is a share of: TC, DTC or TC + DTC.
    length : int
    share : Fraction
        No distribution over any vocabulary has a greater one.
    dimensions : tuple of int
        Those of the Reed-Solomon codes that attain it.
    """

    of: Of
    length: int
    share: Fraction
    dimensions: tuple[int, ...]

    @property
    def distribution(self) -> Distribution:
        """The first of the codes that attain the share, over as few tokens as there are for all."""
        r = self.dimensions[0]
        return gallery.reed_solomon(self.length, r, smallest_field(self.length, r), exact=True)


def worst_case(sizes: Sequence[int] | RandomSizes, *, of: Of = "tc") -> WorstCase:
    """The greatest share of TC, DTC or TC + DTC that random-order decoding loses with these sizes.

    The supremum of `theory.information.path_cost` over TC, DTC or their sum, over all
    distributions of so many sites and over every vocabulary, where these are not 0. It is attained
    by Reed-Solomon codes: for fixed sizes it is the greatest ``(b-a-1)/(L-a-1)``, ``(b-a-1)/(a+1)``
    or ``(b-a-1)/L`` of a batch from a to b (leave out 0/0), so that the constant of `largest_batch`
    is best possible, and those of `total_correlation_schedule` and
    `dual_total_correlation_schedule` are where a batch has the ratio itself. Of random sizes it
    is the loss on average over the draw. [ours, on Han 1978, from memory] No such codes of bits
    have another dimension than 1 or L - 1; there it is approached, by
    `theory.gallery.common_shock`.

    Parameters
    ----------
    sizes : sequence of int, or RandomSizes
        Of two sites at least, for one alone has no correlation.
    of : {"tc", "dtc", "both"}

    Raises
    ------
    InvalidInput

    The first batch loses 7 of the 15 letters that are TC of a repeated letter, the code of
    dimension 1:

    >>> worst_case((8, 4, 2, 1, 1))
    WorstCase(of='tc', length=16, share=Fraction(7, 15), dimensions=(1,))
    >>> worst_case((8, 4, 2, 1, 1), of="both")
    WorstCase(of='both', length=16, share=Fraction(7, 16), dimensions=(1,))
    """
    if isinstance(sizes, RandomSizes):
        means: Sequence[Fraction | int] = sizes.mean_sizes
    else:
        sizes = as_sizes(sizes, None)
        means = [size * (k == 0) for size in sizes for k in range(size)]
    if len(means) < 2:
        raise InvalidInput(f"sizes must sum to 2 at least, got {sizes!r}")
    shares = shares_lost(means, of)
    share = max(shares)
    dimensions = tuple(r for r, lost in enumerate(shares, 1) if lost == share)
    return WorstCase(of, len(means), share, dimensions)
