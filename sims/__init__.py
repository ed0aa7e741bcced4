"""What happens: decoders and experiments."""

from sims import policies
from sims.exact import output_distribution
from sims.output import OutputDistribution

__all__ = ["OutputDistribution", "output_distribution", "policies"]
