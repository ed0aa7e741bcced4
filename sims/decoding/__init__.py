"""Decoders at work: the exact distribution of what they write, and draws from it."""

from sims.decoding.exact import output_distribution
from sims.decoding.monte_carlo import Decoded, decode
from sims.decoding.output import OutputDistribution

__all__ = ["Decoded", "OutputDistribution", "decode", "output_distribution"]
