"""The best possible decoder for given data, and the worst data for a given decoder."""

from sims.optimal.frontier import Point, frontier, regret
from sims.optimal.in_rounds import InRounds
from sims.optimal.worst_case import WorstCase, worst_case

__all__ = ["InRounds", "Point", "WorstCase", "frontier", "regret", "worst_case"]
