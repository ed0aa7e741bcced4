"""Decoders of Markov chains at any length, exactly: gap by gap.

Given the tokens at both ends of a run of masked sites, the inside is independent of all the rest.
So whatever a decoder does within a gap can be followed from the gap's length and its two ends.
"""

from sims.chains.best import best_in_rounds
from sims.chains.expected_rounds import FrontierBounds, frontier_bounds
from sims.chains.gaps import Gaps
from sims.chains.on_chain import OnChain

__all__ = ["FrontierBounds", "Gaps", "OnChain", "best_in_rounds", "frontier_bounds"]
