"""The best possible decoder by dynamic programming: the frontier of rounds and divergence."""

from sims.optimal.frontier import Point, frontier, regret

__all__ = ["Point", "frontier", "regret"]
