"""The best possible decoders: fewest rounds at the least loss."""

from sims.optimal.frontier import Point, frontier, regret

__all__ = ["Point", "frontier", "regret"]
