"""Denoisers that are not perfect, and what their errors cost."""

from sims.imperfect.decomposition import excess_loss, split
from sims.imperfect.perturbed import Perturbed
from sims.imperfect.windowed import Truncated

__all__ = ["Perturbed", "Truncated", "excess_loss", "split"]
