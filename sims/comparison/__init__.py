"""Decoders side by side: on a distribution, a table, or a text of the user's."""

from sims.comparison.compare import Comparison, compare, usual_decoders
from sims.comparison.plot import draw_comparison, draw_decoders

__all__ = ["Comparison", "compare", "draw_comparison", "draw_decoders", "usual_decoders"]
