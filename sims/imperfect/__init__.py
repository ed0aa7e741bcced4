"""Imperfect denoisers, and the part of the divergence that is due to what was not learnt."""

from sims.imperfect.decomposition import excess_loss, split
from sims.imperfect.perturbed import Perturbed
from sims.imperfect.windowed import WindowedDenoiser

__all__ = ["Perturbed", "WindowedDenoiser", "excess_loss", "split"]
