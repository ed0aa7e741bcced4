"""All decoders side by side on one distribution: divergence, rounds, regret."""

from sims.comparison.compare import Comparison, compare, usual_decoders
from sims.comparison.plot import draw_comparison, draw_decoders

__all__ = ["Comparison", "compare", "draw_comparison", "draw_decoders", "usual_decoders"]
