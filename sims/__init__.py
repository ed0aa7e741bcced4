"""What happens: decoders and experiments."""

from sims import policies
from sims.exact import output_distribution
from sims.monte_carlo import Decoded, decode
from sims.optimal import Point, frontier, regret
from sims.output import OutputDistribution
from sims.perturbed import Perturbed

__all__ = [
    "Decoded",
    "OutputDistribution",
    "Perturbed",
    "Point",
    "decode",
    "frontier",
    "output_distribution",
    "policies",
    "regret",
]
