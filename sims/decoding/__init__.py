"""What a decoder writes: its exact output distribution, or samples where that is too large."""

from sims.decoding.exact import output_distribution
from sims.decoding.monte_carlo import Decoded, decode
from sims.decoding.output import OutputDistribution

__all__ = ["Decoded", "OutputDistribution", "decode", "output_distribution"]
