"""What happens: decoders and experiments."""

from sims import policies
from sims.exact import output_distribution
from sims.optimal import Point, frontier, regret
from sims.output import OutputDistribution

__all__ = [
    "OutputDistribution",
    "Point",
    "frontier",
    "output_distribution",
    "policies",
    "regret",
]
